#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The DaemonSet's pod on a node, with no more than its manifest gives it.

    test-e2e-pod.py PROGRAM NODE_POD STANDIN SOURCE_ROOT [TEST...]

The container's root is what contrib/container/make-root makes for the image. A
service of the test host's systemd stands for the container runtime: that root
read-only, the host at /host, the state folder of the pod, the capabilities of
contrib/kubernetes (read from the files there) and no way to more, a system call
filter, a PID namespace of its own, SIGTERM to node-pod alone. Not shown here:
AppArmor, SELinux, Kubernetes itself. Needs root; without it the whole is skipped.
"""

import os
import re
import subprocess
import sys

from e2e_lib import DIES, FALSE_FLAG, KEY_FALSE
from host_lib import CONFIG, CONTROL, Host, Skip, need_host, run_tests, wait_for

IMAGE = "/srv/image"
STATE_DIR = "/var/lib/kubelet-remedy"
# the timer's time is made of these, --wait and 30 s
SHORT = "TimeoutStartSec=1\nTimeoutStopSec=1"
OPTIONS = ("--wait=3",)

# What the pod's processes call. All of it is in containerd's default profile, but
# for rseq, which libc does without (old ones lack it), and what the test itself
# needs for the namespace. bind: libsystemd since 254 names its end of the bus.
CALLS = """
access arch_prctl bind brk chdir clone close connect dup dup2 execve exit_group
faccessat faccessat2 fchmod fchmodat fchown fcntl fgetxattr flistxattr flock fork
fsetxattr fstat fstatfs fsync futex getcwd getdents64 getegid geteuid getgid
getpeername getpid getppid getrandom getrlimit getsockname getsockopt getuid ioctl
kill lseek mkdirat mmap mprotect munmap newfstatat openat openat2 pause pipe2 poll
ppoll prctl pread64 prlimit64 read readlink readlinkat recvfrom recvmsg renameat
renameat2 restart_syscall rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait
sendmsg sendto set_robust_list set_tid_address setsockopt signalfd4 socket statx
statfs sysinfo uname unlinkat vfork wait4 write writev clock_nanosleep nanosleep
""".split()
NAMESPACE_CALLS = ["unshare", "mount", "capset", "capget", "setpriority", "waitid",
                   "getresuid", "getresgid", "rseq", "setgroups", "getgroups"]


# --- the manifest

def manifest(name):
    import yaml  # pylint: disable=import-outside-toplevel
    path = os.path.join(SOURCE, "contrib", "kubernetes", name, "daemonset.yaml")
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)["spec"]["template"]["spec"]


def capabilities(mode):
    pod = manifest("base" if mode == "audit" else "fix")
    return pod["containers"][0]["securityContext"]["capabilities"]["add"]


# --- the pod

class Pod:
    """One pod: what is noted outlives its containers. Use it in a with."""

    number = 0

    def __init__(self, host, mode, options=None, add=None, own_pids=True,
                 without_calls=(), generation="2"):
        Pod.number += 1
        self.host = host
        self.mode = mode
        self.options = list(options or (() if mode == "audit" else OPTIONS))
        self.add = capabilities(mode) if add is None else add
        self.own_pids = own_pids
        self.generation = generation
        self.calls = [c for c in CALLS if c not in without_calls]
        self.unit = "pod-%d.service" % Pod.number
        self.state = "/run/pods/%d" % Pod.number

    def __enter__(self):
        self.host.sh("mkdir -p {0}; : >{0}/message".format(self.state))
        self.start()
        return self

    def __exit__(self, *_):
        self.host.sh("systemctl kill -s KILL {0}; systemctl stop {0};"
                     " systemctl reset-failed {0}".format(self.unit))

    def start(self):
        """A container of this pod."""
        wanted = ["CAP_" + name for name in self.add]
        calls, command = list(self.calls), ["/usr/bin/node-pod"]
        if self.own_pids:
            # more for a moment, to be what the runtime makes of it
            extra = ["CAP_SYS_ADMIN", "CAP_SETPCAP"]
            calls += NAMESPACE_CALLS
            command = ["/test/unshare", "--pid", "--fork", "--mount-proc",
                       "/test/setpriv", "--bounding-set",
                       ",".join("-" + c[4:].lower() for c in extra)] + command
            wanted += [c for c in extra if c not in wanted]
        read_only = "Only" if self.mode == "audit" else ""
        properties = [
            "Type=exec", "KillMode=mixed", "NoNewPrivileges=yes",
            "RootDirectory=" + IMAGE, "MountAPIVFS=yes",
            "Bind%sPaths=/:/host:rbind" % ("ReadOnly" if read_only else ""),
            "BindPaths=%s:/run/node-pod" % self.state,
            "ReadOnlyPaths=/",
            "ReadWritePaths=/run/node-pod" + ("" if read_only else " /host"),
            "CapabilityBoundingSet=" + " ".join(wanted),
            "SystemCallFilter=" + " ".join(calls),
            "SystemCallErrorNumber=EPERM",
            "TimeoutStopSec=%d" % manifest("base")[
                "terminationGracePeriodSeconds"],
        ]
        words = ["systemd-run", "--quiet", "--unit=" + self.unit,
                 "--setenv=PATH=/usr/sbin:/usr/bin",
                 "--setenv=MODE=" + self.mode,
                 "--setenv=MESSAGE=/run/node-pod/message"]
        if self.generation is not None:
            words.append("--setenv=GENERATION=" + self.generation)
        for text in properties:
            words += ["-p", text]
        result = self.host.run(words + command + self.options)
        if result.status:
            raise RuntimeError("the pod does not start: " + result.stderr)

    def main_pid(self):
        """Of node-pod, as the host sees it; None."""
        if not self.own_pids:
            return self.host.sh("systemctl show -P MainPID "
                                + self.unit).stdout.strip()
        found = self.host.sh("pgrep -P $(systemctl show -P MainPID %s)"
                             % self.unit).stdout.split()
        return found[0] if found else None

    def active_state(self):
        return self.host.sh("systemctl is-active " + self.unit
                            ).stdout.strip()

    def runs(self):
        return self.active_state() == "active"

    def exec(self, *words):
        """As `kubectl exec` does it: in the container's namespaces."""
        return self.host.run(["nsenter", "-t", self.main_pid(), "--mount", "--pid",
                              "--root", "--wd=/", *words])

    def ready(self):
        return self.exec("/usr/bin/node-pod", "ready").status == 0

    def log(self):
        return self.host.sh("journalctl --sync; journalctl --no-pager -o cat -u "
                            + self.unit).stdout

    def last_line(self):
        """What `kubectl logs --tail=1` shows."""
        return self.log().strip().splitlines()[-1]

    def restarted(self):
        """Ends by itself, as one of a node that does not pass; (its status, its
        message). kubelet's next container has started then."""
        if not wait_for(lambda: self.active_state() == "failed", 120):
            return None, self.log()
        status = int(self.host.sh("systemctl show -P ExecMainStatus "
                                  + self.unit).stdout)
        self.host.sh("systemctl reset-failed " + self.unit)
        message = self.host.read(self.state + "/message").decode()
        seen = self.log().count("node-pod: audit: status")
        self.start()
        wait_for(lambda: self.log().count("node-pod: audit: status") > seen)
        return status, message

    def wait_log(self, text):
        return wait_for(lambda: text in self.log(), 120)

    def kill(self):
        """As a runtime ends a container that is out of memory."""
        self.host.sh("systemctl kill -s KILL {0}; for i in {{1..300}}; do"
                     " systemctl reset-failed {0}; [ $(systemctl show -P"
                     " LoadState {0}) != not-found ] || break; sleep 0.1; done"
                     .format(self.unit))

    def terminate(self):
        """SIGTERM to node-pod; its status."""
        self.host.sh("kill -TERM " + self.main_pid())
        if not wait_for(lambda: self.active_state() in ("inactive", "failed"),
                        120):
            return None
        # one that ended well is gone by now, and then has 0, too
        return int(self.host.sh("systemctl show -P ExecMainStatus "
                                + self.unit).stdout)


