/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The words, colours and places of which the texts of an audit are made.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "node/name.h"
#include "policy/demands.h"
#include "report/headline.h"
#include "report/text-words.h"

#define NARROW      100
#define NAME_NARROW 32

static const struct {
	const char *word;
	enum kr_color color;
} verdicts[] = {
	[KR_VERDICT_PASS] = {"PASS", KR_COLOR_GOOD},
	[KR_VERDICT_FAIL] = {"FAIL", KR_COLOR_BAD},
	[KR_VERDICT_INVALID] = {"INVALID", KR_COLOR_BAD},
	[KR_VERDICT_UNKNOWN] = {"UNKNOWN", KR_COLOR_WARN},
	[KR_VERDICT_WAIVED] = {"WAIVED", KR_COLOR_WARN},
	[KR_VERDICT_NOT_APPLICABLE] = {"NOT APPLICABLE", KR_COLOR_WARN},
};

static_assert(ARRAY_SIZE(verdicts) == _KR_VERDICT_MAX,
              "a word for each verdict");

const char *kr_text_verdict_word(enum kr_verdict verdict)
{
	return verdict == KR_VERDICT_NOT_APPLICABLE
	               ? "not applicable"
	               : kr_verdict_to_string(verdict);
}

enum kr_color kr_text_color(const struct kr_judgement *j)
{
	return j->rule->test ? verdicts[j->verdict].color : KR_COLOR_DIM;
}

void kr_text_place(const struct kr_term *term, struct kr_span span)
{
	unsigned line, column;

	kr_span_position(span, &line, &column);
	kr_term_begin(term, KR_COLOR_PLACE);
	kr_term_text(term, span.file->path);
	fprintf(term->out, ":%u:%u", line, column);
	kr_term_end(term);
}

size_t kr_text_place_width(struct kr_span span)
{
	char position[32];
	unsigned line, column;

	kr_span_position(span, &line, &column);
	snprintf(position, sizeof(position), ":%u:%u", line, column);
	return kr_term_width(span.file->path) + strlen(position);
}

char *kr_text_words(enum kr_state state, const struct kr_value *value)
{
	char *text = NULL;

	if (state == KR_STATE_TRUE || state == KR_STATE_FALSE ||
	    !kr_state_is_value(state))
		return strdup(kr_state_to_string(state));
	if (kr_value_says_nothing(value))
		return strdup("not set");
	return kr_value_format(value, &text) < 0 ? NULL : text;
}

char *kr_text_view(const struct kr_rule *rule, const struct kr_view *v)
{
	char *text = NULL;

	if (v->state != KR_STATE_UNKNOWN || !v->either_default)
		return kr_text_words(v->state, &v->value);
	return kr_judge_words(rule, v, &text) < 0 ? NULL : text;
}

char *kr_text_demand(const struct kr_rule *rule,
                     const struct kr_edition *edition)
{
	const char *demand = kr_rule_demand(rule, edition);

	/* each begins with its verb: "is 0", "has only ..." */
	return demand ? strdup(strchr(demand, ' ') + 1) : NULL;
}

void kr_text_value(const struct kr_term *term, enum kr_state state,
                   const struct kr_value *value, size_t width)
{
	_cleanup_free_ char *words = kr_text_words(state, value);
	size_t length = words ? strlen(words) : 0;

	if (words)
		kr_term_text(term, words);
	if (length < width)
		fprintf(term->out, "%*s", (int)(width - length), "");
}

void kr_text_copy(const struct kr_term *term, const char *text,
                  const char *next)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		fputs(next, term->out);
		kr_term_bytes(term, line, length);
		fputc('\n', term->out);
		line += length + (line[length] == '\n');
	}
}

void kr_text_lines(const struct kr_term *term, const char *text, size_t used,
                   const char *next)
{
	size_t length = strcspn(text, "\n");

	kr_term_wrap(term, text, length, used, next);
	kr_text_copy(term, text + length + (text[length] == '\n'), next);
}

void kr_text_widen(int *width, const char *text)
{
	int length = (int)strlen(text);

	if (length > *width)
		*width = length;
}

int kr_text_name_width(const struct kr_term *term, int width)
{
	return term->wraps && term->width < NARROW && width > NAME_NARROW
	               ? NAME_NARROW
	               : width;
}

void kr_text_verdict(const struct kr_term *term, enum kr_verdict verdict,
                     const char *reason)
{
	kr_term_headline(term, verdicts[verdict].color, verdicts[verdict].word,
	                 reason);
}

void kr_text_evidence_of(const struct kr_term *term, const char *who,
                         const char *what)
{
	char when[KR_RFC3339_SIZE];
	const char *const parts[] = {who, when, what, KR_NAME " " KR_VERSION};
	size_t used = 0;

	kr_rfc3339(kr_realtime_usec(), when);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t width = parts[i] ? kr_term_width(parts[i]) : 0;
		bool fits = !term->wraps || used + 2 + width < term->width;

		if (!parts[i])
			continue;
		if (i > 0)
			fputs(fits ? ", " : ",\n    ", term->out);
		kr_term_text(term, parts[i]);
		used = (i == 0 ? 0 : fits ? used + 2 : 4) + width;
	}
	fputc('\n', term->out);
}

int kr_text_evidence(const struct kr_term *term, struct kr_node *node,
                     const struct kr_edition *edition)
{
	_cleanup_free_ char *title = NULL, *who = NULL;
	char name[KR_NODE_NAME_SIZE];

	if (edition) {
		title = kr_headline_edition(edition);
		if (!title)
			return -ENOMEM;
	}
	kr_node_name(node, name, sizeof(name));
	if (kr_format(&who, "node %s%s", *name ? "" : "at ",
	              *name ? name : node->root) < 0)
		return -ENOMEM;
	kr_text_evidence_of(term, who, title);
	return 0;
}
