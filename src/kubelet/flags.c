/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet's command line, word by word as pflag takes it.
 *
 *	""  "-"  "word"		positional: kubelet refuses them all
 *	"--"			the rest is positional; alone it is fine
 *	"--name=value"		the value, empty too
 *	"--name"		a bool: true, the next word is left alone;
 *				any other: the next word, whatever it is
 *	"---…"  "--=…"		refused
 *	"-v2"  "-v=2"  "-v 2"	the shorthand of --v; "-h" that of --help; they
 *				may be joined ("-hv2")
 *	"-test.…"		skipped
 *
 * Flags and positional words may come in any order. The last occurrence of a
 * flag wins, but each must parse. --help and --version are looked at when all
 * words have parsed and none is positional: then kubelet prints and exits.
 *
 * kubelet stops at the first word that it refuses. This reader goes on behind
 * it as if it were not there: a fix must know all words that are in its way.
 * Words that are meant to be our flag (misspelt, a colon for "=", a value in a
 * word of its own) are uses with an invalid state, so that they can be cut.
 *
 * A flag that no known version has is not refused: it may be one of a newer
 * kubelet. Where it has no "=" its next word is its value if it does not look
 * like a flag; if that word is one on which our answer depends, there is no
 * answer.
 *
 * Source: spf13/pflag 1.0.5 and 1.0.10, flag.go; cmd/kubelet/app/server.go;
 * component-base version/verflag; measured (tests/cases/kubelet-oracle.jsonl).
 */

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/format.h"
#include "base/macro.h"
#include "base/vec.h"
#include "kubelet/flag-name.h"
#include "kubelet/flag-table.h"
#include "kubelet/flags.h"
#include "kubelet/go.h"

#define QUOTE_MAX 60 /* bytes of a word in a message */

struct reader {
	const char *const *argv;
	size_t argc;
	size_t next;       /* the word that is read next */
	const char **last; /* the last value of each flag in the table */
	size_t *last_arg;  /* and where its flag stands */
	struct kr_flags flags;
};

/* WORD in double quotes and in ASCII, cut where it is long. */
static char *quote(const char *word)
{
	static const char hex[] = "0123456789abcdef";
	size_t length = strnlen(word, QUOTE_MAX);
	char *s = malloc(4 * length + sizeof("\"...\""));
	char *p = s;

	if (!s)
		return NULL;
	*p++ = '"';
	for (size_t i = 0; i < length; i++) {
		unsigned char c = word[i];

		if (c >= 0x20 && c < 0x7f) {
			*p++ = c;
			continue;
		}
		*p++ = '\\';
		*p++ = 'x';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	strcpy(p, word[length] ? "...\"" : "\"");
	return s;
}

/* The last of KR_DIAG_KEPT remarks with this CODE; NULL: there is room. */
static struct kr_flags_remark *last_kept(const struct kr_flags *flags,
                                         const char *code)
{
	struct kr_flags_remark *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < flags->n_remarks; i++) {
		if (strcmp(flags->remarks[i].code, code) != 0)
			continue;
		last = &flags->remarks[i];
		n++;
	}
	return n >= KR_DIAG_KEPT ? last : NULL;
}

_printf_(5, 0) static int add_remark_v(struct kr_flags *flags, size_t arg,
                                       bool fatal, const char *code,
                                       const char *format, va_list args)
{
	struct kr_flags_remark *next, *last = last_kept(flags, code);
	char *text = NULL;
	int r;

	if (last) {
		last->n_more++;
		return 0;
	}
	next = KR_VEC_NEXT(flags->remarks, flags->n_remarks);
	if (!next)
		return -ENOMEM;
	r = kr_vformat(&text, format, args);
	if (r < 0)
		return r;
	*next = (struct kr_flags_remark){
		.arg = arg,
		.fatal = fatal,
		.code = code,
		.text = text,
	};
	flags->n_remarks++;
	return 0;
}

int kr_flags_add_remark(struct kr_flags *flags, size_t arg, bool fatal,
                        const char *code, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = add_remark_v(flags, arg, fatal, code, format, args);
	va_end(args);
	return r;
}

