/* SPDX-License-Identifier: Apache-2.0 */

/*
 * k3s and RKE2, which share their command line.
 *
 *   k3s server --kubelet-arg=NAME=VALUE --kubelet-arg NAME
 *   /etc/rancher/k3s/config.yaml     kubelet-arg: [NAME=VALUE]
 *   /etc/rancher/k3s/config.yaml.d/  *.yaml, *.yml in any case, in byte order
 *   DATA/agent/etc/kubelet.conf.d/   kubelet's own --config-dir (since 1.32)
 *
 * All files are one list of keys: a key that comes again, in the same file or a
 * later one, takes the place of the earlier value, lists too; written "key+" it
 * is appended to it. What comes of that stands before the words of the command
 * line, so these are appended. (The manual says that they replace the file's
 * list. The program hands on both, in this order.)
 *
 * Before 1.21 there was no config.yaml.d, and no "key+". A version that is not
 * known is taken to be a later one, and what the folder says of our flag is
 * remarked.
 *
 * Two dashes in front of NAME are taken off, a missing VALUE is "true". "NAME+"
 * is one more value, "NAME-" one before all others. Then the arguments, k3s'
 * own among them, are sorted by name as bytes: startKubelet() collects the
 * values of each name in a map and writes them out in the order of
 * sort.Strings() of its keys. Those of one name stay in their order, and so the
 * last one wins; of two spellings, which are two names there, the one with "_",
 * which sorts behind "-". Without 00-k3s-defaults.conf in the folder, nothing
 * says that this version reads it.
 *
 * Source: k3s pkg/configfilearg/parser.go (readConfigFile, dotDFiles; as of
 * 1.20 it reads one file), pkg/daemons/agent/agent.go (startKubelet),
 * pkg/util/args.go (GetArgs; before in pkg/daemons/config/types.go, at first as
 * GetArgsList, which sorts, too, and keeps the last value of a name); k3s issue
 * 3207 (the folder came with 1.21); docs.k3s.io and docs.rke2.io,
 * "Configuration File".
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "doc/yaml-parse.h"
#include "kubelet/flag-table.h"
#include "node/foreign-words.h"

static int replace(char **at, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*at);
	*at = copy;
	return 0;
}

/* --- one argument -------------------------------------------------------- */

/* "NAME=value" of kubelet-arg, as k3s hands it on. */
static int add_kubelet_arg(struct kr_foreign_reading *rd, struct kr_span span,
                           const char *text)
{
	_cleanup_free_ char *word = NULL;
	const char *value;
	size_t name;
	bool before;
	long order;
	int r;

	if (strncmp(text, "--", 2) == 0)
		text += 2;
	name = strcspn(text, "=");
	value = text[name] ? text + name : "=true";
	before = name > 0 && text[name - 1] == '-';
	while (name > 0 && strchr("+-", text[name - 1]))
		name--;
	if (before && strncmp(text, "config", 6) == 0) {
		r = kr_foreign_doubt(rd, "kubelet-arg \"%s\" joins values",
		                     text);
		if (r < 0)
			return r;
	}
	if (asprintf(&word, "--%.*s%s", (int)name, text, value) < 0) {
		word = NULL;
		return -ENOMEM;
	}
	r = kr_foreign_add(rd, span, word, strlen(word));
	if (r < 0)
		return r;
	order = (long)rd->foreign->n_words;
	rd->foreign->words[order - 1].order = before ? -order : order;
	return 0;
}

