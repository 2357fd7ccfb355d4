/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Specifiers.
 *
 * "%" and a letter of the table become its value, "%%" becomes "%", and any
 * other "%x" stays as it is. A value comes from the unit's name, from the
 * system manager's fixed folders, from the node's files (os-release,
 * machine-id, hostname, what the kernel says below /proc), or is not to be had
 * from a file at all: the manager's shell, and all of a kernel that does not
 * run.
 *
 * Source: src/shared/specifier.c, src/core/unit-printf.c of systemd 252;
 * systemd.unit(5) "Specifiers".
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "unit/envfile.h"
#include "unit/specifier.h"

/* 0: *RET is the value (owned), 1: it cannot be known, < 0: systemd fails. */
typedef int value_fn(const struct kr_specifiers *s, const char *data,
                     char **ret);

static int copy(const char *value, char **ret)
{
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

static int copy_part(const char *value, size_t length, char **ret)
{
	*ret = strndup(value, length);
	return *ret ? 0 : -ENOMEM;
}

static int fixed(const struct kr_specifiers *s, const char *data, char **ret)
{
	return copy(data, ret);
}

static int unknown(const struct kr_specifiers *s, const char *data, char **ret)
{
	return 1;
}

/* --- the unit's name: PREFIX[@INSTANCE].service -------------------------- */

static size_t name_length(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? (size_t)(dot - name) : strlen(name);
}

static size_t prefix_length(const char *name)
{
	size_t at = strcspn(name, "@"), length = name_length(name);

	return at < length ? at : length;
}

/* "-" is a slash, "\x2d" the byte; no other backslash may be there. */
static int unescape(const char *s, size_t length, char **ret)
{
	_cleanup_free_ char *out = malloc(length + 1);
	char *p = out;

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		char hex[3] = "";

		if (s[i] != '\\') {
			*p++ = s[i] == '-' ? '/' : s[i];
			continue;
		}
		if (length - i < 4 || s[i + 1] != 'x')
			return -EINVAL;
		memcpy(hex, s + i + 2, 2);
		if (strspn(hex, "0123456789abcdefABCDEF") != 2)
			return -EINVAL;
		*p++ = (char)strtol(hex, NULL, 16);
		i += 3;
	}
	*p = '\0';
	*ret = TAKE_PTR(out);
	return 0;
}

static int name_prefix(const struct kr_specifiers *s, const char *data,
                       char **ret)
{
	size_t length = prefix_length(s->name);

	return *data == 'P' ? unescape(s->name, length, ret)
	                    : copy_part(s->name, length, ret);
}

static int name_instance(const struct kr_specifiers *s, const char *data,
                         char **ret)
{
	size_t start = prefix_length(s->name), end = name_length(s->name);

	start += start < end;
	return *data == 'I' ? unescape(s->name + start, end - start, ret)
	                    : copy_part(s->name + start, end - start, ret);
}

static int name_last_part(const struct kr_specifiers *s, const char *data,
                          char **ret)
{
	size_t end = prefix_length(s->name), start = end;

	while (start > 0 && s->name[start - 1] != '-')
		start--;
	return *data == 'J' ? unescape(s->name + start, end - start, ret)
	                    : copy_part(s->name + start, end - start, ret);
}

static int name_whole(const struct kr_specifiers *s, const char *data,
                      char **ret)
{
	return copy_part(s->name,
	                 *data == 'n' ? strlen(s->name) : name_length(s->name),
	                 ret);
}

/* Whether S, a path without the slash before it, has only plain names. */
static bool path_plain(const char *s)
{
	do {
		size_t n = strcspn(s, "/");

		if (n == 0 || (n == 1 && s[0] == '.') ||
		    (n == 2 && memcmp(s, "..", 2) == 0))
			return false;
		s += n;
	} while (*s++);
	return true;
}

/* The instance, else the prefix, as a path. */
static int name_path(const struct kr_specifiers *s, const char *data,
                     char **ret)
{
	_cleanup_free_ char *part = NULL;
	size_t start = 0, end = prefix_length(s->name);
	int r;

	if (s->name[end] == '@') {
		start = end + 1;
		end = name_length(s->name);
	}
	if (end - start == 1 && s->name[start] == '-')
		return copy("/", ret);
	r = unescape(s->name + start, end - start, &part);
	if (r < 0)
		return r;
	if (!path_plain(part))
		return -EINVAL;
	return asprintf(ret, "/%s", part) < 0 ? -ENOMEM : 0;
}

/* The fragment's own place, links followed. */
static int fragment(const struct kr_specifiers *s, const char *data, char **ret)
{
	_cleanup_free_ char *real = NULL;

	if (!s->fragment_path || kr_fs_real(s->fs, s->fragment_path, &real) < 0)
		return 1;
	return *data == 'y'
	               ? copy(real, ret)
	               : copy_part(real, (size_t)(strrchr(real, '/') - real),
	                           ret);
}

