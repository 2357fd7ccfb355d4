/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the user said of an API server. */

#include <stdbool.h>

/* Borrowed strings; NULL: not given. */
struct kr_api_options {
	bool configz;           /* the live view is asked for */
	const char *url;        /* of a `kubectl proxy` or an API server */
	const char *cacert;     /* file: PEM of the authorities to trust */
	const char *token_file; /* file: a bearer token */
	const char *cert, *key; /* files: PEM of a client certificate */
	bool insecure_http;     /* plain http to a host that is not loopback */
};
