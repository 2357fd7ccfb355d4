/* SPDX-License-Identifier: Apache-2.0 */

/*
 * nodeadm writes kubelet's files on EKS AL2023, at every boot, from a
 * NodeConfig in the user data and those in /etc/eks/nodeadm.d.
 *
 * Whether it reads the folder is a matter of its version (the images from
 * v20251023 on). The folder proves nothing, since any program can have made
 * it, and no file has the version. The service that runs nodeadm tells, since
 * it names its sources:
 *
 *	ExecStart=/usr/bin/nodeadm init --skip config
 *	    --config-source imds://user-data
 *	    --config-source file:///etc/eks/nodeadm.d/ ...
 *
 * The user data come first. The files that end in .yaml, .yml or .json (in
 * either case; no folders) follow by name, byte by byte. Of spec.kubelet.config
 * the later file's members win; of spec.kubelet.flags all are put one behind
 * the other, and behind nodeadm's own: there, too, the last one wins, and beats
 * the config. So a flag is only needed where one is set.
 *
 * nodeadm stops at a file of them that it cannot read, and writes nothing.
 *
 * Source: awslabs/amazon-eks-ami 81fec2e8, nodeadm/internal/configprovider
 * (file.go, chain.go, mime.go), nodeadm/internal/api/merge.go,
 * nodeadm/internal/kubelet (config.go, environment.go), nodeadm-run.service.
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "doc/tree.h"
#include "kubelet/config-read.h"
#include "kubelet/decide.h"
#include "node/nodeadm.h"
#include "unit/resolve.h"

#define RUN_SERVICE "nodeadm-run.service"
#define SOURCE      "file://" KR_NODEADM_FOLDER

/* --- does it read the folder? -------------------------------------------- */

static bool names_folder(const struct kr_unit_command *c)
{
	for (size_t i = 0; i < c->n_words; i++) {
		const char *text = c->words[i].text;
		const char *at = strstr(text, SOURCE);

		/* one of a list, or alone; not a folder of a longer name */
		if (at && strchr("/,", at[strlen(SOURCE)]))
			return true;
	}
	return false;
}

static int find_source(struct kr_fs *fs, struct kr_diag *diag, bool *ret)
{
	const struct kr_unit_options options = {0};
	_cleanup_unit_ struct kr_unit *unit = NULL;
	_cleanup_diag_ struct kr_diag ignored = {0};
	int r = kr_unit_resolve(fs, RUN_SERVICE, &options, &ignored, &unit);

	*ret = false;
	if (r < 0 && r != -ENOMEM)
		kr_diag_add_path(diag, KR_ERROR, "nodeadm-unit", "/etc/systemd",
		                 RUN_SERVICE " cannot be read, and so not what "
		                             "nodeadm writes: %s",
		                 kr_fs_strerror(-r));
	if (r < 0)
		return r;
	for (size_t i = 0; unit->load == KR_UNIT_LOADED && i < unit->n_commands;
	     i++)
		*ret = *ret || names_folder(&unit->commands[i]);
	return 0;
}

/* --- one NodeConfig ------------------------------------------------------ */

struct reading {
	int field;
	const struct kr_value *want;
	struct kr_nodeadm_says says;
	struct kr_span key, flag; /* of the value; of the flag's entry */
};

/* Whether LIST is that of strings that is wanted. */
static bool is_list(const struct reading *rd, const struct kr_tree_node *list)
{
	const struct kr_strings *want = &rd->want->list;
	size_t n = 0;

	for (const struct kr_tree_node *c = list->first; c; c = c->next, n++) {
		if (n == want->n_items || c->event.type != KR_EVENT_STRING ||
		    c->event.length != strlen(want->items[n]) ||
		    memcmp(c->event.text, want->items[n], c->event.length) != 0)
			return false;
	}
	return list->event.type == KR_EVENT_LIST && n == want->n_items;
}

/* Whether NODE is the value that is wanted. 0 or -ENOMEM. */
static int compare(const struct reading *rd, const struct kr_tree_node *node,
                   bool *ret)
{
	const struct kr_event *event = &node->event;
	_cleanup_value_ struct kr_value value = {0};
	int r;

	*ret = false;
	if (rd->want->type == KR_TYPE_LIST) {
		*ret = is_list(rd, node);
		return 0;
	}
	if (rd->want->type == KR_TYPE_BOOL) {
		*ret = event->type ==
		       (rd->want->b ? KR_EVENT_TRUE : KR_EVENT_FALSE);
		return 0;
	}
	if (event->type != KR_EVENT_NUMBER && event->type != KR_EVENT_STRING)
		return 0;
	r = kr_value_parse(rd->want->type, event->text, event->length, &value);
	*ret = r == 0 && kr_value_equal(&value, rd->want);
	return r == -ENOMEM ? r : 0;
}

