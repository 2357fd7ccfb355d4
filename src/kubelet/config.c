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
		                 "the file is empty, it would have to hold a "
		                 "KubeletConfiguration");
		return -EBADMSG;
	}
	if (format == KR_CONFIG_JSON)
		return kr_json_read(file, listener, diag);
	return kr_yaml_read(file, listener, diag, layout, ret_twice);
}

/* What was found may be found by our reader alone. */
static void doubt(struct kr_config *config, struct kr_span place,
                  struct kr_diag *diag)
{
	static const char reason[] =
		"a tag would have to end with a blank: kubelet's YAML reader "
		"and this one's do not agree";

	kr_diag_add(diag, KR_WARNING, "config-doubt", place, "%s", reason);
	config->state = KR_STATE_UNKNOWN;
	config->refused = true;
	config->wins = -1;
	config->layout.reason = reason;
	for (size_t i = 0; i < config->n_uses; i++) {
		config->uses[i].editable = false;
		config->uses[i].reason = reason;
	}
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
static void remark_later(const struct kr_setting *setting,
                         const struct kr_file *file, size_t end,
                         struct kr_diag *diag)
{
	const char *eol;

	for (size_t at = end; at < file->size;
	     at = (size_t)(eol - file->data) + 1) {
		struct kr_span name = find_name(file, at, setting->key);

		if (name.file)
			kr_diag_add(diag, KR_NOTE, "config-document", name,
			            "the name is ignored: kubelet reads only "
			            "the first document of the file");
		eol = memchr(file->data + at, '\n', file->size - at);
		if (!eol)
			return;
	}
}

int kr_config_parse(const struct kr_setting *setting,
                    const struct kr_file *file,
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

	kr_decode_init(&decode, setting, file, options);
	decode.unique = format == KR_CONFIG_YAML;
	r = kr_config_read(file, format, &listener, &found, &layout, &twice);
	if (r > 0)
		r = kr_decode_twice(&decode, twice);
	if (r == -EFBIG && (decode.ours.n == KR_DECODE_USES_MAX ||
	                    decode.internal.n == KR_DECODE_USES_MAX))
		kr_diag_add_path(diag, KR_ERROR, "config-too-large", file->path,
		                 "the configuration is too large to be read: "
		                 "it has the key more than %zu times",
		                 KR_DECODE_USES_MAX);
	if (r < 0 && r != -EBADMSG) {
		kr_diag_merge(diag, &found);
		return r;
	}
	r = kr_decode_finish(&decode, r == 0, &found, ret);
	if (r < 0)
		return r;
	if (layout.doubt.file)
		doubt(ret, layout.doubt, diag);
	else
		kr_diag_merge(diag, &found);
	ret->format = format;
	if (format == KR_CONFIG_YAML) {
		if (!ret->refused && layout.end > 0)
			remark_later(setting, file, layout.end, diag);
		layout.reason = ret->layout.reason ?: layout.reason;
		ret->layout = layout;
	}
	return 0;
}

void kr_config_done(struct kr_config *config)
{
	free(config->uses);
	free(config->healthz_bind_address);
	*config = (struct kr_config){0};
}
