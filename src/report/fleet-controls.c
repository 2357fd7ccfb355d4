/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Several controls of many nodes, by one question a node.
 *
 * What configz never shows is left out and named once: the modes and owners of
 * files, and flags that are no fields (hostname-override, seccomp-default).
 * Whether a file that is named loads is not looked at.
 *
 * configz shows what kubelet has, and not why. A zero that it leaves out may be
 * written down or not: it counts as not set, which of rotateCertificates
 * passes. A serving certificate by kubelet's own name may be one that kubelet
 * has made itself: no verdict.
 *
 * Where each node has an edition of its own, the controls are those of all
 * editions together. A control that a node's edition lacks is not applicable
 * to that node; a control that all editions lack is not mentioned, unless it
 * was named.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/json-build.h"
#include "policy/views.h"
#include "report/fleet-controls.h"
#include "report/headline.h"
#include "report/json-audit.h"
#include "report/text-words.h"

#define INDENT 2

static bool is_shown(const struct kr_rule *rule)
{
	bool shown = rule->subject == KR_SUBJECT_FIELDS;

	for (size_t i = 0; i < rule->n_fields; i++)
		shown = shown && kr_configz_shows(rule->fields[i]);
	return shown;
}

void kr_fleet_controls_begin(const struct kr_rules *rules,
                             struct kr_fleet_controls *ret)
{
	const struct kr_rule *others[KR_N_RULES];
	size_t n = 0, n_others = 0;

	*ret = (struct kr_fleet_controls){0};
	for (size_t i = 0; i < rules->n_items; i++) {
		const struct kr_rule *rule = rules->items[i];

		if (!is_shown(rule))
			ret->left[ret->n_left++] = rule;
		else if (rule->test)
			ret->judged[n++] = rule;
		else
			others[n_others++] = rule;
	}
	ret->n_demanded = n;
	for (size_t i = 0; i < n_others; i++)
		ret->judged[n++] = others[i];
	ret->rules = (struct kr_rules){ret->judged, n, rules->edition};
}

/* --- a node -------------------------------------------------------------- */

static const struct kr_edition *edition_of(const struct kr_fleet_controls *c,
                                           const struct kr_node_entry *node)
{
	if (!c->by_node)
		return c->rules.edition;
	return &kr_editions[kr_edition_for(node->platform, node->minor)];
}

static bool edition_has(const struct kr_fleet_controls *c,
                        const struct kr_edition *edition,
                        const struct kr_rule *rule)
{
	struct kr_edition_control its;

	return kr_edition_control(kr_edition_id(edition), rule->name, &its) &&
	       (!c->by_node || c->level == 0 || its.level <= c->level);
}

/* Why RULE is not applicable. 1; 0: it is; -ENOMEM. */
static int is_beside(const struct kr_fleet_controls *c,
                     const struct kr_edition *edition, unsigned minor,
                     const struct kr_rule *rule, char **reason)
{
	unsigned first = kr_field(rule->fields[0])->first_minor;
	int r;

	if (!edition || !kr_edition_of_any(rule->name))
		return 0;
	if (!edition_has(c, edition, rule)) {
		r = kr_format(reason, "%s %s has no such control",
		              edition->title, edition->version);
		return r < 0 ? r : 1;
	}
	if (minor == 0 || minor >= first)
		return 0;
	r = kr_format(reason, "kubelet 1.%u has no %s", minor, rule->name);
	return r < 0 ? r : 1;
}

/* What VALUES have of RULE's fields; borrowed. Whether kubelet may have made a
 * certificate that it shows: then there is none here. */
static bool decide(const struct kr_rule *rule,
                   const struct kr_configz_values *values,
                   struct kr_decision ret[static KR_RULE_FIELDS_MAX])
{
	static char nothing[] = "";
	bool made = false;

	for (size_t i = 0; i < KR_RULE_FIELDS_MAX; i++) {
		const struct kr_configz_value *v =
			&values->items[rule->fields[i]];

		ret[i] = (struct kr_decision){0};
		if (i >= rule->n_fields + rule->n_also)
			continue;
		ret[i].state = v->state;
		ret[i].value = v->value;
		ret[i].by = v->left_out ? KR_BY_DEFAULT : KR_BY_NOTHING;
		if (v->self_made)
			ret[i].value.s = nothing;
		made = made || v->self_made;
	}
	return made;
}

