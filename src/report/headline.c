/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The first line of a result.
 *
 * One control is shown with its name and its number, so that a reader with a
 * scanner's report finds the line. Several are counted. That kubelet would not
 * start concerns the whole node and would be repeated for each control: it is
 * said once, behind the count. So is the reason why several have no verdict,
 * where it is the same.
 */

#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
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
static int say(char **text, const struct kr_judgement *j)
{
	const char *id = kr_judgement_number(j);
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

char *kr_headline_reason(const struct kr_judgement *j)
{
	char *text = NULL;

	return say(&text, j) < 0 ? NULL : text;
}

static char *say_one(const struct kr_judgement *j)
{
	char *text = NULL;

	if (say(&text, j) < 0)
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

/* Of those that kubelet would not start with a control that is at fault, which
 * has a place, else the first. */
static const struct kr_judgement *find_invalid(const struct kr_audit *a)
{
	const struct kr_judgement *found = NULL;

	KR_EACH(const struct kr_judgement, j, a->items, a->n_items) {
		if (!j->rule->test || j->verdict != KR_VERDICT_INVALID)
			continue;
		if (!found || (j->by_setting && !found->by_setting))
			found = j;
	}
	return found;
}

const struct kr_judgement *kr_headline_cause(const struct kr_audit *a)
{
	const struct kr_judgement *invalid = find_invalid(a);
	const char *shared = kr_headline_shared(a);

	if (a->n_items == 1)
		return &a->items[0];
	if (invalid || !shared)
		return invalid;
	return KR_FIRST(j, a->items, a->n_items, kr_headline_shares(j, shared));
}

struct count {
	size_t all, by[_KR_VERDICT_MAX];
	const char *invalid; /* that kubelet would not start, and why; NULL */
};

/* The reason mostly says that kubelet or systemd would not do it. */
static int say_invalid(const struct kr_judgement *j, char **ret)
{
	bool whole = strstr(j->reason, "kubelet would ") ||
	             strstr(j->reason, "kubelet cannot ") ||
	             strstr(j->reason, "systemd would not ");

	return kr_format(ret, "%s%s",
	                 whole ? "" : "kubelet would not start: ", j->reason);
}

static void count_up(const struct kr_audit *a, struct count *ret)
{
	struct count c = {0};

	KR_EACH(const struct kr_judgement, j, a->items, a->n_items) {
		if (!j->rule->test)
			continue;
		c.all += j->verdict != KR_VERDICT_NOT_APPLICABLE;
		c.by[j->verdict]++;
	}
	*ret = c;
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
		return kr_format(text, "%s", c->invalid);
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
	const struct kr_judgement *invalid = find_invalid(a);
	const char *shared = kr_headline_shared(a);
	int r = 0;

	if (invalid && shared && strcmp(shared, invalid->disk.reason) == 0)
		shared = NULL;

	if (c->by[KR_VERDICT_WAIVED] > 0)
		r = kr_format(text, "%s, %zu waived", *text,
		              c->by[KR_VERDICT_WAIVED]);
	if (r == 0 && c->by[KR_VERDICT_NOT_APPLICABLE] > 0)
		r = kr_format(text, "%s, %zu not applicable", *text,
		              c->by[KR_VERDICT_NOT_APPLICABLE]);
	if (r == 0 && c->by[KR_VERDICT_UNKNOWN] > 0 &&
	    a->verdict == KR_VERDICT_FAIL)
		r = kr_format(text, "%s, %zu without a verdict%s%s", *text,
		              c->by[KR_VERDICT_UNKNOWN], shared ? ": " : "",
		              shared ? shared : "");
	else if (r == 0 && shared)
		r = kr_format(text, "%s; %s", *text, shared);
	if (r == 0 && c->invalid && a->verdict == KR_VERDICT_FAIL)
		r = kr_format(text, "%s; %s", *text, c->invalid);
	return r;
}

char *kr_headline(const struct kr_audit *a)
{
	const struct kr_judgement *invalid = find_invalid(a);
	_cleanup_free_ char *text = NULL, *of = NULL, *why = NULL;
	struct count c;

	if (a->n_items == 1)
		return say_one(&a->items[0]);
	count_up(a, &c);
	if (c.all == 0)
		return strdup(a->reason);
	if (invalid && say_invalid(invalid, &why) < 0)
		return NULL;
	c.invalid = why;
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

const char *kr_headline_pending(const struct kr_diag *diag)
{
	static const struct {
		const char *code, *words;
	} kinds[] = {
		{"interrupted",
	         ", for now: a fix or undo was interrupted and is "
	         "going to be reverted"},
		{"run-stuck",
	         ", for now: a fix or undo is stuck and is going to be "
	         "reverted"},
		{"run-at-work", ", for now: a fix or undo is at work"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kr_diag_find(diag, kinds[i].code))
			return kinds[i].words;
	}
	return "";
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
