/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet/dropins: the merge, and what kubelet's own libraries made of the same
 * files (cases/kubelet-dropins.jsonl).
 */

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "kubelet/dropins.h"
#include "testing-cases.h"
#include "testing.h"

#define GVK                                                                    \
	"\"kind\":\"KubeletConfiguration\",\"apiVersion\":"                    \
	"\"kubelet.config.k8s.io/v1beta1\""
#define YAML                                                                   \
	"apiVersion: kubelet.config.k8s.io/v1beta1\n"                          \
	"kind: KubeletConfiguration\n"
#define OURS "\"makeIPTablesUtilChains\":"

struct row {
	const char *name;
	const char *files[4]; /* [0]: --config, NULL: none */
	enum kr_state want;
	int file, use;
	const char *error; /* part of a message where INVALID */
};

static const struct row rows[] = {
	{"nothing at all", {NULL}, KR_STATE_ABSENT, -1, -1, NULL},
	{"the base alone",
         {"{" GVK "," OURS "false}"},
         KR_STATE_FALSE,
         0,
         0,
         NULL},
	{"the base alone says nothing",
         {"{" GVK "}"},
         KR_STATE_ABSENT,
         -1,
         -1,
         NULL},
	{"the base alone says null",
         {"{" GVK "," OURS "null}"},
         KR_STATE_ABSENT,
         -1,
         -1,
         NULL},
	{"a drop-in without the key",
         {"{" GVK "," OURS "false}", "{" GVK "}"},
         KR_STATE_FALSE,
         0,
         0,
         NULL},
	{"the last drop-in wins",
         {"{" GVK "," OURS "true}", "{" GVK "," OURS "true}",
          YAML "makeIPTablesUtilChains: off\n"},
         KR_STATE_FALSE,
         2,
         0,
         NULL},
	{"no base",
         {NULL, "{" GVK "," OURS "false}"},
         KR_STATE_FALSE,
         0,
         0,
         NULL},
	{"null takes it away",
         {"{" GVK "," OURS "false}", "{" GVK "," OURS "null}"},
         KR_STATE_ABSENT,
         -1,
         -1,
         NULL},
	{"null, then false again",
         {"{" GVK "}", "{" GVK "," OURS "null}", "{" GVK "," OURS "false}"},
         KR_STATE_FALSE,
         2,
         0,
         NULL},
	{"a later name in another case wins over a later file",
         {"{" GVK "}", "{" GVK ",\"makeiptablesutilchains\":false}",
          "{" GVK "," OURS "true}"},
         KR_STATE_FALSE,
         1,
         0,
         NULL},
	{"an earlier name in another case loses",
         {"{" GVK "," OURS "false}",
          "{" GVK ",\"MAKEIPTABLESUTILCHAINS\":true}"},
         KR_STATE_FALSE,
         0,
         0,
         NULL},
	{"an earlier name wins where null took the right one away",
         {"{" GVK "," OURS "true}",
          "{" GVK "," OURS "null,\"MakeIPTablesUtilChains\":false}"},
         KR_STATE_FALSE,
         1,
         1,
         NULL},
	{"the base's own case counts for nothing",
         {"{" GVK ",\"makeiptablesutilchains\":false}", "{" GVK "}"},
         KR_STATE_ABSENT,
         -1,
         -1,
         NULL},
	{"a wrong type that a later file mends",
         {"{" GVK "}", "{" GVK "," OURS "\"x\"}", "{" GVK "," OURS "false}"},
         KR_STATE_FALSE,
         2,
         0,
         NULL},
	{"a wrong type of another field that a later file mends",
         {"{" GVK "}", "{" GVK "," OURS "false,\"maxPods\":\"x\"}",
          "{" GVK ",\"maxPods\":1}"},
         KR_STATE_FALSE,
         1,
         0,
         NULL},
	{"a wrong type deep in an object that null takes away",
         {"{" GVK "}",
          "{" GVK "," OURS "false,\"authentication\":{\"x509\":{"
          "\"clientCAFile\":5}}}",
          "{" GVK ",\"authentication\":{\"x509\":null}}"},
         KR_STATE_FALSE,
         1,
         0,
         NULL},
	{"a duration's null is taken away",
         {"{" GVK "}", "{" GVK ",\"syncFrequency\":null}"},
         KR_STATE_ABSENT,
         -1,
         -1,
         NULL},
	{"the internal version, a drop-in over its false",
         {"{\"kind\":\"KubeletConfiguration\",\"apiVersion\":"
          "\"kubelet.config.k8s.io/__internal\"}",
          "{" GVK "}"},
         KR_STATE_FALSE,
         -1,
         -1,
         NULL},

	{"a wrong type survives",
         {"{" GVK "}", "{" GVK "," OURS "false}", "{" GVK "," OURS "\"x\"}"},
         KR_STATE_INVALID,
         2,
         0,
         "true or false"},
	{"a wrong type under another case's name",
         {"{" GVK "}", "{" GVK ",\"MakeIPTablesUtilChains\":1}"},
         KR_STATE_INVALID,
         1,
         0,
         "true or false"},
	{"a wrong type of another field",
         {"{" GVK "}", "{" GVK "," OURS "false,\"maxPods\":\"x\"}"},
         KR_STATE_INVALID,
         1,
         -1,
         "maxPods"},
	{"another field in another case",
         {"{" GVK "}", "{" GVK ",\"MAXPODS\":\"x\"}"},
         KR_STATE_INVALID,
         1,
         -1,
         "MAXPODS"},
	{"a name twice",
         {"{" GVK "}", "{" GVK ",\"x\":{\"a\":1,\"b\":2,\"\\u0061\":3}}"},
         KR_STATE_INVALID,
         1,
         -1,
         "twice"},
	{"a name twice in the base is none of that",
         {"{" GVK "," OURS "true," OURS "false}", "{" GVK "}"},
         KR_STATE_FALSE,
         0,
         1,
         NULL},
	{"broken",
         {"{" GVK "}", "{" GVK, "{" GVK "}"},
         KR_STATE_INVALID,
         1,
         -1,
         "to close"},
	{"empty",
         {"{" GVK "}", "{" GVK "}", ""},
         KR_STATE_INVALID,
         2,
         -1,
         "empty"},
	{"another kind",
         {"{" GVK "}", "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}"},
         KR_STATE_INVALID,
         1,
         -1,
         "kind"},
	{"kind in another case",
         {"{" GVK "}", "{\"Kind\":\"KubeletConfiguration\",\"apiVersion\":"
                       "\"kubelet.config.k8s.io/v1beta1\"}"},
         KR_STATE_INVALID,
         1,
         -1,
         "kind"},
	{"the internal version in a drop-in",
         {"{" GVK "}", "{\"kind\":\"KubeletConfiguration\",\"apiVersion\":"
                       "\"kubelet.config.k8s.io/__internal\"}"},
         KR_STATE_INVALID,
         1,
         -1,
         "apiVersion"},
	{"a broken base",
         {"{", "{" GVK "," OURS "true}"},
         KR_STATE_INVALID,
         0,
         -1,
         "to close"},
	{"a base of a wrong type is mended by no drop-in",
         {"{" GVK "," OURS "\"x\"}", "{" GVK "," OURS "true}"},
         KR_STATE_INVALID,
         0,
         0,
         "true or false"},
};

