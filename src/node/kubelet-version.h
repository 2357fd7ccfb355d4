/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which kubelet it is, as far as an answer depends on it. */

#include "node/node.h"

/*
 * The minor version in TEXT, which is as kubelet, its packages and its vendors
 * write it: "1.31", "v1.31.2", "1.31.2-eks-7f9249a", "1.31.2-1.1",
 * "v1.31.2+k3s1". 0; -EINVAL: no such text.
 */
int kr_kubelet_version_parse(const char *text, unsigned *ret_minor);

/*
 * The minor version of the kubelet that NODE's unit starts; 0: it is not known.
 * First what the options say; then what the kubelet that runs has registered or
 * logged, where that was asked, if that is the very program that the command
 * runs; then what the node's own files say of that program. No file of the node
 * is run. 0 or -ENOMEM.
 */
int kr_kubelet_version_find(struct kr_node *node, unsigned *ret_minor);

/*
 * The minor version in LINE, where it is the one in which a kubelet that starts
 * says its version, in klog's text or as JSON. 0: it is another line.
 */
unsigned kr_kubelet_version_in_line(const char *line);

/*
 * Asks what the kubelet that runs has registered, unless that was asked before,
 * the options say the version, or no kubelet runs: the other functions know the
 * answer then. Costs an answer of the API server.
 */
void kr_kubelet_version_ask(struct kr_node *node);

/*
 * What the log of the invocation that runs says, for the running kubelet or,
 * with DISK, for the one that the unit starts: then only if that is the very
 * program that runs. Costs a look into the journal. 0: it is not known.
 */
unsigned kr_kubelet_version_logged(struct kr_node *node, bool disk);

/* The same as kr_kubelet_version_find() of the kubelet that runs, which an
 * upgrade may have left behind. */
int kr_kubelet_version_running(struct kr_node *node, unsigned *ret_minor);

/* For a report: of the kubelet that the unit starts, else of the one that runs.
 * No process is asked for it. 0: it is not known. 0 or -ENOMEM. */
int kr_kubelet_version_told(struct kr_node *node, unsigned *ret_minor);

/* Where an answer depends on it: what kr_kubelet_version_find() or, without
 * DISK, kr_kubelet_version_running() knows, else what the API server and then
 * the log say. 0: it is not known. 0 or -ENOMEM. */
int kr_kubelet_version_seek(struct kr_node *node, bool disk,
                            unsigned *ret_minor);
