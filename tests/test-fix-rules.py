#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix and undo of each control of a setting, in each place that can set it.

    test-fix-rules.py PROGRAM NODES SCHEMAS

A node has what fails in JSON, in YAML, in a drop-in of --config-dir or as a
flag. fix makes it pass with the value that the benchmarks want, says of every
other control what it said before, and leaves all that stands beside it; undo
gives every byte back.
"""

import copy
import json
import os
import sys

from cli_lib import NodeCopy, Run, Tap, differences
from json_schema import Schemas

NODE = "cis-text-flag-false-file-true"
UNIT = "etc/systemd/system/kubelet.service"
DROPIN = UNIT + ".d/10-kubelet-args.conf"
CONFIG = "etc/kubernetes/kubelet/kubelet-config.json"
FOLDER = "etc/kubernetes/kubelet.conf.d"
CA = "/etc/kubernetes/ca.crt"
CA_PATH = "authentication.x509.clientCAFile"
# a PEM block whose base64 is one DER sequence
CERTIFICATE = ("-----BEGIN CERTIFICATE-----\nMAA=\n"
               "-----END CERTIFICATE-----\n")
KUBECONFIG = """\
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters:
- name: c
  cluster: {server: https://192.0.2.1, certificate-authority: %s}
users:
- name: u
  user: {client-certificate: /k.crt, client-key: /k.key}
""" % CA
SYSCTLS = ("vm.overcommit_memory = 1\nkernel.panic = 10\n"
           "kernel.panic_on_oops = 1\n")
SUITES = ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
          "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
          "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]
PLACES = ("JSON", "YAML", "drop-in", "flag")
GATE = "RotateKubeletServerCertificate"
OTHER = "NodeSwap=true" # of somebody, in the same flag

RULES = (
    # (path, flag, what fails, what it becomes, options)
    ("authentication.anonymous.enabled", "anonymous-auth", True, False, ()),
    ("authorization.mode", "authorization-mode", "AlwaysAllow", "Webhook", ()),
    (CA_PATH, "client-ca-file", "", CA,
     ("--set=client-ca-file=" + CA,)),
    ("readOnlyPort", "read-only-port", 10255, 0, ()),
    ("streamingConnectionIdleTimeout", "streaming-connection-idle-timeout",
     "-1s", "4h0m0s", ()),
    ("protectKernelDefaults", "protect-kernel-defaults", False, True, ()),
    ("makeIPTablesUtilChains", "make-iptables-util-chains", False, True, ()),
    ("eventRecordQPS", "event-qps", 7, 9, ("--set=event-qps=9",)),
    ("rotateCertificates", "rotate-certificates", False, True, ()),
    ("serverTLSBootstrap", "rotate-server-certificates", False, True, ()),
    ("featureGates." + GATE, "feature-gates", False, True, ()),
    ("tlsCipherSuites", "tls-cipher-suites",
     ["TLS_RSA_WITH_AES_128_CBC_SHA"], SUITES, ()),
    ("podPidsLimit", "pod-max-pids", -1, 4096, ("--set=pod-max-pids=4096",)),
    ("seccompDefault", "seccomp-default", False, True, ()),
)
# the owner's value is written over another that passes
PASSES = ("eventRecordQPS",)


def document(*values):
    """What a file says, with each pair of a path and its value."""
    doc = {"kind": "KubeletConfiguration",
           "apiVersion": "kubelet.config.k8s.io/v1beta1"}
    for path, value in values:
        put(doc, path, value)
    doc["clusterDomain"] = "cluster.local"
    return doc


def put(doc, path, value):
    *folders, last = path.split(".")
    for name in folders:
        doc = doc.setdefault(name, {})
    doc[last] = value


def yaml(doc, indent=""):
    lines = []
    for key, value in doc.items():
        if isinstance(value, dict):
            lines += ["%s%s:" % (indent, key)] + yaml(value, indent + "  ")
        else:
            lines.append("%s%s: %s" % (indent, key, json.dumps(value)))
    return lines


def unyaml(text):
    """The document of such lines."""
    doc = {}
    open_at = [(-1, doc)]
    for line in text.splitlines():
        depth = len(line) - len(line.lstrip())
        key, _, value = line.strip().partition(":")
        while depth <= open_at[-1][0]:
            open_at.pop()
        value = value.strip()
        if value == "":
            new = {}
            open_at[-1][1][key] = new
            open_at.append((depth, new))
            continue
        try:
            open_at[-1][1][key] = json.loads(value)
        except ValueError:
            open_at[-1][1][key] = value
    return doc


def word(path, flag, value):
    """The value as the flag has it."""
    if path.startswith("featureGates."):
        return "--%s=%s,%s=%s" % (flag, OTHER, GATE, json.dumps(value))
    if isinstance(value, list):
        value = ",".join(value)
    return "--%s=%s" % (flag, value if isinstance(value, str)
                        else json.dumps(value))


def write(node, path, text):
    full = os.path.join(node.root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as file:
        file.write(text)


def make(node, place, path, flag, bad):
    """The node with BAD at PLACE: the file that has it, None for a flag."""
    write(node, CA[1:], CERTIFICATE)
    write(node, "var/lib/kubelet/kubeconfig", KUBECONFIG)
    write(node, "etc/sysctl.d/90-kubelet.conf", SYSCTLS)
    values = [] if path == CA_PATH else [(CA_PATH, CA)]
    main = document(*values, *([(path, bad)] if place in ("JSON", "YAML")
                               else []))
    write(node, CONFIG, "\n".join(yaml(main)) + "\n" if place == "YAML"
          else json.dumps(main, indent=2) + "\n")
    args = word(path, flag, bad) if place == "flag" else ""
    write(node, DROPIN,
          "[Service]\nEnvironment='KUBELET_ARGS=--node-ip=192.0.2.30 %s'\n"
          % args)
    if place != "drop-in":
        return None if place == "flag" else CONFIG
    unit = node.read(UNIT).decode()
    write(node, UNIT, unit.replace(" --config ", " --config-dir=/%s --config "
                                   % FOLDER))
    write(node, FOLDER + "/10-a.conf",
          json.dumps(document((path, bad)), indent=2) + "\n")
    return FOLDER + "/10-a.conf"


def parse(text):
    return json.loads(text) if text.startswith("{") else unyaml(text)


def others(audit, name):
    return {c["name"]: (c["verdict"], c["views"]["disk"]["value"])
            for c in audit["controls"] if c["name"] != name}


def check(program, schemas, tree, place, rule):
    path, flag, bad, good, options = rule
    faults = []
    version = "--kubelet-version=1.30"
    names = (version, "--control=" + ",".join(r[0] for r in RULES))
    with NodeCopy(tree) as node:
        changed = make(node, place, path, flag, bad)
        before = node.snapshot()
        old = parse(node.read(changed).decode()) if changed else None

        def run(command, *words):
            result = Run([program, command, "--root=" + node.root, "-ojson",
                          *words])
            schema = "audit.json" if command == "audit" else "fix.json"
            return result, result.json(schemas, schema, faults)
        section = run("audit", *names)[1]
        control = [c for c in section["controls"] if c["name"] == path][0]
        want = "pass" if path in PASSES else "fail"
        if (control["verdict"], control["views"]["disk"]["value"]) != \
                (want, bad):
            faults.append("before: %s: %s" % (
                control["verdict"], control["views"]["disk"]))
        result, said = run("fix", version, "--control=" + path,
                           *options)
        after = said.get("after", {}).get("controls", [{}])[0]
        if result.status != 0 or after.get("verdict") != "pass" or \
                after["views"]["disk"]["value"] != good:
            faults.append("fix: %d: %s %s" % (
                result.status, said.get("reason"), after.get("views")))
        now = run("audit", *names)[1]
        if others(now, path) != others(section, path):
            faults.append("other controls: %s" % [
                item for item in others(now, path).items()
                if item not in others(section, path).items()])
        if changed:
            wanted = copy.deepcopy(old)
            put(wanted, path, good)
            got = parse(node.read(changed).decode())
            if got != wanted:
                faults.append("the file says %s" % got)
        elif path.startswith("featureGates.") and \
                OTHER not in node.read(DROPIN).decode():
            faults.append("another gate is gone")
        result = run("undo")[0]
        if result.status != 0 or node.snapshot() != before:
            faults.append("undo: %d: %s" % (
                result.status, differences(before, node.snapshot())))
    return faults


def main():
    program, nodes, schemas = sys.argv[1:4]
    schemas, tap = Schemas(schemas), Tap()
    for rule in RULES:
        for place in PLACES:
            tap.row("%s: %s" % (rule[0], place), check(
                program, schemas, os.path.join(nodes, NODE), place, rule))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
