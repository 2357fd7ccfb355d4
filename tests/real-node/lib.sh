# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2119,SC2120
#
# lib.sh - a node with a real kubelet, to be sourced by a test or by hand
#
#   NODE_DIR=DIR              what "node" has made
#
#   node_start [OPTION...]    boot it, the first time and each later time; OPTIONs go
#                             to "boot-test-host start" (--bind-ro PREFIX and the like)
#   node_stop [--graceful]    end it at once (a power cut), or shut it down
#   node_reboot [--graceful]  both; files, units and transactions are kept
#   on_node COMMAND...        run a command there
#   on_node_as USER COMMAND...  ... as a user
#   on_node_sh TEXT           ... a line of sh
#   on_node_root              its / as a path from outside
#   node_layout [COMMAND]     kubelet stopped, its chains and every trace of
#                             kubelet-remedy removed, the layout of "node" laid down,
#                             COMMAND run in the node's / (to edit it), kubelet started
#                             and waited for
#   node_edit FILE SED        edit a file of the node by a sed expression that must match
#   node_healthy [SECONDS]    wait until healthz says ok (60); prints how long it took
#   node_alive                will kubelet be the same process and healthy in 3 s, too?
#   node_configz              makeIPTablesUtilChains as kubelet's own port says it,
#                             asked with a client certificate
#   node_configz_all          ... and its whole answer
#   node_configz_api          ... as the API server's proxy says it
#   node_chains               kubelet's chains and rules, a line each
#   node_record FILE COMMAND...  run it, keep what it prints (and "[status N, T s]") in
#                             FILE, and return its status
#   node_token ACCOUNT FILE   a token of a service account, made where there is none,
#                             in FILE on the node; ACCOUNT auditor may get nodes/proxy
#   node_may FILE             wait until the token in FILE may get the node's configz
BOOT_TEST_HOST=$(readlink -m "$(dirname "${BASH_SOURCE[0]}")/../boot-test-host")
NODE_DIR=$(readlink -m "${NODE_DIR:-.}")
if [ ! -s "$NODE_DIR/name" ]; then
    echo "lib.sh: $NODE_DIR: not made by node: set NODE_DIR" >&2
    return 1
fi
read -r NODE NODE_ADDRESS <"$NODE_DIR/name"
export BTH_DIR=$NODE_DIR/host           # two nodes of one name may run side by side
NODE_PKI=/etc/kubernetes/pki
[ -n "${NODE_OPTIONS+set}" ] || NODE_OPTIONS=()

on_node() { "$BOOT_TEST_HOST" exec "$NODE" "$@"; }
on_node_as() { "$BOOT_TEST_HOST" exec "$NODE" --user "$@"; }
on_node_root() { "$BOOT_TEST_HOST" root "$NODE"; }
on_node_sh() { on_node sh -c "$1"; }

