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
import json
import os
import stat
import sys

import fault_lib
from cli_lib import Tap
from fault_lib import Root, calls_of, differences, node_part

EVERY_DEFAULT = 41
FAULTS_MAX = 12
KILL = "SIGKILL"
FALSE_FLAG = " --make-iptables-util-chains=false"


# --- the shapes ----------------------------------------------------------------

def file_entry(data, mode=0o644):
    return (stat.S_IFREG, mode, 0, 0, (), data.encode())


def folder_entry(mode=0o755):
    return (stat.S_IFDIR, mode, 0, 0, (), None)


def add_file(tree, path, data, mode=0o644):
    parts = path.split("/")
    for i in range(1, len(parts)):
        tree.setdefault("/".join(parts[:i]), folder_entry())
    tree[path] = file_entry(data, mode)


def node_tree(nodes, name):
    tree = fault_lib.load(os.path.join(nodes, name))
    for path in ("EXPECTED.json", "proc-cmdline"):
        tree.pop(path, None)
    return {path: (kind, mode | 0o600, 0, 0, attributes, data)
            for path, (kind, mode, _, _, attributes, data) in tree.items()}


def two_files(nodes):
    return node_tree(nodes, "eks-al2023-cis-literal-no-effect")


def three_files(nodes):
    """An environment file, a drop-in and a config, all false."""
    tree = two_files(nodes)
    add_file(tree, "etc/systemd/system/kubelet.service.d/20-more.conf",
             "[Service]\nEnvironment=\"MORE=--v=2%s\"\nExecStart=\n"
             "ExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS $MORE\n"
             % FALSE_FLAG)
    path = "etc/kubernetes/kubelet/config.json"
    tree[path] = file_entry(tree[path][5].decode().replace(
        '"maxPods"', '"makeIPTablesUtilChains": false,\n    "maxPods"'))
    return tree


def vendor(_nodes):
    """The flag stands in a vendor's unit: a drop-in and its folder are made."""
    tree = {}
    add_file(tree, "usr/lib/systemd/system/kubelet.service",
             "[Service]\nExecStart=/usr/bin/kubelet --v=2%s\nRestart=always\n"
             % FALSE_FLAG)
    tree["etc/systemd"] = tree["etc"] = folder_entry()
    tree["etc/systemd/system"] = folder_entry()
    return tree


def linked(nodes):
    """The config is a link to a file elsewhere."""
    tree = node_tree(nodes, "cis-text-config-false")
    path = "etc/kubernetes/kubelet/kubelet-config.json"
    add_file(tree, "etc/kubernetes/real/config.json", tree[path][5].decode())
    tree[path] = (stat.S_IFLNK, 0o777, 0, 0, (), "../real/config.json")
    return tree


def acl(user):
    """An ACL as the kernel keeps it: version 2; rw for the owner and USER."""
    rows = [(0x01, 6, 0xffffffff), (0x02, 6, user), (0x04, 4, 0xffffffff),
            (0x10, 6, 0xffffffff), (0x20, 0, 0xffffffff)]
    return b"\x02\0\0\0" + b"".join(
        tag.to_bytes(2, "little") + mode.to_bytes(2, "little")
        + who.to_bytes(4, "little") for tag, mode, who in rows)


def marked(nodes):
    """Files with owners, modes, an ACL and xattrs of their own."""
    tree = two_files(nodes)
    path = "etc/kubernetes/kubelet/config.json"
    tree[path] = (stat.S_IFREG, 0o660, 7, 9, (
        ("security.selinux", b"system_u:object_r:kubernetes_file_t:s0\0"),
        ("system.posix_acl_access", acl(42)),
        ("trusted.overlay.note", b"x\0y"), ("user.note", b"kept")),
        tree[path][5])
    path = "etc/eks/kubelet/environment"
    tree[path] = (stat.S_IFREG, 0o600, 3, 4, (("user.empty", b""),),
                  tree[path][5])
    return tree


SHAPES = {"two files": two_files, "three files": three_files,
          "a drop-in made": vendor, "a linked config": linked,
          "owners and attributes": marked}


