/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The controls of a fix.
 *
 * --control names what is meant, so what has to be asked for is allowed with
 * it; a hold is not: that takes --allow. --set gives the value of a control,
 * which has to be one that the control passes: a copy of the rule has it, and
 * demands it from then on. What is allowed or set has to be among the controls
 * of this fix, and one for which that means anything, else it would do
 * nothing; where the node is as demanded already, it is as if it were done.
 * Editions of platforms that are never edited are for audit alone.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "cli/fix-select.h"
#include "cli/usage.h"
#include "policy/demands.h"

static int refuse(struct kr_fix_selected *s, const char *format, ...)
	_printf_(2, 3);

static int refuse(struct kr_fix_selected *s, const char *format, ...)
{
	va_list args;

	s->usage = true;
	fprintf(s->err, "%s: ", KR_NAME);
	va_start(args, format);
	vfprintf(s->err, format, args);
	va_end(args);
	fputc('\n', s->err);
	return -EINVAL;
}

/* The index of the control NAME; -1: it is not among them. */
static int find(const struct kr_fix_selected *s, const char *name,
                size_t length)
{
	const struct kr_rule *rule = kr_rule_find(name, length);

	if (!rule && s->rules.edition)
		rule = kr_rule_of_id(s->rules.edition, name, length);
	for (size_t i = 0; rule && i < s->rules.n_items; i++) {
		if (strcmp(s->rules.items[i]->name, rule->name) == 0)
			return (int)i;
	}
	return -1;
}

/* Whether there is anything to allow: on this node or on another. */
static bool heeds_allow(const struct kr_fix_selected *s,
                        const struct kr_rule *rule)
{
	if (!rule->test || rule->owners_value)
		return false;
	switch (kr_rule_policy(rule, s->rules.edition)) {
	case KR_POLICY_NEVER:
		return false;
	case KR_POLICY_ASK:
		return true;
	default:
		/* where an API server reads the file, too, it has to be asked
		 * for */
		return rule->hold != KR_HOLD_NONE ||
		       (rule->subject == KR_SUBJECT_MODE &&
		        rule->files == KR_FILES_CLIENT_CA);
	}
}

static int allow(struct kr_fix_selected *s)
{
	const char *name = s->o->allow;

	for (; name; name++) {
		size_t length = strcspn(name, ",");
		int i = find(s, name, length);

		if (i < 0)
			return refuse(s,
			              "--allow: '%.*s' is not among the "
			              "controls of this fix",
			              (int)length, name);
		if (!heeds_allow(s, s->items[i]))
			return refuse(s, "--allow: '%.*s' %s", (int)length,
			              name,
			              s->items[i]->policy == KR_POLICY_NEVER
			                      ? "is the owner's to change"
			              : s->items[i]->owners_value
			                      ? "wants a value: --set gives it"
			                      : "needs no leave");
		s->consents[i].allowed = s->consents[i].named = true;
		name += length;
		if (!*name)
			return 0;
	}
	return 0;
}

/* What RULE says of VALUE. A copy that has VALUE as what is wanted would call
 * every boolean right. */
static enum kr_answer judge(const struct kr_fix_selected *s,
                            const struct kr_rule *rule,
                            const struct kr_value *value)
{
	struct kr_decision d[KR_RULE_FIELDS_MAX] = {
		{.state = kr_value_state(value),
	         .value = *value,
	         .by = KR_BY_CONFIG}};

	for (size_t i = 1; i < KR_RULE_FIELDS_MAX; i++)
		d[i].state = KR_STATE_ABSENT;
	return kr_rule_ask(rule, s->rules.edition, d);
}

static int set_one(struct kr_fix_selected *s, const char *text)
{
	size_t length = strcspn(text, "=");
	const char *value = text + length + 1;
	int i = find(s, text, length), r;
	struct kr_rule *rule;

	if (i < 0 || !text[length])
		return refuse(s,
		              "--set=%s: NAME=VALUE, where NAME is among the "
		              "controls of this fix",
		              text);
	rule = &s->own[s->n_own];
	*rule = *s->items[i];
	if (rule->n_fields != 1 || !rule->test || rule->wants_nothing ||
	    rule->policy == KR_POLICY_NEVER)
		return refuse(s, "--set=%s: no value is written for this one",
		              text);
	r = kr_value_parse(kr_field(rule->fields[0])->type, value,
	                   strlen(value), &rule->want);
	if (r == -EINVAL)
		return refuse(s, "--set=%s: kubelet does not take this value",
		              text);
	if (r < 0)
		return r;
	s->n_own++;
	rule->owners_value = false;
	if (judge(s, s->items[i], &rule->want) == KR_ANSWER_FAIL)
		return refuse(s, "--set=%s: it would fail: %s %s", text,
		              rule->name, rule->demand ? rule->demand : "");
	/* another value that would pass is not the one that was asked for */
	rule->test = kr_rule_is_wanted;
	s->items[i] = rule;
	s->consents[i].named = true;
	return 0;
}

