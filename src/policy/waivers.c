/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Waivers.
 *
 *	NAME [until=YYYY-MM-DD] reason ...
 *
 * A line is a waiver, a comment ("#" first) or blank. The day is the last one,
 * in UTC. A reason must be given. Where two lines that hold name one control,
 * the reason of the first is shown.
 *
 * A user who can write the file decides which findings a node hides. So it has
 * to be a regular file of root's that only root may write, and a file that is
 * not so is an error: to ignore it would change the verdict as quietly as to
 * heed it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "policy/waivers.h"

#define UNTIL "until="

void kr_waivers_done(struct kr_waivers *waivers)
{
	for (size_t i = 0; i < waivers->n_items; i++) {
		free(waivers->items[i].name);
		free(waivers->items[i].reason);
	}
	free(waivers->items);
	*waivers = (struct kr_waivers){0};
}

const struct kr_waiver *kr_waivers_find(const struct kr_waivers *waivers,
                                        const char *name)
{
	return KR_FIND(waivers->items, waivers->n_items, name, name);
}

/* --- a line -------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the first word, and the blanks around it, from LINE. */
static struct kr_span take_word(struct kr_span *line)
{
	const char *data = line->file->data;
	struct kr_span word;

	while (line->length > 0 && is_blank(data[line->offset])) {
		line->offset++;
		line->length--;
	}
	word = *line;
	word.length = 0;
	while (line->length > 0 && !is_blank(data[line->offset])) {
		word.length++;
		line->offset++;
		line->length--;
	}
	while (line->length > 0 && is_blank(data[line->offset])) {
		line->offset++;
		line->length--;
	}
	return word;
}

static void strip_end(struct kr_span *line)
{
	while (line->length > 0 &&
	       is_blank(line->file->data[kr_span_end(*line) - 1]))
		line->length--;
}

static bool starts_with(struct kr_span span, const char *text)
{
	size_t n = strlen(text);

	return span.length >= n &&
	       memcmp(span.file->data + span.offset, text, n) == 0;
}

/* The first moment behind the day that TEXT is; false: it is no day. */
static bool read_day(const char *text, uint64_t *ret_usec)
{
	struct tm tm = {0}, again;
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	time_t begin;

	if (strlen(text) != strlen("YYYY-MM-DD") || !end || *end)
		return false;
	again = tm;
	begin = timegm(&again);
	/* the 30th of February is another day */
	if (begin < 0 || again.tm_mday != tm.tm_mday)
		return false;
	*ret_usec = ((uint64_t)begin + 24 * 60 * 60) * KR_USEC_PER_SEC;
	return true;
}

struct reading {
	const struct kr_waivers_options *options;
	struct kr_diag *diag;
	struct kr_waivers *ret;
};

static int warn(const struct reading *rd, struct kr_span place,
                const char *text)
{
	kr_diag_add(rd->diag, KR_WARNING, "waiver", place,
	            "this line waives nothing: %s", text);
	return 0;
}

/* Takes "until=DAY" from LINE, if it is there. 1: the waiver holds; 0: it does
 * not, and that is said. */
static int take_until(const struct reading *rd, struct kr_span *line,
                      char ret[static 11])
{
	struct kr_span rest = *line, word = take_word(&rest);
	uint64_t end_usec;

	*ret = '\0';
	if (!starts_with(word, UNTIL))
		return 1;
	*line = rest;
	word.offset += strlen(UNTIL);
	word.length -= strlen(UNTIL);
	if (word.length != strlen("YYYY-MM-DD"))
		return warn(rd, word, "until= must be a day, YYYY-MM-DD");
	memcpy(ret, word.file->data + word.offset, word.length);
	ret[word.length] = '\0';
	if (!read_day(ret, &end_usec))
		return warn(rd, word, "until= must be a day, YYYY-MM-DD");
	if (rd->options->realtime_usec >= end_usec)
		return warn(rd, word, "it has expired");
	return 1;
}

static int read_line(struct reading *rd, struct kr_span line)
{
	struct kr_waiver w = {0};
	struct kr_waiver *next;
	struct kr_span name = take_word(&line);

	if (name.length == 0 || starts_with(name, "#"))
		return 0;
	strip_end(&line);
	if (memchr(name.file->data + name.offset, '\0',
	           kr_span_end(line) - name.offset))
		return warn(rd, name, "it must be text");
	if (take_until(rd, &line, w.until) == 0)
		return 0;
	if (line.length == 0)
		return warn(rd, name, "a reason must be given");
	w.name = strndup(name.file->data + name.offset, name.length);
	if (w.name && rd->options->own_name) {
		const char *own = rd->options->own_name(w.name);
		char *copy = own ? strdup(own) : NULL;

		free(w.name);
		if (!own)
			return warn(rd, name,
			            "there is no control of this name");
		w.name = copy;
	}
	w.reason = kr_utf8_copy(line.file->data + line.offset, line.length);
	w.place = name;
	next = KR_VEC_NEXT(rd->ret->items, rd->ret->n_items);
	if (!w.name || !w.reason || !next) {
		free(w.name);
		free(w.reason);
		return -ENOMEM;
	}
	*next = w;
	rd->ret->n_items++;
	return 0;
}

/* --- the file ------------------------------------------------------------ */

static int refuse(struct kr_diag *diag, const char *path, const char *text)
{
	kr_diag_add_path(diag, KR_ERROR, "waivers-unsafe", path, "%s", text);
	return -EPERM;
}

static int check_file(const struct kr_file *file, struct kr_diag *diag)
{
	if (file->st.st_uid != 0)
		return refuse(diag, file->path,
		              "a file of waivers must be root's");
	if (file->st.st_mode & (S_IWGRP | S_IWOTH))
		return refuse(
			diag, file->path,
			"a file of waivers must be writable only by root");
	return 0;
}

static int read_lines(struct reading *rd, const struct kr_file *file)
{
	size_t start = 0;

	for (size_t i = 0; i <= file->size; i++) {
		int r;

		if (i < file->size && file->data[i] != '\n')
			continue;
		r = read_line(rd, (struct kr_span){file, start, i - start});
		if (r < 0)
			return r;
		start = i + 1;
	}
	return 0;
}

int kr_waivers_read(struct kr_fs *fs, const char *path,
                    const struct kr_waivers_options *options,
                    struct kr_diag *diag, struct kr_waivers *ret)
{
	_cleanup_waivers_ struct kr_waivers waivers = {0};
	struct reading rd = {options, diag, &waivers};
	const struct kr_file *file;
	int r;

	r = kr_fs_read(fs, path, &file);
	if (r == -ENOENT || r == -ENOMEM)
		return r;
	if (r == -EISDIR || r == -EINVAL)
		return refuse(diag, path,
		              "a file of waivers must be a regular file");
	if (r < 0) {
		kr_diag_add_path(diag, KR_ERROR, "file-unreadable", path,
		                 "file cannot be read: %s", kr_fs_strerror(-r));
		return r;
	}
	r = check_file(file, diag);
	if (r < 0)
		return r;
	r = read_lines(&rd, file);
	if (r < 0)
		return r;
	*ret = TAKE(waivers);
	return 0;
}
