/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Demands by edition.
 *
 * Most of what is demanded is the same in all of them, and stands in the row of
 * the rule (policy/rules). Editions differ in the bits that a file may have, in
 * the list of cipher suites, and in what kube-bench, which follows them, looks
 * for: it reads words, not what kubelet makes of them. So it calls a fail what
 * nothing sets, where the edition has no word for kubelet's default.
 *
 * Where no edition was chosen, the strictest of the newest counts: 0600 but for
 * the client CA, which others read, and the six suites of CIS 1.12.
 *
 * OpenShift's edition is held to its own bits, which are those of its files.
 *
 * Source: the benchmarks' texts by way of kube-bench's cfg/, edition by
 * edition.
 */

#include <string.h>

#include "base/macro.h"
#include "base/vec.h"
#include "policy/demands.h"

/* By edition, in the order of enum kr_edition_id: EKS, AKS, GKE, CIS,
 * OpenShift, RKE2, K3s. A blank: the edition has not this control, or wants
 * nothing more.
 */
/* clang-format off */
static const struct row {
	const char *rule;    /* its name */
	const char *modes;   /* '4': 0644, '6': 0600; NULL: no file */
	const char *scanner; /* 'w'ritten, 'z'ero, '6'; NULL: nothing */
} rows[] = {
	{"authentication.anonymous.enabled", NULL,
	 "wwwwwwwwww wwwwwwwwwww ww"},
	{"authorization.mode", NULL,
	 "wwwwwwwwww wwwwwwwwwww ww"},
	{"readOnlyPort", NULL,
	 "wwwwwwwww                "},
	{"eventRecordQPS", NULL,
	 "zww  zzzzz zzzz          "},
	{"tlsCertFile+tlsPrivateKeyFile", NULL,
	 "        w  wwwwwwwwwww w "},
	{"rotateCertificates", NULL,
	 "                      w  "},
	{"featureGates.RotateKubeletServerCertificate", NULL,
	 "wwwwwwwwww            w  "},
	{"tlsCipherSuites", NULL,
	 "           wwwwwwwwwww ww"},
	{"mode:unit", 
	 "           44446666666466", NULL},
	{"mode:kubeconfig", 
	 "44444444  444446666666466", NULL},
	{"mode:clientCA", 
	 "           44444466644444",
	 "               66      66"},
	{"mode:config", 
	 "444444  46444446666666666", NULL},
};
/* clang-format on */

static const struct row *find_row(const struct kr_rule *rule)
{
	return KR_FIND(rows, ARRAY_SIZE(rows), rule, rule->name);
}

/* --- files --------------------------------------------------------------- */

mode_t kr_demand_mode(const struct kr_rule *rule,
                      const struct kr_edition *edition)
{
	const struct row *row = find_row(rule);
	const char *its =
		row && edition ? &row->modes[kr_edition_id(edition)] : " ";

	if (*its == ' ')
		return rule->files == KR_FILES_CLIENT_CA ? 0644 : 0600;
	return *its == '4' ? 0644 : 0600;
}

const char *kr_rule_demand(const struct kr_rule *rule,
                           const struct kr_edition *edition)
{
	if (rule->subject != KR_SUBJECT_MODE)
		return rule->demand;
	return kr_demand_mode(rule, edition) == 0644 ? "is 0644 or stricter"
	                                             : "is 0600 or stricter";
}

/* Who is not root may need the client CA: the API server of a control plane
 * that was made so, and who talks to kubelet. */
enum kr_policy kr_rule_policy(const struct kr_rule *rule,
                              const struct kr_edition *edition)
{
	if (rule->subject == KR_SUBJECT_MODE &&
	    rule->files == KR_FILES_CLIENT_CA &&
	    kr_demand_mode(rule, edition) == 0600)
		return KR_POLICY_ASK;
	return rule->policy;
}

/* --- ciphers ------------------------------------------------------------- */

/* The last two are those of the editions before CIS Kubernetes 1.12. */
static const char *const ciphers[] = {
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
	"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
	"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
	"TLS_RSA_WITH_AES_256_GCM_SHA384",
	"TLS_RSA_WITH_AES_128_GCM_SHA256",
};

#define N_STRONG 6

/* The whole name of NAME, of which editions give the short one: Go's names of
 * the two suites with ChaCha20 end in "_SHA256" as well. */
static bool is_cipher(const char *name, const char *its)
{
	size_t length = strlen(its);

	if (strncmp(name, its, length) != 0)
		return false;
	return !name[length] || (strstr(its, "CHACHA20") &&
	                         strcmp(name + length, "_SHA256") == 0);
}

bool kr_demand_allows_cipher(const struct kr_edition *edition, const char *name)
{
	size_t n = N_STRONG;

	if (edition && edition != &kr_editions[KR_CIS_1_12] &&
	    edition != &kr_editions[KR_RH_1_8])
		n = ARRAY_SIZE(ciphers);
	return KR_ANY(cipher, ciphers, n, is_cipher(name, *cipher));
}

/* --- numbers ------------------------------------------------------------- */

const struct kr_edition *kr_demand_numbers(const struct kr_rule *rule,
                                           const struct kr_edition *chosen,
                                           const struct kr_edition *its)
{
	const char *weak = ciphers[N_STRONG];

	if (chosen)
		its = chosen;
	if (!*kr_edition_number(its, rule->name))
		return NULL;
	if (strcmp(kr_rule_demand(rule, its), kr_rule_demand(rule, chosen)) !=
	    0)
		return NULL;
	if (rule->fields[0] == KR_FIELD_TLS_CIPHERS &&
	    kr_demand_allows_cipher(its, weak) !=
	            kr_demand_allows_cipher(chosen, weak))
		return NULL;
	return its;
}

/* --- scanners ------------------------------------------------------------ */

enum kr_scanner kr_demand_scanner(const struct kr_rule *rule,
                                  const struct kr_edition *edition)
{
	const struct row *row = edition ? find_row(rule) : NULL;

	switch (row && row->scanner ? row->scanner[kr_edition_id(edition)]
	                            : ' ') {
	case 'w':
		return KR_SCANNER_WRITTEN;
	case 'z':
		return KR_SCANNER_ZERO;
	case '6':
		return KR_SCANNER_0600;
	default:
		return KR_SCANNER_NOTHING;
	}
}

const char *kr_scanner_text(enum kr_scanner scanner)
{
	switch (scanner) {
	case KR_SCANNER_WRITTEN:
		return "kube-bench passes it only where it is written down";
	case KR_SCANNER_ZERO:
		return "kube-bench passes only a 0 that is written down";
	case KR_SCANNER_0600:
		return "kube-bench passes only 0600 or stricter";
	default:
		return NULL;
	}
}
