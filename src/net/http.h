/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * GET from a Kubernetes API server, or from a "kubectl proxy" before one, by
 * libcurl: what is asked, how long and how much, and what may go wrong.
 *
 * One question:
 *
 *	kr_http_server_new(), kr_http_transfer_new(), kr_http_get()
 *
 * Many at once, over kept connections: a transfer for each question that is
 * open at one time, all used again and again. For each of them
 *
 *	kr_http_start(t, path);
 *	sym_curl_multi_add_handle(multi, kr_http_easy(t));
 *	... CURLMSG_DONE: t = kr_http_transfer_of(msg->easy_handle)
 *	sym_curl_multi_remove_handle(multi, kr_http_easy(t));
 *	kr_http_finish(t, msg->data.result);
 *
 * The connections belong to the multi handle then: set its limits there.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "net/curl.h"
#include "net/http-server.h"

struct kr_http_transfer;

enum kr_http_error {
	KR_HTTP_ANSWERED,   /* there are a status and a body */
	KR_HTTP_REFUSED,    /* no listener there */
	KR_HTTP_UNREACHED,  /* no route, no such host, no proxy */
	KR_HTTP_TIMED_OUT,  /* too slow, to connect or to answer */
	KR_HTTP_TLS,        /* not who it should be, or no https */
	KR_HTTP_TOO_LARGE,  /* more bytes than were allowed */
	KR_HTTP_CUT,        /* not HTTP, or closed before the end */
	KR_HTTP_CREDENTIAL, /* a file of ours: token, certificate, key, CA */
	KR_HTTP_STOPPED,    /* tick() said so */
	KR_HTTP_OTHER,      /* what libcurl says */
	_KR_HTTP_ERROR_MAX,
};

/* What holds for each question. */
struct kr_http_limits {
	uint64_t connect_usec;      /* until there is a connection, TLS too */
	uint64_t total_usec;        /* until the answer's last byte */
	size_t body_size_max;       /* bytes of the answer */
	const char *accept;         /* media types; NULL: JSON */
	int (*tick)(void *closure); /* "shall I go on?", each second or more
	                             * often; nonzero: no. NULL: not asked */
	void *closure;
};

struct kr_http_answer {
	enum kr_http_error error;
	bool secured;     /* TLS was agreed on, whatever came then */
	bool named;       /* credentials of ours went with the question */
	char words[256];  /* what went wrong, one line as kr_utf8_show() shows
	                   * it; neither URL nor path nor credentials in it,
	                   * so that the same fault has the same words; ""
	                   * for KR_HTTP_ANSWERED */
	unsigned status;  /* 100 to 999 for KR_HTTP_ANSWERED, else 0 */
	const char *body; /* with a NUL behind it, or NULL: none came */
	size_t body_size;
	uint64_t retry_after_usec; /* Retry-After, seconds or a date; 0 */
};

/*
 * Room for one question at a time to SERVER, which must live longer. LIMITS
 * are copied. 0; -ENOMEM; -ENOPKG: this libcurl lacks what is needed.
 */
int kr_http_transfer_new(const struct kr_http_server *server,
                         const struct kr_http_limits *limits,
                         struct kr_http_transfer **ret);
struct kr_http_transfer *kr_http_transfer_free(struct kr_http_transfer *t);
DEFINE_FREEP(struct kr_http_transfer, kr_http_transfer_free);
#define _cleanup_http_transfer_ _cleanup_(kr_http_transfer_freep)

/*
 * Asks for PATH, which begins with a slash and is percent-encoded where it must
 * be (it may have a query), and waits for the answer. 0: see
 * kr_http_answer(); -EINTR: tick() said stop; -ENOMEM.
 */
int kr_http_get(struct kr_http_transfer *t, const char *path);

/* What the last question gave; borrowed until the next one. */
const struct kr_http_answer *kr_http_answer(const struct kr_http_transfer *t);

/*
 * The same in steps, for curl_multi. kr_http_start() forgets the last answer,
 * reads the token (it changes while we run) and sets the URL: 0; 1: there is
 * an answer already, nothing is to be sent (the token's file cannot be read);
 * -ENOMEM. kr_http_finish() makes the answer of what libcurl gave: 0, -EINTR or
 * -ENOMEM, as kr_http_get().
 */
int kr_http_start(struct kr_http_transfer *t, const char *path);
int kr_http_finish(struct kr_http_transfer *t, CURLcode code);
CURL *kr_http_easy(const struct kr_http_transfer *t);
struct kr_http_transfer *kr_http_transfer_of(CURL *easy);

/* Another time for the questions from now on. */
void kr_http_set_total(struct kr_http_transfer *t, uint64_t total_usec);

/*
 * NAME as one segment of a path: all but letters, digits and "-._~" encoded.
 * 0 and *RET, which the caller frees; -EINVAL: empty, "." or "..", which no
 * encoding makes a segment; -ENOMEM.
 */
int kr_http_escape(const char *name, char **ret);
