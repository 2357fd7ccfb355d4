/* SPDX-License-Identifier: Apache-2.0 */

/*
 * EnvironmentFile=: one file, or a glob of them; "-" lets it be missing or
 * broken. A broken one (not UTF-8, a NUL, a folder) or a missing one without
 * "-" stops the service's start, with the place of the bytes; /dev/null is
 * empty.
 *
 * The syntax of the files is unit/envfile's. Where systemds make different
 * things of one, and which of them reads it is not known, both readings are
 * compared: what differs is unknown.
 *
 * Source: config_parse_unit_env_file() in src/core/load-fragment.c,
 * exec_context_load_environment() in src/core/execute.c of systemd 252.
 */

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/macro.h"
#include "base/vec.h"
#include "unit/envfile.h"
#include "unit/environment-files.h"

/*
 * systemd's version, from the name of the library that only itself uses: its
 * soname has the version, and both are one package. Debian and Ubuntu have it
 * in their multiarch folders.
 *
 * Source: meson.build of systemd, shared_lib_tag.
 */

static const char *const folders[] = {"/usr/lib/systemd",
                                      "/usr/lib/x86_64-linux-gnu/systemd",
                                      "/usr/lib/aarch64-linux-gnu/systemd",
                                      "/usr/lib64/systemd", "/lib/systemd"};

/* 0: another file. */
static unsigned version_of(const char *name)
{
	static const char begin[] = "libsystemd-shared-";

	if (strncmp(name, begin, strlen(begin)) != 0)
		return 0;
	return (unsigned)strtoul(name + strlen(begin), NULL, 10);
}

/*
 * The version in the name of systemd's own library, libsystemd-shared-252.so or
 * libsystemd-shared-255.4-1.fc40.so, which is installed with it. 0: it is not
 * found, or there are two. Lists some folders, each time: to be asked only
 * where an answer depends on it.
 */
static unsigned systemd_version_in(struct kr_fs *fs)
{
	unsigned found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_dir_ struct kr_dir dir = {0};

		if (kr_fs_list(fs, folders[i], &dir) < 0)
			continue;
		for (size_t k = 0; k < dir.n_entries; k++) {
			unsigned version = version_of(dir.entries[k].name);

			if (version == 0 || version == found)
				continue;
			if (found != 0)
				return 0;
			found = version;
		}
	}
	return found;
}

/* Files may be named more often than they are there. */
#define WORK_MAX ((size_t)128 * 1024 * 1024)
#define ENTRY    ((size_t)64) /* of a folder, for a glob */

/* More to look at: the same file may be named again and again. */
static int work(struct kr_environment *e, size_t bytes, const char *path,
                struct kr_diag *diag)
{
	e->work += bytes;
	if (e->work <= WORK_MAX)
		return 0;
	kr_diag_add_path(diag, KR_ERROR, "environment-too-large", path,
	                 "the environment is too large: its files up to here "
	                 "have more than %zu MiB",
	                 WORK_MAX >> 20);
	return -EFBIG;
}

/* PATH without "//", "/./" and a slash at its end; ".." is not allowed. */
static int simplify(const char *path, char **ret)
{
	const char *s = path;
	char *out;

	*ret = NULL;
	for (; (s = strstr(s, "..")); s += 2) {
		if (s > path && s[-1] == '/' && (!s[2] || s[2] == '/'))
			return 0;
	}
	out = kr_path_normalise(path);
	*ret = out;
	return out ? 0 : -ENOMEM;
}

bool kr_environment_is_several(const char *path)
{
	return strstr(path, " /") || strstr(path, " -/");
}

int kr_environment_add_file(struct kr_environment *e,
                            const struct kr_specifiers *s,
                            const struct kr_text *value)
{
	struct kr_span span = kr_text_span(value, 0, value->length);
	_cleanup_text_ struct kr_text text = {0};
	_cleanup_free_ char *path = NULL;
	bool any = false, unknown = false, optional;
	char *entry;
	int r;

	if (value->length == 0) {
		kr_strings_done(&e->paths);
		return 0;
	}
	r = kr_specifiers_expand(s, value, PATH_MAX - 1, &text, &any, &unknown);
	if (r == -ENOMEM)
		return r;
	optional = r >= 0 && text.bytes[0] == '-';
	if (r >= 0 && text.bytes[optional] == '/' &&
	    simplify(text.bytes + optional, &path) < 0)
		return -ENOMEM;
	if (!path) {
		kr_diag_add(s->diag, KR_WARNING, "environment-file-invalid",
		            span,
		            r < 0 ? "specifier cannot be resolved: ignored"
		                  : "path is not absolute and plain: ignored");
		return 0;
	}
	if (kr_environment_is_several(path))
		kr_diag_add(s->diag, KR_WARNING, "environment-file-blank", span,
		            "EnvironmentFile= takes one path, blanks and all: "
		            "each path needs a line of its own");
	if (asprintf(&entry, "%s%s", optional ? "-" : "", path) < 0)
		return -ENOMEM;
	return kr_strings_consume(&e->paths, entry);
}

