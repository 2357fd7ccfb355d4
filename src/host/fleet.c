/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Many nodes, asked through one API server.
 *
 *	names ---> slots (at most width) ---> hear()
 *	             |   ^       |   ^
 *	          waiting        put off
 *
 * A slot is one question under way, of a node or for a page of the list; no
 * question is open without one. Who is started when a slot is free, in this
 * order:
 *
 *	a page of the list    when the names that are known get few
 *	a node that waits     once its backoff is over
 *	a new name            unless too many wait already: a server that has
 *	                      too much to do is not given more
 *	a node put off        when there are no new names any more
 *
 * Nodes that hang would soon have all slots and hold up the rest. So when
 * a node waits for a slot, the node that has one for longest is put off to
 * the end if it has had PATIENCE, or much longer than others take: once each,
 * its time starting again, and only as long as it is few that hang. Where all
 * are slow this does not help, and is not done.
 *
 * Memory: the slots, the queues (both bounded), two pages of names, and of each
 * node its name. One thread.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "host/fleet-queue.h"
#include "host/fleet-slots.h"
#include "host/fleet-width.h"
#include "host/fleet.h"
#include "host/node-names.h"

#define PATIENCE_USEC  (1 * KR_USEC_PER_SEC)
#define PATIENCE_USUAL 4 /* times what is usual */
#define TICK_USEC      (100 * KR_USEC_PER_MSEC)
#define PUT_OFF_MAX    1024

struct fleet {
	const struct kr_http_server *server;
	const struct kr_fleet_options *options;
	struct kr_diag *diag;
	struct kr_fleet_slots slots;
	struct kr_node_names names;
	bool list_failed;
	bool roles_missing; /* RBAC did not find them, as long as it was asked
	                     */
	struct kr_fleet_queue waiting, put_off;
	size_t n_done, n_put_off; /* all that were ever put off */
	struct kr_fleet_width width;
	uint64_t tick_due_usec, end_usec;
	enum kr_fleet_end end; /* once step() gave 1 */
};

/* --- one question ends --------------------------------------------------- */

static int hear(struct fleet *f, struct kr_fleet_task *task,
                const struct kr_configz *configz)
{
	int r = f->options->hear(f->options->closure, &task->node, configz);

	free(task->node.name);
	task->node.name = NULL;
	f->n_done++;
	return r == 0 ? 0 : -EINTR;
}

/*
 * Whether TASK, which ANSWER is for, shall be asked once more. Where not, SAID
 * is what it comes to: that its time was over says less than what the server
 * said before. Where roles are missing for good, who still finds that out is
 * the last to wait for them.
 */
static bool ask_again(struct fleet *f, struct kr_fleet_task *task,
                      const struct kr_http_answer *answer,
                      struct kr_configz *said)
{
	uint64_t wait;

	kr_configz_judge(answer, f->options->key, said);
	if (answer->error == KR_HTTP_TIMED_OUT && *task->said.reason)
		*said = task->said;
	if (said->again == KR_AGAIN_LATER && f->roles_missing)
		return false;
	wait = kr_fleet_backoff_usec(said->again, answer->retry_after_usec,
	                             task->n_tries);
	if (wait == 0 || wait >= task->left_usec) {
		f->roles_missing |= said->again == KR_AGAIN_LATER;
		return false;
	}
	if (answer->error == KR_HTTP_ANSWERED)
		task->said = *said;
	task->left_usec -= wait;
	task->not_before_usec = kr_now_usec() + wait;
	return true;
}

