/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/nodeadm: whether nodeadm reads the folder, and what the NodeConfigs in
 * it say of the setting.
 */

#include <errno.h>
#include <string.h>

#include "kubelet/field.h"
#include "node/nodeadm.h"
#include "node/platform-table.h"
#include "testing.h"

#define RUN    "/etc/systemd/system/nodeadm-run.service"
#define FOLDER "/etc/eks/nodeadm.d/"
#define OURS   FOLDER "90-kubelet-remedy.yaml"
#define EXEC   "[Service]\nExecStart=/usr/bin/nodeadm init --skip config "
#define USER   "--config-source imds://user-data "
#define READS  EXEC USER "--config-source file:///etc/eks/nodeadm.d/\n"
#define HEAD                                                                   \
	"apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n"         \
	"  kubelet:\n"
#define KEY(v) HEAD "    config:\n      makeIPTablesUtilChains: " v "\n"
#define FLAGS  HEAD "    flags:\n"
#define FLAG   "--make-iptables-util-chains"

static const struct {
	const char *name;
	struct {
		const char *path, *text;
	} files[4];
	bool not_read;
	/* what earlier files, and ours, say: "K" and "F" as required, "k" and
	 * "f" otherwise */
	const char *earlier, *ours;
	const char *messages; /* "code file:line:column" each */
} rows[] = {
	/* the sign */
	{.name = "no service", .not_read = true},
	{.name = "the service of an older image",
         .files = {{RUN, EXEC "\n"}},
         .not_read = true},
	{.name = "user data only",
         .files = {{RUN, EXEC USER "\n"}},
         .not_read = true},
	{.name = "the folder is there, the service does not name it",
         .files = {{RUN, EXEC USER "\n"}, {FOLDER "a.yaml", KEY("false")}},
         .not_read = true},
	{.name = "it does", .files = {{RUN, READS}}},
	{.name = "without a slash",
         .files = {{RUN, EXEC "--config-source file:///etc/eks/nodeadm.d\n"}}},
	{.name = "as one word",
         .files = {{RUN, EXEC "--config-source=file:///etc/eks/nodeadm.d/\n"}}},
	{.name = "in a list",
         .files = {{RUN, EXEC "--config-source "
                              "file:///etc/eks/nodeadm.d,imds://user-data\n"}}},
	{.name = "another folder that starts so",
         .files = {{RUN, EXEC "--config-source file:///etc/eks/nodeadm.d2\n"}},
         .not_read = true},
	{.name = "a comment",
         .files = {{RUN,
                    EXEC "\n#--config-source file:///etc/eks/nodeadm.d\n"}},
         .not_read = true},
	{.name = "by a drop-in",
         .files = {{RUN, EXEC "\n"},
                   {RUN ".d/1.conf", "[Service]\nExecStart=\n" READS}}},
	{.name = "no more by a drop-in",
         .files = {{RUN, READS},
                   {RUN ".d/1.conf", "[Service]\nExecStart=\n" EXEC "\n"}},
         .not_read = true},
	/* one file */
	{.name = "true before ours",
         .files = {{RUN, READS}, {FOLDER "50-a.yaml", KEY("true")}},
         .earlier = "K"},
	{.name = "false before ours",
         .files = {{RUN, READS}, {FOLDER "50-a.yaml", KEY("false")}},
         .earlier = "k"},
	{.name = "the later of two",
         .files = {{RUN, READS},
                   {FOLDER "10.yaml", KEY("false")},
                   {FOLDER "20.yaml", KEY("true")}},
         .earlier = "K"},
	{.name = "one that does not say anything stands behind",
         .files = {{RUN, READS},
                   {FOLDER "10.yaml", KEY("false")},
                   {FOLDER "20.yaml", HEAD "    maxPods: 3\n"}},
         .earlier = "k"},
	{.name = "JSON",
         .files = {{RUN, READS},
                   {FOLDER "a.JSON", "{\"spec\":{\"kubelet\":{\"config\":"
                                     "{\"makeIPTablesUtilChains\":false}}}}"}},
         .messages = "nodeadm-later " FOLDER "a.JSON:1:56 "},
	{.name = "a string is not true",
         .files = {{RUN, READS}, {FOLDER "50-a.yaml", KEY("\"true\"")}},
         .earlier = "k"},
	{.name = "the key elsewhere",
         .files = {{RUN, READS},
                   {FOLDER "50-a.yaml",
                    "spec:\n  kubelet:\n    makeIPTablesUtilChains: false\n"}}},
	{.name = "another case of the key",
         .files = {{RUN, READS},
                   {FOLDER "50-a.yaml", HEAD
                    "    config:\n      makeIptablesUtilChains: false\n"}}},
	{.name = "a flag",
         .files = {{RUN, READS},
                   {FOLDER "1.yml", FLAGS "      - " FLAG "=false\n"}},
         .earlier = "f"},
	{.name = "the last flag",
         .files = {{RUN, READS},
                   {FOLDER "1.yml",
                    FLAGS "      - " FLAG "=false\n      - " FLAG "=true\n"}},
         .earlier = "F"},
	{.name = "two flags in one entry",
         .files = {{RUN, READS},
                   {FOLDER "1.yml", FLAGS "      - --v=2 " FLAG
                                          " --make_iptables_util_chains=0\n"}},
         .earlier = "f"},
	{.name = "one flag in two entries, which stops kubelet",
         .files = {{RUN, READS},
                   {FOLDER "1.yml",
                    FLAGS "      - " FLAG "\n      - \"false\"\n"}},
         .earlier = "f"},
	{.name = "the value of another flag",
         .files = {{RUN, READS},
                   {FOLDER "1.yml",
                    FLAGS "      - --node-labels\n      - " FLAG "=false\n"}}},
	{.name = "flags that are no list",
         .files = {{RUN, READS},
                   {FOLDER "1.yml", HEAD "    flags: " FLAG "\n"}}},
	{.name = "an empty list and an empty entry",
         .files = {{RUN, READS},
                   {FOLDER "1.yml", HEAD "    flags: []\n"},
                   {FOLDER "2.yml", FLAGS "      - \"\"\n      - \" \"\n"}}},
	{.name = "key and flag",
         .files = {{RUN, READS},
                   {FOLDER "1.yml",
                    KEY("true") "    flags: [\"" FLAG "=false\"]\n"}},
         .earlier = "Kf"},
	/* which files */
	{.name = "other names",
         .files = {{RUN, READS},
                   {FOLDER "1.conf", KEY("false")},
                   {FOLDER "2.yaml.bak", KEY("false")},
                   {FOLDER "3.yaml/x.yaml", KEY("false")}}},
	{.name = "a name that is only the end",
         .files = {{RUN, READS}, {FOLDER ".yaml", KEY("false")}},
         .earlier = "k"},
	{.name = "a later file",
         .files = {{RUN, READS}, {FOLDER "nodeconfig.yaml", KEY("false")}},
         .messages = "nodeadm-later " FOLDER "nodeconfig.yaml:6:31 "},
	{.name = "a later file that says the same",
         .files = {{RUN, READS}, {FOLDER "nodeconfig.yaml", KEY("true")}}},
	{.name = "a later flag",
         .files = {{RUN, READS},
                   {FOLDER "95.yaml",
                    FLAGS "      - --v=2\n      - " FLAG "=false\n"}},
         .messages = "nodeadm-later " FOLDER "95.yaml:7:9 "},
	{.name = "no YAML, and nothing of ours",
         .files = {{RUN, READS}, {FOLDER "1.yaml", "a: [\n"}}},
	{.name = "a MIME document",
         .files = {{RUN, READS},
                   {FOLDER "1.yaml",
                    "MIME-Version: 1.0\nContent-Type: "
                    "multipart/mixed; boundary=\"B\"\n\n"
                    "--B\nContent-Type: "
                    "application/node.eks.aws\n\n" KEY("false") "--B--\n"}},
         .messages = "nodeadm-unread " FOLDER "1.yaml:0:0 "},
	{.name = "an empty file",
         .files = {{RUN, READS}, {FOLDER "1.yaml", ""}}},
	/* ours */
	{.name = "ours",
         .files = {{RUN, READS}, {OURS, KEY("true")}},
         .ours = "K"},
	{.name = "ours, without the key",
         .files = {{RUN, READS}, {OURS, HEAD "    maxPods: 1\n"}},
         .ours = ""},
	{.name = "ours says otherwise",
         .files = {{RUN, READS}, {OURS, KEY("false")}},
         .ours = "k"},
};

