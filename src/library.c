/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The public face of what reads, decides and plans: the inner types in the
 * words of include/kubelet-remedy/kubelet-remedy.h. Nothing is decided here.
 * The two sets of names are apart so that the inner ones may change: a table
 * for each pair of enums says which is which.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kubelet-remedy/kubelet-remedy.h>

#include "base/diag.h"
#include "node/node.h"
#include "policy/judge.h"
#include "policy/plan.h"
#include "policy/remarks.h"

static const enum kr_remedy_verdict verdicts[] = {
	[KR_VERDICT_PASS] = KR_REMEDY_PASS,
	[KR_VERDICT_FAIL] = KR_REMEDY_FAIL,
	[KR_VERDICT_INVALID] = KR_REMEDY_INVALID,
	[KR_VERDICT_UNKNOWN] = KR_REMEDY_UNKNOWN,
	/* neither a waiver nor an edition is asked for here */
	[KR_VERDICT_WAIVED] = KR_REMEDY_PASS,
	[KR_VERDICT_NOT_APPLICABLE] = KR_REMEDY_PASS,
};

static_assert(ARRAY_SIZE(verdicts) == _KR_VERDICT_MAX, "each verdict");

static const enum kr_remedy_state states[] = {
	[KR_STATE_ABSENT] = KR_REMEDY_STATE_ABSENT,
	[KR_STATE_TRUE] = KR_REMEDY_STATE_TRUE,
	[KR_STATE_FALSE] = KR_REMEDY_STATE_FALSE,
	[KR_STATE_NULL] = KR_REMEDY_STATE_NULL,
	[KR_STATE_INVALID] = KR_REMEDY_STATE_INVALID,
	[KR_STATE_UNKNOWN] = KR_REMEDY_STATE_UNKNOWN,
};

static_assert(ARRAY_SIZE(states) == _KR_STATE_MAX, "each state");

static const enum kr_remedy_kind kinds[] = {
	[KR_SOURCE_DEFAULT] = KR_REMEDY_BY_DEFAULT,
	[KR_SOURCE_CONFIG] = KR_REMEDY_BY_CONFIG,
	[KR_SOURCE_CONFIG_DIR] = KR_REMEDY_BY_CONFIG_DIR,
	[KR_SOURCE_FLAG] = KR_REMEDY_BY_FLAG,
};

/* its one control is no file's mode or owner */
static_assert(ARRAY_SIZE(kinds) == KR_SOURCE_FILE, "each kind of a field's");

static const enum kr_remedy_severity severities[] = {
	[KR_ERROR] = KR_REMEDY_ERROR,
	[KR_WARNING] = KR_REMEDY_WARNING,
	[KR_NOTE] = KR_REMEDY_NOTE,
};

static_assert(ARRAY_SIZE(severities) == _KR_SEVERITY_MAX, "each severity");

static const enum kr_remedy_method public_methods[] = {
	[KR_METHOD_AUTO] = KR_REMEDY_AUTO,
	[KR_METHOD_CONFIG] = KR_REMEDY_CONFIG,
	[KR_METHOD_FLAG] = KR_REMEDY_FLAG,
};

static_assert(ARRAY_SIZE(public_methods) == _KR_METHOD_MAX, "each method");

struct kr_remedy {
	struct kr_node *node;
	struct kr_audit *audit;
	struct kr_diag diag;
	char *config; /* the node borrows it */
	bool persist;
};

struct content {
	char *data;
	size_t size;
};

struct kr_remedy_plan {
	struct kr_plan *plan;
	struct content *contents; /* of each file */
};

/* --- audit --------------------------------------------------------------- */

static int read_node(struct kr_remedy *remedy,
                     const struct kr_remedy_options *options)
{
	const struct kr_node_options node_options = {
		.root = options->root,
		.unit = options->unit,
		.config = remedy->config,
	};
	const struct kr_audit_options audit_options = {
		.explicit_wanted = options->explicit_wanted,
		.live = KR_STATE_ABSENT,
	};
	int r = kr_node_open(&node_options, &remedy->diag, &remedy->node);

	if (r < 0)
		return r;
	r = kr_node_read(remedy->node, &node_options, NULL, &remedy->diag);
	if (r < 0)
		return r;
	r = kr_remarks_find(remedy->node, &kr_rules_usual, NULL, &remedy->diag);
	if (r < 0)
		return r;
	return kr_audit_run(remedy->node, &kr_rules_usual, &audit_options,
	                    &remedy->diag, &remedy->audit);
}

int kr_remedy_new(const struct kr_remedy_options *options,
                  struct kr_remedy **ret)
{
	static const struct kr_remedy_options by_default;
	struct kr_remedy *remedy = calloc(1, sizeof(*remedy));
	int r;

	if (!remedy)
		return -ENOMEM;
	if (!options)
		options = &by_default;
	remedy->persist = options->persist;
	remedy->config = options->config ? strdup(options->config) : NULL;
	r = options->config && !remedy->config ? -ENOMEM
	                                       : read_node(remedy, options);
	if (r < 0) {
		kr_remedy_free(remedy);
		return r;
	}
	*ret = remedy;
	return 0;
}

struct kr_remedy *kr_remedy_free(struct kr_remedy *remedy)
{
	if (!remedy)
		return NULL;
	kr_audit_free(remedy->audit);
	kr_node_free(remedy->node);
	kr_diag_done(&remedy->diag);
	free(remedy->config);
	free(remedy);
	return NULL;
}

enum kr_remedy_verdict kr_remedy_verdict(const struct kr_remedy *remedy)
{
	return verdicts[remedy->audit->verdict];
}

const char *kr_remedy_reason(const struct kr_remedy *remedy)
{
	return remedy->audit->reason;
}