_printf_(5, 6) static int add_remark(struct reader *r, size_t arg, bool fatal,
                                     const char *code, const char *format, ...)
{
	va_list args;
	int err;

	va_start(args, format);
	err = add_remark_v(&r->flags, arg, fatal, code, format, args);
	va_end(args);
	return err;
}

static int add_use(struct reader *r, const struct kr_flag_use *use)
{
	struct kr_flag_use *next = KR_VEC_NEXT(r->flags.uses, r->flags.n_uses);

	if (!next)
		return -ENOMEM;
	*next = *use;
	r->flags.n_uses++;
	return 0;
}

static bool is_switch_word(const char *word)
{
	static const char *const words[] = {
		"true", "false", "t",  "f",   "1", "0",
		"yes",  "no",    "on", "off", "y", "n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcasecmp(word, words[i]))
			return true;
	return false;
}

/* How many words from R->NEXT on were meant as the value of our flag before
 * them: "false", "=false", "= false", "=". */
static size_t count_value_words(const struct reader *r)
{
	const char *word;
	size_t n = 0;

	if (r->next == r->argc)
		return 0;
	word = r->argv[r->next];
	if (*word == '=' || *word == ':') {
		n = 1;
		if (*++word)
			return is_switch_word(word);
		if (r->next + 1 == r->argc)
			return n;
		word = r->argv[r->next + 1];
	}
	return n + is_switch_word(word);
}

/* Words behind the boolean flag NAME at ARG that it does not take. */
static int take_value_words(struct reader *r, const char *name, size_t arg,
                            size_t n)
{
	_cleanup_free_ char *word = quote(r->argv[r->next]);
	int err;

	if (!word)
		return -ENOMEM;
	err = add_remark(r, arg, true, "flag-two-words",
	                 "--%s: expected its value behind \"=\" in the same "
	                 "word, not as the word %s",
	                 name, word);
	r->next += n;
	return err;
}

/* FIELD's flag under a name that is not its own, in the word ARG. */
static int read_misspelt(struct reader *r, int field, size_t arg,
                         const char *code)
{
	const struct kr_field *f = kr_field(field);
	const char *word = r->argv[arg];
	const char *mark = strpbrk(word, "=:");
	_cleanup_free_ char *quoted = quote(word);
	struct kr_flag_use use = {
		.field = field,
		.arg = arg,
		.n_args = 1,
		.value_arg = arg,
		.value = mark ? mark + 1 - word : 0,
		.state = KR_STATE_INVALID,
	};
	size_t n = 0;
	int err;

	if (!quoted)
		return -ENOMEM;
	if (f->type == KR_TYPE_BOOL && (!mark || !mark[1]))
		n = count_value_words(r);
	use.n_args += n;
	err = add_use(r, &use);
	if (err < 0)
		return err;
	r->next += n;
	if (f->type != KR_TYPE_BOOL || f->combine == KR_COMBINE_GATE)
		return add_remark(r, arg, true, code, "%s: expected --%s=VALUE",
		                  quoted, f->flag);
	return add_remark(r, arg, true, code,
	                  "%s: expected --%s=true or --%s=false", quoted,
	                  f->flag, f->flag);
}

/* The settings of the benchmarks, whose flags people misspell. */
static bool is_known_to_people(int field)
{
	return field < KR_N_SETTINGS && field != KR_FIELD_HOSTNAME_OVERRIDE;
}

/* The field whose flag is meant by WORD, which is no long flag; -1. */
static int meant_field(const char *word)
{
	for (int i = 0; i < KR_N_FIELDS; i++) {
		if (is_known_to_people(i) &&
		    kr_flag_meant(kr_field(i)->flag, word))
			return i;
	}
	return -1;
}

static int read_positional(struct reader *r, size_t arg, bool behind_dashes)
{
	_cleanup_free_ char *quoted = NULL;
	int field = meant_field(r->argv[arg]);

	if (!behind_dashes && field >= 0)
		return read_misspelt(r, field, arg, "flag-misspelt");
	if (field >= 0) {
		const struct kr_flag_use use = {
			.field = field,
			.arg = arg,
			.n_args = 1,
			.value_arg = arg,
			.state = KR_STATE_INVALID,
		};
		int err = add_use(r, &use);

		if (err < 0)
			return err;
	}
	quoted = quote(r->argv[arg]);
	if (!quoted)
		return -ENOMEM;
	return add_remark(r, arg, true, "flag-positional",
	                  behind_dashes ? "%s: expected nothing behind \"--\""
	                                : "%s: expected a flag, kubelet takes "
	                                  "no other words",
	                  quoted);
}

/* The value of a boolean of ours: at USE, which lacks its state. */
static int take_boolean(struct reader *r, const struct kr_flag *flag,
                        struct kr_flag_use *use)
{
	int value = kr_go_bool(use->text);
	const char *text = use->text;
	_cleanup_free_ char *quoted = NULL;
	size_t n = 0;
	int err;

	if (!use->value || !*text)
		n = count_value_words(r);
	use->n_args += n;
	if (value < 0 || n) {
		use->state = KR_STATE_INVALID;
		use->text = NULL;
	} else {
		use->state = value ? KR_STATE_TRUE : KR_STATE_FALSE;
	}
	err = add_use(r, use);
	if (err < 0)
		return err;
	if (n)
		return take_value_words(r, flag->name, use->arg, n);
	if (value >= 0)
		return 0;
	quoted = quote(text);
	if (!quoted)
		return -ENOMEM;
	return add_remark(r, use->arg, true, "flag-value",
	                  "--%s: expected true or false, not %s", flag->name,
	                  quoted);
}

/* FLAG in the word ARG has the value TEXT, at OFFSET of the word VALUE_ARG. */
static int take_value(struct reader *r, const struct kr_flag *flag, size_t arg,
                      const char *text, size_t value_arg, size_t offset)
{
	_cleanup_free_ char *quoted = NULL;
	struct kr_flag_use use = {
		.field = kr_field_of_flag(flag->name),
		.arg = arg,
		.n_args = value_arg - arg + 1,
		.value_arg = value_arg,
		.value = offset,
		.state = KR_STATE_VALUE,
		.text = text,
	};
	bool valid = kr_flag_value_valid(flag, text);
	const struct kr_flag *table;
	size_t n;

	table = kr_flag_table(&n);
	if (valid) {
		r->last[flag - table] = text;
		r->last_arg[flag - table] = arg;
	}
	if (use.field >= 0 && flag->type == KR_FLAG_BOOL)
		return take_boolean(r, flag, &use);
	if (use.field >= 0) {
		if (!valid) {
			use.state = KR_STATE_INVALID;
			use.text = NULL;
		}
		if (add_use(r, &use) < 0)
			return -ENOMEM;
	}
	if (valid)
		return 0;
	quoted = quote(text);
	if (!quoted)
		return -ENOMEM;
	return add_remark(r, arg, true, "flag-value",
	                  "--%s: expected %s, not %s", flag->name,
	                  kr_flag_wants(flag), quoted);
}

/* FLAG in the word ARG takes the next word. */
static int take_next_word(struct reader *r, const struct kr_flag *flag,
                          size_t arg)
{
	_cleanup_free_ char *quoted = NULL;
	size_t value_arg = r->next;
	int err;

	if (value_arg == r->argc)
		return add_remark(r, arg, true, "flag-argument",
		                  "--%s: expected %s behind it, not the end",
		                  flag->name, kr_flag_wants(flag));
	r->next++;
	err = take_value(r, flag, arg, r->argv[value_arg], value_arg, 0);
	if (err < 0 || strncmp(r->argv[value_arg], "--", 2))
		return err;
	quoted = quote(r->argv[value_arg]);
	if (!quoted)
		return -ENOMEM;
	return add_remark(r, arg, false, "flag-swallows",
	                  "--%s: takes the word %s as its value", flag->name,
	                  quoted);
}

/* The word may be a flag of ours, or the value of the one before it: whether an
 * answer depends on that. */
static int note_ambiguous(struct reader *r, const char *word)
{
	const struct kr_flag *flag;
	int field;

	if (strncmp(word, "--", 2))
		return 0;
	flag = kr_flag_find(word + 2, strcspn(word + 2, "="));
	field = flag ? kr_field_of_flag(flag->name) : -1;
	if (field < 0)
		return 0;
	if (!r->flags.ambiguous)
		r->flags.ambiguous =
			calloc(KR_N_FIELDS, sizeof(*r->flags.ambiguous));
	if (!r->flags.ambiguous)
		return -ENOMEM;
	for (int i = 0; i < KR_N_FIELDS; i++) {
		if (i == field || field == KR_FIELD_CONFIG ||
		    field == KR_FIELD_CONFIG_DIR ||
		    !strcmp(kr_field(i)->flag ?: "", flag->name))
			r->flags.ambiguous[i] = true;
	}
	return 1;
}

/* A flag of no version that is known, in the word ARG. */
static int read_unknown(struct reader *r, size_t arg, bool has_value)
{
	_cleanup_free_ char *quoted = quote(r->argv[arg]);
	const char *word = NULL;
	int ambiguous = 0;

	if (!quoted)
		return -ENOMEM;
	if (!has_value && r->next < r->argc)
		word = r->argv[r->next];
	if (word)
		ambiguous = note_ambiguous(r, word);
	if (ambiguous < 0)
		return ambiguous;
	if (ambiguous) {
		return add_remark(r, arg, false, "flag-unknown",
		                  "%s: is no flag that is known, and may take "
		                  "the next word as its value",
		                  quoted);
	}
	if (word && (*word != '-' || !word[1]))
		r->next++;
	return add_remark(r, arg, false, "flag-unknown",
	                  "%s: is no flag that is known, kubelet may refuse it",
	                  quoted);
}

/* A long flag that is not in the table. */
static int read_stranger(struct reader *r, size_t arg, const char *name,
                         size_t length, bool has_value)
{
	_cleanup_free_ char *quoted = NULL;

	bool impossible = false;

	for (int i = 0; i < KR_N_FIELDS; i++) {
		if (!is_known_to_people(i))
			continue;
		switch (kr_flag_compare(kr_field(i)->flag, name, length)) {
		case KR_FLAG_COLON:
			return read_misspelt(r, i, arg, "flag-colon");
		case KR_FLAG_MISSPELT:
			return read_misspelt(r, i, arg, "flag-misspelt");
		case KR_FLAG_OTHER:
			break;
		case KR_FLAG_IMPOSSIBLE:
			impossible = true;
			break;
		}
	}
	if (!impossible)
		return read_unknown(r, arg, has_value);
	quoted = quote(r->argv[arg]);
	if (!quoted)
		return -ENOMEM;
	return add_remark(r, arg, true, "flag-name",
	                  "%s: expected a flag's name of lower case letters, "
	                  "digits and dashes",
	                  quoted);
}

/* "--name" or "--name=value" in the word ARG. */
static int read_long(struct reader *r, size_t arg)
{
	const char *word = r->argv[arg], *name = word + 2;
	size_t length = strcspn(name, "=");
	_cleanup_free_ char *quoted = NULL;
	const struct kr_flag *flag;

	if (*name == '-' || *name == '=') {
		int field = meant_field(word);

		if (field >= 0)
			return read_misspelt(r, field, arg, "flag-misspelt");
		quoted = quote(word);
		if (!quoted)
			return -ENOMEM;
		return add_remark(r, arg, true, "flag-syntax",
		                  "%s: expected a name behind two dashes",
		                  quoted);
	}
	flag = kr_flag_find(name, length);
	if (!flag)
		return read_stranger(r, arg, name, length, name[length]);
	if (name[length])
		return take_value(r, flag, arg, name + length + 1, arg,
		                  2 + length + 1);
	if (kr_flag_is_bare(flag))
		return take_value(r, flag, arg, "true", arg, 0);
	return take_next_word(r, flag, arg);
}

/* The shorthands in the word ARG: of "h" and "v", the only ones there are. */
static int read_short(struct reader *r, size_t arg)
{
	const char *word = r->argv[arg];
	_cleanup_free_ char *quoted = NULL;
	const struct kr_flag *flag;
	int err, field;

	for (const char *s = word + 1; *s; s++) {
		if (!strncmp(s, "test.", 5))
			return 0;
		flag = *s == 'h'   ? kr_flag_find("help", 4)
		       : *s == 'v' ? kr_flag_find("v", 1)
		                   : NULL;
		if (!flag)
			break;
		if (s[1] == '=' && s[2])
			return take_value(r, flag, arg, s + 2, arg,
			                  s + 2 - word);
		if (kr_flag_is_bare(flag)) {
			err = take_value(r, flag, arg, "true", arg, 0);
			if (err < 0 || !s[1])
				return err;
			continue;
		}
		if (s[1])
			return take_value(r, flag, arg, s + 1, arg,
			                  s + 1 - word);
		return take_next_word(r, flag, arg);
	}

	field = meant_field(word);
	if (field >= 0)
		return read_misspelt(r, field, arg, "flag-misspelt");
	quoted = quote(word);
	if (!quoted)
		return -ENOMEM;
	return add_remark(r, arg, true, "flag-shorthand",
	                  "%s: expected -v or -h, or two dashes", quoted);
}

static int read_words(struct reader *r)
{
	bool behind_dashes = false;
	int err = 0;

	while (err == 0 && r->next < r->argc) {
		size_t arg = r->next++;
		const char *word = r->argv[arg];

		if (behind_dashes || word[0] != '-' || !word[1])
			err = read_positional(r, arg, behind_dashes);
		else if (word[1] != '-')
			err = read_short(r, arg);
		else if (word[2])
			err = read_long(r, arg);
		else
			behind_dashes = true;
	}
	return err;
}

/* What kubelet looks at when it has all words: the ranges of last values. */
static int check_ranges(struct reader *r)
{
	const struct kr_flag *table;
	size_t n;
	int err = 0;

	table = kr_flag_table(&n);
	for (size_t i = 0; err == 0 && i < n; i++) {
		_cleanup_free_ char *quoted = NULL;

		if (!r->last[i] ||
		    kr_flag_value_in_range(&table[i], r->last[i]))
			continue;
		quoted = quote(r->last[i]);
		if (!quoted)
			return -ENOMEM;
		err = add_remark(r, r->last_arg[i], true, "flag-value",
		                 "--%s: expected a number from %lld to %lld, "
		                 "not %s",
		                 table[i].name, (long long)table[i].min,
		                 (long long)table[i].max, quoted);
	}
	return err;
}

static bool any_fatal(const struct kr_flags *flags)
{
	for (size_t i = 0; i < flags->n_remarks; i++)
		if (flags->remarks[i].fatal)
			return true;
	return false;
}

/* --help or --version, where it is on at the end, stops kubelet. */
static int check_exits(struct reader *r)
{
	static const char *const names[] = {"help", "version"};
	const struct kr_flag *table;
	size_t n;
	int err;

	if (any_fatal(&r->flags))
		return 0;
	table = kr_flag_table(&n);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t row = kr_flag_find(names[i], strlen(names[i])) - table;
		const char *value = r->last[row];

		if (!value || kr_go_bool(value) == 0 || *value == 'v')
			continue;
		r->flags.never_runs = true;
		err = add_remark(r, r->last_arg[row], true, "flag-exits",
		                 "--%s: kubelet prints and exits, it does not "
		                 "run",
		                 names[i]);
		if (err < 0)
			return err;
	}
	return 0;
}

