/* SPDX-License-Identifier: Apache-2.0 */

/*
 * plan: the edits, as the files they make; what is refused; and a proof that
 * does not believe an edit.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/plan.h"
#include "policy/proof.h"
#include "testing-node.h"
#include "testing.h"

#define GVK                                                                    \
	"{\"kind\":\"KubeletConfiguration\","                                  \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""
#define SET(v)      GVK ",\"makeIPTablesUtilChains\":" v "}\n"
#define EMPTY       GVK "}\n"
#define FLAG        "--make-iptables-util-chains"
#define UNIT        "/etc/systemd/system/kubelet.service"
#define DROPIN      "/etc/systemd/system/kubelet.service.d/10-a.conf"
#define VENDOR      "/usr/lib/systemd/system/kubelet.service"
#define OVERRIDE    "/etc/systemd/system/kubelet.service.d/90-kubelet-remedy.conf"
#define ENV         "/etc/default/kubelet"
#define CONFIG      "/etc/kubelet.json"
#define EXEC        "[Service]\nExecStart=/usr/bin/kubelet "
#define ARGS        EXEC "$KUBELET_ARGS\n"
#define WITH_ENV    EXEC "$KUBELET_ARGS\nEnvironmentFile=" ENV "\n"
#define WITH_CONFIG EXEC C " $KUBELET_ARGS\n"

struct change {
	const char *path;
	const char *before; /* NULL: it is not there */
	const char *after;  /* NULL: it stays; "*": whatever */
};

struct row {
	const char *name;
	enum kr_method method;
	bool explicit_wanted;
	struct change files[5];
	int want;
	const char *code; /* of a refusal */
	const char *argv; /* after it, behind argv[0] */
	bool unit_changes;
};

#define CUT(name_, before_, after_, argv_)                                     \
	{                                                                      \
		.name = name_, .argv = argv_, .unit_changes = true,            \
		.method = KR_METHOD_CONFIG, .files = {                         \
			{UNIT, WITH_CONFIG},                                   \
			{CONFIG, SET("true")},                                 \
			{DROPIN, before_, after_},                             \
		}                                                              \
	}
#define CUT_ENV(name_, before_, after_, argv_)                                 \
	{                                                                      \
		.name = name_, .argv = argv_, .method = KR_METHOD_CONFIG,      \
		.files = {                                                     \
			{UNIT, WITH_CONFIG "EnvironmentFile=" ENV "\n"},       \
			{CONFIG, SET("true")},                                 \
			{ENV, before_, after_},                                \
		}                                                              \
	}
#define S "[Service]\n"
#define K "--kubeconfig=/k " /* kubelet needs it for its webhooks */
#define C K "--config=" CONFIG

