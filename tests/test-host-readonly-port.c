/* SPDX-License-Identifier: Apache-2.0 */

/* host/readonly-port and host/own-port: who uses the read-only port, and
 * whether it is closed. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "host/readonly-port.h"
#include "node/inputs.h"
#include "testing.h"

#define SEC KR_USEC_PER_SEC

#define OK "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\n"
#define SAMPLE(method, type, n)                                                \
	"kubelet_http_requests_total{long_running=\"false\",method=\"" method  \
	"\",path=\"metrics\",server_type=\"" type "\"} " n "\n"
#define OURS  SAMPLE("other", "readonly", "1")
#define OTHER "go_goroutines 87\n"

static const struct row {
	const char *name;
	const char *answer; /* NULL: nobody listens; "": none */
	unsigned n_peers;   /* others that are connected */
	bool theirs;        /* the port is another process's */
	enum kr_readonly_use want;
	uint64_t n_requests;
	const char *why; /* a part of it; NULL: there is none */
	bool uncounted;  /* NOT_USED, as nobody is connected */
} rows[] = {
	{"only ours", OK OTHER OURS, .want = KR_READONLY_NOT_USED},
	{"ours and earlier ones", OK SAMPLE("other", "readonly", "7"),
         .want = KR_READONLY_NOT_USED},
	{"ours under its own name", OK SAMPLE("LOOK", "readonly", "1"),
         .want = KR_READONLY_NOT_USED},
	{"a peer does not count where kubelet counts", OK OURS, 1,
         .want = KR_READONLY_NOT_USED},
	{"the other port's users", OK OURS SAMPLE("GET", "readwrite", "900"),
         .want = KR_READONLY_NOT_USED},
	{"a scraper", OK OURS SAMPLE("GET", "readonly", "12") OTHER,
         .want = KR_READONLY_USED, 12,
         "was asked 12 times by others since kubelet started, most often for "
         "GET /metrics"},
	{"one GET", OK OURS SAMPLE("GET", "readonly", "1"),
         .want = KR_READONLY_USED, 1, "asked 1 time by"},
	{"two scrapers",
         OK OURS SAMPLE("HEAD", "readonly", "1") SAMPLE("GET", "readonly", "2")
                 SAMPLE("POST", "readonly", "1"),
         .want = KR_READONLY_USED, 4, "most often for GET"},
	{"very many", OK OURS SAMPLE("GET", "readonly", "1.25e+06"),
         .want = KR_READONLY_USED, 1250000, "1250000 times"},
	{"labels in another order",
         OK OURS "kubelet_http_requests_total{server_type=\"readonly\","
                 "path=\"stats\",method=\"GET\"} 3\n",
         .want = KR_READONLY_USED, 3, "GET /stats"},
	{"a path that a terminal would act on",
         OK OURS "kubelet_http_requests_total{method=\"GET\",path=\"\033[2J\","
                 "server_type=\"readonly\"} 3\n",
         .want = KR_READONLY_USED, 3, "GET /\\x1b[2J"},
	{"the counter of something else", OK OTHER,
         .want = KR_READONLY_NOT_USED, .uncounted = true},
	{"the counter of something else, and a peer", OK OTHER, 1,
         .want = KR_READONLY_USED, .why = "1 open connection, one from 127."},
	{"405", "HTTP/1.1 405 Method Not Allowed\r\n\r\n",
         .want = KR_READONLY_NOT_USED, .uncounted = true},
	{"405, and peers", "HTTP/1.1 405 Method Not Allowed\r\n\r\n", 2,
         .want = KR_READONLY_USED, .why = "2 open connections, one from 127."},
	{"404", "HTTP/1.0 404 Not Found\r\n\r\n404 page not found\n",
         .want = KR_READONLY_NOT_USED, .uncounted = true},
	{"our request is not counted", OK SAMPLE("GET", "readwrite", "1"),
         .want = KR_READONLY_CANNOT_TELL,
         .why = "does not count our own request"},
	{"our request is not counted, and a peer",
         OK SAMPLE("GET", "readwrite", "1"), 1, .want = KR_READONLY_USED,
         .why = "1 open connection"},
	{"below nothing",
         OK SAMPLE("GET", "readonly", "-3") SAMPLE("other", "readonly", "1"),
         .want = KR_READONLY_CANNOT_TELL, .why = "counter is not understood"},
	{"no number", OK OURS SAMPLE("GET", "readonly", "NaN"),
         .want = KR_READONLY_CANNOT_TELL, .why = "counter is not understood"},
	{"infinite", OK OURS SAMPLE("GET", "readonly", "+Inf"),
         .want = KR_READONLY_CANNOT_TELL, .why = "counter is not understood"},
	{"malformed", OK OURS SAMPLE("GET", "readonly", "some"),
         .want = KR_READONLY_CANNOT_TELL, .why = "metrics are not understood"},
	{"cut", OK OURS "kubelet_http_requests_to",
         .want = KR_READONLY_CANNOT_TELL, .why = "metrics are not understood"},
	{"in chunks", OK "a\r\n" OTHER "\r\n0\r\n\r\n",
         .want = KR_READONLY_CANNOT_TELL, .why = "metrics are not understood"},
	{"cut in the head", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
         .want = KR_READONLY_CANNOT_TELL, .why = "closed without an answer"},
	{"no answer", "", .want = KR_READONLY_CANNOT_TELL,
         .why = "closed without an answer"},
	{"no answer, and a peer", "", 1, .want = KR_READONLY_USED,
         .why = "1 open connection"},
	{"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", .want = KR_READONLY_CANNOT_TELL,
         .why = "must be HTTP"},
	{"nobody listens", NULL, .want = KR_READONLY_CANNOT_TELL,
         .why = "refused"},
	{"another's port", OK OURS SAMPLE("GET", "readonly", "12"),
         .theirs = true, .want = KR_READONLY_CANNOT_TELL,
         .why = "another process than kubelet["},
};

