/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An audit ends with the next command, and a command that is
 * refused does not help. So the plan of that fix is made here, in memory, by
 * the same code, and what fix looks at before it writes is looked at: was this
 * very change put back before, can the files be replaced, would the restart
 * apply more than this change, is there a systemd to be asked for it. What
 * takes time, many files or a running kubelet's answer (its proof, its health)
 * is left to fix.
 *
 * Of a node that kubelet refuses, the edits may corrected only a part: then the
 * edited node is read, too, and what is still wrong there is said, at its place
 * in the files as they are now. A node of more words and bytes than any has
 * that is meant is not read again.
 *
 * Of several controls it is the same for each of them: which of them have edits
 * tells which a fix changes, and which options it needs. Where a change was put
 * back before the whole plan is made, with its proof, to see whether it is the
 * same one.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "fix/pending.h"
#include "policy/plan.h"
#include "report/foresee.h"
#include "store/manifest.h"
#include "store/transaction.h"

#define LARGE_WORDS ((size_t)10000)
#define LARGE_BYTES ((size_t)1024 * 1024)

/* The record by which fix refuses PLAN; NULL: there is none. */
static const struct kr_manifest *find_put_back(const struct kr_manifests *list,
                                               struct kr_fs *fs,
                                               const struct kr_plan *plan,
                                               const char **names)
{
	const struct kr_manifest *same =
		kr_manifests_find_same(list, fs, &plan->edits);

	if (same)
		return same->state == KR_MANIFEST_PUT_BACK ? same : NULL;
	for (size_t i = 0; i < plan->n_rules; i++)
		names[i] = plan->rules[i]->name;
	return kr_manifests_find_contained(list, fs, &plan->edits, names,
	                                   plan->n_rules);
}

/* 1: this change, or one that it contains, was put back. */
static int was_put_back(const struct kr_manifests *list, struct kr_fs *fs,
                        const struct kr_plan *plan, struct kr_diag *why)
{
	_cleanup_free_ const char **names =
		calloc(plan->n_rules + 1, sizeof(*names));
	const struct kr_manifest *m;

	if (!names)
		return -ENOMEM;
	if (plan->edits.n_files == 0)
		return 0;
	m = find_put_back(list, fs, plan, names);
	if (!m)
		return 0;
	kr_diag_add(why, KR_ERROR, "put-back-before", KR_SPAN_NONE,
	            "this change was rolled back before: %s",
	            m->reason ? m->reason : "the reason was not recorded");
	return 1;
}

/* Some change was put back on this node: it matters which one this is. */
static bool has_put_back(const struct kr_manifests *list)
{
	return KR_ANY(it, list->items, list->n_items,
	              it->state == KR_MANIFEST_PUT_BACK);
}

/* What is known already is left out of every plan. */
static void take_known(const struct kr_obstacles *known,
                       struct kr_consent *consents)
{
	for (size_t i = 0; i < known->n; i++) {
		const struct kr_obstacle *o = &known->items[i];

		consents[i] = (struct kr_consent){
			.named = true,
			.held = o->held ? o->hold : NULL,
			.barred = o->whole ? NULL : o->barred,
		};
	}
}

/* What looks at files before they are changed; NULL: nothing does: a user
 * who may not write there previews what root would do. */
static kr_check_files_t files_check(const struct kr_node *node)
{
	return node->live && geteuid() != 0 ? NULL : kr_transaction_look;
}

/* 1: a file cannot be changed where it lies, as far as a look tells. */
static int is_blocked(struct kr_node *node, const struct kr_plan *plan,
                      struct kr_diag *why)
{
	kr_check_files_t check = files_check(node);

	return check ? check(node->fs, &plan->edits, why) : 0;
}

/* --- what stays wrong ----------------------------------------------------- */

/* Where the byte AT of the edited file was before F's edits; what an edit has
 * written is where that stands. */
