/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What undoes a fix, file by file.
 *
 *   the file is as we left it           our bytes are put back
 *   it is as it was before us           nothing to do
 *   it has other changes                each edit is followed to where it is
 *                                       now (fix/undo-carry): only our span is
 *                                       reverted; more than once, or changed by
 *                                       a later fix of ours, refused. Nowhere,
 *                                       the edit is gone: nothing to do where
 *                                       what it had replaced is back, or where
 *                                       the platform has written the file again
 *                                       from a place that holds our change;
 *                                       else others changed the very words, and
 *                                       it is refused
 *   we made it                          it goes, unless it was changed since
 *   we gave it another mode or owner    the old one is put back; refused where
 *                                       it has neither the new one nor the old,
 *                                       or the new one by a later fix
 *
 * A record may have been damaged, or be of those who built the image. So
 * nothing that it says of bytes is believed: its edits of the copy must give
 * what it says that we left, and what puts our bytes back must give the copy.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "fix/undo-carry.h"
#include "fix/undo.h"
#include "policy/durable.h"

static const char MISFIT[] = "its copy does not fit the record";

struct reversing {
	struct kr_fs *fs;
	const struct kr_manifests *list;
	const struct kr_manifest *manifest;
	struct kr_diag *diag;
	struct kr_edits *edits;
	const char *reason; /* of a refusal */
	const char *later;  /* the fix that must go first; NULL */
	bool any;           /* there is something to revert */
};

/* The lines at AT, LENGTH bytes of them, tell nothing. They may be those of a
 * file that is not there any more. */
static int refuse_lines(struct reversing *r, const struct kr_file *now,
                        size_t at, size_t length)
{
	const bool there = at <= now->size && length <= now->size - at;
	const struct kr_span span = {now, there ? at : 0, there ? length : 0};

	r->reason = "the lines that were changed stand there more than once "
		    "now";
	kr_diag_add(r->diag, KR_ERROR, "undo-refused", span, "%s", r->reason);
	return KR_UNDO_REFUSED;
}

static int refuse(struct reversing *r, const char *path, const char *reason)
{
	r->reason = reason;
	kr_diag_add_path(r->diag, KR_ERROR, "undo-refused", path, "%s", reason);
	return KR_UNDO_REFUSED;
}

/* The bytes [OFFSET, OFFSET + LENGTH) of NOW become those of EDIT in OLD. */
static int revert_edit(struct reversing *r, const struct kr_file *now,
                       size_t offset, const struct kr_file *old,
                       const struct kr_edit *edit)
{
	const struct kr_span span = {now, offset, strlen(edit->text)};
	_cleanup_free_ char *text = NULL;
	int result;

	if (memchr(old->data + edit->offset, '\0', edit->length))
		return refuse(r, now->path, "its copy holds a NUL there");
	text = strndup(old->data + edit->offset, edit->length);
	if (!text)
		return -ENOMEM;
	r->any = true;
	result = kr_edits_add(r->edits, span, text);
	return result < 0 ? result : kr_edits_tell(r->edits, span, edit->about);
}

/* Whether the edits of NOW, all of which are ours, make OLD of it. */
static int gives_back(struct reversing *r, const struct kr_file *now,
                      const struct kr_file *old)
{
	KR_EACH(const struct kr_file_edits, f, r->edits->files,
	        r->edits->n_files) {
		_cleanup_free_ char *data = NULL;
		size_t size;
		int result;

		if (f->file != now)
			continue;
		result = kr_file_edits_apply(f, &data, &size);
		if (result < 0 && result != -EINVAL)
			return result;
		if (result == -EINVAL || size != old->size ||
		    memcmp(data, old->data, size) != 0)
			return refuse(r, now->path, MISFIT);
		return 0;
	}
	return refuse(r, now->path, MISFIT);
}

/* The file is as we left it: every edit stands where it was put. */
static int revert_exactly(struct reversing *r, const struct kr_file *now,
                          const struct kr_file *old,
                          const struct kr_manifest_file *file)
{
	size_t grown = 0, shrunk = 0;

	KR_EACH(const struct kr_edit, e, file->edits, file->n_edits) {
		int result =
			revert_edit(r, now, e->offset + grown - shrunk, old, e);

		if (result != 0)
			return result;
		grown += strlen(e->text);
		shrunk += e->length;
	}
	return gives_back(r, now, old);
}

