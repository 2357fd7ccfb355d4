/* SPDX-License-Identifier: Apache-2.0 */

/*
 * systemd/log-pick: a log is one letter a line, oldest first, and so is what is
 * shown of it.
 *
 *   s t  what the service says, ordinary and trouble   r  a reason
 *   n d  noise, and the first of a dump
 *   M S E  what systemd says: something, a start, an end
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "systemd/log-pick.h"
#include "testing.h"

static enum kr_log_kind classify(const char *line, size_t length)
{
	ck_assert_uint_ge(length, 1);
	switch (line[0]) {
	case 'n':
		return KR_LOG_NOISE;
	case 'd':
		return KR_LOG_DUMP;
	case 't':
		return KR_LOG_TROUBLE;
	case 'r':
		return KR_LOG_REASON;
	default:
		return KR_LOG_ORDINARY;
	}
}

static enum kr_log_from from(char c)
{
	return c == 'M'   ? KR_LOG_FROM_MANAGER
	       : c == 'S' ? KR_LOG_FROM_MANAGER_START
	       : c == 'E' ? KR_LOG_FROM_MANAGER_END
	                  : KR_LOG_FROM_SERVICE;
}

/* Each line's number is its time, to see that they are what was asked for. */
static enum kr_log_step hand_over(struct kr_log_pick *pick, const char *log,
                                  size_t i)
{
	static char identifier[] = "kubelet";
	const struct kr_log_line entry = {
		.realtime_usec = i,
		.identifier = identifier,
		.pid = isupper((unsigned char)log[i]) ? 1 : 7,
	};
	int r = kr_log_pick_add(pick, &entry, from(log[i]), log + i, 1);

	ck_assert_int_ge(r, 0);
	return (enum kr_log_step)r;
}

/* What is shown of LOG, and how many lines were asked for. */
static size_t show(struct kr_log_pick *pick, const char *log,
                   struct kr_log *ret)
{
	size_t i = strlen(log);
	enum kr_log_step step = KR_LOG_GO_ON;

	while (i > 0 && step == KR_LOG_GO_ON)
		step = hand_over(pick, log, --i);
	ck_assert_int_eq(kr_log_pick_finish(pick, ret), 0);
	return strlen(log) - i;
}

static const struct row {
	const char *name;
	const char *log, *want;
	size_t n_max;
	bool last;       /* no classifier */
	bool no_trouble; /* it does not count */
	size_t n_asked;  /* 0: all */
} rows[] = {
	/* without a classifier: the last lines */
	{"the last", "Ssstr", "str", 3, .last = true, .n_asked = 3},
	{"fewer than wanted", "Sr", "Sr", 3, .last = true},
	{"none", "", "", 3, .last = true},
	{"none is wanted", "Ssr", "", 0, .last = true, .n_asked = 1},
	{"noise, too", "Srdnn", "dnn", 3, .last = true, .n_asked = 3},
	/* a reason */
	{"the reason and what follows", "SssrdnnnEM", "rEM", 5, .n_asked = 7},
	{"of two the last", "SrEMSsrEM", "rEM", 5, .n_asked = 3},
	{"noise between", "SsrnsnsnE", "rssE", 5, .n_asked = 7},
	{"the reason is the last line", "Ssr", "r", 5, .n_asked = 3},
	{"nothing but a reason", "r", "r", 5},
	{"nothing but noise", "dnnn", "", 5},
	{"no line", "", "", 5},
	{"one line is wanted", "SsrssEM", "r", 1, .n_asked = 5},
	{"none is wanted, with a reason", "SsrssEM", "", 0, .n_asked = 5},
	{"systemd's lines are not pushed out", "SsrsssssssEM", "rssEM", 5,
         .n_asked = 10},
	{"nor is the reason by them", "SrEMMMMMMMM", "rEMMM", 5, .n_asked = 10},
	{"nor what it says", "SrssssEMMMMMMM", "rssssEMMM", 9, .n_asked = 13},
	{"room for two", "SrsssE", "rE", 2, .n_asked = 5},
	/* systemd was read first */
	{"the end before the reason", "SssEMnnrnn", "rEM", 5, .n_asked = 7},
	{"among the noise", "SsnEnMnrns", "rsEM", 5, .n_asked = 7},
	{"and more behind it", "SsEsMsrM", "rMEM", 5, .n_asked = 6},
	{"and no room for it", "SsEsMsrsssM", "rsMEM", 5, .n_asked = 9},
	{"and even less", "SsEsMsrsssM", "rEM", 3, .n_asked = 9},
	{"and none", "SsEsMsrsssM", "r", 1, .n_asked = 9},
	{"the end of the one before", "ssEMSsr", "r", 5, .n_asked = 3},
	{"there was none", "ssMMsr", "r", 5},
	{"both", "SsEsrsEM", "rsEM", 5, .n_asked = 4},
	/* trouble */
	{"the last trouble", "StsstssEM", "tssEM", 9},
	{"a reason is better", "SrsstssEM", "rsstssEM", 9, .n_asked = 8},
	{"a reason behind it", "StssrsEM", "rsEM", 9, .n_asked = 4},
	{"trouble does not count", "StsssEM", "ssEM", 4, .no_trouble = true},
	{"a reason does all the same", "SrtssEM", "rtEM", 4, .no_trouble = true,
         .n_asked = 6},
	{"trouble, and the end before", "SsEMsts", "tsEM", 9},
	{"what stands before a dump", "StssdnndnE", "sE", 9},
	{"but not before each noise", "StssnnndnE", "tssE", 9},
	{"systemd between", "StssEdnn", "sE", 9},
	{"a dump with a reason", "SrsdnnE", "rsE", 9, .n_asked = 6},
	{"a dump at the start", "dnnE", "E", 9},
	{"a dump does not count", "SsssdnE", "sssE", 4, .no_trouble = true},
	/* neither */
	{"the last that are no noise", "SsssnsnnnEM", "ssEM", 4},
	{"systemd's only", "SEM", "SEM", 4},
};

