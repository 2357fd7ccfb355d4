/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The words, colours and places of which the texts of an audit are made.
 */

#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "report/text-words.h"

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

/* An empty text or list, or a pair of such. */
static bool says_nothing(const struct kr_value *value)
{
	if (value->type == KR_TYPE_STRING || value->type == KR_TYPE_LIST)
		return kr_value_is_zero(value);
	if (value->type != KR_TYPE_TREE)
		return false;
	for (size_t i = 1; i < value->list.n_items; i += 2) {
		if (*value->list.items[i])
			return false;
	}
	return true;
}

char *kr_text_words(enum kr_state state, const struct kr_value *value)
{
	char *text = NULL;

	if (state == KR_STATE_TRUE || state == KR_STATE_FALSE ||
	    !kr_state_is_value(state))
		return strdup(kr_state_to_string(state));
	if (says_nothing(value))
		return strdup("not set");
	return kr_value_format(value, &text) < 0 ? NULL : text;
}

char *kr_text_view(const struct kr_rule *rule, const struct kr_view *v)
{
	const struct kr_field *f = kr_field(rule->fields[0]);
	char *text = NULL;

	if (v->state != KR_STATE_UNKNOWN || !v->either_default)
		return kr_text_words(v->state, &v->value);
	return kr_format(&text, "%s or %s", f->before, f->by_default) < 0
	               ? NULL
	               : text;
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

void kr_text_verdict(const struct kr_term *term, enum kr_verdict verdict,
                     const char *reason)
{
	kr_term_headline(term, verdicts[verdict].color, verdicts[verdict].word,
	                 reason);
}
