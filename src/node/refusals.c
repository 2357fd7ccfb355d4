/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What kubelet refuses by what the node has.
 *
 *	authentication.x509.clientCAFile	authorities, at the start
 *	tlsCertFile, tlsPrivateKeyFile		both, when it begins to listen;
 *						from 1.31 on at the start
 *	--kubeconfig				at the start, unless the file of
 *						--bootstrap-kubeconfig is there
 *	--container-runtime-endpoint		at the start, by 1.24 to 1.26
 *	failCgroupV1				the host's cgroups
 *
 * Who ends kubelet with such a file is the same for all versions, with one
 * exception: 1.36 with serverTLSBootstrap does not load the pair. A kubelet
 * that does not listen (enableServer: false) is not asked for it either.
 *
 * What is judged is what can be known without a crypto library: a certificate
 * is one DER sequence in PEM (node/pem), a key is there. A key is never read.
 * What may not be looked at, what a mount of the unit lies over, and what
 * systemd makes when the service starts is not judged.
 *
 * Before its node is configured kubelet's files may still come: cloud-init,
 * kubeadm or the platform's agent writes them.
 *
 * A kubelet that runs has loaded them at its start. That it can live with what
 * is there now it does not prove where that is gone, or younger than it is.
 *
 * Source: kubernetes cmd/kubelet/app/server.go and auth.go, pkg/kubelet
 * (kubelet.go, server/server.go, certificate/bootstrap) of 1.20, 1.31 and 1.36;
 * tried on 1.20.2 (tests/real-node, refusals).
 */

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/clock.h"
#include "node/hidden.h"
#include "node/pem.h"
#include "node/refusals.h"
#include "unit/credentials.h"

/* A setting, as the inputs have it. */
struct held {
	struct kr_decision decision;
	char *path;          /* absolute; NULL: none, or it is not known */
	struct kr_span span; /* where it is set */
};

static void held_done(struct held *held)
{
	kr_decision_done(&held->decision);
	free(held->path);
}
#define _cleanup_held_ _cleanup_(held_done)

struct judging {
	struct kr_node *node;
	struct kr_inputs *in;
	struct kr_diag *diag;
};

static int hold(const struct judging *j, int field, struct held *ret)
{
	const char *wd = j->node->disk.unit->working_directory;
	struct kr_decision *d = &ret->decision;
	int r = kr_decide(j->in, field, d);

	if (r < 0)
		return r;
	if (d->flag)
		ret->span = kr_node_span(j->node, d->flag->arg);
	else if (d->use)
		ret->span = d->use->value;
	if (d->state != KR_STATE_VALUE || !*d->value.s)
		return 0;
	ret->path = *d->value.s == '/' ? strdup(d->value.s)
	                               : kr_path_join(wd ?: "/", d->value.s);
	return ret->path ? 0 : -ENOMEM;
}

/* Known to be WANT: 1, else 0; -ENOMEM. */
static int is_bool(const struct judging *j, int field, bool want)
{
	_cleanup_held_ struct held held = {0};
	int r = hold(j, field, &held);

	return r < 0 ? r
	             : held.decision.state ==
	                       (want ? KR_STATE_TRUE : KR_STATE_FALSE);
}

/* --- a file --------------------------------------------------------------- */

enum use {
	USE_AUTHORITIES, /* the certificates that it trusts */
	USE_CHAIN,       /* its own certificate */
	USE_PRESENCE,    /* what is in it is not looked at */
};

enum found {
	FOUND_RIGHT, /* or not looked at */
	FOUND_NOTHING,
	FOUND_NO_FILE,
	FOUND_WRONG,
	FOUND_UNTOLD,
};

/* Whether a kubelet that runs may have found something else there. */
static bool is_younger(const struct kr_node *node, const struct kr_file *file)
{
	uint64_t limit =
		node->process.started_usec + KR_PROCESS_START_SLACK_USEC;

	return kr_timespec_usec(&file->st.st_mtim) > limit ||
	       kr_timespec_usec(&file->btime) > limit;
}

static enum found found_by_error(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
		return FOUND_NOTHING;
	case -EISDIR:
		return FOUND_NO_FILE;
	default:
		return FOUND_UNTOLD;
	}
}

static int look_at_presence(struct kr_fs *fs, const char *path, enum found *ret)
{
	struct stat st;
	int r = kr_fs_look(fs, path, true, &st);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		*ret = found_by_error(r);
	else
		*ret = S_ISDIR(st.st_mode) ? FOUND_NO_FILE : FOUND_RIGHT;
	return 0;
}

static int look_at_pem(struct judging *j, const char *path, enum use use,
                       enum found *ret)
{
	_cleanup_pem_ struct kr_pem pem = {0};
	const struct kr_file *file;
	int r = kr_fs_read(j->node->fs, path, &file);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		*ret = found_by_error(r);
		return 0;
	}
	r = kr_pem_read(file->data, file->size, &pem);
	if (r < 0)
		return r;
	if (use == USE_CHAIN ? kr_pem_is_chain(&pem)
	                     : kr_pem_is_authorities(&pem))
		*ret = FOUND_RIGHT;
	else
		*ret = FOUND_WRONG;
	if (*ret == FOUND_WRONG && is_younger(j->node, file))
		j->node->disk.by_file = true;
	return 0;
}

