#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What hangs is ended, said, and no reason to end the test.

    test-hang.py STRIKE
"""

import os
import sys

import cli_lib
import fault_lib
from cli_lib import HUNG, Tap

SLEEP = "sleep 86399.%d" % os.getpid()  # ours, and no other
POINT = fault_lib.Call("getppid", 1, "", 110)


def told(status, text, *words):
    faults = [] if status == HUNG else ["status %s" % status]
    return faults + ["not said: " + word for word in words
                     if word not in text]


def check_words():
    """A shell that waits for a program: both are said, and both end."""
    done = cli_lib.run_words(["sh", "-c", "echo begun; %s; :" % SLEEP])
    text = done.stderr.decode()
    faults = told(done.returncode, text, "hung for 1 s", "cmdline: sh -c echo",
                  "cmdline: " + SLEEP, "wchan: ")
    if done.stdout != b"begun\n":
        faults.append("what it had printed is lost: %r" % done.stdout)
    for pid in os.listdir("/proc"):
        if pid.isdigit() and SLEEP in cli_lib.doing(int(pid)):
            faults.append("%s still runs" % pid)
    return faults + ([text] if faults else [])


def check_strike(program, words, *said):
    """Twice, so that strike is seen to go on."""
    faults = []
    with fault_lib.Strike(program, {}, lambda root: words,
                          "--timeout=1") as strike:
        for result, _, _, root in strike.ask([(POINT, "EIO")] * 2):
            faults += told(result.status, result.err, *said)
            if root:
                with root:
                    pass
    return faults + ([result.err[-2000:]] if faults else [])


def main():
    reason = fault_lib.missing()
    if not reason and os.geteuid() != 0:
        reason = "only root can make files of other owners"
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    cli_lib.TIMEOUT = 1
    tap = Tap()
    tap.row("a program", check_words())
    tap.row("strike: a program that sleeps", check_strike(
        sys.argv[1], ["/bin/" + word if word == "sleep" else word
                      for word in SLEEP.split()],
        "hung for 1 s", "cmdline: /bin/" + SLEEP))
    tap.row("strike: one that says more than anybody reads", check_strike(
        sys.argv[1], ["/bin/sh", "-c", "exec cat /dev/zero >&2"]))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
