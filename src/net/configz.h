/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a kubelet says of its own settings, through an API server:
 * GET /api/v1/nodes/NAME/proxy/configz (CIS audit method 2).
 */

#include "net/http.h"

enum kr_configz_state {
	KR_CONFIGZ_UNKNOWN, /* the reason says why */
	KR_CONFIGZ_FALSE,
	KR_CONFIGZ_TRUE,
};

struct kr_configz {
	enum kr_configz_state state;
	char reason[320]; /* one sentence of printable ASCII, lower case, no
	                   * full stop; "" where it is known. The same fault has
	                   * the same words, whatever the node */
	char detail[320]; /* what the server itself said about it, printable
	                   * ASCII; may be "" */
};

/* A configz of a node with many extended settings has some 10 KB. */
#define KR_CONFIGZ_SIZE_MAX ((size_t)4 * 1024 * 1024)

/*
 * The path of NODE's configz, percent-encoded. 0 and *RET, which the caller
 * frees; -EINVAL: no node can have this name (empty, ".", ".."); -ENOMEM.
 */
int kr_configz_path(const char *node, char **ret);

/*
 * What ANSWER, to GET kr_configz_path(), says of the boolean KEY: that of
 * .kubeletconfig.KEY where the status is 200, spelt like this and not twice;
 * whatever else is there does not matter. All other answers are
 * KR_CONFIGZ_UNKNOWN, each with a reason of its own. Needs no libcurl.
 */
void kr_configz_judge(const struct kr_http_answer *answer, const char *key,
                      struct kr_configz *ret);

/*
 * Asks for NODE's configz with T and judges the answer. 0; -EINTR: T's tick()
 * said stop; -EINVAL: no name, as above; -ENOMEM.
 */
int kr_configz_get(struct kr_http_transfer *t, const char *node,
                   const char *key, struct kr_configz *ret);