static int look_at(struct judging *j, const char *path, enum use use,
                   enum found *ret)
{
	int r = kr_hidden_is(j->node, path);

	*ret = FOUND_UNTOLD;
	if (r < 0)
		return r;
	if (r > 0 || kr_credentials_have(path))
		return 0;
	r = use == USE_PRESENCE ? look_at_presence(j->node->fs, path, ret)
	                        : look_at_pem(j, path, use, ret);
	if (*ret == FOUND_NOTHING || *ret == FOUND_NO_FILE)
		j->node->disk.by_file = true;
	return r;
}

/* What is said of what FIELD names, as PATH. */
static int say(struct judging *j, int field, const struct held *held,
               enum found found)
{
	static const struct {
		const char *code, *words;
	} kinds[] = {
		[FOUND_NOTHING] = {.code = "file-unreadable",
	                           .words = "which is not there"},
		[FOUND_NO_FILE] = {.code = "file-unreadable",
	                           .words = "which is a folder"},
		[FOUND_WRONG] = {.code = "file-not-loading",
	                         .words = "which has no certificate that "
	                                  "loads"},
	};
	const char *words = kinds[found].words;
	const char *name = held->decision.flag ? kr_field(field)->flag
	                                       : kr_field_name(field);
	const char *dashes = held->decision.flag ? "--" : "";

	if (!j->node->configured && found == FOUND_NOTHING)
		kr_diag_add_later(j->diag, held->span,
		                  "%s%s names %s, %s yet: kubelet needs it to "
		                  "start",
		                  dashes, name, held->path, words);
	else if (!j->node->configured)
		kr_diag_add(j->diag, KR_NOTE, "file-not-there-yet", held->span,
		            "%s%s names %s, %s: kubelet needs it to start",
		            dashes, name, held->path, words);
	if (!j->node->configured)
		return 0;
	kr_diag_add(j->diag, KR_ERROR, kinds[found].code, held->span,
	            "%s%s names %s, %s", dashes, name, held->path, words);
	if (!j->in->fault_by_file) {
		j->in->fault_by_file = true;
		j->in->fault_field = field;
	}
	return kr_inputs_fault(j->in, KR_STATE_INVALID,
	                       "kubelet would not start: %s%s names %s, %s",
	                       dashes, name, held->path, words);
}

static int judge_file(struct judging *j, int field, enum use use)
{
	_cleanup_held_ struct held held = {0};
	enum found found;
	int r = hold(j, field, &held);

	if (r < 0 || !held.path)
		return r;
	r = look_at(j, held.path, use, &found);
	if (r < 0 || found == FOUND_RIGHT || found == FOUND_UNTOLD)
		return r;
	return say(j, field, &held, found);
}

/* --- the settings --------------------------------------------------------- */

/* Half a pair is a rule of kubelet/validate. */
static int judge_pair(struct judging *j)
{
	_cleanup_held_ struct held cert = {0}, key = {0};
	unsigned minor = j->in->kubelet_minor;
	int r = hold(j, KR_FIELD_TLS_CERT, &cert);

	if (r < 0)
		return r;
	r = hold(j, KR_FIELD_TLS_KEY, &key);
	if (r < 0 || !cert.path || !key.path)
		return r;
	r = is_bool(j, KR_FIELD_ENABLE_SERVER, true);
	if (r <= 0)
		return r;
	r = is_bool(j, KR_FIELD_SERVER_BOOTSTRAP, false);
	if (r < 0 || (r == 0 && (minor == 0 || minor >= 36)))
		return r;
	r = judge_file(j, KR_FIELD_TLS_CERT, USE_CHAIN);
	return r < 0 ? r : judge_file(j, KR_FIELD_TLS_KEY, USE_PRESENCE);
}

static int judge_kubeconfig(struct judging *j)
{
	_cleanup_held_ struct held bootstrap = {0};
	enum found found;
	int r = hold(j, KR_FIELD_BOOTSTRAP_KUBECONFIG, &bootstrap);

	if (r < 0)
		return r;
	if (bootstrap.path) {
		r = look_at(j, bootstrap.path, USE_PRESENCE, &found);
		if (r < 0 || found == FOUND_RIGHT || found == FOUND_UNTOLD)
			return r;
	}
	return judge_file(j, KR_FIELD_KUBECONFIG, USE_PRESENCE);
}

