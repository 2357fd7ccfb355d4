/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The kernel's settings at the next boot.
 *
 * With protectKernelDefaults kubelet demands six settings, and ends seven
 * seconds after its start where one differs; without it kubelet sets them
 * itself. So what the kernel has now tells nothing: it may be the work of the
 * very kubelet that is to be changed. What the next boot will have is, from the
 * weakest on:
 *
 *	the kernel's own value	three of the six are what kubelet demands
 *	its command line	sysctl.kernel.panic=10, set before systemd
 *				starts; of kernel.* alone, to be on the safe
 *				side
 *	sysctl.d		as systemd-sysctl reads it
 *
 * systemd-sysctl reads the *.conf of the folders by name, each name from the
 * strongest folder; a link to /dev/null or an empty file hides those of its
 * name. /run is empty at boot and does not count here. Of a key the last line
 * counts. Of patterns ("kernel.*") the last one that was written counts, but
 * never for a key that has a line of its own, of which "-KEY" without a value
 * is one. The same pattern with the same value keeps its place. If its unit is
 * masked, nothing is read.
 *
 * A number may be written in any base that the kernel takes (strtoul(3), base
 * 0).
 *
 * Source: pkg/kubelet/cm/container_manager_linux.go (setupKernelTunables) and
 * pkg/util/sysctl of kubernetes; src/sysctl/sysctl.c and
 * src/basic/sysctl-util.c of systemd; fs/proc/proc_sysctl.c of Linux;
 * sysctl.d(5).
 */

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "node/kernel-settings.h"
#include "unit/path.h"

static const char *const folders[] = {"/etc/sysctl.d",
                                      "/usr/local/lib/sysctl.d",
                                      "/usr/lib/sysctl.d", "/lib/sysctl.d"};

static const struct known {
	const char *name, *wanted;
	const char *path; /* below /proc/sys */
	bool by_default;  /* the kernel's own value is the wanted one */
} table[KR_N_KERNEL_SETTINGS] = {
	{"vm.overcommit_memory", "1", "vm/overcommit_memory", false},
	{"vm.panic_on_oom", "0", "vm/panic_on_oom", true},
	{"kernel.panic", "10", "kernel/panic", false},
	{"kernel.panic_on_oops", "1", "kernel/panic_on_oops", false},
	{"kernel.keys.root_maxkeys", "1000000", "kernel/keys/root_maxkeys",
         true},
	{"kernel.keys.root_maxbytes", "25000000", "kernel/keys/root_maxbytes",
         true},
};

/* --- sysctl.d ------------------------------------------------------------ */

/* A line that is about one of the settings. */
struct option {
	char *key;            /* a path below /proc/sys, or a pattern of such */
	char *value;          /* NULL: "-KEY" */
	struct kr_span place; /* the value's, or the key's */
};

struct options {
	struct option *items;
	size_t n;
};

static void options_done(struct options *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free(o->items[i].key);
		free(o->items[i].value);
	}
	free(o->items);
}

static bool is_pattern(const char *key)
{
	return strpbrk(key, "*?[") != NULL;
}

static bool matches(const char *key, const char *path)
{
	return is_pattern(key)
	               ? fnmatch(key, path, FNM_PATHNAME | FNM_PERIOD) == 0
	               : strcmp(key, path) == 0;
}

static bool is_about_any(const char *key)
{
	return KR_ANY(row, table, ARRAY_SIZE(table), matches(key, row->path));
}

/* Where the first separator is a dot, dots and slashes change places. */
static void normalize(char *key)
{
	size_t first = strcspn(key, "/.");

	if (key[first] != '.')
		return;
	for (char *p = &key[first]; *p; p++) {
		if (*p == '.')
			*p = '/';
		else if (*p == '/')
			*p = '.';
	}
}

