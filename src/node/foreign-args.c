/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet's arguments in a file of a snap, and in an argument of k0s.
 *
 * A line of MicroK8s' args/kubelet is one argument: blanks around it are taken
 * off, quotes anywhere in it go, $SNAP_DATA and $SNAP_COMMON (with braces or
 * without) are put in; empty lines and those of "#" do not count. Where a
 * wrapper lets a shell split the file, blanks separate arguments as well.
 * snapd's unit has the snap's data folder as its WorkingDirectory=.
 *
 * Any other variable, and a backslash, put the value in doubt; where a shell
 * splits, so does whatever else means something to it outside of quotes, and a
 * quote that its line does not close.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/foreign-words.h"

#define BLANK " \t\r"

struct args {
	struct kr_foreign_reading *rd;
	const struct kr_file *file;
	const char *data, *common; /* the snap's folders; NULL: no snap */
	bool split;                /* blanks separate arguments */
};

/* The variable at S, which starts with "$": its value and length; NULL: not
 * known. */
static const char *variable_at(const struct args *a, const char *s,
                               size_t *ret_length)
{
	const struct {
		const char *name, *value;
	} known[] = {
		{"${SNAP_DATA}", a->data},
		{"$SNAP_DATA", a->data},
		{"${SNAP_COMMON}", a->common},
		{"$SNAP_COMMON", a->common},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		*ret_length = strlen(known[i].name);
		if (known[i].value &&
		    strncmp(s, known[i].name, *ret_length) == 0)
			return known[i].value;
	}
	return NULL;
}

static int add_argument(struct args *a, size_t offset, size_t length)
{
	struct kr_span span = {a->file, offset, length};
	const char *at = a->file->data + offset, *end = at + length;
	_cleanup_free_ char *text = NULL;
	_cleanup_fclose_ FILE *out = NULL;
	size_t size, n;

	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	for (; at < end; at += n) {
		const char *value = *at == '$' ? variable_at(a, at, &n) : NULL;

		if (value) {
			fputs(value, out);
			continue;
		}
		n = 1;
		if ((*at == '$' || *at == '\\') &&
		    kr_foreign_doubt(a->rd,
		                     "%s holds a variable or an escape that is "
		                     "not known here",
		                     a->file->path) < 0)
			return -ENOMEM;
		if (*at != '"' && *at != '\'')
			fputc(*at, out);
	}
	if (fflush(out) != 0)
		return -ENOMEM;
	return kr_foreign_add(a->rd, span, text, size);
}

/* What a shell would not take as it is, outside of quotes. */
static int check_shell(struct args *a, const char *s, size_t length)
{
	char quote = 0;

	for (size_t i = 0; i < length; i++) {
		if (quote && s[i] == quote) {
			quote = 0;
		} else if (!quote && (s[i] == '"' || s[i] == '\'')) {
			quote = s[i];
		} else if (!quote && strchr("`*?[]{}()<>|&;~", s[i])) {
			quote = s[i];
			break;
		}
	}
	if (!quote)
		return 0;
	return kr_foreign_doubt(a->rd,
	                        "what a shell makes of a '%c' in %s is not "
	                        "known here",
	                        quote, a->file->path);
}

/* The length of the argument at S, at most MAX: up to a blank that is not
 * quoted. */
static size_t argument_length(const char *s, size_t max)
{
	char quote = 0;
	size_t i;

	for (i = 0; i < max; i++) {
		if (quote)
			quote = s[i] == quote ? 0 : quote;
		else if (s[i] == '"' || s[i] == '\'')
			quote = s[i];
		else if (strchr(BLANK, s[i]))
			break;
	}
	return i;
}

static int read_line(struct args *a, size_t start, size_t end)
{
	const char *data = a->file->data;

	while (start < end) {
		size_t length = end - start;
		int r;

		if (memchr(BLANK, data[start], strlen(BLANK))) {
			start++;
			continue;
		}
		if (data[start] == '#')
			return 0;
		if (!a->split) {
			while (strchr(BLANK, data[start + length - 1]))
				length--;
			return add_argument(a, start, length);
		}
		length = argument_length(data + start, length);
		r = check_shell(a, data + start, length);
		if (r < 0)
			return r;
		r = add_argument(a, start, length);
		if (r < 0)
			return r;
		start += length;
	}
	return 0;
}

