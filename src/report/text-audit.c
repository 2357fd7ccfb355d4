/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An audit for people. The first line is the verdict and its reason; the last
 * one is the next command to run.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/vec.h"
#include "policy/demands.h"
#include "policy/step.h"
#include "report/cause.h"
#include "report/foresee.h"
#include "report/headline.h"
#include "report/next.h"
#include "report/obstacles.h"
#include "report/text-audit.h"
#include "report/text-controls.h"
#include "report/text-words.h"

/* Whatever does not fit behind a view's value goes on there. */
#define NEXT      "      "
#define VALUE_END 18 /* where most values end */

/* How many columns are used. */
static size_t print_state(const struct kr_term *term, const char *name,
                          const struct kr_view *view)
{
	_cleanup_free_ char *words = kr_text_words(view->state, &view->value);
	size_t width = words ? kr_term_width(words) : 0;

	fprintf(term->out, "  %-9s ", name);
	if (words)
		kr_term_text(term, words);
	return strlen("  ") + 9 + 1 + width;
}

static size_t pad(const struct kr_term *term, size_t used)
{
	for (; used < VALUE_END; used++)
		fputc(' ', term->out);
	return used;
}

/* Prose behind USED columns, which begins with what is between. */
static void print_rest(const struct kr_term *term, size_t used,
                       const char *between, const char *text)
{
	_cleanup_free_ char *rest = NULL;

	if (kr_format(&rest, "%s%s", between, text) == 0)
		kr_term_wrap(term, rest, strlen(rest), used, NEXT);
}

/* Two blanks, or the next line, for WIDTH columns behind USED ones. The columns
 * that are used then. */
static size_t print_gap(const struct kr_term *term, size_t used, size_t width)
{
	size_t end = (used < VALUE_END ? VALUE_END : used) + 2;

	if (term->wraps && end + width > term->width) {
		fputs("\n" NEXT, term->out);
		return strlen(NEXT);
	}
	fprintf(term->out, "%*s", (int)(end - used), "");
	return end;
}

/* Each file that is as bad as the worst. */
static void print_files(const struct kr_term *term,
                        const struct kr_judgement *j, size_t used)
{
	const struct kr_source *before = NULL;

	KR_EACH(const struct kr_source, s, j->sources.items, j->sources.n) {
		size_t width = s->path ? kr_term_width(s->path) : 0;

		if (!s->wins || !s->path)
			continue;
		if (!before)
			used = print_gap(term, used, width);
		else if (!term->wraps || used + 2 + width <= term->width)
			used += (size_t)fprintf(term->out, ", ");
		else
			used = (size_t)fprintf(term->out, ",\n" NEXT) - 2;
		kr_term_begin(term, KR_COLOR_PLACE);
		kr_term_text(term, s->path);
		kr_term_end(term);
		used += width;
		before = s;
	}
	fputc('\n', term->out);
}

/* Nothing is behind the state: why is said in the first line. */
static void print_bare(const struct kr_term *term, const char *name,
                       const struct kr_view *view)
{
	fprintf(term->out, "  %-9s ", name);
	kr_text_value(term, view->state, &view->value, 0);
	fputc('\n', term->out);
}

/* The error that tells why the disk of J has no value, with its place; NULL. */
static const struct kr_message *find_cause(const struct kr_diag *diag,
                                           const struct kr_judgement *j)
{
	const struct kr_message *m =
		kr_state_is_value(j->disk.state)
			? NULL
			: kr_cause_find(diag, j->disk.reason);

	return m && m->file ? m : NULL;
}

static size_t place_width(const struct kr_message *m)
{
	_cleanup_free_ char *place = kr_term_message_place_text(m);

	return place ? kr_term_width(place) : 0;
}

