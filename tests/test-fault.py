#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix, undo and recovery, interrupted at each of their system calls.

    test-fault.py PROGRAM STRIKE NODES [--every=N] [--only=TEXT]

On images of several shapes each system call of a fix and of an undo is tried,
and of those and of "recover" after a killed one, as strace lists them, with
SIGKILL and with each errno that it can give (fault_lib.ERRORS). What must hold:

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
--every=1 is the whole, more than half a million points, which takes some 30
minutes on two idle CPUs; in the top folder, after a build:

    python3 tests/test-fault.py build/src/kubelet-remedy build/tests/strike
        tests/nodes --every=1           (one line)

Each row says how many points were tried. The runs with a fault are STRIKE's
(strike.c); what holds of a tree that one of them left is found out once for all
of them that left the same. The start of the program, up to its first look at
the tree, is tried once a command.
"""

import concurrent.futures
import itertools
import json
import os
import sys
import threading
import time

import fault_lib
from cli_lib import HUNG, Tap
from fault_lib import (KILL, SHAPES, NoScenario, Root, Scenario, Strike,
                       StrikeDied, check_after, differences, node_part,
                       only_lies_about, torn, unfinished)

EVERY_DEFAULT = 83
FAULTS_MAX = 12
BATCH = 32


# --- one point ------------------------------------------------------------------

class Left:
    """A tree that a run left, and what is to be known of it. However many runs
    leave it, it is looked at once."""

    def __init__(self, s, root):
        self.tree = node_part(root.load())
        self.is_old, self.is_new = self.tree == s.old, self.tree == s.new
        self.torn = torn(s, self.tree, True)
        self.disk, self.codes = s.audit(root)
        self.outcomes = []
        if self.is_new and s.command == "undo" and not unfinished(root.load()):
            told = fault_lib.run(s.words(root, "history") + ["--output=json"]).out
            self.outcomes = [(e["kind"], e["outcome"])
                             for e in json.loads(told)["transactions"]]
        self.after = check_after(s, root)


def check_killed(s, left, result):
    faults = list(left.torn)

    if left.disk not in (s.disk_old, s.disk_new):
        faults.append("the audit then says " + left.disk)
    # a run that had ended, but for its tidying, is reverted by nobody
    wanted = ("interrupted", "untidy") if only_lies_about(left.tree, s.new) \
        else ("interrupted",)
    if not (left.is_old or left.is_new) and not set(wanted) & set(left.codes):
        faults.append("the audit does not say that a run was interrupted")
    # the undo came to its end, wherever its record was then; before it there
    # may be one that was put back
    if left.outcomes and (left.outcomes[0], left.outcomes[-1]) != (
            ("fix", "undone"), ("undo", "undone")):
        faults.append("the history says %s" % left.outcomes)
    if result.status != -9:
        faults.append("not killed")
    return faults


def check_error(s, left, result, point):
    index, call, error = point
    early = index < s.first
    # without memory a run ends where it stands, as if it were killed
    stands = s.recovers or (error == "ENOMEM"
                            and result.status in (71, -11))
    whole = left.is_old or (stands and not left.torn)

    if result.status == 0 or (result.status == 74
                              and call.text.startswith(("1, ", "2, "))):
        if left.is_new:
            return []
        return ["status %d, but not all is new: %s" % (
            result.status, differences(left.tree, s.new))]
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
        faults.append("not all is old: %s" % differences(left.tree, s.old))
        faults += torn(s, left.tree, False)
    if result.status in (4, 6) and not early and not result.names_a_path:
        faults.append("no path is named")
    return faults


def check_missed(left, result, call):
    """How often memory is asked for is not the same in each run."""
    if call.name != "brk":
        return ["the call never came"]
    if result.status != 0 or not left.is_new:
        return ["nothing was in its way, but it has not ended well"]
    return []


def check_point(s, left, result, struck, point):
    index, call, fault = point
    if result.status == HUNG:
        faults = ["it hung"]
    elif not struck:
        faults = check_missed(left, result, call)
    elif fault == KILL:
        faults = check_killed(s, left, result)
    else:
        faults = check_error(s, left, result, point)
    faults += left.after
    if faults:
        faults.append(str(result))
    return ["%s, call %d, %s: %s" % (fault, index, call, f) for f in faults]


def killed_at(s, call):
    with Root(s.start) as root:
        fault_lib.run_with_fault(call, KILL,
                                 s.words(root, s.command))
        return root.load()


def lies_about(tree):
    return any(fault_lib.TEMP.search(path) for path in tree)


def halves(s):
    """Trees as a kill between two of the renames or just after them leaves
    them: what recovery meets. The last have come to their end, but old files
    still lie beside the new ones."""
    marks = [c for c in s.calls if c.name in ("renameat", "renameat2",
                                              "unlinkat", "mkdirat")]
    trees = []
    for call in marks:
        tree = killed_at(s, call)
        if (unfinished(tree) or lies_about(tree)) and tree not in [
                t for _, t in trees]:
            trees.append((call, tree))
    return trees


def words_after(s, half):
    """The commands to be tried on the tree HALF that S left, and the ends of
    each."""
    forth, back = (s.old, s.new), (s.new, s.old)
    if unfinished(half):
        return (s.command, forth), ("recover", back)
    if s.command == "fix": # it stands
        return ("fix", forth), ("recover", forth)
    return (("recover", forth),) # nothing is left to undo


class Row:
    """The points of one scenario, tried on every CPU at a time."""

    def __init__(self, strike, s, points):
        self.strike, self.s = strike, s
        self.points = iter(points)
        self.lefts, self.faults, self.n_missed = {}, [], 0
        self.lock = threading.Lock()
        cpus = os.sched_getaffinity(0)
        with concurrent.futures.ThreadPoolExecutor(len(cpus)) as pool:
            for done in pool.map(self.work, cpus):
                self.faults += done

    def batch(self):
        with self.lock:
            return list(itertools.islice(self.points, BATCH))

    def work(self, cpu):
        """This thread's part, with all that it starts, on CPU."""
        faults = []
        os.sched_setaffinity(0, {cpu})
        with Strike(self.strike, self.s.start,
                    lambda root: self.s.words(root, self.s.command)) as strike:
            try:
                while points := self.batch():
                    self.try_points(strike, points, faults)
            except StrikeDied as error:
                faults.append("%s: not all points were tried" % error)
        return faults

    def try_points(self, strike, points, faults):
        answers = strike.ask([point[1:] for point in points])
        for point, (result, struck, tree, root) in zip(points, answers):
            faults += check_point(self.s, self.left(tree, root), result,
                                  struck, point)
            self.n_missed += not struck

    def left(self, tree, root):
        """Which another thread may have seen first."""
        if root:
            with root:
                if tree not in self.lefts:
                    self.lefts[tree] = Left(self.s, root)
        return self.lefts[tree]


