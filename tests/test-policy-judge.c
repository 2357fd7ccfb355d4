/* SPDX-License-Identifier: Apache-2.0 */

/*
 * audit: the views and the verdict, over units, processes and files that the
 * test makes.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "policy/judge.h"
#include "testing-node.h"
#include "testing.h"

#define GVK                                                                    \
	"{\"kind\":\"KubeletConfiguration\","                                  \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""
#define SET(v) GVK ",\"makeIPTablesUtilChains\":" v "}\n"
#define EMPTY  GVK "}\n"
#define CONFIG "/etc/kubelet.json"
#define MADE   "/run/credentials/kubelet.service/k"
#define KEY    "makeIPTablesUtilChains"
#define FLAG   "--make-iptables-util-chains"
#define PORT   "readOnlyPort"
#define QPS    "eventRecordQPS"
#define HOUR   (3600 * KR_USEC_PER_SEC)

/* More than the slack of a start and a tick of its clock. */
#define LATER_USEC (80 * KR_USEC_PER_MSEC)

/* What became of the config file, seen from the start of the process. */
enum drift {
	NOT_CHANGED,
	MTIME_LATER,
	BIRTH_LATER, /* another file of an old mtime, as cp -p makes it */
	CTIME_LATER, /* a chmod */
	FOLDER_LATER,
	MADE_LATER, /* a credential, which systemd makes at the start */
};

struct row {
	const char *name;
	const char *unit; /* behind "/usr/bin/kubelet "; NULL: no unit */
	const char *config;
	const char *argv[4]; /* behind "kubelet"; [0] NULL: no process */
	enum drift drift;
	const char *cgroup; /* NULL: the unit's */
	enum kr_state live;
	bool explicit_wanted;
	bool settled; /* the process has proved that it is well */

	enum kr_verdict want;
	enum kr_state disk, running;
	bool restart, assumed;
	const char *code; /* a message of it; NULL: no warning, no error */
};

#define T KR_STATE_TRUE
#define F KR_STATE_FALSE
#define I KR_STATE_INVALID
#define U KR_STATE_UNKNOWN
#define A KR_STATE_ABSENT

