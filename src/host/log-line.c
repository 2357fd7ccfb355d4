/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How the lines look that kubelet writes when it ends.
 *
 *   F1128 18:17:27.760955     342 server.go:269] failed to run Kubelet: ...
 *   goroutine 1 [running]:                    each goroutine begins so
 *   k8s.io/kubernetes/.../klog/v2.stacks(0x1) its frames: a function
 *   <TAB>k8s.io/.../klog.go:1026 +0x89        and its place
 *   created by k8s.io/.../klog/v2.init.0
 *
 * That is klog's Fatal, by which a kubelet of up to about 1.21 ends: the reason
 * and the stacks of all goroutines, 5,000 lines on a node with pods. Newer ones
 * print no stacks: "command failed" of component-base's cli.Run, as an E line
 * or, before logging is set up (flags, the config file), as "Error: ...". Those
 * in between (1.21 to 1.23) have an E line of many names and may print their
 * usage behind it. Go itself prints "panic: ", "fatal error: " and "SIGABRT:
 * abort" (systemd's watchdog), each before stacks.
 *
 * With --logging-format=json a line is an object: ts, caller, msg, values. A
 * klog.Fatal does not differ from an information there (measured with 1.20.2),
 * but the stacks behind it are: what stands before the first of them is
 * trouble. An error has no verbosity "v" since 1.22.
 *
 * Only what is surely of a dump is noise. A tab alone is no sign: klog shows a
 * value of several lines with a tab before each, and "command failed" may have
 * such a value.
 *
 * Sources: klog v2 klog.go (output, stacks), component-base cli/run.go and
 * logs/json/json.go, go-logr/zapr, Go's runtime/traceback.go and panic.go; a
 * kubelet 1.20.2, run for each of flags, text and JSON.
 */

#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/macro.h"
#include "host/log-line.h"

/* What systemd may need between a fork, or an end, and its note of the time.
 * RestartSec= is 100 ms where it is not set. */
#define SLACK_USEC (50 * KR_USEC_PER_MSEC)

/* A line, or what is left of it. */
struct piece {
	const char *s;
	size_t n;
};

static struct piece skip(struct piece p, size_t n)
{
	return (struct piece){p.s + n, p.n - n};
}

static bool starts_with(struct piece p, const char *start)
{
	size_t n = strlen(start);

	return p.n >= n && memcmp(p.s, start, n) == 0;
}

static bool ends_with(struct piece p, const char *end)
{
	size_t n = strlen(end);

	return p.n >= n && memcmp(p.s + p.n - n, end, n) == 0;
}

static const char *find(struct piece p, const char *text)
{
	return memmem(p.s, p.n, text, strlen(text));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* How many of the first bytes of P are of SET. */
static size_t span_of(struct piece p, const char *set)
{
	size_t n = 0;

	while (n < p.n && p.s[n] && strchr(set, p.s[n]))
		n++;
	return n;
}

#define DIGITS "0123456789"
#define HEX    DIGITS "abcdef"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* --- what may stand behind the start of a line --------------------------- */

static bool is_nothing(struct piece p)
{
	return p.n == 0;
}

/* Behind klog's letter: the month and the day. */
static bool is_klog(struct piece p)
{
	return span_of(p, DIGITS) == 4 && p.n > 4 && p.s[4] == ' ';
}

static bool is_failed_command(struct piece p)
{
	return is_klog(p) && find(p, "] \"command failed\"");
}

/* Behind "SIG": "ABRT: abort". */
static bool is_signal(struct piece p)
{
	size_t n = span_of(p, UPPER);

	return n > 0 && starts_with(skip(p, n), ": ");
}

/* Behind "goroutine ": "1 [running]:", the one that asked for the dump. */
static bool is_running(struct piece p)
{
	size_t n = span_of(p, DIGITS);

	return n > 0 && find(p, "[running") && ends_with(p, "]:");
}

static bool is_elided(struct piece p)
{
	return ends_with(p, "elided...");
}

/* Behind "  ": "    --address ip   ...", "-h, --help". */
static bool is_flag_usage(struct piece p)
{
	struct piece word = skip(p, span_of(p, " "));

	if (word.n > 4 && word.s[0] == '-' && starts_with(skip(word, 2), ", "))
		word = skip(word, 4);
	return starts_with(word, "--") && span_of(skip(word, 2), LOWER) > 0;
}

/* --- JSON ---------------------------------------------------------------- */

/* Behind the start of an object: the message, and RET_REST behind its quote. */
static bool json_message(struct piece p, struct piece *ret, struct piece *rest)
{
	static const char key[] = ",\"msg\":\"";
	const char *at = find(p, key);
	size_t n = 0;

	if (!at)
		return false;
	p = skip(p, (size_t)(at - p.s) + strlen(key));
	while (n < p.n && p.s[n] != '"')
		n += p.s[n] == '\\' ? 2 : 1;
	if (n >= p.n)
		return false;
	*ret = (struct piece){p.s, n};
	*rest = skip(p, n + 1);
	return true;
}

static bool is_json_failed_command(struct piece p)
{
	struct piece message, rest;

	return json_message(p, &message, &rest) && message.n == 14 &&
	       starts_with(message, "command failed");
}

static bool is_json_error(struct piece p)
{
	struct piece message, rest;
	const char *v;

	if (!json_message(p, &message, &rest) || !ends_with(rest, "}"))
		return false;
	v = find(rest, ",\"v\":");
	return !v || !is_digit(v[5]);
}

/* --- dumps --------------------------------------------------------------- */

/* "k8s.io/x/y.(*T).f(0xc000, {0x1?, 0x2}, ...)": what Go prints of arguments
 * has no other letters. */
static bool is_frame(struct piece p)
{
	const char *open = p.n > 0 ? memrchr(p.s, '(', p.n) : NULL;
	size_t n = open ? (size_t)(open - p.s) : 0;
	struct piece name = {p.s, n};

	if (n == 0 || !ends_with(p, ")") ||
	    span_of(skip(p, n + 1), HEX "x, .{}?_") != p.n - n - 2)
		return false;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)name.s[i] <= ' ' ||
		    strchr("\"'=<>", name.s[i]))
			return false;
	}
	return memchr(name.s, '.', n) ||
	       (n == strlen("panic") && starts_with(name, "panic"));
}

