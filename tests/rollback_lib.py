# SPDX-License-Identifier: Apache-2.0
"""What the tests of the rollback have in common: a fix that is caught in the
middle, its timer, and the end that it must come to."""

import os
import signal

from host_lib import CONTROL, FLAG, UNIT

FALSE_FLAG = FLAG + "=false"
# the timer's time is made of these, --wait and 30 s
SHORT = "TimeoutStartSec=1\nTimeoutStopSec=1"
# a restart that is not over before the test says so, or ends the program
TOLD = "healthy-when-told=true when=true\n"
NOTIFY = "Type=notify"
STATE_DIR = "/var/lib/kubelet-remedy"
RECOVER = "kubelet-remedy-recover.service"
STARTS = "/run/standin-kubelet.starts"


def units(host):
    """Of ours: what systemd has loaded, less the one of the boot."""
    return [name for name in host.sh(
        "systemctl list-units --all --plain --no-legend 'kubelet-remedy*' "
        "| cut -d' ' -f1").stdout.split() if name != RECOVER]


def timers(host):
    return [name for name in units(host) if name.endswith(".timer")]


def is_pending(host):
    return os.path.exists(host.root + STATE_DIR + "/pending")


def timer_usec(host, timer):
    """How long after it was armed it runs out."""
    text = host.run(["busctl", "get-property", "org.freedesktop.systemd1",
                     "/org/freedesktop/systemd1/unit/" + "".join(
                         c if c.isalnum() else "_%02x" % ord(c)
                         for c in timer), "org.freedesktop.systemd1.Timer",
                     "TimersMonotonic"])
    return int(text.stdout.split()[3]) if text.status == 0 else text


def check_nothing_left(host, tap, what):
    tap.equal(units(host), [], what + ": no unit is left")
    tap.check(not is_pending(host), what + ": no mark is left")
    folder = host.root + STATE_DIR
    names = os.listdir(folder) if os.path.isdir(folder) else []
    tap.equal([name for name in names if not name.startswith("20")], [],
              what + ": only records are kept")
    left = [name for name in os.listdir(host.root + UNIT + ".d")
            if name.startswith(".")]
    tap.equal(left, [], what + ": no new content is left beside a file")


def start_fix(host, tap, *options):
    """A fix that waits for a kubelet that was started with the new files, and
    is not well before it is told so."""
    host.write(CONTROL, TOLD)
    process = host.spawn(["kubelet-remedy", "fix"] + list(options))
    started = host.wait_value("true")
    tap.check(started, "kubelet runs on the new files",
              started or host.finish(process))
    return process


def kill_fix(host, tap, *options):
    """A fix that was killed then; the name of its timer."""
    return end_by_kill(host, tap, start_fix(host, tap, *options))


def end_by_kill(host, tap, process):
    tap.equal(host.signal_program(signal.SIGKILL), 1, "the fix is killed")
    host.finish(process)
    found = timers(host)
    tap.equal(len(found), 1, "a timer is armed")
    tap.check(is_pending(host), "the mark is there")
    return found[0] if found else "none.timer"


def check_taken_back(host, tap, before):
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")
    tap.check(host.is_healthy(), "kubelet is healthy")
    tap.equal(host.value(), "false", "kubelet decides as before")
    tap.check(FALSE_FLAG in host.argv(), "it has its old arguments",
              host.argv())
    check_nothing_left(host, tap, "taken back")
    tap.contains(host.remedy("history").stdout, "rolled back", "history says so")
    log = host.sh("journalctl --sync; "
                  "journalctl --no-pager KUBELET_REMEDY_OUTCOME=rolled-back")
    tap.contains(log.stdout, "recover: rolled-back", "the journal says so")
    result, audit = host.remedy_json("audit")
    tap.status(result, 1, "audit")
    tap.check("interrupted" not in [m["code"] for m in
                                    audit.get("messages", [])],
              "audit knows of no interrupted run")


def fire(host, timer):
    """What the timer will do, now."""
    return host.run(["systemctl", "start",
                     timer.removesuffix(".timer") + ".service"])


def the_record(host):
    """The path of the last one."""
    folder = STATE_DIR + "/" + max(
        name for name in os.listdir(host.root + STATE_DIR)
        if name.startswith("20"))
    return folder + "/manifest.json"
