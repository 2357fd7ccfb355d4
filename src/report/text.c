/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Results for people. The first line is the verdict and its reason; the last
 * one is the next command to run.
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "report/advice.h"
#include "report/diff.h"
#include "report/text.h"

static const struct {
	const char *word;
	enum kr_color color;
} verdicts[] = {
	[KR_VERDICT_PASS] = {"PASS", KR_COLOR_GOOD},
	[KR_VERDICT_FAIL] = {"FAIL", KR_COLOR_BAD},
	[KR_VERDICT_INVALID] = {"INVALID", KR_COLOR_BAD},
	[KR_VERDICT_UNKNOWN] = {"UNKNOWN", KR_COLOR_WARN},
};

static_assert(ARRAY_SIZE(verdicts) == _KR_VERDICT_MAX,
              "a word for each verdict");

/* One line whose words came from the node. */
static void print_row(const struct kr_term *term, const char *label,
                      const char *text)
{
	fputs(label, term->out);
	kr_term_text(term, text);
	fputc('\n', term->out);
}

static void headline(const struct kr_term *term, enum kr_color color,
                     const char *word, const char *reason)
{
	kr_term_color(term, color, "%s", word);
	fputs("  ", term->out);
	kr_term_text(term, reason);
	fputc('\n', term->out);
}

/* A word of a command, quoted for a shell where it has to be. */
static void print_word(const struct kr_term *term, const char *option,
                       const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+@%:=,";
	bool quoted = strspn(word, plain) != strlen(word);

	fprintf(term->out, " %s=%s", option, quoted ? "'" : "");
	for (const char *c = word; *c; c++) {
		if (*c == '\'')
			fputs("'\\''", term->out);
		else
			fputc((unsigned char)*c < 0x20 ? '?' : *c, term->out);
	}
	fputs(quoted ? "'" : "", term->out);
}

/* " --root=DIR --unit=NAME ...", so that the next command is for the same node.
 */
static void print_scope(const struct kr_term *term, const struct kr_node *node)
{
	if (strcmp(node->root, "/") != 0)
		print_word(term, "--root", node->root);
	if (strcmp(node->unit_name, "kubelet.service") != 0)
		print_word(term, "--unit", node->unit_name);
	if (node->config_override)
		print_word(term, "--config", node->config_override);
}

/* The same for the same API server, where one was asked. API may be NULL. */
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

/* API: for a command that asks it; else NULL. */
static void print_next(const struct kr_term *term, const struct kr_node *node,
                       const struct kr_api_options *api, const char *command)
{
	kr_term_color(term, KR_COLOR_DIM, "next:");
	fprintf(term->out, " kubelet-remedy %s", command);
	print_scope(term, node);
	print_api(term, node, api);
	fputc('\n', term->out);
}

/* --- audit --------------------------------------------------------------- */

static void print_place(const struct kr_term *term, struct kr_span span)
{
	unsigned line, column;

	kr_span_position(span, &line, &column);
	kr_term_begin(term, KR_COLOR_PLACE);
	kr_term_text(term, span.file->path);
	fprintf(term->out, ":%u:%u", line, column);
	kr_term_end(term);
}

static void print_state(const struct kr_term *term, const char *view,
                        enum kr_state state)
{
	fprintf(term->out, "  %-9s %-7s ", view, kr_state_to_string(state));
}

static void print_disk(const struct kr_term *term, const struct kr_audit *audit)
{
	const struct kr_source *s = kr_audit_deciding(audit);

	print_state(term, "disk", audit->disk.state);
	if (s && s->span.file) {
		print_place(term, s->span);
		fputc('\n', term->out);
		kr_term_span(term, s->span);
	} else if (s && s->text) {
		fputs("the argument ", term->out);
		kr_term_text(term, s->text);
		fputc('\n', term->out);
	} else {
		kr_term_text(term, audit->disk.reason);
		fputc('\n', term->out);
	}
}

static void print_running(const struct kr_term *term,
                          const struct kr_audit *audit)
{
	char started[KR_RFC3339_SIZE];

	print_state(term, "running", audit->running.state);
	if (audit->pid == 0) {
		print_row(term, "", audit->running.reason);
		return;
	}
	kr_local_time(audit->started_usec, started);
	fprintf(term->out, "kubelet[%d], started %s", (int)audit->pid, started);
	if (audit->running.state == KR_STATE_UNKNOWN)
		fprintf(term->out, ": %s", audit->running.reason);
	fputc('\n', term->out);
}

