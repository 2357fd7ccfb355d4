/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The places that set the value: kubelet's default, each use of the key in the
 * config file and its drop-ins, each use of the flag. The order is kubelet's
 * order of precedence, so the last one that is valid is the one that wins.
 *
 * A file below /usr belongs to a package, one below /run to a generator or the
 * boot; a snap's, an ostree deployment's and a store's of Nix or Guix are never
 * changed at all: what is built next is another file. No such file is edited.
 * Links do not hide that, as a file is known by the path they lead to (/etc of
 * NixOS is full of links into the store, /ostree is one to /sysroot/ostree).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "policy/sources.h"

#define VENDORS "the vendor's file, which the next update replaces"
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

#define NIX_WHERE                                                              \
	"where configuration.nix sets it (services.k3s, services.rke2: "       \
	"extraFlags, or the file of configPath), then run 'nixos-rebuild "     \
	"switch'"
#define GUIX_WHERE                                                             \
	"in the configuration of the system, then run 'guix system "           \
	"reconfigure'"

static const char *const kind_names[] = {
	[KR_SOURCE_DEFAULT] = "default",
	[KR_SOURCE_CONFIG] = "config",
	[KR_SOURCE_CONFIG_DIR] = "config-dir",
	[KR_SOURCE_FLAG] = "flag",
	[KR_SOURCE_FILE] = "file",
};

static_assert(ARRAY_SIZE(kind_names) == _KR_SOURCE_KIND_MAX,
              "a name for each kind");

const char *kr_source_kind_to_string(enum kr_source_kind kind)
{
	return kind_names[kind];
}

static const struct place {
	const char *folder;
	const char *reason;
	const char *instead; /* NULL: a drop-in may override it */
	const char *where;   /* the same where another program starts kubelet */
} not_ours[] = {
	{"/usr/", VENDORS, NULL},
	{"/lib/", VENDORS, NULL},
	{"/run/", "a file made again at each boot", NULL},
	{"/proc/", NO_DISK, NULL},
	{"/sys/", NO_DISK, NULL},
	{"/snap/", SNAPS, NULL},
	{"/var/lib/snapd/snap/", SNAPS, NULL},
	{"/ostree/", OSTREES, NULL},
	{"/sysroot/ostree/", OSTREES, NULL},
	{"/nix/store/", NIXS, NIX_INSTEAD, NIX_WHERE},
	{"/gnu/store/", GUIXS, GUIX_INSTEAD, GUIX_WHERE},
};

static const struct place *find_place(const char *real)
{
	return KR_FIRST(place, not_ours, ARRAY_SIZE(not_ours),
	                strncmp(real, place->folder, strlen(place->folder)) ==
	                        0);
}

const char *kr_source_refusal_at(const char *real)
{
	const struct place *place = find_place(real);

	return place ? place->reason : NULL;
}

const char *kr_source_refusal(const struct kr_file *file)
{
	return kr_source_refusal_at(file->real);
}

bool kr_source_is_of_store(const char *real)
{
	const struct place *place = find_place(real);

	return place && place->instead;
}

const char *kr_source_instead(const struct kr_file *file)
{
	const struct place *place = find_place(file->real);

	return place ? place->instead : NULL;
}

const char *kr_source_where(const struct kr_file *file)
{
	const struct place *place = find_place(file->real);

	return place ? place->where : NULL;
}

struct collecting {
	struct kr_node *node;
	const struct kr_decision *decision;
	int field;
	struct kr_sources *sources;
};

/* Grows by one; the new one is zero but for KIND. */
static struct kr_source *add(struct collecting *c, enum kr_source_kind kind)
{
	struct kr_source *next = KR_VEC_NEXT(c->sources->items, c->sources->n);

	if (!next)
		return NULL;
	c->sources->n++;
	next->kind = kind;
	next->field = c->field;
	next->editable = true;
	return next;
}

/* The one that was added decides. */
static void let_win(struct collecting *c, struct kr_source *source)
{
	source->wins = true;
	c->sources->deciding = (int)c->sources->n - 1;
}

