#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""undo and history on images that somebody else has changed since the fix.

    test-undo.py PROGRAM NODES SCHEMAS

Each row fixes a node, changes it, and says what undo must do then. What is
refused leaves every byte as it is, names the place, and shows the diff.
"""

import hashlib
import json
import os
import re
import shutil
import sys

from cli_lib import NodeCopy, Run, Tap, differences
from json_schema import Schemas

NODE = "cis-text-flag-false-file-true"
CONFIG = "/etc/kubernetes/kubelet/kubelet-config.json"
DROPIN = "/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf"
MADE = "/etc/systemd/system/kubelet.service.d/90-kubelet-remedy.conf"
UNIT = "/usr/lib/systemd/system/kubelet.service"
STATE = "/var/lib/kubelet-remedy"
FLAG = "--make-iptables-util-chains=false"
KEY = b'"makeIPTablesUtilChains"'


class Case:
    """One node, and what was wrong with it."""

    def __init__(self, program, schemas, node):
        self.program, self.schemas, self.node = program, schemas, node
        self.faults = []

    def run(self, *words):
        return Run([self.program, words[0], "--root=" + self.node.root,
                    *words[1:]])

    def json(self, schema, *words):
        run = self.run(*words, "--output=json")
        return run, run.json(self.schemas, schema + ".json", self.faults)

    def expect(self, right, text, *args):
        if not right:
            self.faults.append(text % args)

    def fix(self, *words):
        run = self.run("fix", *words)
        self.expect(run.status == 0, "fix: %d: %s%s", run.status, run.out,
                    run.err)

    def write(self, path, data):
        full = self.node.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())

    def replace(self, path, old, new):
        data = self.node.read(path)
        self.expect(old in data, "%s: no %r to change: %r", path, old, data)
        self.write(path, data.replace(old, new, 1))

    def records(self):
        folder = self.node.root + STATE
        return sorted(name for name in os.listdir(folder)
                      if os.path.isdir(os.path.join(folder, name)))

    def refused(self, said, *diff, known="refused"):
        """undo refuses: nothing changes, the reason and the diff are shown.
        KNOWN: what history says, which makes no proof."""
        before = self.node.snapshot()
        for words in ((), ("-n",)):
            run = self.run("undo", *words)
            text = run.out + run.err
            self.expect(run.status == 4 and said in text, "undo %s: %d: %s",
                        words, run.status, text)
            for line in diff:
                self.expect(line in run.out.splitlines(),
                            "undo %s: no line %r: %s", words, line, run.out)
            if "put it back by hand" in text:
                self.expect(run.out.splitlines()[-1].endswith(
                    "the old files are in %s%s/%s" % (
                        self.node.root, STATE, self.records()[-1])),
                            "undo %s: which files? %s", words, text)
        self.expect("what 'kubelet-remedy undo' puts back" not in
                    self.run("history").out or known == "possible",
                    "history: a star on what is refused")
        run, got = self.json("fix", "undo")
        shown = "".join(c["diff"] for c in got.get("changes", []))
        for line in diff:
            self.expect(line in shown.splitlines(), "json: no line %r: %r",
                        line, shown)
        self.expect(got.get("outcome") == "refused", "json: %s", got)
        self.expect(self.node.snapshot() == before, "changed: %s",
                    differences(before, self.node.snapshot()))
        self.history("kept", known)

    def history(self, state, undo):
        _, got = self.json("history", "history")
        last = got.get("transactions", [{}])[-1]
        self.expect((last.get("state"), last.get("undo")) == (state, undo),
                    "history: %s", last)

    def undone(self, path, want):
        run = self.run("undo")
        self.expect(run.status == 0, "undo: %d: %s%s", run.status, run.out,
                    run.err)
        got = self.node.read(path)
        self.expect(got == want, "%s: %r is not %r", path, got, want)
        self.history("undone", "refused")


# --- other changes beside ours

def other_lines(case):
    """Only our span goes back."""
    before = case.node.read(DROPIN)
    case.fix()
    case.replace(DROPIN, b"[Service]\n", b"# by somebody\n[Service]\nNice=3\n")
    case.undone(DROPIN, before.replace(
        b"[Service]\n", b"# by somebody\n[Service]\nNice=3\n", 1))


CHANGED = "the text that the fix wrote has been changed since"


def rewritten(case):
    """Others wrote the file again with other words: what was there before the
    fix is shown."""
    before = case.node.read(DROPIN).decode().splitlines()
    case.fix()
    case.write(DROPIN, "[Service]\nEnvironment='KUBELET_ARGS=--v=1'\n")
    case.refused(CHANGED, "-Environment='KUBELET_ARGS=--v=1'",
                 "+" + before[1])


def rewritten_as_before(case):
    """Others took our change away, besides another: nothing to do."""
    old = case.node.read(DROPIN)
    case.fix()
    case.write(DROPIN, old + b"Nice=3\n")
    before = case.node.snapshot()
    run = case.run("undo")
    case.expect(run.status == 1 and "again" in run.out, "undo: %d: %s",
                run.status, run.out)
    case.expect(case.node.snapshot() == before, "something was changed")
    run = case.run("undo", "-n")
    case.expect(run.status == 1 and run.out.startswith("# NOTHING TO UNDO  "),
                "undo -n: %d: %s", run.status, run.out)


def rewritten_beside_ours(case):
    """The one file goes back, and of the other it is said that it stays."""
    case.replace(CONFIG, KEY + b": true", KEY + b": false")
    old, dropin = case.node.read(CONFIG), case.node.read(DROPIN)
    case.fix()
    case.write(CONFIG, old)
    said = CONFIG + ": stays as it is: what the fix changed there is not"
    for words, status in ((["undo", "-n"], 0), (["undo"], 0)):
        run = case.run(*words)
        case.expect(run.status == status and run.err.count(said) == 1,
                    "%s: %d: %s%s", words, run.status, run.out, run.err)
    case.expect((case.node.read(CONFIG), case.node.read(DROPIN))
                == (old, dropin), "not as before the fix")


def gone(case):
    """The file is not there any more, and our edit with it."""
    case.fix()
    os.unlink(case.node.root + DROPIN)
    run = case.run("undo")
    case.expect(run.status == 1, "undo: %d: %s", run.status, run.out)
    case.expect(not os.path.exists(case.node.root + DROPIN), "made again")


def other_decision(case):
    """Our span could go back, but kubelet would not decide as before."""
    case.fix()
    data = case.node.read(DROPIN).decode()
    case.write("/etc/systemd/system/kubelet.service.d/95-more.conf",
               "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet "
               "--kubeconfig=/k --config " + CONFIG + "\n")
    line = data.splitlines()[1]
    case.refused("other changes were made since", "--- a" + DROPIN,
                 "+++ b" + DROPIN, "-" + line, known="possible")


def twice(case):
    """Which of the two was ours cannot be told; the place is named."""
    case.fix()
    data = case.node.read(DROPIN)
    line = data.splitlines(True)[1]
    case.write(DROPIN, data + line)
    case.refused(" at " + DROPIN + ":3:1\n")


def one_line(case):
    """A file that is one line, of which somebody changed the rest."""
    text = ('{"kind":"KubeletConfiguration","apiVersion":'
            '"kubelet.config.k8s.io/v1beta1",%s:false,"maxPods":110}')
    case.write(CONFIG, text % KEY.decode())
    case.fix()
    case.replace(CONFIG, b"110", b"58")
    case.undone(CONFIG, (text % KEY.decode()).replace("110", "58").encode())


def beside_the_key(case):
    """The key stands behind what was the last, which somebody changed, and
    another one behind it."""
    case.write(CONFIG, '{\n  "kind": "KubeletConfiguration",\n  "apiVersion":'
               ' "kubelet.config.k8s.io/v1beta1",\n  "maxPods": 110\n}\n')
    old = case.node.read(CONFIG)
    case.fix("--explicit")
    case.expect(KEY in case.node.read(CONFIG), "no key was added")
    case.replace(CONFIG, b"110", b"58")
    case.replace(CONFIG, b"\n}", b',\n  "podPidsLimit": 9\n}')
    case.undone(CONFIG, old.replace(b"110", b"58").replace(
        b"\n}", b',\n  "podPidsLimit": 9\n}'))


def our_line_changed(case):
    """Somebody edited the very line: our edit is not there as we made it."""
    before = case.node.read(DROPIN).decode().splitlines()[1]
    case.fix()
    old = case.node.read(DROPIN).decode().splitlines()[1]
    case.replace(DROPIN, b"KUBELET_ARGS=", b"KUBELET_ARGS=--v=9 ")
    case.refused(CHANGED, "-" + old.replace("ARGS=", "ARGS=--v=9 "),
                 "+" + before)


# --- what we made

def vendor(case):
    shutil.rmtree(case.node.root + "/etc/systemd/system")
    os.makedirs(case.node.root + "/etc/systemd/system")
    case.write(UNIT, "[Service]\nExecStart=/usr/bin/kubelet --kubeconfig=/k --config "
               + CONFIG + " --v=2 " + FLAG + "\n")


def made(case):
    """It goes, and its folder."""
    vendor(case)
    before = case.node.snapshot()
    case.fix()
    case.expect(os.path.exists(case.node.root + MADE), "nothing was made")
    run = case.run("undo")
    case.expect(run.status == 0, "undo: %d: %s", run.status, run.err)
    case.expect(case.node.snapshot() == before, "left: %s",
                differences(before, case.node.snapshot()))


def made_and_changed(case):
    vendor(case)
    case.fix()
    case.replace(MADE, b"[Service]\n", b"[Service]\nNice=3\n")
    case.refused("changed by others since", "--- a" + MADE,
                 "+++ /dev/null", "-Nice=3")


def made_beside_others(case):
    """A folder of ours that is in use stays."""
    vendor(case)
    case.fix()
    other = os.path.dirname(MADE) + "/50-other.conf"
    case.write(other, "[Service]\nNice=3\n")
    run = case.run("undo")
    case.expect(run.status == 0, "undo: %d: %s", run.status, run.err)
    case.expect(os.listdir(case.node.root + os.path.dirname(MADE))
                == ["50-other.conf"], "the folder")


# --- the records

def copy_gone(case):
    case.fix()
    folder = case.node.root + STATE + "/" + case.records()[0]
    for name in os.listdir(folder):
        if name != "manifest.json":
            os.unlink(os.path.join(folder, name))
    case.refused("is not there or not what was kept")


def copy_changed(case):
    case.fix()
    case.write(STATE + "/" + case.records()[0] + "/0", "[Service]\n")
    case.refused("is not there or not what was kept")


MISFIT = "its copy does not fit the record"


def made_up(case):
    """tests/records: edits of a fix, changed at random. They would write
    behind the file's end, and must not, whatever stands there now."""
    old = case.node.read(DROPIN)
    case.fix()
    left = case.node.read(DROPIN)
    shutil.rmtree(case.node.root + STATE)
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "records")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            record = file.read()
        own = STATE + "/" + json.loads(record)["id"]
        case.write(own + "/manifest.json", record)
        case.write(own + "/0", old)
        case.write(own + "/1", case.node.read(CONFIG).replace(
            KEY + b": true", KEY + b": false"))
        for now in (left, left + b"# theirs\n", b"# theirs\n" + left):
            case.write(DROPIN, now)
            case.refused(MISFIT)


