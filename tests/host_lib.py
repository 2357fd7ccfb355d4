# SPDX-License-Identifier: Apache-2.0
"""End-to-end tests on a real systemd: one host, many tests.

A Host is booted once by boot-test-host and ended whatever happens. The program
under test is /usr/bin/kubelet-remedy in it, the stand-in is /usr/bin/kubelet.
Between two tests reset() takes it back to no kubelet at all and node() puts one
there, with the layout that the CIS text describes. Files are read and written
from outside below host.root; commands run inside. Tap prints one line a check.
"""

import atexit
import collections
import contextlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import traceback

from audit_lib import only

os.umask(0o022)
HERE = os.path.dirname(os.path.abspath(__file__))
BOOT = os.path.join(HERE, "boot-test-host")

UNIT = "/etc/systemd/system/kubelet.service"
DROPIN = UNIT + ".d/10-kubelet-args.conf"
CONFIG = "/etc/kubernetes/kubelet/kubelet-config.json"
CONTROL = "/run/standin-kubelet.conf"
STATE = "/run/standin-kubelet.state"
STARTS = "/run/standin-kubelet.starts"

UNIT_TEXT = """\
[Unit]
Description=Kubernetes Kubelet
%(unit)s
[Service]
%(service)sExecStart=/usr/bin/kubelet --config %(config)s \
--kubeconfig /var/lib/kubelet/kubeconfig $KUBELET_ARGS
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
"""
DROPIN_TEXT = "[Service]\nEnvironment='KUBELET_ARGS=%s'\n"
CONFIG_TEXT = """\
{
  "kind": "KubeletConfiguration",
  "apiVersion": "kubelet.config.k8s.io/v1beta1",
  "authentication": {
    "anonymous": {
      "enabled": false
    }
  },
  "clusterDomain": "cluster.local"%s
}
"""
KEY = "makeIPTablesUtilChains"
FLAG = "--make-iptables-util-chains"

# Waits, inside, for an answer of 200 from healthz; $0 is the patience in tenths.
WAIT_HEALTHZ = """
trap '' PIPE
for ((i = 0; i < $0; i++)); do
    if { exec 3<>/dev/tcp/127.0.0.1/10248; } 2>/dev/null; then
        printf 'GET /healthz HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n' >&3
        read -r _ code _ <&3
        [ "$code" != 200 ] || exit 0
        exec 3>&-
    fi
    sleep 0.1
done
exit 1
"""

# Back to a host without kubelet, and without a trace of an earlier fix.
RESET = """
rm -f /run/standin-kubelet.*
systemctl kill --signal=KILL kubelet.service
systemctl stop kubelet.service 'kubelet-remedy*'
rm -f /run/standin-kubelet.*
rm -rf /etc/systemd/system/kubelet.service* /run/systemd/system/kubelet* \
    /run/systemd/transient/kubelet* /etc/kubernetes /etc/default/kubelet \
    /etc/systemd/system/kubelet-remedy* /var/lib/kubelet /etc/eks \
    /var/lib/kubelet-remedy /run/kubelet-remedy
systemctl daemon-reload
systemctl reset-failed
mkdir -p /var/lib/kubelet
: >/var/lib/kubelet/kubeconfig
: >/k
true
"""

Result = collections.namedtuple("Result", "status stdout stderr seconds")


def one_line(name):
    """A row of TAP is one line, and a # in it begins a directive."""
    return name.replace("\n", "\\n").replace("#", "\\#")


class Skip(Exception):
    """This cannot be tried here, and why."""


