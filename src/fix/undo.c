/* SPDX-License-Identifier: Apache-2.0 */

/*
 * undo: the edits that undo a fix (fix/undo-edits) are a plan like any
 * other. It is proven that the disk then decides as it did before the fix, and
 * applied by the same steps (fix/apply).
 *
 * Which kubelet that is the record tells: a fix that was given a unit or a
 * config file is undone without being given them again.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/vec.h"
#include "fix/apply.h"
#include "fix/undo.h"

static const char *const undoable_names[] = {
	[KR_UNDO_POSSIBLE] = "possible",
	[KR_UNDO_NOTHING] = "nothing",
	[KR_UNDO_REFUSED] = "refused",
	[KR_UNDO_FOREIGN] = "foreign",
};

static_assert(ARRAY_SIZE(undoable_names) == _KR_UNDOABLE_MAX,
              "a name for each");

const char *kr_undoable_to_string(enum kr_undoable undoable)
{
	return undoable_names[undoable];
}

/* Whether ID is a number of the history; RET: its row, or NULL. */
static bool is_number(const struct kr_manifests *list, const char *id,
                      const struct kr_manifest_row **ret)
{
	const char *error;
	long long number =
		strtonum(id, 1, kr_manifests_next_number(list) - 1, &error);

	*ret = error ? NULL : kr_manifests_find_row(list, (unsigned)number);
	return !error;
}

/* The one of ID, by its number, or the only one that begins so. NULL: none;
 * RET_SEVERAL: more than one begins so. */
static struct kr_manifest *find(const struct kr_manifests *list, const char *id,
                                bool *ret_several)
{
	struct kr_manifest *found = kr_manifests_find(list, id);
	const struct kr_manifest_row *row;

	*ret_several = false;
	if (found || *id == '\0')
		return found;
	if (is_number(list, id, &row))
		return row && !row->undo ? row->manifest : NULL;
	for (size_t i = 0; i < list->n_items; i++) {
		if (strncmp(list->items[i].id, id, strlen(id)) != 0)
			continue;
		*ret_several = found;
		if (found)
			return NULL;
		found = &list->items[i];
	}
	return found;
}

/* The one of ID, or the last that stands; NULL: none. */
static struct kr_manifest *choose(const struct kr_manifests *list,
                                  const char *id, bool *ret_several)
{
	*ret_several = false;
	if (id)
		return find(list, id, ret_several);
	for (size_t i = list->n_items; i-- > 0;) {
		if (list->items[i].state == KR_MANIFEST_KEPT)
			return &list->items[i];
	}
	return NULL;
}

/* What was asked for has been done already: the run was interrupted. */
static int end_recovered(struct kr_applying *a)
{
	strlcpy(a->fix->undone, a->recovered.id, sizeof(a->fix->undone));
	strlcpy(a->fix->transaction, a->recovered.id,
	        sizeof(a->fix->transaction));
	return kr_apply_end(a, KR_OUTCOME_FIXED,
	                    "the interrupted run %s was reverted",
	                    a->recovered.id);
}

#define LISTED "'kubelet-remedy history' lists them"

static int no_fix(struct kr_applying *a, const struct kr_manifests *list,
                  const char *id, bool several)
{
	const char *what =
		several ? "more than one fix begins with" : "there is no fix";
	const struct kr_manifest_row *row = NULL;
	const char *rest = LISTED;

	if (!id && *a->recovered.id)
		return end_recovered(a);
	if (!id)
		return kr_apply_end(a, KR_OUTCOME_UNCHANGED,
		                    "there is no fix to undo");
	if (!several && is_number(list, id, &row) && row && row->undo)
		rest = "it is an undo; a fix makes the change again";
	kr_diag_add(a->diag, KR_ERROR, "no-transaction", KR_SPAN_NONE,
	            "%s %s: %s", what, id, rest);
	return kr_apply_end(a, KR_OUTCOME_UNCHANGED, "%s %s: %s", what, id,
	                    rest);
}

