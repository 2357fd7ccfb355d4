/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The proof that an edit changed our key and nothing else.
 *
 * Two witnesses who share no code with the edit. The first compares bytes: both
 * states of the file are read anew, and all that lies outside of our key's
 * values must be the same, byte for byte; so the tokens there are the same too,
 * with every blank and every spelling of a number. A member that only the new
 * state has must stand directly behind the last one of the old, and hold
 * nothing but the comma, our name, the colon and the value. The second is
 * another parser (cJSON, libyaml), which must find the value under every one of
 * our keys, and must find one.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "doc/name.h"
#include "doc/yaml-compare.h"
#include "kubelet/config.h"
#include "kubelet/schema.h"

struct proof {
	const struct kr_setting *setting;
	const struct kr_file *before, *after;
	struct kr_config old, new;
	bool fold, value;
	struct kr_diag *diag;
};

static int differ(struct proof *p, size_t offset, const char *text)
{
	struct kr_span span = {p->after, offset, 0};

	kr_diag_add(p->diag, KR_ERROR, "config-proof", span, "%s", text);
	return -EBADMSG;
}

/* Whether the N bytes at A of the old and at B of the new state are equal. */
static int same_bytes(struct proof *p, size_t a, size_t b, size_t n)
{
	const char *x = p->before->data + a, *y = p->after->data + b;
	size_t i = 0;

	if (memcmp(x, y, n) == 0)
		return 0;
	while (x[i] == y[i])
		i++;
	return differ(p, b + i,
	              "this byte would have to be that of the file before");
}

/* From A to C in the old state it must be as from B to D in the new one. */
static int same_stretch(struct proof *p, size_t a, size_t c, size_t b, size_t d)
{
	if (c - a != d - b)
		return differ(p, b,
		              "what stands here up to our key would have to be "
		              "that of the file before");
	return same_bytes(p, a, b, c - a);
}

/* The first use from *AT on that is written in the mapping itself, behind which
 * *AT is then; NULL: there are no more. What a merge key brings is a part of
 * the rest of the file. */
static const struct kr_config_use *next_own(const struct proof *p,
                                            const struct kr_config *config,
                                            size_t *at)
{
	const struct kr_config_use *use;

	do {
		use = kr_config_next(config, p->setting->field, at);
	} while (use && use->merged);
	return use;
}

static size_t count_own(const struct proof *p, const struct kr_config *config)
{
	size_t at = 0, n = 0;

	while (next_own(p, config, &at))
		n++;
	return n;
}

/* Both have as many. */
static int compare_values(struct proof *p)
{
	const struct kr_config_use *old, *new;
	size_t a = 0, b = 0, old_at = 0, new_at = 0;
	int r;

	while ((old = next_own(p, &p->old, &old_at)) &&
	       (new = next_own(p, &p->new, &new_at))) {
		struct kr_span x = old->value, y = new->value;

		/* a value where there was none has a blank before it */
		if (x.length == 0 && y.length > 0 && y.offset > b &&
		    p->after->data[y.offset - 1] == ' ') {
			y.offset--;
			y.length++;
		}
		r = same_stretch(p, a, x.offset, b, y.offset);
		if (r < 0)
			return r;
		a = kr_span_end(x);
		b = kr_span_end(y);
	}
	return same_stretch(p, a, p->before->size, b, p->after->size);
}

static bool all_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!text[i] || !strchr(" \t\r\n", text[i]))
			return false;
	}
	return true;
}

/* Whether only blanks and one MARK ('\0': none) stand from A to B. */
static bool only_mark(const struct kr_file *file, size_t a, size_t b, char mark)
{
	const char *text = file->data + a;
	const char *at = mark ? memchr(text, mark, b - a) : NULL;

	if (!mark)
		return all_blank(text, b - a);
	return at && all_blank(text, at - text) &&
	       all_blank(at + 1, text + (b - a) - (at + 1));
}

/* The member that only the new state has: START is where the old one's last
 * member ends, END where the rest of the old bytes goes on. */
static bool only_member(struct proof *p, size_t start, size_t end)
{
	size_t at = 0;
	const struct kr_config_use *use = next_own(p, &p->new, &at);
	bool flow = p->old.layout.flow;

	return use->key.offset >= start && kr_span_end(use->value) <= end &&
	       only_mark(p->after, start, use->key.offset, flow ? ',' : '\0') &&
	       only_mark(p->after, kr_span_end(use->key), use->value.offset,
	                 ':') &&
	       only_mark(p->after, kr_span_end(use->value), end, '\0');
}

