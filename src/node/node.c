/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A node: where kubelet's unit, process and files meet. Only here does what
 * systemd would run (unit/) become what kubelet would read (kubelet/).
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/format.h"
#include "node/hidden.h"
#include "node/kubelet-version.h"
#include "node/node.h"
#include "node/running.h"
#include "node/slips.h"
#include "node/unjoined.h"
#include "node/vendor.h"

#define DEFAULT_UNIT "kubelet.service"

static int say(struct kr_node_disk *disk, enum kr_state state,
               const char *format, ...) _printf_(3, 4);

static int say(struct kr_node_disk *disk, enum kr_state state,
               const char *format, ...)
{
	va_list args;
	int r;

	disk->state = state;
	va_start(args, format);
	r = kr_vformat(&disk->reason, format, args);
	va_end(args);
	return r;
}

/* --- opening ------------------------------------------------------------- */

/* There is a /proc, but process 1 is not to be seen in it. */
static bool is_hidden(int root_fd)
{
	struct stat st;

	return fstatat(root_fd, "proc/self", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * Whether the root is a running system's: 1, 0, or an errno where that may not
 * be looked at. "/" is taken for live then: only root may look, and an image is
 * not built by anybody else. A DIR is neither: a container without
 * CAP_SYS_PTRACE, or confined by AppArmor, would take the node that it was
 * given for an image, and call it right without a look at the kubelet that
 * runs.
 */
static int is_live(int root_fd, bool is_slash)
{
	struct stat root, one;

	if (fstat(root_fd, &root) < 0)
		return -errno;
	if (fstatat(root_fd, "proc/1/root", &one, 0) == 0)
		return root.st_dev == one.st_dev && root.st_ino == one.st_ino;
	if (errno != EACCES && errno != EPERM && !is_hidden(root_fd))
		return 0;
	return is_slash ? 1 : -EACCES;
}

static int settle_live(struct kr_node *node, struct kr_diag *diag)
{
	int r = is_live(node->root_fd, strcmp(node->root, "/") == 0);

	if (r < 0) {
		kr_diag_add_path(
			diag, KR_ERROR, "root", node->root,
			"its proc/1/root may not be looked at (%s), so that a "
			"running system and an image cannot be told apart: "
			"that takes CAP_SYS_PTRACE, and no security module "
			"that denies it",
			strerror(-r));
		return r;
	}
	node->live = r == 1;
	if (node->live)
		node->proc_fd = openat(node->root_fd, "proc",
		                       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

int kr_node_open(const struct kr_node_options *options, struct kr_diag *diag,
                 struct kr_node **ret)
{
	const char *root = options->root ? options->root : "/";
	_cleanup_node_ struct kr_node *node = calloc(1, sizeof(*node));
	int r;

	if (!node)
		return -ENOMEM;
	*node = (struct kr_node){
		.proc_fd = -1,
		.process.root_fd = -1,
		.disk.command = -1,
		.config_override = options->config,
		.name_override = options->name,
		.version_override = options->kubelet_version,
		.registered_version = options->registered_version,
		.registered_closure = options->registered_closure,
	};
	node->root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (node->root_fd < 0) {
		r = -errno;
		kr_diag_add_path(diag, KR_ERROR, "root", root, "%s",
		                 strerror(errno));
		return r;
	}
	r = kr_fs_new(node->root_fd, &node->fs);
	if (r < 0)
		return r;
	node->root = strdup(root);
	node->unit_named = options->unit != NULL;
	node->unit_name = strdup(options->unit ? options->unit : DEFAULT_UNIT);
	if (!node->root || !node->unit_name)
		return -ENOMEM;
	r = settle_live(node, diag);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(node);
	return 0;
}

static void forget_disk(struct kr_node *node)
{
	kr_inputs_done(&node->disk.inputs);
	kr_foreign_free(node->disk.foreign);
	kr_unit_free(node->disk.unit);
	free(node->disk.configs);
	free(node->disk.start_doubt);
	free(node->disk.reason);
	free(node->disk.slip);
	node->disk = (struct kr_node_disk){.command = -1};
}

struct kr_node *kr_node_free(struct kr_node *node)
{
	if (!node)
		return NULL;
	forget_disk(node);
	kr_inputs_done(&node->running);
	kr_process_done(&node->process);
	free(node->process_doubt);
	kr_fs_free(node->process_fs);
	kr_fs_free(node->fs);
	if (node->proc_fd >= 0)
		close(node->proc_fd);
	if (node->root_fd >= 0)
		close(node->root_fd);
	free(node->root);
	free(node->unit_name);
	free(node);
	return NULL;
}

/* --- the disk ------------------------------------------------------------ */

/* COMMAND stays -1 where none runs kubelet itself. */
static int find_command(struct kr_node *node)
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
			argv[w] = c->words[w].text.bytes
			                  ? c->words[w].text.bytes
			                  : "";
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

/* What was found on single arguments, at their places in the unit's files. */
static void add_remarks(struct kr_node *node, struct kr_diag *diag)
{
	const struct kr_inputs *in = &node->disk.inputs;
	const struct kr_flags *flags = &in->flags;

	if (in->config_dir_refusal && in->kubelet_minor > 0)
		kr_diag_add(diag, KR_ERROR, "config-dir-refused",
		            config_dir_place(node), "%s",
		            in->config_dir_refusal);
	for (size_t i = 0; i < flags->n_remarks; i++) {
		const struct kr_flags_remark *r = &flags->remarks[i];

		kr_diag_add(diag, r->fatal ? KR_ERROR : KR_WARNING, r->code,
		            kr_node_span(node, r->arg), "%s", r->text);
		kr_diag_add_more(diag, r->fatal ? KR_ERROR : KR_WARNING,
		                 r->code, r->n_more);
	}
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
		if (c->words[i].text.bytes &&
		    strstr(c->words[i].text.bytes, name))
			return false;
	}
	return !kr_unit_variable(node->disk.unit, name);
}

/* Drop-ins are what the version matters for: without them its sources that cost
 * something are not asked. */
static bool has_config_dir(const struct kr_unit_command *c)
{
	for (size_t i = 0; i < c->n_words; i++) {
		const char *word = c->words[i].text.bytes;

		if (word && is_config_dir(word))
			return true;
	}
	return false;
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
 * Whether kubelet can be told to start with what is at PATH behind MOUNT. 0:
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
	add_remarks(node, diag);
	if (mount->span.file)
		kr_span_position(mount->span, &line, &column);
	r = kr_format(&in->files_doubt,
	              "%s:%u:%u: %s= mounts over %s: what kubelet finds "
	              "there cannot be told from the host",
	              mount->span.file ? mount->span.file->path
	                               : node->unit_name,
	              line, column, mount->directive, path);
	if (r < 0)
		return r;
	r = can_start(node, mount, path);
	if (r < 0)
		return r;
	if (r == 0)
		r = kr_format(&disk->start_doubt, "%s", in->files_doubt);
	return r < 0 ? r : 1;
}

/* Why WORD is not what kubelet gets; NULL: it is. */
static const char *word_doubt(const struct kr_unit_word *word)
{
	if (!word->unknown || word->why)
		return word->why;
	return "an argument of kubelet has a part that only a running systemd "
	       "knows";
}

/* The version was not looked for, and tells whether kubelet would start. */
static int read_by_version(struct kr_node *node, const char *const *argv,
                           size_t argc, struct kr_inputs_options *options,
                           struct kr_diag *found)
{
	int r = kr_kubelet_version_find(node, &options->kubelet_minor);

	if (r < 0 || options->kubelet_minor == 0)
		return r;
	kr_diag_done(found);
	kr_inputs_done(&node->disk.inputs);
	return kr_inputs_read(node->fs, argv, argc, options, found,
	                      &node->disk.inputs);
}

static int read_command(struct kr_node *node, struct kr_diag *diag)
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

		argv[i] = word->text.bytes ? word->text.bytes : "";
		doubts[i] = word_doubt(word);
	}
	r = find_version(node, argv, argc, &options);
	if (r < 0)
		return r;
	r = kr_inputs_read(node->fs, argv, argc, &options, &found,
	                   &disk->inputs);
	if (r < 0)
		return r;
	if (disk->inputs.version_matters) {
		r = read_by_version(node, argv, argc, &options, &found);
		if (r < 0)
			return r;
	}
	disk->start = KR_START_COMMAND;
	r = kr_unjoined(node);
	if (r < 0)
		return r;
	if (r > 0) {
		/* what FOUND says is that the files are not there yet */
		disk->start = KR_START_UNJOINED;
		add_remarks(node, diag);
		return say(disk, KR_STATE_UNKNOWN,
		           "not configured yet: kubeadm writes %s at 'kubeadm "
		           "init' and 'kubeadm join'",
		           disk->inputs.config_path);
	}
	r = check_mounts(node, diag);
	if (r != 0)
		return r < 0 ? r : 0;
	kr_diag_merge(diag, &found);
	add_remarks(node, diag);
	kr_slips_remark(node, diag);
	if (has_unknown_home(node))
		return say(disk, KR_STATE_UNKNOWN,
		           "the home of %s, the working directory of kubelet, "
		           "is not in /etc/passwd",
		           disk->unit->user);
	return 0;
}

static int say_own_way(struct kr_node *node)
{
	return say(&node->disk, KR_STATE_UNKNOWN,
	           "there is no %s: %s starts kubelet in its own way",
	           node->unit_name, node->platform->name);
}

static int read_without_unit(struct kr_node *node, struct kr_diag *diag)
{
	const struct kr_platform *platform = node->platform;
	struct kr_node_disk *disk = &node->disk;
	int r;

	if (!node->has_process)
		disk->start = KR_START_WAITS;
	if (!node->has_process && platform && platform->refusal)
		return say_own_way(node);
	if (!node->has_process)
		return say(disk, KR_STATE_UNKNOWN,
		           "there is no %s: kubelet is not configured here yet",
		           node->unit_name);
	if (node->process.unit &&
	    (node->disk.followed ||
	     strcmp(node->process.unit, node->unit_name) != 0))
		return say(disk, KR_STATE_UNKNOWN,
		           "there is no %s: kubelet[%d] belongs to %s",
		           node->disk.followed ? DEFAULT_UNIT : node->unit_name,
		           (int)node->process.pid, node->process.unit);
	if (node->process.unit)
		return say(disk, KR_STATE_UNKNOWN,
		           "the unit file of %s, which kubelet[%d] was started "
		           "by, is not there any more",
		           node->unit_name, (int)node->process.pid);
	r = kr_running_read(node, diag, &disk->inputs);
	if (r < 0)
		return r;
	disk->start = KR_START_PROCESS;
	add_remarks(node, diag);
	return 0;
}

/* --- kubelet's configuration among the unit's drop-ins -------------------- */

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
	for (size_t i = 0; i < found->n_messages; i++) {
		if (is_syntax_of(&found->messages[i], path))
			return true;
	}
	return false;
}

