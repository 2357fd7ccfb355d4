/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What ends kubelet between its validation and the moment when it serves: TLS
 * and its clients, webhooks, the container runtime's sockets, logs, sysctls;
 * and flags that no file has.
 *
 * Source: kubernetes cmd/kubelet/app (server.go, auth.go, options),
 * pkg/kubelet/kubelet.go, logs and sysctl, component-base cli/flag, of 1.20,
 * 1.21 and 1.23 to 1.36.
 */

#include <stdio.h>
#include <string.h>

#include "kubelet/grammar.h"
#include "kubelet/validate-constraint.h"

/* Both webhooks ask the API server, for which kubelet needs a client. A program
 * around it may bring one. Of both, authentication is built first. */
static bool has_no_client(const struct kr_validation *j)
{
	return !j->in->wrapped &&
	       !kr_validation_is_unknown(j, KR_FIELD_KUBECONFIG) &&
	       !kr_validation_is_not_empty(j, KR_FIELD_KUBECONFIG);
}

static bool webhook_mode(struct kr_validation *j)
{
	return kr_validation_is_text(j, j->rule->fields[0], "Webhook") &&
	       kr_validation_is_bool(j, KR_FIELD_WEBHOOK, false) &&
	       has_no_client(j);
}

static bool webhook_authentication(struct kr_validation *j)
{
	return kr_validation_is_bool(j, j->rule->fields[0], true) &&
	       has_no_client(j);
}

static bool cipher_ok(struct kr_validation *j, const char *item)
{
	return kr_cipher_valid(item);
}

static bool ciphers(struct kr_validation *j)
{
	return kr_validation_refuse_items(j, cipher_ok);
}

/* 4587 and 4589 are of Go 1.26, with which 1.36 may be built. */
static bool curves(struct kr_validation *j)
{
	const struct kr_strings *pairs =
		kr_validation_items(j, j->rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		bool twice = false;

		for (size_t k = 1; k < i; k += 2)
			twice |= strcmp(pairs->items[k], pairs->items[i + 1]) ==
			         0;
		if (kr_constraint_is_name(pairs->items[i + 1],
		                          j->rule->names) &&
		    !twice)
			continue;
		if (kr_validation_refuse_value(j, pairs, i))
			return true;
	}
	return false;
}

/* kubelet looks for both with either of them. */
static bool half_a_pair(struct kr_validation *j)
{
	const char *one = kr_validation_text(j, j->rule->fields[0]);
	const char *other = kr_validation_text(j, j->rule->fields[1]);

	return one && other && !*one != !*other;
}

static bool half_of_tls(struct kr_validation *j)
{
	return half_a_pair(j) &&
	       kr_validation_is_bool(j, KR_FIELD_ENABLE_SERVER, true);
}

static bool is_remote(const struct kr_validation *j)
{
	return kr_validation_minor(j) >= 24 ||
	       kr_validation_is_text(j, KR_FIELD_CONTAINER_RUNTIME, "remote");
}

static bool log_files(struct kr_validation *j)
{
	return is_remote(j) && kr_constraint_out_of_range(j);
}

static bool log_size(struct kr_validation *j)
{
	const char *s = kr_validation_text(j, j->rule->fields[0]);
	int64_t n;

	if (!s || !is_remote(j))
		return false;
	return !kr_quantity_int64(s, &n) ||
	       (kr_validation_minor(j) == 20 && n < 0);
}

static bool equal_bits(struct kr_validation *j)
{
	bool drop_set = kr_validation_is_set(j, j->rule->fields[0]);
	int64_t drop, masquerade;

	if (!kr_validation_is_bool(j, KR_FIELD_IPTABLES, true) ||
	    !kr_validation_number(j, j->rule->fields[0], &drop) ||
	    !kr_validation_number(j, j->rule->fields[1], &masquerade))
		return false;
	snprintf(j->words, sizeof(j->words),
	         "must be another bit than %s, which is %lld",
	         kr_field_name(j->rule->fields[drop_set ? 1 : 0]),
	         (long long)drop);
	return drop == masquerade;
}

