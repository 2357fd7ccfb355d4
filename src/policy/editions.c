/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The editions.
 *
 * One number is another control in another edition: 3.2.6 is
 * protectKernelDefaults in EKS 1.2 and makeIPTablesUtilChains in EKS 1.5. So a
 * number counts only with its edition.
 *
 * An edition of CIS Kubernetes is made for certain versions of kubelet; the
 * clouds' editions are made for whatever the cloud runs, so that the newest is
 * the one. GKE 1.8 and 1.9 have no kubelet section but for its files: 1.6 is
 * the newest that has one. Where kubelet's version is not known, or later than
 * all of them, it is the newest.
 *
 * All of it is level 1 but eventRecordQPS and, on EKS, rotateCertificates.
 *
 * Source: kube-bench's cfg/ (the texts "4.x" and "3.x", scored and automated),
 * its target mapping, and the benchmarks' own lists of changes.
 */

#include <string.h>

#include "base/macro.h"
#include "node/kubelet-version.h"
#include "policy/editions.h"

const struct kr_edition kr_editions[KR_N_EDITIONS] = {
	[KR_EKS_1_0] = {"eks-1.0.1", "CIS Amazon EKS", "1.0.1"},
	[KR_EKS_1_2] = {"eks-1.2.0", "CIS Amazon EKS", "1.2.0"},
	[KR_EKS_1_5] = {"eks-1.5.0", "CIS Amazon EKS", "1.5.0"},
	[KR_EKS_1_7] = {"eks-1.7.0", "CIS Amazon EKS", "1.7.0"},
	[KR_EKS_1_8] = {"eks-1.8.0", "CIS Amazon EKS", "1.8.0"},
	[KR_AKS_1_0] = {"aks-1.0", "CIS Azure AKS", "1.0"},
	[KR_AKS_1_7] = {"aks-1.7", "CIS Azure AKS", "1.7"},
	[KR_AKS_1_8] = {"aks-1.8", "CIS Azure AKS", "1.8"},
	[KR_GKE_1_2] = {"gke-1.2.0", "CIS Google GKE", "1.2.0"},
	[KR_GKE_1_6] = {"gke-1.6.0", "CIS Google GKE", "1.6.0"},
	[KR_GKE_1_9] = {"gke-1.9.0", "CIS Google GKE", "1.9.0"},
	[KR_CIS_1_5] = {"cis-1.5", "CIS Kubernetes", "1.5"},
	[KR_CIS_1_6] = {"cis-1.6", "CIS Kubernetes", "1.6"},
	[KR_CIS_1_20] = {"cis-1.20", "CIS Kubernetes", "1.20"},
	[KR_CIS_1_23] = {"cis-1.23", "CIS Kubernetes", "1.23"},
	[KR_CIS_1_24] = {"cis-1.24", "CIS Kubernetes", "1.24"},
	[KR_CIS_1_7] = {"cis-1.7", "CIS Kubernetes", "1.7"},
	[KR_CIS_1_8] = {"cis-1.8", "CIS Kubernetes", "1.8"},
	[KR_CIS_1_9] = {"cis-1.9", "CIS Kubernetes", "1.9"},
	[KR_CIS_1_10] = {"cis-1.10", "CIS Kubernetes", "1.10"},
	[KR_CIS_1_11] = {"cis-1.11", "CIS Kubernetes", "1.11"},
	[KR_CIS_1_12] = {"cis-1.12", "CIS Kubernetes", "1.12"},
	[KR_RH_1_8] = {"rh-1.8", "CIS Red Hat OpenShift", "1.8", true},
	[KR_RKE2_1_8] = {"rke2-cis-1.8", "CIS RKE2", "1.8", true},
	[KR_K3S_1_9] = {"k3s-cis-1.9", "CIS K3s", "1.9", true},
};

enum kr_edition_id kr_edition_id(const struct kr_edition *edition)
{
	return (enum kr_edition_id)(edition - kr_editions);
}

