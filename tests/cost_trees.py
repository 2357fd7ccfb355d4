# SPDX-License-Identifier: Apache-2.0
"""Nodes that were made to be large, in one way each."""

import os

import cost_lib

INVALID, TOO_LARGE = b"the arguments are too long", b"too large"
MORE, PASS = b"more of this", b"PASS"

# Each: lines behind ExecStart= of a unit, the words there, an environment file,
# and what must be said of it. The first two are reports that were posted.
TREES = {
    "a variable of 20,000 words":
        ("Environment=\"A=%s\"\n" % ("x " * 20000), "$A", "", MORE),
    "a variable of 10,000 words, a hundred times":
        ("Environment=\"A=%s\"\n" % ("x " * 10000), "$A " * 100, "", INVALID),
    "in braces, a thousand times":
        ("Environment=A=%s\n" % ("x" * 100000), "${A}" * 1000, "", INVALID),
    "in braces, words of their own":
        ("Environment=A=%s\n" % ("x" * 100000), "${A} " * 1000, "", INVALID),
    "variables of variables' names":
        ("".join("Environment=A%d=1\n" % i for i in range(20000)),
         "".join("$A%d " % i for i in range(20000)), "", MORE),
    "a word of 128 KiB": ("", "x" * (128 << 10), "", INVALID),
    "a variable of 128 KiB that nothing expands":
        ("", "", "A=" + "x" * (128 << 10), INVALID),
    "words in ExecStart=": ("", "a " * 200000, "", TOO_LARGE),
    "ExecStart= lines": ("ExecStart=/bin/true\n" * 200000, "", "", TOO_LARGE),
    "Environment= lines": ("Environment=A=1\n" * 500000, "", "", TOO_LARGE),
    "Environment= lines that are none":
        ("Environment=1=1\n" * 500000, "", "", MORE),
    "lines that are none": ("x\n" * 500000, "", "", MORE),
    "UnsetEnvironment= lines":
        ("UnsetEnvironment=A\n" * 500000, "", "", PASS),
    "one value of 15 MB": ("", "$A", "A=" + "x " * (7 << 20), INVALID),
    "a million variables":
        ("", "$A", "".join("A%d=1\n" % i for i in range(1000000)), TOO_LARGE),
    "one variable, millions of times":
        ("", "$A", "A=1\n" * 3000000, TOO_LARGE),
    "comments": ("", "", "# x\n" * 3000000, PASS),
    "lines of an environment file that are none":
        ("", "", "x y\n" * 3000000, MORE),
    "names that are none": ("", "", "x y=\n" * 3000000, MORE),
    "escapes in Environment=":
        (("Environment=A=%s\n" % ("\\x41" * 250000)) * 14, "$A", "", TOO_LARGE),
    "escapes in ExecStart=":
        (("ExecStart=/bin/true %s\n" % ("\\x41" * 250000)) * 14, "", "",
         TOO_LARGE),
    "commands of many words":
        ("Type=oneshot\n" + ("ExecStart=/bin/true%s\n" % (" a" * 99000)) * 70,
         "", "", TOO_LARGE),
    "quotes in an environment file":
        ("", "$A", "A=" + "\"x\" " * 3700000, TOO_LARGE),
    "lines that are joined": ("", "$A", "A=" + "\\\n " * 4900000, TOO_LARGE),
    "names in UnsetEnvironment=":
        (("UnsetEnvironment=%s\n" % ("A " * 500000)) * 15, "", "", TOO_LARGE),
    "names in PassEnvironment=":
        (("PassEnvironment=%s\n" % ("A " * 500000)) * 15, "", "", TOO_LARGE),
    "PassEnvironment= lines":
        ("".join("PassEnvironment=A%d\n" % i for i in range(500000)), "", "",
         TOO_LARGE),
    "variables, and others that are unset":
        ("".join("UnsetEnvironment=B%d\n" % i for i in range(120000)) +
         "".join("Environment=A%d=1\n" % i for i in range(30000)), "", "",
         PASS),
    "paths in BindPaths=":
        (("BindPaths=%s\n" % ("/a " * 330000)) * 15, "", "", TOO_LARGE),
    "PrivateTmp= lines":
        ("BindPaths=%s\n" % ("/a " * 240) + "PrivateTmp=yes\n" * 900000, "",
         "", PASS),
    "an environment file that is not there, again":
        ("EnvironmentFile=-/nothing\n" * 500000, "", "", PASS),
    "a large environment file, again":
        ("EnvironmentFile=/etc/default/kubelet\n" * 200000, "", "# x\n" * 2000000,
         TOO_LARGE),
    "a glob, again":
        ("EnvironmentFile=-/etc/default/*x\n" * 400000, "", "", PASS),
}


