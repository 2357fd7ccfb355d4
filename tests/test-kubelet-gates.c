/* SPDX-License-Identifier: Apache-2.0 */

/* kubelet/gates: each sort of change with its neighbours, and the tables. */

#include <string.h>

#include "base/macro.h"
#include "kubelet/gates.h"
#include "testing.h"

/* clang-format off */
#define ALPHA      KR_GATE_KNOWN, {KR_GATE_ALPHA}
#define BETA       KR_GATE_KNOWN, {KR_GATE_BETA}
#define BETA_ON    KR_GATE_KNOWN, {KR_GATE_BETA, true}
#define GA_ON      KR_GATE_KNOWN, {KR_GATE_GA, true}
#define LOCKED_ON  KR_GATE_KNOWN, {KR_GATE_GA, true, true}
#define LOCKED_OFF KR_GATE_KNOWN, {KR_GATE_GA, false, true}
#define DEPRECATED KR_GATE_KNOWN, {KR_GATE_DEPRECATED}
#define UNKNOWN    KR_GATE_UNKNOWN, {0}
#define NOT_SURE   KR_GATE_NOT_SURE, {0}

static const struct row {
	const char *name;
	unsigned minor;
	enum kr_gate_answer answer;
	struct kr_gate_state state;
} rows[] = {
	/* a life from the first to the last stage */
	{"SeccompDefault", 21, UNKNOWN},
	{"SeccompDefault", 22, ALPHA},
	{"SeccompDefault", 24, ALPHA},
	{"SeccompDefault", 25, BETA_ON},
	{"SeccompDefault", 26, BETA_ON},
	{"SeccompDefault", 27, LOCKED_ON},
	{"SeccompDefault", 28, LOCKED_ON},
	{"SeccompDefault", 29, UNKNOWN},
	{"SeccompDefault", 36, UNKNOWN},
	/* beta and off for some minors, then on */
	{"NodeSwap", 21, UNKNOWN},
	{"NodeSwap", 22, ALPHA},
	{"NodeSwap", 27, ALPHA},
	{"NodeSwap", 28, BETA},
	{"NodeSwap", 29, BETA},
	{"NodeSwap", 30, BETA_ON},
	{"NodeSwap", 33, BETA_ON},
	{"NodeSwap", 34, LOCKED_ON},
	/* GA, and locked only later */
	{"CSIMigrationAzureFile", 25, BETA_ON},
	{"CSIMigrationAzureFile", 26, GA_ON},
	{"CSIMigrationAzureFile", 27, LOCKED_ON},
	/* locked to off */
	{"LegacyNodeRoleBehavior", 20, BETA_ON},
	{"LegacyNodeRoleBehavior", 21, LOCKED_OFF},
	{"LegacyNodeRoleBehavior", 22, UNKNOWN},
	/* on, deprecated and off, gone */
	{"DynamicKubeletConfig", 21, BETA_ON},
	{"DynamicKubeletConfig", 22, DEPRECATED},
	{"DynamicKubeletConfig", 25, DEPRECATED},
	{"DynamicKubeletConfig", 26, UNKNOWN},
	/* the first row of the first minor, the last of the last */
	{"RotateKubeletClientCertificate", 20, LOCKED_ON},
	{"RotateKubeletClientCertificate", 21, UNKNOWN},
	{"SupportPodPidsLimit", 22, LOCKED_ON},
	{"SupportPodPidsLimit", 23, UNKNOWN},
	{"RotateKubeletServerCertificate", 20, BETA_ON},
	{"RotateKubeletServerCertificate", 36, BETA_ON},
	{"CustomCPUCFSQuotaPeriod", 35, ALPHA},
	{"CustomCPUCFSQuotaPeriod", 36, GA_ON},
	/* a new package's: kubelet did not link it in the minor before */
	{"APIListChunking", 20, BETA_ON},
	{"ContextualLogging", 23, UNKNOWN},
	{"ContextualLogging", 24, ALPHA},
	{"ComponentSLIs", 25, UNKNOWN},
	{"ComponentSLIs", 26, ALPHA},
	{"CloudDualStackNodeIPs", 26, UNKNOWN},
	{"CloudDualStackNodeIPs", 27, ALPHA},
	{"CRDValidationRatcheting", 27, UNKNOWN},
	{"CRDValidationRatcheting", 28, ALPHA},
	{"WatchListClient", 29, UNKNOWN},
	{"WatchListClient", 30, BETA},
	{"ComponentStatusz", 31, UNKNOWN},
	{"ComponentStatusz", 32, ALPHA},
	/* it came with a point release */
	{"UnauthenticatedHTTP2DOSMitigation", 24, UNKNOWN},
	{"UnauthenticatedHTTP2DOSMitigation", 25, NOT_SURE},
	{"UnauthenticatedHTTP2DOSMitigation", 28, NOT_SURE},
	{"UnauthenticatedHTTP2DOSMitigation", 29, BETA_ON},
	/* a point release took its lock away */
	{"CSIMigrationvSphere", 25, BETA_ON},
	{"CSIMigrationvSphere", 26, NOT_SURE},
	{"CSIMigrationvSphere", 27, LOCKED_ON},
	/* k3s knows it from its controller manager */
	{"IPv6DualStack", 24, LOCKED_ON},
	{"IPv6DualStack", 25, NOT_SURE},
	{"IPv6DualStack", 27, UNKNOWN},
	/* known to all */
	{"AllAlpha", 20, ALPHA},
	{"AllAlpha", 36, ALPHA},
	{"AllBeta", 20, BETA},
	{"AllBeta", 36, BETA},
	/* minors outside the table */
	{"AllAlpha", 0, NOT_SURE},
	{"SeccompDefault", 19, NOT_SURE},
	{"RotateKubeletServerCertificate", 37, NOT_SURE},
	{"NoSuchGate", 19, NOT_SURE},
	{"NoSuchGate", 37, NOT_SURE},
	/* names that are none */
	{"NoSuchGate", 20, UNKNOWN},
	{"NoSuchGate", 36, UNKNOWN},
	{"", 30, UNKNOWN},
	{"seccompDefault", 25, UNKNOWN},
	{"SECCOMPDEFAULT", 25, UNKNOWN},
	{"SeccompDefaul", 25, UNKNOWN},
	{"SeccompDefaultX", 25, UNKNOWN},
	{" SeccompDefault", 25, UNKNOWN},
	{"RotateCertificate", 25, UNKNOWN},
	{"A", 25, UNKNOWN},
	{"~", 25, UNKNOWN},
	/* OpenShift's own, and what a vendor of its took over */
	{"RouteExternalCertificate", 30, UNKNOWN},
	{"StructuredAuthenticationConfiguration", 28, UNKNOWN},
};
/* clang-format on */

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	struct kr_gate_state state = {0};
	enum kr_gate_answer answer =
		kr_gate_find(row->name, strlen(row->name), row->minor, &state);

	ck_assert_msg(answer == row->answer, "%s in 1.%u: %d", row->name,
	              row->minor, (int)answer);
	ck_assert_msg(state.stage == row->state.stage &&
	                      state.by_default == row->state.by_default &&
	                      state.locked == row->state.locked,
	              "%s in 1.%u: stage %d, default %d, locked %d", row->name,
	              row->minor, (int)state.stage, state.by_default,
	              state.locked);
}
END_TEST