def units(host):
    return [n for n in host.sh("systemctl list-units --all --plain --no-legend "
                               "'kubelet-remedy*' | cut -d' ' -f1"
                               ).stdout.split()]


def copies(host):
    return os.path.exists(host.root + STATE_DIR + "/program")


def check_ready(tap, pod, want, what):
    tap.equal(pod.ready(), want, what + (": ready" if want else ": not ready"),
              pod.log())


def failing(host, **options):
    host.node(FALSE_FLAG, **options)
    return host.snapshot(), host.identity()


# --- audit

def test_audit(host, tap):
    """It says what it found, is ready, and can write nothing."""
    before, was = failing(host)
    with Pod(host, "audit") as pod:
        tap.check(pod.wait_log("audit: status 1"), "it ends", pod.log())
        status, message = pod.restarted()
        tap.equal(status, 1, "the container of a failing node is restarted")
        tap.matches(message, "^status 1: FAIL +.*makeIPTablesUtilChains.*\n$",
                    "its message is the verdict")
        tap.equal(pod.log().count("next: "), 2, "the next one shows the same")
        tap.contains(pod.log(), "FAIL", "the verdict is in the log")
        tap.contains(pod.log(), "running   false", "kubelet is seen")
        check_ready(tap, pod, True, "a node that fails")
        tap.matches(pod.last_line(), "^node-pod: audit: status 1: FAIL +.*"
                    "makeIPTablesUtilChains", "the last line is the verdict")
        tap.check(pod.runs(), "the pod stays")
        result = pod.exec("/usr/sbin/kubelet-remedy", "fix", "--root=/host")
        tap.equal((host.snapshot(), host.identity()), (before, was),
                  "nothing is changed, not by hand either", result)
        tap.status(pod.exec("/usr/sbin/kubelet-remedy", "status",
                            "--root=/host"), 0, "status")
        tap.equal(pod.terminate(), 0, "it ends at once by SIGTERM")
    host.node("")
    with Pod(host, "audit") as pod:
        tap.check(pod.wait_log("audit: status 0"), "compliant", pod.log())
        check_ready(tap, pod, True, "compliant")
        tap.check(pod.runs(), "it is not restarted")
        pod.kill()
        pod.start()
        check_ready(tap, pod, True, "another container")


