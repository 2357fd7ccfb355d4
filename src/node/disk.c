/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The disk view: kubelet as the files of its unit would start it.
 *
 * It is read once (node/disk-read, node/disk-command) and asked then:
 *
 *	STATE     what holds whatever a field says, with REASON: systemd would
 *	          not start it (INVALID), or that is unknown (UNKNOWN);
 *	          ABSENT: the inputs tell
 *	START     what starts kubelet, and so whether there are INPUTS at all
 *	COMMAND   the command that does; the words behind FIRST_WORD are
 *	          kubelet's arguments, which know their bytes
 *
 * Where another program starts kubelet (node/foreign), the arguments known here
 * are not all that there are: a default is no answer then, but for a field that
 * this program is known to leave alone.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "node/disk.h"
#include "node/foreign.h"

int kr_disk_say(struct kr_node_disk *disk, enum kr_state state,
                const char *format, ...)
{
	va_list args;
	int r;

	disk->state = state;
	va_start(args, format);
	r = kr_vformat(&disk->reason, format, args);
	va_end(args);
	return r;
}

void kr_disk_done(struct kr_node_disk *disk)
{
	kr_inputs_done(&disk->inputs);
	kr_foreign_free(disk->foreign);
	kr_unit_free(disk->unit);
	free(disk->configs);
	free(disk->start_doubt);
	free(disk->reason);
	free(disk->slip);
	*disk = KR_DISK_NONE;
}

/* --- what starts kubelet ------------------------------------------------- */

const struct kr_inputs *kr_node_inputs(const struct kr_node *node)
{
	const struct kr_node_disk *disk = &node->disk;

	switch (disk->start) {
	case KR_START_UNTOLD:
	case KR_START_WAITS:
		return NULL;
	case KR_START_FOREIGN:
		return disk->foreign->inputs_valid ? &disk->inputs : NULL;
	default:
		return &disk->inputs;
	}
}

bool kr_node_waits(const struct kr_node *node)
{
	return node->disk.start == KR_START_WAITS ||
	       node->disk.start == KR_START_UNJOINED ||
	       node->disk.start == KR_START_FILE;
}

const struct kr_unit_command *kr_node_command(const struct kr_node *node)
{
	if (node->disk.command < 0)
		return NULL;
	return &node->disk.unit->commands[node->disk.command];
}

const struct kr_unit_word *kr_node_word(const struct kr_node *node, size_t arg)
{
	const struct kr_unit_command *c = kr_node_command(node);

	if (!c || node->disk.first_word + arg >= c->n_words)
		return NULL;
	return &c->words[node->disk.first_word + arg];
}

struct kr_span kr_node_span(const struct kr_node *node, size_t arg)
{
	const struct kr_foreign *foreign = node->disk.foreign;
	const struct kr_unit_word *word = kr_node_word(node, arg);

	if (foreign)
		return arg < foreign->n_words ? foreign->words[arg].span
		                              : KR_SPAN_NONE;
	return word ? kr_word_span(word) : KR_SPAN_NONE;
}

/* --- what it has for a field --------------------------------------------- */

/* Another program starts kubelet, with arguments of its own beside those that
 * are known here. */
static int decide_foreign(const struct kr_node *node, int field,
                          struct kr_decision *d)
{
	if ((d->by == KR_BY_DEFAULT || d->either_default) &&
	    !kr_foreign_leaves(field)) {
		d->either_default = false;
		d->by = KR_BY_NOTHING;
		d->state = KR_STATE_UNKNOWN;
		return kr_format(
			&d->reason,
			"%s starts kubelet, and what it sets by itself "
			"is not known here",
			node->disk.foreign->name);
	}
	return kr_format(&d->reason, "%s starts kubelet: %s",
	                 node->disk.foreign->name, d->reason);
}

bool kr_node_reads_other_config(const struct kr_node *node)
{
	const char *config =
		node->running_valid
			? kr_flags_text(&node->running.flags, KR_FIELD_CONFIG)
			: NULL;

	return node->config_override && config &&
	       strcmp(config, node->config_override) != 0;
}

bool kr_node_is_invalid(const struct kr_node *node)
{
	const struct kr_node_disk *disk = &node->disk;

	if (disk->state != KR_STATE_ABSENT || !kr_node_inputs(node))
		return disk->state == KR_STATE_INVALID;
	if (disk->inputs.files_doubt && !disk->inputs.argv_refused)
		return false;
	return kr_inputs_state(&disk->inputs) == KR_STATE_INVALID;
}

/* Behind what it comes from in the end. */
static int explain(const struct kr_node_disk *disk, struct kr_decision *d)
{
	if (d->state != KR_STATE_INVALID || !disk->slip)
		return 0;
	return kr_format(&d->reason, "%s: %s", disk->slip, d->reason);
}

int kr_node_decide(const struct kr_node *node, int field,
                   struct kr_decision *ret)
{
	const struct kr_node_disk *disk = &node->disk;
	const struct kr_inputs *in = kr_node_inputs(node);
	_cleanup_decision_ struct kr_decision d = {0};
	int r = in ? kr_decide(in, field, &d) : 0;

	if (r < 0)
		return r;
	if (disk->state != KR_STATE_ABSENT) {
		d.state = disk->state;
		d.either_default = false;
		r = kr_format(&d.reason, "%s", disk->reason);
	} else if (disk->foreign) {
		r = decide_foreign(node, field, &d);
	}
	if (r < 0)
		return r;
	r = explain(disk, &d);
	if (r < 0)
		return r;
	*ret = TAKE(d);
	return 0;
}
