/* SPDX-License-Identifier: Apache-2.0 */

/*
 * policy/flag-edit: the edits, as the files they make and what kubelet would
 * have then. Of each row that is edited:
 *
 *	others	every other argument and field is as before
 *	twice	the same cut once more is no edit
 *	undo	the edits taken back give the first bytes
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "policy/flag-edit.h"
#include "testing-node.h"
#include "testing.h"

#define UNIT   "/etc/systemd/system/kubelet.service"
#define DROPIN UNIT ".d/10-a.conf"
#define VENDOR "/usr/lib/systemd/system/kubelet.service"
#define ENV    "/etc/default/kubelet"
#define CONFIG "/etc/kubelet.json"
#define EXEC   "[Service]\nExecStart=/usr/bin/kubelet "
#define ARGS   EXEC "$KUBELET_ARGS\n"
#define FILED  ARGS "EnvironmentFile=" ENV "\n"
#define S      "[Service]\n"
#define GVK                                                                    \
	"{\"kind\":\"KubeletConfiguration\","                                  \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""

#define GATE  "RotateKubeletServerCertificate"
#define GATES "--feature-gates="
#define ONE   "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
#define TWO   "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
#define THREE "TLS_RSA_WITH_AES_128_GCM_SHA256"
#define SUITE "--tls-cipher-suites="

enum operation {
	CUT, /* every use */
	SET, /* the same, and VALUE is appended */
};

struct row {
	const char *name;
	enum operation operation;
	int field;
	const char *value;
	struct {
		const char *path, *before;
		const char *after; /* NULL: it stays */
	} files[4];
	const char *code;  /* it is refused */
	const char *gives; /* what kubelet has then */
};

/* What stands behind Environment=, or in an environment file. */
#define UNIT_ROW(name_, operation_, field_, value_, before_, after_, gives_)   \
	{                                                                      \
		.name = name_, .operation = operation_,                        \
		.field = KR_FIELD_##field_, .value = value_, .gives = gives_,  \
		.files = {                                                     \
			{UNIT, ARGS},                                          \
			{DROPIN, S "Environment=" before_ "\n",                \
			 S "Environment=" after_ "\n"},                        \
		}                                                              \
	}
#define FILE_ROW(name_, operation_, field_, value_, before_, after_, gives_)   \
	{                                                                      \
		.name = name_, .operation = operation_,                        \
		.field = KR_FIELD_##field_, .value = value_, .gives = gives_,  \
		.files = {                                                     \
			{UNIT, FILED},                                         \
			{ENV, before_ "\n", after_ "\n"},                      \
		}                                                              \
	}
#define Q(text)  "\"KUBELET_ARGS=" text "\""
#define Q1(text) "'KUBELET_ARGS=" text "'"
#define A(text)  "KUBELET_ARGS=" text
#define AQ(text) "KUBELET_ARGS=\"" text "\""

