/* SPDX-License-Identifier: Apache-2.0 */

/*
 * unit/resolve: systemd's rules one by one, in tables, and the nodes of real
 * platforms as a whole.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "testing.h"
#include "unit/resolve.h"

#define UNIT   "/etc/systemd/system/kubelet.service"
#define DROPIN "/etc/systemd/system/kubelet.service.d/10.conf"
#define X      "ExecStart=/bin/x "
#define V      "ExecStart=/bin/x $A\n"

static const char *const load_names[] = {
	[KR_UNIT_LOADED] = "loaded",
	[KR_UNIT_NOT_FOUND] = "not found",
	[KR_UNIT_MASKED] = "masked",
	[KR_UNIT_BAD] = "bad",
	[KR_UNIT_NO_ENVIRONMENT_FILE] = "no environment file",
};

/* The words of all commands, "|" behind each and "/" between commands, or how
 * the unit loads. */
static char *show(const struct kr_unit *unit)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (unit->load != KR_UNIT_LOADED)
		fputs(load_names[unit->load], out);
	for (size_t i = 0; unit->load == KR_UNIT_LOADED && i < unit->n_commands;
	     i++) {
		const struct kr_unit_command *c = &unit->commands[i];

		fputs(i > 0 ? " / " : "", out);
		for (size_t k = 0; k < c->n_words; k++)
			fprintf(out, "%s%s", k > 0 ? "|" : "",
			        c->words[k].from->unknown ? "<unknown>"
			                                  : c->words[k].text);
	}
	fclose(out);
	return text;
}

/* --- one file ------------------------------------------------------------ */

struct row {
	const char *name;
	const char *service; /* behind "[Service]\n" */
	const char *want;
	const char *code; /* of a message that must be there */
	unsigned version;
};

