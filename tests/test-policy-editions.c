/* SPDX-License-Identifier: Apache-2.0 */

/*
 * policy/editions and policy/demands: which edition a name and a node mean, and
 * what it has.
 *
 * cases/section-editions.tsv is what was taken from the benchmarks and from
 * kube-bench's tests of them: for each control of each edition its number, type
 * and level, the mode that is demanded of a file, and what its scanner wants
 * besides.
 */

#include <stdlib.h>
#include <string.h>

#include "base/perms.h"
#include "policy/demands.h"
#include "policy/editions.h"
#include "policy/rules.h"
#include "testing-cases.h"
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

/* --- all of it ----------------------------------------------------------- */

enum column {
	EDITION,
	ID,
	CONTROL,
	TYPE,
	LEVEL,
	MODE,
	SCANNER,
	N_COLUMNS,
};

static const char *scanner_word(enum kr_scanner scanner)
{
	static const char *const words[] = {
		[KR_SCANNER_NOTHING] = "-",
		[KR_SCANNER_WRITTEN] = "written",
		[KR_SCANNER_ZERO] = "zero",
		[KR_SCANNER_0600] = "0600",
	};

	return words[scanner];
}

static void check_row(char *const columns[static N_COLUMNS])
{
	const char *name = columns[CONTROL];
	int edition = kr_edition_find(columns[EDITION]);
	const struct kr_rule *rule = kr_rule_find(name, strlen(name));
	const struct kr_edition *e;
	struct kr_edition_control its;
	char mode[KR_MODE_SIZE] = "-";

	ck_assert_msg(edition >= 0 && rule, "%s %s", columns[EDITION], name);
	e = &kr_editions[edition];
	ck_assert_int_eq(kr_edition_id(e), edition);
	ck_assert_msg(kr_edition_control(kr_edition_id(e), name, &its),
	              "%s of %s", name, e->name);
	ck_assert_str_eq(its.id, columns[ID]);
	ck_assert_ptr_eq(kr_rule_of_id(e, its.id, strlen(its.id)), rule);
	ck_assert_msg((its.assessment == KR_ASSESSED_MANUAL) ==
	                      (strcmp(columns[TYPE], "manual") == 0),
	              "%s of %s: type", name, e->name);
	ck_assert_msg(its.level == (unsigned)atoi(columns[LEVEL]),
	              "%s of %s: level", name, e->name);
	if (rule->subject == KR_SUBJECT_MODE)
		kr_mode_format(kr_demand_mode(rule, e), mode);
	ck_assert_msg(strcmp(mode, columns[MODE]) == 0, "%s of %s: %s", name,
	              e->name, mode);
	ck_assert_msg(strcmp(scanner_word(kr_demand_scanner(rule, e)),
	                     columns[SCANNER]) == 0,
	              "%s of %s: %s", name, e->name,
	              scanner_word(kr_demand_scanner(rule, e)));
	ck_assert_ptr_nonnull(kr_rule_demand(rule, e));
}

START_TEST(test_all)
{
	FILE *in = kr_cases_open("section-editions.tsv");
	size_t counts[KR_N_EDITIONS] = {0}, n = 0, room = 0;
	char *line = NULL;

	while (getline(&line, &room, in) > 0) {
		char *columns[N_COLUMNS], *rest = line;

		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < N_COLUMNS; i++)
			columns[i] = strsep(&rest, "\t");
		ck_assert_ptr_nonnull(columns[N_COLUMNS - 1]);
		if (n++ == 0)
			continue;
		check_row(columns);
		counts[kr_edition_find(columns[EDITION])]++;
	}
	free(line);
	fclose(in);
	ck_assert_uint_eq(n, 429 + 1);
	for (int i = 0; i < KR_N_EDITIONS; i++) {
		const struct kr_rule *items[KR_N_RULES];
		struct kr_rules rules;

		kr_rules_of_edition(&kr_editions[i], 0, items, &rules);
		ck_assert_uint_eq(rules.n_items, counts[i]);
		ck_assert_ptr_eq(rules.edition, &kr_editions[i]);
	}
}
END_TEST

/* Level 2 includes 1; the order is that of the numbers, but files come last. */
START_TEST(test_rules_of_edition)
{
	static const char *const want[] = {
		"authentication.anonymous.enabled",
		"authorization.mode",
		"authentication.x509.clientCAFile",
		"readOnlyPort",
		"streamingConnectionIdleTimeout",
		"makeIPTablesUtilChains",
		"featureGates.RotateKubeletServerCertificate",
		"mode:kubeconfig",
		"owner:kubeconfig",
		"mode:config",
		"owner:config",
	};
	const struct kr_rule *items[KR_N_RULES];
	struct kr_rules rules;

	kr_rules_of_edition(&kr_editions[KR_EKS_1_8], 1, items, &rules);
	ck_assert_uint_eq(rules.n_items, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		ck_assert_str_eq(rules.items[i]->name, want[i]);
	kr_rules_of_edition(&kr_editions[KR_EKS_1_8], 2, items, &rules);
	ck_assert_uint_eq(rules.n_items, ARRAY_SIZE(want) + 2);
	kr_rules_of_edition(&kr_editions[KR_GKE_1_9], 2, items, &rules);
	ck_assert_uint_eq(rules.n_items, 4);
}
END_TEST

static const struct {
	const char *word, *name; /* NULL: none has it */
} words[] = {
	{"readOnlyPort", "readOnlyPort"},
	{"read-only-port", "readOnlyPort"},
	{"hostname-override", "hostname-override"},
	{"rotate-server-certificates", "serverTLSBootstrap"},
	{"tlsCertFile+tlsPrivateKeyFile", "tlsCertFile+tlsPrivateKeyFile"},
	{"tls-cert-file", "tlsCertFile"},
	{"mode:config", "mode:config"},
	{"healthz-port", "healthzPort"},
	{"feature-gates", NULL},
	{"featureGates", NULL},
	{"readonlyport", NULL},
	{"readOnlyPor", NULL},
	{"--read-only-port", NULL},
	{"mode:", NULL},
	{"", NULL},
};

START_TEST(test_find)
{
	const char *word = words[_i].word;
	const struct kr_rule *rule = kr_rule_find(word, strlen(word));

	ck_assert_msg(!rule == !words[_i].name, "%s", word);
	if (rule)
		ck_assert_str_eq(rule->name, words[_i].name);
}
END_TEST

/* One number is another control in another edition. */
START_TEST(test_id)
{
	static const char id[] = "3.2.6,3.2.7";

	ck_assert_str_eq(kr_rule_of_id(&kr_editions[KR_EKS_1_2], id, 5)->name,
	                 "protectKernelDefaults");
	ck_assert_str_eq(kr_rule_of_id(&kr_editions[KR_EKS_1_5], id, 5)->name,
	                 "makeIPTablesUtilChains");
	ck_assert_ptr_null(kr_rule_of_id(&kr_editions[KR_EKS_1_5], id, 4));
	ck_assert_ptr_null(kr_rule_of_id(&kr_editions[KR_CIS_1_12], id, 5));
	ck_assert_ptr_null(kr_rule_of_id(&kr_editions[KR_GKE_1_9], id, 5));
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
	tcase_add_test(tc, test_all);
	tcase_add_test(tc, test_rules_of_edition);
	tcase_add_loop_test(tc, test_find, 0, ARRAY_SIZE(words));
	tcase_add_test(tc, test_id);
}

KR_TEST_MAIN(add);
