/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The environment of a command.
 *
 *	what systemd adds < PassEnvironment= < Environment= < EnvironmentFile=
 *
 * whatever their order in the unit; within one of them the later assignment of
 * a name wins. UnsetEnvironment= comes last and takes a name, or a name with
 * just that value, out of the result. Assignments with a bad name are ignored.
 *
 * Environment= is split into words as ExecStart= is, but an invalid escape or
 * an open quote ends the line there: the words before it count.
 *
 * EnvironmentFile= names one file, or a glob of them; "-" lets it be missing or
 * broken. A broken one (not UTF-8, a NUL, a folder) or a missing one without
 * "-" stops the service's start, with the place of the bytes; /dev/null is
 * empty.
 *
 * Source: config_parse_environ(), config_parse_pass_environ(),
 * config_parse_unset_environ(), config_parse_unit_env_file() in
 * src/core/load-fragment.c, exec_context_load_environment() and exec_child() in
 * src/core/execute.c of systemd 252.
 */

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "unit/envfile.h"
#include "unit/environment.h"
#include "unit/systemd-version.h"
#include "unit/word.h"

/* POSIX leaves 2 MiB with the usual stack limit: sysconf(_SC_ARG_MAX). */
#define VALUE_MAX_BYTES ((size_t)2 * 1024 * 1024)

/*
 * A process can have some 100,000 variables (ARG_MAX), but files may assign as
 * often as they are long, and every assignment is kept: one that lost is told,
 * too. With more memory than this none is read any more. ONE is what a variable
 * takes beside its bytes, allocations and places included.
 */
#define HELD_MAX KR_ENVFILE_VALUE_MAX
#define ONE      (sizeof(struct kr_unit_variable) + 192)
#define STRING   ((size_t)32) /* of a list, beside its bytes */
/* Files may be named more often than they are there. */
#define WORK_MAX ((size_t)128 * 1024 * 1024)
#define ENTRY    ((size_t)64) /* of a folder, for a glob */

static void variable_done(struct kr_unit_variable *v)
{
	free(v->name);
	kr_text_done(&v->value);
	*v = (struct kr_unit_variable){0};
}

void kr_variables_done(struct kr_variables *variables)
{
	for (size_t i = 0; i < variables->n_items; i++)
		variable_done(&variables->items[i]);
	free(variables->items);
	*variables = (struct kr_variables){0};
}

/* Moves *V in, if that works. */
static int add(struct kr_variables *to, struct kr_unit_variable *v)
{
	return KR_VEC_MOVE(to->items, to->n_items, v);
}

/* More memory for what stands at SPAN. 0; -EFBIG: it is too much, DIAG says
 * so. */
static int hold_bytes(struct kr_environment *e, size_t bytes,
                      struct kr_span span, struct kr_diag *diag)
{
	e->held += bytes;
	if (e->held <= HELD_MAX)
		return 0;
	kr_diag_add(diag, KR_ERROR, "environment-too-large", span,
	            "the environment is too large: its assignments up to here "
	            "need %zu MiB of memory",
	            HELD_MAX >> 20);
	return -EFBIG;
}

/* Another assignment; *V is moved, if that works. */
static int hold(struct kr_environment *e, struct kr_variables *to,
                struct kr_unit_variable *v, struct kr_diag *diag)
{
	int r = hold_bytes(e,
	                   ONE + strlen(v->name) + v->value.size +
	                           2 * v->value.n_runs * sizeof(*v->value.runs),
	                   v->span, diag);

	return r < 0 ? r : add(to, v);
}

/* More to look at: the same file may be named again and again. */
static int work(struct kr_environment *e, size_t bytes, const char *path,
                struct kr_diag *diag)
{
	e->work += bytes;
	if (e->work <= WORK_MAX)
		return 0;
	kr_diag_add_path(diag, KR_ERROR, "environment-too-large", path,
	                 "the environment is too large: its files up to here "
	                 "have more than %zu MiB",
	                 WORK_MAX >> 20);
	return -EFBIG;
}

