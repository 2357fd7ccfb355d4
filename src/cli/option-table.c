/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The commands and options, and what each option sets.
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/option-table.h"
#include "node/kubelet-version.h"
#include "node/platform.h"

#define AUDIT    KR_BIT(KR_COMMAND_AUDIT)
#define FIX      KR_BIT(KR_COMMAND_FIX)
#define FLEET    KR_BIT(KR_COMMAND_FLEET)
#define CONTROLS KR_BIT(KR_COMMAND_CONTROLS)
#define RECOVER  KR_BIT(KR_COMMAND_RECOVER)
#define CHANGES  (FIX | KR_BIT(KR_COMMAND_UNDO))
#define RESTARTS (CHANGES | RECOVER)
#define FINDINGS (AUDIT | FLEET)

#define API_COMMANDS    (AUDIT | FIX | FLEET)
#define SELECT_COMMANDS (AUDIT | FIX) /* those that take several controls */

/* those that look below a root, and those that look at its kubelet */
#define ROOT_COMMANDS (KR_EVERY & ~FLEET)
#define NODE_COMMANDS (ROOT_COMMANDS & ~KR_BIT(KR_COMMAND_HISTORY))

/* clang-format off */

const struct kr_command_row kr_commands[] = {
	[KR_COMMAND_AUDIT] = {"audit",
	 .summary = "show the value in every view, and which byte of which "
	 "file decides it",
	 .example = " --benchmark=eks-1.8",
	 .statuses = "0 pass, 1 fail, 2 wrong usage, 3 no verdict (invalid "
	 "or unknown)"},
	[KR_COMMAND_FIX] = {"fix",
	 .summary = "correct the value, restart kubelet and prove it, or put "
	 "everything back",
	 .example = " -n",
	 .statuses = "0 it passes now, 1 changes would be made (-n) or a "
	 "control still fails, 2 wrong usage, 3 nothing to judge yet, no "
	 "verdict, or waivers that cannot be read, 4 refused or failed and "
	 "nothing is changed, 5 kubelet did not come back, or the run was "
	 "interrupted, and everything was put back, 6 kubelet needs manual "
	 "repair",
	 .left = "ask (a judgement, or it may break workloads: --allow=NAME "
	 "or --control=NAME fixes it), hold (a danger that is seen on this "
	 "node: only --allow=NAME), never (the owner's to change), refused "
	 "(kubelet would exit or be unreachable, or the change was put back "
	 "before), waived"},
	[KR_COMMAND_UNDO] = {"undo", .argument = "TRANSACTION",
	 .summary = "put back what a fix changed: the last one, or "
	 "TRANSACTION, its number in the history or the start of its id",
	 .example = " -n",
	 .statuses = "0 put back (-n: would be), 1 nothing to undo, 2 wrong "
	 "usage, 4 refused and nothing is changed, 6 kubelet needs manual "
	 "repair"},
	[KR_COMMAND_HISTORY] = {"history",
	 .summary = "list the fixes made on this node, and what can be undone",
	 .example = "",
	 .statuses = "0 they are listed, 2 wrong usage, 3 they cannot be read"},
	[KR_COMMAND_STATUS] = {"status",
	 .summary = "show kubelet's unit as 'systemctl status -l' does, and "
	 "its health",
	 .example = "",
	 .statuses = "0 running and healthy, 1 not, 2 wrong usage, 3 there "
	 "is no unit, or its health could not be asked"},
	[KR_COMMAND_FLEET] = {"fleet",
	 .summary = "audit many nodes through the API server's configz "
	 "endpoint",
	 .example = " --all-nodes --server=http://localhost:8001",
	 .statuses = "0 all nodes pass, 1 a node fails, 2 wrong usage, 3 "
	 "none fails and some have no verdict"},
	[KR_COMMAND_CONTROLS] = {"controls",
	 .summary = "list what the benchmarks demand, what fix would do, and "
	 "what could break",
	 .example = " --benchmark=eks-1.8",
	 .statuses = "0 they are listed, 2 wrong usage, 3 the node of "
	 "--benchmark=auto cannot be read"},
	[KR_COMMAND_RECOVER] = {"recover", .argument = "TRANSACTION",
	 .summary = "revert a fix or undo that was interrupted, and restart "
	 "kubelet",
	 .example = "",
	 .statuses = "0 reverted or nothing to do, 2 wrong usage, 4 failed, "
	 "6 kubelet needs manual repair"},
};