/* Of all fields that RULE shows, the first that has none, else the first. */
static const struct kr_configz_value *find_worst(
	const struct kr_rule *rule, const struct kr_configz_values *values)
{
	for (size_t i = 0; i < rule->n_fields; i++) {
		if (!kr_state_is_value(values->items[rule->fields[i]].state))
			return &values->items[rule->fields[i]];
	}
	return &values->items[rule->fields[0]];
}

static int find_value(const struct kr_rule *rule,
                      const struct kr_configz_values *values,
                      struct kr_value *ret)
{
	struct kr_decision shown[KR_RULE_FIELDS_MAX] = {0};

	if (rule->n_fields == 1)
		return kr_value_copy(&values->items[rule->fields[0]].value,
		                     ret);
	for (size_t i = 0; i < rule->n_fields; i++)
		shown[i].value = values->items[rule->fields[i]].value;
	return kr_views_pair(rule, shown, ret);
}

/* The reason of a finding that has a value. */
static int say_value(const struct kr_finding *f, const struct kr_value *value,
                     bool by_default, char **reason)
{
	const struct kr_view view = {.state = f->live, .value = *value};
	_cleanup_free_ char *said = NULL;
	int r = kr_judge_say(f->rule, &view, " = ", &said);

	if (r < 0)
		return r;
	return kr_format(
		reason, "kubelet runs with %s%s", said,
		by_default ? "; configz does not show whether a file sets it"
			   : "");
}

static int judge(const struct kr_edition *edition,
                 const struct kr_configz_values *values, struct kr_finding *f,
                 struct kr_value *value, char **reason)
{
	const struct kr_rule *rule = f->rule;
	const struct kr_configz_value *v = find_worst(rule, values);
	struct kr_decision d[KR_RULE_FIELDS_MAX];
	bool made = decide(rule, values, d), by_default = false;
	enum kr_answer answer = kr_rule_ask(rule, edition, d);
	int r;

	f->live = v->state;
	f->why = v->reason;
	f->verdict =
		answer == KR_ANSWER_FAIL ? KR_VERDICT_FAIL : KR_VERDICT_PASS;
	if (answer == KR_ANSWER_FAIL && made)
		f->why = "kubelet may have made this certificate itself: its "
			 "name is that of such a certificate";
	if ((answer == KR_ANSWER_FAIL && made) ||
	    (answer == KR_ANSWER_NONE && rule->test))
		f->verdict = KR_VERDICT_UNKNOWN;
	if (kr_state_is_value(v->state)) {
		r = find_value(rule, values, value);
		if (r < 0)
			return r;
	}
	if (f->verdict == KR_VERDICT_UNKNOWN || !kr_state_is_value(v->state))
		return kr_format(reason, "%s: %s", rule->name, f->why);
	f->why = NULL;
	if (answer == KR_ANSWER_PASS && d[0].by == KR_BY_DEFAULT) {
		d[0].by = KR_BY_NOTHING;
		by_default = kr_rule_ask(rule, edition, d) == KR_ANSWER_FAIL;
	}
	return say_value(f, value, by_default, reason);
}

/* Finding I of NODE, which has answered. */
static int judge_heard(const struct kr_fleet_controls *c,
                       const struct kr_node_entry *node,
                       struct kr_fleet_heard *heard, size_t i)
{
	struct kr_finding *f = &heard->findings[i];
	char **reason = &heard->reasons[i];
	int r = is_beside(c, heard->edition, node->minor, f->rule, reason);

	if (r < 0)
		return r;
	if (r > 0) {
		f->verdict = KR_VERDICT_NOT_APPLICABLE;
		return 0;
	}
	r = judge(heard->edition, &heard->configz, f, &heard->values[i],
	          reason);
	if (r < 0 || !c->waivers)
		return r;
	f->waiver = kr_waivers_find(c->waivers, f->rule->name);
	if (f->waiver) {
		f->verdict = KR_VERDICT_WAIVED;
		f->why = NULL;
	}
	return 0;
}

/* How bad it is for its node: what is waived, or not applicable, is no reason
 * to pass, either. */