static int move_all(struct kr_variables *to, struct kr_variables *from)
{
	if (to->n_items == 0) { /* as it is: there may be very many */
		kr_variables_done(to);
		*to = *from;
		*from = (struct kr_variables){0};
		return 0;
	}
	for (size_t i = 0; i < from->n_items; i++) {
		int r = add(to, &from->items[i]);

		if (r < 0)
			return r;
	}
	kr_variables_done(from);
	return 0;
}

static bool name_valid(const char *name, size_t length)
{
	if (length == 0 || (name[0] >= '0' && name[0] <= '9'))
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = name[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && c != '_')
			return false;
	}
	return true;
}

static bool assignment_valid(const struct kr_text *text)
{
	const char *equals = memchr(text->bytes, '=', text->length);

	return equals &&
	       name_valid(text->bytes, (size_t)(equals - text->bytes)) &&
	       kr_utf8_valid(text->bytes, text->length);
}

/* --- Environment= -------------------------------------------------------- */

/* How the word [START, END) of LINE is quoted, and where its value is. */
struct shape {
	enum kr_value_form form;
	char quote;
	size_t start, end; /* of the value */
};

static struct shape find_shape(const struct kr_text *line,
                               const struct kr_split_word *word)
{
	const char *s = line->bytes;
	size_t n_quoted = 0, opened = 0;
	size_t equals = SIZE_MAX;
	char quote = 0, last = 0;
	bool whole, behind;

	for (size_t i = word->start; i < word->end; i++) {
		char c = s[i];

		if (c == '=' && equals == SIZE_MAX)
			equals = i;
		last = 0;
		if (c == '\\') {
			i++;
		} else if (quote && c == quote) {
			last = c;
			quote = 0;
		} else if (!quote && (c == '\'' || c == '"')) {
			quote = c;
			opened = i;
			n_quoted++;
		}
	}
	if (equals == SIZE_MAX)
		return (struct shape){KR_VALUE_OPEN, 0, word->end, word->end};
	whole = n_quoted == 1 && last && opened == word->start;
	behind = n_quoted == 1 && last && opened == equals + 1;
	if (whole || behind)
		return (struct shape){KR_VALUE_QUOTED, last,
		                      equals + 1 + behind, word->end - 1};
	return (struct shape){n_quoted == 0 ? KR_VALUE_PLAIN
	                      : last        ? KR_VALUE_PIECES
	                                    : KR_VALUE_TAIL,
	                      0, equals + 1, word->end};
}

static struct kr_span value_span(const struct kr_text *line,
                                 const struct shape *shape)
{
	struct kr_span before;

	if (shape->end > shape->start)
		return kr_text_span(line, shape->start,
		                    shape->end - shape->start);
	before = kr_text_span(line, shape->start - 1, 1);
	before.offset = kr_span_end(before);
	before.length = 0;
	return before;
}

static int add_assignment(struct kr_environment *e,
                          const struct kr_specifiers *s,
                          const struct kr_text *line,
                          const struct kr_split_word *word, bool unknown)
{
	struct shape shape = find_shape(line, word);
	const struct kr_text *text = &word->text;
	const char *equals = memchr(text->bytes, '=', text->length);
	size_t length = (size_t)(equals - text->bytes);
	_cleanup_(variable_done) struct kr_unit_variable v = {
		.name = strndup(text->bytes, length),
		.source = KR_VARIABLE_UNIT,
		.span = kr_text_span(line, word->start,
	                             word->end - word->start),
		.value_span = value_span(line, &shape),
		.quote = shape.quote,
		.form = shape.form,
		.unknown = unknown,
	};
	int r = v.name ? kr_text_append_part(&v.value, text, length + 1,
	                                     text->length - length - 1)
	               : -ENOMEM;

	return r < 0 ? r : hold(e, &e->unit, &v, s->diag);
}

static void warn(const struct kr_specifiers *s, const struct kr_text *line,
                 const struct kr_split_word *word, const char *code,
                 const char *text)
{
	struct kr_span span =
		kr_text_span(line, word->start, word->end - word->start);

	kr_diag_add(s->diag, KR_WARNING, code, span, "%s", text);
}

