/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A node's name in Kubernetes: what the pod was given, else what kubelet
 * registers it by (nodeutil.GetHostname: --hostname-override, else the host
 * name, either in lower case).
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/name.h"

/* What the process was given, before its inputs are read. */
static const char *find_process_override(const struct kr_node *node)
{
	const char *const *argv = (const char *const *)node->process.argv;
	_cleanup_flags_ struct kr_flags flags = {0};
	int first = kr_process_kubelet_word(argv, node->process.argc);

	if (first < 0 ||
	    kr_flags_parse(argv + first, node->process.argc - (size_t)first,
	                   &flags) < 0)
		return NULL;
	return kr_flags_text(&flags, KR_FIELD_HOSTNAME_OVERRIDE);
}

/* Whether systemd's files do not tell the value: of %H, say. */
static bool is_unknown(const struct kr_node *node)
{
	const struct kr_flag_use *use = kr_flags_last(
		&node->disk.inputs.flags, KR_FIELD_HOSTNAME_OVERRIDE);
	const struct kr_unit_word *word = kr_node_word(node, use->value_arg);

	return word && word->from->unknown;
}

/* What kubelet was given, or would be. "": that is not known; NULL: nothing. */
static const char *find_override(const struct kr_node *node)
{
	const struct kr_inputs *in =
		node->running_valid ? &node->running : &node->disk.inputs;
	const char *text =
		kr_flags_text(&in->flags, KR_FIELD_HOSTNAME_OVERRIDE);

	if (!node->running_valid && node->has_process)
		text = find_process_override(node);
	else if (text && !node->running_valid && is_unknown(node))
		return "";
	return text && *text ? text : NULL;
}

void kr_node_name(struct kr_node *node, char *ret, size_t size)
{
	const struct kr_file *file = NULL;
	const char *name =
		node->name_override ? node->name_override : getenv("NODE_NAME");
	const char *override = find_override(node);

	ret[0] = '\0';
	if (name && *name)
		strlcpy(ret, name, size);
	else if (override)
		strlcpy(ret, override, size);
	else if (strcmp(node->root, "/") == 0)
		gethostname(ret, size - 1);
	else if (kr_fs_read(node->fs, "/etc/hostname", &file) == 0)
		strlcpy(ret, file->data, size);
	ret[strcspn(ret, "\n")] = '\0';
	for (char *c = ret; !(name && *name) && *c; c++)
		*c = (char)tolower((unsigned char)*c);
}
