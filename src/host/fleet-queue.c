/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The nodes that must be asked once more.
 *
 * The wait doubles from the first one on and half of it is chance, so that
 * those who failed together do not come back together. What Retry-After asks
 * for is waited in full, and a little chance on top.
 *
 * Which answers may be others the next time is said by host/configz.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "host/fleet-queue.h"

#define BACKOFF_USEC (100 * KR_USEC_PER_MSEC)

static const struct {
	unsigned n_tries; /* in all */
	uint64_t first_usec;
} patience[] = {
	[KR_AGAIN_NEVER] = {1, BACKOFF_USEC},
	[KR_AGAIN_ONCE] = {2, BACKOFF_USEC},
	[KR_AGAIN_OFTEN] = {KR_FLEET_TRIES_MAX, BACKOFF_USEC},
	/* 4 to 8 seconds in all: a start takes some */
	[KR_AGAIN_LATER] = {KR_FLEET_TRIES_MAX, 5 * BACKOFF_USEC},
};

static_assert(ARRAY_SIZE(patience) == _KR_AGAIN_MAX, "a row for each");

uint64_t kr_fleet_backoff_usec(enum kr_again again, uint64_t retry_after_usec,
                               unsigned n_tries)
{
	uint64_t wait, chance;

	if (n_tries >= patience[again].n_tries)
		return 0;
	wait = patience[again].first_usec << (n_tries - 1);
	chance = arc4random_uniform((uint32_t)wait / 2);
	wait = wait / 2 + chance;
	if (wait < retry_after_usec)
		wait = retry_after_usec +
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
		free(queue->tasks[i].node.name);
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
