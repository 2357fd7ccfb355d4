# SPDX-License-Identifier: Apache-2.0
"""What the fault tests have in common: trees with all that a file has, the
system calls of a run, and a run in which one of them fails."""

import errno
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

from audit_lib import only
from cli_lib import ENV, run_words

STATE = "var/lib/kubelet-remedy"
OWN = (STATE, "run/kubelet-remedy")
TEMP = re.compile(r"\.kubelet-remedy-[0-9a-f]{24}(-taken|-copy)?$")
INSIDE = "KR_TEST_ALONE"
KILL = "SIGKILL"
FALSE_FLAG = " --make-iptables-util-chains=false"

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
    "rename": WRITES, "renameat": WRITES,
    "renameat2": WRITES + ("EINVAL", "ENOSYS", "EPERM"),
    "write": WRITES, "writev": WRITES, "fsync": WRITES, "syncfs": WRITES,
    "fchown": WRITES, "fchmod": WRITES, "ftruncate": WRITES,
    "flistxattr": READS, "fgetxattr": READS, "fsetxattr": WRITES,
    "fremovexattr": WRITES, "fstatfs": ("EIO", "ENOMEM"),
    "faccessat": READS, "faccessat2": READS,
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
    """A root file system of a tree, or one that is there; gone at the end."""

    def __init__(self, tree, path=None):
        self.path = path
        if path:
            return
        self.path = tempfile.mkdtemp(prefix="kr-fault-", dir=memory_folder())
        os.chmod(self.path, 0o755)
        build(tree, self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def load(self):
        return load(self.path)


class StrikeDied(Exception):
    """strike itself has ended: no answer comes any more."""


class NoScenario(Exception):
    """What the command does without a fault is not what it must do."""


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.out = out.decode("utf-8", "backslashreplace")
        self.err = err.decode("utf-8", "backslashreplace")

    def __str__(self):
        return "status %d: %s%s" % (self.status, self.out, self.err)

    @property
    def names_a_path(self):
        return re.search(r"(^|[\s'\"])/[\w.]", self.out + self.err, re.M)


def run(words, **options):
    done = run_words(words, env=ENV, **options)
    return Result(done.returncode, done.stdout, done.stderr)


class Call:
    """The Nth call of NAME in a run; its number here."""

    def __init__(self, name, nth, text, number):
        self.name, self.nth, self.text = name, nth, text
        self.number = number

    def __str__(self):
        return "%s #%d (%s)" % (self.name, self.nth, self.text[:100])


def parse_calls(lines):
    """The calls of a log of "strace -n", but for the execve() of the start."""
    counts, calls = {}, []
    for line in lines:
        match = re.match(r"\[ *(\d+)\] (\w+)\((.*)", line)
        if not match:
            continue
        name = match.group(2)
        if name == "execve" and not calls:
            continue
        counts[name] = counts.get(name, 0) + 1
        calls.append(Call(name, counts[name], match.group(3),
                          int(match.group(1))))
    return calls


def calls_of(words):
    """The system calls of a run, in order, and its result. Its addresses are
    no random ones: they decide how often brk(2) is called."""
    with tempfile.NamedTemporaryFile("r", prefix="kr-strace-",
                                     errors="replace") as log:
        result = run(["setarch", "-R", "strace", "-qq", "-n", "-s", "64",
                      "-o", log.name] + words)
        return parse_calls(log), result


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


class Strike:
    """Runs of a command on a tree, each with another fault (strike.c)."""

    def __init__(self, program, tree, words, *options):
        """WORDS: a function that makes the command's words of a Root; OPTIONS
        are strike's."""
        # as long a path as a Root's: it decides how much memory is asked for
        self.folder = tempfile.mkdtemp(prefix="kr-s", dir=memory_folder())
        os.chmod(self.folder, 0o755)
        template = os.path.join(self.folder, "template")
        os.mkdir(template)
        build(tree, template)
        self.process = subprocess.Popen(
            [program, *options, template, self.folder]
            + words(Root(None, os.path.join(self.folder, "root"))), env=ENV,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, points):
        """For each of a few (call, fault): the Result, whether the call came,
        the hash of the tree then, and its Root where that hash is a new one."""
        for call, fault in points:
            error = 0 if fault == KILL else getattr(errno, fault)
            self.process.stdin.write(b"%d %d %d\n" % (call.number, call.nth,
                                                      error))
        self.process.stdin.flush()
        for _ in points:
            words = self.process.stdout.readline().split()
            if len(words) != 6:
                raise StrikeDied("strike gave no answer")
            status, struck, kept = int(words[0]), words[1] == b"1", words[3]
            out, err = (self.process.stdout.read(int(n)) for n in words[4:])
            root = None if kept == b"-" else Root(None, os.path.join(
                self.folder, "kept." + kept.decode()))
            yield Result(status, out, err), struck, words[2], root


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


def run_alone(main, why_not):
    """MAIN() in a mount namespace of its own, by way of the same program once
    more; where WHY_NOT() has a reason, all is skipped."""
    if INSIDE in os.environ:
        return main()
    os.environ["PATH"] = ENV["PATH"]
    reason = why_not()
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    os.environ[INSIDE] = "1"
    return os.execvp("unshare", ["unshare", "-m", "--propagation", "private",
                                 "--", sys.executable] + sys.argv)


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
    tree = load(os.path.join(nodes, name))
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
            if result.status != 0 or node_part(root.load()) != self.new:
                raise NoScenario("%s: %s" % (
                    " ".join(self.words(root, command)), result))
            self.first = next(i for i, call in enumerate(self.calls)
                              if root.path in call.text)
        self.disk_old = self.disk(self.old)
        self.disk_new = self.disk(self.new)

    def words(self, root, command):
        return [self.program, command, "--root=" + root.path]

    def disk(self, tree):
        with Root(tree) as root:
            return self.audit(root)[0]

    def audit(self, root):
        """The disk view and the codes of the audit's messages."""
        got = run(self.words(root, "audit") + ["--output=json"])
        if got.status not in (0, 1, 3):
            return "audit: %s" % got, ()
        value = only(json.loads(got.out))
        return (value["views"]["disk"]["state"],
                [m["code"] for m in value["messages"]])

    def points(self):
        for i, call in enumerate(self.calls):
            yield i, call, KILL
            if call.text.startswith(("1, ", "2, ")):
                yield i, call, "ENOSPC"
                continue
            for error in ERRORS.get(call.name, ()):
                yield i, call, error


def torn(scenario, tree, may_lie_about):
    """Files that are neither old nor new, and what lies about."""
    faults = []
    for path in sorted(set(tree) | set(scenario.old) | set(scenario.new)):
        wanted = (scenario.old.get(path), scenario.new.get(path))
        if tree.get(path) in wanted:
            continue
        if path not in scenario.old and path not in scenario.new:
            if may_lie_about and TEMP.search(path):
                continue
            faults.append("lies about: " + path)
        else:
            faults.append("neither old nor new: %s: %r" % (path,
                                                          tree.get(path)))
    return faults


def only_lies_about(left, new):
    """All is NEW, but for what lies beside the files, and folders that hold
    nothing else."""
    differ = [path for path in differences(left, new) if not TEMP.search(path)]
    files = [path for path in left if not TEMP.search(path)
             and not stat.S_ISDIR(left[path][0])]
    return all(path not in new and stat.S_ISDIR(left[path][0]) and not any(
        one.startswith(path + "/") for one in files) for path in differ)


def unfinished(tree):
    found = []
    for path, item in tree.items():
        if path.startswith(STATE) and path.endswith("manifest.json"):
            record = json.loads(item[5])
            if record["state"] in ("prepared", "replacing", "committed"):
                found.append("%s is %s" % (path, record["state"]))
    return found


def check_after(s, root):
    """The same command again, then undo."""
    faults = []
    again = run(s.words(root, s.command))
    tree = root.load()

    if again.status != 0 and not (s.command == "undo" and again.status == 1):
        faults.append("again: %s" % again)
    if node_part(tree) != s.new:
        faults.append("again: not all is new: %s" % differences(
            node_part(tree), s.new))
    faults += ["again: " + text for text in unfinished(tree)]
    if s.command == "fix":
        undo = run(s.words(root, "undo"))
        tree = node_part(root.load())
        if undo.status != 0 or tree != s.old:
            faults.append("undo: %s%s" % (undo, differences(tree, s.old)))
    return faults