# Config files, behind the two lines that each has.
LARGE = b"configuration is too large"
CONFIGS = {
    "a list": ("x: [" + "a," * (7 << 20) + "]\n", LARGE),
    "a list of lines": ("x:\n" + "- a\n" * 3000000, LARGE),
    "a map": ("".join("k%d: 1\n" % i for i in range(1000000)), LARGE),
    "a key that is another's, again": ("a: 1\n" * 2500000, LARGE),
    "lists in lists": ("x: " + "[" * (1 << 20) + "]" * (1 << 20), b"INVALID"),
    "an alias, again": ("x: &a [1]\ny: [" + "*a," * 1000000 + "]\n",
                        b"too large"),
    "one text": ("x: " + "a" * (15 << 20) + "\n", PASS),
    "one text of lines": ("x: |\n" + " a\n" * (5 << 20), PASS),
    "escapes": ("x: \"" + "\\n" * (7 << 20) + "\"\n", PASS),
    "comments": ("# a\n" * 3900000, PASS),
    "the key, again":
        ("makeIPTablesUtilChains: true\n" * 500000, LARGE),
    "documents": ("---\n" * 3000000, PASS),
    "lists in lists, as deep as may be":
        ("x: " + "[" * 9990 + "]" * 9990 + "\n", PASS),
    "maps in maps": ("x: " + "{a: " * 9990 + "1" + "}" * 9990 + "\n", PASS),
    "the key in the second document":
        ("---\n" + "makeIPTablesUtilChains: 1\n" * 500000, MORE),
    "names that look like the key":
        ("".join("make-iptables-util-chains%s: 1\n" % ("-" * (i % 200))
                 for i in range(40000)), MORE),
    "the key inside":
        ("".join("x%d: {makeIPTablesUtilChains: 1}\n" % i
                 for i in range(30000)), MORE),
}


YAML = ("apiVersion: kubelet.config.k8s.io/v1beta1\n"
        "kind: KubeletConfiguration\n%s")
JSON = ('{"apiVersion": "kubelet.config.k8s.io/v1beta1",'
        '"kind": "KubeletConfiguration", %s "maxPods": 110}')
JSON_CONFIGS = {
    "a list": ('"x": [' + "1," * (6 << 20) + "1],", PASS),
    "the key, again": ('"makeIPTablesUtilChains":true,' * 500000, LARGE),
    "the key, 100,000 times":
        ('"makeIPTablesUtilChains":true,' * 100000, PASS),
    "another key, again": ('"x":1,' * 2000000, PASS),
    "one text": ('"x": "' + "a" * (15 << 20) + '",', PASS),
    "200,000 keys": ("".join('"k%d":1,' % i for i in range(200000)), PASS),
    "lists in lists": ('"x":' + "[" * 9990 + "]" * 9990 + ",", PASS),
    "names that look like the key":
        ('"makeIPTablesUtilChains_":1,' * 300000, MORE),
    "the key inside":
        ('"x":{' + '"makeIPTablesUtilChains":1,' * 300000 + '"a":1},', MORE),
}