static const char *says(const struct kr_nodeadm_says *s, char *ret)
{
	snprintf(ret, 3, "%s%s",
	         !s->any_key ? ""
	         : s->key    ? "K"
	                     : "k",
	         !s->any_flag ? ""
	         : s->flag    ? "F"
	                      : "f");
	return ret;
}

static const struct kr_value yes = {.type = KR_TYPE_BOOL, .b = true};

START_TEST(what_they_say)
{
	struct kr_diag diag = {0};
	struct kr_nodeadm got = {0};
	struct kr_fs *fs;
	char messages[512] = "", text[3];

	for (size_t i = 0; i < 4 && rows[_i].files[i].path; i++)
		kr_root_write(rows[_i].files[i].path, rows[_i].files[i].text);
	fs = kr_root_fs();
	ck_assert_msg(
		kr_nodeadm_read(fs, KR_FIELD_IPTABLES, &yes, &diag, &got) == 0,
		"%s: %s", rows[_i].name, kr_test_messages(&diag));
	for (size_t i = 0; i < diag.n_messages; i++) {
		const struct kr_message *m = &diag.messages[i];
		size_t n = strlen(messages);

		snprintf(messages + n, sizeof(messages) - n, "%s %s:%u:%u ",
		         m->code, m->file, m->line, m->column);
	}
	ck_assert_msg(got.reads_folder == !rows[_i].not_read, "%s: read: %d",
	              rows[_i].name, got.reads_folder);
	says(&got.earlier, text);
	ck_assert_msg(strcmp(text, rows[_i].earlier ? rows[_i].earlier : "") ==
	                      0,
	              "%s: earlier: %s", rows[_i].name, text);
	ck_assert_msg(!got.ours == !rows[_i].ours, "%s: ours", rows[_i].name);
	says(&got.ours_says, text);
	ck_assert_msg(strcmp(text, rows[_i].ours ? rows[_i].ours : "") == 0,
	              "%s: ours: %s", rows[_i].name, text);
	ck_assert_msg(strcmp(messages,
	                     rows[_i].messages ? rows[_i].messages : "") == 0,
	              "%s: %s", rows[_i].name, messages);
	kr_fs_free(fs);
	kr_diag_done(&diag);
}
END_TEST

