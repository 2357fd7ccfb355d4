/* SPDX-License-Identifier: Apache-2.0 */

/*
 * store/manifest: what is written is what is read, and a record is there as a
 * whole or not at all, whichever allocation fails.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/edit.h"
#include "store/manifest.h"
#include "store/recover.h"
#include "store/transaction.h"
#include "testing-memory.h"
#include "testing.h"

#define ID     "20261122T000000.000000Z-00000001"
#define FOLDER KR_STATE_DIR "/" ID
#define A      "/etc/d/a.conf"
#define B      "/etc/e/b.conf"
#define MADE   "/etc/n/made.conf"

/* --- what all have in common --------------------------------------------- */

static struct kr_fs *fs;
static struct kr_edits edits;
static struct kr_diag diag;

static void setup(void)
{
	kr_root_setup();
	kr_root_write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	kr_root_write(A, "old a\n");
	kr_root_write(B, "old b\n");
	fs = kr_root_fs();
}

static void teardown(void)
{
	kr_test_fail_allocation(0);
	kr_edits_done(&edits);
	kr_diag_done(&diag);
	fs = kr_fs_free(fs);
	kr_root_teardown();
}

#define WORD(s) ((char *)(uintptr_t)(s))

static struct kr_edit an_edit[] = {{4, 2, WORD("\xff\xfe\n\x01")}};
static struct kr_manifest_file files[] = {
	{
		.path = WORD("/etc/d/\xe4.conf"),
		.copy = WORD("0"),
		.before = "before",
		.after = "after",
		.temp = WORD(".kubelet-remedy-1"),
		.back = WORD(".kubelet-remedy-2"),
		.edits = an_edit,
		.n_edits = 1,
	},
};
static const struct kr_manifest a_manifest = {
	.id = ID,
	.realtime_usec = 1795882797304798,
	.machine_id = WORD("0123456789abcdef0123456789abcdef"),
	.invocation_id = WORD("fedcba9876543210fedcba9876543210"),
	.unit = WORD("kubelet.service"),
	.config = WORD("/etc/k.json"),
	.state = KR_MANIFEST_COMMITTED,
	.disk_before = WORD("false"),
	.reason = WORD("for a reason"),
	.blamed = WORD("readOnlyPort"),
	.edition = WORD("eks-1.8.0"),
	.by_hand = true,
	.undone_usec = 1795882797304800,
	.partly = true,
	.broken = true,
	.number = 7,
	.undone_number = 9,
	.undoes = WORD("20260101T000000.000000Z-01234567"),
	.files = files,
	.n_files = 1,
};

/* The same with another mode, and a file that has got another one in place. */
static struct kr_manifest_file files_of_perms[] = {
	{
		.path = WORD("/etc/d/b.conf"),
		.perms = {{0644, 1000, 4294967294}, {0600, 0, 0}},
		.ctime_usec = 1795882797304799,
	},
	{
		.path = WORD("/etc/d/a.conf"),
		.copy = WORD("1"),
		.temp = WORD(".kubelet-remedy-1"),
		.back = WORD(".kubelet-remedy-2"),
		.edits = an_edit,
		.n_edits = 1,
		.perms = {{04755, 0, 0}, {0, 0, 0}},
	},
	{
		.path = WORD("/etc/d/c.conf"),
		.copy = WORD("2"),
		.temp = WORD(".kubelet-remedy-3"),
		.back = WORD(".kubelet-remedy-4"),
		.edits = an_edit,
		.n_edits = 1,
	},
};

static struct kr_manifest manifest_of_perms(void)
{
	struct kr_manifest m = a_manifest;

	m.files = files_of_perms;
	m.n_files = ARRAY_SIZE(files_of_perms);
	for (size_t i = 0; i < m.n_files; i++) {
		kr_sha256_hex("b", 1, m.files[i].before);
		kr_sha256_hex(i == 0 ? "b" : "a", 1, m.files[i].after);
	}
	return m;
}

static char *read_text(const char *path)
{
	_cleanup_fs_ struct kr_fs *now = kr_root_fs();
	const struct kr_file *file;

	ck_assert_int_eq(kr_fs_read(now, path, &file), 0);
	return strdup(file->data);
}

static void fill(struct kr_manifest_file *file)
{
	kr_sha256_hex("b", 1, file->before);
	kr_sha256_hex("a", 1, file->after);
}

