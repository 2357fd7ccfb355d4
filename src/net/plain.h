/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One question by HTTP over a plain socket, to an address of this machine; for
 * what must do without libcurl.
 */

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/* "[::1]:10248", with a NUL */
#define KR_PLAIN_NAME_SIZE (INET6_ADDRSTRLEN + 9)
/* of a status line, with a NUL */
#define KR_PLAIN_LINE_SIZE 256

/* Where a question goes. */
struct kr_plain_peer {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address;
	socklen_t size;
	char name[KR_PLAIN_NAME_SIZE]; /* as a URL has it */
};

/*
 * ADDRESS is an IPv4 or IPv6 address; those that mean "all of this machine's",
 * "0.0.0.0" and "::", are reached on the loopback. Names are not looked up.
 * 0; -EINVAL: no address, or port 0 or above 65535.
 */
int kr_plain_peer_parse(const char *address, unsigned port,
                        struct kr_plain_peer *ret);

/* Until when, and the function that is asked whether to go on. */
struct kr_plain_wait {
	uint64_t deadline_usec;     /* of kr_now_usec() */
	int (*tick)(void *closure); /* each 100 ms or more often; nonzero: stop.
	                             * NULL: not asked */
	void *closure;
};

/* A connection to PEER: an fd, which the caller closes; -EINTR: a signal, or
 * tick() said stop; -ETIMEDOUT; -ECONNREFUSED and others of connect(2). */
int kr_plain_connect(const struct kr_plain_peer *peer,
                     const struct kr_plain_wait *wait);

enum kr_plain_outcome {
	KR_PLAIN_ANSWERED,  /* there is a status, and all of the body */
	KR_PLAIN_CLOSED,    /* closed without an answer */
	KR_PLAIN_NOT_HTTP,  /* no status line */
	KR_PLAIN_TOO_LARGE, /* head and body are over SIZE_MAX */
	KR_PLAIN_TIMED_OUT,
	KR_PLAIN_FAILED, /* ERROR says how */
};

struct kr_plain_question {
	const struct kr_plain_peer *peer;
	const char *method, *path;
	struct kr_plain_wait wait;
	/* gets the body piece by piece where the status is 200, up to the
	 * connection's end; 0, or -ENOMEM. NULL: the status
	 * line is all that is read */
	int (*hear)(void *closure, const char *data, size_t size);
	void *closure;
	size_t size_max; /* of the answer, in bytes, where HEAR is given */
};

struct kr_plain_answer {
	enum kr_plain_outcome outcome;
	unsigned status; /* 0: there was none */
	/* the status and its reason, printable ASCII; "" */
	char line[KR_PLAIN_LINE_SIZE];
	int error; /* positive; of KR_PLAIN_FAILED */
};

/* Asks, once. 0: RET is filled; -EINTR: a signal, or tick() said stop;
 * -ENOMEM, which HEAR gave. */
int kr_plain_ask(const struct kr_plain_question *question,
                 struct kr_plain_answer *ret);

/* What went wrong, in words that stay; "" where it was answered. */
const char *kr_plain_words(const struct kr_plain_answer *answer);
