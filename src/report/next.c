/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The last line of a result. A user who copies it into a shell must get the
 * same node and the same API server as before.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "report/advice.h"
#include "report/cause.h"
#include "report/foresee.h"
#include "report/headline.h"
#include "report/next.h"

#define CORRECT KR_ADVICE_THIS ", then run this again"

/* An option of a command, its word quoted for a shell where it has to be. */
static void print_word(const struct kr_term *term, const char *option,
                       const char *word)
{
	bool quoted = !kr_word_is_plain(word);

	fprintf(term->out, " %s=%s", option, quoted ? "'" : "");
	for (const char *c = word; *c; c += strcspn(c, "'")) {
		for (; *c == '\''; c++)
			fputs("'\\''", term->out);
		kr_term_bytes(term, c, strcspn(c, "'"));
	}
	fputs(quoted ? "'" : "", term->out);
}

static void print_scope(const struct kr_term *term, const struct kr_node *node)
{
	if (strcmp(node->root, "/") != 0)
		print_word(term, "--root", node->root);
	if (strcmp(node->unit_name, "kubelet.service") != 0)
		print_word(term, "--unit", node->unit_name);
	if (node->config_override)
		print_word(term, "--config", node->config_override);
}

static void print_api(const struct kr_term *term, const struct kr_node *node,
                      const struct kr_api_options *api)
{
	const struct {
		const char *option, *word;
	} words[] = {
		{"--node", node->name_override},
		{"--cacert", api ? api->cacert : NULL},
		{"--token-file", api ? api->token_file : NULL},
		{"--cert", api ? api->cert : NULL},
		{"--key", api ? api->key : NULL},
	};

	if (!api || !api->configz)
		return;
	if (api->url)
		print_word(term, "--configz", api->url);
	else
		fputs(" --configz", term->out);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i].word)
			print_word(term, words[i].option, words[i].word);
	}
	if (api->insecure_http)
		fputs(" --insecure-http", term->out);
}

void kr_next_options(const struct kr_term *term, const struct kr_node *node,
                     const struct kr_api_options *api)
{
	print_scope(term, node);
	if (node->version_override)
		print_word(term, "--kubelet-version", node->version_override);
	print_api(term, node, api);
}

/*
 * By the invocation, in the terms of both who write about it (systemd/journal).
 * A start that systemd said nothing of is known by its time.
 */
void kr_next_print_log(const struct kr_term *term, const struct kr_fix *fix)
{
	const struct kr_node *node = fix->host->node;
	const char *id = fix->failed.id;
	char when[KR_RFC3339_SIZE];

	kr_term_color(term, KR_COLOR_DIM, "next:");
	fputs(" journalctl", term->out);
	if (strcmp(node->root, "/") != 0)
		print_word(term, "--root", node->root);
	/* what a process writes that is gone before journald looks at it has no
	 * invocation there, only its unit */
	if (*id && fix->failed.pid > 0) {
		fprintf(term->out,
		        " _SYSTEMD_INVOCATION_ID=%s + INVOCATION_ID=%s", id,
		        id);
	} else {
		kr_journal_time(fix->failed_usec, when);
		print_word(term, "--unit", node->unit_name);
		print_word(term, "--since", when);
	}
	fputc('\n', term->out);
}

