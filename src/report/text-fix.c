/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Fixes for people: what one would do, what it did, and how it was undone.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/vec.h"
#include "policy/step.h"
#include "report/advice.h"
#include "report/next.h"
#include "report/text-audit.h"
#include "report/text-fix.h"
#include "report/text-plan.h"
#include "report/text-status.h"
#include "report/text-words.h"

static const struct outcome_word {
	const char *word;
	enum kr_color color;
} outcome_words[] = {
	[KR_OUTCOME_UNCHANGED] = {"UNCHANGED", KR_COLOR_GOOD},
	[KR_OUTCOME_FIXED] = {"FIXED", KR_COLOR_GOOD},
	[KR_OUTCOME_PARTLY] = {"PARTLY FIXED", KR_COLOR_WARN},
	[KR_OUTCOME_WOULD_FIX] = {"WOULD FIX", KR_COLOR_WARN},
	[KR_OUTCOME_UNCONFIGURED] = {"NOT CONFIGURED", KR_COLOR_WARN},
	[KR_OUTCOME_REFUSED] = {"REFUSED", KR_COLOR_BAD},
	[KR_OUTCOME_FAILED] = {"FAILED", KR_COLOR_BAD},
	[KR_OUTCOME_ROLLED_BACK] = {"ROLLED BACK", KR_COLOR_BAD},
	[KR_OUTCOME_BROKEN] = {"BROKEN", KR_COLOR_BAD},
};

static_assert(ARRAY_SIZE(outcome_words) == _KR_OUTCOME_MAX,
              "a word for each outcome");

/* What a line goes on with behind START. */
#define NEXT_SIZE 16

static void make_next(const char *start, char ret[static NEXT_SIZE])
{
	snprintf(ret, NEXT_SIZE, "%s    ", start);
}

/* The command that fixes what was left, which has one. */
static void print_left_command(const struct kr_term *term,
                               const struct kr_fix *fix,
                               const struct kr_left *l)
{
	fprintf(term->out, "kubelet-remedy fix -n%s %s%s",
	        fix->left_words ? fix->left_words : "", l->options,
	        fix->how ? fix->how : "");
	kr_next_options(term, fix->host->node, NULL);
	fputc('\n', term->out);
}

void kr_text_left(const struct kr_term *term, const struct kr_fix *fix,
                  const char *start)
{
	const struct kr_plan *plan = fix->plan;
	_cleanup_free_ char *reason = kr_fix_reason(fix);
	char next[NEXT_SIZE];

	make_next(start, next);
	for (size_t i = 0; plan && i < plan->n_left; i++) {
		const struct kr_left *l = &plan->left[i];
		const char *id = kr_audit_number(fix->before, l->rule);
		int used = fprintf(term->out, "%sleft: %s%s%s (%s): ", start,
		                   id, *id ? " " : "", l->rule->name,
		                   kr_why_to_string(l->why));

		kr_text_lines(term,
		              reason && strcmp(l->text, reason) == 0
		                      ? "for the same reason"
		                      : l->text,
		              used > 0 ? (size_t)used : 0, next);
		/* it stands with the control that is the cause */
		if (!l->options || l->invalid)
			continue;
		fputs(next, term->out);
		print_left_command(term, fix, l);
	}
}

/* "next: " that command of the first that has one, behind START. Whether one
 * has. */
static bool print_left_next(const struct kr_term *term,
                            const struct kr_fix *fix, const char *start)
{
	const struct kr_plan *plan = fix->plan;
	size_t i = 0;

	while (i < plan->n_left && !plan->left[i].options)
		i++;
	if (i == plan->n_left)
		return false;
	fputs(start, term->out);
	kr_term_color(term, KR_COLOR_DIM, "next:");
	fputc(' ', term->out);
	print_left_command(term, fix, &plan->left[i]);
	return true;
}

