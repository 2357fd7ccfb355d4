/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The proof by kubelet's own ports, before and behind a restart.
 *
 *   way in   of a change of authentication, authorization or serving TLS: what
 *            kubelet's port answered before is asked again. A worse answer
 *            until the deadline is a change that kubelet lives with and the
 *            cluster does not: all is put back
 *   closed   behind readOnlyPort = 0 nothing listens at the port that kubelet
 *            had
 *
 * What did not answer before is not waited for: it cannot be tried, which is
 * said. So is a way in that nothing shows, neither a client certificate nor
 * configz; fix/holds asks for that before the plan is made.
 *
 * An undo reverts what a fix did. It is not judged by this: the state that
 * it goes to is the owner's.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "fix/apply.h"
#include "policy/files.h"

#define ASK_USEC (5 * KR_USEC_PER_SEC)

static struct kr_asking ask_until(struct kr_applying *f, const char *what,
                                  uint64_t deadline_usec)
{
	return (struct kr_asking){
		.deadline_usec = deadline_usec,
		.tick = f->options->tick,
		.closure = f->options->closure,
		.what = what,
		.since_usec = kr_now_usec(),
		.limit_usec = kr_left_usec(deadline_usec),
	};
}

/* --- before -------------------------------------------------------------- */

/* Where kubelet's kubeconfig lies; NULL: that is unknown. */
static int find_kubeconfig(struct kr_node *node, char **ret)
{
	_cleanup_decision_ struct kr_decision d = {0};
	int r = kr_node_decide(node, KR_FIELD_KUBECONFIG, &d);

	if (r < 0 || d.state != KR_STATE_VALUE || !*d.value.s)
		return r;
	*ret = kr_files_path(node, d.value.s);
	return *ret ? 0 : -ENOMEM;
}

static void find_doubt(struct kr_ports *p)
{
	const struct kr_observation *seen = &p->before.certificate;

	if (p->before.handshake.seen != KR_SEEN_ANSWERED)
		strlcpy(p->why_not, p->before.handshake.why,
		        sizeof(p->why_not));
	else if (seen->seen != KR_SEEN_ANSWERED)
		strlcpy(p->why_not, seen->why, sizeof(p->why_not));
	else if (seen->status == 401)
		strlcpy(p->why_not,
		        "kubelet refuses its own client certificate already "
		        "(status 401)",
		        sizeof(p->why_not));
}

int kr_apply_look_at_ports(struct kr_applying *f)
{
	struct kr_asking asking =
		ask_until(f, "kubelet's own port", kr_now_usec() + ASK_USEC);
	struct kr_node *node = kr_apply_node(f);
	struct kr_ports *p = &f->ports;
	const struct kr_inputs *in =
		node->running_valid ? &node->running : NULL;
	struct kr_kubelet_port port = {.port = &p->serving, .fs = node->fs};
	int r;

	if (p->looked)
		return KR_STEP_GO_ON;
	p->looked = true;
	if (!node->has_process) {
		strlcpy(p->why_not, "kubelet does not run", sizeof(p->why_not));
		return KR_STEP_GO_ON;
	}
	r = kr_own_port_find(node, in, node->process.pid, KR_OWN_PORT_SERVING,
	                     &p->serving);
	if (r == 0)
		r = kr_own_port_find(node, in, node->process.pid,
		                     KR_OWN_PORT_READONLY, &p->readonly);
	if (r == 0)
		r = find_kubeconfig(node, &p->kubeconfig);
	port.kubeconfig = p->kubeconfig;
	if (r == 0)
		r = kr_kubelet_port_look(&port, &asking, &p->before);
	if (r < 0)
		return r == -ENOMEM ? r : kr_apply_end_interrupted(f);
	find_doubt(p);
	return KR_STEP_GO_ON;
}

static bool is_heard_by_configz(const struct kr_applying *f)
{
	return f->live.state != KR_STATE_ABSENT &&
	       f->live.state != KR_STATE_UNKNOWN;
}

const char *kr_apply_way_in_doubt(const struct kr_applying *f)
{
	return is_heard_by_configz(f) ? "" : f->ports.why_not;
}

/* Whether it brings a change of any that PROOF proves. */
static bool needs(const struct kr_applying *f, enum kr_rule_proof proof)
{
	const struct kr_audit *before = f->fix->before;

	return KR_ANY(j, before->items, before->n_items,
	              j->rule->proof == proof && kr_apply_changes(f, j->rule));
}

int kr_apply_check_ports(struct kr_applying *f)
{
	if (!f->fix->restarts || f->undo || f->options->dry_run ||
	    (!needs(f, KR_RULE_PROOF_WAY_IN) &&
	     !needs(f, KR_RULE_PROOF_PORT_CLOSED)))
		return KR_STEP_GO_ON;
	return kr_apply_look_at_ports(f);
}

/* --- behind the restart -------------------------------------------------- */

/* Of ITEMS the first that the restart changes is to blame; WHY is its reason.
 */
