#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fleet --benchmark and --control: one question a node, a verdict a control.

    test-fleet-controls.py PROGRAM SCHEMAS
"""

import json
import os
import sys

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

    def run(self, *words, nodes=NODES):
        return Run([self.program, "fleet", "--server=" + self.server.url,
                    "--nodes=" + ",".join(nodes), *words])

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
                   sorted(["rotateCertificates", "mode:config",
                           "owner:config", "mode:kubeconfig",
                           "owner:kubeconfig"]), "what is left out")
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
                     " no verdict on 2; 5 controls are not in configz\n",
                     "  readOnlyPort                                 2 pass, 2 "
                     "fail, 1 unknown\n",
                     "next: kubelet-remedy fix -n --benchmark=eks-1.8, on "
                     "such a node\n",
                     "  mode:config                                  not "
                     "judged\n",
                     "  fail     2 nodes     kubelet runs with readOnlyPort = "
                     "10255\n      chains port\n"):
            if line not in run.out:
                self.faults += ["not there: " + line, run.out]
        self.equal(run.out.count("      away\n"), 1, "a node without answer is said")
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
        for words in (["--benchmark"], ["--benchmark=auto"],
                      ["--control=mode:config"], ["--control=3.2.6"],
                      ["--skip=" + ONE]):
            run = self.run(*words)
            self.equal((run.status, run.out), (2, ""), words)
        return self.taken()


def main():
    tap = Tap()
    with ApiServer({"named": NODES}) as server:
        test = Test(os.path.abspath(sys.argv[1]), Schemas(sys.argv[2]),
                    server)
        tap.row("an edition", test.edition())
        tap.row("controls by name", test.named())
        tap.row("text", test.text())
        tap.row("other formats", test.others())
        tap.row("wrong usage", test.usage())
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
