/* SPDX-License-Identifier: Apache-2.0 */

/* kubelet/schema: the types of the config file's fields. */

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "doc/name.h"
#include "kubelet/minors.h"
#include "kubelet/schema.h"
#include "testing-cases.h"
#include "testing.h"

/* The type at PATH: keys with "." between, "[]" for an element. */
static const struct kr_schema *find(const char *path)
{
	const struct kr_schema *schema = kr_schema_root();

	while (schema && *path) {
		size_t length = strcspn(path, ".");

		if (length == 2 && !strncmp(path, "[]", 2))
			schema = kr_schema_element(schema);
		else
			schema = kr_schema_member(schema, path, length, false);
		path += length + (path[length] == '.');
	}
	return schema;
}

struct row {
	const char *path;
	enum kr_schema_kind kind;
	bool null_valid;
	const char *string; /* one that it takes, NULL: it takes "x" not */
	const char *number; /* one that it takes, NULL: it takes 1 not */
};

static const struct row rows[] = {
	{"kind", KR_SCHEMA_STRING, true, "x", NULL},
	{"apiVersion", KR_SCHEMA_STRING, true, "", NULL},
	{"makeIPTablesUtilChains", KR_SCHEMA_BOOL, true, NULL, NULL},
	{"maxPods", KR_SCHEMA_INT32, true, NULL, "110"},
	{"clusterDomain", KR_SCHEMA_STRING, true, "cluster.local", NULL},
	{"clusterDNS", KR_SCHEMA_LIST, true, NULL, NULL},
	{"clusterDNS.[]", KR_SCHEMA_STRING, true, "10.0.0.10", NULL},
	{"syncFrequency", KR_SCHEMA_DURATION, false, "1m", NULL},
	{"cpuCFSQuotaPeriod", KR_SCHEMA_DURATION, true, "100ms", NULL},
	{"evictionHard", KR_SCHEMA_MAP, true, NULL, NULL},
	{"evictionHard.[]", KR_SCHEMA_STRING, true, "10%", NULL},
	{"featureGates.[]", KR_SCHEMA_BOOL, true, NULL, NULL},
	{"staticPodURLHeader.[].[]", KR_SCHEMA_STRING, true, "x", NULL},
	{"podPidsLimit", KR_SCHEMA_INT64, true, NULL, "9223372036854775807"},
	{"memoryThrottlingFactor", KR_SCHEMA_FLOAT64, true, NULL, "0.9"},
	{"tlsCurvePreferences.[]", KR_SCHEMA_INT32, true, NULL, "29"},
	{"authentication", KR_SCHEMA_OBJECT, true, NULL, NULL},
	{"authentication.anonymous.enabled", KR_SCHEMA_BOOL, true, NULL, NULL},
	{"authentication.webhook.cacheTTL", KR_SCHEMA_DURATION, false, "0s",
         NULL},
	{"authentication.x509.clientCAFile", KR_SCHEMA_STRING, true, "/ca",
         NULL},
	{"authorization.webhook.cacheAuthorizedTTL", KR_SCHEMA_DURATION, false,
         "5m0s", NULL},
	{"registerWithTaints.[].timeAdded", KR_SCHEMA_TIME, true,
         "2026-01-31T08:00:00Z", NULL},
	{"reservedMemory.[].numaNode", KR_SCHEMA_INT32, true, NULL, "0"},
	{"reservedMemory.[].limits.[]", KR_SCHEMA_QUANTITY, true, "1Gi", "1"},
	{"shutdownGracePeriodByPodPriority.[].priority", KR_SCHEMA_INT32, true,
         NULL, "10000"},
	{"logging.flushFrequency", KR_SCHEMA_FLUSH_DURATION, true, "5s",
         "5000000000"},
	{"logging.verbosity", KR_SCHEMA_UINT32, true, NULL, "2"},
	{"logging.vmodule.[].filePattern", KR_SCHEMA_STRING, true, "x", NULL},
	{"logging.options.json.infoBufferSize", KR_SCHEMA_QUANTITY, true, "0",
         "0"},
	{"tracing.samplingRatePerMillion", KR_SCHEMA_INT32, true, NULL, "100"},
	{"crashLoopBackOff.maxContainerRestartPeriod", KR_SCHEMA_DURATION, true,
         "100s", NULL},
	{"userNamespaces.idsPerPod", KR_SCHEMA_INT64, true, NULL, "65536"},
};

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	const struct kr_schema *schema = find(row->path);
	const char *s = row->string ? row->string : "x";
	const char *n = row->number ? row->number : "1";

	ck_assert_msg(schema != NULL, "%s: not there", row->path);
	ck_assert_msg(kr_schema_kind(schema) == row->kind, "%s: %s", row->path,
	              kr_schema_wants(schema, kr_minors_of(0)));
	ck_assert_msg(kr_schema_null_valid(schema) == row->null_valid, "%s",
	              row->path);
	ck_assert_msg(kr_schema_bool_valid(schema) ==
	                      (row->kind == KR_SCHEMA_BOOL),
	              "%s", row->path);
	ck_assert_msg(kr_schema_string_valid(schema, s, strlen(s)) ==
	                      (row->string != NULL),
	              "%s: \"%s\"", row->path, s);
	ck_assert_msg(kr_schema_number_valid(schema, n, strlen(n)) ==
	                      (row->number != NULL),
	              "%s: %s", row->path, n);
}
END_TEST