static const struct row rows[] = {
	/* an image */
	{.name = "default", .unit = "--v=2", .disk = T, .running = A},
	{.name = "default, explicit",
         .unit = "--v=2",
         .explicit_wanted = true,
         .want = KR_VERDICT_FAIL,
         .disk = T,
         .running = A},
	{.name = "the flag true, explicit",
         .unit = FLAG,
         .explicit_wanted = true,
         .disk = T,
         .running = A},
	{.name = "the key true, explicit",
         .unit = "--config=" CONFIG,
         .config = SET("true"),
         .explicit_wanted = true,
         .disk = T,
         .running = A},
	{.name = "null, explicit",
         .unit = "--config=" CONFIG,
         .config = SET("null"),
         .explicit_wanted = true,
         .want = KR_VERDICT_FAIL,
         .disk = T,
         .running = A},
	{.name = "false",
         .unit = FLAG "=false",
         .want = KR_VERDICT_FAIL,
         .disk = F,
         .running = A},
	{.name = "invalid",
         .unit = FLAG "=maybe",
         .want = KR_VERDICT_INVALID,
         .disk = I,
         .running = A,
         .code = "flag-value"},
	{.name = "no unit",
         .want = KR_VERDICT_UNKNOWN,
         .disk = U,
         .running = A},
	/* a kubelet that runs */
	{.name = "true and true",
         .unit = FLAG,
         .argv = {FLAG},
         .disk = T,
         .running = T},
	{.name = "false and false",
         .unit = FLAG "=false",
         .argv = {FLAG "=false"},
         .want = KR_VERDICT_FAIL,
         .disk = F,
         .running = F},
	{.name = "true on disk, false in the process",
         .unit = FLAG,
         .argv = {FLAG "=false"},
         .want = KR_VERDICT_FAIL,
         .disk = T,
         .running = F,
         .restart = true},
	{.name = "the same, explicit",
         .unit = FLAG,
         .argv = {FLAG "=false"},
         .explicit_wanted = true,
         .want = KR_VERDICT_FAIL,
         .disk = T,
         .running = F,
         .restart = true},
	{.name = "false on disk, true in the process",
         .unit = FLAG "=false",
         .argv = {FLAG},
         .want = KR_VERDICT_FAIL,
         .disk = F,
         .running = T},
	{.name = "invalid on disk, true in the process",
         .unit = FLAG "=maybe",
         .argv = {FLAG},
         .want = KR_VERDICT_INVALID,
         .disk = I,
         .running = T,
         .code = "flag-value"},
	{.name = "invalid on disk, false in the process",
         .unit = FLAG "=maybe",
         .argv = {FLAG "=false"},
         .want = KR_VERDICT_FAIL,
         .disk = I,
         .running = F,
         .code = "flag-value"},
	{.name = "a process of no unit",
         .argv = {FLAG},
         .cgroup = "/user.slice/session-1.scope",
         .disk = T,
         .running = T},
	{.name = "a process of no unit, false",
         .argv = {FLAG "=false"},
         .cgroup = "/user.slice/session-1.scope",
         .want = KR_VERDICT_FAIL,
         .disk = F,
         .running = F},
	{.name = "a process of another unit",
         .argv = {FLAG},
         .cgroup = "/system.slice/k3s.service",
         .want = KR_VERDICT_UNKNOWN,
         .disk = U,
         .running = T},
	/* files that changed since */
	{.name = "the file as it was",
         .unit = "--config=" CONFIG,
         .config = SET("true"),
         .argv = {"--config=" CONFIG},
         .disk = T,
         .running = T},
	{.name = "the file is younger",
         .unit = "--config=" CONFIG,
         .config = SET("true"),
         .argv = {"--config=" CONFIG},
         .drift = MTIME_LATER,
         .want = KR_VERDICT_UNKNOWN,
         .disk = T,
         .running = U},
	{.name = "the file is another one of an old date",
         .unit = "--config=" CONFIG,
         .config = SET("true"),
         .argv = {"--config=" CONFIG},
         .drift = BIRTH_LATER,
         .want = KR_VERDICT_UNKNOWN,
         .disk = T,
         .running = U},
	{.name = "only its mode was changed",
         .unit = "--config=" CONFIG,
         .config = SET("true"),
         .argv = {"--config=" CONFIG},
         .drift = CTIME_LATER,
         .disk = T,
         .running = T,
         .assumed = true,
         .code = "ctime-later"},
	{.name = "only its mode was changed, false",
         .unit = "--config=" CONFIG,
         .config = SET("false"),
         .argv = {"--config=" CONFIG},
         .drift = CTIME_LATER,
         .want = KR_VERDICT_FAIL,
         .disk = F,
         .running = F,
         .assumed = true,
         .code = "ctime-later"},
	{.name = "the file is younger, but the flag decides",
         .unit = FLAG " --config=" CONFIG,
         .config = SET("false"),
         .argv = {FLAG, "--config=" CONFIG},
         .drift = MTIME_LATER,
         .disk = T,
         .running = T},
	{.name = "its mode was changed, but the flag decides",
         .unit = FLAG " --config=" CONFIG,
         .config = SET("false"),
         .argv = {FLAG, "--config=" CONFIG},
         .drift = CTIME_LATER,
         .disk = T,
         .running = T},
	{.name = "a younger file, false on disk",
         .unit = "--config=" CONFIG,
         .config = SET("false"),
         .argv = {"--config=" CONFIG},
         .drift = MTIME_LATER,
         .want = KR_VERDICT_FAIL,
         .disk = F,
         .running = U},
	{.name = "a credential is as old as the start",
         .unit = FLAG,
         .config = SET("true"),
         .argv = {"--config=" MADE},
         .drift = MADE_LATER,
         .disk = T,
         .running = T},
	{.name = "a drop-in may have gone",
         .unit = "--config-dir=/etc/k.d",
         .config = SET("true"),
         .argv = {"--config-dir=/etc/k.d"},
         .drift = FOLDER_LATER,
         .want = KR_VERDICT_UNKNOWN,
         .disk = T,
         .running = U},
	/* a kubelet that runs on what we call invalid */
	{.name = "the same words, called invalid",
         .unit = "--no-such-thing=1 --config=" CONFIG,
         .config = "{",
         .argv = {"--no-such-thing=1", "--config=" CONFIG},
         .settled = true,
         .want = KR_VERDICT_UNKNOWN,
         .disk = U,
         .running = U,
         .code = "model-disagrees"},
	{.name = "the same words, called invalid, not settled",
         .unit = "--no-such-thing=1 --config=" CONFIG,
         .config = "{",
         .argv = {"--no-such-thing=1", "--config=" CONFIG},
         .want = KR_VERDICT_INVALID,
         .disk = I,
         .running = U,
         .code = "*"},
	{.name = "the same file, called invalid, not settled",
         .unit = "--config=" CONFIG,
         .config = "{",
         .argv = {"--config=" CONFIG},
         .want = KR_VERDICT_INVALID,
         .disk = I,
         .running = U,
         .code = "*"},
	{.name = "called invalid, but the file is younger",
         .unit = "--config=" CONFIG,
         .config = "{",
         .argv = {"--config=" CONFIG},
         .settled = true,
         .drift = MTIME_LATER,
         .want = KR_VERDICT_INVALID,
         .disk = I,
         .running = U,
         .code = "*"},
	{.name = "called invalid, other words",
         .unit = "--v=2 --config=" CONFIG,
         .config = "{",
         .argv = {"--v=3"},
         .settled = true,
         .want = KR_VERDICT_INVALID,
         .disk = I,
         .running = T,
         .code = "*"},
	/* systemd still runs it, the next start finds no unit */
	{.name = "the unit's file is gone",
         .argv = {FLAG},
         .want = KR_VERDICT_UNKNOWN,
         .disk = U,
         .running = T},
	{.name = "the unit's file is gone, and it runs with false",
         .argv = {FLAG "=false"},
         .want = KR_VERDICT_FAIL,
         .disk = U,
         .running = F},
	/* the live view */
	{.name = "live true",
         .unit = FLAG,
         .argv = {FLAG},
         .live = T,
         .disk = T,
         .running = T},
	{.name = "live false",
         .unit = FLAG,
         .argv = {FLAG},
         .live = F,
         .want = KR_VERDICT_FAIL,
         .disk = T,
         .running = T,
         .restart = true,
         .code = "live-disagrees"},
	{.name = "live false, false on disk",
         .unit = FLAG "=false",
         .live = F,
         .want = KR_VERDICT_FAIL,
         .disk = F,
         .running = A,
         .code = "live-disagrees"},
	{.name = "live asked for, no answer",
         .unit = FLAG,
         .argv = {FLAG},
         .live = U,
         .want = KR_VERDICT_UNKNOWN,
         .disk = T,
         .running = T},
	{.name = "live says what a younger file hides",
         .unit = "--config=" CONFIG,
         .config = SET("true"),
         .argv = {"--config=" CONFIG},
         .drift = MTIME_LATER,
         .live = T,
         .disk = T,
         .running = T},
	{.name = "live false where a younger file hides it",
         .unit = "--config=" CONFIG,
         .config = SET("true"),
         .argv = {"--config=" CONFIG},
         .drift = MTIME_LATER,
         .live = F,
         .want = KR_VERDICT_FAIL,
         .disk = T,
         .running = F,
         .restart = true,
         .code = "live-disagrees"},
	{.name = "live true, false on disk",
         .unit = FLAG "=false",
         .argv = {FLAG},
         .live = T,
         .want = KR_VERDICT_FAIL,
         .disk = F,
         .running = T,
         .code = "live-disagrees"},
	{.name = "live unknown where a younger file hides it",
         .unit = "--config=" CONFIG,
         .config = SET("true"),
         .argv = {"--config=" CONFIG},
         .drift = MTIME_LATER,
         .live = U,
         .want = KR_VERDICT_UNKNOWN,
         .disk = T,
         .running = U},
	{.name = "live unknown, false on disk",
         .unit = FLAG "=false",
         .argv = {FLAG},
         .live = U,
         .want = KR_VERDICT_FAIL,
         .disk = F,
         .running = T},
	{.name = "live true does not make true explicit",
         .unit = "--v=2",
         .argv = {"--v=2"},
         .live = T,
         .explicit_wanted = true,
         .want = KR_VERDICT_FAIL,
         .disk = T,
         .running = T},
	{.name = "live true, invalid on disk",
         .unit = FLAG "=maybe",
         .live = T,
         .want = KR_VERDICT_INVALID,
         .disk = I,
         .running = A,
         .code = "flag-value"},
	{.name = "live true, no unit",
         .live = T,
         .want = KR_VERDICT_UNKNOWN,
         .disk = U,
         .running = A,
         .code = "live-disagrees"},
};

