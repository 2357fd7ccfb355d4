/* SPDX-License-Identifier: Apache-2.0 */

/*
 * GET /healthz.
 *
 * As much of HTTP/1.1 (RFC 9112) as one question needs: a request with
 * "Connection: close", and of the answer its status line,
 *
 *       HTTP/1.<digit> SP <three digits> (SP <reason> | nothing) (CR) LF
 *
 * The verdict is the status; headers and body are not read. Whatever is on that
 * port may be anything: what does not begin like a status line is refused at
 * the first byte that differs, no more than LINE_MAX_BYTES are ever read, no
 * byte of it gets into a message unless it is printable ASCII, and one deadline
 * holds for connecting, sending and reading together.
 *
 * A health port is reached by an address, never by a name: nothing is resolved.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "host/healthz.h"

#define LINE_MAX_BYTES 256

struct peer {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address;
	socklen_t size;
	char name[INET6_ADDRSTRLEN + 9]; /* "[::1]:10248" */
};

static void add_reason(struct kr_diag *diag, const struct peer *peer,
                       const char *text)
{
	kr_diag_add(diag, KR_NOTE, "healthz", KR_SPAN_NONE,
	            "http://%s/healthz: %s", peer->name, text);
}

static int parse_peer(struct peer *peer, const char *text, unsigned port)
{
	struct sockaddr_in *in = &peer->address.in;
	struct sockaddr_in6 *in6 = &peer->address.in6;
	char host[INET6_ADDRSTRLEN];

	if (port == 0 || port > UINT16_MAX)
		return -EINVAL;
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		if (in->sin_addr.s_addr == htonl(INADDR_ANY))
			in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		peer->size = sizeof(*in);
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(peer->name, sizeof(peer->name), "%s:%u", host, port);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		return -EINVAL;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	if (IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
		in6->sin6_addr = in6addr_loopback;
	peer->size = sizeof(*in6);
	inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
	snprintf(peer->name, sizeof(peer->name), "[%s]:%u", host, port);
	return 0;
}

/* Until FD is ready for EVENTS. 0, -ETIMEDOUT, -EINTR, ... */
static int wait_for(int fd, short events, uint64_t deadline_usec)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	uint64_t left = kr_left_usec(deadline_usec);
	struct timespec ts = {
		.tv_sec = (time_t)(left / KR_USEC_PER_SEC),
		.tv_nsec = (long)(left % KR_USEC_PER_SEC) * 1000,
	};
	int n = ppoll(&pfd, 1, &ts, NULL);

	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

static int open_connection(const struct peer *peer, int fd,
                           uint64_t deadline_usec)
{
	socklen_t size = sizeof(int);
	int error = 0, r;

	if (connect(fd, &peer->address.any, peer->size) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	r = wait_for(fd, POLLOUT, deadline_usec);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

static int send_request(const struct peer *peer, int fd, uint64_t deadline_usec)
{
	char text[256];
	size_t sent = 0, size;

	size = (size_t)snprintf(text, sizeof(text),
	                        "GET /healthz HTTP/1.1\r\n"
	                        "Host: %s\r\n"
	                        "User-Agent: " KR_NAME "/" KR_VERSION "\r\n"
	                        "Accept: */*\r\n"
	                        "Connection: close\r\n\r\n",
	                        peer->name);
	while (sent < size) {
		ssize_t n = send(fd, text + sent, size - sent, MSG_NOSIGNAL);
		int r = 0;

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			r = wait_for(fd, POLLOUT, deadline_usec);
		else
			r = -errno;
		if (r < 0)
			return r;
	}
	return 0;
}

/* Is TEXT the beginning of a status line, as far as it goes? */
static bool fits(const char *text, size_t size)
{
	static const char shape[] = "HTTP/1.d ddd";

	for (size_t i = 0; i < size && shape[i]; i++) {
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9'
		                    : text[i] != shape[i])
			return false;
	}
	return size < sizeof(shape) || strchr(" \r\n", text[sizeof(shape) - 1]);
}

/* Reads the status line, without its end. 0; -EBADMSG: it is none; 1: the
 * peer closed the connection before. */
static int read_line(int fd, uint64_t deadline_usec,
                     char ret[static LINE_MAX_BYTES])
{
	char line[LINE_MAX_BYTES];
	size_t size = 0;

	while (size < sizeof(line)) {
		ssize_t n = recv(fd, line + size, sizeof(line) - size, 0);
		const char *end;
		int r;

		if (n == 0)
			return 1;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n < 0) {
			r = wait_for(fd, POLLIN, deadline_usec);
			if (r < 0)
				return r;
			continue;
		}
		size += (size_t)n;
		if (!fits(line, size))
			return -EBADMSG;
		end = memchr(line, '\n', size);
		if (!end)
			continue;
		size = (size_t)(end - line);
		if (size > 0 && line[size - 1] == '\r')
			size--;
		memcpy(ret, line, size);
		ret[size] = '\0';
		return 0;
	}
	return -EBADMSG;
}

static enum kr_health judge(struct kr_diag *diag, const struct peer *peer,
                            char *line)
{
	const char *status = line + strlen("HTTP/1.1 ");

	if (strncmp(status, "200", 3) == 0)
		return KR_HEALTHY;
	for (char *p = line; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
	add_reason(diag, peer, status);
	return KR_UNHEALTHY;
}

/* 0, 1 (closed without an answer) or what failed; LINE is set with 0. */
static int ask(const struct peer *peer, int fd, uint64_t deadline_usec,
               char line[static LINE_MAX_BYTES])
{
	int r;

	r = open_connection(peer, fd, deadline_usec);
	if (r >= 0)
		r = send_request(peer, fd, deadline_usec);
	if (r >= 0)
		r = read_line(fd, deadline_usec, line);
	return r;
}

int kr_healthz_get(const char *address, unsigned port, uint64_t timeout_usec,
                   struct kr_diag *diag, enum kr_health *ret)
{
	_cleanup_close_ int fd = -1;
	struct peer peer = {0};
	char line[LINE_MAX_BYTES];
	int r;

	r = parse_peer(&peer, address, port);
	if (r < 0)
		return r;
	fd = socket(peer.address.any.sa_family,
	            SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = ask(&peer, fd, kr_now_usec() + timeout_usec, line);
	switch (r) {
	case 0:
		*ret = judge(diag, &peer, line);
		return 0;
	case -EINTR:
		return r;
	case 1:
		add_reason(diag, &peer, "closed without an answer");
		break;
	case -EBADMSG:
		add_reason(diag, &peer, "the answer must be HTTP");
		break;
	case -ETIMEDOUT:
		add_reason(diag, &peer, "no answer in time");
		break;
	default:
		add_reason(diag, &peer, strerror(-r));
		break;
	}
	*ret = KR_NO_ANSWER;
	return 0;
}
