/* SPDX-License-Identifier: Apache-2.0 */

/*
 * strike: runs a command on a tree again and again, one system call of it fails
 * each time, or is where it is killed.
 *
 *     strike [--timeout=SECONDS] TEMPLATE WORK PROGRAM [WORD]...
 *
 * The tree below TEMPLATE is read once and made anew below WORK/root for each
 * run. Each line on stdin asks for one:
 *
 *     NUMBER NTH ERROR
 *
 * the NTH call of the system call NUMBER fails with the errno ERROR and is not
 * made; ERROR 0: SIGKILL comes instead. Each is answered by
 *
 *     STATUS STRUCK TREE KEPT OUT-BYTES ERR-BYTES
 *
 * and those bytes: STATUS is negative for a signal, 255 for one that hung;
 * STRUCK whether the call ever came; TREE a hash of all that lies below the
 * root then; KEPT a number where it is the first time in this run of strike
 * that a tree has that hash: then the tree itself stays, as WORK/kept.KEPT;
 * else -.
 *
 * The hash sees all of a file but its number and its times. What differs from
 * run to run is replaced by what it stands for: a transaction's id by its
 * place in their order, the name of a file beside a target by the place where
 * the records name it, times by nothing, the line of a record's owner by how
 * long it is. So whoever has looked at one tree has
 * looked at all with that hash.
 *
 * Why not strace: that takes milliseconds to start, and each of its stops two
 * switches. Here a seccomp filter asks (seccomp_unotify(2)) about the calls of
 * one number only; and the child is pinned to our CPU, so that a question costs
 * a switch and no interrupt. The child shares our memory and files until its
 * execve(2): thus the filter's descriptor needs no way to us.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/span.h"

#define STATE       "var/lib/kubelet-remedy/"
#define TEMP        ".kubelet-remedy-"
#define TEMP_LENGTH (sizeof(TEMP) - 1 + 24)
#define ID_LENGTH   (sizeof("20260101T000000.000000Z-01234567") - 1)
#define STACK_SIZE  (64 * 1024)
#define NAMES_MAX   256
#define OUTPUT_SIZE (1 << 20)
#define HUNG        255

static int messages_fd = STDERR_FILENO;

/* Ends what hangs, and nothing else; less for strike's own test. */
static int timeout_msec = 180000;

static void die(const char *what)
{
	dprintf(messages_fd, "strike: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *must(void *p)
{
	if (!p)
		die("memory");
	return p;
}

/* --- trees --------------------------------------------------------------- */

struct attribute {
	char *name;
	char *value;
	size_t size;
};

struct entry {
	char *path; /* below the root */
	struct stat st;
	struct attribute *attributes;
	size_t n_attributes;
	char *data; /* of a file or a link */
	size_t size;
};

struct tree {
	struct entry *entries; /* a folder before what is in it */
	size_t n_entries;
};

static void tree_done(struct tree *tree)
{
	for (size_t i = 0; i < tree->n_entries; i++) {
		struct entry *e = &tree->entries[i];

		for (size_t k = 0; k < e->n_attributes; k++) {
			free(e->attributes[k].name);
			free(e->attributes[k].value);
		}
		free(e->attributes);
		free(e->path);
		free(e->data);
	}
	free(tree->entries);
	*tree = (struct tree){0};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct attribute *)a)->name,
	              ((const struct attribute *)b)->name);
}

static void load_attributes(int fd, struct entry *e)
{
	char names[4096];
	ssize_t size = flistxattr(fd, names, sizeof(names));

	if (size < 0)
		die(e->path);
	for (char *name = names; name < names + size; name += strlen(name) + 1)
		e->n_attributes++;
	e->attributes =
		must(calloc(e->n_attributes + 1, sizeof(*e->attributes)));
	for (size_t i = 0, at = 0; i < e->n_attributes; i++) {
		struct attribute *a = &e->attributes[i];
		char value[4096];
		ssize_t n = fgetxattr(fd, names + at, value, sizeof(value));

		if (n < 0)
			die(e->path);
		a->name = must(strdup(names + at));
		a->value = must(
			memcpy(must(malloc((size_t)n + 1)), value, (size_t)n));
		a->size = (size_t)n;
		at += strlen(a->name) + 1;
	}
	qsort(e->attributes, e->n_attributes, sizeof(*e->attributes), by_name);
}

