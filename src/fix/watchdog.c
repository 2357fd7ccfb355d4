/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The rollback that outlives us.
 *
 *   new contents beside their targets
 *   armed: kubelet-remedy-rollback-ID.timer ── runs out ──> recover ID
 *   rename all ── Reload ── rearmed ── restart, settle
 *                                        │ not well
 *                           old ones back ── Reload ── rearmed ── restart
 *   kept, or put back: disarmed
 *
 * What the timer starts waits for the lock, which we hold to our end, whatever
 * end that is; then the record says whether there is anything to do. So a timer
 * that runs out too early, or that could not be stopped, does no harm, and one
 * that is stopped too late neither.
 *
 * The time is systemd's for stopping and starting the unit, as much as
 * kr_activation_restart() gives them, the wait for kubelet's health, and SLACK
 * for the settle time and whatever is slow here.
 *
 * The program that it runs is one of the host. Ours is, where we speak of "/".
 * Below a root we are in a container, and the host may have neither our program
 * nor our libraries: a copy is put there, and systemd runs it once before
 * anything is changed. A reboot takes the timer away, too: then it is the turn
 * of kubelet-remedy-recover.service. Whether a host has that is its
 * administrator's to decide: a unit file of ours that came and went with each
 * fix would be a file that is left where systemd reads when we are killed. So
 * one that is not enabled is a warning, and the next run puts things in order.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "fix/activation.h"
#include "fix/replace.h"
#include "fix/watchdog.h"
#include "systemd/transient.h"

#define SLACK_USEC (25 * KR_USEC_PER_SEC)
#define TRY_USEC   (10 * KR_USEC_PER_SEC)

#define OUR_PROGRAM "/proc/self/exe"
#define COPY        "program"
#define BOOT_UNIT   "kubelet-remedy-recover.service"
#define DESCRIPTION "Take back a change of kubelet's configuration"

static int fail(struct kr_diag *diag, const char *path, int error)
{
	kr_diag_add_path(diag, KR_ERROR, "watchdog", path,
	                 "the program cannot be put there, for systemd to take "
	                 "the change back if this run is killed: %s",
	                 strerror(-error));
	return error;
}

/* --- the program --------------------------------------------------------- */

static bool is_below_root(const struct kr_host *host)
{
	return strcmp(host->node->root, "/") != 0;
}

