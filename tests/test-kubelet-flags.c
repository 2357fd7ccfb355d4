/* SPDX-License-Identifier: Apache-2.0 */

/* kubelet/flags: pflag's rules, in tables and against real kubelets. */

#include <string.h>

#include "kubelet/flag-table.h"
#include "kubelet/flags.h"
#include "kubelet/go.h"
#include "testing-cases.h"
#include "testing.h"

#define OURS "--make-iptables-util-chains"

struct row {
	const char *name;
	const char *args[8];
	enum kr_state want;
	size_t n_uses;
	const char *code; /* of a remark that must be there */
};

static const struct row rows[] = {
	/* what is fine */
	{"nothing", {0}, KR_STATE_ABSENT, 0},
	{"two dashes at the end", {OURS "=0", "--"}, KR_STATE_FALSE, 1},
	{"two dashes alone", {"--"}, KR_STATE_ABSENT, 0},
	{"our name in a value",
         {"--node-labels=a=" OURS "=false"},
         KR_STATE_ABSENT,
         0},
	{"taken as a value",
         {"--root-dir", OURS "=false"},
         KR_STATE_ABSENT,
         0,
         "flag-swallows"},
	{"two dashes taken as a value",
         {"--root-dir", "--", OURS "=f"},
         KR_STATE_FALSE,
         1,
         "flag-swallows"},
	{"an empty word taken as a value",
         {"--register-with-taints", "", OURS "=f"},
         KR_STATE_FALSE,
         1},
	{"a dash taken as a value",
         {"--pod-max-pids", "-1", OURS "=f"},
         KR_STATE_FALSE,
         1},
	{"underscores in another's name",
         {"--root_dir", OURS "=false", OURS "=T"},
         KR_STATE_TRUE,
         1,
         "flag-swallows"},
	{"a bool takes no word", {"--fail_swap_on", OURS}, KR_STATE_TRUE, 1},
	{"-v with a word", {"-v", "2", OURS "=F"}, KR_STATE_FALSE, 1},
	{"-v joined", {"-v2", OURS "=F"}, KR_STATE_FALSE, 1},
	{"-v with =", {"-v=2", OURS "=F"}, KR_STATE_FALSE, 1},
	{"-test. is skipped", {"-test.run", OURS "=F"}, KR_STATE_FALSE, 1},
	{"--help=false", {"--help=false", OURS}, KR_STATE_TRUE, 1},
	{"--help, then not", {"--help", "--help=0"}, KR_STATE_ABSENT, 0},
	{"--version=false", {"--version=false", OURS}, KR_STATE_TRUE, 1},
	{"a version to report", {"--version=v1.30.0"}, KR_STATE_ABSENT, 0},
	{"underscores in an integer", {"--max-pods=1_000"}, KR_STATE_ABSENT, 0},
	{"a hexadecimal integer", {"--max-pods=0x10"}, KR_STATE_ABSENT, 0},
	{"out of range, then not",
         {"--max-pods=-1", "--max-pods=1"},
         KR_STATE_ABSENT,
         0},
	{"gone since 1.24", {"--network-plugin=cni"}, KR_STATE_ABSENT, 0},
	{"new in 1.30", {"--config-dir", "/x", OURS}, KR_STATE_TRUE, 1},
	{"an empty address", {"--address="}, KR_STATE_ABSENT, 0},
	{"an IPv6 address", {"--address=::1"}, KR_STATE_ABSENT, 0},
	{"an address with zeros", {"--address=010.0.0.1"}, KR_STATE_ABSENT, 0},
	{"empty pairs", {"--eviction-hard=,a<1,,"}, KR_STATE_ABSENT, 0},
	{"feature gates",
         {"--feature-gates=A=true, B = f"},
         KR_STATE_ABSENT,
         0},

	/* flags of no known version */
	{"unknown",
         {"--future=1", OURS "=0"},
         KR_STATE_FALSE,
         1,
         "flag-unknown"},
	{"unknown with its word",
         {"--future", "x", OURS "=0"},
         KR_STATE_FALSE,
         1,
         "flag-unknown"},
	{"unknown before a flag",
         {"--future", "--v=2", OURS "=0"},
         KR_STATE_FALSE,
         1,
         "flag-unknown"},
	{"unknown before ours",
         {"--future", OURS "=0"},
         KR_STATE_UNKNOWN,
         1,
         "flag-unknown"},
	{"unknown before --config",
         {"--future", "--config", "/x"},
         KR_STATE_UNKNOWN,
         0,
         "flag-unknown"},
	{"unknown before --config-dir",
         {"--future", "--config_dir=/x"},
         KR_STATE_UNKNOWN,
         0,
         "flag-unknown"},
	{"unknown before ours, and worse",
         {"--future", OURS "=0", "run"},
         KR_STATE_INVALID,
         1,
         "flag-positional"},
	{"unknown at the end",
         {OURS, "--future"},
         KR_STATE_TRUE,
         1,
         "flag-unknown"},

	/* what no kubelet takes */
	{"a word", {"run"}, KR_STATE_INVALID, 0, "flag-positional"},
	{"an empty word", {OURS, ""}, KR_STATE_INVALID, 1, "flag-positional"},
	{"a dash", {"-", OURS}, KR_STATE_INVALID, 1, "flag-positional"},
	{"behind two dashes",
         {"--", "--v=2"},
         KR_STATE_INVALID,
         0,
         "flag-positional"},
	{"ours behind two dashes",
         {"--", OURS},
         KR_STATE_INVALID,
         1,
         "flag-positional"},
	{"empty value", {OURS "="}, KR_STATE_INVALID, 1, "flag-value"},
	{"bad, then good",
         {OURS "=no", OURS},
         KR_STATE_INVALID,
         2,
         "flag-value"},
	{"two words",
         {OURS, "false", "--v=2"},
         KR_STATE_INVALID,
         1,
         "flag-two-words"},
	{"two words, = in the first",
         {OURS "=", "true"},
         KR_STATE_INVALID,
         1,
         "flag-two-words"},
	{"two words, = in the second",
         {OURS, "=true"},
         KR_STATE_INVALID,
         1,
         "flag-two-words"},
	{"three words",
         {OURS, "=", "true"},
         KR_STATE_INVALID,
         1,
         "flag-two-words"},
	{"two words, not a switch",
         {OURS, "run"},
         KR_STATE_INVALID,
         1,
         "flag-positional"},
	{"colon", {OURS ":true"}, KR_STATE_INVALID, 1, "flag-colon"},
	{"colon, two words",
         {OURS ":", "true"},
         KR_STATE_INVALID,
         1,
         "flag-colon"},
	{"colon, one word with a blank",
         {OURS ": true"},
         KR_STATE_INVALID,
         1,
         "flag-colon"},
	{"colon and underscores",
         {"--make_iptables_util_chains:true"},
         KR_STATE_INVALID,
         1,
         "flag-colon"},
	{"one letter less",
         {"--make-iptables-util-chain=0"},
         KR_STATE_INVALID,
         1,
         "flag-misspelt"},
	{"three letters off",
         {"--mke-ipables-utl-chains=0"},
         KR_STATE_INVALID,
         1,
         "flag-misspelt"},
	{"four letters off",
         {"--mke-ipables-utl-chans=0"},
         KR_STATE_ABSENT,
         0,
         "flag-unknown"},
	{"a prefix, two words",
         {"--make", "false"},
         KR_STATE_INVALID,
         1,
         "flag-misspelt"},
	{"the key for the flag",
         {"--makeIPTablesUtilChains=true"},
         KR_STATE_INVALID,
         1,
         "flag-misspelt"},
	{"no-",
         {"--no-make-iptables-util-chains"},
         KR_STATE_INVALID,
         1,
         "flag-misspelt"},
	{"one dash",
         {"-make-iptables-util-chains=true"},
         KR_STATE_INVALID,
         1,
         "flag-misspelt"},
	{"three dashes",
         {"-" OURS "=true"},
         KR_STATE_INVALID,
         1,
         "flag-misspelt"},
	{"en dashes",
         {"\xe2\x80\x93\xe2\x80\x93make-iptables-util-chains=0"},
         KR_STATE_INVALID,
         1,
         "flag-misspelt"},
	{"quotes", {"\"" OURS "=true\""}, KR_STATE_INVALID, 1, "flag-misspelt"},
	{"--Config", {"--Config=/x"}, KR_STATE_INVALID, 0, "flag-name"},
	{"a dot", {"--future.flag=1"}, KR_STATE_INVALID, 0, "flag-name"},
	{"a blank", {"--v =2"}, KR_STATE_INVALID, 0, "flag-name"},
	{"no ASCII", {"--v\xc2\xa0=2"}, KR_STATE_INVALID, 0, "flag-name"},
	{"an underscore first", {"--_v=2"}, KR_STATE_INVALID, 0, "flag-name"},
	{"three dashes before another",
         {"---v=2"},
         KR_STATE_INVALID,
         0,
         "flag-syntax"},
	{"no name", {"--=2"}, KR_STATE_INVALID, 0, "flag-syntax"},
	{"an unknown shorthand", {"-x"}, KR_STATE_INVALID, 0, "flag-shorthand"},
	{"an unknown one behind -h",
         {"-hx"},
         KR_STATE_INVALID,
         0,
         "flag-shorthand"},
	{"-v with nothing", {"-v"}, KR_STATE_INVALID, 0, "flag-argument"},
	{"-v= with nothing", {"-v="}, KR_STATE_INVALID, 0, "flag-value"},
	{"-v takes ours", {"-v", OURS}, KR_STATE_INVALID, 0, "flag-value"},
	{"no word left",
         {OURS, "--root-dir"},
         KR_STATE_INVALID,
         1,
         "flag-argument"},
	{"--help", {"--help", OURS}, KR_STATE_INVALID, 1, "flag-exits"},
	{"-h", {"-h"}, KR_STATE_INVALID, 0, "flag-exits"},
	{"-hv2", {"-hv2"}, KR_STATE_INVALID, 0, "flag-exits"},
	{"--help=maybe", {"--help=maybe"}, KR_STATE_INVALID, 0, "flag-value"},
	{"--version", {"--version"}, KR_STATE_INVALID, 0, "flag-exits"},
	{"--version=raw", {"--version=raw"}, KR_STATE_INVALID, 0, "flag-exits"},
	{"--version=Raw", {"--version=Raw"}, KR_STATE_INVALID, 0, "flag-value"},
	{"not an integer",
         {"--max-pods=many"},
         KR_STATE_INVALID,
         0,
         "flag-value"},
	{"too large",
         {"--max-pods=2147483648"},
         KR_STATE_INVALID,
         0,
         "flag-value"},
	{"out of range",
         {"--max-pods=1", "--max-pods=-1"},
         KR_STATE_INVALID,
         0,
         "flag-value"},
	{"not a duration",
         {"--sync-frequency=1"},
         KR_STATE_INVALID,
         0,
         "flag-value"},
	{"not an address",
         {"--address=localhost"},
         KR_STATE_INVALID,
         0,
         "flag-value"},
	{"a number for an address",
         {"--address=1.5"},
         KR_STATE_INVALID,
         0,
         "flag-value"},
	{"not a pair",
         {"--kube-reserved=cpu"},
         KR_STATE_INVALID,
         0,
         "flag-value"},
	{"not a gate's value",
         {"--feature-gates=A=yes"},
         KR_STATE_INVALID,
         0,
         "flag-value"},
	{"not a bool",
         {"--fail-swap-on=no"},
         KR_STATE_INVALID,
         0,
         "flag-value"},
	{"not a level", {"--v=debug"}, KR_STATE_INVALID, 0, "flag-value"},
};

