#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The layers: every #include points down, or stays inside its own folder.

    lint-layers.py SOURCE_ROOT      the tree; TAP, one line a rule
    lint-layers.py --self-test      trees that break each rule must be caught

A file's layer is its folder below src/; the files at the top of src/ are the
command line, the highest layer, but for library.c, the top of the library;
include/kubelet-remedy/ is the public face: it includes nothing of src/, and
everybody may include it. Layers of one rank do not know each other. On top of
the order come the pairs that must not meet although the order would let them,
and the libraries that a layer below the outside world must not need.
"""

import os
import re
import sys
import tempfile

# Highest first. Layers on one line have one rank.
ORDER = (
    ("cli",),
    ("report",),
    ("fix",),
    ("host",),
    ("systemd", "net", "library"),
    ("policy",),
    ("node",),
    ("kubelet",),
    ("doc", "unit", "store"),
    ("base",),
    ("kubelet-remedy",),        # include/kubelet-remedy
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}

# The outside world is told nothing of what it is asked for.
FORBIDDEN = {
    ("kubelet", "unit"): "kubelet/ and unit/ know nothing of each other",
    ("kubelet", "store"): "kubelet/ does no I/O",
    ("systemd", "kubelet"): "systemd/ knows nothing of kubelet",
    ("net", "kubelet"): "net/ knows nothing of kubelet",
}

# What reads, decides and plans needs neither a bus nor a network.
OUTSIDE = {"systemd": "the bus", "curl": "the network"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', re.M)


# At the top of src/.
COMMAND_LINE = {"main.c"}


def layer_of(path):
    """The layer of a path below src/ or include/, None if it has none."""
    if path in COMMAND_LINE:
        return "cli"
    if path == "library.c":
        return "library"
    head, _, rest = path.partition("/")
    return head if rest and head in RANK else None


def sources(root):
    for top in ("src", "include"):
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders.sort()
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    full = os.path.join(folder, name)
                    yield full, os.path.relpath(full, os.path.join(root, top))


def fault_of(layer, quote, target):
    """Why a file of LAYER must not include TARGET, or None."""
    head = target.split("/", 1)[0]
    if quote == "<" and head in OUTSIDE:
        if RANK[layer] > RANK["systemd"] or layer == "library":
            return "%s/ must not need %s" % (layer, OUTSIDE[head])
        return None
    if quote == "<" and head != "kubelet-remedy":
        return None
    other = layer_of(target)
    if other is None:
        return "no layer of that name: write \"layer/module.h\""
    if other == layer:
        return None
    if (layer, other) in FORBIDDEN:
        return FORBIDDEN[layer, other]
    if RANK[other] == RANK[layer]:
        return "%s/ and %s/ know nothing of each other" % (layer, other)
    if RANK[other] < RANK[layer]:
        return "%s/ is above %s/" % (other, layer)
    return None


def lint(root):
    """All faults of the tree at ROOT, and how many files were read."""
    faults, n_files = [], 0
    for full, path in sources(root):
        n_files += 1
        layer = layer_of(path)
        with open(full, encoding="utf-8", errors="replace") as file:
            text = file.read()
        if layer is None:
            faults.append("%s: no layer of that name" % path)
            continue
        for match in INCLUDE.finditer(text):
            why = fault_of(layer, match.group(1), match.group(2))
            if why:
                line = text.count("\n", 0, match.start(2)) + 1
                faults.append("%s:%d: %s: %s"
                              % (path, line, match.group(2), why))
    return faults, n_files


# (name, {path: text}, what a fault must say or None for a clean tree)
TREES = (
    ("down, own folder, system, public face", {
        "src/main.c": '#include <stdio.h>\n#include "cli/cli.h"\n',
        "src/cli/cli.h": '#include "report/term.h"\n',
        "src/cli/options.c": '#include "cli/options.h"\n',
        "src/fix/fix.c": '#include <systemd/sd-bus.h>\n'
                         '#include "systemd/manager.h"\n',
        "src/systemd/manager.h": '#include "unit/loaded.h"\n',
        "src/node/node.c": '#include "kubelet/flags.h"\n'
                           '#include "unit/resolve.h"\n'
                           '#include "node/node.h"\n',
        "src/policy/judge.c": '#include <kubelet-remedy/audit.h>\n',
        "include/kubelet-remedy/audit.h": "#include <stdbool.h>\n",
    }, None),
    ("upwards", {"src/base/fs.c": '#include "unit/resolve.h"\n'},
     "unit/ is above base/"),
    ("upwards by far", {"src/policy/plan.c": '#include "report/term.h"\n'},
     "report/ is above policy/"),
    ("second line is named", {
        "src/base/a.c": '#include <stdio.h>\n#include "policy/plan.h"\n'},
     "base/a.c:2:"),
    ("kubelet to unit", {"src/kubelet/a.c": '#include "unit/resolve.h"\n'},
     "know nothing of each other"),
    ("unit to kubelet", {"src/unit/a.h": '#include "kubelet/flags.h"\n'},
     "kubelet/ is above unit/"),
    ("store to kubelet", {"src/store/a.c": '#include "kubelet/flags.h"\n'},
     "kubelet/ is above store/"),
    ("doc to kubelet", {"src/doc/a.c": '#include "kubelet/flags.h"\n'},
     "kubelet/ is above doc/"),
    ("doc to unit", {"src/doc/a.c": '#include "unit/resolve.h"\n'},
     "know nothing of each other"),
    ("kubelet to store", {"src/kubelet/a.c": '#include "store/lock.h"\n'},
     "kubelet/ does no I/O"),
    ("store to node", {"src/store/a.c": '#include "node/node.h"\n'},
     "node/ is above store/"),
    ("systemd to net", {"src/systemd/a.c": '#include "net/http.h"\n'},
     "know nothing of each other"),
    ("systemd to kubelet", {"src/systemd/a.c": '#include "kubelet/flags.h"\n'},
     "knows nothing of kubelet"),
    ("net to kubelet", {"src/net/a.c": '# include "kubelet/field.h"\n'},
     "knows nothing of kubelet"),
    ("node to systemd", {"src/node/a.c": '#include "systemd/manager.h"\n'},
     "systemd/ is above node/"),
    ("node to net", {"src/node/a.c": '#include "net/http.h"\n'},
     "net/ is above node/"),
    ("a bus below the bus", {"src/policy/a.c": "#include <systemd/sd-bus.h>\n"},
     "must not need the bus"),
    ("a network below it", {"src/kubelet/a.c": "#include <curl/curl.h>\n"},
     "must not need the network"),
    ("public face to src", {
        "include/kubelet-remedy/a.h": '#include "base/span.h"\n'},
     "base/ is above kubelet-remedy/"),
    ("no folder", {"src/base/a.c": '#include "span.h"\n'}, "no layer"),
    ("unknown folder", {"src/misc/a.c": "\n"}, "no layer"),
    ("up to the command line", {"src/fix/fix.c": '#include "cli/options.h"\n'},
     "cli/ is above fix/"),
    ("the library's own", {
        "src/library.c": '#include <kubelet-remedy/kubelet-remedy.h>\n'
                         '#include "policy/plan.h"\n'}, None),
    ("the library to systemd", {
        "src/library.c": '#include "systemd/manager.h"\n'},
     "know nothing of each other"),
    ("the library to the bus", {
        "src/library.c": "#include <systemd/sd-bus.h>\n"},
     "must not need the bus"),
    ("the library to fix", {"src/library.c": '#include "fix/fix.h"\n'},
     "fix/ is above library/"),
    ("stray file", {"src/util.c": "\n"}, "no layer"),
)


def self_test():
    failed = 0
    print("1..%d" % len(TREES))
    for number, (name, files, want) in enumerate(TREES, 1):
        with tempfile.TemporaryDirectory(prefix="lint-layers-") as root:
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
            faults, _ = lint(root)
        good = not faults if want is None else \
            len(faults) == 1 and want in faults[0]
        failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", number, name))
        if not good:
            print("# wanted %s, got %s" % (want, faults))
    return 1 if failed else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    faults, n_files = lint(sys.argv[1])
    print("1..2")
    print("%s 1 - files were found (%d)" % ("ok" if n_files else "not ok",
                                            n_files))
    print("%s 2 - every include points down" % ("not ok" if faults else "ok"))
    for fault in faults:
        print("# " + fault)
    return 1 if faults or not n_files else 0


if __name__ == "__main__":
    sys.exit(main())