/* The next word with its specifiers. systemd passes over a word that has one
 * it cannot resolve. 1; 0: there are no more words. */
static int next_word(const struct kr_specifiers *s, const struct kr_text *line,
                     size_t *at, unsigned flags, struct kr_split_word *ret,
                     bool *ret_unknown)
{
	for (;;) {
		_cleanup_split_word_ struct kr_split_word raw = {0};
		size_t start = *at;
		bool any = false;
		int r = kr_split_next(line, at, flags, &raw);

		if (r == -EINVAL)
			kr_diag_add(
				s->diag, KR_WARNING, "environment-invalid",
				kr_text_span(line, start, line->length - start),
				"quotes or escapes are invalid: ignored from "
				"here to the end of the line");
		if (r <= 0)
			return r == -EINVAL ? 0 : r;
		kr_split_word_done(ret);
		ret->start = raw.start;
		ret->end = raw.end;
		*ret_unknown = false;
		r = kr_specifiers_expand(s, &raw.text, VALUE_MAX_BYTES,
		                         &ret->text, &any, ret_unknown);
		if (r == 0 || r == -ENOMEM)
			return r < 0 ? r : 1;
		warn(s, line, &raw, "specifier-failed",
		     "specifier cannot be resolved: assignment is ignored");
	}
}

int kr_environment_assign(struct kr_environment *e,
                          const struct kr_specifiers *s,
                          const struct kr_text *line)
{
	size_t at = 0, before = e->unit.n_items;

	if (line->length == 0)
		return move_all(&e->shadowed, &e->unit);
	for (;;) {
		_cleanup_split_word_ struct kr_split_word word = {0};
		bool unknown;
		int r = next_word(s, line, &at, KR_SPLIT_CUNESCAPE, &word,
		                  &unknown);

		if (r <= 0)
			return r;
		if (assignment_valid(&word.text))
			r = add_assignment(e, s, line, &word, unknown);
		else
			warn(s, line, &word, "environment-invalid",
			     e->unit.n_items > before
			             ? "word is no assignment, and ignored: "
			               "what belongs to the variable before it "
			               "must stand in one pair of quotes with "
			               "it"
			             : "assignment is invalid: ignored");
		if (r < 0)
			return r;
	}
}

/* --- UnsetEnvironment=, PassEnvironment= --------------------------------- */

/* WORD of LINE at the end of LIST. */
static int hold_string(struct kr_environment *e, struct kr_strings *list,
                       const struct kr_text *line,
                       const struct kr_split_word *word, struct kr_diag *diag)
{
	struct kr_span span =
		kr_text_span(line, word->start, word->end - word->start);
	int r = kr_strings_add_part(list, word->text.bytes, word->text.length);

	if (r < 0)
		return r;
	return hold_bytes(e, STRING + word->text.length, span, diag);
}

static int add_list(struct kr_environment *e, struct kr_strings *list,
                    const struct kr_specifiers *s, const struct kr_text *line,
                    unsigned flags)
{
	size_t at = 0;

	if (line->length == 0)
		kr_strings_done(list);
	for (;;) {
		_cleanup_split_word_ struct kr_split_word word = {0};
		const struct kr_text *text = &word.text;
		bool unknown;
		int r = next_word(s, line, &at, flags, &word, &unknown);

		if (r <= 0)
			return r;
		if (name_valid(text->bytes, text->length) ||
		    ((flags & KR_SPLIT_CUNESCAPE) && assignment_valid(text)))
			r = hold_string(e, list, line, &word, s->diag);
		else
			warn(s, line, &word, "environment-invalid",
			     "variable name is invalid: ignored");
		if (r < 0)
			return r;
	}
}

int kr_environment_unset(struct kr_environment *e,
                         const struct kr_specifiers *s,
                         const struct kr_text *line)
{
	return add_list(e, &e->unset, s, line, KR_SPLIT_CUNESCAPE);
}

int kr_environment_pass(struct kr_environment *e, const struct kr_specifiers *s,
                        const struct kr_text *line)
{
	return add_list(e, &e->pass, s, line, 0);
}

