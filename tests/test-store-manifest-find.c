/* SPDX-License-Identifier: Apache-2.0 */

/* store/manifest-find: which record speaks against a plan. */

#include <string.h>
#include <sys/stat.h>

#include "base/edit.h"
#include "store/manifest.h"
#include "store/prune.h"
#include "testing.h"

#define MACHINE "0123456789abcdef0123456789abcdef"
#define CONF    "/etc/a.conf"
#define WORD(s) ((char *)(uintptr_t)(s))

#define KEPT     KR_MANIFEST_KEPT
#define PUT_BACK KR_MANIFEST_PUT_BACK
#define UNDONE   KR_MANIFEST_UNDONE

static struct kr_fs *fs;
static struct kr_edits edits;

static void setup(void)
{
	const struct kr_file *file;

	kr_root_setup();
	kr_root_write("/etc/machine-id", MACHINE "\n");
	kr_root_write(CONF, "old\n");
	fs = kr_root_fs();
	ck_assert_int_eq(kr_fs_read(fs, CONF, &file), 0);
	ck_assert_int_eq(
		kr_edits_add(&edits, (struct kr_span){file, 0, 3}, "new"), 0);
}

static void teardown(void)
{
	kr_edits_done(&edits);
	fs = kr_fs_free(fs);
	kr_root_teardown();
}

/* A record, oldest first; all are of one file. */
struct record {
	enum kr_manifest_state state;
	const char *controls[3];
	const char *blamed;
	bool by_hand, foreign, other_bytes, broken;
	bool is_undo;
	struct kr_edit edit; /* no text: none */
	mode_t mode;         /* 0: it stays */
};

static struct kr_manifest_file files[4][1];
static struct kr_edit edited[4];

static void make(const struct record *records, size_t n,
                 struct kr_manifests *ret)
{
	static struct kr_manifest items[4];

	for (size_t i = 0; i < n; i++) {
		const struct record *r = &records[i];
		struct kr_manifest *m = &items[i];
		static char *names[4][3];

		memset(m, 0, sizeof(*m));
		m->state = r->state;
		m->blamed = WORD(r->blamed);
		m->by_hand = r->by_hand;
		m->broken = r->broken;
		m->undoes = r->is_undo ? WORD("a fix") : NULL;
		m->machine_id = WORD(r->foreign ? "another" : MACHINE);
		m->controls.items = names[i];
		while (m->controls.n_items < 3 &&
		       r->controls[m->controls.n_items]) {
			names[i][m->controls.n_items] =
				WORD(r->controls[m->controls.n_items]);
			m->controls.n_items++;
		}
		m->files = files[i];
		m->n_files = 1;
		files[i][0] = (struct kr_manifest_file){.path = WORD(CONF)};
		if (r->edit.text) {
			edited[i] = r->edit;
			files[i][0].edits = &edited[i];
			files[i][0].n_edits = 1;
		}
		if (r->mode)
			files[i][0].perms = (struct kr_perms_change){
				.from = {.mode = 0644},
				.to = {.mode = r->mode}};
		kr_sha256_hex(r->other_bytes ? "x" : "old\n",
		              r->other_bytes ? 1 : 4, files[i][0].before);
	}
	*ret = (struct kr_manifests){.items = items, .n_items = n};
}

