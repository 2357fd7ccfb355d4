#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""unit/ reads units as a real systemd does: generated ones, word for word.

    systemd-property.py DUMP_UNIT PRINT_ARGV [--units N] [--seed N] [--first N]
                       [--keep DIR]

Fragments, drop-ins, aliases and environment files are made from a seed and put
on a test host. systemd runs each unit's print-argv, which notes its argv, and
dump-unit says on the same host what we think: the same words, and a unit that
we say would not start does not. Words that we call unknown are not compared.
With --keep the files of the units that differ are left in DIR.
"""

import argparse
import os
import random
import sys
import time

import host_lib

FOLDERS = ["/etc/systemd/system.control", "/run/systemd/system.control",
           "/etc/systemd/system", "/etc/systemd/system.attached",
           "/run/systemd/system", "/run/systemd/system.attached",
           "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"]
BATCH = 250
PROGRAM = "/usr/bin/print-argv"
NAMES = ["A", "B", "C", "D_1", "KUBELET_ARGS"]
# Not %J: systemd 252 itself dies of it (unit_name_unescape() asserts) where a
# unit's name ends in a dash.
SPECIFIERS = "nNpPiIjfHlmbvtSCLETVhuUgGdaAoBMqwWyY%_-."


class Generator:
    """The files of one unit: path -> bytes, or a link's target in a tuple."""

    def __init__(self, number, rng):
        self.rng = rng
        self.files = {}
        self.base = "krp%d" % number
        self.data = "/etc/krp/%d" % number

    def chance(self, percent):
        return self.rng.random() * 100 < percent

    def pick(self, *choices):
        return self.rng.choice(choices)

    # --- words

    def plain(self):
        return self.pick("--v=2", "x", "-a", "--make-iptables-util-chains=false",
                         "a.b,c", "k=v", "#x", "a;b", "~", "*", "\u00e9", "@", "-",
                         "--x=", "{}", "=", "a\\x41", "b\\tc", "\\s", "e\\\\f",
                         "\\101", "\\u00e9", "<10%%")

    def variable(self):
        name = self.pick(*NAMES, "UNSET", "MANAGER")
        return self.pick("$" + name, "${" + name + "}", "$" + name,
                         "a${" + name + "}b", "${%s}${A}" % name, "$$" + name,
                         "$" + name + "/x", "${" + name, "${%s:-x}" % name,
                         "x$" + name, "$" + name + "=v", "$", "$$", "${}",
                         "a$$b", "${A$$B", "a$b${A}")

    def specifier(self):
        return self.pick("", "a", "%%") + "%" + \
            self.rng.choice(SPECIFIERS) + self.pick("", "b")

    def odd(self):
        return self.pick('\\q', '"', "'", "\\", '"a', "\\x4", "\\400", "\\x00",
                         "%", "%z", "%D", "%1", "%s", ";", "\\;", '";"', "\\;\\;", ";;", "|x", "%s",
                         "$INVOCATION_ID", "a\\")

    def quoted(self, depth=0):
        quote = self.pick('"', "'")
        other = "'" if quote == '"' else '"'
        inside = self.pick(" ", "  ", "").join(
            self.pick(self.plain(), self.plain(), other, "\\" + quote,
                      self.variable(), "%n", "", ";", "#")
            for _ in range(self.rng.randint(0, 3)))
        return quote + inside + quote

    def word(self, oddness=1):
        if self.chance(oddness):
            return self.odd()
        kind = self.rng.randint(0, 9)
        if kind < 4:
            return self.plain()
        if kind < 6:
            return self.variable()
        if kind < 7:
            return self.specifier()
        if kind < 9:
            return self.quoted()
        return self.plain() + self.quoted() + self.pick("", self.plain())

    def blank(self):
        if self.chance(75):
            return " "
        return self.pick("  ", "\t", " \\\n", " \\\n    ", "\\\n", "\\\n\t",
                         " \\\n# a comment\n", " \\\n ; another \\\n  ",
                         " \\\n\\\n ", "\\\r\n ", " \\\n#\n#\n   ")

    def words(self, most, oddness=1):
        return "".join(self.blank() + self.word(oddness)
                       for _ in range(self.rng.randint(0, most)))

    # --- directives

    def command(self):
        prefix = ""
        if self.chance(25):
            prefix = "".join(self.pick("-", "@", ":", "+", "!", "!!")
                             for _ in range(self.rng.randint(1, 3)))
        program = PROGRAM
        if self.chance(15):
            program = self.pick("print-argv", "//usr/bin/./print-argv",
                                '"/usr/bin/print-argv"',
                                "/usr/bin/../bin/print-argv",
                                "/usr/bin/print%%", "/usr/bin/", "bin/x", "''",
                                "$A", "/usr/bin/print-argv%z")
        name = " " + self.word() if "@" in prefix else ""
        if self.chance(5) and prefix:
            prefix += " "
        return prefix + program + name + self.words(6)

    def value(self):
        """What stands behind NAME= in Environment=, without outer quotes."""
        return self.pick(" ", "  ", " \\\n ", "\t", "\\x20").join(
            self.pick(self.plain(), self.plain(), "\\\"a b\\\"", "a\\\\ b",
                      "%n", "%%", "$A", "", "'c d'", "\\'", "\\\\")
            for _ in range(self.rng.randint(0, 4)))

    def assignment(self):
        name = self.pick(*NAMES)
        if self.chance(4):
            name = self.pick("1A", "A-B", "", "%p", "A B", "a", "A\\x42")
        value = self.value()
        kind = self.rng.randint(0, 9)
        if kind < 4:
            return '"%s=%s"' % (name, value)
        if kind < 6:
            return '%s="%s"' % (name, value)
        if kind < 7:
            return "'%s=%s'" % (name, value.replace("'", '"'))
        if kind < 9:
            return "%s=%s" % (name, self.pick("x", "", "--v=2", "a\\x20b",
                                              'a"b c"', '"a"\'b c\'', "a%%",
                                              '"x"y', "\\'q r", "a'b\"c'"))
        return self.pick("X", "=", self.quoted(), self.odd())

    def environment(self):
        return self.blank().join(self.assignment() for _ in
                                 range(self.rng.randint(1, 3)))

    def env_value(self):
        kind = self.rng.randint(0, 9)
        text = self.pick(" ", "  ", "\\\n", " \\\n", "\t").join(
            self.pick("--v=2", "x", "a'b", "$A", "\\$A", "`", "\\\\", "\\n",
                      "%n", "#c", ";", "--y=\\\"q r\\\"", "\\'", "\u00e9")
            for _ in range(self.rng.randint(0, 4)))
        if kind < 4:
            return text + self.pick("", "", " ", "\t ", " # no comment")
        if kind < 7:
            return '"%s"' % text + self.pick("", "", " ", "x", " \"y\"", "'z'")
        if kind < 8:
            return "'%s'" % text.replace("'", "") + self.pick("", "", "y", " 'z'")
        if kind < 9:
            return self.pick('"a\nb"', "'a\nb'", '"a"\\\n"b"', "\\\n x",
                             " 'a' b ", "\\ x", "a\\", "\"a \\\n b\"",
                             "a \\\n", "a \\\n\n")
        return ""

    def env_file(self):
        lines = []
        for _ in range(self.rng.randint(0, 5)):
            kind = self.rng.randint(0, 19)
            name = self.pick(*NAMES)
            if kind < 15:
                lines.append(name + "=" + self.env_value())
            elif kind < 17:
                lines.append(self.pick("# comment", "; comment", "", "  ",
                                       "# comment \\", "#A=x", "\t# c"))
            else:
                lines.append(self.pick("export A=x", " B = y", "=z", "nothing",
                                       "1C=x", "C\t=\tx y", "A=x\rB=y",
                                       "D_1='open" if self.chance(10) else "",
                                       "A=\ufdd0" if self.chance(5) else ""))
        text = self.pick("\n", "\n", "\n", "\n", "\r\n").join(lines)
        return (text + self.pick("\n", "\n", "\n", "")).encode()

    def env_files(self):
        kind = self.rng.randint(0, 9)
        path = "%s/%d" % (self.data, self.rng.randint(0, 3))
        if kind < 6:
            self.files.setdefault(path, self.env_file())
            return self.pick("", "-") + self.pick(path, path.replace("/", "//", 1),
                                                  path + "/" if self.chance(3)
                                                  else path)
        if kind < 8:
            for name in "abc":
                if self.chance(60):
                    self.files.setdefault("%s/g/%s.env" % (self.data, name),
                                          self.env_file())
            return "-" + self.data + self.pick("/g/*.env", "/g/[ab].env",
                                               "/*/?.env", "/g/*")
        return self.pick("-/nonexistent", "-relative", "relative",
                         "-" + path + "/../x", "/nonexistent"
                         if self.chance(10) else "-/none", "-/etc/krp/%p")

    def line(self):
        kind = self.rng.randint(0, 29)
        equals = self.pick("=", "=", "=", " = ", "= ", " =")
        if kind < 13:
            return "Environment" + equals + self.environment()
        if kind < 18:
            return "EnvironmentFile" + equals + self.env_files()
        if kind < 20:
            return self.pick("Environment=", "EnvironmentFile=",
                             "UnsetEnvironment=", "PassEnvironment=",
                             "ExecStart=") if self.chance(25) else ""
        if kind < 21:
            return "UnsetEnvironment" + equals + self.pick(
                "A", "B C", '"A=x"', "A=--v=2", "'B", "\\x41", "1x A")
        if kind < 22:
            return "PassEnvironment" + equals + self.pick("MANAGER", "A", "X Y")
        if kind < 23:
            return self.pick("[Unit]\nDescription=x\n[Service]",
                             "[X-Other]\nEnvironment=A=lost\n[Service]",
                             "[Install]\nEnvironment=B=lost\n[Service]",
                             "[Unknown]\nExecStart=/bin/lost\n[Service]",
                             "[Service", "[service]\nA=b\n[Service]")
        if kind < 25:
            return self.pick("# Environment=A=x", "; x", "no assignment",
                             "=x", "  ", "Unknown=x", "environment=A=x",
                             "#x \\", "X-A=b \\\nEnvironment=A=swallowed")
        if kind < 26:
            return "ExecStart" + equals + self.command()
        return ""

    def section(self, lines):
        text = "[Service]\n" + "\n".join(lines)
        if self.chance(3):
            text = text.replace("\n", "\r\n")
        if self.chance(3):
            text = "\ufeff" + text
        if self.chance(1):
            text += "\nEnvironment=A=\udcff"
        if self.chance(3):
            text = "Environment=A=outside\n" + text
        return (text + self.pick("\n", "\n", "\n", "", " \\\n", " \\")).encode(
            "utf-8", "surrogateescape")

    def lines(self, most):
        return [self.line() for _ in range(self.rng.randint(0, most))]

    def fragment(self):
        oneshot = self.chance(40)
        lines = ["Type=oneshot"] if oneshot else self.pick([], ["Type=simple"],
                                                           ["Type=exec"], [])
        lines = lines + self.lines(6)
        lines.append("ExecStart=" + self.command())
        if oneshot and self.chance(40):
            lines.append("ExecStart=" + self.command())
            lines[-1] += self.pick(" ; ", " ;\t", " \\; ", ";") + self.command()
        return self.section(lines + self.lines(3))

    def drop_in(self):
        lines = self.lines(5)
        if self.chance(20):
            lines += ["ExecStart=", "ExecStart=" + self.command()]
        if self.chance(5):
            return b""
        return self.section(lines)

    def put(self, path, content):
        self.files.setdefault(path, content)

    # --- the unit

    def names(self):
        kind = self.rng.randint(0, 9)
        if kind < 6:
            return self.base + ".service", None
        if kind < 8:
            return self.base + self.pick("-a-b.service", "-a.service",
                                         "-a-.service", "-x\\x2dy.service"), None
        return self.base + "@in-st\\x2e.service", self.base + "@.service"

    def folders(self, name, template):
        found = [name + ".d"] * 5
        if template:
            found.append(template + ".d")
        if "-" in name and not template:
            found += [self.base + "-.service.d", self.base + "-a-.service.d"]
        return found

    def make(self):
        """The name to ask for and the one that it runs under."""
        name, template = self.names()
        ask = name
        path = self.rng.choice(FOLDERS)
        self.put("%s/%s" % (path, template or name), self.fragment())
        if self.chance(10):
            self.put("%s/%s" % (self.rng.choice(FOLDERS), template or name),
                     self.pick(self.fragment(), b"", ("/dev/null",)))
        folders = self.folders(name, template)
        if self.chance(10) and not template:
            alias = self.base + "alias.service"
            self.put("%s/%s" % (self.rng.choice(FOLDERS), alias),
                     self.pick((name,), ("%s/%s" % (path, name),)))
            folders.append(alias + ".d")
        if self.chance(4):
            self.files.clear()
            self.put("/opt/krp/%s" % (template or name), self.fragment())
            self.put("/etc/systemd/system/" + (template or name),
                     ("/opt/krp/" + (template or name),))
        for _ in range(self.rng.randint(0, 4)):
            where = "%s/%s/%s" % (self.rng.choice(FOLDERS),
                                  self.rng.choice(folders),
                                  self.pick("10-a.conf", "20-b.conf", "x.conf",
                                            "5.conf", ".h.conf", "c.txt"))
            self.put(where, ("/dev/null",) if self.chance(8)
                     else self.drop_in())
        return ask


