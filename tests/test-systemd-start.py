#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a real systemd makes of a service's credentials and environment files.

    test-systemd-start.py PROGRAM

Each row is the text of a service. systemd starts a program that keeps the file
which its --config names; the audit of the same lines in kubelet's unit says
what that file would make of kubelet. Both must agree, and be what the row says.
"""

import os
import sys

import host_lib

TAKE = """#!/bin/sh
[ -z "$A" ] || echo "A=$A" >/run/got
for word; do
    case $word in --config=*) cat "${word#--config=}" >/run/got;; esac
done
true
"""
CONFIG = ("apiVersion: kubelet.config.k8s.io/v1beta1\n"
          "kind: KubeletConfiguration\nmakeIPTablesUtilChains: %s\n")
E = "ExecStart=@PROGRAM@ --config=/srv/true\n"
K = "ExecStart=@PROGRAM@ --config=%d/k\n"

# Name, service, what systemd's service got (None: nothing, False: it does not
# start), the disk's state.
ROWS = [
    ("a file", "LoadCredential=k:/srv/true\n" + K, "true", "true"),
    ("a variable", "LoadCredential=k:/srv/false\nExecStart=@PROGRAM@ "
     "--config=${CREDENTIALS_DIRECTORY}/k\n", "false", "false"),
    ("a variable that is set", "LoadCredential=k:/srv/false\n"
     "Environment=CREDENTIALS_DIRECTORY=/srv\nExecStart=@PROGRAM@ "
     "--config=${CREDENTIALS_DIRECTORY}/true\n", "true", "true"),
    ("a link", "LoadCredential=k:/srv/link\n" + K, "false", "false"),
    ("the later one", "LoadCredential=k:/srv/true\nLoadCredential=k:/srv/false\n"
     + K, "false", "false"),
    ("a text, too", "LoadCredential=k:/srv/false\nSetCredential=k:{}\n" + K,
     "false", "false"),
    ("specifiers", "LoadCredential=k%t:/srv/none\nLoadCredential=k%%z:/srv/true\n"
     "LoadCredential=%J:/srv/%p\nExecStart=@PROGRAM@ --config=%d/%J\n", "true",
     "true"),
    ("blanks behind the name", "LoadCredential=k :/srv/false\n"
     "ExecStart=@PROGRAM@ \"--config=%d/k \"\n", "false", "false"),
    ("taken back", "LoadCredential=k:/srv/true\nLoadCredential=\n" + K,
     None, "invalid"),
    ("a bad path", "LoadCredential=k:/srv/true\nLoadCredential=k:/srv//false\n"
     "LoadCredential=k:\"/srv/false\"\nLoadCredential=k: /srv/false\n"
     "LoadCredential=k:/srv/x/../false\nLoadCredential=k:/srv/%z\n" + K,
     "true", "true"),
    ("a bad name", "LoadCredential=a/k:/srv/true\n" + K, None, "invalid"),
    ("another name", "LoadCredential=l:/srv/true\n" + K, None, "invalid"),
    ("none", K, None, "invalid"),
    ("no variable", "ExecStart=@PROGRAM@ --config=${CREDENTIALS_DIRECTORY}/k\n",
     None, "invalid"),
    # environment files
    ("a bad byte", "EnvironmentFile=/srv/bad\n" + E, False, "invalid"),
    ("a bad byte, and optional", "EnvironmentFile=-/srv/bad\n" + E, "true",
     "true"),
    ("a NUL", "EnvironmentFile=/srv/nul\n" + E, False, "invalid"),
    ("a NUL, and optional", "EnvironmentFile=-/srv/nul\n" + E, "true", "true"),
    ("a folder", "EnvironmentFile=/srv\n" + E, False, "invalid"),
    ("a folder, and optional", "EnvironmentFile=-/srv\n" + E, "true", "true"),
    ("a circle", "EnvironmentFile=/srv/loop\n" + E, False, "invalid"),
    ("a circle, and optional", "EnvironmentFile=-/srv/loop\n" + E, "true",
     "true"),
    ("below a file", "EnvironmentFile=/srv/true/x\n" + E, False, "unknown"),
    ("below a file, and optional", "EnvironmentFile=-/srv/true/x\n" + E,
     "true", "true"),
    ("/dev/null", "EnvironmentFile=/dev/null\n" + E, "true", "true"),
    ("optional ones of a glob", "EnvironmentFile=-/srv/*\n" + E, "true",
     "true"),
    # what is not told
    ("a file that is not there", "LoadCredential=k:/srv/none\n" + K, False,
     "unknown"),
    ("another file that is not there", "LoadCredential=k:/srv/true\n"
     "LoadCredential=l:/srv/none\n" + K, False, "unknown"),
    ("that one has a text, too", "LoadCredential=k:/srv/true\n"
     "SetCredential=l:x\nLoadCredential=l:/srv/none\n" + K, "true", "true"),
    ("that one is systemd's own", "LoadCredential=k:/srv/true\n"
     "LoadCredential=l\n" + K, "true", "true"),
    ("a file of a folder", "LoadCredential=k:/srv\n"
     "ExecStart=@PROGRAM@ --config=%d/k_true\n", "true", "unknown"),
    ("systemd's own", "LoadCredential=k\n" + K, None, "unknown"),
    ("a text", "SetCredential=k:makeIPTablesUtilChains: true\n" + K, "true",
     "unknown"),
    ("a folder of the service's own", "StateDirectory=kr\n"
     "ExecStart=@PROGRAM@ --config=${STATE_DIRECTORY}/k\n", "true", "unknown"),
]


def lay(host):
    for word in ("true", "false"):
        host.write("/srv/" + word, CONFIG % word)
    for name in ("t", "kubelet"):
        host.write("/srv/" + name, CONFIG % "true")
    host.write("/var/lib/kr/k", CONFIG % "true")
    host.write("/srv/take", TAKE)
    host.write("/srv/bad", b"A=\xff\n")
    host.write("/srv/nul", b"A=\0\n")
    host.sh("chmod 755 /srv/take; ln -s false /srv/link; ln -s loop /srv/loop; "
            "cp /bin/true /usr/bin/kubelet; "
            # what systemd mounts at a start shows, as on any machine
            "mount --make-rshared /")


def start(host, text):
    """What t.service got: a line's last word, None or False."""
    host.write("/etc/systemd/system/t.service",
               "[Service]\nType=oneshot\n" +
               text.replace("@PROGRAM@", "/srv/take"))
    done = host.sh("rm -f /run/got; systemctl daemon-reload; "
                   "systemctl reset-failed t.service 2>/dev/null; "
                   "systemctl start t.service && echo started")
    if "started" not in done.stdout:
        return False
    got = host.sh("cat /run/got 2>/dev/null; true").stdout.split()
    return got[-1] if got else None


