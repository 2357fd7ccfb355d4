/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ASFF, the AWS Security Finding Format 2018-10-08, as Security Hub takes it:
 *
 *	aws securityhub batch-import-findings --cli-input-json file://FILE
 *
 * One finding a control and node. Its Id is made of the region, the account,
 * the node, the edition that was chosen and the control: the next audit's
 * finding takes the place of this one, and that of another edition, which
 * demands something else, does not. An audit remembers nothing, so a finding is
 * created when it is updated.
 *
 *	verdict          Compliance      Severity
 *	pass             PASSED          INFORMATIONAL
 *	fail             FAILED          HIGH where it lets others in, LOW at
 *	                                 level 2, else MEDIUM
 *	invalid          FAILED          HIGH: kubelet does not start
 *	unknown          WARNING         INFORMATIONAL
 *	waived           WARNING         INFORMATIONAL
 *	not applicable   NOT_AVAILABLE   INFORMATIONAL
 *
 * The product is the account's own, "default": no one has registered this
 * program with AWS. The resource is the instance where that is known, else it
 * is of the type Other, by the node's name. Nothing is asked of the network;
 * what cannot be known from here is given: account and region.
 *
 * Texts are cut to what the format allows.
 *
 * Source: AWS Security Hub user guide, "AWS Security Finding Format", required
 * attributes and types taxonomy; API reference, AwsSecurityFinding, Resource,
 * Compliance.
 */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/json-build.h"
#include "base/macro.h"
#include "policy/demands.h"
#include "policy/editions.h"
#include "report/finding.h"

#define TITLE_MAX       ((size_t)256)
#define DESCRIPTION_MAX ((size_t)1024)
#define TEXT_MAX        ((size_t)512)
#define NODE_MAX        ((size_t)253) /* a node's name is no longer */
#define TYPE                                                                   \
	"Software and Configuration Checks/Industry and Regulatory Standards/" \
	"CIS Host Hardening Benchmarks"

static const char *const statuses[] = {
	[KR_VERDICT_PASS] = "PASSED",
	[KR_VERDICT_FAIL] = "FAILED",
	[KR_VERDICT_INVALID] = "FAILED",
	[KR_VERDICT_UNKNOWN] = "WARNING",
	[KR_VERDICT_WAIVED] = "WARNING",
	[KR_VERDICT_NOT_APPLICABLE] = "NOT_AVAILABLE",
};

static_assert(ARRAY_SIZE(statuses) == _KR_VERDICT_MAX, "each verdict");

/* Regions by how they begin; the last row is for all others. */
static const struct {
	const char *region, *partition;
} partitions[] = {
	{"cn-", "aws-cn"},         {"us-gov-", "aws-us-gov"},
	{"us-iso-", "aws-iso"},    {"us-isob-", "aws-iso-b"},
	{"eu-isoe-", "aws-iso-e"}, {"us-isof-", "aws-iso-f"},
	{"eusc-", "aws-eusc"},     {"", "aws"},
};

static const char *partition_of(const char *region)
{
	size_t i = 0;

	while (strncmp(region, partitions[i].region,
	               strlen(partitions[i].region)) != 0)
		i++;
	return partitions[i].partition;
}

static void add_format(struct kr_build *b, cJSON *o, const char *name,
                       const char *format, ...) _printf_(4, 5);
static void add_format(struct kr_build *b, cJSON *o, const char *name,
                       const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	if (kr_vformat(&text, format, args) < 0)
		b->failed = true;
	va_end(args);
	kr_build_string(b, o, name, text);
}

/* TEXT up to MAX bytes; no character is cut in its middle. */
static void add_cut(struct kr_build *b, cJSON *o, const char *name,
                    const char *text, size_t max)
{
	size_t size = strlen(text);

	if (size > max) {
		size = max;
		while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
			size--;
	}
	kr_build_bytes(b, o, name, text, size);
}

/* What NODE is in an Id, which has no blanks and is not cut: two nodes must not
 * have the same. */
static void make_key(const char *node, char ret[static NODE_MAX + 1])
{
	size_t n = strlen(node), i = 0;

	while (i < n && node[i] > ' ' && node[i] <= '~')
		i++;
	if (i == n && n <= NODE_MAX)
		memcpy(ret, node, n + 1);
	else
		kr_sha256_hex(node, n, ret);
}

/* --- one finding --------------------------------------------------------- */

/* Where these fail, anyone in reach of kubelet's port is served. */
static const char *const ways_in[] = {
	"authentication.anonymous.enabled",
	"authorization.mode",
	"readOnlyPort",
};

