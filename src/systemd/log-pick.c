/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which lines of a log are shown.
 *
 * Without a classifier: the last ones. With one: from the last reason on. All
 * that is no noise is kept on the way there, as it is not known before how much
 * of it is wanted: at most KR_LOG_SEARCH_LINES lines of together
 * KR_LOG_SEARCH_BYTES.
 *
 *   older  S s s E r n n s n n M  newer         S start, E end, M systemd's
 *                4 1     2     3               r reason, s ordinary, n noise
 *
 * Behind the reason stands what follows it in the log. Where nothing there is
 * systemd's word about the end, reading goes on until it comes: journald reads
 * what a process wrote from one socket and what systemd says from another, and
 * "Main process exited" was seen 300 lines before the reason (kubelet 1.20.2,
 * which prints its usage first). A start ends that search: what is before it
 * is about another process.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/vec.h"
#include "systemd/log-pick.h"

#define MANAGER_MIN 4 /* how it ended, what of it, what is next */

struct kr_log_picked {
	struct kr_log_line line;
	enum kr_log_from from;
};

static void line_done(struct kr_log_line *line)
{
	free(line->identifier);
	free(line->text);
	*line = (struct kr_log_line){0};
}

static int keep(struct kr_log_pick *pick, const struct kr_log_line *entry,
                enum kr_log_from from, const char *text, size_t length)
{
	struct kr_log_picked picked = {
		.line = {.realtime_usec = entry->realtime_usec,
	                 .pid = entry->pid},
		.from = from,
	};

	struct kr_log_picked *next = KR_VEC_NEXT(pick->lines, pick->n_lines);

	if (!next)
		return -ENOMEM;
	picked.line.text = strndup(text, length);
	if (!picked.line.text)
		return -ENOMEM;
	if (entry->identifier) {
		picked.line.identifier = strdup(entry->identifier);
		if (!picked.line.identifier) {
			line_done(&picked.line);
			return -ENOMEM;
		}
	}
	*next = picked;
	pick->n_lines++;
	return 0;
}

/* What the service said, in a search. */
static int add_service(struct kr_log_pick *pick,
                       const struct kr_log_line *entry, const char *text,
                       size_t length)
{
	enum kr_log_kind kind = pick->classify(text, length);
	bool dump = pick->dump;
	int r;

	pick->dump = kind == KR_LOG_DUMP;
	if (kind == KR_LOG_DUMP || kind == KR_LOG_NOISE)
		return KR_LOG_GO_ON;
	r = keep(pick, entry, KR_LOG_FROM_SERVICE, text, length);
	if (r < 0)
		return r;
	if (kind == KR_LOG_REASON)
		pick->reason = pick->n_lines;
	else if ((kind == KR_LOG_TROUBLE || dump) && pick->trouble &&
	         !pick->trouble_at)
		pick->trouble_at = pick->n_lines;
	return pick->reason && pick->ended ? KR_LOG_ENOUGH : KR_LOG_GO_ON;
}

static int add_manager(struct kr_log_pick *pick,
                       const struct kr_log_line *entry, enum kr_log_from from,
                       const char *text, size_t length)
{
	int r;

	if (pick->reason && from == KR_LOG_FROM_MANAGER_START)
		return KR_LOG_ENOUGH;
	r = keep(pick, entry, from, text, length);
	if (r < 0)
		return r;
	if (from == KR_LOG_FROM_MANAGER_END)
		pick->ended = true;
	return pick->reason && pick->ended ? KR_LOG_ENOUGH : KR_LOG_GO_ON;
}

int kr_log_pick_add(struct kr_log_pick *pick, const struct kr_log_line *entry,
                    enum kr_log_from from, const char *text, size_t length)
{
	int r;

