/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The controls of a command.
 *
 * Without any option it is the one control. A benchmark is all controls of one
 * edition; --control names some, of an edition or of none. What is named has a
 * control's name, the path of its setting or its flag. A number is another
 * control in another edition, so it counts only with its edition, unless all
 * editions that have it mean the same control.
 *
 * A control that is named and that the edition has not stays: it is judged as
 * not applicable, rather than dropped in silence.
 *
 * "auto" is the newest edition with a kubelet section for the platform, and for
 * kubelet's version. It needs the node; so do numbers beside it, which are
 * looked at when the node was read.
 */

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "cli/select.h"
#include "cli/suggest.h"
#include "cli/usage.h"
#include "policy/editions.h"

/* What is being looked for, and by what. */
struct selecting {
	const struct kr_options *o;
	FILE *err;
	const struct kr_edition *edition; /* NULL: none, or not known yet */
	bool later; /* the edition is known when the node was read */
	struct kr_selected *ret;
	size_t n;
};

static int refuse(const struct selecting *s, const char *option,
                  const char *format, ...) _printf_(3, 4);

static int refuse(const struct selecting *s, const char *option,
                  const char *format, ...)
{
	va_list args;

	fprintf(s->err, "%s: --%s: ", KR_NAME, option);
	va_start(args, format);
	vfprintf(s->err, format, args);
	va_end(args);
	fputc('\n', s->err);
	return -EINVAL;
}

/* --- one name ------------------------------------------------------------ */

static bool is_id(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!isdigit((unsigned char)name[i]) && name[i] != '.')
			return false;
	}
	return length > 0;
}

/* The control that every edition with this number means; NULL: there is none,
 * and N is 0, or they differ. */
static const struct kr_rule *find_id(const char *id, size_t length, size_t *n)
{
	const struct kr_rule *found = NULL;

	*n = 0;
	for (size_t i = 0; i < KR_N_EDITIONS; i++) {
		const struct kr_rule *its =
			kr_rule_of_id(&kr_editions[i], id, length);

		if (!its || its == found)
			continue;
		found = its;
		(*n)++;
	}
	return *n == 1 ? found : NULL;
}

/* "3.2.6 is protectKernelDefaults (eks-1.0.1 ...), makeIPTablesUtilChains ..."
 */
static int refuse_id(const struct selecting *s, const char *option,
                     const char *id, size_t length)
{
	const char *before = "";

	fprintf(s->err, "%s: --%s: %.*s is another control in another edition ",
	        KR_NAME, option, (int)length, id);
	for (size_t k = 0; k < kr_rules_n; k++) {
		const struct kr_rule *rule = &kr_rules_table[k];
		bool begun = false;

		for (size_t i = 0; i < KR_N_EDITIONS; i++) {
			if (kr_rule_of_id(&kr_editions[i], id, length) != rule)
				continue;
			if (!begun)
				fprintf(s->err, "%s%s:", before, rule->name);
			fprintf(s->err, " %s", kr_editions[i].name);
			begun = true;
		}
		if (begun)
			before = "; ";
		else if (!*before)
			before = "(";
	}
	fprintf(s->err, "); name the edition with --benchmark=NAME\n");
	return -EINVAL;
}

static int refuse_name(const struct selecting *s, const char *option,
                       const char *name, size_t length)
{
	char word[64];
	struct kr_suggest near;

	snprintf(word, sizeof(word), "%.*s", (int)length, name);
	near = kr_suggest_for(word);
	for (size_t i = 0; i < kr_rules_n; i++) {
		const struct kr_rule *rule = &kr_rules_table[i];

		kr_suggest_offer(&near, rule->name);
		if (rule->n_fields == 1 && kr_field(rule->fields[0])->flag)
			kr_suggest_offer(&near,
			                 kr_field(rule->fields[0])->flag);
	}
	if (near.nearest)
		return refuse(s, option,
		              "'%.*s' is not a control; did you mean '%s'?",
		              (int)length, name, near.nearest);
	return refuse(s, option,
	              "'%.*s' is not a control: '%s controls' lists them",
	              (int)length, name, KR_NAME);
}

