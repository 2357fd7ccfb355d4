/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The measured cases. They are loaded before a test runs, too, where an
 * assertion could not fail.
 */

#include <stdlib.h>
#include <string.h>

#include "testing-cases.h"
#include "testing.h"

struct kr_case *kr_cases;
size_t kr_n_cases;

FILE *kr_cases_open(const char *name)
{
	_cleanup_free_ char *path = NULL;
	const char *folder = getenv("CASES");
	FILE *in;

	if (!folder || asprintf(&path, "%s/%s", folder, name) < 0)
		abort();
	in = fopen(path, "re");
	if (!in)
		abort();
	return in;
}

static void forget(void)
{
	for (size_t i = 0; i < kr_n_cases; i++) {
		free(kr_cases[i].line);
		cJSON_Delete(kr_cases[i].object);
	}
	free(kr_cases);
	kr_cases = NULL;
	kr_n_cases = 0;
}

void kr_cases_load(const char *name)
{
	_cleanup_fclose_ FILE *in = kr_cases_open(name);
	char *line = NULL;
	size_t size = 0;

	if (!kr_cases)
		atexit(forget);
	forget();
	for (; getline(&line, &size, in) > 0; line = NULL) {
		kr_cases = reallocarray(kr_cases, kr_n_cases + 1,
		                        sizeof(*kr_cases));
		if (!kr_cases)
			abort();
		kr_cases[kr_n_cases].line = line;
		kr_cases[kr_n_cases].object = cJSON_Parse(line);
		if (!kr_cases[kr_n_cases++].object)
			abort();
		size = 0;
	}
	free(line);
}

const char *kr_case_text(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(object, name));
}

void kr_case_flags(const struct kr_case *c, struct kr_flags *ret)
{
	const cJSON *args = cJSON_GetObjectItemCaseSensitive(c->object, "args");
	const char *argv[512] = {"kubelet"};
	size_t argc = 1;
	const cJSON *arg;

	cJSON_ArrayForEach(arg, args)
	{
		ck_assert_uint_lt(argc, ARRAY_SIZE(argv));
		argv[argc++] = arg->valuestring;
	}
	ck_assert_int_eq(kr_flags_parse(argv, argc, ret), 0);
}

enum kr_state kr_case_effective(const struct kr_case *c)
{
	const cJSON *value =
		cJSON_GetObjectItemCaseSensitive(c->object, "effective");

	return cJSON_IsTrue(value)    ? KR_STATE_TRUE
	       : cJSON_IsFalse(value) ? KR_STATE_FALSE
	                              : KR_STATE_INVALID;
}
