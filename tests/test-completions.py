#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the shells offer is what --help names and the program takes.

    test-completions.py PROGRAM NODES BASH ZSH FISH

The last three are the built completions. All complete for real; of zsh
the specs are read, too, that its functions hand on. What is not installed is skipped.
"""

import os
import re
import shutil
import sys
import tempfile

from cli_lib import (ENV, NodeCopy, Run, Tap, help_commands, help_options,
                     run_words)

WORDS = {"--output": {"text", "json"}, "--color": {"auto", "always", "never"},
         "--method": {"auto", "config", "flag"},
         "--restart": {"auto", "always", "never"},
         "--for": {"nodeadm", "userdata", "aks", "eksctl", "ignition"}}
MORE_FORMATS = {"sarif", "junit", "prometheus", "asff"}
WITH_FORMATS = {"audit", "fleet"}


def closed_words(command, option):
    words = WORDS[option]
    if option == "--output" and command in WITH_FORMATS:
        return words | MORE_FORMATS - ({"asff"} if command == "fleet" else set())
    return words


# --- what --help says -----------------------------------------------------------


def check_words_taken(program, commands):
    """Each word that is offered is one that the program takes, and no other."""
    faults = []
    for command in commands:
        options = help_options(program, command)
        for option in sorted(set(WORDS) & set(options)):
            for word in sorted(set().union(*WORDS.values(), MORE_FORMATS)):
                run = Run([program, command, option + "=" + word, "--help"])
                taken = word in closed_words(command, option)
                if run.status != (0 if taken else 2):
                    faults.append("%s %s=%s: %d %s" % (
                        command, option, word, run.status, run.err))
    return faults


def shell(words, env=None, **options):
    done = run_words(words, env={**ENV, **(env or {})}, **options)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def check_syntax(name, path):
    done = shell([name, "-n", path])
    return [done.stderr] if done.returncode or done.stderr else []


# --- bash -------------------------------------------------------------------------

DRIVER = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_kubelet_remedy
printf '%s\\n' "${COMPREPLY[@]}"
"""


def bash(path, *words, cwd=None):
    """What is offered for the last word."""
    done = shell(["bash", "--norc", "-c", DRIVER, "bash", path, *words],
                 cwd=cwd)
    if done.returncode or done.stderr:
        return {"status %d: %s" % (done.returncode, done.stderr)}
    return set(done.stdout.split("\n")) - {""}


def spelt(options):
    """As bash is offered them: with a "=" where an argument may follow."""
    found = set()
    for name, argument in options.items():
        if not argument.startswith("=") or not name.startswith("--"):
            found.add(name)
        if argument and name.startswith("--"):
            found.add(name + "=")
    return found


def check_bash(tap, path, program, commands):
    tap.row("bash: syntax", check_syntax("bash", path))
    rows = [(["k", ""], set(commands) | {"help", "--help", "--version"}),
            (["k", "he"], {"help"}), (["k", "help", ""], set(commands)),
            (["k", "help", "fi"], {"fix"}), (["k", "help", "--"], set()),
            (["k", "audit", "-o", "as"], {"asff"}),
            (["k", "fleet", "-o", "as"], set()),
            (["k", "fleet", "--ro"], set()), (["k", "fleet", "--sel"],
                                              {"--selector="}),
            (["k", "f"], {"fix", "fleet"}), (["k", "rec"], {"recover"}),
            (["k", "--v"], {"--version"}),
            (["k", "audit", "--out"], {"--output=", "--output-file="}),
            (["k", "audit", "--met"], set()),
            (["k", "audit", "x"], set()),
            (["k", "nonsense", "--"], set()),
            (["k", "fix", "--dry-run", "--met"], {"--method="}),
            (["k", "fix", "--configz", "--met"], {"--method="}),
            (["k", "audit", "--configz", "=", ""], set()),
            (["k", "audit", "-o", "j"], {"json", "junit"}),
            (["k", "fix", "-o", "j"], {"json"}),
            (["k", "fix", "--restart", ""], WORDS["--restart"]),
            (["k", "fix", "--wait", "--"], set()),
            (["k", "fix", "--pid", "=", ""], set())]
    for command in commands:
        options = help_options(program, command)
        rows.append((["k", command, "-"], spelt(options)))
        for option in sorted(set(WORDS) & set(options)):
            rows.append((["k", command, option, "="],
                         closed_words(command, option)))
            rows.append((["k", command, option, "=", "a"],
                         {w for w in closed_words(command, option)
                          if w.startswith("a")}))
    for words, want in rows:
        got = bash(path, *words)
        tap.row("bash: " + " ".join(words[1:]),
                [] if got == want else ["offered %s, wanted %s" % (
                    sorted(got), sorted(want))])


