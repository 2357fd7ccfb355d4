/* SPDX-License-Identifier: Apache-2.0 */

/*
 * policy/rules: each row of the table against the table of fields, and each
 * test on what kubelet has: value, default, flag, key, what it refuses. Several
 * rules are judged in one reading.
 */

#include <string.h>

#include "base/clock.h"
#include "policy/demands.h"
#include "policy/judge.h"
#include "testing-node.h"
#include "testing.h"

#define CONFIG "/etc/kubernetes/kubelet.json"
#define GVK                                                                    \
	"\"kind\":\"KubeletConfiguration\","                                   \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""
#define P KR_VERDICT_PASS
#define F KR_VERDICT_FAIL
#define I KR_VERDICT_INVALID
#define U KR_VERDICT_UNKNOWN
#define N KR_VERDICT_NOT_APPLICABLE

#define CA "/pki/ca.crt"
#define CERTIFICATE                                                            \
	"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"

#define GCM    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
#define RSA    "TLS_RSA_WITH_AES_128_GCM_SHA256"
#define CHACHA "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305"
#define CBC    "TLS_RSA_WITH_AES_128_CBC_SHA"

#define NO_TIMEOUT "--streaming-connection-idle-timeout=0"

/* --- the table ----------------------------------------------------------- */

START_TEST(test_table)
{
	const struct kr_rule *rule = &kr_rules_table[_i];
	const struct kr_field *f = kr_field(rule->fields[0]);

	ck_assert_msg(rule->name && !strpbrk(rule->name, " ,"), "%d: name", _i);
	ck_assert_ptr_eq(kr_rule_find(rule->name, strlen(rule->name)), rule);
	ck_assert_int_eq(rule->subject == KR_SUBJECT_FIELDS,
	                 rule->n_fields > 0);
	ck_assert_int_eq(rule->subject == KR_SUBJECT_FIELDS, !rule->files);
	ck_assert_uint_le(rule->n_fields + rule->n_also, KR_RULE_FIELDS_MAX);
	for (size_t i = 0; i < rule->n_fields; i++) {
		ck_assert_msg(kr_field(rule->fields[i])->flag != NULL,
		              "%s: no flag", rule->name);
		ck_assert_msg(kr_field(rule->fields[i])->by_default != NULL,
		              "%s: no default", rule->name);
	}
	if (rule->n_fields == 1) {
		ck_assert_str_eq(rule->name, kr_field_name(rule->fields[0]));
		ck_assert(rule->fields[0] >= KR_N_SETTINGS ||
		          kr_rule_of_field(rule->fields[0]) == rule);
	}
	ck_assert_msg(!rule->test == !kr_rule_demand(rule, NULL), "%s: demand",
	              rule->name);
	ck_assert_msg(rule->policy != KR_POLICY_NEVER ||
	                      (!rule->hold && !rule->refusal),
	              "%s: it is never written", rule->name);
	/* what would be written must be of the field's type, and pass */
	if (rule->test && !rule->owners_value &&
	    rule->subject != KR_SUBJECT_MODE) {
		const struct kr_decision d = {
			.state = kr_value_state(&rule->want),
			.value = rule->want,
			.by = KR_BY_FLAG};

		ck_assert_msg(rule->want.type ==
		                      (rule->files ? KR_TYPE_STRING : f->type),
		              "%s: type", rule->name);
		ck_assert_msg(kr_judge_ask(rule, &d) == KR_ANSWER_PASS,
		              "%s: what is written fails", rule->name);
	}
}
END_TEST

/* --- the tests ----------------------------------------------------------- */

