/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Results for scripts. The `text` of a source is exactly the file's bytes;
 * where these are no UTF-8 (or UTF-16, which is full of NULs) it is null, and
 * `text_base64` holds them. In all other texts a byte that is no UTF-8 becomes
 * U+FFFD (base/json-build).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/json-build.h"
#include "node/kubelet-version.h"
#include "node/name.h"
#include "policy/demands.h"
#include "policy/editions.h"
#include "report/diff.h"
#include "report/json.h"

/* --- parts --------------------------------------------------------------- */

static void add_head(struct kr_build *j, cJSON *root, unsigned schema)
{
	cJSON *tool;

	kr_build_number(j, root, "schema", schema);
	tool = kr_build_object(j, root, "tool");
	kr_build_string(j, tool, "name", KR_NAME);
	kr_build_string(j, tool, "version", KR_VERSION);
	kr_build_when(j, root, "time", kr_realtime_usec());
}

/* Schema 1 has one setting, a boolean. */
static void add_setting(struct kr_build *j, cJSON *root,
                        const struct kr_rule *rule)
{
	const struct kr_field *f = kr_field(rule->fields[0]);
	_cleanup_value_ struct kr_value by_default = {0};
	cJSON *s = kr_build_object(j, root, "setting"), *controls;

	if (kr_field_default(rule->fields[0], false, 0, &by_default) < 0)
		j->failed = true;
	kr_build_string(j, s, "key", f->path);
	kr_build_string(j, s, "flag", f->flag);
	kr_build_boolean(j, s, "required", rule->want.b);
	kr_build_boolean(j, s, "default", by_default.b);
	controls = kr_build_array(j, s, "controls");
	for (size_t i = 0; i < rule->n_benchmarks; i++) {
		cJSON *c = kr_build_element(j, controls);

		kr_build_string(j, c, "benchmark", rule->benchmarks[i].name);
		kr_build_string(j, c, "id", rule->benchmarks[i].id);
	}
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

static void add_node(struct kr_build *j, cJSON *root, struct kr_node *node)
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

static cJSON *add_view(struct kr_build *j, cJSON *views, const char *name,
                       const struct kr_view *view)
{
	cJSON *v = kr_build_object(j, views, name);

	kr_build_string(j, v, "state", kr_state_to_string(view->state));
	kr_build_string(j, v, "reason", view->reason);
	if (view->source >= 0)
		kr_build_number(j, v, "source", view->source);
	else
		kr_build_string(j, v, "source", NULL);
	return v;
}

static void add_views(struct kr_build *j, cJSON *root, const struct kr_audit *a)
{
	const struct kr_judgement *only = &a->items[0];
	cJSON *views = kr_build_object(j, root, "views"), *v;

	add_view(j, views, "disk", &only->disk);
	v = add_view(j, views, "running", &only->running);
	if (a->pid > 0)
		kr_build_number(j, v, "pid", a->pid);
	else
		kr_build_string(j, v, "pid", NULL);
	kr_build_when(j, v, "started", a->started_usec);
	kr_build_boolean(j, v, "assumed", only->assumed);
	v = add_view(j, views, "live", &only->live);
	kr_build_string(j, v, "endpoint", a->endpoint);
}

/* The file whose hash is in HEX: most sources are of one. */
struct hashed {
	const struct kr_file *file;
	char hex[KR_SHA256_HEX_SIZE];
};

static void add_place(struct kr_build *j, cJSON *o, const struct kr_source *s,
                      struct hashed *h)
{
	static const char *const members[] = {
		"file", "line", "column", "offset", "length", "text", "sha256"};
	unsigned line, column;

	if (!s->span.file) {
		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			kr_build_string(j, o, members[i],
			                strcmp(members[i], "text") == 0
			                        ? s->text
			                        : NULL);
		return;
	}
	kr_span_position(s->span, &line, &column);
	if (h->file != s->span.file)
		kr_sha256_hex(s->span.file->data, s->span.file->size, h->hex);
	h->file = s->span.file;
	kr_build_string(j, o, "file", s->span.file->path);
	kr_build_number(j, o, "line", line);
	kr_build_number(j, o, "column", column);
	kr_build_number(j, o, "offset", (double)s->span.offset);
	kr_build_number(j, o, "length", (double)s->span.length);
	kr_build_exact(j, o, "text", s->span.file->data + s->span.offset,
	               s->span.length);
	kr_build_string(j, o, "sha256", h->hex);
}

static void add_list(struct kr_build *j, cJSON *o, const char *name,
                     const struct kr_strings *list)
{
	cJSON *array = kr_build_array(j, o, name);

	for (size_t i = 0; i < list->n_items; i++)
		kr_build_word(j, array, list->items[i]);
}

/* In the type that it has for kubelet; null where STATE is that of no value. */
static void add_value(struct kr_build *j, cJSON *o, const char *name,
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

/* SCHEMA 2 has the values in their types. */
static void add_sources(struct kr_build *j, cJSON *parent,
                        const struct kr_sources *all, unsigned schema,
                        struct hashed *h)
{
	cJSON *sources = kr_build_array(j, parent, "sources");

	for (size_t i = 0; i < all->n; i++) {
		const struct kr_source *s = &all->items[i];
		/* a default that is not known here says nothing */
		enum kr_state state =
			s->state == KR_STATE_UNKNOWN ? KR_STATE_NULL : s->state;
		cJSON *o = kr_build_element(j, sources);

		kr_build_string(j, o, "kind",
		                kr_source_kind_to_string(s->kind));
		add_place(j, o, s, h);
		kr_build_string(j, o, "state",
		                schema == 1 ? kr_state_to_string(state)
		                            : state_word(state));
		if (schema != 1)
			add_value(j, o, "value", state, &s->value);
		kr_build_boolean(j, o, "wins", s->wins);
		kr_build_boolean(j, o, "editable", s->editable);
		kr_build_string(j, o, "reason", s->reason);
	}
}

static void add_messages(struct kr_build *j, cJSON *root,
                         const struct kr_diag *d)
{
	cJSON *messages = kr_build_array(j, root, "messages");

	for (size_t i = 0; i < d->n_messages; i++) {
		const struct kr_message *m = &d->messages[i];
		cJSON *o = kr_build_element(j, messages);

		kr_build_string(j, o, "severity",
		                kr_severity_to_string(m->severity));
		kr_build_string(j, o, "code", m->code);
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

/* --- audit --------------------------------------------------------------- */

static void add_audit(struct kr_build *j, cJSON *root, struct kr_node *node,
                      const struct kr_audit *a, const struct kr_diag *diag)
{
	struct hashed hashed = {0};

	add_head(j, root, 1);
	add_setting(j, root, a->items[0].rule);
	add_node(j, root, node);
	kr_build_string(j, root, "verdict", kr_verdict_to_string(a->verdict));
	kr_build_string(j, root, "reason", a->reason);
	kr_build_boolean(j, root, "explicit", a->explicit_wanted);
	kr_build_boolean(j, root, "restart_needed", a->restart_needed);
	kr_build_boolean(j, root, "reload_needed", a->reload_needed);
	add_views(j, root, a);
	add_sources(j, root, &a->items[0].sources, 1, &hashed);
	add_messages(j, root, diag);
}

int kr_json_audit(FILE *out, struct kr_node *node, const struct kr_audit *audit,
                  const struct kr_diag *diag)
{
	struct kr_build j = {0};
	cJSON *root = cJSON_CreateObject();

	add_audit(&j, root, node, audit, diag);
	return kr_build_print(&j, root, out);
}

/* --- the settings of --control, schema 2 -------------------------------- */

static cJSON *add_typed_view(struct kr_build *j, cJSON *views, const char *name,
                             const struct kr_view *view)
{
	cJSON *v = kr_build_object(j, views, name);
	cJSON *sources;

	kr_build_string(j, v, "state", state_word(view->state));
	add_value(j, v, "value", view->state, &view->value);
	kr_build_string(j, v, "reason", view->reason);
	sources = kr_build_array(j, v, "sources");
	if (view->source >= 0)
		kr_build_index(j, sources, view->source);
	return v;
}

/* What kubelet's default may be, by version. */
static void add_candidates(struct kr_build *j, cJSON *c,
                           const struct kr_field *f)
{
	_cleanup_free_ char *text = NULL;

	if (kr_format(&text, "[%s, %s]", f->before, f->by_default) < 0)
		j->failed = true;
	kr_build_raw(j, c, "candidates", text);
}

/* What an edition demands of it, if one does. */
static void add_demand(struct kr_build *j, cJSON *c,
                       const struct kr_judgement *a)
{
	const struct kr_rule *rule = a->rule;
	_cleanup_free_ char *demand = NULL;

	if (rule->test && kr_format(&demand, "%s %s", rule->name,
	                            kr_rule_demand(rule, NULL)) < 0)
		j->failed = true;
	kr_build_string(j, c, "verdict",
	                rule->test ? kr_verdict_to_string(a->verdict) : NULL);
	kr_build_string(j, c, "demand", demand);
	kr_build_string(j, c, "policy",
	                rule->test ? kr_policy_to_string(rule->policy) : NULL);
}

/* In every edition that has it. */
static void add_ids(struct kr_build *j, cJSON *control, const char *name)
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

static void add_control(struct kr_build *j, cJSON *controls,
                        const struct kr_judgement *a, const char *endpoint,
                        struct hashed *h)
{
	static const char *const missing[] = {
		"id", "type", "level", "hold", "refusal", "waiver", "scanner"};
	const struct kr_field *f = kr_field(a->rule->fields[0]);
	cJSON *c = kr_build_element(j, controls), *views, *v;

	kr_build_string(j, c, "name", a->rule->name);
	kr_build_string(j, c, "key", f->path);
	kr_build_string(j, c, "flag", f->flag);
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		kr_build_string(j, c, missing[i], NULL);
	add_demand(j, c, a);
	add_ids(j, c, a->rule->name);
	kr_build_string(j, c, "reason", a->reason);
	if (a->sources.n > 0 && a->sources.items[0].kind == KR_SOURCE_DEFAULT)
		add_value(j, c, "default", a->sources.items[0].state,
		          &a->sources.items[0].value);
	else
		kr_build_string(j, c, "default", NULL);
	if (a->disk.either_default)
		add_candidates(j, c, f);
	views = kr_build_object(j, c, "views");
	add_typed_view(j, views, "disk", &a->disk);
	v = add_typed_view(j, views, "running", &a->running);
	kr_build_boolean(j, v, "assumed", a->assumed);
	v = add_typed_view(j, views, "live", &a->live);
	kr_build_string(j, v, "endpoint", endpoint);
	add_sources(j, c, &a->sources, 2, h);
}

static void add_process(struct kr_build *j, cJSON *root,
                        const struct kr_node *node)
{
	const struct kr_process *p = &node->process;
	cJSON *o, *argv;

	if (!node->has_process) {
		kr_build_string(j, root, "process", NULL);
		return;
	}
	o = kr_build_object(j, root, "process");
	kr_build_number(j, o, "pid", p->pid);
	kr_build_when(j, o, "started", p->started_usec);
	argv = kr_build_array(j, o, "argv");
	for (size_t i = 0; i < p->argc; i++)
		kr_build_word(j, argv, p->argv[i]);
}

int kr_json_controls(FILE *out, struct kr_node *node,
                     const struct kr_audit *audit, const struct kr_diag *diag)
{
	struct kr_build j = {0};
	struct hashed hashed = {0};
	cJSON *root = cJSON_CreateObject(), *controls;

	add_head(&j, root, 2);
	add_node(&j, root, node);
	kr_build_string(&j, root, "benchmark", NULL);
	kr_build_string(&j, root, "verdict",
	                kr_verdict_to_string(audit->verdict));
	kr_build_string(&j, root, "reason", audit->reason);
	kr_build_boolean(&j, root, "explicit", audit->explicit_wanted);
	kr_build_boolean(&j, root, "restart_needed", audit->restart_needed);
	kr_build_boolean(&j, root, "reload_needed", audit->reload_needed);
	add_process(&j, root, node);
	controls = kr_build_array(&j, root, "controls");
	for (size_t i = 0; i < audit->n_items; i++)
		add_control(&j, controls, &audit->items[i], audit->endpoint,
		            &hashed);
	add_messages(&j, root, diag);
	return kr_build_print(&j, root, out);
}

static const char *unit_asked_for(const struct kr_node_options *options)
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
	kr_build_string(j, n, "unit", unit_asked_for(options));
}

int kr_json_unread(FILE *out, const struct kr_rule *rule,
                   const struct kr_node_options *options,
                   const struct kr_diag *diag)
{
	_cleanup_free_ char *reason =
		kr_diag_reason(diag, "the node cannot be read");
	struct kr_judgement only = {
		.rule = rule,
		.disk = {.state = KR_STATE_UNKNOWN,
	                 .reason = reason,
	                 .source = -1},
		.running = {.state = KR_STATE_UNKNOWN,
	                    .reason = reason,
	                    .source = -1},
		.live = {.state = KR_STATE_ABSENT,
	                 .reason = reason,
	                 .source = -1},
	};
	const struct kr_audit unread = {
		.verdict = KR_VERDICT_UNKNOWN, .items = &only, .n_items = 1};
	struct hashed hashed = {0};
	struct kr_build j = {0};
	cJSON *root = reason ? cJSON_CreateObject() : NULL;

	add_head(&j, root, 1);
	add_setting(&j, root, rule);
	add_unread_node(&j, root, options);
	kr_build_string(&j, root, "verdict",
	                kr_verdict_to_string(unread.verdict));
	kr_build_string(&j, root, "reason", reason);
	kr_build_boolean(&j, root, "explicit", false);
	kr_build_boolean(&j, root, "restart_needed", false);
	kr_build_boolean(&j, root, "reload_needed", false);
	add_views(&j, root, &unread);
	add_sources(&j, root, &only.sources, 1, &hashed);
	add_messages(&j, root, diag);
	return kr_build_print(&j, root, out);
}

/* --- fix ----------------------------------------------------------------- */

static void add_ends(struct kr_build *j, cJSON *o, const char *name,
                     const char *from, const char *to)
{
	cJSON *ends = kr_build_object(j, o, name);

	kr_build_string(j, ends, "from", from);
	kr_build_string(j, ends, "to", to);
}

static void add_perms(struct kr_build *j, cJSON *change,
                      const struct kr_perms_change *perms)
{
	char from[KR_OWNER_SIZE], to[KR_OWNER_SIZE];

	if (kr_perms_changes_mode(perms)) {
		kr_mode_format(perms->from.mode, from);
		kr_mode_format(perms->to.mode, to);
		add_ends(j, change, "mode", from, to);
	}
	if (kr_perms_changes_owner(perms)) {
		kr_owner_describe(&perms->from, from);
		kr_owner_describe(&perms->to, to);
		add_ends(j, change, "owner", from, to);
	}
}

static void add_change(struct kr_build *j, cJSON *changes,
                       const struct kr_file_edits *f)
{
	cJSON *change = kr_build_element(j, changes), *edits;
	_cleanup_free_ char *diff = NULL;
	size_t size;
	FILE *out = open_memstream(&diff, &size);

	if (!out || kr_diff_print(out, f) < 0)
		j->failed = true;
	if (out && fclose(out) != 0)
		j->failed = true;
	if (j->failed)
		return;
	kr_build_string(j, change, "file", f->path);
	kr_build_bytes(j, change, "diff", diff, size);
	edits = kr_build_array(j, change, "edits");
	for (size_t i = 0; i < f->n_edits; i++) {
		cJSON *e = kr_build_element(j, edits);

		kr_build_number(j, e, "offset", (double)f->edits[i].offset);
		kr_build_number(j, e, "length", (double)f->edits[i].length);
		kr_build_string(j, e, "text", f->edits[i].text);
	}
	add_perms(j, change, &f->perms);
}

static void add_actions(struct kr_build *j, cJSON *root,
                        const struct kr_actions *actions)
{
	cJSON *list = kr_build_array(j, root, "actions");

	for (size_t i = 0; i < actions->n_actions; i++) {
		cJSON *a = kr_build_element(j, list);

		kr_build_string(j, a, "action", actions->actions[i].action);
		kr_build_string(j, a, "result", actions->actions[i].result);
		kr_build_number(j, a, "seconds", actions->actions[i].seconds);
	}
}

static void add_nested_audit(struct kr_build *j, cJSON *root, const char *name,
                             struct kr_node *node, const struct kr_audit *audit)
{
	const struct kr_diag none = {0};

	if (node && audit)
		add_audit(j, kr_build_object(j, root, name), node, audit,
		          &none);
	else
		kr_build_string(j, root, name, NULL);
}

static void add_log(struct kr_build *j, cJSON *root, const struct kr_log *log)
{
	cJSON *lines = kr_build_array(j, root, "log");

	for (size_t i = 0; i < log->n_lines; i++) {
		cJSON *line = kr_build_element(j, lines);

		kr_build_when(j, line, "time", log->lines[i].realtime_usec);
		kr_build_string(j, line, "text", log->lines[i].text);
	}
}

static void add_durable(struct kr_build *j, cJSON *root,
                        const struct kr_durable *d)
{
	cJSON *o;

	if (!d) {
		kr_build_string(j, root, "durable", NULL);
		return;
	}
	o = kr_build_object(j, root, "durable");
	kr_build_string(j, o, "owner", d->platform->owner);
	kr_build_string(j, o, "rewritten", d->platform->when);
	kr_build_string(j, o, "place", d->place);
	kr_build_string(j, o, "text", d->text);
	kr_build_boolean(j, o, "written", d->written);
}

int kr_json_fix(FILE *out, const struct kr_fix *fix, const struct kr_diag *diag)
{
	struct kr_node *node = fix->host ? fix->host->node : NULL;
	bool planned = fix->plan && fix->plan->audit;
	struct kr_build j = {0};
	cJSON *root = cJSON_CreateObject(), *changes;

	add_head(&j, root, 1);
	if (node)
		add_node(&j, root, node);
	else
		kr_build_string(&j, root, "node", NULL);
	kr_build_string(&j, root, "outcome",
	                kr_outcome_to_string(fix->outcome));
	kr_build_string(&j, root, "reason", fix->reason);
	kr_build_string(&j, root, "method",
	                fix->plan && fix->plan->method != KR_METHOD_AUTO
	                        ? kr_method_to_string(fix->plan->method)
	                        : NULL);
	kr_build_string(&j, root, "transaction",
	                fix->transaction[0] ? fix->transaction : NULL);
	changes = kr_build_array(&j, root, "changes");
	for (size_t i = 0; fix->plan && i < fix->plan->edits.n_files; i++)
		add_change(&j, changes, &fix->plan->edits.files[i]);
	add_durable(&j, root, kr_fix_durable(fix));
	add_actions(&j, root, &fix->actions);
	add_nested_audit(&j, root, "before", node, fix->before);
	if (fix->after)
		add_nested_audit(&j, root, "after", fix->host_after->node,
		                 fix->after);
	else if (fix->outcome == KR_OUTCOME_WOULD_CHANGE && planned)
		add_nested_audit(&j, root, "after", fix->plan->after,
		                 fix->plan->audit);
	else
		add_nested_audit(&j, root, "after", node, fix->before);
	add_messages(&j, root, diag);
	add_log(&j, root, &fix->log);
	return kr_build_print(&j, root, out);
}

/* --- status -------------------------------------------------------------- */

/* systemd could not be asked. */
static void add_no_unit(struct kr_build *j, cJSON *root)
{
	static const char *const members[] = {
		"load",  "active",        "sub",     "result",
		"since", "invocation_id", "fragment"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		kr_build_string(j, root, members[i], NULL);
	kr_build_number(j, root, "main_pid", 0);
	kr_build_number(j, root, "restarts", 0);
	kr_build_boolean(j, root, "need_daemon_reload", false);
	kr_build_array(j, root, "dropins");
}

static void add_unit(struct kr_build *j, cJSON *root,
                     const struct kr_loaded_unit *u)
{
	cJSON *dropins;

	kr_build_string(j, root, "load", u->load_state);
	kr_build_string(j, root, "active", u->active_state);
	kr_build_string(j, root, "sub", u->sub_state);
	kr_build_string(j, root, "result", u->result);
	kr_build_when(j, root, "since", u->state_change_usec);
	kr_build_number(j, root, "main_pid", u->main_pid);
	kr_build_string(j, root, "invocation_id",
	                *u->invocation_id ? u->invocation_id : NULL);
	kr_build_number(j, root, "restarts", u->n_restarts);
	kr_build_boolean(j, root, "need_daemon_reload", u->need_daemon_reload);
	kr_build_string(j, root, "fragment",
	                *u->fragment_path ? u->fragment_path : NULL);
	dropins = kr_build_array(j, root, "dropins");
	for (size_t i = 0; i < u->n_dropin_paths; i++)
		kr_build_word(j, dropins, u->dropin_paths[i]);
}

int kr_json_status(FILE *out, const struct kr_status *status)
{
	struct kr_build j = {0};
	cJSON *root = cJSON_CreateObject();

	kr_build_number(&j, root, "schema", 1);
	kr_build_string(&j, root, "unit", status->host->node->unit_name);
	if (status->loaded)
		add_unit(&j, root, status->loaded);
	else
		add_no_unit(&j, root);
	if (status->found && status->health.state == KR_HEALTH_UNASKED)
		kr_build_string(&j, root, "healthy", NULL);
	else
		kr_build_boolean(&j, root, "healthy",
		                 status->health.state == KR_HEALTH_GOOD &&
		                         status->found);
	add_log(&j, root, &status->log);
	return kr_build_print(&j, root, out);
}

int kr_json_status_unread(FILE *out, const struct kr_node_options *options)
{
	static const struct kr_log none;
	struct kr_build j = {0};
	cJSON *root = cJSON_CreateObject();

	kr_build_number(&j, root, "schema", 1);
	kr_build_string(&j, root, "unit", unit_asked_for(options));
	add_no_unit(&j, root);
	kr_build_boolean(&j, root, "healthy", false);
	add_log(&j, root, &none);
	return kr_build_print(&j, root, out);
}

/* --- history ------------------------------------------------------------- */

static void add_strings(struct kr_build *j, cJSON *list,
                        const struct kr_manifest *m)
{
	for (size_t i = 0; i < m->n_files; i++)
		kr_build_word(j, list, m->files[i].path);
}

int kr_json_history_unread(FILE *out, const struct kr_diag *diag)
{
	const struct kr_message *m = kr_diag_first(diag, KR_ERROR);
	struct kr_build j = {0};
	cJSON *root = cJSON_CreateObject();

	kr_build_number(&j, root, "schema", 1);
	kr_build_array(&j, root, "transactions");
	kr_build_string(&j, root, "reason",
	                m ? m->text : "the records cannot be read");
	return kr_build_print(&j, root, out);
}

int kr_json_history(FILE *out, const struct kr_history *history)
{
	struct kr_build j = {0};
	cJSON *root = cJSON_CreateObject(), *list;

	kr_build_number(&j, root, "schema", 1);
	list = kr_build_array(&j, root, "transactions");
	for (size_t i = 0; i < history->manifests.n_items; i++) {
		const struct kr_history_entry *e = &history->entries[i];
		cJSON *t = kr_build_element(&j, list);

		kr_build_string(&j, t, "id", e->manifest->id);
		kr_build_when(&j, t, "time", e->manifest->realtime_usec);
		kr_build_string(&j, t, "machine_id", e->manifest->machine_id);
		kr_build_string(
			&j, t, "state",
			kr_manifest_state_to_string(e->manifest->state));
		kr_build_string(&j, t, "outcome", kr_history_outcome(e));
		kr_build_when(&j, t, "reverts", e->run.reverts_usec);
		add_strings(&j, kr_build_array(&j, t, "files"), e->manifest);
		/* schema 1 has no word of its own for what is gone already */
		kr_build_string(&j, t, "undo",
		                kr_undoable_to_string(e->undo == KR_UNDO_NOTHING
		                                              ? KR_UNDO_REFUSED
		                                              : e->undo));
		kr_build_string(&j, t, "reason", e->reason);
	}
	kr_build_string(&j, root, "reason", NULL);
	return kr_build_print(&j, root, out);
}
