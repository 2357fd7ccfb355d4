/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Fixes for people: what one would do, what it did, how it was undone, and
 * those of the past.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "report/advice.h"
#include "report/diff.h"
#include "report/next.h"
#include "report/text-fix.h"
#include "report/text-status.h"
#include "report/text-words.h"

static const struct {
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

/* Whether something that fails is left. */
static bool is_partial(const struct kr_fix *fix)
{
	const struct kr_plan *plan = fix->plan;

	for (size_t i = 0; plan && i < plan->n_left; i++) {
		if (plan->left[i].why != KR_WHY_WAIVED)
			return true;
	}
	return false;
}

/* Each line of TEXT behind START and BLANKS, but the first. */
static void print_lines(const struct kr_term *term, const char *text,
                        const char *start, const char *blanks)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		if (line != text)
			fprintf(term->out, "%s%s", start, blanks);
		kr_term_bytes(term, line, length);
		fputc('\n', term->out);
		line += length + (line[length] == '\n');
	}
}

/* What is left, why, and which command does it, each line behind START. */
static void print_left(const struct kr_term *term, const struct kr_fix *fix,
                       const char *start)
{
	const struct kr_plan *plan = fix->plan;

	for (size_t i = 0; plan && i < plan->n_left; i++) {
		const struct kr_left *l = &plan->left[i];

		fprintf(term->out, "%sleft: %s (%s): ", start, l->rule->name,
		        kr_why_to_string(l->why));
		print_lines(term, l->text, start, "    ");
		if (!l->options)
			continue;
		fprintf(term->out, "%s    kubelet-remedy fix -n%s %s%s", start,
		        fix->left_words ? fix->left_words : "", l->options,
		        fix->how ? fix->how : "");
		kr_next_options(term, fix->host->node, NULL);
		fputc('\n', term->out);
	}
}

/* What the rule I has after the plan. */
static int print_planned(const struct kr_term *term, const struct kr_plan *plan,
                         const struct kr_judgement *j)
{
	_cleanup_free_ char *value = NULL;

	for (size_t i = 0; i < plan->n_left; i++) {
		if (plan->left[i].rule == j->rule)
			return 0;
	}
	value = kr_text_view(j->rule, &j->disk);
	if (!value)
		return -ENOMEM;
	fprintf(term->out, "# %s would be ", j->rule->name);
	kr_term_text(term, value);
	fputc('\n', term->out);
	return 0;
}

/* With what has to be written first, each line behind START. */
static void print_outcome(const struct kr_term *term, const struct kr_fix *fix,
                          const char *start)
{
	bool left = fix->outcome == KR_OUTCOME_UNCHANGED && is_partial(fix);
	const char *word = outcome_words[fix->outcome].word;

	if (fix->undo && fix->outcome == KR_OUTCOME_FIXED)
		word = "UNDONE";
	else if (fix->undo && fix->outcome == KR_OUTCOME_WOULD_FIX)
		word = "WOULD UNDO";
	kr_term_headline(
		term, left ? KR_COLOR_WARN : outcome_words[fix->outcome].color,
		word, fix->reason);
	if (!fix->lines)
		return;
	fprintf(term->out, "%s    ", start);
	print_lines(term, fix->lines, start, "    ");
}

void kr_text_outcome(const struct kr_term *term, const struct kr_fix *fix)
{
	print_outcome(term, fix, "");
}

static void print_diff_line(const struct kr_term *term, const char *line,
                            size_t length)
{
	static const struct {
		const char *start;
		enum kr_color color;
	} kinds[] = {
		{"--- ", KR_COLOR_PLACE}, {"+++ ", KR_COLOR_PLACE},
		{"@@ ", KR_COLOR_DIM},    {"-", KR_COLOR_BAD},
		{"+", KR_COLOR_GOOD},
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) &&
	       strncmp(line, kinds[i].start, strlen(kinds[i].start)) != 0)
		i++;
	if (i < ARRAY_SIZE(kinds))
		kr_term_begin(term, kinds[i].color);
	/* patch wants the bytes, a reader a terminal that stays as it is */
	if (term->is_terminal)
		kr_term_bytes(term, line, length);
	else
		fwrite(line, 1, length, term->out);
	if (i < ARRAY_SIZE(kinds))
		kr_term_end(term);
	fputc('\n', term->out);
}

/* The exact text that is to be put into the durable place by hand, each line
 * behind START. */
