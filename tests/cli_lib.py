# SPDX-License-Identifier: Apache-2.0
"""What the tests of the built program have in common: TAP, trees, runs."""

import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile

from strict_json import parse

OWN = ("var/lib/kubelet-remedy/", "run/kubelet-remedy/")
# Ends what hangs, and nothing else: no machine is so slow.
TIMEOUT = 180
HUNG = 255
# What a test's programs see, whatever this shell has set.
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
       "TZ": "UTC"}
os.umask(0o022)


class Tap:
    """Counts, prints and sums up. A row is a name and its faults."""

    def __init__(self):
        self.number = self.failed = 0

    def row(self, name, faults, todo=None):
        """TODO: the reason why faults are known and no failure."""
        self.number += 1
        if faults and todo:
            print("not ok %d - %s # TODO %s" % (self.number, name, todo))
            return
        print("%s %d - %s" % ("not ok" if faults else "ok", self.number,
                              name))
        for fault in faults:
            for line in str(fault).splitlines() or [""]:
                print("#   " + line)
        self.failed += bool(faults)

    def skip(self, name, reason):
        self.number += 1
        print("ok %d - %s # SKIP %s" % (self.number, name, reason))

    def end(self):
        print("1..%d" % self.number)
        return 1 if self.failed else 0


# --- what hangs -----------------------------------------------------------------

def family(pid):
    """PID and the processes below it."""
    found = [pid]
    try:
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, thread),
                      encoding="ascii") as file:
                for child in file.read().split():
                    found += family(int(child))
    except OSError:
        pass  # it has ended
    return found


def doing(pid):
    """What PID is doing: its words, and where it stands, as /proc says it."""
    lines = []
    for name in ("cmdline", "stat", "wchan", "syscall", "stack"):
        try:
            with open("/proc/%d/%s" % (pid, name), "rb") as file:
                text = file.read(4096).replace(b"\0", b" ").strip()
        except OSError as error:
            text = error.strerror.encode()
        lines.append("%s: %s" % (name, text.decode("utf-8", "replace")))
    return "\n".join(lines)


def end_hung(process):
    """Kills PROCESS and all below it; what they were doing."""
    pids = family(process.pid)
    told = ["hung for %d s, killed" % TIMEOUT] + [doing(pid) for pid in pids]
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return "\n".join(told).encode()


def finish(process, data=None):
    """As process.communicate(), with the status: one that hangs is killed, its
    status is HUNG, and what it was doing stands behind what it printed."""
    try:
        out, err = process.communicate(data, timeout=TIMEOUT)
        return process.returncode, out or b"", err or b""
    except subprocess.TimeoutExpired:
        told = end_hung(process)
        out, err = process.communicate()
        return HUNG, (out or b""), (err or b"") + b"\n" + told


def run_words(words, data=None, **options):
    """Runs WORDS: a subprocess.CompletedProcess, whose status may be HUNG."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
               "stdin": subprocess.DEVNULL if data is None
               else subprocess.PIPE, **options}
    with subprocess.Popen(words, **options) as process:
        return subprocess.CompletedProcess(words, *finish(process, data))


class Run:
    """One run of the program: its status and what it printed."""

    def __init__(self, words, env=None, **options):
        done = run_words(words, env={**ENV, **(env or {})}, **options)
        self.status = done.returncode
        self.out = done.stdout.decode("utf-8", "backslashreplace")
        self.err = done.stderr.decode("utf-8", "backslashreplace")

    def json(self, schemas, name, faults):
        """The output, checked against schema NAME; {} where it is no JSON."""
        try:
            value = parse(self.out)
        except ValueError as error:
            faults.append("status %d, no JSON (%s): %s%s"
                          % (self.status, error, self.out[:300], self.err))
            return {}
        faults += schemas.faults(name, value)
        return value


class NodeCopy:
    """A node of tests/nodes that may be changed, without what is about it."""

    ABOUT = ("EXPECTED.json", "proc-cmdline")

    def __init__(self, tree):
        self.root = tempfile.mkdtemp(prefix="kr-node-")
        shutil.copytree(tree, self.root, symlinks=True, dirs_exist_ok=True)
        for name in self.ABOUT:
            path = os.path.join(self.root, name)
            if os.path.exists(path):
                os.unlink(path)
        for folder, folders, names in os.walk(self.root):
            for path in (os.path.join(folder, one) for one in folders + names):
                if not os.path.islink(path):    # whatever the checkout's umask was
                    os.chmod(path, os.stat(path).st_mode & ~0o022)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)

    def give_kubeconfig(self):
        """What --kubeconfig of most nodes names, and their trees lack."""
        folder = os.path.join(self.root, "var/lib/kubelet")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "kubeconfig"), "wb"):
            pass

    def snapshot(self):
        """Path -> kind, mode and content of all but the program's own."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            for name in folders + names:
                full = os.path.join(folder, name)
                path = os.path.relpath(full, self.root)
                if any((path + "/").startswith(own)
                       or own.startswith(path + "/") for own in OWN):
                    continue
                found[path] = describe(full)
        return found

    def read(self, path):
        """The bytes of the node's file PATH, links resolved in the node."""
        real = self.resolve(path)
        with open(real, "rb") as file:
            return file.read()

    def resolve(self, path):
        left = [p for p in path.split("/") if p]
        here = []
        for _ in range(400):
            if not left:
                return os.path.join(self.root, *here)
            part = left.pop(0)
            if part == "..":
                here = here[:-1]
                continue
            full = os.path.join(self.root, *here, part)
            if not os.path.islink(full):
                here.append(part)
                continue
            target = os.readlink(full)
            left = [p for p in target.split("/") if p not in ("", ".")] + left
            if target.startswith("/"):
                here = []
        raise OSError("too many links: " + path)


def describe(path):
    info = os.lstat(path)
    mode = stat.S_IMODE(info.st_mode)
    if stat.S_ISLNK(info.st_mode):
        return ("link", os.readlink(path))
    if stat.S_ISDIR(info.st_mode):
        return ("folder", mode)
    with open(path, "rb") as file:
        return ("file", mode, file.read())


def differences(before, after):
    return sorted(path for path in set(before) | set(after)
                  if before.get(path) != after.get(path))


# --- what --help says -----------------------------------------------------------


def shown_commands(path, words):
    """The indented block of the text PATH after the line that starts with WORDS: a
    script."""
    with open(path, encoding="utf-8") as file:
        block = re.search(r"^%s[^\n]*:\n\n((?: {4}.*\n)+)" % re.escape(words),
                          file.read(), re.M).group(1)
    return re.sub("^ {4}", "", block, flags=re.M)


def help_commands(program):
    text = Run([program, "--help"]).out.split("\noptions")[0]
    return re.findall(r"^  ([a-z]+) {2,}\S", text, re.M)


def help_options(program, command):
    """{option: argument, or ""}, letters too."""
    found = {}
    for letter, name, argument in re.findall(
            r"^  (?:-(\w),|   ) --([a-z-]+)(\[?=\w+)?",
            Run([program, command, "--help"]).out, re.M):
        found["--" + name] = argument
        if letter:
            found["-" + letter] = argument
    return found
