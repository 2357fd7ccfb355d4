/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Notes on a verdict. A benchmark's word counts for it; where kubelet does
 * something else, both are said:
 *
 *   rotate-absent     every edition calls it a pass that nothing sets
 *                     rotateCertificates, which is false for kubelet
 *   gate-alone        the gate RotateKubeletServerCertificate is on by default
 *                     and does nothing without serverTLSBootstrap
 *   unused-setting    kubelet takes the setting and ignores it
 *   hostname-set      who sets --hostname-override; without it the Node object
 *                     has another name
 *   file-not-there-yet  a file that a setting names, where the node's reading
 *                     has not said so
 *   key-not-read      whether a serving key fits its certificate
 *   editions          which of the newest editions have a control that was
 *                     named without one
 *
 * What a fix of it may break is no matter of a note.
 */

#include <stdlib.h>

#include "base/format.h"
#include "policy/notes.h"

/* Why the Node object would have another name: nodes are named by it there. */
static void note_hostname(const struct kr_judging *g)
{
	const struct kr_platform *platform = g->node->platform;
	const struct kr_judgement *j = g->j;
	struct kr_span place = KR_SPAN_NONE;

	if (j->disk.source >= 0)
		place = j->sources.items[j->disk.source].span;

	kr_diag_add(g->diag, KR_NOTE, "hostname-set", place,
	            "hostname-override is set%s%s: without it the Node object "
	            "gets another name",
	            platform ? " on " : "", platform ? platform->name : "");
}

static void note_rotation(const struct kr_judging *g)
{
	kr_diag_add(g->diag, KR_WARNING, "rotate-absent", KR_SPAN_NONE,
	            "rotateCertificates is not set, which the benchmarks call "
	            "a pass: for kubelet it is false, and its client "
	            "certificate is not renewed");
}

static void note_gate(const struct kr_judging *g)
{
	const struct kr_view *view = &g->fields[KR_VIEW_DISK][1];

	if (view->state == KR_STATE_FALSE)
		kr_diag_add(g->diag, KR_NOTE, "gate-alone", KR_SPAN_NONE,
		            "the gate RotateKubeletServerCertificate does "
		            "nothing without serverTLSBootstrap, which is "
		            "false");
}

static void note_key(const struct kr_judging *g)
{
	kr_diag_add(g->diag, KR_NOTE, "key-not-read", KR_SPAN_NONE,
	            "tlsPrivateKeyFile is not read: whether it fits "
	            "tlsCertFile is not known");
}

static void note_pass(const struct kr_judging *g)
{
	const struct kr_judgement *j = g->j;
	const struct kr_rule *rule = j->rule;
	bool by_default = j->disk.by == KR_BY_DEFAULT;

	if (g->unused)
		kr_diag_add(g->diag, KR_NOTE, "unused-setting", KR_SPAN_NONE,
		            "%s has no effect in kubelet 1.%u and later",
		            rule->name, rule->unused_since);
	if (g->not_there && !kr_diag_find(g->diag, "file-not-there-yet"))
		kr_diag_add(g->diag, KR_NOTE, "file-not-there-yet",
		            KR_SPAN_NONE, "%s is taken on trust: %s",
		            rule->name, g->not_there);
	if (rule == kr_rule_of_field(KR_FIELD_ROTATE_CERTIFICATES) &&
	    by_default)
		note_rotation(g);
	if (rule == kr_rule_of_field(KR_FIELD_GATE_ROTATE_SERVER))
		note_gate(g);
	if (rule == &kr_rules_table[KR_RULE_TLS_PAIR] && !g->instead)
		note_key(g);
}

/* The newest of each kind that has the files or the settings. */
static const enum kr_edition_id newest[] = {
	KR_EKS_1_8,  KR_AKS_1_8, KR_GKE_1_6,  KR_GKE_1_9,
	KR_CIS_1_12, KR_RH_1_8,  KR_RKE2_1_8, KR_K3S_1_9,
};

static int note_editions(const struct kr_judging *g)
{
	const char *name = g->j->rule->name;
	_cleanup_free_ char *list = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(newest); i++) {
		struct kr_edition_control its;
		int r;

		if (!kr_edition_control(newest[i], name, &its))
			continue;
		r = kr_format(&list, "%s%s%s %s", list ? list : "",
		              list ? ", " : "", kr_editions[newest[i]].name,
		              its.id);
		if (r < 0)
			return r;
	}
	kr_diag_add(g->diag, KR_NOTE, "editions", KR_SPAN_NONE,
	            list ? "%s is a control of %s"
	                 : "%s is a control of none of the newest editions",
	            name, list);
	return 0;
}

int kr_notes_add(struct kr_judging *g)
{
	const struct kr_judgement *j = g->j;
	int r = 0;

	if (j->verdict == KR_VERDICT_PASS && j->rule->test)
		note_pass(g);
	if (j->verdict == KR_VERDICT_FAIL &&
	    j->rule == kr_rule_of_field(KR_FIELD_HOSTNAME_OVERRIDE))
		note_hostname(g);
	if (!g->edition && j->rule->test && j->rule != kr_rules_usual.items[0])
		r = note_editions(g);
	return kr_diag_result(g->diag, r);
}
