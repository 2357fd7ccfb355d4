/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer on YAML: the input stands behind a comment, so that it is read as
 * YAML whatever its first byte is; the laws of kubelet/config hold. As it is,
 * too, for its byte order mark.
 */

#include <stdint.h>

#include "fuzz-config.h"
#include "fuzz-readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 2);

	require(text != NULL);
	memcpy(text, "#\n", 2);
	memcpy(text + 2, data, size);
	check_laws(text, size + 2, kr_fuzz_reads_yaml);
	check_laws(text + 2, size, kr_fuzz_reads_yaml);
	return 0;
}
