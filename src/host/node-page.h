/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One page of the list of a cluster's nodes: GET /api/v1/nodes.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

/* What is asked for: a table, which has kubelet's version and each node's
 * metadata, and a tenth of a whole node's bytes. The API server can do it since
 * 1.15; one that cannot gives metadata alone, or whole nodes. */
#define KR_NODE_PAGE_ACCEPT                                                    \
	"application/json;as=Table;g=meta.k8s.io;v=v1,"                        \
	"application/json;as=PartialObjectMetadataList;"                       \
	"g=meta.k8s.io;v=v1,application/json"

/* A node as the list has it. */
struct kr_node_entry {
	char *name;
	unsigned minor;       /* of kubelet's version 1.MINOR; 0: not known */
	const char *platform; /* struct kr_platform's id, static; NULL */
	/* it has no kubelet that could be asked: Fargate's, or Windows' */
	bool left_out;
};

struct kr_node_page {
	struct kr_node_entry *nodes; /* as the server orders them */
	size_t n_nodes;
	char *token;   /* of the page behind it; NULL: it is the last */
	size_t n_more; /* nodes behind it; 0: none, or it does not say */
};

/*
 * Reads SIZE bytes at BODY, which a NUL follows: a NodeList, a
 * PartialObjectMetadataList or a Table. 0; KR_MALFORMED: it is no list, or a
 * node in it has no name; -ENOMEM. *RET is the caller's with 0, and empty
 * otherwise.
 */
int kr_node_page_parse(const char *body, size_t size, struct kr_node_page *ret);
void kr_node_page_done(struct kr_node_page *page);
#define _cleanup_node_page_ _cleanup_(kr_node_page_done)

/*
 * The token with which a list goes on whose own was too old: the API server
 * puts it into the Status of its 410. 0, *RET is the caller's, or NULL where
 * there is none; -ENOMEM.
 */
int kr_node_page_resume(const char *body, size_t size, char **ret);

/* The path of a page: LIMIT nodes from TOKEN on (NULL: from the start), of
 * those that SELECTOR selects (NULL: all). 0 and *RET, which the caller frees;
 * -ENOMEM. Needs libcurl. */
int kr_node_page_path(size_t limit, const char *selector, const char *token,
                      char **ret);
