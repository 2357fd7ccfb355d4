/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The kubelet that runs: the main process of its unit as systemd names it, the
 * process of --pid, or the only kubelet there is. It takes
 * no kubelet of several: the wrong arguments would be judged, and the wrong
 * files edited.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "node/kubelet-version.h"
#include "node/node.h"
#include "node/running.h"

/* What a search for kubelet comes to, where it does not fail. */
enum search {
	FOUND,
	NONE,
	SEVERAL, /* and which one is meant is not known */
};

/* Of several kubelets, the one in the control group of the node's unit. */
static int find_in_unit(struct kr_node *node, const pid_t *pids, int n,
                        pid_t *ret)
{
	*ret = 0;
	for (int i = 0; i < n; i++) {
		_cleanup_process_ struct kr_process p = {.root_fd = -1};
		int r = kr_process_read(node->proc_fd, pids[i], NULL, NULL, &p);

		if (r == -ENOMEM)
			return r;
		if (r < 0 || !p.unit || strcmp(p.unit, node->unit_name) != 0)
			continue;
		if (*ret)
			return SEVERAL;
		*ret = pids[i];
	}
	return *ret ? FOUND : SEVERAL;
}

/* The one kubelet that runs, or of several the unit's. */
static int find_process(struct kr_node *node, struct kr_diag *diag,
                        struct kr_process *ret)
{
	_cleanup_free_ pid_t *pids = NULL;
	pid_t pid;
	int n, r;

	if (node->proc_fd < 0)
		return NONE;
	n = kr_process_find(node->proc_fd, &pids);
	if (n <= 0)
		return n < 0 ? n : NONE;
	pid = pids[0];
	r = n > 1 ? find_in_unit(node, pids, n, &pid) : FOUND;
	if (r == SEVERAL)
		kr_diag_add(diag, KR_ERROR, "several-kubelets", KR_SPAN_NONE,
		            "%d kubelets run here (the first is %d): name one "
		            "with --pid",
		            n, (int)pids[0]);
	return r == FOUND ? kr_process_read(node->proc_fd, pid, NULL, diag, ret)
	                  : r;
}

int kr_node_find_unit(struct kr_node *node, struct kr_diag *diag, char **ret)
{
	_cleanup_process_ struct kr_process process = {.root_fd = -1};
	const char *unit;
	int r = find_process(node, diag, &process);

	*ret = TAKE_PTR(process.unit);
	if (r != NONE)
		return r == -ENOMEM ? r : 0;
	r = kr_foreign_find_unit(node->fs, &unit);
	if (r < 0 || !unit)
		return r;
	*ret = strdup(unit);
	return *ret ? 0 : -ENOMEM;
}

/*
 * The main process of kubelet's unit is kubelet; where another program starts
 * it (rke2, a container's runtime) it is found by its name.
 */
static int read_main_process(struct kr_node *node, struct kr_diag *diag)
{
	_cleanup_process_ struct kr_process main = {.root_fd = -1};
	int r = kr_process_read(node->proc_fd, node->loaded->main_pid,
	                        node->loaded->id, diag, &main);

	if (r < 0)
		return r;
	if (kr_process_kubelet_word((const char *const *)main.argv, main.argc) <
	    0) {
		r = find_process(node, diag, &node->process);
		if (r != FOUND && r != -ENOMEM) {
			node->host_pid = main.pid;
			node->host_started_usec = main.started_usec;
		}
		return r;
	}
	node->process = main;
	main = (struct kr_process){.root_fd = -1};
	return 0;
}

/* The process that was asked for must be a kubelet. */
static int read_given_process(struct kr_node *node, pid_t pid,
                              struct kr_diag *diag)
{
	_cleanup_process_ struct kr_process p = {.root_fd = -1};
	int r = kr_process_read(node->proc_fd, pid, NULL, diag, &p);

	if (r == -ENOMEM)
		return r;
	if (r < 0 ||
	    kr_process_kubelet_word((const char *const *)p.argv, p.argc) < 0) {
		kr_diag_add(diag, KR_ERROR, "no-process", KR_SPAN_NONE,
		            r < 0 ? "process %d does not run"
		                  : "process %d is not a kubelet",
		            (int)pid);
		return r < 0 ? r : -ESRCH;
	}
	node->process = p;
	p = (struct kr_process){.root_fd = -1};
	return 0;
}

/* That no kubelet runs is a result; that it is unknown is another. RESULT:
 * of the search, or an errno. */
