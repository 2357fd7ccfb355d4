/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The program that the rollback's timer runs is one of the host: a container is
 * gone when it is needed.
 *
 * Where we speak of "/" it is this one. Below a root we are in a container, and
 * the host has neither our program nor, most often, our libraries: AL2023 and
 * Ubuntu come without libcjson, libyaml and libbsd, and their libc may be older
 * than ours. So what is put there needs nothing of the host but its kernel:
 *
 *   /var/lib/kubelet-remedy/program/
 *     kubelet-remedy            what /proc/self/exe is
 *     libcjson.so.1, ...        what it needs, and what that needs (DT_NEEDED),
 *                               under the names by which it is asked for
 *     ld-linux-x86-64.so.2      the loader that has loaded us: libc's half
 *
 * and is run by its own loader, which is told to look there first:
 *
 *   .../ld-linux-x86-64.so.2 --library-path .../program .../kubelet-remedy
 *
 * What is mapped into us tells where the libraries are: so they are the ones
 * with which this program runs, and no list of them can be wrong. A library
 * that was loaded later by dlopen(3), or that LD_PRELOAD put there, is none
 * that it needs. A static program is copied alone.
 *
 * systemd runs either once before anything is changed: a file system that is
 * mounted noexec, a mount namespace that only we are in, or a security module
 * may forbid it, and our environment (LD_LIBRARY_PATH) is not that of a
 * service.
 *
 * Nothing is fsynced: a power cut takes the timer away, too. Old files are
 * unlinked, never written over: a service of an earlier timer may run them.
 *
 * Sources: ld.so(8), dl_iterate_phdr(3), getauxval(3) for AT_BASE, elf(5).
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/vec.h"
#include "host/program.h"
#include "store/files.h"
#include "systemd/transient.h"

#define TRY_USEC    (10 * KR_USEC_PER_SEC)
#define OUR_PROGRAM "/proc/self/exe"
#define FOLDER      KR_STATE_DIR "/program"

static int fail(struct kr_diag *diag, const char *path, int error)
{
	kr_diag_add_path(diag, KR_ERROR, "program", path,
	                 "the program cannot be put there, for systemd to take "
	                 "the change back if this run is killed: %s",
	                 strerror(-error));
	return error;
}

/* --- what is loaded ------------------------------------------------------ */

struct object {
	const char *path; /* borrowed from the loader */
	const char *name; /* by which it is needed, borrowed; NULL: it is not */
	uintptr_t base;
	const ElfW(Dyn) * dynamic; /* NULL: it has none */
	bool followed;             /* what it needs has its name */
};

struct objects {
	struct object *items; /* the first is the program */
	size_t n_items;
};

static void objects_done(struct objects *objects)
{
	free(objects->items);
}

static int add_object(struct dl_phdr_info *info, size_t size, void *closure)
{
	struct objects *objects = closure;
	struct object *object = KR_VEC_NEXT(objects->items, objects->n_items);

	if (!object)
		return -ENOMEM;
	objects->n_items++;
	*object = (struct object){
		.path = info->dlpi_name,
		.base = info->dlpi_addr,
	};
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];

		if (header->p_type == PT_DYNAMIC)
			object->dynamic = (const ElfW(Dyn) *)(info->dlpi_addr +
			                                      header->p_vaddr);
	}
	return 0;
}

/* The names in the dynamic section. Most loaders have made an address of the
 * table's offset, some leave it. */