static const struct outcome_word *find_word(const struct kr_fix *fix)
{
	static const struct outcome_word undone = {"UNDONE", KR_COLOR_GOOD},
					 would = {"WOULD UNDO", KR_COLOR_WARN},
					 nothing = {"NOTHING TO UNDO",
	                                            KR_COLOR_WARN};

	if (fix->undo && fix->outcome == KR_OUTCOME_FIXED)
		return &undone;
	if (fix->undo && fix->outcome == KR_OUTCOME_WOULD_FIX)
		return &would;
	if (fix->undo && fix->outcome == KR_OUTCOME_UNCHANGED)
		return &nothing;
	return &outcome_words[fix->outcome];
}

/* With what has to be written first, each line behind START. */
static void print_outcome(const struct kr_term *term, const struct kr_fix *fix,
                          const char *start)
{
	bool left = fix->outcome == KR_OUTCOME_UNCHANGED &&
	            kr_plan_n_failing(fix->plan) > 0;
	const struct outcome_word *word = find_word(fix);
	struct kr_term behind = *term;
	char next[NEXT_SIZE];

	make_next(start, next);
	behind.start = start;
	kr_term_headline(&behind, left ? KR_COLOR_WARN : word->color,
	                 word->word, fix->reason);
	if (fix->lines)
		kr_text_copy(term, fix->lines, next);
}

void kr_text_outcome(const struct kr_term *term, const struct kr_fix *fix)
{
	print_outcome(term, fix, "");
}

/* What is to be put by hand where it lasts; NULL: nothing. */
static const struct kr_durable *find_durable(const struct kr_fix *fix)
{
	const struct kr_durable *d = kr_fix_durable(fix);
	bool ends = fix->outcome == KR_OUTCOME_REFUSED
	                    ? d && fix->plan->edits.n_files == 0
	                    : fix->outcome == KR_OUTCOME_FIXED ||
	                              fix->outcome == KR_OUTCOME_WOULD_FIX;

	return d && !d->written && ends ? d : NULL;
}

bool kr_text_says_rewrites(const struct kr_fix *fix)
{
	const struct kr_durable *d = find_durable(fix);

	return d && d->platform->owner && fix->outcome != KR_OUTCOME_REFUSED &&
	       d->platform == fix->host->node->platform;
}

/* The exact text that is to be put into the durable place by hand, each line
 * behind START. */
static void print_durable(const struct kr_term *term, const struct kr_fix *fix,
                          const char *start)
{
	const struct kr_durable *d = find_durable(fix);
	char next[NEXT_SIZE], where[512];

	if (!d)
		return;
	make_next(start, next);
	if (kr_text_says_rewrites(fix)) {
		snprintf(where, sizeof(where),
		         "%s%s writes kubelet's files again %s%s", start,
		         d->platform->owner, d->platform->when,
		         d->platform->seldom ? ""
		                             : ": a fix here lasts until then");
		kr_term_wrap(term, where, strlen(where), 0, next);
	}
	snprintf(where, sizeof(where), "%s%s, in %s:", start,
	         fix->outcome == KR_OUTCOME_REFUSED ? "instead"
	         : d->platform->seldom              ? "for new nodes"
	                                            : "to keep it",
	         d->place);
	kr_term_wrap(term, where, strlen(where), 0, next);
	kr_text_copy(term, d->text, next);
}

/* Whom to ask; NULL: none, or it has just not answered. */
static const struct kr_api_options *next_api(const struct kr_fix *fix)
{
	const struct kr_audit *last = fix->after ? fix->after : fix->before;

	return last && last->items[0].live.state == KR_STATE_UNKNOWN ? NULL
	                                                             : fix->api;
}

