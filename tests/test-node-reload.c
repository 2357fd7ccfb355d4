/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/reload: does systemd hold another unit than the disk?
 */

#include <stdlib.h>
#include <string.h>

#include "testing-node.h"
#include "testing.h"

#define FRAGMENT "/etc/systemd/system/kubelet.service"
#define DROPINS  "/etc/systemd/system/kubelet.service.d/"

/* What systemd says; every default is what the disk has. */
struct row {
	const char *name;
	bool need; /* its own word */
	uint64_t units_load_usec;
	const char *load;
	const char *fragment;
	const char *dropins[3];
	const char *words[4];
	bool two_commands;
	const char *environment[3];
	const char *files[3];
	const char *why; /* NULL: no reload is needed */
};

#define SAME                                                                   \
	.load = "loaded", .fragment = FRAGMENT,                                \
	.dropins = {DROPINS "10-a.conf", DROPINS "20-b.conf"},                 \
	.words = {"/usr/bin/kubelet", "$KUBELET_ARGS"},                        \
	.environment = {"KUBELET_ARGS=--v=2"}, .files = {"-/etc/default/k"}

#pragma GCC diagnostic ignored "-Woverride-init"

static const struct row rows[] = {
	{.name = "the same", SAME},
	{.name = "its own word", SAME, .need = true, .why = "changed"},
	{.name = "another fragment",
         SAME,
         .fragment = "/usr/lib/systemd/system/kubelet.service",
         .why = "unit file"},
	{.name = "a fragment's other name",
         SAME,
         .fragment = "/link/kubelet.service"},
	{.name = "no fragment", SAME, .fragment = "", .why = "unit file"},
	{.name = "a drop-in less",
         SAME,
         .dropins = {DROPINS "10-a.conf"},
         .why = "drop-ins"},
	{.name = "none at all", SAME, .dropins = {NULL}, .why = "drop-ins"},
	{.name = "a drop-in more",
         SAME,
         .dropins = {DROPINS "10-a.conf", DROPINS "20-b.conf",
                     DROPINS "30-c.conf"},
         .why = "drop-ins"},
	{.name = "a masked drop-in more",
         SAME,
         .dropins = {DROPINS "10-a.conf", DROPINS "15-masked.conf",
                     DROPINS "20-b.conf"}},
	{.name = "a dangling drop-in more",
         SAME,
         .dropins = {DROPINS "10-a.conf", DROPINS "20-b.conf",
                     DROPINS "25-dangling.conf"}},
	{.name = "drop-ins in another order",
         SAME,
         .dropins = {DROPINS "20-b.conf", DROPINS "10-a.conf"},
         .why = "drop-ins"},
	{.name = "another word",
         SAME,
         .words = {"/usr/bin/kubelet", "$OTHER"},
         .why = "ExecStart="},
	{.name = "a word less",
         SAME,
         .words = {"/usr/bin/kubelet"},
         .why = "ExecStart="},
	{.name = "a word more",
         SAME,
         .words = {"/usr/bin/kubelet", "$KUBELET_ARGS", "x"},
         .why = "ExecStart="},
	{.name = "no command", SAME, .words = {NULL}, .why = "ExecStart="},
	{.name = "two commands",
         SAME,
         .two_commands = true,
         .why = "ExecStart="},
	{.name = "another value",
         SAME,
         .environment = {"KUBELET_ARGS=--v=3"},
         .why = "Environment="},
	{.name = "no variable",
         SAME,
         .environment = {NULL},
         .why = "Environment="},
	{.name = "a variable more",
         SAME,
         .environment = {"KUBELET_ARGS=--v=2", "A=b"},
         .why = "Environment="},
	{.name = "an environment file that must be there",
         SAME,
         .files = {"/etc/default/k"},
         .why = "EnvironmentFile="},
	{.name = "no environment file",
         SAME,
         .files = {NULL},
         .why = "EnvironmentFile="},
	{.name = "systemd does not have it",
         .load = "not-found",
         .fragment = "",
         .why = "unit file"},
};

static size_t count(const char *const *list, size_t max)
{
	size_t n = 0;

	while (n < max && list[n])
		n++;
	return n;
}

static char *writable(const char *s)
{
	char *copy = strdup(s);

	ck_assert_ptr_nonnull(copy);
	return copy;
}

static char **copy_list(const char *const *list, size_t max, size_t *ret_n)
{
	char **copy = calloc(max + 1, sizeof(*copy));

	ck_assert_ptr_nonnull(copy);
	for (size_t i = 0; i < count(list, max); i++)
		copy[i] = writable(list[i]);
	if (ret_n)
		*ret_n = count(list, max);
	return copy;
}

static struct kr_loaded_unit *make_loaded(const struct row *row)
{
	struct kr_loaded_unit *u = calloc(1, sizeof(*u));

	ck_assert_ptr_nonnull(u);
	u->load_state = writable(row->load);
	u->fragment_path = writable(row->fragment);
	u->need_daemon_reload = row->need;
	u->units_load_usec = row->units_load_usec;
	u->dropin_paths = copy_list(row->dropins, 3, &u->n_dropin_paths);
	u->environment = copy_list(row->environment, 3, &u->n_environment);
	u->environment_files =
		copy_list(row->files, 3, &u->n_environment_files);
	u->commands = calloc(2, sizeof(*u->commands));
	ck_assert_ptr_nonnull(u->commands);
	if (row->words[0])
		u->commands[u->n_commands++] = copy_list(row->words, 4, NULL);
	if (row->two_commands)
		u->commands[u->n_commands++] = copy_list(row->words, 4, NULL);
	return u;
}

