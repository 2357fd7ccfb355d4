/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBELET_REMEDY_H
#define KUBELET_REMEDY_H

/*
 * libkubelet-remedy: what a node's kubelet makes of makeIPTablesUtilChains,
 * which bytes of which files decide it, and the edits that would make it true.
 *
 * The library reads files below a root directory. It writes nothing, restarts
 * nothing, needs no root, no bus and no network, prints nothing, starts no
 * process and no thread, and keeps no state outside its objects: two of them
 * may be used in two threads, one of them in one thread at a time.
 *
 * Every file was read once: all that one object says is about the same bytes.
 * All paths are the node's own, without the root directory.
 *
 * Strings and bytes that a function hands out belong to the object that was
 * asked, are never changed, and live until it is freed. Strings that are handed
 * in are copied.
 *
 * Functions that can fail return 0, or a negative errno; what they return
 * through RET is written only with 0.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A node that was read and judged. */
struct kr_remedy;

/* Edits that make the value true. */
struct kr_remedy_plan;

enum kr_remedy_verdict {
	KR_REMEDY_PASS,
	KR_REMEDY_FAIL,
	KR_REMEDY_INVALID, /* kubelet would not start */
	KR_REMEDY_UNKNOWN,
};

enum kr_remedy_state {
	KR_REMEDY_STATE_TRUE,
	KR_REMEDY_STATE_FALSE,
	KR_REMEDY_STATE_INVALID, /* kubelet would not start with it */
	KR_REMEDY_STATE_UNKNOWN, /* not known */
	KR_REMEDY_STATE_ABSENT,  /* there is nothing to look at */
	KR_REMEDY_STATE_NULL,    /* a source: there, but it says nothing */
};

enum kr_remedy_view {
	KR_REMEDY_DISK,    /* what kubelet would use after a restart */
	KR_REMEDY_RUNNING, /* what its process was started with */
};

enum kr_remedy_kind {
	KR_REMEDY_BY_DEFAULT,    /* kubelet's own */
	KR_REMEDY_BY_CONFIG,     /* the file of --config */
	KR_REMEDY_BY_CONFIG_DIR, /* a file of --config-dir */
	KR_REMEDY_BY_FLAG,
};

enum kr_remedy_severity {
	KR_REMEDY_ERROR,
	KR_REMEDY_WARNING,
	KR_REMEDY_NOTE,
};

enum kr_remedy_method {
	KR_REMEDY_AUTO,   /* CONFIG where kubelet reads a file, else FLAG */
	KR_REMEDY_CONFIG, /* the key is true, every flag is cut */
	KR_REMEDY_FLAG,   /* one flag is true, every other is cut */
};

struct kr_remedy_options {
	const char *root;     /* NULL: "/" */
	const char *unit;     /* NULL: "kubelet.service" */
	const char *config;   /* read instead of the one found; NULL */
	bool explicit_wanted; /* kubelet's default will not do */
	/* a plan also makes the file from which this platform writes kubelet's
	 * again at its next boot (EKS AL2023: /etc/eks/nodeadm.d) */
	bool persist;
};

/* One place that sets the value. */
struct kr_remedy_source {
	enum kr_remedy_kind kind;
	enum kr_remedy_state state; /* TRUE, FALSE, INVALID, NULL */
	bool wins;                  /* it decides the disk view */
	bool editable;
	const char *reason; /* why it is not editable, or loses; or NULL */
	/* NULL: kubelet's default, or an argument that no file has; then
	 * OFFSET, LINE and COLUMN are 0 */
	const char *file;
	size_t offset, length; /* of the deciding word or value, in bytes */
	unsigned line, column; /* of its first byte, from 1; column in bytes */
	/* LENGTH bytes, exactly the file's, and no NUL behind them; an argument
	 * that no file has: the word; NULL: kubelet's default */
	const char *text;
};

struct kr_remedy_message {
	enum kr_remedy_severity severity;
	const char *code; /* lower case and dashes: for programs */
	const char *file; /* or NULL */
	unsigned line;    /* from 1; 0: the file as a whole */
	unsigned column;  /* from 1, in bytes; 0: no place in a line */
	const char *text; /* one sentence, lower case, no full stop */
};

/* A file that a plan changes. */
struct kr_remedy_file {
	const char *path; /* of the file itself: links are resolved */
	bool is_new;      /* it does not exist yet */
	size_t n_edits;   /* a new file has none */
	/* the whole new content, CONTENT_SIZE bytes and a NUL that does not
	 * count */
	const char *content;
	size_t content_size;
};

