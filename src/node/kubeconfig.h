/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kubeconfig with which kubelet reaches its API server: its user, and the
 * authority that it trusts.
 */

#include <stddef.h>

#include "base/diag.h"
#include "base/fs.h"

enum kr_kubeconfig_user {
	KR_USER_UNKNOWN,     /* the file does not tell, or is not understood */
	KR_USER_CERTIFICATE, /* a client certificate, which can be rotated */
	KR_USER_TOKEN,
	KR_USER_EXEC,   /* a program gives a credential */
	KR_USER_OTHER,  /* a password, auth-provider */
	KR_USER_NOBODY, /* no credential at all */
};

struct kr_kubeconfig {
	enum kr_kubeconfig_user user;
	/* the key that makes it so; no file: none does */
	struct kr_span place;
	/* the PEM of the authority that is trusted, SIZE bytes and a NUL, from
	 * the file itself or the one it names; NULL: none given, or it
	 * cannot be read */
	char *authority;
	size_t authority_size;
	/* paths below the node's root; NULL: not given so */
	char *authority_file, *certificate_file, *key_file;
};

/*
 * Reads the kubeconfig at PATH. What is not understood is KR_USER_UNKNOWN. The
 * span points into a file of FS. 0; -ENOMEM; the errno of kr_fs_read() of PATH.
 *
 * Source: tools/clientcmd of k8s.io/client-go.
 */
int kr_kubeconfig_read(struct kr_fs *fs, const char *path,
                       struct kr_kubeconfig *ret);
void kr_kubeconfig_done(struct kr_kubeconfig *kubeconfig);
#define _cleanup_kubeconfig_ _cleanup_(kr_kubeconfig_done)

/*
 * kubelet's client certificate and its key, for a library that reads them by
 * path: what is in the kubeconfig itself lies in memory, behind a file
 * descriptor.
 */
struct kr_kubeconfig_client {
	int certificate_fd, key_fd; /* -1: WHY_NOT says why not */
	bool in_memory[2];          /* of these two */
	const char *why_not;        /* static; NULL: both are there */
};

/*
 * Opens what the kubeconfig at PATH has now, on the disk; the files of a
 * kubelet that rotates its certificate change. The key's bytes are read from
 * the kubeconfig only where they stand in it, and are wiped there. 0: RET is
 * filled, the caller ends it; -ENOMEM.
 */
int kr_kubeconfig_open_client(struct kr_fs *fs, const char *path,
                              struct kr_kubeconfig_client *ret);
void kr_kubeconfig_client_done(struct kr_kubeconfig_client *client);
#define _cleanup_kubeconfig_client_ _cleanup_(kr_kubeconfig_client_done)