static void set_mtime(const char *path, uint64_t usec)
{
	const struct timespec times[2] = {
		{.tv_nsec = UTIME_OMIT},
		{.tv_sec = (time_t)(usec / KR_USEC_PER_SEC)},
	};

	ck_assert_int_eq(utimensat(kr_root_fd, path + 1, times, 0), 0);
}

/* Goes on when what is written then is later than a start at USEC, also by the
 * steps of this file system's clock. */
static void wait_until_later(uint64_t usec)
{
	struct timespec ctime;

	do {
		kr_pause_usec(10 * KR_USEC_PER_MSEC);
		kr_root_write("/now", "");
		ctime = kr_root_stat("/now").st_ctim;
	} while ((uint64_t)ctime.tv_sec * KR_USEC_PER_SEC +
	                 (uint64_t)ctime.tv_nsec / 1000 <=
	         usec + LATER_USEC);
}

/* Writes the files; the realtime at which the process was started: never
 * before now, since the machine may have been booted just now. */
static uint64_t make_files(const struct row *row)
{
	uint64_t now = kr_realtime_usec();
	char exec[256];

	if (row->unit) {
		snprintf(exec, sizeof(exec),
		         "/usr/bin/kubelet %s --kubeconfig=/k", row->unit);
		kr_test_unit(exec);
	}
	if (!row->config)
		return now;
	kr_root_write(CONFIG, row->config);
	kr_root_write("/etc/k.d/1.conf", row->config);
	now = kr_realtime_usec();
	switch (row->drift) {
	case NOT_CHANGED:
		return now + HOUR;
	case MTIME_LATER:
		set_mtime(CONFIG, now + 2 * HOUR);
		return now + HOUR;
	case BIRTH_LATER:
		wait_until_later(now);
		ck_assert_int_eq(unlinkat(kr_root_fd, &CONFIG[1], 0), 0);
		kr_root_write(CONFIG, row->config);
		set_mtime(CONFIG, KR_USEC_PER_SEC);
		return now;
	case FOLDER_LATER:
		set_mtime("/etc/k.d", now + 2 * HOUR);
		return now + HOUR;
	case MADE_LATER:
		kr_root_write(MADE, row->config);
		set_mtime(MADE, now + 2 * HOUR);
		return now + HOUR;
	case CTIME_LATER:
		wait_until_later(now);
		ck_assert_int_eq(fchmodat(kr_root_fd, &CONFIG[1], 0600, 0), 0);
		return now;
	}
	return now;
}

