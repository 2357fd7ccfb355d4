#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files that people posted, and trials, of which kubelet makes something else
than they look like.

    test-kubelet-reports.py PROGRAM SCHEMAS REPORTS

Each folder of REPORTS is an image with a README that says what is right and
why; the rows below ask for it. Behind them stand variants of the same kinds,
made here: an image with a unit, a config file and drop-ins.
"""

import base64
import os
import re
import shutil
import sys
import tempfile

from audit_lib import only
from cli_lib import NodeCopy, Run, Tap
from json_schema import Schemas

GVK = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
KEY = "makeIPTablesUtilChains: "
CONFIG, FOLDER = "/etc/kubelet.yaml", "/etc/kubelet.d"
OLD, NEW = "1.30", "v1.33.2-eks-1"
DPKG = ("Package: kubeadm\nStatus: install ok installed\nVersion: 1.33.0-1.1\n"
        "\nPackage: kubelet\nStatus: %s\nArchitecture: amd64\n"
        "Version: %s\n\nPackage: zlib\nStatus: install ok installed\n"
        "Version: 1.30.0\n")
ROCKET = "ID=%s\nVARIANT_ID=%s\n"
STATUSES = {"true": 0, "false": 1, "invalid": 3, "unknown": 3}


def with_client(text):
    """TEXT, with --kubeconfig behind each command that runs kubelet: without it
    the defaults below a config file end kubelet."""
    if b"--kubeconfig" in text:
        return text
    return re.sub(rb"(?m)^(ExecStart=(?:/usr/bin/env (?:\w+=\w+ )?)?[^ ]*/kubelet"
                  rb"(?: .*)?)(?<!\\)$", rb"\1 --kubeconfig=/k", text)


class Image:
    """A tree below a folder of its own; a tuple is a link's target."""

    def __init__(self, files):
        self.files = files

    def __enter__(self):
        self.root = tempfile.mkdtemp(prefix="kr-report-")
        for path, text in self.files.items():
            full = self.root + path
            os.makedirs(os.path.dirname(full), exist_ok=True)
            if isinstance(text, tuple):
                os.symlink(text[0], full)
                continue
            if isinstance(text, str):
                text = text.encode()
            if "/kubelet.service" in path:
                text = with_client(text)
            with open(full, "wb") as file:
                file.write(text)
        with open(self.root + "/k", "ab"):
            pass
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)


def node(config, dropins=(), args="", binary="/usr/bin/kubelet", **files):
    """CONFIG and DROPINS are what stands behind kind and apiVersion; as bytes
    they are the whole file."""
    def whole(text):
        return text if isinstance(text, bytes) else GVK + text

    words = [binary, args]
    tree = {}
    if config is not None:
        words.append("--config=" + CONFIG)
        tree[CONFIG] = whole(config)
    if dropins:
        words.append("--config-dir=" + FOLDER)
    for i, text in enumerate(dropins):
        tree["%s/%d.conf" % (FOLDER, i)] = whole(text)
    tree["/etc/systemd/system/kubelet.service"] = \
        "[Service]\nExecStart=%s\n" % " ".join(words)
    tree.update({"/" + p.replace("__", "/").replace("_", "-"): t
                 for p, t in files.items()})
    return tree


class Check:
    def __init__(self, program, schemas, root):
        self.program, self.schemas, self.root = program, schemas, root
        self.faults = []

    def run(self, command, *words):
        run = Run([self.program, command, "--root=" + self.root,
                   "--output=json", *words])
        return run.status, only(run.json(
            self.schemas, command.split()[0] + ".json", self.faults))

    def fault(self, text, *args):
        self.faults.append(text % args)

    def audit(self, want, *words, codes=(), none=()):
        """WANT is the disk's state; messages of CODES, and of NONE none."""
        status, got = self.run("audit", *words)
        view = got.get("views", {}).get("disk", {})
        if view.get("state") != want or status != STATUSES[want]:
            self.fault("%s: the disk is %s (status %s), wanted %s: %s", words,
                       view.get("state"), status, want, view.get("reason"))
        if want == "unknown" and not view.get("reason"):
            self.fault("unknown without a reason")
        found = [m["code"] for m in got.get("messages", [])]
        for code in codes:
            if found.count(code) < 1:
                self.fault("%s: no message %s: %s", words, code, found)
        for code in none:
            if code in found:
                self.fault("%s: a message %s", words, code)
        return got

    def fix(self, want, *words, then=()):
        """WANT is the status; afterwards it is true with each of THEN."""
        status, got = self.run("fix", "--restart=never", *words)
        if status != want:
            self.fault("fix %s: status %s, wanted %s: %s", words, status, want,
                       [m["text"] for m in got.get("messages", [])])
        for version in then:
            self.audit("true", "--kubelet-version=" + version)
        return got

    def told(self, got, code, *places):
        """The messages of CODE have these places, FILE:LINE:COLUMN."""
        found = ["%(file)s:%(line)s:%(column)s" % m
                 for m in got.get("messages", []) if m["code"] == code]
        if found != list(places):
            self.fault("%s at %s, wanted %s", code, found, places)


# --- drop-ins and kubelet's version -----------------------------------------------

def version_rows():
    """Name, tree, the state with OLD, with NEW, without a version, the status
    of fix without one."""
    return [
        ("null over false", node(KEY + "false\n", [KEY + "null\n"]),
         "false", "true", "unknown", 0),
        ("an empty value over false", node(KEY + "false\n", [KEY + "\n"]),
         "false", "true", "unknown", 0),
        ("null over false over true",
         node(KEY + "true\n", [KEY + "false\n", KEY + "null\n"]),
         "true", "true", "true", 0),
        ("Go's name false over false",
         node(KEY + "false\n", ["MakeIPTablesUtilChains: false\n"]),
         "false", "false", "false", 0),
        ("Go's name false over true",
         node(KEY + "true\n", ["MakeIPTablesUtilChains: false\n"]),
         "false", "true", "unknown", 0),
        ("Go's name true over false",
         node(KEY + "false\n", ["MakeIPTablesUtilChains: true\n"]),
         "true", "false", "unknown", 0),
        ("Go's name false alone",
         node("maxPods: 5\n", ["MakeIPTablesUtilChains: no\n"]),
         "false", "true", "unknown", 0),
        ("a false that both take", node(KEY + "true\n", [KEY + "false\n"]),
         "false", "false", "false", 0),
        ("nothing but another key", node("", ["maxPods: 5\n"]),
         "true", "true", "true", 0),
        ("another version in a drop-in",
         node("", [b"apiVersion: x/v1\nkind: Pod\n" + KEY.encode() +
                   b"false\n"]),
         "false", "invalid", "unknown", 4),
        ("the flag decides",
         node(KEY + "false\n", [KEY + "null\n"],
              args="--make-iptables-util-chains=true"),
         "true", "true", "true", 0),
        ("the flag decides, and one version refuses",
         node("", [b"kind: KubeletConfiguration\n"],
              args="--make-iptables-util-chains=true"),
         "true", "invalid", "unknown", 4),
    ]


def check_version(case, old, new, unknown, fix):
    case.audit(old, "--kubelet-version=" + OLD)
    case.audit(new, "--kubelet-version=" + NEW)
    got = case.audit(unknown)
    if unknown == "unknown":
        reason = got["views"]["disk"]["reason"]
        for word in ("1.31", "1.32", "--kubelet-version"):
            if word not in reason:
                case.fault("the reason lacks %s: %s", word, reason)
    case.fix(fix, then=(OLD, NEW) if fix == 0 else ())


def source_rows():
    """Name, tree, the state: whose version is believed. Until 1.31 it is
    false, later true, unknown where no file tells."""
    def made(**more):
        return node(KEY + "false\n", [KEY + "null\n"], **more)

    def dpkg(status, version, **more):
        return made(var__lib__dpkg__status=DPKG % (status, version), **more)

    ok = "install ok installed"
    return [
        ("nothing tells", made(), "unknown"),
        ("dpkg 1.31", dpkg(ok, "1.31.4-1.1"), "false"),
        ("dpkg 1.32", dpkg(ok, "1.32.0-1.1"), "true"),
        ("dpkg, held", dpkg("hold ok installed", "1.30.0-00"), "false"),
        ("dpkg, only its files are left",
         dpkg("deinstall ok config-files", "1.30.0-00"), "unknown"),
        ("dpkg, unpacked", dpkg("install ok unpacked", "1.30.0-00"),
         "unknown"),
        ("dpkg, no such version", dpkg(ok, "master"), "unknown"),
        ("dpkg, another kubelet",
         dpkg(ok, "1.31.4-1.1", binary="/usr/local/bin/kubelet"), "unknown"),
        ("dpkg, behind a wrapper",
         dpkg(ok, "1.31.4-1.1", binary="/usr/bin/env /usr/bin/kubelet"),
         "false"),
        ("Bottlerocket 1.31",
         made(etc__os_release=ROCKET % ("bottlerocket", "aws-k8s-1.31")),
         "false"),
        ("Bottlerocket 1.32, a variant",
         made(etc__os_release=ROCKET % ("bottlerocket",
                                        '"aws-k8s-1.32-nvidia"')), "true"),
        ("such a variant of another system",
         made(etc__os_release=ROCKET % ("other", "aws-k8s-1.31")), "unknown"),
    ] + [("EKS, " + name, plus(made(**more), EKS, text), want)
         for name, text, want, more in eks_rows()] + [
        ("pacman 1.31", plus(made(), PACMAN % "kubelet-1.31.2-1"), "false"),
        ("pacman 1.32", plus(made(), PACMAN % "kubelet-1.32.0-1"), "true"),
        ("pacman, another package",
         plus(made(), PACMAN % "kubelet-tools-1.31.2-1"), "unknown"),
        ("pacman, another kubelet",
         plus(made(binary="/opt/bin/kubelet"), PACMAN % "kubelet-1.31.2-1"),
         "unknown"),
        ("a store's 1.31", made(binary=STORE % "kubernetes-1.31.2"), "false"),
        ("a store's 1.32", made(binary=STORE % "kubernetes-1.32.0"), "true"),
        ("a store's, no version", made(binary=STORE % "kubernetes-unstable"),
         "unknown"),
        ("a store's other program", made(binary=STORE % "mykubernetes-1.31.2"),
         "unknown"),
        ("a link into a store",
         plus(made(binary="/usr/local/bin/kubelet"),
              STORE % "kubernetes-1.31.2", "", link="/usr/local/bin/kubelet"),
         "false"),
        ("a store's before a package",
         dpkg(ok, "1.32.0-1.1", binary=STORE % "kubernetes-1.31.2"), "false"),
        ("an extension 1.31", plus(made(), EXTENSION, (RAW % "v1.31.4",)),
         "false"),
        ("an extension 1.33", plus(made(), EXTENSION, (RAW % "v1.33.2",)),
         "true"),
        ("an extension, as a file", plus(made(), EXTENSION, RAW % "v1.31.4"),
         "unknown"),
        ("an extension of another name",
         plus(made(), EXTENSION.replace("kubernetes", "k8s"),
              (RAW % "v1.31.4",)), "unknown"),
        ("an extension, whose link says none",
         plus(made(), EXTENSION, ("/opt/extensions/k8s.raw",)), "unknown"),
        ("an extension, a kubelet outside of it",
         plus(made(binary="/var/lib/bin/kubelet"), EXTENSION,
              (RAW % "v1.31.4",)), "unknown"),
    ]


EKS, PACMAN = "/etc/eks/kubelet-version.txt", "/var/lib/pacman/local/%s/desc"
STORE = "/nix/store/0c1hvq3g-%s/bin/kubelet"
EXTENSION = "/etc/extensions/kubernetes.raw"
RAW = "/opt/extensions/kubernetes/kubernetes-%s-x86-64.raw"


def plus(tree, path, content="", link=None):
    more = {path: content}
    if link:
        more[link] = (path,)
    return dict(tree, **more)


def eks_rows():
    """Name, the file's text, the state, whose kubelet it is."""
    return [
        ("1.31", "Kubernetes v1.31.7-eks-473151a\n", "false", {}),
        ("1.33", "Kubernetes v1.33.0-eks-802817d\n", "true", {}),
        ("no line end", "Kubernetes v1.31.7", "false", {}),
        ("another text", "kubelet v1.31.7\n", "unknown", {}),
        ("no version", "Kubernetes latest\n", "unknown", {}),
        ("empty", "", "unknown", {}),
        ("not the first line", "\nKubernetes v1.31.7\n", "unknown", {}),
        ("another kubelet", "Kubernetes v1.31.7\n", "unknown",
         {"binary": "/usr/local/bin/kubelet"}),
    ]


ALPHA = "KUBELET_CONFIG_DROPIN_DIR_ALPHA"
WITH_ALPHA = "/usr/bin/env %s=1 /usr/bin/kubelet" % ALPHA

# A note on 1.28 stands only where 1.28 would give another value.
NOTES_1_28 = [
    ("no key at all", node("maxPods: 5\n", ["maxPods: 6\n"]), False),
    ("true everywhere", node(KEY + "true\n", [KEY + "true\n"]), False),
    ("false in the drop-in",
     node("", [KEY + "false\n"], binary=WITH_ALPHA), True),
    ("false in the base",
     node(KEY + "false\n", ["maxPods: 6\n"], binary=WITH_ALPHA), True),
    ("1.28 refuses it", node("", [KEY + "false\n"]), False),
    ("false in both", node(KEY + "false\n", [KEY + "false\n"]), False),
    ("no drop-in", node(KEY + "false\n"), False),
    ("the flag decides", node("", [KEY + "false\n"],
                              args="--make-iptables-util-chains=true"), False),
]

