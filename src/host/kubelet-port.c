/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What kubelet's own port answers.
 *
 * healthz is another port, plain and open to all on the machine: it says ok
 * while the port that the API server uses does not answer. What is seen on
 * that port from here:
 *
 *	handshake     serverTLSBootstrap without a certificate yet: "internal
 *	              error"; a cipher or version that no client has
 *	anonymous     401: anonymous access is off
 *	certificate   not 401: kubelet's client CA is the one that signed
 *	              kubelet's own certificate, and so, as a rule, the API
 *	              server's
 *
 * kubelet authenticates first, and by what it has itself; then it asks the API
 * server whether that user may. So 403, 500 and an answer that does not come
 * all say that a certificate was accepted. kubelet asks for a certificate in
 * the handshake and refuses it later, with a status (tls.RequestClientCert), so
 * that a certificate never fails a handshake.
 *
 * The key goes to libcurl as the path of a file descriptor: of a file below the
 * node's root, whatever links lead there, or of memory, where it stands in the
 * kubeconfig. Each look has connections of its own, for there is a handshake to
 * see.
 *
 * Source: pkg/kubelet/server/server.go (InstallAuthFilter) and
 * cmd/kubelet/app/server.go (InitializeTLS); tried on a real kubelet 1.20.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/figures.h"
#include "host/kubelet-port.h"
#include "net/http.h"
#include "node/kubeconfig.h"

#define BODY_SIZE_MAX ((size_t)64 * 1024)
#define FD_PATH_SIZE  32

/* --- one question -------------------------------------------------------- */

static void see(struct kr_observation *ret, enum kr_seen seen, const char *why)
{
	*ret = (struct kr_observation){.seen = seen};
	strlcpy(ret->why, why, sizeof(ret->why));
}

static void see_everywhere(struct kr_kubelet_look *ret, enum kr_seen seen,
                           const char *why)
{
	see(&ret->handshake, seen, why);
	see(&ret->anonymous, seen, why);
	see(&ret->certificate, seen, why);
}

static void see_answer(const struct kr_http_answer *answer,
                       struct kr_observation *ret)
{
	switch (answer->error) {
	case KR_HTTP_ANSWERED:
		see(ret, KR_SEEN_ANSWERED, "");
		ret->status = answer->status;
		break;
	case KR_HTTP_CREDENTIAL:
		see(ret, KR_SEEN_UNTRIED,
		    "kubelet's client certificate or its key cannot be used");
		break;
	case KR_HTTP_TIMED_OUT:
		see(ret, answer->secured ? KR_SEEN_LATE : KR_SEEN_FAILED,
		    answer->words);
		break;
	default:
		see(ret, KR_SEEN_FAILED, answer->words);
		break;
	}
}

/* What one answer may take. A little time is given also at the deadline: an
 * answer that was not waited for would count as none. */
static uint64_t time_of(const struct kr_asking *asking)
{
	uint64_t left = kr_left_usec(asking->deadline_usec);

	if (left < KR_HEALTHZ_WAIT_USEC)
		return KR_HEALTHZ_WAIT_USEC;
	return left < KR_HEALTHZ_ONCE_USEC ? left : KR_HEALTHZ_ONCE_USEC;
}

/* Asks SERVER for /healthz. RET_HANDSHAKE may be NULL. 0; -EINTR; -ENOMEM. */
static int ask(const struct kr_http_server *server,
               const struct kr_asking *asking, struct kr_observation *ret,
               struct kr_observation *ret_handshake)
{
	_cleanup_http_transfer_ struct kr_http_transfer *t = NULL;
	struct kr_asking a = *asking;
	const struct kr_http_limits limits = {
		.connect_usec = KR_HEALTHZ_ONCE_USEC,
		.total_usec = time_of(asking),
		.body_size_max = BODY_SIZE_MAX,
		.accept = "*/*",
		.tick = kr_asking_tick,
		.closure = &a,
	};
	const struct kr_http_answer *answer;
	int r;

