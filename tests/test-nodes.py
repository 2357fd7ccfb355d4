#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""audit and fix on the example nodes, as images.

    test-nodes.py PROGRAM NODES SCHEMAS [NAME...]

audit   The disk view is the value that kubelet would start with: invalid where
        it would not start, unknown where the node is not configured yet. Each
        flag that reaches kubelet is a source at its line, and the text of each
        source is the file's bytes at its offset. Nothing is written.
controls  Each setting of the benchmarks has what was looked up by hand, and the
        winner is a flag, a file or the default as it was found.
fix -n  Nothing is written, and the status is the one of the fix that follows
        (1 where that changes something).
fix     The next audit is true and no byte is changed outside of the edits that
        were announced; or it is refused (4) and nothing is changed. A node that
        is compliant stays untouched; one that is not configured yet gets 3.
        A second fix finds nothing to do.
undo    Each file is as it was, and a second undo has nothing to do.

persist The platform is the one of the table below. What makes a change last is
        written where nodeadm reads it, and on no other node; with
        --no-persist nowhere; elsewhere its text is told.

Where kubelet is no unit of its own (`kubelet_is_a_unit` is false) the audit may
also be unknown and the fix refused or without a verdict.
"""

import json
import os
import sys

from audit_lib import only
from cli_lib import NodeCopy, Run, Tap, differences
from json_schema import Schemas


# by the start of the node's name, the longest one; a node that was made for a
# test says platform_id itself
PLATFORMS = {
    "aks-": "aks", "bottlerocket": "bottlerocket", "cis-text-": None,
    "eks-al2-": "eks-al2", "eks-al2-eksctl-": "eks-eksctl",
    "eks-al2023-": "eks-al2023", "eks-hybrid-": "eks-hybrid",
    "eks-ubuntu-": "eks-ubuntu", "flatcar-": "flatcar", "gke-": "gke",
    "json-": None, "k3s": "k3s", "kops": "kops", "kubeadm-": "kubeadm",
    "kubespray-": "kubespray", "microk8s": "microk8s",
    "no-kubelet-yet": "eks-al2023", "openshift": "openshift",
    "rke2-": "rke2", "talos": "talos",
}
DURABLE = "etc/eks/nodeadm.d/90-kubelet-remedy.yaml"
# nobody writes the files of these anew, or another program owns them
NO_OWNER = (None, "eks-ubuntu", "k3s", "microk8s", "rke2")

# what each setting of the benchmarks has, looked up by hand
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases",
                       "section-node-values.jsonl"), encoding="utf-8") as lines:
    VALUES = {row["node"]: row.get("values", {"readOnlyPort": None})
              for row in map(json.loads, lines)}


def changed_files(before, after):
    """What differs, less the folders that were made on the way to a file."""
    changed = differences(before, after)
    made = [path for path in changed if path not in before
            and any(other.startswith(path + "/") for other in changed)]
    return [path for path in changed if path not in made]


class Check:
    def __init__(self, program, schemas, tree):
        self.program, self.schemas, self.tree = program, schemas, tree
        self.name = os.path.basename(tree)
        with open(os.path.join(tree, "EXPECTED.json"),
                  encoding="utf-8") as file:
            self.want = json.load(file)
        self.faults = []

    def run(self, node, schema, *words):
        run = Run([self.program, *words, "--root=" + node.root,
                   "--output=json"])
        return run.status, run.json(self.schemas, schema, self.faults)

    def fault(self, text, *args):
        self.faults.append(text % args if args else text)

    # --- what EXPECTED.json says ----------------------------------------------

    @property
    def apart(self):
        return self.want.get("kubelet_is_a_unit") is False

    @property
    def unconfigured(self):
        return self.want.get("state") == "unconfigured"

    @property
    def refused(self):
        return (self.want.get("remediation") or {}).get("refuse") is True

    @property
    def state(self):
        if self.want.get("state") in ("unconfigured", "unknown"):
            return "unknown"
        if self.want.get("kubelet_would_start") is False:
            return "invalid"
        return "true" if self.want["effective_on_disk"] else "false"

    @property
    def platform(self):
        if "platform_id" in self.want:
            return self.want["platform_id"]
        fitting = [p for p in PLATFORMS if self.name.startswith(p)]
        if not fitting:
            return "not said"
        return PLATFORMS[max(fitting, key=len)]

    @property
    def persists(self):
        return self.platform == "eks-al2023" and \
            self.want.get("durable") is not False

    # --- audit ----------------------------------------------------------------

    def audit(self, node):
        before = node.snapshot()
        status, got = self.run(node, "audit.json", "audit")
        got = only(got)
        state = got.get("views", {}).get("disk", {}).get("state")

        if state != self.state and not (self.apart and state == "unknown"):
            self.fault("the disk is %s, wanted %s: %s", state, self.state,
                       got.get("reason"))
        self.check_status(status, got)
        if differences(before, node.snapshot()):
            self.fault("audit has written")
        sources = got.get("sources", [])
        self.check_flags(sources)
        self.check_winner(got, sources)
        for source in sources:
            if source["file"]:
                self.check_source(node, source)
        return self.faults

    def check_status(self, status, got):
        statuses = {"pass": 0, "fail": 1, "invalid": 3, "unknown": 3}

        if status != statuses.get(got.get("verdict")):
            self.fault("status %s of verdict %s", status, got.get("verdict"))

    # --- audit --control ------------------------------------------------------

    def controls(self, node):
        """Every setting that somebody looked up by hand on this node."""
        names = VALUES.get(self.name, {})
        if not names:
            return []
        status, got = self.run(node, "audit.json", "audit",
                               "--control=" + ",".join(names))
        self.check_status(status, got)
        for control in got.get("controls", []):
            self.check_value(control, names[control["name"]])
        if [c["name"] for c in got.get("controls", [])] != list(names):
            self.fault("the controls are not those that were asked for")
        return self.faults

    def check_value(self, control, want):
        view = control["views"]["disk"]
        kinds = {"flag": ("flag",), "file": ("config", "config-dir"),
                 "default": ("default",)}
        winners = [s for s in control["sources"] if s["wins"]]
        if not want or "value" not in want and want.get("state") == "invalid":
            if view["state"] != "invalid":
                self.fault("%s is %s, wanted invalid", control["name"],
                           view["state"])
            return
        if self.apart and view["state"] == "unknown":
            return
        if "candidates" in want:
            # the version of some nodes is known
            if view["value"] not in want["candidates"] and \
                    control.get("candidates") != want["candidates"]:
                self.fault("%s is %s, candidates %s, wanted %s",
                           control["name"], view["state"],
                           control.get("candidates"), want["candidates"])
            return
        if (view["state"], view["value"]) != ("value", want["value"]):
            self.fault("%s is %s %r, wanted %r: %s", control["name"],
                       view["state"], view["value"], want["value"],
                       view["reason"])
        if "by" in want and [s["kind"] for s in winners] and \
                winners[0]["kind"] not in kinds[want["by"]]:
            self.fault("%s is decided by %s, wanted %s", control["name"],
                       winners[0]["kind"], want["by"])

    def check_flags(self, sources):
        places = {(s["file"], s["line"]) for s in sources}
        for flag in self.want.get("flag_sources", []):
            place = (flag["file"], flag["line"])
            if flag.get("reaches_kubelet"):
                if place not in places and not self.apart:
                    self.fault("no source at %s:%s", *place)
            elif place in places and not self.apart:
                self.fault("%s:%s does not reach kubelet", *place)
        for path in self.want.get("decoys", []):
            if any(s["file"] == path for s in sources):
                self.fault("%s is not read by kubelet", path)

    def check_winner(self, got, sources):
        """The view names the source that wins, and no other one does."""
        winners = [i for i, s in enumerate(sources) if s["wins"]]
        named = got.get("views", {}).get("disk", {}).get("source")
        if winners != ([] if named is None else [named]):
            self.fault("the disk view names source %s, %s win", named,
                       winners)

    def check_source(self, node, source):
        data = node.read(source["file"])
        text = data[source["offset"]:source["offset"] + source["length"]]
        head = data[:source["offset"]]
        column = source["offset"] - (head.rfind(b"\n") + 1) + 1

        if text != source["text"].encode():
            self.fault("%s:%s: the bytes are %r, the text is %r",
                       source["file"], source["line"], text, source["text"])
        if source["line"] != head.count(b"\n") + 1 or \
                source["column"] != column:
            self.fault("%s: line %s, column %s of offset %s", source["file"],
                       source["line"], source["column"], source["offset"])

    # --- fix ------------------------------------------------------------------

    def preview(self, node):
        before = node.snapshot()
        status, got = self.run(node, "fix.json", "fix", "-n",
                               "--restart=never")
        if differences(before, node.snapshot()):
            self.fault("fix -n has written")
        return status, got

    def fix(self, node):
        preview, planned = self.preview(node)
        before = node.snapshot()
        status, got = self.run(node, "fix.json", "fix", "--restart=never")
        changed = changed_files(before, node.snapshot())

        if preview != (1 if changed else status):
            self.fault("fix -n has ended with %s, fix with %s", preview,
                       status)
        if self.unconfigured:
            self.expect(status == 3, "status %s before it is configured",
                        status)
        elif status == 4:
            self.expect(self.refused or self.apart, "refused: %s",
                        [m["text"] for m in got.get("messages", [])])
            self.expect(got.get("outcome") == "refused", "outcome %s",
                        got.get("outcome"))
        elif self.apart and status == 3:
            pass
        else:
            self.expect(status == 0, "status %s: %s", status, got)
            self.expect(not self.refused or self.state == "true",
                        "this node must be refused")
        if self.unconfigured and self.persists:
            self.expect(changed == [DURABLE], "changed %s", changed)
            self.check_undo(node, before)
            return self.faults
        if status != 0:
            self.expect(not changed, "status %s, but changed: %s", status,
                        changed)
            return self.faults
        self.expect(planned.get("changes") == got.get("changes"),
                    "the preview was another one")
        self.check_changed(node, before, changed, got)
        return self.faults

    def check_changed(self, node, before, changed, got):
        if self.state == "true":
            self.expect(not changed, "a compliant node was changed: %s",
                        changed)
        self.expect(sorted(c["file"].strip("/") for c in got["changes"])
                    == changed, "changed %s", changed)
        for change in got["changes"]:
            path = change["file"].strip("/")
            old = before.get(path, ("file", 0o644, b""))
            self.expect(node.snapshot().get(path)
                        == ("file", old[1], spliced(old[2], change["edits"])),
                        "%s is not its old bytes and the edits", path)
        again = only(self.run(node, "audit.json", "audit")[1])
        self.expect(again.get("views", {}).get("disk", {}).get("state")
                    == "true", "the next audit: %s", again.get("reason"))
        now = node.snapshot()
        status, second = self.run(node, "fix.json", "fix", "--restart=never")
        self.expect(status == 0 and second.get("outcome") == "unchanged"
                    and second.get("changes") == []
                    and not differences(now, node.snapshot()),
                    "a second fix: %s %s", status, second.get("outcome"))
        if changed:
            self.check_undo(node, before)

    # --- what lasts -----------------------------------------------------------

    def persist(self, node):
        before = node.snapshot()
        audit = only(self.run(node, "audit.json", "audit")[1])
        named = audit["node"]["platform"]
        if self.platform != "not said":
            self.expect(named == self.platform, "the platform is %s, wanted %s",
                        named, self.platform)
        status, got = self.run(node, "fix.json", "fix", "--restart=never",
                               "--no-persist")
        self.expect(DURABLE not in differences(before, node.snapshot()),
                    "--no-persist has written it")
        if status == 0 and got["changes"]:
            self.check_advice(got, named)
        self.run(node, "fix.json", "undo", "--restart=never")
        now = node.snapshot()
        status, got = self.run(node, "fix.json", "fix", "--restart=never")
        changed = changed_files(now, node.snapshot())
        self.expect((DURABLE in changed) == (self.persists and bool(changed)),
                    "status %s, changed %s", status, changed)
        if DURABLE in changed:
            self.check_durable(node, got)
        if status == 4 and got["durable"]:
            self.expect(got["durable"]["text"], "no way out is told")
        codes = [m["code"] for m in got["messages"]]
        if "warning" in self.want:
            self.expect(self.want["warning"] in codes, "warnings: %s", codes)
        else:
            self.expect(not {"nodeadm-later", "durable-kept"} & set(codes),
                        "warnings: %s", codes)
        return self.faults

    def check_advice(self, got, named):
        """Who undoes the change is a message, what to put where a text."""
        codes = [m["code"] for m in got["messages"]]
        durable = got["durable"]
        if named in NO_OWNER:
            self.expect(durable is None and "platform-rewrites" not in codes,
                        "nobody writes them anew: %s", durable)
        self.expect(("platform-rewrites" in codes) == bool(durable),
                    "messages %s, durable %s", codes, durable)
        if durable:
            self.expect(durable["text"] and not durable["written"],
                        "durable: %s", durable)

    def check_durable(self, node, got):
        text = node.read("/" + DURABLE).decode()
        flag = any("--make-iptables-util-chains" in edit["text"]
                   for change in got["changes"] if DURABLE in change["file"]
                   for edit in change["edits"])
        caused = any(f.get("reaches_kubelet")
                     for f in self.want.get("flag_sources", []))
        self.expect(got["durable"]["written"], "it is not said to be written")
        self.expect(text.endswith(got["durable"]["text"]), "another text")
        self.expect("      makeIPTablesUtilChains: true\n" in text
                    and text.count("\nkind: NodeConfig\n") == 1,
                    "it holds %r", text)
        self.expect(flag == caused, "flag: %s, the cause: %s", flag, caused)

    def check_history(self, node, state, undo, paths, kinds=("fix",)):
        status, got = self.run(node, "history.json", "history")
        found = got.get("transactions", [])
        self.expect(status == 0 and tuple(t["kind"] for t in found) == kinds,
                    "history: %s %s", status, found)
        for fix in found:
            self.expect((fix["state"], fix["undo"]) == (state, undo),
                        "history: %s", fix)
            self.expect(sorted(p.strip("/") for p in fix["files"]) == paths,
                        "history: %s", fix)

    def check_undo(self, node, before):
        """Every file is back, byte for byte, with its mode; once."""
        fixed = node.snapshot()
        paths = changed_files(before, fixed)
        self.check_history(node, "kept", "possible", paths)
        status, _ = self.run(node, "fix.json", "undo", "-n",
                             "--restart=never")
        self.expect(status == 0 and not differences(fixed, node.snapshot()),
                    "undo -n: status %s", status)
        status, got = self.run(node, "fix.json", "undo", "--restart=never")
        self.expect(status == 0, "undo: status %s, %s", status, got)
        self.expect(not differences(before, node.snapshot()),
                    "undo has not put back %s",
                    differences(before, node.snapshot()))
        self.check_history(node, "undone", "refused", paths, ("fix", "undo"))
        status, _ = self.run(node, "fix.json", "undo", "--restart=never")
        self.expect(status == 1, "a second undo: status %s", status)

    def expect(self, right, text, *args):
        if not right:
            self.fault(text, *args)


def spliced(data, edits):
    for edit in sorted(edits, key=lambda e: -e["offset"]):
        end = edit["offset"] + edit["length"]
        data = data[:edit["offset"]] + edit["text"].encode() + data[end:]
    return data


def no_root(program, schemas, command, status):
    """A root that is not there: no verdict, and an object all the same."""
    faults = []
    run = Run([program, command, "--root=/nonexistent", "--output=json"])
    run.json(schemas, {"undo": "fix"}.get(command, command) + ".json", faults)
    if run.status != status:
        faults.append("status %d, not %d" % (run.status, status))
    return faults


def undo_after_a_boot(program, nodes, schemas, separators, stands):
    """nodeadm has written kubelet's files anew, from our NodeConfig, too. Where
    our words STAND in them as we wrote them, they alone go back; in another
    form the file is nodeadm's, and left alone."""
    tree = os.path.join(nodes, "eks-al2023-nodeadm-dropin")
    written = "etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf"
    with NodeCopy(tree) as node:
        check = Check(program, schemas, tree)
        before = node.snapshot()
        check.run(node, "fix.json", "fix", "--restart=never")
        path = os.path.join(node.root, written)
        config = json.loads(node.read("/" + written))
        check.expect(config["makeIPTablesUtilChains"] is True, "no fix")
        config["maxPods"] = 59
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file, indent=2, separators=separators)
        status, _ = check.run(node, "fix.json", "undo", "--restart=never")
        check.expect(status == 0, "undo: status %s", status)
        now = node.snapshot()
        check.expect(DURABLE in before or DURABLE not in now,
                     "our NodeConfig is still there")
        if stands:
            config["makeIPTablesUtilChains"] = False
        check.expect(node.read("/" + written).decode() == json.dumps(
            config, indent=2, separators=separators),
                     "other bytes of nodeadm's file were changed")
        return check.faults


def main():
    program, nodes, folder = sys.argv[1:4]
    names = sys.argv[4:] or sorted(
        n for n in os.listdir(nodes)
        if os.path.exists(os.path.join(nodes, n, "EXPECTED.json")))
    schemas = Schemas(folder)
    tap = Tap()
    for name in names:
        tree = os.path.join(nodes, name)
        for what in ("audit", "controls", "fix", "persist"):
            with NodeCopy(tree) as node:
                check = Check(program, schemas, tree)
                tap.row("%s: %s" % (name, what), getattr(check, what)(node))
    if not sys.argv[4:]:
        tap.row("undo after a boot: our words stand", undo_after_a_boot(
            program, nodes, schemas, (",", ": "), True))
        tap.row("undo after a boot: another form", undo_after_a_boot(
            program, nodes, schemas, (",", ":"), False))
    for command, status in (("audit", 3), ("status", 3), ("fix", 4),
                            ("undo", 4), ("history", 3)):
        tap.row("no root: " + command,
                no_root(program, schemas, command, status))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
