/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The verdict on a document, whatever language it was written in.
 *
 * kubelet looks at a document twice. First at kind and apiVersion alone, with
 * encoding/json: names match in any case, the last one wins, null says nothing,
 * another type than a string is the end. Then the whole goes into the Go struct
 * of that version, names in their exact case: a field of a wrong type is the
 * end, wherever it is, every time it is there; an unknown or repeated one is
 * only a warning (the strict decoder fails and a lenient one follows). null
 * leaves a field alone; of our key it undoes an earlier value, as it is a
 * pointer. The version "__internal" is known too; there Go's own field names
 * are the keys and our key's default is Go's, false.
 *
 * A drop-in is not decoded into the struct by itself: only kind and apiVersion
 * must be right, by their exact names. It is read into a map of anything, in
 * which a number is a float64 at most, wherever it stands. Its types are judged
 * after the merge, by encoding/json, which ignores the case of names.
 * kubelet 1.29 to 1.31 want a drop-in to have a kind and do not look at what it
 * is.
 *
 * Names that only look like our key are noted, since people and scanners take
 * them for it: kubelet passes over them without a word that anybody reads.
 *
 * The listener keeps one frame for each open bracket, so that depth costs
 * memory, but no stack.
 *
 * Source: kubernetes pkg/kubelet/kubeletconfig/util/codec/codec.go,
 * cmd/kubelet/app/server.go (1.20, 1.29 and later), apimachinery
 * pkg/runtime/serializer/json/{json,meta}.go.
 */

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/json.h"
#include "base/vec.h"
#include "doc/name.h"
#include "kubelet/decode.h"
#include "kubelet/go.h"
#include "kubelet/merge.h"

#define KIND  "KubeletConfiguration"
#define GROUP "kubelet.config.k8s.io/"

void kr_decode_init(struct kr_decode *d, const struct kr_setting *setting,
                    const struct kr_file *file,
                    const struct kr_config_options *options)
{
	*d = (struct kr_decode){
		.setting = setting,
		.file = file,
		.dropin = options && options->dropin,
		.any_kind = options && options->dropin &&
	                    kr_merge_of(options->kubelet_minor) ==
	                            KR_MERGE_GO_NAMES,
		.merged = !file,
		.healthz_port = -1,
		.masquerade_bit = -1,
		.drop_bit = -1,
	};
}

void kr_decode_done(struct kr_decode *d)
{
	free(d->frames);
	kr_names_done(&d->names);
	free(d->ours.items);
	free(d->internal.items);
	free(d->kind);
	free(d->api_version);
	free(d->healthz_address);
	free(d->fatal.text);
	free(d->fault.text);
	free(d->scratch);
	*d = (struct kr_decode){0};
}

_printf_(4, 5) static int refuse(struct kr_decode_fault *fault,
                                 const char *code, struct kr_span span,
                                 const char *format, ...)
{
	va_list args;
	int r;

	if (fault->text)
		return 0;
	va_start(args, format);
	r = kr_vformat(&fault->text, format, args);
	va_end(args);
	if (r < 0)
		return r;
	fault->code = code;
	fault->span = span;
	return 0;
}

/* The event's text without escapes; NULL when memory runs out. */
static const char *plain(struct kr_decode *d, const struct kr_event *e,
                         size_t *ret_length)
{
	size_t size = 3 * e->length + 1;
	char *grown;

	*ret_length = e->length;
	if (!e->escaped)
		return e->text;
	if (d->size_scratch < size) {
		grown = realloc(d->scratch, size);
		if (!grown)
			return NULL;
		d->scratch = grown;
		d->size_scratch = size;
	}
	*ret_length = kr_json_unescape(e->text, e->length, d->scratch);
	return d->scratch;
}

static bool is_internal_name(const struct kr_setting *setting, const char *name,
                             size_t length)
{
	return length == strlen(setting->key) && length > 0 &&
	       name[0] == (setting->key[0] & ~0x20) &&
	       memcmp(name + 1, setting->key + 1, length - 1) == 0;
}

