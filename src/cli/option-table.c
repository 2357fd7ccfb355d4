/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The commands and options, and what each option sets.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/option-table.h"
#include "node/kubelet-version.h"

#define API_COMMANDS                                                           \
	(KR_BIT(KR_COMMAND_AUDIT) | KR_BIT(KR_COMMAND_FIX) |                   \
	 KR_BIT(KR_COMMAND_FLEET))

/* those that take several controls */
#define SELECT_COMMANDS (KR_BIT(KR_COMMAND_AUDIT) | KR_BIT(KR_COMMAND_FIX))
#define FLEET           KR_BIT(KR_COMMAND_FLEET)

const struct kr_command_row kr_commands[] = {
	[KR_COMMAND_AUDIT] = {.name = "audit",
                              .summary =
                                      "what the value is, in every view, and "
                                      "which byte of which file decides it",
                              .statuses = "0 pass, 1 fail, 2 wrong usage, 3 no "
                                          "verdict (invalid or unknown)"},
	[KR_COMMAND_FIX] =
		{.name = "fix",
                 .summary = "make it true, restart kubelet, prove it, else put "
                            "everything back",
                 .statuses = "0 it is true now, 1 changes would be made (-n), "
                             "2 wrong usage, 3 nothing to judge yet, 4 refused "
                             "or failed and nothing is changed, 5 kubelet did "
                             "not come back and everything was put back, 6 "
                             "kubelet needs a hand"},
	[KR_COMMAND_UNDO] =
		{.name = "undo",
                 .summary = "put back what a fix changed (the last one by "
                            "default)",
                 .argument = "TRANSACTION",
                 .statuses = "0 put back (-n: would be), 1 nothing to undo, 2 "
                             "wrong usage, 4 refused and nothing is changed, 6 "
                             "kubelet needs a hand"},
	[KR_COMMAND_HISTORY] =
		{.name = "history",
                 .summary =
                         "the fixes made on this node and what can be undone",
                 .statuses = "0 they are printed, 2 wrong usage, 3 they cannot "
                             "be read"},
	[KR_COMMAND_STATUS] = {.name = "status",
                               .summary = "kubelet's unit as 'systemctl status "
                                          "-l' shows it, and its health",
                               .statuses = "0 running and healthy, 1 not, 2 "
                                           "wrong usage, 3 there is no unit"},
	[KR_COMMAND_FLEET] =
		{.name = "fleet",
                 .summary = "audit many nodes through the API server's configz "
                            "endpoint",
                 .statuses = "0 all nodes pass, 1 a node fails, 2 wrong usage, "
                             "3 none fails and some have no verdict"},
	[KR_COMMAND_CONTROLS] =
		{.name = "controls",
                 .summary =
                         "what is demanded, what fix would do, and what that "
                         "could break",
                 .statuses = "0 they are printed, 2 wrong usage, 3 the node "
                             "of --benchmark=auto cannot be read"},
	[KR_COMMAND_RECOVER] =
		{.name = "recover",
                 .summary = "take back a fix or undo that was interrupted, and "
                            "bring kubelet back",
                 .argument = "TRANSACTION",
                 .hidden = true,
                 .statuses = "0 taken back or nothing to do, 2 wrong usage, 4 "
                             "failed, 6 kubelet needs a hand"},
};

static_assert(ARRAY_SIZE(kr_commands) == _KR_COMMAND_MAX, "each command");

