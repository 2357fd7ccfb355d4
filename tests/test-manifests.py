#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""contrib/kubernetes: what kustomize makes of it, field by field.

    test-manifests.py KUBERNETES_FOLDER
    test-manifests.py --self-test       manifests that break a rule are caught

Each overlay is built by `kubectl kustomize`. What has pods goes through kubectl's
own types (`kubectl set image --local`, no server): a field that Kubernetes does
not know, or one of another type, does not come back. The few fields of the other
kinds are listed here. Then the rules of the design: they must hold of what is
built, whatever the files look like. Skipped without kubectl 1.21 or newer (a
component is not known to older ones) or PyYAML.
"""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.abspath(__file__))
NAME = "kubelet-remedy"
AUDIT, FIX = ("eks", "aks"), ("eks-fix", "aks-fix")

# systemd's defaults for kubelet to stop and to start, and what else takes time
STOP, START, SLACK = 90, 90, 30

# The fields of the kinds without pods: a table is a map, a list is of its first.
TEXT = ""
META = {"name": TEXT, "namespace": TEXT, "labels": {"*": TEXT}}
KINDS = {
    ("v1", "Namespace"): {"metadata": META},
    ("v1", "ServiceAccount"): {"metadata": META,
                               "automountServiceAccountToken": False},
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): {
        "metadata": META,
        "rules": [{"apiGroups": [TEXT], "resources": [TEXT],
                   "verbs": [TEXT], "resourceNames": [TEXT]}]},
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): {
        "metadata": META,
        "roleRef": {"apiGroup": TEXT, "kind": TEXT, "name": TEXT},
        "subjects": [{"kind": TEXT, "name": TEXT, "namespace": TEXT}]},
}
WITH_PODS = {("apps/v1", "DaemonSet"), ("batch/v1", "Job")}


class Skip(Exception):
    """This cannot be tried here, and why."""


def kubectl(*args, given=None):
    """Its output; a RuntimeError with its words. It finds no configuration and
    no server."""
    with tempfile.TemporaryDirectory() as home:
        result = subprocess.run(
            ["kubectl", *args], input=given, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": home})
    if result.returncode:
        raise RuntimeError("kubectl %s: %s" % (" ".join(args), result.stderr))
    return result.stdout


def need_kubectl():
    if not shutil.which("kubectl"):
        raise Skip("kubectl is not installed")
    found = json.loads(kubectl("version", "--client", "-o", "json"))
    version = found["clientVersion"]
    numbers = tuple(int(re.match("[0-9]*", version[key]).group() or 0)
                    for key in ("major", "minor"))
    if numbers < (1, 21):
        raise Skip("kubectl %d.%d is older than 1.21" % numbers)


# --- fields

def lost(ours, back, path=""):
    """What did not come back as it was; a false, 0 or empty one may go."""
    if isinstance(ours, dict) and isinstance(back, dict):
        return [fault for key, value in ours.items()
                for fault in lost(value, back.get(key), path + "." + key)]
    if isinstance(ours, list) and isinstance(back, list) and \
            len(ours) == len(back):
        return [fault for i, (one, other) in enumerate(zip(ours, back))
                for fault in lost(one, other, "%s[%d]" % (path, i))]
    if ours == back and isinstance(ours, type(back)):
        return []
    if back is None and ours in (False, 0, "", [], {}):
        return []
    return ["%s: %r became %r" % (path, ours, back)]


def unknown_fields(thing):
    containers = thing["spec"]["template"]["spec"]["containers"]
    try:
        back = kubectl("set", "image", "--local", "-f", "-", "-o", "json",
                       containers[0]["name"] + "=another",
                       given=json.dumps(thing))
    except RuntimeError as error:
        return [str(error)]
    back = json.loads(back)
    back["spec"]["template"]["spec"]["containers"][0]["image"] = \
        containers[0]["image"]
    return lost(thing, back)


def against(thing, shape, path=""):
    if isinstance(shape, dict) and isinstance(thing, dict):
        return [fault for key, value in thing.items()
                for fault in (against(value, shape.get(key, shape.get("*")),
                                      path + "." + key)
                              if key in shape or "*" in shape
                              else ["%s.%s is no field" % (path, key)])]
    if isinstance(shape, list) and isinstance(thing, list):
        return [fault for one in thing
                for fault in against(one, shape[0], path + "[]")]
    if type(thing) is type(shape):
        return []
    return ["%s: %r is of another type" % (path, thing)]


def faults_of_fields(thing):
    kind = (thing.get("apiVersion"), thing.get("kind"))
    if kind in WITH_PODS:
        return unknown_fields(thing)
    if kind not in KINDS:
        return ["%s %s is not expected here" % kind]
    return against({key: value for key, value in thing.items()
                    if key not in ("apiVersion", "kind")}, KINDS[kind])


# --- the design

def container(thing):
    return thing["spec"]["template"]["spec"]["containers"][0]


def mode(daemonset):
    return {e["name"]: e.get("value") for e in container(daemonset)["env"]}.get(
        "MODE")


def wait_seconds(daemonset):
    """The --wait of its options, which is 60 where it is not said."""
    words = [re.fullmatch("--wait=([0-9]+)", arg)
             for arg in container(daemonset)["args"]]
    return ([int(w.group(1)) for w in words if w] or [60])[-1]


def capabilities(daemonset):
    return container(daemonset)["securityContext"]["capabilities"]


def mounts(thing):
    volumes = {v["name"]: v for v in thing["spec"]["template"]["spec"]["volumes"]}
    return {m["mountPath"]: (m, volumes[m["name"]])
            for m in container(thing)["volumeMounts"]}


def daemonset_rules(d, fixes):
    """(what must hold, whether it does) of a DaemonSet."""
    spec, pod = d["spec"], d["spec"]["template"]["spec"]
    security, box = container(d)["securityContext"], container(d)
    update = spec["updateStrategy"]
    host = mounts(d).get("/host", ({}, {}))
    state = mounts(d).get("/run/node-pod", ({}, {}))
    given = set(capabilities(d)["add"])
    return [
        ("one node after the other", update.get("type") == "RollingUpdate" and
         update["rollingUpdate"].get("maxUnavailable") == 1 and
         update["rollingUpdate"].get("maxSurge", 0) == 0),
        ("the next node comes after --wait",
         spec.get("minReadySeconds", 0) >= wait_seconds(d) > 0),
        ("putting back has its time", pod.get("terminationGracePeriodSeconds", 30)
         >= STOP + START + wait_seconds(d) + SLACK),
        ("ready is what node-pod says", box["readinessProbe"].get("exec") ==
         {"command": ["/usr/bin/node-pod", "ready"]}),
        ("nothing ends the container by a probe", "livenessProbe" not in box and
         "startupProbe" not in box),
        ("the image's entry point runs", "command" not in box),
        ("one container, no other that runs first",
         len(pod["containers"]) == 1 and "initContainers" not in pod),
        ("MODE", mode(d) == ("fix" if fixes else "audit")),
        ("the selector finds its pods", spec["selector"]["matchLabels"].items()
         <= spec["template"]["metadata"]["labels"].items()),
        ("GENERATION is the template's",
         {"fieldRef": {"fieldPath":
                       "metadata.labels['pod-template-generation']"}}
         in [e.get("valueFrom") for e in box["env"]
             if e["name"] == "GENERATION"]),
        ("NODE_NAME is the node's", {"fieldRef": {"fieldPath": "spec.nodeName"}}
         in [e.get("valueFrom") for e in box["env"] if e["name"] == "NODE_NAME"]),
        ("kubelet's network", pod.get("hostNetwork") is True),
        ("no other namespace of the host",
         not pod.get("hostPID") and not pod.get("hostIPC")),
        ("no token of the API server",
         pod.get("automountServiceAccountToken") is False),
        ("tainted nodes, too", pod.get("tolerations") == [{"operator": "Exists"}]),
        ("Linux only", pod["nodeSelector"] == {"kubernetes.io/os": "linux"}),
        ("it is not evicted", pod.get("priorityClassName") ==
         "system-node-critical"),
        ("its memory has a limit, its time has none",
         set(box["resources"].get("limits", {})) == {"memory"}),
        ("not privileged", security.get("privileged") is False and
         security.get("allowPrivilegeEscalation") is False and
         security.get("readOnlyRootFilesystem") is True),
        ("the runtime's system calls",
         security.get("seccompProfile") == {"type": "RuntimeDefault"}),
        ("AppArmor lets it see kubelet",
         security.get("appArmorProfile") == {"type": "Unconfined"}),
        ("capabilities: all others are dropped",
         capabilities(d)["drop"] == ["ALL"]),
        ("capabilities", given == ({"SYS_PTRACE", "CHOWN", "FOWNER",
                                    "DAC_OVERRIDE"} if fixes
                                   else {"SYS_PTRACE"})),
        ("the host is at /host", host[1].get("hostPath") ==
         {"path": "/", "type": "Directory"}),
        ("only a fix may write there", bool(host[0].get("readOnly")) != fixes),
        ("what the host unmounts goes",
         host[0].get("mountPropagation") == "HostToContainer"),
        ("the state outlives containers, not the pod",
         "emptyDir" in state[1] and not state[0].get("readOnly")),
        ("nothing else is mounted",
         set(mounts(d)) == {"/host", "/run/node-pod"}),
        ("an image with a tag", re.search(r":[0-9][^/]*$", box["image"])),
    ]


def platform_rules(d, overlay):
    terms = d["spec"]["template"]["spec"]["affinity"]["nodeAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    found = [(e["key"], e["operator"], e.get("values"))
             for term in terms for e in term["matchExpressions"]]
    want = {"eks": ("eks.amazonaws.com/compute-type", "NotIn",
                    ["fargate", "auto"]),
            "aks": ("type", "NotIn", ["virtual-kubelet"])}[overlay[:3]]
    selinux = container(d)["securityContext"].get("seLinuxOptions")
    return [
        ("no nodes without a kubelet of theirs", len(terms) == 1 and
         want in found),
        ("nodes can be left out",
         ("kubelet-remedy/skip", "DoesNotExist", None) in found),
        ("SELinux", selinux == ({"type": "spc_t"} if overlay[:3] == "eks"
                                else None)),
    ]


def fleet_rules(things):
    by_kind = {thing["kind"]: thing for thing in things}
    job, role = by_kind["Job"], by_kind["ClusterRole"]
    pod, box = job["spec"]["template"]["spec"], container(job)
    account = by_kind["ServiceAccount"]["metadata"]
    rules = {(g, r, v) for rule in role["rules"] for g in rule["apiGroups"]
             for r in rule["resources"] for v in rule["verbs"]}
    binding = by_kind["ClusterRoleBinding"]
    return [
        ("it may list nodes and get their configz, and no more",
         rules == {("", "nodes", "list"), ("", "nodes/proxy", "get")}),
        ("the role is the account's", binding["roleRef"]["name"] ==
         role["metadata"]["name"] and binding["subjects"] ==
         [{"kind": "ServiceAccount", "name": account["name"],
           "namespace": account["namespace"]}]),
        ("the pod is the account's",
         pod["serviceAccountName"] == account["name"] and
         job["metadata"]["namespace"] == account["namespace"] and
         pod["automountServiceAccountToken"] is True),
        ("the command", box["command"] + box["args"] ==
         ["/usr/sbin/kubelet-remedy", "fleet", "--all-nodes", "--output=json"]),
        ("a node that fails is no failure of the job",
         job["spec"]["backoffLimit"] == 0 and pod["restartPolicy"] == "Never"),
        ("nothing of the host", not pod.get("hostNetwork") and
         not pod.get("hostPID") and "volumes" not in pod),
        ("no privilege", box["securityContext"]["runAsNonRoot"] is True and
         box["securityContext"]["capabilities"] == {"drop": ["ALL"]} and
         box["securityContext"]["allowPrivilegeEscalation"] is False),
    ]


def namespace_rules(things):
    name = {t["metadata"]["name"] for t in things if t["kind"] == "Namespace"}
    others = {t["metadata"].get("namespace") for t in things
              if t["kind"] not in ("Namespace", "ClusterRole",
                                   "ClusterRoleBinding")}
    labels = [t["metadata"]["labels"] for t in things
              if t["kind"] == "Namespace"]
    return [("one namespace for all", name == others == {NAME}),
            ("it lets such pods in", labels and labels[0].get(
                "pod-security.kubernetes.io/enforce") == "privileged")]


def update_faults(audit, fix):
    """An audit's DaemonSet becomes a fix's by an update, not by another."""
    for path in (("metadata",), ("spec", "selector"),
                 ("spec", "minReadySeconds"), ("spec", "updateStrategy")):
        one, other = audit, fix
        for key in path:
            one, other = one[key], other[key]
        if one != other:
            return [".".join(path)]
    return []


# --- the tests

def find(things, kind):
    return [thing for thing in things if thing["kind"] == kind]


def build(folder, name):
    import yaml  # pylint: disable=import-outside-toplevel
    path = os.path.join(folder, name if name == "fleet" else "overlays/" + name)
    return list(yaml.safe_load_all(kubectl("kustomize", path)))


def rules_of(name, things):
    if name == "fleet":
        return fleet_rules(things) + namespace_rules(things)
    sets = find(things, "DaemonSet")
    return (daemonset_rules(sets[0], name in FIX)
            + platform_rules(sets[0], name) + namespace_rules(things)
            + [("one DaemonSet, and its namespace", len(things) == 2)])


def checks(folder):
    """(good, name, details)"""
    built = {name: build(folder, name) for name in AUDIT + FIX + ("fleet",)}
    for name, things in built.items():
        for thing in things:
            faults = faults_of_fields(thing)
            yield (not faults, "%s: the fields of %s %s" % (
                name, thing["kind"], thing["metadata"]["name"]), faults)
        for rule, good in rules_of(name, things):
            yield bool(good), "%s: %s" % (name, rule), []
    for audit, fix in zip(AUDIT, FIX):
        faults = update_faults(find(built[audit], "DaemonSet")[0],
                               find(built[fix], "DaemonSet")[0])
        yield not faults, fix + ": is an update of " + audit, faults


def put(thing, path, value):
    *way, last = [int(key) if key.isdigit() else key
                  for key in path.split(".")]
    for key in way:
        thing = thing[key]
    thing[last] = value


POD = "spec.template.spec."
BOX = POD + "containers.0."
# (what must be caught, in the DaemonSet of eks-fix, path, value)
BROKEN = [
    ("fields", "spec.minReadySecond", 60),
    ("fields", BOX + "securityContext.capabilitie", {"drop": ["ALL"]}),
    ("fields", BOX + "securityContext.runAsUser", "root"),
    ("fields", POD + "hostNetworks", True),
    ("fields", BOX + "readinessProbe.exec.commands", ["x"]),
    ("one node after the other", "spec.updateStrategy.rollingUpdate."
     "maxUnavailable", 2),
    ("one node after the other", "spec.updateStrategy.type", "OnDelete"),
    ("the next node comes after --wait", "spec.minReadySeconds", 59),
    ("the next node comes after --wait", BOX + "args", ["--wait=61"]),
    ("putting back has its time", POD + "terminationGracePeriodSeconds", 269),
    ("ready is what node-pod says", BOX + "readinessProbe", {"exec": {}}),
    ("nothing ends the container by a probe", BOX + "livenessProbe", {}),
    ("MODE", BOX + "env.0.value", "audit"),
    ("the selector finds its pods", "spec.selector.matchLabels.x", "y"),
    ("GENERATION is the template's", BOX + "env.2",
     {"name": "GENERATION", "value": "2"}),
    ("kubelet's network", POD + "hostNetwork", False),
    ("no other namespace of the host", POD + "hostPID", True),
    ("capabilities", BOX + "securityContext.capabilities.add", ["SYS_ADMIN"]),
    ("not privileged", BOX + "securityContext.privileged", True),
    ("only a fix may write there", BOX + "volumeMounts.0.readOnly", True),
    ("the state outlives containers, not the pod", POD + "volumes.1",
     {"name": "state", "hostPath": {"path": "/run"}}),
]


def self_test(folder):
    """Each rule catches what breaks it."""
    things = build(folder, "eks-fix")
    for want, path, value in BROKEN:
        broken = copy.deepcopy(things)
        daemonset = find(broken, "DaemonSet")[0]
        put(daemonset, path, value)
        if want == "fields":
            caught = faults_of_fields(daemonset)
        else:
            caught = want in [rule for rule, good in rules_of("eks-fix", broken)
                              if not good]
        yield bool(caught), "caught: %s = %r" % (path, value), [want]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "x"}, "rules": [{"resource": ["nodes"]}]}
    yield bool(faults_of_fields(role)), "caught: a field of a ClusterRole", []


def main():
    words = sys.argv[1:]
    test = self_test if words[:1] == ["--self-test"] else checks
    folder = (words[1:] if test is self_test else words)[:1]
    folder = folder[0] if folder else os.path.join(TESTS, "..", "contrib",
                                                   "kubernetes")
    try:
        try:
            import yaml  # pylint: disable=import-outside-toplevel,unused-import
        except ImportError as error:
            raise Skip("python3-yaml is not installed") from error
        need_kubectl()
    except Skip as reason:
        print("1..0 # SKIP %s" % reason)
        return 0
    count = failed = 0
    for good, name, details in test(folder):
        count += 1
        failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", count, name))
        for detail in [] if good else details:
            print("#   " + detail)
    print("1..%d" % count)
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
