/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet/schema, kubelet/decode: a wrong type is refused by the minors that
 * have the field, and passed over by the others; where the version is not
 * known, it is a warning that names them.
 */

#include <stdlib.h>
#include <string.h>

#include "kubelet/decide.h"
#include "kubelet/validate.h"
#include "testing.h"

#define HEAD                                                                   \
	"apiVersion: kubelet.config.k8s.io/v1beta1\n"                          \
	"kind: KubeletConfiguration\n"

struct row {
	const char *config;
	unsigned from, to;   /* the minors that refuse */
	const char *words;   /* without a version, in the warning */
	unsigned n_warnings; /* 0: one where there are words */
};

/* From k8s.io/kubelet and k8s.io/component-base, release-1.20 to 1.36. */
static const struct row rows[] = {
	{"enableProfilingHandler: x", 21, 36, "1.21 to 1.36"},
	{"enableDebugFlagsHandler: x", 21, 36, "1.21 to 1.36"},
	{"memoryManagerPolicy: 1", 21, 36, "1.21 to 1.36"},
	{"reservedMemory: x", 21, 36, "1.21 to 1.36"},
	{"reservedMemory: [{numaNode: x}]", 21, 36, "1.21 to 1.36"},
	{"cpuManagerPolicyOptions: x", 22, 36, "1.22 to 1.36"},
	{"memorySwap: x", 22, 36, "1.22 to 1.36"},
	{"memorySwap: {swapBehavior: 1}", 22, 36, "1.22 to 1.36"},
	{"seccompDefault: x", 22, 36, "1.22 to 1.36"},
	{"memoryThrottlingFactor: x", 22, 36, "1.22 to 1.36"},
	{"shutdownGracePeriodByPodPriority: x", 23, 36, "1.23 to 1.36"},
	{"registerWithTaints: x", 23, 36, "1.23 to 1.36"},
	{"registerWithTaints: [{key: 1}]", 23, 36, "1.23 to 1.36"},
	{"registerNode: x", 23, 36, "1.23 to 1.36"},
	{"logging: {sanitization: x}", 20, 23, "1.20 to 1.23"},
	{"logging: {verbosity: -1}", 23, 36, "1.23 to 1.36"},
	{"logging: {vmodule: x}", 23, 36, "1.23 to 1.36"},
	{"logging: {options: x}", 23, 36, "1.23 to 1.36"},
	{"logging: {options: {json: x}}", 23, 36, "1.23 to 1.36"},
	{"logging: {options: {text: x}}", 30, 36, "1.30 to 1.36"},
	{"logging: {flushFrequency: true}", 23, 36, "1.23 to 1.36"},
	{"logging: {flushFrequency: x}", 23, 36, "1.23 to 1.36"},
	{"logging: {flushFrequency: 5s}", 23, 27, "1.23 to 1.27"},
	{"logging: {flushFrequency: 5000000000}", 0, 0, NULL},
	{"tracing: x", 25, 36, "1.25 to 1.36"},
	{"tracing: {endpoint: 1}", 25, 36, "1.25 to 1.36"},
	{"localStorageCapacityIsolation: x", 25, 36, "1.25 to 1.36"},
	{"topologyManagerPolicyOptions: x", 26, 36, "1.26 to 1.36"},
	{"maxParallelImagePulls: x", 27, 36, "1.27 to 1.36"},
	{"enableSystemLogQuery: x", 27, 36, "1.27 to 1.36"},
	{"containerRuntimeEndpoint: 5", 27, 36, "1.27 to 1.36"},
	{"imageServiceEndpoint: 5", 27, 36, "1.27 to 1.36"},
	{"imageMaximumGCAge: null", 29, 36, "1.29 to 1.36"},
	{"podLogsDir: 1", 30, 36, "1.30 to 1.36"},
	{"containerLogMaxWorkers: x", 30, 36, "1.30 to 1.36"},
	{"containerLogMonitorInterval: 1", 30, 36, "1.30 to 1.36"},
	{"failCgroupV1: x", 31, 36, "1.31 to 1.36"},
	{"singleProcessOOMKill: x", 32, 36, "1.32 to 1.36"},
	{"crashLoopBackOff: 3", 32, 36, "1.32 to 1.36"},
	{"crashLoopBackOff: {maxContainerRestartPeriod: 5}", 32, 36,
         "1.32 to 1.36"},
	{"imagePullCredentialsVerificationPolicy: 1", 33, 36, "1.33 to 1.36"},
	{"preloadedImagesVerificationAllowlist: [1]", 33, 36, "1.33 to 1.36"},
	{"mergeDefaultEvictionSettings: x", 33, 36, "1.33 to 1.36"},
	{"userNamespaces: foo", 33, 36, "1.33 to 1.36"},
	{"userNamespaces: {idsPerPod: x}", 33, 36, "1.33 to 1.36"},
	{"memoryReservationPolicy: 1", 36, 36, "1.36"},
	{"tlsCurvePreferences: [X25519]", 36, 36, "1.36"},
	/* in no version's types */
	{"draManagerReconcilePeriod: 5", 0, 0, NULL},
	/* each is told */
	{"crashLoopBackOff: 3\nmemoryReservationPolicy: 1", 32, 36,
         "1.32 to 1.36", 2},
	/* in all of them */
	{"maxPods: x", 20, 36, NULL},
	{"authentication: {webhook: {cacheTTL: null}}", 20, 36, NULL},
};

