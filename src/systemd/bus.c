/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A connection to systemd's manager.
 *
 * Which way. Of this machine: the system bus (or the one that
 * DBUS_SYSTEM_BUS_ADDRESS names); where that is down, the socket on which
 * systemd itself listens, /run/systemd/private, for root only: a failing node
 * may have no dbus-daemon. Below a root: that root's bus socket and no other
 * way, and with DBUS_SYSTEM_BUS_ADDRESS as well: the private socket would be
 * another machine's. systemd refuses its private socket to a peer of another
 * pid namespace anyhow.
 *
 * The private socket speaks D-Bus without a bus: no Hello, no names, no
 * AddMatch; the manager sends its signals to every peer.
 *
 * Waiting. Every call is sent and then waited for in one loop, kr_bus_wait(),
 * which never sleeps longer than a tick: so a signal is noticed whatever
 * systemd does, a stopped systemd included, and a deadline holds. The loop
 * polls before it reads, as most answers take a while: a call costs a sendmsg,
 * a ppoll and the reads of sd-bus.
 *
 * A connection that ends (dbus-daemon restarted, systemd re-executed on the
 * private socket) gives -ECONNRESET. Calls that may be repeated are, once, over
 * a new connection.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fs.h"
#include "systemd/bus-error.h"
#include "systemd/bus.h"
#include "systemd/unit-properties.h"

#define TICK_USEC      (UINT64_C(100) * KR_USEC_PER_MSEC)
#define OLDEST_SYSTEMD 245

#define SYSTEM_SOCKET   "/run/dbus/system_bus_socket"
#define PRIVATE_SOCKET  "/run/systemd/private"
#define PRIVATE_ADDRESS "unix:path=" PRIVATE_SOCKET

static const struct kr_bus_method get_version = {
	.path = KR_BUS_MANAGER_PATH,
	.interface = KR_BUS_PROPERTIES,
	.member = "Get",
};

struct kr_manager_wait kr_bus_patience(const struct kr_bus *bus,
                                       uint64_t usual_usec)
{
	uint64_t usec = bus->timeout_usec ? bus->timeout_usec : usual_usec;

	return (struct kr_manager_wait){
		.deadline_usec = kr_now_usec() + usec,
		.tick = bus->tick,
		.closure = bus->closure,
	};
}

/* Sleeps until something arrives, UNTIL_USEC, or a signal: then 1. */
static int poll_once(sd_bus *sd, uint64_t until_usec)
{
	struct pollfd pfd = {0};
	struct timespec ts;
	uint64_t wake_usec = 0, left;
	int r;

	pfd.fd = sd_bus_get_fd(sd);
	if (pfd.fd < 0)
		return pfd.fd;
	r = sd_bus_get_events(sd);
	if (r < 0)
		return r;
	pfd.events = (short)r;
	r = sd_bus_get_timeout(sd, &wake_usec);
	if (r < 0)
		return r;
	left = kr_left_usec(wake_usec < until_usec ? wake_usec : until_usec);
	if (left == 0)
		return 0;
	ts.tv_sec = (time_t)(left / KR_USEC_PER_SEC);
	ts.tv_nsec = (long)(left % KR_USEC_PER_SEC) * 1000;
	if (ppoll(&pfd, 1, &ts, NULL) >= 0)
		return 0;
	return errno == EINTR ? 1 : -errno;
}

int kr_bus_wait(struct kr_bus *bus, const struct kr_manager_wait *wait,
                const bool *done)
{
	uint64_t tick_usec = kr_now_usec() + TICK_USEC;
	uint64_t now;
	int r;

	if (!bus->sd)
		return -ENOTCONN;
	while (!*done) {
		r = poll_once(bus->sd, tick_usec < wait->deadline_usec
		                               ? tick_usec
		                               : wait->deadline_usec);
		if (r < 0)
			return r;
		now = kr_now_usec();
		if (wait->tick && (r > 0 || now >= tick_usec)) {
			r = wait->tick(wait->closure);
			if (r < 0)
				return r;
		}
		if (now >= tick_usec)
			tick_usec = now + TICK_USEC;
		r = sd_bus_process(bus->sd, NULL);
		if (r < 0)
			return r;
		if (!*done && now >= wait->deadline_usec)
			return -ETIMEDOUT;
	}
	return 0;
}

struct reply {
	sd_bus_message *message;
	bool done;
};

static int on_reply(sd_bus_message *message, void *userdata, sd_bus_error *e)
{
	struct reply *reply = userdata;

	reply->message = sd_bus_message_ref(message);
	reply->done = true;
	return 0;
}

/* One attempt; the words of a failure go to DIAG, but not those of an answer
 * that is an error: that is in *RET. */