def write(host, files):
    for path, content in files.items():
        full = host.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if isinstance(content, tuple):
            os.symlink(content[0], full)
        else:
            with open(full, "wb") as file:
                file.write(content)


def read_ours(data):
    """unit -> (load, [(program, ignore, words)]); None: an unknown word."""
    units = {}
    fields = iter(data.split(b"\0"))
    for name in fields:
        if not name:
            break
        load, commands = next(fields), []
        for path in fields:
            if path == b"end of unit":
                break
            ignore, count = next(fields) == b"-", int(next(fields))
            words = [(next(fields), next(fields)) for _ in range(count)]
            commands.append((os.path.normpath(path.decode()), ignore,
                             [None if mark == b"?" else word
                              for mark, word in words]))
        units[name.decode()] = (load.decode(), commands)
    return units


def read_theirs(host, name):
    try:
        with open("%s/run/print-argv/%s" % (host.root, name), "rb") as file:
            fields = iter(file.read().split(b"\0"))
    except FileNotFoundError:
        return []
    return [[next(fields) for _ in range(int(count))]
            for count in fields if count]


def same_words(ours, theirs):
    """An unknown word may be any number of words: $VAR is split."""
    if not ours:
        return not theirs
    if ours[0] is None:
        return any(same_words(ours[1:], theirs[n:])
                   for n in range(len(theirs) + 1))
    return bool(theirs) and ours[0] == theirs[0] and \
        same_words(ours[1:], theirs[1:])