static void make_process(const struct row *row, uint64_t started)
{
	const char *argv[7] = {"/usr/bin/kubelet"};
	size_t n = 0;

	if (!row->argv[0])
		return;
	for (; n < 4 && row->argv[n]; n++)
		argv[n + 1] = row->argv[n];
	argv[n + 1] = "--kubeconfig=/k";
	kr_test_process(argv, started,
	                row->cgroup ? row->cgroup
	                            : "/system.slice/kubelet.service");
}

/* File systems without a time of birth tell less. */
static bool has_birth(struct kr_node *node)
{
	const struct kr_file *file;

	ck_assert_int_eq(kr_fs_read(node->fs, CONFIG, &file), 0);
	return file->btime.tv_sec != 0;
}

static void check_messages(const struct row *row, const struct kr_diag *diag)
{
	if (!row->code) {
		ck_assert_msg(diag->n_messages == 0, "%s:%s", row->name,
		              kr_test_messages(diag));
		return;
	}
	ck_assert_msg(*row->code == '*' ? diag->n_messages > 0
	                                : kr_diag_find(diag, row->code) != NULL,
	              "%s:%s", row->name, kr_test_messages(diag));
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	const struct kr_audit_options options = {
		.explicit_wanted = row->explicit_wanted,
		.live = row->live,
		.live_reason = row->live != A ? "configz says so" : NULL,
	};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;

	make_process(row, make_files(row));
	node = kr_test_node(NULL, &diag);
	node->process_settled = row->settled;
	ck_assert_int_eq(
		kr_audit_run(node, &kr_rules_usual, &options, &diag, &a), 0);
	if (row->drift == BIRTH_LATER && !has_birth(node)) {
		printf("# skipped: no time of birth on this file system\n");
		return;
	}
	ck_assert_msg(a->items[0].disk.state == row->disk, "%s: disk %s: %s",
	              row->name, kr_state_to_string(a->items[0].disk.state),
	              a->items[0].disk.reason);
	ck_assert_msg(a->items[0].running.state == row->running,
	              "%s: running %s: %s", row->name,
	              kr_state_to_string(a->items[0].running.state),
	              a->items[0].running.reason);
	ck_assert_msg(a->verdict == row->want, "%s: %s: %s", row->name,
	              kr_verdict_to_string(a->verdict), a->reason);
	ck_assert_msg(a->restart_needed == row->restart, "%s: restart",
	              row->name);
	ck_assert_msg(a->items[0].assumed == row->assumed, "%s: assumed",
	              row->name);
	ck_assert_msg(a->reason && *a->reason && a->items[0].disk.reason &&
	                      a->items[0].running.reason &&
	                      a->items[0].live.reason,
	              "%s: a reason is missing", row->name);
	check_messages(row, &diag);
}
END_TEST

