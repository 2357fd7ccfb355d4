/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Questions under way.
 *
 * curl_multi holds the connections, keeps them open and uses them again; a slot
 * is an easy handle with the task it is for. A question that is cancelled takes
 * its connection with it, as HTTP/1.1 knows no other way.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "host/configz.h"
#include "host/fleet-slots.h"
#include "host/node-names.h"

/* The API server's own limit for what is no watch. */
#define LIST_USEC (60 * KR_USEC_PER_SEC)

static int to_errno(CURLMcode code)
{
	return code == CURLM_OK              ? 0
	       : code == CURLM_OUT_OF_MEMORY ? -ENOMEM
	                                     : -EIO;
}

/* What is asked with in SLOT, once. */
static int make_transfer(const struct kr_fleet_slots *slots,
                         struct kr_fleet_slot *slot)
{
	const struct kr_http_limits limits = {
		.connect_usec = slots->timeout_usec,
		.total_usec = slots->timeout_usec,
		.body_size_max = KR_CONFIGZ_SIZE_MAX,
	};
	const struct kr_http_limits list_limits = {
		.connect_usec = slots->timeout_usec,
		.total_usec = LIST_USEC,
		.body_size_max = KR_NODE_NAMES_SIZE_MAX,
		.accept = KR_NODE_PAGE_ACCEPT,
	};

	if (slot->transfer)
		return 0;
	return kr_http_transfer_new(
		slots->server, slot == &slots->list ? &list_limits : &limits,
		&slot->transfer);
}

int kr_fleet_slots_init(struct kr_fleet_slots *slots,
                        const struct kr_http_server *server, unsigned n_nodes,
                        uint64_t timeout_usec)
{
	*slots = (struct kr_fleet_slots){
		.server = server,
		.timeout_usec = timeout_usec,
		.n_nodes = n_nodes,
	};
	slots->nodes = calloc(n_nodes, sizeof(*slots->nodes));
	slots->multi = sym_curl_multi_init();
	if (!slots->nodes || !slots->multi)
		return -ENOMEM;
	if (sym_curl_multi_setopt(slots->multi, CURLMOPT_MAXCONNECTS,
	                          (long)n_nodes) != CURLM_OK)
		return -ENOPKG;
	return make_transfer(slots, &slots->list);
}

static void slot_done(struct kr_fleet_slots *slots, struct kr_fleet_slot *slot)
{
	if (slot->busy)
		sym_curl_multi_remove_handle(slots->multi,
		                             kr_http_easy(slot->transfer));
	kr_http_transfer_free(slot->transfer);
	free(slot->task.node.name);
}

void kr_fleet_slots_done(struct kr_fleet_slots *slots)
{
	for (unsigned i = 0; slots->nodes && i < slots->n_nodes; i++)
		slot_done(slots, &slots->nodes[i]);
	slot_done(slots, &slots->list);
	free(slots->nodes);
	if (slots->multi)
		sym_curl_multi_cleanup(slots->multi);
	*slots = (struct kr_fleet_slots){0};
}

struct kr_fleet_slot *kr_fleet_slots_free_one(struct kr_fleet_slots *slots)
{
	struct kr_fleet_slot *slot = slots->nodes;

	while (slot->busy)
		slot++;
	assert(slot < slots->nodes + slots->n_nodes);
	return slot;
}

int kr_fleet_slots_ask(struct kr_fleet_slots *slots, struct kr_fleet_slot *slot,
                       struct kr_fleet_task task, const char *path)
{
	int started, r;

	task.n_tries++;
	if (task.n_tries == 1 && slot == &slots->list)
		task.left_usec = LIST_USEC;
	slot->task = task;
	slot->since_usec = kr_now_usec();
	r = make_transfer(slots, slot);
	if (r < 0)
		return r;
	kr_http_set_total(slot->transfer, task.left_usec);
	started = kr_http_start(slot->transfer, path);
	if (started < 0)
		return started;
	if (started == 0) {
		r = to_errno(sym_curl_multi_add_handle(
			slots->multi, kr_http_easy(slot->transfer)));

		if (r < 0)
			return r;
	}
	slot->busy = true;
	slots->n_busy++;
	slots->n_busy_put_off += task.put_off;
	return started;
}

static struct kr_fleet_slot *slot_of(struct kr_fleet_slots *slots, CURL *easy)
{
	const struct kr_http_transfer *t = kr_http_transfer_of(easy);

	for (unsigned i = 0; i < slots->n_nodes; i++) {
		if (slots->nodes[i].transfer == t)
			return &slots->nodes[i];
	}
	return &slots->list;
}

int kr_fleet_slots_cancel(struct kr_fleet_slots *slots,
                          struct kr_fleet_slot *slot)
{
	return to_errno(sym_curl_multi_remove_handle(
		slots->multi, kr_http_easy(slot->transfer)));
}

int kr_fleet_slots_next(struct kr_fleet_slots *slots,
                        struct kr_fleet_slot **ret)
{
	const CURLMsg *message;
	int n_running, n_left, r;
	CURLcode code;

	message = sym_curl_multi_info_read(slots->multi, &n_left);
	if (!message) {
		r = to_errno(sym_curl_multi_perform(slots->multi, &n_running));
		if (r < 0)
			return r;
		message = sym_curl_multi_info_read(slots->multi, &n_left);
	}
	if (!message)
		return 0;
	/* the message goes with the handle */
	code = message->data.result;
	*ret = slot_of(slots, message->easy_handle);
	r = kr_fleet_slots_cancel(slots, *ret);
	if (r < 0)
		return r;
	r = kr_http_finish((*ret)->transfer, code);
	return r < 0 ? r : 1;
}

struct kr_fleet_task kr_fleet_slots_release(struct kr_fleet_slots *slots,
                                            struct kr_fleet_slot *slot)
{
	struct kr_fleet_task task = slot->task;
	uint64_t took = kr_now_usec() - slot->since_usec;

	slot->task = (struct kr_fleet_task){0};
	slot->busy = false;
	slots->n_busy--;
	slots->n_busy_put_off -= task.put_off;
	task.left_usec -= took < task.left_usec ? took : task.left_usec;
	return task;
}

int kr_fleet_slots_wait(struct kr_fleet_slots *slots, int wake_fd,
                        uint64_t until_usec)
{
	struct curl_waitfd wake = {.fd = wake_fd, .events = CURL_WAIT_POLLIN};
	/* a moment more, so that it is over then */
	int msec = (int)((kr_left_usec(until_usec) + KR_USEC_PER_MSEC - 1) /
	                 KR_USEC_PER_MSEC);
	int r = to_errno(sym_curl_multi_poll(slots->multi, &wake, wake_fd >= 0,
	                                     msec, NULL));

	return r < 0 ? r : wake.revents != 0;
}
