/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An audit as JSON.
 *
 * Every audit has the same shape, also that of the one control: what holds of
 * the node stands once, what holds of a control in its element of `controls`.
 * A value has the type that it has for kubelet; a number of more than 53 bits
 * is printed as it is, since cJSON's own numbers are doubles.
 *
 * The `text` of a source is exactly the file's bytes; where these are no UTF-8
 * (or UTF-16, which is full of NULs) it is null, and `text_base64` holds them.
 * In all other texts a byte that is no UTF-8 becomes U+FFFD (base/json-build).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/vec.h"
#include "node/kubelet-version.h"
#include "node/name.h"
#include "policy/demands.h"
#include "policy/editions.h"
#include "report/headline.h"
#include "report/json-audit.h"
#include "report/obstacles.h"

/* --- parts --------------------------------------------------------------- */

void kr_json_add_head(struct kr_build *j, cJSON *root)
{
	cJSON *tool;

	kr_build_number(j, root, "schema", KR_JSON_SCHEMA);
	tool = kr_build_object(j, root, "tool");
	kr_build_string(j, tool, "name", KR_NAME);
	kr_build_string(j, tool, "version", KR_VERSION);
	kr_build_when(j, root, "time", kr_realtime_usec());
}

/* The first line of a small file of the node, or null. */
static void add_line_of(struct kr_build *j, cJSON *o, const char *name,
                        struct kr_fs *fs, const char *path)
{
	const struct kr_file *file = NULL;

	if (kr_fs_read(fs, path, &file) < 0)
		kr_build_string(j, o, name, NULL);
	else
		kr_build_bytes(j, o, name, file->data,
		               strcspn(file->data, "\n"));
}

/* As far as an answer can depend on it: "1.31". */
static void add_version(struct kr_build *j, cJSON *o, struct kr_node *node)
{
	char version[sizeof("1.4294967295")];
	unsigned minor = 0;

	if (kr_kubelet_version_told(node, &minor) < 0)
		j->failed = true;
	snprintf(version, sizeof(version), "1.%u", minor);
	kr_build_string(j, o, "kubelet_version", minor > 0 ? version : NULL);
}

void kr_json_add_node(struct kr_build *j, cJSON *root, struct kr_node *node)
{
	cJSON *n = kr_build_object(j, root, "node");
	char name[KR_NODE_NAME_SIZE];

	kr_node_name(node, name, sizeof(name));
	kr_build_string(j, n, "name", *name ? name : NULL);
	add_line_of(j, n, "machine_id", node->fs, "/etc/machine-id");
	if (node->live)
		add_line_of(j, n, "boot_id", node->fs,
		            "/proc/sys/kernel/random/boot_id");
	else
		kr_build_string(j, n, "boot_id", NULL);
	kr_build_string(j, n, "root", node->root);
	kr_build_string(j, n, "platform",
	                node->platform ? node->platform->id : NULL);
	kr_build_string(j, n, "platform_name",
	                node->platform ? node->platform->name : NULL);
	kr_build_string(j, n, "unit", node->unit_name);
	kr_build_string(j, n, "config", node->disk.inputs.config_path);
	add_version(j, n, node);
}

/* The files that were hashed: most sources are of a few. */
struct hashed {
	struct {
		const struct kr_file *file;
		char hex[KR_SHA256_HEX_SIZE];
	} items[8];
	size_t next; /* the one to give up */
};

static const char *hash(struct hashed *h, const struct kr_file *file)
{
	size_t at = h->next;

	for (size_t i = 0; i < ARRAY_SIZE(h->items); i++) {
		if (h->items[i].file == file)
			return h->items[i].hex;
	}
	h->items[at].file = file;
	kr_sha256_hex(file->data, file->size, h->items[at].hex);
	h->next = (at + 1) % ARRAY_SIZE(h->items);
	return h->items[at].hex;
}

static void add_place(struct kr_build *j, cJSON *o, const struct kr_source *s,
                      struct hashed *h)
{
	static const char *const members[] = {
		"file", "line", "column", "offset", "length", "text", "sha256"};
	unsigned line, column;

