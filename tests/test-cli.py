#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The exact output and status of the built program.

    test-cli.py PROGRAM NODES GOLDEN_FOLDER [--update]

Each case runs the program in the root folder of an example node, with
`--root=.` where a node is named, and compares stdout, stderr and the status
with its file in tests/golden. --update writes these files anew: read the
difference that git shows, byte by byte, before it is committed.

Replaced before comparing are: the time of a JSON output, the version.
"""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time

from cli_lib import NodeCopy, Run, Tap, TIMEOUT, run_words

FALSE_FLAG = "eks-al2-flag-false-extra-args"
FALSE_KEY = "eks-al2-config-false"
COMPLIANT = "eks-al2023-nodeadm-default"

# controls whose answer depends on the checkout's owner and umask
FILES = ",".join("%s:%s" % (what, which) for what in ("mode", "owner") for which
                 in ("unit", "kubeconfig", "clientCA", "config"))

# name: (node or None, words)
CASES = {
    # audit, as text
    "audit-flag": (FALSE_FLAG, ["audit"]),
    "audit-key": (FALSE_KEY, ["audit"]),
    "audit-width": (FALSE_FLAG, ["audit", "--width=60"]),
    "audit-width-wide": (FALSE_FLAG, ["audit", "--width=400"]),
    "usage-width": (FALSE_FLAG, ["audit", "--width=19"]),
    "audit-repeated": ("cis-text-flag-false-file-true", ["audit"]),
    "audit-refused-value": ("cis-text-colon-typo", ["audit"]),
    "audit-string": ("json-string-bool", ["audit"]),
    "audit-bare-flag": ("kubeadm-bare-bool-flag", ["audit"]),
    "audit-spelling": ("kubeadm-rpm-flag-spelling", ["audit"]),
    "audit-several-lines": ("kubespray-flag-multiline-env", ["audit"]),
    "audit-dropin": ("eks-al2023-nodeadm-dropin", ["audit"]),
    "audit-default": (COMPLIANT, ["audit"]),
    "audit-explicit": (COMPLIANT, ["audit", "--explicit"]),
    "audit-not-configured": ("no-kubelet-yet", ["audit"]),
    "audit-before-join": ("kubeadm-before-join", ["audit"]),
    "audit-operator": ("openshift", ["audit"]),
    "audit-managers": ("made-other-managers", ["audit"]),
    "audit-mounted": ("mount-namespace-bind", ["audit"]),
    "audit-script": ("made-kubelet-is-a-script", ["audit"]),
    "audit-mark-bits": ("made-equal-mark-bits", ["audit"]),
    "audit-other-config": (FALSE_KEY, ["audit", "--config=/nowhere"]),
    "audit-other-unit": (FALSE_KEY, ["audit", "--unit=other.service"]),
    "audit-1.19": (FALSE_KEY, ["audit", "--kubelet-version=1.19"]),
    "audit-1.99": (FALSE_KEY, ["audit", "--kubelet-version=1.99"]),
    "audit-color": (FALSE_FLAG, ["audit", "--color=always"]),
    "audit-quiet": (FALSE_FLAG, ["audit", "-q"]),
    "audit-quiet-invalid": ("cis-text-colon-typo", ["audit", "--quiet"]),
    "audit-json": (FALSE_FLAG, ["audit", "-o", "json"]),
    "audit-json-invalid": ("cis-text-colon-typo", ["audit", "-ojson"]),
    "audit-control": (FALSE_FLAG, ["audit", "--control=readOnlyPort,"
                                   "authentication.anonymous.enabled",
                                   "-o", "json", "--kubelet-version=1.28"]),
    "audit-control-fails": (FALSE_FLAG, ["audit", "--control=tlsMinVersion,"
                                         "podPidsLimit",
                                         "-o", "json",
                                         "--kubelet-version=1.28"]),
    "audit-benchmark": (FALSE_FLAG, ["audit", "--benchmark=cis-1.20",
                                     "--kubelet-version=1.20",
                                     "--skip=" + FILES]),
    "audit-benchmark-auto": (FALSE_FLAG, ["audit", "--benchmark",
                                          "--skip=" + FILES]),
    "audit-benchmark-invalid": ("cis-text-colon-typo",
                                ["audit", "--benchmark=eks-1.8",
                                 "--skip=3.1.4,anonymous-auth," + FILES]),
    "audit-benchmark-level": (COMPLIANT, ["audit", "--benchmark=eks-1.8",
                                          "--level=1", "--skip=" + FILES]),
    "audit-not-applicable": (COMPLIANT, ["audit", "--benchmark=eks-1.5",
                                         "--control=3.2.4,hostname-override"]),
    "audit-benchmark-json": (COMPLIANT, ["audit", "--benchmark=eks-1.5",
                                         "--control=3.2.4,rotateCertificates,"
                                         "hostname-override", "-ojson"]),
    "audit-named": (FALSE_FLAG, ["audit", "--control=read-only-port,"
                                 "tlsMinVersion,podPidsLimit"]),
    "audit-named-one": (FALSE_FLAG, ["audit", "--control=3.2.1"]),
    "audit-named-old": (FALSE_FLAG, ["audit",
                                     "--control=protectKernelDefaults"]),
    "audit-no-such-unit": (FALSE_FLAG, ["audit", "--unit=kublet.service"]),
    "preview-no-such-unit": (FALSE_FLAG, ["fix", "-n",
                                          "--unit=kublet.service"]),
    "audit-named-nothing": (FALSE_FLAG, ["audit",
                                         "--control=tlsMinVersion"]),
    "controls": (None, ["controls"]),
    "controls-benchmark": (None, ["controls", "--benchmark=cis-1.24"]),
    "controls-audit-only": (None, ["controls", "--benchmark=rke2-cis-1.8"]),
    "controls-auto": (FALSE_FLAG, ["controls", "--benchmark"]),
    "controls-help": (None, ["controls", "--benchmark=help"]),
    "controls-json": (None, ["controls", "--benchmark=gke-1.9", "-ojson"]),
    "controls-help-json": (None, ["controls", "--benchmark=help", "-ojson"]),
    "controls-no-root": (None, ["controls", "--benchmark", "-q",
                                "--root=/nowhere/at/all"]),
    "audit-no-root": (None, ["audit", "--root=/nowhere/at/all"]),
    # fix -n
    "preview-flag": (FALSE_FLAG, ["fix", "-n"]),
    "preview-key": (FALSE_KEY, ["fix", "-n"]),
    "preview-flag-method": (FALSE_KEY, ["fix", "-n", "--method=flag"]),
    "preview-several-lines": ("kubespray-flag-multiline-env",
                              ["fix", "--dry-run"]),
    "preview-compliant": (COMPLIANT, ["fix", "-n"]),
    "preview-explicit": (COMPLIANT, ["fix", "-n", "--explicit"]),
    "preview-not-configured": ("no-kubelet-yet", ["fix", "-n"]),
    "preview-before-join": ("kubeadm-before-join", ["fix", "-n"]),
    "preview-lost-config": (FALSE_KEY, ["fix", "-n", "--config=/nowhere"]),
    "preview-config-a-folder": (FALSE_KEY, ["fix", "-n", "--config=/etc"]),
    "preview-refused": ("openshift", ["fix", "-n"]),
    "preview-lasts": ("eks-al2023-cis-literal-no-effect", ["fix", "-n"]),
    "preview-no-persist": ("eks-al2023-nodeadm-dropin",
                           ["fix", "-n", "--no-persist"]),
    "preview-later": ("made-eks-al2023-later-nodeconfig", ["fix", "-n"]),
    "preview-kept": ("made-eks-al2023-own-file-edited", ["fix", "-n"]),
    "preview-old-image": ("made-eks-al2023-old-image", ["fix", "-n"]),
    "preview-gke": ("gke-cos", ["fix", "-n"]),
    "preview-autopilot": ("made-gke-autopilot", ["fix", "-n"]),
    "preview-auto-mode": ("made-eks-auto-mode", ["fix", "-n"]),
    "preview-managers": ("made-other-managers", ["fix", "-n"]),
    "preview-mark-bits": ("made-equal-mark-bits", ["fix", "-n"]),
    "preview-mark-bits-1.28": ("made-equal-mark-bits",
                               ["fix", "-n", "--kubelet-version=1.28"]),
    "preview-color": (FALSE_KEY, ["fix", "-n", "--color=always"]),
    "preview-quiet": (FALSE_KEY, ["fix", "-nq"]),
    "preview-quiet-refused": ("openshift", ["fix", "-n", "-q"]),
    "preview-no-root": (None, ["fix", "-n", "--root=/nowhere/at/all"]),
    "preview-no-root-quiet": (None, ["fix", "-nq", "--root=/nowhere/at/all"]),
    "preview-wrapper": ("made-wrapper-script", ["fix", "-n"]),
    "undo-no-root": (None, ["undo", "--root=/nowhere/at/all"]),
    "preview-json": (FALSE_KEY, ["fix", "-n", "-o", "json"]),
    # usage
    "usage": (None, []),
    "usage-help": (None, ["--help"]),
    "usage-h": (None, ["-h"]),
    "usage-help-audit": (None, ["audit", "--help"]),
    "usage-help-fix": (None, ["fix", "-h"]),
    "usage-help-status": (None, ["status", "--help"]),
    "usage-version": (None, ["--version"]),
    "usage-command": (None, ["audits"]),
    "usage-near-command": (None, ["audti"]),
    "usage-word-of-others": (None, ["rollback"]),
    "usage-word-of-others-too": (None, ["plan", "--all"]),
    "usage-help-as-command": (None, ["help"]),
    "usage-near-option": (None, ["audit", "--outptu=json"]),
    "usage-near-of-another": (None, ["audit", "--methdo=flag"]),
    "usage-letter-of-another": (None, ["audit", "-n"]),
    "usage-no-name": (None, ["audit", "--=x"]),
    "usage-two-operands": (None, ["undo", "a", "b"]),
    "usage-format-of-another": (None, ["history", "-o", "sarif"]),
    "usage-abbreviated": (FALSE_FLAG, ["audit", "--qui", "--uni",
                                       "kubelet.service"]),
    "usage-empty-command": (None, [""]),
    "usage-option-first": (FALSE_FLAG, ["-o", "text", "--colo", "never",
                                        "-q", "audit"]),
    "usage-option-around": (FALSE_FLAG, ["-q", "audit", "--color=never"]),
    "usage-option-of-another-first": (None, ["--dry-run", "audit"]),
    "usage-option-alone": (None, ["-q", "--root", "audit"]),
    "usage-option-then-help": (None, ["-q", "--help"]),
    "usage-help-of-fix": (None, ["help", "fix"]),
    "usage-help-of-no-command": (None, ["help", "fxi"]),
    "usage-help-of-two": (None, ["help", "fix", "undo"]),
    "usage-option": (None, ["audit", "--no-such"]),
    "usage-letter": (None, ["audit", "-x"]),
    "usage-letter-in-a-row": (None, ["audit", "-qx"]),
    "usage-of-another": (None, ["audit", "--dry-run"]),
    "usage-no-argument": (None, ["audit", "--root"]),
    "usage-no-argument-letter": (None, ["audit", "-o"]),
    "usage-an-argument": (None, ["audit", "--quiet=yes"]),
    "usage-control-ambiguous": (None, ["audit", "--control=3.2.6"]),
    "usage-control-no-id": (None, ["audit", "--control=9.9"]),
    "usage-control-not-there": (None, ["audit", "--benchmark=eks-1.8",
                                       "--control=4.2.6"]),
    "usage-benchmark-help": (None, ["audit", "--benchmark=help"]),
    "usage-controls-skip": (None, ["controls", "--skip=readOnlyPort"]),
    "usage-benchmark": (None, ["audit", "--benchmark=eks-9"]),
    "usage-skip-alone": (None, ["audit", "--skip=readOnlyPort"]),
    "usage-skip-all": (None, ["audit", "--control=readOnlyPort",
                              "--skip=readOnlyPort"]),
    "usage-skip-unknown": (None, ["audit", "--benchmark", "--skip=nothing"]),
    "usage-level-alone": (None, ["audit", "--level=2"]),
    "usage-level": (None, ["audit", "--benchmark", "--level=3"]),
    "usage-waivers": (None, ["audit", "--waivers=/w", "--no-waivers"]),
    "usage-control-unknown": (None, ["audit", "--control=readOnlyPor",
                                     "-o", "json"]),
    "usage-control-empty": (None, ["audit", "--control=", "-ojson"]),
    "usage-ambiguous": (None, ["audit", "--co=x"]),
    "usage-operand-behind-option": (None, ["audit", "--benchmark", "eks-1.8"]),
    "usage-operand-elsewhere": (None, ["audit", "--benchmark", "-q", "x"]),
    "usage-help-of-help": (None, ["help", "help"]),
    "usage-help-help": (None, ["help", "--help"]),
    "usage-help-fix-help": (None, ["help", "-h", "fix"]),
    "usage-help-option": (None, ["help", "-v"]),
    "usage-version-of-others": (None, ["-V"]),
    "usage-operand": (None, ["audit", "now"]),
    "usage-operand-control": (None, ["audit", "readOnlyPort"]),
    "usage-operand-number": (None, ["fix", "3.2.4"]),
    "usage-operand-status": (None, ["status", "readOnlyPort"]),
    "usage-empty-root": (None, ["audit", "--root="]),
    "audit-unit-short": (FALSE_FLAG, ["audit", "--unit=kubelet"]),
    "usage-unit": (None, ["audit", "--unit=kubelet.timer"]),
    "usage-unit-nothing": (None, ["status", "--unit=.service"]),
    "usage-unit-path": (None, ["audit", "--unit=/a/b.service"]),
    "usage-pid": (None, ["audit", "--pid=0"]),
    "usage-pid-word": (None, ["audit", "--pid=12x"]),
    "usage-output": (None, ["audit", "-o", "xml"]),
    "usage-twice": (None, ["audit", "-o", "json", "--output=sarif"]),
    "usage-twice-list": (None, ["fix", "--skip=readOnlyPort",
                                "--skip=makeIPTablesUtilChains"]),
    "usage-twice-the-same": (FALSE_FLAG, ["audit", "-q", "-q", "-ojson",
                                          "--output=json"]),
    "usage-twice-later": (FALSE_FLAG, ["fix", "-nq", "--restart=never",
                                       "--restart=auto", "--wait=5",
                                       "--wait=6"]),
    "usage-color": (None, ["audit", "--color=red"]),
    "usage-method": (None, ["fix", "--method=both"]),
    "usage-restart": (None, ["fix", "--restart=maybe"]),
    "usage-wait": (None, ["fix", "--wait=0"]),
    "usage-wait-word": (None, ["fix", "--wait=1m"]),
}

TIME = re.compile(r'(?<=")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(?=")'
                  r'|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(?=, )')
VERSION = re.compile(r"(kubelet-remedy |\"version\":\t\")\d+\.\d+\.\d+")


def normal(text):
    return VERSION.sub(r"\1VERSION", TIME.sub("TIME", text))


def result(run):
    return "".join("=== %s\n%s" % part for part in (
        ("status", "%d\n" % run.status), ("stdout", normal(run.out)),
        ("stderr", normal(run.err))))


def run_case(program, nodes, case):
    node, words = case
    if node is None:
        return Run([program, *words], cwd="/")
    with NodeCopy(os.path.join(nodes, node)) as copy:
        before = copy.snapshot()
        run = Run([program, *words, "--root=."], cwd=copy.root)
        if copy.snapshot() != before:
            run.err += "the node was changed\n"
        return run


def check_golden(path, got, update):
    if update:
        with open(path, "w", encoding="utf-8") as file:
            file.write(got)
        return []
    try:
        with open(path, encoding="utf-8") as file:
            want = file.read()
    except OSError as error:
        return [error]
    return [] if got == want else ["got:", got, "wanted:", want]


# --- what no file holds -------------------------------------------------------


def on_terminal(program, nodes, words, columns, env=None, node=FALSE_FLAG,
                both=False):
    """What a terminal of so many columns gets, its line ends as they are in a
    file, and the status."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24, columns, 0, 0))
    with NodeCopy(os.path.join(nodes, node)) as copy:
        with subprocess.Popen(
                [program, *words, "--root=."], cwd=copy.root,
                stdin=subprocess.DEVNULL, stdout=slave,
                stderr=slave if both else subprocess.PIPE,
                env={"PATH": "/usr/bin", "TERM": "xterm",
                     **(env or {})}) as child:
            got = b""
            while child.poll() is None:
                if select.select([master], [], [], 0.01)[0]:
                    got += os.read(master, 65536)
    # a closed terminal may lose what is on its way: this comes behind it
    os.write(slave, b"\0")
    while not got.endswith(b"\0"):
        got += os.read(master, 65536)
    os.close(slave)
    os.close(master)
    return got[:-1].decode().replace("\r\n", "\n"), child.returncode


