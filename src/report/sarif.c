/* SPDX-License-Identifier: Apache-2.0 */

/*
 * SARIF 2.1.0, the static analysis results interchange format (OASIS): what
 * code scanning services and editors read.
 *
 * There is a rule for each control, and a result for each node and control:
 *
 *   verdict   kind   level
 *   pass      pass   none
 *   fail      fail   error
 *   invalid   fail   error   kubelet does not start: that is sure
 *   unknown   open   none    "insufficient information" (section 3.27.9)
 *
 * A file is named relative to the node's root, which is a base of its own
 * (ROOT), so that a result of a mounted image differs from one of this
 * machine. The region is said three times: lines and columns, which count code
 * points (columnKind), bytes, and the text. Of a file in UTF-16 only the bytes
 * are said. What else sets the value, and what was found on the way, are
 * related locations.
 *
 * A result is built and printed by itself, one a line; the run around them is
 * printed before and after.
 */

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/json-build.h"
#include "base/macro.h"
#include "base/vec.h"
#include "policy/demands.h"
#include "policy/editions.h"
#include "report/finding.h"
#include "report/json-audit.h"

#define SCHEMA                                                                 \
	"https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/"           \
	"sarif-schema-2.1.0.json"
#define HELP                                                                   \
	"https://kubernetes.io/docs/reference/config-api/"                     \
	"kubelet-config.v1beta1/"
#define ROOT "ROOT" /* the base of the node's paths */

static const struct {
	const char *kind, *level;
} kinds[] = {
	[KR_VERDICT_PASS] = {"pass", "none"},
	[KR_VERDICT_FAIL] = {"fail", "error"},
	[KR_VERDICT_INVALID] = {"fail", "error"},
	[KR_VERDICT_UNKNOWN] = {"open", "none"},
	[KR_VERDICT_WAIVED] = {"informational", "none"},
	[KR_VERDICT_NOT_APPLICABLE] = {"notApplicable", "none"},
};

static_assert(ARRAY_SIZE(kinds) == _KR_VERDICT_MAX, "each verdict");

/* PATH, its bytes as RFC 3986 has them, behind PREFIX. NULL: no memory. */
static char *to_uri(const char *prefix, const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~/";
	char *uri = malloc(strlen(prefix) + 3 * strlen(path) + 1), *p;

	if (!uri)
		return NULL;
	p = stpcpy(uri, prefix);
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (strchr(plain, c)) {
			*p++ = *path;
			continue;
		}
		*p++ = '%';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	*p = '\0';
	return uri;
}

static void add_uri(struct kr_build *b, cJSON *o, const char *prefix,
                    const char *path)
{
	_cleanup_free_ char *uri = to_uri(prefix, path);

	b->failed = !uri || b->failed;
	if (uri)
		kr_build_string(b, o, "uri", uri);
}

/* --- the run ------------------------------------------------------------- */

static void add_text(struct kr_build *b, cJSON *o, const char *name,
                     const char *text)
{
	kr_build_string(b, kr_build_object(b, o, name), "text", text);
}

static void add_controls(struct kr_build *b, cJSON *o,
                         const struct kr_rule *rule,
                         const struct kr_edition *chosen)
{
	cJSON *properties = kr_build_object(b, o, "properties");
	cJSON *tags = kr_build_array(b, properties, "tags");

	kr_build_word(b, tags, "security");
	kr_build_word(b, tags, "kubelet");
	for (int i = 0; i < KR_N_EDITIONS; i++) {
		const struct kr_edition *edition = &kr_editions[i];
		struct kr_edition_control its;
		char tag[128];

		if (!kr_edition_control((enum kr_edition_id)i, rule->name,
		                        &its))
			continue;
		snprintf(tag, sizeof(tag), "%s %s: %s", edition->title,
		         edition->version, its.id);
		kr_build_word(b, tags, tag);
	}
	kr_json_add_ids(b, properties, rule->name);
	kr_json_add_id(b, properties, rule->name, chosen);
}

/* "readOnlyPort (--read-only-port) of kubelet is 0". */
static void describe(struct kr_build *b, cJSON *o, const struct kr_rule *rule,
                     const struct kr_edition *edition)
{
	const char *flag =
		rule->n_fields == 1 ? kr_field(rule->fields[0])->flag : NULL;
	_cleanup_free_ char *text = NULL;

	if (kr_format(&text, "%s%s%s%s of kubelet %s", rule->name,
	              flag ? " (--" : "", flag ? flag : "", flag ? ")" : "",
	              kr_rule_demand(rule, edition)) < 0) {
		b->failed = true;
		return;
	}
	add_text(b, o, "shortDescription", text);
	if (kr_format(&text,
	              "What kubelet makes of its flags, its config files and "
	              "its defaults, and what its files are like, must be so: "
	              "%s %s.",
	              rule->name, kr_rule_demand(rule, edition)) < 0) {
		b->failed = true;
		return;
	}
	add_text(b, o, "fullDescription", text);
}

