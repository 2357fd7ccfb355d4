/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The commands.
 *
 * SIGINT and SIGTERM are read from a signalfd, so that they come as an answer
 * to a question that fix asks between its steps, and never in the middle of
 * one. After a SIGHUP, or with its output gone (SIGPIPE is ignored), a fix goes
 * on to its end and its result is in the journal; its status is then not 0,
 * since nobody has seen what it said.
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli.h"
#include "fix/history.h"
#include "fix/recover.h"
#include "fix/rescue.h"
#include "fix/status.h"
#include "fix/undo.h"
#include "report/json.h"
#include "report/text.h"
#include "systemd/journal.h"

/* d0a1c93f6a6b4b0f9c0f6a1d2b7d5e11: what a fix ended with */
#define MESSAGE_ID_FIX "d0a1c93f6a6b4b0f9c0f6a1d2b7d5e11"

static struct kr_term terminal(const struct kr_options *o, FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	bool is_tty = isatty(fileno(out)) == 1;
	struct kr_term term = {.out = out, .is_terminal = is_tty};
	struct winsize size;

	term.color = o->color == KR_WHEN_ALWAYS ||
	             (o->color == KR_WHEN_AUTO && is_tty &&
	              !(no_color && *no_color));
	if (is_tty && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
		term.width = size.ws_col;
	return term;
}

/* Whether all that was printed has gone out. */
static bool flushed(FILE *out)
{
	return fflush(out) == 0 && !ferror(out);
}

static int out_of_memory(FILE *err)
{
	fprintf(err, "%s: out of memory\n", KR_NAME);
	return KR_STATUS_NO_MEMORY;
}

/* --- audit --------------------------------------------------------------- */

static int audit_status(enum kr_verdict verdict)
{
	switch (verdict) {
	case KR_VERDICT_PASS:
		return 0;
	case KR_VERDICT_FAIL:
		return 1;
	default:
		return KR_STATUS_NO_VERDICT;
	}
}

static int run_audit(const struct kr_options *o, FILE *out, FILE *err)
{
	const struct kr_audit_options options = {
		.explicit_wanted = o->fix.explicit_wanted,
		.live = KR_STATE_ABSENT,
	};
	const struct kr_term term = terminal(o, out);
	const struct kr_term err_term = terminal(o, err);
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_host_ struct kr_host *host = NULL;
	_cleanup_audit_ struct kr_audit *audit = NULL;
	_cleanup_(kr_actions_done) struct kr_actions steps = {0};
	uint64_t since = kr_now_usec();
	int r = kr_host_open(&kr_setting_iptables, &o->node, &diag, &host);

	if (r == 0)
		r = kr_actions_add(&steps, "read", "done", since);
	since = kr_now_usec();
	if (r == 0)
		r = kr_audit_run(host->node, &options, &diag, &audit);
	if (r == 0)
		r = kr_actions_add(&steps, "judge", "done", since);
	if (r == 0)
		r = kr_recover_report(host->node->fs, &diag);
	if (r == -ENOMEM)
		return out_of_memory(err);
	if (r < 0) {
		if (o->format == KR_FORMAT_JSON && !o->quiet)
			kr_json_unread(out, &kr_setting_iptables, &o->node,
			               &diag);
		else if (!o->quiet)
			kr_text_unread(&term, "the node cannot be read");
		kr_term_messages(&err_term, &diag, KR_NOTE);
		return KR_STATUS_NO_VERDICT;
	}
	if (o->verbose)
		kr_text_steps(&err_term, &steps);
	if (o->quiet)
		kr_term_messages(&err_term, &diag, KR_ERROR);
	else if (o->format == KR_FORMAT_TEXT)
		kr_text_audit(&term, host->node, audit, &diag);
	else if (kr_json_audit(out, host->node, audit, &diag) < 0)
		return out_of_memory(err);
	return audit_status(audit->verdict);
}

/* --- fix and undo -------------------------------------------------------- */

struct watch {
	int signal_fd;
	int signal; /* the one that asks for an end; 0 */
	bool hung_up;
	FILE *progress; /* NULL: nobody looks */
	unsigned width; /* of its terminal; 0: not known */
	bool shown;
	unsigned passed, drawn; /* seconds and columns of the line shown */
};

static void read_signals(struct watch *w)
{
	struct signalfd_siginfo info;

	while (read(w->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			w->hung_up = true;
		else
			w->signal = (int)info.ssi_signo;
	}
}

/* One line that is drawn over itself, once a second, and never wraps. */
static void draw_progress(struct watch *w, const char *what,
                          uint64_t passed_usec, uint64_t limit_usec)
{
	unsigned passed = (unsigned)(passed_usec / KR_USEC_PER_SEC);
	unsigned limit = (unsigned)(limit_usec / KR_USEC_PER_SEC);
	char line[128];
	int width;

	if (w->shown && w->passed == passed)
		return;
	snprintf(line, sizeof(line), "waiting for %s (%u of %u s)", what,
	         passed, limit);
	width = w->width > 1 && w->width < sizeof(line) ? (int)w->width - 1
	                                                : 79;
	fprintf(w->progress, "\r%-*.*s", width, width, line);
	fflush(w->progress);
	w->shown = true;
	w->passed = passed;
	w->drawn = (unsigned)width;
}

/* The answer to "shall I go on?". */
static int tick(void *closure, const char *what, uint64_t passed_usec,
                uint64_t limit_usec)
{
	struct watch *w = closure;

	read_signals(w);
	if (w->progress && *what)
		draw_progress(w, what, passed_usec, limit_usec);
	return w->signal ? -EINTR : 0;
}

static int watch_signals(struct watch *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signal_fd < 0)
		return -errno;
	return 0;
}

static void log_result(const char *command, const struct kr_fix *fix)
{
	_cleanup_free_ char *text = NULL;
	const struct kr_journal_field fields[] = {
		{"MESSAGE_ID", MESSAGE_ID_FIX},
		{"PRIORITY", kr_outcome_to_status(fix->outcome) ? "4" : "6"},
		{"KUBELET_REMEDY_OUTCOME", kr_outcome_to_string(fix->outcome)},
		{"KUBELET_REMEDY_TRANSACTION", fix->transaction},
		{"MESSAGE", NULL},
	};
	struct kr_journal_field sent[ARRAY_SIZE(fields)];

	if (asprintf(&text, "%s: %s: %s", command,
	             kr_outcome_to_string(fix->outcome), fix->reason) < 0) {
		text = NULL;
		return;
	}
	memcpy(sent, fields, sizeof(fields));
	sent[ARRAY_SIZE(fields) - 1].value = text;
	kr_journal_send(sent, ARRAY_SIZE(sent));
}

static int change_status(const struct kr_options *o, const struct kr_fix *fix)
{
	switch (o->command) {
	case KR_COMMAND_UNDO:
		return kr_outcome_to_undo_status(fix->outcome);
	case KR_COMMAND_RECOVER:
		return kr_outcome_to_recover_status(fix->outcome);
	default:
		return kr_outcome_to_status(fix->outcome);
	}
}

static int report_change(const struct kr_options *o, const struct kr_fix *fix,
                         const struct kr_diag *diag, FILE *out, FILE *err)
{
	const struct kr_term term = terminal(o, out);
	const struct kr_term err_term = terminal(o, err);
	bool json = o->format == KR_FORMAT_JSON;
	bool undo = o->command == KR_COMMAND_UNDO;

	if (o->verbose)
		kr_text_steps(&err_term, &fix->actions);
	if (!json)
		kr_term_messages(&err_term, diag,
		                 o->quiet ? KR_ERROR : KR_NOTE);
	if (o->quiet) {
		if (change_status(o, fix) > 1)
			kr_text_outcome(&err_term, fix);
		return 0;
	}
	if (json)
		return kr_json_fix(out, fix, diag);
	if (o->fix.dry_run)
		return kr_text_preview(&term, fix, undo ? "undo" : "fix");
	if (o->command == KR_COMMAND_FIX)
		kr_text_fix(&term, fix);
	else
		kr_text_undo(&term, fix);
	return 0;
}

static int change(const struct kr_options *o, struct watch *watch,
                  struct kr_diag *diag, struct kr_fix **ret)
{
	struct kr_fix_options options = o->fix;

	options.tick = tick;
	options.closure = watch;
	if (o->command == KR_COMMAND_UNDO)
		return kr_undo_run(&kr_setting_iptables, &o->node, &options,
		                   o->transaction, diag, ret);
	if (o->command == KR_COMMAND_RECOVER)
		return kr_rescue_run(&kr_setting_iptables, &o->node, &options,
		                     o->transaction, diag, ret);
	return kr_fix_run(&kr_setting_iptables, &o->node, &options, diag, ret);
}

static int run_change(const struct kr_options *o, FILE *out, FILE *err)
{
	struct watch watch = {.signal_fd = -1};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_fix_ struct kr_fix *fix = NULL;
	int r = watch_signals(&watch), status;

	if (r < 0) {
		fprintf(err, "%s: signals: %s\n", KR_NAME, strerror(-r));
		return kr_outcome_to_status(KR_OUTCOME_FAILED);
	}
	if (!o->quiet && isatty(fileno(err)) == 1) {
		watch.progress = err;
		watch.width = terminal(o, err).width;
	}
	r = change(o, &watch, &diag, &fix);
	read_signals(&watch);
	close(watch.signal_fd);
	if (watch.shown)
		fprintf(err, "\r%*s\r", (int)watch.drawn, "");
	if (r < 0)
		return out_of_memory(err);
	if (fix->actions.n_actions > 0 && fix->host && fix->host->node->live)
		log_result(kr_command_to_string(o->command), fix);
	if (report_change(o, fix, &diag, out, err) < 0)
		return out_of_memory(err);
	status = change_status(o, fix);
	/* a signal that came too late to be heeded was one all the same */
	return (watch.hung_up || watch.signal) && status <= 1
	               ? KR_STATUS_LOST_OUTPUT
	               : status;
}

/* --- history ------------------------------------------------------------- */

static int run_history(const struct kr_options *o, FILE *out, FILE *err)
{
	const struct kr_term term = terminal(o, out);
	const struct kr_term err_term = terminal(o, err);
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_history_ struct kr_history history = {0};
	int r = kr_node_open(&kr_setting_iptables, &o->node, &diag, &node);

	if (r == 0)
		r = kr_history_read(node->fs, &diag, &history);
	if (r == -ENOMEM)
		return out_of_memory(err);
	kr_term_messages(&err_term, &diag, KR_NOTE);
	if (r < 0)
		return KR_STATUS_NO_VERDICT;
	if (o->quiet)
		return 0;
	if (o->format == KR_FORMAT_TEXT)
		kr_text_history(&term, &history);
	else if (kr_json_history(out, &history) < 0)
		return out_of_memory(err);
	return 0;
}

/* --- status -------------------------------------------------------------- */

static int run_status(const struct kr_options *o, FILE *out, FILE *err)
{
	const struct kr_term term = terminal(o, out);
	const struct kr_term err_term = terminal(o, err);
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_status_ struct kr_status status = {0};
	int r = kr_status_read(&kr_setting_iptables, &o->node, &diag, &status);

	if (r == -ENOMEM)
		return out_of_memory(err);
	kr_term_messages(&err_term, &diag, KR_ERROR);
	if (r < 0) {
		if (o->format == KR_FORMAT_JSON && !o->quiet &&
		    kr_json_status_unread(out, &o->node) < 0)
			return out_of_memory(err);
		return KR_STATUS_NO_VERDICT;
	}
	if (o->format == KR_FORMAT_JSON && !o->quiet)
		r = kr_json_status(out, &status);
	else if (!o->quiet)
		kr_text_status(&term, &status);
	if (r < 0)
		return out_of_memory(err);
	if (!status.found)
		return KR_STATUS_NO_VERDICT;
	return status.healthy ? 0 : 1;
}

/* --- dispatch ------------------------------------------------------------ */

static int dispatch(const struct kr_options *o, FILE *out, FILE *err)
{
	switch (o->command) {
	case KR_COMMAND_AUDIT:
		return run_audit(o, out, err);
	case KR_COMMAND_FIX:
	case KR_COMMAND_UNDO:
	case KR_COMMAND_RECOVER:
		return run_change(o, out, err);
	case KR_COMMAND_HISTORY:
		return run_history(o, out, err);
	case KR_COMMAND_STATUS:
		return run_status(o, out, err);
	case KR_COMMAND_VERSION:
		fprintf(out, "%s %s\n", KR_NAME, KR_VERSION);
		return 0;
	default:
		kr_options_help(out, o->help_on);
		return 0;
	}
}

int kr_cli_run(const struct kr_options *o, FILE *out, FILE *err)
{
	int status;

	signal(SIGPIPE, SIG_IGN);
	status = dispatch(o, out, err);
	if (flushed(out))
		return status;
	fprintf(err, "%s: the output could not be written: %s\n", KR_NAME,
	        strerror(errno));
	return status <= 1 ? KR_STATUS_LOST_OUTPUT : status;
}