/* clang-format off */
static const struct row rows[] = {
	/* --- one value: set, by type --- */
	UNIT_ROW("a bool", SET, ANONYMOUS, "false",
		Q("--anonymous-auth --v=2"),
		Q("--v=2 --anonymous-auth=false"), "false"),
	UNIT_ROW("a bool that is not there", SET, PROTECT_KERNEL, "true",
		Q1("--v=2"), Q1("--v=2 --protect-kernel-defaults=true"), "true"),
	UNIT_ROW("an int32", SET, READ_ONLY_PORT, "0",
		Q("--read-only-port=10255 --v=2"),
		Q("--v=2 --read-only-port=0"), "0"),
	UNIT_ROW("an int32 in a word of its own", SET, READ_ONLY_PORT, "0",
		Q("--v=2 --read-only-port 10255 --max-pods=9"),
		Q("--v=2 --max-pods=9 --read-only-port=0"), "0"),
	UNIT_ROW("an int32 below zero", SET, OOM_SCORE_ADJ, "-999",
		Q("--oom-score-adj=1 --v=2"),
		Q("--v=2 --oom-score-adj=-999"), "-999"),
	UNIT_ROW("an int64", SET, POD_PIDS, "4294967296",
		Q("--pod_max_pids=-1"), Q("--pod-max-pids=4294967296"),
		"4294967296"),
	UNIT_ROW("a duration", SET, STREAMING_TIMEOUT, "5m",
		Q("--streaming-connection-idle-timeout=0 --v=2"),
		Q("--v=2 --streaming-connection-idle-timeout=5m0s"), "5m0s"),
	UNIT_ROW("a name of an enumeration", SET, AUTHORIZATION_MODE, "Webhook",
		Q("--kubeconfig=/k --authorization-mode=AlwaysAllow"),
		Q("--kubeconfig=/k --authorization-mode=Webhook"), "Webhook"),
	UNIT_ROW("a version of TLS", SET, TLS_MIN_VERSION, "VersionTLS13",
		Q("--tls-min-version=VersionTLS10 --v=2"),
		Q("--v=2 --tls-min-version=VersionTLS13"), "VersionTLS13"),
	UNIT_ROW("a path", SET, CLIENT_CA, "/etc/pki/ca.crt",
		Q("--client-ca-file=/a --v=2"),
		Q("--v=2 --client-ca-file=/etc/pki/ca.crt"), "/etc/pki/ca.crt"),
	UNIT_ROW("a path with a percent sign", SET, CLIENT_CA, "/a%b",
		Q("--v=2"), Q("--v=2 --client-ca-file=/a%%b"), "/a%b"),
	FILE_ROW("a path with a percent sign, in a file", SET, CLIENT_CA,
		"/a%b", A("--v=2"), A("--v=2 --client-ca-file=/a%b"), "/a%b"),
	UNIT_ROW("a path with a blank", SET, CLIENT_CA, "/a b",
		Q("--client-ca-file=/a --v=2"),
		Q("--v=2 --client-ca-file=/a\\\\ b"), "/a b"),
	FILE_ROW("a path with a dollar and a quote, in a file", SET, CLIENT_CA,
		"/$a'b", AQ("--v=2"), AQ("--v=2 --client-ca-file=/\\$a\\\\'b"),
		"/$a'b"),
	UNIT_ROW("an empty path", SET, CLIENT_CA, "",
		Q("--client-ca-file=/a --v=2"),
		Q("--v=2 --client-ca-file="), ""),

	/* --- one value: where it stands --- */
	UNIT_ROW("not quoted", SET, READ_ONLY_PORT, "0",
		A("--read-only-port=1"), A("--read-only-port=0"), "0"),
	UNIT_ROW("not quoted, with a blank", SET, CLIENT_CA, "/a b",
		A("--client-ca-file=/a"), Q("--client-ca-file=/a\\\\ b"), "/a b"),
	UNIT_ROW("alone, in quotes of one", SET, READ_ONLY_PORT, "0",
		Q1("--read-only-port=1"), Q1("--read-only-port=0"), "0"),
	UNIT_ROW("twice, and first", SET, READ_ONLY_PORT, "0",
		Q("--read-only-port=1 --read-only-port=2 --v=2"),
		Q("--v=2 --read-only-port=0"), "0"),
	UNIT_ROW("twice, and alone", SET, READ_ONLY_PORT, "0",
		Q("--read-only-port=1 --read-only-port=2"),
		Q("--read-only-port=0"), "0"),
	UNIT_ROW("a blank of others before it stays", SET, READ_ONLY_PORT, "0",
		Q(" --v=2 --read-only-port=2"),
		Q(" --v=2 --read-only-port=0"), "0"),
	FILE_ROW("a file: alone", SET, READ_ONLY_PORT, "0",
		A("--read-only-port=1"), A("--read-only-port=0"), "0"),
	FILE_ROW("a file: alone, quoted", SET, READ_ONLY_PORT, "0",
		AQ("--read-only-port 1"), AQ("--read-only-port=0"), "0"),
	UNIT_ROW("quoted inside quotes", SET, READ_ONLY_PORT, "0",
		Q("--v=2 '--read-only-port=1'"),
		Q("--v=2 --read-only-port=0"), "0"),
	UNIT_ROW("on a line that goes on", SET, READ_ONLY_PORT, "0",
		Q("--v=2 \\\n  --read-only-port=1 \\\n  --max-pods=9"),
		Q("--v=2 \\\n  --max-pods=9 --read-only-port=0"), "0"),
	UNIT_ROW("flag and value on two lines", SET, READ_ONLY_PORT, "0",
		Q("--v=2 --read-only-port \\\n  1 --max-pods=9"),
		Q("--v=2 --max-pods=9 --read-only-port=0"), "0"),
	UNIT_ROW("several times, with underscores, too", SET, EVENT_QPS, "5",
		Q("--event-qps=1 --v=2 --event_qps=0 --event-qps 7"),
		Q("--v=2 --event-qps=5"), "5"),
	UNIT_ROW("several times the same is once", SET, EVENT_QPS, "5",
		Q("--event-qps=5 --v=2 --event-qps=5"),
		Q("--v=2 --event-qps=5"), "5"),
	UNIT_ROW("a value that kubelet refuses", SET, EVENT_QPS, "5",
		Q("--event-qps=lots --v=2"), Q("--v=2 --event-qps=5"), "5"),
	FILE_ROW("a file: quoted", SET, ROTATE_CERTIFICATES, "true",
		AQ("--rotate-certificates=false --v=2"),
		AQ("--v=2 --rotate-certificates=true"), "true"),
	FILE_ROW("a file: not quoted", SET, ROTATE_CERTIFICATES, "true",
		"# mine\n" A("--v=2 --rotate-certificates=f"),
		"# mine\n" A("--v=2 --rotate-certificates=true"), "true"),
	FILE_ROW("a file: quoted with one", SET, EVENT_QPS, "5",
		"KUBELET_ARGS='--v=2'\nB=c",
		"KUBELET_ARGS='--v=2 --event-qps=5'\nB=c", "5"),
	FILE_ROW("a file: on several lines", SET, EVENT_QPS, "5",
		AQ("--v=2 \\\n--event-qps 1 \\\n--max-pods=9"),
		AQ("--v=2 \\\n--max-pods=9 --event-qps=5"), "5"),
	FILE_ROW("a file: empty", SET, EVENT_QPS, "5",
		A(""), A("--event-qps=5"), "5"),
	{.name = "the command and the variable", .operation = SET,
	 .field = KR_FIELD_READ_ONLY_PORT, .value = "0", .gives = "0",
	 .files = {{UNIT, EXEC "--read-only-port 1 $KUBELET_ARGS\n",
		    EXEC "$KUBELET_ARGS\n"},
		   {DROPIN, S "Environment=" Q("--read-only-port=2 --v=2") "\n",
		    S "Environment=" Q("--v=2 --read-only-port=0") "\n"}}},
	{.name = "two files", .operation = SET,
	 .field = KR_FIELD_READ_ONLY_PORT, .value = "0", .gives = "0",
	 .files = {{UNIT, EXEC "$OTHER $KUBELET_ARGS\nEnvironmentFile=" ENV "\n"},
		   {ENV, "OTHER=--read-only-port=1\n", "OTHER=\n"},
		   {DROPIN, S "Environment=" Q("--read-only-port=2 --v=2") "\n",
		    S "Environment=" Q("--v=2 --read-only-port=0") "\n"}}},
	{.name = "no variable", .operation = SET,
	 .field = KR_FIELD_READ_ONLY_PORT, .value = "0", .gives = "0",
	 .files = {{UNIT, EXEC "--read-only-port=1 \\\n  --v=2\n",
		    EXEC "\\\n  --v=2 --read-only-port=0\n"}}},
	{.name = "the flag is made of two places", .operation = SET,
	 .field = KR_FIELD_READ_ONLY_PORT, .value = "0", .gives = "0",
	 .files = {{UNIT, EXEC "--read-only-port=${A}5 $KUBELET_ARGS\n",
		    EXEC "$KUBELET_ARGS\n"},
		   {DROPIN, S "Environment=A=1 KUBELET_ARGS=--v=2\n",
		    S "Environment=A=1 \"KUBELET_ARGS=--v=2 --read-only-port=0\"\n"}}},
	{.name = "the flag wins over the file", .operation = SET,
	 .field = KR_FIELD_READ_ONLY_PORT, .value = "0", .gives = "0",
	 .files = {{UNIT, EXEC "--kubeconfig=/k --config=" CONFIG " $KUBELET_ARGS\n"},
		   {DROPIN, S "Environment=" Q("--v=2") "\n",
		    S "Environment=" Q("--v=2 --read-only-port=0") "\n"},
		   {CONFIG, GVK ",\"readOnlyPort\":9}\n"}}},

	/* --- one value: cut --- */
	UNIT_ROW("cut: a bare boolean", CUT, SERVER_BOOTSTRAP, NULL,
		Q("--v=2 --rotate-server-certificates"), Q("--v=2"), "false"),
	UNIT_ROW("cut: alone, not quoted", CUT, EVENT_QPS, NULL,
		A("--event-qps=0"), A(""), NULL),
	{.name = "cut: the file decides then", .operation = CUT,
	 .field = KR_FIELD_READ_ONLY_PORT, .gives = "9",
	 .files = {{UNIT, EXEC "--kubeconfig=/k --config=" CONFIG " --read-only-port=0 $KUBELET_ARGS\n",
		    EXEC "--kubeconfig=/k --config=" CONFIG " $KUBELET_ARGS\n"},
		   {DROPIN, S "Environment=" Q("--read_only_port 1") "\n",
		    S "Environment=" Q("") "\n"},
		   {CONFIG, GVK ",\"readOnlyPort\":9}\n"}}},
	UNIT_ROW("cut: the whole list", CUT, TLS_CIPHERS, NULL,
		Q(SUITE ONE "," TWO " --v=2 " SUITE THREE), Q("--v=2"), ""),

	/* --- gates: set --- */
	UNIT_ROW("gate: no use", SET, GATE_ROTATE_SERVER, "true",
		Q("--v=2"), Q("--v=2 " GATES GATE "=true"), "true"),

	/* --- gates: cut --- */
	UNIT_ROW("gate: cut behind a quote", CUT, GATE_ROTATE_SERVER, NULL,
		Q(GATES "AllAlpha=false") "," GATE "=false",
		Q(GATES "AllAlpha=false"), "true"),
	UNIT_ROW("gate: cut alone", CUT, GATE_ROTATE_SERVER, NULL,
		Q("--v=2 " GATES GATE "=false"), Q("--v=2"), "true"),
	UNIT_ROW("gate: cut alone, a word of its own", CUT, GATE_ROTATE_SERVER,
		NULL, Q("--feature-gates " GATE "=false --v=2"), Q("--v=2"),
		"true"),
	UNIT_ROW("gate: cut first", CUT, GATE_ROTATE_SERVER, NULL,
		Q(GATES GATE "=false,AllAlpha=false"),
		Q(GATES "AllAlpha=false"), "true"),
	UNIT_ROW("gate: cut in the middle", CUT, GATE_ROTATE_SERVER, NULL,
		Q(GATES "AllAlpha=false," GATE "=false,CPUManager=true"),
		Q(GATES "AllAlpha=false,CPUManager=true"), "true"),
	UNIT_ROW("gate: cut last", CUT, GATE_ROTATE_SERVER, NULL,
		Q(GATES "AllAlpha=false," GATE "=false"),
		Q(GATES "AllAlpha=false"), "true"),
	UNIT_ROW("gate: cut two side by side", CUT, GATE_ROTATE_SERVER, NULL,
		Q(GATES "AllAlpha=false," GATE "=false," GATE "=true,CPUManager=true"),
		Q(GATES "AllAlpha=false,CPUManager=true"), "true"),
	UNIT_ROW("gate: cut the first two", CUT, GATE_ROTATE_SERVER, NULL,
		Q(GATES GATE "=false," GATE "=true,CPUManager=true," GATE "=f"),
		Q(GATES "CPUManager=true"), "true"),
	UNIT_ROW("gate: cut before a comma", CUT, GATE_ROTATE_SERVER, NULL,
		Q(GATES GATE "=false,"), Q(GATES), "true"),
	UNIT_ROW("gate: others stay", CUT, GATE_ROTATE_SERVER, NULL,
		Q(GATES "AllAlpha=false"), Q(GATES "AllAlpha=false"), "true"),

	/* --- lists --- */
	UNIT_ROW("list: set", SET, TLS_CIPHERS, ONE "," TWO,
		Q(SUITE THREE " --v=2 " SUITE ONE),
		Q("--v=2 " SUITE ONE "," TWO), ONE "," TWO),
	UNIT_ROW("list: set to nothing", SET, TLS_CIPHERS, "",
		Q(SUITE ONE " --v=2"), Q("--v=2 " SUITE), ""),
	UNIT_ROW("list: set to one name", SET, TLS_CIPHERS, ONE,
		Q("--v=2"), Q("--v=2 " SUITE ONE), ONE),
	UNIT_ROW("list: said in two uses", SET, TLS_CIPHERS, ONE "," TWO,
		Q(SUITE ONE " " SUITE TWO " --v=2"),
		Q("--v=2 " SUITE ONE "," TWO), ONE "," TWO),
	UNIT_ROW("list: the last use alone says it", SET, TLS_CIPHERS, TWO,
		Q(SUITE ONE " " SUITE TWO " --v=2"),
		Q("--v=2 " SUITE TWO), TWO),

	/* --- refused --- */
#define REFUSED(name_, operation_, field_, value_, exec_, line_, code_)        \
	{.name = name_, .operation = operation_, .code = code_,                \
	 .field = KR_FIELD_##field_, .value = value_,                          \
	 .files = {{UNIT, EXEC exec_ "\n"}, {DROPIN, S line_ "\n"}}}
	REFUSED("a word in two pieces", CUT, READ_ONLY_PORT, NULL,
		"$KUBELET_ARGS",
		"Environment=\"KUBELET_ARGS=--v=2 --read-only-\"port=1",
		"word-not-cut"),
	REFUSED("gate: in two pieces", CUT, GATE_ROTATE_SERVER, NULL,
		"$KUBELET_ARGS",
		"Environment=\"KUBELET_ARGS=" GATES "AllAlpha=false," GATE
		"=fa\"lse", "entry-not-cut"),
	REFUSED("gate: a specifier that is not known, elsewhere", CUT,
		GATE_ROTATE_SERVER, NULL, GATES GATE "=false %v --v=2", "",
		"flag-not-read"),
	REFUSED("gate: behind a specifier that is not known", CUT,
		GATE_ROTATE_SERVER, NULL, GATES "AllAlpha=fals%v $KUBELET_ARGS",
		"Environment=KUBELET_ARGS=--v=2", "flag-not-read"),
	REFUSED("gate: a line end in it", CUT, GATE_ROTATE_SERVER, NULL,
		"\"" GATES "AllAlpha=false\\n," GATE "=false\"", "",
		"flag-not-read"),
	REFUSED("gate: half of it in a variable", CUT, GATE_ROTATE_SERVER,
		NULL, GATES "AllAlpha=false," GATE "=fal${A} $KUBELET_ARGS",
		"Environment=A=se KUBELET_ARGS=--v=2", "entry-not-cut"),
	REFUSED("gate: a value that kubelet refuses", CUT, GATE_ROTATE_SERVER,
		NULL, GATES GATE "=no", "", "flag-not-read"),
	REFUSED("gate: its comma behind a quote", CUT, GATE_ROTATE_SERVER, NULL,
		"$KUBELET_ARGS",
		"Environment=\"KUBELET_ARGS=" GATES "AllAlpha=false,\"" GATE
		"=false", "entry-not-cut"),
	REFUSED("list: an entry with a comma", SET, TLS_CIPHERS, "\"a,b\"",
		"--v=2", "", "append-unsafe"),
	REFUSED("list: an entry with nothing", SET, TLS_CIPHERS, ONE ",",
		"--v=2", "", "append-unsafe"),
	REFUSED("gate: cut from what kubelet refuses", CUT, GATE_ROTATE_SERVER,
		NULL, GATES GATE "=true,AllAlpha", "", "flag-not-read"),
	{.name = "a quote in a value in such", .operation = SET,
	 .field = KR_FIELD_CLIENT_CA, .value = "/a'b", .code = "append-unsafe",
	 .files = {{UNIT, FILED}, {ENV, "KUBELET_ARGS='--v=2'\n"}}},
	REFUSED("a line end", SET, CLIENT_CA, "/a\nb", "--v=2", "",
		"append-unsafe"),
	REFUSED("an open quote", SET, READ_ONLY_PORT, "0", "$KUBELET_ARGS",
		"Environment=KUBELET_ARGS=\\\"--v=2", "append-unsafe"),
};
/* clang-format on */