int kr_environment_inherit(struct kr_environment *e,
                           enum kr_variable_source source, const char *name,
                           const char *value, struct kr_diag *diag)
{
	_cleanup_(variable_done) struct kr_unit_variable v = {
		.name = strdup(name),
		.source = source,
		.unknown = !value,
	};
	int r = v.name ? kr_text_append_string(&v.value, value ? value : "")
	               : -ENOMEM;

	return r < 0 ? r : hold(e, &e->all, &v, diag);
}

int kr_environment_inherit_one(struct kr_environment *e,
                               struct kr_unit_variable *variable)
{
	return add(&e->all, variable);
}

/* --- EnvironmentFile= ---------------------------------------------------- */

/* PATH without "//", "/./" and a slash at its end; ".." is not allowed. */
static int simplify(const char *path, char **ret)
{
	const char *s = path;
	char *out;

	*ret = NULL;
	for (; (s = strstr(s, "..")); s += 2) {
		if (s > path && s[-1] == '/' && (!s[2] || s[2] == '/'))
			return 0;
	}
	out = kr_path_normalise(path);
	*ret = out;
	return out ? 0 : -ENOMEM;
}

int kr_environment_add_file(struct kr_environment *e,
                            const struct kr_specifiers *s,
                            const struct kr_text *value)
{
	struct kr_span span = kr_text_span(value, 0, value->length);
	_cleanup_text_ struct kr_text text = {0};
	_cleanup_free_ char *path = NULL;
	bool any = false, unknown = false, optional;
	char *entry;
	int r;

	if (value->length == 0) {
		kr_strings_done(&e->paths);
		return 0;
	}
	r = kr_specifiers_expand(s, value, PATH_MAX - 1, &text, &any, &unknown);
	if (r == -ENOMEM)
		return r;
	optional = r >= 0 && text.bytes[0] == '-';
	if (r >= 0 && text.bytes[optional] == '/' &&
	    simplify(text.bytes + optional, &path) < 0)
		return -ENOMEM;
	if (!path) {
		kr_diag_add(s->diag, KR_WARNING, "environment-file-invalid",
		            span,
		            r < 0 ? "specifier cannot be resolved: ignored"
		                  : "path is not absolute and plain: ignored");
		return 0;
	}
	if (asprintf(&entry, "%s%s", optional ? "-" : "", path) < 0)
		return -ENOMEM;
	return kr_strings_consume(&e->paths, entry);
}

static bool has_magic(const char *s)
{
	return strpbrk(s, "*?[\\") != NULL;
}

struct glob {
	struct kr_environment *environment;
	struct kr_fs *fs;
	struct kr_diag *diag;
	struct kr_strings *ret;
};

static int glob_below(struct glob *g, const char *folder, const char *rest);

/* REST begins with the name that FOLDER/NAME matched. */
static int glob_match(struct glob *g, const char *folder, const char *name,
                      const char *rest)
{
	_cleanup_free_ char *path = kr_path_join(folder, name);
	_cleanup_stat_ struct kr_stat st = {0};

	rest += strcspn(rest, "/");
	if (!path)
		return -ENOMEM;
	if (*rest)
		return glob_below(g, path, rest + 1);
	if (kr_fs_stat(g->fs, path, false, &st) < 0)
		return 0;
	return kr_strings_consume(g->ret, TAKE_PTR(path));
}

static int glob_below(struct glob *g, const char *folder, const char *rest)
{
	_cleanup_free_ char *name = strndup(rest, strcspn(rest, "/"));
	_cleanup_dir_ struct kr_dir dir = {0};
	int r;

	if (!name)
		return -ENOMEM;
	if (!has_magic(name))
		return glob_match(g, folder, name, rest);
	r = kr_fs_list(g->fs, folder, &dir);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = work(g->environment, dir.n_entries * ENTRY, folder, g->diag);
	if (r < 0)
		return r;
	for (size_t i = 0; i < dir.n_entries; i++) {
		if (fnmatch(name, dir.entries[i].name, FNM_PERIOD) != 0)
			continue;
		r = glob_match(g, folder, dir.entries[i].name, rest);
		if (r < 0)
			return r;
	}
	return 0;
}

