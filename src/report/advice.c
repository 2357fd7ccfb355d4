/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every refusal ends with what to do. A message says what is wrong, where, and
 * most often what must be true; where that is not yet a step that
 * a person could take, the step is here, by the message's code. It is not a
 * part of the message since that is also one of an audit, which asks for
 * nothing.
 *
 * A test holds that every code of an error has its row (lint-tree.py advice).
 */

#include <errno.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "policy/durable.h"
#include "report/advice.h"
#include "store/manifest.h"

#define AGAIN      ", then run this again"
#define THERE      "set it there"
#define BY_HAND    THERE " by hand, then run 'kubelet-remedy audit'"
#define ROOT       "give the node's root directory with --root=DIR"
#define SUDO       "run this with sudo"
#define READ       SUDO ", or " ROOT
#define RIGHT      KR_ADVICE_THIS AGAIN
#define NO_PERSIST "'kubelet-remedy fix --no-persist' leaves that place out"
#define PLACE      KR_ADVICE_THIS AGAIN "; " NO_PERSIST
#define RECORDS                                                                \
	"look into /var/lib/kubelet-remedy, where the old files are, "         \
	"and " KR_ADVICE_THIS AGAIN
#define ONLY_FILES "change only the files with --restart=never"
#define NO_SYSTEMD                                                             \
	"see why systemd does not do it ('systemctl status'); with "           \
	"--restart=never only the files are changed"

static const struct row {
	const char *code;   /* one that ends with a dash: all that begin so */
	const char *advice; /* NULL: the message itself says it */
	const char *denied; /* instead, where only rights are lacking; NULL */
} rows[] = {
	{"append-unsafe", BY_HAND},
	{"arguments-too-", "shorten what the unit gives to kubelet" AGAIN},
	{"broken", NULL},
	{"bus-", NO_SYSTEMD},
	{"busy", "wait until that run has ended" AGAIN},
	{"config-dir-refused", "correct the unit" AGAIN},
	{"config-edit", BY_HAND ", or use --method=flag"},
	{"config-proof", BY_HAND ", or use --method=flag"},
	{"config-", "correct that file" AGAIN},
	{"dropin-exists", "move that file away" AGAIN},
	{"dynamic-config", NULL},
	{"credentials-too-large", "shorten that list" AGAIN},
	{"edits-collide", BY_HAND},
	{"endpoint-not-given",
         "give --container-runtime-endpoint among kubelet's arguments" AGAIN},
	{"entry-not-cut",
         "write the flag's value in one piece, or edit it, by hand" AGAIN},
	{"env-", "take those bytes away" AGAIN},
	{"environment-file-blank", "write a line for each path" AGAIN},
	{"environment-file-invalid", "correct that file" AGAIN},
	{"environment-line-swallowed",
         "take the backslash away, or close the quote" AGAIN},
	{"environment-too-large", "shorten that file" AGAIN},
	{"exec-start-ignored", "correct that line" AGAIN},
	{"exec-start-too-large", "shorten that line" AGAIN},
	{"mounts-too-large", "shorten that list" AGAIN},
	{"exec-start-invalid", "correct that line" AGAIN},
	{"file-displaced", "look which of the two files is right" AGAIN},
	{"file-not-ours", "change it where that file comes from, or write a "
                          "drop-in of your own for the unit"},
	{"file-of-a-store", NULL},
	{"file-not-changed", KR_ADVICE_THIS AGAIN},
	{"file-not-loading",
         "put a certificate there, or name another file" AGAIN},
	{"file-not-replaced", KR_ADVICE_THIS AGAIN},
	{"file-refused", KR_ADVICE_THIS AGAIN},
	{"file-unreadable", RIGHT, READ},
	{"flag-not-in-a-file", NULL},
	{"flag-", "correct that argument" AGAIN},
	{"folder-stays", "remove it by hand"},
	{"folder-unreadable", RIGHT, READ},
	{"held", "override the hold with --allow=NAME, once nothing needs it; "
                 "--restart=never changes the files alone"},
	{"holds-unwritten", "make that place writable" AGAIN},
	{"job-timeout", NO_SYSTEMD},
	{"journal-denied", NULL},
	{"journal-unreadable", "run 'journalctl -u kubelet'"},
	{"kubeconfig-not-given",
         "give --kubeconfig among kubelet's arguments" AGAIN},
	{"live-unknown",
         "see that the API server answers, or leave --configz out",
         "name other credentials, or leave --configz out"},
	{"lock", "make that place writable" AGAIN, SUDO},
	{"lock-file", NULL},
	{"manifest", RECORDS},
	{"mark-bits-equal", NULL},
	{"mounted-over", NULL},
	{"no-bus", ONLY_FILES},
	{"no-config-file", NULL},
	{"no-libsystemd",
         "install libsystemd (package libsystemd0 or systemd-libs)"},
	{"no-process", "name the kubelet that runs, or leave --pid out"},
	{"no-transaction", NULL},
	{"node-unreadable", RIGHT, READ},
	{"nodeadm-folder", PLACE},
	{"nodeadm-ours", PLACE},
	{"nodeadm-unit", PLACE},
	{"nodes", "name them with --nodes, or see that the API server answers"},
	{"not-a-unit", NULL},
	{"not-by-setting", NULL},
	{"not-proven", BY_HAND},
	{"not-put-back", RECORDS},
	{"not-root", NULL},
	{"old-cgroups", THERE AGAIN},
	{"other-plan", "review it with 'kubelet-remedy fix -n'"},
	{"own-folder", KR_ADVICE_THIS AGAIN},
	{"own-unit", "start it from another unit, or " ONLY_FILES},
	{"pending-arguments",
         "accept them with --restart=always, or " ONLY_FILES},
	{"platform", NULL},
	{"platform-unread", RIGHT, READ},
	{"process-unreadable", RIGHT, READ},
	{"program", NULL},
	{"put-back-before",
         "correct the cause, then run 'kubelet-remedy fix --retry'"},
	{"recover", RECORDS},
	{"refused", NULL},
	{"root", ROOT, READ},
	{"several-kubelets", NULL},
	{"shell-in-value", "write the value itself there" AGAIN},
	{"systemd-too-old", "use --restart=never, and restart kubelet by hand"},
	{"template-unrendered", "render the template" AGAIN},
	{"tidy", RECORDS},
	{"transaction", RECORDS},
	{"transient", NO_SYSTEMD},
	{"undo-refused",
         "put it back by hand: the old files are in " KR_STATE_DIR},
	{"unit-line-lost", "take the blank behind that backslash away" AGAIN},
	{"unit-line-swallowed", "take that backslash away" AGAIN},
	{"unit-two-commands", "write an empty 'ExecStart=' line before it, or "
                              "take it away" AGAIN},
	{"unit-", "correct the unit" AGAIN},
	{"variable-in-variable", "write the value itself there" AGAIN},
	{"variable-unset", "set that variable" AGAIN},
	{"waived",
         "remove its line from the file of waivers, or give --no-waivers"},
	{"waivers-unsafe", RIGHT},
	{"word-not-cut", "write the flag as one word, or take it away, by "
                         "hand" AGAIN},
};