class Tap:
    """One line a check, comments for what it takes to understand a failure."""

    def __init__(self):
        self.count = 0
        self.failed = 0
        self.test = ""

    def check(self, good, name, *detail):
        self.count += 1
        self.failed += not good
        print("%s %d - %s: %s" % ("ok" if good else "not ok", self.count,
                                  self.test, one_line(name)), flush=True)
        if not good:
            for thing in detail:
                for line in str(thing).split("\n")[:60]:
                    print("#   " + line)
        return good

    def equal(self, got, want, name, *detail):
        return self.check(got == want, name, "got  %r" % (got,),
                          "want %r" % (want,), *detail)

    def contains(self, text, part, name):
        return self.check(part in text, name, "%r is not in:" % part, text)

    def matches(self, text, pattern, name):
        return self.check(re.search(pattern, text, re.M), name,
                          "%r does not match:" % pattern, text)

    def status(self, result, want, name):
        return self.check(result.status == want,
                          "%s: status %s" % (name, want),
                          "got  %s" % result.status, "stdout:", result.stdout,
                          "stderr:", result.stderr)

    def skip(self, reason):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, self.test, reason),
              flush=True)

    def done(self):
        print("1..%d" % self.count)
        return 1 if self.failed or not self.count else 0


def need_host():
    """Raises Skip where no test host can be booted at all."""
    if os.geteuid() != 0:
        raise Skip("a test host needs root")
    probe = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"],
                           check=False, stderr=subprocess.PIPE, text=True)
    if probe.returncode:
        raise Skip("no namespaces here: " + probe.stderr.strip())
    if not os.path.exists("/usr/lib/systemd/systemd") and \
            not os.path.exists("/lib/systemd/systemd"):
        raise Skip("no systemd is installed")