static void print_live(const struct kr_term *term, const struct kr_audit *audit)
{
	print_state(term, "live", audit->live.state);
	if (audit->endpoint)
		kr_term_text(term, audit->endpoint);
	if (audit->live.state == KR_STATE_UNKNOWN)
		print_row(term, audit->endpoint ? ": " : "",
		          audit->live.reason);
	else
		fputc('\n', term->out);
}

static void print_overridden(const struct kr_term *term,
                             const struct kr_audit *audit)
{
	bool winner = kr_audit_deciding(audit);

	for (size_t i = 0; i < audit->n_sources; i++) {
		const struct kr_source *s = &audit->sources[i];

		if (s->wins || s->kind == KR_SOURCE_DEFAULT)
			continue;
		fputs(winner ? "  overridden: " : "  set: ", term->out);
		if (s->span.file)
			print_place(term, s->span);
		else
			kr_term_text(term, s->text);
		fprintf(term->out, "  %s\n", kr_state_to_string(s->state));
	}
}

/* A platform's words, in those of the setting. */
static void print_platform_text(const struct kr_term *term,
                                const struct kr_node *node, const char *text)
{
	_cleanup_free_ char *words = kr_platform_text(node->setting, text);

	fputs(words ? words : text, term->out);
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

static bool fixable(const struct kr_node *node, const struct kr_audit *audit)
{
	return audit->disk.state == KR_STATE_FALSE ||
	       (audit->disk.state == KR_STATE_INVALID &&
	        node->disk.inputs.by_setting) ||
	       (audit->verdict == KR_VERDICT_FAIL && audit->explicit_wanted &&
	        audit->disk.state == KR_STATE_TRUE && !audit->restart_needed);
}

static void print_audit_next(const struct kr_term *term,
                             const struct kr_node *node,
                             const struct kr_api_options *api,
                             const struct kr_audit *audit)
{
	const struct kr_platform *platform = node->platform;

	if (audit->verdict == KR_VERDICT_PASS)
		return;
	if (platform && platform->refusal) {
		kr_term_color(term, KR_COLOR_DIM, "next:");
		fputc(' ', term->out);
		print_platform_text(term, node, platform->refusal);
		fputc('\n', term->out);
		return;
	}
	if (fixable(node, audit))
		print_next(term, node, api,
		           audit->explicit_wanted ? "fix -n --explicit"
		                                  : "fix -n");
	else if (audit->restart_needed)
		print_next(term, node, api, "fix");
	else if (audit->disk.state == KR_STATE_TRUE &&
	         audit->running.state == KR_STATE_UNKNOWN)
		print_next(term, node, api, "fix --restart=always");
	else if (audit->verdict == KR_VERDICT_INVALID)
		print_next(term, node, api, "audit");
}

void kr_text_audit(const struct kr_term *term, const struct kr_node *node,
                   const struct kr_api_options *api,
                   const struct kr_audit *audit, const struct kr_diag *diag)
{
	headline(term, verdicts[audit->verdict].color,
	         verdicts[audit->verdict].word, audit->reason);
	print_disk(term, audit);
	if (node->live)
		print_running(term, audit);
	if (audit->live.state != KR_STATE_ABSENT)
		print_live(term, audit);
	print_overridden(term, audit);
	print_platform(term, node);
	kr_term_messages(term, diag, KR_NOTE);
	print_audit_next(term, node, api, audit);
}

void kr_text_verdict(const struct kr_term *term, enum kr_verdict verdict,
                     const char *reason)
{
	headline(term, verdicts[verdict].color, verdicts[verdict].word, reason);
}

void kr_text_unread(const struct kr_term *term, const char *reason)
{
	kr_text_verdict(term, KR_VERDICT_UNKNOWN, reason);
}

/* --- fix ----------------------------------------------------------------- */

static const struct {
	const char *word;
	enum kr_color color;
} outcome_words[] = {
	[KR_OUTCOME_COMPLIANT] = {"COMPLIANT", KR_COLOR_GOOD},
	[KR_OUTCOME_CHANGED] = {"FIXED", KR_COLOR_GOOD},
	[KR_OUTCOME_WOULD_CHANGE] = {"WOULD CHANGE", KR_COLOR_WARN},
	[KR_OUTCOME_UNCONFIGURED] = {"NOT CONFIGURED", KR_COLOR_WARN},
	[KR_OUTCOME_REFUSED] = {"REFUSED", KR_COLOR_BAD},
	[KR_OUTCOME_FAILED] = {"FAILED", KR_COLOR_BAD},
	[KR_OUTCOME_ROLLED_BACK] = {"PUT BACK", KR_COLOR_BAD},
	[KR_OUTCOME_BROKEN] = {"BROKEN", KR_COLOR_BAD},
};

static_assert(ARRAY_SIZE(outcome_words) == _KR_OUTCOME_MAX,
              "a word for each outcome");

void kr_text_outcome(const struct kr_term *term, const struct kr_fix *fix)
{
	headline(term, outcome_words[fix->outcome].color,
	         outcome_words[fix->outcome].word, fix->reason);
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
	             : fix->outcome != KR_OUTCOME_CHANGED &&
	                       fix->outcome != KR_OUTCOME_WOULD_CHANGE))
		return;
	fprintf(term->out, "%s%s, in %s:\n", start,
	        refused               ? "instead"
	        : d->platform->seldom ? "for new nodes"
	                              : "to keep it",
	        d->place);
	for (const char *line = d->text; *line;) {
		int length = (int)strcspn(line, "\n");

		fprintf(term->out, "%s    %.*s\n", start, length, line);
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

static void print_steps(const struct kr_term *term, const struct kr_fix *fix)
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
		        kr_state_to_string(after->disk.state));
	if (!fix->restarts)
		fputs("# kubelet is not restarted\n", term->out);
	if (!fix->plan->unconfigured)
		fprintf(term->out, "# %s would be %s\n",
		        fix->host->setting->key,
		        kr_state_to_string(after->disk.state));
}

