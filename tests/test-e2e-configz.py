#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix --configz end to end: what kubelet says of itself, before and after.

    test-e2e-configz.py PROGRAM STANDIN [TEST...]

The stand-in API server answers with what the stand-in kubelet has written of
itself, in the network of the test host. Needs root; without it the whole is
skipped.
"""

import json
import os
import signal
import sys
import time

from audit_lib import only
from e2e_lib import (CONFIGZ, KEY_FALSE, NODE, QUICK, Live, check_fixed,
                     check_put_back, check_untouched, failing_node, run_file)
from host_lib import CONFIG, DROPIN, FLAG, KEY, wait_for

FALSE = {"value": False}
UNREACHED = {"status": 503, "message": "error trying to reach service: dial "
             "tcp 192.0.2.30:10250: connect: connection refused"}
MUST_ANSWER = "configz must answer before anything is changed: "


def live_of(audit):
    live = only(audit or {}).get("views", {}).get("live", {})
    return live.get("state"), live.get("reason")


# --- what it says is what was wanted

def test_fixed(host, tap):
    before, was = failing_node(host)
    with Live(host) as api:
        audit, found = host.remedy_json("audit", *api.words)
        tap.status(audit, 1, "audit")
        tap.equal(live_of(found)[0], "false", "the live view is false")
        preview = host.remedy("fix", "-n", *api.words)
        tap.status(preview, 1, "preview")
        tap.contains(preview.stdout, "# then: %s/api/v1/nodes/%s/proxy/configz"
                     " must say true, else everything is put back\n"
                     % (api.url, NODE), "it says what will be asked")
        tap.contains(preview.stdout, "# next: kubelet-remedy fix %s\n"
                     % " ".join(api.words), "the next command asks, too")
        tap.contains(host.remedy("audit", *api.words).stdout,
                     "next: kubelet-remedy fix -n %s\n" % " ".join(api.words),
                     "that of audit, too")
        tap.equal(host.snapshot(), before, "nothing is changed by it")
        result, fix = host.remedy_json("fix", QUICK, *api.words)
        check_fixed(host, tap, result, was)
        tap.equal(live_of(fix.get("before"))[0], "false", "before: false")
        tap.equal(live_of(fix.get("after"))[0], "true", "after: true")
        tap.equal([(a["action"], a["result"]) for a in fix.get("actions", ())
                   if a["action"] == "configz"], [("configz", "true")],
                  "it was asked after the restart")
        was = host.identity()
        again = host.remedy("fix", *api.words)
        tap.status(again, 0, "a second fix")
        tap.equal(host.identity(), was, "it does nothing")
        tap.status(host.remedy("audit", *api.words), 0, "audit, all true")
    # the API server is gone: undo does not ask it
    tap.status(host.remedy("undo", QUICK), 0, "undo")
    tap.equal(host.snapshot(), before, "old bytes, owners and modes")


def test_slow(host, tap):
    """kubelet's own port and the way to it come up after healthz."""
    _, was = failing_node(host)
    first = [None, UNREACHED, {"fault": "close"}, {"status": 404, "message":
             'nodes "%s" not found' % NODE}, {"delay": 1.0, **UNREACHED}]
    with Live(host, first) as api:
        check_fixed(host, tap, host.remedy("fix", "--wait=60", *api.words),
                    was)


def test_changed_file(host, tap):
    """A file that is younger than kubelet hides what it has read."""
    host.node("", config=KEY_FALSE)
    host.write(CONFIG, host.read(CONFIG).replace(b"false\n}", b"true\n}"))
    tap.status(host.remedy("audit"), 3, "it is not known")
    with Live(host) as api:
        result, found = host.remedy_json("audit", *api.words)
        tap.status(result, 1, "configz tells: false")
        tap.equal(found["views"]["running"]["state"], "false",
                  "the running view is settled")
        tap.check(found["restart_needed"], "a restart is needed")
        fix = host.remedy("fix", QUICK, *api.words)
        tap.status(fix, 0, "fix restarts it")
        tap.equal(host.value(), "true", "kubelet decided true")
        tap.status(host.remedy("audit", *api.words), 0, "audit afterwards")


# --- the version that the API server knows

FOLDER = "/etc/kubernetes/kubelet/conf.d"
FORBIDDEN = {"status": 403, "message": 'nodes "%s" is forbidden: User "u" '
             'cannot get resource "nodes" in API group "" at the cluster scope'
             % NODE}


def infos(host, api):
    """The nodes whose version was asked for."""
    # the stand-in is in the host's network
    stats = host.run(["python3", "-c", "import sys, urllib.request as u\n"
                      "o = u.build_opener(u.ProxyHandler({}))\n"
                      "print(o.open(sys.argv[1]).read().decode())",
                      api.url + "/standin/stats"]).stdout
    return json.loads(stats)["infos"]


