/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fix, undo and recover. With its output gone (SIGPIPE is ignored) or its
 * terminal (SIGHUP) a fix goes on to its end and its result is in the journal;
 * its status is then not 0, since its words were not seen.
 *
 * The journal gets one entry a run, also of a run that found nothing to do:
 * so the log shows that a unit or a script of every boot has run. A preview and
 * a fix of an image send nothing; an entry that cannot be sent is dropped. Each
 * outcome has a MESSAGE_ID of its own; data/kubelet-remedy.catalog explains
 * them to "journalctl -x", and a test holds that it has them all.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/fix-select.h"
#include "cli/learn.h"
#include "cli/output.h"
#include "cli/watch.h"
#include "fix/rescue.h"
#include "fix/undo.h"
#include "report/cause.h"
#include "report/json.h"
#include "report/text-fix.h"
#include "systemd/journal.h"

/* The exit statuses: what of fix is 1 is 0 of undo, and a change that had to be
 * reverted itself has undone nothing; to put everything back is recover's
 * job. */
static const struct {
	int fix, undo, recover;
} statuses[] = {
	[KR_OUTCOME_UNCHANGED] = {0, 1, 0},
	[KR_OUTCOME_FIXED] = {0, 0, 0},
	[KR_OUTCOME_PARTLY] = {1, 4, 1},
	[KR_OUTCOME_WOULD_FIX] = {1, 0, 1},
	[KR_OUTCOME_UNCONFIGURED] = {3, 4, 3},
	[KR_OUTCOME_REFUSED] = {4, 4, 4},
	[KR_OUTCOME_FAILED] = {4, 4, 4},
	[KR_OUTCOME_ROLLED_BACK] = {5, 4, 0},
	[KR_OUTCOME_BROKEN] = {6, 6, 6},
};

static_assert(ARRAY_SIZE(statuses) == _KR_OUTCOME_MAX, "one for each outcome");

/* A node that could not be read at all is this machine if no root was named. */
static bool is_live(const struct kr_options *o, const struct kr_fix *fix)
{
	if (fix->host && fix->host->node)
		return fix->host->node->live;
	return !o->node.root || strcmp(o->node.root, "/") == 0;
}

/*
 * What is left and fails in the end, or has not the value that was asked for,
 * is 1; what has no verdict then is 3. What kubelet runs with counts unless it
 * was to stay.
 */
static int fix_status(const struct kr_options *o, const struct kr_fix *fix)
{
	const struct kr_audit *last = fix->after ? fix->after : fix->before;
	const bool stays = o->fix.restart == KR_RESTART_NEVER;
	/* of an image the files are all that there is */
	const bool runs = !stays && is_live(o, fix);
	const bool partly = fix->outcome == KR_OUTCOME_PARTLY;
	bool no_verdict = false;

	if (!fix->plan || (fix->outcome != KR_OUTCOME_UNCHANGED &&
	                   fix->outcome != KR_OUTCOME_FIXED &&
	                   fix->outcome != KR_OUTCOME_PARTLY))
		return statuses[fix->outcome].fix;
	KR_EACH(const struct kr_judgement, j, last->items, last->n_items) {
		bool is_left = kr_plan_left(fix->plan, j->rule);

		if (j->verdict == KR_VERDICT_FAIL && (is_left || !stays))
			return 1;
		if (j->verdict == KR_VERDICT_PASS && is_left)
			return 1;
		no_verdict = no_verdict ||
		             (is_left && j->verdict != KR_VERDICT_WAIVED) ||
		             (runs && !partly &&
		              (j->verdict == KR_VERDICT_INVALID ||
		               j->verdict == KR_VERDICT_UNKNOWN));
	}
	return no_verdict ? 3 : statuses[fix->outcome].fix;
}

static int change_status(const struct kr_options *o, const struct kr_fix *fix)
{
	switch (o->command) {
	case KR_COMMAND_UNDO:
		return statuses[fix->outcome].undo;
	case KR_COMMAND_RECOVER:
		return statuses[fix->outcome].recover;
	default:
		return fix_status(o, fix);
	}
}

/* --- the journal --------------------------------------------------------- */

static const struct {
	const char *message_id;
	const char *priority; /* as syslog(3) counts them */
} entries[] = {
	[KR_OUTCOME_UNCHANGED] = {"51238fdf08a4458fab449e1d7169c940", "6"},
	[KR_OUTCOME_FIXED] = {"d0a1c93f6a6b4b0f9c0f6a1d2b7d5e11", "6"},
	[KR_OUTCOME_PARTLY] = {"5f0c2a9be1c84d0e9b6d4c0a6a7f3e42", "4"},
	[KR_OUTCOME_WOULD_FIX] = {NULL},
	[KR_OUTCOME_UNCONFIGURED] = {"54bdee31e0e34e33b20a160401b47c2d", "5"},
	[KR_OUTCOME_REFUSED] = {"fd56c0d0ecde49c49febccb452de923c", "4"},
	[KR_OUTCOME_FAILED] = {"4714819701834de98d8d6afc83e65272", "4"},
	[KR_OUTCOME_ROLLED_BACK] = {"08ad2c4bd4d1408fb717a79a76e95feb", "4"},
	[KR_OUTCOME_BROKEN] = {"fb1f041466d44cf38f02312d86c360e1", "3"},
};

