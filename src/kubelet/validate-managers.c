/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a node keeps for itself, and the managers that deal out the rest: the
 * amounts of kubeReserved, systemReserved, reservedMemory and of eviction, the
 * policies for CPUs, memory and topology, and their options.
 *
 * Little of it is validated with the configuration. The managers read the
 * texts when they are made, after TLS and clients, and each stops kubelet for
 * words that it does not know; all before kubelet serves.
 *
 * Hugepages in the sum of a static memory policy were not worked out, and are
 * not judged. What only the host tells is not judged either: how many CPUs and
 * NUMA nodes there are, and how much memory.
 *
 * Source: kubernetes cmd/kubelet/app/server.go, pkg/kubelet/cm and eviction, of
 * 1.20, 1.21 and 1.23 to 1.36.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "kubelet/go.h"
#include "kubelet/grammar.h"
#include "kubelet/schema.h"
#include "kubelet/validate-constraint.h"

/* --- amounts ------------------------------------------------------------- */

/* The name behind "N/limits/" of PATH; NULL: PATH is another one. */
static const char *limit_of(const char *path)
{
	const char *rest = strchr(path, '/');

	return rest && strncmp(rest, "/limits/", 8) == 0 ? rest + 8 : NULL;
}

static bool memory_name(struct kr_validation *j)
{
	const struct kr_strings *pairs =
		kr_validation_items(j, j->rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *name = limit_of(pairs->items[i]);

		if (!name || strcmp(name, "memory") == 0 ||
		    strncmp(name, "hugepages-", 10) == 0)
			continue;
		if (!kr_validation_refuse_name(j, pairs, i))
			continue;
		j->item = name;
		return true;
	}
	return false;
}

static bool memory_zero(struct kr_validation *j)
{
	const struct kr_strings *pairs =
		kr_validation_items(j, j->rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		int sign;

		if (!limit_of(pairs->items[i]) ||
		    !kr_validation_counts(pairs, i) ||
		    !kr_quantity_valid(pairs->items[i + 1],
		                       strlen(pairs->items[i + 1]), &sign) ||
		    sign != 0)
			continue;
		if (!kr_validation_refuse_pair(j, pairs, i))
			continue;
		j->item = limit_of(pairs->items[i]);
		return true;
	}
	return false;
}

/* The NUMA node of the element that PATH is in, "0" where it has none. */
static const char *numa_of(const struct kr_validation *j, int field,
                           const char *path)
{
	char where[40];

	snprintf(where, sizeof(where), "%.*s/numaNode", (int)strcspn(path, "/"),
	         path);
	return kr_validation_entry(j, field, where) ?: "0";
}

static bool memory_twice(struct kr_validation *j)
{
	int field = j->rule->fields[0];
	const struct kr_strings *pairs = kr_validation_items(j, field);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *name = limit_of(pairs->items[i]);

		for (size_t k = 0; name && k < i; k += 2) {
			const char *other = limit_of(pairs->items[k]);

			if (!other || strcmp(name, other) != 0 ||
			    atoi(pairs->items[i]) == atoi(pairs->items[k]) ||
			    strcmp(numa_of(j, field, pairs->items[i]),
			           numa_of(j, field, pairs->items[k])) != 0)
				continue;
			if (!kr_validation_refuse_name(j, pairs, i))
				break;
			j->item = name;
			return true;
		}
	}
	return false;
}

/* A setting of the file that slipped into a map: there is a note on it. The
 * measured cases end with validation, which takes it. */
static bool is_setting(const char *name)
{
	return kr_schema_member(kr_schema_root(), name, strlen(name), false);
}

static bool amount_ok(struct kr_validation *j, const char *name,
                      const char *value)
{
	static const char *const names[] = {"cpu", "memory",
	                                    "ephemeral-storage", "pid", NULL};
	const char *cpus = kr_validation_text(j, KR_FIELD_RESERVED_CPUS);
	int sign;

	/* a cpu is taken away before kubelet looks */
	return is_setting(name) ||
	       (strcmp(name, "cpu") == 0 && (!cpus || *cpus)) ||
	       (kr_constraint_is_name(name, names) &&
	        kr_quantity_valid(value, strlen(value), &sign) && sign >= 0);
}

