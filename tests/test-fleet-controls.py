#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fleet --benchmark and --control: one question a node, a verdict a control.

    test-fleet-controls.py PROGRAM SCHEMAS
"""

import json
import os
import re
import sys
import tempfile

from apiserver_lib import ApiServer
from cli_lib import Run, Tap
from json_schema import Schemas
from strict_json import parse

ONE = "makeIPTablesUtilChains"
ANON = "authentication.anonymous.enabled"


def body(**members):
    return json.dumps({"kubeletconfig": {
        "authentication": {"anonymous": {"enabled": False}, "x509": {
            "clientCAFile": "/etc/kubernetes/pki/ca.crt"}},
        "authorization": {"mode": "Webhook"}, ONE: True,
        "streamingConnectionIdleTimeout": "4h0m0s",
        "eventRecordQPS": 50,
        "featureGates": {"RotateKubeletServerCertificate": True},
        **members}})


NODES = {"good": {"body": body()},
         "port": {"body": body(readOnlyPort=10255)},
         "chains": {"body": body(**{ONE: False, "readOnlyPort": 10255})},
         "part": {"body": json.dumps({"kubeletconfig": {
             "readOnlyPort": 0, ONE: True}})},
         "away": {"status": 403}}
WANT = {"good": ("pass", "pass", "pass"), "port": ("fail", "pass", "fail"),
        "chains": ("fail", "fail", "fail"), "part": ("unknown", "pass", "pass"),
        "away": ("unknown", "unknown", "unknown")}


class Test:
    def __init__(self, program, schemas, server):
        self.program, self.schemas = program, schemas
        self.server, self.faults = server, []

    def run(self, *words, nodes=NODES, **options):
        return Run([self.program, "fleet", "--server=" + self.server.url,
                    "--nodes=" + ",".join(nodes), *words], **options)

    def lines(self, run):
        lines = [parse(line) for line in run.out.splitlines()]
        for line in lines:
            self.faults += self.schemas.faults("fleet.json", line)
        return {line["node"]: line for line in lines[:-1]}, \
            lines[-1]["summary"]

    def equal(self, got, want, what):
        if got != want:
            self.faults.append("%s: %r, wanted %r" % (what, got, want))

    def taken(self):
        faults, self.faults = self.faults, []
        return faults

    def evidence(self, run, n, editions):
        """Who was asked, when, by what: the line before the next command."""
        line = [line for line in run.out.splitlines()
                if not line.startswith("next")][-1]
        if not re.fullmatch(
                "%d nodes of http://[^ ]+, [0-9-]+T[0-9:]+Z, %skubelet-remedy "
                "[^ ]+" % (n, re.escape(editions) + ", " if editions else ""),
                line):
            self.faults.append("no evidence: " + run.out)

    def edition(self):
        run = self.run("--benchmark=eks-1.8", "-ojson")
        nodes, summary = self.lines(run)
        got = {}
        for name, line in nodes.items():
            its = {c["name"]: c["verdict"] for c in line["controls"]}
            got[name] = (line["verdict"], its[ONE], its["readOnlyPort"])
        self.equal(got, WANT, "verdicts")
        self.equal(run.status, 1, "status")
        self.equal([summary[v] for v in ("pass", "fail", "unknown")],
                   [1, 2, 2], "nodes")
        port, = (c for c in summary["controls"]
                 if c["name"] == "readOnlyPort")
        self.equal([port[v] for v in ("pass", "fail", "unknown", "waived")],
                   [2, 2, 1, 0], "the port")
        self.equal(sorted(summary["not_judged"]),
                   sorted(["mode:config", "owner:config", "mode:kubeconfig",
                           "owner:kubeconfig"]), "what is left out")
        self.equal(nodes["chains"]["reason"], "2 controls fail: readOnlyPort, "
                   + ONE, "all that fail")
        self.equal(nodes["port"]["reason"],
                   "kubelet runs with readOnlyPort = 10255", "one that fails")
        self.equal(nodes["part"]["reason"].startswith(
            "no verdict on 7 controls: %s, authorization.mode, " % ANON), True,
                   nodes["part"]["reason"])
        counts = self.server.stats()["counts"]
        self.equal({counts.get(name) for name in NODES}, {1},
                   "each node is asked once")
        value, = (c["value"] for c in nodes["port"]["controls"]
                  if c["name"] == "readOnlyPort")
        self.equal(value, 10255, "its value")
        return self.taken()

    def named(self):
        run = self.run("--control=readOnlyPort," + ANON, "-ojson",
                       nodes=["good", "chains"])
        nodes, summary = self.lines(run)
        self.equal({n: [c["verdict"] for c in line["controls"]]
                    for n, line in nodes.items()},
                   {"good": ["pass", "pass"], "chains": ["fail", "pass"]},
                   "verdicts")
        self.equal(summary["not_judged"], [], "nothing is left out")
        return self.taken()

    def text(self):
        run = self.run("--benchmark=eks-1.8")
        for line in ("FAIL  2 of 5 nodes fail a control of CIS Amazon EKS 1.8,"
                     " no verdict on 2; 4 controls are not in configz\n",
                     "         control                                         fail  "
                     "unknown     pass\n",
                     "  3.2.4  readOnlyPort                                       2  "
                     "      1        2\n",
                     "next, on each failing node: kubelet-remedy fix -n --benchmark=eks-1.8\n",
                     "  not in configz:\n      mode:kubeconfig "
                     "owner:kubeconfig mode:config owner:config\n",
                     "  unknown  1 node      the answer of configz lacks what "
                     "kubelet always shows\n      part\n",
                     "  fail     2 nodes     kubelet runs with readOnlyPort = "
                     "10255\n      chains port\n"):
            if line not in run.out:
                self.faults += ["not there: " + line, run.out]
        self.equal(run.out.count("      away\n"), 1, "a node without answer is said")
        self.evidence(run, 5, "CIS Amazon EKS 1.8")
        # of nodes of which nothing is known no number is guessed
        run = self.run("--control=readOnlyPort")
        self.evidence(run, 5, None)
        self.equal("  control          fail" in run.out, True, run.out)
        return self.taken()

    PAIR = "tlsCertFile+tlsPrivateKeyFile"
    # control, members of configz, verdict, words of the reason
    SHOWN = (
        ("rotateCertificates", {}, "pass", "does not show whether a file"),
        ("rotateCertificates", {"rotateCertificates": True}, "pass", "= true"),
        ("rotateCertificates", {"rotateCertificates": False}, "fail",
         "= false"),
        (PAIR, {"tlsCertFile": "/a.crt", "tlsPrivateKeyFile": "/a.key"}, "pass",
         "tlsCertFile = /a.crt and"),
        (PAIR, {"tlsCertFile": "/p/kubelet.crt",
                "tlsPrivateKeyFile": "/p/kubelet.key"}, "unknown",
         "may have made"),
        (PAIR, {"tlsCertFile": "/p/kubelet.crt",
                "tlsPrivateKeyFile": "/p/kubelet.key",
                "serverTLSBootstrap": True}, "pass", ""),
        (PAIR, {"tlsCertFile": "/a.crt"}, "fail", "tlsCertFile = /a.crt and"),
        (PAIR, {"serverTLSBootstrap": True}, "pass", "runs with neither tlsCertFile nor"),
        (PAIR, {}, "fail", "runs with neither tlsCertFile nor"),
        ("tlsMinVersion", {}, None, "runs with no tlsMinVersion"),
        ("tlsMinVersion", {"tlsMinVersion": "VersionTLS12"}, None,
         "= VersionTLS12"),
        ("healthzPort", {"healthzPort": 0}, None, "healthzPort = 0"),
        ("tlsCertFile", {"tlsCertFile": "/a.crt"}, None, "= /a.crt"),
        ("authentication.webhook.enabled", {"authentication": {
            "anonymous": {"enabled": False}, "webhook": {"enabled": True}}},
         None, "= true"),
        ("tlsMinVersion", {"tlsMinVersion": 1}, None, "no value of its kind"),
        # a demand of no edition: an edition that was named has it not, either
        ("serverTLSBootstrap", {}, "fail", "= false"),
    )

    def shown(self):
        for control, members, verdict, words in self.SHOWN:
            status = {"fail": 1, "unknown": 3}.get(verdict, 0)
            with ApiServer({"named": {
                    "n": {"body": body(**members)}}}) as server:
                for more in ([], ["--benchmark=cis-1.12"]):
                    run = Run([self.program, "fleet", "--nodes=n",
                               "--server=" + server.url, "-ojson",
                               "--control=" + control, *more])
                    nodes, summary = self.lines(run)
                    its, = nodes["n"]["controls"]
                    self.equal(
                        (its["verdict"], words in its["reason"], run.status,
                         summary["not_judged"]),
                        (verdict, True, status, []), (control, members, its))
        return self.taken()

    def no_demand(self):
        run = self.run("--control=tlsMinVersion", nodes=["good", "port"])
        self.equal((run.status, run.out.splitlines()[:3]), (0, [
            "NO DEMAND  nothing is demanded of what was asked for",
            "  -        2 nodes     kubelet runs with no tlsMinVersion",
            "      good port"]), run.out)
        run = self.run("--control=tlsMinVersion")
        self.equal((run.status, run.out.splitlines()[0]),
                   (3, "UNKNOWN  no answer from 1 of 5 nodes"), run.out)
        run = self.run("--control=tlsMinVersion,readOnlyPort")
        self.equal((run.status, run.out.count("tlsMinVersion"),
                    run.out.count("readOnlyPort")), (1, 3, 3), run.out)
        run = self.run("--control=tlsMinVersion,readOnlyPort", "-ojunit")
        self.equal("tlsMinVersion" in run.out, False, run.out)
        run = self.run("--control=tlsMinVersion", "-ojunit")
        self.equal(run.status, 2, run.out)
        return self.taken()

    def others(self):
        for name in ("sarif", "junit", "prometheus"):
            run = self.run("--benchmark=eks-1.8", "-o", name)
            self.equal(run.status, 1, name)
            for control in (ONE, "readOnlyPort"):
                if run.out.count(control) < len(NODES):
                    self.faults.append("%s: %s" % (name, run.out))
        run = self.run("--benchmark=eks-1.8", "-o", "prometheus")
        for line in ('kubelet_remedy_verdict{node="port",control="readOnlyPort'
                     '",verdict="fail"} 1\n',
                     'kubelet_remedy_nodes{control="readOnlyPort",verdict="'
                     'fail"} 2\n'):
            if line not in run.out:
                self.faults.append("not there: " + line)
        return self.taken()

    def usage(self):
        for words in (["--benchmark=auto", "--control=3.2.6"],
                      ["--benchmark=auto", "--skip=3.2.6"],
                      ["--control=mode:config"], ["--control=3.2.6"],
                      ["--control=hostname-override,seccompDefault"],
                      ["--skip=" + ONE], ["--all-nodes"], ["--selector=a=b"],
                      ["--selector="], ["--waivers="], ["--no-waivers"]):
            run = self.run(*words)
            self.equal((run.status, run.out), (2, ""), words)
        return self.taken()

    # --- nodes that are not alike

    MIXED = {"nodes": ["aks", "cis", "eks", "fargate", "old", "win"],
             "configz": {"body": body()},
             "named": {"old": {"body": body(readOnlyPort=10255)}},
             "facts": {
                 "aks": {"labels": {"kubernetes.azure.com/cluster": "x"}},
                 "cis": {"version": "v1.33.1"},
                 "eks": {"labels": {"pool": "a"},
                         "version": "v1.31.2-eks-7f9249a"},
                 "fargate": {"labels": {
                     "eks.amazonaws.com/compute-type": "fargate"}},
                 "old": {"version": "v1.20.15"},
                 "win": {"labels": {"kubernetes.io/os": "windows"}}}}
    EDITIONS = {"aks": "aks-1.8", "cis": "cis-1.12", "eks": "eks-1.8.0",
                "old": "cis-1.20"}

    def mixed(self, *words, **more):
        with ApiServer({**self.MIXED, **more}) as server:
            run = Run([self.program, "fleet", "--server=" + server.url, *words])
            return run, server.stats()

    def own_editions(self):
        for more in ({}, {"list": {"whole": True}}):
            run, stats = self.mixed("--all-nodes", "--benchmark", "-ojson",
                                    **more)
            nodes, summary = self.lines(run)
            self.equal({n: line["benchmark"] for n, line in nodes.items()},
                       self.EDITIONS, "editions")
            self.equal(summary["left_out"], 2, "left out")
            self.equal({n: sum(stats["counts"].values()) if n == "all" else
                        stats["counts"].get(n, 0) for n in (
                            "all", "fargate", "win")},
                       {"all": 4, "fargate": 0, "win": 0}, "who is asked")
            its = {n: {c["name"]: c["verdict"] for c in line["controls"]}
                   for n, line in nodes.items()}
            # protectKernelDefaults is only in the old one, the ciphers are in
            # none of the clouds
            self.equal([n for n in sorted(its)
                        if "protectKernelDefaults" in its[n]], ["old"],
                       "whose control")
            self.equal([n for n in sorted(its) if "tlsCipherSuites" in its[n]],
                       ["cis", "old"], "whose ciphers")
            counts = {c["name"]: c for c in summary["controls"]}
            port = counts["readOnlyPort"]
            self.equal((port["pass"], port["fail"], port["not_applicable"]),
                       (3, 1, 0), "the port")
            self.equal(counts["tlsCipherSuites"]["not_applicable"], 2,
                       "no ciphers")
            if "seccompDefault" not in summary["not_judged"]:
                self.faults.append("not judged: %s" % summary["not_judged"])
        return self.taken()

    def without_versions(self):
        """Metadata alone has labels and no versions; a list that may not be
        read has nothing, and no verdict is believed then."""
        run, _ = self.mixed("--all-nodes", "--benchmark", "-ojson",
                            list={"partial": True})
        nodes, _ = self.lines(run)
        self.equal({n: line["benchmark"] for n, line in nodes.items()},
                   {"aks": "aks-1.8", "cis": "cis-1.12", "eks": "cis-1.12",
                    "old": "cis-1.12"}, "editions")
        run, stats = self.mixed("--nodes=aks,eks", "--benchmark=auto",
                                "--control=" + ONE, list={"status": 403})
        self.equal(run.status, 3, "status without a list")
        self.equal(sorted(stats["counts"]), ["aks", "eks"], "asked all the same")
        return self.taken()

    def looked_up(self):
        run, stats = self.mixed("--nodes=eks,zz,win", "--benchmark=auto",
                                "-ojson")
        nodes, summary = self.lines(run)
        self.equal({n: (line["verdict"], line["benchmark"])
                    for n, line in nodes.items()},
                   {"eks": ("pass", "eks-1.8.0"), "zz": ("unknown", "cis-1.12")},
                   "who is there, and who is not")
        self.equal(summary["left_out"], 1, "left out")
        self.equal(len(stats["lists"]), 1, "the list is asked once")
        _, stats = self.mixed("--nodes=eks", "--benchmark=eks-1.8")
        self.equal(len(stats["lists"]), 0, "the list is not needed")
        return self.taken()

    def selector(self):
        run, stats = self.mixed("--selector=pool=a", "-ojson")
        nodes, summary = self.lines(run)
        self.equal(sorted(nodes), ["eks"], "nodes")
        self.equal([q["query"].get("labelSelector") for q in stats["lists"]],
                   ["pool=a"], "what is asked for")
        self.equal((run.status, summary["pass"]), (0, 1), "status")
        return self.taken()

    def nobody(self):
        """Labels that no node has: that is why there is no verdict."""
        for words in ([], ["--benchmark=eks-1.8"]):
            run, _ = self.mixed("--selector=pool=nowhere", *words)
            self.equal((run.status, run.out.startswith(
                "UNKNOWN  no node was asked: no node has these labels")),
                       (3, True), run.out)
            run, _ = self.mixed("--selector=pool=nowhere", "-ojson", *words)
            self.equal(self.lines(run)[1]["reason"],
                       "no node has these labels", "JSON")
        return self.taken()

    def numbers(self):
        """Each node has those of its own edition, and only of what is known."""
        run, _ = self.mixed("--all-nodes", "-ojson", "--control=readOnlyPort")
        nodes, _ = self.lines(run)
        self.equal({name: [(c["id"], c["id_edition"]) for c in its["controls"]]
                    for name, its in nodes.items()},
                   {"eks": [("3.2.4", "eks-1.8.0")],
                    "aks": [("3.2.4", "aks-1.8")],
                    "cis": [("4.2.4", "cis-1.12")],
                    "old": [("4.2.4", "cis-1.20")]}, "numbers")
        run, _ = self.mixed("--all-nodes")
        self.evidence(run, 4, ", ".join((
            "CIS Amazon EKS 1.8 3.2.6", "CIS Azure AKS 1.8 3.2.6",
            "CIS Kubernetes 1.20 4.2.7", "CIS Kubernetes 1.12 4.2.6")))
        run, _ = self.mixed("--all-nodes", "--control=" + ONE)
        self.equal("  3.2.6,4.2.7,4.2.6  %s" % ONE in run.out, True, run.out)
        run, _ = self.mixed("--all-nodes", "-o", "junit")
        for name in ("3.2.6 " + ONE, "4.2.6 " + ONE):
            self.equal('name="%s"' % name in run.out, True, run.out)
        run, _ = self.mixed("--all-nodes", "-o", "prometheus")
        self.equal(run.out.count("kubelet_remedy_control_info{"), 4, run.out)
        return self.taken()

    def worst_first(self):
        run, _ = self.mixed("--all-nodes", "--benchmark=auto")
        lines = run.out.splitlines()
        start = [line.split()[:2] == ["control", "fail"] for line in lines].index(True)
        end = lines.index("  not in configz:")
        rows = [tuple(int(n) for n in row.split()[2:4])
                for row in lines[start + 1:end]]
        if len(rows) < 10 or rows != sorted(rows, reverse=True) or \
                rows[0] == rows[-1]:
            self.faults.append(run.out)
        return self.taken()

    def own_text(self):
        run, _ = self.mixed("--all-nodes", "--benchmark=auto")
        for line in ("FAIL  2 of 4 nodes fail a control of their editions; 10 "
                     "controls are not in configz\n"
                     "  edition: CIS Amazon EKS 1.8 (1 node)\n"
                     "           CIS Azure AKS 1.8 (1 node)\n",
                     "fail  unknown     pass      n/a\n",
                     "  readOnlyPort                                       1  "
                     "      0        3        0\n",
                     "  left out  2 nodes (Fargate, Windows)\n",
                     "next, on each failing node: kubelet-remedy fix -n "
                     "--benchmark=auto\n"):
            if line not in run.out:
                self.faults += ["not there: " + line, run.out]
        return self.taken()

    def own_formats(self):
        """What a node's edition has not is notApplicable, and no failure."""
        log = parse(self.mixed("--all-nodes", "--benchmark=auto", "-o",
                               "sarif")[0].out)
        run, = log["runs"]
        self.equal(run["automationDetails"]["id"],
                   "kubelet-remedy/auto/fleet/", "the id of the run")
        kinds = {(place["logicalLocations"][0]["name"], r["ruleId"]): r["kind"]
                 for r in run["results"] for place in r["locations"]}
        self.equal([kinds[key] for key in (
            ("eks", "tlsCipherSuites"), ("cis", "tlsCipherSuites"),
            ("old", "protectKernelDefaults"), ("cis", "protectKernelDefaults"),
            ("eks", "readOnlyPort"))],
                   ["notApplicable", "fail", "fail", "notApplicable", "pass"],
                   "kinds")
        text = self.mixed("--all-nodes", "--benchmark=auto", "-o",
                          "prometheus")[0].out
        for line in ('kubelet_remedy_verdict{node="eks",control="tlsCipherSuites'
                     '",verdict="not-applicable"} 1\n',
                     'kubelet_remedy_nodes{control="tlsCipherSuites",verdict="'
                     'not-applicable"} 2\n'):
            if line not in text:
                self.faults.append("not there: " + line)
        return self.taken()

    def away(self):
        """Who does not answer is said, whatever control comes first."""
        run, _ = self.mixed("--nodes=eks", "--benchmark=auto",
                            "--control=tlsCipherSuites,readOnlyPort",
                            named={"eks": {"status": 403}})
        self.equal(run.status, 3, "status")
        if "RBAC must grant" not in run.out or "      eks\n" not in run.out \
                or "  tlsCipherSuites        0        0        0        1\n" \
                not in run.out:
            self.faults.append(run.out)
        return self.taken()

    def none_answers(self):
        """Each is named with what it said, and no table stands without a row."""
        away = {"status": 503, "body": "no route"}
        rows = (
            # words, the server's list, the first line, a row of the table
            (("--nodes=eks,old", "--benchmark=auto"), {},
             "no verdict on 2 of 2 nodes; ", True),
            (("--nodes=eks,old", "--benchmark=auto"), {"status": 403},
             "no verdict on 2 of 2 nodes; their editions are unknown: the list"
             " of nodes could not be read", False),
            (("--nodes=eks,old", "--benchmark=eks-1.8"), {"status": 403},
             "no verdict on 2 of 2 nodes; ", True),
            (("--all-nodes", "--benchmark=auto"), {},
             "no verdict on 4 of 4 nodes; ", True),
            (("--all-nodes", "--benchmark=auto"), {"status": 403},
             "no node was asked: the list of nodes could not be read", False),
            (("--all-nodes", "--benchmark=eks-1.8"), {"status": 403},
             "no node was asked: the list of nodes could not be read", False))
        for words, its_list, first, table in rows:
            run, _ = self.mixed(*words, list=its_list, configz=away, named={})
            lines = run.out.splitlines()
            self.equal((run.status, lines[0].startswith("UNKNOWN  " + first)),
                       (3, True), run.out)
            self.equal("fail  unknown     pass" in run.out, table, run.out)
            asked = "no node was asked" not in first
            self.equal([name in run.out.split() for name in ("eks", "old")],
                       [asked, asked], run.out)
            self.equal("503" in run.out, asked, run.out)
        return self.taken()

    # --- waivers

    def waived(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "waivers")
            with open(path, "w", encoding="utf-8") as file:
                file.write("readOnlyPort behind a firewall\n%s\n" % ONE)
            words = ["--benchmark=eks-1.8", "--waivers=" + path]
            run = self.run(*words, "-ojson", nodes=["good", "port", "away"])
            nodes, summary = self.lines(run)
            self.equal({n: line["verdict"] for n, line in nodes.items()},
                       {"good": "pass", "port": "pass", "away": "unknown"},
                       "verdicts")
            port, = (c for c in summary["controls"]
                     if c["name"] == "readOnlyPort")
            self.equal((port["waived"], port["fail"], port["unknown"]),
                       (2, 0, 1), "the port")
            why = {c["waiver"] and c["waiver"]["reason"]
                   for line in nodes.values() for c in line["controls"]
                   if c["verdict"] == "waived"}
            self.equal(why, {"behind a firewall"}, "why")
            text = self.run(*words, nodes=["good", "port"]).out
            if not text.startswith("PASS  2 of 2 nodes pass every control of "
                                   "CIS Amazon EKS 1.8, 1 control is waived") \
                    or "  waived   2 nodes     readOnlyPort: behind a " \
                    "firewall\n" not in text:
                self.faults.append("text: " + text)
            if "this line waives nothing" not in run.err:
                self.faults.append("no warning: " + run.err)
            # relative, and alone: the one control
            run = self.run("--waivers=waivers", nodes=["port"], cwd=folder)
            self.equal(run.status, 0, run.out + run.err)
            run = self.run(*words, "-o", "sarif", nodes=["port"])
            if "behind a firewall" not in run.out:
                self.faults.append("sarif: " + run.out)
            os.chmod(path, 0o666)
            run = self.run(*words, nodes=["good"])
            self.equal((run.status, run.out), (3, ""), "an unsafe file")
            run = self.run("--waivers=" + path + "x", nodes=["good"])
            self.equal((run.status, run.out), (3, ""), "no file")
        return self.taken()


def main():
    tap = Tap()
    with ApiServer({"named": NODES}) as server:
        test = Test(os.path.abspath(sys.argv[1]), Schemas(sys.argv[2]),
                    server)
        tap.row("an edition", test.edition())
        tap.row("controls by name", test.named())
        tap.row("text", test.text())
        tap.row("what configz shows", test.shown())
        tap.row("settings without a demand", test.no_demand())
        tap.row("other formats", test.others())
        tap.row("wrong usage", test.usage())
        tap.row("each node's own edition", test.own_editions())
        tap.row("where versions are not known", test.without_versions())
        tap.row("names that are looked up", test.looked_up())
        tap.row("by labels", test.selector())
        tap.row("labels of no node", test.nobody())
        tap.row("numbers", test.numbers())
        tap.row("the worst control first", test.worst_first())
        tap.row("a node that does not answer", test.away())
        tap.row("no node answers", test.none_answers())
        tap.row("other formats of several editions", test.own_formats())
        tap.row("text of several editions", test.own_text())
        tap.row("waivers", test.waived())
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
