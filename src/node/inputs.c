/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What one kubelet reads at its start.
 *
 * The walk of --config-dir is Go's filepath.WalkDir as kubelet calls it: each
 * folder's entries in the order of their bytes, a sub-folder's content in its
 * place; only names whose extension is ".conf" are read; a link is never walked
 * into, but read where its name fits (and stops kubelet where it is a folder);
 * the folder itself is not followed either when it is a link, unless written
 * with a slash behind it.
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "kubelet/validate.h"
#include "node/inputs.h"

#define FOLDERS_DEEP 64
#define FILES_MAX    ((size_t)10000) /* each takes some kilobytes here */

struct reading {
	struct kr_fs *fs;
	struct kr_diag *diag;
	struct kr_inputs *in;
};

static char *absolute(const char *path, const char *working_directory)
{
	if (*path == '/')
		return strdup(path);
	return kr_path_join(working_directory ? working_directory : "/", path);
}

/* --config goes through Go's filepath.Abs, which takes "x/.." away by its words
 * and asks no file system whether there is an x; --config-dir does not. */
static char *cleaned(const char *path, const char *working_directory)
{
	_cleanup_free_ char *full = absolute(path, working_directory);

	return full ? kr_path_normalise(full) : NULL;
}

/*
 * A file that kubelet needs could not be read. What kubelet itself would meet,
 * too, is INVALID; what only stops us is UNKNOWN.
 */
static int cannot_read(struct reading *rd, const char *path, int error)
{
	const char *why = error == -EINVAL ? "not a regular file"
	                                   : kr_fs_strerror(-error);
	bool kubelet_too = error == -ENOENT || error == -EISDIR ||
	                   error == -ENOTDIR || error == -ELOOP ||
	                   error == -ENAMETOOLONG;

	if (error == -ENOMEM)
		return error;
	kr_diag_add_path(rd->diag, KR_ERROR, "file-unreadable", path,
	                 kubelet_too ? "kubelet cannot read it: %s"
	                             : "cannot read it: %s",
	                 why);
	return kr_inputs_fault(
		rd->in, kubelet_too ? KR_STATE_INVALID : KR_STATE_UNKNOWN,
		kubelet_too ? "kubelet cannot read %s: %s"
			    : "cannot read %s: %s",
		path, why);
}

/* More than is read: WHAT. kubelet would read it. */
static int too_much(struct reading *rd, const char *what)
{
	const char *dir = rd->in->config_dir;

	kr_diag_add_path(rd->diag, KR_ERROR, "config-too-large", dir,
	                 "the configuration is too large to be read: it has "
	                 "%s",
	                 what);
	return kr_inputs_fault(
		rd->in, KR_STATE_UNKNOWN,
		"the configuration is too large to be read: %s has %s", dir,
		what);
}

static int add_file(struct reading *rd, const char *path)
{
	struct kr_inputs *in = rd->in;
	const struct kr_file *file;
	int r;

	if (in->n_files == FILES_MAX)
		return too_much(rd, "more than 9999 files");
	r = kr_fs_read(rd->fs, path, &file);
	if (r < 0)
		return cannot_read(rd, path, r);
	return KR_VEC_MOVE(in->files, in->n_files, &file);
}

static int walk_folder(struct reading *rd, const char *path, unsigned depth)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	int r;

	if (depth > FOLDERS_DEEP)
		return too_much(rd, "folders that are more than 64 deep");
	r = kr_fs_list(rd->fs, path, &dir);
	if (r < 0)
		return cannot_read(rd, path, r);
	r = kr_strings_add(&rd->in->folders, path);
	if (r < 0)
		return r;
	KR_EACH(const struct kr_dir_entry, e, dir.entries, dir.n_entries) {
		_cleanup_free_ char *child = kr_path_join(path, e->name);

		if (!child)
			return -ENOMEM;
		if (e->type == DT_DIR)
			r = walk_folder(rd, child, depth + 1);
		else if (kr_dropin_name(e->name))
			r = add_file(rd, child);
		if (r < 0)
			return r;
	}
	return 0;
}