/* --- writing ------------------------------------------------------------- */

START_TEST(test_same)
{
	_cleanup_manifest_ struct kr_manifest m = {0};
	_cleanup_close_ int fd = -1;

	fill(files);
	kr_root_mkdir(FOLDER);
	fd = kr_fs_open_folder(fs, FOLDER);
	ck_assert_int_eq(kr_manifest_write(fd, &a_manifest, NULL), 0);
	ck_assert_int_eq(kr_manifest_read(fs, ID, &m), 0);
	ck_assert_str_eq(m.id, ID);
	ck_assert(m.realtime_usec == a_manifest.realtime_usec);
	ck_assert_str_eq(m.machine_id, a_manifest.machine_id);
	ck_assert_str_eq(m.invocation_id, a_manifest.invocation_id);
	ck_assert_str_eq(m.unit, a_manifest.unit);
	ck_assert_str_eq(m.config, a_manifest.config);
	ck_assert_str_eq(m.reason, a_manifest.reason);
	ck_assert_str_eq(m.blamed, a_manifest.blamed);
	ck_assert_str_eq(m.edition, a_manifest.edition);
	ck_assert(m.state == KR_MANIFEST_COMMITTED && m.by_hand);
	ck_assert_uint_eq(m.undone_usec, a_manifest.undone_usec);
	ck_assert(m.partly);
	ck_assert(m.broken);
	ck_assert_uint_eq(m.number, a_manifest.number);
	ck_assert_uint_eq(m.undone_number, a_manifest.undone_number);
	ck_assert_str_eq(m.undoes, a_manifest.undoes);
	ck_assert_uint_eq(m.n_files, 1);
	/* a path and a text need not be UTF-8 */
	ck_assert_str_eq(m.files[0].path, files[0].path);
	ck_assert_str_eq(m.files[0].temp, files[0].temp);
	ck_assert_str_eq(m.files[0].back, files[0].back);
	ck_assert_str_eq(m.files[0].before, files[0].before);
	ck_assert_str_eq(m.files[0].after, files[0].after);
	ck_assert_uint_eq(m.files[0].n_edits, 1);
	ck_assert_uint_eq(m.files[0].edits[0].offset, 4);
	ck_assert_uint_eq(m.files[0].edits[0].length, 2);
	ck_assert_str_eq(m.files[0].edits[0].text, an_edit[0].text);
}
END_TEST

START_TEST(test_same_perms)
{
	const struct kr_manifest written = manifest_of_perms();
	_cleanup_manifest_ struct kr_manifest m = {0};
	_cleanup_close_ int fd = -1;

	kr_root_mkdir(FOLDER);
	fd = kr_fs_open_folder(fs, FOLDER);
	ck_assert_int_eq(kr_manifest_write(fd, &written, NULL), 0);
	ck_assert_int_eq(kr_manifest_read(fs, ID, &m), 0);
	ck_assert_uint_eq(m.n_files, written.n_files);
	for (size_t i = 0; i < m.n_files; i++) {
		const struct kr_manifest_file *a = &m.files[i];
		const struct kr_manifest_file *b = &written.files[i];

		ck_assert_msg(
			kr_perms_equal(&a->perms.from, &b->perms.from) &&
				kr_perms_equal(&a->perms.to, &b->perms.to) &&
				a->ctime_usec == b->ctime_usec &&
				a->n_edits == b->n_edits,
			"file %zu", i);
	}
	ck_assert(kr_manifest_file_in_place(&m.files[0]));
	ck_assert(!kr_manifest_file_in_place(&m.files[1]));
}
END_TEST

static double schema_of(const struct kr_manifest *m, bool *ret_has_mode)
{
	_cleanup_close_ int fd = kr_fs_open_folder(fs, FOLDER);
	_cleanup_free_ char *text = NULL;
	cJSON *root;
	double schema;

	ck_assert_int_eq(kr_manifest_write(fd, m, NULL), 0);
	text = read_text(FOLDER "/manifest.json");
	root = cJSON_Parse(text);
	schema = cJSON_GetObjectItem(root, "schema")->valuedouble;
	*ret_has_mode = strstr(text, "\"mode\"") != NULL;
	cJSON_Delete(root);
	return schema;
}

