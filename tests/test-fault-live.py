#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix, undo and recover, killed at their system calls on a running system.

    test-fault-live.py PROGRAM STANDIN [--every=N] [--only=SCENARIO]

systemd, its bus, the journal and a stand-in kubelet are at work; the program is
killed at each of its calls from the first that writes, as strace lists them: in
a fix, an undo, a fix that is put back since kubelet dies, and in "recover" after
a killed fix. What must hold:

at once   Each file is wholly the old or wholly the new one, and what lies beside
          them has a name that neither systemd nor kubelet reads.
then      Of two points one is left to systemd: the timer's service is started,
          where a timer is armed. Else the next run finds it. All is old or all
          is new, kubelet is healthy and has the words of the files; no unit, no
          unfinished record and no new content is left.

A run's calls are not the same each time, since it waits: a point that did not
come is one of a run that came to its end, and is looked at as such.

--every=N tries every Nth call, and all that rename or remove; --every=1 is the
whole, some 3,000 points, which takes hours:

    python3 tests/test-fault-live.py build/src/kubelet-remedy
        build/tests/standin-kubelet --every=1           (one line)
"""

import os
import signal
import sys
import time

from e2e_lib import FALSE_FLAG
from fault_lib import TEMP, parse_calls
from host_lib import CONTROL, UNIT, Host, Skip, Tap, need_host

EVERY_DEFAULT = 150
QUICK = "--wait=1"
STATE_DIR = "/var/lib/kubelet-remedy"
TRACE = "/run/trace"
CHANGES = ("rename", "renameat", "renameat2", "unlinkat")


class Scenario:
    """COMMAND, from the files that a run of START leaves; what it ends with, the
    next run's words, and how kubelet misbehaves."""

    def __init__(self, command, start, *, status=0, again=None, control=""):
        self.command, self.start, self.status = command, start, status
        self.again, self.control = again or command, control


SCENARIOS = {
    "fix": Scenario(["fix", QUICK], "undo"),
    "undo": Scenario(["undo", QUICK], "fix"),
    "put back": Scenario(["fix", "--retry", QUICK], "undo", status=5,
                         again=["recover"],
                         control="die-after-ms=300 when=true\n"),
    "recover": Scenario(["recover"], None),
}


