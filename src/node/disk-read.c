/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reading the disk view: from the unit's files to what starts kubelet.
 *
 *	the unit     kubelet.service or the one that was named; where it is not
 *	             there, the unit of the kubelet that runs, or of a platform
 *	             that is known
 *	not there    the process's own arguments, and its files as they are now;
 *	             without a process the file that the options name, alone
 *	not whole    masked, broken, or without a file that it needs: systemd
 *	             would not start it, or not yet
 *	loaded       the command that runs kubelet (node/disk-command); a script
 *	             of that name does with its arguments what it likes
 *	no command   another program starts kubelet (node/foreign)
 *	the platform where the system does not show it, what starts kubelet
 *	             does
 *
 * What is unknown is a result, in the words of kr_disk_say(), and no error.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/format.h"
#include "base/vec.h"
#include "kubelet/config.h"
#include "node/disk-command.h"
#include "node/disk-read.h"
#include "node/disk.h"
#include "node/foreign.h"
#include "node/kubelet-version.h"
#include "node/node.h"
#include "node/running.h"
#include "node/slips.h"
#include "node/vendor.h"

/*
 * Files of the unit that are no unit files.
 *
 * systemd reads on where a file of the unit is no unit file, or stops in the
 * middle of it, and says so only in its log. Two things can be behind that:
 *
 *	a KubeletConfiguration among the drop-ins	it was never meant for
 *			systemd, which ignores every line: one warning says so
 *			instead of one for each part of it
 *	anything else	what the file was meant to say, to kubelet's arguments
 *			most of all, is unknown
 */

/* What is said of PATH since it is no unit file. */
static bool is_syntax_of(const struct kr_message *m, const void *path)
{
	static const char *const codes[] = {
		"unit-no-section",      "unit-section-unknown",
		"unit-section-invalid", "unit-line-invalid",
		"unit-not-utf8",        "unit-line-too-long",
	};

	for (size_t i = 0; m->file && i < ARRAY_SIZE(codes); i++) {
		if (strcmp(m->code, codes[i]) == 0 &&
		    strcmp(m->file, path) == 0)
			return true;
	}
	return false;
}

static bool has_syntax_of(const struct kr_diag *found, const char *path)
{
	return KR_ANY(m, found->messages, found->n_messages,
	              is_syntax_of(m, path));
}

/*
 * Finds each drop-in that is a KubeletConfiguration where FOUND, which the
 * unit's reading gave, has something to say of it: of all that, one warning
 * stays, and the disk view's CONFIGS knows it. 0 or -ENOMEM.
 */
static int no_unit_file_find_configs(struct kr_node *node,
                                     struct kr_diag *found)
{
	const struct kr_unit *unit = node->disk.unit;

	for (size_t i = 0; i < unit->n_dropins; i++) {
		const struct kr_file *file = unit->dropins[i];
		_cleanup_config_ struct kr_config config = {0};
		int r;

		if (!has_syntax_of(found, file->path))
			continue;
		r = kr_config_parse(file, NULL, NULL, &config);
		if (r == -ENOMEM)
			return r;
		/* one whose value is wrong is one, too */
		if (r < 0 || kr_config_stops(&config, config.invalid_field))
			continue;
		kr_diag_remove(found, is_syntax_of, file->path);
		kr_diag_add_path(found, KR_WARNING, "dropin-is-config",
		                 file->path,
		                 "the file is a KubeletConfiguration and no "
		                 "drop-in: systemd ignores its lines");
		if (!node->disk.configs)
			node->disk.configs = calloc(
				unit->n_dropins, sizeof(*node->disk.configs));
		if (!node->disk.configs)
			return -ENOMEM;
		node->disk.configs[i] = true;
	}
	return 0;
}

/* What FOUND says of a file that is no unit file; NULL: nothing. */
static const struct kr_message *no_unit_file_first(const struct kr_diag *found)
{
	static const char *const codes[] = {
		"unit-section-invalid", "unit-not-utf8", "unit-line-too-long",
		"dropin-not-a-file"};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const struct kr_message *m = kr_diag_find(found, codes[i]);

		if (m)
			return m;
	}
	return NULL;
}