static const struct row rows[] = {
	/* lines */
	{"plain", X "--a --b=c", "/bin/x|--a|--b=c"},
	{"a continuation is a blank", X "a\\\nb", "/bin/x|a|b"},
	{"comments in a continuation", X "a \\\n# c \\\n ;d\n b", "/bin/x|a|b"},
	{"a continuation, then nothing", X "a \\\n\n", "/bin/x|a"},
	{"a continuation at the end", X "a \\", "/bin/x|a"},
	{"CRLF", X "a \\\r\n b\r\nEnvironment=A=1\r\n", "/bin/x|a|b"},
	{"blanks around", "ExecStart \t= \t/bin/x a  ", "/bin/x|a"},
	{"case counts", "execstart=/bin/y\n" X "a", "/bin/x|a",
         "exec-start-ignored"},
	{"a slip: one letter less", "Enviroment=A=b\n" V, "/bin/x",
         "unit-key-ignored"},
	{"one more", "EnvironmentFiles=/e\n" V, "/bin/x", "unit-key-ignored"},
	{"another one", "Environnent=A=b\n" V, "/bin/x", "unit-key-ignored"},
	{"two exchanged", "Evnironment=A=b\n" V, "/bin/x", "unit-key-ignored"},
	{"no =, and one behind it", "Environment \"A=b\"\n" V, "/bin/x",
         "unit-key-ignored"},
	{"another section", X "a\n[Install]\nExecStart=/bin/y\n", "/bin/x|a",
         "exec-start-ignored"},
	{"no assignment", "nothing\n" X "a", "/bin/x|a", "unit-line-invalid"},
	{"no key", "=a\n" X "a", "/bin/x|a", "unit-line-invalid"},
	{"an unknown section", X "a\n[Other]\nExecStart=\n", "/bin/x|a",
         "unit-section-unknown"},
	{"sections are split", X "a\n[Unit]\nA=b\n[Service]\nType=oneshot\n",
         "/bin/x|a"},
	{"a broken header", "[Service\n" X "a", "bad", "unit-section-invalid"},
	{"not UTF-8", "#\xff\nA=\xff\n" X "a", "bad", "unit-not-utf8"},
	/* commands */
	{"none", "Type=simple", "bad", "unit-bad"},
	{"emptied", X "a\nExecStart=\n#" X "b", "bad", "unit-bad"},
	{"reset", X "a\nExecStart=\n" X "b", "/bin/x|b"},
	{"two are one too many", X "a\n" X "b", "bad", "unit-two-commands"},
	{"two in one line", X "a ; /bin/y", "bad", "unit-two-commands"},
	{"three", X "a\n" X "b\n" X "c", "bad", "unit-two-commands"},
	{"two behind a reset", X "a\nExecStart=\n" X "b\n" X "c", "bad",
         "unit-two-commands"},
	{"one too many, and no program", X "a\nExecStart=-\n" X "b", "bad",
         "unit-two-commands"},
	{"two and RemainAfterExit=", "RemainAfterExit=yes\n" X "a\n" X "b",
         "bad", "unit-two-commands"},
	{"two of a oneshot", "Type=oneshot\n" X "a\n" X "b",
         "/bin/x|a / /bin/x|b"},
	{"semicolon", "Type=oneshot\n" X "a ; /bin/y \\; b",
         "/bin/x|a / /bin/y|;|b"},
	{"quoted semicolon", X "\";\" a; ';'", "/bin/x|;|a;|;"},
	{"prefixes", "ExecStart=-+:/bin/x $A", "/bin/x|$A"},
	{"argv[0]", "ExecStart=@/bin/x y z", "y|z"},
	{"argv[0] is missing", "ExecStart=@/bin/x", "bad",
         "exec-start-invalid"},
	{"a prefix twice", "ExecStart=--/bin/x", "bad"},
	{"exclusive prefixes", "ExecStart=+!/bin/x", "bad"},
	{"!!", "ExecStart=!!/bin/x", "/bin/x"},
	{"!!!", "ExecStart=!!!/bin/x", "bad"},
	{"a relative program", "ExecStart=bin/x", "bad"},
	{"a folder", "ExecStart=/bin/", "bad"},
	{"-: only the command is lost", "ExecStart=-bin/x\n" X "a", "/bin/x|a"},
	{"argv[0] is not simplified", "ExecStart=//bin/./x", "//bin/./x"},
	{"a shell", "ExecStart=|/bin/x $$A b", "sh|-c|/bin/x $A b"},
	{"a shell, before there was one", "ExecStart=|/bin/x", "bad", NULL,
         257},
	/* words */
	{"quotes", X "\"a b\" 'c \"d' e\"f g\"h \"\"",
         "/bin/x|a b|c \"d|ef gh|"},
	{"escapes", X "\\x41\\102\\u00e9\\s\\t\\\\ \"\\\"\"",
         "/bin/x|AB\xc3\xa9 \t\\|\""},
	{"an unknown escape", X "\\q \\x4 \\400", "/bin/x|\\q|\\x4|\\400",
         "escape-unknown"},
	{"an open quote", X "a \"b", "bad", "exec-start-invalid"},
	{"an open quote first", "ExecStart=\"/bin/x\n" X "a", "/bin/x|a"},
	/* specifiers */
	{"specifiers", X "%n %N %p %% %t %S %h %u",
         "/bin/x|kubelet.service|kubelet|kubelet|%|/run|/var/lib|/root|root"},
	{"a specifier is not split", "Environment=A=x\n" X "a%nb",
         "/bin/x|akubelet.serviceb"},
	{"one that is none", X "%z", "bad"},
	{"one that is no letter", X "%_ %", "/bin/x|%_|%"},
	{"one that cannot be told", X "%s a", "<unknown>", "specifier-unknown"},
	{"one that is too new", X "%D", "bad", NULL, 252},
	/* variables */
	{"split", "Environment=\"A=b  'c d' e\\\\\\\\f\"\n" V,
         "/bin/x|b|c d|e\\f"},
	{"quotes do not protect", "Environment='A=b c'\n" X "\"$A\"",
         "/bin/x|b|c"},
	{"braces", "Environment='A=b c'\n" X "${A} x${A}y ${Z}",
         "/bin/x|b c|xb cy|"},
	{"unset", X "$A a$A b${A}c", "/bin/x|a$A|bc"},
	{"dollars", X "$$A a$$b $ ${A", "/bin/x|$A|a$b|${A"},
	{"the name is all of the word", "Environment=A=b\n" X "$A/c", "/bin/x"},
	{"an open quote in the value", "Environment=\"A=b 'c d\"\n" V,
         "/bin/x|b|c d"},
	{"the later one wins", "Environment=A=b A=c\n" V, "/bin/x|c"},
	{"Environment= reset", "Environment=A=b\nEnvironment=\n" V, "/bin/x"},
	{"a bad name", "Environment=1A=b A=c\n" V, "/bin/x|c",
         "environment-invalid"},
	{"a bad escape ends the line", "Environment=A=b A=\\q A=d\n" V,
         "/bin/x|b", "environment-invalid"},
	{"unset again", "Environment=A=b\nUnsetEnvironment=A\n" V, "/bin/x"},
	{"unset with a value", "Environment=A=b\nUnsetEnvironment=A=c\n" V,
         "/bin/x|b"},
	{"made at the start", X "$INVOCATION_ID", "<unknown>",
         "variable-unknown"},
	{"passed", "PassEnvironment=A\n" V, "<unknown>",
         "pass-environment-unknown"},
	{"a user's", "User=u\n" X "${USER}", "/bin/x|u"},
	/* environment files */
	{"missing", "EnvironmentFile=/none\n" V, "no environment file",
         "environment-file-missing"},
	{"missing and optional", "EnvironmentFile=-/none\n" V, "/bin/x"},
	{"no match", "EnvironmentFile=/none/*\n" V, "no environment file"},
	{"reset files", "EnvironmentFile=/none\nEnvironmentFile=\n" V,
         "/bin/x"},
	{"a relative one", "EnvironmentFile=none\n" V, "/bin/x",
         "environment-file-invalid"},
	{"a folder for a file", "EnvironmentFile=/etc\n" V, "bad",
         "environment-file-invalid"},
	{"an optional folder", "EnvironmentFile=-/etc\n" V, "/bin/x"},
	/* the service as a whole */
	{"no program of a oneshot", "Type=oneshot\nExecStop=/bin/x", "bad"},
	{"an unknown type", "Type=other\n" X "a", "/bin/x|a",
         "unit-type-invalid"},
	{"oneshot and always", "Type=oneshot\nRestart=always\n" X "a", "bad"},
	{"dbus without a name", "Type=dbus\n" X "a", "bad"},
	{"another command is wrong", "ExecStartPre=bin/y\n" X "a", "bad"},
};

static void check_row(const struct row *row)
{
	struct kr_unit_options options = {.systemd_version = row->version};
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_unit_ struct kr_unit *unit = NULL;
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_free_ char *got = NULL;
	bool unknown = strcmp(row->want, "<unknown>") == 0;

	ck_assert_int_eq(
		kr_unit_resolve(fs, "kubelet.service", &options, &diag, &unit),
		0);
	got = show(unit);
	ck_assert_msg(unknown ? strstr(got, row->want) != NULL
	                      : strcmp(got, row->want) == 0,
	              "%s: got '%s', want '%s'%s", row->name, got, row->want,
	              kr_test_messages(&diag));
	ck_assert_msg(!row->code || kr_diag_find(&diag, row->code),
	              "%s: no %s%s", row->name, row->code,
	              kr_test_messages(&diag));
}

