/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Platforms that own kubelet's files: what is edited there is undone, or makes
 * the node be reported as broken, so it is refused and the right place named.
 *
 *   OpenShift     the Machine Config Operator compares the files with its own
 *                 and calls the node degraded (its config drift monitor)
 *   Bottlerocket  /etc is made anew at each boot, from the settings of its API
 *   Talos         the files are made from the machine configuration
 *
 * ID= as os-release(5) has it: a word, quoted or not.
 */

#include <string.h>

#include "node/platform.h"

static const struct kr_platform platforms[] = {
	{.name = "openshift",
         .marker = "/etc/machine-config-daemon",
         .refusal = "the files of an OpenShift node belong to the Machine "
                    "Config Operator: a KubeletConfig resource with "
                    "makeIPTablesUtilChains: true would have to be applied"},
	{.name = "bottlerocket",
         .os_id = "bottlerocket",
         .refusal = "the files of a Bottlerocket node are made anew at each "
                    "boot: its settings would have to be changed through its "
                    "API"},
	{.name = "talos",
         .os_id = "talos",
         .refusal = "the files of a Talos node are made from its machine "
                    "configuration: machine.kubelet there would have to be "
                    "changed"},
};

static bool has_id(const struct kr_file *release, const char *id)
{
	size_t length = strlen(id);

	for (const char *line = release->data; line && *line;
	     line = strchr(line, '\n'), line += line != NULL) {
		const char *value = line + 3;

		if (strncmp(line, "ID=", 3) != 0)
			continue;
		if (*value == '"' || *value == '\'')
			value++;
		return strncmp(value, id, length) == 0 &&
		       strchr("\"'\r\n", value[length]);
	}
	return false;
}

const struct kr_platform *kr_platform_find(struct kr_fs *fs)
{
	const struct kr_file *release = NULL;

	if (kr_fs_read(fs, "/etc/os-release", &release) < 0 &&
	    kr_fs_read(fs, "/usr/lib/os-release", &release) < 0)
		release = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(platforms); i++) {
		const struct kr_platform *p = &platforms[i];
		_cleanup_stat_ struct kr_stat st = {0};

		if (p->marker && kr_fs_stat(fs, p->marker, true, &st) == 0)
			return p;
		if (p->os_id && release && has_id(release, p->os_id))
			return p;
	}
	return NULL;
}
