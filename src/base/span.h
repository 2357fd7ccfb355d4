/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files and spans: a value that came from a file knows its bytes there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* What fstat(2) said of a file, as far as it is asked for. */
struct kr_file_stat {
	struct timespec st_mtim, st_ctim;
	mode_t st_mode;
	uid_t st_uid;
	gid_t st_gid;
	uint32_t st_nlink;
};

/*
 * A file that was read once and never changes afterwards. It is owned by the
 * struct kr_fs that read it (base/fs.h) and lives as long as that does.
 */
struct kr_file {
	char *path;             /* as it was named: absolute, below the root */
	char *real;             /* the same place with every link resolved */
	char *data;             /* size bytes, then a NUL that does not count */
	size_t size;            /* in bytes */
	struct kr_file_stat st; /* of what was read; zero for an overlay */
	struct timespec btime;  /* the inode's birth, zero where unknown */
	bool overlay;           /* a plan's bytes, not the disk's */
	struct kr_line *line;   /* the line asked for last; NULL: not kept */
};

/* A line, where it starts, and what is known of it. */
struct kr_line {
	uint32_t offset;
	uint32_t number;     /* from 0 */
	uint32_t checked;    /* up to here no LF ends it */
	uint32_t counted;    /* up to here it has been counted in */
	uint32_t characters; /* ... these */
};

/* LENGTH bytes from OFFSET of FILE, which is smaller than 4 GiB (base/fs.h):
 * there are very many of them. FILE NULL: no place in a file. */
struct kr_span {
	const struct kr_file *file;
	uint32_t offset;
	uint32_t length;
};

#define KR_SPAN_NONE ((struct kr_span){0})

static inline size_t kr_span_end(struct kr_span span)
{
	return (size_t)span.offset + span.length;
}

/*
 * The place of SPAN's first byte as people count it: lines and columns from
 * 1, columns in bytes; LF ends a line. The span must name a file.
 */
void kr_span_position(struct kr_span span, unsigned *ret_line,
                      unsigned *ret_column);

/* How many characters (base/utf8.h) stand before SPAN's first byte in its
 * line. */
size_t kr_span_characters(struct kr_span span);

/* The whole line (without its LF) that holds SPAN's first byte. */
struct kr_span kr_span_line(struct kr_span span);

#define KR_SHA256_HEX_SIZE 65

/* The SHA-256 of SIZE bytes in lower case hex, NUL-terminated. */
void kr_sha256_hex(const void *data, size_t size,
                   char ret[static KR_SHA256_HEX_SIZE]);

/* Whether FILE's bytes have the SHA-256 WANT, in lower case hex. */
bool kr_file_has_hash(const struct kr_file *file, const char *want);
