/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ExecStart=.
 *
 *	value    = command { ";" command }	";" a word of its own, unquoted
 *	command  = prefixes PATH { word }
 *	prefixes = { "-" | "@" | ":" | "|" | "+" | "!" | "!!" }
 *
 * The first word is unquoted, then its prefixes are taken off, each once and in
 * any order ("+", "!" and "!!" exclude each other); with "@" the word behind
 * the path is argv[0]. Specifiers are resolved in each word by itself, so that
 * their values are never split. "\;" is a word of one semicolon. An unknown
 * escape stays as it is.
 *
 * What is wrong with a command makes systemd refuse the unit, unless the
 * command has a "-", which then is dropped with the rest of its line. An open
 * quote in the first word is only a line that is ignored.
 *
 * Source: config_parse_exec() in src/core/load-fragment.c, path_simplify(),
 * path_is_valid() in src/basic/path-util.c of systemd 252.
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "unit/exec.h"
#include "unit/word.h"

#define WORD_MAX_BYTES ((size_t)1024 * 1024)
#define WORDS_MAX      ((size_t)100000) /* of a command, each 400 bytes here */
#define COMMANDS_MAX   ((size_t)10000)
/* of all commands, escapes included, each of which takes 24 bytes */
#define HELD_MAX      ((size_t)24 * 1024 * 1024)
#define ONE           ((size_t)120) /* of a word, beside its bytes */
#define SHELL_VERSION 258           /* the first with "|" */

struct parser {
	const struct kr_specifiers *s;
	const struct kr_text *line;
	size_t *held; /* of the whole */
	size_t at;
	struct kr_exec_command command;
	bool privileges; /* one of "+", "!", "!!" was there */
	bool no_setuid;  /* it was "!" */
};

/* A word that is being read. */
struct word {
	struct kr_text text;
	uint32_t start, end;
	bool specifier, unknown;
};

static void word_done(struct word *word)
{
	kr_text_done(&word->text);
}

static void command_done(struct kr_exec_command *command)
{
	for (size_t i = 0; i < command->n_texts; i++)
		kr_text_done(&command->texts[i]);
	free(command->texts);
	free(command->words);
	free(command->path);
	*command = (struct kr_exec_command){0};
}

void kr_exec_done(struct kr_exec *exec)
{
	for (size_t i = 0; i < exec->n_commands; i++)
		command_done(&exec->commands[i]);
	for (size_t i = 0; i < exec->n_lines; i++)
		kr_text_done(&exec->lines[i]);
	free(exec->commands);
	free(exec->lines);
	*exec = (struct kr_exec){0};
}

/* Says what is wrong. 1: only the rest of the line is lost. */
static int refuse(const struct parser *p, size_t start, size_t end,
                  const char *text)
{
	bool ignore = p->command.ignore_failure;

	kr_diag_add(p->s->diag, ignore ? KR_WARNING : KR_ERROR,
	            "exec-start-invalid",
	            kr_text_span(p->line, start, end - start), "%s%s", text,
	            ignore ? ": the rest of the line is ignored" : "");
	return ignore ? 1 : -ENOEXEC;
}

static bool is_blank(char c)
{
	return c && strchr(KR_WORD_BLANKS, c);
}

/* Whether the bytes at AT are S as an unquoted word of its own. */
static bool is_token(const struct kr_text *line, size_t at, const char *s)
{
	size_t n = strlen(s);

	return line->length - at >= n && memcmp(line->bytes + at, s, n) == 0 &&
	       (at + n == line->length || is_blank(line->bytes[at + n]));
}

static size_t skip_blanks(const struct kr_text *line, size_t at)
{
	while (at < line->length && is_blank(line->bytes[at]))
		at++;
	return at;
}