/* An older program reads what it can take back, and nothing else. */
START_TEST(test_schema)
{
	const struct kr_manifest perms = manifest_of_perms();
	bool has_mode;

	fill(files);
	kr_root_mkdir(FOLDER);
	ck_assert(schema_of(&a_manifest, &has_mode) == 1);
	ck_assert(!has_mode);
	ck_assert(schema_of(&perms, &has_mode) == 2);
	ck_assert(has_mode);
}
END_TEST

START_TEST(test_write_without_memory)
{
	_cleanup_free_ char *old = NULL;
	_cleanup_close_ int fd = -1;
	const struct kr_manifest perms = manifest_of_perms();
	const struct kr_manifest *written = _i == 0 ? &a_manifest : &perms;
	unsigned n = 0;
	int r = -ENOMEM;

	fill(files);
	kr_root_write(FOLDER "/manifest.json", "the one before\n");
	old = read_text(FOLDER "/manifest.json");
	fd = kr_fs_open_folder(fs, FOLDER);
	while (r == -ENOMEM) {
		_cleanup_free_ char *now = NULL;

		kr_test_fail_allocation(++n);
		r = kr_manifest_write(fd, written, NULL);
		if (r == 0 && kr_test_allocation_to_come())
			break;
		ck_assert_msg(r == -ENOMEM, "allocation %u failed: %d", n, r);
		now = read_text(FOLDER "/manifest.json");
		ck_assert_msg(strcmp(now, old) == 0, "allocation %u", n);
		ck_assert_msg(kr_root_entries(FOLDER) == 1, "allocation %u", n);
	}
	kr_test_fail_allocation(0);
	ck_assert_int_eq(r, 0);
	/* one for each member at least */
	ck_assert_uint_gt(n, 50);
}
END_TEST

/* --- a whole run --------------------------------------------------------- */

static void plan(void)
{
	const struct kr_file *file;

	ck_assert_int_eq(kr_fs_read(fs, A, &file), 0);
	ck_assert_int_eq(
		kr_edits_add(&edits, (struct kr_span){file, 0, 3}, "new"), 0);
	ck_assert_int_eq(kr_edits_create(&edits, MADE, "made\n"), 0);
	ck_assert_int_eq(kr_fs_read(fs, B, &file), 0);
	ck_assert_int_eq(kr_edits_chmod(&edits, file, 0600), 0);
}

/* What a fix does to files. The status of the first step that fails. */
static int run(bool *ret_prepared)
{
	const struct kr_transaction_about about = {
		.unit = "kubelet.service",
		.config = "/etc/k.json",
		.invocation_id = "fedcba9876543210fedcba9876543210",
		.disk_before = WORD("false"),
	};
	struct kr_transaction *tx = NULL;
	int r = kr_transaction_prepare(fs, &edits, &about, NULL, &tx);

	*ret_prepared = r == 0;
	if (r < 0)
		return r;
	r = kr_transaction_commit(tx, NULL);
	if (r == 0)
		r = kr_transaction_keep(tx, NULL);
	kr_transaction_free(tx);
	return r;
}

/* What it left is one of the two states, or is brought back to the first. */
static void check_left(unsigned n, int r, bool prepared)
{
	_cleanup_fs_ struct kr_fs *now = kr_root_fs();
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_recovery_ struct kr_recovery recovery = {0};
	_cleanup_free_ char *a = NULL;
	const char *want = r == 0 ? "new a\n" : "old a\n";

	ck_assert_msg(kr_manifests_read(now, &diag, &list) == 0,
	              "allocation %u:%s", n, kr_test_messages(&diag));
	ck_assert_msg(diag.n_messages == 0, "allocation %u:%s", n,
	              kr_test_messages(&diag));
	ck_assert_msg(list.n_items == 0 || prepared, "allocation %u", n);
	for (size_t i = 0; i < list.n_items; i++) {
		const struct kr_manifest *m = &list.items[i];

		ck_assert_msg(m->n_files == 3 && m->machine_id &&
		                      m->invocation_id && m->config &&
		                      m->files[1].folder,
		              "allocation %u", n);
	}
	ck_assert_msg(kr_recover_run(now, &recovery, &diag) >= 0 &&
	                      kr_recover_end(now, &recovery, &diag) == 0,
	              "allocation %u:%s", n, kr_test_messages(&diag));
	a = read_text(A);
	ck_assert_msg(strcmp(a, want) == 0, "allocation %u: %s", n, a);
	ck_assert_msg((kr_root_stat(B).st_mode & 07777) ==
	                      (r == 0 ? 0600 : 0644),
	              "allocation %u: %04o", n, kr_root_stat(B).st_mode);
	ck_assert_msg(kr_root_entries("/etc/d") == 1, "allocation %u", n);
	ck_assert_msg(kr_root_entries("/etc/n") == (r == 0), "allocation %u",
	              n);
}