/* Fields of other types, and below others. */
static const struct {
	int field;
	const char *want; /* as its flag has it */
	const char *text; /* of spec.kubelet, and what it says */
	const char *says;
} typed[] = {
	{KR_FIELD_ANONYMOUS, "false",
         "    config:\n      authentication:\n        anonymous:\n"
         "          enabled: false\n",
         "K"},
	{KR_FIELD_ANONYMOUS, "false",
         "    config:\n      authentication:\n        webhook:\n"
         "          enabled: false\n",
         ""},
	{KR_FIELD_ANONYMOUS, "false",
         "    config:\n      authentication.anonymous.enabled: false\n", ""},
	{KR_FIELD_READ_ONLY_PORT, "0",
         "    config:\n      readOnlyPort: 10255\n", "k"},
	{KR_FIELD_STREAMING_TIMEOUT, "4h",
         "    config:\n      streamingConnectionIdleTimeout: 240m\n"
         "    flags: [--streaming-connection-idle-timeout=0]\n",
         "Kf"},
	{KR_FIELD_TLS_CIPHERS, "A,B",
         "    config:\n      tlsCipherSuites: [A, \"B\"]\n", "K"},
	{KR_FIELD_TLS_CIPHERS, "A,B",
         "    config:\n      tlsCipherSuites: [A]\n", "k"},
	{KR_FIELD_TLS_CIPHERS, "A,B",
         "    config:\n      tlsCipherSuites: [A, B, C]\n", "k"},
	{KR_FIELD_TLS_CIPHERS, "A,B",
         "    config:\n      tlsCipherSuites: [A, BB]\n", "k"},
	{KR_FIELD_TLS_CIPHERS, "A,B",
         "    config:\n      tlsCipherSuites: A,B\n"
         "    flags: [\"--tls-cipher-suites=A,B\"]\n",
         "kF"},
	{KR_FIELD_GATE_ROTATE_SERVER, "true",
         "    config:\n      featureGates:\n"
         "        RotateKubeletServerCertificate: true\n"
         "    flags: [--feature-gates=A=true]\n",
         "K"},
};

