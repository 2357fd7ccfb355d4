#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which kubelet, and whose files: processes, units and roots, under systemd.

    test-e2e-node.py PROGRAM STANDIN [TEST...]

Several kubelets, one in a container, one that belongs to no unit, a unit of
another name, a root or a working directory of kubelet's own, another program
that starts it; the whole node below --root, live and as an image with links
that lead out of it. Needs root; without it the whole is skipped.
"""

import json
import re
import sys
import time

from audit_lib import only
from e2e_lib import run_file
from host_lib import CONFIG, CONFIG_TEXT, CONTROL, FLAG, KEY, UNIT, wait_for

FALSE_FLAG = FLAG + "=false"
KEY_FALSE = ',\n  "%s": false' % KEY
KEY_TRUE = ',\n  "%s": true' % KEY
OTHER = "/etc/systemd/system/node-agent.service"


# --- helpers of more than one test

class Spare:
    """A kubelet started by hand: in no unit, with a state folder of its own.

    BEFORE is the words in front, such as a program that runs it elsewhere."""

    def __init__(self, host, *words, before=(), folder="/"):
        self.host = host
        self.others = self.find()
        self.process = host.spawn(
            ["env", "--chdir=" + folder, "STANDIN_DIR=/run/spare", *before,
             "/usr/bin/kubelet", "--healthz-port=0", "--kubeconfig=/k",
             *words])

    def find(self):
        return self.host.sh(
            "for p in /proc/[0-9]*; do"
            " [ \"$(cat $p/comm 2>/dev/null)\" = kubelet ] &&"
            " grep -qz healthz-port $p/cmdline 2>/dev/null &&"
            " basename $p; done").stdout.split()

    def __enter__(self):
        wait_for(lambda: set(self.find()) - set(self.others))
        found = [pid for pid in self.find() if pid not in self.others]
        if not found:
            raise RuntimeError("the spare kubelet does not start: %s"
                               % (self.process.poll(),))
        self.pid = found[-1]
        return self

    def __exit__(self, *_):
        self.host.run(["kill", "-KILL", self.pid])
        self.host.finish(self.process)


def write_config(host, key, path=CONFIG):
    host.write(path, CONFIG_TEXT % key)


def views(audit):
    found = audit.get("views", {})
    return tuple(found.get(v, {}).get("state") for v in ("disk", "running"))


def messages(result, got):
    return json.dumps(got.get("messages", [])) + result.stderr


def other_unit(host, key=KEY_FALSE):
    """kubelet in a unit of another name, and no kubelet.service."""
    host.reset()
    write_config(host, key)
    host.write(CONTROL, "")
    host.write(OTHER, "[Service]\nExecStart=/usr/bin/kubelet --kubeconfig=/k --config %s\n"
               % CONFIG)
    host.sh("systemctl daemon-reload; systemctl restart node-agent.service")
    host.is_healthy()


def no_other_unit(host):
    host.sh("systemctl stop node-agent.service; rm -rf %s*;"
            " systemctl daemon-reload" % OTHER)


# --- which process

def test_second_kubelet(host, tap):
    """The unit's own is meant, whatever else runs; --pid says another one."""
    host.node("")
    with Spare(host, FALSE_FLAG) as spare:
        result, got = host.remedy_json("audit")
        tap.status(result, 0, "the unit's")
        tap.equal(str(got["views"]["running"]["pid"]), host.identity()[0],
                  "it is the unit's")
        result, got = host.remedy_json("audit", "--pid=" + spare.pid)
        tap.status(result, 1, "--pid")
        tap.equal(str(got["views"]["running"]["pid"]), spare.pid, "that one")
        tap.equal(views(got), ("true", "false"), "its views")
        result, got = host.remedy_json("audit", "--pid=4194300")
        tap.status(result, 3, "a process that does not run")
        tap.contains(messages(result, got), "4194300", "it is named")


def test_several_without_unit(host, tap):
    host.reset()
    with Spare(host, FALSE_FLAG) as first, Spare(host) as second:
        result, got = host.remedy_json("audit")
        tap.status(result, 3, "several")
        tap.contains(messages(result, got), "--pid", "what to say is said")
        for spare in first, second:
            result, got = host.remedy_json("audit", "--pid=" + spare.pid)
            tap.equal(str(got["views"]["running"]["pid"]), spare.pid, "--pid")