static int walk_config_dir(struct reading *rd)
{
	const char *path = rd->in->config_dir;
	size_t length = strlen(path);
	bool slash = length > 1 && path[length - 1] == '/';
	struct stat st;
	const char *name = strrchr(path, '/') + 1;
	int r = kr_fs_look(rd->fs, path, slash, &st);

	if (r < 0)
		return cannot_read(rd, path, r);
	if (S_ISDIR(st.st_mode))
		return walk_folder(rd, path, 0);
	if (kr_dropin_name(name))
		return add_file(rd, path);
	kr_diag_add_path(
		rd->diag, KR_WARNING, "config-dir-ignored", path,
		S_ISLNK(st.st_mode)
			? "a link, which kubelet does not follow: no "
			  "file in it is read (a slash behind the path "
			  "would make it so)"
			: "neither a folder nor a .conf file: kubelet "
			  "reads nothing there");
	return 0;
}

static bool is_doubted(const struct kr_inputs_options *options, size_t arg)
{
	return options->doubts && options->doubts[arg];
}

/* --- credentials ---------------------------------------------------------- */

/* Why credential C of the unit is unknown; NULL: it is the file SOURCE. */
static const char *credential_doubt(struct reading *rd,
                                    const struct kr_unit_credential *c,
                                    const char *path)
{
	struct stat st;
	int r;

	if (!c->source || c->kind != KR_CREDENTIAL_LOAD)
		return "gives it when the service starts";
	r = kr_fs_look(rd->fs, c->source, true, &st);
	if (r == -ENOENT) /* a text may stand in its place */
		return "loads it from a file that is not there";
	if (r < 0)
		return "loads it from a file that cannot be looked at";
	if (S_ISDIR(st.st_mode))
		return "loads it from a folder";
	return strcmp(c->path, path) == 0 && S_ISREG(st.st_mode)
	               ? NULL
	               : "loads it from something that is not a file";
}

/* Whether PATH is the credential C, or may be one of those that it gives: a
 * folder's are NAME_FILE, an imported one has any name. */
static bool credential_fits(struct reading *rd,
                            const struct kr_unit_credential *c,
                            const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	size_t folder = (size_t)(strrchr(c->path, '/') + 1 - c->path);
	size_t length = strlen(c->name);
	struct stat st;

	if (strncmp(c->path, path, folder) != 0)
		return false;
	if (c->kind == KR_CREDENTIAL_IMPORT || strcmp(c->name, name) == 0)
		return true;
	return c->source && strncmp(name, c->name, length) == 0 &&
	       name[length] == '_' &&
	       kr_fs_look(rd->fs, c->source, true, &st) == 0 &&
	       S_ISDIR(st.st_mode);
}

/*
 * The credential at PATH: *RET is the file that it is loaded from, where that
 * is known; else it is said why not, and *RET is NULL. What is no credential
 * is PATH itself. A file that is loaded comes before a text that is set.
 */
static int find_credential(struct reading *rd,
                           const struct kr_inputs_options *options,
                           const char *path, const char **ret)
{
	const struct kr_unit *unit = options->unit;
	const struct kr_unit_credential *found = NULL;
	unsigned line = 0, column = 0;
	const char *doubt;

	*ret = path;
	for (size_t i = 0; unit && i < unit->n_credentials; i++) {
		const struct kr_unit_credential *c = &unit->credentials[i];

		if (credential_fits(rd, c, path) &&
		    (!found || c->kind < found->kind))
			found = c;
	}
	if (!found)
		return 0;
	doubt = credential_doubt(rd, found, path);
	*ret = doubt ? NULL : found->source;
	if (!doubt)
		return 0;
	kr_span_position(found->span, &line, &column);
	return kr_inputs_fault(rd->in, KR_STATE_UNKNOWN,
	                       "%s is a credential, and %s= (%s:%u:%u) %s",
	                       path, found->directive, found->span.file->path,
	                       line, column, doubt);
}

