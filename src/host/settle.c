/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet on its way up.
 *
 *   not there yet ── a main process ──> asked ── first ok ──> watched ── 5 s,
 *        ▲                                │                      │    ok again
 *        │ a restart by others, SIGKILL:  │ --wait is over       │       │
 *        └── once ────────────────────────┼──────────────────────┤    settled
 *                                         ▼                      ▼
 *                                      not healthy          ended: not healthy
 *
 * "Active" says little: for Type=simple the start is done when a process is
 * made. The first ok says little more: kubelet opens healthz and only then
 * starts what may still end it. So settled is a kubelet whose first ok, of this
 * invocation and process, is KR_SETTLED_USEC ago and which says ok again; where
 * it cannot be asked, one that has run for KR_SETTLED_UNASKED_USEC.
 *
 * systemd says when the unit changes (systemd/unit-watch): it is looked at
 * first, after a signal, and after a lost bus; last, its process is. A death
 * shows at once.
 *
 * Others may act meanwhile. A stop job that we did not ask for, or a shutdown,
 * is the wish of others: it is obeyed. A restart, by an operator or a path unit
 * that watches what we have just written, and a SIGKILL, the kernel's out of
 * memory for one, say nothing about kubelet: the process that follows has to
 * settle instead, once; there must be an end. On the way back, where there is
 * no other, it is as often as the time allows. systemd counts the restarts that
 * it makes itself, and begins with 0 when it is asked for one.
 *
 * A bus that is gone says nothing about kubelet either. As long as systemd does
 * not answer, the process is looked for in /proc, and healthz decides.
 *
 * A slow node is no broken one: only a question that was asked when the time
 * was over can say that kubelet is not healthy, and one that was healthy may be
 * silent for as long as it takes to settle.
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/format.h"
#include "host/figures.h"
#include "host/settle.h"

/* On the way back others may restart it for so many times the wait. */
#define RESTLESS 3

/* While it settles systemd is asked for no longer at a time: then the process
 * itself tells, and a signal is heard. */
#define LOOK_USEC (3 * KR_USEC_PER_SEC)

/* What one look, or one question, has shown. */
enum verdict {
	GO_ON,
	IS_SETTLED,
	IS_NOT_WELL,
	IS_STOPPED,
};

void kr_settling_done(struct kr_settling *s)
{
	kr_unit_watch_free(s->watch);
	kr_loaded_unit_free(s->unit);
	free(s->failure);
	free(s->why);
	s->watch = NULL;
	s->unit = NULL;
	s->failure = s->why = NULL;
}

int kr_settling_begin(struct kr_settling *s, struct kr_diag *diag)
{
	s->look_due = true;
	s->begun_usec = s->since_usec = kr_now_usec();
	return kr_unit_watch_new(s->host->manager, kr_host_unit(s->host), diag,
	                         &s->watch);
}

/* --- how it ended -------------------------------------------------------- */

/* In systemctl's words. */
static void describe_end(const struct kr_loaded_unit *u, char *ret, size_t size)
{
	const char *name = sigabbrev_np(u->exec_main_status);

	if (u->exec_main_code == CLD_EXITED)
		snprintf(ret, size, "exit status %d", u->exec_main_status);
	else if (u->exec_main_code == CLD_KILLED ||
	         u->exec_main_code == CLD_DUMPED)
		snprintf(ret, size, "killed by signal %d (%s)",
		         u->exec_main_status, name ? name : "?");
	else
		snprintf(ret, size, "result %s", u->result);
}

static int not_well(enum verdict *ret)
{
	*ret = IS_NOT_WELL;
	return 0;
}

static int ended(struct kr_settling *s, enum verdict *ret)
{
	const struct kr_loaded_unit *u = s->unit;
	uint64_t end = u->exited_realtime_usec ? u->exited_realtime_usec
	                                       : kr_realtime_usec();
	char how[64];

	describe_end(u, how, sizeof(how));
	snprintf(s->ended, sizeof(s->ended), "kubelet ended (%s)",
	         u->exec_main_code == CLD_EXITED ? how + strlen("exit ") : how);
	not_well(ret);
	/* systemd has forgotten it, or the clock was set */
	if (u->started_realtime_usec == 0 || end < u->started_realtime_usec)
		return kr_format(&s->failure, "kubelet ended (%s)", how);
	return kr_format(&s->failure, "kubelet ended after %.1f s (%s)",
	                 (double)(end - u->started_realtime_usec) /
	                         KR_USEC_PER_SEC,
	                 how);
}

