/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Environment files.
 *
 *	PRE_KEY    blanks are skipped; "#" or ";" -> COMMENT; else -> KEY
 *	KEY        to "=" -> PRE_VALUE; a line without one is ignored
 *	PRE_VALUE  blanks are skipped (also between quoted pieces); ' -> SINGLE,
 *	           " -> DOUBLE, "\" -> ESCAPE, an EOL ends it, else -> VALUE
 *	VALUE      to the EOL, quotes are plain bytes, "\" -> ESCAPE
 *	ESCAPE     an EOL goes with its backslash (the lines are joined with
 *	           nothing between), any other byte stays; -> VALUE
 *	SINGLE     to the next ', all bytes as they are
 *	DOUBLE     to the next "; a backslash goes before one of "\`$ and LF
 *
 * An EOL is one LF or CR. Blanks behind an unquoted value are cut off, but not
 * those before a backslash. The file's end ends any value.
 *
 * Source: parse_env_file_internal() in src/basic/env-file.c of systemd 252;
 * for comments also of 254.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/envfile.h"
#include "unit/word.h"

enum state {
	PRE_KEY,
	KEY,
	PRE_VALUE,
	VALUE,
	VALUE_ESCAPE,
	SINGLE,
	DOUBLE,
	DOUBLE_ESCAPE,
	COMMENT,
	COMMENT_ESCAPE,
};

struct parser {
	const struct kr_file *file;
	bool long_comments;
	kr_envfile_push_fn *push;
	void *userdata;
	struct kr_diag *diag;
	size_t comment_start;
	struct kr_span first_comment, comment; /* that end in a backslash */

	enum state state;
	size_t key_start, key_end; /* KEY_END without blanks behind it */
	size_t value_start;        /* behind the "=" */
	size_t last_end;           /* behind the value's last byte or quote */
	size_t kept;               /* bytes of VALUE before trailing blanks */
	struct kr_text value;
	unsigned n_quoted; /* pieces */
	bool plain;        /* there are unquoted bytes, too */
	char quote;        /* of the last piece */
	size_t quote_start;
};

static bool is_eol(char c)
{
	return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
	return c && strchr(KR_WORD_BLANKS, c);
}

static void describe(const struct parser *p, struct kr_envfile_entry *entry)
{
	bool open = p->state == SINGLE || p->state == DOUBLE ||
	            p->state == DOUBLE_ESCAPE;
	size_t start = p->value_start;
	size_t end = p->last_end > start ? p->last_end : start;

	if (open)
		entry->form = KR_VALUE_OPEN;
	else if (p->n_quoted == 1 && !p->plain)
		entry->form = KR_VALUE_QUOTED;
	else if (p->n_quoted > 0)
		entry->form = p->plain ? KR_VALUE_TAIL : KR_VALUE_PIECES;
	entry->span =
		(struct kr_span){p->file, p->key_start, end - p->key_start};
	if (entry->form == KR_VALUE_QUOTED) {
		entry->quote = p->quote;
		start = p->quote_start + 1;
		end--;
	} else if (p->value.length > 0 && p->n_quoted == 0) {
		start = kr_text_origin(&p->value, 0).offset;
	}
	entry->value_span = (struct kr_span){p->file, start, end - start};
}

/* The first byte that is not UTF-8; no file: all are. */
static struct kr_span find_fault(const struct kr_envfile_entry *entry)
{
	size_t length = strlen(entry->key);
	size_t valid = kr_utf8_valid_length(entry->key, length);

	if (valid < length)
		return (struct kr_span){entry->span.file,
		                        entry->span.offset + valid, 1};
	valid = kr_utf8_valid_length(entry->value.bytes, entry->value.length);
	return valid < entry->value.length
	               ? kr_text_span(&entry->value, valid, 1)
	               : KR_SPAN_NONE;
}

static int finish(struct parser *p)
{
	struct kr_envfile_entry entry = {0};
	struct kr_span fault;
	_cleanup_free_ char *key = strndup(p->file->data + p->key_start,
	                                   p->key_end - p->key_start);
	int r;

	if (!key)
		return -ENOMEM;
	if (p->state == VALUE)
		p->value.length = p->kept;
	/* reserves, and ends the text with a NUL */
	r = kr_text_append_part(&p->value, &p->value, 0, 0);
	if (r < 0)
		return r;
	describe(p, &entry);
	entry.key = key;
	entry.value = p->value;
	entry.comment = p->comment;
	p->value = (struct kr_text){0};
	p->state = PRE_KEY;
	fault = find_fault(&entry);
	if (!fault.file)
		r = p->push(p->userdata, &entry);
	kr_text_done(&entry.value);
	if (!fault.file)
		return r;
	kr_diag_add(p->diag, KR_ERROR, "env-not-utf8", fault,
	            "assignment is not UTF-8: systemd refuses the whole file");
	return -EINVAL;
}

/* A byte of the value. Each piece of it, behind a quote or an escape, takes
 * more than its bytes. */
static int push_byte(struct parser *p, char c, size_t at, size_t end)
{
	if (p->value.length + p->value.n_runs * sizeof(struct kr_run) >
	    KR_ENVFILE_VALUE_MAX)
		return -EFBIG;
	return kr_text_push(
		&p->value, c,
		kr_span_origin((struct kr_span){p->file, at, end - at}));
}

static int keep(struct parser *p, char c, size_t at, size_t end)
{
	int r = push_byte(p, c, at, end);

	p->last_end = end;
	p->kept = p->value.length;
	return r;
}

static int in_key(struct parser *p, char c, size_t at)
{
	if (is_eol(c)) {
		kr_diag_add(p->diag, KR_WARNING, "env-line-invalid",
		            (struct kr_span){p->file, p->key_start,
		                             at - p->key_start},
		            "line is no assignment: ignored");
		p->state = PRE_KEY;
	} else if (c == '=') {
		p->state = PRE_VALUE;
		p->value_start = p->last_end = at + 1;
		p->n_quoted = 0;
		p->plain = false;
		p->kept = 0;
	} else if (!is_blank(c)) {
		p->key_end = at + 1;
	}
	return 0;
}

static int in_value(struct parser *p, char c, size_t at)
{
	if (is_eol(c))
		return finish(p);
	p->plain = true;
	if (c == '\\') {
		p->kept = p->value.length;
		p->state = VALUE_ESCAPE;
		return 0;
	}
	if (!is_blank(c))
		return keep(p, c, at, at + 1);
	return push_byte(p, c, at, at + 1);
}

static int in_pre_value(struct parser *p, char c, size_t at)
{
	if (is_eol(c))
		return finish(p);
	if (c == '\'' || c == '"') {
		p->state = c == '"' ? DOUBLE : SINGLE;
		p->quote = c;
		p->quote_start = at;
		p->n_quoted++;
		return 0;
	}
	if (is_blank(c))
		return 0;
	p->state = VALUE;
	return in_value(p, c, at);
}

static int in_quotes(struct parser *p, char c, size_t at)
{
	if (c == p->quote) {
		p->state = PRE_VALUE;
		p->last_end = at + 1;
		return 0;
	}
	if (p->state == DOUBLE && c == '\\') {
		p->state = DOUBLE_ESCAPE;
		return 0;
	}
	return keep(p, c, at, at + 1);
}

static int in_double_escape(struct parser *p, char c, size_t at)
{
	int r;

	p->state = DOUBLE;
	if (c == '\n')
		return 0;
	if (strchr("\"\\`$", c))
		return keep(p, c, at - 1, at + 1);
	r = keep(p, '\\', at - 1, at);
	return r < 0 ? r : keep(p, c, at, at + 1);
}

