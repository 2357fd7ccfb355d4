/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The field that an edit of a file is about. */

struct kr_setting {
	int field;        /* enum kr_field_id */
	const char *key;  /* at the top of the config file */
	const char *flag; /* without the dashes */
};

/* makeIPTablesUtilChains, --make-iptables-util-chains */
extern const struct kr_setting kr_setting_iptables;