static size_t place_before(const struct kr_file_edits *f, size_t at)
{
	size_t shift = 0; /* of what was put in before, less what went */

	KR_EACH(const struct kr_edit, e, f->edits, f->n_edits) {
		size_t begin = e->offset + shift, length = strlen(e->text);

		if (at < begin)
			break;
		if (at < begin + length)
			return e->offset;
		shift += length - e->length;
	}
	return at - shift;
}

/* The place of M, which speaks of the edited node, in the files of NODE. */
static struct kr_span span_before(struct kr_node *node,
                                  const struct kr_edits *edits,
                                  const struct kr_message *m)
{
	const struct kr_file *file;
	struct kr_span span;

	if (!m->file || m->offset == 0 ||
	    kr_fs_read(node->fs, m->file, &file) < 0)
		return KR_SPAN_NONE;
	span = (struct kr_span){file, m->offset - 1, m->length};
	for (size_t i = 0; i < edits->n_files; i++) {
		if (strcmp(edits->files[i].path, file->real) == 0)
			span.offset =
				place_before(&edits->files[i], span.offset);
	}
	return kr_span_end(span) <= file->size ? span : KR_SPAN_NONE;
}

static void say_rest(struct kr_node *node, const struct kr_plan *plan,
                     const struct kr_diag *found, const char *reason,
                     struct kr_diag *why)
{
	const struct kr_message *m = kr_diag_cause(found);
	struct kr_span span =
		m ? span_before(node, &plan->edits, m) : KR_SPAN_NONE;

	if (m && m->file && !span.file)
		kr_diag_add_path(why, KR_ERROR, m->code, m->file, "%s",
		                 m->text);
	else
		kr_diag_add(why, KR_ERROR, m ? m->code : "not-proven", span,
		            "%s", m ? m->text : reason);
}

/* A second reading of the node would take as much memory as the first one. */
static bool is_large(const struct kr_node *node)
{
	const struct kr_inputs *in = &node->disk.inputs;
	const struct kr_unit *unit = node->disk.unit;
	size_t bytes = 0, n = in->argc;

	for (size_t i = 0; i < in->n_files; i++)
		bytes += in->files[i]->size;
	if (unit)
		n += unit->n_variables + unit->n_shadowed;
	return bytes > LARGE_BYTES || n > LARGE_WORDS;
}

/* 1: the edits would not correct it, as kubelet refuses something else. */
static int stays_wrong(struct kr_node *node, const struct kr_audit *audit,
                       const struct kr_plan *plan, struct kr_diag *why)
{
	_cleanup_node_ struct kr_node *after = NULL;
	_cleanup_diag_ struct kr_diag found = {0};
	_cleanup_decision_ struct kr_decision d = {0};
	const struct kr_judgement *j = &audit->items[0];
	int r;

	if (j->disk.state != KR_STATE_INVALID || is_large(node))
		return 0;
	r = kr_node_with_edits(node, &plan->edits, &found, &after);
	if (r < 0) /* fix says why */
		return r == -ENOMEM ? r : 0;
	r = kr_judge_decide(after, j->rule, &d);
	if (r < 0)
		return r;
	if (kr_judge_ask(j->rule, &d) == KR_ANSWER_PASS)
		return 0;
	say_rest(node, plan, &found, d.reason, why);
	return 1;
}

static int foresee_restart(struct kr_host *host, const struct kr_audit *audit,
                           enum kr_foresight *ret)
{
	struct kr_node *node = host->node;
	_cleanup_diag_ struct kr_diag ignored = {0};
	_cleanup_free_ const struct kr_rule **items = NULL;
	struct kr_rules rules = {NULL, audit->n_items, NULL};
	int r;

	if (!node->live || !node->has_process)
		return 0;
	if (!host->manager) {
		*ret = KR_FORESIGHT_NO_RESTART;
		return 0;
	}
	rules.items = items = calloc(audit->n_items, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < audit->n_items; i++)
		items[i] = audit->items[i].rule;
	/* without our flag they are the same before and after the edits */
	r = kr_pending_arguments(node, &node->disk.inputs, &rules, KR_ERROR,
	                         &ignored);
	if (r == KR_PENDING_ARGUMENTS)
		*ret = KR_FORESIGHT_ALWAYS;
	return r < 0 ? r : 0;
}

