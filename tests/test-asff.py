#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""audit -o asff: what AWS Security Hub takes, and what the JSON says.

    test-asff.py PROGRAM NODES SCHEMAS

SCHEMAS (tests/schema) has the format as AWS' documentation describes it.
"""

import hashlib
import os
import re
import sys

from cli_lib import NodeCopy, Run, Tap
from json_schema import Schemas
from strict_json import parse

ACCOUNT, REGION = "111122223333", "eu-central-1"
AWS = ["-o", "asff", "--asff-account=" + ACCOUNT, "--asff-region=" + REGION]
STATUSES = {"pass": "PASSED", "fail": "FAILED", "invalid": "FAILED",
            "unknown": "WARNING", "waived": "WARNING",
            "not-applicable": "NOT_AVAILABLE"}
FAILS = "eks-al2-flag-false-extra-args"
ONE = "makeIPTablesUtilChains"
# whose failing lets others in
WAYS_IN = {"authentication.anonymous.enabled", "authorization.mode",
           "readOnlyPort"}


class Test:
    def __init__(self, program, nodes, schemas):
        self.program, self.nodes = os.path.abspath(program), nodes
        self.schemas = Schemas(schemas)
        self.tap = Tap()

    def run(self, root, *words, env=None):
        return Run([self.program, "audit", "--root=" + root, *words], env=env)

    def findings(self, run, faults):
        try:
            value = parse(run.out)
        except ValueError as error:
            faults.append("%s: %s%s" % (error, run.out[:300], run.err))
            return []
        faults += self.schemas.faults("asff.json", value)
        return value["Findings"]

    def compare(self, root, *words, env=None):
        """A finding a control, by the JSON of the same audit."""
        faults = []
        base = self.run(root, *words, "-ojson", env=env)
        run = self.run(root, *words, *AWS, env=env)
        audit = parse(base.out)
        want = [c for c in audit["controls"] if c["verdict"]]
        found = self.findings(run, faults)
        if run.status != base.status or len(found) != len(want):
            return faults + ["status %d, %d findings of %d controls" % (
                run.status, len(found), len(want))]
        ids = [f["Id"] for f in found]
        again = self.findings(self.run(root, *words, *AWS, env=env), faults)
        if len(set(ids)) != len(ids) or ids != [f["Id"] for f in again]:
            faults.append("ids: %s" % ids)
        for control, finding in zip(want, found):
            faults += self.one(audit, control, finding)
        return faults

    @staticmethod
    def one(audit, control, finding):
        verdict, name = control["verdict"], control["name"]
        chosen = audit["benchmark"]
        # neither blanks nor another node's Id
        node = audit["node"]["name"] or audit["node"]["root"]
        if not re.fullmatch("[!-~]{1,253}", node):
            node = hashlib.sha256(node.encode()).hexdigest()
        edition = "[a-z0-9-]+-" + re.escape(chosen["edition"]) + "/" \
            if chosen else ""
        faults = []
        if finding["Compliance"]["Status"] != STATUSES[verdict] or \
                finding["ProductFields"]["kubelet-remedy/verdict"] != verdict:
            faults.append("%s: %s" % (verdict, finding["Compliance"]))
        if not re.fullmatch("%s/%s/kubelet-remedy/%s/%s%s" % (
                REGION, ACCOUNT, re.escape(node), edition, re.escape(name)),
                finding["Id"]):
            faults.append("%s: %s" % (finding["Id"], node))
        label = finding["Severity"]["Label"]
        if (label == "INFORMATIONAL") == (verdict in ("fail", "invalid")):
            faults.append("%s is %s" % (verdict, label))
        if verdict == "fail" and (label == "HIGH") != (name in WAYS_IN):
            faults.append("%s is %s" % (name, label))
        if not finding["Description"].startswith(control["reason"][:900]):
            faults.append("%r: %r" % (control["reason"],
                                      finding["Description"]))
        if control["waiver"] and control["waiver"]["reason"] not in \
                finding["Description"]:
            faults.append("not why it is waived")
        if (control["id"] or "") not in finding["Title"] or name not in \
                finding["Title"]:
            faults.append(finding["Title"])
        numbers = finding["Compliance"]["RelatedRequirements"]
        if chosen and control["id"] and [n.rpartition("/")[2] for n in numbers] != [
                control["id"]]:
            faults.append("%s: %s" % (control["id"], numbers))
        if not chosen and len(numbers) != len(control["ids"]):
            faults.append("%s: %s" % (control["ids"], numbers))
        text = finding.get("Remediation", {}).get("Recommendation", {}).get(
            "Text", "")
        if ("fix -n" in text) != (verdict not in ("pass", "not-applicable")
                                  and control["policy"] != "never"):
            faults.append("%s, %s: %s" % (verdict, control["policy"], text))
        return faults

    # --- rows

    def examples(self):
        for name in sorted(os.listdir(self.nodes)):
            if not os.path.isdir(os.path.join(self.nodes, name)):
                continue
            with NodeCopy(os.path.join(self.nodes, name)) as copy:
                for words in ([], ["--benchmark=eks-1.8"],
                              ["--benchmark=cis-1.12", "--explicit"]):
                    self.tap.row("%s %s" % (name, " ".join(words)),
                                 self.compare(copy.root, *words))

    def names(self):
        """What a node may be called, and what it cannot."""
        with NodeCopy(os.path.join(self.nodes, FAILS)) as copy:
            for name in ("ip-10-0-3-4.eu-central-1.compute.internal", "n" * 253):
                self.tap.row("the node %s..." % name[:12], self.compare(
                    copy.root, env={"NODE_NAME": name}))
            for name in ("no name", "n" * 254, "\u00e4"):
                self.tap.row("not in an Id: %s..." % name[:9], self.compare(
                    copy.root, "--benchmark=eks-1.8", env={"NODE_NAME": name}))
            faults = []
            finding, = self.findings(self.run(copy.root, *AWS, env={
                "NODE_NAME": "node-a"}), faults)
            if finding["Resources"] != [{
                    "Type": "Other", "Id": "kubernetes-node/node-a",
                    "Partition": "aws", "Region": REGION,
                    "Details": {"Other": {"node": "node-a"}}}]:
                faults.append(finding["Resources"])
            self.tap.row("a resource that is no known instance", faults)

    def images(self):
        """Two without a name are not one, and have no name."""
        faults, found = [], []
        for _ in range(2):
            with NodeCopy(os.path.join(self.nodes, "json-string-bool")) as copy:
                finding, = self.findings(self.run(copy.root, *AWS), faults)
                its = finding["Resources"][0]["Details"]["Other"]
                if its != {"root": os.path.realpath(copy.root)}:
                    faults.append(its)
            found += [finding["Id"], finding["Resources"][0]["Id"]]
        if len(set(found)) != 4 or "localhost" in "".join(found):
            faults.append(found)
        self.tap.row("two images", faults)

    def editions(self):
        """A finding of one edition does not take the place of another's."""
        faults, ids, n = [], set(), 0
        with NodeCopy(os.path.join(self.nodes, FAILS)) as copy:
            for words in ([], ["--benchmark=eks-1.8"], ["--benchmark=eks-1.7"],
                          ["--benchmark=cis-1.12"]):
                found = self.findings(self.run(copy.root, *words, *AWS), faults)
                ids |= {f["Id"] for f in found} | {
                    f["GeneratorId"] for f in found}
                n += 2 * len(found)
        if len(ids) != n:
            faults.append("%d of %d differ" % (len(ids), n))
        self.tap.row("two editions", faults)

    def waived(self):
        if os.geteuid() != 0:
            self.tap.skip("waived", "root is needed")
            return
        with NodeCopy(os.path.join(self.nodes, FAILS)) as copy:
            with open(os.path.join(copy.root, "w"), "w",
                      encoding="utf-8") as file:
                file.write(ONE + " " + "\u00e4" * 1200 + "\nreadOnlyPort known\n")
            faults = []
            found = self.findings(self.run(
                copy.root, "--benchmark=eks-1.8", "--waivers=/w", *AWS), faults)
            its = {f["GeneratorId"].rpartition("/")[2]: f for f in found}
            said = its[ONE]["Description"]
            if not 500 < len(said) <= 1024 or not said.endswith("\u00e4"):
                faults.append("a long text: %d, %s" % (len(said), said[-9:]))
            port = its["readOnlyPort"]
            if (port["Compliance"]["Status"], port["Severity"]["Label"]) != (
                    "WARNING", "INFORMATIONAL") or \
                    not port["Description"].endswith("; waived: known"):
                faults.append(port)
            self.tap.row("waived, and a text that is too long", faults)

    def regions(self):
        with NodeCopy(os.path.join(self.nodes, FAILS)) as copy:
            for region, partition in (
                    ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"),
                    ("us-iso-east-1", "aws-iso"), ("us-isob-east-1", "aws-iso-b"),
                    ("eusc-de-east-1", "aws-eusc"), ("us-east-1", "aws")):
                faults = []
                finding, = self.findings(self.run(
                    copy.root, *AWS[:3], "--asff-region=" + region), faults)
                got = finding["ProductArn"].split(":")[1]
                if (got, finding["Resources"][0]["Partition"]) != (
                        partition, partition):
                    faults.append(finding["ProductArn"])
                self.tap.row(region, faults)

    def usage(self):
        for words in (["-o", "asff"], AWS[:3], AWS[:2] + AWS[3:], AWS[2:],
                      AWS[2:3], AWS[3:], AWS[:3] + ["--asff-region="],
                      AWS[:3] + ["--asff-region=eu"],
                      AWS[:3] + ["--asff-region=Eu-central-1"],
                      AWS[:3] + ["--asff-region=eu-central-x"],
                      AWS[:2] + AWS[3:] + ["--asff-account=11112222333"],
                      AWS[:2] + AWS[3:] + ["--asff-account=1111222233334"],
                      AWS[:2] + AWS[3:] + ["--asff-account=11112222333x"],
                      AWS + ["-ojson"]):
            run = self.run("/nowhere", *words)
            self.tap.row("wrong usage: " + " ".join(words),
                         [] if (run.status, run.out) == (2, "") else
                         ["status %d: %s" % (run.status, run.out)])
        for command in ("fix", "fleet", "undo", "history", "status",
                        "controls"):
            run = Run([self.program, command, *AWS])
            self.tap.row(command, [] if (run.status, run.out) == (2, "") else
                         ["status %d: %s" % (run.status, run.out)])

    def unread(self):
        faults = []
        run = self.run("/nowhere/at/all", *AWS)
        finding, = self.findings(run, faults)
        if (run.status, finding["Compliance"]["Status"]) != (3, "WARNING"):
            faults.append("status %d: %s" % (run.status, finding))
        self.tap.row("a node that cannot be read", faults)


def main():
    test = Test(*sys.argv[1:4])
    test.examples()
    test.names()
    test.images()
    test.editions()
    test.waived()
    test.regions()
    test.usage()
    test.unread()
    return test.tap.end()


if __name__ == "__main__":
    sys.exit(main())