/* What the merge makes of our key. */
static struct kr_merged_value find(const struct kr_merged *merged)
{
	struct kr_merged_value found;

	kr_merged_find(merged, KR_FIELD_IPTABLES, &found);
	return found;
}

/* The index of USE among those of our key in its file; -1: none. */
static int use_index(const struct kr_merged *merged,
                     const struct kr_merged_value *found)
{
	const struct kr_config_use *use;
	size_t at = 0;

	for (int i = 0; found->use; i++) {
		use = kr_config_next(merged->configs[found->file],
		                     KR_FIELD_IPTABLES, &at);
		if (use == found->use)
			return i;
	}
	return -1;
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	const struct kr_file *files[4];
	_cleanup_merged_ struct kr_merged merged = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	struct kr_merged_value found;
	size_t n = 0;

	for (size_t i = 0; i < 4; i++) {
		char path[16];

		if (!row->files[i])
			continue;
		snprintf(path, sizeof(path), "/%zu", i);
		files[n++] = kr_test_file(path, row->files[i],
		                          strlen(row->files[i]));
	}
	ck_assert_int_eq(
		kr_merge_parse(files, n, !row->files[0], 0, &diag, &merged), 0);
	found = find(&merged);
	ck_assert_msg(found.state == row->want && found.file == row->file &&
	                      use_index(&merged, &found) == row->use,
	              "%s: state %d, file %d, use %d%s", row->name, found.state,
	              found.file, use_index(&merged, &found),
	              kr_test_messages(&diag));
	if (row->error)
		ck_assert_msg(kr_diag_first(&diag, KR_ERROR) &&
		                      strstr(diag.messages[0].text, row->error),
		              "%s:%s", row->name, kr_test_messages(&diag));
	else
		ck_assert_msg(!kr_diag_first(&diag, KR_ERROR), "%s:%s",
		              row->name, kr_test_messages(&diag));
}
END_TEST

