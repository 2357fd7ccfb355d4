/* SPDX-License-Identifier: Apache-2.0 */

/*
 * GET /healthz, over a plain socket (net/plain). The verdict is the status;
 * headers and body are not read.
 */

#include "host/healthz.h"
#include "base/clock.h"
#include "net/plain.h"

int kr_healthz_get(const char *address, unsigned port, uint64_t timeout_usec,
                   struct kr_diag *diag, enum kr_health *ret)
{
	struct kr_plain_answer answer;
	struct kr_plain_peer peer;
	const struct kr_plain_question question = {
		.peer = &peer,
		.method = "GET",
		.path = "/healthz",
		.wait.deadline_usec = kr_now_usec() + timeout_usec,
	};
	int r;

	r = kr_plain_peer_parse(address, port, &peer);
	if (r < 0)
		return r;
	r = kr_plain_ask(&question, &answer);
	if (r < 0)
		return r;
	*ret = answer.outcome != KR_PLAIN_ANSWERED ? KR_NO_ANSWER
	       : answer.status == 200              ? KR_HEALTHY
	                                           : KR_UNHEALTHY;
	if (*ret != KR_HEALTHY)
		kr_diag_add(diag, KR_NOTE, "healthz", KR_SPAN_NONE,
		            "http://%s/healthz: %s", peer.name,
		            *ret == KR_UNHEALTHY ? answer.line
		                                 : kr_plain_words(&answer));
	return 0;
}
