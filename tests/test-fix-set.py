#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix of several controls on every example node, an image, and undo of it.

    test-fix-set.py PROGRAM NODES SCHEMAS

Of each node and edition: every control that may be fixed passes afterwards, or
is left with its reason; only what the plan named was written; a second fix has
nothing to do; undo gives every byte and mode back. Then the statuses, and what
has to be said first.
"""

import fcntl
import json
import os
import re
import shlex
import shutil
import socket
import struct
import sys

from cli_lib import NodeCopy, Run, Tap, differences
from json_schema import Schemas

EDITIONS = ("eks-1.8", "cis-1.12")
STATUSES = {"unchanged": (0, 1, 3), "fixed": (0,), "partly-fixed": (1, 3),
            "refused": (4,), "unconfigured": (3,)}
FAILING = "made-flag-last-no-config"
FLAG_AND_FILE = "cis-text-flag-false-file-true"
# a PEM block whose base64 is one DER sequence
CERTIFICATE = ("-----BEGIN CERTIFICATE-----\nMAA=\n"
               "-----END CERTIFICATE-----\n")


class Case:
    def __init__(self, program, schemas, node):
        self.program, self.schemas, self.node = program, schemas, node
        self.faults, self.skipped = [], None

    def expect(self, right, text, *args):
        if not right:
            self.faults.append(text % args)

    def run(self, command, *words):
        return Run([self.program, command, "--root=" + self.node.root, *words])

    def json(self, command, *words):
        run = self.run(command, *words, "--output=json")
        schema = "history.json" if command == "history" else "fix.json"
        return run, run.json(self.schemas, schema, self.faults)


def check_result(case, run, said):
    """Each control is as the result says."""
    outcome = said.get("outcome")
    case.expect(run.status in STATUSES.get(outcome, ()), "status %d of %s: %s",
                run.status, outcome, said.get("reason"))
    left = {x["control"]: x["why"] for x in said.get("left", [])}
    if outcome == "unconfigured":
        return
    failing = [c["name"] for c in said.get("after", {}).get("controls", [])
               if c["verdict"] == "fail" and left.get(c["name"]) != "waived"]
    case.expect(run.status in (1, 4) or not failing, "status %d, and %s fail",
                run.status, ", ".join(failing))
    for control in said.get("after", {}).get("controls", []):
        good = control["verdict"] in ("pass", "not-applicable", "waived", None)
        case.expect(good or control["name"] in left, "%s: %s, and not left",
                    control["name"], control["verdict"])
        case.expect(not good or control["name"] not in left
                    or left[control["name"]] == "waived",
                    "%s is left (%s), and passes", control["name"],
                    left.get(control["name"]))
    for edit in (e for c in said["changes"] for e in c["edits"]):
        for name in edit["control"].split(","):
            case.expect(name not in left, "an edit is for %s, which is left",
                        name)


OWNERS = {"podPidsLimit": "4096", "eventRecordQPS": "5",
          "authentication.x509.clientCAFile": "/etc/kubernetes/pki/ca.crt"}


def check_commands(case, said):
    """A command that is shown is not refused where it is shown."""
    for left in said["left"]:
        command = left["command"] or ""
        for name, value in OWNERS.items():
            command = command.replace("=%s=VALUE" % name, "=%s=%s"
                                      % (name, value))
        if command:
            run = Run([case.program, *shlex.split(command)[1:]])
            case.expect(run.status in (0, 1), "%s: %d: %s", command,
                        run.status, run.out)


def check_by_hand(case, words, text):
    """Where nothing can be edited each control is left, and all that may be
    written by hand is in one text."""
    run, said = case.json("fix", *words, "--kubelet-version=1.30")
    check_result(case, run, said)
    check_commands(case, said)
    case.expect(run.status == 4, "status %d", run.status)
    case.expect((said["durable"] or {}).get("text") == text, "the text: %s",
                said["durable"])
    told = case.run("fix", *words, "--kubelet-version=1.30").out
    for left in said["left"]:
        case.expect(" %s (%s): " % (left["control"], left["why"]) in told,
                    "%s is not left: %s", left["control"], told)
    for line in (text or "").splitlines():
        case.expect(line in told, "%r is not shown: %s", line, told)


def without_commands(said):
    return [(left["control"], left["why"], left["text"])
            for left in said.get("left", [])]


def check_node(case, edition):
    words = ("--benchmark=" + edition, "--kubelet-version=1.30")
    before = case.node.snapshot()
    shown = case.json("fix", "-n", *words)[1]
    case.expect(case.node.snapshot() == before, "fix -n writes")
    check_commands(case, shown)
    run, said = case.json("fix", *words)
    check_result(case, run, said)
    case.expect(shown.get("plan") == said.get("plan"),
                "the plan that was shown is another")
    case.expect(without_commands(shown) == without_commands(said),
                "what is left was shown otherwise")
    check_commands(case, said)
    named = {c["file"].lstrip("/") for c in said.get("changes", [])}
    written = set(differences(before, case.node.snapshot()))
    if said.get("outcome") not in ("refused",):
        case.expect(named <= written, "not written: %s", named - written)
        case.expect(all(w in named or any(n.startswith(w + "/")
                                          for n in named) for w in written),
                    "also written: %s", written - named)
    again = case.json("fix", *words)[1]
    case.expect(said.get("outcome") in ("refused", "unconfigured")
                or again.get("changes") == [], "again: %s",
                [c["file"] for c in again.get("changes", [])])
    if not said.get("transaction"):
        return
    made_for = {name for change in said["changes"]
                for edit in change["edits"]
                for name in (edit["control"] or "").split(",") if name}
    recorded = case.json("history")[1]["transactions"][-1]["controls"]
    case.expect(made_for <= set(recorded), "history: %s, and not %s",
                recorded, made_for)
    run = case.run("undo")
    case.expect(run.status == 0, "undo: %d: %s%s", run.status, run.out,
                run.err)
    case.expect(case.node.snapshot() == before, "undo left: %s",
                differences(before, case.node.snapshot()))


def row(tap, program, schemas, tree, name, check, *args):
    with NodeCopy(tree) as node:
        case = Case(program, schemas, node)
        check(case, *args)
    if case.skipped:
        tap.skip(name, case.skipped)
    else:
        tap.row(name, case.faults)


# --- the statuses, and what is said -------------------------------------------

WORDS = [
    # (options, status, a part of what is printed)
    (["--control=podPidsLimit", "--explicit"], 1, "--set=podPidsLimit=VALUE"),
    (["--control=podPidsLimit", "--set=podPidsLimit=4096"], 0, "FIXED"),
    (["--control=podPidsLimit", "--set=podPidsLimit=0"], 2, "would fail"),
    (["--control=podPidsLimit", "--set=podPidsLimit=x"], 2, "must be a whole number"),
    (["--control=authentication.x509.clientCAFile",
      "--set=authentication.x509.clientCAFile=ca.crt"], 2,
     "clientCAFile=ca.crt: the value must be an absolute path"),
    (["--control=authentication.x509.clientCAFile",
      "--set=authentication.x509.clientCAFile="], 2, "would fail"),
    (["--set=makeIPTablesUtilChains=false"], 2, "would fail"),
    (["--control=authentication.anonymous.enabled",
      "--set=authentication.anonymous.enabled=true"], 2, "would fail"),
    (["--control=authorization.mode", "--set=authorization.mode=AlwaysAllow"],
     2, "would fail"),
    (["--control=rotateCertificates", "--set=rotateCertificates=false"], 2,
     "would fail"),
    (["--control=protectKernelDefaults", "--set=protectKernelDefaults=false"],
     2, "would fail"),
    (["--control=featureGates.RotateKubeletServerCertificate",
      "--set=featureGates.RotateKubeletServerCertificate=false"], 2,
     "would fail"),
    (["--control=podPidsLimit", "--set=readOnlyPort=0"], 2, "among"),
    (["--control=podPidsLimit", "--allow=readOnlyPort"], 2, "among"),
    (["--control=makeIPTablesUtilChains", "--allow=makeIPTablesUtilChains"],
     2, "needs no --allow"),
    (["--control=hostname-override", "--allow=hostname-override"], 2,
     "the owner's to change"),
    (["--control=podPidsLimit", "--allow=podPidsLimit"], 2, "--set"),
    (["--control=podPidsLimit", "--set=podPidsLimit=9",
      "--allow=podPidsLimit"], 0, "FIXED"),
    (["--control=readOnlyPort", "--allow=readOnlyPort"], 0, "FIXED"),
    (["--control=eventRecordQPS", "--set=eventRecordQPS=0"], 0, "FIXED"),
    (["--control=eventRecordQPS", "--set=eventRecordQPS=50"], 0,
     "UNCHANGED  eventRecordQPS is 50 by kubelet's default; nothing"),
    # --explicit writes the default of kubelet's version
    (["-n", "--control=eventRecordQPS", "--explicit"], 1,
     "add --event-qps=50\n"),
    (["-n", "--control=eventRecordQPS", "--explicit", "--set=event-qps=9"], 1,
     "add --event-qps=9\n"),
    (["-n", "--benchmark=cis-1.12", "--explicit"], 1,
     "eventRecordQPS (ask): it must be allowed"),
    # --set is never swallowed
    (["--control=eventRecordQPS", "--set=eventRecordQPS=50"], 0,
     "--set=eventRecordQPS writes nothing: eventRecordQPS is 50 by"),
    (["--control=readOnlyPort,eventRecordQPS", "--set=event-qps=50"], 0,
     "--set=eventRecordQPS writes nothing: eventRecordQPS is 50 by"),
    (["--control=eventRecordQPS", "--set=eventRecordQPS=5",
      "--set=eventRecordQPS=6"], 2, "has a value by --set already"),
    (["--control=eventRecordQPS", "--set=eventRecordQPS=5",
      "--set=event-qps=5"], 2, "has a value by --set already"),
    (["--benchmark=cis-1.12", "--skip=podPidsLimit", "--set=podPidsLimit=9"],
     2, "among"),
    (["--benchmark=eks-1.8", "--set=podPidsLimit=9"], 2,
     "--set: 'podPidsLimit' is not among the controls of this fix\n"),
    (["--set=eventRecordQPS=5"], 2,
     "--set: 'eventRecordQPS' is not among the controls of this fix: add it "
     "with --control\n"),
    (["--allow=readOnlyPort"], 2, "this fix: add it with --control\n"),
    (["--set=eventRecord=5"], 2, "--set: 'eventRecord' is not a control: "
     "'kubelet-remedy controls' lists them"),
    (["--allow=3.2.4"], 2, "--allow: '3.2.4' is not a control"),
    # more than anybody types
    (["-n", "--benchmark=cis-1.12", *("--set=x%d=1" % i for i in range(40))], 2,
     "--set: 'x0' is not among the controls of this fix\n"),
    (["-n", "--benchmark=cis-1.12", "--set=podPidsLimit=9"], 1,
     "--pod-max-pids=9"),
    (["--control=protectKernelDefaults"], 4, "vm.overcommit_memory = 1"),
    (["--control=protectKernelDefaults,readOnlyPort"], 1,
     "left: protectKernelDefaults (refused)"),
    (["--benchmark=k3s-cis-1.9"], 2, "for audit only"),
    (["--control=readOnlyPort", "--configz"], 0, "FIXED"),
    (["--control=readOnlyPort", "--expect=0123456789abcdef"], 4,
     "next: review it with: kubelet-remedy fix -n --control=readOnlyPort "),
    (["-n", "--control=readOnlyPort", "--restart=never", "--wait=9",
      "--no-rollback", "--retry", "--no-persist"], 1,
     "--no-persist --restart=never --wait=9 --no-rollback --retry --root="),
    (["--control=readOnlyPort", "--explicit"], 0,
     "next: kubelet-remedy audit --control=readOnlyPort --explicit --root="),
    (["--control=readOnlyPort", "--expect=1"], 2, "--expect"),
    (["-n", "--control=readOnlyPort"], 1, "# plan "),
    (["--control=readOnlyPort", "--waivers=/etc/w"], 4, "we need it"),
    (["--control=readOnlyPort", "--waivers=/etc/w", "--skip=readOnlyPort"], 2,
     "no control is left"),
    (["--benchmark=eks-1.8", "--waivers=/etc/w", "--skip=eventRecordQPS"], 1,
     "left: 3.2.4 readOnlyPort (waived): we need it"),
    (["--benchmark=eks-1.8", "--waivers=/etc/w", "--allow=readOnlyPort"], 4,
     "we need it"),
    # who names none is not asked which of both he means
    (["--waivers=/etc/w"], 0,
     "UNCHANGED  what was asked for is waived; nothing was changed"),
    (["--waivers=/etc/w"], 0,
     "makeIPTablesUtilChains (waived): its team knows"),
    (["-n", "--waivers=/etc/w"], 0,
     "makeIPTablesUtilChains (waived): its team knows"),
    (["--control=makeIPTablesUtilChains", "--waivers=/etc/w"], 4,
     "its team knows"),
]


NODES = [
    # (node, command and options, a part of what is printed, and what is not)
    ("made-gke-autopilot", ["fix", "--control=readOnlyPort"],
     "report one whose readOnlyPort is wrong", "true by default"),
    ("bottlerocket", ["fix", "--control=readOnlyPort,rotateCertificates",
                      "--explicit"],
     "(refused): set rotateCertificates there", "true by default"),
    ("eks-ubuntu-snap", ["fix", "--benchmark=eks-1.8"],
     "here it says Webhook already", "mode: true"),
    ("flatcar-typhoon-docker", ["fix", "--benchmark=cis-1.12"],
     "hostname-override (never): the owner must choose",
     "hostname-override: "),
    ("talos", ["audit", "--control=readOnlyPort"],
     "extraConfig.readOnlyPort: 0 with", "makeIPTables"),
    ("talos", ["audit", "--control=mode:config"], "UNKNOWN", "next:"),
    ("talos", ["fix", "--control=mode:config"],
     "mode:config: Talos writes kubelet's files, so fix does not change their modes and owners",
     "another program"),
    ("openshift", ["fix", "--control=mode:config"],
     "/etc/kubernetes/kubelet.conf: not changed: the Machine "
     "Config Operator writes it again within seconds", "another program"),
    # what fix refuses is not to be set by hand, either
    *((name, [command, "--control=protectKernelDefaults"],
       "do not set protectKernelDefaults there yourself, either: the next boot "
       "would lack 3 of the kernel's settings that it demands, and kubelet "
       "would exit; these lines must stand in a file of /etc/sysctl.d first",
       "protect-kernel-defaults=true")
      for name, command in (("microk8s", "fix"), ("k3s", "fix"),
                            ("rke2-agent", "fix"),
                            ("flatcar-typhoon-docker", "fix"))),
    *(("talos", [command, "--control=protectKernelDefaults"],
       "these must be set through Talos first:\n", "extraConfig")
      for command in ("fix", "audit")),
    # the edition is that of the platform, by auto
    ("k3s", ["fix", "--benchmark"],
     "REFUSED  k3s starts kubelet, so fix edits nothing here\n",
     "for audit only"),
    ("rke2-agent", ["fix", "-n", "--benchmark=auto"],
     "REFUSED  RKE2 starts kubelet, so fix edits nothing here\n",
     "for audit only"),
    ("openshift", ["fix", "--benchmark"],
     "REFUSED  the Machine Config Operator owns this node's files",
     "for audit only"),
    ("talos", ["fix", "--control=authorization.mode"],
     "extraConfig.authorization.mode: Webhook with 'talosctl patch "
     "machineconfig' instead, but not while kubelet has no known "
     "--kubeconfig", "another program"),
    # what would have to be asked for is done in the platform's own way
    *((name, ["fix", "-n", "--benchmark=cis-1.12", "--width=1000"], text,
       "fix -n --benchmark")
      for name, text in (
          ("openshift", "tlsCipherSuites (ask): it must be allowed: clients "
           "that know only other suites are refused; apply a KubeletConfig "
           "resource with spec.kubeletConfig.tlsCipherSuites: TLS_"),
          ("talos", "eventRecordQPS (ask): its value must be chosen: 0 lets "
           "kubelet flood the API server with events; set machine.kubelet."
           "extraConfig.eventRecordQPS: VALUE with 'talosctl patch"),
          ("talos", "seccompDefault: true with 'talosctl patch "
           "machineconfig' instead"),
          ("k3s", "podPidsLimit (ask): its value must be chosen: a pod cannot "
           "start more processes than that; write kubelet-arg: "
           '["pod-max-pids=VALUE"] in /etc/rancher/k3s/config.yaml yourself'),
          ("rke2-agent", "rotateCertificates (ask): it must be allowed: "
           "kubelet needs an API server that signs its requests; write "
           'kubelet-arg: ["rotate-certificates=true"]'),
          ("made-kubelet-is-a-script", "a pod cannot start more processes "
           "than that; kubelet must be started with --pod-max-pids=VALUE"))),
    ("made-kubelet-is-a-script", ["fix", "--control=podPidsLimit"],
     "kubelet must be started with --pod-max-pids=VALUE", "=false"),
    # what must not be set is no text to paste
    ("talos", ["fix", "-n", "--benchmark=cis-1.12"],
     "        extraConfig:\n#           readOnlyPort: 0\n", "anonymous:\n"),
    ("talos", ["fix", "--control=podPidsLimit"],
     "the owner must choose the value of podPidsLimit", "extraConfig"),
    ("k3s", ["fix", "--control=mode:unit"],
     "/etc/systemd/system/k3s.service: k3s starts kubelet, so fix changes "
     "nothing here: set the mode 0600", "another program"),
    ("nix-store", ["audit", "--benchmark=cis-1.12"],
     "next: makeIPTablesUtilChains: /nix/store/dddd-kubelet-config.yml:1:77: "
     "the key stands in a file of the Nix store", "--set="),
    ("kubeadm-debian", ["audit", "--control=mode:unit"],
     "next: mode:unit: /usr/lib/systemd/system/kubelet.service: not "
     "changed: the vendor's file, which the next update replaces; to override "
     "it, copy it to /etc/systemd/system/kubelet.service (root:root, 0600), "
     "which then gets no updates of the vendor's", "next: kubelet"),
    ("eks-al2023-nodeadm-default",
     ["fix", "--control=authorization.mode,makeIPTablesUtilChains"],
     "UNCHANGED  no control fails; nothing was changed", "Webhook;"),
    (FAILING, ["audit", "--control=podPidsLimit", "--explicit"],
     "next: kubelet-remedy fix -n --control=podPidsLimit --explicit "
     "--set=podPidsLimit=VALUE --root", "--allow"),
    (FAILING, ["audit", "--control=protectKernelDefaults"],
     "first:\n    vm.overcommit_memory = 1\n    kernel.panic = 10\n",
     "next: kubelet"),
    (FAILING, ["audit", "--benchmark=cis-1.12",
               "--skip=makeIPTablesUtilChains,readOnlyPort,mode:unit,"
               "authentication.anonymous.enabled,authorization.mode"],
     " --allow=tlsCipherSuites,seccompDefault --root", "VALUE"),
    ("eks-al2-config-false",
     ["audit", "--control=seccompDefault"],
     "next: kubelet-remedy fix -n --control=seccompDefault --root", "--allow"),
    (FAILING, ["audit", "--control=authentication.anonymous.enabled"],
     "next: authentication.anonymous.enabled: there is no client CA",
     "next: kubelet"),
    (FAILING, ["fix", "-n", "--benchmark=cis-1.12"],
     "fix -n --benchmark=cis-1.12 --control=podPidsLimit "
     "--set=podPidsLimit=VALUE --root", "fix -n --control"),
    ("eks-al2-config-false", ["audit", "-v", "--control=readOnlyPort"],
     "3.2.4 readOnlyPort is 0\n        demanded: 0\n        level 1, automated"
     "\n", "readOnlyPort: readOnlyPort"),
    # judged by the strictest, which is not what this platform's edition says
    ("eks-al2-config-false", ["audit", "--control=mode:config"],
     "  mode:config: ", "CIS Amazon EKS"),
    # what the change takes away is wrong no more
    ("json-string-bool", ["fix", "-n"],
     "# also corrects an error that stops kubelet: "
     "/etc/kubernetes/kubelet/kubelet-config.json:9:29: "
     "makeIPTablesUtilChains must be true or false", "error:"),
    ("json-string-bool", ["fix"], "FIXED", "must be"),
    ("mount-namespace-bind", ["fix", "--benchmark=cis-1.12"],
     "mode:unit is fixed; 18 controls are left", "files are correct"),
]


THREE = ["--control=makeIPTablesUtilChains,eventRecordQPS,"
         "featureGates.RotateKubeletServerCertificate", "--explicit",
         "--set=eventRecordQPS=5"]
RANCHER = ('kubelet-arg:\n  - "make-iptables-util-chains=true"\n'
           '  - "event-qps=5"\n'
           '  - "feature-gates=RotateKubeletServerCertificate=true"\n')
FLAGS = ("--make-iptables-util-chains=true\n--event-qps=5\n"
         "--feature-gates=RotateKubeletServerCertificate=true\n")
MEMBERS = ("makeIPTablesUtilChains: true\neventRecordQPS: 5\n"
           "featureGates:\n  RotateKubeletServerCertificate: true\n")
MCO = ("apiVersion: machineconfiguration.openshift.io/v1\n"
       "kind: KubeletConfig\nmetadata:\n  name: kubelet-remedy\nspec:\n"
       "  machineConfigPoolSelector:\n    matchLabels:\n"
       "      pools.operator.machineconfiguration.openshift.io/worker: \"\"\n"
       "  kubeletConfig:\n")


def below(head, blanks, text):
    return head + "".join(blanks + line + "\n" for line in text.splitlines())


def without(text, word):
    return "".join(line for line in text.splitlines(True) if word not in line)


BY_HAND = [
    # (node, options, what is to be put by hand)
    ("openshift", THREE, below(MCO, "    ", MEMBERS)),
    ("talos", THREE, below("machine:\n  kubelet:\n    extraConfig:\n",
                           "      ", MEMBERS)),
    # a flag elsewhere is what decides
    ("k3s", THREE, without(RANCHER, "chains")),
    ("rke2-agent", [THREE[0], "--skip=eventRecordQPS", "--explicit"],
     without(RANCHER, "event-qps")),
    ("microk8s", THREE, FLAGS),
    ("made-wrapper-script", THREE, without(FLAGS, "chains")),
    ("made-kubelet-is-a-script", THREE, FLAGS),
    ("flatcar-typhoon-docker", THREE, MEMBERS),
    # what would do harm, and what was not allowed, is not in it
    ("made-wrapper-script", ["--control=protectKernelDefaults,readOnlyPort"],
     "--read-only-port=0\n"),
    ("bottlerocket", ["--benchmark=cis-1.12", "--allow=seccompDefault"],
     "apiclient set settings.kubernetes.seccomp-default=true\n"),
    ("bottlerocket", ["--benchmark=cis-1.12"], None),
    ("openshift", ["--control=mode:config,mode:unit"], None),
]

WAIVED = ("readOnlyPort we need it\n"
          "makeIPTablesUtilChains its team knows\n")


def verdicts(audit):
    return {c["name"]: (c["verdict"], c["waiver"]) for c in audit["controls"]}


def check_waived(case):
    """fix, its preview and audit agree on what is waived, and it stays."""
    path = os.path.join(case.node.root, "etc/w")
    with open(path, "w", encoding="utf-8") as file:
        file.write(WAIVED)
    words = ("--benchmark=eks-1.8", "--waivers=/etc/w",
             "--kubelet-version=1.30")
    audit = [Run([case.program, "audit", "--root=" + case.node.root,
                  "-ojson", *words]).json(case.schemas, "audit.json",
                                          case.faults)]
    text = case.run("fix", "-n", *words).out
    shown, said = (case.json("fix", *more, *words)[1]
                   for more in (("-n",), ()))
    audit.append(Run([case.program, "audit", "--root=" + case.node.root,
                      "-ojson", *words]).json(case.schemas, "audit.json",
                                              case.faults))
    for name, got, want in (("preview: before", shown["before"], audit[0]),
                            ("preview: after", shown["after"], audit[1]),
                            ("fix: before", said["before"], audit[0]),
                            ("fix: after", said["after"], audit[1])):
        case.expect(verdicts(got) == verdicts(want)
                    and (got["verdict"], got["reason"])
                    == (want["verdict"], want["reason"]),
                    "%s: %s, and audit %s", name, verdicts(got),
                    verdicts(want))
    for name in ("readOnlyPort", "makeIPTablesUtilChains"):
        case.expect(verdicts(audit[1])[name][0] == "waived", "%s: %s", name,
                    verdicts(audit[1])[name])
        case.expect(re.search(r"^#   waived +\S+ +%s  " % name, text, re.M),
                    "%s: the preview's table: %s", name, text)
    case.expect("left: waived" not in text, "said twice: %s", text)
    case.expect(any(c["verdict"] == "fail" for c in said["before"]["controls"])
                and said["changes"], "nothing else was fixed")


def check_judged(case):
    """With --set a control that passes by the benchmark passes, before and
    behind it; the value that was asked for is written all the same."""
    words = ("--control=eventRecordQPS", "--kubelet-version=1.30")
    for value, outcome in (("7", "would-fix"), ("50", "unchanged")):
        run, said = case.json("fix", "-n", *words,
                              "--set=eventRecordQPS=" + value)
        got = [said[when]["controls"][0] for when in ("before", "after")]
        case.expect(said["outcome"] == outcome
                    and [c["verdict"] for c in got] == ["pass", "pass"]
                    and [c["views"]["disk"]["value"] for c in got]
                    == [50, int(value)], "%s: %s: %s", value, said["outcome"],
                    [(c["verdict"], c["reason"]) for c in got])


def check_either(case):
    """A default that depends on kubelet's version: both are said."""
    for program, words in (("audit", ()), ("fix", ("-n",))):
        said = case.run(program, *words, "--explicit", "--control="
                        "eventRecordQPS,makeIPTablesUtilChains").out
        case.expect("is false" not in said
                    and re.search("eventRecordQPS( is|) +5 or 50 ", said),
                    "%s says %s", program, said)


