#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which kubelet runs, by what it said when it started.

    test-e2e-version.py PROGRAM STANDIN [TEST...]

The config file says false and a drop-in null: false until 1.31, true since.
The stand-in does not read drop-ins; what it does is no matter here. What it says
of its version is said by an ExecStartPre=, in the same invocation. Needs root;
without it the whole is skipped.
"""

import sys

from e2e_lib import KEY_FALSE, run_file
from host_lib import UNIT

FOLDER = "/etc/kubernetes/kubelet.d"
DROPIN = ("apiVersion: kubelet.config.k8s.io/v1beta1\n"
          "kind: KubeletConfiguration\nmakeIPTablesUtilChains: null\n")
TEXT = ('I1215 01:35:15.905303    8470 server.go:529] "Kubelet version" '
        'kubeletVersion="%s"')
JSON = ('{"ts":1734226515905.3,"caller":"app/server.go:484",'
        '"msg":"Kubelet version","v":0,"kubeletVersion":"%s"}')
EKS = "/etc/eks/kubelet-version.txt"
TRACE = ("strace -f -o /run/trace -e trace=open,openat kubelet-remedy %s; "
         "grep -c '\\.journal' /run/trace")


def start(host, *lines, dropin=DROPIN):
    host.node(config=KEY_FALSE, service="ExecStartPre=/bin/cat /opt/said",
              start=False)
    host.write("/opt/said", "".join(line + "\n" for line in lines))
    host.write(FOLDER + "/10.conf", dropin)
    unit = host.read(UNIT).decode()
    host.write(UNIT, unit.replace("/usr/bin/kubelet ",
                                  "/usr/bin/kubelet --config-dir=%s " % FOLDER))
    host.sh("systemctl daemon-reload; systemctl start kubelet; "
            "journalctl --sync")
    if not host.is_healthy():
        raise RuntimeError("kubelet does not come up: " + host.log())


def states(host, *words):
    views = host.remedy_json("audit", *words)[1].get("views", {})
    return [views.get(name, {}).get("state") for name in ("disk", "running")]


def test_said(host, tap):
    many = ['I1215 01:35:15.1 8470 flags.go:64] FLAG: --f%d="x"' % i
            for i in range(400)]
    for name, lines, want in (
            ("1.31", [TEXT % "v1.31.4"], "false"),
            ("1.33", [TEXT % "v1.33.2-eks-1"], "true"),
            ("behind many lines", many + [TEXT % "v1.31.4"], "false"),
            ("JSON", [JSON % "v1.31.4"], "false"),
            ("the first one", [TEXT % "v1.33.2", TEXT % "v1.31.4"], "true"),
            ("nothing", ["I1215 01:35:15.1 1 x.go:1] Hello"], "unknown")):
        start(host, *lines)
        tap.equal(states(host), [want, want], name)
    tap.equal(states(host, "--kubelet-version=1.31"), ["false", "false"],
              "the option comes first")


def test_another_invocation(host, tap):
    """What an earlier kubelet said is not what this one is."""
    start(host, TEXT % "v1.31.4")
    host.write("/opt/said", "I1215 01:35:15.1 1 x.go:1] Hello\n")
    host.sh("systemctl restart kubelet; journalctl --sync")
    tap.equal(states(host), ["unknown", "unknown"], "it said nothing")


def test_before_files(host, tap):
    start(host, TEXT % "v1.33.2")
    host.write(EKS, "Kubernetes v1.31.4-eks-1\n")
    tap.equal(states(host), ["true", "true"], "the log comes before a file")
    host.write("/opt/said", "I1215 01:35:15.1 1 x.go:1] Hello\n")
    host.sh("systemctl restart kubelet; journalctl --sync")
    tap.equal(states(host), ["false", "unknown"],
              "a file tells of the program alone")
    host.sh("rm -r /etc/eks")


def test_another_program(host, tap):
    """The unit would start another one than the one that runs."""
    start(host, TEXT % "v1.31.4")
    tap.equal(states(host), ["false", "false"], "the same one")
    host.sh("cp /usr/bin/kubelet /opt/kubelet; mv /opt/kubelet /usr/bin/kubelet")
    tap.equal(states(host), ["unknown", "false"], "it was replaced")


def test_fix(host, tap):
    start(host, TEXT % "v1.31.4")
    result = host.remedy("fix", "--restart=never")
    tap.status(result, 0, "fix")
    tap.equal(states(host), ["true", "unknown"], "the files are right")


def test_cost(host, tap):
    """The journal is opened only where the answer depends on it."""
    for name, dropin, words, want in (
            ("it depends", DROPIN, "audit", True),
            ("the option", DROPIN, "audit --kubelet-version=1.31", False),
            ("both agree", DROPIN.replace("null", "true"), "audit", False)):
        start(host, TEXT % "v1.31.4", dropin=dropin)
        opened = host.sh(TRACE % words).stdout.split()[-1]
        tap.equal(opened != "0", want, name, opened)


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