static pid_t server = -1;
static int proc_fd;

static void set_up(void)
{
	proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(proc_fd, 0);
}

static void stop(void)
{
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	server = -1;
	close(proc_fd);
}

static void answer(int fd, const char *text, size_t size)
{
	static const char asked[] = "LOOK /metrics HTTP/1.0\r\n";
	static const char refused[] = "HTTP/1.1 400 Not asked so\r\n\r\n";
	char request[1024];
	ssize_t n = read(fd, request, sizeof(request));

	if (n < (ssize_t)sizeof(asked) ||
	    memcmp(request, asked, sizeof(asked) - 1) != 0) {
		text = refused;
		size = sizeof(refused) - 1;
	}
	while (size > 0 && (n = send(fd, text, size, MSG_NOSIGNAL)) > 0) {
		text += n;
		size -= (size_t)n;
	}
}

static struct sockaddr_in loopback(unsigned port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port),
	};
}

/* A port of the loopback's, which nobody listens at yet. */
static int reserve(unsigned *ret_port)
{
	struct sockaddr_in in = loopback(0);
	socklen_t size = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, size), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &size), 0);
	*ret_port = ntohs(in.sin_port);
	return fd;
}

/* Serves TEXT to all but the first N_PEERS, which are kept waiting. */
static unsigned start(const char *text, size_t size, unsigned n_peers)
{
	unsigned port;
	int fd = reserve(&port);

	if (text)
		ck_assert_int_eq(listen(fd, 16), 0);
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server == 0) {
		while (!text)
			pause();
		for (unsigned i = 0; i < n_peers; i++)
			accept(fd, NULL, NULL);
		for (;;) {
			int peer = accept(fd, NULL, NULL);

			answer(peer, text, size);
			close(peer);
		}
	}
	close(fd);
	return port;
}