/* A name is its bytes, as many as there are. */
START_TEST(test_bytes)
{
	static const char nul[] = "SeccompDefault\0=true,and more behind it";
	struct kr_gate_state state;
	unsigned first, last;

	ck_assert_int_eq(kr_gate_find(nul, 14, 25, &state), KR_GATE_KNOWN);
	ck_assert_int_eq(kr_gate_find(nul, 13, 25, &state), KR_GATE_UNKNOWN);
	ck_assert_int_eq(kr_gate_find(nul, 15, 25, &state), KR_GATE_UNKNOWN);
	ck_assert_int_eq(kr_gate_find(nul, sizeof(nul), 25, &state),
	                 KR_GATE_UNKNOWN);
	ck_assert_int_eq(kr_gate_find(NULL, 0, 25, &state), KR_GATE_UNKNOWN);
	ck_assert(!kr_gate_known_range(nul, 15, &first, &last));
	ck_assert(!kr_gate_known_range(NULL, 0, &first, &last));
}
END_TEST

static const struct range {
	const char *name;
	unsigned first, last;
} ranges[] = {
	{"AllBeta", 20, 36},
	{"HyperVContainer", 20, 20},
	{"SeccompDefault", 22, 28},
	{"NativeHistograms", 36, 36},
	{"CustomCPUCFSQuotaPeriod", 20, 36},
	{"UnauthenticatedHTTP2DOSMitigation", 25, 36}, /* not sure at first */
	{"IPv6DualStack", 20, 26},                     /* not sure at last */
	{"NoSuchGate", 0, 0},
};

