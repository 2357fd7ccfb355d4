#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What contrib/release made, twice: the same bytes, and each file is what it says.

    test-release.py DIST OTHER_DIST BUILD_ROOT

contrib/test makes both; the other is contrib/release's --other. BUILD_ROOT is where
the first was built: qemu for arm64 comes from there. Needs root.
"""

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import oci_lib
import sbom_lib
from cli_lib import Tap
from oci_lib import members

MACHINES = {"amd64": 62, "arm64": 183}
LOADERS = {"amd64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}
RPM_ARCH = {"amd64": "x86_64", "arm64": "aarch64"}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def load(path):
    return json.loads(read(path))


def machine(data):
    """e_machine of an ELF file; None."""
    return struct.unpack_from("<H", data, 18)[0] if data[:4] == b"\x7fELF" \
        else None


def run(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    return done.returncode, done.stdout


def check_same(dist, other):
    faults = ["only once: " + name for name in
              set(os.listdir(dist)) ^ set(os.listdir(other))]
    return faults + [name + " differs" for name in sorted(os.listdir(dist))
                     if name not in str(faults)
                     and read(dist + "/" + name) != read(other + "/" + name)]


def check_names(dist, version):
    want = {"kubelet-remedy-%s.tar.gz" % version, "build-packages.txt",
            "SHA256SUMS"}
    for arch, rpm in RPM_ARCH.items():
        want |= {name % {"v": version, "arch": arch, "rpm": rpm} for name in (
            "kubelet-remedy_%(v)s-1_%(arch)s.deb",
            "kubelet-remedy-dbgsym_%(v)s-1_%(arch)s.deb",
            "libkubelet-remedy-dev_%(v)s-1_%(arch)s.deb",
            "kubelet-remedy-%(v)s-1.%(rpm)s.rpm",
            "kubelet-remedy-devel-%(v)s-1.%(rpm)s.rpm",
            "kubelet-remedy-%(v)s-%(arch)s.bundle.tar.gz",
            "kubelet-remedy-%(v)s-%(arch)s.oci.tar")}
    want |= {name + ".spdx.json" for name in want
             if name not in ("build-packages.txt", "SHA256SUMS")}
    return sorted("%s %s" % ("lacks" if name in want else "has", name)
                  for name in want ^ set(os.listdir(dist)))


def check_sums(dist):
    listed = dict(reversed(line.split("  ")) for line in
                  read(dist + "/SHA256SUMS").decode().splitlines())
    return [name for name in os.listdir(dist) if name != "SHA256SUMS" and
            listed.get(name) != hashlib.sha256(
                read(dist + "/" + name)).hexdigest()]


# --- what is in them ---------------------------------------------------------

def check_sbom(dist, name, entries=None, arch=None):
    """ENTRIES: of a bundle or an image, what is inside."""
    inside = {} if entries is None else {
        "libraries": libraries_of(entries, arch), "program": program_of(entries)}
    return sbom_lib.faults_of(load("%s/%s.spdx.json" % (dist, name)),
                              read(dist + "/" + name), **inside)


# what the optimizer makes of our own calls; the libraries in the program make none
FORTIFIED = ("__asprintf_chk", "__vasprintf_chk", "__vsnprintf_chk")


def check_hardened(program):
    """As distributions build what root runs."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(program)
        file.flush()
        head, segments, dynamic, symbols = (
            run("readelf", "--wide", option, file.name)[1]
            for option in ("-h", "-l", "-d", "--dyn-syms"))
    marks = {"position-independent": re.search(r"Type: +DYN", head),
             "GNU_RELRO": "GNU_RELRO" in segments,
             "a stack that is not executed": re.search(
                 r"GNU_STACK.* RW +0x", segments),
             "BIND_NOW": "BIND_NOW" in dynamic,
             "a guarded stack": "__stack_chk_fail" in symbols,
             "checked copies": all(name in symbols for name in FORTIFIED)}
    return ["not: " + what for what, has in marks.items() if not has]


def packed_in(path):
    """[(path, bytes)] of the files in a .deb or .rpm."""
    with tempfile.TemporaryDirectory() as folder:
        status, text = run("dpkg-deb", "-x", path, folder) \
            if path.endswith(".deb") else run(
                "rpm", "--root", folder, "--install", "--nodeps", "--noscripts",
                "--ignorearch", path)
        assert status == 0, text
        return [(os.path.relpath(os.path.join(top, name), folder),
                 read(os.path.join(top, name)))
                for top, _, names in os.walk(folder) for name in names
                if not os.path.islink(os.path.join(top, name))]


def check_package(path):
    """Of the program's: what is linked into it has its licence beside it. Of what
    it asks for, the file itself must not be there."""
    files = packed_in(path)
    program, = [data for name, data in files
                if name == "usr/sbin/kubelet-remedy"]
    sbom = load(path + ".spdx.json")
    return check_hardened(program) + sbom_lib.faults_of(
        sbom, read(path), program=program) + [
        "no licence of " + name for name, mark in sbom_lib.MARKS.items()
        if mark in program and not any(
            one.removesuffix(".gz").endswith("/copyright." + name)
            for one, _ in files)] + [
        name + ": a library" for name, data in files
        if machine(data) and data != program]