/* What keeps PLAN from being carried out. */
static int foresee_plan(struct kr_host *host, const struct kr_audit *audit,
                        const struct kr_manifests *records,
                        const struct kr_plan *plan, struct kr_diag *why,
                        enum kr_foresight *ret)
{
	int refused = was_put_back(records, host->node->fs, plan, why);

	if (!refused)
		refused = is_blocked(host->node, plan, why);
	if (!refused)
		return foresee_restart(host, audit, ret);
	*ret = KR_FORESIGHT_REFUSED;
	return refused < 0 ? refused : 0;
}

/* 1: RET is there; 0: the fix is named without one; -ENOMEM. */
static int make_plan(struct kr_host *host, const struct kr_audit *audit,
                     const struct kr_plan_options *options, struct kr_diag *why,
                     enum kr_foresight *ret, struct kr_plan **ret_plan)
{
	_cleanup_diag_ struct kr_diag found = {0};
	int r;

	if (host->node->disk.start == KR_START_FILE) {
		*ret = KR_FORESIGHT_REFUSED;
		kr_diag_add(why, KR_ERROR, "not-a-unit", KR_SPAN_NONE,
		            "fix needs kubelet's unit: give it with "
		            "--unit=NAME, or the "
		            "node's root directory with --root=DIR");
		return 0;
	}
	*ret = KR_FORESIGHT_GOES;
	r = kr_plan_make(host->node, audit, options, &found, ret_plan);
	if (r == -ENOMEM)
		return r;
	if (r == KR_NOTHING_YET) /* only the durable place, or nothing yet */
		return 0;
	if (r >= 0)
		return 1;
	*ret = KR_FORESIGHT_REFUSED;
	kr_diag_merge(why, &found);
	return 0;
}

int kr_foresee(struct kr_host *host, const struct kr_audit *audit,
               const struct kr_obstacles *known, struct kr_diag *why,
               enum kr_foresight *ret)
{
	struct kr_consent consent;
	const struct kr_plan_options options = {
		.method = KR_METHOD_AUTO,
		.consents = &consent,
		.explicit_wanted = audit->explicit_wanted,
		.draft = true,
		.check_files = files_check(host->node),
	};
	const struct kr_manifests *records;
	_cleanup_plan_ struct kr_plan *plan = NULL;
	int r = kr_host_records(host, &records);

	if (r < 0)
		return r;
	take_known(known, &consent);
	r = make_plan(host, audit, &options, why, ret, &plan);
	if (r != 1)
		return r;
	r = stays_wrong(host->node, audit, plan, why);
	if (r == 0)
		return foresee_plan(host, audit, records, plan, why, ret);
	*ret = KR_FORESIGHT_REFUSED;
	return r < 0 ? r : 0;
}

int kr_foresee_all(struct kr_host *host, const struct kr_audit *audit,
                   const struct kr_obstacles *known, struct kr_diag *why,
                   struct kr_foreseen *ret)
{
	_cleanup_free_ struct kr_consent *consents =
		calloc(audit->n_items, sizeof(*consents));
	struct kr_plan_options options = {
		.method = KR_METHOD_AUTO,
		.consents = consents,
		.explicit_wanted = audit->explicit_wanted,
		.check_files = files_check(host->node),
	};
	const struct kr_manifests *records;
	int r;

	*ret = (struct kr_foreseen){.foresight = KR_FORESIGHT_GOES};
	if (!consents)
		return -ENOMEM;
	if (is_large(host->node))
		return 0;
	r = kr_host_records(host, &records);
	if (r < 0)
		return r;
	take_known(known, consents);
	options.draft = !has_put_back(records);
	r = make_plan(host, audit, &options, why, &ret->foresight, &ret->plan);
	return r == 1 ? foresee_plan(host, audit, records, ret->plan, why,
	                             &ret->foresight)
	              : r;
}