static int finish_node(struct fleet *f, struct kr_fleet_slot *slot)
{
	const struct kr_http_answer *answer = kr_http_answer(slot->transfer);
	uint64_t took = kr_now_usec() - slot->since_usec;
	struct kr_fleet_task task = kr_fleet_slots_release(&f->slots, slot);
	struct kr_configz said;

	if (answer->error == KR_HTTP_ANSWERED)
		kr_fleet_width_hear(&f->width, took, answer->status == 429,
		                    kr_now_usec());
	if (ask_again(f, &task, answer, &said)) {
		kr_fleet_queue_put(&f->waiting, task);
		return 0;
	}
	if (said.status == 200) {
		said.body = answer->body;
		said.body_size = answer->body_size;
	}
	return hear(f, &task, &said);
}

static void say_list_failed(struct fleet *f, const char *reason)
{
	kr_diag_add(f->diag, KR_ERROR, "nodes", KR_SPAN_NONE,
	            "the nodes of %s cannot be listed: %s", f->server->url,
	            reason);
	f->list_failed = true;
}

static int finish_list(struct fleet *f, struct kr_fleet_slot *slot)
{
	const struct kr_http_answer *answer = kr_http_answer(slot->transfer);
	_cleanup_free_ char *reason = NULL;
	struct kr_fleet_task task = kr_fleet_slots_release(&f->slots, slot);
	struct kr_configz said;
	int r;

	if (ask_again(f, &task, answer, &said)) {
		slot->task = task;
		return 0;
	}
	r = kr_node_names_hear(&f->names, answer, &said, &reason);
	if (r == KR_MALFORMED) {
		say_list_failed(f, reason);
		return 0;
	}
	return r < 0 ? r : 0;
}

static int finish(struct fleet *f, struct kr_fleet_slot *slot)
{
	return slot == &f->slots.list ? finish_list(f, slot)
	                              : finish_node(f, slot);
}

/* --- one question begins ------------------------------------------------- */

static int ask(struct fleet *f, struct kr_fleet_slot *slot,
               struct kr_fleet_task task, const char *path)
{
	int r = kr_fleet_slots_ask(&f->slots, slot, task, path);

	return r == 1 ? finish(f, slot) : r;
}

static int ask_list(struct fleet *f)
{
	_cleanup_free_ char *path = NULL;
	int r = kr_node_names_path(&f->names, &path);

	if (r == KR_MALFORMED) {
		say_list_failed(f, "the token to go on with is not valid");
		return kr_node_names_stop(&f->names);
	}
	if (r < 0)
		return r;
	return ask(f, &f->slots.list, f->slots.list.task, path);
}

static int ask_node(struct fleet *f, struct kr_fleet_task task)
{
	static const struct kr_configz no_name = {
		.state = KR_STATE_UNKNOWN,
		.reason = "no node can have this name",
	};
	_cleanup_free_ char *path = NULL;
	int r = kr_configz_path(task.node.name, &path);

	if (r == -EINVAL)
		return hear(f, &task, &no_name);
	if (r < 0) {
		free(task.node.name);
		return r;
	}
	return ask(f, kr_fleet_slots_free_one(&f->slots), task, path);
}

static bool is_full(const struct fleet *f)
{
	return f->slots.n_busy >= f->width.now;
}

static bool list_is_due(const struct fleet *f, uint64_t now)
{
	return !f->slots.list.busy && kr_node_names_wants_page(&f->names) &&
	       f->slots.list.task.not_before_usec <= now;
}

/* A node that is begun may have to wait afterwards, and so may all that have a
 * slot then: with these there are never more than three for each slot, the size
 * of the queue. */
static bool waiting_has_room(const struct fleet *f)
{
	return f->waiting.n_tasks < 2 * (size_t)f->width.now;
}

static bool new_name_is_due(const struct fleet *f)
{
	return kr_node_names_any(&f->names) && waiting_has_room(f);
}

/* Those that were put off leave room for those that only wait. */
static bool put_off_is_due(const struct fleet *f)
{
	unsigned most =
		f->waiting.n_tasks > 0 ? (f->width.now + 1) / 2 : f->width.now;

	return f->names.complete && !kr_node_names_any(&f->names) &&
	       f->put_off.n_tasks > 0 && f->slots.n_busy_put_off < most &&
	       waiting_has_room(f);
}

