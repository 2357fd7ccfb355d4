/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A preview, part by part.
 *
 *	# FILE:LINE:COLUMN: change "key": false -> true
 *	# FILE:LINE:COLUMN:
 *	#     cut --flag=false
 *
 * An argument line of a node is often 500 bytes long, and its diff cannot be
 * read on a terminal: so each edit has a line of its own above the diff, with
 * what goes and what comes in bold. Where place and words do not fit into one
 * line, the words get the next; where these do not fit, what is cut and what is
 * added stand in a line each, and end with the width. Blanks, commas and line
 * ends around what is changed are not shown: the diff has them.
 *
 * All but the diff stands behind "# ", so that `patch -p1` takes the whole.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/vec.h"
#include "policy/effects.h"
#include "report/diff.h"
#include "report/text-controls.h"
#include "report/text-plan.h"

#define INDENT "#     "

/* --- changes ------------------------------------------------------------- */

struct bytes {
	const char *at;
	size_t n;
};

static void print_prose(const struct kr_term *term, const char *text)
{
	kr_term_wrap(term, text, strlen(text), 0, INDENT);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Byte I of B: a backslash before a line end goes on with the line. */
static bool is_trimmed(struct bytes b, size_t i)
{
	return is_blank(b.at[i]) || b.at[i] == ',' ||
	       (b.at[i] == '\\' && i + 1 < b.n && b.at[i + 1] == '\n');
}

static struct bytes trim(struct bytes b)
{
	size_t start = 0, end = b.n;

	while (start < end && is_trimmed(b, start))
		start++;
	while (end > start && is_trimmed(b, end - 1))
		end--;
	return (struct bytes){b.at + start, end - start};
}

/* What names the value that begins at AT of FILE: the key or flag before it in
 * its line, without what is before a key in brackets. */
static struct bytes find_name(const struct kr_file *file, size_t at)
{
	const char *data = file->data, *marks;
	size_t start = at;

	while (start > 0 && (data[start - 1] == ' ' || data[start - 1] == '\t'))
		start--;
	if (start == 0 ||
	    (start < at && data[start - 1] != ':' && data[start - 1] != '='))
		return (struct bytes){0};
	marks = data[start - 1] == ':' ? "{[," : "";
	while (start > 0 && !is_blank(data[start - 1]) &&
	       !strchr(marks, data[start - 1]))
		start--;
	return (struct bytes){data + start, at - start};
}

/* Escaped, several lines as one. NULL: no memory. */
static char *show(struct bytes b)
{
	_cleanup_free_ char *line = malloc(b.n + 1);
	size_t n = 0;

	if (!line)
		return NULL;
	for (size_t i = 0; i < b.n; i++) {
		if (!is_blank(b.at[i]))
			line[n++] = b.at[i];
		else if (n == 0 || line[n - 1] != ' ')
			line[n++] = ' ';
	}
	return kr_utf8_escape(line, n);
}

/* What is said of an edit: VERB NAME OLD -> NEW. */
struct words {
	const char *verb;
	char *about;            /* the controls; "": it is of the only one */
	char *name, *old, *new; /* shown; "" where there is none */
};

static void words_done(struct words *w)
{
	free(w->about);
	free(w->name);
	free(w->old);
	free(w->new);
}

static int describe(const struct kr_file *file, const struct kr_edit *e,
                    bool several, struct words *ret, size_t *ret_at)
{
	const struct bytes from = {file->data + e->offset, e->length};
	const struct bytes to = {e->text, strlen(e->text)};
	struct bytes old = trim(from), new = trim(to), name = {0};

	if (old.n == 0 && new.n == 0) {
		old = from;
		new = to;
	}
	*ret_at = old.n > 0 ? (size_t)(old.at - file->data) : e->offset;
	if (old.n > 0 && new.n > 0)
		name = find_name(file, *ret_at);
	ret->verb = old.n == 0 ? "add " : new.n == 0 ? "cut " : "change ";
	ret->about = several && e->about
	                     ? kr_utf8_escape(e->about, strlen(e->about))
	                     : strdup("");
	ret->name = show(name);
	ret->old = show(old);
	ret->new = show(new);
	return ret->about && ret->name && ret->old && ret->new ? 0 : -ENOMEM;
}

static size_t words_width(const struct words *w)
{
	return (*w->about ? kr_term_width(w->about) + strlen(": ") : 0) +
	       strlen(w->verb) + kr_term_width(w->name) +
	       kr_term_width(w->old) + kr_term_width(w->new) +
	       (*w->old && *w->new ? strlen(" -> ") : 0);
}

static void print_bold(const struct kr_term *term, enum kr_color color,
                       const char *text, size_t room)
{
	if (!*text)
		return;
	kr_term_begin(term, color);
	kr_term_cut(term, text, room);
	kr_term_end(term);
}

static void print_words(const struct kr_term *term, const struct words *w)
{
	if (*w->about)
		fprintf(term->out, "%s: ", w->about);
	fprintf(term->out, "%s%s", w->verb, w->name);
	print_bold(term, KR_COLOR_BAD, w->old, SIZE_MAX);
	fputs(*w->old && *w->new ? " -> " : "", term->out);
	print_bold(term, KR_COLOR_GOOD, w->new, SIZE_MAX);
	fputc('\n', term->out);
}

static void print_part(const struct kr_term *term, const char *verb,
                       enum kr_color color, const char *text)
{
	size_t used = strlen(INDENT) + strlen(verb);

	if (!*text)
		return;
	fprintf(term->out, INDENT "%s", verb);
	print_bold(term, color, text,
	           term->width > used ? term->width - used : 0);
	fputc('\n', term->out);
}

/* What does not fit into one line: each part gets its own. */
static void print_parts(const struct kr_term *term, const struct words *w)
{
	if (*w->about)
		print_part(term, "for ", KR_COLOR_PLAIN, w->about);
	print_part(term, "cut ", KR_COLOR_BAD, w->old);
	print_part(term, "add ", KR_COLOR_GOOD, w->new);
}

static int print_edit(const struct kr_term *term, const struct kr_file *file,
                      const struct kr_edit *e, bool several)
{
	_cleanup_(words_done) struct words w = {0};
	size_t at, used;
	unsigned line, column;
	char place[32];
	int r = describe(file, e, several, &w, &at);

	if (r < 0)
		return r;
	kr_span_position((struct kr_span){file, (uint32_t)at, 0}, &line,
	                 &column);
	snprintf(place, sizeof(place), ":%u:%u", line, column);
	fputs("# ", term->out);
	kr_term_begin(term, KR_COLOR_PLACE);
	kr_term_text(term, file->path);
	fputs(place, term->out);
	kr_term_end(term);
	fputc(':', term->out);
	used = strlen("# ") + kr_term_width(file->path) + strlen(place) +
	       strlen(": ");
	if (term->width == 0 || used + words_width(&w) <= term->width) {
		fputc(' ', term->out);
		print_words(term, &w);
		return 0;
	}
	fputc('\n', term->out);
	if (strlen(INDENT) + words_width(&w) <= term->width) {
		fputs(INDENT, term->out);
		print_words(term, &w);
	} else {
		print_parts(term, &w);
	}
	return 0;
}

/* A file that comes or goes as a whole. */
static void print_file(const struct kr_term *term,
                       const struct kr_file_edits *f)
{
	char text[64];
	size_t n = 0;

	for (size_t i = 0; i < f->n_edits; i++) {
		for (const char *c = f->edits[i].text; *c; c++)
			n += *c == '\n';
	}
	if (f->remove)
		strlcpy(text, ": remove the file", sizeof(text));
	else
		snprintf(text, sizeof(text), ": add the file, %zu line%s", n,
		         n == 1 ? "" : "s");
	fputs("# ", term->out);
	kr_term_begin(term, KR_COLOR_PLACE);
	kr_term_text(term, f->path);
	kr_term_end(term);
	kr_term_wrap(term, text, strlen(text),
	             strlen("# ") + kr_term_width(f->path), INDENT);
}

static int print_perms(const struct kr_term *term,
                       const struct kr_file_edits *f)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	kr_diff_print_perms(out, f);
	if (fclose(out) != 0)
		return -ENOMEM;
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");

		kr_term_wrap(term, line, n, 0, INDENT);
		line += n + (line[n] == '\n');
	}
	return 0;
}

