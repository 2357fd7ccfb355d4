/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Another argument at the end of a variable or of a command.
 *
 * How a variable's value is written decides what is to be put where:
 *
 * - quoted: ` WORD` before the closing quote
 * - not quoted: ` WORD` at its end; in Environment=, where a blank would end
 *   the assignment, quotes around the whole of it as well
 * - pieces: `" WORD"` behind the last one, which joins on
 * - empty, or made so by the edits that are there: the same without the blank,
 *   which is not needed then
 *
 * A word in a variable is decoded twice. When the value is split, a backslash
 * goes and the byte behind it stays: it stands before blanks, quotes and
 * backslashes. Then comes what the file's syntax asks for:
 *
 *	Environment=	a backslash before quotes and backslashes, "%%"
 *	ExecStart=	the same, "$$" too, and quotes around the word; the
 *			value of no variable: it is decoded once
 *	a file: plain	a backslash before backslashes and blanks
 *	... in "..."	a backslash before one of "\`$
 *	... in '...'	all bytes as they are; there is no "'"
 *
 * Not edited are: what comes from no file, a value whose last word would
 * swallow the new one (an open quote, a backslash at the end), and an open
 * quote at the end of a file.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "unit/resolve.h"
#include "unit/word.h"

enum syntax {
	SYNTAX_SPLIT, /* when a variable's value is split into words */
	SYNTAX_UNIT,  /* in quotes of a unit file */
	SYNTAX_EXEC,  /* the same in ExecStart= */
	SYNTAX_FILE,  /* of an environment file */
	SYNTAX_FILE_DOUBLE,
	SYNTAX_FILE_SINGLE,
	_SYNTAX_MAX,
};

static const struct {
	const char *escaped; /* by a backslash */
	const char *doubled;
} syntaxes[_SYNTAX_MAX] = {
	[SYNTAX_SPLIT] = {" \"'\\", ""},       [SYNTAX_UNIT] = {"\"'\\", "%"},
	[SYNTAX_EXEC] = {"\"'\\", "%$"},       [SYNTAX_FILE] = {"\\ ", ""},
	[SYNTAX_FILE_DOUBLE] = {"\"\\`$", ""}, [SYNTAX_FILE_SINGLE] = {"", ""},
};

/* Printable ASCII, and no word that is something else to systemd. */
static bool word_valid(const char *word)
{
	for (const char *s = word; *s; s++) {
		if (*s < ' ' || *s > '~')
			return false;
	}
	return *word && *word != '#' && *word != ';';
}

static int refuse(struct kr_diag *diag, struct kr_span span, const char *text)
{
	return kr_diag_refuse(diag, "append-unsafe", span, "%s", text);
}

/* WORD in SYNTAX, with BEFORE and AFTER around it; NULL: no memory. */
static char *spell(const char *before, const char *word, const char *after,
                   enum syntax syntax)
{
	char *out =
		malloc(strlen(before) + 2 * strlen(word) + strlen(after) + 1);
	char *p = out;

	if (!out)
		return NULL;
	p = stpcpy(p, before);
	for (; *word; word++) {
		if (strchr(syntaxes[syntax].escaped, *word))
			*p++ = '\\';
		if (strchr(syntaxes[syntax].doubled, *word))
			*p++ = *word;
		*p++ = *word;
	}
	strcpy(p, after);
	return out;
}

static int add(struct kr_edits *edits, const struct kr_file *file,
               size_t offset, const char *text)
{
	struct kr_span span = {file, offset, 0};

	return kr_edits_add(edits, span, text);
}

/* Whether a word put behind the value, SPELT so, is one: 1, 0, or an errno. */
static int stays_apart(const struct kr_text *value, const char *spelt,
                       const char *word)
{
	_cleanup_text_ struct kr_text text = {0};
	size_t at = 0;
	int r = kr_text_append(&text, value);
	int found = 0;

	if (r < 0)
		return r;
	r = kr_text_append_string(&text, " ");
	if (r < 0)
		return r;
	r = kr_text_append_string(&text, spelt);
	if (r < 0)
		return r;
	for (;;) {
		_cleanup_split_word_ struct kr_split_word w = {0};

		r = kr_split_next(&text, &at, KR_SPLIT_RELAX, &w);
		if (r <= 0)
			return r < 0 ? r : found;
		found = strcmp(w.text.bytes, word) == 0 &&
		        w.start == value->length + 1;
	}
}

/* Quotes around an assignment in a unit file that has none, and WORD behind
 * BLANK. */
