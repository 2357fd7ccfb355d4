/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Several controls for people: a table, the worst first.
 *
 *	VERDICT  NUMBER  NAME  VALUE  PLACE
 *
 * The columns are as wide as what stands in them; a number is there where an
 * edition was chosen. The value is that of the view that the verdict is from; a
 * long one is cut, -o json has it all.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/vec.h"
#include "node/name.h"
#include "policy/demands.h"
#include "report/foresee.h"
#include "report/headline.h"
#include "report/next.h"
#include "report/text-controls.h"
#include "report/text-words.h"

#define VALUE_MAX 40

/* --- the table ----------------------------------------------------------- */

struct line {
	const struct kr_judgement *j;
	struct kr_edition_control its;
	char *value; /* no longer than VALUE_MAX */
};

struct table {
	struct line *lines;
	size_t n;
	int verdict, id, name, value; /* widths */
	const char *shared;           /* kr_headline_shared() */
};

static void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->lines[i].value);
	free(t->lines);
}

static const char *verdict_word(const struct kr_judgement *j)
{
	return j->rule->test ? kr_verdict_to_string(j->verdict) : "-";
}

static void widen(int *width, const char *text)
{
	int length = (int)strlen(text);

	if (length > *width)
		*width = length;
}

/* What it has, in a column. */
static char *value_of(const struct kr_judgement *j)
{
	char *text = kr_text_view(j->rule, kr_headline_view(j));

	if (text && strlen(text) > VALUE_MAX)
		strlcpy(text + VALUE_MAX - strlen("..."), "...",
		        strlen("...") + 1);
	return text;
}

static int fill(struct table *t, const struct kr_audit *a)
{
	_cleanup_free_ const struct kr_judgement **sorted =
		calloc(a->n_items, sizeof(*sorted));

	t->lines = calloc(a->n_items, sizeof(*t->lines));
	if (!t->lines || !sorted)
		return -ENOMEM;
	kr_headline_sort(a, sorted);
	t->shared = kr_headline_shared(a);
	for (; t->n < a->n_items; t->n++) {
		struct line *line = &t->lines[t->n];

		line->j = sorted[t->n];
		line->value = value_of(line->j);
		if (!line->value)
			return -ENOMEM;
		if (!a->edition ||
		    !kr_edition_control(kr_edition_id(a->edition),
		                        line->j->rule->name, &line->its))
			line->its.id = "";
		widen(&t->verdict, verdict_word(line->j));
		widen(&t->id, line->its.id);
		widen(&t->name, line->j->rule->name);
		widen(&t->value, line->value);
	}
	return 0;
}

static void print_where(const struct kr_term *term,
                        const struct kr_judgement *j, const char *shared)
{
	const struct kr_view *v = kr_headline_view(j);
	const struct kr_source *s =
		v->source >= 0 ? &j->sources.items[v->source] : NULL;

	if (kr_headline_shares(j, shared)) {
		kr_term_row(term, "", "no verdict, as said above");
	} else if (s && s->span.file) {
		kr_text_place(term, s->span);
		fputc('\n', term->out);
	} else if (j->verdict == KR_VERDICT_INVALID && !j->by_setting) {
		/* why is said once, for the node */
		kr_term_row(term, "", "kubelet would not start");
	} else if (v->state == KR_STATE_UNKNOWN && v->either_default) {
		kr_term_row(term, "", "kubelet's default, by its version");
	} else if (s && (s->path || s->text)) {
		kr_term_row(term, s->path ? "" : "the argument ",
		            s->path ? s->path : s->text);
	} else {
		kr_term_row(term, "", v->reason);
	}
}

