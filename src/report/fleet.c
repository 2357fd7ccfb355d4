/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Many nodes, for people and for scripts.
 *
 * For scripts each node is a line when it is heard of, and nothing is kept. For
 * people the verdict on all comes first, so what is said below it must be kept
 * until then: of what passes a number; of the rest the reasons, and of each
 * reason so many names. Both are bounded, whatever the number of nodes, unless
 * all names are asked for.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "policy/demands.h"
#include "report/fleet.h"
#include "report/headline.h"
#include "report/json-audit.h"
#include "report/text-words.h"

#define GROUPS_MAX    64
#define WIDTH_DEFAULT 80
#define INDENT        6

struct kr_fleet_group {
	enum kr_verdict verdict;
	char *reason;
	char *example; /* what the server itself said of one of them, or NULL */
	size_t n_nodes;
	struct kr_strings names;
};

/* --- a node -------------------------------------------------------------- */

const struct kr_edition *kr_fleet_numbers(const struct kr_node_entry *node,
                                          const struct kr_rule *rule,
                                          const struct kr_edition *chosen)
{
	const struct kr_edition *its =
		node->platform || node->minor > 0
			? &kr_editions[kr_edition_for(node->platform,
	                                              node->minor)]
			: NULL;

	return kr_demand_numbers(rule, chosen, its);
}

struct kr_finding kr_fleet_finding(const struct kr_node_entry *node,
                                   const struct kr_rule *rule,
                                   const struct kr_configz *configz,
                                   char reason[static KR_FLEET_REASON_SIZE])
{
	bool value = configz->state == KR_STATE_TRUE;
	struct kr_finding finding = {
		.node = node->name,
		.rule = rule,
		.numbers = kr_fleet_numbers(node, rule, NULL),
		.first = true,
		.verdict = KR_VERDICT_UNKNOWN,
		.reason = reason,
		.disk = KR_STATE_ABSENT,
		.running = KR_STATE_ABSENT,
		.live = KR_STATE_UNKNOWN,
		.time_usec = kr_realtime_usec(),
	};

	if (configz->state == KR_STATE_UNKNOWN) {
		strlcpy(reason, configz->reason, KR_FLEET_REASON_SIZE);
		return finding;
	}
	finding.verdict =
		value == rule->want.b ? KR_VERDICT_PASS : KR_VERDICT_FAIL;
	finding.live = value ? KR_STATE_TRUE : KR_STATE_FALSE;
	snprintf(reason, KR_FLEET_REASON_SIZE, "kubelet runs with %s = %s",
	         rule->name, kr_state_to_string(finding.live));
	return finding;
}

enum kr_verdict kr_fleet_verdict(const struct kr_fleet_summary *s)
{
	if (s->n_verdicts[KR_VERDICT_FAIL] > 0)
		return KR_VERDICT_FAIL;
	if (s->n_verdicts[KR_VERDICT_UNKNOWN] > 0 || !s->complete ||
	    s->n_verdicts[KR_VERDICT_PASS] == 0)
		return KR_VERDICT_UNKNOWN;
	return KR_VERDICT_PASS;
}

/* --- JSON ---------------------------------------------------------------- */

static int print_line(struct kr_build *b, cJSON *root, FILE *out)
{
	_cleanup_free_ char *line = kr_build_line(b, root);

	if (!line)
		return -ENOMEM;
	fputs(line, out);
	fputc('\n', out);
	return 0;
}

void kr_fleet_json_control(struct kr_build *b, cJSON *o,
                           const struct kr_finding *f,
                           const struct kr_value *value)
{
	const char *number = kr_edition_number(f->numbers, f->rule->name);

	kr_build_string(b, o, "name", f->rule->name);
	kr_build_string(b, o, "id", *number ? number : NULL);
	kr_build_string(b, o, "id_edition",
	                f->numbers ? f->numbers->name : NULL);
	kr_build_string(b, o, "verdict",
	                f->rule->test ? kr_verdict_to_string(f->verdict)
	                              : NULL);
	kr_build_string(b, o, "reason", f->reason);
	kr_json_add_waiver(b, o, f->waiver);
	kr_json_add_value(b, o, "value", f->live, value);
}