static int refuse(struct kr_source *source, const char *reason)
{
	if (!reason)
		return 0;
	source->editable = false;
	source->reason = strdup(reason);
	return source->reason ? 0 : -ENOMEM;
}

/* The default of FIELD: -ENOENT where it depends on what is not known. */
static int find_default(const struct kr_inputs *in, int field,
                        struct kr_value *ret)
{
	const struct kr_field *f = kr_field(field);

	if ((f->since && (!in || in->kubelet_minor == 0)) ||
	    (f->legacy && (!in || in->files_doubt)))
		return -ENOENT;
	return kr_field_default(field, in && !in->config_path,
	                        in ? in->kubelet_minor : 0, ret);
}

static int add_default(struct collecting *c)
{
	const struct kr_decision *d = c->decision;
	const struct kr_inputs *in = kr_node_inputs(c->node);
	bool decides = in && (d->by == KR_BY_DEFAULT || d->either_default);
	struct kr_source *source = add(c, KR_SOURCE_DEFAULT);
	int r;

	if (!source)
		return -ENOMEM;
	source->editable = false;
	if (decides && kr_state_is_value(d->state))
		r = kr_value_copy(&d->value, &source->value);
	else
		r = find_default(in, c->field, &source->value);
	if (r == -ENOMEM)
		return r;
	source->state =
		r < 0 ? KR_STATE_UNKNOWN : kr_value_state(&source->value);
	if (decides)
		let_win(c, source);
	return 0;
}

/* The key in the merged files decides, or is what stops kubelet: its flags are
 * read before its files. */
static bool files_decide(const struct collecting *c)
{
	const struct kr_inputs *in = &c->node->disk.inputs;
	const struct kr_decision *d = c->decision;

	if (d->by == KR_BY_NOTHING)
		return d->state == KR_STATE_INVALID &&
		       in->merged.fault == KR_STATE_INVALID &&
		       !in->flags.refused;
	return d->by == KR_BY_CONFIG || d->by == KR_BY_DROPIN;
}

/* The use of the flag that decides: the first one that kubelet refuses, else
 * the last; NULL: none does. */
static const struct kr_flag_use *deciding_flag(const struct collecting *c)
{
	const struct kr_inputs *in = &c->node->disk.inputs;
	const struct kr_flag_use *use;
	size_t at = 0;

	while ((use = kr_flags_next(&in->flags, c->field, &at))) {
		if (use->state == KR_STATE_INVALID)
			return use;
	}
	if (c->decision->by != KR_BY_FLAG)
		return NULL;
	return c->decision->flag ?: kr_flags_last(&in->flags, c->field);
}

/* Whether the uses of the field's flag are put together: then each counts. */
static bool adds_up(const struct collecting *c)
{
	enum kr_type type = kr_field(c->field)->type;

	return c->decision->by == KR_BY_FLAG &&
	       (type == KR_TYPE_LIST || type == KR_TYPE_TREE);
}

static int add_use(struct collecting *c, size_t file,
                   const struct kr_config_use *u, bool wins)
{
	const struct kr_inputs *in = &c->node->disk.inputs;
	bool main_file = in->config_read && file == 0;
	struct kr_source *source =
		add(c, main_file ? KR_SOURCE_CONFIG : KR_SOURCE_CONFIG_DIR);
	const char *reason = kr_source_refusal(in->files[file]);
	int r;

	if (!source)
		return -ENOMEM;
	source->span = u->value.length > 0 ? u->value : u->key;
	source->state = u->state;
	r = kr_value_copy(&u->v, &source->value);
	if (r < 0)
		return r;
	if (wins)
		let_win(c, source);
	if (!reason)
		reason = kr_config_use_reason(in->merged.configs[file], u);
	return refuse(source, reason);
}