static int read_key(struct reading *rd, const struct kr_tree_node *kubelet)
{
	const char *path = kr_field(rd->field)->path;
	const struct kr_tree_node *value =
		path ? kr_tree_find(kr_tree_find(kubelet, "config"), path)
		     : NULL;

	if (!value)
		return 0;
	rd->key = value->event.span;
	rd->says.any_key = true;
	return compare(rd, value, &rd->says.key);
}

/* The words of all entries, which nodeadm joins by blanks, each with its
 * entry. */
struct words {
	char **texts; /* of the entries */
	size_t n_texts;
	const char **argv;
	struct kr_span *spans;
	size_t argc;
};

static void words_done(struct words *w)
{
	for (size_t i = 0; i < w->n_texts; i++)
		free(w->texts[i]);
	free(w->texts);
	free(w->argv);
	free(w->spans);
}

static int words_init(struct words *w, const struct kr_tree_node *list)
{
	size_t most = 1; /* the program */

	for (const struct kr_tree_node *n = list->first; n; n = n->next)
		most += n->event.length / 2 + 1;
	w->texts = calloc(list->n_children + 1, sizeof(*w->texts));
	w->argv = calloc(most + 1, sizeof(*w->argv));
	w->spans = calloc(most + 1, sizeof(*w->spans));
	if (!w->texts || !w->argv || !w->spans)
		return -ENOMEM;
	w->argv[w->argc++] = "kubelet";
	return 0;
}

static int words_add(struct words *w, const struct kr_event *entry)
{
	char *rest = strndup(entry->text, entry->length), *word;

	if (!rest)
		return -ENOMEM;
	w->texts[w->n_texts++] = rest;
	while ((word = strsep(&rest, " \t\n"))) {
		if (!*word)
			continue;
		w->argv[w->argc] = word;
		w->spans[w->argc++] = entry->span;
	}
	return 0;
}

static int judge_words(struct reading *rd, const struct words *w)
{
	bool gate = kr_field(rd->field)->combine == KR_COMBINE_GATE;
	_cleanup_flags_ struct kr_flags flags = {0};
	_cleanup_value_ struct kr_value value = {0};
	const struct kr_flag_use *use, *last = NULL, *decides;
	struct kr_inputs in = {0};
	size_t at = 0;
	int r = kr_flags_parse(w->argv, w->argc, &flags);

	if (r < 0)
		return r;
	while ((use = kr_flags_next(&flags, rd->field, &at)))
		last = use;
	if (!last)
		return 0;
	in.flags = flags;
	r = kr_inputs_flag(&in, rd->field, &value, &decides);
	if (r < 0)
		return r;
	/* the flag is of other gates, too */
	if (r == 0 && gate)
		return 0;
	rd->flag = w->spans[(r > 0 ? decides : last)->arg];
	rd->says.any_flag = true;
	/* of a boolean "--flag value" as two words stops kubelet */
	rd->says.flag =
		r > 0 && last->state != KR_STATE_INVALID &&
		kr_value_equal(&value, rd->want) &&
		(last->n_args == 1 || gate || value.type != KR_TYPE_BOOL);
	return 0;
}

static int read_flags(struct reading *rd, const struct kr_tree_node *kubelet)
{
	const struct kr_tree_node *list = kr_tree_find(kubelet, "flags");
	_cleanup_(words_done) struct words w = {0};
	int r;

	if (!list || list->event.type != KR_EVENT_LIST)
		return 0;
	r = words_init(&w, list);
	if (r < 0)
		return r;
	for (const struct kr_tree_node *n = list->first; n; n = n->next) {
		if (n->event.type != KR_EVENT_STRING)
			continue;
		r = words_add(&w, &n->event);
		if (r < 0)
			return r;
	}
	return judge_words(rd, &w);
}

static bool mentions(const struct kr_file *file, const char *word)
{
	return memmem(file->data, file->size, word, strlen(word));
}

/* 0; KR_MALFORMED: it is no JSON and no YAML (a MIME document may be one of
 * nodeadm's, too); -ENOMEM. */
static int read_node_config(const struct kr_file *file, struct reading *rd)
{
	_cleanup_tree_ struct kr_tree tree = {0};
	struct kr_tree_builder builder = {.tree = &tree};
	const struct kr_listener listener = {kr_tree_hear, &builder};
	struct kr_layout layout = {0};
	struct kr_span twice;
	const struct kr_tree_node *kubelet;
	int r;

	r = kr_config_read(file, kr_config_guess(file, 0), &listener, NULL,
	                   &layout, &twice);
	if (r < 0)
		return r;
	kubelet = kr_tree_find(tree.root, "spec.kubelet");
	r = read_key(rd, kubelet);
	if (r < 0)
		return r;
	return read_flags(rd, kubelet);
}

/* --- the folder ---------------------------------------------------------- */

