/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Slips of the pen.
 *
 * What kubelet or systemd complains of is often not the slip that caused it:
 *
 *	ExecStart=/usr/bin/kubelet \	"Restart=always" is no flag, but the
 *	Restart=always			line is the cause: it was swallowed
 *	ExecStart=/usr/bin/kubelet \_	"\" is no flag: a blank stands behind
 *		--v=2			the backslash, and the next line is lost
 *	Environment="A=$B --v=2"	"$B" is no flag: systemd expands no
 *					variable inside a variable
 *	--node-ip=$(hostname -I)	"-I)" is no flag: systemd runs no shell
 *	--v=${VERBOSITY}		"" is no number: it is never set
 *	makeIPTablesUtilChains: {{ .X }}  no true or false: a template that
 *					was not rendered
 *
 * The first two are seen where lines are read (unit/syntax, unit/environment).
 * Here the others are found, and what fits to the place of the error to blame
 * is put before it.
 *
 * "${NAME}" is a placeholder only in a config file: in a unit it is systemd's
 * own. A placeholder counts on the line of the error alone, as a text may hold
 * braces for good reasons.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "node/slips.h"

static bool is_name(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_';
}

/* Names that are looked for among the variables, each from the first on. */
#define LOOKED_MAX 100

/* The length of "$NAME" or "${NAME}" at the begin of S; 0: S is no variable. */
static size_t variable_length(const char *s, size_t size)
{
	size_t braces = size > 1 && s[1] == '{', i = 1 + braces;
	size_t start = i;

	if (size == 0 || s[0] != '$')
		return 0;
	while (i < size && is_name(s[i]))
		i++;
	if (i == start || (s[start] >= '0' && s[start] <= '9'))
		return 0;
	if (!braces)
		return i;
	return i < size && s[i] == '}' ? i + 1 : 0;
}

/* --- variables ----------------------------------------------------------- */

/* Where what CLOSE ends, which word I begins at AT, stands in a file: up to
 * there, in that word or a later one, as blanks part words. */
static struct kr_span shell_span(const struct kr_unit_command *c, size_t i,
                                 size_t at, char close)
{
	struct kr_text text = kr_word_text(&c->words[i]);
	struct kr_span span = kr_text_span(&text, at, 1), end;
	const char *found = strchr(text.bytes + at + 1, close);

	while (!found && ++i < c->n_words) {
		text = kr_word_text(&c->words[i]);
		found = strchr(text.bytes, close);
	}
	if (!found)
		return KR_SPAN_NONE;
	end = kr_text_span(&text, (size_t)(found - text.bytes), 1);
	if (end.file != span.file || end.offset < span.offset)
		return KR_SPAN_NONE;
	span.length = kr_span_end(end) - span.offset;
	return span;
}

/* "$(date)" or "`date`": the first one. */
static void remark_shell(const struct kr_unit_command *c, struct kr_diag *diag)
{
	for (size_t i = 1; i < c->n_words; i++) {
		const char *s = c->words[i].text, *at = strstr(s, "$(");
		struct kr_span span;
		char close = at ? ')' : '`';

		at = at ? at : strchr(s, '`');
		if (!at)
			continue;
		span = shell_span(c, i, (size_t)(at - s), close);
		if (span.file)
			kr_diag_add(diag, KR_WARNING, "shell-in-value", span,
			            "systemd runs no shell: kubelet gets %s as "
			            "it stands here",
			            close == '`' ? "`...`" : "$(...)");
		return;
	}
}

/* Whether byte I of WORD stands in the value of a variable. */
static bool is_of_value(const struct kr_unit_command *c,
                        const struct kr_unit_word *word, size_t i)
{
	const struct kr_text text = kr_word_text(word);
	struct kr_origin o = kr_text_origin(&text, i);

	return word->from->kind != KR_WORD_LITERAL && o.file &&
	       (o.file != c->span.file || o.offset < c->span.offset ||
	        o.offset >= kr_span_end(c->span));
}

static void remark_nested(const struct kr_unit_command *c,
                          const struct kr_unit_word *word, struct kr_diag *diag)
{
	const struct kr_text text = kr_word_text(word);

	for (size_t i = 0; i < text.length; i++) {
		size_t n = variable_length(text.bytes + i, text.length - i);

		if (n == 0 || !is_of_value(c, word, i))
			continue;
		kr_diag_add(diag, KR_WARNING, "variable-in-variable",
		            kr_text_span(&text, i, n),
		            "systemd expands no variable inside a variable: "
		            "kubelet gets '%.*s' as it stands here",
		            (int)n, text.bytes + i);
		return;
	}
}

