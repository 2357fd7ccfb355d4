/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The one line that a run which changes the node leaves in the journal. */

#include "cli/options.h"
#include "fix/fix.h"

/*
 * Sends the result of OPTIONS' command, which is FIX and becomes the exit
 * STATUS, to this machine's journal. Nothing is sent of a preview, nor of a
 * node that is an image. What cannot be sent is left unsaid: the result is
 * printed, too.
 */
void kr_cli_log(const struct kr_options *options, const struct kr_fix *fix,
                int status);
