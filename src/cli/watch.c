/* SPDX-License-Identifier: Apache-2.0 */

/*
 * SIGINT and SIGTERM are read from a signalfd, so that they come as an answer
 * to a question that fix asks between its steps, and never in the middle of
 * one. After a SIGHUP a fix goes on to its end.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/output.h"
#include "cli/watch.h"

static void read_signals(struct kr_watch *w)
{
	struct signalfd_siginfo info;

	while (read(w->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			w->hung_up = true;
		else
			w->signal = (int)info.ssi_signo;
	}
}

/* One line that is drawn over itself and never wraps. */
static void draw(struct kr_watch *w, const char *line)
{
	int width = w->width > 1 && w->width < KR_WATCH_LINE_SIZE
	                    ? (int)w->width - 1
	                    : 79;

	fprintf(w->progress, "\r%-*.*s", width, width, line);
	fflush(w->progress);
	w->shown = true;
	w->drawn = (unsigned)width;
}

/* Once a second. */
static void draw_progress(struct kr_watch *w, const char *what,
                          uint64_t passed_usec, uint64_t limit_usec)
{
	unsigned passed = (unsigned)(passed_usec / KR_USEC_PER_SEC);
	unsigned limit = (unsigned)(limit_usec / KR_USEC_PER_SEC);
	char line[KR_WATCH_LINE_SIZE];

	if (w->shown && w->passed == passed)
		return;
	snprintf(line, sizeof(line), "waiting for %s (%u of %u s)", what,
	         passed, limit);
	draw(w, line);
	w->passed = passed;
}

int kr_watch_line(struct kr_watch *w, const char *line)
{
	read_signals(w);
	if (w->progress && line)
		draw(w, line);
	return w->signal ? -EINTR : 0;
}

int kr_watch_tick(void *closure, const char *what, uint64_t passed_usec,
                  uint64_t limit_usec)
{
	struct kr_watch *w = closure;

	read_signals(w);
	if (w->progress && *what)
		draw_progress(w, what, passed_usec, limit_usec);
	return w->signal ? -EINTR : 0;
}

int kr_watch_begin(struct kr_watch *w, const struct kr_options *options,
                   FILE *err)
{
	sigset_t set;

	*w = (struct kr_watch){.signal_fd = -1};
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signal_fd < 0)
		return -errno;
	if (!options->quiet && isatty(fileno(err)) == 1) {
		w->progress = err;
		w->width = kr_cli_terminal(options, err).width;
	}
	return 0;
}

void kr_watch_end(struct kr_watch *w)
{
	read_signals(w);
	close(w->signal_fd);
	if (w->shown)
		fprintf(w->progress, "\r%*s\r", (int)w->drawn, "");
}
