/* SPDX-License-Identifier: Apache-2.0 */

/*
 * SIGINT and SIGTERM are read from a signalfd, so that they come as an answer
 * to a question that fix asks between its steps, and never in the middle of
 * one. After a SIGHUP a fix goes on to its end.
 *
 * Nor does it stand still for its terminal, between two files or before a
 * kubelet that dies: Ctrl-Z and "stty tostop" do not stop a change, and one
 * that takes nothing more (Ctrl-S, a connection that hangs) misses lines of
 * progress. For that it is opened once more, since O_NONBLOCK is shared with
 * whoever else has the same open file, the shell for one.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/output.h"
#include "cli/watch.h"

/* A terminal that is too slow misses the line, one that is gone all of them. */
static void put(struct kr_watch *w, const char *text, size_t size)
{
	ssize_t n = write(w->progress_fd, text, size);

	w->shown = w->shown || n > 0;
}

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
	char text[KR_WATCH_LINE_SIZE + 1];

	snprintf(text, sizeof(text), "\r%-*.*s", width, width, line);
	put(w, text, strlen(text));
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
	if (w->progress_fd >= 0 && line)
		draw(w, line);
	return w->signal ? -EINTR : 0;
}

int kr_watch_tick(void *closure, const char *what, uint64_t passed_usec,
                  uint64_t limit_usec)
{
	struct kr_watch *w = closure;

	read_signals(w);
	if (w->progress_fd >= 0 && *what)
		draw_progress(w, what, passed_usec, limit_usec);
	return w->signal ? -EINTR : 0;
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

	*w = (struct kr_watch){.signal_fd = -1, .progress_fd = -1};
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
		w->width = kr_cli_terminal(options, err).width;
	}
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
	read_signals(w);
	close(w->signal_fd);
	if (w->shown) {
		char text[KR_WATCH_LINE_SIZE + 2];

		snprintf(text, sizeof(text), "\r%*s\r", (int)w->drawn, "");
		put(w, text, strlen(text));
	}
	kr_watch_mute(w);
}