def try_fifo(host, tap):
    """systemd itself waits, even where the file may be missing."""
    text = "[Service]\nType=oneshot\nEnvironmentFile=-/srv/fifo\n" + E
    tap.test = "a FIFO, and optional"
    host.sh("mkfifo /srv/fifo")
    host.write(host_lib.UNIT, text.replace("@PROGRAM@", "/usr/bin/kubelet --kubeconfig=/k"))
    audit = host.remedy_json("audit", "--root=/")[1]
    tap.equal(audit["views"]["disk"]["state"], "invalid", "the audit says so")
    host.write("/etc/systemd/system/t.service",
               text.replace("@PROGRAM@", "/srv/take"))
    done = host.sh("systemctl daemon-reload; rm -f /run/got; "
                   "timeout 3 systemctl start t.service; echo $?; "
                   "timeout 3 systemctl show t.service >/dev/null; echo $?; "
                   "echo A=1 >/srv/fifo; "
                   "until [ -s /run/got ]; do sleep 0.1; done; echo started",
                   timeout=100)
    tap.equal(done.stdout.split(), ["124", "124", "started"],
              "nothing is heard of it until somebody writes to it")


# system.conf, whether 300 KiB of environment are started with, the disk.
STACKS = [
    ("", True, "true"),
    ("DefaultLimitSTACK=1M\n", False, "invalid"),
    ("DefaultLimitSTACK=1M\nDefaultLimitSTACK=\n", False, "invalid"),
    ("DefaultLimitSTACK=1M\nDefaultLimitSTACK=4M\n", True, "true"),
    ("DefaultLimitSTACK=4M\nDefaultLimitSTACK=1M:4M\n", False, "invalid"),
    ("[Other]\nDefaultLimitSTACK=1M\n", True, "true"),
    ("LogLevel=info \\\nDefaultLimitSTACK=1M\n", True, "true"),
    ("DefaultLimitSTACK=1M\nDefaultLimitSTACK=x\n", False, "unknown"),
]


def try_stack(host, tap):
    host.write("/srv/many", "".join("A%d=%s\n" % (i, "x" * 1000)
                                    for i in range(300)))
    text = "EnvironmentFile=/srv/many\n" + E
    host.write(host_lib.UNIT, "[Service]\n" + text.replace(
        "@PROGRAM@", "/usr/bin/kubelet --kubeconfig=/k"))
    for conf, starts, want in STACKS:
        tap.test = repr(conf)
        host.write("/etc/systemd/system.conf", "[Manager]\n" + conf)
        tap.equal(start(host, text), "true" if starts else False,
                  "whether systemd's service starts")
        view = host.remedy_json("audit")[1]["views"]["disk"]
        tap.equal(view["state"], want, "the audit says so", view)
    host.remove("/etc/systemd/system.conf")


def main():
    program = sys.argv[1]
    try:
        host_lib.need_host()
    except host_lib.Skip as reason:
        print("1..0 # SKIP %s" % reason)
        return 0
    tap = host_lib.Tap()
    host = host_lib.Host(program, "/bin/true", "start-%d" % os.getpid())
    with host:
        lay(host)
        for name, text, got, want in ROWS:
            tap.test = name
            real = start(host, text)
            tap.equal(real, got, "systemd's service gets it")
            host.write(host_lib.UNIT, "[Service]\n" + text.replace(
                "@PROGRAM@", "/usr/bin/kubelet --kubeconfig=/k"))
            host.sh("systemctl daemon-reload")
            result, audit = host.remedy_json("audit")
            view = audit["views"]["disk"]
            tap.equal(view["state"], want, "the audit says so", view,
                      result.stderr)
        try_stack(host, tap)
        try_fifo(host, tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
