/* SPDX-License-Identifier: Apache-2.0 */

/* policy/editions: which edition a name and a node mean, and what it has. */

#include <string.h>

#include "policy/editions.h"
#include "policy/rules.h"
#include "testing.h"

/* --- by name ------------------------------------------------------------- */

static const struct {
	const char *name;
	int want;
} names[] = {
	{"eks-1.8.0", KR_EKS_1_8},
	{"eks-1.8", KR_EKS_1_8},
	{"eks-1.0.1", KR_EKS_1_0},
	{"eks-1.0", KR_EKS_1_0},
	{"cis-1.20", KR_CIS_1_20},
	{"cis-1.12", KR_CIS_1_12},
	{"aks-1.7", KR_AKS_1_7},
	{"k3s-cis-1.9", KR_K3S_1_9},
	{"cis-1.2", -1},
	{"cis-1.1", -1},
	{"eks-1", -1},
	{"eks", -1},
	{"eks-1.8.", -1},
	{"eks-1.8.0.1", -1},
	{"eks-1.8.1", -1},
	{"EKS-1.8", -1},
	{"", -1},
	{"k3s", -1},
};

START_TEST(test_name)
{
	ck_assert_msg(kr_edition_find(names[_i].name) == names[_i].want, "%s",
	              names[_i].name);
}
END_TEST

/* Each edition by its own name. */
START_TEST(test_own_name)
{
	ck_assert_int_eq(kr_edition_find(kr_editions[_i].name), _i);
	ck_assert_ptr_nonnull(strstr(kr_editions[_i].name, "1."));
	ck_assert_ptr_nonnull(
		strstr(kr_editions[_i].name, kr_editions[_i].version));
}
END_TEST

/* --- by node ------------------------------------------------------------- */

static const struct {
	const char *platform;
	unsigned minor;
	enum kr_edition_id want;
} nodes[] = {
	{NULL, 0, KR_CIS_1_12},         {NULL, 15, KR_CIS_1_5},
	{NULL, 16, KR_CIS_1_6},         {NULL, 18, KR_CIS_1_6},
	{NULL, 19, KR_CIS_1_20},        {NULL, 21, KR_CIS_1_20},
	{NULL, 22, KR_CIS_1_23},        {NULL, 24, KR_CIS_1_24},
	{NULL, 25, KR_CIS_1_7},         {NULL, 26, KR_CIS_1_8},
	{NULL, 27, KR_CIS_1_9},         {NULL, 28, KR_CIS_1_10},
	{NULL, 29, KR_CIS_1_11},        {NULL, 31, KR_CIS_1_11},
	{NULL, 32, KR_CIS_1_12},        {NULL, 35, KR_CIS_1_12},
	{"kubeadm", 24, KR_CIS_1_24},   {"kops", 0, KR_CIS_1_12},
	{"eks-al2023", 24, KR_EKS_1_8}, {"eks-al2", 0, KR_EKS_1_8},
	{"aks", 30, KR_AKS_1_8},        {"gke", 30, KR_GKE_1_6},
	{"openshift", 30, KR_RH_1_8},   {"rke2", 0, KR_RKE2_1_8},
	{"k3s", 31, KR_K3S_1_9},        {"bottlerocket", 31, KR_CIS_1_11},
};

START_TEST(test_node)
{
	enum kr_edition_id got =
		kr_edition_for(nodes[_i].platform, nodes[_i].minor);

	ck_assert_msg(got == nodes[_i].want, "%s, 1.%u: %s",
	              nodes[_i].platform ? nodes[_i].platform : "no platform",
	              nodes[_i].minor, kr_editions[got].name);
}
END_TEST

/* --- what it has --------------------------------------------------------- */