/* Without --kubeconfig kubelet watches nothing. */
static bool watch(struct kr_validation *j)
{
	return kr_validation_is_not_empty(j, KR_FIELD_KUBECONFIG) &&
	       kr_constraint_no_name(j);
}

static bool sysctl_ok(struct kr_validation *j, const char *item)
{
	return kr_unsafe_sysctl_valid(item, kr_validation_minor(j));
}

static bool sysctls(struct kr_validation *j)
{
	return kr_validation_refuse_items(j, sysctl_ok);
}

/* By flag it was judged word by word, and "" leaves the value before. */
static bool address(struct kr_validation *j)
{
	struct kr_held held = kr_validation_hold(j, j->rule->fields[0]);

	return held.whence == KR_WHENCE_FILE && !kr_ip_valid(held.value->s) &&
	       kr_validation_is_bool(j, KR_FIELD_ENABLE_SERVER, true);
}

static bool endpoint(struct kr_validation *j)
{
	const char *s = kr_validation_text(j, j->rule->fields[0]);

	return s && is_remote(j) && !kr_runtime_endpoint_valid(s);
}

/* 1.24 to 1.26 have no default for it, and a flag alone. Who completes the
 * arguments may bring an endpoint that is not given. Of a version that is not
 * known a warning would be of every node that trusts the default. */
static bool no_endpoint(struct kr_validation *j)
{
	if (j->in->kubelet_minor == 0)
		return false;
	if (!kr_validation_is_set(j, j->rule->fields[0]))
		return !j->in->wrapped &&
		       !kr_validation_is_unknown(j, j->rule->fields[0]);
	return kr_validation_is_text(j, j->rule->fields[0], "");
}

static bool lock_without_file(struct kr_validation *j)
{
	return kr_validation_is_bool(j, j->rule->fields[0], true) &&
	       !kr_validation_is_unknown(j, j->rule->fields[1]) &&
	       !kr_validation_is_not_empty(j, j->rule->fields[1]);
}

/* Whether NAME is DOMAIN or in it. */
static bool in_domain(const char *name, size_t length, const char *domain)
{
	size_t n = strlen(domain);

	if (length < n || memcmp(name + length - n, domain, n) != 0)
		return false;
	return length == n || name[length - n - 1] == '.';
}

/* A label that a kubelet must not give its own node. */
static bool is_reserved_label(const char *name)
{
	static const char *const taken[] = {
		"kubernetes.io/hostname",
		"topology.kubernetes.io/zone",
		"topology.kubernetes.io/region",
		"failure-domain.beta.kubernetes.io/zone",
		"failure-domain.beta.kubernetes.io/region",
		"beta.kubernetes.io/instance-type",
		"node.kubernetes.io/instance-type",
		"kubernetes.io/os",
		"kubernetes.io/arch",
		"beta.kubernetes.io/os",
		"beta.kubernetes.io/arch",
		NULL,
	};
	const char *slash = strchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : 0;

	if (!slash || kr_constraint_is_name(name, taken))
		return false;
	if (in_domain(name, n, "kubelet.kubernetes.io") ||
	    in_domain(name, n, "node.kubernetes.io"))
		return false;
	return in_domain(name, n, "kubernetes.io") ||
	       in_domain(name, n, "k8s.io");
}

static bool node_labels(struct kr_validation *j)
{
	const struct kr_strings *pairs =
		kr_validation_items(j, j->rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		if (!is_reserved_label(pairs->items[i]) || j->in->openshift ||
		    !kr_validation_refuse_name(j, pairs, i))
			continue;
		return true;
	}
	return false;
}

/* --- the table ----------------------------------------------------------- */

