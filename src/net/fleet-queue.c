/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The nodes that must be asked once more.
 *
 * The wait doubles from BACKOFF_USEC on and half of it is chance, so that those
 * who failed together do not come back together. What Retry-After asks for is
 * waited in full, and a little chance on top.
 *
 * What the server refuses for good (401, 403, 404), what is too slow (its time
 * is over, then) and what cannot be verified is not asked again.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/fleet-queue.h"

#define BACKOFF_USEC (100 * KR_USEC_PER_MSEC)

static bool may_differ_next_time(const struct kr_http_answer *answer)
{
	switch (answer->error) {
	case KR_HTTP_ANSWERED:
		return answer->status == 429 ||
		       (answer->status >= 500 && answer->status <= 599);
	case KR_HTTP_REFUSED:
	case KR_HTTP_UNREACHED:
	case KR_HTTP_CUT:
		return true;
	default:
		return false;
	}
}

uint64_t kr_fleet_backoff_usec(const struct kr_http_answer *answer,
                               unsigned n_tries)
{
	uint64_t wait = BACKOFF_USEC << (n_tries - 1);
	uint64_t chance = arc4random_uniform((uint32_t)wait / 2);

	if (n_tries >= KR_FLEET_TRIES_MAX || !may_differ_next_time(answer))
		return 0;
	wait = wait / 2 + chance;
	if (wait < answer->retry_after_usec)
		wait = answer->retry_after_usec +
		       arc4random_uniform((uint32_t)BACKOFF_USEC);
	return wait;
}

int kr_fleet_queue_init(struct kr_fleet_queue *queue, size_t size)
{
	*queue = (struct kr_fleet_queue){.size = size};
	queue->tasks = calloc(size, sizeof(*queue->tasks));
	return queue->tasks ? 0 : -ENOMEM;
}

void kr_fleet_queue_done(struct kr_fleet_queue *queue)
{
	for (size_t i = 0; i < queue->n_tasks; i++)
		free(queue->tasks[i].name);
	free(queue->tasks);
	*queue = (struct kr_fleet_queue){0};
}

void kr_fleet_queue_put(struct kr_fleet_queue *queue, struct kr_fleet_task task)
{
	assert(queue->n_tasks < queue->size);
	queue->tasks[queue->n_tasks++] = task;
}

static size_t first_due(const struct kr_fleet_queue *queue)
{
	size_t first = 0;

	for (size_t i = 1; i < queue->n_tasks; i++) {
		if (queue->tasks[i].not_before_usec <
		    queue->tasks[first].not_before_usec)
			first = i;
	}
	return first;
}

bool kr_fleet_queue_take(struct kr_fleet_queue *queue, uint64_t now_usec,
                         struct kr_fleet_task *ret)
{
	size_t i;

	if (kr_fleet_queue_due_usec(queue) > now_usec)
		return false;
	i = first_due(queue);
	*ret = queue->tasks[i];
	queue->tasks[i] = queue->tasks[--queue->n_tasks];
	return true;
}

uint64_t kr_fleet_queue_due_usec(const struct kr_fleet_queue *queue)
{
	return queue->n_tasks > 0
	               ? queue->tasks[first_due(queue)].not_before_usec
	               : UINT64_MAX;
}