static bool run_one(unsigned n)
{
	bool prepared, failed;
	int r;

	plan();
	kr_test_fail_allocation(n);
	r = run(&prepared);
	failed = !kr_test_allocation_to_come();
	kr_test_fail_allocation(0);
	ck_assert_msg(r == 0 || (failed && r == -ENOMEM), "allocation %u: %d",
	              n, r);
	ck_assert_msg(!failed || r < 0 || prepared, "allocation %u", n);
	check_left(n, r, prepared);
	return failed;
}

START_TEST(test_run_without_memory)
{
	unsigned n = 1;

	while (run_one(n)) {
		n++;
		teardown();
		setup();
	}
	/* four records alone */
	ck_assert_uint_gt(n, 200);
}
END_TEST

/* --- what is not a complete record
 * --------------------------------------------- */

enum level {
	ROOT,
	FILE_,
	EDIT,
};

/* A member is gone, or another value. */
static const struct {
	enum level level;
	const char *name, *value; /* NULL: gone */
	bool is_fine;
} broken[] = {
	{ROOT, "schema", NULL},
	{ROOT, "id", NULL},
	{ROOT, "time", NULL},
	{ROOT, "time_usec", NULL},
	{ROOT, "time_usec", "-1"},
	{ROOT, "time_usec", "1e300"},
	{ROOT, "machine_id", NULL},
	{ROOT, "machine_id", "null", true},
	{ROOT, "invocation_id", "null", true},
	/* written since, and with it the other two */
	{ROOT, "invocation_id", NULL, true},
	{ROOT, "config", NULL},
	{ROOT, "config", "null", true},
	{ROOT, "by_hand", NULL},
	{ROOT, "unit", NULL},
	{ROOT, "unit", "null"},
	{ROOT, "state", NULL},
	{ROOT, "state", "\"lost\""},
	{ROOT, "disk_before", NULL},
	{ROOT, "disk_before", "7"},
	{ROOT, "reason", NULL},
	{ROOT, "reason", "null", true},
	/* an older record has neither */
	{ROOT, "undone_usec", NULL, true},
	{ROOT, "undone_usec", "null", true},
	{ROOT, "undone_usec", "-1"},
	{ROOT, "undone_usec", "1e300"},
	{ROOT, "partly", NULL, true},
	{ROOT, "number", NULL, true},
	{ROOT, "number", "null", true},
	{ROOT, "number", "-1"},
	{ROOT, "number", "1e300"},
	{ROOT, "undone_number", NULL, true},
	{ROOT, "undone_number", "\"1\""},
	{ROOT, "undoes", NULL, true},
	{ROOT, "edition", NULL, true},
	{ROOT, "files", NULL},
	{ROOT, "files", "[]"},
	{ROOT, "files", "{}"},
	{ROOT, "files", "[{}]"},
	{ROOT, "files", "[1]"},
	{FILE_, "path", NULL},
	{FILE_, "path", "null"},
	{FILE_, "path", "\"a.conf\""},
	{FILE_, "path", "\"/\""},
	{FILE_, "path", "\"/etc/d/../e/a.conf\""},
	{FILE_, "path", "\"/etc/d/..\""},
	{FILE_, "copy", NULL},
	{FILE_, "copy", "null"},
	{FILE_, "copy", "\"../0\""},
	{FILE_, "folder", NULL},
	{FILE_, "folder", "\"/etc/d\"", true},
	{FILE_, "folder", "\"/etc/e\""},
	{FILE_, "folder", "\"/etc/d/x\""},
	{FILE_, "folder", "\"/\""},
	{FILE_, "removed", NULL},
	{FILE_, "removed", "true"},
	{FILE_, "before", NULL},
	{FILE_, "before", "null"},
	{FILE_, "before", "\"0a\""},
	{FILE_, "after", NULL},
	{FILE_, "after", "null"},
	{FILE_, "temp", NULL},
	{FILE_, "temp", "\"a.conf\""},
	{FILE_, "temp", "\"..\""},
	{FILE_, "back", NULL},
	{FILE_, "back", "null", true},
	{FILE_, "back", "\"b.conf\""},
	{FILE_, "back", "\".kubelet-remedy-/../a\""},
	{FILE_, "edits", NULL},
	{FILE_, "edits", "[]"},
	{FILE_, "edits", "7"},
	{EDIT, "offset", NULL},
	{EDIT, "offset", "-1"},
	{EDIT, "offset", "0.5"},
	{EDIT, "offset", "1e300"},
	{EDIT, "length", NULL},
	{EDIT, "length", "null"},
	{EDIT, "text", NULL},
	{EDIT, "text", "null"},
};

