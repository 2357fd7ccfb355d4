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
 * A systemd that goes and comes back. "systemctl daemon-reexec", which every
 * upgrade of systemd does, and a restart of the bus are all one here: the
 * connection is lost, -ECONNRESET, whoever's end of it went. Calls that may be
 * repeated are, over new connections, until their deadline; the others are
 * their caller's (systemd/job). Only silence is a time-out.
 *
 *   0 ms          Reloading true; nothing is answered any more
 *   50 to 110 ms  the new systemd connects and takes over the name, which is
 *                 never without an owner; the old connection, whose socket was
 *                 kept open till now, ends: NoReply for each open call, and
 *                 what had not been read of it was never seen
 *   + 2 to 6 ms   the first answer; Reloading false
 *
 * After it the same are: object paths, jobs and their paths, timestamps,
 * invocations, transient units; on the bus who has subscribed, and our matches.
 * Lost are signals that were not sent yet, and on the private socket the
 * connection itself. As our connection to a bus stays, NameOwnerChanged tells
 * those who wait for a signal. A new bus may have no systemd for some 20 ms;
 * what it says then is in systemd/bus-error. There a missing name is a lost bus
 * where systemd has answered before; to the first call it is one for OPEN_USEC
 * where the root was booted with systemd, by the sign that sd_booted(3) takes.
 *
 * Measured on systemd 252 with dbus-daemon 1.14, and on 257 with dbus-daemon
 * 1.16 and dbus-broker 37, asked once a millisecond.
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
#define AGAIN_USEC     (UINT64_C(50) * KR_USEC_PER_MSEC)
#define OPEN_USEC      (2 * KR_USEC_PER_SEC)
#define OLDEST_SYSTEMD 245

#define BOOTED          "/run/systemd/system"
#define SYSTEM_SOCKET   "/run/dbus/system_bus_socket"
#define PRIVATE_SOCKET  "/run/systemd/private"
#define PRIVATE_ADDRESS "unix:path=" PRIVATE_SOCKET

#define OWNER_CHANGED                                                          \
	"type='signal',sender='org.freedesktop.DBus',"                         \
	"path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"       \
	"member='NameOwnerChanged',arg0='" KR_BUS_DESTINATION "'"

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
		if (bus->gone)
			return -ECONNRESET;
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

static void reply_done(struct reply *reply)
{
	sd_bus_message_unref(reply->message);
}

static int on_reply(sd_bus_message *message, void *userdata, sd_bus_error *e)
{
	struct reply *reply = userdata;

	reply->message = sd_bus_message_ref(message);
	reply->done = true;
	return 0;
}

/* What has arrived before the next call, most of all that systemd has left: a
 * call must not be taken for one that it has not answered. */
static int catch_up(struct kr_bus *bus)
{
	int r = 1;

	if (!bus->sd)
		return -ENOTCONN;
	while (bus->subscribed && r > 0)
		r = sd_bus_process(bus->sd, NULL);
	if (r < 0)
		return r;
	return bus->gone ? -ECONNRESET : 0;
}

/* The bus' own error in place of an answer: -ECONNRESET where systemd went. */
static int check_reach(struct kr_bus *bus, sd_bus_message *reply)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	enum kr_bus_reach reach =
		error ? kr_bus_error_reach(error) : KR_BUS_REACHED;

	if (reach == KR_BUS_WENT || (reach == KR_BUS_ABSENT && bus->seen))
		return -ECONNRESET;
	bus->seen |= reach == KR_BUS_REACHED;
	return 0;
}

/* One attempt, without words. An answer that is an error of systemd is 0 and in
 * *RET. */
static int exchange(struct kr_bus *bus, const struct kr_bus_method *method,
                    const struct kr_manager_wait *wait, sd_bus_message **ret,
                    const char *types, va_list args)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	_cleanup_(reply_done) struct reply reply = {0};
	int r;

	r = catch_up(bus);
	if (r < 0)
		return r;
	r = sd_bus_message_new_method_call(bus->sd, &m, KR_BUS_DESTINATION,
	                                   method->path, method->interface,
	                                   method->member);
	if (r < 0)
		return r;
	if (method->append)
		r = method->append(m, method->closure);
	else if (types)
		r = sd_bus_message_appendv(m, types, args);
	if (r < 0)
		return r;
	r = sd_bus_call_async(bus->sd, &slot, m, on_reply, &reply, UINT64_MAX);
	if (r < 0)
		return r;
	r = kr_bus_wait(bus, wait, &reply.done);
	if (r < 0)
		return r;
	r = check_reach(bus, reply.message);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(reply.message);
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

	for (;;) {
		va_start(args, types);
		r = exchange(bus, method, wait, &reply, types, args);
		va_end(args);
		if (!kr_bus_error_is_lost(r) || !method->again ||
		    kr_left_usec(wait->deadline_usec) == 0)
			break;
		r = kr_bus_reopen(bus, wait, diag);
		if (r < 0)
			return r;
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

/* NameOwnerChanged: name, old owner, new owner. */
static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	struct kr_bus *bus = userdata;
	const char *name, *old, *new;

	if (sd_bus_message_read(m, "sss", &name, &old, &new) >= 0 && *old)
		bus->gone = true;
	return 0;
}