/*
 * Where systemd stumbles over a drop-in that is a KubeletConfiguration, it was
 * never meant for systemd, and one message says so instead of one for each
 * part of it.
 */
static int find_configs(struct kr_node *node, struct kr_diag *found)
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

/*
 * systemd reads on where a file of the unit is no unit file, or stops in the
 * middle of it, and says so only in its log. What the file was meant to say, to
 * kubelet's arguments most of all, cannot be told.
 */
static const struct kr_message *find_no_unit_file(const struct kr_diag *found)
{
	static const char *const codes[] = {
		"unit-section-invalid",
		"unit-not-utf8",
		"unit-line-too-long",
		"dropin-not-a-file",
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const struct kr_message *m = kr_diag_find(found, codes[i]);

		if (m)
			return m;
	}
	return NULL;
}

static int read_no_unit_file(struct kr_node *node, const struct kr_message *m)
{
	if (m->line == 0)
		return say(&node->disk, KR_STATE_UNKNOWN, "%s: %s", m->file,
		           m->text);
	return say(&node->disk, KR_STATE_UNKNOWN,
	           "%s:%u:%u: %s: what the file was meant to say cannot be "
	           "told",
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
		return say(&node->disk, KR_STATE_UNKNOWN,
		           "no ExecStart= of %s runs kubelet itself: %s is a "
		           "template that was not rendered",
		           node->unit_name, place.file->path);
	}
	return say(&node->disk, KR_STATE_UNKNOWN,
	           "no ExecStart= of %s runs kubelet itself", node->unit_name);
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
		disk->inputs = disk->foreign->inputs;
		disk->foreign->inputs = (struct kr_inputs){0};
		add_remarks(node, diag);
	}
	if (disk->foreign->doubt)
		return say(disk, KR_STATE_UNKNOWN, "%s", disk->foreign->doubt);
	return 0;
}

