/* SPDX-License-Identifier: Apache-2.0 */

/*
 * JUnit's XML, as Jenkins, GitLab and others read it. There is no standard;
 * this is what their readers and schemas have in common.
 *
 * Each node is a suite of its own with one test a control: so the counts that a
 * suite starts with are known when it is written, however many nodes follow.
 * fail is a failure. invalid and unknown are errors: the test did not come to a
 * verdict. What is waived or not applicable is skipped, and why is the
 * element's text: not all schemas know a message of it. Why a control is waived
 * stands among the properties, too.
 *
 * Text is UTF-8 and has no character that XML 1.0 (section 2.2) does not have;
 * those become U+FFFD.
 */

#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/utf8.h"
#include "policy/editions.h"
#include "report/finding.h"

#define TIME_SIZE 20 /* "2026-11-20T08:14:03" */

/* Whether XML has the character of N bytes at S, valid UTF-8. */
static bool is_xml(const char *s, size_t n)
{
	unsigned char c = (unsigned char)*s;

	if (n == 1)
		return c >= 0x20 || c == '\t' || c == '\n' || c == '\r';
	/* U+FFFE and U+FFFF */
	return n != 3 || (memcmp(s, "\xef\xbf\xbe", 3) != 0 &&
	                  memcmp(s, "\xef\xbf\xbf", 3) != 0);
}

/* What stands for one byte in text and in attributes; NULL: itself. */
static const char *escape(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;"; /* else "]]>" could not be said */
	case '"':
		return "&quot;";
	case '\t': /* readers make blanks of these */
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return NULL;
	}
}

static void print_bytes(FILE *out, const char *s, size_t size)
{
	for (size_t i = 0; i < size;) {
		size_t n = kr_utf8_length_at(s + i, size - i);
		const char *escaped = escape(s[i]);

		if (n == 0 || !is_xml(s + i, n))
			fputs(KR_UTF8_REPLACEMENT, out);
		else if (escaped)
			fputs(escaped, out);
		else
			fwrite(s + i, 1, n, out);
		i += n > 0 ? n : 1;
	}
}

static void print_text(FILE *out, const char *s)
{
	print_bytes(out, s, strlen(s));
}

/* --- a suite ------------------------------------------------------------- */

static void print_place(FILE *out, const struct kr_place *p)
{
	if (!p->file)
		return;
	print_text(out, p->file);
	if (p->line > 0)
		fprintf(out, ":%u", p->line);
	if (p->column > 0)
		fprintf(out, ":%u", p->column);
	fputs(": ", out);
}

static bool is_skipped(const struct kr_finding *f)
{
	return f->verdict == KR_VERDICT_WAIVED ||
	       f->verdict == KR_VERDICT_NOT_APPLICABLE;
}

static void print_skipped(FILE *out, const struct kr_finding *f)
{
	fputs("      <skipped>", out);
	if (f->verdict == KR_VERDICT_WAIVED)
		fputs("waived: ", out);
	print_text(out, f->waiver ? f->waiver->reason : f->reason);
	fputs("</skipped>\n", out);
}

static void print_result(FILE *out, const struct kr_finding *f)
{
	const char *element =
		f->verdict == KR_VERDICT_FAIL ? "failure" : "error";

	fprintf(out, "      <%s message=\"", element);
	print_text(out, f->reason);
	fprintf(out, "\" type=\"%s\">", kr_verdict_to_string(f->verdict));
	print_place(out, &f->place);
	print_text(out, f->reason);
	if (f->place.has_bytes && f->place.line > 0) {
		fputs("\n  ", out);
		print_bytes(out, f->place.text, f->place.length);
	}
	fprintf(out, "</%s>\n", element);
}

static void print_messages(FILE *out, const struct kr_finding *f)
{
	for (size_t i = 0; f->diag && i < f->diag->n_messages; i++) {
		const struct kr_message *m = &f->diag->messages[i];
		struct kr_place place = kr_place_from_message(m);

		if (!kr_finding_has(f, m))
			continue;
		fprintf(out, "%s: ", kr_severity_to_string(m->severity));
		print_place(out, &place);
		print_text(out, m->text);
		fputc('\n', out);
	}
}

static void print_suite(FILE *out, const char *name, const struct kr_finding *f,
                        size_t n, size_t number)
{
	uint64_t time = f->time_usec ? f->time_usec : kr_realtime_usec();
	size_t n_failures = 0, n_errors = 0, n_skipped = 0;
	char stamp[KR_RFC3339_SIZE];

	for (size_t i = 0; i < n; i++) {
		n_failures += f[i].verdict == KR_VERDICT_FAIL;
		n_errors += f[i].verdict == KR_VERDICT_INVALID ||
		            f[i].verdict == KR_VERDICT_UNKNOWN;
		n_skipped += is_skipped(&f[i]);
	}
	kr_rfc3339(time, stamp);
	fprintf(out, "  <testsuite id=\"%zu\" package=\"" KR_NAME "\" name=\"",
	        number);
	print_text(out, name);
	fputs("\" hostname=\"", out);
	print_text(out, name);
	/* no zone: the schema has none */
	fprintf(out,
	        "\" timestamp=\"%.*s\" time=\"%.3f\" tests=\"%zu\" "
	        "failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
	        TIME_SIZE - 1, stamp,
	        (double)f->took_usec / (double)KR_USEC_PER_SEC, n, n_failures,
	        n_errors, n_skipped);
}

