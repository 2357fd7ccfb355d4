/* SPDX-License-Identifier: Apache-2.0 */

/*
 * host/log-line: lines of real kubelets, and lines that look like them. Those
 * marked "1.20.2" were written by one that was run for that.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "host/log-line.h"
#include "testing.h"

#define O KR_LOG_ORDINARY
#define N KR_LOG_NOISE
#define D KR_LOG_DUMP
#define T KR_LOG_TROUBLE
#define R KR_LOG_REASON

#define JSON(rest) "{\"ts\":1631610094233.7605," rest "}"

/* clang-format off */
static const struct row {
	const char *name;
	enum kr_log_kind want;
	const char *line;
} rows[] = {
	/* klog's text */
	{"fatal, 1.20.2", R, "F1128 18:17:27.760955     342 server.go:269] failed to run Kubelet: unsupported eviction signal memory.availablee"},
	{"fatal flag, 1.20.2", R, "F1128 18:17:33.495609     368 server.go:156] unknown flag: --bad-flag"},
	{"command failed", R, "E0908 20:18:11.950953  108352 run.go:74] \"command failed\" err=\"failed to parse kubelet flag: unknown flag: --network-plugin\""},
	{"command failed, a value of lines", R, "E0908 20:18:11.950953  108352 run.go:74] \"command failed\" err=<"},
	{"an error", T, "E1118 07:00:00.000000    1 server.go:302] \"Failed to run kubelet\" err=\"failed to run Kubelet: misconfiguration\""},
	{"an error that speaks of it", T, "E1118 07:00:00.000000    1 x.go:1] \"Sync\" err=\"command failed\""},
	{"an error about a panic", T, "E0123 12:33:29.270214       1 panic.go:262] \"Observed a panic\" panic=\"x\" stacktrace=<"},
	{"information", O, "I1128 18:17:27.700000     342 server.go:416] Version: v1.20.2"},
	{"a warning", O, "W1128 18:17:27.700000     342 server.go:416] F1128 is a word"},
	{"F and a word", O, "Flag --cgroup-driver has been deprecated, This parameter should be set"},
	{"F and three digits", O, "F112 18:17:27.760955"},
	{"F and five digits", O, "F11281 18:17:27.760955"},
	{"F and four digits alone", O, "F1128"},
	{"F behind a blank", O, " F1128 18:17:27.760955     342 server.go:269] x"},
	{"a small f", O, "f1128 18:17:27.760955     342 server.go:269] x"},
	{"E and a word", O, "Error looking up in-cluster authentication configuration"},
	{"a hash", O, "E112a 18:17:27.760955"},
	/* JSON */
	{"JSON: command failed", R, JSON("\"caller\":\"cli/run.go:74\",\"msg\":\"command failed\",\"err\":\"failed to run Kubelet: x\"")},
	{"JSON: with a logger", R, JSON("\"logger\":\"UnhandledError\",\"caller\":\"cli/run.go:74\",\"msg\":\"command failed\",\"err\":\"x\"")},
	{"JSON: an error", T, JSON("\"caller\":\"app/server.go:276\",\"msg\":\"Failed to construct kubelet dependencies\",\"err\":\"x\"")},
	{"JSON: an error without one", T, JSON("\"caller\":\"a/b.go:1\",\"msg\":\"Unable to read config path\",\"path\":\"/etc/kubernetes/manifests\"")},
	{"JSON: an error that quotes", T, JSON("\"caller\":\"a/b.go:1\",\"msg\":\"a \\\"quoted\\\" \\\\\",\"err\":\"x\"")},
	{"JSON: information", O, JSON("\"caller\":\"a/b.go:1\",\"msg\":\"Started kubelet\",\"v\":0")},
	{"JSON: information with an error", O, JSON("\"caller\":\"a/b.go:1\",\"msg\":\"Retrying\",\"v\":2,\"err\":\"x\"")},
	{"JSON: information, its logger's values first", O, JSON("\"caller\":\"a/b.go:1\",\"msg\":\"Retrying\",\"pod\":\"x\",\"v\":2,\"err\":\"x\"")},
	{"JSON: fatal, 1.20.2", O, "{\"ts\":1795889859675.8909,\"msg\":\"failed to run Kubelet: unsupported eviction signal memory.availablee\\n\",\"v\":0}"},
	{"JSON: information that says it", O, JSON("\"caller\":\"a/b.go:1\",\"msg\":\"command failed\\n\",\"v\":0")},
	{"JSON: a longer message", T, JSON("\"caller\":\"a/b.go:1\",\"msg\":\"command failed again\",\"err\":\"x\"")},
	{"JSON: in a value", O, JSON("\"caller\":\"a/b.go:1\",\"msg\":\"x\",\"v\":0,\"why\":\"\\\"msg\\\":\\\"command failed\\\"\"")},
	{"JSON: cut in the message", O, "{\"ts\":1,\"caller\":\"a/b.go:1\",\"msg\":\"comm"},
	{"JSON: cut at a backslash", O, "{\"ts\":1,\"caller\":\"a/b.go:1\",\"msg\":\"comm\\"},
	{"JSON: cut behind the message", O, "{\"ts\":1,\"caller\":\"a/b.go:1\",\"msg\":\"Retrying\",\"pod\":\"x"},
	{"JSON: no message", O, "{\"ts\":1,\"caller\":\"a/b.go:1\"}"},
	{"JSON: of others", O, "{\"level\":\"error\",\"msg\":\"command failed\"}"},
	/* cli.Run, Go */
	{"before logging", R, "Error: failed to parse kubelet flag: unknown flag: --bad"},
	{"panic", R, "panic: runtime error: invalid memory address or nil pointer dereference"},
	{"a concurrent map", R, "fatal error: concurrent map writes"},
	{"the watchdog", R, "SIGABRT: abort"},
	{"a crash in C", R, "SIGSEGV: segmentation violation"},
	{"where it crashed", O, "[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x16f6a57]"},
	{"a signal in a sentence", O, "SIGTERM received"},
	{"a signal, named only", O, "SIG: x"},
	{"the second of two panics", O, "\tpanic: close of closed channel [recovered]"},
	{"a panic behind blanks", O, "    panic: x"},
	{"an error in a sentence", O, "there was an Error: x"},
	{"errors", O, "Errors: 3"},
	{"a fatal error in a sentence", O, "a fatal error: x"},
	/* dumps */
	{"the first goroutine, 1.20.2", D, "goroutine 1 [running]:"},
	{"the first goroutine, locked", D, "goroutine 1 [running, locked to thread]:"},
	{"the first goroutine, go 1.23", D, "goroutine 1 gp=0xc000002380 m=0 mp=0x55d0 [running]:"},
	{"a goroutine, 1.20.2", N, "goroutine 83 [select]:"},
	{"a goroutine that waits", N, "goroutine 7 [chan receive, 12 minutes]:"},
	{"goroutine 0", N, "goroutine 0 [idle]:"},
	{"created by, 1.20.2", N, "created by k8s.io/kubernetes/vendor/k8s.io/klog/v2.init.0"},
	{"created by, newer", N, "created by k8s.io/klog/v2.(*flushDaemon).run in goroutine 1"},
	{"a frame, 1.20.2", N, "k8s.io/kubernetes/vendor/k8s.io/klog/v2.stacks(0x1)"},
	{"a method, 1.20.2", N, "k8s.io/kubernetes/vendor/k8s.io/klog/v2.(*loggingT).output(0x3b14e60, 0x3, {0x27e1ad0, 0xc000120ef0}, 0xc00081e000, {0x2ee030e?, 0xc000074400?}, 0xc0006783d0?, 0x0)"},
	{"inlined, 1.20.2", N, "k8s.io/kubernetes/vendor/k8s.io/klog/v2.Fatal(...)"},
	{"main, 1.20.2", N, "main.main()"},
	{"nested and cut", N, "reflect.Value.call({0x1?, 0x2?, 0x3?}, {0x4, _}, {{...}, 0x1, ...})"},
	{"generic", N, "k8s.io/apimachinery/pkg/util/sets.Set[...].Has(...)"},
	{"a panic's frame", N, "panic({0x2ee030e, 0xc0006783d0})"},
	{"an anonymous one", N, "k8s.io/client-go/tools/record.(*eventBroadcasterImpl).StartEventWatcher.func1()"},
	{"a place, 1.20.2", N, "\tk8s.io/kubernetes/vendor/k8s.io/klog/v2/klog.go:1026 +0x89"},
	{"a place that was inlined, 1.20.2", N, "\tk8s.io/kubernetes/vendor/k8s.io/klog/v2/klog.go:714"},
	{"an assembler's place", N, "\t/usr/local/go/src/runtime/asm_amd64.s:1594 +0x1"},
	{"a generated place", N, "\t<autogenerated>:1 +0x2a"},
	{"a place with its registers", N, "\t/usr/lib/go/src/runtime/proc.go:363 +0xd6 fp=0xc000 sp=0xc000 pc=0x43"},
	{"another thread", N, "\tgoroutine running on other thread; stack unavailable"},
	{"a dump as a value: goroutine", N, "\tgoroutine 478 [running]:"},
	{"a dump as a value: frame", N, "\tk8s.io/apimachinery/pkg/util/runtime.logPanic({0x302f5d0, 0x49be620}, {0x27352c0, 0x49259f0})"},
	{"a dump as a value: place", N, "\t\t/workspace/vendor/k8s.io/apimachinery/pkg/util/runtime/runtime.go:107 +0xbc"},
	{"elided", N, "...additional frames elided..."},
	{"elided, newer", N, "...23 frames elided..."},
	{"the runtime's stack", N, "runtime stack:"},
	{"of another goroutine", N, "[originating from goroutine 43]:"},
	{"a register", N, "rax    0x0"},
	{"a register of arm64", N, "fault   0x7f00ff1c"},
	{"an empty line", N, ""},
	{"a tab", N, "\t"},
	/* what looks like it */
	{"a value's line", O, "\tfailed to run Kubelet: running with swap on is not supported"},
	{"a value's line that begins a place", O, "\tserver.go:269 says no"},
	{"a value's line with an address", O, "\t10.0.0.1:6443"},
	{"a value's last line", O, " >"},
	{"three dots", O, "...and so on"},
	{"a sentence with a bracket", O, "kubelet was stopped (0x1)"},
	{"a call with words", O, "os.Open(\"/etc/x\")"},
	{"a call with a word", O, "os.Open(path)"},
	{"a call that goes on", O, "main.main() failed"},
	{"a name without a package", O, "main(0x1)"},
	{"no name", O, "(0x1)"},
	{"brackets only", O, "()"},
	{"one bracket", O, ")"},
	{"a value", O, "err=x.f(0x1)"},
	{"no register", O, "count  12"},
	{"a register's sentence", O, "rax    0x0 was seen"},
	{"systemd's program", O, "kubelet.service: Main process exited, code=exited, status=255/EXCEPTION"},
	/* the usage */
	{"usage, 1.20.2", N, "Usage:"},
	{"what is used, 1.20.2", N, "  kubelet [flags]"},
	{"flags, 1.20.2", N, "Flags:"},
	{"a flag, 1.20.2", N, "      --address ip                                               The IP address for the Kubelet to serve on"},
	{"a flag with a letter, 1.20.2", N, "  -v, --v Level                                                  number for the log level verbosity"},
	{"a flag goes on, 1.20.2", N, "                Preferred values: TLS_AES_128_GCM_SHA256"},
	{"usage in a sentence", O, "Usage: 3 %"},
	{"two blanks", O, "  something else"},
	{"a list", O, "  - cpu"},
	{"two dashes", O, "  -- "},
};
/* clang-format on */

