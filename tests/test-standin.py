#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The stand-in decides as the recorded kubelet did, where it claims to.

    test-standin.py STANDIN CASES

CASES is the record of a real kubelet (cases/kubelet-oracle.jsonl). Taken are
the groups of cases that are about what the stand-in models: the flag, flag over
file, and JSON files. A stand-in that decided wrongly would prove nothing.
"""

import base64
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

GROUPS = re.compile(r"^(flag|prec|json-val|json-key|json-dup)-")
NOT_MODELLED = {
    "flag-bits-equal-false", "flag-feature-gate-bad", "flag-other-bad",
    "flag-repeat-far",                          # flags that are not listed
    "json-key-nul", "json-key-raw-tab",         # cJSON is laxer there
}


def decide(standin, case):
    """What the stand-in makes of CASE: a bool, or None where it refuses."""
    with tempfile.TemporaryDirectory(prefix="standin-") as folder:
        config = os.path.join(folder, "config")
        if case.get("config_b64") is not None:
            data = base64.b64decode(case["config_b64"])
        else:
            data = (case.get("config") or "").encode("utf-8", "surrogatepass")
        with open(config, "wb") as file:
            file.write(data)
        with open(os.path.join(folder, "standin-kubelet.conf"), "w",
                  encoding="ascii") as file:
            file.write("die-after-ms=0 exit=0\n")
        run = subprocess.run(
            [standin] + [a.replace("CONFIG", config) for a in case["args"]],
            env={"STANDIN_DIR": folder}, cwd=folder, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        if run.returncode == 255:
            return None
        with open(os.path.join(folder, "standin-kubelet.state"), "rb") as file:
            return file.read().split(b"\0")[-2] == b"true"


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    standin = os.path.abspath(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        cases = [json.loads(line) for line in file]
    cases = [c for c in cases
             if GROUPS.match(c["id"]) and c["tier"] == "exact"
             and c["id"] not in NOT_MODELLED]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda case: decide(standin, case), cases))
    failed = not cases
    print("1..%d" % (len(cases) or 1))
    for number, (case, value) in enumerate(zip(cases, got), 1):
        good = value == case["effective"]
        failed |= not good
        print("%s %d - %s" % ("ok" if good else "not ok", number, case["id"]))
        if not good:
            print("# kubelet %s, stand-in %s" % (case["effective"], value))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
