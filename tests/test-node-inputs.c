/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/inputs: which files kubelet reads for an argv, and what decides.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/inputs.h"
#include "testing.h"

#define GVK                                                                    \
	"\"kind\":\"KubeletConfiguration\","                                   \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""
#define EMPTY  "{" GVK "}"
#define SET(v) "{" GVK ",\"makeIPTablesUtilChains\":" v "}"
#define INTERNAL                                                               \
	"{\"kind\":\"KubeletConfiguration\","                                  \
	"\"apiVersion\":\"kubelet.config.k8s.io/__internal\"}"

struct entry {
	const char *path;
	const char *text;   /* of a file; NULL: a folder */
	const char *target; /* a link instead */
};

struct row {
	const char *name;
	const char *argv[6]; /* behind "kubelet" */
	struct entry entries[8];
	const char *working_directory;
	const char *config; /* of the options */
	enum kr_state want;
	enum kr_decider by;
	const char *config_path; /* NULL: none */
	const char *files;       /* all that were read, a blank between */
	const char *code;        /* a message of this code, NULL: none at all */
};

static const struct row rows[] = {
	{.name = "nothing",
         .want = KR_STATE_TRUE,
         .by = KR_BY_DEFAULT,
         .files = ""},
	{.name = "the flag",
         .argv = {"--make-iptables-util-chains=false"},
         .want = KR_STATE_FALSE,
         .by = KR_BY_FLAG,
         .files = ""},
	{.name = "the flag beats the file",
         .argv = {"--config=/k", "--make-iptables-util-chains"},
         .entries = {{"/k", SET("false")}},
         .want = KR_STATE_TRUE,
         .by = KR_BY_FLAG,
         .config_path = "/k",
         .files = "/k"},
	{.name = "the file",
         .argv = {"--config", "/k"},
         .entries = {{"/k", SET("false")}},
         .want = KR_STATE_FALSE,
         .by = KR_BY_CONFIG,
         .config_path = "/k",
         .files = "/k"},
	{.name = "the file says nothing",
         .argv = {"--config=/k"},
         .entries = {{"/k", EMPTY}},
         .want = KR_STATE_TRUE,
         .by = KR_BY_DEFAULT,
         .config_path = "/k",
         .files = "/k"},
	{.name = "the internal version has no defaults",
         .argv = {"--config=/k"},
         .entries = {{"/k", INTERNAL}},
         .want = KR_STATE_FALSE,
         .by = KR_BY_CONFIG,
         .config_path = "/k",
         .files = "/k"},
	{.name = "an empty --config is none",
         .argv = {"--config="},
         .want = KR_STATE_TRUE,
         .by = KR_BY_DEFAULT,
         .files = ""},
	{.name = "the last --config counts",
         .argv = {"--config=/a", "--config=/b"},
         .entries = {{"/a", SET("false")}, {"/b", SET("true")}},
         .want = KR_STATE_TRUE,
         .by = KR_BY_CONFIG,
         .config_path = "/b",
         .files = "/b"},
	{.name = "a relative path, below /",
         .argv = {"--config=etc/k"},
         .entries = {{"/etc/k", SET("false")}},
         .want = KR_STATE_FALSE,
         .by = KR_BY_CONFIG,
         .config_path = "/etc/k",
         .files = "/etc/k"},
	{.name = "a relative path, below the working directory",
         .argv = {"--config=../k"},
         .entries = {{"/srv/k", SET("false")}, {"/srv/w", NULL}},
         .working_directory = "/srv/w",
         .want = KR_STATE_FALSE,
         .by = KR_BY_CONFIG,
         .config_path = "/srv/k",
         .files = "/srv/k"},
	{.name = "x/.. goes even where there is no x",
         .argv = {"--config=/x/..//./k"},
         .entries = {{"/k", SET("false")}},
         .want = KR_STATE_FALSE,
         .by = KR_BY_CONFIG,
         .config_path = "/k",
         .files = "/k"},
	{.name = "x/.. goes by its words also where x is a link",
         .argv = {"--config=/x/../k"},
         .entries = {{"/k", SET("false")},
                     {"/srv/deep/k", SET("true")},
                     {"/srv/deep/d", NULL},
                     {"/x", NULL, "/srv/deep/d"}},
         .want = KR_STATE_FALSE,
         .by = KR_BY_CONFIG,
         .config_path = "/k",
         .files = "/k"},
	{.name = "a link is followed",
         .argv = {"--config=/k"},
         .entries = {{"/srv/k", SET("false")}, {"/k", NULL, "srv/k"}},
         .want = KR_STATE_FALSE,
         .by = KR_BY_CONFIG,
         .config_path = "/k",
         .files = "/k"},
	{.name = "the override stands for --config",
         .argv = {"--config=/a"},
         .entries = {{"/a", SET("true")}, {"/b", SET("false")}},
         .config = "/b",
         .want = KR_STATE_FALSE,
         .by = KR_BY_CONFIG,
         .config_path = "/b",
         .files = "/b"},
	{.name = "the override where there is no --config",
         .entries = {{"/b", SET("false")}},
         .config = "/b",
         .want = KR_STATE_FALSE,
         .by = KR_BY_CONFIG,
         .config_path = "/b",
         .files = "/b"},
	{.name = "the override is missing",
         .argv = {"--config=/a"},
         .entries = {{"/a", SET("true")}},
         .config = "/b",
         .want = KR_STATE_INVALID,
         .config_path = "/b",
         .files = "",
         .code = "file-unreadable"},
	{.name = "missing",
         .argv = {"--config=/k"},
         .want = KR_STATE_INVALID,
         .config_path = "/k",
         .files = "",
         .code = "file-unreadable"},
	{.name = "missing stops kubelet whatever the flag says",
         .argv = {"--make-iptables-util-chains=true", "--config=/k"},
         .want = KR_STATE_INVALID,
         .config_path = "/k",
         .files = "",
         .code = "file-unreadable"},
	{.name = "a folder",
         .argv = {"--config=/k"},
         .entries = {{"/k", NULL}},
         .want = KR_STATE_INVALID,
         .config_path = "/k",
         .files = "",
         .code = "file-unreadable"},
	{.name = "a file on the way",
         .argv = {"--config=/k/x"},
         .entries = {{"/k", EMPTY}},
         .want = KR_STATE_INVALID,
         .config_path = "/k/x",
         .files = "",
         .code = "file-unreadable"},
	{.name = "a link to itself",
         .argv = {"--config=/k"},
         .entries = {{"/k", NULL, "k"}},
         .want = KR_STATE_INVALID,
         .config_path = "/k",
         .files = "",
         .code = "file-unreadable"},
	{.name = "a link out of the root stays inside",
         .argv = {"--config=/k"},
         .entries = {{"/k", NULL, "../../../../../../etc/passwd"}},
         .want = KR_STATE_INVALID,
         .config_path = "/k",
         .files = "",
         .code = "file-unreadable"},
	{.name = "no JSON",
         .argv = {"--config=/k"},
         .entries = {{"/k", "{"}},
         .want = KR_STATE_INVALID,
         .config_path = "/k",
         .files = "/k",
         .code = "*"},
	{.name = "a flag that kubelet does not take",
         .argv = {"--make-iptables-util-chains=maybe"},
         .want = KR_STATE_INVALID,
         .files = ""},
	{.name = "--help",
         .argv = {"--help", "--make-iptables-util-chains=false"},
         .want = KR_STATE_INVALID,
         .files = ""},
	{.name = "--version",
         .argv = {"--version"},
         .want = KR_STATE_INVALID,
         .files = ""},
	{.name = "--dynamic-config-dir",
         .argv = {"--dynamic-config-dir=/var/lib/kubelet/dynamic",
                  "--config=/k"},
         .entries = {{"/k", SET("true")}},
         .want = KR_STATE_UNKNOWN,
         .config_path = "/k",
         .files = "/k"},
	{.name = "--dynamic-config-dir, but the flag",
         .argv = {"--dynamic-config-dir=/d",
                  "--make-iptables-util-chains=false"},
         .want = KR_STATE_FALSE,
         .by = KR_BY_FLAG,
         .files = ""},
	/* --config-dir */
	{.name = "drop-ins in byte order, folders in their place",
         .argv = {"--config-dir=/d"},
         .entries = {{"/d/a-b.conf", SET("false")},
                     {"/d/a/1.conf", SET("true")},
                     {"/d/B.conf", EMPTY},
                     {"/d/a/9/deep.conf", SET("true")},
                     {"/d/x.yaml", "{"},
                     {"/d/.conf", EMPTY}},
         .want = KR_STATE_FALSE,
         .by = KR_BY_DROPIN,
         .files = "/d/.conf /d/B.conf /d/a/1.conf /d/a/9/deep.conf "
                  "/d/a-b.conf"},
	{.name = "a drop-in beats the file",
         .argv = {"--config=/k", "--config-dir=/d"},
         .entries = {{"/k", SET("false")}, {"/d/1.conf", SET("true")}},
         .want = KR_STATE_TRUE,
         .by = KR_BY_DROPIN,
         .config_path = "/k",
         .files = "/k /d/1.conf"},
	{.name = "a drop-in without the key leaves it",
         .argv = {"--config=/k", "--config-dir=/d"},
         .entries = {{"/k", SET("false")}, {"/d/1.conf", EMPTY}},
         .want = KR_STATE_FALSE,
         .by = KR_BY_CONFIG,
         .config_path = "/k",
         .files = "/k /d/1.conf"},
	{.name = "a folder named like a drop-in is walked",
         .argv = {"--config-dir=/d"},
         .entries = {{"/d/x.conf/1.conf", SET("false")}},
         .want = KR_STATE_FALSE,
         .by = KR_BY_DROPIN,
         .files = "/d/x.conf/1.conf"},
	{.name = "a link to a file is read",
         .argv = {"--config-dir=/d"},
         .entries = {{"/srv/k", SET("false")}, {"/d/1.conf", NULL, "/srv/k"}},
         .want = KR_STATE_FALSE,
         .by = KR_BY_DROPIN,
         .files = "/d/1.conf"},
	{.name = "a link of another name is not looked at",
         .argv = {"--config-dir=/d"},
         .entries = {{"/d/1.json", NULL, "/nowhere"}},
         .want = KR_STATE_TRUE,
         .by = KR_BY_DEFAULT,
         .files = ""},
	{.name = "a link to a folder, of another name",
         .argv = {"--config-dir=/d"},
         .entries = {{"/srv/1.conf", SET("false")}, {"/d/sub", NULL, "/srv"}},
         .want = KR_STATE_TRUE,
         .by = KR_BY_DEFAULT,
         .files = ""},
	{.name = "a link to a folder, of a drop-in's name",
         .argv = {"--config-dir=/d"},
         .entries = {{"/srv/1.conf", SET("false")},
                     {"/d/sub.conf", NULL, "/srv"}},
         .want = KR_STATE_INVALID,
         .files = "",
         .code = "file-unreadable"},
	{.name = "a dangling link of a drop-in's name",
         .argv = {"--config-dir=/d"},
         .entries = {{"/d/1.conf", NULL, "/nowhere"}},
         .want = KR_STATE_INVALID,
         .files = "",
         .code = "file-unreadable"},
	{.name = "--config-dir is missing",
         .argv = {"--config-dir=/d"},
         .want = KR_STATE_INVALID,
         .files = "",
         .code = "file-unreadable"},
	{.name = "an empty --config-dir is none",
         .argv = {"--config-dir="},
         .want = KR_STATE_TRUE,
         .by = KR_BY_DEFAULT,
         .files = ""},
	{.name = "--config-dir is a link",
         .argv = {"--config-dir=/l"},
         .entries = {{"/d/1.conf", SET("false")}, {"/l", NULL, "/d"}},
         .want = KR_STATE_TRUE,
         .by = KR_BY_DEFAULT,
         .files = "",
         .code = "config-dir-ignored"},
	{.name = "--config-dir is a link, with a slash behind it",
         .argv = {"--config-dir=/l/"},
         .entries = {{"/d/1.conf", SET("false")}, {"/l", NULL, "/d"}},
         .want = KR_STATE_FALSE,
         .by = KR_BY_DROPIN,
         .files = "/l/1.conf"},
	{.name = "--config-dir is a drop-in",
         .argv = {"--config-dir=/d.conf"},
         .entries = {{"/d.conf", SET("false")}},
         .want = KR_STATE_FALSE,
         .by = KR_BY_DROPIN,
         .files = "/d.conf"},
	{.name = "--config-dir is another file",
         .argv = {"--config-dir=/d.json"},
         .entries = {{"/d.json", SET("false")}},
         .want = KR_STATE_TRUE,
         .by = KR_BY_DEFAULT,
         .files = "",
         .code = "config-dir-ignored"},
	{.name = "--config-dir is a link to a folder, a .conf by its name",
         .argv = {"--config-dir=/l.conf"},
         .entries = {{"/d/1.conf", SET("false")}, {"/l.conf", NULL, "/d"}},
         .want = KR_STATE_INVALID,
         .files = "",
         .code = "file-unreadable"},
	{.name = "a relative --config-dir",
         .argv = {"--config-dir=d"},
         .entries = {{"/w/d/1.conf", SET("false")}},
         .working_directory = "/w",
         .want = KR_STATE_FALSE,
         .by = KR_BY_DROPIN,
         .files = "/w/d/1.conf"},
	{.name = "a broken drop-in stops kubelet",
         .argv = {"--config-dir=/d"},
         .entries = {{"/d/1.conf", "{"}},
         .want = KR_STATE_INVALID,
         .files = "/d/1.conf",
         .code = "*"},
};