static int rank(const struct kr_finding *f)
{
	switch (f->verdict) {
	case KR_VERDICT_FAIL:
		return 3;
	case KR_VERDICT_UNKNOWN:
		return 2;
	case KR_VERDICT_PASS:
		return 1;
	default:
		return 0;
	}
}

/* The worst of N findings, and all that are as bad. What has no demand is as
 * good as what is waived. 0 or -ENOMEM. */
static int sum_up(struct kr_fleet_heard *heard, size_t n,
                  const struct kr_configz *configz)
{
	const struct kr_finding *first = &heard->findings[0];
	_cleanup_free_ char *names = NULL;
	size_t n_bad = 0;
	int r = 0;

	for (size_t i = 1; i < n; i++) {
		if (rank(&heard->findings[i]) > rank(first))
			first = &heard->findings[i];
	}
	heard->verdict = rank(first) > 0 ? first->verdict : KR_VERDICT_PASS;
	for (size_t i = 0; i < n && r == 0; i++) {
		if (rank(&heard->findings[i]) < rank(first))
			continue;
		n_bad++;
		r = kr_format(&names, "%s%s%s", names ? names : "",
		              names ? ", " : "", heard->findings[i].rule->name);
	}
	if (r < 0)
		return r;
	if (heard->verdict == KR_VERDICT_FAIL && n_bad > 1)
		return kr_format(&heard->reason, "%zu controls fail: %s", n_bad,
		                 names);
	if (heard->verdict == KR_VERDICT_UNKNOWN && n_bad > 1 && configz->body)
		return kr_format(&heard->reason,
		                 "no verdict on %zu controls: %s: %s", n_bad,
		                 names, first->why);
	return kr_format(&heard->reason, "%s", first->reason);
}

int kr_fleet_hear(struct kr_fleet_controls *c, const struct kr_node_entry *node,
                  const struct kr_configz *configz, struct kr_fleet_heard *ret)
{
	int r = kr_configz_values_read(configz->body, configz->body_size,
	                               &ret->configz);

	ret->edition = edition_of(c, node);
	/* of a node of which nothing is known it is a guess */
	if (c->by_node && (configz->body || node->platform || node->minor > 0))
		c->n_of_edition[kr_edition_id(ret->edition)]++;
	for (size_t i = 0; i < c->rules.n_items && r >= 0; i++) {
		struct kr_finding *f = &ret->findings[i];

		*f = (struct kr_finding){
			.node = node->name,
			.rule = c->judged[i],
			.numbers = kr_fleet_numbers(
				node, c->judged[i],
				c->by_node ? ret->edition : c->rules.edition),
			.first = i == 0,
			.verdict = KR_VERDICT_UNKNOWN,
			.reason = configz->reason,
			.disk = KR_STATE_ABSENT,
			.running = KR_STATE_ABSENT,
			.live = KR_STATE_UNKNOWN,
			.time_usec = kr_realtime_usec(),
		};
		if (configz->body)
			r = judge_heard(c, node, ret, i);
		else if (c->by_node && !edition_has(c, ret->edition, f->rule))
			f->verdict = KR_VERDICT_NOT_APPLICABLE;
		if (ret->reasons[i])
			f->reason = ret->reasons[i];
		if (f->rule->test)
			c->n_verdicts[i][f->verdict]++;
	}
	return r < 0 ? r : sum_up(ret, c->rules.n_items, configz);
}

void kr_fleet_heard_done(struct kr_fleet_heard *heard)
{
	for (size_t i = 0; i < ARRAY_SIZE(heard->reasons); i++) {
		free(heard->reasons[i]);
		kr_value_done(&heard->values[i]);
	}
	free(heard->reason);
	kr_configz_values_done(&heard->configz);
	*heard = (struct kr_fleet_heard){0};
}

/* --- JSON ---------------------------------------------------------------- */

static int print_line(struct kr_build *b, cJSON *root, FILE *out)
{
	_cleanup_free_ char *line = kr_build_line(b, root);

	if (!line)
		return -ENOMEM;
	fprintf(out, "%s\n", line);
	return 0;
}