	if (!s->span.file) {
		kr_build_string(j, o, "file", s->path);
		for (size_t i = 1; i < ARRAY_SIZE(members); i++)
			kr_build_string(j, o, members[i],
			                strcmp(members[i], "text") == 0
			                        ? s->text
			                        : NULL);
		return;
	}
	kr_span_position(s->span, &line, &column);
	kr_build_string(j, o, "file", s->span.file->path);
	kr_build_number(j, o, "line", line);
	kr_build_number(j, o, "column", column);
	kr_build_number(j, o, "offset", (double)s->span.offset);
	kr_build_number(j, o, "length", (double)s->span.length);
	kr_build_exact(j, o, "text", s->span.file->data + s->span.offset,
	               s->span.length);
	kr_build_string(j, o, "sha256", hash(h, s->span.file));
}

static void add_list(struct kr_build *j, cJSON *o, const char *name,
                     const struct kr_strings *list)
{
	cJSON *array = kr_build_array(j, o, name);

	for (size_t i = 0; i < list->n_items; i++)
		kr_build_word(j, array, list->items[i]);
}

/* A name and its value in turn. */
static void add_tree(struct kr_build *j, cJSON *o, const char *name,
                     const struct kr_strings *list)
{
	cJSON *object = kr_build_object(j, o, name);

	for (size_t i = 0; i + 1 < list->n_items; i += 2)
		kr_build_string(j, object, list->items[i], list->items[i + 1]);
}

/* In the type that it has for kubelet; null where STATE is that of no value. */
void kr_json_add_value(struct kr_build *j, cJSON *o, const char *name,
                       enum kr_state state, const struct kr_value *v)
{
	_cleanup_free_ char *text = NULL;

	if (!kr_state_is_value(state)) {
		kr_build_string(j, o, name, NULL);
		return;
	}
	switch (v->type) {
	case KR_TYPE_BOOL:
		kr_build_boolean(j, o, name, v->b);
		return;
	case KR_TYPE_LIST:
		add_list(j, o, name, &v->list);
		return;
	case KR_TYPE_TREE:
		add_tree(j, o, name, &v->list);
		return;
	case KR_TYPE_INT32:
	case KR_TYPE_INT64:
		if (kr_value_format(v, &text) < 0)
			j->failed = true;
		kr_build_raw(j, o, name, text);
		return;
	default:
		if (kr_value_format(v, &text) < 0)
			j->failed = true;
		kr_build_string(j, o, name, text);
	}
}

/* The state of schema 2, in which a value stands apart. */
static const char *state_word(enum kr_state state)
{
	return kr_state_to_string(kr_state_is_value(state) ? KR_STATE_VALUE
	                                                   : state);
}

static void add_sources(struct kr_build *j, cJSON *parent,
                        const struct kr_sources *all, struct hashed *h)
{
	cJSON *sources = kr_build_array(j, parent, "sources");

	KR_EACH(const struct kr_source, s, all->items, all->n) {
		/* a default that is not known here says nothing */
		enum kr_state state =
			s->state == KR_STATE_UNKNOWN ? KR_STATE_NULL : s->state;
		cJSON *o = kr_build_element(j, sources);

		kr_build_string(j, o, "kind",
		                kr_source_kind_to_string(s->kind));
		add_place(j, o, s, h);
		kr_build_string(j, o, "state", state_word(state));
		kr_json_add_value(j, o, "value", state, &s->value);
		kr_build_boolean(j, o, "wins", s->wins);
		kr_build_boolean(j, o, "editable", s->editable);
		kr_build_string(j, o, "reason", s->reason);
	}
}

void kr_json_add_messages(struct kr_build *j, cJSON *root,
                          const struct kr_diag *d)
{
	cJSON *messages = kr_build_array(j, root, "messages");

	KR_EACH(const struct kr_message, m, d->messages, d->n_messages) {
		cJSON *o = kr_build_element(j, messages);

		kr_build_string(j, o, "severity",
		                kr_severity_to_string(m->severity));
		kr_build_string(j, o, "code", m->code);
		kr_build_string(j, o, "control", m->control);
		kr_build_string(j, o, "file", m->file);
		if (m->line > 0)
			kr_build_number(j, o, "line", m->line);
		else
			kr_build_string(j, o, "line", NULL);
		if (m->column > 0)
			kr_build_number(j, o, "column", m->column);
		else
			kr_build_string(j, o, "column", NULL);
		kr_build_string(j, o, "text", m->text);
	}
}

