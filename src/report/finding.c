/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the formats for other programs have in common.
 *
 * A place is counted in bytes in this program. Those formats count characters,
 * so that a line's bytes before the place are looked at; a line is what LF
 * ends.
 */

#include <string.h>

#include "base/utf8.h"
#include "report/finding.h"

static bool is_utf16(const struct kr_file *file)
{
	return file->size >= 2 && (memcmp(file->data, "\xff\xfe", 2) == 0 ||
	                           memcmp(file->data, "\xfe\xff", 2) == 0);
}

/* The column in characters of SPAN's first byte. A byte order mark does not
 * count: who opens the file does not see it. */
static unsigned char_column(struct kr_span span)
{
	bool marked = span.offset >= 3 &&
	              memcmp(span.file->data, "\xef\xbb\xbf", 3) == 0;
	unsigned line, column;

	kr_span_position(span, &line, &column);
	return (unsigned)kr_span_characters(span) +
	       (marked && line == 1 ? 0 : 1);
}

struct kr_place kr_place_from_span(struct kr_span span)
{
	struct kr_span end = {.file = span.file, .offset = kr_span_end(span)};
	struct kr_place place = {.has_bytes = true};
	unsigned column;

	if (!span.file)
		return (struct kr_place){0};
	place.file = span.file->path;
	place.offset = span.offset;
	place.length = span.length;
	place.text = span.file->data + span.offset;
	if (is_utf16(span.file))
		return place;
	kr_span_position(span, &place.line, &place.column);
	place.char_column = char_column(span);
	kr_span_position(end, &place.end_line, &column);
	place.end_char_column = char_column(end);
	return place;
}

struct kr_place kr_place_from_message(const struct kr_message *m)
{
	struct kr_place place = {.file = m->file, .line = m->line};
	size_t size = m->source ? strlen(m->source) : 0;
	size_t start = m->column > 0 ? m->column - 1 : 0;

	if (!m->file || m->line == 0 || m->column == 0 || start > size)
		return place;
	place.column = m->column;
	place.char_column = 1 + (unsigned)kr_utf8_count(m->source, start);
	if (m->length == 0 || m->length > size - start)
		return place;
	place.end_line = m->line;
	place.end_char_column =
		place.char_column +
		(unsigned)kr_utf8_count(m->source + start, m->length);
	return place;
}

static bool is_as_bad(const struct kr_view *view, enum kr_verdict verdict)
{
	switch (verdict) {
	case KR_VERDICT_FAIL:
		return view->answer == KR_ANSWER_FAIL;
	case KR_VERDICT_INVALID:
		return view->state == KR_STATE_INVALID;
	case KR_VERDICT_UNKNOWN:
		return view->state == KR_STATE_UNKNOWN;
	default:
		return view->answer == KR_ANSWER_PASS;
	}
}

static struct kr_place first_error(const struct kr_diag *diag)
{
	const struct kr_message *m = diag ? kr_diag_cause(diag) : NULL;

	return m && m->file ? kr_place_from_message(m) : (struct kr_place){0};
}

static struct kr_place place_of(const struct kr_source *s)
{
	/* a file itself has no line */
	if (s->path)
		return (struct kr_place){.file = s->path};
	return kr_place_from_span(s->span);
}

static struct kr_place deciding_place(const struct kr_judgement *j,
                                      const struct kr_diag *diag)
{
	const struct kr_view *const views[] = {&j->disk, &j->running};
	const struct kr_source *deciding = kr_judgement_deciding(j);

	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		const struct kr_view *v = views[i];

		if (is_as_bad(v, j->verdict) && v->source >= 0 &&
		    place_of(&j->sources.items[v->source]).file)
			return place_of(&j->sources.items[v->source]);
	}
	if (deciding && place_of(deciding).file)
		return place_of(deciding);
	if (j->verdict == KR_VERDICT_PASS)
		return (struct kr_place){0};
	return first_error(diag);
}

struct kr_finding kr_finding_from_audit(const char *name,
                                        const struct kr_audit *audit, size_t i,
                                        const struct kr_diag *diag)
{
	const struct kr_judgement *j = &audit->items[i];

	return (struct kr_finding){
		.node = name,
		.rule = j->rule,
		.numbers = j->numbers,
		.waiver = j->waiver,
		.first = i == 0,
		.verdict = j->verdict,
		.reason = j->reason,
		.disk = j->disk.state,
		.running = j->running.state,
		.live = j->live.state,
		.restart_needed = j->restart_needed,
		.reload_needed = audit->reload_needed,
		.place = deciding_place(j, diag),
		.sources = j->sources.items,
		.n_sources = j->sources.n,
		.diag = diag,
	};
}

struct kr_finding kr_finding_unread(const char *name,
                                    const struct kr_rule *rule,
                                    const char *reason,
                                    const struct kr_diag *diag)
{
	const struct kr_message *m = kr_diag_cause(diag);
	bool has_line = m && m->line > 0;

	return (struct kr_finding){
		.node = name,
		.rule = rule,
		.first = true,
		.verdict = KR_VERDICT_UNKNOWN,
		.reason = has_line ? m->text : reason,
		.place = has_line ? kr_place_from_message(m)
	                          : (struct kr_place){0},
		.disk = KR_STATE_UNKNOWN,
		.running = KR_STATE_UNKNOWN,
		.live = KR_STATE_ABSENT,
		.diag = diag,
	};
}

const char *kr_finding_node(const struct kr_finding_about *about,
                            const char *node)
{
	if (node && *node)
		return node;
	return about->root && strcmp(about->root, "/") != 0 ? about->root
	                                                    : "localhost";
}

int kr_findings_begin(struct kr_findings *w,
                      const struct kr_finding_format *format, FILE *out,
                      const struct kr_finding_about *about)
{
	*w = (struct kr_findings){
		.format = format,
		.about = about,
		.out = out,
	};
	return format->begin(w);
}

bool kr_finding_has(const struct kr_finding *f, const struct kr_message *m)
{
	return m->control && f->rule ? strcmp(m->control, f->rule->name) == 0
	                             : f->first;
}

int kr_findings_add(struct kr_findings *w, const struct kr_finding *findings,
                    size_t n)
{
	int r = w->format->add(w, findings, n);

	w->n_findings++;
	for (size_t i = 0; i < n; i++) {
		w->n_verdicts[i][findings[i].verdict]++;
		if (findings[i].numbers)
			w->numbers[kr_edition_id(findings[i].numbers)] = true;
	}
	return r;
}

int kr_findings_end(struct kr_findings *w, bool complete)
{
	return w->format->end(w, complete);
}
