#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What holds for every file of the tree.

    lint-tree.py CHECK SOURCE_ROOT [BUILD_ROOT]

    spdx      every source says its licence where readers look for it
    outside   no file names a place outside the tree
    headers   every header compiles alone (flags: BUILD_ROOT/compile_commands.json)
    format    clang-format would change nothing
    shell     shellcheck finds nothing
    advice    every error's code is in the table of src/report/advice.c, and no
              other

Ends with 0, 1 and one line a fault, or 77 where the tool for it is missing.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

SPDX = "SPDX-License-Identifier: Apache-2.0"
# Put together, so that this file does not name them itself.
OUTSIDE = ["/".join(parts) for parts in
           (("..", "shared"), ("", "work", "shared"), ("", "work", "wt"))]
SKIP = 77
CLANG_FORMAT = 14  # Debian 12's


def tree(root):
    """Paths of all files that are, or would be, in version control."""
    listing = shutil.which("git") and subprocess.run(
        ["git", "-C", root, "-c", "safe.directory=*", "ls-files", "-z",
         "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if listing and listing.returncode == 0:
        paths = os.fsdecode(listing.stdout).split("\0")
        return sorted({p for p in paths
                       if p and os.path.isfile(os.path.join(root, p))})
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders
                      if f not in (".git", "__pycache__")
                      and not f.startswith("build")]
        found += [os.path.relpath(os.path.join(folder, n), root)
                  for n in names]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), "rb") as file:
        return file.read()


def is_data(path):
    """Inputs of tests: their bytes are what they are."""
    return re.match(r"tests/(.*/)?(cases|nodes|corpus|golden|fixtures)/",
                    path)


def is_shell(root, path):
    if path.endswith(".sh"): # to be sourced
        return True
    first = read(root, path).split(b"\n", 1)[0]
    return re.match(rb"#!\s*/(usr/)?bin/(env )?(ba|da)?sh\b", first)


def check_spdx(root, _build):
    faults = []
    for path in tree(root):
        if is_data(path):
            continue
        data = read(root, path)
        lines = data.decode("utf-8", "replace").split("\n")
        if path.endswith((".c", ".h")):
            good = lines[0] == "/* %s */" % SPDX
        elif (path.endswith((".py", ".sh", "meson.build"))
              or os.path.basename(path) == "meson_options.txt"
              or data.startswith(b"#!")):
            good = "# " + SPDX in lines[:2]
        else:
            continue
        if not good:
            faults.append("%s: no SPDX line at its head" % path)
    return faults


def check_outside(root, _build):
    faults = []
    for path in tree(root):
        text = read(root, path).decode("utf-8", "replace")
        for word in OUTSIDE:
            if word in text:
                line = text.count("\n", 0, text.index(word)) + 1
                faults.append("%s:%d: names %s, a place outside the tree"
                              % (path, line, word))
    return faults


def compile_flags(build):
    """The union of what the sources are compiled with, less the files."""
    flags = []
    with open(os.path.join(build, "compile_commands.json"),
              encoding="utf-8") as file:
        entries = json.load(file)
    for entry in entries:
        words = shlex.split(entry["command"])
        for i, word in enumerate(words):
            pair = [word]
            if word in ("-isystem", "-include", "-I", "-D"):
                pair.append(words[i + 1])
            elif not word.startswith(("-I", "-D", "-std=", "-isystem")):
                continue
            if pair[-1] not in flags:
                flags += pair
    return flags


def check_headers(root, build):
    flags = compile_flags(build)
    cc = shlex.split(os.environ.get("CC", "cc"))
    faults = []
    for path in tree(root):
        if not path.endswith(".h") or is_data(path):
            continue
        run = subprocess.run(
            cc + flags + ["-fsyntax-only", "-Wall", "-Werror", "-x", "c", "-"],
            cwd=build, check=False, stderr=subprocess.PIPE, text=True,
            input='#include "%s"\n' % os.path.join(root, path))
        if run.returncode:
            faults.append("%s: does not compile alone\n%s"
                          % (path, run.stderr))
    return faults


def need(name):
    if not shutil.which(name):
        print("%s is not there" % name)
        sys.exit(SKIP)