static void connect_to(unsigned port)
{
	struct sockaddr_in in = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* it stays open until the test's process ends */
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
}

static struct kr_own_port port_of(pid_t pid, unsigned port)
{
	return (struct kr_own_port){
		.proc_fd = proc_fd,
		.pid = pid,
		.address = "127.0.0.1",
		.port = port,
	};
}

static struct kr_asking for_usec(uint64_t usec)
{
	return (struct kr_asking){.deadline_usec = kr_now_usec() + usec};
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	_cleanup_readonly_port_ struct kr_readonly_port got = {0};
	unsigned port =
		start(row->answer, row->answer ? strlen(row->answer) : 0,
	              row->n_peers);
	struct kr_own_port own = port_of(row->theirs ? getpid() : server, port);
	struct kr_asking asking = for_usec(100 * SEC);

	for (unsigned i = 0; i < row->n_peers; i++)
		connect_to(port);
	ck_assert_int_eq(kr_readonly_port_ask(&own, &asking, &got), 0);
	ck_assert_msg(got.use == row->want, "%s: %d, %s", row->name, got.use,
	              got.why ? got.why : "");
	ck_assert_msg(got.n_requests == row->n_requests, "%s: %d", row->name,
	              (int)got.n_requests);
	ck_assert_msg(got.counted == (row->want == KR_READONLY_NOT_USED &&
	                              !row->uncounted),
	              "%s: counted %d", row->name, got.counted);
	ck_assert_msg(!row->why == !got.why &&
	                      (!row->why || strstr(got.why, row->why)),
	              "%s: %s", row->name, got.why ? got.why : "no reason");
	if (row->want == KR_READONLY_USED && row->n_requests == 0)
		ck_assert_msg(got.n_peers == row->n_peers, "%s: %zu peers",
		              row->name, got.n_peers);
}
END_TEST

/* As much as a large node has, and more than is read. */
START_TEST(test_size)
{
	static const struct {
		size_t size;
		enum kr_readonly_use want;
	} sizes[] = {
		{3900000, KR_READONLY_USED},
		{4300000, KR_READONLY_CANNOT_TELL},
	};
	static const char line[] = "apiserver_request_total{code=\"200\"} 1\n";
	static const char end[] = OURS SAMPLE("GET", "readonly", "5");
	_cleanup_readonly_port_ struct kr_readonly_port got = {0};
	struct kr_asking asking = for_usec(100 * SEC);
	char *text = malloc(sizes[_i].size + sizeof(end) + 64);
	struct kr_own_port own;
	size_t size = strlen(OK);

	memcpy(text, OK, size);
	for (; size < sizes[_i].size; size += sizeof(line) - 1)
		memcpy(text + size, line, sizeof(line) - 1);
	memcpy(text + size, end, sizeof(end));
	own = port_of(-1, start(text, size + sizeof(end) - 1, 0));
	own.pid = server;
	ck_assert_int_eq(kr_readonly_port_ask(&own, &asking, &got), 0);
	ck_assert_msg(got.use == sizes[_i].want, "%d %s", got.use, got.why);
	if (sizes[_i].want == KR_READONLY_CANNOT_TELL)
		ck_assert_ptr_nonnull(strstr(got.why, "too large"));
	free(text);
}
END_TEST

static int stop_tick(void *closure, const char *what, uint64_t passed_usec,
                     uint64_t limit_usec)
{
	unsigned *n = closure;

	ck_assert_str_eq(what, "the port");
	return ++*n < 3 ? 0 : -EINTR;
}

