/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Prometheus' text format, piece by piece: the samples of one name.
 */

#include <stdbool.h>
#include <stddef.h>

/* A longer line is passed over, or malformed where it is one of the name's. */
#define KR_METRICS_LINE_SIZE  8192
#define KR_METRICS_LABELS_MAX 32

struct kr_metric_label {
	const char *name, *value; /* without escapes */
};

/* A reader; the first three members are the caller's, the others begin as
 * zeroes. */
struct kr_metrics {
	const char *name; /* of the samples wanted */
	void (*tell)(void *closure, const struct kr_metric_label *labels,
	             size_t n_labels, double value);
	void *closure;

	/* a line of that name, or the whole text, is not understood */
	bool malformed;
	size_t n_samples; /* that were reported */

	size_t length; /* of the line at hand, as far as it came */
	bool too_long; /* LINE has only its beginning */
	char line[KR_METRICS_LINE_SIZE + 1];
};

/* Reads SIZE bytes more, and tells each sample when its line is whole. */
void kr_metrics_hear(struct kr_metrics *metrics, const char *data, size_t size);

/* The text is over: MALFORMED where it ends within a line. */
void kr_metrics_end(struct kr_metrics *metrics);

/* The value of a label; "": there is no such one, which is the same. */
const char *kr_metric_label(const struct kr_metric_label *labels,
                            size_t n_labels, const char *name);
