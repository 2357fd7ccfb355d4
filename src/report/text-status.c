/* SPDX-License-Identifier: Apache-2.0 */

/* kubelet's unit for people, after the model of systemctl(1). */

#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "report/next.h"
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
	KR_EACH(const struct kr_log_line, l, log->lines, log->n_lines) {
		const char *who = l->identifier ? l->identifier : "-";
		char when[KR_RFC3339_SIZE], pid[16] = "";
		size_t used;

		kr_local_time(l->realtime_usec, when);
		if (l->pid > 0)
			snprintf(pid, sizeof(pid), "[%d]", (int)l->pid);
		fprintf(term->out, "    %s ", when);
		kr_term_text(term, who);
		fprintf(term->out, "%s: ", pid);
		used = strlen("    ") + strlen(when) + 1 + kr_term_width(who) +
		       strlen(pid) + strlen(": ");
		kr_term_wrap(term, l->text, strlen(l->text), used, "        ");
	}
}

/* "2 h 3 min", as systemctl rounds it: two units at most. */
static void print_span(const struct kr_term *term, uint64_t usec)
{
	static const struct {
		uint64_t seconds;
		const char *unit;
	} units[] = {
		{86400, "d"},
		{3600, "h"},
		{60, "min"},
		{1, "s"},
	};
	uint64_t left = usec / KR_USEC_PER_SEC;
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && left < units[i].seconds)
		i++;
	fprintf(term->out, "%llu %s",
	        (unsigned long long)(left / units[i].seconds), units[i].unit);
	left %= units[i].seconds;
	if (i + 1 < ARRAY_SIZE(units) && left >= units[i + 1].seconds)
		fprintf(term->out, " %llu %s",
		        (unsigned long long)(left / units[i + 1].seconds),
		        units[i + 1].unit);
}

static void print_since(const struct kr_term *term,
                        const struct kr_loaded_unit *u)
{
	uint64_t now = kr_realtime_usec();
	char when[KR_RFC3339_SIZE];

	if (u->state_change_usec == 0)
		return;
	kr_local_time(u->state_change_usec, when);
	fprintf(term->out, " since %s", when);
	if (now < u->state_change_usec)
		return;
	fputs("; ", term->out);
	print_span(term, now - u->state_change_usec);
	fputs(" ago", term->out);
}

/* What systemd does not count is 0 or the largest number. */
static bool is_counted(uint64_t n)
{
	return n > 0 && n < UINT64_MAX;
}

static void print_counts(const struct kr_term *term,
                         const struct kr_loaded_unit *u)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double amount = (double)u->memory_bytes;
	size_t i = 0;

	if (is_counted(u->n_tasks))
		fprintf(term->out, "  tasks:    %llu\n",
		        (unsigned long long)u->n_tasks);
	if (!is_counted(u->memory_bytes))
		return;
	for (; amount >= 1024 && i + 1 < ARRAY_SIZE(units); i++)
		amount /= 1024;
	fprintf(term->out, "  memory:   %.1f %s\n", amount, units[i]);
}

static void print_unit(const struct kr_term *term, const struct kr_status *s)
{
	const struct kr_loaded_unit *u = s->loaded;
	bool active = strcmp(u->active_state, "active") == 0;

	fprintf(term->out, "  loaded:   %s (", u->load_state);
	kr_term_text(term,
	             *u->fragment_path ? u->fragment_path : "no unit file");
	if (*u->file_state)
		fprintf(term->out, "; %s", u->file_state);
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
	print_counts(term, u);
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
		if (s->host->node->live)
			kr_term_prose(term, "next: ",
			              "see that systemd and its bus run, then "
			              "run this again; 'kubelet-remedy audit' "
			              "reads the files");
		return;
	}
	if (!s->found || s->other) {
		kr_term_headline(term, KR_COLOR_WARN,
		                 s->other ? "NO KUBELET" : "NOT FOUND",
		                 s->other ? s->host->node->disk.reason : unit);
		if (!kr_next_print_no_unit(term, s->host->node, "status", ""))
			fputs("next: give kubelet's unit with --unit=NAME\n",
			      term->out);
		return;
	}
	kr_term_headline(term, health_words[s->health.state].color,
	                 health_words[s->health.state].headline, unit);
	print_unit(term, s);
	if (s->log.n_lines > 0)
		fputs("  log:\n", term->out);
	kr_text_log(term, &s->log);
}
