/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The records of a node: all that can be read, and which of them tells
 * something of a change that is about to be made, or of a file as it is now.
 *
 *   the same        the very edits to the very bytes
 *   for a control   it was to blame when a change was put back
 *   contained       for some of the controls of a plan, with its edits of the
 *                   same bytes: with them the plan would go the same way
 *
 * The last record counts in each case, of those that came to an end. A record
 * of the machine that this one was cloned from tells nothing.
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/vec.h"
#include "store/manifest.h"
#include "store/others.h"

static int unreadable(struct kr_diag *diag, const char *path, int error)
{
	if (error == -EACCES && geteuid() != 0)
		kr_diag_add_path(diag, KR_ERROR, "not-root", path,
		                 "only root may read the records of fixes: run "
		                 "this with sudo");
	else if (error != -ENOMEM)
		kr_diag_add_path(diag, KR_ERROR, "manifest", path,
		                 "the records of fixes cannot be read: %s",
		                 kr_fs_strerror(-error));
	return error;
}

/* What lies there is something else, for ever: not an error of this moment. */
static bool is_no_manifest(int error)
{
	return error == KR_MALFORMED || error == -ENOTDIR || error == -EISDIR ||
	       error == -EINVAL || error == -EFBIG || error == -ELOOP ||
	       error == -EPROTONOSUPPORT;
}

/* A user who can write a record can make root put any content at any path. */
static int check_owner(struct kr_fs *fs, struct kr_diag *diag)
{
	_cleanup_stat_ struct kr_stat st = {0};
	int r = kr_fs_stat(fs, KR_STATE_DIR, true, &st);

	if (r < 0)
		return unreadable(diag, KR_STATE_DIR, r);
	if ((st.st.st_uid == 0 || st.st.st_uid == geteuid()) &&
	    !(st.st.st_mode & (S_IWGRP | S_IWOTH))) {
		r = kr_others_refuse(fs, KR_STATE_DIR, diag);
		if (r < 0)
			return unreadable(diag, KR_STATE_DIR, r);
		return r == KR_OTHERS_WRITE ? -EPERM : 0;
	}
	kr_diag_add_path(diag, KR_ERROR, "manifest", KR_STATE_DIR,
	                 "users other than root can write there (owner %u, "
	                 "mode %04o), so its records are not trusted: look "
	                 "at them, then make it root's, with mode 0700",
	                 (unsigned)st.st.st_uid,
	                 (unsigned)st.st.st_mode & 07777);
	return -EPERM;
}

/* ROW goes behind those that were there before it. A record of an older version
 * has no number, and is placed by its time: an undo is later than its fix. */
static bool is_behind(const struct kr_manifest_row *row,
                      const struct kr_manifest_row *before)
{
	if (row->number > 0 && before->number > 0)
		return row->number > before->number;
	return row->manifest == before->manifest || !row->undo ||
	       row->realtime_usec >= before->realtime_usec;
}

static void add_row(struct kr_manifests *list,
                    const struct kr_manifest_row *row)
{
	size_t at = list->n_rows++;

	for (; at > 0 && !is_behind(row, &list->rows[at - 1]); at--)
		list->rows[at] = list->rows[at - 1];
	list->rows[at] = *row;
}

/* Those of older versions get the numbers before the first that is noted, as
 * they had when that was made; what an older version made behind it, the next
 * ones. */
static void number_rows(struct kr_manifests *list)
{
	unsigned next = kr_manifests_next_number(list);
	size_t first = 0;

	while (first < list->n_rows && list->rows[first].number == 0)
		first++;
	for (size_t i = 0; i < list->n_rows; i++) {
		struct kr_manifest_row *row = &list->rows[i];
		size_t place = i + 1;

		if (row->number > 0)
			continue;
		if (first < list->n_rows && i < first &&
		    list->rows[first].number > first)
			place = list->rows[first].number - first + i;
		else if (first < list->n_rows)
			place = next++;
		row->number = (unsigned)place;
	}
}

/* What a kill kept an undo from noting in the record of its fix. */
static void end_undone(struct kr_manifests *list)
{
	KR_EACH(const struct kr_manifest, undo, list->items, list->n_items) {
		struct kr_manifest *m =
			kr_manifest_is_ended_undo(undo)
				? kr_manifests_find(list, undo->undoes)
				: NULL;

		if (!m || m->state != KR_MANIFEST_KEPT)
			continue;
		m->state = KR_MANIFEST_UNDONE;
		m->by_hand = true;
		m->undone_usec = undo->realtime_usec;
		m->undone_number = undo->number;
	}
}