static bool is_state(const struct kr_loaded_unit *u, const char *state)
{
	return strcmp(u->active_state, state) == 0;
}

static bool is_auto_restart(const struct kr_loaded_unit *u)
{
	/* "auto-restart-queued": systemd 254 and newer */
	return strncmp(u->sub_state, "auto-restart", 12) == 0;
}

/* systemd's own SIGKILL, of a unit that does not stop, has another result;
 * where the kernel has killed a child, the main process ends by SIGTERM. */
bool kr_settling_was_killed(const struct kr_loaded_unit *u)
{
	return strcmp(u->result, "oom-kill") == 0 ||
	       (u->exec_main_code == CLD_KILLED &&
	        u->exec_main_status == SIGKILL &&
	        strcmp(u->result, "signal") == 0);
}

bool kr_settling_is_at_rest(const struct kr_loaded_unit *u)
{
	return is_state(u, "reloading") ||
	       (is_state(u, "active") && u->job_id == 0);
}

/* Others has ended kubelet, and another one comes: once. */
static int await_another(struct kr_settling *s, const char *what,
                         struct kr_diag *diag, enum verdict *ret)
{
	s->by_others = true;
	if (s->once_more && !s->again_and_again) {
		not_well(ret);
		return kr_format(&s->failure, "%s twice", what);
	}
	s->since_usec = kr_now_usec();
	s->once_more = s->awaits = true;
	s->follows = false;
	s->first_ok_usec = s->last_ok_usec = 0;
	kr_diag_add(diag, KR_NOTE, "restarted-by-others", KR_SPAN_NONE,
	            "%s meanwhile: the kubelet that follows is waited for",
	            what);
	if (s->begins_again)
		s->begins_again(s->closure);
	*ret = GO_ON;
	return 0;
}

/* Others want kubelet not to run. */
static bool was_stopped(const struct kr_settling *s)
{
	return kr_unit_watch_saw_stop(s->watch) ||
	       kr_manager_is_stopping(s->host->manager) == 1;
}

/* The process that was followed, or waited for, is not there. */
static int judge_end(struct kr_settling *s, struct kr_diag *diag,
                     enum verdict *ret)
{
	const struct kr_loaded_unit *u = s->unit;

	if (was_stopped(s)) {
		*ret = IS_STOPPED;
		return 0;
	}
	if (kr_settling_was_killed(u) && is_state(u, "deactivating")) {
		s->follows = false; /* what comes behind it tells */
		return 0;
	}
	if (is_auto_restart(u) && kr_settling_was_killed(u))
		return await_another(s, "kubelet was killed (SIGKILL)", diag,
		                     ret);
	if (u->job_id != 0 && !is_auto_restart(u))
		return await_another(s, "others restarted kubelet", diag, ret);
	s->by_others = kr_settling_was_killed(u);
	return ended(s, ret);
}

/* --- one look ------------------------------------------------------------ */

static struct kr_invocation invocation_of(const struct kr_loaded_unit *u)
{
	struct kr_invocation inv = {.pid = u->main_pid};

	strlcpy(inv.id, u->invocation_id, sizeof(inv.id));
	return inv;
}

/* What tells where healthz is: the process's own configuration, where it was
 * read; else what the disk gives to the one that is started. */
static const struct kr_inputs *inputs_of(const struct kr_node *node, pid_t pid)
{
	if (node->running_valid && node->process.pid == pid)
		return &node->running;
	return kr_node_inputs(node);
}

static void follow(struct kr_settling *s)
{
	const struct kr_loaded_unit *u = s->unit;
	struct kr_node *node = s->host->node;

	s->follows = true;
	s->awaits = s->by_others = false;
	s->pid = u->main_pid;
	s->n_restarts = u->n_restarts;
	s->invocation = invocation_of(u);
	s->start_usec = u->started_monotonic_usec ? u->started_monotonic_usec
	                                          : kr_now_usec();
	s->start_ticks = 0;
	kr_process_start(node->proc_fd, s->pid, &s->start_ticks);
	s->since_usec = s->ask_usec = kr_now_usec();
	s->busy_usec = 0;
	s->first_ok_usec = s->last_ok_usec = 0;
	kr_health_probe_find(node, inputs_of(node, s->pid), s->pid, &s->probe);
	s->unasked = s->probe.why_not;
}

/* There is no process yet that could be followed. */
static int judge_beginning(struct kr_settling *s, struct kr_diag *diag,
                           enum verdict *ret)
{
	const struct kr_loaded_unit *u = s->unit;