/* What keeps a file from being written, where its content is not at fault: by
 * the words of the message (store/replace, in-place, space). */
static const struct {
	const char *words, *advice;
} obstacles[] = {
	{"ulimit -f", "raise that limit" AGAIN},
	{"ead-only", "mount it writable ('mount -o remount,rw')" AGAIN},
	{"No space left", "free space there" AGAIN},
	{"quota exceeded", "free space there, or raise the quota" AGAIN},
	{"is immutable", "take that off with 'chattr -i -a'" AGAIN},
	{"(hard links)",
         "take its other names away ('find -samefile' lists them)" AGAIN},
	{"has an ACL", "take that off with 'setfacl -b'" AGAIN},
	{"has set-id bits",
         "take them off with 'chmod ug-s' or 'setcap -r'" AGAIN},
	{"is a mount point", "change what is mounted there" AGAIN},
	{"is open for writing", "wait until that process has closed it" AGAIN},
	{"by others since", "review that change" AGAIN},
	{"made it meanwhile", "look what that file is for" AGAIN},
};

static bool is_of(const struct row *row, const char *code)
{
	size_t length = strlen(row->code);

	if (row->code[length - 1] == '-')
		return strncmp(row->code, code, length) == 0;
	return strcmp(row->code, code) == 0;
}

/* NULL: M is about none of these. */
static const char *find_obstacle(const struct kr_message *m)
{
	static const char *const codes[] = {
		"file-not-changed",
		"file-not-replaced",
		"file-refused",
		"holds-unwritten",
		"lock",
		"transaction",
	};

	if (!kr_is_among(m->code, codes, ARRAY_SIZE(codes)))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(obstacles); i++) {
		if (strstr(m->text, obstacles[i].words))
			return obstacles[i].advice;
	}
	return NULL;
}

/* Whether other rights would do: the message ends in what the kernel or an API
 * server said. */
static bool is_denied(const struct kr_message *m)
{
	return strstr(m->text, strerror(EACCES)) ||
	       strstr(m->text, strerror(EPERM)) ||
	       strstr(m->text, "status 401") || strstr(m->text, "status 403");
}

/* Of a message without a file there is no "there". */
static const char *place_advice(const char *advice, const struct kr_message *m)
{
	if (!advice || m->file || strncmp(advice, THERE, strlen(THERE)) != 0)
		return advice;
	return "set it by hand in the file that decides it, which "
	       "'kubelet-remedy audit' names";
}

const char *kr_advice(const struct kr_message *m)
{
	const char *obstacle = m ? find_obstacle(m) : NULL;

	/* a fix can do without it */
	if (m && m->file && kr_durable_is_place(m->file) &&
	    (strcmp(m->code, "file-refused") == 0 ||
	     strcmp(m->code, "file-not-replaced") == 0))
		return obstacle ? NO_PERSIST : PLACE;
	if (obstacle)
		return obstacle;
	for (size_t i = 0; m && i < ARRAY_SIZE(rows); i++) {
		if (is_of(&rows[i], m->code))
			return rows[i].denied && is_denied(m)
			               ? rows[i].denied
			               : place_advice(rows[i].advice, m);
	}
	return NULL;
}

char *kr_advice_named(const struct kr_message *m, const char *advice)
{
	const char *rest = advice + strlen(KR_ADVICE_THIS);
	char *text = NULL;

	if (!m->file || strncmp(advice, KR_ADVICE_THIS, rest - advice) != 0)
		return strdup(advice);
	return kr_format(&text, "correct %s%s", m->file, rest) < 0 ? NULL
	                                                           : text;
}