static const struct row rows[] = {
	/* Environment= */
	CUT("first", S "Environment=\"KUBELET_ARGS=" FLAG "=false --v=2\"\n",
            S "Environment=\"KUBELET_ARGS=--v=2\"\n", C " --v=2"),
	CUT("in the middle",
            S "Environment='KUBELET_ARGS=--v=2 " FLAG "=false --v=3'\n",
            S "Environment='KUBELET_ARGS=--v=2 --v=3'\n", C " --v=2 --v=3"),
	CUT("last", S "Environment='KUBELET_ARGS=--v=2 " FLAG "=f'\n",
            S "Environment='KUBELET_ARGS=--v=2'\n", C " --v=2"),
	CUT("alone", S "Environment=KUBELET_ARGS=" FLAG "=false\n",
            S "Environment=KUBELET_ARGS=\n", C),
	CUT("alone in quotes",
            S "Environment=\"KUBELET_ARGS=" FLAG "=false\"\n",
            S "Environment=\"KUBELET_ARGS=\"\n", C),
	CUT("repeated",
            S "Environment=\"KUBELET_ARGS=" FLAG "=true --v=2 " FLAG
              "=false\"\n",
            S "Environment=\"KUBELET_ARGS=--v=2\"\n", C " --v=2"),
	CUT("repeated side by side",
            S "Environment=\"KUBELET_ARGS=" FLAG " " FLAG "=false --v=2\"\n",
            S "Environment=\"KUBELET_ARGS=--v=2\"\n", C " --v=2"),
	CUT("underscores",
            S "Environment=\"KUBELET_ARGS=--make_iptables_util_chains=false "
              "--v=2\"\n",
            S "Environment=\"KUBELET_ARGS=--v=2\"\n", C " --v=2"),
	CUT("F", S "Environment=\"KUBELET_ARGS=--v=2 " FLAG "=F\"\n",
            S "Environment=\"KUBELET_ARGS=--v=2\"\n", C " --v=2"),
	CUT("a value that kubelet refuses",
            S "Environment=\"KUBELET_ARGS=--v=2 " FLAG "=no\"\n",
            S "Environment=\"KUBELET_ARGS=--v=2\"\n", C " --v=2"),
	CUT("on a line that goes on",
            S "Environment=\"KUBELET_ARGS=--v=2 \\\n  " FLAG "=false \\\n"
              "  --max-pods=9\"\n",
            S "Environment=\"KUBELET_ARGS=--v=2 \\\n  --max-pods=9\"\n",
            C " --v=2 --max-pods=9"),
	CUT("other assignments stay",
            S "Environment=A=b \"KUBELET_ARGS=--v=2 " FLAG "=false\" C=d\n",
            S "Environment=A=b \"KUBELET_ARGS=--v=2\" C=d\n", C " --v=2"),
	CUT("CRLF is part of the line",
            S "Environment=\"KUBELET_ARGS=" FLAG "=false --v=2\"\n# end\r\n",
            S "Environment=\"KUBELET_ARGS=--v=2\"\n# end\r\n", C " --v=2"),
	CUT("no final newline",
            S "Environment=\"KUBELET_ARGS=--v=2 " FLAG "=false\"",
            S "Environment=\"KUBELET_ARGS=--v=2\"", C " --v=2"),
	{.name = "kubelet's configuration among the drop-ins",
         .files = {{UNIT, EXEC K "--config=" DROPIN "\n"},
                   {DROPIN, SET("false"), SET("true")}},
         .argv = K "--config=" DROPIN,
         .unit_changes = true},
	/* EnvironmentFile= */
	CUT_ENV("a file: not quoted",
                "# mine\nKUBELET_ARGS=--v=2 " FLAG "=false\n",
                "# mine\nKUBELET_ARGS=--v=2\n", C " --v=2"),
	CUT_ENV("a file: quoted", "KUBELET_ARGS=\"" FLAG "=false --v=2\"\n",
                "KUBELET_ARGS=\"--v=2\"\n", C " --v=2"),
	CUT_ENV("a file: alone", "KUBELET_ARGS=" FLAG "=false\n",
                "KUBELET_ARGS=\n", C),
	CUT_ENV("a file: several lines",
                "KUBELET_ARGS=\"--v=2 \\\n" FLAG "=false \\\n"
                "--max-pods=9\"\nB=c\n",
                "KUBELET_ARGS=\"--v=2 \\\n--max-pods=9\"\nB=c\n",
                C " --v=2 --max-pods=9"),
	CUT_ENV("a file: an assignment that is shadowed stays",
                "KUBELET_ARGS=" FLAG "=false\nKUBELET_ARGS=\"--v=2 " FLAG
                "=false\"\n",
                "KUBELET_ARGS=" FLAG "=false\nKUBELET_ARGS=\"--v=2\"\n",
                C " --v=2"),
	/* ExecStart= */
	{.name = "the command: last",
         .files = {{UNIT, EXEC C " " FLAG "=false\n", EXEC C "\n"},
                   {CONFIG, SET("true")}},
         .argv = C,
         .unit_changes = true},
	{.name = "the command: first, on its own line",
         .files = {{UNIT, EXEC "\\\n  " FLAG "=false \\\n  " C "\n",
                    EXEC "\\\n  " C "\n"},
                   {CONFIG, SET("true")}},
         .argv = C,
         .unit_changes = true},
	{.name = "the command: quoted",
         .files = {{UNIT, EXEC C " \"" FLAG "=false\" --v=2\n",
                    EXEC C " --v=2\n"},
                   {CONFIG, SET("true")}},
         .argv = C " --v=2",
         .unit_changes = true},
	{.name = "the command and a variable",
         .files = {{UNIT, EXEC FLAG "=false " C " $KUBELET_ARGS\n",
                    EXEC C " $KUBELET_ARGS\n"},
                   {DROPIN,
                    S "Environment='KUBELET_ARGS=" FLAG "=false --v=2'\n",
                    S "Environment='KUBELET_ARGS=--v=2'\n"},
                   {CONFIG, SET("true")}},
         .argv = C " --v=2",
         .unit_changes = true},
	/* the key */
	{.name = "false becomes true",
         .files = {{UNIT, EXEC C "\n"}, {CONFIG, SET("false"), SET("true")}},
         .argv = C},
	{.name = "the key and the flag",
         .files = {{UNIT, EXEC C " $KUBELET_ARGS\n"},
                   {DROPIN, S "Environment='KUBELET_ARGS=" FLAG "=false'\n",
                    S "Environment='KUBELET_ARGS='\n"},
                   {CONFIG, SET("false"), SET("true")}},
         .argv = C,
         .unit_changes = true},
	{.name = "a key of a wrong type",
         .files = {{UNIT, EXEC C "\n"},
                   {CONFIG, SET("\"false\""), SET("true")}},
         .argv = C},
	{.name = "the drop-in that decides",
         .files = {{UNIT, EXEC C " --config-dir=/etc/k.d\n"},
                   {CONFIG, SET("true")},
                   {"/etc/k.d/1.conf", SET("false"), SET("true")},
                   {"/etc/k.d/2.conf", EMPTY}},
         .argv = C " --config-dir=/etc/k.d"},
	/* nothing to do */
	{.name = "true by default",
         .files = {{UNIT, EXEC C "\n"}, {CONFIG, EMPTY}}},
	{.name = "true by the flag, the key says false",
         .files = {{UNIT, EXEC C " " FLAG "\n"}, {CONFIG, SET("false")}}},
	{.name = "explicit: the key is added",
         .explicit_wanted = true,
         .files = {{UNIT, EXEC C "\n"}, {CONFIG, EMPTY, SET("true")}},
         .argv = C},
	{.name = "explicit, and it is",
         .explicit_wanted = true,
         .files = {{UNIT, EXEC C "\n"}, {CONFIG, SET("true")}}},
	/* the flag method */
	{.name = "flag: at the end of the variable",
         .method = KR_METHOD_FLAG,
         .files = {{UNIT, WITH_CONFIG},
                   {DROPIN,
                    S "Environment='KUBELET_ARGS=" FLAG "=false --v=2'\n",
                    S "Environment='KUBELET_ARGS=--v=2 " FLAG "=true'\n"},
                   {CONFIG, SET("false")}},
         .argv = C " --v=2 " FLAG "=true",
         .unit_changes = true},
	{.name = "flag: the config file stays as it is",
         .method = KR_METHOD_FLAG,
         .files = {{UNIT, WITH_CONFIG},
                   {DROPIN, S "Environment='KUBELET_ARGS=--v=2'\n",
                    S "Environment='KUBELET_ARGS=--v=2 " FLAG "=true'\n"},
                   {CONFIG, SET("false")}},
         .argv = C " --v=2 " FLAG "=true",
         .unit_changes = true},
	{.name = "flag: in an environment file",
         .files = {{UNIT, WITH_ENV},
                   {ENV, "KUBELET_ARGS=\"--v=2 " FLAG "=false\"\n",
                    "KUBELET_ARGS=\"--v=2 " FLAG "=true\"\n"}},
         .argv = "--v=2 " FLAG "=true"},
	{.name = "flag: a command without a variable",
         .files = {{UNIT, EXEC FLAG "=false --v=2\n",
                    EXEC "--v=2 " FLAG "=true\n"}},
         .argv = "--v=2 " FLAG "=true",
         .unit_changes = true},
	/* refused */
	{.name = "config, but there is no config file",
         .method = KR_METHOD_CONFIG,
         .files = {{UNIT, EXEC FLAG "=false\n"}},
         .want = KR_REFUSED,
         .code = "no-config-file"},
	{.name = "the flag in a vendor's unit is overridden",
         .method = KR_METHOD_CONFIG,
         .files = {{VENDOR, EXEC C " " FLAG "=false\n"},
                   {CONFIG, SET("true")},
                   {OVERRIDE, NULL, "*"}},
         .argv = C,
         .unit_changes = true},
	/* whose name is an alias: no folder of drop-ins is there yet */
	{.name = "the administrator's alias of a vendor's unit",
         .files = {{UNIT, EXEC C " " FLAG "=false\n"},
                   {"=" UNIT, "/usr/lib/systemd/system/k8s-kubelet.service"},
                   {CONFIG, SET("true")},
                   {OVERRIDE, NULL, "*"}},
         .argv = C,
         .unit_changes = true},
	{.name = "a vendor's alias, and a drop-in by the unit's own name",
         .files = {{VENDOR, EXEC C " $A\n"},
                   {"=" VENDOR, "/usr/lib/systemd/system/kubelet-1.30.service"},
                   {"/usr/lib/systemd/system/kubelet-1.30.service.d/a.conf",
                    S "Environment=A=" FLAG "=false\n"},
                   {CONFIG, SET("true")},
                   {OVERRIDE, NULL, "*"}},
         .argv = C " " FLAG "=false " FLAG "=true",
         .unit_changes = true},
/* a vendor's drop-in whose name sorts behind ours */
#define LATE(name_, theirs_, ours_)                                            \
	{                                                                      \
		.name = "a vendor's " name_, .argv = C, .unit_changes = true,  \
		.files = {                                                     \
			{VENDOR, EXEC "--v=1\n"},                              \
			{VENDOR ".d/" theirs_,                                 \
			 S "ExecStart=\nExecStart=/usr/bin/kubelet " C         \
			   " " FLAG "=false\n"},                               \
			{CONFIG, SET("true")},                                 \
			{UNIT ".d/" ours_, NULL, "*"},                         \
		}                                                              \
	}
	LATE("early one", "05-override.conf", "90-kubelet-remedy.conf"),
	LATE("letter", "override.conf", "zz-kubelet-remedy.conf"),
	LATE("capital", "Zone.conf", "zz-kubelet-remedy.conf"),
	LATE("higher number", "99-last.conf", "zz-kubelet-remedy.conf"),
	LATE("number that begins with ours", "90-vendor.conf",
             "zz-kubelet-remedy.conf"),
	LATE("longer number", "900.conf", "zz-kubelet-remedy.conf"),
	LATE("own 90-kubelet-remedy.conf", "90-kubelet-remedy.conf",
             "zz-kubelet-remedy.conf"),
	LATE("last letters", "zz-vendor.conf", "zz-vendor.kubelet-remedy.conf"),
	LATE("name in UTF-8", "\xc3\xa9.conf", "\xc3\xa9.kubelet-remedy.conf"),
	LATE("tilde", "~.conf", "~.kubelet-remedy.conf"),
	LATE("name with blanks", "zzz last one.conf",
             "zzz last one.kubelet-remedy.conf"),
	{.name = "a vendor's late drop-in that has no command",
         .files = {{VENDOR, EXEC C " " FLAG "=false\n"},
                   {VENDOR ".d/zz.conf", S "Restart=always\n"},
                   {CONFIG, SET("true")},
                   {OVERRIDE, NULL, "*"}},
         .argv = C,
         .unit_changes = true},
	{.name = "a vendor's late drop-in with the flag in a variable",
         .files = {{VENDOR, EXEC C " $A\n"},
                   {VENDOR ".d/zz.conf", S "Environment=A=" FLAG "=false\n"},
                   {CONFIG, SET("true")},
                   {OVERRIDE, NULL, "*"}},
         .argv = C " " FLAG "=false " FLAG "=true",
         .unit_changes = true},
	{.name = "two late drop-ins of a vendor, the last one counts",
         .files = {{VENDOR, EXEC C "\n"},
                   {VENDOR ".d/m.conf",
                    S "ExecStart=\nExecStart=/usr/bin/kubelet --v=3\n"},
                   {VENDOR ".d/zzz.conf",
                    S "ExecStart=\nExecStart=/usr/bin/kubelet " C " " FLAG
                      "=false\n"},
                   {CONFIG, SET("true")},
                   {UNIT ".d/zzz.kubelet-remedy.conf", NULL, "*"}},
         .argv = C,
         .unit_changes = true},
	{.name = "a generator's late drop-in",
         .files = {{UNIT, EXEC C "\n"},
                   {"/run/systemd/generator/kubelet.service.d/y.conf",
                    S "ExecStart=\nExecStart=/usr/bin/kubelet " C " " FLAG
                      "=false\n"},
                   {CONFIG, SET("true")},
                   {UNIT ".d/zz-kubelet-remedy.conf", NULL, "*"}},
         .argv = C,
         .unit_changes = true},
	{.name = "ours is out of date and hidden by a late one",
         .files = {{VENDOR, EXEC C "\n"},
                   {OVERRIDE,
                    S "ExecStart=\nExecStart=/usr/bin/kubelet " C "\n"},
                   {VENDOR ".d/override.conf",
                    S "ExecStart=\nExecStart=/usr/bin/kubelet " C " " FLAG
                      "=false\n"},
                   {CONFIG, SET("true")},
                   {UNIT ".d/zz-kubelet-remedy.conf", NULL, "*"}},
         .argv = C,
         .unit_changes = true},
	{.name = "an administrator's late drop-in is edited",
         .files = {{VENDOR, EXEC C "\n"},
                   {UNIT ".d/zz.conf",
                    S "ExecStart=\nExecStart=/usr/bin/kubelet " C " " FLAG
                      "=false\n",
                    S "ExecStart=\nExecStart=/usr/bin/kubelet " C "\n"},
                   {CONFIG, SET("true")}},
         .argv = C,
         .unit_changes = true},
	{.name = "a link into the vendor's folder",
         .files = {{VENDOR, EXEC C "\n"},
                   {CONFIG, SET("false"), NULL},
                   {"@" CONFIG, "/usr/share/kubelet.json"}},
         .want = KR_REFUSED,
         .code = "file-not-ours"},
	{.name = "a link into the Nix store",
         .files = {{UNIT, EXEC C "\n"},
                   {CONFIG, SET("false"), NULL},
                   {"@" CONFIG, "/nix/store/d-kubelet.json"}},
         .want = KR_REFUSED,
         .code = "file-of-a-store"},
	{.name = "a link into the Guix store",
         .files = {{UNIT, EXEC C "\n"},
                   {CONFIG, SET("false"), NULL},
                   {"@" CONFIG, "/gnu/store/d-kubelet.json"}},
         .want = KR_REFUSED,
         .code = "file-of-a-store"},
	{.name = "in a snap",
         .files = {{UNIT, EXEC K "--config=/snap/k/1/k.json\n"},
                   {"/snap/k/1/k.json", SET("false")}},
         .want = KR_REFUSED,
         .code = "file-not-ours"},
	{.name = "in a snap of Fedora's",
         .files = {{UNIT, EXEC C "\n"},
                   {CONFIG, SET("false"), NULL},
                   {"@" CONFIG, "/var/lib/snapd/snap/k/1/k.json"}},
         .want = KR_REFUSED,
         .code = "file-not-ours"},
	{.name = "in an ostree deployment",
         .files = {{UNIT, EXEC C "\n"},
                   {CONFIG, SET("false"), NULL},
                   {"@" CONFIG, "/sysroot/ostree/deploy/x/k.json"}},
         .want = KR_REFUSED,
         .code = "file-not-ours"},
	{.name = "in /ostree",
         .files = {{UNIT, EXEC K "--config=/ostree/k.json\n"},
                   {"/ostree/k.json", SET("false")}},
         .want = KR_REFUSED,
         .code = "file-not-ours"},
	{.name = "a folder that only begins like the store",
         .files = {{UNIT, EXEC K "--config=/nix/store2/k.json\n"},
                   {"/nix/store2/k.json", SET("false"), SET("true")}},
         .argv = K "--config=/nix/store2/k.json"},
	{.name = "what a snap writes is no file of the snap's",
         .files = {{UNIT, EXEC K "--config=/var/snap/k/1/k.json\n"},
                   {"/var/snap/k/1/k.json", SET("false"), SET("true")}},
         .argv = K "--config=/var/snap/k/1/k.json"},
	{.name = "by a flag, where the command is in the Nix store",
         .method = KR_METHOD_FLAG,
         .files = {{UNIT, EXEC C "\n", NULL},
                   {CONFIG, SET("false")},
                   {"=" UNIT, "/nix/store/u-kubelet.service"}},
         .want = KR_REFUSED,
         .code = "file-of-a-store"},
	{.name = "a word whose value is a variable's",
         .files = {{UNIT, EXEC C " " FLAG "=${WANT}\n", EXEC C "\n"},
                   {DROPIN, S "Environment=WANT=false\n"},
                   {CONFIG, SET("true")}},
         .argv = C,
         .unit_changes = true},
	{.name = "a word that is a variable's whole value",
         .files = {{UNIT, EXEC C " ${ALL}\n", EXEC C "\n"},
                   {DROPIN, S "Environment=ALL=" FLAG "=false\n"},
                   {CONFIG, SET("true")}},
         .argv = C,
         .unit_changes = true},
	{.name = "another flag is refused by kubelet",
         .files = {{UNIT, EXEC C " --max-pods=x " FLAG "=false\n"},
                   {CONFIG, SET("true")}},
         .want = KR_REFUSED,
         .code = "not-by-setting"},
	{.name = "a flag that is not known may have eaten it",
         .files = {{UNIT, EXEC C " --no-such " FLAG "=false\n"},
                   {CONFIG, SET("true")}},
         .want = KR_REFUSED,
         .code = "not-by-setting"},
	{.name = "no JSON",
         .files = {{UNIT, EXEC C "\n"}, {CONFIG, "{"}},
         .want = KR_REFUSED,
         .code = "not-by-setting"},
	{.name = "the config file is missing",
         .files = {{UNIT, EXEC C " " FLAG "=false\n"}},
         .want = KR_REFUSED,
         .code = "not-by-setting"},
	{.name = "a ConfigMap decides",
         .files = {{UNIT, EXEC C " --dynamic-config-dir=/d\n"},
                   {CONFIG, SET("false")}},
         .want = KR_REFUSED,
         .code = "dynamic-config"},
	{.name = "a ConfigMap would decide without the flag",
         .method = KR_METHOD_CONFIG,
         .files = {{UNIT, EXEC C " --dynamic-config-dir=/d " FLAG "=false\n"},
                   {CONFIG, SET("true")}},
         .want = KR_REFUSED,
         .code = "dynamic-config"},
	{.name = "a ConfigMap, and the flag that decides",
         .files = {{UNIT, EXEC C " --dynamic-config-dir=/d " FLAG "=false\n",
                    EXEC C " --dynamic-config-dir=/d " FLAG "=true\n"},
                   {CONFIG, SET("true")}},
         .argv = C " --dynamic-config-dir=/d " FLAG "=true",
         .unit_changes = true},
	{.name = "an empty --dynamic-config-dir is none",
         .files = {{UNIT, EXEC C " --dynamic-config-dir=\n"},
                   {CONFIG, SET("false"), SET("true")}},
         .argv = C " --dynamic-config-dir="},
	{.name = "an operator's node",
         .files = {{UNIT, EXEC C "\n"},
                   {CONFIG, SET("false")},
                   {"/etc/machine-config-daemon/currentconfig", "{}"}},
         .want = KR_REFUSED,
         .code = "platform"},
	{.name = "Bottlerocket",
         .files = {{UNIT, EXEC C "\n"},
                   {CONFIG, SET("false")},
                   {"/etc/os-release", "NAME=x\nID=\"bottlerocket\"\n"}},
         .want = KR_REFUSED,
         .code = "platform"},
	{.name = "a name that only begins so",
         .files = {{UNIT, EXEC C "\n"},
                   {CONFIG, SET("false"), SET("true")},
                   {"/etc/os-release", "ID=talosx\nVERSION_ID=talos\n"}},
         .argv = C},
	{.name = "no unit", .want = KR_NOTHING_YET},
	{.name = "an environment file that is not there yet",
         .files = {{UNIT, WITH_ENV}},
         .want = KR_NOTHING_YET},
};