/* RET is NULL where it is a number of an edition that is not known yet. */
static int find(const struct selecting *s, const char *option, const char *name,
                size_t length, const struct kr_rule **ret)
{
	size_t n = 0;

	*ret = kr_rule_find(name, length);
	if (*ret)
		return 0;
	if (!is_id(name, length))
		return refuse_name(s, option, name, length);
	if (s->later)
		return 0;
	*ret = s->edition ? kr_rule_of_id(s->edition, name, length)
	                  : find_id(name, length, &n);
	if (*ret)
		return 0;
	if (s->edition)
		return refuse(s, option, "%s has no control %.*s",
		              s->edition->name, (int)length, name);
	return n > 0 ? refuse_id(s, option, name, length)
	             : refuse(s, option, "no edition has a control %.*s",
	                      (int)length, name);
}

/* --- lists --------------------------------------------------------------- */

static void take_out(struct selecting *s, const struct kr_rule *rule)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->ret->items[i] != rule)
			s->ret->items[n++] = s->ret->items[i];
	}
	s->n = n;
}

/* Each once. */
static int add_controls(struct selecting *s)
{
	const char *name = s->o->select.controls;

	for (;; name++) {
		size_t length = strcspn(name, ",");
		const struct kr_rule *rule;
		bool known = false;
		int r = find(s, "control", name, length, &rule);

		if (r < 0)
			return r;
		for (size_t i = 0; i < s->n; i++)
			known |= s->ret->items[i] == rule;
		if (rule && !known)
			s->ret->items[s->n++] = rule;
		name += length;
		if (!*name)
			return 0;
	}
}

static int skip_controls(struct selecting *s)
{
	const char *name = s->o->select.skip;

	for (; name; name++) {
		size_t length = strcspn(name, ",");
		const struct kr_rule *rule;
		int r = find(s, "skip", name, length, &rule);

		if (r < 0)
			return r;
		take_out(s, rule);
		name += length;
		if (!*name)
			return 0;
	}
	return 0;
}

/* Whether a format for other programs has anything to say. */
static bool demands(const struct selecting *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->ret->items[i]->test)
			return true;
	}
	return false;
}

/* --- all of it ----------------------------------------------------------- */

static int select_rules(struct selecting *s)
{
	const char *benchmark = s->o->select.benchmark;
	struct kr_rules all = {0};
	int r;

	if (s->o->select.controls) {
		r = add_controls(s);
		if (r < 0)
			return r;
	} else if (benchmark && !s->later) {
		kr_rules_of_edition(s->edition, s->o->select.level,
		                    s->ret->items, &all);
		s->n = all.n_items;
	}
	r = skip_controls(s);
	if (r < 0)
		return r;
	if (s->n == 0 && !s->later)
		return refuse(s, s->o->select.skip ? "skip" : "benchmark",
		              "no control is left");
	s->ret->rules = (struct kr_rules){s->ret->items, s->n, s->edition};
	if (!s->later && s->o->format >= KR_FORMAT_SARIF && !demands(s))
		return refuse(s, "output",
		              "nothing is demanded of what --control names");
	return 0;
}

/* What does nothing without another option. */
static int check_alone(const struct selecting *s)
{
	const struct kr_options *o = s->o;

	if (o->select.level > 0 && !o->select.benchmark)
		return kr_usage_alone(s->err, o->command, "--level",
		                      "--benchmark");
	if (o->select.level > 0 && o->select.controls)
		return refuse(s, "level",
		              "does nothing with --control, which names what "
		              "is meant");
	if (o->select.skip && !o->select.benchmark && !o->select.controls)
		return kr_usage_alone(s->err, o->command, "--skip",
		                      "--benchmark or --control");
	if (o->select.waivers && o->select.no_waivers)
		return refuse(s, "waivers", "does nothing with --no-waivers");
	return 0;
}

