#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which controls an audit is about, and which of them are waived.

    test-select.py PROGRAM NODES SCHEMAS

Every output is checked against the schema. The rows about waivers need root,
since a file of waivers that is another's is refused.
"""

import datetime
import os
import sys

from cli_lib import NodeCopy, Run, Tap
from json_schema import Schemas

NODE = "eks-al2-flag-false-extra-args"
ONE = "makeIPTablesUtilChains"
PORT = "readOnlyPort"
CONFIG = "etc/kubernetes/kubelet/kubelet-config.json"
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
DAY = datetime.timedelta(days=1)

# name, words, how many controls, some of them with their numbers
SELECTIONS = [
    ("nothing named", [], 1, {ONE: None}),
    ("an edition", ["--benchmark=eks-1.8"], 13,
     {ONE: "3.2.6", "mode:config": "3.1.3", "rotateCertificates": "3.2.8"}),
    ("an older one", ["--benchmark=eks-1.2.0"], 15,
     {ONE: "3.2.7", "protectKernelDefaults": "3.2.6"}),
    ("auto is the platform's", ["--benchmark"], 13, {ONE: "3.2.6"}),
    ("the same by name", ["--benchmark=auto"], 13, {ONE: "3.2.6"}),
    ("another's edition", ["--benchmark=cis-1.12"], 22,
     {ONE: "4.2.6", "tlsCertFile+tlsPrivateKeyFile": "4.2.9"}),
    ("level 1", ["--benchmark=eks-1.8", "--level=1"], 11, {ONE: "3.2.6"}),
    ("level 2 includes 1", ["--benchmark=eks-1.8", "--level=2"], 13, {}),
    ("less one", ["--benchmark=eks-1.8", "--skip=" + ONE], 12, {}),
    ("less two, by number and flag",
     ["--benchmark=eks-1.8", "--skip=3.2.4,event-qps"], 11, {ONE: "3.2.6"}),
    ("by name", ["--control=" + PORT], 1, {PORT: None}),
    ("by flag", ["--control=read-only-port"], 1, {PORT: None}),
    ("by a number that is clear", ["--control=3.2.4"], 1, {PORT: None}),
    ("by number", ["--benchmark=eks-1.2", "--control=3.2.6"], 1,
     {"protectKernelDefaults": "3.2.6"}),
    ("by number of auto", ["--benchmark", "--control=3.2.6,3.2.6"], 1,
     {ONE: "3.2.6"}),
    ("twice the same", ["--control=readOnlyPort,3.2.4,read-only-port"], 1,
     {PORT: None}),
    ("a file", ["--control=mode:config"], 1, {"mode:config": None}),
    ("without a demand", ["--control=tlsMinVersion,healthzPort"], 2,
     {"tlsMinVersion": None}),
]


class Test:
    def __init__(self, program, schemas, tree):
        self.program, self.schemas, self.tree = program, schemas, tree
        self.faults = []

    def audit(self, node, *words):
        run = Run([self.program, "audit", "--root=" + node.root, "-ojson",
                   *words])
        return run, run.json(self.schemas, "audit.json", self.faults)

    def equal(self, got, want, what):
        if got != want:
            self.faults.append("%s: %r, wanted %r" % (what, got, want))

    def taken(self):
        faults, self.faults = self.faults, []
        return faults

    def selection(self, words, count, wanted):
        with NodeCopy(self.tree) as node:
            run, got = self.audit(node, *words)
        controls = {c["name"]: c for c in got.get("controls", [])}
        self.equal(len(controls), count, "how many")
        self.equal({n: controls.get(n, {}).get("id") for n in wanted}, wanted,
                   "numbers")
        demanded = [c["verdict"] for c in controls.values() if c["verdict"]]
        worst = next((v for v in ("fail", "invalid", "unknown")
                      if v in demanded), "pass")
        self.equal((got.get("verdict"), run.status),
                   (worst, {"fail": 1, "pass": 0}.get(worst, 3)),
                   "verdict and status")
        return self.taken()

    def modes(self):
        """A mode is judged, by the edition's limit, on no more than it."""
        with NodeCopy(self.tree) as node:
            for mode, eks, cis in ((0o600, "pass", "pass"),
                                   (0o644, "pass", "fail"),
                                   (0o664, "fail", "fail")):
                os.chmod(os.path.join(node.root, CONFIG), mode)
                for edition, want in (("eks-1.8", eks), ("cis-1.12", cis)):
                    run, got = self.audit(node, "--benchmark=" + edition,
                                          "--control=mode:config")
                    control = got["controls"][0]
                    self.equal((control["verdict"],
                                control["views"]["disk"]["value"],
                                [s["file"] for s in control["sources"]]),
                               (want, "%04o" % mode, ["/" + CONFIG]),
                               edition)
                    self.equal(run.status, 0 if want == "pass" else 1,
                               "status")
        return self.taken()

    def waived(self, text, words, verdict, wanted, codes=(), path="/w"):
        """WANTED: the verdict and waiver of each control that is named."""
        with NodeCopy(self.tree) as node:
            os.makedirs(os.path.dirname(node.root + path), exist_ok=True)
            with open(node.root + path, "w", encoding="utf-8") as file:
                file.write(text)
            run, got = self.audit(node, *words)
        self.equal(got.get("verdict"), verdict, "verdict")
        self.equal(run.status, {"pass": 0, "fail": 1}.get(verdict, 3),
                   "status")
        controls = {c["name"]: c for c in got["controls"]}
        for name, want in wanted.items():
            self.equal((controls[name]["verdict"], controls[name]["waiver"]),
                       want, name)
        self.equal([m["code"] for m in got["messages"]
                    if m["code"].startswith("waiver")], list(codes), "codes")
        return self.taken()

    def refused_waivers(self, make, code):
        with NodeCopy(self.tree) as node:
            make(node.root + "/w")
            run, got = self.audit(node, "--waivers=/w", "--benchmark=eks-1.8")
        self.equal((run.status, got.get("verdict"), len(got["controls"])),
                   (3, "unknown", 13), "an error, never ignored")
        self.equal([m["code"] for m in got["messages"]
                    if m["severity"] == "error"], [code], "code")
        return self.taken()


