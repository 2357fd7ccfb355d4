/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Edits: byte splices, kept sorted, never overlapping. No two start at one
 * offset either: which of them came first would be unknown. An insertion where
 * another edit ends comes behind that edit's text. What is added keeps to that;
 * edits may come from elsewhere, too (a record), so who applies them looks.
 *
 * A file may get another mode or owner, too, with edits or without any. A
 * file that is made or goes does not: the first is root's, with a mode of its
 * own, the second has none then.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/edit.h"
#include "base/vec.h"

static struct kr_file_edits *find(const struct kr_edits *edits,
                                  const char *path)
{
	return KR_FIND(edits->files, edits->n_files, path, path);
}

static struct kr_file_edits *file_edits(struct kr_edits *edits,
                                        const struct kr_file *file,
                                        const char *path)
{
	struct kr_file_edits *next = find(edits, path);
	char *copy;

	if (next)
		return next;
	copy = strdup(path);
	if (!copy)
		return NULL;
	next = KR_VEC_NEXT(edits->files, edits->n_files);
	if (!next) {
		free(copy);
		return NULL;
	}
	edits->n_files++;
	*next = (struct kr_file_edits){.file = file, .path = copy};
	return next;
}

static int insert(struct kr_file_edits *f, size_t offset, size_t length,
                  const char *text)
{
	size_t at = f->n_edits;
	char *copy;

	/* from the end: most edits come in order */
	while (at > 0 && f->edits[at - 1].offset >= offset)
		at--;
	if (at < f->n_edits && f->edits[at].offset == offset &&
	    f->edits[at].length == length &&
	    strcmp(f->edits[at].text, text) == 0)
		return 0;
	if (at < f->n_edits && f->edits[at].offset < offset + length)
		return KR_COLLIDES;
	if (at < f->n_edits && f->edits[at].offset == offset)
		return KR_COLLIDES;
	if (at > 0 &&
	    f->edits[at - 1].offset + f->edits[at - 1].length > offset)
		return KR_COLLIDES;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	if (!KR_VEC_NEXT(f->edits, f->n_edits)) {
		free(copy);
		return -ENOMEM;
	}
	memmove(f->edits + at + 1, f->edits + at,
	        (f->n_edits - at) * sizeof(*f->edits));
	f->edits[at] = (struct kr_edit){
		.offset = offset, .length = length, .text = copy};
	f->n_edits++;
	return 0;
}

int kr_edits_add(struct kr_edits *edits, struct kr_span span, const char *text)
{
	struct kr_file_edits *f = file_edits(edits, span.file, span.file->real);

	if (!f)
		return -ENOMEM;
	return insert(f, span.offset, span.length, text);
}

static void remove_edit(struct kr_file_edits *f, size_t at)
{
	free(f->edits[at].text);
	free(f->edits[at].about);
	f->n_edits--;
	memmove(f->edits + at, f->edits + at + 1,
	        (f->n_edits - at) * sizeof(*f->edits));
}

/* Whether E is a cut that overlaps or touches [START, END). */
static bool joins(const struct kr_edit *e, size_t start, size_t end)
{
	return !*e->text && e->offset <= end && e->offset + e->length >= start;
}

/* Whether E changes bytes of [START, END), or inserts where that starts. */
static bool conflicts(const struct kr_edit *e, size_t start, size_t end)
{
	return e->offset == start ||
	       (e->offset < end && e->offset + e->length > start);
}

int kr_edits_cut(struct kr_edits *edits, struct kr_span span)
{
	struct kr_file_edits *f = file_edits(edits, span.file, span.file->real);
	size_t start = span.offset, end = kr_span_end(span);

	if (!f)
		return -ENOMEM;
	KR_EACH(const struct kr_edit, e, f->edits, f->n_edits) {
		size_t e_end = e->offset + e->length;

		if (!joins(e, start, end))
			continue;
		start = e->offset < start ? e->offset : start;
		end = e_end > end ? e_end : end;
	}
	/* what is refused leaves all as it was */
	for (size_t i = 0; i < f->n_edits; i++) {
		if (!joins(&f->edits[i], start, end) &&
		    conflicts(&f->edits[i], start, end))
			return KR_COLLIDES;
	}
	for (size_t i = 0; i < f->n_edits;) {
		if (joins(&f->edits[i], start, end))
			remove_edit(f, i);
		else
			i++;
	}
	return insert(f, start, end - start, "");
}

