/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The types that kubelet's fields have, and how Go reads and prints them.
 *
 * A list on the command line is a record of CSV: fields with commas between
 * them, a quote around a whole field or, doubled, in such a one.
 *
 * Source: strconv, time.Duration.String(), encoding/csv, pflag string_slice.go.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "kubelet/go.h"
#include "kubelet/value.h"

static int parse_bool(const char *text, size_t length, struct kr_value *ret)
{
	char word[8];
	int b;

	if (length >= sizeof(word))
		return -EINVAL;
	memcpy(word, text, length);
	word[length] = '\0';
	b = kr_go_bool(word);
	if (b < 0)
		return -EINVAL;
	ret->b = b;
	return 0;
}

/* The field of CSV at TEXT, added to LIST; where the next one starts, or NULL
 * when memory runs out. */
static const char *add_field(const char *text, const char *end,
                             struct kr_strings *list)
{
	_cleanup_free_ char *word = malloc(end - text + 1);
	bool quoted = text < end && *text == '"';
	char *p = word;

	if (!word)
		return NULL;
	if (quoted)
		text++;
	while (text < end && (quoted || (*text != ',' && *text != '\n'))) {
		if (quoted && *text == '"') {
			if (text + 1 == end || text[1] != '"') {
				quoted = false;
				text++;
				continue;
			}
			text++;
		}
		*p++ = *text++;
	}
	if (p > word && text < end && *text == '\n' && p[-1] == '\r')
		p--;
	if (kr_strings_add_part(list, word, p - word) < 0)
		return NULL;
	return text;
}

static int parse_list(const char *text, size_t length, struct kr_value *ret)
{
	const char *end = text + length;

	ret->list = (struct kr_strings){0};
	while (text < end &&
	       (*text == '\n' ||
	        (*text == '\r' && text + 1 < end && text[1] == '\n')))
		text++;
	while (length > 0) {
		text = add_field(text, end, &ret->list);
		if (!text) {
			kr_strings_done(&ret->list);
			return -ENOMEM;
		}
		if (text == end || *text != ',')
			break;
		text++;
	}
	return 0;
}

/* TEXT to END without the blanks around it, added to LIST. */
static int add_trimmed(const char *text, const char *end,
                       struct kr_strings *list)
{
	while (text < end && strchr(" \t\n\v\f\r", *text))
		text++;
	while (end > text && strchr(" \t\n\v\f\r", end[-1]))
		end--;
	return kr_strings_add_part(list, text, end - text);
}

/* "a=b,c=d" or "a<b,c<d"; what is no pair is passed over. */
static int parse_map(const char *text, size_t length, struct kr_value *ret)
{
	_cleanup_strings_ struct kr_strings list = {0};
	const char *stop = text + length;

	while (text < stop) {
		const char *end = memchr(text, ',', stop - text) ?: stop;
		const char *mark = text;
		int r;

		while (mark < end && *mark != '=' && *mark != '<')
			mark++;
		if (mark < end) {
			r = add_trimmed(text, mark, &list);
			if (r < 0)
				return r;
			r = add_trimmed(mark + 1, end, &list);
			if (r < 0)
				return r;
		}
		text = end < stop ? end + 1 : stop;
	}
	ret->list = TAKE(list);
	return 0;
}

static int parse_float(const char *text, size_t length, struct kr_value *ret)
{
	_cleanup_free_ char *copy = strndup(text, length);

	if (!copy)
		return -ENOMEM;
	if (!kr_go_float_valid(text, length))
		return -EINVAL;
	ret->d = strtod(copy, NULL);
	return 0;
}

static bool is_listed(enum kr_type type)
{
	return type == KR_TYPE_LIST || type == KR_TYPE_TREE;
}

int kr_value_parse(enum kr_type type, const char *text, size_t length,
                   struct kr_value *ret)
{
	unsigned bits = type == KR_TYPE_INT32 ? 32 : 64;

	*ret = (struct kr_value){.type = type};
	switch (type) {
	case KR_TYPE_BOOL:
		return parse_bool(text, length, ret);
	case KR_TYPE_INT32:
	case KR_TYPE_INT64:
		return kr_go_int_text(text, length, 0, bits, &ret->n) ? 0
		                                                      : -EINVAL;
	case KR_TYPE_DURATION:
		return kr_go_duration(text, length, &ret->n) ? 0 : -EINVAL;
	case KR_TYPE_LIST:
		return parse_list(text, length, ret);
	case KR_TYPE_TREE:
		return parse_map(text, length, ret);
	case KR_TYPE_FLOAT:
		return parse_float(text, length, ret);
	default:
		ret->s = strndup(text, length);
		return ret->s ? 0 : -ENOMEM;
	}
}

/* "1h2m3.5s", "1.5ms": without the zeros at the end of a fraction. */
static int format_duration(int64_t n, char **ret)
{
	static const struct {
		const char *name;
		uint64_t size;
	} small[] = {{"ms", 1000000}, {"\xc2\xb5s", 1000}, {"ns", 1}};
	const char *sign = n < 0 ? "-" : "", *unit = "s";
	uint64_t u = n < 0 ? -(uint64_t)n : (uint64_t)n, size = 1000000000;
	uint64_t minutes = u / 60000000000, whole;
	char fraction[24] = "";

	if (u == 0)
		return kr_format(ret, "0s");
	for (size_t i = 0; u < size && i < ARRAY_SIZE(small); i++) {
		size = small[i].size;
		unit = small[i].name;
	}
	whole = size == 1000000000 ? u / size % 60 : u / size;
	if (u % size) {
		int digits = size == 1000000000 ? 9 : size == 1000000 ? 6 : 3;

		snprintf(fraction, sizeof(fraction), ".%0*" PRIu64, digits,
		         u % size);
		for (char *p = fraction + digits; *p == '0'; p--)
			*p = '\0';
	}
	if (minutes >= 60)
		return kr_format(
			ret, "%s%" PRIu64 "h%" PRIu64 "m%" PRIu64 "%s%s", sign,
			minutes / 60, minutes % 60, whole, fraction, unit);
	if (minutes > 0)
		return kr_format(ret, "%s%" PRIu64 "m%" PRIu64 "%s%s", sign,
		                 minutes, whole, fraction, unit);
	return kr_format(ret, "%s%" PRIu64 "%s%s", sign, whole, fraction, unit);
}