/* What completes the arguments before kubelet is configured may bring it. */
static int judge_client(struct judging *j)
{
	_cleanup_held_ struct held kubeconfig = {0}, webhook = {0}, mode = {0};
	const struct held *needs;
	int r = hold(j, KR_FIELD_KUBECONFIG, &kubeconfig);

	if (r < 0)
		return r;
	if (j->node->configured || kubeconfig.path ||
	    kubeconfig.decision.state == KR_STATE_UNKNOWN)
		return 0;
	r = hold(j, KR_FIELD_WEBHOOK, &webhook);
	if (r < 0)
		return r;
	r = hold(j, KR_FIELD_AUTHORIZATION_MODE, &mode);
	if (r < 0)
		return r;
	if (webhook.decision.state == KR_STATE_TRUE)
		needs = &webhook;
	else if (mode.decision.state == KR_STATE_VALUE &&
	         strcmp(mode.decision.value.s, "Webhook") == 0)
		needs = &mode;
	else
		return 0;
	kr_diag_add_later(
		j->diag, needs->span,
		"%s needs the API server, and --kubeconfig is not given "
		"yet: kubelet needs it to start",
		kr_field_name(needs == &webhook ? KR_FIELD_WEBHOOK
	                                        : KR_FIELD_AUTHORIZATION_MODE));
	return 0;
}

/* The same of the runtime, for which 1.24 to 1.26 have no default. */
static int judge_runtime(struct judging *j)
{
	unsigned minor = j->in->kubelet_minor;
	_cleanup_held_ struct held endpoint = {0};
	int r;

	if (j->node->configured || minor < 24 || minor > 26 ||
	    kr_flags_count(&j->in->flags, KR_FIELD_RUNTIME_ENDPOINT) > 0)
		return 0;
	r = hold(j, KR_FIELD_RUNTIME_ENDPOINT, &endpoint);
	if (r < 0 || endpoint.decision.state == KR_STATE_UNKNOWN)
		return r;
	kr_diag_add_later(
		j->diag, KR_SPAN_NONE,
		"--container-runtime-endpoint is not given yet: kubelet "
		"1.%u needs it to start",
		minor);
	return 0;
}

/* Whether the host has the old cgroups, alone or beside the new ones: kubelet
 * asks whether /sys/fs/cgroup is a cgroup2 file system. */
static bool has_cgroup_v1(struct kr_fs *fs)
{
	static const char *const folders[] = {"/sys/fs/cgroup/memory",
	                                      "/sys/fs/cgroup/cpu"};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_close_ int fd = kr_fs_open_folder(fs, folders[i]);
		struct statfs st;

		if (fd >= 0 && fstatfs(fd, &st) == 0 &&
		    st.f_type == CGROUP_SUPER_MAGIC)
			return true;
	}
	return false;
}

/* From 1.31 on a setting; true by default from 1.35 on. Only the host tells, so
 * that it is said of an image where it is sure to be true. */
static int judge_cgroup(struct judging *j)
{
	_cleanup_held_ struct held held = {0};
	bool sure, set;
	int r = hold(j, KR_FIELD_FAIL_CGROUP_V1, &held);

	if (r < 0 || held.decision.state != KR_STATE_TRUE)
		return r;
	set = held.decision.by != KR_BY_DEFAULT;
	sure = j->in->kubelet_minor > 0 || held.decision.by == KR_BY_FLAG;
	if (!j->node->live) {
		if (sure || set)
			kr_diag_add(j->diag, KR_NOTE, "old-cgroups", held.span,
			            "failCgroupV1 is true%s: kubelet would not "
			            "start on a host with cgroup v1",
			            set ? "" : " by default");
		return 0;
	}
	if (!has_cgroup_v1(j->node->fs))
		return 0;
	if (!sure) {
		kr_diag_add(j->diag, KR_WARNING, "old-cgroups", held.span,
		            "this host has cgroup v1, with which kubelet 1.%s "
		            "and later would not start: failCgroupV1 must "
		            "be false",
		            set ? "31" : "35");
		return 0;
	}
	kr_diag_add(j->diag, KR_ERROR, "old-cgroups", held.span,
	            "failCgroupV1 must be false%s: this host has "
	            "cgroup v1",
	            set ? "" : ", which is true by default");
	return kr_inputs_fault(j->in, KR_STATE_INVALID,
	                       "kubelet would not start: failCgroupV1 must "
	                       "be false%s: this host has cgroup v1",
	                       set ? "" : ", which is true by default");
}

int kr_refusals_judge(struct kr_node *node, struct kr_diag *diag)
{
	struct judging j = {node, &node->disk.inputs, diag};
	int r;

	if (kr_inputs_state(j.in) != KR_STATE_ABSENT)
		return 0;
	r = judge_client(&j);
	if (r < 0)
		return r;
	r = judge_runtime(&j);
	if (r < 0)
		return r;
	r = judge_kubeconfig(&j);
	if (r < 0)
		return r;
	r = judge_file(&j, KR_FIELD_CLIENT_CA, USE_AUTHORITIES);
	if (r < 0)
		return r;
	r = judge_pair(&j);
	return r < 0 ? r : judge_cgroup(&j);
}