static void print_durable(const struct kr_term *term, const struct kr_fix *fix,
                          const char *start)
{
	const struct kr_durable *d = kr_fix_durable(fix);
	bool refused = fix->outcome == KR_OUTCOME_REFUSED;

	if (!d || d->written ||
	    (refused ? !d->platform->refusal
	             : fix->outcome != KR_OUTCOME_FIXED &&
	                       fix->outcome != KR_OUTCOME_WOULD_FIX))
		return;
	fprintf(term->out, "%s%s, in %s:\n", start,
	        refused               ? "instead"
	        : d->platform->seldom ? "for new nodes"
	                              : "to keep it",
	        d->place);
	for (const char *line = d->text; *line;) {
		int length = (int)strcspn(line, "\n");

		fprintf(term->out, "%s    ", start);
		kr_term_bytes(term, line, (size_t)length);
		fputc('\n', term->out);
		line += length + (line[length] == '\n');
	}
}

static int print_diff(const struct kr_term *term,
                      const struct kr_file_edits *edits)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r;

	if (!out)
		return -1;
	kr_diff_print_perms(out, edits);
	r = kr_diff_print(out, edits);
	if (fclose(out) != 0 || r < 0)
		return -1;
	for (const char *p = text; p < text + size;) {
		const char *lf = memchr(p, '\n', (size_t)(text + size - p));
		size_t n = (size_t)((lf ? lf : text + size) - p);

		print_diff_line(term, p, n);
		p += n + 1;
	}
	return 0;
}