static bool reserved(struct kr_validation *j)
{
	return kr_validation_refuse_pairs(j, amount_ok);
}

static bool percent_ok(struct kr_validation *j, const char *name,
                       const char *value)
{
	return strcmp(name, "memory") == 0 && kr_qos_percent_valid(value);
}

static bool qos_reserved(struct kr_validation *j)
{
	return kr_validation_refuse_pairs(j, percent_ok);
}

static bool threshold_ok(struct kr_validation *j, const char *signal,
                         const char *value)
{
	bool ignored;

	return kr_threshold_valid(value, kr_validation_minor(j), &ignored);
}

/* Without a grace period a threshold of evictionSoft is refused. */
static bool soft_ok(struct kr_validation *j, const char *signal,
                    const char *value)
{
	bool off;

	if (!kr_threshold_valid(value, kr_validation_minor(j), &off))
		return false;
	if (off || kr_validation_is_unknown(j, KR_FIELD_EVICTION_GRACE) ||
	    kr_validation_entry(j, KR_FIELD_EVICTION_GRACE, signal))
		return true;
	snprintf(j->words, sizeof(j->words),
	         "has %s, which needs its evictionSoftGracePeriod", signal);
	return false;
}

static bool grace_ok(struct kr_validation *j, const char *signal,
                     const char *value)
{
	int64_t n;

	return kr_go_duration(value, strlen(value), &n) && n >= 0;
}

static bool reclaim_ok(struct kr_validation *j, const char *signal,
                       const char *value)
{
	return kr_reclaim_valid(value);
}

static bool eviction_ok(struct kr_validation *j, const char *signal,
                        const char *value)
{
	static bool (*const valid[])(struct kr_validation *, const char *,
	                             const char *) = {threshold_ok, soft_ok,
	                                              grace_ok, reclaim_ok};

	if (is_setting(signal))
		return true;
	if (kr_eviction_signal_valid(signal, kr_validation_minor(j)))
		return valid[j->rule->min](j, signal, value);
	snprintf(j->words, sizeof(j->words),
	         "must hold signals that this kubelet knows, such as "
	         "memory.available, not \"%.60s\"",
	         signal);
	return false;
}

static bool eviction(struct kr_validation *j)
{
	return kr_validation_refuse_pairs(j, eviction_ok);
}

/* --- policies ------------------------------------------------------------ */

/* Whether a map may have more than nothing of NAME. */
static bool may_reserve(const struct kr_validation *j, int field,
                        const char *name)
{
	const char *value = kr_validation_entry(j, field, name);
	int sign;

	return kr_validation_is_unknown(j, field) ||
	       (value &&
	        (!kr_quantity_valid(value, strlen(value), &sign) || sign != 0));
}

static bool static_without_cpu(struct kr_validation *j)
{
	return kr_validation_is_text(j, j->rule->fields[0], "static") &&
	       kr_validation_is_text(j, KR_FIELD_RESERVED_CPUS, "") &&
	       !may_reserve(j, KR_FIELD_KUBE_RESERVED, "cpu") &&
	       !may_reserve(j, KR_FIELD_SYSTEM_RESERVED, "cpu");
}

static bool options_without_static(struct kr_validation *j)
{
	return kr_validation_items(j, j->rule->fields[0])->n_items > 0 &&
	       kr_validation_is_text(j, j->rule->fields[1], "none");
}

/* An option of a manager's policy, known from FIRST on, and the first minors in
 * which it is beta and stable. */
struct option {
	const char *name;
	unsigned char first, beta, stable;
};

