#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an audit may cost at most, in what can be counted.

    test-cost.py PROGRAM MEASURE NODES [--sanitized]

On every example node: system calls, child processes, files opened, memory; and
that nothing is written, and no file read twice by a preview. Then that the counts
grow with what must be read and by no more. Then trees that were made to be large: whatever is in them, an audit ends, stays below 64 MB and
says little. Times are the benchmark's (bench-audit.py): a slow day fails nothing.
--sanitized: the program carries sanitizers, whose own memory and calls are
not its cost.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile

import cost_lib
import cost_trees

CALLS_MAX = 245                 # with libraries that may be shared ones
# what the program itself takes is the most of it: 0.7 MB of text, tables of
# fields, gates and controls by version; the rest of the libraries, shared ones too
RSS_KIB_MAX = 3200
OPENED_MAX = 40                 # libraries, files and folders
# what is loaded when there is a bus or an API server to ask
LOADED = re.compile(r"/lib(systemd|curl|gcrypt|lzma|zstd|lz4|cap)\.")
# each path of a store is a link into another folder, and walked as such
MAX_OF = {"nix-store": (420, 100)}
CALLS_OF_SECTION_MAX = 200     # looks at the files that a fix would change
CALLS_OF_CURE_MAX = 300
VERSION = "--kubelet-version=1.29.0"
# what a rule names: the kubeconfig, certificates, the kernel's settings
NAMED = re.compile(r"kube(let\.conf|config)$|\.(crt|pem)$|/sysctl\.")
CALLS_PER_DROPIN_MAX = 8       # opened by path and looked at, then read
CALLS_OF_LINKS_MAX = 12        # of any number: one for 16 KiB of names
CALLS_PER_MIB_MAX = 16          # of a config file

TREE_KIB_MAX = 64 << 10         # of any tree
TREE_OUTPUT_MAX = 64 << 10      # bytes said of it
ADDRESS_SPACE = 1 << 30         # what is wrong takes no machine with it
PROCESSOR_SECONDS = 60          # ends what hangs


class Test:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, good, name, *detail):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name))
        for line in [] if good else detail:
            print("#   %s" % line)

    def at_most(self, got, limit, name):
        self.check(got <= limit, "%s: %s of at most %s" % (name, got, limit))


def check_node(test, program, measure, node, sanitized):
    name = os.path.basename(node)
    argv = [program, "audit", "--root=" + node]
    calls = cost_lib.count_calls(argv)
    test.check(calls.total > 20, name + ": strace saw it", calls.total)
    test.check(calls.execs == 0 and calls.starts == 0,
               name + ": no child process and no thread", calls)
    test.check(not calls.changes, name + ": nothing is changed, no lease taken",
               *calls.changes)
    test.check(not [path for path in calls.opened if LOADED.search(path)],
               name + ": an image needs no libsystemd", *calls.opened)
    if sanitized:
        return
    calls_max, opened_max = MAX_OF.get(name, (CALLS_MAX, OPENED_MAX))
    test.at_most(calls.total, calls_max, name + ": system calls")
    test.at_most(len(calls.opened), opened_max, name + ": opened")
    test.at_most(max(run.rss_kib for run in
                     cost_lib.measure(measure, argv, 3)),
                 RSS_KIB_MAX, name + ": KiB resident")


