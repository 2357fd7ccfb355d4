/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What kubelet refuses, as a table of rules.
 *
 * kubelet lays its flags over its files and the defaults below both, and
 * validates what comes out; then it sets up TLS, its clients and its managers,
 * each of which stops it for words that it does not know. A rule here is one
 * such condition on the result, with the minors that have it. Each rule is
 * asked for each minor that may run: a value may be refused by some only, and
 * the merge of drop-ins, defaults and feature gates differ from one to the
 * next.
 *
 * A minor may run if it is the node's, or, where that is not known, if it has
 * all the flags that are given.
 *
 * What cannot be told is not refused: a value that an unknown argument may
 * have taken, a flag of a form that is not read here, a gate whose point
 * releases differ, the zero values of the internal version.
 *
 * A rule speaks of its first field that is set; of one field one rule speaks.
 *
 * Source: kubernetes pkg/kubelet/apis/config/validation, cmd/kubelet/app
 * (server.go, auth.go, options), pkg/kubelet/cm, eviction, logs; component-base
 * logs, metrics, tracing, cli/flag; of 1.20, 1.21 and 1.23 to 1.36. Of 1.22 the
 * rules that 1.21 and 1.23 share.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "kubelet/flag-table.h"
#include "kubelet/gates.h"
#include "kubelet/go.h"
#include "kubelet/grammar.h"
#include "kubelet/schema.h"
#include "kubelet/validate.h"

#define N_MINORS (KR_VALIDATE_LAST_MINOR - KR_VALIDATE_FIRST_MINOR + 1)
/* The first version that is not long out of support. */
#define SUPPORTED_MINOR 29U

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)

/* kubelet's merges of drop-ins. */
enum merge {
	MERGE_NEW,    /* 1.32 and later; and the only one where none differs */
	MERGE_OLD,    /* 1.29 to 1.31 */
	MERGE_OLDEST, /* 1.28 */
	N_MERGES,
};

enum whence {
	WHENCE_DEFAULT,
	WHENCE_FILE,
	WHENCE_FLAG,
	WHENCE_UNKNOWN, /* what kubelet has cannot be told */
};

/* What kubelet has for a field. */
struct held {
	enum whence whence;
	const struct kr_value *value; /* NULL: nothing, a default of nothing */
	const struct kr_config_use *use; /* NULL: in no file */
	const struct kr_flag_use *flag;
	int file; /* of the inputs; -1: none */
};

struct judge {
	const struct kr_inputs *in;
	unsigned minor;
	const struct kr_merged *merges[N_MERGES];
	struct kr_merged_value (*found)[KR_N_FIELDS]; /* of each merge */
	struct kr_value flags[KR_N_FIELDS], defaults[KR_N_FIELDS];
	const struct kr_flag_use *flag_uses[KR_N_FIELDS];
	bool default_known[KR_N_FIELDS];
	/* the item, and in a map its value, that a rule refuses; NULL: the
	 * field's value as a whole */
	const char *item, *item_value;
	const char *needer; /* the gate that needs ITEM */
	/* the flag that has it, where the field has no flag; NULL */
	const struct kr_flag_use *blamed;
	/* the pairs of all --feature-gates, and the last one */
	struct kr_value flag_gates;
	const struct kr_flag_use *flag_gates_use;
};

struct rule {
	short fields[3]; /* the first is judged; 0 behind it: no more */
	unsigned char from, to;
	bool warns; /* never more than a warning */
	/* the gate that must be so; NULL: none */
	const char *gate;
	bool gate_on;
	/* whether kubelet 1.MINOR refuses */
	bool (*refuses)(struct judge *j, const struct rule *rule);
	int64_t min, max;
	const char *const *names; /* of an enumeration, with a NULL behind */
	/* what would have to be, behind the field's name; NULL: MIN to MAX */
	const char *words;
};

/* --- what kubelet has ---------------------------------------------------- */

static enum merge merge_of(const struct judge *j)
{
	if (!j->in->older_valid || j->minor >= 32)
		return MERGE_NEW;
	return j->minor >= 29 ? MERGE_OLD : MERGE_OLDEST;
}

static struct held unknown(void)
{
	return (struct held){.whence = WHENCE_UNKNOWN, .file = -1};
}

/* What the files make of FIELD, which no flag sets. */
static struct held held_by_files(const struct judge *j, int field)
{
	const struct kr_merged *merged = j->merges[merge_of(j)];
	const struct kr_field *f = kr_field(field);
	struct held held = {.file = -1};
	const struct kr_merged_value *found;

	if (j->default_known[field])
		held.value = &j->defaults[field];
	if (!f->path || !merged)
		return held;
	if (merged->fault != KR_STATE_ABSENT)
		return unknown();
	if (f->first_minor > j->minor)
		return (struct held){.file = -1};
	found = &j->found[merge_of(j)][field];
	if (merged->merge == KR_MERGE_STRUCTS && merged->n_configs > 1 &&
	    (f->type == KR_TYPE_LIST || f->type == KR_TYPE_TREE))
		return unknown();
	if (found->value && found->state != KR_STATE_ABSENT) {
		held.whence = WHENCE_FILE;
		held.value = found->value;
		held.use = found->use;
		held.file = found->file;
		return held;
	}
	if (!merged->no_base && merged->n_configs > 0 &&
	    merged->configs[0].internal)
		return unknown();
	if (found->value)
		held.value = found->value;
	return held;
}

static struct held hold(const struct judge *j, int field)
{
	const struct kr_flags *flags = &j->in->flags;
	const struct kr_field *f = kr_field(field);
	const char *dynamic = kr_flags_text(flags, KR_FIELD_DYNAMIC_CONFIG_DIR);

	if (j->in->doubts[field] ||
	    (flags->ambiguous && flags->ambiguous[field]))
		return unknown();
	if (f->unread_flag && kr_flags_given(flags, f->unread_flag))
		return unknown();
	if (j->flag_uses[field])
		return (struct held){.whence = WHENCE_FLAG,
		                     .value = &j->flags[field],
		                     .flag = j->flag_uses[field],
		                     .file = -1};
	if (f->path && dynamic && *dynamic)
		return unknown();
	return held_by_files(j, field);
}

static bool is_unknown(const struct judge *j, int field)
{
	return hold(j, field).whence == WHENCE_UNKNOWN;
}

static bool is_set(const struct judge *j, int field)
{
	enum whence whence = hold(j, field).whence;

	return whence == WHENCE_FILE || whence == WHENCE_FLAG;
}

/* A number or a duration; false: nothing is there, or it cannot be told. */
static bool number(const struct judge *j, int field, int64_t *ret)
{
	struct held held = hold(j, field);

	if (!held.value || held.whence == WHENCE_UNKNOWN)
		return false;
	*ret = held.value->n;
	return true;
}

/* As number(). */
static const char *text(const struct judge *j, int field)
{
	struct held held = hold(j, field);

	return held.value && held.whence != WHENCE_UNKNOWN ? held.value->s
	                                                   : NULL;
}

static bool is_text(const struct judge *j, int field, const char *want)
{
	const char *s = text(j, field);

	return s && strcmp(s, want) == 0;
}

/* A boolean that is known to be WANT. */
static bool is_bool(const struct judge *j, int field, bool want)
{
	struct held held = hold(j, field);

	return held.value && held.whence != WHENCE_UNKNOWN &&
	       held.value->b == want;
}

/* Each item is compared with the others: a list that is longer is not judged.
 */
#define ITEMS_MAX 2000

/* A list, or the pairs of a map; none where it cannot be told. */
static const struct kr_strings *items(const struct judge *j, int field)
{
	static const struct kr_strings none;
	struct held held = hold(j, field);

	if (!held.value || held.whence == WHENCE_UNKNOWN ||
	    held.value->list.n_items > ITEMS_MAX)
		return &none;
	return &held.value->list;
}

static bool has_item(const struct judge *j, int field, const char *item)
{
	return kr_strings_contain(items(j, field), item);
}

/* The text at PATH of a map; NULL. */
static const char *entry(const struct judge *j, int field, const char *path)
{
	struct held held = hold(j, field);

	return held.value && held.whence != WHENCE_UNKNOWN
	               ? kr_value_at(held.value, path)
	               : NULL;
}

/* The pair at I of PAIRS is not undone by a later one. */
static bool counts(const struct kr_strings *pairs, size_t i)
{
	for (size_t k = i + 2; k + 1 < pairs->n_items; k += 2) {
		if (strcmp(pairs->items[k], pairs->items[i]) == 0)
			return false;
	}
	return true;
}

/* --- gates --------------------------------------------------------------- */

enum answer {
	ANSWER_OFF,
	ANSWER_ON,
	ANSWER_NOT_SURE,
	ANSWER_NOT_SET,
};

/* What flags and files say of the gate NAME. */
static enum answer gate_setting(const struct judge *j, const char *name)
{
	const struct kr_flag_use *use;
	const char *value;
	bool on;

	if (is_unknown(j, KR_FIELD_GATE_ROTATE_SERVER))
		return ANSWER_NOT_SURE;
	if (kr_inputs_flag_gate(j->in, name, &on, &use))
		return on ? ANSWER_ON : ANSWER_OFF;
	if (is_unknown(j, KR_FIELD_GATES))
		return ANSWER_NOT_SURE;
	value = entry(j, KR_FIELD_GATES, name);
	if (!value)
		return ANSWER_NOT_SET;
	return strcmp(value, "true") == 0 ? ANSWER_ON : ANSWER_OFF;
}

/* A gate that a minor does not know any more is on. */
static enum answer gate(const struct judge *j, const char *name)
{
	enum answer answer = gate_setting(j, name);
	struct kr_gate_state state;

	if (answer != ANSWER_NOT_SET)
		return answer;
	switch (kr_gate_find(name, strlen(name), j->minor, &state)) {
	case KR_GATE_UNKNOWN:
		return ANSWER_ON;
	case KR_GATE_NOT_SURE:
		return ANSWER_NOT_SURE;
	case KR_GATE_KNOWN:
		break;
	}
	if (state.stage == KR_GATE_ALPHA)
		answer = gate_setting(j, "AllAlpha");
	else if (state.stage == KR_GATE_BETA)
		answer = gate_setting(j, "AllBeta");
	if (answer != ANSWER_NOT_SET)
		return answer;
	return state.by_default ? ANSWER_ON : ANSWER_OFF;
}

/* The first of PAIRS that kubelet does not take: its name is unknown, or
 * (LOCKED) its value is not the one that is locked. NULL. */
