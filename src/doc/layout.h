/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where something can be added to a document. */

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* Where a member can be added at the top. */
struct kr_layout {
	struct kr_span root; /* the mapping, with its braces if it has any */
	/* the last member; LENGTH of the value may be 0. No file: there is
	 * none */
	struct kr_span last_key, last_value;
	bool flow;          /* {...}, always so in JSON */
	size_t end;         /* YAML: offset of the document's end */
	bool open_ended;    /* YAML: the last value is a block scalar, to which
	                       line ends behind it may belong */
	const char *reason; /* static: why nothing can be added, else NULL */
	/* YAML: where kubelet's reader may find something else; no file: there
	 * is no such place */
	struct kr_span doubt;
};

/* The byte behind the last member. */
static inline size_t kr_layout_end(const struct kr_layout *layout)
{
	size_t key = kr_span_end(layout->last_key);
	size_t value = kr_span_end(layout->last_value);

	return value > key ? value : key;
}