static void load_data(int fd, struct entry *e)
{
	size_t size = (size_t)e->st.st_size;

	e->data = must(malloc(size + 1));
	while (e->size < size) {
		ssize_t n = read(fd, e->data + e->size, size - e->size);

		if (n <= 0)
			die(e->path);
		e->size += (size_t)n;
	}
}

static struct entry *add_entry(struct tree *tree, const char *folder,
                               const char *name)
{
	struct entry *e;

	tree->entries = must(reallocarray(tree->entries, tree->n_entries + 1,
	                                  sizeof(*tree->entries)));
	e = &tree->entries[tree->n_entries++];
	*e = (struct entry){0};
	if (asprintf(&e->path, "%s%s", folder, name) < 0)
		die("memory");
	return e;
}

/* FOLDER: "" or "path/". */
static void load(int fd, const char *folder, struct tree *tree)
{
	DIR *dir = fdopendir(fd);
	struct dirent *d;

	if (!dir)
		die(folder);
	while ((d = readdir(dir))) {
		struct entry *e;
		char *below;
		int at;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		e = add_entry(tree, folder, d->d_name);
		if (fstatat(fd, d->d_name, &e->st, AT_SYMLINK_NOFOLLOW) < 0)
			die(e->path);
		if (S_ISLNK(e->st.st_mode)) {
			e->size = (size_t)e->st.st_size;
			e->data = must(malloc(e->size + 1));
			if (readlinkat(fd, d->d_name, e->data, e->size + 1) !=
			    e->st.st_size)
				die(e->path);
			e->data[e->size] = '\0';
			continue;
		}
		at = openat(fd, d->d_name,
		            O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (at < 0)
			die(e->path);
		load_attributes(at, e);
		if (!S_ISDIR(e->st.st_mode)) {
			load_data(at, e);
			close(at);
			continue;
		}
		if (asprintf(&below, "%s/", e->path) < 0)
			die("memory");
		load(at, below, tree);
		free(below);
	}
	closedir(dir);
}

static int open_folder(int dir_fd, const char *path)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

static void load_tree(int dir_fd, const char *path, struct tree *ret)
{
	*ret = (struct tree){0};
	load(open_folder(dir_fd, path), "", ret);
}

static void make_entry(int root_fd, const struct entry *e)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd;

	if (S_ISLNK(e->st.st_mode)) {
		if (symlinkat(e->data, root_fd, e->path) < 0 ||
		    fchownat(root_fd, e->path, e->st.st_uid, e->st.st_gid,
		             AT_SYMLINK_NOFOLLOW) < 0)
			die(e->path);
		return;
	}
	if (S_ISDIR(e->st.st_mode)) {
		flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
		if (mkdirat(root_fd, e->path, 0700) < 0)
			die(e->path);
	}
	fd = openat(root_fd, e->path, flags, 0600);
	if (fd < 0 ||
	    (S_ISREG(e->st.st_mode) &&
	     write(fd, e->data, e->size) != (ssize_t)e->size) ||
	    fchown(fd, e->st.st_uid, e->st.st_gid) < 0 ||
	    fchmod(fd, e->st.st_mode & 07777) < 0)
		die(e->path);
	for (size_t i = 0; i < e->n_attributes; i++) {
		const struct attribute *a = &e->attributes[i];

		if (fsetxattr(fd, a->name, a->value, a->size, 0) < 0)
			die(e->path);
	}
	close(fd);
}

static void make_tree(int work_fd, const struct tree *tree)
{
	int fd;

	if (mkdirat(work_fd, "root", 0755) < 0)
		die("root");
	fd = open_folder(work_fd, "root");
	for (size_t i = 0; i < tree->n_entries; i++)
		make_entry(fd, &tree->entries[i]);
	close(fd);
}

static void remove_below(int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *d;

	if (!dir)
		die("root");
	while ((d = readdir(dir))) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (d->d_type == DT_DIR)
			remove_below(open_folder(fd, d->d_name));
		if (unlinkat(fd, d->d_name,
		             d->d_type == DT_DIR ? AT_REMOVEDIR : 0) < 0)
			die(d->d_name);
	}
	closedir(dir);
}

