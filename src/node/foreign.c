/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Platforms where kubelet is no unit of its own.
 *
 *   k3s, RKE2   kubelet-arg: of the command line, of /etc/rancher/X/config.yaml
 *               and config.yaml.d; drop-ins in DATA/agent/etc/kubelet.conf.d
 *   MicroK8s    a file of flags below the snap's data
 *   Canonical   the same, in the data that all revisions of the snap k8s
 *               share, as bash splits it
 *   other snaps the same, but it is not documented how it is read
 *   KubeEdge    a part of edgecore: tailoredKubeletConfig in its own file
 *   k0s         renders the configuration from the cluster's worker profile
 *   containers  the arguments are those of a "docker run" somewhere: often in
 *               the unit itself
 *   wrappers    any program that is given kubelet, a script that names it
 *
 * kubelet's arguments are put together as the platform does it, each with the
 * bytes it came from, and read as any kubelet's.
 *
 * Nothing here is ever edited: these files belong to the platform's own tools,
 * and its unit runs more than kubelet.
 *
 * Source: k3s pkg/configfilearg, pkg/daemons/config (GetArgs) and
 * pkg/daemons/agent; rke2 pkg/executor/staticpod; microk8s
 * microk8s-resources/wrappers; k8s-snap k8s/lib.sh (k8s::common::execute);
 * kubeedge api/apis/componentconfig/edgecore/v1alpha2.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "node/foreign-words.h"
#include "node/foreign.h"

#define FLAGS   "--@FLAG@=@VALUE@\n"
#define MEMBERS "@MEMBERS@\n"
#define BY_HAND(who, lines, file)                                              \
	.name = who, .by_hand = {.owner = who,                                 \
	                         .when = "at each start of kubelet",           \
	                         .place = file,                                \
	                         .text = lines}
#define RANCHER(id, name)                                                      \
	BY_HAND(name, "kubelet-arg:\n  - \"@FLAG@=@VALUE@\"\n",                \
	        "kubelet-arg of /etc/rancher/" id "/config.yaml"),             \
		.where = "kubelet-arg: [\"@FLAG@=@VALUE@\"] in "               \
			 "/etc/rancher/" id "/config.yaml"
#define CONTAINER(runtime)                                                     \
	{                                                                      \
		.id = runtime,                                                 \
		BY_HAND("a container (" runtime ")", MEMBERS,                  \
		        "the file of kubelet's --config"),                     \
		.where = "@KEY@: @VALUE@ in the file of "                      \
			 "kubelet's --config",                                 \
		.media = "ignition", .read = kr_foreign_read_container,        \
		.doubt = "kubelet's arguments are those of the container",     \
	}