def same(ours, theirs):
    return len(ours) == len(theirs) and all(map(same_words, ours, theirs))


def runs(commands):
    """What notes its argv: up to the first that cannot be executed."""
    argvs = []
    for path, ignore, words in commands:
        if words and path in (PROGRAM, "/bin/print-argv"):
            argvs.append(words)
        elif not ignore:
            break
    return argvs


def wait(host):
    for _ in range(300):
        left = host.sh("systemctl list-units --all --plain --no-legend "
                       "'krp*' | grep -cE ' (active|activating|deactivating) '")
        if left.stdout.strip() == "0":
            return
        if not left.stdout:
            raise RuntimeError("the host is gone: " + left.stderr)
        time.sleep(0.1)
    raise RuntimeError("units do not end: %s" % (left,))


def run_batch(host, units, args, stats, version):
    for generator in units.values():
        write(host, generator.files)
    host.write("/run/krp-names", "\n".join(units) + "\n")
    host.sh("mkdir -p /run/print-argv; systemctl daemon-reload; "
            "xargs -d '\\n' systemctl start </run/krp-names", timeout=300)
    wait(host)
    ours = host.sh("export MANAGER_ENVIRONMENT=\"$(systemctl show-environment)\"; "
                   "xargs -d '\\n' dump-unit %s / </run/krp-names >/run/krp-ours"
                   % version)
    if ours.status:
        raise RuntimeError("dump-unit failed: " + ours.stderr)
    ours = read_ours(host.read("/run/krp-ours"))
    for name, generator in units.items():
        load, commands = ours[name]
        commands = runs(commands) if load == "loaded" else []
        theirs = read_theirs(host, name)
        stats[load] = stats.get(load, 0) + 1
        stats["words"] = stats.get("words", 0) + sum(map(len, theirs))
        if same(commands, theirs):
            continue
        stats["differ"] = stats.get("differ", 0) + 1
        report(host, name, generator, load, commands, theirs, args)