static int add_uses(struct collecting *c)
{
	const struct kr_inputs *in = &c->node->disk.inputs;
	struct kr_merged_value found;

	if (!in->merged_valid)
		return 0;
	kr_merged_find(&in->merged, c->field, &found);
	for (size_t f = 0; f < in->merged.n_configs; f++) {
		const struct kr_config_use *u;
		size_t at = 0;

		while ((u = kr_config_next(in->merged.configs[f], c->field,
		                           &at))) {
			int r = add_use(c, f, u,
			                u == found.use && files_decide(c));

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int add_flag(struct collecting *c, const struct kr_flag_use *u,
                    bool wins)
{
	const struct kr_inputs *in = &c->node->disk.inputs;
	const struct kr_unit_word *word = kr_node_word(c->node, u->arg);
	struct kr_source *source = add(c, KR_SOURCE_FLAG);
	const char *reason = NULL;
	int r;

	if (!source)
		return -ENOMEM;
	source->state = u->state;
	source->text = strdup(in->argv[u->arg]);
	if (!source->text)
		return -ENOMEM;
	r = kr_flag_use_value(u, c->field, &source->value);
	if (r == -ENOMEM)
		return r;
	source->span = kr_node_span(c->node, u->arg);
	if (c->node->disk.foreign)
		reason = NULL;
	else if (word && word->from->manager && word->length == 0)
		reason = "the word stands in systemd's own environment, which "
			 "'systemctl show-environment' shows";
	else if (!word || word->length == 0)
		reason = "the word stands in no file of the unit";
	else if (word->cut_length == 0)
		reason = "the word is made of several places";
	else
		reason = kr_source_refusal(word->from->cut_file);
	if (wins)
		let_win(c, source);
	return refuse(source, reason);
}

/*
 * What another program hands to kubelet is not edited; where it is not sure
 * that it does, nothing wins.
 */
static int disown(struct collecting *c)
{
	const struct kr_foreign *f = c->node->disk.foreign;
	bool sure = c->decision->state != KR_STATE_UNKNOWN ||
	            c->decision->either_default;

	KR_EACH(struct kr_source, s, c->sources->items, c->sources->n) {
		int r;

		if (!sure)
			s->wins = false;
		if (s->kind == KR_SOURCE_DEFAULT)
			continue;
		s->editable = false;
		r = kr_format(&s->reason, "%s starts kubelet: %s", f->name,
		              sure ? "it is changed by hand"
		                   : "whether this counts is not sure");
		if (r < 0)
			return r;
	}
	if (!sure)
		c->sources->deciding = -1;
	return 0;
}

/* Before kubelet is configured nothing decides: what there is may be written
 * over. Nor does what a mount hides. A file that is judged alone does. */
static int collected(struct collecting *c)
{
	const struct kr_node_disk *disk = &c->node->disk;

	if (disk->start == KR_START_FOREIGN)
		return disown(c);
	if ((!kr_node_waits(c->node) || disk->start == KR_START_FILE) &&
	    (disk->start != KR_START_HIDDEN || c->decision->by == KR_BY_FLAG))
		return 0;
	for (size_t i = 0; i < c->sources->n; i++)
		c->sources->items[i].wins = false;
	c->sources->deciding = -1;
	return 0;
}

int kr_sources_collect(struct kr_node *node, int field,
                       const struct kr_decision *decision,
                       struct kr_sources *ret)
{
	const struct kr_inputs *in = &node->disk.inputs;
	struct collecting c = {
		.node = node,
		.decision = decision,
		.field = field,
		.sources = ret,
	};
	const struct kr_flag_use *u, *deciding;
	size_t at = 0;
	int r = add_default(&c);

	if (r < 0 || !kr_node_inputs(node))
		return r;
	r = add_uses(&c);
	if (r < 0)
		return r;
	deciding = deciding_flag(&c);
	while ((u = kr_flags_next(&in->flags, field, &at))) {
		r = add_flag(&c, u, u == deciding || adds_up(&c));
		if (r < 0)
			return r;
	}
	return collected(&c);
}

void kr_sources_done(struct kr_sources *sources)
{
	for (size_t i = 0; i < sources->n; i++) {
		free(sources->items[i].reason);
		free(sources->items[i].text);
		free(sources->items[i].path);
		free(sources->items[i].real);
		kr_value_done(&sources->items[i].value);
	}
	free(sources->items);
	*sources = (struct kr_sources){.deciding = -1};
}