def check_narrow(program, nodes):
    text, status = on_terminal(program, nodes, ["audit", "--color=never"], 60)
    # the image lacks files that kubelet needs, which notes at the end say
    lines = text.split("\nnote: ")[0].splitlines()
    marks = [i for i, line in enumerate(lines) if "^" in line]
    faults = [] if status == 1 else ["status %d" % status]

    if len(marks) != 1:
        return faults + ["no caret, or several:", text]
    source, caret = lines[marks[0] - 1], lines[marks[0]]
    start, end = caret.index("^"), len(caret)
    if source[start:end] != "--make-iptables-util-chains=false"[:end - start]:
        faults.append("the caret is under %r" % source[start:end])
    if "…" not in source:
        faults.append("the line is not cut")
    for line in (source, caret):
        if len(line) > 60:
            faults.append("%d columns: %s" % (len(line), line))
    return faults


def check_wide(program, nodes):
    text, _ = on_terminal(program, nodes, ["audit", "--color=never"], 400)
    return ["a line is cut that need not be:", text] if "…" in text else []


def check_preview_width(program, nodes):
    """The verdict comes first, the next command last, and no line wraps, not of
    the diff either; each change has a line of its own above it."""
    faults, n, cut = [], 0, 0
    for node in sorted(os.listdir(nodes)):
        if not node.startswith(("eks-", "aks-", "kubespray")):
            continue
        for words in ([], ["--benchmark"]):
            text, status = on_terminal(
                program, nodes, ["fix", "-n", "--color=never", *words], 80,
                node=node, both=True)
            lines = text.splitlines()
            head = text.partition("\n--- ")[0]
            faults += ["%s %s: %d columns: %s" % (node, words, len(line), line)
                       for line in lines if len(line) > 80
                       and not line.startswith("#     kubelet-remedy fix ")]
            if not re.match("# [A-Z]", lines[0]):
                faults.append("%s: the verdict is not first: %s" % (node, text))
            if status != 1:
                continue
            n += 1
            if not lines[-1].startswith("# next: kubelet-remedy fix"):
                faults.append("%s: no command at the end: %s" % (node, text))
            if "\n# /etc/" not in head:
                faults.append("%s: no line of a change: %s" % (node, head))
            if not re.search("\n# after the fix:(\n#  .*)*\n#   pass  ", text):
                faults.append("%s: no verdict: %s" % (node, text))
            faults += ["%s: a change is not to be seen: %s" % (node, old)
                       for old, new in re.findall(
                           r"^-(.*)\n(?:\\.*\n)?\+(.*)$", text, re.M)
                       if old == new]
            if node == "aks-ubuntu2204-flag-false" and not re.search(
                    r"^-.*--make-ip.*\n\+.*…make-iptables-util-chains=true$",
                    text, re.M):
                faults.append("only the first change is seen: " + text)
            is_cut = re.search("^[-+ ].*…", text, re.M) is not None
            cut += is_cut
            if is_cut != ("are cut: a pipe" in text):
                faults.append("%s: cut lines are not said: %s" % (node, text))
    text, _ = on_terminal(program, nodes, ["fix", "-n", "--color=never"], 80,
                          node="aks-ubuntu2204-flag-false")
    if not re.search("^-….* --make-iptables-util-chains=false.*…", text, re.M):
        faults.append("what is changed is cut: " + text)
    return faults if n > 10 and cut > 2 else faults + [
        "only %d previews, %d cut" % (n, cut)]


