/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prometheus' text format 0.0.4, for node_exporter's textfile collector.
 *
 * All samples of a metric must stand together. So of a fleet, whose nodes are
 * written as they come, there is one metric with the nodes' names, the verdict;
 * it says as much as the live view, the only one of such a node. One node by
 * itself is shown from all sides, and bears no name: the scrape knows it.
 *
 * A control is known by a label, its name. States and verdicts are shown as
 * sets: each has its sample, and one of them is 1, so that a word that is new
 * one day breaks no query.
 */

#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/utf8.h"
#include "policy/demands.h"
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
	           "Whether kubelet has what the control demands.");
	return 0;
}

/* "{node="N",control="C",": the start of a sample's labels. */
static void print_labels(const struct kr_findings *w, const char *metric,
                         const struct kr_finding *f)
{
	fprintf(w->out, PREFIX "%s{", metric);
	if (w->about->many) {
		fputs("node=\"", w->out);
		print_label(w->out, f->node ? f->node : "");
		fputs("\",", w->out);
	}
	fprintf(w->out, "control=\"%s\"", f->rule->name);
}

static void print_verdict(const struct kr_findings *w,
                          const struct kr_finding *f)
{
	for (int i = 0; i < _KR_VERDICT_MAX; i++) {
		print_labels(w, "verdict", f);
		fprintf(w->out, ",verdict=\"%s\"} %d\n",
		        kr_verdict_to_string((enum kr_verdict)i),
		        f->verdict == (enum kr_verdict)i);
	}
}

static void print_view(const struct kr_findings *w, const struct kr_finding *f,
                       const char *view, enum kr_state state)
{
	static const enum kr_state states[] = {
		KR_STATE_TRUE,    KR_STATE_FALSE,   KR_STATE_VALUE,
		KR_STATE_INVALID, KR_STATE_UNKNOWN, KR_STATE_ABSENT};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		print_labels(w, "state", f);
		fprintf(w->out, ",view=\"%s\",state=\"%s\"} %d\n", view,
		        kr_state_to_string(states[i]), state == states[i]);
	}
}

static int add(struct kr_findings *w, const struct kr_finding *f, size_t n)
{
	FILE *out = w->out;

	for (size_t i = 0; i < n; i++)
		print_verdict(w, &f[i]);
	if (w->about->many)
		return 0;
	print_head(out, "state",
	           "The control's value in each view; value: no boolean.");
	for (size_t i = 0; i < n; i++) {
		print_view(w, &f[i], "disk", f[i].disk);
		print_view(w, &f[i], "running", f[i].running);
		print_view(w, &f[i], "live", f[i].live);
	}
	print_head(out, "restart_needed",
	           "Whether kubelet must be restarted to have it.");
	for (size_t i = 0; i < n; i++) {
		print_labels(w, "restart_needed", &f[i]);
		fprintf(out, "} %d\n", f[i].restart_needed);
	}
	print_head(out, "reload_needed",
	           "Whether systemd holds an older unit than the disk.");
	fprintf(out, PREFIX "reload_needed %d\n", n > 0 && f->reload_needed);
	return 0;
}

/* The number of each control in each edition by which a node's are numbered: a
 * label of the others would make new series of them after an upgrade. */
static void print_numbers(const struct kr_findings *w)
{
	const struct kr_rules *rules = w->about->rules;

	print_head(w->out, "control_info", "The control's number.");
	for (size_t i = 0; i < KR_N_EDITIONS; i++) {
		for (size_t k = 0; w->numbers[i] && k < rules->n_items; k++) {
			const struct kr_edition *e = kr_demand_numbers(
				rules->items[k], rules->edition,
				&kr_editions[i]);

			if (!e)
				continue;
			fprintf(w->out,
			        PREFIX "control_info{control=\"%s\","
			               "benchmark=\"%s\",id=\"%s\"} 1\n",
			        rules->items[k]->name, e->name,
			        kr_edition_number(e, rules->items[k]->name));
		}
	}
}

static void print_nodes(const struct kr_findings *w)
{
	const struct kr_rules *rules = w->about->rules;

	print_head(w->out, "nodes", "How many nodes have this verdict.");
	for (size_t k = 0; k < rules->n_items; k++) {
		for (int i = 0; i < _KR_VERDICT_MAX; i++)
			fprintf(w->out,
			        PREFIX "nodes{control=\"%s\",verdict=\"%s\"} "
			               "%zu\n",
			        rules->items[k]->name,
			        kr_verdict_to_string((enum kr_verdict)i),
			        w->n_verdicts[k][i]);
	}
}

static int end(struct kr_findings *w, bool complete)
{
	FILE *out = w->out;

	if (w->about->many)
		print_nodes(w);
	print_numbers(w);
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
