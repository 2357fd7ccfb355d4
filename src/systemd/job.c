/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A job of the manager.
 *
 * RestartUnit answers with the path of a job, which systemd then runs; when it
 * is over, JobRemoved (id, path, unit, result) is sent, once, to those who
 * listen by then. So the order is: install the match, Subscribe, ask, wait.
 * JobRemoved of other jobs, and Reloading of another's daemon-reload, pass by;
 * a job survives both a reload and a re-execution under its path.
 *
 *       match, Subscribe ──> asked ──> path known ──> JobRemoved: its result
 *              ▲               │            │
 *              └── reconnect ──┴── lost ────┘
 *                      │
 *                 Unit.Job: ours or, where its path was never seen, any: wait
 *                           no job, but what was wished for is so: over
 *                           no job, and it is not: the wish was lost, ask again
 *
 * What systemd had not read of the old connection when it was re-executed is
 * lost; what it had read is done, though the answer or the signal may be lost.
 * The unit tells which: a stop is done where the unit is inactive, a start or
 * restart where the unit has left "inactive" since we asked first, by its
 * InactiveExitTimestampMonotonic. That clock is never set, and
 * InvocationID must be read before each job. A restart by others in
 * between counts as ours: it is as new. A unit that only changed its state, by
 * a reload or a failed stop, was not restarted. Asking twice is the lesser
 * evil: it is asked again wherever nothing proves the first.
 *
 * A job whose path was seen is not asked for again: it may have been cancelled
 * by others who want otherwise. One that ended while the connection was gone
 * has no result any more: it is taken from the unit's own, and a note says so;
 * it is "canceled" where nothing failed and the wish is not so.
 *
 * StartTransientUnit that is asked again gives UnitExists where the first was
 * heard: names of transient units are unique, so it is ours if it has started
 * since. A transient unit whose job was seen and that is not there any more has
 * ended well, as failed ones stay; where the job was not seen, it is run again.
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
	bool stops, transient;
	bool asked;          /* once at least */
	uint64_t asked_usec; /* before that */
	unsigned generation; /* of the connection that SLOT is on */
	sd_bus_slot *slot;
	char *path; /* NULL: not known */
	bool done;
	enum kr_job_result result;
};

/* What has become of a wish whose answer or end was not seen. */
enum standing {
	STANDING_RUNS,    /* a job is there: PATH */
	STANDING_OVER,    /* RESULT */
	STANDING_UNHEARD, /* systemd has not read it */
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
	    sym_sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) <
	            0 ||
	    strcmp(path, job->path) != 0)
		return 0;
	job->result = from_string(job, result);
	job->done = true;
	return 0;
}

static int subscribe(struct job *job)
{
	int r;

	job->slot = sym_sd_bus_slot_unref(job->slot);
	job->generation = job->bus->generation;
	if (!job->bus->sd)
		return -ENOTCONN;
	/* a peer's messages carry no sender */
	r = sym_sd_bus_match_signal_async(
		job->bus->sd, &job->slot,
		job->bus->peer ? NULL : KR_BUS_DESTINATION, KR_BUS_MANAGER_PATH,
		KR_BUS_MANAGER, "JobRemoved", on_job_removed, NULL, job);
	return r < 0 ? r : kr_bus_subscribe(job->bus, job->wait, job->diag);
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
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
	const char *path;
	uint32_t id;
	int r;

	r = kr_bus_call(job->bus, &method, job->wait, job->diag, &reply, "ss",
	                KR_BUS_UNIT, "Job");
	if (r < 0)
		return r;
	r = sym_sd_bus_message_read(reply, "v", "(uo)", &id, &path);
	if (r < 0)
		return r;
	*ret = id ? strdup(path) : NULL;
	return id && !*ret ? -ENOMEM : 0;
}

static bool is_inactive(const struct kr_loaded_unit *unit)
{
	return strcmp(unit->active_state, "inactive") == 0 ||
	       strcmp(unit->active_state, "failed") == 0;
}