UNREAD = "/etc/kubernetes/pki/ca.crt: too large: a file may have 16 MiB"


def check_unread(case):
    """Of a client CA or a certificate that is too large to be read nothing is
    known: no verdict, and nothing is asked of its owner."""
    authority = case.node.root + "/etc/kubernetes/pki/ca.crt"
    config = case.node.root + "/var/lib/kubelet/config.yaml"
    os.makedirs(os.path.dirname(authority), exist_ok=True)
    with open(authority, "wb") as file:
        file.truncate((16 << 20) + 1)
    names = ("authentication.x509.clientCAFile",
             "tlsCertFile+tlsPrivateKeyFile")
    with open(config, encoding="utf-8") as file:
        text = file.read()
    with open(config, "w", encoding="utf-8") as file:
        file.write(text + "tlsCertFile: /etc/kubernetes/pki/ca.crt\n"
                   "tlsPrivateKeyFile: /etc/kubernetes/pki/key\n")
    both = "--control=%s,%s" % names
    run = case.run("audit", both, "-ojson")
    got = json.loads(run.out)
    case.expect(run.status == 3, "audit: %d", run.status)
    for control in got["controls"]:
        disk = control["views"]["disk"]
        case.expect(control["verdict"] == "unknown" and
                    disk["state"] == "unknown" and
                    UNREAD in control["reason"] and UNREAD in disk["reason"],
                    "audit: %s", control)
    before = case.node.snapshot()
    for words, status in (((both,), 3), (("--control=" + names[0],), 4)):
        run, said = case.json("fix", *words)
        case.expect(run.status == status, "%s: %d", words, run.status)
        texts = {left["control"]: (left["why"], left["text"])
                 for left in said["left"]}
        case.expect(not texts or texts[names[0]][0] == "refused" and
                    UNREAD in texts[names[0]][1], "%s: %s", words, texts)
    case.expect(case.node.snapshot() == before, "something was changed")
    run = case.run("fix", "--control=" + names[0],
                   "--set=%s=/etc/new.crt" % names[0])
    case.expect(run.status == 0, "--set: %d: %s%s", run.status, run.out,
                run.err)
    with open(config, "w", encoding="utf-8") as file:
        file.write(text.replace("enabled: false", "enabled: true"))
    run = case.run("fix", "--control=authentication.anonymous.enabled")
    case.expect(run.status == 4 and "cannot be read (too large" in run.out,
                "anonymous: %d: %s", run.status, run.out)


