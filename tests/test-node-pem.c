/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/pem: which certificates a file has, and whether it loads. The rows are
 * what Go's encoding/pem makes of them (tried with 1.19).
 */

#include <stdlib.h>
#include <string.h>

#include "node/pem.h"
#include "testing.h"

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "-----END CERTIFICATE-----\n"
#define CERT  BEGIN "MAMCAQU=\n" END /* SEQUENCE { INTEGER 5 } */
#define KEY   "-----BEGIN PRIVATE KEY-----\nMAMCAQU=\n-----END PRIVATE KEY-----\n"
#define NO    BEGIN "AgEF\n" END /* an INTEGER alone */

enum loads {
	NOTHING = 0,
	CHAIN = 1,
	AUTHORITIES = 2,
	BOTH = 3,
};

static const struct row {
	const char *name, *text;
	size_t n;
	enum loads loads;
} rows[] = {
	{"one", CERT, 1, BOTH},
	{"two", CERT CERT, 2, BOTH},
	{"text around", "# an authority\n\n" CERT "more\n", 1, BOTH},
	{"a key before it", KEY CERT, 1, BOTH},
	{"CR LF",
         "-----BEGIN CERTIFICATE-----\r\nMAMC\r\nAQU=\r\n"
         "-----END CERTIFICATE-----\r\n",
         1, BOTH},
	{"blanks in it",
         "-----BEGIN CERTIFICATE----- \t\n MA MC\tAQU=\n"
         "-----END CERTIFICATE----- \n",
         1, BOTH},
	{"no end of line", BEGIN "MAMCAQU=\n-----END CERTIFICATE-----", 1,
         BOTH},
	{"two sequences", BEGIN "MAMCAQUwAwIBBQ==\n" END, 1, NOTHING},
	{"the second is none", CERT NO, 2, CHAIN},
	{"the first is none", NO CERT, 2, NOTHING},
	{"a begin that does not end", BEGIN "MAMC\n" CERT, 1, BOTH},
	{"a begin line that goes on", "-----BEGIN CERTIFICATE----- x\n" CERT, 1,
         BOTH},
	{"no base64 before it", BEGIN "MAM!\n" END CERT, 1, BOTH},
	{"an end of another kind", BEGIN "MAMCAQU=\n-----END CERT-----\n" CERT,
         1, BOTH},
	{"headers", BEGIN "a: b\nc:\n\nMAMCAQU=\n" END, 1, CHAIN},
	{"headers, and one without", BEGIN "a: b\n\nMAMCAQU=\n" END CERT, 2,
         BOTH},
	{"headers, and no sequence", BEGIN "a: b\n\nAgEF\n" END CERT, 2,
         AUTHORITIES},
	{"a length of two bytes too many", BEGIN "MIEDAgEF\n" END, 1, NOTHING},
	{"a length that is not there", BEGIN "MA==\n" END, 1, NOTHING},
	{"a length past the end", BEGIN "MIT/////AA==\n" END, 1, NOTHING},
	{"of no fixed length", BEGIN "MIACAQUAAA==\n" END, 1, NOTHING},
	{"a byte behind it", BEGIN "MAMCAQUA\n" END, 1, NOTHING},
	{"an empty block", BEGIN END, 1, NOTHING},
	{"an empty block before it", BEGIN END CERT, 2, CHAIN &AUTHORITIES},
	{"empty behind headers", BEGIN "a: b\n" END CERT, 1, BOTH},
	{"no padding", BEGIN "MAMCAQU\n" END, 0, NOTHING},
	{"not at the begin of a line", "x" CERT, 0, NOTHING},
	{"another type",
         "-----BEGIN TRUSTED CERTIFICATE-----\nMAMCAQU=\n"
         "-----END TRUSTED CERTIFICATE-----\n",
         0, NOTHING},
	{"a key alone", KEY, 0, NOTHING},
	{"DER itself", "0\003\002\001\005", 0, NOTHING},
	{"only a begin", BEGIN, 0, NOTHING},
	{"headers to the end", BEGIN "a: b\n", 0, NOTHING},
	{"nothing", "", 0, NOTHING},
};

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	/* no byte behind it that a reader might look at */
	size_t size = strlen(row->text);
	_cleanup_free_ char *data = malloc(size ?: 1);
	_cleanup_pem_ struct kr_pem pem = {0};

	memcpy(data, row->text, size);
	ck_assert_int_eq(kr_pem_read(data, size, &pem), 0);
	ck_assert_msg(pem.n_certificates == row->n, "%s: %zu certificates",
	              row->name, pem.n_certificates);
	ck_assert_msg(kr_pem_is_chain(&pem) == !!(row->loads & CHAIN),
	              "%s: as a server's certificate", row->name);
	ck_assert_msg(kr_pem_is_authorities(&pem) ==
	                      !!(row->loads & AUTHORITIES),
	              "%s: as authorities", row->name);
}
END_TEST

START_TEST(test_der)
{
	_cleanup_pem_ struct kr_pem pem = {0};

	ck_assert_int_eq(kr_pem_read(CERT, strlen(CERT), &pem), 0);
	ck_assert_uint_eq(pem.certificates[0].size, 5);
	ck_assert_mem_eq(pem.certificates[0].der, "0\003\002\001\005", 5);
}
END_TEST

/* Each begin must not cost a look at all that follows. */
START_TEST(test_many_begins)
{
	size_t n = 300000, length = strlen(BEGIN);
	_cleanup_free_ char *data = malloc(n * length + strlen(END));
	_cleanup_pem_ struct kr_pem pem = {0};

	for (size_t i = 0; i < n; i++)
		memcpy(data + i * length, BEGIN, length);
	memcpy(data + n * length, END, strlen(END));
	ck_assert_int_eq(kr_pem_read(data, n * length, &pem), 0);
	ck_assert_uint_eq(pem.n_certificates, 0);
	ck_assert_int_eq(kr_pem_read(data, n * length + strlen(END), &pem), 0);
	ck_assert_uint_eq(pem.n_certificates, 1);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "pem", NULL, NULL);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_der);
	tcase_add_test(tc, test_many_begins);
}

KR_TEST_MAIN(add_tests);