/* Whether the record of its fix has the row of M. */
static bool is_told(const struct kr_manifests *list,
                    const struct kr_manifest *m)
{
	const struct kr_manifest *fix =
		kr_manifest_is_ended_undo(m)
			? kr_manifests_find(list, m->undoes)
			: NULL;

	return fix && fix->undone_usec > 0;
}

static int add_rows(struct kr_manifests *list)
{
	list->rows = calloc(2 * list->n_items + 1, sizeof(*list->rows));
	if (!list->rows)
		return -ENOMEM;
	for (size_t i = 0; i < list->n_items; i++) {
		struct kr_manifest *m = &list->items[i];

		if (!is_told(list, m))
			add_row(list, &(struct kr_manifest_row){
					      m, m->undoes, m->realtime_usec,
					      m->number});
	}
	for (size_t i = 0; i < list->n_items; i++) {
		struct kr_manifest *m = &list->items[i];

		if (m->undone_usec > 0)
			add_row(list, &(struct kr_manifest_row){
					      m, true, m->undone_usec,
					      m->undone_number});
	}
	number_rows(list);
	return 0;
}

const struct kr_manifest_row *kr_manifests_find_row(
	const struct kr_manifests *list, unsigned number)
{
	for (size_t i = 0; i < list->n_rows; i++) {
		if (list->rows[i].number == number)
			return &list->rows[i];
	}
	return NULL;
}

unsigned kr_manifests_next_number(const struct kr_manifests *list)
{
	unsigned last = 0;

	for (size_t i = 0; i < list->n_rows; i++) {
		if (list->rows[i].number > last)
			last = list->rows[i].number;
	}
	return last + 1;
}

/* A folder's name is the time of the beginning, so names sort by age. */
int kr_manifests_read(struct kr_fs *fs, struct kr_diag *diag,
                      struct kr_manifests *ret)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_dir_ struct kr_dir dir = {0};
	int r = kr_fs_list(fs, KR_STATE_DIR, &dir);

	if (r == -ENOENT) {
		*ret = list;
		return 0;
	}
	if (r < 0)
		return unreadable(diag, KR_STATE_DIR, r);
	r = check_owner(fs, diag);
	if (r < 0)
		return r;
	list.items = calloc(dir.n_entries + 1, sizeof(*list.items));
	if (!list.items)
		return -ENOMEM;
	for (size_t i = 0; i < dir.n_entries; i++) {
		const char *id = dir.entries[i].name;
		_cleanup_free_ char *path = kr_path_join(KR_STATE_DIR, id);

		if (dir.entries[i].type != DT_DIR)
			continue; /* the mark, or a copy of the program */
		r = path ? kr_manifest_read(fs, id, &list.items[list.n_items])
		         : -ENOMEM;
		/* without a record: a run that came to no file */
		if (r == -ENOENT)
			continue;
		list.last_is_unread = r < 0;
		if (r >= 0) {
			list.n_items++;
			continue;
		}
		if (!is_no_manifest(r))
			return unreadable(diag, path, r);
		strlcpy(list.last_unread, id, sizeof(list.last_unread));
		kr_diag_add_path(diag, KR_WARNING, "manifest", path, "%s",
		                 r == -EPROTONOSUPPORT
		                         ? "was written by a newer version of "
		                           "this program"
		                         : "is not a complete record of a fix");
	}
	end_undone(&list);
	r = add_rows(&list);
	if (r < 0)
		return r;
	*ret = list;
	list = (struct kr_manifests){0};
	return 0;
}

struct kr_manifest *kr_manifests_find(const struct kr_manifests *list,
                                      const char *id)
{
	return KR_FIND(list->items, list->n_items, id, id);
}

void kr_manifests_done(struct kr_manifests *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		kr_manifest_done(&list->items[i]);
	free(list->items);
	free(list->rows);
	*list = (struct kr_manifests){0};
}

