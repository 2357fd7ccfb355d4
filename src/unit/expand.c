/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Variables in commands.
 *
 *	$NAME as a word, quoted or not: the value, split at blanks; quotes and
 *	        backslashes in it are taken off, an open quote ends with it
 *	${NAME} anywhere in a word: the value as it is
 *	$$      a dollar; any other dollar is one, too
 *
 * A variable that is not set is nothing: no word, or no bytes. All of a word
 * behind its first dollar is the name: "$A/b" is the variable "A/b", which
 * cannot be set.
 *
 * Expansion ends where execve(2) would refuse what it gives (unit/exec-limits),
 * each string with its NUL and its pointer, or may do so. So a variable that is
 * expanded a thousand times costs no more than a process could have.
 *
 * Source: src/basic/env-util.c of systemd 252.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "unit/cut.h"
#include "unit/environment.h"
#include "unit/expand.h"
#include "unit/word.h"

/* So many words of a command keep why they are not known. */
#define DOUBTS_MAX ((size_t)100)

struct expansion {
	const struct kr_unit *unit;
	struct kr_exec_command *command;
	const struct kr_text *line;
	const struct kr_expand_options *options;
	struct kr_unit_command *ret;
	const struct kr_unit_variable **sorted; /* by name */
	/* of the arguments so far and the environment, and of that alone */
	size_t n_bytes, n_before;
	size_t n_doubts;
	struct kr_word_from *from; /* the last one that words share */
};

/* A word of the command as it is written. */
struct source {
	struct kr_text *text; /* specifiers resolved */
	size_t start, end;    /* in the line */
};

/* A word before it takes its place among many. */
struct draft {
	struct kr_text text;
	enum kr_word_kind kind;
	bool unknown;
	int variable;
	struct kr_span span, cut;
	const char *manager;
	char *why;
};

static void draft_done(struct draft *draft)
{
	kr_text_done(&draft->text);
	free(draft->why);
}

#define _cleanup_draft_ _cleanup_(draft_done)

void kr_unit_command_done(struct kr_unit_command *command)
{
	for (size_t i = 0; i < command->n_froms; i++) {
		kr_text_done(&command->froms[i]->text);
		free(command->froms[i]->why);
		free(command->froms[i]);
	}
	free(command->froms);
	free(command->words);
	kr_strings_done(&command->expands);
	kr_arena_done(&command->texts);
	free(command->path);
	*command = (struct kr_unit_command){0};
}

/* WHAT of execve(2) is exceeded; it may be, and that DEPENDS. */
static int judge(struct expansion *x, enum kr_limit limit, const char *what,
                 const char *depends, struct kr_span span)
{
	switch (limit) {
	case KR_LIMIT_FITS:
		break;
	case KR_LIMIT_EXCEEDED:
	case KR_LIMIT_ASSUMED:
		kr_diag_add(x->options->diag, KR_ERROR, "arguments-too-long",
		            span, "the arguments are too long: execve(2) %s%s",
		            what,
		            limit == KR_LIMIT_ASSUMED
		                    ? " (no program here tells the machine: "
		                      "pages of 4 KiB are assumed)"
		                    : "");
		return -E2BIG;
	case KR_LIMIT_UNKNOWN:
		kr_diag_add(x->options->diag, KR_ERROR, "arguments-too-large",
		            span,
		            "the arguments are too large to be read, and may "
		            "be too long for execve(2): %s",
		            depends);
		return -EFBIG;
	}
	return 0;
}

/* A string of LENGTH bytes. */
static int judge_string(struct expansion *x, size_t length, struct kr_span span)
{
	return judge(x, kr_limits_string(x->options->limits, length),
	             "takes strings of 32 pages, most often 128 KiB",
	             "that depends on the size of a page", span);
}

/* A string of LENGTH bytes more. */
static int count(struct expansion *x, size_t length, struct kr_span span)
{
	int r = judge_string(x, length, span);

	if (r < 0)
		return r;
	x->n_bytes += length + 1 + sizeof(char *);
	return judge(x, kr_limits_all(x->options->limits, x->n_bytes),
	             "takes in all a quarter of the stack's limit, most often "
	             "2 MiB",
	             "that depends on LimitSTACK=", span);
}