def test_several_beside_a_stopped_unit(host, tap):
    """The unit is true and down; what runs is false, and nobody's choice."""
    host.node("")
    host.sh("systemctl stop kubelet.service")
    with Spare(host, FALSE_FLAG), Spare(host, FALSE_FLAG):
        result, got = host.remedy_json("audit")
        tap.status(result, 3, "audit")
        tap.equal(got.get("verdict"), "unknown", "verdict")
        tap.contains(messages(result, got), "--pid", "what to say is said")


def test_pid_of_no_kubelet(host, tap):
    host.node("")
    result, got = host.remedy_json("audit", "--pid=1")
    tap.status(result, 3, "systemd is no kubelet")
    tap.contains(messages(result, got), "1", "it is named")
    tap.check(got.get("verdict") != "pass", "never a pass", got)
    before, was = host.snapshot(), host.identity()
    tap.status(host.remedy("fix", "--pid=1", "--restart=always"), 4, "fix")
    tap.equal((host.snapshot(), host.identity()), (before, was),
              "nothing is changed or restarted")


def test_other_config_named(host, tap):
    """A file that was named in the place of kubelet's: it proves nothing of it."""
    host.node("--v=2")
    tap.check(host.is_healthy(), "kubelet runs")
    host.sh("sleep 22")     # it has settled
    result, found = host.remedy_json("audit", "--config=/nope")
    tap.status(result, 3, "audit of a file that is not there")
    tap.equal(found["verdict"], "invalid", "it is invalid")
    tap.equal([m for m in found["messages"] if m["code"] == "model-disagrees"],
              [], "kubelet proves nothing")
    text = host.remedy("audit", "--config=/nope").stdout
    tap.check("runs on" not in text and "cannot read /nope" in text
              and "reads another file than /nope, which was given with --config"
              in text, "in words", text)


def test_hidden_processes(host, tap):
    """Who may not see kubelet does not say that it is well."""
    host.node(FALSE_FLAG)
    write_config(host, KEY_TRUE)
    host.sh("sed -i 's/ %s//' %s.d/*; systemctl daemon-reload;"
            " mount -o remount,hidepid=2 /proc" % (FALSE_FLAG, UNIT))
    try:
        result, got = host.remedy_json("audit", user="nobody")
    finally:
        host.sh("mount -o remount,hidepid=0 /proc")
    tap.check(result.status in (1, 3), "never a pass", result)
    tap.check(got.get("verdict") in ("fail", "unknown"), "verdict", got)
    result, got = host.remedy_json("audit")
    tap.status(result, 1, "root sees it")


def test_no_unit_at_all(host, tap):
    """Disk is the process's argv with the files as they are now."""
    host.reset()
    write_config(host, KEY_TRUE)
    with Spare(host, "--config=" + CONFIG) as spare:
        result, got = host.remedy_json("audit")
        tap.status(result, 0, "audit")
        tap.equal(views(got), ("true", "true"), "views")
        host.sh("sleep 0.1")
        write_config(host, KEY_FALSE)
        result, got = host.remedy_json("audit", "--pid=" + spare.pid)
        tap.status(result, 1, "after an edit")
        tap.equal(views(got), ("false", "unknown"), "views after it")
        before = host.snapshot()
        result, got = host.remedy_json("fix")
        tap.status(result, 4, "fix")
        tap.equal(got.get("outcome"), "refused", "outcome")
        tap.equal(host.snapshot(), before, "nothing is changed")


def test_other_pid_namespace(host, tap):
    """A kubelet of a container is not the node's."""
    host.reset()
    with Spare(host, FALSE_FLAG, before=(
            "unshare", "--pid", "--fork", "--mount-proc")):
        result, got = host.remedy_json("audit")
        tap.status(result, 3, "audit")
        tap.equal(views(got), ("unknown", "absent"), "it is not taken")
    host.node("")
    with Spare(host, FALSE_FLAG, before=(
            "unshare", "--pid", "--fork", "--mount-proc")):
        result, got = host.remedy_json("audit")
        tap.status(result, 0, "beside the node's own")
        tap.equal(str(got["views"]["running"]["pid"]), host.identity()[0],
                  "the node's own is meant")


# --- whose files