static const struct {
	enum kr_edition_id edition;
	const char *name, *id;
	enum kr_assessment assessment;
	unsigned level;
} controls[] = {
	{KR_EKS_1_8, "makeIPTablesUtilChains", "3.2.6", KR_ASSESSED_AUTOMATED,
         1},
	{KR_EKS_1_2, "makeIPTablesUtilChains", "3.2.7", KR_ASSESSED_AUTOMATED,
         1},
	{KR_EKS_1_2, "protectKernelDefaults", "3.2.6", KR_ASSESSED_AUTOMATED,
         1},
	{KR_CIS_1_24, "makeIPTablesUtilChains", "4.2.7", KR_ASSESSED_AUTOMATED,
         1},
	{KR_CIS_1_7, "makeIPTablesUtilChains", "4.2.6", KR_ASSESSED_AUTOMATED,
         1},
	{KR_EKS_1_8, "eventRecordQPS", "3.2.7", KR_ASSESSED_AUTOMATED, 2},
	{KR_EKS_1_8, "rotateCertificates", "3.2.8", KR_ASSESSED_AUTOMATED, 2},
	{KR_AKS_1_8, "rotateCertificates", "3.2.8", KR_ASSESSED_AUTOMATED, 1},
	{KR_CIS_1_12, "readOnlyPort", "4.2.4", KR_ASSESSED_MANUAL, 1},
	{KR_CIS_1_12, "tlsCertFile+tlsPrivateKeyFile", "4.2.9",
         KR_ASSESSED_MANUAL, 1},
	{KR_CIS_1_5, "readOnlyPort", "4.2.4", KR_ASSESSED_AUTOMATED, 1},
	{KR_EKS_1_8, "mode:kubeconfig", "3.1.1", KR_ASSESSED_AUTOMATED, 1},
	{KR_CIS_1_12, "owner:config", "4.1.10", KR_ASSESSED_AUTOMATED, 1},
	/* those that it has not */
	{KR_EKS_1_5, "protectKernelDefaults", NULL},
	{KR_EKS_1_8, "hostname-override", NULL},
	{KR_GKE_1_9, "readOnlyPort", NULL},
	{KR_CIS_1_12, "serverTLSBootstrap", NULL},
	{KR_CIS_1_12, "readonlyport", NULL},
};

START_TEST(test_control)
{
	struct kr_edition_control got;
	bool has = kr_edition_control(controls[_i].edition, controls[_i].name,
	                              &got);

	ck_assert_msg(has == (controls[_i].id != NULL), "%s of %s",
	              controls[_i].name,
	              kr_editions[controls[_i].edition].name);
	if (!has)
		return;
	ck_assert_str_eq(got.id, controls[_i].id);
	ck_assert_int_eq(got.assessment, controls[_i].assessment);
	ck_assert_uint_eq(got.level, controls[_i].level);
}
END_TEST

/* No number stands twice in an edition, and each is the edition's kind. */
START_TEST(test_numbers)
{
	bool clouds = _i <= KR_GKE_1_9;
	struct kr_edition_control a, b;

	for (size_t i = 0; i < kr_rules_n; i++) {
		const char *name = kr_rules_table[i].name;

		if (!kr_edition_control((enum kr_edition_id)_i, name, &a))
			continue;
		ck_assert_msg(strncmp(a.id, clouds ? "3." : "4.", 2) == 0,
		              "%s: %s", name, a.id);
		for (size_t k = 0; k < i; k++) {
			if (!kr_edition_control((enum kr_edition_id)_i,
			                        kr_rules_table[k].name, &b))
				continue;
			ck_assert_msg(strcmp(a.id, b.id) != 0, "%s: %s", a.id,
			              name);
		}
	}
}
END_TEST

static void add(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "editions", NULL, NULL);

	tcase_add_loop_test(tc, test_name, 0, ARRAY_SIZE(names));
	tcase_add_loop_test(tc, test_own_name, 0, KR_N_EDITIONS);
	tcase_add_loop_test(tc, test_node, 0, ARRAY_SIZE(nodes));
	tcase_add_loop_test(tc, test_control, 0, ARRAY_SIZE(controls));
	tcase_add_loop_test(tc, test_numbers, 0, KR_N_EDITIONS);
}

KR_TEST_MAIN(add);
