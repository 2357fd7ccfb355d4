/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One configuration file: which language it is in, and what kubelet makes of
 * it.
 *
 * The first byte that is not blank decides: '{' is JSON and nothing else, any
 * other byte is YAML (in which JSON with a comment, a byte order mark or a
 * "---" before it is fine). The name of the file plays no role. Blank is what
 * Go's unicode.IsSpace() takes for it; kubelets up to 1.21 look at the first
 * 2048 bytes only.
 *
 * Source: apimachinery pkg/util/yaml/decoder.go (GuessJSONStream,
 * IsJSONBuffer), kubernetes pkg/kubelet/kubeletconfig/configfiles.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "doc/json.h"
#include "doc/yaml-read.h"
#include "kubelet/config-read.h"
#include "kubelet/config.h"
#include "kubelet/decode.h"

#define GUESS_SIZE_OLD ((size_t)2048)

/* The length of the blank at TEXT as Go sees it: 0, none. The data ends with a
 * NUL, so that no comparison runs over the end. */
static size_t blank_length(const char *text)
{
	static const char *const wide[] = {
		"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80",
		"\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84",
		"\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88",
		"\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9",
		"\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
	};

	if (*text && strchr(" \t\n\v\f\r", *text))
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(wide); i++) {
		if (strncmp(text, wide[i], strlen(wide[i])) == 0)
			return strlen(wide[i]);
	}
	return 0;
}

enum kr_config_format kr_config_guess(const struct kr_file *file,
                                      unsigned kubelet_minor)
{
	size_t size = file->size, i = 0, n;

	if (kubelet_minor > 0 && kubelet_minor <= 21 && size > GUESS_SIZE_OLD)
		size = GUESS_SIZE_OLD;
	while (i < size && (n = blank_length(file->data + i)) > 0)
		i += n;
	return i < size && file->data[i] == '{' ? KR_CONFIG_JSON
	                                        : KR_CONFIG_YAML;
}

int kr_config_read(const struct kr_file *file, enum kr_config_format format,
                   const struct kr_listener *listener, struct kr_diag *diag,
                   struct kr_layout *layout, struct kr_span *ret_twice)
{
	if (file->size == 0) {
		kr_diag_add_path(diag, KR_ERROR, "config-empty", file->path,
		                 "the file is empty, it must hold a "
		                 "KubeletConfiguration");
		return KR_MALFORMED;
	}
	if (format == KR_CONFIG_JSON)
		return kr_json_read(file, listener, diag);
	return kr_yaml_read(file, listener, diag, layout, ret_twice);
}

static bool is_invalid(const struct kr_config *c,
                       const struct kr_config_use *use)
{
	return use->state == KR_STATE_INVALID && !use->overridden && !c->dropin;
}

bool kr_config_stops(const struct kr_config *c, int field)
{
	return c->refused || c->doubtful ||
	       (c->invalid_field >= 0 && c->invalid_field != field);
}

const struct kr_config_use *kr_config_next(const struct kr_config *config,
                                           int field, size_t *at)
{
	while (*at < config->n_uses) {
		const struct kr_config_use *use = &config->uses[(*at)++];

		if (use->field == field)
			return use;
	}
	return NULL;
}

enum kr_state kr_config_state(const struct kr_config *c, int field,
                              const struct kr_config_use **ret_use)
{
	const struct kr_config_use *use, *last = NULL, *invalid = NULL;
	const struct kr_config_use *ignored;
	enum kr_state state;
	size_t at = 0;

	if (!ret_use)
		ret_use = &ignored;
	*ret_use = NULL;
	if (c->doubtful)
		return KR_STATE_UNKNOWN;
	while ((use = kr_config_next(c, field, &at))) {
		if (is_invalid(c, use) && !invalid)
			invalid = use;
		/* what a later name of YAML undoes is as if it were not there
		 */
		if (use->overridden)
			continue;
		if (!last || use->state != KR_STATE_NULL || use->resets)
			last = use;
	}
	if (invalid) {
		*ret_use = invalid;
		return KR_STATE_INVALID;
	}
	if (kr_config_stops(c, field))
		return KR_STATE_INVALID;
	state = last ? last->state : KR_STATE_ABSENT;
	*ret_use = last;
	/* Go's zero, which is no use's */
	if (c->internal && kr_field(field)->type == KR_TYPE_BOOL &&
	    (state == KR_STATE_ABSENT || state == KR_STATE_NULL)) {
		*ret_use = NULL;
		return KR_STATE_FALSE;
	}
	return state;
}