def test_own_root(host, tap):
    """Its files are read through /proc/PID/root."""
    host.reset()
    write_config(host, KEY_TRUE)
    write_config(host, KEY_FALSE, "/srv/root" + CONFIG)
    host.sh("mkdir -p /srv/root/usr /srv/root/lib /srv/root/lib64"
            " /srv/root/run /srv/root/bin;"
            " for d in usr lib lib64 bin; do"
            " mount --rbind /$d /srv/root/$d; done")
    with Spare(host, "--config=" + CONFIG,
               before=("chroot", "/srv/root")) as spare:
        result, got = host.remedy_json("audit")
        tap.status(result, 1, "audit")
        tap.equal(got["views"]["running"]["pid"], int(spare.pid), "it is it")
        tap.equal(views(got)[1], "false", "the value of its own file")
    host.sh("umount -R /srv/root/usr /srv/root/lib /srv/root/lib64"
            " /srv/root/bin; rm -rf --one-file-system /srv/root")


def test_root_directory(host, tap):
    """RootDirectory=: the unit's paths are not the node's."""
    host.node("", KEY_TRUE, start=False)
    host.write(UNIT + ".d/20-root.conf", "[Service]\nRootDirectory=/srv\n")
    host.sh("systemctl daemon-reload")
    result, got = host.remedy_json("audit")
    tap.status(result, 3, "audit")
    tap.contains(got.get("reason", ""), "/srv", "the root is named")
    before = host.snapshot()
    tap.status(host.remedy("fix"), 4, "fix")
    tap.equal(host.snapshot(), before, "nothing is changed")


def test_relative_config(host, tap):
    """A relative path counts from the working directory of the process."""
    host.reset()
    write_config(host, KEY_FALSE, "/srv/w/k.json")
    write_config(host, KEY_TRUE, "/k.json")
    with Spare(host, "--config=k.json", folder="/srv/w"):
        result, got = host.remedy_json("audit")
        tap.status(result, 1, "audit")
        tap.equal(views(got), ("false", "false"), "of its own folder")
    host.sh("rm -rf /srv/w /k.json")


def test_no_client(host, tap):
    """Webhooks without --kubeconfig stop a kubelet, and what completes its
    arguments may come until it is started."""
    host.reset()
    write_config(host, KEY_TRUE)
    # one that has failed is not forgotten by systemd
    host.write(UNIT, "[Service]\nExecStart=/usr/bin/kubelet --config=%s\n"
               "ExecStartPost=/bin/false\n" % CONFIG)
    host.sh("systemctl daemon-reload")
    tap.equal(views(host.remedy_json("audit")[1])[0], "true",
              "before it was started")
    host.sh("systemctl start kubelet")
    result, got = host.remedy_json("audit")
    tap.status(result, 3, "audit")
    tap.equal(views(got)[0], "invalid", "it was started")
    tap.contains(got["reason"], "--kubeconfig", "the word is named")
    result = host.remedy("fix")
    tap.status(result, 4, "fix")
    tap.contains(result.stdout + result.stderr,
                 "give --kubeconfig among kubelet's arguments",
                 "the next step")
    host.sh("systemctl reset-failed kubelet")
    tap.equal(views(host.remedy_json("audit")[1])[0], "true",
              "it was not started in this boot")
    host.write("/var/lib/kubelet/pki/kubelet-client-current.pem", "")
    tap.equal(views(host.remedy_json("audit")[1])[0], "invalid",
              "kubelet has had its certificate")
    host.sh("rm -r /var/lib/kubelet/pki")


def test_lost_file(host, tap):
    """A file that a setting names and that is gone stops the next start,
    whatever the kubelet that runs has read at its own."""
    host.reset()
    host.node("--client-ca-file=/srv/ca.crt", KEY_TRUE)
    host.write("/srv/ca.crt", "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n"
               "-----END CERTIFICATE-----\n")
    host.sh("systemctl restart kubelet")
    time.sleep(22)              # it has settled
    tap.equal(views(host.remedy_json("audit")[1])[0], "true", "it is there")
    host.sh("rm /srv/ca.crt")
    result, got = host.remedy_json("audit")
    tap.status(result, 3, "it is gone")
    tap.equal(views(got), ("invalid", "true"), "it is gone")
    tap.contains(got["reason"], "--client-ca-file names /srv/ca.crt, which is "
                 "not there", "why")
    tap.equal([m["code"] for m in got["messages"]
               if m["severity"] != "note"], ["file-unreadable"], "codes")


# --- which unit