static int print_steps(const struct kr_term *term, const struct kr_fix *fix)
{
	const struct kr_audit *after =
		fix->plan && fix->plan->audit ? fix->plan->audit : fix->before;
	const char *unit = fix->host->node->unit_name;

	if (fix->watched)
		fputs("# before: org.freedesktop.systemd1.Manager."
		      "StartTransientUnit('kubelet-remedy-try.service', "
		      "'fail', ...)\n"
		      "# before: org.freedesktop.systemd1.Manager."
		      "StartTransientUnit('kubelet-remedy-rollback-ID.timer', "
		      "'fail', ...)\n",
		      term->out);
	if (fix->reloads)
		fputs("# then: org.freedesktop.systemd1.Manager.Reload()\n",
		      term->out);
	if (fix->restarts)
		fprintf(term->out,
		        "# then: org.freedesktop.systemd1.Manager."
		        "ResetFailedUnit('%s')\n"
		        "# then: org.freedesktop.systemd1.Manager."
		        "RestartUnit('%s', 'replace')\n"
		        "# then: kubelet must be healthy, else everything is "
		        "put back\n",
		        unit, unit);
	if (fix->asks_live)
		fprintf(term->out,
		        "# then: %s must say %s, else everything is put back\n",
		        fix->before->endpoint,
		        kr_state_to_string(after->items[0].disk.state));
	if (!fix->restarts)
		fputs("# kubelet is not restarted\n", term->out);
	for (size_t i = 0; i < after->n_items && !fix->plan->unconfigured;
	     i++) {
		int r = print_planned(term, fix->plan, &after->items[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Whom to ask; NULL: nobody, or it has just not answered. */
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
	enum kr_method by_default = node->disk.inputs.n_files > 0
	                                    ? KR_METHOD_CONFIG
	                                    : KR_METHOD_FLAG;

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

static int print_diffs(const struct kr_term *term, const struct kr_fix *fix)
{
	for (size_t i = 0; i < fix->plan->edits.n_files; i++) {
		if (print_diff(term, &fix->plan->edits.files[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* What an undo would have done: somebody may want to do it by hand. */
static int print_refused(const struct kr_term *term, const struct kr_fix *fix)
{
	if (fix->outcome != KR_OUTCOME_REFUSED || !fix->plan ||
	    fix->plan->edits.n_files == 0)
		return 0;
	fputs("# this was not done:\n", term->out);
	return print_diffs(term, fix);
}

void kr_text_advice(const struct kr_term *term, const struct kr_fix *fix,
                    const struct kr_diag *diag, const char *start)
{
	const char *advice = kr_advice(diag);

	if (!advice || (fix->outcome != KR_OUTCOME_REFUSED &&
	                fix->outcome != KR_OUTCOME_FAILED))
		return;
	fputs(start, term->out);
	kr_term_color(term, KR_COLOR_DIM, "next:");
	if (fix->host && strcmp(kr_diag_cause(diag)->code, "other-plan") == 0) {
		fputs(" look at it with: ", term->out);
		print_again(term, fix, "fix -n");
		return;
	}
	kr_term_row(term, " ", advice);
}

static void print_nothing_to_undo(const struct kr_term *term,
                                  const struct kr_fix *fix)
{
	kr_term_headline(term, KR_COLOR_WARN, "NOTHING TO UNDO", fix->reason);
}

int kr_text_preview(const struct kr_term *term, const struct kr_fix *fix,
                    const char *command)
{
	bool undo = strcmp(command, "undo") == 0;

	fputs("# ", term->out);
	if (undo && fix->outcome == KR_OUTCOME_UNCHANGED)
		print_nothing_to_undo(term, fix);
	else
		print_outcome(term, fix, "# ");
	if (undo && print_refused(term, fix) < 0)
		return -ENOMEM;
	if (fix->outcome != KR_OUTCOME_WOULD_FIX) {
		print_durable(term, fix, "# ");
		print_left(term, fix, "# ");
		return 0;
	}
	if (fix->plan && print_diffs(term, fix) < 0)
		return -ENOMEM;
	if (fix->plan && print_steps(term, fix) < 0)
		return -ENOMEM;
	print_durable(term, fix, "# ");
	print_left(term, fix, "# ");
	/* the one control's plan is named by no option */
	if (fix->words && *fix->words && *fix->hash)
		fprintf(term->out, "# plan %s\n", fix->hash);
	fputs("# next: ", term->out);
	print_again(term, fix, command);
	return 0;
}

/* After what did not end well: the log of the kubelet that was taken back, as
 * the one that runs is well; else the state of the one that is there. */
static void print_failed_next(const struct kr_term *term,
                              const struct kr_fix *fix)
{
	if (!fix->host)
		return;
	if (fix->outcome == KR_OUTCOME_ROLLED_BACK && fix->failed_usec)
		kr_next_print_log(term, fix);
	else if (fix->outcome == KR_OUTCOME_PARTLY ||
	         fix->outcome == KR_OUTCOME_ROLLED_BACK ||
	         fix->outcome == KR_OUTCOME_BROKEN)
		kr_next_print(term, fix->host->node, NULL, "status");
}

static void print_fix_next(const struct kr_term *term, const struct kr_fix *fix)
{
	_cleanup_free_ char *command = NULL;

	if (fix->outcome == KR_OUTCOME_PARTLY && fix->host && is_partial(fix))
		return;
	if (fix->outcome == KR_OUTCOME_FIXED && fix->host) {
		if (asprintf(&command, "audit%s%s",
		             fix->audit_words ? fix->audit_words : "",
		             fix->before->explicit_wanted ? " --explicit"
		                                          : "") < 0)
			command = NULL;
		kr_next_print(term, fix->host->node, next_api(fix),
		              command ? command : "audit");
	} else
		print_failed_next(term, fix);
}

void kr_text_steps(const struct kr_term *term, const struct kr_actions *actions)
{
	for (size_t i = 0; i < actions->n_actions; i++) {
		const struct kr_action *a = &actions->actions[i];

		fprintf(term->out, "%-9s ", a->action);
		kr_term_text(term, a->result);
		fprintf(term->out, " (%.3f s)\n", a->seconds);
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

void kr_text_fix(const struct kr_term *term, const struct kr_fix *fix)
{
	kr_text_outcome(term, fix);
	print_done(term, fix);
	if (fix->transaction[0])
		fprintf(term->out, "  old files %s/%s\n", KR_STATE_DIR,
		        fix->transaction);
	print_durable(term, fix, "  ");
	print_left(term, fix, "  ");
	print_fix_next(term, fix);
}

int kr_text_undo(const struct kr_term *term, const struct kr_fix *fix)
{
	if (fix->outcome == KR_OUTCOME_UNCHANGED)
		print_nothing_to_undo(term, fix);
	else if (fix->outcome == KR_OUTCOME_FIXED)
		kr_term_headline(term, KR_COLOR_GOOD, "UNDONE",
		                 fix->transaction);
	else
		kr_text_outcome(term, fix);
	print_done(term, fix);
	print_failed_next(term, fix);
	return print_refused(term, fix);
}

/* --- history ------------------------------------------------------------- */

static void print_entry(const struct kr_term *term,
                        const struct kr_history_entry *e)
{
	char when[KR_RFC3339_SIZE];

	kr_local_time(e->manifest->realtime_usec, when);
	fprintf(term->out, "%s  %s  %-9s  ", e->manifest->id, when,
	        kr_manifest_state_to_string(e->manifest->state));
	kr_term_color(term,
	              e->undo == KR_UNDO_POSSIBLE ? KR_COLOR_GOOD
	                                          : KR_COLOR_DIM,
	              "undo: %s", kr_undoable_to_string(e->undo));
	kr_term_row(term, e->reason ? ", " : "", e->reason ? e->reason : "");
	for (size_t i = 0; i < e->manifest->controls.n_items; i++)
		kr_term_row(term, i == 0 ? "    for " : "        ",
		            e->manifest->controls.items[i]);
	for (size_t i = 0; i < e->manifest->n_files; i++)
		kr_term_row(term, "    ", e->manifest->files[i].path);
}

void kr_text_history(const struct kr_term *term,
                     const struct kr_history *history)
{
	if (history->manifests.n_items == 0)
		fputs("no fix was made on this node\n", term->out);
	for (size_t i = 0; i < history->manifests.n_items; i++)
		print_entry(term, &history->entries[i]);
}