static bool has_code(const struct kr_flags *flags, const char *code)
{
	for (size_t i = 0; i < flags->n_remarks; i++)
		if (!strcmp(flags->remarks[i].code, code))
			return true;
	return false;
}

static const char *remarks_of(const struct kr_flags *flags)
{
	static char text[4096];
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < flags->n_remarks && length < 3500; i++)
		length += snprintf(text + length, sizeof(text) - length,
		                   "\n  [%zu] %s %.200s", flags->remarks[i].arg,
		                   flags->remarks[i].code,
		                   flags->remarks[i].text);
	return text;
}

static void parse(const char *const *argv, size_t argc, struct kr_flags *ret)
{
	ck_assert_int_eq(kr_flags_parse(argv, argc, ret), 0);
}

/* Of our flag. */
static enum kr_state state_of(const struct kr_flags *flags)
{
	return kr_flags_state(flags, KR_FIELD_IPTABLES);
}

static size_t count(const struct kr_flags *flags)
{
	return kr_flags_count(flags, KR_FIELD_IPTABLES);
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	const char *argv[9] = {"kubelet"};
	size_t argc = 1;
	_cleanup_flags_ struct kr_flags flags = {0};

	while (argc < 9 && row->args[argc - 1]) {
		argv[argc] = row->args[argc - 1];
		argc++;
	}
	parse(argv, argc, &flags);
	ck_assert_msg(state_of(&flags) == row->want, "%s: %s%s", row->name,
	              kr_state_to_string(state_of(&flags)), remarks_of(&flags));
	ck_assert_msg(count(&flags) == row->n_uses, "%s: %zu uses", row->name,
	              count(&flags));
	ck_assert_msg(row->code ? has_code(&flags, row->code)
	                        : !flags.n_remarks,
	              "%s:%s", row->name, remarks_of(&flags));
}
END_TEST