/* The file at PATH goes to TARGET, and a link to it stands there. */
static void move_behind_link(const char *path, const char *target)
{
	char folder[256];

	strlcpy(folder, target, sizeof(folder));
	*strrchr(folder, '/') = '\0';
	if (faccessat(kr_root_fd, folder + 1, F_OK, 0) < 0)
		kr_root_mkdir(folder);
	ck_assert_int_eq(renameat(kr_root_fd, path + 1, kr_root_fd, target + 1),
	                 0);
	kr_root_symlink(target, path);
}

/* "@PATH" is a link to the path BEFORE, where the key is false; "=PATH", which
 * a row above makes, is moved to BEFORE and a link to it. */
static void make_files(const struct row *row)
{
	kr_root_write("/usr/bin/kubelet", "");
	for (size_t i = 0; i < 5 && row->files[i].path; i++) {
		const struct change *f = &row->files[i];

		if (*f->path == '=') {
			move_behind_link(f->path + 1, f->before);
		} else if (*f->path == '@') {
			kr_root_write(f->before, SET("false"));
			unlinkat(kr_root_fd, f->path + 2, 0);
			kr_root_symlink(f->before, f->path + 1);
		} else if (f->before) {
			kr_root_write(f->path, f->before);
		}
	}
}

/* All edits are in files of the row, which become what it says. */
static void check_files(const struct row *row, const struct kr_plan *plan)
{
	size_t n_changed = 0;

	for (size_t i = 0; i < 5 && row->files[i].path; i++) {
		const struct change *f = &row->files[i];
		_cleanup_free_ char *after = NULL;
		size_t size, k = 0;

		while (k < plan->edits.n_files &&
		       strcmp(plan->edits.files[k].path, f->path) != 0)
			k++;
		ck_assert_msg((k < plan->edits.n_files) == (f->after != NULL),
		              "%s: %s", row->name, f->path);
		if (!f->after)
			continue;
		n_changed++;
		ck_assert_int_eq(kr_file_edits_apply(&plan->edits.files[k],
		                                     &after, &size),
		                 0);
		ck_assert_msg(*f->after == '*' || strcmp(after, f->after) == 0,
		              "%s: %s becomes\n%s\nwanted\n%s", row->name,
		              f->path, after, f->after);
	}
	ck_assert_msg(plan->edits.n_files == n_changed,
	              "%s: other files are edited", row->name);
}

