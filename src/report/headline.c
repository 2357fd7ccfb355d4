/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is said first.
 *
 * One control is said with its name and its number, so that whoever holds a
 * scanner's report finds the line. Several are counted. That kubelet would not
 * start is the whole node's and would stand in each control's line: it is said
 * once, behind the count; so is why several have no verdict, where that is the
 * same.
 */

#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "report/headline.h"

/* "1.8.0" is 1.8 for people. */
static int short_version(const char *version)
{
	const char *dot = strchr(version, '.');
	const char *second = dot ? strchr(dot + 1, '.') : NULL;

	return (int)(second ? second - version : (long)strlen(version));
}

char *kr_headline_edition(const struct kr_edition *edition)
{
	char *text = NULL;

	if (kr_format(&text, "%s %.*s", edition->title,
	              short_version(edition->version), edition->version) < 0)
		return NULL;
	return text;
}

/* --- one ----------------------------------------------------------------- */

/* The reason without the name, where that stands before it anyway. */
static int say(char **text, const char *id, const struct kr_judgement *j)
{
	const char *name = j->rule->name, *reason = j->reason;
	const char *found = strstr(reason, name);
	const char *rest = found ? found + strlen(name) : NULL;
	const char *blank = *id ? " " : "";

	if (found == reason)
		return kr_format(text, "%s%s%s", id, blank, reason);
	if (found && strncmp(rest, " = ", 3) == 0)
		return kr_format(text, "%s%s%s: %.*s%s", id, blank, name,
		                 (int)(found - reason), reason, rest + 3);
	return kr_format(text, "%s%s%s: %s", id, blank, name, reason);
}

static char *say_one(const struct kr_judgement *j,
                     const struct kr_edition *edition)
{
	struct kr_edition_control its = {.id = ""};
	char *text = NULL;

	if (edition)
		kr_edition_control(kr_edition_id(edition), j->rule->name, &its);
	if (say(&text, its.id, j) < 0)
		return NULL;
	if (j->waiver &&
	    kr_format(&text, "%s; waived: %s", text, j->waiver->reason) < 0)
		return NULL;
	return text;
}

/* --- several ------------------------------------------------------------- */

bool kr_headline_shares(const struct kr_judgement *j, const char *shared)
{
	return shared && j->rule->test && j->verdict == KR_VERDICT_UNKNOWN &&
	       j->disk.state == KR_STATE_UNKNOWN && j->disk.reason &&
	       strcmp(j->disk.reason, shared) == 0;
}

const char *kr_headline_shared(const struct kr_audit *a)
{
	for (size_t i = 0; i < a->n_items; i++) {
		const char *reason = a->items[i].disk.reason;

		if (!kr_headline_shares(&a->items[i], reason))
			continue;
		for (size_t k = i + 1; k < a->n_items; k++) {
			if (kr_headline_shares(&a->items[k], reason))
				return reason;
		}
	}
	return NULL;
}

struct count {
	size_t all, by[_KR_VERDICT_MAX];
	const char *invalid; /* why kubelet would not start; NULL */
};

static struct count count_up(const struct kr_audit *a)
{
	struct count c = {0};

	for (size_t i = 0; i < a->n_items; i++) {
		const struct kr_judgement *j = &a->items[i];

		if (!j->rule->test)
			continue;
		c.all += j->verdict != KR_VERDICT_NOT_APPLICABLE;
		c.by[j->verdict]++;
		if (j->verdict == KR_VERDICT_INVALID && !c.invalid)
			c.invalid = j->reason;
	}
	return c;
}

static int say_count(char **text, const struct kr_audit *a,
                     const struct count *c, const char *of)
{
	const char *s = c->all == 1 ? "" : "s";
	size_t n;

	switch (a->verdict) {
	case KR_VERDICT_FAIL:
		n = c->by[KR_VERDICT_FAIL];
		return kr_format(text, "%zu of %zu control%s%s fail%s", n,
		                 c->all, s, of, n == 1 ? "s" : "");
	case KR_VERDICT_INVALID:
		return kr_format(text, "kubelet would not start: %s",
		                 c->invalid);
	case KR_VERDICT_UNKNOWN:
		n = c->by[KR_VERDICT_UNKNOWN];
		return kr_format(text, "%zu of %zu control%s%s ha%s no verdict",
		                 n, c->all, s, of, n == 1 ? "s" : "ve");
	default:
		n = c->by[KR_VERDICT_PASS];
		return kr_format(text, "%zu of %zu control%s%s pass%s", n,
		                 c->all, s, of, n == 1 ? "es" : "");
	}
}

