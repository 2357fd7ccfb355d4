/* SPDX-License-Identifier: Apache-2.0 */

/*
 * GET by libcurl.
 *
 * A transfer is one easy handle that is set up once and used again and again,
 * by itself or in a multi handle. What must hold for every one of them is a
 * table (fixed[]): a libcurl that does not take a row of it is not used.
 *
 *   redirects     are not followed: they would carry the question, if not the
 *                 token, to where the user did not point
 *   certificates  are always verified, the host's name too; with a CA file of
 *                 the user's nothing else is trusted, not the system's either.
 *                 But for a port of this machine that is asked whether it
 *                 serves: there is no secret in the question, nor in a client's
 *                 certificate, whose key stays here
 *   proxies       http_proxy and its like are obeyed for https alone, where a
 *                 proxy only passes bytes on. Plain http is for this machine,
 *                 or was allowed to go to one host, not by way of a third one
 *   HTTP/1.1      what "kubectl proxy" speaks and what every libcurl has: one
 *                 question at a time on a connection, whatever was built in
 *   prompts       none: a key with a passphrase is refused, not asked for
 *   the body      never grows over the limit; no compression, which could
 *
 * The words of a fault are ours, with libcurl's own added where it knows more
 * (which certificate, which of its checks). A peer has its part in those: they
 * are shown as base/utf8 does it. libcurl names files and hosts there, no
 * credentials.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "net/http.h"

/* Of Retry-After: a day, longer than a run waits. */
#define RETRY_AFTER_MAX 86400
/* An RSA-signed token of a service account has about 1 KB. */
#define TOKEN_MAX_BYTES 16384
#define JSON            "application/json"

/* 7.85 has it; where the headers are older, the library need not be. */
#if LIBCURL_VERSION_NUM < 0x075500
#define CURLOPT_PROTOCOLS_STR ((CURLoption)(CURLOPTTYPE_OBJECTPOINT + 318))
#endif
/* What stands for it before; headers call it deprecated. */
#define PROTOCOLS ((CURLoption)(CURLOPTTYPE_LONG + 181))

struct kr_http_transfer {
	const struct kr_http_server *server;
	struct kr_http_limits limits;
	struct kr_http_answer answer;
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	size_t allocated;
	bool too_large, no_memory;
	char error[CURL_ERROR_SIZE];
};

/* --- the answer ---------------------------------------------------------- */

static void fail(struct kr_http_transfer *t, enum kr_http_error error,
                 const char *format, ...) _printf_(3, 4);

static void fail(struct kr_http_transfer *t, enum kr_http_error error,
                 const char *format, ...)
{
	char words[sizeof(t->answer.words)];
	va_list args;

	t->answer.error = error;
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	kr_utf8_show_some(words, strlen(words), t->answer.words,
	                  sizeof(t->answer.words));
}

/* Appends to the body; what libcurl is to return to the transfer. */
static size_t take_body(char *data, size_t one, size_t size, void *closure)
{
	struct kr_http_transfer *t = closure;
	size_t have = t->answer.body_size, want = have + size + 1;

	if (size > t->limits.body_size_max - have) {
		t->too_large = true;
		return 0;
	}
	if (want > t->allocated) {
		size_t room = want > 2 * t->allocated ? want : 2 * t->allocated;
		char *grown = realloc(t->body, room);

		if (!grown) {
			t->no_memory = true;
			return 0;
		}
		t->body = grown;
		t->allocated = room;
	}
	memcpy(t->body + have, data, size);
	t->body[have + size] = '\0';
	t->answer.body_size += size;
	return size;
}

static int ask_tick(void *closure, curl_off_t download_total,
                    curl_off_t downloaded, curl_off_t upload_total,
                    curl_off_t uploaded)
{
	struct kr_http_transfer *t = closure;

	return t->limits.tick(t->limits.closure) != 0;
}

/* --- setting up ---------------------------------------------------------- */

static const struct {
	CURLoption option;
	long value;
} fixed[] = {
	{CURLOPT_NOSIGNAL, 1},
	{CURLOPT_FOLLOWLOCATION, 0},
	{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
	{CURLOPT_HTTP09_ALLOWED, 0},
	{CURLOPT_HTTPGET, 1},
	{CURLOPT_SSL_VERIFYPEER, 1},
	{CURLOPT_SSL_VERIFYHOST, 2},
	{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
};

static bool set_fixed(struct kr_http_transfer *t)
{
	long protocols = CURLPROTO_HTTP | CURLPROTO_HTTPS;

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (sym_curl_easy_setopt(t->easy, fixed[i].option,
		                         fixed[i].value) != CURLE_OK)
			return false;
	}
	return sym_curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR,
	                            "http,https") == CURLE_OK ||
	       sym_curl_easy_setopt(t->easy, PROTOCOLS, protocols) == CURLE_OK;
}