/* A copy that ends where the line does: what is read behind it is found. */
static enum kr_log_kind classify(const char *line, size_t n)
{
	char *copy = malloc(n ? n : 1);
	enum kr_log_kind kind;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, line, n);
	kind = kr_log_line_classify(copy, n);
	free(copy);
	return kind;
}

START_TEST(test_row)
{
	const struct row *row = &rows[_i];
	enum kr_log_kind got = classify(row->line, strlen(row->line));

	ck_assert_msg(got == row->want, "%s: got %d, want %d", row->name, got,
	              row->want);
}
END_TEST

/* Each line may be cut anywhere (journald's LineMax=). */
START_TEST(test_cut)
{
	const char *line = rows[_i].line;

	for (size_t n = 0; n < strlen(line); n++) {
		for (size_t from = 0; from < n; from += 7)
			classify(line + from, n - from);
	}
}
END_TEST

static char exit_code[] = "exit-code", was_killed[] = "signal",
	    watchdog[] = "watchdog", success[] = "success";

#define SEC KR_USEC_PER_SEC
#define ENDED                                                                  \
	.started_realtime_usec = 100 * SEC, .exited_realtime_usec = 105 * SEC

/* clang-format off */
static const struct {
	const char *name;
	struct kr_loaded_unit unit;
	bool reason, trouble; /* are looked for */
	bool by_time;
} units[] = {
	{"it ended with a status",
	 {.result = exit_code, .exec_main_code = CLD_EXITED, ENDED,
	  .state_change_usec = 105 * SEC + 10},
	 .reason = true, .trouble = true, .by_time = true},
	{"it was killed",
	 {.result = was_killed, .exec_main_code = CLD_KILLED, ENDED,
	  .state_change_usec = 105 * SEC + 10},
	 .reason = true, .by_time = true},
	{"it was killed by its watchdog",
	 {.result = watchdog, .exec_main_code = CLD_DUMPED, ENDED,
	  .state_change_usec = 105 * SEC + 10},
	 .reason = true, .by_time = true},
	{"it never started",
	 {.result = exit_code, .state_change_usec = 105 * SEC},
	 .reason = true},
	{"a later start failed before it",
	 {.result = exit_code, .exec_main_code = CLD_EXITED, ENDED,
	  .state_change_usec = 106 * SEC},
	 .reason = true, .trouble = true},
	{"it was stopped",
	 {.result = success, .exec_main_code = CLD_EXITED, ENDED}},
	{"it runs",
	 {.result = success, .main_pid = 7, .started_realtime_usec = SEC}},
	{"it runs after another's end",
	 {.result = exit_code, .main_pid = 7, .exec_main_code = CLD_EXITED}},
};
/* clang-format on */

START_TEST(test_ask)
{
	struct kr_loaded_unit unit = units[_i].unit;
	struct kr_journal_query query = {0};

	strlcpy(unit.invocation_id, "1", sizeof(unit.invocation_id));
	ck_assert_msg(kr_log_line_ask_reason(&unit, &query) == units[_i].reason,
	              "%s", units[_i].name);
	ck_assert_msg(!!query.classify == units[_i].reason &&
	                      query.trouble == units[_i].trouble,
	              "%s: reason %d, trouble %d", units[_i].name,
	              !!query.classify, query.trouble);
	ck_assert_msg(!query.invocation_id ==
	                      (units[_i].by_time || !units[_i].reason),
	              "%s: invocation %s", units[_i].name, query.invocation_id);
	ck_assert_msg(query.since_usec ==
	                      (units[_i].by_time ? 100 * SEC - SEC / 20 : 0),
	              "%s: since %llu", units[_i].name,
	              (unsigned long long)query.since_usec);
}
END_TEST

static void add(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "log-line", NULL, NULL);

	tcase_add_loop_test(tc, test_row, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_cut, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_ask, 0, ARRAY_SIZE(units));
}

KR_TEST_MAIN(add);