VERSIONS = [("1.31", True), ("v1.31.2", True), ("1.31.2-eks-7f9249a", True),
            ("v1.33.1+k3s1", True), ("1.30.5-gke.1014", True), ("", False),
            ("1", False), ("1.", False), ("31", False), ("2.1", False),
            ("1.x", False), ("1.31x", False), ("v", False), ("1.1000", False),
            (" 1.31", False), ("1.031", False)]


def check_old(program, schemas, tree):
    """1.28 and before, where the version is named."""
    with Image(tree) as image:
        case = Check(program, schemas, image.root)
        case.audit("true", "--kubelet-version=1.28.15", none=["dropins-1-28"])
        case.audit("invalid", "--kubelet-version=1.27.1")
        case.audit("false", "--kubelet-version=1.29.0", none=["dropins-1-28"])
        return case.faults


def check_words(program, word, right):
    with Image(node("")) as image:
        run = Run([program, "audit", "--root=" + image.root,
                   "--kubelet-version=" + word])
    return [] if (run.status != 2) == right else \
        ["'%s': status %s" % (word, run.status)]


def check_next(program):
    """The command that is recommended takes the version along."""
    with Image(node(KEY + "false\n", [KEY + "null\n"])) as image:
        run = Run([program, "audit", "--root=" + image.root,
                   "--kubelet-version=1.30"])
    text = run.out.decode() if isinstance(run.out, bytes) else run.out
    last = (text.splitlines() or [""])[-1]
    return [] if "--kubelet-version=1.30" in last else [last]


def versions(tap, program, schemas):
    for name, tree, *want in version_rows():
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            check_version(case, *want)
            tap.row("versions: " + name, case.faults)
    for name, tree, want in source_rows():
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            case.audit(want)
            tap.row("whose version: " + name, case.faults)
    for name, tree, want in NOTES_1_28:
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            _, got = case.run("audit")
            has = any(m["code"] == "dropins-1-28" for m in got["messages"])
            if has != want:
                case.fault("a note on 1.28: %s", has)
            tap.row("1.28: " + name, case.faults)
    tap.row("1.28 and before, named",
            check_old(program, schemas, node(
                "", [KEY + "false\n"],
                binary=WITH_ALPHA)))
    for word, right in VERSIONS:
        tap.row("--kubelet-version='%s'" % word,
                check_words(program, word, right))
    tap.row("the next command names the version", check_next(program))


def told_rows():
    """Name, tree, options, the version in JSON."""
    plain, ok = node(KEY + "true\n"), "install ok installed"
    return [
        ("nothing tells", plain, [], None),
        ("the option", plain, ["--kubelet-version=v1.31.2-eks-1"], "1.31"),
        ("a package", node("", var__lib__dpkg__status=DPKG % (ok, "1.9.4")),
         [], "1.9"),
        ("a package whose files dpkg lists",
         node("", var__lib__dpkg__status=DPKG % (ok, "1.9.4"),
              **{"var__lib__dpkg__info__kubelet.list": "/.\n"}), [], "1.9"),
        ("a package whose files dpkg does not list, as it does of others",
         node("", var__lib__dpkg__status=DPKG % (ok, "1.9.4"),
              **{"var__lib__dpkg__info__kubeadm.list": "/.\n"}), [], None),
        ("the option before a package",
         node("", var__lib__dpkg__status=DPKG % (ok, "1.30.1-1.1")),
         ["--kubelet-version=1.33"], "1.33"),
        ("another program's package",
         node("", binary="/opt/kubelet",
              var__lib__dpkg__status=DPKG % (ok, "1.30.1-1.1")), [], None),
        ("with drop-ins", plus(node("", [KEY + "true\n"]), EKS,
                               "Kubernetes v1.32.3-eks-1\n"), [], "1.32"),
        ("Bottlerocket, which starts no kubelet here",
         {"/etc/os-release": ROCKET % ("bottlerocket", "aws-k8s-1.31")}, [],
         "1.31"),
        ("k3s", {"/etc/systemd/system/k3s.service":
                 "[Service]\nExecStart=/usr/local/bin/k3s server\n"},
         ["--kubelet-version=v1.30.2+k3s1"], "1.30"),
    ]


def told_versions(tap, program, schemas):
    """What is known of the version is in the JSON, of fix, too."""
    for name, tree, words, want in told_rows():
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            found = [case.run("audit", *words)[1]["node"],
                     case.run("fix", "-n", *words)[1]["node"]]
            got = [part["kubelet_version"] for part in found]
            if got != [want, want]:
                case.fault("told %s, wanted %s", got, want)
            tap.row("the version in JSON: " + name, case.faults)


UNIT = "/etc/systemd/system/kubelet.service"
DIR_WORD = "--config-dir=" + FOLDER


def alpha_rows():
    """Name, ExecStart=, more lines of [Service], other files; whether 1.28 and
    1.29 refuse it."""
    line, file = "/usr/bin/kubelet " + DIR_WORD, {"/etc/env": ALPHA + "=\n"}
    return [
        ("no variable", line, "", {}, True),
        ("another variable", line, "Environment=X%s=1\n" % ALPHA, {}, True),
        ("Environment=", line, "Environment=%s=on\n" % ALPHA, {}, False),
        ("empty", line, "Environment=%s=\n" % ALPHA, {}, False),
        ("EnvironmentFile=", line, "EnvironmentFile=/etc/env\n", file, False),
        ("taken back", line, "Environment=%s=1\nEnvironment=\n" % ALPHA, {},
         True),
        ("UnsetEnvironment=", line, "Environment=%s=1\nUnsetEnvironment=%s\n"
         % (ALPHA, ALPHA), {}, True),
        ("PassEnvironment=", line, "PassEnvironment=%s\n" % ALPHA, {}, False),
        ("DefaultEnvironment=", line, "",
         {"/etc/systemd/system.conf":
          "[Manager]\nDefaultEnvironment=%s=1\n" % ALPHA}, False),
        ("env", "/usr/bin/env %s=1 %s" % (ALPHA, line), "", {}, False),
        ("env, another variable", "/usr/bin/env X=1 " + line, "", {}, True),
        ("an empty folder's name", "/usr/bin/kubelet --config-dir=", "", {},
         False),
        ("two words", line.replace("=", " "), "", {}, True),
    ]


def check_alpha(case, exec_start, refused):
    """Refused where the version is known to be such, a note where it may be."""
    word = exec_start[exec_start.index("--config"):].split(" ")[0]
    place = "%s:2:%d" % (UNIT, len("ExecStart=") + exec_start.index(word) + 1)
    places = [place] if refused else []
    for version in ("v1.28.9", "1.29.1"):
        got = case.audit("invalid" if refused else "true",
                         "--kubelet-version=" + version)
        case.told(got, "config-dir-refused", *places)
    case.audit("true", "--kubelet-version=1.30",
               none=["config-dir-refused"])
    got = case.audit("true")
    case.told(got, "config-dir-refused", *places)
    if any(m["severity"] != "note" for m in got["messages"]
           if m["code"] == "config-dir-refused"):
        case.fault("without a version it is more than a note")
    got = case.audit("invalid", "--kubelet-version=1.27")
    case.told(got, "flag-version", place)


def alphas(tap, program, schemas):
    """--config-dir, which 1.27 does not know, 1.28 and 1.29 only with a
    variable."""
    for name, exec_start, more, files, refused in alpha_rows():
        tree = {UNIT: "[Service]\nExecStart=%s\n%s" % (exec_start, more),
                FOLDER + "/1.conf": GVK, **files}
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            check_alpha(case, exec_start, refused)
            tap.row("--config-dir before 1.30: " + name, case.faults)


K3S = {"/etc/systemd/system/k3s.service":
       "[Service]\nExecStart=/usr/local/bin/k3s agent\n"}
RANCHER = "/etc/rancher/k3s/config.yaml"
ARG = "kubelet-arg%s:\n- make-iptables-util-chains=%s\n"


def rancher_rows():
    """Name, files, the state with 1.20, with 1.21 and without a version, the
    place of a note where it is not known."""
    one = RANCHER + ".d/50-a.yaml"
    return [
        ("a drop-in alone", {one: ARG % ("", "false")}, "true", "false",
         one + ":2:3"),
        ("a drop-in over the file",
         {RANCHER: ARG % ("", "false"), one: ARG % ("", "true")},
         "false", "true", one + ":2:3"),
        ("a drop-in without it",
         {RANCHER: ARG % ("", "false"), one: "kubelet-arg+: v=2\n"},
         "false", "false", None),
        ("no drop-in", {RANCHER: ARG % ("", "false")}, "false", "false", None),
        ("another config file", {one: "kubelet-arg: config=%s\n" % CONFIG,
                                 CONFIG: GVK + KEY + "false\n"}, "true",
         "false", one + ":1:14"),
        ("appended", {RANCHER: ARG % ("+", "false")}, "unknown", "false",
         None),
        ("twice", {RANCHER: ARG % ("", "false") + ARG % ("", "true")},
         "unknown", "true", None),
        ("a folder of such a name",
         {one + "/x": "", RANCHER: ARG % ("", "false")}, "false", "false",
         None),
    ]


def ranchers(tap, program, schemas):
    """k3s reads config.yaml.d since 1.21."""
    for name, files, old, new, place in rancher_rows():
        with Image({**K3S, **files}) as image:
            case = Check(program, schemas, image.root)
            case.audit(old, "--kubelet-version=v1.20.15+k3s1",
                       none=["config-yaml-d"])
            case.audit(new, "--kubelet-version=v1.21.0+k3s1",
                       none=["config-yaml-d"])
            case.told(case.audit(new), "config-yaml-d",
                      *([place] if place else []))
            tap.row("k3s: " + name, case.faults)


def page_sizes(tap, program, schemas):
    """What is assumed of a tree that does not tell its machine is said."""
    long = {"/etc/env": "LONG=%s\n" % ("x" * (128 << 10))}
    shell = b"\x7fELF\x02\x01\x01" + bytes(11) + b"%c\0" + bytes(44)
    unit = {UNIT: "[Service]\nEnvironmentFile=/etc/env\n"
                  "ExecStart=/usr/bin/kubelet\n"}
    for name, more, want, assumed in (
            ("none", {}, "invalid", True),
            ("of x86-64", {"/bin/sh": shell % 62}, "invalid", False),
            ("of aarch64", {"/bin/sh": shell % 183}, "unknown", False)):
        with Image({**unit, **long, **more}) as image:
            case = Check(program, schemas, image.root)
            said = str(case.audit(want))
            if ("pages of 4 KiB are assumed" in said) != assumed:
                case.fault("it says %s", said)
            tap.row("a long string, programs: " + name, case.faults)


# --- dialects -----------------------------------------------------------------------

def json_file(words):
    return ('{"kind":"KubeletConfiguration",'
            '"apiVersion":"kubelet.config.k8s.io/v1beta1",%s}'
            % words).encode()


TRUE = '"makeIPTablesUtilChains":true'
FALSE = '"makeIPTablesUtilChains":false'


def number_rows():
    """Name, tree, the disk: what fits into no float64, in a drop-in."""
    def dropin(text):
        return node("", [json_file(TRUE + ',"x":' + text)])

    return [
        ("1e999", dropin("1e999"), "invalid"),
        ("-1e999", dropin("-1e999"), "invalid"),
        ("1E+309", dropin("1E+309"), "invalid"),
        ("1e308", dropin("1e308"), "true"),
        ("1e-999", dropin("1e-999"), "true"),
        ("400 digits", dropin("1" * 400), "invalid"),
        ("300 digits", dropin("1" * 300), "true"),
        ("deep in a list", dropin('[1,{"a":[2,1e400]}]'), "invalid"),
        ("as a text", dropin('"1e999"'), "true"),
        ("taken away by a later null",
         node("", [json_file(TRUE + ',"x":1e999'), "x: null\n"]), "invalid"),
        ("in the config file", node(json_file(TRUE + ',"x":1e999')), "true"),
        ("in the config file below a drop-in",
         node(json_file(TRUE + ',"x":1e999'), [""]), "true"),
        ("in a YAML drop-in, where it is a text",
         node("", [KEY + "true\nx: 1e999\n"]), "true"),
    ]


def tag_rows():
    """Name, what stands behind the key, the disk, the key being true."""
    return [
        ("a comma behind a tag", "x: !!str, y\n", "unknown"),
        ("a comma in a tag", "x: !a,b y\n", "unknown"),
        ("brackets in a tag", "x: !a[b] y\n", "unknown"),
        ("braces in a tag", "x: !a{b} y\n", "unknown"),
        ("in a flow mapping", "x: {a: !!str, b: c}\n", "unknown"),
        ("in a flow list", "x: [!!str, b]\n", "unknown"),
        ("at the end of a flow list", "x: [a, !!str]\n", "unknown"),
        ("at the end of a flow mapping", "x: {a: !!str}\n", "unknown"),
        ("behind an anchor", "x: {a: &q !!str, b: c}\n", "unknown"),
        ("of a list", "x: !!seq[a]\n", "unknown"),
        ("verbatim, with a comma behind it",
         "x: [!<tag:yaml.org,2002:str>, b]\n", "unknown"),
        ("verbatim", "x: !<tag:yaml.org,2002:str> b\n", "true"),
        ("a blank behind it", "x: {a: !!str b, c: !!str d}\n", "true"),
        ("a blank and a comma", "x: {a: !!str , b: c}\n", "true"),
        ("in a text", "x: 'a !!str, b'\n", "true"),
        ("in a plain text", "x: a !!str, b\n", "true"),
        ("in a comment", "x: a # !!str, b\n", "true"),
        ("in a block scalar", "x: |\n  !!str, b\n", "true"),
    ]


