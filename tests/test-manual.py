#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual and --help name the same commands, options and statuses.

    test-manual.py PROGRAM MANUAL CLI_HEADER

Options are compared with their letter and argument, and with the commands they
belong to. mandoc(1) must find nothing, where it is installed.
"""

import re
import shutil
import subprocess
import sys

EVERY = "every command"


class Test:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, good, name, detail=""):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name))
        for line in str(detail).splitlines() if not good else []:
            print("#   " + line)

    def same(self, helped, manual, name):
        for thing in sorted(helped - manual, key=str):
            self.check(False, "%s: %s is not in the manual" % (name, thing))
        for thing in sorted(manual - helped, key=str):
            self.check(False, "%s: %s is not in --help" % (name, thing))
        self.check(helped and helped == manual,
                   "%s: the same %d" % (name, len(helped)))


def run_help(program, *command):
    return subprocess.run([program, *command, "--help"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def help_commands(text):
    """From the summary above "options of every command"."""
    return set(re.findall(r"^  ([a-z]+) {2,}\S", text.split("\noptions")[0],
                          re.M))


def help_options(text):
    """{(commands, name, letter, argument)} of the help of all commands."""
    found, groups = set(), [None]
    for line in text.splitlines():
        head = re.match(r"options of ([a-z, ]+):$", line)
        if head:
            groups = re.split(", | and ", head.group(1))
        option = re.match(r"  (?:-(\w),|   ) --([a-z-]+)(?:\[?=(\w+))?",
                          line)
        for group in groups if option else []:
            found.add((group, option.group(2), option.group(1) or "",
                       option.group(3) or ""))
    return found


def sections(text, macro):
    """{title: body} of the parts that MACRO (.Sh or .Ss) opens."""
    parts = re.split(r"^\.%s (.*)\n" % macro, text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def manual_options(text):
    found = set()
    for title, body in sections(sections(text, "Sh")["OPTIONS"],
                                "Ss").items():
        groups = re.split(", | and ", title.removeprefix("Of "))
        for item in re.findall(r"^\.It (Fl .*)$", body, re.M):
            name = re.search(r"Fl Fl ([a-z-]+)"
                             r"(?: Ns (?:Op )?= Ns Ar (\w+))?", item)
            letter = re.match(r"Fl (\w)\b", item)
            for group in groups:
                found.add((group, name.group(1),
                           letter.group(1) if letter else "",
                           name.group(2) or ""))
    return found


def check_mandoc(test, path):
    if not shutil.which("mandoc"):
        test.count += 1
        print("ok %d - mandoc # SKIP mandoc is not installed" % test.count)
        return
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "style", path],
                          check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True).stdout
    # what other manuals this machine has is not a fault of this one
    faults = [line for line in lint.splitlines()
              if "mandoc.db" not in line and "referenced manual" not in line]
    test.check(not faults, "mandoc finds nothing", "\n".join(faults))


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    program = sys.argv[1]
    with open(sys.argv[2], encoding="utf-8") as file:
        manual = file.read()
    with open(sys.argv[3], encoding="utf-8") as file:
        header = file.read()
    test = Test()
    text = run_help(program)
    parts = sections(manual, "Sh")
    commands = help_commands(text)

    test.same(commands, set(re.findall(r"^\.It Cm (\w+)", parts["COMMANDS"],
                                       re.M)), "commands")
    test.same(commands, set(re.findall(r"^\.Cm (\w+)$", parts["SYNOPSIS"],
                                       re.M)), "commands of the synopsis")
    helped = help_options(text)
    test.same(helped, manual_options(manual), "options")
    for command in sorted(commands):
        own = {row[1:] for row in helped if row[0] in (command, EVERY)}
        own_help = run_help(program, command)
        test.same({row[1:] for row in help_options(own_help)}, own,
                  "options of " + command)
        text += own_help
    wide = [line for line in text.splitlines()
            if len(line) > 80 or line != line.rstrip()]
    test.check(not wide, "help fits into 80 columns", "\n".join(wide))
    statuses = set(re.findall(r"\b(\d) ", text.split("exit status:")[1].split("usage:")[0])) \
        | set(re.findall(r"#define KR_STATUS_\w+\s+(\d+)", header))
    test.same(statuses, set(re.findall(r"^\.It (\d+)$", parts["EXIT STATUS"],
                                       re.M)), "statuses")
    check_mandoc(test, sys.argv[2])
    print("1..%d" % test.count)
    return 1 if test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
