#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What proves that a kubelet is well, and what does not.

    test-e2e-proof.py PROGRAM STANDIN [TEST...]

Needs root; without it the whole is skipped.
"""

import contextlib
import sys

from e2e_lib import (FALSE_FLAG, check_fixed, check_put_back, failing_node,
                     run_file)
from host_lib import CONFIG, CONTROL, wait_for

SLOW = "healthy-after-ms=3000 "
OFF = ',\n  "healthzPort": 0'


def check_late_death(host, tap, orders, *words, **options):
    """The new kubelet is well for a moment and dies of it."""
    before, _ = failing_node(host, orders + " when=true\n", **options)
    result = host.remedy("fix", *words)
    check_put_back(host, tap, result, before)
    tap.check("FIXED" not in result.stdout, "never called fixed",
              result.stdout)
    return result


# --- the first ok

def test_dies_right_after_the_first_ok(host, tap):
    """As a kubelet whose ContainerManager fails, 18 to 750 ms later."""
    for delay in (0, 100, 700):
        check_late_death(host, tap, SLOW + "die-after-ok-ms=%d" % delay)


def test_dies_with_type_notify(host, tap):
    """READY=1 comes in the same moment as the first ok."""
    check_late_death(host, tap, SLOW + "die-after-ok-ms=100",
                     service="Type=notify")


def test_wait_is_shorter_than_the_settling(host, tap):
    """--wait bounds the first ok, the settling comes on top."""
    check_late_death(host, tap, "die-after-ok-ms=2000", "--wait=1")
    failing_node(host, "healthy-after-ms=1500 when=true\n")
    result = host.remedy("fix", "--wait=3")
    check_fixed(host, tap, result)
    tap.check(result.seconds >= 6, "it was watched", result.seconds)


def test_dies_of_the_last_question(host, tap):
    """Between the settling and the audit that is to find it."""
    check_late_death(host, tap, "die-after-oks=2")


def test_both_are_ill(host, tap):
    """Something else is wrong that a restart applies: what, is said."""
    before, _ = failing_node(host)
    host.write(CONTROL, SLOW + "die-after-ok-ms=100\n")
    host.write(CONFIG, host.read(CONFIG) + b"\n")
    before = host.snapshot()
    result = host.remedy("fix", "--wait=10")
    tap.status(result, 6, "fix")
    tap.equal(host.snapshot(), before, "the old files are back")
    tap.matches(result.stdout, r"^BROKEN.*%s.*changed after kubelet" % CONFIG,
                "the first line names the file that was changed before")


def test_wait_is_too_short(host, tap):
    before, _ = failing_node(host, "healthy-after-ms=9000 when=true\n")
    result = host.remedy("fix", "--wait=2")
    check_put_back(host, tap, result, before)
    tap.matches(result.stdout, r"^ROLLED BACK.*after 2 s \(--wait\), and still "
                "runs: it may be starting", "it says that --wait was short")


# --- nobody can be asked

def silent_node(host, control=""):
    """A node whose kubelet has healthz off, since longer than it takes."""
    host.node(FALSE_FLAG, config=OFF, control=control, start=False)
    host.sh("systemctl start kubelet")
    if not host.wait_value("false"):
        raise RuntimeError("no kubelet was started: " + host.log())
    return host.snapshot()


def test_healthz_is_off(host, tap):
    """Only time is left, for the one before as for the one after, and the
    result says so."""
    silent_node(host)
    result = host.remedy("fix")
    tap.status(result, 0, "fix")
    tap.check(result.seconds >= 38, "both were watched", result.seconds)
    tap.matches(result.stdout, "^FIXED.*was not asked: healthz is off",
                "that healthz was not asked is said")
    tap.equal(host.value(), "true", "kubelet decided true")
    status, shown = host.remedy_json("status")
    tap.status(status, 3, "status")
    tap.equal(shown["healthy"], None, "healthy is null")
    tap.matches(host.remedy("status").stdout, r"^RUNNING.*\n(.*\n)*.*healthy: "
                " +not asked, healthz is off", "status says why")


def test_healthz_is_off_and_it_dies(host, tap):
    before = silent_node(host, "die-after-ms=13000 when=true\n")
    result = host.remedy("fix")
    tap.status(result, 5, "fix")
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")
    tap.equal(host.value(), "false", "kubelet decides as before")
    tap.matches(result.stdout, r"^ROLLED BACK.*ended after 13\.", "why")


# --- somebody else answers

@contextlib.contextmanager
def other_program(host):
    """One that is no kubelet, and has kubelet's port as soon as it is free."""
    host.sh("mkdir -p /run/other; cp /usr/bin/kubelet /usr/bin/other-program")
    process = host.spawn(["env", "STANDIN_DIR=/run/other",
                          "/usr/bin/other-program"])
    try:
        yield
    finally:
        host.sh("pkill other-program")
        host.finish(process)


def test_somebody_else_answers(host, tap):
    before, _ = failing_node(host, "never-healthy=closed when=true\n")
    with other_program(host):
        fix = host.spawn(["kubelet-remedy", "fix", "--wait=8"])
        host.wait_value("true")
        told = wait_for(lambda: "another process than kubelet["
                        in host.remedy("status").stdout)
        tap.check(told, "status tells who answers meanwhile")
        host.wait_value("false")
        host.sh("pkill other-program")
        result = host.finish(fix)
    check_put_back(host, tap, result, before)
    tap.contains(result.stdout, "another process than kubelet[",
                 "who answered is told")


def test_kubelet_answers_for_all_addresses(host, tap):
    """A socket that is bound to no address is kubelet's all the same."""
    config = ',\n  "healthzBindAddress": "0.0.0.0"'
    host.node(FALSE_FLAG, config=config)
    check_fixed(host, tap, host.remedy("fix"))


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
