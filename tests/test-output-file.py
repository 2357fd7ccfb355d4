#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--output-file: the old file or the new one, whole, and nothing beside it.

    test-output-file.py PROGRAM NODES
"""

import functools
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

from apiserver_lib import ApiServer
from cli_lib import ENV, TIMEOUT, NodeCopy, Run, Tap

FAILS = "aks-ubuntu2204-flag-false"
OLD = b"what was there before\n"
NOBODY = 65534


def read(path):
    with open(path, "rb") as file:
        return file.read()


def timeless(text):
    """The same a second later."""
    return re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"TIME",
                  text if isinstance(text, bytes) else text.encode())


def write(path, data=OLD):
    with open(path, "wb") as file:
        file.write(data)


class Test:
    def __init__(self, program, nodes):
        self.nodes = nodes
        # the folder of the build may be closed to others
        # pylint: disable=consider-using-with
        self.opened = tempfile.TemporaryDirectory(prefix="kr-program-")
        os.chmod(self.opened.name, 0o755)
        self.program = shutil.copy(program, self.opened.name)
        self.tap = Tap()
        self.folder = self.faults = None

    def path(self, name="out"):
        return os.path.join(self.folder, name)

    def audit(self, *words, node=FAILS, file=None, **options):
        """The run, and the same without a file."""
        with NodeCopy(os.path.join(self.nodes, node)) as copy:
            words = [self.program, "audit", "--root=" + copy.root, *words]
            plain = Run(words)
            return Run([*words, "--output-file=" + (file or self.path())],
                       **options), plain

    def equal(self, got, want, what):
        if got != want:
            self.faults.append("%s: %r, wanted %r" % (what, got, want))

    def only(self, *names):
        self.equal(sorted(os.listdir(self.folder)), sorted(names),
                   "what is in the folder")

    def row(self, name, function):
        with tempfile.TemporaryDirectory(prefix="kr-out-") as self.folder:
            self.faults = []
            function()
            self.tap.row(name, self.faults)

    # --- rows

    def new(self):
        run, plain = self.audit()
        # stdout has the first line of it
        self.equal((run.status, run.out),
                   (1, plain.out.splitlines()[0] + "\n"),
                   "status and stdout")
        self.equal(timeless(read(self.path())), timeless(plain.out), "the file")
        self.equal(stat.S_IMODE(os.stat(self.path()).st_mode), 0o644, "mode")
        self.only("out")

    def relative(self):
        run, plain = self.audit(file="out", cwd=self.folder)
        self.equal(run.status, 1, "status")
        self.equal(timeless(read(self.path())), timeless(plain.out), "the file")
        self.only("out")

    def umask(self):
        self.audit(preexec_fn=functools.partial(os.umask, 0o027))
        self.equal(stat.S_IMODE(os.stat(self.path()).st_mode), 0o640, "mode")

    def kept(self):
        """Owner and mode of what was there; the inode is another one."""
        write(self.path())
        os.chmod(self.path(), 0o604)
        if os.geteuid() == 0:
            os.chown(self.path(), 12, 34)
        before = os.stat(self.path())
        _, plain = self.audit()
        after = os.stat(self.path())
        self.equal(timeless(read(self.path())), timeless(plain.out), "the file")
        self.equal((after.st_mode, after.st_uid, after.st_gid),
                   (before.st_mode, before.st_uid, before.st_gid), "whose")
        self.equal(after.st_ino == before.st_ino, False, "the same inode")
        self.only("out")

    def commands(self):
        for words in (["controls"], ["history", "--root=/"],
                      ["fix", "-n", "--root=" + self.folder]):
            plain = Run([self.program, *words])
            write(self.path())
            run = Run([self.program, *words, "--output-file=" + self.path()])
            self.equal((run.status, run.out, run.err),
                       (plain.status, "", plain.err), words[0])
            self.equal(timeless(read(self.path())),
                       timeless(plain.out) or OLD, words[0])

    def no_result(self):
        """Wrong usage, and a run without a word, leave the file as it is."""
        write(self.path())
        before = os.stat(self.path())
        for words, status in (
                (["audit", "--control=nothing"], 2),
                (["audit", "--quiet"], 2), (["recover"], 2),
                (["fleet", "--all-nodes", "--nodes=a"], 2),
                (["fleet", "--server=http://192.0.2.1", "--all-nodes"], 2)):
            run = Run([self.program, *words, "--output-file=" + self.path()])
            self.equal(run.status, status, words)
        self.equal((read(self.path()), os.stat(self.path()).st_ino),
                   (OLD, before.st_ino), "the file")
        self.only("out")

    def no_regular_file(self):
        write(self.path("target"))
        os.symlink("target", self.path("link"))
        os.symlink("nowhere", self.path("dangling"))
        os.mkdir(self.path("folder"))
        os.mkfifo(self.path("fifo"))
        names = sorted(os.listdir(self.folder))
        for name in ("link", "dangling", "folder", "fifo", "folder/", "", ".",
                     "folder/..", "no-folder/x", "target/x"):
            run, _ = self.audit(file=self.path(name))
            self.equal((run.status, run.out), (74, ""), name)
            if "--output-file: " not in run.err:
                self.faults.append("%s: %s" % (name, run.err))
        for path in ("/dev/null", "/dev/stdout", "/proc/self/x"):
            run, _ = self.audit(file=path)
            self.equal((run.status, run.out), (74, ""), path)
        self.equal(stat.S_ISCHR(os.stat("/dev/null").st_mode), True,
                   "/dev/null")
        self.equal(read(self.path("target")), OLD, "the link's target")
        self.only(*names)

    def linked_folder(self):
        """A link to the folder is the caller's own way to say where."""
        os.mkdir(self.path("folder"))
        os.symlink("folder", self.path("link"))
        run, plain = self.audit(file=self.path("link/out"))
        self.equal((run.status, timeless(read(self.path("folder/out")))),
                   (1, timeless(plain.out)), "the file")

    def full(self):
        """The result does not fit: 74, and the old file."""
        write(self.path())
        run, _ = self.audit("-o", "json", preexec_fn=functools.partial(
            resource.setrlimit, resource.RLIMIT_FSIZE, (1000, 1000)))
        self.equal((run.status, run.out), (74, ""), "status")
        if "--output-file: %s: File too large" % self.path() not in run.err:
            self.faults.append(run.err)
        self.equal(read(self.path()), OLD, "the file")
        self.only("out")

    def full_disk(self):
        script = ("mount -t tmpfs -o size=4k none %s && printf '%%s' old >%s &&"
                  " exec %s controls -o json --output-file=%s"
                  % (self.folder, self.path(), self.program, self.path()))
        run = Run(["unshare", "-m", "sh", "-c", script + "; "])
        self.equal(run.status, 74, run.err)
        if "No space left on device" not in run.err:
            self.faults.append(run.err)
        script = script.replace("exec", "") + "; cat %s; ls -A %s" % (
            self.path(), self.folder)
        self.equal(Run(["unshare", "-m", "sh", "-c", script]).out, "oldout\n",
                   "the file and its folder")

    def unwritable(self):
        """Known before the run: a fix has done nothing."""
        write(self.path())
        os.chmod(self.folder, 0o555)
        user = functools.partial(os.setresuid, *[NOBODY] * 3) \
            if os.geteuid() == 0 else None
        run = Run([self.program, "controls", "--output-file=" + self.path()],
                  preexec_fn=user)
        self.equal((run.status, run.out), (74, ""), "status")
        if "Permission denied" not in run.err:
            self.faults.append(run.err)
        self.equal(read(self.path()), OLD, "the file")
        os.chmod(self.folder, 0o755)
        with NodeCopy(os.path.join(self.nodes, FAILS)) as copy:
            before = copy.snapshot()
            run = Run([self.program, "fix", "--root=" + copy.root,
                       "--output-file=" + self.path("none/x")])
            self.equal(run.status, 74, "fix: status")
            self.equal(copy.snapshot() == before, True, "the node is as it was")

    def foreign(self):
        """Who cannot give the file its owner says so."""
        write(self.path())
        os.chown(self.path(), 0, 0)
        os.chmod(self.folder, 0o777)
        run = Run([self.program, "controls", "--output-file=" + self.path()],
                  preexec_fn=functools.partial(os.setresuid, *[NOBODY] * 3))
        self.equal((run.status, read(self.path())), (74, OLD), "the file")
        self.only("out")

    # --- meanwhile

    def slow(self, server):
        """A fleet that has written of 40 nodes, and waits for another."""
        child = subprocess.Popen(
            [self.program, "fleet", "--server=" + server.url, "--all-nodes",
             "--timeout=600", "-o", "json", "--output-file=" + self.path()],
            env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + TIMEOUT
        while len(server.stats()["counts"]) < 41 and time.monotonic() < end:
            time.sleep(0.02)
        return child

    CONFIG = {"nodes": 41, "named": {"node-00007": {"fault": "hang"}}}

    def killed(self):
        write(self.path())
        with ApiServer(self.CONFIG) as server:
            child = self.slow(server)
            self.equal(read(self.path()), OLD, "meanwhile")
            child.kill()
            child.wait(TIMEOUT)
        self.equal(read(self.path()), OLD, "the file")
        # where the file system has no O_TMPFILE, a temporary file stays
        self.only("out")

    def interrupted(self):
        """A signal ends the questions; what is known is a result."""
        write(self.path())
        with ApiServer(self.CONFIG) as server:
            child = self.slow(server)
            child.send_signal(signal.SIGTERM)
            self.equal(child.wait(TIMEOUT), 3, "status")
        self.equal(Run([self.program, "fleet", "--nodes=a", "--timeout=1",
                        "--server=http://127.0.0.1:9", "--output-file="
                        + self.path("b")]).out,
                   "UNKNOWN  no verdict on 1 of 1 nodes\n", "in one line")
        os.unlink(self.path("b"))
        text = read(self.path()).decode()
        if not text.endswith("\n") or '"complete":false' not in text:
            self.faults.append(text[-300:])
        self.only("out")

    def all_rows(self):
        for name, function in (
                ("a new file", self.new), ("a relative path", self.relative),
                ("the umask", self.umask),
                ("owner and mode are kept", self.kept),
                ("other commands", self.commands),
                ("no result", self.no_result),
                ("what is no regular file", self.no_regular_file),
                ("a folder behind a link", self.linked_folder),
                ("a limit of sizes", self.full),
                ("an unwritable folder", self.unwritable),
                ("kill -9", self.killed), ("a signal", self.interrupted)):
            self.row(name, function)
        for name, function in (("a full disk", self.full_disk),
                               ("another's file", self.foreign)):
            if os.geteuid() != 0:
                self.tap.skip(name, "root is needed")
            else:
                self.row(name, function)
        return self.tap.end()


if __name__ == "__main__":
    sys.exit(Test(*sys.argv[1:3]).all_rows())
