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
import os
import shutil
import struct
import sys

from cli_lib import NodeCopy, Run, Tap, differences
from json_schema import Schemas

EDITIONS = ("eks-1.8", "cis-1.12")
STATUSES = {"unchanged": (0, 1, 3), "fixed": (0,), "partly-fixed": (1, 3),
            "refused": (4,), "unconfigured": (3,)}
FAILING = "made-flag-last-no-config"
FLAG_AND_FILE = "cis-text-flag-false-file-true"


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
    if outcome in ("refused", "unconfigured"):
        return
    failing = [c["name"] for c in said.get("after", {}).get("controls", [])
               if c["verdict"] == "fail" and left.get(c["name"]) != "waived"]
    case.expect(run.status == 1 or not failing, "status %d, and %s fail",
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


def check_node(case, edition):
    words = ("--benchmark=" + edition, "--kubelet-version=1.30")
    before = case.node.snapshot()
    shown = case.json("fix", "-n", *words)[1]
    case.expect(case.node.snapshot() == before, "fix -n writes")
    run, said = case.json("fix", *words)
    check_result(case, run, said)
    case.expect(shown.get("plan") == said.get("plan"),
                "the plan that was shown is another")
    case.expect(shown.get("left") == said.get("left"),
                "what is left was shown otherwise")
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
    (["--control=podPidsLimit", "--set=podPidsLimit=x"], 2, "does not take"),
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
     2, "needs no leave"),
    (["--control=hostname-override", "--allow=hostname-override"], 2,
     "the owner's to change"),
    (["--control=podPidsLimit", "--allow=podPidsLimit"], 2, "--set"),
    (["--control=podPidsLimit", "--set=podPidsLimit=9",
      "--allow=podPidsLimit"], 0, "FIXED"),
    (["--control=readOnlyPort", "--allow=readOnlyPort"], 0, "FIXED"),
    (["--control=eventRecordQPS", "--set=eventRecordQPS=0"], 0, "FIXED"),
    (["--control=eventRecordQPS", "--set=eventRecordQPS=50"], 0, "UNCHANGED"),
    (["-n", "--benchmark=cis-1.12", "--set=podPidsLimit=9"], 1,
     "--pod-max-pids=9"),
    (["--control=protectKernelDefaults"], 4, "vm.overcommit_memory = 1"),
    (["--control=protectKernelDefaults,readOnlyPort"], 1,
     "left: protectKernelDefaults (refused)"),
    (["--benchmark=k3s-cis-1.9"], 2, "for audit only"),
    (["--control=readOnlyPort", "--configz"], 2, "--configz"),
    (["--control=readOnlyPort", "--expect=0123456789abcdef"], 4,
     "next: look at it with: kubelet-remedy fix -n --control=readOnlyPort "),
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
     "left: readOnlyPort (waived): we need it"),
]


NODES = [
    # (node, command and options, a part of what is printed, and what is not)
    ("made-gke-autopilot", ["fix", "--control=readOnlyPort"],
     "take one whose readOnlyPort is wrong", "true by default"),
    ("bottlerocket", ["fix", "--control=readOnlyPort,rotateCertificates",
                      "--explicit"],
     "settings API, which may have none for rotateCertificates", "true by default"),
    ("eks-ubuntu-snap", ["fix", "--benchmark=eks-1.8"],
     "here it says Webhook already", "mode: true"),
    ("flatcar-typhoon-docker", ["fix", "--benchmark=cis-1.12"],
     "what hostname-override has to be is the owner's", "hostname-override: "),
    ("talos", ["audit", "--control=readOnlyPort"],
     "extraConfig.readOnlyPort: 0 with", "makeIPTables"),
    ("talos", ["audit", "--control=mode:config"], "UNKNOWN", "next:"),
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
    ("mount-namespace-bind", ["fix", "--benchmark=cis-1.12"],
     "the files have mode:unit as demanded now; 18", "files are right"),
]


def check_platform(case, words, text, never):
    run = case.run(*words, "--kubelet-version=1.30")
    said = run.out + run.err
    case.expect(text in said and never not in said, "says %s", said)


def check_words(case, options, status, text):
    path = os.path.join(case.node.root, "etc/w")
    with open(path, "w", encoding="utf-8") as file:
        file.write("readOnlyPort we need it\n")
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


def check_expected(case):
    """The plan that was shown, and no other."""
    words = ("--control=readOnlyPort,podPidsLimit", "--set=podPidsLimit=9")
    plan = case.json("fix", "-n", *words)[1].get("plan")
    run = case.run("fix", *words, "--expect=%s" % plan)
    case.expect(run.status == 0, "status %d\n%s", run.status, run.err)


def check_once(case):
    """A preview has a value for each, an undo only its own words."""
    words = ("--control=hostname-override,eventRecordQPS,readOnlyPort",)
    run = case.run("fix", "-n", *words)
    for line in ("# hostname-override would be not set\n",
                 "# eventRecordQPS would be 5 or 50\n",
                 "# readOnlyPort would be 0\n"):
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
                and run.out.count("no verdict, as said above") == 13
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
        run, said = case.json("fix", "--control=" + ",".join(names))
    finally:
        if make is make_immutable:
            set_flag(stays, False)
    left = {x["control"]: (x["why"], x["text"]) for x in said.get("left", [])}
    case.expect(run.status == 1 and said.get("outcome") == "partly-fixed",
                "%d: %s: %s", run.status, said.get("outcome"), run.err)
    case.expect(set(left) == {"mode:config"}
                and left["mode:config"][0] == "never", "left: %s", left)
    case.expect(os.stat(other).st_mode & 0o777 == 0o600
                and os.stat(stays).st_mode & 0o777 == 0o644,
                "modes: %o and %o", os.stat(other).st_mode,
                os.stat(stays).st_mode)


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


def check_not_cured(case):
    """Another setting is refused, too, which nobody has selected."""
    with open(case.node.root + CONFIG, "w", encoding="utf-8") as file:
        file.write("apiVersion: kubelet.config.k8s.io/v1beta1\n"
                   "kind: KubeletConfiguration\nreadOnlyPort: 99999\n"
                   "eventRecordQPS: -5\n")
    before = case.node.snapshot()
    run = case.run("fix", "--kubelet-version=1.30", "--control=readOnlyPort")
    case.expect(run.status == 4 and "must be put right first" in run.err,
                "%d: %s%s", run.status, run.out, run.err)
    case.expect(case.node.snapshot() == before, "something was written")


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
    row(tap, program, schemas, tree, "the expected plan", check_expected)
    row(tap, program, schemas, tree, "what would be, and undo", check_once)
    row(tap, program, schemas,
        os.path.join(os.path.dirname(__file__), "nodes", "talos"),
        "why nothing can be told", check_shared)
    row(tap, program, schemas, tree, "a value that passes", check_set)
    row(tap, program, schemas, tree, "lines to be written", check_lines)
    tree = os.path.join(nodes, FLAG_AND_FILE)
    for cured in CURED:
        row(tap, program, schemas, tree, "cured: %s" % " ".join(
            (cured[0] + " " + cured[1]).split()), check_cured, *cured)
    row(tap, program, schemas, tree, "not cured", check_not_cured)
    row(tap, program, schemas, tree, "the mode of what is made", check_made)
    for make in (make_immutable, give_acl, give_name):
        row(tap, program, schemas, tree, "one file: " + make.__name__,
            check_one_file, make)
    return tap.end()


sys.exit(main())