/* A fix may have known kubelet's version where its undo does not. */
static bool is_by_version(const struct kr_judgement *j)
{
	return j->disk.state == KR_STATE_UNKNOWN && j->needs_version;
}

/* Whether an edit of PLAN is for the control NAME. */
static bool is_about(const struct kr_plan *plan, const char *name)
{
	size_t length = strlen(name);

	KR_EACH(const struct kr_file_edits, f, plan->edits.files,
	        plan->edits.n_files) {
		for (size_t k = 0; k < f->n_edits; k++) {
			const char *at = f->edits[k].about;

			while (at && *at) {
				size_t n = strcspn(at, ",");

				if (n == length && strncmp(at, name, n) == 0)
					return true;
				at += n + (at[n] == ',');
			}
		}
	}
	return false;
}

static const struct kr_judgement *find_control(const struct kr_audit *audit,
                                               const char *name)
{
	return KR_FIRST(j, audit->items, audit->n_items,
	                strcmp(j->rule->name, name) == 0);
}

/* What the control I of the fix M would have: NULL: what it had before, or that
 * is unknown or not for these edits to say. Modes and owners are compared file
 * by file (fix/undo-edits). 0 or -ENOMEM. */
static int find_other_value(const struct kr_plan *plan,
                            const struct kr_manifest *m, size_t i, char **ret)
{
	const char *name = m->controls.items[i], *before = m->values.items[i];
	const struct kr_judgement *j = find_control(plan->audit, name);
	_cleanup_free_ char *now = NULL;
	int r;

	if (!j || j->rule->n_fields == 0 || !is_about(plan, name) ||
	    strcmp(before, kr_state_to_string(KR_STATE_UNKNOWN)) == 0 ||
	    is_by_version(j))
		return 0;
	r = kr_apply_describe_disk(j, &now);
	if (r == 0 && strcmp(now, before) != 0)
		*ret = TAKE_PTR(now);
	return r;
}

/* Each control of the fix M must be as it was before. An older record knows of
 * the first one's state only. 1: other changes are in the way, with words. */
static int find_others(struct kr_applying *a, const struct kr_manifest *m)
{
	const struct kr_plan *plan = a->fix->plan;
	const struct kr_judgement *first = &plan->audit->items[0];
	const char *state = kr_state_to_string(first->disk.state);
	int found = 0;

	if (m->values.n_items == 0 && !is_by_version(first) &&
	    strcmp(state, m->disk_before) != 0) {
		kr_diag_add(a->diag, KR_ERROR, "undo-refused", KR_SPAN_NONE,
		            "kubelet would not decide as before the fix (%s), "
		            "but %s: other changes were made since",
		            m->disk_before, state);
		return 1;
	}
	for (size_t i = 0; i < m->values.n_items; i++) {
		_cleanup_free_ char *value = NULL;
		int r = find_other_value(plan, m, i, &value);

		if (r < 0)
			return r;
		if (!value)
			continue;
		kr_diag_add(a->diag, KR_ERROR, "undo-refused", KR_SPAN_NONE,
		            "%s would not be %s as before the fix, but %s: "
		            "other changes were made since",
		            m->controls.items[i], m->values.items[i], value);
		found = 1;
	}
	return found;
}

/* The node after the undo: it must decide as it did before the fix. */
static int prove(struct kr_applying *a, const struct kr_manifest *m)
{
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT};
	_cleanup_diag_ struct kr_diag found = {0};
	struct kr_plan *plan = a->fix->plan;
	int r = kr_node_with_edits(a->fix->host->node, &plan->edits, &found,
	                           &plan->after);

	if (r >= 0)
		r = kr_audit_run(plan->after, a->options->rules, &options,
		                 &found, &plan->audit);
	if (r < 0 && r != -ENOMEM) {
		kr_diag_merge(a->diag, &found);
		return kr_apply_end_unread(a, r);
	}
	if (r < 0)
		return r;
	/* what only the platform reads decides nothing yet */
	if (kr_durable_only(&plan->edits))
		return KR_STEP_GO_ON;
	r = find_others(a, m);
	return r <= 0 ? r
	              : kr_apply_end(a, KR_OUTCOME_REFUSED,
	                             "other changes were made since the fix");
}