START_TEST(test_row)
{
	const struct row *row = &rows[_i];
	_cleanup_free_ char *text = NULL;

	ck_assert_int_ge(asprintf(&text, "[Service]\n%s", row->service), 0);
	kr_root_write(UNIT, text);
	check_row(row);
}
END_TEST

/* --- environment files --------------------------------------------------- */

static const struct row files[] = {
	{"plain", "A=b c", "/bin/x|b|c"},
	{"blanks around", " A = b \n", "/bin/x|b"},
	{"quotes", "A=\"b 'c d'\"", "/bin/x|b|c d"},
	{"pieces are joined", "A=\"b \" 'c'", "/bin/x|b|c"},
	{"a quote inside is plain", "A=b\"c d\"", "/bin/x|bc d"},
	{"continued", "A=b \\\nc\\\nd", "/bin/x|b|cd"},
	{"over lines", "A=\"b\nc\"", "/bin/x|b|c"},
	{"escapes in double quotes", "A=\"\\$b \\n\"", "/bin/x|$b|n"},
	{"comments", "# A=b\n;A=c\nA=#d", "/bin/x|#d"},
	{"a comment goes on", "# c \\\nA=b", "/bin/x|lost", NULL, 252},
	{"a comment ends", "# c \\\nA=b", "/bin/x|b", NULL, 254},
	{"no assignment", "nothing\nA=b", "/bin/x|b", "env-line-invalid"},
	{"export", "export A=b", "/bin/x|lost", "environment-invalid"},
	{"not UTF-8", "A=\xff\nB=c", "bad", "env-not-utf8"},
	{"an open quote", "A='b\nB=c", "/bin/x|b|B=c"},
	{"percent is plain", "A=%n%%", "/bin/x|%n%%"},
	{"empty", "A=", "/bin/x"},
};

START_TEST(test_file)
{
	kr_root_write(UNIT, "[Service]\nEnvironment=A=lost\n"
	                    "EnvironmentFile=/etc/environment\n"
	                    "Environment=A=lost\n" V);
	kr_root_write("/etc/environment", files[_i].service);
	check_row(&files[_i]);
}
END_TEST

/* --- where files are ----------------------------------------------------- */

#define S(x) "[Service]\nEnvironment=A=" x "\n"

static const struct place {
	const char *name;
	const char
		*files[12]; /* path, content; "->" makes a link, "|" a FIFO */
	const char *want;
} places[] = {
	{"nothing", {0}, "not found"},
	{"a drop-in alone", {DROPIN, "[Service]\n" X}, "not found"},
	{"empty", {UNIT, ""}, "masked"},
	{"to null", {UNIT, "->/dev/null"}, "masked"},
	{"a FIFO", {UNIT, "|"}, "bad"},
	{"a link to a FIFO", {UNIT, "->/opt/f", "/opt/f", "|"}, "bad"},
	{"a FIFO hides a weaker unit",
         {UNIT, "|", "/usr/lib/systemd/system/kubelet.service",
          "[Service]\n" X},
         "bad"},
	{"a stronger mask",
         {UNIT, "->/dev/null", "/usr/lib/systemd/system/kubelet.service",
          "[Service]\n" X},
         "masked"},
	{"a link to nowhere", {UNIT, "->/opt/none"}, "not found"},
	{"a linked unit",
         {UNIT, "->/opt/u", "/opt/u", "[Service]\n" X "a"},
         "/bin/x|a"},
	{"an alias",
         {UNIT, "->real.service", "/usr/lib/systemd/system/real.service",
          "[Service]\n" V, "/etc/systemd/system/real.service.d/1.conf",
          S("real"), DROPIN, S("alias")},
         "/bin/x|alias"},
	{"a link to itself in a weaker folder",
         {UNIT, "->/usr/lib/systemd/system/kubelet.service",
          "/usr/lib/systemd/system/kubelet.service", "[Service]\n" X "a"},
         "/bin/x|a"},
	{"the stronger folder",
         {UNIT, "[Service]\n" X "etc", "/run/systemd/system/kubelet.service",
          "[Service]\n" X "run"},
         "/bin/x|etc"},
	{"by name over folders",
         {UNIT, "[Service]\n" V, DROPIN, S("etc"),
          "/usr/lib/systemd/system/kubelet.service.d/20.conf", S("usr")},
         "/bin/x|usr"},
	{"a name hides",
         {UNIT, "[Service]\n" V, DROPIN, S("etc"),
          "/usr/lib/systemd/system/kubelet.service.d/10.conf", S("usr")},
         "/bin/x|etc"},
	{"a link to null hides",
         {UNIT, "[Service]\n" V, DROPIN, "->/dev/null",
          "/usr/lib/systemd/system/kubelet.service.d/10.conf", S("usr")},
         "/bin/x"},
	{"hidden and other names",
         {UNIT, "[Service]\n" V,
          "/etc/systemd/system/kubelet.service.d/.1.conf", S("a"),
          "/etc/systemd/system/kubelet.service.d/1.txt", S("b")},
         "/bin/x"},
	{"service.d is the weakest",
         {UNIT, "[Service]\n" V, "/etc/systemd/system/service.d/10.conf",
          S("all"), "/usr/lib/systemd/system/kubelet.service.d/10.conf",
          S("one")},
         "/bin/x|one"},
	{"a fault in a drop-in ends it",
         {UNIT, "[Service]\n" V, DROPIN,
          "[Service]\nEnvironment=A=b\nExecStart=bin/y\nEnvironment=A=c\n"},
         "/bin/x|b"},
	{"/lib beside /usr/lib",
         {"/lib/systemd/system/kubelet.service", "[Service]\n" X "a"},
         "/bin/x|a"},
};

