/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The library as its users have it: this program includes the public header and
 * nothing of src/, links the library alone, and looks at the example nodes.
 *
 * On every node it checks what the header promises of any: a source's text is
 * the file's bytes at its offset, its line and column lead there, at most one
 * source wins, and the edits applied by hand give the content that is promised.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include <kubelet-remedy/kubelet-remedy.h>

#define ARGS_CONF "/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf"
#define CIS_JSON  "/etc/kubernetes/kubelet/kubelet-config.json"

static const struct {
	const char *name; /* of the node */
	bool explicit_wanted;
	enum kr_remedy_verdict verdict;
	enum kr_remedy_state disk;
	/* of the source that wins; NULL: the default, or none */
	const char *file;
	unsigned line, column;
	const char *text;
	enum kr_remedy_method method; /* of the plan, asked for AUTO */
	int plan;                     /* what planning returns */
	size_t n_files;
} rows[] = {
	{.name = "cis-text-flag-false-file-true",
         .verdict = KR_REMEDY_FAIL,
         .disk = KR_REMEDY_STATE_FALSE,
         .file = ARGS_CONF,
         .line = 2,
         .column = 48,
         .text = "--make-iptables-util-chains=false",
         .method = KR_REMEDY_CONFIG,
         .n_files = 1},
	{.name = "cis-text-config-false",
         .verdict = KR_REMEDY_FAIL,
         .disk = KR_REMEDY_STATE_FALSE,
         .file = CIS_JSON,
         .line = 9,
         .column = 29,
         .text = "false",
         .method = KR_REMEDY_CONFIG,
         .n_files = 1},
	{.name = "cis-text-colon-typo",
         .verdict = KR_REMEDY_INVALID,
         .disk = KR_REMEDY_STATE_INVALID,
         .file = ARGS_CONF,
         .line = 2,
         .column = 48,
         .text = "--make-iptables-util-chains:true",
         .method = KR_REMEDY_CONFIG,
         .n_files = 1},
	{.name = "json-string-bool",
         .verdict = KR_REMEDY_INVALID,
         .disk = KR_REMEDY_STATE_INVALID,
         .file = CIS_JSON,
         .line = 9,
         .column = 29,
         .text = "\"true\"",
         .method = KR_REMEDY_CONFIG,
         .n_files = 1},
	{.name = "aks-ubuntu2204-flag-false",
         .verdict = KR_REMEDY_FAIL,
         .disk = KR_REMEDY_STATE_FALSE,
         .file = "/etc/default/kubelet",
         .line = 1,
         .column = 584,
         .text = "--make-iptables-util-chains=false",
         .method = KR_REMEDY_FLAG,
         .n_files = 1},
	{.name = "eks-al2023-cis-literal-no-effect",
         .verdict = KR_REMEDY_FAIL,
         .disk = KR_REMEDY_STATE_FALSE,
         .file = "/etc/eks/kubelet/environment",
         .line = 1,
         .column = 444,
         .text = "--make-iptables-util-chains=false",
         .method = KR_REMEDY_CONFIG,
         .n_files = 2},
	{.name = "eks-al2023-nodeadm-dropin",
         .verdict = KR_REMEDY_FAIL,
         .disk = KR_REMEDY_STATE_FALSE,
         .file = "/etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf",
         .line = 4,
         .column = 31,
         .text = "false",
         .method = KR_REMEDY_CONFIG,
         .n_files = 1},
	{.name = "kubespray-flag-multiline-env",
         .verdict = KR_REMEDY_FAIL,
         .disk = KR_REMEDY_STATE_FALSE,
         .file = "/etc/kubernetes/kubelet.env",
         .line = 9,
         .column = 2,
         .text = "--make-iptables-util-chains=false",
         .method = KR_REMEDY_CONFIG,
         .n_files = 1},
	{.name = "kubeadm-bare-bool-flag",
         .verdict = KR_REMEDY_PASS,
         .disk = KR_REMEDY_STATE_TRUE,
         .file = "/etc/default/kubelet",
         .line = 1,
         .column = 21,
         .text = "--make-iptables-util-chains",
         .method = KR_REMEDY_CONFIG},
	{.name = "bottlerocket",
         .verdict = KR_REMEDY_PASS,
         .disk = KR_REMEDY_STATE_TRUE,
         .method = KR_REMEDY_CONFIG},
	{.name = "eks-al2-flag-absent",
         .explicit_wanted = true,
         .verdict = KR_REMEDY_FAIL,
         .disk = KR_REMEDY_STATE_TRUE,
         .method = KR_REMEDY_CONFIG,
         .n_files = 1},
	{.name = "no-kubelet-yet",
         .verdict = KR_REMEDY_UNKNOWN,
         .disk = KR_REMEDY_STATE_UNKNOWN,
         .plan = -ENOENT},
	{.name = "flatcar-typhoon-docker",
         .verdict = KR_REMEDY_UNKNOWN,
         .disk = KR_REMEDY_STATE_UNKNOWN,
         .plan = -EOPNOTSUPP},
	{.name = "talos",
         .verdict = KR_REMEDY_UNKNOWN,
         .disk = KR_REMEDY_STATE_UNKNOWN,
         .plan = -EOPNOTSUPP},
};