def write(path, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(ONE + " reason\n")
    os.chmod(path, mode)


def listed(test):
    """The controls and editions, by the schema; each edition is one."""
    faults = []

    def controls(*words):
        return Run([test.program, "controls", "-ojson", *words]).json(
            test.schemas, "controls.json", faults)
    editions = controls("--benchmark=help")["editions"]
    for edition in editions:
        its = controls("--benchmark=" + edition["name"])["controls"]
        if len(its) != edition["controls"] or not all(c["id"] for c in its):
            faults.append("%s: %d controls" % (edition["name"], len(its)))
    names = {c["name"] for c in controls()["controls"]}
    if len(editions) != 25 or not {ONE, PORT, "mode:unit",
                                   "tlsMinVersion"} <= names:
        faults.append("not all are there")
    return faults


def waivers(test):
    reason = {"reason": "its team knows", "until": None}
    both = ["--waivers=/w", "--control=%s,%s" % (ONE, PORT)]
    yield "waived: it fails nothing", test.waived(
        ONE + " its team knows\n", both, "pass",
        {ONE: ("waived", reason), PORT: ("pass", None)})
    yield "waived by its flag, until today", test.waived(
        "make-iptables-util-chains until=%s its team knows\n" % TODAY, both,
        "pass", {ONE: ("waived", {**reason, "until": str(TODAY)})})
    yield "waived until yesterday", test.waived(
        "%s until=%s its team knows\n" % (ONE, TODAY - DAY), both, "fail",
        {ONE: ("fail", None)}, ["waiver"])
    yield "a line that is none", test.waived(
        ONE + "\n", both, "fail", {ONE: ("fail", None)}, ["waiver"])
    yield "the one control, too", test.waived(
        ONE + " its team knows\n", ["--waivers=/w"], "pass",
        {ONE: ("waived", reason)})
    yield "--no-waivers", test.waived(
        ONE + " its team knows\n", ["--no-waivers"], "fail",
        {ONE: ("fail", None)})
    yield "an image's own file is not for the image", test.waived(
        ONE + " its team knows\n", [], "fail", {ONE: ("fail", None)},
        path="/etc/kubelet-remedy/waivers")
    yield "no such file", test.refused_waivers(lambda path: None,
                                               "file-unreadable")
    yield "a folder", test.refused_waivers(os.mkdir, "waivers-unsafe")
    yield "others may write it", test.refused_waivers(
        lambda path: write(path, 0o666), "waivers-unsafe")


def main():
    program, nodes, schemas = sys.argv[1:4]
    test = Test(os.path.abspath(program), Schemas(schemas),
                os.path.join(nodes, NODE))
    tap = Tap()
    for name, words, count, wanted in SELECTIONS:
        tap.row(name, test.selection(words, count, wanted))
    tap.row("controls", listed(test))
    tap.row("modes", test.modes())
    if os.geteuid() != 0:
        tap.skip("waivers", "needs root")
    else:
        for name, faults in waivers(test):
            tap.row(name, faults)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
