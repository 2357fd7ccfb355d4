/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The file of holds: what a fix saw that makes a change dangerous, yet
 * arguable. The boot unit fixes before kubelet runs, when there is nothing to
 * be seen; it goes by what an earlier fix saw.
 *
 *	NAME <tab> TIME <tab> MACHINE-ID <tab> REASON <line feed>
 *
 * One line a control. The machine's id keeps a clone from being held by what
 * was seen on the machine that it was made of. The file is written beside and
 * renamed, under the lock of the runs; it is small, and is read again for each
 * change of it.
 *
 * What an editor or a full disk has made of it must not let a fix pass: a file
 * that cannot be read, that is empty, or that has a line which is not
 * understood may have held any control. It stays as it is until a person has
 * looked at it.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/macro.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "store/files.h"
#include "store/hold-lines.h"
#include "store/manifest.h"
#include "store/others.h"

#define NAME "holds"
#define NEW  "holds.new"
/* Of a machine that has none. */
#define NO_ID "-"

enum {
	COLUMNS = 4
};

static void line_done(struct kr_hold_line *line)
{
	free(line->name);
	free(line->time);
	free(line->machine_id);
	free(line->reason);
	*line = (struct kr_hold_line){0};
}

void kr_hold_lines_done(struct kr_hold_lines *lines)
{
	for (size_t i = 0; i < lines->n_items; i++)
		line_done(&lines->items[i]);
	free(lines->items);
	*lines = (struct kr_hold_lines){0};
}

const struct kr_hold_line *kr_hold_lines_find(const struct kr_hold_lines *lines,
                                              const char *name)
{
	return KR_FIND(lines->items, lines->n_items, name, name);
}

static int add(struct kr_hold_lines *lines, const char *const *columns)
{
	struct kr_hold_line *items = reallocarray(
		lines->items, lines->n_items + 1, sizeof(*lines->items));
	struct kr_hold_line line = {0};
	char **const to[COLUMNS] = {&line.name, &line.time, &line.machine_id,
	                            &line.reason};

	if (!items)
		return -ENOMEM;
	lines->items = items;
	for (size_t i = 0; i < COLUMNS; i++) {
		*to[i] = strdup(columns[i]);
		if (*to[i])
			continue;
		line_done(&line);
		return -ENOMEM;
	}
	items[lines->n_items++] = line;
	return 0;
}

/* NO_ID where the node has none. */
static int find_machine(struct kr_fs *fs, char **ret)
{
	int r = kr_machine_id(fs, ret);

	if (r < 0 || *ret)
		return r;
	*ret = strdup(NO_ID);
	return *ret ? 0 : -ENOMEM;
}

/* Whether a column that is not this machine's id is that of another. */
static bool is_an_id(const char *id)
{
	return strlen(id) == 32 && strspn(id, "0123456789abcdef") == 32;
}

/* TEXT is cut. Whether it is a line with all its columns. */
static bool split(char *text, const char *columns[static COLUMNS])
{
	for (size_t i = 0; i < COLUMNS; i++) {
		columns[i] = i + 1 < COLUMNS ? strsep(&text, "\t") : text;
		if (!columns[i] || !*columns[i])
			return false;
	}
	return true;
}

/* SPAN: a line without its line feed. 0; -ENOMEM. */
static int read_line(struct kr_span span, const char *machine,
                     struct kr_diag *diag, struct kr_hold_lines *ret)
{
	const char *bytes = span.file->data + span.offset, *columns[COLUMNS];
	_cleanup_free_ char *text = strndup(bytes, span.length);
	bool known;

	if (!text)
		return -ENOMEM;
	known = strlen(text) == span.length && split(text, columns);
	/* without an id this cannot be known */
	if (known &&
	    (strcmp(columns[2], machine) == 0 ||
	     strcmp(columns[2], NO_ID) == 0 || strcmp(machine, NO_ID) == 0))
		return add(ret, columns);
	if (known && is_an_id(columns[2]))
		return 0;
	ret->damaged = true;
	kr_diag_add(diag, KR_WARNING, "hold-line", span,
	            "this line is not understood and may hold any control: "
	            "correct it (a control's name, a time, a machine's id and "
	            "a reason, with tabs between them), or take it out");
	return 0;
}

static int read_lines(const struct kr_file *file, const char *machine,
                      struct kr_diag *diag, struct kr_hold_lines *ret)
{
	const char *end = file->data + file->size;

	for (const char *at = file->data; at < end;) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		const struct kr_span span = {file, (uint32_t)(at - file->data),
		                             (uint32_t)((lf ? lf : end) - at)};
		int r = span.length > 0 ? read_line(span, machine, diag, ret)
		                        : 0;

		if (r < 0)
			return r;
		at += span.length + 1;
	}
	return 0;
}

int kr_hold_lines_read(struct kr_fs *fs, struct kr_diag *diag,
                       struct kr_hold_lines *ret)
{
	_cleanup_hold_lines_ struct kr_hold_lines lines = {0};
	_cleanup_free_ char *machine = NULL;
	const struct kr_file *file;
	int r = kr_fs_read(fs, KR_HOLDS_PATH, &file);

