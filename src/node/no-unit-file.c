/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files of the unit that are no unit files.
 *
 * systemd reads on where a file of the unit is no unit file, or stops in the
 * middle of it, and says so only in its log. Two things can be behind that:
 *
 *	a KubeletConfiguration among the drop-ins	it was never meant for
 *			systemd, which ignores every line: one warning says so
 *			instead of one for each part of it
 *	anything else	what the file was meant to say, to kubelet's arguments
 *			most of all, cannot be told
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kubelet/config.h"
#include "node/no-unit-file.h"

/* What is said of PATH since it is no unit file. */
static bool is_syntax_of(const struct kr_message *m, const void *path)
{
	static const char *const codes[] = {
		"unit-no-section",      "unit-section-unknown",
		"unit-section-invalid", "unit-line-invalid",
		"unit-not-utf8",        "unit-line-too-long",
	};

	for (size_t i = 0; m->file && i < ARRAY_SIZE(codes); i++) {
		if (strcmp(m->code, codes[i]) == 0 &&
		    strcmp(m->file, path) == 0)
			return true;
	}
	return false;
}

static bool has_syntax_of(const struct kr_diag *found, const char *path)
{
	for (size_t i = 0; i < found->n_messages; i++) {
		if (is_syntax_of(&found->messages[i], path))
			return true;
	}
	return false;
}

int kr_no_unit_file_find_configs(struct kr_node *node, struct kr_diag *found)
{
	const struct kr_unit *unit = node->disk.unit;

	for (size_t i = 0; i < unit->n_dropins; i++) {
		const struct kr_file *file = unit->dropins[i];
		_cleanup_config_ struct kr_config config = {0};
		int r;

		if (!has_syntax_of(found, file->path))
			continue;
		r = kr_config_parse(file, NULL, NULL, &config);
		if (r == -ENOMEM)
			return r;
		/* one whose value is wrong is one, too */
		if (r < 0 || kr_config_stops(&config, config.invalid_field))
			continue;
		kr_diag_remove(found, is_syntax_of, file->path);
		kr_diag_add_path(found, KR_WARNING, "dropin-is-config",
		                 file->path,
		                 "the file is a KubeletConfiguration and no "
		                 "drop-in: systemd ignores its lines");
		if (!node->disk.configs)
			node->disk.configs = calloc(
				unit->n_dropins, sizeof(*node->disk.configs));
		if (!node->disk.configs)
			return -ENOMEM;
		node->disk.configs[i] = true;
	}
	return 0;
}

const struct kr_message *kr_no_unit_file_first(const struct kr_diag *found)
{
	static const char *const codes[] = {
		"unit-section-invalid",
		"unit-not-utf8",
		"unit-line-too-long",
		"dropin-not-a-file",
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const struct kr_message *m = kr_diag_find(found, codes[i]);

		if (m)
			return m;
	}
	return NULL;
}
