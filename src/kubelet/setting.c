/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of settings. Source of the ids: the benchmarks as kube-bench and
 * their own texts number them, by edition.
 */

#include "kubelet/setting.h"
#include "base/macro.h"
#include "kubelet/field.h"

static const struct kr_benchmark iptables_benchmarks[] = {
	{.name = "CIS Amazon EKS 1.0-1.2", .id = "3.2.7"},
	{.name = "CIS Amazon EKS 1.5 and later", .id = "3.2.6"},
	{.name = "CIS Azure AKS 1.0", .id = "3.2.7"},
	{.name = "CIS Azure AKS 1.7 and later", .id = "3.2.6"},
	{.name = "CIS Google GKE 1.0", .id = "4.2.7"},
	{.name = "CIS Google GKE 1.2", .id = "3.2.7"},
	{.name = "CIS Google GKE 1.6", .id = "3.2.6"},
	{.name = "CIS Kubernetes 1.5-1.24", .id = "4.2.7"},
	{.name = "CIS Kubernetes 1.7 and later", .id = "4.2.6"},
};

const struct kr_setting kr_setting_iptables = {
	.field = KR_FIELD_IPTABLES,
	.key = "makeIPTablesUtilChains",
	.flag = "make-iptables-util-chains",
	.required = true,
	.by_default = true,
	.benchmarks = iptables_benchmarks,
	.n_benchmarks = ARRAY_SIZE(iptables_benchmarks),
};
