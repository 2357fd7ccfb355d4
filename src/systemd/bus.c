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
 * a ppoll and the reads of sd-bus. Behind one answer the next may lie already.
 * Calls that are known beforehand are sent in one flight with the first, which
 * asks for the version: that saves as many round trips through the bus to
 * systemd and back. While systemd makes their answers, which takes it as long
 * as us to read them, we do what needs no answer ("meanwhile").
 *
 * A systemd that goes and comes back. "systemctl daemon-reexec", which every
 * upgrade of systemd does, and a restart of the bus are all one here: the
 * connection is lost, -ECONNRESET, whichever end of it went. Calls that may be
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
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "systemd/bus-error.h"
#include "systemd/bus.h"
#include "systemd/unit-properties.h"

#define TICK_USEC      (UINT64_C(250) * KR_USEC_PER_MSEC)
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

/* Sleeps until something arrives, UNTIL_USEC, or a signal: then 1. With MOVED,
 * what is to be sent goes first: it has its turn only now. */
static int poll_once(sd_bus *sd, uint64_t until_usec, bool moved)
{
	struct pollfd pfd = {0};
	struct timespec ts;
	uint64_t wake_usec = 0, left;
	int r;

	pfd.fd = sym_sd_bus_get_fd(sd);
	if (pfd.fd < 0)
		return pfd.fd;
	r = sym_sd_bus_get_events(sd);
	if (r < 0)
		return r;
	if (moved && (r & POLLOUT))
		return 0;
	pfd.events = (short)r;
	r = sym_sd_bus_get_timeout(sd, &wake_usec);
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
	bool moved = false;
	uint64_t now;
	int r;

	if (!bus->sd)
		return -ENOTCONN;
	while (!*done) {
		if (bus->gone)
			return -ECONNRESET;
		/* the bus has answered: what is asked is on its way */
		if (bus->meanwhile && sym_sd_bus_is_ready(bus->sd) > 0)
			TAKE(bus->meanwhile)(bus->meanwhile_closure);
		/* in front of each message: to read where there is none yet is
		 * a call, too, and then this one follows */
		r = poll_once(bus->sd,
		              tick_usec < wait->deadline_usec
		                      ? tick_usec
		                      : wait->deadline_usec,
		              moved);
		if (r < 0)
			return r;
		now = kr_now_usec();
		if (wait->tick &&
		    (r > 0 || now >= tick_usec || now >= wait->deadline_usec)) {
			r = wait->tick(wait->closure);
			if (r < 0)
				return r;
		}
		if (now >= tick_usec)
			tick_usec = now + TICK_USEC;
		r = sym_sd_bus_process(bus->sd, NULL);
		if (r < 0)
			return r;
		moved = r > 0;
		if (!*done && now >= wait->deadline_usec)
			return -ETIMEDOUT;
	}
	return 0;
}

static void early_done(struct kr_bus_early *call)
{
	if (!call->slot)
		return;
	call->slot = sym_sd_bus_slot_unref(call->slot);
	call->reply = sym_sd_bus_message_unref(call->reply);
	call->done = false;
}

static int on_reply(sd_bus_message *message, void *userdata, sd_bus_error *e)
{
	struct kr_bus_early *call = userdata;

	call->reply = sym_sd_bus_message_ref(message);
	call->done = true;
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
		r = sym_sd_bus_process(bus->sd, NULL);
	if (r < 0)
		return r;
	return bus->gone ? -ECONNRESET : 0;
}

/* The bus' own error in place of an answer: -ECONNRESET where systemd went. */
static int check_reach(struct kr_bus *bus, sd_bus_message *reply)
{
	const sd_bus_error *error = sym_sd_bus_message_get_error(reply);
	enum kr_bus_reach reach =
		error ? kr_bus_error_reach(error) : KR_BUS_REACHED;

	if (reach == KR_BUS_WENT || (reach == KR_BUS_ABSENT && bus->seen))
		return -ECONNRESET;
	bus->seen |= reach == KR_BUS_REACHED;
	return 0;
}

