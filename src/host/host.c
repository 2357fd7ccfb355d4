/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A node and its systemd. Which unit is kubelet's is settled here: the one that
 * was asked for, else kubelet.service, else the one that the running kubelet
 * belongs to.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "host/figures.h"
#include "host/host.h"
#include "node/kubelet-version.h"
#include "policy/iptables.h"
#include "systemd/journal.h"

/* Behind one for each flag, with -v=1, and one for each that is deprecated. */
#define KR_VERSION_LINES 2000

static void look_ahead(void *node)
{
	kr_node_look_ahead(node);
}

static void open_manager(struct kr_host *host, struct kr_diag *diag)
{
	const struct kr_manager_options options = {
		.root = host->options.root,
		.unit = host->node->unit_name,
		.names = kr_iptables_units,
		.meanwhile = look_ahead,
		.meanwhile_closure = host->node,
	};
	_cleanup_diag_ struct kr_diag found = {0};
	const struct kr_message *why;

	host->bus_error = kr_manager_open(&options, &found, &host->manager);
	if (host->bus_error == 0)
		return;
	why = kr_diag_first(&found, KR_ERROR);
	kr_diag_add(diag, KR_WARNING, "no-bus", KR_SPAN_NONE,
	            "systemd cannot be asked, its files are read instead: %s",
	            why ? why->text : strerror(-host->bus_error));
}

static int ask(struct kr_host *host, const char *unit, struct kr_diag *diag)
{
	host->loaded = kr_loaded_unit_free(host->loaded);
	if (!host->manager)
		return 0;
	return kr_manager_get_unit(host->manager, unit, diag, &host->loaded);
}

/* Without a bus the unit files tell, when they are read. */
static bool is_missing(const struct kr_host *host)
{
	return host->loaded && host->loaded->load_state &&
	       strcmp(host->loaded->load_state, "not-found") == 0;
}

/* kubelet.service is not there: the unit of the kubelet that runs. */
static int follow_process(struct kr_host *host, struct kr_diag *diag)
{
	_cleanup_free_ char *unit = NULL;
	int r = kr_node_find_unit(host->node, diag, &unit);

	if (r < 0 || !unit) /* none runs, or of no unit: said later */
		return r;
	free(host->unit);
	host->unit = TAKE_PTR(unit);
	host->options.unit = host->unit;
	host->node->ahead = kr_unit_files_free(host->node->ahead);
	free(host->node->unit_name);
	host->node->unit_name = strdup(host->unit);
	if (!host->node->unit_name)
		return -ENOMEM;
	return ask(host, host->unit, diag);
}

/* That it is unknown who else manages iptables is no reason not to go on. */
static int ask_iptables(struct kr_host *host, struct kr_diag *diag,
                        const char *const **ret)
{
	_cleanup_diag_ struct kr_diag found = {0};
	const struct kr_message *why;
	int r = kr_manager_active_units(host->manager, kr_iptables_units,
	                                &found, ret);

	if (r >= 0 || r == -ENOMEM || r == -EINTR)
		return r;
	why = kr_diag_first(&found, KR_ERROR);
	kr_diag_add(diag, KR_NOTE, "iptables-not-asked", KR_SPAN_NONE,
	            "whether another program manages iptables here is read "
	            "from the files: %s",
	            why ? why->text : strerror(-r));
	*ret = NULL;
	return 0;
}

/* kubelet, where the unit's main process is another program. */
static pid_t kubelet_of(const struct kr_host *host)
{
	const struct kr_node *node = host->node;

	return node->has_process ? node->process.pid : host->loaded->main_pid;
}

