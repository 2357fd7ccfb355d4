#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is seen: status, JSON by its schema, hostile names, narrow terminals.

    test-e2e-view.py PROGRAM STANDIN [TEST...]

Needs root; without it the whole is skipped.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

from audit_lib import only
from e2e_lib import (DIES, FALSE_FLAG, KEY_FALSE, Terminal, check_fixed,
                     failing_node, run_file)
from host_lib import (CONFIG, CONTROL, DROPIN, DROPIN_TEXT, HERE, KEY, UNIT)
from json_schema import Schemas

SCHEMAS = Schemas(os.path.join(HERE, os.pardir, "data", "schema"))
FOLDER = UNIT + ".d"
SETTLED = 21  # seconds, and a kubelet has shown that it can live


# --- JSON by its schema

def by_schema(tap, result, name, what):
    """The object, checked against the schema; {} if it is none."""
    try:
        got = json.loads(result.stdout)
    except ValueError as error:
        tap.check(False, what + ": JSON", error, result.stdout,
                  result.stderr)
        return {}
    faults = list(SCHEMAS.faults(name, got))
    tap.check(not faults, what + ": by the schema", faults, result.stdout)
    return only(got)


def test_no_root_there(host, tap):
    for command in ("audit", "status"):
        result = host.remedy(command, "-o", "json", "--root=/nonexistent")
        tap.status(result, 3, command)
        by_schema(tap, result, command + ".json", command)
        tap.contains(result.stderr + result.stdout, "/nonexistent",
                     command + ": it is named")


def test_status_of_an_image(host, tap):
    host.sh("mkdir -p /srv/image/etc")
    result = host.remedy("status", "-o", "json", "--root=/srv/image")
    tap.status(result, 3, "status")
    got = by_schema(tap, result, "status.json", "status")
    tap.equal(got.get("healthy"), None, "nothing was asked")
    tap.status(host.remedy("status", "--root=/srv/image"), 3, "text")


def test_json_of_a_host(host, tap):
    """Each command at a real node, before, within and after a fix."""
    failing_node(host)
    for words, name in (
            (["audit"], "audit"), (["status"], "status"),
            (["fix", "-n"], "fix"), (["fix", "--wait=1"], "fix"),
            (["fix"], "fix"), (["history"], "history"),
            (["undo", "-n"], "fix"), (["undo", "--wait=1"], "fix"),
            (["history"], "history")):
        result = host.remedy(*words, "-o", "json")
        by_schema(tap, result, name + ".json", " ".join(words))
    host.sh("systemctl stop kubelet.service")
    by_schema(tap, host.remedy("status", "-o", "json"), "status.json",
              "status of a stopped kubelet")
    host.reset()
    result = host.remedy("status", "-o", "json")
    tap.status(result, 3, "status without a unit")
    by_schema(tap, result, "status.json", "status without a unit")


# --- systemd's own environment

def test_manager_environment(host, tap):
    """What its block says counts: it is named, and no fix takes it away."""
    host.node(config=KEY_FALSE.replace("false", "true"), start=False)
    unit = host.read(UNIT).decode()
    for variable in ("$EXTRA", "${EXTRA}"):
        host.write(UNIT, re.sub(r"(?m)^(ExecStart=.*)$", r"\1 " + variable,
                                unit))
        host.sh("systemctl daemon-reload; "
                "systemctl set-environment EXTRA=" + FALSE_FLAG)
        result, audit = host.remedy_json("audit")
        tap.status(result, 1, variable)
        tap.contains(str([m["text"] for m in audit["messages"]]),
                     "EXTRA of systemd's own environment, which "
                     "'systemctl show-environment'", "it is named")
        host.sh("systemctl unset-environment EXTRA")
        # kubelet takes no empty word
        tap.status(host.remedy("audit"), 0 if variable == "$EXTRA" else 3,
                   "without it")
    host.write(UNIT, re.sub(r"(?m)^(ExecStart=.*)$", r"\1 $EXTRA", unit))
    # a file's DefaultEnvironment= counts from the next reload on
    conf = "/etc/systemd/system.conf.d/10-extra.conf"
    host.write(conf, "[Manager]\nDefaultEnvironment=EXTRA=%s\n" % FALSE_FLAG)
    tap.status(host.remedy("audit"), 0, "before the reload")
    host.sh("systemctl daemon-reload")
    result = host.remedy("audit")
    tap.status(result, 1, "after it")
    tap.contains(result.stdout, "next: systemctl show-environment",
                 "the next command")
    before = host.snapshot()
    result = host.remedy("fix")
    tap.status(result, 4, "fix")
    tap.contains(result.stderr + result.stdout, "systemctl show-environment",
                 "fix names it")
    tap.equal(host.snapshot(), before, "nothing is changed")
    host.remove(conf)
    host.sh("systemctl daemon-reload")
    tap.status(host.remedy("audit"), 0, "without the file")