/* SAID is the first line's reason: it is not said again. */
static void print_disk(const struct kr_term *term, const struct kr_diag *diag,
                       const struct kr_judgement *j, const char *said)
{
	const struct kr_source *s = kr_judgement_deciding(j);
	const struct kr_message *cause = find_cause(diag, j);
	bool again = strstr(said, j->disk.reason);
	size_t used;

	if (again && !cause && (!s || (!s->span.file && !s->text))) {
		print_bare(term, "disk", &j->disk);
		return;
	}
	used = print_state(term, "disk", &j->disk);
	if (cause) {
		used = print_gap(term, used, place_width(cause));
		kr_term_message_place(term, cause);
		print_rest(term, used + place_width(cause), again ? "" : ": ",
		           again ? "" : j->disk.reason);
		kr_term_message_line(term, cause);
	} else if (s && s->kind == KR_SOURCE_FILE) {
		print_files(term, j, used);
	} else if (s && s->span.file) {
		print_gap(term, used, kr_text_place_width(s->span));
		kr_text_place(term, s->span);
		fputc('\n', term->out);
		kr_term_span(term, s->span);
	} else if (s && s->text) {
		print_rest(term, pad(term, used), "  the argument ", s->text);
	} else {
		print_rest(term, pad(term, used), "  ", j->disk.reason);
	}
}

static void print_running(const struct kr_term *term,
                          const struct kr_node *node,
                          const struct kr_audit *audit,
                          const struct kr_judgement *j, const char *said)
{
	size_t used = print_state(term, "running", &j->running);
	char started[KR_RFC3339_SIZE];
	_cleanup_free_ char *text = NULL;
	int r;

	if (audit->pid == 0) {
		print_rest(term, pad(term, used), "  ", j->running.reason);
		return;
	}
	kr_local_time(audit->started_usec, started);
	r = kr_format(&text, "  kubelet[%d], started %s", (int)audit->pid,
	              started);
	/* a word that stands in no file of the unit: a wrapper may have made it
	 */
	if (r == 0 && j->running_arg > 0 && j->running.source < 0)
		r = kr_format(&text, "%s, its argument %zu: %s", text,
		              j->running_arg,
		              node->running.argv[j->running_arg]);
	else if (r == 0 && j->running.state == KR_STATE_UNKNOWN &&
	         !strstr(said, j->running.reason))
		r = kr_format(&text, "%s: %s", text, j->running.reason);
	if (r == 0)
		print_rest(term, pad(term, used), "", text);
}

static void print_live(const struct kr_term *term, const struct kr_audit *audit,
                       const struct kr_judgement *j, const char *said)
{
	const bool unknown = j->live.state == KR_STATE_UNKNOWN;
	const bool why = unknown && !strstr(said, j->live.reason);
	_cleanup_free_ char *text = NULL;
	size_t used;

	if (unknown && !why && !audit->endpoint)
		return; /* the headline has said it */
	used = print_state(term, "live", &j->live);
	if (kr_format(&text, "%s%s%s", audit->endpoint ? audit->endpoint : "",
	              audit->endpoint && why ? ": " : "",
	              why ? j->live.reason : "") == 0)
		print_rest(term, pad(term, used), "  ", text);
}

/* A place that does not decide, and what is said there. */
static void print_other(const struct kr_term *term, const struct kr_source *s,
                        const char *label)
{
	_cleanup_free_ char *words = kr_text_words(s->state, &s->value);
	size_t used =
		strlen(label) + (s->span.file ? kr_text_place_width(s->span)
	                                      : kr_term_width(s->text));

	fputs(label, term->out);
	if (s->span.file)
		kr_text_place(term, s->span);
	else
		kr_term_text(term, s->text);
	print_rest(term, used, "  ", words ? words : "");
}

static void print_overridden(const struct kr_term *term,
                             const struct kr_judgement *j)
{
	const struct kr_source *winner = kr_judgement_deciding(j);
	size_t n = 0;

	KR_EACH(const struct kr_source, s, j->sources.items, j->sources.n) {
		/* another use of a flag whose uses are put together */
		bool added = s->wins && winner && s != winner &&
		             s->kind == KR_SOURCE_FLAG &&
		             s->field == winner->field;

		if ((s->wins && !added) || s->kind == KR_SOURCE_DEFAULT ||
		    s->kind == KR_SOURCE_FILE)
			continue;
		/* it is an error, which has its place */
		if (s->state == KR_STATE_INVALID &&
		    j->disk.state == KR_STATE_INVALID)
			continue;
		if (n++ >= KR_DIAG_KEPT)
			continue;
		print_other(term, s,
		            added    ? "  and: "
		            : winner ? "  overridden: "
		                     : "  set: ");
	}
	if (n > KR_DIAG_KEPT)
		fprintf(term->out, "  and %zu more (-o json: all)\n",
		        n - KR_DIAG_KEPT);
}

/* What to do where no fix goes, in the words of the first control that it could
 * be done for. */
