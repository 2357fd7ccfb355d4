/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What can be asked for: each control with its demand, what a fix would do, and
 * what that could break. Nothing of a node is in it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "policy/demands.h"
#include "policy/effects.h"
#include "report/controls.h"
#include "report/headline.h"
#include "report/json-audit.h"
#include "report/text-words.h"

static size_t n_controls(const struct kr_edition *edition)
{
	const struct kr_rule *items[KR_N_RULES];
	struct kr_rules rules;

	kr_rules_of_edition(edition, 0, items, &rules);
	return rules.n_items;
}

/* --- text ---------------------------------------------------------------- */

/* Of the column of names, beyond which a long one may reach. */
static int name_width(const struct kr_term *term, const struct kr_rules *rules)
{
	size_t width = 0;

	for (size_t i = 0; i < rules->n_items; i++) {
		if (strlen(rules->items[i]->name) > width)
			width = strlen(rules->items[i]->name);
	}
	return kr_text_name_width(term, (int)width);
}

/* The edition, and the columns. */
static int print_head(const struct kr_term *term, const struct kr_rules *rules,
                      int width)
{
	_cleanup_free_ char *title = NULL;

	if (!rules->edition) {
		fprintf(term->out,
		        "all that are known; --benchmark=NAME: those of one "
		        "edition, with level and type\n%-*s  DEMANDED\n",
		        width, "CONTROL");
		return 0;
	}
	title = kr_headline_edition(rules->edition);
	if (!title)
		return -ENOMEM;
	fprintf(term->out, "%s, %zu controls\n%-6s  %-12s  %-*s  DEMANDED\n",
	        title, rules->n_items, "NUMBER", "LEVEL, TYPE", width,
	        "CONTROL");
	return 0;
}

static int print_rule(const struct kr_term *term, const struct kr_rules *rules,
                      const struct kr_rule *rule, int width)
{
	const struct kr_edition *edition = rules->edition;
	_cleanup_free_ char *fix = kr_rule_fix(rule, edition), *list = NULL;
	const char *scanner = kr_scanner_text(kr_demand_scanner(rule, edition));
	struct kr_edition_control its;
	const char *demand = rule->test ? kr_rule_demand(rule, edition) : "-";
	char next[128], label[32];
	int used = 0;
	bool older;

	if (!fix ||
	    (!edition && kr_edition_list(rule->name, &list, &older) < 0))
		return -ENOMEM;
	if (edition &&
	    kr_edition_control(kr_edition_id(edition), rule->name, &its))
		used = fprintf(term->out, "%-6s  %u, %-9s  ", its.id, its.level,
		               kr_assessment_to_string(its.assessment));
	snprintf(next, sizeof(next), "%*s", used + width + 2, "");
	used += fprintf(term->out, "%-*s  ", width, rule->name);
	kr_term_wrap(term, demand, strlen(demand), (size_t)used, next);
	if (!rule->test)
		return 0;
	if (list)
		kr_term_prose(term, "        numbers: ", list);
	if (edition && edition->audit_only)
		snprintf(label, sizeof(label), "        fix: ");
	else
		snprintf(label, sizeof(label), "        fix (%s): ",
		         kr_policy_to_string(kr_rule_policy(rule, edition)));
	kr_term_prose(term, label, fix);
	if (kr_rule_breaks(rule) && !(edition && edition->audit_only))
		kr_term_prose(term,
		              "        could break: ", kr_rule_breaks(rule));
	if (scanner)
		kr_term_prose(term, "        scanners: ", scanner);
	return 0;
}

int kr_text_rules(const struct kr_term *term, const struct kr_rules *rules)
{
	int width = name_width(term, rules);
	int r = print_head(term, rules, width);

	for (size_t i = 0; i < rules->n_items && r == 0; i++)
		r = print_rule(term, rules, rules->items[i], width);
	return r;
}

void kr_text_editions(const struct kr_term *term)
{
	KR_EACH(const struct kr_edition, e, kr_editions, KR_N_EDITIONS) {
		fprintf(term->out, "%-13s %s %s, %zu controls%s\n", e->name,
		        e->title, e->version, n_controls(e),
		        e->audit_only ? ", for audit only" : "");
	}
}

/* --- JSON ---------------------------------------------------------------- */

static void add_rule(struct kr_build *j, cJSON *controls,
                     const struct kr_rules *rules, const struct kr_rule *rule)
{
	const struct kr_edition *edition = rules->edition;
	_cleanup_free_ char *fix = kr_rule_fix(rule, edition), *demand = NULL;
	cJSON *c = kr_build_element(j, controls);

	if (!fix ||
	    (rule->test && kr_format(&demand, "%s %s", rule->name,
	                             kr_rule_demand(rule, edition)) < 0))
		j->failed = true;
	kr_json_add_rule(j, c, rule, edition);
	kr_build_string(j, c, "demand", demand);
	kr_build_string(
		j, c, "policy",
		rule->test ? kr_policy_to_string(kr_rule_policy(rule, edition))
			   : NULL);
	kr_build_string(j, c, "fix", fix);
	kr_build_string(j, c, "breaks",
	                rule->test ? kr_rule_breaks(rule) : NULL);
	kr_build_string(j, c, "scanner",
	                kr_scanner_text(kr_demand_scanner(rule, edition)));
}

static void add_edition(struct kr_build *j, cJSON *editions,
                        const struct kr_edition *e)
{
	cJSON *o = kr_build_element(j, editions);

	kr_build_string(j, o, "name", e->name);
	kr_build_string(j, o, "benchmark", e->title);
	kr_build_string(j, o, "edition", e->version);
	kr_build_number(j, o, "controls", (double)n_controls(e));
	kr_build_boolean(j, o, "audit_only", e->audit_only);
}

int kr_json_rules(FILE *out, const struct kr_rules *rules, bool editions)
{
	struct kr_build j = {0};
	cJSON *root = cJSON_CreateObject(), *list;

	kr_json_add_head(&j, root);
	kr_json_add_edition(&j, root, "benchmark",
	                    rules ? rules->edition : NULL);
	list = kr_build_array(&j, root, "controls");
	for (size_t i = 0; rules && i < rules->n_items; i++)
		add_rule(&j, list, rules, rules->items[i]);
	list = kr_build_array(&j, root, "editions");
	for (size_t i = 0; editions && i < KR_N_EDITIONS; i++)
		add_edition(&j, list, &kr_editions[i]);
	return kr_build_print(&j, root, out);
}