const char *kr_config_use_reason(const struct kr_config *config,
                                 const struct kr_config_use *use)
{
	if (config->doubtful)
		return KR_CONFIG_DOUBT;
	if (kr_config_stops(config, use->field))
		return "kubelet refuses the file for another reason, which "
		       "must be mended first";
	return use->reason;
}

/* Where the line at AT of FILE has KEY as a name. */
static struct kr_span find_name(const struct kr_file *file, size_t at,
                                const char *key)
{
	size_t length = strlen(key), start;
	const char *s = file->data;

	at += strspn(s + at, " \t");
	at += s[at] == '"' || s[at] == '\'';
	start = at;
	if (strncmp(s + at, key, length) != 0)
		return KR_SPAN_NONE;
	at += length;
	at += s[at] == '"' || s[at] == '\'';
	at += strspn(s + at, " \t");
	return s[at] == ':' ? (struct kr_span){file, start, length}
	                    : KR_SPAN_NONE;
}

/* Behind the end of the first document kubelet reads nothing. */
static void remark_later(const char *key, const struct kr_file *file,
                         size_t end, struct kr_diag *diag)
{
	const char *eol;

	for (size_t at = end; at < file->size;
	     at = (size_t)(eol - file->data) + 1) {
		struct kr_span name = find_name(file, at, key);

		if (name.file)
			kr_diag_add(diag, KR_NOTE, "config-document", name,
			            "the name is ignored: kubelet reads only "
			            "the first document of the file");
		eol = memchr(file->data + at, '\n', file->size - at);
		if (!eol)
			return;
	}
}

/* Whether a merge key brings the member to the top from where it is. */
static bool is_use(const struct kr_config *c, int field, struct kr_span name)
{
	const struct kr_config_use *use;
	size_t at = 0;

	while ((use = kr_config_next(c, field, &at))) {
		if (use->key.offset == name.offset)
			return true;
	}
	return false;
}

static void remark_strays(const struct kr_config *c, int field,
                          enum kr_stray_kind kind, struct kr_diag *diag)
{
	static const struct {
		enum kr_severity severity;
		const char *code, *before, *after;
	} words[] = {
		[KR_STRAY_CASE] = {KR_WARNING, "config-case", "", ""},
		[KR_STRAY_NAME] = {KR_NOTE, "config-name", "", ""},
		[KR_STRAY_NESTED] = {KR_NOTE, "config-nested", " here",
	                             " at the top of the document"},
	};
	size_t n_more = c->strays.counts[field][kind];

	static_assert(ARRAY_SIZE(words) == _KR_STRAY_MAX, "words for each");
	n_more -= n_more < KR_DIAG_KEPT ? n_more : KR_DIAG_KEPT;
	KR_EACH(const struct kr_stray, stray, c->strays.items, c->strays.n) {
		if (stray->field != field || stray->kind != kind)
			continue;
		if (is_use(c, field, stray->name)) {
			n_more = 0; /* they may be such, too */
			continue;
		}
		kr_diag_add(diag, words[kind].severity, words[kind].code,
		            stray->name,
		            "the name is ignored%s, it must be %s%s",
		            words[kind].before, kr_field_name(field),
		            words[kind].after);
	}
	kr_diag_add_more(diag, words[kind].severity, words[kind].code, n_more);
}

void kr_config_remark(const struct kr_config *c, const struct kr_file *file,
                      int field, struct kr_diag *diag)
{
	bool told = kr_config_state(c, field, NULL) == KR_STATE_INVALID ||
	            c->internal;

	for (int i = 0; !told && c->strays.counts && i < _KR_STRAY_MAX; i++)
		remark_strays(c, field, i, diag);
	if (!told && c->internal_name.file && c->internal_field == field)
		kr_diag_add(diag, KR_WARNING, "config-case", c->internal_name,
		            "the name is ignored, it must be %s",
		            kr_field_name(field));
	if (c->format == KR_CONFIG_YAML && !c->refused && !c->doubtful &&
	    c->layout.end > 0)
		remark_later(kr_field_name(field), file, c->layout.end, diag);
}