def check_al2_recipe(program, nodes):
    """The text for EKS AL2 is a script as it is: it changes the file, calls
    bootstrap.sh with the flag, and leaves the file where jq fails."""
    faults = []
    with NodeCopy(os.path.join(nodes, FALSE_FLAG)) as copy:
        run = Run([program, "fix", "-n", "--root=."], cwd=copy.root)
        text = run.out.partition("before bootstrap.sh is called:\n")[2]
        script = "".join(re.findall("^#     (.*\n)", text, re.M))
        script = script.replace("config=/", "config=" + copy.root + "/").replace(
            "/etc/eks/bootstrap.sh", "echo called")
        path = copy.root + "/etc/kubernetes/kubelet/kubelet-config.json"
        for jq, is_changed in (("exit 5", False), ("sed s/{/{true,/", True)):
            with open(path, encoding="utf-8") as file:
                before = file.read()
            done = run_words(["bash", "-c", "jq() { %s; }\n%s" % (jq, script)])
            with open(path, encoding="utf-8") as file:
                after = file.read()
            if (after != before) != is_changed or not after.strip():
                faults.append("jq %s: %s" % (jq, after))
            if done.stdout.split()[-1:] != [b"--make-iptables-util-chains=true"]:
                faults.append("bootstrap.sh: %r" % done.stdout)
    return faults if script else ["no text: " + run.out]