static void make_entries(const struct row *row)
{
	for (size_t i = 0; i < 8 && row->entries[i].path; i++) {
		const struct entry *e = &row->entries[i];

		if (e->target)
			kr_root_symlink(e->target, e->path);
		else if (e->text)
			kr_root_write(e->path, e->text);
		else
			kr_root_mkdir(e->path);
	}
}

static int read_row(const struct row *row, struct kr_fs *fs,
                    struct kr_diag *diag, struct kr_inputs *ret,
                    struct kr_decision *d)
{
	const struct kr_inputs_options options = {
		.working_directory = row->working_directory,
		.config = row->config,
	};
	const char *argv[9] = {"kubelet"};
	size_t argc = 1;
	int r;

	for (size_t i = 0; i < 6 && row->argv[i]; i++)
		argv[argc++] = row->argv[i];
	argv[argc++] = "--kubeconfig=/k";
	r = kr_inputs_read(fs, argv, argc, &options, diag, ret);
	return r < 0 ? r : kr_decide(ret, KR_FIELD_IPTABLES, d);
}

static void check_files(const struct row *row, const struct kr_inputs *in)
{
	char got[512] = "";

	for (size_t i = 0; i < in->n_files; i++) {
		strcat(got, i > 0 ? " " : "");
		strcat(got, in->files[i]->path);
	}
	ck_assert_msg(strcmp(got, row->files) == 0, "%s: files '%s'", row->name,
	              got);
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_inputs_ struct kr_inputs in = {0};
	_cleanup_decision_ struct kr_decision d = {0};
	_cleanup_fs_ struct kr_fs *fs = NULL;

	make_entries(row);
	fs = kr_root_fs();
	ck_assert_msg(read_row(row, fs, &diag, &in, &d) == 0, "%s", row->name);
	ck_assert_msg(d.state == row->want && d.by == row->by,
	              "%s: %s by %d, %s%s", row->name,
	              kr_state_to_string(d.state), (int)d.by, d.reason,
	              kr_test_messages(&diag));
	ck_assert_msg(d.reason && *d.reason, "%s: no reason", row->name);
	ck_assert_msg(!in.config_path == !row->config_path &&
	                      (!in.config_path ||
	                       strcmp(in.config_path, row->config_path) == 0),
	              "%s: config '%s'", row->name, in.config_path);
	check_files(row, &in);
	if (!row->code)
		ck_assert_msg(diag.n_messages == 0, "%s:%s", row->name,
		              kr_test_messages(&diag));
	else if (*row->code == '*')
		ck_assert_msg(kr_diag_first(&diag, KR_ERROR), "%s", row->name);
	else
		ck_assert_msg(kr_diag_find(&diag, row->code), "%s:%s",
		              row->name, kr_test_messages(&diag));
}
END_TEST

