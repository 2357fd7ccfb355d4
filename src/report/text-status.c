/* SPDX-License-Identifier: Apache-2.0 */

/* kubelet's unit for people, after the model of systemctl(1). */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/vec.h"
#include "policy/rules.h"
#include "report/next.h"
#include "report/text-status.h"
#include "report/text-words.h"

/* --- history -------------------------------------------------------------- */

/*
 * The fixes of a node: a table, and what undo needs of each.
 *
 * A fix that was undone has that as its outcome, and its undo a row of its own.
 * A number is given once and for ever: undo takes that of a fix, its
 * id, or the first characters of the id. A star marks the fix that undo takes
 * where no fix is named. Where a row would be wider than the terminal its
 * controls stand below it.
 */

#define CONTROLS_MAX 44
#define OTHERS       49 /* columns of a row but for controls and outcome */

struct row {
	char *controls;
	const char *outcome, *undo;
};

struct table {
	struct row *rows;
	size_t n;
	int controls, outcome; /* widths */
	bool below;            /* the controls have a line of their own */
};

static void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->rows[i].controls);
	free(t->rows);
}

/* The outcome as it is written in a sentence: "rolled back". */
static void print_outcome(const struct kr_term *term, const struct table *t,
                          const char *outcome)
{
	for (const char *c = outcome; *c; c++)
		fputc(*c == '-' ? ' ' : *c, term->out);
	fprintf(term->out, "%*s  ", t->outcome - (int)strlen(outcome), "");
}

static const char *undo_word(const struct kr_history_entry *e)
{
	return e->undo == KR_UNDO_NOTHING ? "no"
	                                  : kr_undoable_to_string(e->undo);
}

/* "readOnlyPort, makeIPTablesUtilChains and 3 more" */
static int name_controls(const struct kr_manifest *m, char **ret)
{
	const struct kr_strings *all = &m->controls;
	size_t i = 1;
	int r;

	/* a record from before there were several is of the one */
	if (all->n_items == 0)
		return kr_format(ret, "%s", kr_rules_usual.items[0]->name);
	r = kr_format(ret, "%s", all->items[0]);
	for (; r == 0 && i < all->n_items; i++) {
		if (strlen(*ret) + strlen(all->items[i]) + 2 > CONTROLS_MAX)
			break;
		r = kr_format(ret, "%s, %s", *ret, all->items[i]);
	}
	if (r == 0 && i < all->n_items)
		r = kr_format(ret, "%s and %zu more", *ret, all->n_items - i);
	return r;
}

static int fill(struct table *t, const struct kr_history *history)
{
	t->rows = calloc(history->n_entries + 1, sizeof(*t->rows));
	if (!t->rows)
		return -ENOMEM;
	kr_text_widen(&t->controls, "CONTROLS");
	kr_text_widen(&t->outcome, "OUTCOME");
	for (; t->n < history->n_entries; t->n++) {
		const struct kr_history_entry *e = &history->entries[t->n];
		struct row *row = &t->rows[t->n];
		int r = name_controls(e->manifest, &row->controls);

		if (r < 0)
			return r;
		row->outcome = kr_history_outcome(e);
		row->undo = undo_word(e);
		kr_text_widen(&t->controls, row->controls);
		kr_text_widen(&t->outcome, row->outcome);
	}
	return 0;
}

/* Why it cannot be undone, where its outcome does not say it. */
static bool has_reason(const struct kr_history_entry *e)
{
	return e->reason && e->manifest->state != KR_MANIFEST_PUT_BACK &&
	       e->manifest->state != KR_MANIFEST_UNDONE;
}

static void print_row(const struct kr_term *term, const struct table *t,
                      const struct kr_history_entry *e, const struct row *row,
                      bool current)
{
	char when[KR_RFC3339_SIZE];

	kr_local_time(e->realtime_usec, when);
	fprintf(term->out, "%s%3u  %-23s  %-4s  ", current ? "*" : " ",
	        e->number, when, e->is_undo ? "undo" : "fix");
	if (!t->below) {
		kr_term_text(term, row->controls);
		fprintf(term->out, "%*s  ",
		        t->controls - (int)strlen(row->controls), "");
	}
	print_outcome(term, t, row->outcome);
	kr_term_color(term,
	              e->undo == KR_UNDO_POSSIBLE ? KR_COLOR_GOOD
	                                          : KR_COLOR_DIM,
	              "%s", row->undo);
	if (t->below)
		kr_term_row(term, "\n      ", row->controls);
	kr_term_row(term, t->below ? "      " : "\n      ", e->manifest->id);
	if (e->is_undo)
		return;
	if (has_reason(e))
		kr_term_wrap(term, e->reason, strlen(e->reason),
		             (size_t)fprintf(term->out, "      "), "        ");
	for (size_t k = 0; k < e->manifest->n_files; k++)
		kr_term_row(term, "        ", e->manifest->files[k].path);
}

/* The one that undo takes where no fix is named: the last that stands. */
static size_t find_current(const struct kr_history *history)
{
	size_t i = history->n_entries;

	while (i > 0 &&
	       history->entries[i - 1].manifest->state != KR_MANIFEST_KEPT)
		i--;
	return i;
}

int kr_text_history(const struct kr_term *term,
                    const struct kr_history *history)
{
	_cleanup_(table_done) struct table t = {0};
	size_t current = find_current(history);
	int r;

	if (history->n_entries == 0) {
		fputs("no fix was made on this node\n", term->out);
		return 0;
	}
	r = fill(&t, history);
	if (r < 0)
		return r;
	t.below = term->wraps &&
	          OTHERS + t.controls + t.outcome > (int)term->width;
	fprintf(term->out, "   #  %-23s  KIND  ", "TIME");
	if (!t.below)
		fprintf(term->out, "%-*s  ", t.controls, "CONTROLS");
	fprintf(term->out, "%-*s  UNDO\n", t.outcome, "OUTCOME");
	for (size_t i = 0; i < t.n; i++)
		print_row(term, &t, &history->entries[i], &t.rows[i],
		          i + 1 == current);
	if (current > 0)
		fputs("* what 'kubelet-remedy undo' puts back; another: "
		      "'kubelet-remedy undo NUMBER'\n",
		      term->out);
	return 0;
}

/* --- status --------------------------------------------------------------- */

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
		return;
	}
	if (!s->found || s->other) {
		kr_term_headline(term, KR_COLOR_WARN,
		                 s->other ? "NO KUBELET" : "NOT FOUND",
		                 s->other ? s->host->node->disk.reason : unit);
		if (!kr_next_print_no_unit(term, s->host->node, "status", ""))
			fputs("next: name kubelet's unit by --unit=NAME\n",
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