static_assert(ARRAY_SIZE(entries) == _KR_OUTCOME_MAX, "one for each outcome");

/* REASON is fix->reason, and TEXT has it in it, as a log may be given it. */
static void send_entry(const struct kr_options *o, const struct kr_fix *fix,
                       int status, const char *text, const char *reason)
{
	/* a control that is left still fails, or has no verdict */
	const bool is_left = o->command == KR_COMMAND_FIX && status != 0 &&
	                     strcmp(entries[fix->outcome].priority, "6") == 0;
	char number[16];
	const char *unit =
		fix->host && fix->host->node ? fix->host->node->unit_name : "";
	const struct kr_journal_field fields[] = {
		{"MESSAGE", text},
		{"MESSAGE_ID", entries[fix->outcome].message_id},
		{"PRIORITY", is_left ? "5" : entries[fix->outcome].priority},
		{"KUBELET_REMEDY_COMMAND", kr_command_to_string(o->command)},
		{"KUBELET_REMEDY_OUTCOME", kr_fix_outcome(fix)},
		{"KUBELET_REMEDY_REASON", reason},
		{"KUBELET_REMEDY_STATUS", number},
		{"KUBELET_REMEDY_TRANSACTION", fix->transaction},
		{"KUBELET_REMEDY_UNIT", unit},
	};

	snprintf(number, sizeof(number), "%d", status);
	kr_journal_send(fields, ARRAY_SIZE(fields));
}

static void log_change(const struct kr_options *o, const struct kr_fix *fix,
                       int status)
{
	_cleanup_free_ char *text = NULL, *reason = NULL;

	if (o->fix.dry_run || !is_live(o, fix))
		return;
	reason = kr_utf8_escape(fix->reason, strlen(fix->reason));
	if (!reason ||
	    asprintf(&text, "%s: %s: %s", kr_command_to_string(o->command),
	             kr_fix_outcome(fix), reason) < 0) {
		text = NULL;
		return;
	}
	send_entry(o, fix, status, text, reason);
}

/* --- what is printed ----------------------------------------------------- */

struct said {
	const struct kr_options *o;
	const struct kr_fix *fix;
	const struct kr_diag *diag;
	const struct kr_message *cause; /* the result has its words */
};

/* What the change cures is wrong no more, or stands in the preview. That a
 * reboot is not provided for is of no use to a change that has ended. */
static bool is_omitted(const struct said *said, const struct kr_message *m)
{
	if (m->cured)
		return true;
	if (kr_cause_is_detail(m))
		return !said->o->verbose;
	if (strcmp(m->code, "no-boot-unit") == 0)
		return !said->o->fix.dry_run;
	return strcmp(m->code, "platform-rewrites") == 0 &&
	       kr_text_says_rewrites(said->fix);
}

static bool is_said(const struct kr_message *m, const void *closure)
{
	const struct said *said = closure;

	return m == said->cause || kr_cause_repeats(said->diag, m) ||
	       is_omitted(said, m);
}

/* Where the result says the cause, that is shown with it. */
static struct said find_said(const struct kr_options *o,
                             const struct kr_fix *fix,
                             const struct kr_diag *diag)
{
	/* --quiet does not print the outcome UNCHANGED */
	bool shown = fix->outcome == KR_OUTCOME_REFUSED ||
	             fix->outcome == KR_OUTCOME_FAILED ||
	             (fix->outcome == KR_OUTCOME_UNCHANGED && !o->quiet);
	_cleanup_free_ char *reason = shown ? kr_fix_reason(fix) : NULL;

	return (struct said){o, fix, diag, kr_cause_find(diag, reason)};
}

static void report_quietly(const struct said *said, FILE *err)
{
	const struct kr_term term = kr_cli_terminal(said->o, err);

	kr_term_messages_but(&term, said->diag, KR_ERROR, is_said, said);
	kr_term_messages_of(&term, said->diag, KR_STILL_FALSE);
	if (!said->o->fix.dry_run && kr_plan_n_failing(said->fix->plan) > 0)
		kr_text_left(&term, said->fix, "");
	if (change_status(said->o, said->fix) > 1)
		kr_text_outcome(&term, said->fix);
	kr_text_cause(&term, said->fix, said->cause, "");
	kr_text_advice(&term, said->fix, said->diag, "");
}