	if (length > KR_LOG_LINE_BYTES)
		length = KR_LOG_LINE_BYTES;
	if (!pick->classify) {
		r = pick->n_lines < pick->n_max
		            ? keep(pick, entry, from, text, length)
		            : 0;
		if (r < 0)
			return r;
		return pick->n_lines < pick->n_max ? KR_LOG_GO_ON
		                                   : KR_LOG_ENOUGH;
	}
	pick->n_seen++;
	pick->size_bytes += length;
	if (from != KR_LOG_FROM_SERVICE)
		r = add_manager(pick, entry, from, text, length);
	else if (pick->reason) /* only systemd's word is missing */
		r = KR_LOG_GO_ON;
	else
		r = add_service(pick, entry, text, length);
	if (r < 0)
		return r;
	return pick->n_seen >= KR_LOG_SEARCH_LINES ||
	                       pick->size_bytes >= KR_LOG_SEARCH_BYTES
	               ? KR_LOG_ENOUGH
	               : (enum kr_log_step)r;
}

/* --- what is shown ------------------------------------------------------- */

static bool is_manager(const struct kr_log_picked *picked)
{
	return picked->from != KR_LOG_FROM_SERVICE;
}

static void take(struct kr_log *log, struct kr_log_picked *picked)
{
	log->lines[log->n_lines++] = picked->line;
	picked->line = (struct kr_log_line){0};
}

/*
 * Where systemd's words about the end begin that stand before the line AT: its
 * index + 1, AT + 1 where there are none to be had. Sets *N to their number.
 */
static size_t early_words(const struct kr_log_pick *pick, size_t at, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < at; i++) {
		if (pick->lines[i].from == KR_LOG_FROM_MANAGER_END)
			return at + 1; /* they are behind it */
	}
	for (size_t i = at + 1; i < pick->n_lines; i++) {
		if (pick->lines[i].from == KR_LOG_FROM_MANAGER_START)
			break;
		*n += is_manager(&pick->lines[i]);
		if (pick->lines[i].from == KR_LOG_FROM_MANAGER_END)
			return i + 1;
	}
	*n = 0;
	return at + 1;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The line AT, and behind it what there is room for: systemd's first lines are
 * sure of theirs. */
static void take_from(struct kr_log_pick *pick, size_t at, struct kr_log *log)
{
	size_t n_early, early = early_words(pick, at, &n_early), n_late = 0;
	size_t for_early, for_late;

	for (size_t i = 0; i < at; i++)
		n_late += is_manager(&pick->lines[i]);
	for_early = smaller(n_early, smaller(MANAGER_MIN, pick->n_max - 1));
	for_late = smaller(n_late,
	                   smaller(MANAGER_MIN, pick->n_max - 1) - for_early);
	take(log, &pick->lines[at]);
	for (size_t i = at; i-- > 0;) {
		struct kr_log_picked *picked = &pick->lines[i];
		bool manager = is_manager(picked);

		if (log->n_lines + for_early + (manager ? 0 : for_late) >=
		    pick->n_max)
			continue;
		take(log, picked);
		for_late -= manager && for_late > 0;
	}
	for (size_t i = early; i-- > at + 1 && log->n_lines < pick->n_max;) {
		if (is_manager(&pick->lines[i]))
			take(log, &pick->lines[i]);
	}
}

int kr_log_pick_finish(struct kr_log_pick *pick, struct kr_log *ret)
{
	struct kr_log log = {0};
	size_t found = pick->reason ? pick->reason : pick->trouble_at;
	size_t n = smaller(pick->n_lines, pick->n_max);

	if (n > 0) {
		log.lines = calloc(n, sizeof(*log.lines));
		if (!log.lines)
			return -ENOMEM;
	}
	if (n > 0 && found)
		take_from(pick, found - 1, &log);
	for (size_t i = n; !found && i-- > 0;)
		take(&log, &pick->lines[i]);
	kr_log_pick_done(pick);
	*ret = log;
	return 0;
}

void kr_log_pick_done(struct kr_log_pick *pick)
{
	for (size_t i = 0; i < pick->n_lines; i++)
		line_done(&pick->lines[i].line);
	free(pick->lines);
	pick->lines = NULL;
	pick->n_lines = 0;
}