def check_table_width(program, nodes):
    """No row of a table wraps where it need not; each has its name and the end
    of its place, which a pipe has whole."""
    faults, n = [], 0
    for node in (FALSE_FLAG, FALSE_KEY, COMPLIANT, "kubespray-flag-multiline-env"):
        with NodeCopy(os.path.join(nodes, node)) as copy:
            whole = Run([program, "audit", "--benchmark", "--root=."],
                        cwd=copy.root).out.split("\n\n")[0].splitlines()[1:]
        if any("…" in line for line in whole):
            faults.append("a pipe has not all: %s" % whole)
        for columns in (80, 100, 120):
            text, _ = on_terminal(program, nodes, [
                "audit", "--benchmark", "--color=never"], columns, node=node)
            rows = text.split("\n\n")[0].splitlines()[1:]
            faults += ["%s: %d columns: %s" % (node, len(row), row)
                       for row in rows if len(row) > columns]
            for row, full in zip(rows, whole, strict=True):
                end = re.search(r":\d+:\d+$", full)
                name, cut = full.split()[2], row.split()[2]
                ends = cut.partition("…")
                is_name = cut == name or (
                    columns == 80 and "…" in cut and len(name) > 32
                    and name.startswith(ends[0]) and name.endswith(ends[2]))
                if row.split()[:2] != full.split()[:2] or not is_name or \
                        (end and not row.endswith(end[0])):
                    faults.append("%s: cut off: %s" % (node, row))
                n += "…" in row
    return faults if n > 20 else faults + ["only %d rows are cut" % n]