/* COMMAND with what makes it the one that FIX is a preview of. */
static void print_again(const struct kr_term *term, const struct kr_fix *fix,
                        const char *command)
{
	const struct kr_node *node = fix->host->node;
	const struct kr_api_options *api = next_api(fix);
	enum kr_method by_default = kr_step_method(node);

	fprintf(term->out, "kubelet-remedy %s%s", command,
	        fix->words ? fix->words : "");
	if (fix->asked)
		fprintf(term->out, " %s", fix->asked);
	if (!fix->undo && fix->plan && fix->plan->method != by_default &&
	    !fix->plan->unconfigured)
		fprintf(term->out, " --method=%s",
		        kr_method_to_string(fix->plan->method));
	fputs(fix->how ? fix->how : "", term->out);
	kr_next_options(term, node, api);
	fputc('\n', term->out);
}

/* What an undo would have done: an operator may want to do it by hand. */
static int print_refused(const struct kr_term *term, const struct kr_fix *fix)
{
	if (fix->outcome != KR_OUTCOME_REFUSED || !fix->plan ||
	    fix->plan->edits.n_files == 0)
		return 0;
	fputs("# this was not done:\n", term->out);
	if (kr_plan_print_changes(term, fix->plan) < 0)
		return -ENOMEM;
	return kr_plan_print_diffs(term, fix->plan);
}

void kr_text_cause(const struct kr_term *term, const struct kr_fix *fix,
                   const struct kr_message *cause, const char *start)
{
	struct kr_term behind = *term;

	behind.start = start;
	if (!cause)
		return;
	if (cause->file && !strstr(fix->reason, cause->file)) {
		fprintf(term->out, "%s  %s ", start,
		        fix->undo && cause->line == 0 ? "refused because of"
		                                      : "at");
		kr_term_message_place(term, cause);
		fputc('\n', term->out);
	}
	kr_term_message_line(&behind, cause);
}

void kr_text_cures(const struct kr_term *term, const struct kr_diag *diag)
{
	KR_EACH(const struct kr_message, m, diag->messages, diag->n_messages) {
		_cleanup_free_ char *text = NULL;

		if (!m->cured ||
		    kr_format(&text,
		              "# also corrects an error that stops kubelet: "
		              "%s:%u:%u: %s",
		              m->file, m->line, m->column, m->text) < 0)
			continue;
		kr_term_wrap(term, text, strlen(text), 0, "#     ");
	}
}

/* Where the old files of the fix that is undone are, as a person finds them. */
static void print_record(const struct kr_term *term, const struct kr_fix *fix)
{
	const char *root = fix->host ? fix->host->node->root : "/";

	if (strcmp(root, "/") != 0)
		kr_term_text(term, root);
	fprintf(term->out, "%s%s%s\n", KR_STATE_DIR, *fix->undone ? "/" : "",
	        fix->undone);
}

void kr_text_advice(const struct kr_term *term, const struct kr_fix *fix,
                    const struct kr_diag *diag, const char *start)
{
	const struct kr_message *cause = kr_diag_cause(diag);
	const char *advice = kr_advice(cause);
	char next[NEXT_SIZE];

	if (*fix->undo_first) {
		fprintf(term->out, "%s", start);
		kr_term_color(term, KR_COLOR_DIM, "next:");
		fprintf(term->out, " kubelet-remedy undo%s %s",
		        *start ? " -n" : "", fix->undo_first);
		fputs(fix->how ? fix->how : "", term->out);
		kr_next_options(term, fix->host->node, NULL);
		fputc('\n', term->out);
		return;
	}

	/* what kubelet refuses may be what has to be allowed */
	if (fix->outcome == KR_OUTCOME_REFUSED && fix->plan &&
	    fix->plan->edits.n_files == 0 && print_left_next(term, fix, start))
		return;
	if (!advice || (fix->outcome != KR_OUTCOME_REFUSED &&
	                fix->outcome != KR_OUTCOME_FAILED))
		return;
	fputs(start, term->out);
	kr_term_color(term, KR_COLOR_DIM, "next:");
	fputc(' ', term->out);
	/* a command or a name ends it */
	if (fix->host && strcmp(cause->code, "other-plan") == 0) {
		fputs("review it with: ", term->out);
		print_again(term, fix, "fix -n");
	} else if (fix->host && strcmp(cause->code, "put-back-before") == 0) {
		if (fix->plan && fix->plan->n_rules > 1)
			fputs("leave out the control at fault with "
			      "--skip=NAME, or ",
			      term->out);
		fputs("correct the cause, then run: ", term->out);
		print_again(term, fix,
		            *start ? "fix -n --retry" : "fix --retry");
	} else if (strcmp(cause->code, "undo-refused") == 0) {
		fputs("put it back by hand: the old files are in ", term->out);
		print_record(term, fix);
	} else {
		_cleanup_free_ char *named = kr_advice_named(cause, advice);

		make_next(start, next);
		if (named)
			kr_term_wrap(term, named, strlen(named),
			             strlen(start) + strlen("next: "), next);
	}
}

