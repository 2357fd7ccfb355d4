/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A unit that is watched.
 *
 *   PropertiesChanged  of the unit's object: it is worth a look
 *   JobNew             of the unit: what kind of job it is is asked at once
 *
 * A unit that its process has left behind by SIGTERM and a unit that others
 * have stopped end in the same state: inactive, success. Only the job tells
 * (tried on systemd 252, a test). It lives for a moment, so it is asked for its
 * type when the signal comes, and not when its answer is wanted. A restart is a
 * job "restart" that becomes "start" in between, never "stop"
 * (job_type_collapse() and job_finish_and_invalidate() of src/core/job.c). A
 * job that is over before the question arrives has no type any more; it counts
 * as a stop if the unit, as it is after that job, is stopped with nothing to
 * do.
 *
 * Signals go to those who have subscribed; those of a moment without a bus are
 * lost. So a new connection is itself worth a look, and the matches are made
 * again on it.
 *
 * Source: org.freedesktop.systemd1(5).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "systemd/bus-error.h"
#include "systemd/bus.h"
#include "systemd/unit-watch.h"

/* For the type of a job. */
struct question {
	struct question *next;
	struct kr_unit_watch *watch;
	sd_bus_slot *slot;
	char path[64]; /* of the job */
};

struct kr_unit_watch {
	struct kr_manager *manager;
	struct kr_bus *bus;
	char *unit, *path;
	unsigned generation; /* of the connection that has the matches */
	sd_bus_slot *properties, *jobs;
	struct question *questions;
	size_t n_open; /* questions without an answer */
	bool answered; /* there are none */
	bool changed;
	bool saw_stop;
	bool saw_unknown; /* a job that was over before it was asked */
};

static void forget_matches(struct kr_unit_watch *w)
{
	w->properties = sym_sd_bus_slot_unref(w->properties);
	w->jobs = sym_sd_bus_slot_unref(w->jobs);
	while (w->questions) {
		struct question *q = w->questions;

		w->questions = q->next;
		sym_sd_bus_slot_unref(q->slot);
		free(q);
	}
	w->saw_unknown |= w->n_open > 0;
	w->n_open = 0;
	w->answered = true;
}

struct kr_unit_watch *kr_unit_watch_free(struct kr_unit_watch *w)
{
	if (!w)
		return NULL;
	forget_matches(w);
	free(w->unit);
	free(w->path);
	free(w);
	return NULL;
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	struct kr_unit_watch *w = userdata;

	w->changed = true;
	return 0;
}

static int on_type(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	const struct question *q = userdata;
	struct kr_unit_watch *w = q->watch;
	const char *type;

	if (sym_sd_bus_message_is_method_error(m, NULL) ||
	    sym_sd_bus_message_read(m, "v", "s", &type) < 0)
		w->saw_unknown |= strcmp(q->path, w->bus->own_job) != 0;
	else if (strcmp(type, "stop") == 0)
		w->saw_stop = true;
	w->changed = true;
	w->answered = --w->n_open == 0;
	return 0;
}

static int on_job_new(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	struct kr_unit_watch *w = userdata;
	const char *path, *unit;
	struct question *q;
	uint32_t id;

	if (sym_sd_bus_message_read(m, "uos", &id, &path, &unit) < 0 ||
	    strcmp(unit, w->unit) != 0)
		return 0;
	w->changed = true;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = (struct question){.next = w->questions, .watch = w};
	w->questions = q;
	strlcpy(q->path, path, sizeof(q->path));
	if (sym_sd_bus_call_method_async(w->bus->sd, &q->slot,
	                                 KR_BUS_DESTINATION, path,
	                                 KR_BUS_PROPERTIES, "Get", on_type, q,
	                                 "ss", KR_BUS_JOB, "JobType") < 0) {
		w->saw_unknown = true;
		return 0;
	}
	w->n_open++;
	w->answered = false;
	return 0;
}

static int subscribe(struct kr_unit_watch *w,
                     const struct kr_manager_wait *wait, struct kr_diag *diag)
{
	/* a peer's messages carry no sender */
	const char *sender = w->bus->peer ? NULL : KR_BUS_DESTINATION;
	int r;

	if (!w->bus->sd)
		return -ENOTCONN;
	r = sym_sd_bus_match_signal_async(
		w->bus->sd, &w->properties, sender, w->path, KR_BUS_PROPERTIES,
		"PropertiesChanged", on_properties, NULL, w);
	if (r < 0)
		return r;
	r = sym_sd_bus_match_signal_async(w->bus->sd, &w->jobs, sender,
	                                  KR_BUS_MANAGER_PATH, KR_BUS_MANAGER,
	                                  "JobNew", on_job_new, NULL, w);
	return r < 0 ? r : kr_bus_subscribe(w->bus, wait, diag);
}

