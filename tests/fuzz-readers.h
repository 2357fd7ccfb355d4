/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The second readers that proofs have: what they cannot read is not proven.
 */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <yaml.h>

#include "base/span.h"

static inline void require(bool condition)
{
	if (!condition)
		abort();
}

static inline bool kr_fuzz_reads_json(const struct kr_file *file)
{
	cJSON *root = cJSON_ParseWithLengthOpts(file->data, file->size + 1,
	                                        NULL, true);
	/* a NUL ends a name for cJSON */
	bool read = root && !strstr(file->data, "\\u0000");

	cJSON_Delete(root);
	return read;
}

static inline bool kr_fuzz_reads_yaml(const struct kr_file *file)
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
