/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Transient units.
 *
 * StartTransientUnit makes a unit of properties instead of a file, and starts
 * it; units that belong to it are made by the same call. The timer's call
 * brings its service along:
 *
 *   NAME.timer    OnActiveSec=, counted from its start; AccuracySec=1s, as the
 *                 default of a minute would be one more minute of outage;
 *                 RemainAfterElapse=no, so that it goes when it has run out
 *   NAME.service  Type=oneshot; a failed one is not kept either
 *
 * A timer survives daemon-reload and its start time with it, and starts
 * counting again with a restart, in one job: there is no moment without it.
 *
 * A service that is run once and asked for its status goes by itself when it
 * has ended well, so that nothing is left of it when we are killed meanwhile. A
 * failed one stays, so that there is something to ask, and is removed then; one
 * of a run that was killed before that, by the next.
 *
 * What a service may do is what its job needs: to put files of any folder but
 * the system's back, with all that they have, and to speak to systemd and to a
 * daemon of this host.
 *
 *   CAP_SYS_ADMIN      an xattr that is trusted.*, or security.* without its
 *                      module; the filter leaves of it little else
 *   CAP_SYS_PTRACE     /proc/PID/exe, root and ns of another program
 *   CAP_KILL           one of ours that stands still may be another user's
 *   no UMask=          folders come back as they were, with 0755
 *   no RestrictSUIDSGID=  and files with any mode
 *   no IPAddressDeny=  the daemon may listen at any address of the host, which
 *                      is not known here; "localhost" is 127.0.0.0/8 and ::1
 *   no ProtectHome=, PrivateTmp=  a file may lie anywhere
 *
 * RestrictNamespaces= leaves one kind, of no use here: systemd (247, 252) keeps
 * "none at all" as an empty word, which means no restriction after a reload.
 *
 * An older systemd refuses the whole call for a property that it does not know.
 * So there is none here that is younger than 244: ProtectClock= is of 245, and
 * what it forbids the capabilities and the filter forbid, too; ProtectProc= and
 * ProcSubset= are of 247. RequiresMountsFor= can be set since 236.
 *
 * Sources: org.freedesktop.systemd1(5), systemd.timer(5), systemd.exec(5);
 * dbus-timer.c, dbus-execute.c and dbus-unit.c of systemd for what may be set:
 * TimersMonotonic, not OnActiveSec.
 */

#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "systemd/bus.h"
#include "systemd/job.h"
#include "systemd/transient.h"

#define ACCURACY_USEC KR_USEC_PER_SEC

struct unit {
	const struct kr_transient *transient;
	char *timer, *service; /* names */
};

static void unit_done(struct unit *u)
{
	free(u->timer);
	free(u->service);
}

static int unit_init(struct unit *u, const char *name)
{
	if (asprintf(&u->timer, "%s.timer", name) < 0)
		u->timer = NULL;
	if (asprintf(&u->service, "%s.service", name) < 0)
		u->service = NULL;
	return u->timer && u->service ? 0 : -ENOMEM;
}

static struct kr_manager_wait patience(struct kr_manager *manager)
{
	return kr_bus_patience(kr_bus_of_manager(manager), KR_BUS_USUAL_USEC);
}