def check_whole_reason(case):
    """What has to be written first is a part of the reason, and said once."""
    words = ("--control=protectKernelDefaults",)
    run, said = case.json("fix", *words)
    message = [m["text"] for m in said["messages"] if m["code"] == "refused"]
    case.expect(run.status == 4 and [said["reason"]] == message and
                said["reason"].endswith(
                    "first:\nvm.overcommit_memory = 1\nkernel.panic = 10\n"
                    "kernel.panic_on_oops = 1"), "the reason: %r, %r",
                said["reason"], message)
    for more in (("-n",), ("-q",), ()):
        run = case.run("fix", *words, *more)
        text = run.out + run.err
        for part in ("protectKernelDefaults: the next boot would lack 3",
                     "  vm.overcommit_memory = 1\n"):
            case.expect(text.count(part) == 1, "%s: %r: %s", more, part, text)


def check_platform(case, words, text, never):
    run = case.run(*words, "--kubelet-version=1.30")
    said = run.out + run.err
    case.expect(text in said and never not in said, "says %s", said)


def check_words(case, options, status, text):
    path = os.path.join(case.node.root, "etc/w")
    with open(path, "w", encoding="utf-8") as file:
        file.write(WAIVED)
    run = case.run("fix", "--kubelet-version=1.30", *options)
    case.expect(run.status == status, "status %d\n%s%s", run.status, run.out,
                run.err)
    case.expect(text in run.out + run.err, "says %s%s", run.out, run.err)


