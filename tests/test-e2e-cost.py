#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a live audit costs at most, in system calls, on a real systemd.

    test-e2e-cost.py PROGRAM STANDIN [TEST...]
"""

import sys

import cost_lib
from e2e_lib import FALSE_FLAG, KEY_TRUE, run_file

# two thirds are those of the loader, of libsystemd and its six libraries, and
# of D-Bus
CALLS_MAX = 295
LOG = "/run/strace.log"
EKS_VERSION = "/etc/eks/kubelet-version.txt"
IPTABLES = "/usr/sbin/iptables"


def calls(host, tap, *words):
    """What strace sees of an audit, and the audit's own end."""
    traced = host.run(["strace", "-f", "-o", LOG, "kubelet-remedy", "audit",
                       *words])
    seen = cost_lib.parse_calls(host.read(LOG).decode().splitlines())
    tap.check(seen.total > 100, "strace saw it", traced)
    tap.equal((seen.execs, seen.starts, seen.changes), (0, 0, []),
              "no child process, no thread, nothing changed")
    return traced.status, seen


def check(host, tap, status, what, *words):
    """The counts do not depend on how fast the answers of the bus come."""
    got, seen = calls(host, tap, *words)
    tap.equal(got, status, what + ": status")
    tap.check(seen.total <= CALLS_MAX, "%s: %d of at most %d system calls"
              % (what, seen.total, CALLS_MAX))
    again = {calls(host, tap, *words)[1].total for _ in range(3)}
    tap.check(max(again) - min(again | {seen.total}) <= 6,
              what + ": so many each time", again)


def test_right(host, tap):
    host.node(config=KEY_TRUE)
    check(host, tap, 0, "a node that passes")


def test_wrong(host, tap):
    """next: names a fix, whose files are looked at."""
    host.node(FALSE_FLAG, config=KEY_TRUE)
    check(host, tap, 1, "a node that fails")


def test_meanwhile(host, tap):
    """The unit's files are read while systemd makes its answer."""
    host.node(FALSE_FLAG, config=KEY_TRUE)
    calls(host, tap)
    lines = host.read(LOG).decode().splitlines()
    read = [i for i, line in enumerate(lines) if "10-kubelet-args.conf" in line]
    answered = [i for i, line in enumerate(lines) if "a{sv}" in line]
    tap.check(read and answered and read[0] < answered[0],
              "read, and then answered", read, answered)
    folders = [line for line in lines if '"/usr/lib/systemd/system"' in line]
    tap.equal(len(folders), 1, "each folder is listed once", *folders)


def test_links(host, tap):
    """Whatever links lie in the folders of units: one is read only where it
    may be a name of kubelet's unit."""
    host.node(FALSE_FLAG, config=KEY_TRUE)
    host.sh("cd /etc/systemd/system; for i in {1..300}; do"
            " ln -s kubelet.service links-a$i.service;"
            " ln -s /usr/lib/systemd/system/other.service links-b$i.service;"
            " ln -s /dev/null links-c$i.service; done")
    check(host, tap, 1, "300 names of kubelet's unit, and 600 other links")
    host.sh("rm /etc/systemd/system/links-*.service")


def test_eks(host, tap):
    """A node of EKS that says its version: an environment file, a kubeconfig,
    an authority and a file of the version are read, too."""
    host.node(FALSE_FLAG, config=KEY_TRUE + ''',
  "authentication": {"x509": {"clientCAFile": "/etc/kubernetes/ca.crt"}}''',
              service="EnvironmentFile=/etc/eks/kubelet/environment",
              start=False)
    host.write("/etc/eks/kubelet/environment", "OTHER=1\n")
    host.write("/etc/kubernetes/ca.crt", "-----BEGIN CERTIFICATE-----\nMAA=\n"
               "-----END CERTIFICATE-----\n")
    host.write(EKS_VERSION, "Kubernetes v1.31.2\n")
    host.write(IPTABLES, "#!/bin/sh\n", mode=0o755)
    host.sh("systemctl start kubelet")
    check(host, tap, 1, "a node of EKS")
    host.remove(IPTABLES)


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