int kr_bus_subscribe(struct kr_bus *bus, const struct kr_manager_wait *wait,
                     struct kr_diag *diag)
{
	static const struct kr_bus_method method = {
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_MANAGER,
		.member = "Subscribe",
	};
	_cleanup_diag_ struct kr_diag words = {0};
	int r = 0;

	if (bus->subscribed)
		return 0;
	/* its slot is the connection's, and goes with it */
	if (bus->sd && !bus->peer)
		r = sd_bus_add_match_async(bus->sd, NULL, OWNER_CHANGED,
		                           on_owner_changed, NULL, bus);
	if (r >= 0)
		r = kr_bus_call(bus, &method, wait, &words, NULL, NULL);
	/* a bus that was restarted gives our name a second time, and systemd
	 * 257 may still know it from the first */
	if (r == -EALREADY)
		r = 0;
	else
		kr_diag_merge(diag, &words);
	bus->subscribed = r >= 0;
	return r;
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

/* The private socket is made again by each new systemd, the bus' is not. */
static bool is_between(const struct kr_bus *bus, int error)
{
	if (error == -ENOENT || error == -ECONNREFUSED)
		return bus->peer;
	return kr_bus_error_is_lost(error) ||
	       (error == -ENOTSUP && bus->version == 0);
}

static int start(struct kr_bus *bus, const char *address)
{
	int r = sd_bus_new(&bus->sd);

	if (r < 0)
		return r;
	r = sd_bus_set_address(bus->sd, address);
	if (r < 0)
		return r;
	if (!bus->peer) {
		r = sd_bus_set_bus_client(bus->sd, true);
		if (r < 0)
			return r;
	}
	return sd_bus_start(bus->sd);
}

/* Connects to ADDRESS, which NAME stands for in messages. */
static int try_address(struct kr_bus *bus, const char *address,
                       const char *name, bool peer,
                       const struct kr_manager_wait *wait, struct kr_diag *diag)
{
	int r;

	kr_bus_close(bus);
	bus->peer = peer;
	bus->gone = false;
	bus->subscribed = false;
	bus->version = 0;
	bus->generation++;
	r = start(bus, address);
	if (r < 0)
		kr_diag_add(diag, KR_ERROR,
		            r == -EACCES ? "bus-denied" : "bus-connect",
		            KR_SPAN_NONE, "%s: %s", name, strerror(-r));
	else
		r = ask_version(bus, wait, diag);
	if (r >= 0)
		return 0;
	bus->between |= is_between(bus, r);
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
	if (r < 0)
		return r;
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

/* As sd_booted(3) looks, below the root. */
static bool is_booted(const struct kr_bus *bus)
{
	_cleanup_close_ int root_fd = -1;
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_stat_ struct kr_stat st = {0};

	root_fd = open(bus->root ? bus->root : "/",
	               O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root_fd >= 0 && kr_fs_new(root_fd, &fs) >= 0 &&
	       kr_fs_stat(fs, BOOTED, true, &st) >= 0;
}

static bool may_come_back(const struct kr_bus *bus, int error)
{
	/* it was there, so all that is missing may be there again */
	if (bus->seen)
		return error == -ENOENT || error == -ECONNREFUSED ||
		       (error == -ENOTSUP && bus->version == 0) ||
		       kr_bus_error_is_lost(error);
	return error != -EINTR && bus->between && is_booted(bus);
}

/* Opens it as often as it takes until UNTIL_USEC. */
static int open_until(struct kr_bus *bus, uint64_t until_usec,
                      const struct kr_manager_wait *wait, struct kr_diag *diag)
{
	int r;

	for (;;) {
		_cleanup_diag_ struct kr_diag tried = {0};

		bus->between = false;
		r = bus->root ? open_below_root(bus, wait, &tried)
		              : open_here(bus, wait, &tried);
		if (r >= 0)
			return 0;
		if (kr_left_usec(until_usec) == 0 || !may_come_back(bus, r)) {
			kr_diag_merge(diag, &tried);
			return r;
		}
		r = wait->tick ? wait->tick(wait->closure) : 0;
		if (r < 0)
			return r;
		kr_pause_usec(AGAIN_USEC);
	}
}

int kr_bus_open(struct kr_bus *bus, struct kr_diag *diag)
{
	struct kr_manager_wait wait = kr_bus_patience(bus, KR_BUS_USUAL_USEC);
	uint64_t until_usec = kr_now_usec() + OPEN_USEC;

	return open_until(bus,
	                  until_usec < wait.deadline_usec ? until_usec
	                                                  : wait.deadline_usec,
	                  &wait, diag);
}

int kr_bus_reopen(struct kr_bus *bus, const struct kr_manager_wait *wait,
                  struct kr_diag *diag)
{
	return open_until(bus, wait->deadline_usec, wait, diag);
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