/* Sends CALL; TYPES describes its arguments where it has no APPEND. */
static int send_call(struct kr_bus *bus, struct kr_bus_early *call,
                     const char *types, va_list args)
{
	const struct kr_bus_method *method = &call->method;
	_cleanup_sd_message_ sd_bus_message *m = NULL;
	int r;

	r = sym_sd_bus_message_new_method_call(bus->sd, &m, KR_BUS_DESTINATION,
	                                       method->path, method->interface,
	                                       method->member);
	if (r < 0)
		return r;
	if (method->append)
		r = method->append(m, method->closure);
	else if (types)
		r = sym_sd_bus_message_appendv(m, types, args);
	if (r < 0)
		return r;
	return sym_sd_bus_call_async(bus->sd, &call->slot, m, on_reply, call,
	                             UINT64_MAX);
}

/* One attempt, without words. An answer that is an error of systemd is 0 and in
 * *RET. */
static int exchange(struct kr_bus *bus, const struct kr_bus_method *method,
                    const struct kr_manager_wait *wait, sd_bus_message **ret,
                    const char *types, va_list args)
{
	_cleanup_(early_done) struct kr_bus_early own = {.method = *method};
	struct kr_bus_early *call = method->early;
	int r;

	r = catch_up(bus);
	if (r < 0)
		return r;
	if (!call || !call->slot) {
		call = &own;
		r = send_call(bus, call, types, args);
		if (r < 0)
			return r;
	}
	r = kr_bus_wait(bus, wait, &call->done);
	if (r >= 0)
		r = check_reach(bus, call->reply);
	if (r >= 0)
		*ret = TAKE_PTR(call->reply);
	early_done(call);
	return r < 0 ? r : 0;
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
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
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
	if (sym_sd_bus_message_is_method_error(reply, NULL))
		return kr_bus_error_add(diag, method->member, method->about,
		                        sym_sd_bus_message_get_error(reply));
	if (ret)
		*ret = TAKE_PTR(reply);
	return 0;
}

