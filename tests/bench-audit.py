#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit beside what people do by hand, in one run, and how it grows.

    bench-audit.py PROGRAM MEASURE EMPTY ONE_GETALL STANDIN NODES

On an image beside jq; and, as root on a test host with a real systemd, a D-Bus
and a stand-in kubelet, beside ps -ef | grep kubelet; cat FILE and systemctl, with
10, 300 and 3,000 processes. The commands take turns, so that a noisy machine is
noisy for all; a ratio is the median of the ratios of each turn. Goals are ratios to
the floor, a program that does nothing, as each machine is of another speed; the
milliseconds beside them are those of the machine on which the goals were set. Two
other floors show what a goal leaves: the program itself that only starts, and one that
loads libsystemd and makes a single call. Then how the cost grows, with the exponent that
fits best (1: linear). Last come trees that were made to be large, with the memory that
each takes. Nothing here fails for being
slow: what must hold is counted by test-cost.py.
"""

import collections
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import cost_lib
import cost_trees
from host_lib import CONFIG, Host, Skip, need_host

ROUNDS, RUNS = 5, 20
PROCESSES = (10, 300, 3000)
# The machine on which the goals were set: ms and ms of CPU of the floor.
FLOOR_WALL, FLOOR_CPU = 1.23, 1.11
FLOOR = "floor: an empty program"
START_FLOOR = "floor: our own start"
BUS_FLOOR = "floor: libsystemd, one call"
Goals = collections.namedtuple("Goals", "wall_ms cpu_ms mb calls ahead")
# At most, there; AHEAD: the audit's part of what the peers take.
LIVE_GOALS = Goals(3.8, 2.5, 3.1, 300, {"ps | grep; cat": 0.5,
                                        "systemctl cat kubelet": 1 / 1.5})
IMAGE_GOALS = Goals(1.6, None, 2.3, None, {})
VERSION = "--kubelet-version=1.29.0"


def by_hand(path):
    return ["sh", "-c", "ps -ef | grep kubelet; cat " + path]


def take_turns(run, commands):
    """RUN measures; of each command its runs, turn by turn."""
    turns = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, argv in commands.items():
            turns[name].append(run(argv, RUNS))
    return turns


def ratio(ours, theirs, member):
    return statistics.median(cost_lib.median(a, member)
                             / cost_lib.median(b, member)
                             for a, b in zip(ours, theirs))


def table(title, turns, calls, goals):
    """The first of TURNS is the audit, and one is the floor."""
    print("\n%s (%d runs each)" % (title, ROUNDS * RUNS))
    print("  %-26s %8s %8s %8s %8s %7s %7s %7s"
          % ("", "wall ms", "min", "CPU ms", "min", "MB", "audit/x", "x/floor"))
    ours, floor = next(iter(turns.values())), turns[FLOOR]
    for name, batches in turns.items():
        runs = sum(batches, [])
        print("  %-26s %8.2f %8.2f %8.2f %8.2f %7.1f %7.2f %7.2f"
              % (name, cost_lib.median(runs, "wall_ms"),
                 min(run.wall_ms for run in runs),
                 cost_lib.median(runs, "cpu_ms"),
                 min(run.cpu_ms for run in runs),
                 max(run.rss_kib for run in runs) / 1024,
                 ratio(ours, batches, "wall_ms"),
                 ratio(batches, floor, "wall_ms")), flush=True)
    print_goals(turns, calls, goals)


def print_goals(turns, calls, goals):
    def say(what, got, goal, there=""):
        print("  goal: %s %.4g of at most %.4g%s%s"
              % (what, got, goal, there, "" if got <= goal else ": MISSED"))
    ours, floor = next(iter(turns.values())), turns[FLOOR]
    for what, member, goal, of in (
            ("wall", "wall_ms", goals.wall_ms, FLOOR_WALL),
            ("CPU", "cpu_ms", goals.cpu_ms, FLOOR_CPU)):
        if goal:
            say(what + " as a ratio to the floor", ratio(ours, floor, member),
                goal / of, " (%g ms there)" % goal)
    say("MB", max(run.rss_kib for run in sum(ours, [])) / 1024, goals.mb)
    if goals.calls and calls:
        say("calls", calls.total, goals.calls)
    for name, goal in goals.ahead.items():
        say("wall as a ratio to " + name,
            ratio(ours, turns[name], "wall_ms"), goal)


def count(argv):
    return cost_lib.count_calls(argv) if cost_lib.have("strace") else None


def bench_image(program, measure, empty, nodes):
    node = os.path.join(nodes, "cis-text-flag-false-file-true")
    audit = [program, "audit", "--root=" + node]
    commands = {"audit": audit, FLOOR: [empty],
                START_FLOOR: [program, "--version"]}
    if cost_lib.have("jq"):
        commands["jq, one key"] = ["jq", ".makeIPTablesUtilChains",
                                   node + CONFIG]
    commands["ps | grep; cat"] = by_hand(node + CONFIG)

    def run(argv, runs):
        return cost_lib.measure(measure, argv, runs)
    table("an image", take_turns(run, commands), count(audit), IMAGE_GOALS)
    for name in ("cis-text-flag-false-file-true", "eks-al2-config-false"):
        one = [program, "audit", VERSION, "--root=" + os.path.join(nodes, name)]
        turns = take_turns(run, {"one": one, "all": one + ["--benchmark"]})
        print("  audit --benchmark of %s: %.2f of an audit's CPU (goal: 1.5)"
              % (name, ratio(turns["all"], turns["one"], "cpu_ms")))


def count_inside(host, argv):
    log = "/run/strace.log"
    if host.run(["strace", "-f", "-o", log] + argv).status > 3:
        return None
    return cost_lib.parse_calls(host.read(log).decode().splitlines())


def add_processes(host, count):
    """COUNT more, which sleep until the host ends."""
    host.sh("setsid perl -e 'for (1 .. %d) { fork or do { sleep 9999; exit } }' "
            "</dev/null >/dev/null 2>&1" % count)


def bench_live(program, measure, empty, one_getall, standin):
    need_host()
    commands = {
        "audit": ["/usr/bin/kubelet-remedy", "audit"],
        "audit --benchmark": ["/usr/bin/kubelet-remedy", "audit", "--benchmark"],
        FLOOR: ["empty"],
        BUS_FLOOR: ["one-getall"],
        "ps | grep; cat": by_hand(CONFIG),
        "systemctl cat kubelet": ["systemctl", "cat", "kubelet"],
        "systemctl show kubelet": ["systemctl", "show", "kubelet"],
    }
    with Host(program, standin, "bench-%d" % os.getpid()) as host:
        shutil.copy(measure, host.root + "/usr/bin/measure")
        shutil.copy(empty, host.root + "/usr/bin/empty")
        shutil.copy(one_getall, host.root + "/usr/bin/one-getall")
        host.node("--make-iptables-util-chains=false")

        def run(command, runs):
            done = host.run(["measure", str(runs)] + command)
            return cost_lib.parse_runs(done.stdout)
        there = 10
        for processes in PROCESSES:
            if processes > there:
                add_processes(host, processes - there)
                there = processes
            table("a live node, over D-Bus, about %d processes" % processes,
                  take_turns(run, commands),
                  count_inside(host, commands["audit"]), LIVE_GOALS)


def exponent(points):
    """Of the growth of cost with size, by least squares of the logarithms, the
    cost of the smallest taken off; None: it does not grow."""
    floor = min(cost for _, cost in points)
    logs = [(math.log(size), math.log(cost - floor)) for size, cost in points
            if cost > 1.5 * floor]
    if len(logs) < 2:
        return None
    mean_x, mean_y = (statistics.mean(axis) for axis in zip(*logs))
    return (sum((x - mean_x) * (y - mean_y) for x, y in logs)
            / sum((x - mean_x) ** 2 for x, _ in logs))


GROWTH = (
    ("KiB of config file", "config_bytes", 1 << 10, (1, 100, 1000, 10000)),
    ("drop-ins", "dropins", 1, (1, 10, 100, 1000, 10000)),
    ("times the key", "repeats", 1, (1, 1000, 10000, 100000)),
    ("arguments", "arguments", 1, (1, 1000, 5000, 20000)),
    ("variables", "variables", 1, (1, 1000, 10000, 30000)),
    ("processes, no bus to ask", "processes", 1, (0, 1000, 10000, 30000)),
)


def bench_growth(program, measure):
    print("\ngrowth")
    for name, key, unit, sizes in GROWTH:
        points = []
        for number in sizes:
            size = {key: number * unit}
            processes = size.pop("processes", None)
            with tempfile.TemporaryDirectory(prefix="bench-") as root:
                cost_lib.make_node(root, **size)
                if processes is not None:
                    cost_lib.make_processes(root, processes)
                runs = cost_lib.measure(
                    measure, [program, "audit", "--root=" + root], 7)
            points.append((max(number, 1), cost_lib.median(runs, "cpu_ms")))
            print("  %7d %-26s %8.2f ms CPU %8.2f ms wall %7.1f MB"
                  % (number, name, points[-1][1],
                     cost_lib.median(runs, "wall_ms"),
                     max(run.rss_kib for run in runs) / 1024), flush=True)
        power = exponent(points)
        print("  %7s exponent %s" % ("", "0: flat" if power is None
                                     else "%.2f" % power))


def bench_trees(program, measure):
    print("\ntrees that were made to be large (at most 64 MB each)")
    for name, make, _said in cost_trees.rows():
        with tempfile.TemporaryDirectory(prefix="bench-") as root:
            make(root)
            run = cost_lib.measure(measure,
                                   [program, "audit", "--root=" + root], 1)[0]
        print("  %-50s %8.2f ms CPU %7.1f MB"
              % (name, run.cpu_ms, run.rss_kib / 1024), flush=True)


def main():
    if len(sys.argv) != 7:
        print(__doc__, file=sys.stderr)
        return 2
    program, measure, empty, one_getall, standin, nodes = sys.argv[1:]
    bench_image(program, measure, empty, nodes)
    try:
        bench_live(program, measure, empty, one_getall, standin)
    except Skip as reason:
        print("\na live node: skipped: %s" % reason)
    except subprocess.CalledProcessError as error:
        print("\na live node: skipped: %s" % error)
    bench_growth(program, measure)
    bench_trees(program, measure)
    return 0


if __name__ == "__main__":
    sys.exit(main())
