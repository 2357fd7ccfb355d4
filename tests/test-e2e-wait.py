#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What comes between: signals, a full disk and other hands during a fix.

    test-e2e-wait.py PROGRAM STANDIN [TEST...]

Needs root; without it the whole is skipped.
"""

import os
import shutil
import signal
import subprocess
import sys
import termios
import time

from e2e_lib import (DIES, FALSE_FLAG, KEY_FALSE, LOST_OUTPUT, QUICK,
                     Terminal, check_fixed, check_put_back, check_untouched,
                     end_well, failing_node, fix_in_wait, run_file)
from host_lib import (CONFIG, CONFIG_TEXT, CONTROL, DROPIN, DROPIN_TEXT, FLAG,
                      UNIT, Skip)

STATE_DIR = "/var/lib/kubelet-remedy"
TOLD = "healthy-when-told=true die-when-told=true when=true\n"


# --- signals at a given moment

RENAMES = "renameat,renameat2"


def struck(host, calls, number, nth, *words):
    """A fix that gets the signal at its NTH of these system calls."""
    if not shutil.which("strace"):
        raise Skip("strace is not there")
    return host.run([
        "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + calls,
        "-e", "inject=%s:signal=%s:when=%d" % (calls, number.name, nth),
        "kubelet-remedy", "fix", "--wait=2", *words])


def test_sigterm_at_the_first_file(host, tap):
    """All is put back at once: kubelet has seen nothing of it."""
    before, was = failing_node(host)
    for nth in range(1, 10):
        result = struck(host, RENAMES, signal.SIGTERM, nth)
        if result.status != 4:
            break
        tap.equal(host.snapshot(), before, "the record: nothing is changed")
    check_put_back(host, tap, result, before)
    tap.equal(host.identity(), was, "kubelet is not touched")
    check_fixed(host, tap, host.remedy("fix", "--wait=1"), was)


def test_sigterm_at_each_rename(host, tap):
    """Nothing, all back, or all done and the loss told: never 0."""
    before, was = failing_node(host)
    ends = []
    for nth in range(1, 20):
        # --retry: what undo took back is not made again by the way
        result = struck(host, RENAMES, signal.SIGTERM, nth,
                        "--restart=never", "--retry")
        ends.append(result.status)
        if result.status in (0, LOST_OUTPUT):
            tap.check(FLAG.encode() not in host.read(DROPIN),
                      "rename %d: the change stands" % nth)
            host.remedy("undo", "--restart=never")
        tap.equal(host.snapshot(), before, "rename %d: old bytes" % nth)
        if result.status == 0:
            break
    tap.equal(host.identity(), was, "kubelet is never touched")
    tap.equal([end for i, end in enumerate(ends) if end not in ends[:i]],
              [4, 5, LOST_OUTPUT, 0], "before, within, after, not at all")


def test_sigint_before_the_first_write(host, tap):
    before, was = failing_node(host)
    result = struck(host, "mkdirat", signal.SIGINT, 1)
    check_untouched(host, tap, result, before, was)
    tap.contains(result.stdout, "interrupted", "it says so")


# --- a terminal that takes nothing more

def dies_unseen(host, tap, terminal=None):
    """A fix that is to be put back, while nobody lets it speak."""
    before, _ = failing_node(host, "die-after-ms=1500 when=true\n")
    process = host.spawn(["kubelet-remedy", "fix", "--wait=4"],
                         stderr=terminal or subprocess.PIPE)
    if not host.wait_value("true"):
        raise RuntimeError("no new kubelet was started")
    return process, before


def check_goes_on(host, tap, process, before):
    """In time, that is; what it says at the end may have to wait."""
    back = host.wait_value("false", 15)
    tap.check(back, "everything is put back meanwhile")
    for _ in range(100):
        if not os.path.exists(host.root + STATE_DIR + "/pending"):
            break
        time.sleep(0.1)
    tap.check(host.is_healthy(), "kubelet is healthy again")
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")


def test_terminal_is_halted(host, tap):
    """Ctrl-S, or a connection that hangs."""
    host.write("/etc/kubelet-remedy/waivers", "no-such-setting because\n")
    terminal = Terminal(80)
    termios.tcflow(terminal.slave, termios.TCOOFF)
    process, before = dies_unseen(host, tap, terminal.slave)
    check_goes_on(host, tap, process, before)
    termios.tcflow(terminal.slave, termios.TCOON)
    check_put_back(host, tap, host.finish(process), before)
    text = terminal.text()
    host.remove("/etc/kubelet-remedy/waivers")
    tap.contains(text, "no-such-setting", "what it had to say is not lost")


def test_terminal_stops_jobs(host, tap):
    """Ctrl-Z, and writing from the background with stty tostop."""
    process, before = dies_unseen(host, tap)
    for number in (signal.SIGTSTP, signal.SIGTTOU):
        tap.equal(host.signal_program(number), 1, number.name)
    check_goes_on(host, tap, process, before)
    check_put_back(host, tap, host.finish(process), before)


# --- no room for the record

class Full:
    """/var/lib/kubelet-remedy on a small disk of its own, to be filled."""

    def __init__(self, host):
        self.host = host

    def __enter__(self):
        made = self.host.sh("mkdir -p %s && mount -t tmpfs -o size=64k,"
                            "mode=700 tmpfs %s" % (STATE_DIR, STATE_DIR))
        if made.status:
            raise RuntimeError(made.stderr)
        return self

    def fill(self):
        self.host.sh("cat /dev/zero >%s/fill" % STATE_DIR)

    def __exit__(self, *_):
        self.host.sh("umount %s" % STATE_DIR)


class Limited:
    """A limit of file sizes (ulimit -f) for a fix that is at work."""

    def __init__(self, host):
        self.host = host

    def __enter__(self):
        return self

    def fill(self):
        done = self.host.sh("prlimit --fsize=10 --pid=$(pidof kubelet-remedy)")
        if done.status:
            raise RuntimeError(done.stderr)

    def __exit__(self, *_):
        pass


def full_in_wait(host, word, disk=Full):
    """A fix whose DISK gets full while it waits for a kubelet that is told
    WORD then: its result, the old files."""
    before, _ = failing_node(host, TOLD)
    with disk(host) as full:
        process = host.spawn(["kubelet-remedy", "fix", "--wait=100"])
        started = host.wait_value("true")
        full.fill()
        host.tell(word)
        result = host.finish(process)
    if not started:
        raise RuntimeError("no new kubelet was started: " + result.stderr)
    return result, before


def test_full_and_kubelet_dies(host, tap):
    result, before = full_in_wait(host, "die")
    check_put_back(host, tap, result, before)
    tap.equal(host.show()["NeedDaemonReload"], "no", "systemd was told")
    tap.check(FALSE_FLAG in host.argv(), "kubelet runs as before",
              host.argv())
    tap.contains(result.stderr + result.stdout, DIES, "the reason is shown")
    tap.contains(result.stdout + result.stderr, "No space left", "and what is full")


def test_full_at_the_end(host, tap):
    """A change that could not be undone later is better undone now."""
    result, before = full_in_wait(host, "well")
    check_put_back(host, tap, result, before)
    tap.check(FALSE_FLAG in host.argv(), "kubelet runs as before",
              host.argv())
    tap.contains(result.stdout, "record", "the reason is shown")
    tap.contains(result.stdout + result.stderr, "No space left", "and what is full")


def test_limited_and_kubelet_dies(host, tap):
    result, before = full_in_wait(host, "die", Limited)
    check_put_back(host, tap, result, before)
    tap.check(FALSE_FLAG in host.argv(), "kubelet runs as before",
              host.argv())
    tap.contains(result.stdout + result.stderr, "No space left", "and what is full")


def test_limited_at_the_end(host, tap):
    result, before = full_in_wait(host, "well", Limited)
    check_put_back(host, tap, result, before)
    tap.check(FALSE_FLAG in host.argv(), "kubelet runs as before",
              host.argv())
    tap.contains(result.stdout, "record", "the reason is shown")
    tap.contains(result.stdout + result.stderr, "No space left", "and what is full")


def test_full_before(host, tap):
    before, was = failing_node(host)
    with Full(host) as full:
        full.fill()
        result = host.remedy("fix", "--wait=3")
    check_untouched(host, tap, result, before, was)
    tap.contains(result.stdout + result.stderr, "No space left",
                 "what is full is said")


# --- other hands

def test_edited_in_the_wait(host, tap):
    """A new kubelet that is true and a file that is false is not done; kubelet
    is well all the same."""
    process, before = fix_in_wait(host)
    text = CONFIG_TEXT % KEY_FALSE
    host.write(CONFIG, text)
    host.tell("well")
    result = host.finish(process)
    tap.status(result, 4, "fix")
    tap.equal(host.read(CONFIG).decode(), text, "the other's bytes stay")
    tap.equal(host.read(DROPIN), before[DROPIN][3], "and ours are put back")
    tap.check(host.is_healthy(), "kubelet is healthy")
    tap.equal(host.starts(), 2, "and was not restarted once more")
    tap.matches(result.stdout, "^FAILED .*others changed kubelet's files",
                "what has happened is said")
    tap.status(host.remedy("audit"), 1, "audit afterwards")


def test_rewritten_in_the_wait(host, tap):
    """The very file that fix wrote."""
    process, before = fix_in_wait(host)
    text = DROPIN_TEXT % ("--node-ip=192.0.2.30 --v=4 " + FALSE_FLAG)
    host.write(DROPIN, text)
    host.sh("systemctl daemon-reload")
    host.tell("well")
    result = host.finish(process)
    tap.status(result, 4, "fix")
    tap.equal(host.read(DROPIN).decode(), text, "the other's bytes stay")
    tap.equal(host.read(CONFIG), before[CONFIG][3], "the config is as it was")
    tap.equal(host.starts(), 2, "kubelet was not restarted once more")
    tap.matches(result.stdout, "^FAILED .*%s was rewritten while kubelet was "
                "being started" % DROPIN, "which file is said")


def test_unit_removed_in_the_wait(host, tap):
    """No unit is no pass: the next boot has no kubelet."""
    process, _ = fix_in_wait(host)
    host.sh("rm %s; systemctl daemon-reload" % UNIT)
    host.tell("well")
    result = host.finish(process)
    tap.status(result, 4, "fix")
    tap.contains(result.stdout, "kubelet.service", "what is gone is said")
    tap.status(host.remedy("audit"), 3, "audit afterwards")


def test_edited_in_the_wait_and_it_dies(host, tap):
    """What others wrote is not written over, not even to put a file back."""
    process, _ = fix_in_wait(host, control="die-when-told=true when=true\n")
    text = DROPIN_TEXT % "--node-ip=192.0.2.30 --v=4"
    host.write(DROPIN, text)
    host.tell("die")
    result = host.finish(process)
    tap.status(result, 6, "fix")
    tap.equal(host.read(DROPIN).decode(), text, "the other's bytes stay")
    tap.matches(result.stderr, r"%s: was written by others.*%s/\S+/0" % (
        DROPIN, STATE_DIR), "file and copy are named")
    host.write(CONTROL, "")
    host.sh("systemctl reset-failed kubelet.service;"
            " systemctl restart kubelet.service")
    tap.check(host.is_healthy(), "kubelet is healthy again")
    tap.status(host.remedy("fix", QUICK), 0, "the next fix goes on from there")
    tap.equal(host.read(DROPIN).decode(), text, "and leaves the bytes alone")


# --- a compliant node

def test_always_and_it_dies(host, tap):
    """No file was touched: there is nothing to be put back."""
    host.node("", control="die-after-ms=300 start=2\n")
    before = host.snapshot()
    result = host.remedy("fix", "--restart=always", "--wait=3")
    check_put_back(host, tap, result, before, value="true")
    said = result.stdout + result.stderr
    tap.check("put back" not in said, "nothing was put back", said)
    tap.contains(result.stdout, "healthy again", "the end is said")
    tap.contains(said, DIES, "the reason is shown")


def test_always_and_it_stays_dead(host, tap):
    host.node("", control="die-after-ms=300 from-start=2\n")
    before = host.snapshot()
    result = host.remedy("fix", "--restart=always", "--wait=3")
    tap.status(result, 6, "fix")
    tap.equal(host.snapshot(), before, "no file is changed")
    said = result.stdout + result.stderr
    tap.check("put back" not in said and "old files" not in said,
              "nothing was put back", said)
    host.write(CONTROL, "")


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