static bool is_auto(const struct kr_options *o)
{
	return o->select.benchmark &&
	       strcmp(o->select.benchmark, KR_SELECT_AUTO) == 0;
}

static int find_edition(struct selecting *s)
{
	const char *name = s->o->select.benchmark;
	int i;

	if (!name || is_auto(s->o))
		return 0;
	i = kr_edition_find(name);
	if (i >= 0) {
		s->edition = &kr_editions[i];
		return 0;
	}
	return refuse(s, "benchmark",
	              "'%s' is not an edition: '%s controls "
	              "--benchmark=help' lists them",
	              name, KR_NAME);
}

int kr_select_check(const struct kr_options *o, FILE *err)
{
	struct kr_selected selected = {0};
	struct selecting s = {
		.o = o, .err = err, .later = is_auto(o), .ret = &selected};
	int r = check_alone(&s);

	if (r < 0 || (!o->select.benchmark && !o->select.controls))
		return r;
	if (o->command == KR_COMMAND_CONTROLS &&
	    strcmp(o->select.benchmark, KR_SELECT_HELP) == 0)
		return 0;
	r = find_edition(&s);
	return r < 0 ? r : select_rules(&s);
}

int kr_select(const struct kr_options *o, struct kr_node *node, FILE *err,
              struct kr_selected *ret)
{
	struct selecting s = {.o = o, .err = err, .ret = ret};
	int r;

	*ret = (struct kr_selected){.rules = kr_rules_usual};
	if (!o->select.benchmark && !o->select.controls)
		return 0;
	r = find_edition(&s);
	if (r < 0)
		return r;
	if (is_auto(o) && node)
		r = kr_edition_of_node(node, &s.edition, &ret->newest);
	else if (is_auto(o))
		s.edition = &kr_editions[KR_CIS_1_12];
	return r < 0 ? r : select_rules(&s);
}

char *kr_select_words(const struct kr_options *o,
                      const struct kr_edition *edition)
{
	_cleanup_free_ char *words = NULL;
	char name[KR_EDITION_NAME_SIZE];
	int r = kr_format(&words, "%s", "");

	if (r >= 0 && edition) {
		kr_edition_short_name(edition, name);
		r = kr_format(&words, " --benchmark=%s", name);
	}
	if (r >= 0 && o->select.controls)
		r = kr_format(&words, "%s --control=%s", words,
		              o->select.controls);
	if (r >= 0 && o->select.skip)
		r = kr_format(&words, "%s --skip=%s", words, o->select.skip);
	if (r >= 0 && o->select.level > 0)
		r = kr_format(&words, "%s --level=%u", words, o->select.level);
	if (r >= 0 && o->select.waivers)
		r = kr_format(&words, "%s --waivers=%s", words,
		              o->select.waivers);
	if (r >= 0 && o->select.no_waivers)
		r = kr_format(&words, "%s --no-waivers", words);
	return r < 0 ? NULL : TAKE_PTR(words);
}

/* --- waivers ------------------------------------------------------------- */

static const char *own_name(const char *name)
{
	const struct kr_rule *rule = kr_rule_find(name, strlen(name));

	return rule ? rule->name : NULL;
}

int kr_select_waivers(const struct kr_options *o, struct kr_node *node,
                      struct kr_diag *diag, struct kr_waivers *ret)
{
	const struct kr_waivers_options options = {
		.realtime_usec = kr_realtime_usec(),
		.own_name = own_name,
	};
	const char *path = o->select.waivers;
	int r;

	*ret = (struct kr_waivers){0};
	/* what an image has below /etc is for the nodes that it becomes */
	if (o->select.no_waivers || (!path && !node->live))
		return 0;
	r = kr_waivers_read(node->fs, path ? path : KR_WAIVERS_PATH, &options,
	                    diag, ret);
	if (r != -ENOENT)
		return r;
	if (!path)
		return 0;
	kr_diag_add_path(diag, KR_ERROR, "file-unreadable", path,
	                 "file cannot be read: %s", kr_fs_strerror(ENOENT));
	return r;
}
