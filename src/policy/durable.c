/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What makes a change last. On EKS AL2023 a file of ours does: a NodeConfig
 * that nodeadm merges into its own at every boot. It is an edit of the plan
 * like the others, so that it is shown, written, put back and undone with them;
 * but kubelet and systemd do not read it. Everywhere else the words are found
 * that somebody has to put somewhere by hand.
 *
 * A file of that name that is there already is changed only where it is as one
 * of ours is made; one that somebody has edited stays, with a warning if it
 * does not say what it should.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/nodeadm.h"
#include "policy/durable.h"

struct making {
	struct kr_node *node;
	const struct kr_rule *rule;
	struct kr_edits *edits;
	const struct kr_durable_options *options;
	struct kr_diag *diag;
	struct kr_durable *durable;
	bool flag; /* the flag has to be set, too */
	bool kept; /* ours is another one and stays: said already */
};

static const char header[] = "# Made by kubelet-remedy: nodeadm merges it into "
			     "the NodeConfig of the "
			     "user\n# data at every boot.\n";

bool kr_durable_is_place(const char *path)
{
	return strncmp(path, KR_NODEADM_FOLDER "/",
	               strlen(KR_NODEADM_FOLDER) + 1) == 0;
}

bool kr_durable_only(const struct kr_edits *edits)
{
	for (size_t i = 0; i < edits->n_files; i++) {
		if (!kr_durable_is_place(edits->files[i].path))
			return false;
	}
	return edits->n_files > 0;
}

/* --- what is written anew ------------------------------------------------ */

/* The first edited file that PLATFORM's owner writes; NULL: none. */
static const char *find_rewritten(const struct kr_platform *platform,
                                  const struct kr_edits *edits)
{
	for (size_t i = 0; i < edits->n_files; i++) {
		if (kr_platform_writes(platform, edits->files[i].path))
			return edits->files[i].path;
	}
	return NULL;
}

/* The flag is set in a file that will be written anew, with the flag. */
static bool flag_comes_back(const struct kr_node *node, int field)
{
	const struct kr_flag_use *use;
	size_t at = 0;

	while ((use = kr_flags_next(&node->disk.inputs.flags, field, &at))) {
		struct kr_span span = kr_node_span(node, use->arg);

		if (span.file &&
		    kr_platform_writes(node->platform, span.file->real))
			return true;
	}
	return false;
}

/* --- place and text ------------------------------------------------------ */

static int describe(const struct kr_node *node, const struct kr_rule *rule,
                    const char *place, bool flag, struct kr_durable *ret)
{
	const struct kr_platform *p = node->platform;
	const char *more = flag && p->flag_text ? p->flag_text : "";
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, "%s%s", p->text ? p->text : "", more) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	ret->place = kr_rule_text(rule, place);
	ret->text = kr_rule_text(rule, text);
	if (!ret->place || !ret->text) {
		kr_durable_done(ret);
		return -ENOMEM;
	}
	ret->platform = p;
	return 0;
}

int kr_durable_describe(const struct kr_node *node, const struct kr_rule *rule,
                        struct kr_durable *ret)
{
	const struct kr_platform *p = node->platform;

	*ret = (struct kr_durable){0};
	return p && p->place ? describe(node, rule, p->place, false, ret) : 0;
}

/* --- nodeadm's ----------------------------------------------------------- */

/* What our file holds; the caller frees it. NULL: no memory. */
static char *make_content(struct making *m, bool flag)
{
	_cleanup_durable_ struct kr_durable one = {0};
	char *content;

	if (describe(m->node, m->rule, "", flag, &one) < 0 ||
	    asprintf(&content, "%s%s", header, one.text) < 0)
		return NULL;
	return content;
}

/* 1: it is as one of ours is made. */
static int is_as_made(struct making *m, const struct kr_file *file)
{
	for (int flag = 0; flag < 2; flag++) {
		_cleanup_free_ char *content = make_content(m, flag);

		if (!content)
			return -ENOMEM;
		if (strlen(content) == file->size &&
		    memcmp(content, file->data, file->size) == 0)
			return 1;
	}
	return 0;
}

static int warn_kept(struct making *m, const struct kr_file *file)
{
	_cleanup_free_ char *text = kr_rule_text(
		m->rule, m->flag ? "@KEY@: @VALUE@ in spec.kubelet.config and "
				   "--@FLAG@=@VALUE@ in spec.kubelet.flags"
				 : "@KEY@: @VALUE@ in spec.kubelet.config");

	if (!text)
		return -ENOMEM;
	m->kept = true;
	kr_diag_add_path(m->diag, KR_WARNING, "durable-kept", file->path,
	                 "was edited and stays as it is, but undoes this "
	                 "change at the next boot: it would have to set %s",
	                 text);
	return 0;
}

