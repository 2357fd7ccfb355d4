#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an audit may cost at most, in what can be counted.

    test-cost.py PROGRAM MEASURE NODES [--sanitized]

On every example node: system calls, child processes, files opened, memory; and
that nothing is written. Then that the counts grow with what must be read and by
no more. Times are the benchmark's (bench-audit.py): a slow day fails nothing.
--sanitized: the program carries sanitizers, whose own memory and calls are
not its cost.
"""

import os
import sys
import tempfile

import cost_lib

CALLS_MAX = 400
RSS_KIB_MAX = 4096
OPENED_MAX = 48                 # libraries, files and folders
CALLS_PER_DROPIN_MAX = 12      # opened by path and checked, then by what it is
CALLS_PER_MIB_MAX = 16          # of a config file


class Test:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, good, name, *detail):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name))
        for line in [] if good else detail:
            print("#   %s" % line)

    def at_most(self, got, limit, name):
        self.check(got <= limit, "%s: %s of at most %s" % (name, got, limit))


def check_node(test, program, measure, node, sanitized):
    name = os.path.basename(node)
    argv = [program, "audit", "--root=" + node]
    calls = cost_lib.count_calls(argv)
    test.check(calls.total > 20, name + ": strace saw it", calls.total)
    test.check(calls.execs == 0 and calls.starts == 0,
               name + ": no child process and no thread", calls)
    test.check(not calls.changes, name + ": nothing is opened to be written",
               *calls.changes)
    if sanitized:
        return
    test.at_most(calls.total, CALLS_MAX, name + ": system calls")
    test.at_most(len(calls.opened), OPENED_MAX, name + ": opened")
    test.at_most(max(run.rss_kib for run in
                     cost_lib.measure(measure, argv, 3)),
                 RSS_KIB_MAX, name + ": KiB resident")


def calls_of(program, **size):
    with tempfile.TemporaryDirectory(prefix="cost-") as root:
        cost_lib.make_node(root, **size)
        return cost_lib.count_calls([program, "audit", "--root=" + root]).total


def check_growth(test, program):
    few, many = (calls_of(program, dropins=n) for n in (10, 1010))
    test.check(many > few + 1000, "1,000 more drop-ins are read", few, many)
    test.at_most((many - few) / 1000, CALLS_PER_DROPIN_MAX,
                 "system calls a drop-in")
    small, large = (calls_of(program, config_bytes=n << 20) for n in (1, 9))
    test.at_most((large - small) / 8, CALLS_PER_MIB_MAX,
                 "system calls a MiB of config file")


def main():
    if len(sys.argv) not in (4, 5):
        print(__doc__, file=sys.stderr)
        return 2
    program, measure, nodes = sys.argv[1:4]
    sanitized = "--sanitized" in sys.argv[4:]
    if not cost_lib.have("strace"):
        print("1..0 # SKIP strace is not installed")
        return 0
    if cost_lib.count_calls(["true"]).total < 5:
        print("1..0 # SKIP strace may not trace here")
        return 0
    test = Test()
    for name in sorted(os.listdir(nodes)):
        node = os.path.join(nodes, name)
        if os.path.isdir(node):
            check_node(test, program, measure, node, sanitized)
    if not sanitized:
        check_growth(test, program)
    print("1..%d" % test.count)
    return 1 if test.failed or not test.count else 0


if __name__ == "__main__":
    sys.exit(main())
