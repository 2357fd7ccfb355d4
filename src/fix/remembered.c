/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is remembered of earlier fixes.
 *
 * A change that was put back before is not tried again unless that is asked for
 * (--retry): kubelet did not like it, and a bootstrap script would restart it
 * for nothing at every boot. Where the record says for which control it was put
 * back, that one is left out of later plans, whatever the files are by then,
 * and the others are done. Where it does not, every plan that contains the
 * whole set of edits is refused on the same bytes; a smaller one may go well,
 * and so may one with another value.
 *
 * A change that was undone is made again by a fix that looks whether
 * kubelet is healthy with it, but not by one that does not: a unit before each
 * start of kubelet would turn every undo round. The last record of that change
 * counts.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "fix/remembered.h"
#include "store/manifest.h"

int kr_remembered_describe(const struct kr_manifest *m, char **ret)
{
	char when[KR_RFC3339_SIZE];

	kr_local_time(m->realtime_usec, when);
	return kr_format(ret,
	                 "a fix with it, made at %s, was rolled back (%s): "
	                 "--retry tries it again",
	                 when,
	                 m->reason ? m->reason : "the reason was not recorded");
}

int kr_remembered_bar(struct kr_applying *f, struct kr_holds *holds)
{
	const struct kr_audit *before = f->fix->before;
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_diag_ struct kr_diag ignored = {0};
	struct kr_fs *fs = kr_apply_node(f)->fs;
	int r;

	if (f->options->retry || !holds->consents ||
	    before->verdict == KR_VERDICT_PASS)
		return 0;
	/* that they cannot be read is said where there is a plan */
	r = kr_manifests_read(fs, &ignored, &list);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < holds->n; i++) {
		const struct kr_manifest *m = kr_manifests_find_blamed(
			&list, fs, before->items[i].rule->name);

		if (!m)
			continue;
		r = kr_remembered_describe(m, &holds->bars[i]);
		if (r < 0)
			return r;
		holds->consents[i].barred = holds->bars[i];
	}
	return 0;
}

static bool is_unwanted(const struct kr_applying *f,
                        const struct kr_manifest *m)
{
	return m->state == KR_MANIFEST_PUT_BACK ||
	       (m->state == KR_MANIFEST_UNDONE && m->by_hand &&
	        f->options->restart == KR_RESTART_NEVER);
}

/* A preview goes on without them: they are root's. */
static int read_history(struct kr_applying *f, struct kr_manifests *ret)
{
	_cleanup_diag_ struct kr_diag found = {0};
	int r = kr_manifests_read(kr_apply_node(f)->fs, &found, ret);

	if (r >= 0)
		kr_diag_merge(f->diag, &found);
	else if (r != -ENOMEM)
		kr_diag_add_path(f->diag, KR_WARNING, "history-unread",
		                 KR_STATE_DIR,
		                 "whether this change was rolled back before "
		                 "is unknown: %s",
		                 kr_fs_strerror(-r));
	return r;
}

static int refuse(struct kr_applying *f, const struct kr_manifest *m,
                  const char *which)
{
	const char *what = m->by_hand ? "undone" : "rolled back";
	char when[KR_RFC3339_SIZE];

	kr_local_time(m->realtime_usec, when);
	return kr_apply_refuse(f, "put-back-before",
	                       "%s, made at %s, was %s: %s", which, when, what,
	                       m->reason    ? m->reason
	                       : m->by_hand ? "that was asked for"
	                                    : "the reason was not recorded");
}

int kr_remembered_check(struct kr_applying *f)
{
	const struct kr_plan *plan = f->fix->plan;
	struct kr_fs *fs = kr_apply_node(f)->fs;
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_free_ const char **names =
		calloc(plan->n_rules + 1, sizeof(*names));
	const struct kr_manifest *m;
	int r;

	if (!names)
		return -ENOMEM;
	if (f->options->retry || plan->edits.n_files == 0)
		return KR_STEP_GO_ON;
	r = read_history(f, &list);
	if (r < 0)
		return r == -ENOMEM ? r : KR_STEP_GO_ON;
	for (size_t i = 0; i < plan->n_rules; i++)
		names[i] = plan->rules[i]->name;
	m = kr_manifests_find_same(&list, fs, &plan->edits);
	if (m)
		return is_unwanted(f, m) ? refuse(f, m, "this very change")
		                         : KR_STEP_GO_ON;
	m = kr_manifests_find_contained(&list, fs, &plan->edits, names,
	                                plan->n_rules);
	return m ? refuse(f, m, "a change that this one contains")
	         : KR_STEP_GO_ON;
}
