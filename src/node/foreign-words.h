/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where platforms write down kubelet's arguments: inside node/foreign. */

#include "node/foreign.h"

struct kr_foreign_row;

struct kr_foreign_reading {
	struct kr_fs *fs;
	const struct kr_unit *unit;
	unsigned kubelet_minor; /* 0: not known */
	const struct kr_unit_command *command;
	const struct kr_foreign_row *row;
	struct kr_foreign *foreign;
	struct kr_diag *diag; /* may be NULL */
	char *data_dir;       /* where the platform keeps its files */
	char *config_path;    /* its own configuration file */
	char *list_path;      /* the last one with a kubelet-arg; NULL */
	bool config_named;    /* named by the platform's options: it must
	                       * be there */
	char *doubt;          /* why the value cannot be sure; NULL */
};

struct kr_foreign_row {
	const char *id;      /* the program, or the snap's name */
	const char *app;     /* of "snap run APP"; NULL: no snap */
	const char *name;    /* for people */
	const char *restart; /* NULL: systemctl restart UNIT */
	const char *where;
	const char *media; /* as in struct kr_foreign; NULL: none */
	struct kr_platform by_hand;
	int (*read)(struct kr_foreign_reading *rd);
	const char *doubt; /* why its value is never sure; NULL */
};

/* Whether the flag NAME counts here: it names a file, or is a setting's. */
bool kr_foreign_counts(const char *name);

/* Adds a copy of TEXT as an argument. 0 or -ENOMEM. */
int kr_foreign_add(struct kr_foreign_reading *rd, struct kr_span span,
                   const char *text, size_t length);
/* Says why the value is not sure; the first word stands. 0 or -ENOMEM. */
int kr_foreign_doubt(struct kr_foreign_reading *rd, const char *format, ...)
	_printf_(2, 3);

/* k3s and RKE2: --kubelet-arg, config.yaml, config.yaml.d, kubelet.conf.d. */
int kr_foreign_read_rancher(struct kr_foreign_reading *rd);
/* Snaps: a file of flags, one a line; or several, as a shell reads them. */
int kr_foreign_read_lines(struct kr_foreign_reading *rd);
int kr_foreign_read_words(struct kr_foreign_reading *rd);
/* As a shell reads them, below /var/snap/SNAP/common. */
int kr_foreign_read_common(struct kr_foreign_reading *rd);
/* k0s: --kubelet-extra-args. */
int kr_foreign_read_k0s(struct kr_foreign_reading *rd);
/* Containers: the words of "docker run" that are kubelet's. */
int kr_foreign_read_container(struct kr_foreign_reading *rd);
/* Whether COMMAND, of a program that is not known, names kubelet: in a word, in
 * the commands of a shell, or in the script that it runs. */
bool kr_foreign_is_wrapper(struct kr_fs *fs,
                           const struct kr_unit_command *command);
/* Such a command: its words and those of the script that are kubelet's. */
int kr_foreign_read_wrapper(struct kr_foreign_reading *rd);
