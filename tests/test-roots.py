#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each file of a release on a root that has little else: Debian 12 and 13.

    test-roots.py SOURCE_ROOT DIST BUILD_ROOT [NAME...]

DIST is what contrib/release made, BUILD_ROOT where: qemu for arm64 comes from there.
Names are those of the rows, as in "deb bookworm". A root is what mmdebstrap calls
minbase, made once for each release of Debian and copied for each test; the bundle's
has nothing but busybox. Each file is installed as the README says, audits and fixes
the files of a node, undoes that, and is removed as contrib/RELEASE.md says. Nothing
of the machine is changed, and no mount outlives its command. Needs root, and Debian's
archive; what cannot be tried without is skipped.
"""

import functools
import glob
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time

import oci_lib
from cli_lib import NodeCopy, Tap, shown_commands

SUITES = {"bookworm": "Debian 12", "trixie": "Debian 13"}
NODE = "eks-al2-flag-false-extra-args"
QEMU = "/usr/bin/qemu-aarch64-static"
# what apt, dpkg, rpm and the loader keep of anything that comes and goes
KEEPS = re.compile(r"(dev|proc|root|tmp|dist|node)(/|$)|etc/(ld\.so\.cache|resolv\.conf)"
                   r"|var/(cache|log|backups|lib/(apt|dpkg|rpm|systemd))(/|$)")


class Skip(Exception):
    """This cannot be tried here, and why."""


class Failed(Exception):
    """A command ended otherwise than it should."""


def of_dist(pattern):
    path, = glob.glob(os.path.join(DIST, pattern))
    return path


class Root:
    """A folder that is the root of what runs in it, until it is left."""

    def __init__(self, like=None):
        self.path = tempfile.mkdtemp(dir=WORK)
        os.chmod(self.path, 0o755)
        if like:
            subprocess.run(["cp", "-a", like + "/.", self.path], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def run(self, words, status=0, network=False):
        """Its output, both kinds."""
        option = ["--network"] if network else []
        done = subprocess.run(
            [SOURCE + "/contrib/build-root", "enter", *option, self.path, *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.STDOUT, errors="replace", check=False)
        if done.returncode != status:
            raise Failed("%s: status %d instead of %d\n%s" % (
                " ".join(words), done.returncode, status, done.stdout[-6000:]))
        return done.stdout

    def sh(self, script, **options):
        return self.run(["sh", "-euc", script], **options)

    def files(self):
        """All names but what a package manager keeps; folders end with /."""
        found = set()
        for top, folders, names in os.walk(self.path):
            place = os.path.relpath(top, self.path) + "/"
            place = "" if place == "./" else place
            found |= {place + name for name in names}
            found |= {place + name + "/" for name in folders}
        return {name for name in found if not KEEPS.match(name)}

    def take(self, pattern):
        """The one file of DIST that PATTERN names, as a path in here."""
        path = of_dist(pattern)
        os.makedirs(self.path + "/dist", exist_ok=True)
        shutil.copy(path, self.path + "/dist")
        return "/dist/" + os.path.basename(path)


@functools.lru_cache(None)
def minbase(suite):
    path = os.path.join(WORK, suite)
    done = subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", suite, path],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.STDOUT, errors="replace", check=False)
    return path, done.stdout.strip() if done.returncode else None


def debian(suite):
    path, fault = minbase(suite)
    if fault is not None:
        raise Skip("no root of %s: %s" % (SUITES[suite],
                                          (fault.splitlines() or [""])[-1]))
    return Root(path)


def use(root, *emulator):
    """What the program is for, with what is in ROOT alone."""
    with NodeCopy(os.path.join(SOURCE, "tests", "nodes", NODE)) as node:
        shutil.copytree(node.root, root.path + "/node", symlinks=True)
    before = snapshot(root.path + "/node")

    def ask(status, want, *words):
        text = root.run([*emulator, *words], status)
        if not re.search(want, text, re.M):
            raise Failed("%s: no %r in\n%s" % (words, want, text))

    program = root.sh("command -v kubelet-remedy || "
                      "echo /usr/local/sbin/kubelet-remedy").strip()
    ask(0, r"\Akubelet-remedy %s\n\Z" % re.escape(VERSION), program, "--version")
    ask(1, r"^FAIL .*\n +disk +false .*30-kubelet-extra-args\.conf:2:88$",
        program, "audit", "--root=/node")
    ask(0, r"^FIXED ", program, "fix", "--root=/node")
    ask(0, r"^PASS ", program, "audit", "--root=/node")
    ask(0, r"^UNDONE ", program, "undo", "--root=/node")
    after = snapshot(root.path + "/node")
    if after != before:
        raise Failed("undone: %s" % sorted(set(after.items())
                                           ^ set(before.items())))


def snapshot(folder):
    """{path: mode and bytes} of the files but our own records."""
    found = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            if "/kubelet-remedy/" in path or os.path.islink(path):
                continue
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = (
                    stat.S_IMODE(os.lstat(path).st_mode), file.read())
    return found


def is_gone(root, before, but=()):
    left = sorted(root.files() - before - set(but))
    if left:
        raise Failed("is left: %s" % left)
    lost = sorted(before - root.files())
    if lost:
        raise Failed("is gone, too: %s" % lost)


# --- the tests -----------------------------------------------------------------

def test_deb(suite):
    """By apt, with what it recommends; purged."""
    with debian(suite) as root:
        deb = root.take("kubelet-remedy_*_amd64.deb")
        before = root.files()
        root.sh("apt-get update -q; apt-get install -y ." + deb, network=True)
        use(root)
        text = root.run(["kubelet-remedy", "fleet", "--all-nodes",
                         "--server=http://127.0.0.1:1"], 3)
        if "connection refused" not in text:
            raise Failed("libcurl is not used:\n" + text)
        root.sh("mkdir -p /var/lib/kubelet-remedy; apt-get remove -y kubelet-remedy; "
                "test -d /var/lib/kubelet-remedy; "
                "apt-get purge -y kubelet-remedy")
        # what it needed stays, until apt's autoremove
        is_gone(root, before, [name for name in root.files()
                               if "kubelet-remedy" not in name])


def test_deb_arm64(suite):
    """As another architecture's package; the program under qemu."""
    with debian(suite) as root:
        shutil.copy(BUILD_ROOT + QEMU, root.path + QEMU)
        deb = root.take("kubelet-remedy_*_arm64.deb")
        root.sh("dpkg --add-architecture arm64; apt-get update -q; apt-get install "
                "-y --no-install-recommends ." + deb, network=True)
        use(root, QEMU)
        root.sh("apt-get purge -y kubelet-remedy")