static int close_containers(sd_bus_message *m, unsigned n)
{
	while (n-- > 0) {
		int r = sym_sd_bus_message_close_container(m);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ExecStart=: a(sasb), path, argv, whether a failure is ignored. */
static int append_command(sd_bus_message *m, const char *const *argv)
{
	char **words = (char **)(uintptr_t)argv; /* it does not write to it */
	int r;

	if ((r = sym_sd_bus_message_open_container(m, 'r', "sv")) < 0 ||
	    (r = sym_sd_bus_message_append(m, "s", "ExecStart")) < 0 ||
	    (r = sym_sd_bus_message_open_container(m, 'v', "a(sasb)")) < 0 ||
	    (r = sym_sd_bus_message_open_container(m, 'a', "(sasb)")) < 0 ||
	    (r = sym_sd_bus_message_open_container(m, 'r', "sasb")) < 0 ||
	    (r = sym_sd_bus_message_append(m, "s", argv[0])) < 0 ||
	    (r = sym_sd_bus_message_append_strv(m, words)) < 0 ||
	    (r = sym_sd_bus_message_append(m, "b", 0)) < 0)
		return r;
	return close_containers(m, 4);
}

#define CAP(name) (UINT64_C(1) << (name))

static int append_sandbox(sd_bus_message *m)
{
	static const char *const on[] = {
		"LockPersonality",       "MemoryDenyWriteExecute",
		"NoNewPrivileges",       "PrivateDevices",
		"ProtectControlGroups",  "ProtectHostname",
		"ProtectKernelLogs",     "ProtectKernelModules",
		"ProtectKernelTunables", "RestrictRealtime",
	};
	const uint64_t capabilities = CAP(CAP_CHOWN) | CAP(CAP_DAC_OVERRIDE) |
	                              CAP(CAP_FOWNER) | CAP(CAP_FSETID) |
	                              CAP(CAP_KILL) | CAP(CAP_SETFCAP) |
	                              CAP(CAP_SYS_ADMIN) | CAP(CAP_SYS_PTRACE);
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(on); i++) {
		r = sym_sd_bus_message_append(m, "(sv)", on[i], "b", 1);
		if (r < 0)
			return r;
	}
	r = sym_sd_bus_message_append(
		m, "(sv)(sv)(sv)(sv)", "CapabilityBoundingSet", "t",
		capabilities, "KeyringMode", "s", "private", "ProtectSystem",
		"s", "yes", "RestrictNamespaces", "t", (uint64_t)CLONE_NEWIPC);
	if (r < 0)
		return r;
	r = sym_sd_bus_message_append(
		m, "(sv)(sv)(sv)", "RestrictAddressFamilies", "(bas)", 1, 4,
		"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK",
		"SystemCallArchitectures", "as", 1, "native",
		"SystemCallErrorNumber", "i", EPERM);
	if (r < 0)
		return r;
	return sym_sd_bus_message_append(
		m, "(sv)(sv)(sv)", "SystemCallFilter", "(bas)", 1, 1,
		"@system-service", "SystemCallFilter", "(bas)", 0, 2,
		"@resources", "@privileged", "SystemCallFilter", "(bas)", 1, 1,
		"@chown");
}

static int append_service(sd_bus_message *m, const struct unit *u,
                          const char *collect)
{
	int r = sym_sd_bus_message_open_container(m, 'a', "(sv)");

	if (r < 0)
		return r;
	r = sym_sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "Description", "s",
	                              u->transient->description, "Type", "s",
	                              "oneshot", "CollectMode", "s", collect,
	                              "RequiresMountsFor", "as", 1,
	                              u->transient->folder);
	if (r < 0)
		return r;
	r = append_sandbox(m);
	if (r < 0)
		return r;
	r = append_command(m, u->transient->argv);
	return r < 0 ? r : sym_sd_bus_message_close_container(m);
}

static int append_timer(sd_bus_message *m, const void *closure)
{
	const struct unit *u = closure;
	int r = sym_sd_bus_message_append(
		m, "ssa(sv)", u->timer, "fail", 4, "Description", "s",
		u->transient->description, "TimersMonotonic", "a(st)", 1,
		"OnActiveSec", u->transient->after_usec, "AccuracyUSec", "t",
		(uint64_t)ACCURACY_USEC, "RemainAfterElapse", "b", 0);

	if (r < 0 ||
	    (r = sym_sd_bus_message_open_container(m, 'a', "(sa(sv))")) < 0 ||
	    (r = sym_sd_bus_message_open_container(m, 'r', "sa(sv)")) < 0 ||
	    (r = sym_sd_bus_message_append(m, "s", u->service)) < 0 ||
	    (r = append_service(m, u, "inactive-or-failed")) < 0)
		return r;
	return close_containers(m, 2);
}

static int append_run(sd_bus_message *m, const void *closure)
{
	const struct unit *u = closure;
	int r = sym_sd_bus_message_append(m, "ss", u->service, "fail");

	if (r < 0)
		return r;
	r = append_service(m, u, "inactive");
	return r < 0 ? r : sym_sd_bus_message_append(m, "a(sa(sv))", 0);
}

static int not_done(const char *unit, enum kr_job_result result,
                    struct kr_diag *diag)
{
	if (result == KR_JOB_DONE)
		return 0;
	kr_diag_add(diag, KR_ERROR, "transient", KR_SPAN_NONE,
	            "%s: its job ended as \"%s\"", unit,
	            kr_job_result_to_string(result));
	return -EIO;
}

int kr_transient_arm(struct kr_manager *manager,
                     const struct kr_transient *transient, struct kr_diag *diag)
{
	const struct kr_manager_wait wait = patience(manager);
	_cleanup_(unit_done) struct unit u = {.transient = transient};
	struct kr_bus_method method = {
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_MANAGER,
		.member = "StartTransientUnit",
		.append = append_timer,
		.closure = &u,
	};
	enum kr_job_result result;
	int r = unit_init(&u, transient->name);

	if (r < 0)
		return r;
	method.about = u.timer;
	r = kr_job_run_method(kr_bus_of_manager(manager), &method, &wait, diag,
	                      &result);
	return r < 0 ? r : not_done(u.timer, result, diag);
}

