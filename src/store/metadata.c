/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a file has besides its bytes. A new file can be born with attributes of
 * its own: a folder's default ACL, and the label that a security module gives.
 * The first is taken away where the old file had none; the second cannot be.
 */

#include <errno.h>
#include <sha2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/vec.h"
#include "store/metadata.h"

/* The names of a file's xattrs, each with its NUL. */
struct names {
	char *data;
	size_t size;
};

static void names_done(struct names *names)
{
	free(names->data);
}

static int read_names(int fd, struct names *ret)
{
	ssize_t size = flistxattr(fd, NULL, 0);
	char *data;

	if (size <= 0)
		return size < 0 && errno != ENOTSUP ? -errno : 0;
	data = malloc((size_t)size);
	if (!data)
		return -ENOMEM;
	size = flistxattr(fd, data, (size_t)size);
	if (size < 0) {
		free(data);
		return -errno;
	}
	*ret = (struct names){data, (size_t)size};
	return 0;
}

static const char *next_name(const struct names *names, const char *name)
{
	if (!names->data)
		return NULL;
	name = name ? name + strlen(name) + 1 : names->data;
	return name < names->data + names->size ? name : NULL;
}

static bool has_name(const struct names *names, const char *wanted)
{
	const char *name = NULL;

	while ((name = next_name(names, name))) {
		if (strcmp(name, wanted) == 0)
			return true;
	}
	return false;
}

static bool is_kernels(const char *name)
{
	return strcmp(name, "security.ima") == 0 ||
	       strcmp(name, "security.evm") == 0;
}

/* -ENODATA: it is gone since the names were read. */
static int read_value(int fd, const char *name, char **ret, size_t *ret_size)
{
	ssize_t size = fgetxattr(fd, name, NULL, 0);
	_cleanup_free_ char *value = NULL;

	if (size < 0)
		return -errno;
	value = malloc((size_t)size + 1);
	if (!value)
		return -ENOMEM;
	size = fgetxattr(fd, name, value, (size_t)size);
	if (size < 0)
		return -errno;
	*ret = TAKE_PTR(value);
	*ret_size = (size_t)size;
	return 0;
}

/* --- copying ------------------------------------------------------------- */

static int copy_value(int from_fd, int to_fd, const char *name)
{
	_cleanup_free_ char *value = NULL;
	size_t size;
	int r = read_value(from_fd, name, &value, &size);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	return fsetxattr(to_fd, name, value, size, 0) < 0 ? -errno : 0;
}

static int remove_others(int to_fd, const struct names *wanted)
{
	_cleanup_(names_done) struct names names = {0};
	const char *name = NULL;
	int r = read_names(to_fd, &names);

	if (r < 0)
		return r;
	while ((name = next_name(&names, name))) {
		if (has_name(wanted, name) ||
		    strncmp(name, "security.", strlen("security.")) == 0)
			continue;
		if (fremovexattr(to_fd, name) < 0 && errno != ENODATA)
			return -errno;
	}
	return 0;
}

static int copy_attributes(int from_fd, int to_fd)
{
	_cleanup_(names_done) struct names names = {0};
	const char *name = NULL;
	int r = read_names(from_fd, &names);

	if (r < 0)
		return r;
	r = remove_others(to_fd, &names);
	if (r < 0)
		return r;
	while ((name = next_name(&names, name))) {
		r = is_kernels(name) ? 0 : copy_value(from_fd, to_fd, name);
		if (r < 0)
			return r;
	}
	return 0;
}

int kr_metadata_copy(int from_fd, int to_fd)
{
	struct stat st;
	int r;

	if (fstat(from_fd, &st) < 0)
		return -errno;
	/* the owner first: a change of it takes set-id bits away; the mode
	 * last: with an ACL its group bits are the ACL's mask */
	if (fchown(to_fd, st.st_uid, st.st_gid) < 0)
		return -errno;
	r = copy_attributes(from_fd, to_fd);
	if (r < 0)
		return r;
	return fchmod(to_fd, st.st_mode & 07777) < 0 ? -errno : 0;
}

/* --- comparing ----------------------------------------------------------- */

static int sort_names(const struct names *names, const char ***ret,
                      size_t *ret_n)
{
	const char **list = calloc(names->size + 1, sizeof(*list));
	const char *name = NULL;
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	while ((name = next_name(names, name))) {
		if (!is_kernels(name))
			list[n++] = name;
	}
	qsort(list, n, sizeof(*list), kr_strings_compare);
	*ret = list;
	*ret_n = n;
	return 0;
}

static int add_value(SHA2_CTX *hash, int fd, const char *name)
{
	_cleanup_free_ char *value = NULL;
	size_t size;
	int r = read_value(fd, name, &value, &size);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	SHA256Update(hash, (const uint8_t *)name, strlen(name) + 1);
	SHA256Update(hash, (const uint8_t *)&size, sizeof(size));
	SHA256Update(hash, (const uint8_t *)value, size);
	return 0;
}

int kr_metadata_hash(int fd, char ret[static KR_SHA256_HEX_SIZE])
{
	_cleanup_(names_done) struct names names = {0};
	_cleanup_free_ const char **list = NULL;
	size_t n = 0;
	SHA2_CTX hash;
	int r = read_names(fd, &names);

	if (r < 0)
		return r;
	r = sort_names(&names, &list, &n);
	if (r < 0)
		return r;
	SHA256Init(&hash);
	for (size_t i = 0; i < n; i++) {
		r = add_value(&hash, fd, list[i]);
		if (r < 0)
			return r;
	}
	SHA256End(&hash, ret);
	return 0;
}
