/* SPDX-License-Identifier: Apache-2.0 */

/* node/ec2-instance: an instance's id, and nothing else. */

#include <string.h>

#include "node/ec2-instance.h"
#include "testing.h"

#define DMI   "/sys/devices/virtual/dmi/id/board_asset_tag"
#define CLOUD "/var/lib/cloud/data/instance-id"
#define ID    "i-0123456789abcdef0"
#define OTHER "i-0fedcba9876543210"

static const struct row {
	const char *name, *dmi, *cloud; /* NULL: not there */
	const char *want;
	bool image;
} rows[] = {
	{"Nitro", ID "\n", NULL, ID},
	{"cloud-init", NULL, ID "\n", ID},
	{"the hypervisor is asked first", ID "\n", OTHER "\n", ID},
	{"an old id", "i-12ab34cd\n", NULL, "i-12ab34cd"},
	{"an asset tag of another kind", "To be filled by O.E.M.\n", ID, ID},
	{"another cloud's", NULL, "iid-datasource-none\n", ""},
	{"an image", ID "\n", ID "\n", "", .image = true},
	{"nothing", NULL, NULL, ""},
	{"an empty file", "", "\n", ""},
	{"too short", "i-0123456789abcdef\n", NULL, ""},
	{"too long", ID "0\n", NULL, ""},
	{"upper case", "i-0123456789ABCDEF0\n", NULL, ""},
	{"more lines", ID "\n" ID "\n", NULL, ""},
	{"a blank before", " " ID "\n", NULL, ""},
	{"not hexadecimal", "i-0123456789abcdefg\n", NULL, ""},
};

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	struct kr_node node = {.fs = fs, .live = !row->image};
	char got[KR_EC2_INSTANCE_SIZE] = "x";

	if (row->dmi)
		kr_root_write(DMI, row->dmi);
	if (row->cloud)
		kr_root_write(CLOUD, row->cloud);
	ck_assert_int_eq(kr_ec2_instance(&node, got), 0);
	ck_assert_msg(strcmp(got, row->want) == 0, "%s: '%s'", row->name, got);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "ec2-instance", kr_root_setup,
	                         kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
}

KR_TEST_MAIN(add_tests);