/*
 * systemd's own configuration, as tried on systemd 252
 * (tests/test-systemd-defaults.py has the same rows for a real one).
 */
#define CONF    "/etc/systemd/system.conf"
#define CONFD   "/systemd/system.conf.d/"
#define M(x)    "[Manager]\nDefaultEnvironment=" x "\n"
#define SHOW    UNIT, "[Service]\nExecStart=/bin/x $A $B $C\n"
#define WITH(x) UNIT, "[Service]\n" x "\nExecStart=/bin/x $A $B $C\n"

static const struct place managers[] = {
	{"the main file", {SHOW, CONF, M("A=a B=b")}, "/bin/x|a|b"},
	{"the main file in /usr/lib",
         {SHOW, "/usr/lib/systemd/system.conf", M("A=a")},
         "/bin/x|a"},
	{"that of /etc alone",
         {SHOW, CONF, M("A=a"), "/usr/lib/systemd/system.conf", M("B=b")},
         "/bin/x|a"},
	{"a drop-in over it",
         {SHOW, CONF, M("A=a B=b"), "/usr/lib" CONFD "1.conf", M("A=u")},
         "/bin/x|u|b"},
	{"drop-ins by name over folders",
         {SHOW, "/etc" CONFD "05.conf", M("A=etc"), "/usr/lib" CONFD "10.conf",
          M("A=usr")},
         "/bin/x|usr"},
	{"a name hides in /run",
         {SHOW, "/run" CONFD "1.conf", M("B=run"), "/usr/lib" CONFD "1.conf",
          M("A=usr"), "/usr/local/lib" CONFD "1.conf", M("A=local")},
         "/bin/x|run"},
	{"a name hides in /usr/local/lib",
         {SHOW, "/usr/local/lib" CONFD "1.conf", M("B=local"),
          "/usr/lib" CONFD "1.conf", M("A=usr")},
         "/bin/x|local"},
	{"a link to null hides",
         {SHOW, "/etc" CONFD "1.conf", "->/dev/null", "/usr/lib" CONFD "1.conf",
          M("A=usr"), "/usr/lib" CONFD "2.conf", M("B=b")},
         "/bin/x|b"},
	{"an empty file hides",
         {SHOW, "/etc" CONFD "1.conf", "", "/usr/lib" CONFD "1.conf",
          M("A=usr")},
         "/bin/x"},
	{"the main file is masked",
         {SHOW, CONF, "->/dev/null", "/etc" CONFD "1.conf", M("A=a")},
         "/bin/x|a"},
	{"other names",
         {SHOW, "/etc" CONFD ".1.conf", M("A=hidden"), "/etc" CONFD "1.txt",
          M("A=txt"), "/etc" CONFD "s.d/1.conf", M("A=sub")},
         "/bin/x"},
	{"a folder ends it",
         {SHOW, "/etc" CONFD "1.conf", M("A=a"), "/etc" CONFD "2.conf/x", "",
          "/etc" CONFD "3.conf", M("B=b")},
         "/bin/x|a"},
	{"a FIFO ends it",
         {SHOW, "/etc" CONFD "1.conf", M("A=a"), "/etc" CONFD "2.conf", "|",
          "/etc" CONFD "3.conf", M("B=b")},
         "/bin/x|a"},
	{"a link to nowhere does not",
         {SHOW, "/etc" CONFD "1.conf", M("A=a"), "/etc" CONFD "2.conf",
          "->none", "/etc" CONFD "3.conf", M("B=b")},
         "/bin/x|a|b"},
	{"a broken header ends it",
         {SHOW, CONF, M("A=a") "[Manager\n" M("B=b"), "/etc" CONFD "1.conf",
          M("C=c")},
         "/bin/x|a"},
	{"a broken header in a drop-in, too",
         {SHOW, "/etc" CONFD "1.conf", M("A=a") "[\n" M("B=b"),
          "/etc" CONFD "2.conf", M("C=c")},
         "/bin/x|a"},
	{"not UTF-8 ends it",
         {SHOW, "/etc" CONFD "1.conf", M("A=a") "X=\xff\n" M("B=b"),
          "/etc" CONFD "2.conf", M("C=c")},
         "/bin/x|a"},
	{"sections and case",
         {SHOW, CONF,
          "DefaultEnvironment=A=0\n[manager]\nDefaultEnvironment=A=1\n"
          "[Service]\nDefaultEnvironment=A=2\n[Manager]\n"
          "defaultenvironment=A=3\n DefaultEnvironment = B=b\n"},
         "/bin/x|b"},
	{"they collect, the later one wins",
         {SHOW, CONF, M("A=1 B=1 A=2") M("C=c"), "/etc" CONFD "1.conf",
          M("B=b")},
         "/bin/x|2|b|c"},
	{"empty takes back",
         {SHOW, CONF, M("A=a"), "/etc" CONFD "1.conf", M("") M("B=b")},
         "/bin/x|b"},
	{"quotes", {SHOW, CONF, M("'A=a  b' B=\"x y\"z")}, "/bin/x|a|b|x|yz"},
	{"bad words", {SHOW, CONF, M("A=a 1B=2 C=c \"B=b")}, "/bin/x|a|c"},
	{"specifiers of all units",
         {SHOW, CONF, M("A=%%%T B=%V,%o"), "/etc/os-release", "ID=o\n"},
         "/bin/x|%/tmp|/var/tmp,o"},
	{"specifiers of one unit are none",
         {SHOW, CONF, M("A=%n B=%t C=%h") M("B=%S C=c")},
         "/bin/x|c"},
	{"Environment= wins",
         {WITH("Environment=A=u"), CONF, M("A=a B=b")},
         "/bin/x|u|b"},
	{"EnvironmentFile= wins",
         {WITH("EnvironmentFile=/etc/e"), "/etc/e", "A=f\n", CONF,
          M("A=a B=b")},
         "/bin/x|f|b"},
	{"UnsetEnvironment= takes it",
         {WITH("UnsetEnvironment=A B=x C=c"), CONF, M("A=a B=b C=c")},
         "/bin/x|b"},
	{"PassEnvironment= changes nothing",
         {WITH("PassEnvironment=A"), CONF, M("A=a B=b")},
         "/bin/x|a|b"},
	{"ManagerEnvironment= is systemd's alone",
         {SHOW, CONF, M("A=a") "ManagerEnvironment=A=m B=m\n"},
         "/bin/x|a"},
	{"but for PassEnvironment=",
         {WITH("PassEnvironment=A B"), CONF,
          M("A=a C=c") "ManagerEnvironment=A=m B=m C=m\n"},
         "/bin/x|m|m|c"},
	{"Environment= wins over that",
         {WITH("PassEnvironment=A B\nEnvironment=A=u"), CONF,
          M("A=a") "ManagerEnvironment=A=m B=m\n"},
         "/bin/x|u|m"},
	{"UnsetEnvironment= takes that, too",
         {WITH("PassEnvironment=A B\nUnsetEnvironment=A"), CONF,
          M("A=a") "ManagerEnvironment=A=m B=m\n"},
         "/bin/x|m"},
	{"a variable in a variable is none",
         {SHOW, CONF, M("A=$B B=b")},
         "/bin/x|$B|b"},
};

