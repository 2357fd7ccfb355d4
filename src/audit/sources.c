/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The places that set the value: kubelet's default, each use of the key in the
 * config file and its drop-ins, each use of the flag. The order is kubelet's
 * order of precedence, so the last one that is valid is the one that wins.
 *
 * A file below /usr belongs to a package, one below /run to a generator or the
 * boot; a snap's, an ostree deployment's and a store's of Nix or Guix are never
 * changed at all: what is built next is another file. None is edited. Links do
 * not hide that, as a file is known by the path they lead to (/etc of NixOS is
 * full of links into the store, /ostree is one to /sysroot/ostree).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/sources.h"
#include "base/vec.h"

#define VENDORS "a file of the vendor, which the next update replaces"
#define NO_DISK "not a file of a disk"
#define SNAPS   "a file of a snap, which the next refresh replaces"
#define OSTREES "a file of an ostree deployment, which the next one replaces"
#define NIXS                                                                   \
	"a file of the Nix store, in whose place the next 'nixos-rebuild' "    \
	"puts another one"
#define GUIXS                                                                  \
	"a file of the Guix store, in whose place the next 'guix system' "     \
	"puts another one"
#define NIX_INSTEAD                                                            \
	"in configuration.nix, set "                                           \
	"services.kubernetes.kubelet.extraConfig.@KEY@ = @VALUE@ (and no "     \
	"--@FLAG@ in services.kubernetes.kubelet.extraOpts), then run "        \
	"'nixos-rebuild switch'"
#define GUIX_INSTEAD                                                           \
	"in the configuration of the system, set @KEY@ to @VALUE@ for "        \
	"kubelet, then run 'guix system reconfigure'"

static const struct place {
	const char *folder;
	const char *reason;
	const char *instead; /* NULL: a drop-in may override it */
} not_ours[] = {
	{"/usr/", VENDORS, NULL},
	{"/lib/", VENDORS, NULL},
	{"/run/", "a file made anew at each boot", NULL},
	{"/proc/", NO_DISK, NULL},
	{"/sys/", NO_DISK, NULL},
	{"/snap/", SNAPS, NULL},
	{"/var/lib/snapd/snap/", SNAPS, NULL},
	{"/ostree/", OSTREES, NULL},
	{"/sysroot/ostree/", OSTREES, NULL},
	{"/nix/store/", NIXS, NIX_INSTEAD},
	{"/gnu/store/", GUIXS, GUIX_INSTEAD},
};

static const struct place *find_place(const struct kr_file *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_ours); i++) {
		if (strncmp(file->real, not_ours[i].folder,
		            strlen(not_ours[i].folder)) == 0)
			return &not_ours[i];
	}
	return NULL;
}

const char *kr_source_refusal(const struct kr_file *file)
{
	const struct place *place = find_place(file);

	return place ? place->reason : NULL;
}

const char *kr_source_instead(const struct kr_file *file)
{
	const struct place *place = find_place(file);

	return place ? place->instead : NULL;
}

/* Grows by one; the new one is zero but for KIND. */
static struct kr_source *add(struct kr_audit *audit, enum kr_source_kind kind)
{
	struct kr_source *next = KR_VEC_NEXT(audit->sources, audit->n_sources);

	if (!next)
		return NULL;
	audit->n_sources++;
	next->kind = kind;
	next->editable = true;
	return next;
}

static int refuse(struct kr_source *source, const char *reason)
{
	if (!reason)
		return 0;
	source->editable = false;
	source->reason = strdup(reason);
	return source->reason ? 0 : -ENOMEM;
}

static int add_default(struct kr_node *node, struct kr_audit *audit)
{
	struct kr_source *source = add(audit, KR_SOURCE_DEFAULT);

	if (!source)
		return -ENOMEM;
	source->state =
		node->setting->by_default ? KR_STATE_TRUE : KR_STATE_FALSE;
	source->editable = false;
	if (node->disk.inputs_valid && node->disk.inputs.by == KR_BY_DEFAULT) {
		source->wins = true;
		audit->disk.source = (int)audit->n_sources - 1;
	}
	return 0;
}

/* The key in the merged files decides, or is what stops kubelet: its flags are
 * read before its files. */
static bool files_decide(const struct kr_inputs *in)
{
	if (in->by == KR_BY_NOTHING)
		return in->state == KR_STATE_INVALID &&
		       in->merged.fault == KR_STATE_INVALID &&
		       !in->flags.refused;
	return in->by == KR_BY_CONFIG || in->by == KR_BY_DROPIN;
}

/* The use of the flag that decides: the first one that kubelet refuses, else
 * the last; NULL: none does. */
static const struct kr_flag_use *deciding_flag(const struct kr_node *node)
{
	const struct kr_inputs *in = &node->disk.inputs;
	const struct kr_flag_use *use;
	size_t at = 0;

	while ((use = kr_flags_next(&in->flags, node->setting->field, &at))) {
		if (use->state == KR_STATE_INVALID)
			return use;
	}
	return in->by == KR_BY_FLAG
	               ? kr_flags_last(&in->flags, node->setting->field)
	               : NULL;
}