/* Which fix must be undone before: LATER, or what that waits for. */
static int find_first(struct kr_applying *a, const struct kr_manifests *list,
                      const char *later)
{
	struct kr_fs *fs = a->fix->host->node->fs;

	/* each is later than the one before */
	for (size_t i = 0; later && i < list->n_items; i++) {
		const struct kr_manifest *m = kr_manifests_find(list, later);
		const char *reason = NULL, *next = NULL;
		int r = m ? kr_undo_edits(fs, list, m, NULL, NULL, &reason,
		                          &next)
		          : KR_UNDO_NOTHING;

		if (r == -ENOMEM)
			return r;
		if (r == KR_UNDO_POSSIBLE)
			strlcpy(a->fix->undo_first, later,
			        sizeof(a->fix->undo_first));
		later = r == KR_UNDO_REFUSED ? next : NULL;
	}
	return 0;
}

static int make_plan(struct kr_applying *a, const struct kr_manifests *list,
                     const struct kr_manifest *m)
{
	struct kr_node *node = a->fix->host->node;
	const char *reason = NULL, *later = NULL;
	int r;

	a->fix->plan = calloc(1, sizeof(*a->fix->plan));
	if (!a->fix->plan)
		return -ENOMEM;
	if (m->state != KR_MANIFEST_KEPT)
		return kr_apply_end(a, KR_OUTCOME_UNCHANGED,
		                    "fix %s has already been %s", m->id,
		                    m->state == KR_MANIFEST_UNDONE && m->by_hand
		                            ? "undone"
		                            : "rolled back");
	r = kr_undo_edits(node->fs, list, m, a->diag, &a->fix->plan->edits,
	                  &reason, &later);
	if (r < 0)
		return r == -ENOMEM ? r : kr_apply_end_unread(a, r);
	if (r == KR_UNDO_NOTHING)
		return kr_apply_end(a, KR_OUTCOME_UNCHANGED, "%s", reason);
	if (r != KR_UNDO_POSSIBLE) {
		r = find_first(a, list, later);
		return r < 0 ? r
		             : kr_apply_end(a, KR_OUTCOME_REFUSED, "%s",
		                            reason);
	}
	a->fix->plan->unit_changes =
		kr_plan_unit_changes(node, &a->fix->plan->edits);
	return prove(a, m);
}

/* M first, then the record of the undo goes: killed between them the next run
 * does the rest (store/prune), as it does where M cannot be written. */
static int mark_undone(struct kr_applying *a, struct kr_manifest *m)
{
	_cleanup_free_ char *path = kr_path_join(KR_STATE_DIR, m->id);
	_cleanup_close_ int fd = -1;
	int r;

	if (!path)
		return -ENOMEM;
	fd = kr_fs_open_folder(a->fix->host->node->fs, path);
	m->state = KR_MANIFEST_UNDONE;
	m->by_hand = true;
	m->undone_usec = kr_realtime_usec();
	m->undone_number = a->number;
	if (a->tx)
		kr_transaction_note_ctimes(a->tx, m);
	r = fd < 0 ? fd : kr_manifest_write(fd, m, NULL);
	if (r < 0)
		kr_diag_add_path(a->diag, KR_WARNING, "manifest", path,
		                 "the fix is undone, but its record cannot say "
		                 "so: %s",
		                 strerror(-r));
	else if (a->tx)
		kr_transaction_forget(a->tx, a->diag);
	return r == -ENOMEM ? r : 0;
}

static int keep_word(char **ret, const char *word)
{
	free(*ret);
	*ret = word ? strdup(word) : NULL;
	return word && !*ret ? -ENOMEM : 0;
}

/* The rules by which an undo judges: those of the fix. */
struct undo_rules {
	const struct kr_rule *items[KR_N_RULES];
	struct kr_rules rules;
};

