#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What systemd has read, and a systemd that cannot or will not be asked.

    test-e2e-bus.py PROGRAM STANDIN [TEST...]

Needs root; without it the whole is skipped.
"""

import contextlib
import sys

import cost_lib
from e2e_lib import FALSE_FLAG, check_untouched, failing_node, run_file
from host_lib import DROPIN, DROPIN_TEXT, FLAG

POLICY = "/etc/dbus-1/system.d/zz-no-reload.conf"
POLICY_TEXT = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <policy context="mandatory">
    <deny send_destination="org.freedesktop.systemd1"
          send_interface="org.freedesktop.systemd1.Manager"
          send_member="Reload"/>
  </policy>
</busconfig>
"""


@contextlib.contextmanager
def no_bus(host):
    """Neither a bus nor systemd's own socket: nobody can ask systemd."""
    host.sh("systemctl stop dbus.socket dbus.service;"
            " mv /run/systemd/private /run/systemd/private.away")
    try:
        yield
    finally:
        host.sh("mv /run/systemd/private.away /run/systemd/private;"
                " systemctl start dbus.socket dbus.service")


@contextlib.contextmanager
def no_reload(host):
    """A bus whose policy lets nobody tell systemd to reload."""
    host.write(POLICY, POLICY_TEXT)
    host.sh("systemctl reload dbus.service")
    try:
        yield
    finally:
        host.remove(POLICY)
        host.sh("systemctl reload dbus.service")


def words_of(host, pid):
    return host.read("/proc/%s/cmdline" % pid).decode().split("\0")


# --- what an audit costs

CALLS_MAX = 315                 # a third of them load libsystemd and greet
CALLS_OF_LINKS_MAX = 8


def count_calls(host):
    log = "/run/strace.log"
    host.run(["strace", "-f", "-o", log, "kubelet-remedy", "audit"])
    calls = cost_lib.parse_calls(host.read(log).decode().splitlines())
    host.remove(log)
    return calls


def test_calls(host, tap):
    """Whatever links lie in the unit folders; and no child process."""
    if not cost_lib.have("strace"):
        tap.skip("strace is not installed")
        return
    failing_node(host)
    calls = count_calls(host)
    tap.check(any("libsystemd" in path for path in calls.opened),
              "systemd is asked", calls.opened)
    tap.equal(calls.execs + calls.starts, 0, "no child process")
    tap.check(50 < calls.total <= CALLS_MAX, "system calls", calls.total)
    host.sh("cd /etc/systemd/system; for i in $(seq 1000); do "
            "ln -s kubelet.service a$i.service; ln -s /dev/null b$i.service; "
            "done")
    more = count_calls(host)
    host.sh("cd /etc/systemd/system; rm [ab][0-9]*.service")
    tap.check(more.total - calls.total <= CALLS_OF_LINKS_MAX,
              "system calls more with 2,000 links", calls.total, more.total)


# --- nobody to ask, or nothing to ask with

def test_no_libsystemd(host, tap):
    """It is said in plain words; an audit goes on, a fix changes nothing."""
    before, was = failing_node(host)

    def run(*words):
        return host.run(["unshare", "--mount", "--propagation=private", "sh",
                         "-c", "for f in /usr/lib/*/libsystemd.so.0; do mount "
                         "--bind /dev/null $(readlink -f $f); done; exec "
                         "kubelet-remedy " + " ".join(words)])
    words = ("libsystemd.so.0 (libsystemd 245 or newer) is needed for this "
             "and cannot be loaded: ")
    result = run("audit")
    tap.status(result, 1, "audit")
    tap.contains(result.stdout, "systemd cannot be asked, its files are read "
                 "instead: " + words, "audit says why")
    result = run("fix")
    tap.status(result, 4, "fix")
    tap.contains(result.stdout + result.stderr, words, "fix says why")
    said = run("status").stdout
    tap.contains(said, "systemd cannot be asked: " + words, "status says why")
    tap.contains(said, "\nnext: ", "status says what to do")
    tap.equal(host.snapshot(), before, "no file is changed")
    tap.equal(host.identity(), was, "kubelet was not touched")


