/* SPDX-License-Identifier: Apache-2.0 */

/* report/text-status: a unit's state in words. */

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "report/text-status.h"
#include "testing.h"

#define AGO(s) (kr_realtime_usec() - (s)*KR_USEC_PER_SEC)

static char text_active[] = "active", text_running[] = "running",
	    text_success[] = "success", text_loaded[] = "loaded",
	    text_path[] = "/etc/k.service", text_none[] = "";

static const struct row {
	const char *name;
	const char *file_state;
	uint64_t memory_bytes, n_tasks, seconds;
	enum kr_health_state health;
	const char *want, *never; /* NULL: not asked */
} rows[] = {
	{"enabled", "enabled", 0, 0, 5, KR_HEALTH_GOOD,
         "loaded (/etc/k.service; enabled)\n", "memory:"},
	{"no unit file", "", 0, 0, 5, KR_HEALTH_GOOD,
         "loaded (/etc/k.service)\n", "tasks:"},
	{"not counted", "", UINT64_MAX, UINT64_MAX, 5, KR_HEALTH_GOOD, NULL,
         "memory:"},
	{"bytes", "", 1023, 1, 5, KR_HEALTH_GOOD,
         "  tasks:    1\n  memory:   1023.0 B\n", NULL},
	{"MiB", "", 56845926, 14, 5, KR_HEALTH_GOOD,
         "  tasks:    14\n  memory:   54.2 MiB\n", NULL},
	{"TiB", "", UINT64_C(1) << 52, 14, 5, KR_HEALTH_GOOD,
         "memory:   4096.0 TiB\n", NULL},
	{"just now", "", 0, 0, 0, KR_HEALTH_GOOD, " s ago\n", NULL},
	{"a minute", "", 0, 0, 60, KR_HEALTH_GOOD, "; 1 min ", NULL},
	{"an hour and a bit", "", 0, 0, 3600 + 5, KR_HEALTH_GOOD, "; 1 h ago\n",
         NULL},
	{"hours", "", 0, 0, 2 * 3600 + 180 + 7, KR_HEALTH_GOOD,
         "; 2 h 3 min ago\n", NULL},
	{"days", "", 0, 0, 40 * 86400 + 3600, KR_HEALTH_GOOD,
         "; 40 d 1 h ago\n", NULL},
	{"the clock went back", "", 0, 0, -(uint64_t)100, KR_HEALTH_GOOD, NULL,
         "ago"},
	{"healthy", "", 0, 0, 5, KR_HEALTH_GOOD, "  healthy:  yes\n", NULL},
	{"unhealthy", "", 0, 0, 5, KR_HEALTH_BAD, "  healthy:  no\n", NULL},
	{"not asked", "", 0, 0, 5, KR_HEALTH_UNASKED, "  healthy:  not asked\n",
         NULL},
};

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	char file_state[16];
	struct kr_loaded_unit unit = {
		.load_state = text_loaded,
		.active_state = text_active,
		.sub_state = text_running,
		.result = text_success,
		.fragment_path = text_path,
		.control_group = text_none,
		.file_state = file_state,
		.main_pid = 812,
		.memory_bytes = row->memory_bytes,
		.n_tasks = row->n_tasks,
		.state_change_usec = AGO(row->seconds),
	};
	struct kr_node node = {.unit_name = (char[]){"k.service"}};
	struct kr_host host = {.node = &node};
	const struct kr_status status = {.host = &host,
	                                 .loaded = &unit,
	                                 .found = true,
	                                 .health.state = row->health};
	struct kr_term term = {0};
	char *text = NULL;
	size_t size;

	strlcpy(file_state, row->file_state, sizeof(file_state));
	term.out = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(term.out);
	kr_text_status(&term, &status);
	fclose(term.out);
	ck_assert_msg(!row->want || strstr(text, row->want), "%s:\n%s",
	              row->name, text);
	ck_assert_msg(!row->never || !strstr(text, row->never), "%s:\n%s",
	              row->name, text);
	free(text);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "report-text-status", NULL, NULL);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
}

KR_TEST_MAIN(add_tests);