static int quote_assignment(const struct kr_unit_variable *v, const char *blank,
                            const char *word, struct kr_edits *edits)
{
	_cleanup_free_ char *text = spell(blank, word, "\"", SYNTAX_UNIT);
	int r;

	if (!text)
		return -ENOMEM;
	r = add(edits, v->file, v->start, "\"");
	return r < 0 ? r
	             : add(edits, v->file, kr_span_end(kr_variable_span(v)),
	                   text);
}

static enum syntax syntax_of(const struct kr_unit_variable *v)
{
	if (v->source == KR_VARIABLE_UNIT)
		return SYNTAX_UNIT;
	if (v->form == KR_VALUE_QUOTED)
		return v->quote == '"' ? SYNTAX_FILE_DOUBLE
		                       : SYNTAX_FILE_SINGLE;
	return v->form == KR_VALUE_PIECES ? SYNTAX_FILE_DOUBLE : SYNTAX_FILE;
}

/* Whether EDITS leave nothing of SPAN, as of an empty span. */
static bool is_emptied(const struct kr_edits *edits, struct kr_span span)
{
	KR_EACH(const struct kr_file_edits, f, edits->files, edits->n_files) {
		for (size_t k = 0; f->file == span.file && k < f->n_edits;
		     k++) {
			const struct kr_edit *e = &f->edits[k];

			if (!*e->text && e->offset <= span.offset &&
			    e->offset + e->length >= kr_span_end(span))
				return true;
		}
	}
	return span.length == 0;
}

/* WORD is spelt for the split already. */
static int append_word(const struct kr_unit_variable *v, const char *word,
                       struct kr_edits *edits)
{
	bool in_unit = v->source == KR_VARIABLE_UNIT;
	bool empty = is_emptied(edits, kr_variable_value_span(v));
	bool pieces = v->form == KR_VALUE_PIECES ||
	              (v->form == KR_VALUE_TAIL && in_unit);
	_cleanup_free_ char *text = NULL;

	if (v->form == KR_VALUE_PLAIN && in_unit &&
	    (!empty || strchr(word, ' ')))
		return quote_assignment(v, empty ? "" : " ", word, edits);
	if (pieces)
		text = spell(empty ? "\"" : "\" ", word, "\"", syntax_of(v));
	else
		text = spell(empty ? "" : " ", word, "", syntax_of(v));
	return text ? add(edits, v->file,
	                  kr_span_end(kr_variable_value_span(v)), text)
	            : -ENOMEM;
}

int kr_unit_append_word(const struct kr_unit_variable *v, const char *word,
                        struct kr_edits *edits, struct kr_diag *diag)
{
	_cleanup_free_ char *spelt = NULL;
	const struct kr_text value = kr_variable_value(v);
	int r;

	if (!v->file)
		return refuse(diag, KR_SPAN_NONE,
		              "variable is set in no file that can be edited");
	if (!word_valid(word))
		return refuse(diag, kr_variable_span(v),
		              "argument must be plain ASCII");
	if (v->form == KR_VALUE_OPEN)
		return refuse(diag, kr_variable_span(v),
		              "value must have its quotes closed");
	spelt = spell("", word, "", SYNTAX_SPLIT);
	if (!spelt)
		return -ENOMEM;
	if (syntax_of(v) == SYNTAX_FILE_SINGLE && strchr(spelt, '\''))
		return refuse(diag, kr_variable_span(v),
		              "value must not stand in single quotes to take "
		              "an argument with one");
	r = stays_apart(&value, spelt, word);
	if (r < 0)
		return r;
	if (r > 0)
		return append_word(v, spelt, edits);
	return refuse(diag, kr_variable_span(v),
	              "value must not end in an open quote or a backslash");
}

/* Whether an odd number of backslashes stands before AT. */
static bool behind_escape(struct kr_span at)
{
	size_t n = 0;

	while (n < at.offset && at.file->data[at.offset - n - 1] == '\\')
		n++;
	return n % 2 == 1;
}

int kr_unit_append_argument(const struct kr_unit_command *command,
                            const char *word, struct kr_edits *edits,
                            struct kr_diag *diag)
{
	_cleanup_free_ char *text = NULL;
	bool quoted;

	if (!command->end.file)
		return refuse(diag, KR_SPAN_NONE,
		              "command stands in no file that can be edited");
	if (command->shell)
		return refuse(diag, command->span,
		              "command must not be a shell's");
	if (behind_escape(command->end))
		return refuse(diag, command->span,
		              "command must not end in a backslash");
	if (!word_valid(word))
		return refuse(diag, command->span,
		              "argument must be plain ASCII");
	quoted = strchr(word, ' ');
	text = spell(quoted ? " \"" : " ", word, quoted ? "\"" : "",
	             command->no_environment ? SYNTAX_UNIT : SYNTAX_EXEC);
	return text ? add(edits, command->end.file, command->end.offset, text)
	            : -ENOMEM;
}
