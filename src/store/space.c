/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A disk that is too small is found while the new contents are written, and
 * then all is removed again. That is late: a disk that is full is filled by
 * a program, and every byte of ours makes another program's write fail. So what
 * is needed is added up for each file system, and compared with what it says it
 * has.
 *
 * What it says is no promise: it may count blocks that are only there after
 * some tidying (btrfs), or nothing at all (0 blocks: some network and FUSE file
 * systems), or have no number of inodes. So this looks for what is sure to
 * fail, with a margin for folders and the manifest, and an error while writing
 * is still handled. A limit of file sizes is such a thing, too.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "store/files.h"
#include "store/space.h"

/* The folders that grow, and of the manifest what is the same for each fix. */
#define MARGIN ((size_t)16 * 1024)

struct need {
	dev_t device;
	size_t bytes;
	size_t inodes;
	uint64_t bytes_free; /* UINT64_MAX: it does not tell */
	uint64_t inodes_free;
	size_t block;
};

struct needs {
	struct need *items; /* one for each file system */
	size_t n_items;
	rlim_t file_max; /* what this process may write, in bytes */
	struct kr_fs *fs;
	struct kr_diag *diag;
};

static int refuse(struct needs *needs, const char *path, int error,
                  const char *why)
{
	kr_diag_add_path(needs->diag, KR_ERROR, "file-refused", path, "%s: %s",
	                 why, strerror(-error));
	return error;
}

static void look(int fd, struct need *need)
{
	struct statvfs vfs;

	need->bytes_free = need->inodes_free = UINT64_MAX;
	need->block = 4096;
	if (fstatvfs(fd, &vfs) < 0)
		return;
	/* what root may have, which of an image is not known */
	if (vfs.f_blocks > 0)
		need->bytes_free = (uint64_t)vfs.f_bfree * vfs.f_frsize;
	if (vfs.f_files > 0)
		need->inodes_free = vfs.f_ffree;
	if (vfs.f_bsize > 0)
		need->block = vfs.f_bsize;
}

static struct need *find(struct needs *needs, int fd, dev_t device)
{
	struct need *need;

	for (size_t i = 0; i < needs->n_items; i++) {
		if (needs->items[i].device == device)
			return &needs->items[i];
	}
	need = &needs->items[needs->n_items++];
	*need = (struct need){.device = device, .bytes = MARGIN};
	look(fd, need);
	return need;
}

static bool has_room(const struct need *need)
{
	return need->bytes <= need->bytes_free &&
	       need->inodes <= need->inodes_free;
}

/* What is known of the folder that is there. */
static int check_folder(struct needs *needs, int fd, const char *path)
{
	struct statvfs vfs;
	int r;

	if (fstatvfs(fd, &vfs) == 0 && (vfs.f_flag & ST_RDONLY))
		return refuse(needs, path, -EROFS, "nothing can be made there");
	r = kr_may_write_in(fd);
	if (r < 0)
		return refuse(needs, path, r, "nothing can be made there");
	return 0;
}

/* Files of SIZES[0 ... N-1] bytes, and the folders that are missing, below the
 * nearest folder on the way to PATH, which may be a folder's with a slash. */
static int add(struct needs *needs, const char *path, const size_t *sizes,
               size_t n)
{
	_cleanup_free_ char *missing = NULL;
	_cleanup_close_ int fd = kr_open_nearest(needs->fs, path, &missing);
	struct need *need;
	struct stat st;
	int r;

	if (fd < 0)
		return refuse(needs, path, fd, "its folder cannot be opened");
	if (fstat(fd, &st) < 0)
		return refuse(needs, path, -errno,
		              "its folder cannot be looked at");
	r = check_folder(needs, fd, path);
	if (r < 0)
		return r;
	need = find(needs, fd, st.st_dev);
	for (size_t i = 0; i < n; i++) {
		if (sizes[i] > needs->file_max)
			return refuse(needs, path, -ENOSPC,
			              "is larger than this process may write "
			              "(ulimit -f)");
		need->bytes += (sizes[i] + need->block - 1) / need->block *
		               need->block;
		need->inodes++;
	}
	if (missing)
		need->inodes++;
	return has_room(need) ? 0
	                      : refuse(needs, path, -ENOSPC,
	                               "there is no room for what is to be "
	                               "written there");
}

/* The old content, and what the manifest, of which there are two while it is
 * written again, says of it. */
static int add_copy(struct needs *needs, const struct kr_file_edits *f)
{
	size_t sizes[2] = {strlen(f->path), 0}, n = 1;

	for (size_t i = 0; i < f->n_edits; i++)
		sizes[0] += strlen(f->edits[i].text);
	sizes[0] *= 2;
	if (f->file && !kr_file_edits_in_place(f))
		sizes[n++] = f->file->size;
	return add(needs, KR_STATE_DIR "/", sizes, n);
}

static int add_content(struct needs *needs, const struct kr_file_edits *f)
{
	char *data = NULL;
	size_t size;
	bool any = !f->remove && !kr_file_edits_in_place(f);
	int r = any ? kr_file_edits_apply(f, &data, &size) : 0;

	free(data);
	if (r < 0 || !any)
		return r;
	return add(needs, f->path, &size, 1);
}

int kr_space_check(struct kr_fs *fs, const struct kr_edits *edits,
                   struct kr_diag *diag)
{
	_cleanup_free_ struct need *items =
		calloc(2 * edits->n_files + 1, sizeof(*items));
	struct needs needs = {.items = items, .fs = fs, .diag = diag};
	struct rlimit limit = {.rlim_cur = RLIM_INFINITY};

	if (!items)
		return -ENOMEM;
	getrlimit(RLIMIT_FSIZE, &limit);
	needs.file_max = limit.rlim_cur;
	for (size_t i = 0; i < edits->n_files; i++) {
		int r = add_content(&needs, &edits->files[i]);

		if (r < 0)
			return r;
		r = add_copy(&needs, &edits->files[i]);
		if (r < 0)
			return r;
	}
	return 0;
}
