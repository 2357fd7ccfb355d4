/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where the API server is, and who we are there.
 */

#include <stdbool.h>

#include "base/macro.h"
#include "net/api.h"

struct kr_http_server {
	char *url; /* "https://10.0.0.1:6443", maybe with a path,
	            * without a slash at the end */
	bool https;
	bool loopback; /* plain http that stays on this machine */
	/* a port of this machine, whose certificate need not be known: neither
	 * verified nor asked by way of a proxy */
	bool own_port;
	const char *cacert; /* files; NULL: none */
	const char *token_file;
	const char *cert, *key;
};

/*
 * The server that OPTIONS speak of, and the credentials for it.
 *
 *   URL            options->url, else HOSTNAME_PORT from the environment, else
 *                  in a pod the cluster's own (KUBERNETES_SERVICE_HOST and
 *                  _PORT), else http://localhost:8001; without "://" it is
 *                  http. A path is kept, what is asked for goes behind it.
 *   credentials    what OPTIONS name; with none, for https and in a pod, its
 *                  service account: token and CA together, so that the token
 *                  goes only where the cluster's own CA vouches for it.
 *                  A certificate without a key: the key is in the same file.
 *
 * Refused: another scheme than http and https; user, query or fragment in the
 * URL; plain http to anything but 127.0.0.0/8, ::1 and "localhost" without
 * insecure_http; a token over plain http that leaves this machine, always; a
 * CA or certificate with plain http.
 *
 * OPTIONS' strings are borrowed until the server is freed. 0; -EINVAL (refused)
 * and -ENOPKG (no libcurl): *RET_REASON is one sentence, which the caller
 * frees, without credentials; -ENOMEM.
 */
int kr_http_server_new(const struct kr_api_options *options,
                       struct kr_http_server **ret, char **ret_reason);
struct kr_http_server *kr_http_server_free(struct kr_http_server *server);
DEFINE_FREEP(struct kr_http_server, kr_http_server_free);
#define _cleanup_http_server_ _cleanup_(kr_http_server_freep)
