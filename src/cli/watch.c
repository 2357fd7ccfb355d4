/* SPDX-License-Identifier: Apache-2.0 */

/*
 * SIGINT and SIGTERM are read from a signalfd, so that they come as an answer
 * to a question that fix asks between its steps, and never in the middle of
 * one. Each of them is answered at once, where fix has said with what. After a
 * SIGHUP a fix goes on to its end.
 *
 * A terminal shows what is being done in one line, which is drawn over itself;
 * what has to be read stays above it. With --verbose each step that has ended
 * stays, too; where there is no terminal its beginning, and what is waited for,
 * have lines as well.
 *
 * Nor does it stand still for its terminal, between two files or before a
 * kubelet that dies: Ctrl-Z and "stty tostop" do not stop a change, and one
 * that takes nothing more (Ctrl-S, a connection that hangs) misses lines of
 * progress. For that it is opened once more, since O_NONBLOCK is shared with
 * others that have the same open file, the shell for one.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "cli/output.h"
#include "cli/watch.h"

/* A terminal that is too slow misses the line, a terminal that is gone all of
 * them. */
static void put(struct kr_watch *w, const char *text, size_t size)
{
	ssize_t n = write(w->progress_fd, text, size);

	w->shown = w->shown || n > 0;
}

static unsigned columns(const struct kr_watch *w)
{
	unsigned width = w->width > 1 ? w->width - 1 : 79;

	return width > KR_WATCH_LINE_SIZE ? KR_WATCH_LINE_SIZE : width;
}

/* One line that is drawn over itself and never wraps. */
static void draw(struct kr_watch *w, const char *line)
{
	unsigned width = columns(w);
	char text[KR_WATCH_LINE_SIZE + 2];

	snprintf(text, sizeof(text), "\r%-*.*s", (int)width, (int)width, line);
	put(w, text, strlen(text));
	w->drawn = width;
}

static void wipe(struct kr_watch *w)
{
	char text[KR_WATCH_LINE_SIZE + 3];

	if (w->shown) {
		snprintf(text, sizeof(text), "\r%*s\r", (int)w->drawn, "");
		put(w, text, strlen(text));
	}
	w->shown = false;
}

/* --- the log ------------------------------------------------------------- */

/* Whether the log takes a line at once; a pipe does with one free page. */
static bool takes(FILE *log)
{
	struct pollfd pfd = {.fd = fileno(log), .events = POLLOUT};

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLOUT);
}

/* One line of the log; a reader that is stuck gets it at the end. */
static void write_log(struct kr_watch *w, const char *line)
{
	if (!w->unsaid && takes(w->log)) {
		fprintf(w->log, "%s\n", line);
		fflush(w->log);
	} else if (kr_format(&w->unsaid, "%s%s\n", w->unsaid ? w->unsaid : "",
	                     line) < 0) {
		w->unsaid = NULL;
	}
}

/* A line that stays: on the terminal, or in the log, which may be the same. */
static void say(struct kr_watch *w, const char *line)
{
	char text[KR_WATCH_LINE_SIZE];

	if (w->progress_fd >= 0) {
		wipe(w);
		kr_utf8_show_some(line, strlen(line), text, sizeof(text) - 1);
		strlcat(text, "\n", sizeof(text));
		if (write(w->progress_fd, text, strlen(text)) < 0)
			return;
	} else if (w->log) {
		write_log(w, line);
	}
}

/* --- waits --------------------------------------------------------------- */

/* What is said otherwise than that it is waited for. */
static const struct phrase {
	const char *what, *words, *brief;
	bool is_step; /* that said its name when it began */
} phrases[] = {
	{"the reload", "reload", "reload", true},
	{"the restart", "restart", "restart", true},
	{"kubelet to stay healthy", "healthy; watching that it stays up",
         "healthy; watching", false},
	{"kubelet to stay up", "running; watching that it stays up",
         "running; watching", false},
};

/* The names of steps, where JSON's are riddles. */
static const struct {
	const char *action, *words;
} names[] = {
	{"settle", "watch kubelet"},
	{"put-back", "put the old files back"},
	{"starting", "wait for a kubelet that is starting"},
	{"own-port", "try kubelet's own port"},
	{"port-closed", "see that the port is closed"},
	{"configz", "ask the API server"},
};

static const char *step_name(const char *action)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i].action, action) == 0)
			return names[i].words;
	}
	return action;
}

static const struct phrase *find_phrase(const char *what)
{
	return KR_FIND(phrases, ARRAY_SIZE(phrases), what, what);
}

/* Of the words so much stays: "restart", "healthy;". */
#define WORDS_MIN 8

/* The numbers are what changes: the words in front of them are cut. */
static void shorten(unsigned width, const char *words, const char *time,
                    char line[static KR_WATCH_LINE_SIZE])
{
	size_t rest = strlen(" ()") + strlen(time);
	size_t n = width > rest + WORDS_MIN ? width - rest : WORDS_MIN;

	snprintf(line, KR_WATCH_LINE_SIZE, "%.*s (%s)", (int)n, words, time);
}