static int expand_glob(struct glob *g, const char *path)
{
	struct kr_strings *ret = g->ret;
	int r;

	if (!has_magic(path))
		return kr_strings_add(ret, path);
	r = glob_below(g, "/", path + 1);
	if (ret->n_items > 1)
		qsort(ret->items, ret->n_items, sizeof(*ret->items),
		      kr_strings_compare);
	return r;
}

struct file_reader {
	struct kr_environment *environment;
	struct kr_variables *to;
	struct kr_diag *diag;
};

/* A line of the value that looks like another assignment: a backslash or an
 * open quote at the end of the line before it has made it a part of this one.
 */
static void remark_swallowed(const struct kr_envfile_entry *entry,
                             struct kr_diag *diag)
{
	const struct kr_file *file = entry->span.file;
	size_t end = kr_span_end(entry->span);

	for (size_t i = entry->span.offset; i < end; i++) {
		size_t start = i + 1, n;

		if (file->data[i] != '\n')
			continue;
		while (start < end && strchr(" \t", file->data[start]))
			start++;
		n = strcspn(file->data + start, "= \t\r\n");
		if (start + n >= end || file->data[start + n] != '=' ||
		    !name_valid(file->data + start, n))
			continue;
		kr_diag_add(diag, KR_WARNING, "environment-line-swallowed",
		            (struct kr_span){file, start, n + 1},
		            "line is a part of the value of %s: the line "
		            "before it ends in a backslash, or a quote is open",
		            entry->key);
		return;
	}
}

static int take_entry(void *userdata, struct kr_envfile_entry *entry)
{
	struct file_reader *reader = userdata;
	_cleanup_(variable_done) struct kr_unit_variable v = {
		.source = KR_VARIABLE_FILE,
		.span = entry->span,
		.value_span = entry->value_span,
		.quote = entry->quote,
		.form = entry->form,
		.comment = entry->comment,
	};

	remark_swallowed(entry, reader->diag);
	if (!name_valid(entry->key, strlen(entry->key))) {
		kr_diag_add(reader->diag, KR_WARNING, "environment-invalid",
		            entry->span, "variable name is invalid: ignored");
		return 0;
	}
	v.name = strdup(entry->key);
	if (!v.name)
		return -ENOMEM;
	v.value = entry->value;
	entry->value = (struct kr_text){0};
	return hold(reader->environment, reader->to, &v, reader->diag);
}

/* The last one of NAME; NULL: there is none. */
static struct kr_unit_variable *find_last(struct kr_variables *in,
                                          const char *name)
{
	for (size_t i = in->n_items; i-- > 0;) {
		const char *other = in->items[i].name; /* NULL: moved away */

		if (other && strcmp(other, name) == 0)
			return &in->items[i];
	}
	return NULL;
}

/* Two readings of a file are compared up to so many assignments. */
#define COMPARED_MAX ((size_t)1000)

static bool same_value(const struct kr_text *a, const struct kr_text *b)
{
	return a->length == b->length &&
	       memcmp(a->bytes ? a->bytes : "", b->bytes ? b->bytes : "",
	              a->length) == 0;
}

static void make_unknown(struct kr_unit_variable *v)
{
	v->unknown = true;
	v->value.length = 0;
	if (v->value.bytes)
		v->value.bytes[0] = '\0';
}

static bool is_same(struct kr_variables *a, struct kr_variables *b,
                    const char *name)
{
	const struct kr_unit_variable *x = find_last(a, name);
	const struct kr_unit_variable *y = find_last(b, name);

	return x && y && same_value(&x->value, &y->value);
}

/* What differs between two readings is unknown in the first; all is, where to
 * compare each would take long. */
static int doubt_differences(struct kr_variables *to,
                             struct kr_variables *other, struct kr_span comment)
{
	bool many = to->n_items + other->n_items > COMPARED_MAX;

