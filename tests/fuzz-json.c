/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer on JSON: the tokens of whatever is read stand in order with nothing
 * but blanks between them, and the laws of kubelet/config hold.
 */

#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/json.h"
#include "fuzz-config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool readable(const struct kr_file *file)
{
	cJSON *root = cJSON_ParseWithLengthOpts(file->data, file->size + 1,
	                                        NULL, true);
	/* a NUL ends a name for cJSON */
	bool read = root && !strstr(file->data, "\\u0000");

	cJSON_Delete(root);
	return read;
}

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
	check_laws((const char *)data, size, readable);
	return 0;
}