static int keep_doubt(struct kr_node *node, int result)
{
	bool main = node->loaded && node->loaded->main_pid > 0;
	int r = 0;

	if (result == SEVERAL)
		r = asprintf(&node->process_doubt,
		             "several kubelets run: name one with --pid");
	else if (result == -ESRCH && main)
		r = asprintf(&node->process_doubt,
		             "kubelet[%d] is not to be seen in /proc",
		             (int)node->loaded->main_pid);
	else if (result < 0 && result != -ESRCH)
		r = asprintf(&node->process_doubt, "/proc cannot be read: %s",
		             strerror(-result));
	if (r < 0) {
		node->process_doubt = NULL;
		return -ENOMEM;
	}
	return 0;
}

int kr_running_find(struct kr_node *node, pid_t pid, struct kr_diag *diag)
{
	int r;

	if (pid > 0 && node->proc_fd >= 0) {
		r = read_given_process(node, pid, diag);
		if (r < 0)
			return r;
	} else if (node->loaded && node->loaded->main_pid > 0 &&
	           node->proc_fd >= 0) {
		r = read_main_process(node, diag);
	} else {
		r = find_process(node, diag, &node->process);
	}
	if (r == -ENOMEM)
		return r;
	node->has_process = r == FOUND;
	if (r != FOUND)
		return keep_doubt(node, r);
	if (node->loaded && node->loaded->started_realtime_usec > 0 &&
	    node->loaded->main_pid == node->process.pid)
		node->process.started_usec =
			node->loaded->started_realtime_usec;
	return 0;
}

/* Its own root, in its mount namespace, which most often are the node's, read
 * already. A namespace's root is the same inode as the node's, though what is
 * mounted below it is not. */
int kr_running_fs(struct kr_node *node, struct kr_diag *diag,
                  struct kr_fs **ret)
{
	struct stat theirs;
	int r;

	if (node->before) {
		r = kr_running_fs(node->before, diag, ret);
		if (r >= 0 && *ret == node->before->fs)
			*ret = node->fs;
		return r;
	}
	*ret = node->process_fs ? node->process_fs : node->fs;
	if (node->process_fs || node->shares_files)
		return 0;
	if (node->process.root_fd < 0) {
		kr_diag_add(diag, KR_WARNING, "process-root", KR_SPAN_NONE,
		            "the root of process %d may not be looked at: its "
		            "files are taken to be the node's",
		            (int)node->process.pid);
		return 0;
	}
	if (fstat(node->process.root_fd, &theirs) < 0)
		return -errno;
	node->shares_files =
		theirs.st_dev == node->root_dev &&
		theirs.st_ino == node->root_ino &&
		kr_process_shares_mounts(node->proc_fd, node->process.pid) != 0;
	if (node->shares_files)
		return 0;
	r = kr_fs_new(node->process.root_fd, &node->process_fs);
	if (r < 0)
		return r;
	*ret = node->process_fs;
	return 0;
}

static int read_once(struct kr_node *node, struct kr_fs *fs,
                     const struct kr_inputs_options *options,
                     struct kr_diag *diag, struct kr_inputs *ret)
{
	const struct kr_process *p = &node->process;
	const char *const *argv = (const char *const *)p->argv;
	int word = kr_process_kubelet_word(argv, p->argc);
	size_t first = word < 0 ? 0 : (size_t)word;

	return kr_inputs_read(fs, argv + first, p->argc - first, options, diag,
	                      ret);
}

/* Once more where there are drop-ins and only then is the version asked. */
static int read_with_version(struct kr_node *node, struct kr_fs *fs,
                             struct kr_inputs_options *options,
                             struct kr_diag *found, struct kr_inputs *ret)
{
	int r = read_once(node, fs, options, found, ret);

	if (r < 0 || !ret->config_dir || options->kubelet_minor > 0)
		return r;
	kr_kubelet_version_ask(node);
	r = kr_kubelet_version_running(node, &options->kubelet_minor);
	if (r < 0)
		return r;
	r = options->kubelet_minor == 0 ? kr_inputs_need_version(ret) : 0;
	if (r < 0)
		return r;
	if (r > 0)
		options->kubelet_minor = kr_kubelet_version_logged(node, false);
	if (options->kubelet_minor == 0)
		return 0;
	kr_diag_done(found);
	kr_inputs_done(ret);
	return read_once(node, fs, options, found, ret);
}

int kr_running_read(struct kr_node *node, struct kr_diag *diag,
                    struct kr_inputs *ret)
{
	struct kr_inputs_options options = {
		.working_directory = node->process.cwd,
		.config = node->config_override,
		.openshift = kr_platform_is_openshift(node->platform),
	};
	_cleanup_diag_ struct kr_diag found = {0};
	struct kr_fs *fs;
	int r = kr_running_fs(node, diag, &fs);

	if (r < 0)
		return r;
	r = kr_kubelet_version_running(node, &options.kubelet_minor);
	if (r < 0)
		return r;
	r = read_with_version(node, fs, &options, &found, ret);
	kr_diag_merge(diag, &found);
	return r;
}
