/* SPDX-License-Identifier: Apache-2.0 */

/*
 * io.systemd.Journal.Synchronize(), what journalctl --sync calls: journald
 * answers when it has handled all that lay in its sockets, the streams of
 * services' stdout among them. It is Varlink (varlink.org): one JSON object
 * each way, each ended by a NUL. libsystemd has a public client since 257 only.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/root.h"
#include "systemd/journal.h"

#define SOCKET     "/run/systemd/journal/io.systemd.journal"
#define CALL       "{\"method\":\"io.systemd.Journal.Synchronize\"}"
#define REPLY_SIZE 4096

static int open_connection(const char *root, uint64_t limit_usec)
{
	const struct timeval limit = {
		.tv_sec = (time_t)(limit_usec / KR_USEC_PER_SEC),
		.tv_usec = (suseconds_t)(limit_usec % KR_USEC_PER_SEC),
	};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int root_fd = -1, path_fd = -1, fd = -1;
	_cleanup_free_ char *real = NULL;

	root_fd = open(root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -errno;
	path_fd = kr_root_resolve(&(struct kr_root){.fd = root_fd}, SOCKET,
	                          true, &real);
	if (path_fd < 0)
		return path_fd;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) <
	            0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d",
	         path_fd);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return TAKE_FD(fd);
}

/* The reply, without its NUL. 0 or an errno. */
static int receive(int fd, char ret[static REPLY_SIZE])
{
	size_t got = 0;

	while (got < REPLY_SIZE) {
		ssize_t n = recv(fd, ret + got, REPLY_SIZE - got, 0);

		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n == 0)
			return -ECONNRESET;
		got += (size_t)n;
		if (ret[got - 1] == '\0')
			return 0;
	}
	return -EPROTO;
}

int kr_journal_sync(const char *root, uint64_t limit_usec)
{
	_cleanup_close_ int fd = open_connection(root, limit_usec);
	char text[REPLY_SIZE];
	cJSON *reply;
	int r;

	if (fd < 0)
		return fd;
	if (send(fd, CALL, sizeof(CALL), MSG_NOSIGNAL) < 0) /* NUL and all */
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	r = receive(fd, text);
	if (r < 0)
		return r;
	reply = cJSON_Parse(text);
	r = !reply || cJSON_GetObjectItemCaseSensitive(reply, "error") ? -EPROTO
	                                                               : 0;
	cJSON_Delete(reply);
	return r;
}