/* The words name the gate that NAME needs. */
static bool option_ok(struct kr_validation *j, const struct option *options,
                      size_t n, const char *name, const char *alpha_gate,
                      const char *beta_gate)
{
	KR_EACH(const struct option, o, options, n) {
		const char *gate;

		if (strcmp(o->name, name) != 0)
			continue;
		/* a point release may have brought it */
		if (kr_validation_minor(j) + 1 == o->first && o->first == 32)
			return true;
		if (kr_validation_minor(j) < o->first)
			return false;
		gate = kr_validation_minor(j) >= o->beta ? beta_gate
		                                         : alpha_gate;
		if (kr_validation_minor(j) >= o->stable ||
		    kr_validation_gate(j, gate) != KR_GATE_IS_OFF)
			return true;
		snprintf(j->words, sizeof(j->words),
		         "has %s, which needs the feature gate %s: it is off",
		         name, gate);
		return false;
	}
	return false;
}

static bool cpu_pair(const struct kr_validation *j, const char *a,
                     const char *b)
{
	const char *x = kr_validation_entry(j, KR_FIELD_CPU_OPTIONS, a);
	const char *y = kr_validation_entry(j, KR_FIELD_CPU_OPTIONS, b);

	return x && y && kr_go_bool(x) == 1 && kr_go_bool(y) == 1;
}

#define NEVER 99

static bool cpu_option_ok(struct kr_validation *j, const char *name,
                          const char *value)
{
	static const struct option options[] = {
		{"full-pcpus-only", 22, 22, 33},
		{"distribute-cpus-across-numa", 23, 33, NEVER},
		{"align-by-socket", 25, NEVER, NEVER},
		{"distribute-cpus-across-cores", 31, NEVER, NEVER},
		{"prefer-align-cpus-by-uncorecache", 32, 34, 36},
		{"strict-cpu-reservation", 32, 33, 35},
	};

	return kr_go_bool(value) >= 0 &&
	       option_ok(j, options, ARRAY_SIZE(options), name,
	                 "CPUManagerPolicyAlphaOptions",
	                 "CPUManagerPolicyBetaOptions");
}

static bool cpu_options(struct kr_validation *j)
{
	return kr_validation_is_text(j, j->rule->fields[1], "static") &&
	       kr_validation_refuse_pairs(j, cpu_option_ok);
}

static bool cpu_options_together(struct kr_validation *j)
{
	const char *align =
		kr_validation_entry(j, j->rule->fields[0], "align-by-socket");

	if (!kr_validation_is_text(j, j->rule->fields[1], "static"))
		return false;
	if (kr_validation_minor(j) >= 26 && align && kr_go_bool(align) == 1 &&
	    kr_validation_is_text(j, j->rule->fields[2], "single-numa-node"))
		return true;
	if (kr_validation_minor(j) < 31)
		return false;
	return cpu_pair(j, "full-pcpus-only", "distribute-cpus-across-cores") ||
	       cpu_pair(j, "distribute-cpus-across-numa",
	                "distribute-cpus-across-cores") ||
	       cpu_pair(j, "prefer-align-cpus-by-uncorecache",
	                "distribute-cpus-across-cores") ||
	       cpu_pair(j, "prefer-align-cpus-by-uncorecache",
	                "distribute-cpus-across-numa");
}

static bool topology_option_ok(struct kr_validation *j, const char *name,
                               const char *value)
{
	static const struct option options[] = {
		{"prefer-closest-numa-nodes", 26, 28, 32},
		{"max-allowable-numa-nodes", 31, 31, 35},
	};
	int64_t n;

	if (strcmp(name, "max-allowable-numa-nodes") != 0
	            ? kr_go_bool(value) < 0
	            : !kr_go_int_text(value, strlen(value), 10, 64, &n) ||
	                      n < 8)
		return false;
	return option_ok(j, options, ARRAY_SIZE(options), name,
	                 "TopologyManagerPolicyAlphaOptions",
	                 "TopologyManagerPolicyBetaOptions");
}

static bool topology_options(struct kr_validation *j)
{
	const char *policy = kr_validation_text(j, j->rule->fields[1]);

	return policy &&
	       (kr_validation_minor(j) < 28 || strcmp(policy, "none") != 0) &&
	       kr_validation_refuse_pairs(j, topology_option_ok);
}