static const char *find_gate(const struct judge *j,
                             const struct kr_strings *pairs, bool locked)
{
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *name = pairs->items[i];
		bool on = kr_go_bool(pairs->items[i + 1]) == 1;
		struct kr_gate_state state;
		enum kr_gate_answer answer =
			kr_gate_find(name, strlen(name), j->minor, &state);

		if (!counts(pairs, i))
			continue;
		if (!locked && answer == KR_GATE_UNKNOWN)
			return name;
		if (locked && answer == KR_GATE_KNOWN && state.locked &&
		    on != state.by_default)
			return name;
	}
	return NULL;
}

static bool bad_gate(struct judge *j, bool locked)
{
	j->item = find_gate(j, &j->flag_gates.list, locked);
	if (j->item)
		j->blamed = j->flag_gates_use;
	else
		j->item = find_gate(j, items(j, KR_FIELD_GATES), locked);
	return j->item != NULL;
}

/* OpenShift's own kubelet only warns of it. */
static bool unknown_gate(struct judge *j, const struct rule *rule)
{
	return !j->in->openshift && bad_gate(j, false);
}

static bool locked_gate(struct judge *j, const struct rule *rule)
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

#define SETTINGS_MAX 400 /* there are fewer gates */

/* kubelet asks when it has read its flags, and again with the files. */
static bool unmet_gate(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *flags = &j->flag_gates.list;
	const struct kr_strings *files = items(j, KR_FIELD_GATES);
	struct kr_gate_setting settings[SETTINGS_MAX];
	const struct kr_gate_need *need;
	size_t n;

	if (flags->n_items + files->n_items == 0 ||
	    flags->n_items + files->n_items > SETTINGS_MAX ||
	    bad_gate(j, false) || bad_gate(j, true))
		return false;
	n = add_settings(flags, settings, 0);
	need = kr_gate_unmet(settings, n, j->minor);
	if (need) {
		j->blamed = j->flag_gates_use;
	} else if (!is_unknown(j, KR_FIELD_GATES)) {
		n = add_settings(files, settings, 0);
		n = add_settings(flags, settings, n);
		need = kr_gate_unmet(settings, n, j->minor);
	}
	j->item = need ? need->needs : NULL;
	j->needer = need ? need->gate : NULL;
	return need;
}

/* --- rules of any field -------------------------------------------------- */

static bool out_of_range(struct judge *j, const struct rule *rule)
{
	int64_t n;

	return number(j, rule->fields[0], &n) &&
	       (n < rule->min || n > rule->max);
}

/* The same where zero is no value ("off"). */
static bool out_of_range_or_zero(struct judge *j, const struct rule *rule)
{
	int64_t n;

	return number(j, rule->fields[0], &n) && n != 0 &&
	       (n < rule->min || n > rule->max);
}

static bool is_name(const char *s, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(*names, s) == 0)
			return true;
	}
	return false;
}

static bool no_name(struct judge *j, const struct rule *rule)
{
	const char *s = text(j, rule->fields[0]);

	return s && !is_name(s, rule->names);
}

/* An element of a list that is no name. */
static bool no_names(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *list = items(j, rule->fields[0]);

	for (size_t i = 0; i < list->n_items; i++) {
		if (is_name(list->items[i], rule->names))
			continue;
		j->item = list->items[i];
		return true;
	}
	return false;
}

/* It says anything at all: a number but 0, a text, an element. */
static bool says(struct judge *j, const struct rule *rule)
{
	struct held held = hold(j, rule->fields[0]);

	return held.value && held.whence != WHENCE_UNKNOWN &&
	       !kr_value_is_zero(held.value);
}

static bool is_empty(struct judge *j, const struct rule *rule)
{
	return is_text(j, rule->fields[0], "");
}

/* --- rules of one field, or a few ---------------------------------------- */

static bool other_cfs_period(struct judge *j, const struct rule *rule)
{
	int64_t n;

	return number(j, rule->fields[0], &n) && n != 100 * MS;
}

static bool gc_order(struct judge *j, const struct rule *rule)
{
	int64_t low, high;

	return number(j, rule->fields[0], &low) &&
	       number(j, rule->fields[1], &high) && low >= high;
}

static bool image_age_order(struct judge *j, const struct rule *rule)
{
	int64_t max, min;

	return number(j, rule->fields[0], &max) &&
	       number(j, rule->fields[1], &min) && max > 0 && max <= min;
}

/* Where it is not written, kubelet chooses what fits. */
static bool serial_pulls(struct judge *j, const struct rule *rule)
{
	int64_t n;

	return is_set(j, rule->fields[1]) &&
	       is_bool(j, rule->fields[1], true) &&
	       number(j, rule->fields[0], &n) && n > 1;
}

static bool shutdown_order(struct judge *j, const struct rule *rule)
{
	int64_t critical, total;

	return number(j, rule->fields[0], &critical) &&
	       number(j, rule->fields[1], &total) && critical > total;
}

static bool is_positive(struct judge *j, const struct rule *rule)
{
	int64_t n;

	return number(j, rule->fields[0], &n) && n > 0;
}

static bool shutdown_both(struct judge *j, const struct rule *rule)
{
	int64_t total, critical;

	return items(j, rule->fields[0])->n_items > 0 &&
	       number(j, rule->fields[1], &total) &&
	       number(j, rule->fields[2], &critical) &&
	       (total > 0 || critical > 0);
}

static bool throttling(struct judge *j, const struct rule *rule)
{
	struct held held = hold(j, rule->fields[0]);

	return held.value && held.whence != WHENCE_UNKNOWN &&
	       !(held.value->d > 0 && held.value->d <= 1);
}

/* In whole milliseconds. */
static bool restart_period(struct judge *j, const struct rule *rule)
{
	int64_t n;

	return number(j, rule->fields[0], &n) &&
	       (n / MS < rule->min || n / MS > rule->max);
}

static bool is_written(struct judge *j, const struct rule *rule)
{
	return is_set(j, rule->fields[0]) && hold(j, rule->fields[0]).value;
}

static bool tiered_reservation(struct judge *j, const struct rule *rule)
{
	return is_text(j, rule->fields[0], "TieredReservation");
}

static bool none_and_others(struct judge *j, const struct rule *rule)
{
	return items(j, rule->fields[0])->n_items > 1 &&
	       has_item(j, rule->fields[0], "none");
}

/* A name in the list that needs the cgroup of the second field. */
static bool no_cgroup(struct judge *j, const char *name,
                      const char *compressible, const struct rule *rule)
{
	if (!is_text(j, rule->fields[1], ""))
		return false;
	return has_item(j, rule->fields[0], name) ||
	       (j->minor >= 32 && has_item(j, rule->fields[0], compressible));
}

static bool no_system_cgroup(struct judge *j, const struct rule *rule)
{
	return no_cgroup(j, "system-reserved", "system-reserved-compressible",
	                 rule);
}

static bool no_kube_cgroup(struct judge *j, const struct rule *rule)
{
	return no_cgroup(j, "kube-reserved", "kube-reserved-compressible",
	                 rule);
}

static bool not_per_qos(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *list = items(j, rule->fields[1]);

	if (!is_bool(j, rule->fields[0], false))
		return false;
	for (size_t i = 0; i < list->n_items; i++) {
		if (j->minor <= 30 || strcmp(list->items[i], "none") != 0)
			return true;
	}
	return false;
}

static bool twice(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *list = items(j, rule->fields[0]);

	for (size_t i = 0; i < list->n_items; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(list->items[i], list->items[k]) != 0)
				continue;
			j->item = list->items[i];
			return true;
		}
	}
	return false;
}

static bool both_compressible(struct judge *j, const struct rule *rule)
{
	int field = rule->fields[0];

	return (has_item(j, field, "system-reserved") &&
	        has_item(j, field, "system-reserved-compressible")) ||
	       (has_item(j, field, "kube-reserved") &&
	        has_item(j, field, "kube-reserved-compressible"));
}

static bool is_not_empty(const struct judge *j, int field)
{
	const char *s = text(j, field);

	return s && *s;
}

static bool no_cgroup_root(struct judge *j, const struct rule *rule)
{
	return is_not_empty(j, rule->fields[0]) &&
	       is_text(j, rule->fields[1], "");
}

static bool is_root(struct judge *j, const struct rule *rule)
{
	return is_text(j, rule->fields[0], "/");
}

static bool cpus_and_cgroup(struct judge *j, const struct rule *rule)
{
	return is_not_empty(j, rule->fields[0]) &&
	       (is_not_empty(j, rule->fields[1]) ||
	        is_not_empty(j, rule->fields[2]));
}

static bool no_cpu_list(struct judge *j, const struct rule *rule)
{
	const char *s = text(j, rule->fields[0]);

	return s && *s && !kr_cpu_list_valid(s, j->minor);
}

/* The name behind "N/limits/" of PATH; NULL: it is none. */
static const char *limit_of(const char *path)
{
	const char *rest = strchr(path, '/');

	return rest && strncmp(rest, "/limits/", 8) == 0 ? rest + 8 : NULL;
}

static bool memory_name(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *pairs = items(j, rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *name = limit_of(pairs->items[i]);

		if (!name || strcmp(name, "memory") == 0 ||
		    strncmp(name, "hugepages-", 10) == 0)
			continue;
		j->item = name;
		return true;
	}
	return false;
}

static bool memory_zero(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *pairs = items(j, rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		int sign;

		if (!limit_of(pairs->items[i]) || !counts(pairs, i) ||
		    !kr_quantity_valid(pairs->items[i + 1], &sign) || sign != 0)
			continue;
		j->item = limit_of(pairs->items[i]);
		j->item_value = pairs->items[i + 1];
		return true;
	}
	return false;
}

/* The NUMA node of the element that PATH is in, "0" where it has none. */
static const char *numa_of(const struct judge *j, int field, const char *path)
{
	char where[40];

	snprintf(where, sizeof(where), "%.*s/numaNode", (int)strcspn(path, "/"),
	         path);
	return entry(j, field, where) ?: "0";
}

static bool memory_twice(struct judge *j, const struct rule *rule)
{
	int field = rule->fields[0];
	const struct kr_strings *pairs = items(j, field);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *name = limit_of(pairs->items[i]);

		for (size_t k = 0; name && k < i; k += 2) {
			const char *other = limit_of(pairs->items[k]);

			if (!other || strcmp(name, other) != 0 ||
			    atoi(pairs->items[i]) == atoi(pairs->items[k]) ||
			    strcmp(numa_of(j, field, pairs->items[i]),
			           numa_of(j, field, pairs->items[k])) != 0)
				continue;
			j->item = name;
			return true;
		}
	}
	return false;
}

