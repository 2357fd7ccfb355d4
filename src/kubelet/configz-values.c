/* SPDX-License-Identifier: Apache-2.0 */

/*
 * All that configz says:
 *
 *   {"kubeletconfig": {...}}
 *
 * The inner object is a KubeletConfiguration, and is read as the file of one
 * is; but what kubelet has it shows, so that a zero is a zero here, and not
 * what was left out.
 *
 * Most fields are `omitempty`: a false, a 0 and an empty text are left out. In
 * an answer that has the three that kubelet always shows, what is absent is
 * such a zero; in any other answer nothing is known of it. A member that stands
 * there twice says nothing, as in kubelet/configz.
 *
 * featureGates lists what was set. A gate that it does not list has its
 * default, or what AllBeta makes of it. seccompDefault is the file's: the flag,
 * which can make it true, is not shown, so that only a true says anything.
 *
 * Source: pkg/kubelet/server of kubelet, configz of k8s.io/component-base, and
 * the answer of a real one (tests/cases/configz-sample.json).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "kubelet/config.h"
#include "kubelet/configz-values.h"

#define OBJECT "\"kubeletconfig\""
#define HEAD                                                                   \
	"{\"kind\":\"KubeletConfiguration\","                                  \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""

/* --- the inner object ---------------------------------------------------- */

/* How often the member is there, and its value's bytes if that is an object. */
struct found {
	unsigned n;
	size_t start, end; /* from its brace to behind the other */
};

/* 0; KR_MALFORMED: the body is no JSON; -ENOMEM. */
static int find_object(const struct kr_file *body, struct found *ret)
{
	_cleanup_json_ struct kr_json json;
	struct kr_json_token token;
	size_t depth = 0;
	bool named = false, inside = false;
	int r;

	*ret = (struct found){0};
	kr_json_init(&json, body, 0, NULL);
	for (;;) {
		r = kr_json_next(&json, &token);
		if (r < 0 || token.type == KR_JSON_END)
			return r;
		if (token.key) {
			named = depth == 1 && token.length == strlen(OBJECT) &&
			        memcmp(body->data + token.offset, OBJECT,
			               token.length) == 0;
			ret->n += named;
			continue;
		}
		if (token.type == KR_JSON_OBJECT_END ||
		    token.type == KR_JSON_ARRAY_END) {
			depth--;
			if (depth == 1 && inside)
				ret->end = token.offset + 1;
			inside = inside && depth > 1;
		}
		if (token.type != KR_JSON_OBJECT && token.type != KR_JSON_ARRAY)
			continue;
		if (depth == 1 && named && token.type == KR_JSON_OBJECT) {
			ret->start = token.offset;
			inside = true;
		}
		depth++;
	}
}

/* The inner object as the file of --config would have it. The caller frees
 * RET's data. */
static int make_file(const struct kr_file *body, const struct found *found,
                     struct kr_file *ret)
{
	const char *inner = body->data + found->start + 1;
	size_t length = found->end - found->start - 1;
	bool empty = inner[strspn(inner, " \t\r\n")] == '}';
	char *text = malloc(strlen(HEAD) + 1 + length + 1);

	if (!text)
		return -ENOMEM;
	strcpy(text, HEAD);
	if (!empty)
		strcat(text, ",");
	ret->size = strlen(text) + length;
	memcpy(text + strlen(text), inner, length);
	text[ret->size] = '\0';
	ret->data = text;
	return 0;
}

/* --- its fields ---------------------------------------------------------- */

static void say(struct kr_configz_value *v, enum kr_state state,
                const char *reason)
{
	v->state = state;
	v->reason = reason;
}

static const struct kr_config_use *find(const struct kr_config *config,
                                        int field, bool *ret_twice)
{
	size_t at = 0;
	const struct kr_config_use *use = kr_config_next(config, field, &at);

	*ret_twice = use && kr_config_next(config, field, &at);
	return use;
}

/* It has what kubelet shows whatever its value is: the rest was left out. */
static bool is_whole(const struct kr_config *config)
{
	static const int always[] = {KR_FIELD_IPTABLES, KR_FIELD_ANONYMOUS,
	                             KR_FIELD_AUTHORIZATION_MODE};
	bool twice;

	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		const struct kr_config_use *use =
			find(config, always[i], &twice);

		if (!use || twice || !kr_state_is_value(use->state))
			return false;
	}
	return true;
}

/* A file's "0s" counts as not set; here it is what kubelet has. */
static bool is_zero_duration(const struct kr_config_use *use)
{
	const struct kr_span *v = &use->value;

	return use->state == KR_STATE_NULL && v->length > 0 &&
	       v->file->data[v->offset] == '"' &&
	       kr_field(use->field)->type == KR_TYPE_DURATION;
}

