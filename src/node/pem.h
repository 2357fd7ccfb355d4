/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The certificates of a PEM file, as kubelet loads them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

struct kr_certificate {
	char *der;
	size_t size;
	bool whole;       /* exactly one DER sequence */
	bool has_headers; /* lines "NAME: VALUE" before its base64 */
};

/* All blocks "CERTIFICATE", in their order. */
struct kr_pem {
	struct kr_certificate *certificates;
	size_t n_certificates;
};

/*
 * Reads SIZE bytes of DATA. What is no PEM is passed over, so is a block that
 * does not end or whose base64 is broken. 0 or -ENOMEM; the caller ends RET.
 */
int kr_pem_read(const char *data, size_t size, struct kr_pem *ret);
void kr_pem_done(struct kr_pem *pem);
#define _cleanup_pem_ _cleanup_(kr_pem_done)

/* Whether it loads as a list of authorities (clientCAFile): a certificate is
 * there, and each is whole. A block with headers does not count. */
bool kr_pem_is_authorities(const struct kr_pem *pem);

/* Whether it loads as a server's certificate (tlsCertFile): the first is whole;
 * those behind it are not looked at. */
bool kr_pem_is_chain(const struct kr_pem *pem);