/* By name, those of one name in their order. */
static int compare_words(const void *a, const void *b)
{
	const struct kr_foreign_word *x = a, *y = b;
	size_t n = strcspn(x->text, "="), m = strcspn(y->text, "=");
	int order = strncmp(x->text, y->text, n < m ? n : m);

	if (order != 0)
		return order;
	if (n != m)
		return n < m ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* --- the command line ---------------------------------------------------- */

/* The value of option NAME (or its short form) at word I, in it or behind it;
 * NULL: another word. RET_AT is the word of the value. */
static const char *option_at(const struct kr_unit_command *c, size_t i,
                             const char *name, const char *letter,
                             size_t *ret_at)
{
	const char *text = c->words[i].text;
	const char *const forms[] = {name, letter};

	for (size_t k = 0; k < ARRAY_SIZE(forms); k++) {
		size_t n = forms[k] ? strlen(forms[k]) : 0;

		if (n == 0 || strncmp(text, forms[k], n) != 0)
			continue;
		*ret_at = i;
		if (text[n] == '=')
			return text + n + 1;
		if (text[n] == '\0' && i + 1 < c->n_words) {
			*ret_at = i + 1;
			return c->words[i + 1].text;
		}
	}
	return NULL;
}

static int read_environment(struct kr_foreign_reading *rd)
{
	const struct {
		const char *name;
		char **at;
	} known[] = {
		{"K3S_CONFIG_FILE", &rd->config_path},
		{"RKE2_CONFIG_FILE", &rd->config_path},
		{"K3S_DATA_DIR", &rd->data_dir},
		{"RKE2_DATA_DIR", &rd->data_dir},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const struct kr_unit_variable *v =
			kr_unit_variable(rd->unit, known[i].name);
		int r;

		if (!v || *kr_variable_value(v).bytes == '\0' ||
		    (strncmp(known[i].name, "K3S", 3) == 0) !=
		            (strcmp(rd->row->id, "k3s") == 0))
			continue;
		r = replace(known[i].at, kr_variable_value(v).bytes);
		if (r < 0)
			return r;
		rd->config_named |= known[i].at == &rd->config_path;
	}
	return 0;
}

/* What word I says of the places. */
static int read_place(struct kr_foreign_reading *rd, size_t i,
                      bool by_environment)
{
	size_t at;
	const char *config = option_at(rd->command, i, "--config", "-c", &at);
	const char *data = option_at(rd->command, i, "--data-dir", "-d", &at);
	int r = 0;

	if (rd->command->words[i].from->unknown)
		r = kr_foreign_doubt(rd,
		                     "an argument of %s has a part that only a "
		                     "running systemd knows",
		                     rd->row->name);
	if (r < 0)
		return r;
	if (config && !by_environment) {
		rd->config_named = true;
		r = replace(&rd->config_path, config);
	}
	if (r < 0)
		return r;
	return data ? replace(&rd->data_dir, data) : 0;
}

/* Where the platform's own files are. */
static int read_places(struct kr_foreign_reading *rd)
{
	bool by_environment;
	int r;

	if (asprintf(&rd->config_path, "/etc/rancher/%s/config.yaml",
	             rd->row->id) < 0) {
		rd->config_path = NULL;
		return -ENOMEM;
	}
	r = read_environment(rd);
	if (r < 0)
		return r;
	by_environment = rd->config_named;
	for (size_t i = 1; i < rd->command->n_words; i++) {
		r = read_place(rd, i, by_environment);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_command(struct kr_foreign_reading *rd)
{
	const struct kr_unit_command *c = rd->command;

	for (size_t i = 1; i < c->n_words; i++) {
		size_t at;
		const char *value = option_at(c, i, "--kubelet-arg", NULL, &at);
		int r = 0;

		if (value)
			r = add_kubelet_arg(rd, kr_word_span(&c->words[at]),
			                    value);
		else if (option_at(c, i, "--disable-agent", NULL, &at))
			r = kr_foreign_doubt(rd, "--disable-agent: this "
			                         "server does not run kubelet");
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- config.yaml --------------------------------------------------------- */

/* The scalar's text in the file, without its quotes where it stands there as it
 * is. */
static struct kr_span text_span(const struct kr_yaml_node *node)
{
	struct kr_span span = node->span;

	if (span.length == node->length + 2 &&
	    memcmp(span.file->data + span.offset + 1, node->text,
	           node->length) == 0) {
		span.offset++;
		span.length -= 2;
	}
	return span;
}

static int read_argument(struct kr_foreign_reading *rd,
                         const struct kr_yaml_node *node)
{
	if (node->kind != KR_YAML_SCALAR || node->block)
		return kr_foreign_doubt(rd,
		                        "%s: kubelet-arg is no plain list "
		                        "of arguments",
		                        node->span.file->path);
	return add_kubelet_arg(rd, text_span(node), node->text);
}

static bool is_empty(const struct kr_yaml_node *node)
{
	return node->kind == KR_YAML_SCALAR && node->plain &&
	       (node->length == 0 || strcmp(node->text, "~") == 0 ||
	        strcmp(node->text, "null") == 0);
}

/* A later list takes the place of all that was read so far, which comes from
 * files alone. */
static int replace_list(struct kr_foreign_reading *rd,
                        const struct kr_yaml_node *by)
{
	struct kr_foreign *f = rd->foreign;

	for (size_t i = 1; i < f->n_words; i++) {
		struct kr_foreign_word *gone =
			KR_VEC_NEXT(f->replaced, f->n_replaced);

		if (!gone)
			return -ENOMEM;
		*gone = f->words[i];
		gone->by = by->span;
		f->words[i].text = NULL;
		f->n_replaced++;
	}
	f->n_words = f->n_words > 0 ? 1 : 0;
	return 0;
}

static bool is_before_folder(const struct kr_foreign_reading *rd)
{
	return rd->kubelet_minor > 0 && rd->kubelet_minor < 21;
}

static int read_member(struct kr_foreign_reading *rd,
                       const struct kr_yaml_node *name,
                       const struct kr_yaml_node *value)
{
	const char *key = name->text;
	int r = 0;

	if (name->kind != KR_YAML_SCALAR)
		return 0;
	if (strcmp(key, "<<") == 0)
		return kr_foreign_doubt(rd, "%s: it merges another mapping",
		                        name->span.file->path);
	if (strcmp(key, "data-dir") == 0 && value->kind == KR_YAML_SCALAR)
		return rd->data_dir ? 0 : replace(&rd->data_dir, value->text);
	if (strcmp(key, "kubelet-arg") != 0 && strcmp(key, "kubelet-arg+") != 0)
		return 0;
	if (is_before_folder(rd) && key[strlen(key) - 1] == '+')
		return kr_foreign_doubt(
			rd, "%s: %s before 1.21 takes no \"%s\"",
			name->span.file->path, rd->row->name, key);
	if (is_before_folder(rd) && rd->foreign->n_words > 1)
		return kr_foreign_doubt(rd,
		                        "%s: it has kubelet-arg twice, which "
		                        "%s before 1.21 joins",
		                        name->span.file->path, rd->row->name);
	if (strcmp(key, "kubelet-arg") == 0) {
		r = replace(&rd->list_path, name->span.file->path);
		if (r == 0)
			r = replace_list(rd, name);
	} else if (rd->foreign->n_words > 1 && is_empty(value)) {
		return 0;
	}
	if (r < 0)
		return r;
	if (value->kind != KR_YAML_SEQUENCE)
		return read_argument(rd, value);
	for (const struct kr_yaml_node *n = value->first; n; n = n->next) {
		r = read_argument(rd, n);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_yaml(struct kr_foreign_reading *rd, const struct kr_file *file)
{
	_cleanup_tree_ struct kr_tree tree = {0};
	struct kr_yaml_document document;
	const struct kr_yaml_node *name;
	int r = kr_yaml_parse(file, &tree, NULL, &document);

	if (r < 0 && r != KR_MALFORMED)
		return r;
	if (r >= 0 && !document.root)
		return 0;
	if (r < 0 || document.root->kind != KR_YAML_MAPPING)
		return kr_foreign_doubt(rd, "%s is not what %s can read",
		                        file->path, rd->row->name);
	name = document.root->first;
	for (; name && name->next; name = name->next->next) {
		r = read_member(rd, name, name->next);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_config_file(struct kr_foreign_reading *rd, const char *path,
                            bool must_be)
{
	const struct kr_file *file;
	int r = kr_fs_read(rd->fs, path, &file);

	if (r == -ENOMEM || (r == -ENOENT && !must_be))
		return r == -ENOMEM ? r : 0;
	if (r < 0)
		return kr_foreign_doubt(rd, "%s cannot be read: %s", path,
		                        kr_fs_strerror(-r));
	return read_yaml(rd, file);
}

static bool is_yaml_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot &&
	       (strcasecmp(dot, ".yaml") == 0 || strcasecmp(dot, ".yml") == 0);
}

/* Whether words of FOLDER decide something here, though it is not known whether
 * this version reads it. */
static bool has_doubtful_words(const struct kr_foreign_reading *rd,
                               const char *folder)
{
	const struct kr_foreign *f = rd->foreign;

	if (rd->kubelet_minor > 0)
		return false;
	for (size_t i = 1; i < f->n_words; i++) {
		const struct kr_foreign_word *w = &f->words[i];
		const struct kr_flag *flag =
			kr_flag_find(w->text + 2, strcspn(w->text + 2, "="));

		if (flag && kr_foreign_counts(flag->name) && w->span.file &&
		    strncmp(w->span.file->path, folder, strlen(folder)) == 0)
			return true;
	}
	return false;
}

static int read_config_folder(struct kr_foreign_reading *rd, const char *folder)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	int r = kr_fs_list(rd->fs, folder, &dir);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r == -ENOMEM
		               ? r
		               : kr_foreign_doubt(rd, "%s cannot be read: %s",
		                                  folder, kr_fs_strerror(-r));
	for (size_t i = 0; i < dir.n_entries; i++) {
		_cleanup_free_ char *path =
			kr_path_join(folder, dir.entries[i].name);

		if (!path)
			return -ENOMEM;
		if (dir.entries[i].type == DT_DIR ||
		    !is_yaml_name(dir.entries[i].name))
			continue;
		r = read_config_file(rd, path, true);
		if (r < 0)
			return r;
	}
	if (!has_doubtful_words(rd, folder))
		return 0;
	return kr_format(&rd->foreign->folder, "%s", folder);
}

static int read_config_files(struct kr_foreign_reading *rd)
{
	_cleanup_free_ char *folder = NULL;
	int r;

	if (strstr(rd->config_path, "://"))
		return kr_foreign_doubt(rd,
		                        "it takes its configuration from "
		                        "%s",
		                        rd->config_path);
	if (*rd->config_path != '/')
		return kr_foreign_doubt(rd,
		                        "the path of its configuration, "
		                        "%s, is not absolute",
		                        rd->config_path);
	r = read_config_file(rd, rd->config_path, rd->config_named);
	if (r < 0 || is_before_folder(rd))
		return r;
	if (asprintf(&folder, "%s.d", rd->config_path) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	return read_config_folder(rd, folder);
}

/* --- kubelet.conf.d ------------------------------------------------------ */

/* The drop-ins go first: what comes from kubelet-arg may name others. */
static int read_dropins(struct kr_foreign_reading *rd)
{
	_cleanup_free_ char *folder = NULL, *mark = NULL, *word = NULL;
	struct stat folder_st, mark_st;
	struct kr_foreign *f = rd->foreign;
	struct kr_foreign_word last;
	int r;

	if (asprintf(&folder, "%s%s/agent/etc/kubelet.conf.d",
	             rd->data_dir ? rd->data_dir : "/var/lib/rancher/",
	             rd->data_dir ? "" : rd->row->id) < 0)
		folder = NULL;
	if (!folder ||
	    asprintf(&mark, "%s/00-%s-defaults.conf", folder, rd->row->id) < 0)
		mark = NULL;
	if (!mark || asprintf(&word, "--config-dir=%s", folder) < 0) {
		word = NULL;
		return -ENOMEM;
	}
	r = kr_fs_look(rd->fs, folder, true, &folder_st);
	if (r < 0)
		return r == -ENOMEM || r == -ENOENT
		               ? (r == -ENOENT ? 0 : r)
		               : kr_foreign_doubt(rd, "%s cannot be read: %s",
		                                  folder, kr_fs_strerror(-r));
	if (kr_fs_look(rd->fs, mark, true, &mark_st) < 0)
		r = kr_foreign_doubt(rd,
		                     "%s is not there, so it is not known "
		                     "whether this version reads the "
		                     "folder",
		                     mark);
	else
		r = 0;
	if (r < 0)
		return r;
	r = kr_foreign_add(rd, KR_SPAN_NONE, word, strlen(word));
	if (r < 0)
		return r;
	last = f->words[f->n_words - 1];
	memmove(f->words + 2, f->words + 1,
	        (f->n_words - 2) * sizeof(*f->words));
	f->words[1] = last;
	return 0;
}

/* Words are written where the list is that counts: in another file they would
 * take its place, or it theirs. What "kubelet-arg+" appends stays behind it. */
static int name_list(struct kr_foreign_reading *rd)
{
	const char *path = rd->list_path ?: rd->config_path;
	struct kr_foreign *f = rd->foreign;
	int r;

	if (*path != '/')
		return 0;
	r = kr_format(&f->own_place, "kubelet-arg of %s", path);
	if (r == 0)
		r = kr_format(&f->own_where,
		              "kubelet-arg: [\"@FLAG@=@VALUE@\"] in %s", path);
	if (r < 0)
		return r;
	f->own_by_hand = rd->row->by_hand;
	f->own_by_hand.place = f->own_place;
	f->by_hand = &f->own_by_hand;
	f->where = f->own_where;
	return 0;
}

int kr_foreign_read_rancher(struct kr_foreign_reading *rd)
{
	int r = read_places(rd);

	if (r < 0)
		return r;
	r = read_config_files(rd);
	if (r == 0)
		r = name_list(rd);
	if (r < 0)
		return r;
	r = read_command(rd);
	if (r < 0)
		return r;
	qsort(rd->foreign->words + 1, rd->foreign->n_words - 1,
	      sizeof(*rd->foreign->words), compare_words);
	return read_dropins(rd);
}