node_start() {
    local options=(--upper "$NODE_DIR" --bind-ro /dev/kmsg --unit real-node.target)
    [ $# = 0 ] || NODE_OPTIONS=("$@")
    # the first boot empties /etc/systemd/system of what the machine has enabled
    [ ! -e "$NODE_DIR/booted" ] || options+=(--keep-units)
    "$BOOT_TEST_HOST" start "$NODE" "${options[@]}" ${NODE_OPTIONS[@]+"${NODE_OPTIONS[@]}"} || return 1
    : >"$NODE_DIR/booted"
    # not one step further where kubelet could write a sysctl of the machine
    on_node_sh 'for file in vm/overcommit_memory kernel/panic kernel/panic_on_oops; do
        grep -q " /proc/sys/$file " /proc/self/mounts || { echo "lib.sh: nothing is mounted over $file" >&2; exit 1; }
        done' || { node_stop; return 1; }
}
node_stop() { "$BOOT_TEST_HOST" stop "$NODE" "$@"; }
node_reboot() { sync; node_stop "$@" && node_start; }

node_flush() {
    on_node_sh 'for table in nat filter mangle; do iptables -w 5 -t $table -F; iptables -w 5 -t $table -X; done' 2>/dev/null
}
node_layout() {
    local root
    root=$(on_node_root) || return 1
    on_node_sh 'systemctl stop kubelet "kubelet-remedy*"; systemctl reset-failed
        rm -rf /var/lib/kubelet-remedy /etc/systemd/system/kubelet.service /etc/systemd/system/kubelet.service.d' >/dev/null 2>&1
    node_flush
    cp -a "$NODE_DIR/layout/." "$root/" || return 1
    if [ $# -gt 0 ]; then ( cd "$root" && "$@" ) || return 1; fi
    on_node_sh 'systemctl daemon-reload && systemctl start kubelet' || return 1
    node_healthy
}
node_edit() {
    on_node sh -c 'cp "$1" /run/edited && sed -i "$2" "$1" && ! cmp -s "$1" /run/edited' sh "$1" "$2" ||
        { echo "lib.sh: $1: nothing to edit by $2" >&2; return 1; }
}
node_healthy() {
    # shellcheck disable=SC2016
    on_node timeout "${1:-60}" bash -c 'from=${EPOCHREALTIME/./}
        until [ "$(curl -s -m 1 http://127.0.0.1:10248/healthz)" = ok ]; do sleep 0.1; done
        took=$(((${EPOCHREALTIME/./} - from) / 100000)); echo "healthy after ${took%?}.${took: -1} s"' ||
        { echo "lib.sh: kubelet is not healthy after ${1:-60} s" >&2; return 1; }
}
node_pid() { on_node systemctl show -P MainPID kubelet; }
node_alive() {
    local pid
    pid=$(node_pid) && [ "$pid" != 0 ] && sleep 3 && [ "$(node_pid)" = "$pid" ] &&
        [ "$(on_node curl -s -m 2 http://127.0.0.1:10248/healthz)" = ok ]
}

node_value() { grep -o '"makeIPTablesUtilChains":[a-z]*' | cut -d : -f 2; }
node_configz_all() {
    on_node curl -s -m 5 --cacert "$NODE_PKI/ca.crt" --cert "$NODE_PKI/admin.crt" --key "$NODE_PKI/admin.key" \
        "https://$NODE_ADDRESS:10250/configz"
}
node_configz() { node_configz_all | node_value; }
node_kubectl() { on_node env KUBECONFIG=/etc/kubernetes/admin.conf kubectl "$@"; }
node_configz_api() { node_kubectl get --raw "/api/v1/nodes/$NODE/proxy/configz" | node_value; }
node_registered() { # wait until the API server knows the node
    local i
    for ((i = 0; i < 120; i++)); do
        node_kubectl get node "$NODE" >/dev/null 2>&1 && return
        sleep 0.5
    done
    echo "lib.sh: the node has not registered in a minute" >&2
    return 1
}
node_token() {
    local account=$1 file=$2
    {
        node_kubectl create clusterrole node-proxy --verb=get --resource=nodes/proxy
        node_kubectl create serviceaccount "$account"
        [ "$account" != auditor ] ||
            node_kubectl create clusterrolebinding auditor --clusterrole=node-proxy --serviceaccount=default:auditor
    } >/dev/null 2>&1
    echo '{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}' |
        node_kubectl create -f - --raw "/api/v1/namespaces/default/serviceaccounts/$account/token" |
        sed -n 's/.*"token":"\([^"]*\)".*/\1/p' | on_node_sh "umask 077; cat >$file; test -s $file"
}
node_may() {            # RBAC takes a second to know a new account
    local i
    for ((i = 0; i < 100; i++)); do
        on_node sh -c 'curl -sf -m 2 --cacert "$1" -H "Authorization: Bearer $(cat "$2")" "$3"' sh \
            "$NODE_PKI/ca.crt" "$1" "https://$NODE_ADDRESS:6443/api/v1/nodes/$NODE/proxy/configz" >/dev/null && return
        sleep 0.2
    done
    return 1
}

node_chains() {
    on_node_sh 'for table in nat filter mangle; do
        iptables -w 5 -t $table -S | grep KUBE | sed "s/^/$table /"; done' 2>/dev/null
}

node_record() {
    local file=$1 from=${EPOCHREALTIME/./} rc took; shift
    printf '$ %s\n' "$*" >"$file"
    "$@" >>"$file" 2>&1 </dev/null; rc=$?
    took=$(((${EPOCHREALTIME/./} - from) / 100000))
    printf '[status %s, %s.%s s]\n' $rc $((took / 10)) $((took % 10)) >>"$file"
    return $rc
}
