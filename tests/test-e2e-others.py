#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Others act on kubelet while a fix, an undo or the way back waits for it.

    test-e2e-others.py PROGRAM STANDIN [TEST...]

Needs root; without it the whole is skipped.
"""

import json
import os
import signal
import subprocess
import sys
import time

from e2e_lib import (FALSE_FLAG, QUICK, check_fixed, check_put_back,
                     failing_node, fix_in_wait, run_file)
from host_lib import (BOOT, CONFIG, CONFIG_TEXT, CONTROL, DROPIN, KEY, UNIT,
                      wait_for)

UNITS = "/etc/systemd/system/"


def kill(host, number):
    host.sh("kill -%s $(systemctl show -P MainPID kubelet)" % number)


def check_obeyed(host, tap, result, before):
    """Somebody has stopped kubelet: that is how it stays."""
    tap.status(result, 4, "fix")
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")
    tap.equal(host.show()["ActiveState"], "inactive", "kubelet is not started")
    tap.equal(host.show()["NeedDaemonReload"], "no", "systemd was told")
    tap.contains(result.stdout, "others stopped kubelet", "it is said")
    host.write(CONTROL, "")
    host.sh("systemctl start kubelet")
    check_fixed(host, tap, host.remedy("fix"))  # nobody disliked it


# --- stopped

def test_stop(host, tap):
    process, before = fix_in_wait(host)
    host.sh("systemctl stop kubelet")
    check_obeyed(host, tap, host.finish(process), before)


def test_stop_in_the_restart(host, tap):
    """The job is ours still: theirs takes its place."""
    before, _ = failing_node(host, "ignore-term=true\n",
                             service="TimeoutStopSec=2")
    process = host.spawn(["kubelet-remedy", "fix"])
    wait_for(lambda: host.show()["ActiveState"] == "deactivating", 20, 0.02)
    host.sh("systemctl stop kubelet")
    result = host.finish(process)
    host.write(CONTROL, "")
    tap.status(result, 4, "fix")
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")
    tap.check(host.show()["MainPID"] == "0", "kubelet is not started")


def test_stop_on_the_way_back(host, tap):
    before, _ = failing_node(host, "die-after-ms=300 when=true\n"
                             "healthy-after-ms=20000 from-start=3\n")
    process = host.spawn(["kubelet-remedy", "fix"])
    host.wait_starts(3)
    time.sleep(0.5)
    host.sh("systemctl stop kubelet")
    result = host.finish(process)
    tap.status(result, 4, "fix")
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")
    tap.equal(host.show()["ActiveState"], "inactive", "kubelet is not started")


def test_sigterm_is_no_stop(host, tap):
    """It leaves the same state behind, and is an end of kubelet's."""
    process, before = fix_in_wait(host)
    time.sleep(0.5)
    kill(host, "TERM")
    check_put_back(host, tap, host.finish(process), before)


# --- killed

def test_sigkill(host, tap):
    """As the kernel does when memory runs out: the next one has to settle."""
    process, _ = fix_in_wait(host)
    kill(host, "KILL")
    host.tell("well")
    result = host.finish(process)
    check_fixed(host, tap, result)
    tap.contains(result.stderr, "killed (SIGKILL)", "it is said")


def test_sigkill_twice(host, tap):
    """There must be an end, but nobody has disliked the change."""
    process, before = fix_in_wait(host)
    kill(host, "KILL")
    host.wait_starts(3)
    time.sleep(0.5)
    kill(host, "KILL")
    result = host.finish(process)
    check_put_back(host, tap, result, before)
    tap.contains(result.stdout, "twice", "it is said")
    host.write(CONTROL, "")
    check_fixed(host, tap, host.remedy("fix"))


# --- rewritten at the restart

RENDER = """\
#!/bin/sh
cat >%s <<'E'
%s
E
""" % (CONFIG, CONFIG_TEXT % (',\n  "%s": false' % KEY))