static void print_property(FILE *out, const char *name, const char *value)
{
	fputs("      <property name=\"", out);
	print_text(out, name);
	fputs("\" value=\"", out);
	print_text(out, value);
	fputs("\"/>\n", out);
}

/* "CIS Amazon EKS 1.8.0" and its number of the control NAME, if it has it. */
static void print_id(FILE *out, enum kr_edition_id edition, const char *name)
{
	const struct kr_edition *e = &kr_editions[edition];
	struct kr_edition_control its;
	char title[64];

	if (!kr_edition_control(edition, name, &its))
		return;
	snprintf(title, sizeof(title), "%s %s", e->title, e->version);
	print_property(out, title, its.id);
}

/* The edition that the cases' numbers are of, and what stands in the first
 * suite only: the numbers in all editions are the same for each node. A schema
 * wants a property in each. */
static void print_properties(FILE *out, const struct kr_rules *rules,
                             const struct kr_finding *f, size_t n, bool first)
{
	const struct kr_rule *rule = rules->items[0];
	const struct kr_edition *numbers = rules->edition;
	const char *flag =
		rule->n_fields > 0 ? kr_field(rule->fields[0])->flag : NULL;

	for (size_t i = 0; !numbers && i < n; i++)
		numbers = f[i].numbers;
	fputs("    <properties>\n", out);
	if (numbers)
		print_property(out, "benchmark", numbers->name);
	if (!rules->edition)
		print_property(out, "flag", flag ? flag : "");
	for (int i = 0; first && rules->n_items == 1 && i < KR_N_EDITIONS; i++)
		print_id(out, (enum kr_edition_id)i, rule->name);
	for (size_t i = 0; i < n; i++) {
		char name[128];

		if (!f[i].waiver)
			continue;
		snprintf(name, sizeof(name), "waived: %s", f[i].rule->name);
		print_property(out, name, f[i].waiver->reason);
	}
	fputs("    </properties>\n", out);
}

static void print_case(FILE *out, const struct kr_finding *f)
{
	const char *number = kr_edition_number(f->numbers, f->rule->name);

	fprintf(out, "    <testcase classname=\"kubelet\" name=\"%s%s", number,
	        *number ? " " : "");
	print_text(out, f->rule->name);
	fprintf(out, "\" time=\"%.3f\"",
	        f->first ? (double)f->took_usec / (double)KR_USEC_PER_SEC : 0);
	if (f->verdict == KR_VERDICT_PASS) {
		fputs("/>\n", out);
		return;
	}
	fputs(">\n", out);
	if (is_skipped(f))
		print_skipped(out, f);
	else
		print_result(out, f);
	fputs("    </testcase>\n", out);
}

static void print_views(FILE *out, const struct kr_finding *f, bool named)
{
	if (named)
		fprintf(out, "%s: ", f->rule->name);
	fprintf(out,
	        "disk %s, running %s, live %s: ", kr_state_to_string(f->disk),
	        kr_state_to_string(f->running), kr_state_to_string(f->live));
	print_text(out, f->reason);
	if (f->waiver) {
		fputs("; waived: ", out);
		print_text(out, f->waiver->reason);
	}
	if (named)
		fputc('\n', out);
}

/* --- the format ---------------------------------------------------------- */

static int begin(struct kr_findings *w)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	      "<testsuites>\n",
	      w->out);
	return 0;
}

static int add(struct kr_findings *w, const struct kr_finding *f, size_t n)
{
	FILE *out = w->out;

	print_suite(out, kr_finding_node(w->about, f->node), f, n,
	            w->n_findings);
	print_properties(out, w->about->rules, f, n, w->n_findings == 0);
	for (size_t i = 0; i < n; i++)
		print_case(out, &f[i]);
	fputs("    <system-out>", out);
	for (size_t i = 0; i < n; i++)
		print_views(out, &f[i], n > 1);
	fputs("</system-out>\n    <system-err>", out);
	for (size_t i = 0; i < n; i++)
		print_messages(out, &f[i]);
	fputs("</system-err>\n  </testsuite>\n", out);
	return 0;
}

static int end(struct kr_findings *w, bool complete)
{
	fputs("</testsuites>\n", w->out);
	return 0;
}

const struct kr_finding_format kr_junit = {
	.begin = begin,
	.add = add,
	.end = end,
};