/* What makes COMMAND, where it is fix, the one that the preview was of. */
static void print_preview_next(const struct kr_term *term,
                               const struct kr_fix *fix, const char *command)
{
	const struct kr_node *node = fix->host->node;
	enum kr_method by_default = node->disk.inputs.n_files > 0
	                                    ? KR_METHOD_CONFIG
	                                    : KR_METHOD_FLAG;
	bool is_fix = strcmp(command, "fix") == 0;

	fprintf(term->out, "# next: kubelet-remedy %s", command);
	if (is_fix && fix->plan->method != by_default &&
	    !fix->plan->unconfigured)
		fprintf(term->out, " --method=%s",
		        kr_method_to_string(fix->plan->method));
	if (is_fix && fix->before && fix->before->explicit_wanted)
		fputs(" --explicit", term->out);
	if (is_fix && fix->plan->durable.left_out)
		fputs(" --no-persist", term->out);
	print_scope(term, node);
	print_api(term, node, fix->api);
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
	fprintf(term->out, " %s\n", advice);
}

static void print_nothing_to_undo(const struct kr_term *term,
                                  const struct kr_fix *fix)
{
	headline(term, KR_COLOR_WARN, "NOTHING TO UNDO", fix->reason);
}

int kr_text_preview(const struct kr_term *term, const struct kr_fix *fix,
                    const char *command)
{
	bool undo = strcmp(command, "undo") == 0;

	fputs("# ", term->out);
	if (undo && fix->outcome == KR_OUTCOME_COMPLIANT)
		print_nothing_to_undo(term, fix);
	else
		kr_text_outcome(term, fix);
	if (undo && print_refused(term, fix) < 0)
		return -ENOMEM;
	if (fix->outcome != KR_OUTCOME_WOULD_CHANGE) {
		print_durable(term, fix, "# ");
		return 0;
	}
	if (print_diffs(term, fix) < 0)
		return -ENOMEM;
	print_steps(term, fix);
	print_durable(term, fix, "# ");
	print_preview_next(term, fix, command);
	return 0;
}

static void print_log(const struct kr_term *term, const struct kr_log *log)
{
	for (size_t i = 0; i < log->n_lines; i++) {
		const struct kr_log_line *l = &log->lines[i];
		char when[KR_RFC3339_SIZE];

		kr_local_time(l->realtime_usec, when);
		fprintf(term->out, "    %s %s", when,
		        l->identifier ? l->identifier : "-");
		if (l->pid > 0)
			fprintf(term->out, "[%d]", l->pid);
		fputs(": ", term->out);
		kr_term_text(term, l->text);
		fputc('\n', term->out);
	}
}

