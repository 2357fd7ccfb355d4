/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The laws of unit/, tried by making each edit in an overlay and resolving the
 * unit again. A word that holds a ${VAR} may change when that variable does,
 * and UnsetEnvironment=NAME=VALUE may take a variable that got another value;
 * an environment file that is also the unit obeys two syntaxes. These are let
 * be.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit-laws.h"
#include "unit/resolve.h"

#define APPENDED "--appended=1%"

static char message[1024];

static const char *broken(const char *law, struct kr_span span)
{
	unsigned line = 0, column = 0;

	if (span.file)
		kr_span_position(span, &line, &column);
	snprintf(message, sizeof(message), "%s: %s:%u:%u", law,
	         span.file ? span.file->path : "-", line, column);
	return message;
}

static int resolve_edited(struct kr_fs *below, const char *name,
                          const struct kr_edits *edits, struct kr_fs **ret_fs,
                          struct kr_unit **ret)
{
	int r = kr_fs_new_overlay(below, ret_fs);

	for (size_t i = 0; r == 0 && i < edits->n_files; i++) {
		_cleanup_free_ char *data = NULL;
		size_t size;

		r = kr_file_edits_apply(&edits->files[i], &data, &size);
		if (r == 0)
			r = kr_fs_put(*ret_fs, edits->files[i].path, data,
			              size);
	}
	return r < 0 ? r : kr_unit_resolve(*ret_fs, name, NULL, NULL, ret);
}

static bool same_span(struct kr_span a, struct kr_span b)
{
	return a.file == b.file && a.offset == b.offset && a.length == b.length;
}

/* Whether B is A without the words of the cut SPAN, and with EXTRA at its end.
 */
static bool same_command(const struct kr_unit_command *a,
                         const struct kr_unit_command *b, struct kr_span span,
                         bool mixed_may_differ, const char *extra)
{
	size_t k = 0;

	for (size_t i = 0; i < a->n_words; i++) {
		const struct kr_unit_word *w = &a->words[i];

		if (span.file && same_span(kr_word_cut(w), span))
			continue;
		if (k >= b->n_words)
			return false;
		if (strcmp(w->text, b->words[k].text) != 0 &&
		    !(mixed_may_differ && w->from->kind == KR_WORD_MIXED))
			return false;
		k++;
	}
	if (extra &&
	    (k >= b->n_words || strcmp(b->words[k++].text, extra) != 0))
		return false;
	return k == b->n_words;
}

static const char *try_cut(struct kr_fs *fs, const struct kr_unit *unit,
                           const struct kr_unit_word *word)
{
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_fs_ struct kr_fs *overlay = NULL;
	_cleanup_unit_ struct kr_unit *after = NULL;

	if (!kr_word_span(word).file)
		return broken("a cut without a place", kr_word_cut(word));
	if (kr_edits_add(&edits, kr_word_cut(word), "") < 0 ||
	    resolve_edited(fs, unit->name, &edits, &overlay, &after) < 0)
		return broken("a cut cannot be made", kr_word_cut(word));
	if (word->from->variable >= 0 &&
	    !kr_unit_variable(after,
	                      unit->variables[word->from->variable].name))
		return NULL;
	if (after->n_commands != unit->n_commands)
		return broken("a cut changes the commands", kr_word_cut(word));
	for (size_t i = 0; i < unit->n_commands; i++) {
		if (!same_command(&unit->commands[i], &after->commands[i],
		                  kr_word_cut(word), word->from->variable >= 0,
		                  NULL))
			return broken("a cut changes other words",
			              kr_word_cut(word));
	}
	return NULL;
}

static const char *try_argument(struct kr_fs *fs, const struct kr_unit *unit,
                                size_t n)
{
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_fs_ struct kr_fs *overlay = NULL;
	_cleanup_unit_ struct kr_unit *after = NULL;
	const struct kr_unit_command *command = &unit->commands[n];
	int r = kr_unit_append_argument(command, APPENDED, &edits, NULL);

	if (r == KR_REFUSED)
		return NULL;
	if (r < 0 ||
	    resolve_edited(fs, unit->name, &edits, &overlay, &after) < 0)
		return broken("an argument cannot be added", command->end);
	if (after->n_commands != unit->n_commands)
		return broken("an argument changes the commands", command->end);
	for (size_t i = 0; i < unit->n_commands; i++) {
		if (!same_command(&unit->commands[i], &after->commands[i],
		                  KR_SPAN_NONE, false,
		                  i == n ? APPENDED : NULL))
			return broken("an argument is not the last",
			              command->end);
	}
	return NULL;
}

static size_t trimmed(const char *s)
{
	size_t n = strlen(s);

	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	return n;
}

/* Whether AFTER is BEFORE and the word. Blanks at the end are nothing. */
static bool at_end(const char *before, const char *after)
{
	size_t n = trimmed(before);

	if (strncmp(before, after, n) != 0)
		return false;
	after += n;
	after += strspn(after, " \t");
	return trimmed(after) == strlen(APPENDED) &&
	       strncmp(after, APPENDED, strlen(APPENDED)) == 0;
}

static const char *try_word(struct kr_fs *fs, const struct kr_unit *unit,
                            const struct kr_unit_variable *v)
{
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_fs_ struct kr_fs *overlay = NULL;
	_cleanup_unit_ struct kr_unit *after = NULL;
	const struct kr_unit_variable *got;
	int r = kr_unit_append_word(v, APPENDED, &edits, NULL);

	if (r == KR_REFUSED)
		return NULL;
	if (r < 0 ||
	    resolve_edited(fs, unit->name, &edits, &overlay, &after) < 0)
		return broken("a word cannot be added", kr_variable_span(v));
	got = kr_unit_variable(after, v->name);
	if (!got)
		return NULL;
	if (!at_end(kr_variable_value(v).bytes, kr_variable_value(got).bytes))
		return broken("a word is not at the value's end",
		              kr_variable_span(v));
	for (size_t i = 0; i < unit->n_variables; i++) {
		const struct kr_unit_variable *a = &unit->variables[i];
		const struct kr_unit_variable *b =
			kr_unit_variable(after, a->name);

		if (a != v && (!b || strcmp(kr_variable_value(a).bytes,
		                            kr_variable_value(b).bytes)))
			return broken("a word changes a variable",
			              kr_variable_span(v));
	}
	return NULL;
}

/* Whether an environment file is also the unit's. */
static bool is_double(const struct kr_unit *unit)
{
	for (size_t i = 0; i < unit->environment_files.n_items; i++) {
		if (strstr(unit->environment_files.items[i], "/systemd/"))
			return true;
	}
	return false;
}

const char *kr_unit_laws(struct kr_fs *fs, const char *name)
{
	_cleanup_unit_ struct kr_unit *unit = NULL;
	const char *fault = NULL;

	if (kr_unit_resolve(fs, name, NULL, NULL, &unit) < 0)
		return "the unit cannot be resolved";
	if (unit->load != KR_UNIT_LOADED || is_double(unit))
		return NULL;
	for (size_t i = 0; !fault && i < unit->n_commands; i++) {
		const struct kr_unit_command *c = &unit->commands[i];

		for (size_t k = 1; !fault && k < c->n_words; k++) {
			if (kr_word_cut(&c->words[k]).file)
				fault = try_cut(fs, unit, &c->words[k]);
		}
		if (!fault)
			fault = try_argument(fs, unit, i);
	}
	for (size_t i = 0; !fault && i < unit->n_variables; i++)
		fault = try_word(fs, unit, &unit->variables[i]);
	return fault;
}