def make_tree(root, lines, words, environment, config=YAML % ""):
    cost_lib.write(root, "/var/lib/kubelet/config.yaml", config)
    cost_lib.write(root, "/etc/default/kubelet", environment)
    cost_lib.write(root, "/etc/systemd/system/kubelet.service",
                   "[Service]\n"
                   "EnvironmentFile=/etc/default/kubelet\n"
                   "ExecStart=/usr/bin/kubelet --kubeconfig=/k "
                   "--config=/var/lib/kubelet/config.yaml %s\n%s"
                   % (words, lines))


def files(folder, name, count, text):
    """A maker: COUNT files below FOLDER, beside a node that reads it."""
    def make(root):
        make_tree(root, "EnvironmentFile=-/etc/env.d/*\n",
                  "--config-dir=/etc/kubelet.d", "")
        os.makedirs(root + folder)
        os.makedirs(root + "/etc/kubelet.d", exist_ok=True)
        for i in range(count):
            with open("%s%s/%s" % (root, folder, name % i), "w",
                      encoding="ascii") as file:
                file.write(text)
    return make


def links(folder, name, count, text):
    """The same with links to one file."""
    def make(root):
        files(folder, name, 0, "")(root)
        cost_lib.write(root, "/etc/target", text)
        for i in range(count):
            os.symlink("/etc/target", "%s%s/%s" % (root, folder, name % i))
    return make


def with_dpkg(root):
    files("/etc/kubelet.d", "%d.conf", 1, YAML % "")(root)
    cost_lib.write(root, "/var/lib/dpkg/status", 140000 * (
        "Package: x\nStatus: install ok installed\nDescription: %s\n\n"
        % ("y" * 60)))


def with_aliases(root):
    make_tree(root, "", "", "")
    for i in range(50000):
        os.symlink("kubelet.service",
                   "%s/etc/systemd/system/x%d.service" % (root, i))


def with_directives(root):
    make_tree(root, "", "", "", "%s---\n%s" % (
        "".join("%%TAG !a%d! x\n" % i for i in range(600000)), YAML % ""))


def with_dropin(n_words, n_uses):
    """As it was posted: a drop-in of N_WORDS in a variable."""
    def make(root):
        make_tree(root, "", "", "")
        cost_lib.write(root, UNIT_D + "/10-a.conf",
                       "[Service]\nEnvironment=\"A=%s\"\nExecStart=\n"
                       "ExecStart=/usr/bin/kubelet %s\n"
                       % ("x " * n_words, "$A " * n_uses))
    return make


def with_environment(text):
    """An environment file of 15 MB, of lines that begin with TEXT."""
    def make(root):
        make_tree(root, "", "$A", "".join(
            "%s%d=%s\n" % (text, i, "x" * 60) for i in range(210000)))
    return make


UNIT_D, CONFIG_D = "/etc/systemd/system/kubelet.service.d", "/etc/kubelet.d"
LINES = "# a\n" * 250000
KEY = YAML % "makeIPTablesUtilChains: true\n"
MANY = {
    "a drop-in of 40 KB": (with_dropin(20000, 1), MORE),
    "a drop-in of 20 KB, a bomb": (with_dropin(10000, 100), INVALID),
    "an environment file of 15 MB": (with_environment("A"), TOO_LARGE),
    "an environment file of 15 MB, in comments":
        (with_environment("# A"), PASS),
    "drop-ins of the unit":
        (files(UNIT_D, "%05d.conf", 20000, "[Service]\nEnvironment=A=1\n"),
         PASS),
    "drop-ins of the unit that are none":
        (files(UNIT_D, "%05d.conf", 20000, "kind: x\nx: y\n"), MORE),
    "large drop-ins of the unit":
        (files(UNIT_D, "%05d.conf", 100, "[Service]\n" + LINES), TOO_LARGE),
    "links of the unit to a large drop-in":
        (links(UNIT_D, "%05d.conf", 1000, "[Service]\n" + LINES), TOO_LARGE),
    "drop-ins of kubelet": (files(CONFIG_D, "%05d.conf", 9000, KEY), PASS),
    "more drop-ins of kubelet":
        (files(CONFIG_D, "%05d.conf", 20000, KEY), TOO_LARGE),
    "large drop-ins of kubelet":
        (files(CONFIG_D, "%05d.conf", 100, KEY + LINES), TOO_LARGE),
    "files of kubelet that are not read":
        (files(CONFIG_D, "%05d.yaml", 20000, KEY), MORE),
    "large ones": (files(CONFIG_D, "%05d.yaml", 100, KEY + LINES), MORE),
    "environment files": (files("/etc/env.d", "%05d", 20000, "A=1\n"), PASS),
    "large environment files":
        (files("/etc/env.d", "%05d", 100, LINES), TOO_LARGE),
    "a status of dpkg of 15 MB": (with_dpkg, PASS),
    "links to the unit": (with_aliases, PASS),
    "directives of YAML": (with_directives, LARGE),
}


