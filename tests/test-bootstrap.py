#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kubelet-remedy.service, and fix as a step of a script, under a real systemd.

    test-bootstrap.py PROGRAM STANDIN SERVICE RECOVER_SERVICE CATALOG [TEST...]

The host is booted with the chains of units that start kubelet on real nodes: its
first process must have the right value, and whatever becomes of the service the
boot comes to its end and kubelet starts. Needs root; else the whole is skipped.
"""

import os
import re
import shutil
import sys
import time

from e2e_lib import FALSE_FLAG, KEY_FALSE, QUICK, run_file
from host_lib import (CONFIG, CONFIG_TEXT, DROPIN, DROPIN_TEXT, FLAG,
                      STATE, UNIT, Skip)

SERVICE = "kubelet-remedy.service"
RECOVER = "kubelet-remedy-recover.service"
STARTS = "/run/standin-kubelet.starts"
STATE_DIR = "/var/lib/kubelet-remedy"
PROGRAM_PATH = "/usr/bin/kubelet-remedy"
OPTIONS = "/etc/kubelet-remedy/options"
OVERRIDE = "/etc/systemd/system/kubelet-remedy.service.d/50-test.conf"
CATALOG_PATH = "/usr/lib/systemd/catalog/kubelet-remedy.catalog"

# who starts kubelet, in the words of what starts it on a node
PREFIX = """\
# SPDX-License-Identifier: Apache-2.0
[Unit]
Description=%s
%s
[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=60
ExecStart=/bin/bash -e /usr/local/sbin/%s
"""


def install(host):
    """The units, as a package puts them there."""
    for name, source in ((SERVICE, FILES["service"]),
                         (RECOVER, FILES["recover"])):
        with open(source, encoding="utf-8") as file:
            text = file.read()
        host.write("/usr/lib/systemd/system/" + name,
                   re.sub("^(ExecStart=)\\S+", "\\1" + PROGRAM_PATH, text,
                          flags=re.M))


def enable(host):
    result = host.sh("systemctl enable " + SERVICE)
    if result.status:
        raise RuntimeError(result.stderr)


def wanted_at_boot(host, unit, path):
    host.sh("mkdir -p /etc/systemd/system/bth.target.wants; "
            "ln -sf %s /etc/systemd/system/bth.target.wants/%s; sync"
            % (path, unit))


def clean(host):
    """No kubelet, nothing that a boot starts, no line of ours."""
    host.reset()
    host.sh("rm -rf /etc/systemd/system/*.wants/kubelet.service "
            "/etc/systemd/system/bth.target.wants")
    host.since = time.time()


def boot(host, tap, what="boot"):
    """A reboot that comes to its end."""
    host.since = time.time()
    start = time.monotonic()
    host.reboot()
    took = time.monotonic() - start
    # less than a unit's time limit: nobody waits for himself
    tap.check(took < 55, what + ": comes to its end", took)
    print("# %s: %.1f s" % (what, took))


def shown(host, *names, unit=SERVICE):
    text = host.run(["systemctl", "show", unit, "-p", ",".join(names)])
    return dict(line.split("=", 1) for line in text.stdout.splitlines())


def starts(host):
    try:
        return int(host.read(STARTS))
    except FileNotFoundError:
        return 0


def lines(host, *matches):
    """Our lines in the journal of this test, or boot."""
    host.sh("journalctl --sync")
    return host.run(["journalctl", "-b", "--no-pager", "-o", "cat",
                     "--since=@%.6f" % host.since, "--output-fields=MESSAGE",
                     "KUBELET_REMEDY_COMMAND=fix",
                     *matches]).stdout.splitlines()


def check_first(host, tap, what, outcome="fixed"):
    """kubelet runs, was started once, and that one decided true."""
    tap.check(host.is_healthy(), what + ": kubelet is healthy", host.log())
    tap.equal((starts(host), host.value()), (1, "true"),
              what + ": its first process has the right value",
              host.sh("journalctl -b --no-pager | tail -n 40").stdout)
    tap.equal(shown(host, "Result", "ExecMainStatus"),
              {"Result": "success", "ExecMainStatus": "0"},
              what + ": the service did well")
    said = lines(host)
    tap.equal(len(said), 1, what + ": one line in the journal", said)
    tap.check(said and said[0].startswith("fix: %s: " % outcome),
              what + ": it says " + outcome, said)
    tap.equal(host.run(["systemctl", "list-jobs", "--no-legend"]).stdout, "",
              what + ": no job is left")


def cis_node(host, where):
    """The CIS text's layout with the value false in WHERE, not started."""
    clean(host)
    host.node(FALSE_FLAG if where == "drop-in" else "", start=False,
              config=KEY_FALSE if where == "config" else "")
    enable(host)


# --- the chains of a boot ---------------------------------------------------


def test_enabled_kubelet(host, tap):
    """(a) kubelet.service wanted by the target that is booted."""
    for where in ("drop-in", "config"):
        cis_node(host, where)
        wanted_at_boot(host, "kubelet.service", UNIT)
        boot(host, tap, where)
        check_first(host, tap, where)
        tap.check(not [w for w in host.argv() if w.startswith(FLAG)],
                  where + ": no flag is among its arguments", host.argv())
        tap.status(host.remedy("audit"), 0, where + ": audit")
        boot(host, tap, where + ", second boot")
        check_first(host, tap, where + ", second boot", "unchanged")


NODEADM_ENV = "/etc/eks/kubelet/environment"
NODEADM_CONFIG = "/etc/kubernetes/kubelet/config.json"
NODEADM_UNIT = """\
[Unit]
Description=Kubernetes Kubelet

[Service]
Slice=runtime.slice
EnvironmentFile=%s
ExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS
Restart=on-failure
RestartSec=5
""" % NODEADM_ENV


def writer(host, name, script, after=""):
    """A unit of the boot that runs SCRIPT and is done when that is done."""
    host.write("/usr/local/sbin/" + name, script, 0o755)
    host.write("/etc/systemd/system/%s.service" % name,
               PREFIX % (name, after and "After=%s\n" % after, name))
    wanted_at_boot(host, name + ".service",
                   "/etc/systemd/system/%s.service" % name)


def test_nodeadm(host, tap):
    """(b) EKS AL2023: nodeadm-run writes the files, and starts kubelet."""
    for verb in ("systemctl start kubelet",
                 "systemctl daemon-reload; systemctl restart kubelet"):
        clean(host)
        host.write(UNIT, NODEADM_UNIT)
        enable(host)
        writer(host, "cloud-final", "sleep 0.3\n")
        writer(host, "nodeadm-run", """
mkdir -p /etc/eks/kubelet /etc/kubernetes/kubelet
cat >%s <<'END'
%sEND
printf %%s 'NODEADM_KUBELET_ARGS=--kubeconfig=/k --config=%s --node-ip=192.0.2.30 %s' >%s
%s
""" % (NODEADM_CONFIG, CONFIG_TEXT % "", NODEADM_CONFIG, FALSE_FLAG,
               NODEADM_ENV, verb), after="cloud-final.service")
        for turn in ("first boot", "files written anew"):
            what = "%s, %s" % (verb.rsplit(";", maxsplit=1)[-1].strip(), turn)
            boot(host, tap, what)
            check_first(host, tap, what)
            tap.equal(shown(host, "Result", "ActiveState",
                            unit="nodeadm-run.service"),
                      {"Result": "success", "ActiveState": "active"},
                      what + ": nodeadm-run came to its end")
        remove_writers(host, "cloud-final", "nodeadm-run")


NODEADM_FOLDER = "/etc/eks/nodeadm.d"


def test_nodeadm_folder(host, tap):
    """One that reads the folder: its files of the next boot are right already.

    As nodeadm does, it puts the user's flags behind its own."""
    clean(host)
    host.write(UNIT, NODEADM_UNIT)
    enable(host)
    writer(host, "nodeadm-run", """
mkdir -p /etc/eks/kubelet /etc/kubernetes/kubelet
cat >%s <<'END'
%sEND
flags=$(cat %s/*.yaml 2>/dev/null | sed -n 's/^      - "\\(--.*\\)"$/\\1/p')
printf %%s "NODEADM_KUBELET_ARGS=--kubeconfig=/k --config=%s %s $flags" >%s
systemctl start kubelet
""" % (NODEADM_CONFIG, CONFIG_TEXT % "", NODEADM_FOLDER, NODEADM_CONFIG,
       FALSE_FLAG, NODEADM_ENV))
    path = "/etc/systemd/system/nodeadm-run.service"
    host.write(path, re.sub("(?m)^(ExecStart=.*)$", "\\1 --config-source "
                            "imds://user-data --config-source file://%s/"
                            % NODEADM_FOLDER, host.read(path).decode()))
    boot(host, tap, "first boot")
    check_first(host, tap, "first boot")
    made = host.snapshot(NODEADM_FOLDER)
    tap.check(NODEADM_FOLDER + "/90-kubelet-remedy.yaml" in made,
              "first boot: the service wrote the durable place", made)
    for turn in ("second boot", "third boot"):
        boot(host, tap, turn)
        check_first(host, tap, turn, "unchanged")
        tap.equal(host.snapshot(NODEADM_FOLDER), made,
                  turn + ": the durable place is as it was")
    remove_writers(host, "nodeadm-run")


def test_cloud_final(host, tap):
    """(c) EKS AL2: user data runs bootstrap.sh, which enables and starts it."""
    clean(host)
    host.write(UNIT, "[Unit]\nDescription=Kubelet\n[Service]\n"
               "ExecStart=/usr/bin/kubelet --kubeconfig=/k --config %s $KUBELET_ARGS "
               "$KUBELET_EXTRA_ARGS\n[Install]\nWantedBy=multi-user.target\n"
               % CONFIG)
    enable(host)
    writer(host, "cloud-final", """
mkdir -p /etc/systemd/system/kubelet.service.d /etc/kubernetes/kubelet
cat >%s <<'END'
%sEND
cat >/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf <<'END'
[Service]
Environment='KUBELET_ARGS=--node-ip=192.0.2.30 %s --v=2'
END
systemctl daemon-reload
systemctl enable kubelet
systemctl start kubelet
""" % (CONFIG, CONFIG_TEXT % KEY_FALSE, FALSE_FLAG))
    boot(host, tap)
    check_first(host, tap, "first boot")
    # now it is enabled, too, and the files are those of the last boot; what
    # bootstrap.sh writes then comes too late, as on a real node
    host.sh("rm -f /etc/systemd/system/bth.target.wants/cloud-final.service")
    wanted_at_boot(host, "kubelet.service", UNIT)
    boot(host, tap)
    check_first(host, tap, "second boot", "unchanged")
    remove_writers(host, "cloud-final")


AKS_ENV = "/etc/default/kubelet"


def test_aks_provisioning(host, tap):
    """(d) AKS: the script writes /etc/default/kubelet, then starts it."""
    for verb in ("systemctl start kubelet",
                 "systemctl restart --no-block kubelet"):
        clean(host)
        host.write(UNIT, "[Unit]\nDescription=Kubelet\n"
                   "ConditionPathExists=/usr/bin/kubelet\n[Service]\n"
                   "Restart=always\nEnvironmentFile=%s\n"
                   "ExecStart=/usr/bin/kubelet --v=2 $KUBELET_FLAGS\n"
                   "[Install]\nWantedBy=multi-user.target\n" % AKS_ENV)
        enable(host)
        writer(host, "aks-provision", """
cat >%s <<'END'
KUBELET_FLAGS=--cluster-domain=cluster.local %s --node-ip=192.0.2.30 
KUBELET_NODE_LABELS=agentpool=np
END
chmod 0600 %s
systemctl daemon-reload
%s
""" % (AKS_ENV, FALSE_FLAG, AKS_ENV, verb))
        boot(host, tap, verb)
        tap.check(host.wait_value("true"), verb + ": kubelet is started")
        check_first(host, tap, verb)
        tap.equal(os.stat(host.root + AKS_ENV).st_mode & 0o777, 0o600,
                  verb + ": the file's mode stays")
        remove_writers(host, "aks-provision")


def remove_writers(host, *names):
    for name in names:
        host.sh("rm -f /etc/systemd/system/%s.service /usr/local/sbin/%s "
                "/etc/systemd/system/*.wants/%s.service"
                % (name, name, name))


# --- whatever becomes of it, kubelet starts ------------------------------------


def program_does(host, script, limit="60s"):
    """In the service only."""
    host.write("/usr/local/sbin/instead", "#!/bin/bash\n" + script, 0o755)
    host.write(OVERRIDE, "[Service]\nTimeoutStartSec=%s\nExecStart=\n"
               "ExecStart=/usr/local/sbin/instead\n" % limit)


def check_starts_anyhow(host, tap, what, result):
    wanted_at_boot(host, "kubelet.service", UNIT)
    boot(host, tap, what)
    tap.check(host.is_healthy(), what + ": kubelet is healthy", host.log())
    tap.equal((starts(host), host.value()), (1, "false"),
              what + ": it starts as it would have")
    tap.equal(shown(host, "Result"), {"Result": result},
              what + ": the service has failed")


def test_service_fails(host, tap):
    cases = {
        "fails": ("exit 4\n", "exit-code"),
        "dies": ("kill -SEGV $$\n", "signal"),
        "hangs": ("sleep 600\n", "timeout"),
        "hangs and does not listen": (
            "trap '' TERM; for ((;;)); do sleep 1; done\n", "timeout"),
    }
    for what, (script, result) in cases.items():
        cis_node(host, "drop-in")
        program_does(host, script, "4s" if result == "timeout" else "60s")
        if "listen" in what:
            host.write(OVERRIDE, host.read(OVERRIDE).decode()
                       + "TimeoutStopSec=1s\n")
        check_starts_anyhow(host, tap, what, result)


def test_program_is_gone(host, tap):
    cis_node(host, "drop-in")
    host.write(OVERRIDE, "[Service]\nExecStart=\nExecStart=/usr/bin/gone\n")
    check_starts_anyhow(host, tap, "gone", "exit-code")


def test_refuses(host, tap):
    """A file with two names is not edited."""
    cis_node(host, "drop-in")
    os.link(host.root + DROPIN, host.root + DROPIN + ".old")
    before = host.snapshot()
    check_starts_anyhow(host, tap, "refused", "exit-code")
    tap.equal(shown(host, "ExecMainStatus"), {"ExecMainStatus": "4"},
              "status 4")
    tap.equal(host.snapshot(), before, "nothing is changed")
    tap.equal(len(lines(host, "KUBELET_REMEDY_OUTCOME=refused",
                        "KUBELET_REMEDY_STATUS=4")), 1, "one line says so")


def test_interrupted(host, tap):
    """Ended by its time limit in the middle: what it began is put back."""
    cis_node(host, "drop-in")
    before = host.snapshot()
    host.write(OVERRIDE, "[Service]\nTimeoutStartSec=3s\nExecStart=\n"
               "SystemCallFilter=\nNoNewPrivileges=no\nUMask=0077\n"
               "CapabilityBoundingSet=~\nExecStart=/usr/bin/strace -f -o "
               "/dev/null -e trace=fsync -e inject=fsync:delay_enter=700000 "
               "%s fix --restart=never -q\n" % PROGRAM_PATH)
    if host.run(["strace", "-V"]).status:
        raise Skip("no strace")
    check_starts_anyhow(host, tap, "interrupted", "timeout")
    tap.equal(host.snapshot(), before, "every file is as it was")
    tap.check(not os.path.exists(host.root + STATE_DIR + "/pending"),
              "no mark is left")


def test_dbus_hangs(host, tap):
    """A dbus-daemon that is not up, or accepts and never answers."""
    cis_node(host, "drop-in")
    host.sh("systemctl stop dbus.socket dbus.service; "
            "rm /run/dbus/system_bus_socket")
    tap.status(host.run(["systemctl", "start", "kubelet"]), 0, "no bus: start")
    check_first(host, tap, "no bus")
    host.sh("systemctl start dbus.socket dbus.service")
    cis_node(host, "drop-in")
    host.sh("systemctl kill --signal=STOP dbus.service")
    started = host.run(["systemctl", "start", "kubelet"])
    host.sh("systemctl kill --signal=CONT dbus.service")
    tap.status(started, 0, "it hangs: start")
    # the half of what a call may take, then systemd's own socket
    tap.check(started.seconds < 12, "it hangs: nothing waits for it",
              started.seconds)
    check_started_true(host, tap, "it hangs")


def check_started_true(host, tap, what):
    tap.check(host.is_healthy(), what + ": kubelet is healthy", host.log())
    tap.equal(host.value(), "true", what + ": kubelet decided true",
              host.sh("journalctl --sync; journalctl -b --no-pager -u kubelet-remedy").stdout)


# --- later starts, and other runs ------------------------------------------------


def make_false(host):
    """As somebody who writes the flag again."""
    host.write(DROPIN, DROPIN_TEXT % ("--v=3 " + FALSE_FLAG))
    host.sh("systemctl daemon-reload")


def test_later_starts(host, tap):
    cis_node(host, "drop-in")
    host.sh("systemctl start kubelet")
    check_first(host, tap, "start")
    make_false(host)
    tap.status(host.run(["systemctl", "restart", "kubelet"]), 0, "restart")
    check_started_true(host, tap, "restart")
    tap.equal(starts(host), 2, "restart: one more start")
    host.write(DROPIN, DROPIN_TEXT % ("--v=4 " + FALSE_FLAG))
    host.sh("systemctl daemon-reload; rm -f %s; "
            "systemctl kill --signal=KILL kubelet" % STATE)
    tap.check(host.wait_value("true", 30), "killed: systemd starts it, true")
    tap.equal(starts(host), 3, "killed: one more start")


def test_beside_fix_and_undo(host, tap):
    """They restart kubelet themselves: the service neither waits nor acts."""
    cis_node(host, "drop-in")
    host.sh("systemctl start kubelet; systemctl stop kubelet")
    make_false(host)
    was = host.snapshot()
    host.sh("systemctl disable %s; systemctl start kubelet; systemctl enable "
            "%s" % (SERVICE, SERVICE))
    tap.check(host.is_healthy() and host.value() == "false",
              "a failing node", host.value())
    fix = host.remedy("fix", QUICK)
    tap.status(fix, 0, "fix")
    tap.equal(shown(host, "ConditionResult"), {"ConditionResult": "no"},
              "fix: the service was skipped")
    check_started_true(host, tap, "fix")
    undo = host.remedy("undo", QUICK)
    tap.status(undo, 0, "undo")
    tap.equal(host.snapshot(), was, "undo: the files are as before")
    tap.equal(host.value(), "false", "undo: kubelet decides as before")
    tap.equal(shown(host, "ConditionResult"), {"ConditionResult": "no"},
              "undo: the service was skipped")
    tap.status(host.run(["systemctl", "restart", "kubelet"]), 0,
               "restart after the undo")
    tap.equal((host.is_healthy(), host.value(), host.snapshot()),
              (True, "false", was), "what was undone stays undone")
    tap.contains(host.sh("journalctl --sync; journalctl --no-pager -b -u " + SERVICE).stdout,
                 "--retry", "the service says how to have it again")
    tap.status(host.remedy("fix", QUICK), 0,
               "a fix that looks at kubelet makes it again")
    check_started_true(host, tap, "again")


def test_put_back(host, tap):
    """kubelet did not come back with it: the service does not repeat it."""
    clean(host)
    host.node(FALSE_FLAG, control="die-after-ms=300 when=true\n")
    before = host.snapshot()
    tap.status(host.remedy("fix", "--wait=5"), 5, "fix")
    enable(host)
    tap.status(host.run(["systemctl", "restart", "kubelet"]), 0, "restart")
    tap.equal((host.is_healthy(), host.value(), host.snapshot()),
              (True, "false", before), "what was put back stays put back")
    tap.equal(shown(host, "ExecMainStatus"), {"ExecMainStatus": "4"},
              "the service refused")


def test_power_cut_without_recover(host, tap):
    """A mark from before the boot: the service takes it back, and fixes."""
    cis_node(host, "drop-in")
    host.sh("mkdir -m 0700 -p %s; : >%s/pending" % (STATE_DIR, STATE_DIR))
    wanted_at_boot(host, "kubelet.service", UNIT)
    boot(host, tap)
    check_first(host, tap, "a mark")
    tap.check(not os.path.exists(host.root + STATE_DIR + "/pending"),
              "no mark is left")


# --- as a step of a script -----------------------------------------------------


SCRIPT = ["bash", "-c",
          "kubelet-remedy fix --restart=never -q <&- >&- 2>&-"]


def test_script_step(host, tap):
    clean(host)
    host.node(FALSE_FLAG, start=False)
    tap.status(host.run(SCRIPT), 0, "no terminal, no output")
    fixed = host.snapshot()
    inodes = os.stat(host.root + DROPIN).st_ino
    tap.status(host.run(SCRIPT), 0, "again")
    tap.equal((host.snapshot(), os.stat(host.root + DROPIN).st_ino),
              (fixed, inodes), "again: nothing is written")
    tap.equal([line.split(":")[1].strip() for line in lines(host)],
              ["fixed", "unchanged"], "one line each")
    tap.equal(host.show()["MainPID"], "0", "kubelet was not started")
    tap.equal(host.show()["NeedDaemonReload"], "no", "systemd has read it")
    quiet = host.remedy("fix", "--restart=never", "-q")
    tap.equal((quiet.status, quiet.stdout, quiet.stderr), (0, "", ""),
              "nothing is printed")


def test_script_step_unhappy(host, tap):
    clean(host)
    for name in ("no unit", "no unit, again"):
        result = host.remedy("fix", "--restart=never", "-q")
        tap.status(result, 3, name)
        tap.contains(result.stderr, "kubelet.service", name + ": it is named")
    tap.check(not os.path.exists(host.root + STATE_DIR), "nothing is made")
    started = host.run(["systemctl", "start", SERVICE])
    tap.status(started, 0, "the service, without kubelet's unit")
    host.write(UNIT, NODEADM_UNIT)
    host.sh("systemctl daemon-reload")
    result = host.remedy("fix", "--restart=never", "-q")
    tap.status(result, 3, "no environment file yet")
    tap.contains(result.stderr, NODEADM_ENV, "it is named")
    host.node(FALSE_FLAG, start=False)
    os.link(host.root + DROPIN, host.root + DROPIN + ".old")
    result = host.remedy("fix", "--restart=never", "-q")
    tap.status(result, 4, "refused")
    tap.contains(result.stderr, DROPIN, "refused: the file is named")
    tap.equal(result.stdout, "", "refused: not on stdout")
    tap.status(host.remedy("fix", "--restart=never", "-q", user="nobody"), 4,
               "not root")
    tap.equal(len(lines(host, "KUBELET_REMEDY_OUTCOME=unconfigured")), 4,
              "one line for each that was not configured")


def test_before_join(host, tap):
    """kubeadm is installed and has not run: kubelet ends and is started again,
    and each of its starts starts the service, which has nothing to complain
    of."""
    clean(host)
    config = "/var/lib/kubelet/config.yaml"
    host.write(UNIT, "[Service]\n"
               "ExecStart=/usr/bin/kubelet --kubeconfig=/k --config=%s "
               "--kubeconfig=/etc/kubernetes/kubelet.conf\n"
               "EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\n"
               "Restart=always\nRestartSec=1\n" % config)
    host.sh("rm -rf /var/lib/kubelet; systemctl daemon-reload")
    enable(host)
    for _ in range(2):
        host.sh("systemctl restart kubelet.service")
        shows = shown(host, "Result", "ExecMainStatus")
        tap.equal(shows, {"Result": "success", "ExecMainStatus": "3"},
                  "the service")
    found = lines(host)
    tap.check(len(found) >= 2 and len(set(found)) == 1, "a line each", found)
    tap.contains(found[0] if found else "",
                 config + " is not there yet: kubeadm writes it", "the line")
    tap.equal(host.run(["journalctl", "-b", "-q", "--no-pager", "-o", "cat",
                        "--since=@%.6f" % host.since, "-p", "warning",
                        "-u", SERVICE]).stdout, "", "no warning")
    quiet = host.remedy("fix", "--restart=never", "-q")
    tap.status(quiet, 3, "a step of a script")
    tap.equal(len(quiet.stderr.splitlines()), 1, "it says so once",
              quiet.stderr)
    host.write("/etc/kubernetes/kubelet.conf", "")
    result = host.remedy("fix", "--restart=never", "-q")
    tap.status(result, 4, "a joined node that lost its config.yaml")
    tap.contains(result.stderr, config, "it is named")
    tap.check("run it as root" not in result.stderr, "it is root",
              result.stderr)
    host.remove("/etc/kubernetes/kubelet.conf")


# --- the files ---------------------------------------------------------------


def test_catalog(host, tap):
    """journalctl -x explains every line that the program can send."""
    shutil.copyfile(FILES["catalog"], host.root + CATALOG_PATH)
    updated = host.run(["journalctl", "--update-catalog"])
    tap.equal((updated.status, updated.stderr), (0, ""), "it can be read")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "../src/cli/change.c")
    with open(source, encoding="utf-8") as file:
        ids = re.findall(r'\{"([0-9a-f]{32})", "\d"\}', file.read())
    listed = host.run(["journalctl", "--list-catalog"]).stdout
    ours = re.findall(r"^([0-9a-f]{32}) kubelet-remedy:", listed, re.M)
    tap.equal(sorted(ours), sorted(ids), "the ids of the source", listed)
    tap.equal((len(ids), len(set(ids))), (8, 8), "one for each outcome")
    host.node(FALSE_FLAG, start=False)
    host.remedy("fix", "--restart=never")
    host.sh("journalctl --sync")
    text = host.run(["journalctl", "-x", "--no-pager", "-b",
                     "KUBELET_REMEDY_OUTCOME=fixed"]).stdout
    tap.contains(text, "Subject: kubelet's configuration was changed",
                 "journalctl -x")
    tap.matches(text, r"on kubelet\.service is done", "with its fields")
    tap.matches(text, r"The record of the change is \d{8}T", "and the record")
    # a control that is left: the words are of that, too
    result = host.remedy("fix", "--restart=never", "--benchmark=cis-1.12")
    host.sh("journalctl --sync")
    text = host.run(["journalctl", "-x", "--no-pager", "-b", "-o", "verbose",
                     "KUBELET_REMEDY_STATUS=1"]).stdout
    tap.status(result, 1, "a control is left")
    tap.matches(text, r"PRIORITY=[45]\n", "it is a notice at least")
    text = host.run(["journalctl", "-x", "--no-pager", "-b",
                     "KUBELET_REMEDY_STATUS=1"]).stdout
    tap.matches(text, "Subject: (Not all that|kubelet's configuration was not)",
                "what is said of it")
    host.remove(CATALOG_PATH)