def change_edits(case, change):
    """CHANGE is called with the edits of the one file of the record."""
    path = STATE + "/" + case.records()[0] + "/manifest.json"
    record = json.loads(case.node.read(path))
    change(record["files"][0]["edits"])
    case.write(path, json.dumps(record))


def edit_moved(case):
    """It lies in the file, and is another place than the fix's."""
    def move(edits):
        edits[0]["offset"] += 1
    case.fix()
    change_edits(case, move)
    case.refused(MISFIT)


def edit_longer(case):
    def lengthen(edits):
        edits[0]["length"] += 1
    case.fix()
    case.write(DROPIN, case.node.read(DROPIN) + b"# theirs\n")
    change_edits(case, lengthen)
    case.refused(MISFIT)


def edit_twice(case):
    case.fix()
    change_edits(case, lambda edits: edits.append(dict(edits[0])))
    case.refused(MISFIT)


def edits_unsorted(case):
    def add(edits):
        edits.append({"offset": 0, "length": 1, "text": ""})
    case.fix()
    change_edits(case, add)
    case.refused(MISFIT)


def made_otherwise(case):
    """The file that was made is not the one that its record tells of."""
    def other(edits):
        edits[0]["text"] += "#"
    vendor(case)
    case.fix()
    change_edits(case, other)
    case.refused(MISFIT)