static int64_t number(const struct kr_merged *merged, int field)
{
	const struct kr_value *v = kr_merged_value(merged, field);

	ck_assert_ptr_nonnull(v);
	return v->n;
}

START_TEST(test_others)
{
	static const char base[] =
		"{" GVK ",\"healthzPort\":1,\"healthzBindAddress\":\"::1\","
		"\"iptablesDropBit\":3}";
	static const char dropin[] =
		"{" GVK ",\"healthzport\":0,\"healthzBindAddress\":null,"
		"\"IPTABLESMASQUERADEBIT\":5}";
	const struct kr_file *files[] = {
		kr_test_file("/b", base, strlen(base)),
		kr_test_file("/d", dropin, strlen(dropin)),
	};
	_cleanup_merged_ struct kr_merged merged = {0}, alone = {0};

	ck_assert_int_eq(kr_merge_parse(files, 2, false, 0, NULL, &merged), 0);
	ck_assert_int_eq(number(&merged, KR_FIELD_HEALTHZ_PORT), 0);
	ck_assert_ptr_null(kr_merged_value(&merged, KR_FIELD_HEALTHZ_ADDRESS));
	ck_assert_int_eq(number(&merged, KR_FIELD_DROP_BIT), 3);
	ck_assert_ptr_null(kr_merged_value(&merged, KR_FIELD_MASQUERADE_BIT));
	ck_assert_int_eq(kr_merge_parse(files, 1, false, 0, NULL, &alone), 0);
	ck_assert_int_eq(number(&alone, KR_FIELD_HEALTHZ_PORT), 1);
	ck_assert_str_eq(kr_merged_value(&alone, KR_FIELD_HEALTHZ_ADDRESS)->s,
	                 "::1");
	ck_assert_int_eq(number(&alone, KR_FIELD_DROP_BIT), 3);
}
END_TEST

static const struct {
	const char *name;
	bool read;
} names[] = {
	{"10-a.conf", true},  {".conf", true},       {".10-a.conf", true},
	{"10-a..conf", true}, {"a.b.conf", true},    {"conf", false},
	{"10-a.CONF", false}, {"a.conf.bak", false}, {"a.conf~", false},
	{"a.yaml", false},    {"aconf", false},      {"", false},
	{"a.conf ", false},
};

START_TEST(test_names)
{
	ck_assert_msg(kr_dropin_name(names[_i].name) == names[_i].read, "'%s'",
	              names[_i].name);
}
END_TEST

/* --- the measured cases --------------------------------------------------- */

/* Paths in the order of a walk: by folder, a "/" ends a name. */
static int compare_paths(const void *a, const void *b)
{
	const char *x = (*(const cJSON *const *)a)->string;
	const char *y = (*(const cJSON *const *)b)->string;

	while (*x && *x == *y) {
		x++;
		y++;
	}
	if (*x == '/' || *y == '/')
		return *x == '/' ? (*y ? -1 : 1) : (*x ? 1 : -1);
	return (unsigned char)*x - (unsigned char)*y;
}

static size_t walk(const cJSON *row, const cJSON **items)
{
	const cJSON *item;
	size_t n = 0;

	cJSON_ArrayForEach(item,
	                   cJSON_GetObjectItemCaseSensitive(row, "dropins"))
	{
		const char *slash = strrchr(item->string, '/');

		if (kr_dropin_name(slash ? slash + 1 : item->string))
			items[n++] = item;
	}
	qsort(items, n, sizeof(const cJSON *), compare_paths);
	return n;
}

/* "1.31": 31; the newest where the case names none. */
static unsigned minor_of(const cJSON *row)
{
	const char *version = kr_case_text(row, "kubelet");

	return version ? (unsigned)strtoul(version + 2, NULL, 10) : 0;
}