/* The same of a record of schema 2, whose first file was changed in place. */
static const struct {
	enum level level;
	const char *name, *value; /* NULL: gone */
	bool is_fine;
} broken_perms[] = {
	{ROOT, "schema", "1"},
	{ROOT, "invocation_id", NULL},
	{ROOT, "invocation_id", "null", true},
	{ROOT, "config", NULL},
	{FILE_, "mode", NULL},
	{FILE_, "mode", "null"},
	{FILE_, "mode", "{}"},
	{FILE_, "mode", "\"0600\""},
	{FILE_, "mode", "{\"from\": \"0644\"}"},
	{FILE_, "mode", "{\"to\": \"0644\"}"},
	{FILE_, "mode", "{\"from\": \"0644\", \"to\": null}"},
	{FILE_, "mode", "{\"from\": \"0644\", \"to\": 384}"},
	{FILE_, "mode", "{\"from\": \"644\", \"to\": \"0600\"}"},
	{FILE_, "mode", "{\"from\": \"0644\", \"to\": \"0608\"}"},
	{FILE_, "mode", "{\"from\": \"0644\", \"to\": \"0644\"}", true},
	{FILE_, "owner", NULL},
	{FILE_, "owner", "null"},
	{FILE_, "owner", "{\"from\": \"0:0\", \"to\": \"root:root\"}"},
	{FILE_, "owner", "{\"from\": \"0:0\", \"to\": \"-1:0\"}"},
	{FILE_, "owner", "{\"from\": \"0:0\", \"to\": \"0:0\"}", true},
	{FILE_, "ctime_usec", NULL},
	{FILE_, "ctime_usec", "null", true},
	{FILE_, "ctime_usec", "-1"},
	{FILE_, "ctime_usec", "1e300"},
	{FILE_, "ctime_usec", "\"1\""},
	{FILE_, "copy", "\"0\""},
	{FILE_, "temp", "\".kubelet-remedy-1\""},
	{FILE_, "back", "\".kubelet-remedy-1\""},
	{FILE_, "folder", "\"/etc/d\""},
	{FILE_, "removed", "true"},
	{FILE_, "before", "null"},
	{FILE_, "after", "null"},
	{FILE_, "after",
         "\"0000000000000000000000000000000000000000000000000000000000000000"
         "\""},
	{FILE_, "edits", "[{\"offset\": 0, \"length\": 1, \"text\": \"\"}]"},
};

static void break_record(const char *name, enum level level, const char *value)
{
	_cleanup_free_ char *old = read_text(FOLDER "/manifest.json");
	_cleanup_free_ char *text = NULL;
	cJSON *root = cJSON_Parse(old), *o = root;

	if (level >= FILE_)
		o = cJSON_GetArrayItem(cJSON_GetObjectItem(o, "files"), 0);
	if (level >= EDIT)
		o = cJSON_GetArrayItem(cJSON_GetObjectItem(o, "edits"), 0);
	ck_assert_ptr_nonnull(cJSON_GetObjectItem(o, name));
	cJSON_DeleteItemFromObject(o, name);
	if (value)
		cJSON_AddItemToObject(o, name, cJSON_Parse(value));
	text = cJSON_Print(root);
	cJSON_Delete(root);
	kr_root_write(FOLDER "/manifest.json", text);
}

/* Nothing is taken back or removed, and that is said: nobody knows what the run
 * had done. */
