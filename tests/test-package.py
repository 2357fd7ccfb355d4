#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The packages, built from this tree, and what is left when they go.

    test-package.py SOURCE_ROOT BUILD_ROOT STANDIN [TEST...]

The Debian package is built, looked at by lintian, installed on a test host that
is then rebooted, and purged; the RPM is built with Fedora's macros, installed
and erased; and "meson install" is undone. What a machine lacks the tools for is skipped.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile

from e2e_lib import FALSE_FLAG
from host_lib import UNIT, Host, Skip, need_host, run_tests

SERVICE = "kubelet-remedy.service"
RECOVER = "kubelet-remedy-recover.service"
AUDIT = ("kubelet-remedy-audit.service", "kubelet-remedy-audit.timer")
STATE_DIR = "/var/lib/kubelet-remedy"
STARTS = "/run/standin-kubelet.starts"

# What dpkg, the journal and the loader keep of anything that comes and goes.
KEEPS = re.compile(
    r"/var/(log|cache|lib/(dpkg|rpm|apt|systemd/catalog|systemd/timers|ucf))(/|$)"
    r"|/etc/ld\.so\.cache|/etc/\.pwd\.lock|/root/|/var/tmp/|/var/backups/")


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip("no " + tool)


def call(argv, **options):
    """Its output, both kinds; RuntimeError with that if it fails."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, errors="replace", **options)
    if done.returncode:
        raise RuntimeError("%s: status %d\n%s" % (
            " ".join(argv), done.returncode, done.stdout[-8000:]))
    return done.stdout


@functools.lru_cache(None)
def version():
    with open(ROOT + "/meson.build", encoding="utf-8") as file:
        return re.search(r"^  version : '(.*)',$", file.read(), re.M).group(1)


@functools.lru_cache(None)
def debs():
    """Built once: {name of the package: its file}."""
    need("dpkg-buildpackage", "dh")
    out = WORK + "/deb"
    call([ROOT + "/contrib/build-deb", out],
         env={**os.environ, "DEB_BUILD_OPTIONS": "nocheck"})
    return {name.split("_")[0]: os.path.join(out, name)
            for name in os.listdir(out) if name.endswith(".deb")}


def deb_files(package):
    text = call(["dpkg-deb", "-c", debs()[package]])
    return {line.split(None, 5)[5].split(" -> ")[0].removeprefix(".")
            for line in text.splitlines() if not line.endswith("/")}


# --- Debian -----------------------------------------------------------------


def test_deb_built(_host, tap):
    tap.equal(sorted(name for name in debs() if "dbgsym" not in name),
              ["kubelet-remedy", "libkubelet-remedy-dev"], "two packages")
    names = deb_files("kubelet-remedy")
    for name in ("/usr/sbin/kubelet-remedy",
                 "/usr/share/man/man7/kubelet-remedy-benchmarks.7.gz",
                 "/usr/share/man/man7/kubelet-remedy-platforms.7.gz",
                 "/usr/share/man/man7/kubelet-remedy-versions.7.gz",
                 "/usr/share/man/man8/kubelet-remedy.8.gz",
                 "/usr/share/man/man8/kubelet-remedy-recover.service.8.gz",
                 "/usr/share/man/man8/kubelet-remedy.service.8.gz",
                 "/usr/share/man/man8/kubelet-remedy-audit.service.8.gz",
                 "/usr/lib/systemd/catalog/kubelet-remedy.catalog",
                 "/usr/lib/systemd/system-preset/90-kubelet-remedy.preset",
                 "/usr/share/bash-completion/completions/kubelet-remedy",
                 "/usr/share/fish/vendor_completions.d/kubelet-remedy.fish",
                 "/usr/share/zsh/vendor-completions/_kubelet-remedy",
                 "/usr/share/kubelet-remedy/alerts.yml",
                 "/usr/share/kubelet-remedy/schema/audit.json"):
        tap.check(name in names, "it has " + name, sorted(names))
    tap.equal(sorted(os.path.basename(name) for name in names
                     if "/systemd/system/" in name),
              sorted([RECOVER, SERVICE, *AUDIT]), "the units")
    tap.equal([name for name in names if name.startswith(("/etc", "/var"))],
              [], "no configuration, no state")
    fields = call(["dpkg-deb", "-f", debs()["kubelet-remedy"]])
    tap.contains(fields, "Version: %s-" % version(), "the tree's version")
    depends = re.search("^Depends: (.*)$", fields, re.M).group(1)
    tap.check("curl" not in depends, "it needs no libcurl", depends)
    tap.matches(fields, r"^Recommends: libcurl4\b", "it recommends libcurl")
    tap.matches(depends, r"\blibsystemd0 \(>= 245\)", "it needs libsystemd")
    tap.check("libyaml" not in depends and "libbsd" not in depends,
              "what has an archive is in the program", depends)


def test_deb_lintian(_host, tap):
    need("lintian")
    changes = [name for name in os.listdir(os.path.dirname(
        debs()["kubelet-remedy"])) if name.endswith(".changes")]
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning",
         os.path.join(os.path.dirname(debs()["kubelet-remedy"]), changes[0])],
        env={**os.environ, "TMPDIR": WORK},  # it leaves files there
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False)
    tap.equal((done.returncode, done.stdout), (0, ""), "lintian is content")


def test_deb_scripts(_host, tap):
    """Maintainers' scripts are plain sh."""
    need("shellcheck")
    folder = tempfile.mkdtemp(dir=WORK)
    call(["dpkg-deb", "-e", debs()["kubelet-remedy"], folder])
    for name in ("prerm", "postrm", "postinst"):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            first = file.readline()
        tap.equal(first, "#!/bin/sh\n", name + ": for sh")
        tap.equal(call(["sh", "-n", os.path.join(folder, name)]), "",
                  name + ": sh can read it")
    for name in ("prerm", "postrm"):
        done = subprocess.run(
            ["shellcheck", "-s", "sh", ROOT
             + "/contrib/debian/kubelet-remedy." + name], text=True,
            stdout=subprocess.PIPE, check=False)
        tap.equal((done.returncode, done.stdout), (0, ""),
                  name + ": shellcheck")


