#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What contrib/ offers for whole clusters, tried on a test host.

    test-recipes.py SOURCE_ROOT STANDIN [TEST...]

contrib/bundle is built and runs where its libraries are not; the user data of
contrib/eks is taken apart as cloud-init does it and its script is run between
stand-ins of nodeadm's units, or with one of bootstrap.sh; the role of
contrib/ansible is played on the host. Needs root; else the whole is skipped.
"""

import email
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

from cli_lib import shown_commands
from e2e_lib import FALSE_FLAG, KEY_FALSE, run_file
from host_lib import (CONFIG, CONFIG_TEXT, DROPIN, FLAG, UNIT, Skip)

SERVICE = "kubelet-remedy.service"
STARTS = "/run/standin-kubelet.starts"
BUNDLE = "/root/kubelet-remedy.tar.gz"
SCRIPT = "/var/lib/cloud/instance/scripts/part-001"
FROM_BUNDLE = ("/opt/kubelet-remedy", "/usr/local/sbin/kubelet-remedy",
               "/etc/systemd/system/kubelet-remedy.service",
               "/etc/systemd/system/kubelet-remedy-recover.service",
               "/etc/systemd/system/kubelet-remedy-audit.service",
               "/etc/systemd/system/kubelet-remedy-audit.timer")


@functools.lru_cache(None)
def bundle():
    """The tarball's bytes, built once."""
    path = WORK + "/kubelet-remedy.tar.gz"
    subprocess.run([ROOT + "/contrib/bundle", path], check=True,
                   stdin=subprocess.DEVNULL, stdout=sys.stderr)
    with open(path, "rb") as file:
        return file.read()


def clean(host):
    """A node without kubelet, and without us."""
    host.reset()
    host.sh("rm -rf %s /root/.ansible /var/lib/cloud /etc/systemd/system/"
            "*.wants/kubelet*.service /etc/systemd/system/bth.target.wants "
            "/etc/systemd/system/nodeadm-* /etc/systemd/system/cloud-final*; "
            "systemctl daemon-reload" % " ".join(FROM_BUNDLE))
    host.write(BUNDLE, bundle())


def starts(host):
    try:
        return int(host.read(STARTS))
    except FileNotFoundError:
        return 0


def is_enabled(host):
    return host.run(["systemctl", "is-enabled", SERVICE]).stdout.strip()


# --- the bundle ------------------------------------------------------------------


def test_bundle(host, tap):
    """It runs where nothing that it needs is installed, and goes back."""
    clean(host)
    tap.status(host.sh("tar -xzf %s -C / && systemctl daemon-reload" % BUNDLE),
               0, "unpacked")
    folders = host.sh("stat -c '%a %U %n' / /etc /etc/systemd/system /usr "
                      "/usr/local/sbin").stdout
    tap.check(all(line.startswith("755 root")
                  for line in folders.splitlines()), "folders are as before",
              folders)
    moved = host.sh("mkdir /root/away; for f in $(ldd /usr/bin/kubelet | "
                    "sed -n 's/.*=> \\(.*libcjson[^ ]*\\|.*libbsd[^ ]*\\) .*/"
                    "\\1/p') /usr/lib/*/libyaml-0.so.2; do cp -a $(readlink -f "
                    "$f) /root/away/; echo $(readlink -f $f); done; "
                    "for f in $(cd /root/away; ls); do rm -f "
                    "/usr/lib/*/$f /lib/*/$f; done; ls /root/away").stdout
    tap.check("libcjson" in moved and "libyaml" in moved,
              "its libraries are not on the node", moved)
    version = host.remedy("--version")
    tap.status(version, 0, "it runs")
    maps = host.sh("LD_TRACE_LOADED_OBJECTS=1 /opt/kubelet-remedy/program/"
                   "kubelet-remedy.loader --preload libsystemd.so.0 --list "
                   "/opt/kubelet-remedy/program/kubelet-remedy "
                   "| grep -v vdso | grep -v /opt/kubelet-remedy/program/")
    tap.equal(maps.stdout, "", "all that is loaded is its own")
    host.sh("for f in /root/away/*; do cp -a $f /usr/lib/$(uname -m)-linux-gnu/"
            "; done; rm -r /root/away")
    host.node(FALSE_FLAG)
    before = host.snapshot()
    tap.status(host.remedy("fix", "--wait=2"), 0, "fix")
    tap.equal((host.is_healthy(), host.value()), (True, "true"), "kubelet")
    tap.status(host.remedy("undo", "--wait=2"), 0, "undo")
    tap.equal(host.snapshot(), before, "as before")


