/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where the edits of a fix stand now.
 *
 * Each record keeps the file's old bytes and its edits of them, so what the
 * file was between two fixes is known. The text of each edit is a piece of it.
 * The pieces are followed from one record to the next, in their order, which
 * tells of two cuts at one place which of them was before the other:
 *
 *   the next record found what the   its edits move the pieces behind them, and
 *   last one left                    take those whose bytes they change
 *   it found that without the        these were undone in between: their pieces
 *   edits of undone fixes            are out, and what they took is back
 *   it found something else          others wrote there: the lines of each
 *                                    piece are looked for, or what is next to
 *                                    it in them: there once, that is it;
 *                                    nowhere, it is gone; then what it had
 *                                    replaced is looked for, which others may
 *                                    have put back
 *
 * "Found" means equal bytes. What is behind the last record is the file as it
 * is now, and the same rules lead there.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/edit.h"
#include "base/vec.h"
#include "fix/undo-carry.h"

#define KNOWN_SIZE      28 /* "makeIPTablesUtilChains: true" */
#define BEHIND_CUT_SIZE 8
#define UNDONE_MAX      6 /* fixes of which each set is tried */
#define NOT_INSIDE      SIZE_MAX

/* The text of an edit, in the bytes of the file. */
struct piece {
	size_t record, edit;
	enum kr_carried state;
	size_t at, length;
	size_t by, by_edit; /* TAKEN: by this one, */
	size_t inside;      /* which had it at this offset in its old bytes */
};

/* The file's bytes and its pieces in order, the lost ones among them. */
struct bytes {
	char *data;
	size_t size;
	struct piece *pieces;
	size_t n_pieces;
};

struct carrying {
	struct kr_fs *fs;
	const struct kr_manifests *list;
	const char *path;
	size_t ours; /* the record whose edits are asked for */
	/* of each record: what it says of the file, and the old bytes; NULL */
	const struct kr_manifest_file **files;
	struct kr_file **old;
	struct bytes now;
};

static void bytes_done(struct bytes *b)
{
	free(b->data);
	free(b->pieces);
	*b = (struct bytes){0};
}

static void carrying_done(struct carrying *c)
{
	bytes_done(&c->now);
	free(c->files);
	for (size_t k = 0; c->old && k < c->list->n_items; k++)
		kr_file_free(c->old[k]);
	free(c->old);
}

/* --- what others wrote --------------------------------------------------- */

static size_t line_start(const char *data, size_t at)
{
	const char *lf = memrchr(data, '\n', at);

	return lf ? (size_t)(lf + 1 - data) : 0;
}

static size_t line_end(const char *data, size_t size, size_t at)
{
	const char *lf = memchr(data + at, '\n', size - at);

	return lf ? (size_t)(lf + 1 - data) : size;
}

/* Bytes of a file, and where in them the edit is. */
struct lines {
	const char *data;
	size_t size, edit;
	bool whole;
};

/* How often LINES stand in NOW; the last place. */
static unsigned find_lines(const struct kr_file *now, const struct lines *lines,
                           size_t *ret_at)
{
	const char *p = now->data, *end = now->data + now->size;
	unsigned n = 0;

	while (lines->size > 0 && p < end &&
	       (p = memmem(p, (size_t)(end - p), lines->data, lines->size))) {
		if (!lines->whole || p == now->data || p[-1] == '\n') {
			*ret_at = (size_t)(p - now->data);
			n++;
		}
		p++;
	}
	return n;
}

/* The lines of PIECE. */
static struct lines whole_lines(const struct bytes *b, const struct piece *p)
{
	size_t from = line_start(b->data, p->at);

	return (struct lines){
		.data = b->data + from,
		.size = line_end(b->data, b->size, p->at + p->length) - from,
		.edit = p->at - from,
		.whole = true,
	};
}

/* Of these what is next to the edit: enough to know it again where the rest of
 * the lines was changed besides. Nothing where there is not that much of it. */
static struct lines next_to(const struct lines *lines, size_t length)
{
	size_t before = length < KNOWN_SIZE ? KNOWN_SIZE - length : 0;
	size_t behind = lines->size - lines->edit - length;
	struct lines next = {.data = lines->data};

	if (before > lines->edit)
		return next;
	if (length > 0)
		behind = 0;
	else if (behind > BEHIND_CUT_SIZE)
		behind = BEHIND_CUT_SIZE;
	next.data += lines->edit - before;
	next.size = before + length + behind;
	next.edit = before;
	return next;
}

static void look_for(const struct bytes *b, const struct kr_file *found,
                     struct piece *p)
{
	struct lines lines = whole_lines(b, p);
	size_t at = 0;
	unsigned n = find_lines(found, &lines, &at);