/* What kubelet 1.MINOR has not it refuses; one that is not known may have it.
 */
START_TEST(test_version)
{
	static const struct {
		const char *args[2];
		unsigned minor;
		bool refused;
		const char
			*words; /* of the first remark; NULL: there is none */
	} cases[] = {
		{{"--future=1"}, 0, false, "has this flag"},
		{{"--future=1"}, 20, true, "has this flag"},
		{{"--future=1"}, 36, true, "\"--future=1\": no kubelet"},
		{{"--future=1"}, 37, false, "has this flag"},
		{{"--future=1"}, 19, true, "has this flag"},
		{{"--future", OURS}, 30, true, "may take the next word"},
		{{"--network-plugin=cni"}, 0, false, NULL},
		{{"--network-plugin=cni"}, 23, false, NULL},
		{{"--network-plugin=cni"}, 24, true, "1.23 is the last"},
		{{"--network_plugin=cni"}, 37, true, "1.23 is the last"},
		{{"--seccomp-default"}, 21, true, "1.22 is the first"},
		{{"--seccomp-default"}, 22, false, NULL},
		{{"--seccomp-default"}, 19, true, "1.22 is the first"},
		{{"--allow-privileged"}, 20, true, "1.19 is the last"},
		{{"--allow-privileged"}, 18, false, NULL},
		{{"--tls-curve-preferences=1"}, 36, true, "1.37 is the first"},
		{{"--tls-curve-preferences=1"}, 38, false, NULL},
		{{"--max-housekeeping-interval=1s"}, 30, false, NULL},
		{{"--v=2"}, 20, false, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *argv[] = {"kubelet", cases[i].args[0],
		                      cases[i].args[1]};
		_cleanup_flags_ struct kr_flags flags = {0};
		const char *words = cases[i].words;

		parse(argv, cases[i].args[1] ? 3 : 2, &flags);
		ck_assert_int_eq(kr_flags_refuse(&flags, cases[i].minor), 0);
		ck_assert_msg(flags.refused == cases[i].refused &&
		                      flags.n_remarks == (words ? 1 : 0) &&
		                      (!words ||
		                       ((flags.remarks[0].severity ==
		                         KR_ERROR) == cases[i].refused &&
		                        strstr(flags.remarks[0].text, words))),
		              "%s, 1.%u:%s", argv[1], cases[i].minor,
		              remarks_of(&flags));
	}
}
END_TEST

/* A fix cuts the words of all uses: what is left must say nothing of ours. */
START_TEST(test_cut)
{
	const struct row *row = &rows[_i];
	const char *argv[9] = {"kubelet"}, *rest[9];
	size_t argc = 1, n = 0;
	_cleanup_flags_ struct kr_flags flags = {0}, after = {0};

	while (argc < 9 && row->args[argc - 1]) {
		argv[argc] = row->args[argc - 1];
		argc++;
	}
	parse(argv, argc, &flags);
	for (size_t i = 0; i < argc; i++) {
		if (!kr_flags_is_use(&flags, KR_FIELD_IPTABLES, i))
			rest[n++] = argv[i];
	}
	parse(rest, n, &after);
	ck_assert_msg(count(&after) == 0, "%s: %zu uses", row->name,
	              count(&after));
	ck_assert_msg(!has_code(&after, "flag-two-words") &&
	                      !has_code(&after, "flag-colon") &&
	                      !has_code(&after, "flag-misspelt"),
	              "%s:%s", row->name, remarks_of(&after));
}
END_TEST

START_TEST(test_uses)
{
	static const char *const argv[] = {
		"kubelet", "--make_iptables_util_chains=F",
		"--v=2",   OURS,
		"false",   "-v",
		"1",       OURS ":true",
		OURS,
	};
	_cleanup_flags_ struct kr_flags flags = {0};

	parse(argv, ARRAY_SIZE(argv), &flags);
	ck_assert_uint_eq(flags.n_uses, 4);
	ck_assert_uint_eq(flags.uses[0].arg, 1);
	ck_assert_uint_eq(flags.uses[0].n_args, 1);
	ck_assert_str_eq(argv[1] + flags.uses[0].value, "F");
	ck_assert_int_eq(flags.uses[0].state, KR_STATE_FALSE);
	ck_assert_uint_eq(flags.uses[1].arg, 3);
	ck_assert_uint_eq(flags.uses[1].n_args, 2);
	ck_assert_uint_eq(flags.uses[1].value, 0);
	ck_assert_int_eq(flags.uses[1].state, KR_STATE_INVALID);
	ck_assert_uint_eq(flags.uses[2].arg, 7);
	ck_assert_str_eq(argv[7] + flags.uses[2].value, "true");
	ck_assert_int_eq(flags.uses[3].state, KR_STATE_TRUE);
	ck_assert_int_eq(state_of(&flags), KR_STATE_INVALID);
}
END_TEST

START_TEST(test_values)
{
	static const char *const argv[] = {
		"kubelet",
		"--config=/a",
		"--config",
		"/b",
		"--config_dir=",
		"--dynamic-config-dir=/c",
		"--hostname-override",
		"n1",
		"--healthz-port=0",
		"--healthz-bind-address=::1",
		"--iptables-drop-bit=3",
		"--iptables_masquerade_bit=4",
	};
	static const struct {
		int field;
		const char *text;
	} want[] = {
		{KR_FIELD_DYNAMIC_CONFIG_DIR, "/c"},
		{KR_FIELD_HOSTNAME_OVERRIDE, "n1"},
		{KR_FIELD_HEALTHZ_PORT, "0"},
		{KR_FIELD_HEALTHZ_ADDRESS, "::1"},
		{KR_FIELD_DROP_BIT, "3"},
		{KR_FIELD_MASQUERADE_BIT, "4"},
	};
	const struct kr_flag_use *last;
	_cleanup_flags_ struct kr_flags flags = {0};

	parse(argv, ARRAY_SIZE(argv), &flags);
	last = kr_flags_last(&flags, KR_FIELD_CONFIG);
	ck_assert_str_eq(last->text, "/b");
	ck_assert_uint_eq(last->arg, 2);
	ck_assert_uint_eq(last->n_args, 2);
	ck_assert_uint_eq(last->value_arg, 3);
	ck_assert_uint_eq(last->value, 0);
	last = kr_flags_last(&flags, KR_FIELD_CONFIG_DIR);
	ck_assert_str_eq(last->text, "");
	ck_assert_uint_eq(last->value, strlen("--config_dir="));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		ck_assert_str_eq(kr_flags_text(&flags, want[i].field),
		                 want[i].text);
	ck_assert_int_eq(state_of(&flags), KR_STATE_ABSENT);
	ck_assert(!flags.never_runs);
}
END_TEST

START_TEST(test_exits)
{
	static const char *const help[] = {"kubelet", "-h"};
	static const char *const bad[] = {"kubelet", "-h", "run"};
	_cleanup_flags_ struct kr_flags flags = {0}, other = {0};

	parse(help, 2, &flags);
	ck_assert(flags.never_runs);
	parse(bad, 3, &other);
	ck_assert(!other.never_runs);
}
END_TEST

START_TEST(test_no_words)
{
	_cleanup_flags_ struct kr_flags flags = {0};

	parse(NULL, 0, &flags);
	ck_assert_int_eq(state_of(&flags), KR_STATE_ABSENT);
}
END_TEST

START_TEST(test_table)
{
	const struct kr_flag *table;
	size_t n;

	table = kr_flag_table;
	n = kr_n_flags;
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(
			i == 0 || strcmp(table[i - 1].name, table[i].name) < 0,
			"%s: out of order", table[i].name);
		ck_assert_msg(strlen(table[i].name) < sizeof(table[i].name),
		              "%s", table[i].name);
		ck_assert_ptr_eq(
			kr_flag_find(table[i].name, strlen(table[i].name)),
			&table[i]);
		ck_assert_ptr_null(strpbrk(table[i].name, "_=:"));
		ck_assert_str_ne(kr_flag_wants(&table[i]), "");
	}
	ck_assert_ptr_null(kr_flag_find("", 0));
	ck_assert_ptr_null(kr_flag_find("confi", 5));
	ck_assert_ptr_null(kr_flag_find("Config", 6));
	ck_assert_ptr_eq(kr_flag_find("config=x", 6),
	                 kr_flag_find("config", 6));
}
END_TEST