static const struct row {
	const char *name;
	const char *args;
	const char *members; /* of the file of --config; NULL: there is none */
	enum kr_verdict want;
	bool explicit_wanted;
	const char *says; /* a part of the reason */
	const char *edition;
	const char *note; /* a message's code; NULL: it is not asked for */
	const char *scanner;
	const char *user;    /* of the kubeconfig; NULL: it tells none */
	const char *no_note; /* the code of none */
} rows[] = {
	{"authentication.anonymous.enabled", "", "", P, .says = "default"},
	{"authentication.anonymous.enabled", "", NULL, F,
         .says = "kubelet would start with authentication.anonymous.enabled = "
                 "true"},
	{"authentication.anonymous.enabled", "", "", F, true,
         "only by kubelet's default"},
	{"authentication.anonymous.enabled", "--anonymous-auth=false", NULL, P,
         true},
	{"authentication.anonymous.enabled", "",
         ",\"authentication\":{\"anonymous\":{\"enabled\":true}}", F},
	{"authentication.anonymous.enabled", "",
         ",\"authentication\":{\"anonymous\":{\"enabled\":null}}", P},
	{"authentication.anonymous.enabled", "",
         ",\"authentication\":{\"anonymous\":{\"enabled\":1}}", I},
	{"authorization.mode", "", "", P, .says = "is Webhook by"},
	{"authorization.mode", "", NULL, F},
	{"authorization.mode", "--authorization-mode=AlwaysAllow", "", F},
	{"authorization.mode", "", ",\"authorization\":{\"mode\":\"Webhook\"}",
         P, true},
	{"readOnlyPort", "", "", P, .says = "readOnlyPort is 0 by"},
	{"readOnlyPort", "", NULL, F, .says = "readOnlyPort = 10255"},
	{"readOnlyPort", "--read-only-port=0", NULL, P, true},
	{"readOnlyPort", "", ",\"readOnlyPort\":10255", F},
	{"readOnlyPort", "--read-only-port=x", "", I},
	{"streamingConnectionIdleTimeout", "", "", P, .says = "is 4h0m0s by"},
	{"streamingConnectionIdleTimeout",
         "--streaming-connection-idle-timeout=0", "", F, .says = "= 0s"},
	{"streamingConnectionIdleTimeout",
         "--streaming-connection-idle-timeout=-5m", "", F},
	{"streamingConnectionIdleTimeout", "",
         ",\"streamingConnectionIdleTimeout\":\"0s\"", P},
	{"protectKernelDefaults", "", "", F},
	{"protectKernelDefaults", "--protect-kernel-defaults", "", P},
	{"makeIPTablesUtilChains", "", "", P},
	{"makeIPTablesUtilChains", "", ",\"makeIPTablesUtilChains\":false", F},
	{"hostname-override", "", "", P, .says = "is not set"},
	{"hostname-override", "", "", P, true}, /* it cannot be written down */
	{"hostname-override", "--hostname-override=", "", P},
	{"hostname-override", "--hostname-override=n1", "", F,
         .says = "hostname-override = n1", .note = "hostname-set"},
	{"hostname-override", "--hostname-override=n1", "", F,
         .edition = "cis-1.12"},
	{"hostname-override", "--hostname-override=n1", "", N,
         .edition = "eks-1.8", .says = "EKS 1.8.0 has no such control"},
	{"eventRecordQPS", "", "", P, .says = "in each version that may run"},
	{"eventRecordQPS", "", "", F, true},
	{"eventRecordQPS", "--event-qps=0", "", P, true},
	{"eventRecordQPS", "", ",\"eventRecordQPS\":7", P},
	{"eventRecordQPS", "", ",\"eventRecordQPS\":7", P, .edition = "aks-1.8",
         .scanner = "only a 0"},
	{"eventRecordQPS", "", ",\"eventRecordQPS\":0", P,
         .edition = "aks-1.8"},
	{"eventRecordQPS", "", "", P, .edition = "eks-1.5",
         .scanner = "written down"},
	{"eventRecordQPS", "", "", P, .edition = "eks-1.8"},
	{"rotateCertificates", "", "", P, .no_note = "rotate-absent"},
	{"rotateCertificates", "", "", P, .user = "{client-certificate: /c}",
         .note = "rotate-absent"},
	{"rotateCertificates", "", "", P, .user = "{exec: {command: aws}}",
         .no_note = "rotate-absent"},
	{"rotateCertificates", "", "", P, .user = "{token: t}",
         .no_note = "rotate-absent"},
	{"rotateCertificates", "", "", F, true},
	{"rotateCertificates", "", ",\"rotateCertificates\":null", P,
         .note = "rotate-absent", .user = "{client-certificate: /c}"},
	{"rotateCertificates", "", ",\"rotateCertificates\":false", F},
	{"rotateCertificates", "--rotate-certificates=false", "", F},
	{"rotateCertificates", "--rotate-certificates", "", P},
	{"serverTLSBootstrap", "", "", F},
	{"serverTLSBootstrap", "", "", F, .edition = "cis-1.12"},
	{"serverTLSBootstrap", "", ",\"serverTLSBootstrap\":true", P},
	{"featureGates.RotateKubeletServerCertificate", "", "", P,
         .note = "gate-alone"},
	{"featureGates.RotateKubeletServerCertificate", "", "", P,
         .edition = "eks-1.8", .scanner = "written down"},
	{"featureGates.RotateKubeletServerCertificate", "", "", P,
         .edition = "cis-1.12"},
	{"featureGates.RotateKubeletServerCertificate", "",
         ",\"featureGates\":{\"RotateKubeletServerCertificate\":true},"
         "\"serverTLSBootstrap\":true",
         P, true, .edition = "eks-1.8"},
	{"featureGates.RotateKubeletServerCertificate",
         "--feature-gates=RotateKubeletServerCertificate=false", "", F},
	{"featureGates.RotateKubeletServerCertificate", "",
         ",\"featureGates\":{\"RotateKubeletServerCertificate\":null}", F},
	{"podPidsLimit", "", "", F, .says = "podPidsLimit = -1"},
	{"podPidsLimit", "--pod-max-pids=4096", "", P},
	{"podPidsLimit", "", ",\"podPidsLimit\":0", F},
	{"podPidsLimit", "", ",\"podPidsLimit\":-7", F,
         .says = "podPidsLimit = -1"},
	{"podPidsLimit", "", "", N, .edition = "eks-1.8"},
	{"seccompDefault", "", "", F},
	{"seccompDefault", "--seccomp-default=false",
         ",\"seccompDefault\":true", P},
	{"seccompDefault", "", ",\"seccompDefault\":true", P,
         .edition = "cis-1.11"},
	{"seccompDefault", "", "", N, .edition = "cis-1.10"},
	{"protectKernelDefaults", "", "", N, .edition = "cis-1.12"},
	{"protectKernelDefaults", "", "", F, .edition = "cis-1.24"},

	/* what is written down, and what is only looked for */
	{"authentication.anonymous.enabled", "", "", P, .edition = "eks-1.8",
         .scanner = "written down"},
	{"authentication.anonymous.enabled", "--anonymous-auth=false", "", P,
         .edition = "eks-1.8"},
	{"authentication.anonymous.enabled", "", "", P, .edition = "rh-1.8"},
	{"readOnlyPort", "", "", P, .edition = "eks-1.8",
         .scanner = "written down"},
	{"readOnlyPort", "", "", P, .edition = "cis-1.12"},

	/* the client CA: it is named, there, and loads */
	{"authentication.x509.clientCAFile", "", "", F,
         .says = "start with no authentication.x509.clientCAFile"},
	{"authentication.x509.clientCAFile", "--client-ca-file=" CA, NULL, P,
         true, .says = CA},
	{"authentication.x509.clientCAFile", "--client-ca-file=", "", F},
	{"authentication.x509.clientCAFile", "",
         ",\"authentication\":{\"x509\":{\"clientCAFile\":\"" CA "\"}}", P},
	/* relative to the config file's folder, as words */
	{"authentication.x509.clientCAFile", "",
         ",\"authentication\":{\"x509\":{\"clientCAFile\":\"../.." CA "\"}}", P,
         .says = " " CA},
	{"authentication.x509.clientCAFile", "",
         ",\"authentication\":{\"x509\":{\"clientCAFile\":\"x/./..//../.." CA
         "\"}}",
         P, .says = " " CA},
	{"authentication.x509.clientCAFile", "",
         ",\"authentication\":{\"x509\":{\"clientCAFile\":\"pki/no\"}}", P,
         .says = "/etc/kubernetes/pki/no"},
	{"authentication.x509.clientCAFile", "",
         ",\"authentication\":{\"x509\":{\"clientCAFile\":null}}", F},
	{"authentication.x509.clientCAFile", "--client-ca-file=/pki/no", "", F,
         .says = "/pki/no holds no certificate"},
	{"authentication.x509.clientCAFile", "--client-ca-file=/pki", "", F},
	{"authentication.x509.clientCAFile", "--client-ca-file=/pki/later", "",
         P, .note = "file-not-there-yet"},

	/* the serving certificate and its key, or the cluster's */
	{"tlsCertFile+tlsPrivateKeyFile", "", "", F,
         .says = "start with neither tlsCertFile nor tlsPrivateKeyFile"},
	{"tlsCertFile+tlsPrivateKeyFile", "--tls-cert-file=" CA, "", F,
         .says = "start with tlsCertFile = " CA " and no tlsPrivateKeyFile"},
	{"tlsCertFile+tlsPrivateKeyFile", "--tls-private-key-file=/pki/key", "",
         F, .says = "with no tlsCertFile and tlsPrivateKeyFile = /pki/key"},
	{"tlsCertFile+tlsPrivateKeyFile",
         "--tls-cert-file=" CA " --tls-private-key-file=/pki/key", "", P, true,
         "is " CA " and tlsPrivateKeyFile is /pki/key", .note = "key-not-read"},
	{"tlsCertFile+tlsPrivateKeyFile", "--tls-private-key-file=/pki/key",
         ",\"tlsCertFile\":\"" CA "\"", P, .edition = "cis-1.12"},
	{"tlsCertFile+tlsPrivateKeyFile", "",
         ",\"tlsCertFile\":\"" CA "\",\"tlsPrivateKeyFile\":null", F},
	{"tlsCertFile+tlsPrivateKeyFile", "",
         ",\"tlsCertFile\":\"/pki/no\","
         "\"tlsPrivateKeyFile\":\"/pki/key\"",
         F, .says = "/pki/no holds no certificate"},
	{"tlsCertFile+tlsPrivateKeyFile", "",
         ",\"tlsCertFile\":\"" CA "\",\"tlsPrivateKeyFile\":\"/pki\"", F,
         .says = "/pki is no file"},
	{"tlsCertFile+tlsPrivateKeyFile", "", ",\"serverTLSBootstrap\":true", P,
         true, "passes, as serverTLSBootstrap is true", .edition = "cis-1.12",
         .scanner = "written down"},
	{"tlsCertFile+tlsPrivateKeyFile", "--rotate-server-certificates", "",
         P},
	{"tlsCertFile+tlsPrivateKeyFile", "", "", N, .edition = "eks-1.8"},

	/* cipher suites: some, and none but the edition's */
	{"tlsCipherSuites", "", "", F, .says = "start with no tlsCipher"},
	{"tlsCipherSuites", "--tls-cipher-suites=" GCM, "", P, true},
	{"tlsCipherSuites", "--tls-cipher-suites=" GCM "," RSA, "", F},
	{"tlsCipherSuites", "--tls-cipher-suites=" GCM "," RSA, "", F,
         .edition = "cis-1.12"},
	{"tlsCipherSuites", "--tls-cipher-suites=" GCM "," RSA, "", P,
         .edition = "cis-1.11"},
	{"tlsCipherSuites", "--tls-cipher-suites=" CHACHA "_SHA256", "", P},
	{"tlsCipherSuites", "--tls-cipher-suites=" CBC, "", F,
         .edition = "cis-1.11"},
	{"tlsCipherSuites", "", ",\"tlsCipherSuites\":[\"" GCM "\"]", P},
	{"tlsCipherSuites", "", ",\"tlsCipherSuites\":[]", F},
	{"tlsCipherSuites", "", ",\"tlsCipherSuites\":null", F},
	{"tlsCipherSuites",
         "--tls-cipher-suites=", ",\"tlsCipherSuites\":[\"" GCM "\"]", F},
	{"tlsCipherSuites", "", ",\"tlsMinVersion\":\"VersionTLS13\"", P, true,
         "passes, as tlsMinVersion is VersionTLS13"},
	{"tlsCipherSuites", "--tls-min-version=VersionTLS12",
         ",\"tlsMinVersion\":\"VersionTLS13\"", F},

	/* nothing is demanded */
	{"tlsMinVersion", "", ",\"tlsMinVersion\":\"VersionTLS10\"", P,
         .says = CONFIG " decides"},
	{"authentication.webhook.enabled", "", NULL, P},
	{"healthzPort", "--healthz-port=0", "", P},
	{"tlsCertFile", "", "", P},
};

