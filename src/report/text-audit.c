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
#include "report/foresee.h"
#include "report/headline.h"
#include "report/next.h"
#include "report/text-audit.h"
#include "report/text-controls.h"
#include "report/text-words.h"

static void print_state(const struct kr_term *term, const char *name,
                        const struct kr_view *view)
{
	fprintf(term->out, "  %-9s ", name);
	kr_text_value(term, view->state, &view->value, 7);
	fputc(' ', term->out);
}

/* Each file that is as bad as the worst. */
static void print_files(const struct kr_term *term,
                        const struct kr_judgement *j)
{
	const char *before = "";

	for (size_t i = 0; i < j->sources.n; i++) {
		if (!j->sources.items[i].wins || !j->sources.items[i].path)
			continue;
		fputs(before, term->out);
		kr_term_begin(term, KR_COLOR_PLACE);
		kr_term_text(term, j->sources.items[i].path);
		kr_term_end(term);
		before = ", ";
	}
	fputc('\n', term->out);
}

static void print_disk(const struct kr_term *term, const struct kr_judgement *j)
{
	const struct kr_source *s = kr_judgement_deciding(j);

	print_state(term, "disk", &j->disk);
	if (s && s->kind == KR_SOURCE_FILE)
		print_files(term, j);
	else if (s && s->span.file) {
		kr_text_place(term, s->span);
		fputc('\n', term->out);
		kr_term_span(term, s->span);
	} else if (s && s->text) {
		kr_term_row(term, "the argument ", s->text);
	} else {
		kr_term_row(term, "", j->disk.reason);
	}
}

/* A word that stands in no file of the unit: a wrapper may have made it. */
static void print_argument(const struct kr_term *term,
                           const struct kr_node *node, size_t arg)
{
	fprintf(term->out, ", its argument %zu: ", arg);
	kr_term_row(term, "", node->running.argv[arg]);
}

static void print_running(const struct kr_term *term,
                          const struct kr_node *node,
                          const struct kr_audit *audit,
                          const struct kr_judgement *j)
{
	char started[KR_RFC3339_SIZE];

	print_state(term, "running", &j->running);
	if (audit->pid == 0) {
		kr_term_row(term, "", j->running.reason);
		return;
	}
	kr_local_time(audit->started_usec, started);
	fprintf(term->out, "kubelet[%d], started %s", (int)audit->pid, started);
	if (j->running_arg > 0 && j->running.source < 0)
		print_argument(term, node, j->running_arg);
	else if (j->running.state == KR_STATE_UNKNOWN)
		kr_term_row(term, ": ", j->running.reason);
	else
		fputc('\n', term->out);
}

static void print_live(const struct kr_term *term, const struct kr_audit *audit,
                       const struct kr_judgement *j)
{
	print_state(term, "live", &j->live);
	if (audit->endpoint)
		kr_term_text(term, audit->endpoint);
	if (j->live.state == KR_STATE_UNKNOWN)
		kr_term_row(term, audit->endpoint ? ": " : "", j->live.reason);
	else
		fputc('\n', term->out);
}

static void print_overridden(const struct kr_term *term,
                             const struct kr_judgement *j)
{
	bool winner = kr_judgement_deciding(j);
	size_t n = 0;

	for (size_t i = 0; i < j->sources.n; i++) {
		const struct kr_source *s = &j->sources.items[i];

		if (s->wins || s->kind == KR_SOURCE_DEFAULT ||
		    s->kind == KR_SOURCE_FILE)
			continue;
		if (n++ >= KR_DIAG_KEPT)
			continue;
		fputs(winner ? "  overridden: " : "  set: ", term->out);
		if (s->span.file)
			kr_text_place(term, s->span);
		else
			kr_term_text(term, s->text);
		fputs("  ", term->out);
		kr_text_value(term, s->state, &s->value, 0);
		fputc('\n', term->out);
	}
	if (n > KR_DIAG_KEPT)
		fprintf(term->out, "  and %zu more (-o json: all)\n",
		        n - KR_DIAG_KEPT);
}

/* What to do where no fix goes, in the words of the first control that it could
 * be done for. */