static void make_fifo(const char *path)
{
	kr_root_write(path, "");
	ck_assert_int_eq(unlinkat(kr_root_fd, path + 1, 0), 0);
	ck_assert_int_eq(mkfifoat(kr_root_fd, path + 1, 0644), 0);
}

static void check_place(const struct place *place)
{
	struct row row = {.name = place->name, .want = place->want};

	for (size_t i = 0; i < ARRAY_SIZE(place->files) && place->files[i];
	     i += 2) {
		const char *content = place->files[i + 1];

		if (strncmp(content, "->", 2) == 0)
			kr_root_symlink(content + 2, place->files[i]);
		else if (strcmp(content, "|") == 0)
			make_fifo(place->files[i]);
		else
			kr_root_write(place->files[i], content);
	}
	check_row(&row);
}

START_TEST(test_place)
{
	check_place(&places[_i]);
}
END_TEST

START_TEST(test_manager)
{
	check_place(&managers[_i]);
}
END_TEST

/* What the manager's block says counts, and no file of it. */
START_TEST(test_manager_block)
{
	static const char *const block[] = {"A=block", "B=b", NULL};
	struct kr_unit_options options = {.manager_environment = block};
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_unit_ struct kr_unit *unit = NULL;
	_cleanup_free_ char *got = NULL;
	struct kr_unit_word *words;

	kr_root_write(UNIT, "[Service]\nPassEnvironment=B\n"
	                    "ExecStart=/bin/x $A ${B} $C d\n");
	kr_root_write(CONF, M("A=file C=file") "ManagerEnvironment=B=m\n");
	ck_assert_int_eq(
		kr_unit_resolve(fs, "kubelet.service", &options, NULL, &unit),
		0);
	got = show(unit);
	ck_assert_str_eq(got, "/bin/x|block|m|d");
	words = unit->commands[0].words;
	ck_assert_str_eq(words[1].from->manager, "A");
	ck_assert_ptr_null(kr_word_span(&words[1]).file);
	ck_assert_ptr_null(words[2].from->manager);
	ck_assert_ptr_null(words[3].from->manager);
}
END_TEST

/* What User= brings, the block does not show. */
START_TEST(test_manager_user)
{
	static const char *const block[] = {"A=block", NULL};
	struct kr_unit_options options = {.manager_environment = block};
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_unit_ struct kr_unit *unit = NULL;
	_cleanup_free_ char *got = NULL;

	kr_root_write(UNIT, "[Service]\nUser=root\nPassEnvironment=B\n"
	                    "ExecStart=/bin/x ${HOME}/a x${A} ${B}\n");
	ck_assert_int_eq(
		kr_unit_resolve(fs, "kubelet.service", &options, NULL, &unit),
		0);
	got = show(unit);
	ck_assert_str_eq(got, "/bin/x|/root/a|xblock|<unknown>");
	ck_assert_ptr_null(unit->commands[0].words[1].from->manager);
	ck_assert_str_eq(unit->commands[0].words[2].from->manager, "A");
	ck_assert_ptr_null(unit->commands[0].words[3].from->manager);
}
END_TEST

/* --- WorkingDirectory=~, as tried on systemd 252 -------------------------- */

