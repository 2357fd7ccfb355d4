/* SPDX-License-Identifier: Apache-2.0 */

/* host/healthz: whatever is on that port, the answer is right and in time. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "host/healthz.h"
#include "testing.h"

#define MSEC KR_USEC_PER_MSEC

enum manner {
	ANSWER,  /* sends the text, then closes */
	DRIP,    /* sends one byte every 20 ms, and its last one for ever */
	STALL,   /* sends the text, then nothing */
	FLOOD,   /* sends the text over and over */
	RESET,   /* closes with what was sent unread: RST */
	BACKLOG, /* listens, never accepts */
	REFUSE,  /* nobody listens */
};

struct row {
	const char *name;
	enum manner manner;
	const char *text;
	enum kr_health want;
	const char *reason; /* a part of the note's text */
};

#define OK_LINE "HTTP/1.1 200 OK\r\n"

static const struct row rows[] = {
	{"healthy", ANSWER, OK_LINE "Content-Length: 2\r\n\r\nok", KR_HEALTHY},
	{"HTTP/1.0", ANSWER, "HTTP/1.0 200 OK\r\n\r\nok", KR_HEALTHY},
	{"no reason phrase", ANSWER, "HTTP/1.1 200\r\n\r\n", KR_HEALTHY},
	{"bare line feeds", ANSWER, "HTTP/1.1 200 OK\n\nok", KR_HEALTHY},
	{"the line is enough", STALL, OK_LINE, KR_HEALTHY},
	{"500", ANSWER, "HTTP/1.1 500 Internal Server Error\r\n\r\n",
         KR_UNHEALTHY, "healthz: 500 Internal Server Error"},
	{"404", ANSWER, "HTTP/1.1 404 Not Found\r\n\r\n", KR_UNHEALTHY, "404"},
	{"https", ANSWER, "HTTP/1.0 400 Bad Request\r\n\r\n", KR_UNHEALTHY,
         "400"},
	{"a redirect is not followed", ANSWER,
         "HTTP/1.1 301 Moved\r\nLocation: /ok\r\n\r\n", KR_UNHEALTHY, "301"},
	{"no content", ANSWER, "HTTP/1.1 204 No Content\r\n\r\n", KR_UNHEALTHY,
         "204"},
	{"control bytes are not printed", ANSWER,
         "HTTP/1.1 503 a\033[31m\377\r\n\r\n", KR_UNHEALTHY, "503 a?[31m?"},
	{"closed at once", ANSWER, "", KR_NO_ANSWER, "closed without"},
	{"closed within the line", ANSWER, "HTTP/1.1 200 O", KR_NO_ANSWER,
         "closed without"},
	{"closed within the status", ANSWER, "HTTP/1.1 20", KR_NO_ANSWER,
         "closed without"},
	{"another protocol", STALL, "SSH-2.0-OpenSSH_9.2\r\n", KR_NO_ANSWER,
         "must be HTTP"},
	{"HTTP/2", STALL, "HTTP/2 200 OK\r\n", KR_NO_ANSWER, "must be HTTP"},
	{"lower case", STALL, "http/1.1 200 OK\r\n", KR_NO_ANSWER,
         "must be HTTP"},
	{"a status of four digits", STALL, "HTTP/1.1 2000 OK\r\n", KR_NO_ANSWER,
         "must be HTTP"},
	{"a status of two digits", STALL, "HTTP/1.1 20 OK\r\n", KR_NO_ANSWER,
         "must be HTTP"},
	{"a signed status", STALL, "HTTP/1.1 +20 OK\r\n", KR_NO_ANSWER,
         "must be HTTP"},
	{"an empty line first", STALL, "\r\n" OK_LINE, KR_NO_ANSWER,
         "must be HTTP"},
	{"the body alone", STALL, "ok", KR_NO_ANSWER, "must be HTTP"},
	{"a line without end", FLOOD, "HTTP/1.1 200 O", KR_NO_ANSWER,
         "must be HTTP"},
	{"garbage without end", FLOOD, "\001\002\003", KR_NO_ANSWER,
         "must be HTTP"},
	{"a body without end", FLOOD, OK_LINE, KR_HEALTHY},
	{"silence", STALL, "", KR_NO_ANSWER, "in time"},
	{"half a line, then silence", STALL, "HTTP/1.1 200", KR_NO_ANSWER,
         "in time"},
	{"dripping", DRIP, "HTTP/1.1 200 O", KR_NO_ANSWER, "in time"},
	{"never accepted", BACKLOG, "", KR_NO_ANSWER, "in time"},
	{"reset", RESET, "", KR_NO_ANSWER, "reset by peer"},
	{"refused", REFUSE, "", KR_NO_ANSWER, "refused"},
};

/* Short where there will be no answer; else a slow server is waited for. */
#define SHORT_USEC (200 * MSEC)
#define LONG_USEC  (200000 * MSEC)

static pid_t server = -1;

static void pause_msec(long msec)
{
	const struct timespec ts = {.tv_nsec = msec * 1000000};

	nanosleep(&ts, NULL);
}

static void serve(int fd, const struct row *row)
{
	size_t size = strlen(row->text);
	char request[1024];

	if (row->manner == RESET) {
		/* unread bytes make close(2) send a reset */
		poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1);
		return;
	}
	if (read(fd, request, sizeof(request)) <= 0)
		return;
	for (size_t i = 0; row->manner == DRIP; i += i + 1 < size) {
		if (send(fd, row->text + i, 1, MSG_NOSIGNAL) < 0)
			return;
		pause_msec(20);
	}
	while (row->manner == FLOOD &&
	       send(fd, row->text, size, MSG_NOSIGNAL) > 0)
		;
	send(fd, row->text, size, MSG_NOSIGNAL);
	if (row->manner == STALL)
		for (;;)
			pause();
}

