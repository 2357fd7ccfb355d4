/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where systemd finds a unit's files.
 *
 * The folders of the load path are listed once each, strongest first. An entry
 * for a name hides the weaker ones. A link into the load path is an alias: it
 * means the other name, wherever that is found; one to its own name is skipped.
 * A link out of it is the unit itself, and one to /dev/null masks it. A folder
 * has hundreds of links; only those are read whose name can matter: the unit's
 * own, and names that have a folder of drop-ins.
 *
 * Drop-ins are the *.conf of these folders, of each folder of the load path:
 *
 *	ID.service.d, with an instance also that of the template,
 *	a-b-.service.d and a-.service.d for an ID of a-b-c.service,
 *	the same of each alias, and service.d
 *
 * sorted by file name over all folders; of one name, that in the folder found
 * first counts (what it holds does not matter: a link to /dev/null is an empty
 * drop-in, and hides all the same). Names that begin with a dot do not count.
 *
 * /lib is the same as /usr/lib on most systems, and then not looked at again.
 *
 * Source: src/basic/path-lookup.c, unit_file_build_name_map() in
 * src/basic/unit-file.c, src/shared/dropin.c, src/basic/conf-files.c of systemd
 * 252.
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "unit/path.h"

static const char *const load_path[] = {
	"/etc/systemd/system.control", "/run/systemd/system.control",
	"/run/systemd/transient",      "/run/systemd/generator.early",
	"/etc/systemd/system",         "/etc/systemd/system.attached",
	"/run/systemd/system",         "/run/systemd/system.attached",
	"/run/systemd/generator",      "/usr/local/lib/systemd/system",
	"/lib/systemd/system",         "/usr/lib/systemd/system",
	"/run/systemd/generator.late",
};

#define ADMIN_FOLDER "/etc/systemd/system"
#define N_FOLDERS    ARRAY_SIZE(load_path)
#define SUFFIX       ".service"
#define ALIASES_MAX  16

struct alias {
	size_t folder;
	char *name, *target;
};

struct search {
	struct kr_fs *fs;
	struct kr_diag *diag;
	struct kr_dir folders[N_FOLDERS];
	struct alias *aliases; /* links to other names, those that were read */
	size_t n_aliases;
	struct kr_strings self; /* paths of links to their own name */
};

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static const struct kr_dir_entry *find_entry(const struct kr_dir *dir,
                                             const char *name)
{
	size_t low = 0, high = dir->n_entries;

	while (low < high) {
		size_t at = (low + high) / 2;
		int order = strcmp(name, dir->entries[at].name);

		if (order == 0)
			return &dir->entries[at];
		if (order < 0)
			high = at;
		else
			low = at + 1;
	}
	return NULL;
}

/* --- links --------------------------------------------------------------- */

/* The name that a link in folder FOLDER to TARGET means; NULL: it leads out of
 * the load path. */
static int link_name(const char *folder, const char *target, char **ret)
{
	_cleanup_free_ char *joined = NULL, *path = NULL;

	*ret = NULL;
	joined = target[0] == '/' ? strdup(target)
	                          : kr_path_join(folder, target);
	path = joined ? kr_path_normalise(joined) : NULL;
	if (!path)
		return -ENOMEM;
	for (size_t i = 0; i < N_FOLDERS; i++) {
		size_t n = strlen(load_path[i]);

		if (strncmp(path, load_path[i], n) != 0 || path[n] != '/')
			continue;
		*ret = strdup(strrchr(path, '/') + 1);
		return *ret ? 0 : -ENOMEM;
	}
	return 0;
}

static int add_alias(struct search *s, size_t folder, const char *name,
                     char *target)
{
	struct alias alias = {folder, strdup(name), target};

	if (alias.name && KR_VEC_MOVE(s->aliases, s->n_aliases, &alias) == 0)
		return 0;
	free(alias.name);
	free(target);
	return -ENOMEM;
}

static const struct alias *find_alias(const struct search *s, const char *name)
{
	return KR_FIND(s->aliases, s->n_aliases, name, name);
}

