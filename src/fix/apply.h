/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The common way of fix and undo: read (fix/begin), decide and write
 * (fix/apply), bring kubelet up or put everything back (fix/back).
 */

#include "fix/fix.h"
#include "host/live.h"
#include "host/watchdog.h"
#include "store/recover.h"
#include "store/transaction.h"

/* Whose words the report is to have (fix/apply-log). */
struct kr_log_wish {
	bool wanted;
	uint64_t since_usec; /* realtime; 0: of all times */
	struct kr_invocation except[2];
};

struct kr_applying {
	const struct kr_fix_options *options;
	struct kr_fix *fix; /* plan, before and host are there */
	const char *root;   /* the node's, for messages */
	struct kr_diag *diag;
	bool undo;                        /* the plan takes a fix back */
	const struct kr_manifest *undone; /* that fix, in an undo */
	/* out, and the steps' own */
	int lock_fd;     /* -1: not taken yet */
	size_t n_before; /* messages about the node as it was */
	struct kr_transaction *tx;
	struct kr_watchdog watchdog;
	struct kr_live live;
	bool was_healthy;
	char *unhealthy_why;
	uint64_t waited_usec; /* for a kubelet that was starting, together */
	char settled_id[KR_INVOCATION_ID_SIZE]; /* what has settled in it */
	unsigned n_restarts; /* systemd's count when that wait began */
	bool starts_later;   /* its start waits for another unit: ours? */
	struct kr_activation forward;
	bool owes_restart; /* the files are back, kubelet is not: the record
	                    * stays as it is */
	bool was_invalid;  /* the disk, by our own setting */
	bool stays;        /* the change stays although it did not end well */
	struct kr_log_wish log;
	/* an interrupted run that was taken back: when it began, and the
	 * kubelet that ran then; 0: none was */
	struct kr_manifest recovered;
	struct kr_recovery recovery; /* until that is over */
};

/* How a step has ended, where it has not failed: -ENOMEM, or another errno
 * where that is said. */
enum kr_step {
	KR_STEP_GO_ON,
	KR_STEP_ENDED, /* the outcome is set: there is no step more */
	KR_STEP_AGAIN, /* time has passed: all that was read is old */
	KR_STEP_TAKEN, /* the change is not ours any more: nothing more is done,
	                  and kr_apply_run() says so */
};

/* --- fix/context -----------------------------------------------------------
 */

/* Sets the outcome and its sentence. KR_STEP_ENDED. */
int kr_apply_end(struct kr_applying *a, enum kr_outcome outcome,
                 const char *format, ...) _printf_(3, 4);

/* The same for a signal that came before the first write. */
int kr_apply_end_interrupted(struct kr_applying *a);

/* The same with the cause among the diag's errors as the sentence. */
int kr_apply_end_by_error(struct kr_applying *a, enum kr_outcome outcome,
                          const char *otherwise);

/* The same; where no error has been found yet, it is that the node cannot be
 * read, for ERROR. */
int kr_apply_end_unread(struct kr_applying *a, int error);

struct kr_node *kr_apply_node(struct kr_applying *a);
/* systemd can be asked for it. */
bool kr_apply_can_restart(struct kr_applying *a);
/* We are root, or it is an image. */
bool kr_apply_may_write(struct kr_applying *a);

/* Takes the lock, once. GO_ON; AGAIN: another run was waited for; ENDED. */
int kr_apply_lock(struct kr_applying *a);

/*
 * Whether the change is still ours (kr_transaction_is_mine()); also where there
 * is none. To be asked before each call on the bus that does anything: once it
 * is not, a step returns KR_STEP_TAKEN.
 */
bool kr_apply_is_mine(const struct kr_applying *a);

/* How long a phase that restarts kubelet may take, to the BACK or not. */
uint64_t kr_apply_phase_usec(struct kr_applying *a, bool back);

/* Such a phase begins: its time counts from now, for the timer and in the
 * record. */
void kr_apply_begin_phase(struct kr_applying *a, bool back);

/* < 0: a signal asks for an end. */
int kr_apply_interrupted(struct kr_applying *a);

/* The inputs that kubelet has after the plan. */
const struct kr_inputs *kr_apply_planned(struct kr_applying *a);

/* What kubelet decides by them for the rule I, and for the first. */
const struct kr_view *kr_apply_planned_view(const struct kr_applying *a,
                                            size_t i);
enum kr_state kr_apply_planned_state(struct kr_applying *a);

/* Whether the plan leaves the rule I as it is. */
bool kr_apply_is_left(const struct kr_applying *a, size_t i);

/* The first of AUDIT that MATCHES and is not left; NULL. */
const struct kr_judgement *kr_apply_find(
	const struct kr_applying *a, const struct kr_audit *audit,
	bool (*matches)(const struct kr_judgement *j));