static void print_line(const struct kr_term *term, const struct table *t,
                       const struct line *line)
{
	const struct kr_judgement *j = line->j;

	fputs("  ", term->out);
	kr_term_color(term, kr_text_color(j), "%-*s", t->verdict,
	              verdict_word(j));
	if (t->id > 0)
		fprintf(term->out, "  %-*s", t->id, line->its.id);
	fprintf(term->out, "  %-*s  ", t->name, j->rule->name);
	kr_term_text(term, line->value);
	fprintf(term->out, "%*s",
	        (int)((size_t)t->value + 2 - strlen(line->value)), "");
	if (j->waiver) {
		kr_term_text(term, j->waiver->reason);
		if (*j->waiver->until)
			fprintf(term->out, " (until %s)", j->waiver->until);
		fputc('\n', term->out);
	} else if (j->verdict == KR_VERDICT_NOT_APPLICABLE) {
		kr_term_row(term, "", j->reason);
	} else {
		print_where(term, j, t->shared);
	}
}

/* What the edition says of it, what is demanded, and what scanners miss. */
static void print_more(const struct kr_term *term, const struct line *line,
                       const struct kr_edition *edition)
{
	const struct kr_judgement *j = line->j;

	if (j->rule->test)
		fprintf(term->out, "        demanded: %s\n",
		        kr_rule_demand(j->rule, edition));
	if (*line->its.id)
		fprintf(term->out, "        level %u, %s\n", line->its.level,
		        kr_assessment_to_string(line->its.assessment));
	if (j->scanner)
		fprintf(term->out, "        scanners: %s\n", j->scanner);
}

int kr_text_table(const struct kr_term *term, const struct kr_audit *audit,
                  bool verbose)
{
	_cleanup_(table_done) struct table t = {0};
	int r = fill(&t, audit);

	if (r < 0)
		return r;
	for (size_t i = 0; i < t.n; i++) {
		print_line(term, &t, &t.lines[i]);
		if (verbose)
			print_more(term, &t.lines[i], audit->edition);
	}
	return 0;
}

/* --- the end ------------------------------------------------------------- */

int kr_text_evidence(const struct kr_term *term, struct kr_node *node,
                     const struct kr_edition *edition)
{
	_cleanup_free_ char *title = NULL;
	char name[KR_NODE_NAME_SIZE], when[KR_RFC3339_SIZE];

	if (edition) {
		title = kr_headline_edition(edition);
		if (!title)
			return -ENOMEM;
	}
	kr_node_name(node, name, sizeof(name));
	kr_rfc3339(kr_realtime_usec(), when);
	if (*name) {
		fputs("node ", term->out);
		kr_term_text(term, name);
		fputs(", ", term->out);
	}
	fprintf(term->out, "%s, %s%s" KR_NAME " " KR_VERSION "\n", when,
	        title ? title : "", title ? ", " : "");
	return 0;
}

static bool may_be_fixed(const struct kr_audit *a, const struct kr_judgement *j)
{
	if (j->verdict == KR_VERDICT_INVALID)
		return j->disk.state == KR_STATE_INVALID && j->by_setting;
	return j->verdict == KR_VERDICT_FAIL &&
	       (j->disk.answer == KR_ANSWER_FAIL ||
	        (a->explicit_wanted && j->disk.answer == KR_ANSWER_PASS &&
	         !j->restart_needed));
}

/* Adds RULE's name to the list RET. */
static int add_name(char **ret, const struct kr_rule *rule)
{
	return kr_format(ret, "%s%s%s", *ret ? *ret : "", *ret ? "," : "",
	                 rule->name);
}

/* The options that the plan of a fix needs besides those that select: RET is
 * NULL where it fixes nothing. */