static int in_comment(struct parser *p, char c, size_t at)
{
	if (p->state == COMMENT_ESCAPE && is_eol(c)) {
		p->comment = (struct kr_span){p->file, p->comment_start,
		                              at - p->comment_start};
		if (!p->first_comment.file)
			p->first_comment = p->comment;
	}
	if (c == '\\' && p->state == COMMENT)
		p->state = COMMENT_ESCAPE;
	else if (p->state == COMMENT_ESCAPE && p->long_comments)
		p->state = COMMENT;
	else
		p->state = is_eol(c) ? PRE_KEY : COMMENT;
	return 0;
}

static int step(struct parser *p, char c, size_t at)
{
	switch (p->state) {
	case PRE_KEY:
		if (is_blank(c))
			return 0;
		p->state = c == '#' || c == ';' ? COMMENT : KEY;
		p->key_start = at;
		p->key_end = at;
		p->comment_start = at;
		return p->state == KEY ? in_key(p, c, at) : 0;
	case KEY:
		return in_key(p, c, at);
	case PRE_VALUE:
		return in_pre_value(p, c, at);
	case VALUE:
		return in_value(p, c, at);
	case VALUE_ESCAPE:
		p->state = VALUE;
		return is_eol(c) ? 0 : keep(p, c, at - 1, at + 1);
	case SINGLE:
	case DOUBLE:
		return in_quotes(p, c, at);
	case DOUBLE_ESCAPE:
		return in_double_escape(p, c, at);
	case COMMENT:
	case COMMENT_ESCAPE:
		return in_comment(p, c, at);
	}
	return 0;
}

static int parse(struct parser *p)
{
	for (size_t i = 0; i < p->file->size; i++) {
		int r = step(p, p->file->data[i], i);

		if (r < 0)
			return r;
	}
	return p->state >= PRE_VALUE && p->state <= DOUBLE_ESCAPE ? finish(p)
	                                                          : 0;
}

int kr_envfile_parse(const struct kr_file *file, bool long_comments,
                     kr_envfile_push_fn *push, void *userdata,
                     struct kr_diag *diag, struct kr_span *ret_comment)
{
	struct parser p = {
		.file = file,
		.long_comments = long_comments,
		.push = push,
		.userdata = userdata,
		.diag = diag,
	};
	const char *nul = memchr(file->data, '\0', file->size);
	int r;

	if (nul) {
		kr_diag_add(
			diag, KR_ERROR, "env-nul",
			(struct kr_span){file, (size_t)(nul - file->data), 1},
			"file holds a NUL byte: systemd refuses it");
		return KR_MALFORMED;
	}
	r = parse(&p);
	if (ret_comment)
		*ret_comment = p.first_comment;
	kr_text_done(&p.value);
	return r;
}