static void make_disk(void)
{
	kr_root_write(FRAGMENT, "[Service]\n"
	                        "ExecStart=/usr/bin/kubelet $KUBELET_ARGS\n"
	                        "EnvironmentFile=-/etc/default/k\n");
	kr_root_write(DROPINS "10-a.conf",
	              "[Service]\nEnvironment=KUBELET_ARGS=--v=2\n");
	kr_root_write(DROPINS "20-b.conf", "[Service]\n");
	kr_root_write("/usr/bin/kubelet", "");
	kr_root_symlink("/etc/systemd/system", "/link");
	kr_root_symlink("/dev/null", DROPINS "15-masked.conf");
	kr_root_symlink("/nowhere", DROPINS "25-dangling.conf");
}

static void check(const struct row *row)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_loaded_unit_ struct kr_loaded_unit *loaded = make_loaded(row);
	_cleanup_node_ struct kr_node *node = kr_test_node(loaded, &diag);
	const char *why = NULL;
	bool got = kr_node_reload_needed(node, &why);

	ck_assert_msg(got == (row->why != NULL), "%s: %s", row->name,
	              why ? why : "no");
	if (row->why)
		ck_assert_msg(strstr(why, row->why), "%s: %s", row->name, why);
}

START_TEST(test_rows)
{
	make_disk();
	check(&rows[_i]);
}
END_TEST

/* Neither systemd nor the disk has it. */
START_TEST(test_neither)
{
	const struct row row = {
		.name = "neither", .load = "not-found", .fragment = ""};

	check(&row);
}
END_TEST

/* An environment file's content is read at each start and does not count. */
START_TEST(test_environment_file)
{
	const struct row row = {.name = "its content", SAME};

	make_disk();
	kr_root_write("/etc/default/k", "KUBELET_ARGS=--v=9\n");
	check(&row);
}
END_TEST

START_TEST(test_no_bus)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;

	make_disk();
	node = kr_test_node(NULL, &diag);
	ck_assert(!kr_node_reload_needed(node, NULL));
}
END_TEST

/* As systemd 252 shows it: the last value, in the first place. */
START_TEST(test_assigned_twice)
{
	const struct row same = {
		.name = "assigned twice",
		SAME,
		.environment = {"KUBELET_ARGS=--v=4", "B=c"},
	};
	struct row other = same;

	other.environment[0] = "KUBELET_ARGS=--v=2";
	other.why = "Environment=";
	make_disk();
	kr_root_write(DROPINS "20-b.conf",
	              "[Service]\nEnvironment=B=c KUBELET_ARGS=--v=3\n"
	              "Environment=KUBELET_ARGS=--v=4\n");
	check(&same);
	check(&other);
}
END_TEST

#define CONFIG                                                                 \
	"apiVersion: kubelet.config.k8s.io/v1beta1\n"                          \
	"kind: KubeletConfiguration\n"

/* A drop-in that is kubelet's configuration, behind the others. */
static const struct row config_rows[] = {
	{.name = "systemd has it",
         SAME,
         .dropins = {DROPINS "10-a.conf", DROPINS "20-b.conf",
                     DROPINS "30-k.conf"}},
	{.name = "systemd has it not", SAME},
	{.name = "a masked one between",
         SAME,
         .dropins = {DROPINS "10-a.conf", DROPINS "20-b.conf",
                     DROPINS "25-dangling.conf"}},
	{.name = "systemd has another one less",
         SAME,
         .dropins = {DROPINS "10-a.conf", DROPINS "30-k.conf"},
         .why = "drop-ins"},
	{.name = "it was edited", SAME, .need = true, .units_load_usec = -1},
	{.name = "others were edited, too",
         SAME,
         .need = true,
         .units_load_usec = 1,
         .why = "changed"},
	{.name = "an old systemd", SAME, .need = true, .why = "changed"},
	{.name = "a word differs",
         SAME,
         .need = true,
         .units_load_usec = -1,
         .words = {"/usr/bin/kubelet"},
         .why = "ExecStart="},
};

START_TEST(test_config)
{
	make_disk();
	kr_root_write(DROPINS "30-k.conf", CONFIG);
	check(&config_rows[_i]);
}
END_TEST

/* Without such a drop-in its own word counts, whenever it read its units. */
START_TEST(test_no_config)
{
	const struct row row = {
		.name = "it was edited",
		SAME,
		.need = true,
		.units_load_usec = -1,
		.why = "changed",
	};

	make_disk();
	check(&row);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rows", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_neither);
	tcase_add_test(tc, test_environment_file);
	tcase_add_test(tc, test_no_bus);
	tcase_add_test(tc, test_assigned_twice);
	tcase_add_loop_test(tc, test_config, 0, ARRAY_SIZE(config_rows));
	tcase_add_test(tc, test_no_config);
}

KR_TEST_MAIN(add_tests);