static int credentials(const struct kr_specifiers *s, const char *data,
                       char **ret)
{
	return asprintf(ret, "/run/credentials/%s", s->name) < 0 ? -ENOMEM : 0;
}

/* Newer systemd only. */
static int shared_data(const struct kr_specifiers *s, const char *data,
                       char **ret)
{
	unsigned version = s->options ? s->options->systemd_version : 0;

	return version != 0 && version < 257 ? -EBADSLT : copy(data, ret);
}

/* --- the node's files ---------------------------------------------------- */

/* The first line of the file at PATH. 1: it cannot be read. */
static int first_line(const struct kr_specifiers *s, const char *path,
                      char **ret)
{
	const struct kr_file *file;
	int r = kr_fs_read(s->fs, path, &file);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return 1;
	return copy_part(file->data, strcspn(file->data, " \t\r\n"), ret);
}

static int kernel(const struct kr_specifiers *s, const char *data, char **ret)
{
	return first_line(s, "/proc/sys/kernel/osrelease", ret);
}

static int boot_id(const struct kr_specifiers *s, const char *data, char **ret)
{
	char *p;
	int r;

	if (s->options && s->options->boot_id)
		r = copy(s->options->boot_id, ret);
	else
		r = first_line(s, "/proc/sys/kernel/random/boot_id", ret);
	if (r != 0)
		return r;
	p = *ret;
	for (const char *q = *ret; *q; q++) {
		if (*q != '-')
			*p++ = *q;
	}
	*p = '\0';
	return 0;
}

static int machine_id(const struct kr_specifiers *s, const char *data,
                      char **ret)
{
	_cleanup_free_ char *line = NULL;
	int r = first_line(s, "/etc/machine-id", &line);

	if (r < 0)
		return r;
	/* an image has none: it is made at the first boot */
	if (r > 0 || strspn(line, "0123456789abcdef") != 32 || line[32])
		return 1;
	*ret = TAKE_PTR(line);
	return 0;
}

static int host_name(const struct kr_specifiers *s, const char *data,
                     char **ret)
{
	int r;

	if (s->options && s->options->host_name)
		r = copy(s->options->host_name, ret);
	else
		r = first_line(s, "/proc/sys/kernel/hostname", ret);
	if (r > 0)
		r = first_line(s, "/etc/hostname", ret);
	if (r != 0)
		return r;
	if (**ret == '\0')
		return 1;
	if (*data == 'l')
		(*ret)[strcspn(*ret, ".")] = '\0';
	return 0;
}

struct wanted {
	const char *key;
	char *value;
};

static int take_wanted(void *userdata, struct kr_envfile_entry *entry)
{
	struct wanted *wanted = userdata;

	if (strcmp(entry->key, wanted->key) != 0)
		return 0;
	free(wanted->value);
	return copy(entry->value.bytes, &wanted->value);
}

/* What the file at PATH assigns to KEY last; RET is NULL where it does not. 0;
 * what reading or parsing the file gave. */
static int read_key(const struct kr_specifiers *s, const char *path,
                    const char *key, char **ret)
{
	struct wanted wanted = {.key = key};
	const struct kr_file *file;
	int r = kr_fs_read(s->fs, path, &file);

	if (r < 0)
		return r;
	r = kr_envfile_parse(file, false, take_wanted, &wanted, NULL, NULL);
	if (r < 0) {
		free(wanted.value);
		return r;
	}
	*ret = wanted.value;
	return 0;
}

static int os_release(const struct kr_specifiers *s, const char *data,
                      char **ret)
{
	int r = read_key(s, "/etc/os-release", data, ret);

	if (r == -ENOENT)
		r = read_key(s, "/usr/lib/os-release", data, ret);
	if (r == -ENOENT)
		return -EUNATCH;
	if (r < 0)
		return r == -ENOMEM ? r : 1;
	return *ret ? 0 : copy("", ret);
}

static int pretty_host_name(const struct kr_specifiers *s, const char *data,
                            char **ret)
{
	_cleanup_free_ char *pretty = NULL;
	int r = read_key(s, "/etc/machine-info", "PRETTY_HOSTNAME", &pretty);

	if (r == -ENOMEM)
		return r;
	if (!pretty || !*pretty)
		return host_name(s, "q", ret);
	*ret = TAKE_PTR(pretty);
	return 0;
}

/* uname(2)'s names as systemd calls them. */
static const char *const architectures[][2] = {
	{"x86_64", "x86-64"},   {"i686", "x86"},         {"aarch64", "arm64"},
	{"armv7l", "arm"},      {"ppc64le", "ppc64-le"}, {"s390x", "s390x"},
	{"riscv64", "riscv64"},
};

