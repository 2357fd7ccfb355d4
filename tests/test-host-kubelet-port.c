/* SPDX-License-Identifier: Apache-2.0 */

/* host/kubelet-port: what a port that stands in for kubelet's answers, and what
 * that proves. Keys are made by openssl, the port is tests/standin-port.py. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/format.h"
#include "host/kubelet-port.h"
#include "node/kubeconfig.h"
#include "testing.h"

#define SEC        KR_USEC_PER_SEC
#define KUBECONFIG "/var/lib/kubelet/kubeconfig"

static int proc_fd = -1;
static struct kr_fs *fs;
static pid_t server = -1;
static int server_in = -1;
static unsigned server_port;

/* --- what is needed ------------------------------------------------------ */

static char *path_of(const char *name)
{
	static char path[4][256];
	static unsigned n;

	snprintf(path[n % 4], sizeof(path[0]), "%s%s", kr_root_path, name);
	return path[n++ % 4];
}

/* A command; its status. */
static int run(const char *const *argv)
{
	int status = -1;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool have_tools(void)
{
	const char *const openssl[] = {"openssl", "version", NULL};
	const char *const python[] = {"python3", "-c", "import ssl", NULL};
	static int have = -1;

	if (have < 0)
		have = run(openssl) == 0 && run(python) == 0;
	if (!have)
		printf("# skipped: openssl and python3 with ssl are needed\n");
	return have;
}

static void make_key(const char *key, const char *certificate)
{
	const char *const argv[] = {"openssl",
	                            "req",
	                            "-x509",
	                            "-newkey",
	                            "ec",
	                            "-pkeyopt",
	                            "ec_paramgen_curve:P-256",
	                            "-nodes",
	                            "-days",
	                            "2",
	                            "-subj",
	                            "/O=system:nodes/CN=system:node:a",
	                            "-keyout",
	                            path_of(key),
	                            "-out",
	                            path_of(certificate),
	                            NULL};

	ck_assert_int_eq(run(argv), 0);
}

static void start(const char *anonymous, const char *certificate,
                  const char *manner)
{
	const char *tests = getenv("TESTS");
	int in[2], out[2];
	char script[512];
	FILE *f;

	ck_assert_ptr_nonnull(tests);
	snprintf(script, sizeof(script), "%s/standin-port.py", tests);
	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execlp("python3", "python3", script, path_of("/server.crt"),
		       path_of("/server.key"), path_of("/client.crt"),
		       anonymous, certificate, manner, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	server_in = in[1];
	f = fdopen(out[0], "r");
	ck_assert_int_eq(fscanf(f, "%u", &server_port), 1);
	fclose(f);
}

static void set_up(void)
{
	kr_root_setup();
	proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(proc_fd, 0);
	fs = kr_root_fs();
	if (!have_tools())
		return;
	make_key("/server.key", "/server.crt");
	make_key("/client.key", "/client.crt");
}

static void tear_down(void)
{
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
		close(server_in);
	}
	server = -1;
	fs = kr_fs_free(fs);
	close(proc_fd);
	kr_root_teardown();
}

static struct kr_own_port own_port(pid_t pid, unsigned port)
{
	return (struct kr_own_port){
		.proc_fd = proc_fd,
		.pid = pid,
		.address = "0.0.0.0",
		.port = port,
	};
}

/* A kubeconfig whose user has these lines. */
static void write_kubeconfig(const char *user)
{
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(kr_format(&text,
	                           "current-context: c\ncontexts:\n- name: c\n"
	                           "  context: {user: u}\nusers:\n- name: u\n"
	                           "  user:\n%s",
	                           user),
	                 0);
	kr_root_write(KUBECONFIG, text);
}

/* The file's bytes as base64. */
static char *encode(const char *name)
{
	const char *const argv[] = {
		"openssl", "base64",           "-A", "-in", path_of(name),
		"-out",    path_of("/base64"), NULL};
	const struct kr_file *file;
	_cleanup_fs_ struct kr_fs *now = kr_root_fs();

	ck_assert_int_eq(run(argv), 0);
	ck_assert_int_eq(kr_fs_read(now, "/base64", &file), 0);
	return strdup(file->data);
}

enum client {
	FILES,   /* beside the kubeconfig, by a link whose target is absolute */
	DATA,    /* in it */
	NOBODY,  /* a token */
	FOREIGN, /* a key that is another's */
	MISSING, /* files that are not there */
	NO_FILE, /* no kubeconfig */
	NONE,    /* kubelet has no --kubeconfig */
};

static void write_client(enum client client)
{
	_cleanup_free_ char *text = NULL, *certificate = NULL, *key = NULL;

	switch (client) {
	case FILES:
		kr_root_mkdir("/var/lib/kubelet/pki");
		kr_root_symlink("/client.crt", "/var/lib/kubelet/pki/c.pem");
		write_kubeconfig("    client-certificate: pki/c.pem\n"
		                 "    client-key: /client.key\n");
		return;
	case DATA:
		certificate = encode("/client.crt");
		key = encode("/client.key");
		ck_assert_int_eq(kr_format(&text,
		                           "    client-certificate-data: %s\n"
		                           "    client-key-data: %s\n",
		                           certificate, key),
		                 0);
		write_kubeconfig(text);
		return;
	case NOBODY:
		write_kubeconfig("    token: secret\n");
		return;
	case FOREIGN:
		write_kubeconfig("    client-certificate: /client.crt\n"
		                 "    client-key: /server.key\n");
		return;
	case MISSING:
		write_kubeconfig("    client-certificate: /none.crt\n"
		                 "    client-key: /none.key\n");
		return;
	case NO_FILE:
	case NONE:
		return;
	}
}

/* --- a look -------------------------------------------------------------- */

static const struct row {
	const char *name;
	const char *anonymous, *certificate, *manner;
	enum client client;
	struct kr_kubelet_look want; /* WHY: a part of it */
	bool theirs;
} rows[] = {
#define SAID(n)                                                                \
	{                                                                      \
		.seen = KR_SEEN_ANSWERED, .status = n                          \
	}
#define TLS                                                                    \
	{                                                                      \
		.seen = KR_SEEN_ANSWERED                                       \
	}
#define NOT(w)                                                                 \
	{                                                                      \
		.seen = KR_SEEN_UNTRIED, .why = w                              \
	}
#define CUT "closed, or lost"
#define FAIL(w)                                                                \
	{                                                                      \
		.seen = KR_SEEN_FAILED, .why = w                               \
	}
#define LATE                                                                   \
	{                                                                      \
		.seen = KR_SEEN_LATE, .why = "in time"                         \
	}
#define ALL(o)                                                                 \
	{                                                                      \
		o, o, o                                                        \
	}
	{"authenticated",
         "401",
         "200",
         NULL,
         FILES,
         {TLS, SAID(401), SAID(200)}},
	{"from memory", "401", "200", NULL, DATA, {TLS, SAID(401), SAID(200)}},
	{"open to all", "200", "200", NULL, DATA, {TLS, SAID(200), SAID(200)}},
	{"forbidden", "403", "403", NULL, FILES, {TLS, SAID(403), SAID(403)}},
	{"a foreign client CA",
         "401",
         "401",
         NULL,
         FILES,
         {TLS, SAID(401), SAID(401)}},
	{"the API server is away",
         "401",
         "500",
         NULL,
         FILES,
         {TLS, SAID(401), SAID(500)}},
	{"a token",
         "401",
         "200",
         NULL,
         NOBODY,
         {TLS, SAID(401), NOT("kubeconfig has no client certificate")}},
	{"another's key",
         "401",
         "200",
         NULL,
         FOREIGN,
         {TLS, SAID(401), NOT("certificate or its key cannot be used")}},
	{"no certificate's file",
         "401",
         "200",
         NULL,
         MISSING,
         {TLS, SAID(401), NOT("certificate or its key cannot be read")}},
	{"no kubeconfig",
         "401",
         "200",
         NULL,
         NO_FILE,
         {TLS, SAID(401), NOT("kubeconfig cannot be read")}},
	{"no --kubeconfig",
         "401",
         "200",
         NULL,
         NONE,
         {TLS, SAID(401), NOT("has no --kubeconfig")}},
	{"plain", "200", "200", "plain", FILES, ALL(FAIL("no TLS connection"))},
	{"no serving certificate", "200", "200", "alert", FILES,
         ALL(FAIL("internal error"))},
	{"closed", "200", "200", "never", FILES, ALL(FAIL("refused"))},
	{"mute", "200", "200", "mute", FILES, ALL(FAIL("in time"))},
	{"no answer behind the handshake",
         "200",
         "200",
         "late",
         FILES,
         {TLS, LATE, LATE}},
	{"closed behind the handshake",
         "200",
         "200",
         "close",
         FILES,
         {TLS, FAIL(CUT), FAIL(CUT)}},
	{"no HTTP behind the handshake",
         "200",
         "200",
         "garbage",
         FILES,
         {TLS, FAIL("HTTP"), FAIL("HTTP")}},
	{"another's port", "401", "200", NULL, FILES,
         ALL(FAIL("another process than kubelet[")), true},
};

/* Whether the request was still sent is the server's speed. */
static bool says(const char *why, const char *want)
{
	return strcmp(want, CUT) == 0
	               ? strstr(why, "closed") || strstr(why, "lost")
	               : strstr(why, want) != NULL;
}

static void check(const char *row, const char *what,
                  const struct kr_observation *got,
                  const struct kr_observation *want)
{
	ck_assert_msg(got->seen == want->seen && got->status == want->status &&
	                      says(got->why, want->why) &&
	                      !*got->why == !*want->why,
	              "%s: %s: %d, status %u, '%s'", row, what, got->seen,
	              got->status, got->why);
}

START_TEST(test_look)
{
	const struct row *row = &rows[_i];
	bool waits = row->manner && (strcmp(row->manner, "late") == 0 ||
	                             strcmp(row->manner, "mute") == 0);
	struct kr_asking asking = {.deadline_usec = kr_now_usec() +
	                                            (waits ? SEC : 100 * SEC)};
	struct kr_kubelet_look got;
	struct kr_own_port own;
	struct kr_kubelet_port port = {
		.port = &own,
		.fs = fs,
		.kubeconfig = row->client == NONE ? NULL : KUBECONFIG,
	};

	if (!have_tools())
		return;
	write_client(row->client);
	start(row->anonymous, row->certificate, row->manner);
	own = own_port(row->theirs ? getpid() : server, server_port);
	ck_assert_int_eq(kr_kubelet_port_look(&port, &asking, &got), 0);
	check(row->name, "handshake", &got.handshake, &row->want.handshake);
	check(row->name, "anonymous", &got.anonymous, &row->want.anonymous);
	check(row->name, "certificate", &got.certificate,
	      &row->want.certificate);
}
END_TEST

/* Where it may not be asked, and where it has no address, nobody is. */
START_TEST(test_not_asked)
{
	struct kr_asking asking = {.deadline_usec = kr_now_usec() + SEC};
	struct kr_own_port own = own_port(getpid(), 10250);
	struct kr_kubelet_port port = {.port = &own, .fs = fs};
	struct kr_kubelet_look got;

	if (_i)
		strcpy(own.address, "localhost");
	else
		own.why_not = "kubelet is in another network namespace";
	ck_assert_int_eq(kr_kubelet_port_look(&port, &asking, &got), 0);
	ck_assert_int_eq(got.handshake.seen, KR_SEEN_UNTRIED);
	ck_assert_int_eq(got.anonymous.seen, KR_SEEN_UNTRIED);
	ck_assert_int_eq(got.certificate.seen, KR_SEEN_UNTRIED);
	ck_assert_ptr_nonnull(strstr(got.certificate.why,
	                             _i ? "address" : "another network"));
}
END_TEST

/* What was opened from memory reads as the files do, once for each reader, and
 * is zeroes when it is over. */
START_TEST(test_memory)
{
	struct kr_kubeconfig_client client;
	char memory[4096], file[4096], path[64];
	_cleanup_close_ int fd = -1, kept = -1;
	ssize_t n;

	if (!have_tools())
		return;
	write_client(DATA);
	ck_assert_int_eq(kr_kubeconfig_open_client(fs, KUBECONFIG, &client), 0);
	ck_assert_ptr_null(client.why_not);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", client.key_fd);
	kept = open(path, O_RDONLY | O_CLOEXEC);
	fd = open(path_of("/client.key"), O_RDONLY | O_CLOEXEC);
	n = read(fd, file, sizeof(file));
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(read(kept, memory, sizeof(memory)), n);
	ck_assert_mem_eq(memory, file, (size_t)n);
	kr_kubeconfig_client_done(&client);
	ck_assert_int_eq(client.key_fd, -1);
	ck_assert_int_eq(pread(kept, memory, sizeof(memory), 0), n);
	for (ssize_t i = 0; i < n; i++)
		ck_assert_int_eq(memory[i], 0);
}
END_TEST

static int stop_tick(void *closure, const char *what, uint64_t passed_usec,
                     uint64_t limit_usec)
{
	return -EINTR;
}

START_TEST(test_stopped)
{
	struct kr_asking asking = {
		.deadline_usec = kr_now_usec() + 100 * SEC,
		.tick = stop_tick,
	};
	struct kr_own_port own;
	struct kr_kubelet_port port = {.port = &own, .fs = fs};
	struct kr_kubelet_look got;

	if (!have_tools())
		return;
	start("200", "200", "mute");
	own = own_port(server, server_port);
	ck_assert_int_eq(kr_kubelet_port_look(&port, &asking, &got), -EINTR);
}
END_TEST

/* --- before and after ---------------------------------------------------- */

#define U    KR_PROVED_UNTRIED
#define Y    KR_PROVED_YES
#define F    KR_PROVED_NO
#define DOWN ALL(FAIL("connection refused"))
#define GOOD                                                                   \
	{                                                                      \
		TLS, SAID(401), SAID(200)                                      \
	}
#define OPEN                                                                   \
	{                                                                      \
		TLS, SAID(200), SAID(200)                                      \
	}

static const struct judge_row {
	const char *name;
	struct kr_kubelet_look before, after;
	bool anonymous_on; /* nothing is demanded of it */
	enum kr_proved handshake, anonymous, certificate;
	const char *why; /* NULL: there is none */
} judge_rows[] = {
	{"anonymous access went off", OPEN, GOOD, false, Y, Y, Y},
	{"it was off", GOOD, GOOD, false, Y, Y, Y},
	{"forbidden is accepted",
         OPEN,
         {TLS, SAID(401), SAID(403)},
         false,
         Y,
         Y,
         Y},
	{"the API server is away",
         OPEN,
         {TLS, SAID(401), SAID(500)},
         false,
         Y,
         Y,
         Y},
	{"it was away", {TLS, SAID(200), SAID(500)}, GOOD, false, Y, Y, Y},
	{"still open", OPEN, OPEN, false, Y, F, Y, "(status 401): status 200"},
	{"still open, as is", OPEN, OPEN, true, Y, Y, Y},
	{"known to the authorizer",
         OPEN,
         {TLS, SAID(403), SAID(200)},
         false,
         Y,
         F,
         Y,
         "status 403"},
	{"anonymous, the API server is away",
         OPEN,
         {TLS, SAID(500), SAID(200)},
         false,
         Y,
         U,
         Y},
	{"nobody gets in",
         OPEN,
         {TLS, SAID(401), SAID(401)},
         false,
         Y,
         Y,
         F,
         "accept its own client certificate: status 401"},
	{"nobody got in",
         {TLS, SAID(401), SAID(401)},
         {TLS, SAID(401), SAID(401)},
         false,
         Y,
         Y,
         U,
         "before: status 401"},
	{"no certificate before",
         {TLS, SAID(200), NOT("a token")},
         {TLS, SAID(401), NOT("a token")},
         false,
         Y,
         Y,
         U,
         "tried: a token"},
	{"no certificate after",
         OPEN,
         {TLS, SAID(401), NOT("it is gone")},
         false,
         Y,
         Y,
         U,
         "tried: it is gone"},
	{"the port went", OPEN, DOWN, false, F, F, F,
         "no TLS any more: connection refused"},
	{"it was not there", DOWN, DOWN, false, U, U, U, "connection refused"},
	{"it was not there and is", DOWN, GOOD, false, U, U, U,
         "connection refused"},
	{"no serving certificate", OPEN, ALL(FAIL("internal error")), true, F,
         Y, F, "no TLS any more: internal error"},
	{"late after", OPEN, {TLS, LATE, LATE}, false, Y, U, U, "in time"},
	{"late before", {TLS, LATE, LATE}, GOOD, false, Y, U, U, "in time"},
	{"no HTTP",
         OPEN,
         {TLS, FAIL("HTTP"), FAIL("HTTP")},
         false,
         Y,
         F,
         F,
         "HTTP"},
	{"nothing can be tried", ALL(NOT("no libcurl")), ALL(NOT("no libcurl")),
         false, U, U, U, "no libcurl"},
	{"nothing can be tried after", OPEN, ALL(NOT("a namespace")), false, U,
         U, U, "a namespace"},
};

START_TEST(test_judge)
{
	const struct judge_row *row = &judge_rows[_i];
	const struct kr_kubelet_demand demand = {.anonymous_off =
	                                                 !row->anonymous_on};
	struct kr_kubelet_proof got;

	kr_kubelet_port_judge(&row->before, &row->after, &demand, &got);
	ck_assert_msg(got.handshake == row->handshake &&
	                      got.anonymous == row->anonymous &&
	                      got.certificate == row->certificate,
	              "%s: %d %d %d", row->name, got.handshake, got.anonymous,
	              got.certificate);
	ck_assert_msg(row->why ? strstr(got.why, row->why) != NULL : !*got.why,
	              "%s: %s", row->name, got.why);
}
END_TEST

/* --- the proof ----------------------------------------------------------- */

static const struct prove_row {
	const char *name;
	struct kr_kubelet_look before;
	const char *anonymous, *certificate, *manner;
	uint64_t wait_usec;
	enum kr_proved handshake, anonymous_proof, certificate_proof;
	bool at_once;
} prove_rows[] = {
	{"proved", OPEN, "401", "200", NULL, 100 * SEC, Y, Y, Y, true},
	{"opens late", OPEN, "401", "200", "after=1", 100 * SEC, Y, Y, Y},
	{"never opens", OPEN, "401", "200", "never", SEC, F, F, F},
	{"no serving certificate", OPEN, "401", "200", "alert", SEC, F, F, F},
	{"shut", OPEN, "401", "401", NULL, SEC, Y, Y, F},
	{"was not there", DOWN, "401", "200", "never", 100 * SEC, U, U, U,
         true},
	{"cannot be tried", ALL(NOT("no libcurl")), "401", "200", "never",
         100 * SEC, U, U, U, true},
};

START_TEST(test_prove)
{
	const struct prove_row *row = &prove_rows[_i];
	const struct kr_kubelet_demand demand = {.anonymous_off = true};
	struct kr_asking asking = {0};
	struct kr_own_port own;
	struct kr_kubelet_port port = {
		.port = &own, .fs = fs, .kubeconfig = KUBECONFIG};
	struct kr_kubelet_proof got;

	if (!have_tools())
		return;
	write_client(FILES);
	start(row->anonymous, row->certificate, row->manner);
	own = own_port(server, server_port);
	asking.deadline_usec = kr_now_usec() + row->wait_usec;
	ck_assert_int_eq(kr_kubelet_port_prove(&port, &row->before, &demand,
	                                       &asking, &got),
	                 0);
	ck_assert_msg(got.handshake == row->handshake &&
	                      got.anonymous == row->anonymous_proof &&
	                      got.certificate == row->certificate_proof,
	              "%s: %d %d %d, %s", row->name, got.handshake,
	              got.anonymous, got.certificate, got.why);
	ck_assert_msg(kr_left_usec(asking.deadline_usec) > 0 || !row->at_once,
	              "%s: took all the time", row->name);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "kubelet-port", set_up, tear_down);

	tcase_add_loop_test(tc, test_look, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_not_asked, 0, 2);
	tcase_add_test(tc, test_memory);
	tcase_add_test(tc, test_stopped);
	tcase_add_loop_test(tc, test_prove, 0, ARRAY_SIZE(prove_rows));

	/* no server, no key */
	tc = kr_test_case(suite, "proof", NULL, NULL);
	tcase_add_loop_test(tc, test_judge, 0, ARRAY_SIZE(judge_rows));
}

KR_TEST_MAIN(add_tests);
