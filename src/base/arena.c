/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Arenas. A piece is the next bytes of the newest block, or begins a block: the
 * first is small, each next as large as all before it, up to a limit, and each
 * is at least as large as its piece. A text needs no alignment, so that a text
 * of nine bytes takes nine.
 */

#include <stdalign.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/macro.h"

#define BLOCK_MIN ((size_t)4 * 1024)
#define BLOCK_MAX ((size_t)64 * 1024)

struct kr_arena_block {
	struct kr_arena_block *next;
	size_t used, size;
	alignas(max_align_t) char data[];
};

size_t kr_arena_growth(const struct kr_arena *arena, size_t size)
{
	const struct kr_arena_block *block = arena->blocks;
	size_t room = arena->n_bytes < BLOCK_MIN   ? BLOCK_MIN
	              : arena->n_bytes < BLOCK_MAX ? arena->n_bytes
	                                           : BLOCK_MAX;

	if (block && block->used + size <= block->size)
		return 0;
	return size > room ? size : room;
}

char *kr_arena_take_text(struct kr_arena *arena, size_t size)
{
	size_t room = kr_arena_growth(arena, size);
	struct kr_arena_block *block = arena->blocks;

	if (room > 0) {
		block = calloc(1, sizeof(*block) + room);
		if (!block)
			return NULL;
		block->size = room;
		block->next = arena->blocks;
		arena->blocks = block;
		arena->n_bytes += room;
	}
	block->used += size;
	return block->data + block->used - size;
}

void *kr_arena_take(struct kr_arena *arena, size_t size)
{
	const size_t unit = alignof(max_align_t);
	struct kr_arena_block *block = arena->blocks;

	if (block && block->used % unit > 0)
		block->used += unit - block->used % unit;
	return kr_arena_take_text(arena, (size + unit - 1) / unit * unit);
}

void kr_arena_done(struct kr_arena *arena)
{
	struct kr_arena_block *next;

	for (struct kr_arena_block *b = arena->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	*arena = (struct kr_arena){0};
}