def check_wrapping(program, nodes):
    """No line wraps on a terminal of 80 columns, but for a command to be copied,
    and for a word that is longer than a line."""
    faults, n = [], 0
    few = [["audit", "-v"], ["fix"], ["undo", "-n"], ["undo"], ["history"],
           ["status"], ["controls", "--benchmark=auto"],
           ["audit", "--benchmark=cis-1.12", "-v"],
           ["fix", "--benchmark=cis-1.12"]]
    for node in sorted(os.listdir(nodes)):
        if not os.path.isdir(os.path.join(nodes, node)):
            continue
        for words in [["audit"], ["fix", "-n"]] + few * (
                node in (FALSE_FLAG, FALSE_KEY, COMPLIANT, "kubeadm-debian")):
            text, _ = on_terminal(program, nodes, [*words, "--color=never"], 80,
                                  node=node, both=True)
            n += text.count("\n")
            faults += ["%s %s: %d columns: %s" % (node, words, len(line), line)
                       for line in text.splitlines()
                       if len(line) > 80 and " " in line[14:80] and not re.match(
                           r"(# )?(next: )? *(kubelet-remedy|gcloud) ", line)]
    return faults if n > 500 else faults + ["only %d lines" % n]


def check_files_read(program, nodes):
    """-v names each file that sets a value."""
    faults, n = [], 0
    for node in sorted(os.listdir(nodes)):
        if not os.path.isdir(os.path.join(nodes, node)):
            continue
        with NodeCopy(os.path.join(nodes, node)) as copy:
            words = [program, "audit", "--benchmark=cis-1.12", "--root=."]
            said = json.loads(Run([*words, "-ojson"], cwd=copy.root).out)
            shown = Run([*words, "-v"], cwd=copy.root).err
        files = {source["file"] for control in said["controls"]
                 for source in control["sources"]
                 if source["kind"] in ("flag", "config", "config-dir")
                 and source["file"]}
        n += len(files)
        faults += ["%s: %s is not named: %s" % (node, file, shown)
                   for file in files if file not in shown]
    return faults if n > 40 else faults + ["only %d files" % n]