/* The words of a command that is about RULE; NULL when memory runs out. */
static char *select_words(const struct kr_rule *rule,
                          const struct kr_edition *edition)
{
	bool usual = !edition && rule == kr_rules_usual.items[0];
	char name[KR_EDITION_NAME_SIZE] = "";
	char *words = NULL;

	if (edition)
		kr_edition_short_name(edition, name);
	kr_format(&words, "%s%s%s%s", edition ? " --benchmark=" : "", name,
	          usual ? "" : " --control=", usual ? "" : rule->name);
	return words;
}

/* What to run on the node. The one control is meant where no control is named;
 * a fix is not offered where there is none. */
static void add_help(struct kr_build *b, cJSON *o, const struct kr_rule *rule,
                     const struct kr_edition *edition)
{
	_cleanup_free_ char *words = select_words(rule, edition), *text = NULL;
	const char *set = rule->owners_value ? " --set=" : "";
	const char *of = rule->owners_value ? rule->name : "";
	const char *value = rule->owners_value ? "=VALUE" : "";
	static const char shows[] = "On the node, '" KR_NAME
				    " audit%s' shows what decides the value%s";
	int r;

	if (!words)
		r = -ENOMEM;
	else if (edition && edition->audit_only)
		r = kr_format(&text, shows, words, ".");
	else if (rule->policy == KR_POLICY_NEVER)
		r = kr_format(&text, shows, words,
		              ", which is the owner's to change.");
	else
		r = kr_format(&text,
		              "On the node, '" KR_NAME
		              " audit%s' shows what decides the value, "
		              "'" KR_NAME " fix -n%s%s%s%s' the change that "
		              "corrects it, and '" KR_NAME
		              " fix%s%s%s%s' makes that change.",
		              words, words, set, of, value, words, set, of,
		              value);
	if (r < 0)
		b->failed = true;
	else
		add_text(b, o, "help", text);
}

static void add_rule(struct kr_build *b, cJSON *rules,
                     const struct kr_rule *rule,
                     const struct kr_edition *edition)
{
	cJSON *o = kr_build_element(b, rules);

	kr_build_string(b, o, "id", rule->name);
	describe(b, o, rule, edition);
	add_help(b, o, rule, edition);
	kr_build_string(b, o, "helpUri", HELP);
	kr_build_string(b, kr_build_object(b, o, "defaultConfiguration"),
	                "level", "error");
	add_controls(b, o, rule, edition);
}

static void add_tool(struct kr_build *b, cJSON *run,
                     const struct kr_rules *rules)
{
	cJSON *driver =
		kr_build_object(b, kr_build_object(b, run, "tool"), "driver");
	cJSON *list;

	kr_build_string(b, driver, "name", KR_NAME);
	kr_build_string(b, driver, "version", KR_VERSION);
	list = kr_build_array(b, driver, "rules");
	for (size_t i = 0; i < rules->n_items; i++)
		add_rule(b, list, rules->items[i], rules->edition);
}

