#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manuals say what is so: of --help, and of the units.

    test-manual.py PROGRAM CLI_HEADER SOURCE_ROOT

Options are compared with their letter and argument, and with the commands they
belong to. Each call of the program that a manual, the README, a unit or a recipe
shows must be one that it takes. mandoc(1) must find nothing, where it is
installed.
"""

import os
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
        print("ok %d - mandoc: %s # SKIP mandoc is not installed"
              % (test.count, os.path.basename(path)))
        return
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "style", path],
                          check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True).stdout
    # what other manuals this machine has is not a fault of this one
    faults = [line for line in lint.splitlines()
              if "mandoc.db" not in line and "referenced manual" not in line]
    test.check(not faults, "mandoc finds nothing in "
               + os.path.basename(path), "\n".join(faults))


# --- the manual of the units ------------------------------------------------


def unit_values(text):
    """{directive: its last value}, comments aside."""
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.M))


def plain(text):
    """A manual's words, without its macros."""
    text = re.sub(r"^\.(?:\w+ )?", "", text, flags=re.M)
    return " ".join(text.replace("\\&", "").split())


def check_units(test, data):
    manual = read(data + "/kubelet-remedy.service.8")
    names = ["kubelet-remedy.service", "kubelet-remedy-recover.service"]
    units = {name: unit_values(read("%s/%s.in" % (data, name)))
             for name in names}
    service = units[names[0]]
    for name, unit in units.items():
        page = sections(read("%s/%s.8" % (data, name)), "Sh")
        test.check(re.findall(r"^\.Nm (\S+)", page["NAME"], re.M) == [name]
                   and re.findall(r"^\.Pa (\S+)", page["SYNOPSIS"], re.M)
                   == [name], "%s has a manual of its name" % name)
        shown = re.findall(r"^\.Dl (.*)$", page["DESCRIPTION"], re.M)
        runs = unit["ExecStart"].removeprefix("@sbindir@/")
        test.check(shown == [runs], "it shows what the unit runs",
                   "%s\n%s" % (shown, runs))
        test.check("is ended after %s seconds" % unit["TimeoutStartSec"]
                   .removesuffix("s") in plain(read("%s/%s.8" % (data, name))),
                   "it knows the time limit", unit["TimeoutStartSec"])
        test.check("man:%s(8)" % name in unit["Documentation"].split(),
                   "the unit names it", unit["Documentation"])
    text = plain(manual)
    also = service["SuccessExitStatus"].split()
    test.check("unless it is 0, %s:" % " or ".join(also) in text,
               "it knows the status that is no failure", also)
    test.check("ProtectSystem=yes" in read(data + "/" + names[0] + ".in")
               and "/usr and /boot are read-only to it" in text,
               "it knows what is read-only")
    preset = dict(line.split()[::-1] for line in
                  read(data + "/90-kubelet-remedy.preset").splitlines()
                  if line and not line.startswith("#"))
    said = re.search("leaves (\\S+) and (\\S+) disabled and enables (\\S+)",
                     text)
    test.check(said and preset == {said.group(1): "disable",
                                   said.group(2): "disable",
                                   said.group(3): "enable"},
               "it knows the preset", preset)
    for name, unit in units.items():
        for page in unit["Documentation"].split():
            file = re.sub(r"^man:(.*)\((\d)\)$", r"\1.\2", page)
            test.check(os.path.exists(data + "/" + file),
                       "%s: there is %s" % (name, page))
    for name in names:
        test.check(re.search(r"^\.Xr %s 8" % re.escape(name),
                             read(data + "/kubelet-remedy.8"), re.M),
                   "kubelet-remedy(8) points to " + name)


AUDIT = "kubelet-remedy-audit"


def check_audit_unit(test, data, metrics):
    """METRICS: the names that an audit and a fleet print."""
    manual = read(data + "/%s.service.8" % AUDIT)
    unit = unit_values(read(data + "/%s.service.in" % AUDIT))
    timer = unit_values(read(data + "/%s.timer" % AUDIT))
    text = plain(manual)
    words = set(re.findall(r"\bKUBELET_REMEDY_\w+", unit["ExecStart"]))
    said = set(re.findall(r"^\.It Ev (\S+)", manual, re.M))
    test.check(words == said, "the audit's manual knows its variables",
               words ^ said)
    test.check(unit["Environment"].partition("=")[2] in text and
               unit["EnvironmentFile"].lstrip("-") in text,
               "it knows where they stand, and the file")
    test.check("unless it is 0, %s." % " or ".join(
        unit["SuccessExitStatus"].split()) in text,
               "it knows the status that is no failure")
    test.check(timer["OnCalendar"] == "hourly" and "every hour" in text,
               "it knows how often")
    said = set(re.findall(r"^\.It Ic (kubelet_remedy_\w+)", manual, re.M))
    test.check(said == metrics, "it knows each metric", said ^ metrics)
    for name in ("service.in", "timer"):
        page = unit_values(read("%s/%s.%s" % (data, AUDIT, name)))
        test.check("man:%s.service(8)" % AUDIT in page["Documentation"],
                   "%s.%s points to it" % (AUDIT, name))


# --- platforms --------------------------------------------------------------


def check_platforms(test, page, table):
    """Each platform's name, as the audit prints it, heads an entry of PAGE."""
    names = re.findall(r'\.name = "([^"]+)"', read(table))
    entries = re.findall(r"^\.It Sy (.*)", read(page), re.M)
    test.check(len(names) > 20, "%d platforms" % len(names))
    for name in names:
        test.check(any(entry.split(" (")[0] == name.split(" (")[0]
                       for entry in entries), "the manual has " + name)


# --- sentences ----------------------------------------------------------------