static int change_timer(struct kr_manager *manager, const char *name,
                        int (*change)(struct kr_manager *, const char *,
                                      const struct kr_manager_wait *,
                                      struct kr_diag *, enum kr_job_result *),
                        struct kr_diag *diag)
{
	const struct kr_manager_wait wait = patience(manager);
	_cleanup_(unit_done) struct unit u = {0};
	_cleanup_diag_ struct kr_diag words = {0};
	enum kr_job_result result;
	int r = unit_init(&u, name);

	if (r < 0)
		return r;
	r = change(manager, u.timer, &wait, &words, &result);
	if (r == -ENOENT) /* it has run out */
		return 0;
	kr_diag_merge(diag, &words);
	return r < 0 ? r : not_done(u.timer, result, diag);
}

int kr_transient_rearm(struct kr_manager *manager, const char *name,
                       struct kr_diag *diag)
{
	return change_timer(manager, name, kr_manager_restart, diag);
}

int kr_transient_disarm(struct kr_manager *manager, const char *name,
                        struct kr_diag *diag)
{
	return change_timer(manager, name, kr_manager_stop, diag);
}

int kr_transient_next(struct kr_manager *manager, const char *name,
                      struct kr_diag *diag, uint64_t *ret)
{
	const struct kr_manager_wait wait = patience(manager);
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
	_cleanup_(unit_done) struct unit u = {0};
	_cleanup_free_ char *path = NULL;
	struct kr_bus_method method = {
		.interface = KR_BUS_PROPERTIES,
		.member = "Get",
		.again = true,
	};
	uint64_t next;
	int r = unit_init(&u, name);

	if (r < 0)
		return r;
	r = kr_bus_unit_path(u.timer, &path);
	if (r < 0)
		return r;
	method.path = path;
	method.about = u.timer;
	r = kr_bus_call(kr_bus_of_manager(manager), &method, &wait, diag,
	                &reply, "ss", "org.freedesktop.systemd1.Timer",
	                "NextElapseUSecMonotonic");
	if (r < 0)
		return r;
	r = sym_sd_bus_message_read(reply, "v", "t", &next);
	if (r < 0)
		return r;
	*ret = next == UINT64_MAX ? 0 : next;
	return 0;
}

/* What a service that has failed, or has not ended, has ended with; then it
 * goes. */
static int collect(struct kr_manager *manager, const char *service,
                   struct kr_diag *diag, int *ret_status)
{
	const struct kr_manager_wait wait = patience(manager);
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;
	_cleanup_diag_ struct kr_diag ignored = {0};
	enum kr_job_result result;
	int r = kr_manager_get_unit(manager, service, diag, &unit);

	if (r >= 0)
		*ret_status = unit->exec_main_code == CLD_EXITED &&
		                              unit->exec_main_status != 0
		                      ? unit->exec_main_status
		                      : -1;
	kr_manager_stop(manager, service, &wait, &ignored, &result);
	kr_manager_reset_failed(manager, service, &ignored);
	return r;
}

int kr_transient_run(struct kr_manager *manager,
                     const struct kr_transient *transient,
                     uint64_t timeout_usec, struct kr_diag *diag,
                     int *ret_status)
{
	struct kr_manager_wait wait = patience(manager);
	_cleanup_(unit_done) struct unit u = {.transient = transient};
	_cleanup_diag_ struct kr_diag words = {0}, ignored = {0};
	struct kr_bus_method method = {
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_MANAGER,
		.member = "StartTransientUnit",
		.append = append_run,
		.closure = &u,
	};
	enum kr_job_result result;
	int r = unit_init(&u, transient->name);

	if (r < 0)
		return r;
	method.about = u.service;
	kr_manager_reset_failed(manager, u.service, &ignored);
	wait.deadline_usec = kr_now_usec() + timeout_usec;
	r = kr_job_run_method(kr_bus_of_manager(manager), &method, &wait,
	                      &words, &result);
	if (r < 0 && r != -ETIMEDOUT) {
		kr_diag_merge(diag, &words);
		return r;
	}
	if (r >= 0 && result == KR_JOB_DONE) {
		*ret_status = 0;
		return 0;
	}
	return collect(manager, u.service, diag, ret_status);
}