/* What kubelet runs with fails. */
bool kr_apply_runs_wrong(const struct kr_judgement *j);

/* kubelet would not start, by this rule's own setting. */
bool kr_apply_is_own_fault(const struct kr_judgement *j);

/* Whether the disk in the fix's after, and what is RUNNING, is what was
 * planned, of all rules that are not left. */
bool kr_apply_is_as_planned(const struct kr_applying *a, bool running);

/* The first control that a fix is about: what it was before, its field. */
const struct kr_judgement *kr_apply_before(const struct kr_applying *a);
int kr_apply_field(const struct kr_applying *a);

/* What an audit of this run is told. */
struct kr_audit_options kr_apply_audit_options(const struct kr_applying *a);

/* Audits the node as it is now: the fix's host_after and after. 0 or an errno,
 * without words. */
int kr_apply_audit_again(struct kr_applying *a);

/* --- fix/begin ----------------------------------------------------------- */

/*
 * Opens the node and audits it, for the first time or anew: the fix's host and
 * before. What an interrupted run left is taken back first, unless this is a
 * preview. GO_ON; ENDED: it could not be read.
 */
int kr_apply_read(struct kr_applying *a,
                  const struct kr_node_options *node_options);

/* --- fix/apply-live ------------------------------------------------------ */

/* Asks for the live view of the node that was read, where it is wanted. GO_ON;
 * ENDED: a signal came. */
int kr_apply_ask_live(struct kr_applying *a);

/* Before the first write: what cannot be read now proves nothing later. GO_ON;
 * ENDED: refused. */
int kr_apply_check_live(struct kr_applying *a);

enum kr_proved {
	KR_PROVED,
	KR_PROVED_OTHERWISE, /* it says something else */
	KR_PROVED_SILENT,    /* it did not say anything */
};

/*
 * After a restart that went well: asks until the live view is as planned, at
 * most until DEADLINE_USEC of kr_now_usec(), but once at least. An enum
 * kr_proved, with the words in *RET_FAILURE, which the caller frees; -EINTR: a
 * signal came; -ENOMEM.
 */
int kr_apply_prove_live(struct kr_applying *a, uint64_t deadline_usec,
                        char **ret_failure);

/* --- fix/apply-log ------------------------------------------------------- */

/*
 * Asks for kubelet's lines from the reason of its end on in the report: what
 * was said since the restart FAILED, but not by the kubelet that was there
 * before and the one of the restart BACK. FAILED NULL: of the kubelet that had
 * ended already, else of all times; BACK NULL: there was none.
 */
void kr_apply_want_log(struct kr_applying *a,
                       const struct kr_activation *failed,
                       const struct kr_activation *back);

/* Reads what was asked for. Waits for journald, for some seconds at most. */
void kr_apply_read_log(struct kr_applying *a);

/* --- fix/back ------------------------------------------------------------ */

/*
 * After the files were written: Reload and restart as the fix says, and the way
 * back where that does not end well. GO_ON: as was wanted; ENDED; TAKEN.
 */
int kr_apply_activate(struct kr_applying *a);

/* After kr_apply_activate() went well, where another process runs now than the
 * one that had settled: waits for that, too. As kr_apply_activate(). */
int kr_apply_settle_again(struct kr_applying *a);

/* Whether others have written a file of the change meanwhile, or something that
 * decides over it: what kr_apply_audit_again() has seen. */
bool kr_apply_is_rewritten(struct kr_applying *a);

/*
 * kubelet runs and is well, but others have written its files: what is left of
 * the change goes back, and kubelet is left alone. ENDED; TAKEN.
 */
int kr_apply_end_rewritten(struct kr_applying *a);

/*
 * Takes back a change that is well but cannot stand, for WHY: files, Reload,
 * and kubelet where it was restarted. It may be tried again. ENDED; TAKEN.
 */
int kr_apply_give_up(struct kr_applying *a, const char *why);

/* --- fix/starting -------------------------------------------------------- */

/*
 * Where a restart may be needed, a kubelet that is on its way is waited for
 * before it is judged, for as long as the options' wait in all. GO_ON: there
 * was nothing to wait for, or it is not to be waited for; AGAIN; ENDED.
 */
int kr_apply_wait_starting(struct kr_applying *a);

/* Whether we run in kubelet's own unit. 0, *RET; -ENOMEM. */
int kr_apply_is_in_unit(struct kr_applying *a, bool *ret);

/* --- fix/apply ----------------------------------------------------------- */

/*
 * Applies the plan, or shows it (dry_run): ENDED; AGAIN: all must be read and
 * planned once more.
 */
int kr_apply_run(struct kr_applying *a);

void kr_applying_done(struct kr_applying *a);