static const struct row {
	const char *name;
	struct record records[4];
	size_t n;
	int blamed; /* the record that "a" is to blame in; -1: none */
	int whole;  /* the one that a plan for a, b and c contains; -1 */
} rows[] = {
	{"no record", {{0}}, 0, -1, -1},
	{"a to blame", {{PUT_BACK, {"a", "b"}, "a"}}, 1, 0, -1},
	{"b to blame", {{PUT_BACK, {"a", "b"}, "b"}}, 1, -1, -1},
	{"whatever the bytes are",
         {{PUT_BACK, {"a", "b"}, "a", .other_bytes = true}},
         1,
         0,
         -1},
	{"another machine's",
         {{PUT_BACK, {"a", "b"}, "a", .foreign = true}},
         1,
         -1,
         -1},
	{"others were fixed since",
         {{PUT_BACK, {"a", "b"}, "a"}, {KEPT, {"b"}}},
         2,
         0,
         -1},
	{"it was fixed since",
         {{PUT_BACK, {"a", "b"}, "a"}, {KEPT, {"a"}}},
         2,
         -1,
         -1},
	{"it was fixed and undone since",
         {{PUT_BACK, {"a", "b"}, "a"}, {UNDONE, {"a"}, .by_hand = true}},
         2,
         -1,
         -1},
	{"kubelet was left broken with it since",
         {{PUT_BACK, {"a", "b"}, "a"}, {KEPT, {"a"}, .broken = true}},
         2,
         0,
         -1},
	{"a run for it was interrupted since",
         {{PUT_BACK, {"a", "b"}, "a"}, {UNDONE, {"a"}}},
         2,
         0,
         -1},
	{"nobody to blame", {{PUT_BACK, {"a", "b"}}}, 1, -1, 0},
	{"one of them", {{PUT_BACK, {"c"}}}, 1, -1, 0},
	{"the last of several",
         {{PUT_BACK, {"a"}}, {PUT_BACK, {"b"}}},
         2,
         -1,
         1},
	{"not of the plan", {{PUT_BACK, {"a", "d"}}}, 1, -1, -1},
	{"all of the plan: the same edits tell",
         {{PUT_BACK, {"a", "b", "c"}}},
         1,
         -1,
         -1},
	{"its edit",
         {{PUT_BACK, {"a", "b"}, .edit = {0, 3, WORD("new")}}},
         1,
         -1,
         0},
	{"an edit of a part of it",
         {{PUT_BACK, {"a", "b"}, .edit = {1, 1, WORD("")}}},
         1,
         -1,
         0},
	{"another value",
         {{PUT_BACK, {"a", "b"}, .edit = {0, 3, WORD("newer")}}},
         1,
         -1,
         -1},
	{"another place",
         {{PUT_BACK, {"a", "b"}, .edit = {4, 0, WORD("new")}}},
         1,
         -1,
         -1},
	{"another mode", {{PUT_BACK, {"a"}, .mode = 0600}}, 1, -1, -1},
	{"contained in another machine's",
         {{PUT_BACK, {"a"}, .foreign = true}},
         1,
         -1,
         -1},
	{"the set went well since",
         {{PUT_BACK, {"a", "b"}}, {KEPT, {"b", "a"}}},
         2,
         -1,
         -1},
	{"the set was undone by hand since",
         {{PUT_BACK, {"a"}}, {UNDONE, {"a", "d"}, .by_hand = true}},
         2,
         -1,
         -1},
	{"a part of it went well since",
         {{PUT_BACK, {"a", "b"}}, {KEPT, {"a"}}},
         2,
         -1,
         0},
	{"kubelet was left broken with the set, which was undone since",
         {{PUT_BACK, {"a"}}, {UNDONE, {"a"}, .by_hand = true, .broken = true}},
         2,
         -1,
         0},
	{"a run for the set was interrupted since",
         {{PUT_BACK, {"a", "b"}}, {UNDONE, {"a", "b"}}},
         2,
         -1,
         0},
	{"it went well on another machine since",
         {{PUT_BACK, {"a"}}, {KEPT, {"a"}, .foreign = true}},
         2,
         -1,
         0},
	{"other bytes",
         {{PUT_BACK, {"a", "b"}, .other_bytes = true}},
         1,
         -1,
         -1},
	{"it stands", {{KEPT, {"a", "b"}}}, 1, -1, -1},
	{"an older record, without controls", {{PUT_BACK, {NULL}}}, 1, -1, -1},
};

START_TEST(test_find)
{
	static const char *const names[] = {"a", "b", "c"};
	const struct row *row = &rows[_i];
	const struct kr_manifest *m;
	struct kr_manifests list;

	make(row->records, row->n, &list);
	m = kr_manifests_find_blamed(&list, fs, "a");
	ck_assert_msg((m ? (int)(m - list.items) : -1) == row->blamed,
	              "%s: a is to blame", row->name);
	m = kr_manifests_find_contained(&list, fs, &edits, names, 3);
	ck_assert_msg((m ? (int)(m - list.items) : -1) == row->whole,
	              "%s: contained", row->name);
}
END_TEST

