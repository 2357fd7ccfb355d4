/* SPDX-License-Identifier: Apache-2.0 */

/* Which kubelet merges its drop-ins in which way: facts of kubelet's releases,
 * cmd/kubelet/app/server.go. */

#include "kubelet/merge.h"

enum kr_merge kr_merge_of(unsigned minor)
{
	if (minor == 0 || minor > 31)
		return KR_MERGE_FILE_NAMES;
	return minor == 28 ? KR_MERGE_STRUCTS : KR_MERGE_GO_NAMES;
}