def test_security(host, tap):
    """What systemd thinks of the service's hardening, and of its words."""
    verified = host.run(["systemd-analyze", "verify", "--man=no",
                         "/usr/lib/systemd/system/" + SERVICE,
                         "/usr/lib/systemd/system/" + RECOVER])
    tap.equal((verified.status, verified.stderr), (0, ""),
              "systemd understands every word")
    version = int(host.run(["systemctl", "--version"]).stdout.split()[1])
    if version < 250:
        raise Skip("systemd-analyze security has no --offline before 250")
    result = host.run(["systemd-analyze", "security", "--offline=true",
                       "--no-pager", "--threshold=30",
                       "/usr/lib/systemd/system/" + SERVICE])
    tap.status(result, 0, "the exposure is at most 3.0")
    found = re.search(r"exposure level for \S+: ([0-9.]+)", result.stdout)
    tap.check(found and float(found.group(1)) <= 3.0, "the number, too",
              result.stdout)
    print("# exposure: %s" % (found and found.group(1)))


def test_options(host, tap):
    """Which controls, and how, stands in a file of the administrator's."""
    cis_node(host, "drop-in")
    before = host.snapshot()
    host.write(OPTIONS, "KUBELET_REMEDY_OPTIONS=--control=readOnlyPort\n")
    tap.status(host.run(["systemctl", "start", SERVICE]), 0, "it starts")
    tap.equal(host.snapshot(), before, "another control: ours is left alone")
    host.write(OPTIONS, "KUBELET_REMEDY_FIX_OPTIONS='--method=flag --explicit'"
               "\n")
    tap.status(host.run(["systemctl", "start", SERVICE]), 0, "it starts")
    tap.contains(host.sh("cat /etc/systemd/system/kubelet.service.d/*").stdout,
                 FLAG + "=true", "the method")
    host.write(OPTIONS, "KUBELET_REMEDY_OPTIONS=--benchmark=cis-1.12\n")
    tap.status(host.run(["systemctl", "restart", SERVICE]), 0,
               "what is left is no failure of the unit")
    log = host.sh("journalctl --sync; journalctl --no-pager -b -u " + SERVICE)
    tap.matches(log.stdout, r"left: 4\.2\.\d+ \S+ \(ask\): ",
                "and its log names it")
    tap.contains(log.stdout, "kubelet-remedy fix -n --benchmark=cis-1.12 "
                 "--control=podPidsLimit --set=podPidsLimit=VALUE",
                 "with the command that fixes it")
    host.write(OPTIONS, "KUBELET_REMEDY_FIX_OPTIONS=--no-such-option\n")
    result = host.run(["systemctl", "restart", SERVICE])
    tap.equal(result.status, 1, "an option that is none: the unit fails")
    tap.status(host.run(["systemctl", "start", "kubelet"]), 0,
               "and kubelet starts")
    host.remove(OPTIONS)
    host.sh("systemctl reset-failed")