def check_set(case):
    """What --set says is written over what passes, too, and once."""
    words = ("--control=authentication.x509.clientCAFile,eventRecordQPS",
             "--set=authentication.x509.clientCAFile=/etc/%s.crt",
             "--set=eventRecordQPS=%s")
    for name, number, outcome in (("one", "7", "fixed"),
                                  ("two", "0", "fixed"),
                                  ("two", "0", "unchanged")):
        run, said = case.json("fix", words[0], words[1] % name,
                              words[2] % number)
        values = [c["views"]["disk"]["value"] for c
                  in said["after"]["controls"]]
        case.expect((run.status, said["outcome"], values)
                    == (0, outcome, ["/etc/%s.crt" % name, int(number)]),
                    "%d %s %s", run.status, said["outcome"], values)


def check_set_left(case):
    """What passes without the value of --set, and does not get it, is no end."""
    words = ("--control=eventRecordQPS,owner:unit", "--kubelet-version=1.30")
    case.expect(case.run("audit", *words).status == 0, "audit does not pass")
    for more in (("-n",), ()):
        run, said = case.json("fix", "--set=eventRecordQPS=7", *words, *more)
        left = [(x["control"], x["why"]) for x in said["left"]]
        case.expect((run.status, said["outcome"], left) == (
            1, "unchanged", [("eventRecordQPS", "refused")]),
            "%d %s %s", run.status, said["outcome"], left)


