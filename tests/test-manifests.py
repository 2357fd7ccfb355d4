#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""contrib/kubernetes: what kustomize makes of it, field by field.

    test-manifests.py KUBERNETES_FOLDER
    test-manifests.py --self-test       manifests that break a rule are caught

Each overlay is built by `kubectl kustomize`. What has pods goes through kubectl's
own types (`kubectl set image --local`, no server): a field that Kubernetes does
not know, or one of another type, does not come back. The few fields of the other
kinds are listed here. Then the rules of the design: they must hold of what is
built, whatever the files look like. Without
kubectl 1.21 or newer (a component is not known to older ones) only the files are
looked at: all are YAML and name others that are there. Skipped without PyYAML.
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
AUDIT = ("eks", "aks", "gke", "plain")
FIX = tuple(name + "-fix" for name in AUDIT)

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
    ("v1", "ResourceQuota"): {
        "metadata": META,
        "spec": {"hard": {"*": TEXT}, "scopeSelector": {"matchExpressions": [
            {"scopeName": TEXT, "operator": TEXT, "values": [TEXT]}]}}},
}
WITH_PODS = {("apps/v1", "DaemonSet"), ("batch/v1", "Job"),
             ("batch/v1", "CronJob")}
FLEET = ("fleet", "fleet-schedule")


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


def template(thing):
    """Of its pods."""
    spec = thing["spec"]
    return spec.get("jobTemplate", {}).get("spec", spec)["template"]


def unknown_fields(thing):
    containers = template(thing)["spec"]["containers"]
    try:
        back = kubectl("set", "image", "--local", "-f", "-", "-o", "json",
                       containers[0]["name"] + "=another",
                       given=json.dumps(thing))
    except RuntimeError as error:
        return [str(error)]
    back = json.loads(back)
    template(back)["spec"]["containers"][0]["image"] = containers[0]["image"]
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


# Fields of pods, DaemonSets and Jobs, and the minor of the first API server that
# knows each. The manifests are for all since FIRST_MINOR.
FIRST_MINOR = 20
YOUNG = {
    "appArmorProfile": 30, "completionMode": 21, "grpc": 23, "hostUsers": 25,
    "matchLabelKeys": 25, "maxSurge": 21, "os": 22, "podFailurePolicy": 25,
    "recursiveReadOnly": 30, "resizePolicy": 27, "schedulingGates": 26,
    "seLinuxChangePolicy": 32, "sleep": 29, "successPolicy": 30,
    "supplementalGroupsPolicy": 31, "suspend": 21, "trafficDistribution": 30,
}


def young_fields(thing):
    """Those that the oldest API server would refuse."""
    if isinstance(thing, list):
        return [name for one in thing for name in young_fields(one)]
    if not isinstance(thing, dict):
        return []
    return [name for name in thing if YOUNG.get(name, 0) > FIRST_MINOR] + [
        name for value in thing.values() for name in young_fields(value)]


def version():
    """The tree's."""
    with open(os.path.join(TESTS, "..", "meson.build"), encoding="utf-8") as file:
        return re.search("version : '([^']+)'", file.read()).group(1)


# --- the design

def container(thing):
    return template(thing)["spec"]["containers"][0]


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
         spec["template"]["metadata"].get("annotations", {}).get(
             "container.apparmor.security.beta.kubernetes.io/" + box["name"])
         == "unconfined"),
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
        ("the image is of this version", box["image"].endswith(
            ":" + version())),
        ("no field is too young", not young_fields(d)),
    ]


def platform_rules(d, overlay):
    terms = d["spec"]["template"]["spec"]["affinity"]["nodeAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    found = [(e["key"], e["operator"], e.get("values"))
             for term in terms for e in term["matchExpressions"]]
    platform = overlay.removesuffix("-fix")
    want = {"eks": [("eks.amazonaws.com/compute-type", "NotIn",
                     ["fargate", "auto"])],
            "aks": [("type", "NotIn", ["virtual-kubelet"])],
            "gke-fix": [("cloud.google.com/gke-os-distribution", "In",
                         ["ubuntu"])]}
    selinux = container(d)["securityContext"].get("seLinuxOptions")
    return [
        ("no other nodes than those it is for", len(terms) == 1 and
         found[:-1] == want.get(overlay, want.get(platform, []))),
        ("nodes can be left out",
         found[-1] == ("kubelet-remedy/skip", "DoesNotExist", None)),
        ("SELinux", selinux == ({"type": "spc_t"} if platform in ("eks", "plain")
                                else None)),
    ]