def test_bundle_removed(host, tap):
    """By the commands of contrib/RELEASE.md, whatever was enabled."""
    clean(host)
    host.node(FALSE_FLAG)
    host.sh("tar -xzf %s -C /; systemctl daemon-reload" % BUNDLE)
    units = [os.path.basename(name) for name in FROM_BUNDLE[2:]]
    tap.status(host.run(["systemctl", "enable", "--now", units[1], units[3]]), 0,
               "what was enabled")
    tap.status(host.remedy("fix", "--wait=2"), 0, "fix")
    fixed, was = host.snapshot(), host.identity()
    tap.status(host.sh("set -e\n" + shown_commands(
        ROOT + "/contrib/RELEASE.md", "The bundle")), 0, "removed")
    tap.equal([name for name in FROM_BUNDLE if os.path.lexists(host.root + name)],
              [], "no file of it is left")
    tap.equal(host.sh("find /etc/systemd /run/systemd/system -name 'kubelet-remedy*'; "
                      "systemctl list-unit-files --no-legend 'kubelet-remedy*'"
                      ).stdout, "", "nor a unit, nor a link to one")
    tap.equal((host.snapshot(), host.identity()), (fixed, was),
              "kubelet and its files are untouched")
    tap.check(os.path.isdir(host.root + "/var/lib/kubelet-remedy"),
              "the records stay")


def test_bundle_timer(host, tap):
    """A fix of the bundle's that is killed is taken back by systemd."""
    clean(host)
    host.sh("tar -xzf %s -C /" % BUNDLE)
    host.node(FALSE_FLAG)
    host.sh("tar -xzf %s -C /; systemctl daemon-reload" % BUNDLE)
    before = host.snapshot()
    host.run(["strace", "-f", "-o", "/dev/null", "-e",
              "inject=renameat,renameat2:signal=SIGKILL:when=2",
              "kubelet-remedy", "fix", "--wait=2"])
    tap.check(host.snapshot() != before or os.path.exists(
        host.root + "/var/lib/kubelet-remedy/pending"), "killed")
    units = host.sh("systemctl list-units --all --plain --no-legend "
                    "'kubelet-remedy-rollback*.timer' | cut -d' ' -f1").stdout
    timer = units.strip()
    tap.check(timer.endswith(".timer"), "a timer is armed", units)
    tap.status(host.run(["systemctl", "start",
                         timer.replace(".timer", ".service")]), 0,
               "what the timer runs")
    host.run(["systemctl", "stop", timer])
    tap.equal(host.snapshot(), before, "the files are back")


# --- user data of EKS ---------------------------------------------------------------


def user_data(name):
    """{content type: text}, as cloud-init takes it apart."""
    with open("%s/contrib/eks/%s" % (ROOT, name), encoding="ascii") as file:
        message = email.message_from_file(file)
    assert message.is_multipart() and not message.defects
    parts = message.get_payload()
    assert not any(part.defects for part in parts)
    return {part.get_content_type(): part.get_payload() for part in parts}


def script_of(name, **words):
    """The shell script, with what a user fills in."""
    text = user_data(name)["text/x-shellscript"].lstrip("\n")
    for word, value in words.items():
        text, n = re.subn("^%s=.*$" % word, "%s='%s'" % (word, value), text,
                          flags=re.M)
        assert n == 1, word
    return text