# What kubelet refuses the node for, and the options of the one command that
# takes the owner's leave.
ASKED = [
    ('"tlsCipherSuites": ["TLS_FOO"]', " --control=tlsCipherSuites"),
    ('"eventRecordQPS": -1',
     " --control=eventRecordQPS --set=eventRecordQPS=VALUE"),
    ('"eventRecordQPS": -1, "tlsCipherSuites": ["TLS_FOO"]',
     " --control=makeIPTablesUtilChains,eventRecordQPS,tlsCipherSuites"
     " --set=eventRecordQPS=VALUE"),
    ('"eventRecordQPS": -1, "readOnlyPort": 99999',
     " --control=readOnlyPort,makeIPTablesUtilChains,eventRecordQPS"
     " --set=eventRecordQPS=VALUE"),
    ('"eventRecordQPS": -1, "registerNode": 7', None),
]


def check_asked(case, members, options):
    """A value that is asked for makes the node invalid."""
    write(case, MAIN, '{"apiVersion": "kubelet.config.k8s.io/v1beta1",\n'
          '"kind": "KubeletConfiguration",\n%s}\n' % members)
    case.node.give_kubeconfig()
    words = ("--benchmark=cis-1.12", "--kubelet-version=1.30")
    told = case.run("fix", *words).out
    run, said = case.json("fix", *words)
    check_commands(case, said)
    commands = {x["command"] for x in said["left"]
                if x["command"]}
    want = {"kubelet-remedy fix -n %s%s --root=%s %s" % (
        words[0], options, case.node.root, words[1])} if options else set()
    case.expect((run.status, commands) == (4, want), "%d %s", run.status,
                commands)
    if options:
        case.expect(told.rstrip().endswith("next: " + commands.pop()), "%s",
                    told)


HEAD = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
MAIN = "etc/kubernetes/kubelet/kubelet-config.json"


def write(case, path, text):
    path = os.path.join(case.node.root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def check_as_audit(case, words, status):
    """fix ends as the audit behind it judges."""
    run = case.run("fix", *words)
    audit = case.run("audit", *[word for word in words
                                if not word.startswith("--set")])
    case.expect((run.status, audit.status) == (status, min(status, 1)),
                "fix %d, audit %d\n%s%s%s", run.status, audit.status, run.out,
                run.err, audit.out)
    case.expect(status != 0 or "error:" not in run.err, "%s", run.err)
    return run


def check_file_of_cured(case):
    """What an invalid node hid of a file is fixed with it."""
    write(case, MAIN, HEAD + "makeIPTablesUtilChains: no thanks\n")
    ca = write(case, "etc/kubernetes/pki/ca.crt", CERTIFICATE)
    os.chmod(ca, 0o644)
    check_as_audit(case, (
        "--benchmark=cis-1.10", "--kubelet-version=1.36", "--control=mode:"
        "clientCA,authentication.x509.clientCAFile,makeIPTablesUtilChains",
        "--set=authentication.x509.clientCAFile=/etc/kubernetes/pki/ca.crt"),
        0)
    case.expect(os.stat(ca).st_mode & 0o777 == 0o600, "the mode stays")


def check_group(case):
    """Two that kubelet refuses: no error is left of their single tries."""
    write(case, MAIN, HEAD + "makeIPTablesUtilChains: no thanks\n"
          "readOnlyPort: 70000\n")
    check_as_audit(case, ("--control=readOnlyPort,makeIPTablesUtilChains",), 0)


def check_explicit(case):
    """What only kubelet's default decides behind the edit is not written down;
    what stands in for a control is."""
    unit = os.path.join(case.node.root, "etc/systemd/system/kubelet.service")
    with open(unit, encoding="utf-8") as file:
        text = file.read()
    with open(unit, "w", encoding="utf-8") as file:
        file.write(text.replace(" --config ", " --config-dir=/etc/k.d "
                                "--config "))
    case.expect(text.count(" --config ") == 1, "%s", text)
    write(case, "etc/k.d/10-a.conf",
          HEAD + "streamingConnectionIdleTimeout: 0s\n")
    check_as_audit(case, (
        "--explicit", "--kubelet-version=1.33",
        "--control=streamingConnectionIdleTimeout"), 4)
    write(case, MAIN, HEAD + "tlsMinVersion: VersionTLS13\n")
    run = check_as_audit(case, ("--explicit", "--kubelet-version=1.33",
                                "--control=tlsCipherSuites"), 0)
    case.expect("UNCHANGED" in run.out, "%s", run.out)


def check_shown(case):
    """What is shown as a command can be pasted, and holds nothing else."""
    run, said = case.json("fix", "-n", "--control=podPidsLimit,readOnlyPort",
                          "--kubelet-version=1.30")
    commands = [left["command"] for left in said["left"]]
    case.expect(commands and all(
        " --root=" + case.node.root in c and " --kubelet-version=1.30" in c
        for c in commands), "%r", commands)
    run = case.run("fix", "-n", "--control=authentication.x509.clientCAFile",
                   "--set=authentication.x509.clientCAFile=/a $(touch x)'b")
    case.expect("--set='authentication.x509.clientCAFile=/a $(touch x)'\\''b'"
                in run.out, "%s", run.out)
    run = case.run("fix", "-n", "--control=authentication.x509.clientCAFile",
                   "--set=authentication.x509.clientCAFile=/a\x1b[31m")
    case.expect(run.status == 2, "status %d", run.status)


def check_undo_of_version(case):
    """An undo that does not know the version that its fix was told."""
    words = ("--control=eventRecordQPS", "--set=eventRecordQPS=7",
             "--kubelet-version=1.30")
    case.run("fix", *words)
    run = case.run("undo")
    case.expect(run.status == 0, "status %d\n%s%s", run.status, run.out,
                run.err)


def check_offer(case):
    """The platform's own authority is offered where there is one alone."""
    words = ("--benchmark=eks-1.8",)
    option = "--set=authentication.x509.clientCAFile="
    for file, offered in ((None, "VALUE"),
                          ("pki", "/etc/kubernetes/pki/ca.crt"),
                          ("certs", "VALUE")):
        if file:
            folder = os.path.join(case.node.root, "etc/kubernetes", file)
            os.makedirs(folder, exist_ok=True)
            with open(folder + "/ca.crt", "w", encoding="ascii"):
                pass
        run = case.run("fix", "-n", *words)
        case.expect(option + offered + " " in run.out, "%s: %s", file, run.out)


def check_expected(case):
    """The plan that was shown, and no other."""
    words = ("--control=readOnlyPort,podPidsLimit", "--set=podPidsLimit=9")
    for words, status in ((words, 0), (words[:1], 1)):
        plan = case.json("fix", "-n", *words)[1].get("plan")
        words = words + ("--expect=%s" % plan,)
        # a bootstrap script that runs twice, also behind an undo
        for command, said in (("fix", "changed"), ("fix", "UNCHANGED"),
                              ("undo", "UNDONE"), ("fix", "changed"),
                              ("undo", "UNDONE")):
            run = case.run(command, *(words if command == "fix" else ()))
            case.expect(run.status == (status if command == "fix" else 0)
                        and said in run.out, "%s: status %d\n%s%s", command,
                        run.status, run.out, run.err)
        run = case.run("fix", "--control=readOnlyPort,podPidsLimit",
                       "--set=podPidsLimit=10", *words[-1:])
        case.expect(run.status == 4 and "the plan is not " in run.out,
                    "another: %d\n%s%s", run.status, run.out, run.err)


def check_once(case):
    """A preview has a value for each, an undo only its own words."""
    words = ("--control=hostname-override,eventRecordQPS,readOnlyPort",)
    run = case.run("fix", "-n", *words)
    for line in ("#   pass  4.2.7  hostname-override  not set\n",
                 "#   pass  4.2.8  eventRecordQPS     5 or 50\n",
                 "#   pass  4.2.4  readOnlyPort       0\n"):
        case.expect(line in run.out, "no %s%s", line, run.out)
    case.run("fix", *words)
    for options in (["-n"], []):
        run = case.run("undo", *options)
        case.expect(run.status == 0 and "is a control of" not in run.err,
                    "undo: %d %s", run.status, run.err)


def check_shared(case):
    """Why nothing can be told is said once."""
    run = case.run("audit", "--benchmark=eks-1.8")
    case.expect(run.out.count("starts kubelet in its own way") == 1
                and len(re.findall(r"(?m)^  unknown .* -$", run.out)) == 13
                and "have no verdict; there is no kubelet.service" in run.out,
                "%s", run.out)


def check_lines(case):
    """Lines to be written are lines, and stand once."""
    lines = ("vm.overcommit_memory = 1", "kernel.panic = 10",
             "kernel.panic_on_oops = 1")
    for options, start in ((["-n"], "#     "), ([], "    "), (["-q"], "    ")):
        run = case.run("fix", "--control=protectKernelDefaults", *options)
        said = (run.out + run.err).splitlines()
        case.expect([said.count(start + line) for line in lines] == [1] * 3
                    and "x0a" not in run.out + run.err, "%s: %s%s", options,
                    run.out, run.err)


def check_masked(case):
    """Lines that stand there already need more than to stand there."""
    write(case, "etc/sysctl.d/90-kubelet.conf", "vm.overcommit_memory=1\n"
          "kernel.panic=10\nkernel.panic_on_oops=1\n")
    os.symlink("/dev/null", case.node.root
               + "/etc/systemd/system/systemd-sysctl.service")
    run = case.run("fix", "--control=protectKernelDefaults")
    case.expect(run.status == 4 and "systemd-sysctl.service, which reads "
                "/etc/sysctl.d, is masked: it must be unmasked, and these "
                "lines" in run.out, "%d: %s", run.status, run.out)


UNIT = "/etc/systemd/system/kubelet.service"
MADE = UNIT + ".d/90-kubelet-remedy.conf"
CONFIG = "/etc/kubernetes/kubelet/kubelet-config.json"
KUBECONFIG = "/var/lib/kubelet/kubeconfig"
IMMUTABLE_FL, GETFLAGS, SETFLAGS = 0x10, 0x80086601, 0x40086602


def set_flag(path, on):
    fd = os.open(path, os.O_RDONLY)
    try:
        flags = struct.unpack("l", fcntl.ioctl(fd, GETFLAGS, bytes(8)))[0]
        flags = flags | IMMUTABLE_FL if on else flags & ~IMMUTABLE_FL
        fcntl.ioctl(fd, SETFLAGS, struct.pack("l", flags))
    finally:
        os.close(fd)


def make_immutable(path):
    """False where it cannot be: the file system has no such flag, or we are
    not root."""
    try:
        set_flag(path, True)
    except OSError:
        return False
    return True


def give_acl(path):
    """User 1000 may read."""
    acl = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, bits, who) for tag, bits, who in
        ((1, 6, 0xffffffff), (2, 4, 1000), (4, 4, 0xffffffff),
         (16, 4, 0xffffffff), (32, 4, 0xffffffff)))
    try:
        os.setxattr(path, "system.posix_acl_access", acl)
    except OSError:
        return False
    return True


