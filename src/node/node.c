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
 * not built by others. A DIR is neither: a container without
 * CAP_SYS_PTRACE, or confined by AppArmor, would take the node that it was
 * given for an image, and call it right without a look at the kubelet that
 * runs.
 */
static int is_live(struct kr_node *node)
{
	int root_fd = kr_fs_root_fd(node->fs);
	struct stat root, one;

	if (fstat(root_fd, &root) < 0)
		return -errno;
	node->root_dev = root.st_dev;
	node->root_ino = root.st_ino;
	if (fstatat(root_fd, "proc/1/root", &one, 0) == 0)
		return root.st_dev == one.st_dev && root.st_ino == one.st_ino;
	if (errno != EACCES && errno != EPERM && !is_hidden(root_fd))
		return 0;
	return strcmp(node->root, "/") == 0 ? 1 : -EACCES;
}

static int settle_live(struct kr_node *node, struct kr_diag *diag)
{
	int r = is_live(node);

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
		node->proc_fd = openat(kr_fs_root_fd(node->fs), "proc",
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
	r = kr_fs_open(root, &node->fs);
	if (r < 0 && r != -ENOMEM)
		kr_diag_add_path(diag, KR_ERROR, "root", root, "%s",
		                 strerror(-r));
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
	free(node->told_program);
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

/*
 * The node after a change: the same node with another disk.
 *
 * The edits are laid over its files (base/fs), and the disk view is read once
 * more through that: by the same code, so that the audit of the copy is the
 * audit after the change. A file that no edit touches is the one that was read.
 *
 * The process is the one that runs, with what it was started with: an edit of a
 * file does not change it. What is not taken over is that it has proved that it
 * can live with its configuration, as the copy has another one.
 */

static int lay_over(struct kr_fs *fs, const struct kr_file_edits *edits)
{
	_cleanup_free_ char *data = NULL;
	size_t size;
	const struct kr_perms made = {.mode = edits->made_mode};
	int r;

	if (edits->remove)
		return kr_fs_hide(fs, edits->path);
	if (!edits->file && edits->made_mode) {
		r = kr_fs_set_perms(fs, edits->path, &made);
		if (r < 0)
			return r;
	}
	if (kr_perms_changes(&edits->perms)) {
		r = kr_fs_set_perms(fs, edits->path, &edits->perms.to);
		if (r < 0)
			return r;
	}
	/* what it says stays, and how old it is */
	if (kr_file_edits_in_place(edits))
		return 0;
	r = kr_file_edits_apply(edits, &data, &size);
	return r < 0 ? r : kr_fs_put(fs, edits->path, data, size);
}

int kr_node_with_edits(struct kr_node *node, const struct kr_edits *edits,
                       struct kr_diag *diag, struct kr_node **ret)
{
	_cleanup_node_ struct kr_node *copy = calloc(1, sizeof(*copy));
	int r;

	if (!copy)
		return -ENOMEM;
	*copy = (struct kr_node){
		.before = node,
		.live = node->live,
		.proc_fd = -1,
		.disk = KR_DISK_NONE,
		.config_override = node->config_override,
		.name_override = node->name_override,
		.version_override = node->version_override,
		.platform = node->platform,
		.manager_environment = node->manager_environment,
		.systemd_version = node->systemd_version,
		.running_minor = node->running_minor,
		.disk_minor = node->disk_minor,
		.mounts_shown = node->mounts_shown,
		.configured = node->configured,
		.has_process = node->has_process,
		.process_doubt = node->process_doubt,
		.host_pid = node->host_pid,
		.host_started_usec = node->host_started_usec,
		.process = node->process,
		.process_fs = node->process_fs,
		.running = node->running,
		.running_valid = node->running_valid,
	};
	copy->root = strdup(node->root);
	copy->unit_name = strdup(node->unit_name);
	if (!copy->root || !copy->unit_name)
		return -ENOMEM;
	r = kr_fs_new_overlay(node->fs, &copy->fs);
	if (r < 0)
		return r;
	for (size_t i = 0; i < edits->n_files; i++) {
		r = lay_over(copy->fs, &edits->files[i]);
		if (r < 0)
			return r;
	}
	r = kr_disk_read_unit(copy, diag);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(copy);
	return 0;
}