static int refute(struct kr_applying *f, const int *items, size_t n,
                  const char *why, char **ret_failure)
{
	int r;

	for (size_t i = 0; i < n && !f->blamed; i++) {
		if (kr_apply_changes(f, &kr_rules_table[items[i]]))
			f->blamed = &kr_rules_table[items[i]];
	}
	r = f->blamed ? kr_format(ret_failure, "%s: %s", f->blamed->name, why)
	              : kr_format(ret_failure, "%s", why);
	return r < 0 ? r : KR_PROOF_BAD;
}

static int judge_way_in(struct kr_applying *f,
                        const struct kr_kubelet_proof *proof,
                        char **ret_failure)
{
	static const int tls[] = {KR_FIELD_SERVER_BOOTSTRAP,
	                          KR_FIELD_TLS_CIPHERS};
	static const int anonymous[] = {KR_FIELD_ANONYMOUS};
	static const int client[] = {KR_FIELD_CLIENT_CA, KR_FIELD_ANONYMOUS};

	if (proof->handshake == KR_PROVED_NO)
		return refute(f, tls, ARRAY_SIZE(tls), proof->why, ret_failure);
	if (proof->anonymous == KR_PROVED_NO)
		return refute(f, anonymous, ARRAY_SIZE(anonymous), proof->why,
		              ret_failure);
	if (proof->certificate == KR_PROVED_NO)
		return refute(f, client, ARRAY_SIZE(client), proof->why,
		              ret_failure);
	if (proof->certificate == KR_PROVED_UNTRIED && !is_heard_by_configz(f))
		kr_diag_add(f->diag, KR_WARNING, "way-in-untried", KR_SPAN_NONE,
		            "whether the API server gets in to kubelet was not "
		            "tried: %s",
		            proof->why);
	return KR_PROOF_GOOD;
}

static int prove_way_in(struct kr_applying *f, uint64_t deadline_usec,
                        char **ret_failure)
{
	const struct kr_asking asking =
		ask_until(f, "kubelet's own port", deadline_usec);
	const struct kr_kubelet_demand demand = {
		.anonymous_off = kr_apply_changes(
			f, &kr_rules_table[KR_FIELD_ANONYMOUS]),
	};
	struct kr_own_port serving;
	const struct kr_kubelet_port port = {
		.port = &serving,
		.fs = kr_apply_node(f)->fs,
		.kubeconfig = f->ports.kubeconfig,
	};
	struct kr_kubelet_proof proof;
	uint64_t since = kr_now_usec();
	int r;

	if (!needs(f, KR_RULE_PROOF_WAY_IN))
		return KR_PROOF_GOOD;
	r = kr_own_port_find(kr_apply_node(f), kr_apply_planned(f),
	                     f->forward.settling.pid, KR_OWN_PORT_SERVING,
	                     &serving);
	if (r == 0)
		r = kr_kubelet_port_prove(&port, &f->ports.before, &demand,
		                          &asking, &proof);
	if (r < 0)
		return r;
	r = judge_way_in(f, &proof, ret_failure);
	if (r < 0)
		return r;
	return kr_actions_add(&f->fix->actions, "own-port",
	                      *proof.why ? proof.why : "as demanded", since) < 0
	               ? -ENOMEM
	               : r;
}

static int prove_closed(struct kr_applying *f, uint64_t deadline_usec,
                        char **ret_failure)
{
	static const int rules[] = {KR_FIELD_READ_ONLY_PORT};
	const struct kr_asking asking =
		ask_until(f, "the read-only port", deadline_usec);
	struct kr_own_port port = f->ports.readonly;
	_cleanup_free_ char *why = NULL;
	uint64_t since = kr_now_usec();
	enum kr_port_closed closed;
	int r;

	if (!needs(f, KR_RULE_PROOF_PORT_CLOSED) || port.port == 0)
		return KR_PROOF_GOOD;
	port.pid = f->forward.settling.pid;
	r = kr_own_port_wait_closed(&port, &asking, &closed, &why);
	if (r < 0)
		return r;
	if (kr_actions_add(&f->fix->actions, "port-closed", why ? why : "done",
	                   since) < 0)
		return -ENOMEM;
	if (closed == KR_PORT_OPEN)
		return refute(f, rules, ARRAY_SIZE(rules), why, ret_failure);
	if (closed == KR_PORT_UNSEEN)
		kr_diag_add(f->diag, KR_WARNING, "port-untried", KR_SPAN_NONE,
		            "whether the read-only port is closed was not "
		            "tried: %s",
		            why);
	return KR_PROOF_GOOD;
}

int kr_apply_prove_ports(struct kr_applying *f, uint64_t deadline_usec,
                         char **ret_failure)
{
	int r;

	/* by "looked": what was not asked before is not asked for */
	if (f->undo || !f->ports.looked)
		return KR_PROOF_GOOD;
	r = prove_way_in(f, deadline_usec, ret_failure);
	if (r != KR_PROOF_GOOD)
		return r;
	return prove_closed(f, deadline_usec, ret_failure);
}

void kr_ports_done(struct kr_ports *ports)
{
	free(ports->kubeconfig);
	*ports = (struct kr_ports){0};
}