# --- one command on one tree ----------------------------------------------------

class Scenario:
    """COMMAND on the tree START: all is OLD or NEW afterwards."""

    def __init__(self, program, name, start, command, ends, recovers=False):
        self.program, self.name, self.start = program, name, start
        self.command = command
        self.old, self.new = (node_part(tree) for tree in ends)
        # START is what an interrupted run left: some files may be new already
        self.recovers = recovers
        self.n_files = len(differences(self.old, self.new))
        with Root(start) as root:
            self.calls, result = calls_of(self.words(root, command))
            self.reference = node_part(root.load())
            text = [c for c in self.calls if root.path in c.text]
            self.first = self.calls.index(text[0])
        if result.status != 0 or self.reference != self.new:
            raise AssertionError("%s: %s" % (name, result))
        self.disk_old = self.disk(self.old)
        self.disk_new = self.disk(self.new)

    def words(self, root, command):
        return [self.program, command, "--root=" + root.path]

    def disk(self, tree):
        with Root(tree) as root:
            return self.audit(root)[0]

    def audit(self, root):
        """The disk view and the codes of the audit's messages."""
        got = fault_lib.run(self.words(root, "audit") + ["--output=json"])
        if got.status not in (0, 1, 3):
            return "audit: %s" % got, ()
        value = json.loads(got.out)
        return (value["views"]["disk"]["state"],
                [m["code"] for m in value["messages"]])

    def points(self):
        for i, call in enumerate(self.calls):
            yield i, call, KILL
            if call.text.startswith(("1, ", "2, ")):
                yield i, call, "ENOSPC"
                continue
            for error in fault_lib.ERRORS.get(call.name, ()):
                yield i, call, error


def torn(scenario, tree, may_lie_about):
    """Files that are neither old nor new, and what lies about."""
    faults = []
    for path in sorted(set(tree) | set(scenario.old) | set(scenario.new)):
        wanted = (scenario.old.get(path), scenario.new.get(path))
        if tree.get(path) in wanted:
            continue
        if path not in scenario.old and path not in scenario.new:
            if may_lie_about and fault_lib.TEMP.search(path):
                continue
            faults.append("lies about: " + path)
        else:
            faults.append("neither old nor new: %s: %r" % (path,
                                                          tree.get(path)))
    return faults


def unfinished(tree):
    found = []
    for path, item in tree.items():
        if path.startswith(fault_lib.STATE) and path.endswith("manifest.json"):
            record = json.loads(item[5])
            if record["state"] in ("prepared", "committed"):
                found.append("%s is %s" % (path, record["state"]))
    return found


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
    whole = tree == s.old or (s.recovers and not torn(s, tree, True)) or (
        error == "ENOMEM" and result.status == 71 and tree == s.new
        and not unfinished(root.load()))

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
        if call.name in ("brk", "mmap"): # libbsd's, for random numbers
            allowed.append(1)
    faults = []
    if result.status not in allowed:
        faults.append("a wrong status")
    if not whole:
        faults.append("not all is old: %s" % differences(tree, s.old))
        faults += torn(s, tree, False)
    if result.status in (4, 6) and not early and not result.names_a_path:
        faults.append("no path is named")
    return faults


def check_after(s, root, result):
    """The same command again, then undo."""
    faults = []
    again = fault_lib.run(s.words(root, s.command))
    tree = root.load()

    if again.status != 0 and not (s.command == "undo" and again.status == 1):
        faults.append("again: %s" % again)
    if node_part(tree) != s.new:
        faults.append("again: not all is new: %s" % differences(
            node_part(tree), s.new))
    faults += ["again: " + text for text in unfinished(tree)]
    if s.command == "fix":
        undo = fault_lib.run(s.words(root, "undo"))
        tree = node_part(root.load())
        if undo.status != 0 or tree != s.old:
            faults.append("undo: %s%s" % (undo, differences(tree, s.old)))
    if faults:
        faults.append("the run with the fault: %s" % result)
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
