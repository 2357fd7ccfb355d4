/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet/decide: every setting of the benchmarks, on 1,097 command lines and
 * files of which kubelet 1.20.2, or 1.34's decoder, has told what it has then
 * (tests/cases/section.jsonl). What kubelet refuses is for kubelet/validate:
 * here no case that it takes may be refused, and no value be another.
 */

#include <stdlib.h>
#include <string.h>

#include "node/inputs.h"
#include "testing-cases.h"
#include "testing.h"

/* A test process has that many: each costs a process of its own. */
#define CASES_AT_ONCE 64

/* The folders of the case at hand. */
static char folder[32], config_path[64], dir_path[64];

/* TEXT with the places of this test for those of the case; static. */
static const char *placed(const char *text)
{
	static const struct {
		const char *name, *place;
	} names[] = {{"CONFIGDIR", folder},
	             {"CONFIG", config_path},
	             {"DIR", dir_path}};
	static char buffers[16][8192];
	static size_t next;
	char *out = buffers[next++ % ARRAY_SIZE(buffers)];
	size_t n = 0;

	while (*text) {
		size_t i = 0;

		while (i < ARRAY_SIZE(names) &&
		       strncmp(text, names[i].name, strlen(names[i].name)) != 0)
			i++;
		if (i < ARRAY_SIZE(names)) {
			n += strlcpy(out + n, names[i].place, 8192 - n);
			text += strlen(names[i].name);
		} else {
			out[n++] = *text++;
		}
		ck_assert_uint_lt(n, 8000);
	}
	out[n] = '\0';
	return out;
}

static bool same_list(const struct kr_strings *list, const cJSON *want)
{
	if (!cJSON_IsArray(want) ||
	    (size_t)cJSON_GetArraySize(want) != list->n_items)
		return false;
	for (size_t i = 0; i < list->n_items; i++) {
		const char *item =
			cJSON_GetStringValue(cJSON_GetArrayItem(want, (int)i));

		if (!item || strcmp(placed(item), list->items[i]) != 0)
			return false;
	}
	return true;
}

static bool same_value(const struct kr_decision *d, const cJSON *want)
{
	_cleanup_free_ char *text = NULL;

	if (d->state != KR_STATE_TRUE && d->state != KR_STATE_FALSE &&
	    d->state != KR_STATE_VALUE)
		return false;
	switch (d->value.type) {
	case KR_TYPE_BOOL:
		return cJSON_IsBool(want) &&
		       d->value.b == (bool)cJSON_IsTrue(want);
	case KR_TYPE_LIST:
		return same_list(&d->value.list, want);
	case KR_TYPE_INT32:
	case KR_TYPE_INT64:
		return cJSON_IsNumber(want) &&
		       (double)d->value.n == want->valuedouble;
	default:
		ck_assert_int_eq(kr_value_format(&d->value, &text), 0);
		return cJSON_IsString(want) &&
		       strcmp(placed(want->valuestring), text) == 0;
	}
}

static void make_files(const cJSON *row)
{
	const cJSON *dropins = cJSON_GetObjectItem(row, "dropins"), *one;
	const char *config = kr_case_text(row, "config");

	if (config)
		kr_root_write(config_path, placed(config));
	if (cJSON_IsObject(dropins))
		kr_root_mkdir(dir_path);
	cJSON_ArrayForEach(one, dropins)
	{
		_cleanup_free_ char *path = NULL;

		ck_assert_int_gt(
			asprintf(&path, "%s/%s", dir_path, one->string), 0);
		kr_root_write(path, placed(cJSON_GetStringValue(one)));
	}
}

static void decide(const cJSON *row, struct kr_fs *fs, struct kr_inputs *in,
                   struct kr_decision *ret)
{
	const char *control = kr_case_text(row, "control");
	const char *version = kr_case_text(row, "kubelet");
	const struct kr_inputs_options options = {
		.kubelet_minor = (unsigned)strtoul(version + 2, NULL, 10),
	};
	const cJSON *args = cJSON_GetObjectItem(row, "args"), *arg;
	int field = 0;
	const char *argv[17] = {"kubelet", "--kubeconfig=/k"};
	size_t argc = 2;

	cJSON_ArrayForEach(arg, args)
	{
		ck_assert_uint_lt(argc, ARRAY_SIZE(argv));
		argv[argc++] = placed(arg->valuestring);
	}
	while (strcmp(kr_field_name(field), control) != 0)
		ck_assert_int_lt(++field, KR_N_SETTINGS);
	ck_assert_int_eq(kr_inputs_read(fs, argv, argc, &options, NULL, in), 0);
	ck_assert_int_eq(kr_decide(in, field, ret), 0);
}

static void check(size_t i)
{
	const cJSON *row = kr_cases[i].object;
	bool stretch = strcmp(kr_case_text(row, "tier") ?: "", "stretch") == 0;
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_inputs_ struct kr_inputs in = {0};
	_cleanup_decision_ struct kr_decision d = {0};

	snprintf(folder, sizeof(folder), "/case-%zu", i);
	snprintf(config_path, sizeof(config_path), "%s/kubelet.yaml", folder);
	snprintf(dir_path, sizeof(dir_path), "%s/conf.d", folder);
	make_files(row);
	fs = kr_root_fs();
	decide(row, fs, &in, &d);
	ck_assert_msg(d.reason && *d.reason, "%s: no reason",
	              kr_case_text(row, "id"));
	if (strcmp(kr_case_text(row, "want"), "value") != 0 || stretch)
		return;
	/* the half of a TLS pair has a value, and kubelet ends all the same
	 * when it begins to listen */
	if (strncmp(kr_case_text(row, "control"), "tls", 3) == 0 &&
	    strstr(kr_case_text(row, "control"), "File") &&
	    d.state == KR_STATE_INVALID && *kr_case_text(row, "value"))
		return;
	ck_assert_msg(same_value(&d, cJSON_GetObjectItem(row, "value")),
	              "%s: %s, %s", kr_case_text(row, "id"),
	              kr_state_to_string(d.state), d.reason);
}

START_TEST(test_cases)
{
	size_t first = (size_t)_i * CASES_AT_ONCE;

	for (size_t i = first; i < first + CASES_AT_ONCE && i < kr_n_cases; i++)
		check(i);
}
END_TEST

START_TEST(test_all)
{
	ck_assert_uint_eq(kr_n_cases, 1097);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "cases", kr_root_setup, kr_root_teardown);

	kr_cases_load("section.jsonl");
	tcase_add_test(tc, test_all);
	tcase_add_loop_test(tc, test_cases, 0,
	                    (int)(kr_n_cases / CASES_AT_ONCE + 1));
}

KR_TEST_MAIN(add_tests);
