/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The running kubelet as /proc shows it.
 *
 * A PID may end and be used again between two reads, so the start time (field
 * 22 of stat) is read first and last: if it differs, the process is gone.
 *
 * argv is what the process shows, which is what execve(2) got unless it wrote
 * over it; kubelet does not. Source: proc(5).
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/vec.h"
#include "node/process.h"

#define PROC_FILE_MAX ((size_t)4 * 1024 * 1024)
#define STAT_MAX      2048 /* 52 numbers and a name */

/* All of a /proc file. The caller frees RET. */
static int read_proc(int proc_fd, pid_t pid, const char *name, char **ret,
                     size_t *ret_size)
{
	_cleanup_free_ char *data = NULL;
	_cleanup_close_ int fd = -1;
	size_t size = 0, room = 4096;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	data = malloc(room + 1);
	if (!data)
		return -ENOMEM;
	while ((n = read(fd, data + size, room - size)) != 0) {
		if (n < 0)
			return -errno;
		size += (size_t)n;
		if (size == room) {
			char *grown;

			if (room >= PROC_FILE_MAX)
				return -EFBIG;
			room *= 2;
			grown = realloc(data, room + 1);
			if (!grown)
				return -ENOMEM;
			data = grown;
		}
	}
	data[size] = '\0';
	*ret = TAKE_PTR(data);
	*ret_size = size;
	return 0;
}

static int open_stat(int proc_fd, pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "%d/stat", (int)pid);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return fd;
}

/* The process whose stat FD is. -ESRCH: it is gone, even where
 * another process has its PID now. */
static int look(int fd, struct kr_process_state *ret)
{
	char stat[STAT_MAX + 1];
	unsigned long long ticks;
	char *after;
	/* one record: it comes as a whole */
	ssize_t n = pread(fd, stat, STAT_MAX, 0);

	if (n < 0)
		return -errno;
	stat[n] = '\0';
	/* the name in field 2 may hold anything, blanks and ")" too */
	after = memrchr(stat, ')', (size_t)n);
	if (!after || sscanf(after + 1,
	                     " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
	                     "%*u %*u %*d %*d %*d %*d %*d %*d %llu",
	                     &ret->letter, &ticks) != 2)
		return -EBADMSG;
	ret->start_ticks = ticks;
	return 0;
}

int kr_process_look(int proc_fd, pid_t pid, struct kr_process_state *ret)
{
	_cleanup_close_ int fd = open_stat(proc_fd, pid);

	return fd < 0 ? fd : look(fd, ret);
}

static int read_start(int fd, uint64_t *ret)
{
	struct kr_process_state state;
	int r = look(fd, &state);

	if (r < 0)
		return r;
	if (state.letter == 'Z' || state.letter == 'X')
		return -ESRCH;
	*ret = state.start_ticks;
	return 0;
}

int kr_process_start(int proc_fd, pid_t pid, uint64_t *ret)
{
	_cleanup_close_ int fd = open_stat(proc_fd, pid);

	return fd < 0 ? fd : read_start(fd, ret);
}

static uint64_t ticks_to_realtime(uint64_t ticks)
{
	uint64_t per_sec = (uint64_t)sysconf(_SC_CLK_TCK);

	return kr_boot_usec() + ticks * KR_USEC_PER_SEC / per_sec;
}

static int split_argv(const char *data, size_t size, struct kr_process *p)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\0';
	if (size > 0 && data[size - 1] != '\0')
		n++;
	p->argv = calloc(n + 1, sizeof(char *));
	if (!p->argv)
		return -ENOMEM;
	while (p->argc < n) {
		p->argv[p->argc] = strdup(data);
		if (!p->argv[p->argc])
			return -ENOMEM;
		data += strlen(data) + 1;
		p->argc++;
	}
	return 0;
}

/* "0::/system.slice/kubelet.service" or "1:name=systemd:/...": the last name
 * of the path that is a service. */