static int join(struct kr_file_edits *f, size_t at)
{
	struct kr_edit *a = &f->edits[at], *b = a + 1;
	char *text;

	if (asprintf(&text, "%s%s", a->text, b->text) < 0)
		return -ENOMEM;
	free(a->text);
	a->text = text;
	a->length += b->length;
	remove_edit(f, at + 1);
	return 0;
}

int kr_edits_join(struct kr_edits *edits)
{
	KR_EACH(struct kr_file_edits, f, edits->files, edits->n_files) {
		for (size_t k = 0; k + 1 < f->n_edits;) {
			const struct kr_edit *e = &f->edits[k];

			if (e->offset + e->length < f->edits[k + 1].offset)
				k++;
			else if (join(f, k) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

/* --- edits of what edits leave -------------------------------------------- */

/* Adds NAMES, with commas between them, to those of *TO, each once. */
static int add_about(char **to, const char *names)
{
	while (names && *names) {
		size_t length = strcspn(names, ",");
		const char *at = *to;
		char *longer;

		while (at && !(strncmp(at, names, length) == 0 &&
		               (!at[length] || at[length] == ','))) {
			at = strchr(at, ',');
			at = at ? at + 1 : NULL;
		}
		if (!at) {
			if (asprintf(&longer, "%s%s%.*s", *to ? *to : "",
			             *to ? "," : "", (int)length, names) < 0)
				return -ENOMEM;
			free(*to);
			*to = longer;
		}
		names += length + (names[length] == ',');
	}
	return 0;
}

int kr_file_edits_tell(struct kr_file_edits *edits, const char *name)
{
	for (size_t i = 0; i < edits->n_edits; i++) {
		int r = add_about(&edits->edits[i].about, name);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The edit of F at OFFSET is for NAMES, too. */
static int tell_at(struct kr_file_edits *f, size_t offset, const char *names)
{
	for (size_t i = 0; i < f->n_edits; i++) {
		if (f->edits[i].offset == offset)
			return add_about(&f->edits[i].about, names);
	}
	return 0;
}

int kr_edits_tell(struct kr_edits *edits, struct kr_span span,
                  const char *names)
{
	struct kr_file_edits *f = find(edits, span.file->real);

	return f ? tell_at(f, span.offset, names) : 0;
}

static size_t end_of(const struct kr_edit *e)
{
	return e->offset + e->length;
}

/*
 * E, of the bytes that F's edits leave, becomes one edit of F with those whose
 * texts it touches. MOVED is how much further on bytes stand there than in the
 * file: unsigned, it wraps where they stand before.
 */
static int splice(struct kr_file_edits *f, const struct kr_edit *e)
{
	size_t moved = 0, first = 0, last, head = 0, start, end;
	_cleanup_free_ char *text = NULL, *about = NULL;
	const struct kr_edit *old;
	const char *tail = "";
	int r;

	for (; first < f->n_edits; first++) {
		size_t length = strlen(f->edits[first].text);

		old = &f->edits[first];
		if (old->offset + moved + length >= e->offset)
			break;
		moved += length - old->length;
	}
	start = e->offset - moved;
	if (first < f->n_edits && f->edits[first].offset + moved <= e->offset) {
		head = start - f->edits[first].offset;
		start = f->edits[first].offset;
	}
	for (last = first; last < f->n_edits; last++) {
		old = &f->edits[last];
		if (old->offset + moved > end_of(e))
			break;
		moved += strlen(old->text) - old->length;
	}
	end = end_of(e) - moved;
	old = last > first ? &f->edits[last - 1] : NULL;
	if (old && end_of(old) + moved >= end_of(e)) {
		tail = old->text + strlen(old->text) - (end_of(old) - end);
		end = end_of(old);
	}
	if (asprintf(&text, "%.*s%s%s", (int)head,
	             old ? f->edits[first].text : "", e->text, tail) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	for (size_t i = first; i < last; i++) {
		r = add_about(&about, f->edits[i].about);
		if (r < 0)
			return r;
	}
	r = add_about(&about, e->about);
	if (r < 0)
		return r;
	for (; last > first; last--)
		remove_edit(f, first);
	/* an insertion that is cut again */
	if (start == end && !*text)
		return 0;
	r = insert(f, start, end - start, text);
	return r < 0 ? r : tell_at(f, start, about);
}

/* A file that is edited and then nothing is different is no edit. */
static void forget(struct kr_edits *edits, struct kr_file_edits *f)
{
	if (f->n_edits > 0 || !f->file || f->remove ||
	    kr_perms_changes(&f->perms))
		return;
	free(f->edits);
	free(f->path);
	edits->n_files--;
	memmove(f, f + 1,
	        (size_t)(edits->files + edits->n_files - f) * sizeof(*f));
}

/* MORE behind TO, which is of the same file: one may be of the mode, the other
 * of the owner. */
static int then_perms(struct kr_perms_change *to,
                      const struct kr_perms_change *more)
{
	if (!kr_perms_changes(to)) {
		*to = *more;
		return 0;
	}
	if ((kr_perms_changes_mode(to) && kr_perms_changes_mode(more)) ||
	    (kr_perms_changes_owner(to) && kr_perms_changes_owner(more)))
		return KR_COLLIDES;
	if (kr_perms_changes_mode(more))
		to->to.mode = more->to.mode;
	if (kr_perms_changes_owner(more)) {
		to->to.uid = more->to.uid;
		to->to.gid = more->to.gid;
	}
	return 0;
}

static int then(struct kr_edits *edits, const struct kr_file_edits *more)
{
	struct kr_file_edits *f = find(edits, more->path);
	bool made = !f;

	if (f && (f->remove || more->remove || !more->file))
		return KR_COLLIDES;
	if (!f)
		f = file_edits(edits, more->file, more->path);
	if (!f)
		return -ENOMEM;
	f->remove = more->remove;
	if (made)
		f->made_mode = more->made_mode;
	if (kr_perms_changes(&more->perms) &&
	    then_perms(&f->perms, &more->perms) < 0)
		return KR_COLLIDES;
	for (size_t i = more->n_edits; i > 0; i--) {
		const struct kr_edit *e = &more->edits[i - 1];
		/* what is made may be empty */
		int r = made ? insert(f, e->offset, e->length, e->text)
		             : splice(f, e);

		if (r < 0)
			return r;
		r = made ? tell_at(f, e->offset, e->about) : 0;
		if (r < 0)
			return r;
	}
	forget(edits, f);
	return 0;
}

int kr_edits_then(struct kr_edits *edits, const struct kr_edits *more)
{
	for (size_t i = 0; i < more->n_files; i++) {
		int r = then(edits, &more->files[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

int kr_edits_create(struct kr_edits *edits, const char *path, const char *text)
{
	struct kr_file_edits *f;

	if (find(edits, path))
		return KR_COLLIDES;
	f = file_edits(edits, NULL, path);
	if (!f)
		return -ENOMEM;
	return insert(f, 0, 0, text);
}

int kr_edits_remove(struct kr_edits *edits, const struct kr_file *file)
{
	struct kr_file_edits *f = file_edits(edits, file, file->real);

	if (!f)
		return -ENOMEM;
	if (f->n_edits > 0 || kr_perms_changes(&f->perms))
		return KR_COLLIDES;
	f->remove = true;
	return insert(f, 0, file->size, "");
}

/* The entry of FILE, with its mode and owner as they are to be so far. */
static int to_change(struct kr_edits *edits, const struct kr_file *file,
                     struct kr_file_edits **ret)
{
	struct kr_file_edits *f = file_edits(edits, file, file->real);

	if (!f)
		return -ENOMEM;
	if (f->remove || !f->file)
		return KR_COLLIDES;
	if (!kr_perms_changes(&f->perms))
		f->perms.from = f->perms.to = kr_file_perms(file);
	*ret = f;
	return 0;
}

int kr_edits_chmod(struct kr_edits *edits, const struct kr_file *file,
                   mode_t mode)
{
	struct kr_file_edits *f = find(edits, file->real);
	bool other = f && kr_perms_changes_mode(&f->perms);
	int r;

	if (file->overlay)
		return -EINVAL;
	mode &= KR_PERMS_MASK;
	if (other)
		return f->perms.to.mode == mode ? 0 : KR_COLLIDES;
	if (kr_file_perms(file).mode == mode)
		return 0;
	r = to_change(edits, file, &f);
	if (r < 0)
		return r;
	f->perms.to.mode = mode;
	return 0;
}

int kr_edits_chown(struct kr_edits *edits, const struct kr_file *file,
                   uid_t uid, gid_t gid)
{
	const struct kr_perms now = kr_file_perms(file);
	const struct kr_perms want = {.uid = uid, .gid = gid};
	struct kr_file_edits *f = find(edits, file->real);
	bool other = f && kr_perms_changes_owner(&f->perms);
	int r;

	if (file->overlay)
		return -EINVAL;
	if (other)
		return kr_perms_same_owner(&f->perms.to, &want) ? 0
		                                                : KR_COLLIDES;
	if (kr_perms_same_owner(&now, &want))
		return 0;
	r = to_change(edits, file, &f);
	if (r < 0)
		return r;
	f->perms.to.uid = uid;
	f->perms.to.gid = gid;
	return 0;
}

bool kr_file_edits_in_place(const struct kr_file_edits *edits)
{
	return edits->n_edits == 0 && kr_perms_changes(&edits->perms);
}

bool kr_edits_in_place(const struct kr_edits *edits)
{
	for (size_t i = 0; i < edits->n_files; i++) {
		if (!kr_file_edits_in_place(&edits->files[i]))
			return false;
	}
	return edits->n_files > 0;
}

/* Each lies in SIZE bytes, behind the one before it. */
static bool fit(const struct kr_file_edits *edits, size_t size)
{
	size_t end = 0;

	for (size_t i = 0; i < edits->n_edits; i++) {
		const struct kr_edit *e = &edits->edits[i];

		if (e->offset < end || e->offset > size ||
		    e->length > size - e->offset)
			return false;
		if (i > 0 && e->offset == edits->edits[i - 1].offset)
			return false;
		end = e->offset + e->length;
	}
	return true;
}

int kr_file_edits_apply(const struct kr_file_edits *edits, char **ret_data,
                        size_t *ret_size)
{
	const char *data = edits->file ? edits->file->data : "";
	size_t size = edits->file ? edits->file->size : 0;
	size_t total = size, from = 0;
	char *out, *p;

	if (!fit(edits, size))
		return -EINVAL;
	for (size_t i = 0; i < edits->n_edits; i++)
		total += strlen(edits->edits[i].text) - edits->edits[i].length;
	out = p = malloc(total + 1);
	if (!out)
		return -ENOMEM;
	KR_EACH(const struct kr_edit, e, edits->edits, edits->n_edits) {
		p = mempcpy(p, data + from, e->offset - from);
		p = mempcpy(p, e->text, strlen(e->text));
		from = e->offset + e->length;
	}
	p = mempcpy(p, data + from, size - from);
	*p = '\0';
	*ret_data = out;
	*ret_size = total;
	return 0;
}

void kr_edits_done(struct kr_edits *edits)
{
	KR_EACH(struct kr_file_edits, f, edits->files, edits->n_files) {
		while (f->n_edits > 0)
			remove_edit(f, f->n_edits - 1);
		free(f->edits);
		free(f->path);
	}
	free(edits->files);
	*edits = (struct kr_edits){0};
}