/* --config-dir in the folder of the credentials: they are not listed. */
static bool is_of_credentials(const struct kr_inputs_options *options,
                              const char *dir)
{
	_cleanup_free_ char *normal = kr_path_normalise(dir);
	const struct kr_unit *unit = options->unit;

	for (size_t i = 0; normal && unit && i < unit->n_credentials; i++) {
		const char *path = unit->credentials[i].path;
		size_t folder = (size_t)(strrchr(path, '/') - path);

		if (strncmp(normal, path, folder) == 0 &&
		    (!normal[folder] || normal[folder] == '/'))
			return true;
	}
	return false;
}

static int read_config(struct reading *rd,
                       const struct kr_inputs_options *options)
{
	struct kr_inputs *in = rd->in;
	const char *path;
	int r = find_credential(rd, options, in->config_path, &path);

	if (r < 0 || !path)
		return r;
	r = add_file(rd, path);
	if (r < 0)
		return r;
	in->config_read = in->n_files == 1;
	in->config_copied = path != in->config_path;
	return 0;
}

static int read_config_dir(struct reading *rd,
                           const struct kr_inputs_options *options)
{
	if (is_of_credentials(options, rd->in->config_dir))
		return kr_inputs_fault(
			rd->in, KR_STATE_UNKNOWN,
			"%s is the folder of the service's credentials, "
			"which systemd makes when the service starts",
			rd->in->config_dir);
	return walk_config_dir(rd);
}

/* Whether the path that FIELD's flag names is not known. */
static bool is_named_in_doubt(const struct kr_inputs *in,
                              const struct kr_inputs_options *options,
                              int field)
{
	const struct kr_flag_use *last = kr_flags_last(&in->flags, field);

	return last && is_doubted(options, last->value_arg);
}

static int read_files(struct reading *rd,
                      const struct kr_inputs_options *options)
{
	struct kr_inputs *in = rd->in;
	const char *config =
		options->config ? options->config
				: kr_flags_text(&in->flags, KR_FIELD_CONFIG);
	const char *dir = kr_flags_text(&in->flags, KR_FIELD_CONFIG_DIR);
	int r;

	if (!options->config && is_named_in_doubt(in, options, KR_FIELD_CONFIG))
		config = NULL;
	if (is_named_in_doubt(in, options, KR_FIELD_CONFIG_DIR))
		dir = NULL;
	if (config && *config) {
		in->config_path = cleaned(config, options->working_directory);
		if (!in->config_path)
			return -ENOMEM;
		r = read_config(rd, options);
		if (r < 0)
			return r;
	}
	if (!dir || !*dir)
		return 0;
	in->config_dir = absolute(dir, options->working_directory);
	if (!in->config_dir)
		return -ENOMEM;
	return read_config_dir(rd, options);
}

/* Where the version is not known and matters, as the other merges have the
 * files, too. */
static int parse_files(struct kr_inputs *in, struct kr_diag *found)
{
	int r = kr_merge_parse(in->files, in->n_files, !in->config_read,
	                       in->kubelet_minor, found, &in->merged);

	if (r < 0 || in->kubelet_minor != 0 || in->n_files <= in->config_read)
		return r;
	r = kr_merge_parse_as(in->files, in->n_files, !in->config_read, 31,
	                      &in->merged, &in->older);
	if (r < 0)
		return r;
	in->older_valid = true;
	return kr_merge_parse_as(in->files, in->n_files, !in->config_read, 28,
	                         &in->merged, &in->oldest);
}

static int merge(struct reading *rd)
{
	struct kr_inputs *in = rd->in;
	_cleanup_diag_ struct kr_diag found = {0};
	const struct kr_message *error;
	int r;

	if (in->n_files == 0)
		return 0;
	r = kr_diag_result(&found, parse_files(in, &found));
	error = kr_diag_first(&found, KR_ERROR);
	if (r == -EFBIG) {
		_cleanup_free_ char *why = kr_diag_reason(&found, "");

		r = why ? kr_inputs_fault(in, KR_STATE_UNKNOWN, "%s", why)
		        : -ENOMEM;
		kr_diag_merge(rd->diag, &found);
		return r;
	}
	if (r < 0)
		return r;
	in->merged_valid = true;
	if (error && in->merged.fault == KR_STATE_INVALID)
		r = kr_format(&in->merge_error, "%s", error->text);
	if (in->older_valid && in->merged.fault != in->older.fault) {
		for (size_t i = 0; i < found.n_messages; i++) {
			if (found.messages[i].severity == KR_ERROR)
				found.messages[i].severity = KR_WARNING;
		}
	}
	kr_diag_merge(rd->diag, &found);
	return r;
}