int kr_config_parse(const struct kr_file *file,
                    const struct kr_config_options *options,
                    struct kr_diag *diag, struct kr_config *ret)
{
	_cleanup_decode_ struct kr_decode decode;
	const struct kr_listener listener = {kr_decode_hear, &decode};
	_cleanup_diag_ struct kr_diag found = {0};
	struct kr_layout layout = {0};
	struct kr_span twice;
	enum kr_config_format format =
		kr_config_guess(file, options ? options->kubelet_minor : 0);
	int r;

	kr_decode_init(&decode, file, options);
	decode.unique = format == KR_CONFIG_YAML;
	r = kr_config_read(file, format, &listener, &found, &layout, &twice);
	if (r > 0)
		r = kr_decode_twice(&decode, twice);
	/* the tree has said it of itself */
	if (r == -EFBIG && !kr_diag_first(&found, KR_ERROR))
		kr_diag_add_path(&found, KR_ERROR, "config-too-large",
		                 file->path,
		                 "the configuration is too large to be read: "
		                 "it sets fields, or entries of maps, more "
		                 "than %zu times",
		                 KR_DECODE_USES_MAX);
	if (r < 0 && r != KR_MALFORMED) {
		kr_diag_merge(diag, &found);
		return r;
	}
	r = kr_decode_finish(&decode, r == 0, &found, ret);
	if (r < 0)
		return r;
	ret->format = format;
	ret->doubtful = layout.doubt.file;
	if (ret->doubtful)
		kr_diag_add(diag, KR_WARNING, "config-doubt", layout.doubt,
		            KR_CONFIG_DOUBT);
	else
		kr_diag_merge(diag, &found);
	if (format == KR_CONFIG_YAML) {
		layout.reason = ret->layout.reason ?: layout.reason;
		ret->layout = layout;
	}
	return 0;
}

static bool same_span(struct kr_span a, struct kr_span b)
{
	return a.file == b.file && a.offset == b.offset && a.length == b.length;
}

static bool same_use(const struct kr_config_use *a,
                     const struct kr_config_use *b)
{
	return same_span(a->key, b->key) && same_span(a->value, b->value) &&
	       a->reason == b->reason && a->field == b->field &&
	       a->state == b->state && a->resets == b->resets &&
	       a->overridden == b->overridden && a->merged == b->merged &&
	       (!kr_state_is_value(a->state) || kr_value_equal(&a->v, &b->v));
}

static bool same_strays(const struct kr_strays *a, const struct kr_strays *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		if (a->items[i].field != b->items[i].field ||
		    a->items[i].kind != b->items[i].kind ||
		    !same_span(a->items[i].name, b->items[i].name))
			return false;
	}
	return a->n == b->n &&
	       (a->n == 0 || memcmp(a->counts, b->counts,
	                            KR_N_FIELDS * sizeof(*a->counts)) == 0);
}

static void free_uses(struct kr_config *config)
{
	for (size_t i = 0; i < config->n_uses && !config->shares_uses; i++)
		kr_value_done(&config->uses[i].v);
	if (!config->shares_uses)
		free(config->uses);
}

bool kr_config_share(struct kr_config *a, const struct kr_config *b)
{
	const struct kr_layout *x = &a->layout, *y = &b->layout;

	if (a->n_uses != b->n_uses)
		return false;
	for (size_t i = 0; i < a->n_uses; i++) {
		if (!same_use(&a->uses[i], &b->uses[i]))
			return false;
	}
	free_uses(a);
	a->uses = b->uses;
	a->shares_uses = true;
	return a->format == b->format && a->refused == b->refused &&
	       a->invalid_field == b->invalid_field &&
	       a->doubtful == b->doubtful && a->internal == b->internal &&
	       a->dropin == b->dropin &&
	       same_span(a->internal_name, b->internal_name) &&
	       a->internal_field == b->internal_field &&
	       same_strays(&a->strays, &b->strays) &&
	       same_span(x->root, y->root) && x->end == y->end &&
	       x->reason == y->reason && same_span(x->doubt, y->doubt) &&
	       a->n_refusals == 0 && b->n_refusals == 0;
}

void kr_config_done(struct kr_config *config)
{
	free_uses(config);
	free(config->strays.items);
	free(config->strays.counts);
	for (size_t i = 0; i < config->n_refusals; i++)
		free(config->refusals[i].text);
	free(config->refusals);
	*config = (struct kr_config){0};
}
