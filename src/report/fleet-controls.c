/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Several controls of many nodes, by one question a node.
 *
 * configz shows what kubelet has, and not why. So what cannot be told from it
 * is left out and named once: the modes and owners of files; a flag that is not
 * shown (hostname-override, seccomp-default); rotateCertificates, whose false
 * may be one that nobody wrote, which the benchmarks call a pass; and the
 * serving certificate, since kubelet shows one that it has made itself as well.
 * Whether a file that is named loads is not looked at.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/json-build.h"
#include "report/fleet-controls.h"
#include "report/headline.h"
#include "report/json-audit.h"
#include "report/text-words.h"

static bool is_shown(const struct kr_rule *rule)
{
	if (rule->subject != KR_SUBJECT_FIELDS || rule->n_fields != 1)
		return false;
	switch (rule->fields[0]) {
	case KR_FIELD_HOSTNAME_OVERRIDE:
	case KR_FIELD_SECCOMP_DEFAULT:
	case KR_FIELD_ROTATE_CERTIFICATES:
		return false;
	default:
		return true;
	}
}

void kr_fleet_controls_begin(const struct kr_rules *rules,
                             struct kr_fleet_controls *ret)
{
	size_t n = 0;

	*ret = (struct kr_fleet_controls){0};
	for (size_t i = 0; i < rules->n_items; i++) {
		const struct kr_rule *rule = rules->items[i];

		if (rule->test && is_shown(rule))
			ret->judged[n++] = rule;
		else
			ret->left[ret->n_left++] = rule;
	}
	ret->rules = (struct kr_rules){ret->judged, n, rules->edition};
}

/* --- a node -------------------------------------------------------------- */

static int judge(const struct kr_rule *rule, const struct kr_edition *edition,
                 const struct kr_configz_values *values, struct kr_finding *f,
                 char **reason)
{
	const struct kr_configz_value *v = &values->items[rule->fields[0]];
	struct kr_decision d[KR_RULE_FIELDS_MAX] = {0};
	_cleanup_free_ char *words = NULL;

	/* borrowed */
	for (size_t i = 0; i < rule->n_fields + rule->n_also; i++) {
		d[i].state = values->items[rule->fields[i]].state;
		d[i].value = values->items[rule->fields[i]].value;
	}
	f->live = v->state;
	switch (kr_rule_ask(rule, edition, d)) {
	case KR_ANSWER_PASS:
		f->verdict = KR_VERDICT_PASS;
		break;
	case KR_ANSWER_FAIL:
		f->verdict = KR_VERDICT_FAIL;
		break;
	default:
		return kr_format(reason, "%s: %s", rule->name, v->reason);
	}
	words = kr_text_words(v->state, &v->value);
	return words ? kr_format(reason, "kubelet runs with %s = %s",
	                         rule->name, words)
	             : -ENOMEM;
}

static bool is_worse(enum kr_verdict a, enum kr_verdict b)
{
	return a != b && (a == KR_VERDICT_FAIL || b == KR_VERDICT_PASS);
}

int kr_fleet_hear(struct kr_fleet_controls *c, const char *name,
                  const struct kr_configz *configz, struct kr_fleet_heard *ret)
{
	int r = kr_configz_values_read(configz->body, configz->body_size,
	                               &ret->values);

	ret->verdict = KR_VERDICT_PASS;
	for (size_t i = 0; i < c->rules.n_items && r >= 0; i++) {
		struct kr_finding *f = &ret->findings[i];

		*f = (struct kr_finding){
			.node = name,
			.rule = c->judged[i],
			.first = i == 0,
			.verdict = KR_VERDICT_UNKNOWN,
			.reason = configz->reason,
			.disk = KR_STATE_ABSENT,
			.running = KR_STATE_ABSENT,
			.live = KR_STATE_UNKNOWN,
			.time_usec = kr_realtime_usec(),
		};
		if (configz->body)
			r = judge(c->judged[i], c->rules.edition, &ret->values,
			          f, &ret->reasons[i]);
		if (ret->reasons[i])
			f->reason = ret->reasons[i];
		c->n_verdicts[i][f->verdict]++;
		if (!ret->reason || is_worse(f->verdict, ret->verdict)) {
			ret->verdict = f->verdict;
			ret->reason = f->reason;
		}
	}
	return r;
}

void kr_fleet_heard_done(struct kr_fleet_heard *heard)
{
	for (size_t i = 0; i < ARRAY_SIZE(heard->reasons); i++)
		free(heard->reasons[i]);
	kr_configz_values_done(&heard->values);
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
	controls = kr_build_array(&b, root, "controls");
	for (size_t i = 0; i < c->rules.n_items; i++) {
		const struct kr_finding *f = &heard->findings[i];
		const struct kr_configz_value *v =
			&heard->values.items[f->rule->fields[0]];
		cJSON *o = kr_build_element(&b, controls);

		kr_build_string(&b, o, "name", f->rule->name);
		kr_build_string(&b, o, "verdict",
		                kr_verdict_to_string(f->verdict));
		kr_json_add_value(&b, o, "value", f->live, &v->value);
	}
	return print_line(&b, root, out);
}