/* A string, which is copied, or a pointer to what stays. */
static bool set(struct kr_http_transfer *t, CURLoption option,
                const void *value)
{
	return sym_curl_easy_setopt(t->easy, option, value) == CURLE_OK;
}

static bool set_time(struct kr_http_transfer *t, CURLoption option,
                     uint64_t usec)
{
	/* 0 would mean for ever */
	long msec = (long)((usec + KR_USEC_PER_MSEC - 1) / KR_USEC_PER_MSEC);

	return sym_curl_easy_setopt(t->easy, option, msec > 0 ? msec : 1) ==
	       CURLE_OK;
}

static bool set_server(struct kr_http_transfer *t)
{
	const struct kr_http_server *s = t->server;

	if ((!s->https || s->own_port) &&
	    !set(t, CURLOPT_PROXY, "")) /* not the environment's */
		return false;
	if (!s->https)
		return true;
	if (s->own_port &&
	    (sym_curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 0L) !=
	             CURLE_OK ||
	     sym_curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 0L) !=
	             CURLE_OK))
		return false;
	if (s->cacert && (!set(t, CURLOPT_CAINFO, s->cacert) ||
	                  !set(t, CURLOPT_CAPATH, NULL)))
		return false;
	return !s->cert || (set(t, CURLOPT_SSLCERT, s->cert) &&
	                    set(t, CURLOPT_SSLKEY, s->key) &&
	                    set(t, CURLOPT_KEYPASSWD, ""));
}

static bool set_callbacks(struct kr_http_transfer *t)
{
	if (sym_curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, take_body) !=
	            CURLE_OK ||
	    !set(t, CURLOPT_WRITEDATA, t) || !set(t, CURLOPT_PRIVATE, t) ||
	    !set(t, CURLOPT_ERRORBUFFER, t->error))
		return false;
	if (!t->limits.tick)
		return true;
	return sym_curl_easy_setopt(t->easy, CURLOPT_XFERINFOFUNCTION,
	                            ask_tick) == CURLE_OK &&
	       set(t, CURLOPT_XFERINFODATA, t) &&
	       sym_curl_easy_setopt(t->easy, CURLOPT_NOPROGRESS, 0L) ==
	               CURLE_OK;
}

/* NULL when memory runs out. */
static struct curl_slist *accept_header(const char *accept)
{
	_cleanup_free_ char *line = NULL;

	if (asprintf(&line, "Accept: %s", accept ? accept : JSON) < 0) {
		line = NULL;
		return NULL;
	}
	return sym_curl_slist_append(NULL, line);
}

int kr_http_transfer_new(const struct kr_http_server *server,
                         const struct kr_http_limits *limits,
                         struct kr_http_transfer **ret)
{
	_cleanup_http_transfer_ struct kr_http_transfer *t = NULL;

	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->server = server;
	t->limits = *limits;
	t->easy = sym_curl_easy_init();
	t->headers = accept_header(limits->accept);
	if (!t->easy || !t->headers)
		return -ENOMEM;
	if (!set_fixed(t))
		return -ENOPKG;
	if (!set_server(t) || !set_callbacks(t) ||
	    !set(t, CURLOPT_HTTPHEADER, t->headers) ||
	    !set(t, CURLOPT_USERAGENT, KR_NAME "/" KR_VERSION) ||
	    !set_time(t, CURLOPT_CONNECTTIMEOUT_MS, limits->connect_usec) ||
	    !set_time(t, CURLOPT_TIMEOUT_MS, limits->total_usec))
		return -ENOMEM;
	*ret = TAKE_PTR(t);
	return 0;
}

struct kr_http_transfer *kr_http_transfer_free(struct kr_http_transfer *t)
{
	if (!t)
		return NULL;
	if (t->easy)
		sym_curl_easy_cleanup(t->easy);
	if (t->headers)
		sym_curl_slist_free_all(t->headers);
	free(t->body);
	free(t);
	return NULL;
}