START_TEST(test_ranges)
{
	const struct range *row = &ranges[_i];
	unsigned first = 0, last = 0;
	bool known = kr_gate_known_range(row->name, strlen(row->name), &first,
	                                 &last);

	ck_assert_msg(known == (row->first > 0), "%s", row->name);
	ck_assert_msg(first == row->first && last == row->last, "%s: %u to %u",
	              row->name, first, last);
}
END_TEST

/* Sorted, no name twice, a letter a minor, and no gate that comes back. */
START_TEST(test_table)
{
	size_t n = kr_n_gates,
	       n_minors = KR_GATE_LAST_MINOR - KR_GATE_FIRST_MINOR + 1;
	const struct kr_gate *table = kr_gate_table;

	ck_assert_uint_gt(n, 400);
	for (size_t i = 0; i < n; i++) {
		const char *name = table[i].name, *minors = table[i].minors;
		size_t before = strspn(minors, ".");
		size_t known = strspn(minors + before, "aAbBgGlLdDxX?");
		size_t after = strspn(minors + before + known, ".");

		ck_assert_msg(i == 0 || strcmp(table[i - 1].name, name) < 0,
		              "%s: out of order", name);
		ck_assert_msg(strlen(name) < KR_GATE_NAME_SIZE, "%s", name);
		ck_assert_msg(strlen(minors) == n_minors, "%s", name);
		ck_assert_msg(before + known + after == n_minors, "%s: %s",
		              name, minors);
		ck_assert_msg(known > 0, "%s: in no minor", name);
		ck_assert_msg(strspn(minors + before, "?") < known,
		              "%s: sure in no minor", name);
	}
}
END_TEST

/* How many names each minor knows for sure, as its sources were counted: the
 * registered ones, AllAlpha and AllBeta, without what is not sure. */
START_TEST(test_counts)
{
	static const size_t want[] = {
		119, 125, 129, 139, 140, 140, 145, 144, 149,
		159, 165, 165, 177, 191, 206, 216, 242,
	};
	const size_t n = kr_n_gates;
	const struct kr_gate *table = kr_gate_table;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		size_t known = 0;

		for (size_t j = 0; j < n; j++)
			known += !strchr(".?", table[j].minors[i]);
		ck_assert_msg(known == want[i], "1.%zu: %zu",
		              KR_GATE_FIRST_MINOR + i, known);
	}
}
END_TEST

struct need {
	const char *name;
	unsigned minor;
	struct kr_gate_setting set[3];
	const char *gate, *needs; /* the one that is unmet; NULL: none */
};

#define SET(name, on)                                                          \
	{                                                                      \
		name, sizeof(name) - 1, on                                     \
	}

