/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The judgement of the example nodes: what was looked up by hand of each
 * setting (cases/section-node-values.jsonl), value and place, and whether the
 * benchmarks call that a pass. Then each edition as a whole.
 */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "policy/judge.h"
#include "testing-cases.h"
#include "testing.h"

/* --- one setting --------------------------------------------------------- */

/* What a benchmark says of VALUE, as its text has it; -1: there is no demand.
 */
static int passes(const char *name, const cJSON *value, bool by_default)
{
	static const struct {
		const char *name;
		bool want;
	} booleans[] = {
		{"authentication.anonymous.enabled", false},
		{"protectKernelDefaults", true},
		{"makeIPTablesUtilChains", true},
		{"serverTLSBootstrap", true},
		{"featureGates.RotateKubeletServerCertificate", true},
		{"seccompDefault", true},
	};
	const char *text = cJSON_GetStringValue(value);

	for (size_t i = 0; i < ARRAY_SIZE(booleans); i++) {
		if (strcmp(name, booleans[i].name) == 0)
			return cJSON_IsTrue(value) == booleans[i].want;
	}
	if (strcmp(name, "rotateCertificates") == 0)
		return by_default || cJSON_IsTrue(value);
	if (strcmp(name, "authorization.mode") == 0)
		return strcmp(text, "Webhook") == 0;
	if (strcmp(name, "readOnlyPort") == 0)
		return value->valuedouble == 0;
	if (strcmp(name, "eventRecordQPS") == 0)
		return value->valuedouble >= 0;
	if (strcmp(name, "podPidsLimit") == 0)
		return value->valuedouble > 0;
	if (strcmp(name, "hostname-override") == 0)
		return !*text;
	if (strcmp(name, "streamingConnectionIdleTimeout") == 0)
		return *text != '0' && *text != '-';
	return -1;
}

static bool is_list(const struct kr_strings *list, const cJSON *want)
{
	const cJSON *item;
	size_t n = 0;

	if (cJSON_IsNull(want))
		return list->n_items == 0;
	cJSON_ArrayForEach(item, want)
	{
		if (n >= list->n_items ||
		    strcmp(list->items[n], cJSON_GetStringValue(item)) != 0)
			return false;
		n++;
	}
	return n == list->n_items;
}

static bool is_value(const struct kr_value *value, const cJSON *want)
{
	switch (value->type) {
	case KR_TYPE_BOOL:
		return cJSON_IsBool(want) && cJSON_IsTrue(want) == value->b;
	case KR_TYPE_INT32:
	case KR_TYPE_INT64:
		return cJSON_IsNumber(want) &&
		       (int64_t)want->valuedouble == value->n;
	case KR_TYPE_LIST:
		return is_list(&value->list, want);
	default: {
		_cleanup_free_ char *text = NULL;

		ck_assert_int_eq(kr_value_format(value, &text), 0);
		return cJSON_IsString(want) &&
		       strcmp(text, want->valuestring) == 0;
	}
	}
}

static bool is_by(const struct kr_source *source, const char *by)
{
	if (!by)
		return true;
	if (strcmp(by, "file") == 0)
		return source->kind == KR_SOURCE_CONFIG ||
		       source->kind == KR_SOURCE_CONFIG_DIR;
	return strcmp(kr_source_kind_to_string(source->kind), by) == 0;
}

static void check_value(const char *node, const struct kr_judgement *j,
                        const cJSON *want)
{
	const char *by = kr_case_text(want, "by"), *name = j->rule->name;
	const cJSON *value = cJSON_GetObjectItem(want, "value");
	const struct kr_source *deciding = kr_judgement_deciding(j);
	int pass;

	ck_assert_msg(kr_state_is_value(j->disk.state), "%s: %s: %s", node,
	              name, j->disk.reason);
	ck_assert_msg(is_value(&j->disk.value, value), "%s: %s: %s", node, name,
	              j->reason);
	ck_assert_msg(deciding && is_by(deciding, by), "%s: %s: by %s", node,
	              name,
	              deciding ? kr_source_kind_to_string(deciding->kind)
	                       : "nothing");
	pass = passes(name, value, deciding->kind == KR_SOURCE_DEFAULT);
	if (pass >= 0)
		ck_assert_msg(j->verdict == (pass ? KR_VERDICT_PASS
		                                  : KR_VERDICT_FAIL),
		              "%s: %s", node, j->reason);
}

