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

static int copy_argv(struct kr_inputs *in, const char *const *argv, size_t argc)
{
	in->argv = calloc(argc + 1, sizeof(char *));
	if (!in->argv)
		return -ENOMEM;
	for (; in->argc < argc; in->argc++) {
		in->argv[in->argc] = strdup(argv[in->argc]);
		if (!in->argv[in->argc])
			return -ENOMEM;
	}
	return 0;
}

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
	const struct kr_file **next;
	const struct kr_file *file;
	int r;

	if (in->n_files == FILES_MAX)
		return too_much(rd, "more than 9999 files");
	r = kr_fs_read(rd->fs, path, &file);
	if (r < 0)
		return cannot_read(rd, path, r);
	next = KR_VEC_NEXT(in->files, in->n_files);
	if (!next)
		return -ENOMEM;
	*next = file;
	in->n_files++;
	return 0;
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
	for (size_t i = 0; r == 0 && i < dir.n_entries; i++) {
		const struct kr_dir_entry *e = &dir.entries[i];
		_cleanup_free_ char *child = kr_path_join(path, e->name);

		if (!child)
			return -ENOMEM;
		if (e->type == DT_DIR)
			r = walk_folder(rd, child, depth + 1);
		else if (kr_dropin_name(e->name))
			r = add_file(rd, child);
	}
	return r;
}

static int walk_config_dir(struct reading *rd)
{
	const char *path = rd->in->config_dir;
	size_t length = strlen(path);
	bool slash = length > 1 && path[length - 1] == '/';
	_cleanup_stat_ struct kr_stat st = {0};
	const char *name = strrchr(path, '/') + 1;
	int r = kr_fs_stat(rd->fs, path, slash, &st);

	if (r < 0)
		return cannot_read(rd, path, r);
	if (S_ISDIR(st.st.st_mode))
		return walk_folder(rd, path, 0);
	if (kr_dropin_name(name))
		return add_file(rd, path);
	kr_diag_add_path(
		rd->diag, KR_WARNING, "config-dir-ignored", path,
		S_ISLNK(st.st.st_mode)
			? "a link, which kubelet does not follow: no "
			  "file in it is read (a slash behind the path "
			  "would make it so)"
			: "neither a folder nor a .conf file: kubelet "
			  "reads nothing there");
	return 0;
}

static int read_files(struct reading *rd,
                      const struct kr_inputs_options *options)
{
	struct kr_inputs *in = rd->in;
	const char *config =
		options->config ? options->config
				: kr_flags_text(&in->flags, KR_FIELD_CONFIG);
	const char *dir = kr_flags_text(&in->flags, KR_FIELD_CONFIG_DIR);
	int r = 0;

	if (config && *config) {
		in->config_path = cleaned(config, options->working_directory);
		if (!in->config_path)
			return -ENOMEM;
		r = add_file(rd, in->config_path);
		in->config_read = r == 0 && in->n_files == 1;
	}
	if (r == 0 && dir && *dir) {
		in->config_dir = absolute(dir, options->working_directory);
		if (!in->config_dir)
			return -ENOMEM;
		r = walk_config_dir(rd);
	}
	return r;
}

/* The same files, as the other merges have them. */
static int merge_older(struct kr_inputs *in)
{
	int r = kr_merge_parse(in->files, in->n_files, !in->config_read, 31,
	                       NULL, &in->older);

	if (r < 0)
		return r;
	in->older_valid = true;
	return kr_merge_parse(in->files, in->n_files, !in->config_read, 28,
	                      NULL, &in->oldest);
}

static int merge(struct reading *rd)
{
	struct kr_inputs *in = rd->in;
	_cleanup_diag_ struct kr_diag found = {0};
	const struct kr_message *error;
	int r;

	if (in->n_files == 0)
		return 0;
	r = kr_merge_parse(in->files, in->n_files, !in->config_read,
	                   in->kubelet_minor, &found, &in->merged);
	if (r == 0 && in->kubelet_minor == 0 && in->n_files > in->config_read)
		r = merge_older(in);
	r = kr_diag_result(&found, r);
	error = kr_diag_first(&found, KR_ERROR);
	if (r == -EFBIG) {
		r = kr_inputs_fault(in, KR_STATE_UNKNOWN, "%s",
		                    error ? error->text : strerror(EFBIG));
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

static int judge_flags(struct reading *rd)
{
	const struct kr_flags *flags = &rd->in->flags;

	if (flags->never_runs)
		return kr_inputs_fault(
			rd->in, KR_STATE_INVALID,
			"kubelet would print its help or version and exit");
	if (kr_flags_text(flags, KR_FIELD_CONFIG_DIR) &&
	    rd->in->kubelet_minor > 0 && rd->in->kubelet_minor < 28)
		return kr_inputs_fault(
			rd->in, KR_STATE_INVALID,
			"kubelet before 1.28 has no --config-dir and would "
			"refuse its arguments");
	if (!flags->refused)
		return 0;
	for (size_t i = 0; i < flags->n_remarks; i++) {
		if (flags->remarks[i].fatal)
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
	int r = copy_argv(&in, argv, argc);

	if (r < 0)
		return r;
	r = kr_flags_parse((const char *const *)in.argv, in.argc, &in.flags);
	if (r < 0)
		return r;
	r = judge_flags(&rd);
	if (r < 0)
		return r;
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
	*ret = in;
	in = (struct kr_inputs){0};
	return 0;
}