static int print_plan(const struct kr_term *term, const struct kr_fix *fix,
                      bool verbose)
{
	int r = kr_plan_print_changes(term, fix->plan);

	if (r < 0)
		return r;
	r = kr_plan_print_diffs(term, fix->plan);
	if (r < 0)
		return r;
	kr_plan_print_steps(term, fix, verbose);
	kr_plan_print_risks(term, fix);
	return kr_plan_print_verdicts(term, fix);
}

static void print_no_unit(const struct kr_term *term, const struct kr_fix *fix,
                          const char *start)
{
	if (fix->outcome == KR_OUTCOME_UNCONFIGURED && fix->host)
		kr_next_print_no_unit(term, fix->host->node, "fix -n", start);
}

static int print_preview(const struct kr_term *term, const struct kr_fix *fix,
                         const struct kr_text_change *change)
{
	bool undo = strcmp(change->command, "undo") == 0;

	print_outcome(term, fix, "# ");
	if (undo && print_refused(term, fix) < 0)
		return -ENOMEM;
	if (fix->outcome == KR_OUTCOME_WOULD_FIX && fix->plan &&
	    print_plan(term, fix, change->verbose) < 0)
		return -ENOMEM;
	print_durable(term, fix, "# ");
	kr_text_left(term, fix, "# ");
	return 0;
}

/* A restart makes known what kubelet runs with, where its files are correct and
 * tell nothing of it. */
static bool print_unknown_next(const struct kr_term *term,
                               const struct kr_fix *fix,
                               const struct kr_text_change *change)
{
	const struct kr_audit *now = fix->before;

	if (fix->undo || fix->outcome != KR_OUTCOME_UNCHANGED || !fix->host ||
	    !fix->plan || kr_plan_n_failing(fix->plan) > 0 || change->stays)
		return false;
	KR_EACH(const struct kr_judgement, j, now->items, now->n_items) {
		if (j->verdict != KR_VERDICT_UNKNOWN ||
		    j->running.state != KR_STATE_UNKNOWN ||
		    j->disk.answer != KR_ANSWER_PASS)
			continue;
		fputs(change->preview ? "# " : "", term->out);
		kr_term_color(term, KR_COLOR_DIM, "next:");
		fputc(' ', term->out);
		print_again(term, fix, "fix --restart=always");
		return true;
	}
	return false;
}

/* The files are correct; kubelet is not healthy and was not restarted. */
static bool print_down_next(const struct kr_term *term,
                            const struct kr_fix *fix,
                            const struct kr_diag *diag, const char *start)
{
	if ((fix->outcome != KR_OUTCOME_UNCHANGED &&
	     fix->outcome != KR_OUTCOME_FIXED) ||
	    fix->undo || fix->restarts ||
	    (!kr_diag_find(diag, "kubelet-down") &&
	     !kr_diag_find(diag, "unhealthy-before")))
		return false;
	fputs(start, term->out);
	kr_next_print(term, fix->host->node, NULL, "status");
	return true;
}

