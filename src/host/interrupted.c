/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What becomes of a run that is not at its end.
 *
 *   its owner lives (store/owner)    within its time: it is at work
 *                                  else it is stuck: recover ends it
 *   it does not, or there is none  it was interrupted: the timer that it armed
 *                                  reverts it (host/watchdog), the unit at
 *                                  boot, or the next run, which comes first
 *
 * The timer is asked of systemd, not of the record: a reboot takes it away, and
 * others may have stopped it. A timer that has run out is loaded no more, or
 * has no next time: what it started is at work, then, or has come to its end.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "host/holder.h"
#include "host/interrupted.h"
#include "host/watchdog.h"
#include "store/recover.h"
#include "systemd/transient.h"

static void ask_systemd(struct kr_manager *manager, const char *id,
                        struct kr_interrupted *run)
{
	_cleanup_diag_ struct kr_diag ignored = {0};
	char name[KR_WATCHDOG_NAME_SIZE];
	uint64_t next;

	kr_watchdog_name(id, name);
	if (kr_transient_next(manager, name, &ignored, &next) < 0)
		return;
	run->asked = true;
	if (next != 0)
		run->reverts_usec = kr_realtime_usec() + kr_left_usec(next);
	run->at_boot = kr_manager_is_enabled(manager, KR_WATCHDOG_BOOT_UNIT,
	                                     &ignored) == 1;
}

static void look_at_owner(int folder_fd, int proc_fd,
                          struct kr_interrupted *run)
{
	struct kr_owner_seen owner;
	struct kr_holder holder;

	run->state = KR_INTERRUPTED;
	if (kr_owner_look(folder_fd, &owner) < 0 || !owner.lives)
		return;
	if (owner.until_usec <= kr_now_usec())
		run->state = KR_INTERRUPTED_STUCK;
	else
		run->state = owner.recovers ? KR_INTERRUPTED_RECOVERS
		                            : KR_INTERRUPTED_NOT;
	if (kr_holder_find(proc_fd, &owner.st, &holder) < 0)
		return;
	run->pid = holder.pid;
	run->stopped = holder.stopped;
}

int kr_interrupted_look(struct kr_fs *fs, int proc_fd,
                        struct kr_manager *manager,
                        const struct kr_manifest *manifest,
                        struct kr_interrupted *ret)
{
	_cleanup_free_ char *path = kr_path_join(KR_STATE_DIR, manifest->id);
	_cleanup_close_ int folder_fd = -1;
	struct kr_interrupted run = {.state = KR_INTERRUPTED};

	if (!path)
		return -ENOMEM;
	folder_fd = kr_fs_open_folder(fs, path);
	if (folder_fd >= 0)
		look_at_owner(folder_fd, proc_fd, &run);
	if (manager)
		ask_systemd(manager, manifest->id, &run);
	*ret = run;
	return 0;
}

/* Who reverts it when no run is about it, and no timer is there. */
static const char *others(const struct kr_interrupted *run)
{
	if (!run->asked)
		return "the next fix or undo reverts it first";
	if (!run->at_boot)
		return "no timer reverts it; the next fix or undo does so "
		       "first, or 'kubelet-remedy recover' now";
	return "no timer reverts it; " KR_WATCHDOG_BOOT_UNIT
	       " does so at the next boot, the next fix or undo first, or "
	       "'kubelet-remedy recover' now";
}

char *kr_interrupted_describe(const struct kr_interrupted *run)
{
	char who[64] = "", when[KR_RFC3339_SIZE] = "";
	char *text = NULL;
	int r;

	if (run->pid > 0)
		snprintf(who, sizeof(who), " (process %d%s)", (int)run->pid,
		         run->stopped ? ", stopped" : "");
	if (run->reverts_usec > 0)
		kr_local_hour(run->reverts_usec, when);
	switch (run->state) {
	case KR_INTERRUPTED_NOT:
		r = asprintf(&text,
		             "is at work%s: what it has changed may still be "
		             "put back",
		             who);
		break;
	case KR_INTERRUPTED_RECOVERS:
		r = asprintf(&text,
		             "was interrupted and is being reverted now%s",
		             who);
		break;
	case KR_INTERRUPTED_STUCK:
		r = asprintf(&text,
		             "is stuck%s, and its time is over: "
		             "'kubelet-remedy recover' ends it and reverts "
		             "it%s%s",
		             who, *when ? "; systemd does so at " : "", when);
		break;
	default:
		r = *when ? asprintf(&text,
		                     "was interrupted: systemd reverts it at "
		                     "%s, 'kubelet-remedy recover' does so now",
		                     when)
		          : asprintf(&text, "was interrupted: %s", others(run));
		break;
	}
	return r < 0 ? NULL : text;
}

int kr_interrupted_warn(struct kr_fs *fs, int proc_fd,
                        struct kr_manager *manager,
                        const struct kr_manifest *manifest,
                        struct kr_diag *diag, struct kr_interrupted *ret)
{
	static const char *const codes[] = {
		[KR_INTERRUPTED_NOT] = "run-at-work",
		[KR_INTERRUPTED_RECOVERS] = "run-at-work",
		[KR_INTERRUPTED_STUCK] = "run-stuck",
		[KR_INTERRUPTED] = "interrupted",
	};
	_cleanup_free_ char *text = NULL;
	struct kr_interrupted run;
	int r = kr_interrupted_look(fs, proc_fd, manager, manifest, &run);

	static_assert(ARRAY_SIZE(codes) == _KR_INTERRUPTED_MAX,
	              "a code for each");
	if (r < 0)
		return r;
	text = kr_interrupted_describe(&run);
	if (!text)
		return -ENOMEM;
	kr_diag_add(diag, KR_WARNING, codes[run.state], KR_SPAN_NONE,
	            "the run %s %s", manifest->id, text);
	if (ret)
		*ret = run;
	return 0;
}

int kr_interrupted_report(struct kr_fs *fs, const struct kr_manifests *list,
                          int proc_fd, struct kr_manager *manager,
                          struct kr_diag *diag)
{
	const struct kr_manifest *m = kr_recover_find(fs, list);

	if (m)
		return kr_interrupted_warn(fs, proc_fd, manager, m, diag, NULL);
	if (kr_recover_is_unknown(fs, list) == 1) {
		kr_diag_add(diag, KR_WARNING, "interrupted", KR_SPAN_NONE,
		            "the run %s may not have come to its end, and its "
		            "record cannot be read",
		            list->last_unread);
		return 0;
	}
	m = kr_recover_find_untidy(fs, list);
	if (m)
		kr_diag_add(diag, KR_WARNING, "untidy", KR_SPAN_NONE,
		            "the run %s ended before it had tidied up: unless "
		            "it is still at work, the next fix or undo removes "
		            "the old files beside the new ones",
		            m->id);
	return 0;
}
