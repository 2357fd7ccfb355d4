/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The environment of a command: its assignments as the unit makes them.
 *
 *	what systemd adds < PassEnvironment= < Environment= < EnvironmentFile=
 *
 * whatever their order in the unit. The files are read last
 * (unit/environment-files), then one assignment of each name wins
 * (unit/environment-merge).
 *
 * Environment= is split into words as ExecStart= is, but an invalid escape or
 * an open quote ends the line there: the words before it count. Assignments
 * with a bad name are ignored.
 *
 * Source: config_parse_environ(), config_parse_pass_environ(),
 * config_parse_unset_environ() in src/core/load-fragment.c, exec_child() in
 * src/core/execute.c of systemd 252.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "unit/environment.h"
#include "unit/word.h"

/* POSIX leaves 2 MiB with the usual stack limit: sysconf(_SC_ARG_MAX). */
#define VALUE_MAX_BYTES ((size_t)2 * 1024 * 1024)

/* What a variable, and a string of a list, take at most beside their bytes,
 * allocations and growing arrays included. */
#define ONE    ((size_t)328)
#define STRING ((size_t)32)

static void variable_done(struct kr_unit_variable *v)
{
	if (v->more)
		kr_text_done(&v->more->value);
	free(v->more);
}

void kr_assignment_done(struct kr_assignment *v)
{
	kr_text_done(&v->value);
	free(v->name);
}

void kr_variables_done(struct kr_variables *variables)
{
	for (size_t i = 0; i < variables->n_items; i++)
		variable_done(&variables->items[i]);
	free(variables->items);
	*variables = (struct kr_variables){0};
}

int kr_variables_add(struct kr_variables *to, struct kr_unit_variable *v)
{
	return KR_VEC_MOVE(to->items, to->n_items, v);
}

/* More memory for what stands at SPAN. 0; -EFBIG: it is too much, DIAG says
 * so. */
static int hold_bytes(struct kr_environment *e, size_t bytes,
                      struct kr_span span, struct kr_diag *diag)
{
	e->held += bytes;
	if (e->held <= KR_ENVIRONMENT_HELD_MAX)
		return 0;
	kr_diag_add(diag, KR_ERROR, "environment-too-large", span,
	            "the environment is too large: its assignments up to here "
	            "need %zu MiB of memory",
	            KR_ENVIRONMENT_HELD_MAX >> 20);
	return -EFBIG;
}

static char *value_bytes(const struct kr_unit_variable *v)
{
	return v->name + strlen(v->name) + 1;
}

struct kr_span kr_variable_span(const struct kr_unit_variable *v)
{
	return (struct kr_span){v->file, v->start, v->length};
}

struct kr_span kr_variable_value_span(const struct kr_unit_variable *v)
{
	return (struct kr_span){v->file, v->value_start, v->value_length};
}

struct kr_text kr_variable_value(const struct kr_unit_variable *v)
{
	struct kr_text text = {.bytes = value_bytes(v)};

	if (v->more && v->more->value.bytes)
		return v->more->value;
	text.length = (uint32_t)strlen(text.bytes);
	text.n_runs = text.length > 0;
	if (v->file)
		text.first = (struct kr_origin){v->file, v->value_start, 1};
	return text;
}

/* Whether the bytes of the value are those of its span as they stand there, or
 * all of no file. */
static bool is_plain(const struct kr_assignment *v)
{
	const struct kr_origin first = v->value.first;

	if (v->value.length == 0)
		return true;
	if (v->value.n_runs > 1 || first.file != v->value_span.file)
		return false;
	return !first.file ||
	       (first.length == 1 && first.offset == v->value_span.offset);
}

/* V's name and value: there are very many short ones. */
static char *pack(struct kr_arena *texts, const struct kr_assignment *v)
{
	size_t length = strlen(v->name);
	char *name =
		kr_arena_take_text(texts, length + 1 + v->value.length + 1);
	char *value;

	if (!name)
		return NULL;
	value = mempcpy(name, v->name, length + 1);
	if (v->value.length > 0)
		memcpy(value, v->value.bytes, v->value.length);
	return name;
}

static int add_more(struct kr_unit_variable *to, struct kr_assignment *v)
{
	if (is_plain(v) && !v->comment.file)
		return 0;
	to->more = calloc(1, sizeof(*to->more));
	if (!to->more)
		return -ENOMEM;
	to->more->comment = v->comment;
	if (is_plain(v))
		return 0;
	if (v->value.size > 0)
		free(v->value.bytes);
	to->more->value = TAKE(v->value);
	to->more->value.bytes = value_bytes(to);
	to->more->value.size = 0;
	return 0;
}

int kr_environment_hold(struct kr_environment *e, struct kr_variables *to,
                        struct kr_assignment *v, struct kr_diag *diag)
{
	struct kr_unit_variable variable = {
		.file = v->span.file,
		.start = v->span.offset,
		.length = v->span.length,
		.value_start = v->value_span.offset,
		.value_length = v->value_span.length,
		.source = v->source,
		.form = v->form,
		.quote = v->quote,
		.unknown = v->unknown,
	};
	int r = hold_bytes(e,
	                   ONE + strlen(v->name) + v->value.size +
	                           2 * v->value.n_runs * sizeof(struct kr_run),
	                   v->span, diag);

