/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The entries of a folder: the disk's, and what overlays add and hide.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs-private.h"
#include "base/vec.h"

#define FOLDER_BUFFER ((size_t)16 * 1024)

static int by_name(const void *a, const void *b)
{
	const struct kr_dir_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int add_entry(struct kr_dir *dir, const char *name, unsigned char type)
{
	struct kr_dir_entry *next = KR_VEC_NEXT(dir->entries, dir->n_entries);

	if (!next)
		return -ENOMEM;
	next->name = strdup(name);
	if (!next->name)
		return -ENOMEM;
	next->type = type;
	dir->n_entries++;
	return 0;
}

static unsigned char entry_type(int fd, const struct dirent64 *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_UNKNOWN;
	return IFTODT(st.st_mode);
}

static int add_entries(struct kr_dir *dir, int fd, const char *part,
                       const char *buffer, size_t size)
{
	for (size_t at = 0; at < size;) {
		const struct dirent64 *e = (const void *)(buffer + at);
		int r = 0;

		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 && strstr(e->d_name, part))
			r = add_entry(dir, e->d_name, entry_type(fd, e));
		if (r < 0)
			return r;
		at += e->d_reclen;
	}
	return 0;
}

static int list_disk(struct kr_fs *fs, const char *path, const char *part,
                     struct kr_dir *dir, char **ret_real)
{
	_cleanup_close_ int fd = kr_root_open_folder(&fs->root, path, ret_real);
	_Alignas(struct dirent64) char buffer[FOLDER_BUFFER];
	ssize_t n;

	if (fd < 0)
		return fd;
	/* readdir(3) would take three calls more */
	while ((n = getdents64(fd, buffer, sizeof(buffer))) > 0) {
		int r = add_entries(dir, fd, part, buffer, (size_t)n);

		if (r < 0)
			return r;
	}
	return n < 0 ? -errno : 0;
}

struct overlay_scan {
	const char *folder; /* real path */
	struct kr_dir *dir;
	size_t n_below; /* entries that are there without this overlay */
	int r;
};

static void scan_one(const void *node, VISIT visit, void *closure)
{
	const struct kr_file *file = *(struct kr_file *const *)node;
	struct overlay_scan *scan = closure;
	const char *slash = strrchr(file->real, '/');
	size_t length = strlen(scan->folder);

	if (visit != postorder && visit != leaf)
		return;
	if (length == 1)
		length = 0;
	if ((size_t)(slash - file->real) != length ||
	    memcmp(file->real, scan->folder, length) != 0)
		return;
	KR_EACH(struct kr_dir_entry, e, scan->dir->entries, scan->n_below) {
		if (strcmp(e->name, slash + 1) != 0)
			continue;
		if (!file->data)
			e->type = DT_WHT; /* taken out below */
		return;
	}
	if (scan->r >= 0 && file->data)
		scan->r = add_entry(scan->dir, slash + 1, DT_REG);
}

/* Entries that an overlay hides. */
static void drop_hidden(struct kr_dir *dir)
{
	size_t n = 0;

	for (size_t i = 0; i < dir->n_entries; i++) {
		if (dir->entries[i].type == DT_WHT)
			free(dir->entries[i].name);
		else
			dir->entries[n++] = dir->entries[i];
	}
	dir->n_entries = n;
}

int kr_fs_list(struct kr_fs *fs, const char *path, struct kr_dir *ret)
{
	return kr_fs_list_some(fs, path, "", ret);
}

int kr_fs_list_some(struct kr_fs *fs, const char *path, const char *part,
                    struct kr_dir *ret)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	_cleanup_free_ char *real = NULL;
	struct overlay_scan scan = {.dir = &dir};
	int r = list_disk(fs, path, part, &dir, &real);

	if (r < 0 && (r != -ENOENT || !fs->below))
		return r;
	if (!real && kr_fs_overlay_real(fs, path, &real) < 0)
		return -ENOMEM;
	scan.folder = real;
	for (struct kr_fs *o = fs; o; o = o->below) {
		scan.n_below = dir.n_entries;
		twalk_r(o->overlay, scan_one, &scan);
	}
	if (scan.r < 0)
		return scan.r;
	drop_hidden(&dir);
	if (r < 0 && dir.n_entries == 0)
		return r;
	if (dir.n_entries > 0)
		qsort(dir.entries, dir.n_entries, sizeof(*dir.entries),
		      by_name);
	*ret = TAKE(dir);
	return 0;
}

void kr_dir_done(struct kr_dir *dir)
{
	for (size_t i = 0; i < dir->n_entries; i++)
		free(dir->entries[i].name);
	free(dir->entries);
	*dir = (struct kr_dir){0};
}
