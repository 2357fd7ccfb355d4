/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Our drop-in over a vendor's command. Its comment names the vendor's file and
 * that file's SHA-256 at the time of the copy; when the two do not fit any more
 * the copy is out of date, which systemd never says.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "node/vendor.h"

#define FILE_MARK "# Vendor file: "
#define HASH_MARK "# SHA-256: "

char *kr_vendor_format(const struct kr_file *vendor, const char *command)
{
	char hex[KR_SHA256_HEX_SIZE], *text;

	kr_sha256_hex(vendor->data, vendor->size, hex);
	if (asprintf(&text,
	             "# Made by kubelet-remedy: the vendor's command, with "
	             "kubelet's iptables\n# utility chains on. It hides later "
	             "changes of the vendor's own.\n" FILE_MARK "%s\n" HASH_MARK
	             "%s\n[Service]\nExecStart=\nExecStart=%s\n",
	             vendor->path, hex, command) < 0)
		return NULL;
	return text;
}

char *kr_vendor_path(const char *unit)
{
	char *path;

	if (asprintf(&path, "/etc/systemd/system/%s.d/%s", unit,
	             KR_VENDOR_DROPIN) < 0)
		return NULL;
	return path;
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
	if (r == 0) {
		kr_sha256_hex(vendor->data, vendor->size, hex);
		if (strcmp(hex, want) == 0)
			return 0;
	}
	kr_diag_add_path(diag, KR_WARNING, "vendor-changed", dropin->path,
	                 "it was copied from %s, which %s now: the vendor's "
	                 "changes have no effect until it is made anew",
	                 path, r < 0 ? "is not there" : "is another one");
	return 0;
}

int kr_vendor_check(struct kr_fs *fs, const struct kr_unit *unit,
                    struct kr_diag *diag)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < unit->n_dropins; i++) {
		const char *slash = strrchr(unit->dropins[i]->path, '/');

		if (strcmp(slash + 1, KR_VENDOR_DROPIN) == 0)
			r = check(fs, unit->dropins[i], diag);
	}
	return r;
}