static int count_environment(struct expansion *x)
{
	KR_EACH(const struct kr_unit_variable, v, x->unit->variables,
	        x->unit->n_variables) {
		int r = count(x,
		              strlen(v->name) + 1 + kr_variable_value(v).length,
		              kr_variable_span(v));

		if (r < 0)
			return r;
	}
	return 0;
}

/* Whether the bytes are those of the span as they stand there, or all of no
 * file. */
static bool is_plain(const struct draft *draft)
{
	const struct kr_text *text = &draft->text;

	if (!draft->span.file)
		return text->n_runs <= 1 && !text->first.file;
	return text->n_runs == 1 && text->first.length == 1 &&
	       text->first.file == draft->span.file &&
	       text->first.offset == draft->span.offset &&
	       text->length == draft->span.length;
}

static bool is_from(const struct kr_word_from *from, const struct draft *draft)
{
	return from && from->kind == draft->kind &&
	       from->unknown == draft->unknown &&
	       from->variable == draft->variable &&
	       from->manager == draft->manager &&
	       (!draft->span.file || from->file == draft->span.file) &&
	       (!draft->cut.file || from->cut_file == draft->cut.file);
}

/* What is known of *DRAFT, which loses what it owns if that works. */
static struct kr_word_from *find_from(struct expansion *x, struct draft *draft)
{
	struct kr_unit_command *c = x->ret;
	bool shared = is_plain(draft) && !draft->why;
	struct kr_word_from **next, *from;

	if (shared && is_from(x->from, draft))
		return x->from;
	next = KR_VEC_NEXT(c->froms, c->n_froms);
	from = next ? malloc(sizeof(*from)) : NULL;
	if (!from)
		return NULL;
	*from = (struct kr_word_from){
		.kind = draft->kind,
		.unknown = draft->unknown,
		.variable = draft->variable,
		.file = draft->span.file,
		.cut_file = draft->cut.file ?: draft->span.file,
		.manager = draft->manager,
		.why = TAKE_PTR(draft->why),
	};
	*next = from;
	c->n_froms++;
	if (shared)
		x->from = from;
	if (!is_plain(draft))
		from->text = TAKE(draft->text);
	return from;
}

/* The bytes of TEXT, if it has its own, among those of all words. */
static int pack(struct kr_unit_command *c, struct kr_text *text)
{
	char *bytes;

	if (text->bytes && text->size == 0)
		return 0;
	bytes = kr_arena_take_text(&c->texts, (size_t)text->length + 1);
	if (!bytes)
		return -ENOMEM;
	if (text->length > 0)
		memcpy(bytes, text->bytes, text->length);
	free(text->bytes);
	text->bytes = bytes;
	text->size = 0;
	return 0;
}

/* *DRAFT becomes a word, if that works. */
static int add_word(struct expansion *x, struct draft *draft)
{
	struct kr_unit_command *c = x->ret;
	struct kr_unit_word word = {
		.start = draft->span.offset,
		.length = draft->span.length,
		.cut_start = draft->cut.offset,
		.cut_length = draft->cut.length,
	};
	int r = count(x, draft->text.length,
	              draft->span.file ? draft->span : c->span);

	if (r < 0)
		return r;
	r = pack(c, &draft->text);
	if (r < 0)
		return r;
	word.text = draft->text.bytes;
	word.from = find_from(x, draft);
	if (!word.from)
		return -ENOMEM;
	return KR_VEC_MOVE(c->words, c->n_words, &word);
}

/* --- $VAR ---------------------------------------------------------------- */

