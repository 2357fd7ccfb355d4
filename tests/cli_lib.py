# SPDX-License-Identifier: Apache-2.0
"""What the tests of the built program have in common: TAP, trees, runs."""

import os
import shutil
import stat
import subprocess
import tempfile

from json_schema import parse

OWN = ("var/lib/kubelet-remedy/", "run/kubelet-remedy/")
TIMEOUT = 60


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


class Run:
    """One run of the program: its status and what it printed."""

    def __init__(self, words, **options):
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        env.update(options.pop("env", {}))
        done = subprocess.run(words, stdin=subprocess.DEVNULL, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False, **options)
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

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)

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