def listing(host):
    names = host.sh("cd /; find boot etc home lib* opt root sbin srv usr var "
                    "-xdev -printf '/%p\\n'", 120).stdout
    return {name for name in names.splitlines() if not KEEPS.search(name)}


def names_of_ours(host):
    return host.sh("find /etc /usr /var /run -xdev -path /var/tmp -prune -o "
                   "-name '*kubelet-remedy*' -print").stdout.splitlines()


def dpkg(host, tap, *words):
    result = host.run(["dpkg", *words], timeout=300)
    tap.status(result, 0, "dpkg " + " ".join(words))
    return result


def enabled(host, unit):
    return host.run(["systemctl", "is-enabled", unit]).stdout.strip()


def starts(host):
    try:
        return int(host.read(STARTS))
    except FileNotFoundError:
        return 0


def test_deb_on_a_host(host, tap):
    """Installed, enabled, rebooted, removed, purged."""
    if not host:
        need_host()
        raise Skip("no host")
    deb = debs()["kubelet-remedy"]
    host.node(FALSE_FLAG, start=False)
    host.sh("mkdir -p /etc/systemd/system/bth.target.wants; ln -sf %s "
            "/etc/systemd/system/bth.target.wants/kubelet.service" % UNIT)
    node = host.snapshot()
    before = listing(host)
    ours_before = names_of_ours(host)

    with open(deb, "rb") as file:
        host.write("/root/kubelet-remedy.deb", file.read())
    dpkg(host, tap, "--install", "/root/kubelet-remedy.deb")
    tap.equal(host.snapshot(), node, "installed: kubelet's files are untouched")
    units = (SERVICE, RECOVER, AUDIT[1])
    tap.equal([enabled(host, unit) for unit in units],
              ["disabled", "enabled", "disabled"], "installed: what is enabled")
    tap.status(host.run(["systemctl", "preset", *units]), 0,
               "systemctl preset")
    tap.equal([enabled(host, unit) for unit in units],
              ["disabled", "enabled", "disabled"], "the preset says the same")
    tap.contains(host.run(["journalctl", "--list-catalog"]).stdout,
                 "kubelet-remedy", "installed: the catalog is known")
    tap.status(host.run(["/usr/sbin/kubelet-remedy", "audit", "-q"]), 1,
               "installed: the program runs")

    tap.status(host.run(["systemctl", "enable", SERVICE]), 0, "enable")
    host.sh("sync")
    host.reboot()
    tap.check(host.is_healthy(), "rebooted: kubelet is healthy", host.log())
    tap.equal((starts(host), host.value()), (1, "true"),
              "rebooted: kubelet's first process has the right value")
    tap.contains(host.sh("journalctl --sync; journalctl -b --no-pager -o cat "
                         "KUBELET_REMEDY_OUTCOME=fixed").stdout,
                 "fix: fixed", "rebooted: the journal says so")

    dpkg(host, tap, "--install", "/root/kubelet-remedy.deb")
    tap.equal((enabled(host, SERVICE), enabled(host, RECOVER)),
              ("enabled", "enabled"), "installed again: what was enabled is")
    fixed, was = host.snapshot(), host.identity()
    dpkg(host, tap, "--remove", "kubelet-remedy")
    tap.check(os.path.isdir(host.root + STATE_DIR), "removed: the records stay")
    tap.equal((host.snapshot(), host.identity()), (fixed, was),
              "removed: kubelet and its files are untouched")
    tap.status(host.run(["systemctl", "restart", "kubelet"]), 0,
               "removed: kubelet starts without it")
    dpkg(host, tap, "--install", "/root/kubelet-remedy.deb")
    tap.equal(enabled(host, SERVICE), "enabled",
              "installed again: it is enabled as it was")
    tap.contains(host.remedy("history").stdout, "possible",
                 "installed again: the fix can still be undone")

    dpkg(host, tap, "--purge", "kubelet-remedy")
    after = listing(host)
    new = sorted(after - before)
    tap.equal([name for name in new if name != "/root/kubelet-remedy.deb"], [],
              "purged: nothing is left")
    tap.equal(sorted(before - after), [], "purged: nothing else is gone")
    # in /run, too, which is the host's own; elsewhere the machine may have one
    tap.equal(sorted(set(names_of_ours(host)) - set(ours_before)), [],
              "purged: not even a name")
    tap.check("kubelet-remedy" not in host.run(
        ["journalctl", "--list-catalog"]).stdout, "purged: nor a message")
    tap.equal(host.snapshot(), fixed, "purged: kubelet's files stay as fixed")
    tap.check(host.is_healthy() and host.value() == "true",
              "purged: kubelet runs")
    host.reboot()
    tap.check(host.is_healthy() and host.value() == "true",
              "purged and rebooted: kubelet runs", host.log())
    tap.status(host.run(["systemctl", "is-system-running"]), 0,
               "purged and rebooted: nothing has failed")


