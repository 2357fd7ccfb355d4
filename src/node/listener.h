/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whose socket answers at an address: of two programs that listen on one port
 * only one is kubelet.
 */

#include <sys/types.h>

/*
 * Whether process PID below PROC_FD, an open /proc, holds the socket that
 * connections to ADDRESS (IPv4 or IPv6, as text) and PORT reach in our network
 * namespace. 1; 0: another process does; -EINVAL: no address; an errno where
 * that is unknown: -ENOENT: no process listens there, or the kernel does not
 * say; -EACCES: the process's sockets may not be looked at; -ESRCH: it has
 * ended; others of socket(2), where netlink is not to be had.
 */
int kr_listener_is(int proc_fd, pid_t pid, const char *address, unsigned port);
