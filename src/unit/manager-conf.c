/* SPDX-License-Identifier: Apache-2.0 */

/*
 * systemd's own configuration, as far as a service inherits from it:
 *
 *	DefaultEnvironment=	every service has these variables
 *	ManagerEnvironment=	systemd itself has them: they reach a service
 *				by PassEnvironment= alone
 *	DefaultLimitSTACK=	a service without LimitSTACK= has it; the last
 *				value that is a limit counts
 *
 * The main file is the first one that is there, of /etc and, for systemd 256
 * and later, /run, /usr/local/lib and /usr/lib: an older systemd knows /etc
 * alone, where its packages put the file. The *.conf of the folders
 * system.conf.d are read behind it, by name over all folders, each name from
 * the strongest. Values collect over all files, and an empty one clears
 * those before it.
 *
 * A file that systemd stops in (a broken section header, bytes that are not
 * UTF-8) ends the whole: the files behind it are not read either, and what was
 * read before counts. A link that leads nowhere is passed over, /dev/null is
 * empty. (All of it tried on systemd 252.)
 *
 * What this does not know: variables that the kernel's command line gives
 * (systemd.setenv=), generators of environments, `systemctl set-environment`.
 * A running systemd tells all of them in one block, and is asked instead.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "unit/manager-conf.h"
#include "unit/path.h"
#include "unit/syntax.h"

#define MAIN "systemd/system.conf"

static const char *const folders[] = {"/etc", "/run", "/usr/local/lib",
                                      "/usr/lib"};

static const char *const dropin_folders[] = {
	"/etc/systemd/system.conf.d", "/run/systemd/system.conf.d",
	"/usr/local/lib/systemd/system.conf.d",
	"/usr/lib/systemd/system.conf.d"};

/* Only these are known here, which are the same for each unit. */
#define SPECIFIERS "aAbBHlmMoqTvVwW"

struct reading {
	struct kr_specifiers specifiers;
	const char *key;
	struct kr_environment *ret; /* NULL: it is no environment */
	char *value;                /* ... but this */
};

static int assign(void *userdata, const char *section, const char *key,
                  struct kr_text *value, struct kr_span line)
{
	struct reading *rd = userdata;

	if (strcmp(key, rd->key) != 0)
		return 0;
	if (!rd->ret && value->length > 0)
		return kr_format(&rd->value, "%s", value->bytes);
	if (!rd->ret)
		return 0;
	return kr_environment_assign(rd->ret, &rd->specifiers, value);
}

static void stopped(const struct reading *rd, const char *path)
{
	kr_diag_add_path(rd->specifiers.diag, KR_WARNING, "manager-conf-bad",
	                 path,
	                 "systemd cannot read this file to its end: it reads "
	                 "no further in its configuration");
}

/* 0: read; 1: systemd stops here; -ENOENT: it is not there; others. */
static int read_file(struct reading *rd, const char *path)
{
	static const char *const sections[] = {"Manager", NULL};
	_cleanup_diag_ struct kr_diag syntax = {0};
	struct kr_fs *fs = rd->specifiers.fs;
	const struct kr_file *file;
	int r;

	r = kr_fs_read(fs, path, &file);
	if (r == -EINVAL && kr_fs_is_device(fs, path))
		return 0;
	if (r == -EISDIR || r == -EINVAL || r == -ELOOP) {
		stopped(rd, path);
		return 1;
	}
	if (r < 0 && r != -ENOENT && r != -ENOMEM)
		kr_diag_add_path(rd->specifiers.diag, KR_ERROR,
		                 "file-unreadable", path,
		                 "file cannot be read: %s", kr_fs_strerror(-r));
	if (r < 0)
		return r;
	r = kr_syntax_parse(file, sections, assign, rd, &syntax);
	if (r == -ENOMEM || r == -EFBIG)
		return r;
	if (r < 0)
		stopped(rd, path);
	return r < 0;
}

static int read_main(struct reading *rd)
{
	int r = -ENOENT;

	for (size_t i = 0; r == -ENOENT && i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = kr_path_join(folders[i], MAIN);

		if (!path)
			return -ENOMEM;
		r = read_file(rd, path);
	}
	return r == -ENOENT ? 0 : r;
}

static int read_all(struct reading *rd)
{
	_cleanup_strings_ struct kr_strings dropins = {0};
	int r;

	rd->specifiers.only = SPECIFIERS;
	r = read_main(rd);
	if (r != 0)
		return r < 0 ? r : 0;
	r = kr_conf_files_find(rd->specifiers.fs, dropin_folders,
	                       ARRAY_SIZE(dropin_folders), rd->specifiers.diag,
	                       &dropins);
	if (r < 0)
		return r;
	for (size_t i = 0; i < dropins.n_items; i++) {
		r = read_file(rd, dropins.items[i]);
		if (r == -ENOENT)
			continue;
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return 0;
}

int kr_manager_conf_read(const struct kr_specifiers *specifiers,
                         const char *key, struct kr_environment *ret)
{
	struct reading rd = {
		.specifiers = *specifiers,
		.key = key,
		.ret = ret,
	};

	return read_all(&rd);
}

int kr_manager_conf_value(struct kr_fs *fs, const char *key, char **ret)
{
	struct reading rd = {.specifiers = {.fs = fs}, .key = key};
	int r = read_all(&rd);

	if (r < 0) {
		free(rd.value);
		return r;
	}
	*ret = rd.value;
	return 0;
}