	if (r < 0)
		return r;
	variable.name = pack(e->texts, v);
	r = variable.name ? add_more(&variable, v) : -ENOMEM;
	if (r >= 0)
		r = kr_variables_add(to, &variable);
	if (r < 0)
		variable_done(&variable);
	return r;
}

int kr_variable_doubt(struct kr_unit_variable *v, struct kr_span comment)
{
	if (!v->more)
		v->more = calloc(1, sizeof(*v->more));
	if (!v->more)
		return -ENOMEM;
	v->unknown = true;
	*value_bytes(v) = '\0';
	v->more->value.length = 0;
	if (!v->more->comment.file)
		v->more->comment = comment;
	return 0;
}

int kr_variables_move(struct kr_variables *to, struct kr_variables *from)
{
	if (to->n_items == 0) { /* as it is: there may be very many */
		kr_variables_done(to);
		*to = *from;
		*from = (struct kr_variables){0};
		return 0;
	}
	for (size_t i = 0; i < from->n_items; i++) {
		int r = kr_variables_add(to, &from->items[i]);

		if (r < 0)
			return r;
	}
	kr_variables_done(from);
	return 0;
}

bool kr_variable_name_valid(const char *name, size_t length)
{
	if (length == 0 || (name[0] >= '0' && name[0] <= '9'))
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = name[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && c != '_')
			return false;
	}
	return true;
}

static bool assignment_valid(const struct kr_text *text)
{
	const char *equals = memchr(text->bytes, '=', text->length);

	return equals &&
	       kr_variable_name_valid(text->bytes,
	                              (size_t)(equals - text->bytes)) &&
	       kr_utf8_valid(text->bytes, text->length);
}

/* --- Environment= -------------------------------------------------------- */

/* How the word [START, END) of LINE is quoted, and where its value is. */
struct shape {
	enum kr_value_form form;
	char quote;
	size_t start, end; /* of the value */
};

static struct shape find_shape(const struct kr_text *line,
                               const struct kr_split_word *word)
{
	const char *s = line->bytes;
	size_t n_quoted = 0, opened = 0;
	size_t equals = SIZE_MAX;
	char quote = 0, last = 0;
	bool whole, behind;

	for (size_t i = word->start; i < word->end; i++) {
		char c = s[i];

		if (c == '=' && equals == SIZE_MAX)
			equals = i;
		last = 0;
		if (c == '\\') {
			i++;
		} else if (quote && c == quote) {
			last = c;
			quote = 0;
		} else if (!quote && (c == '\'' || c == '"')) {
			quote = c;
			opened = i;
			n_quoted++;
		}
	}
	if (equals == SIZE_MAX)
		return (struct shape){KR_VALUE_OPEN, 0, word->end, word->end};
	whole = n_quoted == 1 && last && opened == word->start;
	behind = n_quoted == 1 && last && opened == equals + 1;
	if (whole || behind)
		return (struct shape){KR_VALUE_QUOTED, last,
		                      equals + 1 + behind, word->end - 1};
	return (struct shape){n_quoted == 0 ? KR_VALUE_PLAIN
	                      : last        ? KR_VALUE_PIECES
	                                    : KR_VALUE_TAIL,
	                      0, equals + 1, word->end};
}

static struct kr_span value_span(const struct kr_text *line,
                                 const struct shape *shape)
{
	struct kr_span before;

	if (shape->end > shape->start)
		return kr_text_span(line, shape->start,
		                    shape->end - shape->start);
	before = kr_text_span(line, shape->start - 1, 1);
	before.offset = kr_span_end(before);
	before.length = 0;
	return before;
}

static int add_assignment(struct kr_environment *e,
                          const struct kr_specifiers *s,
                          const struct kr_text *line,
                          const struct kr_split_word *word, bool unknown)
{
	struct shape shape = find_shape(line, word);
	const struct kr_text *text = &word->text;
	const char *equals = memchr(text->bytes, '=', text->length);
	size_t length = (size_t)(equals - text->bytes);
	_cleanup_assignment_ struct kr_assignment v = {
		.name = strndup(text->bytes, length),
		.source = KR_VARIABLE_UNIT,
		.span = kr_text_span(line, word->start,
	                             word->end - word->start),
		.value_span = value_span(line, &shape),
		.quote = shape.quote,
		.form = shape.form,
		.unknown = unknown,
	};
	int r = v.name ? kr_text_append_part(&v.value, text, length + 1,
	                                     text->length - length - 1)
	               : -ENOMEM;

	return r < 0 ? r : kr_environment_hold(e, &e->unit, &v, s->diag);
}

static void warn(const struct kr_specifiers *s, const struct kr_text *line,
                 const struct kr_split_word *word, const char *code,
                 const char *text)
{
	struct kr_span span =
		kr_text_span(line, word->start, word->end - word->start);

	kr_diag_add(s->diag, KR_WARNING, code, span, "%s", text);
}