static enum kr_decode_role role_of(const struct kr_decode *d, const char *name,
                                   size_t length)
{
	static const struct {
		const char *name;
		enum kr_decode_role role;
	} others[] = {
		{"healthzPort", KR_ROLE_HEALTHZ_PORT},
		{"healthzBindAddress", KR_ROLE_HEALTHZ_ADDRESS},
		{"iptablesMasqueradeBit", KR_ROLE_MASQUERADE_BIT},
		{"iptablesDropBit", KR_ROLE_DROP_BIT},
	};

	bool fold = d->dropin || d->merged;

	if (kr_name_equal(d->setting->key, name, length, fold))
		return KR_ROLE_OURS;
	if (is_internal_name(d->setting, name, length))
		return KR_ROLE_OURS_INTERNAL;
	if (kr_name_equal("kind", name, length, true))
		return KR_ROLE_KIND;
	if (kr_name_equal("apiVersion", name, length, true))
		return KR_ROLE_API_VERSION;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (kr_name_equal(others[i].name, name, length, fold))
			return others[i].role;
	}
	return KR_ROLE_NONE;
}

/* --- names that are not our key ------------------------------------------ */

/* The length of a byte sequence at TEXT that joins words or is not seen: 0, it
 * does neither. */
static size_t filler_length(const char *text, size_t length)
{
	static const char *const fillers[] = {
		"-",
		"_",
		" ",
		"\t",
		"\n",
		"\r",
		"\xc2\xa0",     /* no-break space */
		"\xc2\xad",     /* soft hyphen */
		"\xe2\x80\x8b", /* zero-width space */
		"\xe2\x80\x8c", /* zero-width non-joiner */
		"\xe2\x80\x8d", /* zero-width joiner */
		"\xe2\x80\xaf", /* narrow no-break space */
		"\xe2\x81\xa0", /* word joiner */
		"\xef\xbb\xbf", /* byte order mark */
	};

	for (size_t i = 0; i < ARRAY_SIZE(fillers); i++) {
		size_t n = strlen(fillers[i]);

		if (n <= length && memcmp(text, fillers[i], n) == 0)
			return n;
	}
	return 0;
}

static size_t skip_filler(const char *name, size_t length, size_t at)
{
	size_t n;

	while (at < length && (n = filler_length(name + at, length - at)) > 0)
		at += n;
	return at;
}

/* Whether people read NAME as KEY: in any case, with what joins words and what
 * is not seen in it ("make-iptables-util-chains"), or with the value still in
 * the name ("key:false" of YAML, where a blank is missing). */
static bool looks_like(const char *key, const char *name, size_t length)
{
	size_t at = skip_filler(name, length, 0);

	for (; *key; key++) {
		if (at == length || (name[at] | 0x20) != (*key | 0x20))
			return false;
		at = skip_filler(name, length, at + 1);
	}
	return at == length || name[at] == ':' || name[at] == '=';
}

#define STRAY_LENGTH_MAX ((size_t)256)

/* A name that is no member's at the top: inside, even ours is a stray. */
static int check_stray(struct kr_decode *d, const struct kr_event *e)
{
	const char *key = d->setting->key;
	struct kr_decode_strays *strays = &d->strays[KR_STRAY_NESTED];
	const char *name;
	size_t length;

	if (d->merged || e->length < strlen(key) ||
	    e->length > STRAY_LENGTH_MAX)
		return 0;
	name = plain(d, e, &length);
	if (!name)
		return -ENOMEM;
	if (!looks_like(key, name, length))
		return 0;
	if (d->depth == 1 && kr_name_equal(key, name, length, true))
		strays = &d->strays[KR_STRAY_CASE];
	else if (d->depth == 1)
		strays = &d->strays[KR_STRAY_NAME];
	if (strays->n == ARRAY_SIZE(strays->names))
		strays->n_more++;
	else
		strays->names[strays->n++] = e->span;
	return 0;
}

