/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What audit and fleet say to other programs: findings, one a node, in formats
 * that are written as they come, so that no memory is needed for a node that
 * has been said.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/span.h"
#include "policy/judge.h"

/*
 * Bytes of a file. What is not known is 0 or NULL. Columns of characters are
 * counted in Unicode code points; a byte that is part of none counts as one.
 */
struct kr_place {
	const char *file;      /* the node's path; NULL: no place */
	unsigned line, column; /* of the first byte, from 1, in bytes */
	unsigned char_column;  /* the same in characters */
	/* of the first character behind; 0: not known */
	unsigned end_line, end_char_column;
	bool has_bytes; /* OFFSET, LENGTH and TEXT are known */
	size_t offset, length;
	const char *text; /* LENGTH bytes, no NUL behind them */
};

/* Borrowed from SPAN's file. One without a file gives no place; a file in
 * UTF-16 has bytes, but no lines. */
struct kr_place kr_place_from_span(struct kr_span span);

/* Borrowed from M. */
struct kr_place kr_place_from_message(const struct kr_message *m);

/* One control of one node. Everything in it is borrowed. */
struct kr_finding {
	const char *node; /* its name; NULL: not known */
	const struct kr_rule *rule;
	const struct kr_edition *numbers; /* whose number it has; NULL: none */
	const struct kr_waiver *waiver;   /* NULL: it is not waived */
	/* of the node's findings it is the first: what is said of the node is
	 * said there */
	bool first;
	enum kr_verdict verdict;
	const char *reason; /* one sentence */
	/* the same without the control's name; NULL: it is not of one control
	 */
	const char *why;
	enum kr_state disk, running, live;
	bool restart_needed, reload_needed;
	uint64_t time_usec;    /* realtime; 0: not known */
	uint64_t took_usec;    /* how long it took */
	struct kr_place place; /* what decides it */
	/* every place that sets the value; the one that is PLACE, too */
	const struct kr_source *sources;
	size_t n_sources;
	const struct kr_diag *diag; /* about this node; NULL: nothing */
};

/*
 * What AUDIT found of its control I; NAME is what the node is called, or NULL.
 * The place is that of the first view that is as bad as the verdict, else the
 * one that decides the disk view, else the first error's in DIAG.
 */
struct kr_finding kr_finding_from_audit(const char *name,
                                        const struct kr_audit *audit, size_t i,
                                        const struct kr_diag *diag);

/* RULE on a node that cannot be read: no verdict. REASON, which is borrowed, is
 * kr_diag_reason() of DIAG; a line in it becomes the place. */
struct kr_finding kr_finding_unread(const char *name,
                                    const struct kr_rule *rule,
                                    const char *reason,
                                    const struct kr_diag *diag);

/* Whether the message M is to be said with FINDING. */
bool kr_finding_has(const struct kr_finding *finding,
                    const struct kr_message *m);

/* What only AWS knows. Borrowed. */
struct kr_asff {
	const char *account;  /* twelve digits */
	const char *region;   /* "eu-central-1" */
	const char *instance; /* the node's, "i-..."; "": not known */
};

/* The same for all findings of a run. */
struct kr_finding_about {
	/* each node has a finding of each, in this order */
	const struct kr_rules *rules;
	const char *node; /* the only one; NULL: there are many, or no name */
	/* where the nodes' paths are, absolute if it is there; NULL: not on
	 * this machine */
	const char *root;
	bool many;    /* of a fleet: each finding names its node */
	bool by_node; /* each node is judged by an edition of its own */
	const struct kr_asff *asff; /* for kr_asff_format alone */
};

/* What NODE, which may be NULL or "", is called: its name, else the root of its
 * files where that is not this machine's, else "localhost". */
const char *kr_finding_node(const struct kr_finding_about *about,
                            const char *node);

struct kr_findings;

/* Each gives 0 or -ENOMEM. */
struct kr_finding_format {
	int (*begin)(struct kr_findings *w);
	/* all findings of a node */
	int (*add)(struct kr_findings *w, const struct kr_finding *f, size_t n);
	int (*end)(struct kr_findings *w, bool complete);
};

extern const struct kr_finding_format kr_sarif;       /* OASIS SARIF 2.1.0 */
extern const struct kr_finding_format kr_junit;       /* JUnit's XML */
extern const struct kr_finding_format kr_prometheus;  /* text format 0.0.4 */
extern const struct kr_finding_format kr_asff_format; /* AWS Security Hub's */

/* A writer. Its members are the formats'. */
struct kr_findings {
	const struct kr_finding_format *format;
	const struct kr_finding_about *about;
	FILE *out;
	size_t n_findings;
	size_t n_verdicts[KR_N_RULES][_KR_VERDICT_MAX]; /* by rule of ABOUT */
	bool numbers[KR_N_EDITIONS]; /* a finding has one's number */
};

/*
 * Begins, adds the N findings of a node, one of each rule, to and ends what is
 * written to OUT. ABOUT is borrowed until the
 * end. Whether OUT took it all is for the caller to see (ferror(3)). After
 * -ENOMEM nothing more may be written. COMPLETE: every node that was asked for
 * was looked at, as far as it let itself be. 0 or -ENOMEM.
 */
int kr_findings_begin(struct kr_findings *w,
                      const struct kr_finding_format *format, FILE *out,
                      const struct kr_finding_about *about);
int kr_findings_add(struct kr_findings *w, const struct kr_finding *findings,
                    size_t n);
int kr_findings_end(struct kr_findings *w, bool complete);