def interrupted(case, change):
    """recover, behind a run whose record CHANGE has spoilt: not a word of
    anything that was put back, and all stays for who can tell."""
    case.fix()
    own = STATE + "/" + case.records()[0]
    record = json.loads(case.node.read(own + "/manifest.json"))
    record["state"] = "committed"
    change(record)
    case.write(own + "/manifest.json", json.dumps(record))
    case.write(STATE + "/pending", "")
    before = case.node.snapshot()
    for words in (("recover",), ("recover", record["id"]), ("fix",),
                  ("undo",)):
        run = case.run(*words)
        text = run.out + run.err
        case.expect(run.status == 4 and "incomplete" in text
                    and "put back" not in run.out, "%s: %d: %s", words,
                    run.status, text)
    case.expect(case.node.snapshot() == before, "changed: %s",
                differences(before, case.node.snapshot()))
    case.expect(os.path.exists(case.node.root + STATE + "/pending")
                and os.path.exists(case.node.root + own + "/0"),
                "the old file is not kept")


def interrupted_fix(case):
    """undo of a fix that was killed: the recovery is what was asked for."""
    for words in ((), ("1",), ("-q",)):
        before = case.node.snapshot()
        case.fix()
        own = STATE + "/" + case.records()[0]
        record = json.loads(case.node.read(own + "/manifest.json"))
        case.write(own + "/manifest.json",
                   json.dumps(dict(record, state="committed")))
        case.write(STATE + "/pending", "")
        run = case.run("undo", "-n")
        case.expect(run.status == 0 and "would be reverted first" in run.out,
                    "-n: %d: %s", run.status, run.out)
        run = case.run("undo", *words)
        case.expect(run.status == 0 and ("-q" in words or run.out.startswith(
            "UNDONE  %s\n" % record["id"])), "%s: %d: %s", words, run.status,
                    run.out)
        case.history("undone", "refused")
        case.expect(not differences(before, case.node.snapshot()),
                    "%s: not all is old", words)
        shutil.rmtree(case.node.root + STATE)


def interrupted_without_files(case):
    interrupted(case, lambda record: record.update(files=[]))


def interrupted_without_edits(case):
    interrupted(case, lambda record: record["files"][0].pop("edits"))


def interrupted_without_hash(case):
    interrupted(case, lambda record: record["files"][0].pop("after"))


def foreign(case):
    """A clone of a machine undoes nothing of the other one's."""
    case.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    case.fix()
    case.write("/etc/machine-id", "fedcba9876543210fedcba9876543210\n")
    before = case.node.snapshot()
    run = case.run("undo")
    case.expect(run.status == 4 and "another machine" in run.out,
                "undo: %d: %s", run.status, run.out)
    case.expect(case.node.snapshot() == before, "something was changed")
    case.history("kept", "foreign")


def unknown(case):
    case.fix()
    run = case.run("undo", "20200101T000000.000000Z-00000000")
    said = "there is no fix 20200101T000000.000000Z-00000000: 'kubelet-remedy " \
        "history' lists them\n"
    case.expect((run.status, run.out, run.err) ==
                (1, "NOTHING TO UNDO  " + said, ""),
                "undo: %d: %s%s", run.status, run.out, run.err)
    case.run("undo")
    run = case.run("undo", "2")
    case.expect((run.status, run.out, run.err) == (
        1, "NOTHING TO UNDO  there is no fix 2: it is an undo; a fix makes the "
        "change again\n", ""), "an undo: %d: %s%s", run.status, run.out,
                run.err)
    run = case.run("undo", "-q", "20200101T000000.000000Z-00000000")
    case.expect((run.status, run.out, run.err) == (1, "", "error: " + said),
                "undo -q: %d: %s%s", run.status, run.out, run.err)


def ended(case):
    """A fix that stands no more, by the word that history has for its end."""
    case.fix()
    state = case.node.root + "/var/lib/kubelet-remedy"
    run_id, = [name for name in os.listdir(state) if "Z-" in name]
    path = os.path.join(state, run_id, "manifest.json")
    with open(path, encoding="utf-8") as file:
        kept = file.read()
    for word, by_hand, said in (("put-back", False, "rolled back"),
                                ("undone", False, "rolled back"),
                                ("undone", True, "undone")):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(dict(json.loads(kept), state=word, by_hand=by_hand), file)
        run = case.run("undo", run_id)
        case.expect("has already been %s\n" % said in run.out,
                    "undo of %s: %d: %s%s", word, run.status, run.out, run.err)


def put_back(case, *words):
    """A fix that came to be put back, as its record has it."""
    before = {path: case.node.read(path) for path in (CONFIG, DROPIN)}
    case.fix(*words)
    for path, data in before.items():
        case.write(path, data)
    top = case.node.root + STATE + "/" + case.records()[-1] + "/manifest.json"
    with open(top, encoding="utf-8") as file:
        record = json.load(file)
    record.update(state="put-back", by_hand=False, reason="kubelet ended")
    with open(top, "w", encoding="utf-8") as file:
        json.dump(record, file)


def repeat_refused(case):
    """What is to be run in the end stands there once, with all its options."""
    put_back(case)
    for words, want in (
            ((), "fix --retry"), (("--wait=9",), "fix --retry --wait=9"),
            (("-n",), "fix -n --retry"),
            (("-n", "--control=makeIPTablesUtilChains"),
             "fix -n --retry --control=makeIPTablesUtilChains")):
        for quiet in ((), ("-q",)) if "-n" not in words else ((),):
            run = case.run("fix", *words, *quiet)
            text = (run.err if quiet else run.out).splitlines()
            want_line = "next: correct the cause, then run: kubelet-remedy " \
                "%s --root=%s" % (want, case.node.root)
            case.expect(run.status == 4 and text[-1].replace("# ", "", 1)
                        .startswith(want_line) and text[-1].count(
                            "kubelet-remedy") == 1, "fix %s: %d: %s%s", words,
                        run.status, run.out, run.err)


def set_refused(case):
    """Of several none of which is to blame one can be left out."""
    case.replace(CONFIG, KEY, b'"readOnlyPort": 10255, ' + KEY)
    two = "--control=makeIPTablesUtilChains,readOnlyPort"
    put_back(case, two)
    run = case.run("fix", two)
    case.expect(run.status == 4 and run.out.splitlines()[-1] ==
                "next: leave out the control at fault with --skip=NAME, or "
                "correct the cause, then run: kubelet-remedy fix --retry %s "
                "--root=%s" % (two, case.node.root), "fix: %d: %s%s", run.status,
                run.out, run.err)
    run = case.run("fix", two, "--skip=readOnlyPort")
    case.expect(run.status == 0, "--skip: %d: %s%s", run.status, run.out, run.err)


