/* SPDX-License-Identifier: Apache-2.0 */

/*
 * print-findings: what fleet would print of N nodes, some with names and
 * reasons that no format can take as they are.
 *
 *     print-findings sarif|junit|prometheus N
 *
 * On stderr stands the largest resident set in KiB.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "report/finding.h"

static const char *const words[] = {
	"plain",
	"<a href=\"x\">&amp;]]></a> 'quoted'",
	"\x01\x02\x1b[31m\x7f\xc2\x9b",
	"\xff\xfe\xc3\xed\xa0\x80\xf4\x90\x80\x80",
	"tab\there, line\nhere, return\rhere",
	"back\\slash \"quote\" {label=\"x\"} 1\n# HELP x y",
	"\xef\xbf\xbe\xef\xbf\xbf \xf0\x9f\x98\x80 \xe2\x80\xa8 \xe2\x80\xae",
	"%s%n %20 ${x} {0}",
};

static const struct kr_finding_format *find_format(const char *name)
{
	if (strcmp(name, "sarif") == 0)
		return &kr_sarif;
	if (strcmp(name, "junit") == 0)
		return &kr_junit;
	return strcmp(name, "prometheus") == 0 ? &kr_prometheus : NULL;
}

/* Not getrusage(2): that would give the parent's, where it is larger. */
static long peak_kib(void)
{
	_cleanup_fclose_ FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	while (status && fgets(line, sizeof(line), status)) {
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	}
	return kib;
}

int main(int argc, char **argv)
{
	const struct kr_finding_about about = {
		.rules = &kr_rules_usual,
		.many = true,
	};
	const struct kr_finding_format *format =
		argc == 3 ? find_format(argv[1]) : NULL;
	size_t n = format ? strtoul(argv[2], NULL, 10) : 0;
	struct kr_findings w;

	if (!format || kr_findings_begin(&w, format, stdout, &about) < 0)
		return 2;
	for (size_t i = 0; i < n; i++) {
		const char *word = words[i % ARRAY_SIZE(words)];
		char name[128];
		const struct kr_finding f = {
			.node = name,
			.rule = kr_rules_usual.items[0],
			.first = true,
			.verdict = (enum kr_verdict)(i / ARRAY_SIZE(words) %
		                                     (KR_VERDICT_UNKNOWN + 1)),
			.reason = word,
			.live = KR_STATE_UNKNOWN,
		};

		snprintf(name, sizeof(name), "%zu %s", i, word);
		if (kr_findings_add(&w, &f, 1) < 0)
			return 1;
	}
	if (kr_findings_end(&w, true) < 0 || fflush(stdout) != 0)
		return 1;
	fprintf(stderr, "%ld\n", peak_kib());
	return 0;
}