static void remove_tree(int work_fd)
{
	remove_below(open_folder(work_fd, "root"));
	if (unlinkat(work_fd, "root", AT_REMOVEDIR) < 0)
		die("root");
}

/* --- the hash ------------------------------------------------------------ */

/* Names that differ from run to run, in an order that does not. */
struct names {
	char *names[NAMES_MAX];
	size_t n_names;
	size_t length; /* of each */
};

static void add_name(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n_names; i++) {
		if (memcmp(names->names[i], name, names->length) == 0)
			return;
	}
	if (names->n_names == NAMES_MAX) {
		errno = E2BIG;
		die("names");
	}
	names->names[names->n_names++] = must(strndup(name, names->length));
}

static void names_done(struct names *names)
{
	for (size_t i = 0; i < names->n_names; i++)
		free(names->names[i]);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The folders of transactions; by their names, which is by their age. */
static void find_ids(const struct tree *tree, struct names *ids)
{
	for (size_t i = 0; i < tree->n_entries; i++) {
		const char *path = tree->entries[i].path;

		if (strncmp(path, STATE, strlen(STATE)) != 0)
			continue;
		path += strlen(STATE);
		if (strcspn(path, "/") == ID_LENGTH && path[8] == 'T')
			add_name(ids, path);
	}
	qsort(ids->names, ids->n_names, sizeof(*ids->names), by_text);
}

static bool is_state(const struct entry *e)
{
	return S_ISREG(e->st.st_mode) &&
	       strncmp(e->path, STATE, strlen(STATE)) == 0;
}

/* In the order in which the records name them. */
static void find_temps(const struct tree *tree, const char *id,
                       struct names *temps)
{
	for (size_t i = 0; i < tree->n_entries; i++) {
		const struct entry *e = &tree->entries[i];
		const char *p = e->data, *end = e->data + e->size;

		if (!is_state(e) || !strstr(e->path, id))
			continue;
		while ((p = memmem(p, (size_t)(end - p), TEMP, strlen(TEMP)))) {
			if ((size_t)(end - p) >= TEMP_LENGTH)
				add_name(temps, p);
			p++;
		}
	}
}

static void replace_names(const struct names *names, char letter, char *data,
                          size_t size)
{
	for (size_t i = 0; i < names->n_names; i++) {
		char *p = data, *end = data + size;

		while ((p = memmem(p, (size_t)(end - p), names->names[i],
		                   names->length))) {
			memset(p, letter, names->length);
			p[0] = (char)('0' + i / 64);
			p[1] = (char)('0' + i % 64);
		}
	}
}

/* The digits behind each KEY of a record. */
static void replace_digits(const char *key, char *data, size_t size)
{
	char *p = data, *end = data + size;

	while ((p = memmem(p, (size_t)(end - p), key, strlen(key)))) {
		for (p += strlen(key); p < end && *p != ',' && *p != '\n';
		     p++) {
			if (*p >= '0' && *p <= '9')
				*p = '0';
		}
	}
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path,
	              ((const struct entry *)b)->path);
}

static void normalise(struct tree *tree)
{
	struct names ids = {.length = ID_LENGTH};
	struct names temps = {.length = TEMP_LENGTH};

	/* so that the records of one transaction come in one order */
	qsort(tree->entries, tree->n_entries, sizeof(*tree->entries), by_path);
	find_ids(tree, &ids);
	for (size_t i = 0; i < ids.n_names; i++)
		find_temps(tree, ids.names[i], &temps);
	for (size_t i = 0; i < tree->n_entries; i++) {
		struct entry *e = &tree->entries[i];

		replace_names(&ids, 'i', e->path, strlen(e->path));
		replace_names(&temps, 't', e->path, strlen(e->path));
		if (!is_state(e))
			continue;
		replace_names(&ids, 'i', e->data, e->size);
		replace_names(&temps, 't', e->data, e->size);
		replace_digits("\"time\":", e->data, e->size);
		replace_digits("\"time_usec\":", e->data, e->size);
		if (strstr(e->path, "/owner"))
			memset(e->data, 'o', e->size);
	}
	names_done(&ids);
	names_done(&temps);
	qsort(tree->entries, tree->n_entries, sizeof(*tree->entries), by_path);
}