struct answer {
	enum kr_state state;
	struct kr_diag diag;
	char *reason;
};

static void answer_done(struct answer *answer)
{
	kr_diag_done(&answer->diag);
	free(answer->reason);
}

static const struct kr_file *file_of(const char *path, const char *config)
{
	_cleanup_free_ char *text = NULL;

	ck_assert_int_ge(asprintf(&text, "%s%s\n", HEAD, config), 0);
	return kr_test_file(path, text, strlen(text));
}

static void ask(const char *config, unsigned minor, struct answer *ret)
{
	const char *const argv[] = {"kubelet", "--kubeconfig=/k"};
	struct kr_inputs in = {.kubelet_minor = minor, .wrapped = true};
	const struct kr_file *file = file_of("/c", config);

	*ret = (struct answer){0};
	ck_assert_int_eq(kr_flags_parse(argv, 2, &in.flags), 0);
	ck_assert_int_eq(
		kr_merge_parse(&file, 1, false, minor, &ret->diag, &in.merged),
		0);
	in.merged_valid = in.config_read = true;
	in.files = calloc(1, sizeof(*in.files));
	in.files[in.n_files++] = file;
	if (in.merged.fault == KR_STATE_ABSENT)
		ck_assert_int_eq(kr_validate(&in, &ret->diag), 0);
	ret->state = kr_inputs_state(&in);
	ret->reason = in.fault_reason ? strdup(in.fault_reason) : NULL;
	kr_inputs_done(&in);
}

START_TEST(test_minor)
{
	const struct row *row = &rows[_i];

	for (unsigned m = 20; m <= 36; m++) {
		bool refused = m >= row->from && m <= row->to;
		const struct kr_message *error;
		struct answer answer;

		ask(row->config, m, &answer);
		error = kr_diag_first(&answer.diag, KR_ERROR);
		ck_assert_msg(refused == (answer.state == KR_STATE_INVALID) &&
		                      refused == (error && error->line > 2),
		              "%s: 1.%u must %s: %s%s", row->config, m,
		              refused ? "refuse" : "take", answer.reason ?: "-",
		              kr_test_messages(&answer.diag));
		answer_done(&answer);
	}
}
END_TEST