static bool static_without_memory(struct kr_validation *j)
{
	const struct kr_strings *pairs =
		kr_validation_items(j, j->rule->fields[1]);

	if (!kr_validation_is_text(j, j->rule->fields[0], "Static") ||
	    kr_validation_is_unknown(j, j->rule->fields[1]))
		return false;
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *name = limit_of(pairs->items[i]);

		if (name && strcmp(name, "memory") == 0)
			return false;
	}
	return true;
}

/* The bytes of "memory" in FIELD, added to TOTAL; false: it is unknown. */
static bool add_memory(const struct kr_validation *j, int field, int64_t *total)
{
	const char *value = kr_validation_entry(j, field, "memory");
	int64_t n;

	if (kr_validation_is_unknown(j, field))
		return false;
	if (!value)
		return true;
	return kr_quantity_int64(value, &n) &&
	       !__builtin_add_overflow(*total, n, total);
}

/* What kubelet keeps free before it evicts; false: it is unknown. */
static bool add_threshold(const struct kr_validation *j, int64_t *total)
{
	struct kr_held hard = kr_validation_hold(j, KR_FIELD_EVICTION_HARD);
	struct kr_held defaults =
		kr_validation_hold(j, KR_FIELD_EVICTION_MERGE);
	const char *value = kr_validation_entry(j, KR_FIELD_EVICTION_HARD,
	                                        "memory.available");
	int64_t n;
	bool off;

	if (kr_validation_is_unknown(j, KR_FIELD_IGNORE_EVICTION))
		return false;
	if (kr_validation_is_bool(j, KR_FIELD_IGNORE_EVICTION, true))
		return true;
	if (hard.whence == KR_WHENCE_UNKNOWN)
		return false;
	if (!value && (hard.value || j->in->n_files == 0)) {
		/* kubelet may add what the map lacks */
		if (defaults.whence != KR_WHENCE_DEFAULT || j->in->n_files == 0)
			return false;
		return true;
	}
	if (!value)
		value = "100Mi";
	if (!kr_threshold_valid(value, kr_validation_minor(j), &off))
		return false;
	if (off)
		return true;
	return kr_quantity_int64(value, &n) &&
	       !__builtin_add_overflow(*total, n, total);
}

static bool memory_sum(struct kr_validation *j)
{
	const struct kr_strings *pairs =
		kr_validation_items(j, j->rule->fields[0]);
	int64_t have = 0, want = 0;

	if (!kr_validation_is_text(j, j->rule->fields[1], "Static") ||
	    pairs->n_items == 0 ||
	    !add_memory(j, KR_FIELD_KUBE_RESERVED, &want) ||
	    !add_memory(j, KR_FIELD_SYSTEM_RESERVED, &want) ||
	    !add_threshold(j, &want))
		return false;
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *name = limit_of(pairs->items[i]);
		int64_t n;

		if (!name || !kr_validation_counts(pairs, i))
			continue;
		/* hugepages were not worked out */
		if (strcmp(name, "memory") != 0 ||
		    !kr_quantity_int64(pairs->items[i + 1], &n) ||
		    __builtin_add_overflow(have, n, &have))
			return false;
	}
	snprintf(j->words, sizeof(j->words),
	         "must limit memory to %lld bytes, not %lld, while "
	         "memoryManagerPolicy is Static: the sum of kubeReserved, "
	         "systemReserved and evictionHard",
	         (long long)want, (long long)have);
	return have > 0 && have != want;
}

/* --- the table ----------------------------------------------------------- */