/* --- a file with other changes ------------------------------------------- */

/* A later fix of ours changed the very bytes, or the mode: that one goes first.
 */
static int refuse_taken(struct reversing *r, const char *path, bool words,
                        const char *by)
{
	r->reason = words ? "a later fix changed the same words: undo that one "
	                    "first"
	                  : "a later fix changed its mode or owner, too: undo "
	                    "that one first";
	r->later = by;
	kr_diag_add_path(r->diag, KR_ERROR, "undo-refused", path,
	                 "the later fix %s changed %s: undo that one first", by,
	                 words ? "the same words" : "its mode or owner, too");
	return KR_UNDO_REFUSED;
}

static int revert_carried(struct reversing *r, const struct kr_file *now,
                          const struct kr_file *old, const struct kr_edit *edit,
                          const struct kr_carry *carry)
{
	switch (carry->state) {
	case KR_CARRIED_GONE:
	case KR_CARRIED_BACK:
		return 0;
	case KR_CARRIED_TAKEN:
		return refuse_taken(r, now->path, true, carry->by);
	case KR_CARRIED_TWICE:
		return refuse_lines(r, now, carry->offset, carry->length);
	default:
		return revert_edit(r, now, carry->offset, old, edit);
	}
}

/* Whether the platform writes files of ours again with our change in them: the
 * fix has put it into the place from which it does. */
static bool is_durable(const struct kr_manifest *m)
{
	return KR_ANY(f, m->files, m->n_files, kr_durable_is_place(f->path));
}

/* How many bytes A and B, of at most N each, have in common at their begins, in
 * whole lines; BACK: at their ends, which lie there. */
static size_t common_lines(const char *a, const char *b, size_t n, bool back)
{
	size_t same = 0, lines = 0;

	for (; same < n; same++) {
		const char c = back ? a[-1 - (ssize_t)same] : a[same];

		if (c != (back ? b[-1 - (ssize_t)same] : b[same]))
			break;
		if (c == '\n')
			lines = back ? same : same + 1;
	}
	return same == n && !back ? n : lines;
}

/* The very words were changed by others. What is shown is the way to what was
 * there before the fix: the lines in which NOW and OLD differ. */
static int refuse_changed(struct reversing *r, const struct kr_file *now,
                          const struct kr_file *old)
{
	size_t least = now->size < old->size ? now->size : old->size;
	size_t head = common_lines(now->data, old->data, least, false);
	size_t tail = common_lines(now->data + now->size, old->data + old->size,
	                           least - head, true);
	const struct kr_span span = {now, head, now->size - head - tail};
	_cleanup_free_ char *text =
		strndup(old->data + head, old->size - head - tail);
	int result = text ? kr_edits_add(r->edits, span, text) : -ENOMEM;

	if (result < 0)
		return result;
	return refuse(r, now->path,
	              "the text that the fix wrote has been changed since");
}

static int revert_among_others(struct reversing *r, const struct kr_file *now,
                               const struct kr_file *old,
                               const struct kr_manifest_file *file)
{
	_cleanup_free_ struct kr_carry *carry =
		calloc(file->n_edits, sizeof(*carry));
	int result = carry ? kr_undo_carry(r->fs, r->list, r->manifest, file,
	                                   now, carry)
	                   : -ENOMEM;

	if (result == KR_MALFORMED)
		return refuse(
			r, file->path,
			"the record of a later fix does not fit its copy");
	if (result < 0)
		return result;
	for (size_t i = 0; i < file->n_edits; i++) {
		if (carry[i].state == KR_CARRIED_GONE &&
		    !is_durable(r->manifest))
			return refuse_changed(r, now, old);
	}
	/* a refusal shows what would become of the others */
	for (size_t i = 0; i < file->n_edits; i++) {
		int one =
			revert_carried(r, now, old, &file->edits[i], &carry[i]);

		if (one < 0)
			return one;
		if (one != 0)
			result = one;
	}
	return result;
}

/* --- one file ------------------------------------------------------------ */

/* What the fix had left, by its edits of OLD (NULL: it made the file), and by
 * the hash that it kept. KR_UNDO_REFUSED: these differ. */
