#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of versions counts what is in the tree.

    test-manual-versions.py SOURCE_ROOT PROGRAM

Each number of data/kubelet-remedy-versions.7 that the tree knows is compared
with it: the first and last minor of kubelet, the cases and the kubelet that
answered them, the real kubelet, the example nodes, the editions, libsystemd.
Each flag and setting of which the page says that it is not modelled is given
what kubelet refuses: the program passes it.
"""

import glob
import json
import os
import re
import sys

from cli_lib import NodeCopy, Run, Tap

NODE = "cis-text-flag-false-file-true"
CONFIG = "etc/kubernetes/kubelet/kubelet-config.json"
ARGUMENTS = "etc/systemd/system/kubelet.service.d/10-kubelet-args.conf"
NOT_MODELLED = [
    # what the page names, the minor of kubelet (None: not known), the value of
    # the flag (None: not given) or of the member
    ("--register-with-taints", 34, "x:y:z"),
    ("--reserved-memory", 34, "x"),
    ("--cpu-manager-policy-options", 34, "x"),
    ("--topology-manager-policy-options", 34, "x"),
    ("--node-ip", 34, "x"),
    ("--hostname-override", 34, "a_b"),
    ("--node-labels", 34, "a=b%c"),
    ("--cloud-provider", 28, "x"),
    ("--cloud-config", 28, "/x --cloud-provider=aws"),
    ("--network-plugin", 20, "x"),
    ("--container-runtime-endpoint", None, None),
    ("singleProcessOOMKill", 34, "true"),
    ("LimitedSwap", 34, None),
    ("tracing", 26, "{}"),
    ("reservedMemory", 34, "[{numaNode: 0, limits: {memory: 1Gi, "
     "hugepages-2Mi: 2Mi}}]\nmemoryManagerPolicy: Static"),
]
MEMBERS = {"LimitedSwap": "memorySwap: {swapBehavior: LimitedSwap}"}
# named on the way
OTHERS = {"--kubeconfig", "--cert-dir"}


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def cases(root, name, **members):
    """How many lines of that file have these members."""
    rows = [json.loads(line)
            for line in read(root, "tests/cases/" + name).splitlines()]
    return sum(all(row.get(key) == value for key, value in members.items())
               for row in rows)


def lines(root, path):
    return sum(1 for line in read(root, path).splitlines()
               if line and not line.startswith("#"))


def find(root, path, pattern):
    return re.search(pattern, read(root, path), re.M).group(1)


def facts(root):
    """(what the page says, with groups; what the groups must be)"""
    minors = [find(root, "src/kubelet/minors.h",
                   r"^#define KR_%s_MINOR +(\d+)U" % which)
              for which in ("FIRST", "LAST")]
    real = find(root, "tests/real-node/build", r"^KUBERNETES=([0-9.]+)")
    dropins = "kubelet-dropins-versions.jsonl"
    return [
        (r"rules are known for kubelet 1\.(\d+) to 1\.(\d+)\.", minors),
        (r"older kubelet is judged as 1\.(\d+) and a newer one as 1\.(\d+)\.",
         minors),
        (r"config files: (\d+) cases, each with the answer of kubelet (\S+)\.",
         [cases(root, "kubelet-oracle.jsonl"), real]),
        (r"Of these, (\d+) need",
         [cases(root, "kubelet-oracle.jsonl", tier="stretch")]),
        (r"What (\S+) refuses, and the nearest that it accepts: (\d+) pairs",
         [real, lines(root, "tests/real-node/refusals.tsv")]),
        (r"benchmarks: (\d+) cases, by its code",
         [cases(root, "section.jsonl", kubelet="1.20")]),
        (r"(\d+) cases, and (\d+) more for each of 1\.31 and 1\.34",
         [cases(root, "kubelet-dropins.jsonl"),
          cases(root, dropins, kubelet="1.31")]),
        (r"and (\d+) more for each", [cases(root, dropins, kubelet="1.34")]),
        (r"benchmarks with 1\.34: (\d+) cases",
         [cases(root, "section.jsonl", kubelet="1.34")]),
        (r"pflag 1\.0\.6: (\d+) cases", [cases(root, "pflag.jsonl")]),
        (r"validation to refuse: (\d+) cases",
         [cases(root, "validation.jsonl")]),
        (r"libsystemd (\d+) is required",
         [find(root, "meson.build", r"'libsystemd', version : '>= (\d+)'")]),
        (r"kubectl 1\.21 and an API server of 1\.(\d+) at least",
         [find(root, "tests/test-manifests.py", r"^FIRST_MINOR = (\d+)")]),
        (r"(\d+) example nodes are trees",
         [len(glob.glob(root + "/tests/nodes/*/EXPECTED.json"))]),
        (r"(\d+) editions, by way of", [len(re.findall(
            r"^\t\[KR_\w+\] = ", read(root, "src/policy/editions.c"), re.M))]),
        (r"control by control: (\d+) rows",
         [lines(root, "tests/cases/section-editions.tsv") - 1]),
    ]


def named(root):
    """The flags and settings of the list of what is not modelled."""
    section = read(root, "data/kubelet-remedy-versions.7").split(
        ".Sh WHAT IS NOT MODELLED\n")[1].split("\n.El\n")[0]
    return {{"Fl Fl": "--", "Ql": ""}[macro] + name for macro, name in
            re.findall(r"^\.(Fl Fl|Ql) (\S+)", section, re.M)} - OTHERS


def check_row(root, program, name, minor, value):
    """Faults of a row of NOT_MODELLED."""
    with NodeCopy(os.path.join(root, "tests/nodes", NODE)) as node:
        flag = member = ""
        if name in MEMBERS:
            member = MEMBERS[name]
        elif not name.startswith("--"):
            member = "%s: %s" % (name, value)
        elif value is not None:
            flag = "%s=%s" % (name, value)
        with open(os.path.join(node.root, ARGUMENTS), "w",
                  encoding="ascii") as file:
            file.write("[Service]\nEnvironment='KUBELET_ARGS=%s'\n" % flag)
        with open(os.path.join(node.root, CONFIG), "w",
                  encoding="ascii") as file:
            file.write("kind: KubeletConfiguration\napiVersion: "
                       "kubelet.config.k8s.io/v1beta1\n%s\n" % member)
        version = ["--kubelet-version=1.%d" % minor] if minor else []
        run = Run([program, "audit", "--control=readOnlyPort",
                   "--root=" + node.root, *version])
    return [] if run.status == 0 else [run.out + run.err]


def check_not_modelled(root, program):
    """Rows: a name, and its faults."""
    want = {row[0] for row in NOT_MODELLED}
    yield ("what is not modelled", ["%s: on the page, or tried, alone" % name
                                    for name in named(root) ^ want])
    for row in NOT_MODELLED:
        yield "not modelled: " + row[0], check_row(root, program, *row)


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    root, program = sys.argv[1:]
    page = " ".join(re.sub(r"^\.(?:\w+ )?", "", read(
        root, "data/kubelet-remedy-versions.7"), flags=re.M).split())
    tap = Tap()
    for pattern, want in facts(root):
        found = re.findall(pattern, page)
        good = len(found) == 1 and list(
            found[0] if isinstance(found[0], tuple) else found) \
            == [str(value) for value in want]
        tap.row(pattern, [] if good else ["the page has %r, the tree %r"
                                          % (found, want)])
    for name, faults in check_not_modelled(root, program):
        tap.row(name, faults)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
