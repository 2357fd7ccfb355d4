/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * libsystemd, loaded when there is a bus to speak to or a journal to read: the
 * audit of an image does without it and its seven libraries. Its functions are
 * reached as sym_sd_bus_new() and so on, which are NULL until kr_sd_load() gave
 * 0.
 */

#define SD_JOURNAL_SUPPRESS_LOCATION /* our lines say what, not where */

#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

#include "base/diag.h"
#include "base/dynlib.h"

#define KR_SD_FUNCTIONS(X)                                                     \
	X(sd_bus_add_match_async)                                              \
	X(sd_bus_call_async)                                                   \
	X(sd_bus_call_method_async)                                            \
	X(sd_bus_close_unref)                                                  \
	X(sd_bus_error_get_errno)                                              \
	X(sd_bus_get_events)                                                   \
	X(sd_bus_get_fd)                                                       \
	X(sd_bus_get_timeout)                                                  \
	X(sd_bus_match_signal_async)                                           \
	X(sd_bus_is_ready)                                                     \
	X(sd_bus_message_append)                                               \
	X(sd_bus_message_append_strv)                                          \
	X(sd_bus_message_appendv)                                              \
	X(sd_bus_message_close_container)                                      \
	X(sd_bus_message_enter_container)                                      \
	X(sd_bus_message_exit_container)                                       \
	X(sd_bus_message_get_error)                                            \
	X(sd_bus_message_is_method_error)                                      \
	X(sd_bus_message_new_method_call)                                      \
	X(sd_bus_message_open_container)                                       \
	X(sd_bus_message_peek_type)                                            \
	X(sd_bus_message_read)                                                 \
	X(sd_bus_message_read_array)                                           \
	X(sd_bus_message_read_basic)                                           \
	X(sd_bus_message_read_strv)                                            \
	X(sd_bus_message_ref)                                                  \
	X(sd_bus_message_skip)                                                 \
	X(sd_bus_message_unref)                                                \
	X(sd_bus_new)                                                          \
	X(sd_bus_path_decode)                                                  \
	X(sd_bus_process)                                                      \
	X(sd_bus_set_address)                                                  \
	X(sd_bus_set_bus_client)                                               \
	X(sd_bus_slot_unref)                                                   \
	X(sd_bus_start)                                                        \
	X(sd_id128_from_string)                                                \
	X(sd_id128_get_machine)                                                \
	X(sd_id128_to_string)                                                  \
	X(sd_journal_add_disjunction)                                          \
	X(sd_journal_add_match)                                                \
	X(sd_journal_close)                                                    \
	X(sd_journal_get_data)                                                 \
	X(sd_journal_get_realtime_usec)                                        \
	X(sd_journal_next)                                                     \
	X(sd_journal_open)                                                     \
	X(sd_journal_open_files)                                               \
	X(sd_journal_previous)                                                 \
	X(sd_journal_seek_head)                                                \
	X(sd_journal_seek_realtime_usec)                                       \
	X(sd_journal_seek_tail)                                                \
	X(sd_journal_sendv)                                                    \
	X(sd_journal_set_data_threshold)

KR_SD_FUNCTIONS(KR_DYNLIB_DECLARE)

/* Loads it, once. 0; -ENOPKG, with words of code "no-libsystemd"; -ENOMEM. DIAG
 * may be NULL. */
int kr_sd_load(struct kr_diag *diag);

static inline void kr_sd_message_unrefp(sd_bus_message **m)
{
	if (*m)
		sym_sd_bus_message_unref(*m);
}
#define _cleanup_sd_message_ _cleanup_(kr_sd_message_unrefp)

static inline void kr_sd_slot_unrefp(sd_bus_slot **slot)
{
	if (*slot)
		sym_sd_bus_slot_unref(*slot);
}
#define _cleanup_sd_slot_ _cleanup_(kr_sd_slot_unrefp)

static inline void kr_sd_journal_closep(sd_journal **journal)
{
	if (*journal)
		sym_sd_journal_close(*journal);
}
#define _cleanup_sd_journal_ _cleanup_(kr_sd_journal_closep)