static void print_preview_next(const struct kr_term *term,
                               const struct kr_fix *fix,
                               const struct kr_text_change *change,
                               const struct kr_diag *diag)
{
	if (print_unknown_next(term, fix, change) ||
	    print_down_next(term, fix, diag, "# "))
		return;
	if (fix->outcome != KR_OUTCOME_WOULD_FIX) {
		print_no_unit(term, fix, "# ");
		return;
	}
	if (*fix->hash)
		fprintf(term->out, "# plan %s\n", fix->hash);
	fputs("# ", term->out);
	kr_term_color(term, KR_COLOR_DIM, "next:");
	fputs(change->needs_sudo && fix->host->node->live ? " sudo " : " ",
	      term->out);
	print_again(term, fix, change->command);
}

/* After what did not end well: the log of the kubelet that was put
 * back, as the one that runs is healthy; else the state of the one that is
 * there. */
static void print_failed_next(const struct kr_term *term,
                              const struct kr_fix *fix,
                              const struct kr_text_change *change)
{
	if (!fix->host)
		return;
	if (fix->outcome == KR_OUTCOME_ROLLED_BACK && change->interrupted &&
	    fix->plan) {
		kr_term_color(term, KR_COLOR_DIM, "next:");
		fputc(' ', term->out);
		print_again(term, fix, fix->undo ? "undo -n" : "fix -n");
	} else if (fix->outcome == KR_OUTCOME_ROLLED_BACK && fix->failed_usec)
		kr_next_print_log(term, fix);
	else if (fix->wants_undo)
		kr_next_print(term, fix->host->node, NULL, "undo");
	else if (fix->outcome == KR_OUTCOME_PARTLY ||
	         fix->outcome == KR_OUTCOME_ROLLED_BACK ||
	         fix->outcome == KR_OUTCOME_BROKEN)
		kr_next_print(term, fix->host->node, NULL, "status");
}

/* Whether only a restart makes kubelet run with what the files say. */
static bool needs_restart(const struct kr_fix *fix)
{
	const struct kr_audit *after = fix->after;

	return fix->host_after && after && after->pid > 0 && !fix->restarts &&
	       after->verdict != KR_VERDICT_PASS;
}

static int print_restart_next(const struct kr_term *term,
                              const struct kr_fix *fix, const char *words,
                              const struct kr_diag *diag)
{
	_cleanup_obstacles_ struct kr_obstacles known = {0};
	const struct kr_next next = {term,       fix->host_after, next_api(fix),
	                             fix->after, &known,          words,
	                             diag};
	const struct kr_manifests *records;
	int r = kr_host_records(fix->host_after, &records);

	if (r < 0)
		return r;
	r = kr_obstacles_find(fix->host_after->node, fix->after, records,
	                      &known);
	return r < 0 ? r : kr_text_audit_next(&next);
}

static int print_fix_next(const struct kr_term *term, const struct kr_fix *fix,
                          const struct kr_text_change *change,
                          const struct kr_diag *diag)
{
	const char *words = fix->audit_words ? fix->audit_words : "";
	_cleanup_free_ char *command = NULL;

	print_no_unit(term, fix, "");

	if (print_unknown_next(term, fix, change) ||
	    print_down_next(term, fix, diag, ""))
		return 0;
	if (fix->outcome == KR_OUTCOME_PARTLY && fix->host &&
	    kr_plan_n_failing(fix->plan) > 0) {
		print_left_next(term, fix, "");
		return 0;
	}
	if (fix->outcome == KR_OUTCOME_FIXED && needs_restart(fix))
		return print_restart_next(term, fix, words, diag);
	if (fix->outcome == KR_OUTCOME_FIXED && fix->host) {
		if (asprintf(&command, "audit%s%s", words,
		             fix->before->explicit_wanted ? " --explicit"
		                                          : "") < 0)
			command = NULL;
		kr_next_print(term, fix->host->node, next_api(fix),
		              command ? command : "audit");
	} else {
		print_failed_next(term, fix, change);
	}
	return 0;
}