/* The next word; an unknown escape is kept, with a warning. */
static int next_word(struct parser *p, struct kr_split_word *ret)
{
	size_t start = p->at;
	int r = kr_split_next(p->line, &p->at, KR_SPLIT_CUNESCAPE, ret);

	if (r != -EINVAL)
		return r;
	p->at = start;
	r = kr_split_next(p->line, &p->at,
	                  KR_SPLIT_CUNESCAPE | KR_SPLIT_KEEP_UNKNOWN, ret);
	if (r > 0)
		kr_diag_add(p->s->diag, KR_WARNING, "escape-unknown",
		            kr_text_span(p->line, ret->start,
		                         ret->end - ret->start),
		            "escape is unknown: kept as it is");
	return r;
}

/* What systemd would take, but was not written by hand. */
static int too_large(const struct parser *p, size_t start, size_t most,
                     const char *what)
{
	kr_diag_add(
		p->s->diag, KR_ERROR, "exec-start-too-large",
		kr_text_span(p->line, start, 1),
		"the command is too large to be read: there must be at most "
		"%zu %s",
		most, what);
	return -EFBIG;
}

/* Whether WORD is the line's bytes as they stand there: each of one byte, one
 * behind the other, and none left out. */
static bool is_plain(const struct parser *p, const struct word *word)
{
	const struct kr_text *text = &word->text;

	return text->length > 0 && text->length == word->end - word->start &&
	       text->n_runs == 1 && text->first.length == 1 &&
	       memcmp(p->line->bytes + word->start, text->bytes,
	              text->length) == 0;
}

/* *WORD is moved, if that works. */
static int add_word(struct parser *p, struct word *word)
{
	struct kr_exec_command *c = &p->command;
	struct kr_exec_word *next;
	bool plain = is_plain(p, word);
	int r;

	if (c->n_words == WORDS_MAX)
		return too_large(p, word->start, WORDS_MAX, "words");
	*p->held += ONE + word->text.size +
	            2 * word->text.n_runs * sizeof(struct kr_run);
	if (*p->held > HELD_MAX)
		return too_large(p, word->start, HELD_MAX >> 20,
		                 "MiB of memory for all words");
	r = plain ? 0 : KR_VEC_MOVE(c->texts, c->n_texts, &word->text);
	if (r < 0)
		return r;
	next = KR_VEC_NEXT(c->words, c->n_words);
	if (!next)
		return -ENOMEM;
	*next = (struct kr_exec_word){
		.text = plain ? 0 : (uint32_t)c->n_texts,
		.start = word->start,
		.end = word->end,
		.specifier = word->specifier,
		.unknown = word->unknown,
	};
	c->n_words++;
	c->end = word->end;
	return 0;
}

/* --- the program --------------------------------------------------------- */

static bool take_privilege(struct parser *p, char c)
{
	if (c == '!' && p->no_setuid) { /* "!!" */
		p->no_setuid = false;
		return true;
	}
	if (p->privileges)
		return false;
	p->privileges = true;
	p->no_setuid = c == '!';
	return true;
}

static bool take_flag(bool *flag)
{
	if (*flag)
		return false;
	*flag = true;
	return true;
}

static bool take_prefix(struct parser *p, char c)
{
	unsigned version = p->s->options ? p->s->options->systemd_version : 0;

	switch (c) {
	case '-':
		return take_flag(&p->command.ignore_failure);
	case '@':
		return take_flag(&p->command.argv0);
	case ':':
		return take_flag(&p->command.no_environment);
	case '|':
		return (version == 0 || version >= SHELL_VERSION) &&
		       take_flag(&p->command.shell);
	case '+':
	case '!':
		return take_privilege(p, c);
	default:
		return false;
	}
}

static bool name_safe(const char *s)
{
	for (; *s; s++) {
		if ((*s > 0 && *s < ' ') || strchr("\"'\\\x7f", *s))
			return false;
	}
	return true;
}

/* An absolute path, or the name of a program to be looked for. */
static bool program_valid(const char *s)
{
	size_t total = strlen(s);

	if (total >= PATH_MAX)
		return false;
	if (s[0] != '/')
		return total <= NAME_MAX && !strchr(s, '/') &&
		       strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
	while (*s) {
		size_t n = strcspn(s, "/");

		if (n > NAME_MAX)
			return false;
		s += n + (s[n] == '/');
	}
	return true;
}

