/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a D-Bus error means: an errno for the program, words for people.
 */

#include <stdbool.h>

#include <systemd/sd-bus.h>

#include "base/diag.h"

/*
 * Puts ERROR, the answer to CALL ("RestartUnit"), about UNIT (NULL: about
 * none), into DIAG and returns its errno, which is negative.
 */
int kr_bus_error_add(struct kr_diag *diag, const char *call, const char *unit,
                     const sd_bus_error *error);

/* An errno that says that the connection is gone, not that a call failed. */
bool kr_bus_error_is_lost(int error);

/* What ERROR, the answer to a call of systemd, says of where it got to. */
enum kr_bus_reach {
	KR_BUS_REACHED, /* systemd: the error is its own */
	KR_BUS_WENT,    /* systemd, which left the bus without an answer */
	KR_BUS_ABSENT,  /* no process has its name on the bus, or was started */
};

enum kr_bus_reach kr_bus_error_reach(const sd_bus_error *error);