MOST_WORDS = 25
# macros of mdoc that begin another text, and those inside of one
BREAKS = re.compile(r"\.(?:Sh|Ss|It|Pp|Bl|El|Dl|Dd|Dt|Os|\\\")")
INSIDE = re.compile(r"\b(?:Fl|Ar|Ns|Cm|Pa|Ql|Xr|Ev|Dv|Op|Sy|Em|Nm|Lk|Sx|Pq|Po|Pc)\b")


def texts_of_manual(text):
    """Its running texts, without what is to be typed."""
    text = re.sub(r"^\.Bd .*?^\.Ed$", ".Pp", text, flags=re.M | re.S)
    text = re.sub(r"^\.Xr (\S+) \d", r"\1", text, flags=re.M)
    return "\n".join("\0" if BREAKS.match(line) else line.lstrip(".")
                     for line in text.splitlines()).split("\0")


def texts_of_markdown(text):
    text = re.sub(r"^(?: {4}|\||#|!\[|```).*$", "\0", text, flags=re.M)
    text = re.sub(r"\n\s*\n|^\s*(?:\*|\d+\.) ", "\0", text, flags=re.M)
    return text.split("\0")


def long_sentences(texts):
    for text in texts:
        for sentence in re.split(r"(?<=[\w)`'\"])\s?[.:;](?=\s|$)", text):
            words = [word for word in INSIDE.sub("", sentence).split()
                     if re.search(r"\w", word)]
            if len(words) > MOST_WORDS:
                yield "%d words: %s" % (len(words), " ".join(words))


def check_sentences(test, root):
    for path in tracked_files(root, ["README.md", "data", "contrib"]):
        name = os.path.relpath(path, root)
        if not re.search(r"\.(?:\d|md)$", name):
            continue
        texts = (texts_of_markdown if name.endswith(".md")
                 else texts_of_manual)(read(path))
        faults = list(long_sentences(texts))
        test.check(not faults, "sentences of at most %d words: %s" % (
            MOST_WORDS, name), "\n".join(faults))
    test.check(list(long_sentences(["a " * 26 + ". b " * 20]))
               and not list(long_sentences(["a " * 25 + ". b " * 20])),
               "a long sentence is found")


# --- what is shown can be called --------------------------------------------


def shown_calls(text):
    """The words behind each "kubelet-remedy COMMAND" that stands in TEXT."""
    text = re.sub(r"\\\n\s*", " ", text)
    calls = []
    for found in re.finditer(r"(?<![-\w.=])(?:/?[\w@/]*/)?kubelet-remedy "
                             r"([a-z]+\b[^`'\"|;<>#(),&\n]*)", text):
        calls.append(found.group(1).split())
    return calls


def check_calls(test, helped, root):
    known = {}
    for command, name, letter, argument in helped:
        known.setdefault(command, {})["--" + name] = argument
        if letter:
            known[command]["-" + letter] = argument
    tops = ["README.md", "data", "contrib"]
    count = 0
    for path in tracked_files(root, tops):
        for words in shown_calls(read(path)):
            if words[0] not in known:
                continue
            options = {**known[EVERY], **known[words[0]]}
            count += 1
            for word in words[1:]:
                name, given, _ = word.partition("=")
                if not re.match("--?[a-z]", name):
                    continue
                if not name.startswith("--"):
                    fault = [c for c in name[1:] if "-" + c not in options]
                else:
                    fault = name not in options or (given
                                                    and not options[name])
                if fault:
                    test.check(False, "%s: %s is called with %s" % (
                        os.path.relpath(path, root), words[0], word),
                        " ".join(words))
    test.check(count > 40, "%d calls are shown that the program takes" % count)


def tracked_files(root, tops):
    for top in tops:
        path = os.path.join(root, top)
        if os.path.isfile(path):
            yield path
        for folder, _, names in os.walk(path):
            for name in sorted(names):
                yield os.path.join(folder, name)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    program, root = sys.argv[1], sys.argv[3]
    data = root + "/data"
    manual = read(data + "/kubelet-remedy.8")
    header = read(sys.argv[2])
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
    # its own help alone has the options of recover
    for command in sorted(commands - {"recover"}):
        own = {row[1:] for row in helped if row[0] in (command, EVERY)}
        own_help = run_help(program, command)
        test.same({row[1:] for row in help_options(own_help)}, own,
                  "options of " + command)
        said = set(re.findall(r"\b(\d)\s", own_help.split("exit status:")[1]))
        test.check({"0", "2"} <= said <= set("0123456"),
                   "statuses of %s: %s" % (command, sorted(said)))
        text += own_help
    wide = [line for line in text.splitlines()
            if len(line) > 80 or line != line.rstrip()]
    test.check(not wide, "help fits into 80 columns", "\n".join(wide))
    statuses = set(re.findall(r"\b(\d) ", text.split("exit status:")[1].split("usage:")[0])) \
        | set(re.findall(r"#define KR_STATUS_\w+\s+(\d+)", header))
    test.same(statuses, set(re.findall(r"^\.It (\d+)$", parts["EXIT STATUS"],
                                       re.M)), "statuses")
    check_units(test, data)
    check_audit_unit(test, data, {"kubelet_remedy_" + name for name in
                                  re.findall(r'print_head\([^"]*"(\w+)"', read(
                                      root + "/src/report/prometheus.c"))})
    check_platforms(test, data + "/kubelet-remedy-platforms.7",
                    root + "/src/node/platform-table.c")
    check_calls(test, helped, root)
    check_sentences(test, root)
    for name in sorted(os.listdir(data)):
        if re.search(r"\.\d$", name):
            check_mandoc(test, data + "/" + name)
    print("1..%d" % test.count)
    return 1 if test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