/* By what it was judged: the edition, each node's own, or the controls. */
static int name_of_controls(const struct kr_finding_about *about, char **ret)
{
	const struct kr_rules *rules = about->rules;
	int r;

	if (about->by_node || rules->edition)
		return kr_format(ret, "%s",
		                 about->by_node ? "auto"
		                                : rules->edition->name);
	for (size_t i = 0; i < rules->n_items; i++) {
		r = kr_format(ret, "%s%s%s", *ret ? *ret : "", i > 0 ? "," : "",
		              rules->items[i]->name);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Runs with one id are those of the same node, by the same edition or the same
 * controls: an upload takes the place of the one before. The slash at the end
 * says that all of it is the category, and no run has a name of its own. */
static void add_details(struct kr_build *b, cJSON *run,
                        const struct kr_finding_about *about)
{
	const char *node = kr_finding_node(about, about->node);
	_cleanup_free_ char *controls = NULL, *id = NULL;

	if (name_of_controls(about, &controls) < 0 ||
	    kr_format(&id, "%s/%s/%s/", KR_NAME, controls,
	              about->many ? "fleet" : node + strspn(node, "/")) < 0)
		b->failed = true;
	kr_build_string(b, kr_build_object(b, run, "automationDetails"), "id",
	                id);
}

static void add_root(struct kr_build *b, cJSON *run, const char *root)
{
	size_t length = strlen(root);
	_cleanup_free_ char *folder = malloc(length + 2);
	cJSON *base;

	b->failed = !folder || b->failed;
	if (!folder)
		return;
	memcpy(folder, root, length + 1);
	if (length == 0 || root[length - 1] != '/')
		memcpy(folder + length, "/", 2);
	base = kr_build_object(b, kr_build_object(b, run, "originalUriBaseIds"),
	                       ROOT);
	add_uri(b, base, "file://", folder);
}

static int begin(struct kr_findings *w)
{
	struct kr_build b = {0};
	cJSON *run = cJSON_CreateObject();
	_cleanup_free_ char *text = NULL;

	add_tool(&b, run, w->about->rules);
	add_details(&b, run, w->about);
	kr_build_string(&b, run, "columnKind", "unicodeCodePoints");
	if (w->about->root && *w->about->root == '/')
		add_root(&b, run, w->about->root);
	text = kr_build_line(&b, run);
	if (!text)
		return -ENOMEM;
	text[strlen(text) - 1] = '\0'; /* its brace: the results come in */
	fprintf(w->out,
	        "{\"$schema\":\"%s\",\"version\":\"2.1.0\",\"runs\":[\n%s,\n"
	        "\"results\":[",
	        SCHEMA, text);
	return 0;
}

/* --- a result ------------------------------------------------------------ */

static void add_region(struct kr_build *b, cJSON *physical,
                       const struct kr_place *p)
{
	cJSON *region;

	if (p->line == 0 && !p->has_bytes)
		return;
	region = kr_build_object(b, physical, "region");
	if (p->line > 0)
		kr_build_number(b, region, "startLine", p->line);
	if (p->char_column > 0)
		kr_build_number(b, region, "startColumn", p->char_column);
	if (p->end_line > 0) {
		kr_build_number(b, region, "endLine", p->end_line);
		kr_build_number(b, region, "endColumn", p->end_char_column);
	}
	if (!p->has_bytes)
		return;
	kr_build_number(b, region, "byteOffset", (double)p->offset);
	kr_build_number(b, region, "byteLength", (double)p->length);
	if (p->line > 0)
		kr_build_bytes(b, kr_build_object(b, region, "snippet"), "text",
		               p->text, p->length);
}

/* Relative to ROOT, without the slash it starts with, or of this machine. */
static void add_physical(struct kr_build *b, cJSON *location,
                         const struct kr_place *p, const char *root)
{
	cJSON *physical = kr_build_object(b, location, "physicalLocation");
	cJSON *artifact = kr_build_object(b, physical, "artifactLocation");

	if (root) {
		add_uri(b, artifact, "", p->file + strspn(p->file, "/"));
		kr_build_string(b, artifact, "uriBaseId", ROOT);
	} else {
		add_uri(b, artifact, "file://", p->file);
	}
	add_region(b, physical, p);
}

static void add_location(struct kr_build *b, cJSON *result,
                         const struct kr_finding *f, const char *root)
{
	cJSON *location, *logical;

	if (!f->place.file && !f->node)
		return;
	location = kr_build_element(b, kr_build_array(b, result, "locations"));
	if (f->place.file)
		add_physical(b, location, &f->place, root);
	if (!f->node)
		return;
	logical = kr_build_element(
		b, kr_build_array(b, location, "logicalLocations"));
	kr_build_string(b, logical, "name", f->node);
	kr_build_string(b, logical, "kind", "resource");
}

struct notes {
	cJSON *related;
	int n; /* in it; cJSON counts by walking */
	const char *root;
};

/* A related location; its number tells it from an equal one. */
static void add_note(struct kr_build *b, struct notes *notes,
                     const struct kr_place *place, const char *format, ...)
	_printf_(4, 5);
static void add_note(struct kr_build *b, struct notes *notes,
                     const struct kr_place *place, const char *format, ...)
{
	cJSON *location = kr_build_element(b, notes->related);
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	if (kr_vformat(&text, format, args) < 0)
		b->failed = true;
	va_end(args);
	if (!text)
		return;
	kr_build_number(b, location, "id", notes->n++);
	if (place->file)
		add_physical(b, location, place, notes->root);
	add_text(b, location, "message", text);
}

static void add_related(struct kr_build *b, cJSON *result,
                        const struct kr_finding *f, const char *root)
{
	size_t n_messages = f->diag ? f->diag->n_messages : 0;
	struct notes notes = {.root = root};

	if (f->n_sources == 0 && n_messages == 0)
		return;
	notes.related = kr_build_array(b, result, "relatedLocations");
	KR_EACH(const struct kr_source, s, f->sources, f->n_sources) {
		struct kr_place place = kr_place_from_span(s->span);

		if (place.file)
			add_note(b, &notes, &place, "%s: %s, %s%s%s",
			         kr_source_kind_to_string(s->kind),
			         kr_state_to_string(s->state),
			         s->wins ? "decides" : "overridden",
			         s->reason ? ": " : "",
			         s->reason ? s->reason : "");
	}
	KR_EACH(const struct kr_message, m, f->diag->messages, n_messages) {
		struct kr_place place = kr_place_from_message(m);

		if (!kr_finding_has(f, m))
			continue;
		add_note(b, &notes, &place, "%s: %s",
		         kr_severity_to_string(m->severity), m->text);
	}
}

/*
 * The same for one control of one node, whatever its value and place. It is the
 * whole identity of a result (fingerprints) and, for who looks only there, a
 * part of it: GitHub's code scanning tells results apart by the one partial
 * fingerprint that is called primaryLocationLineHash, and makes one of the
 * source's lines where it is not given, which are not in its repository.
 */
static void add_fingerprint(struct kr_build *b, cJSON *result,
                            const struct kr_finding_about *about,
                            const struct kr_finding *f)
{
	_cleanup_free_ char *text = NULL;
	char hex[KR_SHA256_HEX_SIZE];
	cJSON *partial;

	if (kr_format(&text, "%s\n%s", kr_finding_node(about, f->node),
	              f->rule->name) < 0) {
		b->failed = true;
		return;
	}
	kr_sha256_hex(text, strlen(text), hex);
	kr_build_string(b, kr_build_object(b, result, "fingerprints"),
	                "nodeAndControl/v1", hex);
	partial = kr_build_object(b, result, "partialFingerprints");
	kr_build_string(b, partial, "nodeAndControl/v1", hex);
	kr_build_string(b, partial, "primaryLocationLineHash", hex);
}

static void add_suppression(struct kr_build *b, cJSON *result,
                            const struct kr_waiver *waiver)
{
	cJSON *o;

	if (!waiver)
		return;
	o = kr_build_element(b, kr_build_array(b, result, "suppressions"));
	kr_build_string(b, o, "kind", "external");
	kr_build_string(b, o, "justification", waiver->reason);
}

static int add_one(struct kr_findings *w, const struct kr_finding *f,
                   size_t index)
{
	struct kr_build b = {0};
	cJSON *result = cJSON_CreateObject(), *properties;
	_cleanup_free_ char *text = NULL;

	kr_build_string(&b, result, "ruleId", f->rule->name);
	kr_build_number(&b, result, "ruleIndex", (double)index);
	kr_build_string(&b, result, "kind", kinds[f->verdict].kind);
	kr_build_string(&b, result, "level", kinds[f->verdict].level);
	add_text(&b, result, "message", f->reason);
	add_location(&b, result, f, w->about->root);
	add_related(&b, result, f, w->about->root);
	add_fingerprint(&b, result, w->about, f);
	add_suppression(&b, result, f->waiver);
	properties = kr_build_object(&b, result, "properties");
	kr_build_string(&b, properties, "verdict",
	                kr_verdict_to_string(f->verdict));
	kr_json_add_id(&b, properties, f->rule->name, f->numbers);
	kr_build_string(&b, properties, "benchmark",
	                f->numbers ? f->numbers->name : NULL);
	kr_build_string(&b, properties, "disk", kr_state_to_string(f->disk));
	kr_build_string(&b, properties, "running",
	                kr_state_to_string(f->running));
	kr_build_string(&b, properties, "live", kr_state_to_string(f->live));
	kr_build_boolean(&b, properties, "restart_needed", f->restart_needed);
	kr_build_boolean(&b, properties, "reload_needed", f->reload_needed);
	text = kr_build_line(&b, result);
	if (!text)
		return -ENOMEM;
	fprintf(w->out, "%s\n%s", w->n_findings > 0 || index > 0 ? "," : "",
	        text);
	return 0;
}

static int add(struct kr_findings *w, const struct kr_finding *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = add_one(w, &f[i], i);

		if (r < 0)
			return r;
	}
	return 0;
}

static int end(struct kr_findings *w, bool complete)
{
	struct kr_build b = {0};
	cJSON *invocation = cJSON_CreateObject();
	_cleanup_free_ char *text = NULL;

	kr_build_boolean(&b, invocation, "executionSuccessful", complete);
	kr_build_when(&b, invocation, "endTimeUtc", kr_realtime_usec());
	text = kr_build_line(&b, invocation);
	if (!text)
		return -ENOMEM;
	fprintf(w->out, "],\n\"invocations\":[%s]}\n]}\n", text);
	return 0;
}

const struct kr_finding_format kr_sarif = {
	.begin = begin,
	.add = add,
	.end = end,
};