static void check_argv(const struct row *row, const struct kr_plan *plan)
{
	const struct kr_inputs *in =
		plan->after ? &plan->after->disk.inputs : NULL;
	char got[512] = "";

	for (size_t i = 1; in && i < in->argc; i++) {
		strcat(got, i > 1 ? " " : "");
		strcat(got, in->argv[i]);
	}
	ck_assert_msg(strcmp(got, row->argv ? row->argv : "") == 0,
	              "%s: argv '%s'", row->name, got);
}

static int make_plan(const struct row *row, struct kr_diag *diag,
                     struct kr_node **ret_node, struct kr_plan **ret)
{
	const struct kr_audit_options options = {
		.explicit_wanted = row->explicit_wanted,
		.live = KR_STATE_ABSENT,
	};
	const struct kr_plan_options how = {
		.method = row->method,
		.explicit_wanted = row->explicit_wanted,
	};
	_cleanup_audit_ struct kr_audit *audit = NULL;
	struct kr_diag found = {0};
	int r;

	make_files(row);
	*ret_node = kr_test_node(NULL, &found);
	ck_assert_int_eq(kr_audit_run(*ret_node, &kr_rules_usual, &options,
	                              &found, &audit),
	                 0);
	kr_diag_done(&found);
	r = kr_plan_make(*ret_node, audit, &how, diag, ret);
	return r;
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_plan_ struct kr_plan *plan = NULL;
	int r = make_plan(row, &diag, &node, &plan);

