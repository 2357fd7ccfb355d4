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
#include "base/json-build.h"
#include "base/vec.h"
#include "report/fleet.h"
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

struct kr_finding kr_fleet_finding(const char *name, const struct kr_rule *rule,
                                   const struct kr_configz *configz,
                                   char reason[static KR_FLEET_REASON_SIZE])
{
	bool value = configz->state == KR_STATE_TRUE;
	struct kr_finding finding = {
		.node = name,
		.rule = rule,
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

int kr_fleet_json_node(FILE *out, const struct kr_finding *f,
                       const char *detail)
{
	struct kr_build b = {0};
	cJSON *root = cJSON_CreateObject();

	kr_build_string(&b, root, "node", f->node);
	kr_build_when(&b, root, "time", f->time_usec);
	kr_build_string(&b, root, "verdict", kr_verdict_to_string(f->verdict));
	kr_build_string(&b, root, "state", kr_state_to_string(f->live));
	kr_build_string(&b, root, "reason", f->reason);
	kr_build_string(&b, root, "detail", *detail ? detail : NULL);
	return print_line(&b, root, out);
}

int kr_fleet_json_summary(FILE *out, const struct kr_fleet_summary *s)
{
	static const enum kr_verdict verdicts[] = {
		KR_VERDICT_PASS, KR_VERDICT_FAIL, KR_VERDICT_UNKNOWN};
	uint64_t msec = s->took_usec / KR_USEC_PER_MSEC;
	struct kr_build b = {0};
	cJSON *root = cJSON_CreateObject();
	cJSON *sum = kr_build_object(&b, root, "summary");

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		kr_build_number(&b, sum, kr_verdict_to_string(verdicts[i]),
		                (double)s->n_verdicts[verdicts[i]]);
	kr_build_number(&b, sum, "seconds", (double)msec / 1000);
	kr_build_boolean(&b, sum, "complete", s->complete);
	kr_build_string(&b, sum, "reason", s->error ? s->error : s->reason);
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

	if (f->verdict == KR_VERDICT_PASS)
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

static int compare_groups(const void *a, const void *b)
{
	const struct kr_fleet_group *x = a, *y = b;

	if (x->verdict != y->verdict)
		return x->verdict == KR_VERDICT_FAIL ? -1 : 1;
	if (x->n_nodes != y->n_nodes)
		return x->n_nodes > y->n_nodes ? -1 : 1;
	return strcmp(x->reason, y->reason);
}

/* Names with blanks between, in lines that fit. */
static void print_names(const struct kr_term *term,
                        const struct kr_fleet_group *g)
{
	size_t width = term->width > 0 ? term->width : WIDTH_DEFAULT, at = 0;

	qsort(g->names.items, g->names.n_items, sizeof(*g->names.items),
	      kr_strings_compare);
	for (size_t i = 0; i < g->names.n_items; i++) {
		size_t length = strlen(g->names.items[i]);

		if (at == 0 || at + 1 + length > width) {
			fprintf(term->out, "%s%*s", at > 0 ? "\n" : "", INDENT,
			        "");
			at = INDENT;
		} else {
			fputc(' ', term->out);
			at++;
		}
		kr_term_text(term, g->names.items[i]);
		at += length;
	}
	fputc('\n', term->out);
	if (g->n_nodes > g->names.n_items)
		fprintf(term->out, "%*sand %zu more (-v or -o json: all)\n",
		        INDENT, "", g->n_nodes - g->names.n_items);
}

static void print_group(const struct kr_term *term,
                        const struct kr_fleet_group *g)
{
	char count[32];

	snprintf(count, sizeof(count), "%zu %s", g->n_nodes,
	         g->n_nodes == 1 ? "node" : "nodes");
	fprintf(term->out, "  %-7s  %-10s  ", kr_verdict_to_string(g->verdict),
	        count);
	kr_term_text(term, g->reason);
	fputc('\n', term->out);
	if (g->example) {
		fprintf(term->out, "%*s", INDENT, "");
		kr_term_begin(term, KR_COLOR_DIM);
		fputs("it says: ", term->out);
		kr_term_text(term, g->example);
		kr_term_end(term);
		fputc('\n', term->out);
	}
	print_names(term, g);
}

static void print_headline(const struct kr_term *term,
                           const struct kr_rule *rule,
                           const struct kr_fleet_summary *s)
{
	size_t n_pass = s->n_verdicts[KR_VERDICT_PASS];
	size_t n_fail = s->n_verdicts[KR_VERDICT_FAIL];
	size_t n_unknown = s->n_verdicts[KR_VERDICT_UNKNOWN];
	size_t n_asked = n_pass + n_fail + n_unknown;
	size_t n = n_asked < s->n_nodes ? s->n_nodes : n_asked;
	bool value = n_fail > 0 ? !rule->want.b : rule->want.b;
	char text[256], more[64] = "", rest[256] = "";

	if (n_fail > 0 && n_unknown > 0)
		snprintf(more, sizeof(more), ", no verdict on %zu", n_unknown);
	if (!s->complete)
		snprintf(rest, sizeof(rest), "%s: %s",
		         n_asked > 0 ? "; not all were asked" : "", s->reason);
	if (n_asked == 0)
		snprintf(text, sizeof(text), "no node was asked");
	else if (n_fail == 0 && n_unknown > 0)
		snprintf(text, sizeof(text), "no verdict on %zu of %zu %s",
		         n_unknown, n, n == 1 ? "node" : "nodes");
	else
		snprintf(text, sizeof(text), "%zu of %zu %s with %s = %s",
		         n_fail > 0 ? n_fail : n_pass, n,
		         n == 1 ? "node runs" : "nodes run", rule->name,
		         value ? "true" : "false");
	strlcat(text, more, sizeof(text));
	strlcat(text, rest, sizeof(text));
	kr_text_verdict(term, kr_fleet_verdict(s), text);
}

void kr_fleet_text(const struct kr_term *term, struct kr_fleet_table *table,
                   const struct kr_fleet_summary *summary)
{
	print_headline(term, table->rule, summary);
	kr_fleet_text_groups(term, table, summary);
}

void kr_fleet_text_groups(const struct kr_term *term,
                          struct kr_fleet_table *table,
                          const struct kr_fleet_summary *summary)
{
	if (table->n_groups > 0)
		qsort(table->groups, table->n_groups, sizeof(*table->groups),
		      compare_groups);
	for (size_t i = 0; i < table->n_groups; i++)
		print_group(term, &table->groups[i]);
	if (kr_fleet_verdict(summary) != KR_VERDICT_FAIL)
		return;
	kr_term_color(term, KR_COLOR_DIM, "next:");
	fprintf(term->out, " kubelet-remedy fix -n%s, on such a node\n",
	        table->words ? table->words : "");
}