def clang_format():
    """The command of that version; another one breaks lines elsewhere."""
    found = "is not there"
    for name in ("clang-format-%d" % CLANG_FORMAT, "clang-format"):
        if not shutil.which(name):
            continue
        found = subprocess.run([name, "--version"], check=True, text=True,
                               stdout=subprocess.PIPE).stdout.strip()
        if re.search(r"version %d\." % CLANG_FORMAT, found):
            return name
    print("clang-format %d is needed: %s" % (CLANG_FORMAT, found))
    sys.exit(SKIP)


def check_format(root, _build):
    command = clang_format()
    faults = []
    for path in tree(root):
        if not path.endswith((".c", ".h")) or is_data(path):
            continue
        run = subprocess.run([command, "--dry-run", path], cwd=root,
                             check=False, stderr=subprocess.PIPE, text=True)
        places = re.findall(r"^(\S+:\d+):\d+: warning", run.stderr, re.M)
        if run.returncode or places:
            faults.append("%s: %d places, first at %s; clang-format -i it"
                          % (path, len(places), (places or ["?"])[0]))
    return faults


def check_shell(root, _build):
    need("shellcheck")
    paths = [p for p in tree(root) if not is_data(p) and is_shell(root, p)]
    run = subprocess.run(["shellcheck"] + paths, cwd=root, check=False,
                         stdout=subprocess.PIPE, text=True)
    return [run.stdout] if run.returncode else []


def error_codes(root):
    """{code: the file} of all errors: in calls, and in tables of codes."""
    found = {}
    for path in tree(root):
        if not re.match(r"src/(?!report/|cli/).*\.c\Z", path):
            continue
        text = read(root, path).decode()
        for code in re.findall(r"KR_ERROR,\s*\"([a-z-]+)\"", text) \
                + re.findall(r"\.code = \"([a-z-]+)\"", text) \
                + re.findall(r"refuse\(\s*[efp], \"([a-z-]+)\"", text) \
                + re.findall(r"kr_diag_refuse(?:_path)?\(\s*[^,;\"]+,\s*"
                             r"\"([a-z-]+)\"", text) \
                + re.findall(r"\? \"(bus-[a-z]+)\" : \"", text):
            found.setdefault(code, path)
    return found


def check_advice(root, _build):
    table = re.search(r"rows\[\] = \{(.*?)\n\};", read(
        root, "src/report/advice.c").decode(), re.S).group(1)
    rows = re.findall(r"\{\"([a-z-]+)\",", table)
    codes = error_codes(root)
    # warnings that may become the error to blame
    codes.update((code, "src/node/slips.c") for code in re.findall(
        r'is_code\(\w+, "([a-z-]+)"\)',
        read(root, "src/node/slips.c").decode()))
    codes.update((code, "src/unit/resolve.c") for code in re.findall(
        r'raise_code\([^")]*"([a-z-]+)"\)',
        read(root, "src/unit/resolve.c").decode()))

    codes["pending-arguments"] = "src/fix/pending.c"

    def is_of(row, code):
        return code.startswith(row) if row.endswith("-") else code == row

    faults = ["%s: error \"%s\": src/report/advice.c has no row for it, and "
              "no word on what to do" % (path, code)
              for code, path in sorted(codes.items())
              if not any(is_of(row, code) for row in rows)]
    faults += ["src/report/advice.c: no error has the code \"%s\"" % row
               for row in rows
               if not any(is_of(row, code) for code in codes)
               and row != "flag-"]  # kubelet/flags hands its remarks on
    if len(codes) < 40:
        faults.append("only %d codes were found" % len(codes))
    return faults


CHECKS = {
    "spdx": check_spdx,
    "outside": check_outside,
    "headers": check_headers,
    "format": check_format,
    "shell": check_shell,
    "advice": check_advice,
}


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in CHECKS:
        print(__doc__, file=sys.stderr)
        return 2
    build = os.path.abspath(sys.argv[3]) if len(sys.argv) == 4 else None
    root = os.path.abspath(sys.argv[2])
    faults = CHECKS[sys.argv[1]](root, build)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