static int say_own_way(struct kr_node *node)
{
	return kr_disk_say(&node->disk, KR_STATE_UNKNOWN,
	                   "there is no %s: %s starts kubelet in its own way",
	                   node->unit_name, node->platform->name);
}

/* What kubelet would make of the options' file, and of nothing else. Its other
 * arguments are not known yet: their absence is no fault. */
static int read_file_alone(struct kr_node *node, struct kr_diag *diag)
{
	struct kr_node_disk *disk = &node->disk;
	struct kr_inputs_options options = {
		.config = node->config_override,
		.wrapped = true,
	};
	_cleanup_free_ char *word = NULL;
	int r = kr_format(&word, "--config=%s", node->config_override);

	if (r < 0)
		return r;
	r = kr_kubelet_version_running(node, &options.kubelet_minor);
	if (r < 0)
		return r;
	r = kr_inputs_read(node->fs, (const char *const[]){"kubelet", word}, 2,
	                   &options, diag, &disk->inputs);
	if (r < 0)
		return r;
	disk->start = KR_START_FILE;
	kr_diag_add(diag, KR_NOTE, "file-alone", KR_SPAN_NONE,
	            "there is no %s: %s is judged alone, as 'kubelet "
	            "--config=%s' would read it",
	            node->unit_name, node->config_override,
	            node->config_override);
	kr_disk_remark(node, diag);
	return kr_disk_say(disk, KR_STATE_ABSENT,
	                   "there is no %s: kubelet is not configured here yet",
	                   node->unit_name);
}

static int read_without_unit(struct kr_node *node, struct kr_diag *diag)
{
	const struct kr_platform *platform = node->platform;
	struct kr_node_disk *disk = &node->disk;
	int r;

	if (!node->has_process && node->config_override && !node->unit_named)
		return read_file_alone(node, diag);
	if (!node->has_process)
		disk->start = KR_START_WAITS;
	if (!node->has_process && platform && platform->refusal)
		return say_own_way(node);
	if (!node->has_process)
		return kr_disk_say(
			disk, KR_STATE_UNKNOWN, "there is no %s%s",
			node->unit_name,
			strcmp(node->unit_name, KR_DEFAULT_UNIT) == 0
				? ": kubelet is not configured here yet"
				: "");
	if (node->process.unit &&
	    (node->disk.followed ||
	     strcmp(node->process.unit, node->unit_name) != 0))
		return kr_disk_say(disk, KR_STATE_UNKNOWN,
		                   "there is no %s: kubelet[%d] belongs to %s",
		                   node->disk.followed ? KR_DEFAULT_UNIT
		                                       : node->unit_name,
		                   (int)node->process.pid, node->process.unit);
	if (node->process.unit)
		return kr_disk_say(
			disk, KR_STATE_UNKNOWN,
			"the unit file of %s, which kubelet[%d] was started "
			"by, is not %s",
			node->unit_name, (int)node->process.pid,
			node->loaded ? "there any more" : "on this root");
	r = kr_running_read(node, diag, &disk->inputs);
	if (r < 0)
		return r;
	disk->start = KR_START_PROCESS;
	kr_disk_remark(node, diag);
	return 0;
}

static int read_no_unit_file(struct kr_node *node, const struct kr_message *m)
{
	node->disk.step = strcmp(m->code, "unit-not-utf8") == 0
	                          ? "rewrite that file as UTF-8, then run "
	                            "this again"
	                          : "correct that file, then run this again";
	if (m->line == 0)
		return kr_disk_say(&node->disk, KR_STATE_UNKNOWN, "%s: %s",
		                   m->file, m->text);
	return kr_disk_say(&node->disk, KR_STATE_UNKNOWN,
	                   "%s:%u:%u: %s: what the file was meant to say is "
	                   "unknown",
	                   m->file, m->line, m->column, m->text);
}