def test_user_data_form(_host, tap):
    for name, types in (
            ("al2023-user-data.mime",
             ["application/node.eks.aws", "text/x-shellscript"]),
            ("al2-user-data.mime", ["text/x-shellscript"])):
        parts = user_data(name)
        tap.equal(sorted(parts), types, name + ": its parts")
        script = script_of(name)
        tap.check(script.startswith("#!/bin/bash\n"),
                  name + ": cloud-init runs it", script[:40])
        if shutil.which("shellcheck"):
            done = subprocess.run(["shellcheck", "-"], input=script, text=True,
                                  stdout=subprocess.PIPE, check=False)
            tap.equal((done.returncode, done.stdout), (0, ""),
                      name + ": shellcheck")
    config = user_data("al2023-user-data.mime")["application/node.eks.aws"]
    tap.matches(config, r"^kind: NodeConfig$", "a NodeConfig")
    tap.matches(config, r"^  kubelet:\n    config:\n"
                r"      makeIPTablesUtilChains: true$", "with the value in it")


NODEADM_CONFIG = """\
mkdir -p /etc/eks/kubelet /etc/kubernetes/kubelet
cat >/etc/kubernetes/kubelet/config.json <<'END'
%sEND
echo 'NODEADM_KUBELET_ARGS=--kubeconfig=/k --config=/etc/kubernetes/kubelet/config.json \
--node-ip=192.0.2.30 %s' >/etc/eks/kubelet/environment
""" % (CONFIG_TEXT % KEY_FALSE, FALSE_FLAG)


def oneshot(host, name, after, command):
    host.write("/etc/systemd/system/" + name,
               "[Unit]\nDescription=%s\nAfter=%s\n[Service]\nType=oneshot\n"
               "RemainAfterExit=yes\nExecStart=%s\n" % (name, after, command))
    host.sh("mkdir -p /etc/systemd/system/bth.target.wants; ln -sf ../%s "
            "/etc/systemd/system/bth.target.wants/" % name)


def al2023(host, **words):
    clean(host)
    host.write(UNIT, "[Unit]\nDescription=Kubelet\n[Service]\n"
               "EnvironmentFile=/etc/eks/kubelet/environment\n"
               "ExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS\n")
    host.write("/usr/local/sbin/nodeadm-config", NODEADM_CONFIG, 0o755)
    host.write(SCRIPT, script_of("al2023-user-data.mime", **words), 0o755)
    oneshot(host, "nodeadm-config.service", "basic.target",
            "/bin/bash -e /usr/local/sbin/nodeadm-config")
    oneshot(host, "cloud-final.service", "nodeadm-config.service", SCRIPT)
    oneshot(host, "nodeadm-run.service", "cloud-final.service",
            "/bin/systemctl start kubelet")
    host.sh("sync")
    host.reboot()


def digest():
    return hashlib.sha256(bundle()).hexdigest()


def test_al2023(host, tap):
    words = {"from": "file://" + BUNDLE, "sha256": digest()}
    al2023(host, **words)
    tap.check(host.is_healthy(), "kubelet is healthy", host.log())
    tap.equal((starts(host), host.value()), (1, "true"),
              "kubelet's first process has the right value",
              host.sh("journalctl --sync; journalctl -b --no-pager -u cloud-final").stdout)
    tap.equal(is_enabled(host), "enabled", "later starts go through it")
    shown = host.run(["systemctl", "is-failed", "cloud-final.service"])
    tap.equal(shown.stdout.strip(), "active", "the script did well")
    # user data runs once: later boots have only the unit
    host.remove("/etc/systemd/system/bth.target.wants/cloud-final.service")
    host.sh("sync")
    host.reboot()
    tap.check(host.is_healthy(), "second boot: kubelet is healthy", host.log())
    tap.equal((starts(host), host.value()), (1, "true"),
              "second boot: nodeadm wrote false again, kubelet has true")
    again = host.run(["bash", SCRIPT])
    tap.status(again, 0, "the script once more")
    tap.equal(again.stderr, "", "it is quiet")