/* --- which one ----------------------------------------------------------- */

int kr_edition_find(const char *name)
{
	size_t length = strlen(name);

	for (int i = 0; i < KR_N_EDITIONS; i++) {
		const char *its = kr_editions[i].name;
		const char *rest = its + length;

		if (strncmp(its, name, length) != 0)
			continue;
		/* "eks-1.8" is eks-1.8.0, "eks-1" is none */
		if (!*rest || (*rest == '.' && strchr(name, '.')))
			return i;
	}
	return -1;
}

void kr_edition_short_name(const struct kr_edition *edition,
                           char ret[static KR_EDITION_NAME_SIZE])
{
	char *dot;

	strlcpy(ret, edition->name, KR_EDITION_NAME_SIZE);
	dot = strchr(ret, '.');
	dot = dot ? strchr(dot + 1, '.') : NULL;
	if (dot)
		*dot = '\0';
}

/* The first whose kubelets go up to MINOR. */
static const struct {
	unsigned minor;
	enum kr_edition_id edition;
} by_version[] = {
	{15, KR_CIS_1_5},  {18, KR_CIS_1_6},  {21, KR_CIS_1_20},
	{23, KR_CIS_1_23}, {24, KR_CIS_1_24}, {25, KR_CIS_1_7},
	{26, KR_CIS_1_8},  {27, KR_CIS_1_9},  {28, KR_CIS_1_10},
	{31, KR_CIS_1_11},
};

static const struct {
	const char *platform;
	enum kr_edition_id edition;
} by_platform[] = {
	{"eks-al2023", KR_EKS_1_8},    {"eks-al2", KR_EKS_1_8},
	{"eks-auto", KR_EKS_1_8},      {"eks-eksctl", KR_EKS_1_8},
	{"eks-hybrid", KR_EKS_1_8},    {"eks-ubuntu", KR_EKS_1_8},
	{"aks", KR_AKS_1_8},           {"gke", KR_GKE_1_6},
	{"gke-autopilot", KR_GKE_1_6}, {"openshift", KR_RH_1_8},
	{"rke2", KR_RKE2_1_8},         {"k3s", KR_K3S_1_9},
};

enum kr_edition_id kr_edition_for(const char *platform, unsigned minor)
{
	for (size_t i = 0; platform && i < ARRAY_SIZE(by_platform); i++) {
		if (strcmp(by_platform[i].platform, platform) == 0)
			return by_platform[i].edition;
	}
	for (size_t i = 0; minor > 0 && i < ARRAY_SIZE(by_version); i++) {
		if (minor <= by_version[i].minor)
			return by_version[i].edition;
	}
	return KR_CIS_1_12;
}

int kr_edition_of_node(struct kr_node *node, const struct kr_edition **ret,
                       bool *ret_newest)
{
	const char *platform = node->platform ? node->platform->id : NULL;
	unsigned minor = 0;
	int r = kr_kubelet_version_told(node, &minor);

	if (r < 0)
		return r;
	*ret = &kr_editions[kr_edition_for(platform, minor)];
	/* a platform's own edition is for every version */
	if (ret_newest)
		*ret_newest = minor == 0 && *ret == &kr_editions[KR_CIS_1_12];
	return 0;
}

/* --- what it has --------------------------------------------------------- */