static int print_refusal(const struct kr_term *term, struct kr_node *node,
                         const struct kr_audit *audit)
{
	_cleanup_diag_ struct kr_diag why = {0};
	const struct kr_judgement *j = audit->items;
	const struct kr_judgement *end = j + audit->n_items;
	int r;

	while (j < end && (j->verdict == KR_VERDICT_PASS || !j->rule->test ||
	                   !kr_rule_is_written(j->rule)))
		j++;
	if (j == end)
		return 0;
	r = kr_step_refuse_platform(node, j->rule, false, &why);
	if (r == -ENOMEM)
		return r;
	kr_next_print_cause(term, kr_diag_cause(&why), true);
	return 0;
}

/* Whose node it is, and who writes kubelet's files again. */
static void print_platform(const struct kr_term *term,
                           const struct kr_node *node)
{
	const struct kr_platform *p = node->platform;
	bool writes = p && p->owner && !p->refusal;
	_cleanup_free_ char *text = NULL;

	if (p && kr_format(&text, "  platform: %s%s%s%s%s", p->name,
	                   writes ? "; " : "", writes ? p->owner : "",
	                   writes ? " writes kubelet's files " : "",
	                   writes ? p->when : "") == 0)
		kr_term_wrap(term, text, strlen(text), 0, NEXT);
}

static bool fixable(const struct kr_audit *audit)
{
	const struct kr_judgement *j = &audit->items[0];

	return j->disk.answer == KR_ANSWER_FAIL ||
	       (j->disk.state == KR_STATE_INVALID && j->by_setting) ||
	       (audit->verdict == KR_VERDICT_FAIL && audit->explicit_wanted &&
	        j->disk.answer == KR_ANSWER_PASS && !j->restart_needed);
}

/* Whether a use of the flag stands in systemd's own environment alone, where no
 * fix can take it away. */
static bool set_by_manager(const struct kr_node *node)
{
	const struct kr_flags *flags = &node->disk.inputs.flags;

	for (size_t i = 0; i < flags->n_uses; i++) {
		const struct kr_unit_word *word =
			kr_node_word(node, flags->uses[i].arg);

		if (word && word->from->manager && word->length == 0)
			return true;
	}
	return false;
}

/* The fix to recommend; NULL: none can help. */
static const char *choose_fix(const struct kr_audit *audit)
{
	const struct kr_judgement *j = &audit->items[0];

	if (fixable(audit))
		return audit->explicit_wanted ? "fix -n --explicit" : "fix -n";
	if (audit->restart_needed)
		return "fix";
	if (j->disk.answer == KR_ANSWER_PASS &&
	    j->running.state == KR_STATE_UNKNOWN)
		return "fix --restart=always";
	return NULL;
}

/* The command that restarts what no fix does. */
static void print_restart(const struct kr_term *term,
                          const struct kr_node *node)
{
	const struct kr_foreign *foreign = node->disk.foreign;

	kr_term_color(term, KR_COLOR_DIM, "next:");
	kr_term_row(term, foreign ? " " : " systemctl restart ",
	            foreign ? foreign->restart : node->unit_name);
}

/* Whether M was said of the node, too. */
static bool is_said(const struct kr_diag *diag, const struct kr_message *m)
{
	for (size_t i = 0; m && i < diag->n_messages; i++) {
		if (diag->messages[i].severity == KR_ERROR &&
		    strcmp(diag->messages[i].text, m->text) == 0)
			return true;
	}
	return false;
}

/* What is to be done instead of a fix that would be refused for WHY. */
static void print_refused(const struct kr_term *term,
                          const struct kr_audit *audit,
                          const struct kr_diag *diag, const struct kr_diag *why)
{
	const struct kr_message *cause = kr_diag_cause(why);
	const struct kr_message *fault = kr_next_fault(audit, diag);
	bool said = is_said(diag, cause);

	/* its file has another fault, which has a place of its own */
	if (cause && strcmp(cause->code, "config-edit") == 0 && fault &&
	    fault->line > 0 && audit->verdict == KR_VERDICT_INVALID) {
		cause = fault;
		said = true;
	}
	kr_next_print_cause(term, cause, !said);
}

