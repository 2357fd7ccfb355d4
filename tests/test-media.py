#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix --for=MEDIUM: its text is what the medium takes, with the values in it.

    test-media.py PROGRAM NODES

Each text is read by a parser of its own form: YAML, MIME, a shell's words.
"""

import email
import email.policy
import os
import shlex
import sys

from cli_lib import NodeCopy, Run, Tap, parse

CHAINS = {"makeIPTablesUtilChains": True}
# node: options, what has to be written, whether a flag has to be, too
NODES = {
    "cis-text-config-false": (
        ["--explicit", "--control=makeIPTablesUtilChains,authorization.mode,"
         "authentication.x509.clientCAFile",
         "--set=authentication.x509.clientCAFile=/etc/kubernetes/pki/ca.crt"],
        {"authentication": {"x509": {"clientCAFile":
                                     "/etc/kubernetes/pki/ca.crt"}},
         "authorization": {"mode": "Webhook"}, **CHAINS}, False),
    "eks-al2-flag-false-extra-args": ([], CHAINS, True),
    "eks-al2023-nodeadm-dropin": ([], CHAINS, False),
    "cis-text-flag-false-file-true": ([], CHAINS, False),  # no platform
    "kubeadm-debian": (
        ["--explicit", "--control=makeIPTablesUtilChains,readOnlyPort"],
        {"readOnlyPort": 0, **CHAINS}, False),
}


def load(text):
    import yaml  # pylint: disable=import-outside-toplevel
    return yaml.safe_load(text)


def node_config(text):
    thing = load(text)
    assert (thing["apiVersion"], thing["kind"]) == (
        "node.eks.aws/v1alpha1", "NodeConfig"), thing
    kubelet = thing["spec"].pop("kubelet")
    assert thing["spec"] == {}, thing
    return kubelet.pop("config"), kubelet


def user_data(text):
    message = email.message_from_string(text, policy=email.policy.strict)
    assert message.is_multipart() and not message.defects, message.defects
    part, = message.iter_parts()
    assert part.get_content_type() == "application/node.eks.aws", part
    return node_config(part.get_payload())


def agent(text):
    """The controls are named, but for the one that bare fix is about."""
    words = shlex.split(text)
    assert words[:3] == ["kubelet-remedy", "fix", "--root=/host"], text
    return words[3:], {}


def eksctl(text):
    thing = load(text)
    group, = thing.pop("nodeGroups")
    assert not thing and group.pop("name") == "GROUP", text
    return group.pop("kubeletExtraConfig"), group


def butane(text):
    thing = load(text)
    file, = thing["storage"]["files"]
    assert (thing["variant"], thing["version"]) == ("flatcar", "1.0.0"), thing
    assert file["path"].endswith(".conf"), file
    assert file["mode"] in (0o600, 0o644), file
    config = load(file["contents"]["inline"])
    assert config.pop("apiVersion") == "kubelet.config.k8s.io/v1beta1"
    assert config.pop("kind") == "KubeletConfiguration"
    return config, {}


MEDIA = {"nodeadm": node_config, "userdata": user_data, "aks": agent,
         "eksctl": eksctl, "ignition": butane}


def check(program, node, medium, read):
    options, want, flag = NODES[os.path.basename(node)]
    run = Run([program, "fix", "-n", "-o", "json", "--for=" + medium,
               "--root=" + node] + options)
    result = parse(run.out)
    durable = result["durable"]
    if not durable or durable["written"] or not durable["place"]:
        return ["status %d, durable %r" % (run.status, durable)]
    try:
        config, more = read(durable["text"])
    except (AssertionError, ValueError, KeyError, TypeError) as error:
        return ["%s: %r in\n%s" % (type(error).__name__, error, durable["text"])]
    faults = []
    if medium == "aks":
        named = sorted(w for o in options if o.startswith("--control=")
                       for w in o.partition("=")[2].split(","))
        got = sorted(w for o in config if o.startswith("--control=")
                     for w in o.partition("=")[2].split(","))
        sets = [o for o in options if o.startswith("--set=")]
        if got != named or sets != [o for o in config
                                    if o.startswith("--set=")]:
            faults.append("%r" % (config,))
        return faults
    if config != want:
        faults.append("%r and not %r" % (config, want))
    flags = {"flags": ["--make-iptables-util-chains=true"]}
    if more not in ({}, flags) or (
            flag and medium in ("nodeadm", "userdata") and more != flags):
        faults.append("besides: %r" % (more,))
    return faults


MODES = (([], 0o600), (["--benchmark=cis-1.12"], 0o600),
         (["--benchmark=eks-1.8"], 0o644), (["--benchmark=cis-1.5"], 0o644))


def check_mode(program, node, benchmark, mode):
    """A file of the text has the mode that the edition demands of it; where
    this program is to run, it is told of modes, too, and by which edition."""
    found = {}
    with NodeCopy(node) as copy:
        os.chmod(copy.root + "/etc/kubernetes/kubelet/kubelet-config.json",
                 0o666)
        for medium in ("ignition", "aks"):
            run = Run([program, "fix", "-n", "-o", "json", "--for=" + medium,
                       "--control=makeIPTablesUtilChains,mode:config",
                       *benchmark, "--root=" + copy.root])
            found[medium] = parse(run.out)["durable"]["text"]
    file, = load(found["ignition"])["storage"]["files"]
    faults = [] if file["mode"] == mode else ["%r" % file["mode"]]
    words = shlex.split(found["aks"])[3:]
    if words != benchmark + ["--control=makeIPTablesUtilChains,mode:config"]:
        faults.append("%r" % words)
    return faults


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        import yaml  # pylint: disable=import-outside-toplevel,unused-import
    except ImportError:
        print("1..0 # SKIP python3-yaml is not installed")
        return 0
    tap = Tap()
    program, nodes = map(os.path.abspath, sys.argv[1:])
    for name in NODES:
        for medium, read in MEDIA.items():
            tap.row("%s: %s" % (name, medium),
                    check(program, os.path.join(nodes, name), medium, read))
    for benchmark, mode in MODES:
        tap.row("a mode: %s" % benchmark, check_mode(
            program, os.path.join(nodes, "cis-text-config-false"), benchmark,
            mode))
    run = Run([program, "fix", "--for=aks", "--root=/nonexistent"])
    tap.row("only with -n", [] if run.status == 2 else [run.err])
    run = Run([program, "fix", "--for=x"])
    words = run.err.replace(",", " ").split()
    tap.row("these are all", [] if run.status == 2 and
            set(MEDIA) <= set(words) else [run.err])
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
