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
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/path.h"
#include "base/vec.h"
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
	bool any;   /* each node has an edition of its own */
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
	kr_usage_sentence(s->err, format, args);
	va_end(args);
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
	KR_EACH(const struct kr_rule, rule, kr_rules_table, kr_rules_n) {
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

/* Every word that kubelet has for what RULE is about: its flag, the path of its
 * key, and the last part of that, which a gate is called by. */
static void offer_rule(struct kr_suggest *near, const struct kr_rule *rule)
{
	kr_suggest_offer(near, rule->name);
	for (size_t i = 0; i < rule->n_fields; i++) {
		const struct kr_field *f = kr_field(rule->fields[i]);
		const char *last = f->path ? strrchr(f->path, '.') : NULL;

		if (f->path)
			kr_suggest_offer_as(near, f->path, rule->name);
		if (last)
			kr_suggest_offer_as(near, last + 1, rule->name);
		if (f->flag && kr_rule_find(f->flag, strlen(f->flag)))
			kr_suggest_offer(near, f->flag);
		else if (f->flag)
			kr_suggest_offer_as(near, f->flag, rule->name);
	}
}

/* The flag and the key of all gates. */
static int refuse_gates(const struct selecting *s, const char *option,
                        const char *name)
{
	_cleanup_free_ char *gates = NULL;
	int r = 0;

	for (size_t i = 0; i < kr_rules_n && r == 0; i++) {
		const struct kr_rule *rule = &kr_rules_table[i];

		if (rule->n_fields > 0 &&
		    kr_field(rule->fields[0])->combine == KR_COMBINE_GATE)
			r = kr_format(&gates, "%s%s%s", gates ? gates : "",
			              gates ? ", " : "", rule->name);
	}
	return r < 0 ? r
	             : refuse(s, option,
	                      "'%s' holds many settings: name the gate, of "
	                      "which these are known: %s",
	                      name, gates);
}

static int refuse_name(const struct selecting *s, const char *option,
                       const char *name, size_t length)
{
	char word[64];
	struct kr_suggest near;

	snprintf(word, sizeof(word), "%.*s", (int)length, name);
	if (strcasecmp(word + strspn(word, "-"), "feature-gates") == 0 ||
	    strcasecmp(word, "featureGates") == 0)
		return refuse_gates(s, option, word);
	near = kr_suggest_for(word);
	for (size_t i = 0; i < kr_rules_n; i++)
		offer_rule(&near, &kr_rules_table[i]);
	if (near.nearest)
		return refuse(s, option,
		              "'%.*s' is not a control; did you mean '%s'?",
		              (int)length, name, near.nearest);
	return refuse(s, option,
	              "'%.*s' is not a control: '%s controls' lists them",
	              (int)length, name, KR_NAME);
}

/* A number that the edition has not; the begin of several is near to none. */
static int refuse_number(const struct selecting *s, const char *option,
                         const char *id, size_t length)
{
	struct kr_edition_control its;
	char word[64];
	struct kr_suggest near;

	snprintf(word, sizeof(word), "%.*s", (int)length, id);
	near = kr_suggest_for(word);
	for (size_t i = 0; i < kr_rules_n; i++) {
		if (kr_edition_control(kr_edition_id(s->edition),
		                       kr_rules_table[i].name, &its) &&
		    strncmp(its.id, word, strlen(word)) != 0)
			kr_suggest_offer(&near, its.id);
	}
	if (near.nearest)
		return refuse(s, option,
		              "%s has no control %s; did you mean '%s'?",
		              s->edition->name, word, near.nearest);
	return refuse(s, option,
	              "%s has no control %s: '%s controls --benchmark=%s' "
	              "lists them",
	              s->edition->name, word, KR_NAME, s->edition->name);
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
	if (s->any)
		return refuse(s, option,
		              "%.*s may be another control on each node, "
		              "whose edition is its own: give its name",
		              (int)length, name);
	if (s->later)
		return 0;
	*ret = s->edition ? kr_rule_of_id(s->edition, name, length)
	                  : find_id(name, length, &n);
	if (*ret)
		return 0;
	if (s->edition)
		return refuse_number(s, option, name, length);
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
	return KR_ANY(rule, s->ret->items, s->n, (*rule)->test);
}

/* Those of every edition, each once. */
static void add_any(struct selecting *s)
{
	for (size_t i = 0; i < KR_N_EDITIONS; i++) {
		const struct kr_rule *items[KR_N_RULES];
		struct kr_rules its;

		kr_rules_of_edition(&kr_editions[i], s->o->select.level, items,
		                    &its);
		for (size_t k = 0; k < its.n_items; k++) {
			size_t n = 0;

			while (n < s->n && s->ret->items[n] != items[k])
				n++;
			if (n == s->n)
				s->ret->items[s->n++] = items[k];
		}
	}
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
	} else if (s->any) {
		add_any(s);
	} else if (benchmark && !s->later) {
		kr_rules_of_edition(s->edition, s->o->select.level,
		                    s->ret->items, &all);
		s->n = all.n_items;
	}
	r = skip_controls(s);
	if (r < 0)
		return r;
	if (s->n == 0 && (s->any || !s->later))
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

bool kr_select_is_auto(const struct kr_options *o)
{
	return o->select.benchmark &&
	       strcmp(o->select.benchmark, KR_SELECT_AUTO) == 0;
}

/* A fleet's nodes have each its own. */
static bool is_any(const struct kr_options *o)
{
	return o->command == KR_COMMAND_FLEET && kr_select_is_auto(o);
}

static int find_edition(struct selecting *s)
{
	const char *name = s->o->select.benchmark;
	int i;

	if (!name || kr_select_is_auto(s->o))
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
		.o = o,
		.err = err,
		.later = kr_select_is_auto(o),
		.any = is_any(o),
		.ret = &selected,
	};
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
	struct selecting s = {.o = o, .err = err, .any = is_any(o), .ret = ret};
	int r;

	*ret = (struct kr_selected){.rules = kr_rules_usual};
	if (!o->select.benchmark && !o->select.controls)
		return 0;
	r = find_edition(&s);
	if (r < 0)
		return r;
	if (kr_select_is_auto(o) && node)
		r = kr_edition_of_node(node, &s.edition, &ret->newest);
	else if (kr_select_is_auto(o) && !is_any(o))
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
	} else if (r >= 0 && is_any(o)) {
		r = kr_format(&words, " --benchmark=" KR_SELECT_AUTO);
	}
	if (r >= 0 && o->select.controls)
		r = kr_format(&words, "%s --control=%s", words,
		              o->select.controls);
	if (r >= 0 && o->select.skip)
		r = kr_format(&words, "%s --skip=%s", words, o->select.skip);
	if (r >= 0 && o->select.level > 0)
		r = kr_format(&words, "%s --level=%u", words, o->select.level);
	if (r >= 0 && o->select.waivers)
		r = kr_format_option(&words, "--waivers", o->select.waivers);
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

