# SPDX-License-Identifier: Apache-2.0
"""What the fault tests have in common: trees with all that a file has, the
system calls of a run, and a run in which one of them fails."""

import os
import re
import shutil
import stat
import subprocess
import tempfile

STATE = "var/lib/kubelet-remedy"
OWN = (STATE, "run/kubelet-remedy")
TEMP = re.compile(r"\.kubelet-remedy-[0-9a-f]{24}$")
TIMEOUT = 60
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
       "TZ": "UTC"}

# What each call can fail with. A call that is not named here fails by no fault
# of the node's (a wrong argument only), and is tried with SIGKILL alone.
READS = ("EIO", "EACCES", "EINTR", "ENOMEM")
WRITES = ("EIO", "ENOSPC", "EROFS", "EACCES", "EINTR", "ENOMEM")
ERRORS = {
    "brk": ("ENOMEM",), "mmap": ("ENOMEM",), "mprotect": ("ENOMEM",),
    "openat": WRITES, "openat2": READS, "read": ("EIO", "EINTR", "ENOMEM"),
    "pread64": ("EIO", "EINTR"), "newfstatat": READS, "fstat": ("EIO",),
    "statx": READS, "readlinkat": READS, "getdents64": ("EIO", "ENOMEM"),
    "lseek": ("EIO",), "fcntl": ("ENOMEM", "EINTR", "EACCES"),
    "ioctl": ("EIO", "EACCES"), "flock": ("EINTR", "EIO", "ENOMEM"),
    "close": ("EIO", "EINTR", "ENOSPC"), "signalfd4": ("ENOMEM",),
    "getrandom": ("EINTR",), "mkdirat": WRITES, "unlinkat": WRITES,
    "rename": WRITES, "renameat": WRITES, "renameat2": WRITES,
    "write": WRITES, "writev": WRITES, "fsync": WRITES, "syncfs": WRITES,
    "fchown": WRITES, "fchmod": WRITES, "ftruncate": WRITES,
    "flistxattr": READS, "fgetxattr": READS, "fsetxattr": WRITES,
    "fstatfs": ("EIO", "ENOMEM"),
}


def entry(path):
    """All of a file that must be kept, but for its times and its number."""
    info = os.lstat(path)
    kind = stat.S_IFMT(info.st_mode)
    attributes = tuple(sorted(
        (name, os.getxattr(path, name, follow_symlinks=False))
        for name in os.listxattr(path, follow_symlinks=False)))
    data = None
    if kind == stat.S_IFLNK:
        data = os.readlink(path)
    elif kind == stat.S_IFREG:
        with open(path, "rb") as file:
            data = file.read()
    return (kind, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid,
            attributes, data)


def load(root):
    """Path -> entry of all that is below ROOT."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            full = os.path.join(folder, name)
            found[os.path.relpath(full, root)] = entry(full)
    return found


def build(tree, root):
    """Makes TREE, as load() gave it, below the folder ROOT."""
    for path in sorted(tree):
        kind, mode, uid, gid, attributes, data = tree[path]
        full = os.path.join(root, path)
        if kind == stat.S_IFLNK:
            os.symlink(data, full)
            os.chown(full, uid, gid, follow_symlinks=False)
            continue
        if kind == stat.S_IFDIR:
            os.mkdir(full)
        else:
            with open(full, "wb") as file:
                file.write(data)
        os.chown(full, uid, gid)
        os.chmod(full, mode)
        for name, value in attributes:
            os.setxattr(full, name, value)


def is_own(path):
    """The program's own folders and those on the way to them."""
    return any((path + "/").startswith(own + "/")
               or (own + "/").startswith(path + "/") for own in OWN)


def node_part(tree):
    return {path: tree[path] for path in tree if not is_own(path)}


def differences(a, b):
    return sorted(path for path in set(a) | set(b) if a.get(path) != b.get(path))


def memory_folder():
    """Where trees are made: in memory, since each is made thousands of
    times."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Root:
    """A root file system of a tree, gone at the end."""

    def __init__(self, tree):
        self.path = tempfile.mkdtemp(prefix="kr-fault-", dir=memory_folder())
        os.chmod(self.path, 0o755)
        build(tree, self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def load(self):
        return load(self.path)


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode("utf-8", "backslashreplace")
        self.err = done.stderr.decode("utf-8", "backslashreplace")

    def __str__(self):
        return "status %d: %s%s" % (self.status, self.out, self.err)

    @property
    def names_a_path(self):
        return re.search(r"(^|[\s'\"])/[\w.]", self.out + self.err, re.M)


def run(words, **options):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, env=ENV,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=TIMEOUT, check=False, **options)
    return Result(done)


class Call:
    """The Nth call of NAME in a run."""

    def __init__(self, name, nth, text):
        self.name, self.nth, self.text = name, nth, text

    def __str__(self):
        return "%s #%d (%s)" % (self.name, self.nth, self.text[:100])


def calls_of(words):
    """The system calls of a run, in order, and its result."""
    with tempfile.NamedTemporaryFile("r", prefix="kr-strace-",
                                     errors="replace") as log:
        result = run(["strace", "-qq", "-s", "64", "-o", log.name] + words)
        lines = log.read().splitlines()
    counts, calls = {}, []
    for line in lines:
        match = re.match(r"(\w+)\((.*)", line)
        if not match:
            continue
        name = match.group(1)
        if name == "execve" and not calls:
            continue
        counts[name] = counts.get(name, 0) + 1
        calls.append(Call(name, counts[name], match.group(2)))
    return calls, result


def run_with_fault(call, fault, words):
    """A run in which CALL gives the errno FAULT, or is where the signal FAULT
    comes: on entry, the call is not made. (With --seccomp-bpf, which is
    faster, strace sends none.)"""
    fast = ["--seccomp-bpf", "-f"]
    if fault.startswith("SIG"):
        fast, fault = [], "signal=" + fault
    elif not "=" in fault:
        fault = "error=" + fault
    return run(["strace", "-qq", "-o", "/dev/null"] + fast + [
        "-e", "trace=" + call.name,
        "-e", "inject=%s:%s:when=%d" % (call.name, fault, call.nth)] + words)


def missing():
    """Why no call can be made to fail here; None where it can."""
    if not shutil.which("strace"):
        return "there is no strace"
    try:
        done = run(["strace", "-qq", "-o", "/dev/null", "-e",
                    "inject=getpid:error=EIO", "/bin/true"])
    except OSError as error:
        return "strace: %s" % error
    if done.status != 0:
        return "strace cannot trace here: " + done.err.strip()
    return None
