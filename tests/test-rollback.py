#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rollback that outlives the program, under a real systemd.

    test-rollback.py PROGRAM STANDIN RECOVER_SERVICE [TEST...]

A fix is killed while it waits for kubelet: systemd's timer must take it back,
or the unit at boot after a reboot. Where the fix comes to an end of its own,
nothing of the timer may be left. Needs root; without it the whole is skipped.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from e2e_lib import run_file
from host_lib import CONFIG, CONTROL, KEY, UNIT, wait_for
from rollback_lib import (FALSE_FLAG, NOTIFY, RECOVER, SHORT, STARTS,
                          STATE_DIR, TOLD, check_nothing_left,
                          check_taken_back, end_by_kill, fire, is_pending,
                          kill_fix, start_fix, the_record, timer_usec, timers,
                          units)

ADD_LIBRARIES = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                             "../contrib/add-libraries")


def test_killed_and_kubelet_dies(host, tap):
    """Nobody does anything: the node goes back by itself, in time."""
    control = TOLD + "die-when-told=true when=true\n"
    host.node(FALSE_FLAG, service=SHORT, control=control)
    before = host.snapshot()
    process = host.spawn(["kubelet-remedy", "fix", "--wait=8"])
    tap.check(host.wait_value("true"), "kubelet runs on the new files")
    end_by_kill(host, tap, process)
    host.tell("die")
    limit = timer_usec(host, timers(host)[0])
    # stop, start, the job's own 5 s, --wait, settling, proofs, and 30 s
    tap.equal(limit, (1 + 1 + 5 + 8 + 5 + 10 + 30) * 1000000,
              "the time limit")
    tap.check(wait_for(lambda: not is_pending(host), 120),
              "the timer runs out")
    tap.check(wait_for(lambda: not units(host)), "its service ends")
    check_taken_back(host, tap, before)


def test_killed_and_kubelet_healthy(host, tap):
    """Nobody has confirmed it."""
    host.node(FALSE_FLAG, service=NOTIFY)
    before, was = host.snapshot(), host.identity()
    timer = kill_fix(host, tap, "--wait=3")
    host.tell("well")
    tap.check(host.is_healthy(), "kubelet is healthy on the new files")
    tap.status(fire(host, timer), 0, "the timer's service")
    tap.check(host.identity() != was, "it is a new kubelet")
    host.run(["systemctl", "stop", timer])
    check_taken_back(host, tap, before)


def test_timer_of_a_reverted_run(host, tap):
    """Who reverts a killed run stops its timer: the program that it would
    start may be removed before."""
    for words in (["recover"], ["fix", "--wait=6"]):
        host.node(FALSE_FLAG, service=NOTIFY)
        before = host.snapshot()
        kill_fix(host, tap, "--wait=3")
        host.tell("well")
        tap.status(host.remedy(*words), 0, words[0])
        tap.equal(timers(host), [], words[0] + ": no timer is left")
        tap.equal(host.snapshot() == before, words[0] == "recover",
                  words[0] + ": the files")
        tap.check(host.is_healthy(), words[0] + ": kubelet is healthy")


def test_killed_before_the_restart(host, tap):
    """A kubelet that never saw the new files is not restarted."""
    host.node(FALSE_FLAG, service=NOTIFY)
    before, was = host.snapshot(), host.identity()
    result = host.run(["strace", "-f", "-o", "/dev/null", "-e",
                       "inject=renameat,renameat2:signal=SIGKILL:when=2",
                       "kubelet-remedy", "fix", "--wait=3"])
    if result.status == 127:
        print("# no strace")
        return
    found = timers(host)
    tap.equal(len(found), 1, "a timer is armed")
    tap.check(is_pending(host), "the mark is there")
    tap.status(fire(host, found[0]), 0, "the timer's service")
    host.run(["systemctl", "stop"] + found)
    tap.equal(host.identity(), was, "kubelet was left alone")
    check_taken_back(host, tap, before)