/* Another program starts kubelet, with arguments of its own beside those that
 * are known here. */
static int decide_foreign(const struct kr_node *node, int field,
                          struct kr_decision *d)
{
	if ((d->by == KR_BY_DEFAULT || d->either_default) &&
	    !kr_foreign_leaves(field)) {
		d->either_default = false;
		d->by = KR_BY_NOTHING;
		d->state = KR_STATE_UNKNOWN;
		return kr_format(
			&d->reason,
			"%s starts kubelet, and what it sets by itself "
			"is not known here",
			node->disk.foreign->name);
	}
	return kr_format(&d->reason, "%s starts kubelet: %s",
	                 node->disk.foreign->name, d->reason);
}

bool kr_node_is_invalid(const struct kr_node *node)
{
	const struct kr_node_disk *disk = &node->disk;

	if (disk->state != KR_STATE_ABSENT || !kr_node_inputs(node))
		return disk->state == KR_STATE_INVALID;
	if (disk->inputs.files_doubt && !disk->inputs.argv_refused)
		return false;
	return kr_inputs_state(&disk->inputs) == KR_STATE_INVALID;
}

/* Behind what it comes from in the end. */
static int explain(const struct kr_node_disk *disk, struct kr_decision *d)
{
	if (d->state != KR_STATE_INVALID || !disk->slip)
		return 0;
	return kr_format(&d->reason, "%s: %s", disk->slip, d->reason);
}

