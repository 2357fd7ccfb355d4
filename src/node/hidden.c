/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A file that kubelet reads may be another one than the host's of that path:
 * its unit has mounts of its own (unit/mounts), or what starts it mounts
 * something ("unshare -m").
 *
 * Of the mounts over a path the deepest one shows. A bind of the very file or
 * folder that is there anyway shows what the host has, as does one whose source
 * is the same inode: then nothing is hidden. All else cannot be known from the
 * host, but by the running kubelet: where its namespace shows the host's inode
 * and the unit has not changed since its start, the next start shows it, too.
 *
 * Both the path as it is written and the one that its links lead to count, for
 * kubelet's path and for the mount's, which systemd resolves on the host.
 *
 * Source: setup_namespace() and drop_duplicates() in src/core/namespace.c of
 * systemd 252.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/vec.h"
#include "node/hidden.h"
#include "node/running.h"

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	if (strcmp(folder, "/") == 0)
		return true;
	return strncmp(path, folder, n) == 0 &&
	       (path[n] == '\0' || path[n] == '/');
}

/* Whether A in FA and B in FB are the same inode. 1, 0 or -ENOMEM. */
static int is_same(struct kr_fs *fa, const char *a, struct kr_fs *fb,
                   const char *b)
{
	struct stat one, two;
	int r = kr_fs_look(fa, a, true, &one);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = kr_fs_look(fb, b, true, &two);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

/* The part of PATH or REAL that M lies over: what is behind M's own path; NULL:
 * M lies over neither. */
static const char *covered_part(const struct kr_unit_mount *m,
                                const char *m_real, const char *path,
                                const char *real)
{
	const char *const mounts[] = {m->path, m_real};
	const char *const paths[] = {path, real};

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(paths); k++) {
			if (mounts[i] && paths[k] &&
			    is_below(paths[k], mounts[i]))
				return paths[k] + strlen(mounts[i]);
		}
	}
	return NULL;
}

/* What PATH is, links resolved; NULL where it is not there. */
static int resolve(struct kr_fs *fs, const char *path, char **ret)
{
	int r;

	*ret = NULL;
	r = kr_fs_real(fs, path, ret);
	return r == -ENOMEM ? r : 0;
}

/* A bind that may be left out, and is. */
static int is_left_out(struct kr_node *node, const struct kr_unit_mount *m)
{
	struct stat st;
	int r;

	if (!m->source || !m->optional)
		return 0;
	r = kr_fs_look(node->fs, m->source, true, &st);
	return r == -ENOENT ? 1 : r == -ENOMEM ? r : 0;
}

/* The mount that PATH is seen through; NULL: none. SOURCE is then the path of
 * the host that is seen there, or NULL; the caller frees it. */
static int find_mount(struct kr_node *node, const char *path,
                      const struct kr_unit_mount **ret, char **source)
{
	const struct kr_unit *unit = node->disk.unit;
	_cleanup_free_ char *real = NULL;
	size_t depth = 0;
	int r = resolve(node->fs, path, &real);

	*ret = NULL;
	if (r < 0)
		return r;
	KR_EACH(const struct kr_unit_mount, m, unit->mounts, unit->n_mounts) {
		_cleanup_free_ char *m_real = NULL;
		const char *part;

		r = resolve(node->fs, m->path, &m_real);
		if (r < 0)
			return r;
		part = covered_part(m, m_real, path, real);
		if (!part || (*ret && strlen(m->path) < depth))
			continue;
		r = is_left_out(node, m);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		free(*source);
		*source = NULL;
		part += strspn(part, "/");
		if (m->source)
			*source = *part ? kr_path_join(m->source, part)
			                : strdup(m->source);
		if (m->source && !*source)
			return -ENOMEM;
		*ret = m;
		depth = strlen(m->path);
	}
	return 0;
}

static bool is_older(const struct kr_file *file, uint64_t usec)
{
	return !file->overlay && kr_timespec_usec(&file->st.st_mtim) <= usec &&
	       kr_timespec_usec(&file->btime) <= usec;
}

/* The running kubelet has the mounts that the unit has now. */
static bool is_unit_unchanged(const struct kr_node *node)
{
	const struct kr_unit *unit = node->disk.unit;
	uint64_t limit =
		node->process.started_usec + KR_PROCESS_START_SLACK_USEC;

	for (size_t i = 0; i < unit->n_dropins; i++) {
		if (!is_older(unit->dropins[i], limit))
			return false;
	}
	return !unit->fragment || is_older(unit->fragment, limit);
}

/* Whether the running kubelet sees the host's PATH. 1, 0 or -ENOMEM. */
static int is_shown(struct kr_node *node, const char *path)
{
	struct kr_fs *fs;
	int r;

	if (!node->has_process || !is_unit_unchanged(node))
		return 0;
	r = kr_running_fs(node, NULL, &fs);
	if (r < 0 || fs == node->fs)
		return r == -ENOMEM ? r : 0;
	return is_same(fs, path, node->fs, path);
}