enum kr_remedy_state kr_remedy_view(const struct kr_remedy *remedy,
                                    enum kr_remedy_view view,
                                    const char **ret_reason)
{
	const struct kr_view *v = view == KR_REMEDY_DISK
	                                  ? &remedy->audit->items[0].disk
	                                  : &remedy->audit->items[0].running;

	if (ret_reason)
		*ret_reason = v->reason;
	return states[v->state];
}

pid_t kr_remedy_pid(const struct kr_remedy *remedy)
{
	return remedy->audit->pid;
}

size_t kr_remedy_n_sources(const struct kr_remedy *remedy)
{
	return remedy->audit->items[0].sources.n;
}

int kr_remedy_source(const struct kr_remedy *remedy, size_t i,
                     struct kr_remedy_source *ret)
{
	const struct kr_source *s;

	if (i >= remedy->audit->items[0].sources.n)
		return -ERANGE;
	s = &remedy->audit->items[0].sources.items[i];
	*ret = (struct kr_remedy_source){
		.kind = kinds[s->kind],
		.state = states[s->state],
		.wins = s->wins,
		.editable = s->editable,
		.reason = s->reason,
		.text = s->text,
		.length = s->text ? strlen(s->text) : 0,
	};
	if (s->span.file) {
		ret->file = s->span.file->path;
		ret->offset = s->span.offset;
		ret->length = s->span.length;
		ret->text = s->span.file->data + s->span.offset;
		kr_span_position(s->span, &ret->line, &ret->column);
	}
	return 0;
}

size_t kr_remedy_n_messages(const struct kr_remedy *remedy)
{
	return remedy->diag.n_messages;
}

int kr_remedy_message(const struct kr_remedy *remedy, size_t i,
                      struct kr_remedy_message *ret)
{
	const struct kr_message *m;

	if (i >= remedy->diag.n_messages)
		return -ERANGE;
	m = &remedy->diag.messages[i];
	*ret = (struct kr_remedy_message){
		.severity = severities[m->severity],
		.code = m->code,
		.file = m->file,
		.line = m->line,
		.column = m->column,
		.text = m->text,
	};
	return 0;
}

/* --- plan ---------------------------------------------------------------- */

static int apply_all(struct kr_remedy_plan *plan)
{
	const struct kr_edits *edits = &plan->plan->edits;

	/* one more, so that a plan without edits is no special case */
	plan->contents = calloc(edits->n_files + 1, sizeof(*plan->contents));
	if (!plan->contents)
		return -ENOMEM;
	for (size_t i = 0; i < edits->n_files; i++) {
		int r = kr_file_edits_apply(&edits->files[i],
		                            &plan->contents[i].data,
		                            &plan->contents[i].size);

		if (r < 0)
			return r;
	}
	return 0;
}

static enum kr_method inner_method(enum kr_remedy_method method)
{
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(public_methods) &&
	       public_methods[i] != method)
		i++;
	return (enum kr_method)i;
}

int kr_remedy_plan_new(struct kr_remedy *remedy, enum kr_remedy_method method,
                       struct kr_remedy_plan **ret)
{
	const struct kr_plan_options options = {
		.method = inner_method(method),
		.explicit_wanted = remedy->audit->explicit_wanted,
		.no_persist = !remedy->persist,
	};
	struct kr_remedy_plan *plan = calloc(1, sizeof(*plan));
	int r;

	if (!plan)
		return -ENOMEM;
	r = kr_plan_make(remedy->node, remedy->audit, &options, &remedy->diag,
	                 &plan->plan);
	if (r >= 0)
		r = apply_all(plan);
	if (r < 0) {
		kr_remedy_plan_free(plan);
		return r == KR_REFUSED       ? -EOPNOTSUPP
		       : r == KR_NOTHING_YET ? -ENOENT
		                             : r;
	}
	*ret = plan;
	return 0;
}

struct kr_remedy_plan *kr_remedy_plan_free(struct kr_remedy_plan *plan)
{
	if (!plan)
		return NULL;
	for (size_t i = 0; plan->contents && i < plan->plan->edits.n_files; i++)
		free(plan->contents[i].data);
	free(plan->contents);
	kr_plan_free(plan->plan);
	free(plan);
	return NULL;
}

enum kr_remedy_method kr_remedy_plan_method(const struct kr_remedy_plan *plan)
{
	return public_methods[plan->plan->method];
}

bool kr_remedy_plan_reloads(const struct kr_remedy_plan *plan)
{
	return plan->plan->unit_changes;
}

size_t kr_remedy_plan_n_files(const struct kr_remedy_plan *plan)
{
	return plan->plan->edits.n_files;
}

int kr_remedy_plan_file(const struct kr_remedy_plan *plan, size_t i,
                        struct kr_remedy_file *ret)
{
	const struct kr_file_edits *edits;

	if (i >= plan->plan->edits.n_files)
		return -ERANGE;
	edits = &plan->plan->edits.files[i];
	*ret = (struct kr_remedy_file){
		.path = edits->path,
		.is_new = !edits->file,
		.n_edits = edits->file ? edits->n_edits : 0,
		.content = plan->contents[i].data,
		.content_size = plan->contents[i].size,
	};
	return 0;
}

int kr_remedy_plan_edit(const struct kr_remedy_plan *plan, size_t file,
                        size_t i, struct kr_remedy_edit *ret)
{
	const struct kr_file_edits *edits;

	if (file >= plan->plan->edits.n_files)
		return -ERANGE;
	edits = &plan->plan->edits.files[file];
	if (!edits->file || i >= edits->n_edits)
		return -ERANGE;
	*ret = (struct kr_remedy_edit){
		.offset = edits->edits[i].offset,
		.length = edits->edits[i].length,
		.text = edits->edits[i].text,
	};
	return 0;
}
