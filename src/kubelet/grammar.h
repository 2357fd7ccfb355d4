/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The small languages in kubelet's settings: yes or no, and a number where one
 * is needed. MINOR is kubelet's, 20 for 1.20.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* resource.ParseQuantity() of LENGTH bytes of S: "10Mi", "1.5e3", "100m"; "Mi"
 * is 0. RET_SIGN is that of the number: -1, 0, 1. */
bool kr_quantity_valid(const char *s, size_t length, int *ret_sign);

/* Quantity.AsInt64(): what kubelet takes as a number of bytes. Numbers that
 * would fit by their size do not always: "1.0", "1.5Gi" and "1Pi" do not. */
bool kr_quantity_int64(const char *s, int64_t *ret);

/* A threshold of evictionHard and evictionSoft. RET_OFF: it is taken, and
 * switched off. */
bool kr_threshold_valid(const char *s, unsigned minor, bool *ret_off);

/* An amount of evictionMinimumReclaim. */
bool kr_reclaim_valid(const char *s);

/* An amount of qosReserved: "0%" to "100%". */
bool kr_qos_percent_valid(const char *s);

bool kr_eviction_signal_valid(const char *s, unsigned minor);

/* cpuset.Parse(): "0-3,7". */
bool kr_cpu_list_valid(const char *s, unsigned minor);

/* validation.IsQualifiedName(), IsValidLabelValue(). */
bool kr_qualified_name_valid(const char *s);
bool kr_label_value_valid(const char *s);

/* A sysctl, or a "*" behind the beginning of one, that has a namespace. */
bool kr_unsafe_sysctl_valid(const char *s, unsigned minor);

/* Absolute, as Go's filepath.Clean() leaves it, all ASCII. */
bool kr_clean_path_valid(const char *s);

/* An image's name without a tag, or the beginning of one before "/" and "*". */
bool kr_image_pattern_valid(const char *s);

/* False only for what OpenTelemetry's exporter is known to refuse. */
bool kr_trace_endpoint_valid(const char *s);

/* The socket of a container runtime. */
bool kr_runtime_endpoint_valid(const char *s);

/* A cipher suite's name, to the Go that kubelet is built with. */
bool kr_cipher_valid(const char *s);

/* net.ParseIP(), as far as the C library tells it; leading zeros are fine. */
bool kr_ip_valid(const char *s);
