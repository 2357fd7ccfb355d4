/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Results for scripts. cJSON builds and prints them; a failed allocation shows
 * in the end as a tree that cannot be printed or lacks a member, so that every
 * add is checked through one flag.
 *
 * cJSON prints bytes above 0x7f as they are; a file's bytes that are no UTF-8
 * would make the output no JSON, so they are replaced by U+FFFD in `text`, and
 * the offset and length tell where the bytes are.
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "report/diff.h"
#include "report/json.h"

struct json {
	bool failed; /* memory ran out */
	/* the file whose hash is in HEX: most sources are of one */
	const struct kr_file *hashed;
	char hex[KR_SHA256_HEX_SIZE];
};

static cJSON *object(struct json *j, cJSON *parent, const char *name)
{
	cJSON *o = cJSON_AddObjectToObject(parent, name);

	j->failed = j->failed || !o;
	return o;
}

static cJSON *array(struct json *j, cJSON *parent, const char *name)
{
	cJSON *a = cJSON_AddArrayToObject(parent, name);

	j->failed = j->failed || !a;
	return a;
}

/* A new object at the end of an array. */
static cJSON *element(struct json *j, cJSON *parent)
{
	cJSON *o = cJSON_CreateObject();

	if (!o || !cJSON_AddItemToArray(parent, o)) {
		cJSON_Delete(o);
		j->failed = true;
		return NULL;
	}
	return o;
}

static void number(struct json *j, cJSON *o, const char *name, double value)
{
	j->failed = !cJSON_AddNumberToObject(o, name, value) || j->failed;
}

static void boolean(struct json *j, cJSON *o, const char *name, bool value)
{
	j->failed = !cJSON_AddBoolToObject(o, name, value) || j->failed;
}