def check_kinds(host, tap, kinds, outcomes):
    _, found = host.remedy_json("history")
    tap.equal([[t["kind"] for t in found["transactions"]],
               [t["outcome"] for t in found["transactions"]]],
              [kinds, outcomes], "history")


def test_killed_undo(host, tap):
    """An undo is taken back to the fix."""
    host.node(FALSE_FLAG, service=NOTIFY)
    tap.status(host.remedy("fix", "--wait=1"), 0, "fix")
    fixed = host.snapshot()
    host.write(CONTROL, TOLD.replace("when=true\n", "when=false\n"))
    process = host.spawn(["kubelet-remedy", "undo", "--wait=3"])
    restarted = host.wait_value("false")
    host.signal_program(signal.SIGKILL)
    tap.check(restarted, "kubelet runs on the old files",
              host.finish(process), host.log())
    found = timers(host)
    if not tap.equal(len(found), 1, "a timer is armed"):
        return
    check_kinds(host, tap, ["fix", "undo"], ["fixed", "interrupted"])
    tap.contains(host.remedy("audit").stdout, "for now: a fix or undo was "
                 "interrupted", "it need not be a fix")
    tap.matches(host.remedy("status").stderr, r"^warning: the run \S+ was "
                "interrupted: systemd reverts it at ", "status says so")
    tap.status(fire(host, found[0]), 0, "the timer's service")
    host.run(["systemctl", "stop"] + found)
    tap.equal(host.remedy("status").stderr, "", "and no more")
    check_kinds(host, tap, ["fix", "undo"], ["fixed", "rolled-back"])
    tap.contains(host.remedy("history").stdout,
                 "it was put back: it was interrupted", "why")
    tap.equal(host.snapshot(), fixed, "the bytes of the fix")
    tap.equal(host.value(), "true", "kubelet decides as fixed")
    check_nothing_left(host, tap, "undo")


def is_active(host, unit):
    return host.run(["systemctl", "is-active", unit]).stdout.strip() in (
        "active", "activating")


def test_runs_out_too_early(host, tap):
    """What it starts waits for the run, and does nothing then."""
    host.node(FALSE_FLAG, service=NOTIFY)
    process = start_fix(host, tap, "--wait=20")
    service = timers(host)[0].removesuffix(".timer") + ".service"
    host.run(["systemctl", "start", "--no-block", service])
    tap.check(wait_for(lambda: is_active(host, service)), "it waits",
              units(host))
    host.tell("well")
    tap.status(host.finish(process), 0, "fix")
    was = host.identity()
    tap.check(wait_for(lambda: not units(host)), "it has ended")
    tap.equal(host.identity(), was, "kubelet is left alone")
    tap.equal(host.value(), "true", "kubelet decides true")
    tap.status(host.remedy("audit"), 0, "audit")
    check_nothing_left(host, tap, "early")


def test_disarmed(host, tap):
    """At the end of every path."""
    host.node(FALSE_FLAG, service=NOTIFY)
    tap.status(host.remedy("fix", "--wait=1"), 0, "fix")
    check_nothing_left(host, tap, "fix")
    tap.status(host.remedy("undo", "--wait=1"), 0, "undo")
    check_nothing_left(host, tap, "undo")
    process = start_fix(host, tap, "--wait=8")
    host.signal_program(signal.SIGTERM)
    tap.status(host.finish(process), 5, "fix, SIGTERM")
    check_nothing_left(host, tap, "SIGTERM")
    host.write(CONTROL, "die-after-ms=300 when=true\n")
    tap.status(host.remedy("fix", "--retry", "--wait=3"), 5, "fix, put back")
    check_nothing_left(host, tap, "put back")
    tap.status(host.remedy("fix", "--retry", "--wait=3", "--no-rollback"), 6,
               "fix, left")
    check_nothing_left(host, tap, "left")
    tap.contains(host.remedy("history").stdout, "broken",
                 "a change that is left is one to undo")