/* The member NAME of a list's elements that VALID does not take. */
static bool member_invalid(struct judge *j, const struct rule *rule,
                           const char *name, bool (*valid)(const char *))
{
	const struct kr_strings *pairs = items(j, rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *slash = strchr(pairs->items[i], '/');

		if (!slash || strcmp(slash + 1, name) != 0 ||
		    !counts(pairs, i) || valid(pairs->items[i + 1]))
			continue;
		j->item = pairs->items[i + 1];
		return true;
	}
	return false;
}

static bool taint_key(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *pairs = items(j, rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		char path[40];

		if (strchr(pairs->items[i], '/'))
			continue;
		snprintf(path, sizeof(path), "%s/key", pairs->items[i]);
		if (!entry(j, rule->fields[0], path))
			return true;
	}
	return member_invalid(j, rule, "key", kr_qualified_name_valid);
}

static bool taint_value(struct judge *j, const struct rule *rule)
{
	return member_invalid(j, rule, "value", kr_label_value_valid);
}

static bool effect_valid(const char *s)
{
	static const char *const names[] = {"", "NoSchedule", "NoExecute",
	                                    "PreferNoSchedule", NULL};

	return is_name(s, names);
}

static bool taint_effect(struct judge *j, const struct rule *rule)
{
	return member_invalid(j, rule, "effect", effect_valid);
}

static bool never(const char *s)
{
	(void)s;
	return false;
}

static bool taint_time(struct judge *j, const struct rule *rule)
{
	return member_invalid(j, rule, "timeAdded", never);
}

static bool is_remote(const struct judge *j)
{
	return j->minor >= 24 ||
	       is_text(j, KR_FIELD_CONTAINER_RUNTIME, "remote");
}

static bool log_files(struct judge *j, const struct rule *rule)
{
	return is_remote(j) && out_of_range(j, rule);
}

static bool log_size(struct judge *j, const struct rule *rule)
{
	const char *s = text(j, rule->fields[0]);
	int64_t n;

	if (!s || !is_remote(j))
		return false;
	return !kr_quantity_int64(s, &n) || (j->minor == 20 && n < 0);
}

/* A relative one in the file of --config is made absolute. */
static bool pod_logs(struct judge *j, const struct rule *rule)
{
	struct held held = hold(j, rule->fields[0]);
	bool main_file = j->in->config_read && held.file == 0;

	if (!held.value || held.whence == WHENCE_UNKNOWN)
		return false;
	if (main_file && *held.value->s != '/')
		return false;
	return !kr_clean_path_valid(held.value->s);
}

static bool query_without_handler(struct judge *j, const struct rule *rule)
{
	return is_bool(j, rule->fields[0], true) &&
	       is_bool(j, rule->fields[1], false);
}

static bool is_true(struct judge *j, const struct rule *rule)
{
	return is_bool(j, rule->fields[0], true);
}

static bool allowlist_policy(struct judge *j, const struct rule *rule)
{
	return items(j, rule->fields[0])->n_items > 0 &&
	       !is_unknown(j, rule->fields[1]) &&
	       !is_text(j, rule->fields[1], "NeverVerifyAllowlistedImages");
}

static bool allowlist_pattern(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *list = items(j, rule->fields[0]);

	if (!is_text(j, rule->fields[1], "NeverVerifyAllowlistedImages"))
		return false;
	for (size_t i = 0; i < list->n_items; i++) {
		if (kr_image_pattern_valid(list->items[i]))
			continue;
		j->item = list->items[i];
		return true;
	}
	return false;
}

static bool is_json(struct judge *j, const struct rule *rule)
{
	return is_text(j, rule->fields[0], "json");
}

static bool vmodule_format(struct judge *j, const struct rule *rule)
{
	return items(j, rule->fields[0])->n_items > 0 &&
	       is_text(j, rule->fields[1], "json");
}

static bool pattern_valid(const char *s)
{
	return *s && !strpbrk(s, "=,");
}

static bool vmodule_pattern(struct judge *j, const struct rule *rule)
{
	return member_invalid(j, rule, "filePattern", pattern_valid);
}

static bool verbosity_valid(const char *s)
{
	return strtoll(s, NULL, 10) <= INT32_MAX;
}

static bool vmodule_verbosity(struct judge *j, const struct rule *rule)
{
	return member_invalid(j, rule, "verbosity", verbosity_valid);
}

static bool is_amount(struct judge *j, const struct rule *rule)
{
	const char *s = text(j, rule->fields[0]);
	int sign;

	return s && kr_quantity_valid(s, &sign) && sign != 0;
}

static bool trace_endpoint(struct judge *j, const struct rule *rule)
{
	const char *s = text(j, rule->fields[0]);

	return s && !kr_trace_endpoint_valid(s);
}

static bool hidden_metrics(struct judge *j, const struct rule *rule)
{
	const char *s = text(j, rule->fields[0]);
	char want[16];

	snprintf(want, sizeof(want), "1.%u", j->minor - 1);
	return s && *s && strcmp(s, want) != 0;
}

static bool ids_per_pod(struct judge *j, const struct rule *rule)
{
	int64_t n;

	return number(j, rule->fields[0], &n) &&
	       (n < 65536 || n % 65536 != 0 || n > UINT32_MAX);
}

/* --- rules behind validation --------------------------------------------- */

/* Both webhooks ask the API server, for which kubelet needs a client. A program
 * around it may bring one. Of both, authentication is built first. */
static bool has_no_client(const struct judge *j)
{
	return !j->in->wrapped && !is_unknown(j, KR_FIELD_KUBECONFIG) &&
	       !is_not_empty(j, KR_FIELD_KUBECONFIG);
}

static bool webhook_mode(struct judge *j, const struct rule *rule)
{
	return is_text(j, rule->fields[0], "Webhook") &&
	       is_bool(j, KR_FIELD_WEBHOOK, false) && has_no_client(j);
}

static bool webhook_authentication(struct judge *j, const struct rule *rule)
{
	return is_bool(j, rule->fields[0], true) && has_no_client(j);
}

static bool ciphers(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *list = items(j, rule->fields[0]);

	for (size_t i = 0; i < list->n_items; i++) {
		if (kr_cipher_valid(list->items[i]))
			continue;
		j->item = list->items[i];
		return true;
	}
	return false;
}

static bool half_a_pair(struct judge *j, const struct rule *rule)
{
	const char *cert = text(j, rule->fields[0]);
	const char *key = text(j, rule->fields[1]);

	return cert && key && !*cert != !*key &&
	       is_bool(j, KR_FIELD_ENABLE_SERVER, true);
}

/* A setting of the file that slipped into a map: there is a note on it. The
 * measured cases end with validation, which takes it. */
static bool is_setting(const char *name)
{
	return kr_schema_member(kr_schema_root(), name, strlen(name), false);
}

static bool reserved(struct judge *j, const struct rule *rule)
{
	static const char *const names[] = {"cpu", "memory",
	                                    "ephemeral-storage", "pid", NULL};
	const struct kr_strings *pairs = items(j, rule->fields[0]);
	const char *cpus = text(j, KR_FIELD_RESERVED_CPUS);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *name = pairs->items[i];
		int sign;

		if (!counts(pairs, i) || is_setting(name))
			continue;
		/* it is taken away before kubelet looks */
		if (strcmp(name, "cpu") == 0 && (!cpus || *cpus))
			continue;
		if (is_name(name, names) &&
		    kr_quantity_valid(pairs->items[i + 1], &sign) && sign >= 0)
			continue;
		j->item = name;
		j->item_value = pairs->items[i + 1];
		return true;
	}
	return false;
}

static bool qos_reserved(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *pairs = items(j, rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		if (!counts(pairs, i) ||
		    (strcmp(pairs->items[i], "memory") == 0 &&
		     kr_qos_percent_valid(pairs->items[i + 1])))
			continue;
		j->item = pairs->items[i];
		j->item_value = pairs->items[i + 1];
		return true;
	}
	return false;
}

static bool threshold_ok(struct judge *j, const char *signal, const char *value)
{
	bool ignored;

	return kr_threshold_valid(value, j->minor, &ignored);
}

/* Without a grace period a threshold of evictionSoft is none. */
static bool soft_ok(struct judge *j, const char *signal, const char *value)
{
	bool off;

	if (!kr_threshold_valid(value, j->minor, &off))
		return false;
	return off || is_unknown(j, KR_FIELD_EVICTION_GRACE) ||
	       entry(j, KR_FIELD_EVICTION_GRACE, signal);
}

static bool grace_ok(struct judge *j, const char *signal, const char *value)
{
	int64_t n;

	return kr_go_duration(value, strlen(value), &n) && n >= 0;
}

static bool reclaim_ok(struct judge *j, const char *signal, const char *value)
{
	return kr_reclaim_valid(value);
}

static bool eviction(struct judge *j, const struct rule *rule)
{
	static bool (*const valid[])(struct judge *, const char *,
	                             const char *) = {
		threshold_ok,
		soft_ok,
		grace_ok,
		reclaim_ok,
	};
	const struct kr_strings *pairs = items(j, rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *signal = pairs->items[i];
		const char *value = pairs->items[i + 1];

		if (!counts(pairs, i) || is_setting(signal) ||
		    (kr_eviction_signal_valid(signal, j->minor) &&
		     valid[rule->min](j, signal, value)))
			continue;
		j->item = signal;
		j->item_value = value;
		return true;
	}
	return false;
}

/* Whether a map may have more than nothing of NAME. */
static bool may_reserve(const struct judge *j, int field, const char *name)
{
	const char *value = entry(j, field, name);
	int sign;

	return is_unknown(j, field) ||
	       (value && (!kr_quantity_valid(value, &sign) || sign != 0));
}

static bool static_without_cpu(struct judge *j, const struct rule *rule)
{
	return is_text(j, rule->fields[0], "static") &&
	       is_text(j, KR_FIELD_RESERVED_CPUS, "") &&
	       !may_reserve(j, KR_FIELD_KUBE_RESERVED, "cpu") &&
	       !may_reserve(j, KR_FIELD_SYSTEM_RESERVED, "cpu");
}

static bool options_without_static(struct judge *j, const struct rule *rule)
{
	return items(j, rule->fields[0])->n_items > 0 &&
	       is_text(j, rule->fields[1], "none");
}

/* An option of a manager's policy, known from FIRST on, and the first minors in
 * which it is beta and stable. */
