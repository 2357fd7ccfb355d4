/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who holds a lock, by /proc.
 *
 * /proc/locks names the process of each flock(2), as seen from the pid
 * namespace of that /proc, and leaves out those that it does not see. Its
 * device is the file system's own, which on btrfs and overlayfs is not the one
 * that stat(2) gives. So its lines only say who holds any such lock; which file
 * that is tell the process's own descriptors: /proc/PID/fd leads to the very
 * file, whatever its name is by now, and /proc/PID/fdinfo has the locks of
 * each. A process in a container is found by the file, too: it has another name
 * for it, and the same inode.
 *
 * The process is pinned by a pidfd before it is ended. A number may be used
 * again, so that its start time is read once more after that. SIGKILL also ends
 * a process that is stopped, or in a frozen control group of cgroup v2; in one
 * of v1, or in a system call that cannot be broken off, it ends only when it
 * goes on, before it does anything more.
 *
 * Sources: proc(5), pidfd_open(2); locks_translate_pid() in the kernel's
 * fs/locks.c.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"
#include "host/holder.h"
#include "node/process.h"

static int open_stream(int dir_fd, const char *path, FILE **ret)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret = fdopen(fd, "r");
	if (!*ret)
		return -errno;
	TAKE_FD(fd);
	return 0;
}

/* "1: FLOCK  ADVISORY  WRITE 812 00:18:1034 0 EOF"; one that waits has "->"
 * behind the number. 0: it is no flock. */
static pid_t pid_of_flock(const char *line)
{
	int pid;

	return sscanf(line, "%*d: FLOCK ADVISORY WRITE %d", &pid) == 1 &&
	                       pid > 0
	               ? pid
	               : 0;
}

/* Whether the descriptor NAME of PID has a lock. */
static bool has_lock(int proc_fd, pid_t pid, const char *name)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	char path[64];
	size_t room = 0;

	snprintf(path, sizeof(path), "%d/fdinfo/%.16s", (int)pid, name);
	if (open_stream(proc_fd, path, &f) < 0)
		return false;
	while (getline(&line, &room, f) > 0) {
		const char *lock = line + strlen("lock:");

		if (strncmp(line, "lock:", strlen("lock:")) == 0 &&
		    pid_of_flock(lock) != 0)
			return true;
	}
	return false;
}

static bool holds(int proc_fd, pid_t pid, const struct stat *file)
{
	_cleanup_close_ int fd = -1;
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *d;
	char path[64];

	snprintf(path, sizeof(path), "%d/fd", (int)pid);
	fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return false;
	TAKE_FD(fd);
	while ((d = readdir(dir))) {
		struct stat st;

		if (fstatat(dirfd(dir), d->d_name, &st, 0) == 0 &&
		    st.st_dev == file->st_dev && st.st_ino == file->st_ino &&
		    has_lock(proc_fd, pid, d->d_name))
			return true;
	}
	return false;
}

static int look(int proc_fd, pid_t pid, struct kr_holder *ret)
{
	struct kr_process_state state;
	int r = kr_process_look(proc_fd, pid, &state);

	if (r < 0)
		return r;
	*ret = (struct kr_holder){
		.pid = pid,
		.start_ticks = state.start_ticks,
		.stopped = state.letter == 'T' || state.letter == 't',
	};
	return 0;
}

int kr_holder_find(int proc_fd, const struct stat *file, struct kr_holder *ret)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	struct kr_holder found = {0};
	size_t room = 0;
	int r;

	*ret = found;
	if (proc_fd < 0)
		return 0;
	r = open_stream(proc_fd, "locks", &f);
	if (r < 0)
		return r;
	while (getline(&line, &room, f) > 0) {
		pid_t pid = pid_of_flock(line);

		/* the start time comes first: one that has got the number
		 * since holds nothing of ours */
		if (pid == 0 || look(proc_fd, pid, &found) < 0 ||
		    !holds(proc_fd, pid, file))
			continue;
		*ret = found;
		break;
	}
	return 0;
}

/* Below a root we may be in another pid namespace than that /proc: then its
 * numbers are others than ours. */
static bool is_our_proc(int proc_fd)
{
	char text[16];
	ssize_t n = readlinkat(proc_fd, "self", text, sizeof(text) - 1);

	if (n < 0)
		return false;
	text[n] = '\0';
	return atoi(text) == (int)getpid();
}

enum kr_killed kr_holder_kill(int proc_fd, const struct kr_holder *holder)
{
	_cleanup_close_ int fd = -1;
	struct kr_holder now;

	if (holder->pid <= 1 || holder->pid == getpid() ||
	    !is_our_proc(proc_fd))
		return KR_KILLED_CANNOT;
	fd = (int)syscall(SYS_pidfd_open, holder->pid, 0);
	if (fd < 0)
		return errno == ESRCH ? KR_KILLED_GONE : KR_KILLED_CANNOT;
	if (look(proc_fd, holder->pid, &now) < 0 ||
	    now.start_ticks != holder->start_ticks)
		return KR_KILLED_GONE;
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0)
		return KR_KILLED;
	return errno == ESRCH ? KR_KILLED_GONE : KR_KILLED_CANNOT;
}