/* What stops only us is no verdict about kubelet. */
static void check_unknown(const char *path)
{
	struct row row = {.name = path, .argv = {"--config=/k"}};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_inputs_ struct kr_inputs in = {0};
	_cleanup_decision_ struct kr_decision d = {0};
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();

	ck_assert_int_eq(read_row(&row, fs, &diag, &in, &d), 0);
	ck_assert_msg(d.state == KR_STATE_UNKNOWN && in.n_files == 0, "%s: %s",
	              kr_state_to_string(d.state), d.reason);
	ck_assert_ptr_nonnull(kr_diag_find(&diag, "file-unreadable"));
}

START_TEST(test_fifo)
{
	ck_assert_int_eq(mkfifoat(kr_root_fd, "k", 0644), 0);
	check_unknown("fifo");
}
END_TEST

START_TEST(test_too_large)
{
	int fd;

	kr_root_write("/k", "");
	fd = openat(kr_root_fd, "k", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, (off_t)KR_FILE_SIZE_MAX + 1), 0);
	close(fd);
	check_unknown("too large");
}
END_TEST

/* Whatever of it is too much: the reason names the file. */
static const struct {
	const char *name, *begin, *item, *end;
} many[] = {
	{"fields", "{" GVK, ",\"maxPods\":1", "}"},
	{"gates", "{" GVK ",\"featureGates\":{\"A\":true", ",\"A\":true", "}}"},
	{"maps", "{" GVK, ",\"featureGates\":{\"A\":true}", "}"},
	{"YAML", "a: b\ntlsCipherSuites:\n", "- A\n", ""},
};