static int hear_key(struct kr_decode *d, const struct kr_event *e)
{
	struct kr_decode_frame *frame = &d->frames[d->depth - 1];
	const struct kr_schema *schema = frame->schema;
	const char *name;
	size_t length;

	frame->key = e->span;
	frame->member = NULL;
	if (d->depth > 1 && check_stray(d, e) < 0)
		return -ENOMEM;
	if (!schema && d->depth > 1 && !d->dropin)
		return 0;
	name = plain(d, e, &length);
	if (!name)
		return -ENOMEM;
	if (d->dropin && !d->unique &&
	    kr_names_add(&d->names, frame->object, name, length, e->span) < 0)
		return -ENOMEM;
	if (schema && kr_schema_kind(schema) == KR_SCHEMA_OBJECT)
		frame->member =
			kr_schema_member(schema, name, length, d->merged);
	else if (schema)
		frame->member = kr_schema_element(schema);
	if (d->depth > 1)
		return 0;
	d->role = role_of(d, name, length);
	d->range = kr_range_find(name, length, d->dropin || d->merged);
	d->exact = kr_name_equal("kind", name, length, false) ||
	           kr_name_equal("apiVersion", name, length, false);
	d->key = e->span;
	/* a wrong type of our key is told by its use, which can be edited */
	if (d->role == KR_ROLE_OURS)
		frame->member = NULL;
	return d->role == KR_ROLE_NONE ? check_stray(d, e) : 0;
}

static int push_use(struct kr_decode *d, const struct kr_event *e)
{
	struct kr_decode_uses *uses =
		d->role == KR_ROLE_OURS ? &d->ours : &d->internal;
	struct kr_config_use *use;

	if (uses->n == KR_DECODE_USES_MAX)
		return -EFBIG;
	use = KR_VEC_NEXT(uses->items, uses->n);
	if (!use)
		return -ENOMEM;
	uses->n++;
	*use = (struct kr_config_use){
		.key = d->key,
		.value = e->span,
		.state = KR_STATE_INVALID,
		.editable = !e->fixed,
		.reason = e->fixed,
		.overridden = e->overridden,
		.merged = e->merged,
	};
	if (e->type == KR_EVENT_TRUE)
		use->state = KR_STATE_TRUE;
	else if (e->type == KR_EVENT_FALSE)
		use->state = KR_STATE_FALSE;
	else if (e->type == KR_EVENT_NULL)
		use->state = KR_STATE_NULL;
	else if (!e->fixed &&
	         (e->type == KR_EVENT_MAP || e->type == KR_EVENT_LIST)) {
		use->editable = false;
		use->reason = "the value holds others; it would have to be a "
			      "plain word to be exchanged";
	}
	return 0;
}

/* Half of the type, kind or apiVersion: the first look's rules. */
static int hear_gvk(struct kr_decode *d, const struct kr_event *e,
                    const char *name, char **value, struct kr_span *span)
{
	const char *text;
	char *copy;
	size_t length;

	if (e->type == KR_EVENT_NULL)
		return 0;
	if (e->type != KR_EVENT_STRING)
		return refuse(&d->fatal, "config-kind", e->span,
		              "%s would have to be a string", name);
	if (d->dropin && !d->exact)
		return 0;
	text = plain(d, e, &length);
	copy = text ? strndup(text, length) : NULL;
	if (!copy)
		return -ENOMEM;
	/* a NUL in the middle must not make it right */
	if (strlen(copy) != length)
		copy[0] = '\0';
	free(*value);
	*value = copy;
	*span = e->span;
	return 0;
}

static int number_of(const struct kr_event *e)
{
	char digits[12];
	const char *error;
	long long n;

	if (e->type != KR_EVENT_NUMBER || e->length >= sizeof(digits))
		return -1;
	memcpy(digits, e->text, e->length);
	digits[e->length] = '\0';
	n = strtonum(digits, 0, INT_MAX, &error);
	return error ? -1 : (int)n;
}

static void set_range(struct kr_decode *d, const struct kr_event *e)
{
	struct kr_range_value *range = &d->ranges[d->range];

	if (e->type == KR_EVENT_NULL &&
	    (d->merged || kr_range_is_pointer(d->range)))
		range->set = false;
	else if (e->type == KR_EVENT_NUMBER &&
	         kr_go_int_text(e->text, e->length, 10, 64, &range->value))
		*range = (struct kr_range_value){true, range->value, e->span};
}

static int set_address(struct kr_decode *d, const struct kr_event *e)
{
	const char *text;
	size_t length;

	if (e->type == KR_EVENT_NULL && d->merged) {
		free(d->healthz_address);
		d->healthz_address = NULL;
	}
	if (e->type != KR_EVENT_STRING)
		return 0;
	text = plain(d, e, &length);
	if (!text)
		return -ENOMEM;
	free(d->healthz_address);
	d->healthz_address = strndup(text, length);
	return d->healthz_address ? 0 : -ENOMEM;
}