/* Who never answers does not keep us, nor whom we are told to leave. */
START_TEST(test_silent)
{
	_cleanup_readonly_port_ struct kr_readonly_port got = {0};
	unsigned n = 0, port = start(OK, strlen(OK), 1000000);
	struct kr_own_port own = port_of(server, port);
	struct kr_asking asking = for_usec(_i ? 100 * SEC : SEC / 5);

	if (_i) {
		asking.tick = stop_tick;
		asking.closure = &n;
		asking.what = "the port";
		ck_assert_int_eq(kr_readonly_port_ask(&own, &asking, &got),
		                 -EINTR);
		return;
	}
	ck_assert_int_eq(kr_readonly_port_ask(&own, &asking, &got), 0);
	ck_assert_int_eq(got.use, KR_READONLY_CANNOT_TELL);
	ck_assert_ptr_nonnull(strstr(got.why, "no answer in time"));
}
END_TEST

START_TEST(test_not_asked)
{
	_cleanup_readonly_port_ struct kr_readonly_port off = {0}, not = {0};
	struct kr_own_port own = port_of(getpid(), 0);
	struct kr_asking asking = for_usec(SEC);

	ck_assert_int_eq(kr_readonly_port_ask(&own, &asking, &off), 0);
	ck_assert_int_eq(off.use, KR_READONLY_NOT_USED);
	ck_assert(!off.counted);
	own.why_not = "kubelet is in another network namespace";
	ck_assert_int_eq(kr_readonly_port_ask(&own, &asking, &not ), 0);
	ck_assert_int_eq(not .use, KR_READONLY_CANNOT_TELL);
	ck_assert_str_eq(not .why, own.why_not);
}
END_TEST

/* --- which port that is --------------------------------------------------- */

#define KIND                                                                   \
	"\"kind\":\"KubeletConfiguration\","                                   \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""

static const struct find_row {
	const char *name;
	const char *config; /* NULL: no --config */
	const char *flag;   /* NULL: none */
	enum kr_own_port_kind kind;
	const char *address;
	unsigned port;
	const char *why_not; /* a part of it; of /proc: it could be asked */
} find_rows[] = {
	{"flags alone", NULL, NULL, KR_OWN_PORT_READONLY, "0.0.0.0", 10255,
         "/proc"},
	{"with a config", "{" KIND "}", NULL, KR_OWN_PORT_READONLY, "0.0.0.0",
         0, "/proc"},
	{"in the config",
         "{" KIND ",\"readOnlyPort\": 10255, \"address\": \"::1\"}", NULL,
         KR_OWN_PORT_READONLY, "::1", 10255, "/proc"},
	{"the flag wins", "{" KIND ",\"readOnlyPort\": 10255}",
         "--read-only-port=17", KR_OWN_PORT_READONLY, "0.0.0.0", 17, "/proc"},
	{"serving", NULL, NULL, KR_OWN_PORT_SERVING, "0.0.0.0", 10250, "/proc"},
	{"serving, in the config",
         "{" KIND ",\"port\": 4194, \"address\": \"192.0.2.1\"}", NULL,
         KR_OWN_PORT_SERVING, "192.0.2.1", 4194, "/proc"},
	{"nothing in the config", "{" KIND ",\"port\": 0, \"address\": \"\"}",
         NULL, KR_OWN_PORT_SERVING, "0.0.0.0", 10250, "/proc"},
	{"the address's flag", "{" KIND ",\"address\": \"::1\"}",
         "--address=127.0.0.1", KR_OWN_PORT_SERVING, "127.0.0.1", 10250,
         "/proc"},
	{"a config that kubelet refuses", "{" KIND ",\"port\": \"x\"}", NULL,
         KR_OWN_PORT_SERVING, "0.0.0.0", 0, "not known"},
};

