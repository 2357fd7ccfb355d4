/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The feature gates that flags and files set: each must be known to the minor
 * that may run, none may leave a locked default, and from 1.35 on none may be
 * on while one that it needs is off.
 *
 * kubelet asks when it has read its flags, and again when the files are read:
 * what flags set wrongly is wrong even where a file would mend it. In between,
 * from 1.32 on, it takes defaults that depend on gates: those of the --config
 * file on top of the flags', then those of all files merged. So what the main
 * file sets wrongly is wrong even where a drop-in takes it away or a flag
 * corrects it. Until 1.31 a flag or a drop-in mends it.
 *
 * Source: kubernetes component-base featuregate; cmd/kubelet/app/server.go and
 * SetDefaults_KubeletConfiguration of 1.20 to 1.36; the names are in gates.c.
 */

#include <stdio.h>
#include <string.h>

#include "kubelet/gates.h"
#include "kubelet/go.h"
#include "kubelet/validate-constraint.h"

/* kubelet does not take the pair at I of PAIRS: its name is unknown, or
 * (LOCKED) its value is not the locked one. */
static bool is_bad(const struct kr_validation *j,
                   const struct kr_strings *pairs, size_t i, bool locked)
{
	const char *name = pairs->items[i];
	bool on = kr_go_bool(pairs->items[i + 1]) == 1;
	struct kr_gate_state state;
	enum kr_gate_answer answer = kr_gate_find(
		name, strlen(name), kr_validation_minor(j), &state);

	/* what takes long comes last */
	if (!locked)
		return answer == KR_GATE_UNKNOWN &&
		       kr_validation_counts(pairs, i);
	return answer == KR_GATE_KNOWN && state.locked &&
	       on != state.by_default && kr_validation_counts(pairs, i);
}

/* What would be right instead of the gate NAME. */
static void say_gate(struct kr_validation *j, const char *name, bool locked)
{
	struct kr_gate_state state;
	unsigned first, last;

	if (locked) {
		(void)kr_gate_find(name, strlen(name), kr_validation_minor(j),
		                   &state);
		snprintf(j->words, sizeof(j->words),
		         "must leave %.60s %s, to which it is locked", name,
		         state.by_default ? "true" : "false");
	} else if (kr_gate_known_range(name, strlen(name), &first, &last)) {
		bool gone = last < kr_validation_minor(j);

		snprintf(j->words, sizeof(j->words),
		         "must be without %.60s, which kubelet knows "
		         "%s 1.%u%s",
		         name, gone ? "until" : "from", gone ? last : first,
		         gone ? "" : " on");
	}
}

/* Whether PAIRS have NAME; BAD: as one that kubelet does not take. */
static bool has_gate(const struct kr_validation *j,
                     const struct kr_strings *pairs, const char *name, bool bad)
{
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		if (strcmp(pairs->items[i], name) == 0 &&
		    (!bad || is_bad(j, pairs, i, false) ||
		     is_bad(j, pairs, i, true)))
			return true;
	}
	return false;
}

/* BUT: not those that stand there, too, and (BUT_BAD) are refused there. */
static bool refuse_bad(struct kr_validation *j, const struct kr_strings *pairs,
                       bool locked, const struct kr_strings *but, bool but_bad)
{
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		if (!is_bad(j, pairs, i, locked) ||
		    (but && has_gate(j, but, pairs->items[i], but_bad)) ||
		    !kr_validation_refuse_name(j, pairs, i))
			continue;
		say_gate(j, pairs->items[i], locked);
		return true;
	}
	return false;
}

#define EARLY_SINCE 32U

/* The gates of the --config file where drop-ins are laid over it; never NULL.
 */
static const struct kr_strings *early_gates(const struct kr_validation *j)
{
	static const struct kr_strings none;
	const struct kr_merged *m = j->merges[kr_validation_merge_of(j)];
	const struct kr_config_use *use;

	if (!m || m->no_base || m->n_configs < 2 ||
	    m->fault != KR_STATE_ABSENT || m->configs[0]->internal ||
	    !kr_state_is_value(
		    kr_config_state(m->configs[0], KR_FIELD_GATES, &use)) ||
	    !use)
		return &none;
	return &use->v.list;
}

static bool bad_gate(struct kr_validation *j, bool locked)
{
	const struct kr_strings *flags = &j->flag_gates.list;

	if (refuse_bad(j, flags, locked, NULL, false)) {
		j->blamed = j->flag_gates_use;
		return true;
	}
	return refuse_bad(j, kr_validation_items(j, KR_FIELD_GATES), locked,
	                  kr_validation_minor(j) < EARLY_SINCE ? flags : NULL,
	                  false);
}

/* Of the main file alone, what is not refused of all files together. */
static bool bad_early_gate(struct kr_validation *j, bool locked)
{
	const struct kr_strings *files = kr_validation_items(j, KR_FIELD_GATES);

	if (!refuse_bad(j, early_gates(j), locked, files, true))
		return false;
	j->main_file = true;
	if (*j->words)
		strlcat(j->words, " (a drop-in cannot change that)",
		        sizeof(j->words));
	return true;
}