static int compare_inserted(struct proof *p)
{
	size_t grown = p->after->size - p->before->size, place;
	int r;

	if (count_own(p, &p->new) != 1 || p->after->size <= p->before->size)
		return differ(p, 0, "the key would have to be added once");
	place = p->old.layout.flow ? kr_layout_end(&p->old.layout)
	                           : p->old.layout.end;
	r = same_bytes(p, 0, 0, place);
	if (r < 0)
		return r;
	if (!only_member(p, place, place + grown))
		return differ(p, place,
		              "nothing but the key and its value would have to "
		              "be added here");
	return same_bytes(p, place, place + grown, p->before->size - place);
}

/* Whether NAME is our key, as it is spelled in this version of the format. */
static bool is_ours(const struct proof *p, const char *name)
{
	size_t length = strlen(name);

	if (p->new.internal)
		return name[0] == (p->setting->key[0] & ~0x20) &&
		       strcmp(name + 1, p->setting->key + 1) == 0;
	return kr_name_equal(p->setting->key, name, length, p->fold);
}

static bool is_escape(const char *s, char first, const char *second)
{
	return s[0] == '\\' && s[1] == 'u' && (s[2] | 0x20) == first &&
	       strchr(second, s[3] | 0x20);
}

/*
 * What kubelet reads and cJSON does not, or reads as the end of the string:
 * half a surrogate pair, and NUL. Both become U+FFFD, in as many bytes. TEXT is
 * JSON, in which only strings have backslashes.
 */
static void tame_escapes(char *text)
{
	for (char *s = strchr(text, '\\'); s; s = strchr(s, '\\')) {
		if (s[1] != 'u') {
			s += 2;
		} else if (is_escape(s, 'd', "89ab") &&
		           is_escape(s + 6, 'd', "cdef")) {
			s += 12;
		} else {
			if (is_escape(s, 'd', "89abcdef") ||
			    strncmp(s + 2, "0000", 4) == 0)
				memcpy(s + 2, "fffd", 4);
			s += 6;
		}
	}
}

static int witness_json(struct proof *p)
{
	_cleanup_free_ char *text = strdup(p->after->data);
	const cJSON *item;
	size_t found = 0, right = 0;
	cJSON *root;

	if (!text)
		return -ENOMEM;
	tame_escapes(text);
	root = cJSON_ParseWithLengthOpts(text, strlen(text) + 1, NULL, true);

	cJSON_ArrayForEach(item, root)
	{
		if (!is_ours(p, item->string))
			continue;
		found++;
		if (p->value ? cJSON_IsTrue(item) : cJSON_IsFalse(item))
			right++;
	}
	cJSON_Delete(root);
	if (found > 0 && found == right)
		return 0;
	return differ(p, 0, "a second JSON reader does not find the value");
}

static int witness_yaml(struct proof *p)
{
	size_t offset;
	int r = kr_yaml_compare(p->setting->key, p->fold, p->before, p->after,
	                        p->value, &offset);

	if (r == -EBADMSG)
		return differ(p, offset,
		              "a second YAML reader finds something else here");
	return r;
}

static int prove(struct proof *p)
{
	enum kr_state wanted = p->value ? KR_STATE_TRUE : KR_STATE_FALSE;
	const struct kr_config_use *use;
	size_t at = 0;
	int r;

	if (p->old.format != p->new.format)
		return differ(p, 0,
		              "the file would have to stay JSON or YAML "
		              "as it was");
	if (kr_config_state(&p->new, p->setting->field, NULL) != wanted)
		return differ(p, 0, "the key would have to be decided here");
	while ((use = kr_config_next(&p->new, p->setting->field, &at))) {
		if (use->state != wanted && !(use->merged && use->overridden))
			return differ(p, use->value.offset,
			              "this value would have to be changed "
			              "too");
	}
	if (count_own(p, &p->old) == count_own(p, &p->new))
		r = compare_values(p);
	else if (count_own(p, &p->old) == 0)
		r = compare_inserted(p);
	else
		r = differ(p, 0, "no use of the key may come or go");
	if (r < 0)
		return r;
	if (p->new.format == KR_CONFIG_JSON)
		return witness_json(p);
	return witness_yaml(p);
}

int kr_config_prove_with(const struct kr_setting *setting,
                         const struct kr_file *before,
                         const struct kr_file *after,
                         const struct kr_config_options *options, bool value,
                         struct kr_diag *diag)
{
	_cleanup_config_ struct kr_config old = {0}, new = {0};
	struct proof p = {
		.setting = setting,
		.before = before,
		.after = after,
		.fold = options && options->dropin,
		.value = value,
		.diag = diag,
	};
	int r;

	r = kr_config_parse(before, options, NULL, &old);
	if (r < 0)
		return r;
	r = kr_config_parse(after, options, diag, &new);
	if (r < 0)
		return r;
	p.old = old;
	p.new = new;
	return prove(&p);
}

int kr_config_prove(const struct kr_setting *setting,
                    const struct kr_file *before, const struct kr_file *after,
                    bool value, struct kr_diag *diag)
{
	return kr_config_prove_with(setting, before, after, NULL, value, diag);
}