/* The words of one control among those that are written with it. */
START_TEST(test_words)
{
	static const char *const names[] = {"a", "b", "c"};
	static const struct {
		const char *wanted, *text;
		bool contained;
	} words[] = {
		{"\"x\": 1", "\"w\": 0,\n \"x\": 1,\n \"z\": 2", true},
		{"\"x\": 1", "\"w\": 1,\n \"x\": 10", false},
		{"p: {x: 1}", "p: {w: 0, x: 1}", true},
		{"p: {x: 1}", "q: {x: 1}", false},
		{"--x=a,b", "--x=a,b --y", true},
		{"--x=a,b", "--x=a,c", false},
		{", ", "", true},
		{"/a/b-c", "/a/b-d", false},
		{"x", "", false},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct record record = {
			PUT_BACK, {"a"}, .edit = {0, 3, WORD(words[i].wanted)}};
		_cleanup_edits_ struct kr_edits plan = {0};
		struct kr_manifests list;

		ck_assert_int_eq(
			kr_edits_add(
				&plan,
				(struct kr_span){edits.files[0].file, 0, 3},
				words[i].text),
			0);
		make(&record, 1, &list);
		ck_assert_msg((kr_manifests_find_contained(&list, fs, &plan,
		                                           names, 3) != NULL) ==
		                      words[i].contained,
		              "%s in %s", words[i].wanted, words[i].text);
	}
}
END_TEST