def version_node(host, words=""):
    """kubelet 1.31 and before take false here, later ones true: what runs has
    read the same, and says nothing of it by its flags."""
    host.node(words + "--config-dir=" + FOLDER, config=KEY_FALSE, start=False)
    host.write(FOLDER + "/10-null.conf", '''{
  "apiVersion": "kubelet.config.k8s.io/v1beta1",
  "kind": "KubeletConfiguration", "%s": null
}
''' % KEY)
    host.sh("systemctl start kubelet")


def views_of(found):
    return tuple(found["views"][name]["state"] for name in ("disk", "running"))


def test_version(host, tap):
    version_node(host)
    for name, info, state in (
            ("1.31", {"version": "v1.31.9"}, "false"),
            ("a vendor's 1.30", {"version": "v1.30.3-eks-ae9a62a"}, "false"),
            ("1.32", {"version": "v1.32.0+k3s1"}, "true"),
            ("no right to get nodes", FORBIDDEN, "unknown"),
            ("no such node", {"status": 404}, "unknown"),
            ("no version", {"version": ""}, "unknown"),
            ("a version of something else", {"version": "v2.0"}, "unknown"),
            ("no JSON", {"body": "<html>v1.31.2"}, "unknown"),
            ("it breaks", {"fault": "reset"}, "unknown")):
        with Live(host, then={"absent": True}, info=info) as api:
            result, found = host.remedy_json("audit", *api.words)
            tap.equal(views_of(found), (state, state), name + ": the views")
            said = result.stderr + str(found.get("messages"))
            tap.check("get resource" not in said, name + ": nothing is said "
                      "of a refusal")
    with Live(host, info={"version": "v1.31.9"}) as api:
        _, found = host.remedy_json("audit", "--kubelet-version=1.32",
                                    *api.words)
        tap.equal(views_of(found), ("true", "true"),
                  "--kubelet-version comes first")
        tap.equal(views_of(host.remedy_json("audit")[1]),
                  ("unknown", "unknown"), "nobody is asked without --configz")


def test_version_of_fix(host, tap):
    """What is true for both versions is a change; for the one that runs it is
    none."""
    version_node(host)
    before = host.snapshot()
    with Live(host, then={"value": True}, info={"version": "v1.33.1"}) as api:
        result, fix = host.remedy_json("fix", *api.words)
        tap.status(result, 0, "fix")
        tap.equal(fix.get("outcome"), "unchanged", "1.33 has it already")
        tap.equal(host.snapshot(), before, "no file is changed")
    with Live(host, then={"value": False}, info={"version": "v1.31.1"}) as api:
        result, fix = host.remedy_json("fix", "-n", *api.words)
        tap.status(result, 1, "fix -n for 1.31")
        tap.equal(fix.get("outcome"), "would-fix", "1.31 has it not")


DPKG = "/var/lib/dpkg/status"
DPKG_LIST = "/var/lib/dpkg/info/kubelet.list"


def test_version_of_package(host, tap):
    """What is registered is what runs; of the next start it tells only where that
    is the same program. A package may be upgraded below a kubelet that goes on."""
    version_node(host)
    before = host.read(DPKG) if os.path.exists(host.root + DPKG) else b""
    host.write(DPKG, before.decode() + "\nPackage: kubelet\nStatus: install ok "
               "installed\nVersion: 1.32.4-1.1\n\n")
    host.write(DPKG_LIST, "/.\n")

    def check(version, want, name):
        with Live(host, then={"absent": True}, info={"version": version}) as api:
            _, found = host.remedy_json("audit", *api.words)
            tap.equal(views_of(found), want, name)

    check("v1.32.0", ("true", "true"), "the same is registered")
    check("v1.31.9", ("false", "false"), "an older one, of this program")
    host.sh("cp -a /usr/bin/kubelet /usr/bin/kubelet.new; "
            "mv /usr/bin/kubelet.new /usr/bin/kubelet")
    check("v1.31.9", ("true", "false"), "an older one, of the program before")
    host.write(DPKG, before)
    host.remove(DPKG_LIST)


def test_version_not_asked(host, tap):
    """Without drop-ins nothing depends on it."""
    failing_node(host)
    with Live(host, info={"version": "v1.31.9"}) as api:
        for command in (("audit",), ("fix", "-n")):
            tap.status(host.remedy(*command, *api.words), 1, command[0])
        tap.equal(infos(host, api), [], "no Node is asked for")


