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
 * words have parsed, without a positional one: then kubelet prints and exits.
 *
 * kubelet stops at the first word that it refuses. This reader goes on behind
 * it as if it were not there: a fix must know all words that are in its way.
 * Words that are meant to be our flag (misspelt, a colon for "=", a value in a
 * word of its own) are uses with an invalid state, so that they can be cut.
 *
 * A flag that no known version has is not refused here: a newer kubelet may
 * have it. Where it has no "=" its next word is its value if it does not look
 * like a flag; if that word is one on which our answer depends, there is no
 * answer.
 *
 * Source: spf13/pflag 1.0.5 and 1.0.10, flag.go; cmd/kubelet/app/server.go;
 * component-base version/verflag; measured (tests/cases/kubelet-oracle.jsonl).
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "base/vec.h"
#include "kubelet/flag-table.h"
#include "kubelet/flags.h"
#include "kubelet/go.h"

/*
 * Misspelt flags.
 *
 * Versions differ in their flags, so a name that the table lacks may be one of
 * a kubelet that is newer. Not so if no flag can be called like this, or if the
 * name is so near to ours that a flag of that name does not exist: then kubelet
 * refuses the command line, and saying which word it is helps more than
 * "unknown".
 *
 * Near means: Levenshtein's distance to our flag is at most 3, case and the
 * kind of dash aside, or it is ours cut short (pflag knows no abbreviations).
 * That takes in the camel-case key (three dashes less), "no-" in front, a
 * no-break space behind. "--make-iptables-util-chains:true" is what some
 * editions of the benchmark print.
 *
 * Flags' names are of a-z, 0-9 and "-" or "_" (pflag allows more, kubelet has
 * no more), and start with no "_".
 */

enum kr_flag_likeness {
	KR_FLAG_OTHER,      /* some kubelet may have it */
	KR_FLAG_IMPOSSIBLE, /* none can: a byte that no flag's name has */
	KR_FLAG_MISSPELT,   /* FLAG is meant, and this is not its name */
	KR_FLAG_COLON,      /* the same, with ":" for "=" */
};

#define NAME_DISTANCE   3
#define NAME_MAX_LENGTH 64 /* a longer one is near to nothing of ours */

static char fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 'a';
	return c == '_' ? '-' : c;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *flag, const char *name, size_t length)
{
	size_t row[NAME_MAX_LENGTH + 1], n = strlen(flag);

	if (length > NAME_MAX_LENGTH)
		return length;
	for (size_t i = 0; i <= length; i++)
		row[i] = i;
	for (size_t i = 0; i < n; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			bool same = flag[i] == fold(name[j]);
			size_t next = min3(row[j + 1] + 1, row[j] + 1,
			                   diagonal + !same);

			diagonal = row[j + 1];
			row[j + 1] = next;
		}
	}
	return row[length];
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

static bool is_prefix(const char *flag, const char *name, size_t length)
{
	if (!length || length >= strlen(flag))
		return false;
	for (size_t i = 0; i < length; i++)
		if (flag[i] != fold(name[i]))
			return false;
	return true;
}

/*
 * What NAME (LENGTH bytes, what stands between "--" and "=", not in the table)
 * is to FLAG.
 */
static enum kr_flag_likeness flag_compare(const char *flag, const char *name,
                                          size_t length)
{
	const char *colon = memchr(name, ':', length);

	if (colon && distance(flag, name, colon - name) <= NAME_DISTANCE)
		return KR_FLAG_COLON;
	if (distance(flag, name, length) <= NAME_DISTANCE ||
	    is_prefix(flag, name, length))
		return KR_FLAG_MISSPELT;
	if (*name == '_')
		return KR_FLAG_IMPOSSIBLE;
	for (size_t i = 0; i < length; i++)
		if (!is_name_byte(name[i]))
			return KR_FLAG_IMPOSSIBLE;
	return KR_FLAG_OTHER;
}

/* How many bytes of what people and word processors write for "--" are here:
 * a dash, U+2010 to U+2015, U+2212, U+FE58, U+FE63, U+FF0D, a slash, a quote.
 */