def who_redoes(case):
    """What undo says of a later fix is what becomes of it."""
    case.fix()
    run = case.run("undo")
    case.expect([l for l in run.out.splitlines() if l.startswith("  later ")] == [
        "  later     another 'kubelet-remedy fix' makes the change again; "
        "kubelet-remedy.service does not"], "%s", run.out)
    run = case.run("fix", "--restart=never")
    case.expect(run.status == 4, "the unit's: %d: %s", run.status, run.out)
    case.fix()


def undo_is_taken(case):
    """The command that undoes is one that undo takes, whatever the fix was
    given."""
    for words in (("--kubelet-version=1.30",),
                  ("--kubelet-version=1.30", "--control=mode:config"),
                  ("--kubelet-version=1.30", "--config=" + CONFIG),
                  ("--explicit", "--restart=never", "--wait=9",
                   "--no-persist", "--control=readOnlyPort")):
        os.chmod(case.node.root + CONFIG, 0o644)
        run = case.run("fix", *words)
        line, = [l for l in run.out.splitlines() if "  to undo   " in l]
        undo = line.split()[3:]
        case.expect(undo[0] == "undo" and run.status == 0, "%s: %d: %s", words,
                    run.status, run.out)
        again = Run([case.program, *undo])
        case.expect(again.status == 0, "%s: %s: %d: %s", words, undo,
                    again.status, again.err)


def named(case):
    """The first of two; the second one after it finds its edit gone."""
    old = case.node.read(DROPIN)
    case.fix()
    case.replace(DROPIN, b"[Service]\n",
                 b"[Service]\nEnvironment=\"KUBELET_KUBEADM_ARGS=--v=1\"\n")
    first = case.records()[0]
    case.replace(CONFIG, KEY + b": true", KEY + b": false")
    case.fix()
    run = case.run("undo", first)
    case.expect(run.status == 0, "undo: %d: %s%s", run.status, run.out,
                run.err)
    case.expect(FLAG.encode() in case.node.read(DROPIN), "not put back: %r",
                old)
    case.expect(KEY + b": true" in case.node.read(CONFIG),
                "the other fix was undone, too")
    run = case.run("undo", first)
    case.expect(run.status == 1 and "has already been" in run.out,
                "again: %d: %s", run.status, run.out)


PORT = "--read-only-port=10255"
IDLE = "--streaming-connection-idle-timeout=0"


def two_fixes(case, flags, config=b""):
    """One control, then another; both have a flag in the one variable. The
    ids."""
    case.write(DROPIN, "[Service]\nEnvironment='KUBELET_ARGS=%s'\n" % flags)
    case.replace(CONFIG, KEY, config + KEY)
    case.fix("--control=readOnlyPort")
    case.fix("--control=streamingConnectionIdleTimeout")
    records = case.records()
    case.expect(len(records) == 2, "records: %s", records)
    return records


def in_any_order(case):
    """Every byte that a fix changed comes back, whichever goes first."""
    clean = case.node.root + ".clean"
    shutil.copytree(case.node.root, clean, symlinks=True)
    for flags in (PORT + " " + IDLE + " --v=2", "--v=2 " + PORT + " " + IDLE,
                  "--v=2 " + IDLE + " --node-ip=10.0.0.1 " + PORT,
                  PORT + " --v=2 " + IDLE):
        for order in ((0, 1), (1, 0)):
            shutil.rmtree(case.node.root)
            shutil.copytree(clean, case.node.root, symlinks=True)
            ids = two_fixes(case, flags, b'"readOnlyPort": 10255, ')
            for at in order:
                run = case.run("undo", "-n", ids[at])
                case.expect(run.status == 0 and run.out.splitlines()[-1]
                            .startswith("# next: kubelet-remedy undo %s --root="
                                        % ids[at]),
                            "undo -n %s: %d: %s%s", ids[at], run.status,
                            run.out, run.err)
                run = case.run("undo", ids[at])
                case.expect(run.status == 0, "%s: %s: undo: %d: %s%s", flags,
                            order, run.status, run.out, run.err)
                now = case.node.read(DROPIN).decode()
                case.expect((PORT in now, IDLE in now)
                            == (at == 0 or at == order[1],
                                at == 1 or at == order[1]),
                            "%s: %s: %d: %s", flags, order, at, now)
            case.expect("KUBELET_ARGS=%s'" % flags in now, "%s: %s: %s",
                        flags, order, now)
            case.expect(b'"readOnlyPort": 10255' in case.node.read(CONFIG),
                        "the file is not as before")
    shutil.rmtree(clean)


def by_a_later_fix(case):
    """The words next to the cut were cut, too, so that it has no place: it is
    refused as a whole, and the file that could go back is shown."""
    first, second = two_fixes(case, IDLE + " " + PORT + " --v=2",
                              b'"readOnlyPort": 10255, ')
    before = case.node.snapshot()
    for words in ((), ("-n",)):
        run = case.run("undo", *words, first)
        text = run.out + run.err
        case.expect(run.status == 4 and "the later fix %s changed" % second
                    in text and "+++ b" + CONFIG in run.out,
                    "undo %s: %d: %s", words, run.status, text)
        case.expect("next: kubelet-remedy %s --root=%s" % (
            " ".join(["undo", *words, second]), case.node.root) in
            run.out.splitlines()[-1], "%s: %s", words, run.out)
    case.expect(case.node.snapshot() == before, "changed: %s",
                differences(before, case.node.snapshot()))
    _, got = case.json("history", "history")
    case.expect([t["undo"] for t in got["transactions"]]
                == ["refused", "possible"], "history: %s", got)
    for one in (second, first):
        run = case.run("undo", one)
        case.expect(run.status == 0, "undo: %d: %s%s", run.status, run.out,
                    run.err)
    case.expect("KUBELET_ARGS=%s %s --v=2'" % (IDLE, PORT)
                in case.node.read(DROPIN).decode(), "not as before")


def same_bytes_twice(case):
    """Between two fixes the flag was written again by hand: both left the same
    bytes, and the later one goes first."""
    text = "[Service]\nEnvironment='KUBELET_ARGS=%s'\n"
    for again, rest in (("--v=2 " + FLAG, 1), (FLAG + " --v=2", 4)):
        shutil.rmtree(case.node.root + STATE, ignore_errors=True)
        case.write(DROPIN, text % ("--v=2 " + FLAG))
        case.fix()
        case.write(DROPIN, text % again)
        case.fix()
        ids = case.records()
        for one, status in ((ids[0], 4), (ids[1], 0), (ids[0], rest)):
            run = case.run("undo", one)
            case.expect(run.status == status, "%r: undo %d: %d: %s%s", again,
                        ids.index(one) + 1, run.status, run.out, run.err)
            case.expect((status, one) != (4, ids[0]) or rest == 4 or
                        "next: kubelet-remedy undo " + ids[1] in run.out, "%s",
                        run.out)
        case.expect(case.node.read(DROPIN).decode() == text % again, "%s",
                    case.node.read(DROPIN))