static int say_no_kubelet(struct kr_node *node, struct kr_diag *diag)
{
	const struct kr_unit *unit = node->disk.unit;
	struct kr_span place;

	for (size_t i = 0; i < unit->n_commands; i++) {
		if (!kr_slips_find_template(unit->commands[i].span, &place))
			continue;
		kr_diag_add(diag, KR_ERROR, "template-unrendered", place,
		            "'%.*s' is a placeholder of a template that was "
		            "not rendered",
		            (int)place.length, place.file->data + place.offset);
		return kr_disk_say(
			&node->disk, KR_STATE_UNKNOWN,
			"no ExecStart= of %s runs kubelet itself: %s is a "
			"template that was not rendered",
			node->unit_name, place.file->path);
	}
	node->disk.no_kubelet = true;
	if (node->unit_named && node->has_process && node->process.unit &&
	    strcmp(node->process.unit, node->unit_name) != 0)
		return kr_disk_say(&node->disk, KR_STATE_UNKNOWN,
		                   "%s does not run kubelet: kubelet[%d] "
		                   "belongs to %s",
		                   node->unit_name, (int)node->process.pid,
		                   node->process.unit);
	return kr_disk_say(&node->disk, KR_STATE_UNKNOWN,
	                   "no ExecStart= of %s runs kubelet itself",
	                   node->unit_name);
}

/* With the version that the API server has, where the answer depends on it. */
static int read_foreign_words(struct kr_node *node, struct kr_diag *found,
                              struct kr_foreign **ret)
{
	const struct kr_unit *unit = node->disk.unit;
	unsigned minor;
	int r = kr_kubelet_version_running(node, &minor);

	if (r < 0)
		return r;
	r = kr_foreign_read(node->fs, unit, minor, found, ret);
	if (r < 0 || minor > 0 || !*ret || !(*ret)->inputs_valid ||
	    (!(*ret)->inputs.config_dir && !(*ret)->folder))
		return r;
	kr_kubelet_version_ask(node);
	r = kr_kubelet_version_running(node, &minor);
	if (r < 0 || minor == 0)
		return r;
	kr_diag_done(found);
	*found = (struct kr_diag){0};
	*ret = kr_foreign_free(*ret);
	return kr_foreign_read(node->fs, unit, minor, found, ret);
}

/* Another program starts kubelet: what it would give to it. */
static int read_foreign(struct kr_node *node, struct kr_diag *diag)
{
	struct kr_node_disk *disk = &node->disk;
	struct kr_diag found = {0};
	int r = read_foreign_words(node, &found, &disk->foreign);

	kr_diag_merge(diag, &found);
	if (r < 0)
		return r;
	if (!disk->foreign)
		return say_no_kubelet(node, diag);
	disk->start = KR_START_FOREIGN;
	if (disk->foreign->inputs_valid) {
		disk->inputs = TAKE(disk->foreign->inputs);
		kr_disk_remark(node, diag);
	}
	if (disk->foreign->doubt)
		return kr_disk_say(disk, KR_STATE_UNKNOWN, "%s",
		                   disk->foreign->doubt);
	return 0;
}

/* What the command runs as kubelet. */
static const char *kubelet_program(const struct kr_node *node)
{
	const struct kr_unit_command *c = kr_node_command(node);

	if (node->disk.first_word == 0 && c->path)
		return c->path;
	return c->words[node->disk.first_word].text;
}

/* 1: the program named kubelet is a script, which may change its arguments. */
static int is_disguised(struct kr_node *node)
{
	int r = kr_fs_is_script(node->fs, kubelet_program(node));

	/* one that cannot be looked at is taken for what it is called */
	return r == -ENOMEM ? r : r == 1;
}