/* What is there already makes the change last. */
static bool suffices(const struct making *m, const struct kr_nodeadm_says *says)
{
	if (says->any_flag || m->flag)
		return says->key && says->flag;
	return says->key;
}

static int write_nodeadm(struct making *m, const struct kr_nodeadm *nodeadm)
{
	const struct kr_file *ours = nodeadm->ours;
	_cleanup_free_ char *content = NULL;
	int r;

	m->durable->written = ours && suffices(m, &nodeadm->ours_says);
	if (m->durable->written)
		return 0;
	r = ours ? is_as_made(m, ours) : 1;
	if (r <= 0)
		return r < 0 ? r : warn_kept(m, ours);
	content = make_content(m, m->flag);
	if (!content)
		return -ENOMEM;
	if (ours)
		r = kr_edits_add(m->edits,
		                 (struct kr_span){ours, 0, ours->size},
		                 content);
	else
		r = kr_edits_create(m->edits, KR_NODEADM_FILE, content);
	m->durable->written = r == 0;
	return r;
}

/* Where nothing is to be written there, what cannot be read does not matter. */
static int read_nodeadm(const struct making *m, struct kr_nodeadm *ret)
{
	_cleanup_diag_ struct kr_diag ignored = {0};
	int r;

	if (!m->options->no_persist)
		return kr_nodeadm_read(m->node->fs, m->rule->fields[0],
		                       &m->rule->want, m->diag, ret);
	r = kr_nodeadm_read(m->node->fs, m->rule->fields[0], &m->rule->want,
	                    &ignored, ret);
	return r == -ENOMEM ? r : 0;
}

/* 1: nodeadm reads the folder, DURABLE is filled; 0: it does not. */
static int plan_nodeadm(struct making *m)
{
	struct kr_nodeadm nodeadm = {0};
	int r = read_nodeadm(m, &nodeadm);

	if (r < 0 || !nodeadm.reads_folder)
		return r;
	m->flag = m->flag || nodeadm.earlier.any_flag;
	r = describe(m->node, m->rule, KR_NODEADM_FILE, m->flag, m->durable);
	m->durable->left_out = m->options->no_persist;
	if (r < 0)
		return r;
	if (m->options->no_persist)
		return 1;
	r = write_nodeadm(m, &nodeadm);
	return r < 0 ? r : 1;
}

/* --- the whole ----------------------------------------------------------- */

static void warn_rewritten(struct making *m, const char *path)
{
	const struct kr_platform *p = m->node->platform;

	if (m->durable->written || m->kept || !path)
		return;
	kr_diag_add_path(m->diag, p->seldom ? KR_NOTE : KR_WARNING,
	                 "platform-rewrites", path,
	                 "%s writes it anew %s: what is to last goes into %s",
	                 p->owner, p->when, m->durable->place);
}

int kr_durable_plan(struct kr_node *node, const struct kr_rule *rule,
                    struct kr_edits *edits,
                    const struct kr_durable_options *options,
                    struct kr_diag *diag, struct kr_durable *ret)
{
	const struct kr_platform *p = node->platform;
	_cleanup_durable_ struct kr_durable durable = {0};
	struct making m = {
		.node = node,
		.rule = rule,
		.edits = edits,
		.options = options,
		.diag = diag,
		.durable = &durable,
	};
	const char *path;
	int r = 0;

	*ret = durable;
	if (node->platform_error < 0) {
		kr_diag_add_path(
			diag, KR_ERROR, "platform-unread", node->root,
			"which platform this is cannot be told, and so "
			"not what writes its files anew: %s",
			strerror(-node->platform_error));
		return node->platform_error;
	}
	if (!p || !p->owner)
		return 0;
	path = find_rewritten(p, edits);
	if (!path && !kr_node_waits(node))
		return 0;
	m.flag = options->flag || flag_comes_back(node, rule->fields[0]);
	if (p->nodeadm)
		r = plan_nodeadm(&m);
	if (r == 0)
		r = describe(node, rule, p->place, m.flag, &durable);
	if (r < 0)
		return r;
	warn_rewritten(&m, path);
	*ret = durable;
	durable = (struct kr_durable){0};
	return 0;
}

void kr_durable_done(struct kr_durable *durable)
{
	free(durable->place);
	free(durable->text);
	*durable = (struct kr_durable){0};
}