def give_name(path):
    os.link(path, path + ".other")
    return True


def check_one_file(case, make):
    """One file that stays does not keep the others from being changed."""
    names = ["mode:config", "mode:kubeconfig", "makeIPTablesUtilChains"]
    stays = case.node.root + CONFIG
    other = case.node.root + KUBECONFIG
    case.node.give_kubeconfig()
    for path in (stays, other):
        os.chmod(path, 0o644)
    if not make(stays):
        case.skipped = "the file system or the user cannot do that"
        return
    try:
        told = case.run("audit", "--control=" + ",".join(names)).out
        run, said = case.json("fix", "--control=" + ",".join(names))
    finally:
        if make is make_immutable:
            set_flag(stays, False)
    left = {x["control"]: (x["why"], x["text"]) for x in said.get("left", [])}
    case.expect(run.status == 1 and said.get("outcome") == "partly-fixed",
                "%d: %s: %s", run.status, said.get("outcome"), run.err)
    case.expect("\nnext: kubelet-remedy fix -n " in told,
                "it hides from audit what fix does: %s", told)
    case.expect(set(left) == {"mode:config"}
                and left["mode:config"][0] == "never", "left: %s", left)
    case.expect(os.stat(other).st_mode & 0o777 == 0o600
                and os.stat(stays).st_mode & 0o777 == 0o644,
                "modes: %o and %o", os.stat(other).st_mode,
                os.stat(stays).st_mode)


def check_alone(case, make):
    """The only control whose file stays is left: it fails, nothing is refused."""
    stays = case.node.root + CONFIG
    os.chmod(stays, 0o644)
    if not make(stays):
        case.skipped = "the file system or the user cannot do that"
        return
    try:
        for more in ([], ["-n"]):
            run, said = case.json("fix", "--control=mode:config", *more)
            left = [(x["control"], x["why"]) for x in said.get("left", [])]
            case.expect(run.status == 1 and said.get("outcome") == "unchanged"
                        and left == [("mode:config", "never")], "%d: %s: %s",
                        run.status, said.get("outcome"), left)
    finally:
        if make is make_immutable:
            set_flag(stays, False)


def check_part(case):
    """Of a control of several files those are changed that may be; the way out
    of a vendor's own is named, and undo knows what was done."""
    unit = case.node.root + "/usr/lib/systemd/system/kubelet.service"
    os.makedirs(os.path.dirname(unit), exist_ok=True)
    os.rename(case.node.root + UNIT, unit)
    before = case.node.snapshot()
    dropin = [os.path.join(case.node.root + UNIT + ".d", name) for name in
              os.listdir(case.node.root + UNIT + ".d")][0]
    way = "to override it, copy it to " + UNIT + " (root:root, 0600)"
    for more in (["--control=mode:unit"], ["--control=mode:unit", "-n"],
                 ["--control=makeIPTablesUtilChains,mode:unit"]):
        run, said = case.json("fix", *more)
        left = [(x["control"], x["why"]) for x in said.get("left", [])]
        case.expect(run.status == 1 and left == [("mode:unit", "never")]
                    and way in said["left"][0]["text"]
                    and "mode:unit" not in said["reason"], "%s: %d: %s: %s",
                    more, run.status, said.get("reason"), said.get("left"))
        if more[-1] == "-n":
            case.expect(said.get("outcome") == "unchanged", "again: %s",
                        said.get("outcome"))
            case.run("undo")
    case.expect([os.stat(p).st_mode & 0o777 for p in (unit, dropin)]
                == [0o644, 0o600], "modes")
    run = case.run("undo")
    case.expect(run.status == 0 and case.node.snapshot() == before,
                "undo: %d: %s%s", run.status, run.out, run.err)
    os.unlink(dropin)
    run = case.run("audit", "--control=mode:unit")
    case.expect(way in run.out.splitlines()[-1], "audit: %s", run.out)


def check_mode_and_owner(case, name):
    """Mode and owner of one file are one change, and one undo."""
    path = {"config": CONFIG, "kubeconfig": KUBECONFIG, "clientCA": "/etc/ca",
            "unit": UNIT}[name]
    case.node.give_kubeconfig()
    write(case, "etc/ca", CERTIFICATE)
    write(case, CONFIG.lstrip("/"), HEAD + "authentication: {x509: "
          "{clientCAFile: /etc/ca}}\nreadOnlyPort: 10255\n")
    names = "mode:%s,owner:%s" % (name, name)
    for controls in (names, "readOnlyPort," + names):
        try:
            os.chown(case.node.root + path, 1000, 1000)
        except PermissionError:
            case.skipped = "only root gives a file away"
            return
        os.chmod(case.node.root + path, 0o666)
        before = case.node.snapshot()
        run, said = case.json("fix", "--control=" + controls)
        st = os.stat(case.node.root + path)
        case.expect((run.status, said.get("outcome"), said.get("left"),
                     st.st_uid, st.st_gid, st.st_mode & 0o7777 & ~0o044)
                    == (0, "fixed", [], 0, 0, 0o600), "%s: %d: %s: %s: %s",
                    controls, run.status, said.get("outcome"),
                    said.get("left"), st)
        run = case.run("undo")
        st = os.stat(case.node.root + path)
        case.expect((run.status, case.node.snapshot(), st.st_uid, st.st_gid)
                    == (0, before, 1000, 1000), "undo: %d: %s%s", run.status,
                    run.out, run.err)


