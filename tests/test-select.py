#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which controls an audit is about, and which of them are waived.

    test-select.py PROGRAM NODES SCHEMAS

Every output is checked against the schema. The rows about waivers need root,
since a file of waivers that is another's is refused.
"""

import datetime
import json
import os
import re
import sys
import tempfile

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
    ("nothing named", [], 1, {ONE: "3.2.6"}),
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
    ("by name", ["--control=" + PORT], 1, {PORT: "3.2.4"}),
    ("by flag", ["--control=read-only-port"], 1, {PORT: "3.2.4"}),
    ("by a number that is clear", ["--control=3.2.4"], 1, {PORT: "3.2.4"}),
    ("by number", ["--benchmark=eks-1.2", "--control=3.2.6"], 1,
     {"protectKernelDefaults": "3.2.6"}),
    ("by number of auto", ["--benchmark", "--control=3.2.6,3.2.6"], 1,
     {ONE: "3.2.6"}),
    ("twice the same", ["--control=readOnlyPort,3.2.4,read-only-port"], 1,
     {PORT: "3.2.4"}),
    ("a file", ["--control=mode:config"], 1, {"mode:config": None}),
    ("without a demand", ["--control=tlsMinVersion,healthzPort"], 2,
     {"tlsMinVersion": None}),
]

# what is typed, and what is offered; None: nothing is near
GATE = "featureGates.RotateKubeletServerCertificate"
MEANT = [
    ("RotateKubeletServerCertificate", GATE),
    ("rotatekubeletservercertificate", GATE),
    ("RotateKubeletServerCertificates", GATE),
    ("featureGates.RotateServerCertificate", GATE),
    ("rotateServerCertificates", "rotate-server-certificates"),
    ("READONLYPORT", PORT),
    ("--read-only-port", "read-only-port"),
    ("read_only_port", PORT),
    ("protect_kernel_defaults", "protectKernelDefaults"),
    ("seccomp-defaults", "seccomp-default"),
    ("hostnameOverride", "hostname-override"),
    ("clientCAFile", "authentication.x509.clientCAFile"),
    ("client-ca", "client-ca-file"),
    ("authentication.anonymous", "authentication.anonymous.enabled"),
    ("tlscertfile", "tlsCertFile"),
    ("mode:kubeconf", "mode:kubeconfig"),
    ("MODE:CONFIG", "mode:config"),
    ("maxPods", None),
    ("mode", "authorization.mode"),
]
NUMBERS = [
    ("3.2.99", "3.2.9"),
    ("4.2.6", "3.2.6"),
    ("3.2", None),
    ("9.9.9.9.9", None),
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

    def meant(self, words, word, want):
        """What is near is offered, and would be taken."""
        run = Run([self.program, "audit", "--root=/", *words,
                   "--control=" + word])
        offer = "did you mean '%s'?\n" % want
        self.equal((run.status, run.err.endswith(offer),
                    "did you mean" in run.err),
                   (2, want is not None, want is not None), run.err)
        if want:
            with NodeCopy(self.tree) as node:
                run, _ = self.audit(node, *words, "--control=" + want)
            self.equal(run.status == 2, False, "what is offered is refused")
        return self.taken()

    def gates(self):
        """The flag of all gates is no setting; those that are known are named."""
        for word in ("feature-gates", "--feature-gates", "featureGates",
                     "FeatureGates"):
            run = Run([self.program, "audit", "--control=" + word])
            self.equal((run.status, run.err), (
                2, "kubelet-remedy: --control: '%s' holds many settings: name "
                "the gate, of which these are known: %s\n" % (word, GATE)),
                       word)
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
            run, got = self.audit(node, "--waivers=w", "--benchmark=eks-1.8")
            texts = [m["text"] for m in got["messages"]
                     if m["file"] == "/w"]
            self.equal((len(texts), texts[0].endswith(" at %s/w" % node.root)),
                       (1, code == "file-unreadable"), "the node's own path")
        self.equal((run.status, got.get("verdict"), len(got["controls"])),
                   (3, "unknown", 13), "an error, never ignored")
        self.equal([m["code"] for m in got["messages"]
                    if m["severity"] == "error"], [code], "code")
        return self.taken()


    def paths_of_waivers(self):
        """However it is named, a path is the node's own."""
        for given in ("w", "/w", "./w", "/x/../w", "//w"):
            with NodeCopy(self.tree) as node:
                with open(node.root + "/w", "w", encoding="utf-8") as file:
                    file.write(ONE + "\n")
                _, got = self.audit(node, "--waivers=" + given)
            self.equal([m["file"] for m in got["messages"]
                        if m["code"].startswith("waiver")], ["/w"], given)
        with NodeCopy(self.tree) as node:
            run = Run([self.program, "audit", "--waivers=w", "--root=" +
                       node.root])
            self.equal("; it is looked for at %s/w\n" % node.root in
                       run.out + run.err, True, run.out + run.err)
        return self.taken()