def fleet_rules(things):
    by_kind = {thing["kind"]: thing for thing in things}
    job = by_kind.get("Job") or by_kind["CronJob"]
    role = by_kind["ClusterRole"]
    pod, box = template(job)["spec"], container(job)
    spec = job["spec"].get("jobTemplate", job)["spec"]
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
        ("one Job, or one CronJob", ("Job" in by_kind) !=
         ("CronJob" in by_kind)),
        ("runs do not overlap", "Job" in by_kind or
         job["spec"]["concurrencyPolicy"] == "Forbid"),
        ("the command", box["command"] + [a for a in box["args"] if a !=
                                          "--benchmark=auto"] ==
         ["/usr/sbin/kubelet-remedy", "fleet", "--all-nodes", "--output=json"]),
        ("the image is of this version", box["image"].endswith(
            ":" + version())),
        ("no field is too young", not young_fields(job)),
        ("a node that fails is no failure of the job",
         spec["backoffLimit"] == 0 and pod["restartPolicy"] == "Never"),
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
    path = os.path.join(folder, name if name in FLEET
                        else "overlays/" + name)
    return list(yaml.safe_load_all(kubectl("kustomize", path)))


NAMED = "kubelet-remedy/beyond-restricted"
SAFE_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral",
                "persistentVolumeClaim", "projected", "secret"}


def beyond_restricted(thing):
    """By what a pod is refused where the Pod Security Standards' profile
    "restricted" is enforced (its table, and the profile baseline below it)."""
    pod, box = template(thing)["spec"], container(thing)
    security = {**pod.get("securityContext", {}), **box["securityContext"]}
    added = security.get("capabilities", {}).get("add", [])
    apparmor = [security.get("appArmorProfile", {}).get(
        "type", "RuntimeDefault")] + [
            value for key, value in template(thing)["metadata"].get(
                "annotations", {}).items()
            if key.startswith("container.apparmor.security.beta")]
    refused = {
        "hostNetwork": pod.get("hostNetwork"),
        "hostPID": pod.get("hostPID"),
        "hostIPC": pod.get("hostIPC"),
        "hostPorts": any(p.get("hostPort") for p in box.get("ports", [])),
        "volumes": any(not SAFE_VOLUMES & set(v)
                       for v in pod.get("volumes", [])),
        "privileged": security.get("privileged"),
        "allowPrivilegeEscalation":
            security.get("allowPrivilegeEscalation") is not False,
        "runAsNonRoot": not security.get("runAsNonRoot")
                        or security.get("runAsUser") == 0,
        "capabilities": "ALL" not in security.get(
            "capabilities", {}).get("drop", []) or
                        set(added) - {"NET_BIND_SERVICE"},
        "seccompProfile": security.get("seccompProfile", {}).get("type")
                          not in ("RuntimeDefault", "Localhost"),
        "appArmorProfile": any(value.split("/")[0] not in (
            "RuntimeDefault", "runtime", "Localhost", "localhost")
                               for value in apparmor),
        "seLinuxOptions": security.get("seLinuxOptions", {}).get("type", "") not
                          in ("", "container_t", "container_init_t",
                              "container_kvm_t", "container_engine_t"),
        "procMount": security.get("procMount", "Default") != "Default",
        "sysctls": security.get("sysctls"),
        "initContainers": pod.get("initContainers"),
        "containers": len(pod["containers"]) != 1,  # this looks at one
    }
    return {name for name, is_so in refused.items() if is_so}


def restricted_rule(thing):
    named = thing["metadata"].get("annotations", {}).get(NAMED, "").split()
    return ("restricted, but for what it names",
            len(named) == len(set(named)) and
            set(named) == beyond_restricted(thing))


def rules_of(name, things):
    if name in FLEET:
        return fleet_rules(things) + namespace_rules(things) + [
            restricted_rule(thing) for thing in things
            if thing["kind"] in ("Job", "CronJob")]
    sets = find(things, "DaemonSet")
    kinds = ["Namespace", "DaemonSet"] \
        + ["ResourceQuota"] * name.startswith("gke")
    return (daemonset_rules(sets[0], name in FIX)
            + platform_rules(sets[0], name) + namespace_rules(things)
            + [restricted_rule(sets[0]), ("no other objects", sorted(thing["kind"] for thing in things)
                == sorted(kinds)),
               ("a quota lets its priority in", all(
                   quota["spec"]["scopeSelector"]["matchExpressions"]
                   == [{"scopeName": "PriorityClass", "operator": "In",
                        "values": [sets[0]["spec"]["template"]["spec"][
                            "priorityClassName"]]}]
                   for quota in find(things, "ResourceQuota")))])