def test_al2023_unhappy(host, tap):
    for what, words in (
            ("other bytes", {"from": "file://" + BUNDLE, "sha256": "0" * 64}),
            ("no sum", {"from": "file://" + BUNDLE}),
            ("nothing there", {"from": "file:///root/none.tar.gz",
                               "sha256": digest()})):
        al2023(host, **words)
        tap.check(host.is_healthy(), what + ": the node's kubelet starts",
                  host.log())
        tap.check(not os.path.exists(host.root + "/opt/kubelet-remedy"),
                  what + ": nothing is unpacked")
        said = host.sh("journalctl --sync; journalctl -b --no-pager -u cloud-final").stdout
        tap.contains(said, "could not be installed", what + ": it is said")
        tap.equal(host.run(["systemctl", "is-failed", "cloud-final.service"]
                           ).stdout.strip(), "failed",
                  what + ": and seen in cloud-init's status")


# As the AMI's: it writes drop-ins, passes the file through jq, starts kubelet.
BOOTSTRAP_SH = """\
#!/bin/bash
set -eu
cluster=$1; shift; extra=
while [ $# -gt 0 ]; do
    case $1 in --kubelet-extra-args) extra=$2; shift 2;; *) exit 2;; esac
done
[ "$cluster" = demo ]
d=/etc/systemd/system/kubelet.service.d; mkdir -p $d
cat >$d/10-kubelet-args.conf <<END
[Service]
Environment='KUBELET_ARGS=--node-ip=192.0.2.30 --v=2'
END
cat >$d/30-kubelet-extra-args.conf <<END
[Service]
Environment='KUBELET_EXTRA_ARGS=$extra'
END
f=%s
echo "$(python3 -c 'import json,sys; c=json.load(open(sys.argv[1])); \
c["maxPods"]=29; print(json.dumps(c, indent=2))' $f)" >$f
systemctl daemon-reload
systemctl enable kubelet
systemctl start kubelet
""" % CONFIG

