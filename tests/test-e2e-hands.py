#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A fix that is not alone: a bus and a systemd that fail while it waits, others
who reload, a second run, and the fix that was put back before.

    test-e2e-hands.py PROGRAM STANDIN [TEST...]

Needs root; without it the whole is skipped.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

from e2e_lib import (DIES, FALSE_FLAG, QUICK, Terminal, check_fixed,
                     check_nothing_armed, check_put_back, check_untouched, end_well, failing_node, fix_in_wait, run_file)
from host_lib import BOOT, CONTROL, DROPIN, journald_stopped

DBUS = "dbus.socket dbus.service"
DIES_TOLD = "die-when-told=true when=true\n"


# --- the bus, while it waits

@contextlib.contextmanager
def no_bus(host):
    host.sh("systemctl stop " + DBUS)
    try:
        yield
    finally:
        host.sh("systemctl start " + DBUS)


def test_bus_restarted(host, tap):
    process, _ = fix_in_wait(host)
    tap.status(host.sh("systemctl restart dbus.service"), 0, "dbus-daemon")
    check_fixed(host, tap, end_well(host, process))
    check_nothing_armed(host, tap)


def test_bus_restarted_and_kubelet_dies(host, tap):
    process, before = fix_in_wait(host, control=DIES_TOLD)
    host.sh("systemctl restart dbus.service")
    host.tell("die")
    check_put_back(host, tap, host.finish(process), before)
    check_nothing_armed(host, tap)


def test_bus_gone(host, tap):
    """systemd has a socket of its own."""
    process, _ = fix_in_wait(host)
    with no_bus(host):
        result = end_well(host, process)
    check_fixed(host, tap, result)
    check_nothing_armed(host, tap)


def test_bus_gone_and_kubelet_dies(host, tap):
    process, before = fix_in_wait(host, control=DIES_TOLD)
    with no_bus(host):
        host.tell("die")
        result = host.finish(process)
    check_put_back(host, tap, result, before)
    check_nothing_armed(host, tap)


# --- journald, which writes when it comes to it

def test_journal_is_late(host, tap):
    """The words of the kubelet that died, and of no other one."""
    before, _ = failing_node(
        host, "die-after-ms=0 when=true stack-lines=200\n")
    with journald_stopped(host):
        process = host.spawn(["kubelet-remedy", "fix", "--wait=3", "-o",
                              "json"])
        tap.check(host.wait_starts(3) and host.is_healthy(),
                  "kubelet is back without journald")
    result = host.finish(process)
    check_put_back(host, tap, result, before)
    log = [line["text"] for line in json.loads(result.stdout)["log"]]
    tap.contains(log[0], DIES, "the reason of its end is there")
    log = "\n".join(log)
    tap.check("goroutine" not in log, "not the stacks behind it", log)
    tap.contains(log, "status=255", "and what systemd says of it")
    tap.check("Got signal 15" not in log, "not those of the one before", log)
    tap.check("start 3" not in log, "nor those of the one after", log)
    tap.check("Stopping" not in log, "nor what systemd said before", log)


def test_journal_says_nothing(host, tap):
    before, _ = failing_node(host, "die-after-ms=0 when=true\n")
    with journald_stopped(host):
        result, fix = host.remedy_json("fix", "--wait=3")
        check_put_back(host, tap, result, before)
    tap.equal(fix["log"], [], "there are no words")


# --- systemd, while it waits

@contextlib.contextmanager
def stopped(host):
    """systemd stands still, and with it all that it watches over."""
    pid = int(subprocess.run([BOOT, "pid", host.name], check=True,
                             capture_output=True, text=True).stdout)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_systemd_stands_still(host, tap):
    process, _ = fix_in_wait(host)
    with stopped(host):
        time.sleep(3)
    check_fixed(host, tap, end_well(host, process))
    check_nothing_armed(host, tap)


def test_systemd_stands_still_to_the_end(host, tap):
    """What is not heard of systemd is no illness of kubelet's."""
    process, _ = fix_in_wait(host)
    with stopped(host):
        host.tell("well")
        result = host.finish(process, 600)
    check_fixed(host, tap, result)
    tap.contains(result.stderr, "systemd does not answer", "it is said")


def test_systemd_stands_still_before(host, tap):
    """It answers nothing: nothing is changed, and the end comes in time."""
    before, was = failing_node(host)
    start = time.monotonic()
    with stopped(host):
        process = host.spawn(["kubelet-remedy", "fix", QUICK])
        result = host.finish(process, 100)
    check_untouched(host, tap, result, before, was)
    tap.check(time.monotonic() - start < 90, "in time",
              time.monotonic() - start)


