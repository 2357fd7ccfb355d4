/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A step of a plan for a rule of mode or owner: the files that fail get the
 * least strict mode that is accepted, or root:root, in place. A file that is
 * not ours to change, or that has another name, stays; why, and what to do
 * instead, is said of each. The others are changed all the same.
 */

#include <errno.h>
#include <string.h>

#include "policy/demands.h"
#include "policy/step.h"

#define UNITS "/systemd/system/"

#define refuse(diag, s, ...)                                                   \
	kr_diag_refuse_path(diag, "file-not-ours", (s)->path,                  \
	                    "not changed: " __VA_ARGS__)

/* The way out, too. Of a vendor's unit or drop-in systemd takes the one of the
 * same name below /etc instead (systemd.unit(5)); a package sets the mode of
 * its own file again. */
static int refuse_not_ours(const struct kr_rule *rule,
                           const struct kr_source *s, mode_t mode,
                           struct kr_diag *diag)
{
	const char *name = strstr(s->real, UNITS);

	if (rule->files == KR_FILES_UNIT && name &&
	    kr_source_refusal_at(s->real) && !kr_source_is_of_store(s->real))
		return refuse(diag, s,
		              "%s; to override it, copy it to /etc" UNITS
		              "%s (root:root, %04o), which then gets no "
		              "updates of the vendor's",
		              s->reason, name + strlen(UNITS), (unsigned)mode);
	if (strcmp(s->real, s->path) != 0)
		return refuse(diag, s, "%s: it is %s", s->reason, s->real);
	return refuse(diag, s, "%s", s->reason);
}

/* What S is to have, with the fewest bits changed. */
static struct kr_perms demanded(const struct kr_edition *edition,
                                const struct kr_rule *rule,
                                const struct kr_source *s)
{
	struct kr_perms perms = s->perms;

	if (rule->subject == KR_SUBJECT_MODE)
		perms.mode &= kr_demand_mode(rule, edition);
	else
		perms.uid = perms.gid = 0;
	return perms;
}

static int edit_perms(struct kr_node *disk, const struct kr_edition *edition,
                      const struct kr_rule *rule, const struct kr_source *s,
                      struct kr_diag *diag, struct kr_edits *ret)
{
	const struct kr_perms perms = demanded(edition, rule, s);
	const struct kr_file *file;
	int r;

	if (kr_perms_equal(&perms, &s->perms))
		return 0;
	if (!s->editable)
		return refuse_not_ours(rule, s, perms.mode, diag);
	r = kr_fs_read(disk->fs, s->real, &file);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || file->st.st_nlink != 1)
		return refuse(diag, s, "it %s",
		              r < 0 ? "cannot be read"
		                    : "has other names, too (hard links)");
	/* the rest may be an earlier step's, and not the file's own */
	if (rule->subject == KR_SUBJECT_MODE)
		return kr_edits_chmod(ret, file, perms.mode);
	return kr_edits_chown(ret, file, perms.uid, perms.gid);
}

int kr_step_make_perms(struct kr_node *disk, const struct kr_edition *edition,
                       const struct kr_judgement *j,
                       const struct kr_plan_options *options,
                       struct kr_diag *diag, struct kr_plan *step)
{
	bool stays = false;

	for (size_t i = 0; i < j->sources.n; i++) {
		_cleanup_edits_ struct kr_edits one = {0};
		int r;

		if (j->sources.items[i].kind != KR_SOURCE_FILE)
			continue;
		r = edit_perms(disk, edition, j->rule, &j->sources.items[i],
		               diag, &one);
		if (r == 0 && options->check_files)
			r = options->check_files(disk->fs, &one, diag);
		if (r < 0 && r != KR_REFUSED)
			return r;
		stays = stays || r != 0;
		r = r == 0 ? kr_edits_then(&step->edits, &one) : 0;
		if (r < 0)
			return r;
	}
	if (!stays)
		return 0;
	return step->edits.n_files > 0 ? 1 : KR_REFUSED;
}

int kr_step_refuse_perms(struct kr_node *node, const struct kr_edition *edition,
                         const struct kr_judgement *j, bool brief,
                         struct kr_diag *diag)
{
	const struct kr_platform *p = node->platform;
	const struct kr_foreign *f = node->disk.foreign;
	char mode[KR_MODE_SIZE], owner[KR_OWNER_SIZE];
	int r = KR_REFUSED;

	for (size_t i = 0; i < j->sources.n && r == KR_REFUSED; i++) {
		const struct kr_source *s = &j->sources.items[i];
		const struct kr_perms perms = demanded(edition, j->rule, s);

		if (s->kind != KR_SOURCE_FILE ||
		    kr_perms_equal(&perms, &s->perms))
			continue;
		kr_mode_format(perms.mode, mode);
		kr_owner_describe(&perms, owner);
		if (p && p->refusal && brief)
			kr_diag_add_path(diag, KR_ERROR, "platform", s->path,
			                 "mode and owner are not changed");
		else if (p && p->refusal)
			kr_diag_add_path(diag, KR_ERROR, "platform", s->path,
			                 "not changed: %s writes it again %s",
			                 p->owner, p->when);
		else if (!s->editable)
			r = refuse_not_ours(j->rule, s, perms.mode, diag);
		else
			kr_diag_add_path(
				diag, KR_ERROR, "not-a-unit", s->path,
				"%s starts kubelet, so fix changes "
				"nothing here: set the mode %s and the "
				"owner %s yourself",
				f ? f->name : "another program", mode, owner);
	}
	if (r == KR_REFUSED && !kr_diag_first(diag, KR_ERROR))
		kr_diag_add(diag, KR_ERROR, "platform", KR_SPAN_NONE,
		            "%s%s%s %s, so fix does not change their modes "
		            "and owners",
		            brief ? "" : j->rule->name, brief ? "" : ": ",
		            p && p->refusal ? p->owner
		            : f             ? f->name
		                            : "another program",
		            p && p->refusal ? "writes kubelet's files"
		                            : "starts kubelet and may own its "
		                              "files");
	return r;
}

int kr_step_prove_perms(struct kr_node *node, const struct kr_edition *edition,
                        const struct kr_judgement *j, bool whole,
                        struct kr_diag *diag, struct kr_plan *step)
{
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT};
	const struct kr_rules rules = {&j->rule, 1, edition};
	_cleanup_diag_ struct kr_diag found = {0};
	int r = kr_node_with_edits(node, &step->edits, &found, &step->after);

	if (r < 0)
		return r;
	r = kr_audit_run(step->after, &rules, &options, &found, &step->audit);
	if (r < 0)
		return r;
	if (!whole || step->audit->items[0].disk.answer == KR_ANSWER_PASS)
		return 0;
	return kr_diag_refuse(diag, "not-proven", KR_SPAN_NONE,
	                      "the change would not make it as demanded: %s",
	                      step->audit->items[0].reason);
}