def check_bash_paths(path, folder):
    faults = []
    for words, want in ((["k", "audit", "--root", "=", "a"], {"ab"}),
                        (["k", "audit", "--config", "=", "a"], {"ab", "ac"}),
                        (["k", "fix", "--cacert", "a"], {"ab", "ac"}),
                        (["k", "fix", "--root", "x"], set())):
        got = bash(path, *words, cwd=folder)
        if got != want:
            faults.append("%s: %s" % (words, got))
    return faults


def transactions(program, node):
    """Makes a fix on NODE; its id."""
    run = Run([program, "fix", "-ojson", "--root=" + node.root])
    return re.search(r'"transaction":\s*"([^"]+)"', run.out).group(1)


# --- fish -------------------------------------------------------------------------


def fish(path, line, program):
    """What is offered at the end of LINE."""
    folder = os.path.dirname(program)
    with tempfile.TemporaryDirectory(prefix="kr-fish-") as home:
        done = shell(["fish", "--no-config", "-c",
                      "source $argv[1]; complete -C $argv[2]", path, line],
                     env={"PATH": folder + ":/usr/bin:/bin", "HOME": home})
    if done.returncode or done.stderr:
        return {"status %d: %s" % (done.returncode, done.stderr)}
    return {entry.split("\t")[0] for entry in done.stdout.splitlines()}


def check_fish(tap, path, program, commands):
    tap.row("fish: syntax", check_syntax("fish", path))
    rows = [("", set(commands) | {"help"}), ("au", {"audit"}),
            ("help ", set(commands)), ("help fi", {"fix"}), ("--", {"--help",
                                                            "--version"})]
    for command in commands:
        options = help_options(program, command)
        rows.append((command + " --", {o + ("=" if options[o][:1] == "="
                                            else "")
                                       for o in options if o[:2] == "--"}))
        rows += [("%s %s=" % (command, option),
                  {option + "=" + word
                   for word in closed_words(command, option)})
                 for option in sorted(set(WORDS) & set(options))]
    for line, want in rows:
        got = fish(path, "kubelet-remedy " + line, program)
        got = {g.rstrip("=") if line.endswith(" --") or line == "--" else g
               for g in got}
        want = {w.rstrip("=") for w in want}
        tap.row("fish: " + line, [] if got == want else [
            "offered %s, wanted %s" % (sorted(got), sorted(want))])


# --- zsh --------------------------------------------------------------------------

# The arguments that each command's function hands to _arguments, one a line.
ZSH_DRIVER = """
_arguments() { print -rl -- "$@" }
_describe() { print -rl -- $commands }
compadd() { : }
source $1 >/dev/null
_kubelet-remedy_$2
"""


# Real completions, in a terminal of their own: what a tab adds to each line.
ZSH_TERMINAL = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
send() { zpty -w -n shell "$1" }
# what comes, until nothing has come for a while
hear() {
    local text; integer quiet
    reply=
    repeat 500 {
        if zpty -r -t shell text; then reply+=$text quiet=0
        elif (( ++quiet > 10 )) && [[ -n $reply ]]; then return; fi
        sleep 0.02
    }
}
send $'PS1=; PROMPT=; TERM=dumb; unsetopt prompt_cr prompt_sp; fpath=('${(q)1}$' $fpath)\n'
send $'path=('${(q)2}$' $path); autoload -U compinit; compinit -u -D\n'
send $'bindkey -e; bindkey "^I" complete-word; print -n rea""dy\n'
repeat 50 { hear; [[ $reply = *ready* ]] && break }
shift 2
for line; do
    send "$line"; hear
    send $'\t'; hear
    print -r -- "$reply"
    send $'\x15'; hear
