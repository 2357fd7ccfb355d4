/* SPDX-License-Identifier: Apache-2.0 */

/*
 * HTTP over a plain socket.
 *
 * As much of HTTP/1 (RFC 9112) as one question needs: a request with
 * "Connection: close", and of the answer its status line,
 *
 *       HTTP/1.<digit> SP <three digits> (SP <reason> | nothing) (CR) LF
 *
 * Where the body is wanted the request is HTTP/1.0: then nothing is chunked,
 * and the body ends with the connection. Headers are passed over.
 *
 * Whatever is on that port may be anything: what does not begin like a status
 * line is refused at the first byte that differs, no more than the caller's
 * limit is ever read, no byte of the line gets into a message unless it is
 * printable ASCII, and one deadline holds for connecting, sending and reading
 * together.
 *
 * A port of this machine is reached by an address, never by a name: nothing is
 * resolved.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/macro.h"
#include "net/plain.h"

#define TICK_USEC (100 * KR_USEC_PER_MSEC)

int kr_plain_peer_parse(const char *address, unsigned port,
                        struct kr_plain_peer *ret)
{
	struct sockaddr_in *in = &ret->address.in;
	struct sockaddr_in6 *in6 = &ret->address.in6;
	char host[INET6_ADDRSTRLEN];

	*ret = (struct kr_plain_peer){0};
	if (port == 0 || port > UINT16_MAX)
		return -EINVAL;
	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		if (in->sin_addr.s_addr == htonl(INADDR_ANY))
			in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		ret->size = sizeof(*in);
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(ret->name, sizeof(ret->name), "%s:%u", host, port);
		return 0;
	}
	if (inet_pton(AF_INET6, address, &in6->sin6_addr) != 1)
		return -EINVAL;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	if (IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
		in6->sin6_addr = in6addr_loopback;
	ret->size = sizeof(*in6);
	inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
	snprintf(ret->name, sizeof(ret->name), "[%s]:%u", host, port);
	return 0;
}

/* Until FD is ready for EVENTS. 0, -ETIMEDOUT, -EINTR, ... */
static int wait_for(int fd, short events, const struct kr_plain_wait *wait)
{
	struct pollfd pfd = {.fd = fd, .events = events};

	for (;;) {
		uint64_t left = kr_left_usec(wait->deadline_usec);
		struct timespec ts;
		int n;

		if (wait->tick && wait->tick(wait->closure) != 0)
			return -EINTR;
		if (wait->tick && left > TICK_USEC)
			left = TICK_USEC;
		ts = (struct timespec){
			.tv_sec = (time_t)(left / KR_USEC_PER_SEC),
			.tv_nsec = (long)(left % KR_USEC_PER_SEC) * 1000,
		};
		n = ppoll(&pfd, 1, &ts, NULL);
		if (n < 0)
			return -errno;
		if (n > 0)
			return 0;
		if (kr_left_usec(wait->deadline_usec) == 0)
			return -ETIMEDOUT;
	}
}

int kr_plain_connect(const struct kr_plain_peer *peer,
                     const struct kr_plain_wait *wait)
{
	socklen_t size = sizeof(int);
	_cleanup_close_ int fd = -1;
	int error = 0, r;

	fd = socket(peer->address.any.sa_family,
	            SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, &peer->address.any, peer->size) == 0)
		return TAKE_FD(fd);
	if (errno != EINPROGRESS)
		return -errno;
	r = wait_for(fd, POLLOUT, wait);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return error ? -error : TAKE_FD(fd);
}