/* LENGTH bytes from OFFSET of the unchanged file become TEXT. */
struct kr_remedy_edit {
	size_t offset, length;
	const char *text; /* NUL-terminated; may be empty */
};

/* --- audit --------------------------------------------------------------- */

/*
 * Reads and judges the node below OPTIONS->root. NULL for OPTIONS: all of it by
 * default. If the root is that of a running system (its /proc/1/root is the
 * root itself), the running kubelet is looked for in its /proc, too.
 *
 * What is missing or broken on the node is a result, not an error. The caller
 * frees RET by kr_remedy_free().
 *
 * 0; -ENOENT, -ENOTDIR, -EACCES, -ELOOP, ...: the root, as open(2) says it;
 * -ENOTUNIQ and others: /proc cannot be read; -ENOMEM.
 */
int kr_remedy_new(const struct kr_remedy_options *options,
                  struct kr_remedy **ret);

/* NULL is allowed. Its plans must be freed before. Returns NULL. */
struct kr_remedy *kr_remedy_free(struct kr_remedy *remedy);

/*
 * fail: a view is false, or with explicit_wanted nothing says true; else
 * invalid: a view is; else unknown: the disk view is, or the running one is and
 * there is a process, or no view is true; else pass.
 */
enum kr_remedy_verdict kr_remedy_verdict(const struct kr_remedy *remedy);

/* Why, in one sentence. */
const char *kr_remedy_reason(const struct kr_remedy *remedy);

/* A view's state; RET_REASON, where not NULL, is one sentence. */
enum kr_remedy_state kr_remedy_view(const struct kr_remedy *remedy,
                                    enum kr_remedy_view view,
                                    const char **ret_reason);

/* The kubelet that the running view is of; 0: none. */
pid_t kr_remedy_pid(const struct kr_remedy *remedy);

/* Every place that sets the value, winners and losers, in kubelet's order of
 * precedence, weakest first. 0; -ERANGE: there are not so many. */
size_t kr_remedy_n_sources(const struct kr_remedy *remedy);
int kr_remedy_source(const struct kr_remedy *remedy, size_t i,
                     struct kr_remedy_source *ret);

/* What was found on the way; a plan adds to it. 0; -ERANGE: there are not so
 * many. */
size_t kr_remedy_n_messages(const struct kr_remedy *remedy);
int kr_remedy_message(const struct kr_remedy *remedy, size_t i,
                      struct kr_remedy_message *ret);

/* --- plan ---------------------------------------------------------------- */

/*
 * Plans the edits that make REMEDY's disk view true. They are proven: the
 * audit of the edited bytes comes out true, with every other argument and
 * setting unchanged, and so is no state between two files worse than the first.
 * There are none if the disk view is true already. The caller frees RET by
 * kr_remedy_plan_free(), before REMEDY.
 *
 * Where others will write the files again a message says who, and when.
 * With options' persist the plan of a node that is not configured yet is the
 * file that outlasts that, and nothing is proven of it.
 *
 * 0; -EOPNOTSUPP: refused, the errors among REMEDY's messages say why, where,
 * and what must be true; -ENOENT: there is nothing to judge yet (no
 * unit, or not all of its files); -ENOMEM; other errnos of reading files.
 */
int kr_remedy_plan_new(struct kr_remedy *remedy, enum kr_remedy_method method,
                       struct kr_remedy_plan **ret);

/* NULL is allowed. Returns NULL. */
struct kr_remedy_plan *kr_remedy_plan_free(struct kr_remedy_plan *plan);

/* CONFIG or FLAG. */
enum kr_remedy_method kr_remedy_plan_method(const struct kr_remedy_plan *plan);

/* Whether a unit or drop-in is edited, so that systemd must reload. */
bool kr_remedy_plan_reloads(const struct kr_remedy_plan *plan);

/* The files, in the order in which they are to be replaced. 0; -ERANGE: there
 * are not so many. */
size_t kr_remedy_plan_n_files(const struct kr_remedy_plan *plan);
int kr_remedy_plan_file(const struct kr_remedy_plan *plan, size_t i,
                        struct kr_remedy_file *ret);

/* The edits of file FILE, in order of offset, none touching another. 0;
 * -ERANGE: there are not so many. */
int kr_remedy_plan_edit(const struct kr_remedy_plan *plan, size_t file,
                        size_t i, struct kr_remedy_edit *ret);

#ifdef __cplusplus
}
#endif

#endif