int kr_flags_parse(const char *const *argv, size_t argc, struct kr_flags *ret)
{
	_cleanup_free_ const char **last = NULL;
	_cleanup_free_ size_t *last_arg = NULL;
	_cleanup_flags_ struct kr_flags failed = {0};
	struct reader r = {
		.argv = argv,
		.argc = argc,
		.next = argc ? 1 : 0,
	};
	size_t n;
	int err;

	kr_flag_table(&n);
	r.last = last = calloc(n, sizeof(*last));
	r.last_arg = last_arg = calloc(n, sizeof(*last_arg));
	if (!last || !last_arg)
		return -ENOMEM;

	err = read_words(&r);
	if (err == 0)
		err = check_ranges(&r);
	if (err == 0)
		err = check_exits(&r);
	failed = r.flags;
	if (err < 0)
		return err;
	failed.given = calloc(n, sizeof(*failed.given));
	if (!failed.given)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		failed.given[i] = last[i] ? last_arg[i] + 1 : 0;
	failed.refused = any_fatal(&failed);
	*ret = failed;
	failed = (struct kr_flags){0};
	return 0;
}

static bool same_flag(int a, int b)
{
	return a == b || (kr_field(a)->combine == KR_COMBINE_GATE &&
	                  kr_field(b)->combine == KR_COMBINE_GATE);
}