def check_preview_color(program, nodes):
    """What changes is bold above the diff, and only that."""
    text, _ = on_terminal(program, nodes, ["fix", "-n"], 80, node=FALSE_KEY)
    want = ('change "makeIPTablesUtilChains": \033[1;31mfalse\033[0m -> '
            "\033[1;32mtrue\033[0m\n")
    return [] if want in text else [text]


def check_colors(program, nodes):
    faults = []
    for words, env, want in ((["audit"], {}, True),
                             (["audit"], {"NO_COLOR": "1"}, False),
                             (["audit"], {"NO_COLOR": ""}, True),
                             (["audit"], {"TERM": "dumb"}, False),
                             (["audit"], {"TERM": ""}, False),
                             (["audit", "--color=always"],
                              {"TERM": "dumb"}, True),
                             (["audit", "--color=never"], {}, False),
                             (["audit", "--color=always"],
                              {"NO_COLOR": "1"}, True),
                             (["audit", "-o", "json"], {}, False)):
        text, _ = on_terminal(program, nodes, words, 80, env)
        if ("\033[" in text) != want:
            faults.append("%s %s: %r" % (words, env, text))
    return faults


def check_full(program, nodes):
    """A result that cannot be written is not status 0, nor lost in silence."""
    faults = []
    for node, words in ((COMPLIANT, ["audit"]), (COMPLIANT, ["fix", "-n"]),
                        (COMPLIANT, ["audit", "-o", "json"]),
                        (None, ["--version"]), (None, ["--help"])):
        with open("/dev/full", "w", encoding="utf-8") as full, \
                NodeCopy(os.path.join(nodes, node or COMPLIANT)) as copy:
            root = ["--root=."] if node else []
            done = run_words([program, *words, *root], cwd=copy.root,
                             stdout=full)
        if done.returncode == 0 or b"could not be written" not in done.stderr:
            faults.append("%s: status %d, %r" % (words, done.returncode,
                                                 done.stderr))
    return faults


def check_pipe(program, nodes):
    """Nobody reads: no death by a signal, and not status 0."""
    reading, writing = os.pipe()
    os.close(reading)
    with NodeCopy(os.path.join(nodes, COMPLIANT)) as copy:
        done = run_words([program, "audit", "--root=."], cwd=copy.root,
                         stdout=writing)
    os.close(writing)
    if done.returncode <= 0:
        return ["status %d: %r" % (done.returncode, done.stderr)]
    return []


def make_live(root, flag, later=5):
    """A /proc below ROOT, in which a kubelet runs with FLAG, started LATER
    seconds from now."""
    with open("/proc/uptime", encoding="ascii") as file:
        ticks = int((float(file.read().split()[0]) + later)
                    * os.sysconf("SC_CLK_TCK"))
    files = {"cmdline": "\0".join(
                 ["/usr/bin/kubelet", "--config",
                  "/etc/kubernetes/kubelet/kubelet-config.json",
                  "--kubeconfig", "/var/lib/kubelet/kubeconfig",
                  "--node-ip=192.0.2.30", flag, ""]),
             "comm": "kubelet\n",
             "cgroup": "0::/system.slice/kubelet.service\n",
             "stat": "7 (kubelet) S 1 7 7 %s%d 0\n" % ("0 " * 15, ticks)}
    os.makedirs(root + "/proc/7")
    os.makedirs(root + "/proc/1")
    os.symlink("../..", root + "/proc/1/root")
    os.symlink("../..", root + "/proc/7/root")
    os.symlink("/", root + "/proc/7/cwd")
    for name, text in files.items():
        with open(root + "/proc/7/" + name, "w", encoding="ascii") as file:
            file.write(text)


def check_live_reason(program, nodes):
    """No view is unknown for a reason that stands nowhere."""
    run = Run([program, "audit", "--configz=http://127.0.0.1:9", "--root=" +
               os.path.join(nodes, "kops"),
               "--control=readOnlyPort,makeIPTablesUtilChains,eventRecordQPS"])
    faults = [line for line in run.out.splitlines()
              if re.match(r" +live +unknown *$", line)]
    said = run.out.count("an image has no kubelet that could be asked")
    return faults if said == 3 else faults + [run.out]


def check_no_bus(program, nodes):
    """A live node whose systemd cannot be reached: a restart that is needed is
    refused before any write, and --restart=never says what it leaves."""
    flag = "--make-iptables-util-chains="
    faults = []
    for disk, words, want in (("true", ["audit"], 1),
                              ("true", ["fix", "-n"], 4),
                              ("true", ["fix"], 4),
                              ("true", ["fix", "--restart=always"], 4),
                              ("true", ["fix", "--restart=never"], 0),
                              ("false", ["fix", "-n"], 4),
                              ("false", ["fix"], 4),
                              ("false", ["fix", "--restart=never"], 0)):
        with NodeCopy(os.path.join(nodes, "cis-text-flag-false-file-true")) \
                as node:
            path = node.root + "/etc/systemd/system/kubelet.service.d/" \
                "10-kubelet-args.conf"
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace(flag + "false", flag + disk))
            make_live(node.root, flag + "false")
            node.give_kubeconfig()
            before = node.snapshot()
            run = Run([program, *words, "--root=" + node.root])
            changed = node.snapshot() != before
        if want == 0 and disk == "false" and os.geteuid() != 0:
            want = 4 # only root may change a node that runs
        if run.status != want or (want == 4 and changed):
            faults.append("%s, %s: status %d, wanted %d%s: %s%s" % (
                disk, words, run.status, want,
                ", changed" if changed else "", run.out, run.err))
    return faults