static bool has_magic(const char *s)
{
	return strpbrk(s, "*?[\\") != NULL;
}

struct glob {
	struct kr_environment *environment;
	struct kr_fs *fs;
	struct kr_diag *diag;
	struct kr_strings *ret;
};

static int glob_below(struct glob *g, const char *folder, const char *rest);

/* REST begins with the name that FOLDER/NAME matched. */
static int glob_match(struct glob *g, const char *folder, const char *name,
                      const char *rest)
{
	_cleanup_free_ char *path = kr_path_join(folder, name);
	struct stat st;

	rest += strcspn(rest, "/");
	if (!path)
		return -ENOMEM;
	if (*rest)
		return glob_below(g, path, rest + 1);
	if (kr_fs_look(g->fs, path, false, &st) < 0)
		return 0;
	return kr_strings_consume(g->ret, TAKE_PTR(path));
}

static int glob_below(struct glob *g, const char *folder, const char *rest)
{
	_cleanup_free_ char *name = strndup(rest, strcspn(rest, "/"));
	_cleanup_dir_ struct kr_dir dir = {0};
	int r;

	if (!name)
		return -ENOMEM;
	if (!has_magic(name))
		return glob_match(g, folder, name, rest);
	r = kr_fs_list(g->fs, folder, &dir);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = work(g->environment, dir.n_entries * ENTRY, folder, g->diag);
	if (r < 0)
		return r;
	for (size_t i = 0; i < dir.n_entries; i++) {
		if (fnmatch(name, dir.entries[i].name, FNM_PERIOD) != 0)
			continue;
		r = glob_match(g, folder, dir.entries[i].name, rest);
		if (r < 0)
			return r;
	}
	return 0;
}

static int expand_glob(struct glob *g, const char *path)
{
	struct kr_strings *ret = g->ret;
	int r;

	if (!has_magic(path))
		return kr_strings_add(ret, path);
	r = glob_below(g, "/", path + 1);
	if (ret->n_items > 1)
		qsort(ret->items, ret->n_items, sizeof(*ret->items),
		      kr_strings_compare);
	return r;
}

struct file_reader {
	struct kr_environment *environment;
	struct kr_variables *to;
	struct kr_diag *diag;
};

/* A line of the value that looks like another assignment: a backslash or an
 * open quote at the end of the line before it has made it a part of this one.
 */
static void remark_swallowed(const struct kr_envfile_entry *entry,
                             struct kr_diag *diag)
{
	const struct kr_file *file = entry->span.file;
	size_t end = kr_span_end(entry->span);

	for (size_t i = entry->span.offset; i < end; i++) {
		size_t start = i + 1, n;

		if (file->data[i] != '\n')
			continue;
		while (start < end && strchr(" \t", file->data[start]))
			start++;
		n = strcspn(file->data + start, "= \t\r\n");
		if (start + n >= end || file->data[start + n] != '=' ||
		    !kr_variable_name_valid(file->data + start, n))
			continue;
		kr_diag_add(diag, KR_WARNING, "environment-line-swallowed",
		            (struct kr_span){file, start, n + 1},
		            "line is a part of the value of %s: the line "
		            "before it ends in a backslash, or a quote is open",
		            entry->key);
		return;
	}
}

