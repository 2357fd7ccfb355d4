/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Before 'kubeadm init' or 'kubeadm join', and after 'kubeadm reset', kubelet
 * has no configuration: its package has it started all the same, it ends at
 * once, and systemd starts it again every ten seconds. Nothing is wrong there
 * that could be corrected, only nothing to judge yet.
 *
 * A unit is kubeadm's where it reads kubeadm-flags.env, has the drop-in
 * 10-kubeadm.conf, or is given kubeadm's bootstrap kubeconfig (minikube has no
 * environment file). The node has not joined where all of these are missing:
 *
 *	/var/lib/kubelet/config.yaml	both write it, if --config says so
 *	the file of --kubeconfig	written once the certificate is there
 *	that of --bootstrap-kubeconfig	'kubeadm join' writes it first
 *	kubelet-client-current.pem	a kubelet once had its certificate
 *
 * With one of them the node has joined, and a config.yaml that is missing stops
 * kubelet. So does a --config of another path: kubeadm never writes that. A
 * kubelet that has run for a while had its configuration when it was started,
 * as without one it ends within 0.1 s.
 *
 * Source: cmd/kubeadm/app/constants, phases/kubelet, cmd/phases/join/kubelet.go
 * and cmd/reset.go of kubernetes; pkg/kubelet/certificate/kubelet.go;
 * setupDataDirs() of pkg/kubelet/kubelet.go.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "node/unjoined.h"

#define CONFIG_PATH    "/var/lib/kubelet/config.yaml"
#define FLAGS_PATH     "/var/lib/kubelet/kubeadm-flags.env"
#define BOOTSTRAP_PATH "/etc/kubernetes/bootstrap-kubelet.conf"
#define DROPIN_NAME    "10-kubeadm.conf"

/* kubelet's client certificate, in the folder of --cert-dir */
#define CERT_DIR           "/var/lib/kubelet/pki"
#define CLIENT_CERTIFICATE "kubelet-client-current.pem"

/* the folder of its pods, in that of --root-dir */
#define ROOT_DIR "/var/lib/kubelet"
#define PODS     "pods"

#define LIVED_USEC (20 * KR_USEC_PER_SEC)

static bool is_given(const char *flag)
{
	return flag && *flag;
}

static bool has_dropin(const struct kr_unit *unit)
{
	for (size_t i = 0; i < unit->n_dropins; i++) {
		const char *slash = strrchr(unit->dropins[i]->path, '/');

		if (strcmp(slash + 1, DROPIN_NAME) == 0)
			return true;
	}
	return false;
}

static bool is_kubeadms(const struct kr_node *node)
{
	const char *bootstrap = kr_flags_text(&node->disk.inputs.flags,
	                                      KR_FIELD_BOOTSTRAP_KUBECONFIG);
	const struct kr_unit *unit = node->disk.unit;

	for (size_t i = 0; i < unit->written_files.n_items; i++) {
		const char *written = unit->written_files.items[i];

		if (strcmp(written + (*written == '-'), FLAGS_PATH) == 0)
			return true;
	}
	return has_dropin(unit) ||
	       (is_given(bootstrap) && strcmp(bootstrap, BOOTSTRAP_PATH) == 0);
}

static bool has_lived(const struct kr_node *node)
{
	return node->has_process &&
	       kr_realtime_usec() > node->process.started_usec + LIVED_USEC;
}

/* 1: something is at PATH, below kubelet's working directory; 0: nothing is;
 * an errno: that is unknown. */
static int is_there(const struct kr_node *node, const char *path)
{
	const char *wd = node->disk.unit->working_directory;
	struct stat st;
	_cleanup_free_ char *full = kr_path_join(wd ? wd : "/", path);
	int r;

	if (!full)
		return -ENOMEM;
	r = kr_fs_look(node->fs, *path == '/' ? path : full, true, &st);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	return r < 0 ? r : 1;
}

static int is_missing(const struct kr_node *node, const char *path)
{
	int r = is_there(node, path);

	return r == -ENOMEM ? r : r == 0;
}

/* kubelet's client certificate; NULL: memory ran out. */
static char *certificate_path(const struct kr_node *node)
{
	const char *dir =
		kr_flags_text(&node->disk.inputs.flags, KR_FIELD_CERT_DIR);

	return kr_path_join(is_given(dir) ? dir : CERT_DIR, CLIENT_CERTIFICATE);
}

int kr_unjoined_has_certificate(const struct kr_node *node)
{
	_cleanup_free_ char *path = certificate_path(node);
	int r;

	if (!path)
		return -ENOMEM;
	r = is_there(node, path);
	return r == -ENOMEM ? r : r > 0;
}

int kr_unjoined_has_pods(const struct kr_node *node)
{
	const char *dir =
		kr_flags_text(&node->disk.inputs.flags, KR_FIELD_ROOT_DIR);
	_cleanup_free_ char *path =
		kr_path_join(is_given(dir) ? dir : ROOT_DIR, PODS);

	int r;

	if (!path)
		return -ENOMEM;
	r = node->disk.unit ? is_there(node, path) : 0;
	return r == -ENOMEM ? r : r != 0;
}

int kr_unjoined(struct kr_node *node)
{
	const struct kr_inputs *in = &node->disk.inputs;
	const char *const kubeconfigs[] = {
		kr_flags_text(&in->flags, KR_FIELD_KUBECONFIG),
		kr_flags_text(&in->flags, KR_FIELD_BOOTSTRAP_KUBECONFIG),
	};
	_cleanup_free_ char *certificate = NULL;
	int r;

	if (node->config_override || !in->config_path ||
	    strcmp(in->config_path, CONFIG_PATH) != 0 || has_lived(node) ||
	    !is_kubeadms(node))
		return 0;
	r = is_missing(node, CONFIG_PATH);
	if (r <= 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(kubeconfigs); i++) {
		if (!is_given(kubeconfigs[i]))
			continue;
		r = is_missing(node, kubeconfigs[i]);
		if (r <= 0)
			return r;
	}
	certificate = certificate_path(node);
	return certificate ? is_missing(node, certificate) : -ENOMEM;
}