def later_gone_by_hand(case):
    """The bytes are ours since others took a later fix back: it is not in the
    way."""
    first, second = two_fixes(case, PORT + " --v=2 " + IDLE)
    case.run("undo", second)
    ours = case.node.read(DROPIN)
    case.fix("--control=streamingConnectionIdleTimeout")
    case.write(DROPIN, ours)
    run = case.run("undo", first)
    case.expect(run.status == 0 and PORT.encode() in case.node.read(DROPIN),
                "undo: %d: %s%s", run.status, run.out, run.err)


def by_short_names(case):
    """A fix is named by its number or by the begin of its id; the number of
    an undo is that of no fix."""
    first, second = two_fixes(case, IDLE + " --v=2 " + PORT)
    common = os.path.commonprefix([first, second])
    for word, status in ((common, 1), ("3", 1), ("0", 1), ("", 1),
                         ("x", 1), (common + second[len(common)], 0),
                         ("3", 1), ("1", 0), ("1", 1), ("4", 1)):
        run = case.run("undo", word)
        case.expect(run.status == status, "undo %r: %d: %s%s", word, run.status,
                    run.out, run.err)
        if word == common:
            case.expect("more than one fix begins with" in run.out, "%s",
                        run.err)
    _, got = case.json("history", "history")
    case.expect([(t["kind"], t["outcome"], t["id"])
                 for t in got["transactions"]]
                == [("fix", "undone", first), ("fix", "undone", second),
                    ("undo", "undone", second), ("undo", "undone", first)],
                "history: %s", got)


def as_a_table(case):
    """One line a fix and an undo, under a header, by time; the star is at what
    undo takes."""
    run = case.run("history")
    case.expect(run.out == "no fix was made on this node\n", "%r", run.out)
    ids = two_fixes(case, IDLE + " " + PORT + " --v=2")
    when = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \S+"
    first, second = ("fix ", 0), ("fix ", 1)
    for star, rows in (
            (1, ((*first, "fixed", "refused"), (*second, "fixed", "possible"))),
            (0, ((*first, "fixed", "possible"), (*second, "undone", "no"),
                 ("undo", 1, "undone", "no"))),
            (None, ((*first, "undone", "no"), (*second, "undone", "no"),
                    ("undo", 1, "undone", "no"),
                    ("undo", 0, "undone", "no")))):
        run = case.run("history")
        lines = run.out.splitlines()
        case.expect(re.match(r"   #  TIME +KIND  CONTROLS +OUTCOME  UNDO$",
                             lines[0]), "header: %s", run.out)
        table = [l for l in lines if re.match(r"[ *]  \d  ", l)]
        want = [r"%s  %d  %s  %s  %s +%s +%s$" % (
            r"\*" if i == star else " ", i + 1, when, kind,
            ("readOnlyPort", "streamingConnectionIdleTimeout")[of], *words)
                for i, (kind, of, *words) in enumerate(rows)]
        case.expect(len(table) == len(want)
                    and all(map(re.match, want, table)), "%s", run.out)
        case.expect(["      " + ids[row[1]] for row in rows] ==
                    [l for l in lines if "Z-" in l], "ids: %s", run.out)
        case.expect((star is None) == ("what 'kubelet-remedy undo' puts back"
                                       not in run.out), "star: %s", run.out)
        _, got = case.json("history", "history")
        case.expect([(t["number"], t["kind"]) for t in got["transactions"]]
                    == [(i + 1, row[0].strip()) for i, row in enumerate(rows)],
                    "numbers: %s", got)
        case.run("undo")


def forget_numbers(case):
    """The records become those of an older version. The first of them."""
    for one in reversed(case.records()):
        path = case.node.root + STATE + "/" + one + "/manifest.json"
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        for member in ("number", "undone_number", "undoes"):
            del record[member]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(record, file)
    return record


def a_fix_between(case):
    """An undo stands behind what was made before it, by its time where its record
    has no number yet; one by a version that did not note it has no row."""
    ids = two_fixes(case, IDLE + " " + PORT + " --v=2")
    case.run("undo", "2")
    case.run("undo")
    record = forget_numbers(case)
    top = case.node.root + STATE + "/" + ids[0] + "/manifest.json"
    for usec, want in ((record["undone_usec"], "1 2 -2 -1"),
                       (record["time_usec"] + 1, "1 -1 2 -2"),
                       (1, "1 -1 2 -2"), (2**53, "1 2 -2 -1"),
                       (None, "1 2 -2")):
        with open(top, "w", encoding="utf-8") as file:
            json.dump({**record, "undone_usec": usec}, file)
        _, got = case.json("history", "history")
        case.expect(" ".join("-" * (t["kind"] == "undo")
                             + str(ids.index(t["id"]) + 1)
                             for t in got["transactions"]) == want,
                    "%s: %s", usec, got)


def partly(case):
    """What a fix leaves is in the history."""
    case.write(CONFIG, case.node.read(CONFIG).replace(
        b"{", b'{"readOnlyPort": 10255, "podPidsLimit": -1,', 1))
    run = case.run("fix", "--control=makeIPTablesUtilChains,podPidsLimit")
    lines = run.out.splitlines()
    case.expect(lines[0].startswith("PARTLY FIXED  ") and len(lines[0]) <= 80,
                "first line: %s", run.out)
    case.expect(lines[-1].startswith(
        "next: kubelet-remedy fix -n --control=podPidsLimit "
        "--set=podPidsLimit=VALUE --root="), "last line: %s", run.out)
    case.run("fix", "--control=readOnlyPort")
    _, got = case.json("history", "history")
    case.expect([t["outcome"] for t in got["transactions"]]
                == ["partly-fixed", "fixed"], "history: %s", got)
    case.run("undo", "1")
    _, got = case.json("history", "history")
    case.expect([t["outcome"] for t in got["transactions"]]
                == ["undone", "fixed", "undone"], "history: %s", got)