START_TEST(test_unknown)
{
	ck_assert_ptr_null(find("makeIptablesUtilChains"));
	ck_assert_ptr_null(find("makeIPTablesUtilChain"));
	ck_assert_ptr_null(find("authentication.x509.enabled"));
	ck_assert_ptr_null(kr_schema_member(kr_schema_root(), "", 0, true));
	ck_assert_ptr_null(find("maxPods.[]"));
}
END_TEST

struct fold_row {
	const char *name, *key;
	bool want;
};

static const struct fold_row fold_rows[] = {
	{"maxPods", "maxPods", true},
	{"maxPods", "MAXPODS", true},
	{"maxPods", "maxpod\xc5\xbf", true},
	{"maxPods", "maxpod\xc5", false},
	{"maxPods", "maxpod", false},
	{"maxPods", "maxPodss", false},
	{"maxPods", "", false},
	{"kind", "\xe2\x84\xaaind", true},
	{"kind", "\xe2\x84\xabind", false},
	{"kind", "\xe2\x84", false},
	{"kind", "k\xc4\xb1nd", false},
	{"iptablesDropBit", "IPTablesDropBit", true},
};

START_TEST(test_fold)
{
	const struct fold_row *row = &fold_rows[_i];

	ck_assert_msg(kr_name_equal(row->name, row->key, strlen(row->key),
	                            true) == row->want,
	              "%s, %s", row->name, row->key);
	ck_assert_msg(kr_name_equal(row->name, row->key, strlen(row->key),
	                            false) == !strcmp(row->name, row->key),
	              "%s, %s", row->name, row->key);
	ck_assert_msg(!row->want || kr_name_may_equal(row->name, row->key,
	                                              strlen(row->key)),
	              "%s, %s", row->name, row->key);
}
END_TEST

static void check_value(const struct kr_schema *schema, const cJSON *value,
                        const char *path)
{
	_cleanup_free_ char *text = NULL;
	const cJSON *child;

	ck_assert_msg(schema != NULL, "%s: not in the schema", path);
	if (cJSON_IsString(value)) {
		ck_assert_msg(
			kr_schema_string_valid(schema, value->valuestring,
		                               strlen(value->valuestring)),
			"%s", path);
	} else if (cJSON_IsNumber(value)) {
		text = cJSON_PrintUnformatted(value);
		ck_assert_msg(
			kr_schema_number_valid(schema, text, strlen(text)),
			"%s", path);
	} else if (cJSON_IsBool(value)) {
		ck_assert_msg(kr_schema_bool_valid(schema), "%s", path);
	} else if (cJSON_IsArray(value)) {
		ck_assert_msg(kr_schema_kind(schema) == KR_SCHEMA_LIST, "%s",
		              path);
	}

	cJSON_ArrayForEach(child, value)
	{
		bool is_object = kr_schema_kind(schema) == KR_SCHEMA_OBJECT;

		check_value(is_object ? kr_schema_member(schema, child->string,
		                                         strlen(child->string),
		                                         false)
		                      : kr_schema_element(schema),
		            child, child->string ? child->string : path);
	}
}

/* A real /configz answer holds nearly all fields of 1.20.2. */
START_TEST(test_configz)
{
	_cleanup_fclose_ FILE *in = kr_cases_open("configz-sample.json");
	_cleanup_free_ char *data = calloc(1, 65536);
	cJSON *answer;

	ck_assert_uint_gt(fread(data, 1, 65535, in), 1000);
	answer = cJSON_Parse(data);
	ck_assert_ptr_nonnull(answer);
	check_value(kr_schema_root(),
	            cJSON_GetObjectItem(answer, "kubeletconfig"), "top");
	cJSON_Delete(answer);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "schema", NULL, NULL);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_unknown);
	tcase_add_loop_test(tc, test_fold, 0, ARRAY_SIZE(fold_rows));
	tcase_add_test(tc, test_configz);
}

KR_TEST_MAIN(add_tests);
