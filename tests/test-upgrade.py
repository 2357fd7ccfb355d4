#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records that earlier states of 0.1.0 left are read, undone and taken back.

    test-upgrade.py PROGRAM CASES

CASES has nodes as the program of the commit that it names left them: fixed, or killed
in the middle (strace's inject at the third rename), and the files as they were before.
"""

import json
import os
import sys
import tempfile

from cli_lib import Run, Tap

STATE = "var/lib/kubelet-remedy"


def write(root, files):
    for name, content in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(content, dict):
            os.symlink(content["link"], path)
            continue
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
    for top, _, _ in os.walk(os.path.join(root, STATE)):
        os.chmod(top, 0o700)


def read(root):
    """What the node has but for our own state."""
    found = {}
    for top, folders, names in os.walk(root):
        folders[:] = [f for f in folders if not os.path.join(
            top, f).startswith((os.path.join(root, STATE),
                                os.path.join(root, "run")))]
        for name in names:
            path = os.path.join(top, name)
            with open(path, encoding="utf-8") as file:
                found[os.path.relpath(path, root)] = file.read()
    return found


def check(program, case, root):
    write(root, case["after"])
    faults = []
    if read(root) == case["before"]:
        faults.append("the case changed nothing")
    name = [n.split("/")[3] for n in case["after"]
            if n.endswith("/manifest.json")]
    run = Run([program, "history", "-o", "json", "--root=" + root])
    listed = {t["id"]: t for t in json.loads(run.out)["transactions"]}
    if run.status or list(listed) != name:
        faults.append("history: %d %s %s" % (run.status, list(listed), run.err))
    run = Run([program, "recover" if case["killed"] else "undo",
               "--root=" + root])
    if run.status:
        faults.append("%s: %d %s" % ("recover" if case["killed"] else "undo",
                                     run.status, run.out + run.err))
    now = read(root)
    for path in sorted(set(now) | set(case["before"])):
        if now.get(path) != case["before"].get(path):
            faults.append("%s is not as it was: %r" % (path, now.get(path)))
    return faults


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    tap = Tap()
    with open(sys.argv[2], encoding="utf-8") as file:
        cases = json.load(file)
    for case in cases:
        with tempfile.TemporaryDirectory() as root:
            tap.row("a record of %s (%s)" % (case["name"], case["commit"]),
                    check(os.path.abspath(sys.argv[1]), case, root))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