	ck_assert_msg(r == row->want, "%s: %d%s", row->name, r,
	              kr_test_messages(&diag));
	if (row->code)
		ck_assert_msg(*row->code == '*'
		                      ? diag.n_messages > 0
		                      : kr_diag_find(&diag, row->code) != NULL,
		              "%s:%s", row->name, kr_test_messages(&diag));
	if (r < 0) {
		ck_assert(!plan || plan->edits.n_files == 0);
		return;
	}
	check_files(row, plan);
	check_argv(row, plan);
	ck_assert_msg(plan->unit_changes == row->unit_changes, "%s: a reload",
	              row->name);
	ck_assert_msg(!plan->audit == (plan->edits.n_files == 0), "%s: proof",
	              row->name);
}
END_TEST

/* --- a unit in the Nix store ---------------------------------------------- */

#define NIX_UNIT "/nix/store/u-kubelet.service/kubelet.service"

static const struct {
	const char *name, *exec;
	const char *units; /* what /etc/systemd/system is a link to; NULL */
	const char *env;   /* the environment file; NULL: none */
	int want;
	const char *edited; /* the only file that is; NULL: none */
} stores[] = {
	{"NixOS", C " " FLAG "=false", "/etc/static/systemd/system", NULL,
         KR_REFUSED, NULL},
	{"NixOS, all of /etc in the store", C " " FLAG "=false",
         "/nix/store/e-etc/systemd/system", NULL, KR_REFUSED, NULL},
	{"a variable of the administrator's comes later",
         C " " FLAG "=false $A", "/etc/static/systemd/system", "A=--v=2\n", 0,
         ENV},
	{"the flag is the administrator's", C " $A",
         "/etc/static/systemd/system", "A=" FLAG "=false\n", 0, ENV},
	{"another system, where a drop-in is read", C " " FLAG "=false", NULL,
         NULL, 0, OVERRIDE},
};