/* On the connection that the bus has now, or a new one where that is lost. */
static int install(struct kr_unit_watch *w, const struct kr_manager_wait *wait,
                   struct kr_diag *diag)
{
	int r;

	do {
		_cleanup_diag_ struct kr_diag words = {0};

		forget_matches(w);
		w->generation = w->bus->generation;
		r = subscribe(w, wait, &words);
		if (kr_bus_error_is_lost(r))
			r = kr_bus_reopen(w->bus, wait, diag);
		else
			kr_diag_merge(diag, &words);
	} while (r >= 0 && w->generation != w->bus->generation);
	return r < 0 ? r : 0;
}

int kr_unit_watch_new(struct kr_manager *manager, const char *unit,
                      struct kr_diag *diag, struct kr_unit_watch **ret)
{
	_cleanup_(kr_unit_watch_freep) struct kr_unit_watch *w =
		calloc(1, sizeof(*w));
	struct kr_manager_wait wait;
	int r;

	if (!w)
		return -ENOMEM;
	w->manager = manager;
	w->bus = kr_bus_of_manager(manager);
	w->answered = true;
	w->unit = strdup(unit);
	if (!w->unit)
		return -ENOMEM;
	r = kr_bus_unit_path(unit, &w->path);
	if (r < 0)
		return r;
	wait = kr_bus_patience(w->bus, KR_BUS_USUAL_USEC);
	r = install(w, &wait, diag);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(w);
	return 0;
}

/* Nothing has been asked of the unit that could still be on its way. */
static bool is_stopped(const struct kr_loaded_unit *u)
{
	return u->job_id == 0 && strcmp(u->active_state, "inactive") == 0;
}

int kr_unit_watch_look(struct kr_unit_watch *w, struct kr_diag *diag,
                       struct kr_loaded_unit **ret)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;
	struct kr_manager_wait wait;
	bool over;
	int r;

	r = kr_manager_get_unit(w->manager, w->unit, diag, &unit);
	if (r < 0)
		return r;
	over = w->saw_unknown;
	w->changed = w->saw_unknown = false;
	if (w->generation != w->bus->generation)
		forget_matches(w);
	/* the job that made the unit what it is now has been asked for */
	wait = kr_bus_patience(w->bus, KR_BUS_USUAL_USEC);
	r = kr_bus_wait(w->bus, &wait, &w->answered);
	if (r < 0 && !kr_bus_error_is_lost(r) && r != -ETIMEDOUT)
		return r;
	/* systemd answers in order: a question answered since then is about a
	 * job that may have ended after UNIT was read, so it counts at the next
	 * look, too */
	if ((over || w->saw_unknown) && is_stopped(unit))
		w->saw_stop = true;
	*ret = TAKE_PTR(unit);
	return 0;
}

int kr_unit_watch_peek(struct kr_unit_watch *w, struct kr_diag *diag,
                       pid_t *ret_pid)
{
	unsigned generation = w->bus->generation;
	int r;

	if (!w->changed)
		return 0;
	w->changed = false;
	r = kr_manager_main_pid(w->manager, w->path, diag, ret_pid);
	if (r < 0)
		return r;
	return generation == w->bus->generation ? 1 : -ECONNRESET;
}

int kr_unit_watch_is_same(struct kr_unit_watch *w, pid_t pid,
                          struct kr_diag *diag)
{
	pid_t now;
	int r;

	if (w->changed || w->generation != w->bus->generation)
		return 0;
	r = kr_manager_main_pid(w->manager, w->path, diag, &now);
	if (r < 0)
		return r;
	return now == pid && !w->changed && w->generation == w->bus->generation;
}

int kr_unit_watch_wait(struct kr_unit_watch *w,
                       const struct kr_manager_wait *wait, struct kr_diag *diag)
{
	int r = 0;

	if (!w->bus->sd)
		r = kr_bus_reopen(w->bus, wait, diag);
	if (r < 0)
		return r;
	if (w->generation != w->bus->generation) {
		r = install(w, wait, diag);
		return r < 0 ? r : 1;
	}
	r = kr_bus_wait(w->bus, wait, &w->changed);
	if (r == -ETIMEDOUT)
		return 0;
	if (!kr_bus_error_is_lost(r))
		return r < 0 ? r : 1;
	r = kr_bus_reopen(w->bus, wait, diag);
	if (r < 0)
		return r;
	r = install(w, wait, diag);
	return r < 0 ? r : 1;
}

bool kr_unit_watch_saw_stop(const struct kr_unit_watch *w)
{
	return w->saw_stop;
}