START_TEST(test_broken)
{
	_cleanup_recovery_ struct kr_recovery recovery = {0};
	_cleanup_manifest_ struct kr_manifest m = {0};
	_cleanup_close_ int fd = -1;
	char name[64];
	int r;

	snprintf(name, sizeof(name), "%s %s", broken[_i].name,
	         broken[_i].value ? broken[_i].value : "gone");
	fill(files);
	kr_root_mkdir(FOLDER);
	kr_root_write(KR_STATE_DIR "/pending", "");
	fd = kr_fs_open_folder(fs, FOLDER);
	ck_assert_int_eq(kr_manifest_write(fd, &a_manifest, NULL), 0);
	break_record(broken[_i].name, broken[_i].level, broken[_i].value);
	r = kr_manifest_read(fs, ID, &m);
	ck_assert_msg((r == 0) == broken[_i].is_fine &&
	                      (r == 0 || r == KR_MALFORMED),
	              "%s: %d", name, r);
	if (r == 0)
		return;
	ck_assert_msg(kr_recover_run(fs, &recovery, &diag) == -EBADMSG, "%s",
	              name);
	ck_assert_msg(kr_diag_find(&diag, "recover") != NULL, "%s:%s", name,
	              kr_test_messages(&diag));
	ck_assert_msg(kr_root_entries(KR_STATE_DIR) == 2, "%s", name);
	ck_assert_msg(kr_root_entries("/etc/d") == 1, "%s", name);
}
END_TEST

START_TEST(test_broken_perms)
{
	const struct kr_manifest written = manifest_of_perms();
	_cleanup_manifest_ struct kr_manifest m = {0};
	_cleanup_close_ int fd = -1;
	int r;

	kr_root_mkdir(FOLDER);
	fd = kr_fs_open_folder(fs, FOLDER);
	ck_assert_int_eq(kr_manifest_write(fd, &written, NULL), 0);
	break_record(broken_perms[_i].name, broken_perms[_i].level,
	             broken_perms[_i].value);
	r = kr_manifest_read(fs, ID, &m);
	ck_assert_msg(r == (broken_perms[_i].is_fine ? 0 : KR_MALFORMED),
	              "%s %s: %d", broken_perms[_i].name,
	              broken_perms[_i].value ? broken_perms[_i].value : "gone",
	              r);
}
END_TEST

/* One that has lost its only change of that kind. */
START_TEST(test_lost_perms)
{
	struct kr_manifest written = manifest_of_perms();
	_cleanup_manifest_ struct kr_manifest m = {0};
	_cleanup_close_ int fd = -1;

	written.files++;
	written.n_files = 1;
	kr_root_mkdir(FOLDER);
	fd = kr_fs_open_folder(fs, FOLDER);
	ck_assert_int_eq(kr_manifest_write(fd, &written, NULL), 0);
	break_record("mode", FILE_, "null");
	break_record("owner", FILE_, "null");
	ck_assert_int_eq(kr_manifest_read(fs, ID, &m), KR_MALFORMED);
}
END_TEST

/* The number alone does not make it one of schema 2, and none is of schema 3.
 */
START_TEST(test_other_schema)
{
	static const struct {
		const char *schema;
		int want;
	} rows[] = {{"2", KR_MALFORMED}, {"3", -EPROTONOSUPPORT}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_manifest_ struct kr_manifest m = {0};
		_cleanup_fs_ struct kr_fs *now = NULL;
		_cleanup_close_ int fd = -1;
		int r;

		fill(files);
		if (i == 0)
			kr_root_mkdir(FOLDER);
		fd = kr_fs_open_folder(fs, FOLDER);
		ck_assert_int_eq(kr_manifest_write(fd, &a_manifest, NULL), 0);
		break_record("schema", ROOT, rows[i].schema);
		now = kr_root_fs();
		r = kr_manifest_read(now, ID, &m);
		ck_assert_msg(r == rows[i].want, "%s: %d", rows[i].schema, r);
	}
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "records", setup, teardown);

	/* some hundred runs, each to the disk */
	tcase_add_test(tc, test_same);
	tcase_add_test(tc, test_same_perms);
	tcase_add_test(tc, test_schema);
	tcase_add_loop_test(tc, test_write_without_memory, 0, 2);
	tcase_add_test(tc, test_run_without_memory);
	tcase_add_loop_test(tc, test_broken, 0, ARRAY_SIZE(broken));
	tcase_add_loop_test(tc, test_broken_perms, 0, ARRAY_SIZE(broken_perms));
	tcase_add_test(tc, test_lost_perms);
	tcase_add_test(tc, test_other_schema);
}

KR_TEST_MAIN(add_tests);