struct option {
	const char *name;
	unsigned char first, beta, stable;
};

static bool option_ok(const struct judge *j, const struct option *options,
                      size_t n, const char *name, const char *alpha_gate,
                      const char *beta_gate)
{
	for (size_t i = 0; i < n; i++) {
		const struct option *o = &options[i];

		if (strcmp(o->name, name) != 0)
			continue;
		/* a point release may have brought it */
		if (j->minor + 1 == o->first && o->first == 32)
			return true;
		if (j->minor < o->first)
			return false;
		if (j->minor >= o->stable)
			return true;
		return gate(j, j->minor >= o->beta ? beta_gate : alpha_gate) !=
		       ANSWER_OFF;
	}
	return false;
}

static bool cpu_pair(const struct judge *j, const char *a, const char *b)
{
	const char *x = entry(j, KR_FIELD_CPU_OPTIONS, a);
	const char *y = entry(j, KR_FIELD_CPU_OPTIONS, b);

	return x && y && kr_go_bool(x) == 1 && kr_go_bool(y) == 1;
}

#define NEVER 99

static bool cpu_options(struct judge *j, const struct rule *rule)
{
	static const struct option options[] = {
		{"full-pcpus-only", 22, 22, 33},
		{"distribute-cpus-across-numa", 23, 33, NEVER},
		{"align-by-socket", 25, NEVER, NEVER},
		{"distribute-cpus-across-cores", 31, NEVER, NEVER},
		{"prefer-align-cpus-by-uncorecache", 32, 34, 36},
		{"strict-cpu-reservation", 32, 33, 35},
	};
	const struct kr_strings *pairs = items(j, rule->fields[0]);

	if (!is_text(j, rule->fields[1], "static"))
		return false;
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		if (!counts(pairs, i) ||
		    (kr_go_bool(pairs->items[i + 1]) >= 0 &&
		     option_ok(j, options, ARRAY_SIZE(options), pairs->items[i],
		               "CPUManagerPolicyAlphaOptions",
		               "CPUManagerPolicyBetaOptions")))
			continue;
		j->item = pairs->items[i];
		j->item_value = pairs->items[i + 1];
		return true;
	}
	return false;
}

static bool cpu_options_together(struct judge *j, const struct rule *rule)
{
	const char *align = entry(j, rule->fields[0], "align-by-socket");

	if (!is_text(j, rule->fields[1], "static"))
		return false;
	if (j->minor >= 26 && align && kr_go_bool(align) == 1 &&
	    is_text(j, rule->fields[2], "single-numa-node"))
		return true;
	if (j->minor < 31)
		return false;
	return cpu_pair(j, "full-pcpus-only", "distribute-cpus-across-cores") ||
	       cpu_pair(j, "distribute-cpus-across-numa",
	                "distribute-cpus-across-cores") ||
	       cpu_pair(j, "prefer-align-cpus-by-uncorecache",
	                "distribute-cpus-across-cores") ||
	       cpu_pair(j, "prefer-align-cpus-by-uncorecache",
	                "distribute-cpus-across-numa");
}

static bool topology_value_ok(const char *name, const char *value)
{
	int64_t n;

	if (strcmp(name, "max-allowable-numa-nodes") != 0)
		return kr_go_bool(value) >= 0;
	return kr_go_int_text(value, strlen(value), 10, 64, &n) && n >= 8;
}

static bool topology_options(struct judge *j, const struct rule *rule)
{
	static const struct option options[] = {
		{"prefer-closest-numa-nodes", 26, 28, 32},
		{"max-allowable-numa-nodes", 31, 31, 35},
	};
	const struct kr_strings *pairs = items(j, rule->fields[0]);
	const char *policy = text(j, rule->fields[1]);

	if (!policy || (j->minor >= 28 && strcmp(policy, "none") == 0))
		return false;
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		if (!counts(pairs, i) ||
		    (topology_value_ok(pairs->items[i], pairs->items[i + 1]) &&
		     option_ok(j, options, ARRAY_SIZE(options), pairs->items[i],
		               "TopologyManagerPolicyAlphaOptions",
		               "TopologyManagerPolicyBetaOptions")))
			continue;
		j->item = pairs->items[i];
		j->item_value = pairs->items[i + 1];
		return true;
	}
	return false;
}

static bool static_without_memory(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *pairs = items(j, rule->fields[1]);

	if (!is_text(j, rule->fields[0], "Static") ||
	    is_unknown(j, rule->fields[1]))
		return false;
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *name = limit_of(pairs->items[i]);

		if (name && strcmp(name, "memory") == 0)
			return false;
	}
	return true;
}

/* The bytes of "memory" in FIELD, added to TOTAL; false: it cannot be told. */
static bool add_memory(const struct judge *j, int field, int64_t *total)
{
	const char *value = entry(j, field, "memory");
	int64_t n;

	if (is_unknown(j, field))
		return false;
	if (!value)
		return true;
	return kr_quantity_int64(value, &n) &&
	       !__builtin_add_overflow(*total, n, total);
}

/* What kubelet keeps free before it evicts; false: it cannot be told. */
static bool add_threshold(const struct judge *j, int64_t *total)
{
	struct held hard = hold(j, KR_FIELD_EVICTION_HARD);
	struct held defaults = hold(j, KR_FIELD_EVICTION_MERGE);
	const char *value =
		entry(j, KR_FIELD_EVICTION_HARD, "memory.available");
	int64_t n;
	bool off;

	if (hard.whence == WHENCE_UNKNOWN)
		return false;
	if (!value && (hard.value || j->in->n_files == 0)) {
		/* kubelet may add what the map lacks */
		if (defaults.whence != WHENCE_DEFAULT || j->in->n_files == 0)
			return false;
		return true;
	}
	if (!value)
		value = "100Mi";
	if (!kr_threshold_valid(value, j->minor, &off))
		return false;
	if (off)
		return true;
	return kr_quantity_int64(value, &n) &&
	       !__builtin_add_overflow(*total, n, total);
}

static bool memory_sum(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *pairs = items(j, rule->fields[1]);
	int64_t have = 0, want = 0;

	if (!is_text(j, rule->fields[0], "Static") || pairs->n_items == 0 ||
	    !add_memory(j, KR_FIELD_KUBE_RESERVED, &want) ||
	    !add_memory(j, KR_FIELD_SYSTEM_RESERVED, &want) ||
	    !add_threshold(j, &want))
		return false;
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *name = limit_of(pairs->items[i]);
		int64_t n;

		if (!name || !counts(pairs, i))
			continue;
		/* hugepages were not worked out */
		if (strcmp(name, "memory") != 0 ||
		    !kr_quantity_int64(pairs->items[i + 1], &n) ||
		    __builtin_add_overflow(have, n, &have))
			return false;
	}
	return have > 0 && have != want;
}

static bool equal_bits(struct judge *j, const struct rule *rule)
{
	int64_t drop, masquerade;

	return is_bool(j, KR_FIELD_IPTABLES, true) &&
	       number(j, rule->fields[0], &drop) &&
	       number(j, rule->fields[1], &masquerade) && drop == masquerade;
}

/* Without --kubeconfig kubelet watches nothing. */
static bool watch(struct judge *j, const struct rule *rule)
{
	return is_not_empty(j, KR_FIELD_KUBECONFIG) && no_name(j, rule);
}

static bool sysctls(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *list = items(j, rule->fields[0]);

	for (size_t i = 0; i < list->n_items; i++) {
		if (kr_unsafe_sysctl_valid(list->items[i], j->minor))
			continue;
		j->item = list->items[i];
		return true;
	}
	return false;
}

/* By flag it was judged word by word, and "" leaves the value before. */
static bool address(struct judge *j, const struct rule *rule)
{
	struct held held = hold(j, rule->fields[0]);

	return held.whence == WHENCE_FILE && !kr_ip_valid(held.value->s) &&
	       is_bool(j, KR_FIELD_ENABLE_SERVER, true);
}

static bool endpoint(struct judge *j, const struct rule *rule)
{
	const char *s = text(j, rule->fields[0]);

	return s && is_remote(j) && !kr_runtime_endpoint_valid(s);
}

static bool lock_without_file(struct judge *j, const struct rule *rule)
{
	return is_bool(j, rule->fields[0], true) &&
	       !is_unknown(j, rule->fields[1]) &&
	       !is_not_empty(j, rule->fields[1]);
}

/* Whether NAME is DOMAIN or in it. */
static bool in_domain(const char *name, size_t length, const char *domain)
{
	size_t n = strlen(domain);

	if (length < n || memcmp(name + length - n, domain, n) != 0)
		return false;
	return length == n || name[length - n - 1] == '.';
}

/* A label that a kubelet must not give its own node. */
static bool is_reserved_label(const char *name)
{
	static const char *const taken[] = {
		"kubernetes.io/hostname",
		"topology.kubernetes.io/zone",
		"topology.kubernetes.io/region",
		"failure-domain.beta.kubernetes.io/zone",
		"failure-domain.beta.kubernetes.io/region",
		"beta.kubernetes.io/instance-type",
		"node.kubernetes.io/instance-type",
		"kubernetes.io/os",
		"kubernetes.io/arch",
		"beta.kubernetes.io/os",
		"beta.kubernetes.io/arch",
		NULL,
	};
	const char *slash = strchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : 0;

	if (!slash || is_name(name, taken))
		return false;
	if (in_domain(name, n, "kubelet.kubernetes.io") ||
	    in_domain(name, n, "node.kubernetes.io"))
		return false;
	return in_domain(name, n, "kubernetes.io") ||
	       in_domain(name, n, "k8s.io");
}

static bool node_labels(struct judge *j, const struct rule *rule)
{
	const struct kr_strings *pairs = items(j, rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		if (!is_reserved_label(pairs->items[i]))
			continue;
		j->item = pairs->items[i];
		return !j->in->openshift;
	}
	return false;
}

/* --- the table ----------------------------------------------------------- */

#define F(name)     KR_FIELD_##name
#define ALL         20, 36
#define ON(g)       .gate = (g), .gate_on = true
#define OFF(g)      .gate = (g), .gate_on = false
#define RANGE(a, b) .refuses = out_of_range, .min = (a), .max = (b)
#define NAMES(...)                                                             \
	.names = (const char *const[])                                         \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
#define ONE_OF(...) .refuses = no_name, NAMES(__VA_ARGS__)
#define WORDS(w)    .words = (w)