const struct kr_flag_use *kr_flags_next(const struct kr_flags *flags, int field,
                                        size_t *at)
{
	while (*at < flags->n_uses) {
		const struct kr_flag_use *use = &flags->uses[(*at)++];

		if (same_flag(use->field, field))
			return use;
	}
	return NULL;
}

const struct kr_flag_use *kr_flags_last(const struct kr_flags *flags, int field)
{
	const struct kr_flag_use *use, *last = NULL;
	size_t at = 0;

	while ((use = kr_flags_next(flags, field, &at))) {
		if (use->state != KR_STATE_INVALID)
			last = use;
	}
	return last;
}

const char *kr_flags_text(const struct kr_flags *flags, int field)
{
	const struct kr_flag_use *last = kr_flags_last(flags, field);

	return last ? last->text : NULL;
}

int kr_flag_use_value(const struct kr_flag_use *use, int field,
                      struct kr_value *ret)
{
	const struct kr_field *f = kr_field(field);

	if (!use->text)
		return -ENOENT;
	if (f->combine == KR_COMBINE_GATE)
		return kr_value_parse(KR_TYPE_STRING, use->text,
		                      strlen(use->text), ret);
	return kr_value_parse(f->type, use->text, strlen(use->text), ret);
}

size_t kr_flags_count(const struct kr_flags *flags, int field)
{
	size_t at = 0, n = 0;

	while (kr_flags_next(flags, field, &at))
		n++;
	return n;
}