	for (size_t i = 0; i < other->n_items; i++) {
		struct kr_unit_variable *v = &other->items[i];
		int r;

		if (!many && find_last(to, v->name))
			continue;
		r = add(to, v);
		if (r < 0)
			return r;
	}
	/* from the end: the last of a name is compared first, and as it was */
	for (size_t i = to->n_items; i-- > 0;) {
		struct kr_unit_variable *v = &to->items[i];

		if (!many && is_same(to, other, v->name))
			continue;
		make_unknown(v);
		if (!v->comment.file)
			v->comment = comment;
	}
	return 0;
}

/*
 * FILE has a COMMENT that ends in a backslash: before systemd 254 the next line
 * belongs to it. Where nobody has said which systemd reads it, its files may;
 * else what depends on it is unknown.
 */
static int doubt_comments(struct file_reader *reader, struct kr_fs *fs,
                          const struct kr_file *file, struct kr_span comment)
{
	unsigned version = kr_systemd_version_in(fs);
	_cleanup_variables_ struct kr_variables other = {0};
	struct file_reader again = {reader->environment, &other, NULL};
	int r;

	if (version >= 254)
		return 0;
	r = kr_envfile_parse(file, true, take_entry, &again, NULL, NULL);
	if (r < 0 || version == 0)
		kr_diag_add(reader->diag, KR_WARNING, "comment-continues",
		            comment, KR_COMMENT_CONTINUES);
	if (r < 0)
		return r;
	if (version == 0)
		return doubt_differences(reader->to, &other, comment);
	kr_variables_done(reader->to);
	*reader->to = other;
	other = (struct kr_variables){0};
	return 0;
}

/* By systemd of VERSION, 0: not known. */
static int read_assignments(struct file_reader *reader, struct kr_fs *fs,
                            const struct kr_file *file, unsigned version)
{
	struct kr_span comment = KR_SPAN_NONE;
	int r = kr_envfile_parse(file, version != 0 && version < 254,
	                         take_entry, reader, reader->diag, &comment);

	if (r < 0 || version != 0 || !comment.file)
		return r;
	return doubt_comments(reader, fs, file, comment);
}

/*
 * What is at PATH, which reading ended with ERROR, is no file. systemd waits
 * until somebody writes to a FIFO, even where it may be missing. (Tried on
 * systemd 252: tests/test-systemd-start.py.)
 */
static int read_no_file(struct kr_fs *fs, const char *path, bool optional,
                        int error, struct kr_diag *diag)
{
	_cleanup_stat_ struct kr_stat st = {0};
	bool fifo = error == -EINVAL && kr_fs_stat(fs, path, true, &st) == 0 &&
	            S_ISFIFO(st.st.st_mode);

	if (optional && !fifo) {
		kr_diag_add_path(
			diag, KR_NOTE, "environment-file-ignored", path,
			"environment file is %s: systemd goes on "
			"without it",
			error == -EISDIR ? "a folder" : "no regular file");
		return 0;
	}
	kr_diag_add_path(diag, KR_ERROR, "environment-file-invalid", path,
	                 "environment file is %s",
	                 error == -EISDIR ? "a folder"
	                 : fifo ? "a FIFO: systemd waits for what is written "
	                          "to it, and starts nothing until then"
	                        : "no regular file");
	return KR_ENV_FILES_REFUSED;
}

/* Parses FILE; what stops systemd is a warning where it may do without. */
static int parse_file(struct kr_environment *e, struct kr_fs *fs,
                      const struct kr_file *file, unsigned version,
                      bool optional, struct kr_diag *diag)
{
	_cleanup_diag_ struct kr_diag found = {0};
	_cleanup_variables_ struct kr_variables variables = {0};
	struct file_reader reader = {e, &variables, &found};
	int r = read_assignments(&reader, fs, file, version);

	for (size_t i = 0; optional && r != -EFBIG && i < found.n_messages; i++)
		found.messages[i].severity = KR_WARNING;
	if (diag)
		kr_diag_merge(diag, &found);
	if (r >= 0)
		return move_all(&e->all, &variables);
	if (r == -EFBIG && e->held <= HELD_MAX)
		kr_diag_add_path(diag, KR_ERROR, "environment-too-large",
		                 file->path,
		                 "the environment is too large: a value of the "
		                 "file needs more than %zu MiB of memory",
		                 HELD_MAX >> 20);
	if (r == -ENOMEM || r == -EFBIG)
		return r;
	return optional ? KR_ENV_FILES_READ : KR_ENV_FILES_REFUSED;
}

