#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each command that a README or a manual shows can be typed.

    test-shown-commands.py PROGRAM SOURCE_ROOT

Code blocks of Markdown and literal displays of manuals are taken apart as a
shell does it. A kubelet-remedy is called, on a copy of an example node below
--root, and must take its options: status 2 is wrong usage. What it calls has no
network, and no unit is restarted below --root. A file of the tree that is named
must be there, an executable one where it is the command. Every other command
must be one of a list.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

NODE = "tests/nodes/kubeadm-debian"
# what a reader of these pages has, or is told to install
OTHERS = {"sudo", "meson", "ninja", "rpmbuild", "podman", "kubectl", "sed", "tar",
          "apt", "dnf", "systemctl", "journalctl", "rm", "patch", "jq", "cd", "mv",
          "cat", "exit", "[", "test", "python3", "ansible-playbook",
          "for", "done"}
# it is the timer's, and has nothing to revert here
NOT_CALLED = {"recover"}
# what a reader puts in
WORDS = {"NAME": "node-1", "TRANSACTION": "1", "FILE": "/f"}


def blocks(path, text):
    """(line, text) of each line of code, a continued one as one."""
    if path.endswith(".md"):
        code = re.finditer(r"^(?: {4}.*\n)+", text, re.M)
        strip = 4
    else:
        code = re.finditer(r"(?<=-literal -offset indent\n)(?:(?!\.Ed).*\n)+",
                           text)
        strip = 0
    for found in code:
        lines = re.sub(r"\\e?\n *|\|\n *", lambda m: "| " * (m.group()[0] == "|"),
                       "\n".join(line[strip:] for line in
                                 found.group().splitlines())).split("\n")
        first = text.count("\n", 0, found.start()) + 1
        for number, line in enumerate(lines, first):
            yield number, line


def commands(line):
    """The words of each command of LINE, without redirections."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    command, skip = [], False
    for word in words:
        if re.fullmatch(r"[|&;()]+", word):
            if command:
                yield command
            command = []
        elif re.fullmatch(r"[<>]+&?", word):
            skip = True
        elif skip:
            skip = False
        else:
            command.append(word)
    if command:
        yield command


def is_command(path, line):
    """Whether a line of code is typed: others are outputs and files."""
    if path.endswith(".md"):
        return re.match(r"(?:sudo |contrib/|kubelet-remedy |kubectl |meson |ninja |"
                        r"podman |sed |rpmbuild |rm |systemctl |python3 |"
                        r"ansible-playbook )", line)
    return re.match(r"[#$] |kubelet-remedy |cd |mv ", line)


class Test:
    def __init__(self, program, root):
        self.program, self.root = os.path.abspath(program), root
        self.count = self.failed = 0
        self.called = 0

    def fault_of_call(self, words):
        """Of a kubelet-remedy with these words."""
        words = [re.sub(r"\b[A-Z]{4,}\b", lambda m: WORDS.get(
            m.group(), m.group()), word) for word in words]
        words = [word for word in words if not word.startswith("--root=")]
        with tempfile.TemporaryDirectory(prefix="kr-shown-") as work:
            node = work + "/node"
            shutil.copytree(os.path.join(self.root, NODE), node, symlinks=True)
            # nothing is written but there
            words = [re.sub(r"^(--output-file=).*", r"\g<1>out", word)
                     for word in words]
            if words[0] != "fleet": # which reads no node
                words.append("--root=" + node)
            result = subprocess.run(
                [self.program, *words], check=False,
                cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, timeout=60,
                env={"PATH": os.environ["PATH"]})
        self.called += 1
        if result.returncode == 2 or result.returncode < 0:
            return "status %d: %s" % (result.returncode, result.stderr)
        return None

    def fault_of(self, words):
        while words[0] in ("sudo", "env") or re.match(r"\w+=", words[0]):
            words = words[1:]
        name = words[0]
        if name == "kubelet-remedy":
            return None if words[1] in NOT_CALLED \
                else self.fault_of_call(words[1:])
        if name == "ssh": # -n HOST COMMAND
            return self.fault_of(words[3:])
        if "/" in name:
            return None if os.access(os.path.join(self.root, name), os.X_OK) \
                else "%s is no executable of the tree" % name
        if name not in OTHERS:
            return "%s is not in the list of commands" % name
        for word in words[1:]:
            if re.match(r"(?:contrib|tests|src|data)/", word) \
                    and not os.path.exists(os.path.join(self.root, word)):
                return "%s is not in the tree" % word
        if "exec" in words and "--" in words: # kubectl exec POD -- COMMAND
            return self.fault_of(words[words.index("--") + 1:])
        return None

    def run(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8") as file:
            text = file.read()
        for number, line in blocks(path, text):
            if not is_command(path, line):
                continue
            line = re.sub(r"^[#$] ", "", line)
            try:
                faults = [self.fault_of(words) for words in commands(line)]
            except ValueError as error:
                faults = [str(error)]
            faults = [fault for fault in faults if fault]
            self.count += 1
            self.failed += bool(faults)
            print("%s %d - %s:%d: %s" % (
                "not ok" if faults else "ok", self.count, path, number,
                line.replace("#", "\\#")))
            for fault in "\n".join(faults).splitlines():
                print("#   " + fault)


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    root = sys.argv[2]
    test = Test(sys.argv[1], root)
    pages = ["data/" + name for name in sorted(os.listdir(root + "/data"))
             if re.search(r"\.\d$", name)]
    for path in ["README.md", "contrib/CONTRIBUTING.md",
                 "contrib/kubernetes/README.md", *pages]:
        test.run(path)
    for line, want in (("kubelet-remedy fix --nothing", True),
                       ("contrib/nothing", True), ("wget x", True),
                       ("kubectl apply -k contrib/kubernetes/nothing", True),
                       ("kubectl exec POD -- kubelet-remedy nothing", True),
                       ("kubelet-remedy audit | jq .", False)):
        found = any(test.fault_of(words) for words in commands(line))
        test.count += 1
        test.failed += found != want
        print("%s %d - caught: %s" % ("ok" if found == want else "not ok",
                                      test.count, line))
    test.count += 1
    enough = test.count > 60 and test.called > 25
    test.failed += not enough
    print("%s %d - %d calls of the program" % ("ok" if enough else "not ok",
                                               test.count, test.called))
    print("1..%d" % test.count)
    return 1 if test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
