/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which platform a node is of: the first row of node/platform-table whose signs
 * are all there. A sign is looked at when a row asks for it, so that a node
 * whose unit tells costs no look at other files.
 *
 * It is done in two steps. What must not be edited is known by the system
 * itself and before a unit is looked for, as there may be none; the rest by how
 * kubelet is started.
 *
 * Source: os-release(5), hostname(5).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "node/platform-table.h"
#include "node/platform.h"

struct looking {
	struct kr_fs *fs;
	const struct kr_platform_signs *signs;
	const struct kr_file *release; /* os-release, or NULL */
	int error;                     /* -ENOMEM, or 0 */
	int unread;                    /* the errno of a sign, or 0 */
};

/* What a path that is no sign gives, now and for ever; the rest is what kept us
 * from looking. */
static bool is_absence(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -EISDIR ||
	       error == -ELOOP || error == -EINVAL || error == -EFBIG;
}

static void note_error(struct looking *l, int error)
{
	if (error == -ENOMEM)
		l->error = error;
	else if (error < 0 && !is_absence(error))
		l->unread = error;
}

/* The first of PATHS that can be read, or NULL. */
static const struct kr_file *read_first(struct looking *l,
                                        const char *const *paths, size_t n)
{
	const struct kr_file *file = NULL;

	for (size_t i = 0; i < n && !file && l->error == 0; i++) {
		int r = kr_fs_read(l->fs, paths[i], &file);

		note_error(l, r);
		if (r < 0)
			file = NULL;
	}
	return file;
}

/* The value of NAME ("ID=") in os-release, whose lines are a shell's
 * assignments, quoted or not. */
static void os_release(const struct looking *l, const char *name, char *ret,
                       size_t size)
{
	const struct kr_file *file = l->release;
	size_t length = strlen(name);

	*ret = '\0';
	for (const char *line = file ? file->data : ""; *line;) {
		size_t n = strcspn(line, "\n");
		const char *value = line + length;

		if (n > length && n < size &&
		    strncmp(line, name, length) == 0) {
			value += strspn(value, "\"'");
			strlcpy(ret, value, size);
			ret[strcspn(ret, "\"'\n")] = '\0';
		}
		line += n + (line[n] == '\n');
	}
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool has_host_name(struct looking *l, const char *start)
{
	static const char *const paths[] = {"/etc/hostname",
	                                    "/proc/sys/kernel/hostname"};
	const struct kr_file *file = read_first(l, paths, ARRAY_SIZE(paths));

	return file && starts_with(file->data, start);
}

static bool has_path(struct looking *l, const char *path)
{
	_cleanup_stat_ struct kr_stat st = {0};
	int r = kr_fs_stat(l->fs, path, true, &st);

	note_error(l, r);
	return r == 0;
}

static bool expands(const struct kr_unit_command *command, const char *name)
{
	for (size_t i = 0; command && i < command->expands.n_items; i++) {
		if (strcmp(command->expands.items[i], name) == 0)
			return true;
	}
	return false;
}

/* Also one that is not there yet. */
static bool reads_file(const struct kr_unit *unit, const char *path)
{
	for (size_t i = 0; unit && i < unit->written_files.n_items; i++) {
		const char *written = unit->written_files.items[i];

		if (strcmp(written + (*written == '-'), path) == 0)
			return true;
	}
	return false;
}

static bool has_os_sign(const struct looking *l,
                        const struct kr_platform_sign *sign)
{
	char value[128];

	if (sign->kind == KR_SIGN_OS) {
		os_release(l, "ID=", value, sizeof(value));
		return strcmp(value, sign->value) == 0;
	}
	os_release(l, "PRETTY_NAME=", value, sizeof(value));
	return starts_with(value, sign->value);
}

static bool has_sign(struct looking *l, const struct kr_platform_sign *sign)
{
	const struct kr_platform_signs *s = l->signs;

	switch (sign->kind) {
	case KR_SIGN_NONE:
		return true;
	case KR_SIGN_OS:
	case KR_SIGN_PRETTY:
		return has_os_sign(l, sign);
	case KR_SIGN_HOST:
		return has_host_name(l, sign->value);
	case KR_SIGN_PATH:
		return has_path(l, sign->value);
	case KR_SIGN_UNIT:
		return strcmp(s->unit_name, sign->value) == 0;
	case KR_SIGN_NO_UNIT:
		return s->unit && s->unit->load == KR_UNIT_NOT_FOUND;
	case KR_SIGN_ENV_FILE:
		return reads_file(s->unit, sign->value);
	case KR_SIGN_VARIABLE:
		return expands(s->command, sign->value);
	case KR_SIGN_CONFIG:
		return s->config && strcmp(s->config, sign->value) == 0;
	}
	return false;
}

int kr_platform_find(struct kr_fs *fs, const struct kr_platform_signs *signs,
                     const struct kr_platform **ret, int *ret_error)
{
	static const char *const paths[] = {"/etc/os-release",
	                                    "/usr/lib/os-release"};
	struct looking l = {.fs = fs, .signs = signs};

	*ret = NULL;
	l.release = read_first(&l, paths, ARRAY_SIZE(paths));
	for (size_t i = 0; !*ret && i < kr_platform_n_rows; i++) {
		const struct kr_platform_row *row = &kr_platform_rows[i];
		bool fits = !signs ==
		            (row->platform->refusal && !row->platform->by_unit);

		for (size_t k = 0; fits && k < KR_PLATFORM_SIGNS_MAX; k++)
			fits = has_sign(&l, &row->signs[k]);
		if (l.error < 0)
			break;
		if (fits)
			*ret = row->platform;
	}
	if (l.unread < 0)
		*ret_error = l.unread;
	return l.error;
}

bool kr_platform_is_openshift(const struct kr_platform *platform)
{
	return platform && strcmp(platform->id, "openshift") == 0;
}

bool kr_platform_writes(const struct kr_platform *platform, const char *path)
{
	if (!platform->owner)
		return false;
	if (!platform->files[0])
		return true;
	for (size_t i = 0; i < KR_PLATFORM_FILES_MAX && platform->files[i];
	     i++) {
		if (strcmp(platform->files[i], path) == 0)
			return true;
	}
	return false;
}

char *kr_platform_text(int field, const char *value, const char *text)
{
	const struct {
		const char *mark, *value;
	} marks[] = {
		{"@KEY@", kr_field_name(field)},
		{"@FLAG@", kr_field(field)->flag},
		{"@VALUE@", value},
	};
	_cleanup_free_ char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	if (!out)
		return NULL;
	while (*text) {
		size_t i = 0;

		while (i < ARRAY_SIZE(marks) &&
		       !starts_with(text, marks[i].mark))
			i++;
		if (i < ARRAY_SIZE(marks)) {
			fputs(marks[i].value, out);
			text += strlen(marks[i].mark);
		} else {
			fputc((unsigned char)*text++, out);
		}
	}
	if (fclose(out) != 0)
		return NULL;
	return TAKE_PTR(result);
}