static bool same_edits(const struct kr_manifest_file *m,
                       const struct kr_file_edits *f)
{
	if (m->n_edits != f->n_edits || m->removed != f->remove ||
	    !kr_perms_equal(&m->perms.from, &f->perms.from) ||
	    !kr_perms_equal(&m->perms.to, &f->perms.to))
		return false;
	for (size_t i = 0; i < m->n_edits; i++) {
		if (m->edits[i].offset != f->edits[i].offset ||
		    m->edits[i].length != f->edits[i].length ||
		    strcmp(m->edits[i].text, f->edits[i].text) != 0)
			return false;
	}
	return true;
}

/* Whether it did the changes of EDITS to the bytes that their files have now.
 */
static bool matches(const struct kr_manifest *manifest,
                    const struct kr_edits *edits)
{
	if (manifest->n_files != edits->n_files)
		return false;
	for (size_t i = 0; i < edits->n_files; i++) {
		const struct kr_manifest_file *m = &manifest->files[i];
		const struct kr_file_edits *f = &edits->files[i];
		char hex[KR_SHA256_HEX_SIZE] = "";

		if (f->file)
			kr_sha256_hex(f->file->data, f->file->size, hex);
		if (strcmp(m->path, f->path) != 0 ||
		    strcmp(m->before, hex) != 0 || !same_edits(m, f))
			return false;
	}
	return true;
}

/* Its change stands, or was undone by hand; one that was kept beside a kubelet
 * that was not healthy tells nothing for it. */
static bool went_well(const struct kr_manifest *m)
{
	return !m->broken && !kr_manifest_is_ended_undo(m) &&
	       (m->state == KR_MANIFEST_KEPT ||
	        (m->state == KR_MANIFEST_UNDONE && m->by_hand));
}

const struct kr_manifest *kr_manifests_find_same(
	const struct kr_manifests *list, struct kr_fs *fs,
	const struct kr_edits *edits)
{
	for (size_t i = list->n_items; i-- > 0;) {
		const struct kr_manifest *m = &list->items[i];

		/* one that others interrupted tells nothing of the change */
		if ((m->state == KR_MANIFEST_PUT_BACK || went_well(m)) &&
		    kr_manifest_is_ours(fs, m) && matches(m, edits))
			return m;
	}
	return NULL;
}

const struct kr_manifest *kr_manifests_find_blamed(
	const struct kr_manifests *list, struct kr_fs *fs, const char *name)
{
	for (size_t i = list->n_items; i-- > 0;) {
		const struct kr_manifest *m = &list->items[i];

		if (!kr_strings_contain(&m->controls, name) ||
		    !kr_manifest_is_ours(fs, m))
			continue;
		if (went_well(m))
			return NULL;
		if (m->state == KR_MANIFEST_PUT_BACK && m->blamed &&
		    strcmp(m->blamed, name) == 0)
			return m;
	}
	return NULL;
}

/* The edits of PATH; NULL: it is not changed. */
static const struct kr_file_edits *find_edits(const struct kr_edits *edits,
                                              const char *path)
{
	return KR_FIND(edits->files, edits->n_files, path, path);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || strchr("_./:+-", c);
}

/* The next word of AT, in letters and digits; NULL: there is none. */
static const char *next_word(const char *at, size_t *ret_length)
{
	while (*at && !is_word(*at))
		at++;
	*ret_length = 0;
	while (at[*ret_length] && is_word(at[*ret_length]))
		++*ret_length;
	return *ret_length > 0 ? at : NULL;
}

/* Whether TEXT has all words of WANTED, in their order: the keys and the value
 * of one control are among those of others that are written with it. */
static bool has_words(const char *text, const char *wanted)
{
	size_t n = 0, m;
	const char *word = next_word(wanted, &n), *at;

	for (at = next_word(text, &m); at && word; at = next_word(at + m, &m)) {
		if (m == n && memcmp(at, word, n) == 0)
			word = next_word(word + n, &n);
	}
	return !word;
}

/* Whether F does what E did, and maybe more in the same place. */
static bool has_edit(const struct kr_file_edits *f, const struct kr_edit *e)
{
	for (size_t i = 0; i < f->n_edits; i++) {
		const struct kr_edit *p = &f->edits[i];

		if (p->offset <= e->offset &&
		    e->offset + e->length <= p->offset + p->length &&
		    has_words(p->text, e->text))
			return true;
	}
	return false;
}

