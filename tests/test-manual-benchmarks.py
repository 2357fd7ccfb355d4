#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page for auditors lists the editions and controls that the program has.

    test-manual-benchmarks.py PROGRAM SOURCE_ROOT [--update]

The parts of data/kubelet-remedy-benchmarks.7 between "begin:" and "end:" are
made of `controls -o json`, edition by edition, and of what kube-bench wants
(tests/cases/section-editions.tsv, which test-policy-editions holds against the
table of the source). --update writes them.
"""

import csv
import json
import os
import re
import subprocess
import sys

PAGE = "data/kubelet-remedy-benchmarks.7"
SCANNER = {"written": "wants it written down", "zero": "wants a written 0",
           "0600": "wants 0600 or stricter"}


def call(program, *words):
    return subprocess.run([program, "controls", *words], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def read_editions(program):
    """[(name, title, number of controls, whether for audit only)]"""
    rows = []
    for line in call(program, "--benchmark=help").splitlines():
        found = re.fullmatch(r"(\S+) +(.*), (\d+) controls(, for audit only)?",
                             line)
        rows.append((found.group(1), found.group(2), int(found.group(3)),
                     bool(found.group(4))))
    return rows


def read_controls(program, editions):
    """{name: (a row of it, {(id, type, level): [edition]},
    {demand: [edition]})}"""
    controls = {}
    for name, _, count, _ in editions:
        rows = json.loads(call(program, "--benchmark=" + name, "-o",
                               "json"))["controls"]
        assert len(rows) == count, (name, count)
        for row in rows:
            _, numbers, demands = controls.get(row["name"], (None, {}, {}))
            numbers.setdefault((row["id"], row["type"], row["level"]),
                               []).append(name)
            demands.setdefault(row["demand"].removeprefix(
                row["name"] + " "), []).append(name)
            controls[row["name"]] = row, numbers, demands
    return controls


def read_scanner(root):
    """{control: {what kube-bench wants: [edition]}}"""
    found = {}
    with open(root + "/tests/cases/section-editions.tsv",
              encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["scanner"] != "-":
                found.setdefault(row["control"], {}).setdefault(
                    SCANNER[row["scanner"]], []).append(row["edition"])
    return found


def fill(text):
    """Lines of at most 80 bytes."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > 80:
            lines.append("")
        lines[-1] += " " * bool(lines[-1]) + word
    return lines


def make_editions(editions):
    lines = [".Bl -tag -width rke2-cis-1.8 -compact"]
    for name, title, count, audit_only in editions:
        lines += [".It Cm " + name, "%s, %d controls%s" % (
            title, count, ", for audit only" if audit_only else "")]
    return lines + [".El"]


def make_controls(controls, scanner):
    lines = [".Bl -tag -width Ds"]
    for name, (row, numbers, demands) in sorted(
            controls.items(), key=lambda item: [
                int(n) for n in re.findall(r"\d+", item[1][0]["id"])]):
        lines += [".It Sy " + name]
        words = [text if len(demands) == 1
                 else "%s (%s)" % (text, ", ".join(names))
                 for text, names in demands.items()]
        lines += fill("Demand: %s." % "; ".join(words))
        lines += ["Policy:", ".Cm %s ." % row["policy"]]
        lines += [".Bl -tag -width Ds -compact"]
        for (number, kind, level), names in numbers.items():
            lines += [".It %s, %s%s" % (number, kind, ", level 2" * (level > 1))]
            lines += fill(", ".join(names))
        for wants, names in scanner.get(name, {}).items():
            lines += [".It kube-bench " + wants] + fill(", ".join(names))
        lines += [".El"]
    return lines + [".El"]


def put(page, name, lines):
    part = r'(\.\\" begin: %s\n).*?(\.\\" end: %s\n)' % (name, name)
    assert len(re.findall(part, page, re.S)) == 1, name
    return re.sub(part, lambda found: found.group(1) + "\n".join(lines) + "\n"
                  + found.group(2), page, flags=re.S)


def main():
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    program, root = sys.argv[1:3]
    path = os.path.join(root, PAGE)
    editions = read_editions(program)
    controls = read_controls(program, editions)
    with open(path, encoding="utf-8") as file:
        page = file.read()
    want = put(put(page, "editions", make_editions(editions)), "controls",
               make_controls(controls, read_scanner(root)))
    if sys.argv[3:] == ["--update"]:
        with open(path, "w", encoding="utf-8") as file:
            file.write(want)
        return 0
    count = sum(row[2] for row in editions)
    print("%s 1 - %d editions with %d controls are on the page" % (
        "ok" if page == want else "not ok", len(editions), count))
    if page != want:
        print("#   %s differs from the program: run this with --update" % PAGE)
    enough = len(editions) >= 25 and len(controls) >= 20 and count > 400
    print("%s 2 - none is missing: %d controls" % (
        "ok" if enough else "not ok", len(controls)))
    print("1..2")
    return 0 if page == want and enough else 1


if __name__ == "__main__":
    sys.exit(main())