def check_no_file(case, kind):
    """What is no regular file has no mode of a file: it is no pass."""
    path = os.path.join(case.node.root, "etc/kubernetes/own.conf")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if kind == "fifo":
        os.mkfifo(path, 0o600)
    elif kind == "folder":
        os.mkdir(path, 0o700)
    else:
        socket.socket(socket.AF_UNIX).bind(path)
        os.chmod(path, 0o600)
    unit = case.node.root + UNIT + ".d/10-kubelet-args.conf"
    write(case, os.path.relpath(unit, case.node.root),
          "[Service]\nEnvironment='KUBELET_ARGS="
          "--kubeconfig=/etc/kubernetes/own.conf'\n")
    words = ("--control=mode:kubeconfig,owner:kubeconfig",
             "--kubelet-version=1.30")
    said = Run([case.program, "audit", "--root=" + case.node.root, "-ojson",
                *words]).json(case.schemas, "audit.json", case.faults)
    for control in said["controls"]:
        case.expect(control["verdict"] == "unknown"
                    and "is not a regular file" in control["reason"],
                    "%s: %s: %s", control["name"], control["verdict"],
                    control["reason"])
    before = os.lstat(path)
    run = case.run("fix", *words)
    case.expect(run.status == 3 and os.lstat(path) == before, "%d: %s",
                run.status, run.out)


def check_why_asked(case):
    """What a mode may break is said where it must be allowed."""
    os.chmod(write(case, "etc/ca", CERTIFICATE), 0o644)
    write(case, CONFIG.lstrip("/"), HEAD + "authentication: {x509: "
          "{clientCAFile: /etc/ca}}\n")
    run = case.run("fix", "-n", "--benchmark=cis-1.10")
    case.expect("mode:clientCA (ask): it must be allowed: an API server, or "
                in run.out, "%s", run.out)


def check_undone_to_nothing(case):
    """What nothing sets has no value."""
    case.run("fix", "--control=tlsCipherSuites", "--kubelet-version=1.30")
    run = case.run("undo")
    case.expect("kubelet would start with no tlsCipherSuites now"
                in run.out, "%s", run.out)


def check_made(case):
    """A file that fix makes does not break the control of its mode."""
    unit = case.node.root + "/usr/lib/systemd/system/kubelet.service"
    made = case.node.root + MADE
    os.makedirs(os.path.dirname(unit), exist_ok=True)
    os.rename(case.node.root + UNIT, unit)
    shutil.rmtree(case.node.root + UNIT + ".d")
    with open(unit, encoding="utf-8") as file:
        text = file.read()
    with open(unit, "w", encoding="utf-8") as file:
        file.write(text.replace("$KUBELET_ARGS", "--read-only-port=10255"))
    os.chmod(unit, 0o600)
    before = case.node.snapshot()
    run, said = case.json("fix", "--control=readOnlyPort,mode:unit")
    case.expect(run.status == 0 and said.get("outcome") == "fixed"
                and not said.get("left"), "%d: %s: %s%s", run.status,
                said.get("outcome"), said.get("left"), run.err)
    case.expect(os.stat(made).st_mode & 0o7777 == 0o600, "mode %o",
                os.stat(made).st_mode)
    run = case.run("undo")
    case.expect(run.status == 0 and case.node.snapshot() == before,
                "undo: %d: %s", run.status,
                differences(before, case.node.snapshot()))
    run = case.run("fix", "--control=readOnlyPort", "--retry")
    case.expect(run.status == 0 and os.stat(made).st_mode & 0o7777 == 0o644,
                "alone: %d: mode %o", run.status, os.stat(made).st_mode)


def check_made_config(case):
    """The same of one in --config-dir."""
    folder = case.node.root + "/etc/kubernetes/kubelet.conf.d"
    os.makedirs(folder)
    with open(case.node.root + UNIT, "w", encoding="utf-8") as file:
        file.write("[Service]\nExecStart=/usr/bin/kubelet "
                   "--config-dir=/etc/kubernetes/kubelet.conf.d\n")
    before = case.node.snapshot()
    run, said = case.json("fix", "--benchmark=cis-1.12",
                          "--kubelet-version=1.32",
                          "--control=readOnlyPort,mode:config")
    case.expect(run.status == 0 and said.get("outcome") == "fixed"
                and not said.get("left"), "%d: %s: %s%s", run.status,
                said.get("outcome"), said.get("left"), run.err)
    mode = os.stat(folder + "/90-kubelet-remedy.conf").st_mode
    case.expect(mode & 0o7777 == 0o600, "mode %o", mode)
    run = case.run("undo")
    case.expect(run.status == 0 and case.node.snapshot() == before,
                "undo: %d: %s", run.status,
                differences(before, case.node.snapshot()))


CURED = [
    # (lines of the config file, flags, options, written in the end)
    ("readOnlyPort: 99999", "", ["--control=readOnlyPort"],
     "readOnlyPort: 0"),
    ("", "--read-only-port=99999", ["--control=readOnlyPort"], ""),
    ("authorization:\n  mode: webhook", "", ["--control=authorization.mode"],
     "mode: Webhook"),
    ("authorization:\n  mode: 5", "", ["--control=authorization.mode"],
     "mode: Webhook"),
    ("", "--authorization-mode=webhook", ["--control=authorization.mode"], ""),
    ("eventRecordQPS: -5", "",
     ["--control=eventRecordQPS", "--set=eventRecordQPS=5"],
     "eventRecordQPS: 5"),
    ("tlsCipherSuites: [tls_foo]", "", ["--control=tlsCipherSuites"],
     "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("readOnlyPort: 99999", "",
     ["--control=makeIPTablesUtilChains,readOnlyPort"], "readOnlyPort: 0"),
    ('makeIPTablesUtilChains: "no"\nreadOnlyPort: "0"', "",
     ["--control=makeIPTablesUtilChains,readOnlyPort"], "readOnlyPort: 0"),
    ('readOnlyPort: "0"\nmakeIPTablesUtilChains: "no"', "",
     ["--control=makeIPTablesUtilChains,readOnlyPort"],
     "makeIPTablesUtilChains: true"),
    ("readOnlyPort: 99999\neventRecordQPS: -5", "",
     ["--control=readOnlyPort,eventRecordQPS", "--set=eventRecordQPS=5"],
     "eventRecordQPS: 5"),
    ("eventRecordQPS: -5", "--read-only-port=99999",
     ["--control=readOnlyPort,eventRecordQPS", "--set=eventRecordQPS=5"],
     "eventRecordQPS: 5"),
]


def check_cured(case, lines, flags, options, written):
    """What kubelet refuses now, and the plan replaces, refuses no plan."""
    config = case.node.root + CONFIG
    with open(config, "w", encoding="utf-8") as file:
        file.write("apiVersion: kubelet.config.k8s.io/v1beta1\n"
                   "kind: KubeletConfiguration\n%s\n" % lines)
    with open(case.node.root + UNIT + ".d/10-kubelet-args.conf", "w",
              encoding="utf-8") as file:
        file.write("[Service]\nEnvironment='KUBELET_ARGS=%s'\n" % flags)
    case.node.give_kubeconfig()
    run = case.run("fix", "--kubelet-version=1.30", *options)
    case.expect(run.status == 0, "%d: %s%s", run.status, run.out, run.err)
    with open(config, encoding="utf-8") as file:
        case.expect(written in file.read(), "not written: %s", written)