/* The value of a member at the top. */
static int hear_top(struct kr_decode *d, const struct kr_event *e)
{
	if (d->role == KR_ROLE_OURS || d->role == KR_ROLE_OURS_INTERNAL)
		return push_use(d, e);
	if (e->overridden)
		return 0;
	if (d->range >= 0)
		set_range(d, e);
	switch (d->role) {
	case KR_ROLE_KIND:
		return hear_gvk(d, e, "kind", &d->kind, &d->kind_span);
	case KR_ROLE_API_VERSION:
		return hear_gvk(d, e, "apiVersion", &d->api_version,
		                &d->api_version_span);
	case KR_ROLE_HEALTHZ_PORT:
		d->healthz_port = number_of(e);
		return 0;
	case KR_ROLE_HEALTHZ_ADDRESS:
		return set_address(d, e);
	case KR_ROLE_MASQUERADE_BIT:
		d->masquerade_bit = number_of(e);
		return 0;
	case KR_ROLE_DROP_BIT:
		d->drop_bit = number_of(e);
		return 0;
	default:
		return 0;
	}
}

static int type_valid(struct kr_decode *d, const struct kr_schema *schema,
                      const struct kr_event *e)
{
	enum kr_schema_kind kind = kr_schema_kind(schema);
	const char *text;
	size_t length;

	switch (e->type) {
	case KR_EVENT_MAP:
		return kind == KR_SCHEMA_OBJECT || kind == KR_SCHEMA_MAP;
	case KR_EVENT_LIST:
		return kind == KR_SCHEMA_LIST;
	case KR_EVENT_NULL:
		return kr_schema_null_valid(schema);
	case KR_EVENT_TRUE:
	case KR_EVENT_FALSE:
		return kr_schema_bool_valid(schema);
	case KR_EVENT_NUMBER:
		return kr_schema_number_valid(schema, e->text, e->length);
	case KR_EVENT_STRING:
		text = plain(d, e, &length);
		if (!text)
			return -ENOMEM;
		return kr_schema_string_valid(schema, text, length);
	case KR_EVENT_MAP_END:
	case KR_EVENT_LIST_END:
		break;
	}
	return 1;
}

static int check_type(struct kr_decode *d, const struct kr_schema *schema,
                      const struct kr_event *e)
{
	struct kr_span key = KR_SPAN_NONE;
	int r;

	if (!schema)
		return 0;
	r = type_valid(d, schema, e);
	if (r != 0)
		return r < 0 ? r : 0;
	if (d->depth > 0)
		key = d->frames[d->depth - 1].key;
	if (!key.file)
		return refuse(&d->fault, "config-type", e->span,
		              "the value would have to be %s",
		              kr_schema_wants(schema));
	return refuse(&d->fault, "config-type", e->span,
	              "the value of %.*s would have to be %s",
	              key.length > 80 ? 80 : (int)key.length,
	              key.file->data + key.offset, kr_schema_wants(schema));
}

static int push_frame(struct kr_decode *d, const struct kr_schema *schema,
                      const struct kr_event *e)
{
	struct kr_decode_frame *next = KR_VEC_NEXT(d->frames, d->depth);

	if (!next)
		return -ENOMEM;
	if (schema && e->type == KR_EVENT_MAP &&
	    kr_schema_kind(schema) != KR_SCHEMA_OBJECT &&
	    kr_schema_kind(schema) != KR_SCHEMA_MAP)
		schema = NULL;
	if (schema && e->type == KR_EVENT_LIST &&
	    kr_schema_kind(schema) != KR_SCHEMA_LIST)
		schema = NULL;
	d->depth++;
	*next = (struct kr_decode_frame){
		.schema = schema,
		.object = e->type == KR_EVENT_MAP ? ++d->n_objects : 0,
	};
	return 0;
}

static void pop_frame(struct kr_decode *d, const struct kr_event *e)
{
	size_t end = kr_span_end(e->span);
	struct kr_decode_uses *uses =
		d->role == KR_ROLE_OURS ? &d->ours : &d->internal;

	d->depth--;
	if (d->depth == 0 && !d->merged)
		d->root.length = end - d->root.offset;
	if (d->depth != 1 || d->merged)
		return;
	d->last_value.length = end - d->last_value.offset;
	if (d->role == KR_ROLE_OURS || d->role == KR_ROLE_OURS_INTERNAL)
		uses->items[uses->n - 1].value = d->last_value;
}