/* --- arguments that are not known ---------------------------------------- */

/* "--name=...": whatever it is, the words behind it are what they look like. */
static bool is_whole_flag(const char *word)
{
	return strncmp(word, "--", 2) == 0 && strchr(word, '=');
}

/* Whether R would not have been said if we knew all arguments. */
static bool is_derived(const struct kr_inputs *in,
                       const struct kr_inputs_options *options,
                       const struct kr_flags_remark *r)
{
	const char *word = in->argv[r->arg];

	if (is_doubted(options, r->arg))
		return true;
	/* the value is the next word */
	return *word == '-' && !strchr(word, '=') && r->arg + 1 < in->argc &&
	       is_doubted(options, r->arg + 1) &&
	       (strcmp(r->code, "flag-value") == 0 ||
	        strcmp(r->code, "flag-swallows") == 0);
}

/* Whether the argument ARG, which is not known, is that of FIELD's flag. */
static bool is_of(const struct kr_inputs *in, int field, size_t arg)
{
	const struct kr_flag_use *last = kr_flags_last(&in->flags, field);

	return last && last->value_arg == arg;
}

/*
 * Whether the argument ARG, which is not known, matters for every field: it
 * does not if it is visibly the value of a flag that takes it as it is written,
 * as "--node-ip=..." can be what it will.
 */
static bool doubt_matters(const struct kr_inputs *in,
                          const struct kr_inputs_options *options, size_t arg)
{
	const struct kr_flags *flags = &in->flags;

	if (!is_whole_flag(in->argv[arg]))
		return true;
	for (size_t i = 0; i < flags->n_remarks; i++) {
		if (flags->remarks[i].severity == KR_ERROR &&
		    flags->remarks[i].arg == arg)
			return true;
	}
	return (!options->config && is_of(in, KR_FIELD_CONFIG, arg)) ||
	       is_of(in, KR_FIELD_CONFIG_DIR, arg);
}

/* The fields whose flag is in the argument ARG are in doubt. */
static void doubt_fields(struct kr_inputs *in, size_t arg, const char *doubt)
{
	for (int field = 0; field < KR_N_FIELDS; field++) {
		if (!in->doubts[field] &&
		    kr_flags_is_use(&in->flags, field, arg))
			in->doubts[field] = doubt;
	}
}

/* No fault is kept that may not be one: behind a word that may be a flag,
 * the next one may be its value. */
static void forget_derived(struct kr_inputs *in,
                           const struct kr_inputs_options *options)
{
	struct kr_flags *flags = &in->flags;
	size_t n = 0, loose = 1;

	while (loose < in->argc &&
	       (!is_doubted(options, loose) || is_whole_flag(in->argv[loose])))
		loose++;
	for (size_t i = 0; i < flags->n_remarks; i++) {
		struct kr_flags_remark r = flags->remarks[i];

		if (is_derived(in, options, &r)) {
			free(r.text);
			continue;
		}
		if (r.severity == KR_ERROR && r.arg >= loose)
			r.severity = KR_WARNING;
		flags->remarks[n++] = r;
	}
	flags->n_remarks = n;
	n = 0;
	for (size_t i = 0; i < flags->n_uses; i++) {
		if (!is_doubted(options, flags->uses[i].arg))
			flags->uses[n++] = flags->uses[i];
	}
	flags->n_uses = n;
	flags->refused = false;
	flags->unknown = true;
}

