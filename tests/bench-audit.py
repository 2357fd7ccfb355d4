#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit beside what people do by hand: ps -ef | grep kubelet; cat FILE.

    bench-audit.py PROGRAM MEASURE STANDIN NODES

On an image, and as root on a test host with a real systemd, a D-Bus and a
stand-in kubelet; then how the cost grows. The two commands take turns, so that
a noisy machine is noisy for both. Last come trees that were made to be large,
with the memory that each takes. Nothing here fails for being slow: what must
hold is counted by test-cost.py.
"""

import os
import shutil
import subprocess
import sys
import tempfile

import cost_lib
import cost_trees
from host_lib import CONFIG, Host, Skip, need_host

ROUNDS, RUNS = 5, 20
GOALS = (
    ("wall ms", "wall_ms", 2.0), ("own CPU ms", "cpu_ms", 3.0),
    ("max RSS MB", "rss_mb", 4.0), ("system calls", "calls", 400),
    ("execs", "execs", 0), ("of the pipeline's time", "ratio", 0.5),
)


def by_hand(path):
    return ["sh", "-c", "ps -ef | grep kubelet; cat " + path]


def take_turns(run, ours, theirs):
    """RUN measures; both commands, in turns."""
    a, b = [], []
    for _ in range(ROUNDS):
        a += run(ours, RUNS)
        b += run(theirs, RUNS)
    return a, b


def table(title, ours, theirs, calls):
    print("\n%s (%d runs each; audit ends with %d)"
          % (title, len(ours), ours[-1].status))
    print("  %-26s %9s %9s" % ("", "median", "min"))
    for name, runs in (("audit", ours), ("ps | grep; cat", theirs)):
        for what, member in (("wall", "wall_ms"), ("CPU", "cpu_ms")):
            print("  %-26s %6.2f ms %6.2f ms"
                  % (name + ", " + what, cost_lib.median(runs, member),
                     min(getattr(run, member) for run in runs)))
    wall = cost_lib.median(ours, "wall_ms")
    got = {
        "wall_ms": wall,
        "cpu_ms": cost_lib.median(ours, "cpu_ms"),
        "rss_mb": max(run.rss_kib for run in ours) / 1024,
        "calls": calls and calls.total,
        "execs": calls and calls.execs + calls.starts,
        "ratio": wall / cost_lib.median(theirs, "wall_ms"),
    }
    print("  %-26s %9s %9s" % ("goal", "at most", "got"))
    for name, key, most in GOALS:
        value = got[key]
        if value is None:
            print("  %-26s %9g %9s" % (name, most, "?"))
        else:
            print("  %-26s %9g %9.4g  %s"
                  % (name, most, value, "" if value <= most else "MISSED"))


def bench_image(program, measure, nodes):
    node = os.path.join(nodes, "cis-text-flag-false-file-true")
    argv = [program, "audit", "--root=" + node]
    ours, theirs = take_turns(
        lambda command, runs: cost_lib.measure(measure, command, runs),
        argv, by_hand(node + CONFIG))
    table("an image", ours, theirs,
          cost_lib.count_calls(argv) if cost_lib.have("strace") else None)


def count_inside(host, argv):
    log = "/run/strace.log"
    if host.run(["strace", "-f", "-o", log] + argv).status > 3:
        return None
    return cost_lib.parse_calls(host.read(log).decode().splitlines())


def bench_live(program, measure, standin):
    need_host()
    with Host(program, standin, "bench-%d" % os.getpid()) as host:
        shutil.copy(measure, host.root + "/usr/bin/measure")
        host.node("--make-iptables-util-chains=false")
        argv = ["/usr/bin/kubelet-remedy", "audit"]

        def run(command, runs):
            done = host.run(["measure", str(runs)] + command)
            return cost_lib.parse_runs(done.stdout)
        ours, theirs = take_turns(run, argv, by_hand(CONFIG))
        table("a live node, over D-Bus", ours, theirs,
              count_inside(host, argv))


def bench_growth(program, measure):
    def row(name, **size):
        processes = size.pop("processes", None)
        with tempfile.TemporaryDirectory(prefix="bench-") as root:
            cost_lib.make_node(root, **size)
            if processes is not None:
                cost_lib.make_processes(root, processes)
            argv = [program, "audit", "--root=" + root]
            runs = cost_lib.measure(measure, argv, 7)
        print("  %-36s %8.2f ms CPU %8.2f ms wall %7.1f MB"
              % (name, cost_lib.median(runs, "cpu_ms"),
                 cost_lib.median(runs, "wall_ms"),
                 max(run.rss_kib for run in runs) / 1024), flush=True)

    print("\ngrowth")
    for kib in (1, 100, 1 << 10, 10 << 10):
        row("config file of %d KiB" % kib, config_bytes=kib << 10)
    for count in (1, 10, 100, 1000):
        row("%d drop-ins" % count, dropins=count)
    for count in (100, 1000, 10000, 100000):
        row("%d times the key" % count, repeats=count)
    for count in (100, 1000, 10000, 100000):
        row("%d variables" % count, variables=count)
    for count in (0, 1000, 10000, 30000):
        row("%d processes, no bus to ask" % count, processes=count)


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
    if len(sys.argv) != 5:
        print(__doc__, file=sys.stderr)
        return 2
    program, measure, standin, nodes = sys.argv[1:]
    bench_image(program, measure, nodes)
    try:
        bench_live(program, measure, standin)
    except Skip as reason:
        print("\na live node: skipped: %s" % reason)
    except subprocess.CalledProcessError as error:
        print("\na live node: skipped: %s" % error)
    bench_growth(program, measure)
    bench_trees(program, measure)
    return 0


if __name__ == "__main__":
    sys.exit(main())