def test_version_once(host, tap):
    """It is asked once a run, and the node is read no more often for it."""
    version_node(host)
    reads = ("strace -f -o /run/trace -e trace=openat2 kubelet-remedy %s; "
             "grep -c 'kubelet.service\"' /run/trace")
    for command in ("audit", "fix -n"):
        with Live(host, then={"value": False},
                  info={"version": "v1.31.9"}) as api:
            line = " ".join([command, *api.words])
            asked, told = [host.sh(reads % (line + more)).stdout.split()[-1]
                           for more in ("", " --kubelet-version=1.31")]
            tap.check(int(told) > 0, "it is read at all")
            tap.equal(infos(host, api), [NODE], command + ": asked once")
            tap.equal(asked, told, command + ": reads")


def test_version_of_name(host, tap):
    """The node is asked for by the name that the kubelet that runs has."""
    version_node(host, "--hostname-override=Other ")
    with Live(host, then={"absent": True}, info={"version": "v1.31.9"}) as api:
        words = [w for w in api.words if not w.startswith("--node=")]
        _, found = host.remedy_json("audit", *words)
        tap.equal(infos(host, api), ["other"], "the name that is asked for")
        tap.equal(views_of(found), ("false", "false"), "the views")


# --- nothing is begun that cannot be proven

def test_not_reached_before(host, tap):
    before, was = failing_node(host)
    result, fix = host.remedy_json("fix", "--configz", "--node=" + NODE)
    check_untouched(host, tap, result, before, was)
    tap.contains(fix.get("reason", ""), MUST_ANSWER + "connection refused: is "
                 "kubectl proxy running?", "it says why")
    tap.equal(fix.get("outcome"), "refused", "the outcome")
    preview = host.remedy("fix", "-n", "--configz", "--node=" + NODE)
    tap.status(preview, 4, "the preview says so, too")


def test_not_allowed_before(host, tap):
    before, was = failing_node(host)
    for behaviour, part in (
            ({"status": 403}, "RBAC must grant get on nodes/proxy"),
            ({"status": 401}, "demands credentials"),
            (UNREACHED, "the API server does not reach kubelet"),
            ({"absent": True}, KEY + " is not in the answer")):
        with Live(host, then=behaviour) as api:
            result = host.remedy("fix", *api.words)
            check_untouched(host, tap, result, before, was)
            tap.contains(result.stdout, part, "it says why")


def test_not_reached_compliant(host, tap):
    """0 would be a claim that nobody has proven."""
    host.node("")
    before, was = host.snapshot(), host.identity()
    result = host.remedy("fix", "--configz", "--node=" + NODE)
    check_untouched(host, tap, result, before, was)
    with Live(host) as api:
        result = host.remedy("fix", *api.words)
        check_untouched(host, tap, result, before, was, 0)


def test_only_files(host, tap):
    """Without a restart there is nothing to ask about."""
    _, was = failing_node(host)
    result = host.remedy("fix", "--restart=never", "--configz",
                         "--node=" + NODE)
    tap.status(result, 0, "fix")
    tap.equal(host.identity(), was, "kubelet is not touched")
    tap.check(FLAG.encode() not in host.read(DROPIN), "the files are fixed")


def test_sigterm_before(host, tap):
    before, was = failing_node(host)
    with Live(host, then={"fault": "hang"}) as api:
        process = host.spawn(["kubelet-remedy", "fix", *api.words])
        tap.check(wait_for(api.is_asked), "it asks")
        tap.equal(host.signal_program(signal.SIGTERM), 1, "one is signalled")
        result = host.finish(process)
        check_untouched(host, tap, result, before, was)
        # which would be for 10 s
        tap.check(result.seconds < 8, "it does not wait for the answer",
                  result.seconds)


# --- what is not proven is put back

def test_says_false(host, tap):
    before, _ = failing_node(host)
    with Live(host, then=FALSE) as api:
        result, fix = host.remedy_json("fix", QUICK, *api.words)
        check_put_back(host, tap, result, before)
        tap.contains(fix.get("reason", ""), "configz says false after the "
                     "restart", "it says why")
        tap.equal(live_of(fix.get("after")),
                  ("unknown", "not asked after everything was put back"),
                  "what was heard is old")
        again = host.remedy("fix", QUICK, *api.words)
        tap.status(again, 4, "the same again")
        tap.contains(again.stdout, "this very change, made at ",
                     "it is not tried again")
    with Live(host) as api:
        result = host.remedy("fix", "--retry", QUICK, *api.words)
        check_fixed(host, tap, result)


def test_server_goes_down(host, tap):
    """It answered before, and is gone when kubelet has been restarted."""
    before, _ = failing_node(host, "healthy-when-told=true when=true\n",
                             service="Type=notify")
    with Live(host) as api:
        process = host.spawn(["kubelet-remedy", "fix", "--wait=4",
                              *api.words])
        tap.check(host.wait_value("true"), "a new kubelet is there")
        words = api.words
    host.tell("well")
    result = host.finish(process)
    check_put_back(host, tap, result, before)
    tap.contains(result.stdout, "configz did not say true in time: connection "
                 "refused", "it says why")
    with Live(host) as api:
        # nobody disliked the change: no --retry
        check_fixed(host, tap, host.remedy("fix", QUICK, *api.words))
    tap.check(words != api.words, "another port, another day")


