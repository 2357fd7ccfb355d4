/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Refusals: changes that pass every check of the value and end a node.
 *
 *   client CA      the API server has nothing but a client certificate. Without
 *                  anonymous requests kubelet lets it in by its client CA
 *                  alone, which has to hold the authority that signed for the
 *                  cluster: the one of kubelet's own kubeconfig
 *   wanted CA      the same, where an edit would name another client CA
 *   kubeconfig     Webhook asks the API server; without --kubeconfig kubelet
 *                  ends at its start
 *   kernel         a kubelet with protectKernelDefaults ends where one of six
 *                  settings differs. The ones that are there now count for
 *                  nothing: the kubelet that runs has written them itself
 *   certificate    kubelet can only rotate a certificate that it has: with an
 *                  exec plugin or a token it would talk anonymously and end
 *                  after five minutes. A bootstrap kubeconfig's token is normal
 *   gate           serverTLSBootstrap without its gate is refused by kubelet
 *   version        seccompDefault needs its gate up to 1.24, and is unknown
 *                  before 1.22
 *
 * What a node that is not configured yet has not got (the kubeconfig, the CA)
 * may come with its configuration. What is written down counts there, too.
 *
 * Source: kubelet's server.go, auth.go, container_manager_linux.go, and what
 * was tried on a kubelet 1.20.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "node/kernel-settings.h"
#include "node/kubeconfig.h"
#include "node/kubelet-version.h"
#include "node/pem.h"
#include "policy/files.h"
#include "policy/refusal.h"

#define SECCOMP_MINOR 25U

struct looking {
	const struct kr_node *node;
	struct kr_node *after;
	const struct kr_rule *rule;
	struct kr_diag *diag;
	char **why;
};

/* 1, with the words, in one line whatever a file is called. */
static int say(struct looking *l, const char *format, ...) _printf_(2, 3);

static int say(struct looking *l, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = kr_vformat(l->why, format, args);
	va_end(args);
	if (r < 0)
		return r;
	if (strchr(*l->why, '\n')) {
		_cleanup_free_ char *text = TAKE_PTR(*l->why);

		*l->why = kr_utf8_escape(text, strlen(text));
	}
	return *l->why ? 1 : -ENOMEM;
}

/* What is not there may come. */
static bool may_come(const struct looking *l)
{
	return !l->node->live || !l->node->configured;
}

/* 0, with a note. */
static int trust(struct looking *l, const char *what)
{
	kr_diag_add(l->diag, KR_NOTE, "taken-on-trust", KR_SPAN_NONE,
	            "%s: %s cannot be looked at yet and is taken on trust",
	            l->rule->name, what);
	return 0;
}

static int find_flag_path(struct looking *l, int field, char **ret)
{
	const struct kr_inputs *in = kr_node_inputs(l->after);
	const struct kr_flag_use *use =
		in ? kr_flags_last(&in->flags, field) : NULL;

	if (!in || in->doubts[field] || (use && use->state == KR_STATE_INVALID))
		return 1;
	if (!use || !use->text || !*use->text)
		return 0;
	*ret = kr_files_path(l->after, use->text);
	return *ret ? 0 : -ENOMEM;
}

/* What kubelet is given for FIELD, a path, as it opens it; NULL: nothing. 1: it
 * is unknown. 0; -ENOMEM. */
static int find_path(struct looking *l, int field, char **ret)
{
	const struct kr_inputs *in = kr_node_inputs(l->after);
	_cleanup_decision_ struct kr_decision d = {0}, said = {0};
	int r = kr_node_decide(l->after, field, &d);

	*ret = NULL;
	if (r >= 0 && d.state == KR_STATE_INVALID && in &&
	    l->after->disk.state == KR_STATE_ABSENT)
		r = kr_decide_refused(in, field, &said);
	if (r < 0)
		return r;
	if (kr_state_is_value(said.state)) {
		kr_decision_done(&d);
		d = TAKE(said);
	}
	/* by another setting, which the plan may correct: the arguments say it
	 * all the same */
	if (d.state == KR_STATE_INVALID && !d.by_setting &&
	    !kr_field(field)->path)
		return find_flag_path(l, field, ret);
	if (d.state == KR_STATE_UNKNOWN || d.state == KR_STATE_INVALID)
		return 1;
	if (d.state != KR_STATE_VALUE || !*d.value.s)
		return 0;
	*ret = kr_files_path(l->after, d.value.s);
	return *ret ? 0 : -ENOMEM;
}