/* By edition, in the order of the enum: A(utomated), M(anual); the numbers. */
/* clang-format off */
static const struct row {
	const char *name, *assessments;
	const char *ids[KR_N_EDITIONS];
} rows[] = {
	{"authentication.anonymous.enabled",
	 "AAAAAMAAAA AAAAAAAAAAAAAA",
	 {"3.2.1", "3.2.1", "3.2.1", "3.2.1", "3.2.1", "3.2.1", "3.2.1",
	  "3.2.1", "3.2.1", "3.2.1", NULL, "4.2.1", "4.2.1", "4.2.1", "4.2.1",
	  "4.2.1", "4.2.1", "4.2.1", "4.2.1", "4.2.1", "4.2.1", "4.2.1",
	  "4.2.2", "4.2.1", "4.2.1"}},
	{"authorization.mode",
	 "AAAAAMAAAA AAAAAAAAAAAAAA",
	 {"3.2.2", "3.2.2", "3.2.2", "3.2.2", "3.2.2", "3.2.2", "3.2.2",
	  "3.2.2", "3.2.2", "3.2.2", NULL, "4.2.2", "4.2.2", "4.2.2", "4.2.2",
	  "4.2.2", "4.2.2", "4.2.2", "4.2.2", "4.2.2", "4.2.2", "4.2.2",
	  "4.2.3", "4.2.2", "4.2.2"}},
	{"authentication.x509.clientCAFile",
	 "MMAAAMAAAA AAAAAAAAAAAAAA",
	 {"3.2.3", "3.2.3", "3.2.3", "3.2.3", "3.2.3", "3.2.3", "3.2.3",
	  "3.2.3", "3.2.3", "3.2.3", NULL, "4.2.3", "4.2.3", "4.2.3", "4.2.3",
	  "4.2.3", "4.2.3", "4.2.3", "4.2.3", "4.2.3", "4.2.3", "4.2.3",
	  "4.2.4", "4.2.3", "4.2.3"}},
	{"readOnlyPort",
	 "MMAAAMAAMA AMMMMMMMMMMAAA",
	 {"3.2.4", "3.2.4", "3.2.4", "3.2.4", "3.2.4", "3.2.4", "3.2.4",
	  "3.2.4", "3.2.4", "3.2.4", NULL, "4.2.4", "4.2.4", "4.2.4", "4.2.4",
	  "4.2.4", "4.2.4", "4.2.4", "4.2.4", "4.2.4", "4.2.4", "4.2.4",
	  "4.2.5", "4.2.4", "4.2.4"}},
	{"streamingConnectionIdleTimeout",
	 "MAAAAMAAAA AMMMMMMMMMMAAM",
	 {"3.2.5", "3.2.5", "3.2.5", "3.2.5", "3.2.5", "3.2.5", "3.2.5",
	  "3.2.5", "3.2.5", "3.2.5", NULL, "4.2.5", "4.2.5", "4.2.5", "4.2.5",
	  "4.2.5", "4.2.5", "4.2.5", "4.2.5", "4.2.5", "4.2.5", "4.2.5",
	  "4.2.6", "4.2.5", "4.2.5"}},
	{"protectKernelDefaults",
	 "AA   M  M  AAAAA         ",
	 {"3.2.6", "3.2.6", NULL, NULL, NULL, "3.2.6", NULL, NULL, "3.2.6",
	  NULL, NULL, "4.2.6", "4.2.6", "4.2.6", "4.2.6", "4.2.6", NULL, NULL,
	  NULL, NULL, NULL, NULL, NULL, NULL, NULL}},
	{"makeIPTablesUtilChains",
	 "AAAAAMAAAA AAAAAAAAAAAMAA",
	 {"3.2.7", "3.2.7", "3.2.6", "3.2.6", "3.2.6", "3.2.7", "3.2.6",
	  "3.2.6", "3.2.7", "3.2.6", NULL, "4.2.7", "4.2.7", "4.2.7", "4.2.7",
	  "4.2.7", "4.2.6", "4.2.6", "4.2.6", "4.2.6", "4.2.6", "4.2.6",
	  "4.2.7", "4.2.6", "4.2.6"}},
	{"hostname-override",
	 "MM   M  M  MMMMMMMMMMM MA",
	 {"3.2.8", "3.2.8", NULL, NULL, NULL, "3.2.8", NULL, NULL, "3.2.8",
	  NULL, NULL, "4.2.8", "4.2.8", "4.2.8", "4.2.8", "4.2.8", "4.2.7",
	  "4.2.7", "4.2.7", "4.2.7", "4.2.7", "4.2.7", NULL, "4.2.7",
	  "4.2.7"}},
	{"eventRecordQPS",
	 "AAAAAMAAAA MMMMMMMMMMMMMM",
	 {"3.2.9", "3.2.9", "3.2.7", "3.2.7", "3.2.7", "3.2.9", "3.2.7",
	  "3.2.7", "3.2.9", "3.2.7", NULL, "4.2.9", "4.2.9", "4.2.9", "4.2.9",
	  "4.2.9", "4.2.8", "4.2.8", "4.2.8", "4.2.8", "4.2.8", "4.2.8",
	  "4.2.8", "4.2.8", "4.2.8"}},
	{"tlsCertFile+tlsPrivateKeyFile",
	 "        M  AMMMMMMMMMMMMA",
	 {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "3.2.10", NULL,
	  NULL, "4.2.10", "4.2.10", "4.2.10", "4.2.10", "4.2.10", "4.2.9",
	  "4.2.9", "4.2.9", "4.2.9", "4.2.9", "4.2.9", "4.2.9", "4.2.9",
	  "4.2.9"}},
	{"rotateCertificates",
	 "MMAAAMAAMA AMAAAAAAAAAMAA",
	 {"3.2.10", "3.2.10", "3.2.8", "3.2.8", "3.2.8", "3.2.10", "3.2.8",
	  "3.2.8", "3.2.11", "3.2.8", NULL, "4.2.11", "4.2.11", "4.2.11",
	  "4.2.11", "4.2.11", "4.2.10", "4.2.10", "4.2.10", "4.2.10",
	  "4.2.10", "4.2.10", "4.2.10", "4.2.10", "4.2.10"}},
	{"featureGates.RotateKubeletServerCertificate",
	 "MMAAAMAAAA AMMMMMMMMMMMMA",
	 {"3.2.11", "3.2.11", "3.2.9", "3.2.9", "3.2.9", "3.2.11", "3.2.9",
	  "3.2.9", "3.2.12", "3.2.9", NULL, "4.2.12", "4.2.12", "4.2.12",
	  "4.2.12", "4.2.12", "4.2.11", "4.2.11", "4.2.11", "4.2.11",
	  "4.2.11", "4.2.11", "4.2.11", "4.2.11", "4.2.11"}},
	{"tlsCipherSuites",
	 "           MMMMMMMMMMMMAM",
	 {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	  "4.2.13", "4.2.13", "4.2.13", "4.2.13", "4.2.13", "4.2.12",
	  "4.2.12", "4.2.12", "4.2.12", "4.2.12", "4.2.12", "4.2.13",
	  "4.2.12", "4.2.12"}},
	{"podPidsLimit",
	 "                MMMMMM MM",
	 {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	  NULL, NULL, NULL, NULL, NULL, "4.2.13", "4.2.13", "4.2.13",
	  "4.2.13", "4.2.13", "4.2.13", NULL, "4.2.13", "4.2.13"}},
	{"seccompDefault",
	 "                    MM   ",
	 {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "4.2.14",
	  "4.2.14", NULL, NULL, NULL}},
	{"mode:unit",
	 "           AAAAAAAAAAAAAA",
	 {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	  "4.1.1", "4.1.1", "4.1.1", "4.1.1", "4.1.1", "4.1.1", "4.1.1",
	  "4.1.1", "4.1.1", "4.1.1", "4.1.1", "4.1.1", "4.1.1", "4.1.1"}},
	{"owner:unit",
	 "           AAAAAAAAAAAAAA",
	 {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	  "4.1.2", "4.1.2", "4.1.2", "4.1.2", "4.1.2", "4.1.2", "4.1.2",
	  "4.1.2", "4.1.2", "4.1.2", "4.1.2", "4.1.2", "4.1.2", "4.1.2"}},
	{"mode:kubeconfig",
	 "MMAAAMAA  AAAAAAAAAAAAMAA",
	 {"3.1.1", "3.1.1", "3.1.1", "3.1.1", "3.1.1", "3.1.1", "3.1.1",
	  "3.1.1", NULL, NULL, "3.1.1", "4.1.5", "4.1.5", "4.1.5", "4.1.5",
	  "4.1.5", "4.1.5", "4.1.5", "4.1.5", "4.1.5", "4.1.5", "4.1.5",
	  "4.1.5", "4.1.5", "4.1.5"}},
	{"owner:kubeconfig",
	 "MMAAAMAA  AAMAAAAAAAAAMAA",
	 {"3.1.2", "3.1.2", "3.1.2", "3.1.2", "3.1.2", "3.1.2", "3.1.2",
	  "3.1.2", NULL, NULL, "3.1.2", "4.1.6", "4.1.6", "4.1.6", "4.1.6",
	  "4.1.6", "4.1.6", "4.1.6", "4.1.6", "4.1.6", "4.1.6", "4.1.6",
	  "4.1.6", "4.1.6", "4.1.6"}},
	{"mode:clientCA",
	 "           AMMMMMMMMMMMAA",
	 {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	  "4.1.7", "4.1.7", "4.1.7", "4.1.7", "4.1.7", "4.1.7", "4.1.7",
	  "4.1.7", "4.1.7", "4.1.7", "4.1.7", "4.1.7", "4.1.7", "4.1.7"}},
	{"owner:clientCA",
	 "           AMMMMMMMMMMAAA",
	 {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	  "4.1.8", "4.1.8", "4.1.8", "4.1.8", "4.1.8", "4.1.8", "4.1.8",
	  "4.1.8", "4.1.8", "4.1.8", "4.1.8", "4.1.8", "4.1.8", "4.1.8"}},
	{"mode:config",
	 "MMAAAM  MMAAAAAMMAAAAAAAA",
	 {"3.1.3", "3.1.3", "3.1.3", "3.1.3", "3.1.3", "3.1.3", NULL, NULL,
	  "3.1.3", "3.1.3", "3.1.3", "4.1.9", "4.1.9", "4.1.9", "4.1.9",
	  "4.1.9", "4.1.9", "4.1.9", "4.1.9", "4.1.9", "4.1.9", "4.1.9",
	  "4.1.9", "4.1.9", "4.1.9"}},
	{"owner:config",
	 "MMAAAM  MMAAAAAMMAAAAAAMA",
	 {"3.1.4", "3.1.4", "3.1.4", "3.1.4", "3.1.4", "3.1.4", NULL, NULL,
	  "3.1.4", "3.1.4", "3.1.4", "4.1.10", "4.1.10", "4.1.10", "4.1.10",
	  "4.1.10", "4.1.10", "4.1.10", "4.1.10", "4.1.10", "4.1.10",
	  "4.1.10", "4.1.10", "4.1.10", "4.1.10"}},
};
/* clang-format on */

const char *kr_assessment_to_string(enum kr_assessment assessment)
{
	return assessment == KR_ASSESSED_MANUAL ? "manual" : "automated";
}

static unsigned level_of(enum kr_edition_id edition, const char *name)
{
	bool eks = edition <= KR_EKS_1_8;

	return strcmp(name, "eventRecordQPS") == 0 ||
	                       (eks && strcmp(name, "rotateCertificates") == 0)
	               ? 2
	               : 1;
}

bool kr_edition_control(enum kr_edition_id edition, const char *name,
                        struct kr_edition_control *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		if (strcmp(row->name, name) != 0 || !row->ids[edition])
			continue;
		*ret = (struct kr_edition_control){
			.id = row->ids[edition],
			.assessment = row->assessments[edition] == 'M'
		                              ? KR_ASSESSED_MANUAL
		                              : KR_ASSESSED_AUTOMATED,
			.level = level_of(edition, name),
		};
		return true;
	}
	return false;
}
