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

static bool webhook_mode(struct kr_validation *j,
                         const struct kr_constraint *rule)
{
	return kr_validation_is_text(j, rule->fields[0], "Webhook") &&
	       kr_validation_is_bool(j, KR_FIELD_WEBHOOK, false) &&
	       has_no_client(j);
}

static bool webhook_authentication(struct kr_validation *j,
                                   const struct kr_constraint *rule)
{
	return kr_validation_is_bool(j, rule->fields[0], true) &&
	       has_no_client(j);
}

static bool ciphers(struct kr_validation *j, const struct kr_constraint *rule)
{
	const struct kr_strings *list = kr_validation_items(j, rule->fields[0]);

	for (size_t i = 0; i < list->n_items; i++) {
		if (kr_cipher_valid(list->items[i]))
			continue;
		if (kr_validation_refuse(j, list, i))
			return true;
	}
	return false;
}

/* 4587 and 4589 are of Go 1.26, with which 1.36 may be built. */
static bool curves(struct kr_validation *j, const struct kr_constraint *rule)
{
	const struct kr_strings *pairs =
		kr_validation_items(j, rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		bool twice = false;

		for (size_t k = 1; k < i; k += 2)
			twice |= strcmp(pairs->items[k], pairs->items[i + 1]) ==
			         0;
		if (kr_constraint_is_name(pairs->items[i + 1], rule->names) &&
		    !twice)
			continue;
		if (kr_validation_refuse_value(j, pairs, i))
			return true;
	}
	return false;
}

static bool half_a_pair(struct kr_validation *j,
                        const struct kr_constraint *rule)
{
	const char *cert = kr_validation_text(j, rule->fields[0]);
	const char *key = kr_validation_text(j, rule->fields[1]);

	return cert && key && !*cert != !*key &&
	       kr_validation_is_bool(j, KR_FIELD_ENABLE_SERVER, true);
}

/* With either of them kubelet looks for both. */
static bool half_of_provider(struct kr_validation *j,
                             const struct kr_constraint *rule)
{
	const char *config = kr_validation_text(j, rule->fields[0]);
	const char *folder = kr_validation_text(j, rule->fields[1]);

	return config && folder && !*config != !*folder;
}

static bool is_remote(const struct kr_validation *j)
{
	return j->minor >= 24 ||
	       kr_validation_is_text(j, KR_FIELD_CONTAINER_RUNTIME, "remote");
}

static bool log_files(struct kr_validation *j, const struct kr_constraint *rule)
{
	return is_remote(j) && kr_constraint_out_of_range(j, rule);
}

static bool log_size(struct kr_validation *j, const struct kr_constraint *rule)
{
	const char *s = kr_validation_text(j, rule->fields[0]);
	int64_t n;

	if (!s || !is_remote(j))
		return false;
	return !kr_quantity_int64(s, &n) || (j->minor == 20 && n < 0);
}

static bool equal_bits(struct kr_validation *j,
                       const struct kr_constraint *rule)
{
	bool drop_set = kr_validation_is_set(j, rule->fields[0]);
	int64_t drop, masquerade;

	if (!kr_validation_is_bool(j, KR_FIELD_IPTABLES, true) ||
	    !kr_validation_number(j, rule->fields[0], &drop) ||
	    !kr_validation_number(j, rule->fields[1], &masquerade))
		return false;
	snprintf(j->words, sizeof(j->words),
	         "would have to be another bit than %s, which is %lld",
	         kr_field_name(rule->fields[drop_set ? 1 : 0]),
	         (long long)drop);
	return drop == masquerade;
}

/* Without --kubeconfig kubelet watches nothing. */
static bool watch(struct kr_validation *j, const struct kr_constraint *rule)
{
	return kr_validation_is_not_empty(j, KR_FIELD_KUBECONFIG) &&
	       kr_constraint_no_name(j, rule);
}

static bool sysctls(struct kr_validation *j, const struct kr_constraint *rule)
{
	const struct kr_strings *list = kr_validation_items(j, rule->fields[0]);

	for (size_t i = 0; i < list->n_items; i++) {
		if (kr_unsafe_sysctl_valid(list->items[i], j->minor))
			continue;
		if (kr_validation_refuse(j, list, i))
			return true;
	}
	return false;
}

/* By flag it was judged word by word, and "" leaves the value before. */
static bool address(struct kr_validation *j, const struct kr_constraint *rule)
{
	struct kr_held held = kr_validation_hold(j, rule->fields[0]);

	return held.whence == KR_WHENCE_FILE && !kr_ip_valid(held.value->s) &&
	       kr_validation_is_bool(j, KR_FIELD_ENABLE_SERVER, true);
}

static bool endpoint(struct kr_validation *j, const struct kr_constraint *rule)
{
	const char *s = kr_validation_text(j, rule->fields[0]);

	return s && is_remote(j) && !kr_runtime_endpoint_valid(s);
}

/* 1.24 to 1.26 have no default for it, and a flag alone. Who completes the
 * arguments may bring one that is not given. */
static bool no_endpoint(struct kr_validation *j,
                        const struct kr_constraint *rule)
{
	if (!kr_validation_is_set(j, rule->fields[0]))
		return !j->in->wrapped &&
		       !kr_validation_is_unknown(j, rule->fields[0]);
	return kr_constraint_is_empty(j, rule);
}

