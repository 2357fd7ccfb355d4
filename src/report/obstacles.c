/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What keeps fix from a control that fails, as far as files tell it.
 *
 *   a refusal   is found on the node as it is, as fix finds it before its first
 *               edit
 *   a hold      is the line that an earlier fix has left of what it saw: an
 *               audit asks kubelet's ports nothing. In an image holds do not
 *               apply
 *   a bar       a fix with it was put back: it is to blame, or nothing is and
 *               the files are the same
 */

#include <errno.h>
#include <stdlib.h>

#include "base/vec.h"
#include "fix/holds.h"
#include "fix/remembered.h"
#include "policy/refusal.h"
#include "report/obstacles.h"
#include "store/hold-lines.h"
#include "store/manifest.h"

/* Whether a fix would change J's control at all. */
static bool counts(const struct kr_judgement *j)
{
	return j->policy != KR_POLICY_NEVER &&
	       (j->verdict == KR_VERDICT_FAIL ||
	        (j->verdict == KR_VERDICT_INVALID && j->by_setting));
}

static int find_holds(struct kr_node *node, const struct kr_audit *audit,
                      struct kr_obstacles *o)
{
	_cleanup_hold_lines_ struct kr_hold_lines lines = {0};
	bool read = false;

	for (size_t i = 0; i < o->n; i++) {
		const struct kr_rule *rule = audit->items[i].rule;
		int r = 0;

		if (rule->hold == KR_HOLD_NONE || !counts(&audit->items[i]))
			continue;
		if (!read)
			r = kr_hold_lines_read(node->fs, NULL, &lines);
		read = true;
		if (r == 0)
			r = kr_hold_lines_describe(&lines, rule->name, NULL,
			                           &o->items[i].hold);
		if (r < 0)
			return r;
		o->items[i].held = kr_holds_go_by_line(node, &lines, rule);
	}
	return 0;
}

/* The names of those that a fix would change, in RET, which has room. */
static size_t name_all(const struct kr_audit *audit, const char **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < audit->n_items; i++) {
		if (counts(&audit->items[i]))
			ret[n++] = audit->items[i].rule->name;
	}
	return n;
}

static int find_bars(struct kr_node *node, const struct kr_audit *audit,
                     const struct kr_manifests *records, struct kr_obstacles *o)
{
	_cleanup_free_ const char **names = calloc(o->n + 1, sizeof(*names));
	const struct kr_manifest *whole;

	if (!names)
		return -ENOMEM;
	whole = kr_manifests_find_put_back(records, node->fs, names,
	                                   name_all(audit, names));
	for (size_t i = 0; i < o->n; i++) {
		const char *name = audit->items[i].rule->name;
		const struct kr_manifest *m =
			kr_manifests_find_blamed(records, node->fs, name);
		int r;

		if (!counts(&audit->items[i]))
			continue;
		if (!m && whole && kr_strings_contain(&whole->controls, name)) {
			o->items[i].whole = true;
			m = whole;
		}
		r = m ? kr_remembered_describe(m, &o->items[i].barred) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* Whether the same fix writes what RULE's own refusal is about: the gate. */
static bool is_cured(const struct kr_audit *audit, const struct kr_rule *rule)
{
	KR_EACH(const struct kr_judgement, j, audit->items, audit->n_items) {
		if (rule->refusal == KR_REFUSAL_GATE_OFF &&
		    j->rule->n_fields > 0 &&
		    j->rule->fields[0] == KR_FIELD_GATE_ROTATE_SERVER)
			return counts(j);
	}
	return false;
}

static int find_refusals(struct kr_node *node, const struct kr_audit *audit,
                         struct kr_obstacles *o)
{
	_cleanup_diag_ struct kr_diag trusted = {0};

	for (size_t i = 0; i < o->n; i++) {
		const struct kr_rule *rule = audit->items[i].rule;
		int r;

		if (!counts(&audit->items[i]) || is_cured(audit, rule))
			continue;
		r = kr_refusal_find(node, node, rule, &trusted,
		                    &o->items[i].refusal);
		if (r < 0)
			return r;
	}
	return 0;
}

int kr_obstacles_find(struct kr_node *node, const struct kr_audit *audit,
                      const struct kr_manifests *records,
                      struct kr_obstacles *ret)
{
	_cleanup_obstacles_ struct kr_obstacles o = {
		calloc(audit->n_items, sizeof(*o.items)), audit->n_items};
	int r;

	if (!o.items)
		return -ENOMEM;
	r = node->live ? find_holds(node, audit, &o) : 0;
	if (r == 0)
		r = find_refusals(node, audit, &o);
	if (r == 0)
		r = find_bars(node, audit, records, &o);
	if (r < 0)
		return r;
	*ret = o;
	o = (struct kr_obstacles){0};
	return 0;
}

const char *kr_obstacle_refusal(const struct kr_obstacle *o)
{
	if (o->refusal)
		return o->refusal;
	return o->whole ? NULL : o->barred;
}

void kr_obstacles_done(struct kr_obstacles *o)
{
	for (size_t i = 0; o->items && i < o->n; i++) {
		free(o->items[i].hold);
		free(o->items[i].refusal);
		free(o->items[i].barred);
	}
	free(o->items);
	*o = (struct kr_obstacles){0};
}