def test_no_timer_without_restart(host, tap):
    host.node(FALSE_FLAG, service=NOTIFY)
    result = host.sh("strace -f -e trace=sendmsg -o /run/trace kubelet-remedy "
                     "fix --restart=never; s=$?; "
                     "grep -c StartTransientUnit /run/trace; exit $s")
    tap.equal((result.status, result.stdout.splitlines()[-1:]), (0, ["0"]),
              "no timer", result.stdout, result.stderr)
    check_nothing_left(host, tap, "never")


# --- records

def change_record(host, **members):
    record = json.loads(host.read(the_record(host)))
    record.update(members)
    host.write(the_record(host), json.dumps(record), 0o600)


def set_clock_back(host):
    """As if it had been an hour ahead when the record was written."""
    usec = json.loads(host.read(the_record(host)))["time_usec"]
    change_record(host, time_usec=usec + 3600 * 10**6)


def test_clock_is_set(host, tap):
    """Which kubelet has seen the new files is no question of the time."""
    host.node(FALSE_FLAG, service=NOTIFY)
    before = host.snapshot()
    timer = kill_fix(host, tap, "--wait=3")
    host.tell("well")
    tap.check(host.is_healthy(), "kubelet is healthy on the new files")
    set_clock_back(host)
    tap.status(fire(host, timer), 0, "the timer's service")
    host.run(["systemctl", "stop", timer])
    check_taken_back(host, tap, before)


def test_clock_is_set_before_undo(host, tap):
    host.node(FALSE_FLAG, service=NOTIFY)
    for kill in (False, True):
        tap.status(host.remedy("fix", "--wait=1", "--retry"), 0, "fix")
        set_clock_back(host)
        if kill:
            process = host.spawn(["kubelet-remedy", "undo", "--wait=1"])
            host.wait_value("false")
            host.signal_program(signal.SIGKILL)
            host.finish(process)
            tap.check(host.is_healthy(), "kubelet is healthy")
            set_clock_back(host)
        tap.status(host.remedy("undo", "--wait=1"), 0, "undo")
        tap.equal(host.value(), "false", "kubelet runs on the old files")


def test_record_is_unreadable(host, tap):
    """One who cannot tell what a run did must not say that all is well."""
    host.node(FALSE_FLAG, service=NOTIFY)
    for name, spoil in (
            ("cut off", lambda: host.write(
                the_record(host), host.read(the_record(host))[:300], 0o600)),
            ("newer", lambda: change_record(host, schema=2, state="proven"))):
        host.node(FALSE_FLAG, service=NOTIFY)
        timer = kill_fix(host, tap, "--wait=3")
        spoil()
        new = host.snapshot()
        tap.check(fire(host, timer).status != 0, name + ": recover fails")
        host.run(["systemctl", "stop", timer])
        host.run(["systemctl", "reset-failed"])
        tap.check(is_pending(host), name + ": the mark stays")
        _, audit = host.remedy_json("audit")
        tap.check("interrupted" in [m["code"] for m in audit["messages"]],
                  name + ": audit tells of it", audit["messages"])
        for command in ("fix", "undo"):
            result = host.remedy(command, "--wait=1")
            tap.status(result, 4, name + ": " + command)
            tap.contains(result.stdout + result.stderr, STATE_DIR + "/20",
                         "it names the place")
        tap.equal(host.snapshot(), new, name + ": no file is touched")
        host.remove(os.path.dirname(the_record(host)))
        tap.status(host.remedy("fix", "--wait=1"), 0,
                   name + ": fix, when it is gone")


def test_folder_is_others(host, tap):
    """A record that anybody wrote would have root write anywhere."""
    host.node(FALSE_FLAG, service=NOTIFY)
    before, was = host.snapshot(), host.identity()
    for change, back in (("chown nobody", "chown root"),
                         ("chmod 0777", "chmod 0700"),
                         ("chmod 0720", "chmod 0700")):
        host.sh("mkdir -p -m 0700 %s; %s %s" % (STATE_DIR, change, STATE_DIR))
        for command in ("fix", "undo", "recover"):
            result = host.remedy(command)
            tap.status(result, 4, change + ": " + command)
            tap.contains(result.stdout + result.stderr,
                         STATE_DIR + ": users other than root",
                         "it says why")
        host.sh("%s %s" % (back, STATE_DIR))
    tap.equal((host.snapshot(), host.identity()), (before, was),
              "nothing is changed, kubelet is left alone")