static int format_list(const struct kr_strings *list, char **ret)
{
	_cleanup_free_ char *text = NULL;
	int r = kr_format(&text, "%s", list->n_items ? list->items[0] : "");

	for (size_t i = 1; i < list->n_items; i++) {
		_cleanup_free_ char *before = TAKE_PTR(text);

		if (r < 0)
			return r;
		r = kr_format(&text, "%s,%s", before, list->items[i]);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	return 0;
}

static int format_tree(const struct kr_strings *list, char **ret)
{
	_cleanup_free_ char *text = NULL;
	int r = kr_format(&text, "%s", "");

	for (size_t i = 0; i + 1 < list->n_items; i += 2) {
		_cleanup_free_ char *before = TAKE_PTR(text);

		if (r < 0)
			return r;
		r = kr_format(&text, "%s%s%s=%s", before, i > 0 ? "," : "",
		              list->items[i], list->items[i + 1]);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	return 0;
}

int kr_value_format(const struct kr_value *v, char **ret)
{
	*ret = NULL;
	switch (v->type) {
	case KR_TYPE_BOOL:
		return kr_format(ret, "%s", v->b ? "true" : "false");
	case KR_TYPE_INT32:
	case KR_TYPE_INT64:
		return kr_format(ret, "%" PRId64, v->n);
	case KR_TYPE_DURATION:
		return format_duration(v->n, ret);
	case KR_TYPE_LIST:
		return format_list(&v->list, ret);
	case KR_TYPE_TREE:
		return format_tree(&v->list, ret);
	case KR_TYPE_FLOAT:
		return kr_format(ret, "%.17g", v->d);
	default:
		return kr_format(ret, "%s", v->s);
	}
}

int kr_value_append(struct kr_value *value, const struct kr_value *more)
{
	for (size_t i = 0; i < more->list.n_items; i++) {
		int r = kr_strings_add(&value->list, more->list.items[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

const char *kr_value_at(const struct kr_value *value, const char *path)
{
	for (size_t i = value->list.n_items; i >= 2; i -= 2) {
		if (strcmp(value->list.items[i - 2], path) == 0)
			return value->list.items[i - 1];
	}
	return NULL;
}

int kr_value_copy(const struct kr_value *value, struct kr_value *ret)
{
	_cleanup_value_ struct kr_value copy = {.type = value->type};
	int r = 0;

	if (value->type == KR_TYPE_STRING) {
		copy.s = strdup(value->s);
		r = copy.s ? 0 : -ENOMEM;
	} else if (is_listed(value->type)) {
		r = kr_value_append(&copy, value);
	} else {
		copy = *value;
	}
	if (r < 0)
		return r;
	*ret = TAKE(copy);
	return 0;
}

const char *kr_state_to_string(enum kr_state state)
{
	static const char *const names[_KR_STATE_MAX] = {
		[KR_STATE_ABSENT] = "absent",   [KR_STATE_TRUE] = "true",
		[KR_STATE_FALSE] = "false",     [KR_STATE_VALUE] = "value",
		[KR_STATE_NULL] = "null",       [KR_STATE_INVALID] = "invalid",
		[KR_STATE_UNKNOWN] = "unknown",
	};

	return names[state];
}

enum kr_state kr_value_state(const struct kr_value *value)
{
	if (value->type != KR_TYPE_BOOL)
		return KR_STATE_VALUE;
	return value->b ? KR_STATE_TRUE : KR_STATE_FALSE;
}

bool kr_value_equal(const struct kr_value *a, const struct kr_value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case KR_TYPE_BOOL:
		return a->b == b->b;
	case KR_TYPE_STRING:
		return strcmp(a->s, b->s) == 0;
	case KR_TYPE_FLOAT:
		return a->d == b->d;
	case KR_TYPE_LIST:
	case KR_TYPE_TREE:
		if (a->list.n_items != b->list.n_items)
			return false;
		for (size_t i = 0; i < a->list.n_items; i++) {
			if (strcmp(a->list.items[i], b->list.items[i]) != 0)
				return false;
		}
		return true;
	default:
		return a->n == b->n;
	}
}

bool kr_value_is_zero(const struct kr_value *v)
{
	switch (v->type) {
	case KR_TYPE_BOOL:
		return !v->b;
	case KR_TYPE_STRING:
		return !*v->s;
	case KR_TYPE_FLOAT:
		return v->d == 0;
	case KR_TYPE_LIST:
	case KR_TYPE_TREE:
		return v->list.n_items == 0;
	default:
		return v->n == 0;
	}
}

bool kr_value_says_nothing(const struct kr_value *v)
{
	if (v->type == KR_TYPE_STRING || v->type == KR_TYPE_LIST)
		return kr_value_is_zero(v);
	if (v->type != KR_TYPE_TREE)
		return false;
	for (size_t i = 1; i < v->list.n_items; i += 2) {
		if (*v->list.items[i])
			return false;
	}
	return true;
}

void kr_value_done(struct kr_value *value)
{
	if (value->type == KR_TYPE_STRING)
		free(value->s);
	else if (is_listed(value->type))
		kr_strings_done(&value->list);
	*value = (struct kr_value){0};
}