/* The outermost value. */
static int hear_root(struct kr_decode *d, const struct kr_event *e,
                     const struct kr_schema **schema)
{
	d->root = e->span;
	*schema = d->dropin ? NULL : kr_schema_root();
	if (e->type == KR_EVENT_MAP || e->type == KR_EVENT_NULL)
		return 0;
	return refuse(&d->fatal, "config-kind", e->span,
	              "the document would have to be an object");
}

int kr_decode_hear(void *userdata, const struct kr_event *e)
{
	struct kr_decode *d = userdata;
	struct kr_decode_frame *frame;
	const struct kr_schema *schema = NULL;
	int r = 0;

	if (e->type == KR_EVENT_MAP_END || e->type == KR_EVENT_LIST_END) {
		pop_frame(d, e);
		return 0;
	}
	if (e->key)
		return hear_key(d, e);

	frame = d->depth > 0 ? &d->frames[d->depth - 1] : NULL;
	if (!frame)
		r = hear_root(d, e, &schema);
	else if (frame->object)
		schema = frame->member;
	else if (frame->schema)
		schema = kr_schema_element(frame->schema);
	if (r == 0 && d->dropin && e->type == KR_EVENT_NUMBER &&
	    !kr_go_float_valid(e->text, e->length))
		r = refuse(&d->fatal, "config-type", e->span,
		           "a number of a drop-in would have to fit into a "
		           "float64");
	if (r == 0 && frame && d->depth == 1 && frame->object) {
		d->last_key = d->key;
		d->last_value = e->span;
		r = hear_top(d, e);
	}
	if (e->overridden)
		schema = NULL;
	if (r == 0)
		r = check_type(d, schema, e);
	if (r == 0 && (e->type == KR_EVENT_MAP || e->type == KR_EVENT_LIST))
		r = push_frame(d, schema, e);
	return r;
}

static int check_gvk(struct kr_decode *d, bool *ret_internal)
{
	const char *version;

	if (!d->kind || !*d->kind)
		return refuse(&d->fatal, "config-kind", KR_SPAN_NONE,
		              "kind would have to be \"" KIND "\"");
	if (d->any_kind)
		return 0;
	if (!d->api_version || !*d->api_version ||
	    strcmp(d->api_version, GROUP) == 0)
		return refuse(&d->fatal, "config-kind", KR_SPAN_NONE,
		              "apiVersion would have to be \"" GROUP
		              "v1beta1\"");
	if (strcmp(d->kind, KIND) != 0)
		return refuse(&d->fatal, "config-kind", d->kind_span,
		              "kind would have to be \"" KIND "\"");
	version = d->api_version + strlen(GROUP);
	if (strncmp(d->api_version, GROUP, strlen(GROUP)) == 0) {
		*ret_internal =
			!d->dropin && strcmp(version, "__internal") == 0;
		if (*ret_internal || strcmp(version, "v1beta1") == 0)
			return 0;
	}
	return refuse(&d->fatal, "config-kind", d->api_version_span,
	              "apiVersion would have to be \"" GROUP "v1beta1\"");
}

static int check_names(struct kr_decode *d)
{
	struct kr_span span;

	if (!d->dropin || !kr_names_repeated(&d->names, &span))
		return 0;
	return kr_decode_twice(d, span);
}

static void say(const struct kr_decode *d, const struct kr_decode_fault *fault,
                struct kr_diag *diag)
{
	if (fault->span.file)
		kr_diag_add(diag, KR_ERROR, fault->code, fault->span, "%s",
		            fault->text);
	else
		kr_diag_add_path(diag, KR_ERROR, fault->code,
		                 d->file ? d->file->path : "", "%s",
		                 fault->text);
}

/* The state that the uses alone make. */
static void judge_uses(struct kr_decode *d, struct kr_config *c,
                       struct kr_diag *diag)
{
	c->wins = (int)c->n_uses - 1;
	c->state = c->n_uses ? c->uses[c->wins].state : KR_STATE_ABSENT;
	for (size_t i = 0; i < c->n_uses && !d->dropin; i++) {
		const struct kr_config_use *use = &c->uses[i];

		if (use->state != KR_STATE_INVALID || use->overridden)
			continue;
		c->state = KR_STATE_INVALID;
		kr_diag_add(diag, KR_ERROR, "config-value", use->value,
		            "%s would have to be true or false, without quotes",
		            d->setting->key);
	}
	if (!c->internal)
		return;
	if (c->state == KR_STATE_ABSENT || c->state == KR_STATE_NULL) {
		c->state = KR_STATE_FALSE;
		c->wins = -1;
	}
}