/* --- a control ----------------------------------------------------------- */

/* Of several sources that give one view its value (a pair of files, the worst
 * of some files) each counts. */
static void add_deciding(struct kr_build *j, cJSON *v,
                         const struct kr_view *view,
                         const struct kr_sources *all)
{
	cJSON *sources = kr_build_array(j, v, "sources");

	for (size_t i = 0; view->source >= 0 && i < all->n; i++) {
		if ((int)i == view->source || all->items[i].wins)
			kr_build_index(j, sources, (int)i);
	}
}

static cJSON *add_view(struct kr_build *j, cJSON *views, const char *name,
                       const struct kr_view *view, const struct kr_sources *all)
{
	cJSON *v = kr_build_object(j, views, name);

	kr_build_string(j, v, "state", state_word(view->state));
	kr_json_add_value(j, v, "value", view->state, &view->value);
	kr_build_string(j, v, "reason", view->reason);
	add_deciding(j, v, view, all);
	return v;
}

static void add_views(struct kr_build *j, cJSON *control,
                      const struct kr_judgement *a, const char *endpoint)
{
	cJSON *views = kr_build_object(j, control, "views"), *v;

	add_view(j, views, "disk", &a->disk, &a->sources);
	v = add_view(j, views, "running", &a->running, &a->sources);
	kr_build_boolean(j, v, "assumed", a->assumed);
	v = add_view(j, views, "live", &a->live, &a->sources);
	kr_build_string(j, v, "endpoint", endpoint);
}

/* kubelet's default as it is known here, and what it may be by version where
 * that is not. */
static void add_default(struct kr_build *j, cJSON *c,
                        const struct kr_judgement *a)
{
	const struct kr_source *first = a->sources.items;
	_cleanup_free_ char *text = NULL;
	const struct kr_field *f;

	if (a->sources.n > 0 && first->kind == KR_SOURCE_DEFAULT)
		kr_json_add_value(j, c, "default", first->state, &first->value);
	else
		kr_build_string(j, c, "default", NULL);
	if (!a->disk.either_default || a->rule->n_fields == 0)
		return;
	f = kr_field(a->rule->fields[0]);
	if (kr_format(&text, "[%s, %s]", f->before, f->by_default) < 0)
		j->failed = true;
	kr_build_raw(j, c, "candidates", text);
}

/* What an edition demands of it, if one does. */
static void add_demand(struct kr_build *j, cJSON *c,
                       const struct kr_judgement *a,
                       const struct kr_edition *edition)
{
	const struct kr_rule *rule = a->rule;
	_cleanup_free_ char *demand = NULL;

	if (rule->test && kr_format(&demand, "%s %s", rule->name,
	                            kr_rule_demand(rule, edition)) < 0)
		j->failed = true;
	kr_build_string(j, c, "verdict",
	                rule->test ? kr_verdict_to_string(a->verdict) : NULL);
	kr_build_string(j, c, "reason", a->reason);
	kr_build_string(j, c, "demand", demand);
	add_default(j, c, a);
	kr_build_string(j, c, "policy",
	                rule->test ? kr_policy_to_string(a->policy) : NULL);
}

/* Its number in EDITION, and what that says of it; each may be NULL. */
void kr_json_add_id(struct kr_build *j, cJSON *c, const char *name,
                    const struct kr_edition *edition)
{
	struct kr_edition_control its;
	bool has = edition &&
	           kr_edition_control(kr_edition_id(edition), name, &its);

	kr_build_string(j, c, "id", has ? its.id : NULL);
	kr_build_string(j, c, "type",
	                has ? kr_assessment_to_string(its.assessment) : NULL);
	if (has)
		kr_build_number(j, c, "level", its.level);
	else
		kr_build_string(j, c, "level", NULL);
}

void kr_json_add_waiver(struct kr_build *j, cJSON *c, const struct kr_waiver *w)
{
	cJSON *o;

	if (!w) {
		kr_build_string(j, c, "waiver", NULL);
		return;
	}
	o = kr_build_object(j, c, "waiver");
	kr_build_string(j, o, "reason", w->reason);
	kr_build_string(j, o, "until", *w->until ? w->until : NULL);
}