def test_daemon_reload(host, tap):
    """Somebody installs packages meanwhile."""
    process, _ = fix_in_wait(host)
    reloads = host.sh("for i in 1 2 3 4 5 6; do systemctl daemon-reload "
                      "|| exit; sleep 0.3; done")
    tap.status(reloads, 0, "reloads")
    check_fixed(host, tap, end_well(host, process))
    check_nothing_armed(host, tap)


def test_daemon_reload_and_kubelet_dies(host, tap):
    """The timer is still there after them, and goes with the end."""
    process, before = fix_in_wait(host, control=DIES_TOLD)
    host.sh("systemctl daemon-reload; systemctl daemon-reexec")
    host.tell("die")
    check_put_back(host, tap, host.finish(process), before)
    check_nothing_armed(host, tap)


# --- kubelet, restarted by somebody else

WATCHER = "/etc/systemd/system/kubelet-watcher"


@contextlib.contextmanager
def watcher(host, seconds):
    """A path unit that restarts kubelet for each change of its drop-in."""
    host.write(WATCHER + ".path", "[Path]\nPathChanged=%s\n" % DROPIN)
    host.write(WATCHER + ".service", "[Service]\nType=oneshot\nExecStart="
               "sh -c 'sleep %s; systemctl restart kubelet'\n" % seconds)
    host.sh("systemctl daemon-reload; systemctl start kubelet-watcher.path")
    try:
        yield
    finally:
        host.sh("systemctl stop kubelet-watcher.path kubelet-watcher;"
                " rm %s.*; systemctl daemon-reload" % WATCHER)


def test_restarted_by_others(host, tap):
    process, _ = fix_in_wait(host)
    time.sleep(1)
    host.sh("systemctl restart kubelet.service")
    result = end_well(host, process)
    check_fixed(host, tap, result)
    tap.contains(result.stderr, "others restarted", "it is said")
    check_nothing_armed(host, tap)


def test_restarted_by_others_slowly(host, tap):
    """It takes its time to stop."""
    failing_node(host, "ignore-term=true start=2\n",
                 service="TimeoutStopSec=2")
    process = host.spawn(["kubelet-remedy", "fix", "--wait=20"])
    host.wait_value("true")
    time.sleep(1)
    host.sh("systemctl restart --no-block kubelet.service")
    check_fixed(host, tap, host.finish(process))


def test_restarted_by_others_and_it_dies(host, tap):
    process, before = fix_in_wait(
        host, control="die-after-ms=2500 when=true from-start=3\n")
    time.sleep(1)
    host.sh("systemctl restart kubelet.service")
    check_put_back(host, tap, host.finish(process), before)


def test_restarted_by_others_for_ever(host, tap):
    """There must be an end, and nobody has seen it settle: the second time is
    too much. Nobody disliked the change either."""
    before, _ = failing_node(host)
    loop = host.spawn(["bash", "-c", "for i in {1..5}; do sleep 3;"
                       " systemctl restart kubelet.service; done"])
    result = host.remedy("fix", "--wait=10")
    tap.status(host.finish(loop), 0, "the others")
    check_put_back(host, tap, result, before)
    tap.contains(result.stdout, "others restarted kubelet twice",
                 "it is said")
    check_fixed(host, tap, host.remedy("fix"))


def test_restarted_by_a_path_unit(host, tap):
    for seconds in (0, 2):
        failing_node(host)
        with watcher(host, seconds):
            result = host.remedy("fix", "--wait=20")
            check_fixed(host, tap, result)
            tap.status(host.remedy("undo", "--wait=20"), 0, "undo")
            tap.check(host.is_healthy(), "kubelet is healthy")


# --- a shutdown, or what is like one

SLOW = """\
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=true
ExecStop=sleep 30
"""
GATE = """\
[Unit]
Conflicts=kubelet.service slow.service
[Service]
ExecStart=sleep 60
"""
UNITS = "/etc/systemd/system/"


def test_stop_is_on_its_way(host, tap):
    """systemd takes no other wish then: kubelet was never touched."""
    host.write(UNITS + "slow.service", SLOW)
    host.write(UNITS + "gate.service", GATE)
    before, was = failing_node(host, unit="Before=slow.service")
    host.sh("systemctl start slow.service; systemctl start --no-block"
            " --job-mode=replace-irreversibly gate.service")
    try:
        tap.contains(host.sh("systemctl list-jobs").stdout, "kubelet.service",
                     "kubelet is about to be stopped")
        result = host.remedy("fix", QUICK)
        check_untouched(host, tap, result, before, was)
        tap.contains(result.stdout + result.stderr, "shutdown",
                     "what is in the way is said")
        check_nothing_armed(host, tap)
    finally:
        host.sh("systemctl cancel; systemctl kill -s KILL slow.service;"
                " systemctl stop gate.service;"
                " rm %sslow.service %sgate.service" % (UNITS, UNITS))


