/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The fields of KubeletConfiguration, and the flags, that this program asks
 * for: one row each. A second setting costs a row.
 */

#include <stdbool.h>
#include <stddef.h>

#include "kubelet/value.h"

enum kr_field_id {
	KR_FIELD_ANONYMOUS,
	KR_FIELD_WEBHOOK,
	KR_FIELD_CLIENT_CA,
	KR_FIELD_AUTHORIZATION_MODE,
	KR_FIELD_READ_ONLY_PORT,
	KR_FIELD_STREAMING_TIMEOUT,
	KR_FIELD_PROTECT_KERNEL,
	KR_FIELD_IPTABLES,
	KR_FIELD_HOSTNAME_OVERRIDE,
	KR_FIELD_EVENT_QPS,
	KR_FIELD_TLS_CERT,
	KR_FIELD_TLS_KEY,
	KR_FIELD_ROTATE_CERTIFICATES,
	KR_FIELD_SERVER_BOOTSTRAP,
	KR_FIELD_GATE_ROTATE_SERVER,
	KR_FIELD_TLS_CIPHERS,
	KR_FIELD_TLS_MIN_VERSION,
	KR_FIELD_POD_PIDS,
	KR_FIELD_SECCOMP_DEFAULT,

	/* those above are the settings of the benchmarks */
	KR_N_SETTINGS,

	/* for our own sake */
	KR_FIELD_GATE_ALL_BETA = KR_N_SETTINGS,
	KR_FIELD_HEALTHZ_ADDRESS,
	KR_FIELD_HEALTHZ_PORT,
	KR_FIELD_DROP_BIT,
	KR_FIELD_MASQUERADE_BIT,

	/* numbers that validation asks for */
	KR_FIELD_EVENT_BURST,
	KR_FIELD_IMAGE_GC_HIGH,
	KR_FIELD_IMAGE_GC_LOW,
	KR_FIELD_KUBE_API_BURST,
	KR_FIELD_KUBE_API_QPS,
	KR_FIELD_MAX_OPEN_FILES,
	KR_FIELD_MAX_PODS,
	KR_FIELD_STATUS_MAX_IMAGES,
	KR_FIELD_OOM_SCORE_ADJ,
	KR_FIELD_PODS_PER_CORE,
	KR_FIELD_PORT,
	KR_FIELD_REGISTRY_BURST,
	KR_FIELD_REGISTRY_QPS,

	/* what else validation asks for, and the checks behind it */
	KR_FIELD_NODE_LEASE,
	KR_FIELD_CFS_PERIOD,
	KR_FIELD_IMAGE_MIN_AGE,
	KR_FIELD_IMAGE_MAX_AGE,
	KR_FIELD_PARALLEL_PULLS,
	KR_FIELD_SERIALIZE_PULLS,
	KR_FIELD_RUN_ONCE,
	KR_FIELD_TOPOLOGY_POLICY,
	KR_FIELD_TOPOLOGY_SCOPE,
	KR_FIELD_TOPOLOGY_OPTIONS,
	KR_FIELD_HAIRPIN,
	KR_FIELD_SHUTDOWN_TOTAL,
	KR_FIELD_SHUTDOWN_CRITICAL,
	KR_FIELD_SHUTDOWN_PRIORITY,
	KR_FIELD_SWAP,
	KR_FIELD_MEMORY_THROTTLING,
	KR_FIELD_MEMORY_RESERVATION,
	KR_FIELD_RESTART_PERIOD,
	KR_FIELD_ENFORCE,
	KR_FIELD_CGROUPS_PER_QOS,
	KR_FIELD_CGROUP_ROOT,
	KR_FIELD_FAIL_CGROUP_V1,
	KR_FIELD_SYSTEM_CGROUPS,
	KR_FIELD_SYSTEM_CGROUP,
	KR_FIELD_KUBE_CGROUP,
	KR_FIELD_RESERVED_CPUS,
	KR_FIELD_RESERVED_MEMORY,
	KR_FIELD_TAINTS,
	KR_FIELD_LOG_WORKERS,
	KR_FIELD_LOG_INTERVAL,
	KR_FIELD_LOG_FILES,
	KR_FIELD_LOG_SIZE,
	KR_FIELD_POD_LOGS,
	KR_FIELD_RUNTIME_ENDPOINT,
	KR_FIELD_IMAGE_ENDPOINT,
	KR_FIELD_ENABLE_SERVER,
	KR_FIELD_LOG_HANDLER,
	KR_FIELD_LOG_QUERY,
	KR_FIELD_PULL_POLICY,
	KR_FIELD_PULL_ALLOWLIST,
	KR_FIELD_LOGGING_FORMAT,
	KR_FIELD_LOGGING_FLUSH,
	KR_FIELD_LOGGING_VERBOSITY,
	KR_FIELD_LOGGING_VMODULE,
	KR_FIELD_JSON_SPLIT,
	KR_FIELD_JSON_BUFFER,
	KR_FIELD_TEXT_SPLIT,
	KR_FIELD_TEXT_BUFFER,
	KR_FIELD_TRACING_RATE,
	KR_FIELD_TRACING_ENDPOINT,
	KR_FIELD_HIDDEN_METRICS,
	KR_FIELD_IDS_PER_POD,
	KR_FIELD_CPU_POLICY,
	KR_FIELD_CPU_OPTIONS,
	KR_FIELD_MEMORY_POLICY,
	KR_FIELD_KUBE_RESERVED,
	KR_FIELD_SYSTEM_RESERVED,
	KR_FIELD_QOS_RESERVED,
	KR_FIELD_EVICTION_HARD,
	KR_FIELD_EVICTION_SOFT,
	KR_FIELD_EVICTION_GRACE,
	KR_FIELD_EVICTION_RECLAIM,
	KR_FIELD_EVICTION_MERGE,
	KR_FIELD_SYNC,
	KR_FIELD_WATCH,
	KR_FIELD_TLS_CURVES,
	KR_FIELD_SYSCTLS,
	KR_FIELD_ADDRESS,
	KR_FIELD_GATES, /* all of the file's; the flag's are the gates' */