def directive_rows():
    """Name, the whole file, the disk."""
    body = GVK + KEY + "true\n"
    return [
        ("%YAML 1.1", "%YAML 1.1\n---\n" + body, "true"),
        ("%YAML 01.01", "%YAML 01.01\n---\n" + body, "true"),
        ("%YAML 1.001", "%YAML 1.001\n---\n" + body, "invalid"),
        ("%YAML 001.1", "%YAML 001.1\n---\n" + body, "invalid"),
        ("behind a comment", "# 1\n%YAML 1.001\n---\n" + body, "invalid"),
        ("behind another directive",
         "%TAG !e! tag:e,2002:\n%YAML 1.001\n---\n" + body, "invalid"),
        ("%YAML 1.2", "%YAML 1.2\n---\n" + body, "invalid"),
        ("behind the document", body + "%YAML 1.12345\n---\n", "invalid"),
        ("behind it, major", body + "%YAML 100.1\n---\n", "invalid"),
        ("behind it, two digits", body + "%YAML 1.99\n---\n", "true"),
        ("behind ...", body + "...\n%YAML 1.12345\n---\n", "true"),
        ("in the next document", body + "---\n%YAML 1.12345\n", "true"),
        ("in a comment", body + "# %YAML 1.12345\n", "true"),
    ] + [("%%YAML%r" % words, "%YAML" + words + "\n---\n" + body, want)
         for want, all_words in DIRECTIVES.items() for words in all_words] + [
        ("another name", "%FOO bar\n---\n" + body, "invalid"),
        ("small letters", "%yaml 1.1\n---\n" + body, "invalid"),
        ("no name", "%\n---\n" + body, "invalid"),
        ("twice", "%YAML 1.1\n%YAML 1.1\n---\n" + body, "invalid"),
        ("no document start", "%YAML 1.1\n" + body, "invalid"),
        ("a blank before it", " %YAML 1.1\n---\n" + body, "invalid"),
        ("a byte order mark before it", "\ufeff%YAML 1.1\n---\n" + body,
         "true"),
        ("behind %TAG", "%TAG !e! tag:e,2002:\n%YAML 1.1\n---\n" + body,
         "true"),
        ("%TAG twice", "%TAG !e! tag:e,2002:\n" * 2 + "---\n" + body,
         "invalid"),
        ("before JSON", "%YAML 1.1\n--- " + json_file(TRUE).decode(), "true"),
    ]


# Each was tried on kubelet 1.20.2. The two rules, 1.1 alone and numbers of two
# digits at most, are the same in go-yaml v2 up to 2.4.4 and in all forks of it
# in sigs.k8s.io/yaml 1.2.0 to 1.6.0, so up to kubelet 1.36.
DIRECTIVES = {
    "true": [" 1.1 ", " 1.1 # c", " 1.1#c", "\t1.1", "   1.1", " 1.01", " 1.1\r"],
    "invalid": [" 1.0", " 1.3", " 2.0", " 2.1", " 0.1", " 10.1", " 1.10",
                " 1.11", " 1", " 1.", " .1", " 1.1.1", " 1.1 x", " x", "",
                "1.1", " 99.99", " 100.1", " 1.100", " 1234567890.1", " -1.1",
                " +1.1", " 1 .1", " 1. 1"],
}


def fold_rows():
    """Name, tree, the disk: kind and apiVersion are looked for by encoding/json,
    to which a long s is an s and the sign for kelvin a k. (Tried on 1.20.2.)"""
    kind, version = "KubeletConfiguration", "kubelet.config.k8s.io/v1beta1"

    def json(*pairs):
        words = ['"%s":"%s"' % pair for pair in pairs] + [TRUE]
        return node(("{" + ",".join(words) + "}").encode())

    rows = []
    for name, want in (("Kind", "true"), ("KIND", "true"),
                       ("\u212aind", "true"), ("\u212aIND", "true"),
                       ("\\u212aind", "true"), ("k\u0131nd", "invalid")):
        rows += [("kind, %r" % name, json((name, kind),
                                          ("apiVersion", version)), want),
                 ("kind in YAML, %r" % name,
                  node(('"%s": %s\napiVersion: %s\n%strue\n' %
                        (name, kind, version, KEY)).encode()), want)]
    for name, want in (("apiversion", "true"), ("APIVERSION", "true"),
                       ("apiVer\u017fion", "true"),
                       ("\\u0061piVer\\u017fion", "true"),
                       ("apiVer\u017f\u017fion", "invalid"),
                       ("ap\u0131Version", "invalid"),
                       ("api\u24e5ersion", "invalid")):
        rows.append(("apiVersion, %r" % name,
                     json(("kind", kind), (name, version)), want))
    return rows + [
        ("the last of two kinds", json(("kind", kind), ("apiVersion", version),
                                       ("\u212aind", "Pod")), "invalid"),
        ("the first of two kinds", json(("\u212aind", "Pod"), ("kind", kind),
                                        ("apiVersion", version)), "true"),
        # our own key is exact in the file, and folded in a drop-in
        ("our key, in the file",
         node("ma\u212aeIPTablesUtilChains: false\n"), "true"),
        ("our key, in a drop-in",
         node(KEY + "true\n", ["ma\u212aeIPTablesUtilChains: false\n"]),
         "false"),
        ("our key's s, in a drop-in",
         node(KEY + "true\n", ["makeIPTable\u017fUtilChain\u017f: false\n"]),
         "false"),
    ]


# What a JSON file may hold beside the key, and must not keep a fix from being
# made: escapes that another reader refuses, or takes for the end of a text.
ESCAPES = ['"\\ud800"', '"\\udfff"', '"\\uDBFF x"', '"\\ud800\\ud800"',
           '"\\udc00\\ud800"', '"\\ud800\\n"', '"\\ud800\\\\udc00"',
           '"\\ud83d\\ude00"', '"\\ud83d\\ude00\\ude00"', '"\\u0000"',
           '"\\\\ud800"', '{"\\ud800":1,"\\udc00":[1]}',
           '1,"makeIPTablesUtilChains\\u0000":5',
           '1,"makeIPTablesUtilChains\\u0000x":false']


def check_escape(case):
    case.audit("false")
    case.fix(0)
    case.audit("true")


UTF16 = (GVK + KEY + "false\n").encode("utf-16")


def check_bytes(case, copy):
    """Each source's text, or its base64, is the file's bytes."""
    got = case.audit("false")
    with open(copy.root + CONFIG, "rb") as file:
        data = file.read()
    for source in got["sources"]:
        if not source["file"]:
            continue
        want = data[source["offset"]:source["offset"] + source["length"]]
        if source["text"] is None:
            found = base64.b64decode(source.get("text_base64", ""))
        else:
            found = source["text"].encode()
        if found != want or not want:
            case.fault("%r for the bytes %r", found, want)


def unread_rows():
    """Name of a file in --config-dir, its text, whether a note names it."""
    text = GVK + KEY + "true\n"
    return [
        ("10-cis.yaml", text, True), ("10-cis.yml", text, True),
        ("10-cis.json", json_file(TRUE), True), ("10.conf.bak", text, True),
        ("10-cis", text, True), ("10-cis.CONF", text, True),
        ("below/10-cis.yaml", text, True),
        ("10-go.yaml", GVK + "MakeIPTablesUtilChains: true\n", True),
        ("10-other.yaml", GVK + "maxPods: 5\n", False),
        ("README", "makeIPTablesUtilChains is a setting\n", False),
        ("empty.yaml", "", False), ("10.conf", text, False),
    ]


def run_rows(tap, program, schemas, kind, rows):
    for name, tree, want in rows:
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            case.audit(want)
            tap.row("%s: %s" % (kind, name), case.faults)


def dialects(tap, program, schemas):
    run_rows(tap, program, schemas, "a number", number_rows())
    run_rows(tap, program, schemas, "a tag",
             [(n, node(KEY + "true\n" + t), w) for n, t, w in tag_rows()])
    run_rows(tap, program, schemas, "a tag, UTF-16",
             [(n, node((GVK + KEY + "true\n" + t).encode("utf-16")), w)
              for n, t, w in tag_rows()])
    run_rows(tap, program, schemas, "a folded name", fold_rows())
    run_rows(tap, program, schemas, "a directive",
             [(n, node(t.encode()), w) for n, t, w in directive_rows()])
    for text in ESCAPES:
        with Image(node(json_file(FALSE + ',"x":' + text))) as image:
            case = Check(program, schemas, image.root)
            check_escape(case)
            tap.row("a fix beside %s" % text, case.faults)
    for name, data in (("UTF-16", UTF16),
                       ("UTF-16, big endian",
                        b"\xfe\xff" + UTF16.decode("utf-16")
                        .encode("utf-16-be")),
                       ("UTF-8", (GVK + KEY + "false\n").encode())):
        with Image(node(data)) as image:
            case = Check(program, schemas, image.root)
            check_bytes(case, image)
            tap.row("bytes of " + name, case.faults)
    for name, text, noted in unread_rows():
        with Image(dict(node(KEY + "false\n", [""]),
                        **{FOLDER + "/" + name: text})) as image:
            case = Check(program, schemas, image.root)
            _, got = case.run("audit")
            found = [m["file"] for m in got["messages"]
                     if m["code"] == "decoy-config-dir"]
            if found != [FOLDER + "/" + name] * noted:
                case.fault("notes on %s", found)
            tap.row("not read: " + name, case.faults)


# --- flags, and the same values in the file ---------------------------------------------

LISTS = ("allowed-unsafe-sysctls", "cluster-dns", "enforce-node-allocatable",
         "tls-cipher-suites")
# Those of which kubelet knows all words: none of "a", "b" and what else stands
# in the rows.
KNOWN_WORDS = ("allowed-unsafe-sysctls", "enforce-node-allocatable",
               "tls-cipher-suites")


def csv_rows():
    """Name, tree, the disk: lists, which pflag reads as CSV."""
    words = [("one", "a", "true"), ("two", "a,b", "true"),
             ("empty", "", "true"), ("empty fields", ",a,", "true"),
             ("a quoted one", '"a,b",c', "true"),
             ("a doubled quote", '"a""b"', "true"),
             ("quotes alone", '""', "true"),
             ("a quote that is open", '"a', "invalid"),
             ("open behind a comma", 'a,"b', "invalid"),
             ("a quote alone", '"', "invalid"),
             ("three quotes", '"""', "invalid"),
             ("a quote inside", 'a"b', "invalid"),
             ("a quote at the end", 'a"', "invalid"),
             ("a word behind a quote", '"a"b', "invalid"),
             ("a blank behind a quote", '"a" ,b', "invalid"),
             ("a blank before a quote", 'a, "b"', "invalid"),
             ("a second line", 'a\\n"', "true"),
             ("a line end in quotes", '"a\\nb",c', "true"),
             ("a line end alone", "\\n", "invalid"),
             ("an empty line before", "\\na", "true"),
             # of kubelet 1.20.2, as 700 others; pflag's reader is the same since
             ("a return alone", "\\r", "invalid"),
             ("a return at the end", "a\\r", "true"),
             ("a return before a word", "\\ra", "true"),
             ("a return and a quote", 'a\\r"', "invalid"),
             ("a return in quotes", '"\\r"', "true"),
             ("empty lines alone", "\\n\\n", "invalid"),
             ("empty lines behind", "a\\n\\n", "true"),
             ("a return and a line end", "\\r\\n", "invalid"),
             ("a quote in the second line", '\\n"', "invalid"),
             ("a line end in an open quote", '"a\\n', "invalid"),
             ("a comma in quotes alone", '","', "true"),
             ("a comma and a quote", ',"', "invalid")]
    rows = [("%s, --%s" % (name, flag),
             node(KEY + "true\n", args="'--%s=%s'" % (flag, word)),
             "invalid" if flag in KNOWN_WORDS and word else want)
            for flag in LISTS for name, word, want in words]
    return rows + [
        ("the first of two", node("", args='\'--cluster-dns="a\' '
                                  '--cluster-dns=b'), "invalid"),
    ]


# The field, its flag, and the least and the greatest number that kubelet takes.
INT = 2 ** 31 - 1
RANGES = [
    ("eventBurst", "event-burst", 0, INT),
    ("eventRecordQPS", "event-qps", 0, INT),
    ("healthzPort", "healthz-port", 0, 65535),
    ("imageGCHighThresholdPercent", "image-gc-high-threshold", 1, 100),
    ("imageGCLowThresholdPercent", "image-gc-low-threshold", 0, 99),
    ("iptablesDropBit", "iptables-drop-bit", 0, 31),
    ("iptablesMasqueradeBit", "iptables-masquerade-bit", 0, 31),
    ("kubeAPIBurst", "kube-api-burst", 0, INT),
    ("kubeAPIQPS", "kube-api-qps", 0, INT),
    ("maxOpenFiles", "max-open-files", 0, 2 ** 63 - 1),
    ("maxPods", "max-pods", 0, INT),
    ("nodeStatusMaxImages", "node-status-max-images", -1, INT),
    ("oomScoreAdj", "oom-score-adj", -1000, 1000),
    ("podsPerCore", "pods-per-core", 0, INT),
    ("port", "port", 0, 65535),
    ("readOnlyPort", "read-only-port", 0, 65535),
    ("registryBurst", "registry-burst", 0, INT),
    ("registryPullQPS", "registry-qps", 0, INT),
]