START_TEST(test_unknown_version)
{
	const struct row *row = &rows[_i];
	bool all = row->from == 20 && row->to == 36;
	const struct kr_message *warning;
	struct answer answer;

	ask(row->config, 0, &answer);
	warning = kr_diag_first(&answer.diag, KR_WARNING);
	ck_assert_msg((answer.state == KR_STATE_INVALID) == all, "%s: %s",
	              row->config, answer.reason ?: "-");
	ck_assert_msg((warning != NULL) == (row->words != NULL), "%s%s",
	              row->config, kr_test_messages(&answer.diag));
	if (warning) {
		ck_assert_uint_eq(answer.diag.n_messages, row->n_warnings ?: 1);
		ck_assert_str_eq(warning->code, "config-version");
		ck_assert_uint_gt(warning->line, 2);
		ck_assert_msg(strstr(warning->text, row->words), "%s: %s",
		              row->config, warning->text);
	}
	answer_done(&answer);
}
END_TEST

/* What is left of main file and drop-in, by version. */
START_TEST(test_dropins)
{
	static const struct {
		const char *base, *dropin;
		unsigned minor;
		bool refused;
	} cases[] = {
		{"maxPods: 5", "userNamespaces: foo", 32, false},
		{"maxPods: 5", "userNamespaces: foo", 33, true},
		{"userNamespaces: foo", "maxPods: 5", 32, false},
		{"userNamespaces: foo", "maxPods: 5", 33, true},
		{"maxPods: 5", "containerLogMaxWorkers: x", 29, false},
		{"maxPods: 5", "containerLogMaxWorkers: x", 30, true},
		{"maxPods: 5", "logging: {flushFrequency: 5s}", 29, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_merged_ struct kr_merged merged = {0};
		const struct kr_file *files[] = {
			file_of("/c", cases[i].base),
			file_of("/d.conf", cases[i].dropin)};

		ck_assert_int_eq(kr_merge_parse(files, 2, false, cases[i].minor,
		                                NULL, &merged),
		                 0);
		ck_assert_msg((merged.fault == KR_STATE_INVALID) ==
		                      cases[i].refused,
		              "%s, %s: 1.%u", cases[i].base, cases[i].dropin,
		              cases[i].minor);
	}
}
END_TEST

/* The version is not known: one warning, of both merges. */
START_TEST(test_dropins_unknown)
{
	static const struct {
		const char *dropin, *words; /* NULL: all refuse */
	} cases[] = {
		{"failCgroupV1: x", "kubelet 1.31 to 1.36 would refuse this: "},
		{"crashLoopBackOff: 3",
	         "kubelet 1.32 to 1.36 would refuse this: "},
		{"maxParallelImagePulls: x", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_diag_ struct kr_diag diag = {0};
		struct kr_inputs in = {.wrapped = true,
		                       .config_read = true,
		                       .merged_valid = true,
		                       .older_valid = true};
		const struct kr_file *files[] = {
			file_of("/c", "maxPods: 5"),
			file_of("/d.conf", cases[i].dropin)};

		ck_assert_int_eq(
			kr_merge_parse(files, 2, false, 0, &diag, &in.merged),
			0);
		ck_assert_int_eq(kr_merge_parse_as(files, 2, false, 31,
		                                   &in.merged, &in.older),
		                 0);
		in.files = calloc(2, sizeof(*in.files));
		in.n_files = 2;
		ck_assert_int_eq(kr_validate(&in, &diag), 0);
		ck_assert_msg((kr_inputs_state(&in) == KR_STATE_INVALID) ==
		                      !cases[i].words,
		              "%s", cases[i].dropin);
		ck_assert_msg(diag.n_messages == 1, "%s%s", cases[i].dropin,
		              kr_test_messages(&diag));
		ck_assert_msg(!cases[i].words || strstr(diag.messages[0].text,
		                                        cases[i].words),
		              "%s%s", cases[i].dropin, kr_test_messages(&diag));
		kr_inputs_done(&in);
	}
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "types", NULL, NULL);

	tcase_add_loop_test(tc, test_minor, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_unknown_version, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_dropins);
	tcase_add_test(tc, test_dropins_unknown);
}

KR_TEST_MAIN(add_tests);