START_TEST(test_store)
{
	static const struct row row = {.method = KR_METHOD_CONFIG};
	const char *units = stores[_i].units;
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_plan_ struct kr_plan *plan = NULL;
	char text[512];
	int r;

	if (units) {
		kr_root_mkdir(units);
		kr_root_mkdir("/etc/systemd");
		kr_root_symlink(units, "/etc/systemd/system");
	} else {
		kr_root_mkdir("/etc/systemd/system");
	}
	snprintf(text, sizeof(text), EXEC "%s\n%s", stores[_i].exec,
	         stores[_i].env ? "EnvironmentFile=" ENV "\n" : "");
	kr_root_write(NIX_UNIT, text);
	snprintf(text, sizeof(text), "%s/kubelet.service",
	         units ? units : "/etc/systemd/system");
	kr_root_symlink(NIX_UNIT, text);
	kr_root_write(CONFIG, SET("true"));
	if (stores[_i].env)
		kr_root_write(ENV, stores[_i].env);
	r = make_plan(&row, &diag, &node, &plan);
	ck_assert_msg(r == stores[_i].want, "%s: %d%s", stores[_i].name, r,
	              kr_test_messages(&diag));
	if (r == 0) {
		ck_assert_uint_eq(plan->edits.n_files, 1);
		ck_assert_str_eq(plan->edits.files[0].path, stores[_i].edited);
		return;
	}
	ck_assert_ptr_nonnull(kr_diag_find(&diag, "file-of-a-store"));
	ck_assert_ptr_nonnull(
		strstr(kr_test_messages(&diag), "services.kubernetes.kubelet"));
}
END_TEST

