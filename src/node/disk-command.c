/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The command of the unit that runs kubelet: which of its words are kubelet's,
 * what they make it read, and what keeps that from being the answer.
 *
 *	wrapper   words before kubelet's own are another program's (env, nice),
 *	          which may complete its environment and its arguments
 *	version   kubelets differ in what they make of drop-ins: which one it is
 *	          is looked for where that counts, and nowhere else, as its
 *	          sources cost something
 *	joining   a kubeadm node that waits for 'kubeadm join' lacks files that
 *	          are no fault (node/unjoined)
 *	mounts    what the unit mounts over a file is not what the host has
 *	          there (node/hidden)
 *	home      a relative path below WorkingDirectory=~ of an unknown user
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "kubelet/minors.h"
#include "node/disk-command.h"
#include "node/disk.h"
#include "node/hidden.h"
#include "node/kubelet-version.h"
#include "node/refusals.h"
#include "node/slips.h"
#include "node/unjoined.h"

int kr_disk_find_command(struct kr_node *node)
{
	struct kr_node_disk *disk = &node->disk;

	for (size_t i = 0; i < disk->unit->n_commands; i++) {
		const struct kr_unit_command *c = &disk->unit->commands[i];
		_cleanup_free_ const char **argv =
			calloc(c->n_words + 1, sizeof(*argv));
		int first;

		if (!argv)
			return -ENOMEM;
		for (size_t w = 0; w < c->n_words; w++)
			argv[w] = c->words[w].text;
		/* argv[0] may be another name ("@"): the program counts */
		if (c->path)
			argv[0] = c->path;
		first = kr_process_kubelet_word(argv, c->n_words);
		if (first < 0)
			continue;
		disk->command = (int)i;
		disk->first_word = (size_t)first;
		return 0;
	}
	return 0;
}

static bool is_config_dir(const char *word)
{
	return strncmp(word, "--config-dir", 12) == 0 ||
	       strncmp(word, "--config_dir", 12) == 0;
}

/* The kubelet that runs has taken it. */
static bool runs_with_config_dir(const struct kr_node *node)
{
	for (size_t i = 0; node->has_process && i < node->process.argc; i++) {
		if (is_config_dir(node->process.argv[i]))
			return true;
	}
	return false;
}

static struct kr_span config_dir_place(const struct kr_node *node)
{
	const struct kr_flags *flags = &node->disk.inputs.flags;

	return kr_node_span(node,
	                    kr_flags_last(flags, KR_FIELD_CONFIG_DIR)->arg);
}

/* Of a version whose rules are not known those of the nearest are asked. */
static void remark_version(unsigned minor, struct kr_diag *diag)
{
	if (minor > 0 && minor < KR_FIRST_MINOR)
		kr_diag_add(diag, KR_WARNING, "version-outside", KR_SPAN_NONE,
		            "kubelet 1.%u is older than 1.%u, the first whose "
		            "rules are known: it is judged as that",
		            minor, KR_FIRST_MINOR);
	if (minor > KR_LAST_MINOR)
		kr_diag_add(diag, KR_NOTE, "version-outside", KR_SPAN_NONE,
		            "kubelet 1.%u is newer than 1.%u, the last whose "
		            "rules are known: it is judged as that",
		            minor, KR_LAST_MINOR);
}

void kr_disk_remark(struct kr_node *node, struct kr_diag *diag)
{
	const struct kr_inputs *in = &node->disk.inputs;
	const struct kr_flags *flags = &in->flags;
	bool matters = false; /* the version: it decided on an argument */

	remark_version(in->kubelet_minor, diag);
	if (in->config_dir_refusal && in->kubelet_minor > 0)
		kr_diag_add(diag, KR_ERROR, "config-dir-refused",
		            config_dir_place(node), "%s",
		            in->config_dir_refusal);
	KR_EACH(const struct kr_flags_remark, r, flags->remarks,
	        flags->n_remarks) {
		matters |= r->severity != KR_NOTE &&
		           strcmp(r->code, "flag-version") == 0;
		kr_diag_add(diag, r->severity, r->code,
		            kr_node_span(node, r->arg), "%s", r->text);
		kr_diag_add_more(diag, r->severity, r->code, r->n_more);
	}
	if (diag && in->kubelet_minor == 0 &&
	    (matters || kr_diag_find(diag, "config-version")))
		kr_diag_add(diag, KR_NOTE, "version-not-known", KR_SPAN_NONE,
		            "kubelet's version is not known: with "
		            "--kubelet-version only what that version refuses "
		            "is reported");
}