static int unit_of_cgroup(const char *data, char **ret)
{
	for (const char *line = data; line && *line;
	     line = strchr(line, '\n'), line += line != NULL) {
		size_t length = strcspn(line, "\n");
		const char *end = line + length;
		const char *path = memchr(line, '/', length);
		bool ours = strncmp(line, "0::", 3) == 0 ||
		            strncmp(line, "1:name=systemd:", 15) == 0;

		while (ours && path && path < end) {
			const char *next =
				memchr(path + 1, '/', (size_t)(end - path - 1));
			size_t n = (size_t)((next ? next : end) - path - 1);

			if (n > 8 &&
			    memcmp(path + 1 + n - 8, ".service", 8) == 0) {
				free(*ret);
				*ret = strndup(path + 1, n);
				if (!*ret)
					return -ENOMEM;
			}
			path = next;
		}
		if (*ret)
			return 0;
	}
	return 0;
}

/* The unit by its control group, where it is not known. */
static int read_unit(int proc_fd, struct kr_process *p)
{
	_cleanup_free_ char *cgroup = NULL;
	size_t size;
	int r;

	if (p->unit)
		return 0;
	r = read_proc(proc_fd, p->pid, "cgroup", &cgroup, &size);
	return r < 0 ? r : unit_of_cgroup(cgroup, &p->unit);
}