static int add_use(struct kr_node *node, struct kr_audit *audit, size_t file,
                   const struct kr_config_use *u, bool wins)
{
	const struct kr_inputs *in = &node->disk.inputs;
	bool main_file = in->config_read && file == 0;
	struct kr_source *source =
		add(audit, main_file ? KR_SOURCE_CONFIG : KR_SOURCE_CONFIG_DIR);
	const char *reason = kr_source_refusal(in->files[file]);

	if (!source)
		return -ENOMEM;
	source->span = u->value.length > 0 ? u->value : u->key;
	source->state = u->state;
	if (wins) {
		source->wins = true;
		audit->disk.source = (int)audit->n_sources - 1;
	}
	if (!reason)
		reason = kr_config_use_reason(&in->merged.configs[file], u);
	return refuse(source, reason);
}

static int add_uses(struct kr_node *node, struct kr_audit *audit)
{
	const struct kr_inputs *in = &node->disk.inputs;
	struct kr_merged_value found;

	if (!in->merged_valid)
		return 0;
	kr_merged_find(&in->merged, node->setting->field, &found);
	for (size_t f = 0; f < in->merged.n_configs; f++) {
		const struct kr_config_use *u;
		size_t at = 0;

		while ((u = kr_config_next(&in->merged.configs[f],
		                           node->setting->field, &at))) {
			int r = add_use(node, audit, f, u,
			                u == found.use && files_decide(in));

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int add_flag(struct kr_node *node, struct kr_audit *audit,
                    const struct kr_flag_use *u, bool wins)
{
	const struct kr_inputs *in = &node->disk.inputs;
	const struct kr_unit_word *word = kr_node_word(node, u->arg);
	struct kr_source *source = add(audit, KR_SOURCE_FLAG);
	const char *reason = NULL;

	if (!source)
		return -ENOMEM;
	source->state = u->state;
	source->text = strdup(in->argv[u->arg]);
	if (!source->text)
		return -ENOMEM;
	source->span = kr_node_span(node, u->arg);
	if (node->disk.foreign)
		reason = NULL;
	else if (word && word->manager && !word->span.file)
		reason = "the word stands in systemd's own environment, which "
			 "'systemctl show-environment' shows";
	else if (!word || !word->span.file)
		reason = "the word stands in no file of the unit";
	else if (!word->cut.file)
		reason = "the word is made of several places";
	else
		reason = kr_source_refusal(word->cut.file);
	if (wins) {
		source->wins = true;
		audit->disk.source = (int)audit->n_sources - 1;
	}
	return refuse(source, reason);
}

/*
 * What another program hands to kubelet is not edited; where it is not sure
 * that it does, nothing wins.
 */
static int disown(struct kr_node *node, struct kr_audit *audit)
{
	const struct kr_foreign *f = node->disk.foreign;
	bool sure = node->disk.state != KR_STATE_UNKNOWN;

	for (size_t i = 0; i < audit->n_sources; i++) {
		struct kr_source *s = &audit->sources[i];

		if (!sure)
			s->wins = false;
		if (s->kind == KR_SOURCE_DEFAULT)
			continue;
		s->editable = false;
		free(s->reason);
		if (asprintf(&s->reason, "%s starts kubelet: %s", f->name,
		             sure ? "it is changed by hand"
		                  : "whether this counts is not sure") < 0) {
			s->reason = NULL;
			return -ENOMEM;
		}
	}
	if (!sure)
		audit->disk.source = -1;
	return 0;
}

/* Before kubelet is configured nothing decides: what there is may be written
 * over. Nor does what a mount hides. */
static int collected(struct kr_node *node, struct kr_audit *audit)
{
	if (node->disk.foreign)
		return disown(node, audit);
	if (!node->disk.unconfigured &&
	    (!node->disk.hidden || node->disk.inputs.by == KR_BY_FLAG))
		return 0;
	for (size_t i = 0; i < audit->n_sources; i++)
		audit->sources[i].wins = false;
	audit->disk.source = -1;
	return 0;
}

int kr_sources_collect(struct kr_node *node, struct kr_audit *audit)
{
	const struct kr_inputs *in = &node->disk.inputs;
	const struct kr_flag_use *u, *deciding;
	size_t at = 0;
	int r = add_default(node, audit);

	if (r < 0 || !node->disk.inputs_valid)
		return r;
	r = add_uses(node, audit);
	if (r < 0)
		return r;
	deciding = deciding_flag(node);
	while ((u = kr_flags_next(&in->flags, node->setting->field, &at))) {
		r = add_flag(node, audit, u, u == deciding);
		if (r < 0)
			return r;
	}
	return collected(node, audit);
}
