/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Several controls for people: a table, the worst first.
 *
 *	VERDICT  NUMBER  NAME  VALUE  PLACE
 *
 * The columns are as wide as what stands in them; a number is there where a
 * scanner's report has one. The value is that of the view that the verdict is
 * from; a long one is cut, -o json has it all. On a terminal a row is one line:
 * values and the beginnings of places are cut; on a narrow one the middle of
 * the longest names is. After a fix the table has no places: why a value stays
 * is there instead.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "policy/demands.h"
#include "policy/sources.h"
#include "report/foresee.h"
#include "report/headline.h"
#include "report/next.h"
#include "report/text-controls.h"
#include "report/text-words.h"

#define VALUE_MAX 40
/* what is left of a value, and of all behind the name, where a terminal is too
 * narrow for a row */
#define VALUE_MIN 7
#define ROOM_MIN  16

/* --- the table ----------------------------------------------------------- */

struct line {
	const struct kr_judgement *j;
	char *value; /* no longer than VALUE_MAX */
	char *where;
	bool place; /* WHERE is one */
};

struct table {
	const char *start;          /* before each line */
	const struct kr_plan *plan; /* after it; NULL: as it is now */
	struct line *lines;
	size_t n;
	int verdict, id, name, value;     /* widths */
	size_t where;                     /* of the longest that is not cut */
	const struct kr_judgement *cause; /* kr_headline_cause() */
};

static void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->lines[i].value);
		free(t->lines[i].where);
	}
	free(t->lines);
}

static const char *verdict_word(const struct kr_judgement *j)
{
	return j->rule->test ? kr_text_verdict_word(j->verdict) : "-";
}

/* Why it has no value is said in the first line, of CAUSE. */
static bool is_said(const struct kr_judgement *j,
                    const struct kr_judgement *cause)
{
	return cause && !kr_state_is_value(kr_headline_view(j)->state) &&
	       (j->verdict == KR_VERDICT_INVALID ||
	        j->verdict == KR_VERDICT_UNKNOWN) &&
	       strcmp(j->disk.reason, cause->disk.reason) == 0;
}

/* What it has, in a column. */
static char *value_of(const struct kr_judgement *j,
                      const struct kr_judgement *cause)
{
	char *text = is_said(j, cause)
	                     ? strdup("-")
	                     : kr_text_view(j->rule, kr_headline_view(j));

	if (text && strlen(text) > VALUE_MAX)
		strlcpy(text + VALUE_MAX - strlen("..."), "...",
		        strlen("...") + 1);
	return text;
}

/* Where that is set, or what is to be said instead. RET_PLACE: it is a place.
 */
static int where_of(const struct kr_judgement *j, char **ret, bool *ret_place)
{
	const struct kr_view *v = kr_headline_view(j);
	const struct kr_source *s =
		v->source >= 0 ? &j->sources.items[v->source] : NULL;
	unsigned line, column;

	*ret_place = false;
	if (j->waiver && *j->waiver->until)
		return kr_format(ret, "%s (until %s)", j->waiver->reason,
		                 j->waiver->until);
	if (j->waiver)
		return kr_format(ret, "%s", j->waiver->reason);
	if (j->verdict == KR_VERDICT_NOT_APPLICABLE)
		return kr_format(ret, "%s", j->reason);
	if (s && s->span.file) {
		*ret_place = true;
		kr_span_position(s->span, &line, &column);
		return kr_format(ret, "%s:%u:%u", s->span.file->path, line,
		                 column);
	}
	if (v->state == KR_STATE_UNKNOWN && v->either_default)
		return kr_format(ret, "default, by version");
	*ret_place = s && s->path;
	if (*ret_place)
		return kr_format(ret, "%s", s->path);
	if (s && s->text)
		return kr_format(ret, "the argument %s", s->text);
	if (s && s->kind == KR_SOURCE_DEFAULT)
		return kr_format(ret, "default");
	return kr_format(ret, "%s", v->reason);
}

/* Why it is so after PLAN, where the verdict does not say it. */
static int why_of(const struct kr_judgement *j, const struct kr_plan *plan,
                  char **ret)
{
	const struct kr_left *left = kr_plan_left(plan, j->rule);

	if (left && j->verdict != KR_VERDICT_WAIVED)
		return kr_format(ret, "left: %s", kr_why_to_string(left->why));
	return kr_format(ret, "%s",
	                 j->restart_needed && j->verdict == KR_VERDICT_FAIL
	                         ? "until kubelet is restarted"
	                         : "");
}

