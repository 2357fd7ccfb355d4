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
	const struct kr_setting *setting;
	const char *const *argv;
	size_t argc;
	size_t next;       /* the word that is read next */
	const char **last; /* the last value of each flag in the table */
	size_t *last_arg;  /* and where its flag stands */
	bool ambiguous;    /* an unknown flag may have taken a word */
	struct kr_flags flags;
};

const char *kr_state_to_string(enum kr_state state)
{
	static const char *const names[_KR_STATE_MAX] = {
		[KR_STATE_ABSENT] = "absent",   [KR_STATE_TRUE] = "true",
		[KR_STATE_FALSE] = "false",     [KR_STATE_NULL] = "null",
		[KR_STATE_INVALID] = "invalid", [KR_STATE_UNKNOWN] = "unknown",
	};

	return names[state];
}

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
static struct kr_flags_remark *last_kept(const struct reader *r,
                                         const char *code)
{
	struct kr_flags_remark *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < r->flags.n_remarks; i++) {
		if (strcmp(r->flags.remarks[i].code, code) != 0)
			continue;
		last = &r->flags.remarks[i];
		n++;
	}
	return n >= KR_DIAG_KEPT ? last : NULL;
}

_printf_(5, 6) static int add_remark(struct reader *r, size_t arg, bool fatal,
                                     const char *code, const char *format, ...)
{
	struct kr_flags_remark *next, *last = last_kept(r, code);
	va_list args;
	char *text = NULL;
	int result;

	if (last) {
		last->n_more++;
		return 0;
	}
	next = KR_VEC_NEXT(r->flags.remarks, r->flags.n_remarks);
	if (!next)
		return -ENOMEM;

	va_start(args, format);
	result = kr_vformat(&text, format, args);
	va_end(args);
	if (result < 0)
		return result;
	*next = (struct kr_flags_remark){
		.arg = arg,
		.fatal = fatal,
		.code = code,
		.text = text,
	};
	r->flags.n_remarks++;
	return 0;
}

static int add_use(struct reader *r, size_t arg, size_t n_args, size_t value,
                   enum kr_state state)
{
	struct kr_flag_use *use = KR_VEC_NEXT(r->flags.uses, r->flags.n_uses);