# What must stand beside it for all of them to be taken.
BESIDE = {"imageGCHighThresholdPercent": "imageGCLowThresholdPercent: 0\n",
          "imageGCLowThresholdPercent": "imageGCHighThresholdPercent: 100\n"}


def range_rows():
    rows = []
    for key, flag, least, greatest in RANGES:
        beside = BESIDE.get(key, "")
        good, bad = "%s: %d\n" % (key, 9), "%s: %d\n" % (key, least - 1)
        again = "--%s=9" % flag
        rows += [
            (key + ", too small", node(KEY + "true\n" + bad + beside), "invalid"),
            (key + ", too great",
             node("%s: %d\n" % (key, greatest + 1) + beside), "invalid"),
            (key + ", the least", node("%s: %d\n" % (key, least) + beside), "true"),
            (key + ", the greatest",
             node("%s: %d\n" % (key, greatest) + beside), "true"),
            (key + ", a flag overrides it", node(bad + beside, args=again), "true"),
            (key + ", in a drop-in", node(good + beside, [bad]), "invalid"),
            (key + ", a drop-in overrides it", node(bad + beside, [good]), "true"),
            (key + ", below another drop-in",
             node(bad + beside, ["clusterDomain: x\n"]), "invalid"),
            (key + ", a later one wins", node(bad + good + beside), "true"),
            (key + ", another case in a drop-in, which loses",
             node("", [bad.replace(key, key.upper())]),
             # 1.32 and later leave a zero out of what the drop-in is laid over
             "unknown" if key in ("readOnlyPort", "podsPerCore") else "true"),
            (key + ", another case in the file",
             node(bad.replace(key, key.upper())), "true"),
        ]
    return rows + [
        ("the flag for our key decides no such thing",
         node("maxPods: -1\n", args="--make-iptables-util-chains=true"),
         "invalid"),
        ("another flag overrides nothing",
         node("maxPods: -1\n", args="--pods-per-core=9"), "invalid"),
        ("a null, no pointer", node(json_file('"maxPods":-1,"maxPods":null')),
         "invalid"),
        ("a null, a pointer",
         node(json_file('"oomScoreAdj":5000,"oomScoreAdj":null')), "true"),
        ("a drop-in's null, whose kubelet is not known",
         node("maxPods: -1\n", ["maxPods: null\n"]), "unknown"),
        ("Go's name in a drop-in, whose kubelet is not known",
         node("", ["MaxPods: -1\n"]), "unknown"),
        ("in an object", node("x: {maxPods: -1}\n"), "true"),
        ("the internal version",
         node(GVK.replace("v1beta1", "__internal").encode() +
              b"MakeIPTablesUtilChains: true\nmaxPods: -1\n"), "true"),
    ]


def flags(tap, program, schemas):
    run_rows(tap, program, schemas, "a number", range_rows())
    run_rows(tap, program, schemas, "a list", csv_rows())


# --- system.conf, in an image ------------------------------------------------------------

FALSE_FLAG = "--make-iptables-util-chains=false"
SYSTEM_CONF = "/etc/systemd/system.conf.d/10-k.conf"


def defaults_rows():
    """Name, [Service] lines, system.conf's lines, its place, the disk, whether
    the word there decides, the status of fix."""
    def line(value, key="DefaultEnvironment"):
        return '%s="A=%s"\n' % (key, value)

    words = "--v=2 %s --node-ip=::1" % FALSE_FLAG
    usr = "/usr/lib/systemd/system.conf.d/10-k.conf"
    return [
        ("the flag", "", line(words), SYSTEM_CONF, "false", True, 0),
        ("the vendor's", "", line(words), usr, "false", True, 0),
        ("Environment= before it", "Environment=A=--v=3\n", line(words),
         SYSTEM_CONF, "true", False, 0),
        ("passed, too", "PassEnvironment=A\n", line(words), SYSTEM_CONF,
         "false", True, 0),
        ("taken away", "UnsetEnvironment=A\n", line(words), SYSTEM_CONF,
         "true", False, 0),
        ("systemd's own", "", line(words, "ManagerEnvironment"), SYSTEM_CONF,
         "true", False, 0),
        ("systemd's own, passed", "PassEnvironment=A\n",
         line(words, "ManagerEnvironment"), SYSTEM_CONF, "false", True, 0),
    ]


def check_defaults(case, want, decides, fix):
    got = case.audit(want, none=["manager-environment"])
    winner = [s for s in got["sources"] if s["wins"]][-1]
    found = winner["text"] == FALSE_FLAG and winner["line"] == 2 and \
        winner["file"].endswith("/system.conf.d/10-k.conf")
    if found != decides:
        case.fault("it is decided by %s", winner)
    case.fix(fix)
    case.audit("true")


def defaults(tap, program, schemas):
    for name, service, text, place, *want in defaults_rows():
        tree = node("maxPods: 9\n", args="$A")
        tree["/etc/systemd/system/kubelet.service"] += service
        tree[place] = "[Manager]\n" + text
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            check_defaults(case, *want)
            tap.row("system.conf: " + name, case.faults)


# --- what depends on systemd, and on what the unit mounts ----------------------------

LIBRARY = "/usr/lib/systemd/libsystemd-shared-%s.so"


def unit(service, args):
    return {"/etc/systemd/system/kubelet.service":
            "[Service]\n%sExecStart=/usr/bin/kubelet %s\n" % (service, args)}


def comment_rows():
    """Name, the environment file, the disk where systemd is not known, in 252, in
    255."""
    flag = "A=" + FALSE_FLAG + "\n"
    return [
        ("swallows the later one", flag + "# c \\\nA=--v=2\n",
         "unknown", "false", "true"),
        ("a semicolon", flag + "; c \\\nA=--v=2\n",
         "unknown", "false", "true"),
        ("swallows the only one", "# c \\\n" + flag,
         "unknown", "true", "false"),
        ("swallows another variable's", "# c \\\nB=1\n" + flag,
         "false", "false", "false"),
        ("swallows the same", flag + "# c \\\n" + flag,
         "false", "false", "false"),
        ("swallows an empty line", "# c \\\n\n" + flag,
         "false", "false", "false"),
        ("is the last line", flag + "# c \\", "false", "false", "false"),
        ("a backslash inside", "# c\\ d\nA=--v=2\n" + flag,
         "false", "false", "false"),
        ("begins a quoted value", "# c \\\nB=\"\n" + flag + "\"\n",
         "unknown", "false", "true"),
        ("many lines", "# c \\\n" + "B=1\n" * 2000 + flag,
         "unknown", "false", "false"),
    ]


def comments(tap, program, schemas):
    for name, text, *wants in comment_rows():
        for want, version in zip(wants, (None, "252", "255.4-1.fc40")):
            tree = unit("EnvironmentFile=/e\n", "$A")
            tree["/e"] = text
            if version:
                tree[LIBRARY % version] = ""
            with Image(tree) as image:
                case = Check(program, schemas, image.root)
                case.audit(want)
                tap.row("a comment %s, systemd %s" % (name, version),
                        case.faults)


def place_rows():
    """Name, [Service] lines, kubelet's arguments, files, the disk."""
    header = ("apiVersion: kubelet.config.k8s.io/v1beta1\n"
              "kind: KubeletConfiguration\n")
    false = header + "makeIPTablesUtilChains: false\n"
    true_flag = FALSE_FLAG.replace("false", "true")
    bound = true_flag + " --config=/etc/k"
    return [
        ("a folder that may be missing", "WorkingDirectory=-/nope\n",
         "--config=k", {"/k": false}, "false"),
        ("one that may be missing and is there", "WorkingDirectory=-/w\n",
         "--config=k", {"/w/k": false, "/k": header}, "false"),
        ("one that must be there", "WorkingDirectory=/nope\n",
         "--config=k", {"/k": false}, "invalid"),
        ("a file where it should be", "WorkingDirectory=-/w\n",
         "--config=k", {"/w": "", "/k": false}, "false"),
        ("the last one counts",
         "WorkingDirectory=-/nope\nWorkingDirectory=/w\n",
         "--config=k", {"/w/k": false, "/k": header}, "false"),
        ("the same root", "RootDirectory=/\n", "--config=/k", {"/k": false},
         "false"),
        ("the same root, written longer", "RootDirectory=//.\n",
         "--config=/k", {"/k": false}, "false"),
        ("another root", "RootDirectory=/srv\n", "--config=/k",
         {"/k": header}, "unknown"),
        ("devices of its own", "PrivateDevices=yes\n", "--config=/dev/k",
         {"/dev/k": header}, "unknown"),
        ("the host's devices", "PrivateDevices=no\n", "--config=/dev/k",
         {"/dev/k": false}, "false"),
        ("a bind without the file", "BindPaths=/opt/a:/etc\n", bound,
         {"/etc/k": header, "/opt/a/x": ""}, "unknown"),
        ("a bind without a source", "BindPaths=/opt/k:/etc/k\n", bound,
         {"/etc/k": header}, "unknown"),
        ("a bind of no configuration", "BindPaths=/opt/k:/etc/k\n", bound,
         {"/etc/k": header, "/opt/k": "not: [yaml"}, "unknown"),
        ("a bind of a configuration", "BindPaths=/opt/k:/etc/k\n", bound,
         {"/etc/k": header, "/opt/k": header}, "true"),
        ("a bind, and the flag is false", "BindPaths=/opt/k:/etc/k\n",
         FALSE_FLAG + " --config=/etc/k", {"/etc/k": header}, "false"),
        ("a folder among the drop-ins", "", "--config=/k",
         {"/k": header, "/etc/systemd/system/kubelet.service.d/a.conf/x": "",
          "/etc/systemd/system/kubelet.service.d/b.conf":
          "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet %s\n"
          % FALSE_FLAG}, "false"),
    ]


def places(tap, program, schemas):
    for name, service, args, files, want in place_rows():
        with Image({**unit(service, args), **files}) as image:
            case = Check(program, schemas, image.root)
            case.audit(want)
            tap.row("place: " + name, case.faults)


# --- the folders ---------------------------------------------------------------------

def apiversion(case):
    case.audit("false", "--kubelet-version=1.30.3")
    case.audit("invalid", "--kubelet-version=1.32.0")
    case.audit("unknown")
    case.fix(4)
    case.fix(0, "--kubelet-version=1.31", then=("1.31",))


def null(case):
    case.audit("false", "--kubelet-version=1.31")
    case.audit("true", "--kubelet-version=1.32")
    case.audit("unknown")
    case.fix(0, then=(OLD, NEW))
    case.audit("true")


def pascal(case):
    case.audit("false", "--kubelet-version=1.31")
    case.audit("false", "--kubelet-version=1.32")
    case.audit("false")
    case.fix(0, then=(OLD, NEW))
    case.audit("true")


def overflow(case):
    case.audit("invalid", codes=["config-type"])


def tag(case):
    case.audit("unknown", codes=["config-doubt"])
    case.fix(4)


def directive(case):
    case.audit("invalid", codes=["config-syntax"])


def merge_key(case):
    """A member of the mapping itself overrides what the merge key brings."""
    got = case.audit("false")
    for fix in (0, 0):
        case.fix(fix)
        got = case.audit("true")
    last = got["sources"][-1]
    if (last["file"], last["line"]) != ("/etc/kubernetes/kubelet.json", 6):
        case.fault("decided by %s", last)


def utf16(case):
    got = case.audit("false")
    texts = [s.get("text_base64") for s in got["sources"] if s["file"]]
    if texts != [base64.b64encode("false".encode("utf-16-le")).decode()]:
        case.fault("text_base64: %s", texts)
    case.fix(4)


def unread_true(case):
    case.audit("false", codes=["decoy-config-dir"])
    case.fix(0)
    case.audit("true")


def unread_false(case):
    case.audit("true", codes=["decoy-config-dir"])


def invalid(case):
    case.audit("invalid")
    case.fix(4)


def in_dropins(case):
    """One message, not one for each line."""
    got = case.audit("false", codes=["dropin-is-config"])
    # the report has no kubeconfig
    if [m["code"] for m in got["messages"] if m["severity"] != "note"] != \
            ["dropin-is-config"]:
        case.fault("messages: %s", got["messages"])
    case.fix(0)
    case.audit("true")


def two_commands(case):
    """The second command and the line that is missing before it."""
    place = "/etc/systemd/system/kubelet.service.d/override.conf:2:11"
    for got in case.audit("invalid"), case.fix(4):
        case.told(got, "unit-two-commands", place)
        text = [m["text"] for m in got["messages"]
                if m["code"] == "unit-two-commands"]
        if not text or "an empty 'ExecStart=' line before it" not in text[0]:
            case.fault("it says %s", text)
    if place not in case.audit("invalid")["reason"]:
        case.fault("the reason has no place")


COMMAND = "ExecStart=/usr/bin/kubelet --config=/etc/k\n"
DROPIN = "/etc/systemd/system/kubelet.service.d/%s.conf"