/* Starts one question. 1; 0: there is none to start. */
static int start_one(struct fleet *f)
{
	struct kr_fleet_task task = {.left_usec = f->options->timeout_usec};
	uint64_t now = kr_now_usec();
	int r;

	if (list_is_due(f, now)) {
		r = ask_list(f);
		return r < 0 ? r : 1;
	}
	if (!kr_fleet_queue_take(&f->waiting, now, &task)) {
		if (new_name_is_due(f))
			kr_node_names_take(&f->names, &task.node);
		else if (put_off_is_due(f))
			kr_fleet_queue_take(&f->put_off, now, &task);
	}
	if (!task.node.name)
		return 0;
	r = ask_node(f, task);
	return r < 0 ? r : 1;
}

static int start_all(struct fleet *f)
{
	int r = 1;

	while (r > 0 && !is_full(f))
		r = start_one(f);
	return r < 0 ? r : 0;
}

/* --- who hangs makes room ------------------------------------------------ */

static bool somebody_waits(const struct fleet *f, uint64_t now)
{
	return list_is_due(f, now) || new_name_is_due(f) ||
	       kr_fleet_queue_due_usec(&f->waiting) <= now;
}

static uint64_t patience_usec(const struct fleet *f)
{
	uint64_t usual = f->width.usual_usec * PATIENCE_USUAL;

	return usual > PATIENCE_USEC ? usual : PATIENCE_USEC;
}

/* The node that has a slot for longest and may be put off; NULL: none. */
static struct kr_fleet_slot *longest(struct fleet *f)
{
	struct kr_fleet_slot *found = NULL;

	if (f->put_off.n_tasks == f->put_off.size ||
	    f->n_put_off >= f->width.now + f->n_done / 4)
		return NULL;
	for (unsigned i = 0; i < f->slots.n_nodes; i++) {
		struct kr_fleet_slot *slot = &f->slots.nodes[i];

		if (slot->busy && !slot->task.put_off &&
		    (!found || slot->since_usec < found->since_usec))
			found = slot;
	}
	return found;
}

/* When a slot shall be made free; UINT64_MAX: none needed. */
static uint64_t room_due_usec(struct fleet *f, uint64_t now)
{
	const struct kr_fleet_slot *slot;

	if (!is_full(f) || !somebody_waits(f, now))
		return UINT64_MAX;
	slot = longest(f);
	return slot ? slot->since_usec + patience_usec(f) : UINT64_MAX;
}