/* "k8s.io/x/y.go:1026 +0x89", behind a tab. */
static bool is_place(struct piece p)
{
	static const char *const files[] = {".go:", ".s:", "<autogenerated>:"};
	const char *blank = memchr(p.s, ' ', p.n);
	struct piece word = {p.s, blank ? (size_t)(blank - p.s) : p.n};

	if (blank && !starts_with(skip(p, word.n), " +0x"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const char *at = find(word, files[i]);
		struct piece line;

		if (!at)
			continue;
		line = skip(word, (size_t)(at - word.s) + strlen(files[i]));
		if (line.n > 0 && span_of(line, DIGITS) == line.n)
			return true;
	}
	return false;
}

/* Behind tabs: a place, or all of a dump that is the value of a message. */
static bool is_indented_dump(struct piece p)
{
	p = skip(p, span_of(p, "\t"));
	return p.n == 0 || starts_with(p, "goroutine ") ||
	       starts_with(p, "created by ") || is_place(p) || is_frame(p);
}

/* "rax    0x0" */
static bool is_register(struct piece p)
{
	size_t name = span_of(p, LOWER DIGITS);
	size_t blanks = span_of(skip(p, name), " ");
	struct piece value = skip(p, name + blanks);

	return name >= 2 && name <= 7 && blanks > 0 && value.n > 2 &&
	       starts_with(value, "0x") && span_of(value, HEX "x") == value.n;
}

/* --- the table ----------------------------------------------------------- */

/* The first row that fits is a line's. */
/* clang-format off */
static const struct {
	const char *start;
	bool (*rest)(struct piece rest); /* NULL: whatever follows */
	enum kr_log_kind kind;
} rows[] = {
	{"",                          is_nothing,             KR_LOG_NOISE},
	/* klog's text */
	{"F",                         is_klog,                KR_LOG_REASON},
	{"E",                         is_failed_command,      KR_LOG_REASON},
	{"E",                         is_klog,                KR_LOG_TROUBLE},
	/* JSON */
	{"{\"ts\":",                  is_json_failed_command, KR_LOG_REASON},
	{"{\"ts\":",                  is_json_error,          KR_LOG_TROUBLE},
	/* cli.Run and Go's runtime */
	{"Error:",                    NULL,                   KR_LOG_REASON},
	{"panic:",                    NULL,                   KR_LOG_REASON},
	{"fatal error:",              NULL,                   KR_LOG_REASON},
	{"SIG",                       is_signal,              KR_LOG_REASON},
	/* dumps */
	{"goroutine ",                is_running,             KR_LOG_DUMP},
	{"goroutine ",                NULL,                   KR_LOG_NOISE},
	{"created by ",               NULL,                   KR_LOG_NOISE},
	{"\t",                        is_indented_dump,       KR_LOG_NOISE},
	{"[originating from goroutine ", NULL,                KR_LOG_NOISE},
	{"runtime stack:",            is_nothing,             KR_LOG_NOISE},
	{"...",                       is_elided,              KR_LOG_NOISE},
	{"",                          is_frame,               KR_LOG_NOISE},
	{"",                          is_register,            KR_LOG_NOISE},
	/* the usage */
	{"Usage:",                    is_nothing,             KR_LOG_NOISE},
	{"Flags:",                    is_nothing,             KR_LOG_NOISE},
	{"  kubelet [flags]",         is_nothing,             KR_LOG_NOISE},
	{"  ",                        is_flag_usage,          KR_LOG_NOISE},
	{"                ",          NULL,                   KR_LOG_NOISE},
};
/* clang-format on */

enum kr_log_kind kr_log_line_classify(const char *line, size_t length)
{
	struct piece p = {line, length};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!starts_with(p, rows[i].start))
			continue;
		if (!rows[i].rest ||
		    rows[i].rest(skip(p, strlen(rows[i].start))))
			return rows[i].kind;
	}
	return KR_LOG_ORDINARY;
}

bool kr_log_line_ask_reason(const struct kr_loaded_unit *unit,
                            struct kr_journal_query *query)
{
	if (unit->main_pid > 0 || strcmp(unit->result, "success") == 0)
		return false;
	query->classify = kr_log_line_classify;
	/* one that was killed need not have seen any */
	query->trouble = unit->exec_main_code == CLD_EXITED;
	/*
	 * What a process says that ends at once is often written after its end,
	 * and has then no invocation, or a later one: it is known by its time.
	 * But only where the unit is as it is by the end of that process, not
	 * by an ExecStartPre= of a later start.
	 */
	if (unit->started_realtime_usec > SLACK_USEC &&
	    unit->exited_realtime_usec + SLACK_USEC >= unit->state_change_usec)
		query->since_usec = unit->started_realtime_usec - SLACK_USEC;
	else
		query->invocation_id = unit->invocation_id;
	return true;
}