	*ret = GO_ON;
	if (is_state(u, "active") && u->main_pid > 0) {
		follow(s);
		return 0;
	}
	if (is_auto_restart(u) ? s->awaits : u->job_id != 0)
		return 0;
	if (is_state(u, "activating") && !is_auto_restart(u))
		return 0;
	if (is_state(u, "deactivating") || is_state(u, "reloading"))
		return 0;
	/* systemd forgets a unit that is stopped and not referred to */
	if (is_auto_restart(u) || u->exited_realtime_usec > 0 ||
	    u->exec_main_code != 0 || was_stopped(s)) {
		s->invocation = invocation_of(u);
		return judge_end(s, diag, ret);
	}
	not_well(ret);
	return kr_format(&s->failure, "%s is %s (%s)", s->host->node->unit_name,
	                 u->active_state, u->sub_state);
}

static bool is_same(const struct kr_settling *s)
{
	const struct kr_loaded_unit *u = s->unit;

	return u->main_pid == s->pid && u->n_restarts == s->n_restarts &&
	       strcmp(u->invocation_id, s->invocation.id) == 0;
}

static int judge_running(struct kr_settling *s, struct kr_diag *diag,
                         enum verdict *ret)
{
	const struct kr_loaded_unit *u = s->unit;

	*ret = GO_ON;
	if (kr_unit_watch_saw_stop(s->watch)) {
		*ret = IS_STOPPED;
		return 0;
	}
	/* also a unit that is about to be stopped: what comes then is waited
	 * for
	 */
	if (is_same(s))
		return 0;
	if (u->n_restarts > s->n_restarts) {
		not_well(ret);
		return kr_format(&s->failure,
		                 "kubelet ended and systemd started it again");
	}
	if (!is_state(u, "active") || u->main_pid == 0)
		return judge_end(s, diag, ret);
	return await_another(s, "others restarted kubelet", diag, ret);
}

/* systemd does not answer: the process itself tells. */
static int judge_process(struct kr_settling *s, enum verdict *ret)
{
	uint64_t ticks;
	int r;

	*ret = GO_ON;
	if (!s->follows || s->host->node->proc_fd < 0)
		return 0;
	r = kr_process_start(s->host->node->proc_fd, s->pid, &ticks);
	if (r != -ESRCH && (r < 0 || ticks == s->start_ticks))
		return 0;
	not_well(ret);
	return kr_format(&s->failure, "kubelet[%d] ended", (int)s->pid);
}

/* R is what the manager's answer ended with. 0: it was heard, unless "blind";
 * an errno that ends the wait, or judge_process()'s. */
static int end_look(struct kr_settling *s, int r, enum verdict *ret)
{
	if (r == -ENOMEM || r == -EINTR)
		return r;
	s->blind = r < 0;
	if (s->blind)
		return judge_process(s, ret);
	s->looked_usec = kr_now_usec();
	return 0;
}

static int look(struct kr_settling *s, struct kr_diag *diag, enum verdict *ret)
{
	_cleanup_diag_ struct kr_diag words = {0};
	struct kr_loaded_unit *unit = NULL;
	int r;

	s->look_due = false;
	r = end_look(s, kr_unit_watch_look(s->watch, &words, &unit), ret);
	if (r < 0 || s->blind)
		return r;
	kr_loaded_unit_free(s->unit);
	s->unit = unit;
	if (s->follows) {
		r = judge_running(s, diag, ret);
		if (r < 0 || *ret != GO_ON)
			return r;
	}
	return s->follows ? 0 : judge_beginning(s, diag, ret);
}

/* Once more, where it would have settled. Its process is asked for: all else
 * that could be another is signalled, and the audit afterwards looks at it. */
static int look_again(struct kr_settling *s, struct kr_diag *diag,
                      enum verdict *ret)
{
	_cleanup_diag_ struct kr_diag words = {0};
	int r = kr_unit_watch_is_same(s->watch, s->pid, &words);

	return r == 0 ? look(s, diag, ret) : end_look(s, r, ret);
}

/* --- health -------------------------------------------------------------- */

static int check_argv(struct kr_settling *s, struct kr_diag *diag,
                      enum verdict *ret)
{
	_cleanup_process_ struct kr_process p = {.root_fd = -1};
	size_t first, n;
	int word, r;