static void make_files(const struct row *row)
{
	kr_root_write("/usr/bin/kubelet", "");
	for (size_t i = 0; i < ARRAY_SIZE(row->files) && row->files[i].path;
	     i++)
		kr_root_write(row->files[i].path, row->files[i].before);
}

static int edit(const struct row *row, struct kr_node *node,
                struct kr_edits *edits, struct kr_diag *diag)
{
	const struct kr_flag_edit e = {
		.node = node,
		.rule = row->field < KR_N_SETTINGS
	                        ? kr_rule_of_field(row->field)
	                        : kr_rules_usual.items[0],
		.edits = edits,
		.diag = diag,
	};
	_cleanup_value_ struct kr_value value = {0};
	bool vendor;
	int r;

	r = kr_flag_edit_cut(&e, row->field, &vendor);
	if (r < 0 || row->operation == CUT)
		return r;
	ck_assert_msg(!vendor, "%s: a vendor's use stays", row->name);
	ck_assert_int_eq(kr_value_parse(kr_field(row->field)->type, row->value,
	                                strlen(row->value), &value),
	                 0);
	return kr_flag_edit_append(&e, row->field, &value);
}

static char *apply(const struct kr_file_edits *edits)
{
	size_t size;
	char *text;

	ck_assert_int_eq(kr_file_edits_apply(edits, &text, &size), 0);
	return text;
}