static int set_root(struct kr_options *o, const char *arg)
{
	o->node.root = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_unit(struct kr_options *o, const char *arg)
{
	size_t length = strlen(arg);

	o->node.unit = arg;
	if (strchr(arg, '/') || length <= 8 ||
	    strcmp(arg + length - 8, ".service") != 0)
		return -EINVAL;
	return 0;
}

static int set_pid(struct kr_options *o, const char *arg)
{
	const char *error;

	o->node.pid = (pid_t)strtonum(arg, 1, 1 << 22, &error);
	return error ? -EINVAL : 0;
}

static int set_config(struct kr_options *o, const char *arg)
{
	o->node.config = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_kubelet_version(struct kr_options *o, const char *arg)
{
	unsigned minor;

	o->node.kubelet_version = arg;
	return kr_kubelet_version_parse(arg, &minor);
}

static int set_benchmark(struct kr_options *o, const char *arg)
{
	o->select.benchmark = arg ? arg : "auto";
	return *o->select.benchmark ? 0 : -EINVAL;
}

static int set_control(struct kr_options *o, const char *arg)
{
	o->select.controls = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_skip(struct kr_options *o, const char *arg)
{
	o->select.skip = arg;
	return *arg ? 0 : -EINVAL;
}

static const struct kr_option_word levels[] = {
	{"1", KR_EVERY},
	{"2", KR_EVERY},
	{0},
};

static int set_level(struct kr_options *o, const char *arg)
{
	o->select.level = *arg == '1' ? 1 : 2;
	return 0;
}

static int set_waivers(struct kr_options *o, const char *arg)
{
	o->select.waivers = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_no_waivers(struct kr_options *o, const char *arg)
{
	o->select.no_waivers = true;
	return 0;
}

/* The index of ARG among the words, which are in the order of an enum. */
static int find_word(const struct kr_option_word *words, const char *arg)
{
	for (int i = 0; words[i].name; i++) {
		if (strcmp(arg, words[i].name) == 0)
			return i;
	}
	return -EINVAL;
}

#define FINDING_COMMANDS (KR_BIT(KR_COMMAND_AUDIT) | KR_BIT(KR_COMMAND_FLEET))

static const struct kr_option_word formats[] = {
	[KR_FORMAT_TEXT] = {"text", KR_EVERY},
	[KR_FORMAT_JSON] = {"json", KR_EVERY},
	[KR_FORMAT_SARIF] = {"sarif", FINDING_COMMANDS},
	[KR_FORMAT_JUNIT] = {"junit", FINDING_COMMANDS},
	[KR_FORMAT_PROMETHEUS] = {"prometheus", FINDING_COMMANDS},
	[_KR_FORMAT_MAX] = {0},
};

static int set_output(struct kr_options *o, const char *arg)
{
	int i = find_word(formats, arg);

	if (i >= 0)
		o->format = (enum kr_format)i;
	return i < 0 ? i : 0;
}

static int set_quiet(struct kr_options *o, const char *arg)
{
	o->quiet = true;
	return 0;
}

static int set_verbose(struct kr_options *o, const char *arg)
{
	o->verbose = true;
	return 0;
}

static const struct kr_option_word whens[] = {
	[KR_WHEN_AUTO] = {"auto", KR_EVERY},
	[KR_WHEN_ALWAYS] = {"always", KR_EVERY},
	[KR_WHEN_NEVER] = {"never", KR_EVERY},
	{0},
};

static int set_color(struct kr_options *o, const char *arg)
{
	int i = find_word(whens, arg);

	if (i >= 0)
		o->color = (enum kr_when)i;
	return i < 0 ? i : 0;
}

static int set_help(struct kr_options *o, const char *arg)
{
	o->help_on = o->command;
	o->command = KR_COMMAND_HELP;
	return 0;
}

static int set_explicit(struct kr_options *o, const char *arg)
{
	o->fix.explicit_wanted = true;
	return 0;
}

static int set_dry_run(struct kr_options *o, const char *arg)
{
	o->fix.dry_run = true;
	return 0;
}

static const struct kr_option_word methods[] = {
	{"auto", KR_EVERY},
	{"config", KR_EVERY},
	{"flag", KR_EVERY},
	{0},
};

static int set_method(struct kr_options *o, const char *arg)
{
	return kr_method_from_string(arg, &o->fix.method);
}

static int set_restart(struct kr_options *o, const char *arg)
{
	return kr_restart_from_string(arg, &o->fix.restart);
}

static int set_wait(struct kr_options *o, const char *arg)
{
	const char *error;

	o->fix.wait_usec =
		(uint64_t)strtonum(arg, 1, 86400, &error) * KR_USEC_PER_SEC;
	return error ? -EINVAL : 0;
}

static int set_no_rollback(struct kr_options *o, const char *arg)
{
	o->fix.no_rollback = true;
	return 0;
}

static int set_retry(struct kr_options *o, const char *arg)
{
	o->fix.retry = true;
	return 0;
}

static int set_no_persist(struct kr_options *o, const char *arg)
{
	o->fix.no_persist = true;
	return 0;
}

static int set_allow(struct kr_options *o, const char *arg)
{
	o->allow = arg;
	return *arg ? 0 : -EINVAL;
}

/* What it is of shows when the controls are known. */
static int set_set(struct kr_options *o, const char *arg)
{
	const char *equals = strchr(arg, '=');

	if (!equals || equals == arg || o->n_sets == KR_SETS_MAX)
		return -EINVAL;
	o->sets[o->n_sets++] = arg;
	return 0;
}

static int set_expect(struct kr_options *o, const char *arg)
{
	o->fix.expect = arg;
	return strlen(arg) == KR_PLAN_HASH_SIZE - 1 ? 0 : -EINVAL;
}

static int set_configz(struct kr_options *o, const char *arg)
{
	o->api.configz = true;
	if (arg)
		o->api.url = arg;
	return arg && !*arg ? -EINVAL : 0;
}

static int set_server(struct kr_options *o, const char *arg)
{
	o->api.url = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_node(struct kr_options *o, const char *arg)
{
	o->node.name = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_cacert(struct kr_options *o, const char *arg)
{
	o->api.cacert = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_token_file(struct kr_options *o, const char *arg)
{
	o->api.token_file = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_cert(struct kr_options *o, const char *arg)
{
	o->api.cert = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_key(struct kr_options *o, const char *arg)
{
	o->api.key = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_insecure_http(struct kr_options *o, const char *arg)
{
	o->api.insecure_http = true;
	return 0;
}

static int set_nodes(struct kr_options *o, const char *arg)
{
	o->fleet.nodes = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_all_nodes(struct kr_options *o, const char *arg)
{
	o->fleet.all_nodes = true;
	return 0;
}

static int set_parallel(struct kr_options *o, const char *arg)
{
	const char *error;

	o->fleet.n_parallel = (unsigned)strtonum(arg, 1, 1000, &error);
	return error ? -EINVAL : 0;
}

static int set_timeout(struct kr_options *o, const char *arg)
{
	const char *error;

	o->fleet.timeout_usec =
		(uint64_t)strtonum(arg, 1, 3600, &error) * KR_USEC_PER_SEC;
	return error ? -EINVAL : 0;
}

static int set_max_time(struct kr_options *o, const char *arg)
{
	const char *error;

	o->fleet.total_usec =
		(uint64_t)strtonum(arg, 1, 604800, &error) * KR_USEC_PER_SEC;
	return error ? -EINVAL : 0;
}

const struct kr_option_row kr_option_rows[] = {
	{.name = "root",
         .argument = "DIR",
         .commands = KR_EVERY,
         .set = set_root,
         .wants = "a folder",
         .complete = KR_COMPLETE_FOLDER,
         .help = "the node whose root file system is at DIR"},
	{.name = "unit",
         .argument = "NAME",
         .commands = KR_EVERY,
         .set = set_unit,
         .wants = "the name of a service, NAME.service",
         .help = "kubelet's unit (default: kubelet.service, else the unit of "
                 "the kubelet that runs)"},
	{.name = "pid",
         .argument = "PID",
         .commands = KR_EVERY,
         .set = set_pid,
         .wants = "the number of a process",
         .help = "the kubelet process, where several run"},
	{.name = "config",
         .argument = "FILE",
         .commands = KR_EVERY,
         .set = set_config,
         .wants = "a file",
         .complete = KR_COMPLETE_FILE,
         .help = "the kubelet config file, instead of the one found"},
	{.name = "output",
         .letter = 'o',
         .argument = "FORMAT",
         .commands = KR_EVERY,
         .set = set_output,
         .words = formats,
         .help = "text (default) or json; audit and fleet also sarif, junit, "
                 "prometheus"},
	{.name = "quiet",
         .letter = 'q',
         .commands = KR_EVERY,
         .set = set_quiet,
         .help = "print only errors"},
	{.name = "verbose",
         .letter = 'v',
         .commands = KR_EVERY,
         .set = set_verbose,
         .help = "print the steps, with their timings"},
	{.name = "color",
         .argument = "WHEN",
         .commands = KR_EVERY,
         .set = set_color,
         .words = whens,
         .help = "auto (default; honours NO_COLOR), always, never"},
	{.name = "explicit",
         .commands = KR_BIT(KR_COMMAND_AUDIT) | KR_BIT(KR_COMMAND_FIX),
         .set = set_explicit,
         .help = "do not accept kubelet's default: true must be written down"},
	{.name = "kubelet-version",
         .argument = "V",
         .commands = KR_BIT(KR_COMMAND_AUDIT) | KR_BIT(KR_COMMAND_FIX),
         .set = set_kubelet_version,
         .wants = "a version such as 1.31 or v1.31.2",
         .help = "kubelet's version, where an answer depends on it and the "
                 "node does not tell"},
	{.name = "benchmark",
         .argument = "NAME",
         .argument_may_lack = true,
         .commands = SELECT_COMMANDS | FLEET | KR_BIT(KR_COMMAND_CONTROLS),
         .set = set_benchmark,
         .wants = "an edition such as eks-1.8 or cis-1.12",
         .help = "every control of one edition ('controls --benchmark=help' "
                 "lists them); without NAME, or auto: the newest for this "
                 "platform and kubelet"},
	{.name = "control",
         .argument = "NAME[,NAME...]",
         .commands = SELECT_COMMANDS | FLEET,
         .set = set_control,
         .wants = "a control such as readOnlyPort or mode:kubeconfig",
         .help = "these controls: by name, path of the setting or flag; with "
                 "--benchmark also by number"},
	{.name = "skip",
         .argument = "NAME[,NAME...]",
         .commands = SELECT_COMMANDS | FLEET,
         .set = set_skip,
         .wants = "a control such as readOnlyPort or mode:kubeconfig",
         .help = "not these controls"},
	{.name = "level",
         .argument = "N",
         .commands = SELECT_COMMANDS | FLEET,
         .set = set_level,
         .words = levels,
         .help = "of the benchmark's controls those up to this level, 1 or 2"},
	{.name = "waivers",
         .argument = "FILE",
         .commands = SELECT_COMMANDS,
         .set = set_waivers,
         .wants = "a file",
         .complete = KR_COMPLETE_FILE,
         .help = "the controls that the node's owner lives with (default, of "
                 "a live node: /etc/kubelet-remedy/waivers)"},
	{.name = "no-waivers",
         .commands = SELECT_COMMANDS,
         .set = set_no_waivers,
         .help = "waive nothing"},
	{.name = "dry-run",
         .letter = 'n',
         .commands = KR_BIT(KR_COMMAND_FIX) | KR_BIT(KR_COMMAND_UNDO),
         .set = set_dry_run,
         .help = "print the plan as a diff, change nothing, restart nothing"},
	{.name = "allow",
         .argument = "NAME[,NAME...]",
         .commands = KR_BIT(KR_COMMAND_FIX),
         .set = set_allow,
         .wants = "a control such as readOnlyPort or mode:kubeconfig",
         .help = "fix these controls, too, which have to be asked for, and "
                 "override what was seen against it"},
	{.name = "set",
         .argument = "NAME=VALUE",
         .commands = KR_BIT(KR_COMMAND_FIX),
         .set = set_set,
         .wants = "NAME=VALUE, at most 16 times",
         .help = "the value to write for this control"},
	{.name = "expect",
         .argument = "HASH",
         .commands = KR_BIT(KR_COMMAND_FIX),
         .set = set_expect,
         .wants = "the 16 digits that fix -n prints behind '# plan'",
         .help = "apply only the plan that fix -n showed"},
	{.name = "method",
         .argument = "METHOD",
         .commands = KR_BIT(KR_COMMAND_FIX),
         .set = set_method,
         .words = methods,
         .help = "auto (default): config where kubelet reads a config file, "
                 "else flag"},
	{.name = "restart",
         .argument = "WHEN",
         .commands = KR_BIT(KR_COMMAND_FIX) | KR_BIT(KR_COMMAND_UNDO) |
                     KR_BIT(KR_COMMAND_RECOVER),
         .set = set_restart,
         .words = whens,
         .help = "auto (default): when kubelet runs and its value is false, "
                 "or something it reads at start was changed; always; never"},
	{.name = "wait",
         .argument = "SECONDS",
         .commands = KR_BIT(KR_COMMAND_FIX) | KR_BIT(KR_COMMAND_UNDO) |
                     KR_BIT(KR_COMMAND_RECOVER),
         .set = set_wait,
         .wants = "seconds, 1 to 86400",
         .help = "how long kubelet may take to be healthy before everything "
                 "is put back (default 60)"},
	{.name = "no-rollback",
         .commands = KR_BIT(KR_COMMAND_FIX),
         .set = set_no_rollback,
         .help = "leave the change in place when kubelet does not come back"},
	{.name = "no-persist",
         .commands = KR_BIT(KR_COMMAND_FIX),
         .set = set_no_persist,
         .help = "do not write the place from which this platform makes its "
                 "files anew at boot"},
	{.name = "retry",
         .commands = KR_BIT(KR_COMMAND_FIX),
         .set = set_retry,
         .help = "try again a change that was put back before"},
	{.name = "configz",
         .argument = "URL",
         .argument_may_lack = true,
         .commands = KR_BIT(KR_COMMAND_AUDIT) | KR_BIT(KR_COMMAND_FIX),
         .set = set_configz,
         .wants = "a URL",
         .help = "add the live view: what the API server's configz endpoint "
                 "says (default: HOSTNAME_PORT, else http://localhost:8001)"},
	{.name = "node",
         .argument = "NAME",
         .commands = KR_BIT(KR_COMMAND_AUDIT) | KR_BIT(KR_COMMAND_FIX),
         .set = set_node,
         .wants = "a node's name",
         .help = "the node's name there (default: NODE_NAME, else kubelet's "
                 "--hostname-override, else the host name)"},
	{.name = "server",
         .argument = "URL",
         .commands = KR_BIT(KR_COMMAND_FLEET),
         .set = set_server,
         .wants = "a URL",
         .help = "the API server (default: as audit's --configz)"},
	{.name = "nodes",
         .argument = "NAME[,NAME...]",
         .commands = KR_BIT(KR_COMMAND_FLEET),
         .set = set_nodes,
         .wants = "a list of nodes' names",
         .help = "these nodes"},
	{.name = "all-nodes",
         .commands = KR_BIT(KR_COMMAND_FLEET),
         .set = set_all_nodes,
         .help = "all nodes of the cluster"},
	{.name = "parallel",
         .argument = "N",
         .commands = KR_BIT(KR_COMMAND_FLEET),
         .set = set_parallel,
         .wants = "a number, 1 to 1000",
         .help = "how many nodes are asked at once (default 32)"},
	{.name = "timeout",
         .argument = "SECONDS",
         .commands = KR_BIT(KR_COMMAND_FLEET),
         .set = set_timeout,
         .wants = "seconds, 1 to 3600",
         .help = "how long one node may take to answer (default 10)"},
	{.name = "max-time",
         .argument = "SECONDS",
         .commands = KR_BIT(KR_COMMAND_FLEET),
         .set = set_max_time,
         .wants = "seconds, 1 to 604800",
         .help = "how long all of it may take (default 3600)"},
	{.name = "cacert",
         .argument = "FILE",
         .commands = API_COMMANDS,
         .set = set_cacert,
         .wants = "a file",
         .complete = KR_COMPLETE_FILE,
         .help = "the authorities that the API server's certificate must be "
                 "signed by, PEM"},
	{.name = "token-file",
         .argument = "FILE",
         .commands = API_COMMANDS,
         .set = set_token_file,
         .wants = "a file",
         .complete = KR_COMPLETE_FILE,
         .help = "a file with the bearer token for the API server"},
	{.name = "cert",
         .argument = "FILE",
         .commands = API_COMMANDS,
         .set = set_cert,
         .wants = "a file",
         .complete = KR_COMPLETE_FILE,
         .help = "a client certificate for the API server, PEM"},
	{.name = "key",
         .argument = "FILE",
         .commands = API_COMMANDS,
         .set = set_key,
         .wants = "a file",
         .complete = KR_COMPLETE_FILE,
         .help = "its private key, PEM"},
	{.name = "insecure-http",
         .commands = API_COMMANDS,
         .set = set_insecure_http,
         .help = "allow plain http to a host that is not loopback"},
	{.name = "help",
         .letter = 'h',
         .commands = KR_EVERY,
         .set = set_help,
         .help = "print this help"},
};

const size_t kr_n_option_rows = ARRAY_SIZE(kr_option_rows);
