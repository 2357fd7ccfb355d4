/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A unified diff drawn from edits.
 *
 * Each edit touches the lines from the one that holds its first byte to the
 * one that holds its last; where it takes away the end of a line and puts none
 * in its place, the next line is joined and belongs to it, too. Such regions,
 * merged where their contexts meet, are the hunks. Format: POSIX diff -u.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "report/diff.h"

#define CONTEXT 3

/* Whole lines of the old file that become other lines. */
struct region {
	size_t start, end; /* bytes, at the starts of lines or the file's end */
	char *text;        /* what they become */
	size_t length;     /* of TEXT, which may hold a NUL */
};

struct drawing {
	FILE *out;
	const char *data;
	size_t size;
	struct region *regions;
	size_t n_regions;
};

static size_t line_start(const struct drawing *d, size_t at)
{
	const char *lf = memrchr(d->data, '\n', at);

	return lf ? (size_t)(lf + 1 - d->data) : 0;
}

/* Behind the end of the line that holds byte AT. */
static size_t line_end(const struct drawing *d, size_t at)
{
	const char *lf =
		at < d->size ? memchr(d->data + at, '\n', d->size - at) : NULL;

	return lf ? (size_t)(lf + 1 - d->data) : d->size;
}

static size_t last_byte(const struct kr_edit *e)
{
	return e->length > 0 ? e->offset + e->length - 1 : e->offset;
}

/* Whether the edit's first line is in the region, or follows it at once. Most
 * need no look at the line, which may be the whole file. */
static bool touches(const struct drawing *d, const struct region *r,
                    const struct kr_edit *e)
{
	return e->offset <= r->end || line_start(d, e->offset) <= r->end;
}

/* Up to the end of the line that holds the edit's last byte. */
static void extend(const struct drawing *d, struct region *r,
                   const struct kr_edit *e)
{
	if (last_byte(e) >= r->end)
		r->end = line_end(d, last_byte(e));
}

/* Whether LAST, the last edit before END, leaves a line without its end. */
static bool joins_next(const struct drawing *d, const struct kr_edit *last,
                       size_t end)
{
	size_t length = strlen(last->text);

	if (end >= d->size)
		return false;
	if (last->offset + last->length < end)
		return d->data[end - 1] != '\n';
	if (length > 0)
		return last->text[length - 1] != '\n';
	return last->offset > 0 && d->data[last->offset - 1] != '\n';
}

/* The length of the line at the start, with its end. */
static size_t first_line(const char *data, size_t size)
{
	const char *lf = memchr(data, '\n', size);

	return lf ? (size_t)(lf + 1 - data) : size;
}

/* The length of the line at the end, with its end. */
static size_t last_line(const char *data, size_t size)
{
	const char *lf = size > 0 ? memrchr(data, '\n', size - 1) : NULL;

	return lf ? (size_t)(data + size - lf - 1) : size;
}

/* Takes whole lines that stay as they are off both ends of a region. */
static void trim(const struct drawing *d, struct region *r)
{
	size_t size = r->length, n;

	while (r->start < r->end && size > 0) {
		n = first_line(d->data + r->start, r->end - r->start);
		if (first_line(r->text, size) != n ||
		    memcmp(d->data + r->start, r->text, n) != 0)
			break;
		r->start += n;
		size -= n;
		memmove(r->text, r->text + n, size);
	}
	while (r->start < r->end && size > 0) {
		n = last_line(d->data + r->start, r->end - r->start);
		if (last_line(r->text, size) != n ||
		    memcmp(d->data + r->end - n, r->text + size - n, n) != 0)
			break;
		r->end -= n;
		size -= n;
	}
	r->length = size;
}

static int region_text(const struct drawing *d, const struct kr_edit *edits,
                       size_t n, struct region *region)
{
	FILE *out;
	size_t at = region->start;

	out = open_memstream(&region->text, &region->length);
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		fwrite(d->data + at, 1, edits[i].offset - at, out);
		fputs(edits[i].text, out);
		at = edits[i].offset + edits[i].length;
	}
	fwrite(d->data + at, 1, region->end - at, out);
	if (fclose(out) != 0)
		return -ENOMEM;
	trim(d, region);
	return 0;
}

static int make_regions(struct drawing *d, const struct kr_file_edits *edits)
{
	d->regions = calloc(edits->n_edits, sizeof(*d->regions));
	if (!d->regions)
		return -ENOMEM;
	for (size_t i = 0; i < edits->n_edits;) {
		const struct kr_edit *e = &edits->edits[i];
		struct region *r = &d->regions[d->n_regions];
		size_t first = i;
		int error;

		r->start = line_start(d, e->offset);
		r->end = line_end(d, last_byte(e));
		for (i++;;) {
			if (i < edits->n_edits &&
			    touches(d, r, &edits->edits[i])) {
				e = &edits->edits[i++];
				extend(d, r, e);
			} else if (joins_next(d, e, r->end)) {
				r->end = line_end(d, r->end);
			} else {
				break;
			}
		}
		error = region_text(d, edits->edits + first, i - first, r);
		if (error < 0)
			return error;
		/* edits that change nothing are no difference */
		if (r->start < r->end || r->length > 0)
			d->n_regions++;
		else
			free(r->text);
	}
	return 0;
}

/* --- hunks --------------------------------------------------------------- */

static size_t count_lines(const char *data, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n + (size > 0 && data[size - 1] != '\n');
}

