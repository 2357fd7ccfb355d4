/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Results for scripts, besides those of an audit (report/json-audit). A byte
 * that is no UTF-8 becomes U+FFFD (base/json-build).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json-build.h"
#include "report/diff.h"
#include "report/json-audit.h"
#include "report/json.h"
#include "report/next.h"

/* --- fix ----------------------------------------------------------------- */

/* null where NAME does not change. */
static void add_ends(struct kr_build *j, cJSON *o, const char *name,
                     bool changes, const char *from, const char *to)
{
	cJSON *ends;

	if (!changes) {
		kr_build_string(j, o, name, NULL);
		return;
	}
	ends = kr_build_object(j, o, name);
	kr_build_string(j, ends, "from", from);
	kr_build_string(j, ends, "to", to);
}

static void add_perms(struct kr_build *j, cJSON *change,
                      const struct kr_perms_change *perms)
{
	char from[KR_OWNER_SIZE], to[KR_OWNER_SIZE];

	kr_mode_format(perms->from.mode, from);
	kr_mode_format(perms->to.mode, to);
	add_ends(j, change, "mode", kr_perms_changes_mode(perms), from, to);
	kr_owner_describe(&perms->from, from);
	kr_owner_describe(&perms->to, to);
	add_ends(j, change, "owner", kr_perms_changes_owner(perms), from, to);
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
		kr_build_string(j, e, "control", f->edits[i].about);
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
                             struct kr_node *node,
                             const struct kr_manifests *records,
                             const struct kr_audit *audit)
{
	const struct kr_diag none = {0};

	if (node && audit)
		kr_json_add_audit(j, kr_build_object(j, root, name), node,
		                  records, audit, &none);
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

/* The command that allows what L leaves, as the text has it. NULL: no memory.
 */
static char *left_command(const struct kr_fix *fix, const struct kr_left *l)
{
	char *text = NULL;
	size_t size;
	struct kr_term term = {.out = open_memstream(&text, &size)};

	if (!term.out)
		return NULL;
	fprintf(term.out, "kubelet-remedy fix -n%s %s%s",
	        fix->left_words ? fix->left_words : "", l->options,
	        fix->how ? fix->how : "");
	kr_next_options(&term, fix->host->node, NULL);
	if (fclose(term.out) == 0)
		return text;
	free(text);
	return NULL;
}

static void add_left(struct kr_build *j, cJSON *root, const struct kr_fix *fix)
{
	const struct kr_plan *plan = fix->plan;
	cJSON *left = kr_build_array(j, root, "left");

	for (size_t i = 0; plan && i < plan->n_left; i++) {
		const struct kr_left *l = &plan->left[i];
		const char *id = kr_audit_number(fix->before, l->rule);
		cJSON *o = kr_build_element(j, left);
		_cleanup_free_ char *command =
			l->options ? left_command(fix, l) : NULL;

		j->failed = j->failed || (l->options && !command);
		kr_build_string(j, o, "control", l->rule->name);
		kr_build_string(j, o, "id", *id ? id : NULL);
		kr_build_string(j, o, "why", kr_why_to_string(l->why));
		kr_build_string(j, o, "text", l->text);
		kr_build_string(j, o, "command", command);
	}
}

/* "before" and "after", by the records as they are now. */
static void add_audits(struct kr_build *j, cJSON *root,
                       const struct kr_fix *fix)
{
	struct kr_node *node = fix->host ? fix->host->node : NULL;
	_cleanup_manifests_ struct kr_manifests records = {0};

	/* fix goes on without records that cannot be read, too */
	if (node && kr_manifests_read(node->fs, NULL, &records) == -ENOMEM)
		j->failed = true;
	add_nested_audit(j, root, "before", node, &records, fix->before);
	if (fix->after)
		add_nested_audit(j, root, "after", fix->host_after->node,
		                 &records, fix->after);
	else if (fix->outcome == KR_OUTCOME_WOULD_FIX && fix->plan &&
	         fix->plan->audit)
		add_nested_audit(j, root, "after", fix->plan->after, &records,
		                 fix->plan->audit);
	else
		add_nested_audit(j, root, "after", node, &records, fix->before);
}

static void add_reason(struct kr_build *j, cJSON *root,
                       const struct kr_fix *fix)
{
	_cleanup_free_ char *reason = kr_fix_reason(fix);

	j->failed = j->failed || !reason;
	kr_build_string(j, root, "reason", reason);
}

int kr_json_fix(FILE *out, const struct kr_fix *fix, const struct kr_diag *diag)
{
	struct kr_node *node = fix->host ? fix->host->node : NULL;
	struct kr_build j = {0};
	cJSON *root = cJSON_CreateObject(), *changes;

	kr_json_add_head(&j, root);
	if (node)
		kr_json_add_node(&j, root, node);
	else
		kr_build_string(&j, root, "node", NULL);
	kr_build_string(&j, root, "outcome", kr_fix_outcome(fix));
	add_reason(&j, root, fix);
	kr_build_string(&j, root, "method",
	                fix->plan && fix->plan->method != KR_METHOD_AUTO
	                        ? kr_method_to_string(fix->plan->method)
	                        : NULL);
	kr_build_string(&j, root, "transaction",
	                fix->transaction[0] ? fix->transaction : NULL);
	kr_build_boolean(&j, root, "would_restart", fix->restarts);
	kr_build_string(&j, root, "plan", *fix->hash ? fix->hash : NULL);
	add_left(&j, root, fix);
	changes = kr_build_array(&j, root, "changes");
	for (size_t i = 0; fix->plan && i < fix->plan->edits.n_files; i++)
		add_change(&j, changes, &fix->plan->edits.files[i]);
	add_durable(&j, root, kr_fix_durable(fix));
	add_actions(&j, root, &fix->actions);
	add_audits(&j, root, fix);
	kr_json_add_messages(&j, root, diag);
	add_log(&j, root, &fix->log);
	return kr_build_print(&j, root, out);
}

/* --- status -------------------------------------------------------------- */

/* systemd could not be asked. */
static void add_no_unit(struct kr_build *j, cJSON *root)
{
	static const char *const members[] = {
		"load",          "active",   "sub",     "result", "since",
		"invocation_id", "fragment", "enabled", "memory", "tasks"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		kr_build_string(j, root, members[i], NULL);
	kr_build_number(j, root, "main_pid", 0);
	kr_build_number(j, root, "restarts", 0);
	kr_build_boolean(j, root, "need_daemon_reload", false);
	kr_build_array(j, root, "dropins");
}

/* What systemd counts, or null. */
static void add_count(struct kr_build *j, cJSON *root, const char *name,
                      uint64_t n)
{
	if (n == 0 || n == UINT64_MAX)
		kr_build_string(j, root, name, NULL);
	else
		kr_build_number(j, root, name, (double)n);
}

static void add_unit(struct kr_build *j, cJSON *root,
                     const struct kr_loaded_unit *u)
{
	cJSON *dropins;

	kr_build_string(j, root, "load", u->load_state);
	kr_build_string(j, root, "enabled",
	                *u->file_state ? u->file_state : NULL);
	kr_build_string(j, root, "active", u->active_state);
	kr_build_string(j, root, "sub", u->sub_state);
	kr_build_string(j, root, "result", u->result);
	kr_build_when(j, root, "since", u->state_change_usec);
	kr_build_number(j, root, "main_pid", u->main_pid);
	add_count(j, root, "memory", u->memory_bytes);
	add_count(j, root, "tasks", u->n_tasks);
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

	kr_build_number(&j, root, "schema", KR_JSON_SCHEMA);
	kr_build_string(&j, root, "unit", status->host->node->unit_name);
	if (status->loaded)
		add_unit(&j, root, status->loaded);
	else
		add_no_unit(&j, root);
	if (!status->found || status->health.state == KR_HEALTH_UNASKED)
		kr_build_string(&j, root, "healthy", NULL);
	else
		kr_build_boolean(&j, root, "healthy",
		                 status->health.state == KR_HEALTH_GOOD);
	add_log(&j, root, &status->log);
	return kr_build_print(&j, root, out);
}

int kr_json_status_unread(FILE *out, const struct kr_node_options *options)
{
	static const struct kr_log none;
	struct kr_build j = {0};
	cJSON *root = cJSON_CreateObject();

	kr_build_number(&j, root, "schema", KR_JSON_SCHEMA);
	kr_build_string(&j, root, "unit", kr_json_unit(options));
	add_no_unit(&j, root);
	kr_build_string(&j, root, "healthy", NULL);
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

/* A record from before there were several is of the one. */
static void add_controls(struct kr_build *j, cJSON *list,
                         const struct kr_manifest *m)
{
	for (size_t i = 0; i < m->controls.n_items; i++)
		kr_build_word(j, list, m->controls.items[i]);
	if (m->controls.n_items == 0)
		kr_build_word(j, list, kr_rules_usual.items[0]->name);
}

int kr_json_history_unread(FILE *out, const struct kr_diag *diag)
{
	const struct kr_message *m = kr_diag_first(diag, KR_ERROR);
	struct kr_build j = {0};
	cJSON *root = cJSON_CreateObject();

	kr_build_number(&j, root, "schema", KR_JSON_SCHEMA);
	kr_build_array(&j, root, "transactions");
	kr_build_string(&j, root, "reason",
	                m ? m->text : "the records cannot be read");
	return kr_build_print(&j, root, out);
}

int kr_json_history(FILE *out, const struct kr_history *history)
{
	struct kr_build j = {0};
	cJSON *root = cJSON_CreateObject(), *list;

	kr_build_number(&j, root, "schema", KR_JSON_SCHEMA);
	list = kr_build_array(&j, root, "transactions");
	for (size_t i = 0; i < history->n_entries; i++) {
		const struct kr_history_entry *e = &history->entries[i];
		cJSON *t = kr_build_element(&j, list);

		kr_build_number(&j, t, "number", e->number);
		kr_build_string(&j, t, "id", e->manifest->id);
		kr_build_when(&j, t, "time", e->realtime_usec);
		kr_build_string(&j, t, "kind", e->is_undo ? "undo" : "fix");
		kr_build_string(&j, t, "machine_id", e->manifest->machine_id);
		kr_build_string(
			&j, t, "state",
			kr_manifest_state_to_string(e->manifest->state));
		kr_build_string(&j, t, "outcome", kr_history_outcome(e));
		kr_build_when(&j, t, "reverts", e->run.reverts_usec);
		add_controls(&j, kr_build_array(&j, t, "controls"),
		             e->manifest);
		add_strings(&j, kr_build_array(&j, t, "files"), e->manifest);
		/* there is no word of its own for what is gone already */
		kr_build_string(&j, t, "undo",
		                kr_undoable_to_string(e->undo == KR_UNDO_NOTHING
		                                              ? KR_UNDO_REFUSED
		                                              : e->undo));
		kr_build_string(&j, t, "reason", e->reason);
	}
	kr_build_string(&j, root, "reason", NULL);
	return kr_build_print(&j, root, out);
}
