# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# bash completion of kubelet-remedy. The tables are printed by the build from the
# options that the program itself goes by.

# @TABLE@

# The fixes of the node: that of --root, where it stands in the line.
_kubelet_remedy_transactions() {
    local i root=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [ "${COMP_WORDS[i]}" = --root ] && [ "${COMP_WORDS[i + 1]}" = = ]; then
            root=("--root=${COMP_WORDS[i + 2]}")
        fi
    done
    "${COMP_WORDS[0]}" history -o json "${root[@]}" 2>/dev/null |
        sed -n 's/.*"id":[[:blank:]]*"\([^"]*\)".*/\1/p'
}

# _kubelet_remedy_value COMMAND OPTION VALUE: what VALUE may become.
_kubelet_remedy_value() {
    local kind
    kind=$(_kubelet_remedy_argument "$1" "$2")
    kind=${kind#joined }
    case $kind in
        file) compopt -o filenames 2>/dev/null
              mapfile -t COMPREPLY < <(compgen -f -- "$3");;
        folder) compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -d -- "$3");;
        *) mapfile -t COMPREPLY < <(compgen -W "${kind#words}" -- "$3");;
    esac
}

# _kubelet_remedy_takes COMMAND OPTION: whether the next word is its argument
_kubelet_remedy_takes() {
    local kind
    kind=$(_kubelet_remedy_argument "$1" "$2")
    [ -n "$kind" ] && [[ $kind != joined* ]]
}

_kubelet_remedy() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} words
    COMPREPLY=()
    # bash takes "--a=b" apart where COMP_WORDBREAKS has "="
    if ((COMP_CWORD > 2)) && [ "$current" = = ]; then
        _kubelet_remedy_value "$command" "$before" ""
        return
    fi
    if ((COMP_CWORD > 3)) && [ "$before" = = ]; then
        _kubelet_remedy_value "$command" "${COMP_WORDS[COMP_CWORD - 2]}" "$current"
        return
    fi
    if ((COMP_CWORD > 2)) && _kubelet_remedy_takes "$command" "$before"; then
        _kubelet_remedy_value "$command" "$before" "$current"
        return
    fi
    if ((COMP_CWORD == 1)); then
        words=$(_kubelet_remedy_words "")
    else
        words=$(_kubelet_remedy_words "$command")
        if [ "$command" = undo ] && [[ $current != -* ]]; then
            words=$(_kubelet_remedy_transactions)
        fi
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    if [ ${#COMPREPLY[@]} = 1 ] && [[ ${COMPREPLY[0]} = *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

complete -F _kubelet_remedy kubelet-remedy