int kr_host_health(struct kr_host *host, struct kr_health_report *ret)
{
	const struct kr_loaded_unit *loaded = host->loaded;
	const struct kr_node *node = host->node;
	struct kr_health_probe probe;

	*ret = (struct kr_health_report){.state = KR_HEALTH_BAD};
	if (!loaded || strcmp(loaded->active_state, "active") != 0 ||
	    loaded->main_pid == 0)
		return kr_format(&ret->why, "%s is %s (%s)", node->unit_name,
		                 loaded ? loaded->active_state : "not known",
		                 loaded ? loaded->sub_state : "no bus");
	kr_health_probe_find(host->node,
	                     node->running_valid ? &node->running : NULL,
	                     kubelet_of(host), &probe);
	return kr_health_probe_ask(&probe, KR_HEALTHZ_ONCE_USEC, ret);
}

const char *kr_host_unit(const struct kr_host *host)
{
	return host->loaded && *host->loaded->id ? host->loaded->id
	                                         : host->node->unit_name;
}

/* NULL: it is as it should be, on its way, or was not started in this boot. */
static const char *find_down(const struct kr_host *host)
{
	const struct kr_loaded_unit *u = host->loaded;
	const bool failed = strcmp(u->active_state, "failed") == 0;
	const bool waits = strncmp(u->sub_state, "auto-restart",
	                           strlen("auto-restart")) == 0;

	if (host->node->has_process && u->n_restarts > 0 &&
	    kr_now_usec() < u->started_monotonic_usec + KR_SETTLED_UNASKED_USEC)
		return "systemd has just started kubelet again, which had "
		       "ended";
	if (host->node->has_process)
		return NULL;
	if (waits)
		return "kubelet ends again and again";
	if (failed)
		return "kubelet does not run";
	return strcmp(u->active_state, "inactive") == 0 &&
	                       u->started_realtime_usec > 0
	               ? "kubelet ran in this boot and does not now"
	               : NULL;
}

void kr_host_warn_down(const struct kr_host *host, struct kr_diag *diag)
{
	const char *what = host->loaded ? find_down(host) : NULL;

	if (what)
		kr_diag_add(diag, KR_WARNING, "kubelet-down", KR_SPAN_NONE,
		            "%s: %s is %s (%s)", what, kr_host_unit(host),
		            host->loaded->active_state,
		            host->loaded->sub_state);
}

static int ask_process(struct kr_host *host, pid_t pid,
                       struct kr_health_report *ret)
{
	struct kr_node *node = host->node;
	struct kr_health_probe probe;

	kr_health_probe_find(node, kr_node_inputs(node), pid, &probe);
	return kr_health_probe_ask(&probe, KR_HEALTHZ_ONCE_USEC, ret);
}

int kr_host_health_without_systemd(struct kr_host *host, pid_t pid,
                                   struct kr_health_report *ret)
{
	_cleanup_free_ pid_t *pids = NULL;
	int n = -ENOENT;

	*ret = (struct kr_health_report){.state = KR_HEALTH_BAD};
	if (pid > 0)
		return ask_process(host, pid, ret);
	if (host->node->proc_fd >= 0)
		n = kr_process_find(host->node->proc_fd, &pids);
	if (n == -ENOMEM)
		return n;
	if (n == 1)
		return ask_process(host, pids[0], ret);
	if (n <= 0)
		return kr_format(&ret->why, "kubelet does not run");
	ret->state = KR_HEALTH_UNASKED;
	return kr_format(&ret->why, "several kubelets run");
}

/* A kubelet that has settled on what is held to be invalid proves that wrong.
 * It is asked only where that matters; of a file that it has a copy of, or
 * that is another one now, it proves nothing. */
static int look_at_settled(struct kr_host *host)
{
	_cleanup_health_report_ struct kr_health_report report = {0};
	struct kr_node *node = host->node;
	uint64_t now = kr_realtime_usec();
	int r;

	if (!node->has_process || !kr_node_inputs(node) ||
	    node->disk.inputs.config_copied || node->disk.by_file ||
	    kr_node_reads_other_config(node) || !kr_node_is_invalid(node) ||
	    now < node->process.started_usec + KR_SETTLED_UNASKED_USEC)
		return 0;
	r = host->loaded ? kr_host_health(host, &report)
	                 : kr_host_health_without_systemd(host, 0, &report);
	node->process_settled = r >= 0 && report.state != KR_HEALTH_BAD;
	return r == -ENOMEM ? r : 0;
}

