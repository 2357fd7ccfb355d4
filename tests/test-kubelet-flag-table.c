/* SPDX-License-Identifier: Apache-2.0 */

/* kubelet/flag-table: which minor has which flag. */

#include <string.h>

#include "base/macro.h"
#include "kubelet/flag-table.h"
#include "testing-cases.h"
#include "testing.h"

static const struct row {
	const char *name;
	unsigned minor;
	bool in;
} rows[] = {
	/* new ones, and the minor before */
	{"memory-manager-policy", 20, false},
	{"memory-manager-policy", 21, true},
	{"seccomp-default", 21, false},
	{"seccomp-default", 22, true},
	{"seccomp_default", 36, true},
	{"log-json-split-stream", 22, false},
	{"log-json-split-stream", 23, true},
	{"local-storage-capacity-isolation", 24, false},
	{"local-storage-capacity-isolation", 25, true},
	{"topology-manager-policy-options", 25, false},
	{"topology-manager-policy-options", 26, true},
	{"config-dir", 27, false},
	{"config-dir", 28, true},
	{"log-text-split-stream", 29, false},
	{"log-text-split-stream", 30, true},
	{"fail-cgroupv1", 30, false},
	{"fail-cgroupv1", 31, true},
	{"tls-curve-preferences", 36, false},
	{"tls-curve-preferences", 37, true},
	/* old ones, and the minor behind */
	{"enable-cadvisor-json-endpoints", 20, true},
	{"enable-cadvisor-json-endpoints", 21, false},
	{"redirect-container-streaming", 21, true},
	{"redirect-container-streaming", 22, false},
	{"seccomp-profile-root", 22, true},
	{"seccomp-profile-root", 23, false},
	{"dynamic-config-dir", 23, true},
	{"dynamic-config-dir", 24, false},
	{"network-plugin", 23, true},
	{"network-plugin", 24, false},
	{"docker-endpoint", 23, true},
	{"docker-endpoint", 24, false},
	{"experimental-dockershim-root-directory", 20, true},
	{"experimental-kernel-memcg-notification", 24, true},
	{"experimental-kernel-memcg-notification", 25, false},
	{"logtostderr", 25, true},
	{"logtostderr", 26, false},
	{"container-runtime", 26, true},
	{"container-runtime", 27, false},
	{"azure-container-registry-config", 29, true},
	{"azure-container-registry-config", 30, false},
	{"iptables-drop-bit", 30, true},
	{"iptables-drop-bit", 31, false},
	{"cloud-config", 33, true},
	{"cloud-config", 34, false},
	{"pod-infra-container-image", 34, true},
	{"pod-infra-container-image", 35, false},
	/* gone before 1.20, of which nothing is said */
	{"allow-privileged", 19, true},
	{"allow-privileged", 20, false},
	/* always there */
	{"make-iptables-util-chains", 20, true},
	{"make-iptables-util-chains", 36, true},
	{"make-iptables-util-chains", 37, true},
	{"cloud-provider", 36, true},
	{"container-runtime-endpoint", 36, true},
	{"v", 36, true},
	{"vmodule", 26, true},
	{"help", 36, true},
	/* a vendor's own */
	{"max-housekeeping-interval", 20, true},
	{"max-housekeeping-interval", 36, true},
	/* a version that is not known */
	{"config-dir", 0, true},
	{"docker", 0, true},
	{"seccomp-default", 0, true},
	/* older than all that are known */
	{"seccomp-default", 19, false},
	{"docker", 18, true},
};

static const struct kr_flag *find(const char *name)
{
	const struct kr_flag *flag = kr_flag_find(name, strlen(name));

	ck_assert_msg(flag != NULL, "%s: not in the table", name);
	return flag;
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];

	ck_assert_msg(kr_flag_in(find(row->name), row->minor) == row->in,
	              "%s in 1.%u", row->name, row->minor);
}
END_TEST

START_TEST(test_bounds)
{
	const size_t n = kr_n_flags;
	const struct kr_flag *table = kr_flag_table;

	for (size_t i = 0; i < n; i++) {
		unsigned first = table[i].first, last = table[i].last;

		ck_assert_msg(!first || (first >= 21 && first <= 37), "%s",
		              table[i].name);
		ck_assert_msg(!last || (last >= 19 && last <= 35), "%s",
		              table[i].name);
		ck_assert_msg(!last || first <= last, "%s", table[i].name);
	}
}
END_TEST

/* 1.20 has those that the real one had, and no others. */
START_TEST(test_measured)
{
	/* Its help does not show the one; the other is OpenShift's. */
	static const char *const others[] = {
		"experimental-dockershim-root-directory",
		"max-housekeeping-interval",
	};
	FILE *in = kr_cases_open("kubelet-flags.tsv");
	char line[4096];
	size_t n = kr_n_flags, n_measured = 0, n_in = 0;
	const struct kr_flag *table = kr_flag_table;

	ck_assert_ptr_nonnull(fgets(line, sizeof(line), in));
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\t\n")] = '\0';
		ck_assert_msg(kr_flag_in(find(line), 20), "%s", line);
		n_measured++;
	}
	fclose(in);
	for (size_t i = 0; i < n; i++)
		n_in += kr_flag_in(&table[i], 20);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		ck_assert(kr_flag_in(find(others[i]), 20));
	ck_assert_uint_eq(n_in, n_measured + ARRAY_SIZE(others));
}
END_TEST

static void add(Suite *suite)
{
	TCase *tcase = kr_test_case(suite, "flag-table", NULL, NULL);

	tcase_add_loop_test(tcase, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_test(tcase, test_bounds);
	tcase_add_test(tcase, test_measured);
}

KR_TEST_MAIN(add);