def command_rows():
    """Name, the unit's [Service], its drop-ins', the second command's place:
    the file's number (0: the unit) and line:column; None: it can start, 0: it
    cannot, for another reason."""
    more = "ExecStart=/usr/bin/kubelet --v=2\n"
    return [
        ("none too many", COMMAND, ["ExecStart=\n" + more], None),
        ("a drop-in without the empty line", COMMAND, [more], (1, "2:11")),
        ("behind other lines", COMMAND,
         ["# ours\nEnvironment=A=1\n" + more], (1, "4:11")),
        ("the empty line behind it", COMMAND, [more + "ExecStart=\n"], 0),
        ("the empty line in another section", COMMAND,
         ["[Unit]\nExecStart=\n[Service]\n" + more], (1, "5:11")),
        ("a second drop-in", COMMAND, ["ExecStart=\n" + more, more],
         (2, "2:11")),
        ("an earlier drop-in, a later reset", COMMAND,
         [more, "ExecStart=\n" + more], None),
        ("two in the unit", COMMAND + more, [], (0, "3:11")),
        ("two in a drop-in", COMMAND, ["ExecStart=\n" + more + more],
         (1, "4:11")),
        ("two in one line", "ExecStart=/usr/bin/kubelet ; /bin/true\n", [],
         (0, "2:30")),
        ("a oneshot", "Type=oneshot\n" + COMMAND,
         ["ExecStart=-/bin/true\n"], None),
        ("with a blank in the empty line", COMMAND,
         ["ExecStart= \t\n" + more], None),
        ("quotes are no empty line, and end a drop-in", COMMAND,
         ['ExecStart=""\n' + more], None),
        ("a masked drop-in before", COMMAND, ["", more], (2, "2:11")),
    ]


def commands(tap, program, schemas):
    for name, unit, dropins, want in command_rows():
        files = ["/etc/systemd/system/kubelet.service"]
        tree = {files[0]: "[Service]\n" + unit, "/etc/k": GVK}
        for i, text in enumerate(dropins):
            files.append(DROPIN % i)
            tree[files[-1]] = "[Service]\n" + text
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            state = "true" if want is None else "invalid"
            got = case.audit(state)
            case.told(got, "unit-two-commands",
                      *([files[want[0]] + ":" + want[1]] if want else []))
            tap.row("commands: " + name, case.faults)


def container(case):
    """The flag in the words of podman is named, in audit and fix."""
    unit = "/etc/systemd/system/kubelet.service"
    got = case.audit("unknown")
    places = ["%(file)s:%(line)s:%(column)s %(state)s" % s
              for s in got["sources"] if s["kind"] == "flag"]
    if places != [unit + ":9:3 false"]:
        case.fault("the flag is at %s", places)
    case.told(case.fix(4), "not-a-unit", unit + ":9:3")


FOLDERS = {
    "config-in-dropin-folder": in_dropins,
    "container-unit-flag-in-words": container,
    "two-execstart": two_commands,
    "flag-cluster-dns-csv": invalid,
    "validation-maxpods-flag": invalid,
    "validation-maxpods-file": invalid,
    "dropin-json-number-overflow": overflow,
    "yaml-tag-block-comma": tag,
    "yaml-tag-flow-comma": tag,
    "yaml-directive-long-version": directive,
    "merge-key-absent-key": merge_key,
    "utf16-json-text": utf16,
    "configdir-yaml-extension": unread_true,
    "dropin-yaml-extension-ignored": unread_false,
    "dropin-apiversion-1.29-1.31": apiversion,
    "dropin-null-1.29-1.31": null,
    "dropin-pascal-fix-does-not-help-1.29-1.31": pascal,
}


# A file among the unit's drop-ins, what is said of it, and how often.
DROPINS = [
    ("YAML", GVK + KEY + "true\nauthentication:\n  x: 1\n",
     ["dropin-is-config"]),
    ("a list, which begins like a header",
     GVK + "clusterDNS:\n  [10.0.0.1,\n   10.0.0.2]\n", ["dropin-is-config"]),
    ("a list on a line", GVK + "clusterDNS:\n  [10.0.0.1]\n",
     ["dropin-is-config"]),
    ("JSON", '{\n"kind": "KubeletConfiguration",\n"apiVersion":\n'
     '"kubelet.config.k8s.io/v1beta1",\n"clusterDNS":\n["10.0.0.1"]}\n',
     ["dropin-is-config"]),
    ("a file of another kind", "kind: Pod\nmetadata:\n  name: x\n",
     ["unit-no-section"]),
    ("words", "one\n\n# two\nthree\n", ["unit-no-section"]),
    ("lines before the header", "A=b\nC=d\n[Service]\nEnvironment=A=b\n",
     ["unit-no-section"]),
    ("a header", "[Service]\nEnvironment=A=b\n", []),
    ("nothing", "# nothing\n", []),
]


def check_dropin(program, schemas, text, codes, read):
    """READ: kubelet reads the file, too."""
    path = "/etc/systemd/system/kubelet.service.d/k.conf"
    tree = node("")
    if read:
        tree = {p: t.replace(CONFIG, path) for p, t in tree.items()}
    with Image({**tree, path: text}) as image:
        case = Check(program, schemas, image.root)
        got = case.audit("true")["messages"]
        if [m["code"] for m in got] != codes:
            case.fault("messages: %s", got)
        return case.faults


def dropins(tap, program, schemas):
    for name, text, codes in DROPINS:
        tap.row("a file among the unit's drop-ins: " + name,
                check_dropin(program, schemas, text, codes, False))
        if codes == ["dropin-is-config"]:
            tap.row("the same, which kubelet reads: " + name,
                    check_dropin(program, schemas, text, codes, True))


# --- slips of the pen -----------------------------------------------------------

UNIT = "/etc/systemd/system/kubelet.service"
ENV = "/etc/k.env"
FLAG = "--make-iptables-util-chains="


def slip_rows():
    """Name, [Service], the environment file, the config, the disk, the code
    and place of the message that says the cause; None: none does."""
    kubelet = "ExecStart=/usr/bin/kubelet $A $B\n"
    reading = "EnvironmentFile=/etc/k.env\n" + kubelet
    config = "ExecStart=/usr/bin/kubelet --config=" + CONFIG + "\n"
    template, nested = "template-unrendered", "variable-in-variable"
    shell = "shell-in-value"
    unit_line, env_line = "unit-line-swallowed", "environment-line-swallowed"
    return [
        # a backslash at the end of the line before
        ("a directive", "ExecStart=/usr/bin/kubelet --v=2 \\\nRestart=always\n",
         "", "", "invalid", unit_line, UNIT + ":3:1"),
        ("the last argument's", "ExecStart=/usr/bin/kubelet \\\n  --v=2 \\\n"
         "  WorkingDirectory=/\n", "", "", "invalid", unit_line,
         UNIT + ":4:1"),
        ("a section", "ExecStart=/usr/bin/kubelet --v=2 \\\n[Install]\n"
         "WantedBy=x\n", "", "", "invalid", unit_line, UNIT + ":3:1"),
        ("behind a comment", "ExecStart=/usr/bin/kubelet --v=2 \\\n# x\n"
         "Restart=always\n", "", "", "invalid", unit_line, UNIT + ":4:1"),
        ("an Environment=", "Environment=A=--v=2 \\\nEnvironment=B=%sfalse\n%s"
         % (FLAG, kubelet), "", "", "true", unit_line, UNIT + ":3:1"),
        ("the command itself", "Environment=A=--v=2 \\\n" + kubelet, "", "",
         "invalid", unit_line, UNIT + ":3:1"),
        ("an environment file", reading, "A=--v=2 \\\nB=%sfalse\n" % FLAG, "",
         "invalid", env_line, ENV + ":2:1"),
        ("an environment file, in quotes", reading,
         'A="--v=2" \\\nB="%sfalse"\n' % FLAG, "", "invalid", env_line,
         ENV + ":2:1"),
        ("a quote that is open", reading, 'A="--v=2\nB=%sfalse\n' % FLAG, "",
         "invalid", env_line, ENV + ":2:1"),
        ("an argument is no directive",
         "ExecStart=/usr/bin/kubelet \\\n  --v=2 \\\n  --node-labels=A=b\n",
         "", "", "true", None, ""),
        ("a second variable of a line", "Environment=A=--v=2 \\\n  B=%sfalse\n%s"
         % (FLAG, kubelet), "", "", "false", None, ""),
        ("an argument in an environment file", reading,
         "A=--v=2 \\\n  %sfalse\n" % FLAG, "", "false", None, ""),
        ("a backslash that is escaped", "Environment=A=x\\\\\nRestart=no\n" +
         config, "", KEY + "true\n", "true", None, ""),
        # a variable inside a variable
        ("a word", 'Environment="A=--v=2 $C"\n' + kubelet, "", "", "invalid",
         nested, UNIT + ":2:22"),
        ("braces", 'Environment="A=--v=${C}"\n' + kubelet, "", "", "invalid",
         nested, UNIT + ":2:20"),
        ("of ours", 'Environment="A=%s${C}"\n' % FLAG + kubelet, "", "",
         "invalid", nested, UNIT + ":2:44"),
        ("in an environment file", reading, "C=2\nA=--v=$C\n", "", "invalid",
         nested, ENV + ":2:7"),
        ("in the braces of the command",
         'Environment="A=$C"\nExecStart=/usr/bin/kubelet --v=${A}\n', "", "",
         "invalid", nested, UNIT + ":2:16"),
        ("which kubelet takes", 'Environment="A=--node-ip=$C"\n' + kubelet, "",
         "", "true", nested, UNIT + ":2:26"),
        ("a dollar that is none", 'Environment="A=--node-labels=a$ --v=2"\n' +
         kubelet, "", "", "true", None, ""),
        ("a dollar of the command",
         "ExecStart=/usr/bin/kubelet --node-labels=$$C\n", "", "", "true",
         None, ""),
        # what is for a shell
        ("a blank in it", 'Environment="A=--node-ip=$(hostname -I)"\n' + kubelet,
         "", "", "invalid", shell, UNIT + ":2:26"),
        ("backticks", "ExecStart=/usr/bin/kubelet --node-ip=`hostname -I` x\n",
         "", "", "invalid", shell, UNIT + ":2:38"),
        ("no blank in it", reading, "A=--hostname-override='$(hostname)'\n",
         "", "true", shell, ENV + ":1:24"),
        ("one that is not closed", kubelet + "Environment=A=--node-ip=`x\n",
         "", "", "true", None, ""),
        # lines that systemd ignores
        ("another section, beside the command",
         kubelet + "[Unit]\n Environment=A=%sfalse\n" % FLAG, "", "", "true",
         "unit-key-ignored", UNIT + ":4:2"),
        ("a directive that is like another",
         "RestartSec=1\nRestartMode=direct\nStateDirectoryMode=0700\n"
         "ExecStopPost=-/bin/true\nX-Environment=A\nenvironment=\n" + kubelet,
         "", "", "true", None, ""),
        # several paths in one line
        ("two paths that may be missing", "EnvironmentFile=-/a -/b\n" + kubelet,
         "", "", "true", "environment-file-blank", UNIT + ":2:17"),
        ("a blank in a path", "EnvironmentFile=-/a b/c\n" + kubelet, "", "",
         "true", None, ""),
        # a variable that is not set
        ("in braces", "ExecStart=/usr/bin/kubelet --v=${V}\n", "", "", "invalid",
         "variable-unset", UNIT + ":2:32"),
        ("a word in braces", "ExecStart=/usr/bin/kubelet ${V}\n", "", "",
         "invalid", "variable-unset", UNIT + ":2:28"),
        ("its file's name", "ExecStart=/usr/bin/kubelet --config=${C}\n", "", "",
         "true", "variable-unset", UNIT + ":2:37"),
        ("alone", kubelet, "", "", "true", None, ""),
        ("one that is set", "Environment=V=2\n"
         "ExecStart=/usr/bin/kubelet --v=${V}\n", "", "", "true", None, ""),
        # words without quotes
        ("two words", "Environment=A=--v=2 %sfalse\n%s" % (FLAG, kubelet), "",
         "", "true", "environment-invalid", UNIT + ":2:21"),
        ("behind the quotes", 'Environment="A=--v=2" %sfalse\n%s'
         % (FLAG, kubelet), "", "", "true", "environment-invalid",
         UNIT + ":2:23"),
        ("a blank behind the =", "Environment=A= %sfalse\n%s"
         % (FLAG, kubelet), "", "", "true", "environment-invalid",
         UNIT + ":2:16"),
        ("in quotes", 'Environment="A=--v=2 %sfalse"\n%s' % (FLAG, kubelet), "",
         "", "false", None, ""),
        # templates
        ("of Helm", config, "", KEY + "{{ .X }}\n", "invalid", template,
         CONFIG + ":3:25"),
        ("in quotes", config, "", KEY + '"{{ .X }}"\n', "invalid", template,
         CONFIG + ":3:26"),
        ("of terraform", config, "", KEY + "${x}\n", "invalid", template,
         CONFIG + ":3:25"),
        ("a number", config, "", "maxPods: ${max_pods}\n", "invalid", template,
         CONFIG + ":3:10"),
        ("a line of Jinja", config, "", "{% if x %}\nmaxPods: 5\n{% endif %}\n",
         "invalid", template, CONFIG + ":3:1"),
        ("of ERB", config, "", KEY + "<%= x %>\n", "invalid", template,
         CONFIG + ":3:25"),
        ("JSON", config, "", b'{"kind": "KubeletConfiguration",\n'
         b' "makeIPTablesUtilChains": {{ .X }}}\n', "invalid", template,
         CONFIG + ":2:28"),
        ("an argument", "ExecStart=/usr/bin/kubelet --v={{ .V }}\n", "", "",
         "invalid", template, UNIT + ":2:32"),
        ("the program", "ExecStart={{ bin }}/kubelet --v=2\n", "", "",
         "unknown", template, UNIT + ":2:11"),
        ("an environment file", reading, "A=--v={{ v }}\n", "", "invalid",
         template, ENV + ":1:7"),
        ("a text that may be one", config, "",
         'clusterDomain: "{{ x }}"\n' + KEY + "true\n", "true", None, ""),
        ("another line is wrong", config, "",
         'clusterDomain: "{{ x }}"\nmaxPods: x\n', "invalid", None, ""),
        ("a comment", config, "", "# {{ x }}\nmaxPods: x\n", "invalid", None,
         ""),
    ]