def kill_a_fix(host, tap):
    host.run(["strace", "-f", "-o", "/dev/null", "-e",
              "inject=renameat,renameat2:signal=SIGKILL:when=2",
              "kubelet-remedy", "fix", "--wait=3"])
    tap.check(os.path.exists(host.root + STATE_DIR + "/pending"),
              "a fix was killed in the middle")


def test_deb_purged_in_the_middle(host, tap):
    """What a killed fix left is taken back before the program goes."""
    if not host:
        need_host()
    need("strace")
    with open(debs()["kubelet-remedy"], "rb") as file:
        host.write("/root/kubelet-remedy.deb", file.read())
    host.node(FALSE_FLAG)
    before = host.snapshot()
    dpkg(host, tap, "--install", "/root/kubelet-remedy.deb")
    kill_a_fix(host, tap)
    dpkg(host, tap, "--purge", "kubelet-remedy")
    tap.equal(host.snapshot(), before, "its work is taken back")
    tap.check(not os.path.exists(host.root + STATE_DIR), "no record is left")
    tap.check(host.is_healthy() and host.value() == "false", "kubelet runs")
    host.sh("systemctl stop 'kubelet-remedy-rollback*'")


# --- RPM ----------------------------------------------------------------------


@functools.lru_cache(None)
def rpms():
    need("rpmbuild", "meson", "ninja")
    top = WORK + "/rpm"
    name = "kubelet-remedy-" + version()
    os.makedirs(top + "/SOURCES")
    call(["tar", "-C", ROOT, "--exclude=./.git", "--exclude=./build*",
          "--transform=s,^\\.," + name + ",", "-czf",
          "%s/SOURCES/%s.tar.gz" % (top, name), "."])
    call(["rpmbuild", "-bb", "--nodeps",
          "--load=" + ROOT + "/contrib/rpm-macros", "--define",
          "_topdir " + top, "--define", "debug_package %{nil}",
          ROOT + "/contrib/kubelet-remedy.spec"])
    found = {}
    for folder, _, names in os.walk(top + "/RPMS"):
        for file in names:
            found[file.rsplit("-", 2)[0]] = os.path.join(folder, file)
    return found