int kr_plan_print_changes(const struct kr_term *term,
                          const struct kr_plan *plan)
{
	/* of an undo, which has no rules, the audit tells */
	const bool several =
		plan->n_rules != 1 && plan->audit && plan->audit->n_items > 1;

	KR_EACH(const struct kr_file_edits, f, plan->edits.files,
	        plan->edits.n_files) {
		int r = print_perms(term, f);

		if (r < 0)
			return r;
		if (f->n_edits > 0 && (!f->file || f->remove)) {
			print_file(term, f);
			continue;
		}
		for (size_t k = 0; k < f->n_edits; k++) {
			r = print_edit(term, f->file, &f->edits[k], several);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* --- diffs --------------------------------------------------------------- */

/* What is shown of a line that is too long: from START on, and from AGAIN on,
 * where two changes are far apart; 0: not again. */
struct window {
	size_t start, again;
};

#define FIRST_PIECE(width) ((width) / 2 + (width) / 20)

static void print_piece(const struct kr_term *term, struct bytes line,
                        size_t start, size_t room)
{
	_cleanup_free_ char *text = strndup(line.at + start, line.n - start);

	if (text)
		kr_term_cut(term, text, room);
}

/* LINE in the width of the terminal. Whether it is cut. */
static bool print_cut(const struct kr_term *term, struct bytes line,
                      struct window w)
{
	size_t used = w.start > 0 ? 2 : 0;
	size_t first = w.again > 0 ? FIRST_PIECE(term->width) : term->width;
	_cleanup_free_ char *text = strndup(line.at, line.n);

	if (w.start > 0)
		fprintf(term->out, "%c…", *line.at);
	print_piece(term, line, w.start, first - used);
	if (w.again > 0)
		print_piece(term, line, w.again, term->width - first);
	return w.start > 0 || (text && kr_term_width(text) > term->width);
}

/* patch wants the bytes, a reader a terminal that stays as it is. */
static bool print_diff_line(const struct kr_term *term, struct bytes line,
                            struct window window)
{
	static const struct {
		const char *start;
		enum kr_color color;
	} kinds[] = {
		{"--- ", KR_COLOR_PLACE}, {"+++ ", KR_COLOR_PLACE},
		{"@@ ", KR_COLOR_DIM},    {"-", KR_COLOR_BAD},
		{"+", KR_COLOR_GOOD},
	};
	bool cut = false;
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) &&
	       strncmp(line.at, kinds[i].start, strlen(kinds[i].start)) != 0)
		i++;
	if (i < ARRAY_SIZE(kinds))
		kr_term_begin(term, kinds[i].color);
	if (!term->is_terminal)
		fwrite(line.at, 1, line.n, term->out);
	else if (term->wraps)
		cut = print_cut(term, line, window);
	else
		kr_term_bytes(term, line.at, line.n);
	if (i < ARRAY_SIZE(kinds))
		kr_term_end(term);
	fputc('\n', term->out);
	return cut;
}

/* The lines of TEXT, without their ends. The caller frees them. */
static struct bytes *split(const char *text, size_t size, size_t *ret_n)
{
	struct bytes *lines = calloc(size + 1, sizeof(*lines));
	const char *end = text + size;

	*ret_n = 0;
	for (const char *p = text; lines && p < end;) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((lf ? lf : end) - p);

		lines[(*ret_n)++] = (struct bytes){p, n};
		p += n + 1;
	}
	return lines;
}