SLIPS = ("unit-line-swallowed", "environment-line-swallowed",
         "variable-in-variable", "variable-unset", "template-unrendered",
         "environment-invalid", "shell-in-value", "unit-key-ignored",
         "exec-start-ignored", "environment-file-blank")


def slips(tap, program, schemas):
    for name, unit, env, config, want, code, place in slip_rows():
        whole = config if isinstance(config, bytes) else GVK + config
        with Image({UNIT: "[Service]\n" + unit, ENV: env,
                    CONFIG: whole}) as image:
            case = Check(program, schemas, image.root)
            got = case.audit(want)
            found = ["%(code)s %(file)s:%(line)s:%(column)s" % m
                     for m in got["messages"] if m["code"] in SLIPS]
            if found[:1] != ["%s %s" % (code, place)] * bool(code):
                case.fault("it says %s", found)
            if code and want == "invalid":
                first = [m for m in got["messages"] if m["code"] == code][0]
                if first["severity"] != "error" or \
                        not got["reason"].startswith(place + ": "):
                    case.fault("it is not said as the cause: %s",
                               got["reason"])
            tap.row("a slip: %s (%s)" % (name, code), case.faults)


# --- words that are not known ---------------------------------------------------

COMMENT = ("%s:1:1: a comment ends in a backslash: before systemd 254 the "
           "next line belongs to it, and which systemd reads this is not "
           "known" % ENV)
STARTS = "%s:%d:%d: variable '%s' gets its value when the service starts"


def doubt_rows():
    """Name, unit, other files, the disk's state, its reason's begin."""
    start = "ExecStart=/usr/bin/kubelet "
    conf = start + "--config=" + CONFIG + " "
    env = "EnvironmentFile=%s\n" % ENV
    lost = {ENV: "# x \\\nA=%strue\n" % FLAG}
    two = {ENV: "# x\\\nB=1\n;y \\\nA=%strue\n" % FLAG}
    return [
        ("made at the start, a word", conf + "$INVOCATION_ID\n", {},
         "unknown", STARTS % (UNIT, 2, 55, "INVOCATION_ID")),
        ("... in braces", conf + "${INVOCATION_ID}\n", {},
         "unknown", STARTS % (UNIT, 2, 55, "INVOCATION_ID")),
        ("... a number", conf + "--max-pods=${INVOCATION_ID}\n", {},
         "unknown", STARTS % (UNIT, 2, 55, "INVOCATION_ID")),
        ("... a number in a word of its own",
         conf + "--max-pods ${INVOCATION_ID}\n", {},
         "unknown", STARTS % (UNIT, 2, 66, "INVOCATION_ID")),
        ("... our flag's value", conf + FLAG + "${INVOCATION_ID}\n", {},
         "unknown", STARTS % (UNIT, 2, 55, "INVOCATION_ID")),
        ("... a name", conf + "--hostname-override=${INVOCATION_ID}\n", {},
         "true", ""),
        ("... the host's name", conf + "--hostname-override=%H\n", {},
         "true", ""),
        ("... the file", start + "--config=/x/${INVOCATION_ID}\n", {},
         "unknown", STARTS % (UNIT, 2, 28, "INVOCATION_ID")),
        ("... the folder", conf + "--config-dir=${INVOCATION_ID}\n", {},
         "unknown", STARTS % (UNIT, 2, 55, "INVOCATION_ID")),
        ("passed", "PassEnvironment=A\n" + conf + "$A x\n", {},
         "unknown", STARTS % (UNIT, 3, 55, "A")),
        ("a specifier", conf + "%s\n", {}, "unknown",
         UNIT + ":2:55: it has a specifier that cannot be known"),
        ("a specifier in a variable",
         "Environment=A=--v=%s\n" + conf + "$A\n", {}, "unknown",
         UNIT + ":2:15: it has a specifier that cannot be known"),
        ("behind a comment", env + conf + "$A\n", lost, "unknown", COMMENT),
        ("... in braces", env + conf + "${A}\n", lost, "unknown", COMMENT),
        ("behind the second comment", env + conf + "$A\n", two, "unknown",
         COMMENT.replace(":1:1:", ":3:1:")),
        ("behind a comment, and not used", env + conf + "\n", lost, "true",
         ""),
        ("an optional file", env.replace("=", "=-") + conf + "$A\n", {},
         "true", ""),
        ("the file, of a wrapper",
         "ExecStart=/usr/bin/nsenter -m /usr/bin/kubelet "
         "--config=/x/${INVOCATION_ID}\n", {}, "unknown", "a wrapper "),
        ("the file, of a container",
         "ExecStart=/usr/bin/podman run -v /x:/x i "
         "--config=/x/${INVOCATION_ID}\n", {}, "unknown", "a container "),
    ]


def doubts(tap, program, schemas):
    """No fault is derived from what is not known."""
    for name, unit_text, files, want, reason in doubt_rows():
        with Image({UNIT: "[Service]\n" + unit_text,
                    CONFIG: GVK + KEY + "true\n", **files}) as image:
            case = Check(program, schemas, image.root)
            got = case.audit(want)
            errors = [m for m in got["messages"] if m["severity"] == "error"]
            if errors:
                case.fault("errors: %s", errors)
            view = got["views"]["disk"]
            if want == "unknown" and not view["reason"].startswith(reason):
                case.fault("the reason is %s", view["reason"])
            if got["node"]["name"]:
                case.fault("its name is %s", got["node"]["name"])
            tap.row("not known: " + name, case.faults)


def credential_rows():
    """Name, the credentials, the word of --config, the disk's state, a part of
    its reason. (Tried: test-systemd-start.py.)"""
    load, folder = "LoadCredential=k:", "${CREDENTIALS_DIRECTORY}/k"
    return [
        ("a file", load + CONFIG, "%d/k", "false", CONFIG),
        ("a file, by the variable", load + CONFIG, folder, "false", CONFIG),
        ("a file that is not there", load + "/x", "%d/k", "unknown",
         "kubelet.service needs /x, which is not there, for LoadCredential="),
        ("a file that is not there, with a text",
         load + "/x\nSetCredential=k:{}", "%d/k", "unknown",
         "loads it from a file that is not there"),
        ("a text", "SetCredential=k:{}", "%d/k", "unknown",
         "SetCredential= (%s:2:15) gives it" % UNIT),
        ("encrypted", "LoadCredentialEncrypted=l:k", "%d/l", "unknown",
         "gives it when the service starts"),
        ("a file, encrypted", "LoadCredentialEncrypted=k:" + CONFIG, "%d/k",
         "unknown", "gives it when the service starts"),
        ("of a folder", load + "/etc", "%d/k_kubelet.yaml", "unknown",
         "loads it from a folder"),
        ("imported", "ImportCredential=*", "%d/k", "unknown",
         "ImportCredential= (%s:2:18) gives it" % UNIT),
        ("no such one", load + CONFIG, "%d/l", "invalid", "cannot read"),
        ("none", "Type=exec", "%d/k", "invalid", "cannot read"),
        ("a folder of the service's own", "StateDirectory=x",
         "${STATE_DIRECTORY}/k", "unknown",
         STARTS % (UNIT, 3, 28, "STATE_DIRECTORY")),
    ]


def credentials(tap, program, schemas):
    for name, lines, word, want, reason in credential_rows():
        with Image({UNIT: "[Service]\n%s\nExecStart=/usr/bin/kubelet "
                    "--config=%s\n" % (lines, word),
                    CONFIG: GVK + KEY + "false\n"}) as image:
            case = Check(program, schemas, image.root)
            got = case.audit(want)
            if reason not in got["views"]["disk"]["reason"]:
                case.fault("the reason is %s", got["views"]["disk"]["reason"])
            errors = [m for m in got["messages"] if m["severity"] == "error"]
            if errors and want == "unknown":
                case.fault("errors: %s", errors)
            if want == "false":
                case.fix(0)
                case.audit("true")
            tap.row("a credential: " + name, case.faults)


# --- the next command -----------------------------------------------------------

def last_line(text):
    return text.rstrip("\n").rpartition("\n")[2]


def check_last(case):
    """What an audit ends with: no command that is refused, and none without
    a value for INVALID."""
    run = Run([case.program, "audit", "--root=" + case.root])
    line = last_line(run.out)
    state = run.out.split(" ")[0]
    if state == "INVALID" and not line.startswith("next: "):
        case.fault("INVALID ends with %r", line)
    if line.startswith("next: kubelet-remedy audit") and \
            "--kubelet-version=VERSION" not in line:
        case.fault("it is the command just run: %r", line)
    if line.startswith("next: kubelet-remedy fix"):
        words = line.split()[2:]
        if "-n" not in words:
            words.insert(1, "-n")
        then = Run([case.program, *words])
        if then.status not in (0, 1):
            case.fault("%r ends with %s: %s", line, then.status, then.out)
    return line


def put_back(case):
    """A fix that was put back, and the files as they were before it."""
    case.fix(0)
    state = case.root + "/var/lib/kubelet-remedy"
    run = os.path.join(state, os.listdir(state)[0])
    with open(run + "/manifest.json", encoding="utf-8") as file:
        text = file.read()
    assert '"kept"' in text
    with open(run + "/manifest.json", "w", encoding="utf-8") as file:
        file.write(text.replace('"kept"', '"put-back"'))
    with open(case.root + CONFIG, "w", encoding="utf-8") as file:
        file.write(GVK + KEY + "false\n")


def give_names(case):
    os.link(case.root + CONFIG, case.root + CONFIG + ".link")


def next_rows():
    """Name, tree, what is done to it, a part of the last line."""
    false = node(KEY + "false\n")
    k3s = {"/etc/systemd/system/k3s.service":
           "[Service]\nExecStart=/usr/local/bin/k3s server\n",
           "/etc/rancher/k3s/config.yaml":
           "kubelet-arg: make-iptables-util-chains=false\n"}
    nix = {"/nix/store/x/kubelet.service":
           "[Service]\nExecStart=/usr/bin/kubelet --config=/nix/store/k\n",
           "/nix/store/k": GVK + KEY + "false\n"}
    fix = "next: kubelet-remedy fix -n --root="
    return [
        ("false", false, None, fix),
        ("a value that is none", node(KEY + "maybe\n"), None, fix),
        ("put back before", false, put_back,
         "next: this change was rolled back before: "),
        ("a file with two names", false, give_names,
         "next: %s: has several names (hard links): a change would leave"
         % CONFIG),
        ("k3s", k3s, None, "next: /etc/rancher/k3s/config.yaml:1:14: k3s "
         "starts kubelet, so fix edits nothing here: change this to make-"),
        ("k3s, with the dashes", dict(k3s, **{
            "/etc/rancher/k3s/config.yaml":
            "kubelet-arg: --make-iptables-util-chains=false\n"}), None,
         "nothing here: change this to --make-"),
        ("a store", dict(nix, **{
            "/etc/systemd/system/kubelet.service":
            nix["/nix/store/x/kubelet.service"]}), None,
         "next: /nix/store/k:3:1: the key stands in a file of the Nix"),
        ("a merge key", node("<<: {makeIPTablesUtilChains: false}\n"), None,
         "next: kubelet-remedy fix -n"),
        ("a script", {"/etc/systemd/system/kubelet.service":
                      "[Service]\nExecStart=/usr/bin/kubelet\n",
                      "/usr/bin/kubelet": "#!/bin/sh\n"}, None, ""),
        ("a tag in doubt", node("x: !!str, y\n"), None,
         "next: %s:3:9: write a blank behind that tag" % CONFIG),
        ("a comment that goes on",
         {UNIT: "[Service]\nEnvironmentFile=%s\nExecStart=/usr/bin/kubelet "
                "--config=%s $A\n" % (ENV, CONFIG),
          CONFIG: GVK + KEY + "false\n", ENV: "B=1\n# x \\\nA=--v=2\n"}, None,
         "next: %s:2:1: take the backslash at the end of that comment" % ENV),
        ("masked", {UNIT: ("/dev/null",)}, None,
         "next: run 'systemctl unmask kubelet.service'"),
        ("UTF-16", plus(false, UNIT + ".d/a.conf",
                        "[Service]\nNice=1\n".encode("utf-16")), None,
         "next: %s.d/a.conf:1:1: rewrite that file as UTF-8" % UNIT),
        ("equal bits", node(KEY + "false\niptablesMasqueradeBit: 14\n"
                            "iptablesDropBit: 14\n"), None,
         "next: iptablesMasqueradeBit and iptablesDropBit are both 14"),
        ("a key of no kind", node("maxPods: x\n"), None,
         "next: %s:3:10: correct that file" % CONFIG),
        ("no file", node(None, args="--config=/nowhere"), None,
         "next: correct /nowhere, "),
        ("an argument", node("", args="--no-such-flag\u00e9"), None,
         "next: /etc/systemd/system/kubelet.service:2:"),
        ("no program", {"/etc/systemd/system/kubelet.service":
                        "[Service]\nExecStart=bin/kubelet\n"}, None,
         "next: /etc/systemd/system/kubelet.service:2:11: correct that line"),
        ("no command", {"/etc/systemd/system/kubelet.service":
                        "[Service]\nType=simple\n"}, None,
         "next: /etc/systemd/system/kubelet.service: correct the unit"),
        ("true", node(KEY + "true\n"), None, ""),
    ]