static int make_room(struct fleet *f)
{
	uint64_t now = kr_now_usec();

	while (room_due_usec(f, now) <= now) {
		struct kr_fleet_slot *slot = longest(f);
		struct kr_fleet_task task;
		int r = kr_fleet_slots_cancel(&f->slots, slot);

		if (r < 0)
			return r;
		task = kr_fleet_slots_release(&f->slots, slot);
		task.put_off = true;
		task.n_tries = 0;
		task.said = (struct kr_configz){0};
		task.left_usec = f->options->timeout_usec;
		task.not_before_usec = now;
		kr_fleet_queue_put(&f->put_off, task);
		f->n_put_off++;
		r = start_all(f);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the loop ------------------------------------------------------------ */

static int take_answers(struct fleet *f)
{
	struct kr_fleet_slot *slot;
	int r;

	while ((r = kr_fleet_slots_next(&f->slots, &slot)) > 0) {
		r = finish(f, slot);
		if (r < 0)
			return r;
	}
	return r;
}

static struct kr_fleet_progress progress(const struct fleet *f)
{
	return (struct kr_fleet_progress){
		.n_done = f->n_done,
		.n_nodes = kr_node_names_total(&f->names),
		.n_left_out = f->names.n_left_out,
	};
}

static bool is_over(const struct fleet *f)
{
	return f->slots.n_busy == 0 && f->waiting.n_tasks == 0 &&
	       f->put_off.n_tasks == 0 && f->names.complete &&
	       !kr_node_names_any(&f->names);
}

/* When there is something to do, if no answer comes before. */
static uint64_t due_usec(struct fleet *f)
{
	uint64_t now = kr_now_usec(), until = f->tick_due_usec, due;

	until = f->end_usec < until ? f->end_usec : until;
	due = room_due_usec(f, now);
	until = due < until ? due : until;
	if (is_full(f))
		return until;
	due = kr_fleet_queue_due_usec(&f->waiting);
	until = due < until ? due : until;
	due = f->slots.list.task.not_before_usec;
	if (!f->slots.list.busy && kr_node_names_wants_page(&f->names) &&
	    due < until)
		until = due;
	return until;
}

static int ask_tick(struct fleet *f)
{
	struct kr_fleet_progress now = progress(f);

	f->tick_due_usec = kr_now_usec() + TICK_USEC;
	return f->options->tick(f->options->closure, &now) == 0 ? 0 : -EINTR;
}

static int end(struct fleet *f, enum kr_fleet_end how)
{
	f->end = how;
	return 1;
}

/* 0; 1: it is over. */
static int step(struct fleet *f)
{
	int r = start_all(f);

	if (r < 0)
		return r;
	r = make_room(f);
	if (r < 0)
		return r;
	if (is_over(f))
		return end(f, f->list_failed ? KR_FLEET_LIST_FAILED
		                             : KR_FLEET_DONE);
	if (kr_now_usec() >= f->end_usec)
		return end(f, KR_FLEET_TIME_OVER);
	r = kr_fleet_slots_wait(&f->slots, f->options->wake_fd, due_usec(f));
	if (r < 0)
		return r;
	if (r > 0 || kr_now_usec() >= f->tick_due_usec) {
		r = ask_tick(f);
		if (r < 0)
			return r;
	}
	return take_answers(f);
}

static int set_up(struct fleet *f)
{
	const struct kr_fleet_options *o = f->options;
	unsigned most = o->n_parallel > 0 ? o->n_parallel : o->n_parallel_most;

	kr_fleet_width_init(&f->width,
	                    o->n_parallel > 0 || most < KR_FLEET_WIDTH_LEAST
	                            ? most
	                            : KR_FLEET_WIDTH_LEAST,
	                    most, kr_now_usec());
	kr_node_names_init(&f->names, o->selector);
	if (o->nodes && o->look_up)
		kr_node_names_init_looked_up(&f->names, o->nodes, o->n_nodes);
	if ((o->nodes && !o->look_up &&
	     kr_node_names_init_given(&f->names, o->nodes, o->n_nodes) < 0) ||
	    kr_fleet_queue_init(&f->waiting, 3 * (size_t)most) < 0 ||
	    kr_fleet_queue_init(&f->put_off, PUT_OFF_MAX) < 0)
		return -ENOMEM;
	return kr_fleet_slots_init(&f->slots, f->server, most, o->timeout_usec);
}

static int run(struct fleet *f)
{
	for (;;) {
		int r = step(f);

		if (r != 0)
			return r;
	}
}

int kr_fleet_run(const struct kr_http_server *server,
                 const struct kr_fleet_options *options, struct kr_diag *diag,
                 struct kr_fleet_progress *ret)
{
	struct fleet f = {
		.server = server,
		.options = options,
		.diag = diag,
		.end_usec = kr_now_usec() + options->total_usec,
	};
	int r = set_up(&f);

	if (r >= 0)
		r = run(&f);
	*ret = progress(&f);
	kr_fleet_slots_done(&f.slots);
	kr_fleet_queue_done(&f.waiting);
	kr_fleet_queue_done(&f.put_off);
	kr_node_names_done(&f.names);
	return r == 1 ? (int)f.end : r;
}