static const char *names_of(const struct object *object)
{
	for (const ElfW(Dyn) *d = object->dynamic; d && d->d_tag != DT_NULL;
	     d++) {
		if (d->d_tag == DT_STRTAB)
			return (const char *)(d->d_un.d_ptr < object->base
			                              ? d->d_un.d_ptr +
			                                        object->base
			                              : d->d_un.d_ptr);
	}
	return NULL;
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* As the loader asks: the file's name, or the one that the library gives
 * itself. */
static bool answers_to(const struct object *object, const char *name)
{
	const char *names = names_of(object);

	if (strcmp(last_name(object->path), name) == 0)
		return true;
	for (const ElfW(Dyn) *d = object->dynamic; names && d->d_tag != DT_NULL;
	     d++) {
		if (d->d_tag == DT_SONAME &&
		    strcmp(names + d->d_un.d_val, name) == 0)
			return true;
	}
	return false;
}

static void name_object(struct objects *objects, const char *name)
{
	for (size_t i = 1; i < objects->n_items; i++) {
		struct object *object = &objects->items[i];

		if (!object->name && answers_to(object, name))
			object->name = name;
	}
}

/* Gives a name to all that OBJECT needs; how much that is. */
static size_t follow(struct objects *objects, const struct object *object)
{
	const char *names = names_of(object);
	size_t n = 0;

	for (const ElfW(Dyn) *d = object->dynamic; names && d->d_tag != DT_NULL;
	     d++) {
		if (d->d_tag != DT_NEEDED)
			continue;
		name_object(objects, names + d->d_un.d_val);
		n++;
	}
	return n;
}

/* What the program needs has a name then. The number of libraries, or
 * -ENOMEM. */
static int find_objects(struct objects *objects)
{
	size_t n = 0;
	bool more = true;
	int r = dl_iterate_phdr(add_object, objects);

	if (r < 0)
		return r;
	objects->items[0].name = KR_NAME;
	while (more) {
		more = false;
		for (size_t i = 0; i < objects->n_items; i++) {
			struct object *object = &objects->items[i];

			if (!object->name || object->followed)
				continue;
			object->followed = more = true;
			n += follow(objects, object);
		}
	}
	return (int)n;
}

/* The loader, which has a name, too; NULL: the kernel has started no program
 * with one. */
static struct object *find_loader(struct objects *objects)
{
	uintptr_t base = getauxval(AT_BASE);

	for (size_t i = 1; base != 0 && i < objects->n_items; i++) {
		struct object *object = &objects->items[i];

		if (object->base != base)
			continue;
		if (!object->name)
			object->name = last_name(object->path);
		return object;
	}
	return NULL;
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

static int copy_object(int folder_fd, const struct object *object, bool is_main,
                       struct kr_diag *diag)
{
	const char *path = is_main ? OUR_PROGRAM : object->path;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *to = NULL;
	int r = fd < 0 ? -errno : write_copy(folder_fd, object->name, fd);

	if (r >= 0)
		return 0;
	to = kr_path_join(FOLDER, object->name);
	return to ? fail(diag, fd < 0 ? path : to, r) : -ENOMEM;
}

static int copy_objects(struct kr_host *host, const struct objects *objects,
                        struct kr_diag *diag)
{
	struct kr_fs *fs = host->node->fs;
	_cleanup_close_ int state_fd = -1, fd = -1;
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
	for (size_t i = 0; i < objects->n_items; i++) {
		if (!objects->items[i].name)
			continue;
		r = copy_object(fd, &objects->items[i], i == 0, diag);
		if (r < 0)
			return r;
	}
	return 0;
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

static int add_words(struct kr_program *program, const struct object *loader)
{
	if (loader &&
	    (add_word(program, kr_path_join(FOLDER, loader->name)) < 0 ||
	     add_word(program, strdup("--library-path")) < 0 ||
	     add_word(program, strdup(FOLDER)) < 0))
		return -ENOMEM;
	return add_word(program, kr_path_join(FOLDER, KR_NAME));
}

static int copy_program(struct kr_host *host, const struct objects *objects,
                        const struct object *loader, struct kr_diag *diag,
                        struct kr_program *program)
{
	int r;

	program->copied = true;
	r = copy_objects(host, objects, diag);
	return r < 0 ? r : add_words(program, loader);
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
	int status = -1, r;

	for (size_t i = 0; i < program->n_words; i++)
		argv[i] = program->words[i];
	argv[program->n_words] = "--version";
	r = kr_transient_run(host->manager, &transient, TRY_USEC, diag,
	                     &status);
	if (r < 0 || status == 0)
		return r;
	kr_diag_add_path(diag, KR_ERROR, "program", argv[0],
	                 "does not run on the host when systemd starts it "
	                 "(status %d), so that it could not take the change "
	                 "back if this run was killed: what forbids it "
	                 "(noexec, a security module, libraries that only "
	                 "this environment names) must allow it; "
	                 "--restart=never changes only the files",
	                 status);
	return -EOPNOTSUPP;
}

static int own_program(struct kr_diag *diag, struct kr_program *program)
{
	char path[PATH_MAX];
	ssize_t n = readlink(OUR_PROGRAM, path, sizeof(path) - 1);

	if (n >= 0)
		path[n] = '\0';
	if (n < 0 || access(path, X_OK) < 0)
		return fail(diag, n < 0 ? OUR_PROGRAM : path, -errno);
	return add_word(program, strdup(path));
}

static bool is_below_root(const struct kr_host *host)
{
	return strcmp(host->node->root, "/") != 0;
}

/* With a loader that was told our name, /proc/self/exe is that one. */
static int find_program(struct kr_host *host, struct kr_diag *diag,
                        struct kr_program *program)
{
	_cleanup_(objects_done) struct objects objects = {0};
	struct object *loader;
	int r = find_objects(&objects);

	if (r < 0)
		return r;
	loader = find_loader(&objects);
	if (r > 0 && !loader) {
		kr_diag_add(diag, KR_ERROR, "program", KR_SPAN_NONE,
		            "the program was started by way of its loader: it "
		            "must be started itself, so that systemd can run "
		            "it to take the change back");
		return -EOPNOTSUPP;
	}
	if (is_below_root(host))
		r = copy_program(host, &objects, loader, diag, program);
	else
		r = own_program(diag, program);
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
