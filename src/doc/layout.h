/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a reader tells of a document besides its values. */

#include <stddef.h>

#include "base/span.h"

struct kr_layout {
	struct kr_span root; /* with its braces if it has any */
	size_t end;          /* YAML: offset of the document's end */
	const char *reason;  /* static: why nothing can be added, else NULL */
	/* YAML: where kubelet's reader may find something else; no file: there
	 * is no such place */
	struct kr_span doubt;
};