def try_rpm(suite, arch, *emulator):
    """By rpm, without its look at what is installed: the database of a Debian is
    dpkg's. What it asks for comes from there."""
    with debian(suite) as root:
        rpm = root.take("kubelet-remedy-[0-9]*.%s.rpm" % arch)
        libraries = ["libcjson1", "libsystemd0"]
        if emulator:
            shutil.copy(BUILD_ROOT + QEMU, root.path + QEMU)
            libraries = [name + ":arm64" for name in libraries]
            root.run(["dpkg", "--add-architecture", "arm64"])
        root.sh("apt-get update -q; apt-get install -qy --no-install-recommends rpm "
                + " ".join(libraries), network=True)
        root.run(["rpm", "--query", "--all"])  # makes its database
        before = root.files()
        root.run(["rpm", "--install", "--nodeps", "--ignorearch", rpm])
        use(root, *emulator)
        root.run(["rpm", "--verify", "--nodeps", "kubelet-remedy"])
        root.run(["rpm", "--erase", "--nodeps", "kubelet-remedy"])
        # the records, and folders that Fedora's filesystem and systemd have
        is_gone(root, before, [name for name in root.files()
                               if name.startswith("var/lib/kubelet-remedy/") or
                               name.endswith("/") and "kubelet-remedy" not in name])


def test_rpm(suite):
    try_rpm(suite, "x86_64")