/* The result, what is to be known about it, the next command: in this order,
 * though the second is not on stdout. */
static int report_change(const struct kr_options *o, const struct kr_fix *fix,
                         const struct kr_diag *diag, bool interrupted,
                         FILE *out, FILE *err)
{
	const struct kr_term term = kr_cli_terminal(o, out);
	const struct kr_term err_term = kr_cli_terminal(o, err);
	const struct said said = find_said(o, fix, diag);
	const struct kr_text_change change = {
		.command = kr_command_to_string(o->command),
		.preview = o->fix.dry_run,
		.verbose = o->verbose,
		.stays = o->fix.restart == KR_RESTART_NEVER,
		.interrupted = interrupted,
		.needs_sudo = geteuid() != 0,
	};
	int r;

	if (o->quiet) {
		report_quietly(&said, err);
		return 0;
	}
	if (o->format == KR_FORMAT_JSON)
		return kr_json_fix(out, fix, diag);
	r = kr_text_change(&term, fix, &change);
	kr_text_cause(&term, fix, said.cause, change.preview ? "# " : "");
	if (change.preview)
		kr_text_cures(&term, diag);
	fflush(out);
	kr_term_messages_but(&err_term, diag, KR_NOTE, is_said, &said);
	if (!o->verbose)
		kr_cause_count_later(&err_term, diag);
	fflush(err);
	return r < 0 ? r : kr_text_change_next(&term, fix, &change, diag);
}

/* LEARN and SELECTED must live as long as RET. */
static int change(const struct kr_options *o, struct kr_watch *watch,
                  struct kr_learn *learn, struct kr_fix_selected *selected,
                  struct kr_diag *diag, struct kr_fix **ret)
{
	struct kr_node_options node = kr_cli_learn(o, learn);
	struct kr_fix_options options = o->fix;
	int r;

	options.rules = &kr_rules_usual;
	options.tick = kr_watch_tick;
	options.closure = watch;
	options.teller = &watch->teller;
	if (o->command != KR_COMMAND_FIX && kr_fix_how(o, &selected->how) < 0)
		return -ENOMEM;
	if (o->command == KR_COMMAND_UNDO) {
		r = kr_undo_run(&o->node, &options, o->transaction, diag, ret);
		if (r < 0)
			return r;
		(*ret)->how = selected->how;
		return 0;
	}
	if (o->command == KR_COMMAND_RECOVER)
		return kr_rescue_run(&o->node, &options, o->transaction, diag,
		                     ret);
	options.api = &o->api;
	options.select = kr_fix_select;
	options.select_closure = selected;
	options.rules = &selected->rules;
	options.consents = selected->consents;
	options.waivers = &selected->waivers;
	selected->rules = kr_rules_usual;
	r = kr_fix_run(&node, &options, diag, ret);
	if (r < 0)
		return r;
	(*ret)->audit_words = selected->audit_words;
	(*ret)->words = selected->words;
	(*ret)->left_words = selected->left_words;
	(*ret)->how = selected->how;
	return 0;
}

/* An undo judges by the controls of its fix, and was asked for none. */
static bool is_about_editions(const struct kr_message *m, const void *userdata)
{
	return strcmp(m->code, "editions") == 0;
}

int kr_cli_change(const struct kr_options *o, FILE *out, FILE *err)
{
	struct kr_watch watch;
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_fix_selected_ struct kr_fix_selected selected = {.o = o,
	                                                          .err = err};
	_cleanup_fix_ struct kr_fix *fix = NULL;
	struct kr_learn learn = {
		.wait =
			{
				.tick = kr_watch_tick,
				.closure = &watch,
				.what = "kubelet's version",
				.limit_usec = KR_LIVE_ASK_USEC,
			},
	};
	int r = kr_watch_begin(&watch, o, err), status;

	if (r < 0) {
		fprintf(err, "%s: signals: %s\n", KR_NAME, strerror(-r));
		return statuses[KR_OUTCOME_FAILED].fix;
	}
	r = change(o, &watch, &learn, &selected, &diag, &fix);
	kr_watch_end(&watch);
	if (o->command != KR_COMMAND_FIX)
		kr_diag_remove(&diag, is_about_editions, NULL);
	if (r < 0)
		return kr_cli_out_of_memory(err);
	if (selected.usage)
		return KR_STATUS_USAGE;
	status = change_status(o, fix);
	if (selected.unread)
		status = statuses[KR_OUTCOME_UNCONFIGURED].fix;
	log_change(o, fix, status);
	r = report_change(o, fix, &diag, watch.signal, out, err);
	if (kr_diag_result(&diag, r) < 0)
		return kr_cli_out_of_memory(err);
	/* a signal that came too late to be heeded was one all the same */
	return (watch.hung_up || watch.signal) && status <= 1
	               ? KR_STATUS_LOST_OUTPUT
	               : status;
}