START_TEST(test_row)
{
	const struct row *row = &rows[_i];
	_cleanup_log_pick_ struct kr_log_pick pick = {
		.classify = row->last ? NULL : classify,
		.trouble = !row->no_trouble,
		.n_max = row->n_max,
	};
	_cleanup_log_ struct kr_log log = {0};
	char got[64] = "";
	size_t n = show(&pick, row->log, &log);

	for (size_t i = 0; i < log.n_lines; i++) {
		ck_assert_uint_lt(log.lines[i].realtime_usec, strlen(row->log));
		ck_assert_int_eq(row->log[log.lines[i].realtime_usec],
		                 log.lines[i].text[0]);
		ck_assert_str_eq(log.lines[i].identifier, "kubelet");
		strlcat(got, log.lines[i].text, sizeof(got));
	}
	ck_assert_msg(strcmp(got, row->want) == 0, "%s: got %s, want %s",
	              row->name, got, row->want);
	ck_assert_msg(n == (row->n_asked ? row->n_asked : strlen(row->log)),
	              "%s: %zu lines were asked for", row->name, n);
}
END_TEST

/* Nothing is read for ever. */
START_TEST(test_limits)
{
	static char huge[KR_LOG_LINE_BYTES * 4];
	const struct kr_log_line entry = {0};
	size_t n = 0;

	memset(huge, 's', sizeof(huge));
	for (int big = 0; big < 2; big++) {
		_cleanup_log_pick_ struct kr_log_pick pick = {
			.classify = classify,
			.n_max = 3,
		};
		_cleanup_log_ struct kr_log log = {0};

		for (n = 1;
		     kr_log_pick_add(&pick, &entry, KR_LOG_FROM_SERVICE, huge,
		                     big ? sizeof(huge) : 5) == KR_LOG_GO_ON;
		     n++)
			;
		ck_assert_uint_eq(n,
		                  big ? KR_LOG_SEARCH_BYTES / KR_LOG_LINE_BYTES
		                      : KR_LOG_SEARCH_LINES);
		ck_assert_int_eq(kr_log_pick_finish(&pick, &log), 0);
		ck_assert_uint_eq(log.n_lines, 3);
		ck_assert_uint_eq(strlen(log.lines[0].text),
		                  big ? KR_LOG_LINE_BYTES : 5);
	}
}
END_TEST

/* A reason 5,000 lines of noise away. */
START_TEST(test_far)
{
	static char text[5020];
	_cleanup_log_pick_ struct kr_log_pick pick = {
		.classify = classify,
		.n_max = 10,
	};
	_cleanup_log_ struct kr_log log = {0};

	memset(text, 'n', sizeof(text) - 1);
	memcpy(text, "Ssr", 3);
	memcpy(text + sizeof(text) - 3, "EM", 2);
	ck_assert_uint_eq(show(&pick, text, &log), sizeof(text) - 3);
	ck_assert_uint_eq(log.n_lines, 3);
	ck_assert_str_eq(log.lines[0].text, "r");
}
END_TEST

static void add(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "log-pick", NULL, NULL);

	tcase_add_loop_test(tc, test_row, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_limits);
	tcase_add_test(tc, test_far);
}

KR_TEST_MAIN(add);