def test_rpm_arm64(suite):
    try_rpm(suite, "aarch64", QEMU)


def try_bundle(suite, arch, *emulator):
    """Where there is busybox, and nothing else; removed by the files' names."""
    with debian(suite) as full, Root() as root:
        full.sh("apt-get update -q; cd /tmp; apt-get download -q busybox-static; "
                "dpkg-deb -x busybox-static_*.deb /busybox", network=True)
        for name in ("bin", "dev", "proc", "etc", "tmp", "usr", "root"):
            os.mkdir(os.path.join(root.path, name))
        there, = glob.glob(full.path + "/busybox/*/busybox") + glob.glob(
            full.path + "/busybox/usr/*/busybox")
        shutil.copy(there, root.path + "/bin/busybox")
        subprocess.run(["chroot", root.path, "/bin/busybox", "--install", "-s",
                        "/bin"], check=True)
        if emulator:
            shutil.copy(BUILD_ROOT + QEMU, root.path + "/bin/qemu")
        before = root.files()
        root.sh("tar -xzf %s -C /" % root.take("*-%s.bundle.tar.gz" % arch))
        use(root, *emulator)
        root.sh(re.search(r"^rm (.*\\\n)*.*\n", shown_commands(
            SOURCE + "/contrib/RELEASE.md", "The bundle"), re.M).group())
        ours = ("var", "usr/local", "etc/systemd", "opt", "run")
        is_gone(root, before, [name for name in root.files()
                               if name.startswith(ours) and (
                                   name.endswith("/") or "/lib/kubelet-remedy/"
                                   in name)])


def test_bundle(suite):
    try_bundle(suite, "amd64")


def test_bundle_arm64(suite):
    try_bundle(suite, "arm64", "/bin/qemu")


# A user of the library: the place that decides, and what an edit would cut.
LIBRARY_USER = r"""
#include <stdio.h>
#include <kubelet-remedy/kubelet-remedy.h>

int main(void)
{
	const struct kr_remedy_options options = { .root = "/node" };
	struct kr_remedy *r;

	if (kr_remedy_new(&options, &r) < 0)
		return 2;
	printf("verdict %d\n", kr_remedy_verdict(r));
	kr_remedy_free(r);
	return 0;
}
"""


def use_library(root, compiler, pc_folder, *emulator):
    """By pkg-config, linked into a program that audits a node."""
    with NodeCopy(os.path.join(SOURCE, "tests", "nodes", NODE)) as node:
        shutil.copytree(node.root, root.path + "/node", symlinks=True)
    with open(root.path + "/root/user.c", "w", encoding="utf-8") as file:
        file.write(LIBRARY_USER)
    root.sh("cd /root; export PKG_CONFIG_LIBDIR=%s:/usr/share/pkgconfig; %s -Wall "
            "-Werror user.c -o user $(pkg-config --cflags --libs kubelet-remedy)"
            % (pc_folder, compiler))
    text = root.run([*emulator, "/root/user"])
    if text != "verdict 1\n":
        raise Failed(text)


def test_dev(suite):
    """The library's package, by apt, with what it depends on."""
    with debian(suite) as root:
        deb = root.take("libkubelet-remedy-dev_*_amd64.deb")
        root.sh("apt-get update -q; apt-get install -qy --no-install-recommends gcc "
                "libc6-dev pkg-config; apt-get install -qy --no-install-recommends ."
                + deb, network=True)
        use_library(root, "gcc", "/usr/lib/x86_64-linux-gnu/pkgconfig")
        root.sh("apt-get purge -y libkubelet-remedy-dev")
        left = [name for name in root.files() if "kubelet-remedy" in name]
        if left:
            raise Failed("is left: %s" % left)


def test_dev_arm64(suite):
    """As another architecture's package, with the cross compiler."""
    with debian(suite) as root:
        shutil.copy(BUILD_ROOT + QEMU, root.path + QEMU)
        deb = root.take("libkubelet-remedy-dev_*_arm64.deb")
        root.sh("dpkg --add-architecture arm64; apt-get update -q; apt-get install -qy "
                "--no-install-recommends gcc-aarch64-linux-gnu libc6-dev:arm64 "
                "pkg-config; apt-get install -qy --no-install-recommends ." + deb,
                network=True)
        use_library(root, "aarch64-linux-gnu-gcc",
                    "/usr/lib/aarch64-linux-gnu/pkgconfig", QEMU)
        root.sh("apt-get purge -y libkubelet-remedy-dev:arm64")


