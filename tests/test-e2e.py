#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job, end to end, under a real systemd.

    test-e2e.py PROGRAM STANDIN [TEST...]

What a person on a failing node does and sees: audit, preview, fix, status, on
the layout that the CIS text describes, and each way in which it can go wrong.
Needs root; without it the whole is skipped.
"""

import errno
import hashlib
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

from e2e_lib import (DIES, FALSE_FLAG, KEY_FALSE, KEY_TRUE, LOST_OUTPUT, QUICK,
                     check_fixed, check_put_back, check_untouched, end_well,
                     failing_node, fix_in_wait, run_file)
from host_lib import (CONFIG, CONFIG_TEXT, CONTROL, DROPIN, DROPIN_TEXT, FLAG,
                      KEY, UNIT)


# --- helpers of more than one test

def position(data, part):
    """(line, column, offset) of PART in the bytes DATA, from 1, 1, 0."""
    offset = data.index(part)
    start = data.rfind(b"\n", 0, offset) + 1
    return data.count(b"\n", 0, offset) + 1, offset - start + 1, offset


# --- the main job

def test_audit_names_the_bytes(host, tap):
    before, was = failing_node(host)
    result, audit = host.remedy_json("audit")
    tap.status(result, 1, "audit")
    tap.equal(audit.get("schema"), 2, "schema 2")
    tap.equal(audit.get("verdict"), "fail", "verdict")
    views = audit.get("views", {})
    tap.equal(views.get("disk", {}).get("state"), "false", "disk")
    tap.equal(views.get("running", {}).get("state"), "false", "running")
    tap.equal(views.get("live", {}).get("state"), "absent", "live not asked")
    tap.equal(views.get("running", {}).get("pid"), int(was[0]), "pid")
    tap.equal(audit.get("reload_needed"), False, "no reload needed")

    data = host.read(DROPIN)
    line, column, offset = position(data, FALSE_FLAG.encode())
    sources = audit.get("sources", [])
    index = views.get("disk", {}).get("source")
    tap.check(isinstance(index, int) and index < len(sources),
              "disk has a source", index)
    source = sources[index] if isinstance(index, int) else {}
    want = {"kind": "flag", "file": DROPIN, "line": line, "column": column,
            "offset": offset, "length": len(FALSE_FLAG), "text": FALSE_FLAG,
            "sha256": hashlib.sha256(data).hexdigest(), "state": "false",
            "wins": True, "editable": True}
    tap.equal({k: source.get(k) for k in want}, want, "the flag's bytes")

    data = host.read(CONFIG)
    line, column, offset = position(data, b"true")
    losers = [s for s in sources if s.get("kind") == "config"]
    tap.equal(len(losers), 1, "the file is a source, too", sources)
    want = {"file": CONFIG, "line": line, "column": column, "offset": offset,
            "length": 4, "text": "true", "state": "true", "wins": False}
    tap.equal({k: (losers or [{}])[0].get(k) for k in want}, want,
              "the overridden bytes")
    tap.equal(host.snapshot(), before, "audit changes nothing")
    tap.equal(host.identity(), was, "audit restarts nothing")


def test_audit_text(host, tap):
    failing_node(host)
    result = host.remedy("audit")
    tap.status(result, 1, "audit")
    tap.matches(result.stdout, r"\AFAIL ", "the verdict comes first")
    line, column, _ = position(host.read(DROPIN), FALSE_FLAG.encode())
    tap.contains(result.stdout, "%s:%d:%d" % (DROPIN, line, column),
                 "file:line:column")
    tap.contains(result.stdout, "^~~~", "a caret under the bytes")
    lines = result.stdout.splitlines()
    caret = next((i for i, text in enumerate(lines) if "^~~~" in text), 0)
    under = lines[caret - 1][lines[caret].find("^"):]
    tap.check(under.startswith(FALSE_FLAG), "the caret is under the flag",
              result.stdout)
    tap.matches(result.stdout, r"overridden.*%s" % CONFIG, "who loses")
    tap.contains(lines[-1], "fix", "the next command comes last")
    tap.equal("\x1b" in result.stdout, False, "no colour in a pipe")
    tap.equal(result.stderr, "", "nothing on stderr")


def apply_preview(host, preview):
    """The files of the node with the preview's patch applied to a copy."""
    with tempfile.TemporaryDirectory(prefix="e2e-") as copy:
        for path in (CONFIG, DROPIN, UNIT):
            os.makedirs(os.path.dirname(copy + path), exist_ok=True)
            shutil.copyfile(host.root + path, copy + path)
        run = subprocess.run(["patch", "-p1", "-d", copy], text=True,
                             input=preview, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if run.returncode:
            return run.stdout
        files = {}
        for path in (CONFIG, DROPIN, UNIT):
            with open(copy + path, "rb") as file:
                files[path] = file.read()
        return files


def check_preview(host, tap, *options):
    """fix -n changes nothing, and says byte for byte what fix does."""
    before, was = host.snapshot(), host.identity()
    preview = host.remedy("fix", "-n", *options)
    tap.status(preview, 1, "preview")
    tap.equal(host.snapshot(), before, "the preview changes nothing")
    tap.equal(host.identity(), was, "the preview restarts nothing")
    tap.check(all(line[:1] in ("#", "-", "+", " ", "@", "\\")
                  for line in preview.stdout.splitlines()),
              "only diffs and remarks", preview.stdout)
    tap.contains(preview.stdout, "\n# then: kubelet.service is restarted;",
                 "it names the restart")
    patched = apply_preview(host, preview.stdout)
    result = host.remedy("fix", *options)
    got = {path: host.read(path) for path in (CONFIG, DROPIN, UNIT)}
    tap.equal(patched, got, "patch gives the bytes that fix gives")
    return result, was


def test_fix(host, tap):
    host.node(FALSE_FLAG + " --v=2")
    result, was = check_preview(host, tap)
    check_fixed(host, tap, result, was)
    tap.equal(host.read(DROPIN).decode(),
              DROPIN_TEXT % "--node-ip=192.0.2.30 --v=2",
              "only the flag and its blank are cut")
    tap.equal(host.read(CONFIG).decode(), CONFIG_TEXT % KEY_TRUE,
              "the file is as it was")

    before, was = host.snapshot(), host.identity()
    result, fix = host.remedy_json("fix")
    tap.status(result, 0, "second fix")
    tap.equal(fix.get("outcome"), "unchanged", "second fix: outcome")
    tap.equal(host.snapshot(), before, "second fix changes nothing")
    tap.equal(host.identity(), was, "second fix restarts nothing")


def test_fix_json(host, tap):
    _, was = failing_node(host)
    data = host.read(DROPIN)
    result, plan = host.remedy_json("fix", "-n")
    tap.status(result, 1, "preview")
    tap.equal(plan.get("outcome"), "would-fix", "preview: outcome")
    tap.equal(plan.get("would_restart"), True, "preview: the restart")
    after = plan.get("after") or {}
    tap.equal(after.get("verdict"), "pass", "preview: the verdict after it")
    process = after.get("process") or {}
    tap.equal(process.get("pid"), None, "preview: another process")
    tap.check(not [word for word in process.get("argv", [])
                   if word.startswith(FLAG)], "preview: its arguments",
              process)
    tap.equal(after.get("views", {}).get("running", {}).get("state")
              or after["controls"][0]["views"]["running"]["state"], "value",
              "preview: what it runs with")
    changes = plan.get("changes", [])
    tap.equal([c.get("file") for c in changes], [DROPIN], "preview: files")
    for edit in reversed(changes[0].get("edits", []) if changes else []):
        data = data[:edit["offset"]] + edit["text"].encode() + \
            data[edit["offset"] + edit["length"]:]
    result, fix = host.remedy_json("fix", QUICK)
    check_fixed(host, tap, result, was)
    tap.equal(data, host.read(DROPIN), "the edits are what was done")
    tap.equal(fix.get("outcome"), "fixed", "outcome")
    tap.equal(fix.get("method"), "config", "method")
    tap.equal(fix.get("before", {}).get("verdict"), "fail", "before")
    tap.equal(fix.get("after", {}).get("verdict"), "pass", "after")
    tap.check(fix.get("actions"), "actions are listed", fix)


def test_preview_words(host, tap):
    """What happens to systemd and kubelet is said in words; -v has the calls,
    with which no line is another."""
    failing_node(host)
    text = host.remedy("fix", "-n").stdout
    verbose = host.remedy("fix", "-n", "-v").stdout
    for words in ("a timer that reverts the change if this program is killed\n",
                  "systemd reads its units again (daemon-reload)\n",
                  "kubelet.service is restarted; kubelet must be healthy "
                  "within 60 s and stay up, else everything is put back\n",
                  "# after the fix:\n#   pass  4.2.6  %s  true\n# plan " % KEY):
        tap.contains(text, words, "in words")
    tap.check("systemd1" not in text, "no call on the bus", text)
    tap.equal([line for line in verbose.splitlines()
               if "org.freedesktop.systemd1.Manager." not in line],
              text.splitlines(), "-v adds the calls and no more")
    tap.equal(verbose.count("org.freedesktop.systemd1.Manager."), 5, "calls")


def test_preview_restart_alone(host, tap):
    """Only the process is wrong: what a restart would give is predicted."""
    failing_node(host)
    host.write(DROPIN, host.read(DROPIN).replace(
        b" " + FALSE_FLAG.encode(), b""))
    host.sh("systemctl daemon-reload")
    result, plan = host.remedy_json("fix", "-n")
    tap.status(result, 1, "preview")
    tap.equal(plan.get("changes"), [], "no file is changed")
    tap.equal(plan.get("would_restart"), True, "kubelet is restarted")
    tap.equal(plan.get("before", {}).get("verdict"), "fail", "before")
    tap.equal(plan.get("after", {}).get("verdict"), "pass", "after")
    text = host.remedy("fix", "-n").stdout
    tap.contains(text, "# after the fix:\n#   pass  4.2.6  %s  true\n" % KEY,
                 "text")
    tap.check("a timer" not in text, "nothing is there to revert", text)


def test_set(host, tap):
    """Several controls: one transaction, one restart; what is refused is left,
    and undo takes the whole back."""
    words = ("--control=%s,streamingConnectionIdleTimeout,podPidsLimit,"
             "protectKernelDefaults" % KEY, "--set=podPidsLimit=4096")
    host.node(FALSE_FLAG + " --v=2",
              config=KEY_FALSE)
    before, was = host.snapshot(), host.identity()
    result, plan = host.remedy_json("fix", "-n", *words)
    tap.status(result, 1, "preview")
    tap.equal(host.snapshot(), before, "the preview changes nothing")
    result, fix = host.remedy_json("fix", QUICK, *words)
    tap.status(result, 1, "fix")
    tap.equal(fix.get("outcome"), "partly-fixed", "outcome")
    tap.equal(fix.get("plan"), plan.get("plan"), "the plan is the one shown")
    tap.equal([(x["control"], x["why"]) for x in fix.get("left", [])],
              [("protectKernelDefaults", "refused")], "left")
    tap.equal([a["action"] for a in fix.get("actions", [])].count("restart"),
              1, "one restart", fix.get("actions"))
    tap.check(host.identity() != was, "it is a new kubelet")
    tap.equal(host.value(), "true", "kubelet decided true")
    tap.contains(host.read(CONFIG).decode(), '"podPidsLimit": 4096', "the key")
    tap.equal(host.read(DROPIN).decode(),
              DROPIN_TEXT % "--node-ip=192.0.2.30 --v=2", "the flag is cut")
    result = host.remedy("fix", QUICK, *words)
    tap.status(result, 1, "second fix")
    tap.contains(result.stdout, "UNCHANGED", "it says so")
    tap.status(host.remedy("undo"), 0, "undo")
    tap.equal(host.snapshot(), before, "undo gives all back")
    tap.equal(host.value(), "false", "and kubelet has it")


def test_file_false(host, tap):
    host.node("", config=KEY_FALSE)
    result, was = check_preview(host, tap, QUICK)
    check_fixed(host, tap, result, was)
    tap.equal(host.read(CONFIG).decode(), CONFIG_TEXT % KEY_TRUE,
              "only the value is changed")


def test_both_false(host, tap):
    host.node(FALSE_FLAG, config=KEY_FALSE)
    result, was = check_preview(host, tap, QUICK)
    check_fixed(host, tap, result, was)


def test_compliant(host, tap):
    host.node("")
    before, was = host.snapshot(), host.identity()
    tap.status(host.remedy("audit"), 0, "audit")
    result = host.remedy("fix", "-n")
    tap.status(result, 0, "preview")
    result, fix = host.remedy_json("fix")
    tap.status(result, 0, "fix")
    tap.equal(fix.get("outcome"), "unchanged", "outcome")
    tap.equal(host.snapshot(), before, "nothing is changed")
    tap.equal(host.identity(), was, "nothing is restarted")
    result = host.remedy("fix", "--restart=always", QUICK)
    tap.status(result, 0, "--restart=always")
    tap.check(host.identity() != was, "it restarts a compliant node, too")
    result = host.remedy("fix", "--control=mode:clientCA", "--restart=always",
                         QUICK)
    tap.status(result, 0, "--restart=always of a mode")
    tap.matches(result.stdout, "^FIXED  the files are correct; "
                "kubelet was restarted and is healthy", "what was done")


def test_key_absent(host, tap):
    host.node("", config="")
    before, was = host.snapshot(), host.identity()
    result = host.remedy("audit")
    tap.status(result, 0, "audit: the default is a pass")
    tap.contains(result.stdout, "default", "and is called that")
    tap.status(host.remedy("fix"), 0, "fix")
    tap.equal(host.snapshot(), before, "nothing is changed")
    tap.equal(host.identity(), was, "nothing is restarted")
    tap.status(host.remedy("audit", "--explicit"), 1, "audit --explicit")
    result = host.remedy("fix", "--explicit", QUICK)
    check_fixed(host, tap, result)
    tap.contains(host.read(CONFIG).decode(), '"%s": true' % KEY,
                 "the key is written down")
    tap.status(host.remedy("audit", "--explicit"), 0, "audit --explicit then")


def test_key_absent_flag_false(host, tap):
    host.node(FALSE_FLAG, config="")
    result, was = check_preview(host, tap, QUICK)
    check_fixed(host, tap, result, was)
    tap.equal(host.read(CONFIG).decode(), CONFIG_TEXT % KEY_TRUE,
              "the key is put in, in the file's own style")


def test_method_flag(host, tap):
    host.node("%s %s --v=2" % (FLAG, FALSE_FLAG), config=KEY_FALSE)
    result, was = check_preview(host, tap, QUICK, "--method=flag")
    tap.status(result, 0, "fix --method=flag")
    words = "--node-ip=192.0.2.30 --v=2 %s=true" % FLAG
    tap.equal(host.read(DROPIN).decode(), DROPIN_TEXT % words,
              "exactly one flag, at the end of KUBELET_ARGS")
    tap.equal(host.value(), "true", "kubelet decided true")
    tap.equal(host.argv()[-1:], [FLAG + "=true"], "kubelet's last word")
    tap.check(host.identity() != was, "it is a new kubelet")
    tap.status(host.remedy("audit"), 0, "audit afterwards")


# --- what others left behind

def test_colon(host, tap):
    host.node(FLAG + ":true", start=False)
    host.sh("systemctl start kubelet.service")
    tap.check(host.wait_dead(), "kubelet does not like it")
    result, audit = host.remedy_json("audit")
    tap.status(result, 3, "audit: invalid is no verdict")
    tap.equal(audit.get("verdict"), "invalid", "verdict")
    tap.contains(result.stdout, FLAG + ":true", "the word is named")
    result = host.remedy("fix", QUICK)
    check_fixed(host, tap, result)
    tap.check(b":true" not in host.read(DROPIN), "the colon is gone",
              host.read(DROPIN))


def test_never_reloaded(host, tap):
    failing_node(host)
    text = DROPIN_TEXT % "--node-ip=192.0.2.30"
    host.write(DROPIN, text)
    was = host.identity()
    result, audit = host.remedy_json("audit")
    tap.status(result, 1, "audit: kubelet runs with false")
    tap.equal(audit.get("views", {}).get("disk", {}).get("state"), "true",
              "disk")
    tap.equal(audit.get("views", {}).get("running", {}).get("state"),
              "false", "running")
    tap.equal(audit.get("restart_needed"), True, "restart_needed")
    tap.equal(audit.get("reload_needed"), True, "reload_needed")
    result = host.remedy("fix", QUICK)
    check_fixed(host, tap, result, was)
    tap.check("warning" not in result.stderr, "what is over is no warning",
              result.stderr)
    tap.equal(host.read(DROPIN).decode(), text, "the file is as it was")


def test_reload_without_restart(host, tap):
    _, was = failing_node(host)
    result = host.remedy("fix", "--restart=never")
    tap.status(result, 0, "fix")
    tap.contains(result.stdout, "  now       fail  4.2.6 "
                 "makeIPTablesUtilChains: disk true, running false until a "
                 "restart\n", "what was corrected, and what was not")
    tap.equal(result.stdout.splitlines()[-1], "next: kubelet-remedy fix",
              "a restart is next")
    tap.equal(host.identity(), was, "--restart=never restarts nothing")
    result, audit = host.remedy_json("audit")
    tap.status(result, 1, "audit: kubelet still runs with false")
    tap.equal(audit.get("reload_needed"), False, "but it was reloaded")
    host.sh("systemctl restart kubelet.service")
    tap.check(host.is_healthy(), "kubelet is healthy")
    tap.status(host.remedy("audit"), 0, "audit after a restart")


def test_kubelet_stopped(host, tap):
    failing_node(host)
    host.sh("systemctl stop kubelet.service")
    result = host.remedy("fix")
    tap.status(result, 0, "fix")
    tap.equal(host.show()["ActiveState"], "inactive", "it is not started")
    tap.check(FLAG.encode() not in host.read(DROPIN), "the file is fixed")
    tap.matches(result.stderr + result.stdout, r"warning", "with a warning")
    tap.status(host.remedy("audit"), 0, "audit afterwards")


def test_kubelet_stopped_always(host, tap):
    failing_node(host)
    host.sh("systemctl stop kubelet.service")
    result = host.remedy("fix", "--restart=always", QUICK)
    check_fixed(host, tap, result)


def test_kubelet_down(host, tap):
    """It dies for a reason of its own: no fix is put back for that."""
    host.node(FALSE_FLAG, start=False)
    host.write(CONTROL, "die-after-ms=50\n")
    host.sh("systemctl start kubelet.service")
    host.wait_dead()
    result = host.remedy("fix")
    tap.status(result, 0, "fix")
    tap.check(FLAG.encode() not in host.read(DROPIN), "the file is fixed")
    tap.matches(result.stderr + result.stdout, r"warning", "with a warning")
    tap.contains(result.stderr + result.stdout, DIES, "and its last words")


def test_kubelet_down_always(host, tap):
    host.node(FALSE_FLAG, start=False)
    host.write(CONTROL, "die-after-ms=50 when=false\n")
    host.sh("systemctl start kubelet.service")
    host.wait_dead()
    result = host.remedy("fix", "--restart=always", QUICK)
    check_fixed(host, tap, result)


def test_pending_argument(host, tap):
    _, was = failing_node(host)
    host.write(DROPIN, DROPIN_TEXT % (
        "--node-ip=192.0.2.30 %s --max-pods=17" % FALSE_FLAG))
    host.sh("systemctl daemon-reload")
    before = host.snapshot()
    result = host.remedy("fix")
    check_untouched(host, tap, result, before, was)
    tap.contains(result.stderr + result.stdout, "--max-pods=17",
                 "the pending word is named")
    tap.equal(host.remedy("audit").stdout.splitlines()[-1],
              "next: kubelet-remedy fix -n --restart=always",
              "audit recommends what is not refused")
    tap.status(host.remedy("fix", "-n", "--restart=always"), 1, "which goes")
    result = host.remedy("fix", "--restart=never")
    tap.status(result, 0, "--restart=never")
    tap.equal(result.stdout.splitlines()[-1],
              "next: kubelet-remedy fix -n --restart=always",
              "which names the restart, as audit does")
    tap.equal(host.identity(), was, "never: kubelet is not touched")
    tap.check(FLAG.encode() not in host.read(DROPIN),
              "never: the file is fixed")
    tap.equal(host.remedy("audit").stdout.splitlines()[-1],
              "next: kubelet-remedy fix -n --restart=always",
              "and so it does when only the restart is left")


def test_pending_argument_always(host, tap):
    _, was = failing_node(host)
    host.write(DROPIN, DROPIN_TEXT % (
        "--node-ip=192.0.2.30 %s --max-pods=17" % FALSE_FLAG))
    result = host.remedy("fix", "--restart=always", QUICK)
    check_fixed(host, tap, result, was)
    tap.check("--max-pods=17" in host.argv(), "the pending word came along",
              host.argv())


# --- each way of dying

def dying(host, tap, control, says=None, wait="3", **options):
    before, _ = failing_node(host, control=control, **options)
    result, fix = host.remedy_json("fix", "--wait=" + wait)
    check_put_back(host, tap, result, before)
    tap.equal(fix.get("outcome"), "rolled-back", "outcome")
    if says:
        tap.contains(result.stderr + result.stdout, says,
                     "the failed kubelet's words are shown")
    left = host.sh("systemctl list-units --all --plain --no-legend "
                   "'kubelet-remedy*'; ls /run/kubelet-remedy").stdout
    tap.check("kubelet-remedy-" not in left, "no unit is left", left)
    return result


def test_dies_at_once(host, tap):
    dying(host, tap, "die-after-ms=0 when=true\n", DIES)


def test_dies_after_300_ms(host, tap):
    dying(host, tap, "die-after-ms=300 when=true\n", DIES)


def test_dies_after_300_ms_text(host, tap):
    before, _ = failing_node(host, "die-after-ms=300 when=true\n")
    result = host.remedy("fix", "--wait=3")
    check_put_back(host, tap, result, before)
    tap.contains(result.stderr + result.stdout, DIES, "the reason is shown")


def test_dies_after_5_s(host, tap):
    """Healthy at once, and dead where the runtime's probes are done."""
    dying(host, tap, "die-after-ms=5000 when=true\n", DIES, wait="20")


def test_dies_after_5_s_default_wait(host, tap):
    before, _ = failing_node(host, "die-after-ms=5000 when=true\n")
    result = host.remedy("fix")
    check_put_back(host, tap, result, before)
    tap.contains(result.stderr + result.stdout, DIES, "the reason is shown")


def test_never_healthy_500(host, tap):
    dying(host, tap, "never-healthy=500 when=true\n", wait="3")


def test_never_healthy_closed(host, tap):
    dying(host, tap, "never-healthy=closed when=true\n", wait="3")


def test_slow_to_be_healthy(host, tap):
    _, was = failing_node(host, "healthy-after-ms=3000 when=true\n")
    check_fixed(host, tap, host.remedy("fix", "--wait=20"), was)


def test_silent_at_the_end(host, tap):
    """It was healthy in its time: one silence is no reason to put back."""
    _, was = failing_node(host, "silent-ms=4500 when=true\n",
                          service="Type=notify")
    check_fixed(host, tap, host.remedy("fix", "--wait=3"), was)


def test_slow_on_the_way_back(host, tap):
    """--wait is the time until all is put back, not for the old kubelet."""
    dying(host, tap, "die-after-ms=0 when=true\n"
          "healthy-after-ms=5000 from-start=2 when=false\n", wait="2")


def test_slow_on_the_way_back_notify(host, tap):
    dying(host, tap, "exit=1 die-after-ms=0 when=true\n"
          "healthy-after-ms=9500 from-start=2 when=false\n", wait="1",
          service="Type=notify\nTimeoutStopSec=1")


def test_ignores_term(host, tap):
    _, was = failing_node(host, "ignore-term=true\n",
                          service="TimeoutStopSec=1")
    check_fixed(host, tap, host.remedy("fix", QUICK), was)


def test_ignores_term_never_healthy(host, tap):
    dying(host, tap, "ignore-term=true\nnever-healthy=500 when=true\n",
          wait="3", service="TimeoutStopSec=1")


def test_no_rollback(host, tap):
    failing_node(host, "die-after-ms=300 when=true\n")
    result = host.remedy("fix", "--no-rollback", "--wait=3")
    tap.status(result, 6, "fix --no-rollback")
    tap.check(FLAG.encode() not in host.read(DROPIN),
              "the change stays in place", host.read(DROPIN))
    tap.contains(result.stderr + result.stdout, DIES, "the reason is shown")


BROKEN = "\nnext: kubelet-remedy undo\n"


def test_undo_of_broken(host, tap):
    """An undo is the way back, however kubelet is ill since the fix."""
    for control, unit in (("die-after-ms=300 exit=1", ""),
                          ("never-healthy=500", ""),
                          ("die-after-ms=300 exit=1", LIMIT)):
        before, was = failing_node(host, control + " when=true\n", unit=unit)
        result = host.remedy("fix", "--no-rollback", "--wait=3")
        tap.status(result, 6, control + ": fix")
        tap.check(result.stdout.endswith(BROKEN), control + ": next is undo",
                  result.stdout)
        result = host.remedy("undo", "--wait=6")
        tap.status(result, 0, control + ": undo")
        tap.matches(result.stdout, r"^UNDONE(?s:.*)is healthy", "it says so")
        tap.equal(host.snapshot(), before, "the files are as before")
        tap.equal((host.is_healthy(), host.value()), (True, "false"),
                  "a healthy kubelet decided as before")
        tap.check(host.identity() != was, "it is another one")


def check_down(host, tap, said, what):
    """The files are right: audit and fix say so, and that kubelet does not run."""
    for words, first in ((("audit",), "PASS"), (("fix", "-n"), "# UNCHANGED"),
                         (("fix",), "UNCHANGED")):
        result = host.remedy(*words)
        name = "%s: %s: " % (what, " ".join(words))
        tap.status(result, 0, name)
        tap.check(result.stdout.startswith(first), name + first, result.stdout)
        text = result.stdout + result.stderr
        tap.equal([said in text, text.count("warning: ")],
                  [bool(said), 1 if said else 0], name + "warning")
        tap.equal("next: kubelet-remedy status" in
                  result.stdout.splitlines()[-1], bool(said), name + "next")
        _, found = host.remedy_json(*words)
        tap.equal([m["severity"] for m in found["messages"]
                   if m["code"] == "kubelet-down"],
                  ["warning"] if said else [], name + "message")


def test_down_is_said(host, tap):
    failing_node(host, "die-after-ms=300 exit=1 when=true\n")
    # as the targets of a node do, so that systemd remembers its end
    host.sh("systemd-run --unit=wants-kubelet --remain-after-exit "
            "--property=Wants=kubelet.service true")
    tap.status(host.remedy("fix", "--no-rollback", "--wait=3"), 6, "fix")
    host.wait_dead()
    check_down(host, tap, "kubelet ends again and again: kubelet.service is "
               "activating (auto-restart)", "dying")
    _, found = host.remedy_json("history")
    tap.equal([t["outcome"] for t in found["transactions"]], ["broken"],
              "history")
    host.write(CONTROL, "")
    tap.check(host.is_healthy(), "systemd starts it again")
    tap.contains(host.remedy("audit").stdout, "warning: systemd has just started "
                 "kubelet again, which had ended: kubelet.service is active",
                 "it may end again")
    host.sh("systemctl stop kubelet.service")
    check_down(host, tap, "kubelet ran in this boot and does not now: "
               "kubelet.service is inactive (dead)", "stopped")
    host.sh("systemctl stop wants-kubelet.service")


def test_down_after_a_stop(host, tap):
    failing_node(host)
    host.sh("systemctl stop kubelet.service")
    result = host.remedy("fix")
    tap.status(result, 0, "fix")
    tap.contains(result.stderr, "was not restarted", "warning")
    tap.equal(result.stdout.splitlines()[-1], "next: kubelet-remedy status",
              "next")


def test_not_started_yet(host, tap):
    host.node("--v=2", start=False)
    result, found = host.remedy_json("audit")
    tap.status(result, 0, "audit")
    tap.equal([m for m in found["messages"] if m["code"] == "kubelet-down"],
              [], "no kubelet was started: no warning")


def test_undo_does_not_help(host, tap):
    failing_node(host, "die-after-ms=300 exit=1 when=true\n")
    tap.status(host.remedy("fix", "--no-rollback", "--wait=3"), 6, "fix")
    before = host.read(DROPIN)
    host.write(CONTROL, "die-after-ms=300 exit=1\n")
    result = host.remedy("undo", "--wait=3")
    tap.status(result, 6, "undo")
    tap.matches(result.stdout, r"^BROKEN  the files are as they were before "
                r"the fix, but kubelet is still not healthy", "it says so")
    tap.check(host.read(DROPIN) != before, "the files are back")
    tap.check(BROKEN not in result.stdout, "undo is no way back",
              result.stdout)
    tap.status(host.remedy("undo"), 1, "it is undone")


def test_undo_while_stopped(host, tap):
    """Who stopped kubelet after the fix wants it so."""
    before, _ = failing_node(host)
    tap.status(host.remedy("fix", QUICK), 0, "fix")
    host.sh("systemctl stop kubelet.service")
    result = host.remedy("undo", QUICK)
    tap.status(result, 0, "undo")
    tap.contains(result.stdout, "kubelet was not restarted", "it says so")
    tap.equal(host.snapshot(), before, "the files are as before")
    tap.equal(host.show()["ActiveState"], "inactive", "it is not started")


def test_job_failed(host, tap):
    dying(host, tap, "die-after-ms=50 exit=1 when=true\n", DIES,
          service="Type=notify")


def test_job_timeout(host, tap):
    dying(host, tap, "never-healthy=closed when=true\n", wait="10",
          service="Type=notify\nTimeoutStartSec=6")


def test_notify_fixed(host, tap):
    _, was = failing_node(host, service="Type=notify")
    check_fixed(host, tap, host.remedy("fix", QUICK), was)


LIMIT = "StartLimitBurst=2\nStartLimitIntervalSec=300"


def test_start_limit(host, tap):
    failing_node(host, unit=LIMIT)
    host.sh("systemctl restart kubelet.service")
    tap.check(host.is_healthy(), "the second start is allowed")
    was = host.identity()
    check_fixed(host, tap, host.remedy("fix", QUICK), was)


def test_start_limit_put_back(host, tap):
    dying(host, tap, "die-after-ms=300 when=true\n", DIES, unit=LIMIT)


# --- who asks, and what is there

def test_not_root(host, tap):
    before, was = failing_node(host)
    result = host.remedy("fix", user="nobody")
    check_untouched(host, tap, result, before, was)
    tap.matches(result.stdout + result.stderr, r"root|permission|privilege|denied",
                "it says why")
    result, audit = host.remedy_json("audit", user="nobody")
    tap.equal(audit.get("views", {}).get("disk", {}).get("state"), "false",
              "anybody may audit what he may read", result.stderr)


def test_bus_down(host, tap):
    _, was = failing_node(host)
    try:
        host.sh("systemctl stop dbus.socket dbus.service")
        tap.status(host.remedy("audit"), 1, "audit")
        result = host.remedy("fix", QUICK)
        check_fixed(host, tap, result, was)
        tap.status(host.remedy("status"), 0, "status")
    finally:
        host.sh("systemctl start dbus.socket dbus.service")


def test_no_unit(host, tap):
    host.reset()
    result, audit = host.remedy_json("audit")
    tap.status(result, 3, "audit")
    tap.equal(audit.get("verdict"), "unknown", "verdict")
    result, fix = host.remedy_json("fix")
    tap.status(result, 3, "fix")
    tap.equal(fix.get("outcome"), "unconfigured", "outcome")
    tap.status(host.remedy("status"), 3, "status")
    tap.equal(host.snapshot(), {}, "nothing is made")


# --- signals and lost output in the wait

def test_sigint_and_sigterm(host, tap):
    for number in (signal.SIGINT, signal.SIGTERM):
        process, before = fix_in_wait(host)
        tap.equal(host.signal_program(number), 1, "%s is sent" % number.name)
        result = host.finish(process)
        check_put_back(host, tap, result, before)
    # nobody disliked the change: it is no change that was put back
    host.tell("well")
    check_fixed(host, tap, host.remedy("fix", "--wait=20"))


def check_went_on(host, tap, result):
    tap.status(result, LOST_OUTPUT, "nobody has seen the end")
    tap.check(host.is_healthy(), "kubelet is healthy")
    tap.equal(host.value(), "true", "kubelet decided true")
    tap.check(FLAG.encode() not in host.read(DROPIN), "the file is fixed")
    tap.status(host.remedy("audit"), 0, "audit afterwards")


def test_sighup(host, tap):
    process, _ = fix_in_wait(host)
    tap.equal(host.signal_program(signal.SIGHUP), 1, "SIGHUP is sent")
    check_went_on(host, tap, end_well(host, process))


def test_closed_stdout(host, tap):
    reader, writer = os.pipe()
    process, _ = fix_in_wait(host, stdout=writer)
    os.close(writer)
    os.close(reader)
    result = end_well(host, process)
    check_went_on(host, tap, result)


def test_full_disk_for_output(host, tap):
    failing_node(host)
    result = host.sh("exec kubelet-remedy fix >/dev/full")
    tap.status(result, LOST_OUTPUT, "fix: lost output")
    tap.equal(host.value(), "true", "but kubelet decided true")
    for words in ("audit", "audit -o json", "fix -n", "status"):
        result = host.sh("exec kubelet-remedy %s >/dev/full" % words)
        tap.status(result, LOST_OUTPUT, words + ": lost output")
        tap.check(result.stderr, words + ": and said on stderr")


# --- bad input

def bad_input(host, tap, path, pattern, *, dropped=()):
    """Status 3 and 4, a message with the place, nothing changed."""
    before, was = host.snapshot(), host.identity()
    prefix = ["setpriv", "--bounding-set=" + ",".join(dropped)] \
        if dropped else []
    result = host.run(prefix + ["kubelet-remedy", "audit"])
    tap.status(result, 3, "audit")
    tap.matches(result.stdout + result.stderr, path + pattern,
                "audit: the place is named")
    result = host.run(prefix + ["kubelet-remedy", "fix"])
    check_untouched(host, tap, result, before, was)
    tap.matches(result.stdout + result.stderr, path + pattern,
                "fix: the place is named")


def test_config_is_no_json(host, tap):
    host.node("", start=False)
    host.write(CONFIG, CONFIG_TEXT % ',\n  "%s": tru' % KEY)
    bad_input(host, tap, CONFIG, r":10:\d+")


def test_config_is_cut_off(host, tap):
    host.node("", start=False)
    host.write(CONFIG, (CONFIG_TEXT % KEY_FALSE)[:-3])
    bad_input(host, tap, CONFIG, r":\d+:\d+")


def test_config_is_a_directory(host, tap):
    host.node("", start=False)
    host.remove(CONFIG)
    os.mkdir(host.root + CONFIG)
    bad_input(host, tap, CONFIG, "")


def test_config_is_a_fifo(host, tap):
    host.node("", start=False)
    host.remove(CONFIG)
    os.mkfifo(host.root + CONFIG)
    bad_input(host, tap, CONFIG, "")


def test_config_is_missing(host, tap):
    host.node("", start=False)
    host.remove(CONFIG)
    bad_input(host, tap, CONFIG, "")


def test_config_is_unreadable(host, tap):
    host.node("", config=KEY_FALSE, start=False)
    os.chown(host.root + CONFIG, 65534, 65534)
    os.chmod(host.root + CONFIG, 0)
    bad_input(host, tap, CONFIG, "", dropped=(
        "-dac_override", "-dac_read_search"))


def test_dropin_is_no_unit_file(host, tap):
    host.node(FALSE_FLAG, start=False)
    host.write(DROPIN, b"\x7fELF\x02\x01\x01\0\0\0\n[Service\nKUBELET_ARGS\n")
    host.sh("systemctl daemon-reload")
    bad_input(host, tap, DROPIN, r":\d+:\d+")


def test_dropin_is_a_directory(host, tap):
    """systemd passes over it: the config's setting is what kubelet has."""
    host.node("", config=KEY_FALSE, start=False)
    host.remove(DROPIN)
    os.mkdir(host.root + DROPIN)
    host.sh("systemctl daemon-reload; systemctl start kubelet.service")
    tap.check(host.wait_value("false"), "kubelet runs with false")
    tap.status(host.remedy("audit"), 1, "audit")
    tap.status(host.remedy("fix"), 0, "fix")
    tap.equal(host.value(), "true", "and then with true")
    tap.equal(os.listdir(host.root + DROPIN), [], "the folder is left alone")


# --- status, usage, metadata

def test_status(host, tap):
    _, was = failing_node(host)
    result = host.remedy("status")
    tap.status(result, 0, "status of a healthy kubelet")
    for part in ("kubelet.service", "loaded", "active", "running", was[0],
                 DROPIN.rsplit("/", 1)[1], "stand-in kubelet, start 1"):
        tap.contains(result.stdout, part, "text")
    enabled = host.sh("systemctl is-enabled kubelet.service").stdout.strip()
    tap.contains(result.stdout, "%s; %s)\n" % (UNIT, enabled), "enabled")
    tap.matches(result.stdout, r"since 20\S+ \S+ \S+; (\d+ min )?\d+ s ago\n",
                "since when")
    shown = host.sh("systemctl show -P MemoryCurrent kubelet.service").stdout
    counted = shown.strip().isdigit()
    tap.equal("\n  memory:   " in result.stdout, counted, "its memory", shown)
    tap.contains(result.stdout, "\n  healthy:  yes", "healthy")
    result, status = host.remedy_json("status")
    tap.status(result, 0, "status -o json")
    want = {"schema": 2, "unit": "kubelet.service", "load": "loaded",
            "enabled": enabled,
            "active": "active", "sub": "running", "result": "success",
            "main_pid": int(was[0]), "invocation_id": was[1],
            "restarts": 0, "need_daemon_reload": False, "fragment": UNIT,
            "dropins": [DROPIN], "healthy": True}
    tap.equal({k: status.get(k) for k in want}, want, "its members")
    tap.check(status.get("since"), "since when", status)
    tap.equal((status.get("memory") or 0) > 0, counted, "what it uses", status)
    tap.check(any("stand-in kubelet, start 1" in entry.get("text", "")
                  for entry in status.get("log", [])), "its log", status)
    host.sh("systemctl stop kubelet.service")
    result, status = host.remedy_json("status")
    tap.status(result, 1, "status of a stopped kubelet")
    tap.equal(status.get("active"), "inactive", "active")
    tap.equal(status.get("healthy"), False, "healthy")


def test_status_unhealthy(host, tap):
    host.node("", control="never-healthy=500\n", start=False)
    host.sh("systemctl start kubelet.service")
    tap.check(host.wait_value("true"), "it runs")
    tap.status(host.remedy("status"), 1, "status of an unhealthy kubelet")


def test_usage(host, tap):
    before, was = failing_node(host)
    for words in ([], ["nosuch"], ["audit", "--nosuch"], ["audit", "extra"],
                  ["fix", "--method=nosuch"], ["fix", "--restart=nosuch"],
                  ["fix", "--wait=soon"], ["fix", "--wait=-1"], ["fix", "-o"],
                  ["audit", "-o", "nosuch"], ["status", "--wait=3"],
                  ["audit", "--color=nosuch"], ["audit", "--pid=0"]):
        result = host.remedy(*words)
        tap.status(result, 2, " ".join(words) or "no word")
        tap.check(result.stderr and not result.stdout, "told on stderr only",
                  result)
    for words in (["--help"], ["audit", "--help"], ["fix", "--help"],
                  ["--version"]):
        result = host.remedy(*words)
        tap.status(result, 0, " ".join(words))
        tap.check(result.stdout and not result.stderr, "told on stdout only",
                  result)
    tap.equal((host.snapshot(), host.identity()), (before, was),
              "nothing is changed")


def acl(uid):
    """system.posix_acl_access: u::rw-, u:UID:r--, g::---, m::r--, o::---."""
    entries = ((0x01, 6, 0xffffffff), (0x02, 4, uid), (0x04, 0, 0xffffffff),
               (0x10, 4, 0xffffffff), (0x20, 0, 0xffffffff))
    return struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", *entry) for entry in entries)


def test_metadata_is_kept(host, tap):
    host.node(FALSE_FLAG, config=KEY_FALSE)
    for path, mode in ((DROPIN, 0o600), (CONFIG, 0o600)):
        full = host.root + path
        os.chown(full, 0, 4242)
        os.chmod(full, mode)
        try:
            os.setxattr(full, "user.x", b"kept")
            os.setxattr(full, "system.posix_acl_access", acl(4711))
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            print("# no xattrs or ACLs on this file system")
    before = host.snapshot()
    tap.equal(before[CONFIG][4].get("user.x"), b"kept", "an xattr is there")
    tap.status(host.remedy("fix", QUICK), 0, "fix")
    after = host.snapshot()
    for path in (DROPIN, CONFIG):
        tap.check(before[path][3] != after[path][3], path + " is changed")
        tap.equal(after[path][:3] + after[path][4:],
                  before[path][:3] + before[path][4:],
                  path + ": mode, owner, xattrs and ACL are kept")
    tap.equal(sorted(after), sorted(before), "no other file is left")


def test_metadata_is_put_back(host, tap):
    host.node(FALSE_FLAG, config=KEY_FALSE,
              control="die-after-ms=300 when=true\n")
    for path in (DROPIN, CONFIG):
        os.chown(host.root + path, 4241, 4242)
        os.chmod(host.root + path, 0o600)
        os.setxattr(host.root + path, "user.x", b"kept")
    before = host.snapshot()
    check_put_back(host, tap, host.remedy("fix", "--wait=3"), before)


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