int kr_fleet_json_heard(FILE *out, const struct kr_fleet_controls *c,
                        const struct kr_fleet_heard *heard, const char *detail)
{
	struct kr_build b = {0};
	cJSON *root = cJSON_CreateObject(), *controls;

	kr_build_string(&b, root, "node", heard->findings[0].node);
	kr_build_when(&b, root, "time", heard->findings[0].time_usec);
	kr_build_string(&b, root, "verdict",
	                kr_verdict_to_string(heard->verdict));
	kr_build_string(&b, root, "reason", heard->reason);
	kr_build_string(&b, root, "detail", *detail ? detail : NULL);
	if (heard->edition)
		kr_build_string(&b, root, "benchmark", heard->edition->name);
	controls = kr_build_array(&b, root, "controls");
	for (size_t i = 0; i < c->rules.n_items; i++) {
		const struct kr_finding *f = &heard->findings[i];
		cJSON *o;

		if (c->by_node && !c->named &&
		    !edition_has(c, heard->edition, f->rule))
			continue;
		o = kr_build_element(&b, controls);
		kr_fleet_json_control(&b, o, f, &heard->values[i]);
	}
	return print_line(&b, root, out);
}

/* Whether a node's edition has it, or it was asked for. */
static bool is_seen(const struct kr_fleet_controls *c,
                    const struct kr_rule *rule)
{
	if (!c->by_node || c->named)
		return true;
	for (size_t i = 0; i < KR_N_EDITIONS; i++) {
		if (c->n_of_edition[i] > 0 &&
		    edition_has(c, &kr_editions[i], rule))
			return true;
	}
	return false;
}

static size_t count_left(const struct kr_fleet_controls *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_left; i++)
		n += is_seen(c, c->left[i]);
	return n;
}

/* How many controls are waived on some node. */
static size_t count_waived(const struct kr_fleet_controls *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_demanded; i++)
		n += c->n_verdicts[i][KR_VERDICT_WAIVED] > 0;
	return n;
}

int kr_fleet_json_total(FILE *out, const struct kr_fleet_controls *c,
                        const struct kr_fleet_summary *s)
{
	struct kr_build b = {0};
	cJSON *root = cJSON_CreateObject(), *list;
	cJSON *sum = kr_build_object(&b, root, "summary");

	kr_fleet_json_sum(&b, sum, s);
	list = kr_build_array(&b, sum, "not_judged");
	for (size_t i = 0; i < c->n_left; i++) {
		if (is_seen(c, c->left[i]))
			kr_build_word(&b, list, c->left[i]->name);
	}
	list = kr_build_array(&b, sum, "controls");
	for (size_t i = 0; i < c->rules.n_items; i++) {
		cJSON *o;

		if (!is_seen(c, c->judged[i]))
			continue;
		o = kr_build_element(&b, list);
		kr_build_string(&b, o, "name", c->judged[i]->name);
		kr_fleet_json_counts(&b, o, c->n_verdicts[i], true);
	}
	return print_line(&b, root, out);
}

/* --- text ---------------------------------------------------------------- */

/* What comes behind the number of nodes, of which there are N. */
static int say_of(char **text, const struct kr_fleet_controls *c, size_t n)
{
	_cleanup_free_ char *of = NULL;

	if (c->by_node)
		return kr_format(text, "%s of %s", *text,
		                 n == 1 ? "its edition" : "their editions");
	if (!c->rules.edition)
		return 0;
	of = kr_headline_edition(c->rules.edition);
	return of ? kr_format(text, "%s of %s", *text, of) : -ENOMEM;
}