def check_rewritten(host, tap, who):
    was = host.starts()
    result = host.remedy("fix")
    tap.status(result, 4, "fix")
    tap.check(host.is_healthy(), "kubelet is healthy")
    tap.equal(host.starts(), was + 1, "it was restarted once")
    tap.matches(result.stdout, "^FAILED .*%s was rewritten while kubelet was "
                "being started" % CONFIG, "the first line says it")
    tap.matches(result.stdout + result.stderr, who, "who may have done it is named")
    tap.status(host.remedy("undo"), 1, "there is nothing to undo")
    result = host.remedy("fix")
    tap.status(result, 4, "fix once more")
    tap.contains(result.stdout, "fix --retry", "it is refused")
    tap.equal(host.starts(), was + 1, "kubelet is not restarted again")


def test_rewritten_by_exec_start_pre(host, tap):
    host.write("/opt/render", RENDER)
    host.sh("chmod 755 /opt/render")
    host.node("", config=',\n  "%s": false' % KEY,
              service="ExecStartPre=/opt/render")
    check_rewritten(host, tap, r"%s:\d+:\d+: this ExecStartPre= runs before"
                    % UNIT)


def test_rewritten_by_a_required_unit(host, tap):
    host.write("/opt/render", RENDER)
    host.write(UNITS + "render.service", "[Service]\nType=oneshot\n"
               "ExecStart=/opt/render\n")
    host.sh("chmod 755 /opt/render")
    host.node("", config=',\n  "%s": false' % KEY,
              unit="Requires=render.service\nAfter=render.service")
    try:
        check_rewritten(host, tap, "render.service ran before this start")
    finally:
        host.sh("rm %srender.service; systemctl daemon-reload" % UNITS)


def test_others_files_stay_as_they_were(host, tap):
    """What is left of ours goes back, the drop-in."""
    host.write("/opt/render", RENDER)
    host.sh("chmod 755 /opt/render")
    host.node(FALSE_FLAG, config=',\n  "%s": false' % KEY,
              service="ExecStartPre=/opt/render")
    dropin = host.read(DROPIN)
    result = host.remedy("fix")
    tap.status(result, 4, "fix")
    tap.equal(host.read(DROPIN), dropin, "the drop-in is as it was")
    tap.equal(host.show()["NeedDaemonReload"], "no", "systemd was told")


# --- what the review has shown

def restart_slowly(host):
    """Another restart that takes its time to stop, when it has nearly settled.
    """
    host.wait_value("true")
    time.sleep(3.6)
    host.sh("systemctl restart --no-block kubelet")


def test_restarted_at_the_end(host, tap):
    """It is deactivating when the time is over: that is no end of ours."""
    failing_node(host, "ignore-term=true start=2\n",
                 service="TimeoutStopSec=3")
    process = host.spawn(["kubelet-remedy", "fix"])
    restart_slowly(host)
    check_fixed(host, tap, host.finish(process))


def test_reloading_at_the_end(host, tap):
    failing_node(host, service="Type=notify\nExecReload=/bin/sleep 4")
    process = host.spawn(["kubelet-remedy", "fix"])
    host.wait_value("true")
    time.sleep(3.6)
    host.sh("systemctl reload --no-block kubelet")
    check_fixed(host, tap, host.finish(process))


def test_alias(host, tap):
    """systemd signals under the unit's own name."""
    before, _ = failing_node(host)
    host.sh("ln -s kubelet.service %skl.service; systemctl daemon-reload"
            % UNITS)
    process = host.spawn(["kubelet-remedy", "fix", "--unit=kl.service"])
    host.wait_value("true")
    time.sleep(2)
    host.sh("systemctl stop kubelet")
    result = host.finish(process)
    host.sh("rm %skl.service; systemctl daemon-reload" % UNITS)
    tap.status(result, 4, "fix")
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")
    tap.equal(host.show()["ActiveState"], "inactive", "kubelet is not started")


