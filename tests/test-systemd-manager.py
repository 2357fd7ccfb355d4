#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""systemd/manager and systemd/journal against a real systemd.

    test-systemd-manager.py PROBE [TEST...]

PROBE calls one function and prints what came of it. One host for all; each
unit of a test is its own. Needs root; without it the whole is skipped.
"""

import itertools
import os
import re
import signal
import subprocess
import sys
import time

from host_lib import (Host, Skip, journald_stopped, need_host, run_tests,
                      wait_for)

SYSTEM = "/etc/systemd/system/"
SLEEP = "ExecStart=/bin/sleep 1000\n"
# some units go on when it is there, and say by the other that they are ready
GO, READY = "/run/kr-go", "/run/kr-ready"
OFTEN = "/run/kr-often"  # has a line for each start
UNTIL_GO = "while [ ! -e %s ]; do sleep 0.1; done" % GO
# what each unit has beside its name, and what a restart of it must give
JOBS = {
    "done": (SLEEP, "done", {"active": "active", "result": "success"}),
    "simple-dies": ("ExecStart=/bin/false\nRestart=always\nRestartSec=100\n",
                    "done", {"result": "exit-code", "exit_status": "1",
                             "sub": "auto-restart"}),
    "simple-missing": ("ExecStart=/nonexistent\n", "done",
                       {"result": "exit-code", "exit_status": "203"}),
    "exec-missing": ("Type=exec\nExecStart=/nonexistent\n", "failed",
                     {"result": "exit-code", "exit_status": "203"}),
    "pre-fails": ("ExecStartPre=/bin/false\n" + SLEEP, "failed",
                  {"result": "exit-code", "active": "failed"}),
    "notify-dies": ("Type=notify\nExecStart=/bin/false\n", "failed",
                    {"active": "failed", "type": "notify"}),
    "notify-slow": ("Type=notify\nTimeoutStartSec=1\n" + SLEEP, "failed",
                    {"result": "timeout", "timeout_start": "1000000"}),
    "no-environment": ("EnvironmentFile=/nonexistent\n" + SLEEP, "failed",
                       {"result": "resources",
                        "environment_file": "/nonexistent"}),
    "dependency": ("[Unit]\nRequires=kr-pre-fails.service\n"
                   "After=kr-pre-fails.service\n[Service]\n" + SLEEP,
                   "dependency", {"active": "inactive"}),
    "job-timeout": ("[Unit]\nJobRunningTimeoutSec=1\n[Service]\nType=notify\n"
                    + SLEEP, "timeout", {"active": "activating"}),
    "condition": ("[Unit]\nConditionPathExists=/nonexistent\n[Service]\n"
                  + SLEEP, "done", {"active": "inactive"}),
    "assert": ("[Unit]\nAssertPathExists=/nonexistent\n[Service]\n" + SLEEP,
               "other", {"active": "inactive"}),
}
ERRORS = {
    "bad-setting": ("EBADMSG", "unit-bad-setting"),
    "masked": ("ERFKILL", "unit-masked"),
    "nowhere": ("ENOENT", "unit-not-found"),
}
FULL = """\
[Service]
Environment=A=1 'B=x y'
EnvironmentFile=-/etc/default/may-be-missing
ExecStart=/bin/sh -c "exec sleep 1000" $A
TimeoutStopSec=infinity
"""


def unit(name):
    return "kr-%s.service" % name


class Answer(dict):
    """The probe's lines: the last value of a name, all of it by all()."""

    def __init__(self, result):
        self.pairs = [line.split("=", 1)
                      for line in result.stdout.splitlines() if "=" in line]
        super().__init__(self.pairs)
        self.result = result
        self.text = result.stdout
        if result.stderr:  # a sanitizer's, or boot-test-host's
            raise RuntimeError(result.stderr)

    def all(self, name):
        return [pair[1] for pair in self.pairs if pair[0] == name]


def probe(host, *args, **options):
    return Answer(host.run(["probe-manager"] + list(args), **options))


def probe_outside(host, *args, below=""):
    """The same, run outside and reaching in."""
    run = subprocess.run([PROBE, "--root=" + host.root + below] + list(args),
                         check=False, capture_output=True, text=True)
    return Answer(run)