static void done(struct kr_fix_selected *s)
{
	for (size_t i = 0; i < s->n_own; i++)
		kr_value_done(&s->own[i].want);
	s->n_own = 0;
	kr_waivers_done(&s->waivers);
	s->waivers = (struct kr_waivers){0};
	free(s->audit_words);
	free(s->words);
	free(s->left_words);
	free(s->how);
	s->audit_words = s->words = s->left_words = s->how = NULL;
}

static const char *restart_word(const struct kr_options *o)
{
	switch (o->fix.restart) {
	case KR_RESTART_ALWAYS:
		return " --restart=always";
	case KR_RESTART_NEVER:
		return " --restart=never";
	default:
		return "";
	}
}

int kr_fix_how(const struct kr_options *o, char **ret)
{
	char wait[32] = "";

	if (o->fix.wait_usec != KR_WAIT_USEC_DEFAULT)
		snprintf(wait, sizeof(wait), " --wait=%llu",
		         (unsigned long long)(o->fix.wait_usec /
		                              KR_USEC_PER_SEC));
	return kr_format(ret, "%s%s%s%s%s%s",
	                 o->fix.explicit_wanted ? " --explicit" : "",
	                 o->fix.no_persist ? " --no-persist" : "",
	                 restart_word(o), wait,
	                 o->fix.no_rollback ? " --no-rollback" : "",
	                 o->fix.retry ? " --retry" : "");
}

/* Behind the words that select the controls. */
static int add_words(struct kr_fix_selected *s)
{
	struct kr_options other = *s->o;
	int r = kr_fix_how(s->o, &s->how);

	other.select.controls = other.select.skip = NULL;
	other.select.level = 0;
	s->left_words = kr_select_words(&other, s->rules.edition);
	s->audit_words = kr_select_words(s->o, s->rules.edition);
	if (r < 0 || !s->left_words || !s->audit_words)
		return -ENOMEM;
	r = kr_format(&s->words, "%s", s->audit_words);
	if (r < 0)
		return r;
	if (s->o->allow)
		r = kr_format(&s->words, "%s --allow=%s", s->words,
		              s->o->allow);
	for (size_t i = 0; i < s->o->n_sets && r == 0; i++)
		r = kr_format(&s->words, "%s --set=%s", s->words,
		              s->o->sets[i]);
	return r;
}

static void take_waivers(struct kr_fix_selected *s)
{
	for (size_t i = 0; i < s->rules.n_items; i++) {
		const struct kr_waiver *w =
			kr_waivers_find(&s->waivers, s->rules.items[i]->name);

		s->consents[i].waived = w ? w->reason : NULL;
	}
}

static int check(struct kr_fix_selected *s)
{
	const struct kr_options *o = s->o;

	if (s->rules.edition && s->rules.edition->audit_only)
		return refuse(s, "--benchmark: %s is for audit only",
		              s->rules.edition->name);
	if (o->api.configz && (o->select.benchmark || o->select.controls))
		return refuse(s, "--configz: proves the one control alone: not "
		                 "with --benchmark or --control");
	return 0;
}

int kr_fix_select(void *selected, struct kr_node *node, struct kr_diag *diag)
{
	struct kr_fix_selected *s = selected;
	const struct kr_options *o = s->o;
	bool named = o->select.controls || !o->select.benchmark;
	int r;

	done(s);
	r = kr_select(o, node, s->err, &s->selected);
	s->usage = r == -EINVAL;
	if (r < 0)
		return r;
	memcpy(s->items, s->selected.rules.items,
	       s->selected.rules.n_items * sizeof(*s->items));
	s->rules = s->selected.rules;
	s->rules.items = s->items;
	for (size_t i = 0; i < s->rules.n_items; i++)
		s->consents[i] = (struct kr_consent){.named = named};
	r = check(s);
	for (size_t i = 0; i < o->n_sets && r == 0; i++)
		r = set_one(s, o->sets[i]);
	if (r == 0)
		r = allow(s);
	if (r < 0)
		return r;
	r = add_words(s);
	if (r < 0)
		return r;
	r = kr_select_waivers(o, node, diag, &s->waivers);
	s->unread = r < 0 && r != -ENOMEM;
	if (r == 0)
		take_waivers(s);
	return r;
}

void kr_fix_selected_done(struct kr_fix_selected *s)
{
	done(s);
}