int kr_fleet_controls_headline(const struct kr_fleet_controls *c,
                               const struct kr_fleet_summary *s, char **text)
{
	size_t n_fail = s->n_verdicts[KR_VERDICT_FAIL];
	size_t n_unknown = s->n_verdicts[KR_VERDICT_UNKNOWN];
	size_t n_asked = s->n_verdicts[KR_VERDICT_PASS] + n_fail + n_unknown;
	size_t n = n_asked < s->n_nodes ? s->n_nodes : n_asked;
	size_t n_left = count_left(c), n_waived = count_waived(c);
	int r;

	if (n_asked == 0)
		r = kr_format(text, "no node was asked");
	else if (n_fail > 0)
		r = kr_format(text, "%zu of %zu node%s a control", n_fail, n,
		              n == 1 ? " fails" : "s fail");
	else if (n_unknown > 0)
		r = kr_format(text, "no %s %zu of %zu node%s",
		              c->n_demanded > 0 ? "verdict on" : "answer from",
		              n_unknown, n, n == 1 ? "" : "s");
	else if (c->n_demanded == 0)
		r = kr_format(text,
		              "nothing is demanded of what was asked for");
	else
		r = kr_format(text, "%zu of %zu node%s every control",
		              s->n_verdicts[KR_VERDICT_PASS], n,
		              n == 1 ? " passes" : "s pass");
	if (r < 0)
		return r;
	if (c->n_demanded > 0 && n_asked > 0 && (n_fail > 0 || n_unknown == 0))
		r = say_of(text, c, n);
	if (r < 0)
		return r;
	if (n_fail > 0 && n_unknown > 0)
		r = kr_format(text, "%s, no verdict on %zu", *text, n_unknown);
	if (r == 0 && n_waived > 0)
		r = kr_format(text, "%s, %zu control%s waived", *text, n_waived,
		              n_waived == 1 ? " is" : "s are");
	if (r < 0)
		return r;
	if (s->reason)
		r = kr_format(text, "%s%s: %s", *text,
		              n_asked == 0  ? ""
		              : s->unlisted ? "; their editions are unknown"
		                            : "; not all were asked",
		              s->reason);
	if (r < 0 || n_left == 0)
		return r;
	return kr_format(text, "%s; %zu control%s not in configz", *text,
	                 n_left, n_left == 1 ? " is" : "s are");
}

/* --- the table ----------------------------------------------------------- */

static const struct {
	enum kr_verdict verdict;
	const char *head;
	bool always;
} columns[] = {
	{KR_VERDICT_FAIL, "fail", true},
	{KR_VERDICT_UNKNOWN, "unknown", true},
	{KR_VERDICT_PASS, "pass", true},
	{KR_VERDICT_WAIVED, "waived", false},
	{KR_VERDICT_NOT_APPLICABLE, "n/a", false},
};

/* Whether a row of the table has a node in it. */
static bool has_rows(const struct kr_fleet_controls *c)
{
	for (size_t i = 0; i < c->n_demanded; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(columns); k++) {
			if (is_seen(c, c->judged[i]) &&
			    c->n_verdicts[i][columns[k].verdict] > 0)
				return true;
		}
	}
	return false;
}

static bool has_column(const struct kr_fleet_controls *c, size_t column)
{
	bool has = columns[column].always;

	for (size_t i = 0; i < c->n_demanded; i++) {
		if (is_seen(c, c->judged[i]))
			has |= c->n_verdicts[i][columns[column].verdict] > 0;
	}
	return has;
}

static void print_row(const struct kr_term *term,
                      const struct kr_fleet_controls *c, size_t i,
                      const char *name)
{
	fprintf(term->out, "%*s%s", INDENT, "", name);
	for (size_t k = 0; k < ARRAY_SIZE(columns); k++) {
		if (has_column(c, k))
			fprintf(term->out, "  %7zu",
			        c->n_verdicts[i][columns[k].verdict]);
	}
	fputc('\n', term->out);
}

/* Which of the controls A and B is shown first: what more nodes fail, then what
 * is unknown of more. */
static bool is_worse(const struct kr_fleet_controls *c, size_t a, size_t b)
{
	const size_t *x = c->n_verdicts[a], *y = c->n_verdicts[b];

	if (x[KR_VERDICT_FAIL] != y[KR_VERDICT_FAIL])
		return x[KR_VERDICT_FAIL] > y[KR_VERDICT_FAIL];
	return x[KR_VERDICT_UNKNOWN] > y[KR_VERDICT_UNKNOWN];
}

/* Those that are equal stay in the edition's order. */
static void sort(const struct kr_fleet_controls *c,
                 size_t ret[static KR_N_RULES])
{
	for (size_t i = 0; i < c->n_demanded; i++) {
		size_t at = i;

		for (; at > 0 && is_worse(c, i, ret[at - 1]); at--)
			ret[at] = ret[at - 1];
		ret[at] = i;
	}
}

