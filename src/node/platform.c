/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Platforms. A row matches by ID= of /etc/os-release, or by a file or folder
 * that no other platform has; the first row that matches is it, so that the
 * special comes before the general.
 *
 * Refused are those whose owner fights back: OpenShift's config drift monitor
 * marks a node Degraded within seconds of an edit; Bottlerocket and Talos have
 * no files of their own, they are rendered from settings.
 *
 * Source: os-release(5); the platforms' own code, as CONTRIBUTING and the
 * commit that added a row say.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "node/platform.h"

static const struct {
	struct kr_platform platform;
	const char *os_id;
	const char *path;
} rows[] = {
	{{"openshift", "OpenShift",
          "the Machine Config Operator owns this node's files and marks the "
          "node Degraded when they are edited: apply a KubeletConfig resource "
          "with spec.kubeletConfig.makeIPTablesUtilChains: true instead"},
         "rhcos",
         "/etc/machine-config-daemon"},
	{{"openshift", "OpenShift (OKD)",
          "the Machine Config Operator owns this node's files and marks the "
          "node Degraded when they are edited: apply a KubeletConfig resource "
          "with spec.kubeletConfig.makeIPTablesUtilChains: true instead"},
         "scos",
         NULL},
	{{"bottlerocket", "Bottlerocket",
          "Bottlerocket renders kubelet's files from its settings API, which "
          "has none for this key (it is true by default there): use "
          "'apiclient report cis-k8s' to see what it says"},
         "bottlerocket",
         NULL},
	{{"talos", "Talos Linux",
          "Talos renders kubelet's files from its machine configuration: set "
          "machine.kubelet.extraConfig.makeIPTablesUtilChains: true with "
          "'talosctl patch machineconfig' instead"},
         "talos",
         NULL},
	{{"gke", "Google Kubernetes Engine", NULL}, "cos", "/home/kubernetes"},
	{{"flatcar", "Flatcar", NULL}, "flatcar", NULL},
	{{"eks-al2023", "Amazon EKS, AL2023", NULL},
         NULL,
         "/etc/systemd/system/nodeadm-run.service"},
	{{"eks", "Amazon EKS", NULL}, NULL, "/etc/eks"},
	{{"aks", "Azure Kubernetes Service", NULL},
         NULL,
         "/etc/systemd/system/kubelet.service.d/"
         "10-ensure-imds-restriction.conf"},
	{{"rke2", "RKE2", NULL}, NULL, "/etc/rancher/rke2"},
	{{"k3s", "k3s", NULL}, NULL, "/etc/rancher/k3s"},
	{{"microk8s", "MicroK8s", NULL}, NULL, "/var/snap/microk8s"},
	{{"kubeadm", "kubeadm", NULL},
         NULL,
         "/var/lib/kubelet/kubeadm-flags.env"},
};

/* ID= of os-release: a shell assignment, quoted or not. */
static int os_id(struct kr_fs *fs, char *ret, size_t size)
{
	static const char *const paths[] = {"/etc/os-release",
	                                    "/usr/lib/os-release"};
	const struct kr_file *file = NULL;
	int r = -ENOENT;

	*ret = '\0';
	for (size_t i = 0; r == -ENOENT && i < ARRAY_SIZE(paths); i++)
		r = kr_fs_read(fs, paths[i], &file);
	if (r == -ENOMEM)
		return r;
	for (const char *line = r == 0 ? file->data : ""; *line;) {
		size_t n = strcspn(line, "\n");
		const char *value = line + 3;

		if (n > 3 && n < size && strncmp(line, "ID=", 3) == 0) {
			value += strspn(value, "\"'");
			strlcpy(ret, value, size);
			ret[strcspn(ret, "\"'\n")] = '\0';
			return 0;
		}
		line += n + (line[n] == '\n');
	}
	return 0;
}

int kr_platform_find(struct kr_fs *fs, const struct kr_platform **ret)
{
	char id[64];
	int r = os_id(fs, id, sizeof(id));

	*ret = NULL;
	for (size_t i = 0; r == 0 && !*ret && i < ARRAY_SIZE(rows); i++) {
		_cleanup_stat_ struct kr_stat st = {0};
		bool named = rows[i].os_id && strcmp(rows[i].os_id, id) == 0;
		int found = -ENOENT;

		if (!named && rows[i].path)
			found = kr_fs_stat(fs, rows[i].path, true, &st);
		if (found == -ENOMEM)
			return found;
		if (named || found == 0)
			*ret = &rows[i].platform;
	}
	return r;
}
