/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer on JSON: the tokens of whatever is read stand in order with nothing
 * but blanks between them, and the laws of kubelet/config hold.
 */

#include <stdint.h>

#include "base/json.h"
#include "fuzz-config.h"
#include "fuzz-readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tokens(const char *data, size_t size)
{
	_cleanup_free_ char *bytes = malloc(size + 1);
	const struct kr_file file = {
		.path = bytes, .data = bytes, .size = size};
	_cleanup_json_ struct kr_json json = {0};
	struct kr_json_token t = {0};
	size_t end = 0;

	require(bytes != NULL);
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	kr_json_init(&json, &file, 0, NULL);
	while (kr_json_next(&json, &t) == 0) {
		require(t.offset >= end && t.length <= size - t.offset);
		for (; end < t.offset; end++)
			require(strchr(" \t\r\n", bytes[end]) && bytes[end]);
		end = t.offset + t.length;
		if (t.type == KR_JSON_END)
			break;
		require(t.length > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_tokens((const char *)data, size);
	check_laws((const char *)data, size, kr_fuzz_reads_json);
	return 0;
}