static bool is_set(const struct kr_unit *unit, const char *name, size_t length)
{
	for (size_t i = 0; i < unit->n_variables; i++) {
		const char *s = unit->variables[i].name;

		if (strncmp(s, name, length) == 0 && !s[length])
			return true;
	}
	return false;
}

/* "--flag=${NAME}", or "${NAME}" alone: an empty value most often stops
 * kubelet, or means another file. Of a longer value a part may well be missing.
 */
static bool is_whole_value(const char *s, size_t at, size_t length, size_t end)
{
	return s[at + 1] == '{' && at > 0 && strchr("= \t\n\"'", s[at - 1]) &&
	       (at + length == end || strchr(" \t\n\"'\\", s[at + length]));
}

/* "${NAME}" in the bytes of the command itself. */
static void remark_unset(const struct kr_unit *unit,
                         const struct kr_unit_command *c, struct kr_diag *diag)
{
	const char *s = c->span.file ? c->span.file->data : "";
	size_t end = c->span.file ? kr_span_end(c->span) : 0, n;
	size_t n_looked = 0;

	for (size_t i = 0; i < c->n_words; i++) {
		if (c->words[i].from->unknown)
			return; /* it may be set when the service starts */
	}
	for (size_t i = c->span.offset; i < end; i += n) {
		n = variable_length(s + i, end - i);
		if (s[i] == '$' && i + 1 < end && s[i + 1] == '$')
			n = 2;
		if (n > 2 && is_whole_value(s, i, n, end) &&
		    n_looked++ < LOOKED_MAX && !is_set(unit, s + i + 2, n - 3))
			kr_diag_add(diag, KR_NOTE, "variable-unset",
			            (struct kr_span){c->span.file, i, n},
			            "no variable of this name is set: nothing "
			            "stands in its place");
		n = n ? n : 1;
	}
}

void kr_slips_remark(const struct kr_node *node, struct kr_diag *diag)
{
	const struct kr_unit_command *c = kr_node_command(node);

	if (c && !c->shell)
		remark_shell(c, diag);
	if (!c || c->no_environment)
		return;
	for (size_t i = 0; i < c->n_words; i++)
		remark_nested(c, &c->words[i], diag);
	remark_unset(node->disk.unit, c, diag);
}

/* --- templates ----------------------------------------------------------- */

/* A placeholder in the SIZE bytes of a line: its place and length. */
static bool find_placeholder(const char *s, size_t size, bool with_variables,
                             size_t *ret_at, size_t *ret_length)
{
	static const char *const marks[][2] = {
		{"{{", "}}"},
		{"{%", "%}"},
		{"<%", "%>"},
	};

	bool gone[ARRAY_SIZE(marks)] = {false}; /* it is closed nowhere */

	for (size_t i = 0; i + 1 < size; i++) {
		size_t n = with_variables && s[i + 1] == '{'
		                   ? variable_length(s + i, size - i)
		                   : 0;

		for (size_t k = 0; n == 0 && k < ARRAY_SIZE(marks); k++) {
			const char *end;

			if (gone[k] || memcmp(s + i, marks[k][0], 2) != 0)
				continue;
			end = memmem(s + i + 2, size - i - 2, marks[k][1], 2);
			n = end ? (size_t)(end + 2 - (s + i)) : 0;
			gone[k] = !end;
		}
		if (n == 0)
			continue;
		*ret_at = i;
		*ret_length = n;
		return true;
	}
	return false;
}

bool kr_slips_find_template(struct kr_span span, struct kr_span *ret)
{
	size_t at, length;

	if (!span.file || !find_placeholder(span.file->data + span.offset,
	                                    span.length, false, &at, &length))
		return false;
	*ret = (struct kr_span){span.file, span.offset + at, length};
	return true;
}

static bool is_config(const struct kr_node *node, const char *path)
{
	const struct kr_inputs *in = &node->disk.inputs;

	return KR_ANY(f, in->files, in->n_files, strcmp((*f)->path, path) == 0);
}

/* Adds the placeholder on the line of M, if there is one. */
static int add_template(struct kr_node *node, const struct kr_message *m,
                        struct kr_diag *diag)
{
	const struct kr_file *file;
	size_t at, length, start;
	int r;