static size_t count_run(const struct bytes *lines, size_t n, size_t i,
                        char sign)
{
	size_t run = 0;

	while (i + run < n && *lines[i + run].at == sign)
		run++;
	return run;
}

/* Where to begin with OLD and NEW, a little before they differ; 0: with their
 * first byte. */
static size_t choose_start(const struct kr_term *term, struct bytes old,
                           struct bytes new)
{
	size_t before = term->width / 3, same = 1;

	if (old.n <= term->width && new.n <= term->width)
		return 0;
	while (same < old.n && same < new.n &&old.at[same] == new.at[same])
		same++;
	if (same <= term->width / 2)
		return 0;
	for (same -= before; ((unsigned char)old.at[same] & 0xc0) == 0x80;)
		same--;
	return same;
}

/* Back to the first byte of a letter. */
static size_t letter_start(struct bytes line, size_t at)
{
	while (((unsigned char)line.at[at] & 0xc0) == 0x80)
		at--;
	return at;
}

/* The windows of OLD and NEW: around where they begin to differ and, where that
 * window ends before, around where they cease to. */
static void choose_windows(const struct kr_term *term, struct bytes old,
                           struct bytes new, struct window ret[static 2])
{
	size_t start = choose_start(term, old, new), back = term->width * 3 / 8;
	size_t least = old.n < new.n ? old.n : new.n;
	size_t most = old.n < new.n ? new.n : old.n, same = 0;