def next_commands(tap, program, schemas, reports):
    nodes = os.path.join(os.path.dirname(reports), "nodes")
    for folder in (reports, nodes):
        for name in sorted(os.listdir(folder)):
            if not os.path.isdir(os.path.join(folder, name)):
                continue
            with NodeCopy(os.path.join(folder, name)) as copy:
                case = Check(program, schemas, copy.root)
                check_last(case)
                tap.row("next: %s" % name, case.faults)
    for name, tree, change, want in next_rows():
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            if change:
                change(case)
            line = check_last(case)
            if want not in line:
                case.fault("it ends with %r", line)
            tap.row("next: " + name, case.faults)


FALSE_FLAG = "--make-iptables-util-chains=false"


def elsewhere_rows():
    """Name, ExecStart=, more lines of [Service], files; how the audit ends.
    UNIT is where the flag stands in the unit."""
    config = {CONFIG: GVK + KEY + "false\n"}
    by_hand = "change this to --make-iptables-util-chains=true yourself"
    mounted = "write makeIPTablesUtilChains true yourself, in the file that "
    plain = "/usr/bin/kubelet --config=" + CONFIG
    return [
        ("BindPaths=", plain, "BindPaths=/srv:/etc\n", config,
         mounted),
        ("TemporaryFileSystem=", plain, "TemporaryFileSystem=/etc\n", config,
         mounted),
        ("RootDirectory=", plain, "RootDirectory=/srv\n", config,
         "there is nothing here that could be edited safely: kubelet must be "),
        ("nsenter", "/usr/bin/nsenter -m kubelet " + FALSE_FLAG, "", {},
         UNIT + ":2:39: a wrapper starts kubelet, so fix edits nothing here: "
         + by_hand),
        ("a shell", "/bin/sh -c 'exec kubelet %s'" % FALSE_FLAG, "", {},
         UNIT + ":2:36: a wrapper"),
        ("two words in a shell", "/bin/sh -c 'exec kubelet %s'"
         % FALSE_FLAG.replace("=", " "), "", {}, UNIT + ":2:36: a wrapper "
         "starts kubelet, so fix edits nothing here: change this and the word "
         "behind it to --"),
        ("a container", "/usr/bin/docker run kubelet " + FALSE_FLAG, "", {},
         UNIT + ":2:39: a container (docker)"),
        ("CoreOS' kubelet-wrapper",
         "/usr/lib/coreos/kubelet-wrapper " + FALSE_FLAG, "", {},
         UNIT + ":2:43: a wrapper"),
        ("a script of such a name", "/opt/start-kubelet.sh " + FALSE_FLAG, "",
         {"/opt/start-kubelet.sh": "#!/bin/sh\nexec /k $@\n"},
         UNIT + ":2:33: a wrapper"),
        ("a script's own word", "/opt/start.sh " + FALSE_FLAG, "",
         {"/opt/start.sh": "#!/bin/sh\nexec kubelet $@\n"},
         UNIT + ":2:25: a wrapper"),
        ("env -S", "/usr/bin/env -S 'kubelet %s'" % FALSE_FLAG, "", {},
         UNIT + ":2:36: a wrapper"),
        ("env -vS", "/usr/bin/env -vS 'A=1 /usr/bin/kubelet %s --v=2'"
         % FALSE_FLAG, "", {}, UNIT + ":2:50: a wrapper"),
        ("env -u A -S", "/usr/bin/env -u A -S 'kubelet %s'" % FALSE_FLAG, "",
         {}, UNIT + ":2:41: a wrapper"),
        ("env --split-string=",
         "/usr/bin/env '--split-string=kubelet %s'" % FALSE_FLAG, "", {},
         UNIT + ":2:48: a wrapper"),
        ("env and another program", "/usr/bin/env A=kubelet /usr/bin/sleep",
         "", {}, None),
        ("a program of another name", "/usr/bin/sleep " + FALSE_FLAG, "", {},
         None),
        ("true behind a wrapper", "/bin/sh -c 'kubelet %s'"
         % FALSE_FLAG.replace("false", "true"), "", {}, UNIT + ":2:31: "),
        ("drop-ins", plain + " " + DIR_WORD, "",
         {FOLDER + "/1.conf": GVK + KEY + "null\n", **config},
         "say which version 'kubelet --version' prints, with: "
         "kubelet-remedy audit --root=%s --kubelet-version=VERSION"),
        ("a tag", plain, "", {CONFIG: GVK + "x: !!str, y\n"}, None),
    ]


def elsewhere_next(tap, program, schemas):
    """What an audit that cannot know ends with."""
    for name, exec_start, more, files, want in elsewhere_rows():
        tree = {UNIT: "[Service]\nExecStart=%s\n%s" % (exec_start, more),
                **files}
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            case.audit("unknown")
            line = check_last(case)
            begins = "next: " + (want or "").replace("%s", image.root)
            if want and not line.startswith(begins):
                case.fault("it ends with %r", line)
            if not want and line.startswith("next: kubelet-remedy fix"):
                case.fault("there is nothing to do: %r", line)
            tap.row("not to be known: " + name, case.faults)
# --- where a fix would help only a part ----------------------------------------------

def part_rows():
    """Name, kubelet's words, the environment file, the config, the last line:
    what stays wrong is named, at its place in the files as they are; in words
    only where the audit has not said it."""
    bad, correct = FLAG + "maybe", "correct that argument, then run this again"
    value = "write the value itself there, then run this again"
    limit = ": maxPods must be from 0 to 2147483647; correct that file"
    return [
        ("a backtick before", "`x` " + bad, "", "", UNIT + ":3:55: " + value),
        ("a backtick behind", bad + " `x`", "", "", UNIT + ":3:89: systemd "
         "runs no shell: kubelet gets `...` as it stands here; " + value),
        ("behind dashes", bad + " -- x", "", "", UNIT + ":3:92: " + correct),
        ("our flag behind dashes", "--kubeconfig=/k -- %sfalse" % FLAG, "", "", None),
        ("another flag", bad + " --max-pods=x", "", "", UNIT + ":3:89: " + correct),
        ("a word behind the flag's", FLAG[:-1] + " false x", "", "",
         UNIT + ":3:89: " + correct),
        ("the same of a file", "$A", 'B=1\nA="--v=2 %s x"\n' % bad, "",
         ENV + ":2:44: " + correct),
        ("several of ours", bad + " " + bad + " x", "", "",
         UNIT + ":3:123: " + correct),
        ("the program would end", bad + " --version", "", "", UNIT + ":3:89: "
         "--version: kubelet prints and exits, it does not run; " + correct),
        ("a range", bad, "", "maxPods: -1\n", CONFIG + ":3:10" + limit),
        ("a range behind the key", "", "", KEY + "maybe\nmaxPods: -1\n",
         CONFIG + ":4:10" + limit),
        ("another key before", "", "", "maxPods: x\n" + KEY + "maybe\n",
         CONFIG + ":3:10: correct that file"),
        ("another key behind", "", "", KEY + "maybe\nmaxPods: x\n",
         CONFIG + ":4:10: correct that file"),
        ("the key, and an argument", "x", "", KEY + "maybe\n",
         UNIT + ":3:55: " + correct),
        ("a template", FLAG + "{{ x }}", "", "", UNIT + ":3:83: render the "
         "template, then run this again"),
        ("ours alone", bad, "", "", None),
    ]


def parts(tap, program, schemas):
    for name, words, env, config, want in part_rows():
        service = "EnvironmentFile=%s\nExecStart=/usr/bin/kubelet --config=%s" \
            " %s\n" % (ENV, CONFIG, words)
        with Image({UNIT: "[Service]\n" + service, ENV: env,
                    CONFIG: GVK + config}) as image:
            case = Check(program, schemas, image.root)
            case.audit("invalid")
            line = check_last(case)
            if want and line.partition(", then")[0] != \
                    ("next: " + want).partition(", then")[0]:
                case.fault("it ends with %r", line)
            if not want and "kubelet-remedy fix -n" not in line:
                case.fault("it ends with %r", line)
            status = case.run("fix", "-n")[0]
            if status != (4 if want else 1):
                case.fault("fix -n: status %s", status)
            tap.row("a fix of a part: " + name, case.faults)


# --- the next command of a benchmark ------------------------------------------------

def benchmark_rows():
    """Name, the config, the benchmark, more options of the audit, the last
    line: no fix that is refused because kubelet would not start."""
    fix = "next: kubelet-remedy fix -n "
    correct = "next: " + CONFIG + ":3:10: correct that file, then run this again"
    ask = "rotateCertificates: x\n"
    return [
        ("a type", "maxPods: x\n", [], correct),
        ("a range", "maxPods: -1\n", [], correct),
        ("an ask control's", ask, [],
         fix + "--benchmark=cis-1.7 --allow=rotateCertificates"),
        ("an ask control's and a type", ask + "maxPods: x\n", [],
         "next: " + CONFIG + ":3:21: correct that file, then run this again"),
        ("an auto control's", "readOnlyPort: x\n", [],
         fix + "--benchmark=cis-1.7 --root="),
        ("one control's, and another's",
         "readOnlyPort: x\nstreamingConnectionIdleTimeout: x\n",
         ["--control=readOnlyPort"],
         "next: " + CONFIG + ":4:33: correct that file, then run this again"),
        ("nothing", "maxPods: 5\n", [], fix + "--benchmark=cis-1.7 --root="),
    ]


KUBECONFIG = """apiVersion: v1
kind: Config
current-context: c
contexts:
- name: c
  context: {cluster: x, user: u}
users:
- name: u
  user: {client-certificate: /p}
clusters:
- name: x
  cluster: {server: "https://a"}
"""


def benchmark_next(tap, program, schemas):
    for name, config, more, want in benchmark_rows():
        tree = {UNIT: "[Service]\nExecStart=/usr/bin/kubelet "
                      "--kubeconfig=/k --config=%s\n" % CONFIG,
                CONFIG: GVK + config, "/k": KUBECONFIG}
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            words = ["--benchmark=cis-1.7", *more, "--root=" + image.root]
            line = last_line(Run([program, "audit", *words]).out)
            if not line.startswith(want):
                case.fault("it ends with %r", line)
            if line.startswith("next: kubelet-remedy fix"):
                then = Run([program, *line.split()[2:]])
                if then.status != 1:
                    case.fault("%r: %s %s", line, then.status, then.out)
            tap.row("next of a benchmark: " + name, case.faults)


# --- the words ----------------------------------------------------------------------

def words_rows():
    """Name, tree, command, a part of the text."""
    anonymous = "authentication.anonymous.enabled"
    flag = "--tls-cipher-suites=TLS_AES_"
    two = node("maxPods: 5\n", args="%s128_GCM_SHA256 %s256_GCM_SHA384" %
               (flag, flag))
    return [
        ("no blank behind a name", node("a: 1\nmaxPods:5\nb: 2\n"), "audit",
         "a name must be followed by ':' and a blank (could not find expected "
         "':')\n  disk      invalid  %s:4:1\n      4 | maxPods:5\n"
         "        | ^~~~~~~~~\n" % CONFIG),
        ("an object's member", node("kubeReserved: {cpu: 1}\n"), "audit",
         "the value of kubeReserved.cpu must be a string"),
        ("... of JSON", node(b'{"apiVersion":"kubelet.config.k8s.io/v1beta1",'
                             b'"kind":"KubeletConfiguration",'
                             b'"kubeReserved":{"cpu":1}}'), "audit",
         "the value of kubeReserved.cpu must be a string"),
        ("a list's item", node("clusterDNS: [1]\n"), "audit",
         "each item of clusterDNS must be a string"),
        ("a change in brackets",
         node("authentication:\n  anonymous: {enabled: true}\n",
              args="--client-ca-file=/ca"),
         "fix -n --allow=%s --control=%s" % (anonymous, anonymous),
         "change enabled: true -> false\n"),
        ("a flag whose uses are put together", two,
         "audit --control=tlsCipherSuites", "  and: %s:2:" % UNIT),
    ]


def say_words(tap, program, schemas):
    for name, tree, command, want in words_rows():
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            run = Run([program, *command.split(), "--root=" + image.root])
            if want not in run.out:
                case.fault("%s: %s%s", command, run.out, run.err)
            if "--tls-" in tree[UNIT]:
                _, got = case.run(*command.split())
                wins = [s["wins"] for s in got["sources"]]
                if wins != [False, True, True]:
                    case.fault("who decides: %s", wins)
            tap.row("words: " + name, case.faults)


# --- each fault is said once --------------------------------------------------------

def once_rows():
    """Name, tree."""
    return [
        ("a range", node("maxPods: -1\n")),
        ("two ranges, and a value that fails",
         node(KEY + "false\nmaxPods: -1\npodsPerCore: -4\n")),
        ("a type", node("maxPods: x\n")),
        ("the key's type", node(KEY + "maybe\n")),
        ("both", node("maxPods: x\n" + KEY + "maybe\n")),
        ("an argument", node("", args=FLAG + "maybe")),
        ("two arguments", node("", args="--max-pods=x --v=y " + FLAG + "z")),
        ("gates, of both",
         node("featureGates: {Bar: true}\n", args="--feature-gates=Foo=true")),
        ("no YAML", node("maxPods: [\n")),
        ("no file", node(None, args="--config=/nowhere")),
        ("a unit", {UNIT: "[Service]\nExecStart=bin/kubelet\n"}),
        ("a byte of a unit", {UNIT: b"[Service]\nExecStart=/kubelet \xff\n"}),
    ]