/* COMMAND, or what is to be done instead where it would be refused. */
static int print_fix_next(const struct kr_next *next, const char *command)
{
	const struct kr_term *term = next->term;
	const struct kr_node *node = next->host->node;
	const struct kr_audit *audit = next->audit;
	const struct kr_message *cause = kr_diag_cause(next->diag);
	_cleanup_diag_ struct kr_diag why = {0};
	_cleanup_free_ char *preview = NULL;
	bool edits = fixable(audit);
	enum kr_foresight foresight;
	int r = kr_foresee(next->host, audit, next->known, &why, &foresight);

	if (r < 0)
		return r;
	/* what stays wrong of a template is only a piece of it */
	if (foresight == KR_FORESIGHT_REFUSED && cause &&
	    strcmp(cause->code, "template-unrendered") == 0) {
		kr_next_print_cause(term, cause, false);
		return 0;
	}
	if (foresight == KR_FORESIGHT_REFUSED) {
		print_refused(term, audit, next->diag, &why);
		return 0;
	}
	if (node->disk.foreign ||
	    (foresight == KR_FORESIGHT_NO_RESTART && !edits)) {
		print_restart(term, node);
		return 0;
	}
	if (foresight == KR_FORESIGHT_GOES) {
		kr_next_print(term, node, next->api, command);
		return 0;
	}
	if (asprintf(&preview, "fix -n%s --restart=%s",
	             audit->explicit_wanted ? " --explicit" : "",
	             foresight == KR_FORESIGHT_ALWAYS ? "always" : "never") <
	    0) {
		preview = NULL;
		return -ENOMEM;
	}
	kr_next_print(term, node, next->api, preview);
	return 0;
}

static int print_audit_next(const struct kr_next *next)
{
	const struct kr_term *term = next->term;
	const struct kr_node *node = next->host->node;
	const struct kr_audit *audit = next->audit;
	const struct kr_judgement *j = &audit->items[0];
	_cleanup_free_ char *command = NULL;
	const char *fix;

	if (audit->verdict == KR_VERDICT_PASS)
		return 0;
	if (fixable(audit) && set_by_manager(node)) {
		kr_term_color(term, KR_COLOR_DIM, "next:");
		fputs(" systemctl show-environment\n", term->out);
		return 0;
	}
	if (j->verdict == KR_VERDICT_UNKNOWN && j->needs_version) {
		kr_next_print_version(term, node, next->api, next->words);
		return 0;
	}
	fix = choose_fix(audit);
	if (fix && kr_format(&command, "%s%s", fix, next->words) < 0)
		return -ENOMEM;
	if (command)
		return print_fix_next(next, command);
	if (j->disk.state == KR_STATE_INVALID)
		kr_next_print_cause(term, kr_next_fault(audit, next->diag),
		                    false);
	else if (j->disk.state == KR_STATE_UNKNOWN)
		return kr_next_print_unknown(next);
	else
		kr_next_print_no_unit(term, node, "audit", "");
	return 0;
}

int kr_text_audit_next(const struct kr_next *next)
{
	return kr_audit_is_usual(next->audit) ? print_audit_next(next)
	                                      : kr_text_next(next);
}

static void print_views(const struct kr_term *term, const struct kr_node *node,
                        const struct kr_audit *audit,
                        const struct kr_diag *diag,
                        const struct kr_judgement *j, const char *said)
{
	print_disk(term, diag, j, said);
	/* a file's mode is nothing that a process runs with */
	if (node->live && j->rule->n_fields > 0)
		print_running(term, node, audit, j, said);
	if (j->live.state != KR_STATE_ABSENT)
		print_live(term, audit, j, said);
	print_overridden(term, j);
}

/* What there is to be said of one control beside the table's line. What the
 * first line says in words, CAUSE's reason, stands below it. */
static bool has_block(const struct kr_judgement *j,
                      const struct kr_judgement *cause)
{
	if (!j->rule->test)
		return false;
	if (j->verdict == KR_VERDICT_FAIL)
		return true;
	return (j->verdict == KR_VERDICT_UNKNOWN ||
	        j->verdict == KR_VERDICT_INVALID) &&
	       (!cause || strcmp(j->disk.reason, cause->disk.reason) != 0);
}

/* Where the cause lies that the first line of several has in words. */
static void print_cause(const struct kr_term *term, const struct kr_node *node,
                        const struct kr_audit *audit,
                        const struct kr_diag *diag)
{
	const struct kr_judgement *cause = kr_headline_cause(audit);

	if (!cause)
		return;
	if (cause->verdict == KR_VERDICT_INVALID && cause->by_setting)
		print_views(term, node, audit, diag, cause, cause->disk.reason);
	else if (find_cause(diag, cause))
		print_disk(term, diag, cause, cause->disk.reason);
	else
		return;
	fputc('\n', term->out);
}