done
zpty -d shell
"""

ZSH_ROWS = {"kubelet-remedy aud": "it ", "kubelet-remedy audit --ski": "p=",
            "kubelet-remedy audit -o jun": "it ",
            "kubelet-remedy audit --output=js": "on ",
            "kubelet-remedy fix --dry-run --met": "hod=",
            "kubelet-remedy fix --configz --no-r": "ollback ",
            "kubelet-remedy hel": "p ", "kubelet-remedy help aud": "it "}


def check_zsh_terminal(path, program):
    """In a folder as zsh wants it: the file's name is the function's."""
    done = shell(["zsh", "-f", "-c", ZSH_TERMINAL, "zsh",
                  os.path.dirname(path), os.path.dirname(program), *ZSH_ROWS])
    got = done.stdout.split("\n")[:-1]
    want = list(ZSH_ROWS.values())
    return [] if got == want else ["added %s, wanted %s: %s" % (
        got, want, done.stderr)]


def zsh_options(path, command):
    """The options among the specs of COMMAND's function, and the specs."""
    done = shell(["zsh", "-f", "-c", ZSH_DRIVER, "zsh", path, command])
    found = {}
    for spec in done.stdout.splitlines():
        match = re.match(r"(?:\(.*?\))?(--?[a-z-]+?)([=+]?-?)\[", spec)
        if match:
            found[match.group(1)] = spec
    return found, done.stderr


def zsh_argument(spec):
    """As --help shows that there is one."""
    if "]::" in spec:
        return "[="
    return "=" if "]:" in spec else ""


def check_zsh(tap, path, program, commands):
    tap.row("zsh: syntax", check_syntax("zsh", path))
    named, errors = zsh_options(path, "commands")
    done = shell(["zsh", "-f", "-c", ZSH_DRIVER, "zsh", path, "commands"])
    got = [line.split(":")[0] for line in done.stdout.splitlines()]
    tap.row("zsh: commands", [] if got == commands + ["help"] and not named
            else [got, errors])
    for command in commands:
        found, errors = zsh_options(path, command)
        options = help_options(program, command)
        faults = [errors] if errors else []
        if set(found) != set(options):
            faults.append("named %s, wanted %s" % (sorted(found),
                                                   sorted(options)))
        for option in sorted(set(found) & set(options)):
            if zsh_argument(found[option]) != options[option].rstrip(
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
                faults.append("%s: %s" % (option, found[option]))
        for option in sorted(set(WORDS) & set(options)):
            words = re.search(r":\(([a-z ]+)\)$", found.get(option, ""))
            if not words or set(words.group(1).split()) != \
                    closed_words(command, option):
                faults.append("%s: %s" % (option, found.get(option)))
        tap.row("zsh: " + command, faults)
    tap.row("zsh: in a terminal", check_zsh_terminal(path, program))


# --- all --------------------------------------------------------------------------


def check_shells(tap, paths, program, commands):
    checks = {"bash": check_bash, "zsh": check_zsh, "fish": check_fish}
    for name, path in paths.items():
        if shutil.which(name):
            checks[name](tap, path, program, commands)
        else:
            tap.skip(name, name + " is not installed")


def check_transactions(tap, paths, program, nodes):
    with NodeCopy(os.path.join(nodes, "eks-al2-config-false")) as node:
        want = {transactions(program, node)}
        rows = {"bash": lambda: bash(paths["bash"], program, "undo", "--root",
                                     "=", node.root, "")}
        if shutil.which("fish"):
            rows["fish"] = lambda: fish(
                paths["fish"], "kubelet-remedy undo --root=%s " % node.root,
                program)
        for name, offer in rows.items():
            got = offer()
            tap.row(name + ": the fixes of a node",
                    [] if got == want else [got, want])
        os.mkdir(node.root + "/offered")
        os.mkdir(node.root + "/offered/ab")
        with open(node.root + "/offered/ac", "w", encoding="ascii"):
            pass
        tap.row("bash: files and folders",
                check_bash_paths(paths["bash"], node.root + "/offered"))


def main():
    if len(sys.argv) != 6:
        print(__doc__, file=sys.stderr)
        return 2
    program = os.path.abspath(sys.argv[1])
    paths = dict(zip(("bash", "zsh", "fish"),
                     map(os.path.abspath, sys.argv[3:6])))
    commands = help_commands(program)
    tap = Tap()
    tap.row("--help names commands", [] if len(commands) > 3 else [commands])
    tap.row("the words that are taken", check_words_taken(program, commands))
    check_shells(tap, paths, program, commands)
    check_transactions(tap, paths, program, sys.argv[2])
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
