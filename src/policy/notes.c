/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Notes on a verdict. A benchmark's word counts for it; where kubelet does
 * something else, both are said:
 *
 *   rotate-absent     every edition calls it a pass that nothing sets
 *                     rotateCertificates, which is false for kubelet; of a
 *                     client certificate alone
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

#include "policy/notes.h"
#include "policy/refusal.h"

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

/* Where rotation would do harm there is no client certificate. */
static int note_rotation(const struct kr_judging *g)
{
	_cleanup_free_ char *why = NULL;
	int r = kr_refusal_find(g->node, g->node, g->j->rule, NULL, &why);

	if (r != 0)
		return r < 0 ? r : 0;
	kr_diag_add(
		g->diag, KR_NOTE, "rotate-absent", KR_SPAN_NONE,
		"rotateCertificates is not set: the benchmarks pass that, but "
		"kubelet defaults to false and will not renew its client "
		"certificate");
	return 0;
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

static int note_pass(const struct kr_judging *g)
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
	if (rule == kr_rule_of_field(KR_FIELD_GATE_ROTATE_SERVER))
		note_gate(g);
	if (rule == &kr_rules_table[KR_RULE_TLS_PAIR] && !g->instead)
		note_key(g);
	if (rule == kr_rule_of_field(KR_FIELD_ROTATE_CERTIFICATES) &&
	    by_default)
		return note_rotation(g);
	return 0;
}

static int note_editions(const struct kr_judging *g)
{
	const char *name = g->j->rule->name;
	_cleanup_free_ char *list = NULL;
	bool older;
	int r = kr_edition_list(name, &list, &older);

	if (r < 0)
		return r;
	if (list && !older)
		kr_diag_add(g->diag, KR_NOTE, "editions", KR_SPAN_NONE,
		            "%s is a control of %s", name, list);
	else if (list)
		kr_diag_add(g->diag, KR_NOTE, "editions", KR_SPAN_NONE,
		            "the newest editions no longer have %s; the last "
		            "that had it: %s",
		            name, list);
	else
		kr_diag_add(g->diag, KR_NOTE, "editions", KR_SPAN_NONE,
		            "no edition has the control %s", name);
	return 0;
}

int kr_notes_add(struct kr_judging *g)
{
	const struct kr_judgement *j = g->j;
	int r = 0;

	if (j->verdict == KR_VERDICT_PASS && j->rule->test)
		r = note_pass(g);
	if (j->verdict == KR_VERDICT_FAIL &&
	    j->rule == kr_rule_of_field(KR_FIELD_HOSTNAME_OVERRIDE))
		note_hostname(g);
	if (r == 0 && !g->edition && j->rule->test &&
	    j->rule != kr_rules_usual.items[0])
		r = note_editions(g);
	return kr_diag_result(g->diag, r);
}
