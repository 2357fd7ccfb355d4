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

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/vec.h"
#include "kubelet/config.h"
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

static void read_release(struct looking *l)
{
	static const char *const paths[] = {"/etc/os-release",
	                                    "/usr/lib/os-release"};

	l->release = read_first(l, paths, ARRAY_SIZE(paths));
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
	struct stat st;
	int r = kr_fs_look(l->fs, path, true, &st);

	note_error(l, r);
	return r == 0;
}

static bool expands(const struct kr_unit_command *command, const char *name)
{
	return command && kr_strings_contain(&command->expands, name);
}

/* Also a file that is not there yet. */
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
	struct looking l = {.fs = fs, .signs = signs};

	*ret = NULL;
	read_release(&l);
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

const char *kr_platform_butane(struct kr_fs *fs)
{
	struct looking l = {.fs = fs};
	char id[32], variant[32];

	read_release(&l);
	os_release(&l, "ID=", id, sizeof(id));
	os_release(&l, "VARIANT_ID=", variant, sizeof(variant));
	if (strcmp(id, "flatcar") == 0)
		return "flatcar";
	return strcmp(id, "fedora") == 0 && strcmp(variant, "coreos") == 0
	               ? "fcos"
	               : NULL;
}

bool kr_platform_is_openshift(const struct kr_platform *platform)
{
	return platform && strcmp(platform->id, "openshift") == 0;
}

bool kr_platform_writes(const struct kr_platform *platform, const char *path)
{
	if (!platform || !platform->owner)
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

/* --- the texts ----------------------------------------------------------- */

static void put_json_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++)
		fprintf(out, strchr("\"\\", *s) ? "\\%c" : "%c", *s);
	fputc('"', out);
}

static void put_json(FILE *out, const struct kr_value *value, const char *text)
{
	if (value->type == KR_TYPE_LIST) {
		fputc('[', out);
		for (size_t i = 0; i < value->list.n_items; i++) {
			fputs(i > 0 ? ", " : "", out);
			put_json_string(out, value->list.items[i]);
		}
		fputc(']', out);
	} else if (value->type == KR_TYPE_STRING ||
	           value->type == KR_TYPE_DURATION) {
		put_json_string(out, text);
	} else {
		fputs(text, out);
	}
}

enum mark {
	MARK_KEY,
	MARK_FLAG,
	MARK_VALUE,
	MARK_JSON,
	N_MARKS, /* none of them */
};

static enum mark mark_at(const char *text, size_t *length)
{
	static const char *const marks[N_MARKS] = {
		[MARK_KEY] = "@KEY@",
		[MARK_FLAG] = "@FLAG@",
		[MARK_VALUE] = "@VALUE@",
		[MARK_JSON] = "@JSON@",
	};
	enum mark i = 0;

	while (i < N_MARKS && !starts_with(text, marks[i]))
		i++;
	*length = i < N_MARKS ? strlen(marks[i]) : 1;
	return i;
}

/* The line from TEXT to END in the words of FIELD. 0 or -ENOMEM. */
static int put_line(FILE *out, int field, const struct kr_value *value,
                    const char *text, const char *end)
{
	const char *gate = kr_field(field)->combine == KR_COMBINE_GATE
	                           ? strchr(kr_field(field)->path, '.') + 1
	                           : NULL;
	_cleanup_free_ char *words = NULL;
	bool of_flag = false;
	size_t length;
	int r = kr_value_format(value, &words);

	if (r < 0)
		return r;
	for (; text < end; text += length) {
		switch (mark_at(text, &length)) {
		case MARK_KEY:
			fputs(kr_field_name(field), out);
			of_flag = false;
			break;
		case MARK_FLAG:
			fputs(kr_field(field)->flag, out);
			of_flag = true;
			break;
		case MARK_VALUE:
			if (of_flag && gate)
				fprintf(out, "%s=", gate);
			fputs(words, out);
			break;
		case MARK_JSON:
			put_json(out, value, words);
			break;
		case N_MARKS:
			fputc((unsigned char)*text, out);
			break;
		}
	}
	return 0;
}

static bool has_marks(const char *text, const char *end)
{
	size_t length;

	for (; text < end; text += length) {
		if (mark_at(text, &length) != N_MARKS)
			return true;
	}
	return false;
}

/* The lines of all fields, each behind the N_BLANKS from BLANKS. */
static int put_members(FILE *out, const int *fields,
                       const struct kr_value *values, size_t n,
                       const char *blanks, size_t n_blanks)
{
	_cleanup_free_ char *members = NULL;
	int r = kr_config_make_members(fields, values, n, &members);

	if (r < 0)
		return r;
	for (const char *line = members, *end; *line; line = end) {
		end = strchrnul(line, '\n');
		end += *end == '\n';
		fwrite(blanks, 1, n_blanks, out);
		fwrite(line, 1, (size_t)(end - line), out);
	}
	return 0;
}

#define OWN "@OWN:"

/* What the platform that ID (LENGTH bytes) names has for FIELD. */
static const char *find_own_line(const char *id, size_t length, int field)
{
	const char *path = kr_field(field)->path;

	KR_EACH(const struct kr_platform_line, l, kr_platform_lines,
	        kr_platform_n_lines) {
		if (strlen(l->id) != length || strncmp(l->id, id, length) != 0)
			continue;
		if (!l->path || (path && strcmp(l->path, path) == 0))
			return l->line;
	}
	assert(!"each platform that is named has a last row");
	return "";
}

/* The line from TEXT to END once for each field. */
static int put_lines(FILE *out, const int *fields,
                     const struct kr_value *values, size_t n, const char *text,
                     const char *end)
{
	for (size_t i = 0; i < n; i++) {
		int r = put_line(out, fields[i], &values[i], text, end);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The platform's own lines of all fields, for "@OWN:ID@" at TEXT. */
static int put_own_lines(FILE *out, const int *fields,
                         const struct kr_value *values, size_t n,
                         const char *text)
{
	const char *id = text + strlen(OWN);
	size_t length = strcspn(id, "@");
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++) {
		const char *line = find_own_line(id, length, fields[i]);

		r = put_line(out, fields[i], &values[i], line,
		             line + strlen(line));
	}
	return r;
}

static int put_text(FILE *out, const int *fields, const struct kr_value *values,
                    size_t n, const char *text)
{
	static const char members[] = "@MEMBERS@\n";

	for (const char *end; *text; text = end) {
		size_t n_blanks = strspn(text, " ");
		int r = 0;

		end = strchrnul(text, '\n');
		end += *end == '\n';
		if (starts_with(text + n_blanks, members))
			r = put_members(out, fields, values, n, text, n_blanks);
		else if (starts_with(text, OWN))
			r = put_own_lines(out, fields, values, n, text);
		else if (has_marks(text, end))
			r = put_lines(out, fields, values, n, text, end);
		else
			fwrite(text, 1, (size_t)(end - text), out);
		if (r < 0)
			return r;
	}
	return 0;
}

const struct kr_platform *kr_platform_medium(const char *medium)
{
	return KR_FIND(kr_platform_media, kr_platform_n_media, id, medium);
}

char *kr_platform_text(const int *fields, const struct kr_value *values,
                       size_t n, const char *text)
{
	_cleanup_free_ char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);
	int r;

	if (!out)
		return NULL;
	r = put_text(out, fields, values, n, text);
	if (fclose(out) != 0 || r < 0)
		return NULL;
	return TAKE_PTR(result);
}