void kr_text_steps(const struct kr_term *term, const struct kr_actions *actions)
{
	KR_EACH(const struct kr_action, a, actions->actions,
	        actions->n_actions) {
		_cleanup_free_ char *text = NULL;
		char label[64];

		if (kr_format(&text, "%s (%.3f s)", a->result, a->seconds) < 0)
			continue;
		snprintf(label, sizeof(label), "%-9s ", a->action);
		kr_term_prose(term, label, text);
	}
}

static void print_done(const struct kr_term *term, const struct kr_fix *fix)
{
	bool changed = (fix->outcome == KR_OUTCOME_FIXED ||
	                fix->outcome == KR_OUTCOME_PARTLY ||
	                fix->outcome == KR_OUTCOME_UNCONFIGURED) &&
	               fix->plan;

	for (size_t i = 0; changed && i < fix->plan->edits.n_files; i++) {
		fputs("  changed   ", term->out);
		kr_term_begin(term, KR_COLOR_PLACE);
		kr_term_text(term, fix->plan->edits.files[i].path);
		kr_term_end(term);
		fputc('\n', term->out);
	}
	if (fix->log.n_lines > 0) {
		fputs("  kubelet's last lines:\n", term->out);
		kr_text_log(term, &fix->log);
	}
}

/* recover has no plan */
static bool has_plan(const struct kr_fix *fix)
{
	return fix->undo && fix->plan && fix->before;
}

/* Whether PLAN makes RULE pass: not one of which some files stay. */
static bool is_planned(const struct kr_plan *plan, const struct kr_rule *rule)
{
	return !kr_plan_left(plan, rule) && kr_plan_fixes(plan, rule);
}

/* What J's control has now; of a kubelet that is still to be restarted, both
 * that and what it will have. The caller frees it; NULL: no memory. */
static char *show_value(const struct kr_judgement *j)
{
	_cleanup_free_ char *disk = kr_text_view(j->rule, &j->disk);
	_cleanup_free_ char *running = kr_text_view(j->rule, &j->running);
	char *text = NULL;

	if (!disk || !running)
		return NULL;
	if (!j->restart_needed || j->verdict != KR_VERDICT_FAIL ||
	    j->disk.answer != KR_ANSWER_PASS)
		return TAKE_PTR(disk);
	return kr_format(&text, "disk %s, running %s until a restart", disk,
	                 running) < 0
	               ? NULL
	               : text;
}

/* What each control that was fixed has now, and its verdict; after an undo each
 * of the fix, where the reason does not say it. */
static int print_values(const struct kr_term *term, const struct kr_fix *fix)
{
	const struct kr_audit *now = fix->after ? fix->after : fix->plan->audit;

	for (size_t i = 0; now && i < now->n_items; i++) {
		const struct kr_judgement *j = &now->items[i];
		const char *id = kr_judgement_number(j);
		_cleanup_free_ char *value = show_value(j);

		if (!value)
			return -ENOMEM;
		if (fix->undo ? now->n_items == 1
		              : !is_planned(fix->plan, j->rule))
			continue;
		fputs("  now       ", term->out);
		kr_term_color(term, kr_text_color(j), "%-4s",
		              kr_text_verdict_word(j->verdict));
		fprintf(term->out, "  %s%s%s: ", id, *id ? " " : "",
		        j->rule->name);
		kr_term_row(term, "", value);
	}
	return 0;
}

/* Of what holds: a refusal is about what does not. */
static int print_evidence(const struct kr_term *term, const struct kr_fix *fix)
{
	if (!fix->host || !fix->before || fix->outcome == KR_OUTCOME_REFUSED ||
	    fix->outcome == KR_OUTCOME_FAILED ||
	    (fix->undo && fix->outcome == KR_OUTCOME_UNCHANGED))
		return 0;
	return kr_text_evidence(term, fix->host->node,
	                        kr_audit_numbers(fix->before));
}