/* Whether F changes the bytes that M changed, as M did. */
static bool has_file(const struct kr_manifest_file *m,
                     const struct kr_file_edits *f)
{
	char hex[KR_SHA256_HEX_SIZE] = "";

	if (f->file)
		kr_sha256_hex(f->file->data, f->file->size, hex);
	if (strcmp(m->before, hex) != 0 || m->removed != f->remove)
		return false;
	for (size_t i = 0; i < m->n_edits; i++) {
		if (!has_edit(f, &m->edits[i]))
			return false;
	}
	return (!kr_perms_changes_mode(&m->perms) ||
	        m->perms.to.mode == f->perms.to.mode) &&
	       (!kr_perms_changes_owner(&m->perms) ||
	        kr_perms_same_owner(&m->perms.to, &f->perms.to));
}

static bool has_files(const struct kr_manifest *m, const struct kr_edits *edits)
{
	for (size_t i = 0; i < m->n_files; i++) {
		const struct kr_file_edits *f =
			find_edits(edits, m->files[i].path);

		if (!f || !has_file(&m->files[i], f))
			return false;
	}
	return true;
}

static bool all_among(const struct kr_manifest *m, const char *const *names,
                      size_t n_names)
{
	for (size_t i = 0; i < m->controls.n_items; i++) {
		if (!kr_is_among(m->controls.items[i], names, n_names))
			return false;
	}
	return m->controls.n_items > 0;
}

/* Whether a record of LIST behind that of number I shows that its controls went
 * well. */
static bool went_well_since(const struct kr_manifests *list, size_t i,
                            struct kr_fs *fs)
{
	for (size_t k = i + 1; k < list->n_items; k++) {
		const struct kr_manifest *m = &list->items[k];

		if (went_well(m) && kr_manifest_is_ours(fs, m) &&
		    all_among(&list->items[i],
		              (const char *const *)m->controls.items,
		              m->controls.n_items))
			return true;
	}
	return false;
}

/* Whether record I was put back, for what no control is to blame, and nothing
 * since speaks for it. */
static bool is_against(const struct kr_manifests *list, size_t i,
                       struct kr_fs *fs)
{
	const struct kr_manifest *m = &list->items[i];

	return m->state == KR_MANIFEST_PUT_BACK && !m->blamed &&
	       kr_manifest_is_ours(fs, m) && !went_well_since(list, i, fs);
}

const struct kr_manifest *kr_manifests_find_contained(
	const struct kr_manifests *list, struct kr_fs *fs,
	const struct kr_edits *edits, const char *const *names, size_t n_names)
{
	for (size_t i = list->n_items; i-- > 0;) {
		const struct kr_manifest *m = &list->items[i];

		if (is_against(list, i, fs) && m->controls.n_items < n_names &&
		    all_among(m, names, n_names) && has_files(m, edits))
			return m;
	}
	return NULL;
}

/* Whether the files of M are as they were before it. */
static bool is_before(const struct kr_manifest *m, struct kr_fs *fs)
{
	KR_EACH(const struct kr_manifest_file, f, m->files, m->n_files) {
		const struct kr_file *file;
		int r = kr_fs_read(fs, f->path, &file);

		if (*f->before ? r < 0 || !kr_file_has_hash(file, f->before)
		               : r != -ENOENT)
			return false;
	}
	return true;
}

const struct kr_manifest *kr_manifests_find_put_back(
	const struct kr_manifests *list, struct kr_fs *fs,
	const char *const *names, size_t n_names)
{
	for (size_t i = list->n_items; i-- > 0;) {
		const struct kr_manifest *m = &list->items[i];

		if (is_against(list, i, fs) && all_among(m, names, n_names) &&
		    is_before(m, fs))
			return m;
	}
	return NULL;
}

static bool has_ctime(const struct kr_manifest *m, const char *path,
                      uint64_t usec)
{
	return KR_ANY(f, m->files, m->n_files,
	              f->ctime_usec == usec && strcmp(f->path, path) == 0);
}

bool kr_manifests_changed_ctime(const struct kr_manifests *list,
                                const char *path, const struct timespec *ctime)
{
	uint64_t usec = kr_timespec_usec(ctime);

	for (size_t i = 0; usec > 0 && i < list->n_items; i++) {
		if (has_ctime(&list->items[i], path, usec))
			return true;
	}
	return false;
}