static void print_lines(FILE *out, char mark, const char *data, size_t size)
{
	while (size > 0) {
		const char *lf = memchr(data, '\n', size);
		size_t n = lf ? (size_t)(lf + 1 - data) : size;

		fputc(mark, out);
		fwrite(data, 1, n, out);
		if (!lf)
			fputs("\n\\ No newline at end of file\n", out);
		data += n;
		size -= n;
	}
}

static size_t context_before(const struct drawing *d, size_t at)
{
	for (unsigned i = 0; i < CONTEXT && at > 0; i++)
		at = line_start(d, at - 1);
	return at;
}

static size_t context_after(const struct drawing *d, size_t at)
{
	for (unsigned i = 0; i < CONTEXT && at < d->size; i++)
		at = line_end(d, at);
	return at;
}

static void print_range(FILE *out, char mark, size_t first, size_t n)
{
	/* an empty range names the line before it */
	fprintf(out, "%c%zu", mark, n > 0 ? first : first - 1);
	if (n != 1)
		fprintf(out, ",%zu", n);
}

/* The regions [I, END) are one hunk. SHIFT: new lines more than old so far. */
static void print_hunk(struct drawing *d, size_t i, size_t end, long *shift)
{
	size_t start = context_before(d, d->regions[i].start);
	size_t stop = context_after(d, d->regions[end - 1].end);
	size_t first = count_lines(d->data, start) + 1;
	size_t n_old = count_lines(d->data + start, stop - start);
	size_t n_new = n_old, at = start;

	for (size_t k = i; k < end; k++) {
		const struct region *r = &d->regions[k];

		n_new -= count_lines(d->data + r->start, r->end - r->start);
		n_new += count_lines(r->text, r->length);
	}
	fputs("@@ ", d->out);
	print_range(d->out, '-', first, n_old);
	fputc(' ', d->out);
	print_range(d->out, '+', (size_t)((long)first + *shift), n_new);
	fputs(" @@\n", d->out);
	for (size_t k = i; k < end; k++) {
		const struct region *r = &d->regions[k];

		print_lines(d->out, ' ', d->data + at, r->start - at);
		print_lines(d->out, '-', d->data + r->start, r->end - r->start);
		print_lines(d->out, '+', r->text, r->length);
		at = r->end;
	}
	print_lines(d->out, ' ', d->data + at, stop - at);
	*shift += (long)n_new - (long)n_old;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool needs_quotes(const char *path)
{
	for (const char *c = path; *c; c++) {
		if (*c == '"' || *c == '\\' || is_control(*c))
			return true;
	}
	return false;
}

/* A path in a line of words: what would end that, or move a reader's cursor, in
 * the style of C. */
static void print_plainly(FILE *out, const char *path)
{
	for (const char *c = path; *c; c++) {
		if (is_control(*c))
			fprintf(out, "\\%03o", (unsigned char)*c);
		else
			fputc(*c, out);
	}
}

void kr_diff_print_perms(FILE *out, const struct kr_file_edits *edits)
{
	const struct kr_perms *from = &edits->perms.from;
	const struct kr_perms *to = &edits->perms.to;
	char old[KR_OWNER_SIZE], new[KR_OWNER_SIZE];

	if (kr_perms_changes_mode(&edits->perms)) {
		kr_mode_format(from->mode, old);
		kr_mode_format(to->mode, new);
		fprintf(out, "# chmod %s ", new);
		print_plainly(out, edits->path);
		fprintf(out, " (%s now)\n", old);
	}
	if (kr_perms_changes_owner(&edits->perms)) {
		kr_owner_describe(from, old);
		kr_owner_describe(to, new);
		fprintf(out, "# chown %s ", new);
		print_plainly(out, edits->path);
		fprintf(out, " (%s now)\n", old);
	}
}

/* A name with a byte that would end it or the line, or move a reader's cursor,
 * is quoted as GNU diff and patch do, in the style of C. */
static void print_name(FILE *out, const char *mark, const char *side,
                       const char *path)
{
	bool quoted = needs_quotes(path);

	fprintf(out, "%s %s%s", mark, quoted ? "\"" : "", side);
	for (const char *c = path; *c; c++) {
		if (quoted && (*c == '"' || *c == '\\'))
			fprintf(out, "\\%c", *c);
		else if (is_control(*c))
			fprintf(out, "\\%03o", (unsigned char)*c);
		else
			fputc(*c, out);
	}
	fprintf(out, "%s%s\n", quoted ? "\"" : "",
	        !quoted && strchr(path, ' ') ? "\t" : "");
}

static void drawing_done(struct drawing *d)
{
	for (size_t i = 0; i < d->n_regions; i++)
		free(d->regions[i].text);
	free(d->regions);
}

int kr_diff_print(FILE *out, const struct kr_file_edits *edits)
{
	_cleanup_(drawing_done) struct drawing d = {
		.out = out,
		.data = edits->file ? edits->file->data : "",
		.size = edits->file ? edits->file->size : 0,
	};
	long shift = 0;
	int r;

	if (edits->n_edits == 0)
		return 0;
	r = make_regions(&d, edits);
	if (r < 0)
		return r;
	if (edits->file)
		print_name(out, "---", "a", edits->path);
	else
		print_name(out, "---", "", "/dev/null");
	if (edits->remove)
		print_name(out, "+++", "", "/dev/null");
	else
		print_name(out, "+++", "b", edits->path);
	for (size_t i = 0; i < d.n_regions;) {
		size_t end = i + 1;

		while (end < d.n_regions &&
		       context_before(&d, d.regions[end].start) <=
		               context_after(&d, d.regions[end - 1].end))
			end++;
		print_hunk(&d, i, end, &shift);
		i = end;
	}
	return 0;
}