/* Whether PATH is another one for kubelet than for the host, because of
 * RET_MOUNT. 1, 0 or -ENOMEM. */
static int is_hidden(struct kr_node *node, const char *path,
                     const struct kr_unit_mount **ret_mount)
{
	_cleanup_free_ char *source = NULL;
	int r = find_mount(node, path, ret_mount, &source);

	if (r < 0 || !*ret_mount)
		return r;
	if (source) {
		r = is_same(node->fs, source, node->fs, path);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	r = is_shown(node, path);
	if (r > 0)
		node->mounts_shown = true;
	return r < 0 ? r : r == 0;
}

int kr_hidden_is(struct kr_node *node, const char *path)
{
	const struct kr_unit_mount *mount;

	if (node->disk.unit->n_mounts == 0 || node->mounts_shown)
		return 0;
	return is_hidden(node, path, &mount);
}

int kr_hidden_read(struct kr_node *node, const char *path,
                   const struct kr_file **ret)
{
	const struct kr_unit_mount *mount;
	_cleanup_free_ char *source = NULL;
	int r = find_mount(node, path, &mount, &source);

	if (r < 0)
		return r;
	return source ? kr_fs_read(node->fs, source, ret) : -ENOENT;
}

struct searching {
	struct kr_node *node;
	const struct kr_unit_mount *mount;
	const char *path;
};

/* 1: found, and the search is over. */
static int look_at(struct searching *s, const char *path)
{
	const struct kr_unit_mount *mount;
	int r;

	if (!path || *path != '/')
		return 0;
	r = is_hidden(s->node, path, &mount);
	if (r > 0) {
		s->mount = mount;
		s->path = path;
	}
	return r;
}

/* A mount inside of --config-dir brings files, or takes them away. */
static int look_into_folder(struct searching *s, const char *folder)
{
	const struct kr_unit *unit = s->node->disk.unit;

	for (size_t i = 0; folder && i < unit->n_mounts; i++) {
		int r = is_below(unit->mounts[i].path, folder)
		                ? look_at(s, unit->mounts[i].path)
		                : 0;

		if (r != 0)
			return r;
	}
	return 0;
}

/* 1: found. */
static int look_at_all(struct searching *s)
{
	const struct kr_unit_command *c = kr_node_command(s->node);
	const struct kr_inputs *in = &s->node->disk.inputs;
	int r = look_at(s, in->config_path);

	if (r != 0)
		return r;
	r = look_at(s, in->config_dir);
	if (r != 0)
		return r;
	r = look_into_folder(s, in->config_dir);
	if (r != 0)
		return r;
	for (size_t i = 0; i < in->n_files; i++) {
		r = look_at(s, in->files[i]->path);
		if (r != 0)
			return r;
	}
	r = look_at(s, c->path);
	/* an extension has no kubelet that is a script */
	return r > 0 && s->mount->overlay ? 0 : r;
}

int kr_hidden_find(struct kr_node *node, const struct kr_unit_mount **ret_mount,
                   const char **ret_path)
{
	struct searching s = {.node = node};
	int r;

	*ret_mount = NULL;
	*ret_path = NULL;
	if (node->disk.unit->n_mounts == 0 || node->mounts_shown)
		return 0;
	r = look_at_all(&s);
	if (r <= 0)
		return r;
	*ret_mount = s.mount;
	*ret_path = s.path;
	return 0;
}

/* --- the running kubelet ------------------------------------------------- */

int kr_hidden_remark(struct kr_node *node, struct kr_diag *diag)
{
	struct kr_node_disk *disk = &node->disk;
	const struct kr_inputs *in = &node->running;
	struct kr_fs *fs;
	bool differs = false;
	int r;

	if (!node->running_valid || kr_running_fs(node, NULL, &fs) < 0 ||
	    fs == node->fs)
		return 0;
	for (size_t i = 0; i < in->n_files; i++) {
		const char *path = in->files[i]->path;

		r = is_same(fs, path, node->fs, path);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		differs = true;
		kr_diag_add_path(diag, KR_WARNING, "file-of-the-process", path,
		                 "kubelet[%d] reads another file of this path "
		                 "than the host has: it is mounted there for "
		                 "kubelet alone",
		                 (int)node->process.pid);
	}
	if (!differs || disk->start != KR_START_COMMAND ||
	    disk->first_word == 0 || disk->state != KR_STATE_ABSENT ||
	    kr_inputs_state(&disk->inputs) != KR_STATE_ABSENT)
		return 0;
	disk->start = KR_START_HIDDEN;
	return kr_format(&disk->inputs.files_doubt,
	                 "%s starts kubelet with mounts of its own: what the "
	                 "files would be for the next one cannot be known from "
	                 "the host",
	                 kr_node_command(node)->path);
}