def many_controls(case):
    """A long list of controls is cut."""
    case.fix()
    top = case.node.root + STATE + "/" + case.records()[0] + "/manifest.json"
    with open(top, encoding="utf-8") as file:
        record = json.load(file)
    record["controls"] = ["readOnlyPort"] * 3 + ["authentication.anonymous"] * 3
    record["values"] = ["0"] * 6
    with open(top, "w", encoding="utf-8") as file:
        json.dump(record, file)
    out = case.run("history").out
    case.expect("  readOnlyPort, readOnlyPort, readOnlyPort and 3 more  " in out,
                "%s", out)


def two_controls(case):
    """One in each file, of one fix."""
    case.write(CONFIG, case.node.read(CONFIG).replace(
        b"{", b'{"readOnlyPort": 10255,', 1))
    case.fix("--control=makeIPTablesUtilChains,readOnlyPort")


def other_value(case):
    """Each control is proved, not only the first: others have set the second
    one at another place since."""
    two_controls(case)
    case.replace(DROPIN, b"KUBELET_ARGS=", b"KUBELET_ARGS=--read-only-port=1 ")
    case.write("/etc/systemd/system/kubelet.service.d/95-more.conf",
               case.node.read(DROPIN))
    case.replace(DROPIN, b"--read-only-port=1 ", b"")
    case.refused("readOnlyPort would not be 10255 as before the fix, but 1: "
                 "other changes were made since", "--- a" + CONFIG,
                 known="possible")


def each_value(case):
    """What every control has then, in text and JSON, and which edit is whose."""
    two_controls(case)
    run, got = case.json("fix", "undo", "-n")
    case.expect(sorted(e["control"] for c in got["changes"] for e in c["edits"])
                == ["makeIPTablesUtilChains", "readOnlyPort"], "json: %s",
                got["changes"])
    case.expect([(c["name"], c["verdict"]) for c in got["after"]["controls"]]
                == [("makeIPTablesUtilChains", "fail"),
                    ("readOnlyPort", "fail")], "json: %s",
                got["after"]["reason"])
    run = case.run("undo", "-n")
    case.expect(": readOnlyPort: change " in run.out, "undo -n: %s", run.out)


def older_record(case):
    """One that knows the first control's state alone is undone by that."""
    two_controls(case)
    path = STATE + "/" + case.records()[0] + "/manifest.json"
    record = json.loads(case.node.read(path))
    del record["values"]
    for file in record["files"]:
        for edit in file["edits"]:
            del edit["control"]
    case.write(path, json.dumps(record))
    run = case.run("undo")
    case.expect(run.status == 0 and b"10255" in case.node.read(CONFIG),
                "undo: %d: %s%s", run.status, run.out, run.err)


def mode_by_a_later_fix(case):
    """The later fix of the same mode goes first, and is named."""
    full = case.node.root + CONFIG
    os.chmod(full, 0o666)
    case.fix("--control=mode:config")
    first = case.records()[0]
    path = STATE + "/" + first + "/manifest.json"
    record = json.loads(case.node.read(path))
    # another edition left more
    record["files"][0]["mode"]["to"] = "0644"
    case.write(path, json.dumps(record))
    os.chmod(full, 0o644)
    case.fix("--control=mode:config")
    second = case.records()[1]
    run = case.run("undo", first)
    text = run.out + run.err
    case.expect(run.status == 4 and "others" not in text
                and "the later fix %s changed its mode or owner" % second
                in text and run.out.splitlines()[-1].startswith(
                    "next: kubelet-remedy undo %s " % second),
                "undo: %d: %s", run.status, text)
    _, got = case.json("history", "history")
    case.expect([t["undo"] for t in got["transactions"]]
                == ["refused", "possible"], "history: %s", got)
    run = case.run("undo")
    case.expect(run.status == 0 and mode_of(case, CONFIG) == 0o644
                and "mode:config is 0644 now" in run.out,
                "undo: %d: %s%s", run.status, run.out, run.err)
    run = case.run("undo", first)
    case.expect(run.status == 0 and mode_of(case, CONFIG) == 0o666,
                "undo: %d: %s%s", run.status, run.out, run.err)


def what_holds(case):
    """An undo ends with what the disk has now, and with what shows it."""
    case.fix()
    run = case.run("undo")
    end = "next: kubelet-remedy audit --root=%s\n" % case.node.root
    case.expect(run.out.split("\n")[1] == "  kubelet would start with "
                "makeIPTablesUtilChains = false now" and run.out.endswith(end),
                "undo: %s", run.out)
    case.fix()
    run, got = case.json("fix", "undo")
    case.expect(got.get("reason") == "kubelet would start with "
                "makeIPTablesUtilChains = false now", "reason: %s", got)
    case.write(CONFIG, case.node.read(CONFIG).replace(
        b"{", b'{"readOnlyPort": 10255,', 1))
    case.fix("--control=readOnlyPort,makeIPTablesUtilChains")
    run = case.run("undo")
    for line in ("  the files are as they were before the fix\n",
                 "  now       fail  4.2.4 readOnlyPort: 10255\n",
                 "  now       fail  4.2.6 makeIPTablesUtilChains: false\n",
                 "next: kubelet-remedy audit --control=readOnlyPort,"
                 "makeIPTablesUtilChains --root=%s\n" % case.node.root):
        case.expect(line in run.out, "%snot in: %s%s", line, run.out, run.err)


def clock_went_back(case):
    """The first fix of a node may be of before it has asked for the time."""
    case.fix()
    first = "20990101T000000.999999Z-ffffffff"
    top = case.node.root + STATE + "/"
    os.rename(top + case.records()[0], top + first)
    case.replace(CONFIG, KEY + b": true", KEY + b": false")
    case.fix()
    records = case.records()
    case.expect(records[0] == first
                and records[1].startswith("20990101T000001.000000Z-"),
                "records: %s", records)
    _, got = case.json("history", "history")
    case.expect(not got["transactions"][1]["time"].startswith("2099"),
                "the time is not the clock's: %s", got)
    run = case.run("undo")
    case.expect(run.status == 0 and KEY + b": false" in case.node.read(CONFIG),
                "undo is not of the last one: %d: %s%s", run.status, run.out,
                run.err)


def numbers(case):
    """The number of each row of the history, by kind and id."""
    _, got = case.json("history", "history")
    return {(t["kind"], t["id"]): t["number"] for t in got["transactions"]}


def last_ten(case):
    """Of those that were put back by hand older ones are pruned."""
    old = case.node.read(DROPIN)
    for _ in range(13):
        case.fix()
        kept = case.records()
        case.write(DROPIN, old)
    case.expect(len(kept) == 11, "%d records are kept", len(kept))
    case.expect(numbers(case) == {("fix", one): 3 + i
                                  for i, one in enumerate(kept)},
                "history: %s", numbers(case))
    case.fix("--retry")
    oldest = case.records()[0]
    run = case.run("undo", oldest)
    case.expect(run.status == 4 and "next: kubelet-remedy undo "
                + case.records()[-1] in run.out, "undo of the oldest: %d: %s%s",
                run.status, run.out, run.err)


