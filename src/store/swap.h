/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Two names in one folder whose contents change places, and nothing that
 * others wrote in the same instant is lost.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "base/span.h"
#include "store/change.h"

/* A file as it was seen: enough to tell whether it still is that. */
struct kr_known {
	struct stat st;
	char bytes[KR_SHA256_HEX_SIZE];      /* SHA-256 of its content */
	char attributes[KR_SHA256_HEX_SIZE]; /* kr_metadata_hash() */
};

/* Opens for reading what lies at NAME in the folder DIR_FD and is no link; what
 * is a FIFO or a device by then is not waited for. An fd, or an errno. */
int kr_known_open(int dir_fd, const char *name);

/* Looks at the open regular file FD, which is read from its beginning. 0;
 * -EFBIG: over KR_FILE_SIZE_MAX; an errno. */
int kr_known_read(int fd, struct kr_known *ret);

/*
 * Whether NAME in the folder DIR_FD still is WANT: inode, kind, size, mode,
 * owner, time of writing, number of names, bytes and attributes; and it is
 * not open for writing. KR_CHANGE_DONE, STALE, OPEN, or an errno. What is no
 * regular file is not opened.
 */
int kr_known_check(int dir_fd, const char *name, const struct kr_known *want);

/* Whether B has the bytes, mode, owner and attributes of A, as another inode
 * may have. */
bool kr_known_equal(const struct kr_known *a, const struct kr_known *b);

/* FROM goes to TO in the folder DIR_FD, where nothing is. 0; -EEXIST; other
 * errnos of renameat2(2). */
int kr_move(int dir_fd, const char *from, const char *to);

struct kr_names {
	int dir_fd;
	const char *name; /* the name that others know */
	const char *temp; /* a name that only we know */
};

/*
 * AT_NAME (NULL: nothing) goes from NAMES->name to NAMES->temp, AT_TEMP (NULL:
 * nothing) the other way: an exchange, or a move to where nothing is. What came
 * out at NAMES->temp is then compared with AT_NAME; if it is not that, it goes
 * back at once.
 *
 * KR_CHANGE_DONE; what kr_known_check() gave: others' content was found
 * and stands there as it did; KR_CHANGE_EXISTS, KR_CHANGE_NO_EXCHANGE, or an
 * errno of renameat2(2): nothing was done; KR_CHANGE_DISPLACED: others'
 * content lies at NAMES->temp.
 */
int kr_swap(const struct kr_names *names, const struct kr_known *at_name,
            const struct stat *at_temp);