/* --- what contradicts the live view --------------------------------------- */

static const struct {
	const char *name, *unit, *argv;
	enum kr_state live;
	const char *want[2]; /* the messages, in order */
	const char *reason;
} contradictions[] = {
	{"none, true", FLAG, FLAG, T, {NULL}, KEY " is true"},
	{"none, false",
         FLAG "=false",
         FLAG "=false",
         F,
         {NULL},
         "kubelet would start with " KEY " = false"},
	{"not known",
         FLAG,
         FLAG "=false",
         U,
         {NULL},
         "kubelet runs with " KEY " = false; the files say true, a restart "
         "is needed"},
	{"live false",
         FLAG,
         FLAG,
         F,
         {KEY
          ": configz says false, but kubelet[7] was started with true: it may "
          "be another node's (--node)",
          KEY
          ": configz says false, the files say true: so will kubelet once it "
          "is restarted"},
         "kubelet says through the API server that it runs with " KEY
         " = false; the files say true, a restart is needed"},
	{"live true",
         FLAG "=false",
         FLAG "=false",
         T,
         {KEY
          ": configz says true, but kubelet[7] was started with false: it may "
          "be another node's (--node)",
          KEY
          ": configz says true, the files say false: so will kubelet once it "
          "is restarted"},
         "kubelet would start with " KEY " = false"},
	{"running false, live true",
         FLAG,
         FLAG "=false",
         T,
         {KEY
          ": configz says true, but kubelet[7] was started with false: it may "
          "be another node's (--node)"},
         "kubelet runs with " KEY " = false; the files say true, a restart "
         "is needed"},
	{"disk false, live true",
         FLAG "=false",
         FLAG,
         T,
         {KEY
          ": configz says true, the files say false: so will kubelet once it "
          "is restarted"},
         "kubelet would start with " KEY " = false"},
	{"no kubelet here",
         FLAG,
         NULL,
         F,
         {KEY ": configz says false, but kubelet does not run here: it may be "
              "another node's (--node)",
          KEY
          ": configz says false, the files say true: so will kubelet once it "
          "is restarted"},
         "kubelet says through the API server that it runs with " KEY
         " = false; the files say true, a restart is needed"},
};

START_TEST(test_contradictions)
{
	const char *const *want = contradictions[_i].want;
	const struct row row = {.unit = contradictions[_i].unit,
	                        .argv = {contradictions[_i].argv}};
	const struct kr_audit_options options = {
		.live = contradictions[_i].live,
		.live_reason = "configz says so",
		.endpoint = "http://localhost:8001/configz",
	};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;
	size_t n = 0;

	make_process(&row, make_files(&row));
	node = kr_test_node(NULL, &diag);
	ck_assert_int_eq(
		kr_audit_run(node, &kr_rules_usual, &options, &diag, &a), 0);
	ck_assert_str_eq(a->endpoint, options.endpoint);
	ck_assert_msg(strcmp(a->reason, contradictions[_i].reason) == 0,
	              "%s: %s", contradictions[_i].name, a->reason);
	for (; n < 2 && want[n]; n++)
		ck_assert_msg(n < diag.n_messages &&
		                      strcmp(diag.messages[n].text, want[n]) ==
		                              0,
		              "%s: %zu:%s", contradictions[_i].name, n,
		              kr_test_messages(&diag));
	ck_assert_msg(n == diag.n_messages, "%s:%s", contradictions[_i].name,
	              kr_test_messages(&diag));
}
END_TEST