/* The kubeconfig that kubelet goes by now: of the start, until the first one is
 * there. 0; -ENOENT: neither is there; an errno. */
static int read_kubeconfig(struct looking *l, bool *ret_bootstrap,
                           struct kr_kubeconfig *ret)
{
	_cleanup_free_ char *path = NULL, *bootstrap = NULL;
	int r = find_path(l, KR_FIELD_KUBECONFIG, &path);

	*ret_bootstrap = false;
	if (r < 0)
		return r;
	r = path ? kr_kubeconfig_read(l->after->fs, path, ret) : -ENOENT;
	if (r != -ENOENT)
		return r;
	r = find_path(l, KR_FIELD_BOOTSTRAP_KUBECONFIG, &bootstrap);
	if (r < 0)
		return r;
	*ret_bootstrap = true;
	return bootstrap ? kr_kubeconfig_read(l->after->fs, bootstrap, ret)
	                 : -ENOENT;
}

/* --- the client CA -------------------------------------------------------- */

static bool holds(const struct kr_pem *pem, const struct kr_certificate *wanted)
{
	KR_EACH(const struct kr_certificate, c, pem->certificates,
	        pem->n_certificates) {
		if (c->size == wanted->size &&
		    memcmp(c->der, wanted->der, c->size) == 0)
			return true;
	}
	return false;
}

/* Whether CA, of the file at PATH, holds what the kubeconfig trusts. */
static int compare_authority(struct looking *l, const char *path,
                             const struct kr_pem *ca)
{
	_cleanup_kubeconfig_ struct kr_kubeconfig kubeconfig = {0};
	_cleanup_pem_ struct kr_pem trusted = {0};
	bool bootstrap;
	int r = read_kubeconfig(l, &bootstrap, &kubeconfig);

	if (r == -ENOMEM)
		return r;
	if (r < 0 && may_come(l))
		return trust(l, "kubelet's kubeconfig");
	if (r < 0)
		return say(l,
		           "kubelet's kubeconfig cannot be read (%s): whether "
		           "%s holds the authority that it trusts must "
		           "be known",
		           kr_fs_strerror(-r), path);
	r = kr_pem_read(kubeconfig.authority ? kubeconfig.authority : "",
	                kubeconfig.authority_size, &trusted);
	if (r < 0)
		return r;
	if (trusted.n_certificates == 0 && may_come(l))
		return trust(l, "the authority of kubelet's kubeconfig");
	for (size_t i = 0; i < trusted.n_certificates; i++) {
		if (holds(ca, &trusted.certificates[i]))
			return 0;
	}
	return say(
		l,
		"the client CA %s does not hold the authority that kubelet's "
		"kubeconfig trusts: the API server would be shut out",
		path);
}

static int look_at_authorities(struct looking *l, const char *path)
{
	_cleanup_pem_ struct kr_pem ca = {0};
	const struct kr_file *file;
	int r = kr_fs_read(l->after->fs, path, &file);

	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT && may_come(l))
		return trust(l, path);
	if (r == 0)
		r = kr_pem_read(file->data, file->size, &ca);
	if (r == -ENOMEM)
		return r;
	if (r == -EFBIG || r == -EACCES || r == -EAGAIN || r == -EIO)
		return say(l,
		           "the client CA %s cannot be read (%s): whether it "
		           "holds the authority that kubelet's kubeconfig "
		           "trusts must be known",
		           path, kr_fs_strerror(-r));
	if (r < 0 || !kr_pem_is_authorities(&ca))
		return say(l,
		           "the client CA %s does not load: the API server "
		           "would be shut out",
		           path);
	return compare_authority(l, path, &ca);
}

