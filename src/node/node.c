/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A node: where kubelet's unit, process and files meet. Only here does what
 * systemd would run (unit/) become what kubelet would read (kubelet/).
 *
 * It is opened, which tells a running system from an image, and read once: the
 * kubelet that runs (node/running), then what the unit's files would start
 * (node/disk), then what the process was started with. The order counts: the
 * process tells which unit is meant where the usual one is not there, and
 * whether the node was ever configured.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/disk-read.h"
#include "node/disk.h"
#include "node/hidden.h"
#include "node/node.h"
#include "node/running.h"
#include "node/unjoined.h"

/* --- opening ------------------------------------------------------------- */

/* There is a /proc, but process 1 is not to be seen in it. */
static bool is_hidden(int root_fd)
{
	struct stat st;

	return fstatat(root_fd, "proc/self", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * Whether the root is a running system's: 1, 0, or an errno where that may not
 * be looked at. "/" is taken for live then: only root may look, and an image is
 * not built by anybody else. A DIR is neither: a container without
 * CAP_SYS_PTRACE, or confined by AppArmor, would take the node that it was
 * given for an image, and call it right without a look at the kubelet that
 * runs.
 */
static int is_live(int root_fd, bool is_slash)
{
	struct stat root, one;

	if (fstat(root_fd, &root) < 0)
		return -errno;
	if (fstatat(root_fd, "proc/1/root", &one, 0) == 0)
		return root.st_dev == one.st_dev && root.st_ino == one.st_ino;
	if (errno != EACCES && errno != EPERM && !is_hidden(root_fd))
		return 0;
	return is_slash ? 1 : -EACCES;
}

static int settle_live(struct kr_node *node, struct kr_diag *diag)
{
	int r = is_live(node->root_fd, strcmp(node->root, "/") == 0);

	if (r < 0) {
		kr_diag_add_path(
			diag, KR_ERROR, "root", node->root,
			"its proc/1/root may not be looked at (%s), so that a "
			"running system and an image cannot be told apart: "
			"that takes CAP_SYS_PTRACE, and no security module "
			"that denies it",
			strerror(-r));
		return r;
	}
	node->live = r == 1;
	if (node->live)
		node->proc_fd = openat(node->root_fd, "proc",
		                       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

int kr_node_open(const struct kr_node_options *options, struct kr_diag *diag,
                 struct kr_node **ret)
{
	const char *root = options->root ? options->root : "/";
	_cleanup_node_ struct kr_node *node = calloc(1, sizeof(*node));
	int r;

	if (!node)
		return -ENOMEM;
	*node = (struct kr_node){
		.proc_fd = -1,
		.process.root_fd = -1,
		.disk = KR_DISK_NONE,
		.config_override = options->config,
		.name_override = options->name,
		.version_override = options->kubelet_version,
		.registered_version = options->registered_version,
		.registered_closure = options->registered_closure,
	};
	node->root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (node->root_fd < 0) {
		r = -errno;
		kr_diag_add_path(diag, KR_ERROR, "root", root, "%s",
		                 strerror(errno));
		return r;
	}
	r = kr_fs_new(node->root_fd, &node->fs);
	if (r < 0)
		return r;
	node->root = strdup(root);
	node->unit_named = options->unit != NULL;
	node->unit_name =
		strdup(options->unit ? options->unit : KR_DEFAULT_UNIT);
	if (!node->root || !node->unit_name)
		return -ENOMEM;
	r = settle_live(node, diag);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(node);
	return 0;
}

struct kr_node *kr_node_free(struct kr_node *node)
{
	if (!node)
		return NULL;
	kr_disk_done(&node->disk);
	if (!node->before) {
		kr_inputs_done(&node->running);
		kr_process_done(&node->process);
		free(node->process_doubt);
		kr_fs_free(node->process_fs);
	}
	kr_fs_free(node->fs);
	if (node->proc_fd >= 0)
		close(node->proc_fd);
	if (node->root_fd >= 0)
		close(node->root_fd);
	free(node->root);
	free(node->unit_name);
	free(node);
	return NULL;
}

/* --- reading ------------------------------------------------------------- */

/* An image never is: its arguments may be completed at boot. Where its
 * certificate is, only its arguments tell. */
static bool has_been_started(const struct kr_node *node)
{
	if (!node->live)
		return false;
	return node->has_process ||
	       (node->loaded && node->loaded->started_realtime_usec > 0);
}

int kr_node_read(struct kr_node *node, const struct kr_node_options *options,
                 const struct kr_node_systemd *systemd, struct kr_diag *diag)
{
	static const struct kr_node_systemd not_asked;
	int r;

	if (!systemd)
		systemd = &not_asked;
	node->loaded = systemd->loaded;
	node->manager_environment = systemd->environment;
	node->systemd_version = systemd->version;
	node->logged_version = systemd->logged_version;
	node->logged_closure = systemd->closure;
	r = kr_platform_find(node->fs, NULL, &node->platform,
	                     &node->platform_error);
	if (r < 0)
		return r;
	r = kr_running_find(node, options->pid, diag);
	if (r < 0)
		return r;
	node->configured = has_been_started(node);
	r = kr_disk_read(node, diag);
	if (r < 0)
		return r;
	if (node->has_process) {
		r = kr_running_read(node, NULL, &node->running);
		if (r < 0)
			return r;
		node->running_valid = true;
		r = kr_hidden_remark(node, diag);
		if (r < 0)
			return r;
	}
	return 0;
}
