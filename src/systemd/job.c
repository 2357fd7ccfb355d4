/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A job of the manager.
 *
 * RestartUnit answers with the path of a job, which systemd then runs; when it
 * is over, JobRemoved (id, path, unit, result) is sent, once, to those who
 * listen by then. So the order is: install the match, Subscribe, ask, wait.
 * JobRemoved of other jobs, and Reloading of somebody else's daemon-reload,
 * pass by; a job survives both a reload and a re-execution under its path.
 *
 *       match, Subscribe ──> asked ──> path known ──> JobRemoved: its result
 *              ▲               │            │
 *              └── reconnect ──┴── lost ────┘
 *                      │
 *                 Unit.Job: ours or, where its path was never seen, any: wait
 *                           none, and the unit has moved since: it is over
 *                           none, and it has not: the wish was lost, ask again
 *
 * A job that ended while the connection was gone has no result any more: it is
 * taken from the unit's own, and a note says so.
 *
 * "done" says that systemd did what it was asked, for Type=simple only that a
 * process was made, and for a false condition that nothing had to be done.
 *
 * Sources: org.freedesktop.systemd1(5); src/core/job.c of systemd 252 for the
 * results' names.
 */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "systemd/bus-error.h"
#include "systemd/job.h"

static const char *const result_names[] = {
	[KR_JOB_DONE] = "done",
	[KR_JOB_FAILED] = "failed",
	[KR_JOB_CANCELED] = "canceled",
	[KR_JOB_TIMEOUT] = "timeout",
	[KR_JOB_DEPENDENCY] = "dependency",
	[KR_JOB_SKIPPED] = "skipped",
	[KR_JOB_OTHER] = "other",
};

struct job {
	struct kr_bus *bus;
	const struct kr_bus_method *method;
	const char *unit;
	const struct kr_manager_wait *wait;
	struct kr_diag *diag;
	uint64_t asked_usec; /* realtime, as the unit's own times are */
	sd_bus_slot *slot;
	char *path; /* NULL: not known */
	bool done;
	enum kr_job_result result;
};

const char *kr_job_result_to_string(enum kr_job_result result)
{
	return result_names[result];
}

static enum kr_job_result from_string(struct job *job, const char *name)
{
	for (size_t i = 0; i < KR_JOB_OTHER; i++) {
		if (strcmp(result_names[i], name) == 0)
			return (enum kr_job_result)i;
	}
	kr_diag_add(job->diag, KR_NOTE, "job-result", KR_SPAN_NONE,
	            "%s: its job ended as \"%s\"", job->unit, name);
	return KR_JOB_OTHER;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	struct job *job = userdata;
	const char *path, *unit, *result;
	uint32_t id;

	if (job->done || !job->path ||
	    sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0 ||
	    strcmp(path, job->path) != 0)
		return 0;
	job->result = from_string(job, result);
	job->done = true;
	return 0;
}

static int subscribe(struct job *job)
{
	static const struct kr_bus_method method = {
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_MANAGER,
		.member = "Subscribe",
	};
	int r;

	/* a peer's messages carry no sender */
	r = sd_bus_match_signal_async(
		job->bus->sd, &job->slot,
		job->bus->peer ? NULL : KR_BUS_DESTINATION, KR_BUS_MANAGER_PATH,
		KR_BUS_MANAGER, "JobRemoved", on_job_removed, NULL, job);
	if (r < 0 || job->bus->subscribed)
		return r;
	r = kr_bus_call(job->bus, &method, job->wait, job->diag, NULL, NULL);
	job->bus->subscribed = r >= 0;
	return r;
}

static int ask(struct job *job)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_diag_ struct kr_diag words = {0};
	struct kr_manager_wait wait =
		kr_bus_patience(job->bus, KR_BUS_USUAL_USEC);
	const char *path;
	int r;

	if (wait.deadline_usec > job->wait->deadline_usec)
		wait.deadline_usec = job->wait->deadline_usec;
	wait.tick = job->wait->tick;
	wait.closure = job->wait->closure;
	r = kr_bus_call(job->bus, job->method, &wait, &words, &reply, "ss",
	                job->unit, "replace");
	if (!kr_bus_error_is_lost(r))
		kr_diag_merge(job->diag, &words);
	if (r < 0)
		return r;
	r = sd_bus_message_read(reply, "o", &path);
	if (r < 0)
		return r;
	job->path = strdup(path);
	return job->path ? 0 : -ENOMEM;
}