static int take_entry(void *userdata, struct kr_envfile_entry *entry)
{
	struct file_reader *reader = userdata;
	_cleanup_assignment_ struct kr_assignment v = {
		.source = KR_VARIABLE_FILE,
		.span = entry->span,
		.value_span = entry->value_span,
		.quote = entry->quote,
		.form = entry->form,
		.comment = entry->comment,
	};

	remark_swallowed(entry, reader->diag);
	if (!kr_variable_name_valid(entry->key, strlen(entry->key))) {
		kr_diag_add(reader->diag, KR_WARNING, "environment-invalid",
		            entry->span, "variable name is invalid: ignored");
		return 0;
	}
	v.name = strdup(entry->key);
	if (!v.name)
		return -ENOMEM;
	v.value = TAKE(entry->value);
	return kr_environment_hold(reader->environment, reader->to, &v,
	                           reader->diag);
}

/* The last one of NAME; NULL: there is none. */
static struct kr_unit_variable *find_last(struct kr_variables *in,
                                          const char *name)
{
	for (size_t i = in->n_items; i-- > 0;) {
		const char *other = in->items[i].name; /* NULL: moved away */

		if (other && strcmp(other, name) == 0)
			return &in->items[i];
	}
	return NULL;
}

/* Two readings of a file are compared up to so many assignments. */
#define COMPARED_MAX ((size_t)1000)

static bool is_same(struct kr_variables *a, struct kr_variables *b,
                    const char *name)
{
	const struct kr_unit_variable *x = find_last(a, name);
	const struct kr_unit_variable *y = find_last(b, name);

	return x && y &&
	       strcmp(kr_variable_value(x).bytes, kr_variable_value(y).bytes) ==
	               0;
}

/* What differs between two readings is unknown in the first; all is, where to
 * compare each would take long. */
static int doubt_differences(struct kr_variables *to,
                             struct kr_variables *other, struct kr_span comment)
{
	bool many = to->n_items + other->n_items > COMPARED_MAX;