static const struct kr_rule *find_rule(const char *name)
{
	const struct kr_rule *rule = kr_rule_find(name, strlen(name));

	ck_assert_msg(rule != NULL, "%s", name);
	return rule;
}

static void write_kubeconfig(const char *user)
{
	char text[512];

	snprintf(text, sizeof(text),
	         "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
	         "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
	         "clusters: [{name: k, cluster: {server: 'https://k'}}]\n"
	         "users: [{name: u, user: %s}]\n",
	         user);
	kr_root_write("/k", text);
}

static struct kr_node *make_row(const char *args, const char *members,
                                const char *user, struct kr_diag *diag)
{
	char text[1024];

	kr_root_write(CA, CERTIFICATE);
	kr_root_write("/pki/no", "certificate");
	kr_root_write("/pki/key", "nobody reads it");
	snprintf(text, sizeof(text), "/usr/bin/kubelet %s%s",
	         members ? "--kubeconfig=/k --config=" CONFIG " " : "", args);
	kr_test_unit(text);
	if (members) {
		snprintf(text, sizeof(text), "{" GVK "%s}", members);
		kr_root_write(CONFIG, text);
	}
	if (user)
		write_kubeconfig(user);
	return kr_test_node(NULL, diag);
}

static struct kr_node *make_node(const char *args, const char *members,
                                 struct kr_diag *diag)
{
	return make_row(args, members, NULL, diag);
}

