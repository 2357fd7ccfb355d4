/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An audit ends with the next command, and nobody is helped by one that is
 * refused. So the plan of that fix is made here, in memory, by the same code,
 * and what fix looks at before it writes is looked at: was this very change put
 * back before, can the files be replaced, would the restart apply more than
 * this change, is there a systemd to be asked for it. What takes time, many
 * files or a running kubelet's answer (its proof, its health) is left to fix.
 *
 * Of a node that kubelet refuses, the edits may put right only a part: then the
 * edited node is read, too, and what is still wrong there is told, at its place
 * in the files as they are now. A node of more words and bytes than any has
 * that is meant is not read again.
 *
 * Of several controls the whole plan is made, with its proof: only that tells
 * which of them a fix changes, and which options it needs.
 */

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fix/pending.h"
#include "policy/plan.h"
#include "report/foresee.h"
#include "store/files.h"
#include "store/in-place.h"
#include "store/manifest.h"
#include "store/swap.h"
#include "store/transaction.h"

#define LARGE_WORDS ((size_t)10000)
#define LARGE_BYTES ((size_t)1024 * 1024)

/* 1: the last record of this very change says that it was put back. */
static int was_put_back(struct kr_node *node, const struct kr_plan *plan,
                        struct kr_diag *why)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_diag_ struct kr_diag ignored = {0};
	const struct kr_manifest *same;
	int r;

	if (plan->edits.n_files == 0)
		return 0;
	r = kr_manifests_read(node->fs, &ignored, &list);
	if (r < 0) /* fix goes on without them, too */
		return r == -ENOMEM ? r : 0;
	same = kr_manifests_find_same(&list, &plan->edits);
	if (!same || same->state != KR_MANIFEST_PUT_BACK)
		return 0;
	kr_diag_add(why, KR_ERROR, "put-back-before", KR_SPAN_NONE,
	            "this change was made before and put back (%s): see why, "
	            "then 'kubelet-remedy fix --retry' tries it again",
	            same->reason ? same->reason : "for no reason that is kept");
	return 1;
}

/* The name of FILE in its folder FD: what it is that cannot be replaced; NULL:
 * nothing. */