	if (!use)
		return -ENOMEM;
	*use = (struct kr_flag_use){
		.arg = arg,
		.n_args = n_args,
		.value = value,
		.state = state,
	};
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

/* Words behind our flag at ARG that it does not take. */
static int take_value_words(struct reader *r, size_t arg, size_t n)
{
	_cleanup_free_ char *word = quote(r->argv[r->next]);
	int err;

	if (!word)
		return -ENOMEM;
	err = add_remark(r, arg, true, "flag-two-words",
	                 "--%s: expected its value behind \"=\" in the same "
	                 "word, not as the word %s",
	                 r->setting->flag, word);
	r->next += n;
	return err;
}

/* Our flag under a name that is not its own, in the word ARG. */
static int read_misspelt(struct reader *r, size_t arg, const char *code)
{
	const char *word = r->argv[arg];
	const char *mark = strpbrk(word, "=:");
	_cleanup_free_ char *quoted = quote(word);
	size_t n = 0;
	int err;

	if (!quoted)
		return -ENOMEM;
	if (!mark || !mark[1])
		n = count_value_words(r);
	err = add_use(r, arg, 1 + n, mark ? mark + 1 - word : 0,
	              KR_STATE_INVALID);
	if (err < 0)
		return err;
	r->next += n;
	return add_remark(r, arg, true, code,
	                  "%s: expected --%s=true or --%s=false", quoted,
	                  r->setting->flag, r->setting->flag);
}

static int read_positional(struct reader *r, size_t arg, bool behind_dashes)
{
	_cleanup_free_ char *quoted = NULL;

	if (!behind_dashes && kr_flag_meant(r->setting->flag, r->argv[arg]))
		return read_misspelt(r, arg, "flag-misspelt");
	if (behind_dashes && kr_flag_meant(r->setting->flag, r->argv[arg])) {
		int err = add_use(r, arg, 1, 0, KR_STATE_INVALID);

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

static bool is_ours(const struct reader *r, const struct kr_flag *flag)
{
	return !strcmp(flag->name, r->setting->flag);
}

/* The value of our flag: TEXT at OFFSET of the word ARG, 0: bare. */
static int take_ours(struct reader *r, size_t arg, const char *text,
                     size_t offset)
{
	int value = kr_go_bool(text);
	_cleanup_free_ char *quoted = NULL;
	size_t n = 0;
	int err;

	if (!offset || !*text)
		n = count_value_words(r);
	err = add_use(r, arg, 1 + n, offset,
	              value < 0 || n ? KR_STATE_INVALID
	              : value        ? KR_STATE_TRUE
	                             : KR_STATE_FALSE);
	if (err < 0)
		return err;
	if (n)
		return take_value_words(r, arg, n);
	if (value >= 0)
		return 0;
	quoted = quote(text);
	if (!quoted)
		return -ENOMEM;
	return add_remark(r, arg, true, "flag-value",
	                  "--%s: expected true or false, not %s",
	                  r->setting->flag, quoted);
}

static void track(struct reader *r, const struct kr_flag *flag, size_t arg,
                  const char *text, size_t offset)
{
	const struct {
		const char *name;
		struct kr_flag_value *value;
	} tracked[] = {
		{"bootstrap-kubeconfig", &r->flags.bootstrap_kubeconfig},
		{"cert-dir", &r->flags.cert_dir},
		{"config", &r->flags.config},
		{"config-dir", &r->flags.config_dir},
		{"dynamic-config-dir", &r->flags.dynamic_config_dir},
		{"healthz-bind-address", &r->flags.healthz_bind_address},
		{"healthz-port", &r->flags.healthz_port},
		{"hostname-override", &r->flags.hostname_override},
		{"iptables-drop-bit", &r->flags.drop_bit},
		{"iptables-masquerade-bit", &r->flags.masquerade_bit},
		{"kubeconfig", &r->flags.kubeconfig},
	};

	for (size_t i = 0; i < ARRAY_SIZE(tracked); i++)
		if (!strcmp(tracked[i].name, flag->name))
			*tracked[i].value = (struct kr_flag_value){
				.text = text,
				.arg = arg,
				.offset = offset,
			};
}

/* FLAG in the word ARG has the value TEXT, at OFFSET of the word VALUE_ARG. */
static int take_value(struct reader *r, const struct kr_flag *flag, size_t arg,
                      const char *text, size_t value_arg, size_t offset)
{
	_cleanup_free_ char *quoted = NULL;
	const struct kr_flag *table;
	size_t n;

	if (is_ours(r, flag))
		return take_ours(r, arg, text, offset);
	if (kr_flag_value_valid(flag, text)) {
		table = kr_flag_table(&n);
		r->last[flag - table] = text;
		r->last_arg[flag - table] = arg;
		track(r, flag, value_arg, text, offset);
		return 0;
	}
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

/* Whether the answer depends on the word being a flag, and not the value of
 * the one before it. */
static bool is_deciding_word(const struct reader *r, const char *word)
{
	const struct kr_flag *flag;

	if (strncmp(word, "--", 2))
		return false;
	flag = kr_flag_find(word + 2, strcspn(word + 2, "="));
	return flag && (is_ours(r, flag) || !strcmp(flag->name, "config") ||
	                !strcmp(flag->name, "config-dir"));
}

/* A flag of no version that is known, in the word ARG. */
static int read_unknown(struct reader *r, size_t arg, bool has_value)
{
	_cleanup_free_ char *quoted = quote(r->argv[arg]);
	const char *word = NULL;

	if (!quoted)
		return -ENOMEM;
	if (!has_value && r->next < r->argc)
		word = r->argv[r->next];
	if (word && is_deciding_word(r, word)) {
		r->ambiguous = true;
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

	switch (kr_flag_compare(r->setting->flag, name, length)) {
	case KR_FLAG_COLON:
		return read_misspelt(r, arg, "flag-colon");
	case KR_FLAG_MISSPELT:
		return read_misspelt(r, arg, "flag-misspelt");
	case KR_FLAG_OTHER:
		return read_unknown(r, arg, has_value);
	case KR_FLAG_IMPOSSIBLE:
		break;
	}
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
		if (kr_flag_meant(r->setting->flag, word))
			return read_misspelt(r, arg, "flag-misspelt");
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
	int err;

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

	if (kr_flag_meant(r->setting->flag, word))
		return read_misspelt(r, arg, "flag-misspelt");
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

static enum kr_state decide(const struct reader *r)
{
	if (any_fatal(&r->flags))
		return KR_STATE_INVALID;
	if (r->ambiguous)
		return KR_STATE_UNKNOWN;
	if (!r->flags.n_uses)
		return KR_STATE_ABSENT;
	return r->flags.uses[r->flags.n_uses - 1].state;
}

int kr_flags_parse(const struct kr_setting *setting, const char *const *argv,
                   size_t argc, struct kr_flags *ret)
{
	_cleanup_free_ const char **last = NULL;
	_cleanup_free_ size_t *last_arg = NULL;
	struct reader r = {
		.setting = setting,
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
	if (err < 0) {
		kr_flags_done(&r.flags);
		return err;
	}
	r.flags.given = calloc(n, sizeof(*r.flags.given));
	if (!r.flags.given) {
		kr_flags_done(&r.flags);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		r.flags.given[i] = last[i];
	r.flags.state = decide(&r);
	*ret = r.flags;
	return 0;
}

bool kr_flags_is_use(const struct kr_flags *flags, size_t arg)
{
	for (size_t i = 0; i < flags->n_uses; i++) {
		const struct kr_flag_use *u = &flags->uses[i];

		if (arg >= u->arg && arg < u->arg + u->n_args)
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
	for (size_t i = 0; i < flags->n_remarks; i++)
		free(flags->remarks[i].text);
	free(flags->remarks);
	free(flags->uses);
	*flags = (struct kr_flags){0};
}
