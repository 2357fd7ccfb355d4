/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The program that the rollback's timer runs is one of the host: a container is
 * gone when it is needed.
 *
 * Where we speak of "/" it is this one. Below a root we are in a container, and
 * the host has neither our program nor, most often, our libraries: AL2023 and
 * Ubuntu come without libcjson, libyaml and libbsd, and their libc may be older
 * than ours. So the image has the program in a folder that needs nothing of the
 * host but its kernel (contrib/add-libraries makes it), and the files of that
 * folder are copied:
 *
 *   /usr/lib/kubelet-remedy/      ──>   /var/lib/kubelet-remedy/program/
 *     kubelet-remedy
 *     kubelet-remedy.loader       libc's half: ld-linux-x86-64.so.2
 *     libcjson.so.1, ...
 *
 * The folder is the one that /proc/self/exe lies in, if it has a loader of that
 * name. The program in it is run by that loader, which is asked to look there
 * first; contrib/bundle unpacks such a folder on a host, and it runs the same:
 *
 *   .../kubelet-remedy.loader --library-path FOLDER FOLDER/kubelet-remedy
 *
 * Any other program is copied alone. The host may have what it needs.
 *
 * systemd runs either once before anything is changed: a file system that is
 * mounted noexec, a mount namespace that only we are in, or a security module
 * may forbid it, and our environment (LD_LIBRARY_PATH) is not that of a
 * service. A library that lacks a symbol shows then, too: the program is linked
 * with -z now.
 *
 * Nothing is fsynced: a power cut takes the timer away, too. Old files are
 * unlinked, never written over: a service of an earlier timer may run them.
 *
 * Sources: ld.so(8), getauxval(3) for AT_BASE.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "host/program.h"
#include "store/files.h"
#include "systemd/transient.h"

#define TRY_USEC    (10 * KR_USEC_PER_SEC)
#define OUR_PROGRAM "/proc/self/exe"
#define LOADER      KR_NAME ".loader"
#define FOLDER      KR_STATE_DIR "/program"

static int fail(struct kr_diag *diag, const char *path, int error)
{
	kr_diag_add_path(diag, KR_ERROR, "program", path,
	                 "the program cannot be put there, for systemd to "
	                 "revert the change if this run is killed: %s",
	                 strerror(-error));
	return error;
}

/* --- this program -------------------------------------------------------- */

struct ours {
	char path[PATH_MAX];
	char *folder;
	DIR *dir; /* of the folder; NULL: it has no loader */
};

static void ours_done(struct ours *ours)
{
	free(ours->folder);
	if (ours->dir)
		closedir(ours->dir);
}

static int find_ours(struct kr_diag *diag, struct ours *ours)
{
	ssize_t n = readlink(OUR_PROGRAM, ours->path, sizeof(ours->path) - 1);
	_cleanup_close_ int fd = -1;

	if (n < 0)
		return fail(diag, OUR_PROGRAM, -errno);
	ours->path[n] = '\0';
	ours->folder = strndup(ours->path,
	                       (size_t)(strrchr(ours->path, '/') - ours->path));
	if (!ours->folder)
		return -ENOMEM;
	fd = open(ours->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !kr_is_there(fd, LOADER) || !kr_is_there(fd, KR_NAME))
		return 0;
	ours->dir = fdopendir(fd);
	if (!ours->dir)
		return -errno;
	TAKE_FD(fd);
	return 0;
}

/* --- the copy ------------------------------------------------------------ */

static int write_copy(int folder_fd, const char *name, int from_fd)
{
	_cleanup_close_ int fd = openat(
		folder_fd, name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0700);
	struct stat st;
	void *data;
	int r;

	if (fd < 0 || fstat(from_fd, &st) < 0)
		return -errno;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, from_fd,
	            0);
	if (data == MAP_FAILED)
		return -errno;
	r = kr_write_all(fd, data, (size_t)st.st_size);
	munmap(data, (size_t)st.st_size);
	if (r < 0)
		return r;
	/* whatever the umask is */
	return fchmod(fd, 0700) < 0 ? -errno : 0;
}