static void check_case(const struct kr_case *c)
{
	const cJSON *row = c->object;
	const char *base = kr_case_text(row, "config");
	enum kr_state want = kr_case_effective(c);
	_cleanup_merged_ struct kr_merged merged = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_flags_ struct kr_flags flags = {0};
	const struct kr_file *files[16];
	const cJSON *items[16];
	size_t n = 0, n_items = walk(row, items);
	const char *dir;
	enum kr_state got, state;

	kr_case_flags(c, &flags);
	dir = kr_flags_text(&flags, KR_FIELD_CONFIG_DIR);
	state = kr_flags_state(&flags, KR_FIELD_IPTABLES);
	if (kr_flags_text(&flags, KR_FIELD_CONFIG) && base)
		files[n++] = kr_test_file("/config", base, strlen(base));
	for (size_t i = 0; i < n_items && dir; i++) {
		const char *text = cJSON_GetStringValue(items[i])
		                           ?: kr_case_text(items[i], "text");

		/* what a link leads to is the walker's to know */
		if (cJSON_GetObjectItem(items[i], "symlinkdir") ||
		    strstr(dir, "DIRLINK"))
			return;
		files[n++] = kr_test_file(items[i]->string, text, strlen(text));
	}
	ck_assert_int_eq(
		kr_merge_parse(files, n, !base, minor_of(row), &diag, &merged),
		0);
	got = find(&merged).state;
	if (got == KR_STATE_ABSENT)
		got = KR_STATE_TRUE;
	if (got != KR_STATE_INVALID && state != KR_STATE_ABSENT)
		got = state;
	ck_assert_msg(got == want, "%s: kubelet %d (%s), here %d%s",
	              kr_case_text(row, "id"), want,
	              kr_case_text(row, "error") ?: "", got,
	              kr_test_messages(&diag));
	ck_assert_msg((merged.fault == KR_STATE_INVALID) ==
	                      !!kr_diag_first(&diag, KR_ERROR),
	              "%s: an error for INVALID, only then%s",
	              kr_case_text(row, "id"), kr_test_messages(&diag));
}

START_TEST(test_case)
{
	check_case(&kr_cases[_i]);
}
END_TEST

/* What 1.31 and 1.34 make of the same files. */
START_TEST(test_versions)
{
	kr_cases_load("kubelet-dropins-versions.jsonl");
	ck_assert_uint_gt(kr_n_cases, 900);
	for (size_t i = 0; i < kr_n_cases; i++)
		check_case(&kr_cases[i]);
}
END_TEST

#define T       KR_STATE_TRUE
#define F       KR_STATE_FALSE
#define A       KR_STATE_ABSENT
#define I       KR_STATE_INVALID
#define BASE    "{" GVK "}"
#define FALSE_  "{" GVK "," OURS "false}"
#define TRUE_   "{" GVK "," OURS "true}"
#define NULL_   "{" GVK "," OURS "null}"
#define GO(v)   "{" GVK ",\"MakeIPTablesUtilChains\":" v "}"
#define LOW(v)  "{" GVK ",\"makeiptablesutilchains\":" v "}"
#define KIND(k) "{\"kind\":" k "," OURS "false}"