START_TEST(test_too_many)
{
	static const char begin[] =
		"/k: the configuration is too large to be read: ";
	struct row row = {.name = many[_i].name, .argv = {"--config=/k"}};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_inputs_ struct kr_inputs in = {0};
	_cleanup_decision_ struct kr_decision d = {0};
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(many[_i].begin, out);
	for (int i = 0; i < 125000; i++)
		fputs(many[_i].item, out);
	fputs(many[_i].end, out);
	ck_assert_int_eq(fclose(out), 0);
	kr_root_write("/k", text);
	fs = kr_root_fs();
	ck_assert_int_eq(read_row(&row, fs, &diag, &in, &d), 0);
	ck_assert_int_eq(d.state, KR_STATE_UNKNOWN);
	ck_assert_msg(strncmp(d.reason, begin, strlen(begin)) == 0, "%s: %s",
	              row.name, d.reason);
	ck_assert_ptr_nonnull(kr_diag_find(&diag, "config-too-large"));
}
END_TEST

START_TEST(test_unreadable)
{
	kr_root_write("/k", EMPTY);
	ck_assert_int_eq(fchmodat(kr_root_fd, "k", 0, 0), 0);
	/* root reads everything; another user stands in for us */
	if (geteuid() == 0) {
		ck_assert_int_eq(chmod(kr_root_path, 0755), 0);
		ck_assert_int_eq(seteuid(65534), 0);
	}
	check_unknown("unreadable");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

/* Folders are remembered: an entry that comes later changes their mtime. */
START_TEST(test_folders)
{
	struct row row = {.name = "", .argv = {"--config-dir=/d"}};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_inputs_ struct kr_inputs in = {0};
	_cleanup_decision_ struct kr_decision d = {0};
	_cleanup_fs_ struct kr_fs *fs = NULL;

	kr_root_mkdir("/d");
	kr_root_mkdir("/d/b");
	kr_root_mkdir("/d/a");
	fs = kr_root_fs();
	ck_assert_int_eq(read_row(&row, fs, &diag, &in, &d), 0);
	ck_assert_uint_eq(in.folders.n_items, 3);
	ck_assert_str_eq(in.folders.items[0], "/d");
	ck_assert_str_eq(in.folders.items[1], "/d/a");
	ck_assert_str_eq(in.folders.items[2], "/d/b");
}
END_TEST

/* A tree deeper than any that is meant ends the walk. */
START_TEST(test_deep)
{
	struct row row = {.name = "", .argv = {"--config-dir=/d"}};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_inputs_ struct kr_inputs in = {0};
	_cleanup_decision_ struct kr_decision d = {0};
	_cleanup_fs_ struct kr_fs *fs = NULL;
	char path[512] = "/d";

	for (int i = 0; i < 80; i++)
		strcat(path, "/d");
	strcat(path, "/x.conf");
	kr_root_write(path, EMPTY);
	fs = kr_root_fs();
	ck_assert_int_eq(read_row(&row, fs, &diag, &in, &d), 0);
	ck_assert_uint_eq(in.n_files, 0);
	/* kubelet has no such limit, so that it is not invalid */
	ck_assert_int_eq(d.state, KR_STATE_UNKNOWN);
	ck_assert_ptr_nonnull(kr_diag_find(&diag, "config-too-large"));
}
END_TEST

static const struct {
	const char *name;
	const char *arg, *config;
	bool want;
} blame[] = {
	{"the key's value", NULL, SET("\"yes\""), true},
	{"the flag's value", "--make-iptables-util-chains=1x", EMPTY, true},
	{"another flag's value", "--max-pods=x", EMPTY, false},
	{"another key's value", NULL, "{" GVK ",\"maxPods\":\"x\"}", false},
	{"no JSON at all", NULL, "{", false},
	{"nothing", NULL, EMPTY, false},
};

START_TEST(test_by_setting)
{
	struct row row = {.name = "", .argv = {"--config=/k", blame[_i].arg}};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_inputs_ struct kr_inputs in = {0};
	_cleanup_decision_ struct kr_decision d = {0};
	_cleanup_fs_ struct kr_fs *fs = NULL;

	kr_root_write("/k", blame[_i].config);
	fs = kr_root_fs();
	ck_assert_int_eq(read_row(&row, fs, &diag, &in, &d), 0);
	ck_assert_msg(d.by_setting == blame[_i].want, "%s: %s%s",
	              blame[_i].name, d.reason, kr_test_messages(&diag));
}
END_TEST

/* --- arguments that are not known ---------------------------------------- */

static const struct {
	const char *name;
	const char *argv[5]; /* one that begins with "?" is not known */
	enum kr_state want;
	const char *code; /* of a remark that is left */
	bool fatal;
} doubted[] = {
	{"a word", {"?$A"}, KR_STATE_UNKNOWN},
	{"no word", {"?"}, KR_STATE_UNKNOWN},
	{"the value of a number", {"?--max-pods="}, KR_STATE_UNKNOWN},
	{"... that is one as it is", {"?--max-pods=1"}, KR_STATE_TRUE},
	{"... in the next word", {"--max-pods", "?$A"}, KR_STATE_UNKNOWN},
	{"a name", {"?--node-ip="}, KR_STATE_TRUE},
	{"our flag's value",
         {"?--make-iptables-util-chains="},
         KR_STATE_UNKNOWN},
	{"a file", {"?--config=/k"}, KR_STATE_UNKNOWN},
	{"a file in the next word", {"--config", "?/k"}, KR_STATE_UNKNOWN},
	{"behind it a word", {"?$A", "x"}, KR_STATE_UNKNOWN, "flag-positional"},
	{"behind it a value",
         {"?$A", "--max-pods=x"},
         KR_STATE_UNKNOWN,
         "flag-value"},
	{"before it a word",
         {"x", "?$A"},
         KR_STATE_UNKNOWN,
         "flag-positional",
         true},
	{"behind a flag that is whole",
         {"?--node-ip=", "x"},
         KR_STATE_INVALID,
         "flag-positional",
         true},
	{"a swallowed word",
         {"--node-ip", "?--v=1"},
         KR_STATE_TRUE,
         "flag-swallows"},
};

START_TEST(test_doubted)
{
	const char *argv[6] = {"kubelet"}, *doubts[6] = {NULL};
	const struct kr_inputs_options options = {.doubts = doubts};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_inputs_ struct kr_inputs in = {0};
	_cleanup_decision_ struct kr_decision d = {0};
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	size_t argc = 1;

	for (; doubted[_i].argv[argc - 1]; argc++) {
		bool known = *doubted[_i].argv[argc - 1] != '?';

		argv[argc] = doubted[_i].argv[argc - 1] + !known;
		doubts[argc] = known ? NULL : "why";
	}
	ck_assert_int_eq(kr_inputs_read(fs, argv, argc, &options, &diag, &in),
	                 0);
	ck_assert_int_eq(kr_decide(&in, KR_FIELD_IPTABLES, &d), 0);
	ck_assert_msg(d.state == doubted[_i].want, "%s: %s, %s",
	              doubted[_i].name, kr_state_to_string(d.state), d.reason);
	ck_assert_msg(d.state != KR_STATE_UNKNOWN ||
	                      strcmp(d.reason, "why") == 0,
	              "%s: %s", doubted[_i].name, d.reason);
	ck_assert_msg(in.flags.n_remarks == (doubted[_i].code ? 1 : 0),
	              "%s: %zu remarks, the last: %s", doubted[_i].name,
	              in.flags.n_remarks,
	              in.flags.n_remarks > 0
	                      ? in.flags.remarks[in.flags.n_remarks - 1].text
	                      : "-");
	if (doubted[_i].code) {
		ck_assert_str_eq(in.flags.remarks[0].code, doubted[_i].code);
		ck_assert_msg((in.flags.remarks[0].severity == KR_ERROR) ==
		                      doubted[_i].fatal,
		              "%s: fatal", doubted[_i].name);
	}
	ck_assert_msg(diag.n_messages == 0, "%s:%s", doubted[_i].name,
	              kr_test_messages(&diag));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rows", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_by_setting, 0, ARRAY_SIZE(blame));
	tcase_add_loop_test(tc, test_doubted, 0, ARRAY_SIZE(doubted));
	tcase_add_test(tc, test_fifo);
	tcase_add_test(tc, test_too_large);
	tcase_add_loop_test(tc, test_too_many, 0, ARRAY_SIZE(many));
	tcase_add_test(tc, test_unreadable);
	tcase_add_test(tc, test_folders);
	tcase_add_test(tc, test_deep);
}

KR_TEST_MAIN(add_tests);