static int read_file(struct kr_environment *e, struct kr_fs *fs,
                     const char *path, unsigned version, bool optional,
                     struct kr_diag *diag)
{
	const struct kr_file *file;
	int r = kr_fs_read(fs, path, &file);

	/* empty; an image need not have it */
	if (strcmp(path, "/dev/null") == 0 ||
	    (r == -EINVAL && kr_fs_is_device(fs, path)))
		return 0;
	if (r == -ENOENT || r == -ENOTDIR)
		return optional ? KR_ENV_FILES_READ : KR_ENV_FILES_MISSING;
	if (r == -EISDIR || r == -ELOOP || r == -EINVAL)
		return read_no_file(fs, path, optional, r, diag);
	if (r < 0) {
		kr_diag_add_path(diag, KR_ERROR, "file-unreadable", path,
		                 "environment file cannot be read: %s",
		                 kr_fs_strerror(-r));
		return r;
	}
	r = work(e, file->size + ENTRY, path, diag);
	if (r < 0)
		return r;
	r = kr_strings_add(&e->read, path);
	return r < 0 ? r : parse_file(e, fs, file, version, optional, diag);
}

static int keep_missing(struct kr_environment *e, const char *entry)
{
	free(e->missing);
	e->missing = strdup(entry);
	return e->missing ? KR_ENV_FILES_MISSING : -ENOMEM;
}

static int read_path(struct kr_environment *e, struct kr_fs *fs,
                     const char *entry, unsigned version, struct kr_diag *diag)
{
	bool optional = entry[0] == '-';
	_cleanup_strings_ struct kr_strings paths = {0};
	struct glob glob = {e, fs, diag, &paths};
	int r = expand_glob(&glob, entry + optional);

	if (r < 0)
		return r;
	if (paths.n_items == 0 && !optional)
		return keep_missing(e, entry);
	for (size_t i = 0; i < paths.n_items; i++) {
		r = read_file(e, fs, paths.items[i], version, optional, diag);
		if (r == KR_ENV_FILES_MISSING)
			return keep_missing(e, entry);
		if (r != KR_ENV_FILES_READ)
			return r;
	}
	return KR_ENV_FILES_READ;
}

int kr_environment_read(struct kr_environment *e, struct kr_fs *fs,
                        unsigned version, struct kr_diag *diag)
{
	int r = move_all(&e->all, &e->unit);

	if (r < 0)
		return r;
	for (size_t i = 0; i < e->paths.n_items; i++) {
		r = read_path(e, fs, e->paths.items[i], version, diag);
		if (r != KR_ENV_FILES_READ)
			return r;
	}
	return KR_ENV_FILES_READ;
}

/* --- the result ---------------------------------------------------------- */

/* Of a tsearch(3) tree by name. */
struct place {
	const char *name; /* of an assignment, which may be shadowed by now */
	size_t i;         /* in the result */
};

static void places_done(void **places)
{
	tdestroy(*places, free);
}

static int by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Where a variable of that name is; one that was not there gets the place
 * NEXT. NULL: no memory. */
static const struct place *find_place(void **places, const char *name,
                                      size_t next)
{
	struct place key = {name, next}, *place;
	struct place **node = tfind(&key, places, by_name);

	if (node)
		return *node;
	place = malloc(sizeof(*place));
	if (!place)
		return NULL;
	*place = key;
	if (!tsearch(place, places, by_name)) {
		free(place);
		return NULL;
	}
	return place;
}