static void print_fix_next(const struct kr_term *term, const struct kr_fix *fix)
{
	const struct kr_node *node = fix->host ? fix->host->node : NULL;

	if (!node)
		return;
	if (fix->outcome == KR_OUTCOME_CHANGED)
		print_next(term, node, fix->api, "audit");
	else if (fix->outcome == KR_OUTCOME_ROLLED_BACK ||
	         fix->outcome == KR_OUTCOME_BROKEN)
		print_next(term, node, NULL, "status");
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
	bool changed = (fix->outcome == KR_OUTCOME_CHANGED ||
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
		print_log(term, &fix->log);
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
	print_fix_next(term, fix);
}

int kr_text_undo(const struct kr_term *term, const struct kr_fix *fix)
{
	if (fix->outcome == KR_OUTCOME_COMPLIANT)
		print_nothing_to_undo(term, fix);
	else if (fix->outcome == KR_OUTCOME_CHANGED)
		headline(term, KR_COLOR_GOOD, "UNDONE", fix->transaction);
	else
		kr_text_outcome(term, fix);
	print_done(term, fix);
	if (fix->outcome == KR_OUTCOME_BROKEN && fix->host)
		print_next(term, fix->host->node, NULL, "status");
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
	fputs(e->reason ? ", " : "", term->out);
	kr_term_text(term, e->reason ? e->reason : "");
	fputc('\n', term->out);
	for (size_t i = 0; i < e->manifest->n_files; i++)
		print_row(term, "    ", e->manifest->files[i].path);
}

void kr_text_history(const struct kr_term *term,
                     const struct kr_history *history)
{
	if (history->manifests.n_items == 0)
		fputs("no fix was made on this node\n", term->out);
	for (size_t i = 0; i < history->manifests.n_items; i++)
		print_entry(term, &history->entries[i]);
}

/* --- status -------------------------------------------------------------- */

static void print_since(const struct kr_term *term,
                        const struct kr_loaded_unit *u)
{
	char when[KR_RFC3339_SIZE];

	if (u->state_change_usec == 0)
		return;
	kr_local_time(u->state_change_usec, when);
	fprintf(term->out, " since %s", when);
}

static void print_unit(const struct kr_term *term, const struct kr_status *s)
{
	const struct kr_loaded_unit *u = s->loaded;
	bool active = strcmp(u->active_state, "active") == 0;

	fprintf(term->out, "  loaded:   %s (", u->load_state);
	kr_term_text(term,
	             *u->fragment_path ? u->fragment_path : "no unit file");
	fputs(")\n", term->out);
	for (size_t i = 0; i < u->n_dropin_paths; i++)
		print_row(term, "  drop-in:  ", u->dropin_paths[i]);
	if (u->need_daemon_reload)
		kr_term_color(term, KR_COLOR_WARN,
		              "  changed on disk: systemd needs a "
		              "daemon-reload\n");
	fputs("  active:   ", term->out);
	kr_term_color(term, active ? KR_COLOR_GOOD : KR_COLOR_BAD, "%s (%s)",
	              u->active_state, u->sub_state);
	print_since(term, u);
	fprintf(term->out, "\n  result:   %s\n", u->result);
	if (u->main_pid > 0)
		fprintf(term->out, "  main pid: %d\n", (int)u->main_pid);
	else if (u->exec_main_code != 0)
		fprintf(term->out,
		        "  main pid: none, the last one ended: %s %d\n",
		        u->exec_main_code == CLD_EXITED ? "exit status"
		                                        : "signal",
		        u->exec_main_status);
	if (u->n_restarts > 0)
		fprintf(term->out, "  restarts: %u by systemd\n",
		        u->n_restarts);
	fprintf(term->out, "  healthy:  %s%s", s->healthy ? "yes" : "no",
	        s->why ? ", " : "");
	print_row(term, "", s->why ? s->why : "");
	if (s->not_asked)
		fprintf(term->out, "            (healthz was not asked: %s)\n",
		        s->not_asked);
}

void kr_text_status(const struct kr_term *term, const struct kr_status *s)
{
	const char *unit = s->host->node->unit_name;

	if (!s->loaded) {
		headline(term, KR_COLOR_WARN, "UNKNOWN", s->why);
		return;
	}
	if (!s->found) {
		headline(term, KR_COLOR_WARN, "NOT FOUND", unit);
		return;
	}
	headline(term, s->healthy ? KR_COLOR_GOOD : KR_COLOR_BAD,
	         s->healthy ? "HEALTHY" : "UNHEALTHY", unit);
	print_unit(term, s);
	if (s->log.n_lines > 0)
		fputs("  log:\n", term->out);
	print_log(term, &s->log);
}