/* A rule or an edition that this program does not know, as another version may
 * have made the record, is passed over. */
static void take_rules(const struct kr_manifest *m, struct undo_rules *ret)
{
	int edition = m->edition ? kr_edition_find(m->edition) : -1;
	size_t n = 0;

	for (size_t i = 0; i < m->controls.n_items && n < KR_N_RULES; i++) {
		const char *name = m->controls.items[i];
		const struct kr_rule *rule = kr_rule_find(name, strlen(name));

		if (rule)
			ret->items[n++] = rule;
	}
	if (n > 0)
		ret->rules = (struct kr_rules){
			ret->items, n,
			edition < 0 ? NULL : &kr_editions[edition]};
}

/* What the fix was given and OPTIONS do not say. Where the records cannot be
 * read that is said later. */
static int read_record(struct kr_fix *fix, const char *id,
                       struct kr_node_options *options,
                       struct undo_rules *ret_rules)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_diag_ struct kr_diag ignored = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	const struct kr_manifest *m;
	bool several;
	int r = kr_node_open(options, &ignored, &node);

	if (r >= 0)
		r = kr_manifests_read(node->fs, &ignored, &list);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	m = choose(&list, id, &several);
	if (m)
		take_rules(m, ret_rules);
	/* the usual one is looked for, as in a fix */
	if (m && !options->unit && strcmp(m->unit, node->unit_name) != 0)
		r = keep_word(&fix->unit, m->unit);
	if (r < 0)
		return r;
	if (m && !options->config)
		r = keep_word(&fix->config, m->config);
	if (fix->unit)
		options->unit = fix->unit;
	if (fix->config)
		options->config = fix->config;
	return r;
}

static int run(struct kr_applying *a,
               const struct kr_node_options *node_options, const char *id,
               struct undo_rules *rules)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	struct kr_node_options options = *node_options;
	struct kr_manifest *m;
	bool several;
	int r = read_record(a->fix, id, &options, rules);

	if (r < 0)
		return r;
	r = kr_apply_read(a, &options);
	if (r != KR_STEP_GO_ON)
		return r;
	r = kr_manifests_read(a->fix->host->node->fs, a->diag, &list);
	if (r < 0 && r != -ENOMEM)
		return kr_apply_end_by_error(a, KR_OUTCOME_FAILED, "");
	if (r < 0)
		return r;
	m = choose(&list, id, &several);
	if (!m)
		return no_fix(a, &list, id, several);
	if (strcmp(m->id, a->recovered.id) == 0)
		return end_recovered(a);
	a->undone = m;
	strlcpy(a->fix->undone, m->id, sizeof(a->fix->undone));
	r = make_plan(a, &list, m);
	if (r == KR_STEP_GO_ON)
		r = kr_apply_run(a);
	if (r != KR_STEP_ENDED ||
	    (a->fix->outcome != KR_OUTCOME_FIXED && !a->stays))
		return r;
	strlcpy(a->fix->transaction, m->id, sizeof(a->fix->transaction));
	return mark_undone(a, m);
}

int kr_undo_run(const struct kr_node_options *node_options,
                const struct kr_fix_options *options, const char *id,
                struct kr_diag *diag, struct kr_fix **ret)
{
	_cleanup_fix_ struct kr_fix *fix = calloc(1, sizeof(*fix));
	struct undo_rules rules = {.rules = *options->rules};
	struct kr_fix_options own = *options;
	_cleanup_(kr_applying_done) struct kr_applying a = {.options = &own,
	                                                    .fix = fix,
	                                                    .diag = diag,
	                                                    .undo = true,
	                                                    .lock_fd = -1};
	int r;

	if (!fix)
		return -ENOMEM;
	fix->undo = true;
	fix->wait_usec = options->wait_usec;
	fix->actions.teller = options->teller;
	fix->asked = id;
	own.rules = &rules.rules;
	do {
		r = run(&a, node_options, id, &rules);
	} while (r == KR_STEP_AGAIN);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(fix);
	return 0;
}