/* PATH, which counts from where we are. NULL: no memory. */
static char *absolute(const char *path)
{
	_cleanup_free_ char *here = NULL;

	if (*path == '/')
		return strdup(path);
	here = get_current_dir_name();
	return here ? kr_path_join(here, path) : NULL;
}

int kr_select_waivers_file(const struct kr_options *o, struct kr_diag *diag,
                           struct kr_fs **ret_fs, struct kr_waivers *ret)
{
	const struct kr_waivers_options options = {
		.realtime_usec = kr_realtime_usec(),
		.own_name = own_name,
	};
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_free_ char *path = absolute(o->select.waivers);
	int r;

	*ret = (struct kr_waivers){0};
	if (!path)
		return -ENOMEM;
	r = kr_fs_open("/", &fs);
	if (r < 0)
		return r;
	r = kr_waivers_read(fs, path, &options, diag, ret);
	*ret_fs = TAKE_PTR(fs);
	if (r != -ENOENT)
		return r;
	kr_diag_add_path(diag, KR_ERROR, "file-unreadable", path,
	                 "file cannot be read: %s", kr_fs_strerror(ENOENT));
	return r;
}

int kr_select_waivers(const struct kr_options *o, struct kr_node *node,
                      struct kr_diag *diag, struct kr_waivers *ret)
{
	const struct kr_waivers_options options = {
		.realtime_usec = kr_realtime_usec(),
		.own_name = own_name,
	};
	const char *given = o->select.waivers;
	_cleanup_free_ char *path =
		kr_path_normalise(given ? given : KR_WAIVERS_PATH);
	bool below = strcmp(node->root, "/") != 0;
	int r;

	*ret = (struct kr_waivers){0};
	if (!path)
		return -ENOMEM;
	/* what an image has below /etc is for the nodes that it becomes */
	if (o->select.no_waivers || (!given && !node->live))
		return 0;
	r = kr_waivers_read(node->fs, path, &options, diag, ret);
	if (r != -ENOENT)
		return r;
	if (!given)
		return 0;
	kr_diag_add_path(diag, KR_ERROR, "file-unreadable", path,
	                 "file cannot be read: %s%s%s%s",
	                 kr_fs_strerror(ENOENT),
	                 below ? "; it is looked for at " : "",
	                 below ? node->root : "", below ? path : "");
	return r;
}
