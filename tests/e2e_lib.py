# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests have in common: the failing node, and the ends."""

import contextlib
import fcntl
import os
import pty
import shutil
import struct
import sys
import tempfile
import termios
import threading

from apiserver_lib import ApiServer
from host_lib import FLAG, KEY, Host, Skip, need_host, run_tests, wait_for

FALSE_FLAG = FLAG + "=false"
KEY_TRUE = ',\n  "%s": true' % KEY
KEY_FALSE = ',\n  "%s": false' % KEY
DIES = "stand-in was told to die"
LOST_OUTPUT = 74
NODE = "node-1"
CONFIGZ = "/run/standin-kubelet.configz"
# Healthy at the end of this is enough, where how long it settles is not asked.
QUICK = "--wait=2"


def check_fixed(host, tap, result, was=None):
    """The end that everybody wants: new kubelet, without flag, key true."""
    tap.status(result, 0, "fix")
    tap.check(host.is_healthy(), "kubelet is healthy")
    tap.equal(host.value(), "true", "kubelet decided true")
    tap.check(not [w for w in host.argv() if w.startswith(FLAG)],
              "the flag is gone from kubelet's argv", host.argv())
    if was:
        tap.check(host.identity() != was, "it is a new kubelet")
    tap.status(host.remedy("audit"), 0, "audit afterwards")


def end_well(host, process, *options):
    """The end of a fix_in_wait()."""
    host.tell("well")
    return host.finish(process, *options)


def check_put_back(host, tap, result, before, value="false"):
    """The end when the new kubelet does not come back."""
    tap.status(result, 5, "fix")
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")
    tap.check(host.is_healthy(), "kubelet is healthy again")
    tap.equal(host.value(), value, "kubelet decides as before")


def check_untouched(host, tap, result, before, was, status=4):
    tap.status(result, status, "refused")
    tap.equal(host.snapshot(), before, "no file is changed")
    tap.equal(host.identity(), was, "kubelet is not touched")


def failing_node(host, control="", **options):
    """The flag false, the file true: what the files were before, and who ran."""
    host.node(FALSE_FLAG, control=control, **options)
    return host.snapshot(), host.identity()


def fix_in_wait(host, *words, control="", **options):
    """A fix that waits for a new kubelet, which is told when to be well (and
    what CONTROL says): the process, and the files."""
    before, _ = failing_node(
        host, "healthy-when-told=true when=true\n" + control)
    process = host.spawn(["kubelet-remedy", "fix", "--wait=100", *words],
                         **options)
    if not host.wait_value("true"):
        host.finish(process, timeout=1)
        raise RuntimeError("no new kubelet was started")
    return process, before


def check_nothing_armed(host, tap):
    names = host.sh("systemctl list-units --all --plain --no-legend "
                    "'kubelet-remedy-rollback*' | cut -d' ' -f1").stdout
    tap.equal(names.split(), [], "no timer is left")
    mark = host.root + "/var/lib/kubelet-remedy/pending"
    tap.check(not os.path.exists(mark), "no mark is left")


class Live(ApiServer):
    """The API server on HOST. FIRST are the behaviours of the first requests,
    THEN that of all others; where it is None, kubelet's own word."""

    def __init__(self, host, first=(), then=None, info=None):
        self.host_proc = host.root.removesuffix("/root")
        own = {"file": host.root + CONFIGZ}
        if not os.path.exists(own["file"]):
            host.write(CONFIGZ, "no kubelet has run here yet")
        super().__init__(
            {"named": {NODE: {**(then or own),
                              "first": [one or own for one in first]}},
             **({"info": info} if info else {})},
            ["nsenter", "--net=%s/ns/net" % self.host_proc])

    def is_asked(self):
        """Whether somebody is connected."""
        with open(self.host_proc + "/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file.readlines()[1:]]
        return any(row[2].endswith(":%04X" % self.port) and row[3] == "01"
                   for row in rows)

    @property
    def words(self):
        return ["--configz=" + self.url, "--node=" + NODE]


class Terminal:
    """A pty of so many columns, and all that is written to it."""

    def __init__(self, columns):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))
        self.parts = []
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def wait(self, text):
        """Until TEXT is shown."""
        return wait_for(lambda: text.encode() in b"".join(self.parts))

    def read(self):
        while True:
            try:
                part = os.read(self.master, 4096)
            except OSError:
                return
            if not part:
                return
            self.parts.append(part)

    def text(self):
        """All of it, when its writers are gone."""
        os.close(self.slave)
        self.thread.join()
        os.close(self.master)
        return b"".join(self.parts).decode().replace("\r\n", "\n")


@contextlib.contextmanager
def booted(program, standin, upper, options):
    """A host; UPPER: one that can be rebooted, and keeps its files then."""
    options = list(options)
    folder = None
    if upper:
        folder = tempfile.mkdtemp(prefix="e2e-", dir="/var/tmp")
        options += ["--upper", folder]
    try:
        with Host(program, standin, options=options) as host:
            yield host
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def run_file(doc, things, n_arguments=2, programs=(1, 2), prepare=None,
             upper=False, options=()):
    """main() of a file of tests, whose N_ARGUMENTS are followed by names of
    tests; those at PROGRAMS are the program and what plays kubelet. PREPARE is
    called with the host first."""
    if len(sys.argv) < 1 + n_arguments:
        print(doc, file=sys.stderr)
        return 2
    program, standin = (sys.argv[at] for at in programs)
    tests = [thing for name, thing in things.items()
             if name.startswith("test_")]
    try:
        need_host()
    except Skip as reason:
        print("1..0 # SKIP %s" % reason)
        return 0
    with booted(program, standin, upper, options) as host:
        if prepare:
            prepare(host)
        return run_tests(tests, host, sys.argv[1 + n_arguments:])