static size_t dash_length(const char *s)
{
	static const char *const marks[] = {
		"-",
		"/",
		"\"",
		"'",
		"\xe2\x80\x90",
		"\xe2\x80\x91",
		"\xe2\x80\x92",
		"\xe2\x80\x93",
		"\xe2\x80\x94",
		"\xe2\x80\x95",
		"\xe2\x88\x92",
		"\xef\xb9\x98",
		"\xef\xb9\xa3",
		"\xef\xbc\x8d",
	};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (!strncmp(s, marks[i], strlen(marks[i])))
			return strlen(marks[i]);
	return 0;
}

/*
 * Whether WORD, which pflag takes for no long flag at all, is meant to be FLAG:
 * one dash, three, a typographic one, a slash or a quote in front.
 */
static bool flag_meant(const char *flag, const char *word)
{
	const char *name = word;
	size_t n;

	while ((n = dash_length(name)))
		name += n;
	if (name == word)
		return false;
	return distance(flag, name, strcspn(name, "=:")) <= NAME_DISTANCE;
}

#define QUOTE_MAX 60 /* bytes of a word in a message */

struct reader {
	const char *const *argv;
	size_t argc;
	size_t next;       /* the word that is read next */
	const char **last; /* the last value of each flag in the table */
	size_t *last_arg;  /* and where its flag stands */
	char quoted[4 * QUOTE_MAX + sizeof("\"...\"")];
	struct kr_flags flags;
};

#define say(r, arg, ...) kr_flags_add_remark(&(r)->flags, arg, __VA_ARGS__)

/* WORD in double quotes and in ASCII, cut where it is long; until the next. */
static const char *quote(struct reader *r, const char *word)
{
	static const char hex[] = "0123456789abcdef";
	size_t length = strnlen(word, QUOTE_MAX);
	char *p = r->quoted;

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
	return r->quoted;
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
	int err = say(r, arg, KR_ERROR, "flag-two-words",
	              "--%s: expected its value behind \"=\" in the same "
	              "word, not as the word %s",
	              name, quote(r, r->argv[r->next]));

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
	const char *quoted;
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

	if (f->type == KR_TYPE_BOOL && (!mark || !mark[1]))
		n = count_value_words(r);
	use.n_args += n;
	err = add_use(r, &use);
	if (err < 0)
		return err;
	r->next += n;
	quoted = quote(r, word);
	if (f->type != KR_TYPE_BOOL || f->combine == KR_COMBINE_GATE)
		return say(r, arg, KR_ERROR, code, "%s: expected --%s=VALUE",
		           quoted, f->flag);
	return say(r, arg, KR_ERROR, code,
	           "%s: expected --%s=true or --%s=false", quoted, f->flag,
	           f->flag);
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
		    flag_meant(kr_field(i)->flag, word))
			return i;
	}
	return -1;
}

static int read_positional(struct reader *r, size_t arg, bool behind_dashes)
{
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
	return say(r, arg, KR_ERROR, "flag-positional",
	           behind_dashes ? "%s: expected nothing behind \"--\""
	                         : "%s: expected a flag, kubelet takes "
	                           "no other words",
	           quote(r, r->argv[arg]));
}

/* The value of a boolean of ours: at USE, which lacks its state. */
static int take_boolean(struct reader *r, const struct kr_flag *flag,
                        struct kr_flag_use *use)
{
	int value = kr_go_bool(use->text);
	const char *text = use->text;
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
	return say(r, use->arg, KR_ERROR, "flag-value",
	           "--%s: expected true or false, not %s", flag->name,
	           quote(r, text));
}