static char root[4096];

static struct kr_remedy *new_of(const char *name, bool explicit_wanted)
{
	const struct kr_remedy_options options = {
		.root = root,
		.explicit_wanted = explicit_wanted,
	};
	struct kr_remedy *remedy = NULL;

	snprintf(root, sizeof(root), "%s/%s", getenv("NODES"), name);
	ck_assert_msg(kr_remedy_new(&options, &remedy) == 0, "%s", name);
	return remedy;
}

/* The node's file, which the caller frees. */
static char *slurp(const char *path, size_t *ret_size)
{
	char full[8192], *data = calloc(1, 1 << 20);
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	file = fopen(full, "rb");
	ck_assert_msg(data && file, "%s", full);
	*ret_size = fread(data, 1, (1 << 20) - 1, file);
	fclose(file);
	return data;
}

/* --- what holds of any node ---------------------------------------------- */

static void check_place(const char *name, const struct kr_remedy_source *s)
{
	unsigned line = 1, column = 1;
	size_t size;
	char *data = slurp(s->file, &size);

	ck_assert_msg(s->offset + s->length <= size, "%s: %s", name, s->file);
	ck_assert_msg(memcmp(data + s->offset, s->text, s->length) == 0,
	              "%s: %s: other bytes at %zu", name, s->file, s->offset);
	for (size_t i = 0; i < s->offset; i++) {
		column = data[i] == '\n' ? 1 : column + 1;
		line += data[i] == '\n';
	}
	ck_assert_msg(s->line == line && s->column == column,
	              "%s: %s:%u:%u, not %u:%u", name, s->file, s->line,
	              s->column, line, column);
	free(data);
}

static void check_sources(const char *name, const struct kr_remedy *remedy,
                          struct kr_remedy_source *ret_winner)
{
	struct kr_remedy_source s;
	size_t n = kr_remedy_n_sources(remedy), n_winners = 0;

	ck_assert_msg(n >= 1, "%s", name);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(kr_remedy_source(remedy, i, &s), 0);
		if (s.file)
			check_place(name, &s);
		if (s.wins)
			*ret_winner = s;
		n_winners += s.wins;
	}
	ck_assert_msg(n_winners <= 1, "%s: %zu win", name, n_winners);
	ck_assert_int_eq(kr_remedy_source(remedy, n, &s), -ERANGE);
}

static void check_messages(const struct kr_remedy *remedy)
{
	size_t n = kr_remedy_n_messages(remedy);
	struct kr_remedy_message m;

	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(kr_remedy_message(remedy, i, &m), 0);
		ck_assert_ptr_nonnull(m.code);
		ck_assert_ptr_nonnull(m.text);
	}
	ck_assert_int_eq(kr_remedy_message(remedy, n, &m), -ERANGE);
}

static void check_file(const char *name, const struct kr_remedy_plan *plan,
                       size_t i)
{
	struct kr_remedy_file file;
	struct kr_remedy_edit edit;
	size_t size, at = 0, out = 0;
	char *data;

	ck_assert_int_eq(kr_remedy_plan_file(plan, i, &file), 0);
	ck_assert_msg(!file.is_new, "%s: %s", name, file.path);
	ck_assert_msg(file.n_edits > 0, "%s: %s", name, file.path);
	ck_assert_int_eq(kr_remedy_plan_edit(plan, i, file.n_edits, &edit),
	                 -ERANGE);
	data = slurp(file.path, &size);
	for (size_t k = 0; k < file.n_edits; k++) {
		ck_assert_int_eq(kr_remedy_plan_edit(plan, i, k, &edit), 0);
		ck_assert_msg(edit.offset >= at, "%s: out of order", name);
		ck_assert_mem_eq(file.content + out, data + at,
		                 edit.offset - at);
		out += edit.offset - at;
		ck_assert_mem_eq(file.content + out, edit.text,
		                 strlen(edit.text));
		out += strlen(edit.text);
		at = edit.offset + edit.length;
	}
	ck_assert_msg(file.content_size == out + size - at, "%s: %s: size",
	              name, file.path);
	ck_assert_mem_eq(file.content + out, data + at, size - at);
	free(data);
}

