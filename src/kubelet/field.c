/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of fields.
 *
 * Source: k8s.io/kubelet config/v1beta1/types.go and kubernetes
 * pkg/kubelet/apis/config/v1beta1/defaults.go of 1.20 to 1.36,
 * cmd/kubelet/app/options; measured on 1.20.2 and on 1.34's decoder.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "doc/name.h"
#include "kubelet/field.h"

#define B          .type = KR_TYPE_BOOL
#define I          .type = KR_TYPE_INT32
#define L          .type = KR_TYPE_INT64
#define D          .type = KR_TYPE_DURATION
#define S          .type = KR_TYPE_STRING
#define LIST       .type = KR_TYPE_LIST
#define POINTER    .pointer = true
#define RANGED     .ranged = true
#define DEFAULT(d) .by_default = (d)
#define GATE       .combine = KR_COMBINE_GATE

/* clang-format off */
static const struct kr_field fields[] = {
	[KR_FIELD_ANONYMOUS] = {
		"authentication.anonymous.enabled", "anonymous-auth",
		B, POINTER, DEFAULT("false"), .legacy = "true"},
	[KR_FIELD_WEBHOOK] = {
		"authentication.webhook.enabled", "authentication-token-webhook",
		B, POINTER, DEFAULT("true"), .legacy = "false"},
	[KR_FIELD_CLIENT_CA] = {
		"authentication.x509.clientCAFile", "client-ca-file",
		S, DEFAULT(""), .is_path = true},
	[KR_FIELD_AUTHORIZATION_MODE] = {
		"authorization.mode", "authorization-mode",
		S, DEFAULT("Webhook"), .legacy = "AlwaysAllow"},
	[KR_FIELD_READ_ONLY_PORT] = {
		"readOnlyPort", "read-only-port",
		I, RANGED, DEFAULT("0"), .legacy = "10255"},
	[KR_FIELD_STREAMING_TIMEOUT] = {
		"streamingConnectionIdleTimeout", "streaming-connection-idle-timeout",
		D, DEFAULT("4h")},
	[KR_FIELD_PROTECT_KERNEL] = {
		"protectKernelDefaults", "protect-kernel-defaults",
		B, DEFAULT("false")},
	[KR_FIELD_IPTABLES] = {
		"makeIPTablesUtilChains", "make-iptables-util-chains",
		B, POINTER, DEFAULT("true")},
	[KR_FIELD_HOSTNAME_OVERRIDE] = {
		NULL, "hostname-override",
		S, DEFAULT("")},
	[KR_FIELD_EVENT_QPS] = {
		"eventRecordQPS", "event-qps",
		I, POINTER, RANGED, DEFAULT("50"), .since = 27, .before = "5"},
	[KR_FIELD_TLS_CERT] = {
		"tlsCertFile", "tls-cert-file",
		S, DEFAULT(""), .is_path = true},
	[KR_FIELD_TLS_KEY] = {
		"tlsPrivateKeyFile", "tls-private-key-file",
		S, DEFAULT(""), .is_path = true},
	[KR_FIELD_ROTATE_CERTIFICATES] = {
		"rotateCertificates", "rotate-certificates",
		B, DEFAULT("false")},
	[KR_FIELD_SERVER_BOOTSTRAP] = {
		"serverTLSBootstrap", "rotate-server-certificates",
		B, DEFAULT("false")},
	[KR_FIELD_GATE_ROTATE_SERVER] = {
		"featureGates.RotateKubeletServerCertificate", "feature-gates",
		B, GATE, DEFAULT("true")},
	[KR_FIELD_TLS_CIPHERS] = {
		"tlsCipherSuites", "tls-cipher-suites",
		LIST, DEFAULT("")},
	[KR_FIELD_TLS_MIN_VERSION] = {
		"tlsMinVersion", "tls-min-version",
		S, DEFAULT("")},
	[KR_FIELD_POD_PIDS] = {
		"podPidsLimit", "pod-max-pids",
		L, POINTER, DEFAULT("-1"), .negative = true},
	[KR_FIELD_SECCOMP_DEFAULT] = {
		"seccompDefault", "seccomp-default",
		B, POINTER, DEFAULT("false"), .combine = KR_COMBINE_OR,
		.first_minor = 22},

	[KR_FIELD_GATE_ALL_BETA] = {
		"featureGates.AllBeta", "feature-gates",
		B, GATE},
	[KR_FIELD_ADDRESS] = {
		"address", "address", S},
	[KR_FIELD_HEALTHZ_ADDRESS] = {
		"healthzBindAddress", "healthz-bind-address", S},
	[KR_FIELD_HEALTHZ_PORT] = {
		"healthzPort", "healthz-port", I, POINTER, RANGED},
	[KR_FIELD_DROP_BIT] = {
		"iptablesDropBit", "iptables-drop-bit", I, POINTER, RANGED},
	[KR_FIELD_MASQUERADE_BIT] = {
		"iptablesMasqueradeBit", "iptables-masquerade-bit",
		I, POINTER, RANGED},

	[KR_FIELD_EVENT_BURST] = {
		"eventBurst", "event-burst", I, RANGED},
	[KR_FIELD_IMAGE_GC_HIGH] = {
		"imageGCHighThresholdPercent", "image-gc-high-threshold",
		I, POINTER, RANGED},
	[KR_FIELD_IMAGE_GC_LOW] = {
		"imageGCLowThresholdPercent", "image-gc-low-threshold",
		I, POINTER, RANGED},
	[KR_FIELD_KUBE_API_BURST] = {
		"kubeAPIBurst", "kube-api-burst", I, RANGED},
	[KR_FIELD_KUBE_API_QPS] = {
		"kubeAPIQPS", "kube-api-qps", I, POINTER, RANGED},
	[KR_FIELD_MAX_OPEN_FILES] = {
		"maxOpenFiles", "max-open-files", L, RANGED},
	[KR_FIELD_MAX_PODS] = {
		"maxPods", "max-pods", I, RANGED},
	[KR_FIELD_STATUS_MAX_IMAGES] = {
		"nodeStatusMaxImages", "node-status-max-images",
		I, POINTER, RANGED},
	[KR_FIELD_OOM_SCORE_ADJ] = {
		"oomScoreAdj", "oom-score-adj", I, POINTER, RANGED},
	[KR_FIELD_PODS_PER_CORE] = {
		"podsPerCore", "pods-per-core", I, RANGED, DEFAULT("0")},
	[KR_FIELD_PORT] = {
		"port", "port", I, RANGED},
	[KR_FIELD_REGISTRY_BURST] = {
		"registryBurst", "registry-burst", I, RANGED},
	[KR_FIELD_REGISTRY_QPS] = {
		"registryPullQPS", "registry-qps", I, POINTER, RANGED},

	[KR_FIELD_BOOTSTRAP_KUBECONFIG] = {NULL, "bootstrap-kubeconfig", S},
	[KR_FIELD_CERT_DIR] = {NULL, "cert-dir", S},
	[KR_FIELD_CONFIG] = {NULL, "config", S},
	[KR_FIELD_CONFIG_DIR] = {NULL, "config-dir", S},
	[KR_FIELD_DYNAMIC_CONFIG_DIR] = {NULL, "dynamic-config-dir", S},
	[KR_FIELD_KUBECONFIG] = {NULL, "kubeconfig", S},
};
/* clang-format on */

