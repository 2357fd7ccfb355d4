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

#include "base/format.h"
#include "base/macro.h"
#include "base/vec.h"
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
		/* "eks-1.8" is eks-1.8.0, "eks-1" is no edition */
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

/* clang-format off */
#define CHAPTER(c)                                                             \
	{c "1",  c "2",  c "3",  c "4",  c "5",  c "6",  c "7",                \
	 c "8",  c "9",  c "10", c "11", c "12", c "13", c "14"}

/* The clouds' and the others', of files and of settings. */
static const char numbers[2][2][14][sizeof("4.2.14")] = {
	{CHAPTER("3.1."), CHAPTER("3.2.")},
	{CHAPTER("4.1."), CHAPTER("4.2.")},
};

/*
 * A letter for each edition, in the order of the enum: the last part of the
 * number, in base 16, which a file ("mode:...", "owner:...") has in another
 * chapter than a setting; A(utomated) or M(anual). A blank: it has it not.
 */
static const struct row {
	const char *name, *numbers, *assessments;
} rows[] = {
	{"authentication.anonymous.enabled",
	 "1111111111 11111111111211", "AAAAAMAAAA AAAAAAAAAAAAAA"},
	{"authorization.mode",
	 "2222222222 22222222222322", "AAAAAMAAAA AAAAAAAAAAAAAA"},
	{"authentication.x509.clientCAFile",
	 "3333333333 33333333333433", "MMAAAMAAAA AAAAAAAAAAAAAA"},
	{"readOnlyPort",
	 "4444444444 44444444444544", "MMAAAMAAMA AMMMMMMMMMMAAA"},
	{"streamingConnectionIdleTimeout",
	 "5555555555 55555555555655", "MAAAAMAAAA AMMMMMMMMMMAAM"},
	{"protectKernelDefaults",
	 "66   6  6  66666         ", "AA   M  M  AAAAA         "},
	{"makeIPTablesUtilChains",
	 "7766676676 77777666666766", "AAAAAMAAAA AAAAAAAAAAAMAA"},
	{"hostname-override",
	 "88   8  8  88888777777 77", "MM   M  M  MMMMMMMMMMM MA"},
	{"eventRecordQPS",
	 "9977797797 99999888888888", "AAAAAMAAAA MMMMMMMMMMMMMM"},
	{"tlsCertFile+tlsPrivateKeyFile",
	 "        a  aaaaa999999999", "        M  AMMMMMMMMMMMMA"},
	{"rotateCertificates",
	 "aa888a88b8 bbbbbaaaaaaaaa", "MMAAAMAAMA AMAAAAAAAAAMAA"},
	{"featureGates.RotateKubeletServerCertificate",
	 "bb999b99c9 cccccbbbbbbbbb", "MMAAAMAAAA AMMMMMMMMMMMMA"},
	{"tlsCipherSuites",
	 "           dddddccccccdcc", "           MMMMMMMMMMMMAM"},
	{"podPidsLimit",
	 "                dddddd dd", "                MMMMMM MM"},
	{"seccompDefault",
	 "                    ee   ", "                    MM   "},
	{"mode:unit",
	 "           11111111111111", "           AAAAAAAAAAAAAA"},
	{"owner:unit",
	 "           22222222222222", "           AAAAAAAAAAAAAA"},
	{"mode:kubeconfig",
	 "11111111  155555555555555", "MMAAAMAA  AAAAAAAAAAAAMAA"},
	{"owner:kubeconfig",
	 "22222222  266666666666666", "MMAAAMAA  AAMAAAAAAAAAMAA"},
	{"mode:clientCA",
	 "           77777777777777", "           AMMMMMMMMMMMAA"},
	{"owner:clientCA",
	 "           88888888888888", "           AMMMMMMMMMMAAA"},
	{"mode:config",
	 "333333  33399999999999999", "MMAAAM  MMAAAAAMMAAAAAAAA"},
	{"owner:config",
	 "444444  444aaaaaaaaaaaaaa", "MMAAAM  MMAAAAAMMAAAAAAMA"},
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

static const char *number_of(const struct row *row, enum kr_edition_id edition)
{
	char letter = row->numbers[edition];
	int last = letter <= '9' ? letter - '0' : letter - 'a' + 10;
	bool setting = !strchr(row->name, ':');

	return numbers[edition >= KR_CIS_1_5][setting][last - 1];
}

bool kr_edition_control(enum kr_edition_id edition, const char *name,
                        struct kr_edition_control *ret)
{
	KR_EACH(const struct row, row, rows, ARRAY_SIZE(rows)) {
		if (strcmp(row->name, name) != 0 ||
		    row->numbers[edition] == ' ')
			continue;
		*ret = (struct kr_edition_control){
			.id = number_of(row, edition),
			.assessment = row->assessments[edition] == 'M'
		                              ? KR_ASSESSED_MANUAL
		                              : KR_ASSESSED_AUTOMATED,
			.level = level_of(edition, name),
		};
		return true;
	}
	return false;
}

bool kr_edition_of_any(const char *name)
{
	KR_EACH(const struct row, row, rows, ARRAY_SIZE(rows)) {
		if (strcmp(row->name, name) == 0 &&
		    row->numbers[strspn(row->numbers, " ")])
			return true;
	}
	return false;
}

const char *kr_edition_number(const struct kr_edition *edition,
                              const char *name)
{
	struct kr_edition_control its;

	return edition && kr_edition_control(kr_edition_id(edition), name, &its)
	               ? its.id
	               : "";
}

/* --- who has it ---------------------------------------------------------- */

/* The newest of each kind that has the files or the settings. */
static const enum kr_edition_id newest[] = {
	KR_EKS_1_8,  KR_AKS_1_8, KR_GKE_1_6,  KR_GKE_1_9,
	KR_CIS_1_12, KR_RH_1_8,  KR_RKE2_1_8, KR_K3S_1_9,
};

/* Adds EDITION and its number of the control NAME to LIST, where it has it. 0
 * or -ENOMEM. */
static int add_edition(char **list, int edition, const char *name)
{
	struct kr_edition_control its;

	if (!kr_edition_control((enum kr_edition_id)edition, name, &its))
		return 0;
	return kr_format(list, "%s%s%s %s", *list ? *list : "",
	                 *list ? ", " : "", kr_editions[edition].name, its.id);
}

/* Whether a later edition of the same kind has the control NAME. */
static bool has_later(int edition, const char *name)
{
	struct kr_edition_control its;

	for (int i = edition + 1; i < KR_N_EDITIONS; i++) {
		if (strcmp(kr_editions[i].title, kr_editions[edition].title) ==
		            0 &&
		    kr_edition_control((enum kr_edition_id)i, name, &its))
			return true;
	}
	return false;
}

int kr_edition_list(const char *name, char **ret, bool *ret_older)
{
	int r = 0;

	*ret_older = false;
	for (size_t i = 0; i < ARRAY_SIZE(newest) && r == 0; i++)
		r = add_edition(ret, newest[i], name);
	if (r < 0 || *ret)
		return r;
	*ret_older = true;
	for (int i = 0; i < KR_N_EDITIONS && r == 0; i++) {
		if (!has_later(i, name))
			r = add_edition(ret, i, name);
	}
	return r;
}