static int read_file(struct args *a, const char *path)
{
	int r = kr_fs_read(a->rd->fs, path, &a->file);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return kr_foreign_doubt(a->rd, "%s cannot be read: %s", path,
		                        kr_fs_strerror(-r));
	if (strlen(a->file->data) != a->file->size)
		return kr_foreign_doubt(a->rd, "%s holds a NUL byte", path);
	for (size_t at = 0; at < a->file->size;) {
		size_t n = strcspn(a->file->data + at, "\n");

		r = read_line(a, at, at + n);
		if (r < 0)
			return r;
		at += n + 1;
	}
	return 0;
}

static int read_snap(struct kr_foreign_reading *rd, const char *name,
                     bool split, bool in_common)
{
	_cleanup_free_ char *folder = NULL, *common = NULL, *path = NULL;
	struct args a = {.rd = rd, .split = split};

	if (rd->unit->working_directory)
		folder = strdup(rd->unit->working_directory);
	else if (asprintf(&folder, "/var/snap/%s/current", rd->row->id) < 0)
		folder = NULL;
	if (!folder ||
	    asprintf(&common, "/var/snap/%s/common", rd->row->id) < 0)
		common = NULL;
	path = folder && common
	               ? kr_path_join(in_common ? common : folder, name)
	               : NULL;
	if (!folder || !common || !path)
		return -ENOMEM;
	a.data = folder;
	a.common = common;
	return read_file(&a, path);
}

int kr_foreign_read_lines(struct kr_foreign_reading *rd)
{
	return read_snap(rd, "args/kubelet", false, false);
}

int kr_foreign_read_words(struct kr_foreign_reading *rd)
{
	return read_snap(rd,
	                 strcmp(rd->row->id, "microk8s") == 0 ? "args/kubelet"
	                                                      : "args",
	                 true, false);
}

int kr_foreign_read_common(struct kr_foreign_reading *rd)
{
	return read_snap(rd, "args/kubelet", true, true);
}

/* --- k0s ----------------------------------------------------------------- */

#define EXTRA_ARGS "--kubelet-extra-args"
#define K0S_CONFIG "/var/lib/k0s/kubelet-config.yaml"

/* The arguments in WORD of k0s, from the byte AT on. */
static int add_extra(struct kr_foreign_reading *rd,
                     const struct kr_unit_word *word, size_t at)
{
	const struct kr_text text = kr_word_text(word);
	const char *s = text.bytes;

	for (at += strspn(s + at, BLANK); s[at]; at += strspn(s + at, BLANK)) {
		size_t n = argument_length(s + at, text.length - at);
		struct kr_span span = kr_text_span(&text, at, n);
		int r = kr_foreign_add(
			rd, span.file ? span : kr_word_span(word), s + at, n);

		if (r < 0)
			return r;
		at += n;
	}
	return 0;
}

int kr_foreign_read_k0s(struct kr_foreign_reading *rd)
{
	const struct kr_unit_command *c = rd->command;
	struct stat st;
	int r = 0;

	if (kr_fs_look(rd->fs, K0S_CONFIG, true, &st) == 0)
		r = kr_foreign_add(rd, KR_SPAN_NONE, "--config=" K0S_CONFIG,
		                   strlen("--config=" K0S_CONFIG));
	if (r < 0)
		return r;
	for (size_t i = 1; i < c->n_words; i++) {
		const char *text = c->words[i].text;

		if (strncmp(text, EXTRA_ARGS, strlen(EXTRA_ARGS)) != 0)
			continue;
		text += strlen(EXTRA_ARGS);
		if (*text == '=')
			r = add_extra(rd, &c->words[i], strlen(EXTRA_ARGS "="));
		else if (!*text && i + 1 < c->n_words)
			r = add_extra(rd, &c->words[i + 1], 0);
		if (r < 0)
			return r;
	}
	return 0;
}