def standing_stay(case):
    """A fix that can be undone, or could be after a later one, is kept, whatever
    comes after it; no number is given twice."""
    case.write(DROPIN, "[Service]\nEnvironment='KUBELET_ARGS=%s --v=2'\n" % PORT)
    case.replace(CONFIG, KEY, b'"seccompDefault": false, ' + KEY)
    case.fix("--control=readOnlyPort")
    for limit in (1000, 2000):      # the second changes the words of the first
        case.fix("--control=podPidsLimit", "--set=podPidsLimit=%d" % limit)
    standing, seen = case.records(), {}
    for _ in range(13):
        case.fix("--control=seccompDefault", "--kubelet-version=1.30")
        seen.update(numbers(case))
        run = case.run("undo")
        case.expect(run.status == 0, "undo: %d: %s", run.status, run.err)
        now = numbers(case)
        case.expect(all(seen.get(row, n) == n for row, n in now.items()),
                    "a number has changed: %s, %s", seen, now)
        seen.update(now)
    case.expect(len(set(seen.values())) == len(seen) == 3 + 26,
                "a number was given twice: %s", seen)
    case.expect(case.records()[:3] == standing and len(case.records()) == 14,
                "records: %s", case.records())
    case.expect([numbers(case)["fix", one] for one in standing] == [1, 2, 3],
                "numbers: %s", numbers(case))
    for one in ("3", "2", "1"):
        run = case.run("undo", one)
        case.expect(run.status == 0, "undo %s: %d: %s%s", one, run.status,
                    run.out, run.err)
    case.expect(PORT.encode() in case.node.read(DROPIN)
                and b"podPidsLimit" not in case.node.read(CONFIG), "not undone")


def numbers_of_older_records(case):
    """They have none, and get those that they had when the first one was noted,
    also where others between them go."""
    case.write(DROPIN, "[Service]\nEnvironment='KUBELET_ARGS=%s --v=2'\n" % PORT)
    case.replace(CONFIG, KEY, b'"seccompDefault": false, ' + KEY)
    for n in range(12):
        case.fix("--control=seccompDefault", "--kubelet-version=1.30")
        if n == 5:
            case.fix("--control=readOnlyPort")
            standing = case.records()[-1]
        case.run("undo", case.records()[-1 - (n == 5)])
    forget_numbers(case)
    before = numbers(case)
    case.expect(sorted(before.values()) == list(range(1, 1 + len(before))),
                "older ones: %s", before)
    for _ in range(3):
        case.fix("--control=seccompDefault", "--kubelet-version=1.30")
        case.run("undo")
    now = numbers(case)
    case.expect(all(before.get(row, n) == n for row, n in now.items())
                and ("fix", standing) in now and len(set(now.values()))
                == len(now), "%s, then %s", before, now)


def config_named(case):
    """The record says which file was named: recovery has no other way."""
    case.write("/etc/other.json",
               case.node.read(CONFIG).replace(KEY + b": true",
                                              KEY + b": false"))
    case.fix("--config=/etc/other.json")
    with open(case.node.root + STATE + "/" + case.records()[0]
              + "/manifest.json", encoding="utf-8") as file:
        record = json.load(file)
    case.expect(record.get("config") == "/etc/other.json", "record: %s",
                record)
    run = case.run("undo", "-n")
    case.expect(run.status == 0 and " --config=/etc/other.json" in run.out,
                "undo -n: %d: %s%s", run.status, run.out, run.err)
    run = case.run("undo")
    case.expect(run.status == 0 and KEY + b": false" in case.node.read(
        "/etc/other.json"), "undo: %d: %s%s", run.status, run.out, run.err)


def unit_named(case):
    """An undo need not be told, either."""
    top = case.node.root + "/etc/systemd/system/"
    for name in ("kubelet.service", "kubelet.service.d"):
        os.rename(top + name, top + name.replace("kubelet", "node-agent"))
    before = case.node.snapshot()
    case.fix("--unit=node-agent.service")
    run = case.run("undo")
    case.expect(run.status == 0, "undo: %d: %s%s", run.status, run.out,
                run.err)
    case.expect(case.node.snapshot() == before, "left: %s",
                differences(before, case.node.snapshot()))


# --- the edition that the fix was judged by

def by_its_edition(case):
    ones = ("--control=makeIPTablesUtilChains",)
    for words, edition, number in (
            (("--benchmark=eks-1.2",), "eks-1.2.0", "3.2.7"),
            (("--benchmark",), "cis-1.12", "4.2.6"),
            ((), None, "4.2.6"),
            # a record of another version
            (("--benchmark=eks-1.2",), "eks-99", "4.2.6")):
        case.fix(*ones, *words)
        path = "%s/%s/manifest.json" % (STATE, case.records()[-1])
        record = json.loads(case.node.read(path))
        if edition == "eks-99":
            record["edition"] = edition
            case.write(path, json.dumps(record))
        case.expect(record["edition"] == edition, "the record: %s", record)
        run = case.run("undo", "-n")
        case.expect(number + "  makeIPTables" in run.out, "%s: %s", words,
                    run.out)
        _, got = case.json("fix", "undo")
        case.expect(number == got["after"]["controls"][0]["id"], "%s: %s",
                    words, got["after"]["controls"][0])
        if edition == "eks-1.2.0":
            case.expect(got["after"]["benchmark"] == {
                "name": "CIS Amazon EKS", "edition": "1.2.0"}, "%s",
                        got["after"]["benchmark"])


# --- another mode or owner

def mode_of(case, path):
    return os.stat(case.node.root + path).st_mode & 0o7777


def with_mode(case, state="kept"):
    """No fix chooses such a change yet: here it is one of another file, in the
    record of one that did."""
    full = case.node.root + CONFIG
    os.chmod(full, 0o644)
    case.fix()
    info = os.stat(full)
    owner = "%d:%d" % (info.st_uid, info.st_gid)
    os.chmod(full, 0o600)
    path = "%s%s/%s/manifest.json" % (case.node.root, STATE,
                                      case.records()[-1])
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    for f in record["files"]:
        f.update(mode=None, owner=None, ctime_usec=None)
    digest = hashlib.sha256(case.node.read(CONFIG)).hexdigest()
    record["files"].append({
        "path": CONFIG, "copy": None, "folder": None, "removed": False,
        "before": digest, "after": digest, "temp": None, "back": None,
        "edits": [], "mode": {"from": "0644", "to": "0600"},
        "owner": {"from": owner, "to": owner}, "ctime_usec": None})
    record["schema"], record["state"] = 2, state
    with open(path, "w", encoding="utf-8") as file:
        json.dump(record, file)
    return path


