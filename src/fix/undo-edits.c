/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What takes a fix back, file by file.
 *
 *   the file is as we left it           our bytes are put back
 *   it is as it was before us           nothing to do
 *   it has other changes                each edit is followed to where it is
 *                                       now (fix/undo-carry): only our span is
 *                                       reverted; nowhere, the edit is gone
 *                                       (the platform has written the file
 *                                       anew); more than once, or changed by a
 *                                       later fix of ours, refused
 *   we made it                          it goes, unless it was changed since
 *   we gave it another mode or owner    the old one is put back; refused where
 *                                       it has neither the new one nor the old
 *
 * A record may have been damaged, or be of somebody who built the image. So
 * nothing that it says of bytes is believed: its edits of the copy must give
 * what it says that we left, and what puts our bytes back must give the copy.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fix/undo-carry.h"
#include "fix/undo.h"

static const char MISFIT[] = "its copy does not fit the record";

struct reversing {
	struct kr_fs *fs;
	const struct kr_manifests *list;
	const struct kr_manifest *manifest;
	struct kr_diag *diag;
	struct kr_edits *edits;
	const char *reason; /* of a refusal */
	bool any;           /* there is something to take back */
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

	if (memchr(old->data + edit->offset, '\0', edit->length))
		return refuse(r, now->path, "its copy holds a NUL there");
	text = strndup(old->data + edit->offset, edit->length);
	if (!text)
		return -ENOMEM;
	r->any = true;
	return kr_edits_add(r->edits, span, text);
}

/* Whether the edits of NOW, all of which are ours, make OLD of it. */
static int gives_back(struct reversing *r, const struct kr_file *now,
                      const struct kr_file *old)
{
	for (size_t i = 0; i < r->edits->n_files; i++) {
		const struct kr_file_edits *f = &r->edits->files[i];
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

	for (size_t i = 0; i < file->n_edits; i++) {
		const struct kr_edit *e = &file->edits[i];
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

/* A later fix of ours changed the very bytes: that one goes first. */
static int refuse_taken(struct reversing *r, const struct kr_file *now,
                        const char *by)
{
	r->reason = "a later fix changed the same words: undo that one first";
	kr_diag_add_path(r->diag, KR_ERROR, "undo-refused", now->path,
	                 "the later fix %s changed the same words: undo that "
	                 "one first",
	                 by);
	return KR_UNDO_REFUSED;
}

static int revert_carried(struct reversing *r, const struct kr_file *now,
                          const struct kr_file *old, const struct kr_edit *edit,
                          const struct kr_carry *carry)
{
	switch (carry->state) {
	case KR_CARRIED_GONE:
		return 0;
	case KR_CARRIED_TAKEN:
		return refuse_taken(r, now, carry->by);
	case KR_CARRIED_TWICE:
		return refuse_lines(r, now, carry->offset, carry->length);
	default:
		return revert_edit(r, now, carry->offset, old, edit);
	}
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

	if (result == -EBADMSG)
		return refuse(
			r, file->path,
			"the record of a later fix does not fit its copy");
	if (result < 0)
		return result;
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
	if (result < 0 || kr_file_has_hash(now, file->after))
		return result;
	return refuse(r, file->path,
	              "was made by the fix and changed by somebody since");
}

static int refuse_perms(struct reversing *r, const char *path,
                        const struct kr_perms *now, const struct kr_perms *left)
{
	char modes[2][KR_MODE_SIZE], owners[2][KR_OWNER_SIZE];

	r->reason = "a mode or owner was changed by somebody since";
	kr_mode_format(now->mode, modes[0]);
	kr_mode_format(left->mode, modes[1]);
	kr_owner_describe(now, owners[0]);
	kr_owner_describe(left, owners[1]);
	kr_diag_add_path(r->diag, KR_ERROR, "undo-refused", path,
	                 "its mode or owner was changed by somebody since: it "
	                 "has %s, %s and not %s, %s, as the fix left it",
	                 modes[0], owners[0], modes[1], owners[1]);
	return KR_UNDO_REFUSED;
}

/* Mode and owner, whatever the bytes are by now. */
static int revert_perms(struct reversing *r,
                        const struct kr_manifest_file *file)
{
	const struct kr_file *now;
	struct kr_perms is, back;
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
	is = kr_perms_of(&now->st);
	switch (kr_perms_take_back(&file->perms, &is, &back)) {
	case KR_PERMS_OTHERS:
		return refuse_perms(r, file->path, &is, &file->perms.to);
	case KR_PERMS_BEFORE:
		return 0;
	default:
		break;
	}
	r->any = true;
	result = kr_edits_chmod(r->edits, now, back.mode);
	if (result < 0)
		return result;
	return kr_edits_chown(r->edits, now, back.uid, back.gid);
}

static int revert_bytes(struct reversing *r,
                        const struct kr_manifest_file *file)
{
	_cleanup_free_ char *after = NULL;
	const struct kr_file *now, *old;
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
	if (kr_file_has_hash(now, file->after))
		return revert_exactly(r, now, old, file);
	return revert_among_others(r, now, old, file);
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
                  struct kr_edits *edits, const char **ret_reason)
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
	if (result == -EEXIST)
		result = refuse(&r, manifest->files[0].path,
		                "two of the changes touch each other now");
	if (result != 0) {
		*ret_reason = r.reason ? r.reason : "a file cannot be read";
		return result;
	}
	if (r.any)
		kr_diag_merge(diag, &staying);
	*ret_reason = r.any ? NULL
	                    : "what it changed is not there any more: somebody "
	                      "has written the files anew, or changed the very "
	                      "words";
	return r.any ? KR_UNDO_POSSIBLE : KR_UNDO_NOTHING;
}