/* Where it stands in the config file, and its flag; a pair has two of each. */
static void add_settings(struct kr_build *j, cJSON *c,
                         const struct kr_rule *rule)
{
	const struct kr_field *f =
		rule->n_fields == 1 ? kr_field(rule->fields[0]) : NULL;

	kr_build_string(j, c, "key", f ? f->path : NULL);
	kr_build_string(j, c, "flag", f ? f->flag : NULL);
}

void kr_json_add_ids(struct kr_build *j, cJSON *control, const char *name)
{
	cJSON *ids = kr_build_array(j, control, "ids");

	for (int i = 0; i < KR_N_EDITIONS; i++) {
		struct kr_edition_control its;
		cJSON *o;

		if (!kr_edition_control((enum kr_edition_id)i, name, &its))
			continue;
		o = kr_build_element(j, ids);
		kr_build_string(j, o, "benchmark", kr_editions[i].title);
		kr_build_string(j, o, "edition", kr_editions[i].version);
		kr_build_string(j, o, "id", its.id);
	}
}

void kr_json_add_rule(struct kr_build *j, cJSON *c, const struct kr_rule *rule,
                      const struct kr_edition *edition)
{
	kr_build_string(j, c, "name", rule->name);
	add_settings(j, c, rule);
	kr_json_add_id(j, c, rule->name, edition);
	kr_json_add_ids(j, c, rule->name);
}

static void add_control(struct kr_build *j, cJSON *controls,
                        const struct kr_obstacle *o,
                        const struct kr_judgement *a,
                        const struct kr_audit *audit, struct hashed *h)
{
	cJSON *c = kr_build_element(j, controls);

	kr_json_add_rule(j, c, a->rule, a->numbers);
	add_demand(j, c, a, audit->edition);
	kr_build_string(j, c, "hold", o ? o->hold : NULL);
	kr_build_string(j, c, "refusal",
	                !o           ? NULL
	                : o->refusal ? o->refusal
	                             : o->barred);
	kr_json_add_waiver(j, c, a->waiver);
	kr_build_string(j, c, "scanner", a->scanner);
	add_views(j, c, a, audit->endpoint);
	add_sources(j, c, &a->sources, h);
}

/* --- the whole ----------------------------------------------------------- */

/* What the unit starts. */
static void add_planned_argv(struct kr_build *j, cJSON *o,
                             const struct kr_inputs *in)
{
	cJSON *argv;

	if (!in) {
		kr_build_string(j, o, "argv", NULL);
		return;
	}
	argv = kr_build_array(j, o, "argv");
	for (size_t i = 0; i < in->argc; i++)
		kr_build_word(j, argv, in->argv[i]);
}

/* A program that kubelet is a part of does not show kubelet's arguments. */
static void add_process(struct kr_build *j, cJSON *root,
                        const struct kr_node *node, const struct kr_audit *a)
{
	cJSON *o, *argv;

	if (a->pid <= 0 && !a->restarts) {
		kr_build_string(j, root, "process", NULL);
		return;
	}
	o = kr_build_object(j, root, "process");
	if (a->restarts) {
		kr_build_string(j, o, "pid", NULL);
		kr_build_string(j, o, "started", NULL);
		add_planned_argv(j, o, kr_node_inputs(node));
		return;
	}
	kr_build_number(j, o, "pid", a->pid);
	kr_build_when(j, o, "started", a->started_usec);
	if (!node->has_process) {
		kr_build_string(j, o, "argv", NULL);
		return;
	}
	argv = kr_build_array(j, o, "argv");
	for (size_t i = 0; i < node->process.argc; i++)
		kr_build_word(j, argv, node->process.argv[i]);
}

void kr_json_add_edition(struct kr_build *j, cJSON *root, const char *member,
                         const struct kr_edition *edition)
{
	cJSON *o;

	if (!edition) {
		kr_build_string(j, root, member, NULL);
		return;
	}
	o = kr_build_object(j, root, member);
	kr_build_string(j, o, "name", edition->title);
	kr_build_string(j, o, "edition", edition->version);
}