struct shown {
	const struct kr_audit *audit;
	const struct kr_diag *diag;
	bool verbose;
};

/* Whether M stands at the disk's line, or is only for -v. */
static bool is_shown(const struct kr_message *m, const void *closure)
{
	const struct shown *shown = closure;
	const struct kr_judgement *cause = kr_headline_cause(shown->audit);

	if (!shown->verbose && kr_cause_is_detail(m))
		return true;
	KR_EACH(const struct kr_judgement, j, shown->audit->items,
	        shown->audit->n_items) {
		if ((j == cause || has_block(j, cause)) &&
		    find_cause(shown->diag, j) == m)
			return true;
	}
	return false;
}

/* What is seen of a control whose reason the first line has. */
static void print_seen(const struct kr_term *term, const struct kr_node *node,
                       const struct kr_audit *audit,
                       const struct kr_judgement *j)
{
	bool set = false;

	for (size_t i = 0; i < j->sources.n; i++)
		set = set || j->sources.items[i].kind != KR_SOURCE_DEFAULT;
	if (!set && !node->live && j->live.state == KR_STATE_ABSENT)
		return;
	fputc('\n', term->out);
	kr_term_color(term, kr_text_color(j), "%s%s%s", kr_judgement_number(j),
	              j->numbers ? " " : "", j->rule->name);
	fputs(": no verdict\n", term->out);
	if (node->live)
		print_running(term, node, audit, j, "");
	if (j->live.state != KR_STATE_ABSENT)
		print_live(term, audit, j, "");
	print_overridden(term, j);
}

/* What is demanded of J, behind its reason RET: of a setting that is on or off
 * the verdict tells it, and of a file the reason. */
static int add_demand(char **ret, const struct kr_audit *audit,
                      const struct kr_judgement *j)
{
	enum kr_state state = kr_headline_view(j)->state;
	_cleanup_free_ char *demand = kr_text_demand(j->rule, audit->edition);

	if (j->verdict != KR_VERDICT_FAIL || j->rule->n_fields == 0 ||
	    state == KR_STATE_TRUE || state == KR_STATE_FALSE || !demand)
		return 0;
	return kr_format(ret, "%s; demanded: %s", *ret, demand);
}

static void print_obstacle(const struct kr_term *term, const char *label,
                           const char *text)
{
	if (!text)
		return;
	fputs(label, term->out);
	kr_text_lines(term, text, strlen(label), "    ");
}

/* What keeps a fix from it. A lone one's refusal is the last line. */
static void print_obstacles(const struct kr_term *term,
                            const struct kr_obstacle *o, bool lone)
{
	print_obstacle(term, "  held: ", o->hold);
	if (!lone)
		print_obstacle(term, "  refused: ", kr_obstacle_refusal(o));
}

/* The reason stands in the block's first line. */
static int print_block(const struct kr_term *term, const struct kr_node *node,
                       const struct kr_audit *audit, const struct kr_diag *diag,
                       const struct kr_judgement *j,
                       const struct kr_obstacle *known)
{
	const char *id = kr_judgement_number(j);
	_cleanup_free_ char *reason = kr_headline_reason(j);
	size_t length = strlen(id) + (*id != 0) + strlen(j->rule->name);

	if (!reason || add_demand(&reason, audit, j) < 0)
		return -ENOMEM;
	fputc('\n', term->out);
	kr_term_color(term, kr_text_color(j), "%.*s", (int)length, reason);
	kr_term_wrap(term, reason + length, strlen(reason + length), length,
	             "    ");
	print_views(term, node, audit, diag, j, j->reason);
	print_obstacles(term, known, false);
	return 0;
}

