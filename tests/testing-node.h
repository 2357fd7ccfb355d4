/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Nodes below the test's root directory: a unit, files, and, where a process is
 * written, a /proc that makes the root a live node.
 */

#include <stdint.h>

#include "node/node.h"

#define KR_TEST_PID 7

/* What --kubeconfig may name. */
#define KR_TEST_KUBECONFIG "/k"

/* [Service] with this one ExecStart=, at /etc/systemd/system/kubelet.service;
 * kubelet and its kubeconfig are there, too. */
void kr_test_unit(const char *exec_start);

/* A kubelet that runs with ARGV (NULL-terminated), started at REALTIME_USEC, in
 * CGROUP ("/system.slice/kubelet.service"). A start before the machine's boot,
 * which may be seconds ago, fails the test. */
void kr_test_process(const char *const *argv, uint64_t realtime_usec,
                     const char *cgroup);

/* Opens and reads the node; LOADED may be NULL. The caller frees it. */
struct kr_node *kr_test_node(const struct kr_loaded_unit *loaded,
                             struct kr_diag *diag);
