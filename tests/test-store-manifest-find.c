/* SPDX-License-Identifier: Apache-2.0 */

/* store/manifest-find: which record speaks against a plan. */

#include <string.h>

#include "base/edit.h"
#include "store/manifest.h"
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
	bool by_hand, foreign, other_bytes;
};

static struct kr_manifest_file files[4][1];

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
	m = kr_manifests_find_contained(&list, &edits, names, 3);
	ck_assert_msg((m ? (int)(m - list.items) : -1) == row->whole,
	              "%s: contained", row->name);
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
		kr_manifests_find_contained(&list, &edits, names, 3));
}
END_TEST

static void add(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "find", setup, teardown);

	tcase_add_loop_test(tc, test_find, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, test_other_file);
}

KR_TEST_MAIN(add);