/* --- sources ------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *unit, *config;
	const char *want;    /* kind value, "!" wins, "-" not editable */
	const char *control; /* NULL: the usual one */
	const char *version; /* of kubelet */
} sources[] = {
	{"nothing", "--v=2", NULL, "default true!-"},
	{"a flag", FLAG "=false", NULL, "default true-, flag false!"},
	{"flags, the last wins", FLAG "=false " FLAG, NULL,
         "default true-, flag false, flag true!"},
	{"a key", "--config=" CONFIG, SET("false"),
         "default true-, config false!"},
	{"a null", "--config=" CONFIG, SET("null"),
         "default true!-, config null"},
	{"a key below a flag", FLAG "=0 --config=" CONFIG, SET("true"),
         "default true-, config true, flag false!"},
	{"a flag that is refused", FLAG "=x --config=" CONFIG, SET("true"),
         "default true-, config true, flag invalid!"},
	{"the first that is refused", FLAG "=x " FLAG "=y", NULL,
         "default true-, flag invalid!, flag invalid"},
	{"a key that is refused", "--config=" CONFIG, SET("\"x\""),
         "default true-, config invalid!"},
	{"drop-ins", "--config=" CONFIG " --config-dir=/etc/k.d", SET("false"),
         "default true-, config false, config-dir false!"},
	{"two words", FLAG " false", NULL, "default true-, flag invalid!"},
	/* a default that depends on kubelet's version */
	{"by version", "--v=2", NULL, "default unknown!-", QPS},
	{"the older", "--v=2", NULL, "default 5!-", QPS, "1.26"},
	{"the newer", "--v=2", NULL, "default 50!-", QPS, "1.27"},
	{"beside a value", "--event-qps=7", NULL, "default unknown-, flag 7!",
         QPS},
	{"beside a null", "--config=" CONFIG, GVK ",\"eventRecordQPS\":null}",
         "default unknown!-, config null", QPS},
	{"beside a fault", FLAG "=x", NULL, "default unknown-", QPS},
	{"no unit, by version", NULL, NULL, "default unknown-", QPS},
	/* on how kubelet is started */
	{"no unit, by start", NULL, NULL, "default unknown-", PORT},
	{"no unit", NULL, NULL, "default true-"},
	{"flags alone", "--v=2", NULL, "default 10255!-", PORT},
	{"with --config", "--config=" CONFIG, EMPTY, "default 0!-", PORT},
	{"with --config-dir alone", "--config-dir=/etc/k.d", EMPTY,
         "default 10255!-", PORT},
	{"with --config-dir alone, a value",
         "--config-dir=/etc/k.d --read-only-port=1", EMPTY,
         "default 10255-, flag 1!", PORT},
	{"with both", "--config=" CONFIG " --config-dir=/etc/k.d", EMPTY,
         "default 0!-", PORT},
	{"with a --config that is not there", "--config=/x", NULL, "default 0-",
         PORT},
};

/* S's state, or its value. */
static void add_state(const struct kr_source *s, char *got, size_t size)
{
	_cleanup_free_ char *value = NULL;

	if (s->state == KR_STATE_VALUE)
		ck_assert_int_eq(kr_value_format(&s->value, &value), 0);
	snprintf(got + strlen(got), size - strlen(got), "%s%s %s%s%s",
	         *got ? ", " : "", kr_source_kind_to_string(s->kind),
	         value ? value : kr_state_to_string(s->state),
	         s->wins ? "!" : "", s->editable ? "" : "-");
}

START_TEST(test_sources)
{
	const struct row row = {.unit = sources[_i].unit,
	                        .config = sources[_i].config};
	const struct kr_node_options node_options = {
		.root = kr_root_path, .kubelet_version = sources[_i].version};
	const char *control = sources[_i].control ? sources[_i].control : KEY;
	const struct kr_rule *rule = kr_rule_find(control, strlen(control));
	const struct kr_rules rules = {&rule, 1, NULL};
	const struct kr_audit_options options = {.live = A};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;
	char got[256] = "";
	int wins = -1;

	make_files(&row);
	ck_assert_int_eq(kr_node_open(&node_options, &diag, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &node_options, NULL, &diag), 0);
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	for (size_t i = 0; i < a->items[0].sources.n; i++) {
		const struct kr_source *s = &a->items[0].sources.items[i];

		add_state(s, got, sizeof(got));
		if (s->wins)
			wins = (int)i;
	}
	ck_assert_msg(strcmp(got, sources[_i].want) == 0, "%s: %s",
	              sources[_i].name, got);
	ck_assert_msg(a->items[0].disk.source == wins, "%s: the view names %d",
	              sources[_i].name, a->items[0].disk.source);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rows", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_contradictions, 0,
	                    ARRAY_SIZE(contradictions));
	tcase_add_loop_test(tc, test_sources, 0, ARRAY_SIZE(sources));
}

KR_TEST_MAIN(add_tests);
