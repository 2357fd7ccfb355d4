#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What real kubelets made of arguments and files, end to end.

    test-oracle.py PROGRAM SCHEMAS CASES.jsonl...

Each case becomes an image: kubelet.service whose ExecStart= holds the case's
arguments, quoted as systemd.syntax(7) has it, and the files that the arguments
name. The disk view of its audit must be what kubelet computed, "invalid" where
it refused. Of tier "stretch" the answer may also be unknown, and a wrong one is
a known limit.
"""

import base64
import json
import os
import shutil
import sys
import tempfile

from audit_lib import only
from cli_lib import Run, Tap
from json_schema import Schemas

FOLDER = "/etc/kubernetes/kubelet"
# longer names first, as one holds the other
PLACES = (("DIRLINK", FOLDER + "/link.d"),
          ("DIR", FOLDER + "/config.json.d"),
          ("CONFIG", FOLDER + "/kubelet-config.json"))
TODO = {"stretch": "needs what kubelet validates besides our setting"}
STATES = {True: "true", False: "false", None: "invalid"}


def quoted(word):
    """One argument for ExecStart=, whatever its bytes are."""
    escapes = {'"': '\\"', "\\": "\\\\", "%": "%%", "$": "$$"}
    out = ""
    for byte in word.encode("utf-8", "surrogateescape"):
        char = chr(byte)
        if char in escapes:
            out += escapes[char]
        elif 0x20 <= byte < 0x7f:
            out += char
        else:
            out += "\\x%02x" % byte
    return '"%s"' % out


class Image:
    def __init__(self, case):
        self.case = case
        self.places = [p for p in PLACES
                       if p[0] == "CONFIG" or "dropins" in case]
        self.root = tempfile.mkdtemp(prefix="kr-oracle-")

    def __enter__(self):
        words = [self.placed(word) for word in self.case["args"]]
        self.write("/usr/bin/kubelet", b"")
        self.write("/etc/systemd/system/kubelet.service",
                   ("[Service]\nExecStart=/usr/bin/kubelet --kubeconfig=/k %s\n"
                    % " ".join(map(quoted, words))).encode())
        self.write_config()
        if self.case.get("dropins") is not None:
            self.write_dropins(" ".join(words))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)

    def placed(self, word):
        for name, path in self.places:
            word = word.replace(name, path)
        return word

    def write(self, path, data):
        full = self.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(data)

    def link(self, target, path):
        full = self.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        os.symlink(target, full)

    def write_config(self):
        path = dict(PLACES)["CONFIG"]
        if self.case.get("config_b64") is not None:
            self.write(path, base64.b64decode(self.case["config_b64"]))
        elif self.case.get("config") is not None:
            self.write(path, self.case["config"].encode("utf-8",
                                                        "surrogatepass"))

    def write_dropins(self, words):
        folder, link = dict(PLACES)["DIR"], dict(PLACES)["DIRLINK"]
        if folder in words or link in words:
            os.makedirs(self.root + folder, exist_ok=True)
        for name, body in self.case["dropins"].items():
            self.write_dropin(folder + "/" + name, body)
        if link in words:
            self.link(folder, link)

    def write_dropin(self, path, body):
        if isinstance(body, str):
            self.write(path, body.encode("utf-8", "surrogatepass"))
        elif "symlink" in body:
            self.write("/srv/target", body["text"].encode())
            self.link("/srv/target", path)
        elif "symlinkdir" in body:
            self.write("/srv/real/" + body["symlinkdir"],
                       body["text"].encode())
            self.link("/srv/real", path)
        else:
            self.link("/srv/nowhere", path)


def version(case):
    """The kubelet that was asked: 1.34's libraries for drop-ins."""
    return case.get("kubelet") or \
        ("1.20" if case.get("dropins") is None else "1.34")


def check(program, schemas, case):
    want = STATES[case["effective"]]
    allowed = {want, "unknown"} if case["tier"] == "stretch" else {want}
    faults = []
    with Image(case) as image:
        run = Run([program, "audit", "--root=" + image.root,
                   "--output=json", "--kubelet-version=" + version(case)])
        view = only(run.json(schemas, "audit.json", faults)).get(
            "views", {}).get("disk", {})
    if view.get("state") not in allowed:
        faults.append("kubelet: %s (%s), here: %s (%s)"
                      % (want, case["error"], view.get("state"),
                         view.get("reason")))
    return faults


def main():
    program, folder = sys.argv[1:3]
    schemas = Schemas(folder)
    tap = Tap()
    for path in sys.argv[3:]:
        with open(path, encoding="utf-8") as file:
            for line in file:
                case = json.loads(line)
                tap.row(case["id"], check(program, schemas, case),
                        todo=TODO.get(case["tier"]))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
