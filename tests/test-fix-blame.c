/* SPDX-License-Identifier: Apache-2.0 */

/* fix/blame: the control that kubelet's last words name. */

#include <string.h>

#include "fix/blame.h"
#include "testing.h"

#define F "F1128 18:17:27.760955     342 server.go:269] failed to run Kubelet: "
#define E "E1128 18:17:27.760955     342 run.go:74] \"command failed\" err=\""

static const struct row {
	const char *name;
	const char *lines[3];
	const char *want; /* NULL: nobody */
} rows[] = {
	{"nothing", {NULL}, NULL},
	{"no control", {F "the stand-in was told to die"}, NULL},
	{"a key", {F "invalid configuration: readOnlyPort 0"}, "readOnlyPort"},
	{"a field of Go", {F "Config.ReadOnlyPort is wrong"}, "readOnlyPort"},
	{"a flag",
         {"Error: invalid argument \"x\" for \"--read-only-port\" flag"},
         "readOnlyPort"},
	{"at the end of a sentence", {F "see readOnlyPort."}, "readOnlyPort"},
	{"a part of a word", {F "myreadOnlyPort, readOnlyPorts"}, NULL},
	{"a nested key",
         {F "authentication.anonymous.enabled is not possible"},
         "authentication.anonymous.enabled"},
	{"gate, by the setting that wants it",
         {E "invalid configuration: serverTLSBootstrap true requires feature "
            "gate RotateKubeletServerCertificate\""},
         "serverTLSBootstrap"},
	{"the kernel's flags, of 1.20",
         {F "invalid kernel flag: vm/overcommit_memory, expected value: 1, "
            "actual value: 0"},
         "protectKernelDefaults"},
	{"the kernel's flags, of newer ones",
         {E "failed to run Kubelet: [Invalid kernel flag: "
            "kernel/panic, expected value: 10, actual value: 0]\""},
         "protectKernelDefaults"},
	{"webhook without a client",
         {F "no client provided, cannot use webhook authorization"},
         "authorization.mode"},
	{"two of them", {F "readOnlyPort and makeIPTablesUtilChains"}, NULL},
	{"one of them twice",
         {F "readOnlyPort", F "readOnlyPort"},
         "readOnlyPort"},
	{"a line before the end",
         {"I1128 18:17:27.760955     342 flags.go:59] FLAG: "
          "--read-only-port=\"0\"",
          F "no control"},
         NULL},
	{"not of the plan", {F "podPidsLimit is wrong"}, NULL},
};

static const char *const planned[] = {
	"authentication.anonymous.enabled",
	"authorization.mode",
	"readOnlyPort",
	"protectKernelDefaults",
	"makeIPTablesUtilChains",
	"serverTLSBootstrap",
	"featureGates.RotateKubeletServerCertificate",
};

#define N_PLANNED (sizeof(planned) / sizeof(planned[0]))

START_TEST(test_find)
{
	const struct kr_rule *rules[N_PLANNED], *got;
	const struct row *row = &rows[_i];
	struct kr_log_line lines[3] = {0};
	struct kr_log log = {lines, 0};

	for (size_t i = 0; i < N_PLANNED; i++) {
		rules[i] = kr_rule_find(planned[i], strlen(planned[i]));
		ck_assert_ptr_nonnull(rules[i]);
	}
	for (size_t i = 0; i < 3 && row->lines[i]; i++)
		lines[log.n_lines++].text = (char *)(uintptr_t)row->lines[i];
	got = kr_blame_find(&log, rules, N_PLANNED);
	ck_assert_msg((got == NULL) == (row->want == NULL) &&
	                      (!got || strcmp(got->name, row->want) == 0),
	              "%s: %s", row->name, got ? got->name : "nobody");
}
END_TEST

static void add(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "blame", NULL, NULL);

	tcase_add_loop_test(tc, test_find, 0, sizeof(rows) / sizeof(rows[0]));
}

KR_TEST_MAIN(add);