static_assert(ARRAY_SIZE(fields) == KR_N_FIELDS, "a row for each field");

const struct kr_field *kr_field(enum kr_field_id id)
{
	return &fields[id];
}

const char *kr_field_name(enum kr_field_id id)
{
	return fields[id].path ?: fields[id].flag;
}

static bool is_name(const char *name, const char *text, size_t length)
{
	return name && strlen(name) == length &&
	       memcmp(name, text, length) == 0;
}

int kr_field_find_setting(const char *name, size_t length)
{
	for (int i = 0; i < KR_N_SETTINGS; i++) {
		const struct kr_field *f = &fields[i];

		if (is_name(f->path, name, length) ||
		    (f->combine != KR_COMBINE_GATE &&
		     is_name(f->flag, name, length)))
			return i;
	}
	return -1;
}

int kr_field_of_flag(const char *name)
{
	for (int i = 0; i < KR_N_FIELDS; i++) {
		if (fields[i].flag && strcmp(fields[i].flag, name) == 0)
			return i;
	}
	return -1;
}

void kr_field_go_name(const char *name, size_t length, char *ret)
{
	/* Go's own words are written in capitals */
	static const char *const words[] = {"ipt", "oom", "tls"};
	size_t n = 1;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (length > 3 && memcmp(name, words[i], 3) == 0)
			n = 3;
	}
	memcpy(ret, name, length);
	ret[length] = '\0';
	for (size_t i = 0; i < n && i < length; i++) {
		if (ret[i] >= 'a' && ret[i] <= 'z')
			ret[i] = (char)(ret[i] - 'a' + 'A');
	}
}

#define NAME_MAX_LENGTH 64

struct kr_field_place kr_field_step(struct kr_field_place place,
                                    const char *key, size_t length, bool fold,
                                    bool go_names, int *ret_field)
{
	const char *walked = place.row >= 0 ? fields[place.row].path : NULL;

	*ret_field = -1;
	if (!walked || length > NAME_MAX_LENGTH)
		return (struct kr_field_place){-1, 0};
	for (int i = 0; i < KR_N_FIELDS; i++) {
		const char *path = fields[i].path, *segment;
		char name[NAME_MAX_LENGTH + 1];
		bool last, any_case = fold;
		size_t n;

		if (!path || strncmp(path, walked, place.length) != 0)
			continue;
		segment = path + place.length;
		n = strcspn(segment, ".");
		last = !segment[n];
		if (last && fields[i].combine == KR_COMBINE_GATE) {
			memcpy(name, segment, n + 1);
			any_case = false;
		} else if (go_names) {
			kr_field_go_name(segment, n, name);
		} else {
			memcpy(name, segment, n);
			name[n] = '\0';
		}
		if (!kr_name_equal(name, key, length, any_case))
			continue;
		if (last)
			*ret_field = i;
		return (struct kr_field_place){
			.row = (short)i,
			.length = (unsigned char)(place.length + n + !last),
		};
	}
	return (struct kr_field_place){-1, 0};
}

int kr_field_default(enum kr_field_id id, bool legacy, unsigned minor,
                     struct kr_value *ret)
{
	const struct kr_field *f = &fields[id];
	const char *text = f->by_default;

	if (legacy && f->legacy)
		text = f->legacy;
	if (f->since && minor > 0 && minor < f->since)
		text = f->before;
	if (!text)
		return -ENOENT;
	return kr_value_parse(f->type, text, strlen(text), ret);
}