/* Those judge nothing by kubelet's version, and take no such option. */
static bool is_without_version(const char *command)
{
	static const char *const names[] = {"status", "undo", "recover"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strncmp(command, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

void kr_next_command(const struct kr_term *term, const struct kr_node *node,
                     const struct kr_api_options *api, const char *command)
{
	fprintf(term->out, "kubelet-remedy %s", command);
	if (is_without_version(command))
		print_scope(term, node);
	else
		kr_next_options(term, node, api);
	fputc('\n', term->out);
}

void kr_next_print(const struct kr_term *term, const struct kr_node *node,
                   const struct kr_api_options *api, const char *command)
{
	kr_term_color(term, KR_COLOR_DIM, "next:");
	fputc(' ', term->out);
	kr_next_command(term, node, api, command);
}

void kr_next_print_version(const struct kr_term *term,
                           const struct kr_node *node,
                           const struct kr_api_options *api, const char *words)
{
	kr_term_color(term, KR_COLOR_DIM, "next:");
	fprintf(term->out,
	        " say which version 'kubelet --version' prints, with: "
	        "kubelet-remedy audit%s",
	        words);
	kr_next_options(term, node, api);
	fputs(" --kubelet-version=VERSION\n", term->out);
}

const struct kr_message *kr_next_fault(const struct kr_audit *audit,
                                       const struct kr_diag *diag)
{
	const struct kr_judgement *j = kr_headline_cause(audit);
	const struct kr_message *m =
		j ? kr_cause_find(diag, j->disk.reason) : NULL;

	if (m && m->file && !kr_judgement_owns(j, m))
		return m;
	for (size_t i = 0; j && i < diag->n_messages; i++) {
		const struct kr_message *o = &diag->messages[i];

		if (o->severity == KR_ERROR && o->file &&
		    !kr_judgement_owns(j, o))
			return o;
	}
	return m ? m : kr_diag_cause(diag);
}

/* "PLACE: TEXT; ADVICE", where TEXT has LENGTH bytes. NULL: no memory. */
static char *make_cause(const struct kr_message *m, size_t length)
{
	const char *advice = kr_advice(m);
	char *text = NULL, place[32] = "";

	if (!advice && (!m || length == 0))
		advice = CORRECT;
	if (length == 0 && m && m->file && m->line == 0 &&
	    strncmp(advice, KR_ADVICE_THIS, strlen(KR_ADVICE_THIS)) == 0)
		return kr_advice_named(m, advice);
	if (m && m->file && m->line > 0)
		snprintf(place, sizeof(place), ":%u:%u", m->line, m->column);
	return kr_format(&text, "%s%s%s%.*s%s%s", m && m->file ? m->file : "",
	                 place, m && m->file ? ": " : "", (int)length,
	                 m ? m->text : "", length > 0 && advice ? "; " : "",
	                 advice ? advice : "") < 0
	               ? NULL
	               : text;
}

void kr_next_print_cause(const struct kr_term *term, const struct kr_message *m,
                         bool with_text)
{
	/* what a refusal wants written first are lines of their own */
	size_t length = !m || !with_text ? 0
	                : strcmp(m->code, "refused") == 0
	                        ? strcspn(m->text, "\n")
	                        : strlen(m->text);
	_cleanup_free_ char *text = make_cause(m, length);
	const char *rest = length > 0 ? m->text + length : "";

	if (!text)
		return;
	kr_term_color(term, KR_COLOR_DIM, "next:");
	fputc(' ', term->out);
	kr_term_wrap(term, text, strlen(text), strlen("next: "), "    ");
	while (*rest) {
		size_t n = strcspn(rest + 1, "\n");

		fputs("    ", term->out);
		kr_term_bytes(term, rest + 1, n);
		fputc('\n', term->out);
		rest += n + 1;
	}
}

bool kr_next_print_no_unit(const struct kr_term *term,
                           const struct kr_node *node, const char *command,
                           const char *start)
{
	const struct kr_node_disk *disk = &node->disk;
	const char *unit = node->has_process ? node->process.unit : NULL;
	bool is_other = disk->no_kubelet && node->unit_named;
	bool is_same;

	if (!disk->unit ||
	    (disk->unit->load != KR_UNIT_NOT_FOUND && !is_other) ||
	    disk->foreign || node->config_override ||
	    (node->has_process && !unit))
		return false;
	is_same = unit && strcmp(unit, node->unit_name) == 0;
	/* a bus knows the unit, whose file was taken away */
	if (is_same && node->loaded)
		return false;
	fputs(start, term->out);
	if (unit && !is_same) {
		kr_term_color(term, KR_COLOR_DIM, "next:");
		fprintf(term->out, " kubelet-remedy %s", command);
		if (strcmp(node->root, "/") != 0)
			print_word(term, "--root", node->root);
		if (strcmp(unit, "kubelet.service") != 0)
			print_word(term, "--unit", unit);
		fputc('\n', term->out);
		return true;
	}
	kr_term_color(term, KR_COLOR_DIM, "next:");
	fputs(is_same ? " give kubelet's root directory with --root=DIR\n"
	              : " give kubelet's unit with --unit=NAME, or the node's "
	                "root directory with --root=DIR\n",
	      term->out);
	return true;
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

/* The bytes of the place that REASON begins with, its colons and the blank; 0:
 * there is none. */
static size_t place_length(const char *reason)
{
	size_t n = strcspn(reason, " ");

	return reason[0] == '/' && reason[n] && reason[n - 1] == ':' ? n + 1
	                                                             : 0;
}

/* What a fix would be refused for is what keeps the audit from knowing: the
 * first line has said it. The place stays, but of a file that another one is
 * mounted over. */
static int print_refused(const struct kr_next *next)
{
	const char *said = next->audit->items[0].disk.reason;
	_cleanup_diag_ struct kr_diag why = {0};
	const struct kr_message *cause;
	_cleanup_free_ char *text = NULL;
	struct kr_message rest;
	enum kr_foresight foresight;
	size_t place;
	int r = kr_foresee(next->host, next->audit, next->known, &why,
	                   &foresight);

	if (r < 0 || foresight != KR_FORESIGHT_REFUSED)
		return r;
	cause = kr_diag_cause(&why);
	if (cause && strncmp(cause->text, said, strlen(said)) == 0 &&
	    strncmp(cause->text + strlen(said), ": ", 2) == 0) {
		place = strcmp(cause->code, "mounted-over") == 0
		                ? 0
		                : place_length(said);
		if (kr_format(&text, "%.*s%s", (int)place, said,
		              cause->text + strlen(said) + 2) < 0)
			return -ENOMEM;
		rest = *cause;
		rest.text = text;
		cause = &rest;
	}
	kr_next_print_cause(next->term, cause, true);
	return 0;
}

/* Before kubelet is configured a fix writes the platform's durable place. */
static int print_waiting(const struct kr_next *next)
{
	const struct kr_audit *audit = next->audit;
	const struct kr_term *term = next->term;
	_cleanup_free_ struct kr_consent *consents =
		calloc(audit->n_items, sizeof(*consents));
	const struct kr_plan_options options = {
		.method = KR_METHOD_AUTO,
		.consents = consents,
		.explicit_wanted = audit->explicit_wanted,
	};
	const bool may_fix = !audit->edition || !audit->edition->audit_only;
	_cleanup_diag_ struct kr_diag ignored = {0};
	_cleanup_plan_ struct kr_plan *plan = NULL;
	_cleanup_free_ char *command = NULL;
	int r;

	if (!consents)
		return -ENOMEM;
	for (size_t i = 0; i < audit->n_items; i++)
		consents[i].named = audit->n_items == 1;
	r = may_fix ? kr_plan_make(next->host->node, audit, &options, &ignored,
	                           &plan)
	            : KR_NOTHING_YET;
	if (r == -ENOMEM)
		return r;
	if (r < 0 || plan->edits.n_files == 0) {
		kr_term_color(term, KR_COLOR_DIM, "next:");
		fputs(" configure kubelet, then run this again\n", term->out);
		return 0;
	}
	r = kr_format(&command, "fix -n%s%s", next->words,
	              audit->explicit_wanted ? " --explicit" : "");
	if (r == 0)
		kr_next_print(term, next->host->node, next->api, command);
	return r;
}

int kr_next_print_unknown(const struct kr_next *next)
{
	const struct kr_audit *audit = next->audit;
	const struct kr_node *node = next->host->node;
	const struct kr_judgement *j = kr_headline_cause(audit);
	const struct kr_message *m =
		j ? kr_cause_find(next->diag, j->disk.reason) : NULL;
	const bool lone = audit->n_items == 1;

	if (lone && j->disk.state == KR_STATE_UNKNOWN &&
	    j->live.answer != KR_ANSWER_PASS && is_elsewhere(node))
		return print_refused(next);
	if (m && m->file) {
		kr_next_print_cause(next->term, m, false);
		return 0;
	}
	if (kr_next_print_no_unit(next->term, node, "audit", ""))
		return 0;
	if (kr_node_waits(node))
		return print_waiting(next);
	return lone ? print_refused(next) : 0;
}
