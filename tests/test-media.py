#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix --for=MEDIUM: its text is what the medium takes, with the values in it.

    test-media.py PROGRAM NODES

Each text is read by a parser of its own form: YAML, MIME, a shell's words, a unit.
Every example node is asked of every medium: the key, and the flag where a flag says
something there, is in all of them.
"""

import email
import email.policy
import os
import re
import shlex
import sys

from cli_lib import NodeCopy, Run, Tap, parse

CHAINS = {"makeIPTablesUtilChains": True}
# node: options, what has to be written
NODES = {
    "cis-text-config-false": (
        ["--explicit", "--control=makeIPTablesUtilChains,authorization.mode,"
         "authentication.x509.clientCAFile",
         "--set=authentication.x509.clientCAFile=/etc/kubernetes/pki/ca.crt"],
        {"authentication": {"x509": {"clientCAFile":
                                     "/etc/kubernetes/pki/ca.crt"}},
         "authorization": {"mode": "Webhook"}, **CHAINS}),
    "kubeadm-debian": (
        ["--explicit", "--control=makeIPTablesUtilChains,readOnlyPort"],
        {"readOnlyPort": 0, **CHAINS}),
    "cis-text-flag-false-file-true": (
        ["--explicit", "--control=makeIPTablesUtilChains,readOnlyPort",
         "--method=flag"], {"readOnlyPort": 0, **CHAINS}),
    # another program starts kubelet: what would kill it is not said either
    "made-wrapper-script": (
        ["--explicit", "--control=makeIPTablesUtilChains,protectKernelDefaults,"
         "readOnlyPort"], {"readOnlyPort": 0, **CHAINS}),
    "rke2-agent": (
        ["--explicit", "--control=makeIPTablesUtilChains,readOnlyPort"],
        {"readOnlyPort": 0, **CHAINS}),
    "made-kubelet-is-a-script": (
        ["--explicit", "--control=makeIPTablesUtilChains,readOnlyPort"],
        {"readOnlyPort": 0, **CHAINS}),
}
FLAGS = {"makeIPTablesUtilChains": "--make-iptables-util-chains=true",
         "readOnlyPort": "--read-only-port=0"}
# whose own words stand in a refusal, whatever medium is named
REFUSE = ("bottlerocket", "eks-auto", "gke-autopilot", "openshift", "rke1",
          "talos")
# where another program starts kubelet, the media whose words reach it; none of
# a program that has its own place for them
OWNERS = {"nodeadm": "nodeadm", "userdata": "nodeadm", "aks": "AKS",
          "eksctl": "eksctl", "ignition": "Ignition"}
READ = {"k3s": (), "rke2-agent": (), "microk8s": (),
        "eks-ubuntu-snap": ("eksctl",),
        "flatcar-typhoon-docker": ("ignition",),
        "made-wrapper-script": ("nodeadm", "userdata", "eksctl", "ignition"),
        "made-kubelet-is-a-script": ()}


def load(text):
    import yaml  # pylint: disable=import-outside-toplevel
    return yaml.safe_load(text)


def node_config(text):
    thing = load(text)
    assert (thing["apiVersion"], thing["kind"]) == (
        "node.eks.aws/v1alpha1", "NodeConfig"), thing
    kubelet = thing["spec"].pop("kubelet")
    assert thing["spec"] == {}, thing
    return kubelet.pop("config", None), kubelet


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
    config, more = group.pop("kubeletExtraConfig"), {}
    if group:
        none, more = node_config(group.pop("overrideBootstrapCommand"))
        assert not none and not group, text
    return config, more


def butane(text):
    thing = load(text)
    file, = thing["storage"]["files"]
    assert thing["variant"] in ("flatcar", "fcos"), thing
    assert thing["version"] == "1.0.0", thing
    unit, = thing["systemd"]["units"]
    dropin, = unit["dropins"]
    assert unit["name"].endswith(".service"), unit
    assert dropin["name"].endswith(".conf"), dropin
    words = re.search(r'^\[Service\]\nEnvironment="KUBELET_EXTRA_ARGS=([^"]*)"$',
                      dropin["contents"].replace("\\\n", " "), re.M)
    folder, *flags = words.group(1).split()
    assert folder == "--config-dir=" + os.path.dirname(file["path"]), text
    assert file["path"].endswith(".conf"), file
    assert file["mode"] in (0o600, 0o644), file
    config = load(file["contents"]["inline"])
    assert config.pop("apiVersion") == "kubelet.config.k8s.io/v1beta1"
    assert config.pop("kind") == "KubeletConfiguration"
    return config, {"flags": flags} if flags else {}


MEDIA = {"nodeadm": node_config, "userdata": user_data, "aks": agent,
         "eksctl": eksctl, "ignition": butane}


def fix(program, root, medium, *options):
    run = Run([program, "fix", "-n", "-o", "json", "--for=" + medium,
               "--root=" + root, *options])
    return parse(run.out)


def named_flags(result, want, options):
    """What the flags have to be where one is given, or is to be set."""
    return sorted(
        FLAGS[c["name"]] for c in result["before"]["controls"]
        if c["name"] in want and c["name"] in FLAGS and (
            "--method=flag" in options or
            any(s["kind"] == "flag" for s in c["sources"])))


def check_agent(words, options):
    named = sorted(w for o in options if o.startswith("--control=")
                   for w in o.partition("=")[2].split(",")
                   if w != "protectKernelDefaults")
    got = sorted(w for o in words if o.startswith("--control=")
                 for w in o.partition("=")[2].split(","))
    # all else that was asked for here is asked for there
    rest = [[o for o in given if not o.startswith("--control=")]
            for given in (options, words)]
    return [] if got == named and sorted(rest[0]) == sorted(rest[1]) \
        else ["%r" % (words,)]


def warnings(result):
    return [m["text"] for m in result["messages"]
            if m["code"] == "medium-unread"]


def check_unread(result, medium):
    """What the medium writes is not read here: that is said, and the place
    that is, and no word of the medium's."""
    own = result["node"]["platform"] in REFUSE
    faults = [] if result["outcome"] == "refused" else [result["outcome"]]
    said = warnings(result)
    if len(said) != 1 or not said[0].startswith(
            "nothing is printed for --for=%s: " % medium):
        faults.append("the warning: %r" % said)
    if own and not result["durable"]:
        faults.append("no text of its own")
    if result["durable"] and result["durable"]["owner"] == OWNERS[medium]:
        faults.append("the medium's text")
    ways = [result["reason"]] if len(result["before"]["controls"]) == 1 else [
        l["text"] for l in result["left"] if "do not set it" not in l["text"]]
    if not ways or not all(re.search(
            "by hand|yourself|kubelet must be started with| instead|replace this "
            "node|report one", way) for way in ways):
        faults.append("no way out: %r" % ways)
    return faults