# --- a second run

def test_second_run_waits(host, tap):
    """It says what it waits for, and then finds nothing more to do."""
    process, _ = fix_in_wait(host)
    terminal = Terminal(80)
    second = host.spawn(["kubelet-remedy", "fix", "--wait=100"],
                        stderr=terminal.slave)
    waits = terminal.wait("waiting for another run of this program")
    check_fixed(host, tap, end_well(host, process))
    second = host.finish(second)
    tap.status(second, 0, "the second run")
    tap.check(waits, "it says so", terminal.text())
    tap.contains(second.stdout, "nothing was changed", "it changes nothing")
    tap.equal(len(host.remedy_json("history")[1].get("transactions", [])), 1,
              "there was one fix")


def test_second_run_ends(host, tap):
    """One that has no more time says why; the first one goes on."""
    process, _ = fix_in_wait(host)
    for words in (["fix", "--wait=1"], ["undo", "--wait=1"]):
        second = host.remedy(*words)
        if words[0] == "fix":
            tap.status(second, 4, "fix")
            tap.contains(second.stdout + second.stderr, "another run",
                         "fix: the reason")
        else: # there is no fix yet that stands
            tap.check(second.status in (1, 4), "undo", second)
    check_fixed(host, tap, end_well(host, process))


def test_second_run_interrupted(host, tap):
    """A signal ends the one that waits, and leaves the other alone."""
    process, _ = fix_in_wait(host)
    first = host.programs()
    terminal = Terminal(80)
    second = host.spawn(["kubelet-remedy", "fix", "--wait=100"],
                        stderr=terminal.slave)
    tap.check(terminal.wait("waiting for another run"), "it waits")
    tap.equal(host.signal_program(signal.SIGTERM, first), 1, "it is ended")
    result = host.finish(second)
    terminal.text()
    tap.status(result, 4, "the second run")
    tap.contains(result.stdout, "interrupted", "it says so")
    check_fixed(host, tap, end_well(host, process))


# --- a fix that was put back before

def test_not_tried_again(host, tap):
    before, _ = failing_node(host, "die-after-ms=300 when=true\n")
    check_put_back(host, tap, host.remedy("fix", "--wait=3"), before)
    was = host.identity()
    for words in ([], ["-n"], ["--restart=always"]):
        result, fix = host.remedy_json("fix", *words)
        check_untouched(host, tap, result, before, was)
        tap.equal(fix.get("outcome"), "refused", "outcome")
        result = host.remedy("fix", *words)
        tap.matches(result.stdout, r"(?m)^(# )?next: .*--retry", "the way out")
        tap.matches(result.stdout, "made at 20.* was rolled back", "and when")
    result = host.remedy("fix", "-n", user="nobody")
    tap.status(result, 1, "a preview of somebody who may not read the records")
    tap.contains(result.stderr, "rolled back before is unknown", "is told so")
    tap.check("error: " not in result.stderr, "it is no error", result.stderr)
    result = host.remedy("undo", user="nobody")
    tap.status(result, 4, "an undo of the same")
    tap.contains(result.stdout + result.stderr, "run this with sudo",
                 "is told what is missing")
    result = host.remedy("fix", "--retry", "--wait=3")
    check_put_back(host, tap, result, before)
    host.write(CONTROL, "")
    check_untouched(host, tap, host.remedy("fix", QUICK), before,
                    host.identity())
    check_fixed(host, tap, host.remedy("fix", "--retry", QUICK))


def test_tried_again_on_other_bytes(host, tap):
    before, _ = failing_node(host, "die-after-ms=300 when=true\n")
    check_put_back(host, tap, host.remedy("fix", "--wait=3"), before)
    host.write(DROPIN, host.read(DROPIN) + b"# another line\n")
    host.sh("systemctl daemon-reload")
    before = host.snapshot()
    check_put_back(host, tap, host.remedy("fix", "--wait=3"), before)
    host.write(DROPIN, host.read(DROPIN).replace(
        b"# another line\n", b""))
    host.sh("systemctl daemon-reload")
    tap.status(host.remedy("fix", "--wait=3"), 4, "the first bytes again")
    tap.check(FALSE_FLAG in host.argv(), "kubelet runs as before",
              host.argv())


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