static bool is_set_too(const struct kr_unit *unit, const char *credential)
{
	KR_EACH(const struct kr_unit_credential, c, unit->credentials,
	        unit->n_credentials) {
		if ((c->kind == KR_CREDENTIAL_SET ||
		     c->kind == KR_CREDENTIAL_SET_ENCRYPTED) &&
		    strcmp(c->name, credential) == 0)
			return true;
	}
	return false;
}

/* A file of LoadCredential= that is not there keeps the service from starting,
 * as an environment file does. (Tried on systemd 252.) */
static const struct kr_unit_credential *find_missing_credential(
	struct kr_node *node)
{
	const struct kr_unit *unit = node->disk.unit;

	KR_EACH(const struct kr_unit_credential, c, unit->credentials,
	        unit->n_credentials) {
		struct stat st;

		if (c->source && !is_set_too(unit, c->name) &&
		    kr_fs_look(node->fs, c->source, true, &st) == -ENOENT)
			return c;
	}
	return NULL;
}

static int say_missing_credential(struct kr_node *node,
                                  const struct kr_unit_credential *c)
{
	unsigned line, column;

	kr_span_position(c->span, &line, &column);
	node->disk.start = KR_START_WAITS;
	return kr_disk_say(
		&node->disk, KR_STATE_UNKNOWN,
		"%s needs %s, which is not there, for %s= (%s:%u:%u): "
		"kubelet is not configured yet",
		node->unit_name, c->source, c->directive, c->span.file->path,
		line, column);
}

static int read_loaded_unit(struct kr_node *node, struct kr_diag *diag)
{
	const struct kr_unit_credential *missing;
	struct kr_node_disk *disk = &node->disk;
	const struct kr_unit *unit = disk->unit;
	int r;

	if (unit->root_directory || unit->root_image)
		return kr_disk_say(disk, KR_STATE_UNKNOWN,
		                   "%s runs kubelet below another root (%s)",
		                   node->unit_name,
		                   unit->root_directory ? unit->root_directory
		                                        : unit->root_image);
	missing = find_missing_credential(node);
	if (missing)
		return say_missing_credential(node, missing);
	r = kr_disk_find_command(node);
	if (r < 0)
		return r;
	if (disk->command < 0)
		return read_foreign(node, diag);
	r = is_disguised(node);
	if (r == 1)
		return kr_disk_say(
			disk, KR_STATE_UNKNOWN,
			"%s is a script: what it makes of its arguments "
			"is unknown",
			kubelet_program(node));
	return r < 0 ? r : kr_disk_read_command(node, diag);
}

static int say_bad_unit(struct kr_node *node, const struct kr_message *error)
{
	struct kr_node_disk *disk = &node->disk;

	if (!error)
		return kr_disk_say(
			disk, KR_STATE_INVALID,
			"systemd would not start %s: its unit is not valid",
			node->unit_name);
	if (error->line == 0 &&
	    (!error->file || !disk->unit->fragment_path ||
	     strcmp(error->file, disk->unit->fragment_path) == 0))
		return kr_disk_say(disk, KR_STATE_INVALID,
		                   "systemd would not start %s: %s",
		                   node->unit_name, error->text);
	if (error->line == 0)
		return kr_disk_say(disk, KR_STATE_INVALID,
		                   "systemd would not start %s: %s: %s",
		                   node->unit_name, error->file, error->text);
	return kr_disk_say(disk, KR_STATE_INVALID,
	                   "systemd would not start %s: %s:%u:%u: %s",
	                   node->unit_name, error->file, error->line,
	                   error->column, error->text);
}

/* What the unit that was found makes of kubelet; FOUND is what was said of it.
 */
static int read_resolved(struct kr_node *node, struct kr_diag *found,
                         struct kr_diag *diag)
{
	struct kr_node_disk *disk = &node->disk;
	const struct kr_message *no_unit_file;
	int r;