def write(path, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(ONE + " reason\n")
    os.chmod(path, mode)


def verbose(test):
    """With -v each line says what is demanded, and what scanners miss."""
    with NodeCopy(test.tree) as node:
        out = [Run([test.program, "audit", "--root=" + node.root,
                    "--benchmark=aks-1.8", "--control=event-qps,3.2.4",
                    *words]).out for words in (["-v"], [])]
    want = ("        demanded: 0 or more\n        level 2, automated\n"
            "        scanners: kube-bench passes only a 0 that is written "
            "down\n")
    return [] if want in out[0] and "demanded" not in out[1] else out


def obstacles(test, nodes):
    """What keeps fix from a control that fails is in its audit; holds are of
    live nodes."""
    for name, wanted in (("protectKernelDefaults", "vm.overcommit_memory = 1"),
                         ("serverTLSBootstrap", ""), (PORT, "")):
        with NodeCopy(os.path.join(nodes, "kubeadm-debian")) as node:
            _, got = test.audit(node, "--control=" + name)
        control = got["controls"][0]
        test.equal(control["hold"], None, name + ": hold")
        test.equal(wanted in (control["refusal"] or ""), True,
                   name + ": refusal")
        test.equal(bool(control["refusal"]), bool(wanted), name + ": refusal")
    return test.taken()


STATE = "/var/lib/kubelet-remedy/"
YAML = "/var/lib/kubelet/config.yaml"
KERNEL = "protectKernelDefaults"
BOOTSTRAP = "serverTLSBootstrap"
MODE = "authorization.mode"
GATE = "featureGates.RotateKubeletServerCertificate"
BACK = r"a fix with it, made at .*, was rolled back \(it ended\)"
BOTH = MODE + "," + PORT
PUT_BACK = (
    # (name, the fix that was put back, who was to blame, what is audited, who
    # is refused then, what the last line is like)
    ("the only control", PORT, None, PORT, {PORT},
     "next: this change was rolled back before"),
    ("of two, not together", BOTH, None, PORT, set(),
     "next: kubelet-remedy fix -n --control=readOnlyPort"),
    ("of two, together", BOTH, None, BOTH, {PORT, MODE},
     "next: this change was rolled back before"),
    ("one to blame", BOTH, PORT, BOTH, {PORT},
     "next: kubelet-remedy fix -n --control="),
    ("the only one to blame", PORT, PORT, PORT, {PORT},
     "next: readOnlyPort: a fix with it"),
)


def record_put_back(test, node, controls, blamed):
    """A fix of CONTROLS was made, and put back."""
    with open(node.root + YAML, "rb") as file:
        before = file.read()
    Run([test.program, "fix", "--root=" + node.root, "--control=" + controls])
    (name,) = os.listdir(node.root + STATE)
    path = node.root + STATE + name + "/manifest.json"
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**record, "state": "put-back", "reason": "it ended",
                   "blamed": blamed}, file)
    with open(node.root + YAML, "wb") as file:
        file.write(before)