def test_first_pods(host, tap):
    """A new DaemonSet's pods are made all at once, and fix nothing."""
    before, was = failing(host)
    for generation in ("1", ""):
        with Pod(host, "fix", generation=generation) as pod:
            tap.check(pod.wait_log("rollout restart"), "what to do next",
                      pod.log())
            tap.equal(pod.restarted()[0], 1, "a failing node shows")
            tap.contains(pod.last_line(), "audit: status 1: FAIL",
                         "the last line is the verdict")
            check_ready(tap, pod, True, "the update can begin")
            tap.equal((host.snapshot(), host.identity()), (before, was),
                      "nothing is changed")
    words = ["--wait", "3", "--retry", "--set=podPidsLimit=100",
             "--restart=always", "--allow=tlsCipherSuites", "--method", "config",
             "--benchmark=cis-1.12", "--control",
             "podPidsLimit,makeIPTablesUtilChains,tlsCipherSuites"]
    with Pod(host, "fix", options=words, generation="1") as pod:
        tap.check(pod.wait_log("audit: status 1: FAIL  3 of 3 controls of CIS "
                               "Kubernetes 1.12 fail"),
                  "they audit what args name", pod.log())
        tap.equal((host.snapshot(), host.identity()), (before, was),
                  "nothing is changed with options, either")
    with Pod(host, "fix", generation=None) as pod:
        tap.check(pod.wait_log("fix: status 0"), "by hand it fixes",
                  pod.log())