/* Once a second on a terminal, once in a log. */
static void show_wait(struct kr_watch *w, const char *what,
                      uint64_t passed_usec, uint64_t limit_usec)
{
	const struct phrase *phrase = find_phrase(what);
	unsigned passed = (unsigned)(passed_usec / KR_USEC_PER_SEC);
	unsigned limit = (unsigned)(limit_usec / KR_USEC_PER_SEC);
	bool other = !w->what || strcmp(w->what, what) != 0;
	bool in_place = w->progress_fd >= 0;
	char line[KR_WATCH_LINE_SIZE], time[64];

	/* what a signal has ended is not waited for any more */
	if (w->stopped && strcmp(w->stopped, what) == 0)
		return;
	if (!other && (!in_place || (w->shown && w->passed == passed)))
		return;
	w->what = what;
	w->passed = passed;
	if (!in_place)
		snprintf(time, sizeof(time), "at most %u s", limit);
	else if (limit > 0 && phrase && phrase->is_step)
		snprintf(time, sizeof(time), "%u s, at most %u s", passed,
		         limit);
	else if (limit > 0)
		snprintf(time, sizeof(time), "%u of %u s", passed, limit);
	else
		snprintf(time, sizeof(time), "%u s", passed);
	snprintf(line, sizeof(line), "%s%s (%s)", phrase ? "" : "waiting for ",
	         phrase ? phrase->words : what, time);
	if (in_place && strlen(line) > columns(w))
		shorten(columns(w), phrase ? phrase->brief : what, time, line);
	if (in_place)
		draw(w, line);
	else if (!phrase || !phrase->is_step)
		write_log(w, line);
}

static void read_signals(struct kr_watch *w)
{
	struct signalfd_siginfo info;

	while (read(w->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			w->hung_up = true;
			continue;
		}
		if (!w->signal)
			w->stopped = w->what;
		w->signal = (int)info.ssi_signo;
		if (w->answer)
			say(w, w->answer);
	}
}

int kr_watch_line(struct kr_watch *w, const char *line)
{
	read_signals(w);
	if (w->progress_fd >= 0 && line)
		draw(w, line);
	return w->signal ? -EINTR : 0;
}

int kr_watch_tick(void *closure, const char *what, uint64_t passed_usec,
                  uint64_t limit_usec)
{
	struct kr_watch *w = closure;

	read_signals(w);
	if ((w->progress_fd >= 0 || w->log) && *what)
		show_wait(w, what, passed_usec, limit_usec);
	return w->signal ? -EINTR : 0;
}

/* --- steps --------------------------------------------------------------- */

/* No signal is read here: it is answered where it is heeded. */

static void step_begins(void *closure, const char *action)
{
	struct kr_watch *w = closure;

	w->what = w->stopped = NULL;
	if (w->progress_fd >= 0)
		draw(w, step_name(action));
	else if (w->log)
		write_log(w, step_name(action));
}

static void step_ends(void *closure, const struct kr_action *a)
{
	struct kr_watch *w = closure;
	_cleanup_free_ char *result = NULL, *line = NULL;

	w->what = NULL;
	if (!w->log)
		return;
	result = kr_utf8_escape(a->result, strlen(a->result));
	if (!result || kr_format(&line, "%s: %s (%.3f s)", step_name(a->action),
	                         result, a->seconds) < 0)
		return;
	say(w, line);
}

static void step_says(void *closure, const char *text)
{
	say(closure, text);
}

static void step_answers(void *closure, const char *text)
{
	struct kr_watch *w = closure;

	w->answer = text;
}

static int hold_stops(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGTTOU);
	return sigprocmask(SIG_BLOCK, &set, NULL);
}

/* -1 where it cannot be had: then there is no progress to be seen. */
static int open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int kr_watch_begin(struct kr_watch *w, const struct kr_options *options,
                   FILE *err)
{
	sigset_t set;

	*w = (struct kr_watch){
		.signal_fd = -1,
		.progress_fd = -1,
		.teller = {step_begins, step_ends, step_says, step_answers, w},
	};
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	if (options->command != KR_COMMAND_FLEET && hold_stops() < 0)
		return -errno;
	w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signal_fd < 0)
		return -errno;
	if (!options->quiet && isatty(fileno(err)) == 1) {
		w->progress_fd = open_again(fileno(err));
		w->width = kr_cli_columns(err);
	}
	if (!options->quiet && options->verbose)
		w->log = err;
	return 0;
}

void kr_watch_mute(struct kr_watch *w)
{
	if (w->progress_fd >= 0)
		close(w->progress_fd);
	w->progress_fd = -1;
}

void kr_watch_end(struct kr_watch *w)
{
	/* nothing heeds it any more */
	w->answer = NULL;
	read_signals(w);
	close(w->signal_fd);
	if (w->progress_fd >= 0)
		wipe(w);
	if (w->log && w->unsaid)
		fputs(w->unsaid, w->log);
	free(w->unsaid);
	w->unsaid = NULL;
	kr_watch_mute(w);
}