static int architecture(const struct kr_specifiers *s, const char *data,
                        char **ret)
{
	_cleanup_free_ char *release = NULL;
	struct utsname u;
	int r = kernel(s, data, &release);

	/* no kernel runs on an image, and ours need not be its kind */
	if (r != 0 || uname(&u) < 0)
		return r < 0 ? r : 1;
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++) {
		if (strcmp(u.machine, architectures[i][0]) == 0)
			return copy(architectures[i][1], ret);
	}
	return 1;
}

/* --- the table ----------------------------------------------------------- */

static const struct specifier {
	value_fn *value;
	const char *data;
} specifiers[128] = {
	['a'] = {architecture, ""},
	['A'] = {os_release, "IMAGE_VERSION"},
	['b'] = {boot_id, ""},
	['B'] = {os_release, "BUILD_ID"},
	['c'] = {unknown, ""},
	['C'] = {fixed, "/var/cache"},
	['d'] = {credentials, ""},
	['D'] = {shared_data, "/usr/share"},
	['E'] = {fixed, "/etc"},
	['f'] = {name_path, ""},
	['g'] = {fixed, "root"},
	['G'] = {fixed, "0"},
	['h'] = {fixed, "/root"},
	['H'] = {host_name, "H"},
	['i'] = {name_instance, "i"},
	['I'] = {name_instance, "I"},
	['j'] = {name_last_part, "j"},
	['J'] = {name_last_part, "J"},
	['l'] = {host_name, "l"},
	['L'] = {fixed, "/var/log"},
	['m'] = {machine_id, ""},
	['M'] = {os_release, "IMAGE_ID"},
	['n'] = {name_whole, "n"},
	['N'] = {name_whole, "N"},
	['o'] = {os_release, "ID"},
	['p'] = {name_prefix, "p"},
	['P'] = {name_prefix, "P"},
	['q'] = {pretty_host_name, ""},
	['r'] = {unknown, ""},
	['R'] = {unknown, ""},
	['s'] = {unknown, ""},
	['S'] = {fixed, "/var/lib"},
	['t'] = {fixed, "/run"},
	['T'] = {fixed, "/tmp"},
	['u'] = {fixed, "root"},
	['U'] = {fixed, "0"},
	['v'] = {kernel, ""},
	['V'] = {fixed, "/var/tmp"},
	['w'] = {os_release, "VERSION_ID"},
	['W'] = {os_release, "VARIANT_ID"},
	['y'] = {fragment, "y"},
	['Y'] = {fragment, "Y"},
};

static int push_value(const struct kr_specifiers *s, const struct kr_text *from,
                      size_t at, struct kr_text *ret, bool *ret_unknown)
{
	unsigned char c = (unsigned char)from->bytes[at + 1];
	const struct specifier *known = &specifiers[c & 0x7f];
	struct kr_span span = kr_text_span(from, at, 2);
	_cleanup_free_ char *value = NULL;
	int r = known->value(s, known->data, &value);

	if (r < 0)
		return r;
	if (r > 0) {
		*ret_unknown = true;
		kr_diag_add(s->diag, KR_WARNING, "specifier-unknown", span,
		            "specifier '%%%c' cannot be known from the node's "
		            "files",
		            c);
		return kr_text_append_part(ret, from, at, 2);
	}
	return kr_text_append_made(ret, value, kr_span_origin(span));
}

static bool is_alphanumeric(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

static bool is_known(const struct kr_specifiers *s, unsigned char c)
{
	return c && c < 128 && specifiers[c].value &&
	       (!s->only || strchr(s->only, c));
}

int kr_specifiers_expand(const struct kr_specifiers *s,
                         const struct kr_text *from, size_t max_bytes,
                         struct kr_text *ret, bool *ret_any, bool *ret_unknown)
{
	int r = kr_text_append_part(ret, from, 0, 0);

	if (r < 0)
		return r;
	for (size_t i = 0; i < from->length; i++) {
		unsigned char next =
			i + 1 < from->length && from->bytes[i] == '%'
				? (unsigned char)from->bytes[i + 1]
				: 0;

		if (next == '%') {
			r = kr_text_push(
				ret, '%',
				kr_span_origin(kr_text_span(from, i++, 2)));
		} else if (is_known(s, next)) {
			*ret_any = true;
			r = push_value(s, from, i++, ret, ret_unknown);
		} else if (is_alphanumeric(next)) {
			return -EBADSLT;
		} else {
			size_t end = i + 1;

			while (end < from->length && from->bytes[end] != '%')
				end++;
			r = kr_text_append_part(ret, from, i, end - i);
			i = end - 1;
		}
		if (r < 0)
			return r;
		if (ret->length > max_bytes)
			return -ENAMETOOLONG;
	}
	return 0;
}