/* --- the token ----------------------------------------------------------- */

/* The words of a bearer token (RFC 6750): no blank, nothing that could end a
 * header. */
static bool is_token(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	return *text;
}

/* Reads the file into TOKEN. 0; -EINVAL: it holds none; errno of open(2) and
 * read(2). */
static int read_token(const char *path, char token[static TOKEN_MAX_BYTES])
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t size = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	while (size < TOKEN_MAX_BYTES) {
		ssize_t n = read(fd, token + size, TOKEN_MAX_BYTES - size);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += (size_t)n;
	}
	if (size == TOKEN_MAX_BYTES)
		return -EINVAL;
	while (size > 0 && strchr(" \t\r\n", token[size - 1]))
		size--;
	token[size] = '\0';
	return strlen(token) == size && is_token(token) ? 0 : -EINVAL;
}

static int set_bearer(struct kr_http_transfer *t, const char *token)
{
	if (!set(t, CURLOPT_XOAUTH2_BEARER, token) ||
	    sym_curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH,
	                         (long)CURLAUTH_BEARER) != CURLE_OK)
		return -ENOMEM;
	return 0;
}

/* 0; 1: the answer says why not; -ENOMEM. */
static int set_token(struct kr_http_transfer *t)
{
	const char *path = t->server->token_file;
	char token[TOKEN_MAX_BYTES];
	int r;

	if (!path)
		return 0;
	r = read_token(path, token);
	if (r >= 0)
		r = set_bearer(t, token);
	explicit_bzero(token, sizeof(token));
	if (r >= 0 || r == -ENOMEM)
		return r;
	if (r == -EINVAL)
		fail(t, KR_HTTP_CREDENTIAL,
		     "%s must be a file with one token in it", path);
	else
		fail(t, KR_HTTP_CREDENTIAL, "%s cannot be read: %s", path,
		     strerror(-r));
	return 1;
}

/* --- one question -------------------------------------------------------- */

int kr_http_start(struct kr_http_transfer *t, const char *path)
{
	_cleanup_free_ char *url = NULL;
	int r;

	t->answer = (struct kr_http_answer){
		.named = t->server->token_file || t->server->cert,
	};
	t->too_large = t->no_memory = false;
	t->error[0] = '\0';
	r = set_token(t);
	if (r != 0)
		return r;
	if (asprintf(&url, "%s%s", t->server->url, path) < 0) {
		url = NULL;
		return -ENOMEM;
	}
	return set(t, CURLOPT_URL, url) ? 0 : -ENOMEM;
}

/*
 * A line of the answer's head that is over libcurl's own limit (100 KB) is "out
 * of memory" to it, and from 8.6 on "too large". It is the server that chooses
 * how long it is, so it must be no end of ours.
 */
#define TOO_LARGE ((CURLcode)100)
#define LONG_HEAD                                                              \
	"the answer's head is too long, or libcurl has no memory for it"

static const struct {
	CURLcode code;
	enum kr_http_error error;
	const char *words;
	bool detail; /* libcurl's own words go behind */
} faults[] = {
	{CURLE_COULDNT_RESOLVE_HOST, KR_HTTP_UNREACHED,
         "the host's name is not known"},
	{CURLE_COULDNT_RESOLVE_PROXY, KR_HTTP_UNREACHED,
         "the name of the proxy in the environment is not known"},
	{CURLE_OPERATION_TIMEDOUT, KR_HTTP_TIMED_OUT, "no answer in time"},
	{CURLE_PEER_FAILED_VERIFICATION, KR_HTTP_TLS,
         "the server's certificate is not accepted", true},
	{CURLE_SSL_CONNECT_ERROR, KR_HTTP_TLS, "no TLS connection", true},
	{CURLE_SSL_CACERT_BADFILE, KR_HTTP_CREDENTIAL,
         "the certificates of --cacert cannot be used", true},
	{CURLE_SSL_CERTPROBLEM, KR_HTTP_CREDENTIAL,
         "the certificate of --cert or its key cannot be used", true},
	{CURLE_OUT_OF_MEMORY, KR_HTTP_OTHER, LONG_HEAD},
	{TOO_LARGE, KR_HTTP_OTHER, LONG_HEAD},
	{CURLE_GOT_NOTHING, KR_HTTP_CUT, "closed without an answer"},
	{CURLE_PARTIAL_FILE, KR_HTTP_CUT, "closed before the answer's end"},
	{CURLE_RECV_ERROR, KR_HTTP_CUT, "the connection was lost"},
	{CURLE_SEND_ERROR, KR_HTTP_CUT, "the connection was lost"},
	{CURLE_UNSUPPORTED_PROTOCOL, KR_HTTP_CUT, "the answer must be HTTP"},
	{CURLE_WEIRD_SERVER_REPLY, KR_HTTP_CUT, "the answer must be HTTP"},
};