static const struct kr_foreign_row rows[] = {
	{.id = "k3s", RANCHER("k3s", "k3s"), .read = kr_foreign_read_rancher},
	{.id = "rke2",
         RANCHER("rke2", "RKE2"),
         .read = kr_foreign_read_rancher},
	{.id = "k0s",
         BY_HAND("k0s", MEMBERS,
                 "the cluster's worker profile (spec.workerProfiles)"),
         .where = "@KEY@: @VALUE@ in the cluster's worker "
                  "profile (spec.workerProfiles)",
         .read = kr_foreign_read_k0s,
         .doubt = "k0s regenerates kubelet's configuration at each start"},
	{.id = "microk8s",
         .app = "microk8s.daemon-kubelite",
         BY_HAND("MicroK8s", FLAGS, "/var/snap/microk8s/current/args/kubelet"),
         .restart = "snap restart microk8s.daemon-kubelite",
         .where = "--@FLAG@=@VALUE@ as a line of "
                  "/var/snap/microk8s/current/args/kubelet",
         .read = kr_foreign_read_lines},
	{.id = "microk8s",
         .app = "microk8s.daemon-kubelet",
         BY_HAND("MicroK8s", FLAGS, "/var/snap/microk8s/current/args/kubelet"),
         .restart = "snap restart microk8s.daemon-kubelet",
         .where = "--@FLAG@=@VALUE@ as a line of "
                  "/var/snap/microk8s/current/args/kubelet",
         .read = kr_foreign_read_words,
         .doubt = "its wrapper lets a shell split the arguments"},
	{.id = "kubelet-eks",
         .app = "kubelet-eks.daemon",
         BY_HAND("the snap kubelet-eks", MEMBERS,
                 "the file of kubelet's --config"),
         .restart = "snap restart kubelet-eks",
         .media = "eksctl",
         .where = "@KEY@: @VALUE@ in the file of kubelet's "
                  "--config",
         .read = kr_foreign_read_words,
         .doubt = "how the snap passes its arguments on is not documented"},
	{.id = "kubelet",
         .app = "kubelet.daemon",
         BY_HAND("the snap kubelet", FLAGS, "'snap set kubelet'"),
         .restart = "snap restart kubelet",
         .where = "--@FLAG@=@VALUE@ with 'snap set kubelet'",
         .read = kr_foreign_read_words,
         .doubt = "how the snap passes its arguments on is not documented"},
	{.id = "k8s",
         .app = "k8s.kubelet",
         BY_HAND("Canonical Kubernetes (the snap k8s)", FLAGS,
                 "/var/snap/k8s/common/args/kubelet"),
         .restart = "snap restart k8s.kubelet",
         .where = "--@FLAG@=@VALUE@ as a line of "
                  "/var/snap/k8s/common/args/kubelet",
         .read = kr_foreign_read_common},
	{.id = "edgecore",
         BY_HAND("KubeEdge", MEMBERS,
                 "modules.edged.tailoredKubeletConfig in "
                 "/etc/kubeedge/config/edgecore.yaml"),
         .where = "@KEY@: @VALUE@ below "
                  "modules.edged.tailoredKubeletConfig in "
                  "/etc/kubeedge/config/edgecore.yaml",
         .doubt = "kubelet is a part of edgecore, whose configuration is "
                  "/etc/kubeedge/config/edgecore.yaml"},
	CONTAINER("docker"),
	CONTAINER("podman"),
	CONTAINER("nerdctl"),
	CONTAINER("rkt"),
};

static const struct kr_foreign_row wrapper = {
	BY_HAND("a wrapper", FLAGS, "kubelet's arguments"),
	.where = "--@FLAG@=@VALUE@ among kubelet's arguments",
	.media = "nodeadm userdata eksctl ignition",
	.read = kr_foreign_read_wrapper,
};

static const char *const units[] = {
	"k3s.service",
	"k3s-agent.service",
	"rke2-agent.service",
	"rke2-server.service",
	"k0sworker.service",
	"k0scontroller.service",
	"snap.microk8s.daemon-kubelite.service",
	"snap.microk8s.daemon-kubelet.service",
	"snap.kubelet-eks.daemon.service",
	"snap.kubelet.daemon.service",
	"snap.k8s.kubelet.service",
	"edgecore.service",
};

/* The folders of systemd's load path that packages and installers use. */
static const char *const folders[] = {
	"/etc/systemd/system",
	"/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",
};

int kr_foreign_find_unit(struct kr_fs *fs, const char **ret)
{
	*ret = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		struct stat folder;

		if (kr_fs_look(fs, folders[i], true, &folder) < 0)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(units); k++) {
			struct stat st;
			_cleanup_free_ char *path =
				kr_path_join(folders[i], units[k]);

			if (!path)
				return -ENOMEM;
			if (kr_fs_look(fs, path, true, &st) == 0) {
				*ret = units[k];
				return 0;
			}
		}
	}
	return 0;
}

/* --- which platform ------------------------------------------------------ */

static const char *word_text(const struct kr_unit_command *c, size_t i)
{
	return i < c->n_words ? c->words[i].text : "";
}

static bool row_fits(const struct kr_foreign_row *row,
                     const struct kr_unit_command *c)
{
	const char *program = c->path ? c->path : word_text(c, 0);
	const char *slash = strrchr(program, '/');

	if (slash)
		program = slash + 1;
	if (!row->app)
		return strcmp(program, row->id) == 0;
	return strcmp(program, "snap") == 0 &&
	       strcmp(word_text(c, 1), "run") == 0 &&
	       strcmp(word_text(c, 2), row->app) == 0;
}