def test_devel(suite):
    """The same by rpm, with Debian's libraries."""
    with debian(suite) as root:
        rpm = root.take("kubelet-remedy-devel-*.x86_64.rpm")
        root.sh("apt-get update -q; apt-get install -qy --no-install-recommends gcc "
                "libc6-dev libbsd-dev libcjson-dev libmd-dev libyaml-dev pkg-config rpm",
                network=True)
        root.run(["rpm", "--query", "--all"])
        before = root.files()
        root.run(["rpm", "--install", "--nodeps", rpm])
        where, = [name for name in root.files() if name.endswith("/kubelet-remedy.pc")]
        use_library(root, "gcc", "/%s:/usr/lib/x86_64-linux-gnu/pkgconfig"
                    % os.path.dirname(where))
        root.run(["rpm", "--erase", "--nodeps", "kubelet-remedy-devel"])
        is_gone(root, before, [name for name in root.files() if name.endswith("/")
                               and "kubelet-remedy" not in name])


def test_dbgsym(suite):
    """A debugger finds them by the program's build id, and the source's lines in
    them, of both architectures."""
    with debian(suite) as root:
        both = [root.take("kubelet-remedy_*_amd64.deb"),
                root.take("kubelet-remedy-dbgsym_*_amd64.deb")]
        root.sh("apt-get update -q; apt-get install -qy --no-install-recommends "
                "binutils " + " ".join("." + deb for deb in both), network=True)
        root.sh("mkdir /arm64; for deb in %s %s; do dpkg-deb -x $deb /arm64; done" % (
            root.take("kubelet-remedy_*_arm64.deb"),
            root.take("kubelet-remedy-dbgsym_*_arm64.deb")))
        for top in ("", "/arm64"):
            # Debian 12's ends with 1 at a note that it does not know
            notes = root.sh("readelf -n %s/usr/sbin/kubelet-remedy | cat" % top)
            build = re.search(r"Build ID: (..)(\w+)$", notes, re.M)
            file = "%s/usr/lib/debug/.build-id/%s/%s.debug" % (top, *build.groups())
            lines = root.run(["readelf", "--debug-dump=decodedline", file])
            if not re.search(r"^main\.c +\d+ +0x", lines, re.M):
                raise Failed("%s: no lines of main.c" % file)
        root.sh("apt-get purge -y kubelet-remedy-dbgsym")


def in_image(root, mode, words, state):
    """The image's entry point as a container's first process, until it waits:
    (status or None, its output)."""
    folder = root.path + "/run/" + state
    os.makedirs(folder, exist_ok=True)
    env = {**root.env, "MODE": mode, "STATE": "/run/" + state,
           "MESSAGE": "/run/%s/message" % state}
    with open(folder + "/message", "a", encoding="utf-8"):
        pass
    with tempfile.TemporaryFile("w+") as out, subprocess.Popen(
            ["chroot", root.path, *words], stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, env=env) as process:
        end = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < end:
            out.seek(0)
            if re.search(r"^node-pod: (audit|fix): status", out.read(), re.M):
                # what follows the last line takes no time
                time.sleep(2)
                break
            time.sleep(0.2)
        status = process.poll()
        if status is None:
            process.terminate()
            process.wait()
        out.seek(0)
        return status, out.read()