# Members of the file: the control's own, which would be cured, and what stops
# that; and the name by which that is spoken of.
NOT_CURED = (
    ('"readOnlyPort": 99999', '"eventRecordQPS": -5', "eventRecordQPS"),
    ('"readOnlyPort": "x"', '"eventRecordQPS": -5', "eventRecordQPS"),
    ('"readOnlyPort": "x"', '"eventRecordQPS": "x"', "eventRecordQPS"),
    ('"readOnlyPort": "x"', '"makeIPTablesUtilChains": "no"',
     "makeIPTablesUtilChains"),
    ('"readOnlyPort": "x"', '"registerNode": 1', "registerNode"),
    ('"readOnlyPort": "x"', '"clusterDNS": "10.0.0.10"', "clusterDNS"),
    ('"readOnlyPort": "x"', '"clusterDNS": [1]', "each item of clusterDNS"),
    ('"readOnlyPort": "x"', '"registerWithTaints": [{"key": 1}]', "key"),
    ('"readOnlyPort": "x"', '"evictionHard": {"a": [1]}', "a"),
    ('"readOnlyPort": "x"', '"kubeReserved": 1', "kubeReserved"),
    ('"readOnlyPort": "x"', '"syncFrequency": "3x"', "syncFrequency"),
    ('"readOnlyPort": "x"', '"authentication": {"x509": {"clientCAFile": 5}}',
     "clientCAFile"),
    ('"readOnlyPort": "x"', '"authentication": 5', "authentication"),
    ('"makeIPTablesUtilChains": "no"', '"eventRecordQPS": -5',
     "eventRecordQPS"),
    ('"makeIPTablesUtilChains": "no"', '"eventRecordQPS": "x"',
     "eventRecordQPS"),
    ('"makeIPTablesUtilChains": "no"', '"maxPods": 1.5', "maxPods"),
    ('"eventRecordQPS": "x"', '"readOnlyPort": "x"', "readOnlyPort"),
)
KIND = ('"kind": "KubeletConfiguration"',
        '"apiVersion": "kubelet.config.k8s.io/v1beta1"')


def as_yaml(*members):
    return "\n".join(KIND + members) + "\n"


def as_json(*members):
    """On the same lines."""
    return "{%s}\n" % ",\n".join(KIND + members)


def check_not_cured(case, own, other, named):
    """Another setting is refused, too, which was not selected: it is named
    first, wherever it stands, and the control's is named as well."""
    def look(place, *write):
        for path, text in write:
            with open(case.node.root + path, "w", encoding="utf-8") as file:
                file.write(text)
        before = case.node.snapshot()
        run = case.run("fix", "--kubelet-version=1.32",
                       "--control=" + control, *options)
        first, err = (text.replace('"', "") for text in
                      (run.out.split("\n", maxsplit=1)[0], run.err))
        case.expect(run.status == 4
                    and first.startswith("REFUSED  %s:" % place)
                    and named + " must" in first,
                    "%s: %d: %s%s", place, run.status, run.out, run.err)
        return before, err

    control = own.split('"')[1]
    options = (["--set=eventRecordQPS=5"] if control == "eventRecordQPS"
               else [])
    for write in (as_yaml, as_json):
        for members in ((own, other), (other, own)):
            before, err = look("%s:%d" % (CONFIG, 3 + members.index(other)),
                               (CONFIG, write(*members)))
            case.expect(control + " must" in err, "not named: %s",
                        err)
            case.expect(case.node.snapshot() == before,
                        "something was written")
    folder = "/etc/kubernetes/kubelet.conf.d"
    dropin = folder + "/50-own.conf"
    os.makedirs(case.node.root + folder)
    with open(case.node.root + UNIT, encoding="utf-8") as file:
        unit = file.read()
    look("%s:3" % dropin, (CONFIG, as_yaml(own)), (dropin, as_yaml(other)),
         (UNIT, unit.replace("--config ", "--config-dir=%s --config "
                             % folder)))
    look("%s:3" % CONFIG, (CONFIG, as_yaml(other)), (dropin, as_yaml(own)))
    look("%s:4" % dropin, (CONFIG, as_yaml()), (dropin, as_yaml(own, other)))


def main():
    program, nodes, schemas = sys.argv[1:4]
    schemas, tap = Schemas(schemas), Tap()
    for name in sorted(os.listdir(nodes)):
        tree = os.path.join(nodes, name)
        if not os.path.isdir(tree):
            continue
        for edition in EDITIONS:
            row(tap, program, schemas, tree, "%s: %s" % (name, edition),
                check_node, edition)
    tree = os.path.join(nodes, FAILING)
    for options, status, text in WORDS:
        row(tap, program, schemas, tree, " ".join(options), check_words,
            options, status, text)
    for name, words, text, never in NODES:
        row(tap, program, schemas, os.path.join(os.path.dirname(__file__),
                                                "nodes", name),
            name + ": " + " ".join(words), check_platform, words, text, never)
    row(tap, program, schemas, os.path.join(nodes, "kubeadm-debian"),
        "a reason of several lines", check_whole_reason)
    row(tap, program, schemas, os.path.join(nodes, "kubeadm-debian"),
        "an authority that cannot be read", check_unread)
    for name, words, text in BY_HAND:
        row(tap, program, schemas, os.path.join(nodes, name),
            name + ", by hand: " + " ".join(words), check_by_hand, words, text)
    row(tap, program, schemas, os.path.join(os.path.dirname(__file__), "nodes",
                                            FLAG_AND_FILE),
        "an authority that is offered", check_offer)
    config = os.path.join(os.path.dirname(__file__), "nodes",
                          "cis-text-config-false")
    for name, check in (("a file of a node that is cured", check_file_of_cured),
                        ("two that are refused", check_group),
                        ("written down", check_explicit),
                        ("a command that is shown", check_shown),
                        ("undo without the version", check_undo_of_version)):
        row(tap, program, schemas, config, name, check)
    row(tap, program, schemas, tree, "the expected plan", check_expected)
    row(tap, program, schemas, tree, "what would be, and undo", check_once)
    row(tap, program, schemas,
        os.path.join(os.path.dirname(__file__), "nodes", "talos"),
        "why nothing can be told", check_shared)
    row(tap, program, schemas,
        os.path.join(os.path.dirname(__file__), "nodes", "nix-store"),
        "a value that is left", check_set_left)
    row(tap, program, schemas, tree, "a value that passes", check_set)
    row(tap, program, schemas, tree, "a value, and the verdict", check_judged)
    row(tap, program, schemas, tree, "waived alike", check_waived)
    row(tap, program, schemas, tree, "one of two defaults", check_either)
    row(tap, program, schemas, tree, "lines to be written", check_lines)
    row(tap, program, schemas, tree, "lines that are not read", check_masked)
    tree = os.path.join(nodes, FLAG_AND_FILE)
    for cured in CURED:
        row(tap, program, schemas, tree, "cured: %s" % " ".join(
            (cured[0] + " " + cured[1]).split()), check_cured, *cured)
    row(tap, program, schemas, tree, "the mode of a part", check_part)
    for kind in ("fifo", "folder", "socket"):
        row(tap, program, schemas, tree, "no file: " + kind, check_no_file,
            kind)
    row(tap, program, schemas, tree, "why a mode is asked for",
        check_why_asked)
    row(tap, program, schemas, tree, "undone to nothing",
        check_undone_to_nothing)
    for name in ("config", "kubeconfig", "clientCA", "unit"):
        row(tap, program, schemas, tree, "mode and owner: " + name,
            check_mode_and_owner, name)
    for members, options in ASKED:
        row(tap, program, schemas, tree, "asked for: " + members, check_asked,
            members, options)
    for words in NOT_CURED:
        row(tap, program, schemas, tree, "not cured: " + ", ".join(words[:2]),
            check_not_cured, *words)
    row(tap, program, schemas, tree, "the mode of what is made", check_made)
    row(tap, program, schemas, tree, "the mode of a configuration that is made",
        check_made_config)
    for make in (make_immutable, give_acl, give_name):
        row(tap, program, schemas, tree, "one file: " + make.__name__,
            check_one_file, make)
        row(tap, program, schemas, tree, "one file, alone: " + make.__name__,
            check_alone, make)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