	ret[0] = ret[1] = (struct window){.start = start};
	while (same < least - start &&
	       old.at[old.n - same - 1] == new.at[new.n - same - 1])
		same++;
	if (most - same <= start + term->width - strlen("-…"))
		return;
	/* less before it, as there is less room */
	if (start > 0)
		start = letter_start(old, start + term->width / 3 -
		                                  term->width / 10);
	if (least - same < start + FIRST_PIECE(term->width) + back)
		return;
	ret[0] = (struct window){start, letter_start(old, old.n - same - back)};
	ret[1] = (struct window){start, letter_start(new, new.n - same - back)};
}

/* How many lines of a change there are from I on, which begin with SIGN, and
 * with them that the last one has no end. */
static size_t count_side(const struct bytes *lines, size_t n, size_t i,
                         char sign)
{
	size_t run = count_run(lines, n, i, sign);

	return run > 0 ? run + count_run(lines, n, i + run, '\\') : 0;
}

/* As many lines for as many others are for each other. Whether one is cut. */
static bool print_changed(const struct kr_term *term, const struct bytes *lines,
                          size_t n_old, size_t n_new)
{
	size_t minus = count_run(lines, n_old, 0, '-');
	size_t plus = count_run(lines + n_old, n_new, 0, '+');
	bool cut = false;

	for (size_t i = 0; i < n_old + n_new; i++) {
		bool is_new = i >= n_old;
		size_t k = is_new ? i - n_old : i;
		struct window windows[2] = {0};

		if (minus == plus && k < minus)
			choose_windows(term, lines[k], lines[n_old + k],
			               windows);
		cut = print_diff_line(term, lines[i], windows[is_new]) || cut;
	}
	return cut;
}

/* Whether a line is cut; -ENOMEM. */
static int print_diff(const struct kr_term *term,
                      const struct kr_file_edits *edits)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ struct bytes *lines = NULL;
	size_t size, n;
	FILE *out = open_memstream(&text, &size);
	bool cut = false;
	int r;

	if (!out)
		return -ENOMEM;
	r = kr_diff_print(out, edits);
	if (fclose(out) != 0 || r < 0)
		return -ENOMEM;
	lines = split(text, size, &n);
	if (!lines)
		return -ENOMEM;
	/* the first two lines name the file */
	for (size_t i = 0; i < n;) {
		size_t n_old = i < 2 ? 0 : count_side(lines, n, i, '-');
		size_t n_new = i < 2 ? 0 : count_side(lines, n, i + n_old, '+');

		if (n_old + n_new == 0)
			cut = print_diff_line(term, lines[i],
			                      (struct window){0}) ||
			      cut;
		else
			cut = print_changed(term, lines + i, n_old, n_new) ||
			      cut;
		i += n_old + n_new == 0 ? 1 : n_old + n_new;
	}
	return cut;
}

