/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a line of kubelet's log says about why kubelet ended. Here is all that
 * is known of how kubelet's lines look; systemd/journal gets it from here.
 */

#include <stdbool.h>
#include <stddef.h>

#include "systemd/journal.h"
#include "unit/loaded.h"

/* The kind of a line of LENGTH bytes, which need not end with a NUL. */
enum kr_log_kind kr_log_line_classify(const char *line, size_t length);

/*
 * Where UNIT's last start ended badly: lets QUERY look for the reason
 * of that end. False: it runs, or was stopped; the last lines are what is
 * wanted, and QUERY is as it was.
 */
bool kr_log_line_ask_reason(const struct kr_loaded_unit *unit,
                            struct kr_journal_query *query);