def test_never_reached_again(host, tap):
    before, _ = failing_node(host)
    for behaviour, part in ((UNREACHED, "does not reach kubelet"),
                            ({"status": 403}, "RBAC"),
                            ({"fault": "hang"}, "no answer in time")):
        with Live(host, [None], behaviour) as api:
            start = time.monotonic()
            result = host.remedy("fix", QUICK, *api.words)
            check_put_back(host, tap, result, before)
            tap.contains(result.stdout, "configz did not say true in time: ",
                         "it was waited for")
            tap.contains(result.stdout, part, "it says why")
            tap.check(time.monotonic() - start < 100, "but not for ever")


def test_denied(host, tap):
    """Credentials that were just refused are not recommended again."""
    before, was = failing_node(host)
    host.write("/run/token", "abc")
    for status in (401, 403):
        with Live(host, then={"status": status}) as api:
            words = [*api.words, "--token-file=/run/token"]
            audit = host.remedy("audit", *words)
            tap.status(audit, 1, "audit, %d" % status)
            tap.equal(audit.stdout.splitlines()[-1],
                      "next: kubelet-remedy fix -n", "the next command")
            result = host.remedy("fix", *words)
            check_untouched(host, tap, result, before, was)
            tap.contains(result.stdout, "next: name other credentials, or "
                         "leave --configz out", "what to do")


def test_says_false_and_stays(host, tap):
    failing_node(host)
    with Live(host, then=FALSE) as api:
        result = host.remedy("fix", QUICK, "--no-rollback", *api.words)
        tap.status(result, 6, "fix --no-rollback")
        tap.equal(host.value(), "true", "the change stays")
        tap.check(host.is_healthy(), "kubelet is healthy")


def test_says_false_and_nothing_to_put_back(host, tap):
    """The files and the process say true; configz of another node may not."""
    host.node("")
    before, n = host.snapshot(), host.starts()
    with Live(host, then=FALSE) as api:
        audit = host.remedy("audit", *api.words)
        tap.status(audit, 1, "audit")
        tap.contains(audit.stdout, "was started with true: it may be another "
                     "node's (--node)", "the disagreement is named")
        result = host.remedy("fix", QUICK, *api.words)
        check_put_back(host, tap, result, before, "true")
        tap.equal(host.starts(), n + 1, "it was restarted once, not twice")


def test_sigterm_while_it_is_asked(host, tap):
    before, _ = failing_node(host)
    with Live(host, [None], UNREACHED) as api:
        process = host.spawn(["kubelet-remedy", "fix", "--wait=30",
                              *api.words])
        tap.check(host.wait_value("true"), "a new kubelet is there")
        time.sleep(9)  # it settles for 8 s
        tap.equal(host.signal_program(signal.SIGTERM), 1, "one is signalled")
        result = host.finish(process)
        check_put_back(host, tap, result, before)
        tap.contains(result.stdout, "interrupted", "it says why")


# --- a kubelet that was not well before

def test_dead_by_our_setting(host, tap):
    """It cannot say anything before; the API server is there to say that."""
    host.node(FLAG + "=maybe", start=False)
    host.sh("systemctl start kubelet")
    tap.check(host.wait_dead(), "it dies at once")
    with Live(host, [UNREACHED]) as api:
        result = host.remedy("fix", "--wait=8", *api.words)
        tap.status(result, 0, "fix")
        tap.equal(host.value(), "true", "kubelet decided true")
        tap.contains(result.stderr, "configz does not answer, kubelet is not "
                     "healthy", "it is said")


def test_dead_and_no_api_server(host, tap):
    host.node(FLAG + "=maybe", start=False)
    before = host.snapshot()
    result = host.remedy("fix", "--configz", "--node=" + NODE)
    tap.status(result, 4, "fix")
    tap.equal(host.snapshot(), before, "no file is changed")


def test_dead_and_never_proven(host, tap):
    """A right fix is not put back because of what was wrong before."""
    host.node(FLAG + "=maybe", start=False)
    with Live(host, then=UNREACHED) as api:
        result = host.remedy("fix", QUICK, *api.words)
        tap.status(result, 6, "fix")
        tap.equal(host.value(), "true", "the change stays")
        tap.check(host.is_healthy(), "kubelet is healthy now")
        tap.contains(result.stdout, "configz did not say true in time",
                     "it says what is not proven")


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