static int redo(struct reversing *r, const struct kr_manifest_file *file,
                const struct kr_file *old, char **ret, size_t *ret_size)
{
	const struct kr_file_edits ours = {
		.file = old,
		.path = file->path,
		.edits = file->edits,
		.n_edits = file->n_edits,
	};
	char hex[KR_SHA256_HEX_SIZE];
	int result = kr_file_edits_apply(&ours, ret, ret_size);

	if (result == -EINVAL)
		return refuse(r, file->path, MISFIT);
	if (result < 0)
		return result;
	kr_sha256_hex(*ret, *ret_size, hex);
	return strcmp(hex, file->after) == 0 ? 0
	                                     : refuse(r, file->path, MISFIT);
}

static int revert_made(struct reversing *r, const struct kr_manifest_file *file)
{
	_cleanup_free_ char *after = NULL;
	const struct kr_file *now;
	size_t size;
	int result = redo(r, file, NULL, &after, &size);

	if (result != 0)
		return result;
	result = kr_fs_read(r->fs, file->path, &now);
	if (result == -ENOENT)
		return 0;
	if (result < 0)
		return result;
	r->any = true;
	result = kr_edits_remove(r->edits, now);
	for (size_t i = 0; i < file->n_edits && result == 0; i++)
		result = kr_edits_tell(r->edits, (struct kr_span){now, 0, 0},
		                       file->edits[i].about);
	if (result < 0 || kr_file_has_hash(now, file->after))
		return result;
	return refuse(r, file->path,
	              "was made by the fix and changed by others since");
}

static int refuse_perms(struct reversing *r, const char *path,
                        const struct kr_perms *now, const struct kr_perms *left)
{
	char modes[2][KR_MODE_SIZE], owners[2][KR_OWNER_SIZE];

	r->reason = "a mode or owner was changed by others since";
	kr_mode_format(now->mode, modes[0]);
	kr_mode_format(left->mode, modes[1]);
	kr_owner_describe(now, owners[0]);
	kr_owner_describe(left, owners[1]);
	kr_diag_add_path(
		r->diag, KR_ERROR, "undo-refused", path,
		"its mode or owner was changed by others since: it "
		"has %s, %s; undo needs %s, %s, as the last fix left it",
		modes[0], owners[0], modes[1], owners[1]);
	return KR_UNDO_REFUSED;
}

/* Whether what FILE changed of mode and owner is LEFT in NOW. */
static bool is_left(const struct kr_manifest_file *file,
                    const struct kr_perms *now, const struct kr_perms *left)
{
	return (!kr_perms_changes_mode(&file->perms) ||
	        now->mode == left->mode) &&
	       (!kr_perms_changes_owner(&file->perms) ||
	        kr_perms_same_owner(now, left));
}

/* Mode and owner, whatever the bytes are by now. */
static int revert_perms(struct reversing *r,
                        const struct kr_manifest_file *file)
{
	const struct kr_manifest *by;
	const struct kr_file *now;
	struct kr_perms is, back, left;
	enum kr_perms_found found;
	int result;

	if (!kr_perms_changes(&file->perms))
		return 0;
	result = kr_fs_read(r->fs, file->path, &now);
	if (result == -ENOENT)
		return 0;
	if (result < 0)
		return result;
	if (strcmp(now->real, file->path) != 0)
		return refuse(r, file->path,
		              "was replaced by a link to another file since");
	is = kr_file_perms(now);
	by = kr_undo_carry_perms(r->list, r->manifest, file, &left);
	found = kr_perms_take_back(&file->perms, &is, &back);
	if (found == KR_PERMS_BEFORE)
		return 0;
	if (by && is_left(file, &is, &left))
		return refuse_taken(r, file->path, false, by->id);
	if (by || found == KR_PERMS_OTHERS)
		return refuse_perms(r, file->path, &is, &left);
	r->any = true;
	result = kr_edits_chmod(r->edits, now, back.mode);
	if (result < 0)
		return result;
	return kr_edits_chown(r->edits, now, back.uid, back.gid);
}

/* The last later fix that stands and left the very bytes that FILE's left: what
 * was between was written by hand, and that it is gone is its doing. NULL:
 * none.
 */