int kr_fleet_json_node(FILE *out, const struct kr_finding *f,
                       const char *detail)
{
	const struct kr_value value = {.type = KR_TYPE_BOOL,
	                               .b = f->live == KR_STATE_TRUE};
	struct kr_build b = {0};
	cJSON *root = cJSON_CreateObject(), *control;

	kr_build_string(&b, root, "node", f->node);
	kr_build_when(&b, root, "time", f->time_usec);
	kr_build_string(&b, root, "verdict", kr_verdict_to_string(f->verdict));
	kr_build_string(&b, root, "state", kr_state_to_string(f->live));
	kr_build_string(&b, root, "reason", f->reason);
	kr_build_string(&b, root, "detail", *detail ? detail : NULL);
	control = kr_build_element(&b, kr_build_array(&b, root, "controls"));
	kr_fleet_json_control(&b, control, f, &value);
	return print_line(&b, root, out);
}

void kr_fleet_json_counts(struct kr_build *b, cJSON *o,
                          const size_t n_verdicts[static _KR_VERDICT_MAX],
                          bool whole)
{
	static const struct {
		enum kr_verdict verdict;
		const char *name;
		bool whole;
	} counts[] = {
		{KR_VERDICT_PASS, "pass", false},
		{KR_VERDICT_FAIL, "fail", false},
		{KR_VERDICT_UNKNOWN, "unknown", false},
		{KR_VERDICT_WAIVED, "waived", true},
		{KR_VERDICT_NOT_APPLICABLE, "not_applicable", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		if (whole || !counts[i].whole)
			kr_build_number(b, o, counts[i].name,
			                (double)n_verdicts[counts[i].verdict]);
	}
}

void kr_fleet_json_sum(struct kr_build *b, cJSON *sum,
                       const struct kr_fleet_summary *s)
{
	uint64_t msec = s->took_usec / KR_USEC_PER_MSEC;

	kr_json_add_head(b, sum);
	kr_build_string(b, sum, "server", s->server);
	kr_fleet_json_counts(b, sum, s->n_verdicts, false);
	kr_build_number(b, sum, "left_out", (double)s->n_left_out);
	kr_build_number(b, sum, "seconds", (double)msec / 1000);
	kr_build_boolean(b, sum, "complete", s->complete);
	kr_build_string(b, sum, "reason", s->error ? s->error : s->reason);
}

int kr_fleet_json_summary(FILE *out, const struct kr_rule *rule,
                          const struct kr_fleet_summary *s)
{
	struct kr_build b = {0};
	cJSON *root = cJSON_CreateObject(), *control;
	cJSON *sum = kr_build_object(&b, root, "summary");

	kr_fleet_json_sum(&b, sum, s);
	kr_build_array(&b, sum, "not_judged");
	control = kr_build_element(&b, kr_build_array(&b, sum, "controls"));
	kr_build_string(&b, control, "name", rule->name);
	kr_fleet_json_counts(&b, control, s->n_verdicts, true);
	return print_line(&b, root, out);
}

/* --- the table ----------------------------------------------------------- */

static void group_done(struct kr_fleet_group *g)
{
	kr_strings_done(&g->names);
	free(g->reason);
	free(g->example);
}

void kr_fleet_table_done(struct kr_fleet_table *table)
{
	for (size_t i = 0; i < table->n_groups; i++)
		group_done(&table->groups[i]);
	free(table->groups);
	*table = (struct kr_fleet_table){0};
}

/* The group of VERDICT and REASON. Where there are too many it is that of all
 * other reasons. NULL when memory runs out. */
static struct kr_fleet_group *find_group(struct kr_fleet_table *table,
                                         enum kr_verdict verdict,
                                         const char *reason)
{
	struct kr_fleet_group *g;

	if (table->n_groups >= GROUPS_MAX - 1 && verdict != KR_VERDICT_FAIL)
		reason = "other reasons";
	for (size_t i = 0; i < table->n_groups; i++) {
		g = &table->groups[i];
		if (g->verdict == verdict && strcmp(g->reason, reason) == 0)
			return g;
	}
	g = KR_VEC_NEXT(table->groups, table->n_groups);
	if (!g)
		return NULL;
	g->verdict = verdict;
	g->reason = strdup(reason);
	if (!g->reason)
		return NULL;
	table->n_groups++;
	return g;
}

int kr_fleet_table_add(struct kr_fleet_table *table, const struct kr_finding *f,
                       const char *detail)
{
	struct kr_fleet_group *g;

	if (f->rule->test && f->verdict != KR_VERDICT_FAIL &&
	    f->verdict != KR_VERDICT_UNKNOWN && f->verdict != KR_VERDICT_WAIVED)
		return 0;
	g = find_group(table, f->verdict, f->reason);
	if (!g)
		return -ENOMEM;
	g->n_nodes++;
	if (!g->example && *detail) {
		g->example = strdup(detail);
		if (!g->example)
			return -ENOMEM;
	}
	if (!table->all_names && g->names.n_items == KR_FLEET_NAMES_MAX)
		return 0;
	return kr_strings_add(&g->names, f->node);
}

/* --- text ---------------------------------------------------------------- */

/* In the order of the groups; PASS is of what has no demand. */
static int rank(enum kr_verdict verdict)
{
	return verdict == KR_VERDICT_FAIL      ? 0
	       : verdict == KR_VERDICT_UNKNOWN ? 1
	       : verdict == KR_VERDICT_WAIVED  ? 2
	                                       : 3;
}

static int compare_groups(const void *a, const void *b)
{
	const struct kr_fleet_group *x = a, *y = b;

	if (x->verdict != y->verdict)
		return rank(x->verdict) - rank(y->verdict);
	if (x->n_nodes != y->n_nodes)
		return x->n_nodes > y->n_nodes ? -1 : 1;
	return strcmp(x->reason, y->reason);
}

void kr_fleet_text_names(const struct kr_term *term,
                         const struct kr_strings *names)
{
	size_t width = term->width > 0 ? term->width : WIDTH_DEFAULT, at = 0;

	for (size_t i = 0; i < names->n_items; i++) {
		size_t length = strlen(names->items[i]);

		if (at == 0 || at + 1 + length > width) {
			fprintf(term->out, "%s%*s", at > 0 ? "\n" : "", INDENT,
			        "");
			at = INDENT;
		} else {
			fputc(' ', term->out);
			at++;
		}
		kr_term_text(term, names->items[i]);
		at += length;
	}
	fputc('\n', term->out);
}

static void print_group(const struct kr_term *term,
                        const struct kr_fleet_group *g)
{
	char count[32];
	char next[64];
	int used;

	snprintf(count, sizeof(count), "%zu %s", g->n_nodes,
	         g->n_nodes == 1 ? "node" : "nodes");
	used = fprintf(term->out, "  %-7s  %-10s  ",
	               g->verdict == KR_VERDICT_PASS
	                       ? "-"
	                       : kr_verdict_to_string(g->verdict),
	               count);
	snprintf(next, sizeof(next), "%*s", used, "");
	kr_term_wrap(term, g->reason, strlen(g->reason), strlen(next), next);
	if (g->example) {
		fprintf(term->out, "%*s", INDENT, "");
		kr_term_begin(term, KR_COLOR_DIM);
		fputs("it says: ", term->out);
		kr_term_text(term, g->example);
		kr_term_end(term);
		fputc('\n', term->out);
	}
	qsort(g->names.items, g->names.n_items, sizeof(*g->names.items),
	      kr_strings_compare);
	kr_fleet_text_names(term, &g->names);
	if (g->n_nodes > g->names.n_items)
		fprintf(term->out, "%*sand %zu more (-v or -o json: all)\n",
		        INDENT, "", g->n_nodes - g->names.n_items);
}

int kr_fleet_headline(const struct kr_rule *rule,
                      const struct kr_fleet_summary *s, char **ret)
{
	size_t n_pass = s->n_verdicts[KR_VERDICT_PASS];
	size_t n_fail = s->n_verdicts[KR_VERDICT_FAIL];
	size_t n_unknown = s->n_verdicts[KR_VERDICT_UNKNOWN];
	size_t n_asked = n_pass + n_fail + n_unknown;
	size_t n = n_asked < s->n_nodes ? s->n_nodes : n_asked;
	bool value = n_fail > 0 ? !rule->want.b : rule->want.b;
	int r;

	if (n_asked == 0)
		r = kr_format(ret, "no node was asked");
	else if (n_fail == 0 && n_unknown > 0)
		r = kr_format(ret, "no verdict on %zu of %zu nodes", n_unknown,
		              n);
	else
		r = kr_format(ret, "%zu of %zu %s with %s = %s",
		              n_fail > 0 ? n_fail : n_pass, n,
		              n == 1 ? "node runs" : "nodes run", rule->name,
		              value ? "true" : "false");
	if (r < 0)
		return r;
	if (n_fail > 0 && n_unknown > 0)
		r = kr_format(ret, "%s, no verdict on %zu", *ret, n_unknown);
	if (r < 0 || !s->reason)
		return r;
	return kr_format(ret, "%s%s: %s", *ret,
	                 n_asked > 0 ? "; not all were asked" : "", s->reason);
}

char *kr_fleet_ids(const struct kr_fleet_summary *s, const struct kr_rule *rule,
                   const struct kr_edition *chosen)
{
	char *ids = strdup("");

	for (size_t i = 0; ids && i < KR_N_EDITIONS; i++) {
		const char *id = kr_edition_number(
			kr_demand_numbers(rule, chosen, &kr_editions[i]),
			rule->name);
		size_t length = strlen(id);

		if (s->n_numbered[i] == 0 || length == 0)
			continue;
		/* of one edition after the other it may be the same */
		if (strlen(ids) >= length &&
		    strcmp(ids + strlen(ids) - length, id) == 0)
			continue;
		if (kr_format(&ids, "%s%s%s", ids, *ids ? "," : "", id) < 0)
			ids = NULL;
	}
	return ids;
}

/* Who was asked, when, and the editions, with RULE's numbers unless it is NULL.
 * 0 or -ENOMEM. */
static int print_evidence(const struct kr_term *term,
                          const struct kr_fleet_summary *s,
                          const struct kr_rule *rule)
{
	_cleanup_free_ char *who = NULL, *what = NULL;
	int r = kr_format(&who, "%zu node%s of %s", s->n_nodes,
	                  s->n_nodes == 1 ? "" : "s", s->server);

	for (size_t i = 0; r == 0 && i < KR_N_EDITIONS; i++) {
		const struct kr_edition *e = &kr_editions[i];
		_cleanup_free_ char *title = NULL;

		if (s->n_numbered[i] == 0)
			continue;
		title = kr_headline_edition(e);
		if (!title)
			return -ENOMEM;
		r = kr_format(&what, "%s%s%s%s%s", what ? what : "",
		              what ? ", " : "", title, rule ? " " : "",
		              rule ? kr_edition_number(e, rule->name) : "");
	}
	if (r < 0)
		return r;
	kr_text_evidence_of(term, who, what);
	return 0;
}

int kr_fleet_text(const struct kr_term *term, struct kr_fleet_table *table,
                  const struct kr_fleet_summary *summary)
{
	_cleanup_free_ char *text = NULL;
	int r = kr_fleet_headline(table->rule, summary, &text);

	if (r < 0)
		return r;
	kr_text_verdict(term, kr_fleet_verdict(summary), text);
	return kr_fleet_text_groups(term, table, summary, table->rule);
}

int kr_fleet_text_groups(const struct kr_term *term,
                         struct kr_fleet_table *table,
                         const struct kr_fleet_summary *summary,
                         const struct kr_rule *rule)
{
	int r;

	if (table->n_groups > 0)
		qsort(table->groups, table->n_groups, sizeof(*table->groups),
		      compare_groups);
	for (size_t i = 0; i < table->n_groups; i++)
		print_group(term, &table->groups[i]);
	if (summary->n_left_out > 0)
		fprintf(term->out,
		        "  left out  %zu node%s (Fargate, Windows)\n",
		        summary->n_left_out,
		        summary->n_left_out == 1 ? "" : "s");
	r = print_evidence(term, summary, rule);
	if (r < 0 || kr_fleet_verdict(summary) != KR_VERDICT_FAIL)
		return r;
	kr_term_color(term, KR_COLOR_DIM, "next, on each failing node:");
	fprintf(term->out, " kubelet-remedy fix -n%s\n",
	        table->words ? table->words : "");
	return 0;
}