def test_waits_for_nobody(host, tap):
    """Not for those who start kubelet, and kubelet does not need it."""
    cis_node(host, "drop-in")
    ours = shown(host, "After", "Requires", "Wants", "Requisite", "BindsTo")
    others = re.findall(r"\b(?:nodeadm-run|cloud-\w+|multi-user|network\w*|"
                        r"kubelet)\.\w+", " ".join(ours.values()))
    tap.equal(others, [], "it waits for none of those", ours)
    theirs = shown(host, "Wants", "Requires", "BindsTo", "After",
                   unit="kubelet.service")
    tap.check(SERVICE in theirs["Wants"] and SERVICE in theirs["After"],
              "kubelet wants it, and starts after it", theirs)
    tap.check(SERVICE not in theirs["Requires"] + theirs["BindsTo"],
              "kubelet does not require it", theirs)


def test_hardening_holds(host, tap):
    """In there /usr is read-only, and there is no network."""
    cis_node(host, "drop-in")
    program_does(host, "exec >/run/kubelet-remedy-test 2>&1\n"
                 ": >/usr/x && echo usr\n"
                 "exec 3<>/dev/udp/127.0.0.1/9 && echo inet\n"
                 "mknod /run/x b 7 0 && echo mknod\n"
                 "unshare -m true && echo unshare\n"
                 "reboot() { :; }; grep -E '^(CapBnd|NoNewPrivs)' "
                 "/proc/self/status\necho end\n")
    host.sh("systemctl daemon-reload; systemctl start " + SERVICE)
    said = host.read("/run/kubelet-remedy-test").decode().splitlines()
    tap.equal([word for word in said
               if word in ("usr", "inet", "mknod", "unshare")], [],
              "none of that is possible", said)
    tap.check("end" in said and "NoNewPrivs:\t1" in said, "it was tried", said)


def main():
    return run_file(__doc__, globals(), 5, prepare=install, upper=True)


if __name__ == "__main__":
    FILES = dict(zip(("service", "recover", "catalog"), sys.argv[3:6]))
    sys.exit(main())
