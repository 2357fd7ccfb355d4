/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet's version, from what is written down.
 *
 *   --kubelet-version           whoever runs this program knows it
 *   os-release, VARIANT_ID      Bottlerocket: "aws-k8s-1.31", with "-nvidia" or
 *                               the like behind it; the image is one piece
 *   /var/lib/dpkg/status        the package "kubelet", where it is installed,
 *                               and only for the program that it brings
 *
 * A version that is not the running program's would be worse than none: a
 * package may be upgraded below a kubelet that goes on. So the package tells of
 * the kubelet that the unit would start, and not of the one that runs. An rpm
 * database is not read.
 *
 * Source: dpkg-query(1), deb-control(5); the packages of pkgs.k8s.io;
 * Bottlerocket's variants.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "node/kubelet-version.h"

#define DPKG_STATUS "/var/lib/dpkg/status"
#define DPKG_BINARY "/usr/bin/kubelet"

int kr_kubelet_version_parse(const char *text, unsigned *ret_minor)
{
	size_t digits;

	if (*text == 'v')
		text++;
	if (strncmp(text, "1.", 2) != 0)
		return -EINVAL;
	text += 2;
	digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 3 || *text == '0')
		return -EINVAL;
	if (text[digits] && !strchr(".-+~", text[digits]))
		return -EINVAL;
	*ret_minor = (unsigned)strtoul(text, NULL, 10);
	return 0;
}

/* The rest of LINE behind NAME, or NULL. */
static const char *field(const char *line, const char *name)
{
	size_t length = strlen(name);

	return strncmp(line, name, length) == 0 ? line + length : NULL;
}

/* Copies the value up to the end of its line, without quotes. */
static void copy_value(const char *value, char *ret, size_t size)
{
	value += strspn(value, " \t\"'");
	strlcpy(ret, value, size);
	ret[strcspn(ret, "\"'\r\n")] = '\0';
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return line + (*line == '\n');
}

/* 0; the minor stays what it was where the file says none. */
static int read_bottlerocket(struct kr_node *node, unsigned *ret)
{
	const struct kr_file *file;
	char id[32] = "", variant[64] = "";
	const char *version;
	int r = kr_fs_read(node->fs, "/etc/os-release", &file);

	if (r == -ENOENT)
		r = kr_fs_read(node->fs, "/usr/lib/os-release", &file);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (const char *line = file->data; *line; line = next_line(line)) {
		if (field(line, "ID="))
			copy_value(field(line, "ID="), id, sizeof(id));
		if (field(line, "VARIANT_ID="))
			copy_value(field(line, "VARIANT_ID="), variant,
			           sizeof(variant));
	}
	version = strstr(variant, "-k8s-");
	if (strcmp(id, "bottlerocket") == 0 && version)
		kr_kubelet_version_parse(version + strlen("-k8s-"), ret);
	return 0;
}

static int read_dpkg(struct kr_node *node, unsigned *ret)
{
	const struct kr_file *file;
	bool kubelet = false, installed = false;
	char version[64] = "";
	int r = kr_fs_read(node->fs, DPKG_STATUS, &file);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (const char *line = file->data; *line; line = next_line(line)) {
		char value[64];

		if (*line == '\n') {
			if (kubelet)
				break;
			installed = false;
			*version = '\0';
		} else if (field(line, "Package:")) {
			copy_value(field(line, "Package:"), value,
			           sizeof(value));
			kubelet = strcmp(value, "kubelet") == 0;
		} else if (field(line, "Status:")) {
			copy_value(field(line, "Status:"), value,
			           sizeof(value));
			installed =
				strcmp(value, "install ok installed") == 0 ||
				strcmp(value, "hold ok installed") == 0;
		} else if (field(line, "Version:")) {
			copy_value(field(line, "Version:"), version,
			           sizeof(version));
		}
	}
	if (kubelet && installed)
		kr_kubelet_version_parse(version, ret);
	return 0;
}

/* Whether the unit starts the program that the package brings. */
static bool is_packaged(const struct kr_node *node)
{
	const struct kr_unit_command *c = kr_node_command(node);
	const struct kr_text *text;

	if (!c)
		return false;
	text = &c->words[node->disk.first_word].text;
	if (node->disk.first_word == 0 && c->path)
		return strcmp(c->path, DPKG_BINARY) == 0;
	return text->bytes && strcmp(text->bytes, DPKG_BINARY) == 0;
}

int kr_kubelet_version_running(struct kr_node *node, unsigned *ret_minor)
{
	*ret_minor = 0;
	if (node->version_override) {
		kr_kubelet_version_parse(node->version_override, ret_minor);
		return 0;
	}
	return read_bottlerocket(node, ret_minor);
}

int kr_kubelet_version_find(struct kr_node *node, unsigned *ret_minor)
{
	int r = kr_kubelet_version_running(node, ret_minor);

	if (r < 0 || *ret_minor > 0 || !is_packaged(node))
		return r;
	return read_dpkg(node, ret_minor);
}