	if (n == 0) {
		lines = next_to(&lines, p->length);
		n = find_lines(found, &lines, &at);
	}
	p->state = n == 0  ? KR_CARRIED_GONE
	           : n > 1 ? KR_CARRIED_TWICE
	                   : KR_CARRIED_STANDS;
	p->at = n > 1 ? at : at + lines.edit;
	if (n > 1)
		p->length = lines.size;
}

/* Others made FOUND of the bytes. Only our own pieces are looked for: who
 * stands before whom is known no more. */
static int take_over(struct carrying *c, const struct kr_file *found)
{
	char *data;

	KR_EACH(struct piece, p, c->now.pieces, c->now.n_pieces) {
		if (p->state != KR_CARRIED_STANDS)
			continue;
		if (p->record == c->ours)
			look_for(&c->now, found, p);
		else
			p->state = KR_CARRIED_GONE;
	}
	data = malloc(found->size + 1);
	if (!data)
		return -ENOMEM;
	memcpy(data, found->data, found->size + 1);
	free(c->now.data);
	c->now.data = data;
	c->now.size = found->size;
	return 0;
}

/* Whether NOW has what the edit E of OLD replaced. What nothing was taken away
 * for is between two lines, both of which are looked for. */
static bool is_back(const struct kr_file *old, const struct kr_edit *e,
                    const struct kr_file *now)
{
	const struct bytes b = {.data = old->data, .size = old->size};
	struct piece p = {.at = e->offset, .length = e->length};

	if (e->length == 0 && e->offset > 0 &&
	    line_start(old->data, e->offset) == e->offset) {
		p.at--;
		p.length = e->offset < old->size ? 2 : 1;
	}
	look_for(&b, now, &p);
	return p.state != KR_CARRIED_GONE;
}

/* --- fixes that were undone ---------------------------------------------- */

static bool is_same(const struct bytes *b, const struct kr_file *file)
{
	return b->data && b->size == file->size &&
	       memcmp(b->data, file->data, file->size) == 0;
}

/* UNDONE gets the records that were undone and have a piece. */
static size_t find_undone(const struct carrying *c, size_t *undone)
{
	size_t n = 0;

	for (size_t k = 0; k < c->list->n_items && n < UNDONE_MAX; k++) {
		const struct kr_manifest *m = &c->list->items[k];
		bool has = false;

		for (size_t i = 0; i < c->now.n_pieces; i++)
			has |= c->now.pieces[i].record == k &&
			       c->now.pieces[i].state == KR_CARRIED_STANDS;
		if (has && m->state == KR_MANIFEST_UNDONE && k != c->ours)
			undone[n++] = k;
	}
	return n;
}

static const struct kr_edit *edit_of(const struct carrying *c,
                                     const struct piece *p)
{
	return &c->files[p->record]->edits[p->edit];
}

/* OUT, P of which is out now and starts at START: what P had taken is back. */
static void give_back(struct bytes *out, const struct piece *p, size_t start)
{
	KR_EACH(struct piece, q, out->pieces, out->n_pieces) {
		if (q->state != KR_CARRIED_TAKEN || q->by != p->record ||
		    q->by_edit != p->edit || q->inside == NOT_INSIDE)
			continue;
		q->state = KR_CARRIED_STANDS;
		q->at = start + q->inside;
	}
}

/* RET: what is left without the edits of record K. */
static int without(const struct carrying *c, const struct bytes *from, size_t k,
                   struct bytes *ret)
{
	struct kr_file_edits back = {
		.file = &(const struct kr_file){.data = from->data,
	                                        .size = from->size},
		.edits = calloc(from->n_pieces + 1, sizeof(*back.edits)),
	};
	struct bytes out = {.n_pieces = from->n_pieces};
	size_t moved = 0;
	int r = -ENOMEM;

	out.pieces = calloc(from->n_pieces + 1, sizeof(*out.pieces));
	if (!out.pieces || !back.edits)
		goto end;
	memcpy(out.pieces, from->pieces, from->n_pieces * sizeof(*out.pieces));
	for (size_t i = 0; i < from->n_pieces; i++) {
		const struct piece *p = &from->pieces[i];
		const struct kr_edit *e = edit_of(c, p);
		char *text;

		if (p->state != KR_CARRIED_STANDS)
			continue;
		out.pieces[i].at = p->at + moved;
		if (p->record != k)
			continue;
		text = strndup(c->old[k]->data + e->offset, e->length);
		if (!text)
			goto end;
		back.edits[back.n_edits++] = (struct kr_edit){
			.offset = p->at, .length = p->length, .text = text};
		out.pieces[i].state = KR_CARRIED_GONE;
		give_back(&out, p, p->at + moved);
		moved += strlen(text) - p->length;
	}
	r = kr_file_edits_apply(&back, &out.data, &out.size);
end:
	for (size_t i = 0; i < back.n_edits; i++)
		free(back.edits[i].text);
	free(back.edits);
	if (r < 0)
		bytes_done(&out);
	*ret = out;
	return r;
}