	/* flags alone */
	KR_FIELD_BOOTSTRAP_KUBECONFIG,
	KR_FIELD_CERT_DIR,
	KR_FIELD_CONFIG,
	KR_FIELD_CONFIG_DIR,
	KR_FIELD_DYNAMIC_CONFIG_DIR,
	KR_FIELD_KUBECONFIG,
	KR_FIELD_CONTAINER_RUNTIME,
	KR_FIELD_ROOT_DIR,
	KR_FIELD_LOCK_FILE,
	KR_FIELD_EXIT_ON_LOCK,
	KR_FIELD_CONTAINER_TTL,
	KR_FIELD_CLOUD_PROVIDER,
	KR_FIELD_NODE_LABELS,
	KR_FIELD_IGNORE_EVICTION,
	KR_FIELD_CREDENTIAL_CONFIG,
	KR_FIELD_CREDENTIAL_FOLDER,

	KR_N_FIELDS,
};

/* How the flag and the file come together. */
enum kr_combine {
	KR_COMBINE_OVERRIDE, /* the flag wins */
	KR_COMBINE_OR,       /* true where one of them is */
	KR_COMBINE_GATE,     /* key by key, the flag's wins */
};

struct kr_field {
	const char *path; /* in the file, "a.b.c"; NULL: a flag alone */
	const char *flag; /* without dashes; NULL: the file alone */
	enum kr_type type;
	/* What kubelet has where nothing sets it, as kr_value_parse() takes it:
	 * with --config; NULL: not known here */
	const char *by_default;
	enum kr_combine combine;
	bool pointer;  /* in v1beta1's struct: a null takes a value away, and
	                  zero is a value */
	bool is_path;  /* relative in the file of --config: to its folder */
	bool negative; /* in the file, any negative number is the default */
	/* ... with flags alone, or --config-dir without --config; NULL: alike
	 */
	const char *legacy;
	/* ... before 1.SINCE; 0: always alike */
	unsigned since;
	const char *before;
	/* the first version that has it, 20 for 1.20; 0: all */
	unsigned first_minor;
	/* where FLAG is NULL: a flag that is the field's, too, but of a form
	 * that is not read here */
	const char *unread_flag;
};

const struct kr_field *kr_field(enum kr_field_id id);

/* The path, or the flag of what has none. */
const char *kr_field_name(enum kr_field_id id);

/* The field whose flag (as the table of flags has it) NAME is; -1. Of gates,
 * which share one, the first. */
int kr_field_of_flag(const char *name);

/* A place in a document, from the top on: the path of ROW, of which LENGTH
 * bytes were walked. */
struct kr_field_place {
	short row; /* -1: no field is here or below */
	unsigned char length;
};

/* No field is below PLACE, which is a field's. */
bool kr_field_place_ends(struct kr_field_place place);

/*
 * The member KEY (LENGTH bytes) of the object at PLACE. FOLD: in any case.
 * GO_NAMES: as Go spells the fields ("MakeIPTablesUtilChains"), in their case.
 * A gate's name is a key of a map, and always has its own case. RET_FIELD is
 * the field at the new place, or -1.
 */
struct kr_field_place kr_field_step(struct kr_field_place place,
                                    const char *key, size_t length, bool fold,
                                    bool go_names, int *ret_field);

/* How Go spells the member NAME of a path (LENGTH bytes) of v1beta1; RET has
 * room for them and a NUL. */
void kr_field_go_name(const char *name, size_t length, char *ret);

/* kubelet's default; LEGACY: without --config. MINOR 0: not known, the newest.
 * 0; -ENOENT: it is not known here; -ENOMEM. */
int kr_field_default(enum kr_field_id id, bool legacy, unsigned minor,
                     struct kr_value *ret);