static void add_counts(struct kr_build *b, cJSON *o,
                       const size_t n_verdicts[static _KR_VERDICT_MAX])
{
	static const enum kr_verdict verdicts[] = {
		KR_VERDICT_PASS, KR_VERDICT_FAIL, KR_VERDICT_UNKNOWN};

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		kr_build_number(b, o, kr_verdict_to_string(verdicts[i]),
		                (double)n_verdicts[verdicts[i]]);
}

int kr_fleet_json_total(FILE *out, const struct kr_fleet_controls *c,
                        const struct kr_fleet_summary *s)
{
	uint64_t msec = s->took_usec / KR_USEC_PER_MSEC;
	struct kr_build b = {0};
	cJSON *root = cJSON_CreateObject(), *list;
	cJSON *sum = kr_build_object(&b, root, "summary");

	add_counts(&b, sum, s->n_verdicts);
	kr_build_number(&b, sum, "seconds", (double)msec / 1000);
	kr_build_boolean(&b, sum, "complete", s->complete);
	kr_build_string(&b, sum, "reason", s->error ? s->error : s->reason);
	list = kr_build_array(&b, sum, "not_judged");
	for (size_t i = 0; i < c->n_left; i++)
		kr_build_word(&b, list, c->left[i]->name);
	list = kr_build_array(&b, sum, "controls");
	for (size_t i = 0; i < c->rules.n_items; i++) {
		cJSON *o = kr_build_element(&b, list);

		kr_build_string(&b, o, "name", c->judged[i]->name);
		add_counts(&b, o, c->n_verdicts[i]);
		kr_build_number(&b, o, "waived", 0);
		kr_build_number(&b, o, "not_applicable", 0);
	}
	return print_line(&b, root, out);
}

/* --- text ---------------------------------------------------------------- */

static int say(char **text, const struct kr_fleet_controls *c,
               const struct kr_fleet_summary *s)
{
	size_t n_fail = s->n_verdicts[KR_VERDICT_FAIL];
	size_t n_unknown = s->n_verdicts[KR_VERDICT_UNKNOWN];
	size_t n_asked = s->n_verdicts[KR_VERDICT_PASS] + n_fail + n_unknown;
	size_t n = n_asked < s->n_nodes ? s->n_nodes : n_asked;
	_cleanup_free_ char *of = NULL;
	int r = 0;

	if (c->rules.edition) {
		of = kr_headline_edition(c->rules.edition);
		if (!of)
			return -ENOMEM;
	}
	if (n_asked == 0)
		r = kr_format(text, "no node was asked");
	else if (n_fail > 0)
		r = kr_format(text, "%zu of %zu nodes fail a control", n_fail,
		              n);
	else if (n_unknown > 0)
		r = kr_format(text, "no verdict on %zu of %zu nodes", n_unknown,
		              n);
	else
		r = kr_format(text, "%zu of %zu nodes pass",
		              s->n_verdicts[KR_VERDICT_PASS], n);
	if (r == 0 && of)
		r = kr_format(text, "%s of %s", *text, of);
	if (r == 0 && n_fail > 0 && n_unknown > 0)
		r = kr_format(text, "%s, no verdict on %zu", *text, n_unknown);
	if (r == 0 && !s->complete)
		r = kr_format(text, "%s%s: %s", *text,
		              n_asked > 0 ? "; not all were asked" : "",
		              s->reason);
	if (r == 0 && c->n_left > 0)
		r = kr_format(text, "%s; %zu control%s not in configz", *text,
		              c->n_left, c->n_left == 1 ? " is" : "s are");
	return r;
}

int kr_fleet_text_controls(const struct kr_term *term,
                           const struct kr_fleet_controls *c,
                           struct kr_fleet_table *table,
                           const struct kr_fleet_summary *s)
{
	_cleanup_free_ char *text = NULL;
	int r = say(&text, c, s), width = 0;

	if (r < 0)
		return r;
	kr_text_verdict(term, kr_fleet_verdict(s), text);
	for (size_t i = 0; i < c->rules.n_items; i++) {
		if ((int)strlen(c->judged[i]->name) > width)
			width = (int)strlen(c->judged[i]->name);
	}
	for (size_t i = 0; i < c->rules.n_items; i++)
		fprintf(term->out, "  %-*s  %zu pass, %zu fail, %zu unknown\n",
		        width, c->judged[i]->name,
		        c->n_verdicts[i][KR_VERDICT_PASS],
		        c->n_verdicts[i][KR_VERDICT_FAIL],
		        c->n_verdicts[i][KR_VERDICT_UNKNOWN]);
	for (size_t i = 0; i < c->n_left; i++)
		fprintf(term->out, "  %-*s  not judged\n", width,
		        c->left[i]->name);
	kr_fleet_text_groups(term, table, s);
	return 0;
}
