#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Why kubelet ended: the reason is shown, however much is printed behind it.

    test-e2e-log.py PROGRAM STANDIN [TEST...]

Needs root; without it the whole is skipped.
"""

import json
import re
import sys

from e2e_lib import DIES, check_put_back, failing_node, run_file
from host_lib import CONTROL, Skip, journald_stopped, wait_for

MANY = "stack-lines=5000"
# What it says when it ends, and how many lines stand behind that.
WORDS = (
    ("", MANY),                         # klog's Fatal: the F line
    ("dies=panic", MANY),
    ("dies=error", "info-lines=20"),
    ("dies=usage", "info-lines=0"),
    ("dies=failed", "info-lines=20"),
    ("dies=json", "info-lines=20"),
    ("dies=json-fatal", MANY),          # which looks like an information
    ("dies=trouble", "info-lines=20"),  # an E line and nothing better
)
DUMP = re.compile(r"^(goroutine |created by |\t|main\.main\(\)|.*\(0x0\?|      --)")


def check_log(tap, lines, what):
    """The reason first, then what follows, no dump, and systemd's words."""
    shown = "\n".join(lines)
    tap.check(lines and DIES in lines[0], what + ": the reason first", shown)
    tap.equal(shown.count(DIES), 1, what + ": once", shown)
    tap.equal([line for line in lines if DUMP.match(line)], [],
              what + ": no line of a dump", shown)
    tap.contains(shown, "status=255", what + ": and what systemd says")
    tap.check(len(lines) <= 10, what + ": not more lines than ever", shown)


def log_of(got):
    return [line["text"] for line in got.get("log", [])]


def check_next(host, tap, text, what, others=()):
    """The command that is shown shows the kubelet that ended, and none of the
    invocations OTHERS or the one that runs now.

    That is told by the command: journald stamps a line when it reads it, and
    the last ones of a kubelet with the invocation of the next where it is late.
    """
    found = re.findall(r"^next: (journalctl .*)$", text, re.M)
    if not tap.equal(len(found), 1, what + ": the next command", text):
        return
    result = host.sh(found[0] + " --no-pager -o cat")
    tap.status(result, 0, what + ": " + found[0])
    tap.equal(result.stdout.count(DIES), 1, what + ": has the reason")
    tap.equal(result.stdout.count("status=255"), 1, what + ": and systemd's")
    for other in (*others, host.identity()[1]):
        tap.check(other not in found[0], what + ": no other's", other, found[0])


# --- fix

def test_fix_is_put_back(host, tap):
    for word, behind in WORDS:
        what = " ".join(filter(None, [word, behind]))
        before, _ = failing_node(
            host, "die-after-ms=300 when=true %s\n" % what)
        result, got = host.remedy_json("fix", "--wait=2")
        check_put_back(host, tap, result, before)
        check_log(tap, log_of(got), what)


def test_fix_in_words(host, tap):
    before, old = failing_node(host, "die-after-ms=300 when=true %s\n" % MANY)
    result = host.remedy("fix", "--wait=2")
    check_put_back(host, tap, result, before)
    tap.matches(result.stdout, r"kubelet\[\d+\]: F\d{4} .*" + DIES,
                "the reason")
    tap.check("goroutine" not in result.stdout, "no dump", result.stdout)
    check_next(host, tap, result.stdout, "fix", others=old[1:])


def test_fix_below_a_root(host, tap):
    before, _ = failing_node(host, "die-after-ms=300 when=true\n")
    host.sh("mkdir -p '/srv/the host'; mount --rbind / '/srv/the host'")
    try:
        result = host.remedy("fix", "--root=/srv/the host", "--wait=2")
        check_put_back(host, tap, result, before)
        tap.contains(result.stdout, "journalctl --root='/srv/the host' ",
                     "where the journal is")
        check_next(host, tap, result.stdout, "fix")
    finally:
        host.sh("umount -l '/srv/the host'")


def test_no_invocation(host, tap):
    """A start that systemd itself calls failed, before anybody saw it run."""
    before, _ = failing_node(host, "die-after-ms=0 when=true\n",
                             service="Type=notify")
    result = host.remedy("fix", "--wait=2")
    check_put_back(host, tap, result, before)
    tap.contains(result.stdout, DIES, "the reason")
    check_next(host, tap, result.stdout, "fix")


def test_undo_is_put_back(host, tap):
    failing_node(host)
    tap.status(host.remedy("fix", "--wait=2"), 0, "fix")
    fixed = host.identity()
    host.write(CONTROL, "die-after-ms=300 when=false %s\n" % MANY)
    result = host.remedy("undo", "--wait=2")
    tap.status(result, 4, "undo")
    tap.contains(result.stdout, DIES, "the reason")
    check_next(host, tap, result.stdout, "undo", others=fixed[1:])


# --- status

def test_both_kubelets_die(host, tap):
    """fix ends with 6, and status speaks of the one that died last."""
    for word, behind in WORDS:
        what = " ".join(filter(None, [word, behind]))
        failing_node(host, service="RestartSec=600")
        host.write(CONTROL, "die-after-ms=300 %s\n" % what)
        result, got = host.remedy_json("fix", "--wait=2")
        tap.status(result, 6, what + ": fix")
        check_log(tap, log_of(got), what + ": fix")
        tap.check(host.wait_dead(), what + ": it waits for its restart")
        result, got = host.remedy_json("status")
        tap.status(result, 1, what + ": status")
        tap.equal(got.get("sub"), "auto-restart", what + ": state")
        check_log(tap, log_of(got), what + ": status")