static void check_files(const struct row *row, const struct kr_edits *edits)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(row->files) && row->files[i].path;
	     i++) {
		const char *want = row->files[i].after;
		size_t k = 0;
		_cleanup_free_ char *got = NULL;

		while (k < edits->n_files &&
		       strcmp(edits->files[k].path, row->files[i].path) != 0)
			k++;
		if (!want || strcmp(want, row->files[i].before) == 0) {
			ck_assert_msg(k == edits->n_files, "%s: %s is edited",
			              row->name, row->files[i].path);
			continue;
		}
		ck_assert_msg(k < edits->n_files, "%s: %s stays", row->name,
		              row->files[i].path);
		n++;
		got = apply(&edits->files[k]);
		ck_assert_msg(strcmp(got, want) == 0,
		              "%s: %s becomes\n%s\nwanted\n%s", row->name,
		              row->files[i].path, got, want);
	}
	ck_assert_msg(n == edits->n_files, "%s: other files are edited",
	              row->name);
}

/* The edits of one file taken back, as store/ and fix/undo do it. */
static void check_undo(const struct row *row, const struct kr_file_edits *f)
{
	_cleanup_free_ char *text = apply(f), *back = NULL;
	struct kr_file after = {
		.real = f->path, .data = text, .size = strlen(text)};
	_cleanup_edits_ struct kr_edits undo = {0};
	long shift = 0;

	for (size_t i = 0; i < f->n_edits; i++) {
		const struct kr_edit *e = &f->edits[i];
		struct kr_span span = {&after,
		                       (size_t)((long)e->offset + shift),
		                       strlen(e->text)};
		_cleanup_free_ char *old =
			strndup(f->file->data + e->offset, e->length);

		ck_assert_ptr_nonnull(old);
		ck_assert_int_eq(kr_edits_add(&undo, span, old), 0);
		shift += (long)span.length - (long)e->length;
	}
	back = apply(&undo.files[0]);
	ck_assert_msg(strcmp(back, f->file->data) == 0, "%s: undone\n%s",
	              row->name, back);
}

