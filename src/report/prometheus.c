/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prometheus' text format 0.0.4, for node_exporter's textfile collector.
 *
 * All samples of a metric must stand together. So of a fleet, whose nodes are
 * written as they come, there is one metric with the nodes' names, the verdict;
 * it says as much as the live view, the only one of such a node. One node by
 * itself is told from all sides, and bears no name: the scrape knows it.
 *
 * States and verdicts are told as sets: each has its sample, and one of them is
 * 1, so that a word that is new one day breaks no query.
 */

#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/utf8.h"
#include "report/finding.h"

#define PREFIX "kubelet_remedy_"

static void print_head(FILE *out, const char *name, const char *help)
{
	fprintf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s gauge\n",
	        name, help, name);
}

/* A label's value: only these three are escaped. */
static void print_label(FILE *out, const char *s)
{
	size_t size = strlen(s);

	for (size_t i = 0; i < size;) {
		size_t n = kr_utf8_length_at(s + i, size - i);

		if (n == 0)
			fputs(KR_UTF8_REPLACEMENT, out);
		else if (s[i] == '\n')
			fputs("\\n", out);
		else if (s[i] == '"' || s[i] == '\\')
			fprintf(out, "\\%c", s[i]);
		else
			fwrite(s + i, 1, n, out);
		i += n > 0 ? n : 1;
	}
}

static int begin(struct kr_findings *w)
{
	print_head(w->out, "verdict",
	           "Whether kubelet has the setting as required.");
	return 0;
}

static void print_verdict(struct kr_findings *w, const struct kr_finding *f)
{
	for (int i = 0; i <= KR_VERDICT_UNKNOWN; i++) {
		fputs(PREFIX "verdict{", w->out);
		if (w->about->many) {
			fputs("node=\"", w->out);
			print_label(w->out, f->node ? f->node : "");
			fputs("\",", w->out);
		}
		fprintf(w->out, "verdict=\"%s\"} %d\n",
		        kr_verdict_to_string((enum kr_verdict)i),
		        f->verdict == (enum kr_verdict)i);
	}
}

static void print_view(FILE *out, const char *view, enum kr_state state)
{
	static const enum kr_state states[] = {
		KR_STATE_TRUE, KR_STATE_FALSE, KR_STATE_INVALID,
		KR_STATE_UNKNOWN, KR_STATE_ABSENT};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		fprintf(out, PREFIX "state{view=\"%s\",state=\"%s\"} %d\n",
		        view, kr_state_to_string(states[i]),
		        state == states[i]);
}

static int add(struct kr_findings *w, const struct kr_finding *f)
{
	FILE *out = w->out;

	print_verdict(w, f);
	if (w->about->many)
		return 0;
	print_head(out, "state", "The setting's value in each view.");
	print_view(out, "disk", f->disk);
	print_view(out, "running", f->running);
	print_view(out, "live", f->live);
	print_head(out, "restart_needed",
	           "Whether kubelet must be restarted to have it.");
	fprintf(out, PREFIX "restart_needed %d\n", f->restart_needed);
	print_head(out, "reload_needed",
	           "Whether systemd holds an older unit than the disk.");
	fprintf(out, PREFIX "reload_needed %d\n", f->reload_needed);
	return 0;
}

static int end(struct kr_findings *w, bool complete)
{
	FILE *out = w->out;

	if (w->about->many) {
		print_head(out, "nodes", "How many nodes have this verdict.");
		for (int i = 0; i <= KR_VERDICT_UNKNOWN; i++)
			fprintf(out, PREFIX "nodes{verdict=\"%s\"} %zu\n",
			        kr_verdict_to_string((enum kr_verdict)i),
			        w->n_verdicts[i]);
	}
	print_head(out, "last_audit_complete",
	           "Whether all could be read that was asked for.");
	fprintf(out, PREFIX "last_audit_complete %d\n", complete);
	print_head(out, "last_audit_timestamp_seconds",
	           "When the last audit ended.");
	fprintf(out, PREFIX "last_audit_timestamp_seconds %.3f\n",
	        (double)kr_realtime_usec() / (double)KR_USEC_PER_SEC);
	return 0;
}

const struct kr_finding_format kr_prometheus = {
	.begin = begin,
	.add = add,
	.end = end,
};
