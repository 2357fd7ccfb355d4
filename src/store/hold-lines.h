/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The holds that a fix has seen on this machine: /var/lib/kubelet-remedy/holds.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/fs.h"
#include "store/manifest.h"

#define KR_HOLDS_PATH KR_STATE_DIR "/holds"

/* So long a count of no request covers those who come at intervals. */
#define KR_HOLD_COUNT_USEC (10 * 60 * KR_USEC_PER_SEC)

struct kr_hold_line {
	char *name;       /* of the control */
	char *time;       /* when it was seen first, RFC 3339 */
	char *machine_id; /* "-": the machine had none */
	char *reason;     /* one sentence, on one line */
};

/* Those of this machine, as far as the ids tell. */
struct kr_hold_lines {
	struct kr_hold_line *items;
	size_t n_items;
	bool damaged; /* any other control may have had a line, too */
};

/*
 * Reads the lines of this machine; a file that is not there has none, nor has
 * one for a user who may not read it. What cannot be read is a warning in DIAG.
 * 0: RET is filled, the caller ends it; -ENOMEM.
 */
int kr_hold_lines_read(struct kr_fs *fs, struct kr_diag *diag,
                       struct kr_hold_lines *ret);
void kr_hold_lines_done(struct kr_hold_lines *lines);
#define _cleanup_hold_lines_ _cleanup_(kr_hold_lines_done)

/* The line of the control NAME; NULL: there is none. */
const struct kr_hold_line *kr_hold_lines_find(const struct kr_hold_lines *lines,
                                              const char *name);

/* What an earlier fix has seen of the control NAME: "REASON (seen at TIME)",
 * with MORE, which may be NULL, behind it; RET stays NULL where that is
 * nothing. 0 or -ENOMEM. */
int kr_hold_lines_describe(const struct kr_hold_lines *lines, const char *name,
                           const char *more, char **ret);

/*
 * Whether a count of no request, from SINCE_USEC to NOW_USEC (realtime), speaks
 * against LINE: it covers the time at which the line was written, or is long
 * enough for those who come at intervals. Without that a restart of kubelet
 * would refute each line. LINE may be NULL: the file is damaged.
 */
bool kr_hold_line_is_refuted(const struct kr_hold_line *line,
                             uint64_t since_usec, uint64_t now_usec);

/* What was seen of a control. */
struct kr_hold_news {
	const char *name;
	const char *reason; /* the hold; NULL: it was looked for, and is not
	                     * there: its line goes */
};

/*
 * Brings NEWS into the file, atomically and to the disk, by what the file has
 * at this moment: the caller has the lock. A line that is there stays as it is.
 * Lines of another machine, of whose image this one was made, go. Nothing is
 * written where nothing is new, nor into a damaged file, which holds every
 * control as it is. 0, or an errno, with words.
 */
int kr_hold_lines_update(struct kr_fs *fs, const struct kr_hold_news *news,
                         size_t n, struct kr_diag *diag);