/* clang-format off */
static const struct rule rules[] = {
	/* ValidateKubeletConfiguration */
	{{F(NODE_LEASE)}, ALL, RANGE(1, INT32_MAX)},
	{{F(EVENT_BURST)}, ALL, RANGE(0, INT32_MAX)},
	{{F(EVENT_QPS)}, ALL, RANGE(0, INT32_MAX)},
	{{F(HEALTHZ_PORT)}, ALL, RANGE(0, 65535)},
	{{F(CFS_PERIOD)}, ALL, OFF("CustomCPUCFSQuotaPeriod"),
	 .refuses = other_cfs_period,
	 WORDS("would have to be 100ms while the feature gate "
	       "CustomCPUCFSQuotaPeriod is off")},
	{{F(CFS_PERIOD)}, 20, 25, ON("CustomCPUCFSQuotaPeriod"),
	 RANGE(1000, SECOND), WORDS("would have to be from 1us to 1s")},
	{{F(CFS_PERIOD)}, 26, 36, ON("CustomCPUCFSQuotaPeriod"),
	 RANGE(MS, SECOND), WORDS("would have to be from 1ms to 1s")},
	{{F(IMAGE_GC_HIGH)}, ALL, RANGE(0, 100)},
	{{F(IMAGE_GC_LOW)}, ALL, RANGE(0, 100)},
	{{F(IMAGE_GC_LOW), F(IMAGE_GC_HIGH)}, ALL, .refuses = gc_order,
	 WORDS("would have to leave imageGCLowThresholdPercent (80 where it "
	       "is not set) below imageGCHighThresholdPercent (85)")},
	{{F(IMAGE_MAX_AGE)}, 29, 36, OFF("ImageMaximumGCAge"), .refuses = says,
	 WORDS("would have to be 0s while the feature gate "
	       "ImageMaximumGCAge is off")},
	{{F(IMAGE_MAX_AGE)}, 29, 36, RANGE(0, INT64_MAX),
	 WORDS("would have to be 0s or more")},
	{{F(IMAGE_MAX_AGE), F(IMAGE_MIN_AGE)}, 29, 36,
	 .refuses = image_age_order,
	 WORDS("would have to leave imageMaximumGCAge 0s or above "
	       "imageMinimumGCAge (2m where it is not set)")},
	{{F(IMAGE_MIN_AGE)}, 36, 36, RANGE(0, INT64_MAX),
	 WORDS("would have to be 0s or more")},
	{{F(DROP_BIT)}, ALL, RANGE(0, 31)},
	{{F(MASQUERADE_BIT)}, ALL, RANGE(0, 31)},
	{{F(KUBE_API_BURST)}, ALL, RANGE(0, INT32_MAX)},
	{{F(KUBE_API_QPS)}, ALL, RANGE(0, INT32_MAX)},
	{{F(STATUS_MAX_IMAGES)}, ALL, RANGE(-1, INT32_MAX)},
	{{F(MAX_OPEN_FILES)}, ALL, RANGE(0, INT64_MAX)},
	{{F(MAX_PODS)}, ALL, RANGE(0, INT32_MAX)},
	{{F(OOM_SCORE_ADJ)}, ALL, RANGE(-1000, 1000)},
	{{F(PODS_PER_CORE)}, ALL, RANGE(0, INT32_MAX)},
	{{F(PORT)}, ALL, RANGE(1, 65535)},
	{{F(READ_ONLY_PORT)}, ALL, RANGE(0, 65535)},
	{{F(REGISTRY_BURST)}, ALL, RANGE(0, INT32_MAX)},
	{{F(REGISTRY_QPS)}, ALL, RANGE(0, INT32_MAX)},
	{{F(PARALLEL_PULLS)}, 27, 36, RANGE(1, INT32_MAX)},
	{{F(PARALLEL_PULLS), F(SERIALIZE_PULLS)}, 27, 36,
	 .refuses = serial_pulls,
	 WORDS("would have to be 1 while serializeImagePulls is true")},
	{{F(SERVER_BOOTSTRAP)}, ALL, OFF("RotateKubeletServerCertificate"),
	 .refuses = is_true,
	 WORDS("would have to be false while the feature gate "
	       "RotateKubeletServerCertificate is off")},
	{{F(RUN_ONCE)}, 32, 36, .refuses = is_true,
	 WORDS("would have to be false: kubelet has no such mode any more")},
	{{F(TOPOLOGY_POLICY)}, ALL,
	 ONE_OF("none", "best-effort", "restricted", "single-numa-node"),
	 WORDS("would have to be none, best-effort, restricted or "
	       "single-numa-node")},
	{{F(TOPOLOGY_POLICY)}, 20, 26, OFF("TopologyManager"), ONE_OF("none"),
	 WORDS("would have to be none while the feature gate TopologyManager "
	       "is off")},
	{{F(TOPOLOGY_SCOPE)}, ALL, ONE_OF("container", "pod"),
	 WORDS("would have to be container or pod")},
	{{F(TOPOLOGY_SCOPE)}, 20, 26, OFF("TopologyManager"),
	 ONE_OF("container"),
	 WORDS("would have to be container while the feature gate "
	       "TopologyManager is off")},
	{{F(HAIRPIN)}, ALL, ONE_OF("none", "hairpin-veth", "promiscuous-bridge"),
	 WORDS("would have to be none, hairpin-veth or promiscuous-bridge")},
	{{F(SHUTDOWN_TOTAL)}, ALL, ON("GracefulNodeShutdown"),
	 .refuses = out_of_range_or_zero, .min = SECOND, .max = INT64_MAX,
	 WORDS("would have to be 0s, or 1s or more")},
	{{F(SHUTDOWN_CRITICAL)}, ALL, ON("GracefulNodeShutdown"),
	 .refuses = out_of_range_or_zero, .min = SECOND, .max = INT64_MAX,
	 WORDS("would have to be 0s, or 1s or more")},
	{{F(SHUTDOWN_CRITICAL), F(SHUTDOWN_TOTAL)}, ALL,
	 ON("GracefulNodeShutdown"), .refuses = shutdown_order,
	 WORDS("would have to be no more than shutdownGracePeriod")},
	{{F(SHUTDOWN_TOTAL)}, ALL, OFF("GracefulNodeShutdown"),
	 .refuses = is_positive,
	 WORDS("would have to be 0s while the feature gate "
	       "GracefulNodeShutdown is off")},
	{{F(SHUTDOWN_CRITICAL)}, ALL, OFF("GracefulNodeShutdown"),
	 .refuses = is_positive,
	 WORDS("would have to be 0s while the feature gate "
	       "GracefulNodeShutdown is off")},
	{{F(SHUTDOWN_PRIORITY), F(SHUTDOWN_TOTAL), F(SHUTDOWN_CRITICAL)},
	 23, 36, ON("GracefulNodeShutdownBasedOnPodPriority"),
	 .refuses = shutdown_both,
	 WORDS("would have to stand without shutdownGracePeriod and "
	       "shutdownGracePeriodCriticalPods")},
	{{F(SHUTDOWN_PRIORITY)}, 23, 36,
	 OFF("GracefulNodeShutdownBasedOnPodPriority"), .refuses = says,
	 WORDS("would have to be empty while the feature gate "
	       "GracefulNodeShutdownBasedOnPodPriority is off")},
	{{F(SWAP)}, 22, 29, ON("NodeSwap"),
	 ONE_OF("", "LimitedSwap", "UnlimitedSwap"),
	 WORDS("would have to be LimitedSwap or UnlimitedSwap")},
	{{F(SWAP)}, 30, 36, ON("NodeSwap"), ONE_OF("", "NoSwap", "LimitedSwap"),
	 WORDS("would have to be NoSwap or LimitedSwap")},
	{{F(SWAP)}, 23, 36, OFF("NodeSwap"), ONE_OF(""),
	 WORDS("would have to be empty while the feature gate NodeSwap is "
	       "off")},
	{{F(MEMORY_THROTTLING)}, 22, 36, .refuses = throttling,
	 WORDS("would have to be above 0 and no more than 1")},
	{{F(MEMORY_RESERVATION)}, 36, 36, ONE_OF("None", "TieredReservation"),
	 WORDS("would have to be None or TieredReservation")},
	{{F(MEMORY_RESERVATION)}, 36, 36, OFF("MemoryQoS"),
	 .refuses = tiered_reservation,
	 WORDS("would have to be None while the feature gate MemoryQoS is "
	       "off")},
	{{F(RESTART_PERIOD)}, 32, 36, ON("KubeletCrashLoopBackOffMax"),
	 .refuses = restart_period, .min = 1000, .max = 300000,
	 WORDS("would have to be from 1s to 300s")},
	{{F(RESTART_PERIOD)}, 32, 36, OFF("KubeletCrashLoopBackOffMax"),
	 .refuses = is_written,
	 WORDS("would have to be left out while the feature gate "
	       "KubeletCrashLoopBackOffMax is off")},
	{{F(ENFORCE)}, 20, 31, .refuses = no_names,
	 NAMES("pods", "system-reserved", "kube-reserved", "none"),
	 WORDS("would have to hold pods, system-reserved, kube-reserved or "
	       "none")},
	{{F(ENFORCE)}, 32, 36, .refuses = no_names,
	 NAMES("pods", "system-reserved", "system-reserved-compressible",
	       "kube-reserved", "kube-reserved-compressible", "none"),
	 WORDS("would have to hold pods, system-reserved, kube-reserved, the "
	       "last two also with -compressible, or none")},
	{{F(ENFORCE)}, ALL, .refuses = none_and_others,
	 WORDS("would have to hold none alone, or other names")},
	{{F(ENFORCE), F(SYSTEM_CGROUP)}, ALL, .refuses = no_system_cgroup,
	 WORDS("would have to be without system-reserved while "
	       "systemReservedCgroup is not set")},
	{{F(ENFORCE), F(KUBE_CGROUP)}, ALL, .refuses = no_kube_cgroup,
	 WORDS("would have to be without kube-reserved while "
	       "kubeReservedCgroup is not set")},
	{{F(CGROUPS_PER_QOS), F(ENFORCE)}, ALL, .refuses = not_per_qos,
	 WORDS("would have to be true while enforceNodeAllocatable ([pods] "
	       "where it is not set) is not empty")},
	{{F(ENFORCE)}, 31, 36, .refuses = twice,
	 WORDS("would have to hold each name once")},
	{{F(ENFORCE)}, 32, 36, .refuses = both_compressible,
	 WORDS("would have to hold a name or its -compressible form, not "
	       "both")},
	{{F(SYSTEM_CGROUPS), F(CGROUP_ROOT)}, ALL, .refuses = no_cgroup_root,
	 WORDS("would have to be empty while cgroupRoot is not set")},
	{{F(SYSTEM_CGROUPS)}, ALL, .refuses = is_root,
	 WORDS("would have to be another cgroup than /")},
	{{F(RESERVED_CPUS), F(SYSTEM_CGROUP), F(KUBE_CGROUP)}, ALL,
	 .refuses = cpus_and_cgroup,
	 WORDS("would have to stand without systemReservedCgroup and "
	       "kubeReservedCgroup")},
	{{F(RESERVED_CPUS)}, ALL, .refuses = no_cpu_list,
	 WORDS("would have to be a list of CPUs such as 0-3,7")},
	{{F(RESERVED_MEMORY)}, 21, 36, .refuses = memory_name,
	 WORDS("would have to limit memory or hugepages-*")},
	{{F(RESERVED_MEMORY)}, 21, 36, .refuses = memory_zero,
	 WORDS("would have to have limits other than 0")},
	{{F(RESERVED_MEMORY)}, 21, 36, .refuses = memory_twice,
	 WORDS("would have to name each type once for a NUMA node")},
	{{F(TAINTS)}, 23, 36, .refuses = taint_key,
	 WORDS("would have to have a label's name as each key")},
	{{F(TAINTS)}, 23, 36, .refuses = taint_value,
	 WORDS("would have to have label values of 63 letters, digits, \"-\", "
	       "\"_\" and \".\" at most")},
	{{F(TAINTS)}, 23, 36, .refuses = taint_effect,
	 WORDS("would have to have NoSchedule, PreferNoSchedule or NoExecute "
	       "as each effect")},
	{{F(TAINTS)}, 23, 36, .refuses = taint_time,
	 WORDS("would have to be without timeAdded")},
	{{F(LOG_WORKERS)}, 30, 36, RANGE(1, INT32_MAX)},
	{{F(LOG_INTERVAL)}, 30, 36, RANGE(3 * SECOND, INT64_MAX),
	 WORDS("would have to be 3s or more")},
	{{F(POD_LOGS)}, 30, 36, .refuses = pod_logs,
	 WORDS("would have to be an absolute path of ASCII characters, "
	       "without \"//\", \".\", \"..\" and a \"/\" at its end")},
	{{F(RUNTIME_ENDPOINT)}, 27, 36, .refuses = is_empty,
	 WORDS("would have to name a socket")},
	{{F(LOG_QUERY)}, 27, 36, OFF("NodeLogQuery"), .refuses = is_true,
	 WORDS("would have to be false while the feature gate NodeLogQuery is "
	       "off")},
	{{F(LOG_QUERY), F(LOG_HANDLER)}, 27, 36,
	 .refuses = query_without_handler,
	 WORDS("would have to be false while enableSystemLogHandler is "
	       "false")},
	{{F(PULL_POLICY)}, 33, 36, ON("KubeletEnsureSecretPulledImages"),
	 ONE_OF("NeverVerify", "NeverVerifyPreloadedImages",
	        "NeverVerifyAllowlistedImages", "AlwaysVerify"),
	 WORDS("would have to be NeverVerify, NeverVerifyPreloadedImages, "
	       "NeverVerifyAllowlistedImages or AlwaysVerify")},
	{{F(PULL_POLICY)}, 33, 36, OFF("KubeletEnsureSecretPulledImages"),
	 ONE_OF(""),
	 WORDS("would have to be empty while the feature gate "
	       "KubeletEnsureSecretPulledImages is off")},
	{{F(PULL_ALLOWLIST)}, 33, 36, OFF("KubeletEnsureSecretPulledImages"),
	 .refuses = says,
	 WORDS("would have to be empty while the feature gate "
	       "KubeletEnsureSecretPulledImages is off")},
	{{F(PULL_ALLOWLIST), F(PULL_POLICY)}, 33, 36,
	 ON("KubeletEnsureSecretPulledImages"), .refuses = allowlist_policy,
	 WORDS("would have to be empty unless "
	       "imagePullCredentialsVerificationPolicy is "
	       "NeverVerifyAllowlistedImages")},
	{{F(PULL_ALLOWLIST), F(PULL_POLICY)}, 33, 36,
	 ON("KubeletEnsureSecretPulledImages"), .refuses = allowlist_pattern,
	 WORDS("would have to hold images without a tag, or beginnings that "
	       "end with /*")},
	{{F(LOGGING_FORMAT)}, ALL, ONE_OF("text", "json"),
	 WORDS("would have to be text or json")},
	{{F(LOGGING_FORMAT)}, 25, 36, OFF("LoggingBetaOptions"),
	 .refuses = is_json,
	 WORDS("would have to be text while the feature gate "
	       "LoggingBetaOptions is off")},
	{{F(LOGGING_VERBOSITY)}, 23, 36, RANGE(0, INT32_MAX)},
	{{F(LOGGING_VMODULE), F(LOGGING_FORMAT)}, 23, 36,
	 .refuses = vmodule_format,
	 WORDS("would have to be empty while logging.format is json")},
	{{F(LOGGING_VMODULE)}, 23, 36, .refuses = vmodule_pattern,
	 WORDS("would have to have patterns without \"=\" and \",\"")},
	{{F(LOGGING_VMODULE)}, 23, 36, .refuses = vmodule_verbosity,
	 WORDS("would have to have numbers of 2147483647 at most")},
	{{F(JSON_SPLIT)}, 25, 36, OFF("LoggingAlphaOptions"), .refuses = is_true,
	 WORDS("would have to be false while the feature gate "
	       "LoggingAlphaOptions is off")},
	{{F(JSON_BUFFER)}, 25, 36, OFF("LoggingAlphaOptions"),
	 .refuses = is_amount,
	 WORDS("would have to be 0 while the feature gate "
	       "LoggingAlphaOptions is off")},
	{{F(TEXT_SPLIT)}, 30, 36, OFF("LoggingAlphaOptions"), .refuses = is_true,
	 WORDS("would have to be false while the feature gate "
	       "LoggingAlphaOptions is off")},
	{{F(TEXT_BUFFER)}, 30, 36, OFF("LoggingAlphaOptions"),
	 .refuses = is_amount,
	 WORDS("would have to be 0 while the feature gate "
	       "LoggingAlphaOptions is off")},
	{{F(LOGGING_FLUSH)}, 35, 36, RANGE(1, INT64_MAX),
	 WORDS("would have to be above 0s")},
	{{F(TRACING_RATE)}, 25, 33, OFF("KubeletTracing"), .refuses = is_written,
	 WORDS("would have to be left out while the feature gate "
	       "KubeletTracing is off")},
	{{F(TRACING_ENDPOINT)}, 25, 33, OFF("KubeletTracing"),
	 .refuses = is_written,
	 WORDS("would have to be left out while the feature gate "
	       "KubeletTracing is off")},
	{{F(TRACING_RATE)}, 25, 36, RANGE(0, 1000000)},
	{{F(TRACING_ENDPOINT)}, 25, 36, .refuses = trace_endpoint,
	 WORDS("would have to be host:port, or begin with dns:, unix: or "
	       "unix-abstract:")},
	{{F(HIDDEN_METRICS)}, ALL, .refuses = hidden_metrics,
	 WORDS("would have to be the minor version before kubelet's own")},
	{{F(IDS_PER_POD)}, 33, 36, .refuses = ids_per_pod,
	 WORDS("would have to be a multiple of 65536, up to 4294901760")},

	/* TLS, clients, authorization */
	{{F(AUTHORIZATION_MODE)}, ALL, ONE_OF("AlwaysAllow", "Webhook"),
	 WORDS("would have to be Webhook or AlwaysAllow")},
	{{F(WEBHOOK)}, ALL, .refuses = webhook_authentication,
	 WORDS("would have to be false while --kubeconfig is not given")},
	{{F(AUTHORIZATION_MODE)}, ALL, .refuses = webhook_mode,
	 WORDS("would have to be AlwaysAllow while --kubeconfig is not "
	       "given")},
	{{F(TLS_CIPHERS)}, ALL, .refuses = ciphers,
	 WORDS("would have to hold cipher suites that this kubelet's Go "
	       "knows")},
	{{F(TLS_MIN_VERSION)}, ALL,
	 ONE_OF("", "VersionTLS10", "VersionTLS11", "VersionTLS12",
	        "VersionTLS13"),
	 WORDS("would have to be VersionTLS10, VersionTLS11, VersionTLS12 or "
	       "VersionTLS13")},
	{{F(TLS_CERT), F(TLS_KEY)}, 20, 35, .refuses = half_a_pair,
	 WORDS("would have to stand together with its other half: tlsCertFile "
	       "and tlsPrivateKeyFile, or neither")},

	/* run() and NewMainKubelet() */
	{{F(KUBE_RESERVED)}, ALL, .refuses = reserved,
	 WORDS("would have to hold cpu, memory, ephemeral-storage or pid with "
	       "amounts such as 100m or 1Gi")},
	{{F(SYSTEM_RESERVED)}, ALL, .refuses = reserved,
	 WORDS("would have to hold cpu, memory, ephemeral-storage or pid with "
	       "amounts such as 100m or 1Gi")},
	{{F(QOS_RESERVED)}, ALL, .refuses = qos_reserved,
	 WORDS("would have to hold memory with 0% to 100%")},
	{{F(EVICTION_HARD)}, ALL, .refuses = eviction, .min = 0,
	 WORDS("would have to hold signals with amounts above 0 or parts up "
	       "to 100%")},
	{{F(EVICTION_SOFT)}, ALL, .refuses = eviction, .min = 1,
	 WORDS("would have to hold signals with amounts above 0 or parts up "
	       "to 100%, each with its evictionSoftGracePeriod")},
	{{F(EVICTION_GRACE)}, ALL, .refuses = eviction, .min = 2,
	 WORDS("would have to hold signals with durations such as 1m30s")},
	{{F(EVICTION_RECLAIM)}, ALL, .refuses = eviction, .min = 3,
	 WORDS("would have to hold signals with amounts of 0 or more, or "
	       "parts above 0%")},
	{{F(CPU_POLICY)}, ALL, ON("CPUManager"), ONE_OF("none", "static"),
	 WORDS("would have to be none or static")},
	{{F(CPU_POLICY)}, ALL, ON("CPUManager"), .refuses = static_without_cpu,
	 WORDS("would have to be none while neither kubeReserved nor "
	       "systemReserved has cpu, and reservedSystemCPUs is not set")},
	{{F(CPU_OPTIONS)}, 22, 32, OFF("CPUManagerPolicyOptions"),
	 .refuses = says,
	 WORDS("would have to be empty while the feature gate "
	       "CPUManagerPolicyOptions is off")},
	{{F(CPU_OPTIONS), F(CPU_POLICY)}, 22, 36,
	 .refuses = options_without_static,
	 WORDS("would have to be empty while cpuManagerPolicy is none")},
	{{F(CPU_OPTIONS), F(CPU_POLICY)}, 22, 36, .refuses = cpu_options,
	 WORDS("would have to hold options that this kubelet knows and whose "
	       "feature gate is on, with true or false")},
	{{F(CPU_OPTIONS), F(CPU_POLICY), F(TOPOLOGY_POLICY)}, 26, 36,
	 .refuses = cpu_options_together,
	 WORDS("would have to be without options that exclude one another")},
	{{F(MEMORY_POLICY)}, 21, 36, ON("MemoryManager"),
	 ONE_OF("None", "Static"),
	 WORDS("would have to be None or Static")},
	{{F(MEMORY_POLICY), F(RESERVED_MEMORY)}, 21, 36, ON("MemoryManager"),
	 .refuses = static_without_memory,
	 WORDS("would have to be None while reservedMemory has no memory")},
	{{F(MEMORY_POLICY), F(RESERVED_MEMORY)}, 21, 36, ON("MemoryManager"),
	 .refuses = memory_sum,
	 WORDS("would have to be None while the memory of reservedMemory is "
	       "not the sum of kubeReserved, systemReserved and evictionHard "
	       "(memory.available: 100Mi where it is not set)")},
	{{F(TOPOLOGY_OPTIONS)}, 26, 35, OFF("TopologyManagerPolicyOptions"),
	 .refuses = says,
	 WORDS("would have to be empty while the feature gate "
	       "TopologyManagerPolicyOptions is off")},
	{{F(TOPOLOGY_OPTIONS), F(TOPOLOGY_POLICY)}, 26, 36,
	 .refuses = topology_options,
	 WORDS("would have to hold prefer-closest-numa-nodes with true or "
	       "false, or from 1.31 max-allowable-numa-nodes with 8 or "
	       "more")},
	{{F(SECCOMP_DEFAULT)}, 22, 26, OFF("SeccompDefault"), .refuses = is_true,
	 WORDS("would have to be false while the feature gate SeccompDefault "
	       "is off")},
	{{F(SYNC)}, ALL, RANGE(1, INT64_MAX),
	 WORDS("would have to be above 0s")},
	{{F(DROP_BIT), F(MASQUERADE_BIT)}, 20, 27, .refuses = equal_bits,
	 .warns = true,
	 WORDS("would have to be another bit than iptablesMasqueradeBit (14 "
	       "where it is not set; iptablesDropBit is 15 then)")},
	{{F(WATCH)}, ALL, .refuses = watch, NAMES("Get", "Cache", "Watch"),
	 WORDS("would have to be Get, Cache or Watch")},
	{{F(LOG_FILES)}, ALL, .refuses = log_files, .min = 2, .max = INT32_MAX},
	{{F(LOG_SIZE)}, ALL, .refuses = log_size,
	 WORDS("would have to be a whole number of bytes such as 10Mi")},
	{{F(SYSCTLS)}, ALL, .refuses = sysctls,
	 WORDS("would have to hold sysctls that have a namespace, such as "
	       "net.*")},
	{{F(ADDRESS)}, ALL, .refuses = address,
	 WORDS("would have to be an IP address")},
	{{F(RUNTIME_ENDPOINT)}, ALL, .refuses = endpoint,
	 WORDS("would have to be a unix socket")},
	{{F(IMAGE_ENDPOINT)}, ALL, .refuses = endpoint,
	 WORDS("would have to be a unix socket")},

	/* feature gates */
	{{F(GATES)}, ALL, .refuses = unknown_gate,
	 WORDS("would have to hold gates that this kubelet knows")},
	{{F(GATES)}, ALL, .refuses = locked_gate,
	 WORDS("would have to leave locked gates at their default")},
	{{F(GATES)}, 35, 36, .refuses = unmet_gate,
	 WORDS("would have to leave on what other gates need")},

	/* flags alone */
	{{F(CONTAINER_RUNTIME)}, 20, 23, ONE_OF("docker", "remote"),
	 WORDS("would have to be docker or remote")},
	{{F(CONTAINER_RUNTIME)}, 24, 26, ONE_OF("remote"),
	 WORDS("would have to be remote")},
	{{F(EXIT_ON_LOCK), F(LOCK_FILE)}, ALL, .refuses = lock_without_file,
	 WORDS("would have to be false while --lock-file is not given")},
	{{F(ROOT_DIR)}, ALL, .refuses = is_empty,
	 WORDS("would have to name a folder")},
	{{F(CONTAINER_TTL)}, ALL, RANGE(0, INT64_MAX),
	 WORDS("would have to be 0s or more")},
	{{F(CLOUD_PROVIDER)}, 32, 36, ONE_OF("", "external"),
	 WORDS("would have to be external or empty")},
	{{F(NODE_LABELS)}, ALL, .refuses = node_labels,
	 WORDS("would have to be without labels of kubernetes.io and k8s.io "
	       "that a kubelet must not set")},
};
/* clang-format on */