static int read_links(int proc_fd, struct kr_process *p)
{
	char path[64], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%d/cwd", (int)p->pid);
	n = readlinkat(proc_fd, path, target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		p->cwd = strdup(target);
		if (!p->cwd)
			return -ENOMEM;
	}
	snprintf(path, sizeof(path), "%d/root", (int)p->pid);
	p->root_fd = openat(proc_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

static int read_process(int proc_fd, struct kr_process *p)
{
	_cleanup_close_ int stat_fd = open_stat(proc_fd, p->pid);
	_cleanup_free_ char *cmdline = NULL;
	uint64_t again;
	size_t size;
	int r = stat_fd < 0 ? stat_fd : read_start(stat_fd, &p->start_ticks);

	if (r < 0)
		return r;
	r = read_proc(proc_fd, p->pid, "cmdline", &cmdline, &size);
	if (r < 0)
		return r;
	r = split_argv(cmdline, size, p);
	if (r < 0)
		return r;
	r = read_unit(proc_fd, p);
	if (r < 0)
		return r;
	r = read_links(proc_fd, p);
	if (r < 0)
		return r;
	r = read_start(stat_fd, &again);
	if (r < 0)
		return r;
	if (again != p->start_ticks || p->argc == 0)
		return -ESRCH; /* another by now, or a zombie */
	p->started_usec = ticks_to_realtime(p->start_ticks);
	return 0;
}

int kr_process_read(int proc_fd, pid_t pid, const char *unit,
                    struct kr_diag *diag, struct kr_process *ret)
{
	_cleanup_process_ struct kr_process p = {.pid = pid, .root_fd = -1};
	int r;

	if (unit) {
		p.unit = strdup(unit);
		if (!p.unit)
			return -ENOMEM;
	}
	r = read_process(proc_fd, &p);
	if (r < 0 && r != -ESRCH && r != -ENOMEM)
		kr_diag_add(diag, KR_ERROR, "process-unreadable", KR_SPAN_NONE,
		            "process %d cannot be read: %s", (int)pid,
		            strerror(-r));
	if (r < 0)
		return r;
	*ret = p;
	p = (struct kr_process){.root_fd = -1};
	return 0;
}

void kr_process_done(struct kr_process *p)
{
	for (size_t i = 0; i < p->argc; i++)
		free(p->argv[i]);
	free(p->argv);
	free(p->cwd);
	free(p->unit);
	if (p->root_fd >= 0)
		close(p->root_fd);
	*p = (struct kr_process){.root_fd = -1};
}

static bool is_named(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, name) == 0;
}

/* Programs that run the one they are given with its arguments as they are. Any
 * other may change them, or the root they are read in. */
static bool is_wrapper(const char *path)
{
	static const char *const names[] = {"env", "kubenswrapper"};

	return KR_ANY(name, names, ARRAY_SIZE(names), is_named(path, *name));
}

int kr_process_kubelet_word(const char *const *argv, size_t argc)
{
	if (argc == 0)
		return -1;
	if (is_named(argv[0], "kubelet"))
		return 0;
	if (is_named(argv[0], "hyperkube"))
		return argc > 1 && strcmp(argv[1], "kubelet") == 0 ? 1 : -1;
	if (!is_wrapper(argv[0]))
		return -1;
	for (size_t i = 1; i < argc && argv[i][0] != '-'; i++) {
		if (argv[i][0] == '/' && is_named(argv[i], "kubelet"))
			return (int)i;
	}
	return -1;
}

/* Whether it is one of the PID namespace of PID 1. */
static bool is_the_nodes(int proc_fd, pid_t pid)
{
	struct stat x, y;
	char path[64];

	snprintf(path, sizeof(path), "%d/ns/pid", (int)pid);
	if (fstatat(proc_fd, path, &x, 0) < 0 ||
	    fstatat(proc_fd, "1/ns/pid", &y, 0) < 0)
		return true; /* not permitted to look: nothing against it */
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Whether systemd itself started it as a service: the services of a user are
 * below user.slice, and no user can leave that. */
static bool is_system_service(int proc_fd, pid_t pid)
{
	_cleanup_free_ char *cgroup = NULL, *unit = NULL;
	size_t size;

	if (read_proc(proc_fd, pid, "cgroup", &cgroup, &size) < 0 ||
	    unit_of_cgroup(cgroup, &unit) < 0)
		return false;
	return unit && !strstr(cgroup, "/user.slice/");
}

/*
 * A kubelet is root's, as process 1 is, unless it is a system service with a
 * User=. Any user may call a program kubelet, and would choose the files that
 * root judges and edits.
 */
static bool is_roots(int proc_fd, pid_t pid)
{
	struct stat theirs, init;
	char path[16];

	snprintf(path, sizeof(path), "%d", (int)pid);
	if (fstatat(proc_fd, path, &theirs, 0) < 0)
		return false;
	if (theirs.st_uid == 0 || (fstatat(proc_fd, "1", &init, 0) == 0 &&
	                           theirs.st_uid == init.st_uid))
		return true;
	return is_system_service(proc_fd, pid);
}

static bool is_kubelet(int proc_fd, pid_t pid)
{
	_cleanup_free_ char *comm = NULL, *cmdline = NULL;
	_cleanup_process_ struct kr_process p = {.root_fd = -1};
	size_t size;

	/* comm first: it is short, and nearly every process ends here */
	if (read_proc(proc_fd, pid, "comm", &comm, &size) < 0)
		return false;
	comm[strcspn(comm, "\n")] = '\0';
	if (strcmp(comm, "kubelet") != 0 && strcmp(comm, "hyperkube") != 0)
		return false;
	if (read_proc(proc_fd, pid, "cmdline", &cmdline, &size) < 0 ||
	    split_argv(cmdline, size, &p) < 0)
		return false;
	return kr_process_kubelet_word((const char *const *)p.argv, p.argc) >=
	               0 &&
	       is_the_nodes(proc_fd, pid) && is_roots(proc_fd, pid);
}

int kr_process_find(int proc_fd, pid_t **ret)
{
	_cleanup_free_ pid_t *pids = NULL;
	struct dirent *e;
	int fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = 0;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (n >= 0 && (e = readdir(dir))) {
		pid_t pid = isdigit((unsigned char)e->d_name[0])
		                    ? atoi(e->d_name)
		                    : 0;
		pid_t *next;

		if (pid <= 0 || !is_kubelet(proc_fd, pid))
			continue;
		next = KR_VEC_NEXT(pids, (size_t)n);
		if (!next) {
			n = -ENOMEM;
			break;
		}
		*next = pid;
		n++;
	}
	closedir(dir);
	if (n >= 0)
		*ret = TAKE_PTR(pids);
	return n;
}

int kr_process_shares_network(int proc_fd, pid_t pid)
{
	struct stat theirs, ours;
	char path[64];

	snprintf(path, sizeof(path), "%d/ns/net", (int)pid);
	if (fstatat(proc_fd, path, &theirs, 0) < 0 ||
	    stat("/proc/self/ns/net", &ours) < 0)
		return -errno;
	return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

int kr_process_shares_mounts(int proc_fd, pid_t pid)
{
	struct stat theirs, nodes;
	char path[64];

	snprintf(path, sizeof(path), "%d/ns/mnt", (int)pid);
	if (fstatat(proc_fd, path, &theirs, 0) < 0 ||
	    fstatat(proc_fd, "1/ns/mnt", &nodes, 0) < 0)
		return -errno;
	return theirs.st_dev == nodes.st_dev && theirs.st_ino == nodes.st_ino;
}