static int settle_doubts(struct reading *rd,
                         const struct kr_inputs_options *options)
{
	struct kr_inputs *in = rd->in;

	for (size_t i = 1; i < in->argc && in->unknown_arg == 0; i++) {
		if (!is_doubted(options, i))
			continue;
		if (doubt_matters(in, options, i))
			in->unknown_arg = i;
		else
			doubt_fields(in, i, options->doubts[i]);
	}
	if (in->unknown_arg == 0)
		return 0;
	forget_derived(in, options);
	return kr_inputs_fault(in, KR_STATE_UNKNOWN, "%s",
	                       options->doubts[in->unknown_arg]);
}

/*
 * The flag came with 1.28; until 1.29 it was alpha, and a kubelet that finds it
 * without the variable, whatever that is set to, ends.
 */
static const char *refuse_config_dir(const struct kr_inputs *in,
                                     const struct kr_inputs_options *options)
{
	const char *dir = kr_flags_text(&in->flags, KR_FIELD_CONFIG_DIR);

	if (!dir || !*dir || !options->no_alpha || in->kubelet_minor > 29 ||
	    (in->kubelet_minor > 0 && in->kubelet_minor < 28))
		return NULL;
	return "kubelet 1.28 and 1.29 take --config-dir only with "
	       "KUBELET_CONFIG_DROPIN_DIR_ALPHA in their environment";
}

static int judge_flags(struct reading *rd)
{
	const struct kr_flags *flags = &rd->in->flags;

	if (flags->never_runs)
		return kr_inputs_fault(
			rd->in, KR_STATE_INVALID,
			"kubelet would print its help or version and exit");
	if (rd->in->config_dir_refusal && rd->in->kubelet_minor > 0)
		return kr_inputs_fault(rd->in, KR_STATE_INVALID,
		                       "kubelet would refuse its arguments: %s",
		                       rd->in->config_dir_refusal);
	if (!flags->refused)
		return 0;
	for (size_t i = 0; i < flags->n_remarks; i++) {
		if (flags->remarks[i].severity == KR_ERROR)
			return kr_inputs_fault(
				rd->in, KR_STATE_INVALID,
				"kubelet would refuse its arguments: %s",
				flags->remarks[i].text);
	}
	return kr_inputs_fault(rd->in, KR_STATE_INVALID,
	                       "kubelet would refuse its arguments");
}

int kr_inputs_read(struct kr_fs *fs, const char *const *argv, size_t argc,
                   const struct kr_inputs_options *options,
                   struct kr_diag *diag, struct kr_inputs *ret)
{
	_cleanup_inputs_ struct kr_inputs in = {
		.kubelet_minor = options->kubelet_minor,
		.openshift = options->openshift,
		.wrapped = options->wrapped,
	};
	struct reading rd = {.fs = fs, .diag = diag, .in = &in};
	int r;

	in.argv = options->argv_lives ? calloc(argc + 1, sizeof(*in.argv))
	                              : kr_strings_pack(argv, argc);
	if (!in.argv)
		return -ENOMEM;
	if (options->argv_lives)
		memcpy(in.argv, argv, argc * sizeof(*in.argv));
	in.argc = argc;
	r = kr_flags_parse((const char *const *)in.argv, in.argc, &in.flags);
	if (r < 0)
		return r;
	r = settle_doubts(&rd, options);
	if (r < 0)
		return r;
	if (in.unknown_arg == 0)
		r = kr_flags_refuse(&in.flags, in.kubelet_minor);
	if (r < 0)
		return r;
	in.version_matters =
		in.kubelet_minor == 0 && kr_flags_have_unknown(&in.flags);
	in.config_dir_refusal = refuse_config_dir(&in, options);
	r = judge_flags(&rd);
	if (r < 0)
		return r;
	in.argv_refused = in.fault_reason;
	r = read_files(&rd, options);
	if (r < 0)
		return r;
	r = merge(&rd);
	if (r < 0)
		return r;
	if (!in.fault_reason && in.merged.fault == KR_STATE_ABSENT) {
		r = kr_validate(&in, diag);
		if (r < 0)
			return r;
	}
	*ret = TAKE(in);
	return 0;
}
