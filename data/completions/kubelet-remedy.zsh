#compdef kubelet-remedy
# SPDX-License-Identifier: Apache-2.0
#
# zsh completion of kubelet-remedy. The tables are printed by the build from the
# options that the program itself goes by.

# @TABLE@

# The fixes of the node: that of --root, where it stands in the line.
_kubelet-remedy_transactions() {
    local -a root ids
    root=(${(M)words:#--root=*})
    ids=(${(f)"$(_call_program transactions kubelet-remedy history -o json $root |
        sed -n 's/.*"id":[[:blank:]]*"\([^"]*\)".*/\1/p')"})
    compadd -a ids
}

_kubelet-remedy() {
    local curcontext=$curcontext state line
    typeset -A opt_args
    _arguments -C \
        '(- *)'{-h,--help}'[print help]' \
        '(- *)--version[print the version]' \
        '1:command:_kubelet-remedy_commands' \
        '*::argument:->argument'
    if [[ $state = argument ]] && (( $+functions[_kubelet-remedy_$words[1]] )); then
        _kubelet-remedy_$words[1]
    fi
}

_kubelet-remedy "$@"