class Live:
    """A host on which a command is killed again and again."""

    def __init__(self, host, tap):
        self.host, self.tap = host, tap
        self.states = {} # "fix": the files that a fix leaves; "undo": before
        self.faults = []

    def prepare(self):
        self.host.node(FALSE_FLAG)
        self.states["undo"] = self.host.snapshot()
        self.must("fix")
        self.states["fix"] = self.host.snapshot()
        self.must("undo")
        if self.host.snapshot() != self.states["undo"]:
            raise RuntimeError("undo gives other bytes")

    def must(self, *words):
        result = self.host.remedy(*words, QUICK)
        if result.status != 0:
            raise RuntimeError("%s: %s" % (words, result))

    def fault(self, text, *args):
        self.faults.append(text % args)

    # --- what is there

    def pending(self):
        """A run that has not come to its end. (A mark alone is none.)"""
        got = self.host.remedy_json("history")[1]
        return [t["id"] for t in got.get("transactions", [{"id": "none",
                                                           "state": "?"}])
                if t["state"] not in ("kept", "put-back", "undone")]

    def timers(self):
        return self.host.sh(
            "systemctl list-units --all --plain --no-legend "
            "'kubelet-remedy-rollback*.timer' | cut -d' ' -f1").stdout.split()

    def where(self):
        """Which of the two states the files are in; None: neither."""
        now = self.host.snapshot()
        for name, state in self.states.items():
            if now == state:
                return name
        return None

    def check_instant(self):
        """The files right after the kill."""
        now = self.host.snapshot()
        allowed = [state.get for state in self.states.values()]
        for path in now:
            if TEMP.search(path):
                continue
            if now[path] not in [get(path) for get in allowed]:
                self.fault("%s is neither old nor new: %s", path, now[path])
        for path in self.states["undo"]:
            if path not in now:
                self.fault("%s is gone", path)

    def check_end(self):
        """The node when all is over; the state that it is in."""
        state = self.where()
        if not state:
            self.fault("neither all old nor all new: %s",
                       sorted(self.host.snapshot()))
            return state
        if not self.host.is_healthy():
            self.fault("kubelet is not healthy: %s", self.host.log())
        if (FALSE_FLAG in self.host.argv()) != (state == "undo"):
            self.fault("kubelet runs with %s, the files are of %s",
                       self.host.argv(), state)
        left = [name for name in os.listdir(self.host.root + UNIT + ".d")
                if TEMP.search(name)]
        if left or self.pending() or self.timers():
            self.fault("left: %s %s, mark: %s", left, self.timers(),
                       self.pending())
        return state

    # --- one point

    def end(self, by_timer, scenario):
        """Lets the node get over it."""
        timers = self.timers()
        if timers and by_timer:
            done = self.host.run(["systemctl", "start", timers[0].replace(
                ".timer", ".service")])
            if done.status != 0:
                self.fault("the timer's service: %s", done)
        elif timers or self.pending():
            done = self.host.remedy(*scenario.again)
            if done.status != 0 and not (scenario.again[0] == "undo"
                                         and done.status == 1):
                self.fault("the next run: %s", done)
        self.host.sh("systemctl stop 'kubelet-remedy-rollback*.timer'")

    def kill(self, scenario, call):
        """Whether it was killed."""
        result = self.host.run([
            "strace", "-qq", "-o", "/dev/null", "-e", "trace=" + call.name,
            "-e", "inject=%s:signal=SIGKILL:when=%d" % (call.name, call.nth),
            "kubelet-remedy"] + scenario.command)
        if result.status in (-signal.SIGKILL, 128 + signal.SIGKILL):
            return True
        if result.status != scenario.status:
            self.fault("not killed, but: %s", result)
        return False

    def back_to(self, state):
        """For the next point."""
        if self.where() != state:
            self.host.write(CONTROL, "")
            self.must(*([state, "--retry"] if state == "fix" else [state]))

    def begin(self, scenario):
        if scenario.start:
            self.back_to(scenario.start)
            self.host.write(CONTROL, scenario.control)
            return
        self.back_to("undo")
        process = self.host.spawn(["kubelet-remedy", "fix", "--retry",
                                   "--wait=60"])
        started = self.host.wait_value("true")
        self.host.signal_program(signal.SIGKILL)
        result = self.host.finish(process)
        self.host.sh("systemctl stop 'kubelet-remedy-rollback*.timer'")
        if not started or not self.pending():
            raise RuntimeError("the fix was not killed: %s" % (result,))

    def point(self, scenario, call, by_timer):
        self.begin(scenario)
        killed = self.kill(scenario, call)
        self.check_instant()
        self.end(by_timer, scenario)
        state = self.check_end()
        if scenario.status == 5 and state != "undo":
            self.fault("it was not put back")
        faults = ["%s, %s: %s" % (call, "timer" if by_timer else "next run",
                                  text) for text in self.faults]
        if faults:
            self.prepare()
        self.faults = []
        return killed, faults

    # --- a scenario

    def calls(self, scenario):
        self.begin(scenario)
        result = self.host.sh("strace -qq -n -s 64 -o %s kubelet-remedy %s"
                              % (TRACE, " ".join(scenario.command)))
        if result.status != scenario.status:
            raise RuntimeError("%s: %s" % (scenario.command, result))
        calls = parse_calls(self.host.read(TRACE).decode(
            "utf-8", "replace").splitlines())
        first = [i for i, c in enumerate(calls) if c.name in CHANGES
                 or c.name == "mkdirat" or "O_CREAT" in c.text][0]
        return calls[first:]

    def row(self, name, every):
        scenario = SCENARIOS[name]
        calls = self.calls(scenario)
        points = [c for i, c in enumerate(calls)
                  if i % every == 0 or c.name in CHANGES]
        start = time.monotonic()
        n_killed, faults = 0, []
        for i, call in enumerate(points):
            killed, found = self.point(scenario, call, i % 2 == 0)
            n_killed += killed
            faults += found
        self.host.write(CONTROL, "")
        self.tap.check(not faults, "%s: %d points of %d calls, %d killed, "
                       "%d s" % (name, len(points), len(calls), n_killed,
                                 time.monotonic() - start), *faults[:12])
        self.tap.check(n_killed > len(points) / 2, name
                       + ": most of the points came", n_killed)
        return len(points)


def main():
    options = [w for w in sys.argv[1:] if w.startswith("--")]
    program, standin = [w for w in sys.argv[1:] if not w.startswith("--")]
    every, only = EVERY_DEFAULT, SCENARIOS
    for option in options:
        key, value = option.split("=", 1)
        if key == "--every":
            every = int(value)
        elif key == "--only":
            only = (value,)
    try:
        need_host()
    except Skip as reason:
        print("1..0 # SKIP %s" % reason)
        return 0
    with Host(program, standin) as host:
        if host.sh("command -v strace").status != 0:
            print("1..0 # SKIP there is no strace")
            return 0
        tap = Tap()
        tap.test = "live"
        live = Live(host, tap)
        live.prepare()
        n = sum(live.row(name, every) for name in only)
        print("# %d points tried (every %d.)" % (n, every))
        return tap.done()


if __name__ == "__main__":
    sys.exit(main())
