# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests have in common: the failing node, and the ends."""

import fcntl
import os
import pty
import struct
import sys
import termios
import threading

from host_lib import FLAG, KEY, Host, Skip, need_host, run_tests

FALSE_FLAG = FLAG + "=false"
KEY_TRUE = ',\n  "%s": true' % KEY
KEY_FALSE = ',\n  "%s": false' % KEY
DIES = "stand-in was told to die"
LOST_OUTPUT = 74
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


def fix_in_wait(host, *words, control="healthy-after-ms=4000 when=true\n",
                **options):
    """A fix that waits for a slow new kubelet: the process, and the files."""
    before, _ = failing_node(host, control)
    process = host.spawn(["kubelet-remedy", "fix", "--wait=20", *words],
                         **options)
    if not host.wait_value("true"):
        host.finish(process, timeout=1)
        raise RuntimeError("no new kubelet was started")
    return process, before


class Terminal:
    """A pty of so many columns, and all that is written to it."""

    def __init__(self, columns):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))
        self.parts = []
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

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


def run_file(doc, things):
    """main() of a file of tests: PROGRAM STANDIN [TEST...]."""
    if len(sys.argv) < 3:
        print(doc, file=sys.stderr)
        return 2
    program, standin, only = sys.argv[1], sys.argv[2], sys.argv[3:]
    tests = [thing for name, thing in things.items()
             if name.startswith("test_")]
    try:
        need_host()
    except Skip as reason:
        print("1..0 # SKIP %s" % reason)
        return 0
    with Host(program, standin) as host:
        return run_tests(tests, host, only)