def check_other_unit(program, nodes):
    """A unit that runs another program is not kubelet's: no option helps it."""
    with NodeCopy(os.path.join(nodes, FALSE_KEY)) as node:
        with open(node.root + "/etc/systemd/system/dbus.service", "w",
                  encoding="utf-8") as file:
            file.write("[Service]\nExecStart=/usr/bin/dbus-daemon\n")
        run = Run([program, "fix", "-n", "--unit=dbus.service",
                   "--root=" + node.root])
    want = "# REFUSED  no ExecStart= of dbus.service runs kubelet itself: give " \
        "kubelet's unit with --unit=NAME\n"
    return [] if (run.status, run.out) == (4, want) else [run.out, run.err]


def check_other_root(program, nodes):
    """The kubelet that runs is of a unit that is not on this root: in another
    mount namespace, or this program is in a container."""
    with NodeCopy(os.path.join(nodes, FALSE_KEY)) as node:
        shutil.rmtree(node.root + "/etc/systemd/system")
        make_live(node.root, "--v=2")
        run = Run([program, "audit", "--root=" + node.root])
    faults = [word for word in (
        "the unit file of kubelet.service, which kubelet[7] was started by, is "
        "not on this root\n", "next: give kubelet's root directory with --root=DIR\n")
        if word not in run.out]
    return faults + [run.out, run.err] if faults else []


def check_next(program, nodes):
    """An audit that does not pass ends with what to do next."""
    faults = []
    for name in sorted(os.listdir(nodes)):
        if not os.path.isdir(os.path.join(nodes, name)):
            continue
        with NodeCopy(os.path.join(nodes, name)) as node:
            for words in ([], ["--control=tlsCipherSuites"],
                          ["--control=protectKernelDefaults"],
                          ["--benchmark=cis-1.12"]):
                run = Run([program, "audit", *words, "--root=" + node.root])
                if run.status != 0 and run.out.count("\nnext: ") != 1:
                    faults.append("%s %s: %s" % (name, words, run.out))
    return faults


REFUSES = "kubelet would refuse its configuration: maxPods must be " \
    "from 0 to 2147483647"


def check_next_start(program, nodes):
    """A kubelet that fails and could not be started again: the first line says
    both, and what to correct comes next."""
    key = "/etc/kubernetes/kubelet/kubelet-config.json"
    faults = []
    for control in ("makeIPTablesUtilChains", None):
        with NodeCopy(os.path.join(nodes, "cis-text-flag-false-file-true")) \
                as node:
            os.unlink(node.root + "/etc/systemd/system/kubelet.service.d/"
                      "10-kubelet-args.conf")
            text = node.read(key).rstrip()[:-1].rstrip()
            with open(node.root + key, "wb") as file:
                file.write(text + b',\n  "maxPods": -1\n}\n')
            make_live(node.root, "--make-iptables-util-chains=false")
            node.give_kubeconfig()
            words = [program, "audit", "--root=" + node.root] + (
                ["--control=" + control] if control
                else ["--benchmark=cis-1.12"])
            run = Run(words)
            said = json.loads(Run(words + ["--output=json"]).out)
        lines = run.out.splitlines()
        want = "next: %s:%d:14: correct that file, then run this again" % (
            key, text.count(b"\n") + 2)
        again = "; the next start would fail: " + REFUSES if control \
            else "; " + REFUSES
        if (run.status != 1 or not lines[0].startswith("FAIL")
                or not lines[0].endswith(again) or lines[-1] != want
                or not said["reason"].endswith(again)
                or lines[1].endswith(REFUSES)):
            faults.append("%s: status %d, wanted %s: %s%s%s" % (
                control, run.status, want, run.out, run.err, said["reason"]))
    return faults


def check_not_root(program, nodes):
    """Who may not change a node is told so once. None: this is not root."""
    if os.geteuid() != 0:
        return None
    with NodeCopy(os.path.join(nodes, "cis-text-flag-false-file-true")) \
            as node:
        make_live(node.root, "--v=2")
        node.give_kubeconfig()
        for folder, _, files in os.walk(node.root):
            for name in [folder] + [os.path.join(folder, f) for f in files]:
                os.chmod(name, 0o755, follow_symlinks=True)
        # the folder of the build may be closed to others
        shutil.copy(program, node.root + "/program")
        os.chmod(node.root + "/program", 0o755)
        run = Run([node.root + "/program", "fix", "--restart=never",
                   "--root=" + node.root], user=65534, cwd="/")
        recover = Run([node.root + "/program", "recover",
                       "--root=" + node.root], user=65534, cwd="/")
    if "next: run this with sudo" not in recover.out + recover.err:
        return [recover.out + recover.err]
    told = run.out + run.err
    if (run.status, told.count("only root may change this node"),
            told.count("run this with sudo")) != (4, 1, 1):
        return ["status %d: %s%s" % (run.status, run.out, run.err)]
    return []