static const struct {
	const char *name, *service;
	const char *want; /* NULL: not set */
} homes[] = {
	{"no user", "WorkingDirectory=~\n", "/root"},
	{"may be missing", "WorkingDirectory=-~\n", "/root"},
	{"may be missing, and is", "User=uh\nWorkingDirectory=-~\n", NULL},
	{"root", "User=root\nWorkingDirectory=~\n", "/root"},
	{"root, by number", "User=0\nWorkingDirectory=~\n", "/root"},
	{"a user", "User=uh\nWorkingDirectory=~\n", "/srv/h"},
	{"a user behind it", "WorkingDirectory=~\nUser=uh\n", "/srv/h"},
	{"a user, by number", "User=4001\nWorkingDirectory=~\n", "/srv/h"},
	{"a user's home is /", "User=ur\nWorkingDirectory=~\n", "/root"},
	{"a user without home", "User=ue\nWorkingDirectory=~\n", "/root"},
	{"a home that is relative", "User=urel\nWorkingDirectory=~\n", "/root"},
	{"a name that begins so", "User=u\nWorkingDirectory=~\n", "~"},
	{"no such user", "User=nobody1\nWorkingDirectory=~\n", "~"},
	{"no such number", "User=40\nWorkingDirectory=~\n", "~"},
	{"taken back", "WorkingDirectory=~\nWorkingDirectory=\n", NULL},
	{"no home but a path", "WorkingDirectory=/x/~\n", "/x/~"},
	{"not set", "User=uh\n", NULL},
};

START_TEST(test_home)
{
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_unit_ struct kr_unit *unit = NULL;
	char text[256];

	kr_root_write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
	                             "uh:x:4001:4001::/srv/h:/bin/sh\n"
	                             "ur:x:4002:4002::/:/bin/sh\n"
	                             "ue:x:4003:4003:::/bin/sh\n"
	                             "urel:x:4004:4004::rel:/bin/sh\n");
	kr_root_mkdir("/root");
	snprintf(text, sizeof(text), "[Service]\n" X "\n%s", homes[_i].service);
	kr_root_write(UNIT, text);
	fs = kr_root_fs();
	ck_assert_int_eq(
		kr_unit_resolve(fs, "kubelet.service", NULL, NULL, &unit), 0);
	ck_assert_msg(
		!unit->working_directory == !homes[_i].want &&
			(!homes[_i].want ||
	                 strcmp(unit->working_directory, homes[_i].want) == 0),
		"%s: %s", homes[_i].name, unit->working_directory);
}
END_TEST

START_TEST(test_prefix_folders)
{
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_unit_ struct kr_unit *unit = NULL;
	_cleanup_free_ char *got = NULL;

	kr_root_write("/etc/systemd/system/a-b-c.service",
	              "[Service]\nExecStart=/bin/x $A $B $C %j\n");
	kr_root_write("/etc/systemd/system/a-.service.d/1.conf",
	              "[Service]\nEnvironment=A=1 B=1\n");
	kr_root_write("/etc/systemd/system/a-b-.service.d/2.conf",
	              "[Service]\nEnvironment=B=2 C=2\n");
	kr_root_write("/etc/systemd/system/a-b-c.service.d/1.conf",
	              "[Service]\nEnvironment=C=3\n");
	ck_assert_int_eq(
		kr_unit_resolve(fs, "a-b-c.service", NULL, NULL, &unit), 0);
	got = show(unit);
	ck_assert_str_eq(got, "/bin/x|2|2|c");
	ck_assert_uint_eq(unit->n_dropins, 2);
}
END_TEST

/* --- spans --------------------------------------------------------------- */

static void check_span(struct kr_span span, const char *want)
{
	ck_assert_ptr_nonnull(span.file);
	ck_assert_msg(span.length == strlen(want) &&
	                      memcmp(span.file->data + span.offset, want,
	                             span.length) == 0,
	              "got '%.*s', want '%s'", (int)span.length,
	              span.file->data + span.offset, want);
}

START_TEST(test_manager_span)
{
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_unit_ struct kr_unit *unit = NULL;
	const struct kr_unit_word *word;

	kr_root_write(UNIT, "[Service]\nExecStart=/bin/x $A\n");
	kr_root_write("/etc" CONFD "1.conf", M("C=c 'A=--a --b=false --c'"));
	ck_assert_int_eq(
		kr_unit_resolve(fs, "kubelet.service", NULL, NULL, &unit), 0);
	ck_assert_uint_eq(unit->commands[0].n_words, 4);
	word = &unit->commands[0].words[2];
	ck_assert_ptr_null(word->from->manager);
	check_span(kr_word_span(word), "--b=false");
	check_span(kr_word_cut(word), " --b=false");
	ck_assert_str_eq(kr_word_span(word).file->path, "/etc" CONFD "1.conf");
}
END_TEST

START_TEST(test_spans)
{
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_unit_ struct kr_unit *unit = NULL;
	const struct kr_unit_variable *a;
	const struct kr_unit_command *c;

	kr_root_write(UNIT, "[Service]\nEnvironment='A=--x \"y z\" --w' B=\n"
	                    "ExecStart=-/bin/x $A \\\n  \"q r\"\n");
	ck_assert_int_eq(
		kr_unit_resolve(fs, "kubelet.service", NULL, NULL, &unit), 0);
	a = kr_unit_variable(unit, "A");
	check_span(kr_variable_span(a), "'A=--x \"y z\" --w'");
	check_span(kr_variable_value_span(a), "--x \"y z\" --w");
	ck_assert_int_eq(a->quote, '\'');
	check_span(kr_variable_span(kr_unit_variable(unit, "B")), "B=");
	check_span(kr_variable_value_span(kr_unit_variable(unit, "B")), "");
	c = &unit->commands[0];
	check_span(c->span, "-/bin/x $A \\\n  \"q r\"");
	ck_assert_uint_eq(c->end.offset, kr_span_end(c->span));
	ck_assert_uint_eq(c->expands.n_items, 1);
	ck_assert_str_eq(c->expands.items[0], "A");
	check_span(kr_word_span(&c->words[0]), "/bin/x");
	check_span(kr_word_span(&c->words[1]), "--x");
	check_span(kr_word_cut(&c->words[1]), "--x ");
	check_span(kr_word_span(&c->words[2]), "\"y z\"");
	check_span(kr_word_cut(&c->words[2]), " \"y z\"");
	ck_assert_int_eq(c->words[2].from->kind, KR_WORD_VARIABLE);
	check_span(kr_word_cut(&c->words[4]), " \\\n  \"q r\"");
	ck_assert_int_eq(c->words[4].from->kind, KR_WORD_LITERAL);
}
END_TEST

