/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet/field: each row of the table against the schema of the file and the
 * table of flags, and the way from a document's names to a field.
 */

#include <string.h>

#include "kubelet/field.h"
#include "kubelet/flag-table.h"
#include "kubelet/schema.h"
#include "testing.h"

/* What the file's decoder takes for the path; NULL: there is no such field. */
static const struct kr_schema *schema_of(const char *path)
{
	const struct kr_schema *schema = kr_schema_root();

	while (schema) {
		size_t length = strcspn(path, ".");

		schema =
			kr_schema_kind(schema) == KR_SCHEMA_MAP
				? kr_schema_element(schema)
				: kr_schema_member(schema, path, length, false);
		if (!path[length])
			break;
		path += length + 1;
	}
	return schema;
}

static bool fits_schema(enum kr_type type, const struct kr_schema *schema)
{
	static const enum kr_schema_kind kinds[_KR_TYPE_MAX][3] = {
		[KR_TYPE_BOOL] = {KR_SCHEMA_BOOL},
		[KR_TYPE_INT32] = {KR_SCHEMA_INT32, KR_SCHEMA_UINT32},
		[KR_TYPE_INT64] = {KR_SCHEMA_INT64, KR_SCHEMA_UINT32},
		[KR_TYPE_DURATION] = {KR_SCHEMA_DURATION,
	                              KR_SCHEMA_FLUSH_DURATION},
		[KR_TYPE_STRING] = {KR_SCHEMA_STRING, KR_SCHEMA_QUANTITY},
		[KR_TYPE_FLOAT] = {KR_SCHEMA_FLOAT64},
		[KR_TYPE_LIST] = {KR_SCHEMA_LIST},
		[KR_TYPE_TREE] = {KR_SCHEMA_MAP, KR_SCHEMA_LIST},
	};

	for (size_t i = 0; schema && i < 3; i++) {
		/* OBJECT is 0, and no field is one */
		if (kinds[type][i] != KR_SCHEMA_OBJECT &&
		    kinds[type][i] == kr_schema_kind(schema))
			return true;
	}
	return false;
}

static bool fits_flag(const struct kr_field *f, const struct kr_flag *flag)
{
	static const enum kr_flag_type types[_KR_TYPE_MAX][4] = {
		[KR_TYPE_BOOL] = {KR_FLAG_BOOL},
		[KR_TYPE_INT32] = {KR_FLAG_INT32, KR_FLAG_LEVEL},
		[KR_TYPE_INT64] = {KR_FLAG_INT64, KR_FLAG_LEVEL},
		[KR_TYPE_DURATION] = {KR_FLAG_DURATION},
		[KR_TYPE_STRING] = {KR_FLAG_STRING, KR_FLAG_IP},
		[KR_TYPE_FLOAT] = {KR_FLAG_FLOAT},
		[KR_TYPE_LIST] = {KR_FLAG_CSV},
		[KR_TYPE_TREE] = {KR_FLAG_EQUAL_MAP, KR_FLAG_LESS_MAP,
	                          KR_FLAG_STRING},
	};

	if (!flag)
		return false;
	if (f->combine == KR_COMBINE_GATE)
		return flag->type == KR_FLAG_BOOL_MAP;
	/* STRING is 0, and also what is not said: strings and maps alone have
	 * it */
	for (size_t i = 0; i < 4; i++) {
		if (types[f->type][i] == flag->type &&
		    (flag->type != KR_FLAG_STRING ||
		     f->type == KR_TYPE_STRING || f->type == KR_TYPE_TREE))
			return true;
	}
	return false;
}

START_TEST(test_row)
{
	const struct kr_field *f = kr_field(_i);
	_cleanup_value_ struct kr_value v = {0};

	ck_assert_msg(f->path || f->flag, "%d: no name", _i);
	if (f->path)
		ck_assert_msg(fits_schema(f->type, schema_of(f->path)),
		              "%s: the schema has another type", f->path);
	if (f->flag)
		ck_assert_msg(
			fits_flag(f, kr_flag_find(f->flag, strlen(f->flag))),
			"--%s: the table of flags has another type", f->flag);
	ck_assert_msg(!f->since == !f->before, "%s", kr_field_name(_i));
	if (f->by_default)
		ck_assert_int_eq(kr_field_default(_i, false, 0, &v), 0);
}
END_TEST

START_TEST(test_settings)
{
	for (int i = 0; i < KR_N_SETTINGS; i++)
		ck_assert_ptr_nonnull(kr_field(i)->by_default);
}
END_TEST