def test_other_unit(host, tap):
    """Without kubelet.service the unit of the kubelet that runs is meant."""
    other_unit(host)
    for words in ((), ("--unit=node-agent.service",)):
        result, got = host.remedy_json("audit", *words)
        tap.status(result, 1, "audit %s" % (words,))
        tap.equal(got["node"]["unit"], "node-agent.service", "its unit")
        tap.equal(views(got), ("false", "false"), "views")
    result = host.remedy("fix")
    tap.status(result, 0, "fix")
    tap.status(host.remedy("audit"), 0, "audit afterwards")
    no_other_unit(host)


def test_named_unit(host, tap):
    """--unit beside a kubelet.service; one that does not exist."""
    other_unit(host)
    host.write(UNIT, "[Service]\nExecStart=/usr/bin/kubelet\n")
    host.sh("systemctl daemon-reload")
    result, got = host.remedy_json("audit", "--unit=node-agent.service")
    tap.status(result, 1, "--unit")
    tap.equal(views(got), ("false", "false"), "its views")
    result, got = host.remedy_json("audit", "--unit=no-such.service")
    tap.equal(got["views"]["disk"]["state"], "unknown", "no such unit")
    before = host.snapshot()
    result = host.remedy("fix", "--unit=no-such.service")
    tap.check(result.status in (3, 4), "fix of no such unit: %d"
              % result.status, result.stderr)
    tap.equal(host.snapshot(), before, "nothing is changed")
    no_other_unit(host)


def test_unit_without_kubelet(host, tap):
    """The unit of another program is not said to be healthy, and kubelet's own
    is named; a name without a type is a service's."""
    host.write(UNIT, "[Service]\nExecStart=/usr/bin/kubelet\n")
    host.write("/etc/systemd/system/other.service",
               "[Service]\nExecStart=/bin/sleep 1000\n")
    host.sh("systemctl daemon-reload")
    host.sh("systemctl restart kubelet other")
    pid = int(host.show()["MainPID"])
    tap.check(wait_for(lambda: host.remedy("status", "--unit=kubelet").status
                       == 0), "a short name")
    for words in ([], ["--root=/"]):
        result = host.remedy("status", "--unit=other", *words)
        tap.status(result, 3, "another program's unit")
        tap.equal(result.stdout,
                  "NO KUBELET  other.service does not run kubelet: kubelet[%d] "
                  "belongs to kubelet.service\n"
                  "next: kubelet-remedy status\n" % pid, "what is said")
    result, got = host.remedy_json("status", "--unit=other")
    tap.equal((got["unit"], got["healthy"]), ("other.service", None), "JSON")
    result = host.remedy("audit", "--unit=other")
    tap.check(result.stdout.endswith("next: kubelet-remedy audit\n"),
              "audit goes on with kubelet's own", result.stdout)
    tap.status(host.remedy("fix", "--unit=other"), 4, "fix")
    host.sh("systemctl stop kubelet")
    result = host.remedy("status", "--unit=other")
    tap.status(result, 3, "and no kubelet runs")
    tap.equal(result.stdout,
              "NO KUBELET  no ExecStart= of other.service runs kubelet "
              "itself\nnext: give kubelet's unit with --unit=NAME, or the "
              "node's root directory with --root=DIR\n", "what is said")
    tap.status(host.remedy("status", "--unit=no-such"), 3, "there is none")
    host.sh("systemctl stop other; rm /etc/systemd/system/other.service; "
            "systemctl daemon-reload")


