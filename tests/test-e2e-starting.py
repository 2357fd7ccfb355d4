#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A kubelet that is on its way when fix or undo comes, and one that stays ill.

    test-e2e-starting.py PROGRAM STANDIN [TEST...]

Needs root; without it the whole is skipped.
"""

import shutil
import sys
import time

from e2e_lib import FALSE_FLAG, check_fixed, failing_node, run_file
from host_lib import CONTROL, DROPIN, KEY, UNIT, Skip, wait_for

STILL = "still runs with %s = false" % KEY


def restarted(host, control="healthy-after-ms=3000\n", **options):
    """A failing node whose kubelet was restarted a moment ago."""
    before, _ = failing_node(host, control, **options)
    host.sh("systemctl restart --no-block kubelet; sleep 0.3")
    return before


# --- waited for

def test_fix(host, tap):
    """What a handler does behind a restart of its own."""
    restarted(host)
    result = host.remedy("fix", "-q")
    check_fixed(host, tap, result)
    tap.check(result.seconds > 8, "it waited for two kubelets", result.seconds)


def test_undo(host, tap):
    before = restarted(host)
    check_fixed(host, tap, host.remedy("fix"))
    host.sh("systemctl restart --no-block kubelet; sleep 0.3")
    tap.status(host.remedy("undo"), 0, "undo")
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")
    tap.equal(host.value(), "false", "kubelet decides as before")


def test_type_notify(host, tap):
    """Its start job runs until it is well."""
    restarted(host, service="Type=notify")
    check_fixed(host, tap, host.remedy("fix"))


def test_files_are_right_already(host, tap):
    """Nothing is to be written, but what runs is false."""
    restarted(host)
    host.remedy("fix", "--restart=never")
    host.write(CONTROL, "healthy-after-ms=3000\n")
    host.sh("systemctl restart --no-block kubelet; sleep 0.3")
    check_fixed(host, tap, host.remedy("fix"))


def test_on_its_way_down(host, tap):
    """It takes its time to stop, and is not started by a fix."""
    failing_node(host, "ignore-term=true\n", service="TimeoutStopSec=3")
    host.sh("systemctl stop --no-block kubelet; sleep 0.3")
    result = host.remedy("fix")
    tap.status(result, 0, "fix")
    tap.check(result.seconds > 2, "it was waited for", result.seconds)
    tap.equal(host.show()["ActiveState"], "failed", "and is not started")


def test_it_dies_while_it_is_waited_for(host, tap):
    """A late death is no reason to put a right change back."""
    failing_node(host, "healthy-after-ms=2000 die-after-ok-ms=300 "
                 "from-start=2\n", service="Restart=no")
    host.sh("systemctl restart --no-block kubelet; sleep 0.1")
    result = host.remedy("fix")
    tap.status(result, 0, "fix")
    tap.contains(result.stderr, "was not healthy before", "it is said")
    tap.check(FALSE_FLAG.encode() not in host.read(DROPIN),
              "the files are right")


def test_preview(host, tap):
    """It waits for nothing, and says what it has seen."""
    before = restarted(host)
    result = host.remedy("fix", "-n")
    tap.status(result, 1, "fix -n")
    tap.check(result.seconds < 2, "at once", result.seconds)
    tap.contains(result.stderr, "kubelet is starting", "it is said")
    tap.contains(result.stdout, "kubelet.service is restarted",
                 "kubelet would be restarted")
    tap.equal(host.snapshot(), before, "no file is changed")


# --- not waited for

def test_never(host, tap):
    restarted(host)
    result = host.remedy("fix", "--restart=never", "-q")
    tap.status(result, 0, "fix")
    tap.check(result.seconds < 2, "at once", result.seconds)
    tap.contains(result.stderr, STILL, "what runs is said, with -q too")


def count_calls(host, *words):
    """What the boot unit asks of others: messages and connections."""
    result = host.run(["strace", "-f", "-c", "-e", "trace=sendmsg,connect",
                       "-o", "/run/calls", "kubelet-remedy", "fix", "-q",
                       "--restart=never", *words])
    if result.status:
        raise RuntimeError(result.stderr)
    # % time, seconds, usecs/call, calls, errors where there were any
    return int(host.read("/run/calls").decode().splitlines()[-1].split()[3])


def test_never_costs_the_same(host, tap):
    """The boot unit, before each start: a kubelet that is starting costs it no
    more than one that is well."""
    if not shutil.which("strace"):
        raise Skip("strace is not there")
    host.node("")
    well = count_calls(host)
    host.write(CONTROL, "healthy-after-ms=3000\n")
    host.sh("systemctl restart --no-block kubelet; sleep 0.3")
    tap.equal(count_calls(host), well, "messages and connections")


def test_disk_is_invalid(host, tap):
    """It cannot come up."""
    host.node("", config=',\n  "%s": "true"' % KEY, start=False)
    host.sh("systemctl start --no-block kubelet; sleep 0.05")
    result = host.remedy("fix")
    check_fixed(host, tap, result)
    tap.check(result.seconds < 8, "at once", result.seconds)


def test_automatic_restart(host, tap):
    """Nor does one that systemd starts again and again."""
    failing_node(host, "die-after-ms=300 from-start=2\n",
                 service="Restart=always\nRestartSec=3")
    host.sh("systemctl restart kubelet")
    host.wait_dead()
    result = host.remedy("fix")
    tap.status(result, 0, "fix")
    tap.check(result.seconds < 2, "at once", result.seconds)


def test_restarts_while_it_is_waited_for(host, tap):
    """systemd counts them."""
    host.node(FALSE_FLAG)
    host.write(CONTROL, "healthy-after-ms=1200 die-after-ms=1300\n")
    host.sh("sed -i s/^RestartSec=.*/RestartSec=100ms/ %s;"
            " systemctl daemon-reload; systemctl restart --no-block kubelet;"
            " sleep 0.2" % UNIT)
    result = host.remedy("fix")
    tap.check(result.seconds < 8, "an end is made", result.seconds)
    tap.check(result.status in (0, 1), "the files are fixed", result)
    tap.check(FALSE_FLAG.encode() not in host.read(DROPIN), "and stay so")


def test_a_loop_is_seen_when_it_is_well(host, tap):
    """One ok of a kubelet that systemd starts again and again says nothing."""
    host.node(FALSE_FLAG)
    host.write(CONTROL, "die-after-ok-ms=1500\n")
    host.sh("sed -i s/^RestartSec=.*/RestartSec=100ms/ %s;"
            " systemctl daemon-reload; systemctl restart kubelet" % UNIT)
    host.is_healthy() # so that it dies
    wait_for(lambda: host.show()["NRestarts"] != "0")
    host.is_healthy()
    result = host.remedy("fix")
    tap.check(result.status in (0, 1), "the files are fixed", result)
    tap.contains(result.stderr, "was not healthy before", "it is said")


BOOT = """\
[Unit]
Before=kubelet.service
[Service]
Type=oneshot
ExecStart=/usr/bin/kubelet-remedy fix -q
[Install]
WantedBy=kubelet.service
"""


def boot_unit(host, text=BOOT):
    host.write("/etc/systemd/system/our-boot.service", text)
    host.sh("systemctl daemon-reload; systemctl enable our-boot.service")


def end_boot_unit(host):
    host.sh("systemctl disable our-boot.service;"
            " rm /etc/systemd/system/our-boot.service;"
            " systemctl daemon-reload; systemctl reset-failed")


def timed(host, command):
    start = time.monotonic()
    result = host.sh(command)
    return result, time.monotonic() - start


def test_start_waits_for_us(host, tap):
    """A unit of somebody's own that runs fix before kubelet, without
    --restart=never: the two would wait for each other."""
    host.node(FALSE_FLAG, start=False)
    boot_unit(host)
    try:
        result, seconds = timed(host, "systemctl start kubelet.service")
        tap.status(result, 0, "start")
        tap.check(seconds < 5, "kubelet's start is not held up", seconds)
        tap.equal(host.value(), "true", "and it starts with true")
    finally:
        end_boot_unit(host)


def test_restart_waits_for_us(host, tap):
    """The same where kubelet runs, and is healthy."""
    host.node(FALSE_FLAG)
    boot_unit(host)
    try:
        result, seconds = timed(host, "systemctl restart kubelet.service")
        tap.status(result, 0, "restart")
        tap.check(seconds < 8, "kubelet's start is not held up", seconds)
        tap.equal(host.value(), "true", "and it starts with true")
    finally:
        end_boot_unit(host)


def test_start_waits_for_us_on_an_invalid_disk(host, tap):
    """Also where a restart would be what the disk calls for."""
    host.node("", config=',\n  "%s": "true"' % KEY, start=False)
    boot_unit(host)
    try:
        result, seconds = timed(host, "systemctl start kubelet.service")
        tap.status(result, 0, "start")
        tap.check(seconds < 8, "kubelet's start is not held up", seconds)
        tap.check(host.is_healthy() and host.value() == "true",
                  "and it starts with true")
    finally:
        end_boot_unit(host)


def test_in_kubelets_own_unit(host, tap):
    """As its ExecStartPre=: kubelet waits for us."""
    host.node(FALSE_FLAG, start=False,
              service="ExecStartPre=-/usr/bin/kubelet-remedy fix -q")
    result, seconds = timed(host, "systemctl start kubelet.service")
    tap.status(result, 0, "start")
    tap.check(seconds < 5, "kubelet's start is not held up", seconds)
    tap.check(FALSE_FLAG.encode() not in host.read(DROPIN),
              "the files are right")


# --- what runs stays false

def ill(host):
    """A kubelet that runs with false and is never well."""
    failing_node(host, "never-healthy=500 from-start=2\n")
    host.sh("systemctl restart kubelet")
    return host.identity()


def test_ill(host, tap):
    was = ill(host)
    result = host.remedy("fix", "--wait=2")
    tap.status(result, 1, "fix")
    tap.matches(result.stdout, "^PARTLY FIXED.*kubelet still runs with .* = "
                "false: it was not restarted", "the first line says it")
    tap.contains(result.stdout, DROPIN, "what was changed is said")
    tap.contains(result.stderr, STILL, "it is a warning")
    tap.equal(host.identity(), was, "kubelet is not touched")
    tap.check(FALSE_FLAG.encode() not in host.read(DROPIN),
              "the files are right")
    for words in (["-q"], []):
        result = host.remedy("fix", "--wait=2", *words)
        tap.status(result, 1, "fix once more")
        tap.contains(result.stderr, STILL, "it is a warning still")
    result, fix = host.remedy_json("fix", "--wait=2")
    tap.equal(fix["outcome"], "partly-fixed", "outcome")
    result = host.remedy("fix", "--wait=2", "--restart=never", "-q")
    tap.status(result, 0, "never: what was asked for is done")
    tap.contains(result.stderr, STILL, "never: what runs is said")


def test_ill_and_told_to_restart(host, tap):
    ill(host)
    host.write(CONTROL, "")
    check_fixed(host, tap, host.remedy("fix", "--restart=always", "--wait=3"))


# --- a crash loop proves nothing

def test_crash_loop(host, tap):
    """Each process lives for 0.1 s, on what it will refuse."""
    host.node("", config=',\n  "%s": "true"' % KEY, start=False,
              service="Restart=always")
    host.sh("sed -i s/^RestartSec=.*/RestartSec=100ms/ %s;"
            " systemctl daemon-reload; systemctl start kubelet" % UNIT)
    statuses = {host.remedy("audit").status for _ in range(25)}
    tap.equal(statuses, {3}, "audit has no verdict")
    words = {host.remedy("audit").stdout.split()[0] for _ in range(25)}
    tap.equal(words, {"INVALID"}, "audit says invalid each time")
    statuses = {host.remedy("fix", "-n").status for _ in range(25)}
    tap.equal(statuses, {1}, "a preview is never refused")
    check_fixed(host, tap, host.remedy("fix"))


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