/* There is no job any more: the unit has to tell. */
static int judge(struct job *job, const char *unit_path, enum standing *ret)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;
	bool fulfilled, vanished;
	int r;

	r = kr_bus_get_unit(job->bus, job->unit, unit_path, job->wait,
	                    job->diag, &unit);
	if (r < 0)
		return r;
	fulfilled = job->stops ? is_inactive(unit)
	                       : unit->inactive_exit_monotonic_usec >=
	                                 job->asked_usec;
	vanished = job->transient && strcmp(unit->load_state, "not-found") == 0;
	if (!job->path && !fulfilled) {
		*ret = STANDING_UNHEARD;
		return 0;
	}
	/* Result= is "start-limit-hit" where there was not even a start */
	if (!job->stops && !vanished && strcmp(unit->result, "success") != 0)
		job->result = KR_JOB_FAILED;
	else
		job->result =
			fulfilled || vanished ? KR_JOB_DONE : KR_JOB_CANCELED;
	job->done = true;
	kr_diag_add(job->diag, KR_NOTE, "job-unseen", KR_SPAN_NONE,
	            "%s: its job ended while the bus was gone; its result is "
	            "the unit's own",
	            job->unit);
	*ret = STANDING_OVER;
	return 0;
}

static int look(struct job *job, enum standing *ret)
{
	_cleanup_free_ char *unit_path = NULL, *path = NULL;
	int r;

	r = kr_bus_unit_path(job->unit, &unit_path);
	if (r < 0)
		return r;
	r = current_job(job, unit_path, &path);
	if (r < 0)
		return r;
	*ret = STANDING_OVER;
	if (job->done)
		return 0;
	if (!path || (job->path && strcmp(job->path, path) != 0)) {
		r = judge(job, unit_path, ret);
		if (r < 0)
			return r;
	} else {
		if (!job->path)
			job->path = TAKE_PTR(path);
		*ret = STANDING_RUNS;
	}
	/* the unit was asked for over a connection that has no match */
	if (!job->done && job->generation != job->bus->generation)
		return -ECONNRESET;
	return 0;
}

static int ask(struct job *job)
{
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
	_cleanup_diag_ struct kr_diag words = {0};
	struct kr_manager_wait wait =
		kr_bus_patience(job->bus, KR_BUS_USUAL_USEC);
	bool again = job->asked;
	enum standing standing;
	const char *path;
	int r;

	if (wait.deadline_usec > job->wait->deadline_usec)
		wait.deadline_usec = job->wait->deadline_usec;
	wait.tick = job->wait->tick;
	wait.closure = job->wait->closure;
	if (!again)
		job->asked_usec = kr_now_usec();
	job->asked = true;
	r = kr_bus_call(job->bus, job->method, &wait, &words, &reply, "ss",
	                job->unit, "replace");
	if (r == -EEXIST && job->transient && again) {
		int error = look(job, &standing);

		if (error < 0)
			return error;
		if (standing != STANDING_UNHEARD)
			return 0;
	}
	kr_diag_merge(job->diag, &words);
	if (r < 0)
		return r;
	r = sym_sd_bus_message_read(reply, "o", &path);
	if (r < 0)
		return r;
	strlcpy(job->bus->own_job, path, sizeof(job->bus->own_job));
	job->path = strdup(path);
	return job->path ? 0 : -ENOMEM;
}

/* After a lost connection. */
static int resume(struct job *job)
{
	enum standing standing = STANDING_UNHEARD;
	int r;

	r = kr_bus_reopen(job->bus, job->wait, job->diag);
	if (r < 0)
		return r;
	r = subscribe(job);
	if (r < 0)
		return r;
	if (job->asked) {
		r = look(job, &standing);
		if (r < 0)
			return r;
	}
	return standing == STANDING_UNHEARD ? ask(job) : 0;
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
		if (!kr_bus_error_is_lost(r) ||
		    kr_left_usec(job->wait->deadline_usec) == 0)
			return r;
		/* what was said of it is not true any more */
		kr_diag_done(job->diag);
		r = resume(job);
	}
}

int kr_job_run_method(struct kr_bus *bus, const struct kr_bus_method *method,
                      const struct kr_manager_wait *wait, struct kr_diag *diag,
                      enum kr_job_result *ret)
{
	_cleanup_diag_ struct kr_diag words = {0};
	struct job job = {
		.bus = bus,
		.method = method,
		.unit = method->about,
		.wait = wait,
		.diag = &words,
		.stops = strcmp(method->member, "StopUnit") == 0,
		.transient = strcmp(method->member, "StartTransientUnit") == 0,
	};
	int r;

	r = run(&job);
	kr_diag_merge(diag, &words);
	sym_sd_bus_slot_unref(job.slot);
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