def check(program, node, medium, options, want):
    result = fix(program, node, medium, *options)
    durable, name = result["durable"], os.path.basename(node)
    if medium not in READ.get(name, MEDIA) or \
            result["outcome"] == "refused" and \
            result["node"]["platform"] in REFUSE:
        return check_unread(result, medium)
    if name not in READ and \
            result["outcome"] not in ("would-fix", "partly-fixed"):
        return ["%r" % durable] if durable else []
    if warnings(result):
        return warnings(result)
    if not durable or durable["written"] or not durable["place"]:
        return ["%s, durable %r" % (result["outcome"], durable)]
    try:
        config, more = MEDIA[medium](durable["text"])
    except (AssertionError, ValueError, KeyError, TypeError,
            AttributeError) as error:
        return ["%s: %r in\n%s" % (type(error).__name__, error, durable["text"])]
    if medium == "aks":
        return check_agent(config, options)
    faults = [] if config == want else ["%r and not %r" % (config, want)]
    flags = named_flags(result, want, options)
    if sorted(more.pop("flags", [])) != flags or more:
        faults.append("not %r in\n%s" % (flags, durable["text"]))
    return faults


def said(program, node, medium, member):
    return (fix(program, node, medium)["durable"] or {}).get(member) or ""


def check_place(program, node, medium, word):
    place = said(program, node, medium, "place")
    return [] if word in place else [place]