def test_sigkill_with_type_notify(host, tap):
    """In the start job."""
    failing_node(host, "healthy-after-ms=2500\n", service="Type=notify")
    process = host.spawn(["kubelet-remedy", "fix"])
    host.wait_value("true")
    time.sleep(0.5)
    kill(host, "KILL")
    check_fixed(host, tap, host.finish(process))


def test_wait_with_type_notify(host, tap):
    """--wait bounds the first ok there, too."""
    before, _ = failing_node(host, "never-healthy=closed when=true\n",
                             service="Type=notify")
    result = host.remedy("fix", "--wait=4")
    check_put_back(host, tap, result, before)
    tap.check(result.seconds < 25, "in time", result.seconds)
    tap.contains(result.stdout, "(--wait)", "it is said")


def test_condition_is_no_stop(host, tap):
    """A start that systemd does not make was stopped by nobody."""
    host.node("", config=',\n  "%s": "true"' % KEY, start=False,
              unit="ConditionPathExists=/nonexistent")
    result = host.remedy("fix", "--wait=3")
    tap.check("others" not in result.stdout, "nobody is blamed",
              result.stdout)
    tap.check(b'"true"' not in host.read(CONFIG), "the right file stays")


RENDER_ARGS = """\
#!/bin/sh
echo 'KUBELET_EXTRA_ARGS=%s' >/etc/default/kubelet
""" % FALSE_FLAG


def test_rewritten_arguments(host, tap):
    """Not only kubelet's file is rendered at each start."""
    host.write("/opt/render", RENDER_ARGS)
    host.write("/etc/default/kubelet", "KUBELET_EXTRA_ARGS=%s\n" % FALSE_FLAG)
    host.sh("chmod 755 /opt/render")
    host.node("", service="ExecStartPre=/opt/render\n"
              "EnvironmentFile=/etc/default/kubelet", start=False)
    host.write("/etc/default/kubelet", "KUBELET_EXTRA_ARGS=%s\n" % FALSE_FLAG)
    host.sh("sed -i 's/ $KUBELET_ARGS/ $KUBELET_ARGS $KUBELET_EXTRA_ARGS/' %s;"
            " systemctl daemon-reload; systemctl start kubelet" % UNIT)
    tap.check(host.is_healthy() and host.value() == "false", "it fails")
    was = host.starts()
    result = host.remedy("fix")
    tap.status(result, 4, "fix")
    tap.equal(host.starts(), was + 1, "kubelet was restarted once")
    tap.contains(result.stdout, "was rewritten while kubelet was being started",
                 "it is said")
    tap.contains(result.stderr, "this ExecStartPre=", "who may have done it")


def test_stopped_and_started(host, tap):
    """As package scripts do."""
    process, before = fix_in_wait(host)
    host.sh("systemctl stop kubelet; systemctl start kubelet")
    result = host.finish(process)
    tap.check(result.status in (0, 4), "an end is made", result)
    if result.status == 4:
        tap.equal(host.snapshot(), before, "old bytes, owners and modes")
        tap.contains(result.stdout, "others stopped kubelet",
                     "it is said")


def test_signal_while_systemd_hangs(host, tap):
    process, before = fix_in_wait(host)
    pid = int(subprocess.run([BOOT, "pid", host.name], check=True,
                             capture_output=True, text=True).stdout)
    os.kill(pid, signal.SIGSTOP)
    try:
        host.signal_program(signal.SIGINT)
        back = wait_for(lambda: host.snapshot(DROPIN)[DROPIN]
                        == before[DROPIN], 20)
    finally:
        os.kill(pid, signal.SIGCONT)
    host.tell("well")
    host.finish(process)
    tap.check(back, "the files are back at once")