static bool has_error(const struct kr_remedy *remedy)
{
	struct kr_remedy_message m;

	for (size_t i = 0; kr_remedy_message(remedy, i, &m) == 0; i++) {
		if (m.severity == KR_REMEDY_ERROR)
			return true;
	}
	return false;
}

/* --- each row ------------------------------------------------------------ */

START_TEST(test_audit)
{
	const char *name = rows[_i].name, *reason = NULL;
	struct kr_remedy *remedy = new_of(name, rows[_i].explicit_wanted);
	struct kr_remedy_source winner = {0};
	size_t length = rows[_i].text ? strlen(rows[_i].text) : 0;

	check_sources(name, remedy, &winner);
	check_messages(remedy);
	ck_assert_msg(kr_remedy_verdict(remedy) == rows[_i].verdict, "%s: %s",
	              name, kr_remedy_reason(remedy));
	ck_assert_msg(kr_remedy_view(remedy, KR_REMEDY_DISK, &reason) ==
	                      rows[_i].disk,
	              "%s: %s", name, reason);
	ck_assert_ptr_nonnull(reason);
	ck_assert_msg(kr_remedy_view(remedy, KR_REMEDY_RUNNING, NULL) ==
	                      KR_REMEDY_STATE_ABSENT,
	              "%s", name);
	ck_assert_int_eq(kr_remedy_pid(remedy), 0);
	ck_assert_msg(!winner.file == !rows[_i].file, "%s: %s", name,
	              winner.file);
	if (winner.file) {
		ck_assert_str_eq(winner.file, rows[_i].file);
		ck_assert_msg(winner.line == rows[_i].line &&
		                      winner.column == rows[_i].column,
		              "%s: %u:%u", name, winner.line, winner.column);
		ck_assert_uint_eq(winner.length, length);
		ck_assert_mem_eq(winner.text, rows[_i].text, length);
	}
	ck_assert_ptr_null(kr_remedy_free(remedy));
}
END_TEST

START_TEST(test_plan)
{
	const char *name = rows[_i].name;
	struct kr_remedy *remedy = new_of(name, rows[_i].explicit_wanted);
	struct kr_remedy_plan *plan = NULL;
	struct kr_remedy_file file;
	int r = kr_remedy_plan_new(remedy, KR_REMEDY_AUTO, &plan);

	ck_assert_msg(r == rows[_i].plan, "%s: %d", name, r);
	if (r < 0) {
		ck_assert_ptr_null(plan);
		ck_assert_msg(r == -ENOENT || has_error(remedy), "%s", name);
		kr_remedy_free(remedy);
		return;
	}
	ck_assert_msg(kr_remedy_plan_method(plan) == rows[_i].method, "%s",
	              name);
	ck_assert_msg(kr_remedy_plan_n_files(plan) == rows[_i].n_files,
	              "%s: %zu", name, kr_remedy_plan_n_files(plan));
	for (size_t i = 0; i < kr_remedy_plan_n_files(plan); i++)
		check_file(name, plan, i);
	ck_assert_int_eq(kr_remedy_plan_file(plan, rows[_i].n_files, &file),
	                 -ERANGE);
	ck_assert_ptr_null(kr_remedy_plan_free(plan));
	kr_remedy_free(remedy);
}
END_TEST

/* --- the rest ------------------------------------------------------------ */

