/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What systemd would run: a service's unit, its drop-ins and environment,
 * and the argv of each command with the bytes of every word.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/edit.h"
#include "base/fs.h"
#include "base/text.h"
#include "base/vec.h"
#include "unit/path.h"

/* How a value is written, which is what an edit at its end must know. */
enum kr_value_form {
	KR_VALUE_PLAIN,  /* not quoted, or empty */
	KR_VALUE_QUOTED, /* one pair of quotes around all of it */
	KR_VALUE_PIECES, /* several pieces, the last one quoted */
	KR_VALUE_TAIL,   /* several pieces, the last one not quoted */
	KR_VALUE_OPEN,   /* a quote that the file's end closes */
};

/* Where one assignment of an environment variable stands. There may be very
 * many of them, as of words: both are laid out to be small. */
struct kr_unit_variable {
	char *name; /* the value's bytes behind it; the unit's */
	const struct kr_file *file; /* of both spans */
	/* offset and length of kr_variable_span() and _value_span() */
	uint32_t start, length, value_start, value_length;
	struct kr_variable_more *more;
	/* Environment= or system.conf, EnvironmentFile=, the manager's block,
	 * or what User= and ExecSearchPath= bring */
	enum kr_variable_source {
		KR_VARIABLE_UNIT,
		KR_VARIABLE_FILE,
		KR_VARIABLE_MANAGER,
		KR_VARIABLE_MADE,
	} source : 8;
	enum kr_value_form form : 8;
	char quote; /* '\'', '"', or 0 where the value is not quoted */
	/* A specifier in it or the whole of it cannot be known from the node's
	 * files; the diag has said so. */
	bool unknown;
};

/* What few variables have. */
struct kr_variable_more {
	/* if its bytes, which are the variable's, are not those of its span as
	 * they stand there; else it has none */
	struct kr_text value;
	/* of a file: the last comment before it that ends in a backslash, of
	 * which systemds make different things; else no file */
	struct kr_span comment;
};

/* What is known of words beside their places: those of one line, or of one
 * variable, share it, unless one has something of its own. */
struct kr_word_from {
	enum kr_word_kind {
		KR_WORD_LITERAL,  /* stands in ExecStart= itself */
		KR_WORD_VARIABLE, /* a word of a $VAR that stands alone */
		KR_WORD_MIXED,    /* contains a ${VAR} or a specifier */
	} kind : 8;
	/* The word is not what the program gets: something in it is not to be
	 * had from the node's files. The diag has said so; WHY is one sentence
	 * with the place, or NULL, as it is where many words are unknown. */
	bool unknown;
	/* The variable it came from, for KR_WORD_VARIABLE; an index into the
	 * unit's variables, else -1. */
	int variable;
	const struct kr_file *file, *cut_file; /* of kr_word_span(), _cut() */
	/* the variable that systemd's own block gave, without a place, and
	 * that is the word or a part of it; borrowed; NULL: none */
	const char *manager;
	char *why;
	/* the word's own, if its bytes are not those of its span as they stand
	 * there; no bytes: they are */
	struct kr_text text;
};

/* One argument of a command. */
struct kr_unit_word {
	const char *text; /* NUL-free, as execve(2) gets it */
	const struct kr_word_from *from;
	/* offset and length of kr_word_span(), _cut(); no length: no file */
	uint32_t start, length, cut_start, cut_length;
};

struct kr_unit_command {
	struct kr_unit_word *words; /* [0] is the program's argv[0] */
	size_t n_words;
	char *path;          /* the program, resolved as far as systemd would */
	bool shell;          /* the "|" prefix of systemd 258 */
	bool ignore_failure; /* "-" */
	/* the words as the manager holds them, specifiers resolved, variables
	 * not; NULL-terminated (over D-Bus they are ExecStart's argv), in one
	 * allocation */
	char **written;
	bool no_environment; /* ":" prefix: variables are not expanded */
	struct kr_span span; /* the command in the file, prefixes included */
	/* where another argument would go: just behind the last word */
	struct kr_span end;
	/* variables that stand as words of their own ("$KUBELET_ARGS"), by
	 * name, in order, set or not */
	struct kr_strings expands;
	struct kr_arena texts; /* bytes of the words */
	struct kr_word_from **froms;
	size_t n_froms;
};

/* What the service sees at PATH, and below, is not what the host has there. */
struct kr_unit_mount {
	char *path;
	/* the host's path that is shown there; NULL: nothing of the host's */
	char *source;
	bool optional;         /* SOURCE may be missing: then nothing is done */
	bool overlay;          /* what the host has shows through it */
	const char *directive; /* static: "BindPaths" */
	struct kr_span span;   /* its value */
};

/* A file in the service's folder of credentials, at PATH. */
struct kr_unit_credential {
	enum kr_credential {
		KR_CREDENTIAL_LOAD,
		KR_CREDENTIAL_LOAD_ENCRYPTED,
		KR_CREDENTIAL_SET,
		KR_CREDENTIAL_SET_ENCRYPTED,
		KR_CREDENTIAL_IMPORT, /* whatever fits the name, a glob */
		_KR_CREDENTIAL_MAX,
	} kind;
	char *name, *path;
	/* the host's file whose content it gets, encrypted or not, or a folder
	 * with files of their own; NULL: it is not known, or nothing of the
	 * host's */
	char *source;
	const char *directive; /* static: "LoadCredential" */
	struct kr_span span;   /* its value */
};

enum kr_unit_load {
	KR_UNIT_LOADED,
	KR_UNIT_NOT_FOUND,
	KR_UNIT_MASKED,
	KR_UNIT_BAD, /* systemd would not start it; the diag says why */
	/* a mandatory EnvironmentFile= is not there: start fails until it is */
	KR_UNIT_NO_ENVIRONMENT_FILE,
};

