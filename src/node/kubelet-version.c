/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet's version, from what is said and written down.
 *
 *   --kubelet-version           the user knows it
 *   Node, .status.nodeInfo      what the kubelet that runs has registered,
 *                               where the API server is asked (--configz)
 *   "Kubelet version"           what the invocation that runs said in its log
 *   os-release, VARIANT_ID      Bottlerocket: "aws-k8s-1.31", with "-nvidia" or
 *                               the like behind it; the image is one piece
 *   the program's own path      a store of Nix or Guix, and others that name
 *                               it: ".../HASH-kubernetes-1.31.2/bin/kubelet"
 *   /etc/extensions             Flatcar's system extension: kubernetes.raw is a
 *                               link to ".../kubernetes-v1.31.2-x86-64.raw",
 *                               which lies over /usr
 *   /etc/eks/kubelet-version.txt  AMIs of EKS, which keep in it what kubelet
 *                               said when they were built
 *   /var/lib/dpkg/status        the package "kubelet", where it is installed
 *   /var/lib/pacman/local       a folder "kubelet-1.31.2-1"
 *
 * The last three tell of /usr/bin/kubelet alone. A version that is not the
 * program's would be worse than none: a package may be upgraded below a kubelet
 * that goes on. So what is written about a program tells of the kubelet that
 * the unit would start, and not of the one that runs; and what the one that
 * runs has said tells of the other only where it is the very same program.
 *
 * The order is that of belief. The API server and the log are the dearest to
 * ask, and asked only where the answer depends on it.
 *
 * Not read: an rpm database, which is no text; what AKS writes down, as its
 * scripts move, copy and patch /opt/bin/kubelet behind any package; k3s and
 * RKE2, whose program is replaced before it is restarted.
 *
 * Source: dpkg-query(1), deb-control(5), alpm's local database; the packages of
 * pkgs.k8s.io; Bottlerocket's variants; amazon-eks-ami (install-worker.sh,
 * since October 2024), AgentBaker (cse_install.sh, mariner-package-update.sh),
 * flatcar/sysext-bakery, nixpkgs.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "node/kubelet-version.h"

#define DPKG_STATUS   "/var/lib/dpkg/status"
#define DPKG_INFO     "/var/lib/dpkg/info"
#define PACMAN_FOLDER "/var/lib/pacman/local"
#define EKS_FILE      "/etc/eks/kubelet-version.txt"
#define EXTENSION     "/etc/extensions/kubernetes.raw"
#define USUAL_PROGRAM "/usr/bin/kubelet"

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
	size_t length;

	value += strspn(value, " \t\"'");
	length = strcspn(value, "\"'\r\n");
	if (length >= size)
		length = size - 1;
	memcpy(ret, value, length);
	ret[length] = '\0';
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return line + (*line == '\n');
}

/* The version that TEXT begins with, up to one of END or its own end; the minor
 * stays what it was where there is none. */
