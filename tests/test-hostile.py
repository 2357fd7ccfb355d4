#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix on trees that are meant to harm, and beside others that write.

    test-hostile.py PROGRAM NODES

Each is refused with the path and the reason; nothing is opened for writing
but what is the program's own, and nothing is changed. Needs root and strace;
the mounts are in a mount namespace of this process's own.
"""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading

import fault_lib
from cli_lib import Tap, finish
from fault_lib import add_file, node_tree
from host_lib import wait_for

CONFIG = "etc/kubernetes/kubelet/kubelet-config.json"
NODE = "cis-text-config-false"
OWN_NAMES = re.compile(r'"(lock|pending|manifest\.json(\.new)?|\d+)"')
OTHERS = b'{"kind": "KubeletConfiguration", "other": 1}\n'


def look(root):
    """Path -> what can be seen without opening anything but small files."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            full = os.path.join(folder, name)
            path = os.path.relpath(full, root)
            info = os.lstat(full)
            data = None
            if stat.S_ISREG(info.st_mode) and info.st_size < 1 << 20:
                with open(full, "rb") as file:
                    data = file.read()
            if not fault_lib.is_own(path):
                found[path] = (info.st_mode, info.st_uid, info.st_ino,
                               info.st_nlink, info.st_size, data)
    return found


# Of a stopped process the kernel tells the number of its call only.
NUMBERS = {
    "x86_64": {"mkdirat": 258, "fchown": 93, "fchmod": 91, "renameat2": 316},
    "aarch64": {"mkdirat": 34, "fchown": 55, "fchmod": 52, "renameat2": 276},
}


def current_call(pid):
    try:
        with open("/proc/%d/syscall" % pid, encoding="ascii") as file:
            word = file.read().split()[0]
    except OSError:
        return None
    return int(word) if word.isdigit() else None


def end_of(fix):
    """strace lets it go; what it says, to its end."""
    with open("/proc/%d/status" % fix.pid, encoding="ascii") as file:
        tracer = int(re.search(r"^TracerPid:\s*(\d+)", file.read(),
                               re.M).group(1))
    if tracer:
        os.kill(tracer, signal.SIGKILL)
    _, out, err = finish(fix)
    return (out + err).decode()


