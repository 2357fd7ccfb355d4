/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Every place that sets the value on disk, weakest first. */

#include "audit/audit.h"

/*
 * Fills AUDIT's sources and the disk view's source from NODE's disk. 0 or
 * -ENOMEM.
 */
int kr_sources_collect(struct kr_node *node, struct kr_audit *audit);

/* Why a change of FILE would not be safe or would not last (static), or NULL.
 */
const char *kr_source_refusal(const struct kr_file *file);

/* What to do instead of changing FILE, where even a drop-in would not last, in
 * the marks of kr_platform_text() (static); NULL: nothing special. */
const char *kr_source_instead(const struct kr_file *file);