def test_kubelet_dies_while_systemd_hangs(host, tap):
    """Nobody can start it: the files are back, and the record waits for the
    timer."""
    before, _ = failing_node(
        host, "healthy-when-told=true die-when-told=true when=true\n",
        service="TimeoutStartSec=2\nTimeoutStopSec=2")
    process = host.spawn(["kubelet-remedy", "fix", "--wait=20"])
    tap.check(host.wait_value("true"), "a new kubelet was started")
    pid = int(subprocess.run([BOOT, "pid", host.name], check=True,
                             capture_output=True, text=True).stdout)
    os.kill(pid, signal.SIGSTOP)
    try:
        host.tell("die")
        result = host.finish(process, timeout=600)
    finally:
        os.kill(pid, signal.SIGCONT)
    tap.status(result, 6, "fix")
    tap.equal(host.snapshot(DROPIN)[DROPIN], before[DROPIN],
              "the files are back")
    tap.matches(result.stdout, r"^BROKEN", "it is said")
    tap.check(host.is_healthy(200), "systemd's own timer starts it",
              host.log())
    tap.equal(host.value(), "false", "on the old files")


# --- an undo

def test_undo_and_stop(host, tap):
    host.node(FALSE_FLAG)
    check_fixed(host, tap, host.remedy("fix"))
    fixed = host.snapshot()
    host.write(CONTROL, "healthy-when-told=true when=false\n")
    process = host.spawn(["kubelet-remedy", "undo"])
    host.wait_value("false")
    host.sh("systemctl stop kubelet")
    result = host.finish(process)
    tap.status(result, 4, "undo")
    tap.equal(host.snapshot(), fixed, "the fix stands")
    tap.equal(host.show()["ActiveState"], "inactive", "kubelet is not started")


def records(host):
    return [t["id"] for t in
            json.loads(host.remedy("history", "-ojson").stdout)["transactions"]
            if t["kind"] == "fix"]


def test_undo_of_two(host, tap):
    """The first of two, then the second; each once."""
    port = "--read-only-port=10255"
    host.node(FALSE_FLAG + " " + port)
    before = host.snapshot()
    for words in (["--control=makeIPTablesUtilChains"],
                  ["--control=readOnlyPort", "--allow=readOnlyPort"]):
        tap.status(host.remedy("fix", QUICK, *words), 0, words[0])
    first, second = records(host)
    tap.status(host.remedy("undo", QUICK, first), 0, "the first")
    tap.check(host.is_healthy(), "healthy", host.log())
    tap.equal(host.value(), "false", "kubelet runs with it")
    tap.equal(port in host.argv(), False, "the second stands")
    tap.status(host.remedy("undo", QUICK, first), 1, "once more")
    tap.status(host.remedy("undo", QUICK, second), 0, "the second")
    tap.equal(host.snapshot(), before, "all is as before")
    tap.status(host.remedy("undo", QUICK), 1, "nothing is left")


def test_undo_in_the_way(host, tap):
    """What became of the file since: it is refused, or there is nothing to do,
    and neither a byte nor kubelet is changed."""
    other = "/srv/other.conf"
    ways = (
        ("edited", "sed -i 's/KUBELET_ARGS=/&--v=9 /' %s" % DROPIN, 4),
        ("gone", "rm %s" % DROPIN, 1),
        ("immutable", "chattr +i %s" % DROPIN, 4),
        ("a link", "mv %s %s && ln -s %s %s" % (DROPIN, other, other, DROPIN),
         0),
    )
    for name, command, status in ways:
        host.node(FALSE_FLAG)
        check_fixed(host, tap, host.remedy("fix", QUICK))
        if host.sh(command).status != 0:
            tap.skip(name, "the host cannot do that")
            continue
        was, fixed = host.identity(), host.snapshot()
        result = host.remedy("undo", QUICK)
        tap.status(result, status, name + ": undo")
        if status != 0:
            tap.equal(host.snapshot(), fixed, name + ": nothing is changed")
            tap.equal(host.identity(), was, name + ": kubelet stays")
        if name == "edited":
            tap.contains(result.stdout, FALSE_FLAG + "'\n  refused because of "
                         + DROPIN,
                         "the way back is shown")
        host.sh("chattr -i %s; rm -f %s %s" % (DROPIN, DROPIN, other))


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
