/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Arenas: very many short pieces of memory that are given back as one.
 */

#include <stddef.h>

struct kr_arena_block;

struct kr_arena {
	struct kr_arena_block *blocks;
	size_t n_bytes; /* what the blocks have room for */
};

/* What another piece of SIZE would add to n_bytes. */
size_t kr_arena_growth(const struct kr_arena *arena, size_t size);

/* SIZE bytes for any type, zeroed; NULL: no memory. */
void *kr_arena_take(struct kr_arena *arena, size_t size);

/* SIZE bytes for a text, zeroed; NULL: no memory. */
char *kr_arena_take_text(struct kr_arena *arena, size_t size);

void kr_arena_done(struct kr_arena *arena);
