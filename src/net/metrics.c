/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prometheus' text format, 0.0.4.
 *
 *	line   = [blanks] (comment | sample | nothing) LF
 *	sample = name ["{" [label *("," label) [","]] "}"] value [timestamp]
 *	label  = name "=" '"' *(byte | "\\" | "\"" | "\n") '"'
 *
 * Blanks may stand between all of these. A value is what Go's ParseFloat takes.
 * Only lines of the one name are taken apart; the others may be anything. But a
 * CR in any of them makes the whole malformed: the format has none, and a body
 * that was sent in chunks, whose marks may cut a line in two, has. So does a
 * text that ends within a line: it was cut.
 *
 * Source: prometheus/docs, exposition_formats.md; expfmt/text_parse.go of
 * prometheus/common.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "net/metrics.h"

static void skip_blanks(char **at)
{
	*at += strspn(*at, " \t");
}

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == ':';
}

/* Takes the escapes out of what stands behind the quote at *AT, in place. */
static bool read_quoted(char **at, const char **ret)
{
	char *in = *at, *out;

	if (*in++ != '"')
		return false;
	*ret = out = in;
	for (; *in && *in != '"'; in++) {
		if (*in != '\\') {
			*out++ = *in;
			continue;
		}
		in++;
		if (!*in || !strchr("\\\"n", *in))
			return false;
		*out++ = *in == 'n' ? '\n' : *in;
	}
	if (!*in)
		return false;
	*out = '\0'; /* at the quote or before it */
	*at = in + 1;
	return true;
}

static bool read_label(char **at, struct kr_metric_label *ret)
{
	char *end;

	ret->name = *at;
	while (is_name_byte(**at))
		(*at)++;
	end = *at;
	if (end == ret->name)
		return false;
	skip_blanks(at);
	if (*(*at)++ != '=')
		return false;
	*end = '\0';
	skip_blanks(at);
	return read_quoted(at, &ret->value);
}

/* The number of labels; -1: malformed. */
static int read_labels(char **at, struct kr_metric_label *ret)
{
	int n = 0;

	if (**at != '{')
		return 0;
	do {
		(*at)++;
		skip_blanks(at);
		if (**at == '}') /* none, or a comma was the last */
			break;
		if (n == KR_METRICS_LABELS_MAX || !read_label(at, &ret[n++]))
			return -1;
		skip_blanks(at);
	} while (**at == ',');
	if (*(*at)++ != '}')
		return -1;
	return n;
}

/* "1e+06 1700000000000": a value, and perhaps a time. */
static bool read_value(char *at, double *ret)
{
	char *end;

	skip_blanks(&at);
	*ret = strtod(at, &end);
	if (end == at || (*end && !strchr(" \t", *end)))
		return false;
	skip_blanks(&end);
	end += *end == '-';
	end += strspn(end, "0123456789");
	skip_blanks(&end);
	return !*end;
}

static void read_line(struct kr_metrics *m)
{
	struct kr_metric_label labels[KR_METRICS_LABELS_MAX];
	size_t length = strlen(m->name);
	char *at = m->line;
	double value;
	int n;

	m->line[m->length] = '\0';
	skip_blanks(&at);
	if (strncmp(at, m->name, length) != 0 || is_name_byte(at[length]))
		return;
	at += length;
	skip_blanks(&at);
	n = m->too_long || strlen(m->line) != m->length
	            ? -1
	            : read_labels(&at, labels);
	if (n < 0 || !read_value(at, &value)) {
		m->malformed = true;
		return;
	}
	m->n_samples++;
	m->tell(m->closure, labels, (size_t)n, value);
}

void kr_metrics_hear(struct kr_metrics *m, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\r')
			m->malformed = true;
		if (data[i] == '\n') {
			read_line(m);
			m->length = 0;
			m->too_long = false;
		} else if (m->length == KR_METRICS_LINE_SIZE) {
			m->too_long = true;
		} else {
			m->line[m->length++] = data[i];
		}
	}
}

void kr_metrics_end(struct kr_metrics *m)
{
	if (m->length > 0)
		m->malformed = true;
}

const char *kr_metric_label(const struct kr_metric_label *labels,
                            size_t n_labels, const char *name)
{
	const struct kr_metric_label *label =
		KR_FIND(labels, n_labels, name, name);

	return label ? label->value : "";
}