class Slow:
    """The probe while it restarts the unit "slow", whose job lasts until it is
    told to end. OUTSIDE: it reaches in."""

    def __init__(self, host, *options, outside=False):
        self.host = host
        host.remove(GO)
        words = [*options, "restart", unit("slow")]
        if outside:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(
                [PROBE, "--root=" + host.root] + words,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
        else:
            self.process = host.spawn(["probe-manager"] + words)
        if not wait_for(lambda: state_of(host, unit("slow"))["ActiveState"]
                        == "activating"):
            raise RuntimeError("no job: %s" % (self.answer().text,))

    def still_waits(self):
        return self.process.poll() is None

    def end(self):
        """What comes of the job when it is told to end."""
        self.host.write(GO, "")
        answer = self.answer()
        self.host.sh("systemctl stop " + unit("slow"))
        return answer

    def answer(self):
        return Answer(self.host.finish(self.process))


def check_survives(tap, job):
    """The job goes on and is waited for, whatever went on around it."""
    tap.check(job.still_waits(), "it is waited for")
    answer = job.end()
    tap.equal((answer.get("r"), answer.get("job")), ("0", "done"),
              "and its end is known", answer.text)
    return answer


def state_of(host, name):
    text = host.run(["systemctl", "show", name, "-p",
                     "ActiveState,SubState"]).stdout
    return dict(line.split("=", 1) for line in text.splitlines())


def listed(host, names):
    return host.run(["systemctl", "list-units", "--all", "--plain",
                     "--no-legend", names]).stdout


def install(host):
    """All units, with one reload."""
    for name, (text, _, _) in JOBS.items():
        section = "" if text.startswith("[") else "[Service]\n"
        host.write(SYSTEM + unit(name), section + text)
    host.write(SYSTEM + unit("bad-setting"), "[Service]\nType=exec\n")
    os.symlink("/dev/null", host.root + SYSTEM + unit("masked"))
    host.write(SYSTEM + unit("full"), FULL)
    host.write(SYSTEM + unit("full") + ".d/10-a.conf", "[Service]\n")
    host.write(SYSTEM + unit("stubborn"),
               "[Service]\nTimeoutStopSec=1\nExecStart=/bin/sh -c "
               "\"trap '' TERM; : >%s; while :; do sleep 0.1; done\"\n"
               % READY)
    host.write(SYSTEM + unit("slow"), "[Service]\nType=oneshot\n"
               "RemainAfterExit=yes\nTimeoutStartSec=infinity\n"
               "ExecStart=/bin/sh -c '%s'\n" % UNTIL_GO)
    host.write(SYSTEM + unit("often"), "[Unit]\nStartLimitIntervalSec=0\n"
               "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
               "ExecStart=/bin/sh -c 'echo >>%s'\n" % OFTEN)
    host.write(SYSTEM + unit("limited"),
               "[Unit]\nStartLimitBurst=2\nStartLimitIntervalSec=100\n"
               "[Service]\n" + SLEEP)
    host.write(SYSTEM + unit("talks-late"),
               "[Service]\nExecStart=/bin/sh -c 'printf \"one\\\\ntwo\\\\n\"; "
               "sleep 0.3; echo \"cannot go on\" >&2; exit 3'\n")
    host.write(SYSTEM + unit("talks"),
               "[Service]\nExecStart=/bin/sh -c 'printf \"one\\\\ntwo\\\\n\"; "
               "sleep 0.3; echo \"cannot go on\" >&2; %s; exit 3'\n" % UNTIL_GO)
    host.sh("systemctl daemon-reload")


# --- the connection

def test_open(host, tap):
    answer = probe(host, "open")
    tap.equal(answer.get("r"), "0", "connects", answer.text)
    version = host.sh("systemctl --version").stdout.split()[1]
    tap.equal(answer.get("version"), version, "version")


def test_below_a_root(host, tap):
    answer = probe_outside(host, "unit", "dbus.service")
    tap.equal(answer.get("active"), "active", "from outside", answer.text)
    answer = probe_outside(host, "open", below="/etc")
    tap.equal(answer.get("r"), "ENOENT", "a root without a bus", answer.text)
    tap.contains(answer.text, "/etc/run/dbus/system_bus_socket: No such file",
                 "which is named")


def test_address(host, tap):
    answer = Answer(host.run(["env", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/none",
                              "probe-manager", "open"]))
    tap.equal(answer.get("r"), "ENOENT", "no other way than the one given",
              answer.text)


def test_active(host, tap):
    host.sh("systemctl start %s; systemctl stop %s"
            % (unit("full"), unit("done")))
    names = [unit("done"), "nowhere.service", unit("full"), unit("masked"),
             unit("bad-setting")]
    answer = probe(host, "active", *names)
    tap.equal((answer.get("r"), answer.all("active")), ("0", [unit("full")]),
              "the one of several that is active", answer.text)
    answer = probe(host, "active", unit("ful"), unit("done"))
    tap.equal((answer.get("r"), answer.all("active")), ("0", []),
              "none", answer.text)
    loaded = host.sh("systemctl list-units --all --plain").stdout
    tap.equal("nowhere.service" in loaded, False, "nothing was loaded for it")


# --- what a unit is

def test_unit(host, tap):
    host.sh("systemctl start " + unit("full"))
    answer = probe(host, "unit", unit("full"))
    shown = host.sh("systemctl show -p MainPID,InvocationID,"
                    "ExecMainStartTimestampMonotonic --value "
                    + unit("full")).stdout.split()
    want = {"r": "0", "id": unit("full"), "load": "loaded",
            "active": "active", "sub": "running", "result": "success",
            "type": "simple", "load_error": "", "timeout_stop": str(2**64 - 1),
            "fragment": SYSTEM + unit("full"),
            "dropin": SYSTEM + unit("full") + ".d/10-a.conf",
            "environment_file": "-/etc/default/may-be-missing",
            "command": "[/bin/sh][-c][exec sleep 1000][$A]", "n_restarts": "0",
            "cgroup": "/system.slice/" + unit("full"),
            "need_daemon_reload": "0"}
    tap.equal({k: answer.get(k) for k in want}, want, "all of it", answer.text)
    tap.equal(answer.all("environment"), ["A=1", "B=x y"], "environment")
    tap.equal(sorted([answer.get("main_pid"), answer.get("invocation_id"),
                      answer.get("started_monotonic")]), sorted(shown),
              "as systemctl shows it")
    pid = probe(host, "pid", answer["main_pid"])
    tap.equal(pid.get("unit"), unit("full"), "unit of its pid", pid.text)


def test_unit_of_a_pid(host, tap):
    answer = probe(host, "pid", "4000000")
    tap.equal(answer.get("r"), "ENOENT", "no process", answer.text)
    tap.equal("error=" in answer.text, False, "which needs no words",
              answer.text)
    tap.equal(probe(host, "pid", "0").get("r"), "EINVAL", "pid 0")
    tap.equal(probe(host, "pid", "-1").get("r"), "EINVAL", "pid -1")


def test_unit_states(host, tap):
    for name, load, words in (("nowhere", "not-found", "not found"),
                              ("masked", "masked", "masked"),
                              ("bad-setting", "bad-setting", "")):
        answer = probe(host, "unit", unit(name))
        tap.equal((answer.get("r"), answer.get("load")), ("0", load), name,
                  answer.text)
        tap.contains(answer.get("load_error", ""), words, name + ", why")
    answer = probe(host, "unit", "no unit")
    tap.check(answer.get("r") not in ("0", None), "not a unit's name",
              answer.text)


def test_environment(host, tap):
    host.sh("systemctl set-environment KR_SET='x y'")
    answer = probe(host, "environment")
    tap.check("KR_SET=x y" in answer.all("environment"), "the manager's own",
              answer.text)
    host.sh("systemctl unset-environment KR_SET")


# --- jobs

def test_jobs(host, tap):
    for name, (_, job, state) in JOBS.items():
        answer = probe(host, "restart", unit(name))
        tap.equal((answer.get("r"), answer.get("job")), ("0", job), name,
                  answer.text)
        if job == "other":
            tap.contains(answer.text, "ended as \"assert\"", "its own name")
        if state.get("active") != "active":
            wait_for(lambda: state_of(host, unit(name))["SubState"] not in
                     ("start-pre", "running")) # pylint: disable=W0640
        answer = probe(host, "unit", unit(name))
        tap.equal({k: answer.get(k) for k in state}, state,
                  name + " afterwards", answer.text)
        host.sh("systemctl stop " + unit(name))


def test_errors(host, tap):
    for name, (error, code) in ERRORS.items():
        answer = probe(host, "restart", unit(name))
        tap.equal(answer.get("r"), error, name, answer.text)
        tap.contains(answer.text, "error=" + code, name + ", its code")
        tap.contains(answer.text, unit(name), name + ", its name")


def test_restart_is_a_restart(host, tap):
    probe(host, "restart", unit("done"))
    before = probe(host, "unit", unit("done"))
    probe(host, "restart", unit("done"))
    after = probe(host, "unit", unit("done"))
    tap.check(before["main_pid"] != after["main_pid"], "another process")
    tap.check(before["invocation_id"] != after["invocation_id"],
              "another invocation")
    answer = probe(host, "stop", unit("done"))
    tap.equal(answer.get("job"), "done", "stop", answer.text)
    tap.equal(probe(host, "unit", unit("done")).get("active"), "inactive",
              "stopped")


def test_sigterm_ignored(host, tap):
    host.sh("systemctl start " + unit("stubborn"))
    wait_for(lambda: os.path.exists(host.root + READY))
    answer = probe(host, "restart", unit("stubborn"))
    tap.equal(answer.get("job"), "done", "killed, then started", answer.text)
    tap.check(900 < int(answer.get("msec", 0)), "after its timeout",
              answer.text)
    host.sh("systemctl kill -s KILL " + unit("stubborn"))


def test_canceled(host, tap):
    job = Slow(host)
    host.sh("systemctl stop " + unit("slow"))
    answer = job.answer()
    tap.equal(answer.get("job"), "canceled", "stopped by somebody else",
              answer.text)


def test_deadline(host, tap):
    """The job would never end."""
    host.remove(GO)
    answer = probe(host, "--deadline-ms=500", "restart", unit("slow"))
    tap.equal(answer.get("r"), "ETIMEDOUT", "too late", answer.text)
    tap.contains(answer.text, "error=job-timeout " + unit("slow"), "words")
    tap.check(450 < int(answer.get("msec", 0)), "not before", answer.text)
    tap.equal(probe(host, "unit", unit("slow")).get("active"), "activating",
              "the job goes on")
    host.sh("systemctl stop " + unit("slow"))


def test_tick(host, tap):
    """Four times a second, as long as a job lasts, which would be for ever."""
    host.remove(GO)
    for n, least in ((20, 1500), (3, 200)):
        answer = probe(host, "--raise=%d" % n, "restart", unit("slow"))
        tap.equal(answer.get("r"), "EINTR", "a tick ends the wait",
                  answer.text)
        tap.equal(answer.get("ticks"), str(n), "it is the last", answer.text)
        tap.check(least <= int(answer.get("msec", 0)), "not too often",
                  answer.text)
        tap.equal("error=" in answer.text, False, "and needs no words",
                  answer.text)
    host.sh("systemctl stop " + unit("slow"))


def test_start_limit(host, tap):
    name = unit("limited")
    jobs = [probe(host, "restart", name).get("job") for _ in range(3)]
    tap.equal(jobs, ["done", "done", "failed"], "the third")
    tap.equal(probe(host, "unit", name).get("result"), "start-limit-hit",
              "why")
    tap.equal(probe(host, "reset-failed", name).get("r"), "0", "reset")
    tap.equal(probe(host, "restart", name).get("job"), "done", "and again")
    host.sh("systemctl stop " + name)
    for other in ("nowhere", "done"):
        answer = probe(host, "reset-failed", unit(other))
        tap.equal(answer.get("r"), "0", "nothing to reset: " + other,
                  answer.text)
        tap.equal("error=" in answer.text, False, "no words", answer.text)


def test_reload(host, tap):
    host.write(SYSTEM + unit("full") + ".d/20-b.conf",
               "[Service]\nEnvironment=C=3\n")
    answer = probe(host, "unit", unit("full"))
    tap.equal(answer.get("need_daemon_reload"), "1", "needed", answer.text)
    tap.equal(probe(host, "reload").get("r"), "0", "done")
    answer = probe(host, "unit", unit("full"))
    tap.equal(answer.get("need_daemon_reload"), "0", "not needed now")
    tap.check("C=3" in answer.all("environment"), "read anew", answer.text)


# --- others at work meanwhile

REEXECS = "for i in $(seq %d); do systemctl daemon-reexec || exit; done"
# what may simply be asked again
QUESTIONS = (["--again", "open"], ["unit", unit("done")],
             ["--again", "environment"],
             ["active", unit("done")], ["pid", "1"], ["reload"],
             ["enabled", unit("done")], ["reset-failed", unit("done")])


def storm(host, tap, script, *args, way=probe):
    """The probe again and again, while others do what SCRIPT says."""
    others = host.spawn(["bash", "-c", script])
    answer = way(host, "--for-ms=1500", *args)
    done = host.finish(others)
    tap.equal((done.status, set(answer.all("r")), answer.all("error")),
              (0, {"0"}, []), " ".join(args), answer.text[-2000:],
              done.stderr)
    return answer


def lines_of(host, path):
    return host.read(path).count(b"\n")


def test_reload_by_another(host, tap):
    job = Slow(host)
    host.sh("systemctl daemon-reload; systemctl daemon-reload")
    check_survives(tap, job)


def test_other_jobs(host, tap):
    job = Slow(host)
    host.sh("for i in 1 2 3 4; do systemctl restart %s; done" % unit("done"))
    check_survives(tap, job)


def test_reexec_by_another(host, tap):
    job = Slow(host)
    host.sh("systemctl daemon-reexec")
    check_survives(tap, job)


def test_reexecs_and_questions(host, tap):
    for args in QUESTIONS:
        storm(host, tap, REEXECS % 10, *args)
    for args in QUESTIONS[:2]:
        storm(host, tap, REEXECS % 10, *args, way=probe_outside)


def check_restarts(host, tap, name, script, way=probe):
    """Each restart that was asked for is one, and no more."""
    host.sh("systemctl stop %s; : >%s" % (unit("often"), OFTEN))
    answer = storm(host, tap, script, "restart", unit("often"), way=way)
    jobs = answer.all("job")
    tap.equal(set(jobs), {"done"}, name + ": jobs", answer.text[-2000:])
    tap.equal(lines_of(host, OFTEN), len(jobs), name + ": starts")


def test_reexecs_and_restarts(host, tap):
    for turn in range(3):
        check_restarts(host, tap, "turn %d" % turn, REEXECS % 10)
    check_restarts(host, tap, "outside", REEXECS % 10, way=probe_outside)


def test_reexecs_and_transient_units(host, tap):
    for turn in range(2):
        storm(host, tap, REEXECS % 10, "timer", "kr-t%d" % (turn + 4))
        host.write(OFTEN, "")
        answer = storm(host, tap, REEXECS % 10, "once", "kr-t6", "60000",
                       "/bin/sh", "-c", "echo >>" + OFTEN)
        tap.equal(set(answer.all("status")), {"0"}, "statuses")
        tap.check(lines_of(host, OFTEN) >= len(answer.all("status")),
                  "each was run", answer.text[-2000:])
    tap.check(wait_for(lambda: not listed(host, "kr-t[456]*")),
              "nothing of them is left")


def test_reexecs_in_a_job(host, tap):
    job = Slow(host)
    host.sh(REEXECS % 10)
    answer = check_survives(tap, job)
    tap.equal((answer.all("note"), answer.all("error")), ([], []),
              "its end is seen", answer.text)


def test_job_ends_in_a_reexec(host, tap):
    for pause in range(0, 100, 10):
        job = Slow(host)
        host.sh("touch %s; sleep 0.0%02d; systemctl daemon-reexec"
                % (GO, pause))
        answer = job.answer()
        tap.equal((answer.get("r"), answer.get("job"),
                   answer.all("error")), ("0", "done", []),
                  "after %d ms" % pause, answer.text)
        host.sh("systemctl stop " + unit("slow"))


def test_reexecs_in_a_stop(host, tap):
    host.remove(READY)
    host.sh("systemctl start " + unit("stubborn"))
    wait_for(lambda: os.path.exists(host.root + READY))
    others = host.spawn(["bash", "-c", REEXECS % 5])
    answer = probe(host, "stop", unit("stubborn"))
    tap.equal((answer.get("r"), answer.get("job"), answer.all("error")),
              ("0", "done", []), "it is stopped", answer.text)
    tap.check(900 < int(answer.get("msec", 0)), "after its timeout",
              answer.text)
    host.finish(others)


def test_reexecs_without_a_bus(host, tap):
    host.sh("systemctl stop dbus.socket dbus.service")
    try:
        for args in QUESTIONS:
            storm(host, tap, REEXECS % 10, *args)
        check_restarts(host, tap, "restarts", REEXECS % 10)
        storm(host, tap, REEXECS % 10, "timer", "kr-t7")
    finally:
        host.sh("systemctl start dbus.socket dbus.service")


def lose_each(host, call, *args):
    """The probe's answers: its connection breaks at the first CALL that reads
    or writes, then at the second, and so on."""
    for n in range(1, 200):
        answer = Answer(host.run(
            ["strace", "-o", "/run/trace", "-e", "trace=" + call, "-e",
             "inject=%s:error=ECONNRESET:when=%d" % (call, n),
             "probe-manager"] + list(args)))
        if b"INJECTED" not in host.read("/run/trace"):
            return
        yield n, answer


def check_lost(host, tap, name, want, call, *args, before="true"):
    """However the connection breaks, the outcome is WANT. Returns how often
    the probe was run."""
    n = 0
    for n, answer in lose_each(host, call, *args):
        got = (answer.get("r"), answer.get("job"))
        if got != want or (want[0] == "0" and answer.all("error")):
            tap.equal(got, want, "%s %d" % (name, n), answer.text)
        host.sh(before)
    tap.check(n > 2, "%s: %d of them, all well" % (name, n))
    return n + 1


def test_lost_at_each_step(host, tap):
    """What was heard is not asked for again, what was not is."""
    probe(host, "arm", "kr-t9", "600000", "/bin/true")
    start = "systemctl start " + unit("often")
    for bus, call in itertools.product(("dbus", "no dbus"),
                                       ("recvmsg", "sendmsg")):
        if bus == "no dbus":
            host.sh("systemctl stop dbus.socket dbus.service")
        for name, want, args in (
                ("fails", ("0", "failed"), ["restart", unit("pre-fails")]),
                ("timer", ("0", None), ["timer", "kr-t8"]),
                ("is there", ("EEXIST", None),
                 ["arm", "kr-t9", "600000", "/bin/true"]),
                ("once", ("0", None), ["once", "kr-t8", "60000", "/bin/true"]),
                ("unit", ("0", None), ["unit", unit("done")])):
            check_lost(host, tap, " ".join((bus, call, name)), want, call,
                       *args)
        host.sh(start)
        check_lost(host, tap, "%s %s stop" % (bus, call), ("0", "done"), call,
                   "stop", unit("often"), before=start)
        host.write(OFTEN, "")
        n = check_lost(host, tap, "%s %s restart" % (bus, call),
                       ("0", "done"), call, "restart", unit("often"))
        tap.equal(lines_of(host, OFTEN), n, "and so often it was restarted")
    host.sh("systemctl start dbus.socket dbus.service")
    probe(host, "disarm", "kr-t9")


def test_reexec_and_signals(host, tap):
    """Signals may be lost in it, so whoever waits for one is told, though the
    connection to the bus stays."""
    for bus in ("with", "without"):
        if bus == "without":
            host.sh("systemctl stop dbus.socket dbus.service")
        listener = host.spawn(["probe-manager", "--deadline-ms=20000",
                               "listen"])
        tap.equal(listener.stdout.readline(), b"listens=0\n", bus + " a bus")
        host.sh("systemctl daemon-reload")
        tap.check(listener.poll() is None, "other signals pass by")
        host.sh("systemctl daemon-reexec")
        answer = Answer(host.finish(listener))
        tap.check(answer.get("r") in ("ECONNRESET", "ENOTCONN"), "it is told",
                  answer.text)
    host.sh("systemctl start dbus.socket dbus.service")


def test_bus_restarts(host, tap):
    """systemd comes to the new bus after us. Most buses let our call wait for
    it; where it cannot be activated, there is no such name."""
    restarts = ("for i in 1 2 3 4 5; do systemctl restart dbus.service; "
                "systemctl reset-failed dbus.service; sleep 0.1; done")
    service = ("/usr/share/dbus-1/system-services/"
               "org.freedesktop.systemd1.service")
    for turn in range(2):
        for args in QUESTIONS[:3]:
            storm(host, tap, restarts, *args)
        storm(host, tap, restarts, *QUESTIONS[0], way=probe_outside)
        check_restarts(host, tap, "turn %d" % turn, restarts)
        host.sh("mv %s /run/service; systemctl restart dbus" % service)
    host.sh("mv /run/service %s; systemctl restart dbus" % service)


def test_bus_without_systemd(host, tap):
    """It may be on its way where this root was booted with it; nobody waits
    elsewhere."""
    where = "/run/elsewhere"
    host.write(where + "/bus.conf", """<busconfig><type>system</type>
        <listen>unix:path=%s/run/dbus/system_bus_socket</listen>
        <auth>EXTERNAL</auth><policy context="default"><allow user="*"/>
        <allow own="*"/><allow send_destination="*" eavesdrop="true"/>
        <allow eavesdrop="true"/></policy></busconfig>
        """ % where)
    os.makedirs(host.root + where + "/run/dbus")
    bus = host.spawn(["sh", "-c", "echo $$; exec dbus-daemon --nofork "
                      "--nopidfile --config-file=%s/bus.conf" % where])
    pid = bus.stdout.readline().decode().strip()
    for booted, least, most in ((False, 0, 1000), (True, 1900, 4000)):
        if booted:
            os.makedirs(host.root + where + "/run/systemd/system")
        answer = probe(host, "--root=" + where, "open")
        tap.equal(answer.get("r"), "EOPNOTSUPP", "no systemd", answer.text)
        tap.contains(answer.text, "error=bus-no-systemd", "with words")
        tap.check(least <= int(answer.get("msec", 0)) < most,
                  "waited for" if booted else "not waited for", answer.text)
    host.sh("kill " + pid)
    host.finish(bus)


def test_bus_restarted(host, tap):
    job = Slow(host)
    host.sh("systemctl restart dbus.service")
    # both are on the bus again, and the probe has had time to look at the job
    tap.check(wait_for(lambda: all(
        re.search(r"^:\S+ +\d+ %s " % name,
                  host.sh("busctl list --no-legend").stdout, re.M)
        for name in ("probe-manager", "systemd"))), "the probe is back")
    time.sleep(0.5)
    answer = check_survives(tap, job)
    tap.equal("note=" in answer.text, False, "and its end is seen",
              answer.text)


def test_bus_restarted_below_a_root(host, tap):
    """No private socket there: the bus has to come back."""
    job = Slow(host, outside=True)
    host.sh("systemctl stop dbus.socket dbus.service; sleep 0.4; "
            "systemctl start dbus.socket dbus.service")
    check_survives(tap, job)


def test_bus_goes_for_good(host, tap):
    start = time.monotonic()
    job = Slow(host, "--deadline-ms=6000", outside=True)
    host.sh("systemctl stop dbus.socket dbus.service")
    answer = job.answer()
    tap.check(5.9 < time.monotonic() - start, "not before", answer.text)
    tap.matches(answer.text, r"^r=(ENOENT|ECONNREFUSED)$", "an error")
    tap.contains(answer.text, "error=bus-connect", "with words")
    host.sh("systemctl start dbus.socket dbus.service; systemctl stop "
            + unit("slow"))


def test_bus_down(host, tap):
    host.sh("systemctl stop dbus.socket dbus.service")
    answer = check_survives(tap, Slow(host))
    tap.equal("error=" in answer.text, False, "no word of it", answer.text)
    tap.equal(probe(host, "reload").get("r"), "0", "reload")
    answer = probe(host, "unit", unit("full"))
    tap.equal(answer.get("load"), "loaded", "unit", answer.text)
    answer = probe(host, "restart", unit("nowhere"))
    tap.equal(answer.get("r"), "ENOENT", "an error", answer.text)
    job = Slow(host)
    host.sh("systemctl daemon-reexec")
    check_survives(tap, job)
    answer = probe(host, "open", user="nobody")
    tap.equal(answer.get("r"), "EACCES", "nobody, no bus", answer.text)
    tap.contains(answer.text, "/run/systemd/private: Permission denied",
                 "both ways are named")
    host.sh("systemctl start dbus.socket dbus.service")


def test_systemd_stopped(host, tap):
    pid = int(subprocess.run([BOOT, "pid", host.name], check=True,
                             capture_output=True, text=True).stdout)
    os.kill(pid, signal.SIGSTOP)
    try:
        for args in (["open"], ["unit", unit("done")], ["reload"]):
            answer = probe(host, "--timeout-ms=800", *args)
            tap.equal(answer.get("r"), "ETIMEDOUT", args[0], answer.text)
            tap.check(700 < int(answer.get("msec", 0)) < 10000, "in time",
                      answer.text)
            tap.contains(answer.text, "error=bus-timeout", "words")
        answer = probe(host, "--raise=3", "open")
        tap.equal(answer.get("r"), "EINTR", "a tick ends it", answer.text)
    finally:
        os.kill(pid, signal.SIGCONT)
    job = Slow(host, "--deadline-ms=6000")
    os.kill(pid, signal.SIGSTOP)
    try:
        answer = job.answer()
        tap.equal(answer.get("r"), "ETIMEDOUT", "within a job", answer.text)
    finally:
        os.kill(pid, signal.SIGCONT)
    host.sh("systemctl stop " + unit("slow"))


# --- who may

def test_nobody(host, tap):
    # of a unit that systemd has forgotten there is nothing to reset
    host.sh("systemctl start " + unit("done"))
    answer = probe(host, "unit", unit("full"), user="nobody")
    tap.equal(answer.get("load"), "loaded", "everybody may look", answer.text)
    for args in (["restart", unit("done")], ["reload"], ["stop", unit("done")],
                 ["reset-failed", unit("done")]):
        answer = probe(host, *args, user="nobody")
        tap.equal(answer.get("r"), "EACCES", args[0], answer.text)
        tap.contains(answer.text, "must be root", "words")


def test_nobody_polkit_masked(host, tap):
    host.sh("systemctl stop polkit.service; "
            "systemctl mask --runtime polkit.service")
    answer = probe(host, "restart", unit("done"), user="nobody")
    tap.equal(answer.get("r"), "EACCES", "restart", answer.text)
    host.sh("systemctl unmask --runtime polkit.service")


# --- the journal

def test_journal(host, tap):
    name = unit("talks")
    ids = []
    for number in range(2):
        host.remove(GO)
        probe(host, "restart", name)
        ids.append(probe(host, "unit", name)["invocation_id"])
        # it dies when journald knows whose words they are
        wait_for(lambda: host.sh("journalctl --sync; journalctl -o cat -u "
                                 + name).stdout.count("cannot go on") > number)
        host.write(GO, "")
        wait_for(lambda: state_of(host, name)["ActiveState"] == "failed")
        host.sh("journalctl --sync")
    for who, way in (("inside", probe), ("outside", probe_outside)):
        lines = way(host, "journal", name, "100", ids[0]).all("line")
        text = "\n".join(lines)
        for part in ("]: one", "]: two", "cannot go on", "status=3",
                     "Failed with"):
            tap.equal(text.count(part), 1, "%s: one invocation's %s"
                      % (who, part), text)
        tap.check(text.find("]: one") < text.find("]: two")
                  < text.find("cannot go on") < text.find("status=3"),
                  who + ": in order", text)
        lines = way(host, "journal", name, "100").all("line")
        tap.equal(sum("cannot go on" in line for line in lines), 2,
                  who + ": all invocations")
        tap.equal(way(host, "journal", name, "3").all("line"), lines[-3:],
                  who + ": the last")
        answer = way(host, "journal", unit("nowhere"), "5")
        tap.equal((answer.get("r"), answer.all("line")), ("0", []),
                  who + ": none", answer.text)


def test_journal_is_late(host, tap):
    """What a process said is there after a sync; its invocation is not. The
    last lines may have the ID that the unit has by then, which is right for
    the last process by chance only."""
    name = unit("talks-late")
    with journald_stopped(host):
        ids = []
        for _ in range(2):
            probe(host, "restart", name)
            ids.append(probe(host, "unit", name)["invocation_id"])
            wait_for(lambda: state_of(host, name)["ActiveState"] == "failed")
        answer = probe(host, "sync", "200")
        tap.equal(answer.get("r"), "ETIMEDOUT", "stopped", answer.text)
        before = probe(host, "journal", name, "100", ids[1]).all("line")
        tap.equal(before, [], "nothing of it is there")
    tap.equal(probe(host, "sync", "60000").get("r"), "0", "sync")
    said = [sum("cannot go on" in line for line in
                probe(host, "journal", name, "100", *number).all("line"))
            for number in ([], ids[:1])]
    tap.equal(said, [2, 0], "in all, and of the first invocation")
    answer = probe_outside(host, "sync", "200", below="/usr")
    tap.equal(answer.get("r"), "ENOENT", "a root without journald", answer.text)


def test_journal_refused(host, tap):
    answer = probe(host, "journal", "dbus.service", "5", user="nobody")
    tap.equal(answer.get("r"), "EACCES", "nobody", answer.text)
    answer = probe_outside(host, "journal", "dbus.service", "5", below="/usr")
    tap.equal(answer.get("r"), "ENOENT", "a root without a journal",
              answer.text)


def test_journal_send(host, tap):
    number = "0123456789abcdef0123456789abcdef"
    tap.equal(probe(host, "send", "put back", number).get("r"), "0", "sent")
    shown = host.sh("journalctl --sync; journalctl -o cat MESSAGE_ID="
                    + number).stdout
    tap.equal(shown, "put back\n", "and found by its id")
    host.sh("journalctl --sync")
    lines = probe(host, "journal", "probe.service", "5").all("line")
    tap.equal(lines, [], "UNIT= of another process than systemd is no proof")


def timer_is(host, name):
    return host.run(["systemctl", "is-active", name + ".timer"]).stdout.strip()


def check_run_out(host, tap, name, not_before):
    """It has run out by now, and not before that time."""
    marker = host.root + "/run/" + name
    if tap.check(wait_for(lambda: os.path.exists(marker)), "it has run out"):
        tap.check(os.stat(marker).st_mtime >= not_before,
                  "not before its time", os.stat(marker).st_mtime, not_before)
    tap.check(wait_for(lambda: not listed(host, name + "*")),
              "nothing of it is left")


def test_transient_timer(host, tap):
    """It runs out once, also after a reload, and leaves no unit."""
    probe(host, "arm", "kr-t0", "600000", "/bin/true")
    tap.equal(timer_is(host, "kr-t0"), "active", "it waits")
    tap.equal(probe(host, "arm", "kr-t0", "9000", "/bin/true")["r"], "EEXIST",
              "not twice")
    start = time.time()
    answer = probe(host, "arm", "kr-t1", "1500", "/bin/touch", "/run/kr-t1")
    tap.equal(answer["r"], "0", "arm", answer.text)
    probe(host, "reload")
    tap.equal(timer_is(host, "kr-t0"), "active", "it still waits")
    check_run_out(host, tap, "kr-t1", start + 1.45)
    tap.equal(probe(host, "rearm", "kr-t1")["r"], "0", "rearm, run out")
    tap.equal(probe(host, "disarm", "kr-t1")["r"], "0", "disarm, run out")
    tap.equal(probe(host, "disarm", "kr-t0")["r"], "0", "disarm")
    tap.equal(listed(host, "kr-t0*"), "", "it is disarmed")


def test_transient_rearm(host, tap):
    probe(host, "arm", "kr-t2", "7000", "/bin/touch", "/run/kr-t2")
    time.sleep(1)
    start = time.time()
    tap.equal(probe(host, "rearm", "kr-t2")["r"], "0", "rearm")
    tap.equal(timer_is(host, "kr-t2"), "active", "it waits")
    check_run_out(host, tap, "kr-t2", start + 6.95)


def test_transient_once(host, tap):
    for argv, limit, status in (
            (["/bin/true"], "60000", "0"),
            (["/bin/sh", "-c", "exit 7"], "60000", "7"),
            (["/nonexistent"], "60000", "203"),
            (["/bin/sh", "-c", "kill -9 $$$$"], "60000", "-1"),
            (["/bin/sleep", "1000"], "1000", "-1")):
        answer = probe(host, "once", "kr-t3", limit, *argv)
        tap.equal((answer["r"], answer.get("status")), ("0", status),
                  " ".join(argv), answer.text)
    tap.check(wait_for(lambda: not listed(host, "kr-t3*")),
              "nothing of them is left")


TESTS = [thing for name, thing in list(globals().items())
         if name.startswith("test_")]
BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "boot-test-host")


def main():
    try:
        need_host()
    except Skip as reason:
        print("1..0 # SKIP %s" % reason)
        return 0
    host = Host(PROBE, PROBE, "manager-%d" % os.getpid())
    host.binaries = {"/usr/bin/probe-manager": PROBE}
    with host:
        install(host)
        return run_tests(TESTS, host, sys.argv[2:])


if __name__ == "__main__":
    PROBE = os.path.abspath(sys.argv[1])
    sys.exit(main())