/* NODE and RECORDS: NULL where it could not be read. */
static void add_result(struct kr_build *j, cJSON *root, struct kr_node *node,
                       const struct kr_manifests *records,
                       const struct kr_audit *a, const struct kr_diag *diag)
{
	_cleanup_obstacles_ struct kr_obstacles known = {0};
	_cleanup_free_ char *reason = NULL;
	struct hashed hashed = {0};
	cJSON *controls;

	kr_json_add_edition(j, root, "benchmark", a->edition);
	kr_json_add_edition(j, root, "id_edition", kr_audit_numbers(a));
	kr_build_string(j, root, "verdict", kr_verdict_to_string(a->verdict));
	/* that of one control is the control's, word for word */
	if (a->n_items > 1 && node)
		reason = kr_headline(a);
	if (a->n_items > 1 && node && !reason)
		j->failed = true;
	kr_build_string(j, root, "reason", reason ? reason : a->reason);
	kr_build_boolean(j, root, "explicit", a->explicit_wanted);
	kr_build_boolean(j, root, "restart_needed", a->restart_needed);
	kr_build_boolean(j, root, "reload_needed", a->reload_needed);
	add_process(j, root, node, a);
	if (node && kr_obstacles_find(node, a, records, &known) < 0)
		j->failed = true;
	controls = kr_build_array(j, root, "controls");
	for (size_t i = 0; i < a->n_items; i++)
		add_control(j, controls, known.items ? &known.items[i] : NULL,
		            &a->items[i], a, &hashed);
	kr_json_add_messages(j, root, diag);
}

void kr_json_add_audit(struct kr_build *j, cJSON *root, struct kr_node *node,
                       const struct kr_manifests *records,
                       const struct kr_audit *audit, const struct kr_diag *diag)
{
	kr_json_add_head(j, root);
	kr_json_add_node(j, root, node);
	add_result(j, root, node, records, audit, diag);
}

int kr_json_audit(FILE *out, struct kr_host *host, const struct kr_audit *audit,
                  const struct kr_diag *diag)
{
	const struct kr_manifests *records;
	struct kr_build j = {0};
	cJSON *root;

	if (kr_host_records(host, &records) < 0)
		return -ENOMEM;
	root = cJSON_CreateObject();
	kr_json_add_audit(&j, root, host->node, records, audit, diag);
	return kr_build_print(&j, root, out);
}

/* --- a node that cannot be read ------------------------------------------ */

const char *kr_json_unit(const struct kr_node_options *options)
{
	return options->unit ? options->unit : "kubelet.service";
}

static void add_unread_node(struct kr_build *j, cJSON *root,
                            const struct kr_node_options *options)
{
	static const char *const members[] = {
		"name",          "machine_id", "boot_id",        "platform",
		"platform_name", "config",     "kubelet_version"};
	cJSON *n = kr_build_object(j, root, "node");

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		kr_build_string(j, n, members[i], NULL);
	kr_build_string(j, n, "root", options->root ? options->root : "/");
	kr_build_string(j, n, "unit", kr_json_unit(options));
}

int kr_json_unread(FILE *out, const struct kr_rules *rules,
                   const struct kr_node_options *options,
                   const struct kr_diag *diag)
{
	_cleanup_free_ char *reason =
		kr_diag_reason(diag, "the node cannot be read");
	_cleanup_free_ struct kr_judgement *items =
		calloc(rules->n_items, sizeof(*items));
	const struct kr_audit unread = {
		.verdict = KR_VERDICT_UNKNOWN,
		.reason = reason,
		.edition = rules->edition,
		.items = items,
		.n_items = rules->n_items,
	};
	struct kr_build j = {0};
	cJSON *root;

	if (!reason || !items)
		return -ENOMEM;
	for (size_t i = 0; i < rules->n_items; i++) {
		const struct kr_view unknown = {
			.state = KR_STATE_UNKNOWN,
			.reason = reason,
			.source = -1,
		};

		items[i] = (struct kr_judgement){
			.rule = rules->items[i],
			.numbers = kr_demand_numbers(rules->items[i],
		                                     rules->edition, NULL),
			.verdict = KR_VERDICT_UNKNOWN,
			.policy =
				kr_rule_policy(rules->items[i], rules->edition),
			.reason = reason,
			.disk = unknown,
			.running = unknown,
			.live = unknown,
		};
		items[i].live.state = KR_STATE_ABSENT;
	}
	root = cJSON_CreateObject();
	kr_json_add_head(&j, root);
	add_unread_node(&j, root, options);
	add_result(&j, root, NULL, NULL, &unread, diag);
	return kr_build_print(&j, root, out);
}
