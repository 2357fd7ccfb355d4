/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer on PEM: all certificates together are no longer than the base64
 * that they come from, and text before the file changes nothing.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "node/pem.h"

#define BEFORE "text\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n_before = strlen(BEFORE), total = 0;
	_cleanup_free_ char *bytes = malloc(n_before + size);
	_cleanup_pem_ struct kr_pem pem = {0}, again = {0};

	require(bytes != NULL);
	memcpy(bytes, BEFORE, n_before);
	memcpy(bytes + n_before, data, size);
	require(!kr_pem_read(bytes + n_before, size, &pem));
	require(!kr_pem_read(bytes, n_before + size, &again));
	require(pem.n_certificates == again.n_certificates);
	for (size_t i = 0; i < pem.n_certificates; i++) {
		const struct kr_certificate *c = &pem.certificates[i];
		const struct kr_certificate *other = &again.certificates[i];

		require(c->size == other->size &&
		        !memcmp(c->der, other->der, c->size));
		require(!c->whole || c->size >= 2);
		total += c->size;
	}
	require(total <= size / 4 * 3);
	require(!kr_pem_is_authorities(&pem) || pem.n_certificates > 0);
	return 0;
}
