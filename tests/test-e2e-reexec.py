#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""systemd is re-executed by somebody else, as its upgrade does, or reloaded,
in each phase of a fix, an undo and the way back.

    test-e2e-reexec.py PROGRAM STANDIN [TEST...]

Needs root; without it the whole is skipped.
"""

import sys
import time

from e2e_lib import (FALSE_FLAG, check_fixed, check_nothing_armed,
                     check_put_back, end_well, failing_node, fix_in_wait,
                     run_file)
from host_lib import wait_for


def reexec(host, times=1, pause=0.0):
    for _ in range(times):
        host.sh("systemctl daemon-reexec")
        time.sleep(pause)


def meanwhile(host, argv, what, seconds):
    """ARGV, with WHAT again and again for SECONDS from its start on."""
    process = host.spawn(argv)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        what(host)
    return host.finish(process)


# --- a fix

def test_in_the_wait(host, tap):
    process, _ = fix_in_wait(host)
    reexec(host)
    check_fixed(host, tap, end_well(host, process))
    check_nothing_armed(host, tap)


def test_ten_in_a_row(host, tap):
    process, _ = fix_in_wait(host)
    reexec(host, 10)
    check_fixed(host, tap, end_well(host, process))
    check_nothing_armed(host, tap)


def test_from_the_beginning_to_the_end(host, tap):
    """Reading, arming, Reload, RestartUnit, the wait, the last audit."""
    failing_node(host)
    result = meanwhile(host, ["kubelet-remedy", "fix"], reexec, 8)
    check_fixed(host, tap, result)
    check_nothing_armed(host, tap)


def test_at_the_restart(host, tap):
    """Its job is at work: it survives, and its end may be told to nobody."""
    failing_node(host, "ignore-term=true start=1\n",
                 service="TimeoutStopSec=2")
    process = host.spawn(["kubelet-remedy", "fix"])
    wait_for(lambda: host.show()["ActiveState"] == "deactivating", 20, 0.02)
    reexec(host, 5, 0.3)
    check_fixed(host, tap, host.finish(process))
    check_nothing_armed(host, tap)


def test_while_it_settles(host, tap):
    failing_node(host)
    process = host.spawn(["kubelet-remedy", "fix"])
    host.wait_value("true")
    time.sleep(1)
    reexec(host, 12, 0.3)
    check_fixed(host, tap, host.finish(process))


def test_with_type_notify(host, tap):
    """The start job runs until kubelet is well."""
    failing_node(host, "healthy-when-told=true when=true\n",
                 service="Type=notify")
    process = host.spawn(["kubelet-remedy", "fix", "--wait=100"])
    host.wait_value("true")
    reexec(host, 3, 0.2)
    check_fixed(host, tap, end_well(host, process))


def test_over_the_private_socket(host, tap):
    failing_node(host)
    host.sh("systemctl stop dbus.socket dbus.service")
    try:
        result = meanwhile(host, ["kubelet-remedy", "fix"], reexec, 7)
    finally:
        host.sh("systemctl start dbus.socket dbus.service")
    check_fixed(host, tap, result)
    check_nothing_armed(host, tap)


# --- the way back

def test_and_kubelet_dies(host, tap):
    process, before = fix_in_wait(host,
                                  control="die-when-told=true when=true\n")
    reexec(host, 3)
    host.tell("die")
    check_put_back(host, tap, host.finish(process), before)
    check_nothing_armed(host, tap)


def test_on_the_way_back(host, tap):
    before, _ = failing_node(host, "die-after-ms=300 when=true\n")
    process = host.spawn(["kubelet-remedy", "fix"])
    host.wait_value("true")
    end = time.monotonic() + 7
    while time.monotonic() < end:
        reexec(host)
    check_put_back(host, tap, host.finish(process), before)
    check_nothing_armed(host, tap)


# --- an undo

def test_undo(host, tap):
    before, _ = failing_node(host)
    check_fixed(host, tap, host.remedy("fix"))
    result = meanwhile(host, ["kubelet-remedy", "undo"], reexec, 8)
    tap.status(result, 0, "undo")
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")
    tap.equal(host.value(), "false", "kubelet decides as before")
    check_nothing_armed(host, tap)


# --- a kubelet that is starting

def test_starting(host, tap):
    failing_node(host, "healthy-after-ms=3000\n")
    host.sh("systemctl restart --no-block kubelet; sleep 0.3")
    result = meanwhile(host, ["kubelet-remedy", "fix"], reexec, 5)
    check_fixed(host, tap, result)


# --- a reload, which is the same without the gap

def test_reload_all_the_time(host, tap):
    failing_node(host)
    result = meanwhile(host, ["kubelet-remedy", "fix"],
                       lambda h: h.sh("systemctl daemon-reload"), 8)
    check_fixed(host, tap, result)
    check_nothing_armed(host, tap)


# --- an audit

def test_audit(host, tap):
    """It does not take a systemd that is re-executed for one that is down."""
    host.node(FALSE_FLAG)
    end = time.monotonic() + 6
    loop = host.spawn(["bash", "-c", "for i in {1..40}; do"
                       " systemctl daemon-reexec; done"])
    blind, n = [], 0
    while time.monotonic() < end:
        result = host.remedy("audit")
        n += 1
        if result.status != 1 or "systemd cannot be asked" in result.stdout:
            blind.append(result)
    host.finish(loop)
    tap.equal(blind, [], "%d audits" % n)


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
