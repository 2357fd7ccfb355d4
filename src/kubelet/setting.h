/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The settings this program knows: one row each. A second one costs a row.
 */

#include <stdbool.h>
#include <stddef.h>

struct kr_benchmark {
	const char *name; /* "CIS Amazon EKS 1.5 and later" */
	const char *id;   /* "3.2.6" */
};

/* A boolean of KubeletConfiguration v1beta1 that is a flag, too. */
struct kr_setting {
	int field;        /* enum kr_field_id */
	const char *key;  /* at the top of the config file */
	const char *flag; /* without the dashes */
	bool required;    /* what the benchmarks ask for */
	bool by_default;  /* what kubelet takes where nothing sets it */
	const struct kr_benchmark *benchmarks;
	size_t n_benchmarks;
};

/* makeIPTablesUtilChains, --make-iptables-util-chains */
extern const struct kr_setting kr_setting_iptables;