	if (!m->source || m->offset < m->column ||
	    !find_placeholder(m->source, strlen(m->source),
	                      is_config(node, m->file), &at, &length))
		return 0;
	r = kr_fs_read(node->fs, m->file, &file);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	start = m->offset - m->column + at;
	if (start + length > file->size)
		return 0;
	kr_diag_add(
		diag, KR_ERROR, "template-unrendered",
		(struct kr_span){file, start, length},
		"'%.*s' is a placeholder of a template that was not rendered",
		(int)length, m->source + at);
	return 0;
}

/* --- the cause ----------------------------------------------------------- */

static bool is_code(const struct kr_message *m, const char *code)
{
	return strcmp(m->code, code) == 0;
}

/* Whether M quotes the bytes that E is about: a value may reach its word from
 * another place. */
static bool quotes(const struct kr_message *m, const struct kr_message *e)
{
	size_t length = e->source ? strlen(e->source) : 0;

	return e->column > 0 && e->length > 0 &&
	       e->column - 1 + e->length <= length &&
	       memmem(m->text, strlen(m->text), e->source + e->column - 1,
	              e->length);
}

/* Whether E, of a slip, explains M, an error. */
static bool explains(const struct kr_message *e, const struct kr_message *m)
{
	bool unit_line = is_code(e, "unit-line-swallowed");

	/* a directive is missing, whatever file it was meant to be in */
	if (unit_line && m->line == 0 && is_code(m, "unit-bad"))
		return true;
	if (is_code(e, "variable-in-variable") && quotes(m, e))
		return true;
	if (!e->file || strcmp(e->file, m->file) != 0 || m->line == 0)
		return false;
	if (is_code(e, "shell-in-value"))
		return m->offset >= e->offset &&
		       m->offset < e->offset + e->length;
	if (is_code(e, "unit-line-lost"))
		return e->line == m->line + 1 && m->length == 1 && m->source &&
		       m->source[m->column - 1] == '\\';
	if (unit_line || is_code(e, "environment-line-swallowed"))
		return e->line == m->line || e->line == m->line + 1;
	if (!is_code(e, "variable-in-variable") &&
	    !is_code(e, "variable-unset") && !is_code(e, "template-unrendered"))
		return false;
	return e->line == m->line &&
	       (is_code(e, "template-unrendered") ||
	        (e->offset >= m->offset && e->offset < m->offset + m->length));
}

/* Makes message I the first one, and an error. */
static void blame(struct kr_diag *diag, size_t i)
{
	struct kr_message m = diag->messages[i];

	m.severity = KR_ERROR;
	memmove(diag->messages + 1, diag->messages, i * sizeof(m));
	diag->messages[0] = m;
}

/* Whether M speaks of a placeholder on its line. */
static bool is_of_template(const struct kr_message *m, const void *place)
{
	const struct kr_message *e = place;
	size_t begin, end, size, base = 0, at, length;

	if (is_code(m, "template-unrendered") || !m->file || !m->source ||
	    m->column == 0 || strcmp(m->file, e->file) != 0 ||
	    m->line != e->line)
		return false;
	begin = m->column - 1;
	end = begin + m->length;
	size = strlen(m->source);
	while (base < end && base < size &&
	       find_placeholder(m->source + base, size - base, false, &at,
	                        &length)) {
		if (base + at < end && base + at + length > begin)
			return true;
		base += at + length;
	}
	return false;
}

/* What is said of the pieces of a template is said by the first message. */
static int leave_template(struct kr_diag *diag)
{
	struct kr_message place = {.line = diag->messages[0].line};

	if (!is_code(&diag->messages[0], "template-unrendered"))
		return 0;
	place.file = strdup(diag->messages[0].file);
	if (!place.file)
		return -ENOMEM;
	kr_diag_remove(diag, is_of_template, &place);
	free(place.file);
	return 0;
}

int kr_slips_explain(struct kr_node *node, struct kr_diag *diag)
{
	const struct kr_message *cause = diag ? kr_diag_cause(diag) : NULL;
	struct kr_node_disk *disk = &node->disk;
	size_t i = 0;
	int r;

	if (!cause || !cause->file)
		return 0;
	r = add_template(node, cause, diag);
	if (r < 0)
		return r;
	cause = kr_diag_cause(diag); /* it may have moved */
	while (i < diag->n_messages && !explains(&diag->messages[i], cause))
		i++;
	if (i == diag->n_messages)
		return 0;
	blame(diag, i);
	r = kr_format(&disk->slip, "%s:%u:%u: %s", diag->messages[0].file,
	              diag->messages[0].line, diag->messages[0].column,
	              diag->messages[0].text);
	return r < 0 ? r : leave_template(diag);
}