static const struct need need_rows[] = {
	{"defaults, 1.35", 35, {{0}}, NULL, NULL},
	{"defaults, 1.36", 36, {{0}}, NULL, NULL},
	{"on by default needs what is off",
         35,
         {SET("GracefulNodeShutdown", false)},
         "GracefulNodeShutdownBasedOnPodPriority",
         "GracefulNodeShutdown"},
	{"not before 1.35",
         34,
         {SET("GracefulNodeShutdown", false)},
         NULL,
         NULL},
	{"nothing is said of 1.37",
         37,
         {SET("GracefulNodeShutdown", false)},
         NULL,
         NULL},
	{"one of two is off",
         36,
         {SET("GracefulNodeShutdown", false),
          SET("GracefulNodeShutdownBasedOnPodPriority", false)},
         "WindowsGracefulNodeShutdown",
         "GracefulNodeShutdown"},
	{"both are off",
         36,
         {SET("GracefulNodeShutdown", false),
          SET("GracefulNodeShutdownBasedOnPodPriority", false),
          SET("WindowsGracefulNodeShutdown", false)},
         NULL,
         NULL},
	{"on needs an alpha gate",
         36,
         {SET("GangScheduling", true)},
         "GangScheduling",
         "GenericWorkload"},
	{"that is on, too",
         36,
         {SET("GangScheduling", true), SET("GenericWorkload", true)},
         NULL,
         NULL},
	{"that is on through AllAlpha",
         36,
         {SET("GangScheduling", true), SET("AllAlpha", true)},
         NULL,
         NULL},
	{"a name wins over AllAlpha",
         36,
         {SET("AllAlpha", true), SET("GenericWorkload", false)},
         "DRAWorkloadResourceClaims",
         "GenericWorkload"},
	{"all of alpha", 36, {SET("AllAlpha", true)}, NULL, NULL},
	{"all of alpha, 1.35", 35, {SET("AllAlpha", true)}, NULL, NULL},
	{"no beta, 1.35", 35, {SET("AllBeta", false)}, NULL, NULL},
	{"AllBeta takes both away", 36, {SET("AllBeta", false)}, NULL, NULL},
	{"AllBeta takes what one by its name needs",
         36,
         {SET("AllBeta", false),
          SET("GracefulNodeShutdownBasedOnPodPriority", true)},
         "GracefulNodeShutdownBasedOnPodPriority",
         "GracefulNodeShutdown"},
	{"only in 1.35",
         35,
         {SET("WindowsCPUAndMemoryAffinity", true), SET("MemoryManager", true)},
         NULL,
         NULL},
};

START_TEST(test_needs)
{
	const struct need *row = &need_rows[_i];
	const struct kr_gate_need *got;
	size_t n = 0;

	while (n < ARRAY_SIZE(row->set) && row->set[n].name)
		n++;
	got = kr_gate_unmet(row->set, n, row->minor);
	ck_assert_msg(!got == !row->gate, "%s: %s needs %s", row->name,
	              got ? got->gate : "nothing", got ? got->needs : "more");
	if (!got)
		return;
	ck_assert_msg(strcmp(got->gate, row->gate) == 0, "%s: %s", row->name,
	              got->gate);
	ck_assert_msg(strcmp(got->needs, row->needs) == 0, "%s: %s", row->name,
	              got->needs);
}
END_TEST

/* Sorted, sane, and of gates that the minors know. */
START_TEST(test_need_table)
{
	const size_t n = kr_n_gate_needs;
	const struct kr_gate_need *table = kr_gate_needs;

	ck_assert_uint_gt(n, 0);
	for (size_t i = 0; i < n; i++) {
		const struct kr_gate_need *need = &table[i];
		int r = i ? strcmp(need[-1].gate, need->gate) : -1;

		if (r == 0)
			r = strcmp(need[-1].needs, need->needs);
		ck_assert_msg(r < 0, "%s: out of order", need->gate);
		ck_assert_uint_ge(need->first, 35);
		ck_assert_uint_le(need->first, need->last);
		ck_assert_uint_le(need->last, KR_GATE_LAST_MINOR);
		for (unsigned m = need->first; m <= need->last; m++) {
			struct kr_gate_state s;

			ck_assert_msg(kr_gate_find(need->gate,
			                           strlen(need->gate), m,
			                           &s) != KR_GATE_UNKNOWN,
			              "%s in 1.%u", need->gate, m);
			ck_assert_msg(kr_gate_find(need->needs,
			                           strlen(need->needs), m,
			                           &s) != KR_GATE_UNKNOWN,
			              "%s in 1.%u", need->needs, m);
		}
	}
}
END_TEST

static void add(Suite *suite)
{
	TCase *tcase = kr_test_case(suite, "gates", NULL, NULL);

	tcase_add_loop_test(tcase, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_test(tcase, test_bytes);
	tcase_add_loop_test(tcase, test_ranges, 0, ARRAY_SIZE(ranges));
	tcase_add_test(tcase, test_table);
	tcase_add_test(tcase, test_counts);
	tcase_add_loop_test(tcase, test_needs, 0, ARRAY_SIZE(need_rows));
	tcase_add_test(tcase, test_need_table);
}

KR_TEST_MAIN(add);
