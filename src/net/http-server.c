/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where the API server is, and who we are there.
 *
 * What must hold: no credential goes where it can be read or where it was not
 * meant to go. So
 *
 *   plain http   goes to this machine only, as "kubectl proxy" is meant; what
 *                the name "localhost" and the addresses of the loopback mean
 *                is decided by text, no other name is looked up for it
 *   a token      goes over https, or to a loopback port that the user named
 *                together with it
 *   in a pod     token and CA of the service account are taken together or not
 *                at all: the token is for whom that CA vouches for
 *   in a URL     no user, no password: it would be in argv and in messages.
 *                A URL that is not understood is not repeated, as it may hold
 *                one
 *
 * HOSTNAME_PORT is the variable of the CIS benchmarks' audit text ("export
 * HOSTNAME_PORT=localhost:8001"), used there as http://${HOSTNAME_PORT}/api/...
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "net/curl.h"
#include "net/http-server.h"

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

static int refuse(char **ret_reason, const char *format, ...) _printf_(2, 3);

/* -EINVAL with the reason in *RET_REASON, or -ENOMEM. */
static int refuse(char **ret_reason, const char *format, ...)
{
	char *reason = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = kr_vformat(&reason, format, args);
	va_end(args);
	if (r < 0)
		return r;
	*ret_reason = reason;
	return -EINVAL;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static bool in_pod(void)
{
	return environment("KUBERNETES_SERVICE_HOST") &&
	       access(ACCOUNT "token", F_OK) == 0;
}

/* The URL as it was said, with a scheme. NULL when memory runs out. */
static char *choose_url(const struct kr_api_options *o)
{
	const char *said = o->url ? o->url : environment("HOSTNAME_PORT");
	const char *host = environment("KUBERNETES_SERVICE_HOST");
	const char *port = environment("KUBERNETES_SERVICE_PORT");
	bool is_ipv6 = host && strchr(host, ':');
	char *url;
	int r;

	if (said)
		r = asprintf(&url, "%s%s", strstr(said, "://") ? "" : "http://",
		             said);
	else if (in_pod())
		r = asprintf(&url, "https://%s%s%s:%s", is_ipv6 ? "[" : "",
		             host, is_ipv6 ? "]" : "", port ? port : "443");
	else
		r = asprintf(&url, "http://localhost:8001");
	return r < 0 ? NULL : url;
}

/* A part of URL; NULL: it has none. sym_curl_free() it. */
static char *part(CURLU *url, CURLUPart which)
{
	char *text = NULL;

	return sym_curl_url_get(url, which, &text, 0) == CURLUE_OK ? text
	                                                           : NULL;
}

static void part_freep(char **text)
{
	sym_curl_free(*text);
}

static bool has_part(CURLU *url, CURLUPart which)
{
	_cleanup_(part_freep) char *text = part(url, which);

	return text;
}

/* By its text alone: a name that leads to the loopback today may lead
 * elsewhere tomorrow. */
static bool is_loopback(const char *host)
{
	struct in_addr in;

	return strcasecmp(host, "localhost") == 0 ||
	       strcmp(host, "[::1]") == 0 ||
	       (inet_pton(AF_INET, host, &in) == 1 &&
	        ntohl(in.s_addr) >> 24 == 127);
}

static int read_parts(struct kr_http_server *s, CURLU *url, char **ret_reason)
{
	_cleanup_(part_freep) char *scheme = part(url, CURLUPART_SCHEME);
	_cleanup_(part_freep) char *host = part(url, CURLUPART_HOST);
	_cleanup_(part_freep) char *whole = part(url, CURLUPART_URL);

	if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
		return refuse(ret_reason, "the URL must not hold a user or a "
		                          "password");
	if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
		return refuse(ret_reason, "the URL must end with its path");
	if (!scheme || !whole)
		return -ENOMEM;
	if (!host || /* of file:///x */
	    (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
		return refuse(ret_reason, "the URL must be https or http");
	s->https = strcmp(scheme, "https") == 0;
	s->loopback = !s->https && is_loopback(host);
	s->url = strdup(whole);
	if (!s->url)
		return -ENOMEM;
	for (size_t n = strlen(s->url); n > 0 && s->url[n - 1] == '/'; n--)
		s->url[n - 1] = '\0';
	return 0;
}

static int read_url(struct kr_http_server *s, const char *text,
                    char **ret_reason)
{
	CURLU *url = sym_curl_url();
	CURLUcode code;
	int r;

	if (!url)
		return -ENOMEM;
	code = sym_curl_url_set(url, CURLUPART_URL, text, 0);
	if (code == CURLUE_OK)
		r = read_parts(s, url, ret_reason);
	else if (code == CURLUE_OUT_OF_MEMORY)
		r = -ENOMEM;
	else if (code == CURLUE_UNSUPPORTED_SCHEME)
		r = refuse(ret_reason, "the URL must be https or http");
	else
		r = refuse(ret_reason, "the URL must be "
		                       "https://HOST[:PORT][/PATH] or http");
	sym_curl_url_cleanup(url);
	return r;
}

static void choose_credentials(struct kr_http_server *s,
                               const struct kr_api_options *o)
{
	s->cacert = o->cacert;
	s->token_file = o->token_file;
	s->cert = o->cert;
	s->key = o->key ? o->key : o->cert;
	if (!s->https || !in_pod() || o->cacert || o->token_file || o->cert)
		return;
	s->cacert = ACCOUNT "ca.crt";
	s->token_file = ACCOUNT "token";
}

static int check(const struct kr_http_server *s, const struct kr_api_options *o,
                 char **ret_reason)
{
	if (s->key && !s->cert)
		return refuse(ret_reason, "--key is given without --cert");
	if (s->https)
		return 0;
	if (!s->loopback && !o->insecure_http)
		return refuse(ret_reason,
		              "%s is plain http to another machine, which "
		              "needs --insecure-http",
		              s->url);
	if (!s->loopback && s->token_file)
		return refuse(ret_reason,
		              "a token is not sent to %s in plain text: the "
		              "URL must be https",
		              s->url);
	if (s->cacert || s->cert)
		return refuse(ret_reason,
		              "--cacert and --cert are for https, and %s is "
		              "plain http",
		              s->url);
	return 0;
}

int kr_http_server_new(const struct kr_api_options *options,
                       struct kr_http_server **ret, char **ret_reason)
{
	_cleanup_http_server_ struct kr_http_server *s = NULL;
	_cleanup_free_ char *url = NULL;
	int r = kr_curl_load(ret_reason);

	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	url = choose_url(options);
	if (!s || !url)
		return -ENOMEM;
	r = read_url(s, url, ret_reason);
	if (r < 0)
		return r;
	choose_credentials(s, options);
	r = check(s, options, ret_reason);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

struct kr_http_server *kr_http_server_free(struct kr_http_server *s)
{
	if (s)
		free(s->url);
	free(s);
	return NULL;
}