/* clang-format off */
const struct kr_constraint kr_constraints_start[] = {
	{{F(AUTHORIZATION_MODE)}, ALL, ONE_OF("AlwaysAllow", "Webhook"),
	 WOULD("be Webhook or AlwaysAllow")},
	{{F(WEBHOOK)}, ALL, IF(webhook_authentication),
	 .code = "kubeconfig-not-given",
	 WORDS("needs the API server: --kubeconfig must be given")},
	{{F(AUTHORIZATION_MODE)}, ALL, IF(webhook_mode),
	 .code = "kubeconfig-not-given",
	 WORDS("needs the API server: --kubeconfig must be given")},
	{{F(TLS_CIPHERS)}, ALL, IF(ciphers), GROWS,
	 WOULD("hold cipher suites that this kubelet's Go knows")},
	{{F(TLS_MIN_VERSION)}, ALL,
	 ONE_OF("", "VersionTLS10", "VersionTLS11", "VersionTLS12",
	        "VersionTLS13"),
	 WOULD("be VersionTLS10, VersionTLS11, VersionTLS12 or "
	       "VersionTLS13")},
	{{F(TLS_CURVES)}, 36, 36, IF(curves),
	 NAMES("23", "24", "25", "29", "4587", "4588", "4589"),
	 WOULD("hold different numbers of curves that this kubelet's Go knows, "
	       "such as 23 or 4588")},
	{{F(TLS_CERT), F(TLS_KEY)}, 20, 35, IF(half_of_tls),
	 WOULD("be one of a pair: tlsCertFile and "
	       "tlsPrivateKeyFile, or neither")},
	{{F(SECCOMP_DEFAULT)}, 22, 26, OFF("SeccompDefault"),
	 IF(kr_constraint_is_true), WOULD("be false")},
	{{F(SYNC)}, ALL, RANGE(1, INT64_MAX), WOULD("be above 0s")},
	{{F(DROP_BIT), F(MASQUERADE_BIT)}, 20, 27, IF(equal_bits),
	 .warns = true, WOULD("be another bit than the other")},
	{{F(WATCH)}, ALL, IF(watch), NAMES("Get", "Cache", "Watch"),
	 WOULD("be Get, Cache or Watch")},
	{{F(LOG_FILES)}, ALL, IF(log_files), .min = 2, .max = INT32_MAX},
	{{F(LOG_SIZE)}, ALL, IF(log_size),
	 WOULD("be a whole number of bytes such as 10Mi")},
	{{F(SYSCTLS)}, ALL, IF(sysctls), GROWS,
	 WOULD("hold sysctls that have a namespace, such as net.*")},
	{{F(ADDRESS)}, ALL, IF(address), WOULD("be an IP address")},
	{{F(RUNTIME_ENDPOINT)}, ALL, IF(endpoint), GROWS,
	 WOULD("be a unix socket")},
	{{F(RUNTIME_ENDPOINT)}, 24, 26, IF(no_endpoint),
	 .code = "endpoint-not-given",
	 WOULD("name a socket: this kubelet has no default for it")},
	{{F(IMAGE_ENDPOINT)}, ALL, IF(endpoint), GROWS,
	 WOULD("be a unix socket")},
	{{F(CONTAINER_RUNTIME)}, 20, 23, ONE_OF("docker", "remote"),
	 WOULD("be docker or remote")},
	{{F(CONTAINER_RUNTIME)}, 24, 26, ONE_OF("remote"), WOULD("be remote")},
	{{F(EXIT_ON_LOCK), F(LOCK_FILE)}, ALL, IF(lock_without_file),
	 WOULD("be false while --lock-file is not given")},
	{{F(ROOT_DIR)}, ALL, NONE_OF(""), WOULD("name a folder")},
	{{F(CONTAINER_TTL)}, ALL, RANGE(0, INT64_MAX), WOULD("be 0s or more")},
	{{F(CREDENTIAL_CONFIG), F(CREDENTIAL_FOLDER)}, ALL,
	 ON("KubeletCredentialProviders"), IF(half_a_pair),
	 WOULD("be one of a pair: "
	       "--image-credential-provider-config and "
	       "--image-credential-provider-bin-dir, or neither")},
	{{F(CLOUD_PROVIDER)}, 29, 31, ON("DisableCloudProviders"),
	 ONE_OF("", "external"), WOULD("be external or empty")},
	{{F(CLOUD_PROVIDER)}, 32, 36, ONE_OF("", "external"),
	 WOULD("be external or empty")},
	{{F(NODE_LABELS)}, ALL, IF(node_labels), GROWS,
	 WOULD("be without labels of kubernetes.io and k8s.io that a kubelet "
	       "must not set")},
	{.refuses = NULL},
};
/* clang-format on */
