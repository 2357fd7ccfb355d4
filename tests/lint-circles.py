#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No circle of source files: none calls what, by way of others, calls it.

    lint-circles.py OBJECTS         the folder with the built objects; TAP
    lint-circles.py --self-test     what a circle is, on made-up symbols

The objects tell it as the linker sees it (nm): who defines a symbol, who needs
it. What is declared in one header and used by the other side as a type alone is
no circle.
"""

import os
import re
import subprocess
import sys


def read(folder):
    """Of each object below FOLDER: the symbols it defines, those it needs."""
    symbols = {}
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not name.endswith(".c.o"):
                continue
            text = subprocess.run(
                ["nm", "--format=posix", os.path.join(top, name)], check=True,
                stdout=subprocess.PIPE, text=True).stdout
            words = [line.split() for line in text.splitlines()]
            # src/fix/libfix-layer.a.p/apply.c.o is fix/apply
            layer = os.path.relpath(os.path.dirname(top), folder)
            module = os.path.normpath(os.path.join(layer, name[:-len(".c.o")]))
            symbols[re.sub("_", "/", module)] = (
                {w[0] for w in words if w[1] in "TDRB"},
                {w[0] for w in words if w[1] == "U"})
    return symbols


def edges(symbols):
    """{module: the modules that it calls}."""
    owner = {symbol: module for module, (has, _) in symbols.items()
             for symbol in has}
    return {module: {owner[s] for s in needs if s in owner} - {module}
            for module, (_, needs) in symbols.items()}


def reachable(graph, start):
    seen, todo = set(), [start]
    while todo:
        for module in graph.get(todo.pop(), ()):
            if module not in seen:
                seen.add(module)
                todo.append(module)
    return seen


def circles(graph):
    """Each set of modules of which every one reaches every other."""
    reach = {module: reachable(graph, module) for module in graph}
    found = {frozenset(other for other in reach[module]
                       if module in reach.get(other, ()))
             for module in graph if module in reach[module]}
    return sorted(sorted(circle) for circle in found)


GRAPHS = (
    ("a chain", {"a": {"b"}, "b": {"c"}, "c": set()}, []),
    ("two ways down", {"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
    ("two files", {"a": {"b"}, "b": {"a"}}, [["a", "b"]]),
    ("by way of a third", {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}},
     [["a", "b", "c"]]),
    ("two circles", {"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"c"}},
     [["a", "b"], ["c", "d"]]),
)


def self_test():
    failed = 0
    print("1..%d" % len(GRAPHS))
    for number, (name, graph, want) in enumerate(GRAPHS, 1):
        got = circles(graph)
        failed += got != want
        print("%s %d - %s" % ("ok" if got == want else "not ok", number, name))
        if got != want:
            print("# wanted %s, got %s" % (want, got))
    return 1 if failed else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    graph = edges(read(sys.argv[1]))
    n_calls = sum(len(called) for called in graph.values())
    found = circles(graph)
    print("1..2")
    print("%s 1 - objects were read (%d, %d calls between them)"
          % ("ok" if n_calls else "not ok", len(graph), n_calls))
    print("%s 2 - no circle" % ("not ok" if found else "ok"))
    for circle in found:
        print("# " + ", ".join(circle))
    return 1 if found or not n_calls else 0


if __name__ == "__main__":
    sys.exit(main())
