# SPDX-License-Identifier: Apache-2.0
#
# fish completion of kubelet-remedy. The table is printed by the build from the
# options that the program itself goes by.

# The fixes of the node: that of --root, where it stands in the line.
function __kubelet_remedy_transactions
    set -l root (string match -- '--root=*' (commandline -opc))
    kubelet-remedy history -o json $root 2>/dev/null |
        string replace -rf '.*"id":\s*"([^"]*)".*' '$1'
end

complete -c kubelet-remedy -f
complete -c kubelet-remedy -n __fish_use_subcommand -s h -l help -d 'print help'
complete -c kubelet-remedy -n __fish_use_subcommand -l version -d 'print the version'
# @TABLE@
