/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A JSON file, read aloud: the tokens of base/json as events.
 */

#include "doc/json.h"

static const enum kr_event_type event_types[] = {
	[KR_JSON_OBJECT] = KR_EVENT_MAP,
	[KR_JSON_OBJECT_END] = KR_EVENT_MAP_END,
	[KR_JSON_ARRAY] = KR_EVENT_LIST,
	[KR_JSON_ARRAY_END] = KR_EVENT_LIST_END,
	[KR_JSON_STRING] = KR_EVENT_STRING,
	[KR_JSON_NUMBER] = KR_EVENT_NUMBER,
	[KR_JSON_TRUE] = KR_EVENT_TRUE,
	[KR_JSON_FALSE] = KR_EVENT_FALSE,
	[KR_JSON_NULL] = KR_EVENT_NULL,
};

int kr_json_read(const struct kr_file *file, const struct kr_listener *listener,
                 struct kr_diag *diag)
{
	_cleanup_json_ struct kr_json json;
	struct kr_json_token token;
	int r;

	kr_json_init(&json, file, 0, diag);
	for (;;) {
		struct kr_event event = {0};

		r = kr_json_next(&json, &token);
		if (r < 0 || token.type == KR_JSON_END)
			return r;
		if (token.type == KR_JSON_COMMA || token.type == KR_JSON_COLON)
			continue;
		event.type = event_types[token.type];
		event.key = token.key;
		event.escaped = token.escaped;
		event.text = file->data + token.offset;
		event.length = token.length;
		if (token.type == KR_JSON_STRING) {
			event.text++;
			event.length -= 2;
		}
		event.span = (struct kr_span){file, token.offset, token.length};
		r = listener->hear(listener->userdata, &event);
		if (r < 0)
			return r;
	}
}