static const char *find_block(const struct kr_file_edits *f, int fd)
{
	_cleanup_close_ int target = -1;
	struct statvfs vfs;
	int flags;

	if (fstatvfs(fd, &vfs) == 0 && (vfs.f_flag & ST_RDONLY))
		return "it is on a file system that is mounted read-only";
	if (kr_may_write_in(fd) < 0)
		return "its folder must not be written";
	if (!f->file)
		return NULL;
	if (f->file->st.st_nlink > 1)
		return "it has several names (hard links)";
	target = kr_known_open(fd, strrchr(f->path, '/') + 1);
	if (target >= 0 && ioctl(target, FS_IOC_GETFLAGS, &flags) == 0 &&
	    (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return "it is immutable (chattr +i or +a)";
	return NULL;
}

/* 1: what lies there, or its folder, does not let the file of F be replaced. */
static int is_irreplaceable(struct kr_fs *fs, const struct kr_file_edits *f,
                            struct kr_diag *why)
{
	_cleanup_free_ char *missing = NULL;
	_cleanup_close_ int fd = kr_open_nearest(fs, f->path, &missing);
	const char *block = fd >= 0 ? find_block(f, fd) : NULL;

	if (fd == -ENOMEM)
		return fd;
	if (!block)
		return 0;
	kr_diag_add_path(why, KR_ERROR, "file-not-replaced", f->path,
	                 "the file cannot be replaced: %s", block);
	return 1;
}

/* 1: the file of F cannot get another mode or owner. */
static int is_kept(struct kr_fs *fs, const struct kr_file_edits *f,
                   struct kr_diag *why)
{
	_cleanup_in_place_ struct kr_in_place file = KR_IN_PLACE_NONE;
	int r = kr_in_place_open(fs, f, why, &file);

	return r == -ENOMEM ? r : r != KR_CHANGE_DONE;
}

/* 1: a file cannot be replaced, as far as its folder and its inode tell. */
static int is_blocked(struct kr_node *node, const struct kr_plan *plan,
                      struct kr_diag *why)
{
	if (node->live && geteuid() != 0)
		return 0;
	for (size_t i = 0; i < plan->edits.n_files; i++) {
		const struct kr_file_edits *f = &plan->edits.files[i];
		int r = kr_file_edits_in_place(f)
		                ? is_kept(node->fs, f, why)
		                : is_irreplaceable(node->fs, f, why);

		if (r != 0)
			return r;
	}
	return 0;
}

/* --- what stays wrong ----------------------------------------------------- */

/* Where the byte AT of the edited file was before F's edits; what an edit has
 * written is where that stands. */
static size_t place_before(const struct kr_file_edits *f, size_t at)
{
	size_t shift = 0; /* of what was put in before, less what went */

	for (size_t i = 0; i < f->n_edits; i++) {
		const struct kr_edit *e = &f->edits[i];
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

/* 1: the edits would not put it right, as kubelet refuses something else. */
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
                        const struct kr_plan *plan, struct kr_diag *why,
                        enum kr_foresight *ret)
{
	int refused = was_put_back(host->node, plan, why);

	if (!refused)
		refused = is_blocked(host->node, plan, why);
	if (!refused)
		return foresee_restart(host, audit, ret);
	*ret = KR_FORESIGHT_REFUSED;
	return refused < 0 ? refused : 0;
}

/* 1: RET is there; 0: the fix is told without one; -ENOMEM. */
static int make_plan(struct kr_host *host, const struct kr_audit *audit,
                     const struct kr_plan_options *options, struct kr_diag *why,
                     enum kr_foresight *ret, struct kr_plan **ret_plan)
{
	_cleanup_diag_ struct kr_diag found = {0};
	int r = kr_plan_make(host->node, audit, options, &found, ret_plan);

	*ret = KR_FORESIGHT_GOES;
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT) /* only the durable place, or nothing yet */
		return 0;
	if (r >= 0)
		return 1;
	*ret = KR_FORESIGHT_REFUSED;
	kr_diag_merge(why, &found);
	return 0;
}

int kr_foresee(struct kr_host *host, const struct kr_audit *audit,
               struct kr_diag *why, enum kr_foresight *ret)
{
	const struct kr_plan_options options = {
		.method = KR_METHOD_AUTO,
		.explicit_wanted = audit->explicit_wanted,
		.draft = true,
		.check_files = host->node->live && geteuid() != 0
	                               ? NULL
	                               : kr_transaction_check_files,
	};
	_cleanup_plan_ struct kr_plan *plan = NULL;
	int r = make_plan(host, audit, &options, why, ret, &plan);

	if (r != 1)
		return r;
	r = stays_wrong(host->node, audit, plan, why);
	if (r == 0)
		return foresee_plan(host, audit, plan, why, ret);
	*ret = KR_FORESIGHT_REFUSED;
	return r < 0 ? r : 0;
}

int kr_foresee_all(struct kr_host *host, const struct kr_audit *audit,
                   struct kr_diag *why, enum kr_foresight *ret,
                   struct kr_plan **ret_plan)
{
	_cleanup_free_ struct kr_consent *consents =
		calloc(audit->n_items, sizeof(*consents));
	const struct kr_plan_options options = {
		.method = KR_METHOD_AUTO,
		.consents = consents,
		.explicit_wanted = audit->explicit_wanted,
	};
	int r;

	*ret_plan = NULL;
	*ret = KR_FORESIGHT_GOES;
	if (!consents)
		return -ENOMEM;
	if (is_large(host->node))
		return 0;
	for (size_t i = 0; i < audit->n_items; i++) {
		const struct kr_waiver *w = audit->items[i].waiver;

		consents[i].allowed = true;
		consents[i].waived = w ? w->reason : NULL;
	}
	r = make_plan(host, audit, &options, why, ret, ret_plan);
	return r == 1 ? foresee_plan(host, audit, *ret_plan, why, ret) : r;
}