static const char *severity(const struct kr_finding *f,
                            const struct kr_edition *edition)
{
	struct kr_edition_control its;

	if (f->verdict == KR_VERDICT_INVALID)
		return "HIGH";
	if (f->verdict != KR_VERDICT_FAIL)
		return "INFORMATIONAL";
	for (size_t i = 0; i < ARRAY_SIZE(ways_in); i++) {
		if (strcmp(ways_in[i], f->rule->name) == 0)
			return "HIGH";
	}
	return edition &&
	                       kr_edition_control(kr_edition_id(edition),
	                                          f->rule->name, &its) &&
	                       its.level > 1
	               ? "LOW"
	               : "MEDIUM";
}

/* "kubelet: 3.2.6 makeIPTablesUtilChains is true": what is demanded. */
static void add_title(struct kr_build *b, cJSON *o, const struct kr_finding *f,
                      const struct kr_edition *edition)
{
	const char *demand = kr_rule_demand(f->rule, edition);
	const char *number = kr_edition_number(f->numbers, f->rule->name);
	_cleanup_free_ char *text = NULL;

	if (kr_format(&text, "kubelet: %s%s%s%s%s", number, *number ? " " : "",
	              f->rule->name, demand ? " " : "",
	              demand ? demand : "") < 0)
		b->failed = true;
	else
		add_cut(b, o, "Title", text, TITLE_MAX);
}

/* The reason, the place, and why it is waived. 0 or -ENOMEM. */
static int describe(const struct kr_finding *f, char **ret)
{
	const struct kr_place *p = &f->place;
	int r;

	if (p->file && p->line > 0)
		r = kr_format(ret, "%s (%s:%u:%u)", f->reason, p->file, p->line,
		              p->column);
	else if (p->file)
		r = kr_format(ret, "%s (%s)", f->reason, p->file);
	else
		r = kr_format(ret, "%s", f->reason);
	if (r < 0 || !f->waiver)
		return r;
	return kr_format(ret, "%s; waived: %s", *ret, f->waiver->reason);
}

static void add_description(struct kr_build *b, cJSON *o,
                            const struct kr_finding *f)
{
	_cleanup_free_ char *text = NULL;

	if (describe(f, &text) < 0)
		b->failed = true;
	else
		add_cut(b, o, "Description", text, DESCRIPTION_MAX);
}

static void add_remediation(struct kr_build *b, cJSON *o,
                            const struct kr_finding *f,
                            const struct kr_edition *edition)
{
	bool fixes = f->rule->policy != KR_POLICY_NEVER &&
	             !(edition && edition->audit_only);
	char name[KR_EDITION_NAME_SIZE] = "", words[128];
	cJSON *recommendation;

	if (f->verdict == KR_VERDICT_PASS ||
	    f->verdict == KR_VERDICT_NOT_APPLICABLE)
		return;
	if (edition)
		kr_edition_short_name(edition, name);
	recommendation = kr_build_object(
		b, kr_build_object(b, o, "Remediation"), "Recommendation");
	snprintf(words, sizeof(words), "%s%s --control=%s",
	         edition ? " --benchmark=" : "", name, f->rule->name);
	add_format(b, recommendation, "Text",
	           "On the node, '" KR_NAME
	           " audit%s' shows what decides the value%s%s%s.",
	           words, fixes ? ", and '" KR_NAME " fix -n" : "",
	           fixes ? words : "",
	           fixes ? "' what would be done about it" : "");
}

static void add_requirement(struct kr_build *b, cJSON *list,
                            enum kr_edition_id id, const char *name)
{
	const struct kr_edition *edition = &kr_editions[id];
	struct kr_edition_control its;
	char text[128];

	if (!kr_edition_control(id, name, &its))
		return;
	snprintf(text, sizeof(text), "%s %s/%s", edition->title,
	         edition->version, its.id);
	kr_build_word(b, list, text);
}

/* Of the edition that was chosen, else of each that has the control. */
static void add_compliance(struct kr_build *b, cJSON *o,
                           const struct kr_finding *f,
                           const struct kr_edition *edition)
{
	cJSON *compliance = kr_build_object(b, o, "Compliance"), *list;

	kr_build_string(b, compliance, "Status", statuses[f->verdict]);
	list = kr_build_array(b, compliance, "RelatedRequirements");
	if (edition) {
		add_requirement(b, list, kr_edition_id(edition), f->rule->name);
		return;
	}
	for (int i = 0; i < KR_N_EDITIONS; i++)
		add_requirement(b, list, (enum kr_edition_id)i, f->rule->name);
}