static const struct kr_edition *find_edition(const char *name)
{
	int id = name ? kr_edition_find(name) : -1;

	ck_assert_msg(!name || id >= 0, "%s", name);
	return name ? &kr_editions[id] : NULL;
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	const struct kr_audit_options options = {
		.explicit_wanted = row->explicit_wanted,
		.live = KR_STATE_ABSENT,
	};
	const struct kr_rule *rule = find_rule(row->name);
	const struct kr_rules rules = {&rule, 1, find_edition(row->edition)};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node =
		make_row(row->args, row->members, row->user, &diag);
	_cleanup_audit_ struct kr_audit *a = NULL;
	const struct kr_judgement *j;

	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	j = &a->items[0];
	ck_assert_msg(j->verdict == row->want, "%s %s %s: %s: %s", row->name,
	              row->args, row->members, kr_verdict_to_string(j->verdict),
	              j->reason);
	ck_assert_int_eq(a->verdict, row->want == N ? P : row->want);
	ck_assert_msg(!row->says || strstr(j->reason, row->says),
	              "%s %s %s: %s", row->name, row->args, row->members,
	              j->reason);
	ck_assert_msg(!row->note || kr_diag_find(&diag, row->note), "%s: no %s",
	              row->name, row->note);
	ck_assert_msg(!row->no_note || !kr_diag_find(&diag, row->no_note),
	              "%s: %s", row->name, row->no_note);
	ck_assert_msg(row->scanner
	                      ? j->scanner && strstr(j->scanner, row->scanner)
	                      : !j->scanner,
	              "%s %s: %s", row->name, row->args, j->scanner);
}
END_TEST

/* --- where it is said ---------------------------------------------------- */

/* A value that fails and one that passes, in each place and language. */
static const struct said {
	const char *name;
	const char *flag;       /* without dashes; NULL: a file alone */
	const char *path;       /* NULL: a flag alone */
	const char *bad, *good; /* as a flag has it */
	bool quoted;            /* a string in the file */
	bool list;              /* its only element */
	enum kr_verdict by_null;
} said[] = {
	{"authentication.anonymous.enabled", "anonymous-auth",
         "authentication.anonymous.enabled", "true", "false", .by_null = P},
	{"authorization.mode", "authorization-mode", "authorization.mode",
         "AlwaysAllow", "Webhook", true, .by_null = P},
	{"authentication.x509.clientCAFile", "client-ca-file",
         "authentication.x509.clientCAFile", "/pki/no", CA, true, .by_null = F},
	{"readOnlyPort", "read-only-port", "readOnlyPort", "10255", "0",
         .by_null = P},
	{"streamingConnectionIdleTimeout", "streaming-connection-idle-timeout",
         "streamingConnectionIdleTimeout", "-1s", "5m0s", true, .by_null = I},
	{"protectKernelDefaults", "protect-kernel-defaults",
         "protectKernelDefaults", "false", "true", .by_null = F},
	{"makeIPTablesUtilChains", "make-iptables-util-chains",
         "makeIPTablesUtilChains", "false", "true", .by_null = P},
	{"hostname-override", "hostname-override", NULL, "n1", ""},
	{"eventRecordQPS", "event-qps", "eventRecordQPS", NULL, "5",
         .by_null = P},
	{"rotateCertificates", "rotate-certificates", "rotateCertificates",
         "false", "true", .by_null = P},
	{"serverTLSBootstrap", "rotate-server-certificates",
         "serverTLSBootstrap", "false", "true", .by_null = F},
	{"featureGates.RotateKubeletServerCertificate", NULL,
         "featureGates.RotateKubeletServerCertificate", "false", "true",
         .by_null = F},
	{"tlsCipherSuites", "tls-cipher-suites", "tlsCipherSuites", RSA, GCM,
         true, true, .by_null = F},
	{"podPidsLimit", "pod-max-pids", "podPidsLimit", "-1", "4096",
         .by_null = F},
	{"seccompDefault", NULL, "seccompDefault", "false", "true",
         .by_null = F},
};

