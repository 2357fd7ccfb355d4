/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Holds: they are looked for before the plan is made, of the rules that fail.
 *
 *   the read-only port   kubelet counts the requests; where it does not, the
 *                        connections of this moment count
 *   the way in           of the API server to kubelet's own port. A change of
 *                        authentication or authorization that kubelet lives
 *                        with may still shut it out. It is held where that
 *                        would not show behind the restart (fix/ports), or
 *                        where there is no restart
 *
 * What a fix sees is kept in a file (store/hold-lines): the boot unit fixes
 * before kubelet runs, and cannot look. Nor can a fix whose kubelet is down.
 * There the line alone holds, until a fix that can look sees no hold any more.
 * A kubelet that was just restarted has counted no request yet: that proves
 * nothing. A
 * preview reads the file, and writes nothing. A file that is damaged may have
 * had a line of any control.
 *
 * What is unknown of a kubelet that runs holds, too. Before a kubelet has ever
 * run with its configuration, and in an image, nothing is to be shut out:
 * nothing is looked for.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/vec.h"
#include "fix/holds.h"
#include "host/readonly-port.h"
#include "node/unjoined.h"
#include "store/hold-lines.h"
#include "systemd/journal.h"

#define ASK_USEC (5 * KR_USEC_PER_SEC)

/* What a look at the node tells. */
enum sign {
	SIGN_NONE,  /* there is no hold */
	SIGN_SEEN,  /* with words */
	SIGN_BLIND, /* it cannot be looked for */
	SIGN_YOUNG, /* kubelet has counted no request, and not for long */
	SIGN_ENDED, /* a signal came: the outcome is set */
};

bool kr_holds_go_by_line(const struct kr_node *node,
                         const struct kr_hold_lines *lines,
                         const struct kr_rule *rule)
{
	const struct kr_hold_line *line = kr_hold_lines_find(lines, rule->name);

	if (!line && !lines->damaged)
		return false;
	return !node->has_process ||
	       (rule->hold == KR_HOLD_PORT_USED &&
	        !kr_hold_line_is_refuted(line, node->process.started_usec,
	                                 kr_realtime_usec()));
}

/* What it tells that kubelet has counted no request at PORT, where a fix may
 * have seen one before. */
static enum sign judge_unused(struct kr_applying *f,
                              const struct kr_readonly_port *port,
                              const struct kr_hold_lines *lines,
                              const struct kr_rule *rule)
{
	if (!kr_hold_lines_find(lines, rule->name) && !lines->damaged)
		return SIGN_NONE;
	if (!port->counted)
		return SIGN_BLIND;
	return kr_holds_go_by_line(kr_apply_node(f), lines, rule) ? SIGN_YOUNG
	                                                          : SIGN_NONE;
}

/* An errno, or a sign. */
static int look_at_port(struct kr_applying *f,
                        const struct kr_hold_lines *lines,
                        const struct kr_rule *rule, char **ret)
{
	const struct kr_node *node = kr_apply_node(f);
	const struct kr_asking asking = {
		.deadline_usec = kr_now_usec() + ASK_USEC,
		.tick = f->options->tick,
		.closure = f->options->closure,
		.what = "the read-only port",
		.since_usec = kr_now_usec(),
		.limit_usec = ASK_USEC,
	};
	_cleanup_readonly_port_ struct kr_readonly_port found = {0};
	struct kr_own_port port;
	int r;

	if (!node->has_process)
		return SIGN_BLIND;
	r = kr_own_port_find(node, node->running_valid ? &node->running : NULL,
	                     node->process.pid, KR_OWN_PORT_READONLY, &port);
	if (r < 0)
		return r;
	r = kr_readonly_port_ask(&port, &asking, &found);
	if (r == -EINTR) {
		r = kr_apply_end_interrupted(f);
		return r < 0 ? r : SIGN_ENDED;
	}
	if (r < 0)
		return r;
	if (found.use == KR_READONLY_NOT_USED)
		return judge_unused(f, &found, lines, rule);
	r = kr_format(ret, "%s", found.why);
	return r < 0 ? r : SIGN_SEEN;
}