static const char *find_same(const struct reversing *r,
                             const struct kr_manifest_file *file)
{
	const struct kr_manifests *list = r->list;

	for (size_t k = list ? list->n_items : 0; k-- > 0;) {
		const struct kr_manifest *m = &list->items[k];

		if (strcmp(m->id, r->manifest->id) == 0)
			return NULL;
		for (size_t i = 0; i < m->n_files; i++) {
			if (m->state == KR_MANIFEST_KEPT &&
			    !kr_manifest_file_in_place(&m->files[i]) &&
			    strcmp(m->files[i].path, file->path) == 0 &&
			    strcmp(m->files[i].after, file->after) == 0)
				return m->id;
		}
	}
	return NULL;
}

static int revert_bytes(struct reversing *r,
                        const struct kr_manifest_file *file)
{
	_cleanup_free_ char *after = NULL;
	_cleanup_file_ struct kr_file *old = NULL;
	const struct kr_file *now;
	const char *later;
	size_t size;
	int result;

	if (!file->copy)
		return revert_made(r, file);
	result = kr_manifest_copy(r->fs, r->manifest->id, file, &old);
	if (result == -ENOMEM)
		return result;
	if (result < 0 || file->removed)
		return refuse(r, file->path,
		              "its copy in " KR_STATE_DIR " is not there or "
		              "not what was kept");
	result = redo(r, file, old, &after, &size);
	if (result != 0)
		return result;
	result = kr_fs_read(r->fs, file->path, &now);
	if (result == -ENOENT)
		return 0; /* gone, and our edit with it */
	if (result < 0)
		return result;
	if (kr_file_has_hash(now, file->before))
		return 0;
	if (!kr_file_has_hash(now, file->after))
		return revert_among_others(r, now, old, file);
	later = find_same(r, file);
	return later ? refuse_taken(r, now->path, true, later)
	             : revert_exactly(r, now, old, file);
}

/* STAYING gets the words for a file that has nothing of ours. */
static int revert_next(struct reversing *r, const struct kr_manifest_file *file,
                       struct kr_diag *staying)
{
	bool any = r->any;
	int result;

	r->any = false;
	result = kr_manifest_file_in_place(file) ? 0 : revert_bytes(r, file);
	if (result == 0)
		result = revert_perms(r, file);
	if (result == 0 && !r->any)
		kr_diag_add_path(staying, KR_NOTE, "undo-nothing", file->path,
		                 "stays as it is: what the fix changed there "
		                 "is not there any more");
	r->any |= any;
	return result;
}

int kr_undo_edits(struct kr_fs *fs, const struct kr_manifests *list,
                  const struct kr_manifest *manifest, struct kr_diag *diag,
                  struct kr_edits *edits, const char **ret_reason,
                  const char **ret_later)
{
	_cleanup_edits_ struct kr_edits unwanted = {0};
	_cleanup_diag_ struct kr_diag staying = {0};
	struct reversing r = {
		.fs = fs,
		.list = list,
		.manifest = manifest,
		.diag = diag,
		.edits = edits ? edits : &unwanted,
	};
	int result = 0;

	if (ret_later)
		*ret_later = NULL;
	if (!kr_manifest_is_ours(fs, manifest)) {
		*ret_reason = "it was made on another machine";
		return KR_UNDO_FOREIGN;
	}
	/* the last file that was replaced goes back first; a refusal shows what
	 * would become of all the others */
	for (size_t i = manifest->n_files; result >= 0 && i-- > 0;) {
		int one = revert_next(&r, &manifest->files[i], &staying);

		if (one != 0)
			result = one;
	}
	if (result == KR_COLLIDES)
		result = refuse(&r, manifest->files[0].path,
		                "two of the changes touch each other now");
	if (result != 0) {
		*ret_reason = r.reason ? r.reason : "a file cannot be read";
		if (ret_later)
			*ret_later = r.later;
		return result;
	}
	if (r.any)
		kr_diag_merge(diag, &staying);
	*ret_reason = r.any ? NULL
	                    : "what it changed is not there any more: others "
	                      "have put it back, or written the files again";
	return r.any ? KR_UNDO_POSSIBLE : KR_UNDO_NOTHING;
}