def check_system(program, node, release, variant):
    """Butane's word for the system, and the folder that kubelet has."""
    with NodeCopy(node) as copy:
        os.makedirs(copy.root + "/etc", exist_ok=True)
        with open(copy.root + "/etc/os-release", "w", encoding="utf-8") as file:
            file.write(release)
        text = said(program, copy.root, "ignition", "text")
    first = text.partition("\n")[0]
    return [] if first == "variant: " + variant else [first]


SYSTEMS = (("ID=flatcar\n", "flatcar"),
           ("ID=fedora\nVARIANT_ID=coreos\n", "fcos"),
           ('ID="fedora"\nVARIANT_ID="coreos"\n', "fcos"),
           ("ID=fedora\nVARIANT_ID=server\n", "flatcar  # or fcos"),
           ("VARIANT_ID=coreos\n", "flatcar  # or fcos"),
           ("ID=debian\n", "flatcar  # or fcos"),
           ("", "flatcar  # or fcos"))
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


# modes alone: the node, the medium; whether its words can have them
ALONE = (("aks-ubuntu2204-flags", []),
         ("cis-text-config-false", ["--for=aks"]))
NOT_ALONE = (("cis-text-config-false", ["--for=nodeadm"]),
             ("cis-text-config-false", ["--for=ignition"]),
             ("gke-cos", []), ("kubeadm-debian", []))


def check_alone(program, node, options, wanted):
    """Of modes alone there is this program's own command, or nothing at all."""
    run = Run([program, "fix", "-n", "-o", "json", "--control=mode:unit",
               "--kubelet-version=1.29", "--root=" + node, *options])
    durable = parse(run.out)["durable"]
    if not wanted:
        return ["%r" % durable] if durable else []
    return [] if durable and durable["place"] and \
        "--control=mode:unit" in durable["text"] else ["%r" % durable]


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
    rows = [(name, [], CHAINS) for name in sorted(os.listdir(nodes))
            if os.path.isdir(os.path.join(nodes, name))]
    rows += [(name, *row) for name, row in NODES.items()]
    for name, options, want in rows:
        for medium in MEDIA:
            tap.row(" ".join((name, *options)) + ": " + medium, check(
                program, os.path.join(nodes, name), medium, options, want))
    typhoon = os.path.join(nodes, "flatcar-typhoon-docker")
    for release, variant in SYSTEMS:
        tap.row("on %r" % release, check_system(program, typhoon, release,
                                               variant))
    for medium, word in (("userdata", "AL2023"), ("ignition", "1.30"),
                         ("eksctl", "ClusterConfig"), ("nodeadm", "NodeConfig"),
                         ("aks", "DaemonSet")):
        tap.row("%s names %s" % (medium, word), check_place(
            program, os.path.join(nodes, "eks-al2-config-false"), medium, word))
    text = said(program, os.path.join(nodes, "eks-al2023-nodeadm-dropin"),
                "ignition", "text")
    tap.row("the folder that kubelet has", [] if
            "=--config-dir=/etc/kubernetes/kubelet/config.json.d " in text
            else [text])
    for name, want in (
            ("flatcar-typhoon-docker",
             "\n# instead, in the Butane configuration, for a kubelet of 1.30 or "
             "later:\n#     variant: flatcar\n"),
            ("talos", "\n# instead, in the machine configuration, "),
            ("cis-text-config-false", "\n# to keep it, in the Butane configuration,")):
        run = Run([program, "fix", "-n", "--for=ignition", "--width=200",
                   "--root=" + os.path.join(nodes, name)])
        tap.row("as text: " + name, [] if want in run.out else [run.out])
    for benchmark, mode in MODES:
        tap.row("a mode: %s" % benchmark, check_mode(
            program, os.path.join(nodes, "cis-text-config-false"), benchmark,
            mode))
    for rows, wanted in ((ALONE, True), (NOT_ALONE, False)):
        for name, options in rows:
            tap.row("modes alone: %s %s" % (name, options), check_alone(
                program, os.path.join(nodes, name), options, wanted))
    run = Run([program, "fix", "--for=aks", "--root=/nonexistent"])
    tap.row("only with -n", [] if run.status == 2 else [run.err])
    run = Run([program, "fix", "--for=x"])
    words = run.err.replace(",", " ").split()
    tap.row("these are all", [] if run.status == 2 and
            set(MEDIA) <= set(words) else [run.err])
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