def said_of(message):
    """What a text says of MESSAGE: its words, without the name of its file."""
    return message["text"].partition(" it: ")[2] or message["text"]


def check_once(case, command, *words):
    """Each error of the JSON, in a text: its words once, and its place."""
    _, got = case.run(command, *[word for word in words if word != "-q"])
    run = Run([case.program, command, "--root=" + case.root, *words])
    text = run.out + run.err
    errors = [m for m in got["messages"] if m["severity"] == "error"]
    if not errors:
        case.fault("%s says no error", command)
    for m in errors:
        if m["code"] in ("not-by-setting", "not-proven", "config-edit"):
            continue
        place = ":".join(str(m[part]) for part in ("file", "line", "column")
                         if m[part] is not None)
        if text.count(said_of(m)) != 1 or place not in text:
            case.fault("%s %s, %s: %s:\n%s", command, words, place, m["text"],
                       text)
    if "next: " not in text:
        case.fault("%s %s: what is to be done? %s", command, words, text)


def said_once(tap, program, schemas):
    for name, tree in once_rows():
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            check_once(case, "audit", "--kubelet-version=1.30")
            check_once(case, "audit", "--benchmark=cis-1.12",
                       "--kubelet-version=1.30")
            run = Run([program, "fix", "-n", "--root=" + image.root,
                       "--kubelet-version=1.30"])
            if run.status == 4:
                for more in ([], ["-n"], ["-q"]):
                    check_once(case, "fix", "--kubelet-version=1.30", *more)
            tap.row("said once: " + name, case.faults)


# --- arguments on lines of their own ------------------------------------------------

def lost_rows():
    """Name, [Service], the disk, the places, the cause that is said."""
    start = "ExecStart=/usr/bin/kubelet --kubeconfig=/k --config=" + CONFIG
    no, lost = "does not end in a backslash", "  %sfalse\n" % FLAG
    return [
        ("behind a command", start + "\n" + lost, "true", ["3:3"], no),
        ("in the middle", start + " \\\n  --v=2\n" + lost, "true", ["4:3"], no),
        ("two", start + "\n  --v=2\n" + lost, "true", ["3:3", "4:3"], no),
        ("behind a comment", start + "\n# x\n" + lost, "true", ["4:3"], no),
        ("behind an empty continuation", start + " \\\n\n" + lost, "true",
         ["4:3"], "which is empty, " + no),
        ("behind blanks", start + " \\\n \t\n" + lost, "true", ["4:3"],
         "which is empty, " + no),
        ("behind a blank behind the backslash", start + " \\ \n" + lost,
         "invalid", ["3:3"], "has a blank behind its backslash"),
        ("without a value", start + "\n  --register-node\n", "true", ["3:3"],
         no),
        ("a shorthand", start + "\n  -v=2\n", "true", ["3:3"], no),
        ("a variable", start + "\n  $A\n", "true", ["3:3"], no),
        ("a variable in braces", start + "\n  ${A}\n", "true", ["3:3"], no),
        ("in quotes", start + '\n  "%sfalse"\n' % FLAG, "true", ["3:3"], no),
        ("first of all", lost + start + "\n", "true", ["2:3"], "ignored"),
        ("none: a continuation", start + " \\\n" + lost, "false", [], ""),
        ("none: a directive", start + "\nX-y=--v=2\n", "true", [], ""),
        ("none: a comment", start + "\n#" + lost, "true", [], ""),
    ]


def lost_lines(tap, program, schemas):
    for name, service, want, places, cause in lost_rows():
        with Image({UNIT: "[Service]\n" + service,
                    CONFIG: GVK + KEY + "true\n"}) as image:
            case = Check(program, schemas, image.root)
            got = case.audit(want)
            case.told(got, "unit-line-lost",
                      *[UNIT + ":" + place for place in places])
            texts = [m["text"] for m in got["messages"]
                     if m["code"] == "unit-line-lost"]
            if texts and cause not in texts[-1]:
                case.fault("it is said: %s", texts)
            if want == "invalid" and cause not in got["reason"]:
                case.fault("the reason is %s", got["reason"])
            check_last(case)
            tap.row("an argument on a line of its own: " + name, case.faults)


# --- what is too large --------------------------------------------------------------

def cap_rows():
    """Name, the service, the environment file, the disk, its reason's begin and
    a part of it."""
    start = "ExecStart=/usr/bin/kubelet"
    env = "EnvironmentFile=%s\n" % ENV + start + "\n"
    long = "systemd would not start kubelet.service: %s: the arguments are " \
        "too long: execve(2) takes %s"
    return [
        ("assignments", env, "A=1\n" * 60000, "unknown", ENV + ":",
         "its assignments up to here need 18 MiB"),
        ("a file", env, "#x\n" * 6000000, "unknown", ENV + ": ",
         "a file may have 16 MiB"),
        ("words", start + " a" * 100001 + "\n", "", "unknown", UNIT + ":2:",
         "at most 100000 words"),
        ("commands", "ExecStartPre=/bin/a" + " ; /bin/a" * 10001 + "\n" + start +
         "\n", "", "unknown", UNIT + ":2:", "at most 10000 commands"),
        ("mounts", "".join("BindPaths=/a%d\n" % i for i in range(251)) + start +
         "\n", "", "unknown", UNIT + ":252:11: ", "more than 250 mounts"),
        ("credentials", "".join("SetCredential=a%d:x\n" % i for i in range(251))
         + start + "\n", "", "unknown", UNIT + ":252:15: ",
         "more than 250 credentials"),
        ("a string", start + " --node-labels=" + "a" * 140000 + "\n", "",
         "invalid", long % (UNIT + ":2:28", "strings of 32 pages"), "128 KiB"),
        ("all strings", "".join("Environment=A%d=%s\n" % (i, "x" * 1000)
                                for i in range(2500)) + start + "\n", "",
         "invalid", long % (UNIT + ":2069:13", "in all a quarter"), "2 MiB"),
        ("a line", start + " " + "x" * (1 << 20) + "\n", "", "invalid",
         "systemd would not start kubelet.service: " + UNIT + ":2:1: ",
         "longer than 1 MiB"),
    ]


def caps(tap, program, schemas):
    for name, service, env, want, begin, part in cap_rows():
        with Image({UNIT: "[Service]\n" + service, ENV: env}) as image:
            case = Check(program, schemas, image.root)
            got = case.audit(want)
            for reason in (got["reason"], got["views"]["disk"]["reason"]):
                if not reason.startswith(begin) or part not in reason:
                    case.fault("the reason is %s", reason[:500])
            first = Run([program, "audit", "--root=" + image.root]).out
            if part not in first.partition("\n")[0]:
                case.fault("it begins with %s", first[:500])
            tap.row("too large: " + name, case.faults)


# --- files that systemd stops in ---------------------------------------------------

DROP = UNIT + ".d/1.conf"


def place_of_faults():
    """Name, the service, the environment file, a drop-in, the disk, the place
    that the reason names."""
    start = "ExecStart=/usr/bin/kubelet --config=" + CONFIG + " $A\n"
    env, anew = "EnvironmentFile=%s\n" % ENV + start, "[Service]\nExecStart=\n"
    return [
        ("a byte of a value", env, b"# c\nB=1\nA=--v=\xff2\n", None, "invalid",
         ENV + ":3:7: "),
        ("a byte in quotes", env, b'A="x\n\xc3\xa9\xff"\n', None, "invalid",
         ENV + ":2:3: "),
        ("a byte of a name", env, b"B\xff=1\n", None, "invalid", ENV + ":1:2: "),
        ("a NUL", env, b"B=1\nA=--v=\x002\n", None, "invalid", ENV + ":2:7: "),
        ("a byte, optional", env.replace("=", "=-", 1), b"A=\xff\n", None,
         "true", ""),
        ("a folder's path", "EnvironmentFile=/etc\n" + start, b"", None,
         "invalid", "kubelet.service: /etc: environment file is a folder"),
        ("a folder, optional", "EnvironmentFile=-/etc\n" + start, b"", None,
         "true", ""),
        ("no file at all", "EnvironmentFile=/dev/null\n" + start, b"", None,
         "true", ""),
        ("a byte of the unit", "Environment=B=\udcff\n" + start, b"", None,
         "invalid", UNIT + ":2:15: "),
        ("a header", start + "[Service\n", b"", None, "invalid", UNIT + ":3:1: "),
        ("a specifier", start + "ExecStartPre=/bin/%z\n", b"", None, "invalid",
         UNIT + ":3:14: "),
        ("a specifier in a drop-in", start, b"",
         anew + "ExecStart=/usr/bin/kubelet %z\n", "invalid", DROP + ":3:28: "),
        ("... whose failure does not matter", start, b"",
         anew + "ExecStart=-/usr/bin/kubelet %z\n", "invalid", DROP + ":3:29: "),
        ("... before the command", start, b"",
         anew + "ExecStartPre=/bin/%z\n" + start, "invalid", DROP + ":3:14: "),
        ("... of another command", start, b"",
         anew + "ExecStartPre=-/bin/%z\n", "invalid",
         DROP + ":2:1: service has no ExecStart=: this line empties it"),
        ("a command that is emptied", start, b"",
         anew + "#" + start, "invalid", DROP + ":2:1: service has no "),
        ("... and never was", "ExecStart=\n", b"", None, "invalid",
         UNIT + ":2:1: service has no ExecStart="),
        ("... and set again by a line that is ignored", start, b"",
         anew + start.replace("ExecS", "Execs"), "invalid",
         DROP + ":3:1: 'Execstart=' is unknown: ignored; did you mean "),
        ("a command without =", "ExecStart /usr/bin/kubelet --config=/x\n", b"",
         None, "invalid", UNIT + ":2:1: '=' is missing behind ExecStart: "),
        ("a command in another section", "[Install]\n" + start, b"", None,
         "invalid", UNIT + ":3:1: ExecStart= is ignored in [Install]: "),
        ("several environment files in one line",
         "EnvironmentFile=/a /b\n" + start, b"", None, "invalid",
         UNIT + ":2:17: EnvironmentFile= takes one path"),
        ("... behind the command", start, b"",
         anew + start + "ExecStartPre=/bin/%z\n", "true", ""),
        ("... of a file", start, b"", "[Service]\nEnvironmentFile=/%z\n", "true",
         ""),
    ]


def faults_of_files(tap, program, schemas):
    for name, service, env, dropin, want, place in place_of_faults():
        tree = {UNIT: ("[Service]\n" + service).encode(
                    "utf-8", "surrogateescape"),
                ENV: env, CONFIG: GVK + KEY + "true\n"}
        if dropin:
            tree[DROP] = dropin
        with Image(tree) as image:
            case = Check(program, schemas, image.root)
            got = case.audit(want)
            errors = [m for m in got["messages"] if m["severity"] == "error"]
            if len(errors) != (want == "invalid"):
                case.fault("errors: %s", errors)
            if place not in got["reason"]:
                case.fault("the reason is %s", got["reason"])
            check_last(case)
            tap.row("systemd stops: " + name, case.faults)


def template_rows():
    """Name, the service, the environment file, the config: INVALID, and the
    placeholder is all that is said of its line."""
    start = "ExecStart=/usr/bin/kubelet --config=" + CONFIG + " "
    env = "EnvironmentFile=%s\n" % ENV + start + "$A\n"
    return [
        ("a word", start + "{{ x }}\n", "", ""),
        ("a value, and another", start + "--v={{ .V }} --x={{ .Y }}\n", "", ""),
        ("a condition", start + "{{ if .X }} --v=2 {{ end }}\n", "", ""),
        ("an environment file", env, "A={{ x }} {{ y }}\n", ""),
        ("a variable", "Environment=A={{ x }}\n" + start + "$A\n", "", ""),
        ("our flag", start + FLAG + "{{ x }}\n", "", ""),
        ("the config", start + "\n", "", KEY + "{{ .X }}\n"),
    ]


def templates(tap, program, schemas):
    for name, service, env, config in template_rows():
        with Image({UNIT: "[Service]\n" + service, ENV: env,
                    CONFIG: GVK + config}) as image:
            case = Check(program, schemas, image.root)
            got = case.audit("invalid")
            codes = [m["code"] for m in got["messages"]]
            if codes != ["template-unrendered"]:
                case.fault("messages: %s", codes)
            tap.row("one message of a template: " + name, case.faults)


def main():
    program, folder, reports = sys.argv[1:4]
    schemas = Schemas(folder)
    tap = Tap()
    for name, check in FOLDERS.items():
        with NodeCopy(os.path.join(reports, name)) as copy:
            case = Check(program, schemas, copy.root)
            check(case)
            tap.row("report: " + name, case.faults)
    versions(tap, program, schemas)
    told_versions(tap, program, schemas)
    alphas(tap, program, schemas)
    ranchers(tap, program, schemas)
    page_sizes(tap, program, schemas)
    dialects(tap, program, schemas)
    flags(tap, program, schemas)
    defaults(tap, program, schemas)
    dropins(tap, program, schemas)
    commands(tap, program, schemas)
    slips(tap, program, schemas)
    doubts(tap, program, schemas)
    credentials(tap, program, schemas)
    comments(tap, program, schemas)
    places(tap, program, schemas)
    next_commands(tap, program, schemas, reports)
    elsewhere_next(tap, program, schemas)
    parts(tap, program, schemas)
    benchmark_next(tap, program, schemas)
    say_words(tap, program, schemas)
    said_once(tap, program, schemas)
    lost_lines(tap, program, schemas)
    caps(tap, program, schemas)
    faults_of_files(tap, program, schemas)
    templates(tap, program, schemas)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
