/* SPDX-License-Identifier: Apache-2.0 */

#include "kubelet/setting.h"
#include "kubelet/field.h"

const struct kr_setting kr_setting_iptables = {
	.field = KR_FIELD_IPTABLES,
	.key = "makeIPTablesUtilChains",
	.flag = "make-iptables-util-chains",
};