/* --- what was found ------------------------------------------------------ */

struct finding {
	const struct rule *rule;
	unsigned minors; /* a bit for each that refuses */
	int field;       /* that is spoken of */
	struct held held;
	struct kr_span place;
	char *what; /* "port would have to be ..." */
};

static unsigned bit(unsigned minor)
{
	return 1U << (minor - KR_VALIDATE_FIRST_MINOR);
}

static bool refuses(struct judge *j, const struct rule *rule)
{
	if (j->minor < rule->from || j->minor > rule->to)
		return false;
	j->item = j->item_value = NULL;
	j->needer = NULL;
	j->blamed = NULL;
	if (!rule->refuses(j, rule))
		return false;
	return !rule->gate ||
	       gate(j, rule->gate) == (rule->gate_on ? ANSWER_ON : ANSWER_OFF);
}

/* The field of RULE that is spoken of: the first that anything sets. */
static int field_of(const struct judge *j, const struct rule *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(rule->fields); i++) {
		if ((i == 0 || rule->fields[i]) && is_set(j, rule->fields[i]))
			return rule->fields[i];
	}
	return rule->fields[0];
}

static int say_rule(const struct judge *j, const struct rule *rule,
                    struct finding *f)
{
	const struct kr_field *field;
	const char *name, *dashes = "";
	int r;

