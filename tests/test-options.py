#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each option is honoured or refused by each command; none is swallowed.

    test-options.py PROGRAM NODES

Of every command and every option of the program there is one row. An option that
is not the command's must be refused (2). For each that is the command's, PROBES
has words with which the run must become another: another status, other words, or
other files. An option that is new has no probe yet, and fails here until it has.

-v, --color and --width may have nothing to show: what they are about is looked at by
other tests. What is about processes, or about the API server of a kubelet that
runs, is tried on a host (suite systemd), and only taken here (ONLY_TAKEN, LIVE).
"""

import os
import re
import sys

from apiserver_lib import ApiServer
from cli_lib import NodeCopy, Run, Tap, help_commands, help_options

FAILS = "aks-ubuntu2204-flag-false"
ONLY_TAKEN = {"--verbose", "--color", "--width", "--pid", "--wait",
              "--no-rollback", "--help"}
BENCHMARK = "--benchmark=eks-1.8"
ALL = ["audit", "fix", "undo", "history", "status", "controls", "fleet",
       "recover"]
API = ["--configz=http://127.0.0.1:9"]
# what a command is run with, so that an option has something to do
BASE = {
    "audit": ["audit"], "fix": ["fix", "-n"], "undo": ["undo", "-n"],
    "history": ["history"], "status": ["status"],
    "controls": ["controls", "--benchmark=auto"],
    "fleet": ["fleet", "--nodes=a", "--timeout=60"],
    "recover": ["recover"],
}
# option: (words besides, words with the option); a command may have its own
PROBES = {
    "--root": ([], ["--root=/nowhere/at/all"]),
    "--unit": ([], ["--unit=nothing.service"]),
    "--config": ([], ["--config=/nowhere.yaml"]),
    "--output": ([], ["--output=json"]),
    "--output-file": ([], ["--output-file=FILE"]),
    "--quiet": ([], ["--quiet"]),
    "--explicit": (["--benchmark=cis-1.12"], ["--explicit"]),
    "--kubelet-version": (["--benchmark=auto"], ["--kubelet-version=1.20"]),
    "--benchmark": ([], [BENCHMARK]),
    "--control": ([], ["--control=eventRecordQPS"]),
    "--skip": ([BENCHMARK], ["--skip=readOnlyPort"]),
    "--level": ([BENCHMARK], ["--level=1"]),
    "--waivers": ([], ["--waivers=/nowhere"]),
    "--no-waivers": ([], ["--no-waivers"]),
    "--dry-run": (None, ["--dry-run"]),
    "--allow": ([BENCHMARK], ["--allow=eventRecordQPS"]),
    "--set": ([BENCHMARK, "--control=eventRecordQPS"],
              ["--set=eventRecordQPS=7"]),
    "--expect": ([], ["--expect=0123456789abcdef"]),
    "--method": ([], ["--method=config"]),
    "--restart": ([], ["--restart=never"]),
    "--no-persist": ([], ["--no-persist"]),
    "--retry": ([], ["--retry"]),
    "--for": (["-n"], ["--for=nodeadm"]),
    "--asff-account": (["-oasff", "--asff-region=eu-central-1"],
                       ["--asff-account=111122223333"]),
    "--asff-region": (["-oasff", "--asff-account=111122223333"],
                      ["--asff-region=eu-central-1"]),
    "--configz": ([], API),
    "--node": (["-ojson"], ["--node=another"]),
    "--server": ([], ["--server=http://127.0.0.1:9"]),
    "--nodes": (None, ["--nodes=a"]),
    "--all-nodes": (None, ["--all-nodes"]),
    "--selector": (None, ["--selector=a=b"]),
    "--parallel": ([], ["--parallel=0"]),
    "--timeout": ([], ["--timeout=0"]),
    "--max-time": ([], ["--max-time=0"]),
    "--cacert": (API, ["--cacert=/nowhere"]),
    "--token-file": (API, ["--token-file=/nowhere"]),
    "--cert": (API, ["--cert=/nowhere"]),
    "--key": (API, ["--key=/nowhere"]),
    "--insecure-http": (["--configz=http://192.0.2.1"], ["--insecure-http"]),
}
# nothing runs on an image
LIVE = {(command, option) for command in ("audit", "fix") for option in (
    "--cacert", "--token-file", "--cert", "--key", "--insecure-http")} | {
        ("fix", "--configz"), ("status", "--unit")}
# nothing was interrupted on it, either
LIVE |= {("recover", option) for option in ("--config", "--restart", "--unit")}
# what does nothing without another option, and says so
ALONE = [
    (["audit", "--cacert=/x"], "--configz"),
    (["audit", "--token-file=/x"], "--configz"),
    (["fix", "--cert=/x"], "--configz"), (["fix", "--key=/x"], "--configz"),
    (["audit", "--insecure-http"], "--configz"),
    (["audit", "--asff-account=111122223333"], "-o asff"),
    (["audit", "--asff-region=eu-central-1"], "-o asff"),
    (["fix", "--for=aks"], "--dry-run"),
    (["audit", "--skip=readOnlyPort"], "--benchmark or --control"),
    (["audit", "--level=1"], "--benchmark"),
    (["controls", "--root=/"], "--benchmark=auto"),
    (["controls", "--unit=a.service"], "--benchmark=auto"),
    (["controls", "--pid=1"], "--benchmark=auto"),
    (["controls", "--config=/x", BENCHMARK], "--benchmark=auto"),
]
SAME = [(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)?", "TIME"),
        (r"\d{8}T[0-9a-z.-]+", "ID"), (r"\"seconds\":[0-9.]+", "SECONDS"),
        (r"/tmp/kr-[\w./-]*", "PATH")]


# what comes from elsewhere must not reach the terminal as it is
ESCAPED = (["x\x1b[31m"], ["audit", "x\x1b[31m"], ["audit", "--x\x1b[31m=1"],
           ["audit", "-\x1b"], ["help", "x\x1b"], ["help", "-\x1b"],
           ["audit", "--control=x\x1b[31m"], ["audit", "--benchmark=x\x1b"],
           ["audit", "--benchmark", "x\x1b"], ["audit", "--output=x\n\x1b"],
           ["fix", "--set=x\x1b"], ["fix", "--set=x\x1b=1"],
           ["fix", "--allow=x\x1b", "--root=/"],
           ["fleet", "--all-nodes", "--server=x\x1b"])


class Test:
    def __init__(self, program, nodes, server):
        self.program, self.nodes, self.server = program, nodes, server
        self.file = None

    def run(self, command, *words):
        """Status, what was said, and the file that was written."""
        with NodeCopy(os.path.join(self.nodes, FAILS)) as copy:
            root = ["--root=" + copy.root]
            if command == "fleet":
                root = ["--server=" + self.server]
            if command == "controls" and "--benchmark=auto" not in words:
                root = []
            if command in ("undo", "history"):
                Run([self.program, "fix", "--root=" + copy.root])
            # what is tried takes the place of it
            root = [w for w in root if not any(
                word.startswith(w.split("=")[0] + "=") for word in words)]
            file = os.path.join(copy.root, "result")
            run = Run([self.program, *BASE[command][:1], *root,
                       *(w.replace("FILE", file) for w in words)])
            said = [str(run.status), run.out, run.err]
            for pattern, word in SAME:
                said = [re.sub(pattern, word, text) for text in said]
            return said + [os.path.exists(file)]

    def honoured(self, command, option):
        if option in ONLY_TAKEN or (command, option) in LIVE:
            return []
        if option not in PROBES:
            return ["%s has no probe" % option]
        besides, words = PROBES[option]
        base = BASE[command][1:]
        if command == "fleet" and besides:
            besides = [w for w in besides if not w.startswith("--configz")]
        if option == "--benchmark":
            base = [w for w in base if not w.startswith("--benchmark")]
        if besides is None:
            base, besides = [], []
        if command == "fleet" and option in ("--cacert", "--cert", "--key"):
            words = ["--server=https://127.0.0.1:9", *words]
        if option == "--insecure-http" and command == "fleet":
            besides = ["--server=http://192.0.2.1", "--timeout=1"]
        plain = self.run(command, *base, *besides)
        run = self.run(command, *base, *besides, *words)
        if "given twice" in run[2]:
            return ["another option was meant: " + run[2]]
        if "not an option" in run[2]:
            return ["refused: " + run[2]]
        return ["swallowed: %s" % " ".join([command, *base, *besides, *words])] \
            if run == plain else []

    def verbose(self):
        """What was read: the unit, its drop-ins, its files."""
        run = self.run("audit", "-v")
        unit = "/etc/systemd/system/kubelet.service"
        read = next((line for line in run[2].splitlines()
                     if line.startswith("read ")), "")
        return [] if all(", " + path in read for path in (
            unit, unit + ".d/10-tlsbootstrap.conf", "/etc/default/kubelet")) \
            and read.split()[1] == "kubelet.service," else [run[2]]

    def refused(self, command, option, argument):
        words = [option + "=x" if argument == "=" else option]
        run = Run([self.program, command, *words])
        good = run.status == 2 and not run.out and \
            ("not an option of " + command) in run.err
        return [] if good else ["%d: %s%s" % (run.status, run.out, run.err)]

    def escaped(self, words):
        run = Run([self.program, *words])
        return [] if run.status == 2 and "\x1b" not in run.err + run.out and \
            all(line.startswith("kubelet-remedy: ")
                for line in run.err.splitlines()) else [repr(run.err)]

    def alone(self, words, other):
        run = Run([self.program, *words])
        good = run.status == 2 and not run.out and \
            "does nothing without " + other in run.err
        return [] if good else ["%d: %s%s" % (run.status, run.out, run.err)]


def main():
    program, nodes = os.path.abspath(sys.argv[1]), sys.argv[2]
    tap = Tap()
    commands = help_commands(program)
    options = {command: help_options(program, command) for command in commands}
    every = {name: argument for its in options.values()
             for name, argument in its.items() if name.startswith("--")}
    tap.row("the commands that have probes", [] if sorted(commands) == sorted(
        ALL) == sorted(BASE) else [commands])
    tap.row("no probe without an option", sorted(
        (set(PROBES) | ONLY_TAKEN) - set(every)))
    with ApiServer({"named": {"a": {}}}) as server:
        test = Test(program, nodes, server.url)
        for command in commands:
            for option, argument in sorted(every.items()):
                its = option in options[command]
                # getopt_long(3) takes what is short for one alone
                if not its and any(o.startswith(option)
                                   for o in options[command]):
                    continue
                tap.row("%s %s: %s" % (command, option, "honoured" if its
                                       else "refused"),
                        test.honoured(command, option) if its else
                        test.refused(command, option, argument[:1]))
        for words in ESCAPED:
            tap.row("escaped: %r" % words, test.escaped(words))
        for words, other in ALONE:
            tap.row("alone: " + " ".join(words), test.alone(words, other))
        tap.row("--verbose names what is read", test.verbose())
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
