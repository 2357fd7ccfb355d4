/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Controls of files.
 *
 * The benchmarks' texts name paths (/etc/kubernetes/kubelet.conf); what counts
 * is what kubelet is given: the unit and each drop-in that systemd reads, the
 * file of --kubeconfig, the client CA that kubelet would have, the file of
 * --config and all of --config-dir. They are looked at below the node's root,
 * links followed: the mode of a link means nothing. Nothing is read again, and
 * no view of a setting depends on it.
 *
 * With an ACL the group's bits are its mask (acl(5)): no more than these is
 * granted, so that they are taken as they stand.
 *
 * Where kubelet is given no such file there is nothing that could be open: a
 * pass. One that it is given and that is not there yet passes in an image, and
 * before the node is configured, with the note of node/refusals. Later nothing
 * is known of it, or kubelet would not start without it: invalid.
 *
 * What is no regular file (a FIFO, a socket, a folder) has no mode that says
 * which programs read kubelet's file: unknown.
 *
 * A file below /etc/ssl, /etc/pki and /etc/ca-certificates is one of the
 * system's, which other programs read.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/path.h"
#include "base/vec.h"
#include "node/pem.h"
#include "policy/demands.h"
#include "policy/files.h"
#include "policy/views.h"

/* --- which they are ------------------------------------------------------ */

struct looking {
	struct kr_node *node;
	const struct kr_rule *rule;
	const struct kr_edition *edition;
	struct kr_sources *sources;
	struct kr_view *view;
	struct kr_strings paths;
	int worst; /* its badness */
};

/* The unit, and the drop-ins of which systemd takes a line. */
static int list_unit(struct looking *l)
{
	const struct kr_node_disk *disk = &l->node->disk;
	const struct kr_unit *unit = disk->unit;
	int r;

	if (!unit)
		return 0;
	r = unit->fragment ? kr_strings_add(&l->paths, unit->fragment->path)
	                   : 0;
	for (size_t i = 0; i < unit->n_dropins && r >= 0; i++) {
		if (!disk->configs || !disk->configs[i])
			r = kr_strings_add(&l->paths, unit->dropins[i]->path);
	}
	return r;
}

/* What kubelet would read, whether it is there or not. */
static int list_config(struct looking *l)
{
	const struct kr_inputs *in = kr_node_inputs(l->node);
	int r = 0;

	if (!in)
		return kr_view_set(l->view, KR_STATE_UNKNOWN, "%s",
		                   l->node->disk.reason);
	if (in->files_doubt)
		return kr_view_set(l->view, KR_STATE_UNKNOWN, "%s",
		                   in->files_doubt);
	if (in->config_path && !in->config_read)
		r = kr_strings_add(&l->paths, in->config_path);
	for (size_t i = 0; i < in->n_files && r >= 0; i++)
		r = kr_strings_add(&l->paths, in->files[i]->path);
	return r;
}

char *kr_files_path(const struct kr_node *node, const char *path)
{
	const struct kr_unit *unit = node->disk.unit;
	const char *folder = unit ? unit->working_directory : NULL;

	if (*path == '/')
		return strdup(path);
	return kr_path_join(folder && *folder == '/' ? folder : "/", path);
}

/* kubelet would not start for something else; the file is there to be read. */
static int decide_refused(const struct looking *l, int field,
                          struct kr_decision *d)
{
	const struct kr_inputs *in = kr_node_inputs(l->node);
	struct kr_decision its = {0};
	int r = in && l->node->disk.state == KR_STATE_ABSENT
	                ? kr_decide_refused(in, field, &its)
	                : 0;

	if (r <= 0)
		return r;
	kr_decision_done(d);
	*d = its;
	return 0;
}

/* The file that FIELD names. */
static int list_named(struct looking *l, int field)
{
	_cleanup_decision_ struct kr_decision d = {0};
	int r = kr_node_decide(l->node, field, &d);

	if (r >= 0 && d.state == KR_STATE_INVALID)
		r = decide_refused(l, field, &d);
	if (r < 0)
		return r;
	if (d.state == KR_STATE_UNKNOWN || d.state == KR_STATE_INVALID)
		return kr_view_set(l->view, d.state, "%s", d.reason);
	if (d.state != KR_STATE_VALUE || !*d.value.s)
		return 0;
	return kr_strings_consume(&l->paths, kr_files_path(l->node, d.value.s));
}