def test_child_of_another_program(host, tap):
    """As RKE2 does it: the unit's main process is another program's."""
    host.reset()
    host.write(CONTROL, "")
    host.write("/usr/local/bin/rke2",
               "#!/bin/bash\n/usr/bin/kubelet %s &\nwait\n" % FALSE_FLAG, 0o755)
    host.write("/etc/rancher/rke2/config.yaml",
               "kubelet-arg:\n- %s\n" % FALSE_FLAG[2:])
    host.write("/etc/systemd/system/rke2-agent.service",
               "[Service]\nExecStart=/usr/local/bin/rke2 agent\n")
    host.sh("systemctl daemon-reload; systemctl start rke2-agent.service")
    host.is_healthy()
    result, got = host.remedy_json("audit")
    tap.status(result, 1, "audit")
    tap.equal(got["node"]["unit"], "rke2-agent.service", "its unit")
    tap.equal(views(got), ("false", "false"), "views")
    before = host.snapshot("/etc/rancher", "/etc/systemd/system")
    for words in ((), ("-n",), ("--restart=always",)):
        result, fix = host.remedy_json("fix", *words)
        tap.status(result, 4, "fix %s" % (words,))
        tap.equal(fix.get("outcome"), "refused", "outcome")
        tap.contains(messages(result, fix),
                     "systemctl restart rke2-agent.service", "yourself")
    host.write("/etc/rancher/rke2/config.yaml", "")
    result, got = host.remedy_json("audit")
    tap.equal(views(got), ("true", "false"), "the file is right now")
    result, fix = host.remedy_json("fix")
    tap.status(result, 4, "a restart is not ours")
    tap.contains(messages(result, fix), "rke2-agent.service", "but whose")
    host.sh("rm /usr/local/bin/rke2")
    host.write("/usr/local/bin/rke2", "#!/bin/bash\n/usr/bin/kubelet &\nwait\n",
               0o755)
    host.sh("systemctl restart rke2-agent.service")
    host.is_healthy()
    tap.status(host.remedy("fix"), 0, "compliant")
    was = host.sh("systemctl show -P MainPID rke2-agent.service").stdout
    tap.status(host.remedy("fix", "--restart=always"), 4, "always, not ours")
    tap.equal(host.sh("systemctl show -P MainPID rke2-agent.service").stdout,
              was, "it is not restarted")
    host.write("/etc/rancher/rke2/config.yaml",
               "kubelet-arg:\n- %s\n" % FALSE_FLAG[2:])
    tap.equal(host.snapshot("/etc/rancher", "/etc/systemd/system"), before,
              "nothing is changed")
    host.sh("systemctl stop rke2-agent.service; rm -rf /etc/rancher"
            " /usr/local/bin/rke2 /etc/systemd/system/rke2-agent.service;"
            " systemctl daemon-reload")


def test_wrapper_script(host, tap):
    """What a script hands on stands in no file of the unit: the word is named
    in the script, and in the argv of the kubelet that runs."""
    host.node("", start=False)
    host.write(UNIT, "[Service]\nType=notify\nNotifyAccess=all\n"
               "ExecStart=/opt/start\n")
    host.write("/opt/start", "#!/bin/bash\nexec /usr/bin/kubelet --v=2 %s "
               "--config=%s\n" % (FALSE_FLAG, CONFIG), 0o755)
    host.sh("systemctl daemon-reload; systemctl restart kubelet.service")
    host.is_healthy()
    result, got = host.remedy_json("audit")
    tap.status(result, 1, "audit")
    tap.equal(views(got), ("unknown", "false"), "views")
    tap.equal([(s["file"], s["line"], s["text"]) for s in got["sources"]
               if s["kind"] == "flag"], [("/opt/start", 2, FALSE_FLAG)],
              "the word of the script")
    text = host.remedy("audit").stdout
    tap.contains(text, ", its argument 2: %s\n" % FALSE_FLAG,
                 "that of the process")
    result, fix = host.remedy_json("fix")
    tap.status(result, 4, "fix")
    tap.contains(messages(result, fix), "yourself", "what to do")
    host.sh("systemctl stop kubelet.service; rm /opt/start")


def test_hidden_kubelet(host, tap):
    """As k3s does it: kubelet is a part of a process that shows no argument."""
    host.reset()
    host.write("/usr/local/bin/k3s", "#!/bin/bash\nsleep 1000\n", 0o755)
    host.write("/etc/systemd/system/k3s.service",
               "[Service]\nType=exec\nExecStart=/usr/local/bin/k3s server\n")
    host.sh("systemctl daemon-reload; systemctl start k3s.service")
    result, got = host.remedy_json("audit")
    tap.status(result, 3, "audit")
    tap.equal(got["node"]["unit"], "k3s.service", "its unit")
    tap.equal(views(got), ("true", "unknown"), "views")
    host.write("/etc/rancher/k3s/config.yaml",
               "kubelet-arg: [%s]\n" % FALSE_FLAG[2:])
    result, got = host.remedy_json("audit")
    tap.status(result, 1, "audit of a false")
    result, fix = host.remedy_json("fix")
    tap.status(result, 4, "fix")
    tap.contains(messages(result, fix), "systemctl restart k3s.service",
                 "by hand")
    host.sh("systemctl stop k3s.service; rm -rf /etc/rancher"
            " /usr/local/bin/k3s /etc/systemd/system/k3s.service;"
            " systemctl daemon-reload")


# --- the node below --root