static int exchange(struct kr_bus *bus, const struct kr_bus_method *method,
                    const struct kr_manager_wait *wait, sd_bus_message **ret,
                    const char *types, va_list args)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	struct reply reply = {0};
	int r;

	if (!bus->sd)
		return -ENOTCONN;
	r = sd_bus_message_new_method_call(bus->sd, &m, KR_BUS_DESTINATION,
	                                   method->path, method->interface,
	                                   method->member);
	if (r >= 0 && method->append)
		r = method->append(m, method->closure);
	else if (r >= 0 && types)
		r = sd_bus_message_appendv(m, types, args);
	if (r >= 0)
		r = sd_bus_call_async(bus->sd, &slot, m, on_reply, &reply,
		                      UINT64_MAX);
	if (r >= 0)
		r = kr_bus_wait(bus, wait, &reply.done);
	/* a connection that ends answers its open calls with an error of
	 * sd-bus's own making */
	if (r >= 0 && sd_bus_is_open(bus->sd) <= 0 &&
	    sd_bus_message_is_method_error(reply.message, NULL))
		r = -ECONNRESET;
	if (r < 0) {
		sd_bus_message_unref(reply.message);
		return r;
	}
	*ret = reply.message;
	return 0;
}

static void add_failure(struct kr_diag *diag,
                        const struct kr_bus_method *method, int error,
                        const struct kr_manager_wait *wait)
{
	const char *of = method->about ? " of " : "";
	const char *about = method->about ? method->about : "";

	if (error == -ETIMEDOUT)
		kr_diag_add(diag, KR_ERROR, "bus-timeout", KR_SPAN_NONE,
		            "org.freedesktop.systemd1: %s%s%s: no answer in "
		            "time: systemd must answer; it hangs or is stopped",
		            method->member, of, about);
	else if (kr_bus_error_is_lost(error))
		kr_diag_add(diag, KR_ERROR, "bus-lost", KR_SPAN_NONE,
		            "org.freedesktop.systemd1: %s%s%s: the connection "
		            "ended before the answer",
		            method->member, of, about);
	else if (!wait->tick || error != -EINTR)
		kr_diag_add(diag, KR_ERROR, "bus-error", KR_SPAN_NONE,
		            "org.freedesktop.systemd1: %s%s%s: %s",
		            method->member, of, about, strerror(-error));
}

int kr_bus_call(struct kr_bus *bus, const struct kr_bus_method *method,
                const struct kr_manager_wait *wait, struct kr_diag *diag,
                sd_bus_message **ret, const char *types, ...)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	va_list args;
	int r;

	va_start(args, types);
	r = exchange(bus, method, wait, &reply, types, args);
	va_end(args);
	if (kr_bus_error_is_lost(r) && method->again) {
		r = kr_bus_reopen(bus, wait, diag);
		if (r < 0)
			return r;
		va_start(args, types);
		r = exchange(bus, method, wait, &reply, types, args);
		va_end(args);
	}
	if (r < 0) {
		add_failure(diag, method, r, wait);
		return r;
	}
	if (sd_bus_message_is_method_error(reply, NULL))
		return kr_bus_error_add(diag, method->member, method->about,
		                        sd_bus_message_get_error(reply));
	if (ret)
		*ret = TAKE_PTR(reply);
	return 0;
}

static unsigned parse_version(const char *text)
{
	char digits[8];
	const char *error;

	text += strcspn(text, "0123456789");
	strlcpy(digits, text, sizeof(digits));
	digits[strspn(digits, "0123456789")] = '\0';
	return (unsigned)strtonum(digits, 1, 99999, &error);
}

static int ask_version(struct kr_bus *bus, const struct kr_manager_wait *wait,
                       struct kr_diag *diag)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *text = NULL;
	int r;

	r = kr_bus_call(bus, &get_version, wait, diag, &reply, "ss",
	                KR_BUS_MANAGER, "Version");
	if (r < 0)
		return r;
	r = sd_bus_message_read(reply, "v", "s", &text);
	bus->version = r < 0 ? 0 : parse_version(text);
	if (bus->version == 0 || bus->version >= OLDEST_SYSTEMD)
		return 0;
	kr_diag_add(diag, KR_ERROR, "systemd-too-old", KR_SPAN_NONE,
	            "org.freedesktop.systemd1: systemd is version %u: it must "
	            "be %d or newer",
	            bus->version, OLDEST_SYSTEMD);
	return -ENOTSUP;
}

/* Connects to ADDRESS, which NAME stands for in messages. */
static int try_address(struct kr_bus *bus, const char *address,
                       const char *name, bool peer,
                       const struct kr_manager_wait *wait, struct kr_diag *diag)
{
	int r;

	kr_bus_close(bus);
	bus->generation++;
	bus->peer = peer;
	r = sd_bus_new(&bus->sd);
	if (r < 0)
		return r;
	r = sd_bus_set_address(bus->sd, address);
	if (r >= 0 && !peer)
		r = sd_bus_set_bus_client(bus->sd, true);
	if (r >= 0)
		r = sd_bus_start(bus->sd);
	if (r < 0)
		kr_diag_add(diag, KR_ERROR,
		            r == -EACCES ? "bus-denied" : "bus-connect",
		            KR_SPAN_NONE, "%s: %s", name, strerror(-r));
	else
		r = ask_version(bus, wait, diag);
	if (r < 0)
		kr_bus_close(bus);
	return r;
}

/* The address of the bus socket below the root that ROOT_FD is, resolved
 * inside it; the caller frees it. */