class Suite:
    def __init__(self, program, strike, every, only):
        self.program, self.strike = program, strike
        self.every, self.only = every, only
        self.tap = Tap()
        self.n_points = self.n_rows = self.n_lefts = 0
        self.loaded = set() # commands whose start was tried

    def row(self, s):
        """Tries the points of scenario S, where there is one."""
        if not s or self.only and self.only not in s.name:
            return
        points = list(s.points())
        if s.command in self.loaded: # the same, whatever tree comes then
            points = [p for p in points if p[0] >= s.first]
        self.loaded.add(s.command)
        points = points[self.n_rows % self.every::self.every]
        self.n_rows += 7
        row = Row(self.strike, s, points)
        faults, n = row.faults, len(row.faults)
        if n > FAULTS_MAX:
            faults = faults[:FAULTS_MAX] + ["... and %d more" % (
                n - FAULTS_MAX)]
        self.n_points += len(points) - row.n_missed
        self.n_lefts += len(row.lefts)
        self.tap.row("%s: %d points of %d calls, %d paths differ, %d ends" % (
            s.name, len(points), len(s.calls), s.n_files, len(row.lefts)),
            faults)

    def scenario(self, name, *rest):
        """A row that fails, and None, where it cannot be tried."""
        try:
            return Scenario(self.program, name, *rest)
        except NoScenario as error:
            self.tap.row(name, [error])
            return None

    def shape(self, name, tree):
        with Root(tree) as root:
            done = fault_lib.run([self.program, "fix", "--root=" + root.path])
            fixed = root.load()
        if done.status != 0:
            self.tap.row(name, [done])
            return
        fix = self.scenario(name + ": fix", tree, "fix", (tree, fixed))
        undo = self.scenario(name + ": undo", fixed, "undo", (fixed, tree))
        self.row(fix)
        self.row(undo)
        for s in filter(None, (fix, undo)):
            for call, half in halves(s):
                for word, ends in words_after(s, half):
                    self.row(self.scenario(
                        "%s: %s after %s, killed at %s #%d" % (
                            name, word, s.command, call.name, call.nth),
                        half, word, ends, True))


def main():
    options = [w for w in sys.argv[1:] if w.startswith("--")]
    program, strike, nodes = [w for w in sys.argv[1:] if not w.startswith("--")]
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
    suite = Suite(program, strike, every, only)
    start = time.monotonic()
    for name, shape in SHAPES.items():
        if not only or only.startswith(name):
            suite.shape(name, shape(nodes))
    print("# %d points tried (every %d.), %d different ends, %d s" % (
        suite.n_points, every, suite.n_lefts, time.monotonic() - start))
    return suite.tap.end()


if __name__ == "__main__":
    sys.exit(main())