/* The records of MASK are taken out of the bytes; 1: that gives FOUND. */
static int try_without(struct carrying *c, const size_t *undone, unsigned mask,
                       const struct kr_file *found)
{
	struct bytes last = {0}, next;

	for (size_t i = 0; i < UNDONE_MAX; i++) {
		int r;

		if (!(mask & 1U << i))
			continue;
		r = without(c, last.data ? &last : &c->now, undone[i], &next);
		bytes_done(&last);
		if (r < 0)
			return r == -EINVAL ? 0 : r;
		last = next;
	}
	if (!is_same(&last, found)) {
		bytes_done(&last);
		return 0;
	}
	bytes_done(&c->now);
	c->now = last;
	return 1;
}

/* The bytes become FOUND. */
static int lead_to(struct carrying *c, const struct kr_file *found)
{
	size_t undone[UNDONE_MAX], n;

	if (is_same(&c->now, found))
		return 0;
	n = find_undone(c, undone);
	for (unsigned mask = 1; mask < 1U << n; mask++) {
		int r = try_without(c, undone, mask, found);

		if (r != 0)
			return r < 0 ? r : 0;
	}
	return take_over(c, found);
}

/* --- the next fix -------------------------------------------------------- */

static bool is_before(const struct piece *p, const struct kr_edit *e)
{
	return p->at + p->length <= e->offset;
}

static void take(struct piece *p, size_t k, size_t i, const struct kr_edit *e)
{
	bool inside = p->at >= e->offset &&
	              p->at + p->length <= e->offset + e->length;

	p->state = KR_CARRIED_TAKEN;
	p->by = k;
	p->by_edit = i;
	p->inside = inside ? p->at - e->offset : NOT_INSIDE;
}

/* The pieces behind the edits of record K, and those of K. */
static int edit_pieces(struct carrying *c, size_t k)
{
	const struct kr_manifest_file *f = c->files[k];
	const struct piece *old = c->now.pieces;
	struct piece *all;
	size_t n = 0, at = 0, moved = 0;

	all = calloc(c->now.n_pieces + f->n_edits + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < f->n_edits; i++) {
		const struct kr_edit *e = &f->edits[i];

		for (; at < c->now.n_pieces &&
		       (old[at].state != KR_CARRIED_STANDS ||
		        is_before(&old[at], e));
		     at++) {
			all[n] = old[at];
			all[n++].at += moved;
		}
		all[n++] = (struct piece){
			.record = k,
			.edit = i,
			.at = e->offset + moved,
			.length = strlen(e->text),
		};
		for (; at < c->now.n_pieces &&
		       old[at].state == KR_CARRIED_STANDS &&
		       old[at].at < e->offset + e->length;
		     at++) {
			all[n] = old[at];
			take(&all[n++], k, i, e);
		}
		moved += strlen(e->text) - e->length;
	}
	for (; at < c->now.n_pieces; at++) {
		all[n] = old[at];
		all[n++].at += moved;
	}
	free(c->now.pieces);
	c->now.pieces = all;
	c->now.n_pieces = n;
	return 0;
}

/* KR_MALFORMED: the record does not fit. */
static int read_old(struct carrying *c, size_t k, char **ret, size_t *ret_size)
{
	const struct kr_manifest_file *f = c->files[k];
	char hex[KR_SHA256_HEX_SIZE];
	struct kr_file_edits edits = {.edits = f->edits, .n_edits = f->n_edits};
	int r = kr_manifest_copy(c->fs, c->list->items[k].id, f, &c->old[k]);

	if (r == 0)
		edits.file = c->old[k];
	if (r == 0)
		r = kr_file_edits_apply(&edits, ret, ret_size);
	if (r < 0)
		return r == -ENOMEM ? r : KR_MALFORMED;
	kr_sha256_hex(*ret, *ret_size, hex);
	return strcmp(hex, f->after) == 0 ? 0 : KR_MALFORMED;
}

static void lose_all(struct carrying *c)
{
	for (size_t i = 0; i < c->now.n_pieces; i++)
		c->now.pieces[i].state = KR_CARRIED_GONE;
}