# systemd cannot be asked, as that of AL2 (219), which is too old
NO_SYSTEMD = ["env", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent"]


def al2(host, **words):
    clean(host)
    host.write(UNIT, "[Unit]\nDescription=Kubelet\n[Service]\n"
               "ExecStart=/usr/bin/kubelet --kubeconfig=/k --config %s $KUBELET_ARGS "
               "$KUBELET_EXTRA_ARGS\n[Install]\nWantedBy=multi-user.target\n"
               % CONFIG)
    host.write(CONFIG, CONFIG_TEXT % KEY_FALSE)
    host.write("/etc/eks/bootstrap.sh", BOOTSTRAP_SH, 0o755)
    host.write(SCRIPT, script_of("al2-user-data.mime", cluster="demo",
                                 **words), 0o755)
    host.sh("systemctl daemon-reload")
    return host.run(NO_SYSTEMD + [SCRIPT])


def test_al2(host, tap):
    result = al2(host, **{"from": "file://" + BUNDLE, "sha256": digest(),
                          "kubelet_extra_args": "--v=3 " + FALSE_FLAG})
    tap.status(result, 0, "the script")
    tap.check(host.is_healthy(), "kubelet is healthy", host.log())
    tap.equal((starts(host), host.value()), (1, "true"),
              "kubelet's first process has the right value")
    tap.equal([word for word in host.argv() if word.startswith(FLAG)],
              [FALSE_FLAG, FLAG + "=true"], "the last word counts")
    tap.contains(host.read(CONFIG).decode(), '"makeIPTablesUtilChains": true',
                 "the file is right, too")
    tap.contains(result.stdout, "PASS", "the log has the audit")


def test_al2_unhappy(host, tap):
    result = al2(host, **{"from": "file://" + BUNDLE, "sha256": "0" * 64})
    tap.check(result.status != 0, "other bytes: it is told", result)
    tap.contains(result.stderr, "could not be installed", "other bytes: said")
    tap.check(host.is_healthy(), "other bytes: the node joins", host.log())
    tap.equal(host.value(), "true", "other bytes: the flag wins alone")
    host.write("/etc/eks/bootstrap.sh", "#!/bin/sh\nexit 7\n", 0o755)
    tap.status(host.run(NO_SYSTEMD + [SCRIPT]), 7, "bootstrap.sh fails")


# --- Ansible ------------------------------------------------------------------------


def play(host, *words):
    """The play; (result, its recap as {word: number})."""
    result = host.run(
        ["env", "HOME=/root", "ANSIBLE_NOCOLOR=1", "ANSIBLE_PIPELINING=1", "ansible-playbook", "-c", "local", "-i", "localhost,",
         "-e", "ansible_become=false", "-e",
         "ansible_python_interpreter=/usr/bin/python3",
         "/srv/ansible/site.yml", *words], timeout=600)
    recap = re.search(r"^localhost +: (.*)$", result.stdout, re.M)
    return result, {word: int(n) for word, n in
                    re.findall(r"(\w+)=(\d+)", recap.group(1) if recap
                               else "")}


FIX = ("-e", "kubelet_remedy_state=fix", "-e", "kubelet_remedy_wait=3")
UNDO = ("-e", "kubelet_remedy_state=undo", "-e", "kubelet_remedy_wait=3")
GONE = ("-e", "kubelet_remedy_state=absent")


def check_play(tap, played, what, **want):
    result, recap = played
    tap.equal({word: recap.get(word) for word in want}, want, what,
              result.stdout[-3000:], result.stderr[-1000:])


def test_ansible(host, tap):
    if not shutil.which("ansible-playbook"):
        raise Skip("no ansible-playbook")
    clean(host)
    host.node(FALSE_FLAG)
    before, was = host.snapshot(), host.identity()
    package = ("-e", "kubelet_remedy_package=" + BUNDLE)
    played = play(host)
    check_play(tap, played, "without the program", failed=1, changed=0)
    tap.contains(played[0].stdout, "kubelet-remedy is not on this node",
                 "without the program: what to do")
    played = play(host, *package)
    check_play(tap, played, "look: what a failing node is left with shows in "
               "the recap", failed=0)
    tap.contains(played[0].stdout, "makeIPTablesUtilChains: kubelet would",
                 "look: what is left is listed")
    tap.contains(played[0].stdout, "fail: kubelet would start with",
                 "look: the verdict is reported")
    tap.equal((host.snapshot(), host.identity()), (before, was),
              "look: the node is untouched")
    tap.equal(is_enabled(host), "disabled", "look: nothing is enabled")
    check_play(tap, play(host, *package),
               "look again: only what is left is \"changed\"", changed=1,
               failed=0)
    check_play(tap, play(host, "-e", "kubelet_remedy_fail_audit=true"),
               "look: a failing node is a failed one, where wanted", failed=1)

    played = play(host, *FIX, "--check")
    check_play(tap, played, "preview", failed=0)
    tap.contains(played[0].stdout, "-Environment=", "preview: the diff")
    tap.equal((host.snapshot(), host.identity(), is_enabled(host)),
              (before, was, "disabled"), "preview: the node is untouched")

    played = play(host, *FIX)
    check_play(tap, played, "fix: kubelet's files, and two units",
               changed=3, failed=0)
    tap.equal((host.is_healthy(), host.value(), is_enabled(host)),
              (True, "true", "enabled"), "fix: kubelet")
    was = host.identity()
    check_play(tap, play(host, *FIX, *package), "fix again: nothing changes",
               changed=0, failed=0)
    tap.equal(host.identity(), was, "fix again: kubelet is left alone")
    check_play(tap, play(host, *FIX, "-e", "kubelet_remedy_at_boot=false"),
               "not at boot", changed=1, failed=0)
    tap.equal(is_enabled(host), "disabled", "not at boot: disabled")
    check_play(tap, play(host), "look: a node that passes", changed=0,
               failed=0)


def documented():
    """The words of each call that the head of site.yml shows, in its order."""
    with open(ROOT + "/contrib/ansible/site.yml", encoding="utf-8") as file:
        lines = re.findall("^# +(ansible-playbook .*)$", file.read(), re.M)
    return [line.replace("$PWD", "/root").split("site.yml", 1)[1].split()
            for line in lines]


def test_ansible_documented(host, tap):
    """Typed one after the other on a node without the program."""
    if not shutil.which("ansible-playbook"):
        raise Skip("no ansible-playbook")
    clean(host)
    host.node(FALSE_FLAG)
    before = host.snapshot()
    calls = documented()
    tap.equal(len(calls), 5, "install and audit, preview, fix, undo, uninstall",
              calls)
    for words, want, value in zip(calls, (
            {"failed": 0}, {"failed": 0}, {"changed": 3, "failed": 0},
            {"changed": 1, "failed": 0}, {"failed": 0}),
            ("false", "false", "true", "false", "false")):
        check_play(tap, play(host, *words), " ".join(words), **want)
        tap.equal(host.value(), value, "kubelet runs with " + value)
    tap.equal(host.snapshot(), before, "all is as before")
    tap.check(not os.path.lexists(host.root + "/opt/kubelet-remedy"),
              "the program is gone")


def test_ansible_undo(host, tap):
    """Back to where the node was, and the program off it."""
    if not shutil.which("ansible-playbook"):
        raise Skip("no ansible-playbook")
    clean(host)
    host.node(FALSE_FLAG)
    before = host.snapshot()
    check_play(tap, play(host, *FIX, "-e",
                         "kubelet_remedy_package=" + BUNDLE), "fix", failed=0)
    check_play(tap, play(host, *UNDO, "--check"), "preview of the undo",
               failed=0)
    tap.equal(host.value(), "true", "preview of the undo: as it was")
    check_play(tap, play(host, *UNDO), "undo", changed=1, failed=0)
    tap.equal((host.is_healthy(), host.value(), host.snapshot()),
              (True, "false", before), "undo: all is as before")
    check_play(tap, play(host, *UNDO), "undo again: nothing to do", changed=0,
               failed=0)
    check_play(tap, play(host, *GONE), "uninstall", failed=0)
    tap.equal([name for name in FROM_BUNDLE
               if os.path.lexists(host.root + name)], [],
              "uninstall: nothing of it is left")
    tap.equal((host.is_healthy(), host.value()), (True, "false"),
              "uninstall: kubelet is left alone")
    check_play(tap, play(host, *GONE), "uninstall again: nothing changes",
               changed=0, failed=0)
    host.sh("tar -xzf %s -C /; systemctl daemon-reload; systemctl enable --now "
            "kubelet-remedy-audit.timer" % BUNDLE)
    host.run(["strace", "-f", "-o", "/dev/null", "-e",
              "inject=renameat,renameat2:signal=SIGKILL:when=2",
              "kubelet-remedy", "fix", "--wait=2"])
    pending = host.root + "/var/lib/kubelet-remedy/pending"
    tap.check(os.path.exists(pending), "a fix was killed")
    check_play(tap, play(host, *GONE), "uninstall after that", failed=0)
    tap.equal((host.snapshot(), os.path.exists(pending)), (before, False),
              "uninstall after that: it is reverted")
    tap.equal(host.run(["systemctl", "is-active", "kubelet-remedy-audit.timer"])
              .stdout.strip(), "inactive", "uninstall: the timer is stopped")


def test_ansible_options(host, tap):
    """Of a benchmark: what needs permission is left, listed, and then given."""
    if not shutil.which("ansible-playbook"):
        raise Skip("no ansible-playbook")
    clean(host)
    host.node(FALSE_FLAG)
    host.sh("tar -xzf %s -C /" % BUNDLE)
    options = ("-e", '{"kubelet_remedy_options": ["--benchmark=cis-1.12", '
               '"--control=podPidsLimit,makeIPTablesUtilChains"]}')
    played = play(host, *options)
    check_play(tap, played, "look", changed=1, failed=0)
    for name in ("podPidsLimit", "makeIPTablesUtilChains"):
        tap.contains(played[0].stdout, name + ": ", "look: %s is listed" % name)
    played = play(host, *FIX, *options)
    check_play(tap, played, "fix: one is left", failed=0)
    tap.equal(host.value(), "true", "fix: the other is made")
    tap.contains(played[0].stdout, "podPidsLimit (ask): its value must be chosen",
                 "fix: what is left is listed")
    tap.contains(played[0].stdout, "kubelet-remedy fix -n --benchmark=cis-1.12 "
                 "--control=podPidsLimit --set=podPidsLimit=",
                 "fix: with the command")
    allow = ("-e", '{"kubelet_remedy_fix_options": '
             '["--set=podPidsLimit=1024"]}')
    check_play(tap, play(host, *FIX, *options, *allow), "fix with permission",
               changed=1, failed=0)
    tap.contains(host.read(CONFIG).decode(), '"podPidsLimit": 1024',
                 "fix with permission: done")


def test_ansible_words(host, tap):
    """What the role does not know is an error before anything is done."""
    if not shutil.which("ansible-playbook"):
        raise Skip("no ansible-playbook")
    clean(host)
    host.node(FALSE_FLAG)
    for word in ("state=fixed", "restart=soon", "wait=0", "wait=a",
                 "package=/root/kubelet-remedy.zip",
                 "package=/root/kubelet-remedy.tgz",
                 "package=/root/kubelet-remedy"):
        played = play(host, "-e", "kubelet_remedy_" + word)
        check_play(tap, played, word, failed=1, changed=0)
        tap.contains(played[0].stdout, "kubelet_remedy_state is one of",
                     word + ": what is known is said")


def test_ansible_unhappy(host, tap):
    if not shutil.which("ansible-playbook"):
        raise Skip("no ansible-playbook")
    clean(host)
    host.node(FALSE_FLAG)
    host.sh("tar -xzf %s -C /" % BUNDLE)
    os.link(host.root + DROPIN, host.root + DROPIN + ".old")
    before, was = host.snapshot(), host.identity()
    result, recap = play(host, *FIX)
    tap.equal((result.status != 0, recap.get("failed")), (True, 1),
              "refused: the play fails", result.stdout[-2000:])
    tap.equal((host.snapshot(), host.identity(), is_enabled(host)),
              (before, was, "disabled"), "refused: the node is untouched")
    result, recap = play(host, *FIX, "-e", '{"kubelet_remedy_options": '
                         '["--control=protectKernelDefaults"]}')
    tap.equal((result.status != 0, recap.get("failed")), (True, 1),
              "one control, refused: the play fails", result.stdout[-2000:])
    tap.contains(result.stdout, "vm.overcommit_memory = 1",
                 "one control, refused: what has to be done first")
    host.remove(DROPIN + ".old")
    host.write("/run/standin-kubelet.conf", "die-after-ms=300 when=true\n")
    result, recap = play(host, *FIX)
    tap.equal((result.status != 0, recap.get("failed")), (True, 1),
              "put back: the play fails", result.stdout[-2000:])
    tap.equal((host.is_healthy(), host.value()), (True, "false"),
              "put back: kubelet runs as before")
    host.node(FALSE_FLAG, control="never-healthy=500\n", start=False)
    host.sh("tar -xzf %s -C /; systemctl daemon-reload; "
            "systemctl start --no-block kubelet" % BUNDLE)
    played = play(host, *FIX)
    check_play(tap, played, "kubelet was unhealthy and runs with false: it shows",
               changed=4, failed=0)
    tap.contains(played[0].stdout, "What is left to do",
                 "kubelet was unhealthy: said")
    tap.contains(host.read(DROPIN).decode(), "KUBELET_ARGS=", "the file is fixed")
    tap.check(FALSE_FLAG not in host.read(DROPIN).decode(), "without the flag")
    host.reset()
    host.sh("tar -xzf %s -C /" % BUNDLE)
    check_play(tap, play(host, *FIX), "no kubelet yet: nothing to do, but at "
               "its start", failed=0)


def prepare(host):
    host.remove("/usr/bin/kubelet-remedy")


def main():
    return run_file(__doc__, globals(), programs=(2, 2), prepare=prepare,
                    upper=True, options=["--bind-ro", ROOT
                                         + "/contrib/ansible:/srv/ansible"])


if __name__ == "__main__":
    ROOT = (sys.argv[1:2] + [""])[0]
    with tempfile.TemporaryDirectory(prefix="recipes-", dir="/var/tmp") as WORK:
        STATUS = main()
    sys.exit(STATUS)
