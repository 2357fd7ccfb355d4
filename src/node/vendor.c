/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Our drop-in over a vendor's command. Its comment names the vendor's file and
 * that file's SHA-256 at the time of the copy; when the two do not fit any more
 * the copy is out of date, which systemd never says.
 *
 * systemd reads the drop-ins of all folders in the order of their names' bytes.
 * Ours has to come behind the one that sets the command, or it has no effect;
 * a letter sorts behind each digit, so that "90-" is not always enough. What
 * stands behind it may be of any kind: it does not set the command.
 *
 * Source: unit_file_find_dropin_paths() in src/shared/dropin.c of systemd 252,
 * conf_files_list_strv() in src/basic/conf-files.c.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "node/vendor.h"

#define OUR_NAME  "kubelet-remedy.conf"
#define FILE_MARK "# Vendor file: "
#define HASH_MARK "# SHA-256: "

char *kr_vendor_format(const struct kr_file *vendor, int field,
                       const char *command)
{
	const char *with = field == KR_FIELD_IPTABLES
	                           ? "kubelet's iptables\n# utility chains on."
	                           : "other values of some flags.\n#";
	char hex[KR_SHA256_HEX_SIZE], *text;

	kr_sha256_hex(vendor->data, vendor->size, hex);
	if (asprintf(&text,
	             "# Made by kubelet-remedy: the vendor's command, with %s "
	             "It "
	             "hides later changes of the vendor's own.\n" FILE_MARK
	             "%s\n" HASH_MARK
	             "%s\n[Service]\nExecStart=\nExecStart=%s\n",
	             with, vendor->path, hex, command) < 0)
		return NULL;
	return text;
}

static const char *last_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* The name of the drop-in that FILE is; NULL: the unit file itself. */
static const char *dropin_name(const struct kr_unit *unit,
                               const struct kr_file *file)
{
	for (size_t i = unit->n_dropins; i-- > 0;) {
		if (unit->dropins[i] == file)
			return last_name(file->path);
	}
	return NULL;
}

/* One that sorts behind OTHER, which ends in ".conf" as each drop-in does. */
static char *name_behind(const char *other)
{
	static const char *const names[] = {"90-" OUR_NAME, "zz-" OUR_NAME};
	char *name;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!other || strcmp(names[i], other) > 0)
			return strdup(names[i]);
	}
	/* "k" comes behind the "c" of ".conf" */
	if (asprintf(&name, "%.*s." OUR_NAME,
	             (int)(strlen(other) - strlen(".conf")), other) < 0)
		return NULL;
	return name;
}

char *kr_vendor_path(const struct kr_unit *unit, const char *unit_name,
                     const struct kr_file *command)
{
	_cleanup_free_ char *name = name_behind(dropin_name(unit, command));
	char *path;

	if (!name ||
	    asprintf(&path, "/etc/systemd/system/%s.d/%s", unit_name, name) < 0)
		return NULL;
	return path;
}

/* Made by us, whatever it had to sort behind. */
static bool is_ours(const char *path)
{
	size_t length = strlen(path), n = strlen(OUR_NAME);

	return length > n && strcmp(path + length - n, OUR_NAME) == 0;
}

/* The rest of the line behind MARK, which the caller frees; NULL: none. */
static char *find_mark(const struct kr_file *file, const char *mark)
{
	const char *line = file->data;

	while (*line) {
		if (strncmp(line, mark, strlen(mark)) == 0) {
			line += strlen(mark);
			return strndup(line, strcspn(line, "\n"));
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return NULL;
}

static int check(struct kr_fs *fs, const struct kr_file *dropin,
                 struct kr_diag *diag)
{
	_cleanup_free_ char *path = find_mark(dropin, FILE_MARK);
	_cleanup_free_ char *want = find_mark(dropin, HASH_MARK);
	const struct kr_file *vendor;
	char hex[KR_SHA256_HEX_SIZE];
	int r;

	if (!path || !want)
		return 0;
	r = kr_fs_read(fs, path, &vendor);
	if (r == -ENOMEM)
		return r;
	if (r >= 0) {
		kr_sha256_hex(vendor->data, vendor->size, hex);
		if (strcmp(hex, want) == 0)
			return 0;
	}
	kr_diag_add_path(diag, KR_WARNING, "vendor-changed", dropin->path,
	                 "it was copied from %s, which %s now: the vendor's "
	                 "changes have no effect until it is made again",
	                 path, r < 0 ? "is not there" : "is another one");
	return 0;
}

int kr_vendor_check(struct kr_fs *fs, const struct kr_unit *unit,
                    struct kr_diag *diag)
{
	for (size_t i = 0; i < unit->n_dropins; i++) {
		int r = is_ours(unit->dropins[i]->path)
		                ? check(fs, unit->dropins[i], diag)
		                : 0;

		if (r < 0)
			return r;
	}
	return 0;
}