static bool is_version(void *closure, const char *line)
{
	unsigned *minor = closure;

	*minor = kr_kubelet_version_in_line(line);
	return *minor > 0;
}

/* kubelet says its version among its first lines. */
static unsigned logged_version(void *closure)
{
	struct kr_host *host = closure;
	const struct kr_journal_query query = {
		.root = host->options.root,
		.unit = kr_host_unit(host),
		.invocation_id = host->loaded->invocation_id,
		.n_max = KR_VERSION_LINES,
	};
	unsigned minor = 0;

	if (!*host->loaded->invocation_id ||
	    host->node->process.pid != host->loaded->main_pid ||
	    kr_journal_find(&query, is_version, &minor) < 0)
		return 0;
	return minor;
}

int kr_host_records(struct kr_host *host, const struct kr_manifests **ret)
{
	*ret = &host->records;
	if (host->records_read)
		return 0;
	/* a user who may not read them goes without */
	host->records_read = true;
	return kr_manifests_read(host->node->fs, NULL, &host->records) ==
	                       -ENOMEM
	               ? -ENOMEM
	               : 0;
}

static bool changed_by_us(void *closure, const char *real,
                          const struct timespec *ctime)
{
	const struct kr_manifests *list;

	return kr_host_records(closure, &list) == 0 &&
	       kr_manifests_changed_ctime(list, real, ctime);
}

static int read_node(struct kr_host *host, struct kr_diag *diag)
{
	struct kr_node_systemd systemd = {
		.loaded = host->loaded,
		.logged_version = host->loaded ? logged_version : NULL,
		.closure = host,
	};
	int r;

	if (host->manager) {
		systemd.version = kr_manager_version(host->manager);
		r = kr_manager_environment(host->manager, diag,
		                           &systemd.environment);
		if (r < 0)
			return r;
		r = ask_iptables(host, diag, &host->iptables_units);
		if (r < 0)
			return r;
	}
	host->node->changed_by_us = changed_by_us;
	host->node->changed_closure = host;
	r = kr_node_read(host->node, &host->options, &systemd, diag);
	return r < 0 ? r : look_at_settled(host);
}

static int open_node(struct kr_host *host, struct kr_diag *diag)
{
	int r;

	kr_manifests_done(&host->records);
	host->records_read = false;
	host->node = kr_node_free(host->node);
	r = kr_node_open(&host->options, diag, &host->node);
	if (r < 0)
		return r;
	if (host->node->live && !host->manager)
		open_manager(host, diag);
	r = ask(host, host->node->unit_name, diag);
	if (r < 0)
		return r;
	if (host->node->live && !host->options.unit && is_missing(host))
		r = follow_process(host, diag);
	return r < 0 ? r : read_node(host, diag);
}

int kr_host_open(const struct kr_node_options *options, struct kr_diag *diag,
                 struct kr_host **ret)
{
	_cleanup_host_ struct kr_host *host = calloc(1, sizeof(*host));
	int r;

	if (!host)
		return -ENOMEM;
	host->options = *options;
	r = open_node(host, diag);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(host);
	return 0;
}

bool kr_host_is_newer(const struct kr_host *host,
                      const struct kr_manifest *manifest)
{
	const struct kr_loaded_unit *unit = host->loaded;
	uint64_t started_usec = unit ? unit->started_realtime_usec
	                             : host->node->process.started_usec;

	if (unit && manifest->invocation_id && *unit->invocation_id)
		return strcmp(manifest->invocation_id, unit->invocation_id) !=
		       0;
	return started_usec == 0 || started_usec >= manifest->realtime_usec;
}

struct kr_host *kr_host_free(struct kr_host *host)
{
	if (!host)
		return NULL;
	kr_node_free(host->node);
	kr_manifests_done(&host->records);
	kr_loaded_unit_free(host->loaded);
	kr_manager_free(host->manager);
	free(host->unit);
	free(host);
	return NULL;
}