/* What FIELD is, WANT, and what the file of ours says of it. */
static void read_ours(int field, const char *want, const char *file, char *ret)
{
	_cleanup_value_ struct kr_value value = {0};
	struct kr_nodeadm got = {0};
	struct kr_fs *fs;

	kr_root_write(RUN, READS);
	kr_root_write(OURS, file);
	fs = kr_root_fs();
	ck_assert_int_eq(kr_value_parse(kr_field(field)->type, want,
	                                strlen(want), &value),
	                 0);
	ck_assert_int_eq(kr_nodeadm_read(fs, field, &value, NULL, &got), 0);
	says(&got.ours_says, ret);
	kr_fs_free(fs);
}

START_TEST(other_types)
{
	_cleanup_free_ char *file = NULL;
	char text[3];

	ck_assert(asprintf(&file, "%s%s", HEAD, typed[_i].text) > 0);
	read_ours(typed[_i].field, typed[_i].want, file, text);
	ck_assert_msg(strcmp(text, typed[_i].says) == 0, "%s: %s",
	              typed[_i].text, text);
}
END_TEST

/* What the platform's text makes for a field says just that. */
START_TEST(as_made)
{
	static const char *const samples[_KR_TYPE_MAX] = {
		[KR_TYPE_BOOL] = "true",        [KR_TYPE_INT32] = "77",
		[KR_TYPE_INT64] = "4000000000", [KR_TYPE_DURATION] = "1h2m3.5s",
		[KR_TYPE_STRING] = "/a/b.crt",  [KR_TYPE_LIST] = "A,B",
	};
	const struct kr_platform *p = NULL;

	for (size_t i = 0; i < kr_platform_n_rows; i++) {
		if (kr_platform_rows[i].platform->nodeadm)
			p = kr_platform_rows[i].platform;
	}
	for (int i = KR_FIELD_ANONYMOUS; i <= KR_FIELD_SECCOMP_DEFAULT; i++) {
		const char *sample = samples[kr_field(i)->type];
		_cleanup_value_ struct kr_value value = {0};
		_cleanup_free_ char *template = NULL, *made = NULL;
		char text[3];

		if (!kr_field(i)->path || !kr_field(i)->flag)
			continue;
		ck_assert_int_eq(kr_value_parse(kr_field(i)->type, sample,
		                                strlen(sample), &value),
		                 0);
		ck_assert(asprintf(&template, "%s%s", p->text, p->flag_text) >
		          0);
		made = kr_platform_text(&i, &value, 1, template);
		ck_assert_ptr_nonnull(made);
		read_ours(i, sample, made, text);
		ck_assert_msg(strcmp(text, "KF") == 0, "%s: %s: %s",
		              kr_field(i)->path, text, made);
	}
}
END_TEST

/* What cannot be read is an error where it is ours, else a warning; what is no
 * NodeConfig by its name or its kind is neither. */
static const struct {
	const char *path, *target;
	int want;
	const char *code;
	enum kr_severity severity;
} unread[] = {
	{FOLDER "1.yaml", "/nowhere", 0, "nodeadm-unread", KR_WARNING},
	{FOLDER "95.json", "/nowhere", 0, "nodeadm-unread", KR_WARNING},
	{FOLDER "1.yaml", "1.yaml", 0, "nodeadm-unread", KR_WARNING},
	/* no folder by its entry: nodeadm opens it, too */
	{FOLDER "1.yaml", "/etc", 0, "nodeadm-unread", KR_WARNING},
	{FOLDER "1.conf", "/nowhere", 0, NULL, KR_WARNING},
	/* -ENOENT would be a node without kubelet */
	{OURS, "/nowhere", -ELOOP, "nodeadm-ours", KR_ERROR},
	{OURS, "/etc", -EISDIR, "nodeadm-ours", KR_ERROR},
};

START_TEST(unreadable)
{
	struct kr_diag diag = {0};
	struct kr_nodeadm got = {0};
	struct kr_fs *fs;

	kr_root_write(RUN, READS);
	kr_root_symlink(unread[_i].target, unread[_i].path);
	fs = kr_root_fs();
	ck_assert_int_eq(
		kr_nodeadm_read(fs, KR_FIELD_IPTABLES, &yes, &diag, &got),
		unread[_i].want);
	ck_assert_uint_eq(diag.n_messages, unread[_i].code ? 1 : 0);
	if (unread[_i].code) {
		ck_assert_str_eq(diag.messages[0].code, unread[_i].code);
		ck_assert_str_eq(diag.messages[0].file, unread[_i].path);
		ck_assert_int_eq(diag.messages[0].severity,
		                 unread[_i].severity);
	}
	kr_fs_free(fs);
	kr_diag_done(&diag);
}
END_TEST