/* What is not there: Go's zero, of a gate its default. */
static int take_absent(const struct kr_config *config, int field,
                       struct kr_configz_value *v)
{
	const struct kr_field *f = kr_field(field);
	bool twice;
	int r = 0;

	v->value.type = f->type;
	if (f->type == KR_TYPE_STRING) {
		v->value.s = strdup("");
		r = v->value.s ? 0 : -ENOMEM;
	} else if (field == KR_FIELD_GATE_ROTATE_SERVER) {
		const struct kr_config_use *all =
			find(config, KR_FIELD_GATE_ALL_BETA, &twice);

		r = kr_field_default(field, false, 0, &v->value);
		if (all && all->state == KR_STATE_FALSE)
			v->value.b = false;
	}
	if (r < 0)
		return r;
	say(v, kr_value_state(&v->value), "kubelet says so of itself");
	return 0;
}

/* Below --cert-dir, by a name of kubelet's own. */
static bool is_self_made(int field, const struct kr_value *value)
{
	const char *name;

	if (field != KR_FIELD_TLS_CERT && field != KR_FIELD_TLS_KEY)
		return false;
	name = strrchr(value->s, '/');
	return name &&
	       strcmp(name, field == KR_FIELD_TLS_CERT ? "/kubelet.crt"
	                                               : "/kubelet.key") == 0;
}

bool kr_configz_shows(int field)
{
	const struct kr_field *f = kr_field(field);

	return f->path && f->combine != KR_COMBINE_OR;
}

static int take(const struct kr_config *config, int field, bool whole,
                struct kr_configz_value *v)
{
	bool twice;
	const struct kr_config_use *use = find(config, field, &twice);
	int r;

	if (!kr_field(field)->path) {
		say(v, KR_STATE_ABSENT, "configz never shows it");
		return 0;
	}
	if (!kr_configz_shows(field) && (!use || use->state != KR_STATE_TRUE)) {
		say(v, KR_STATE_ABSENT,
		    "configz shows the file's value, and never the flag's");
		return 0;
	}
	if (use && !twice && is_zero_duration(use))
		return take_absent(config, field, v);
	if (twice || (use && !kr_state_is_value(use->state))) {
		say(v, KR_STATE_UNKNOWN,
		    twice ? "it is in the answer of configz twice"
		          : "what configz says of it is no value of its kind");
		return 0;
	}
	if (!use && !whole) {
		say(v, KR_STATE_UNKNOWN,
		    "the answer of configz lacks what kubelet always shows");
		return 0;
	}
	if (!use) {
		v->left_out = true;
		return take_absent(config, field, v);
	}
	r = kr_value_copy(&use->v, &v->value);
	if (r < 0)
		return r;
	v->self_made = is_self_made(field, &v->value);
	say(v, use->state, "kubelet says so of itself");
	return 0;
}

static void take_nothing(struct kr_configz_values *ret, const char *reason)
{
	for (int i = 0; i < KR_N_FIELDS; i++)
		say(&ret->items[i], KR_STATE_UNKNOWN, reason);
}

static int take_all(const struct kr_file *file, struct kr_configz_values *ret)
{
	_cleanup_config_ struct kr_config config = {0};
	int r = kr_config_parse(file, NULL, NULL, &config);
	bool whole;

	if (r < 0)
		return r;
	if (config.refused) {
		take_nothing(ret, "the answer of configz is no configuration "
		                  "of kubelet");
		return 0;
	}
	whole = is_whole(&config);
	for (int i = 0; i < KR_N_FIELDS && r >= 0; i++)
		r = take(&config, i, whole, &ret->items[i]);
	return r;
}

int kr_configz_values_read(const char *body, size_t size,
                           struct kr_configz_values *ret)
{
	const struct kr_file answer = {.data = (char *)(uintptr_t)body,
	                               .size = size};
	static char path[] = "configz";
	_cleanup_configz_values_ struct kr_configz_values all = {0};
	struct kr_file inner = {.path = path, .real = path};
	struct found found;
	int r = body ? find_object(&answer, &found) : KR_MALFORMED;

	if (r < 0 && r != KR_MALFORMED)
		return r;
	if (r < 0 || found.n != 1 || found.end == 0) {
		take_nothing(&all, r < 0 ? "the answer of configz is not JSON"
		                         : "the answer of configz must have "
		                           "one object \"kubeletconfig\"");
	} else {
		r = make_file(&answer, &found, &inner);
		if (r >= 0)
			r = take_all(&inner, &all);
		free(inner.data);
		free(inner.line);
		if (r < 0)
			return r;
	}
	*ret = TAKE(all);
	return 0;
}

void kr_configz_values_done(struct kr_configz_values *values)
{
	for (int i = 0; i < KR_N_FIELDS; i++) {
		if (kr_state_is_value(values->items[i].state))
			kr_value_done(&values->items[i].value);
	}
	*values = (struct kr_configz_values){0};
}
