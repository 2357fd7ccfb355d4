/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who uses the read-only port.
 *
 * kubelet counts that itself, on that port's own /metrics:
 *
 *	kubelet_http_requests_total{long_running="false",method="GET",
 *		path="metrics",server_type="readonly"} 12
 *
 * A scrape is over in milliseconds, so the counter tells and a look at the
 * sockets does not. kubelet counts a request before it answers it, ours too: so
 * we ask with a method that does not exist. kubelet serves that as a GET and
 * counts it as method="other", which no scraper is. That our own request is in
 * the answer shows that the counter is what we take it for.
 *
 * Where there is no such counter (another answer than 200, metrics without it)
 * the sockets decide: a connection to the port that is open now. Where the
 * answer broke off or is not understood, they may say "used", not "not used".
 *
 * Source: ServeHTTP() of pkg/kubelet/server/server.go; tried on a real kubelet
 * 1.20. proc_pid_net(5), "tcp".
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "base/utf8.h"
#include "host/readonly-port.h"
#include "net/metrics.h"

#define METHOD "LOOK"
/* A busy node's metrics have some 500 KB. */
#define SIZE_MAX_BYTES   ((size_t)4 * 1024 * 1024)
#define TCP_ESTABLISHED_ 1

/* --- kubelet's counter --------------------------------------------------- */

struct counts {
	double others, ours;
	double most; /* of one sample of others */
	char most_of[128];
};

static void count(void *closure, const struct kr_metric_label *labels, size_t n,
                  double value)
{
	const char *method = kr_metric_label(labels, n, "method");
	const char *path = kr_metric_label(labels, n, "path");
	struct counts *c = closure;
	char text[256];

	if (strcmp(kr_metric_label(labels, n, "server_type"), "readonly") != 0)
		return;
	if (strcmp(method, "other") == 0 || strcmp(method, METHOD) == 0) {
		c->ours += value;
		return;
	}
	c->others += value;
	if (value <= c->most)
		return;
	c->most = value;
	snprintf(text, sizeof(text), "%s /%s", method, path + (*path == '/'));
	kr_utf8_show_some(text, strlen(text), c->most_of, sizeof(c->most_of));
}

static int hear(void *closure, const char *data, size_t size)
{
	kr_metrics_hear(closure, data, size);
	return 0;
}

/* A counter's value: it is a whole number of requests. */
static bool is_count(double value)
{
	return isfinite(value) && value >= 0 && value < 1e18;
}

/* --- the sockets --------------------------------------------------------- */

struct peers {
	size_t n;
	char first[INET6_ADDRSTRLEN];
};

/* ADDRESS as the kernel prints it: each 32 bits of it as one number. */
static bool read_address(const char *hex, char ret[static INET6_ADDRSTRLEN])
{
	size_t length = strcspn(hex, ":");
	uint32_t words[4];

	if (length != 8 && length != 32)
		return false;
	for (size_t i = 0; i < length / 8; i++) {
		if (sscanf(hex + 8 * i, "%8" SCNx32, &words[i]) != 1)
			return false;
	}
	return inet_ntop(length == 8 ? AF_INET : AF_INET6, words, ret,
	                 INET6_ADDRSTRLEN);
}

/* "  0: 0100007F:280F 0200007F:C350 01 ...": ours is the first address. */
static void read_row(const char *line, unsigned port, struct peers *ret)
{
	char local[64], remote[64], address[INET6_ADDRSTRLEN];
	unsigned state, its;
	const char *colon;

	if (sscanf(line, " %*[0-9]: %63s %63s %x", local, remote, &state) !=
	            3 ||
	    state != TCP_ESTABLISHED_)
		return;
	colon = strchr(local, ':');
	if (!colon || sscanf(colon, ":%x", &its) != 1 || its != port)
		return;
	if (ret->n++ == 0 && read_address(remote, address))
		strlcpy(ret->first, address, sizeof(ret->first));
}

/* 0; an errno of open(2): there is nothing to look at. */
static int read_table(const struct kr_own_port *port, const char *name,
                      struct peers *ret)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_close_ int fd = -1;
	char path[64], line[512];

	snprintf(path, sizeof(path), "%d/net/%s", (int)port->pid, name);
	fd = openat(port->proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	f = fdopen(fd, "re");
	if (!f)
		return -ENOMEM;
	fd = -1; /* the stream's */
	while (fgets(line, sizeof(line), f))
		read_row(line, port->port, ret);
	return 0;
}