static int look_at_client_ca(struct looking *l)
{
	_cleanup_free_ char *path = NULL;
	int r = find_path(l, KR_FIELD_CLIENT_CA, &path);

	if (r < 0)
		return r;
	if (!path)
		return say(l,
		           "%s: the API server, which has a client certificate "
		           "only, would be shut out",
		           r > 0 ? "authentication.x509.clientCAFile is "
		                   "unknown"
		                 : "there is no client CA "
		                   "(authentication.x509.clientCAFile)");
	return look_at_authorities(l, path);
}

/* The client CA that the rule's own edit would name. */
static int look_at_wanted_ca(struct looking *l)
{
	const struct kr_value *want = &l->rule->want;
	_cleanup_decision_ struct kr_decision anonymous = {0};
	_cleanup_free_ char *path = NULL;
	int r = kr_node_decide(l->after, KR_FIELD_ANONYMOUS, &anonymous);

	/* requests without a certificate are let in, too */
	if (r < 0 || anonymous.state == KR_STATE_TRUE)
		return r;
	if (want->type != KR_TYPE_STRING || !want->s || !*want->s)
		return 0;
	path = kr_files_path(l->after, want->s);
	return path ? look_at_authorities(l, path) : -ENOMEM;
}

/* --- the others ----------------------------------------------------------- */

static int look_at_kubeconfig(struct looking *l)
{
	_cleanup_free_ char *path = NULL;
	int r = find_path(l, KR_FIELD_KUBECONFIG, &path);

	if (r < 0 || path)
		return r < 0 ? r : 0;
	if (r == 0 && may_come(l))
		return trust(l, "--kubeconfig");
	return say(l, "kubelet has no known --kubeconfig: it would exit at its "
	              "start, since Webhook asks the API server");
}

/* The kernel's command line; NULL: there is none to be read. 0 or -ENOMEM. */
static int read_command_line(const struct kr_node *node, char **ret)
{
	_cleanup_close_ int fd = -1;
	char buffer[4096];
	ssize_t n;

	*ret = NULL;
	if (node->proc_fd < 0)
		return 0;
	fd = openat(node->proc_fd, "cmdline", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer) - 1);
	if (n < 0)
		return 0;
	*ret = strndup(buffer, (size_t)n);
	return *ret ? 0 : -ENOMEM;
}

static int look_at_kernel(struct looking *l)
{
	struct kr_kernel_setting settings[KR_N_KERNEL_SETTINGS];
	_cleanup_free_ char *command_line = NULL, *lines = NULL;
	_cleanup_diag_ struct kr_diag found = {0};
	const struct kr_platform *p = l->node->platform;
	/* of the whole system */
	const char *owner = p && p->refusal && !p->by_unit ? p->owner : NULL;
	bool masked;
	size_t n = 0;
	int r = read_command_line(l->node, &command_line);

	if (r < 0)
		return r;
	r = kr_kernel_settings_read(l->after->fs, command_line, &found, &masked,
	                            settings);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		_cleanup_free_ char *why = kr_diag_reason(&found, strerror(-r));

		return why ? say(l,
		                 "what the kernel will have at the next boot "
		                 "is unknown: %s",
		                 why)
		           : -ENOMEM;
	}
	for (size_t i = 0; i < KR_N_KERNEL_SETTINGS; i++) {
		if (settings[i].right)
			continue;
		n++;
		r = kr_format(&lines, "%s\n%s = %s", lines ? lines : "",
		              settings[i].name, settings[i].wanted);
		if (r < 0)
			return r;
	}
	if (n == 0)
		return 0;
	r = say(l,
	        "the next boot would lack %zu of the kernel's settings that it "
	        "demands, and kubelet would exit; %sthese %s%s first:",
	        n,
	        masked ? "systemd-sysctl.service, which reads /etc/sysctl.d, "
	                 "is masked: it must be unmasked, and "
	               : "",
	        owner ? "must be set through "
	              : "lines must stand in a file of /etc/sysctl.d",
	        owner ? owner : "");
	if (r == 1)
		r = kr_format(l->why, "%s%s", *l->why, lines);
	return r < 0 ? r : 1;
}