static void hash_tree(struct tree *tree, char ret[static KR_SHA256_HEX_SIZE])
{
	char *text;
	size_t size;
	FILE *f = must(open_memstream(&text, &size));

	normalise(tree);
	for (size_t i = 0; i < tree->n_entries; i++) {
		const struct entry *e = &tree->entries[i];

		fprintf(f, "%s%c%o %u %u %zu %zu ", e->path, '\0',
		        e->st.st_mode, e->st.st_uid, e->st.st_gid,
		        e->n_attributes, e->size);
		for (size_t k = 0; k < e->n_attributes; k++) {
			const struct attribute *a = &e->attributes[k];

			fprintf(f, "%s %zu ", a->name, a->size);
			fwrite(a->value, 1, a->size, f);
		}
		if (e->size)
			fwrite(e->data, 1, e->size, f);
	}
	if (fclose(f) != 0)
		die("memory");
	kr_sha256_hex(text, size, ret);
	free(text);
}

/* --- one run ------------------------------------------------------------- */

struct point {
	int number;
	unsigned nth;
	int error; /* 0: SIGKILL */
};

struct child {
	char **argv;
	int number;
	int listener_fd; /* set by the child */
	int error;       /* what kept it from its execve(2) */
};

/* Runs in our memory, with our files. */
static int child_main(void *closure)
{
	struct child *c = closure;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)c->number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = {.len = sizeof(code) / sizeof(*code),
	                                  .filter = code};

	/* else the heap's place decides how often brk(2) is called */
	personality(PER_LINUX | ADDR_NO_RANDOMIZE);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	c->listener_fd =
		(int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	                     SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
	if (c->listener_fd >= 0)
		execv(c->argv[0], c->argv);
	c->error = errno;
	_exit(127);
}

static pid_t start(struct child *c, int *ret_pidfd)
{
	static char stack[STACK_SIZE] __attribute__((aligned(16)));
	pid_t pid = clone(child_main, stack + STACK_SIZE,
	                  CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PIDFD |
	                          SIGCHLD,
	                  c, ret_pidfd);

	if (pid < 0)
		die("clone");
	if (c->error) {
		errno = c->error;
		die(c->listener_fd < 0 ? "seccomp" : c->argv[0]);
	}
	return pid;
}

/* Answers one question of the filter; whether it was the point's. */
static bool answer(int listener_fd, const struct point *point, unsigned *n,
                   pid_t pid)
{
	struct seccomp_notif ask = {0};
	struct seccomp_notif_resp say = {0};

	if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &ask) < 0) {
		if (errno == ENOENT || errno == EINTR)
			return false;
		die("seccomp");
	}
	say.id = ask.id;
	if (++*n != point->nth)
		say.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (point->error)
		say.error = -point->error;
	else
		kill(pid, SIGKILL);
	if ((say.flags || say.error) &&
	    ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &say) < 0 &&
	    errno != ENOENT)
		die("seccomp");
	return *n == point->nth;
}

/* Ends what hangs. What it was doing, as /proc says it, stands at the end of
 * its errors. */
static void end_hung(pid_t pid)
{
	static const char *const names[] = {"cmdline", "stat", "wchan",
	                                    "syscall", "stack"};
	char path[64], text[4096];

	/* it may hang since nobody reads what it says */
	fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
	dprintf(STDERR_FILENO, "\nhung for %d s, killed\n",
	        timeout_msec / 1000);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ssize_t n = -1;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, names[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			n = read(fd, text, sizeof(text));
		if (n < 0)
			n = snprintf(text, sizeof(text), "%s", strerror(errno));
		for (ssize_t j = 0; j < n; j++)
			text[j] = text[j] ? text[j] : ' ';
		dprintf(STDERR_FILENO, "%s: %.*s\n", names[i], (int)n, text);
		if (fd >= 0)
			close(fd);
	}
	fcntl(STDERR_FILENO, F_SETFL, 0);
	kill(pid, SIGKILL);
}

/* The status, negative for a signal. */
static int run(char **argv, const struct point *point, bool *ret_struck)
{
	struct child c = {
		.argv = argv, .number = point->number, .listener_fd = -1};
	struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};
	unsigned n = 0;
	int status, r;
	pid_t pid = start(&c, &fds[1].fd);

	fds[0].fd = c.listener_fd;
	*ret_struck = false;
	while ((r = poll(fds, 2, timeout_msec)) > 0 &&
	       (fds[0].revents & POLLIN))
		*ret_struck |= answer(c.listener_fd, point, &n, pid);
	if (r == 0)
		end_hung(pid);
	if (r < 0 || waitpid(pid, &status, 0) < 0)
		die("wait");
	close(c.listener_fd);
	close(fds[1].fd);
	if (r == 0)
		return HUNG;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- requests ------------------------------------------------------------ */