/* The next word with its specifiers. systemd passes over a word that has one
 * it cannot resolve. 1; 0: there are no more words. */
static int next_word(const struct kr_specifiers *s, const struct kr_text *line,
                     size_t *at, unsigned flags, struct kr_split_word *ret,
                     bool *ret_unknown)
{
	for (;;) {
		_cleanup_split_word_ struct kr_split_word raw = {0};
		size_t start = *at;
		bool any = false;
		int r = kr_split_next(line, at, flags, &raw);

		if (r == -EINVAL)
			kr_diag_add(
				s->diag, KR_WARNING, "environment-invalid",
				kr_text_span(line, start, line->length - start),
				"quotes or escapes are invalid: ignored from "
				"here to the end of the line");
		if (r <= 0)
			return r == -EINVAL ? 0 : r;
		kr_split_word_done(ret);
		ret->start = raw.start;
		ret->end = raw.end;
		*ret_unknown = false;
		r = kr_specifiers_expand(s, &raw.text, VALUE_MAX_BYTES,
		                         &ret->text, &any, ret_unknown);
		if (r == 0 || r == -ENOMEM)
			return r < 0 ? r : 1;
		warn(s, line, &raw, "specifier-failed",
		     "specifier cannot be resolved: assignment is ignored");
	}
}

int kr_environment_assign(struct kr_environment *e,
                          const struct kr_specifiers *s,
                          const struct kr_text *line)
{
	size_t at = 0, before = e->unit.n_items;

	if (line->length == 0)
		return kr_variables_move(&e->shadowed, &e->unit);
	for (;;) {
		_cleanup_split_word_ struct kr_split_word word = {0};
		bool unknown;
		int r = next_word(s, line, &at, KR_SPLIT_CUNESCAPE, &word,
		                  &unknown);

		if (r <= 0)
			return r;
		if (assignment_valid(&word.text))
			r = add_assignment(e, s, line, &word, unknown);
		else
			warn(s, line, &word, "environment-invalid",
			     e->unit.n_items > before
			             ? "word is no assignment, and ignored: "
			               "what belongs to the variable before it "
			               "must stand in one pair of quotes with "
			               "it"
			             : "assignment is invalid: ignored");
		if (r < 0)
			return r;
	}
}

/* --- UnsetEnvironment=, PassEnvironment= --------------------------------- */

/* WORD of LINE at the end of LIST. */
static int hold_string(struct kr_environment *e, struct kr_strings *list,
                       const struct kr_text *line,
                       const struct kr_split_word *word, struct kr_diag *diag)
{
	struct kr_span span =
		kr_text_span(line, word->start, word->end - word->start);
	int r = kr_strings_add_part(list, word->text.bytes, word->text.length);

	if (r < 0)
		return r;
	return hold_bytes(e, STRING + word->text.length, span, diag);
}

static int add_list(struct kr_environment *e, struct kr_strings *list,
                    const struct kr_specifiers *s, const struct kr_text *line,
                    unsigned flags)
{
	size_t at = 0;

	if (line->length == 0)
		kr_strings_done(list);
	for (;;) {
		_cleanup_split_word_ struct kr_split_word word = {0};
		const struct kr_text *text = &word.text;
		bool unknown;
		int r = next_word(s, line, &at, flags, &word, &unknown);

		if (r <= 0)
			return r;
		if (kr_variable_name_valid(text->bytes, text->length) ||
		    ((flags & KR_SPLIT_CUNESCAPE) && assignment_valid(text)))
			r = hold_string(e, list, line, &word, s->diag);
		else
			warn(s, line, &word, "environment-invalid",
			     "variable name is invalid: ignored");
		if (r < 0)
			return r;
	}
}

int kr_environment_unset(struct kr_environment *e,
                         const struct kr_specifiers *s,
                         const struct kr_text *line)
{
	return add_list(e, &e->unset, s, line, KR_SPLIT_CUNESCAPE);
}

int kr_environment_pass(struct kr_environment *e, const struct kr_specifiers *s,
                        const struct kr_text *line)
{
	return add_list(e, &e->pass, s, line, 0);
}

int kr_environment_inherit(struct kr_environment *e,
                           enum kr_variable_source source, const char *name,
                           const char *value, struct kr_diag *diag)
{
	_cleanup_assignment_ struct kr_assignment v = {
		.name = strdup(name),
		.source = source,
		.unknown = !value,
	};
	int r = v.name ? kr_text_append_string(&v.value, value ? value : "")
	               : -ENOMEM;

	return r < 0 ? r : kr_environment_hold(e, &e->all, &v, diag);
}

int kr_environment_inherit_one(struct kr_environment *e,
                               struct kr_unit_variable *variable)
{
	return kr_variables_add(&e->all, variable);
}

void kr_environment_done(struct kr_environment *e)
{
	kr_variables_done(&e->all);
	kr_variables_done(&e->unit);
	kr_variables_done(&e->shadowed);
	kr_strings_done(&e->unset);
	kr_strings_done(&e->pass);
	kr_strings_done(&e->paths);
	kr_strings_done(&e->read);
	free(e->missing);
}
