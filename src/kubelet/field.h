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
	KR_FIELD_ADDRESS,
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

	/* flags alone */
	KR_FIELD_BOOTSTRAP_KUBECONFIG,
	KR_FIELD_CERT_DIR,
	KR_FIELD_CONFIG,
	KR_FIELD_CONFIG_DIR,
	KR_FIELD_DYNAMIC_CONFIG_DIR,
	KR_FIELD_KUBECONFIG,

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
	enum kr_combine combine;
	bool pointer;  /* in v1beta1's struct: a null takes a value away, and
	                  zero is a value */
	bool is_path;  /* relative in the file of --config: to its folder */
	bool ranged;   /* its number is validated as the flag's is */
	bool negative; /* in the file, any negative number is the default */
	/* What kubelet has where nothing sets it, as kr_value_parse() takes it:
	 * with --config; NULL: not known here */
	const char *by_default;
	/* ... with flags alone, or --config-dir without --config; NULL: alike
	 */
	const char *legacy;
	/* ... before 1.SINCE; 0: always alike */
	unsigned since;
	const char *before;
	/* the first version that has it, 20 for 1.20; 0: all */
	unsigned first_minor;
};

const struct kr_field *kr_field(enum kr_field_id id);

/* The path, or the flag of what has none. */
const char *kr_field_name(enum kr_field_id id);

/* The setting (LENGTH bytes of NAME are its path, or its flag, but for a
 * gate's) of the benchmarks; -1: there is none. */
int kr_field_find_setting(const char *name, size_t length);

/* The field whose flag (as the table of flags has it) NAME is; -1. Of gates,
 * which share one, the first. */
int kr_field_of_flag(const char *name);

/* A place in a document, from the top on: the path of ROW, of which LENGTH
 * bytes were walked. */
struct kr_field_place {
	short row; /* -1: no field is here or below */
	unsigned char length;
};

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
