#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The power goes in the middle of a fix or an undo.

    test-power-cut.py PROGRAM NODES [--every=N]

On images of ext4 and xfs the program is killed before each of its calls that
change a disk, and after its end; then the file system is shut down at that
instant, mounted again and looked at. Both ways that such an end can look:

hard   nothing is on the disk but what was brought to it (a missing fsync of a
       folder shows as an old name)
soft   the file system's journal is, data is not (a missing fsync of a file
       shows as an empty one; ext4 without its own help against that)

What must hold is what test-fault.py says of a killed run; and what has ended
with status 0 is there afterwards.

--every=N tries every Nth call, --every=1 is the whole; the end is always tried.

Needs root, strace, xfs_io and loop devices. All mounts are in a mount namespace
of this process's own: nothing of them is left, however it ends.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile

import fault_lib
from cli_lib import Tap
from fault_lib import (SHAPES, NoScenario, Scenario, check_after, node_part,
                       torn)

CHANGES = ("mkdirat", "openat", "write", "fsync", "fchown", "fchmod",
           "fsetxattr", "rename", "renameat", "renameat2", "unlinkat")
KINDS = {
    "ext4": (["mkfs.ext4", "-q", "-F"], "64M", "loop,noauto_da_alloc"),
    "xfs": (["mkfs.xfs", "-q"], "320M", "loop"),
}
WAYS = {"hard": "shutdown", "soft": "shutdown -f"}
SHAPES_HERE = ("three files", "a drop-in made")
EVERY_DEFAULT = 2


def must(*words):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class Disk:
    """A file system in a file, and the node's tree in its folder NODE."""

    def __init__(self, kind, folder):
        make, size, self.options = KINDS[kind]
        self.image = os.path.join(folder, kind)
        self.at = self.image + ".d"
        self.path = os.path.join(self.at, "node")
        os.mkdir(self.at)
        must("truncate", "-s", size, self.image)
        must(*make, self.image)
        self.mount()

    def mount(self):
        must("mount", "-o", self.options, self.image, self.at)

    def fill(self, tree):
        """Makes the node anew, to the disk."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.mkdir(self.path)
        os.chmod(self.path, 0o755)
        fault_lib.build(tree, self.path)
        must("sync", "-f", self.at)

    def cut(self, way):
        must("xfs_io", "-x", "-c", WAYS[way], self.at)
        must("umount", self.at)
        self.mount()

    def load(self):
        return fault_lib.load(self.path)

    def end(self):
        must("umount", self.at)
        os.unlink(self.image)


def changes(call):
    """Whether CALL changes a disk."""
    if call.name == "openat":
        return "O_CREAT" in call.text
    return call.name in CHANGES and not call.text.startswith(("1, ", "2, "))


def try_point(s, disk, call, way):
    """CALL is None for a run that comes to its end."""
    disk.fill(s.start)
    if call:
        result = fault_lib.run_with_fault(call, fault_lib.KILL,
                                          s.words(disk, s.command))
    else:
        result = fault_lib.run(s.words(disk, s.command))
    disk.cut(way)
    tree = node_part(disk.load())
    faults = torn(s, tree, call is not None)
    if not call and tree != s.new:
        faults.append("it had ended, but not all is new: %s"
                      % fault_lib.differences(tree, s.new))
    state = s.audit(disk)[0]
    if state not in (s.disk_old, s.disk_new):
        faults.append("the audit then says " + state)
    faults += check_after(s, disk)
    if faults:
        faults.append("the run with the fault: %s" % result)
    return ["%s cut at %s: %s" % (way, call or "the end", f) for f in faults]


def row(tap, name, s, disk, every):
    points = [c for c in s.calls if changes(c)][::every] + [None]
    faults = []
    for call in points:
        for way in WAYS:
            faults += try_point(s, disk, call, way)
    tap.row("%s: %d points" % (name, len(points) * len(WAYS)), faults[:12])
    return len(points) * len(WAYS)


def run(program, nodes, folder, every):
    tap = Tap()
    n_points = 0
    for kind in KINDS:
        try:
            disk = Disk(kind, folder)
        except subprocess.CalledProcessError as error:
            # a container, or a kernel without it
            tap.skip(kind, "cannot be mounted here: %s"
                     % error.output.decode().strip().replace("\n", "; "))
            continue
        for shape in SHAPES_HERE:
            tree = SHAPES[shape](nodes)
            disk.fill(tree)
            done = fault_lib.run([program, "fix", "--root=" + disk.path])
            fixed = disk.load()
            if done.status != 0:
                tap.row("%s: %s" % (kind, shape), [done])
                continue
            for command, start, end in (("fix", tree, fixed),
                                        ("undo", fixed, tree)):
                name = "%s: %s: %s" % (kind, shape, command)
                try:
                    s = Scenario(program, name, start, command, (start, end))
                except NoScenario as error:
                    tap.row(name, [error])
                    continue
                n_points += row(tap, name, s, disk, every)
        disk.end()
    print("# %d points tried (every %d.)" % (n_points, every))
    return tap.end()


def missing():
    if os.geteuid() != 0:
        return "only root can mount"
    for tool in ("xfs_io", "mkfs.xfs", "mkfs.ext4", "unshare", "losetup"):
        if not shutil.which(tool):
            return "there is no " + tool
    done = subprocess.run(["losetup", "-f"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        return "no loop device: " + done.stderr.decode().strip()
    return fault_lib.missing()


def main():
    program, nodes = sys.argv[1:3]
    every = EVERY_DEFAULT
    for word in sys.argv[3:]:
        every = int(word.removeprefix("--every="))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="kr-power-",
                              dir=fault_lib.memory_folder())
    try:
        return run(program, nodes, folder, every)
    finally:
        for kind in KINDS:
            subprocess.run(["umount", os.path.join(folder, kind + ".d")],
                           check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(fault_lib.run_alone(main, missing))