static int list(struct looking *l)
{
	switch (l->rule->files) {
	case KR_FILES_UNIT:
		return list_unit(l);
	case KR_FILES_CONFIG:
		return list_config(l);
	case KR_FILES_KUBECONFIG:
		return list_named(l, KR_FIELD_KUBECONFIG);
	case KR_FILES_CLIENT_CA:
		return list_named(l, KR_FIELD_CLIENT_CA);
	default:
		return 0;
	}
}

/* --- what they are like -------------------------------------------------- */

/* The more bits too many, then the more at all. */
static int badness_of_mode(const struct looking *l, mode_t mode)
{
	mode_t excess = mode & ~kr_demand_mode(l->rule, l->edition);

	return 16 * __builtin_popcount(excess) + __builtin_popcount(mode);
}

static int badness(const struct looking *l, const struct kr_perms *perms)
{
	if (l->rule->subject == KR_SUBJECT_MODE)
		return badness_of_mode(l, perms->mode);
	return (perms->uid != 0) + (perms->gid != 0);
}

static bool is_below(const char *real, const char *folder)
{
	return strncmp(real, folder, strlen(folder)) == 0;
}

/* The length of PATH's folder, with its slash. */
static size_t folder_length(const char *path)
{
	return (size_t)(strrchr(path, '/') - path) + 1;
}

/* Why mode and owner of the file are not to be changed; NULL. A link within
 * one folder is how a file is swapped; another leads to others'. */
static const char *refusal(const struct kr_stat *link,
                           const struct kr_stat *file)
{
	static const char *const systems[] = {"/etc/ssl/", "/etc/pki/",
	                                      "/etc/ca-certificates/"};
	size_t length = folder_length(link->real);

	for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
		if (is_below(file->real, systems[i]))
			return "a file of the system's own store of "
			       "certificates, which others read";
	}
	if (folder_length(file->real) != length ||
	    strncmp(link->real, file->real, length) != 0)
		return "a link leads to it from another folder";
	return kr_source_refusal_at(file->real);
}

static int fill(struct looking *l, const char *path, const struct kr_stat *link,
                struct kr_stat *file, struct kr_source *s)
{
	char value[KR_OWNER_SIZE];
	const char *why = refusal(link, file);

	s->kind = KR_SOURCE_FILE;
	s->field = -1;
	s->state = KR_STATE_VALUE;
	s->editable = !why;
	s->perms = kr_perms_of(&file->st);
	if (l->rule->subject == KR_SUBJECT_MODE)
		kr_mode_format(s->perms.mode, value);
	else
		kr_owner_describe(&s->perms, value);
	s->value =
		(struct kr_value){.type = KR_TYPE_STRING, .s = strdup(value)};
	s->path = strdup(path);
	s->real = TAKE_PTR(file->real);
	s->reason = why ? strdup(why) : NULL;
	return s->value.s && s->path && (!why || s->reason) ? 0 : -ENOMEM;
}

/* A link that leads to nothing is not there, either. */
static int look_at(struct looking *l, const char *path)
{
	_cleanup_stat_ struct kr_stat link = {0}, file = {0};
	struct kr_source *s;
	int r = kr_fs_stat(l->node->fs, path, false, &link);

	if (r >= 0)
		r = kr_fs_stat(l->node->fs, path, true, &file);
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return kr_view_set(l->view, KR_STATE_UNKNOWN, "%s: %s", path,
		                   kr_fs_strerror(-r));
	if (!S_ISREG(file.st.st_mode))
		return kr_view_set(l->view, KR_STATE_UNKNOWN,
		                   "%s is not a regular file", path);
	s = KR_VEC_NEXT(l->sources->items, l->sources->n);
	if (!s)
		return -ENOMEM;
	l->sources->n++;
	r = fill(l, path, &link, &file, s);
	if (r < 0 ||
	    (l->sources->deciding >= 0 && badness(l, &s->perms) <= l->worst))
		return r;
	l->worst = badness(l, &s->perms);
	l->sources->deciding = (int)l->sources->n - 1;
	return 0;
}

static int say_absent(struct looking *l)
{
	const struct kr_node *node = l->node;
	_cleanup_decision_ struct kr_decision d = {0};
	int r = 0;

	if (l->paths.n_items == 0)
		return kr_view_set(l->view, KR_STATE_ABSENT,
		                   "kubelet has no such file");
	/* whatever the field */
	if (kr_node_is_invalid(node))
		r = kr_node_decide(node, KR_FIELD_KUBECONFIG, &d);
	if (r < 0)
		return r;
	if (d.state == KR_STATE_INVALID)
		return kr_view_set(l->view, d.state, "%s", d.reason);
	if (node->live && node->configured)
		return kr_view_set(l->view, KR_STATE_UNKNOWN, "%s is not there",
		                   l->paths.items[0]);
	return kr_view_set(l->view, KR_STATE_ABSENT, "%s is not there yet",
	                   l->paths.items[0]);
}