def options(command):
    text = subprocess.run([PROGRAM, command, "--help"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return set(re.findall(r"^ +(?:-., )?--([a-z-]+)", text, re.M))


def test_first_pods_options(_, tap):
    """What they leave out is what audit does not have."""
    path = os.path.join(SOURCE, "contrib", "container", "node-pod.c")
    with open(path, encoding="utf-8") as file:
        named = re.findall(r'\{"([a-z-]+)", (?:true|false)\}', file.read())
    tap.equal(set(named), options("fix") - options("audit"), "by --help")


def test_audit_without_ptrace(host, tap):
    """The node is not taken for an image: that would be a pass."""
    failing(host)
    for own_pids in (True, False):
        with Pod(host, "audit", add=[], own_pids=own_pids) as pod:
            tap.check(pod.wait_log("audit: status 3"), "no verdict", pod.log())
            tap.contains(pod.log(), "CAP_SYS_PTRACE", "what is missing")


# --- fix

def check_fixed(host, tap, pod):
    tap.check(pod.wait_log("fix: status 0"), "fix", pod.log())
    check_ready(tap, pod, True, "fixed")
    tap.equal(host.value(), "true", "kubelet decided true")
    tap.equal(units(host), [], "no unit is left")
    tap.check(not copies(host), "no copy of the program is left")


def test_fix(host, tap):
    """Everything that the issue asks for, from inside the container."""
    for own_pids in (True, False):
        before, was = failing(host)
        image = host.snapshot(IMAGE)
        with Pod(host, "fix", own_pids=own_pids) as pod:
            check_fixed(host, tap, pod)
            fixed = host.identity()
            tap.check(fixed != was, "it is a new kubelet")
            tap.status(pod.exec("/usr/sbin/kubelet-remedy", "audit",
                                "--root=/host"), 0, "audit by hand")
            pod.kill()
            pod.start()
            tap.check(pod.wait_log("its fix is not repeated"),
                      "another container does not repeat it", pod.log())
            check_ready(tap, pod, True, "started again")
            tap.equal(host.identity(), fixed, "kubelet is left alone")
            tap.status(pod.exec("/usr/sbin/kubelet-remedy", "undo",
                                "--root=/host", "--wait=3"), 0, "undo by hand")
            tap.equal(host.snapshot(), before, "all is as it was")
            tap.equal(host.value(), "false", "kubelet too")
        tap.equal(host.snapshot(IMAGE), image, "the image is untouched")


def test_benchmark(host, tap):
    """The options of `args`: what is left is in the log, whatever container."""
    failing(host)
    words = ["--benchmark=cis-1.12", "--control=podPidsLimit,makeIPTablesUtilChains"]
    left = "left: 4.2.13 podPidsLimit (ask): "
    command = ("kubelet-remedy fix -n --benchmark=cis-1.12 --control=podPidsLimit"
               " --set=podPidsLimit=VALUE --wait=3 --root=/host\n")
    with Pod(host, "audit", options=words) as pod:
        tap.check(pod.wait_log("audit: status 1: FAIL  2 of 2 controls of CIS "
                               "Kubernetes 1.12 fail"), "audit", pod.log())
    with Pod(host, "fix", options=[*OPTIONS, *words]) as pod:
        tap.check(pod.wait_log("fix: status 1: "), "fix", pod.log())
        check_ready(tap, pod, True, "one is left")
        tap.equal(host.value(), "true", "the other is fixed")
        tap.equal((pod.log().count(left), pod.log().count(command)), (1, 2),
                  "what is left, and the command", pod.log())
        pod.kill()
        pod.start()
        tap.check(pod.wait_log("its fix is not repeated"), "another container",
                  pod.log())
        check_ready(tap, pod, True, "another container")
        tap.equal((pod.log().count(left), pod.log().count(command)), (2, 4),
                  "another container says it again", pod.log())


def test_compliant(host, tap):
    host.node("")
    was = host.identity()
    with Pod(host, "fix") as pod:
        tap.check(pod.wait_log("fix: status 0"), "fix", pod.log())
        check_ready(tap, pod, True, "compliant")
    tap.equal(host.identity(), was, "kubelet is left alone")


def test_old_system_calls(host, tap):
    """A runtime whose filter knows no openat2, statx or faccessat2."""
    failing(host, control="healthy-when-told=true when=true\n")
    with Pod(host, "fix", options=["--wait=100"], without_calls=(
            "openat2", "statx", "faccessat2")) as pod:
        tap.check(host.wait_value("true"), "kubelet runs on the new files")
        tap.equal(sorted(os.listdir(host.root + STATE_DIR + "/program")),
                  sorted(os.listdir(host.root + IMAGE
                                    + "/usr/lib/kubelet-remedy")),
                  "the whole folder is copied")
        host.tell("well")
        check_fixed(host, tap, pod)


def test_a_filter_that_is_none(host, tap):
    """The test's own filter holds: without a rename there is no fix."""
    before, _ = failing(host)
    with Pod(host, "fix", without_calls=("renameat", "renameat2")) as pod:
        tap.check(pod.wait_log("fix: status 4"), "fix", pod.log())
        check_ready(tap, pod, False, "refused")
    tap.equal(host.snapshot(), before, "nothing is changed")


def test_not_ready_meanwhile(host, tap):
    failing(host, control="healthy-when-told=true when=true\n")
    with Pod(host, "fix", options=["--wait=100"]) as pod:
        tap.check(host.wait_value("true"), "kubelet runs on the new files")
        check_ready(tap, pod, False, "while kubelet is not healthy yet")
        host.tell("well")
        check_fixed(host, tap, pod)


def test_put_back(host, tap):
    """5: the pod stays, and neither it nor its like does it again."""
    before, _ = failing(host, control="die-after-ms=500 when=true\n")
    with Pod(host, "fix") as pod:
        tap.check(pod.wait_log("fix: status 5"), "fix", pod.log())
        tap.contains(pod.log(), DIES, "kubelet's last words are shown")
        check_ready(tap, pod, False, "put back")
        tap.equal(host.snapshot(), before, "all is as it was")
        tap.check(host.is_healthy(), "kubelet is healthy")
        was = host.identity()
        pod.kill()
        pod.start()
        tap.check(pod.wait_log("its fix is not repeated"),
                  "another container does not repeat it", pod.log())
        check_ready(tap, pod, False, "started again")
        tap.check(pod.runs(), "the pod stays")
        tap.equal(host.identity(), was, "kubelet is left alone")
    with Pod(host, "fix") as pod:
        tap.check(pod.wait_log("fix: status 4"), "a new pod is refused",
                  pod.log())
        check_ready(tap, pod, False, "refused")
        tap.equal(host.identity(), was, "kubelet is left alone")
    host.write(CONTROL, "")
    with Pod(host, "fix", options=[*OPTIONS, "--retry"]) as pod:
        check_fixed(host, tap, pod)


def test_killed(host, tap):
    """kill -9 of the container in the wait: the host takes it back alone."""
    before, _ = failing(host, control="healthy-when-told=true when=true\n",
                        service=SHORT)
    with Pod(host, "fix", options=["--wait=10"]) as pod:
        tap.check(host.wait_value("true"), "kubelet runs on the new files")
        pod.kill()
        tap.check(not pod.runs(), "the container is gone")
        tap.check(copies(host), "the copy of the program is there")
        timer = [n for n in units(host) if n.endswith(".timer")]
        tap.equal(len(timer), 1, "a timer is armed")
        pod.start()
        tap.check(pod.wait_log("not repeated"),
                  "another container does not repeat it", pod.log())
        check_ready(tap, pod, False, "ended in the middle")
        tap.check(host.wait_value("false", 120), "the timer takes it back")
        wait_for(lambda: not units(host))
        tap.equal(host.snapshot(), before, "all is as it was")
        tap.check(host.is_healthy(), "kubelet is healthy")
        tap.equal(units(host), [], "no unit is left")
        tap.check(not copies(host), "no copy of the program is left")
        check_ready(tap, pod, False, "taken back")
    host.write(CONTROL, "")
    with Pod(host, "fix") as pod:
        check_fixed(host, tap, pod)


def test_sigterm(host, tap):
    """The pod is deleted in the wait: put back, then it ends."""
    before, _ = failing(host, control="healthy-when-told=true when=true\n")
    for own_pids in (True, False):
        with Pod(host, "fix", options=["--wait=100", "--retry"],
                 own_pids=own_pids) as pod:
            tap.check(host.wait_value("true"), "kubelet runs on the new files")
            tap.equal(pod.terminate(), 5, "its status", pod.log())
            tap.equal(host.snapshot(), before, "all is as it was")
            tap.check(host.is_healthy(), "kubelet is healthy")
            tap.equal(units(host), [], "no unit is left")


def test_terminated_before(host, tap):
    """SIGTERM while nothing runs, and a MODE that is none."""
    before, was = failing(host)
    with Pod(host, "fix", options=["--no-such-option"]) as pod:
        tap.check(pod.wait_log("fix: status 2"), "wrong usage", pod.log())
        check_ready(tap, pod, False, "wrong usage")
        tap.check(pod.runs(), "the pod stays")
        tap.equal(pod.terminate(), 0, "it ends")
    for env, status in (("MODE=undo", 2), ("ROOT=/nowhere", 1),
                        ("STATE=/nowhere", 1)):
        result = host.sh("mkdir -p /run/pods/x; STATE=/run/pods/x %s "
                         "/srv/image/usr/bin/node-pod" % env
                         if not env.startswith("STATE") else
                         env + " /srv/image/usr/bin/node-pod")
        tap.status(result, status, env)
    tap.equal((host.snapshot(), host.identity()), (before, was),
              "nothing is changed")


# --- each capability of the manifest is needed

def foreign_config(host):
    """kubelet's config belongs to somebody, in a folder of his."""
    host.node("", KEY_FALSE)
    host.sh("chown -R 1000:1001 /etc/kubernetes/kubelet;"
            " chmod 0700 /etc/kubernetes/kubelet; chmod 0640 " + CONFIG)
    return host.snapshot(), host.identity()


def test_capabilities(host, tap):
    _, was = foreign_config(host)
    with Pod(host, "fix") as pod:
        check_fixed(host, tap, pod)
    info = os.stat(host.root + CONFIG)
    tap.equal((info.st_uid, info.st_gid, info.st_mode & 0o7777),
              (1000, 1001, 0o640), "owner, group and mode are kept")
    tap.check(host.identity() != was, "it is a new kubelet")
    for missing in capabilities("fix"):
        before, was = foreign_config(host)
        rest = [c for c in capabilities("fix") if c != missing]
        with Pod(host, "fix", add=rest) as pod:
            tap.check(pod.wait_log("fix: status 4"), "without " + missing,
                      pod.log())
            check_ready(tap, pod, False, "without " + missing)
        tap.equal((host.snapshot(), host.identity()), (before, was),
                  "nothing is changed without " + missing)
    failing(host)
    with Pod(host, "fix", add=["SYS_PTRACE"]) as pod:
        check_fixed(host, tap, pod)


# --- nothing outside /host

def opened(trace):
    """(path, whether it may be written) of what was opened, as the container
    names it. kubelet's root is the host, by another name."""
    found = set()
    for line in trace.split("\n"):
        if re.search(r'"[0-9]+/root"', line):
            continue
        match = re.search(r"(?:open|openat|openat2|creat)\((.*) = \d+<(.*)>$",
                          line)
        if match:
            writes = re.search("O_WRONLY|O_RDWR|O_CREAT", match.group(1))
            found.add((match.group(2).removeprefix(IMAGE), bool(writes)))
    return found


def test_nothing_outside(host, tap):
    """What is opened, made, renamed and removed: below /host, or its own."""
    if host.sh("command -v strace").status:
        raise Skip("no strace on the host")
    before, _ = failing(host)
    image = host.snapshot(IMAGE)
    for words in ("audit", "fix --wait=3", "status", "undo --wait=3"):
        result = host.sh(
            "unshare --mount --propagation private bash -c '"
            "mount --rbind / {0}/host && mount --rbind /dev {0}/dev &&"
            " mount -t proc proc {0}/proc && PATH=/usr/sbin:/usr/bin strace -f"
            " -y -o /run/trace chroot {0} /usr/sbin/kubelet-remedy {1}"
            " --root=/host'".format(IMAGE, words), timeout=120)
        trace = host.read("/run/trace").decode("utf-8", "replace")
        trace = trace[trace.index('execve("/usr/sbin/kubelet-remedy"'):]
        tap.check(result.status in (0, 1), words + ": it works", result)
        files = opened(trace)
        tap.check([p for p, _ in files if p.startswith("/host/etc/")],
                  words + ": strace saw it", files)
        outside = [(path, writes) for path, writes in files
                   if not re.match("/host(/|$)", path) and
                   (writes or not re.match(
                       "/(usr/(lib|lib64|sbin)|dev|proc/([0-9]+|sys/kernel))/",
                       path))]
        tap.equal(outside, [], words + ": nothing else is opened")
        changed = [line for line in trace.split("\n") if re.search(
            r"\b(mkdir|mkdirat|rename|renameat|renameat2|unlink|unlinkat|rmdir"
            r"|symlink|symlinkat|link|linkat|mknod|mknodat|truncate|chmod"
            r"|chown|fchmodat|fchownat)\(", line)]
        outside = [line for line in changed if "= -1 " not in line and
                   not re.search(r"\d+<%s/host/" % IMAGE, line)]
        tap.equal(outside, [], words + ": nothing else is changed")
        sockets = set(re.findall(r'connect\(.*sun_path=@?"([^"]*)"', trace))
        tap.check(sockets and all(
            re.fullmatch("/proc/self/fd/[0-9]+/run/dbus/system_bus_socket",
                         path) for path in sockets),
                  words + ": the host's bus is the only one", sockets)
        unlisted = set(re.findall(r"^\d+ +([a-z0-9_]+)\(", trace, re.M)) \
            - set(CALLS) - {"rseq"}
        tap.equal(unlisted, set(), words + ": no other system call")
    tap.equal(host.snapshot(), before, "undone")
    tap.equal(host.snapshot(IMAGE), image, "the image is untouched")


def image(host):
    """The container's root, and what the test needs in it."""
    subprocess.run([os.path.join(SOURCE, "contrib/container/make-root"), PROGRAM,
                    NODE_POD, host.root + IMAGE], check=True, stdin=subprocess.DEVNULL)
    # var, root: systemd makes them in every root that it is given
    host.sh("mkdir -p {0}/test {0}/var {0}/root; cp /usr/bin/unshare /usr/bin/setpriv {0}/test/;"
            " for f in $(ldd /usr/bin/unshare /usr/bin/setpriv |"
            " sed -n 's/.*=> \\(.*\\) (.*/\\1/p'); do"
            " [ -e {0}$f ] || [ -L {0}$f ] || cp -L $f {0}$f; done".format(IMAGE))


def main():
    global PROGRAM, NODE_POD, SOURCE  # pylint: disable=global-statement
    if len(sys.argv) < 5:
        print(__doc__, file=sys.stderr)
        return 2
    PROGRAM, NODE_POD, standin, SOURCE, only = *sys.argv[1:5], sys.argv[5:]
    tests = [thing for name, thing in globals().items()
             if name.startswith("test_")]
    try:
        need_host()
        try:
            import yaml  # pylint: disable=import-outside-toplevel,unused-import
        except ImportError as error:
            raise Skip("python3-yaml is not installed") from error
    except Skip as reason:
        print("1..0 # SKIP %s" % reason)
        return 0
    with Host(PROGRAM, standin) as host:
        image(host)
        return run_tests(tests, host, only)


if __name__ == "__main__":
    sys.exit(main())