/* The same change, whatever was interrupted and wherever it was made. */
START_TEST(test_same)
{
	static const struct {
		struct record records[2];
		int want;
	} cases[] = {
		{{{KEPT, {"a"}}, {PUT_BACK, {"a"}}}, 1},
		{{{PUT_BACK, {"a"}}, {KEPT, {"a"}}}, 1},
		{{{PUT_BACK, {"a"}}, {UNDONE, {"a"}}}, 0},
		{{{PUT_BACK, {"a"}}, {UNDONE, {"a"}, .by_hand = true}}, 1},
		{{{PUT_BACK, {"a"}}, {KEPT, {"a"}, .foreign = true}}, 0},
		{{{PUT_BACK, {"a"}},
	          {UNDONE, {"a"}, .by_hand = true, .broken = true}},
	         0},
		{{{PUT_BACK, {"a"}},
	          {UNDONE, {"a"}, .by_hand = true, .is_undo = true}},
	         0},
		{{{KEPT, {"a"}}, {PUT_BACK, {"a"}, .is_undo = true}}, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record records[2];
		const struct kr_manifest *m;
		struct kr_manifests list;

		memcpy(records, cases[i].records, sizeof(records));
		for (size_t k = 0; k < 2; k++)
			records[k].edit = (struct kr_edit){0, 3, WORD("new")};
		make(records, 2, &list);
		m = kr_manifests_find_same(&list, fs, &edits);
		ck_assert_msg(m && m - list.items == cases[i].want, "case %zu",
		              i);
	}
}
END_TEST

START_TEST(test_other_file)
{
	static const char *const names[] = {"a", "b", "c"};
	const struct record record = {PUT_BACK, {"a"}};
	struct kr_manifests list;

	make(&record, 1, &list);
	files[0][0].path = WORD("/etc/b.conf");
	ck_assert_ptr_null(
		kr_manifests_find_contained(&list, fs, &edits, names, 3));
}
END_TEST

/* --- a fix and its undo, which was killed somewhere ----------------------- */

#define FIX  "20260101T000000.000001Z-00000001"
#define UNDO "20260101T000000.000002Z-00000002"

static struct kr_edit cut = {0, 3, WORD("new")};
static struct kr_manifest_file one[] = {{
	.path = WORD(CONF),
	.copy = WORD("0"),
	.temp = WORD(".kubelet-remedy-1"),
	.back = WORD(".kubelet-remedy-2"),
	.edits = &cut,
	.n_edits = 1,
}};

static void write_record(const char *id, const struct kr_manifest *m)
{
	_cleanup_free_ char *path = kr_path_join(KR_STATE_DIR, id);
	struct kr_manifest copy = *m;
	_cleanup_close_ int fd = -1;

	kr_root_mkdir(path);
	fd = kr_fs_open_folder(fs, path);
	strlcpy(copy.id, id, sizeof(copy.id));
	copy.machine_id = WORD(MACHINE);
	copy.unit = WORD("kubelet.service");
	copy.realtime_usec = 8;
	copy.files = one;
	copy.n_files = 1;
	kr_sha256_hex("old", 3, one->before);
	kr_sha256_hex("new", 3, one->after);
	copy.disk_before = WORD("false");
	ck_assert_int_eq(kr_manifest_write(fd, &copy, NULL), 0);
}

static int stands(struct kr_fs *unused, const struct kr_manifests *list,
                  const struct kr_manifest *m)
{
	(void)unused, (void)list, (void)m;
	return 1;
}

static const struct {
	const char *name;
	struct kr_manifest fix, undo;
	bool fix_is_gone;
	enum kr_manifest_state want;
	size_t n_rows, n_left; /* in the list; records behind kr_prune() */
	unsigned undone_number;
} killed[] = {
	{"at work",
         {.state = KEPT, .number = 3},
         {.state = KR_MANIFEST_COMMITTED, .number = 4},
         false,
         KEPT,
         2,
         2,
         0},
	{"put back",
         {.state = KEPT, .number = 3},
         {.state = PUT_BACK, .number = 4},
         false,
         KEPT,
         2,
         2,
         0},
	{"put back by recovery",
         {.state = KEPT, .number = 3},
         {.state = UNDONE, .number = 4},
         false,
         KEPT,
         2,
         2,
         0},
	{"before the fix's record says so",
         {.state = KEPT, .number = 3},
         {.state = UNDONE, .by_hand = true, .number = 4},
         false,
         UNDONE,
         2,
         1,
         4},
	{"behind it",
         {.state = UNDONE,
          .by_hand = true,
          .number = 3,
          .undone_usec = 9,
          .undone_number = 4},
         {.state = UNDONE, .by_hand = true, .number = 4},
         false,
         UNDONE,
         2,
         1,
         4},
	{"and the fix's record is gone",
         {.state = KEPT, .number = 3},
         {.state = UNDONE, .by_hand = true, .number = 4},
         true,
         UNDONE,
         1,
         0,
         0},
};

/* What FS has read stays as it was. */
static void read_again(struct kr_manifests *ret)
{
	_cleanup_fs_ struct kr_fs *now = NULL;

	ck_assert_int_eq(kr_fs_new(kr_root_fd, &now), 0);
	ck_assert_int_eq(kr_manifests_read(now, NULL, ret), 0);
}

START_TEST(test_killed_undo)
{
	const char *name = killed[_i].name;
	_cleanup_manifests_ struct kr_manifests list = {0}, after = {0};
	struct kr_manifest undo = killed[_i].undo;

	kr_root_mkdir(KR_STATE_DIR);
	ck_assert_int_eq(fchmodat(kr_root_fd, &KR_STATE_DIR[1], 0700, 0), 0);
	if (!killed[_i].fix_is_gone)
		write_record(FIX, &killed[_i].fix);
	undo.undoes = WORD(FIX);
	write_record(UNDO, &undo);
	read_again(&list);
	ck_assert_msg(list.items[0].state == killed[_i].want, "%s", name);
	ck_assert_msg(list.n_rows == killed[_i].n_rows, "%s: %zu rows", name,
	              list.n_rows);
	ck_assert_msg(kr_manifests_next_number(&list) == 5, "%s: number", name);

	ck_assert_int_eq(kr_prune(fs, &list, stands), 0);
	read_again(&after);
	ck_assert_msg(after.n_items == killed[_i].n_left, "%s: %zu left", name,
	              after.n_items);
	if (after.n_items == 0)
		return;
	ck_assert_msg(after.items[0].state == killed[_i].want, "%s: then",
	              name);
	ck_assert_msg(after.items[0].undone_number == killed[_i].undone_number,
	              "%s: the number of the undo", name);
	ck_assert_msg(after.n_rows == killed[_i].n_rows, "%s: %zu rows then",
	              name, after.n_rows);
}
END_TEST

static void add(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "find", setup, teardown);

	tcase_add_loop_test(tc, test_find, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, test_words);
	tcase_add_test(tc, test_same);
	tcase_add_test(tc, test_other_file);
	tcase_add_loop_test(tc, test_killed_undo, 0, ARRAY_SIZE(killed));
}

KR_TEST_MAIN(add);
