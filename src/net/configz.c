/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a kubelet says of its own settings.
 *
 * The API server hands the question on to the node's kubelet. Two may refuse
 * it, and they do not speak alike:
 *
 *   the API server   a Status object: {"kind":"Status","message":...}
 *   kubelet          a line of text: "Unauthorized", "Forbidden (user=...",
 *                    "404 page not found" (pkg/kubelet/server/server.go,
 *                    1.20 to 1.37), which the API server passes on as it is
 *
 * That tells whose rights are missing, and whether it is the node or its
 * configz that is not there. meanings[] has a row for each such answer, the
 * first that fits is taken, the last row of a status fits always.
 *
 * With status 200 the answer is
 *
 *   {"kubeletconfig": {"<key>": true or false, ...}, ...}
 *
 * and what is not exactly so is unknown: a key in another case is another key,
 * one that is there twice says nothing. Whoever answers decides what it says;
 * no reading of ours can make a liar honest.
 */

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "net/configz.h"

#define OBJECT "kubeletconfig"

enum speaker {
	ANYONE,
	API_SERVER, /* a Status */
	KUBELET,    /* or whoever else: no Status */
};

static const struct meaning {
	unsigned status, last_status; /* from, to */
	enum speaker speaker;
	const char *needle; /* in what it said, in any case; NULL: anything */
	const char *reason;
} meanings[] = {
	{300, 399, ANYONE, NULL, "a redirect, which is not followed"},
	{400, 400, ANYONE, "HTTPS server", "the server wants https"},
	{401, 401, KUBELET, "Unauthorized",
         "kubelet does not accept the API server's certificate"},
	{401, 401, ANYONE, NULL,
         "the API server does not accept who asks: --token-file, or --cert "
         "and --key"},
	{403, 403, KUBELET, "Forbidden (user=",
         "kubelet does not answer the API server: its user lacks get on "
         "nodes/proxy"},
	{403, 403, ANYONE, NULL,
         "not allowed: RBAC must grant get on nodes/proxy"},
	{404, 404, API_SERVER, "nodes \"",
         "the API server has no node of this name"},
	{404, 404, API_SERVER, NULL,
         "the API server does not know the path: the URL must be its own"},
	{404, 404, KUBELET, "404",
         "kubelet has no configz (enableDebuggingHandlers: false), or there "
         "is no API server at the URL"},
	{404, 404, ANYONE, NULL, "there is no API server at the URL"},
	{429, 429, ANYONE, NULL, "the API server has too much to do"},
	{502, 502, ANYONE, NULL, "the proxy does not reach the API server"},
	{503, 503, ANYONE, "trying to reach service",
         "the API server does not reach kubelet"},
	{503, 503, ANYONE, NULL, "the API server cannot answer now"},
	{504, 504, ANYONE, NULL,
         "kubelet did not answer the API server in time"},
	{500, 599, ANYONE, NULL, "the API server failed"},
	{0, 999, ANYONE, NULL, "not an answer of configz"},
};

/* One line of printable ASCII. */
static void clean(char *text)
{
	for (char *p = text; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = p[1] ? '?' : '\0';
	}
}

static void say(struct kr_configz *ret, const char *format, ...) _printf_(2, 3);

static void say(struct kr_configz *ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret->reason, sizeof(ret->reason), format, args);
	va_end(args);
	clean(ret->reason);
}

/* The whole body as JSON, or NULL. */
static cJSON *parse(const struct kr_http_answer *answer)
{
	const char *end, *stop = answer->body + answer->body_size;
	cJSON *root;

	if (!answer->body || memchr(answer->body, '\0', answer->body_size))
		return NULL;
	root = cJSON_ParseWithLengthOpts(answer->body, answer->body_size, &end,
	                                 false);
	while (root && end < stop && strchr(" \t\r\n", *end))
		end++;
	if (root && end == stop)
		return root;
	cJSON_Delete(root);
	return NULL;
}