/* FLAG in the word ARG has the value TEXT, at OFFSET of the word VALUE_ARG. */
static int take_value(struct reader *r, const struct kr_flag *flag, size_t arg,
                      const char *text, size_t value_arg, size_t offset)
{
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

	if (valid) {
		r->last[flag - kr_flag_table] = text;
		r->last_arg[flag - kr_flag_table] = arg;
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
	return say(r, arg, KR_ERROR, "flag-value", "--%s: expected %s, not %s",
	           flag->name, kr_flag_wants(flag), quote(r, text));
}

/* FLAG in the word ARG takes the next word. */
static int take_next_word(struct reader *r, const struct kr_flag *flag,
                          size_t arg)
{
	size_t value_arg = r->next;
	int err;

	if (value_arg == r->argc)
		return say(r, arg, KR_ERROR, "flag-argument",
		           "--%s: expected %s behind it, not the end",
		           flag->name, kr_flag_wants(flag));
	r->next++;
	err = take_value(r, flag, arg, r->argv[value_arg], value_arg, 0);
	if (err < 0 || strncmp(r->argv[value_arg], "--", 2))
		return err;
	return say(r, arg, KR_WARNING, "flag-swallows",
	           "--%s: takes the word %s as its value", flag->name,
	           quote(r, r->argv[value_arg]));
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
	const char *quoted = quote(r, r->argv[arg]);
	const char *word = NULL;
	int ambiguous = 0;

	if (!has_value && r->next < r->argc)
		word = r->argv[r->next];
	if (word)
		ambiguous = note_ambiguous(r, word);
	if (ambiguous < 0)
		return ambiguous;
	if (ambiguous) {
		return say(
			r, arg, KR_WARNING, "flag-unknown",
			"%s: no kubelet from 1.20 to 1.36 has this flag, which "
			"may take the next word as its value",
			quoted);
	}
	if (word && (*word != '-' || !word[1]))
		r->next++;
	return say(r, arg, KR_WARNING, "flag-unknown",
	           "%s: no kubelet from 1.20 to 1.36 has this flag", quoted);
}

/* A long flag that is not in the table. */
static int read_stranger(struct reader *r, size_t arg, const char *name,
                         size_t length, bool has_value)
{
	bool impossible = false;

	for (int i = 0; i < KR_N_FIELDS; i++) {
		if (!is_known_to_people(i))
			continue;
		switch (flag_compare(kr_field(i)->flag, name, length)) {
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
	return say(r, arg, KR_ERROR, "flag-name",
	           "%s: expected a flag's name of lower case letters, "
	           "digits and dashes",
	           quote(r, r->argv[arg]));
}

/* "--name" or "--name=value" in the word ARG. */
static int read_long(struct reader *r, size_t arg)
{
	const char *word = r->argv[arg], *name = word + 2;
	size_t length = strcspn(name, "=");
	const struct kr_flag *flag;

	if (*name == '-' || *name == '=') {
		int field = meant_field(word);

		if (field >= 0)
			return read_misspelt(r, field, arg, "flag-misspelt");
		return say(r, arg, KR_ERROR, "flag-syntax",
		           "%s: expected a name behind two dashes",
		           quote(r, word));
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
	return say(r, arg, KR_ERROR, "flag-shorthand",
	           "%s: expected -v or -h, or two dashes", quote(r, word));
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
	int err = 0;

	for (size_t i = 0; err == 0 && i < kr_n_flags; i++) {
		if (!r->last[i] ||
		    kr_flag_value_in_range(&kr_flag_table[i], r->last[i]))
			continue;
		err = say(
			r, r->last_arg[i], KR_ERROR, "flag-value",
			"--%s: expected a number from %lld to %lld, "
			"not %s",
			kr_flag_table[i].name, (long long)kr_flag_table[i].min,
			(long long)kr_flag_table[i].max, quote(r, r->last[i]));
	}
	return err;
}

static bool any_fatal(const struct kr_flags *flags)
{
	for (size_t i = 0; i < flags->n_remarks; i++)
		if (flags->remarks[i].severity == KR_ERROR)
			return true;
	return false;
}

/* --help or --version, where it is on at the end, stops kubelet. */
static int check_exits(struct reader *r)
{
	static const char *const names[] = {"help", "version"};
	int err;

	if (any_fatal(&r->flags))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t row = kr_flag_find(names[i], strlen(names[i])) -
		             kr_flag_table;
		const char *value = r->last[row];

		if (!value || kr_go_bool(value) == 0 || *value == 'v')
			continue;
		r->flags.never_runs = true;
		err = say(r, r->last_arg[row], KR_ERROR, "flag-exits",
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
	int err;

	r.last = last = calloc(kr_n_flags, sizeof(*last));
	r.last_arg = last_arg = calloc(kr_n_flags, sizeof(*last_arg));
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
	failed.given = calloc(kr_n_flags, sizeof(*failed.given));
	if (!failed.given)
		return -ENOMEM;
	for (size_t i = 0; i < kr_n_flags; i++)
		failed.given[i] = last[i] ? last_arg[i] + 1 : 0;
	failed.refused = any_fatal(&failed);
	*ret = TAKE(failed);
	return 0;
}
