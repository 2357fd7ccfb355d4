#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The README's first command, and its picture.

    test-demo.py SOURCE_ROOT BUILD_ROOT

contrib/demo shows what it promises and leaves no host behind. The picture has
the words that the demo prints now: times, processes and records aside. Needs
root; without it the whole is skipped.
"""

import html
import os
import re
import subprocess
import sys
import tempfile

from host_lib import BOOT, Skip, Tap, need_host

STEPS = {"audit": ("FAIL  ", 1), "fix -n": ("# WOULD FIX  ", 1),
         "fix": ("FIXED  ", 0), "status": ("HEALTHY  ", 0), "again": ("PASS  ", 0)}
VARY = ((r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}", "RECORD"),
        (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", "TIME"),
        (r"^node [^,]+", "node NAME"),
        (r"kubelet\[\d+\]", "kubelet[PID]"))


def demo(*words):
    return subprocess.run(
        [SOURCE + "/contrib/demo", *words], env={**os.environ, "BUILD": BUILD},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, check=False, text=True, timeout=300)


def plain(lines):
    """What is the same each time, less empty lines."""
    found = []
    for line in lines:
        line = line.rstrip()
        for pattern, name in VARY:
            line = re.sub(pattern, name, line)
        if line:
            found.append(line)
    return found


def picture():
    """The lines of the terminal in data/terminal.svg."""
    with open(SOURCE + "/data/terminal.svg", encoding="utf-8") as file:
        text = file.read()
    rows = {}
    for x, y, words in re.findall(
            r'<text class="terminal-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>'
            r"([^<]*)</text>", text):
        rows.setdefault(float(y), []).append(
            (float(x), html.unescape(words).replace("\u00a0", " ")))
    lines = []
    for _, parts in sorted(rows.items()):
        line = ""
        for x, words in sorted(parts):
            # a character is 12.2 wide
            line = line.ljust(round(x / 12.2)) + words.rstrip("\n")
        lines.append(line)
    return plain(lines)


def test_demo(tap):
    done = demo()
    tap.equal(done.returncode, 0, "it comes to its end", done.stderr)
    parts = re.split(r"^=== .*\n", done.stdout, flags=re.M)[1:]
    tap.equal(len(parts), len(STEPS), "so many steps", done.stdout)
    for (name, (words, status)), part in zip(STEPS.items(), parts):
        tap.contains(part, "\n" + words, name + ": it says so")
        tap.check(part.rstrip().endswith("(status %d)" % status),
                  name + ": status %d" % status, part)


def test_picture(tap):
    done = demo("audit", "fix", "again")
    tap.equal(done.returncode, 0, "the demo", done.stderr)
    want = plain(line for line in done.stdout.splitlines()
                 if not re.match(r"=== |\(status ", line))
    got = picture()
    tap.equal(got, want, "it shows what is printed now: run contrib/picture")


def test_unhappy(tap):
    done = demo("nonsense")
    tap.equal(done.returncode, 2, "a step that there is not")
    tap.contains(done.stderr, "sudo contrib/demo", "its usage is told")
    tap.equal(done.stdout, "", "nothing is shown")


def main():
    tap = Tap()
    try:
        need_host()
    except Skip as reason:
        print("1..0 # SKIP %s" % reason)
        return 0
    # a folder of its own, so that what is left behind is seen
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        os.environ["BTH_DIR"] = folder + "/hosts"
        for test in (test_demo, test_picture, test_unhappy):
            tap.test = test.__name__.removeprefix("test_")
            test(tap)
            left = subprocess.run([BOOT, "list"], stdout=subprocess.PIPE,
                                  check=True, text=True).stdout
            tap.equal(left, "", "no host is left")
    return tap.done()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    SOURCE, BUILD = map(os.path.abspath, sys.argv[1:3])
    sys.exit(main())