bool kr_flags_invalid(const struct kr_flags *flags, int field)
{
	const struct kr_flag_use *use;
	size_t at = 0;

	while ((use = kr_flags_next(flags, field, &at))) {
		if (use->state == KR_STATE_INVALID)
			return true;
	}
	return false;
}

enum kr_state kr_flags_state(const struct kr_flags *flags, int field)
{
	const struct kr_flag_use *last = kr_flags_last(flags, field);

	if (flags->refused)
		return KR_STATE_INVALID;
	if (flags->unknown || (flags->ambiguous && flags->ambiguous[field]))
		return KR_STATE_UNKNOWN;
	return last ? last->state : KR_STATE_ABSENT;
}

bool kr_flags_is_use(const struct kr_flags *flags, int field, size_t arg)
{
	const struct kr_flag_use *use;
	size_t at = 0;

	while ((use = kr_flags_next(flags, field, &at))) {
		if (arg >= use->arg && arg < use->arg + use->n_args)
			return true;
	}
	return false;
}

bool kr_flags_given(const struct kr_flags *flags, const char *name)
{
	const struct kr_flag *flag = kr_flag_find(name, strlen(name));
	size_t n;

	return flag && flags->given && flags->given[flag - kr_flag_table(&n)];
}

void kr_flags_done(struct kr_flags *flags)
{
	free(flags->given);
	free(flags->ambiguous);
	for (size_t i = 0; i < flags->n_remarks; i++)
		free(flags->remarks[i].text);
	free(flags->remarks);
	free(flags->uses);
	*flags = (struct kr_flags){0};
}