def test_rpm(_host, tap):
    tap.equal(sorted(rpms()), ["kubelet-remedy", "kubelet-remedy-devel"],
              "two packages")
    query = ["rpm", "--define", "_dbpath %s/rpmdb" % WORK, "-qp"]
    names = call(query + ["-l", rpms()["kubelet-remedy"]]).splitlines()
    for name in ("/usr/sbin/kubelet-remedy",
                 "/usr/lib/systemd/system/" + SERVICE,
                 "/usr/lib/systemd/system/" + RECOVER,
                 "/usr/lib/systemd/system-preset/90-kubelet-remedy.preset",
                 "/usr/lib/systemd/catalog/kubelet-remedy.catalog",
                 STATE_DIR):
        tap.check(name in names, "it has " + name, names)
    tap.equal(call(query + ["--recommends", rpms()["kubelet-remedy"]]),
              "libcurl\n", "it recommends libcurl")
    requires = call(query + ["--requires", rpms()["kubelet-remedy"]])
    tap.check("curl" not in requires, "it needs no libcurl", requires)
    tap.matches(requires, r"^libsystemd\.so", "it needs libsystemd")
    tap.equal(call(query + ["--qf", "%{VERSION}", rpms()["kubelet-remedy"]]),
              version(), "the tree's version")
    scripts = call(query + ["--scripts", rpms()["kubelet-remedy"]])
    tap.check("%systemd" not in scripts and "%{" not in scripts,
              "every macro of the scripts is known", scripts)


def rpm(host, tap, *words):
    tap.status(host.run(["rpm", *words], timeout=300), 0, "rpm " + " ".join(words))