/* Why there is no restart that could show it; NULL: there is one. */
static int find_no_restart(struct kr_applying *f, char **ret)
{
	_cleanup_health_report_ struct kr_health_report report = {0};
	int r;

	if (f->options->restart == KR_RESTART_NEVER)
		return kr_format(ret, "kubelet is not restarted");
	if (!kr_apply_node(f)->has_process)
		return kr_format(ret, "kubelet does not run");
	if (f->starts_later)
		return kr_format(ret, "kubelet's start waits for another "
		                      "unit's job");
	if (f->options->restart == KR_RESTART_ALWAYS ||
	    !kr_apply_can_restart(f))
		return 0;
	r = kr_host_health(f->fix->host, &report);
	if (r < 0 || report.state != KR_HEALTH_BAD)
		return r;
	return kr_format(ret, "kubelet is not healthy and is not restarted");
}

static bool take_note(void *closure, const char *line)
{
	(void)line;
	*(bool *)closure = true;
	return true;
}

/* Whether the journal has a word of kubelet's in this boot. */
static bool has_written(struct kr_applying *f)
{
	const struct kr_journal_query query = {
		.root = f->fix->host->options.root,
		.unit = kr_host_unit(f->fix->host),
		.n_max = 1,
		.since_usec = kr_boot_usec(),
	};
	bool found = false;

	return kr_journal_find(&query, take_note, &found) >= 0 && found;
}

/* Whether there may be an API server to be shut out: kubelet has been started
 * in this boot, or has its client certificate. systemd forgets the start of a
 * unit that nothing needs; then its pods tell, or the journal. 1, 0 or -ENOMEM.
 */
static int has_joined(struct kr_applying *f)
{
	const struct kr_node *node = kr_apply_node(f);
	int r = node->configured ? 1 : kr_unjoined_has_pods(node);

	return r != 0 ? r : has_written(f);
}

static int look_at_way_in(struct kr_applying *f, char **ret)
{
	_cleanup_free_ char *no_restart = NULL;
	const char *doubt;
	int r = has_joined(f);

	if (r <= 0)
		return r < 0 ? r : SIGN_BLIND;
	r = find_no_restart(f, &no_restart);
	if (r == -EINTR) {
		r = kr_apply_end_interrupted(f);
		return r < 0 ? r : SIGN_ENDED;
	}
	if (r < 0)
		return r;
	doubt = no_restart;
	if (!doubt) {
		r = kr_apply_look_at_ports(f);
		if (r != KR_STEP_GO_ON)
			return r < 0 ? r : SIGN_ENDED;
		doubt = kr_apply_way_in_doubt(f);
	}
	if (!*doubt)
		return SIGN_NONE;
	r = kr_format(ret,
	              "the API server's way in to kubelet cannot be tried: %s",
	              doubt);
	return r < 0 ? r : SIGN_SEEN;
}

/* Whether a fix would change what J's control has, by a restart alone, too, and
 * not only write it down. */
static bool counts(const struct kr_applying *f, const struct kr_judgement *j)
{
	return j->rule->hold != KR_HOLD_NONE &&
	       (j->disk.answer != KR_ANSWER_PASS ||
	        (f->options->restart != KR_RESTART_NEVER &&
	         kr_judgement_runs_wrong(j)));
}

static int look(struct kr_applying *f, const struct kr_judgement *j,
                const struct kr_hold_lines *lines, char **ret)
{
	return j->rule->hold == KR_HOLD_PORT_USED
	               ? look_at_port(f, lines, j->rule, ret)
	               : look_at_way_in(f, ret);
}

/* What a fix has seen before holds where it cannot be looked for now. */
static int hold_by_line(const struct kr_hold_lines *lines, const char *name,
                        enum sign sign, char **ret)
{
	return kr_hold_lines_describe(lines, name,
	                              sign == SIGN_YOUNG
	                                      ? "kubelet must have counted "
	                                        "requests for ten minutes first"
	                                      : "it cannot be looked for now",
	                              ret);
}

static bool any_counts(struct kr_applying *f)
{
	return KR_ANY(j, f->fix->before->items, f->fix->before->n_items,
	              counts(f, j));
}

