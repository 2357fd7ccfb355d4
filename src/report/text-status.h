/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* kubelet's unit for people. */

#include "host/status.h"
#include "report/term.h"

/* kubelet.service as `systemctl status -l` shows it. */
void kr_text_status(const struct kr_term *term, const struct kr_status *status);

/* Lines of a journal. */
void kr_text_log(const struct kr_term *term, const struct kr_log *log);
