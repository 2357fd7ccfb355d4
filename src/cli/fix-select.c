/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The controls of a fix.
 *
 * --control names what is meant, so what has to be asked for is allowed with
 * it; a hold is not: that takes --allow. --set gives the value of a control,
 * which has to be one that the control passes: a copy of the rule has it, and
 * asks for it from then on; the verdict stays that of the control. What is
 * allowed or set has to be among the controls of this fix, and one for which
 * that means anything, else it would do nothing; where the node is as demanded
 * already, it is as if it were done. Editions of platforms that are never
 * edited are for audit alone.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "cli/fix-select.h"
#include "cli/usage.h"
#include "node/kubelet-version.h"
#include "policy/demands.h"

static int refuse(struct kr_fix_selected *s, const char *format, ...)
	_printf_(2, 3);

static int refuse(struct kr_fix_selected *s, const char *format, ...)
{
	va_list args;

	s->usage = true;
	fprintf(s->err, "%s: ", KR_NAME);
	va_start(args, format);
	kr_usage_sentence(s->err, format, args);
	va_end(args);
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

/* OPTION names what is not among them. */
static int refuse_absent(struct kr_fix_selected *s, const char *option,
                         const char *name, size_t length)
{
	/* of a benchmark's, --control chooses, and adds none */
	bool may_be_added = !s->rules.edition && !s->o->select.skip;

	if (!kr_rule_find(name, length) && !s->rules.edition)
		return refuse(s,
		              "%s: '%.*s' is not a control: '%s controls' "
		              "lists them",
		              option, (int)length, name, KR_NAME);
	return refuse(s, "%s: '%.*s' is not among the controls of this fix%s",
	              option, (int)length, name,
	              may_be_added ? ": add it with --control" : "");
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
			return refuse_absent(s, "--allow", name, length);
		if (!heeds_allow(s, s->items[i]))
			return refuse(s, "--allow: '%.*s' %s", (int)length,
			              name,
			              s->items[i]->policy == KR_POLICY_NEVER
			                      ? "is the owner's to change"
			              : s->items[i]->owners_value
			                      ? "needs a value: give --set"
			                      : "needs no --allow");
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

static const char *const kinds[_KR_TYPE_MAX] = {
	[KR_TYPE_BOOL] = "true or false",
	[KR_TYPE_INT32] = "a whole number",
	[KR_TYPE_INT64] = "a whole number",
	[KR_TYPE_DURATION] = "a duration such as 4h0m0s",
	[KR_TYPE_STRING] = "a text",
	[KR_TYPE_FLOAT] = "a number",
	[KR_TYPE_LIST] = "a list such as A,B",
	[KR_TYPE_TREE] = "a map such as A=B",
};

static int set_one(struct kr_fix_selected *s, const char *text)
{
	size_t length = strcspn(text, "=");
	const char *value = text + length + 1;
	int i = find(s, text, length), r;
	struct kr_rule *rule;

	if (i < 0)
		return refuse_absent(s, "--set", text, length);
	if (s->items[i]->of)
		return refuse(s, "--set=%s: %s has a value by --set already",
		              text, s->items[i]->name);
	rule = &s->own[s->n_own];
	*rule = *s->items[i];
	if (rule->n_fields != 1 || !rule->test || rule->wants_nothing ||
	    rule->policy == KR_POLICY_NEVER)
		return refuse(s, "--set=%s: %s cannot be set with --set", text,
		              rule->name);
	r = kr_value_parse(kr_field(rule->fields[0])->type, value,
	                   strlen(value), &rule->want);
	if (r == -EINVAL)
		return refuse(s,
		              "--set=%s: kubelet would reject this value: it "
		              "must be %s",
		              text, kinds[kr_field(rule->fields[0])->type]);
	if (r < 0)
		return r;
	s->n_own++;
	rule->owners_value = false;
	/* kubelet takes a relative one from the folder of its file */
	if (kr_field(rule->fields[0])->is_path && *value && *value != '/')
		return refuse(s, "--set=%s: the value must be an absolute path",
		              text);
	if (judge(s, s->items[i], &rule->want) == KR_ANSWER_FAIL)
		return refuse(s, "--set=%s: it would fail: %s %s", text,
		              rule->name, rule->demand ? rule->demand : "");
	/* another value that would pass is not the one that was asked for */
	rule->test = kr_rule_is_wanted;
	rule->of = s->items[i];
	s->items[i] = rule;
	s->consents[i].named = true;
	return 0;
}

/*
 * --explicit writes the default of kubelet's version where the value is the
 * owner's and none was said, if that is known and passes.
 */
static int take_default(struct kr_fix_selected *s, size_t i, unsigned minor)
{
	struct kr_rule *rule = &s->own[s->n_own];
	const int field = s->items[i]->fields[0];
	int r;

	if (!s->items[i]->owners_value ||
	    (minor == 0 && kr_field(field)->since > 0))
		return 0;
	*rule = *s->items[i];
	r = kr_field_default(field, false, minor, &rule->want);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	s->n_own++;
	rule->owners_value = false;
	if (judge(s, s->items[i], &rule->want) == KR_ANSWER_PASS)
		s->items[i] = rule;
	return 0;
}

static int take_defaults(struct kr_fix_selected *s, struct kr_node *node)
{
	unsigned minor;
	int r = s->o->fix.explicit_wanted
	                ? kr_kubelet_version_find(node, &minor)
	                : 0;

	for (size_t i = 0;
	     s->o->fix.explicit_wanted && r == 0 && i < s->rules.n_items; i++)
		r = take_default(s, i, minor);
	return r;
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
	if (s->o->allow &&
	    kr_format(&s->words, "%s --allow=%s", s->words, s->o->allow) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < s->o->n_sets; i++) {
		r = kr_format_option(&s->words, "--set", s->o->sets[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check(struct kr_fix_selected *s)
{
	/* the user did not name the platform's: its refusal has the words */
	if (s->rules.edition && s->rules.edition->audit_only &&
	    !kr_select_is_auto(s->o))
		return refuse(s, "--benchmark: %s is for audit only",
		              s->rules.edition->name);
	return 0;
}

int kr_fix_select(void *selected, struct kr_node *node, struct kr_diag *diag)
{
	struct kr_fix_selected *s = selected;
	const struct kr_options *o = s->o;
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
		s->consents[i] =
			(struct kr_consent){.named = o->select.controls};
	r = check(s);
	if (r < 0)
		return r;
	for (size_t i = 0; i < o->n_sets; i++) {
		r = set_one(s, o->sets[i]);
		if (r < 0)
			return r;
	}
	r = take_defaults(s, node);
	if (r < 0)
		return r;
	r = allow(s);
	if (r < 0)
		return r;
	r = add_words(s);
	if (r < 0)
		return r;
	r = kr_select_waivers(o, node, diag, &s->waivers);
	s->unread = r < 0 && r != -ENOMEM;
	return r;
}

void kr_fix_selected_done(struct kr_fix_selected *s)
{
	done(s);
}