/* The member of this very name. RET_TWICE: there is more than one. */
static const cJSON *member(const cJSON *object, const char *name,
                           bool *ret_twice)
{
	const cJSON *item, *found = NULL;

	*ret_twice = false;
	cJSON_ArrayForEach(item, object)
	{
		if (!item->string || strcmp(item->string, name) != 0)
			continue;
		*ret_twice = found;
		found = item;
	}
	return found;
}

static void read_value(const cJSON *root, const char *key,
                       struct kr_configz *ret)
{
	bool twice, key_twice;
	const cJSON *config = member(root, OBJECT, &twice);
	const cJSON *value = member(config, key, &key_twice);

	if (!cJSON_IsObject(root))
		say(ret, "the answer must be an object");
	else if (!config)
		say(ret, "." OBJECT " is not in the answer");
	else if (twice)
		say(ret, "." OBJECT " is in the answer twice");
	else if (!cJSON_IsObject(config))
		say(ret, "." OBJECT " must be an object");
	else if (!value)
		say(ret, "." OBJECT ".%s is not in the answer", key);
	else if (key_twice)
		say(ret, "." OBJECT ".%s is in the answer twice", key);
	else if (!cJSON_IsBool(value))
		say(ret, "." OBJECT ".%s must be true or false", key);
	else
		ret->state = cJSON_IsTrue(value) ? KR_CONFIGZ_TRUE
		                                 : KR_CONFIGZ_FALSE;
}

/* What a refusal says: a Status's message, else the text itself. */
static enum speaker read_refusal(const struct kr_http_answer *answer,
                                 const cJSON *root, char *ret, size_t size)
{
	const char *kind = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(root, "kind"));
	const char *message = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(root, "message"));
	bool is_status = kind && strcmp(kind, "Status") == 0;

	if (is_status)
		strlcpy(ret, message ? message : "", size);
	else
		strlcpy(ret, answer->body ? answer->body : "", size);
	clean(ret);
	return is_status ? API_SERVER : KUBELET;
}

static bool fits(const struct meaning *m, unsigned status, enum speaker speaker,
                 const char *said)
{
	return status >= m->status && status <= m->last_status &&
	       (m->speaker == ANYONE || m->speaker == speaker) &&
	       (!m->needle || strcasestr(said, m->needle));
}

static void judge_refusal(const struct kr_http_answer *answer,
                          const cJSON *root, struct kr_configz *ret)
{
	enum speaker speaker =
		read_refusal(answer, root, ret->detail, sizeof(ret->detail));
	const struct meaning *m = meanings;

	while (!fits(m, answer->status, speaker, ret->detail))
		m++;
	say(ret, "status %u: %s", answer->status, m->reason);
}

void kr_configz_judge(const struct kr_http_answer *answer, const char *key,
                      struct kr_configz *ret)
{
	cJSON *root;

	*ret = (struct kr_configz){0};
	if (answer->error != KR_HTTP_ANSWERED) {
		say(ret, "%s", answer->words);
		return;
	}
	root = parse(answer);
	if (answer->status != 200)
		judge_refusal(answer, root, ret);
	else if (!root)
		say(ret, "the answer must be JSON");
	else
		read_value(root, key, ret);
	cJSON_Delete(root);
}

int kr_configz_path(const char *node, char **ret)
{
	_cleanup_free_ char *name = NULL;
	int r = kr_http_escape(node, &name);

	if (r < 0)
		return r;
	r = asprintf(ret, "/api/v1/nodes/%s/proxy/configz", name);
	return r < 0 ? -ENOMEM : 0;
}

int kr_configz_get(struct kr_http_transfer *t, const char *node,
                   const char *key, struct kr_configz *ret)
{
	_cleanup_free_ char *path = NULL;
	int r = kr_configz_path(node, &path);

	if (r == 0)
		r = kr_http_get(t, path);
	if (r == 0)
		kr_configz_judge(kr_http_answer(t), key, ret);
	return r;
}
