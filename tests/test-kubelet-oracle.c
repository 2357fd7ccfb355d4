/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a real kubelet 1.20.2 made of flags and a configuration file
 * (cases/kubelet-oracle.jsonl): the value or a refusal. Every case of tier
 * "exact" must be right, for that version and for the newest. A path that is
 * not plainly the file's is for those who can open it.
 */

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "doc/json.h"
#include "kubelet/config.h"
#include "kubelet/flags.h"
#include "testing-cases.h"
#include "testing.h"

static size_t base64(const char *text, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	unsigned bits = 0, n = 0;
	char *start = out;

	for (; *text && *text != '='; text++) {
		bits = bits << 6 | (unsigned)(strchr(digits, *text) - digits);
		n += 6;
		if (n >= 8) {
			n -= 8;
			*out++ = (char)(bits >> n);
		}
	}
	return (size_t)(out - start);
}

/* The text of member NAME of a line, in which cJSON ends a string at a NUL. */
static const struct kr_file *file_of(char *data, const char *name)
{
	const struct kr_file line = {.data = data, .size = strlen(data)};
	_cleanup_json_ struct kr_json json;
	_cleanup_free_ char *bytes = NULL;
	struct kr_json_token t;
	bool found = false;

	kr_json_init(&json, &line, 0, NULL);
	while (kr_json_next(&json, &t) == 0 && t.type != KR_JSON_END) {
		const char *text = data + t.offset + 1;

		if (t.type == KR_JSON_COLON)
			continue;
		if (found)
			break;
		found = t.key && json.depth == 1 &&
		        t.length == strlen(name) + 2 &&
		        strncmp(text, name, strlen(name)) == 0;
	}
	if (!found || t.type != KR_JSON_STRING)
		return NULL;
	bytes = malloc(3 * t.length);
	return kr_test_file(
		"/config", bytes,
		kr_json_unescape(data + t.offset + 1, t.length - 2, bytes));
}

/* The config file of a case; NULL: it has none. */
static const struct kr_file *config_of(const struct kr_case *c)
{
	const char *coded = kr_case_text(c->object, "config_b64");
	_cleanup_free_ char *bytes = NULL;

	if (!coded)
		return file_of(c->line, "config");
	bytes = malloc(strlen(coded));
	return kr_test_file("/config", bytes, base64(coded, bytes));
}

static enum kr_state effective(const struct kr_file *file, unsigned minor,
                               struct kr_diag *diag)
{
	const struct kr_config_options options = {.kubelet_minor = minor};
	_cleanup_config_ struct kr_config config = {0};
	enum kr_state state;

	ck_assert_int_eq(kr_config_parse(file, &options, diag, &config), 0);
	state = kr_config_state(&config, KR_FIELD_IPTABLES, NULL);
	return state == KR_STATE_ABSENT || state == KR_STATE_NULL
	               ? KR_STATE_TRUE
	               : state;
}

/* Whether FLAGS read the case's file plainly, or no file at all. */
static bool is_plain(const struct kr_flags *flags)
{
	const char *config = kr_flags_text(flags, KR_FIELD_CONFIG);

	return !config || !*config || strcmp(config, "CONFIG") == 0;
}

static void check(const struct kr_case *c, unsigned minor, enum kr_state want)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_flags_ struct kr_flags flags = {0};
	enum kr_state got = KR_STATE_TRUE, state;
	const char *config;

	kr_case_flags(c, &flags);
	config = kr_flags_text(&flags, KR_FIELD_CONFIG);
	state = kr_flags_state(&flags, KR_FIELD_IPTABLES);
	if (state == KR_STATE_INVALID) {
		got = KR_STATE_INVALID;
	} else if (!is_plain(&flags) || flags.never_runs) {
		return;
	} else {
		if (config && *config)
			got = effective(config_of(c), minor, &diag);
		ck_assert_msg((got == KR_STATE_INVALID) ==
		                      !!kr_diag_first(&diag, KR_ERROR),
		              "%s: an error for INVALID, only then%s",
		              kr_case_text(c->object, "id"),
		              kr_test_messages(&diag));
		if (got != KR_STATE_INVALID && state != KR_STATE_ABSENT)
			got = state;
	}
	ck_assert_msg(got == want, "%s (1.%u): kubelet %d (%s), here %d%s",
	              kr_case_text(c->object, "id"), minor, want,
	              kr_case_text(c->object, "error") ?: "", got,
	              kr_test_messages(&diag));
}

START_TEST(test_case)
{
	const struct kr_case *c = &kr_cases[_i];
	enum kr_state want = kr_case_effective(c);

	if (strcmp(kr_case_text(c->object, "tier"), "exact") != 0)
		return;
	check(c, 0, want);
	check(c, 20, want);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "cases", NULL, NULL);

	kr_cases_load("kubelet-oracle.jsonl");
	tcase_add_loop_test(tc, test_case, 0, (int)kr_n_cases);
}

KR_TEST_MAIN(add_tests);