def put_back(test, nodes, fix, blamed, names, refused, last):
    with NodeCopy(os.path.join(nodes, "kubeadm-debian")) as node:
        with open(node.root + YAML, encoding="ascii") as file:
            text = file.read().replace("mode: Webhook", "mode: AlwaysAllow")
        with open(node.root + YAML, "w", encoding="ascii") as file:
            file.write(text + "readOnlyPort: 10255\n")
        record_put_back(test, node, fix, blamed)
        _, got = test.audit(node, "--control=" + names)
        text = Run([test.program, "audit", "--root=" + node.root,
                    "--control=" + names]).out
    test.equal({c["name"] for c in got["controls"]
                if re.match(BACK, c["refusal"] or "")}, refused, "refused")
    test.equal(text.splitlines()[-1].startswith(last), True, text)
    return test.taken()


def refused_in_text(test, nodes):
    """What forbids a fix stands in the block; a gate that the same fix turns
    on does not."""
    with NodeCopy(os.path.join(nodes, "kubeadm-debian")) as node:
        with open(node.root + YAML, "a", encoding="ascii") as file:
            file.write("featureGates: {RotateKubeletServerCertificate: "
                       "false}\n")
        for names, blocks, last in (
                ((KERNEL, BOOTSTRAP), 2, "node at "),
                ((KERNEL, BOOTSTRAP, ONE), 2, "next: kubelet-remedy fix -n "),
                ((KERNEL, BOOTSTRAP, GATE), 1, "next: kubelet-remedy fix -n "),
                ((BOOTSTRAP,), 0, "next: serverTLSBootstrap: the feature")):
            text = Run([test.program, "audit", "--root=" + node.root,
                        "--control=" + ",".join(names)]).out
            test.equal(text.count("\n  refused: "), blocks, text)
            end = [l for l in text.splitlines() if l[:1] != " "][-1]
            test.equal(end.startswith(last), True, text)
    return test.taken()


ALONE = ("apiVersion: kubelet.config.k8s.io/v1beta1\n"
         "kind: KubeletConfiguration\nmakeIPTablesUtilChains: %s\n")


def file_alone(test):
    """Without unit and process --config names what is judged; fix waits."""
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(root + "/etc")
        for name, text in (("no", "false"), ("yes", "true"), ("bad", "[]")):
            with open(root + "/etc/" + name, "w", encoding="ascii") as file:
                file.write(ALONE % text)
        for words, command, status, place in (
                ("--config=/etc/no", "audit", 1, "/etc/no:3:25"),
                ("--config=/etc/yes", "audit", 0, "/etc/yes:3:25"),
                ("--config=/etc/bad", "audit", 3, "/etc/bad:3:25"),
                ("--config=/etc/gone", "audit", 3, "/etc/gone"),
                ("--config=/etc/no --unit=a.service", "audit", 3, "a.service"),
                ("--unit=kubelet.service", "audit", 3, "not configured here"),
                ("--config=/etc/no", "fix", 3, "no kubelet.service"),
                ("--config=/etc/no -n", "fix", 3, "no kubelet.service")):
            run = Run([test.program, command, "--root=" + root,
                       *words.split()])
            test.equal(run.status, status, command + " " + words)
            test.equal(place in run.out, True, "%s %s: %s\n%s" % (
                command, words, place, run.out))
            test.equal("next: kubelet-remedy fix" in run.out, False,
                       words + ": a fix that would do nothing is named")
    return test.taken()


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
    yield "its path", test.paths_of_waivers()
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
    for word, want in MEANT:
        tap.row("meant: " + word, test.meant([], word, want))
    for word, want in NUMBERS:
        tap.row("meant: " + word,
                test.meant(["--benchmark=eks-1.8"], word, want))
    tap.row("gates", test.gates())
    tap.row("--verbose", verbose(test))
    tap.row("a file alone", file_alone(test))
    tap.row("controls", listed(test))
    tap.row("what keeps fix from it", obstacles(test, nodes))
    tap.row("what keeps fix from it, in text", refused_in_text(test, nodes))
    for name, *row in PUT_BACK:
        tap.row("put back: " + name, put_back(test, nodes, *row))
    tap.row("modes", test.modes())
    if os.geteuid() != 0:
        tap.skip("waivers", "needs root")
    else:
        for name, faults in waivers(test):
            tap.row(name, faults)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
