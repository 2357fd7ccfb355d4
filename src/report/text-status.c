/* SPDX-License-Identifier: Apache-2.0 */

/* kubelet's unit for people, after the model of systemctl(1). */

#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "report/text-status.h"

static const struct {
	const char *headline, *row;
	enum kr_color color;
} health_words[] = {
	[KR_HEALTH_GOOD] = {"HEALTHY", "yes", KR_COLOR_GOOD},
	[KR_HEALTH_BAD] = {"UNHEALTHY", "no", KR_COLOR_BAD},
	[KR_HEALTH_UNASKED] = {"RUNNING", "not asked", KR_COLOR_WARN},
};

void kr_text_log(const struct kr_term *term, const struct kr_log *log)
{
	for (size_t i = 0; i < log->n_lines; i++) {
		const struct kr_log_line *l = &log->lines[i];
		char when[KR_RFC3339_SIZE];

		kr_journal_time(l->realtime_usec, when);
		fprintf(term->out, "    %s ", when);
		kr_term_text(term, l->identifier ? l->identifier : "-");
		if (l->pid > 0)
			fprintf(term->out, "[%d]", l->pid);
		kr_term_row(term, ": ", l->text);
	}
}

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
		kr_term_row(term, "  drop-in:  ", u->dropin_paths[i]);
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
	fprintf(term->out, "  healthy:  %s%s",
	        health_words[s->health.state].row, s->health.why ? ", " : "");
	kr_term_row(term, "", s->health.why ? s->health.why : "");
}

void kr_text_status(const struct kr_term *term, const struct kr_status *s)
{
	const char *unit = s->host->node->unit_name;

	if (!s->loaded) {
		kr_term_headline(term, KR_COLOR_WARN, "UNKNOWN", s->health.why);
		return;
	}
	if (!s->found) {
		kr_term_headline(term, KR_COLOR_WARN, "NOT FOUND", unit);
		return;
	}
	kr_term_headline(term, health_words[s->health.state].color,
	                 health_words[s->health.state].headline, unit);
	print_unit(term, s);
	if (s->log.n_lines > 0)
		fputs("  log:\n", term->out);
	kr_text_log(term, &s->log);
}
