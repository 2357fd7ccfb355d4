/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A unit's properties as they come over D-Bus, and the plain data they become.
 */

#include <systemd/sd-bus.h>

#include "unit/loaded.h"

/*
 * Reads M, the a{sv} of a GetAll of all interfaces. A property that is not
 * there, or is of a type we do not know, leaves its member empty. 0; -ENOMEM;
 * -EBADMSG: M is no a{sv}.
 */
int kr_unit_properties_read(sd_bus_message *m, struct kr_loaded_unit **ret);