int kr_plan_print_diffs(const struct kr_term *term, const struct kr_plan *plan)
{
	bool cut = false;

	for (size_t i = 0; i < plan->edits.n_files; i++) {
		int r = print_diff(term, &plan->edits.files[i]);

		if (r < 0)
			return r;
		cut = cut || r > 0;
	}
	if (cut)
		print_prose(term, "# lines with … are cut: a pipe or a file "
		                  "gets them whole");
	return 0;
}

/* --- what else ----------------------------------------------------------- */

static void print_call(const struct kr_term *term, bool verbose,
                       const char *call)
{
	if (verbose)
		fprintf(term->out,
		        INDENT "org.freedesktop.systemd1.Manager.%s\n", call);
}

static void print_restart(const struct kr_term *term, const struct kr_fix *fix,
                          bool verbose)
{
	const char *unit = fix->host->node->unit_name;
	bool stays = fix->plan->edits.n_files > 0 && !fix->watched;
	char text[512];

	snprintf(text, sizeof(text),
	         "# then: %s is restarted; kubelet must be healthy within "
	         "%llu s and stay up, else %s",
	         unit, (unsigned long long)(fix->wait_usec / KR_USEC_PER_SEC),
	         stays ? "this fails, and the change stays (--no-rollback)"
	         : fix->watched ? "everything is put back"
	                        : "this fails");
	print_prose(term, text);
	snprintf(text, sizeof(text), "ResetFailedUnit('%s')", unit);
	print_call(term, verbose, text);
	snprintf(text, sizeof(text), "RestartUnit('%s', 'replace')", unit);
	print_call(term, verbose, text);
}

void kr_plan_print_steps(const struct kr_term *term, const struct kr_fix *fix,
                         bool verbose)
{
	const struct kr_audit *after =
		fix->plan->audit ? fix->plan->audit : fix->before;
	char text[512];

	if (fix->watched) {
		print_prose(term, "# before: systemd gets a timer that reverts "
		                  "the change if this program is killed");
		print_call(term, verbose,
		           "StartTransientUnit('kubelet-remedy-try.service', "
		           "'fail', ...)");
		print_call(term, verbose,
		           "StartTransientUnit('kubelet-remedy-rollback-ID."
		           "timer', 'fail', ...)");
	}
	if (fix->reloads) {
		print_prose(term, "# then: systemd reads its units again "
		                  "(daemon-reload)");
		print_call(term, verbose, "Reload()");
	}
	if (fix->restarts)
		print_restart(term, fix, verbose);
	if (fix->asks_live) {
		snprintf(
			text, sizeof(text),
			"# then: %s must say %s, else everything is put back",
			fix->before->endpoint,
			kr_audit_is_usual(after)
				? kr_state_to_string(after->items[0].disk.state)
				: "the same");
		print_prose(term, text);
	}
	if (!fix->restarts)
		print_prose(term, "# kubelet is not restarted");
}

void kr_plan_print_risks(const struct kr_term *term, const struct kr_fix *fix)
{
	size_t n = 0;

	for (size_t i = 0; i < fix->plan->n_rules; i++) {
		const struct kr_rule *rule = fix->plan->rules[i];
		const char *risk = kr_rule_risk(rule);
		char text[512];

		if (!risk)
			continue;
		snprintf(text, sizeof(text), "# could break: %s: %s",
		         rule->name, risk);
		print_prose(term, text);
		n++;
	}
	if (n == 0 && !fix->undo && fix->plan->edits.n_files > 0)
		fputs("# could break: nothing is known to\n", term->out);
}

int kr_plan_print_verdicts(const struct kr_term *term, const struct kr_fix *fix)
{
	const struct kr_audit *after =
		fix->plan->audit ? fix->plan->audit : fix->before;

	if (fix->plan->unconfigured)
		return 0;
	fprintf(term->out, "# after the %s:\n", fix->undo ? "undo" : "fix");
	return kr_text_table_after(term, after, fix->plan);
}