# --- what else there is about iptables

def messages(got, code):
    return [m["text"] for m in got.get("messages", []) if m["code"] == code]


def test_other_managers(host, tap):
    failing_node(host)
    host.write("/etc/systemd/system/ufw.service", "[Service]\nType=oneshot\n"
               "RemainAfterExit=yes\nExecStart=/bin/true\n")
    host.sh("systemctl daemon-reload; systemctl start ufw.service")
    for words in (["audit"], ["fix", "-n"]):
        _, got = host.remedy_json(*words)
        found = messages(got, "iptables-manager")
        tap.check(len(found) == 1 and found[0].startswith(
            "ufw.service is active here"), words[0] + ": it is named", found)
    result = host.remedy("fix", "-n")
    tap.contains(result.stderr, "ufw.service", "in the preview's text")
    host.sh("systemctl stop ufw.service")
    _, got = host.remedy_json("audit")
    tap.equal(messages(got, "iptables-manager"), [], "none that is stopped")
    os.unlink(host.root + "/etc/systemd/system/ufw.service")


EQUAL_BITS = ',\n  "iptablesMasqueradeBit": 15,\n  "%s": true' % KEY


def test_equal_mark_bits(host, tap):
    """An old kubelet would die of the fix: nothing is begun."""
    host.node(FALSE_FLAG, config=EQUAL_BITS)
    before, who = host.snapshot(), host.identity()
    for words in (["fix"], ["fix", "--restart=never"], ["fix", "-n"]):
        result, got = host.remedy_json(*words)
        tap.status(result, 4, " ".join(words))
        tap.check(messages(got, "mark-bits-equal"), "it is said", got)
    tap.equal(host.snapshot(), before, "no file is changed")
    tap.equal(host.identity(), who, "kubelet is untouched")


def test_equal_mark_bits_on_disk_already(host, tap):
    """Here the restart alone would switch it on."""
    host.node(FALSE_FLAG, config=EQUAL_BITS)
    host.write(DROPIN, DROPIN_TEXT % "--node-ip=192.0.2.30")
    host.sh("systemctl daemon-reload")
    who = host.identity()
    result, got = host.remedy_json("fix")
    tap.status(result, 4, "fix")
    tap.check(messages(got, "mark-bits-equal"), "it is said", got)
    tap.equal(host.identity(), who, "kubelet is untouched")
    result, _ = host.remedy_json("fix", "--restart=never")
    tap.status(result, 0, "without a restart there is nothing to refuse")


def test_equal_mark_bits_of_a_newer_kubelet(host, tap):
    """One that runs with them and the setting on does not die of them."""
    host.node(config=EQUAL_BITS)
    host.write(DROPIN, DROPIN_TEXT % ("--node-ip=192.0.2.30 " + FALSE_FLAG))
    host.sh("systemctl daemon-reload")
    _, got = host.remedy_json("audit")
    tap.equal(messages(got, "mark-bits-equal"), [], "no warning")
    result, _ = host.remedy_json("fix", "--restart=never")
    tap.status(result, 0, "fix")


# --- status of a dead kubelet