int kr_node_decide(const struct kr_node *node, int field,
                   struct kr_decision *ret)
{
	const struct kr_node_disk *disk = &node->disk;
	const struct kr_inputs *in = kr_node_inputs(node);
	_cleanup_decision_ struct kr_decision d = {0};
	int r = in ? kr_decide(in, field, &d) : 0;

	if (r < 0)
		return r;
	if (disk->state != KR_STATE_ABSENT) {
		d.state = disk->state;
		d.either_default = false;
		r = kr_format(&d.reason, "%s", disk->reason);
	} else if (disk->foreign) {
		r = decide_foreign(node, field, &d);
	}
	if (r < 0)
		return r;
	r = explain(disk, &d);
	if (r < 0)
		return r;
	*ret = d;
	d = (struct kr_decision){0};
	return 0;
}

/* What the command runs as kubelet. */
static const char *kubelet_program(const struct kr_node *node)
{
	const struct kr_unit_command *c = kr_node_command(node);
	const struct kr_text *text = &c->words[node->disk.first_word].text;

	if (node->disk.first_word == 0 && c->path)
		return c->path;
	return text->bytes ? text->bytes : "";
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
	for (size_t i = 0; i < unit->n_credentials; i++) {
		const struct kr_unit_credential *c = &unit->credentials[i];

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

	for (size_t i = 0; i < unit->n_credentials; i++) {
		const struct kr_unit_credential *c = &unit->credentials[i];
		_cleanup_stat_ struct kr_stat st = {0};

		if (c->source && !is_set_too(unit, c->name) &&
		    kr_fs_stat(node->fs, c->source, true, &st) == -ENOENT)
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
	return say(&node->disk, KR_STATE_UNKNOWN,
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
		return say(disk, KR_STATE_UNKNOWN,
		           "%s runs kubelet below another root (%s)",
		           node->unit_name,
		           unit->root_directory ? unit->root_directory
		                                : unit->root_image);
	missing = find_missing_credential(node);
	if (missing)
		return say_missing_credential(node, missing);
	r = find_command(node);
	if (r < 0)
		return r;
	if (disk->command < 0)
		return read_foreign(node, diag);
	r = is_disguised(node);
	if (r == 1)
		return say(disk, KR_STATE_UNKNOWN,
		           "%s is a script: what it makes of its arguments "
		           "cannot be told",
		           kubelet_program(node));
	return r < 0 ? r : read_command(node, diag);
}

static int say_bad_unit(struct kr_node *node, const struct kr_message *error)
{
	struct kr_node_disk *disk = &node->disk;

	if (!error)
		return say(disk, KR_STATE_INVALID,
		           "systemd would not start %s: its unit is not valid",
		           node->unit_name);
	if (error->line == 0 &&
	    (!error->file || !disk->unit->fragment_path ||
	     strcmp(error->file, disk->unit->fragment_path) == 0))
		return say(disk, KR_STATE_INVALID,
		           "systemd would not start %s: %s", node->unit_name,
		           error->text);
	if (error->line == 0)
		return say(disk, KR_STATE_INVALID,
		           "systemd would not start %s: %s: %s",
		           node->unit_name, error->file, error->text);
	return say(disk, KR_STATE_INVALID,
	           "systemd would not start %s: %s:%u:%u: %s", node->unit_name,
	           error->file, error->line, error->column, error->text);
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
		return say(disk, KR_STATE_UNKNOWN,
		           "%s is masked: kubelet is not started by it",
		           node->unit_name);
	case KR_UNIT_BAD:
		return say_bad_unit(node, kr_diag_first(found, KR_ERROR));
	case KR_UNIT_NO_ENVIRONMENT_FILE:
		disk->start = KR_START_WAITS;
		return say(disk, KR_STATE_UNKNOWN,
		           "%s needs %s, which is not there: kubelet is not "
		           "configured yet",
		           node->unit_name, disk->unit->missing_file);
	}
	r = find_configs(node, found);
	if (r < 0)
		return r;
	r = kr_vendor_check(node->fs, disk->unit, found);
	if (r < 0)
		return r;
	no_unit_file = find_no_unit_file(found);
	return no_unit_file ? read_no_unit_file(node, no_unit_file)
	                    : read_loaded_unit(node, diag);
}

static int read_unit(struct kr_node *node, struct kr_diag *diag)
{
	const struct kr_unit_options options = {
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
 * Without kubelet.service, and where nobody could ask a bus for another: the
 * unit of the kubelet that runs, or of a platform that is known.
 */
static int settle_unit(struct kr_node *node, struct kr_diag *diag)
{
	_cleanup_diag_ struct kr_diag found = {0};
	_cleanup_free_ char *unit = NULL;
	int r = read_unit(node, &found);

	if (r < 0 || node->unit_named || node->loaded ||
	    node->disk.unit->load != KR_UNIT_NOT_FOUND)
		goto keep;
	if (node->has_process)
		unit = node->process.unit ? strdup(node->process.unit) : NULL;
	else
		r = kr_node_find_unit(node, NULL, &unit);
	if (r < 0 || !unit)
		goto keep;
	free(node->unit_name);
	node->unit_name = TAKE_PTR(unit);
	forget_disk(node);
	node->disk.followed = true;
	return read_unit(node, diag);
keep:
	kr_diag_merge(diag, &found);
	return r;
}

/* One that is not known by its system alone: by what starts kubelet. */
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

/* A kubelet of a version that is not known may refuse --config-dir. A platform
 * that writes it writes it for a kubelet that takes it. */
static void remark_config_dir(const struct kr_node *node, struct kr_diag *diag)
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

/* An image never is: its arguments may be completed at boot. */
static bool is_configured(const struct kr_node *node)
{
	_cleanup_stat_ struct kr_stat st = {0};

	if (!node->live)
		return false;
	return node->has_process ||
	       (node->loaded && node->loaded->started_realtime_usec > 0) ||
	       kr_fs_stat(node->fs, KR_CERT_DIR "/" KR_CLIENT_CERTIFICATE, true,
	                  &st) >= 0;
}

int kr_node_read(struct kr_node *node, const struct kr_node_options *options,
                 const struct kr_node_systemd *systemd, struct kr_diag *diag)
{
	static const struct kr_node_systemd not_asked;
	int r;

	if (!systemd)
		systemd = &not_asked;
	node->loaded = systemd->loaded;
	node->manager_environment = systemd->environment;
	node->systemd_version = systemd->version;
	node->logged_version = systemd->logged_version;
	node->logged_closure = systemd->closure;
	r = kr_platform_find(node->fs, NULL, &node->platform,
	                     &node->platform_error);
	if (r < 0)
		return r;
	r = kr_running_find(node, options->pid, diag);
	if (r < 0)
		return r;
	node->configured = is_configured(node);
	r = settle_unit(node, diag);
	if (r < 0)
		return r;
	r = find_platform(node);
	if (r < 0)
		return r;
	remark_config_dir(node, diag);
	if (node->has_process) {
		r = kr_running_read(node, NULL, &node->running);
		if (r < 0)
			return r;
		node->running_valid = true;
		r = kr_hidden_remark(node, diag);
		if (r < 0)
			return r;
	}
	return 0;
}

static int lay_over(struct kr_fs *fs, const struct kr_file_edits *edits)
{
	_cleanup_free_ char *data = NULL;
	size_t size;
	int r;

	if (edits->remove)
		return kr_fs_hide(fs, edits->path);
	if (kr_perms_changes(&edits->perms)) {
		r = kr_fs_put_perms(fs, edits->path, &edits->perms.to);
		if (r < 0)
			return r;
	}
	/* what it says stays, and how old it is */
	if (kr_file_edits_in_place(edits))
		return 0;
	r = kr_file_edits_apply(edits, &data, &size);
	return r < 0 ? r : kr_fs_put(fs, edits->path, data, size);
}

int kr_node_with_edits(struct kr_node *node, const struct kr_edits *edits,
                       struct kr_diag *diag, struct kr_node **ret)
{
	_cleanup_node_ struct kr_node *copy = calloc(1, sizeof(*copy));
	int r;

	if (!copy)
		return -ENOMEM;
	*copy = (struct kr_node){
		.live = node->live,
		.root_fd = -1,
		.proc_fd = -1,
		.process.root_fd = -1,
		.disk.command = -1,
		.config_override = node->config_override,
		.name_override = node->name_override,
		.version_override = node->version_override,
		.platform = node->platform,
		.manager_environment = node->manager_environment,
		.systemd_version = node->systemd_version,
		.running_minor = node->running_minor,
		.disk_minor = node->disk_minor,
		.mounts_shown = node->mounts_shown,
		.configured = node->configured,
	};
	copy->root = strdup(node->root);
	copy->unit_name = strdup(node->unit_name);
	if (!copy->root || !copy->unit_name)
		return -ENOMEM;
	r = kr_fs_new_overlay(node->fs, &copy->fs);
	if (r < 0)
		return r;
	for (size_t i = 0; i < edits->n_files; i++) {
		r = lay_over(copy->fs, &edits->files[i]);
		if (r < 0)
			return r;
	}
	r = read_unit(copy, diag);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(copy);
	return 0;
}
