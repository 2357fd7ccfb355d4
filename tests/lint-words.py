#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No file uses a word that the glossary replaces.

    lint-words.py SOURCE_ROOT      one line a fault; ends with 0 or 1
    lint-words.py --self-test      each word is found, broken over lines, too

The glossary is contrib/CONTRIBUTING.md, "Words". Comments, messages, manuals,
manifests and scripts are read alike. A phrase may be broken over lines of a
comment, a manual or a string literal.
"""

import os
import re
import subprocess
import sys

# What stands between two words: blanks, or the end of a line with what closes
# it and opens the next (a string literal, a comment, a macro).
GAP = r'(?:[ \t]+|[ \t]*(?:\\n)?"?[ \t]*\\?\n[ \t]*(?:\*|//|#|"|\.\\"|\.Pq)?[ \t]*)'
BE = r"\b(?:is|are|was|were|be|been|being|not|gets?)"
BACK = r"\bt(?:akes?|ook|aken|aking)(?:_(?!is\b)\w+){0,2}"
THING = r"_(?:it|this|that|them|the_\w+|an?_\w+)_"

# (what is found, the word for it)
WORDS = [
    (r"\banew\b", "again, regenerates"),
    (r"\b(?:some|no|any)body(?:'s)?\b", "name the subject"),
    (r"\bwhoever\b", "name the subject"),
    (r"\bneeds?_a_hand\b", "needs manual repair"),
    (BE + r"_(?:well|ill)\b(?! as)", "healthy, unhealthy"),
    (BE + r"_told\b(?!_apart)", "reported, known"),
    (BACK + r"_back\b", "reverts"),
    (r"\bfiles_are_right\b", "the files are correct"),
    (r"\bput_right\b", "corrected"),
    (r"\b(?:puts?|putting|makes?|made|making|sets?)" + THING + r"right\b",
     "correct, corrects"),
    (r"(?<!the )(?<!first )(?<!last )\bone_that_(?:is|are)\b",
     "name the subject"),
    (r"\bnone_(?:is|are)\b", "name the subject"),
    (r"(?<!there )\b(?:is|are)_none\b", "is not a ..., is no ..."),
    (r"\bwould_have_to\b", "must"),
    (r"\bdoes_not_go_on\b", "is stuck"),
]
PATTERN = re.compile("|".join("(?P<w%d>%s)" % (i, word.replace("_", GAP))
                              for i, (word, _) in enumerate(WORDS)), re.I)

# Tests quote inputs and foreign messages, and are read by their authors alone.
LEFT_OUT = re.compile(r"tests/|LICENSE$")
GLOSSARY = "contrib/CONTRIBUTING.md"


def faults_of(text):
    """(line, the words found, what to say instead)"""
    for found in PATTERN.finditer(text):
        words = " ".join(re.sub(GAP, " ", found.group()).split())
        yield (text.count("\n", 0, found.start()) + 1, words,
               WORDS[int(found.lastgroup[1:])][1])


def without_glossary(text):
    """The table of words, as blank lines."""
    return re.sub(r"^\| word \| means \| not \|\n(?:\|.*\n)+",
                  lambda table: "\n" * table.group().count("\n"), text,
                  flags=re.M)


def files(root):
    listing = subprocess.run(
        ["git", "-C", root, "-c", "safe.directory=*", "ls-files", "-z",
         "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if listing.returncode == 0:
        return sorted(set(os.fsdecode(listing.stdout).split("\0")) - {""})
    return sorted(os.path.relpath(os.path.join(folder, name), root)
                  for folder, _, names in os.walk(root) for name in names
                  if not re.search(r"/(?:\.git|__pycache__|build[^/]*)(?:/|$)",
                                   folder[len(root):]))


def check(root):
    faults = []
    for path in files(root):
        full = os.path.join(root, path)
        if LEFT_OUT.match(path) or not os.path.isfile(full):
            continue
        with open(full, "rb") as file:
            text = file.read().decode("utf-8", "replace")
        if path == GLOSSARY:
            text = without_glossary(text)
        faults += ['%s:%d: "%s": %s' % (path, *fault)
                   for fault in faults_of(text)]
    return faults


# (a text, what is found in it)
SELF_TEST = [
    ("written anew at boot", "anew"),
    ("as nobody's file", "nobody's"),
    ("Somebody has it", "Somebody"),
    ("whoever it is", "whoever"),
    ('"kubelet needs a "\n\t"hand"', "needs a hand"),
    ("/* kubelet is\n * well */", "is well"),
    ("it is not ill", "not ill"),
    ("it is as well as before, not well as such", None),
    ("the value cannot be\n.\\\" told", "be told"),
    ("# it is\n# told", "is told"),
    ("names are told apart", None),
    ("the timer takes it back", "takes it back"),
    ("a change that was taken back", "taken back"),
    ("the files are right now", "files are right"),
    ("it is put right", "put right"),
    ("put this right, then run it again", "put this right"),
    ("fix makes\n * the value right", "makes the value right"),
    ("this makes a right change", None),
    ("an undo takes the change back", "takes the change back"),
    ("of one that is there", "one that is"),
    ("the last one that is there, the one that is read", None),
    ("none is left", "none is"),
    ("where there is none", None),
    ("an escape that is none", "is none"),
    ("it would have\n * to be here", "would have to"),
    ("a run that does not go on", "does not go on"),
    ("kubelet is healthy again", None),
]


def self_test():
    faults = []
    for text, want in SELF_TEST:
        found = [words for _, words, _ in faults_of(text)]
        if found != ([want] if want else []):
            faults.append("%r: found %r" % (text, found))
    unused = set(range(len(WORDS))) - {
        int(found.lastgroup[1:]) for text, _ in SELF_TEST
        for found in PATTERN.finditer(text)}
    faults += ["no text for %s" % WORDS[i][0] for i in sorted(unused)]
    table = "| word | means | not |\n|---|---|---|\n| again | | anew |\n\nanew\n"
    if [line for line, _, _ in faults_of(without_glossary(table))] != [5]:
        faults.append("the glossary hides more than its table")
    return faults


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    faults = (self_test() if sys.argv[1] == "--self-test"
              else check(os.path.abspath(sys.argv[1])))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