/* Whether an error is of a config file or of what kubelet does later. */
static bool is_later_error(const char *error)
{
	static const char *const starts[] = {
		"failed to load Kubelet config file",
		"invalid configuration",
		"unrecognized feature gate",
		"unsupported log format",
	};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (!strncmp(error, starts[i], strlen(starts[i])))
			return true;
	return false;
}

/* `--FLAG --make-iptables-util-chains=false` as kubelet 1.20.2 took it. */
static void check_measured_flag(const char *flag, const char *kind,
                                const char *gave)
{
	char word[128];
	const char *const argv[] = {"kubelet", word, OURS "=false"};
	_cleanup_flags_ struct kr_flags flags = {0};
	bool bare = !strncmp(kind, "no-value", 8);
	const struct kr_flag *row = kr_flag_find(flag, strlen(flag));

	snprintf(word, sizeof(word), "--%s", flag);
	ck_assert_msg(row != NULL, "%s: not in the table", flag);
	ck_assert_msg(kr_flag_is_bare(row) == bare, "%s", flag);
	parse(argv, ARRAY_SIZE(argv), &flags);
	if (!strcmp(flag, kr_field(KR_FIELD_IPTABLES)->flag))
		ck_assert_uint_eq(count(&flags), 2);
	else
		ck_assert_msg(count(&flags) == bare, "%s", flag);
	if (!strcmp(gave, "effective=false"))
		ck_assert_msg(state_of(&flags) == KR_STATE_FALSE, "%s%s", flag,
		              remarks_of(&flags));
	else if (!strcmp(gave, "effective=true"))
		/* whether newer ones take such pairs or not, it is no use */
		ck_assert_msg(state_of(&flags) == KR_STATE_ABSENT, "%s%s", flag,
		              remarks_of(&flags));
	else if (!strncmp(gave, "exit status 0", 13))
		ck_assert_msg(flags.never_runs, "%s", flag);
	else if (!strncmp(gave, "invalid argument", 16) &&
	         row->type != KR_FLAG_STRING)
		ck_assert_msg(state_of(&flags) == KR_STATE_INVALID, "%s", flag);
}