/* Reads the strongest entry NAME, if it is a link. */
static int read_link(struct search *s, const char *name)
{
	_cleanup_stat_ struct kr_stat st = {0};
	_cleanup_free_ char *path = NULL, *means = NULL;
	const struct kr_dir_entry *e = NULL;
	size_t folder = 0;
	int r;

	for (; !e && folder < N_FOLDERS; folder++)
		e = find_entry(&s->folders[folder], name);
	if (!e || e->type != DT_LNK || !ends_with(name, SUFFIX))
		return 0;
	folder--;
	path = kr_path_join(load_path[folder], name);
	if (!path)
		return -ENOMEM;
	r = kr_fs_stat(s->fs, path, false, &st);
	if (r < 0 || !st.target) /* gone since: systemd skips it, too */
		return r == -ENOMEM ? r : 0;
	r = link_name(load_path[folder], st.target, &means);
	if (r < 0 || !means)
		return r;
	if (strcmp(means, name) != 0)
		return add_alias(s, folder, name, TAKE_PTR(means));
	return kr_strings_consume(&s->self, TAKE_PTR(path));
}

/* Reads NAME and, where it is an alias, what it means, and so on. RET is the
 * last of them, which belongs to S or is NAME. */
static int follow(struct search *s, const char *name, const char **ret)
{
	const struct alias *alias;

	for (unsigned n = 0; n < ALIASES_MAX; n++) {
		int r = find_alias(s, name) ? 0 : read_link(s, name);

		if (r < 0)
			return r;
		alias = find_alias(s, name);
		if (!alias)
			break;
		name = alias->target;
	}
	*ret = name;
	return 0;
}

/* The length of NAME without its instance and suffix. */
static size_t stem_length(const char *name)
{
	const char *at = strchr(name, '@');

	return (size_t)((at ? at : strrchr(name, '.')) - name);
}

/* Whether there may be drop-ins for the alias NAME: FOLDERS, "x.service" of
 * each "x.service.d", have its name, a template of it, or a shorter one that
 * ends with '-'. */
static bool has_dropins(const struct kr_strings *folders, const char *name)
{
	size_t length = stem_length(name);

	for (size_t i = 0; i < folders->n_items; i++) {
		const char *folder = folders->items[i];
		size_t n = stem_length(folder);

		if (n > 0 && n <= length && memcmp(folder, name, n) == 0 &&
		    (n == length || folder[n - 1] == '-'))
			return true;
	}
	return false;
}