/* Without "//", "/." and a slash at the end; ".." stays. */
static char *simplify(const char *s)
{
	char *out = malloc(strlen(s) + 2), *p = out;

	if (!out || s[0] != '/')
		return out ? strcpy(out, s) : NULL;
	while (*s) {
		size_t n = strcspn(s, "/");

		if (n > 0 && !(n == 1 && *s == '.')) {
			*p++ = '/';
			p = mempcpy(p, s, n);
		}
		s += n + (s[n] == '/');
	}
	if (p == out)
		*p++ = '/';
	*p = '\0';
	return out;
}

static const char *program_fault(const struct kr_text *path)
{
	const char *s = path->bytes;

	if (path->length == 0)
		return "command has no program";
	if (!name_safe(s))
		return "program's name has special characters";
	if (s[path->length - 1] == '/')
		return "program is a folder";
	if (!program_valid(s))
		return "program is neither an absolute path nor a name";
	return NULL;
}

/* Behind "|" all words are the shell's: what is left of the first is one, and
 * nothing of it is judged. */
static int parse_shell_word(struct parser *p, const struct kr_text *bare,
                            struct word *word)
{
	int r;

	p->command.path = strdup("/bin/sh");
	if (!p->command.path)
		return -ENOMEM;
	if (bare->length == 0)
		return 0;
	r = kr_specifiers_expand(p->s, bare, WORD_MAX_BYTES, &word->text,
	                         &word->specifier, &word->unknown);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return refuse(p, word->start, word->end,
		              "specifier cannot be resolved");
	return add_word(p, word);
}

/* The program's word without its prefixes. > 0: the line is done. */
static int parse_program(struct parser *p, const struct kr_split_word *first)
{
	_cleanup_(word_done) struct word word = {.start = first->start,
	                                         .end = first->end};
	_cleanup_text_ struct kr_text bare = {0};
	size_t n = 0;
	const char *fault;
	int r;

	while (n < first->text.length && take_prefix(p, first->text.bytes[n]))
		n++;
	p->command.start = first->start;
	p->command.end = p->command.path_end = first->end;
	/* "-@/bin/x" has its prefixes byte by byte before the program */
	if (memcmp(p->line->bytes + first->start, first->text.bytes, n) == 0)
		word.start += n;
	r = kr_text_append_part(&bare, &first->text, n, first->text.length - n);
	if (r < 0)
		return r;
	if (p->command.shell)
		return parse_shell_word(p, &bare, &word);
	r = kr_specifiers_expand(p->s, &bare, PATH_MAX - 1, &word.text,
	                         &word.specifier, &word.unknown);
	if (r == -ENOMEM)
		return r;
	fault = r < 0 ? "specifier cannot be resolved"
	              : program_fault(&word.text);
	if (fault)
		return refuse(p, first->start, first->end, fault);
	p->command.path = simplify(word.text.bytes);
	if (!p->command.path)
		return -ENOMEM;
	return p->command.argv0 ? 0 : add_word(p, &word);
}

/* --- the arguments ------------------------------------------------------- */

static int add_semicolon(struct parser *p)
{
	_cleanup_(word_done) struct word word = {.start = p->at,
	                                         .end = p->at + 2};
	int r = kr_text_push(&word.text, ';',
	                     kr_span_origin(kr_text_span(p->line, p->at, 2)));

	if (r < 0)
		return r;
	p->at = skip_blanks(p->line, p->at + 2);
	return add_word(p, &word);
}