static int sum_up(struct looking *l)
{
	struct kr_sources *all = l->sources;
	const struct kr_source *worst;

	if (l->view->state == KR_STATE_UNKNOWN ||
	    l->view->state == KR_STATE_INVALID)
		return 0;
	if (all->n == 0)
		return say_absent(l);
	worst = &all->items[all->deciding];
	for (size_t i = 0; i < all->n; i++)
		all->items[i].wins =
			badness(l, &all->items[i].perms) == l->worst;
	l->view->source = all->deciding;
	if (kr_value_copy(&worst->value, &l->view->value) < 0)
		return -ENOMEM;
	return kr_view_set(l->view, KR_STATE_VALUE, "%s decides", worst->path);
}

int kr_files_look(struct kr_node *node, const struct kr_rule *rule,
                  const struct kr_edition *edition, struct kr_sources *sources,
                  struct kr_view *ret)
{
	struct looking l = {.node = node,
	                    .rule = rule,
	                    .edition = edition,
	                    .sources = sources,
	                    .view = ret};
	int r = list(&l);

	ret->source = -1;
	sources->deciding = -1;
	for (size_t i = 0; i < l.paths.n_items && r >= 0; i++)
		r = look_at(&l, l.paths.items[i]);
	if (r >= 0)
		r = sum_up(&l);
	kr_strings_done(&l.paths);
	return r;
}

/* --- what a setting names ------------------------------------------------ */

static bool loads(const struct kr_pem *pem, int field)
{
	return field == KR_FIELD_CLIENT_CA ? kr_pem_is_authorities(pem)
	                                   : kr_pem_is_chain(pem);
}

/* Whether what FIELD names at PATH is there, and fit. 0, -ENOENT, -EINVAL,
 * another errno of the file. */
static int try_load(struct kr_node *node, int field, const char *path)
{
	struct stat st;
	_cleanup_pem_ struct kr_pem pem = {0};
	const struct kr_file *file;
	int r = kr_fs_look(node->fs, path, true, &st);

	if (r < 0)
		return r;
	/* the key is never read */
	if (field == KR_FIELD_TLS_KEY)
		return S_ISREG(st.st_mode) ? 0 : -EINVAL;
	r = kr_fs_read(node->fs, path, &file);
	if (r < 0)
		return r;
	r = kr_pem_read(file->data, file->size, &pem);
	if (r < 0)
		return r;
	return loads(&pem, field) ? 0 : -EINVAL;
}

static int load_one(struct kr_node *node, int field, const char *path,
                    enum kr_loads *ret, char **ret_why)
{
	int r = try_load(node, field, path);

	if (r == 0 || r == -ENOMEM)
		return r;
	*ret = KR_LOADS_NOT;
	if (r == -ENOENT || r == -ENOTDIR) {
		/* in an image, and before a node has joined */
		if (!node->live || !node->configured)
			*ret = KR_LOADS_LATER;
		return kr_format(ret_why, "%s is not there", path);
	}
	if (r == -EINVAL)
		return kr_format(ret_why, "%s %s", path,
		                 field == KR_FIELD_TLS_KEY
		                         ? "is no file"
		                         : "holds no certificate that loads");
	if (r != -EISDIR && r != -ELOOP && r != -ENAMETOOLONG)
		*ret = KR_LOADS_UNKNOWN;
	return kr_format(ret_why, "%s: %s", path, kr_fs_strerror(-r));
}

int kr_files_load(struct kr_node *node, const struct kr_rule *rule,
                  const struct kr_decision *decisions, enum kr_loads *ret,
                  char **ret_why)
{
	int r = 0;

	*ret = KR_LOADS;
	*ret_why = NULL;
	for (size_t i = 0; i < rule->n_fields && r >= 0; i++) {
		_cleanup_free_ char *path = NULL;

		if (*ret == KR_LOADS_NOT || *ret == KR_LOADS_UNKNOWN ||
		    !*decisions[i].value.s)
			continue;
		path = kr_files_path(node, decisions[i].value.s);
		r = path ? load_one(node, rule->fields[i], path, ret, ret_why)
		         : -ENOMEM;
	}
	return r;
}
