# SPDX-License-Identifier: Apache-2.0
"""What a run costs: system calls by strace, time and memory by measure.c."""

import collections
import os
import re
import shutil
import statistics
import subprocess
import tempfile

# One line of strace -f: PID, name, arguments, result.
CALL = re.compile(r"^(\d+)\s+([a-z0-9_]+)\((.*)$")
OPENS = ("open", "openat", "openat2", "creat")
# Those that change something that outlives the process.
CHANGES = ("rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir",
           "mkdirat", "rmdir", "link", "linkat", "symlink", "symlinkat",
           "truncate", "ftruncate", "chmod", "fchmod", "fchmodat", "chown",
           "fchown", "fchownat", "lchown", "setxattr", "fsetxattr",
           "lsetxattr", "utimensat", "mknod", "mknodat", "fallocate")
STARTS = ("fork", "vfork", "clone", "clone3")

Calls = collections.namedtuple("Calls", "total execs starts opened read changes")
Run = collections.namedtuple("Run", "wall_ms cpu_ms rss_kib status")


def without_leak_check():
    """The leak checker of a sanitized build cannot run under ptrace."""
    return dict(os.environ, ASAN_OPTIONS="detect_leaks=0")


def parse_calls(lines):
    """Calls of a strace -f log. OPENED: the files and folders that were
    opened; READ: the files among them that were to be read; CHANGES: calls that
    change, or open to change, a file, or take a lease, which others meet."""
    total, execs, starts, opened, read, changes = 0, 0, 0, [], [], []
    for line in lines:
        match = CALL.match(line)
        if not match:
            continue
        total += 1
        name, rest = match.group(2), match.group(3)
        execs += name.startswith("execve")
        starts += name in STARTS
        if name in CHANGES or "F_SETLEASE" in rest:
            changes.append(line)
        if name in OPENS:
            if re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", rest) \
                    or name == "creat":
                changes.append(line)
            if re.search(r"= \d+$", rest):
                opened.append(re.search(r'"([^"]*)"', rest).group(1))
                if not re.search(r"O_PATH|O_DIRECTORY", rest):
                    read.append(opened[-1])
    # the first is that of the program itself
    return Calls(total, execs - 1, starts, opened, read, changes)


def count_calls(argv):
    """What strace sees of ARGV."""
    with tempfile.NamedTemporaryFile("r", prefix="strace-") as log:
        subprocess.run(["strace", "-f", "-o", log.name] + argv, check=False,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env=without_leak_check())
        return parse_calls(log.read().splitlines())


def parse_runs(text):
    """Runs from the output of measure."""
    runs = []
    for line in text.splitlines():
        wall, user, system, rss, _faults, status = map(int, line.split())
        runs.append(Run(wall / 1e6, (user + system) / 1e6, rss, status))
    return runs


def measure(program, argv, runs):
    """Without what meson sets for tests: malloc(3) would write to all that it
    gives, and that would be resident."""
    env = {name: value for name, value in os.environ.items()
           if name != "MALLOC_PERTURB_"}
    done = subprocess.run([program, str(runs)] + argv, check=True, env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    return parse_runs(done.stdout)


def median(runs, member):
    return statistics.median(getattr(run, member) for run in runs)


def have(tool):
    return shutil.which(tool) is not None


# --- nodes of any size

UNIT = """\
[Service]
ExecStart=/usr/bin/kubelet --kubeconfig /k --config /etc/kubernetes/kubelet.json $KUBELET_ARGS
"""
DROPIN = "[Service]\nEnvironment='KUBELET_ARGS=--node-ip=10.0.3.%d'\n"


def write(root, path, text):
    full = root + path
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as file:
        file.write(text)


def make_node(root, config_bytes=0, dropins=1, repeats=1, variables=0,
              arguments=0):
    """A node that fails by its config file, of about CONFIG_BYTES, with that
    many drop-ins, REPEATS of the key on one line, other variables, and
    arguments that an environment file brings."""
    write(root, "/etc/systemd/system/kubelet.service", UNIT)
    for i in range(dropins):
        write(root, "/etc/systemd/system/kubelet.service.d/%04d.conf" % i,
              DROPIN % (i % 250))
    # labels are what makes a real one large
    label = '    "label-%06d.example.org/name": "value-of-%06d",\n'
    labels = "".join(label % (i, i)
                     for i in range(config_bytes // len(label % (0, 0))))
    write(root, "/etc/kubernetes/kubelet.json",
          '{\n  "kind": "KubeletConfiguration",\n'
          '  "apiVersion": "kubelet.config.k8s.io/v1beta1",\n'
          '  "nodeStatusUpdateFrequency": "10s",\n'
          '  "featureGates": {},\n  "systemReserved": {\n%s    "cpu": "1"\n  },\n'
          '  %s\n}\n' % (labels, ", ".join(
              ['"makeIPTablesUtilChains": false'] * repeats)))
    if arguments:
        write(root, "/etc/systemd/system/kubelet.service.d/arguments.conf",
              "[Service]\nEnvironmentFile=/etc/arguments\n")
        write(root, "/etc/arguments",
              "KUBELET_ARGS=%s\n" % ("--v=2 " * arguments))
    if variables:
        write(root, "/etc/systemd/system/kubelet.service.d/variables.conf",
              "[Service]\n" + "".join("Environment=V%d=x\n" % i
                                      for i in range(variables)))


def make_processes(root, count):
    """The same node as a live one without a bus: a /proc with COUNT other
    processes and one kubelet."""
    proc = root + "/proc"
    os.makedirs(proc + "/1")
    os.symlink("../..", proc + "/1/root")
    write(root, "/proc/1/comm", "systemd\n")
    for pid in range(100, 100 + count):
        os.mkdir("%s/%d" % (proc, pid))
        with open("%s/%d/comm" % (proc, pid), "w", encoding="ascii") as file:
            file.write("pause\n")