/* Item I of ALL, where the first N are the result so far. */
static int put(struct kr_environment *e, void **places, size_t i, size_t *n)
{
	struct kr_unit_variable *items = e->all.items, v = items[i];
	const struct place *place = find_place(places, v.name, *n);

	if (!place)
		return -ENOMEM;
	items[i] = items[place->i];
	items[place->i] = v;
	if (place->i < *n)
		return add(&e->shadowed, &items[i]);
	(*n)++;
	return 0;
}

/* By the name, which "=" and a value may follow. */
static int compare_patterns(const char *a, const char *b)
{
	size_t n = strcspn(a, "="), m = strcspn(b, "=");
	int r = memcmp(a, b, n < m ? n : m);

	return r != 0 ? r : n < m ? -1 : n > m;
}

static int by_pattern(const void *a, const void *b)
{
	return compare_patterns(*(char *const *)a, *(char *const *)b);
}

/* The first for NAME: those for one name stand side by side in the list, which
 * is sorted. */
static size_t first_pattern(const struct kr_environment *e, const char *name)
{
	size_t first = 0, end = e->unset.n_items;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (compare_patterns(e->unset.items[middle], name) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

static bool is_unset(const struct kr_environment *e,
                     const struct kr_unit_variable *v)
{
	for (size_t i = first_pattern(e, v->name); i < e->unset.n_items; i++) {
		const char *pattern = e->unset.items[i];
		const char *equals = strchr(pattern, '=');

		if (compare_patterns(pattern, v->name) != 0)
			return false;
		if (!equals || strcmp(equals + 1, v->value.bytes) == 0)
			return true;
	}
	return false;
}

bool kr_environment_is_unset(const struct kr_environment *e, const char *name)
{
	for (size_t i = first_pattern(e, name); i < e->unset.n_items; i++) {
		if (compare_patterns(e->unset.items[i], name) != 0)
			return false;
		if (strcmp(e->unset.items[i], name) == 0)
			return true;
	}
	return false;
}

int kr_environment_merge(struct kr_environment *e, struct kr_variables *ret)
{
	_cleanup_(places_done) void *places = NULL;
	struct kr_variables *all = &e->all;
	size_t n_named = 0, n = 0;

	for (size_t i = 0; i < all->n_items; i++) {
		if (put(e, &places, i, &n_named) < 0)
			return -ENOMEM;
	}
	if (e->unset.n_items > 0)
		qsort(e->unset.items, e->unset.n_items, sizeof(char *),
		      by_pattern);
	for (size_t i = 0; i < n_named; i++) {
		struct kr_unit_variable v = all->items[i];

		all->items[i] = (struct kr_unit_variable){0};
		all->items[n++] = v;
		if (is_unset(e, &v) && add(&e->shadowed, &all->items[--n]) < 0)
			return -ENOMEM;
	}
	*ret = (struct kr_variables){all->items, n};
	*all = (struct kr_variables){0};
	return 0;
}

static int put_word(struct kr_strings *words, void **places,
                    const struct kr_unit_variable *v)
{
	const struct place *place = find_place(places, v->name, words->n_items);
	const char *value = v->value.bytes ? v->value.bytes : "";
	char *word;

	if (!place || asprintf(&word, "%s=%s", v->name, value) < 0)
		return -ENOMEM;
	if (place->i == words->n_items)
		return kr_strings_consume(words, word);
	free(words->items[place->i]);
	words->items[place->i] = word;
	return 0;
}

int kr_environment_written(const struct kr_environment *e,
                           struct kr_strings *ret)
{
	_cleanup_strings_ struct kr_strings words = {0};
	_cleanup_(places_done) void *places = NULL;

	for (size_t i = 0; i < e->unit.n_items; i++) {
		int r = put_word(&words, &places, &e->unit.items[i]);

		if (r < 0)
			return r;
	}
	*ret = words;
	words = (struct kr_strings){0};
	return 0;
}

void kr_environment_done(struct kr_environment *e)
{
	kr_variables_done(&e->all);
	kr_variables_done(&e->unit);
	kr_variables_done(&e->shadowed);
	kr_strings_done(&e->unset);
	kr_strings_done(&e->pass);
	kr_strings_done(&e->paths);
	kr_strings_done(&e->read);
	free(e->missing);
}