static int choose_options(const struct kr_audit *a, const struct kr_plan *plan,
                          bool named, char **ret)
{
	_cleanup_free_ char *asked = NULL, *values = NULL, *cure = NULL;
	bool plain = false;
	int r = 0;

	for (size_t i = 0; i < plan->n_rules && r == 0; i++) {
		size_t k = 0;

		while (a->items[k].rule != plan->rules[i])
			k++;
		if (named || a->items[k].policy == KR_POLICY_AUTO)
			plain = true;
		else
			r = add_name(&asked, plan->rules[i]);
		/* what kubelet refuses keeps the others from being fixed */
		if (r == 0 && !named && a->items[k].policy == KR_POLICY_ASK &&
		    a->items[k].verdict == KR_VERDICT_INVALID &&
		    a->items[k].by_setting)
			r = add_name(&cure, plan->rules[i]);
	}
	for (size_t i = 0; i < plan->n_left && r == 0; i++) {
		const struct kr_rule *rule = plan->left[i].rule;

		if (plan->left[i].why == KR_WHY_ASK && rule->owners_value)
			r = kr_format(&values, "%s --set=%s=VALUE",
			              values ? values : "", rule->name);
	}
	if (r < 0)
		return r;
	if (plain && cure)
		return kr_format(ret, " --allow=%s", cure);
	if (plain)
		return kr_format(ret, "%s", "");
	if (asked)
		return kr_format(ret, " --allow=%s", asked);
	return values ? kr_format(ret, "%s", values) : 0;
}

static bool has_invalid(const struct kr_audit *a)
{
	for (size_t i = 0; i < a->n_items; i++) {
		if (a->items[i].verdict == KR_VERDICT_INVALID)
			return true;
	}
	return false;
}

/* The command of a fix, without the options of the node; NULL and 0: none can
 * help. PLAN may be NULL. */
static int choose_fix(const struct kr_audit *a, const struct kr_plan *plan,
                      enum kr_foresight foresight, const char *words,
                      char **ret)
{
	const char *written = a->explicit_wanted ? " --explicit" : "";
	bool named = strstr(words, " --control=");
	_cleanup_free_ char *options = NULL;
	const char *restart =
		foresight == KR_FORESIGHT_ALWAYS       ? " --restart=always"
		: foresight == KR_FORESIGHT_NO_RESTART ? " --restart=never"
						       : "";
	int r = 0;

	*ret = NULL;
	if (a->edition && a->edition->audit_only)
		return 0;
	if (plan)
		r = choose_options(a, plan, named, &options);
	for (size_t i = 0; !plan && !options && i < a->n_items && r == 0; i++) {
		if (a->items[i].policy == KR_POLICY_AUTO &&
		    may_be_fixed(a, &a->items[i]))
			r = kr_format(&options, "%s", "");
	}
	if (r == 0 && a->restart_needed && (!options || *options) &&
	    foresight != KR_FORESIGHT_NO_RESTART)
		return kr_format(ret, "fix%s%s%s", words, written, restart);
	if (r < 0 || !options)
		return r;
	return kr_format(ret, "fix -n%s%s%s%s", words, written, options,
	                 restart);
}

int kr_text_next(const struct kr_term *term, struct kr_host *host,
                 const struct kr_api_options *api, const struct kr_audit *a,
                 const char *words, const struct kr_diag *diag)
{
	struct kr_node *node = host->node;
	_cleanup_free_ char *command = NULL, *again = NULL;
	_cleanup_plan_ struct kr_plan *plan = NULL;
	_cleanup_diag_ struct kr_diag why = {0};
	enum kr_foresight foresight = KR_FORESIGHT_GOES;
	int r = 0;

	if (a->verdict == KR_VERDICT_PASS)
		return 0;
	if (a->verdict != KR_VERDICT_UNKNOWN)
		r = kr_foresee_all(host, a, &why, &foresight, &plan);
	if (r < 0)
		return r;
	if (foresight != KR_FORESIGHT_REFUSED)
		r = choose_fix(a, plan, foresight, words, &command);
	if (r < 0)
		return r;
	if (command) {
		kr_next_print(term, node, api, command);
		return 0;
	}
	if (has_invalid(a))
		kr_next_print_cause(term, diag, false);
	else if (foresight == KR_FORESIGHT_REFUSED)
		kr_next_print_cause(term, &why, true);
	for (size_t i = 0; i < a->n_items; i++) {
		if (a->items[i].verdict != KR_VERDICT_UNKNOWN ||
		    !a->items[i].needs_version ||
		    a->verdict != KR_VERDICT_UNKNOWN)
			continue;
		r = kr_format(&again, "audit%s --kubelet-version=V", words);
		if (r == 0)
			kr_next_print(term, node, api, again);
		return r;
	}
	return 0;
}
