/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The fixes of a node: a table, and what undo needs of each.
 *
 * A fix that was undone has that as its outcome, and its undo a row of its own.
 * A number is given once and for ever: undo takes that of a fix, its id, or the
 * first characters of the id. A star marks the fix that undo takes where no fix
 * is named. Where a row would be wider than the terminal its controls stand
 * below it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "policy/rules.h"
#include "report/text-history.h"
#include "report/text-words.h"

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

/* Why it cannot be undone or was put back, where its outcome does not say it.
 */
static bool has_reason(const struct kr_history_entry *e)
{
	return e->told || (e->reason && e->manifest->state == KR_MANIFEST_KEPT);
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
	if (e->is_undo && e->manifest->state == KR_MANIFEST_UNDONE &&
	    e->manifest->by_hand)
		return;
	if (has_reason(e))
		kr_term_wrap(term, e->reason, strlen(e->reason),
		             (size_t)fprintf(term->out, "      "), "        ");
	for (size_t k = 0; k < e->manifest->n_files; k++)
		kr_term_row(term, "        ", e->manifest->files[k].path);
}

/* The one that undo puts back where no fix is named: the last that stands,
 * unless it would be refused. */
static size_t find_current(const struct kr_history *history)
{
	size_t i = history->n_entries;

	while (i > 0 &&
	       history->entries[i - 1].manifest->state != KR_MANIFEST_KEPT)
		i--;
	return i > 0 && history->entries[i - 1].undo == KR_UNDO_POSSIBLE ? i
	                                                                 : 0;
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