static int next_record(struct carrying *c, size_t k)
{
	_cleanup_free_ char *after = NULL;
	size_t size = 0;
	int r;

	/* the file was not there before, or is not from then on */
	if (!c->files[k]->copy || c->files[k]->removed) {
		lose_all(c);
		return 0;
	}
	r = read_old(c, k, &after, &size);
	if (r == KR_MALFORMED && k < c->ours) {
		lose_all(c);
		return 0;
	}
	if (r == 0)
		r = lead_to(c, c->old[k]);
	if (r == 0)
		r = edit_pieces(c, k);
	if (r < 0)
		return r;
	free(c->now.data);
	c->now.data = TAKE_PTR(after);
	c->now.size = size;
	return 0;
}

/* What record K says of the file's bytes; NULL: nothing that lasted. */
static const struct kr_manifest_file *find_file(const struct carrying *c,
                                                size_t k)
{
	const struct kr_manifest *m = &c->list->items[k];

	if (kr_manifest_is_ended_undo(m))
		return NULL;
	if (m->state != KR_MANIFEST_KEPT &&
	    !(m->state == KR_MANIFEST_UNDONE && m->by_hand))
		return NULL;
	for (size_t i = 0; i < m->n_files; i++) {
		if (strcmp(m->files[i].path, c->path) == 0)
			return kr_manifest_file_in_place(&m->files[i])
			               ? NULL
			               : &m->files[i];
	}
	return NULL;
}

static int follow(struct carrying *c, const struct kr_file *now)
{
	size_t n = c->list->n_items;
	int r = 0;

	c->files = calloc(n + 1, sizeof(*c->files));
	c->old = calloc(n + 1, sizeof(*c->old));
	if (!c->files || !c->old)
		return -ENOMEM;
	for (size_t k = 0; r == 0 && k < n; k++) {
		c->files[k] = find_file(c, k);
		if (c->files[k])
			r = next_record(c, k);
	}
	return r < 0 ? r : lead_to(c, now);
}

int kr_undo_carry(struct kr_fs *fs, const struct kr_manifests *list,
                  const struct kr_manifest *manifest,
                  const struct kr_manifest_file *file,
                  const struct kr_file *now, struct kr_carry *ret)
{
	struct kr_manifest alone = *manifest;
	const struct kr_manifests only = {.items = &alone, .n_items = 1};
	_cleanup_(carrying_done) struct carrying c = {
		.fs = fs,
		.list = list ? list : &only,
		.path = file->path,
	};
	int r;

	while (c.ours < c.list->n_items &&
	       strcmp(c.list->items[c.ours].id, manifest->id) != 0)
		c.ours++;
	for (size_t i = 0; i < file->n_edits; i++)
		ret[i] = (struct kr_carry){.state = KR_CARRIED_GONE};
	r = follow(&c, now);
	if (r < 0)
		return r;
	KR_EACH(const struct piece, p, c.now.pieces, c.now.n_pieces) {
		if (p->record != c.ours)
			continue;
		ret[p->edit] = (struct kr_carry){
			.state = p->state,
			.offset = p->at,
			.length = p->length,
			.by = p->state == KR_CARRIED_TAKEN
		                      ? c.list->items[p->by].id
		                      : NULL,
		};
	}
	for (size_t i = 0; i < file->n_edits && c.old[c.ours]; i++) {
		if (ret[i].state == KR_CARRIED_GONE &&
		    is_back(c.old[c.ours], &file->edits[i], now))
			ret[i].state = KR_CARRIED_BACK;
	}
	return 0;
}

/* --- mode and owner ------------------------------------------------------- */

const struct kr_manifest *kr_undo_carry_perms(
	const struct kr_manifests *list, const struct kr_manifest *manifest,
	const struct kr_manifest_file *file, struct kr_perms *ret_left)
{
	const struct kr_perms_change *ours = &file->perms;
	const struct kr_manifest *by = NULL;
	size_t k = 0;

	*ret_left = ours->to;
	while (list && k < list->n_items &&
	       strcmp(list->items[k].id, manifest->id) != 0)
		k++;
	for (k++; list && k < list->n_items; k++) {
		const struct kr_manifest *m = &list->items[k];

		for (size_t i = 0; i < m->n_files; i++) {
			const struct kr_perms_change *c = &m->files[i].perms;

			if (m->state != KR_MANIFEST_KEPT ||
			    strcmp(m->files[i].path, file->path) != 0)
				continue;
			if (kr_perms_changes_mode(c))
				ret_left->mode = c->to.mode;
			if (kr_perms_changes_owner(c)) {
				ret_left->uid = c->to.uid;
				ret_left->gid = c->to.gid;
			}
			if ((kr_perms_changes_mode(c) &&
			     kr_perms_changes_mode(ours)) ||
			    (kr_perms_changes_owner(c) &&
			     kr_perms_changes_owner(ours)))
				by = m;
		}
	}
	return by;
}