def test_no_bus(host, tap):
    """A restart that is owed and cannot be made: nothing is changed."""
    before, was = failing_node(host)
    with no_bus(host):
        tap.status(host.remedy("audit"), 1, "audit")
        for words in (["fix"], ["fix", "-n"]):
            result = host.remedy(*words)
            tap.status(result, 4, " ".join(words))
            tap.contains(result.stdout + result.stderr, "--restart=never",
                         "what can be done is said")
            tap.equal(host.snapshot(), before, "no file is changed")
        result = host.remedy("fix", "--restart=never")
        tap.status(result, 0, "--restart=never")
        tap.matches(result.stderr, r"warning: .*daemon-reload",
                    "the reload that is owed is said")
        tap.check(FLAG.encode() not in host.read(DROPIN), "the file is fixed")
        tap.check(FALSE_FLAG in words_of(host, was[0]),
                  "kubelet is not touched")
        tap.status(host.remedy("audit"), 1, "audit: it runs with false")
    tap.equal(host.identity(), was, "kubelet was not touched")


def test_no_bus_and_undo(host, tap):
    """Whether kubelet was started since the fix its process tells."""
    before, was = failing_node(host)
    with no_bus(host):
        host.remedy("fix", "--restart=never")
        result = host.remedy("undo", "-n")
        tap.status(result, 0, "undo -n of a fix that kubelet never saw")
        tap.status(host.remedy("undo"), 0, "undo")
        tap.equal(host.snapshot(), before, "all is as it was")
    tap.equal(host.identity(), was, "kubelet was not touched")
    tap.status(host.remedy("fix"), 0, "a fix with its restart")
    was, fixed = host.identity(), host.snapshot()
    with no_bus(host):
        for words in (["undo"], ["undo", "-n"], ["undo", "-q"]):
            result = host.remedy(*words)
            tap.status(result, 4, " ".join(words))
            tap.equal(host.snapshot(), fixed, "no file is changed")
        tap.contains(host.remedy("undo").stdout, "--restart=never",
                     "what can be done is said")
    tap.equal(host.identity(), was, "kubelet was not touched")


def test_no_bus_and_recover(host, tap):
    """A kubelet that never saw the change needs no restart."""
    if not cost_lib.have("strace"):
        tap.skip("strace is not installed")
        return
    before, was = failing_node(host)
    with no_bus(host):
        host.run(["strace", "-o", "/dev/null", "-e", "trace=renameat", "-e",
                  "inject=renameat:signal=KILL:when=3", "kubelet-remedy",
                  "fix", "--restart=never"])
        tap.check(FLAG.encode() not in host.read(DROPIN), "it was killed late")
        result, recover = host.remedy_json("recover")
        tap.equal(recover.get("outcome"), "rolled-back", "outcome")
        tap.status(result, 0, "recover")
        tap.equal(host.snapshot(), before, "all is as it was")
    tap.equal(host.identity(), was, "kubelet was not touched")


def test_no_bus_and_compliant(host, tap):
    host.node("")
    with no_bus(host):
        result, fix = host.remedy_json("fix")
        tap.status(result, 0, "fix")
        tap.equal(fix.get("outcome"), "unchanged", "outcome")


# --- a systemd that is re-executed

def test_reexecs(host, tap):
    """From before each run to its end, several times a second."""
    failing_node(host)
    host.write("/run/reexec", "")
    others = host.spawn(["sh", "-c", "while [ -e /run/reexec ]; do systemctl "
                         "daemon-reexec; sleep 0.1; done"])
    starts = host.starts()
    tap.status(host.remedy("audit"), 1, "audit")
    for verb, value in (("fix", b""), ("undo", FALSE_FLAG.encode())):
        result = host.remedy(verb)
        tap.status(result, 0, verb)
        tap.equal("Connection" in result.stdout + result.stderr, False,
                  verb + ": no word of it")
        tap.check(value in host.read(DROPIN), verb + ": the file")
        starts += 1
        tap.equal(host.starts(), starts, verb + ": one restart")
    host.remove("/run/reexec")
    host.finish(others)


# --- systemd refuses to read the unit anew

def test_reload_refused(host, tap):
    before, was = failing_node(host)
    with no_reload(host):
        for words in ([], ["--restart=never"]):
            result, fix = host.remedy_json("fix", *words)
            check_untouched(host, tap, result, before, was)
            tap.equal(fix.get("outcome"), "failed", "outcome")
            tap.check(any(a.get("action") == "reload" and
                          a.get("result") != "done"
                          for a in fix.get("actions", [])),
                      "the refusal is among the actions", fix)
    tap.status(host.remedy("fix", "--wait=1"), 0, "a fix that may reload")


