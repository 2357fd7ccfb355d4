/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A node: its root, kubelet's unit, its process, and what each of them would
 * give to kubelet. It talks to no bus: what systemd said is handed in.
 */

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/diag.h"
#include "base/edit.h"
#include "base/fs.h"
#include "node/foreign.h"
#include "node/inputs.h"
#include "node/platform.h"
#include "node/process.h"
#include "unit/loaded.h"
#include "unit/resolve.h"

struct kr_node;

struct kr_node_options {
	const char *root;   /* NULL: "/" */
	const char *unit;   /* NULL: kubelet.service, else kubelet's own */
	const char *config; /* read instead of the one found; NULL */
	const char *name;   /* what its cluster calls it; NULL: see node/name */
	pid_t pid;          /* 0: the unit's main process, else by name */
	/* kubelet's, as kr_kubelet_version_parse() takes it; NULL: what the
	 * node says */
	const char *kubelet_version;
	/* the minor version that the kubelet that runs has registered, 0: it is
	 * not known; called once a node, where the answer depends on it, with
	 * the process found and no inputs read yet; NULL: it is not asked */
	unsigned (*registered_version)(void *closure, struct kr_node *node);
	void *registered_closure;
};

/* What systemd said, for a node that talks to no bus. All is borrowed. */
struct kr_node_systemd {
	const struct kr_loaded_unit *loaded; /* kubelet's unit, or NULL */
	const char *const *environment;      /* systemd's own, or NULL */
	unsigned version;                    /* 0: not known */
	/* kubelet's version by the log of the invocation that runs, 0: it does
	 * not tell; called where the answer depends on it; NULL */
	unsigned (*logged_version)(void *closure);
	void *closure;
};

/* What starts kubelet, as far as the unit's files tell. */
enum kr_start {
	KR_START_UNTOLD,   /* it is unknown, REASON says why */
	KR_START_WAITS,    /* no unit, or not all its files are there yet */
	KR_START_COMMAND,  /* COMMAND, which gives INPUTS to kubelet */
	KR_START_HIDDEN,   /* the same, with a mount of kubelet's own over a
	                    * file that it reads: only a flag tells anything */
	KR_START_UNJOINED, /* the same, of a kubeadm node that has not joined */
	KR_START_PROCESS,  /* no unit: INPUTS are the process's, files as now */
	/* no unit and no process: INPUTS are those of "kubelet --config=FILE"
	 * with the options' file */
	KR_START_FILE,
	/* another program, which starts kubelet: FOREIGN, and where it is known
	 * what that gives to kubelet, INPUTS */
	KR_START_FOREIGN,
};

/*
 * kubelet as the unit files would start it. INPUTS has nothing in it where
 * START does not name it.
 */
struct kr_node_disk {
	struct kr_unit *unit; /* NULL: no unit was looked for */
	bool followed;        /* the unit is the one of the process */
	enum kr_start start;
	/* the command that starts kubelet; -1: none does */
	int command;
	bool no_kubelet;   /* nor what is known to start it */
	size_t first_word; /* kubelet's own argv[0] in that command */
	struct kr_inputs inputs;
	struct kr_foreign *foreign; /* KR_START_FOREIGN, else NULL */
	/* why kubelet has nothing that could be known, whatever a field says:
	 * INVALID or UNKNOWN; ABSENT: the inputs tell */
	enum kr_state state;
	/* which of the unit's drop-ins are a KubeletConfiguration, of which
	 * systemd ignores every line; NULL: none */
	bool *configs;
	/* INVALID by a file that a setting names and that a kubelet which runs
	 * may have found otherwise: it proves nothing */
	bool by_file;
	/* KR_START_HIDDEN, and what is there may keep kubelet from starting,
	 * whatever its flags say: why that is unknown; NULL */
	char *start_doubt;
	char *reason;
	const char *step; /* static: what to do about it; NULL: not known */
	/* what makes it invalid in the end, as the begin of a reason; NULL */
	char *slip;
};

struct kr_node {
	/* the node before the edits, whose process, and what was read of it,
	 * are borrowed; NULL: the node is as the disk has it */
	struct kr_node *before;
	char *root; /* as it was named */
	char *unit_name;
	bool unit_named; /* by the options: no other is looked for */
	bool live;       /* a running system, not an image */
	int proc_fd;     /* -1 for an image */
	dev_t root_dev;
	ino_t root_ino;
	/* borrowed; NULL */
	const char *config_override, *name_override, *version_override;
	struct kr_fs *fs;                    /* owned */
	const struct kr_loaded_unit *loaded; /* borrowed; NULL: no bus */
	const char *const *manager_environment;
	unsigned systemd_version;
	/* see kr_node_options and kr_node_systemd; NULL once it was asked */
	unsigned (*registered_version)(void *closure, struct kr_node *node);
	void *registered_closure;
	unsigned (*logged_version)(void *closure);
	void *logged_closure;
	/* whether CTIME is the one that the file at REAL, links resolved, has
	 * by a change of mode or owner that this program made; set by the
	 * caller that reads its records. NULL: unknown */
	bool (*changed_by_us)(void *closure, const char *real,
	                      const struct timespec *ctime);
	void *changed_closure;
	/* what they said of the running kubelet, and of the one that the unit
	 * starts, if that is the same program; 0: nothing, or not asked */
	unsigned running_minor, disk_minor;
	/* what the node's files say of this program, which was looked for once;
	 * NULL: it was not; 0: nothing */
	char *told_program;
	unsigned told_minor;

