#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A fix that is stuck, under a real systemd.

    test-stopped.py PROGRAM STANDIN [TEST...]

It is stopped, frozen, or held between two of its system calls while kubelet is
not well on the new files: what its timer starts must end it when its time is
over, or pass it, and a fix that goes on after that does no harm. Until then
every command tells what goes on. Needs root; without it the whole is skipped.
"""

import os
import re
import signal
import subprocess
import sys
import time

from e2e_lib import KEY_FALSE, run_file
from host_lib import CONTROL, Skip, wait_for
from rollback_lib import (FALSE_FLAG, NOTIFY, SHORT, TOLD,
                          check_nothing_left, check_taken_back, fire,
                          is_pending, kill_fix, start_fix, the_record,
                          timer_usec, timers, units)

HOUR = r"\d\d:\d\d:\d\d [A-Z]+"
# what recover gives a run beyond its time, and what a kill may take
GRACE, KILL = 5, 5


def owner(host):
    return host.root + os.path.dirname(the_record(host)) + "/owner"


def set_deadline(host, usec=0):
    """As if the time of the fix were over, or far away; in place, as it does
    that itself."""
    with open(owner(host), "r+b") as file:
        file.write(b"%020d" % usec)


def codes(host):
    _, audit = host.remedy_json("audit")
    return [m["code"] for m in audit.get("messages", [])
            if m["code"].startswith(("run-", "interrupted"))]


def stat_of(pid):
    """Its state and its parent."""
    with open("/proc/%d/stat" % pid, encoding="utf-8") as file:
        words = file.read().rpartition(")")[2].split()
    return words[0], int(words[1])


def stop(host):
    """Stops the fix. nsenter(1), its parent, stops with it, and lets it go on
    when it goes on itself; which it is."""
    (pid,) = host.programs()
    _, parent = stat_of(pid)
    os.kill(pid, signal.SIGSTOP)
    if not wait_for(lambda: stat_of(parent)[0] == "T", 10):
        raise RuntimeError("nsenter does not stop")
    return parent


def go_on(parent):
    os.kill(parent, signal.SIGCONT)


def check_killed(host, tap, process, parent):
    if parent:
        go_on(parent)
    result = host.finish(process)
    tap.check(result.status == 137 and "it hung" not in result.stderr,
              "it was killed", result)


def outside(host, *args, before=()):
    """A fix that the host does not see: it is in an outer pid namespace."""
    return subprocess.Popen(
        list(before) + [PROGRAM, "fix", "--root=" + host.root.rstrip("/")]
        + list(args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)


def check_ended(tap, process):
    """It went on, and found that it had been passed."""
    out, err = process.communicate(timeout=120)
    tap.equal(process.returncode, 4, "it ends with 4", out, err)
    tap.contains(out, "and 'kubelet-remedy recover' reverted it", "it says so")
    tap.check("could not be put back" not in out + err,
              "and nothing else", out, err)


# --- ended

def test_stopped(host, tap):
    """Nobody does anything: kubelet is back soon after the time is over."""
    host.node(FALSE_FLAG, service=SHORT,
              control=TOLD + "die-when-told=true when=true\n")
    before = host.snapshot()
    start = time.monotonic()
    process = start_fix(host, tap, "--wait=15")
    tap.equal(codes(host), ["run-at-work"], "audit: a run is at work")
    nsenter = stop(host)
    host.tell("die")
    tap.equal(codes(host), ["run-at-work"], "audit: its time is not over")
    back = wait_for(lambda: not is_pending(host) and not units(host), 120)
    seconds = time.monotonic() - start
    tap.check(back, "it is taken back")
    # stop, start, the job's own 5 s, --wait, settling, proofs, and 30 s
    tap.check(seconds < 1 + 1 + 5 + 15 + 5 + 10 + 30 + GRACE + KILL + 20,
              "soon after its time: %.0f s" % seconds)
    check_killed(host, tap, process, nsenter)
    check_taken_back(host, tap, before)
    log = host.sh("journalctl --no-pager -o cat KUBELET_REMEDY_COMMAND=recover"
                  ).stdout
    tap.matches(log, r"recover: the run \S+ is at work: waiting for "
                "it until " + HOUR, "the journal says for whom it waits")
    log = host.sh("journalctl --no-pager -o cat").stdout
    tap.matches(log, r"did not continue in time: its process \d+, which was "
                "stopped, was ended", "and what it did")


def test_frozen(host, tap):
    """In a control group that somebody has frozen."""
    host.node(FALSE_FLAG, service=NOTIFY)
    before = host.snapshot()
    process = start_fix(host, tap, "--wait=3")
    group = host.cgroup + "/exec/frozen"
    os.mkdir(group)
    with open(group + "/cgroup.procs", "w", encoding="ascii") as file:
        (pid,) = host.programs()
        file.write(str(pid))
    try:
        with open(group + "/cgroup.freeze", "w", encoding="ascii") as file:
            file.write("1")
        set_deadline(host)
        (timer,) = timers(host)
        tap.equal(codes(host), ["run-stuck"], "audit: it is stuck")
        tap.status(fire(host, timer), 0, "the timer's service")
        check_killed(host, tap, process, None)
        host.run(["systemctl", "stop", timer])
        check_taken_back(host, tap, before)
    finally:
        with open(group + "/cgroup.freeze", "w", encoding="ascii") as file:
            file.write("0")
        wait_for(lambda: not os.path.exists(group) or remove_group(group), 10)


def remove_group(group):
    try:
        os.rmdir(group)
    except OSError:
        return False
    return True


def test_held_before_a_rename(host, tap):
    """Between its look at the token and an exchange; what holds it there also
    keeps it from its end."""
    if host.sh("command -v strace").status:
        raise Skip("no strace")
    host.node(FALSE_FLAG, service=NOTIFY, config=KEY_FALSE)
    before, was = host.snapshot(), host.identity()
    for call in (1, 2):
        process = host.spawn(["strace", "-f", "-o", "/dev/null", "-e",
                              "inject=renameat2:delay_enter=20000000:when=%d"
                              % call, "kubelet-remedy", "fix", "--wait=3"])
        tap.check(wait_for(lambda: timers(host)
                           and b'"replacing"' in host.read(the_record(host))),
                  "it is about to replace the files")
        time.sleep(0.5)
        set_deadline(host)
        (timer,) = timers(host)
        tap.status(fire(host, timer), 0, "the timer's service")
        tap.check(host.finish(process).status != 0, "the fix is not well")
        host.run(["systemctl", "stop", timer])
        tap.equal(host.identity(), was, "kubelet was left alone")
        tap.status(host.remedy("recover"), 0, "the next one")
        check_taken_back(host, tap, before)


# --- passed

def test_passed_in_the_wait(host, tap):
    """A fix that is not seen cannot be killed. When it goes on, it ends."""
    host.node(FALSE_FLAG, service=NOTIFY, config=KEY_FALSE)
    before = host.snapshot()
    host.write(CONTROL, TOLD)
    process = outside(host, "--wait=3")
    tap.check(host.wait_value("true"), "kubelet runs on the new files")
    process.send_signal(signal.SIGSTOP)
    set_deadline(host)
    (timer,) = timers(host)
    start = time.monotonic()
    tap.status(fire(host, timer), 0, "the timer's service")
    seconds = time.monotonic() - start
    tap.check(seconds < KILL + 25, "it takes %.0f s" % seconds)
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")
    tap.check(host.is_healthy(), "kubelet is healthy")
    tap.equal(host.value(), "false", "it decides as before")
    was = host.identity()
    process.send_signal(signal.SIGCONT)
    check_ended(tap, process)
    tap.equal((host.snapshot(), host.identity()), (before, was),
              "it did nothing more")
    host.run(["systemctl", "stop", timer])
    tap.status(host.remedy("recover"), 0, "the next one")
    check_taken_back(host, tap, before)
    host.write(CONTROL, "")
    tap.status(host.remedy("fix", "--wait=1"), 0, "and a fix")


def test_passed_before_a_rename(host, tap):
    """Held between its look and each of its exchanges, there and back."""
    host.node(FALSE_FLAG, service=NOTIFY, config=KEY_FALSE)
    before = host.snapshot()
    for call, ends in ((1, False), (2, False), (3, True), (4, True)):
        what = "exchange %d: " % call
        host.write(CONTROL, "die-after-ms=300 when=true\n" if ends else "")
        process = outside(
            host, "--wait=3", "--retry", before=[
                "strace", "-f", "-o", "/dev/null", "-e",
                "inject=renameat2:delay_enter=25000000:when=%d" % call])
        state = b'"committed"' if ends else b'"replacing"'
        tap.check(wait_for(lambda: timers(host)
                           and state in host.read(the_record(host))),
                  what + "it is there")
        if ends:
            tap.check(host.wait_value("true"), what + "kubelet dies")
            time.sleep(3)
        time.sleep(1)
        set_deadline(host)
        (timer,) = timers(host)
        tap.status(fire(host, timer), 0, what + "the timer's service")
        tap.equal(host.snapshot(), before, what + "all is old")
        tap.check(host.is_healthy(), what + "kubelet is healthy")
        was = host.identity()
        check_ended(tap, process)
        tap.equal((host.snapshot(), host.identity()), (before, was),
                  what + "it did nothing more")
        host.run(["systemctl", "stop", timer])
        tap.status(host.remedy("recover"), 0, what + "the next one")
        check_nothing_left(host, tap, what.rstrip(": "))
    tap.equal(host.value(), "false", "kubelet decides as before")


# --- waited for

def test_waited_for(host, tap):
    """Within its time it is left alone; who waits is told when that is."""
    host.node(FALSE_FLAG, service=NOTIFY)
    process = start_fix(host, tap, "--wait=3")
    nsenter = stop(host)
    (timer,) = timers(host)
    service = timer.removesuffix(".timer") + ".service"
    host.run(["systemctl", "start", "--no-block", service])
    tap.check(host.wait_said("waiting for it until", service),
              "it says until when it waits")
    result = host.remedy("fix", "--wait=1")
    tap.status(result, 4, "another fix")
    tap.contains(result.stdout + result.stderr, "is at work", "it says for whom it waited")
    go_on(nsenter)
    host.tell("well")
    tap.status(host.finish(process), 0, "the fix")
    tap.check(wait_for(lambda: not units(host)), "recover has ended")
    tap.equal(host.value(), "true", "kubelet decides true")
    check_nothing_left(host, tap, "waited for")


def test_nothing_to_wait_for(host, tap):
    """One that stands, and is stopped before it is over with the rest."""
    host.node(FALSE_FLAG, service=NOTIFY)
    process = start_fix(host, tap, "--wait=20")
    nsenter = stop(host)
    text = host.read(the_record(host))
    host.write(the_record(host), text.replace(b'"committed"', b'"kept"'), 0o600)
    (timer,) = timers(host)
    start = time.monotonic()
    tap.status(fire(host, timer), 0, "the timer's service")
    tap.check(time.monotonic() - start < GRACE + 10, "it does not wait")
    tap.equal(host.value(), "true", "kubelet is left alone")
    host.write(the_record(host), text, 0o600)
    go_on(nsenter)
    host.tell("well")
    tap.status(host.finish(process), 0, "the fix")


# --- told

def test_told(host, tap):
    """A run that was killed: who takes it back, when, and what fix does."""
    host.node(FALSE_FLAG, service=NOTIFY)
    before = host.snapshot()
    timer = kill_fix(host, tap, "--wait=3")
    host.tell("well")
    tap.check(host.is_healthy(), "kubelet is healthy on the new files")
    new, was = host.snapshot(), host.identity()

    now = time.time()
    result, audit = host.remedy_json("audit")
    tap.status(result, 0, "audit")
    shown = host.remedy("audit").stdout
    tap.matches(shown.splitlines()[0], "^PASS  .*, for now: a fix or undo was "
                "interrupted and is going to be reverted$", "the first line")
    tap.equal(shown.splitlines()[-1], "next: kubelet-remedy recover",
              "the way forward")
    (said,) = [m for m in audit["messages"] if m["code"] == "interrupted"]
    match = re.search("systemd reverts it at (%s)" % HOUR, said["text"])
    if tap.check(match, "audit says when", said):
        limit = timer_usec(host, timer) // 1000000
        want = [time.strftime("%H:%M:%S", time.localtime(now + after))
                for after in range(limit + 2)]
        tap.check(match.group(1)[:8] in want, "a time to come", match.group(1),
                  want[:1], want[-1:])
    tap.matches(host.remedy("audit").stdout, "systemd reverts it at " + HOUR,
                "in text, too")

    result = host.remedy("fix", "-n")
    tap.status(result, 1, "fix -n: changes would be made")
    tap.check("UNCHANGED" not in result.stdout, "it is not compliant",
              result.stdout)
    tap.matches(result.stdout, r"WOULD FIX\s+the interrupted run \S+ would "
                r"be reverted first \(1 file, and kubelet restarted\)",
                "what it would do first")
    tap.matches(result.stderr, "systemd reverts it at " + HOUR, "and when")
    _, value = host.remedy_json("fix", "-n")
    tap.equal(value.get("outcome"), "would-fix", "the same in JSON")
    tap.contains(host.remedy("undo", "-n").stdout, "would be reverted first",
                 "undo -n")
    tap.matches(host.remedy("history").stdout, "it was interrupted: systemd "
                "reverts it at " + HOUR, "history")
    _, value = host.remedy_json("history")
    (one,) = value["transactions"]
    tap.equal((one["outcome"], bool(one["reverts"])), ("interrupted", True),
              "history in JSON")
    tap.equal((host.snapshot(), host.identity()), (new, was),
              "nothing was changed by that")

    host.run(["systemctl", "stop", timer])
    result = host.remedy("audit")
    tap.contains(result.stdout, "no timer reverts it; the next fix or undo "
                 "does so first, or 'kubelet-remedy recover' now",
                 "without a timer")
    _, value = host.remedy_json("history")
    tap.equal(value["transactions"][0]["reverts"], None, "no time")
    tap.status(host.remedy("fix", "-n"), 1, "fix -n")
    host.write(CONTROL, "")
    result = host.remedy("fix", "--wait=1")
    tap.status(result, 0, "fix takes it back and goes on")
    tap.check(host.identity() != was, "kubelet was restarted")
    tap.equal(codes(host), [], "nothing is told any more")
    tap.status(host.remedy("undo", "--wait=1"), 0, "undo")
    tap.equal(host.snapshot(), before, "the bytes from before both")


def test_stuck_is_told(host, tap):
    host.node(FALSE_FLAG, service=NOTIFY)
    process = start_fix(host, tap, "--wait=3")
    tap.contains(host.remedy("history").stdout, "it is at work (process ",
                 "history: at work")
    _, value = host.remedy_json("history")
    tap.equal(value["transactions"][0]["outcome"], "running", "in JSON")
    result = host.remedy("fix", "-n")
    tap.contains(result.stderr, "is at work (process ", "fix -n: at work")
    nsenter = stop(host)
    set_deadline(host)
    tap.matches(host.remedy("audit").stdout, r"is stuck \(process \d+, "
                r"stopped\), and its time is over: 'kubelet-remedy recover'",
                "audit: stuck")
    result = host.remedy("fix", "--wait=1")
    tap.status(result, 4, "another fix")
    tap.contains(result.stdout + result.stderr,
                 "'kubelet-remedy recover' ends it",
                 "it says what to do")
    tap.status(host.remedy("recover", "--wait=3"), 0, "that is so")
    check_killed(host, tap, process, nsenter)
    tap.equal(host.value(), "false", "kubelet decides as before")
    host.run(["systemctl", "stop"] + timers(host))
    check_nothing_left(host, tap, "stuck")


def main():
    return run_file(__doc__, globals())


if __name__ == "__main__":
    PROGRAM = sys.argv[1] if sys.argv[1:] else ""
    sys.exit(main())
