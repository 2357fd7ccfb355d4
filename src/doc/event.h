/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a configuration file says, one event at a time and the same for JSON
 * and YAML: the readers (kubelet/json, kubelet/yaml) speak, one listener
 * (kubelet/decode) judges.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

enum kr_event_type {
	KR_EVENT_MAP,
	KR_EVENT_MAP_END,
	KR_EVENT_LIST,
	KR_EVENT_LIST_END,
	KR_EVENT_NULL,
	KR_EVENT_TRUE,
	KR_EVENT_FALSE,
	KR_EVENT_NUMBER,
	KR_EVENT_STRING,
};

struct kr_event {
	enum kr_event_type type;
	bool key;        /* the name of a member; always a string */
	bool escaped;    /* TEXT still holds JSON's escapes */
	bool overridden; /* a later member undoes this one, types and all */
	bool merged; /* YAML: a merge key brings it, it is written elsewhere */
	/* of a string without its quotes, of a number as JSON writes it */
	const char *text;
	size_t length;
	/* the bytes it was read from, with quotes, tag and anchor; of a map or
	 * list the opening (or closing) mark */
	struct kr_span span;
	/* static: why these bytes cannot be exchanged for others, or NULL */
	const char *fixed;
};

/* Listens. 0 to go on; < 0 ends the reading and is handed up. */
struct kr_listener {
	int (*hear)(void *userdata, const struct kr_event *event);
	void *userdata;
};

/* What a reader tells of a document besides its values. */
struct kr_layout {
	struct kr_span root; /* with its braces if it has any */
	size_t end;          /* YAML: offset of the document's end */
	const char *reason;  /* static: why nothing can be added, else NULL */
	/* YAML: where kubelet's reader may find something else; no file: there
	 * is no such place */
	struct kr_span doubt;
};