static bool lock_without_file(struct kr_validation *j,
                              const struct kr_constraint *rule)
{
	return kr_validation_is_bool(j, rule->fields[0], true) &&
	       !kr_validation_is_unknown(j, rule->fields[1]) &&
	       !kr_validation_is_not_empty(j, rule->fields[1]);
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

static bool node_labels(struct kr_validation *j,
                        const struct kr_constraint *rule)
{
	const struct kr_strings *pairs =
		kr_validation_items(j, rule->fields[0]);

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
static const struct kr_constraint rules[] = {
	{{F(AUTHORIZATION_MODE)}, ALL, ONE_OF("AlwaysAllow", "Webhook"),
	 WORDS("would have to be Webhook or AlwaysAllow")},
	{{F(WEBHOOK)}, ALL, .refuses = webhook_authentication,
	 .code = "kubeconfig-not-given",
	 WORDS("needs the API server: --kubeconfig would have to be given")},
	{{F(AUTHORIZATION_MODE)}, ALL, .refuses = webhook_mode,
	 .code = "kubeconfig-not-given",
	 WORDS("needs the API server: --kubeconfig would have to be given")},
	{{F(TLS_CIPHERS)}, ALL, .refuses = ciphers, GROWS,
	 WORDS("would have to hold cipher suites that this kubelet's Go "
	       "knows")},
	{{F(TLS_MIN_VERSION)}, ALL,
	 ONE_OF("", "VersionTLS10", "VersionTLS11", "VersionTLS12",
	        "VersionTLS13"),
	 WORDS("would have to be VersionTLS10, VersionTLS11, VersionTLS12 or "
	       "VersionTLS13")},
	{{F(TLS_CURVES)}, 36, 36, .refuses = curves,
	 NAMES("23", "24", "25", "29", "4587", "4588", "4589"),
	 WORDS("would have to hold different numbers of curves that this "
	       "kubelet's Go knows, such as 23 or 4588")},
	{{F(TLS_CERT), F(TLS_KEY)}, 20, 35, .refuses = half_a_pair,
	 WORDS("would have to stand together with its other half: tlsCertFile "
	       "and tlsPrivateKeyFile, or neither")},
	{{F(SECCOMP_DEFAULT)}, 22, 26, OFF("SeccompDefault"), .refuses = kr_constraint_is_true,
	 WORDS("would have to be false while the feature gate SeccompDefault "
	       "is off")},
	{{F(SYNC)}, ALL, RANGE(1, INT64_MAX),
	 WORDS("would have to be above 0s")},
	{{F(DROP_BIT), F(MASQUERADE_BIT)}, 20, 27, .refuses = equal_bits,
	 .warns = true,
	 WORDS("would have to be another bit than the other")},
	{{F(WATCH)}, ALL, .refuses = watch, NAMES("Get", "Cache", "Watch"),
	 WORDS("would have to be Get, Cache or Watch")},
	{{F(LOG_FILES)}, ALL, .refuses = log_files, .min = 2, .max = INT32_MAX},
	{{F(LOG_SIZE)}, ALL, .refuses = log_size,
	 WORDS("would have to be a whole number of bytes such as 10Mi")},
	{{F(SYSCTLS)}, ALL, .refuses = sysctls, GROWS,
	 WORDS("would have to hold sysctls that have a namespace, such as "
	       "net.*")},
	{{F(ADDRESS)}, ALL, .refuses = address,
	 WORDS("would have to be an IP address")},
	{{F(RUNTIME_ENDPOINT)}, ALL, .refuses = endpoint, GROWS,
	 WORDS("would have to be a unix socket")},
	{{F(RUNTIME_ENDPOINT)}, 24, 26, .refuses = no_endpoint,
	 .code = "endpoint-not-given",
	 WORDS("would have to name a socket: this kubelet has no default "
	       "for it")},
	{{F(IMAGE_ENDPOINT)}, ALL, .refuses = endpoint, GROWS,
	 WORDS("would have to be a unix socket")},
	{{F(CONTAINER_RUNTIME)}, 20, 23, ONE_OF("docker", "remote"),
	 WORDS("would have to be docker or remote")},
	{{F(CONTAINER_RUNTIME)}, 24, 26, ONE_OF("remote"),
	 WORDS("would have to be remote")},
	{{F(EXIT_ON_LOCK), F(LOCK_FILE)}, ALL, .refuses = lock_without_file,
	 WORDS("would have to be false while --lock-file is not given")},
	{{F(ROOT_DIR)}, ALL, .refuses = kr_constraint_is_empty,
	 WORDS("would have to name a folder")},
	{{F(CONTAINER_TTL)}, ALL, RANGE(0, INT64_MAX),
	 WORDS("would have to be 0s or more")},
	{{F(CREDENTIAL_CONFIG), F(CREDENTIAL_FOLDER)}, ALL,
	 ON("KubeletCredentialProviders"), .refuses = half_of_provider,
	 WORDS("would have to stand together with its other half: "
	       "--image-credential-provider-config and "
	       "--image-credential-provider-bin-dir, or neither")},
	{{F(CLOUD_PROVIDER)}, 29, 31, ON("DisableCloudProviders"),
	 ONE_OF("", "external"),
	 WORDS("would have to be external or empty")},
	{{F(CLOUD_PROVIDER)}, 32, 36, ONE_OF("", "external"),
	 WORDS("would have to be external or empty")},
	{{F(NODE_LABELS)}, ALL, .refuses = node_labels, GROWS,
	 WORDS("would have to be without labels of kubernetes.io and k8s.io "
	       "that a kubelet must not set")},
};
/* clang-format on */

const struct kr_constraint *kr_constraints_start(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(rules);
	return rules;
}