	KR_EACH(struct kr_unit_variable, v, other->items, other->n_items) {
		int r;

		if (!many && find_last(to, v->name))
			continue;
		r = kr_variables_add(to, v);
		if (r < 0)
			return r;
	}
	/* from the end: the last of a name is compared first, and as it was */
	for (size_t i = to->n_items; i-- > 0;) {
		struct kr_unit_variable *v = &to->items[i];
		int r = many || !is_same(to, other, v->name)
		                ? kr_variable_doubt(v, comment)
		                : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * FILE has a COMMENT that ends in a backslash: before systemd 254 the next line
 * belongs to it. Where it is unknown which systemd reads it, its files may;
 * else what depends on it is unknown.
 */
static int doubt_comments(struct file_reader *reader, struct kr_fs *fs,
                          const struct kr_file *file, struct kr_span comment)
{
	unsigned version = systemd_version_in(fs);
	_cleanup_variables_ struct kr_variables other = {0};
	struct file_reader again = {reader->environment, &other, NULL};
	int r;

	if (version >= 254)
		return 0;
	r = kr_envfile_parse(file, true, take_entry, &again, NULL, NULL);
	if (r < 0 || version == 0)
		kr_diag_add(reader->diag, KR_WARNING, "comment-continues",
		            comment, KR_COMMENT_CONTINUES);
	if (r < 0)
		return r;
	if (version == 0)
		return doubt_differences(reader->to, &other, comment);
	kr_variables_done(reader->to);
	*reader->to = TAKE(other);
	return 0;
}

/* By systemd of VERSION, 0: not known. */
static int read_assignments(struct file_reader *reader, struct kr_fs *fs,
                            const struct kr_file *file, unsigned version)
{
	struct kr_span comment = KR_SPAN_NONE;
	int r = kr_envfile_parse(file, version != 0 && version < 254,
	                         take_entry, reader, reader->diag, &comment);

	if (r < 0 || version != 0 || !comment.file)
		return r;
	return doubt_comments(reader, fs, file, comment);
}

/*
 * What is at PATH, which reading ended with ERROR, is no file. systemd waits
 * until a process writes to a FIFO, even where it may be missing. (Tried on
 * systemd 252: tests/test-systemd-start.py.)
 */
static int read_no_file(struct kr_fs *fs, const char *path, bool optional,
                        int error, struct kr_diag *diag)
{
	struct stat st;
	bool fifo = error == -EINVAL && kr_fs_look(fs, path, true, &st) == 0 &&
	            S_ISFIFO(st.st_mode);

	if (optional && !fifo) {
		kr_diag_add_path(
			diag, KR_NOTE, "environment-file-ignored", path,
			"environment file is %s: systemd goes on "
			"without it",
			error == -EISDIR ? "a folder" : "no regular file");
		return 0;
	}
	kr_diag_add_path(diag, KR_ERROR, "environment-file-invalid", path,
	                 "environment file is %s",
	                 error == -EISDIR ? "a folder"
	                 : fifo ? "a FIFO: systemd waits for what is written "
	                          "to it, and starts nothing until then"
	                        : "no regular file");
	return KR_ENV_FILES_REFUSED;
}

/* Parses FILE; what stops systemd is a warning where it may do without. */
static int parse_file(struct kr_environment *e, struct kr_fs *fs,
                      const struct kr_file *file, unsigned version,
                      bool optional, struct kr_diag *diag)
{
	_cleanup_diag_ struct kr_diag found = {0};
	_cleanup_variables_ struct kr_variables variables = {0};
	struct file_reader reader = {e, &variables, &found};
	int r = read_assignments(&reader, fs, file, version);

	for (size_t i = 0; optional && r != -EFBIG && i < found.n_messages; i++)
		found.messages[i].severity = KR_WARNING;
	if (diag)
		kr_diag_merge(diag, &found);
	if (r >= 0)
		return kr_variables_move(&e->all, &variables);
	if (r == -EFBIG && e->held <= KR_ENVIRONMENT_HELD_MAX)
		kr_diag_add_path(diag, KR_ERROR, "environment-too-large",
		                 file->path,
		                 "the environment is too large: a value of the "
		                 "file needs more than %zu MiB of memory",
		                 KR_ENVIRONMENT_HELD_MAX >> 20);
	if (r == -ENOMEM || r == -EFBIG)
		return r;
	return optional ? KR_ENV_FILES_READ : KR_ENV_FILES_REFUSED;
}

static int read_file(struct kr_environment *e, struct kr_fs *fs,
                     const char *path, unsigned version, bool optional,
                     struct kr_diag *diag)
{
	const struct kr_file *file;
	int r = kr_fs_read(fs, path, &file);

	/* empty; an image need not have it */
	if (strcmp(path, "/dev/null") == 0 ||
	    (r == -EINVAL && kr_fs_is_device(fs, path)))
		return 0;
	if (r == -ENOENT || r == -ENOTDIR)
		return optional ? KR_ENV_FILES_READ : KR_ENV_FILES_MISSING;
	if (r == -EISDIR || r == -ELOOP || r == -EINVAL)
		return read_no_file(fs, path, optional, r, diag);
	if (r < 0) {
		kr_diag_add_path(diag, KR_ERROR, "file-unreadable", path,
		                 "environment file cannot be read: %s",
		                 kr_fs_strerror(-r));
		return r;
	}
	r = work(e, file->size + ENTRY, path, diag);
	if (r < 0)
		return r;
	r = kr_strings_add(&e->read, path);
	return r < 0 ? r : parse_file(e, fs, file, version, optional, diag);
}

static int keep_missing(struct kr_environment *e, const char *entry)
{
	free(e->missing);
	e->missing = strdup(entry);
	return e->missing ? KR_ENV_FILES_MISSING : -ENOMEM;
}

static int read_path(struct kr_environment *e, struct kr_fs *fs,
                     const char *entry, unsigned version, struct kr_diag *diag)
{
	bool optional = entry[0] == '-';
	_cleanup_strings_ struct kr_strings paths = {0};
	struct glob glob = {e, fs, diag, &paths};
	int r = expand_glob(&glob, entry + optional);

	if (r < 0)
		return r;
	if (paths.n_items == 0 && !optional)
		return keep_missing(e, entry);
	for (size_t i = 0; i < paths.n_items; i++) {
		r = read_file(e, fs, paths.items[i], version, optional, diag);
		if (r == KR_ENV_FILES_MISSING)
			return keep_missing(e, entry);
		if (r != KR_ENV_FILES_READ)
			return r;
	}
	return KR_ENV_FILES_READ;
}

int kr_environment_read(struct kr_environment *e, struct kr_fs *fs,
                        unsigned version, struct kr_diag *diag)
{
	int r = kr_variables_move(&e->all, &e->unit);

	if (r < 0)
		return r;
	for (size_t i = 0; i < e->paths.n_items; i++) {
		r = read_path(e, fs, e->paths.items[i], version, diag);
		if (r != KR_ENV_FILES_READ)
			return r;
	}
	return KR_ENV_FILES_READ;
}
