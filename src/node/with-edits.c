/* SPDX-License-Identifier: Apache-2.0 */

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

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/disk-read.h"
#include "node/disk.h"

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
		.root_fd = -1,
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