def test_rpm_on_a_host(host, tap):
    """Installed, installed again, and erased in the middle of a fix. --nodeps: what
    it needs is in the database of dpkg."""
    if not host:
        need_host()
        raise Skip("no host")
    need("rpm", "strace")
    file = "/root/kubelet-remedy.rpm"
    with open(rpms()["kubelet-remedy"], "rb") as built:
        host.write(file, built.read())
    host.node(FALSE_FLAG)
    node, was = host.snapshot(), host.identity()
    before, ours_before = listing(host), names_of_ours(host)
    rpm(host, tap, "--install", "--nodeps", file)
    units = (SERVICE, RECOVER, AUDIT[1])
    tap.equal([enabled(host, unit) for unit in units],
              ["disabled", "enabled", "disabled"], "installed: what is enabled")
    tap.status(host.run(["/usr/sbin/kubelet-remedy", "audit", "-q"]), 1,
               "installed: the program runs")
    tap.equal((host.snapshot(), host.identity()), (node, was),
              "installed: kubelet and its files are untouched")
    tap.status(host.run(["systemctl", "enable", SERVICE, AUDIT[1]]), 0, "enable")
    node = host.snapshot()
    # the scripts of an upgrade: the new one is installed, then the old one erased
    rpm(host, tap, "--upgrade", "--force", "--nodeps", file)
    tap.equal([enabled(host, unit) for unit in units], ["enabled"] * 3,
              "installed again: what was enabled is")
    kill_a_fix(host, tap)
    rpm(host, tap, "--erase", "kubelet-remedy")
    tap.equal(host.snapshot(), node, "erased: the fix is taken back")
    tap.check(host.is_healthy(), "erased: kubelet runs")
    # the timer of the killed run finds nothing to do, and is gone by then
    host.sh("systemctl stop 'kubelet-remedy-rollback*'")
    # the last two are of Fedora's package filesystem
    tap.equal([name for name in sorted(listing(host) - before)
               if not name.startswith(STATE_DIR) and name not in (
                   file, "/usr/share/licenses", "/usr/share/zsh/site-functions")],
              [], "erased: nothing is left but the records")
    tap.check(os.path.isdir(host.root + STATE_DIR), "erased: the records stay")
    tap.equal([name for name in set(names_of_ours(host)) - set(ours_before)
               if not name.startswith((STATE_DIR, "/run/kubelet-remedy", file))], [],
              "erased: not even a name")
    host.sh("rm -r " + STATE_DIR)


def test_rpm_words(_host, tap):
    need("rpmspec")
    text = call(["rpmspec", "--load=" + ROOT + "/contrib/rpm-macros", "-P",
                 ROOT + "/contrib/kubelet-remedy.spec"])
    tap.equal(re.findall(r"%(?:meson|systemd|\{)\w*", text), [],
              "every macro is known")
    if shutil.which("rpmlint"):
        done = subprocess.run(
            ["rpmlint", ROOT + "/contrib/kubelet-remedy.spec"], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        tap.contains(done.stdout, " 0 errors", "rpmlint")


# --- meson ----------------------------------------------------------------------


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(top, name), folder)
                  for top, folders, names in os.walk(folder)
                  for name in folders + names)


def test_meson_uninstall(_host, tap):
    need("meson", "ninja")
    dest = WORK + "/dest"
    os.makedirs(dest)
    call(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", dest])
    names = files_below(dest)
    tap.check(any(name.endswith("sbin/kubelet-remedy") for name in names) and
              any(name.endswith("/" + SERVICE) for name in names),
              "it is installed", names)
    with open(next(os.path.join(dest, name) for name in names
                   if name.endswith("/" + SERVICE)), encoding="utf-8") as file:
        program = re.search(r"^ExecStart=(\S+)", file.read(), re.M).group(1)
    tap.check(os.access(dest + program, os.X_OK),
              "what the unit runs is there", program)
    call(["ninja", "-C", BUILD, "uninstall"])
    left = [name for name in files_below(dest)
            if not os.path.isdir(os.path.join(dest, name))]
    tap.equal(left, [], "no file is left after uninstall")
    ours = [name for name in files_below(dest) if "kubelet-remedy" in name]
    tap.equal(ours, [], "nor a folder of ours")


def main():
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    tests = [thing for name, thing in globals().items()
             if name.startswith("test_")]
    upper = tempfile.mkdtemp(prefix="package-", dir="/var/tmp")
    try:
        need_host()
    except Skip as reason:
        print("# no host: %s" % reason)
        return run_tests(tests, None, sys.argv[4:])
    try:
        with Host(sys.argv[3], sys.argv[3], "package-%d" % os.getpid(),
                  ["--upper", upper]) as host:
            host.remove("/usr/bin/kubelet-remedy")
            return run_tests(tests, host, sys.argv[4:])
    finally:
        shutil.rmtree(upper, ignore_errors=True)


if __name__ == "__main__":
    ROOT, BUILD = (sys.argv[1:3] + ["", ""])[:2]
    with tempfile.TemporaryDirectory(prefix="package-", dir="/var/tmp") as WORK:
        STATUS = main()
    sys.exit(STATUS)