static int write_copy(int folder_fd)
{
	_cleanup_close_ int fd = open(OUR_PROGRAM, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	r = kr_write_file(folder_fd, COPY ".new", data, (size_t)st.st_size, -1);
	munmap(data, (size_t)st.st_size);
	if (r == 0 && fchmodat(folder_fd, COPY ".new", 0700, 0) < 0)
		r = -errno;
	if (r == 0 && renameat(folder_fd, COPY ".new", folder_fd, COPY) < 0)
		r = -errno;
	return r;
}

static int copy_program(struct kr_host *host, struct kr_diag *diag, char **ret)
{
	_cleanup_close_ int folder_fd =
		kr_fs_make_folder(host->node->fs, KR_STATE_DIR, 0700);
	int r = folder_fd < 0 ? folder_fd : write_copy(folder_fd);

	if (r < 0)
		return fail(diag, KR_STATE_DIR "/" COPY, r);
	*ret = strdup(KR_STATE_DIR "/" COPY);
	return *ret ? 0 : -ENOMEM;
}

static void remove_copy(struct kr_host *host)
{
	_cleanup_close_ int fd =
		kr_fs_open_folder(host->node->fs, KR_STATE_DIR);

	if (fd >= 0)
		unlinkat(fd, COPY, 0);
}

static int try_program(struct kr_host *host, const char *program,
                       struct kr_diag *diag)
{
	const char *const argv[] = {program, "--version", NULL};
	const struct kr_transient transient = {
		.name = "kubelet-remedy-try",
		.description = "Try whether kubelet-remedy runs on this host",
		.argv = argv,
	};
	int status = -1;
	int r = kr_transient_run(host->manager, &transient, TRY_USEC, diag,
	                         &status);

	if (r < 0 || status == 0)
		return r;
	kr_diag_add_path(diag, KR_ERROR, "watchdog", program,
	                 "this copy of the program does not run on the host "
	                 "(status %d), so that systemd could not take the "
	                 "change back if this run was killed: the libraries "
	                 "that it needs must be there; --restart=never changes "
	                 "only the files",
	                 status);
	return -EOPNOTSUPP;
}

static int own_program(struct kr_diag *diag, char **ret)
{
	char path[PATH_MAX];
	ssize_t n = readlink(OUR_PROGRAM, path, sizeof(path) - 1);

	if (n >= 0)
		path[n] = '\0';
	if (n < 0 || access(path, X_OK) < 0)
		return fail(diag, n < 0 ? OUR_PROGRAM : path, -errno);
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

static int find_program(struct kr_watchdog *w, struct kr_host *host,
                        struct kr_diag *diag, char **ret)
{
	int r;

	if (!is_below_root(host))
		return own_program(diag, ret);
	w->copied = true;
	r = copy_program(host, diag, ret);
	return r == 0 ? try_program(host, *ret, diag) : r;
}

/* --- the timer ----------------------------------------------------------- */

static int arm(struct kr_watchdog *w, struct kr_host *host, const char *id,
               uint64_t wait_usec, struct kr_diag *diag)
{
	_cleanup_free_ char *program = NULL, *unit = NULL, *wait = NULL;
	const char *argv[] = {NULL, "recover", NULL, NULL, id, NULL};
	const struct kr_transient transient = {
		.name = w->name,
		.description = DESCRIPTION,
		.argv = argv,
		.after_usec =
			kr_activation_limit_usec(host, wait_usec) + SLACK_USEC,
	};
	int r = find_program(w, host, diag, &program);

	if (r < 0)
		return r;
	if (asprintf(&unit, "--unit=%s", host->node->unit_name) < 0)
		unit = NULL;
	if (asprintf(&wait, "--wait=%llu",
	             (unsigned long long)(wait_usec / KR_USEC_PER_SEC)) < 0)
		wait = NULL;
	if (!unit || !wait)
		return -ENOMEM;
	argv[0] = program;
	argv[2] = unit;
	argv[3] = wait;
	return kr_transient_arm(host->manager, &transient, diag);
}

static void warn_of_reboot(struct kr_host *host, struct kr_diag *diag)
{
	_cleanup_diag_ struct kr_diag ignored = {0};

	if (kr_manager_is_enabled(host->manager, BOOT_UNIT, &ignored) != 0)
		return;
	kr_diag_add(diag, KR_WARNING, "no-boot-unit", KR_SPAN_NONE,
	            BOOT_UNIT " is not enabled: after a reboot in the middle "
	                      "of this run only the next run takes back what "
	                      "it left");
}

int kr_watchdog_arm(struct kr_host *host, const char *id, uint64_t wait_usec,
                    struct kr_diag *diag, struct kr_watchdog *ret)
{
	struct kr_watchdog w = {0};
	int r;

	if (asprintf(&w.name, "kubelet-remedy-rollback-%s", id) < 0)
		return -ENOMEM;
	r = arm(&w, host, id, wait_usec, diag);
	if (r < 0) {
		if (w.copied)
			remove_copy(host);
		kr_watchdog_done(&w);
		return r;
	}
	warn_of_reboot(host, diag);
	*ret = w;
	return 0;
}

void kr_watchdog_rearm(const struct kr_watchdog *w, struct kr_host *host)
{
	if (w->name)
		kr_transient_rearm(host->manager, w->name, NULL);
}

void kr_watchdog_disarm(struct kr_watchdog *w, struct kr_host *host)
{
	if (!w->name)
		return;
	kr_transient_disarm(host->manager, w->name, NULL);
	if (w->copied)
		remove_copy(host);
	kr_watchdog_done(w);
}

void kr_watchdog_done(struct kr_watchdog *w)
{
	free(w->name);
	*w = (struct kr_watchdog){0};
}