def test_status_in_words(host, tap):
    host.node("", control="die-when-told=true %s\n" % MANY,
              service="RestartSec=600")
    result = host.remedy("status")
    tap.status(result, 0, "status of a healthy one")
    tap.contains(result.stdout, "Started kubelet", "its last lines")
    host.tell("die")
    tap.check(host.wait_dead(), "it dies")
    result = host.remedy("status")
    tap.status(result, 1, "status")
    tap.matches(result.stdout, r"log:\n.*kubelet\[\d+\]: F\d{4} .*" + DIES,
                "the reason is the first line")
    tap.contains(result.stdout, "status=255", "and what systemd says")


def test_status_of_the_stopped(host, tap):
    """It was told to: an error of the past is no reason."""
    host.node("", control="dies=trouble info-lines=20\n")
    host.sh("systemctl stop kubelet.service; journalctl --sync")
    result = host.remedy("status")
    tap.status(result, 1, "status")
    tap.contains(result.stdout, "Got signal 15", "its last lines")


def test_status_when_journald_is_late(host, tap):
    """It does not know any more whose the words are."""
    host.node("", service="RestartSec=600")
    host.write(CONTROL, "die-after-ms=300 stack-lines=100\n")
    with journald_stopped(host):
        host.sh("systemctl restart kubelet.service")
        tap.check(host.wait_dead(), "it dies")
    _, got = host.remedy_json("status")
    check_log(tap, log_of(got), "status")


def test_unhealthy_before(host, tap):
    """It was dead already and nobody restarts it: why, is said."""
    failing_node(host, service="RestartSec=600")
    host.write(CONTROL, "die-after-ms=300 %s\n" % MANY)
    host.sh("systemctl restart kubelet.service")
    tap.check(host.wait_dead(), "it dies")
    result, got = host.remedy_json("fix", "--wait=2")
    tap.check(result.status in (0, 1), "fix", result)
    check_log(tap, log_of(got), "fix")
    host.write(CONTROL, "")


ROTATION = """
journal=/run/log/journal/$(cat /etc/machine-id)/system.journal
strace -o /run/slow -P $journal -e inject=openat:delay_enter=3s \\
    kubelet-remedy status -o json >/run/status.json &
sleep 1; journalctl --sync --rotate; wait
grep -c 'system.journal.*DELAYED' /run/slow
"""


def test_rotation_meanwhile(host, tap):
    """The file gets another name between sd-journal's look at the folder and
    its open, which strace delays: its lines are in none that is open then."""
    host.node("", control="die-when-told=true\n", service="RestartSec=600")
    if host.sh("command -v strace").status != 0:
        raise Skip("strace is not here")
    host.tell("die")
    tap.check(host.wait_dead() and host.wait_said(DIES), "it dies")
    result = host.sh(ROTATION)
    tap.check(int(result.stdout or 0) >= 1, "the open is delayed", result)
    got = json.loads(host.read("/run/status.json"))
    check_log(tap, log_of(got), "status")


# --- how long it takes

SIZES = """
journalctl --sync; journalctl -u kubelet -o json --all --output-fields=MESSAGE |
    awk 'length > 8000000 { n++ } END { print n + 0 }'
"""


def cpu_seconds(host, tap, what):
    """Of a status that shows kubelet's end."""
    result = host.sh("TIMEFORMAT='%U %S'; time kubelet-remedy status -o json")
    user, system = (float(word) for word in result.stderr.split()[-2:])
    print("# %s: %.3f s user, %.3f s system" % (what, user, system))
    tap.check(log_of(json.loads(result.stdout)), what + ": lines are shown")
    return user + system


def test_many_lines(host, tap):
    """All of them are looked at in vain."""
    host.node("", control="die-when-told=true dies=trouble "
              "info-lines=30000\n", service="RestartSec=600")
    host.tell("die")
    tap.check(host.wait_dead() and host.wait_said("line 29999 "), "it dies")
    seconds = cpu_seconds(host, tap, "30000 lines")
    tap.check(seconds < 5, "they are searched in time", seconds)


def test_huge_lines(host, tap):
    """As the journal takes them from who does not write to a pipe."""
    host.node("", control="die-when-told=true dies=trouble "
              "huge-bytes=8000000\n", service="RestartSec=600")
    host.tell("die")
    tap.check(host.wait_dead() and host.wait_said(DIES), "it dies")
    tap.equal(host.sh(SIZES).stdout, "3\n", "three lines of 8 MB are there")
    seconds = cpu_seconds(host, tap, "huge lines")
    tap.check(seconds < 5, "they are searched in time", seconds)
    # libsystemd's own reader, too, may begin at a file of before a rotation, now
    # and the next time
    logs = []

    def is_shown():
        logs.append(log_of(host.remedy_json("status")[1]))
        return DIES in str(logs[-1])
    wait_for(is_shown)
    check_log(tap, logs[-1], "status")


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