def faults_of(entries, arch, epoch):
    """Of the members of a bundle or a layer."""
    faults = []
    for member, data in entries:
        if (member.uid, member.gid, member.mtime) != (0, 0, epoch):
            faults.append("%s: %d:%d %d" % (member.name, member.uid, member.gid,
                                            member.mtime))
        if machine(data) not in (None, MACHINES[arch]):
            faults.append(member.name + ": another machine's")
        if data[:2] == b"#!":
            faults.append(member.name + ": a script")
        if b"/build/release." in data or b"/tmp/tmp." in data:
            faults.append(member.name + ": names a folder of the build")
    return faults


def program_of(entries):
    program, = [data for m, data in entries if machine(data)
                and os.path.basename(m.name) == "kubelet-remedy"]
    return program


def libraries_of(entries, arch):
    names = {os.path.basename(m.name) for m, data in entries if machine(data)}
    names = {LOADERS[arch] if n == "kubelet-remedy.loader" else n
             for n in names}
    return names - {"kubelet-remedy", "node-pod"}


def in_root(data, arch, build_root, program):
    """--version of PROGRAM where there is nothing but DATA, unpacked."""
    with tempfile.TemporaryDirectory() as root:
        oci_lib.unpack(data, root)
        words = [program, "--version"]
        if arch == "arm64":
            shutil.copy(build_root + "/usr/bin/qemu-aarch64-static", root)
            words.insert(0, "/qemu-aarch64-static")
        return run("chroot", root, *words)


def check_runs(data, arch, build_root, program, version):
    got = in_root(data, arch, build_root, program)
    return [] if got == (0, "kubelet-remedy %s\n" % version) else [got]


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    dist, other, build_root = sys.argv[1:]
    tap = Tap()
    name, = [n for n in os.listdir(dist) if re.fullmatch(
        r"kubelet-remedy-[0-9.]+\.tar\.gz", n)]
    version = name.removeprefix("kubelet-remedy-").removesuffix(".tar.gz")
    tap.row("made twice: the same bytes", check_same(dist, other))
    tap.row("all files", check_names(dist, version))
    tap.row("their sums", check_sums(dist))
    source = members(read(dist + "/" + name))
    epoch = source[0][0].mtime
    tap.row("the source: one time, root's", [
        m.name for m, _ in source
        if (m.uid, m.gid, m.mtime, m.mode & 0o7022) != (0, 0, epoch, 0)])
    for one in sorted(os.listdir(dist)):
        if re.match(r"kubelet-remedy[-_][0-9].*\.(deb|rpm)$", one):
            tap.row("SPDX and licences of " + one,
                    check_package(dist + "/" + one))
        elif one.endswith((".tar.gz", ".deb", ".rpm")) and "bundle" not in one:
            tap.row("SPDX of " + one, check_sbom(dist, one))
    for arch in MACHINES:
        one = "kubelet-remedy-%s-%s.bundle.tar.gz" % (version, arch)
        data = read(dist + "/" + one)
        entries = members(data)
        tap.row(one, faults_of(entries, arch, epoch) +
                check_hardened(program_of(entries)))
        tap.row("SPDX of " + one,
                check_sbom(dist, one, entries, arch))
        tap.row(one + ": licences", [
            n for n in ("LICENSE", "copyright.libc6", "copyright.libsystemd0",
                        "copyright.libcjson1", *("copyright." + name
                                                 for name in sbom_lib.MARKS))
            if not any(m.name.endswith("/" + n) for m, _ in entries)])
        tap.row(one + " runs where nothing else is", check_runs(
            data, arch, build_root, "/usr/local/sbin/kubelet-remedy", version))
        one = "kubelet-remedy-%s-%s.oci.tar" % (version, arch)
        config, plain = oci_lib.read(dist + "/" + one)
        entries = members(plain)
        tap.row(one, faults_of(entries, arch, epoch) +
                check_hardened(program_of(entries)) +
                ([] if config["architecture"] == arch else [config]))
        tap.row("SPDX of " + one,
                check_sbom(dist, one, entries, arch))
        names = {m.name for m, _ in entries}
        tap.row(one + ": no shell, its SBOM, licences", sorted(
            {"usr/share/doc/kubelet-remedy/kubelet-remedy.spdx.json",
             "usr/share/doc/libc6/copyright", "usr/bin/node-pod",
             *("usr/share/doc/kubelet-remedy/copyright." + name
               for name in sbom_lib.MARKS)} - names) +
            [n for n in names if re.search("bin/(sh|bash|dash|busybox)$", n)])
        tap.row(one + " runs", check_runs(
            plain, arch, build_root, "/usr/sbin/kubelet-remedy", version))
        one = "%s/kubelet-remedy_%s-1_%s.deb" % (dist, version, arch)
        status, text = run("dpkg-deb", "-f", one, "Version", "Architecture")
        tap.row(os.path.basename(one), [] if status == 0 and text == (
            "Version: %s-1\nArchitecture: %s\n" % (version, arch)) else [text])
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