START_TEST(test_measured_flags)
{
	FILE *in = kr_cases_open("kubelet-flags.tsv");
	char line[4096];
	size_t n = 0;

	ck_assert_ptr_nonnull(fgets(line, sizeof(line), in));
	while (fgets(line, sizeof(line), in)) {
		char *rest = line, *flag, *kind, *gave;

		line[strcspn(line, "\n")] = '\0';
		flag = strsep(&rest, "\t");
		kind = strsep(&rest, "\t");
		gave = strsep(&rest, "\t");
		ck_assert_ptr_nonnull(gave);
		check_measured_flag(flag, kind, gave);
		n++;
	}
	fclose(in);
	ck_assert_uint_eq(n, 183);
}
END_TEST

/* What a case's argv alone says against what kubelet had in the end. */
static void check_case(const struct kr_case *c)
{
	const char *id = kr_case_text(c->object, "id");
	const char *error = kr_case_text(c->object, "error");
	enum kr_state want = kr_case_effective(c), state;
	bool has_config = kr_case_text(c->object, "config") ||
	                  kr_case_text(c->object, "config_b64");
	bool exact = !strcmp(kr_case_text(c->object, "tier"), "exact");
	_cleanup_flags_ struct kr_flags flags = {0};

	kr_case_flags(c, &flags);
	state = state_of(&flags);
	if (want != KR_STATE_INVALID) {
		if (state == KR_STATE_ABSENT)
			state = has_config ? want : KR_STATE_TRUE;
		ck_assert_msg(state == want, "%s: %s%s", id,
		              kr_state_to_string(state), remarks_of(&flags));
	} else if (!is_later_error(error) && !has_config && exact) {
		ck_assert_msg(state == KR_STATE_INVALID, "%s: %s (%s)", id,
		              kr_state_to_string(state), error);
	} else if (!strncmp(error, "failed to load Kubelet config file", 34)) {
		/* the flags are fine, the file is not */
		ck_assert_msg(state != KR_STATE_INVALID, "%s:%s", id,
		              remarks_of(&flags));
		ck_assert_ptr_nonnull(kr_flags_text(&flags, KR_FIELD_CONFIG));
	}
}