/* What stands behind the count. */
static int add_rest(char **text, const struct kr_audit *a,
                    const struct count *c)
{
	const char *shared = kr_headline_shared(a);
	int r = 0;

	if (c->by[KR_VERDICT_UNKNOWN] > 0 && a->verdict != KR_VERDICT_UNKNOWN &&
	    a->verdict != KR_VERDICT_INVALID)
		r = kr_format(text, "%s, %zu without a verdict", *text,
		              c->by[KR_VERDICT_UNKNOWN]);
	if (r == 0 && c->by[KR_VERDICT_WAIVED] > 0)
		r = kr_format(text, "%s, %zu waived", *text,
		              c->by[KR_VERDICT_WAIVED]);
	if (r == 0 && c->by[KR_VERDICT_NOT_APPLICABLE] > 0)
		r = kr_format(text, "%s, %zu not applicable", *text,
		              c->by[KR_VERDICT_NOT_APPLICABLE]);
	if (r == 0 && shared)
		r = kr_format(text, "%s; %s%s", *text,
		              a->verdict == KR_VERDICT_UNKNOWN ? ""
		                                               : "no verdict: ",
		              shared);
	if (r == 0 && c->invalid && a->verdict == KR_VERDICT_FAIL)
		r = kr_format(text, "%s; kubelet would not start: %s", *text,
		              c->invalid);
	return r;
}

char *kr_headline(const struct kr_audit *a, const struct kr_edition *edition)
{
	const struct count c = count_up(a);
	_cleanup_free_ char *text = NULL, *of = NULL;

	if (a->n_items == 1)
		return say_one(&a->items[0], edition);
	if (c.all == 0)
		return strdup(a->reason);
	if (a->edition) {
		of = kr_headline_edition(a->edition);
		if (!of || kr_format(&of, " of %s", of) < 0)
			return NULL;
	}
	if (say_count(&text, a, &c, of ? of : "") < 0 ||
	    add_rest(&text, a, &c) < 0)
		return NULL;
	return TAKE_PTR(text);
}

/* --- which first --------------------------------------------------------- */

const struct kr_view *kr_headline_view(const struct kr_judgement *j)
{
	const struct kr_view *const views[] = {&j->disk, &j->running, &j->live};
	const enum kr_answer wanted =
		j->verdict == KR_VERDICT_FAIL ? KR_ANSWER_FAIL : KR_ANSWER_PASS;

	if (j->verdict == KR_VERDICT_INVALID ||
	    j->verdict == KR_VERDICT_UNKNOWN)
		return &j->disk;
	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		if (views[i]->answer == wanted)
			return views[i];
	}
	return &j->disk;
}

static int rank(const struct kr_judgement *j)
{
	static const int ranks[_KR_VERDICT_MAX] = {
		[KR_VERDICT_FAIL] = 0,    [KR_VERDICT_INVALID] = 1,
		[KR_VERDICT_UNKNOWN] = 2, [KR_VERDICT_WAIVED] = 3,
		[KR_VERDICT_PASS] = 4,    [KR_VERDICT_NOT_APPLICABLE] = 5,
	};

	return j->rule->test ? ranks[j->verdict] : 6;
}

void kr_headline_sort(const struct kr_audit *a, const struct kr_judgement **ret)
{
	for (size_t i = 0; i < a->n_items; i++) {
		const struct kr_judgement *j = &a->items[i];
		size_t at = i;

		for (; at > 0 && rank(ret[at - 1]) > rank(j); at--)
			ret[at] = ret[at - 1];
		ret[at] = j;
	}
}