static int fill(struct table *t, const struct kr_audit *a)
{
	_cleanup_free_ const struct kr_judgement **sorted =
		calloc(a->n_items, sizeof(*sorted));
	int r;

	t->lines = calloc(a->n_items, sizeof(*t->lines));
	if (!t->lines || !sorted)
		return -ENOMEM;
	kr_headline_sort(a, sorted);
	t->cause = t->plan ? NULL : kr_headline_cause(a);
	for (; t->n < a->n_items; t->n++) {
		struct line *line = &t->lines[t->n];

		line->j = sorted[t->n];
		line->value = value_of(line->j, t->cause);
		if (!line->value)
			return -ENOMEM;
		kr_text_widen(&t->verdict, verdict_word(line->j));
		kr_text_widen(&t->id, kr_judgement_number(line->j));
		kr_text_widen(&t->name, line->j->rule->name);
		kr_text_widen(&t->value, line->value);
		r = t->plan ? why_of(line->j, t->plan, &line->where)
		            : where_of(line->j, &line->where, &line->place);
		if (r < 0)
			return r;
		if ((line->place || t->plan) &&
		    kr_term_width(line->where) > t->where)
			t->where = kr_term_width(line->where);
	}
	return 0;
}

static void print_where(const struct kr_term *term, const struct line *line,
                        size_t room)
{
	if (line->place || *line->where == '/') {
		kr_term_begin(term,
		              line->place ? KR_COLOR_PLACE : KR_COLOR_PLAIN);
		kr_term_cut_start(term, line->where, room);
		kr_term_end(term);
	} else {
		kr_term_cut(term, line->where, room);
	}
}

/* How wide a value may be, and what stands behind it: SIZE_MAX where columns do
 * not count. A value leaves two thirds to the place, if that needs them. */
static void share(const struct kr_term *term, const struct table *t,
                  size_t *ret_value, size_t *ret_where)
{
	size_t used = strlen(t->start) + (size_t)t->verdict + strlen("  ") +
	              (t->id > 0 ? (size_t)t->id + strlen("  ") : 0) +
	              (size_t)t->name + strlen("  ");
	size_t room, value = (size_t)t->value;

	*ret_value = value;
	*ret_where = SIZE_MAX;
	if (!term->wraps || term->width == 0)
		return;
	room = term->width > used + ROOM_MIN ? term->width - used : ROOM_MIN;
	if (value + strlen("  ") + t->where > room) {
		size_t most = room > t->where + strlen("  ")
		                      ? room - t->where - strlen("  ")
		                      : 0;

		most = most > room / 3 ? most : room / 3;
		most = most > VALUE_MIN ? most : VALUE_MIN;
		*ret_value = value < most ? value : most;
	}
	*ret_where = room - *ret_value - strlen("  ");
}

static void print_line(const struct kr_term *term, const struct table *t,
                       const struct line *line)
{
	const struct kr_judgement *j = line->j;
	size_t value, where, width = kr_term_width(line->value);
	int name = (int)strlen(j->rule->name);

	share(term, t, &value, &where);
	fputs(t->start, term->out);
	kr_term_color(term, kr_text_color(j), "%-*s", t->verdict,
	              verdict_word(j));
	if (t->id > 0)
		fprintf(term->out, "  %-*s", t->id, kr_judgement_number(j));
	fputs("  ", term->out);
	kr_term_cut_middle(term, j->rule->name, (size_t)t->name);
	fprintf(term->out, "%*s", name < t->name ? t->name - name + 2 : 2, "");
	kr_term_cut(term, line->value, value);
	if (!is_said(j, t->cause) && *line->where) {
		width = width < value ? width : value;
		fprintf(term->out, "%*s", (int)(value + 2 - width), "");
		print_where(term, line, where);
	}
	fputc('\n', term->out);
}

void kr_text_more(const struct kr_term *term, const struct kr_judgement *j)
{
	_cleanup_free_ char *demand = kr_text_demand(j->rule, j->numbers);
	struct kr_edition_control its;

	if (j->rule->test && demand)
		kr_term_prose(term, "        demanded: ", demand);
	if (j->numbers &&
	    kr_edition_control(kr_edition_id(j->numbers), j->rule->name, &its))
		fprintf(term->out, "        level %u, %s\n", its.level,
		        kr_assessment_to_string(its.assessment));
	if (j->scanner)
		kr_term_prose(term, "        scanners: ", j->scanner);
}

static int print_table(const struct kr_term *term, struct table *t,
                       const struct kr_audit *audit, bool verbose)
{
	int r = fill(t, audit);

	if (r < 0)
		return r;
	t->name = kr_text_name_width(term, t->name);
	for (size_t i = 0; i < t->n; i++) {
		print_line(term, t, &t->lines[i]);
		if (verbose)
			kr_text_more(term, t->lines[i].j);
	}
	return 0;
}

int kr_text_table(const struct kr_term *term, const struct kr_audit *audit,
                  bool verbose)
{
	_cleanup_(table_done) struct table t = {.start = "  "};

	return print_table(term, &t, audit, verbose);
}

int kr_text_table_after(const struct kr_term *term,
                        const struct kr_audit *audit,
                        const struct kr_plan *plan)
{
	_cleanup_(table_done) struct table t = {.start = "#   ", .plan = plan};

	return print_table(term, &t, audit, false);
}