struct output {
	int read_fd;
	char *bytes;
	size_t size;
};

/* TARGET becomes the end that is written to. */
static void open_output(struct output *o, int target)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0 ||
	    fcntl(fds[0], F_SETPIPE_SZ, OUTPUT_SIZE) < 0 ||
	    fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 || dup2(fds[1], target) < 0)
		die("pipe");
	close(fds[1]);
	o->read_fd = fds[0];
	o->bytes = must(malloc(OUTPUT_SIZE));
}

static void read_output(struct output *o)
{
	ssize_t n;

	o->size = 0;
	while (o->size < OUTPUT_SIZE &&
	       (n = read(o->read_fd, o->bytes + o->size,
	                 OUTPUT_SIZE - o->size)) > 0)
		o->size += (size_t)n;
}

struct seen {
	char (*hashes)[KR_SHA256_HEX_SIZE];
	size_t n_hashes;
};

static bool is_new(struct seen *seen, const char *hash)
{
	for (size_t i = seen->n_hashes; i-- > 0;) {
		if (memcmp(seen->hashes[i], hash, KR_SHA256_HEX_SIZE) == 0)
			return false;
	}
	seen->hashes = must(reallocarray(seen->hashes, seen->n_hashes + 1,
	                                 sizeof(*seen->hashes)));
	memcpy(seen->hashes[seen->n_hashes++], hash, KR_SHA256_HEX_SIZE);
	return true;
}

static void serve(FILE *ask, FILE *say, int work_fd, const struct tree *start,
                  char **argv)
{
	struct output out = {0}, err = {0};
	struct seen seen = {0};
	struct point p;

	open_output(&out, STDOUT_FILENO);
	open_output(&err, STDERR_FILENO);
	while (fscanf(ask, "%d %u %d", &p.number, &p.nth, &p.error) == 3) {
		char hash[KR_SHA256_HEX_SIZE], kept[32], number[16] = "-";
		struct tree now;
		bool struck;
		int status;

		make_tree(work_fd, start);
		status = run(argv, &p, &struck);
		read_output(&out);
		read_output(&err);
		load_tree(work_fd, "root", &now);
		hash_tree(&now, hash);
		tree_done(&now);
		if (is_new(&seen, hash)) {
			snprintf(number, sizeof(number), "%zu", seen.n_hashes);
			snprintf(kept, sizeof(kept), "kept.%s", number);
			if (renameat(work_fd, "root", work_fd, kept) < 0)
				die(kept);
		} else {
			remove_tree(work_fd);
		}
		fprintf(say, "%d %d %s %s %zu %zu\n", status, struck, hash,
		        number, out.size, err.size);
		fwrite(out.bytes, 1, out.size, say);
		fwrite(err.bytes, 1, err.size, say);
		if (fflush(say) != 0)
			die("answer");
	}
}

/* FD away from where the child's are. */
static FILE *move(int fd, const char *mode)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	FILE *f = moved < 0 ? NULL : fdopen(moved, mode);

	if (!f)
		die("a descriptor");
	return f;
}

int main(int argc, char **argv)
{
	struct tree tree;
	FILE *ask, *say;
	int work_fd, null_fd;

	if (argc > 1 && sscanf(argv[1], "--timeout=%d", &timeout_msec) == 1) {
		timeout_msec *= 1000;
		argc--;
		argv++;
	}
	if (argc < 4) {
		fprintf(stderr, "usage: strike [--timeout=SECONDS] TEMPLATE "
		                "WORK PROGRAM [WORD]...\n");
		return 2;
	}
	umask(022);
	ask = move(STDIN_FILENO, "r");
	say = move(STDOUT_FILENO, "w");
	messages_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0)
		die("/dev/null");
	work_fd = open_folder(AT_FDCWD, argv[2]);
	load_tree(AT_FDCWD, argv[1], &tree);
	serve(ask, say, work_fd, &tree, argv + 3);
	tree_done(&tree);
	return 0;
}