static int print_blocks(const struct kr_term *term, const struct kr_node *node,
                        const struct kr_audit *audit,
                        const struct kr_diag *diag,
                        const struct kr_obstacles *known)
{
	_cleanup_free_ const struct kr_judgement **sorted =
		calloc(audit->n_items, sizeof(*sorted));
	const struct kr_judgement *cause = kr_headline_cause(audit);
	const char *shared = kr_headline_shared(audit);

	if (!sorted)
		return -ENOMEM;
	kr_headline_sort(audit, sorted);
	for (size_t i = 0; i < audit->n_items; i++) {
		if (kr_headline_shares(sorted[i], shared))
			print_seen(term, node, audit, sorted[i]);
		if (!has_block(sorted[i], cause))
			continue;
		if (print_block(term, node, audit, diag, sorted[i],
		                &known->items[sorted[i] - audit->items]) < 0)
			return -ENOMEM;
	}
	fputc('\n', term->out);
	return 0;
}

/* A reason may have the place in it, which stands below it here. */
static int cut_place(char *headline, const struct kr_audit *audit,
                     const struct kr_diag *diag)
{
	const struct kr_judgement *j = kr_headline_cause(audit);
	const struct kr_message *cause = j ? find_cause(diag, j) : NULL;
	_cleanup_free_ char *place = NULL;
	char *at;

	if (!cause || cause->line == 0)
		return 0;
	if (kr_format(&place, "%s:%u:%u: ", cause->file, cause->line,
	              cause->column) < 0)
		return -ENOMEM;
	at = strstr(headline, place);
	if (at)
		memmove(at, at + strlen(place), strlen(at + strlen(place)) + 1);
	return 0;
}

/* One control has its own word, which may be that it is waived. */
static void print_headline(const struct kr_term *term,
                           const struct kr_audit *audit, const char *headline)
{
	enum kr_verdict verdict =
		audit->n_items == 1 ? audit->items[0].verdict : audit->verdict;
	bool demanded = false;

	for (size_t i = 0; i < audit->n_items; i++)
		demanded = demanded || audit->items[i].rule->test;
	if (demanded)
		kr_text_verdict(term, verdict, headline);
	else
		kr_term_headline(term, KR_COLOR_DIM, "NO DEMAND", headline);
}

int kr_text_audit(const struct kr_term *term, struct kr_host *host,
                  const struct kr_api_options *api,
                  const struct kr_audit *audit, const char *words, bool verbose,
                  const struct kr_diag *diag)
{
	const struct kr_judgement *j = &audit->items[0];
	const struct kr_node *node = host->node;
	const struct shown shown = {audit, diag, verbose};
	_cleanup_obstacles_ struct kr_obstacles known = {0};
	struct kr_next next = {term, host, api, audit, &known, words, diag};
	_cleanup_free_ char *headline = NULL;
	const struct kr_manifests *records;
	int r = kr_host_records(host, &records);

	if (r < 0)
		return r;
	r = kr_obstacles_find(host->node, audit, records, &known);
	if (r < 0)
		return r;
	headline = kr_headline(audit);
	if (!headline || kr_format(&headline, "%s%s", headline,
	                           kr_headline_pending(diag)) < 0)
		return -ENOMEM;
	if (cut_place(headline, audit, diag) < 0)
		return -ENOMEM;
	print_headline(term, audit, headline);
	if (audit->n_items == 1 && verbose)
		kr_text_more(term, j);
	if (audit->n_items == 1)
		print_views(term, node, audit, diag, j, j->reason);
	else
		print_cause(term, node, audit, diag);
	if (audit->n_items > 1)
		r = kr_text_table(term, audit, verbose);
	if (r >= 0 && audit->n_items > 1)
		r = print_blocks(term, node, audit, diag, &known);
	if (r < 0)
		return r;
	if (audit->n_items == 1)
		print_obstacles(term, known.items, true);
	print_platform(term, node);
	kr_term_messages_but(term, diag, KR_NOTE, is_shown, &shown);
	if (!verbose)
		kr_cause_count_later(term, diag);
	r = kr_text_evidence(term, host->node, kr_audit_numbers(audit));
	if (r < 0)
		return r;
	if (kr_diag_find(diag, "interrupted")) {
		kr_next_print(term, host->node, NULL, "recover");
		return 0;
	}
	if (audit->verdict == KR_VERDICT_PASS &&
	    kr_diag_find(diag, "kubelet-down")) {
		kr_next_print(term, host->node, NULL, "status");
		return 0;
	}
	/* whom it did not answer is not sent there again */
	if (j->live.state == KR_STATE_UNKNOWN)
		next.api = NULL;
	if (node->platform && node->platform->refusal &&
	    audit->verdict != KR_VERDICT_PASS)
		return print_refusal(term, host->node, audit);
	return kr_text_audit_next(&next);
}