/* The length of the UTF-8 sequence at S, 0: it is none. */
static size_t utf8_length(const unsigned char *s, size_t size)
{
	size_t n = *s < 0x80   ? 1
	           : *s < 0xc2 ? 0
	           : *s < 0xe0 ? 2
	           : *s < 0xf0 ? 3
	           : *s < 0xf5 ? 4
	                       : 0;

	if (n == 0 || n > size)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* SIZE bytes as valid UTF-8; a NUL and what is none become U+FFFD. */
static char *to_utf8(const char *bytes, size_t size)
{
	char *out = malloc(3 * size + 1);
	char *p = out;

	for (size_t i = 0; out && i < size;) {
		size_t n =
			utf8_length((const unsigned char *)bytes + i, size - i);

		if (n == 0 || bytes[i] == '\0') {
			p = mempcpy(p, "\xef\xbf\xbd", 3);
			i++;
			continue;
		}
		p = mempcpy(p, bytes + i, n);
		i += n;
	}
	if (out)
		*p = '\0';
	return out;
}

static void bytes(struct json *j, cJSON *o, const char *name, const char *data,
                  size_t size)
{
	_cleanup_free_ char *text = to_utf8(data, size);

	j->failed =
		!text || !cJSON_AddStringToObject(o, name, text) || j->failed;
}

/* NULL is null. */
static void string(struct json *j, cJSON *o, const char *name, const char *s)
{
	if (s)
		bytes(j, o, name, s, strlen(s));
	else
		j->failed = !cJSON_AddNullToObject(o, name) || j->failed;
}

static void when(struct json *j, cJSON *o, const char *name, uint64_t usec)
{
	char text[KR_RFC3339_SIZE];

	kr_rfc3339(usec, text);
	string(j, o, name, usec > 0 ? text : NULL);
}

static int print(struct json *j, cJSON *root, FILE *out)
{
	char *text = j->failed ? NULL : cJSON_Print(root);

	cJSON_Delete(root);
	if (!text)
		return -ENOMEM;
	fputs(text, out);
	fputc('\n', out);
	cJSON_free(text);
	return 0;
}

/* --- parts --------------------------------------------------------------- */

static void add_head(struct json *j, cJSON *root)
{
	cJSON *tool;

	number(j, root, "schema", 1);
	tool = object(j, root, "tool");
	string(j, tool, "name", KR_NAME);
	string(j, tool, "version", KR_VERSION);
	when(j, root, "time", kr_realtime_usec());
}

static void add_setting(struct json *j, cJSON *root,
                        const struct kr_setting *setting)
{
	cJSON *s = object(j, root, "setting"), *controls;

	string(j, s, "key", setting->key);
	string(j, s, "flag", setting->flag);
	boolean(j, s, "required", setting->required);
	boolean(j, s, "default", setting->by_default);
	controls = array(j, s, "controls");
	for (size_t i = 0; i < setting->n_benchmarks; i++) {
		cJSON *c = element(j, controls);

		string(j, c, "benchmark", setting->benchmarks[i].name);
		string(j, c, "id", setting->benchmarks[i].id);
	}
}

/* The first line of a small file of the node, or null. */
static void add_line_of(struct json *j, cJSON *o, const char *name,
                        struct kr_fs *fs, const char *path)
{
	const struct kr_file *file = NULL;

	if (kr_fs_read(fs, path, &file) < 0)
		string(j, o, name, NULL);
	else
		bytes(j, o, name, file->data, strcspn(file->data, "\n"));
}

static void node_name(struct kr_node *node, char *ret, size_t size)
{
	const struct kr_file *file = NULL;
	const char *name = getenv("NODE_NAME");
	const char *override =
		node->disk.inputs_valid
			? node->disk.inputs.flags.hostname_override.text
			: NULL;

	ret[0] = '\0';
	if (name && *name)
		strlcpy(ret, name, size);
	else if (override && *override)
		strlcpy(ret, override, size);
	else if (strcmp(node->root, "/") == 0)
		gethostname(ret, size - 1);
	else if (kr_fs_read(node->fs, "/etc/hostname", &file) == 0)
		strlcpy(ret, file->data, size);
	ret[strcspn(ret, "\n")] = '\0';
	for (char *c = ret; !(name && *name) && *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

static void add_node(struct json *j, cJSON *root, struct kr_node *node)
{
	cJSON *n = object(j, root, "node");
	char name[256];

	node_name(node, name, sizeof(name));
	string(j, n, "name", *name ? name : NULL);
	add_line_of(j, n, "machine_id", node->fs, "/etc/machine-id");
	if (node->live)
		add_line_of(j, n, "boot_id", node->fs,
		            "/proc/sys/kernel/random/boot_id");
	else
		string(j, n, "boot_id", NULL);
	string(j, n, "root", node->root);
	string(j, n, "platform", node->platform ? node->platform->id : NULL);
	string(j, n, "unit", node->unit_name);
	string(j, n, "config",
	       node->disk.inputs_valid ? node->disk.inputs.config_path : NULL);
	string(j, n, "kubelet_version", NULL);
}

static cJSON *add_view(struct json *j, cJSON *views, const char *name,
                       const struct kr_view *view)
{
	cJSON *v = object(j, views, name);

	string(j, v, "state", kr_state_to_string(view->state));
	string(j, v, "reason", view->reason);
	if (view->source >= 0)
		number(j, v, "source", view->source);
	else
		string(j, v, "source", NULL);
	return v;
}

static void add_views(struct json *j, cJSON *root, const struct kr_audit *a)
{
	cJSON *views = object(j, root, "views"), *v;

	add_view(j, views, "disk", &a->disk);
	v = add_view(j, views, "running", &a->running);
	if (a->pid > 0)
		number(j, v, "pid", a->pid);
	else
		string(j, v, "pid", NULL);
	when(j, v, "started", a->started_usec);
	boolean(j, v, "assumed", a->assumed);
	v = add_view(j, views, "live", &a->live);
	string(j, v, "endpoint", NULL);
}

static void add_place(struct json *j, cJSON *o, const struct kr_source *s)
{
	static const char *const members[] = {
		"file", "line", "column", "offset", "length", "text", "sha256"};
	unsigned line, column;

	if (!s->span.file) {
		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			string(j, o, members[i],
			       strcmp(members[i], "text") == 0 ? s->text
			                                       : NULL);
		return;
	}
	kr_span_position(s->span, &line, &column);
	if (j->hashed != s->span.file)
		kr_sha256_hex(s->span.file->data, s->span.file->size, j->hex);
	j->hashed = s->span.file;
	string(j, o, "file", s->span.file->path);
	number(j, o, "line", line);
	number(j, o, "column", column);
	number(j, o, "offset", (double)s->span.offset);
	number(j, o, "length", (double)s->span.length);
	bytes(j, o, "text", s->span.file->data + s->span.offset,
	      s->span.length);
	string(j, o, "sha256", j->hex);
}

static void add_sources(struct json *j, cJSON *root, const struct kr_audit *a)
{
	cJSON *sources = array(j, root, "sources");

	for (size_t i = 0; i < a->n_sources; i++) {
		const struct kr_source *s = &a->sources[i];
		cJSON *o = element(j, sources);

		string(j, o, "kind", kr_source_kind_to_string(s->kind));
		add_place(j, o, s);
		string(j, o, "state", kr_state_to_string(s->state));
		boolean(j, o, "wins", s->wins);
		boolean(j, o, "editable", s->editable);
		string(j, o, "reason", s->reason);
	}
}

static void add_messages(struct json *j, cJSON *root, const struct kr_diag *d)
{
	cJSON *messages = array(j, root, "messages");

	for (size_t i = 0; i < d->n_messages; i++) {
		const struct kr_message *m = &d->messages[i];
		cJSON *o = element(j, messages);

		string(j, o, "severity", kr_severity_to_string(m->severity));
		string(j, o, "code", m->code);
		string(j, o, "file", m->file);
		if (m->line > 0)
			number(j, o, "line", m->line);
		else
			string(j, o, "line", NULL);
		if (m->column > 0)
			number(j, o, "column", m->column);
		else
			string(j, o, "column", NULL);
		string(j, o, "text", m->text);
	}
}

/* --- audit --------------------------------------------------------------- */

static void add_audit(struct json *j, cJSON *root, struct kr_node *node,
                      const struct kr_audit *a, const struct kr_diag *diag)
{
	add_head(j, root);
	add_setting(j, root, node->setting);
	add_node(j, root, node);
	string(j, root, "verdict", kr_verdict_to_string(a->verdict));
	string(j, root, "reason", a->reason);
	boolean(j, root, "explicit", a->explicit_wanted);
	boolean(j, root, "restart_needed", a->restart_needed);
	boolean(j, root, "reload_needed", a->reload_needed);
	add_views(j, root, a);
	add_sources(j, root, a);
	add_messages(j, root, diag);
}

int kr_json_audit(FILE *out, struct kr_node *node, const struct kr_audit *audit,
                  const struct kr_diag *diag)
{
	struct json j = {0};
	cJSON *root = cJSON_CreateObject();

	if (!root)
		return -ENOMEM;
	add_audit(&j, root, node, audit, diag);
	return print(&j, root, out);
}

static const char *unit_asked_for(const struct kr_node_options *options)
{
	return options->unit ? options->unit : "kubelet.service";
}

static void add_unread_node(struct json *j, cJSON *root,
                            const struct kr_node_options *options)
{
	static const char *const members[] = {"name",    "machine_id",
	                                      "boot_id", "platform",
	                                      "config",  "kubelet_version"};
	cJSON *n = object(j, root, "node");

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		string(j, n, members[i], NULL);
	string(j, n, "root", options->root ? options->root : "/");
	string(j, n, "unit", unit_asked_for(options));
}

int kr_json_unread(FILE *out, const struct kr_setting *setting,
                   const struct kr_node_options *options,
                   const struct kr_diag *diag)
{
	static char reason[] = "the node cannot be read";
	static const struct kr_audit unread = {
		.verdict = KR_VERDICT_UNKNOWN,
		.disk = {KR_STATE_UNKNOWN, reason, -1},
		.running = {KR_STATE_UNKNOWN, reason, -1},
		.live = {KR_STATE_ABSENT, reason, -1},
	};
	const struct kr_message *m = kr_diag_first(diag, KR_ERROR);
	struct json j = {0};
	cJSON *root = cJSON_CreateObject();

	if (!root)
		return -ENOMEM;
	add_head(&j, root);
	add_setting(&j, root, setting);
	add_unread_node(&j, root, options);
	string(&j, root, "verdict", kr_verdict_to_string(unread.verdict));
	string(&j, root, "reason", m ? m->text : reason);
	boolean(&j, root, "explicit", false);
	boolean(&j, root, "restart_needed", false);
	boolean(&j, root, "reload_needed", false);
	add_views(&j, root, &unread);
	add_sources(&j, root, &unread);
	add_messages(&j, root, diag);
	return print(&j, root, out);
}

/* --- fix ----------------------------------------------------------------- */

static void add_change(struct json *j, cJSON *changes,
                       const struct kr_file_edits *f)
{
	cJSON *change = element(j, changes), *edits;
	_cleanup_free_ char *diff = NULL;
	size_t size;
	FILE *out = open_memstream(&diff, &size);

	if (!out || kr_diff_print(out, f) < 0)
		j->failed = true;
	if (out && fclose(out) != 0)
		j->failed = true;
	if (j->failed)
		return;
	string(j, change, "file", f->path);
	bytes(j, change, "diff", diff, size);
	edits = array(j, change, "edits");
	for (size_t i = 0; i < f->n_edits; i++) {
		cJSON *e = element(j, edits);

		number(j, e, "offset", (double)f->edits[i].offset);
		number(j, e, "length", (double)f->edits[i].length);
		string(j, e, "text", f->edits[i].text);
	}
}

static void add_actions(struct json *j, cJSON *root,
                        const struct kr_actions *actions)
{
	cJSON *list = array(j, root, "actions");

	for (size_t i = 0; i < actions->n_actions; i++) {
		cJSON *a = element(j, list);

		string(j, a, "action", actions->actions[i].action);
		string(j, a, "result", actions->actions[i].result);
		number(j, a, "seconds", actions->actions[i].seconds);
	}
}

static void add_nested_audit(struct json *j, cJSON *root, const char *name,
                             struct kr_node *node, const struct kr_audit *audit)
{
	const struct kr_diag none = {0};

	if (node && audit)
		add_audit(j, object(j, root, name), node, audit, &none);
	else
		string(j, root, name, NULL);
}

static void add_log(struct json *j, cJSON *root, const struct kr_log *log)
{
	cJSON *lines = array(j, root, "log");

	for (size_t i = 0; i < log->n_lines; i++) {
		cJSON *line = element(j, lines);

		when(j, line, "time", log->lines[i].realtime_usec);
		string(j, line, "text", log->lines[i].text);
	}
}

int kr_json_fix(FILE *out, const struct kr_fix *fix, const struct kr_diag *diag)
{
	struct kr_node *node = fix->host ? fix->host->node : NULL;
	bool planned = fix->plan && fix->plan->audit;
	struct json j = {0};
	cJSON *root = cJSON_CreateObject(), *changes;

	if (!root)
		return -ENOMEM;
	add_head(&j, root);
	if (node)
		add_node(&j, root, node);
	else
		string(&j, root, "node", NULL);
	string(&j, root, "outcome", kr_outcome_to_string(fix->outcome));
	string(&j, root, "reason", fix->reason);
	string(&j, root, "method",
	       fix->plan && fix->plan->method != KR_METHOD_AUTO
	               ? kr_method_to_string(fix->plan->method)
	               : NULL);
	string(&j, root, "transaction",
	       fix->transaction[0] ? fix->transaction : NULL);
	changes = array(&j, root, "changes");
	for (size_t i = 0; fix->plan && i < fix->plan->edits.n_files; i++)
		add_change(&j, changes, &fix->plan->edits.files[i]);
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
	return print(&j, root, out);
}

/* --- status -------------------------------------------------------------- */

/* systemd could not be asked. */
static void add_no_unit(struct json *j, cJSON *root)
{
	static const char *const members[] = {
		"load",  "active",        "sub",     "result",
		"since", "invocation_id", "fragment"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		string(j, root, members[i], NULL);
	number(j, root, "main_pid", 0);
	number(j, root, "restarts", 0);
	boolean(j, root, "need_daemon_reload", false);
	array(j, root, "dropins");
}

static void add_unit(struct json *j, cJSON *root,
                     const struct kr_loaded_unit *u)
{
	cJSON *dropins;

	string(j, root, "load", u->load_state);
	string(j, root, "active", u->active_state);
	string(j, root, "sub", u->sub_state);
	string(j, root, "result", u->result);
	when(j, root, "since", u->state_change_usec);
	number(j, root, "main_pid", u->main_pid);
	string(j, root, "invocation_id",
	       *u->invocation_id ? u->invocation_id : NULL);
	number(j, root, "restarts", u->n_restarts);
	boolean(j, root, "need_daemon_reload", u->need_daemon_reload);
	string(j, root, "fragment",
	       *u->fragment_path ? u->fragment_path : NULL);
	dropins = array(j, root, "dropins");
	for (size_t i = 0; i < u->n_dropin_paths; i++) {
		cJSON *path = cJSON_CreateString(u->dropin_paths[i]);

		j->failed = !path || !cJSON_AddItemToArray(dropins, path) ||
		            j->failed;
	}
}

int kr_json_status(FILE *out, const struct kr_status *status)
{
	struct json j = {0};
	cJSON *root = cJSON_CreateObject();

	if (!root)
		return -ENOMEM;
	number(&j, root, "schema", 1);
	string(&j, root, "unit", status->host->node->unit_name);
	if (status->loaded)
		add_unit(&j, root, status->loaded);
	else
		add_no_unit(&j, root);
	boolean(&j, root, "healthy", status->healthy);
	add_log(&j, root, &status->log);
	return print(&j, root, out);
}

int kr_json_status_unread(FILE *out, const struct kr_node_options *options)
{
	static const struct kr_log none;
	struct json j = {0};
	cJSON *root = cJSON_CreateObject();

	if (!root)
		return -ENOMEM;
	number(&j, root, "schema", 1);
	string(&j, root, "unit", unit_asked_for(options));
	add_no_unit(&j, root);
	boolean(&j, root, "healthy", false);
	add_log(&j, root, &none);
	return print(&j, root, out);
}

/* --- history ------------------------------------------------------------- */

static void add_strings(struct json *j, cJSON *list,
                        const struct kr_manifest *m)
{
	for (size_t i = 0; i < m->n_files; i++) {
		cJSON *path = cJSON_CreateString(m->files[i].path);

		j->failed =
			!path || !cJSON_AddItemToArray(list, path) || j->failed;
	}
}

int kr_json_history(FILE *out, const struct kr_history *history)
{
	struct json j = {0};
	cJSON *root = cJSON_CreateObject(), *list;

	if (!root)
		return -ENOMEM;
	number(&j, root, "schema", 1);
	list = array(&j, root, "transactions");
	for (size_t i = 0; i < history->manifests.n_items; i++) {
		const struct kr_history_entry *e = &history->entries[i];
		cJSON *t = element(&j, list);

		string(&j, t, "id", e->manifest->id);
		when(&j, t, "time", e->manifest->realtime_usec);
		string(&j, t, "machine_id", e->manifest->machine_id);
		string(&j, t, "state",
		       kr_manifest_state_to_string(e->manifest->state));
		add_strings(&j, array(&j, t, "files"), e->manifest);
		/* schema 1 has no word of its own for what is gone already */
		string(&j, t, "undo",
		       kr_undoable_to_string(e->undo == KR_UNDO_NOTHING
		                                     ? KR_UNDO_REFUSED
		                                     : e->undo));
		string(&j, t, "reason", e->reason);
	}
	return print(&j, root, out);
}