	f->field = field_of(j, rule);
	f->held = hold(j, f->field);
	field = kr_field(f->field);
	name = kr_field_name(f->field);
	if (j->blamed)
		f->held =
			(struct held){.whence = WHENCE_FLAG, .flag = j->blamed};
	if (f->held.flag || !field->path) {
		name = field->flag ?: "feature-gates";
		dashes = "--";
	}
	if (rule->words)
		r = kr_format(&f->what, "%s%s %s", dashes, name, rule->words);
	else
		r = kr_format(&f->what,
		              "%s%s would have to be from %lld to %lld", dashes,
		              name, (long long)rule->min, (long long)rule->max);
	if (r == 0 && j->needer) {
		_cleanup_free_ char *before = TAKE_PTR(f->what);

		r = kr_format(&f->what, "%s: %s needs %s, which is off", before,
		              j->needer, j->item);
	} else if (r == 0 && j->item) {
		_cleanup_free_ char *before = TAKE_PTR(f->what);

		r = kr_format(&f->what, "%s, not \"%.60s%s%.60s\"", before,
		              j->item, j->item_value ? ": " : "",
		              j->item_value ?: "");
	}
	return r;
}

/* The item in the text of the value that has it, in whatever file. */
static struct kr_span place_of(const struct judge *j, const struct finding *f)
{
	const struct kr_merged *merged = j->merges[merge_of(j)];
	struct kr_span place = KR_SPAN_NONE;

	if (f->held.use)
		place = f->held.use->value;
	for (size_t i = 0;
	     j->item && *j->item && merged && i < merged->n_configs; i++) {
		const struct kr_config_use *use;
		size_t at = 0;

		while ((use = kr_config_next(&merged->configs[i], f->field,
		                             &at))) {
			const struct kr_span *v = &use->value;
			const char *found;

			if (!v->file)
				continue;
			found = memmem(v->file->data + v->offset, v->length,
			               j->item, strlen(j->item));
			if (found)
				place = (struct kr_span){
					v->file,
					(size_t)(found - v->file->data),
					strlen(j->item)};
		}
	}
	return place;
}