static int print_fix(const struct kr_term *term, const struct kr_fix *fix,
                     const struct kr_text_change *change)
{
	bool fixed = fix->outcome == KR_OUTCOME_FIXED ||
	             fix->outcome == KR_OUTCOME_PARTLY;
	int r = 0;

	kr_text_outcome(term, fix);
	if (fixed && fix->plan)
		r = print_values(term, fix);
	print_done(term, fix);
	if (fix->transaction[0] && fixed) {
		fputs("  to undo   ", term->out);
		kr_next_command(term, fix->host->node, NULL, "undo");
	} else if (fix->transaction[0]) {
		fprintf(term->out, "  old files %s/%s\n", KR_STATE_DIR,
		        fix->transaction);
	}
	if (fix->outcome == KR_OUTCOME_ROLLED_BACK && fix->failed_usec &&
	    !change->interrupted) {
		fputs("  to try it again once the cause is corrected:\n"
		      "    ",
		      term->out);
		print_again(term, fix, "fix --retry");
	}
	print_durable(term, fix, "  ");
	kr_text_left(term, fix, "  ");
	return r;
}

/* Behind an undo: an audit of what the fix was about. */
static int print_undo_next(const struct kr_term *term, const struct kr_fix *fix,
                           const struct kr_text_change *change)
{
	const struct kr_audit *before = fix->before;
	_cleanup_free_ char *command = strdup("audit");
	int r = command ? 0 : -ENOMEM;

	if (fix->outcome != KR_OUTCOME_FIXED) {
		print_failed_next(term, fix, change);
		return r;
	}
	if (!has_plan(fix))
		return r;
	for (size_t i = 0;
	     r >= 0 && !kr_audit_is_usual(before) && i < before->n_items; i++)
		r = kr_format(&command, "%s%s%s", command,
		              i == 0 ? " --control=" : ",",
		              before->items[i].rule->name);
	if (r < 0)
		return r;
	kr_next_print(term, fix->host->node, NULL, command);
	return 0;
}

/* What holds now. */
static int print_undone(const struct kr_term *term, const struct kr_fix *fix)
{
	int r = 0;

	kr_term_headline(term, KR_COLOR_GOOD, "UNDONE", fix->transaction);
	if (has_plan(fix)) {
		kr_term_prose(term, "  ", fix->reason);
		r = print_values(term, fix);
		kr_term_prose(term, "  later     ",
		              "another 'kubelet-remedy fix' makes the change "
		              "again; kubelet-remedy.service does not");
	}
	print_done(term, fix);
	return r;
}

static int print_undo(const struct kr_term *term, const struct kr_fix *fix)
{
	if (fix->outcome == KR_OUTCOME_FIXED)
		return print_undone(term, fix);
	kr_text_outcome(term, fix);
	print_done(term, fix);
	return print_refused(term, fix);
}

int kr_text_change(const struct kr_term *term, const struct kr_fix *fix,
                   const struct kr_text_change *change)
{
	if (change->preview)
		return print_preview(term, fix, change);
	if (strcmp(change->command, "fix") != 0)
		return print_undo(term, fix);
	return print_fix(term, fix, change);
}

int kr_text_change_next(const struct kr_term *term, const struct kr_fix *fix,
                        const struct kr_text_change *change,
                        const struct kr_diag *diag)
{
	int r = change->preview ? 0 : print_evidence(term, fix);

	if (r < 0)
		return r;
	if (change->preview)
		print_preview_next(term, fix, change, diag);
	else if (strcmp(change->command, "fix") == 0)
		r = print_fix_next(term, fix, change, diag);
	else
		r = print_undo_next(term, fix, change);
	kr_text_advice(term, fix, diag, change->preview ? "# " : "");
	return r;
}