def is_script(path):
    """A link may lead elsewhere here than in the node: files alone are."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(2) == b"#!"


def check_preview(test, program, node):
    """The node after the edits shares what was read of the node before."""
    name = os.path.basename(node)
    calls = cost_lib.count_calls([program, "fix", "-n", "--root=" + node])
    again = read_twice(calls, node)
    test.check(calls.read, name + ": fix -n reads files")
    test.check(not again, name + ": fix -n reads no file twice", *again)


def read_twice(calls, node):
    """What would be replaced is opened once more by its name in its folder, and
    a program for its first two bytes, whether it is a script."""
    read = [path for path in calls.read if path.startswith("/")
            and not is_script(node + path)]
    return sorted({path for path in read if read.count(path) > 1})


def check_benchmark(test, program, node):
    """The whole section is judged of what was read once; what next: names is
    seen without reading the node again. One that kubelet refuses is, for the
    cure."""
    name = os.path.basename(node)
    audit = [program, "audit", VERSION, "--root=" + node]
    section = audit + ["--benchmark"]
    said = subprocess.run(section, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.DEVNULL).stdout
    one, all_ = (cost_lib.count_calls(argv) for argv in (audit, section))
    # a name without a folder: what would be replaced, see read_twice()
    read = {os.path.basename(path) for path in all_.read if "/" in path}
    more = [path for path in set(all_.read) - set(one.read)
            if not (NAMED.search(path) if "/" in path else path in read)]
    test.check(not more, name + ": --benchmark reads only what a rule names",
               *more)
    again = read_twice(all_, node)
    test.check(not again, name + ": --benchmark reads no file twice", *again)
    test.at_most(all_.total - one.total, CALLS_OF_SECTION_MAX
                 + (CALLS_OF_CURE_MAX if b" invalid " in said else 0),
                 name + ": system calls more with --benchmark")


def calls_of(program, **size):
    with tempfile.TemporaryDirectory(prefix="cost-") as root:
        cost_lib.make_node(root, **size)
        return cost_lib.count_calls([program, "audit", "--root=" + root]).total


def calls_with_links(program, count):
    """Links to other units, and to this one, that have no drop-ins."""
    with tempfile.TemporaryDirectory(prefix="cost-") as root:
        cost_lib.make_node(root)
        for i in range(count):
            for target in ("kubelet.service", "other.service", "/dev/null"):
                os.symlink(target, "%s/etc/systemd/system/%s-%04d.service"
                           % (root, os.path.basename(target), i))
        return cost_lib.count_calls([program, "audit", "--root=" + root]).total


def check_growth(test, program):
    none, many = (calls_with_links(program, n) for n in (0, 1000))
    test.at_most(many - none, CALLS_OF_LINKS_MAX,
                 "system calls more with 3,000 links to units")
    few, many = (calls_of(program, dropins=n) for n in (10, 1010))
    test.check(many > few + 1000, "1,000 more drop-ins are read", few, many)
    test.at_most((many - few) / 1000, CALLS_PER_DROPIN_MAX,
                 "system calls a drop-in")
    small, large = (calls_of(program, config_bytes=n << 20) for n in (1, 9))
    test.at_most((large - small) / 8, CALLS_PER_MIB_MAX,
                 "system calls a MiB of config file")


def limit_run():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU,
                       (PROCESSOR_SECONDS, PROCESSOR_SECONDS))


def check_trees(test, program, measure):
    for name, make, said in cost_trees.rows():
        with tempfile.TemporaryDirectory(prefix="cost-") as root:
            make(root)
            argv = [program, "audit", "--root=" + root]
            run = subprocess.run(argv, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, check=False,
                                 preexec_fn=limit_run)
            test.check(run.returncode in (0, 1, 3) and said in run.stdout,
                       name + ": says %r" % said, run.returncode,
                       run.stdout[:300])
            test.at_most(len(run.stdout), TREE_OUTPUT_MAX,
                         name + ": bytes said")
            if run.returncode in (0, 1, 3):
                test.at_most(cost_lib.measure(measure, argv, 1)[0].rss_kib,
                             TREE_KIB_MAX, name + ": KiB resident")


def size_of(root):
    return sum(os.path.getsize(os.path.join(folder, name))
               for folder, _, names in os.walk(root) for name in names)


def check_memory(test, program, measure):
    """How many times the bytes read an audit takes more than one of nothing."""
    def run(make):
        with tempfile.TemporaryDirectory(prefix="cost-") as root:
            make(root)
            argv = [program, "audit", "--root=" + root]
            return (1024 * cost_lib.measure(measure, argv, 1)[0].rss_kib,
                    size_of(root))
    base, base_size = run(lambda root: cost_trees.make_tree(root, "", "", ""))
    for name, (make, limit) in cost_trees.MEMORY.items():
        taken, size = run(make)
        test.at_most(round((taken - base) / (size - base_size), 1), limit,
                     name + ": times the bytes read")


def main():
    if len(sys.argv) not in (4, 5):
        print(__doc__, file=sys.stderr)
        return 2
    program, measure, nodes = sys.argv[1:4]
    sanitized = "--sanitized" in sys.argv[4:]
    if not cost_lib.have("strace"):
        print("1..0 # SKIP strace is not installed")
        return 0
    if cost_lib.count_calls(["true"]).total < 5:
        print("1..0 # SKIP strace may not trace here")
        return 0
    test = Test()
    for name in sorted(os.listdir(nodes)):
        node = os.path.join(nodes, name)
        if os.path.isdir(node):
            check_node(test, program, measure, node, sanitized)
            if not sanitized: # they read /proc/self/maps again
                check_preview(test, program, node)
                check_benchmark(test, program, node)
    if not sanitized:
        check_growth(test, program)
        check_memory(test, program, measure)
        check_trees(test, program, measure)
    print("1..%d" % test.count)
    return 1 if test.failed or not test.count else 0


if __name__ == "__main__":
    sys.exit(main())