static bool find_row(struct kr_foreign_reading *rd)
{
	for (size_t i = 0; i < rd->unit->n_commands; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
			if (!row_fits(&rows[k], &rd->unit->commands[i]))
				continue;
			rd->command = &rd->unit->commands[i];
			rd->row = &rows[k];
			return true;
		}
	}
	for (size_t i = 0; i < rd->unit->n_commands; i++) {
		rd->command = &rd->unit->commands[i];
		rd->row = &wrapper;
		if (kr_foreign_is_wrapper(rd->fs, rd->command))
			return true;
	}
	return false;
}

/* --- the value ----------------------------------------------------------- */

static int evaluate(struct kr_foreign_reading *rd)
{
	struct kr_foreign *f = rd->foreign;
	_cleanup_free_ const char **argv = calloc(f->n_words, sizeof(*argv));
	_cleanup_free_ const char **doubts = calloc(f->n_words, sizeof(*argv));
	const struct kr_inputs_options options = {
		.working_directory = rd->unit->working_directory,
		.kubelet_minor = rd->kubelet_minor,
		.doubts = doubts,
		.wrapped = true,
	};
	int r;

	if (!argv || !doubts)
		return -ENOMEM;
	for (size_t i = 0; i < f->n_words; i++) {
		argv[i] = f->words[i].text;
		doubts[i] = f->words[i].doubt;
	}
	r = kr_inputs_read(rd->fs, argv, f->n_words, &options, rd->diag,
	                   &f->inputs);
	f->inputs_valid = r == 0;
	return r;
}

static int conclude(struct kr_foreign_reading *rd)
{
	struct kr_foreign *f = rd->foreign;

	if (!rd->doubt)
		return 0;
	return kr_format(&f->doubt, "%s starts kubelet, not %s itself: %s",
	                 f->name, rd->unit->name, rd->doubt);
}

static int read_row(struct kr_foreign_reading *rd)
{
	struct kr_foreign *f = rd->foreign;
	int r;

	f->name = rd->row->name;
	f->where = rd->row->where;
	f->by_hand = &rd->row->by_hand;
	f->media = rd->row->media ?: "";
	if (rd->row->restart)
		f->restart = strdup(rd->row->restart);
	else if (asprintf(&f->restart, "systemctl restart %s", rd->unit->name) <
	         0)
		f->restart = NULL;
	if (!f->restart)
		return -ENOMEM;
	if (rd->row->read) {
		r = kr_foreign_add(rd, KR_SPAN_NONE, "kubelet", 7);
		if (r < 0)
			return r;
		r = rd->row->read(rd);
		if (r < 0)
			return r;
		r = evaluate(rd);
		if (r < 0)
			return r;
	}
	r = rd->row->doubt ? kr_foreign_doubt(rd, "%s", rd->row->doubt) : 0;
	return r < 0 ? r : conclude(rd);
}

int kr_foreign_read(struct kr_fs *fs, const struct kr_unit *unit,
                    unsigned kubelet_minor, struct kr_diag *diag,
                    struct kr_foreign **ret)
{
	_cleanup_foreign_ struct kr_foreign *f = calloc(1, sizeof(*f));
	struct kr_foreign_reading rd = {
		.fs = fs,
		.unit = unit,
		.kubelet_minor = kubelet_minor,
		.foreign = f,
		.diag = diag,
	};
	int r;

	*ret = NULL;
	if (!f)
		return -ENOMEM;
	if (!find_row(&rd))
		return 0;
	r = read_row(&rd);
	free(rd.data_dir);
	free(rd.config_path);
	free(rd.list_path);
	free(rd.doubt);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(f);
	return 0;
}

bool kr_foreign_reads(const struct kr_foreign *f, const char *medium)
{
	const size_t length = strlen(medium);

	for (const char *at = f->media; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == length && memcmp(at, medium, n) == 0)
			return true;
		at += n;
	}
	return false;
}

bool kr_foreign_leaves(int field)
{
	return field == KR_FIELD_IPTABLES;
}

static void free_words(struct kr_foreign_word *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(words[i].text);
	free(words);
}

struct kr_foreign *kr_foreign_free(struct kr_foreign *f)
{
	if (!f)
		return NULL;
	free_words(f->words, f->n_words);
	free_words(f->replaced, f->n_replaced);
	kr_inputs_done(&f->inputs);
	free(f->restart);
	free(f->own_where);
	free(f->own_place);
	free(f->folder);
	free(f->doubt);
	free(f);
	return NULL;
}