def below(host, script):
    """SCRIPT in a mount namespace that has the node at /host only: its own
    /etc/kubernetes, /var/lib and unit folders are empty."""
    return host.sh(
        "mkdir -p /host; unshare --mount bash -c '"
        "mount --make-rprivate / && mount --rbind / /host &&"
        " for d in /etc/kubernetes /etc/systemd /var/lib; do"
        " mkdir -p $d; mount -t tmpfs none $d; done;\n" + script + "'",
        timeout=120)


def test_live_root(host, tap):
    """A host mounted in a container: all of it through --root."""
    host.node(FALSE_FLAG)
    before, was = host.snapshot(), host.identity()
    outside = "; find /etc/kubernetes /etc/systemd /var/lib -type f"
    result = below(host, "kubelet-remedy audit --root=/host -o json")
    tap.status(result, 1, "audit")
    got = only(json.loads(result.stdout or "{}"))
    tap.equal(views(got), ("false", "false"), "views")
    tap.equal(got["node"]["root"], "/host", "the root is named")
    tap.equal({s["file"] for s in got["sources"] if s["file"]},
              {CONFIG, UNIT + ".d/10-kubelet-args.conf"}, "the node's paths")
    tap.status(below(host, "kubelet-remedy fix -n --root=/host"), 1, "fix -n")
    tap.equal(host.snapshot(), before, "a preview changes nothing")
    result = below(host, "kubelet-remedy fix --root=/host >&2 || exit $?"
                   + outside)
    tap.status(result, 0, "fix")
    tap.equal(result.stdout, "", "nothing is written outside of it")
    tap.equal(host.value(), "true", "kubelet decided true")
    tap.check(host.identity() != was, "it is a new kubelet")
    tap.status(below(host, "kubelet-remedy status --root=/host"), 0, "status")
    result = below(host, "kubelet-remedy undo --root=/host >&2 || exit $?"
                   + outside)
    tap.status(result, 0, "undo")
    tap.equal(result.stdout, "", "nothing is written outside of it")
    tap.equal(host.snapshot(), before, "all is as it was")
    host.sh("rmdir /host")


def test_image_with_hostile_links(host, tap):
    """Links of an image that lead out of it lead nowhere."""
    host.node("")
    canary = host.snapshot("/etc/kubernetes", UNIT, UNIT + ".d")
    was = host.identity()
    host.sh("""
mkdir -p /srv/image/etc/systemd/system/kubelet.service.d /srv/image/usr/bin \
    /srv/image/etc/kubernetes /srv/image/etc/eks
touch /srv/image/usr/bin/kubelet
cd /srv/image/etc
printf '[Service]\\nExecStart=/usr/bin/kubelet --kubeconfig=/k --config=/etc/kubernetes/k %%s' \
    '--config-dir=/etc/kubernetes/d/ $A' > systemd/system/kubelet.service
ln -s ../../../../../../../../etc/kubernetes/kubelet kubernetes/d
ln -s ../../../../../../..%s kubernetes/k
ln -s %s systemd/system/kubelet.service.d/10-kubelet-args.conf
ln -s /proc/1/root/etc/os-release os-release
""" % (CONFIG, UNIT + ".d/10-kubelet-args.conf"))
    for words in ("audit", "fix -n", "fix"):
        result = host.sh("strace -y -f -o /run/trace -e trace=open,openat,"
                         "openat2 kubelet-remedy %s --root=/srv/image" % words)
        if result.status == 127:
            print("# no strace on the host: only the outcome is looked at")
            result = host.remedy(*words.split(), "--root=/srv/image")
        else:
            opened = host.sh("grep -o '= [0-9]*<[^>]*>' /run/trace").stdout
            tap.contains(opened, "</srv/image/", words + ": strace saw it")
            tap.check(not re.search("</(etc/(kubernetes|systemd)|proc/1)",
                                    opened),
                      words + ": opens nothing outside", opened)
        tap.check(result.status in (3, 4), "%s: %d" % (words, result.status),
                  result.stdout, result.stderr)
    tap.equal(host.snapshot("/etc/kubernetes", UNIT, UNIT + ".d"), canary,
              "the files outside are untouched")
    tap.equal(host.identity(), was, "kubelet is not touched")
    host.sh("rm -rf /srv/image /run/trace")


def prepare(host):
    host.sh("mkdir -p /run/spare")


def main():
    return run_file(__doc__, globals(), prepare=prepare)


if __name__ == "__main__":
    sys.exit(main())