/* PATH with VALUE in a document of its own: of JSON, or of YAML's blocks. */
static char *make_document(const struct said *s, const char *value, bool yaml)
{
	char *text = NULL;
	size_t size, depth = 0;
	FILE *out = open_memstream(&text, &size);
	bool null = strcmp(value, "null") == 0;
	const char *quote = s->quoted && !null ? "\"" : "";
	const char *path = s->path;

	fputs(yaml ? "kind: KubeletConfiguration\n"
	             "apiVersion: kubelet.config.k8s.io/v1beta1\n"
	           : "{" GVK ",",
	      out);
	for (;; depth++) {
		size_t length = strcspn(path, ".");

		if (yaml)
			fprintf(out, "%*s%.*s:", (int)(2 * depth), "",
			        (int)length, path);
		else
			fprintf(out, "\"%.*s\":", (int)length, path);
		if (!path[length])
			break;
		fputs(yaml ? "\n" : "{", out);
		path += length + 1;
	}
	fprintf(out, s->list && !null ? " [%s%s%s]" : " %s%s%s", quote, value,
	        quote);
	for (size_t i = 0; !yaml && i <= depth; i++)
		fputs("}", out);
	fputs("\n", out);
	fclose(out);
	return text;
}

enum place {
	BY_FLAG,
	BY_JSON,
	BY_YAML,
	BY_JSON_DROPIN,
	BY_YAML_DROPIN,
	N_PLACES,
};

#define NOTHING "{" GVK "}\n"

static void write_node(const struct said *s, enum place place,
                       const char *value)
{
	_cleanup_free_ char *text = NULL;
	char words[512] = "/usr/bin/kubelet --kubeconfig=/k --config=" CONFIG
			  " --config-dir=/etc/kubernetes/kubelet.conf.d";
	bool dropin = place == BY_JSON_DROPIN || place == BY_YAML_DROPIN;

	kr_root_write(CA, CERTIFICATE);
	kr_root_write("/pki/no", "certificate");
	if (place == BY_FLAG)
		snprintf(words + strlen(words), sizeof(words) - strlen(words),
		         " --%s=%s", s->flag, value);
	else
		text = make_document(
			s, value, place == BY_YAML || place == BY_YAML_DROPIN);
	kr_root_write(CONFIG, text && !dropin ? text : NOTHING);
	kr_root_write("/etc/kubernetes/kubelet.conf.d/10-x.conf",
	              dropin ? text : NOTHING);
	kr_test_unit(words);
}