	r = kr_http_transfer_new(server, &limits, &t);
	if (r == -ENOPKG) {
		see(ret, KR_SEEN_UNTRIED, "this libcurl lacks what is needed");
		if (ret_handshake)
			*ret_handshake = *ret;
		return 0;
	}
	if (r < 0)
		return r;
	r = kr_http_get(t, "/healthz");
	if (r < 0)
		return r;
	answer = kr_http_answer(t);
	see_answer(answer, ret);
	if (ret_handshake && answer->secured)
		see(ret_handshake, KR_SEEN_ANSWERED, "");
	else if (ret_handshake)
		see(ret_handshake, KR_SEEN_FAILED, answer->words);
	return 0;
}

static int ask_with_certificate(const struct kr_kubelet_port *p,
                                const struct kr_http_server *anonymous,
                                const struct kr_asking *asking,
                                struct kr_observation *ret)
{
	_cleanup_kubeconfig_client_ struct kr_kubeconfig_client client = {
		.certificate_fd = -1, .key_fd = -1};
	char certificate[FD_PATH_SIZE], key[FD_PATH_SIZE];
	struct kr_http_server server = *anonymous;
	int r;

	if (!p->kubeconfig) {
		see(ret, KR_SEEN_UNTRIED, "kubelet has no --kubeconfig");
		return 0;
	}
	r = kr_kubeconfig_open_client(p->fs, p->kubeconfig, &client);
	if (r < 0)
		return r;
	if (client.why_not) {
		see(ret, KR_SEEN_UNTRIED, client.why_not);
		return 0;
	}
	snprintf(certificate, sizeof(certificate), "/proc/self/fd/%d",
	         client.certificate_fd);
	snprintf(key, sizeof(key), "/proc/self/fd/%d", client.key_fd);
	server.cert = certificate;
	server.key = key;
	return ask(&server, asking, ret, NULL);
}

/* 0; 1: RET says why it is not asked; -ENOMEM. */
static int find_server(const struct kr_own_port *port, char *url, size_t size,
                       struct kr_kubelet_look *ret)
{
	_cleanup_free_ char *reason = NULL;
	struct kr_plain_peer peer;
	char why[160];
	int r;

	if (port->why_not) {
		see_everywhere(ret, KR_SEEN_UNTRIED, port->why_not);
		return 1;
	}
	if (kr_plain_peer_parse(port->address, port->port, &peer) < 0) {
		see_everywhere(ret, KR_SEEN_UNTRIED,
		               "kubelet's address is not one of numbers");
		return 1;
	}
	if (kr_own_port_socket(port) == KR_OWN_SOCKET_OTHERS) {
		snprintf(why, sizeof(why),
		         "another process than kubelet[%d] answers at %s",
		         (int)port->pid, peer.name);
		see_everywhere(ret, KR_SEEN_FAILED, why);
		return 1;
	}
	r = kr_curl_load(&reason);
	if (r == -ENOPKG) {
		see_everywhere(ret, KR_SEEN_UNTRIED, reason);
		return 1;
	}
	snprintf(url, size, "https://%s", peer.name);
	return r;
}

int kr_kubelet_port_look(const struct kr_kubelet_port *port,
                         const struct kr_asking *asking,
                         struct kr_kubelet_look *ret)
{
	char url[KR_PLAIN_NAME_SIZE + sizeof("https://")];
	const struct kr_http_server server = {
		.url = url,
		.https = true,
		.own_port = true,
	};
	int r;

	*ret = (struct kr_kubelet_look){0};
	r = find_server(port->port, url, sizeof(url), ret);
	if (r != 0)
		return r < 0 ? r : 0;
	r = ask(&server, asking, &ret->anonymous, &ret->handshake);
	if (r < 0)
		return r;
	if (ret->handshake.seen != KR_SEEN_ANSWERED) {
		ret->certificate = ret->handshake;
		return 0;
	}
	return ask_with_certificate(port, &server, asking, &ret->certificate);
}

/* --- before and after ---------------------------------------------------- */

static void say(struct kr_kubelet_proof *ret, const char *what,
                const struct kr_observation *after)
{
	if (*ret->why)
		return;
	if (after->seen == KR_SEEN_ANSWERED)
		snprintf(ret->why, sizeof(ret->why), "%s: status %u", what,
		         after->status);
	else
		snprintf(ret->why, sizeof(ret->why), "%s: %s", what,
		         after->why);
}

