/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a kubelet says of its own settings, through an API server:
 * GET /api/v1/nodes/NAME/proxy/configz (CIS audit method 2).
 */

#include "kubelet/flags.h"
#include "net/http.h"

/* Whether the same question may be answered in another way soon. */
enum kr_again {
	KR_AGAIN_NEVER,
	KR_AGAIN_ONCE,  /* the API server itself has tried, and has waited */
	KR_AGAIN_OFTEN, /* too much to do, a fault, a connection that broke */
	KR_AGAIN_LATER, /* the API server has just been started, as it seems */
	_KR_AGAIN_MAX,
};

struct kr_configz {
	enum kr_state state; /* TRUE, FALSE, UNKNOWN */
	unsigned status;     /* of the answer; 0: there was none */
	enum kr_again again;
	char reason[320]; /* one sentence, lower case, no full stop; "" where it
	                   * is known. The same fault has the same words,
	                   * whatever the node */
	/* the answer itself, with a NUL behind it, where that is one of status
	 * 200 and as long as it is there; NULL: kr_configz_judge() has set none
	 */
	const char *body;
	size_t body_size;
	char detail[320]; /* what the server itself said about it; may be "".
	                   * Both are as kr_utf8_show() shows them */
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
 * KR_STATE_UNKNOWN, each with a reason of its own. Needs no libcurl.
 */
void kr_configz_judge(const struct kr_http_answer *answer, const char *key,
                      struct kr_configz *ret);

/*
 * Asks for NODE's configz with T and judges the answer. 0; -EINTR: T's tick()
 * said stop; -EINVAL: no name, as above; -ENOMEM.
 */
int kr_configz_get(struct kr_http_transfer *t, const char *node,
                   const char *key, struct kr_configz *ret);
