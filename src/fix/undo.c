/* SPDX-License-Identifier: Apache-2.0 */

/*
 * undo: the edits that take a fix back (fix/undo-edits) are a plan like any
 * other. It is proven that the disk then decides as it did before the fix, and
 * applied by the same steps (fix/apply).
 *
 * Which kubelet that is the record tells: a fix that was told a unit or a
 * config file is undone without being told them again.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

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

/* The one of ID, or the last that stands; NULL: none. */
static struct kr_manifest *choose(const struct kr_manifests *list,
                                  const char *id)
{
	if (id)
		return kr_manifests_find(list, id);
	for (size_t i = list->n_items; i-- > 0;) {
		if (list->items[i].state == KR_MANIFEST_KEPT)
			return &list->items[i];
	}
	return NULL;
}

static int no_fix(struct kr_applying *a, const char *id)
{
	if (!id)
		return kr_apply_end(a, KR_OUTCOME_UNCHANGED,
		                    "there is no fix to undo");
	kr_diag_add(a->diag, KR_ERROR, "no-transaction", KR_SPAN_NONE,
	            "there is no fix %s: 'history' lists them", id);
	return kr_apply_end(a, KR_OUTCOME_UNCHANGED, "there is no fix %s", id);
}

/* The node after the undo: it must decide as it did before the fix. */
static int prove(struct kr_applying *a, const struct kr_manifest *m)
{
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT};
	_cleanup_diag_ struct kr_diag found = {0};
	struct kr_plan *plan = a->fix->plan;
	const char *state;
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
	state = kr_state_to_string(plan->audit->items[0].disk.state);
	if (strcmp(state, m->disk_before) == 0 || kr_durable_only(&plan->edits))
		return KR_STEP_GO_ON;
	kr_diag_add(a->diag, KR_ERROR, "not-proven", KR_SPAN_NONE,
	            "kubelet would not decide as before the fix (%s), but %s: "
	            "other changes were made since",
	            m->disk_before, state);
	return kr_apply_end(a, KR_OUTCOME_REFUSED,
	                    "other changes were made since the fix");
}

static int make_plan(struct kr_applying *a, const struct kr_manifests *list,
                     const struct kr_manifest *m)
{
	struct kr_node *node = a->fix->host->node;
	const char *reason = NULL;
	int r;

	a->fix->plan = calloc(1, sizeof(*a->fix->plan));
	if (!a->fix->plan)
		return -ENOMEM;
	if (m->state != KR_MANIFEST_KEPT)
		return kr_apply_end(a, KR_OUTCOME_UNCHANGED,
		                    "the fix %s does not stand any more: %s",
		                    m->id,
		                    kr_manifest_state_to_string(m->state));
	r = kr_undo_edits(node->fs, list, m, a->diag, &a->fix->plan->edits,
	                  &reason);
	if (r < 0)
		return r == -ENOMEM ? r : kr_apply_end_unread(a, r);
	if (r == KR_UNDO_NOTHING)
		return kr_apply_end(a, KR_OUTCOME_UNCHANGED, "%s", reason);
	if (r != KR_UNDO_POSSIBLE)
		return kr_apply_end(a, KR_OUTCOME_REFUSED, "%s", reason);
	a->fix->plan->unit_changes =
		kr_plan_unit_changes(node, &a->fix->plan->edits);
	return prove(a, m);
}

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
	if (a->tx)
		kr_transaction_note_ctimes(a->tx, m);
	r = fd < 0 ? fd : kr_manifest_write(fd, m, NULL);
	if (r < 0)
		kr_diag_add_path(a->diag, KR_WARNING, "manifest", path,
		                 "the fix is undone, but its record cannot say "
		                 "so: %s",
		                 strerror(-r));
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

/* One that this program does not know, as another version may have made the
 * record, is passed over. */
static void take_rules(const struct kr_manifest *m, struct undo_rules *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < m->controls.n_items && n < KR_N_RULES; i++) {
		const char *name = m->controls.items[i];
		const struct kr_rule *rule = kr_rule_find(name, strlen(name));

		if (rule)
			ret->items[n++] = rule;
	}
	if (n > 0)
		ret->rules = (struct kr_rules){ret->items, n, NULL};
}

/* What the fix was told and OPTIONS do not say. Where the records cannot be
 * read that is said later. */
static int read_record(struct kr_fix *fix, const char *id,
                       struct kr_node_options *options,
                       struct undo_rules *ret_rules)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_diag_ struct kr_diag ignored = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	const struct kr_manifest *m;
	int r = kr_node_open(options, &ignored, &node);

	if (r >= 0)
		r = kr_manifests_read(node->fs, &ignored, &list);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	m = choose(&list, id);
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
	m = choose(&list, id);
	if (!m)
		return no_fix(a, id);
	a->undone = m;
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