/* --- the end ------------------------------------------------------------- */

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

/* Whether kubelet's configuration may be edited at all. */
static bool may_write(const struct kr_node *node)
{
	const struct kr_inputs *in = &node->disk.inputs;
	size_t i = 0;

	while (i < in->n_files && kr_source_refusal(in->files[i]))
		i++;
	return in->n_files == 0 || i < in->n_files;
}

/* The options that the plan of a fix needs besides those that select: RET is
 * NULL where it fixes nothing. */
static int choose_options(const struct kr_node *node, const struct kr_audit *a,
                          const struct kr_plan *plan, bool named, char **ret)
{
	_cleanup_free_ char *asked = NULL, *values = NULL, *cure = NULL;
	_cleanup_free_ char *held = NULL;
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

		if (plan->left[i].why == KR_WHY_HOLD)
			r = add_name(&held, rule);
		else if (plan->left[i].why == KR_WHY_ASK &&
		         rule->owners_value && may_write(node))
			r = kr_format(&values, "%s%s", values ? values : "",
			              strstr(plan->left[i].options, " --set="));
	}
	if (r < 0)
		return r;
	if (plain && cure)
		return kr_format(ret, " --allow=%s", cure);
	if (plain)
		return kr_format(ret, "%s", "");
	if (asked || held)
		return kr_format(ret, " --allow=%s", asked ? asked : held);
	return values ? kr_format(ret, "%s", values) : 0;
}

static bool has_invalid(const struct kr_audit *a)
{
	return KR_ANY(j, a->items, a->n_items,
	              j->disk.state == KR_STATE_INVALID);
}

/* The command of a fix, without the options of the node; NULL and 0: none can
 * help. PLAN may be NULL. */
static int choose_fix(const struct kr_node *node, const struct kr_audit *a,
                      const struct kr_plan *plan, enum kr_foresight foresight,
                      const char *words, char **ret)
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
		r = choose_options(node, a, plan, named, &options);
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

/* Whether what forbids a fix of RULE stands in its block. */
static bool is_shown(const struct kr_audit *a, const struct kr_obstacles *known,
                     const struct kr_rule *rule)
{
	size_t i = 0;

	while (a->items[i].rule != rule)
		i++;
	return a->n_items > 1 && kr_obstacle_refusal(&known->items[i]);
}

/* What no fix changes: what else there is to do, of the first. */
static void print_way(const struct kr_next *next, const struct kr_plan *plan)
{
	_cleanup_diag_ struct kr_diag why = {0};

	KR_EACH(const struct kr_left, l, plan->left, plan->n_left) {
		if ((l->why != KR_WHY_REFUSED && l->rule->n_fields > 0) ||
		    is_shown(next->audit, next->known, l->rule))
			continue;
		kr_diag_add(&why, KR_ERROR, "refused", KR_SPAN_NONE, "%s: %s",
		            l->rule->name, l->text);
		kr_next_print_cause(next->term, kr_diag_cause(&why), true);
		return;
	}
}

int kr_text_next(const struct kr_next *next)
{
	const struct kr_term *term = next->term;
	const struct kr_node *node = next->host->node;
	const struct kr_audit *a = next->audit;
	struct kr_foreseen foreseen = {0};
	_cleanup_plan_ struct kr_plan *plan = NULL;
	_cleanup_free_ char *command = NULL;
	_cleanup_diag_ struct kr_diag why = {0};
	bool refused;
	int r = 0;

	if (a->verdict == KR_VERDICT_PASS)
		return 0;
	if (a->verdict != KR_VERDICT_UNKNOWN)
		r = kr_foresee_all(next->host, a, next->known, &why, &foreseen);
	plan = foreseen.plan;
	if (r < 0)
		return r;
	refused = foreseen.foresight == KR_FORESIGHT_REFUSED;
	if (!refused)
		r = choose_fix(node, a, plan, foreseen.foresight, next->words,
		               &command);
	if (r < 0)
		return r;
	if (command) {
		kr_next_print(term, node, next->api, command);
		return 0;
	}
	if (kr_node_waits(node))
		return kr_next_print_unknown(next);
	if (has_invalid(a))
		kr_next_print_cause(term, kr_next_fault(a, next->diag), false);
	else if (refused)
		kr_next_print_cause(term, kr_diag_cause(&why), true);
	else if (plan)
		print_way(next, plan);
	if (a->verdict != KR_VERDICT_UNKNOWN)
		return 0;
	for (size_t i = 0; i < a->n_items; i++) {
		if (a->items[i].verdict != KR_VERDICT_UNKNOWN ||
		    !a->items[i].needs_version)
			continue;
		kr_next_print_version(term, node, next->api, next->words);
		return 0;
	}
	return kr_next_print_unknown(next);
}
