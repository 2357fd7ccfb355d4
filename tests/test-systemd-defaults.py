#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""unit/manager-conf reads system.conf as a real systemd does.

    test-systemd-defaults.py DUMP_UNIT PRINT_ARGV [--trees N] [--seed N]

Each tree is a main file, drop-ins and a unit, made from a seed and put on a
test host, which a reload makes systemd read. The unit's print-argv notes its
argv; dump-unit says what the same files give, without systemd's own block, as
for an image: the same words. Words that we call unknown are not compared.
"""

import argparse
import os
import random
import sys

import host_lib

PROGRAM = "/usr/bin/print-argv"
UNIT = "/run/systemd/system/t.service"
FOLDERS = ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd",
           "/usr/lib/systemd"]
NAMES = ["1.conf", "2.conf", "10.conf", "a.conf", ".h.conf", "t.txt"]
VARIABLES = ["A", "B", "C"]


def word(rng):
    value = rng.choice(["1", "x y", "--v=2", "%n", "%h", "%H", "%T", "%%", "%t",
                        "%z", "$A", "", "\u00e9", "a\\x41", "\\q", "it's", "=",
                        "--make-iptables-util-chains=false"])
    name = rng.choice(VARIABLES + ["1A", "A-B"] if rng.random() < .1
                      else VARIABLES)
    return rng.choice(['"%s=%s"', "'%s=%s'", "%s=%s", '%s="%s"', "%s=%s"]) % (
        name, value)


def line(rng):
    key = rng.choice(["DefaultEnvironment"] * 6 +
                     ["defaultenvironment", "LogLevel"])
    words = " ".join(word(rng) for _ in range(rng.randint(0, 3)))
    odd = rng.random()
    if odd < .03:
        return rng.choice(["[Manager", "[", "X=\xff", "no assignment", "[Other]",
                           "[Manager]", "=", 'DefaultEnvironment="A=1'])
    return rng.choice(["%s=%s", "%s = %s ", "%s=%s \\\n B=joined"]) % (key, words)


def conf(rng):
    lines = [line(rng) for _ in range(rng.randint(0, 4))]
    text = "\n".join(["[Manager]"] + lines) + "\n"
    return text.encode("utf-8").replace("X=\u00ff".encode(), b"X=\xff")


def unit(rng):
    words = [rng.choice(["$%s", "${%s}", "x${%s}"]) % v for v in VARIABLES]
    lines = ["[Service]", "Type=oneshot", "ExecStart=%s %s" % (PROGRAM,
                                                               " ".join(words))]
    for directive in ("Environment=A=u", "UnsetEnvironment=B", "Environment=",
                      "PassEnvironment=A C", "UnsetEnvironment=A=1"):
        if rng.random() < .2:
            lines.append(directive)
    return "\n".join(lines) + "\n"


def make(seed, number):
    """path -> bytes, a link's target in a tuple, None for a folder."""
    rng = random.Random("%d:%d" % (seed, number))
    files = {UNIT: unit(rng).encode()}
    if rng.random() < .6:
        files["/etc/systemd/system.conf"] = conf(rng)
    for _ in range(rng.randint(0, 4)):
        path = "%s/system.conf.d/%s" % (rng.choice(FOLDERS), rng.choice(NAMES))
        kind = rng.random()
        files[path] = (("/dev/null",) if kind < .1 else ("nowhere",)
                       if kind < .15 else None if kind < .18 else conf(rng))
    return files


# What ManagerEnvironment= gave stays in PID 1 (252: over a reexec, too), so that
# these are tried once, with names of their own.
PASSED = {
    "/etc/systemd/system.conf":
        b"[Manager]\nDefaultEnvironment=M=d N=d O=d P=d\n"
        b"ManagerEnvironment=M=m N=m O=m Q=m R=m\n",
    UNIT: b"[Service]\nType=oneshot\nPassEnvironment=M N P Q\n"
          b"Environment=N=u\nUnsetEnvironment=Q\n"
          b"ExecStart=/usr/bin/print-argv ${M} ${N} ${O} ${P} x${Q} x${R}\n",
}


def lay(host, files):
    host.sh("rm -rf /run/print-argv /etc/systemd/system.conf; "
            "mkdir /run/print-argv; rm -rf " +
            " ".join(folder + "/system.conf.d" for folder in FOLDERS))
    for path, content in files.items():
        full = host.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if content is None:
            os.mkdir(full)
        elif isinstance(content, tuple):
            os.symlink(content[0], full)
        else:
            with open(full, "wb") as file:
                file.write(content)


def theirs(host):
    with open(host.root + "/run/print-argv/t.service", "rb") as file:
        return file.read().split(b"\0")[1:-1]


def ours(host, version):
    host.sh("dump-unit %s / t.service >/run/ours" % version)
    with open(host.root + "/run/ours", "rb") as file:
        fields = file.read().split(b"\0")
    # name, load, program, "-" or not, the number of words; a mark each
    marks, words = fields[5::2], fields[6::2]
    return [None if mark == b"?" else w for mark, w in
            zip(marks[:int(fields[4])], words)]


def same(mine, real):
    if not mine:
        return not real
    if mine[0] is None:
        return any(same(mine[1:], real[n:]) for n in range(len(real) + 1))
    return bool(real) and mine[0] == real[0] and same(mine[1:], real[1:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dump_unit")
    parser.add_argument("print_argv")
    parser.add_argument("--trees", type=int, default=80)
    parser.add_argument("--seed", type=int,
                        default=int.from_bytes(os.urandom(3), "big"))
    args = parser.parse_args()
    try:
        host_lib.need_host()
    except host_lib.Skip as reason:
        print("1..0 # SKIP %s" % reason)
        return 0
    print("# --seed %d --trees %d" % (args.seed, args.trees))
    tap = host_lib.Tap()
    tap.test = "system.conf"
    host = host_lib.Host(args.dump_unit, args.print_argv,
                         "defaults-%d" % os.getpid())
    host.binaries = {"/usr/bin/dump-unit": args.dump_unit,
                     PROGRAM: args.print_argv}
    n_differ = n_unknown = n_set = 0
    with host:
        version = host.sh("systemctl --version").stdout.split()[1]
        for number in range(args.trees):
            files = make(args.seed, number) if number else PASSED
            lay(host, files)
            host.sh("systemctl daemon-reload; systemctl start t.service")
            real, mine = theirs(host), ours(host, version)
            n_unknown += None in mine
            n_set += len(real) > 1
            if same(mine, real):
                continue
            n_differ += 1
            print("# tree %d: ours %r, theirs %r" % (number, mine, real))
            for item in sorted(files.items()):
                print("#   %s: %r" % item)
    print("# systemd %s: %d trees, %d with variables, %d unknown" %
          (version, args.trees, n_set, n_unknown))
    tap.equal(n_differ, 0, "the same argv")
    tap.check(n_set * 2 > args.trees, "most have variables")
    tap.check(n_unknown * 4 < args.trees, "few are unknown")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
