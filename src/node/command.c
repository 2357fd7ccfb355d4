/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What starts kubelet: the command of the node's unit, what that gives to
 * kubelet, and where each of kubelet's arguments comes from.
 */

#include "node/foreign.h"
#include "node/node.h"

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
	       node->disk.start == KR_START_UNJOINED;
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
	return word ? word->span : KR_SPAN_NONE;
}