def test_nothing_to_recover(host, tap):
    host.node()
    before, was = host.snapshot(), host.identity()
    for args in ([], ["20200101T000000.000000Z-00000000"]):
        tap.status(host.remedy("recover", *args), 0, "recover")
    tap.equal((host.snapshot(), host.identity()), (before, was),
              "nothing is changed, kubelet is left alone")
    host.write(STATE_DIR + "/pending", "")
    tap.status(host.remedy("recover"), 0, "recover, a mark alone")
    tap.check(not is_pending(host), "the mark is gone")
    tap.status(host.remedy("recover", user="nobody"), 4, "not root")


def outside(host, *args, program=None):
    """The program as a container has it, with the host's root mounted."""
    words = program or [FOLDER + "/kubelet-remedy"]
    return subprocess.Popen([*words, *args, "--root=" + host.root.rstrip("/")],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def without_libraries(host):
    """Takes away what the program needs and a host need not have (the stand-in
    finds some of it elsewhere): what, and how it is put back."""
    found = host.sh("ldd /usr/bin/kubelet-remedy | sed -n"
                    " 's/.*=> \\(.*lib\\(yaml\\|cjson\\|bsd\\|md\\)[^ ]*"
                    "\\).*/\\1/p'").stdout.split()
    host.sh("mkdir -p /root/elsewhere;"
            + "".join("cp -L %s /root/elsewhere/; mv %s %s.gone;"
                      % (name, name, name) for name in found))
    return found, "".join("mv %s.gone %s;" % (n, n) for n in found)


def test_below_a_root(host, tap):
    """systemd runs a copy of the program that lies on the host, which has no
    library of it."""
    host.node(FALSE_FLAG, service=NOTIFY
              + "\nEnvironment=LD_LIBRARY_PATH=/root/elsewhere")
    names, back = without_libraries(host)
    tap.check(any("cjson" in name for name in names),
              "the host's libraries are taken away", names)
    tap.status(host.remedy("--version"), 127, "it does not run there")
    try:
        check_below_a_root(host, tap)
    finally:
        host.sh(back)
    check_nothing_left(host, tap, "fix")


def check_below_a_root(host, tap):
    before = host.snapshot()
    host.write(CONTROL, TOLD)
    process = outside(host, "fix", "--wait=3")
    tap.check(host.wait_value("true"), "kubelet runs on the new files")
    process.kill()
    process.communicate()
    found = timers(host)
    tap.equal(len(found), 1, "a timer is armed")
    text = host.sh("systemctl cat " + found[0].replace(".timer", ".service"))
    tap.matches(text.stdout, '^ExecStart="{0}/kubelet-remedy.loader"'
                ' "--library-path" "{0}" "{0}/kubelet-remedy" "recover"'
                .format(STATE_DIR + "/program"), "it runs the copy by its own loader")
    tap.status(fire(host, found[0]), 0, "the timer's service")
    host.run(["systemctl", "stop"] + found)
    tap.equal(host.snapshot(), before, "all is put back")
    tap.check(not os.path.exists(host.root + STATE_DIR + "/program"),
              "the copy is gone")
    host.write(CONTROL, "")
    process = outside(host, "fix", "--wait=1", program=[
        FOLDER + "/kubelet-remedy.loader", FOLDER + "/kubelet-remedy"])
    out, err = process.communicate()
    tap.equal(process.returncode, 0, "by its loader, fix to its end", out, err)


def test_alone_below_a_root(host, tap):
    """A program without its libraries beside it needs those of the host."""
    host.node(FALSE_FLAG, service=NOTIFY
              + "\nEnvironment=LD_LIBRARY_PATH=/root/elsewhere")
    before, was = host.snapshot(), host.identity()
    _, back = without_libraries(host)
    try:
        process = outside(host, "fix", "--wait=1", program=[PROGRAM])
        out, err = process.communicate()
    finally:
        host.sh(back)
    tap.equal(process.returncode, 4, "the host has none: fix", out, err)
    tap.contains(out + err, "program/kubelet-remedy: does not run on the host when "
                 "systemd starts it (status 127)", "the reason")
    tap.contains(out + err, "contrib/container", "the way forward")
    tap.equal((host.snapshot(), host.identity()), (before, was),
              "nothing is changed, kubelet is left alone")
    check_nothing_left(host, tap, "refused")
    process = outside(host, "fix", "--wait=1", program=[PROGRAM])
    out, err = process.communicate()
    tap.equal(process.returncode, 0, "the host has them: fix", out, err)
    check_nothing_left(host, tap, "fix")


def test_host_cannot_run_it(host, tap):
    """Without a way back there is no restart, and nothing is changed."""
    host.node(FALSE_FLAG, service=NOTIFY)
    before, was = host.snapshot(), host.identity()
    host.sh("mkdir -p {0} && mount -t tmpfs -o noexec,mode=700 none {0}"
            .format(STATE_DIR))
    try:
        process = outside(host, "fix", "--wait=1")
        out, err = process.communicate()
        left = os.listdir(host.root + STATE_DIR)
    finally:
        host.sh("umount " + STATE_DIR)
    tap.equal(process.returncode, 4, "fix", out, err)
    tap.contains(out + err, "when systemd starts it (status 203)", "the reason")
    tap.contains(out + err, "--restart=never", "what may be done")
    tap.equal(host.snapshot(), before, "nothing is changed")
    tap.equal(host.identity(), was, "kubelet is left alone")
    tap.equal(left, [], "no copy is left")
    check_nothing_left(host, tap, "refused")


def test_runs_for_us_alone(host, tap):
    """A program that only our environment lets run is none for the timer."""
    host.node(FALSE_FLAG, service=NOTIFY
              + "\nEnvironment=LD_LIBRARY_PATH=/root/elsewhere")
    before, was = host.snapshot(), host.identity()
    _, back = without_libraries(host)
    words = ["env", "LD_LIBRARY_PATH=/root/elsewhere", "kubelet-remedy", "fix"]
    try:
        result = host.run(words + ["--wait=1"])
        tap.status(result, 4, "fix")
        tap.contains(result.stdout + result.stderr,
                     "when systemd starts it (status 127)",
                     "the reason")
        tap.equal((host.snapshot(), host.identity()), (before, was),
                  "nothing is changed, kubelet is left alone")
        check_nothing_left(host, tap, "refused")
        tap.status(host.run(words + ["--restart=never"]), 0, "the files alone")
    finally:
        host.sh(back)


def test_tried_by_one_that_was_killed(host, tap):
    """Whoever was killed while systemd tried the program is in nobody's way."""
    host.node(FALSE_FLAG, service=NOTIFY)
    tap.status(host.sh("systemd-run -q --wait --unit=kubelet-remedy-try false"),
               1, "one that has failed is left")
    tap.equal(units(host), ["kubelet-remedy-try.service"], "it is there")
    tap.status(host.remedy("fix", "--wait=1"), 0, "fix")
    check_nothing_left(host, tap, "fix")


def test_started_by_its_loader(host, tap):
    """What systemd is to run cannot be told then, but for a folder's loader."""
    host.node(FALSE_FLAG, service=NOTIFY)
    before, was = host.snapshot(), host.identity()
    loader = host.sh("ldd /usr/bin/kubelet-remedy | sed -n 's/^[[:blank:]]*"
                     "\\(.*ld-linux[^ ]*\\) .*/\\1/p'").stdout.strip()
    below = subprocess.run(
        [loader, PROGRAM, "fix", "--wait=1",
         "--root=" + host.root.rstrip("/")], check=False, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    tap.equal(below.returncode, 4, "below a root", below)
    here = host.run([loader, "/usr/bin/kubelet-remedy", "fix", "--wait=1"])
    tap.status(here, 4, "on the host")
    for text in (below.stdout + below.stderr, here.stdout + here.stderr):
        tap.contains(text, "by way of its loader", "the reason")
    tap.equal((host.snapshot(), host.identity()), (before, was),
              "nothing is changed, kubelet is left alone")
    check_nothing_left(host, tap, "refused")


def own_log(host):
    """By who wrote it: a line of a process that is gone when journald reads it
    may have no unit."""
    return host.sh("journalctl --sync; journalctl --no-pager -n 40 "
                   "-t kubelet-remedy").stdout


def test_inside_the_unit(host, tap):
    """Its own restart would end it, and wait for it."""
    host.node(FALSE_FLAG, start=False, service=NOTIFY
              + "\nExecStartPre=-/usr/bin/kubelet-remedy fix --restart=always")
    before = host.snapshot()
    host.run(["systemctl", "start", "kubelet"])
    tap.check(host.is_healthy(), "kubelet starts")
    tap.equal(host.snapshot(), before, "nothing is changed")
    tap.contains(own_log(host), "runs inside kubelet.service", "the reason")


def test_config_named(host, tap):
    """What --config said is in the record: the timer's service needs it."""
    host.node(FALSE_FLAG, service=NOTIFY)
    tops = (UNIT, UNIT + ".d", CONFIG)
    before = host.snapshot(*tops)
    host.write("/etc/kubernetes/other.json", host.read(CONFIG))
    timer = kill_fix(host, tap, "--wait=3",
                     "--config=/etc/kubernetes/other.json")
    service = host.sh("systemctl cat " + timer.replace(".timer", ".service"))
    tap.check("--config" not in service.stdout, "it is not on its command line",
              service.stdout)
    found = host.sh("grep -h '\"config\"' %s/*/manifest.json" % STATE_DIR)
    tap.contains(found.stdout, "/etc/kubernetes/other.json", "it is in the record")
    host.write("/etc/kubernetes/other.json", host.read(CONFIG).replace(
        b"{", b'{"healthzPort": 1,', 1))
    done = fire(host, timer)
    log = own_log(host)
    tap.check(done.status != 0 and "127.0.0.1:1/" in log,
              "recovery asks for health where that file says", done, log)
    host.run(["systemctl", "stop", timer])
    tap.equal(host.snapshot(*tops), before, "old bytes, owners and modes")


def test_unit_named(host, tap):
    """The next run knows from the record whose kubelet it has to bring back,
    also if it is asked about another one."""
    agent = UNIT.replace("kubelet.service", "node-agent.service")
    host.node(FALSE_FLAG, service=NOTIFY + "\nRestart=no", start=False)
    host.sh("cp %s %s; cp -r %s.d %s.d; systemctl daemon-reload; systemctl "
            "start node-agent" % (UNIT, agent, UNIT, agent))
    tap.check(host.is_healthy(), "its kubelet is healthy")
    tops = (agent, agent + ".d")
    before = host.snapshot(*tops)
    timer = kill_fix(host, tap, "--wait=3", "--unit=node-agent.service")
    host.run(["systemctl", "stop", timer])
    host.sh("systemctl stop node-agent")
    tap.status(host.remedy("undo", "--wait=3"), 0, "another run")
    tap.equal(host.snapshot(*tops), before, "old bytes, owners and modes")
    tap.check(host.is_healthy(), "that kubelet is healthy again")
    tap.equal(host.sh("systemctl is-active node-agent kubelet").stdout.split(),
              ["active", "inactive"], "that kubelet, and no other")
    host.sh("systemctl stop node-agent; rm -rf %s %s.d; systemctl daemon-reload"
            % (agent, agent))


def test_unit_at_boot_is_missed(host, tap):
    """A preview warns of what a reboot would leave. A fix that has ended is
    past it; its JSON keeps the warning."""
    host.node(FALSE_FLAG, service=NOTIFY)
    warning = "warning: .*%s is not enabled" % RECOVER
    tap.matches(host.remedy("fix", "-n").stderr, warning, "the preview warns")
    result = host.remedy("fix", "--wait=1")
    tap.status(result, 0, "fix")
    tap.check(RECOVER not in result.stderr, "none after it", result.stderr)
    tap.status(host.remedy("undo", "--restart=never"), 0, "undo")
    result, said = host.remedy_json("fix", "--wait=1")
    tap.status(result, 0, "fix with JSON")
    tap.check("no-boot-unit" in [m["code"] for m in said["messages"]],
              "its JSON has the warning", said)
    tap.status(host.remedy("undo", "--restart=never"), 0, "undo of it")
    result = host.remedy("fix", "--restart=never")
    tap.check(RECOVER not in result.stderr, "none without a restart",
              result.stderr)


def install(host):
    with open(SERVICE_FILE, encoding="utf-8") as file:
        text = file.read()
    host.write("/usr/lib/systemd/system/" + RECOVER,
               text.replace("/usr/local/sbin/", "/usr/bin/"))


def enable(host):
    install(host)
    result = host.sh("systemctl enable %s && mkdir -p /etc/systemd/system/"
                     "bth.target.wants && ln -sf %s /etc/systemd/system/"
                     "bth.target.wants/ && sync" % (RECOVER, UNIT))
    if result.status:
        raise RuntimeError(result.stderr)


def shown(host, *names, unit=RECOVER):
    text = host.run(["systemctl", "show", unit, "-p", ",".join(names)])
    return dict(line.split("=", 1) for line in text.stdout.splitlines())


# what both services have, as systemctl shows it
SANDBOX = {
    "KeyringMode": "private", "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes", "NoNewPrivileges": "yes",
    "PrivateDevices": "yes", "ProtectControlGroups": "yes",
    "ProtectHostname": "yes", "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes", "ProtectKernelTunables": "yes",
    "ProtectSystem": "yes", "RestrictRealtime": "yes", "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "1",
    "CapabilityBoundingSet": "cap_chown cap_dac_override cap_fowner cap_fsetid "
                             "cap_kill cap_setfcap cap_sys_admin "
                             "cap_sys_ptrace",
}
# what differs
TRANSIENT = {"RestrictAddressFamilies": "AF_INET AF_INET6 AF_NETLINK "
             "AF_UNIX",
             "RestrictNamespaces": "ipc", "PrivateNetwork": "no"}
AT_BOOT = {"RestrictAddressFamilies": "AF_UNIX", "RestrictNamespaces": "yes",
           "PrivateNetwork": "yes", "ProtectClock": "yes"}


def check_sandbox(host, tap, unit, more, exposure):
    want = SANDBOX | more
    found = shown(host, *want, unit=unit)
    for name in ("CapabilityBoundingSet", "RestrictAddressFamilies"):
        found[name] = " ".join(sorted(found[name].split()))
    if found["SystemCallErrorNumber"] == "EPERM": # as newer ones have it
        found["SystemCallErrorNumber"] = "1"
    tap.equal(found, want, unit + ": the sandbox")
    more = shown(host, "SystemCallFilter", "RequiresMountsFor", unit=unit)
    calls = more["SystemCallFilter"].split()
    tap.equal([call for call in ("renameat2", "fchown", "mount", "setns",
                                 "reboot", "init_module", "bpf", "chroot")
               if call in calls], ["renameat2", "fchown", "setns"],
              unit + ": its calls")
    tap.check(STATE_DIR in more["RequiresMountsFor"].split(),
              unit + ": the records are mounted", more["RequiresMountsFor"])
    text = host.run(["systemd-analyze", "security", "--no-pager", unit]).stdout
    # "... level for UNIT: 3.7 OK :-)", or a smiley of one character
    score = re.search(r"exposure level for \S+: ([0-9.]+)", text)
    tap.check(score and float(score.group(1)) <= exposure,
              unit + ": exposed by at most %s" % exposure, text)
    print("# %s" % (score and score.group(0)))


def test_sandbox(host, tap):
    """Of what the timer starts, and of the unit at boot."""
    host.node(FALSE_FLAG, service=NOTIFY)
    install(host)
    host.run(["systemctl", "daemon-reload"])
    timer = kill_fix(host, tap, "--wait=3")
    service = timer.replace(".timer", ".service")
    # 9.5 without any; the network and ProtectClock= are the difference
    check_sandbox(host, tap, service, TRANSIENT, 4.0)
    check_sandbox(host, tap, RECOVER, AT_BOOT, 3.0)
    host.tell("well")
    tap.status(fire(host, timer), 0, "the timer's service")
    host.run(["systemctl", "stop", timer])
    check_nothing_left(host, tap, "taken back")


def test_all_of_a_file_comes_back(host, tap):
    """In the sandbox, and where the old file itself is lost: a copy has all
    that it had. The last is an attribute that only CAP_SYS_ADMIN may set."""
    for service in (True, False):
        host.node(FALSE_FLAG, service=NOTIFY)
        install(host)
        host.sh("chown 7:9 %s.d/*; chmod 6640 %s.d/*; systemctl daemon-reload"
                % (UNIT, UNIT))
        for name in os.listdir(host.root + UNIT + ".d"):
            path = host.root + UNIT + ".d/" + name
            os.setxattr(path, "user.kr", b"1")
            os.setxattr(path, "trusted.kr", b"2")
        before = host.snapshot()
        tap.check("trusted.kr" in str(before), "the attributes are there")
        timer = kill_fix(host, tap, "--wait=3")
        host.sh("rm %s.d/.kubelet-remedy-*" % UNIT)
        host.tell("well")
        tap.status(fire(host, timer if service
                        else RECOVER.replace(".service", ".timer")), 0,
                   "the timer's service" if service else "the unit at boot")
        host.run(["systemctl", "stop", timer])
        tap.equal(host.snapshot(), before, "bytes, owner, mode, attributes")


def test_reboot(host, tap):
    """The timer is gone: the unit takes it back before kubelet starts."""
    host.node(FALSE_FLAG, service=NOTIFY, config=',\n  "%s": false' % KEY)
    enable(host)
    before = host.snapshot()
    result = host.remedy("fix", "--wait=1")
    tap.check(result.status == 0 and RECOVER not in result.stderr,
              "no warning of a reboot", result)
    tap.status(host.remedy("undo", "--wait=1"), 0, "undo")
    host.remove(STATE_DIR)
    kill_fix(host, tap, "--wait=3")
    tap.check(host.snapshot() != before, "the new files are there")
    host.reboot()
    tap.check(host.is_healthy(), "kubelet is healthy")
    tap.equal(timers(host), [], "the timer is gone")
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")
    tap.equal(host.value(), "false", "kubelet decides as before")
    tap.check(FALSE_FLAG in host.argv(), "systemd has the old unit",
              host.argv())
    tap.equal(host.read(STARTS).strip(), b"1", "it was started once")
    tap.equal(shown(host, "Result", "ConditionResult"),
              {"Result": "success", "ConditionResult": "yes"}, "the unit ran")
    check_nothing_left(host, tap, "reboot")
    tap.status(host.run(["systemctl", "is-system-running"]), 0, "the system")

    host.reboot()
    tap.check(host.is_healthy(), "second boot: kubelet is healthy")
    tap.equal(shown(host, "Result", "ConditionResult"),
              {"Result": "success", "ConditionResult": "no"},
              "second boot: the unit was not run")


def main():
    with tempfile.TemporaryDirectory(prefix="rollback-") as folder:
        global FOLDER  # pylint: disable=global-statement
        FOLDER = folder
        if PROGRAM:
            shutil.copy(PROGRAM, folder + "/kubelet-remedy")
            subprocess.run([ADD_LIBRARIES, folder], check=True,
                           stdin=subprocess.DEVNULL)
        return run_file(__doc__, globals(), 3, upper=True)


if __name__ == "__main__":
    PROGRAM, SERVICE_FILE = sys.argv[1] if sys.argv[1:] else "", \
        sys.argv[3] if sys.argv[3:] else ""
    sys.exit(main())