static int copy_file(int folder_fd, const char *name, int from_folder_fd,
                     const char *from, struct kr_diag *diag)
{
	_cleanup_close_ int fd =
		openat(from_folder_fd, from, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *to = NULL;
	int r = fd < 0 ? -errno : write_copy(folder_fd, name, fd);

	if (r >= 0)
		return 0;
	to = kr_path_join(FOLDER, name);
	return to ? fail(diag, to, r) : -ENOMEM;
}

static int copy_files(struct kr_fs *fs, const struct ours *ours,
                      struct kr_diag *diag)
{
	_cleanup_close_ int state_fd = -1, fd = -1;
	const struct dirent *entry;
	struct stat st;
	int r;

	state_fd = kr_fs_make_folder(fs, KR_STATE_DIR, 0700);
	if (state_fd < 0)
		return fail(diag, KR_STATE_DIR, state_fd);
	r = kr_program_remove(fs);
	if (r < 0)
		return fail(diag, FOLDER, r);
	fd = kr_fs_make_folder(fs, FOLDER, 0700);
	if (fd < 0)
		return fail(diag, FOLDER, fd);
	if (!ours->dir)
		return copy_file(fd, KR_NAME, AT_FDCWD, OUR_PROGRAM, diag);
	while (errno = 0, entry = readdir(ours->dir)) {
		if (fstatat(dirfd(ours->dir), entry->d_name, &st, 0) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		r = copy_file(fd, entry->d_name, dirfd(ours->dir),
		              entry->d_name, diag);
		if (r < 0)
			return r;
	}
	return errno ? fail(diag, ours->folder, -errno) : 0;
}

int kr_program_remove(struct kr_fs *fs)
{
	return kr_remove_folder(fs, FOLDER, NULL);
}

/* --- its command --------------------------------------------------------- */

static int add_word(struct kr_program *program, char *word)
{
	if (!word)
		return -ENOMEM;
	program->words[program->n_words++] = word;
	return 0;
}

static int add_words(struct kr_program *program, const struct ours *ours)
{
	const char *folder = program->copied ? FOLDER : ours->folder;

	if (!ours->dir && !program->copied)
		return add_word(program, strdup(ours->path));
	if (ours->dir && (add_word(program, kr_path_join(folder, LOADER)) < 0 ||
	                  add_word(program, strdup("--library-path")) < 0 ||
	                  add_word(program, strdup(folder)) < 0))
		return -ENOMEM;
	return add_word(program, kr_path_join(folder, KR_NAME));
}

static int try_program(struct kr_host *host, const struct kr_program *program,
                       struct kr_diag *diag)
{
	const char *argv[KR_PROGRAM_WORDS_MAX + 2] = {NULL};
	const struct kr_transient transient = {
		.name = "kubelet-remedy-try",
		.description = "Try whether kubelet-remedy runs on this host",
		.folder = KR_STATE_DIR,
		.argv = argv,
	};
	bool is_alone = program->copied && program->n_words == 1;
	int status = -1, r;

	for (size_t i = 0; i < program->n_words; i++)
		argv[i] = program->words[i];
	argv[program->n_words] = "--version";
	r = kr_transient_run(host->manager, &transient, TRY_USEC, diag,
	                     &status);
	if (r < 0 || status == 0)
		return r;
	return kr_diag_refuse_path(
		diag, "program", argv[0],
		"does not run on the host when systemd starts it (status %d), "
		"so that it could not revert the change if this run was "
		"killed: %s; --restart=never changes only the files",
		status,
		is_alone ? "it was copied alone, and must come from a folder "
			   "that has its libraries and their loader, as in the "
			   "image of contrib/container"
			 : "what forbids it (noexec, a security module, "
			   "libraries that only this environment names) must "
			   "allow it");
}

static int find_program(struct kr_host *host, struct kr_diag *diag,
                        struct kr_program *program)
{
	_cleanup_(ours_done) struct ours ours = {0};
	int r = find_ours(diag, &ours);

	if (r < 0)
		return r;
	/* the kernel has started no program with a loader: /proc/self/exe is a
	 * loader that was given our name */
	if (!ours.dir && getauxval(AT_BASE) == 0)
		return kr_diag_refuse(
			diag, "program", KR_SPAN_NONE,
			"the program was started by way of its loader: it "
			"must be started itself, so that systemd can run "
			"it to revert the change");
	program->copied = strcmp(host->node->root, "/") != 0;
	r = program->copied ? copy_files(host->node->fs, &ours, diag) : 0;
	if (r < 0)
		return r;
	r = add_words(program, &ours);
	return r < 0 ? r : try_program(host, program, diag);
}

int kr_program_find(struct kr_host *host, struct kr_diag *diag,
                    struct kr_program *ret)
{
	struct kr_program program = {0};
	int r = find_program(host, diag, &program);

	if (r < 0) {
		if (program.copied)
			kr_program_remove(host->node->fs);
		kr_program_done(&program);
		return r;
	}
	*ret = program;
	return 0;
}

void kr_program_done(struct kr_program *program)
{
	for (size_t i = 0; i < program->n_words; i++)
		free(program->words[i]);
	*program = (struct kr_program){0};
}