	switch (disk->unit->load) {
	case KR_UNIT_LOADED:
		break;
	case KR_UNIT_NOT_FOUND:
		return read_without_unit(node, diag);
	case KR_UNIT_MASKED:
		return kr_disk_say(disk, KR_STATE_UNKNOWN,
		                   "%s is masked: kubelet is not started by it",
		                   node->unit_name);
	case KR_UNIT_BAD:
		return say_bad_unit(node, kr_diag_first(found, KR_ERROR));
	case KR_UNIT_NO_ENVIRONMENT_FILE:
		disk->start = KR_START_WAITS;
		return kr_disk_say(
			disk, KR_STATE_UNKNOWN,
			"%s needs %s, which is not there: kubelet is not "
			"configured yet",
			node->unit_name, disk->unit->missing_file);
	}
	r = no_unit_file_find_configs(node, found);
	if (r < 0)
		return r;
	r = kr_vendor_check(node->fs, disk->unit, found);
	if (r < 0)
		return r;
	no_unit_file = no_unit_file_first(found);
	return no_unit_file ? read_no_unit_file(node, no_unit_file)
	                    : read_loaded_unit(node, diag);
}

int kr_disk_read_unit(struct kr_node *node, struct kr_diag *diag)
{
	_cleanup_(kr_unit_files_freep) struct kr_unit_files *ahead =
		TAKE_PTR(node->ahead);
	const struct kr_unit_options options = {
		.files = ahead,
		.manager_environment = node->manager_environment,
		.systemd_version = node->systemd_version,
		.page_size = node->live ? (size_t)sysconf(_SC_PAGESIZE) : 0,
	};
	struct kr_diag found = {0};
	int r = kr_unit_resolve(node->fs, node->unit_name, &options, &found,
	                        &node->disk.unit);

	r = kr_diag_result(&found, r);
	if (r >= 0)
		r = read_resolved(node, &found, diag);
	kr_diag_merge(diag, &found);
	if (r < 0 || !kr_node_is_invalid(node))
		return r;
	return kr_slips_explain(node, diag);
}

/*
 * Without kubelet.service, and where no bus could be asked for another: the
 * unit of the kubelet that runs, or of a platform that is known.
 */
static int settle_unit(struct kr_node *node, struct kr_diag *diag)
{
	_cleanup_diag_ struct kr_diag found = {0};
	_cleanup_free_ char *unit = NULL;
	int r = kr_disk_read_unit(node, &found);

	if (r < 0 || node->unit_named || node->loaded ||
	    node->disk.unit->load != KR_UNIT_NOT_FOUND)
		goto keep;
	if (node->has_process)
		unit = node->process.unit ? strdup(node->process.unit) : NULL;
	else
		r = kr_node_find_unit(node, NULL, &unit);
	if (r < 0 || !unit || strcmp(unit, node->unit_name) == 0)
		goto keep;
	free(node->unit_name);
	node->unit_name = TAKE_PTR(unit);
	kr_disk_done(&node->disk);
	node->disk.followed = true;
	return kr_disk_read_unit(node, diag);
keep:
	kr_diag_merge(diag, &found);
	return r;
}

/* A platform that its system alone does not show: by what starts kubelet. */
static int find_platform(struct kr_node *node)
{
	const struct kr_node_disk *disk = &node->disk;
	const struct kr_platform_signs signs = {
		.unit_name = node->unit_name,
		.unit = disk->unit,
		.command = kr_node_command(node),
		.config = disk->inputs.config_path,
	};
	int r;

	if (node->platform)
		return 0;
	r = kr_platform_find(node->fs, &signs, &node->platform,
	                     &node->platform_error);
	if (r < 0 || !node->platform || !node->platform->refusal ||
	    node->has_process || disk->unit->load != KR_UNIT_NOT_FOUND)
		return r;
	return say_own_way(node);
}

int kr_disk_read(struct kr_node *node, struct kr_diag *diag)
{
	int r = settle_unit(node, diag);

	if (r < 0)
		return r;
	r = find_platform(node);
	if (r < 0)
		return r;
	kr_disk_remark_config_dir(node, diag);
	return 0;
}
