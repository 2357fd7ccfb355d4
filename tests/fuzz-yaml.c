/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer on YAML: the input stands behind a comment, so that it is read as
 * YAML whatever its first byte is; the laws of kubelet/config hold. As it is,
 * too, for its byte order mark.
 */

#include <stdint.h>

#include <yaml.h>

#include "fuzz-config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool readable(const struct kr_file *file)
{
	yaml_parser_t parser;
	yaml_event_t event;
	yaml_event_type_t type = YAML_NO_EVENT;

	require(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(&parser, (const unsigned char *)file->data,
	                             file->size);
	while (type != YAML_DOCUMENT_END_EVENT &&
	       type != YAML_STREAM_END_EVENT) {
		if (!yaml_parser_parse(&parser, &event))
			break;
		type = event.type;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return type == YAML_DOCUMENT_END_EVENT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 2);

	require(text != NULL);
	memcpy(text, "#\n", 2);
	memcpy(text + 2, data, size);
	check_laws(text, size + 2, readable);
	check_laws(text + 2, size, readable);
	return 0;
}