class Case:
    """One tree below a folder of its own; OUTSIDE lies beside it."""

    def __init__(self, program, tree):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="kr-hostile-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.path = os.path.join(self.folder, "root")
        self.outside = os.path.join(self.folder, "outside.json")
        self.mounts, self.ends = [], []
        os.mkdir(self.path)
        fault_lib.build(tree, self.path)
        shutil.copyfile(self.at(CONFIG), self.outside)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in self.ends:
            end()
        for at in reversed(self.mounts):
            subprocess.run(["umount", at], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def at(self, path):
        return os.path.join(self.path, path)

    def mount(self, *words):
        subprocess.run(["mount", *words], check=True)
        self.mounts.append(words[-1])

    def words(self, command="fix"):
        return [self.program, command, "--root=" + self.path]

    def config(self):
        with open(self.at(CONFIG), "rb") as file:
            return file.read()

    def stand_at(self, name):
        """A fix in the background that stands before its first call NAME, as
        long as strace does not let it go. The process is that of the fix."""
        fix = subprocess.Popen(
            ["strace", "-D", "-qq", "-o", "/dev/null", "-e", "trace=" + name,
             "-e", "inject=%s:delay_enter=100000000:when=1" % name]
            + self.words(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=fault_lib.ENV)
        wait_for(lambda: fix.poll() is not None
                 or current_call(fix.pid) == NUMBERS[os.uname().machine][name])
        return fix


# --- trees -----------------------------------------------------------------------

def instead(make):
    def change(case):
        os.unlink(case.at(CONFIG))
        make(case, case.at(CONFIG))
    return change


def fill(folder):
    """Until nothing goes in any more."""
    try:
        with open(os.path.join(folder, "filler"), "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
    except OSError:
        pass


def fill_up(case, path, size, inodes=False):
    """A file system of SIZE over PATH, with what was there, and full (of files
    with INODES)."""
    full = case.at(path)
    saved = os.path.join(case.folder, "saved")
    os.makedirs(full, exist_ok=True)
    shutil.copytree(full, saved, symlinks=True)
    case.mount("-t", "tmpfs", "-o", "size=" + size, "tmpfs", full)
    shutil.copytree(saved, full, symlinks=True, dirs_exist_ok=True)
    try:
        for i in range(16 if inodes else 0):
            with open(os.path.join(full, "file%d" % i), "wb"):
                pass
    except OSError:
        pass
    if not inodes:
        fill(full)


def immutable(case):
    path = case.at(CONFIG)
    subprocess.run(["chattr", "+i", path], check=True)
    case.ends.append(lambda: subprocess.run(["chattr", "-i", path],
                                            check=False))


def read_only(case):
    case.mount("--bind", case.at("etc"), case.at("etc"))
    subprocess.run(["mount", "-o", "remount,bind,ro", case.at("etc")],
                   check=True)


def mount_point(case):
    other = os.path.join(case.folder, "other")
    shutil.copyfile(case.at(CONFIG), other)
    case.mount("--bind", other, case.at(CONFIG))


def writer(case):
    file = open(case.at(CONFIG), "r+b") # pylint: disable=consider-using-with
    case.ends.append(file.close)


def state_link(case):
    os.makedirs(case.at("var/lib"), exist_ok=True)
    os.symlink(case.folder + "/state", case.at("var/lib/kubelet-remedy"))


def sparse(_case, path):
    with open(path, "wb") as file:
        file.truncate(1 << 30)


def large(_case, path):
    with open(path, "wb") as file:
        file.write(b"{}" + b" " * (16 << 20))


# name, what is done to the tree, what is said beside the path
REFUSED = (
    ("a FIFO", instead(lambda c, p: os.mkfifo(p)), "Invalid argument|regular"),
    ("a device", instead(lambda c, p: os.mknod(
        p, stat.S_IFCHR | 0o644, os.makedev(1, 3))), "Invalid|regular"),
    ("a socket", instead(lambda c, p: os.mknod(p, stat.S_IFSOCK | 0o644)),
     "Invalid|regular"),
    ("a folder", instead(lambda c, p: os.mkdir(p)), "directory"),
    ("a link out, absolute", instead(lambda c, p: os.symlink(c.outside, p)),
     "No such file|not there"),
    ("a link out, relative", instead(lambda c, p: os.symlink(
        "../" * 20 + c.outside[1:], p)), "No such file|not there"),
    ("a link to itself", instead(lambda c, p: os.symlink(
        "kubelet-config.json", p)), "symbolic link"),
    ("1 GB of nothing", instead(sparse), "large"),
    ("more than 16 MiB", instead(large), "large"),
    ("a hard link", lambda c: os.link(c.at(CONFIG), c.at("etc/also.json")),
     "hard link"),
    ("immutable", immutable, "immutable"),
    ("a read-only mount", read_only, "[Rr]ead-only"),
    ("a mount point", mount_point, "busy|mount"),
    ("no room beside it", lambda c: fill_up(c, "etc/kubernetes", "64k"),
     "no room.*No space"),
    ("no room for the copies", lambda c: fill_up(c, "var/lib", "64k"),
     "no room.*No space"),
    ("no more files beside it", lambda c: fill_up(
        c, "etc/kubernetes", "1m,nr_inodes=8", True), "no room.*No space"),
    ("open for writing", writer, "open for writing"),
    ("the state folder leads out", state_link, "No such file|not there"),
)
# by what is said: the step that makes a way
STEPS = {"hard link": "find -samefile", "immutable": "chattr -i",
         "[Rr]ead-only": "remount", "no room.*No space": "free space there",
         "open for writing": "has closed it"}


def check_refused(program, tree, row):
    name, change, said = row
    faults = []
    with Case(program, tree) as case:
        change(case)
        before = look(case.path), sorted(os.listdir(case.folder))
        calls, result = fault_lib.calls_of(case.words())
        text = result.out + result.err
        if result.status not in (3, 4):
            faults.append("status %d" % result.status)
        if not re.search(said, text):
            faults.append("the reason is not named")
        # of a file that is as it should be, or is not there
        if said in STEPS and (STEPS[said] not in text or
                              "next: correct" in text):
            faults.append("the step is not named")
        if CONFIG not in text and "var/lib" not in text:
            faults.append("no path is named")
        if (look(case.path), sorted(os.listdir(case.folder))) != before:
            faults.append("something was changed")
        for call in calls:
            if re.search("O_WRONLY|O_RDWR|O_CREAT", call.text) and (
                    not OWN_NAMES.search(call.text)):
                faults.append("opened for writing: %s" % call)
    return faults and faults + [text]


def check_unreadable(program, tree):
    """As somebody who may not read it."""
    with Case(program, tree) as case:
        os.chmod(case.at(CONFIG), 0o600)
        before = look(case.path)
        done = subprocess.run(case.words(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, env=fault_lib.ENV,
                              stderr=subprocess.STDOUT, user=65534,
                              group=65534, extra_groups=[], check=False)
        text = done.stdout.decode()
        if (done.returncode not in (3, 4) or CONFIG not in text
                or "denied" not in text or look(case.path) != before):
            return ["status %d: %s" % (done.returncode, text)]
    return []


# --- others who write meanwhile ---------------------------------------------------

def rewrite(case, how):
    path = case.at(CONFIG)
    if how == "in place":
        with open(path, "wb") as file:
            file.write(OTHERS)
    else:
        with open(path + ".tmp", "wb") as file:
            file.write(OTHERS)
        os.rename(path + ".tmp", path)


def check_changed(program, tree, how, call):
    """Somebody writes while the program stands at CALL."""
    with Case(program, tree) as case:
        fix = case.stand_at(call)
        rewrite(case, how)
        text = end_of(fix)
        left = [p for p in os.listdir(os.path.dirname(case.at(CONFIG)))
                if fault_lib.TEMP.search(p)]
        if (fix.returncode != 4 or "changed" not in text or left
                or case.config() != OTHERS):
            return ["status %d: %s%r%s" % (fix.returncode, text,
                                           case.config(), left)]
    return []


# --- file systems that cannot do all ------------------------------------------------

def left_in(folder):
    return [p for p in os.listdir(folder) if fault_lib.TEMP.search(p)]


def is_true(case):
    return json.loads(case.config()).get("makeIPTablesUtilChains") is True


def check_no_exchange(program, tree, error):
    """renameat2(2) gives ERROR each time: another way is found."""
    faults = []
    with Case(program, tree) as case:
        old = case.config()
        for command in ("fix", "undo"):
            run = fault_lib.run(["strace", "-qq", "-o", "/dev/null", "-e",
                                 "trace=renameat2", "-e", "inject=renameat2:"
                                 "error=" + error] + case.words(command))
            left = left_in(os.path.dirname(case.at(CONFIG)))
            if run.status != 0 or left or is_true(case) != (command == "fix"):
                faults.append("%s%s" % (run, left))
        if case.config() != old:
            faults.append("undo: %r" % case.config())
    return faults


def overlay(case):
    """An overlayfs over the tree, whose changes go to another file system, so
    that the first one gives a file another device and number."""
    upper = os.path.join(case.folder, "upper")
    os.mkdir(upper)
    case.mount("-t", "tmpfs", "tmpfs", upper)
    for name in ("changes", "work"):
        os.mkdir(os.path.join(upper, name))
    case.mount("-t", "overlay", "-o", "lowerdir=%s,upperdir=%s/changes,"
               "workdir=%s/work" % (case.path, upper, upper), "overlay",
               case.path)


def check_overlay(program, tree):
    faults = []
    with Case(program, tree) as case:
        overlay(case)
        old = case.config()
        fix = fault_lib.run(case.words())
        if fix.status != 0 or not is_true(case):
            faults.append(str(fix))
        undo = fault_lib.run(case.words("undo"))
        if undo.status != 0 or case.config() != old:
            faults.append(str(undo))
        faults += left_in(os.path.dirname(case.at(CONFIG)))
    return faults


def check_full_way_back(program, tree):
    """All disks are full before the way back: it needs no room."""
    with Case(program, tree) as case:
        for path in ("etc/kubernetes", "var/lib"):
            copy = os.path.join(case.folder, "saved")
            os.makedirs(case.at(path), exist_ok=True)
            shutil.copytree(case.at(path), copy, symlinks=True)
            case.mount("-t", "tmpfs", "-o", "size=128k", "tmpfs",
                       case.at(path))
            shutil.copytree(copy, case.at(path), symlinks=True,
                            dirs_exist_ok=True)
            shutil.rmtree(copy)
        before = look(case.path)
        fix = case.stand_at("renameat2")
        fill(case.at("etc/kubernetes"))
        fill(case.at("var/lib"))
        text = end_of(fix)
        for path in ("etc/kubernetes", "var/lib"):
            os.unlink(os.path.join(case.at(path), "filler"))
        if fix.returncode != 4 or "No space" not in text:
            return ["status %d: %s" % (fix.returncode, text)]
        if look(case.path) != before:
            return ["not all is as before: %s" % text]
    return []


def limited(program, tree, limit, faults):
    """Whether a fix under a limit of file sizes is well; else all is as
    before, with the words of a full disk."""
    with Case(program, tree) as case:
        before = look(case.path)
        run = fault_lib.run(["prlimit", "--fsize=%d" % limit] + case.words())
        if run.status == 0 and is_true(case):
            return True
        if (run.status != 4 or "No space left" not in run.out + run.err
                or not run.names_a_path or look(case.path) != before
                or os.path.exists(case.at(fault_lib.STATE + "/pending"))):
            faults.append("%d bytes: %s" % (limit, run))
    return False


def check_limits(program, tree):
    """Whichever write the limit meets. The records of a run differ by some
    bytes, so byte by byte where only some of them can be written."""
    faults, enough = [], 0
    while enough < 4096 and not limited(program, tree, enough, faults):
        enough += 16
    for limit in range(enough - 48, enough):
        limited(program, tree, limit, faults)
    if not 400 < enough < 4096:
        faults.append("all went well with %d bytes" % enough)
    return faults[:5]


# --- who else can write --------------------------------------------------------------

def chown_config(case):
    os.chown(case.at(CONFIG), 7, 0)


def group_config(case):
    os.chown(case.at(CONFIG), 0, 9)
    os.chmod(case.at(CONFIG), 0o664)


def acl_config(case):
    os.setxattr(case.at(CONFIG), "system.posix_acl_access", fault_lib.acl(42))


def folder_mode(mode, uid=0, gid=0):
    def change(case):
        os.chown(case.at("etc/kubernetes"), uid, gid)
        os.chmod(case.at("etc/kubernetes"), mode)
    return change


def sticky_of_others(case):
    folder_mode(0o1777)(case)
    os.chown(case.at("etc/kubernetes/kubelet"), 7, 0)


def behind_links(mode, uid=0):
    """The config's name is a link to a link in /srv, which is of MODE."""
    def change(case):
        for folder in ("srv", "opt"):
            os.mkdir(case.at(folder))
        os.chmod(case.at("srv"), mode)
        os.rename(case.at(CONFIG), case.at("opt/real.json"))
        os.symlink("../opt/real.json", case.at("srv/link.json"))
        os.chown(case.at("srv/link.json"), uid, uid, follow_symlinks=False)
        os.symlink("/srv/link.json", case.at(CONFIG))
    return change


def all_of_one(case):
    for folder, folders, names in os.walk(case.path):
        for name in folders + names:
            os.chown(os.path.join(folder, name), 1000, 1000)
    os.chown(case.path, 1000, 1000)


# name, what is done to the tree, the file or folder that is named, who
FOLDER = "etc/kubernetes"
OTHERS_WRITE = (
    ("nobody else", lambda c: None, ()),
    ("another owner", chown_config, ((CONFIG, "user 7, who owns it"),)),
    ("a group", group_config, ((CONFIG, "group 9"),)),
    ("root's group", lambda c: os.chmod(c.at(CONFIG), 0o664), ()),
    ("everybody", lambda c: os.chmod(c.at(CONFIG), 0o646),
     ((CONFIG, "everybody"),)),
    ("an ACL", acl_config, ((CONFIG, "user 42, whom its ACL names"),)),
    ("a folder's owner", folder_mode(0o755, 7), ((FOLDER, "user 7"),)),
    ("a folder's group", folder_mode(0o775, 0, 9), ((FOLDER, "group 9"),)),
    ("a folder's root group", folder_mode(0o775), ()),
    ("a folder of everybody's", folder_mode(0o777), ((FOLDER, "everybody"),)),
    ("a sticky folder", folder_mode(0o1777), ()),
    ("a sticky folder of another's", folder_mode(0o1777, 7),
     ((FOLDER, "user 7"),)),
    ("a sticky folder, its entry another's", sticky_of_others,
     ((FOLDER + "/kubelet", "user 7"), (FOLDER, "everybody"))),
    ("links in nobody else's folder", behind_links(0o755), ()),
    ("a link in everybody's folder", behind_links(0o777),
     (("srv", "everybody"),)),
    ("a link in a sticky folder", behind_links(0o1777), ()),
    ("another's link in a sticky folder", behind_links(0o1777, 7),
     (("srv/link.json", "user 7, who owns it"), ("srv", "everybody"))),
    ("an image of another user's", all_of_one, ()),
)


def warnings_of(run):
    value = json.loads(run.out)
    return [(m["file"], m["text"]) for m in value["messages"]
            if m["code"] == "others-may-write"]


def check_others(program, tree, row):
    """It is said, in a preview and in a fix, and is no reason to refuse."""
    _, change, wanted = row
    faults = []
    with Case(program, tree) as case:
        change(case)
        for more, status in ((["-n"], 1), ([], 0)):
            run = fault_lib.run(case.words() + more + ["--output=json"])
            found = warnings_of(run)
            if run.status != status or len(found) != len(wanted) or any(
                    file != "/" + path or "written by " + who not in text
                    for (file, text), (path, who) in zip(found, wanted)):
                faults.append("%s: %s" % (found, run))
        again = fault_lib.run(case.words() + ["--output=json"])
        if again.status != 0 or warnings_of(again):
            faults.append("compliant: %s" % again)
    return faults


def way(path, mode, uid=0, gid=0):
    """A folder on the way of the state folder."""
    def change(case):
        os.makedirs(case.at(path), exist_ok=True)
        os.chown(case.at(path), uid, gid)
        os.chmod(case.at(path), mode)
    return change


def way_by_links(mode, uid=0):
    """/var/lib is a link to a link in /srv, which is of MODE."""
    def change(case):
        for folder in ("srv", "var", "data"):
            os.makedirs(case.at(folder), exist_ok=True)
        if os.path.exists(case.at("var/lib")):
            os.rename(case.at("var/lib"), case.at("data/lib"))
        os.makedirs(case.at("data/lib"), exist_ok=True)
        os.chmod(case.at("srv"), mode)
        os.symlink("../data/lib", case.at("srv/lib"))
        os.chown(case.at("srv/lib"), uid, uid, follow_symlinks=False)
        os.symlink("/srv/lib", case.at("var/lib"))
    return change


def way_acl(case):
    way("var/lib", 0o755)(case)
    os.setxattr(case.at("var/lib"), "system.posix_acl_access",
                fault_lib.acl(42))


def way_of_one(case):
    """The records are root's, the image is its builder's."""
    all_of_one(case)
    if os.path.exists(case.at(fault_lib.STATE)):
        os.chown(case.at(fault_lib.STATE), 0, 0)


# name, what is done to the way, the folder or link that is named, who
STATE_WAY = (
    ("nobody else", way("var/lib", 0o755), None, ""),
    ("another owner", way("var/lib", 0o755, 7), "var/lib", "user 7"),
    ("far above", way("var", 0o755, 7), "var", "user 7"),
    ("the root folder", way(".", 0o777), "", "everybody"),
    ("a group", way("var/lib", 0o775, 0, 9), "var/lib", "group 9"),
    ("root's group", way("var/lib", 0o775), None, ""),
    ("everybody", way("var", 0o777), "var", "everybody"),
    ("an ACL", way_acl, "var/lib", "user 42"),
    ("a sticky folder", way("var/lib", 0o1777), None, ""),
    ("links in nobody else's folder", way_by_links(0o755), None, ""),
    ("a link in everybody's folder", way_by_links(0o777), "srv",
     "everybody"),
    ("another's link in a sticky folder", way_by_links(0o1777, 7),
     "srv/lib", "user 7"),
    ("an image of another user's", way_of_one, None, ""),
)


def check_way(program, tree, row, made):
    """MADE: the way is changed when there is a record already."""
    _, change, path, who = row
    faults = []
    with Case(program, tree) as case:
        if made:
            fault_lib.run(case.words())
        change(case)
        before = look(case.path)
        for command in ("undo", "recover") if made else ("fix",):
            run = fault_lib.run(case.words(command))
            if path is None and run.status != 0:
                faults.append("refused: %s" % run)
            elif path is not None and (
                    run.status != 4
                    or "/%s: can be written by %s" % (path, who) not in
                    run.out + run.err
                    or look(case.path) != before):
                faults.append("%s" % run)
        if not made and path is not None and os.path.exists(
                case.at(fault_lib.STATE)):
            faults.append("a state folder was made")
    return faults


def check_two(program, tree):
    """Two fixes at once: both end well, and one has changed something."""
    with Case(program, tree) as case:
        runs = [subprocess.Popen(case.words(), stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, env=fault_lib.ENV)
                for _ in range(4)]
        texts = [b"".join(finish(r)[1:]).decode() for r in runs]
        records = [p for p in os.listdir(case.at(fault_lib.STATE))
                   if os.path.isdir(os.path.join(case.at(fault_lib.STATE), p))]
        allowed = (0, 4) # 4: changed by the other one between two looks
        if (any(r.returncode not in allowed for r in runs) or len(records) != 1
                or not any(r.returncode == 0 for r in runs)
                or json.loads(case.config())["makeIPTablesUtilChains"]
                is not True):
            return ["%s" % [(r.returncode, t) for r, t in zip(runs, texts)],
                    "%s" % records]
    return []


def check_boot_tool(program, tree, n_runs=40):
    """A tool writes the file again and again; nothing of it is ever lost."""
    faults = []
    with Case(program, tree) as case:
        path = case.at(CONFIG)
        old = case.config()
        stop = threading.Event()

        def write():
            while not stop.wait(0.004):
                with open(path + ".tmp", "wb") as file:
                    file.write(old)
                os.rename(path + ".tmp", path)

        tool = threading.Thread(target=write)
        tool.start()
        for _ in range(n_runs):
            run = fault_lib.run(case.words())
            # 6: the tool wrote after the rename, which is noticed
            if run.status not in (0, 4) and not (
                    run.status == 6 and "does not find it" in run.out):
                faults.append(str(run))
        stop.set()
        tool.join()
        after = fault_lib.run(case.words())
        left = [p for p in os.listdir(os.path.dirname(path))
                if p != os.path.basename(path)]
        if (after.status != 0 or left or json.loads(case.config())[
                "makeIPTablesUtilChains"] is not True):
            faults.append("%s%s" % (after, left))
    return faults


def run(program, nodes):
    tap = Tap()
    tree = node_tree(nodes, NODE)
    add_file(tree, "etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    for row in REFUSED:
        tap.row(row[0], check_refused(program, tree, row))
    tap.row("unreadable", check_unreadable(program, tree))
    for how in ("in place", "renamed over"):
        for call in ("mkdirat", "fchown", "fchmod", "renameat2"):
            tap.row("changed, %s, before %s" % (how, call),
                    check_changed(program, tree, how, call))
    for error in ("EINVAL", "ENOSYS", "EPERM"):
        tap.row("no exchange: " + error,
                check_no_exchange(program, tree, error))
    tap.row("an overlay of two file systems", check_overlay(program, tree))
    tap.row("a way back on full disks", check_full_way_back(program, tree))
    tap.row("a limit of file sizes", check_limits(program, tree))
    for row in OTHERS_WRITE:
        tap.row("others may write: " + row[0],
                check_others(program, tree, row))
    for row in STATE_WAY:
        for made in (False, True):
            tap.row("the way of the %s: %s" % (
                "records" if made else "first record", row[0]),
                    check_way(program, tree, row, made))
    tap.row("several fixes at once", check_two(program, tree))
    tap.row("a boot tool writes meanwhile", check_boot_tool(program, tree))
    print("# %d trees and races tried" % tap.number)
    return tap.end()


def main():
    program, nodes = sys.argv[1:]
    return run(program, nodes)


def missing():
    if os.geteuid() != 0:
        return "only root can make such trees"
    return fault_lib.missing()


if __name__ == "__main__":
    sys.exit(fault_lib.run_alone(main, missing))