/* A server of one ROW on the loopback of FAMILY; its port, 0 where this machine
 * has no such address. */
static unsigned start(int family, const struct row *row)
{
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6,
		.sin6_addr = in6addr_loopback,
	};
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&in
	                                             : (struct sockaddr *)&in6;
	socklen_t size = family == AF_INET ? sizeof(in) : sizeof(in6);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int peer, r;

	r = fd < 0 ? -1 : bind(fd, address, size);
	if (r < 0 && family == AF_INET6 &&
	    (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)) {
		close(fd);
		return 0;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(getsockname(fd, address, &size), 0);
	if (row->manner != REFUSE)
		ck_assert_int_eq(listen(fd, 5), 0);
	server = fork();
	if (server == 0) {
		if (row->manner == BACKLOG || row->manner == REFUSE)
			for (;;)
				pause();
		peer = accept(fd, NULL, NULL);
		serve(peer, row);
		close(peer);
		_exit(0);
	}
	close(fd);
	return ntohs(family == AF_INET ? in.sin_port : in6.sin6_port);
}

static void stop(void)
{
	/* without check's fork the timer would outlive the test, and its
	 * signal end check itself */
	setitimer(ITIMER_REAL, &(const struct itimerval){0}, NULL);
	if (server < 0)
		return;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	server = -1;
}

START_TEST(test_answer)
{
	const struct row *row = &rows[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	unsigned port = start(AF_INET, row);
	bool is_late = row->reason && strcmp(row->reason, "in time") == 0;
	enum kr_health health;
	const struct kr_message *note;

	/* one that waits for ever is ended by check */
	ck_assert_int_eq(kr_healthz_get("127.0.0.1", port,
	                                is_late ? SHORT_USEC : LONG_USEC, &diag,
	                                &health),
	                 0);
	note = kr_diag_find(&diag, "healthz");
	ck_assert_msg(health == row->want, "%s: got %d%s", row->name, health,
	              kr_test_messages(&diag));
	if (!row->reason)
		ck_assert_msg(!note, "%s:%s", row->name,
		              kr_test_messages(&diag));
	else
		ck_assert_msg(note && strstr(note->text, row->reason), "%s:%s",
		              row->name, kr_test_messages(&diag));
}
END_TEST

static const struct address_row {
	const char *name, *address, *shown;
	int family;
} addresses[] = {
	{"any v4", "0.0.0.0", "http://127.0.0.1:", AF_INET},
	{"any v6", "::", "http://[::1]:", AF_INET6},
	{"loopback v6", "::1", "http://[::1]:", AF_INET6},
	{"mapped", "::ffff:127.0.0.1", "http://[::ffff:127.0.0.1]:", AF_INET},
};

START_TEST(test_address)
{
	static const struct row teapot = {
		"teapot", ANSWER, "HTTP/1.1 418 Teapot\r\n\r\n", KR_UNHEALTHY};
	const struct address_row *row = &addresses[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	unsigned port = start(row->family, &teapot);
	enum kr_health health;

	if (port == 0) {
		printf("# skipped: %s: no IPv6 here\n", row->name);
		return;
	}
	ck_assert_int_eq(
		kr_healthz_get(row->address, port, LONG_USEC, &diag, &health),
		0);
	ck_assert_msg(health == KR_UNHEALTHY, "%s:%s", row->name,
	              kr_test_messages(&diag));
	ck_assert_msg(strstr(diag.messages[0].text, row->shown) ==
	                      diag.messages[0].text,
	              "%s:%s", row->name, kr_test_messages(&diag));
}
END_TEST

static const struct bad_row {
	const char *address;
	unsigned port;
} bad[] = {
	{"localhost", 10248}, {"", 10248},           {"127.0.0.1:10248", 10248},
	{"[::1]", 10248},     {"127.0.0.1", 0},      {"127.0.0.1", 65536},
	{"127.1", 10248},     {"fe80::1%lo", 10248},
};

START_TEST(test_bad_address)
{
	enum kr_health health = KR_HEALTHY;

	ck_assert_msg(kr_healthz_get(bad[_i].address, bad[_i].port, MSEC, NULL,
	                             &health) == -EINVAL,
	              "%s", bad[_i].address);
}
END_TEST

static void on_alarm(int sig)
{
}

START_TEST(test_signal)
{
	static const struct row silence = {"silence", STALL, ""};
	/* again and again: the first may come before it waits */
	const struct itimerval soon = {.it_value.tv_usec = 50000,
	                               .it_interval.tv_usec = 50000};
	const struct sigaction action = {.sa_handler = on_alarm};
	unsigned port = start(AF_INET, &silence);
	enum kr_health health;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ck_assert_int_eq(
		kr_healthz_get("127.0.0.1", port, LONG_USEC, NULL, &health),
		-EINTR);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "healthz", NULL, stop);

	tcase_add_loop_test(tc, test_answer, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_address, 0, ARRAY_SIZE(addresses));
	tcase_add_loop_test(tc, test_bad_address, 0, ARRAY_SIZE(bad));
	tcase_add_test(tc, test_signal);
}

KR_TEST_MAIN(add_tests);