/* Names from the top on, with blanks between, and the field that is there. */
static const struct {
	const char *names;
	bool fold, go_names;
	int want; /* -1: none */
} steps[] = {
	{"readOnlyPort", false, false, KR_FIELD_READ_ONLY_PORT},
	{"readonlyport", false, false, -1},
	{"readonlyport", true, false, KR_FIELD_READ_ONLY_PORT},
	/* a first letter beyond ASCII, which folds into it */
	{"\xc5\xbf"
         "eccompdefault",
         true, false, KR_FIELD_SECCOMP_DEFAULT},
	{"\xc5\xbf"
         "eccompdefault",
         false, false, -1},
	{"", true, false, -1},
	{"ReadOnlyPort", false, true, KR_FIELD_READ_ONLY_PORT},
	{"readOnlyPort", false, true, -1},
	{"MakeIPTablesUtilChains", false, true, KR_FIELD_IPTABLES},
	{"IPTablesDropBit", false, true, KR_FIELD_DROP_BIT},
	{"TLSCertFile", false, true, KR_FIELD_TLS_CERT},
	{"OOMScoreAdj", false, true, KR_FIELD_OOM_SCORE_ADJ},
	{"ServerTLSBootstrap", false, true, KR_FIELD_SERVER_BOOTSTRAP},
	{"authentication", false, false, -1},
	{"authentication anonymous", false, false, -1},
	{"authentication anonymous enabled", false, false, KR_FIELD_ANONYMOUS},
	{"authentication webhook enabled", false, false, KR_FIELD_WEBHOOK},
	{"authentication webhook enable", false, false, -1},
	{"authentication x509 clientCAFile", false, false, KR_FIELD_CLIENT_CA},
	{"authentication enabled", false, false, -1},
	{"anonymous enabled", false, false, -1},
	{"Authentication Anonymous Enabled", false, true, KR_FIELD_ANONYMOUS},
	{"AUTHENTICATION ANONYMOUS ENABLED", true, false, KR_FIELD_ANONYMOUS},
	{"featureGates RotateKubeletServerCertificate", false, false,
         KR_FIELD_GATE_ROTATE_SERVER},
	{"featuregates RotateKubeletServerCertificate", true, false,
         KR_FIELD_GATE_ROTATE_SERVER},
	/* a map's keys keep their case */
	{"featureGates rotatekubeletservercertificate", true, false, -1},
	{"FeatureGates AllBeta", false, true, KR_FIELD_GATE_ALL_BETA},
	{"readOnlyPort x", false, false, -1},
	{"featureGates", false, false, KR_FIELD_GATES},
	{"", false, false, -1},
};

START_TEST(test_step)
{
	struct kr_field_place place = {0};
	const char *name = steps[_i].names;
	int field = -1;

	for (;;) {
		size_t length = strcspn(name, " ");

		place = kr_field_step(place, name, length, steps[_i].fold,
		                      steps[_i].go_names, &field);
		if (!name[length])
			break;
		name += length + 1;
	}
	ck_assert_msg(field == steps[_i].want, "%s: %d", steps[_i].names,
	              field);
}
END_TEST

START_TEST(test_defaults)
{
	static const struct {
		int field;
		bool legacy;
		unsigned minor;
		const char *want;
	} rows[] = {
		{KR_FIELD_READ_ONLY_PORT, false, 34, "0"},
		{KR_FIELD_READ_ONLY_PORT, true, 34, "10255"},
		{KR_FIELD_EVENT_QPS, false, 26, "5"},
		{KR_FIELD_EVENT_QPS, false, 27, "50"},
		{KR_FIELD_EVENT_QPS, true, 26, "5"},
		{KR_FIELD_EVENT_QPS, false, 0, "50"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_value_ struct kr_value v = {0};
		_cleanup_free_ char *text = NULL;

		ck_assert_int_eq(kr_field_default(rows[i].field, rows[i].legacy,
		                                  rows[i].minor, &v),
		                 0);
		ck_assert_int_eq(kr_value_format(&v, &text), 0);
		ck_assert_str_eq(text, rows[i].want);
	}
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "field", NULL, NULL);

	tcase_add_loop_test(tc, test_row, 0, KR_N_FIELDS);
	tcase_add_test(tc, test_settings);
	tcase_add_loop_test(tc, test_step, 0, ARRAY_SIZE(steps));
	tcase_add_test(tc, test_defaults);
}

KR_TEST_MAIN(add_tests);