static enum kr_proved judge_handshake(const struct kr_kubelet_look *before,
                                      const struct kr_kubelet_look *after,
                                      struct kr_kubelet_proof *ret)
{
	if (before->handshake.seen != KR_SEEN_ANSWERED ||
	    after->handshake.seen == KR_SEEN_UNTRIED)
		return KR_PROVED_UNTRIED;
	if (after->handshake.seen == KR_SEEN_ANSWERED)
		return KR_PROVED_YES;
	say(ret, "kubelet's port has no TLS any more", &after->handshake);
	return KR_PROVED_NO;
}

/* An answer that tells nothing of who asked: kubelet did not get to it. */
static bool tells_nothing(const struct kr_observation *after)
{
	return after->seen == KR_SEEN_UNTRIED || after->seen == KR_SEEN_LATE ||
	       (after->seen == KR_SEEN_ANSWERED && after->status >= 500);
}

static enum kr_proved judge_anonymous(const struct kr_kubelet_look *before,
                                      const struct kr_kubelet_look *after,
                                      const struct kr_kubelet_demand *demand,
                                      struct kr_kubelet_proof *ret)
{
	if (!demand->anonymous_off)
		return KR_PROVED_YES;
	if (before->anonymous.seen != KR_SEEN_ANSWERED ||
	    tells_nothing(&after->anonymous))
		return KR_PROVED_UNTRIED;
	if (after->anonymous.seen == KR_SEEN_ANSWERED &&
	    after->anonymous.status == 401)
		return KR_PROVED_YES;
	say(ret,
	    "kubelet must refuse requests without credentials (status 401)",
	    &after->anonymous);
	return KR_PROVED_NO;
}

static enum kr_proved judge_certificate(const struct kr_kubelet_look *before,
                                        const struct kr_kubelet_look *after,
                                        struct kr_kubelet_proof *ret)
{
	const struct kr_observation *a = &after->certificate;

	if (before->certificate.seen != KR_SEEN_ANSWERED) {
		say(ret, "the way in cannot be tried", &before->certificate);
		return KR_PROVED_UNTRIED;
	}
	if (before->certificate.status == 401) {
		say(ret, "kubelet refused its own client certificate before",
		    &before->certificate);
		return KR_PROVED_UNTRIED;
	}
	if (a->seen == KR_SEEN_UNTRIED || a->seen == KR_SEEN_LATE) {
		say(ret, "the way in cannot be tried", a);
		return KR_PROVED_UNTRIED;
	}
	if (a->seen == KR_SEEN_ANSWERED && a->status != 401)
		return KR_PROVED_YES;
	say(ret, "kubelet must accept its own client certificate", a);
	return KR_PROVED_NO;
}

void kr_kubelet_port_judge(const struct kr_kubelet_look *before,
                           const struct kr_kubelet_look *after,
                           const struct kr_kubelet_demand *demand,
                           struct kr_kubelet_proof *ret)
{
	*ret = (struct kr_kubelet_proof){0};
	ret->handshake = judge_handshake(before, after, ret);
	ret->anonymous = judge_anonymous(before, after, demand, ret);
	ret->certificate = judge_certificate(before, after, ret);
}

static bool is_refuted(const struct kr_kubelet_proof *p)
{
	return p->handshake == KR_PROVED_NO || p->anonymous == KR_PROVED_NO ||
	       p->certificate == KR_PROVED_NO;
}

int kr_kubelet_port_prove(const struct kr_kubelet_port *port,
                          const struct kr_kubelet_look *before,
                          const struct kr_kubelet_demand *demand,
                          const struct kr_asking *asking,
                          struct kr_kubelet_proof *ret)
{
	struct kr_kubelet_look after = {0};
	int r;

	/* without a handshake nothing was answered */
	if (before->handshake.seen != KR_SEEN_ANSWERED) {
		kr_kubelet_port_judge(before, &after, demand, ret);
		return 0;
	}
	for (;;) {
		r = kr_kubelet_port_look(port, asking, &after);
		if (r < 0)
			return r;
		kr_kubelet_port_judge(before, &after, demand, ret);
		if (!is_refuted(ret) ||
		    kr_left_usec(asking->deadline_usec) == 0)
			return 0;
		r = kr_asking_pause(asking);
		if (r < 0)
			return r;
	}
}