START_TEST(no_folder_but_a_file)
{
	struct kr_diag diag = {0};
	struct kr_nodeadm got = {0};
	struct kr_fs *fs;

	kr_root_write(RUN, READS);
	kr_root_write("/etc/eks/nodeadm.d", "");
	fs = kr_root_fs();
	ck_assert_int_eq(
		kr_nodeadm_read(fs, KR_FIELD_IPTABLES, &yes, &diag, &got),
		-ENOTDIR);
	ck_assert_str_eq(diag.messages[0].code, "nodeadm-folder");
	kr_fs_free(fs);
	kr_diag_done(&diag);
}
END_TEST

/* --- other fields, by the same reading ------------------------------------ */

static char mode[] = "Webhook";

static const struct {
	const char *name;
	int field;
	struct kr_value want;
	const char *text;
	const char *says; /* as in the rows */
} others[] = {
	{"a nested key",
         KR_FIELD_ANONYMOUS,
         {.type = KR_TYPE_BOOL},
         HEAD "    config:\n      authentication:\n        anonymous:\n"
              "          enabled: false\n",
         "K"},
	{"a nested key of another value",
         KR_FIELD_ANONYMOUS,
         {.type = KR_TYPE_BOOL},
         HEAD "    config:\n      authentication:\n        anonymous:\n"
              "          enabled: true\n",
         "k"},
	{"its parent alone",
         KR_FIELD_ANONYMOUS,
         {.type = KR_TYPE_BOOL},
         HEAD "    config:\n      authentication: {}\n",
         ""},
	{"a number",
         KR_FIELD_READ_ONLY_PORT,
         {.type = KR_TYPE_INT32},
         HEAD "    config: {readOnlyPort: 0}\n",
         "K"},
	{"another number",
         KR_FIELD_READ_ONLY_PORT,
         {.type = KR_TYPE_INT32},
         HEAD "    config: {readOnlyPort: 10255}\n",
         "k"},
	{"no number",
         KR_FIELD_READ_ONLY_PORT,
         {.type = KR_TYPE_INT32},
         HEAD "    config: {readOnlyPort: [0]}\n",
         "k"},
	{"a word",
         KR_FIELD_AUTHORIZATION_MODE,
         {.type = KR_TYPE_STRING, .s = mode},
         HEAD "    config: {authorization: {mode: Webhook}}\n",
         "K"},
	{"a flag, and its value as a word of its own",
         KR_FIELD_READ_ONLY_PORT,
         {.type = KR_TYPE_INT32},
         FLAGS "      - --read-only-port 0\n",
         "F"},
	{"another flag",
         KR_FIELD_READ_ONLY_PORT,
         {.type = KR_TYPE_INT32},
         FLAGS "      - " FLAG "=false\n",
         ""},
	{"a flag that kubelet refuses",
         KR_FIELD_READ_ONLY_PORT,
         {.type = KR_TYPE_INT32},
         FLAGS "      - --read-only-port=x\n",
         "f"},
};

START_TEST(other_fields)
{
	struct kr_diag diag = {0};
	struct kr_nodeadm got = {0};
	struct kr_fs *fs;
	char text[3];

	kr_root_write(RUN, READS);
	kr_root_write(OURS, others[_i].text);
	fs = kr_root_fs();
	ck_assert_int_eq(kr_nodeadm_read(fs, others[_i].field, &others[_i].want,
	                                 &diag, &got),
	                 0);
	says(&got.ours_says, text);
	ck_assert_msg(strcmp(text, others[_i].says) == 0, "%s: %s",
	              others[_i].name, text);
	kr_fs_free(fs);
	kr_diag_done(&diag);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "nodeadm", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, what_they_say, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, other_types, 0, ARRAY_SIZE(typed));
	tcase_add_test(tc, as_made);
	tcase_add_loop_test(tc, unreadable, 0, ARRAY_SIZE(unread));
	tcase_add_test(tc, no_folder_but_a_file);
	tcase_add_loop_test(tc, other_fields, 0, ARRAY_SIZE(others));
}

KR_TEST_MAIN(add_tests);