	*ret = lines;
	if (r == -ENOMEM || r == -ENOENT)
		return r == -ENOENT ? 0 : r;
	if (r < 0 || file->size == 0) {
		ret->damaged = r != -EACCES || geteuid() == 0;
		kr_diag_add_path(diag, KR_WARNING, "holds-unread",
		                 KR_HOLDS_PATH,
		                 "what holds a control cannot be read there "
		                 "(%s): correct this, or take it away",
		                 r < 0 ? kr_fs_strerror(-r) : "it is empty");
		return 0;
	}
	r = find_machine(fs, &machine);
	if (r < 0)
		return r;
	r = read_lines(file, machine, diag, &lines);
	if (r < 0)
		return r;
	*ret = lines;
	lines = (struct kr_hold_lines){0};
	return 0;
}

int kr_hold_lines_describe(const struct kr_hold_lines *lines, const char *name,
                           const char *more, char **ret)
{
	const struct kr_hold_line *line = kr_hold_lines_find(lines, name);
	const char *mark = more ? "; " : "";

	more = more ? more : "";
	if (line)
		return kr_format(ret, "%s (seen at %s%s%s)", line->reason,
		                 line->time, mark, more);
	if (lines->damaged)
		return kr_format(ret,
		                 "what a fix has seen of it cannot be read "
		                 "in " KR_HOLDS_PATH "%s%s",
		                 mark, more);
	return 0;
}

bool kr_hold_line_is_refuted(const struct kr_hold_line *line,
                             uint64_t since_usec, uint64_t now_usec)
{
	char since[KR_RFC3339_SIZE], now[KR_RFC3339_SIZE];

	if (now_usec >= since_usec + KR_HOLD_COUNT_USEC)
		return true;
	kr_rfc3339(since_usec, since);
	kr_rfc3339(now_usec, now);
	/* a word that is no time, or a time to come, tells nothing */
	return line && strcmp(since, line->time) < 0 &&
	       strcmp(line->time, now) <= 0;
}

static void remove_line(struct kr_hold_lines *lines, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < lines->n_items; i++) {
		if (strcmp(lines->items[i].name, name) == 0)
			line_done(&lines->items[i]);
		else
			lines->items[n++] = lines->items[i];
	}
	lines->n_items = n;
}

/* A line that is there stays: it tells since when. */
static int add_news(struct kr_hold_lines *lines,
                    const struct kr_hold_news *news, const char *machine)
{
	_cleanup_free_ char *reason =
		kr_utf8_escape(news->reason, strlen(news->reason));
	char now[KR_RFC3339_SIZE];
	const char *const columns[COLUMNS] = {news->name, now, machine, reason};

	if (!reason)
		return -ENOMEM;
	kr_rfc3339(kr_realtime_usec(), now);
	return add(lines, columns);
}

/* 1: LINES are other ones now; 0; -ENOMEM. */
static int apply(struct kr_hold_lines *lines, const struct kr_hold_news *news,
                 size_t n, const char *machine)
{
	bool changed = false;

	for (size_t i = 0; i < n; i++) {
		bool there = kr_hold_lines_find(lines, news[i].name);
		int r = 0;

		if (there == (news[i].reason != NULL))
			continue;
		changed = true;
		if (there)
			remove_line(lines, news[i].name);
		else
			r = add_news(lines, &news[i], machine);
		if (r < 0)
			return r;
	}
	return changed;
}

static int write_lines(struct kr_fs *fs, const struct kr_hold_lines *lines)
{
	_cleanup_close_ int fd = kr_fs_make_folder(fs, KR_STATE_DIR, 0700);
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out;
	int r;

	if (fd < 0)
		return fd;
	if (lines->n_items == 0)
		return unlinkat(fd, NAME, 0) < 0 && errno != ENOENT ? -errno
		       : fsync(fd) < 0                              ? -errno
		                                                    : 0;
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	KR_EACH(const struct kr_hold_line, l, lines->items, lines->n_items) {
		fprintf(out, "%s\t%s\t%s\t%s\n", l->name, l->time,
		        l->machine_id, l->reason);
	}
	if (fclose(out) != 0)
		return -ENOMEM;
	r = kr_write_file(fd, NEW, text, size, -1);
	if (r == 0 && renameat(fd, NEW, fd, NAME) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(fd, NEW, 0);
		return r;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int update(struct kr_fs *fs, const struct kr_hold_news *news, size_t n)
{
	_cleanup_hold_lines_ struct kr_hold_lines lines = {0};
	_cleanup_free_ char *machine = NULL;
	_cleanup_fs_ struct kr_fs *now = NULL;
	int r = kr_fs_new(kr_fs_root_fd(fs), &now);

	if (r < 0)
		return r;
	r = kr_hold_lines_read(now, NULL, &lines);
	if (r < 0 || lines.damaged)
		return r;
	r = find_machine(now, &machine);
	if (r < 0)
		return r;
	r = apply(&lines, news, n, machine);
	return r > 0 ? write_lines(now, &lines) : r;
}

int kr_hold_lines_update(struct kr_fs *fs, const struct kr_hold_news *news,
                         size_t n, struct kr_diag *diag)
{
	int r = kr_others_refuse(fs, KR_STATE_DIR, diag);

	if (r == KR_OTHERS_WRITE)
		return -EPERM;
	r = r < 0 ? r : update(fs, news, n);
	if (r < 0 && r != -ENOMEM)
		kr_diag_add_path(diag, KR_ERROR, "holds-unwritten",
		                 KR_HOLDS_PATH,
		                 "what holds a control cannot be kept there: "
		                 "%s",
		                 strerror(-r));
	return r;
}
