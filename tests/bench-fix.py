#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a fix costs: its own time, and that of those whom it asks.

    bench-fix.py PROGRAM STANDIN [ROUNDS]

A fix with one restart of a stand-in kubelet that is healthy at once, as root on
a test host with a real systemd and a D-Bus. The CPU time of systemd and of
dbus-daemon is what they used from the fix's start to its end, the restart of
kubelet with it. Nothing here fails for being slow.
"""

import statistics
import sys

from host_lib import FLAG, Host, Skip, need_host

GOALS = (("wall", "ms", 5600), ("own CPU", "ms", 12), ("systemd", "ms", None),
         ("dbus-daemon", "ms", None))


def used_ms(host, pid):
    """The CPU time that a process inside has used so far."""
    stat = host.read("/proc/%s/schedstat" % pid).decode()
    return int(stat.split()[0]) / 1e6


def fix_once(host, systemd, bus):
    host.node(FLAG + "=false")
    before = [used_ms(host, pid) for pid in (systemd, bus)]
    done = host.run(["bash", "-c", "TIMEFORMAT='%3R %3U %3S'; "
                     "time kubelet-remedy fix -q"])
    after = [used_ms(host, pid) for pid in (systemd, bus)]
    if done.status != 0:
        raise RuntimeError("fix ended with %d: %s" % (done.status, done.stderr))
    wall, user, system = (float(word) * 1000 for word in
                          done.stderr.splitlines()[-1].split())
    return [wall, user + system] + [b - a for a, b in zip(before, after)]


def main():
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    rounds = int(sys.argv[3]) if len(sys.argv) == 4 else 7
    try:
        need_host()
    except Skip as reason:
        print("skipped: %s" % reason)
        return 0
    with Host(sys.argv[1], sys.argv[2]) as host:
        bus = host.sh("pgrep -x dbus-daemon").stdout.split()[0]
        runs = [fix_once(host, "1", bus) for _ in range(rounds)]
    print("a fix with one restart (%d runs)\n  %-14s %9s %9s %9s"
          % (rounds, "", "median", "min", "goal"))
    for (name, unit, goal), values in zip(GOALS, zip(*runs)):
        print("  %-14s %6.1f %s %6.1f %s %6s"
              % (name, statistics.median(values), unit, min(values), unit,
                 goal or "-"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