/* --- what is appended ---------------------------------------------------- */

static const struct append {
	const char *name, *line, *want; /* NULL: no edit is safe */
} appends[] = {
	{"plain", "A=--v=2", "\"A=--v=2 --x=1\""},
	{"empty", "A=", "A=--x=1"},
	{"quoted", "\"A=b c\"", "\"A=b c --x=1\""},
	{"quoted value", "A='b'", "A='b --x=1'"},
	{"quoted and empty", "\"A=\"", "\"A=--x=1\""},
	{"pieces", "A=b\"c d\"", "A=b\"c d\"\" --x=1\""},
	{"an open quote", "\"A=b 'c\"", NULL},
	{"a backslash", "\"A=b \\\\\\\\\"", "\"A=b \\\\\\\\ --x=1\""},
	{"a lone backslash", "\"A=b \\\\\"", NULL},
};

START_TEST(test_append)
{
	const struct append *row = &appends[_i];
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_unit_ struct kr_unit *unit = NULL;
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_free_ char *text = NULL, *want = NULL, *got = NULL;
	size_t size;
	int r;

	ck_assert_int_ge(
		asprintf(&text, "[Service]\nEnvironment=%s\n" V, row->line), 0);
	kr_root_write(UNIT, text);
	ck_assert_int_eq(
		kr_unit_resolve(fs, "kubelet.service", NULL, NULL, &unit), 0);
	r = kr_unit_append_word(kr_unit_variable(unit, "A"), "--x=1", &edits,
	                        NULL);
	ck_assert_msg(r == (row->want ? 0 : KR_REFUSED), "%s: got %d",
	              row->name, r);
	if (r < 0)
		return;
	ck_assert_int_ge(
		asprintf(&want, "[Service]\nEnvironment=%s\n" V, row->want), 0);
	ck_assert_int_eq(kr_file_edits_apply(&edits.files[0], &got, &size), 0);
	ck_assert_msg(strcmp(got, want) == 0, "%s: got %s", row->name, got);
}
END_TEST

/* what a value is before it takes a word: the file, with room for the line */
static const struct {
	const char *name, *unit, *file;
	const char *argv; /* before it */
	bool in_command;
	const char *refused; /* words that have one of these bytes */
} holders[] = {
	{"unit, plain", "Environment=A=--v=2\n" V, NULL, "--v=2", false, ""},
	{"unit, empty", "Environment=A=\n" V, NULL, "", false, ""},
	{"unit, double", "Environment=\"A=--v=2\"\n" V, NULL, "--v=2", false,
         ""},
	{"unit, single", "Environment=B=c 'A=--v=2' C=d\n" V, NULL, "--v=2",
         false, ""},
	{"unit, the value", "Environment=A='--v=2'\n" V, NULL, "--v=2", false,
         ""},
	{"unit, pieces", "Environment=A=--v\"=2\"\n" V, NULL, "--v=2", false,
         ""},
	{"unit, a tail", "Environment=A=\"--v\"=2\n" V, NULL, "--v=2", false,
         ""},
	{"file, plain", "EnvironmentFile=/e\n" V, "A=--v=2  \n", "--v=2", false,
         ""},
	{"file, empty", "EnvironmentFile=/e\n" V, "A=\nB=c\n", "", false, ""},
	{"file, no end", "EnvironmentFile=/e\n" V, "A=--v=2", "--v=2", false,
         ""},
	{"file, double", "EnvironmentFile=/e\n" V, "A=\"--v=2\"\n", "--v=2",
         false, ""},
	{"file, single", "EnvironmentFile=/e\n" V, "A='--v=2'\n", "--v=2",
         false, "'"},
	{"file, pieces", "EnvironmentFile=/e\n" V, "A='--v''=2'\n", "--v=2",
         false, ""},
	{"file, a tail", "EnvironmentFile=/e\n" V, "A='--v'=2\n", "--v=2",
         false, ""},
	{"command", "ExecStart=/bin/p --v=2\n", NULL, "--v=2", true, ""},
	{"command, continued", "ExecStart=/bin/p \\\n --v=2\n", NULL, "--v=2",
         true, ""},
	{"command without variables", "ExecStart=:/bin/p --v=2\n", NULL,
         "--v=2", true, ""},
};

static const char *const awkward[] = {
	"--x=a b",    "--x=a  b ", "--x=a'b",
	"--x=a\"b",   "--x=a\\b",  "--x=a\\",
	"--x=$A",     "--x=${A}",  "--x=$$",
	"--x=a%b%%",  "--x=a`b",   "--x=a;b",
	"--x=a ; b",  "--x=#a #b", "--x='a b' \\ \"c\"",
	"--x=\\n\\s", "--x=",      "--x= ",
};