static int send_request(const struct kr_plain_question *q, int fd)
{
	char text[512];
	size_t sent = 0, size;

	size = (size_t)snprintf(text, sizeof(text),
	                        "%s %s HTTP/1.%d\r\n"
	                        "Host: %s\r\n"
	                        "User-Agent: " KR_NAME "/" KR_VERSION "\r\n"
	                        "Accept: */*\r\n"
	                        "Connection: close\r\n\r\n",
	                        q->method, q->path, q->hear ? 0 : 1,
	                        q->peer->name);
	assert(size < sizeof(text));
	while (sent < size) {
		ssize_t n = send(fd, text + sent, size - sent, MSG_NOSIGNAL);
		int r;

		if (n >= 0) {
			sent += (size_t)n;
			continue;
		}
		if (errno != EAGAIN)
			return -errno;
		r = wait_for(fd, POLLOUT, &q->wait);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What has come, SIZE bytes at most; 0: the end; an errno. A peer that always
 * has more does not keep us over the deadline. */
static ssize_t receive(const struct kr_plain_question *q, int fd, char *buffer,
                       size_t size)
{
	for (;;) {
		ssize_t n = recv(fd, buffer, size, 0);
		int r;

		if (n > 0 && kr_left_usec(q->wait.deadline_usec) == 0)
			return -ETIMEDOUT;
		if (n >= 0)
			return n;
		if (errno != EAGAIN)
			return -errno;
		r = wait_for(fd, POLLIN, &q->wait);
		if (r < 0)
			return r;
	}
}

/* --- the answer ---------------------------------------------------------- */

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

/* LINE, SIZE bytes, fits. */
static void take_line(const char *line, size_t size,
                      struct kr_plain_answer *ret)
{
	const char *status = line + strlen("HTTP/1.1 ");
	size_t length = size - (size_t)(status - line);

	if (length > 0 && status[length - 1] == '\r')
		length--;
	memcpy(ret->line, status, length);
	ret->line[length] = '\0';
	for (char *p = ret->line; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
	for (int i = 0; i < 3; i++)
		ret->status = ret->status * 10 + (unsigned)(status[i] - '0');
}

/* What has come of an answer, and is not dealt with yet. */
struct reading {
	char buffer[4096];
	size_t start, size; /* of what is in it */
	size_t total;       /* bytes that came so far */
	bool empty;         /* the line of the head at hand has had nothing */
	bool in_body;
};

/* Reads the status line, and leaves in R what came behind it. */
static int read_line(const struct kr_plain_question *q, int fd,
                     struct reading *r, struct kr_plain_answer *ret)
{
	size_t room = q->hear ? sizeof(r->buffer) : KR_PLAIN_LINE_SIZE;

	for (;;) {
		ssize_t n = receive(q, fd, r->buffer + r->size, room - r->size);
		const char *end;

		if (n < 0)
			return (int)n;
		if (n == 0) {
			ret->outcome = KR_PLAIN_CLOSED;
			return 0;
		}
		r->size += (size_t)n;
		r->total = r->size;
		end = memchr(r->buffer, '\n', r->size);
		if (!fits(r->buffer, r->size) ||
		    (end ? end - r->buffer : (ssize_t)r->size) >=
		            KR_PLAIN_LINE_SIZE) {
			ret->outcome = KR_PLAIN_NOT_HTTP;
			return 0;
		}
		if (!end)
			continue;
		take_line(r->buffer, (size_t)(end - r->buffer), ret);
		r->start = (size_t)(end - r->buffer) + 1;
		r->size -= r->start;
		return 0;
	}
}

/* Passes over what is left of the head. */
static void skip_head(struct reading *r)
{
	while (!r->in_body && r->size > 0) {
		char c = r->buffer[r->start];

		r->in_body = c == '\n' && r->empty;
		if (c != '\r')
			r->empty = c == '\n';
		r->start++;
		r->size--;
	}
}

/* Reads from the status line up to the end. */
static int read_rest(const struct kr_plain_question *q, int fd,
                     struct reading *r, struct kr_plain_answer *ret)
{
	r->empty = true;
	for (;;) {
		ssize_t n;
		int error;

		if (r->total > q->size_max) {
			ret->outcome = KR_PLAIN_TOO_LARGE;
			return 0;
		}
		skip_head(r);
		error = r->size > 0 ? q->hear(q->closure, r->buffer + r->start,
		                              r->size)
		                    : 0;
		if (error < 0)
			return error;
		n = receive(q, fd, r->buffer, sizeof(r->buffer));
		if (n < 0)
			return (int)n;
		if (n == 0) {
			if (!r->in_body)
				ret->outcome = KR_PLAIN_CLOSED;
			return 0;
		}
		r->start = 0;
		r->size = (size_t)n;
		r->total += r->size;
	}
}

static int ask(const struct kr_plain_question *q, struct kr_plain_answer *ret)
{
	struct reading reading = {.size = 0};
	_cleanup_close_ int fd = -1;
	int r;

	fd = kr_plain_connect(q->peer, &q->wait);
	if (fd < 0)
		return fd;
	r = send_request(q, fd);
	if (r < 0)
		return r;
	r = read_line(q, fd, &reading, ret);
	if (r < 0 || !q->hear || ret->status != 200)
		return r;
	return read_rest(q, fd, &reading, ret);
}

int kr_plain_ask(const struct kr_plain_question *question,
                 struct kr_plain_answer *ret)
{
	int r;

	*ret = (struct kr_plain_answer){.outcome = KR_PLAIN_ANSWERED};
	r = ask(question, ret);
	if (r >= 0 || r == -EINTR || r == -ENOMEM)
		return r;
	ret->outcome = r == -ETIMEDOUT ? KR_PLAIN_TIMED_OUT : KR_PLAIN_FAILED;
	ret->error = -r;
	return 0;
}

const char *kr_plain_words(const struct kr_plain_answer *answer)
{
	switch (answer->outcome) {
	case KR_PLAIN_ANSWERED:
		break;
	case KR_PLAIN_CLOSED:
		return "closed without an answer";
	case KR_PLAIN_NOT_HTTP:
		return "the answer must be HTTP";
	case KR_PLAIN_TOO_LARGE:
		return "the answer is too large";
	case KR_PLAIN_TIMED_OUT:
		return "no answer in time";
	case KR_PLAIN_FAILED:
		return strerror(answer->error);
	}
	return "";
}
