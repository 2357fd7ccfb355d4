#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kubelets that see other files than the host, by mounts of their unit's own,
or below another working directory.

    test-e2e-mounts.py PROGRAM STANDIN [TEST...]

The stand-in for kubelet reads its config file as kubelet does, so what it
decided is what its namespace shows. Needs root; else the whole is skipped.
"""

import os
import sys

from e2e_lib import KEY_FALSE, KEY_TRUE, QUICK, check_fixed, run_file
from host_lib import CONFIG, CONFIG_TEXT, UNIT

OTHER = "/opt/kubelet.json"
CODE = "file-of-the-process"


def start(host, directives, here=KEY_TRUE, other=KEY_FALSE, exec_start=None,
          home=""):
    """A kubelet whose config file says HERE on the host; at OTHER is a file
    that a mount may show instead."""
    host.node(config=here, service=directives, start=False)
    host.write(OTHER, CONFIG_TEXT % other)
    if home:
        host.write("/root/home-kubelet.json", home)
    if exec_start:
        unit = host.read(UNIT).decode()
        line = next(l for l in unit.splitlines()
                    if l.startswith("ExecStart="))
        host.write(UNIT, unit.replace(line, "ExecStart=" + exec_start))
    host.sh("systemctl daemon-reload; systemctl start kubelet")
    if not host.is_healthy():
        raise RuntimeError("kubelet does not come up: " + host.log())


def states(audit):
    return {name: view.get("state")
            for name, view in audit.get("views", {}).items()}


def codes(answer):
    return [m["code"] for m in answer.get("messages", [])]


def check_hidden(host, tap, disk="unknown"):
    """kubelet runs with false; the host's file, which says true, is no matter."""
    before, was = host.snapshot(), host.identity()
    tap.equal(host.value(), "false", "kubelet decided false")
    result, audit = host.remedy_json("audit")
    tap.status(result, 1, "audit")
    got = states(audit)
    tap.equal((got.get("disk"), got.get("running")), (disk, "false"),
              "the views", audit.get("messages"))
    tap.check(CODE in codes(audit), "the other file is named", audit)
    tap.equal(audit.get("restart_needed"), False, "a restart is no help")
    result = host.remedy("fix", QUICK)
    tap.status(result, 4, "fix")
    tap.equal((host.snapshot(), host.identity()), (before, was),
              "nothing is changed")


def check_shown(host, tap):
    """kubelet has a namespace of its own, and in it the host's file."""
    spaces = host.sh("readlink /proc/1/ns/mnt; readlink /proc/$(systemctl "
                     "show -P MainPID kubelet)/ns/mnt").stdout.split()
    tap.equal(len(set(spaces)), 2, "a namespace of its own", spaces)
    result, audit = host.remedy_json("audit")
    tap.check(CODE not in codes(audit), "no other file is named", audit)
    return result, states(audit)


def test_bind_over_the_file(host, tap):
    for directive in ("BindReadOnlyPaths=%s:%s", "BindPaths=%s:%s"):
        start(host, directive % (OTHER, CONFIG))
        check_hidden(host, tap)


def test_bind_in_a_tmpfs(host, tap):
    folder = os.path.dirname(CONFIG)
    start(host, "TemporaryFileSystem=%s\nBindReadOnlyPaths=%s:%s"
          % (folder, OTHER, CONFIG))
    check_hidden(host, tap)


def test_same_file_in_a_tmpfs(host, tap):
    folder = os.path.dirname(CONFIG)
    start(host, "TemporaryFileSystem=%s\nBindReadOnlyPaths=%s"
          % (folder, folder), here=KEY_FALSE)
    result, got = check_shown(host, tap)
    tap.status(result, 1, "audit")
    tap.equal((got.get("disk"), got.get("running")), ("false", "false"),
              "the views")
    was = host.identity()
    check_fixed(host, tap, host.remedy("fix", QUICK), was)


