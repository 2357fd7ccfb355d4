/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The command of the node's unit that starts kubelet, and where each of
 * kubelet's arguments comes from.
 */

#include "node/foreign.h"
#include "node/node.h"

const struct kr_unit_command *kr_node_command(const struct kr_node *node)
{
	if (node->disk.command < 0)
		return NULL;
	return &node->disk.unit->commands[node->disk.command];
}

const struct kr_unit_word *kr_node_word(const struct kr_node *node, size_t arg)
{
	const struct kr_unit_command *c = kr_node_command(node);

	if (!c || node->disk.from_process ||
	    node->disk.first_word + arg >= c->n_words)
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