	/* of the unit, by kr_node_look_ahead(); NULL */
	struct kr_unit_files *ahead;
	const struct kr_platform *platform; /* NULL: none that is known */
	int platform_error; /* why that is in doubt: an errno, or 0 */
	struct kr_node_disk disk;

	bool has_process;
	/* it is known to have proved that it can live with its configuration:
	 * who asked it says so */
	bool process_settled;
	/* why it cannot be known whether, or which, kubelet runs; NULL */
	char *process_doubt;
	/* the unit's main process, where it is no kubelet and none was found:
	 * kubelet may be a part of it; else 0 */
	pid_t host_pid;
	uint64_t host_started_usec; /* realtime */
	struct kr_process process;
	/* owned where its root, or what is mounted below that, is another */
	struct kr_fs *process_fs;
	bool shares_files; /* they are the node's: it was looked at */
	/* the running kubelet shows that its mounts hide nothing */
	bool mounts_shown;
	/* a kubelet was started in this boot, or has had its certificate: what
	 * it is started with is complete */
	bool configured;
	struct kr_inputs running;
	bool running_valid;
};

/*
 * Opens the root and tells a live node from an image: live is "/" unless
 * /proc/1/root is another directory, and a DIR whose proc/1/root is DIR. No
 * file of the node is read yet. 0; -EACCES: a DIR whose proc/1/root may not be
 * looked at, with words; another errno with words; -ENOMEM.
 */
int kr_node_open(const struct kr_node_options *options, struct kr_diag *diag,
                 struct kr_node **ret);

/*
 * The unit that the running kubelet belongs to, for a node whose
 * kubelet.service does not exist; where none runs, the unit of a platform that
 * starts kubelet itself (node/foreign). The caller frees RET, which is NULL
 * where that is unknown: of several that run, DIAG says so. 0 or -ENOMEM.
 */
int kr_node_find_unit(struct kr_node *node, struct kr_diag *diag, char **ret);

/* Finds and reads the unit's files: what can be done before systemd answers. */
void kr_node_look_ahead(struct kr_node *node);

/*
 * Reads the unit, the process and their files. What is missing or broken is a
 * result. SYSTEMD is NULL where it was not asked. 0, -ENOMEM, or an errno with
 * words.
 */
int kr_node_read(struct kr_node *node, const struct kr_node_options *options,
                 const struct kr_node_systemd *systemd, struct kr_diag *diag);

/*
 * The same node after EDITS: its disk is read once more through an overlay, in
 * which files have the bytes, modes and owners that EDITS give them; its
 * process is NODE's, and nothing of that is read again. NODE must live longer.
 * 0 or an errno, with words.
 */
int kr_node_with_edits(struct kr_node *node, const struct kr_edits *edits,
                       struct kr_diag *diag, struct kr_node **ret);

struct kr_node *kr_node_free(struct kr_node *node);
DEFINE_FREEP(struct kr_node, kr_node_free);
#define _cleanup_node_ _cleanup_(kr_node_freep)

/*
 * What kubelet would have for FIELD, if it were started now; where the disk's
 * start_doubt is set, whether it would start is not known. 0 or -ENOMEM.
 */
int kr_node_decide(const struct kr_node *node, int field,
                   struct kr_decision *ret);

/* Whether kubelet would not start, whatever a field says. */
bool kr_node_is_invalid(const struct kr_node *node);

/* Whether the kubelet that runs was given another config file than the one that
 * was named in its place: it proves nothing of that. */
bool kr_node_reads_other_config(const struct kr_node *node);

/* What kubelet would be given, if it were started now; NULL: that is not known.
 */
const struct kr_inputs *kr_node_inputs(const struct kr_node *node);

/* Whether kubelet is not configured here yet. */
bool kr_node_waits(const struct kr_node *node);

/* The command that starts kubelet, or NULL. */
const struct kr_unit_command *kr_node_command(const struct kr_node *node);

/* The unit's word that is kubelet's argument ARG; NULL where the disk view is
 * not the unit's. */
const struct kr_unit_word *kr_node_word(const struct kr_node *node, size_t arg);

/* Where kubelet's argument ARG of the disk view is written. No file: nowhere.
 */
struct kr_span kr_node_span(const struct kr_node *node, size_t arg);

/*
 * Whether systemd holds another unit than the disk: it says so itself, or its
 * ExecStart=, Environment=, EnvironmentFile=, fragment or drop-ins are not what
 * our reading gives. RET_WHY, where not NULL, is a static sentence.
 */
bool kr_node_reload_needed(const struct kr_node *node, const char **ret_why);