static int look_at_user(struct looking *l)
{
	_cleanup_kubeconfig_ struct kr_kubeconfig kubeconfig = {0};
	_cleanup_free_ char *path = NULL;
	static const char *const users[] = {
		[KR_USER_UNKNOWN] = "is unknown",
		[KR_USER_TOKEN] = "is a token",
		[KR_USER_EXEC] = "is an exec plugin",
		[KR_USER_OTHER] = "has no certificate",
		[KR_USER_NOBODY] = "has no credential",
	};
	bool bootstrap;
	int r = find_path(l, KR_FIELD_KUBECONFIG, &path);

	/* it has no peer */
	if (r < 0 || (r == 0 && !path))
		return r < 0 ? r : 0;
	r = read_kubeconfig(l, &bootstrap, &kubeconfig);
	if (r == -ENOMEM)
		return r;
	if (r < 0 && may_come(l))
		return trust(l, "kubelet's kubeconfig");
	if (r < 0)
		return say(l, "kubelet's kubeconfig cannot be read: %s",
		           strerror(-r));
	if (bootstrap || kubeconfig.user == KR_USER_CERTIFICATE)
		return 0;
	return say(
		l,
		"the user of kubelet's kubeconfig %s: kubelet would talk to "
		"the API server anonymously, and exit after 5 minutes; only a "
		"client certificate can be rotated",
		users[kubeconfig.user]);
}

static int look_at_gate(struct looking *l)
{
	_cleanup_decision_ struct kr_decision d = {0};
	int r = kr_node_decide(l->after, KR_FIELD_GATE_ROTATE_SERVER, &d);

	if (r < 0 || d.state == KR_STATE_TRUE)
		return r;
	return say(
		l,
		"the feature gate RotateKubeletServerCertificate %s: kubelet "
		"would not start",
		d.state == KR_STATE_FALSE ? "is off" : "is unknown");
}

static int look_at_version(struct looking *l)
{
	unsigned minor = l->after->disk.inputs.kubelet_minor;
	int r = minor > 0 ? 0 : kr_kubelet_version_find(l->after, &minor);

	if (r < 0)
		return r;
	if (minor >= SECCOMP_MINOR)
		return 0;
	if (minor == 0)
		return say(
			l,
			"kubelet's version is not known, and a kubelet before "
			"1.25 would not start with it: give --kubelet-version");
	return say(l, "kubelet 1.%u would not start with it: 1.25 is the first",
	           minor);
}

int kr_refusal_find(const struct kr_node *node, struct kr_node *after,
                    const struct kr_rule *rule, struct kr_diag *diag,
                    char **ret_why)
{
	struct looking l = {node, after, rule, diag, ret_why};

	switch (rule->refusal) {
	case KR_REFUSAL_CLIENT_CA:
		return look_at_client_ca(&l);
	case KR_REFUSAL_WANTED_CA:
		return look_at_wanted_ca(&l);
	case KR_REFUSAL_NO_KUBECONFIG:
		return look_at_kubeconfig(&l);
	case KR_REFUSAL_SYSCTLS:
		return look_at_kernel(&l);
	case KR_REFUSAL_NO_CERTIFICATE:
		return look_at_user(&l);
	case KR_REFUSAL_GATE_OFF:
		return look_at_gate(&l);
	case KR_REFUSAL_VERSION:
		return look_at_version(&l);
	case KR_REFUSAL_NONE:
		break;
	}
	return 0;
}