def test_image(arch):
    """Its entry point, where there is nothing but the image and a node's files at
    /host: an audit ends once, a fix waits and is ready. Of arm64, whose entry
    point starts the program without qemu, only that it runs."""
    config, layer = oci_lib.read(of_dist("kubelet-remedy-*-%s.oci.tar" % arch))
    with Root() as root, NodeCopy(os.path.join(SOURCE, "tests", "nodes",
                                               NODE)) as node:
        oci_lib.unpack(layer, root.path)
        root.env = dict(word.split("=", 1) for word in config["config"]["Env"])
        words = config["config"]["Entrypoint"]
        if arch == "arm64":
            shutil.copy(BUILD_ROOT + QEMU, root.path + "/usr/bin")
            words = [QEMU, *words]
            status, text = in_image(root, "other", words, "pod")
            if status != 2 or "audit or fix is possible" not in text:
                raise Failed("%s: %s" % (status, text))
            return
        shutil.copytree(node.root, root.path + "/host", symlinks=True,
                        dirs_exist_ok=True)
        boot = root.path + "/host/proc/sys/kernel/random"
        os.makedirs(boot, exist_ok=True)
        with open(boot + "/boot_id", "w", encoding="utf-8") as file:
            file.write("4a4e5d3c-0000-4000-8000-000000000000\n")
        for mode, pod, want in (
                ("audit", "first", (1, r"^FAIL [\s\S]*^node-pod: audit: status 1: FAIL")),
                ("audit", "first", (None, r"^node-pod: audit: status 1: FAIL")),
                ("fix", "second", (None, r"^FIXED [\s\S]*^node-pod: fix: status 0:")),
                ("audit", "third", (None, r"^node-pod: audit: status 0: PASS"))):
            status, text = in_image(root, mode, words, pod)
            if status != want[0] or not re.search(want[1], text, re.M):
                raise Failed("%s: %s %s" % (pod, status, text))
        ready = {pod: subprocess.run(
            ["chroot", root.path, *words, "ready"], check=False,
            env={**root.env, "STATE": "/run/" + pod}).returncode
            for pod in ("first", "second", "none")}
        if ready != {"first": 0, "second": 0, "none": 1}:
            raise Failed("ready: %s" % ready)


test_image.over = ("amd64", "arm64")


def test_source(suite):
    """The README's commands, from the tarball: the package, whose build runs the
    suites unit and cli, the demo, and contrib/test."""
    with debian(suite) as root:
        root.sh("tar -xzf %s -C /root; mv /root/kubelet-remedy-* /root/src"
                % root.take("kubelet-remedy-%s.tar.gz" % VERSION))
        root.sh("cd /root/src\n" + shown_commands(
            SOURCE + "/README.md", "Debian 12 or later").replace("sudo ", "").replace(
                "apt install", "apt-get install -y"), network=True)
        use(root)
        text = root.sh("cd /root/src; contrib/demo", network=True)
        if len(re.findall(r"^(FAIL|# WOULD FIX|FIXED|HEALTHY|PASS)  ", text,
                          re.M)) != 5:
            raise Failed(text)
        text = root.sh("cd /root/src; contrib/test unit", network=True)
        if not re.search(r"^[1-9]\d* passed, 0 failed, \d+ skipped\n\Z", text, re.M):
            raise Failed(text)


def main():
    tap = Tap()
    rows = [("%s %s" % (name[len("test_"):].replace("_", "-"), suite), test, suite)
            for name, test in globals().items() if name.startswith("test_")
            for suite in getattr(test, "over", SUITES)]
    for name, test, suite in rows:
        if NAMES and name not in NAMES:
            continue
        try:
            if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
                raise Skip("needs root and mmdebstrap")
            test(suite)
            tap.row(name, [])
        except Skip as reason:
            tap.skip(name, reason)
        except (Failed, subprocess.CalledProcessError, ValueError) as fault:
            tap.row(name, [fault])
        sys.stdout.flush()
    return tap.end()


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    SOURCE, DIST, BUILD_ROOT = map(os.path.abspath, sys.argv[1:4])
    NAMES = sys.argv[4:]
    with open(SOURCE + "/meson.build", encoding="utf-8") as MESON:
        VERSION = re.search(r"^  version : '(.*)',$", MESON.read(), re.M).group(1)
    with tempfile.TemporaryDirectory(prefix="roots-", dir="/var/tmp") as WORK:
        STATUS = main()
    sys.exit(STATUS)