START_TEST(test_method)
{
	struct kr_remedy *remedy =
		new_of("cis-text-flag-false-file-true", false);
	struct kr_remedy_plan *plan = NULL;

	ck_assert_int_eq(kr_remedy_plan_new(remedy, KR_REMEDY_FLAG, &plan), 0);
	ck_assert_int_eq(kr_remedy_plan_method(plan), KR_REMEDY_FLAG);
	ck_assert(kr_remedy_plan_reloads(plan));
	kr_remedy_plan_free(plan);
	kr_remedy_free(remedy);

	remedy = new_of("cis-text-config-false", false);
	ck_assert_int_eq(kr_remedy_plan_new(remedy, KR_REMEDY_AUTO, &plan), 0);
	ck_assert(!kr_remedy_plan_reloads(plan));
	kr_remedy_plan_free(plan);
	kr_remedy_free(remedy);
}
END_TEST

/* With it the file that outlasts the platform is one of the plan's. */
START_TEST(test_persist)
{
	static const struct {
		const char *node;
		size_t n_files;
	} nodes[] = {
		{"eks-al2023-nodeadm-dropin", 2},
		{"no-kubelet-yet", 1},
		{"cis-text-config-false", 1},
		{"made-eks-al2023-old-image", 1},
	};
	const struct kr_remedy_options options = {.root = root,
	                                          .persist = true};

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		struct kr_remedy *remedy = NULL;
		struct kr_remedy_plan *plan = NULL;
		struct kr_remedy_file file;
		bool durable;

		snprintf(root, sizeof(root), "%s/%s", getenv("NODES"),
		         nodes[i].node);
		ck_assert_int_eq(kr_remedy_new(&options, &remedy), 0);
		ck_assert_int_eq(
			kr_remedy_plan_new(remedy, KR_REMEDY_AUTO, &plan), 0);
		ck_assert_msg(kr_remedy_plan_n_files(plan) == nodes[i].n_files,
		              "%s", nodes[i].node);
		ck_assert_int_eq(
			kr_remedy_plan_file(plan, nodes[i].n_files - 1, &file),
			0);
		durable = file.is_new && strstr(file.path, "/nodeadm.d/90-");
		ck_assert_msg(durable == (i < 2), "%s: %s", nodes[i].node,
		              file.path);
		kr_remedy_plan_free(plan);
		kr_remedy_free(remedy);
	}
}
END_TEST

/* The options are copied: this one is gone before it is used again. */
START_TEST(test_config_option)
{
	char *config = strdup("/etc/not-there.json");
	const struct kr_remedy_options options = {.root = root,
	                                          .config = config};
	struct kr_remedy *remedy = NULL;
	struct kr_remedy_plan *plan = NULL;

	snprintf(root, sizeof(root), "%s/%s", getenv("NODES"),
	         "cis-text-config-false");
	ck_assert_int_eq(kr_remedy_new(&options, &remedy), 0);
	memset(config, 'x', strlen(config));
	free(config);
	ck_assert_int_eq(kr_remedy_verdict(remedy), KR_REMEDY_INVALID);
	ck_assert_int_eq(kr_remedy_plan_new(remedy, KR_REMEDY_AUTO, &plan),
	                 -EOPNOTSUPP);
	ck_assert_ptr_null(plan);
	kr_remedy_free(remedy);
}
END_TEST

static const struct {
	const char *name;
	const char *root;
	int want;
} bad_roots[] = {
	{.name = "not there", .root = "/not/there", .want = -ENOENT},
	{.name = "no folder", .root = "/dev/null", .want = -ENOTDIR},
	{.name = "empty", .root = "", .want = -ENOENT},
};

START_TEST(test_bad_root)
{
	const struct kr_remedy_options options = {.root = bad_roots[_i].root};
	struct kr_remedy *remedy = NULL;
	int r = kr_remedy_new(&options, &remedy);

	ck_assert_msg(r == bad_roots[_i].want, "%s: %d", bad_roots[_i].name, r);
	ck_assert_ptr_null(remedy);
}
END_TEST

START_TEST(test_free_nothing)
{
	ck_assert_ptr_null(kr_remedy_free(NULL));
	ck_assert_ptr_null(kr_remedy_plan_free(NULL));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("library");
	TCase *tc = tcase_create("library");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_audit, 0, sizeof(rows) / sizeof(*rows));
	tcase_add_loop_test(tc, test_plan, 0, sizeof(rows) / sizeof(*rows));
	tcase_add_test(tc, test_method);
	tcase_add_test(tc, test_config_option);
	tcase_add_test(tc, test_persist);
	tcase_add_loop_test(tc, test_bad_root, 0,
	                    sizeof(bad_roots) / sizeof(*bad_roots));
	tcase_add_test(tc, test_free_nothing);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