/* --- a drop-in of ours that is out of date ---------------------------------
 */

static const struct {
	const char *name, *file;
	bool warns;
} copies[] = {
	{"the common name", "90-kubelet-remedy.conf", true},
	{"behind a letter", "zz-kubelet-remedy.conf", true},
	{"behind the vendor's name", "zzz.kubelet-remedy.conf", true},
	{"of somebody else", "90-kubelet.conf", false},
};

START_TEST(test_out_of_date)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	char path[256];

	kr_root_write("/usr/bin/kubelet", "");
	kr_root_write(VENDOR, EXEC "--v=3\n");
	snprintf(path, sizeof(path), "%s.d/%s", UNIT, copies[_i].file);
	kr_root_write(path, "# Vendor file: " VENDOR "\n# SHA-256: 00\n"
	                    "[Service]\nExecStart=\n"
	                    "ExecStart=/usr/bin/kubelet --v=2\n");
	node = kr_test_node(NULL, &diag);
	ck_assert_msg(copies[_i].warns ==
	                      (kr_diag_find(&diag, "vendor-changed") != NULL),
	              "%s:%s", copies[_i].name, kr_test_messages(&diag));
}
END_TEST

/* --- a proof that is lied to --------------------------------------------- */

static void replace(struct kr_node *node, struct kr_plan *plan,
                    const char *path, const char *cut, const char *text)
{
	const struct kr_file *file;
	struct kr_span span;
	const char *at;

	ck_assert_int_eq(kr_fs_read(node->fs, path, &file), 0);
	at = strstr(file->data, cut);
	ck_assert_ptr_nonnull(at);
	span = (struct kr_span){file, (size_t)(at - file->data), strlen(cut)};
	ck_assert_int_eq(kr_edits_add(&plan->edits, span, text), 0);
}

static const struct {
	const char *name;
	const char *path;
	const char *cut, *text; /* what is replaced there, and by what */
	const char *says;
} lies[] = {
	{"the flag stays", ENV, "--v=2", "", "true"},
	{"a neighbour goes with it", ENV, " --v=2 " FLAG "=false", "",
         "take away"},
	{"a neighbour is changed", ENV, "2 " FLAG "=false", "3",
         "would change"},
	{"a word is added", ENV, FLAG "=false", "--max-pods=3", "add"},
	{"the key is broken", CONFIG, ":true", ":", "true"},
	{"it is true by another flag's help", ENV, FLAG "=false", FLAG,
         "1 times"},
};

START_TEST(test_lies)
{
	const struct row row = {
		.files = {{UNIT,
	                   EXEC C " $KUBELET_ARGS\nEnvironmentFile=" ENV "\n"},
	                  {ENV,
	                   "KUBELET_ARGS=--max-pods=9 --v=2 " FLAG "=false\n"},
	                  {CONFIG, SET("true")}}};
	_cleanup_diag_ struct kr_diag diag = {0}, found = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_plan_ struct kr_plan *plan = calloc(1, sizeof(*plan));
	int r;

	make_files(&row);
	node = kr_test_node(NULL, &found);
	replace(node, plan, lies[_i].path, lies[_i].cut, lies[_i].text);
	plan->method = KR_METHOD_CONFIG;
	r = kr_proof_run(node, kr_rules_usual.items[0], plan, false, &diag);
	ck_assert_msg(r == KR_REFUSED, "%s: %d", lies[_i].name, r);
	ck_assert_msg(strstr(kr_test_messages(&diag), lies[_i].says), "%s:%s",
	              lies[_i].name, kr_test_messages(&diag));
}
END_TEST

/* The whole of the plan stands the same proof, so that a lie is what fails. */
START_TEST(test_truth)
{
	const struct row row = {
		.method = KR_METHOD_CONFIG,
		.files = {{UNIT, WITH_CONFIG},
	                  {DROPIN, S "Environment='KUBELET_ARGS=" FLAG "=0'\n"},
	                  {CONFIG, SET("false")}}};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_plan_ struct kr_plan *plan = NULL;
	_cleanup_plan_ struct kr_plan *again = calloc(1, sizeof(*again));

	ck_assert_int_eq(make_plan(&row, &diag, &node, &plan), 0);
	again->method = plan->method;
	for (size_t i = 0; i < plan->edits.n_files; i++) {
		const struct kr_file_edits *f = &plan->edits.files[i];

		for (size_t k = 0; k < f->n_edits; k++) {
			struct kr_span span = {f->file, f->edits[k].offset,
			                       f->edits[k].length};

			ck_assert_int_eq(kr_edits_add(&again->edits, span,
			                              f->edits[k].text),
			                 0);
		}
	}
	ck_assert_int_eq(kr_proof_run(node, kr_rules_usual.items[0], again,
	                              false, &diag),
	                 0);
	ck_assert_int_eq(again->audit->items[0].disk.state, KR_STATE_TRUE);
}
END_TEST