def report(host, name, generator, load, commands, theirs, args):
    print("# %s differs: we say %s" % (name, load))
    for a in commands:
        print("#   ours   %r" % (a,))
    for b in theirs:
        print("#   theirs %r" % (b,))
    log = host.run(["journalctl", "-b", "--no-pager", "-o", "cat", "-u", name])
    for line in log.stdout.splitlines()[:12]:
        print("#   log %s" % line)
    for path, content in sorted(generator.files.items()):
        print("#   %s: %r" % (path, content))
        if args.keep:
            full = "%s/%s%s" % (args.keep, name, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            if not isinstance(content, tuple):
                with open(full, "wb") as file:
                    file.write(content)


def make_units(first, count, seed):
    units = {}
    for number in range(first, first + count):
        rng = random.Random("%d:%d" % (seed, number))
        generator = Generator(number, rng)
        units[generator.make()] = generator
    return units


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dump_unit")
    parser.add_argument("print_argv")
    parser.add_argument("--units", type=int, default=300)
    parser.add_argument("--seed", type=int,
                        default=int.from_bytes(os.urandom(3), "big"))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep")
    # a root made by mmdebstrap --variant=essential --include=systemd,
    # systemd-sysv,dbus,libbsd0,libmd0: another systemd than this machine's
    parser.add_argument("--root")
    args = parser.parse_args()
    try:
        host_lib.need_host()
    except host_lib.Skip as reason:
        print("1..0 # SKIP %s" % reason)
        return 0
    print("# --seed %d --units %d" % (args.seed, args.units))
    stats = {}
    host = host_lib.Host(args.dump_unit, args.print_argv,
                         "property-%d" % os.getpid(),
                         ["--root", args.root] if args.root else [])
    host.binaries = {"/usr/bin/dump-unit": args.dump_unit,
                     PROGRAM: args.print_argv}
    started = time.monotonic()
    with host:
        version = host.sh("systemctl --version").stdout.split()[1]
        host.sh("systemctl set-environment MANAGER=mn")
        first, left = args.first, args.units
        while left > 0:
            count = min(left, BATCH)
            run_batch(host, make_units(first, count, args.seed), args, stats,
                      version)
            first, left = first + count, left - count
    print("# systemd %s: %s, %.1f s" % (version, ", ".join(
        "%d %s" % (v, k) for k, v in sorted(stats.items())),
        time.monotonic() - started))
    good = stats.get("differ", 0) == 0
    enough = stats.get("loaded", 0) * 2 > args.units
    print("%s 1 - %d units: the same argv" % ("ok" if good else "not ok",
                                              args.units))
    print("%s 2 - most of the units run" % ("ok" if enough else "not ok"))
    print("1..2")
    return 0 if good and enough else 1


if __name__ == "__main__":
    sys.exit(main())