def test_status_of_the_dead(host, tap):
    host.node("", control="die-when-told=true exit=3 from-start=2\n",
              service="RestartSec=600")
    host.sh("systemctl restart kubelet.service")
    tap.check(host.wait_said("stand-in kubelet, start 2"), "it speaks")
    host.tell("die")
    tap.check(host.wait_dead(), "it dies")
    result = host.remedy("status")
    tap.status(result, 1, "status")
    tap.contains(result.stdout, "exit status 3", "how it ended")
    tap.contains(result.stdout, DIES, "why")
    tap.check("Got signal 15" not in result.stdout,
              "no line of the one before", result.stdout)

    host.write(CONTROL, "")
    host.sh("systemctl reset-failed kubelet.service;"
            " systemctl restart kubelet.service")
    host.is_healthy()
    host.sh("systemctl kill --signal=KILL kubelet.service")
    host.wait_dead()
    result = host.remedy("status")
    tap.status(result, 1, "status of a killed kubelet")
    tap.matches(result.stdout, r"signal (9|KILL)", "how it ended")


# --- hostile names and bytes

def bytes_of(host, names):
    return {name: host.read(name) for name in names}


def preview_is_fix(host, tap, names):
    """fix -n | patch gives the bytes of fix, or both refuse."""
    before = bytes_of(host, names)
    preview = host.run(["kubelet-remedy", "fix", "-n"])
    if preview.status == 4:
        tap.status(host.remedy("fix", "--wait=1"), 4, "fix refuses, too")
        tap.equal(bytes_of(host, names), before, "nothing is changed")
        return preview
    tap.status(preview, 1, "preview")
    with tempfile.TemporaryDirectory(prefix="e2e-") as copy:
        for name, data in before.items():
            os.makedirs(os.path.dirname(copy + name), exist_ok=True)
            with open(copy + name, "wb") as file:
                file.write(data)
        run = subprocess.run(["patch", "-p1", "-d", copy], check=False,
                             input=preview.stdout.encode(),
                             stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        patched = {}
        for name in names:
            with open(copy + name, "rb") as file:
                patched[name] = file.read()
    result = host.remedy("fix", "--wait=1")
    tap.status(result, 0, "fix")
    tap.equal(run.returncode, 0, "patch takes it", run.stdout)
    tap.equal(patched, bytes_of(host, names), "patch gives fix's bytes")
    return preview


def unreadable_dropin(host, tap, make):
    _, was = failing_node(host)
    name = FOLDER + "/20-other.conf"
    make(host.root + name)
    try:
        result, got = host.remedy_json("audit", timeout=60)
        tap.status(result, 1, "audit: it runs with false")
        tap.equal(got.get("views", {}).get("disk", {}).get("state"),
                  "unknown", "disk")
        tap.contains(result.stdout + result.stderr, name, "it is named")
        before = host.snapshot()
        result = host.remedy("fix", timeout=60)
        tap.status(result, 4, "fix")
        tap.contains(result.stdout + result.stderr, name, "it is named")
        tap.equal((host.snapshot(), host.identity()), (before, was),
                  "nothing is changed")
    finally:
        # systemd would wait for a writer as soon as it loads the unit
        host.remove(name)


def test_dropin_is_a_fifo(host, tap):
    unreadable_dropin(host, tap, os.mkfifo)


def test_dropin_is_a_folder(host, tap):
    """systemd passes over it, and starts kubelet with the others."""
    host.node(FALSE_FLAG)
    os.mkdir(host.root + UNIT + ".d/20-other.conf")
    host.sh("systemctl daemon-reload; systemctl restart kubelet.service")
    host.is_healthy()
    tap.equal(host.value(), "false", "kubelet runs, by the other drop-in")
    result, got = host.remedy_json("audit")
    tap.status(result, 1, "audit")
    tap.equal([m["severity"] for m in got["messages"]
               if m["code"] == "dropin-is-folder"], ["note"], "it is named")
    tap.status(host.remedy("fix"), 0, "fix")
    tap.equal(host.value(), "true", "and then with true")


def test_dropin_is_a_config(host, tap):
    """systemd wants a reload for it; nothing of kubelet's would change."""
    def needed():
        return (host.show()["NeedDaemonReload"],
                host.remedy_json("audit")[1].get("reload_needed"))

    folder = os.path.dirname(DROPIN)
    host.node()
    host.write(folder + "/kubelet.conf", "apiVersion: kubelet.config.k8s.io/"
               "v1beta1\nkind: KubeletConfiguration\n")
    tap.equal(needed()[1], False, "it is put there")
    host.sh("systemctl daemon-reload")
    tap.equal(needed(), ("no", False), "systemd has read it")
    host.sh("sleep 0.1; echo 'maxPods: 50' >> %s/kubelet.conf" % folder)
    tap.equal(needed(), ("yes", False), "it is edited")
    host.sh("echo '# a comment' >> " + DROPIN)
    tap.equal(needed(), ("yes", True), "a real drop-in is edited, too")
    host.sh("systemctl daemon-reload; rm %s/kubelet.conf" % folder)
    tap.equal(needed()[1], True, "it is gone, and nothing tells what it was")


def test_credential(host, tap):
    """kubelet reads a copy that systemd makes of the file at its start."""
    # what systemd mounts at a start shows, as on any machine
    host.sh("mount --make-rshared /")
    host.node(config=KEY_FALSE, start=False)
    unit = host.read(UNIT).decode()
    host.write(UNIT, unit.replace("--config " + CONFIG, "--config=%d/k")
               .replace("[Service]\n", "[Service]\nLoadCredential=k:%s\n"
                        % CONFIG))
    host.sh("systemctl daemon-reload; systemctl restart kubelet.service")
    tap.check(host.is_healthy(), "kubelet runs")
    tap.equal(host.value(), "false", "with the file's value")
    result, got = host.remedy_json("audit")
    tap.status(result, 1, "audit")
    tap.equal([view["state"] for view in got["views"].values()],
              ["false", "false", "absent"], "disk and running")
    tap.equal(got["sources"][got["views"]["disk"]["source"]]["file"], CONFIG,
              "the file is named")
    tap.status(host.remedy("fix", "--wait=1"), 0, "fix")
    tap.equal(host.value(), "true", "kubelet runs with the other value")
    # a change that no restart has brought to kubelet
    host.write(CONFIG, host.read(CONFIG).decode().replace("true", "false"))
    result, got = host.remedy_json("audit")
    tap.status(result, 1, "audit of a changed file")
    tap.equal([got["views"][view]["state"] for view in ("disk", "running")],
              ["false", "true"], "the next start would bring it")
    # that it runs proves nothing for a file that it has not read
    host.write(CONFIG, host.read(CONFIG).decode().replace(
        '"%s": false' % KEY, '"%s": 1' % KEY))
    time.sleep(SETTLED)
    _, got = host.remedy_json("audit")
    tap.equal(got["views"]["disk"]["state"], "invalid",
              "nor would it start with this", got["views"])


def test_environment_file_is_a_fifo(host, tap):
    """Nobody waits for what it may hold, and systemd does not start it."""
    host.node("", start=False)
    name = "/etc/kubernetes/env"
    host.write(DROPIN, DROPIN_TEXT % "--v=2" + "EnvironmentFile=%s\n" % name)
    os.mkfifo(host.root + name)
    host.sh("systemctl daemon-reload")
    before = host.snapshot()
    for command, status in (("audit", 3), ("fix", 4)):
        result = host.remedy(command, timeout=60)
        tap.status(result, status, command)
        tap.contains(result.stdout + result.stderr, name, "it is named")
    tap.equal(host.snapshot(), before, "nothing is changed")


def test_nul_in_a_dropin(host, tap):
    host.node(FALSE_FLAG)
    host.write(DROPIN, (DROPIN_TEXT % FALSE_FLAG).encode() + b"# a\0b\n")
    host.sh("systemctl daemon-reload; systemctl restart kubelet.service")
    host.is_healthy()
    preview_is_fix(host, tap, [DROPIN])


def test_tab_in_a_name(host, tap):
    for name in ("20-a\tb.conf", "20-a b.conf", '20-a"b\\c.conf',
                 "20-a\u00e4b.conf"):
        host.node("")
        path = FOLDER + "/" + name
        host.write(path, DROPIN_TEXT % FALSE_FLAG)
        host.sh("systemctl daemon-reload; systemctl restart kubelet.service")
        host.is_healthy()
        result, got = host.remedy_json("audit")
        tap.status(result, 1, "audit of %r" % name)
        tap.check(any(s.get("file") == path for s in got.get("sources", [])),
                  "the name is told as it is", got)
        preview_is_fix(host, tap, [path])


def escapes(host):
    """A node with a drop-in that has them in its name and in its bytes; the
    drop-in."""
    host.node("")
    path = FOLDER + "/20-\x1b[31mred.conf"
    host.write(path, DROPIN_TEXT % ("--node-ip=192.0.2.30\x1b[2J " +
                                    FALSE_FLAG))
    host.sh("systemctl daemon-reload; systemctl restart kubelet.service")
    host.is_healthy()
    return path


def test_escapes(host, tap):
    """Nothing that is read moves the reader's cursor."""
    escapes(host)
    for words in (["audit"], ["audit", "-v"], ["status"], ["fix", "-n"],
                  ["fix", "-v", "--wait=1"], ["history"], ["undo", "-n"],
                  ["undo", "-v", "--wait=1"],
                  ["audit", "--root=/\x1b[31m"],
                  ["audit", "--unit=\x1b[31m.service"],
                  ["audit", "--config=/\x1b[31m"]):
        result = host.remedy(*words)
        # the lines of the file itself are there for patch
        said = "".join(line for line in result.stdout.splitlines(True)
                       if "-n" not in words
                       or line.startswith(("#", "---", "+++", "@@")))
        tap.check("\x1b" not in said + result.stderr,
                  "%r prints no escape" % (words,), repr(said),
                  repr(result.stderr))
        tap.check(said, "%r says something" % (words,))


def test_escapes_in_a_diff(host, tap):
    """patch gets the bytes of the file, a terminal does not."""
    path = escapes(host)
    terminal = Terminal(80)
    result = host.run(["kubelet-remedy", "fix", "-n", "--color=never"],
                      stdout=terminal.slave)
    text = terminal.text()
    tap.status(result, 1, "preview on a terminal")
    tap.contains(text, "\n-…", "a diff is shown, cut around the change")
    tap.check("\x1b" not in text, "without an escape", repr(text))
    preview_is_fix(host, tap, [path])


# --- narrow terminals

def plain(text):
    return re.sub("\x1b\\[[0-9;]*m", "", text)


def test_narrow_snippets(host, tap):
    host.node("--v=2 --cloud-provider=external %s --max-pods=17" %
              FALSE_FLAG, config=KEY_FALSE)
    for columns in (20, 30, 40, 60, 200):
        terminal = Terminal(columns)
        result = host.run(["kubelet-remedy", "audit"], stdout=terminal.slave)
        text = plain(terminal.text())
        tap.status(result, 1, "audit at %d columns" % columns)
        lines = [line for line in text.splitlines()
                 if re.match(r" *\d* \| ", line)]
        tap.check(len(lines) >= 2 and any("^" in line for line in lines),
                  "%d: a snippet is there" % columns, text)
        wide = [line for line in lines if len(line) > columns]
        tap.check(not wide, "%d: no line of it is wider" % columns, text)
        for source, caret in zip(lines[::2], lines[1::2]):
            under = source[caret.index("^"):]
            tap.check(FALSE_FLAG.startswith(under[:4]) or
                      under.startswith("fals"),
                      "%d: the caret is under the word" % columns, text)


def test_progress_never_wraps(host, tap):
    for columns in (20, 40, 60):
        host.node(FALSE_FLAG, control="healthy-after-ms=1500 when=true\n",
                  service="Type=notify")
        terminal = Terminal(columns)
        result = host.run(["kubelet-remedy", "fix", "--wait=2"],
                          stderr=terminal.slave)
        drawn = [part for part in
                 re.split(r"[\r\n]", plain(terminal.text())) if part]
        check_fixed(host, tap, result)
        # what is drawn over itself
        shown = [part for part in drawn
                 if part.startswith(("restart", "healthy;", "waiting"))]
        tap.check(any(part.startswith("restart (") for part in shown)
                  and any(part.startswith("healthy;") for part in shown),
                  "%d: progress is shown" % columns, drawn)
        wide = [part for part in shown if len(part) >= columns]
        tap.check(not wide, "%d: no line of it wraps" % columns, wide)


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