# Each: what makes the tree, how many bytes it is larger than a tree of nothing,
# and how many times these an audit's memory may be larger: 10, but for what is
# the shortest that there can be, which is a sixth above what was measured. A
# letter and its blank, 2 bytes, are a word as it is written (12 bytes), one that
# is executed (32), the pointers of the two argv (16) and their bytes, 64: the
# pointers alone are 8 times the bytes. A drop-in of 26 bytes is a file (128
# bytes), its path (64), its bytes (48), its place in a tree (32), an assignment
# (48), twice while one of each name is found, and what finds it (12).
def with_words(word, count, variables=0):
    """COUNT of them as arguments; with VARIABLES in each of so many."""
    words = word * count
    return lambda root: make_tree(
        root, "".join("Environment=\"A%d=%s\"\n" % (i, words)
                      for i in range(variables)),
        " ".join("$A%d" % i for i in range(variables)) or words, "")


def with_yaml(text):
    return lambda root: make_tree(root, "", "", "", YAML % text)


MEMORY = {
    "an environment file, 35 bytes a line":
        (lambda root: make_tree(root, "", "", "".join(
            "VARIABLE_%05d=%s\n" % (i, "v" * 19) for i in range(40000))), 5),
    "an environment file, 9 bytes a line":
        (lambda root: make_tree(root, "", "", "".join(
            "A%05d=1\n" % i for i in range(40000))), 10),
    "arguments of 20 bytes":
        (with_words("--node-labels=abcde ", 20000), 10),
    "arguments of 20 bytes in a variable":
        (with_words("--node-labels=abcde ", 5000, 4), 10),
    "arguments of a letter": (with_words("x ", 90000), 36),
    "arguments of a letter in a variable": (with_words("x ", 60000, 2), 36),
    "drop-ins of the unit, of 26 bytes":
        (files(UNIT_D, "%05d.conf", 20000, "[Service]\nEnvironment=A=1\n"),
         19),
    "drop-ins of kubelet, of 98 bytes":
        (files(CONFIG_D, "%05d.conf", 9000, KEY), 10),
    "a map of YAML, 10 bytes a line":
        (with_yaml("".join("k%d: 1\n" % i for i in range(60000))), 8),
    "a list of YAML, 4 bytes a line":
        (with_yaml("x:\n" + "- a\n" * 60000), 4),
    "gates in YAML":
        (with_yaml("featureGates:\n" + "".join(
            "  Feature%05d: true\n" % i for i in range(20000))), 8),
}


def rows():
    """Each tree: its name, what makes it below a root, what is said of it."""
    for name, row in TREES.items():
        yield name, lambda root, row=row: make_tree(root, *row[:-1]), row[-1]
    for kind, form, configs in (("YAML", YAML, CONFIGS),
                                ("JSON", JSON, JSON_CONFIGS)):
        for name, (text, said) in configs.items():
            yield ("%s: %s" % (kind, name),
                   lambda root, text=form % text: make_tree(
                       root, "", "", "", text), said)
    for name, (make, said) in MANY.items():
        yield name, make, said