static size_t next_other(const struct kr_inputs *in, int field, size_t i)
{
	while (i < in->argc && kr_flags_is_use(&in->flags, field, i))
		i++;
	return i;
}

static void check_arguments(const struct row *row, const struct kr_inputs *a,
                            const struct kr_inputs *b)
{
	size_t i = next_other(a, row->field, 0);
	size_t k = next_other(b, row->field, 0);

	while (i < a->argc && k < b->argc) {
		ck_assert_msg(strcmp(a->argv[i], b->argv[k]) == 0,
		              "%s: %s becomes %s", row->name, a->argv[i],
		              b->argv[k]);
		i = next_other(a, row->field, i + 1);
		k = next_other(b, row->field, k + 1);
	}
	ck_assert_msg(i == a->argc && k == b->argc, "%s: other arguments",
	              row->name);
}

static bool decides(const struct kr_node *node, int field, char **ret)
{
	_cleanup_decision_ struct kr_decision d = {0};

	ck_assert_int_eq(kr_node_decide(node, field, &d), 0);
	if (d.state == KR_STATE_TRUE || d.state == KR_STATE_FALSE ||
	    d.state == KR_STATE_VALUE)
		ck_assert_int_eq(kr_value_format(&d.value, ret), 0);
	else
		*ret = strdup(d.reason ?: kr_state_to_string(d.state));
	return d.state != KR_STATE_INVALID;
}