def test_reload_refused_of_kubelet_down(host, tap):
    failing_node(host)
    host.sh("systemctl stop kubelet.service")
    before = host.snapshot()
    with no_reload(host):
        result = host.remedy("fix")
        tap.status(result, 4, "fix")
        tap.equal(host.snapshot(), before, "no file is changed")
    host.sh("systemctl start kubelet.service")
    tap.check(host.is_healthy(), "kubelet can be started")


# --- systemd holds an older unit

def test_only_a_reload_is_owed(host, tap):
    """Disk and process are true: the unit that systemd holds is false."""
    host.node("")
    right = host.read(DROPIN)
    host.write(DROPIN, DROPIN_TEXT % ("--node-ip=192.0.2.30 " + FALSE_FLAG))
    host.sh("systemctl daemon-reload")
    host.write(DROPIN, right)
    before, was = host.snapshot(), host.identity()
    result, audit = host.remedy_json("audit")
    tap.equal(audit.get("reload_needed"), True, "audit knows it")
    result = host.remedy("fix", "-n", "-v")
    tap.status(result, 1, "preview")
    tap.contains(result.stdout, "(daemon-reload)\n#     "
                 "org.freedesktop.systemd1.Manager.Reload()\n",
                 "preview: it is said")
    tap.check("RestartUnit" not in result.stdout, "preview: no restart",
              result.stdout)
    result, fix = host.remedy_json("fix")
    tap.status(result, 0, "fix")
    tap.equal([a.get("action") for a in fix.get("actions", [])], ["reload"],
              "a reload and nothing else")
    tap.equal((host.snapshot(), host.identity()), (before, was),
              "nothing is changed or restarted")
    tap.equal(host.show()["NeedDaemonReload"], "no", "systemd is up to date")
    shown = host.sh("systemctl show kubelet.service -p Environment").stdout
    tap.check(FALSE_FLAG not in shown, "and holds the right words", shown)
    result, fix = host.remedy_json("fix")
    tap.equal(fix.get("outcome"), "unchanged", "then there is no more to do")
    tap.equal(fix.get("actions"), [], "and nothing is done")


def test_variable_assigned_twice(host, tap):
    """An administrator's drop-in over the platform's: nothing is owed."""
    host.node("")
    host.write(DROPIN.replace("10-", "20-"), "[Service]\n"
               "Environment=A=1 B=2 'KUBELET_ARGS=--node-ip=192.0.2.31' A=3\n"
               "Environment='KUBELET_ARGS=--node-ip=192.0.2.32' C=\n")
    host.sh("systemctl daemon-reload; systemctl restart kubelet.service")
    tap.check(host.is_healthy(), "kubelet is healthy")
    was = host.identity()
    _, audit = host.remedy_json("audit")
    tap.equal(audit.get("reload_needed"), False, "audit asks for no reload")
    _, fix = host.remedy_json("fix")
    tap.equal((fix.get("outcome"), fix.get("actions")), ("unchanged", []),
              "fix: nothing is done")
    tap.equal(host.identity(), was, "kubelet is not touched")


# --- the files are right, kubelet is not

def test_never_twice(host, tap):
    """What was not restarted is not said to run with the new value."""
    _, was = failing_node(host)
    tap.status(host.remedy("fix", "--restart=never"), 0, "first")
    result, fix = host.remedy_json("fix", "--restart=never")
    tap.status(result, 0, "second")
    tap.equal(fix.get("outcome"), "unchanged", "outcome")
    tap.equal(fix.get("after", {}).get("verdict"), "fail", "after")
    result = host.remedy("fix", "--restart=never")
    tap.contains(result.stdout, "kubelet was not restarted", "it is said")
    tap.check("runs with makeIPTablesUtilChains = true" not in result.stdout,
              "nobody says that it runs with true", result.stdout)
    tap.equal(host.identity(), was, "kubelet is not touched")

    host.run(["kill", "-STOP", was[0]])
    try:
        result = host.remedy("fix")
    finally:
        host.run(["kill", "-CONT", was[0]])
    tap.status(result, 1, "a kubelet that hangs has no say, and runs on")
    tap.matches(result.stderr, r"warning: .*not healthy", "a warning")
    tap.contains(result.stdout, "stand-in kubelet, start 1",
                 "kubelet's last lines")
    tap.equal(host.identity(), was, "it is not restarted")


if __name__ == "__main__":
    sys.exit(run_file(__doc__, globals()))
