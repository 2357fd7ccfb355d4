#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kubelet-remedy-audit.service and .timer, on a host with a systemd.

    test-audit-unit.py PROGRAM STANDIN SERVICE TIMER [TEST...]

Needs root; without it the whole is skipped.
"""

import os
import re
import sys
import time

from e2e_lib import run_file
from host_lib import Skip

SERVICE, TIMER = "kubelet-remedy-audit.service", "kubelet-remedy-audit.timer"
PROGRAM_PATH = "/usr/bin/kubelet-remedy"
UNITS = "/usr/lib/systemd/system/"
FOLDER = "/var/lib/prometheus/node-exporter"
FILE = FOLDER + "/kubelet-remedy.prom"
MANUAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data",
                      "kubelet-remedy-audit.service.8")
OPTIONS = "/etc/kubelet-remedy/options"
ONE = 'kubelet_remedy_verdict{control="makeIPTablesUtilChains",verdict="%s"} 1'
FALSE_FLAG = ('[Service]\nExecStart=\nExecStart=/usr/bin/kubelet '
              '--make-iptables-util-chains=false\n')


def install(host):
    for name, source in ((SERVICE, FILES["service"]), (TIMER, FILES["timer"])):
        with open(source, encoding="utf-8") as file:
            text = file.read()
        host.write(UNITS + name, re.sub("^(ExecStart=)\\S+",
                                        "\\1" + PROGRAM_PATH, text, flags=re.M))
    host.sh("systemctl daemon-reload")


def node(host, fails=True):
    """A kubelet that runs, and a collector's folder that is another user's."""
    host.node(FALSE_FLAG if fails else "")
    host.sh("rm -rf /etc/kubelet-remedy %s; mkdir -p %s; chown 65534:65534 %s"
            % (FOLDER, FOLDER, FOLDER))


def audit(host, tap, status):
    """It was started, and ended so: 0, or the unit failed."""
    since = time.time()
    result = host.run(["systemctl", "start", SERVICE])
    tap.equal(result.status, status, "systemctl start", result.stderr)
    return host.sh("journalctl --sync; journalctl --no-pager -o cat "
                   "-t kubelet-remedy --since=@%.6f -u %s"
                   % (since, SERVICE)).stdout.splitlines()


def files(host):
    return host.sh("ls -A %s; stat -c '%%a %%U' %s" % (FOLDER, FILE)).stdout


# --- the tests


def test_a_node_that_fails(host, tap):
    node(host)
    before = host.snapshot()
    lines = audit(host, tap, 0)
    text = host.read(FILE).decode()
    tap.contains(text, ONE % "fail", "the file has the verdict")
    tap.contains(text, "kubelet_remedy_last_audit_complete 1\n", "all of it")
    tap.matches("\n".join(lines), r"\AFAIL  .*makeIPTablesUtilChains: \S.*\Z",
                "one line in the journal")
    with open(MANUAL, encoding="utf-8") as file:
        shown = re.search("^# (journalctl .*)$", file.read(), re.M).group(1)
    tap.equal(host.sh(shown).stdout.splitlines(), lines,
              "it is what the manual's command shows")
    tap.equal(files(host), "kubelet-remedy.prom\n644 root\n",
              "nothing beside it, and all may read it")
    tap.equal(host.snapshot(), before, "kubelet's files are untouched")


def test_a_node_that_passes(host, tap):
    node(host, fails=False)
    host.write(FILE, "old\n")
    host.sh("chown 65534 %s; chmod 600 %s" % (FILE, FILE))
    lines = audit(host, tap, 0)
    tap.contains(host.read(FILE).decode(), ONE % "pass", "the verdict")
    tap.check(len(lines) == 1 and lines[0].startswith("PASS  "),
              "the journal", lines)
    tap.matches(files(host), r"\Akubelet-remedy\.prom\n600 nobody\n\Z",
                "the file's owner and mode stay")


def test_options(host, tap):
    """Of all units, and of the audit alone; another file."""
    node(host)
    host.write(OPTIONS, "KUBELET_REMEDY_OPTIONS=--benchmark=eks-1.8\n"
               "KUBELET_REMEDY_AUDIT_OPTIONS='--skip=readOnlyPort --level=1'\n"
               "KUBELET_REMEDY_TEXTFILE=%s/other.prom\n" % FOLDER)
    lines = audit(host, tap, 0)
    text = host.read(FOLDER + "/other.prom").decode()
    tap.contains(text, ONE % "fail", "the control")
    tap.contains(text, 'control="authorization.mode"', "the benchmark's others")
    tap.check("readOnlyPort" not in text and "eventRecordQPS" not in text,
              "what is skipped, and level 2", text)
    tap.matches("\n".join(lines), r"\AFAIL  \d+ of \d+ controls of CIS Amazon "
                r"EKS 1\.8 fails?\Z", "the journal")


def test_no_result(host, tap):
    """The old file stays, and the unit has failed with the reason."""
    node(host)
    host.write(FILE, "old\n")
    host.write(OPTIONS, "KUBELET_REMEDY_AUDIT_OPTIONS=--no-such-option\n")
    lines = audit(host, tap, 1)
    tap.contains("\n".join(lines), "--no-such-option", "the reason")
    tap.equal(host.read(FILE), b"old\n", "the file")
    host.write(OPTIONS, "KUBELET_REMEDY_TEXTFILE=/var/lib/nowhere/x.prom\n")
    lines = audit(host, tap, 1)
    tap.contains("\n".join(lines), "--output-file: /var/lib/nowhere/x.prom: No "
                 "such file or directory", "the reason")


def test_timer(host, tap):
    """Not enabled by being there; enabled, it is due within the hour."""
    host.sh("systemctl daemon-reload")
    tap.equal(host.run(["systemctl", "is-enabled", TIMER]).stdout,
              "disabled\n", "installed")
    tap.status(host.run(["systemctl", "enable", "--now", TIMER]), 0, "enable")
    got = host.run(["systemctl", "show", TIMER, "-p", "ActiveState", "-p",
                    "TimersCalendar"]).stdout
    tap.contains(got, "ActiveState=active", "it waits")
    tap.matches(got, r"TimersCalendar=\{ OnCalendar=\*-\*-\* \*:00:00 ; "
                r"next_elapse=\S", "for the next hour")
    host.sh("systemctl disable --now " + TIMER)


def test_security(host, tap):
    verified = host.run(["systemd-analyze", "verify", "--man=no",
                         UNITS + SERVICE, UNITS + TIMER])
    tap.equal((verified.status, verified.stderr), (0, ""),
              "systemd understands every word")
    version = int(host.run(["systemctl", "--version"]).stdout.split()[1])
    if version < 250:
        raise Skip("systemd-analyze security has no --offline before 250")
    result = host.run(["systemd-analyze", "security", "--offline=true",
                       "--no-pager", "--threshold=35", UNITS + SERVICE])
    tap.status(result, 0, "the exposure is at most 3.5")


def main():
    return run_file(__doc__, globals(), 4, prepare=install, upper=True)


if __name__ == "__main__":
    FILES = dict(zip(("service", "timer"), sys.argv[3:5]))
    sys.exit(main())
