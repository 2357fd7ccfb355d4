/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which EC2 instance a node is, as far as its own files tell.
 *
 *	board_asset_tag   the hypervisor's word (Nitro), below /sys
 *	instance-id       what cloud-init read at this boot
 *
 * An image may hold the cloud-init file of the machine that it was made of, so
 * it is not asked. What is no instance's id is not taken: on-premises machines
 * have asset tags, too.
 *
 * Source: EC2's user guide, "Identify EC2 instances" (DMI); cloud-init's
 * documentation, "Persistent data" (/var/lib/cloud/data/instance-id).
 */

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "node/ec2-instance.h"

static const char *const paths[] = {
	"/sys/devices/virtual/dmi/id/board_asset_tag",
	"/var/lib/cloud/data/instance-id",
};

/* "i-" and 8 digits, or 17 since 2016. */
static bool is_id(const char *s, size_t size)
{
	if ((size != 10 && size != 19) || s[0] != 'i' || s[1] != '-')
		return false;
	for (size_t i = 2; i < size; i++) {
		if (!isdigit((unsigned char)s[i]) && (s[i] < 'a' || s[i] > 'f'))
			return false;
	}
	return true;
}

int kr_ec2_instance(struct kr_node *node, char ret[static KR_EC2_INSTANCE_SIZE])
{
	*ret = '\0';
	for (size_t i = 0; node->live && i < ARRAY_SIZE(paths); i++) {
		_cleanup_file_ struct kr_file *file = NULL;
		int r = kr_fs_read_once(node->fs, paths[i], &file);
		size_t size;

		if (r == -ENOMEM)
			return r;
		if (r < 0)
			continue;
		size = file->size;
		while (size > 0 && isspace((unsigned char)file->data[size - 1]))
			size--;
		if (!is_id(file->data, size))
			continue;
		memcpy(ret, file->data, size);
		ret[size] = '\0';
		return 0;
	}
	return 0;
}