static int root_address(int root_fd, char **ret)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-_/.";
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_stat_ struct kr_stat st = {0};
	_cleanup_free_ char *text = NULL;
	_cleanup_fclose_ FILE *out = NULL;
	size_t size;
	int r;

	r = kr_fs_new(root_fd, &fs);
	if (r >= 0)
		r = kr_fs_stat(fs, SYSTEM_SOCKET, true, &st);
	if (r < 0)
		return r;
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	fprintf(out, "unix:path=/proc/self/fd/%d", root_fd);
	for (const char *p = st.real; *p; p++)
		fprintf(out, strchr(plain, *p) ? "%c" : "%%%02x",
		        (unsigned char)*p);
	if (fflush(out) != 0)
		return -ENOMEM;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static int open_below_root(struct kr_bus *bus,
                           const struct kr_manager_wait *wait,
                           struct kr_diag *diag)
{
	_cleanup_close_ int root_fd = -1;
	_cleanup_free_ char *address = NULL, *name = NULL;
	int r;

	name = kr_path_join(bus->root, &SYSTEM_SOCKET[1]);
	if (!name)
		return -ENOMEM;
	root_fd = open(bus->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = root_fd < 0 ? -errno : root_address(root_fd, &address);
	if (r < 0) {
		kr_diag_add(diag, KR_ERROR, "bus-connect", KR_SPAN_NONE,
		            "%s: %s", name, strerror(-r));
		return r;
	}
	return try_address(bus, address, name, false, wait, diag);
}

static int open_here(struct kr_bus *bus, const struct kr_manager_wait *wait,
                     struct kr_diag *diag)
{
	const char *given = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
	struct kr_manager_wait half = *wait;
	_cleanup_diag_ struct kr_diag tried = {0};
	int r, p;

	if (given && *given)
		return try_address(bus, given, given,
		                   strcmp(given, PRIVATE_ADDRESS) == 0, wait,
		                   diag);
	/* a dbus-daemon that hangs leaves time for the other way */
	half.deadline_usec -= kr_left_usec(wait->deadline_usec) / 2;
	r = try_address(bus, "unix:path=" SYSTEM_SOCKET, SYSTEM_SOCKET, false,
	                &half, &tried);
	if (r >= 0)
		return 0;
	if (bus->version != 0 || r == -EINTR) {
		kr_diag_merge(diag, &tried);
		return r;
	}
	p = try_address(bus, PRIVATE_ADDRESS, PRIVATE_SOCKET, true, wait,
	                &tried);
	if (p >= 0)
		return 0;
	kr_diag_merge(diag, &tried);
	return p == -EACCES || p == -EINTR || p == -ENOTSUP ? p : r;
}

static int open_until(struct kr_bus *bus, const struct kr_manager_wait *wait,
                      struct kr_diag *diag)
{
	return bus->root ? open_below_root(bus, wait, diag)
	                 : open_here(bus, wait, diag);
}

int kr_bus_open(struct kr_bus *bus, struct kr_diag *diag)
{
	struct kr_manager_wait wait = kr_bus_patience(bus, KR_BUS_USUAL_USEC);

	return open_until(bus, &wait, diag);
}

static bool may_come_back(int error)
{
	return error == -ENOENT || error == -ECONNREFUSED ||
	       error == -ENOTSUP || kr_bus_error_is_lost(error);
}

int kr_bus_reopen(struct kr_bus *bus, const struct kr_manager_wait *wait,
                  struct kr_diag *diag)
{
	int r;

	for (;;) {
		_cleanup_diag_ struct kr_diag tried = {0};

		bus->version = 0;
		bus->subscribed = false;
		r = open_until(bus, wait, &tried);
		if (r >= 0)
			return 0;
		if (!may_come_back(r) ||
		    kr_left_usec(wait->deadline_usec) == 0) {
			kr_diag_merge(diag, &tried);
			return r;
		}
		r = wait->tick ? wait->tick(wait->closure) : 0;
		if (r < 0)
			return r;
		kr_pause_usec(50 * KR_USEC_PER_MSEC);
	}
}

void kr_bus_close(struct kr_bus *bus)
{
	bus->sd = sd_bus_close_unref(bus->sd);
}

int kr_bus_unit_path(const char *unit, char **ret)
{
	return sd_bus_path_encode(KR_BUS_UNIT_PATH, unit, ret);
}

int kr_bus_get_unit(struct kr_bus *bus, const char *unit, const char *path,
                    const struct kr_manager_wait *wait, struct kr_diag *diag,
                    struct kr_loaded_unit **ret)
{
	const struct kr_bus_method method = {
		.path = path,
		.interface = KR_BUS_PROPERTIES,
		.member = "GetAll",
		.about = unit,
		.again = true,
	};
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r;

	r = kr_bus_call(bus, &method, wait, diag, &reply, "s", "");
	if (r < 0)
		return r;
	r = kr_unit_properties_read(reply, ret);
	if (r < 0)
		kr_diag_add(diag, KR_ERROR, "bus-error", KR_SPAN_NONE,
		            "org.freedesktop.systemd1: GetAll of %s: %s", unit,
		            strerror(-r));
	return r;
}