	*ret = IS_SETTLED;
	if (!s->argv || s->host->node->proc_fd < 0)
		return 0;
	r = kr_process_read(s->host->node->proc_fd, s->pid, NULL, diag, &p);
	if (r == -ESRCH)
		return ended(s, ret);
	if (r < 0)
		return r;
	word = kr_process_kubelet_word((const char *const *)p.argv, p.argc);
	first = word < 0 ? 0 : (size_t)word;
	n = p.argc - first;
	s->other_words = n != s->argc;
	if (s->other_words) {
		not_well(ret);
		return kr_format(
			&s->failure,
			"kubelet runs with %zu arguments, %zu were planned",
			n - 1, s->argc - 1);
	}
	for (size_t i = 1; i < n; i++) {
		if (strcmp(p.argv[first + i], s->argv[i]) == 0)
			continue;
		s->other_words = true;
		not_well(ret);
		return kr_format(&s->failure,
		                 "kubelet runs with the argument '%s' where "
		                 "'%s' was planned",
		                 p.argv[first + i], s->argv[i]);
	}
	return 0;
}

static int ask(struct kr_settling *s)
{
	_cleanup_health_report_ struct kr_health_report report = {0};
	int r;

	r = kr_health_probe_ask(&s->probe, KR_HEALTHZ_WAIT_USEC, &report);
	if (r < 0)
		return r;
	s->ask_usec = kr_now_usec() + KR_HEALTHZ_EVERY_USEC;
	if (report.state != KR_HEALTH_GOOD) {
		free(s->why);
		s->why = TAKE_PTR(report.why);
		return 0;
	}
	s->last_ok_usec = kr_now_usec();
	if (s->first_ok_usec == 0)
		s->first_ok_usec = s->last_ok_usec;
	return 0;
}

/* From the first ok to the last. */
static uint64_t watch_usec(const struct kr_settling *s)
{
	return s->watch_usec ? s->watch_usec : KR_SETTLED_USEC;
}

/* When it can have settled. */
static uint64_t settled_usec(const struct kr_settling *s)
{
	if (s->unasked)
		return s->start_usec + KR_SETTLED_UNASKED_USEC;
	return s->first_ok_usec + watch_usec(s);
}

/* Asks where that is due; whether it has settled. */
static int check_health(struct kr_settling *s, bool *ret)
{
	uint64_t now = kr_now_usec();
	int r;

	if (s->unasked) {
		*ret = now >= settled_usec(s);
		return 0;
	}
	*ret = false;
	if (now < s->ask_usec || (s->first_ok_usec && now < settled_usec(s)))
		return 0;
	r = ask(s);
	if (r < 0)
		return r;
	*ret = s->first_ok_usec && s->last_ok_usec >= settled_usec(s);
	return 0;
}

/* The last moment at which a question may begin that is answered ok. */
static uint64_t end_usec(const struct kr_settling *s)
{
	uint64_t end = s->since_usec + s->wait_usec;
	uint64_t silent =
		s->first_ok_usec ? settled_usec(s) + watch_usec(s) : 0;

	return silent > end ? silent : end;
}

static int too_late(struct kr_settling *s, uint64_t asked_usec,
                    enum verdict *ret)
{
	unsigned long long seconds =
		(asked_usec - s->since_usec) / KR_USEC_PER_SEC;

	not_well(ret);
	s->too_slow = s->follows;
	if (s->follows)
		return kr_format(&s->failure,
		                 "kubelet is not healthy after %llu s%s: %s",
		                 seconds,
		                 s->first_ok_usec ? ""
		                                  : " (--wait), and still "
		                                    "runs: it may be starting",
		                 s->why ? s->why : "it gives no answer");
	if (s->blind)
		return kr_format(&s->failure, "systemd does not answer");
	return kr_format(&s->failure, "%s is %s (%s) after %llu s",
	                 s->host->node->unit_name, s->unit->active_state,
	                 s->unit->sub_state, seconds);
}

/* --- the whole ----------------------------------------------------------- */

/* Others are about to end what has settled: what comes of it is waited for, as
 * long as the unit may take to stop. */
static bool is_busy(struct kr_settling *s)
{
	if (s->blind || kr_settling_is_at_rest(s->unit)) {
		s->busy_usec = 0;
		return false;
	}
	s->ask_usec = kr_now_usec() + KR_HEALTHZ_EVERY_USEC;
	if (s->busy_usec == 0)
		s->busy_usec = kr_now_usec();
	return true;
}

static uint64_t stop_limit_usec(const struct kr_settling *s)
{
	uint64_t usec = s->host->loaded->timeout_stop_usec;

	return (usec < KR_TIMEOUT_CAP_USEC ? usec : KR_TIMEOUT_CAP_USEC) +
	       KR_JOB_SLACK_USEC;
}