/* --- order --------------------------------------------------------------- */

static int badness(enum kr_state state)
{
	return state == KR_STATE_TRUE      ? 0
	       : state == KR_STATE_FALSE   ? 1
	       : state == KR_STATE_INVALID ? 3
	                                   : 2;
}

static const struct row orders[] = {
	{.name = "a flag that is true over a key that is false",
         .method = KR_METHOD_CONFIG,
         .explicit_wanted = true,
         .files = {{UNIT, WITH_CONFIG},
                   {DROPIN, S "Environment='KUBELET_ARGS=" FLAG "=false'\n"},
                   {CONFIG, SET("false")}}},
	{.name = "an invalid flag in one of two files",
         .method = KR_METHOD_CONFIG,
         .files = {{UNIT, EXEC C " " FLAG "=x $KUBELET_ARGS\n"},
                   {DROPIN, S "Environment='KUBELET_ARGS=" FLAG "=false'\n"},
                   {CONFIG, SET("false")}}},
	{.name = "true and false flags in two files",
         .method = KR_METHOD_CONFIG,
         .files = {{UNIT, EXEC C " " FLAG "=false $KUBELET_ARGS\n"},
                   {DROPIN, S "Environment='KUBELET_ARGS=" FLAG "=false'\n"},
                   {CONFIG, SET("\"x\"")}}},
	{.name = "the flag goes over to the variable",
         .method = KR_METHOD_FLAG,
         .files = {{UNIT, EXEC FLAG "=false $KUBELET_ARGS\n"},
                   {DROPIN, S "Environment='KUBELET_ARGS=--v=2'\n"}}},
};

static enum kr_state state_of(const struct kr_node *node)
{
	_cleanup_decision_ struct kr_decision d = {0};

	ck_assert_int_eq(kr_node_decide(node, KR_FIELD_IPTABLES, &d), 0);
	return d.state;
}

START_TEST(test_order)
{
	const struct row *row = &orders[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_plan_ struct kr_plan *plan = NULL;
	int limit;

	ck_assert_msg(make_plan(row, &diag, &node, &plan) == 0, "%s:%s",
	              row->name, kr_test_messages(&diag));
	ck_assert_uint_ge(plan->edits.n_files, 2);
	limit = badness(state_of(node));
	for (size_t n = 1; n <= plan->edits.n_files; n++) {
		const struct kr_edits prefix = {plan->edits.files, n};
		_cleanup_node_ struct kr_node *between = NULL;

		ck_assert_int_eq(
			kr_node_with_edits(node, &prefix, NULL, &between), 0);
		ck_assert_msg(badness(state_of(between)) <= limit,
		              "%s: %s after %zu files", row->name,
		              kr_state_to_string(state_of(between)), n);
	}
}
END_TEST

/* Edits that break the file in between must not go first, or not at all. */
static const struct {
	const char *name;
	const char *env; /* what the flag's value becomes */
	int want;
	const char *first;
} by_hand[] = {
	{"the other way round is possible", "true", 0, ENV},
	{"no way is", "x", KR_REFUSED, NULL},
};

START_TEST(test_order_by_hand)
{
	const struct row row = {
		.files = {{UNIT,
	                   EXEC C " $KUBELET_ARGS\nEnvironmentFile=" ENV "\n"},
	                  {ENV, "KUBELET_ARGS=" FLAG "=false\n"},
	                  {CONFIG, SET("true")}}};
	_cleanup_diag_ struct kr_diag diag = {0}, found = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_plan_ struct kr_plan *plan = calloc(1, sizeof(*plan));

	make_files(&row);
	node = kr_test_node(NULL, &found);
	replace(node, plan, CONFIG, "true", "\"x\"");
	replace(node, plan, ENV, "false", by_hand[_i].env);
	ck_assert_msg(kr_proof_order(node, &kr_rules_usual, plan, &diag) ==
	                      by_hand[_i].want,
	              "%s", by_hand[_i].name);
	if (by_hand[_i].first)
		ck_assert_str_eq(plan->edits.files[0].path, by_hand[_i].first);
	else
		ck_assert_ptr_nonnull(kr_diag_find(&diag, "not-proven"));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rows", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_store, 0, ARRAY_SIZE(stores));
	tcase_add_loop_test(tc, test_out_of_date, 0, ARRAY_SIZE(copies));
	tcase_add_loop_test(tc, test_lies, 0, ARRAY_SIZE(lies));
	tcase_add_test(tc, test_truth);
	tcase_add_loop_test(tc, test_order, 0, ARRAY_SIZE(orders));
	tcase_add_loop_test(tc, test_order_by_hand, 0, ARRAY_SIZE(by_hand));
}

KR_TEST_MAIN(add_tests);