/* --- together ------------------------------------------------------------ */

void kr_readonly_port_done(struct kr_readonly_port *readonly)
{
	free(readonly->why);
	*readonly = (struct kr_readonly_port){0};
}

/* WHY the counter does not tell; NULL: there is none, which leaves it to the
 * sockets alone. */
static int ask_sockets(const struct kr_own_port *port, const char *why,
                       struct kr_readonly_port *ret)
{
	struct peers peers = {0};
	int r;

	r = read_table(port, "tcp", &peers);
	if (r == -ENOMEM)
		return r;
	if (r < 0 && !why)
		why = "its connections may not be looked at";
	r = read_table(port, "tcp6", &peers); /* not there without IPv6 */
	if (r == -ENOMEM)
		return r;
	ret->n_peers = peers.n;
	if (peers.n > 0) {
		ret->use = KR_READONLY_USED;
		return kr_format(&ret->why,
		                 "the read-only port %u has %zu open "
		                 "connection%s, one from %s",
		                 port->port, peers.n, peers.n == 1 ? "" : "s",
		                 peers.first);
	}
	if (!why)
		return 0;
	ret->use = KR_READONLY_CANNOT_TELL;
	return kr_format(&ret->why,
	                 "who uses the read-only port %u is unknown: %s",
	                 port->port, why);
}

static int judge_counts(const struct kr_own_port *port, const struct counts *c,
                        struct kr_readonly_port *ret)
{
	if (!is_count(c->others) || !is_count(c->ours))
		return ask_sockets(port, "its counter is not understood", ret);
	ret->n_requests = (uint64_t)c->others;
	ret->n_requests += (double)ret->n_requests < c->others;
	if (ret->n_requests > 0) {
		ret->use = KR_READONLY_USED;
		return kr_format(&ret->why,
		                 "the read-only port %u was asked %" PRIu64
		                 " time%s by others since kubelet started, "
		                 "most often for %s",
		                 port->port, ret->n_requests,
		                 ret->n_requests == 1 ? "" : "s", c->most_of);
	}
	if (c->ours < 1)
		return ask_sockets(port, "it does not count our own request",
		                   ret);
	ret->counted = true;
	return 0;
}

static int judge(const struct kr_own_port *port,
                 const struct kr_plain_answer *answer,
                 const struct kr_metrics *metrics, const struct counts *counts,
                 struct kr_readonly_port *ret)
{
	if (answer->outcome != KR_PLAIN_ANSWERED)
		return ask_sockets(port, kr_plain_words(answer), ret);
	if (answer->status != 200)
		return ask_sockets(port, NULL, ret);
	if (metrics->malformed)
		return ask_sockets(port, "its metrics are not understood", ret);
	if (metrics->n_samples == 0)
		return ask_sockets(port, NULL, ret);
	return judge_counts(port, counts, ret);
}

int kr_readonly_port_ask(const struct kr_own_port *port,
                         const struct kr_asking *asking,
                         struct kr_readonly_port *ret)
{
	struct kr_asking a = *asking;
	struct counts counts = {0};
	struct kr_metrics metrics = {
		.name = "kubelet_http_requests_total",
		.tell = count,
		.closure = &counts,
	};
	struct kr_plain_peer peer;
	const struct kr_plain_question question = {
		.peer = &peer,
		.method = METHOD,
		.path = "/metrics",
		.wait = {a.deadline_usec, kr_asking_tick, &a},
		.hear = hear,
		.closure = &metrics,
		.size_max = SIZE_MAX_BYTES,
	};
	struct kr_plain_answer answer;
	int r;

	*ret = (struct kr_readonly_port){.use = KR_READONLY_CANNOT_TELL};
	if (port->why_not)
		return kr_format(&ret->why, "%s", port->why_not);
	if (port->port == 0) {
		ret->use = KR_READONLY_NOT_USED;
		return 0;
	}
	if (kr_plain_peer_parse(port->address, port->port, &peer) < 0)
		return kr_format(&ret->why, "'%s' is no address",
		                 port->address);
	if (kr_own_port_socket(port) == KR_OWN_SOCKET_OTHERS)
		return kr_format(&ret->why,
		                 "another process than kubelet[%d] listens at "
		                 "%s",
		                 (int)port->pid, peer.name);
	r = kr_plain_ask(&question, &answer);
	if (r < 0)
		return r;
	kr_metrics_end(&metrics);
	ret->use = KR_READONLY_NOT_USED;
	return judge(port, &answer, &metrics, &counts, ret);
}