/* "1.20 to 1.22, 1.30 to 1.36" */
static int name_minors(unsigned minors, char **ret)
{
	_cleanup_free_ char *text = NULL;
	int r = 0;

	for (unsigned m = KR_VALIDATE_FIRST_MINOR;
	     r == 0 && m <= KR_VALIDATE_LAST_MINOR; m++) {
		_cleanup_free_ char *before = NULL;
		unsigned last = m;

		if (!(minors & bit(m)))
			continue;
		while (last < KR_VALIDATE_LAST_MINOR &&
		       (minors & bit(last + 1)))
			last++;
		before = TAKE_PTR(text);
		r = kr_format(&text, "%s%s1.%u", before ?: "",
		              before ? ", " : "", m);
		if (r == 0 && last > m) {
			free(before);
			before = TAKE_PTR(text);
			r = kr_format(&text, "%s to 1.%u", before, last);
		}
		m = last;
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	return 0;
}

struct verdict {
	struct kr_inputs *in;
	struct kr_diag *diag;
	unsigned may_run; /* a bit for each minor */
	struct finding *findings;
	size_t n_findings;
};

/* RULE refuses: a finding, or one more minor of one. */
static int add_finding(struct verdict *v, const struct judge *j,
                       const struct rule *rule)
{
	struct finding f = {.rule = rule, .minors = bit(j->minor)}, *next;
	_cleanup_free_ char *what = NULL;
	int r = say_rule(j, rule, &f);

	what = f.what;
	if (r < 0)
		return r;
	for (size_t i = 0; i < v->n_findings; i++) {
		struct finding *old = &v->findings[i];

		if (old->rule != rule || strcmp(old->what, what) != 0)
			continue;
		old->minors |= bit(j->minor);
		return 0;
	}
	f.place = place_of(j, &f);
	next = KR_VEC_NEXT(v->findings, v->n_findings);
	if (!next)
		return -ENOMEM;
	*next = f;
	v->n_findings++;
	what = NULL;
	return 0;
}

/* Asks all rules of J's minor. */
static int ask(struct verdict *v, struct judge *j)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		int r = refuses(j, &rules[i]) ? add_finding(v, j, &rules[i])
		                              : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int say_error(struct verdict *v, const struct finding *f)
{
	const char *code = f->rule->words ? "config-invalid" : "config-range";
	int r;

	if (f->held.flag) {
		r = kr_flags_add_remark(&v->in->flags, f->held.flag->arg, true,
		                        code, "%s", f->what);
		if (r < 0)
			return r;
	} else if (!f->place.file && v->in->config_path) {
		kr_diag_add_path(v->diag, KR_ERROR, code, v->in->config_path,
		                 "%s", f->what);
	} else {
		kr_diag_add(v->diag, KR_ERROR, code, f->place, "%s", f->what);
	}
	return kr_inputs_fault(
		v->in, KR_STATE_INVALID, "kubelet would refuse its %s: %s",
		f->held.flag ? "arguments" : "configuration", f->what);
}

static int say_warning(struct verdict *v, const struct finding *f)
{
	_cleanup_free_ char *minors = NULL;
	int r = name_minors(f->minors, &minors);

	if (r < 0)
		return r;
	if (f->held.flag)
		return kr_flags_add_remark(&v->in->flags, f->held.flag->arg,
		                           false, "config-version",
		                           "%s, or kubelet %s would refuse it",
		                           f->what, minors);
	kr_diag_add(v->diag, KR_WARNING, "config-version", f->place,
	            "%s, or kubelet %s would refuse it", f->what, minors);
	return 0;
}

/* Of one field one rule speaks. */
static bool is_said(const struct verdict *v, size_t i, unsigned minors)
{
	for (size_t k = 0; k < i; k++) {
		if ((v->findings[k].minors & minors) &&
		    v->findings[k].field == v->findings[i].field)
			return true;
	}
	return false;
}

/* The newest of MINORS. */
static unsigned newest_of(unsigned minors)
{
	unsigned newest = 0;

	for (unsigned m = 0; m < N_MINORS; m++) {
		if (minors & 1U << m)
			newest = 1U << m;
	}
	return newest;
}

/* Whether the merges of drop-ins make different things of the field of F. */
static bool is_by_merge(const struct verdict *v, const struct finding *f)
{
	const struct kr_value *newer, *older;

	if (!v->in->older_valid || f->held.flag)
		return false;
	newer = kr_merged_value(&v->in->merged, f->field);
	older = kr_merged_value(&v->in->older, f->field);
	if (!newer || !older)
		return newer != older;
	return !kr_value_equal(newer, older);
}

/* Only kubelets refuse it that are long out of support: so does the file of any
 * newer one look to them. */
static bool is_old(const struct verdict *v, unsigned minors)
{
	return v->may_run >= bit(SUPPORTED_MINOR) &&
	       minors < bit(SUPPORTED_MINOR);
}

/* Some versions refuse what F says. */
static int say_some(struct verdict *v, const struct finding *f)
{
	if (v->in->kubelet_minor == 0 && is_old(v, f->minors))
		return 0;
	v->in->version_matters = v->in->kubelet_minor == 0;
	if (f->rule->warns || !is_by_merge(v, f))
		return say_warning(v, f);
	v->in->fault_by_version = true;
	return kr_inputs_fault(
		v->in, KR_STATE_UNKNOWN,
		"whether kubelet would refuse %s depends on its version, which "
		"must be said (--kubelet-version)",
		kr_field_name(f->field));
}

static int conclude(struct verdict *v)
{
	unsigned all = 0, newest = newest_of(v->may_run);
	bool refused;

	for (size_t i = 0; i < v->n_findings; i++) {
		if (!v->findings[i].rule->warns)
			all |= v->findings[i].minors;
	}
	refused = v->may_run != 0 && all == v->may_run;
	for (size_t i = 0; i < v->n_findings; i++) {
		const struct finding *f = &v->findings[i];
		int r = 0;

		if (refused && !f->rule->warns) {
			if ((f->minors & newest) && !is_said(v, i, newest))
				r = say_error(v, f);
		} else if (!is_said(v, i, f->minors)) {
			r = say_some(v, f);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the way through ----------------------------------------------------- */

static bool has_all_flags(const struct kr_inputs *in, unsigned minor)
{
	const struct kr_flag *table;
	size_t n;

	table = kr_flag_table(&n);
	for (size_t i = 0; in->flags.given && i < n; i++) {
		if (in->flags.given[i] &&
		    (minor < table[i].first ||
		     (table[i].last > 0 && minor > table[i].last)))
			return false;
	}
	return true;
}

/* The minors that may run, a bit for each. */
static unsigned minors_of(const struct kr_inputs *in)
{
	unsigned minor = in->kubelet_minor, minors = 0;

	if (minor > KR_VALIDATE_LAST_MINOR)
		minor = KR_VALIDATE_LAST_MINOR;
	if (minor > 0 && minor < KR_VALIDATE_FIRST_MINOR)
		minor = KR_VALIDATE_FIRST_MINOR;
	if (minor > 0)
		return bit(minor);
	for (unsigned m = KR_VALIDATE_FIRST_MINOR; m <= KR_VALIDATE_LAST_MINOR;
	     m++) {
		if (has_all_flags(in, m))
			minors |= bit(m);
	}
	/* 1.28 has a merge of its own, which does not count */
	if (in->older_valid && minors >= bit(SUPPORTED_MINOR))
		minors &= ~(bit(SUPPORTED_MINOR) - 1);
	return minors;
}

/* A flag that the node's kubelet does not have. */
static int check_flags(struct kr_inputs *in)
{
	unsigned minor = in->kubelet_minor;
	const struct kr_flag *table;
	size_t n;

	table = kr_flag_table(&n);
	if (minor < KR_VALIDATE_FIRST_MINOR || !in->flags.given)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct kr_flag *f = &table[i];
		bool early = minor < f->first;
		int r;

		if (!in->flags.given[i] ||
		    (!early && (f->last == 0 || minor <= f->last)))
			continue;
		r = kr_flags_add_remark(
			&in->flags, in->flags.given[i] - 1, true,
			"flag-version",
			"--%s: kubelet 1.%u has no such flag, 1.%u %s that "
			"has it",
			f->name, minor, early ? f->first : f->last,
			early ? "is the first" : "is the last");
		if (r < 0)
			return r;
		r = kr_inputs_fault(in, KR_STATE_INVALID,
		                    "kubelet would refuse its arguments: 1.%u "
		                    "has no --%s",
		                    minor, f->name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int prepare_merges(struct judge *j)
{
	const struct kr_inputs *in = j->in;

	if (in->merged_valid)
		j->merges[MERGE_NEW] = &in->merged;
	if (in->older_valid) {
		j->merges[MERGE_OLD] = &in->older;
		j->merges[MERGE_OLDEST] = &in->oldest;
	}
	j->found = calloc(N_MERGES, sizeof(*j->found));
	if (!j->found)
		return -ENOMEM;
	for (int m = 0; m < N_MERGES; m++) {
		for (int i = 0; j->merges[m] && i < KR_N_FIELDS; i++) {
			if (kr_field(i)->path)
				kr_merged_find(j->merges[m], i,
				               &j->found[m][i]);
		}
	}
	return 0;
}

/* The pairs of all --feature-gates. */
static int prepare_gates(struct judge *j)
{
	const struct kr_flag_use *use;
	size_t at = 0;

	j->flag_gates.type = KR_TYPE_TREE;
	if (j->in->doubts[KR_FIELD_GATE_ROTATE_SERVER])
		return 0;
	while ((use = kr_flags_next(&j->in->flags, KR_FIELD_GATE_ROTATE_SERVER,
	                            &at))) {
		_cleanup_value_ struct kr_value more = {0};
		int r;

		if (!use->text)
			continue;
		r = kr_value_parse(KR_TYPE_TREE, use->text, strlen(use->text),
		                   &more);
		if (r < 0)
			return r;
		r = kr_value_append(&j->flag_gates, &more);
		if (r < 0)
			return r;
		j->flag_gates_use = use;
	}
	return 0;
}

static int prepare(struct judge *j)
{
	const struct kr_inputs *in = j->in;
	int r = prepare_gates(j);

	if (r < 0)
		return r;
	for (int i = 0; i < KR_N_FIELDS; i++) {
		r = kr_inputs_flag(in, i, &j->flags[i], &j->flag_uses[i]);
		if (r < 0)
			return r;
		r = kr_field_default(i, in->n_files == 0, in->kubelet_minor,
		                     &j->defaults[i]);
		if (r == -ENOMEM)
			return r;
		j->default_known[i] = r == 0;
	}
	/* it does not take a file's value away */
	if (j->flag_uses[KR_FIELD_SECCOMP_DEFAULT] &&
	    !j->flags[KR_FIELD_SECCOMP_DEFAULT].b)
		j->flag_uses[KR_FIELD_SECCOMP_DEFAULT] = NULL;
	return prepare_merges(j);
}

static void done(struct judge *j)
{
	for (int i = 0; i < KR_N_FIELDS; i++) {
		kr_value_done(&j->flags[i]);
		kr_value_done(&j->defaults[i]);
	}
	kr_value_done(&j->flag_gates);
	free(j->found);
}

static void verdict_done(struct verdict *v)
{
	for (size_t i = 0; i < v->n_findings; i++)
		free(v->findings[i].what);
	free(v->findings);
	free(v);
}

static int judge(struct verdict *v, struct judge *j)
{
	int r = check_flags(v->in);

	if (r < 0)
		return r;
	r = prepare(j);
	if (r < 0)
		return r;
	for (unsigned m = KR_VALIDATE_FIRST_MINOR; m <= KR_VALIDATE_LAST_MINOR;
	     m++) {
		if (!(v->may_run & bit(m)))
			continue;
		j->minor = m;
		r = ask(v, j);
		if (r < 0)
			return r;
	}
	return conclude(v);
}

int kr_validate(struct kr_inputs *in, struct kr_diag *diag)
{
	struct judge *j = calloc(1, sizeof(*j));
	struct verdict *v = calloc(1, sizeof(*v));
	int r = -ENOMEM;

	if (j && v) {
		j->in = v->in = in;
		v->diag = diag;
		v->may_run = minors_of(in);
		r = judge(v, j);
	}
	if (j)
		done(j);
	if (v)
		verdict_done(v);
	free(j);
	return r;
}