/* Files, and what 1.28, 1.29 to 1.31, and 1.32 and later make of them. */
static const struct version_row {
	const char *name;
	const char *files[4]; /* [0] is --config, NULL: there is none */
	enum kr_state structs, go_names, file_names;
	int file; /* the one that decides in 1.29 to 1.31 */
} version_rows[] = {
	{"nothing", {BASE, BASE}, A, A, A, -1},
	{"false over true", {TRUE_, FALSE_}, T, F, F, 1},
	{"false over nothing", {BASE, FALSE_}, A, F, F, 1},
	{"false without a base", {NULL, FALSE_}, A, F, F, 0},
	{"true over false", {FALSE_, TRUE_}, T, T, T, 1},
	{"nothing over false", {FALSE_, BASE}, A, F, F, 0},
	{"false over false", {FALSE_, FALSE_}, F, F, F, 1},
	{"null over false", {FALSE_, NULL_}, A, F, A, 0},
	{"null over false over true", {TRUE_, FALSE_, NULL_}, T, T, A, 0},
	{"null over true over false", {FALSE_, TRUE_, NULL_}, T, F, A, 0},
	{"null under false", {FALSE_, NULL_, FALSE_}, A, F, F, 2},
	{"Go's name false over false", {FALSE_, GO("false")}, A, F, F, 1},
	{"Go's name false over true", {TRUE_, GO("false")}, T, F, T, 1},
	{"Go's name true over false", {FALSE_, GO("true")}, A, T, F, 1},
	{"Go's name false over nothing", {BASE, GO("false")}, A, F, A, 1},
	{"Go's name null over false", {FALSE_, GO("null")}, A, F, F, 0},
	{"Go's name null, then another null",
         {FALSE_, GO("null"), LOW("null")},
         A,
         F,
         F,
         0},
	{"Go's name and the file's", {FALSE_, GO("false"), TRUE_}, T, T, T, 2},
	{"lower case false over true", {TRUE_, LOW("false")}, T, F, F, 1},
	{"lower case false, then true",
         {TRUE_, LOW("false"), TRUE_},
         T,
         F,
         F,
         1},
	{"Go's name of a wrong type", {BASE, GO("1")}, A, I, I, 1},
	{"null takes a wrong type away",
         {BASE, "{" GVK "," OURS "\"x\"}", NULL_},
         I,
         A,
         A,
         -1},
	{"another kind", {BASE, KIND("\"Pod\"")}, I, F, I, 1},
	{"no apiVersion", {BASE, KIND("\"KubeletConfiguration\"")}, I, F, I, 1},
	{"an empty kind", {BASE, KIND("\"\"")}, I, I, I, 1},
	{"null for a kind", {BASE, KIND("null")}, I, I, I, 1},
	{"a number for a kind", {BASE, KIND("5")}, I, I, I, 1},
	{"no kind", {BASE, "{" OURS "true}"}, I, I, I, 1},
	{"another version",
         {FALSE_, "{\"kind\":\"KubeletConfiguration\",\"apiVersion\":"
                  "\"kubelet.config.k8s.io/v1alpha1\"}"},
         I,
         F,
         I,
         0},
	{"the internal version in a drop-in",
         {FALSE_, "{\"kind\":\"KubeletConfiguration\",\"apiVersion\":"
                  "\"kubelet.config.k8s.io/__internal\"," OURS "true}"},
         F,
         T,
         I,
         1},
	{"a broken drop-in", {BASE, "{"}, I, I, I, 1},
};

START_TEST(test_by_version)
{
	static const struct {
		unsigned minor;
		enum kr_merge merge;
	} minors[] = {
		{28, KR_MERGE_STRUCTS},    {29, KR_MERGE_GO_NAMES},
		{30, KR_MERGE_GO_NAMES},   {31, KR_MERGE_GO_NAMES},
		{32, KR_MERGE_FILE_NAMES}, {37, KR_MERGE_FILE_NAMES},
		{0, KR_MERGE_FILE_NAMES},
	};
	const struct version_row *row = &version_rows[_i];
	const enum kr_state want[] = {row->file_names, row->go_names,
	                              row->structs};
	const struct kr_file *files[4];
	size_t n = 0;

	for (size_t i = 0; i < 4; i++) {
		if (row->files[i])
			files[n++] = kr_test_file("/f", row->files[i],
			                          strlen(row->files[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(minors); i++) {
		_cleanup_merged_ struct kr_merged m = {0};
		struct kr_merged_value found;

		ck_assert_int_eq(kr_merge_of(minors[i].minor), minors[i].merge);
		ck_assert_int_eq(kr_merge_parse(files, n, !row->files[0],
		                                minors[i].minor, NULL, &m),
		                 0);
		found = find(&m);
		ck_assert_msg(found.state == want[minors[i].merge],
		              "%s, 1.%u: state %d", row->name, minors[i].minor,
		              found.state);
		ck_assert_msg(minors[i].merge != KR_MERGE_GO_NAMES ||
		                      found.file == row->file,
		              "%s, 1.%u: file %d", row->name, minors[i].minor,
		              found.file);
	}
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "merge", NULL, NULL);

	kr_cases_load("kubelet-dropins.jsonl");
	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_names, 0, ARRAY_SIZE(names));
	tcase_add_test(tc, test_others);
	tcase_add_loop_test(tc, test_case, 0, (int)kr_n_cases);
	tcase_add_test(tc, test_versions);
	tcase_add_loop_test(tc, test_by_version, 0, ARRAY_SIZE(version_rows));
}

KR_TEST_MAIN(add_tests);