START_TEST(test_append_awkward)
{
	const char *word = awkward[(size_t)_i % ARRAY_SIZE(awkward)];
	size_t home = (size_t)_i / ARRAY_SIZE(awkward);
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs(), *again = NULL;
	_cleanup_unit_ struct kr_unit *unit = NULL, *after = NULL;
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_free_ char *text = NULL, *got = NULL;
	const struct kr_unit_command *c;
	size_t size;
	int r;

	ck_assert_int_ge(asprintf(&text, "[Service]\n%s", holders[home].unit),
	                 0);
	kr_root_write(UNIT, text);
	if (holders[home].file)
		kr_root_write("/e", holders[home].file);
	ck_assert_int_eq(
		kr_unit_resolve(fs, "kubelet.service", NULL, NULL, &unit), 0);
	r = holders[home].in_command
	            ? kr_unit_append_argument(&unit->commands[0], word, &edits,
	                                      NULL)
	            : kr_unit_append_word(kr_unit_variable(unit, "A"), word,
	                                  &edits, NULL);
	if (strpbrk(word, holders[home].refused)) {
		ck_assert_int_eq(r, KR_REFUSED);
		return;
	}
	ck_assert_msg(r == 0, "%s, %s: %d", holders[home].name, word, r);
	ck_assert_int_eq(kr_file_edits_apply(&edits.files[0], &got, &size), 0);
	kr_root_write(edits.files[0].path, got);
	again = kr_root_fs();
	ck_assert_int_eq(
		kr_unit_resolve(again, "kubelet.service", NULL, NULL, &after),
		0);
	c = &after->commands[0];
	size = *holders[home].argv ? 2 : 1;
	ck_assert_msg(after->n_commands == 1 && c->n_words == size + 1 &&
	                      strcmp(c->words[size].text, word) == 0 &&
	                      strcmp(c->words[1].text,
	                             size > 1 ? holders[home].argv : word) == 0,
	              "%s, %s: %s", holders[home].name, word, got);
}
END_TEST

/* --- real nodes ---------------------------------------------------------- */

static struct dirent **nodes;
static int n_nodes;

static int is_node(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && !strchr(entry->d_name, '.');
}

static char *slurp(const char *folder, const char *name, size_t *ret_size)
{
	_cleanup_free_ char *path = kr_path_join(folder, name);
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char *data = calloc(1, 65536);

	ck_assert_ptr_nonnull(data);
	*ret_size = file ? fread(data, 1, 65535, file) : 0;
	return data;
}

static bool has(const cJSON *expected, const char *key)
{
	return cJSON_HasObjectItem(expected, key);
}

static void check_argv(const char *name, const struct kr_unit *unit,
                       const char *argv, size_t size)
{
	const struct kr_unit_command *c = &unit->commands[0];
	const char *at = argv;

	ck_assert_msg(unit->n_commands == 1, "%s: %s", name,
	              load_names[unit->load]);
	for (size_t i = 0; i < c->n_words; i++) {
		ck_assert_msg(at < argv + size, "%s: too many words", name);
		ck_assert_msg(strcmp(c->words[i].text, at) == 0,
		              "%s: got '%s', want '%s'", name, c->words[i].text,
		              at);
		at += strlen(at) + 1;
	}
	ck_assert_msg(at == argv + size, "%s: too few words", name);
}

START_TEST(test_node)
{
	const char *name = nodes[_i]->d_name;
	_cleanup_free_ char *root = kr_path_join(getenv("NODES"), name);
	_cleanup_free_ char *json = NULL, *argv = NULL;
	_cleanup_close_ int fd = open(root, O_PATH | O_CLOEXEC);
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_unit_ struct kr_unit *unit = NULL;
	size_t size;
	cJSON *expected;
	const char *unit_name;
	bool ours;

	json = slurp(root, "EXPECTED.json", &size);
	argv = slurp(root, "proc-cmdline", &size);
	expected = cJSON_Parse(json);
	ck_assert_msg(expected != NULL, "%s: no EXPECTED.json", name);
	unit_name = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(expected, "unit"));
	/* elsewhere a wrapper or another program starts kubelet */
	ours = unit_name && size > 0 && !has(expected, "kubelet_is_a_unit") &&
	       !has(expected, "running_effective") &&
	       strcmp(name, "openshift") != 0;
	if (ours) {
		ck_assert_int_eq(kr_fs_new(fd, &fs), 0);
		ck_assert_int_eq(
			kr_unit_resolve(fs, unit_name, NULL, NULL, &unit), 0);
		check_argv(name, unit, argv, size);
	} else {
		ck_assert_msg(!unit_name || size == 0 ||
		                      has(expected, "kubelet_is_a_unit") ||
		                      has(expected, "running_effective") ||
		                      strcmp(name, "openshift") == 0,
		              "%s: why is it left out?", name);
	}
	cJSON_Delete(expected);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "resolve", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_row, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_file, 0, ARRAY_SIZE(files));
	tcase_add_loop_test(tc, test_place, 0, ARRAY_SIZE(places));
	tcase_add_loop_test(tc, test_manager, 0, ARRAY_SIZE(managers));
	tcase_add_test(tc, test_manager_block);
	tcase_add_test(tc, test_manager_user);
	tcase_add_test(tc, test_manager_span);
	tcase_add_loop_test(tc, test_home, 0, ARRAY_SIZE(homes));
	tcase_add_loop_test(tc, test_append, 0, ARRAY_SIZE(appends));
	tcase_add_loop_test(tc, test_append_awkward, 0,
	                    ARRAY_SIZE(holders) * ARRAY_SIZE(awkward));
	tcase_add_test(tc, test_prefix_folders);
	tcase_add_test(tc, test_spans);
	n_nodes = scandir(getenv("NODES"), &nodes, is_node, alphasort);
	tc = kr_test_case(suite, "nodes", NULL, NULL);
	tcase_add_loop_test(tc, test_node, 0, n_nodes > 0 ? n_nodes : 1);
}

KR_TEST_MAIN(add_tests);