def check_never(program, nodes):
    """--restart=never: a warning that -q keeps says what kubelet runs with, also
    where the file that decides has just been written."""
    faults = []
    with NodeCopy(os.path.join(nodes, FALSE_KEY)) as node:
        path = node.root + "/etc/kubernetes/kubelet/kubelet-config.json"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("/etc/kubernetes/pki/ca.crt", ""))
        time.sleep(0.1)
        make_live(node.root, "--v=2", later=0)
        node.give_kubeconfig()
        time.sleep(0.1)
        run = Run([program, "fix", "--restart=never", "-q",
                   "--root=" + node.root])
    if os.geteuid() == 0 and (run.status != 0 or run.err.count(
            "still runs with makeIPTablesUtilChains = false") != 1):
        faults.append("status %d: %s%s" % (run.status, run.out, run.err))
    return faults


def check_patch(program, nodes):
    """A preview is a patch: it makes of the node what the fix makes."""
    faults = []
    for node, words in ((FALSE_FLAG, ["-v"]), (FALSE_KEY, ["--width=40"]),
                        ("kubespray-flag-multiline-env", []),
                        ("eks-al2023-cis-literal-no-effect", []),
                        ("made-flag-last-no-config", ["--control=readOnlyPort,"
                         "authorization.mode,mode:unit"])):
        with NodeCopy(os.path.join(nodes, node)) as fixed, \
                NodeCopy(os.path.join(nodes, node)) as patched:
            preview = Run([program, "fix", "-n", *words,
                           "--root=" + patched.root])
            done = run_words(
                ["patch", "-p1", "--no-backup-if-mismatch", "-d",
                 patched.root], preview.out.encode(),
                stderr=subprocess.STDOUT)
            run = Run([program, "fix", *words, "--root=" + fixed.root])
            if done.returncode != 0 or run.status != 0:
                faults.append("%s: patch: %r fix: %s%s" % (
                    node, done.stdout, run.out, run.err))
            elif contents(fixed) != contents(patched):
                faults.append("%s: they differ" % node)
    return faults


def contents(node):
    """What the files hold; the modes are patch's own."""
    return {path: what[-1] for path, what in node.snapshot().items()
            if what[0] == "file"}


def check_cgroup_v1(program, nodes):
    """A live node with the old cgroups, which kubelet 1.35 refuses by default.
    They are mounted for the audit alone. None: they cannot be mounted."""
    mounts = ("mount -t tmpfs none $1 && mkdir $1/memory && "
              "mount -t cgroup -o none,name=kubelet-remedy none $1/memory "
              "|| exit 99; shift; exec \"$@\"")
    faults = []
    with NodeCopy(os.path.join(nodes, "cis-text-flag-false-file-true")) \
            as node:
        os.unlink(node.root + "/etc/systemd/system/kubelet.service.d/"
                  "10-kubelet-args.conf")
        make_live(node.root, "--v=2")
        node.give_kubeconfig()
        folder = node.root + "/sys/fs/cgroup"
        os.makedirs(folder)
        for old, minor, want in ((True, 34, 0), (True, 35, 3), (False, 35, 0)):
            words = [program, "audit", "--root=" + node.root,
                     "--kubelet-version=1.%d" % minor]
            if old:
                words = ["unshare", "-m", "sh", "-c", mounts, "sh", folder] \
                    + words
            run = Run(words)
            if old and (os.geteuid() != 0 or run.status == 99):
                return None
            if run.status != want or \
                    ("this host has cgroup v1" in run.out + run.err) != \
                    (want == 3):
                faults.append("1.%d: %d: %s%s" % (minor, run.status, run.out,
                                                  run.err))
    return faults


CHECKS = {
    "a terminal of 60 columns": check_narrow,
    "a terminal of 400 columns": check_wide,
    "colours": check_colors,
    "a full disk": check_full,
    "a closed pipe": check_pipe,
    "a live node without a bus": check_no_bus,
    "why the live view is unknown": check_live_reason,
    "what runs stays, and is said": check_never,
    "a user who is not root": check_not_root,
    "a unit of another program": check_other_unit,
    "a kubelet of another root": check_other_root,
    "the next command": check_next,
    "a kubelet that would not start again": check_next_start,
    "a host of old cgroups": check_cgroup_v1,
    "a preview on a narrow terminal": check_preview_width,
    "the text for EKS AL2 is a script": check_al2_recipe,
    "a table on a narrow terminal": check_table_width,
    "no line wraps": check_wrapping,
    "-v names the files": check_files_read,
    "the bold words of a preview": check_preview_color,
    "a preview through patch(1)": check_patch,
}


def main():
    program, nodes, golden = sys.argv[1:4]
    program = os.path.abspath(program)
    update = sys.argv[4:] == ["--update"]
    tap = Tap()
    for name, case in CASES.items():
        got = result(run_case(program, nodes, case))
        tap.row(name, check_golden(os.path.join(golden, name), got, update))
    names = set(os.listdir(golden))
    tap.row("no file without its case", sorted(names - set(CASES)))
    for name, check in CHECKS.items():
        faults = check(program, nodes)
        if faults is None:
            tap.skip(name, "cannot be tried here")
        else:
            tap.row(name, faults)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