struct kr_unit {
	char *name;
	enum kr_unit_load load;
	const struct kr_file *fragment; /* NULL: not found, or drop-ins only */
	char *fragment_path;            /* the node's path, or NULL */
	const struct kr_file **dropins; /* in the order systemd reads them */
	size_t n_dropins;
	/* as written, without "-", globs expanded */
	struct kr_strings environment_files;
	/* "NAME=value" of Environment=, and EnvironmentFile= with "-", as the
	 * manager holds them */
	struct kr_strings written_environment, written_files;
	char *missing_file; /* KR_UNIT_NO_ENVIRONMENT_FILE: which */
	char *type;         /* Type= or "simple" */
	char *root_directory, *root_image; /* NULL where not set */
	char *working_directory;           /* NULL where not set */
	char *user;                        /* NULL where not set */
	struct kr_unit_command *commands;  /* ExecStart=; one but for oneshot */
	size_t n_commands;
	struct kr_unit_mount *mounts; /* in the order they are written */
	size_t n_mounts;
	struct kr_unit_credential *credentials; /* one a name and directive */
	size_t n_credentials;
	/* the values of ExecStartPre=, what is run before them, and the first
	 * 64 commands in these, variables not expanded, without WRITTEN */
	struct kr_span *before_start;
	size_t n_before_start;
	struct kr_unit_command *before_commands;
	size_t n_before_commands;
	/* lines of which nothing is taken, and that hold "--" */
	struct kr_span *ignored;
	size_t n_ignored;
	struct kr_strings unread; /* as of kr_unit_files */
	/* the environment that the command gets, one entry a name, the one
	 * that wins; losers are in SHADOWED */
	struct kr_unit_variable *variables;
	size_t n_variables;
	struct kr_unit_variable *shadowed;
	size_t n_shadowed;
	struct kr_arena texts; /* names and values of both */
};

struct kr_unit_options {
	/* systemd's own environment block, "NAME=value", for
	 * PassEnvironment= and what every service inherits; NULL-terminated,
	 * NULL: not known (then a PassEnvironment= is a warning) */
	const char *const *manager_environment;
	/* values that specifiers need and the files do not have; NULL: read
	 * from the node's files, else the specifier cannot be resolved */
	const char *host_name, *boot_id;
	/* systemd's version where it is known, else 0: the newest rules */
	unsigned systemd_version;
	/* bytes of a page of the node's kernel, 0: not known */
	size_t page_size;
	/* the unit's files, if kr_unit_files_find() has found them already:
	 * they are taken; NULL */
	struct kr_unit_files *files;
};

/*
 * Reads the unit NAME ("kubelet.service") as systemd would after a
 * daemon-reload. A unit that is missing, masked or broken is no error: RET says
 * so and DIAG has the words, with the place. 0; -ENOMEM; -EIO and the like
 * where a file that is there could not be read (DIAG names it).
 *
 * Rules: systemd.unit(5), systemd.exec(5), systemd.service(5),
 * systemd.syntax(7); src/core/load-fragment.c, src/basic/extract-word.c,
 * src/basic/env-file.c, src/basic/env-util.c of systemd 252.
 */
int kr_unit_resolve(struct kr_fs *fs, const char *name,
                    const struct kr_unit_options *options, struct kr_diag *diag,
                    struct kr_unit **ret);

struct kr_unit *kr_unit_free(struct kr_unit *unit);
DEFINE_FREEP(struct kr_unit, kr_unit_free);
#define _cleanup_unit_ _cleanup_(kr_unit_freep)

/*
 * Adds the edits that put the argument WORD at the end of VARIABLE's value, in
 * the syntax of its file, quoting the assignment where it is not. WORD is what
 * the program gets, printable ASCII, and does not begin with "#" or ";". 0;
 * KR_REFUSED: no edit is safe there, DIAG says why; KR_COLLIDES: EDITS change
 * that place already; -ENOMEM.
 */
int kr_unit_append_word(const struct kr_unit_variable *variable,
                        const char *word, struct kr_edits *edits,
                        struct kr_diag *diag);

/* The same at the end of a command in ExecStart= itself. */
int kr_unit_append_argument(const struct kr_unit_command *command,
                            const char *word, struct kr_edits *edits,
                            struct kr_diag *diag);

/*
 * The assignment with its quotes, "'NAME=a b'" or "NAME=a b" (for a file: from
 * the name's first byte to the value's last, closing quote included, blanks and
 * comments behind it not); and just what is between the quotes behind "NAME=",
 * empty spans too: offset is then where a first word would go.
 */
struct kr_span kr_variable_span(const struct kr_unit_variable *v);
struct kr_span kr_variable_value_span(const struct kr_unit_variable *v);
struct kr_text kr_variable_value(
	const struct kr_unit_variable *v); /* borrowed */

/* Of an argument. */
struct kr_text kr_word_text(const struct kr_unit_word *word); /* borrowed */

/*
 * The bytes of a file that are this word, quotes and escapes included. No file:
 * a manager's variable, or made of several places. Of a "${VAR}" that is the
 * whole word: the bytes of VAR's value.
 */
struct kr_span kr_word_span(const struct kr_unit_word *word);

/*
 * What to take out so that the word is gone and its neighbours stay apart: its
 * span and the blanks (line continuations too, but never a comment) on one side
 * of it. No file: it cannot be cut.
 */
struct kr_span kr_word_cut(const struct kr_unit_word *word);

/* The variable NAME as the command gets it, or NULL. */
const struct kr_unit_variable *kr_unit_variable(const struct kr_unit *unit,
                                                const char *name);