def files_of(folder):
    """(good, name, details): what needs no kubectl. Each kustomization names
    files that are there, each file is YAML, each overlay is tried below."""
    import yaml  # pylint: disable=import-outside-toplevel
    overlays = sorted(os.listdir(folder + "/overlays"))
    yield (overlays == sorted(AUDIT + FIX), "%d overlays, all tried"
           % len(overlays), overlays)
    for path, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if not name.endswith(".yaml"):
                continue
            full = os.path.join(path, name)
            faults = []
            with open(full, encoding="utf-8") as file:
                things = [t for t in yaml.safe_load_all(file) if t]
            if name == "kustomization.yaml":
                faults = missing_files(path, things[0])
            elif not all("kind" in t and "apiVersion" in t for t in things):
                faults = ["no kind"]
            yield (things and not faults, os.path.relpath(full, folder), faults)


def missing_files(path, kustomization):
    names = kustomization.get("resources", []) \
        + kustomization.get("components", []) \
        + [patch["path"] for patch in kustomization.get("patches", [])
           if "path" in patch]
    return ["%s is not there" % name for name in names
            if not os.path.exists(os.path.join(path, name))]


def checks(folder):
    """(good, name, details)"""
    built = {name: build(folder, name) for name in AUDIT + FIX + FLEET}
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
    # the README removes any overlay by the name of one, and fleet by its own
    for made, removed in [(name, name.removesuffix("-fix")) for name in FIX] + [
            (name, "eks") for name in AUDIT] + [("fleet-schedule", "fleet")]:
        left = left_over(built[made], built[removed])
        yield not left, "%s: removed by deleting %s" % (made, removed), left
    yield from images_named_once(folder)


def left_over(made, removed):
    """What of MADE is not deleted with REMOVED: a namespace takes all in it along."""
    names = [{(thing["kind"], thing["metadata"].get("namespace"),
               thing["metadata"]["name"]) for thing in things}
             for things in (made, removed)]
    gone = {name for kind, _, name in names[1] if kind == "Namespace"}
    return sorted("%s %s" % (kind, name) for kind, space, name in
                  names[0] - names[1] if space not in gone)


def images_named_once(folder):
    """(good, name, details): the one name in image/ is that of all pods."""
    with tempfile.TemporaryDirectory() as where:
        copy_of = shutil.copytree(folder, os.path.join(where, "k"))
        path = os.path.join(copy_of, "image", "kustomization.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub("newName: .*", "newName: registry.test/x", text))
        for name in AUDIT + FIX + FLEET:
            images = [container(thing)["image"]
                      for thing in build(copy_of, name)
                      if (thing["apiVersion"], thing["kind"]) in WITH_PODS]
            yield (images == ["registry.test/x:" + version()],
                   "%s: the image is named in image/ only" % name, images)


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
    ("restricted, but for what it names", POD + "hostIPC", True),
    ("restricted, but for what it names", BOX + "securityContext.seccompProfile",
     {"type": "Unconfined"}),
    ("restricted, but for what it names",
     BOX + "securityContext.allowPrivilegeEscalation", True),
    ("restricted, but for what it names", POD + "hostNetwork", False),
    ("no other namespace of the host", POD + "hostPID", True),
    ("no field is too young", BOX + "securityContext.appArmorProfile",
     {"type": "Unconfined"}),
    ("no field is too young", "spec.updateStrategy.rollingUpdate.maxSurge", 0),
    ("AppArmor lets it see kubelet", "spec.template.metadata.annotations", {}),
    ("the image is of this version", BOX + "image", "x:latest"),
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
        import yaml  # pylint: disable=import-outside-toplevel,unused-import
    except ImportError:
        print("1..0 # SKIP python3-yaml is not installed")
        return 0
    rows = [] if test is self_test else list(files_of(folder))
    missing = None
    try:
        need_kubectl()
        rows += test(folder)
    except Skip as reason:
        missing = reason
        if not rows:
            print("1..0 # SKIP %s" % reason)
            return 0
    count = failed = 0
    for good, name, details in rows:
        count += 1
        failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", count, name))
        for detail in [] if good else details:
            print("#   " + detail)
    if missing:
        count += 1
        print("ok %d - what is built of them # SKIP %s" % (count, missing))
    print("1..%d" % count)
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