static bool has_bad(const struct kr_validation *j,
                    const struct kr_strings *pairs)
{
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		if (is_bad(j, pairs, i, false) || is_bad(j, pairs, i, true))
			return true;
	}
	return false;
}

/* OpenShift's own kubelet only warns of it. */
static bool unknown_gate(struct kr_validation *j)
{
	return !j->in->openshift && bad_gate(j, false);
}

static bool locked_gate(struct kr_validation *j)
{
	return bad_gate(j, true);
}

static bool unknown_early_gate(struct kr_validation *j)
{
	return !j->in->openshift && bad_early_gate(j, false);
}

static bool locked_early_gate(struct kr_validation *j)
{
	return bad_early_gate(j, true);
}

/* The settings in PAIRS, behind those in SETTINGS (N), which they override;
 * how many there are then. SETTINGS has room for all. */
static size_t add_settings(const struct kr_strings *pairs,
                           struct kr_gate_setting *settings, size_t n)
{
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *name = pairs->items[i];
		size_t k = 0;

		while (k < n && strcmp(settings[k].name, name) != 0)
			k++;
		settings[k] = (struct kr_gate_setting){
			.name = name,
			.length = strlen(name),
			.on = kr_go_bool(pairs->items[i + 1]) == 1,
		};
		if (k == n)
			n++;
	}
	return n;
}

#define SETTINGS_MAX 400 /* there are fewer gates */

/* J refuses what NEED, of the N SETTINGS, leaves off; NULL: nothing. */
static bool refuse_need(struct kr_validation *j,
                        const struct kr_gate_setting *settings, size_t n,
                        const struct kr_gate_need *need)
{
	if (!need ||
	    !kr_validation_refuse_at(j, KR_FIND(settings, n, name, need->needs)
	                                        ? need->needs
	                                        : need->gate))
		return false;
	j->item = need->needs;
	j->needer = need->gate;
	return true;
}

/* Whether A and B can be asked for what they need. */
static bool may_need(const struct kr_validation *j, const struct kr_strings *a,
                     const struct kr_strings *b)
{
	size_t n = a->n_items + b->n_items;

	return n > 0 && n <= SETTINGS_MAX && !has_bad(j, a) && !has_bad(j, b);
}

/* kubelet asks when it has read its flags, and again with the files. */
static bool unmet_gate(struct kr_validation *j)
{
	const struct kr_strings *flags = &j->flag_gates.list;
	const struct kr_strings *files = kr_validation_items(j, KR_FIELD_GATES);
	struct kr_gate_setting settings[SETTINGS_MAX];
	const struct kr_gate_need *need;
	size_t n;

	if (!may_need(j, flags, files))
		return false;
	n = add_settings(flags, settings, 0);
	need = kr_gate_unmet(settings, n, kr_validation_minor(j));
	if (need) {
		j->blamed = j->flag_gates_use;
	} else if (!kr_validation_is_unknown(j, KR_FIELD_GATES)) {
		n = add_settings(files, settings, 0);
		n = add_settings(flags, settings, n);
		need = kr_gate_unmet(settings, n, kr_validation_minor(j));
	}
	return refuse_need(j, settings, n, need);
}

/* The main file's lie over the flags' there. */
static bool unmet_early_gate(struct kr_validation *j)
{
	const struct kr_strings *flags = &j->flag_gates.list;
	const struct kr_strings *early = early_gates(j);
	struct kr_gate_setting settings[SETTINGS_MAX];
	size_t n;

	if (early->n_items == 0 || !may_need(j, flags, early))
		return false;
	n = add_settings(flags, settings, 0);
	n = add_settings(early, settings, n);
	if (!refuse_need(j, settings, n,
	                 kr_gate_unmet(settings, n, kr_validation_minor(j))))
		return false;
	j->main_file = true;
	return true;
}

/* --- the table ----------------------------------------------------------- */

/* clang-format off */
const struct kr_constraint kr_constraints_gates[] = {
	{{F(GATES)}, ALL, IF(unknown_gate), GROWS,
	 WOULD("hold gates that this kubelet knows")},
	{{F(GATES)}, ALL, IF(locked_gate),
	 WOULD("leave locked gates at their default")},
	{{F(GATES)}, EARLY_SINCE, 36, IF(unknown_early_gate), GROWS,
	 WOULD("hold, before any drop-in, gates that this kubelet knows")},
	{{F(GATES)}, EARLY_SINCE, 36, IF(locked_early_gate),
	 WOULD("leave locked gates at their default")},
	{{F(GATES)}, 35, 36, IF(unmet_gate), GROWS,
	 WOULD("leave on what other gates need")},
	{{F(GATES)}, 35, 36, IF(unmet_early_gate), GROWS,
	 WOULD("leave on what other gates need")},
	{.refuses = NULL},
};
/* clang-format on */