/* Numbers and names, in columns. NAMES has room for KR_N_RULES and the head,
 * which comes last; the caller ends it. 0 or -ENOMEM. */
static int make_names(const struct kr_fleet_controls *c,
                      const struct kr_fleet_summary *s,
                      struct kr_strings *names)
{
	_cleanup_(kr_strings_done) struct kr_strings ids = {0};
	size_t n = c->n_demanded;
	int width = (int)strlen("control"), id_width = 0;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		_cleanup_free_ char *its =
			kr_fleet_ids(s, c->judged[i], c->rules.edition);

		r = its ? kr_strings_add(&ids, its) : -ENOMEM;
		if (r < 0 || !is_seen(c, c->judged[i]))
			continue;
		kr_text_widen(&id_width, its);
		kr_text_widen(&width, c->judged[i]->name);
	}
	for (size_t i = 0; i <= n && r == 0; i++) {
		_cleanup_free_ char *text = NULL;

		r = kr_format(&text, "%-*s%s%-*s", id_width,
		              i < n ? ids.items[i] : "",
		              id_width > 0 ? "  " : "", width,
		              i < n ? c->judged[i]->name : "control");
		if (r == 0)
			r = kr_strings_add(names, text);
	}
	return r;
}

static int print_table(const struct kr_term *term,
                       const struct kr_fleet_controls *c,
                       const struct kr_fleet_summary *s)
{
	_cleanup_(kr_strings_done) struct kr_strings names = {0};
	size_t order[KR_N_RULES], n = c->n_demanded;
	int r;

	if (!has_rows(c))
		return 0;
	r = make_names(c, s, &names);
	if (r < 0)
		return r;
	sort(c, order);
	fprintf(term->out, "%*s%s", INDENT, "", names.items[n]);
	for (size_t k = 0; k < ARRAY_SIZE(columns); k++) {
		if (has_column(c, k))
			fprintf(term->out, "  %7s", columns[k].head);
	}
	fputc('\n', term->out);
	for (size_t i = 0; i < n; i++) {
		if (is_seen(c, c->judged[order[i]]))
			print_row(term, c, order[i], names.items[order[i]]);
	}
	return 0;
}

static int print_editions(const struct kr_term *term,
                          const struct kr_fleet_controls *c)
{
	const char *before = "edition: ";

	for (size_t i = 0; i < KR_N_EDITIONS; i++) {
		size_t n = c->n_of_edition[i];
		_cleanup_free_ char *title = NULL;

		if (n == 0)
			continue;
		title = kr_headline_edition(&kr_editions[i]);
		if (!title)
			return -ENOMEM;
		fprintf(term->out, "%*s%s%s (%zu node%s)\n", INDENT, "", before,
		        title, n, n == 1 ? "" : "s");
		before = "         ";
	}
	return 0;
}

static int print_left(const struct kr_term *term,
                      const struct kr_fleet_controls *c)
{
	_cleanup_(kr_strings_done) struct kr_strings names = {0};

	for (size_t i = 0; i < c->n_left; i++) {
		int r = is_seen(c, c->left[i])
		                ? kr_strings_add(&names, c->left[i]->name)
		                : 0;

		if (r < 0)
			return r;
	}
	if (names.n_items == 0)
		return 0;
	fprintf(term->out, "%*snot in configz:\n", INDENT, "");
	kr_fleet_text_names(term, &names);
	return 0;
}

int kr_fleet_text_controls(const struct kr_term *term,
                           const struct kr_fleet_controls *c,
                           struct kr_fleet_table *table,
                           const struct kr_fleet_summary *s)
{
	_cleanup_free_ char *text = NULL;
	int r = kr_fleet_controls_headline(c, s, &text);

	if (r < 0)
		return r;
	if (c->n_demanded > 0 || kr_fleet_verdict(s) != KR_VERDICT_PASS)
		kr_text_verdict(term, kr_fleet_verdict(s), text);
	else
		kr_term_headline(term, KR_COLOR_DIM, "NO DEMAND", text);
	r = print_editions(term, c);
	if (r < 0)
		return r;
	r = print_table(term, c, s);
	if (r < 0)
		return r;
	r = print_left(term, c);
	if (r < 0)
		return r;
	return kr_fleet_text_groups(term, table, s, NULL);
}