/* > 0: the line is done. */
static int parse_argument(struct parser *p)
{
	_cleanup_split_word_ struct kr_split_word raw = {0};
	_cleanup_(word_done) struct word word = {0};
	int r;

	if (is_token(p->line, p->at, "\\;"))
		return add_semicolon(p);
	r = next_word(p, &raw);
	if (r == -EINVAL)
		return refuse(p, p->command.start, p->line->length,
		              "quote is not closed");
	if (r <= 0)
		return r < 0 ? r : 0;
	word.start = raw.start;
	word.end = raw.end;
	r = kr_specifiers_expand(p->s, &raw.text, WORD_MAX_BYTES, &word.text,
	                         &word.specifier, &word.unknown);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return refuse(p, word.start, word.end,
		              "specifier cannot be resolved");
	return add_word(p, &word);
}

/* *RET_MORE: another command follows. > 0: the line is done. */
static int parse_arguments(struct parser *p, bool *ret_more)
{
	while (p->at < p->line->length) {
		int r;

		if (is_token(p->line, p->at, ";")) {
			p->at = skip_blanks(p->line, p->at + 1);
			*ret_more = true;
			break;
		}
		r = parse_argument(p);
		if (r != 0)
			return r;
	}
	if (p->command.n_words == 0)
		return refuse(p, p->command.start, p->command.end,
		              "command has no argv[0]");
	return 0;
}

/* > 0: the line is done. */
static int parse_command(struct kr_exec *exec, struct parser *p, bool *ret_more)
{
	_cleanup_split_word_ struct kr_split_word first = {0};
	int r = next_word(p, &first);

	*ret_more = false;
	if (r == -EINVAL)
		kr_diag_add(p->s->diag, KR_WARNING, "exec-start-invalid",
		            kr_text_span(p->line, 0, p->line->length),
		            "quote is not closed: the line is ignored");
	if (r <= 0)
		return r == -ENOMEM ? r : 1;
	p->privileges = p->no_setuid = false;
	if (strcmp(first.text.bytes, ";") == 0) {
		*ret_more = true;
		return 0;
	}
	p->command.line = exec->n_lines - 1;
	r = parse_program(p, &first);
	if (r != 0)
		return r;
	r = parse_arguments(p, ret_more);
	if (r != 0)
		return r;
	if (exec->n_commands == COMMANDS_MAX)
		return too_large(p, p->command.start, COMMANDS_MAX, "commands");
	return KR_VEC_MOVE(exec->commands, exec->n_commands, &p->command);
}

int kr_exec_parse(struct kr_exec *exec, const struct kr_specifiers *specifiers,
                  struct kr_text *value)
{
	struct parser p = {.s = specifiers, .held = &exec->held};
	bool more = true;
	int r;

	if (value->length == 0) {
		kr_exec_done(exec);
		return 0;
	}
	r = KR_VEC_MOVE(exec->lines, exec->n_lines, value);
	if (r < 0)
		return r;
	p.line = &exec->lines[exec->n_lines - 1];
	while (more) {
		r = parse_command(exec, &p, &more);
		command_done(&p.command);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return 0;
}

/* The bytes of word I, which a NUL need not follow. */
static const char *bytes_of(const struct kr_exec_command *c, size_t i,
                            const struct kr_text *line, size_t *ret_length)
{
	const struct kr_exec_word *word = &c->words[i];

	*ret_length = word->end - word->start;
	if (word->text == 0)
		return line->bytes + word->start;
	*ret_length = c->texts[word->text - 1].length;
	return c->texts[word->text - 1].bytes;
}

char **kr_exec_written(const struct kr_exec_command *c,
                       const struct kr_text *line)
{
	size_t size = (c->n_words + 1) * sizeof(char *), length;
	char **words, *at;

	for (size_t i = 0; i < c->n_words; i++) {
		bytes_of(c, i, line, &length);
		size += length + 1;
	}
	words = malloc(size);
	if (!words)
		return NULL;
	at = (char *)(words + c->n_words + 1);
	for (size_t i = 0; i < c->n_words; i++) {
		const char *bytes = bytes_of(c, i, line, &length);

		words[i] = at;
		if (length > 0)
			memcpy(at, bytes, length);
		at[length] = '\0';
		at += length + 1;
	}
	words[c->n_words] = NULL;
	return words;
}