/* NameOwnerChanged: name, old owner, new owner. */
static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	struct kr_bus *bus = userdata;
	const char *name, *old, *new;

	if (sym_sd_bus_message_read(m, "sss", &name, &old, &new) >= 0 && *old)
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
		r = sym_sd_bus_add_match_async(bus->sd, NULL, OWNER_CHANGED,
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
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
	const char *text = NULL;
	int r;

	r = kr_bus_call(bus, &get_version, wait, diag, &reply, "ss",
	                KR_BUS_MANAGER, "Version");
	if (r < 0)
		return r;
	r = sym_sd_bus_message_read(reply, "v", "s", &text);
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

/* A way to systemd. */
struct way {
	const char *address;
	const char *name; /* what stands for it in messages */
	bool file;        /* NAME is its socket: without it nothing is loaded */
	bool peer;        /* the private socket */
};

/* -ENOPKG has words already. */
static int start(struct kr_bus *bus, const struct way *way,
                 struct kr_diag *diag)
{
	int r;

	if (way->file && access(way->name, F_OK) < 0)
		return -errno;
	r = kr_sd_load(diag);
	if (r < 0)
		return r;
	r = sym_sd_bus_new(&bus->sd);
	if (r < 0)
		return r;
	r = sym_sd_bus_set_address(bus->sd, way->address);
	if (r < 0)
		return r;
	if (!bus->peer) {
		r = sym_sd_bus_set_bus_client(bus->sd, true);
		if (r < 0)
			return r;
	}
	return sym_sd_bus_start(bus->sd);
}

/* In front of the question for the version, whose answer comes last then: the
 * others' need not be waited for once more. */
static int send_early(struct kr_bus *bus)
{
	va_list none = {0};

	for (size_t i = 0; !bus->opened && i < bus->n_early; i++) {
		int r = send_call(bus, &bus->early[i], NULL, none);

		if (r < 0)
			return r;
	}
	return 0;
}

static int try_way(struct kr_bus *bus, const struct way *way,
                   const struct kr_manager_wait *wait, struct kr_diag *diag)
{
	int r;

	kr_bus_close(bus);
	bus->peer = way->peer;
	bus->gone = false;
	bus->subscribed = false;
	bus->version = 0;
	bus->generation++;
	r = start(bus, way, diag);
	if (r >= 0)
		r = send_early(bus);
	if (r >= 0)
		r = ask_version(bus, wait, diag);
	else if (r != -ENOPKG)
		kr_diag_add(diag, KR_ERROR,
		            r == -EACCES ? "bus-denied" : "bus-connect",
		            KR_SPAN_NONE, "%s: %s", way->name, strerror(-r));
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
	return try_way(bus, &(struct way){address, name}, wait, diag);
}

static int open_here(struct kr_bus *bus, const struct kr_manager_wait *wait,
                     struct kr_diag *diag)
{
	static const struct way bus_socket = {"unix:path=" SYSTEM_SOCKET,
	                                      SYSTEM_SOCKET, .file = true};
	static const struct way private = {PRIVATE_ADDRESS, PRIVATE_SOCKET,
	                                   .file = true, .peer = true};
	const char *given = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
	struct kr_manager_wait half = *wait;
	_cleanup_diag_ struct kr_diag tried = {0};
	int r, p;

	if (given && *given) {
		const struct way way = {
			.address = given,
			.name = given,
			.peer = strcmp(given, PRIVATE_ADDRESS) == 0,
		};

		return try_way(bus, &way, wait, diag);
	}
	/* a dbus-daemon that hangs leaves time for the other way */
	half.deadline_usec -= kr_left_usec(wait->deadline_usec) / 2;
	r = try_way(bus, &bus_socket, &half, &tried);
	if (r >= 0)
		return 0;
	if (bus->version != 0 || r == -EINTR || r == -ENOPKG) {
		kr_diag_merge(diag, &tried);
		return r;
	}
	p = try_way(bus, &private, wait, &tried);
	if (p >= 0)
		return 0;
	kr_diag_merge(diag, &tried);
	return p == -EACCES || p == -EINTR || p == -ENOTSUP || p == -ENOPKG ? p
	                                                                    : r;
}

/* As sd_booted(3) looks, below the root. */
static bool is_booted(const struct kr_bus *bus)
{
	_cleanup_fs_ struct kr_fs *fs = NULL;
	struct stat st;

	return kr_fs_open(bus->root ? bus->root : "/", &fs) >= 0 &&
	       kr_fs_look(fs, BOOTED, true, &st) >= 0;
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
	int r = open_until(bus,
	                   until_usec < wait.deadline_usec ? until_usec
	                                                   : wait.deadline_usec,
	                   &wait, diag);

	bus->opened = true;
	return r;
}

int kr_bus_reopen(struct kr_bus *bus, const struct kr_manager_wait *wait,
                  struct kr_diag *diag)
{
	return open_until(bus, wait->deadline_usec, wait, diag);
}

void kr_bus_close(struct kr_bus *bus)
{
	for (size_t i = 0; i < bus->n_early; i++)
		early_done(&bus->early[i]);
	if (bus->sd)
		bus->sd = sym_sd_bus_close_unref(bus->sd);
}

int kr_bus_unit_path(const char *unit, char **ret)
{
	static const char digits[] = "0123456789abcdef";
	char *path = malloc(sizeof(KR_BUS_UNIT_PATH "/_") + 3 * strlen(unit));
	char *end;

	if (!path)
		return -ENOMEM;
	end = stpcpy(path, KR_BUS_UNIT_PATH "/");
	for (const char *s = unit; *s; s++) {
		const unsigned char c = (unsigned char)*s;
		const bool digit = c >= '0' && c <= '9';

		if (((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		    (digit && s > unit)) {
			*end++ = *s;
			continue;
		}
		*end++ = '_';
		*end++ = digits[c >> 4];
		*end++ = digits[c & 15];
	}
	strcpy(end, *unit ? "" : "_");
	*ret = path;
	return 0;
}

/* The call among those that were sent early; NULL: it was not. */
static struct kr_bus_early *find_early(struct kr_bus *bus, const char *path,
                                       const char *member)
{
	for (size_t i = 0; i < bus->n_early; i++) {
		const struct kr_bus_method *m = &bus->early[i].method;

		if (strcmp(m->member, member) == 0 &&
		    strcmp(m->path, path) == 0)
			return &bus->early[i];
	}
	return NULL;
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
		.early = find_early(bus, path, "GetAll"),
	};
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
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
