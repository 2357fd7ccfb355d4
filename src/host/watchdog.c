/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The rollback that outlives us.
 *
 *   new contents beside their targets
 *   armed: kubelet-remedy-rollback-ID.timer ── runs out ──> recover ID
 *   rename all ── Reload ── rearmed ── restart, settle
 *                                        │ unhealthy
 *                           old ones back ── Reload ── rearmed ── restart
 *   kept, or put back: disarmed
 *
 * What the timer starts waits for the lock, which we hold to our end, whatever
 * end that is; then the record says whether there is anything to do. So a timer
 * that runs out too early, or that could not be stopped, does no harm, nor
 * does one stopped too late. It does not wait for ever: the record also
 * says until when we are at work (store/owner), which is this very time, from
 * each phase on.
 *
 * The time is that of one restart (kr_activation_limit_usec()): systemd's for
 * stopping and starting the unit, the wait for kubelet's first ok, the time in
 * which it settles, and the proofs; and some for whatever is slow here.
 *
 * The program that it runs is one of the host (host/program). A reboot takes
 * the timer away, too: then it is the turn of kubelet-remedy-recover.service.
 * Whether a host has that is its administrator's to decide: a unit file of ours
 * that came and went with each fix would be a file that is left where systemd
 * reads when we are killed. So a unit that is not enabled is a warning, and the
 * next run puts things in order.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "host/activation.h"
#include "host/figures.h"
#include "host/program.h"
#include "host/watchdog.h"
#include "systemd/transient.h"

#define DESCRIPTION "Revert a change of kubelet's configuration"

void kr_watchdog_name(const char *id, char ret[static KR_WATCHDOG_NAME_SIZE])
{
	snprintf(ret, KR_WATCHDOG_NAME_SIZE, "kubelet-remedy-rollback-%s", id);
}

uint64_t kr_watchdog_limit_usec(const struct kr_host *host, uint64_t wait_usec)
{
	if (!host->loaded)
		return KR_OWNER_USEC;
	return kr_activation_limit_usec(host, wait_usec) +
	       KR_ROLLBACK_SLACK_USEC;
}

/* --- the timer ----------------------------------------------------------- */

static int arm(struct kr_watchdog *w, struct kr_host *host, const char *id,
               uint64_t wait_usec, const struct kr_program *program,
               struct kr_diag *diag)
{
	_cleanup_free_ char *unit = NULL, *wait = NULL;
	const char *argv[KR_PROGRAM_WORDS_MAX + 5] = {NULL};
	const struct kr_transient transient = {
		.name = w->name,
		.description = DESCRIPTION,
		.folder = KR_STATE_DIR,
		.argv = argv,
		.after_usec = kr_watchdog_limit_usec(host, wait_usec),
	};
	size_t n = 0;

	if (asprintf(&unit, "--unit=%s", host->node->unit_name) < 0)
		unit = NULL;
	if (asprintf(&wait, "--wait=%llu",
	             (unsigned long long)(wait_usec / KR_USEC_PER_SEC)) < 0)
		wait = NULL;
	if (!unit || !wait)
		return -ENOMEM;
	while (n < program->n_words) {
		argv[n] = program->words[n];
		n++;
	}
	argv[n++] = "recover";
	argv[n++] = unit;
	argv[n++] = wait;
	argv[n] = id;
	return kr_transient_arm(host->manager, &transient, diag);
}

void kr_watchdog_warn_of_reboot(struct kr_host *host, struct kr_diag *diag)
{
	_cleanup_diag_ struct kr_diag ignored = {0};

	if (kr_manager_is_enabled(host->manager, KR_WATCHDOG_BOOT_UNIT,
	                          &ignored) != 0)
		return;
	kr_diag_add(
		diag, KR_WARNING, "no-boot-unit", KR_SPAN_NONE,
		KR_WATCHDOG_BOOT_UNIT
		" is not enabled: if this machine reboots in the middle of a "
		"fix, the change stays until the next fix reverts it "
		"('systemctl enable kubelet-remedy-recover')");
}

int kr_watchdog_arm(struct kr_host *host, const char *id, uint64_t wait_usec,
                    struct kr_diag *diag, struct kr_watchdog *ret)
{
	struct kr_watchdog w = {0};
	struct kr_program program = {0};
	int r;

	w.name = malloc(KR_WATCHDOG_NAME_SIZE);
	if (!w.name)
		return -ENOMEM;
	kr_watchdog_name(id, w.name);
	r = kr_program_find(host, diag, &program);
	w.copied = program.copied;
	if (r >= 0)
		r = arm(&w, host, id, wait_usec, &program, diag);
	kr_program_done(&program);
	if (r < 0) {
		if (w.copied)
			kr_program_remove(host->node->fs);
		kr_watchdog_done(&w);
		return r;
	}
	kr_watchdog_warn_of_reboot(host, diag);
	*ret = w;
	return 0;
}

void kr_watchdog_rearm(const struct kr_watchdog *w, struct kr_host *host)
{
	if (w->name)
		kr_transient_rearm(host->manager, w->name, NULL);
}

void kr_watchdog_disarm(struct kr_watchdog *w, struct kr_host *host)
{
	if (!w->name)
		return;
	kr_transient_disarm(host->manager, w->name, NULL);
	if (w->copied)
		kr_program_remove(host->node->fs);
	kr_watchdog_done(w);
}

void kr_watchdog_stop(struct kr_host *host, const char *id)
{
	char name[KR_WATCHDOG_NAME_SIZE];

	if (!host->manager || *id == '\0')
		return;
	kr_watchdog_name(id, name);
	kr_transient_disarm(host->manager, name, NULL);
}

void kr_watchdog_done(struct kr_watchdog *w)
{
	free(w->name);
	*w = (struct kr_watchdog){0};
}
