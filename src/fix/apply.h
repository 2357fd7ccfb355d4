/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The common way of fix and undo: read (fix/begin), decide and write
 * (fix/apply), bring kubelet up or put everything back (fix/back).
 */

#include "fix/fix.h"
#include "fix/ports.h"
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

/* What a signal is answered with: once files are written; on the way back. */
#define KR_APPLY_INTERRUPTED                                                   \
	"interrupted: putting everything back; do not kill this"
#define KR_APPLY_ON_THE_WAY_BACK                                               \
	"everything is being put back already; do not kill this"

struct kr_applying {
	const struct kr_fix_options *options;
	struct kr_fix *fix; /* plan, before and host are there */
	const char *root;   /* the node's, for messages */
	struct kr_diag *diag;
	bool undo;                        /* the plan undoes a fix */
	const struct kr_manifest *undone; /* that fix, in an undo */
	/* out, and the steps' own */
	int lock_fd;     /* -1: not taken yet */
	size_t n_before; /* messages about the node as it was */
	struct kr_transaction *tx;
	struct kr_watchdog watchdog;
	struct kr_live live;
	/* what it said of every field, where it was asked */
	struct kr_configz_values live_values;
	struct kr_ports ports;
	bool was_healthy;
	char *unhealthy_why;
	uint64_t waited_usec; /* for a kubelet that was starting, together */
	char settled_id[KR_INVOCATION_ID_SIZE]; /* what has settled in it */
	unsigned n_restarts; /* systemd's count when that wait began */
	bool starts_later;   /* its start waits for another unit: ours? */
	struct kr_activation forward;
	unsigned number; /* of this run in the history; 0: it has none yet */
	/* the control that does not go well; NULL: nothing names one */
	const struct kr_rule *blamed;
	bool disliked;     /* the change was put back for what kubelet did */
	bool owes_restart; /* the files are back, kubelet is not: the record
	                    * stays as it is */
	bool was_invalid;  /* the disk, and the plan corrects it */
	bool back_told;    /* that everything goes back was said */
	bool stays;        /* the change stays although it did not end well */
	struct kr_log_wish log;
	/* an interrupted run that was reverted: when it began, and the
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

/* REFUSED for an error CODE, which has the same sentence. KR_STEP_ENDED or
 * -ENOMEM. */
int kr_apply_refuse(struct kr_applying *a, const char *code, const char *format,
                    ...) _printf_(3, 4);

/* The same for a signal that came before the first write. */
int kr_apply_end_interrupted(struct kr_applying *a);

/* The same with the cause among the diag's errors as the sentence. */
int kr_apply_end_by_error(struct kr_applying *a, enum kr_outcome outcome,
                          const char *otherwise);

/* The same; where no error has been found yet, the sentence is that the node
 * cannot be read, for ERROR. */
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
 * is no change. To be asked before each call on the bus that does anything:
 * once it is not, a step returns KR_STEP_TAKEN.
 */
bool kr_apply_is_mine(const struct kr_applying *a);

/* How long a phase that restarts kubelet may take, to the BACK or not. */
uint64_t kr_apply_phase_usec(struct kr_applying *a, bool back);

/* Such a phase begins: its time counts from now, for the timer and in the
 * record. */
void kr_apply_begin_phase(struct kr_applying *a, bool back);

/* < 0: a signal asks for an end. */
int kr_apply_interrupted(struct kr_applying *a);

/* The options' tick (a kr_tick_t, CLOSURE is a struct kr_applying) where no
 * signal may end a wait: it is shown, and answered. 0. */
int kr_apply_tick_on(void *closure, const char *what, uint64_t passed_usec,
                     uint64_t limit_usec);

/* The inputs that kubelet has after the plan. */
const struct kr_inputs *kr_apply_planned(struct kr_applying *a);

/* What kubelet decides by them for the rule I, and for the first. */
const struct kr_view *kr_apply_planned_view(const struct kr_applying *a,
                                            size_t i);
enum kr_state kr_apply_planned_state(struct kr_applying *a);

/* What J has on the disk, as a record keeps it: a value; "default", whatever
 * that is for kubelet's version; "invalid" and the like. 0 or -ENOMEM. */
int kr_apply_describe_disk(const struct kr_judgement *j, char **ret);

/* Whether this run leaves the rule I as it is: the plan does, or its owner
 * lives with it. */
bool kr_apply_is_left(const struct kr_applying *a, size_t i);

/* The first of AUDIT that MATCHES and is not left; NULL. */
const struct kr_judgement *kr_apply_find(
	const struct kr_applying *a, const struct kr_audit *audit,
	bool (*matches)(const struct kr_judgement *j));

/* Whether the disk is invalid, and this fix corrects that: by a selected
 * setting's own fault, or by whatever else the plan makes a value of. */
bool kr_apply_cures(const struct kr_applying *a);

/* Whether the disk in the fix's after, and what is RUNNING, is what was
 * planned, of all rules that are not left. */
bool kr_apply_is_as_planned(const struct kr_applying *a, bool running);

/* Whether the restart brings a change of RULE: the plan does, or what runs is
 * wrong and the files are correct. */
bool kr_apply_changes(const struct kr_applying *a, const struct kr_rule *rule);

/* The first control that a fix is about, as it was before. */
const struct kr_judgement *kr_apply_before(const struct kr_applying *a);

/* The usual control alone is selected, and spoken of by its own words. */
bool kr_apply_is_usual(const struct kr_applying *a);

/* What an audit of this run gets. */
struct kr_audit_options kr_apply_audit_options(const struct kr_applying *a);

/* Audits the node as it is now: the fix's host_after and after. 0 or an errno,
 * without words. */
int kr_apply_audit_again(struct kr_applying *a);

/* --- fix/begin ----------------------------------------------------------- */

/*
 * Opens the node and audits it, for the first time or again: the fix's host and
 * before. What an interrupted run left is reverted first, unless this is a
 * preview. GO_ON; ENDED: it could not be read.
 */
int kr_apply_read(struct kr_applying *a,
                  const struct kr_node_options *node_options);

/* --- fix/apply-live ------------------------------------------------------ */

/* Asks for the live view of the node that was read, where it is wanted. GO_ON;
 * ENDED: a signal came. */
int kr_apply_ask_live(struct kr_applying *a);

/* What was heard is of a kubelet that is gone again. */
void kr_apply_forget_live(struct kr_applying *a);

/* Before the first write: what cannot be read now proves nothing later. GO_ON;
 * ENDED: refused. */
int kr_apply_check_live(struct kr_applying *a);

/* What a proof behind a restart that went well says of it. */
enum kr_proof {
	KR_PROOF_GOOD,   /* nothing against it */
	KR_PROOF_BAD,    /* it is not as wanted: not to be tried again */
	KR_PROOF_SILENT, /* no answer: it may be tried again */
};

/*
 * Asks until the live view is as planned, at most until DEADLINE_USEC of
 * kr_now_usec(), but once at least. An enum kr_proof, with the words of BAD and
 * SILENT in *RET_FAILURE, which the caller frees; -EINTR: a signal came;
 * -ENOMEM.
 */
int kr_apply_prove_live(struct kr_applying *a, uint64_t deadline_usec,
                        char **ret_failure);

/* --- fix/ports ----------------------------------------------------------- */

/* Asks what kubelet's own ports have to answer by now, of the controls that the
 * restart changes. As kr_apply_prove_live(); BAD sets BLAMED, where the answer
 * tells it. */
int kr_apply_prove_ports(struct kr_applying *a, uint64_t deadline_usec,
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

/* Why nothing can be fixed yet, where kubelet is not configured here. */
const char *kr_apply_unconfigured(const struct kr_applying *a);

/* Reads what was asked for. Waits for journald, for some seconds at most. */
void kr_apply_read_log(struct kr_applying *a);

/* --- fix/back ------------------------------------------------------------ */

/*
 * After the files were written: Reload and restart as the fix says, and the way
 * back where that does not end well. GO_ON: as was wanted; ENDED; TAKEN.
 */
int kr_apply_activate(struct kr_applying *a);

/* The last moment at which a signal puts everything back. GO_ON: none came,
 * and none that comes is answered any more; ENDED; TAKEN. */
int kr_apply_heed(struct kr_applying *a);

/* After kr_apply_activate() went well, where another process runs now than the
 * one that had settled: waits for that, too. As kr_apply_activate(). */
int kr_apply_settle_again(struct kr_applying *a);

/* Whether others have written a file of the change meanwhile, or something that
 * decides over it: what kr_apply_audit_again() has seen. */
bool kr_apply_is_rewritten(struct kr_applying *a);

/*
 * kubelet runs and is healthy, but others have written its files: what is left
 * of the change goes back, and kubelet is left alone. ENDED; TAKEN.
 */
int kr_apply_end_rewritten(struct kr_applying *a);

/*
 * Puts back a change that is healthy but cannot stand, for WHY: files, Reload,
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

/* --- fix/apply-checks ---------------------------------------------------- */

bool kr_apply_has_edits(const struct kr_applying *a);
/* Edits, a restart or a Reload. */
bool kr_apply_has_work(const struct kr_applying *a);

/* The steps up to the first write, one by one. GO_ON; ENDED: one of them speaks
 * against it; AGAIN. */
int kr_apply_check(struct kr_applying *a);

/* --- fix/apply-end ------------------------------------------------------- */

/* Marks the errors of the node as it was that the plan's edits take away. */
void kr_apply_mark_cured(struct kr_applying *a);

/* The outcome and its sentence: of a preview; where nothing is to be done; of a
 * change that stands; of one that recover has reverted. ENDED; -ENOMEM. */
int kr_apply_end_preview(struct kr_applying *a);
int kr_apply_end_compliant(struct kr_applying *a);
int kr_apply_end_done(struct kr_applying *a);
int kr_apply_end_taken(struct kr_applying *a);

/* Behind all of them: what still runs, what is left, kubelet's last lines and
 * the control that they blame. ENDED; -ENOMEM. */
int kr_apply_sum_up(struct kr_applying *a);

/* --- fix/apply ----------------------------------------------------------- */

/*
 * Applies the plan, or shows it (dry_run): ENDED; AGAIN: all must be read and
 * planned once more.
 */
int kr_apply_run(struct kr_applying *a);

void kr_applying_done(struct kr_applying *a);
