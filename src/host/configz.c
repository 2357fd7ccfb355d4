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
 * first that fits is taken, the last row of a status fits always. Others on the
 * way have words of their own: kubectl proxy for a request that its filter does
 * not take, and for an API server that is away.
 *
 * RBAC ends its refusal with the roles that are bound and that it cannot find.
 * For some seconds after its start an API server finds none at all (tried with
 * 1.20; the words are those of plugin/pkg/auth/authorizer/rbac/rbac.go). A
 * binding whose role was deleted reads the same, for ever.
 *
 * What the API server has tried itself before it answers (it dialled, and
 * waited for a route or a time limit) is not worth many tries of ours.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/utf8.h"
#include "host/configz.h"
#include "kubelet/configz.h"

/* A Status has some 300 bytes. What is larger is taken for text, so that no
 * tree is made of it. */
#define STATUS_SIZE_MAX ((size_t)256 * 1024)

enum speaker {
	ANYONE,
	API_SERVER, /* a Status */
	KUBELET,    /* or another one: no Status */
};

static const struct meaning {
	unsigned status, last_status; /* from, to */
	enum speaker speaker;
	const char *needle; /* in what it said, in any case; NULL: anything */
	const char *reason;
	enum kr_again again;
	bool named; /* only where credentials were given */
} meanings[] = {
	{300, 399, ANYONE, NULL, "a redirect, which is not followed"},
	/* Go's and nginx' words */
	{400, 400, ANYONE, "HTTPS server", "the server wants https"},
	{400, 400, ANYONE, "sent to HTTPS port", "the server wants https"},
	{401, 401, KUBELET, "Unauthorized",
         "kubelet does not accept the API server's certificate"},
	{401, 401, ANYONE, NULL,
         "the API server refuses the token or the certificate", .named = true},
	{401, 401, ANYONE, NULL,
         "the API server demands credentials: --token-file, or --cert and "
         "--key"},
	{403, 403, KUBELET, "Forbidden (user=",
         "kubelet does not answer the API server: its user lacks get on "
         "nodes/proxy"},
	{403, 403, KUBELET, "<h3>Unauthorized</h3>",
         "kubectl proxy does not take the request (--accept-hosts, "
         "--accept-paths)"},
	{403, 403, API_SERVER, "role.rbac.authorization.k8s.io \"",
         "not allowed: RBAC must grant get on nodes/proxy, and does not find "
         "a role that is bound",
         KR_AGAIN_LATER},
	{403, 403, API_SERVER, "\"system:anonymous\"",
         "not allowed: RBAC must grant get on nodes/proxy, and the request was "
         "one of system:anonymous"},
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
	{429, 429, ANYONE, NULL, "the API server has too much to do",
         KR_AGAIN_OFTEN},
	/* as the API server says it, and proxies before it pass it on */
	{500, 503, ANYONE, "trying to reach service",
         "the API server does not reach kubelet", KR_AGAIN_ONCE},
	{500, 503, API_SERVER, "no preferred addresses found",
         "the API server knows no address of the node", KR_AGAIN_ONCE},
	{500, 502, KUBELET, "dial tcp",
         "the proxy does not reach the API server", KR_AGAIN_OFTEN},
	{502, 502, ANYONE, NULL, "the proxy does not reach the API server",
         KR_AGAIN_OFTEN},
	{503, 503, ANYONE, NULL, "the API server cannot answer now",
         KR_AGAIN_OFTEN},
	{504, 504, ANYONE, NULL,
         "kubelet did not answer the API server in time", KR_AGAIN_ONCE},
	{500, 599, ANYONE, NULL, "the API server failed", KR_AGAIN_OFTEN},
	{0, 999, ANYONE, NULL, "not an answer of configz"},
};

static void say(struct kr_configz *ret, const char *format, ...) _printf_(2, 3);

static void say(struct kr_configz *ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret->reason, sizeof(ret->reason), format, args);
	va_end(args);
}

/* What a refusal says: a Status's message, else the text itself; borrowed from
 * both. */
static enum speaker read_refusal(const struct kr_http_answer *answer,
                                 const cJSON *root, const char **ret)
{
	const char *kind = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(root, "kind"));
	const char *message = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(root, "message"));

	*ret = answer->body ? answer->body : "";
	if (!kind || strcmp(kind, "Status") != 0)
		return KUBELET;
	*ret = message ? message : "";
	return API_SERVER;
}

static bool fits(const struct meaning *m, const struct kr_http_answer *answer,
                 enum speaker speaker, const char *said)
{
	return answer->status >= m->status &&
	       answer->status <= m->last_status &&
	       (m->speaker == ANYONE || m->speaker == speaker) &&
	       (!m->named || answer->named) &&
	       (!m->needle || strcasestr(said, m->needle));
}

/* The whole text is looked at, however much of it is shown. */
static void judge_refusal(const struct kr_http_answer *answer,
                          struct kr_configz *ret)
{
	cJSON *root = answer->body_size > STATUS_SIZE_MAX
	                      ? NULL
	                      : cJSON_ParseWithLength(answer->body,
	                                              answer->body_size);
	const struct meaning *m = meanings;
	const char *said;
	enum speaker speaker = read_refusal(answer, root, &said);
	size_t size = strlen(said);

	while (!fits(m, answer, speaker, said))
		m++;
	while (size > 0 && strchr(" \t\r\n", said[size - 1]))
		size--;
	kr_utf8_show_some(said, size, ret->detail, sizeof(ret->detail));
	cJSON_Delete(root);
	say(ret, "status %u: %s", answer->status, m->reason);
	ret->again = m->again;
}

static void judge_fault(const struct kr_http_answer *answer,
                        struct kr_configz *ret)
{
	say(ret, "%s", answer->words);
	switch (answer->error) {
	case KR_HTTP_REFUSED:
	case KR_HTTP_UNREACHED:
	case KR_HTTP_CUT:
		ret->again = KR_AGAIN_OFTEN;
		break;
	default:
		break;
	}
}

void kr_configz_judge(const struct kr_http_answer *answer, const char *key,
                      struct kr_configz *ret)
{
	*ret = (struct kr_configz){.state = KR_STATE_UNKNOWN,
	                           .status = answer->status};
	if (answer->error != KR_HTTP_ANSWERED)
		judge_fault(answer, ret);
	else if (answer->status != 200)
		judge_refusal(answer, ret);
	else
		ret->state =
			kr_configz_decode(answer->body, answer->body_size, key,
		                          ret->reason, sizeof(ret->reason));
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

	if (r < 0)
		return r;
	r = kr_http_get(t, path);
	if (r < 0)
		return r;
	kr_configz_judge(kr_http_answer(t), key, ret);
	return 0;
}