static void judge_said(const struct said *s, enum place place,
                       const char *value, enum kr_verdict want)
{
	static const enum kr_source_kind kinds[N_PLACES] = {
		KR_SOURCE_FLAG,       KR_SOURCE_CONFIG,     KR_SOURCE_CONFIG,
		KR_SOURCE_CONFIG_DIR, KR_SOURCE_CONFIG_DIR,
	};
	const struct kr_node_options node_options = {.root = kr_root_path,
	                                             .kubelet_version = "1.31"};
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	const struct kr_rule *rule = find_rule(s->name);
	const struct kr_rules rules = {&rule, 1, NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;
	const struct kr_source *source;

	write_node(s, place, value);
	ck_assert_int_eq(kr_node_open(&node_options, &diag, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &node_options, NULL, &diag), 0);
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_msg(a->items[0].verdict == want, "%s %d %s: %s: %s", s->name,
	              (int)place, value,
	              kr_verdict_to_string(a->items[0].verdict),
	              a->items[0].reason);
	if (strcmp(value, "null") == 0 || want == I)
		return;
	source = kr_judgement_deciding(&a->items[0]);
	ck_assert_ptr_nonnull(source);
	ck_assert_int_eq(source->field, rule->fields[0]);
	ck_assert_msg(source->kind == kinds[place] ||
	                      (place == BY_FLAG && !*value),
	              "%s %d %s: %s", s->name, (int)place, value,
	              kr_source_kind_to_string(source->kind));
}

START_TEST(test_said)
{
	const struct said *s = &said[_i / N_PLACES];
	enum place place = (enum place)(_i % N_PLACES);

	if (place == BY_FLAG ? !s->flag : !s->path)
		return;
	judge_said(s, place, s->good, P);
	if (s->bad)
		judge_said(s, place, s->bad, F);
	if (place == BY_JSON || place == BY_YAML)
		judge_said(s, place, "null", s->by_null);
}
END_TEST

/* --- by version ---------------------------------------------------------- */

static const struct {
	const char *name, *args, *version, *edition;
	enum kr_verdict want;
	const char *note;
	bool needs_version;
} versions[] = {
	{"streamingConnectionIdleTimeout", NO_TIMEOUT, "1.33", NULL, F},
	{"streamingConnectionIdleTimeout", NO_TIMEOUT, "1.34", NULL, P,
         "unused-setting"},
	{"streamingConnectionIdleTimeout", NO_TIMEOUT, "1.36", "eks-1.8", P,
         "unused-setting"},
	{"streamingConnectionIdleTimeout", NO_TIMEOUT, NULL, NULL, F, NULL,
         true},
	{"streamingConnectionIdleTimeout", "", "1.34", NULL, P},
	{"seccompDefault", "", "1.20", "cis-1.11", N},
	{"seccompDefault", "", "1.31", "cis-1.11", F},
	{"seccompDefault", "--seccomp-default", "1.24", NULL, I},
	{"seccompDefault",
         "--seccomp-default --feature-gates=SeccompDefault=true", "1.24", NULL,
         P},
	{"seccompDefault", "--seccomp-default", "1.25", NULL, P},
	{"eventRecordQPS", "", "1.26", "eks-1.8", P},
};

START_TEST(test_version)
{
	const struct kr_node_options node_options = {
		.root = kr_root_path, .kubelet_version = versions[_i].version};
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	const struct kr_rule *rule = find_rule(versions[_i].name);
	const struct kr_rules rules = {&rule, 1,
	                               find_edition(versions[_i].edition)};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;
	char words[256];

	snprintf(words, sizeof(words),
	         "/usr/bin/kubelet --kubeconfig=/k --config=" CONFIG " %s",
	         versions[_i].args);
	kr_root_write(CONFIG, NOTHING);
	kr_test_unit(words);
	ck_assert_int_eq(kr_node_open(&node_options, &diag, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &node_options, NULL, &diag), 0);
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_msg(a->items[0].verdict == versions[_i].want, "%s %s: %s: %s",
	              versions[_i].name, versions[_i].version,
	              kr_verdict_to_string(a->items[0].verdict),
	              a->items[0].reason);
	ck_assert(!versions[_i].note == !kr_diag_find(&diag, "unused-setting"));
	ck_assert_int_eq(a->items[0].needs_version, versions[_i].needs_version);
}
END_TEST

static unsigned registered(void *closure, struct kr_node *node)
{
	unsigned *n_asked = closure;

	(*n_asked)++;
	return 34;
}

/* Whom the API server knows is asked once, and only where it would tell: it is
 * the running kubelet's version, and the unit may start another. */
START_TEST(test_registered)
{
	unsigned n_asked = 0;
	const struct kr_node_options node_options = {
		.root = kr_root_path,
		.registered_version = registered,
		.registered_closure = &n_asked,
	};
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	const struct kr_rule *items[] = {
		find_rule("readOnlyPort"),
		find_rule("streamingConnectionIdleTimeout"),
	};
	const struct kr_rules first = {items, 1, NULL};
	const struct kr_rules both = {items, 2, NULL};
	const char *const argv[] = {"/usr/bin/kubelet", "--kubeconfig=/k",
	                            NO_TIMEOUT, NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL, *b = NULL;

	kr_test_process(argv, kr_realtime_usec() - KR_USEC_PER_SEC,
	                "/system.slice/kubelet.service");
	kr_test_unit("/usr/bin/kubelet --kubeconfig=/k " NO_TIMEOUT);
	ck_assert_int_eq(kr_node_open(&node_options, &diag, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &node_options, NULL, &diag), 0);
	ck_assert_int_eq(kr_audit_run(node, &first, &options, &diag, &a), 0);
	ck_assert_uint_eq(n_asked, 0);
	ck_assert_int_eq(kr_audit_run(node, &both, &options, &diag, &b), 0);
	ck_assert_uint_eq(n_asked, 1);
	ck_assert_int_eq(b->items[1].running.answer, KR_ANSWER_PASS);
	ck_assert_int_eq(b->items[1].disk.answer, KR_ANSWER_FAIL);
	ck_assert(b->items[1].needs_version);
}
END_TEST

/* --- the running kubelet ------------------------------------------------- */

/* What it was started with counts, of two fields too. */
START_TEST(test_running_pair)
{
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	const struct kr_rule *rule = find_rule("tlsCertFile+tlsPrivateKeyFile");
	const struct kr_rules rules = {&rule, 1, NULL};
	const char *const argv[] = {"kubelet", "--tls-cert-file=" CA,
	                            "--tls-private-key-file=/pki/key", NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;
	const struct kr_judgement *j;

	kr_test_process(argv, kr_realtime_usec(),
	                "/system.slice/kubelet.service");
	node = make_node("--rotate-server-certificates", "", &diag);
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	j = &a->items[0];
	ck_assert_int_eq(j->verdict, P);
	ck_assert_int_eq(j->running.state, KR_STATE_VALUE);
	ck_assert_int_eq(j->running.value.type, KR_TYPE_TREE);
	ck_assert_str_eq(kr_value_at(&j->running.value, "tlsCertFile"), CA);
	ck_assert_str_eq(kr_value_at(&j->running.value, "tlsPrivateKeyFile"),
	                 "/pki/key");
	ck_assert_str_eq(kr_value_at(&j->disk.value, "tlsCertFile"), "");
}
END_TEST

/* The configuration was changed since: what the argv does not say is unknown,
 * and with it what depends on it. */
static const struct {
	const char *name, *args[2], *members;
	enum kr_state running;
	size_t arg;
} changed[] = {
	/* a flag says one half */
	{"tlsCertFile+tlsPrivateKeyFile",
         {"--tls-cert-file=" CA},
         ",\"serverTLSBootstrap\":true",
         KR_STATE_UNKNOWN,
         3},
	/* the list fails, but for what the file may say now */
	{"tlsCipherSuites",
         {"--tls-cipher-suites=" RSA},
         ",\"tlsMinVersion\":\"VersionTLS13\"",
         KR_STATE_VALUE,
         3},
	/* the argument is that of the gate, not of what is looked at */
	{"featureGates.RotateKubeletServerCertificate",
         {"--feature-gates=RotateKubeletServerCertificate=true",
          "--rotate-server-certificates"},
         "",
         KR_STATE_TRUE,
         3},
};

START_TEST(test_changed)
{
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	const struct kr_rule *rule = find_rule(changed[_i].name);
	const struct kr_rules rules = {&rule, 1, NULL};
	const char *const argv[] = {"kubelet",           "--kubeconfig=/k",
	                            "--config=" CONFIG,  changed[_i].args[0],
	                            changed[_i].args[1], NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;
	const struct kr_judgement *j;
	bool known = changed[_i].running == KR_STATE_TRUE;

	kr_test_process(argv, kr_realtime_usec() - 2 * KR_USEC_PER_SEC,
	                "/system.slice/kubelet.service");
	node = make_node("", changed[_i].members, &diag);
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	j = &a->items[0];
	ck_assert_uint_gt(a->changed.n_items, 0);
	ck_assert_msg(j->running.state == changed[_i].running, "%s: %s: %s",
	              rule->name, kr_state_to_string(j->running.state),
	              j->running.reason);
	ck_assert_int_eq(j->disk.answer, KR_ANSWER_PASS);
	ck_assert_int_eq(j->running.answer,
	                 known ? KR_ANSWER_PASS : KR_ANSWER_NONE);
	ck_assert_msg(j->verdict == (known ? P : U), "%s: %s", rule->name,
	              j->reason);
	ck_assert_msg(known || strstr(j->reason, "changed after"), "%s: %s",
	              rule->name, j->reason);
	ck_assert_uint_eq(j->running_arg, changed[_i].arg);
}
END_TEST

/* What configz says of each field is a view, too, and of what it never shows
 * none. */
START_TEST(test_live)
{
	struct kr_configz_values values;
	struct kr_configz_value *live = values.items;
	struct kr_audit_options options = {.live_values = &values};
	const struct kr_rule *items[] = {find_rule("readOnlyPort"),
	                                 find_rule("hostname-override"),
	                                 find_rule("podPidsLimit")};
	const struct kr_rules rules = {items, ARRAY_SIZE(items), NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node =
		make_node("--pod-max-pids=5", "", &diag);
	_cleanup_audit_ struct kr_audit *a = NULL;

	for (size_t i = 0; i < KR_N_FIELDS; i++)
		live[i] = (struct kr_configz_value){
			KR_STATE_ABSENT, .reason = "it never shows it"};
	live[KR_FIELD_READ_ONLY_PORT] = (struct kr_configz_value){
		KR_STATE_VALUE, {.type = KR_TYPE_INT32, .n = 10255}, "so"};
	live[KR_FIELD_POD_PIDS] = (struct kr_configz_value){
		KR_STATE_UNKNOWN, .reason = "no answer"};
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_int_eq(a->items[0].verdict, F);
	ck_assert_int_eq(a->items[0].live.value.n, 10255);
	ck_assert(a->items[0].restart_needed);
	ck_assert_int_eq(a->items[1].verdict, P);
	ck_assert_int_eq(a->items[1].live.state, KR_STATE_ABSENT);
	ck_assert_int_eq(a->items[2].verdict, U);
	ck_assert_ptr_nonnull(kr_diag_find(&diag, "live-disagrees"));
}
END_TEST

/* configz leaves a false out: that is what nothing sets, which passes. One that
 * is set fails by another view. */
START_TEST(test_left_out)
{
	struct kr_configz_values values = {0};
	struct kr_audit_options options = {.live_values = &values};
	const struct kr_rule *rule = find_rule("rotateCertificates");
	const struct kr_rules rules = {&rule, 1, NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node =
		make_node(_i ? "--rotate-certificates=false" : "", "", &diag);
	_cleanup_audit_ struct kr_audit *a = NULL;

	values.items[KR_FIELD_ROTATE_CERTIFICATES] = (struct kr_configz_value){
		KR_STATE_FALSE, .reason = "so", .left_out = true};
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_int_eq(a->items[0].live.answer, KR_ANSWER_PASS);
	ck_assert_int_eq(a->items[0].verdict, _i ? F : P);
}
END_TEST

/* A certificate that kubelet shows since it has made it itself is none that was
 * given to it. */
START_TEST(test_self_made)
{
	struct kr_configz_values values;
	struct kr_configz_value *live = values.items;
	struct kr_audit_options options = {.live_values = &values};
	const struct kr_rule *rule = find_rule("tlsCertFile+tlsPrivateKeyFile");
	const struct kr_rules rules = {&rule, 1, NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = make_node("", "", &diag);
	_cleanup_audit_ struct kr_audit *a = NULL;

	for (size_t i = 0; i < KR_N_FIELDS; i++)
		live[i] = (struct kr_configz_value){KR_STATE_UNKNOWN,
		                                    .reason = "no"};
	live[KR_FIELD_TLS_CERT] = (struct kr_configz_value){
		KR_STATE_VALUE,
		{.type = KR_TYPE_STRING, .s = (char[]){"/pki/kubelet.crt"}},
		"so",
		.self_made = true};
	live[KR_FIELD_TLS_KEY] = (struct kr_configz_value){
		KR_STATE_VALUE,
		{.type = KR_TYPE_STRING, .s = (char[]){"/pki/kubelet.key"}},
		"so",
		.self_made = true};
	live[KR_FIELD_SERVER_BOOTSTRAP] =
		(struct kr_configz_value){KR_STATE_FALSE, .reason = "so"};
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_int_eq(a->items[0].verdict, F);
	ck_assert_str_eq(kr_value_at(&a->items[0].live.value, "tlsCertFile"),
	                 "");
	ck_assert_int_eq(a->items[0].live.answer, KR_ANSWER_FAIL);
}
END_TEST

/* What is waived is judged, and fails nothing. */
START_TEST(test_waived)
{
	struct kr_waiver lines[] = {{.name = (char[]){"readOnlyPort"},
	                             .reason = (char[]){"metrics"}}};
	const struct kr_waivers waivers = {lines, ARRAY_SIZE(lines)};
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT,
	                                         .waivers = &waivers};
	const struct kr_rule *items[] = {find_rule("readOnlyPort"),
	                                 find_rule("makeIPTablesUtilChains")};
	const struct kr_rules rules = {items, ARRAY_SIZE(items), NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node =
		make_node("--read-only-port=1", "", &diag);
	_cleanup_audit_ struct kr_audit *a = NULL;

	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_int_eq(a->items[0].verdict, KR_VERDICT_WAIVED);
	ck_assert_int_eq(a->items[0].disk.answer, KR_ANSWER_FAIL);
	ck_assert_str_eq(a->items[0].waiver->reason, "metrics");
	ck_assert_ptr_null(a->items[1].waiver);
	ck_assert_int_eq(a->verdict, P);
	ck_assert_ptr_eq(a->reason, a->items[1].reason);
}
END_TEST

/* A kubelet that would not start is no pass, whatever is waived. */
START_TEST(test_waived_invalid)
{
	struct kr_waiver lines[] = {{.name = (char[]){"readOnlyPort"},
	                             .reason = (char[]){"metrics"}}};
	const struct kr_waivers waivers = {lines, ARRAY_SIZE(lines)};
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT,
	                                         .waivers = &waivers};
	const struct kr_rule *item = find_rule("readOnlyPort");
	const struct kr_rules rules = {&item, 1, NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node =
		make_node("--read-only-port=x", "", &diag);
	_cleanup_audit_ struct kr_audit *a = NULL;

	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_int_eq(a->items[0].verdict, KR_VERDICT_INVALID);
	ck_assert_int_eq(a->verdict, KR_VERDICT_INVALID);
	ck_assert_str_eq(a->items[0].waiver->reason, "metrics");
}
END_TEST

/* --- several ------------------------------------------------------------- */

/* All rules over one node; the worst is the whole's, its reason the first's. */
START_TEST(test_several)
{
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	const struct kr_rule *items[] = {
		find_rule("tlsMinVersion"),
		find_rule("makeIPTablesUtilChains"),
		find_rule("readOnlyPort"),
		find_rule("protectKernelDefaults"),
	};
	const struct kr_rules rules = {items, ARRAY_SIZE(items), NULL};
	static const enum kr_verdict want[] = {P, P, F, F};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node =
		make_node("--read-only-port=1", "", &diag);
	_cleanup_audit_ struct kr_audit *a = NULL;

	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_uint_eq(a->n_items, ARRAY_SIZE(items));
	for (size_t i = 0; i < a->n_items; i++) {
		ck_assert_ptr_eq(a->items[i].rule, items[i]);
		ck_assert_int_eq(a->items[i].verdict, want[i]);
	}
	ck_assert_int_eq(a->verdict, F);
	ck_assert_ptr_eq(a->reason, a->items[2].reason);
}
END_TEST

/* A value that nothing refuses and one that does: the whole fails. */
START_TEST(test_order)
{
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	static const char process[] = "kubelet";
	const struct kr_rule *items[] = {
		find_rule("makeIPTablesUtilChains"),
		find_rule("readOnlyPort"),
	};
	const struct kr_rules rules = {items, ARRAY_SIZE(items), NULL};
	const char *const argv[] = {process, "--read-only-port=1", NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;

	kr_test_process(argv, kr_realtime_usec(),
	                "/system.slice/kubelet.service");
	node = make_node("--max-pods=x", "", &diag);
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_int_eq(a->items[0].verdict, I);
	ck_assert_int_eq(a->items[1].verdict, F);
	ck_assert_int_eq(a->verdict, F);
	ck_assert_str_eq(a->reason, "kubelet runs with readOnlyPort = 1");
}
END_TEST

/* Another program starts kubelet and may set what nothing here does: none of
 * the defaults is known, not even that it is one of two. */
START_TEST(test_foreign)
{
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	static const char *const units[] = {
		"[Service]\nExecStart=/usr/local/bin/k3s agent\n",
		"[Service]\nExecStart=/usr/bin/snap run kubelet.daemon\n",
	};
	const struct kr_node_options node_options = {.root = kr_root_path};
	const struct kr_rule *items[] = {
		find_rule("eventRecordQPS"),
		find_rule("readOnlyPort"),
	};
	const struct kr_rules rules = {items, ARRAY_SIZE(items), NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;

	kr_root_write("/etc/systemd/system/kubelet.service", units[_i]);
	ck_assert_int_eq(kr_node_open(&node_options, &diag, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &node_options, NULL, &diag), 0);
	ck_assert_ptr_nonnull(node->disk.foreign);
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	for (size_t i = 0; i < a->n_items; i++) {
		ck_assert_msg(a->items[i].verdict == U, "%s: %s: %s",
		              items[i]->name,
		              kr_verdict_to_string(a->items[i].verdict),
		              a->items[i].reason);
		ck_assert(!a->items[i].disk.either_default);
	}
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rules", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_table, 0, (int)kr_rules_n);
	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_said, 0, (int)ARRAY_SIZE(said) * N_PLACES);
	tcase_add_loop_test(tc, test_version, 0, ARRAY_SIZE(versions));
	tcase_add_test(tc, test_registered);
	tcase_add_test(tc, test_running_pair);
	tcase_add_loop_test(tc, test_changed, 0, ARRAY_SIZE(changed));
	tcase_add_test(tc, test_live);
	tcase_add_loop_test(tc, test_left_out, 0, 2);
	tcase_add_test(tc, test_self_made);
	tcase_add_test(tc, test_waived);
	tcase_add_test(tc, test_waived_invalid);
	tcase_add_test(tc, test_several);
	tcase_add_test(tc, test_order);
	tcase_add_loop_test(tc, test_foreign, 0, 2);
}

KR_TEST_MAIN(add_tests);