/* clang-format off */
const struct kr_constraint kr_constraints_managers[] = {
	{{F(RESERVED_MEMORY)}, 21, 36, IF(memory_name), GROWS,
	 WOULD("limit memory or hugepages-*")},
	{{F(RESERVED_MEMORY)}, 21, 36, IF(memory_zero),
	 WOULD("have limits other than 0")},
	{{F(RESERVED_MEMORY)}, 21, 36, IF(memory_twice),
	 WOULD("name each type once for a NUMA node")},
	{{F(KUBE_RESERVED)}, ALL, IF(reserved), GROWS,
	 WOULD("hold cpu, memory, ephemeral-storage or pid with amounts such "
	       "as 100m or 1Gi")},
	{{F(SYSTEM_RESERVED)}, ALL, IF(reserved), GROWS,
	 WOULD("hold cpu, memory, ephemeral-storage or pid with amounts such "
	       "as 100m or 1Gi")},
	{{F(QOS_RESERVED)}, ALL, IF(qos_reserved), GROWS,
	 WOULD("hold memory with 0% to 100%")},
	{{F(EVICTION_HARD)}, ALL, IF(eviction), GROWS, .min = 0,
	 WOULD("hold signals with amounts above 0 or parts up to 100%")},
	{{F(EVICTION_SOFT)}, ALL, IF(eviction), GROWS, .min = 1,
	 WOULD("hold signals with amounts above 0 or parts up to 100%")},
	{{F(EVICTION_GRACE)}, ALL, IF(eviction), GROWS, .min = 2,
	 WOULD("hold signals with durations such as 1m30s")},
	{{F(EVICTION_RECLAIM)}, ALL, IF(eviction), GROWS, .min = 3,
	 WOULD("hold signals with amounts of 0 or more, or parts above 0%")},
	{{F(CPU_POLICY)}, ALL, ON("CPUManager"), ONE_OF("none", "static"),
	 WOULD("be none or static")},
	{{F(CPU_POLICY)}, ALL, ON("CPUManager"), IF(static_without_cpu),
	 WOULD("be none while neither kubeReserved nor systemReserved has cpu, "
	       "and reservedSystemCPUs is not set")},
	{{F(CPU_OPTIONS)}, 22, 32, OFF("CPUManagerPolicyOptions"),
	 MANAGER("CPUManager"), IF(kr_constraint_says), WOULD("be empty")},
	{{F(CPU_OPTIONS), F(CPU_POLICY)}, 22, 36, MANAGER("CPUManager"),
	 IF(options_without_static),
	 WOULD("be empty while cpuManagerPolicy is \"none\"")},
	{{F(CPU_OPTIONS), F(CPU_POLICY)}, 22, 36, MANAGER("CPUManager"),
	 IF(cpu_options), GROWS,
	 WOULD("hold options that this kubelet knows, with true or false")},
	{{F(CPU_OPTIONS), F(CPU_POLICY), F(TOPOLOGY_POLICY)}, 26, 36,
	 MANAGER("CPUManager"), IF(cpu_options_together), GROWS,
	 WOULD("be without options that exclude one another")},
	{{F(MEMORY_POLICY)}, 21, 36, ON("MemoryManager"),
	 ONE_OF("None", "Static"), WOULD("be None or Static")},
	{{F(MEMORY_POLICY), F(RESERVED_MEMORY)}, 21, 36, ON("MemoryManager"),
	 IF(static_without_memory),
	 WOULD("be None while reservedMemory has no memory")},
	{{F(RESERVED_MEMORY), F(MEMORY_POLICY)}, 21, 36, ON("MemoryManager"),
	 IF(memory_sum), WOULD("limit memory to what kubelet keeps")},
	{{F(TOPOLOGY_OPTIONS)}, 26, 35, OFF("TopologyManagerPolicyOptions"),
	 MANAGER("TopologyManager"), IF(kr_constraint_says), WOULD("be empty")},
	{{F(TOPOLOGY_OPTIONS), F(TOPOLOGY_POLICY)}, 26, 36,
	 MANAGER("TopologyManager"), IF(topology_options), GROWS,
	 WOULD("hold prefer-closest-numa-nodes with true or false, or from "
	       "1.31 max-allowable-numa-nodes with 8 or more")},
	{.refuses = NULL},
};
/* clang-format on */