def test_private_tmp(host, tap):
    start(host, "PrivateTmp=yes\nProtectHome=yes\nProtectSystem=full",
          here=KEY_FALSE)
    result, got = check_shown(host, tap)
    tap.status(result, 1, "audit")
    tap.equal((got.get("disk"), got.get("running")), ("false", "false"),
              "the views")
    was = host.identity()
    check_fixed(host, tap, host.remedy("fix", QUICK), was)
    result, got = check_shown(host, tap)
    tap.equal((got.get("disk"), got.get("running")), ("true", "true"),
              "after it")


def test_extension(host, tap):
    """An extension lies over /usr here: what else it may lie over, the running
    kubelet shows."""
    host.sh("mkdir -p /opt/e/usr/lib/extension-release.d; "
            "echo ID=_any >/opt/e/usr/lib/extension-release.d/"
            "extension-release.e")
    try:
        start(host, "ExtensionDirectories=/opt/e", here=KEY_FALSE)
    except RuntimeError as error:
        print("# skipped: no extension can be mounted: %s" % error)
        return
    result, got = check_shown(host, tap)
    tap.equal(got.get("disk"), "false", "disk")
    host.sh("systemctl stop kubelet")
    _, audit = host.remedy_json("audit")
    tap.equal(states(audit).get("disk"), "unknown", "none runs: disk")
    # the unit is another one since the start
    host.sh("systemctl start kubelet; sleep 0.2; touch " + UNIT)
    _, audit = host.remedy_json("audit")
    tap.equal(states(audit).get("disk"), "unknown", "another unit: disk")


def test_unshare(host, tap):
    command = "/usr/bin/kubelet --kubeconfig=/k --config=%s" % CONFIG
    start(host, "", exec_start="/usr/bin/unshare -m " + command)
    result, got = check_shown(host, tap)
    tap.status(result, 3, "audit")
    tap.equal((got.get("disk"), got.get("running")), ("unknown", "true"),
              "nothing is mounted")
    start(host, "", exec_start="/usr/bin/unshare -m /bin/sh -c "
          "'mount --bind %s %s && exec %s'" % (OTHER, CONFIG, command))
    check_hidden(host, tap)


def test_kubens(host, tap):
    """The namespace of kubens has what the host has, most often. What else its
    wrapper mounts, only the running kubelet shows."""
    wrapper = "/usr/local/bin/kubenswrapper"
    command = "%s /usr/bin/kubelet --kubeconfig=/k --config=%s" % (wrapper, CONFIG)
    host.write(wrapper, "#!/bin/sh\nexec unshare -m \"$@\"\n", 0o755)
    start(host, "", exec_start=command)
    result, got = check_shown(host, tap)
    tap.status(result, 0, "audit")
    tap.equal((got.get("disk"), got.get("running")), ("true", "true"),
              "the views")
    host.write(wrapper, "#!/bin/sh\n"
               "exec unshare -m sh -c 'mount --bind %s %s; exec \"$@\"' "
               "sh \"$@\"\n" % (OTHER, CONFIG), 0o755)
    start(host, "", exec_start=command)
    check_hidden(host, tap)
    host.remove(wrapper)


def test_home(host, tap):
    """WorkingDirectory=~: a relative --config is below root's home."""
    for user in ("", "User=root\n", "User=0\n"):
        for key, want in ((KEY_TRUE, "true"), (KEY_FALSE, "false")):
            start(host, user + "WorkingDirectory=~", exec_start=
                  "/usr/bin/kubelet --kubeconfig=/k --config=home-kubelet.json",
                  home=CONFIG_TEXT % key)
            _, audit = host.remedy_json("audit")
            got = states(audit)
            tap.equal((got.get("disk"), got.get("running"), host.value()),
                      (want, want, want), "%r: the views" % user,
                      audit.get("reason"))
    host.remove("/root/home-kubelet.json")


def main():
    return run_file(__doc__, globals())


if __name__ == "__main__":
    sys.exit(main())
