#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a person sees while fix and undo work: on a terminal in place, with -v in
a log line by line; deaths, signals and the way back at once.

    test-e2e-told.py PROGRAM STANDIN [TEST...]

Needs root; without it the whole is skipped.
"""

import fcntl
import os
import re
import signal
import sys
import time

from e2e_lib import (FALSE_FLAG, QUICK, Terminal, check_fixed, check_put_back, end_well,
                     failing_node, fix_in_wait, run_file)
from host_lib import DROPIN, wait_for

DIES_TOLD = "die-when-told=true when=true\n"
KILLED = "if this program is killed, systemd "
REVERTS = KILLED + r"reverts the change at \d\d:\d\d:\d\d \w+"
AGAIN = KILLED + r"puts everything back at \d\d:\d\d:\d\d \w+"
CONFIRMED = "confirmed: the change stays, systemd's timer is stopped"
WAITS = "waiting for kubelet to be healthy ("
WATCHES = "healthy; watching that it stays up ("
DIED = "kubelet ended (status 255): putting the old files back"
INTERRUPTED = "interrupted: putting everything back; do not kill this"
ALREADY = "everything is being put back already; do not kill this"


def progress(text):
    """Without the messages, which come at the end."""
    return re.split(r"(?:note|warning): ", text)[0]


def screen(text):
    """The lines that stay, as a terminal shows them."""
    lines = []
    for line in progress(text).split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part):]
        lines.append(shown.rstrip())
    return [line for line in lines if line]


def check_order(tap, text, wanted, name):
    """Each of WANTED (patterns) stands behind the one before it."""
    at = 0
    for pattern in wanted:
        found = re.compile(pattern).search(text, at)
        tap.check(found, "%s: %s" % (name, pattern), text[at:][-2000:])
        if found:
            at = found.end()


def check_plain(tap, text, columns=80):
    tap.check("\033" not in text, "no escape sequence", text)
    wide = [part for part in re.split("[\r\n]", progress(text))
            if len(part) > columns]
    tap.equal(wide, [], "no line wraps")


def on_terminal(host, *words, columns=80):
    terminal = Terminal(columns)
    result = host.finish(host.spawn(["kubelet-remedy", *words,
                                     "--color=never"],
                                    stderr=terminal.slave))
    return result, terminal.text()


def test_terminal(host, tap):
    """Each step in one line that is drawn over itself; what has to be read
    stays."""
    _, was = failing_node(host)
    result, text = on_terminal(host, "fix", "--wait=9")
    check_fixed(host, tap, result, was)
    check_order(tap, text, (
        "\rwrite ", "\rreload ", REVERTS, "\rrestart ",
        r"\r" + re.escape(WATCHES) + r"0 of 5 s\)",
        re.escape(WATCHES) + r"4 of 5 s\)", CONFIRMED), "fix")
    tap.check(len(screen(text)) == 2, "two lines stay", screen(text))
    tap.matches(screen(text)[0], "^" + REVERTS + "$", "who reverts, and when")
    tap.equal(screen(text)[-1], CONFIRMED, "the end of it")
    check_plain(tap, text)
    result, text = on_terminal(host, "undo", QUICK)
    tap.status(result, 0, "undo")
    check_order(tap, text, ("\rwrite ", "\rreload ", REVERTS, "\rrestart ",
                            re.escape(WATCHES), CONFIRMED), "undo")
    failing_node(host)
    result, text = on_terminal(host, "fix", "--wait=9", columns=40)
    tap.status(result, 0, "40 columns")
    check_order(tap, text, (r"\rhealthy; watching \(0 of 5 s\)",
                            r"watching \(4 of 5 s\)"), "the numbers stay")


def test_waits(host, tap):
    """Seconds of the wait, and then healthy when it is healthy."""
    terminal = Terminal(80)
    process, _ = fix_in_wait(host, stderr=terminal.slave)
    tap.check(terminal.wait(WAITS + "2 of 100 s)"), "it counts")
    check_fixed(host, tap, end_well(host, process))
    check_order(tap, terminal.text(), (
        re.escape(WAITS) + r"0 of 100 s\)", re.escape(WAITS) + r"1 of 100 s\)",
        re.escape(WATCHES)), "terminal")


def test_death(host, tap):
    """A death is said at once, then the steps of the way back."""
    terminal = Terminal(80)
    before, _ = failing_node(host, DIES_TOLD)
    process = host.spawn(["kubelet-remedy", "fix", "--wait=9",
                          "--color=never"],
                         stderr=terminal.slave)
    tap.check(terminal.wait(WATCHES + "1 of 5 s)"), "it is watched")
    host.tell("die")
    tap.check(terminal.wait(DIED), "it is said")
    result = host.finish(process)
    text = terminal.text()
    check_put_back(host, tap, result, before)
    check_order(tap, text, (re.escape(DIED) + "\n", "\rput the old files back ", "\rreload ",
                            AGAIN, "\rrestart ",
                            re.escape(WATCHES) + r"0 of 5 s\)"), "back")
    tap.equal(text.count(DIED), 1, "once")
    tap.check(CONFIRMED not in text, "nothing is confirmed", text)
    check_plain(tap, text)


def test_death_at_once(host, tap):
    before, _ = failing_node(host, "die-after-ms=0 when=true\n")
    result, text = on_terminal(host, "fix", "--wait=3")
    check_put_back(host, tap, result, before)
    check_order(tap, text, (REVERTS, re.escape(DIED), "\rput the old files back "), "back")


def test_interrupted(host, tap):
    """The first Ctrl-C and the second are answered at once."""
    terminal = Terminal(80)
    process, before = fix_in_wait(host, "--color=never",
                                  stderr=terminal.slave)
    tap.check(terminal.wait(WAITS + "1 of 100 s)"), "it waits")
    tap.equal(host.signal_program(signal.SIGINT), 1, "Ctrl-C")
    tap.check(terminal.wait(INTERRUPTED), "the first is answered")
    tap.equal(host.signal_program(signal.SIGINT), 1, "Ctrl-C again")
    tap.check(terminal.wait(ALREADY), "the second is answered")
    result = host.finish(process)
    text = terminal.text()
    check_put_back(host, tap, result, before)
    check_order(tap, text, (
        re.escape(INTERRUPTED) + "\n", "\rput the old files back ", "\rreload ", AGAIN,
        "\rrestart ", re.escape(WATCHES)), "back")
    tap.equal((text.count(INTERRUPTED), text.count(ALREADY)), (1, 1), "once")
    after = text.split(INTERRUPTED)[1].split("\rput the old files back")[0]
    tap.check(WAITS not in after, "what was waited for is not drawn again", after)
    check_plain(tap, text)


def test_interrupted_once(host, tap):
    terminal = Terminal(120)
    process, before = fix_in_wait(host, stderr=terminal.slave)
    tap.check(terminal.wait(WAITS + "1 of 100 s)"), "it waits")
    host.signal_program(signal.SIGTERM)
    result = host.finish(process)
    text = terminal.text()
    check_put_back(host, tap, result, before)
    tap.equal((text.count(INTERRUPTED), text.count(ALREADY)), (1, 0), "once")
    _, found = host.remedy_json("history")
    tap.matches(found["transactions"][-1]["reason"], "^it was put back: "
                "interrupted ", "the history says why")
    tap.contains(host.remedy("history").stdout, "it was put back: interrupted ",
                 "and its table")


def test_interrupted_restart_alone(host, tap):
    """No file is changed: kubelet is all that there is to bring back."""
    _, was = failing_node(host, "healthy-when-told=true when=true\n")
    host.write(DROPIN, host.read(DROPIN).replace(
        b" " + FALSE_FLAG.encode(), b""))
    host.sh("systemctl daemon-reload")
    terminal = Terminal(80)
    process = host.spawn(["kubelet-remedy", "fix", "--wait=100"],
                         stderr=terminal.slave)
    tap.check(terminal.wait(WAITS + "1 of 100 s)"), "it waits")
    host.signal_program(signal.SIGINT)
    tap.check(terminal.wait(INTERRUPTED), "it is answered")
    tap.check(terminal.wait("\rrestart "), "kubelet is restarted once more")
    host.tell("well")
    result = host.finish(process)
    tap.check(INTERRUPTED in terminal.text(), "said")
    tap.status(result, 5, "fix")
    tap.check(host.is_healthy() and host.identity() != was, "kubelet is back")


def test_interrupted_late(host, tap):
    """A signal behind the last look at kubelet's health is heeded, too: what is
    answered is what is done."""
    before, _ = failing_node(host)
    terminal = Terminal(80)
    process = host.spawn(["kubelet-remedy", "fix", QUICK],
                         stderr=terminal.slave)
    tap.check(terminal.wait(WATCHES + "4 of 5 s)"), "nearly done")
    time.sleep(0.85)
    host.signal_program(signal.SIGINT)
    result = host.finish(process)
    text = terminal.text()
    tap.check((INTERRUPTED in text) == (result.status == 5),
              "answered, if put back", (result.status, text))
    tap.check((CONFIRMED in text) == (result.status in (0, 74)),
              "confirmed, if kept", (result.status, text))
    tap.check((host.snapshot() == before) == (result.status == 5), "the files",
              result)


def test_interrupted_on_the_way_back(host, tap):
    """kubelet has died, and somebody is impatient."""
    terminal = Terminal(80)
    before, _ = failing_node(host, "die-after-ms=0 when=true\n")
    process = host.spawn(["kubelet-remedy", "fix", "--wait=3"],
                         stderr=terminal.slave)
    tap.check(terminal.wait(DIED), "it has died")
    tap.equal(host.signal_program(signal.SIGINT), 1, "Ctrl-C")
    tap.check(terminal.wait(ALREADY), "it is answered")
    result = host.finish(process)
    check_put_back(host, tap, result, before)
    tap.check(INTERRUPTED not in terminal.text(), "with the right words")


def test_log(host, tap):
    """-v where there is no terminal: line by line, with timings."""
    _, was = failing_node(host)
    result = host.remedy("fix", "-v", "--wait=9")
    check_fixed(host, tap, result, was)
    steps = [re.sub(r"\d+\.\d{3} s", "N s", line)
             for line in progress(result.stderr).splitlines()]
    tap.equal([re.sub(r"\d\d:\d\d:\d\d \w+", "TIME", line) for line in steps
               if not line.startswith(WAITS)],
              ["write", "write: done (N s)", "reload", "reload: done (N s)",
               KILLED + "reverts the change at TIME",
               "restart", "restart: done (N s)", WATCHES + "at most 5 s)",
               "watch kubelet: healthy (N s)", CONFIRMED], "the steps")
    tap.check("\r" not in result.stderr, "nothing is drawn", result.stderr)
    result = host.remedy("undo", QUICK)
    tap.equal(progress(result.stderr), "", "without -v nothing")


def test_log_of_a_death(host, tap):
    before, _ = failing_node(host, "die-after-ms=300 when=true\n")
    result = host.remedy("fix", "-v", "--wait=3")
    check_put_back(host, tap, result, before)
    check_order(tap, result.stderr, (
        "restart: done", r"\nwatch kubelet: kubelet ended after .* \(exit status 255\)",
        "\n" + re.escape(DIED) + "\nput the old files back\nput the old files back: done",
        "\nreload\nreload: done", "\n" + AGAIN, "\nrestart\n",
        "\nwatch kubelet: healthy"), "log")


def test_quiet(host, tap):
    failing_node(host)
    result, text = on_terminal(host, "fix", "-q", "-v", QUICK)
    tap.status(result, 0, "fix -q")
    tap.equal(text, "", "nothing is said")


def test_log_that_is_not_read(host, tap):
    """Who reads a log slowly does not hold up a kubelet that waits."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETFL, os.O_NONBLOCK)
    filled = 0
    try:
        while True:
            filled += os.write(writing, b"x" * 4096)
    except BlockingIOError:
        pass
    fcntl.fcntl(writing, fcntl.F_SETFL, 0)
    failing_node(host)
    process = host.spawn(["kubelet-remedy", "fix", "-v", QUICK],
                         stderr=writing)
    os.close(writing)
    tap.check(host.wait_value("true"), "kubelet is restarted")
    tap.check(wait_for(lambda: b'"kept"' in host.read(record(host))),
              "and the change kept, while nobody reads")
    with os.fdopen(reading, "rb") as file:
        text = file.read()[filled:].decode()
    tap.status(host.finish(process), 0, "fix")
    check_order(tap, text, ("write\nwrite: done", "reload: done",
                            "watch kubelet: healthy"), "all of it comes")


def record(host):
    """The manifest of the last change."""
    folder = "/var/lib/kubelet-remedy/"
    names = sorted(name for name in os.listdir(host.root + folder)
                   if name[0].isdigit())
    return folder + names[-1] + "/manifest.json"


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