static void check_fields(const struct row *row, const struct kr_node *before,
                         const struct kr_node *after)
{
	for (int i = 0; i < KR_N_FIELDS; i++) {
		_cleanup_free_ char *a = NULL, *b = NULL;
		bool valid = decides(before, i, &a);

		decides(after, i, &b);
		if (i == row->field && row->gives)
			ck_assert_msg(strcmp(b, row->gives) == 0,
			              "%s: %s is %s", row->name,
			              kr_field_name(i), b);
		/* what kubelet refuses of one flag hides the others */
		if (i != row->field && valid)
			ck_assert_msg(strcmp(a, b) == 0, "%s: %s was %s, is %s",
			              row->name, kr_field_name(i), a, b);
	}
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	_cleanup_diag_ struct kr_diag diag = {0}, more = {0};
	_cleanup_node_ struct kr_node *node = NULL, *after = NULL;
	_cleanup_edits_ struct kr_edits edits = {0}, again = {0};
	int r;

	make_files(row);
	node = kr_test_node(NULL, &more);
	r = edit(row, node, &edits, &diag);
	if (row->code) {
		ck_assert_msg(r == KR_REFUSED && diag.n_messages == 1 &&
		                      kr_diag_find(&diag, row->code),
		              "%s: %d%s", row->name, r,
		              kr_test_messages(&diag));
		return;
	}
	ck_assert_msg(r == 0 && diag.n_messages == 0, "%s: %d%s", row->name, r,
	              kr_test_messages(&diag));
	ck_assert_int_eq(kr_edits_join(&edits), 0);
	check_files(row, &edits);
	ck_assert_int_eq(kr_node_with_edits(node, &edits, &more, &after), 0);
	check_arguments(row, &node->disk.inputs, &after->disk.inputs);
	check_fields(row, node, after);
	for (size_t i = 0; i < edits.n_files; i++)
		check_undo(row, &edits.files[i]);
	if (row->operation != CUT)
		return;
	ck_assert_int_eq(edit(row, after, &again, &diag), 0);
	ck_assert_msg(again.n_files == 0, "%s: edited twice", row->name);
}
END_TEST

static void add_cases(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rows", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
}

KR_TEST_MAIN(add_cases);