static bool same_value(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The strings are O's afterwards, also on error. */
static int set(struct options *o, struct option option)
{
	struct option *next;

	for (size_t i = 0; i < o->n; i++) {
		struct option *old = &o->items[i];

		if (strcmp(old->key, option.key) != 0)
			continue;
		if (same_value(old->value, option.value)) {
			free(option.key);
			free(option.value);
			return 0;
		}
		free(old->key);
		free(old->value);
		memmove(old, old + 1, (o->n - i - 1) * sizeof(*old));
		o->n--;
		break;
	}
	next = KR_VEC_NEXT(o->items, o->n);
	if (!next) {
		free(option.key);
		free(option.value);
		return -ENOMEM;
	}
	*next = option;
	o->n++;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct kr_span strip(struct kr_span span)
{
	const char *data = span.file->data;

	while (span.length > 0 && is_blank(data[span.offset])) {
		span.offset++;
		span.length--;
	}
	while (span.length > 0 && is_blank(data[kr_span_end(span) - 1]))
		span.length--;
	return span;
}

static char *copy(struct kr_span span)
{
	return strndup(span.file->data + span.offset, span.length);
}

/* LINE is without blanks at its ends. */
static int read_line(struct options *o, struct kr_span line)
{
	const char *text = line.file->data + line.offset;
	const char *equals = memchr(text, '=', line.length);
	struct kr_span key = line, value = line;
	struct option option;
	bool minus;

	if (line.length == 0 || strchr("#;", *text))
		return 0;
	minus = *text == '-';
	if (!equals && !minus)
		return 0; /* systemd passes it over, too */
	if (equals)
		key.length = equals - text;
	key.offset += minus;
	key.length -= minus;
	key = strip(key);
	option = (struct option){.key = copy(key), .place = key};
	if (!option.key)
		return -ENOMEM;
	normalize(option.key);
	if (!is_about_any(option.key)) {
		free(option.key);
		return 0;
	}
	if (equals) {
		value.offset = line.offset + (equals - text) + 1;
		value.length = kr_span_end(line) - value.offset;
		option.place = strip(value);
		option.value = copy(option.place);
		if (!option.value) {
			free(option.key);
			return -ENOMEM;
		}
	}
	return set(o, option);
}

static int read_file(struct options *o, const struct kr_file *file)
{
	size_t start = 0;
	int r;

	for (size_t i = 0; i <= file->size; i++) {
		struct kr_span line = {file, start, i - start};

		if (i < file->size && file->data[i] && file->data[i] != '\n' &&
		    file->data[i] != '\r')
			continue;
		r = read_line(o, strip(line));
		if (r < 0)
			return r;
		start = i + 1;
	}
	return 0;
}

static int read_files(struct kr_fs *fs, struct kr_diag *diag, bool *ret_masked,
                      struct options *o)
{
	_cleanup_unit_files_ struct kr_unit_files unit = {0};
	_cleanup_strings_ struct kr_strings paths = {0};
	int r;

	r = kr_unit_files_find(fs, "systemd-sysctl.service", diag, &unit);
	*ret_masked = unit.masked;
	if (r < 0 || unit.masked)
		return r;
	r = kr_conf_files_find(fs, folders, ARRAY_SIZE(folders), diag, &paths);
	for (size_t i = 0; r >= 0 && i < paths.n_items; i++) {
		const struct kr_file *file;

		r = kr_fs_read(fs, paths.items[i], &file);
		if (r >= 0) {
			r = read_file(o, file);
		} else if (r == -ENOENT || r == -EISDIR || r == -EINVAL ||
		           r == -ELOOP) {
			r = 0; /* /dev/null, or what systemd cannot read */
		} else if (r != -ENOMEM) {
			kr_diag_add_path(diag, KR_ERROR, "file-unreadable",
			                 paths.items[i],
			                 "file cannot be read: %s",
			                 kr_fs_strerror(-r));
		}
	}
	return r < 0 ? r : 0;
}

/* --- the command line ---------------------------------------------------- */

/* Whether the word of LENGTH bytes is "sysctl.PATH=VALUE"; RET is VALUE. */
static bool is_word_about(const char *word, size_t length, const char *path,
                          const char **ret)
{
	_cleanup_free_ char *key = NULL;
	const char *equals = memchr(word, '=', length);
	size_t prefix = strlen("sysctl.");

	if (!equals || strncmp(word, "sysctl.", prefix) != 0 ||
	    equals < word + prefix)
		return false;
	key = strndup(word + prefix, equals - word - prefix);
	if (!key)
		return false;
	/* the kernel takes either separator */
	for (char *p = key; *p; p++) {
		if (*p == '.')
			*p = '/';
	}
	*ret = equals + 1;
	return strcmp(key, path) == 0;
}

static void set_by_command_line(const char *line, const char *path,
                                struct kr_kernel_setting *s)
{
	const char *value;

	for (const char *p = line; *p;) {
		size_t length = strcspn(p, " \n");

		if (is_word_about(p, length, path, &value))
			snprintf(s->value, sizeof(s->value), "%.*s",
			         (int)(p + length - value), value);
		p += length + (p[length] != '\0');
	}
}

/* --- the whole ----------------------------------------------------------- */

static bool same_number(const char *value, const char *wanted)
{
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)*value))
		return false;
	errno = 0;
	n = strtoul(value, &end, 0);
	return errno == 0 && *end == '\0' && n == strtoul(wanted, NULL, 10);
}

static void set_by_files(const struct options *o, const char *path,
                         struct kr_kernel_setting *s)
{
	const struct option *found = NULL;

	KR_EACH(const struct option, option, o->items, o->n) {
		if (!is_pattern(option->key) && matches(option->key, path)) {
			found = option;
			break;
		}
		if (option->value && matches(option->key, path))
			found = option;
	}
	if (!found || !found->value)
		return;
	strlcpy(s->value, found->value, sizeof(s->value));
	s->place = found->place;
}

int kr_kernel_settings_read(struct kr_fs *fs, const char *command_line,
                            struct kr_diag *diag, bool *ret_masked,
                            struct kr_kernel_setting ret[KR_N_KERNEL_SETTINGS])
{
	_cleanup_(options_done) struct options o = {0};
	int r = read_files(fs, diag, ret_masked, &o);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct known *known = &table[i];
		struct kr_kernel_setting *s = &ret[i];

		*s = (struct kr_kernel_setting){known->name, known->wanted};
		if (command_line && strncmp(known->path, "kernel/", 7) == 0)
			set_by_command_line(command_line, known->path, s);
		set_by_files(&o, known->path, s);
		s->right = *s->value ? same_number(s->value, s->wanted)
		                     : known->by_default;
	}
	return 0;
}
