/* SPDX-License-Identifier: Apache-2.0 */

/* node/listener: the socket that the kernel would give a connection to. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/listener.h"
#include "node/process.h"
#include "testing.h"

/* Who listens where, and whether we are told that it is us. */
static const struct row {
	const char *name;
	const char *ours, *theirs; /* addresses; NULL: nobody */
	const char *asked;
	int want;
} rows[] = {
	{"ours", "127.0.0.1", NULL, "127.0.0.1", 1},
	{"theirs", NULL, "127.0.0.1", "127.0.0.1", 0},
	{"nobody's", NULL, NULL, "127.0.0.1", -ENOENT},
	{"ours for all", "0.0.0.0", NULL, "127.0.0.1", 1},
	{"theirs for all", NULL, "0.0.0.0", "127.0.0.1", 0},
	{"all are asked on the loopback", "127.0.0.1", NULL, "0.0.0.0", 1},
	{"the very address before all", "127.0.0.1", "0.0.0.0", "127.0.0.1", 1},
	{"theirs before ours for all", "0.0.0.0", "127.0.0.1", "127.0.0.1", 0},
	{"another address of the loopback", "127.0.0.2", "127.0.0.1",
         "127.0.0.1", 0},
	{"its own address", "127.0.0.2", "127.0.0.1", "127.0.0.2", 1},
	{"IPv6", "::1", NULL, "::1", 1},
	{"IPv6, theirs", NULL, "::1", "::1", 0},
	{"IPv6 for all", "::", NULL, "::1", 1},
	{"all of IPv6 are asked on the loopback", "::1", NULL, "::", 1},
	{"IPv6 for all takes IPv4", "::", NULL, "127.0.0.1", 1},
	{"theirs of IPv6 takes IPv4", NULL, "::", "127.0.0.1", 0},
	{"IPv6 only", "::1", "127.0.0.1", "127.0.0.1", 0},
	{"no address", "127.0.0.1", NULL, "localhost", -EINVAL},
	{"no text", "127.0.0.1", NULL, "", -EINVAL},
};

static int proc_fd;

static void set_up(void)
{
	proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(proc_fd, 0);
}

static void tear_down(void)
{
	close(proc_fd);
}

/* Listens at ADDRESS and *PORT, 0 for a free one; -1: not to be had here. */
static int listen_at(const char *address, in_port_t *port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = *port};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = *port};
	bool v6 = strchr(address, ':');
	struct sockaddr *any =
		v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
	socklen_t size = v6 ? sizeof(in6) : sizeof(in);
	int fd;

	inet_pton(v6 ? AF_INET6 : AF_INET, address,
	          v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr);
	fd = socket(any->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* so that one address and all of them can be had together */
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
	if (bind(fd, any, size) < 0 || listen(fd, 8) < 0 ||
	    getsockname(fd, any, &size) < 0) {
		close(fd);
		return -1;
	}
	*port = v6 ? in6.sin6_port : in.sin_port;
	return fd;
}

/* A process that holds FD, and we no more. */
static pid_t give_away(int fd)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	close(fd);
	return pid;
}

static void end(pid_t pid)
{
	if (pid == 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	in_port_t port = 0;
	int ours = -1, theirs = -1, r;
	pid_t other = 0;

	if (row->theirs) {
		theirs = listen_at(row->theirs, &port);
		if (theirs >= 0)
			other = give_away(theirs);
	}
	if (row->ours)
		ours = listen_at(row->ours, &port);
	if ((row->theirs && theirs < 0) || (row->ours && ours < 0)) {
		end(other);
		printf("# skipped: %s: cannot listen there: %s\n", row->name,
		       strerror(errno));
		return;
	}
	if (port == 0) /* nobody's: one that was free a moment ago */
		close(listen_at("127.0.0.1", &port));
	r = kr_listener_is(proc_fd, getpid(), row->asked, ntohs(port));
	if (ours >= 0)
		close(ours);
	end(other);
	ck_assert_msg(r == row->want, "%s: %d", row->name, r);
}
END_TEST

/* A process that has ended holds nothing, and has no start any more. */
START_TEST(test_gone)
{
	in_port_t port = 0;
	int fd = listen_at("127.0.0.1", &port);
	siginfo_t info;
	uint64_t ticks;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(kr_process_start(proc_fd, pid, &ticks), -ESRCH);
	ck_assert_int_le(kr_listener_is(proc_fd, pid, "127.0.0.1", ntohs(port)),
	                 0);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(kr_process_start(proc_fd, pid, &ticks), -ESRCH);
	ck_assert_int_eq(kr_listener_is(proc_fd, pid, "127.0.0.1", ntohs(port)),
	                 -ESRCH);
	ck_assert_int_eq(kr_process_start(proc_fd, getpid(), &ticks), 0);
	close(fd);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "listener", set_up, tear_down);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_gone);
}

KR_TEST_MAIN(add_tests);