static void parse_until(const char *text, const char *end, unsigned *ret)
{
	char version[64];

	strlcpy(version, text, sizeof(version));
	version[strcspn(version, end)] = '\0';
	kr_kubelet_version_parse(version, ret);
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

/* Where the paragraph of the package kubelet begins, as dpkg writes it: with
 * the name. NULL: there is none. */
static const char *find_package(const char *status)
{
	static const char first[] = "Package: kubelet";

	for (const char *at = status; (at = strstr(at, first)); at++) {
		const char *end = at + strlen(first);

		if ((at == status || at[-1] == '\n') &&
		    (*end == '\n' || *end == '\0'))
			return at;
	}
	return NULL;
}

/* dpkg lists the files of a package in a file of its own: without that the
 * status of all packages, a megabyte, need not be read. 1; 0: there is the
 * folder and no such file; -ENOMEM. */
static int may_have_package(struct kr_node *node)
{
	struct stat list, folder;
	int r = kr_fs_look(node->fs, DPKG_INFO "/kubelet.list", true, &list);

	if (r != -ENOENT)
		return r == -ENOMEM ? r : 1;
	r = kr_fs_look(node->fs, DPKG_INFO, true, &folder);
	return r == -ENOMEM ? r : r < 0;
}

static int read_dpkg(struct kr_node *node, unsigned *ret)
{
	const struct kr_file *file;
	bool installed = false;
	char version[64] = "";
	int r = may_have_package(node);

	if (r <= 0)
		return r;
	r = kr_fs_read(node->fs, DPKG_STATUS, &file);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (const char *line = find_package(file->data);
	     line && *line && *line != '\n'; line = next_line(line)) {
		char value[64];

		if (field(line, "Status:")) {
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
	if (installed)
		kr_kubelet_version_parse(version, ret);
	return 0;
}

static int read_eks(struct kr_node *node, unsigned *ret)
{
	const struct kr_file *file;
	const char *version;
	int r;

	r = kr_fs_read(node->fs, EKS_FILE, &file);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	version = field(file->data, "Kubernetes ");
	if (version)
		parse_until(version, " \t\r\n", ret);
	return 0;
}

static int read_pacman(struct kr_node *node, unsigned *ret)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	int r;

	r = kr_fs_list(node->fs, PACMAN_FOLDER, &dir);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < dir.n_entries; i++) {
		const char *version = field(dir.entries[i].name, "kubelet-");

		if (version)
			parse_until(version, "", ret);
	}
	return 0;
}

/* The extension's link, where the program is one that it may bring. */
static int read_extension(struct kr_node *node, const char *program,
                          unsigned *ret)
{
	_cleanup_stat_ struct kr_stat st = {0};
	const char *name;
	int r;

	if (strncmp(program, "/usr/", 5) != 0 &&
	    strncmp(program, "/opt/", 5) != 0)
		return 0;
	r = kr_fs_stat(node->fs, EXTENSION, false, &st);
	if (r < 0 || !st.target)
		return r == -ENOMEM ? r : 0;
	name = strrchr(st.target, '/');
	name = field(name ? name + 1 : st.target, "kubernetes-");
	if (name)
		parse_until(name, "", ret);
	return 0;
}

/* A folder "kubernetes-1.31.2", or one that ends so, above the program. */
static int read_path(struct kr_node *node, const char *program, unsigned *ret)
{
	static const char name[] = "kubernetes-";
	_cleanup_free_ char *real = NULL;
	const char *path;
	int r = kr_fs_real(node->fs, program, &real);

	if (r == -ENOMEM)
		return r;
	path = r < 0 ? program : real;
	for (; (path = strstr(path, name)); path += strlen(name)) {
		if ((path[-1] == '/' || path[-1] == '-') && strchr(path, '/'))
			parse_until(path + strlen(name), "/", ret);
	}
	return 0;
}

/* What the unit starts as kubelet; NULL: nothing that is known. */
static const char *program_of(const struct kr_node *node)
{
	const struct kr_unit_command *c = kr_node_command(node);

	if (!c)
		return NULL;
	if (node->disk.first_word == 0 && c->path)
		return c->path;
	return c->words[node->disk.first_word].text;
}

unsigned kr_kubelet_version_in_line(const char *line)
{
	static const char text[] = "] \"Kubelet version\" kubeletVersion=\"";
	static const char *const members[] = {"\"kubeletVersion\":\"",
	                                      "\"gitVersion\":\""};
	const char *at = NULL;
	unsigned minor = 0;

	if (line[0] == 'I' && line[1] >= '0' && line[1] <= '9') {
		at = strstr(line, text);
		at = at ? at + strlen(text) : NULL;
	}
	if (line[0] == '{' && strstr(line, "\"msg\":\"Kubelet version\"")) {
		for (size_t i = 0; !at && i < ARRAY_SIZE(members); i++) {
			at = strstr(line, members[i]);
			at = at ? at + strlen(members[i]) : NULL;
		}
	}
	if (at)
		parse_until(at, "\"", &minor);
	return minor;
}

/* Whether the kubelet that runs is of the program that the unit starts. */
static bool runs_program(struct kr_node *node)
{
	const char *program = program_of(node);
	struct stat st;
	struct stat running;
	char path[32];

	snprintf(path, sizeof(path), "%d/exe", (int)node->process.pid);
	if (!node->has_process || !program ||
	    kr_fs_look(node->fs, program, true, &st) < 0 ||
	    fstatat(node->proc_fd, path, &running, 0) < 0)
		return false;
	return running.st_dev == st.st_dev && running.st_ino == st.st_ino;
}

/* MINOR is what the kubelet that runs was found to be. */
static void keep_running(struct kr_node *node, unsigned minor)
{
	node->running_minor = minor;
	if (minor > 0 && runs_program(node))
		node->disk_minor = minor;
}

void kr_kubelet_version_ask(struct kr_node *node)
{
	unsigned (*ask)(void *, struct kr_node *) = node->registered_version;

	if (!ask || node->version_override ||
	    (!node->has_process && node->host_pid == 0))
		return;
	node->registered_version = NULL;
	keep_running(node, ask(node->registered_closure, node));
}

unsigned kr_kubelet_version_logged(struct kr_node *node, bool disk)
{
	if (node->logged_version && node->has_process &&
	    node->running_minor == 0)
		keep_running(node, node->logged_version(node->logged_closure));
	node->logged_version = NULL;
	return disk ? node->disk_minor : node->running_minor;
}

int kr_kubelet_version_running(struct kr_node *node, unsigned *ret_minor)
{
	*ret_minor = node->running_minor;
	if (node->version_override)
		kr_kubelet_version_parse(node->version_override, ret_minor);
	if (*ret_minor > 0)
		return 0;
	return read_bottlerocket(node, ret_minor);
}

/* What the node's files say of PROGRAM. */
static int read_files(struct kr_node *node, const char *program, unsigned *ret)
{
	static int (*const packages[])(struct kr_node *, unsigned *) = {
		read_eks, read_dpkg, read_pacman};
	int r = read_path(node, program, ret);

	if (r < 0 || *ret > 0)
		return r;
	r = read_extension(node, program, ret);
	if (strcmp(program, USUAL_PROGRAM) != 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		if (r < 0 || *ret > 0)
			return r;
		r = packages[i](node, ret);
	}
	return r;
}

/* The same, looked for once. No edit of ours changes these files. */
static int read_files_once(struct kr_node *node, const char *program,
                           unsigned *ret)
{
	char *copy;
	int r;

	while (node->before)
		node = node->before;
	if (!node->told_program || strcmp(node->told_program, program) != 0) {
		r = read_files(node, program, ret);
		copy = r < 0 ? NULL : strdup(program);
		if (!copy)
			return r < 0 ? r : -ENOMEM;
		free(node->told_program);
		node->told_program = copy;
		node->told_minor = *ret;
	}
	*ret = node->told_minor;
	return 0;
}

int kr_kubelet_version_find(struct kr_node *node, unsigned *ret_minor)
{
	const char *program = program_of(node);
	int r;

	*ret_minor = node->disk_minor;
	if (node->version_override)
		kr_kubelet_version_parse(node->version_override, ret_minor);
	if (*ret_minor > 0)
		return 0;
	r = read_bottlerocket(node, ret_minor);
	if (r < 0 || *ret_minor > 0 || !program || *program != '/')
		return r;
	return read_files_once(node, program, ret_minor);
}

int kr_kubelet_version_told(struct kr_node *node, unsigned *ret_minor)
{
	int r = kr_kubelet_version_find(node, ret_minor);

	if (r < 0 || *ret_minor > 0)
		return r;
	return kr_kubelet_version_running(node, ret_minor);
}

int kr_kubelet_version_seek(struct kr_node *node, bool disk,
                            unsigned *ret_minor)
{
	int (*find)(struct kr_node *, unsigned *) =
		disk ? kr_kubelet_version_find : kr_kubelet_version_running;
	int r = find(node, ret_minor);

	if (r < 0 || *ret_minor > 0)
		return r;
	kr_kubelet_version_ask(node);
	r = find(node, ret_minor);
	if (r < 0 || *ret_minor > 0)
		return r;
	*ret_minor = kr_kubelet_version_logged(node, disk);
	return 0;
}