/* One of two, by kubelet's version, which some nodes tell. */
static void check_candidates(const char *node, const struct kr_judgement *j,
                             const cJSON *candidates)
{
	const struct kr_field *f = kr_field(j->rule->fields[0]);
	const cJSON *one;

	if (j->disk.state == KR_STATE_UNKNOWN) {
		ck_assert_msg(j->disk.either_default, "%s: %s", node,
		              j->disk.reason);
		ck_assert_int_eq(cJSON_GetArraySize(candidates), 2);
		one = cJSON_GetArrayItem(candidates, 0);
		ck_assert_int_eq(atoi(f->before), (int)one->valuedouble);
		one = cJSON_GetArrayItem(candidates, 1);
		ck_assert_int_eq(atoi(f->by_default), (int)one->valuedouble);
		ck_assert_int_eq(j->verdict, KR_VERDICT_PASS);
		return;
	}
	cJSON_ArrayForEach(one, candidates)
	{
		if (is_value(&j->disk.value, one))
			return;
	}
	ck_abort_msg("%s: %s", node, j->reason);
}

/* --- a node -------------------------------------------------------------- */

static struct kr_node *read_node(const char *name, struct kr_diag *diag)
{
	const char *nodes = getenv("NODES");
	char root[PATH_MAX];
	const struct kr_node_options options = {.root = root};
	struct kr_node *node = NULL;

	ck_assert_ptr_nonnull(nodes);
	snprintf(root, sizeof(root), "%s/%s", nodes, name);
	ck_assert_int_eq(kr_node_open(&options, diag, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &options, NULL, diag), 0);
	return node;
}

static struct kr_audit *judge(struct kr_node *node,
                              const struct kr_rule *const *items, size_t n,
                              const struct kr_edition *edition,
                              struct kr_diag *diag)
{
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	const struct kr_rules rules = {items, n, edition};
	struct kr_audit *a = NULL;

	ck_assert_int_eq(kr_audit_run(node, &rules, &options, diag, &a), 0);
	return a;
}

START_TEST(test_values)
{
	const cJSON *object = kr_cases[_i].object;
	const cJSON *values = cJSON_GetObjectItem(object, "values"), *want;
	const char *name = kr_case_text(object, "node");
	const char *state = kr_case_text(object, "state");
	const struct kr_rule *items[KR_N_RULES];
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = read_node(name, &diag);
	_cleanup_audit_ struct kr_audit *a = NULL;
	size_t n = 0, i = 0;

	ck_assert_uint_eq(kr_n_cases, 31);
	if (!values)
		items[n++] = kr_rule_of_field(KR_FIELD_READ_ONLY_PORT);
	cJSON_ArrayForEach(want, values) items[n++] =
		kr_rule_find(want->string, strlen(want->string));
	a = judge(node, items, n, NULL, &diag);
	if (!values) {
		ck_assert_msg(a->items[0].disk.state ==
		                      (strcmp(state, "invalid") == 0
		                               ? KR_STATE_INVALID
		                               : KR_STATE_UNKNOWN),
		              "%s: %s", name, a->items[0].disk.reason);
		return;
	}
	cJSON_ArrayForEach(want, values)
	{
		const struct kr_judgement *j = &a->items[i++];
		const cJSON *several = cJSON_GetObjectItem(want, "candidates");

		/* without a unit of its own kubelet's words are not known */
		if (node->disk.start != KR_START_COMMAND &&
		    j->disk.state == KR_STATE_UNKNOWN)
			continue;
		if (several)
			check_candidates(name, j, several);
		else
			check_value(name, j, want);
	}
}
END_TEST

/* Each edition says something of each of its controls, on each node. */
START_TEST(test_editions)
{
	const char *name =
		kr_case_text(kr_cases[_i / KR_N_EDITIONS].object, "node");
	const struct kr_edition *edition = &kr_editions[_i % KR_N_EDITIONS];
	const struct kr_rule *items[KR_N_RULES];
	struct kr_rules rules;
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = read_node(name, &diag);
	_cleanup_audit_ struct kr_audit *a = NULL;
	bool fails = false;

	kr_rules_of_edition(edition, 0, items, &rules);
	a = judge(node, rules.items, rules.n_items, edition, &diag);
	ck_assert_uint_eq(a->n_items, rules.n_items);
	for (size_t i = 0; i < a->n_items; i++) {
		const struct kr_judgement *j = &a->items[i];

		ck_assert_msg(j->reason && *j->reason, "%s: %s", name,
		              j->rule->name);
		ck_assert_int_le(j->verdict, KR_VERDICT_UNKNOWN);
		ck_assert_msg(j->disk.reason && j->running.reason &&
		                      j->live.reason,
		              "%s: %s", name, j->rule->name);
		ck_assert_int_eq(j->running.state, KR_STATE_ABSENT);
		fails = fails || j->verdict == KR_VERDICT_FAIL;
	}
	ck_assert(fails == (a->verdict == KR_VERDICT_FAIL));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "nodes", NULL, NULL);

	kr_cases_load("section-node-values.jsonl");
	tcase_add_loop_test(tc, test_values, 0, (int)kr_n_cases);
	tcase_add_loop_test(tc, test_editions, 0,
	                    (int)kr_n_cases * KR_N_EDITIONS);
}

KR_TEST_MAIN(add_tests);