static bool is_config_name(const char *name)
{
	static const char *const ends[] = {".yaml", ".yml", ".json"};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t length = strlen(name), end = strlen(ends[i]);

		if (length >= end &&
		    strcasecmp(name + length - end, ends[i]) == 0)
			return true;
	}
	return false;
}

static int warn_later(const struct reading *rd, struct kr_diag *diag)
{
	bool key = rd->says.any_key && !rd->says.key;
	bool flag = rd->says.any_flag && !rd->says.flag;
	_cleanup_free_ char *want = NULL;
	int r;

	if (!key && !flag)
		return 0;
	r = kr_value_format(rd->want, &want);
	if (r < 0)
		return r;
	kr_diag_add(diag, KR_WARNING, "nodeadm-later",
	            flag ? rd->flag : rd->key,
	            "nodeadm reads this after %s and takes this value at the "
	            "next boot: it must be %s",
	            KR_NODEADM_FILE, want);
	return 0;
}

static void warn_unread(int field, const struct kr_file *file,
                        struct kr_diag *diag)
{
	const struct kr_field *f = kr_field(field);
	const char *dot = f->path ? strrchr(f->path, '.') : NULL;

	/* a nested key is written by its last name */
	if (!(f->path && mentions(file, dot ? dot + 1 : f->path)) &&
	    !mentions(file, f->flag))
		return;
	kr_diag_add_path(diag, KR_WARNING, "nodeadm-unread", file->path,
	                 "mentions this setting and is neither JSON nor YAML: "
	                 "what nodeadm makes of it at the next boot is "
	                 "unknown");
}

static void say_unreadable(const char *path, bool ours, int error,
                           struct kr_diag *diag)
{
	if (ours)
		kr_diag_add_path(diag, KR_ERROR, "nodeadm-ours", path,
		                 "cannot be read: %s", kr_fs_strerror(error));
	else
		kr_diag_add_path(
			diag, KR_WARNING, "nodeadm-unread", path,
			"cannot be read, so it is unknown what nodeadm "
			"makes of it at the next boot: %s",
			kr_fs_strerror(error));
}

static void add_says(struct kr_nodeadm_says *sum,
                     const struct kr_nodeadm_says *one)
{
	if (one->any_key)
		sum->key = one->key;
	if (one->any_flag)
		sum->flag = one->flag;
	sum->any_key = sum->any_key || one->any_key;
	sum->any_flag = sum->any_flag || one->any_flag;
}

static int read_one(struct kr_fs *fs, const struct reading *question,
                    const char *name, struct kr_diag *diag,
                    struct kr_nodeadm *nodeadm)
{
	int order = strcmp(name, strrchr(KR_NODEADM_FILE, '/') + 1);
	struct reading rd = *question;
	_cleanup_free_ char *path = NULL;
	const struct kr_file *file;
	int r;

	if (asprintf(&path, KR_NODEADM_FOLDER "/%s", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = kr_fs_read(fs, path, &file);
	if (r < 0 && r != -ENOMEM)
		say_unreadable(path, order == 0, -r, diag);
	/* a link that leads nowhere: the name is there all the same */
	if (r == -ENOENT && order == 0)
		r = -ELOOP;
	if (r < 0)
		return r == -ENOMEM || order == 0 ? r : 0;
	r = read_node_config(file, &rd);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		warn_unread(rd.field, file, diag);
	if (order < 0)
		add_says(&nodeadm->earlier, &rd.says);
	else if (order > 0)
		return warn_later(&rd, diag);
	else
		nodeadm->ours_says = rd.says;
	if (order == 0)
		nodeadm->ours = file;
	return 0;
}

int kr_nodeadm_read(struct kr_fs *fs, int field, const struct kr_value *want,
                    struct kr_diag *diag, struct kr_nodeadm *ret)
{
	const struct reading question = {.field = field, .want = want};
	_cleanup_dir_ struct kr_dir dir = {0};
	struct kr_nodeadm nodeadm = {0};
	int r = find_source(fs, diag, &nodeadm.reads_folder);

	if (r < 0)
		return r;
	if (nodeadm.reads_folder)
		r = kr_fs_list(fs, KR_NODEADM_FOLDER, &dir);
	if (r < 0 && r != -ENOENT && r != -ENOMEM)
		kr_diag_add_path(diag, KR_ERROR, "nodeadm-folder",
		                 KR_NODEADM_FOLDER, "cannot be read: %s",
		                 kr_fs_strerror(-r));
	if (r < 0 && r != -ENOENT)
		return r;
	for (size_t i = 0; i < dir.n_entries; i++) {
		const char *name = dir.entries[i].name;

		if (dir.entries[i].type == DT_DIR || !is_config_name(name))
			continue;
		r = read_one(fs, &question, name, diag, &nodeadm);
		if (r < 0)
			return r;
	}
	*ret = nodeadm;
	return 0;
}