START_TEST(test_find)
{
	static const struct kr_inputs_options options = {.kubelet_minor = 30};
	const struct find_row *row = &find_rows[_i];
	/* whoever has a configuration asks the API server: --kubeconfig */
	const char *argv[] = {"/usr/bin/kubelet", "--kubeconfig=/k", "--v=2",
	                      "--v=2", NULL};
	/* no /proc: all else is found first */
	const struct kr_node node = {.proc_fd = -1};
	_cleanup_diag_ struct kr_diag diag = {0};
	struct kr_inputs inputs;
	struct kr_own_port got;
	struct kr_fs *fs;

	kr_root_setup();
	if (row->config) {
		kr_root_write("/etc/kubelet.json", row->config);
		argv[2] = "--config=/etc/kubelet.json";
	}
	if (row->flag)
		argv[3] = row->flag;
	fs = kr_root_fs();
	ck_assert_int_eq(kr_inputs_read(fs, argv, 4, &options, &diag, &inputs),
	                 0);
	ck_assert_int_eq(kr_own_port_find(&node, &inputs, 1, row->kind, &got),
	                 0);
	ck_assert_msg(strcmp(got.address, row->address) == 0, "%s: %s",
	              row->name, got.address);
	ck_assert_msg(got.port == row->port, "%s: %u", row->name, got.port);
	ck_assert_msg(got.why_not && strstr(got.why_not, row->why_not),
	              "%s: %s", row->name, got.why_not);
	kr_inputs_done(&inputs);
	kr_fs_free(fs);
	kr_root_teardown();
}
END_TEST

/* --- the proof that it is closed ----------------------------------------- */

static const struct closed_row {
	const char *name;
	bool listens, theirs, closes; /* it is ended after 300 ms */
	uint64_t wait_usec;
	enum kr_port_closed want;
} closed_rows[] = {
	{"closed", false, false, false, 100 * SEC, KR_PORT_CLOSED},
	{"open", true, false, false, SEC / 4, KR_PORT_OPEN},
	{"open for a while", true, false, true, 100 * SEC, KR_PORT_CLOSED},
	{"another's now", true, true, false, 100 * SEC, KR_PORT_CLOSED},
};

START_TEST(test_closed)
{
	const struct closed_row *row = &closed_rows[_i];
	unsigned port = start(row->listens ? OK : NULL, strlen(OK), 0);
	struct kr_own_port own = port_of(row->theirs ? getpid() : server, port);
	struct kr_asking asking = for_usec(row->wait_usec);
	_cleanup_free_ char *why = NULL;
	enum kr_port_closed got;
	pid_t killer = 0;

	if (row->closes) {
		killer = fork();
		if (killer == 0) {
			kr_pause_usec(300 * KR_USEC_PER_MSEC);
			kill(server, SIGKILL);
			_exit(0);
		}
	}
	ck_assert_int_eq(kr_own_port_wait_closed(&own, &asking, &got, &why), 0);
	if (killer > 0)
		waitpid(killer, NULL, 0);
	ck_assert_msg(got == row->want, "%s: %d", row->name, got);
	ck_assert_msg(!why == (got == KR_PORT_CLOSED), "%s: %s", row->name,
	              why ? why : "no reason");
	if (why)
		ck_assert_ptr_nonnull(strstr(why, "still listens at 127.0"));
}
END_TEST

START_TEST(test_closed_unseen)
{
	struct kr_own_port own = port_of(getpid(), 10255);
	struct kr_asking asking = for_usec(SEC);
	enum kr_port_closed got;
	char *why = NULL;

	own.why_not = "kubelet is in another network namespace";
	ck_assert_int_eq(kr_own_port_wait_closed(&own, &asking, &got, &why), 0);
	ck_assert_int_eq(got, KR_PORT_UNSEEN);
	ck_assert_str_eq(why, own.why_not);
	free(why);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "readonly-port", set_up, stop);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_size, 0, 2);
	tcase_add_loop_test(tc, test_silent, 0, 2);
	tcase_add_test(tc, test_not_asked);
	tcase_add_loop_test(tc, test_find, 0, ARRAY_SIZE(find_rows));
	tcase_add_loop_test(tc, test_closed, 0, ARRAY_SIZE(closed_rows));
	tcase_add_test(tc, test_closed_unseen);
}

KR_TEST_MAIN(add_tests);