START_TEST(test_oracle)
{
	kr_cases_load("kubelet-oracle.jsonl");
	for (size_t i = 0; i < kr_n_cases; i++)
		check_case(&kr_cases[i]);
	ck_assert_uint_ge(kr_n_cases, 500);
}
END_TEST

static void check_value(const struct kr_flags *flags, int field,
                        const char *want, size_t n)
{
	const char *text = kr_flags_text(flags, field);

	if (want)
		ck_assert_msg(text && !strcmp(text, want), "line %zu: %s", n,
		              text);
	else
		ck_assert_msg(!text, "line %zu: %s", n, text);
}

/* Random words from the flags' names, near misses and values, and what the real
 * pflag (1.0.6, with the types of the table) made of them. */
static void check_random(const struct kr_case *c, size_t n)
{
	const char *want = kr_case_text(c->object, "state");
	_cleanup_flags_ struct kr_flags flags = {0};

	kr_case_flags(c, &flags);
	ck_assert_msg(!strcmp(kr_state_to_string(state_of(&flags)), want),
	              "line %zu: %s, not %s%s", n,
	              kr_state_to_string(state_of(&flags)), want,
	              remarks_of(&flags));
	if (state_of(&flags) == KR_STATE_INVALID)
		return;
	check_value(&flags, KR_FIELD_CONFIG, kr_case_text(c->object, "config"),
	            n);
	check_value(&flags, KR_FIELD_CONFIG_DIR,
	            kr_case_text(c->object, "config_dir"), n);
}

START_TEST(test_pflag)
{
	kr_cases_load("pflag.jsonl");
	for (size_t i = 0; i < kr_n_cases; i++)
		check_random(&kr_cases[i], i + 1);
	ck_assert_uint_ge(kr_n_cases, 600);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "flags", NULL, NULL);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_version);
	tcase_add_loop_test(tc, test_cut, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_uses);
	tcase_add_test(tc, test_values);
	tcase_add_test(tc, test_exits);
	tcase_add_test(tc, test_no_words);
	tcase_add_test(tc, test_table);
	tcase_add_test(tc, test_measured_flags);
	tcase_add_test(tc, test_oracle);
	tcase_add_test(tc, test_pflag);
}

KR_TEST_MAIN(add_tests);