def mode_beside_bytes(case):
    """Both go back; what is shown is one line that patch passes over."""
    before = case.node.read(DROPIN)
    path = with_mode(case)
    run = case.run("undo", "-n")
    line = "# chmod 0644 %s (0600 now)" % CONFIG
    case.expect(run.status == 0 and line in run.out.splitlines(),
                "undo -n: %d: %s%s", run.status, run.out, run.err)
    case.expect("--- a" + CONFIG not in run.out, "a diff of nothing: %s",
                run.out)
    _, got = case.json("fix", "undo", "-n")
    changes = {c["file"]: c for c in got.get("changes", [])}
    case.expect(set(changes) == {DROPIN, CONFIG}, "json: %s", changes)
    change = changes.get(CONFIG, {})
    case.expect(change.get("mode") == {"from": "0600", "to": "0644"}
                and change.get("diff") == "" and change.get("edits") == []
                and change["owner"] is None, "json: %s", change)
    case.expect(changes.get(DROPIN, {}).get("mode") is None, "json: %s", changes)
    inode = os.stat(case.node.root + CONFIG).st_ino
    case.undone(DROPIN, before)
    case.expect(mode_of(case, CONFIG) == 0o644, "mode: %o",
                mode_of(case, CONFIG))
    info = os.stat(case.node.root + CONFIG)
    case.expect(info.st_ino == inode, "the file is another one")
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    noted = [f["ctime_usec"] for f in record["files"]]
    case.expect(noted[0] is None and noted[1] == info.st_ctime_ns // 1000,
                "ctime %d is not in %s", info.st_ctime_ns // 1000, noted)


def mode_changed_since(case):
    with_mode(case)
    os.chmod(case.node.root + CONFIG, 0o640)
    case.refused("its mode or owner was changed by others since: it has "
                 "0640")


def mode_interrupted(case):
    """The next fix takes that back first."""
    with_mode(case, "committed")
    case.write(STATE + "/pending", "")
    run, got = case.json("history", "history")
    case.expect(run.status == 0
                and got["transactions"][0]["outcome"] == "interrupted",
                "history: %d: %s", run.status, got)
    run = case.run("fix")
    case.expect(run.status == 0, "fix: %d: %s%s", run.status, run.out,
                run.err)
    case.expect(mode_of(case, CONFIG) == 0o644, "mode: %o",
                mode_of(case, CONFIG))
    case.history("kept", "possible")


def mode_lost(case):
    """One that has lost it is no record of one that did less."""
    path = with_mode(case)
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    del record["files"][1]["mode"]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(record, file)
    run = case.run("undo")
    case.expect("is not a complete record" in run.err, "undo: %d: %s%s",
                run.status, run.out, run.err)
    case.expect(mode_of(case, CONFIG) == 0o600, "mode: %o",
                mode_of(case, CONFIG))


KEPT_MAX = 16 << 20  # of one file; a view of all holds 24 MiB


def grow(case, size):
    """CONFIG with its key false has SIZE bytes, for the most part lines."""
    data = case.node.read(CONFIG).rstrip().replace(b": true", b": false")
    case.write(CONFIG, data + b"\n" * (size - len(data)))
    return case.node.read(CONFIG)


def a_large_file(case):
    """The file and its copy together are more than a view of files holds."""
    case.replace(DROPIN, FLAG.encode(), b"")
    for size in ((12 << 20) - 1, (12 << 20) + 1, KEPT_MAX):
        before = grow(case, size)
        case.fix()
        case.history("kept", "possible")
        case.undone(CONFIG, before)


def a_large_file_twice(case):
    """The first of two fixes of it, with lines of others beside them."""
    case.replace(DROPIN, FLAG.encode(), b"")
    before = grow(case, 13 << 20)
    case.fix("--control=readOnlyPort", "--explicit")
    case.fix()
    case.write(CONFIG, case.node.read(CONFIG) + b"\n")
    run = case.run("undo", "1")
    case.expect(run.status == 0, "undo: %d: %s%s", run.status, run.out, run.err)
    want = before.replace(KEY + b": false", KEY + b": true", 1) + b"\n"
    case.expect(case.node.read(CONFIG) == want, "the bytes are others")


def larger_than_is_read(case):
    """What could not be read afterwards is not written."""
    grow(case, KEPT_MAX)
    before = case.node.snapshot()
    run = case.run("fix", "--control=readOnlyPort", "--explicit")
    case.expect(run.status == 4 and "too large" in run.out.lower(),
                "fix: %d: %s%s", run.status, run.out, run.err)
    case.expect(case.node.snapshot() == before, "changed: %s",
                differences(before, case.node.snapshot()))


ROWS = (other_lines, rewritten, rewritten_as_before, rewritten_beside_ours, gone, other_decision,
        twice, one_line, beside_the_key, our_line_changed, made,
        made_and_changed, made_beside_others, copy_gone, copy_changed, made_up,
        edit_moved, edit_longer, edit_twice, edits_unsorted, made_otherwise,
        interrupted_fix, interrupted_without_files, interrupted_without_edits,
        interrupted_without_hash, foreign,
        unknown, ended, named, clock_went_back, in_any_order, by_a_later_fix,
        by_short_names, as_a_table, a_fix_between, partly, many_controls,
        other_value,
        each_value, older_record, mode_by_a_later_fix, what_holds, last_ten,
        config_named, unit_named, mode_beside_bytes, mode_changed_since,
        mode_interrupted, mode_lost, by_its_edition, repeat_refused,
        undo_is_taken, who_redoes, set_refused, same_bytes_twice,
        later_gone_by_hand, a_large_file, a_large_file_twice,
        larger_than_is_read, standing_stay, numbers_of_older_records)


def main():
    program, nodes, schemas = sys.argv[1:4]
    only = sys.argv[4:]
    tap = Tap()
    for row in [r for r in ROWS if not only or r.__name__ in only]:
        with NodeCopy(os.path.join(nodes, NODE)) as node:
            node.give_kubeconfig()
            case = Case(program, Schemas(schemas), node)
            row(case)
            tap.row(row.__name__.replace("_", " "), case.faults)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
