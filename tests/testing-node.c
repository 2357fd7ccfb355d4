/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Nodes below the test's root directory.
 *
 * A root is live where its proc/1/root is the root itself: here a link that
 * leads back. A start is told by its ticks since boot, so it is exact to one
 * tick only.
 */

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "testing-node.h"
#include "testing.h"

void kr_test_unit(const char *exec_start)
{
	char text[4096];

	snprintf(text, sizeof(text), "[Service]\nExecStart=%s\n", exec_start);
	kr_root_write("/etc/systemd/system/kubelet.service", text);
	kr_root_write("/usr/bin/kubelet", "");
	kr_root_write(KR_TEST_KUBECONFIG, "");
}

static uint64_t to_ticks(uint64_t realtime_usec)
{
	uint64_t per_sec = (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t boot = kr_boot_usec();

	ck_assert_msg(realtime_usec >= boot, "started before the boot");
	return (realtime_usec - boot) * per_sec / KR_USEC_PER_SEC;
}

void kr_test_process(const char *const *argv, uint64_t realtime_usec,
                     const char *cgroup)
{
	char text[4096];
	size_t size = 0;

	for (size_t i = 0; argv[i]; i++) {
		strcpy(text + size, argv[i]);
		size += strlen(argv[i]) + 1;
	}
	kr_root_write_bytes("/proc/7/cmdline", text, size);
	kr_root_write("/proc/7/comm", "kubelet\n");
	snprintf(text, sizeof(text),
	         "7 (kubelet) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %llu 0\n",
	         (unsigned long long)to_ticks(realtime_usec));
	kr_root_write("/proc/7/stat", text);
	snprintf(text, sizeof(text), "0::%s\n", cgroup);
	kr_root_write("/proc/7/cgroup", text);
	kr_root_symlink("/", "/proc/7/cwd");
	kr_root_symlink("../..", "/proc/7/root");
	kr_root_symlink("../..", "/proc/1/root");
}

struct kr_node *kr_test_node(const struct kr_loaded_unit *loaded,
                             struct kr_diag *diag)
{
	const struct kr_node_options options = {.root = kr_root_path};
	const struct kr_node_systemd systemd = {.loaded = loaded,
	                                        .version = 252};
	struct kr_node *node = NULL;

	ck_assert_int_eq(kr_node_open(&options, diag, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &options, &systemd, diag), 0);
	return node;
}