/* The path of the job that the unit has now; NULL: none. */
static int current_job(struct job *job, const char *unit_path, char **ret)
{
	const struct kr_bus_method method = {
		.path = unit_path,
		.interface = KR_BUS_PROPERTIES,
		.member = "Get",
		.about = job->unit,
	};
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *path;
	uint32_t id;
	int r;

	r = kr_bus_call(job->bus, &method, job->wait, job->diag, &reply, "ss",
	                KR_BUS_UNIT, "Job");
	if (r < 0)
		return r;
	r = sd_bus_message_read(reply, "v", "(uo)", &id, &path);
	if (r < 0)
		return r;
	*ret = id ? strdup(path) : NULL;
	return id && !*ret ? -ENOMEM : 0;
}

/* The job is gone, unseen: its unit has to tell. 1: it has not even begun. */
static int judge(struct job *job, const char *unit_path)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;
	int r;

	r = kr_bus_get_unit(job->bus, job->unit, unit_path, job->wait,
	                    job->diag, &unit);
	if (r < 0)
		return r;
	if (!job->path && unit->state_change_usec < job->asked_usec)
		return 1;
	job->result = strcmp(unit->result, "success") == 0 ? KR_JOB_DONE
	                                                   : KR_JOB_FAILED;
	job->done = true;
	kr_diag_add(job->diag, KR_NOTE, "job-unseen", KR_SPAN_NONE,
	            "%s: its job ended while the bus was gone; its result is "
	            "the unit's own",
	            job->unit);
	return 0;
}

/* After a lost connection. 0: wait on, or done; 1: it has to be asked for. */
static int resume(struct job *job)
{
	_cleanup_free_ char *unit_path = NULL, *path = NULL;
	int r;

	job->slot = sd_bus_slot_unref(job->slot);
	r = kr_bus_reopen(job->bus, job->wait, job->diag);
	if (r >= 0)
		r = subscribe(job);
	if (r >= 0)
		r = kr_bus_unit_path(job->unit, &unit_path);
	if (r >= 0)
		r = current_job(job, unit_path, &path);
	if (r < 0 || job->done)
		return r;
	if (!path)
		return judge(job, unit_path);
	if (!job->path)
		job->path = TAKE_PTR(path);
	else if (strcmp(job->path, path) != 0)
		return judge(job, unit_path);
	return 0;
}

static int run(struct job *job)
{
	int r;

	r = subscribe(job);
	if (r >= 0)
		r = ask(job);
	for (;;) {
		if (r >= 0)
			r = kr_bus_wait(job->bus, job->wait, &job->done);
		if (!kr_bus_error_is_lost(r))
			return r;
		r = resume(job);
		if (r > 0)
			r = ask(job);
	}
}

int kr_job_run_method(struct kr_bus *bus, const struct kr_bus_method *method,
                      const struct kr_manager_wait *wait, struct kr_diag *diag,
                      enum kr_job_result *ret)
{
	struct job job = {
		.bus = bus,
		.method = method,
		.unit = method->about,
		.wait = wait,
		.diag = diag,
		.asked_usec = kr_realtime_usec(),
	};
	int r;

	r = run(&job);
	sd_bus_slot_unref(job.slot);
	if (r == -ETIMEDOUT && job.path)
		kr_diag_add(diag, KR_ERROR, "job-timeout", KR_SPAN_NONE,
		            "%s: its job did not end in time and goes on",
		            job.unit);
	free(job.path);
	if (r < 0)
		return r;
	*ret = job.result;
	return 0;
}

int kr_job_run(struct kr_bus *bus, const char *method, const char *unit,
               const struct kr_manager_wait *wait, struct kr_diag *diag,
               enum kr_job_result *ret)
{
	const struct kr_bus_method m = {
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_MANAGER,
		.member = method,
		.about = unit,
	};

	return kr_job_run_method(bus, &m, wait, diag, ret);
}