/* It runs, but is not left to settle. */
static int judge_restless(struct kr_settling *s, uint64_t began_usec,
                          enum verdict *ret)
{
	bool busy =
		s->busy_usec && began_usec >= s->busy_usec + stop_limit_usec(s);
	bool again = s->again_and_again && s->once_more &&
	             began_usec >= s->begun_usec + RESTLESS * s->wait_usec;

	if (!s->follows || (!busy && !again))
		return 0;
	s->by_others = s->unwatched = true;
	not_well(ret);
	return kr_format(&s->failure,
	                 "others stop or restart kubelet again and again");
}

static int judge_time(struct kr_settling *s, uint64_t began_usec,
                      enum verdict *ret)
{
	int r;

	r = judge_restless(s, began_usec, ret);
	if (r < 0 || *ret != GO_ON)
		return r;
	if (s->follows && (s->unasked || s->busy_usec))
		return 0;
	return began_usec >= end_usec(s) ? too_late(s, began_usec, ret) : 0;
}

static int step(struct kr_settling *s, struct kr_diag *diag, enum verdict *ret)
{
	uint64_t began = kr_now_usec();
	bool settled = false;
	int r;

	*ret = GO_ON;
	r = s->look_due || s->blind ? look(s, diag, ret) : 0;
	if (r < 0 || *ret != GO_ON)
		return r;
	r = s->follows ? check_health(s, &settled) : 0;
	if (r < 0)
		return r;
	if (settled && s->looked_usec < began) {
		r = look_again(s, diag, ret);
		if (r < 0 || *ret != GO_ON || !s->follows)
			return r;
	}
	if (settled && !is_busy(s))
		return check_argv(s, diag, ret);
	return judge_time(s, began, ret);
}

static int tick(void *closure)
{
	const struct kr_settling *s = closure;
	uint64_t now = kr_now_usec();

	if (!s->tick)
		return 0;
	if (s->follows && s->first_ok_usec)
		return s->tick(s->closure, "kubelet to stay healthy",
		               now - s->first_ok_usec, watch_usec(s));
	if (s->follows && s->unasked)
		return s->tick(s->closure, "kubelet to stay up",
		               now - s->start_usec, KR_SETTLED_UNASKED_USEC);
	return s->tick(s->closure, "kubelet to be healthy", now - s->since_usec,
	               s->wait_usec);
}

/* What comes next, if systemd has nothing to say before. */
static uint64_t next_usec(const struct kr_settling *s)
{
	if (!s->follows)
		return end_usec(s);
	if (!s->unasked && !s->first_ok_usec)
		return s->ask_usec;
	return settled_usec(s) > s->ask_usec ? settled_usec(s) : s->ask_usec;
}

static int wait_next(struct kr_settling *s)
{
	_cleanup_diag_ struct kr_diag words = {0};
	const struct kr_manager_wait wait = {
		.deadline_usec = next_usec(s),
		.tick = tick,
		.closure = s,
	};
	int r;

	r = kr_unit_watch_wait(s->watch, &wait, &words);
	if (r == -ENOMEM || r == -EINTR)
		return r;
	s->look_due = r == 1;
	s->blind = r < 0;
	if (!s->blind)
		return 0;
	kr_pause_usec(KR_HEALTHZ_EVERY_USEC);
	return tick(s);
}

int kr_settling_run(struct kr_settling *s, struct kr_diag *diag,
                    enum kr_settled *ret)
{
	static const enum kr_settled ends[] = {
		[IS_SETTLED] = KR_SETTLED,
		[IS_NOT_WELL] = KR_SETTLED_NOT,
		[IS_STOPPED] = KR_SETTLED_STOPPED,
	};
	enum verdict verdict;
	int r;

	s->look_due = true;
	kr_manager_set_patience(s->host->manager, LOOK_USEC, tick, s);
	do {
		r = step(s, diag, &verdict);
		if (r < 0 || verdict != GO_ON)
			break;
		r = wait_next(s);
	} while (r >= 0);
	kr_manager_set_patience(s->host->manager, 0, NULL, NULL);
	if (r < 0)
		return r;
	*ret = ends[verdict];
	if (s->blind && verdict == IS_SETTLED)
		kr_diag_add(diag, KR_WARNING, "systemd-silent", KR_SPAN_NONE,
		            "systemd does not answer: only kubelet itself says "
		            "that it is healthy");
	return 0;
}