static bool is_relative(const char *path)
{
	return path && *path && *path != '/';
}

/* A relative path of a file that kubelet reads, below WorkingDirectory=~. */
static bool has_unknown_home(const struct kr_node *node)
{
	const struct kr_flags *flags = &node->disk.inputs.flags;
	const char *wd = node->disk.unit->working_directory;

	if (!wd || *wd == '/' || node->config_override)
		return false;
	return is_relative(kr_flags_text(flags, KR_FIELD_CONFIG)) ||
	       is_relative(kr_flags_text(flags, KR_FIELD_CONFIG_DIR));
}

/*
 * Whether kubelet's environment is known to lack the variable: a wrapper may
 * set it, as a word of its own if it is env.
 */
static bool lacks_alpha(const struct kr_node *node)
{
	static const char name[] = "KUBELET_CONFIG_DROPIN_DIR_ALPHA";
	const struct kr_unit_command *c = kr_node_command(node);

	for (size_t i = 0; i < node->disk.first_word; i++) {
		if (strstr(c->words[i].text, name))
			return false;
	}
	return !kr_unit_variable(node->disk.unit, name);
}

/* Drop-ins are what the version matters for: without them its sources that cost
 * something are not asked. */
static bool has_config_dir(const struct kr_unit_command *c)
{
	return KR_ANY(w, c->words, c->n_words, is_config_dir(w->text));
}

/*
 * Which kubelet it is. The API server is asked only where there are drop-ins;
 * the log of the one that runs is opened only where its files make another
 * thing of the answer without a version. Both come before what files say.
 */
static int find_version(struct kr_node *node, const char *const *argv,
                        size_t argc, struct kr_inputs_options *options)
{
	struct kr_inputs_options none = *options;
	_cleanup_inputs_ struct kr_inputs in = {0};
	int r;

	if (!has_config_dir(kr_node_command(node)))
		return kr_kubelet_version_running(node,
		                                  &options->kubelet_minor);
	kr_kubelet_version_ask(node);
	r = kr_kubelet_version_find(node, &options->kubelet_minor);
	if (r < 0 || node->version_override || node->disk_minor > 0 ||
	    !node->logged_version)
		return r;
	none.kubelet_minor = 0;
	r = kr_inputs_read(node->fs, argv, argc, &none, NULL, &in);
	if (r < 0)
		return r;
	r = kr_inputs_need_version(&in);
	if (r <= 0)
		return r;
	if (kr_kubelet_version_logged(node, true) > 0)
		options->kubelet_minor = kr_kubelet_version_logged(node, true);
	return 0;
}

/*
 * Whether kubelet can start with what is at PATH behind MOUNT. 0:
 * what is there instead of the host's file may keep it from that: it is not
 * there, or it is a config file that kubelet would refuse.
 */
static int can_start(struct kr_node *node, const struct kr_unit_mount *mount,
                     const char *path)
{
	_cleanup_config_ struct kr_config config = {0};
	const struct kr_file *file;
	int r;

	if (!mount->source)
		return 0;
	if (path != node->disk.inputs.config_path)
		return 1;
	r = kr_hidden_read(node, path, &file);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = kr_config_parse(file, NULL, NULL, &config);
	if (r < 0)
		return r;
	return config.doubtful || !kr_config_stops(&config, -1);
}

/*
 * A mount of the unit's own over what kubelet reads. 1: it is, and the disk
 * knows it.
 */
static int check_mounts(struct kr_node *node, struct kr_diag *diag)
{
	struct kr_node_disk *disk = &node->disk;
	struct kr_inputs *in = &disk->inputs;
	const struct kr_unit_mount *mount;
	unsigned line = 0, column = 0;
	const char *path;
	int r = kr_hidden_find(node, &mount, &path);

	if (r < 0 || !mount)
		return r;
	disk->start = KR_START_HIDDEN;
	kr_disk_remark(node, diag);
	if (mount->span.file)
		kr_span_position(mount->span, &line, &column);
	r = kr_format(&in->files_doubt,
	              "%s:%u:%u: %s= mounts over %s: what kubelet finds "
	              "there cannot be known from the host",
	              mount->span.file ? mount->span.file->path
	                               : node->unit_name,
	              line, column, mount->directive, path);
	if (r < 0)
		return r;
	r = can_start(node, mount, path);
	if (r != 0)
		return r < 0 ? r : 1;
	r = kr_format(&disk->start_doubt, "%s", in->files_doubt);
	return r < 0 ? r : 1;
}

