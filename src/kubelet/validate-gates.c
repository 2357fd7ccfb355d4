/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The feature gates that flags and files set: each must be known to the minor
 * that may run, none may leave a locked default, and from 1.35 on none may be
 * on while one that it needs is off.
 *
 * kubelet asks when it has read its flags, and again when the files are read:
 * what flags set wrongly is wrong even where a file would mend it.
 *
 * Source: kubernetes component-base featuregate; the names are in gates.c.
 */

#include <stdio.h>
#include <string.h>

#include "kubelet/gates.h"
#include "kubelet/go.h"
#include "kubelet/validate-constraint.h"

/* kubelet does not take the pair at I of PAIRS: its name is unknown, or
 * (LOCKED) its value is not the one that is locked. */
static bool is_bad(const struct kr_validation *j,
                   const struct kr_strings *pairs, size_t i, bool locked)
{
	const char *name = pairs->items[i];
	bool on = kr_go_bool(pairs->items[i + 1]) == 1;
	struct kr_gate_state state;
	enum kr_gate_answer answer =
		kr_gate_find(name, strlen(name), j->minor, &state);

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
		(void)kr_gate_find(name, strlen(name), j->minor, &state);
		snprintf(j->words, sizeof(j->words),
		         "would have to leave %.60s %s, to which it is locked",
		         name, state.by_default ? "true" : "false");
	} else if (kr_gate_known_range(name, strlen(name), &first, &last)) {
		snprintf(j->words, sizeof(j->words),
		         "would have to hold gates that this kubelet knows: "
		         "1.%u is the %s that knows %.60s",
		         last < j->minor ? last : first,
		         last < j->minor ? "last" : "first", name);
	}
}

static bool refuse_bad(struct kr_validation *j, const struct kr_strings *pairs,
                       bool locked)
{
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		if (!is_bad(j, pairs, i, locked) ||
		    !kr_validation_refuse_name(j, pairs, i))
			continue;
		say_gate(j, pairs->items[i], locked);
		return true;
	}
	return false;
}

static bool bad_gate(struct kr_validation *j, bool locked)
{
	if (refuse_bad(j, &j->flag_gates.list, locked)) {
		j->blamed = j->flag_gates_use;
		return true;
	}
	return refuse_bad(j, kr_validation_items(j, KR_FIELD_GATES), locked);
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
static bool unknown_gate(struct kr_validation *j,
                         const struct kr_constraint *rule)
{
	return !j->in->openshift && bad_gate(j, false);
}

static bool locked_gate(struct kr_validation *j,
                        const struct kr_constraint *rule)
{
	return bad_gate(j, true);
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

static bool is_set(const struct kr_gate_setting *settings, size_t n,
                   const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(settings[i].name, name) == 0)
			return true;
	}
	return false;
}

#define SETTINGS_MAX 400 /* there are fewer gates */

/* kubelet asks when it has read its flags, and again with the files. */
static bool unmet_gate(struct kr_validation *j,
                       const struct kr_constraint *rule)
{
	const struct kr_strings *flags = &j->flag_gates.list;
	const struct kr_strings *files = kr_validation_items(j, KR_FIELD_GATES);
	struct kr_gate_setting settings[SETTINGS_MAX];
	const struct kr_gate_need *need;
	size_t n;

	if (flags->n_items + files->n_items == 0 ||
	    flags->n_items + files->n_items > SETTINGS_MAX ||
	    has_bad(j, flags) || has_bad(j, files))
		return false;
	n = add_settings(flags, settings, 0);
	need = kr_gate_unmet(settings, n, j->minor);
	if (need) {
		j->blamed = j->flag_gates_use;
	} else if (!kr_validation_is_unknown(j, KR_FIELD_GATES)) {
		n = add_settings(files, settings, 0);
		n = add_settings(flags, settings, n);
		need = kr_gate_unmet(settings, n, j->minor);
	}
	if (!need || !kr_validation_refuse_at(
			     j, is_set(settings, n, need->needs) ? need->needs
								 : need->gate))
		return false;
	j->item = need->needs;
	j->needer = need->gate;
	return true;
}

/* --- the table ----------------------------------------------------------- */

/* clang-format off */
static const struct kr_constraint rules[] = {
	{{F(GATES)}, ALL, .refuses = unknown_gate, GROWS,
	 WORDS("would have to hold gates that this kubelet knows")},
	{{F(GATES)}, ALL, .refuses = locked_gate,
	 WORDS("would have to leave locked gates at their default")},
	{{F(GATES)}, 35, 36, .refuses = unmet_gate, GROWS,
	 WORDS("would have to leave on what other gates need")},
};
/* clang-format on */

const struct kr_constraint *kr_constraints_gates(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(rules);
	return rules;
}
