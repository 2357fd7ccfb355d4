#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The durable place of EKS AL2023 on a live node, with the change it belongs to.

    test-e2e-durable.py PROGRAM STANDIN [TEST...]

kubelet as nodeadm sets it up, and a nodeadm-run that reads /etc/eks/nodeadm.d:
our NodeConfig comes with a fix that restarts kubelet, and goes with an undo, a
rollback and the recovery of a killed fix. Needs root; else the whole is skipped.
"""

import os
import sys

from e2e_lib import FALSE_FLAG, KEY_FALSE, QUICK, run_file
from host_lib import CONFIG_TEXT, CONTROL, FLAG, KEY, UNIT, Skip

ENVIRONMENT = "/etc/eks/kubelet/environment"
CONFIG = "/etc/kubernetes/kubelet/config.json"
FOLDER = "/etc/eks/nodeadm.d"
OURS = FOLDER + "/90-kubelet-remedy.yaml"
RUN = "/etc/systemd/system/nodeadm-run.service"
KUBELET = """\
[Unit]
Description=Kubernetes Kubelet

[Service]
EnvironmentFile=%s
ExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS
Restart=on-failure
RestartSec=5
""" % ENVIRONMENT
NODEADM_RUN = """\
[Service]
Type=oneshot
ExecStart=/usr/bin/nodeadm init --skip config --config-source imds://user-data \
--config-source file://%s/
""" % FOLDER
HEAD = "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  kubelet:\n"
BY_CONFIG = HEAD + "    config:\n      %s: true\n" % KEY
BY_FLAG = BY_CONFIG + "    flags:\n      - \"%s=true\"\n" % FLAG


def al2023(host, flag="", key="", control="", configured=True):
    """The node, kubelet running: its files, and who runs."""
    host.reset()
    host.write(CONTROL, control)
    host.write(RUN, NODEADM_RUN)
    # as Host.node() does it
    host.write(UNIT, KUBELET if control else KUBELET.replace(
        "[Service]\n", "[Service]\nType=notify\n"))
    host.write(CONFIG, CONFIG_TEXT % key)
    os.makedirs(host.root + "/etc/eks", exist_ok=True)
    if configured:
        host.write(ENVIRONMENT, "NODEADM_KUBELET_ARGS=--kubeconfig=/k --config=%s --v=2 %s"
                   % (CONFIG, flag))
    host.sh("systemctl daemon-reload" + (
        "; systemctl start kubelet" if configured else ""))
    if configured and not host.is_healthy():
        raise RuntimeError("the test's own kubelet does not come up: "
                           + host.log())
    return files(host), host.identity()


def files(host):
    return host.snapshot("/etc/eks", "/etc/kubernetes", UNIT, UNIT + ".d")


def durable(host):
    """What our NodeConfig says, less its comment; None: there is none."""
    try:
        text = host.read(OURS).decode()
    except FileNotFoundError:
        return None
    return text[text.index(HEAD):] if HEAD in text else text


# --- it comes and goes with the change

def test_fix_and_undo(host, tap):
    for what, node, text in (("flag", {"flag": FALSE_FLAG}, BY_FLAG),
                             ("key", {"key": KEY_FALSE}, BY_CONFIG)):
        before, was = al2023(host, **node)
        result, got = host.remedy_json("fix", QUICK)
        tap.status(result, 0, what + ": fix")
        tap.equal((host.is_healthy(), host.value()), (True, "true"),
                  what + ": a healthy kubelet decided true")
        tap.check(host.identity() != was, what + ": it is a new one")
        tap.equal(durable(host), text, what + ": our NodeConfig")
        info = os.stat(host.root + OURS)
        tap.equal((info.st_mode & 0o7777, info.st_uid), (0o644, 0),
                  what + ": its mode and owner")
        tap.equal(OURS in [c["file"] for c in got["changes"]], True,
                  what + ": it is one of the changes")
        fixed, now = files(host), host.identity()
        again = host.remedy("fix", QUICK)
        tap.status(again, 0, what + ": again")
        tap.equal((files(host), host.identity()), (fixed, now),
                  what + ": again: nothing is touched")
        tap.status(host.remedy("undo", QUICK), 0, what + ": undo")
        tap.equal(files(host), before, what + ": undo: all is as it was")
        tap.equal((host.is_healthy(), host.value()), (True, "false"),
                  what + ": undo: and so is a healthy kubelet")


def test_no_persist(host, tap):
    al2023(host, flag=FALSE_FLAG)
    result = host.remedy("fix", QUICK, "--no-persist")
    tap.status(result, 0, "fix")
    tap.equal(host.value(), "true", "kubelet decided true")
    tap.check(not os.path.exists(host.root + FOLDER), "no folder is made")
    tap.contains(result.stdout + result.stderr, "nodeadm writes kubelet's files again",
                 "it says who undoes that")


def test_not_configured_yet(host, tap):
    before, _ = al2023(host, configured=False)
    for turn in ("fix", "again"):
        tap.status(host.remedy("fix", QUICK), 3, turn)
        tap.equal(durable(host), BY_CONFIG, turn + ": our NodeConfig")
        tap.equal(host.show()["MainPID"], "0", turn + ": kubelet is left alone")
    tap.status(host.remedy("undo", QUICK), 0, "undo")
    tap.equal(files(host), before, "undo: all is as it was")


# --- and not without it

def test_put_back(host, tap):
    """kubelet does not live with the change: neither stays."""
    before, _ = al2023(host, flag=FALSE_FLAG,
                       control="die-after-ms=300 when=true\n")
    tap.status(host.remedy("fix", "--wait=5"), 5, "fix")
    tap.equal(files(host), before, "all is as it was")
    tap.equal((host.is_healthy(), host.value()), (True, "false"),
              "and so is a healthy kubelet")


def test_place_is_refused(host, tap):
    """It cannot be written: nothing else is, and kubelet is not touched."""
    before, was = al2023(host, flag=FALSE_FLAG)
    cases = {
        "a read-only mount": ("mkdir %(d)s; mount -t tmpfs -o ro x %(d)s",
                              "umount %(d)s; rmdir %(d)s"),
        "a file in the folder's place": ("touch %(d)s", "rm %(d)s"),
        "ours is a link": ("mkdir %(d)s; ln -s /nowhere %(f)s",
                           "rm -r %(d)s"),
        "ours is a link to a folder": ("mkdir %(d)s; ln -s /etc %(f)s",
                                       "rm -r %(d)s"),
        "ours is a FIFO": ("mkdir %(d)s; mkfifo %(f)s", "rm -r %(d)s"),
    }
    for what, (make, remove) in cases.items():
        names = {"d": FOLDER, "f": OURS}
        made = host.sh(make % names)
        tap.status(made, 0, what + ": made")
        result = host.remedy("fix", QUICK)
        tap.status(result, 4, what)
        tap.contains(result.stdout + result.stderr, FOLDER,
                     what + ": the place is named")
        tap.contains(result.stdout + result.stderr, "--no-persist",
                     what + ": the way out is told")
        without = host.remedy("fix", "-n", "--no-persist")
        tap.status(without, 1, what + ": without the place")
        tap.check("+++ b" + OURS not in without.stdout,
                  what + ": it is left out",
                  without.stdout)
        host.sh(remove % names)
        tap.equal((files(host), host.identity()), (before, was),
                  what + ": nothing is changed")
    host.sh("mkdir %s; ln -s /nowhere %s" % (FOLDER, OURS))
    tap.status(host.remedy("fix", QUICK, "--no-persist"), 0, "without it")
    tap.equal((host.is_healthy(), host.value()), (True, "true"),
              "without it: kubelet decided true")


def test_unread_neighbour(host, tap):
    """nodeadm stops at a file that it cannot read: that is said."""
    al2023(host, flag=FALSE_FLAG)
    host.sh("mkdir %s; ln -s /nowhere %s/10-site.yaml" % (FOLDER, FOLDER))
    result, got = host.remedy_json("fix", QUICK)
    tap.status(result, 0, "fix")
    tap.equal([m["file"] for m in got["messages"]
               if m["code"] == "nodeadm-unread"], [FOLDER + "/10-site.yaml"],
              "the file is named")


def test_killed(host, tap):
    """kill -9 at each exchange: what there is of both is taken back."""
    if host.run(["strace", "-V"]).status:
        raise Skip("no strace")
    killed = 0
    for number in (1, 2, 4, 6):
        before, _ = al2023(host, flag=FALSE_FLAG)
        host.run(["strace", "-f", "-o", "/dev/null", "-e",
                  "inject=rename,renameat,renameat2:signal=SIGKILL:when=%d"
                  % number, "kubelet-remedy", "fix", QUICK])
        if not os.path.exists(host.root + "/var/lib/kubelet-remedy/pending"):
            continue
        killed += 1
        tap.status(host.remedy("recover"), 0, "killed at %d: recovery" % number)
        tap.equal(files(host), before, "killed at %d: all is as it was"
                  % number)
        tap.equal((host.is_healthy(), host.value()), (True, "false"),
                  "killed at %d: kubelet decides as before" % number)
    tap.check(killed >= 2, "it was killed in the middle", killed)


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