/* Why WORD is not what kubelet gets; NULL: it is. */
static const char *word_doubt(const struct kr_unit_word *word)
{
	if (!word->from->unknown || word->from->why)
		return word->from->why;
	return "an argument of kubelet has a part that only a running systemd "
	       "knows";
}

/* What else tells whether kubelet would start: its version, which was not
 * looked for, and whether its arguments are complete. 1: something is known now
 * that was not. */
static int learn_more(struct kr_node *node, struct kr_inputs_options *options)
{
	unsigned minor = options->kubelet_minor;
	int r;

	if (node->disk.inputs.version_matters) {
		r = kr_kubelet_version_seek(node, true,
		                            &options->kubelet_minor);
		if (r < 0)
			return r;
	}
	if (node->live && !node->configured) {
		r = kr_unjoined_has_certificate(node);
		if (r < 0)
			return r;
		node->configured = r > 0;
	}
	if (options->kubelet_minor == minor &&
	    options->wrapped != node->configured)
		return 0;
	options->wrapped = !node->configured;
	return 1;
}

static int read_inputs(struct kr_node *node, const char *const *argv,
                       size_t argc, struct kr_inputs_options *options,
                       struct kr_diag *found)
{
	int r = kr_inputs_read(node->fs, argv, argc, options, found,
	                       &node->disk.inputs);

	if (r < 0)
		return r;
	r = learn_more(node, options);
	if (r <= 0)
		return r;
	kr_diag_done(found);
	kr_inputs_done(&node->disk.inputs);
	return kr_inputs_read(node->fs, argv, argc, options, found,
	                      &node->disk.inputs);
}

int kr_disk_read_command(struct kr_node *node, struct kr_diag *diag)
{
	struct kr_node_disk *disk = &node->disk;
	const struct kr_unit_command *c = kr_node_command(node);
	size_t argc = c->n_words - disk->first_word;
	_cleanup_free_ const char **argv = calloc(argc + 1, sizeof(*argv));
	_cleanup_free_ const char **doubts = calloc(argc + 1, sizeof(*doubts));
	struct kr_inputs_options options = {
		.working_directory = disk->unit->working_directory,
		.config = node->config_override,
		.no_alpha = lacks_alpha(node),
		.doubts = doubts,
		.argv_lives = true, /* with the unit */
		.unit = disk->unit,
		.openshift = kr_platform_is_openshift(node->platform),
		.wrapped = !node->configured,
	};
	_cleanup_diag_ struct kr_diag found = {0};
	int r;

	if (!argv || !doubts)
		return -ENOMEM;
	for (size_t i = 0; i < argc; i++) {
		const struct kr_unit_word *word =
			&c->words[disk->first_word + i];

		argv[i] = word->text;
		/* what is not written to takes no memory */
		if (word_doubt(word))
			doubts[i] = word_doubt(word);
	}
	r = find_version(node, argv, argc, &options);
	if (r < 0)
		return r;
	r = read_inputs(node, argv, argc, &options, &found);
	if (r < 0)
		return r;
	disk->start = KR_START_COMMAND;
	r = kr_unjoined(node);
	if (r < 0)
		return r;
	if (r > 0) {
		/* what FOUND says is that the files are not there yet */
		disk->start = KR_START_UNJOINED;
		kr_disk_remark(node, diag);
		return kr_disk_say(
			disk, KR_STATE_UNKNOWN,
			"%s is not there yet: kubeadm writes it at 'kubeadm "
			"init' and 'kubeadm join'",
			disk->inputs.config_path);
	}
	r = check_mounts(node, diag);
	if (r != 0)
		return r < 0 ? r : 0;
	r = kr_refusals_judge(node, &found);
	if (r < 0)
		return r;
	kr_diag_merge(diag, &found);
	kr_disk_remark(node, diag);
	kr_slips_remark(node, diag);
	if (has_unknown_home(node))
		return kr_disk_say(
			disk, KR_STATE_UNKNOWN,
			"the home of %s, the working directory of kubelet, "
			"is not in /etc/passwd",
			disk->unit->user);
	return 0;
}

void kr_disk_remark_config_dir(const struct kr_node *node, struct kr_diag *diag)
{
	const struct kr_inputs *in = &node->disk.inputs;
	struct kr_span place;

	if (!kr_node_inputs(node) || !in->config_dir_refusal ||
	    in->kubelet_minor > 0 || runs_with_config_dir(node))
		return;
	place = config_dir_place(node);
	if (!node->platform || !place.file ||
	    !kr_platform_writes(node->platform, place.file->path))
		kr_diag_add(diag, KR_NOTE, "config-dir-refused", place, "%s",
		            in->config_dir_refusal);
}
