#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix, undo and recovery, interrupted at each of their system calls.

    test-fault.py PROGRAM NODES [--every=N] [--only=TEXT]

On images of several shapes each system call of a fix, of an undo and of a fix
after a killed one is tried, as strace lists them, with SIGKILL and with each
errno that it can give (fault_lib.ERRORS). What must hold:

killed  Each file is wholly the old or wholly the new one: bytes, owner, mode,
        ACL, xattrs. What lies beside them has a name that neither systemd nor
        kubelet reads. The audit of what is there is not worse than before.
error   Either the call did not matter: status 0 and all is new. Or all is old,
        nothing lies about, the status is 4 (before the files were understood
        also 3; out of memory 71; lost output 74, and all is new), and what is
        said names a path.
after   The same command again ends well: all is new, nothing lies about, no
        record is left that says "interrupted". Then undo gives the old bytes.

--every=N tries every Nth point (another phase in each row), for the short form;
--every=1 is the whole. Each row says how many points were tried.
"""

import concurrent.futures
import os
import sys

import fault_lib
from cli_lib import Tap
from fault_lib import (KILL, SHAPES, Root, Scenario, check_after, differences,
                       node_part, torn, unfinished)

EVERY_DEFAULT = 41
FAULTS_MAX = 12


# --- one point ------------------------------------------------------------------

def check_killed(s, root, result):
    tree = node_part(root.load())
    faults = torn(s, tree, True)
    disk, codes = s.audit(root)

    if disk not in (s.disk_old, s.disk_new):
        faults.append("the audit then says " + disk)
    if tree != s.old and tree != s.new and "interrupted" not in codes:
        faults.append("the audit does not say that a run was interrupted")
    if result.status not in (-9, 137):
        faults.append("not killed: %s" % result)
    return faults


def check_error(s, root, result, point):
    index, call, error = point
    early = index < s.first
    tree = node_part(root.load())
    # without memory a run ends where it stands, as if it were killed
    stands = s.recovers or (error == "ENOMEM"
                            and result.status in (71, -11))
    whole = tree == s.old or (stands and not torn(s, tree, True))

    if result.status == 0 or (result.status == 74
                              and call.text.startswith(("1, ", "2, "))):
        if tree == s.new:
            return []
        return ["status %d, but not all is new: %s" % (
            result.status, differences(tree, s.new))]
    allowed = [3, 4]
    if early: # the loader's and the libraries' own
        allowed += [71, 126, 127, -11]
    if s.recovers: # it could not be taken back
        allowed.append(6)
    if error == "ENOMEM":
        allowed.append(71)
        if call.name == "mmap": # libbsd's, for random numbers
            allowed.append(1)
        if call.name == "brk": # glibc's own, in sysmalloc()
            allowed.append(-11)
    faults = []
    if result.status not in allowed:
        faults.append("a wrong status")
    if not whole:
        faults.append("not all is old: %s" % differences(tree, s.old))
        faults += torn(s, tree, False)
    if result.status in (4, 6) and not early and not result.names_a_path:
        faults.append("no path is named")
    return faults


def try_point(s, point):
    index, call, fault = point
    with Root(s.start) as root:
        result = fault_lib.run_with_fault(call, fault,
                                          s.words(root, s.command))
        if fault == KILL:
            faults = check_killed(s, root, result)
        else:
            faults = check_error(s, root, result, point)
        if faults:
            faults.append(str(result))
        faults += check_after(s, root, result)
    return ["%s, call %d, %s: %s" % (fault, index, call, f) for f in faults]


def killed_at(s, call):
    with Root(s.start) as root:
        fault_lib.run_with_fault(call, KILL,
                                 s.words(root, s.command))
        return root.load()


def halves(s):
    """Trees as a kill between two of the renames or just after them leaves
    them: what recovery meets."""
    marks = [c for c in s.calls if c.name in ("renameat", "renameat2",
                                              "unlinkat", "mkdirat")]
    trees = []
    for call in marks:
        tree = killed_at(s, call)
        if unfinished(tree) and tree not in [t for _, t in trees]:
            trees.append((call, tree))
    return trees


class Suite:
    def __init__(self, program, every, only):
        self.program, self.every, self.only = program, every, only
        self.tap = Tap()
        self.n_points = self.n_rows = 0

    def row(self, s):
        """Tries the points of scenario S."""
        if self.only and self.only not in s.name:
            return
        points = list(s.points())[self.n_rows % self.every::self.every]
        faults = []

        self.n_rows += 7
        with concurrent.futures.ThreadPoolExecutor(
                min(2, os.cpu_count() or 1)) as pool:
            for found in pool.map(lambda p: try_point(s, p), points):
                faults += found
        n = len(faults)
        if n > FAULTS_MAX:
            faults = faults[:FAULTS_MAX] + ["... and %d more" % (
                n - FAULTS_MAX)]
        self.n_points += len(points)
        self.tap.row("%s: %d points of %d calls, %d paths differ" % (
            s.name, len(points), len(s.calls), s.n_files), faults)

    def shape(self, name, tree):
        with Root(tree) as root:
            done = fault_lib.run([self.program, "fix", "--root=" + root.path])
            fixed = root.load()
        if done.status != 0:
            self.tap.row(name, [done])
            return
        fix = Scenario(self.program, name + ": fix", tree, "fix",
                       (tree, fixed))
        undo = Scenario(self.program, name + ": undo", fixed, "undo",
                        (fixed, tree))
        self.row(fix)
        self.row(undo)
        for s, word in ((fix, "fix"), (undo, "undo")):
            for call, half in halves(s):
                self.row(Scenario(
                    self.program, "%s: %s after one killed at %s #%d" % (
                        name, word, call.name, call.nth), half, word,
                    (s.old, s.new), True))


def main():
    options = [w for w in sys.argv[1:] if w.startswith("--")]
    program, nodes = [w for w in sys.argv[1:] if not w.startswith("--")]
    every, only = EVERY_DEFAULT, ""
    for option in options:
        key, value = option.split("=", 1)
        if key == "--every":
            every = int(value)
        elif key == "--only":
            only = value
    reason = fault_lib.missing()
    if not reason and os.geteuid() != 0:
        reason = "only root can make files of other owners"
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    suite = Suite(program, every, only)
    for name, shape in SHAPES.items():
        if not only or only.startswith(name):
            suite.shape(name, shape(nodes))
    print("# %d points tried (every %d.)" % (suite.n_points, every))
    return suite.tap.end()


if __name__ == "__main__":
    sys.exit(main())