/* An image has no name; NODE is its root then, and stands for it. */
static void add_resource(struct kr_build *b, cJSON *o,
                         const struct kr_finding_about *about, const char *node)
{
	const struct kr_asff *asff = about->asff;
	cJSON *resource =
		kr_build_element(b, kr_build_array(b, o, "Resources"));
	const char *partition = partition_of(asff->region);
	char key[NODE_MAX + 1];

	make_key(node, key);
	if (*asff->instance) {
		kr_build_string(b, resource, "Type", "AwsEc2Instance");
		add_format(b, resource, "Id", "arn:%s:ec2:%s:%s:instance/%s",
		           partition, asff->region, asff->account,
		           asff->instance);
	} else {
		kr_build_string(b, resource, "Type", "Other");
		add_format(b, resource, "Id", "kubernetes-node/%s", key);
	}
	kr_build_string(b, resource, "Partition", partition);
	kr_build_string(b, resource, "Region", asff->region);
	resource = kr_build_object(b, kr_build_object(b, resource, "Details"),
	                           "Other");
	add_cut(b, resource, node == about->root ? "root" : "node", node,
	        TEXT_MAX);
}

static void add_fields(struct kr_build *b, cJSON *o, const struct kr_finding *f)
{
	cJSON *fields = kr_build_object(b, o, "ProductFields");

	kr_build_string(b, fields, KR_NAME "/version", KR_VERSION);
	kr_build_string(b, fields, KR_NAME "/verdict",
	                kr_verdict_to_string(f->verdict));
	kr_build_string(b, fields, KR_NAME "/disk",
	                kr_state_to_string(f->disk));
	kr_build_string(b, fields, KR_NAME "/running",
	                kr_state_to_string(f->running));
	kr_build_string(b, fields, KR_NAME "/live",
	                kr_state_to_string(f->live));
}

static char *make_finding(const struct kr_finding *f,
                          const struct kr_finding_about *about)
{
	const struct kr_edition *edition = about->rules->edition;
	const struct kr_asff *asff = about->asff;
	const char *node = kr_finding_node(about, f->node);
	const char *by = edition ? edition->name : "";
	const char *slash = edition ? "/" : "";
	uint64_t time = f->time_usec ? f->time_usec : kr_realtime_usec();
	char key[NODE_MAX + 1];
	struct kr_build b = {0};
	cJSON *o = cJSON_CreateObject(), *severities;

	kr_build_string(&b, o, "SchemaVersion", "2018-10-08");
	make_key(node, key);
	add_format(&b, o, "Id", "%s/%s/" KR_NAME "/%s/%s%s%s", asff->region,
	           asff->account, key, by, slash, f->rule->name);
	add_format(&b, o, "ProductArn",
	           "arn:%s:securityhub:%s:%s:product/%s/default",
	           partition_of(asff->region), asff->region, asff->account,
	           asff->account);
	add_format(&b, o, "GeneratorId", KR_NAME "/%s%s%s", by, slash,
	           f->rule->name);
	kr_build_string(&b, o, "AwsAccountId", asff->account);
	kr_build_word(&b, kr_build_array(&b, o, "Types"), TYPE);
	kr_build_when(&b, o, "CreatedAt", time);
	kr_build_when(&b, o, "UpdatedAt", time);
	severities = kr_build_object(&b, o, "Severity");
	kr_build_string(&b, severities, "Label", severity(f, edition));
	kr_build_string(&b, severities, "Original",
	                kr_verdict_to_string(f->verdict));
	add_title(&b, o, f, edition);
	add_description(&b, o, f);
	add_remediation(&b, o, f, edition);
	add_fields(&b, o, f);
	add_resource(&b, o, about, node);
	add_compliance(&b, o, f, edition);
	kr_build_string(&b, o, "RecordState", "ACTIVE");
	return kr_build_line(&b, o);
}

/* --- the format ---------------------------------------------------------- */

static int begin(struct kr_findings *w)
{
	fputs("{\"Findings\":[", w->out);
	return 0;
}

static int add(struct kr_findings *w, const struct kr_finding *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *text = make_finding(&f[i], w->about);

		if (!text)
			return -ENOMEM;
		fprintf(w->out, "%s\n%s", w->n_findings > 0 || i > 0 ? "," : "",
		        text);
	}
	return 0;
}

static int end(struct kr_findings *w, bool complete)
{
	fputs("]}\n", w->out);
	return 0;
}

const struct kr_finding_format kr_asff_format = {
	.begin = begin,
	.add = add,
	.end = end,
};