/* Looks at each that is not allowed. NEWS has room for all of them. */
static int look_at_all(struct kr_applying *f, const struct kr_hold_lines *lines,
                       struct kr_holds *holds, struct kr_hold_news *news,
                       size_t *n_news)
{
	for (size_t i = 0; i < holds->n; i++) {
		const struct kr_judgement *j = &f->fix->before->items[i];
		struct kr_consent *c = &holds->consents[i];
		char **text = &holds->texts[i];
		int sign;

		if (!counts(f, j) || c->allowed || j->waiver)
			continue;
		sign = look(f, j, lines, text);
		if (sign < 0)
			return sign;
		if (sign == SIGN_ENDED)
			return KR_STEP_ENDED;
		if (sign == SIGN_BLIND || sign == SIGN_YOUNG) {
			int r = hold_by_line(lines, j->rule->name,
			                     (enum sign)sign, text);

			if (r < 0)
				return r;
		} else {
			news[(*n_news)++] =
				(struct kr_hold_news){j->rule->name, *text};
		}
		c->held = *text;
	}
	return KR_STEP_GO_ON;
}

static bool is_new(const struct kr_hold_lines *lines,
                   const struct kr_hold_news *news, size_t n)
{
	return KR_ANY(new, news, n,
	              (new->reason != NULL) !=
	                      (kr_hold_lines_find(lines, new->name) != NULL));
}

/* GO_ON; AGAIN: another run was waited for; ENDED. */
static int keep_news(struct kr_applying *f, const struct kr_hold_lines *lines,
                     const struct kr_hold_news *news, size_t n)
{
	int r;

	if (f->options->dry_run || !kr_apply_may_write(f) ||
	    !is_new(lines, news, n))
		return KR_STEP_GO_ON;
	r = kr_apply_lock(f);
	if (r != KR_STEP_GO_ON)
		return r;
	r = kr_hold_lines_update(kr_apply_node(f)->fs, news, n, f->diag);
	if (r == -ENOMEM)
		return r;
	return r < 0 ? kr_apply_end_by_error(f, KR_OUTCOME_REFUSED,
	                                     "the holds cannot be kept")
	             : KR_STEP_GO_ON;
}

static int find_live(struct kr_applying *f, struct kr_holds *holds)
{
	_cleanup_hold_lines_ struct kr_hold_lines lines = {0};
	_cleanup_free_ struct kr_hold_news *news =
		calloc(holds->n + 1, sizeof(*news));
	size_t n_news = 0;
	int r;

	if (!news)
		return -ENOMEM;
	r = kr_apply_wait_starting(f);
	if (r != KR_STEP_GO_ON)
		return r;
	r = kr_hold_lines_read(kr_apply_node(f)->fs, f->diag, &lines);
	if (r < 0)
		return r;
	r = look_at_all(f, &lines, holds, news, &n_news);
	return r == KR_STEP_GO_ON ? keep_news(f, &lines, news, n_news) : r;
}

int kr_holds_find(struct kr_applying *f, struct kr_holds *ret)
{
	const struct kr_consent *said = f->options->consents;
	const struct kr_audit *before = f->fix->before;
	int r;

	if (!said)
		return KR_STEP_GO_ON;
	ret->n = before->n_items;
	ret->consents = calloc(ret->n + 1, sizeof(*ret->consents));
	ret->texts = calloc(ret->n + 1, sizeof(*ret->texts));
	ret->bars = calloc(ret->n + 1, sizeof(*ret->bars));
	if (!ret->consents || !ret->texts || !ret->bars) {
		kr_holds_done(ret);
		return -ENOMEM;
	}
	memcpy(ret->consents, said, ret->n * sizeof(*said));
	if (!kr_apply_node(f)->live || !any_counts(f))
		return KR_STEP_GO_ON;
	r = find_live(f, ret);
	if (r != KR_STEP_GO_ON)
		kr_holds_done(ret);
	return r;
}

void kr_holds_done(struct kr_holds *holds)
{
	for (size_t i = 0; i < holds->n && holds->texts; i++)
		free(holds->texts[i]);
	for (size_t i = 0; i < holds->n && holds->bars; i++)
		free(holds->bars[i]);
	free(holds->texts);
	free(holds->bars);
	free(holds->consents);
	*holds = (struct kr_holds){0};
}