/* kubelet refuses the file whatever our key says: no edit of it helps. */
static void give_up(struct kr_config *c)
{
	static const char reason[] =
		"kubelet refuses the file for another reason, which would have "
		"to be mended first";

	c->state = KR_STATE_INVALID;
	c->refused = true;
	c->layout.reason = reason;
	for (size_t i = 0; i < c->n_uses; i++) {
		c->uses[i].editable = false;
		c->uses[i].reason = reason;
	}
}

static void take_uses(struct kr_decode *d, struct kr_config *c)
{
	struct kr_decode_uses *uses = c->internal ? &d->internal : &d->ours;

	c->uses = TAKE_PTR(uses->items);
	c->n_uses = uses->n;
	c->layout.root = d->root;
	c->layout.flow = true;
	c->layout.last_key = d->last_key;
	c->layout.last_value = d->last_value;
	if (c->internal)
		c->layout.reason =
			"apiVersion would have to be \"" GROUP "v1beta1\"";
	if (!c->internal)
		memcpy(c->ranges, d->ranges, sizeof(c->ranges));
	c->healthz_port = d->healthz_port;
	c->healthz_bind_address = TAKE_PTR(d->healthz_address);
	c->masquerade_bit = d->masquerade_bit;
	c->drop_bit = d->drop_bit;
	c->dropin = d->dropin;
}

int kr_decode_twice(struct kr_decode *d, struct kr_span name)
{
	if (!d->dropin)
		return 0;
	return refuse(&d->fatal, "config-duplicate", name,
	              "the name is there twice, in a drop-in it would have to "
	              "be there once");
}

/* Whether a merge key brings the member to the top from where it is. */
static bool is_use(const struct kr_config *c, struct kr_span name)
{
	for (size_t i = 0; i < c->n_uses; i++) {
		if (c->uses[i].key.offset == name.offset)
			return true;
	}
	return false;
}

static void remark_strays(const struct kr_decode *d, const struct kr_config *c,
                          struct kr_diag *diag)
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

	static_assert(ARRAY_SIZE(words) == _KR_STRAY_MAX, "words for each");
	for (size_t i = 0; i < _KR_STRAY_MAX; i++) {
		const struct kr_decode_strays *strays = &d->strays[i];
		size_t n_more = strays->n_more;

		for (size_t k = 0; k < strays->n; k++) {
			if (is_use(c, strays->names[k])) {
				n_more = 0; /* they may be such, too */
				continue;
			}
			kr_diag_add(diag, words[i].severity, words[i].code,
			            strays->names[k],
			            "the name is ignored%s, it would have to "
			            "be %s%s",
			            words[i].before, d->setting->key,
			            words[i].after);
		}
		kr_diag_add_more(diag, words[i].severity, words[i].code,
		                 n_more);
	}
	if (d->internal.n > 0)
		kr_diag_add(diag, KR_WARNING, "config-case",
		            d->internal.items[0].key,
		            "the name is ignored, it would have to be %s",
		            d->setting->key);
}

int kr_decode_finish(struct kr_decode *d, bool readable, struct kr_diag *diag,
                     struct kr_config *ret)
{
	struct kr_config config = {.wins = -1};
	int r;

	if (readable && !d->fatal.text && !d->merged) {
		r = check_gvk(d, &config.internal);
		if (r == 0)
			r = check_names(d);
		if (r < 0)
			return r;
	}
	take_uses(d, &config);
	judge_uses(d, &config, readable && !d->fatal.text ? diag : NULL);
	if (readable && d->fatal.text)
		say(d, &d->fatal, diag);
	else if (readable && d->fault.text && !config.internal)
		say(d, &d->fault, diag);
	else if (readable)
		goto done;
	give_up(&config);
done:
	if (config.state != KR_STATE_INVALID && !config.internal)
		remark_strays(d, &config, diag);
	*ret = config;
	return 0;
}