static int print_refusal(const struct kr_term *term,
                         const struct kr_platform *platform,
                         const struct kr_audit *audit)
{
	_cleanup_free_ char *words = NULL;
	const struct kr_judgement *j = audit->items;
	const struct kr_judgement *end = j + audit->n_items;

	while (j < end && (j->verdict == KR_VERDICT_PASS || !j->rule->test ||
	                   !kr_rule_is_written(j->rule)))
		j++;
	if (j == end)
		return 0;
	words = kr_rule_text(j->rule, platform->refusal);
	if (!words)
		return -ENOMEM;
	kr_term_color(term, KR_COLOR_DIM, "next:");
	kr_term_row(term, " ", words);
	return 0;
}

/* Whose node it is, and who writes kubelet's files anew. */
static void print_platform(const struct kr_term *term,
                           const struct kr_node *node)
{
	const struct kr_platform *p = node->platform;

	if (!p)
		return;
	fprintf(term->out, "  platform: %s", p->name);
	if (p->owner && !p->refusal)
		fprintf(term->out, "; %s writes kubelet's files %s", p->owner,
		        p->when);
	fputc('\n', term->out);
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

		if (word && word->manager && !word->span.file)
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

/* kubelet reads other files or words than those that are to be seen here. */
static bool is_elsewhere(const struct kr_node *node)
{
	const struct kr_node_disk *disk = &node->disk;

	return disk->start == KR_START_HIDDEN ||
	       disk->start == KR_START_FOREIGN ||
	       (disk->unit &&
	        (disk->unit->root_directory || disk->unit->root_image)) ||
	       kr_flags_text(&disk->inputs.flags, KR_FIELD_DYNAMIC_CONFIG_DIR);
}

/* What a fix would be refused for is what keeps the audit from knowing. */
static int print_unknown_next(const struct kr_term *term, struct kr_host *host,
                              const struct kr_audit *audit)
{
	_cleanup_diag_ struct kr_diag why = {0};
	enum kr_foresight foresight;
	int r = kr_foresee(host, audit, &why, &foresight);

	if (r == 0 && foresight == KR_FORESIGHT_REFUSED)
		kr_next_print_cause(term, &why, true);
	return r;
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

/* COMMAND, or what is to be done instead where it would be refused. */
static int print_fix_next(const struct kr_term *term, struct kr_host *host,
                          const struct kr_api_options *api,
                          const struct kr_audit *audit,
                          const struct kr_diag *diag, const char *command)
{
	const struct kr_message *cause = kr_diag_cause(diag);
	_cleanup_diag_ struct kr_diag why = {0};
	_cleanup_free_ char *preview = NULL;
	bool edits = fixable(audit);
	enum kr_foresight foresight;
	int r = kr_foresee(host, audit, &why, &foresight);

	if (r < 0)
		return r;
	/* what stays wrong of a template is only a piece of it */
	if (foresight == KR_FORESIGHT_REFUSED && cause &&
	    strcmp(cause->code, "template-unrendered") == 0) {
		kr_next_print_cause(term, diag, false);
		return 0;
	}
	if (foresight == KR_FORESIGHT_REFUSED) {
		kr_next_print_cause(term, &why, true);
		return 0;
	}
	if (host->node->disk.foreign ||
	    (foresight == KR_FORESIGHT_NO_RESTART && !edits)) {
		print_restart(term, host->node);
		return 0;
	}
	if (foresight == KR_FORESIGHT_GOES) {
		kr_next_print(term, host->node, api, command);
		return 0;
	}
	if (asprintf(&preview, "fix -n%s --restart=%s",
	             audit->explicit_wanted ? " --explicit" : "",
	             foresight == KR_FORESIGHT_ALWAYS ? "always" : "never") <
	    0) {
		preview = NULL;
		return -ENOMEM;
	}
	kr_next_print(term, host->node, api, preview);
	return 0;
}

static int print_audit_next(const struct kr_term *term, struct kr_host *host,
                            const struct kr_api_options *api,
                            const struct kr_audit *audit, const char *words,
                            const struct kr_diag *diag)
{
	const struct kr_judgement *j = &audit->items[0];
	_cleanup_free_ char *command = NULL;
	const char *fix;

	if (audit->verdict == KR_VERDICT_PASS)
		return 0;
	if (fixable(audit) && set_by_manager(host->node)) {
		kr_term_color(term, KR_COLOR_DIM, "next:");
		fputs(" systemctl show-environment\n", term->out);
		return 0;
	}
	if (j->verdict == KR_VERDICT_UNKNOWN && j->needs_version) {
		kr_next_print_version(term, host->node, api);
		return 0;
	}
	fix = choose_fix(audit);
	if (fix && kr_format(&command, "%s%s", fix, words) < 0)
		return -ENOMEM;
	if (command)
		return print_fix_next(term, host, api, audit, diag, command);
	if (audit->verdict == KR_VERDICT_INVALID)
		kr_next_print_cause(term, diag, false);
	else if (j->disk.state == KR_STATE_UNKNOWN &&
	         j->live.answer != KR_ANSWER_PASS && is_elsewhere(host->node))
		return print_unknown_next(term, host, audit);
	return 0;
}

static void print_views(const struct kr_term *term, const struct kr_node *node,
                        const struct kr_audit *audit,
                        const struct kr_judgement *j)
{
	print_disk(term, j);
	if (node->live)
		print_running(term, node, audit, j);
	if (j->live.state != KR_STATE_ABSENT)
		print_live(term, audit, j);
	print_overridden(term, j);
}

/* What there is to be said of one control beside the table's line. That kubelet
 * would not start for another reason is said in the first line. */
static bool has_block(const struct kr_judgement *j)
{
	return j->rule->test &&
	       (j->verdict == KR_VERDICT_FAIL ||
	        j->verdict == KR_VERDICT_UNKNOWN ||
	        (j->verdict == KR_VERDICT_INVALID && j->by_setting));
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
	kr_term_color(term, kr_text_color(j), "%s", j->rule->name);
	fputs(": no verdict\n", term->out);
	if (node->live)
		print_running(term, node, audit, j);
	if (j->live.state != KR_STATE_ABSENT)
		print_live(term, audit, j);
	print_overridden(term, j);
}

static int print_blocks(const struct kr_term *term, const struct kr_node *node,
                        const struct kr_audit *audit)
{
	_cleanup_free_ const struct kr_judgement **sorted =
		calloc(audit->n_items, sizeof(*sorted));

	const char *shared = kr_headline_shared(audit);

	if (!sorted)
		return -ENOMEM;
	kr_headline_sort(audit, sorted);
	for (size_t i = 0; i < audit->n_items; i++) {
		if (kr_headline_shares(sorted[i], shared))
			print_seen(term, node, audit, sorted[i]);
		if (!has_block(sorted[i]) ||
		    kr_headline_shares(sorted[i], shared))
			continue;
		fputc('\n', term->out);
		kr_term_color(term, kr_text_color(sorted[i]), "%s",
		              sorted[i]->rule->name);
		kr_term_row(term, ": ", sorted[i]->reason);
		print_views(term, node, audit, sorted[i]);
	}
	fputc('\n', term->out);
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
	const struct kr_edition *edition = audit->edition;
	const struct kr_node *node = host->node;
	bool usual = audit->n_items == 1 && j->rule == kr_rules_usual.items[0];
	_cleanup_free_ char *headline = NULL;
	int r = 0;

	/* whose number a scanner's report has */
	if (!edition && usual)
		r = kr_edition_of_node(host->node, &edition, NULL);
	if (r < 0)
		return r;
	headline = kr_headline(audit, edition);
	if (!headline)
		return -ENOMEM;
	print_headline(term, audit, headline);
	if (audit->n_items == 1)
		print_views(term, node, audit, j);
	else
		r = kr_text_table(term, audit, verbose);
	if (r >= 0 && audit->n_items > 1)
		r = print_blocks(term, node, audit);
	if (r < 0)
		return r;
	print_platform(term, node);
	kr_term_messages(term, diag, KR_NOTE);
	r = kr_text_evidence(term, host->node, edition);
	if (r < 0)
		return r;
	/* whom it did not answer is not sent there again */
	if (j->live.state == KR_STATE_UNKNOWN)
		api = NULL;
	if (node->platform && node->platform->refusal &&
	    audit->verdict != KR_VERDICT_PASS)
		return print_refusal(term, node->platform, audit);
	return usual ? print_audit_next(term, host, api, audit, words, diag)
	             : kr_text_next(term, host, api, audit, words, diag);
}