def wait_for(condition, seconds=60, pause=0.1):
    """Whether CONDITION holds, at the latest after SECONDS."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(pause)
    return True


def environment():
    """A host sees nothing else that this shell has set: NO_COLOR, proxies."""
    kept = ("PATH", "HOME", "TMPDIR", "BTH_DIR", "ASAN_OPTIONS",
            "UBSAN_OPTIONS")
    return {"LC_ALL": "C.UTF-8",
            **{name: os.environ[name] for name in kept if name in os.environ}}


class Host:
    """A disposable host. Use it in a with statement."""

    def __init__(self, program, standin, name=None, options=()):
        self.name = name or "e2e-%d" % os.getpid()
        self.options = list(options)
        self.binaries = {"/usr/bin/kubelet-remedy": program,
                         "/usr/bin/kubelet": standin}
        self.root = None
        self.cgroup = None

    def __enter__(self):
        atexit.register(self.stop)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda n, frame: sys.exit(128 + n))
        self.boot()
        for path, source in self.binaries.items():
            shutil.copyfile(source, self.root + path)
            os.chmod(self.root + path, 0o755)
        # what --kubeconfig names in the tests
        for path in ("/k", "/var/lib/kubelet/kubeconfig"):
            self.write(path, "")
        return self

    def boot(self, *options):
        subprocess.run([BOOT, "start", self.name] + self.options
                       + list(options), check=True, env=environment(),
                       stdin=subprocess.DEVNULL, stdout=sys.stderr)
        state = os.path.join(os.environ.get("BTH_DIR", "/var/tmp/bth"),
                             self.name)
        with open(os.path.join(state, "pid"), encoding="ascii") as file:
            self.root = "/proc/%s/root" % file.read().strip()
        with open(os.path.join(state, "cgroup"), encoding="ascii") as file:
            self.cgroup = file.read().strip()

    def reboot(self):
        """As a machine whose power goes, and comes back with all that is
        enabled in it. Only one that was started with --upper can."""
        subprocess.run([BOOT, "stop", self.name], check=True,
                       env=environment(), stdin=subprocess.DEVNULL,
                       stdout=sys.stderr)
        self.boot("--keep-units", "--unit", "bth.target")

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.name:
            subprocess.run([BOOT, "stop", self.name], check=False,
                           env=environment(), stdin=subprocess.DEVNULL,
                           stdout=sys.stderr)
            self.name = None

    # --- commands inside

    def spawn(self, argv, user=None, **options):
        """A process inside, as Popen; signal it by signal_program()."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("env", environment())
        as_user = ["--user", user] if user else []
        return subprocess.Popen([BOOT, "exec", self.name] + as_user + argv,
                                **options)

    def finish(self, process, timeout=120):
        """Waits for what spawn() started; one that hangs is killed."""
        start = time.monotonic()
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            with open(self.cgroup + "/exec/cgroup.kill", "w",
                      encoding="ascii") as file:
                file.write("1")
            out, err = process.communicate()
            err = (err or b"") + b"\nkilled by the test: it hung"
        return Result(process.returncode,
                      (out or b"").decode("utf-8", "replace"),
                      (err or b"").decode("utf-8", "replace"),
                      time.monotonic() - start)

    def run(self, argv, user=None, timeout=120, **options):
        return self.finish(self.spawn(argv, user, **options), timeout)

    def sh(self, script, timeout=60):
        return self.run(["bash", "-c", script], timeout=timeout)

    def remedy(self, *args, **options):
        """The program under test."""
        return self.run(["kubelet-remedy"] + list(args), **options)

    def remedy_json(self, *args, **options):
        """The program with -o json: the result, and the object (or {}); of an
        audit with what is said of its one control (audit_lib.only())."""
        result = self.remedy(*args, "-o", "json", **options)
        try:
            return result, only(json.loads(result.stdout))
        except ValueError:
            return result, {}

    def programs(self, comm="kubelet-remedy"):
        """The processes of that name that run by exec."""
        found = set()
        with open(self.cgroup + "/exec/cgroup.procs",
                  encoding="ascii") as file:
            pids = file.read().split()
        for pid in pids:
            try:
                with open("/proc/%s/comm" % pid, encoding="utf-8") as file:
                    name = file.read().strip()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if name == comm[:15]:
                found.add(int(pid))
        return found

    def signal_program(self, number, but=frozenset()):
        """Signals each process of the program, but for those; how many."""
        found = 0
        for pid in self.programs() - but:
            try:
                os.kill(pid, number)
                found += 1
            except ProcessLookupError:
                pass
        return found

    # --- files inside, seen from outside

    def read(self, path):
        with open(self.root + path, "rb") as file:
            return file.read()

    def write(self, path, text, mode=0o644):
        full = self.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(full, mode)

    def remove(self, path):
        full = self.root + path
        if os.path.isdir(full) and not os.path.islink(full):
            shutil.rmtree(full)
        elif os.path.lexists(full):
            os.unlink(full)

    def snapshot(self, *tops):
        """What is there below TOPS: names, bytes, owners, modes, xattrs. Not
        the times and inodes: a put back file has its own."""
        found = {}

        def look(path):
            full = self.root + path
            info = os.lstat(full)
            kind = stat.S_IFMT(info.st_mode)
            if kind == stat.S_IFREG:
                content = self.read(path)
            elif kind == stat.S_IFLNK:
                content = os.readlink(full)
            else:
                content = None
            attributes = {}
            if kind in (stat.S_IFREG, stat.S_IFDIR):
                attributes = {name: os.getxattr(full, name)
                              for name in os.listxattr(full)
                              if not name.startswith("trusted.overlay.")}
            found[path] = (oct(info.st_mode), info.st_uid, info.st_gid,
                           content, attributes)
            if kind == stat.S_IFDIR:
                for name in sorted(os.listdir(full)):
                    look(path + "/" + name)

        for top in tops or ("/etc/kubernetes", UNIT, UNIT + ".d"):
            if os.path.lexists(self.root + top):
                look(top)
        return found

    # --- kubelet

    def reset(self):
        self.sh(RESET)

    def node(self, args="", config=',\n  "%s": true' % KEY, control="",
             service="", unit="", start=True):
        """A node of the CIS text's layout: ARGS is what KUBELET_ARGS holds
        after --node-ip, CONFIG what the file has after its other keys.

        Without CONTROL systemd waits until kubelet says that it is well: then
        a short --wait is over when kubelet was watched for that long, however
        slow this machine is to start it. What a kubelet does that is not well
        is tried with the layout's own Type=simple."""
        self.reset()
        if not control and "Type=" not in service:
            service = "\n".join(filter(None, ["Type=notify", service]))
        self.write(CONTROL, control)
        self.write(CONFIG, CONFIG_TEXT % config)
        self.write(DROPIN, DROPIN_TEXT
                   % " ".join(filter(None, ["--node-ip=192.0.2.30", args])))
        self.write(UNIT, UNIT_TEXT % {
            "config": CONFIG, "unit": unit and unit + "\n",
            "service": service and service + "\n"})
        self.sh("systemctl daemon-reload"
                + ("; systemctl start kubelet" if start else ""))
        if start and not self.is_healthy():
            raise RuntimeError("the test's own kubelet does not come up: "
                               + self.log())

    def is_healthy(self, seconds=60):
        return self.run(["bash", "-c", WAIT_HEALTHZ,
                         str(int(seconds * 10))]).status == 0

    def show(self):
        """kubelet.service as systemd shows it."""
        text = self.run(
            ["systemctl", "show", "kubelet.service", "-p",
             "LoadState,ActiveState,SubState,Result,MainPID,InvocationID,"
             "NRestarts,NeedDaemonReload"]).stdout
        return dict(line.split("=", 1) for line in text.splitlines())

    def identity(self):
        """What a restart changes."""
        shown = self.show()
        return shown["MainPID"], shown["InvocationID"]

    def argv(self):
        """The words that the running kubelet was started with."""
        pid = self.show()["MainPID"]
        if pid == "0":
            return []
        words = self.read("/proc/%s/cmdline" % pid).decode().split("\0")
        return words[:-1]

    def value(self):
        """What the last started kubelet decided: "true", "false" or None."""
        try:
            return self.read(STATE).split(b"\0")[-2].decode()
        except (FileNotFoundError, IndexError):
            return None

    def wait_value(self, value, seconds=60):
        """Until a kubelet has started that decided VALUE."""
        return wait_for(lambda: self.value() == value, seconds, 0.02)

    def wait_dead(self):
        """Until systemd knows that kubelet has died."""
        return wait_for(lambda: self.show()["SubState"] in
                        ("auto-restart", "failed", "dead"))

    def wait_said(self, text, unit="kubelet.service"):
        """Until the journal has TEXT of UNIT."""
        return wait_for(lambda: text in self.sh(
            "journalctl --sync; journalctl --no-pager -o cat -u " + unit
            ).stdout)

    def tell(self, word):
        """A stand-in whose CONTROL says that: "well" or "die"."""
        self.write("/run/standin-kubelet." + word, "")

    def wait_starts(self, number):
        """Until kubelet was started that often."""
        return wait_for(lambda: self.starts() >= number)

    def starts(self):
        """How often kubelet was started."""
        try:
            return int(self.read(STARTS) or 0)
        except FileNotFoundError:
            return 0

    def log(self, lines=20):
        return self.sh("journalctl --sync; journalctl -u kubelet.service"
                       " --no-pager -n %d" % lines).stdout


@contextlib.contextmanager
def journald_stopped(host):
    pid = host.sh("pgrep -x systemd-journal").stdout.strip()
    host.run(["kill", "-STOP", pid])
    try:
        yield
    finally:
        host.run(["kill", "-CONT", pid])


def run_tests(tests, host, only=()):
    """Runs each function of TESTS with (host, tap); 0 or 1."""
    tap = Tap()
    for test in tests:
        tap.test = test.__name__.removeprefix("test_")
        if only and tap.test not in only:
            continue
        start = time.monotonic()
        try:
            test(host, tap)
        except Skip as reason:
            tap.skip(reason)
        except Exception:  # pylint: disable=broad-except
            tap.check(False, "runs to its end", traceback.format_exc())
        print("# %s: %.1f s" % (tap.test, time.monotonic() - start),
              flush=True)
    return tap.done()