/* clang-format on */

static_assert(ARRAY_SIZE(kr_commands) == _KR_COMMAND_MAX, "each command");

static bool is_of_type(const char *unit, const char *type)
{
	size_t length = strlen(unit), size = strlen(type);

	return length >= size && strcmp(unit + length - size, type) == 0;
}

/* As for systemctl(1), a name without a type is a service's. */
static int set_unit(struct kr_options *o, const char *arg)
{
	static const char *const others[] = {
		".socket", ".target", ".device", ".mount", ".automount",
		".swap",   ".timer",  ".path",   ".slice", ".scope",
	};
	const char *type = is_of_type(arg, ".service") ? "" : ".service";
	int n = snprintf(o->unit, sizeof(o->unit), "%s%s", arg, type);

	if (!*arg || *arg == '.' || strchr(arg, '/') || n < 0 ||
	    (size_t)n >= sizeof(o->unit))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (is_of_type(arg, others[i]))
			return -EINVAL;
	}
	o->node.unit = o->unit;
	return 0;
}

static int set_pid(struct kr_options *o, const char *arg)
{
	const char *error;

	o->node.pid = (pid_t)strtonum(arg, 1, 1 << 22, &error);
	return error ? -EINVAL : 0;
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

/* What is shown in a next command is shown as it is. */
static bool has_control(const char *s)
{
	while (*s && !iscntrl((unsigned char)*s))
		s++;
	return *s;
}

static int set_waivers(struct kr_options *o, const char *arg)
{
	o->select.waivers = arg;
	return *arg && !has_control(arg) ? 0 : -EINVAL;
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

static const struct kr_option_word formats[] = {
	[KR_FORMAT_TEXT] = {"text", KR_EVERY},
	[KR_FORMAT_JSON] = {"json", KR_EVERY},
	[KR_FORMAT_SARIF] = {"sarif", FINDINGS},
	[KR_FORMAT_JUNIT] = {"junit", FINDINGS},
	[KR_FORMAT_PROMETHEUS] = {"prometheus", FINDINGS},
	[KR_FORMAT_ASFF] = {"asff", AUDIT},
	[_KR_FORMAT_MAX] = {0},
};

static int set_output(struct kr_options *o, const char *arg)
{
	int i = find_word(formats, arg);

	if (i >= 0)
		o->format = (enum kr_format)i;
	return i < 0 ? i : 0;
}

static int set_asff_account(struct kr_options *o, const char *arg)
{
	o->asff.account = arg;
	return strlen(arg) == 12 && strspn(arg, "0123456789") == 12 ? 0
	                                                            : -EINVAL;
}

/* As they are all: "eu-central-1", "us-gov-west-1". */
static int set_asff_region(struct kr_options *o, const char *arg)
{
	size_t length = strlen(arg);
	const char *end = strrchr(arg, '-');

	o->asff.region = arg;
	if (strspn(arg, "abcdefghijklmnopqrstuvwxyz0123456789-") != length ||
	    length > 32 || *arg < 'a' || !end ||
	    !isdigit((unsigned char)end[1]) || strchr(arg, '-') == end)
		return -EINVAL;
	return 0;
}

static const struct kr_option_word whens[] = {
	[KR_WHEN_AUTO] = {"auto", KR_EVERY,
                          "on a terminal, unless NO_COLOR is set"},
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

static int set_width(struct kr_options *o, const char *arg)
{
	const char *error;

	o->width = (unsigned)strtonum(arg, KR_WIDTH_MIN, KR_WIDTH_MAX, &error);
	return error ? -EINVAL : 0;
}

static int set_help(struct kr_options *o, const char *arg)
{
	o->help_on = o->command;
	o->command = KR_COMMAND_HELP;
	return 0;
}

static const struct kr_option_word methods[] = {
	{"auto", KR_EVERY, "config where kubelet reads a config file"},
	{"config", KR_EVERY, "set the key and cut the flag"},
	{"flag", KR_EVERY, "set the flag"},
	{0},
};

static int set_method(struct kr_options *o, const char *arg)
{
	return kr_method_from_string(arg, &o->fix.method);
}

static const struct kr_option_word restarts[] = {
	{"auto", KR_EVERY, "when kubelet runs with what must change"},
	{"always", KR_EVERY, "also where nothing must change"},
	{"never", KR_EVERY, "only the files are changed"},
	{0},
};

static int set_restart(struct kr_options *o, const char *arg)
{
	return kr_restart_from_string(arg, &o->fix.restart);
}

/* In the order of node/platform's table; a test holds that. */
static const struct kr_option_word media[] = {
	{"nodeadm", KR_EVERY}, {"userdata", KR_EVERY}, {"aks", KR_EVERY},
	{"eksctl", KR_EVERY},  {"ignition", KR_EVERY}, {0},
};

static int set_for(struct kr_options *o, const char *arg)
{
	o->fix.medium = kr_platform_medium(arg);
	return o->fix.medium ? 0 : -EINVAL;
}

/* What it is of shows when the controls are known. */
static int set_set(struct kr_options *o, const char *arg)
{
	const char *equals = strchr(arg, '=');

	if (!equals || equals == arg || has_control(arg))
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

static int set_selector(struct kr_options *o, const char *arg)
{
	o->fleet.selector = arg;
	return *arg && strcmp(arg, ".") != 0 && strcmp(arg, "..") != 0
	               ? 0
	               : -EINVAL;
}

static int set_parallel(struct kr_options *o, const char *arg)
{
	const char *error;

	o->fleet.n_parallel = (unsigned)strtonum(arg, 1, 1000, &error);
	return error ? -EINVAL : 0;
}

#define AT(member)            offsetof(struct kr_options, member)
#define FLAG(member)          KR_OPTION_FLAG, AT(member)
#define TEXT(member)          KR_OPTION_TEXT, AT(member)
#define SECONDS(member, most) KR_OPTION_SECONDS, AT(member), most
#define OWN(function)         KR_OPTION_OWN, .set = function

/* clang-format off */

/* name, letter, argument, commands, what it sets */
const struct kr_option_row kr_option_rows[] = {
	{"root", 0, "DIR", ROOT_COMMANDS, TEXT(node.root), .wants = "a folder",
	 .complete = KR_COMPLETE_FOLDER,
	 .help = "the node whose root file system is at DIR"},
	{"unit", 0, "NAME", NODE_COMMANDS, OWN(set_unit),
	 .wants = "the name of a service: NAME or NAME.service",
	 .help = "kubelet's unit (default: kubelet.service, else that of the "
	 "running kubelet)"},
	{"pid", 0, "PID", NODE_COMMANDS, OWN(set_pid),
	 .wants = "the number of a process",
	 .help = "which kubelet process, where several run"},
	{"config", 0, "FILE", NODE_COMMANDS, TEXT(node.config),
	 .wants = "a file", .complete = KR_COMPLETE_FILE,
	 .help = "the kubelet config file, instead of the one that kubelet "
	 "reads"},
	{"output", 'o', "FORMAT", KR_EVERY, OWN(set_output),
	 .first_by_default = true, .words = formats, .help = "of the result"},
	{"output-file", 0, "FILE", KR_EVERY & ~RECOVER, TEXT(output_file),
	 .wants = "a file", .complete = KR_COMPLETE_FILE,
	 .help = "write the result to FILE, which is replaced as a whole, and "
	 "only if there is a result"},
	{"quiet", 'q', NULL, KR_EVERY, FLAG(quiet),
	 .help = "print errors only"},
	{"verbose", 'v', NULL, KR_EVERY, FLAG(verbose),
	 .help = "print each step, with its time"},
	{"color", 0, "WHEN", KR_EVERY, OWN(set_color), .first_by_default = true,
	 .again = true, .words = whens, .help = "when text has colours"},
	{"width", 0, "N", KR_EVERY, OWN(set_width), .again = true,
	 .wants = "a number of columns from 20 to 10000",
	 .help = "of text: long lines of files are cut around the bytes in "
	 "question (default: the terminal's; 120 where there is none)"},
	{"explicit", 0, NULL, SELECT_COMMANDS, FLAG(fix.explicit_wanted),
	 .help = "fail where only kubelet's default decides: the value must "
	 "be written down"},
	{"kubelet-version", 0, "V", SELECT_COMMANDS, OWN(set_kubelet_version),
	 .wants = "a version such as 1.31 or v1.31.2",
	 .help = "kubelet's version, where it matters and the node does not "
	 "show it"},
	{"benchmark", 0, "NAME", API_COMMANDS | CONTROLS,
	 OWN(set_benchmark), .argument_may_lack = true,
	 .wants = "an edition such as eks-1.8 or cis-1.12",
	 .help = "every control of one edition, such as eks-1.8 ('controls "
	 "--benchmark=help' lists them); without NAME: the newest for "
	 "this platform and kubelet"},
	{"control", 0, "NAME[,NAME...]", API_COMMANDS, TEXT(select.controls),
	 .wants = "a control such as readOnlyPort or mode:kubeconfig",
	 .help = "only these controls: a name, the path of a setting or a "
	 "flag; with --benchmark also a number"},
	{"skip", 0, "NAME[,NAME...]", API_COMMANDS, TEXT(select.skip),
	 .wants = "a control such as readOnlyPort or mode:kubeconfig",
	 .help = "all but these controls"},
	{"level", 0, "N", API_COMMANDS, OWN(set_level),
	 .words = levels,
	 .help = "only the benchmark's controls up to this level"},
	{"waivers", 0, "FILE", API_COMMANDS, OWN(set_waivers),
	 .wants = "a file", .complete = KR_COMPLETE_FILE,
	 .help = "the file of controls that the owner accepts (default of "
	 "audit and fix, on a live node: /etc/kubelet-remedy/waivers)"},
	{"no-waivers", 0, NULL, SELECT_COMMANDS, FLAG(select.no_waivers),
	 .help = "ignore the file of waivers"},
	{"dry-run", 'n', NULL, CHANGES, FLAG(fix.dry_run),
	 .help = "print the plan as a diff; change nothing, restart nothing"},
	{"allow", 0, "NAME[,NAME...]", FIX, TEXT(allow),
	 .wants = "a control such as readOnlyPort or mode:kubeconfig",
	 .help = "also fix these controls, of policy ask or with a hold"},
	{"set", 0, "NAME=VALUE", FIX, OWN(set_set), .again = true,
	 .wants = "NAME=VALUE",
	 .help = "the value to write for this control, where the owner "
	 "decides it"},
	{"expect", 0, "HASH", FIX, OWN(set_expect),
	 .wants = "the 16 digits that fix -n prints behind '# plan'",
	 .help = "apply only this plan, which fix -n showed"},
	{"method", 0, "METHOD", FIX, OWN(set_method), .first_by_default = true,
	 .words = methods, .help = "how it is fixed"},
	{"restart", 0, "WHEN", RESTARTS, OWN(set_restart),
	 .first_by_default = true, .again = true, .words = restarts,
	 .help = "when kubelet is restarted"},
	{"wait", 0, "SECONDS", RESTARTS, SECONDS(fix.wait_usec, 86400),
	 .again = true, .wants = "seconds, 1 to 86400",
	 .help = "how long kubelet may take to be healthy before everything "
	 "is put back (default 60)"},
	{"no-rollback", 0, NULL, FIX, FLAG(fix.no_rollback),
	 .help = "leave the change in place when kubelet does not come back"},
	{"no-persist", 0, NULL, FIX, FLAG(fix.no_persist),
	 .help = "do not write the place from which this platform regenerates "
	 "its files at boot"},
	{"for", 0, "MEDIUM", FIX, OWN(set_for), .words = media,
	 .help = "with -n: print what makes it last for this medium, not for "
	 "the node's platform"},
	{"retry", 0, NULL, FIX, FLAG(fix.retry),
	 .help = "try again a change that was put back before"},
	{"asff-account", 0, "ID", AUDIT, OWN(set_asff_account),
	 .wants = "the twelve digits of an AWS account",
	 .help = "with -o asff: the AWS account that the node belongs to"},
	{"asff-region", 0, "REGION", AUDIT, OWN(set_asff_region),
	 .wants = "an AWS region such as eu-central-1",
	 .help = "with -o asff: the AWS region that the node is in"},
	{"configz", 0, "URL", SELECT_COMMANDS, OWN(set_configz),
	 .argument_may_lack = true, .wants = "a URL",
	 .help = "also ask the API server what kubelet runs with (default: "
	 "HOSTNAME_PORT, else http://localhost:8001)"},
	{"node", 0, "NAME", SELECT_COMMANDS, TEXT(node.name),
	 .wants = "a node's name",
	 .help = "the node's name in the API server (default: NODE_NAME, else "
	 "kubelet's --hostname-override, else the host name)"},
	{"server", 0, "URL", FLEET, TEXT(api.url), .wants = "a URL",
	 .help = "the API server (default: as audit's --configz)"},
	{"nodes", 0, "NAME[,NAME...]", FLEET, TEXT(fleet.nodes),
	 .wants = "a list of nodes' names", .help = "ask these nodes"},
	{"all-nodes", 0, NULL, FLEET, FLAG(fleet.all_nodes),
	 .help = "ask all nodes of the cluster"},
	{"selector", 0, "LABELS", FLEET, OWN(set_selector),
	 .wants = "labels such as pool=a,env!=test",
	 .help = "ask the nodes that have these labels, as kubectl's -l"},
	{"parallel", 0, "N", FLEET, OWN(set_parallel), .again = true,
	 .wants = "a number, 1 to 1000",
	 .help = "how many nodes are asked at once (default: 32, and more, up "
	 "to 512, while that is faster)"},
	{"timeout", 0, "SECONDS", FLEET, SECONDS(fleet.timeout_usec, 3600),
	 .again = true, .wants = "seconds, 1 to 3600",
	 .help = "how long one node may take to answer (default 10)"},
	{"max-time", 0, "SECONDS", FLEET, SECONDS(fleet.total_usec, 604800),
	 .again = true, .wants = "seconds, 1 to 604800",
	 .help = "how long all of it may take (default 3600)"},
	{"cacert", 0, "FILE", API_COMMANDS, TEXT(api.cacert), .wants = "a file",
	 .complete = KR_COMPLETE_FILE,
	 .help = "the CA certificates that verify the API server, PEM"},
	{"token-file", 0, "FILE", API_COMMANDS, TEXT(api.token_file),
	 .wants = "a file", .complete = KR_COMPLETE_FILE,
	 .help = "a file with the bearer token for the API server"},
	{"cert", 0, "FILE", API_COMMANDS, TEXT(api.cert), .wants = "a file",
	 .complete = KR_COMPLETE_FILE,
	 .help = "a client certificate for the API server, PEM"},
	{"key", 0, "FILE", API_COMMANDS, TEXT(api.key), .wants = "a file",
	 .complete = KR_COMPLETE_FILE, .help = "its private key, PEM"},
	{"insecure-http", 0, NULL, API_COMMANDS, FLAG(api.insecure_http),
	 .help = "allow plain http to a host that is not loopback"},
	{"help", 'h', NULL, KR_EVERY, OWN(set_help), .help = "print this help"},
};

/* clang-format on */

const size_t kr_n_option_rows = ARRAY_SIZE(kr_option_rows);

bool kr_command_takes(enum kr_command command, const char *name)
{
	for (size_t i = 0; i < kr_n_option_rows; i++) {
		if (strcmp(kr_option_rows[i].name, name) == 0)
			return kr_option_rows[i].commands & KR_BIT(command);
	}
	return false;
}