/* CURLE_COULDNT_CONNECT: no listener, or no way there. */
static void fail_to_connect(struct kr_http_transfer *t)
{
	long code = 0;

	sym_curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &code);
	if (code == ECONNREFUSED && t->server->loopback)
		fail(t, KR_HTTP_REFUSED,
		     "connection refused: is kubectl proxy running?");
	else if (code == ECONNREFUSED)
		fail(t, KR_HTTP_REFUSED, "connection refused");
	else if (code > 0)
		fail(t, KR_HTTP_UNREACHED, "no connection: %s",
		     strerror((int)code));
	else /* none was tried: there was no socket for it */
		fail(t, KR_HTTP_UNREACHED,
		     "no connection: are there file descriptors left "
		     "(ulimit -n)?");
}

static void fail_with(struct kr_http_transfer *t, CURLcode code)
{
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		if (faults[i].code != code)
			continue;
		if (faults[i].detail && *t->error)
			fail(t, faults[i].error, "%s: %s", faults[i].words,
			     t->error);
		else
			fail(t, faults[i].error, "%s", faults[i].words);
		return;
	}
	fail(t, KR_HTTP_OTHER, "%s",
	     *t->error ? t->error : sym_curl_easy_strerror(code));
}

static void take_answer(struct kr_http_transfer *t)
{
	curl_off_t retry_after = 0;
	long status = 0;

	sym_curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	sym_curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after);
	t->answer.status = (unsigned)status;
	if (retry_after > RETRY_AFTER_MAX)
		retry_after = RETRY_AFTER_MAX;
	if (retry_after > 0)
		t->answer.retry_after_usec =
			(uint64_t)retry_after * KR_USEC_PER_SEC;
	if (t->answer.body_size > 0)
		t->answer.body = t->body;
}

int kr_http_finish(struct kr_http_transfer *t, CURLcode code)
{
	double secured = 0;

	/* the time until TLS was agreed on; 0: it was not */
	sym_curl_easy_getinfo(t->easy, CURLINFO_APPCONNECT_TIME, &secured);
	t->answer.secured = secured > 0;
	if (code == CURLE_OK) {
		take_answer(t);
		return 0;
	}
	if (t->no_memory)
		return -ENOMEM;
	if (code == CURLE_ABORTED_BY_CALLBACK) {
		fail(t, KR_HTTP_STOPPED, "stopped");
		return -EINTR;
	}
	if (t->too_large)
		fail(t, KR_HTTP_TOO_LARGE,
		     "the answer must be at most %zu bytes long",
		     t->limits.body_size_max);
	else if (code == CURLE_COULDNT_CONNECT)
		fail_to_connect(t);
	else
		fail_with(t, code);
	return 0;
}

int kr_http_get(struct kr_http_transfer *t, const char *path)
{
	int r = kr_http_start(t, path);

	if (r != 0)
		return r < 0 ? r : 0;
	return kr_http_finish(t, sym_curl_easy_perform(t->easy));
}

const struct kr_http_answer *kr_http_answer(const struct kr_http_transfer *t)
{
	return &t->answer;
}

CURL *kr_http_easy(const struct kr_http_transfer *t)
{
	return t->easy;
}

struct kr_http_transfer *kr_http_transfer_of(CURL *easy)
{
	char *t = NULL;

	sym_curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
	return (struct kr_http_transfer *)(void *)t;
}

void kr_http_set_total(struct kr_http_transfer *t, uint64_t total_usec)
{
	t->limits.total_usec = total_usec;
	set_time(t, CURLOPT_TIMEOUT_MS, total_usec);
}

int kr_http_escape(const char *name, char **ret)
{
	char *text;

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	text = sym_curl_easy_escape(NULL, name, 0);
	if (!text)
		return -ENOMEM;
	*ret = strdup(text);
	sym_curl_free(text);
	return *ret ? 0 : -ENOMEM;
}