static int compare_variables(const void *a, const void *b)
{
	const struct kr_unit_variable *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Commands may expand as many variables as there are. */
static int sort_variables(struct expansion *x)
{
	size_t n = x->unit->n_variables;

	x->sorted = calloc(n + 1, sizeof(*x->sorted));
	if (!x->sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		x->sorted[i] = &x->unit->variables[i];
	qsort(x->sorted, n, sizeof(*x->sorted), compare_variables);
	return 0;
}

struct name {
	const char *s;
	size_t length;
};

static int compare_name(const void *key, const void *item)
{
	const struct name *name = key;
	const struct kr_unit_variable *const *v = item;
	int order = strncmp(name->s, (*v)->name, name->length);

	return order != 0 || !(*v)->name[name->length] ? order : -1;
}

/* The variable that NAME means. A "=" in it is part of the value: "A=b" is what
 * follows in a value that begins with "b=". */
static int find_variable(const struct expansion *x, const char *name,
                         size_t length, size_t *ret_skip)
{
	const char *equals = memchr(name, '=', length);
	size_t n = equals ? (size_t)(equals - name) : length;
	size_t skip = length - n;
	struct kr_text value;
	const struct name key = {name, n};
	const struct kr_unit_variable **found =
		bsearch(&key, x->sorted, x->unit->n_variables,
	                sizeof(*x->sorted), compare_name);

	if (!found)
		return -1;
	value = kr_variable_value(*found);
	if (skip > 0 && (value.length < skip ||
	                 memcmp(value.bytes, name + n + 1, skip - 1) != 0 ||
	                 value.bytes[skip - 1] != '='))
		return -1;
	*ret_skip = skip;
	return (int)(*found - x->unit->variables);
}

static bool is_inherited(const struct expansion *x, const char *name)
{
	return x->options->inherited(x->options->userdata, name);
}

/* An unquoted value in an environment file must not begin with a quote. */
static bool makes_quote(const struct kr_unit_variable *v,
                        const struct kr_cut *place)
{
	const char *bytes = place->text->bytes;
	size_t first = place->after;

	if (v->source != KR_VARIABLE_FILE || v->form != KR_VALUE_PLAIN)
		return false;
	while (first < place->text->length && kr_cut_is_blank(bytes[first]))
		first++;
	for (size_t i = 0; i < place->before; i++) {
		if (!kr_cut_is_blank(bytes[i]))
			return false;
	}
	return bytes[first] == '"' || bytes[first] == '\'';
}

/* The name of one that systemd's own block gave; NULL: a file gives it. */
static const char *block_name(const struct kr_unit_variable *v)
{
	return v->source == KR_VARIABLE_MANAGER && !v->unknown ? v->name : NULL;
}

/* --- what is not known ---------------------------------------------------- */

_printf_(4, 5) static int doubt(struct expansion *x, struct draft *word,
                                struct kr_span span, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	unsigned line = 0, column = 0;
	va_list args;
	int r;

	word->unknown = true;
	if (word->why || x->n_doubts >= DOUBTS_MAX)
		return 0;
	x->n_doubts++;
	va_start(args, format);
	r = kr_vformat(&text, format, args);
	va_end(args);
	if (r < 0)
		return r;
	if (!span.file) {
		word->why = TAKE_PTR(text);
		return 0;
	}
	kr_span_position(span, &line, &column);
	return kr_format(&word->why, "%s:%u:%u: %s", span.file->path, line,
	                 column, text);
}

static int doubt_specifier(struct expansion *x, struct draft *word,
                           struct kr_span span)
{
	return doubt(x, word, span,
	             "it has a specifier that cannot be known from the node's "
	             "files");
}

/* The variable NAME, which is V or what no file sets, in the word FROM. */
static int doubt_variable(struct expansion *x, const struct source *from,
                          const char *name, const struct kr_unit_variable *v,
                          struct draft *ret)
{
	struct kr_span span =
		kr_text_span(x->line, from->start, from->end - from->start);
	unsigned line, column;

	if (v && v->more && v->more->comment.file) {
		kr_span_position(v->more->comment, &line, &column);
		kr_diag_add(x->options->diag, KR_WARNING, "variable-unknown",
		            span,
		            "what variable '%s' is depends on the comment at "
		            "%s:%u:%u",
		            name, v->more->comment.file->path, line, column);
		return doubt(x, ret, v->more->comment, KR_COMMENT_CONTINUES);
	}
	if (v && v->file)
		return doubt_specifier(x, ret, kr_variable_span(v));
	kr_diag_add(x->options->diag, KR_WARNING, "variable-unknown", span,
	            "variable '%s' gets its value when the service starts",
	            name);
	return doubt(x, ret, span,
	             "variable '%s' gets its value when the service starts",
	             name);
}

static int add_variable_word(struct expansion *x, int index,
                             struct kr_split_word *w,
                             const struct kr_cut *place)
{
	const struct kr_unit_variable *v = &x->unit->variables[index];
	_cleanup_draft_ struct draft word = {
		.kind = KR_WORD_VARIABLE,
		.variable = index,
		.manager = block_name(v),
		.span = kr_text_span(place->text, w->start, w->end - w->start),
	};

	if (!makes_quote(v, place))
		word.cut = kr_cut_find(place);
	word.text = TAKE(w->text);
	if (v->unknown && memchr(word.text.bytes, '%', word.text.length) &&
	    doubt_specifier(x, &word, word.span) < 0)
		return -ENOMEM;
	return add_word(x, &word);
}

/* The words of variable INDEX from AT on. */
static int add_variable(struct expansion *x, int index, size_t at)
{
	const struct kr_unit_variable *v = &x->unit->variables[index];
	const struct kr_text value = kr_variable_value(v);
	_cleanup_split_word_ struct kr_split_word next = {0};
	size_t before = 0; /* where the word before ends */
	int more, r;

	more = kr_split_next(&value, &at, KR_SPLIT_RELAX, &next);
	for (bool first = true; more > 0; first = false) {
		_cleanup_split_word_ struct kr_split_word w = next;
		struct kr_cut place = {&value, v->source, w.start,
		                       w.end,  w.start,   w.end};

		next = (struct kr_split_word){0};
		more = kr_split_next(&value, &at, KR_SPLIT_RELAX, &next);
		if (!first)
			place.before = before;
		else if (more > 0)
			place.after = next.start;
		before = w.end;
		r = add_variable_word(x, index, &w, &place);
		if (r < 0)
			return r;
	}
	return more;
}

/* A word as it is written, for a value that is not known. */
static int add_unknown(struct expansion *x, const struct source *from,
                       const char *name, const struct kr_unit_variable *v)
{
	_cleanup_draft_ struct draft word = {.kind = KR_WORD_MIXED,
	                                     .variable = -1};
	int r = doubt_variable(x, from, name, v, &word);

	if (r < 0)
		return r;
	r = kr_text_append(&word.text, from->text);
	return r < 0 ? r : add_word(x, &word);
}

static int expand_alone(struct expansion *x, const struct source *from)
{
	const char *name = from->text->bytes + 1;
	const struct kr_unit_variable *v;
	size_t skip = 0;
	int index = find_variable(x, name, strlen(name), &skip);
	int r = kr_strings_add(&x->ret->expands, name);

	if (r < 0)
		return r;
	if (index < 0)
		return is_inherited(x, name) ? add_unknown(x, from, name, NULL)
		                             : 0;
	v = &x->unit->variables[index];
	if (v->unknown && kr_variable_value(v).length == 0)
		return add_unknown(x, from, name, v);
	return add_variable(x, index, skip);
}

/* --- ${VAR} -------------------------------------------------------------- */

/* Appends the value of the name in [START, START + LENGTH) of FROM. */
static int push_variable(struct expansion *x, const struct source *from,
                         size_t start, size_t length, struct draft *ret)
{
	_cleanup_free_ char *name = strndup(from->text->bytes + start, length);
	const struct kr_unit_variable *v = NULL;
	struct kr_text value;
	size_t skip = 0;
	int index, r;

	if (!name)
		return -ENOMEM;
	ret->kind = KR_WORD_MIXED;
	index = find_variable(x, name, length, &skip);
	if (index >= 0)
		v = &x->unit->variables[index];
	if (v ? v->unknown : is_inherited(x, name)) {
		r = doubt_variable(x, from, name, v, ret);
		if (r < 0)
			return r;
	}
	if (!v)
		return 0;
	if (block_name(v))
		ret->manager = block_name(v);
	value = kr_variable_value(v);
	r = judge_string(x, ret->text.length + value.length - skip, ret->span);
	if (r < 0)
		return r;
	return kr_text_append_part(&ret->text, &value, skip,
	                           value.length - skip);
}

/* "${" at AT of FROM: a name in braces becomes its value. A brace that is never
 * closed, or has a colon in it, stays as it is. The next place to look at. */
static int push_braces(struct expansion *x, const struct source *from,
                       size_t *at, struct draft *ret)
{
	const char *s = from->text->bytes;
	size_t start = *at + 2, length = strcspn(s + start, "}:");
	char end = s[start + length];
	size_t begin = *at;

	*at = start + length + (end != '\0');
	if (end != '}')
		return kr_text_append_part(&ret->text, from->text, begin,
		                           *at - begin);
	return length > 0 ? push_variable(x, from, start, length, ret) : 0;
}

static int expand_inside(struct expansion *x, const struct source *from,
                         struct draft *ret)
{
	const struct kr_text *text = from->text;
	const char *s = text->bytes;
	int r = kr_text_append_part(&ret->text, text, 0, 0);

	if (r < 0)
		return r;
	for (size_t i = 0; i < text->length;) {
		if (s[i] == '$' && s[i + 1] == '{') {
			r = push_braces(x, from, &i, ret);
		} else if (s[i] == '$' && s[i + 1]) {
			/* "$$" is one dollar; behind any other the next byte
			 * is not looked at again */
			bool two = s[i + 1] == '$';

			r = kr_text_append_part(&ret->text, text, i, 2 - two);
			i += 2;
		} else {
			r = kr_text_append_part(&ret->text, text, i++, 1);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- words --------------------------------------------------------------- */

/* "${NAME}" and nothing else. */
static bool is_one_variable(const char *s)
{
	return s[0] == '$' && s[1] == '{' && s[strcspn(s, "}")] == '}' &&
	       s[strcspn(s, "}") + 1] == '\0';
}

/* Such a word is the variable's value, and says where that stands; what can be
 * cut is still the word that expands it: an empty value is an empty argument.
 */
static void value_span(struct draft *word)
{
	struct kr_span span = kr_text_span(&word->text, 0, word->text.length);

	if (span.file)
		word->span = span;
}

/* The bytes of FROM as they stand in the line. */
static int plain_text(const struct expansion *x, const struct source *from,
                      size_t n, struct kr_text *ret)
{
	const char *written =
		x->options->written ? x->options->written[n] : NULL;
	size_t length = from->end - from->start;

	if (!written)
		return kr_text_append_part(ret, x->line, from->start, length);
	*ret = (struct kr_text){
		.bytes = (char *)(uintptr_t)written,
		.first = kr_text_origin(x->line, from->start),
		.length = (uint32_t)length,
		.n_runs = 1,
	};
	return 0;
}

/* FROM has a text. */
static int expand_text(struct expansion *x, const struct source *from,
                       struct draft *word)
{
	const char *s = from->text->bytes;
	int r;

	if (x->command->no_environment || !strchr(s, '$')) {
		word->text = *from->text;
		*from->text = (struct kr_text){0};
		return add_word(x, word);
	}
	r = expand_inside(x, from, word);
	if (r < 0)
		return r;
	if (is_one_variable(s))
		value_span(word);
	return add_word(x, word);
}

static int expand_word(struct expansion *x, size_t n)
{
	const struct kr_exec_word *written = &x->command->words[n];
	_cleanup_text_ struct kr_text plain = {0};
	_cleanup_draft_ struct draft word = {
		.kind = written->specifier ? KR_WORD_MIXED : KR_WORD_LITERAL,
		.variable = -1,
		.span = kr_text_span(x->line, written->start,
	                             written->end - written->start),
	};
	struct source from = {&plain, written->start, written->end};
	struct kr_cut place = {x->line,  KR_VARIABLE_UNIT, from.start,
	                       from.end, from.start,       from.end};
	const char *s;
	int r = 0;

	if (written->text > 0)
		from.text = &x->command->texts[written->text - 1];
	else
		r = plain_text(x, &from, n, &plain);
	if (r < 0)
		return r;
	s = from.text->bytes;
	if (!x->command->no_environment && s[0] == '$' && s[1] != '{' &&
	    s[1] != '$')
		return expand_alone(x, &from);
	if (n > 0)
		place.before = x->command->words[n - 1].end;
	else if (x->command->argv0)
		place.before = x->command->path_end;
	else if (x->command->n_words > 1)
		place.after = x->command->words[1].start;
	word.cut = kr_cut_find(&place);
	r = written->unknown ? doubt_specifier(x, &word, word.span) : 0;
	return r < 0 ? r : expand_text(x, &from, &word);
}

/* A word that stands in no file. */
static int add_made(struct expansion *x, const char *text)
{
	_cleanup_draft_ struct draft word = {.kind = KR_WORD_MIXED,
	                                     .variable = -1};
	int r = kr_text_append_string(&word.text, text);

	return r < 0 ? r : add_word(x, &word);
}

/* "|": the words are joined by blanks into the shell's command. */
static int join_for_shell(struct expansion *x)
{
	struct kr_unit_command *c = x->ret;
	_cleanup_draft_ struct draft joined = {.kind = KR_WORD_MIXED,
	                                       .variable = -1};
	int r;

	for (size_t i = 0; i < c->n_words; i++) {
		const struct kr_word_from *from = c->words[i].from;
		const struct kr_text text = kr_word_text(&c->words[i]);

		r = kr_text_append_string(&joined.text, i > 0 ? " " : "");
		if (r < 0)
			return r;
		r = kr_text_append(&joined.text, &text);
		if (r < 0)
			return r;
		joined.unknown = joined.unknown || from->unknown;
		if (from->why && !joined.why) {
			joined.why = strdup(from->why);
			if (!joined.why)
				return -ENOMEM;
		}
	}
	c->n_words = 0;
	x->n_bytes = x->n_before;
	r = add_made(x, x->command->argv0 ? "-sh" : "sh");
	if (r < 0)
		return r;
	r = add_made(x, "-c");
	return r < 0 ? r : add_word(x, &joined);
}

static int expand_all(struct expansion *x)
{
	struct kr_unit_command *c = x->ret;
	int r;

	c->path = strdup(x->command->path);
	if (!c->path)
		return -ENOMEM;
	c->shell = x->command->shell;
	c->ignore_failure = x->command->ignore_failure;
	c->no_environment = x->command->no_environment;
	c->span = kr_text_span(x->line, x->command->start,
	                       x->command->end - x->command->start);
	c->end = kr_text_span(x->line, x->command->end - 1, 1);
	c->end.offset = kr_span_end(c->end);
	c->end.length = 0;
	r = count_environment(x);
	if (r < 0)
		return r;
	x->n_before = x->n_bytes;
	for (size_t i = 0; i < x->command->n_words; i++) {
		r = expand_word(x, i);
		if (r < 0)
			return r;
		if (x->command->words[i].text > 0)
			kr_text_done(
				&x->command->texts[x->command->words[i].text -
			                           1]);
	}
	return c->shell ? join_for_shell(x) : 0;
}

int kr_expand_command(const struct kr_unit *unit,
                      struct kr_exec_command *command,
                      const struct kr_text *line,
                      const struct kr_expand_options *options,
                      struct kr_unit_command *ret)
{
	struct kr_unit_command expanded = {0};
	struct expansion x = {
		.unit = unit,
		.command = command,
		.line = line,
		.options = options,
		.ret = &expanded,
	};
	int r = sort_variables(&x);

	if (r < 0)
		return r;
	r = expand_all(&x);
	free(x.sorted);
	if (r < 0) {
		kr_unit_command_done(&expanded);
		return r;
	}
	*ret = expanded;
	return 0;
}