/* The names that have a folder of drop-ins, but for "service" itself. */
static int find_folders(const struct search *s, struct kr_strings *ret)
{
	for (size_t i = 0; i < N_FOLDERS; i++) {
		for (size_t k = 0; k < s->folders[i].n_entries; k++) {
			const char *name = s->folders[i].entries[k].name;
			size_t n = strlen(name);
			int r;

			if (!ends_with(name, SUFFIX ".d"))
				continue;
			r = kr_strings_consume(ret, strndup(name, n - 2));
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Reads the aliases that have drop-ins, whatever they mean. */
static int read_aliases(struct search *s)
{
	_cleanup_strings_ struct kr_strings folders = {0};
	int r = find_folders(s, &folders);

	for (size_t i = 0; i < N_FOLDERS; i++) {
		KR_EACH(const struct kr_dir_entry, e, s->folders[i].entries,
		        s->folders[i].n_entries) {
			const char *last;

			if (r < 0)
				return r;
			if (e->type == DT_LNK && ends_with(e->name, SUFFIX) &&
			    has_dropins(&folders, e->name))
				r = follow(s, e->name, &last);
		}
	}
	return r;
}

/* --- folders ------------------------------------------------------------- */

/* Whether the folder is /usr/lib's under another name. */
static bool is_merged(struct search *s, const char *folder)
{
	char target[16];

	return strncmp(folder, "/lib/", 5) == 0 &&
	       kr_fs_is_link(s->fs, "lib", target, sizeof(target)) &&
	       (strcmp(target, "usr/lib") == 0 ||
	        strcmp(target, "/usr/lib") == 0);
}

/* What has PART in its name. A folder that is not there has no entries. */
static int list_folder(struct search *s, const char *path, const char *part,
                       struct kr_dir *ret)
{
	int r = kr_fs_list_some(s->fs, path, part, ret);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0 && r != -ENOMEM)
		kr_diag_add_path(s->diag, KR_ERROR, "folder-unreadable", path,
		                 "folder cannot be read: %s",
		                 kr_fs_strerror(-r));
	return r;
}

static int list_folders(struct search *s)
{
	for (size_t i = 0; i < N_FOLDERS; i++) {
		int r = is_merged(s, load_path[i])
		                ? 0
		                : list_folder(s, load_path[i], "service",
		                              &s->folders[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the fragment -------------------------------------------------------- */

static int check_mask(const struct search *s, struct kr_unit_files *files)
{
	_cleanup_stat_ struct kr_stat st = {0};
	int r = kr_fs_stat(s->fs, files->fragment, false, &st);

	if (r == -ENOENT)
		return 0;
	if (r < 0 && r != -ENOMEM)
		kr_diag_add_path(s->diag, KR_ERROR, "file-unreadable",
		                 files->fragment, "cannot be looked at: %s",
		                 kr_fs_strerror(-r));
	if (r < 0)
		return r;
	files->masked = st.target && strcmp(st.target, "/dev/null") == 0;
	return 0;
}

/* The strongest entry NAME that is no alias: the fragment. It stays NULL where
 * there is none. */
static int find_path(const struct search *s, const char *name,
                     struct kr_unit_files *files)
{
	for (size_t i = 0; i < N_FOLDERS; i++) {
		const struct kr_dir_entry *e = find_entry(&s->folders[i], name);
		_cleanup_free_ char *path = NULL;

		if (!e || e->type == DT_DIR)
			continue;
		path = kr_path_join(load_path[i], name);
		if (!path)
			return -ENOMEM;
		if (kr_strings_contain(&s->self, path))
			continue;
		files->fragment = TAKE_PTR(path);
		return e->type == DT_REG ? 0 : check_mask(s, files);
	}
	return 0;
}

/* "x@.service" of "x@y.service"; NULL where NAME has no instance. */
static char *template_of(const char *name)
{
	const char *at = strchr(name, '@');
	const char *dot = strrchr(name, '.');
	char *out;

	if (!at || !dot || dot < at + 2)
		return NULL;
	if (asprintf(&out, "%.*s%s", (int)(at + 1 - name), name, dot) < 0)
		return NULL;
	return out;
}

static int find_fragment(struct search *s, const char *name,
                         struct kr_unit_files *files)
{
	const char *id;
	int r = follow(s, name, &id);

	if (r < 0)
		return r;
	free(files->id);
	files->id = strdup(id);
	return files->id ? find_path(s, id, files) : -ENOMEM;
}

static int by_target(const void *a, const void *b)
{
	const struct alias *const *x = a, *const *y = b;
	int r = strcmp((*x)->target, (*y)->target);

	if (r != 0)
		return r;
	/* strongest first */
	if ((*x)->folder != (*y)->folder)
		return (*x)->folder < (*y)->folder ? -1 : 1;
	return strcmp((*x)->name, (*y)->name);
}

/* The first of SORTED, all aliases by their target, that means NAME. */
static size_t first_of(const struct search *s, struct alias *const *sorted,
                       const char *name)
{
	size_t first = 0, end = s->n_aliases;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (strcmp(sorted[middle]->target, name) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

/* ID, which NAMES holds, and all names that are links to it, by way of others,
 * too. */
static int find_names(const struct search *s, struct kr_strings *names)
{
	_cleanup_free_ struct alias **sorted =
		calloc(s->n_aliases + 1, sizeof(*sorted));
	size_t n = s->n_aliases;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &s->aliases[i];
	qsort(sorted, n, sizeof(*sorted), by_target);
	for (size_t done = 0; done < names->n_items; done++) {
		const char *name = names->items[done];

		for (size_t i = first_of(s, sorted, name);
		     i < n && strcmp(sorted[i]->target, name) == 0; i++) {
			const char *alias = sorted[i]->name;
			int r;

			/* one name has one target: it comes once, but for
			 * what was there first, of a ring */
			if (strcmp(alias, names->items[0]) == 0)
				continue;
			r = kr_strings_add(names, alias);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* --- drop-ins ------------------------------------------------------------ */

struct dropins {
	struct kr_strings names, paths; /* in pairs */
	struct kr_strings unread;
};

static void dropins_done(struct dropins *dropins)
{
	kr_strings_done(&dropins->names);
	kr_strings_done(&dropins->paths);
	kr_strings_done(&dropins->unread);
}

static bool contains_first(const struct kr_strings *strings, size_t n,
                           const char *s)
{
	const struct kr_strings first = {strings->items, n};

	return kr_strings_contain(&first, s);
}

static int add_dropins(struct search *s, const char *folder,
                       struct dropins *dropins)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	/* a folder has a name but once: only other folders can hide it */
	size_t n_before = dropins->names.n_items;
	int r = list_folder(s, folder, "", &dir);

	if (r < 0)
		return r;
	for (size_t i = 0; i < dir.n_entries; i++) {
		const char *name = dir.entries[i].name;
		bool read = ends_with(name, ".conf");

		if (name[0] == '.' ||
		    (!read && dir.entries[i].type == DT_DIR) ||
		    contains_first(&dropins->names, n_before, name))
			continue;
		if (!read) {
			r = kr_strings_consume(&dropins->unread,
			                       kr_path_join(folder, name));
			if (r < 0)
				return r;
			continue;
		}
		r = kr_strings_add(&dropins->names, name);
		if (r < 0)
			return r;
		r = kr_strings_consume(&dropins->paths,
		                       kr_path_join(folder, name));
		if (r < 0)
			return r;
	}
	return 0;
}

/* The drop-in folder of NAME in folder I. With ALWAYS it is looked for even if
 * the folder does not list it: a plan may add it, in ADMIN_FOLDER alone, by the
 * name that was asked for. */
static int add_name(struct search *s, size_t i, const char *name, bool always,
                    struct dropins *dropins)
{
	_cleanup_free_ char *path = NULL, *base = NULL;

	if (asprintf(&base, "%s.d", name) < 0) {
		base = NULL;
		return -ENOMEM;
	}
	if (!always && !find_entry(&s->folders[i], base))
		return 0;
	path = kr_path_join(load_path[i], base);
	return path ? add_dropins(s, path, dropins) : -ENOMEM;
}

/* "a-b-.service" of "a-b-c.service", "a-.service" of that. 0: there is none. */
static int shorten(const char *name, char **ret)
{
	size_t length = strcspn(name, "@");
	const char *dot = strrchr(name, '.');
	const char *at = strchr(name, '@');

	if (!at && dot)
		length = (size_t)(dot - name);
	if (length > 0 && name[length - 1] == '-')
		length--;
	while (length > 0 && name[length - 1] != '-')
		length--;
	if (length <= 1)
		return 0;
	if (asprintf(ret, "%.*s%s", (int)length, name, at ? at : dot) < 0)
		return -ENOMEM;
	return 1;
}

static int add_names(struct search *s, size_t i, const char *name, bool always,
                     struct dropins *dropins)
{
	_cleanup_free_ char *part = strdup(name);

	if (!part)
		return -ENOMEM;
	for (;;) {
		_cleanup_free_ char *instanced = template_of(part);
		char *shorter = NULL;
		int r = add_name(s, i, part, always, dropins);

		if (r < 0)
			return r;
		r = instanced ? add_name(s, i, instanced, false, dropins) : 0;
		if (r < 0)
			return r;
		r = shorten(part, &shorter);
		if (r <= 0)
			return r;
		always = false;
		free(part);
		part = shorter;
	}
}

struct pair {
	char *name, *path;
};

static int by_name(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int sort_dropins(struct dropins *d, struct kr_strings *ret)
{
	size_t n = d->paths.n_items;
	_cleanup_free_ struct pair *pairs = calloc(n + 1, sizeof(*pairs));

	if (!pairs)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		pairs[i] = (struct pair){d->names.items[i], d->paths.items[i]};
	qsort(pairs, n, sizeof(*pairs), by_name);
	for (size_t i = 0; i < n; i++)
		d->paths.items[i] = pairs[i].path;
	*ret = TAKE(d->paths);
	return 0;
}

int kr_conf_files_find(struct kr_fs *fs, const char *const *folders, size_t n,
                       struct kr_diag *diag, struct kr_strings *ret)
{
	_cleanup_(dropins_done) struct dropins dropins = {0};
	struct search s = {.fs = fs, .diag = diag};

	for (size_t i = 0; i < n; i++) {
		int r = add_dropins(&s, folders[i], &dropins);

		if (r < 0)
			return r;
	}
	return sort_dropins(&dropins, ret);
}

/* Of the unit that was asked for as ASKED, its own name or an alias. */
static int find_dropins(struct search *s, const char *asked,
                        struct kr_unit_files *files)
{
	_cleanup_(dropins_done) struct dropins dropins = {0};
	int r;

	for (size_t n = 0; n < files->names.n_items; n++) {
		for (size_t i = 0; i < N_FOLDERS; i++) {
			const char *name = files->names.items[n];
			bool always = (n == 0 || strcmp(name, asked) == 0) &&
			              strcmp(load_path[i], ADMIN_FOLDER) == 0;

			r = add_names(s, i, name, always, &dropins);
			if (r < 0)
				return r;
		}
	}
	for (size_t i = 0; i < N_FOLDERS; i++) {
		r = add_name(s, i, "service", false, &dropins);
		if (r < 0)
			return r;
	}
	files->unread = TAKE(dropins.unread);
	return sort_dropins(&dropins, &files->dropins);
}

/* --- all of them --------------------------------------------------------- */

static int find_all(struct search *s, const char *name,
                    struct kr_unit_files *files)
{
	_cleanup_free_ char *template = template_of(name);
	int r = list_folders(s);

	if (r < 0)
		return r;
	r = find_fragment(s, name, files);
	if (r < 0)
		return r;
	if (!files->fragment && template) {
		r = find_fragment(s, template, files);
		if (r < 0)
			return r;
		free(files->id);
		files->id = strdup(name);
		if (!files->id)
			return -ENOMEM;
	}
	r = kr_strings_add(&files->names, files->id);
	if (r < 0)
		return r;
	r = read_aliases(s);
	if (r < 0)
		return r;
	r = find_names(s, &files->names);
	return r < 0 ? r : find_dropins(s, name, files);
}

int kr_unit_files_find(struct kr_fs *fs, const char *name, struct kr_diag *diag,
                       struct kr_unit_files *ret)
{
	_cleanup_unit_files_ struct kr_unit_files files = {0};
	struct search s = {.fs = fs, .diag = diag};
	int r = find_all(&s, name, &files);

	for (size_t i = 0; i < N_FOLDERS; i++)
		kr_dir_done(&s.folders[i]);
	for (size_t i = 0; i < s.n_aliases; i++) {
		free(s.aliases[i].name);
		free(s.aliases[i].target);
	}
	free(s.aliases);
	kr_strings_done(&s.self);
	if (r < 0)
		return r;
	*ret = TAKE(files);
	return 0;
}

void kr_unit_files_done(struct kr_unit_files *files)
{
	free(files->id);
	free(files->fragment);
	kr_strings_done(&files->names);
	kr_strings_done(&files->dropins);
	kr_strings_done(&files->unread);
	*files = (struct kr_unit_files){0};
}

struct kr_unit_files *kr_unit_files_free(struct kr_unit_files *files)
{
	if (files)
		kr_unit_files_done(files);
	free(files);
	return NULL;
}
