/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The ranges of numbers in a config file. They are those of the flags
 * (kubelet/flag-table): kubelet lays flags and file into one struct and
 * validates that. What differs is 0 in a file for a field that is no pointer:
 * there it is "not set", and the default takes its place.
 *
 * Source: pkg/kubelet/apis/config/validation/validation.go and
 * v1beta1/defaults.go, 1.20 to 1.36; measured on 1.36's.
 */

#include <assert.h>
#include <string.h>

#include "base/macro.h"
#include "doc/name.h"
#include "kubelet/flag-table.h"
#include "kubelet/ranges.h"
#include "kubelet/schema.h"

/* clang-format off */
static const struct {
	const char *key, *flag;
	bool pointer; /* in v1beta1's struct: a null takes the value away */
} ranges[] = {
	{"eventBurst",                  "event-burst"},
	{"eventRecordQPS",              "event-qps", true},
	{"healthzPort",                 "healthz-port", true},
	{"imageGCHighThresholdPercent", "image-gc-high-threshold", true},
	{"imageGCLowThresholdPercent",  "image-gc-low-threshold", true},
	{"iptablesDropBit",             "iptables-drop-bit", true},
	{"iptablesMasqueradeBit",       "iptables-masquerade-bit", true},
	{"kubeAPIBurst",                "kube-api-burst"},
	{"kubeAPIQPS",                  "kube-api-qps", true},
	{"maxOpenFiles",                "max-open-files"},
	{"maxPods",                     "max-pods"},
	{"nodeStatusMaxImages",         "node-status-max-images", true},
	{"oomScoreAdj",                 "oom-score-adj", true},
	{"podsPerCore",                 "pods-per-core"},
	{"port",                        "port"},
	{"readOnlyPort",                "read-only-port"},
	{"registryBurst",               "registry-burst"},
	{"registryPullQPS",             "registry-qps", true},
};
/* clang-format on */

static_assert(ARRAY_SIZE(ranges) == KR_N_RANGES, "each has its value");

int kr_range_find(const char *key, size_t length, bool fold)
{
	for (size_t i = 0; i < KR_N_RANGES; i++) {
		if (kr_name_equal(ranges[i].key, key, length, fold))
			return (int)i;
	}
	return -1;
}

const char *kr_range_key(size_t i)
{
	return ranges[i].key;
}

bool kr_range_is_pointer(size_t i)
{
	return ranges[i].pointer;
}

const char *kr_range_flag(size_t i)
{
	return ranges[i].flag;
}

bool kr_range_valid(size_t i, int64_t value, int64_t *ret_min, int64_t *ret_max)
{
	const struct kr_flag *flag =
		kr_flag_find(ranges[i].flag, strlen(ranges[i].flag));

	*ret_min = flag->min > 0 ? 0 : flag->min;
	*ret_max = flag->max;
	return value >= *ret_min && value <= *ret_max;
}
