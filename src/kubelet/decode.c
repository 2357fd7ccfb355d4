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
 * pointer. What is unknown depends on the version: where that is not known, and
 * only some refuse a type, those are kept (kr_config's refusals), and the value
 * is what the others make of it, nothing. The version "__internal" is known
 * too; there Go's own field names are the keys and our key's default is Go's,
 * false.
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
#include "kubelet/minors.h"

#define KIND  "KubeletConfiguration"
#define GROUP "kubelet.config.k8s.io/"

/* The last minor version whose JSON decoder empties a string for a null. */
#define NULL_MINOR_OLD 22

void kr_decode_init(struct kr_decode *d, const struct kr_file *file,
                    const struct kr_config_options *options)
{
	unsigned minor = options ? options->kubelet_minor : 0;

	*d = (struct kr_decode){
		.file = file,
		.dropin = options && options->dropin,
		.any_kind = options && options->dropin &&
	                    kr_merge_of(minor) == KR_MERGE_GO_NAMES,
		.merged = !file,
		.old_null = minor > 0 && minor <= NULL_MINOR_OLD,
		.minors = kr_minors_of(options && !options->any_types ? minor
	                                                              : 0),
	};
}

static void free_uses(struct kr_decode_uses *uses)
{
	for (size_t i = 0; i < uses->n; i++)
		kr_value_done(&uses->items[i].v);
	free(uses->items);
}

void kr_decode_done(struct kr_decode *d)
{
	free(d->frames);
	kr_names_done(&d->names);
	free_uses(&d->uses);
	free_uses(&d->internal);
	free(d->strays.items);
	free(d->strays.counts);
	free(d->kind);
	free(d->api_version);
	free(d->fatal.text);
	free(d->fault.text);
	for (size_t i = 0; i < d->n_refusals; i++)
		free(d->refusals[i].text);
	free(d->refusals);
	free(d->scratch);
	free(d->path);
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

static enum kr_decode_role role_of(const char *name, size_t length)
{
	if (kr_name_equal("kind", name, length, true))
		return KR_ROLE_KIND;
	if (kr_name_equal("apiVersion", name, length, true))
		return KR_ROLE_API_VERSION;
	return KR_ROLE_NONE;
}

/* --- names that are not a field's ---------------------------------------- */

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

	/* most bytes of most names */
	if (((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z') ||
	    (*text >= '0' && *text <= '9'))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(fillers); i++) {
		size_t n = strlen(fillers[i]);

		if (n <= length && memcmp(text, fillers[i], n) == 0)
			return n;
	}
	return 0;
}

/* NAME (LENGTH bytes) without those, in RET of the same size; its length. */
static size_t strip_fillers(const char *name, size_t length, char *ret)
{
	size_t n_left = 0;

	for (size_t i = 0; i < length;) {
		size_t n = filler_length(name + i, length - i);

		if (n == 0)
			ret[n_left++] = name[i];
		i += n ? n : 1;
	}
	return n_left;
}

/* Whether people read NAME, which has no fillers, as KEY: in any case
 * ("makeiptablesutilchains"), or with the value still in the name ("key:false"
 * of YAML, where a blank is missing). */
static bool looks_like(const char *key, const char *name, size_t length)
{
	const char *end = name + length;

	for (; *key; key++, name++) {
		if (name == end || (*name | 0x20) != (*key | 0x20))
			return false;
	}
	return name == end || *name == ':' || *name == '=';
}

#define STRAY_LENGTH_MAX ((size_t)256)

static int add_stray(struct kr_strays *strays, int field,
                     enum kr_stray_kind kind, struct kr_span name)
{
	struct kr_stray *next;

	if (!strays->counts)
		strays->counts = calloc(KR_N_FIELDS, sizeof(*strays->counts));
	if (!strays->counts)
		return -ENOMEM;
	if (strays->counts[field][kind]++ >= KR_DIAG_KEPT)
		return 0;
	next = KR_VEC_NEXT(strays->items, strays->n);
	if (!next)
		return -ENOMEM;
	*next = (struct kr_stray){field, kind, name};
	strays->n++;
	return 0;
}

/* A name that is no field's at the top: inside, even such a one is a stray. Of
 * fields that are not at the top the last name says too little. */
static int check_stray(struct kr_decode *d, const struct kr_event *e)
{
	char stripped[3 * STRAY_LENGTH_MAX];
	const char *name;
	size_t length, n_left;

	if (d->merged || e->length > STRAY_LENGTH_MAX)
		return 0;
	name = plain(d, e, &length);
	if (!name)
		return -ENOMEM;
	n_left = strip_fillers(name, length, stripped);
	for (int i = 0; i < KR_N_SETTINGS; i++) {
		const char *key = kr_field(i)->path;
		enum kr_stray_kind kind = KR_STRAY_NESTED;

		if (!key || !looks_like(key, stripped, n_left) ||
		    strchr(key, '.'))
			continue;
		if (d->depth == 1 && kr_name_equal(key, name, length, true))
			kind = KR_STRAY_CASE;
		else if (d->depth == 1)
			kind = KR_STRAY_NAME;
		if (add_stray(&d->strays, i, kind, e->span) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Where NAME leads to among the fields' paths. */
static void step(struct kr_decode *d, struct kr_decode_frame *frame,
                 const char *name, size_t length)
{
	frame->next =
		kr_field_step(frame->place, name, length,
	                      d->dropin || d->merged, false, &frame->field);
	frame->internal_next = (struct kr_field_place){-1, 0};
	if (!d->dropin && !d->merged)
		frame->internal_next =
			kr_field_step(frame->internal_place, name, length,
		                      false, true, &frame->internal_field);
}

static int set_path(struct kr_decode *d, const struct kr_decode_frame *frame,
                    const char *name, size_t length);

static int hear_key(struct kr_decode *d, const struct kr_event *e)
{
	struct kr_decode_frame *frame = &d->frames[d->depth - 1];
	const struct kr_schema *schema = frame->schema;
	const char *name;
	size_t length;

	frame->key = e->span;
	frame->member = NULL;
	frame->field = frame->internal_field = -1;
	frame->next.row = frame->internal_next.row = -1;
	if (d->depth > 1 && check_stray(d, e) < 0)
		return -ENOMEM;
	if (!schema && d->depth > 1 && !d->dropin && !frame->tree &&
	    frame->internal_place.row < 0)
		return 0;
	name = plain(d, e, &length);
	if (!name)
		return -ENOMEM;
	if (d->dropin && !d->unique &&
	    kr_names_add(&d->names, frame->object, name, length, e->span) < 0)
		return -ENOMEM;
	frame->member_minors = d->minors;
	if (schema && kr_schema_kind(schema) == KR_SCHEMA_OBJECT)
		frame->member = kr_schema_find(schema, name, length, d->merged,
		                               &frame->member_minors);
	else if (schema)
		frame->member = kr_schema_element(schema);
	frame->member_minors &= frame->minors;
	step(d, frame, name, length);
	if (frame->tree)
		return set_path(d, frame, name, length);
	if (d->depth > 1)
		return 0;
	d->role = role_of(name, length);
	d->exact = kr_name_equal("kind", name, length, false) ||
	           kr_name_equal("apiVersion", name, length, false);
	if (d->role != KR_ROLE_NONE || frame->field >= 0)
		return 0;
	return check_stray(d, e);
}

/* --- the fields' values -------------------------------------------------- */

/* Whether V is Go's zero, and kubelet takes that for "not set". */
static bool is_zero_unset(int field, const struct kr_value *v)
{
	static const char *const zeros[] = {"", "0", "false"};
	const struct kr_field *f = kr_field(field);

	if (f->pointer || f->combine == KR_COMBINE_GATE || !f->by_default ||
	    !kr_value_is_zero(v))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(zeros); i++) {
		if (strcmp(f->by_default, zeros[i]) == 0)
			return false;
	}
	return true;
}

/* A null takes the place of what was there before. */
static bool null_resets(const struct kr_decode *d, int field)
{
	const struct kr_field *f = kr_field(field);

	return d->merged || f->pointer || f->type == KR_TYPE_LIST ||
	       f->type == KR_TYPE_TREE ||
	       (f->type == KR_TYPE_STRING && d->old_null);
}

static void set_state(struct kr_config_use *use)
{
	use->state = kr_value_state(&use->v);
	if (!is_zero_unset(use->field, &use->v))
		return;
	kr_value_done(&use->v);
	use->state = KR_STATE_NULL;
	use->resets = true;
}

static int read_null(const struct kr_decode *d, struct kr_config_use *use)
{
	const struct kr_schema *schema =
		kr_schema_at(kr_field(use->field)->path);

	if (!d->dropin && !d->merged && !kr_schema_null_valid(schema))
		return 0;
	if (kr_field(use->field)->combine == KR_COMBINE_GATE && !d->dropin) {
		use->v = (struct kr_value){.type = KR_TYPE_BOOL};
		use->state = KR_STATE_FALSE;
		return 0;
	}
	use->state = KR_STATE_NULL;
	use->resets = null_resets(d, use->field);
	return 0;
}

static int read_number(const struct kr_event *e, struct kr_config_use *use)
{
	const struct kr_field *f = kr_field(use->field);
	const struct kr_schema *schema = kr_schema_at(f->path);
	int64_t n;
	int r;

	if (!kr_schema_number_valid(schema, e->text, e->length))
		return 0;
	if (f->type == KR_TYPE_FLOAT || f->type == KR_TYPE_STRING) {
		r = kr_value_parse(f->type, e->text, e->length, &use->v);
		if (r < 0)
			return r;
		set_state(use);
		return 0;
	}
	if (!kr_go_int_text(e->text, e->length, 10, 64, &n))
		return 0;
	use->v = (struct kr_value){.type = f->type, .n = n};
	if (f->negative && n < 0)
		use->v.n = -1;
	set_state(use);
	return 0;
}

static int read_string(struct kr_decode *d, const struct kr_event *e,
                       struct kr_config_use *use)
{
	const struct kr_field *f = kr_field(use->field);
	const char *text;
	size_t length;
	int r;

	if (f->type != KR_TYPE_STRING && f->type != KR_TYPE_DURATION)
		return 0;
	text = plain(d, e, &length);
	if (!text)
		return -ENOMEM;
	if (!kr_schema_string_valid(kr_schema_at(f->path), text, length))
		return 0;
	r = kr_value_parse(f->type, text, length, &use->v);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	set_state(use);
	return 0;
}

/* Whether FIELD is the list or the map that begins with TYPE. */
static bool takes(int field, enum kr_event_type type)
{
	const struct kr_field *f = kr_field(field);
	bool list;

	if (f->type != KR_TYPE_LIST && f->type != KR_TYPE_TREE)
		return false;
	list = kr_schema_kind(kr_schema_at(f->path)) == KR_SCHEMA_LIST;
	return list == (type == KR_EVENT_LIST);
}

/* The state stays INVALID where kubelet does not take it. */
static int read_value(struct kr_decode *d, const struct kr_event *e,
                      struct kr_config_use *use)
{
	enum kr_type type = kr_field(use->field)->type;

	switch (e->type) {
	case KR_EVENT_NULL:
		return read_null(d, use);
	case KR_EVENT_TRUE:
	case KR_EVENT_FALSE:
		if (type != KR_TYPE_BOOL)
			return 0;
		use->v = (struct kr_value){.type = KR_TYPE_BOOL};
		use->v.b = e->type == KR_EVENT_TRUE;
		set_state(use);
		return 0;
	case KR_EVENT_NUMBER:
		return read_number(e, use);
	case KR_EVENT_STRING:
		return read_string(d, e, use);
	case KR_EVENT_LIST:
	case KR_EVENT_MAP:
		if (!takes(use->field, e->type))
			return 0;
		use->v = (struct kr_value){.type = type};
		use->state = KR_STATE_VALUE;
		return 0;
	default:
		return 0;
	}
}

/* Go's decoder puts a map that is there again into the one before. */
static int inherit(struct kr_decode *d, const struct kr_decode_uses *uses)
{
	struct kr_config_use *use = &uses->items[uses->n - 1];
	const struct kr_config_use *before = NULL;

	for (size_t i = uses->n - 1; i > 0 && !before; i--) {
		const struct kr_config_use *u = &uses->items[i - 1];

		if (u->field == use->field && !u->overridden)
			before = u;
	}
	if (!before || before->state != KR_STATE_VALUE)
		return 0;
	d->n_pairs += before->v.list.n_items / 2;
	if (d->n_pairs > KR_DECODE_USES_MAX)
		return -EFBIG;
	return kr_value_append(&use->v, &before->v);
}

static int push_use(struct kr_decode *d, struct kr_decode_uses *uses, int field,
                    const struct kr_event *e)
{
	const struct kr_decode_frame *frame = &d->frames[d->depth - 1];
	struct kr_config_use *use;
	int r;

	if (uses->n == KR_DECODE_USES_MAX)
		return -EFBIG;
	use = KR_VEC_NEXT(uses->items, uses->n);
	if (!use)
		return -ENOMEM;
	uses->n++;
	*use = (struct kr_config_use){
		.field = field,
		.key = frame->key,
		.value = e->span,
		.state = KR_STATE_INVALID,
		.reason = e->fixed,
		.overridden = e->overridden || frame->overridden,
		.merged = e->merged,
	};
	if (!e->fixed && (e->type == KR_EVENT_MAP ||
	                  (e->type == KR_EVENT_LIST &&
	                   kr_field(field)->type != KR_TYPE_LIST)))
		use->reason = "the value holds others; it would have to be a "
			      "plain word to be exchanged";
	r = read_value(d, e, use);
	if (r < 0 || e->type != KR_EVENT_MAP || use->state != KR_STATE_VALUE)
		return r;
	return inherit(d, uses);
}

/* A map that is null: none of its keys is set, whatever stood before. */
static int push_null_map(struct kr_decode *d, struct kr_decode_uses *uses,
                         struct kr_field_place place, const struct kr_event *e)
{
	const char *walked = kr_field(place.row)->path;

	for (int i = 0; i < KR_N_FIELDS; i++) {
		const struct kr_field *f = kr_field(i);
		int r;

		if (f->combine != KR_COMBINE_GATE ||
		    strncmp(f->path, walked, place.length) != 0)
			continue;
		r = push_use(d, uses, i, e);
		if (r < 0)
			return r;
		kr_value_done(&uses->items[uses->n - 1].v);
		uses->items[uses->n - 1].state = KR_STATE_NULL;
		uses->items[uses->n - 1].resets = true;
	}
	return 0;
}

static int hear_field(struct kr_decode *d, struct kr_decode_uses *uses,
                      int field, struct kr_field_place place,
                      const struct kr_event *e)
{
	if (field >= 0) {
		int r = push_use(d, uses, field, e);

		if (r < 0 || kr_field_place_ends(place))
			return r;
	}
	if (place.row >= 0 && e->type == KR_EVENT_NULL && !d->dropin)
		return push_null_map(d, uses, place, e);
	return 0;
}

/* An element of the list that is the last use of USES. */
static int hear_item(struct kr_decode *d, struct kr_config_use *use,
                     const struct kr_event *e)
{
	const char *text = "";
	size_t length = 0;

	if (use->state != KR_STATE_VALUE ||
	    (e->type != KR_EVENT_STRING && e->type != KR_EVENT_NULL))
		return 0;
	if (e->type == KR_EVENT_STRING)
		text = plain(d, e, &length);
	if (!text)
		return -ENOMEM;
	return kr_strings_add_part(&use->v.list, text, length);
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

/* The value of kind or apiVersion. */
static int hear_role(struct kr_decode *d, const struct kr_event *e)
{
	if (e->overridden || d->role == KR_ROLE_NONE)
		return 0;
	if (d->role == KR_ROLE_KIND)
		return hear_gvk(d, e, "kind", &d->kind, &d->kind_span);
	return hear_gvk(d, e, "apiVersion", &d->api_version,
	                &d->api_version_span);
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

/* Who of MINORS, which know the field, refuses the value: 0 or -ENOMEM. */
static int find_refusing(struct kr_decode *d, const struct kr_schema *schema,
                         uint64_t minors, const struct kr_event *e,
                         uint64_t *ret)
{
	int r = type_valid(d, schema, e);

	if (r < 0)
		return r;
	*ret = r ? 0 : minors;
	if (r && e->type == KR_EVENT_STRING)
		*ret = minors & ~kr_schema_string_minors(schema);
	return 0;
}

/* Who passes over the field has no use of it; who refuses what others take has
 * a wrong one. */
static void settle_use(struct kr_decode *d, int field, uint64_t refusing)
{
	struct kr_config_use *use = &d->uses.items[d->uses.n - 1];

	if (use->field != field)
		return;
	if (refusing == d->minors) {
		kr_value_done(&use->v);
		use->state = KR_STATE_INVALID;
	} else if (use->state == KR_STATE_INVALID) {
		use->state = KR_STATE_NULL;
	}
}

/* The value at E would have to be WANTS. */
static int refuse_type(struct kr_decode *d, struct kr_decode_fault *fault,
                       const struct kr_event *e, const char *wants)
{
	struct kr_span key = KR_SPAN_NONE;

	if (d->depth > 0)
		key = d->frames[d->depth - 1].key;
	if (!key.file)
		return refuse(fault, "config-type", e->span,
		              "the value would have to be %s", wants);
	return refuse(fault, "config-type", e->span,
	              "the value of %.*s would have to be %s",
	              key.length > 80 ? 80 : (int)key.length,
	              key.file->data + key.offset, wants);
}

/* Only some versions refuse: another one of d->refusals. */
static int refuse_by_some(struct kr_decode *d, const struct kr_schema *schema,
                          uint64_t refusing, const struct kr_event *e)
{
	struct kr_decode_fault fault = {0};
	struct kr_config_refusal *next;
	int r;

	if (d->n_refusals >= KR_DIAG_KEPT && !(refusing & ~d->refusing))
		return 0;
	next = KR_VEC_NEXT(d->refusals, d->n_refusals);
	if (!next)
		return -ENOMEM;
	r = refuse_type(d, &fault, e, kr_schema_wants(schema, refusing));
	if (r < 0)
		return r;
	*next = (struct kr_config_refusal){
		.place = fault.span,
		.minors = refusing,
		.text = fault.text,
	};
	d->n_refusals++;
	d->refusing |= refusing;
	return 0;
}

/* MINORS know the place. FIELD: the use of it is kept, so that it can be
 * edited; -1: none is. */
static int check_type(struct kr_decode *d, const struct kr_schema *schema,
                      uint64_t minors, int field, const struct kr_event *e)
{
	uint64_t refusing;
	int r;

	if (!schema)
		return 0;
	r = find_refusing(d, schema, minors, e, &refusing);
	if (r < 0)
		return r;
	if (field >= 0)
		settle_use(d, field, refusing);
	if (refusing == 0)
		return 0;
	if (refusing != d->minors)
		return refuse_by_some(d, schema, refusing, e);
	/* told for each, see kr_decode_finish() */
	if (field >= 0 && kr_schema_kind(schema) == KR_SCHEMA_BOOL)
		return 0;
	if (field < 0)
		d->refused = true;
	return refuse_type(d, &d->fault, e, kr_schema_wants(schema, refusing));
}

/* --- maps, and lists of maps --------------------------------------------- */

#define TREE_PATH_MAX 64

static struct kr_config_use *tree_of(struct kr_decode *d,
                                     const struct kr_decode_frame *frame)
{
	struct kr_decode_uses *uses =
		frame->tree_internal ? &d->internal : &d->uses;

	return &uses->items[frame->tree - 1];
}

/* NEXT is the value of a field that is a tree. */
static void begin_tree(struct kr_decode *d, struct kr_decode_frame *next)
{
	size_t use = next->use ?: next->internal_use;
	const struct kr_config_use *found;

	if (!use)
		return;
	next->tree = use;
	next->tree_internal = !next->use;
	found = tree_of(d, next);
	if (found->v.type != KR_TYPE_TREE || found->state != KR_STATE_VALUE)
		next->tree = 0;
	d->path_length = next->path_length = 0;
}

/* Makes NAME (LENGTH bytes) the last part of the path behind that of FRAME. */
static int set_path(struct kr_decode *d, const struct kr_decode_frame *frame,
                    const char *name, size_t length)
{
	size_t at = frame->path_length, size = at + 1 + length + 1;
	char *grown;

	if (d->path_size < size) {
		grown = realloc(d->path, 2 * size);
		if (!grown)
			return -ENOMEM;
		d->path = grown;
		d->path_size = 2 * size;
	}
	if (at > 0)
		d->path[at++] = '/';
	memcpy(d->path + at, name, length);
	d->path[at + length] = '\0';
	d->path_length = at + length;
	return 0;
}

/* A value in a tree, of which the path stands. */
static int hear_in_tree(struct kr_decode *d,
                        const struct kr_decode_frame *frame,
                        const struct kr_event *e)
{
	struct kr_strings *list = &tree_of(d, frame)->v.list;
	const char *text = e->text;
	size_t length = e->length;
	int r;

	switch (e->type) {
	case KR_EVENT_STRING:
		text = plain(d, e, &length);
		if (!text)
			return -ENOMEM;
		break;
	case KR_EVENT_NUMBER:
		break;
	case KR_EVENT_TRUE:
	case KR_EVENT_FALSE:
		text = e->type == KR_EVENT_TRUE ? "true" : "false";
		length = strlen(text);
		break;
	default:
		/* a null in a map is Go's zero; an element that is a map is
		 * there, even if it is empty */
		if (e->type == KR_EVENT_NULL ? d->dropin || strchr(d->path, '/')
		                             : frame->object > 0)
			return 0;
		text = "";
		length = 0;
	}
	if (d->n_pairs++ == KR_DECODE_USES_MAX)
		return -EFBIG;
	r = kr_strings_add_part(list, d->path, d->path_length);
	return r < 0 ? r : kr_strings_add_part(list, text, length);
}

/* An element of a list in a tree. */
static int hear_tree_element(struct kr_decode *d, struct kr_decode_frame *frame,
                             const struct kr_event *e)
{
	char number[24];
	int n = snprintf(number, sizeof(number), "%zu", frame->n_elements++);
	int r = set_path(d, frame, number, (size_t)n);

	return r < 0 ? r : hear_in_tree(d, frame, e);
}

static int push_frame(struct kr_decode *d, const struct kr_schema *schema,
                      uint64_t minors, const struct kr_event *e)
{
	struct kr_decode_frame *next = KR_VEC_NEXT(d->frames, d->depth);
	const struct kr_decode_frame *above;

	if (!next)
		return -ENOMEM;
	if (schema && e->type == KR_EVENT_MAP &&
	    kr_schema_kind(schema) != KR_SCHEMA_OBJECT &&
	    kr_schema_kind(schema) != KR_SCHEMA_MAP)
		schema = NULL;
	if (schema && e->type == KR_EVENT_LIST &&
	    kr_schema_kind(schema) != KR_SCHEMA_LIST)
		schema = NULL;
	*next = (struct kr_decode_frame){
		.schema = schema,
		.minors = minors,
		.object = e->type == KR_EVENT_MAP ? ++d->n_objects : 0,
		.place.row = -1,
		.internal_place.row = -1,
		.field = -1,
		.internal_field = -1,
	};
	if (d->depth++ == 0) {
		next->place.row = next->internal_place.row = 0;
		return 0;
	}
	above = &d->frames[d->depth - 2];
	next->overridden = above->overridden || e->overridden;
	/* each value below has the path to here in its own */
	next->tree = d->path_length <= TREE_PATH_MAX ? above->tree : 0;
	next->tree_internal = above->tree_internal;
	next->path_length = d->path_length;
	if (!above->object)
		return 0;
	if (e->type == KR_EVENT_MAP) {
		next->place = above->next;
		next->internal_place = above->internal_next;
	}
	next->use = above->field >= 0 ? d->uses.n : 0;
	next->internal_use = above->internal_field >= 0 ? d->internal.n : 0;
	begin_tree(d, next);
	if (kr_field_place_ends(next->place))
		next->place.row = -1;
	if (kr_field_place_ends(next->internal_place))
		next->internal_place.row = -1;
	return 0;
}

static void end_use(struct kr_decode_uses *uses, size_t use, size_t end)
{
	struct kr_span *value = use ? &uses->items[use - 1].value : NULL;

	if (value)
		value->length = end - value->offset;
}

static void pop_frame(struct kr_decode *d, const struct kr_event *e)
{
	const struct kr_decode_frame *frame = &d->frames[--d->depth];
	size_t end = kr_span_end(e->span);

	if (d->merged)
		return;
	end_use(&d->uses, frame->use, end);
	end_use(&d->internal, frame->internal_use, end);
	if (d->depth == 0)
		d->root.length = end - d->root.offset;
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

/* The value behind a name. */
static int hear_member(struct kr_decode *d, const struct kr_event *e)
{
	const struct kr_decode_frame *frame = &d->frames[d->depth - 1];
	int r;

	if (d->depth == 1) {
		r = hear_role(d, e);
		if (r < 0)
			return r;
	}
	if (frame->tree) {
		r = hear_in_tree(d, frame, e);
		if (r < 0)
			return r;
	}
	r = hear_field(d, &d->uses, frame->field, frame->next, e);
	if (r < 0)
		return r;
	return hear_field(d, &d->internal, frame->internal_field,
	                  frame->internal_next, e);
}

/* The value in a list. */
static int hear_element(struct kr_decode *d, const struct kr_event *e)
{
	struct kr_decode_frame *frame = &d->frames[d->depth - 1];
	int r = 0;

	if (frame->tree)
		return hear_tree_element(d, frame, e);
	if (frame->use)
		r = hear_item(d, &d->uses.items[frame->use - 1], e);
	if (r < 0 || !frame->internal_use)
		return r;
	return hear_item(d, &d->internal.items[frame->internal_use - 1], e);
}

int kr_decode_hear(void *userdata, const struct kr_event *e)
{
	struct kr_decode *d = userdata;
	const struct kr_schema *schema = NULL;
	uint64_t minors = d->minors;
	bool overridden = e->overridden;
	int field = -1, r;

	if (e->type == KR_EVENT_MAP_END || e->type == KR_EVENT_LIST_END) {
		pop_frame(d, e);
		return 0;
	}
	if (e->key)
		return hear_key(d, e);
	if (d->dropin && e->type == KR_EVENT_NUMBER &&
	    !kr_go_float_valid(e->text, e->length)) {
		r = refuse(&d->fatal, "config-type", e->span,
		           "a number of a drop-in would have to fit into a "
		           "float64");
		if (r < 0)
			return r;
	}

	if (d->depth == 0) {
		r = hear_root(d, e, &schema);
	} else if (d->frames[d->depth - 1].object) {
		schema = d->frames[d->depth - 1].member;
		minors = d->frames[d->depth - 1].member_minors;
		field = d->frames[d->depth - 1].field;
		r = hear_member(d, e);
	} else {
		minors = d->frames[d->depth - 1].minors;
		if (d->frames[d->depth - 1].schema)
			schema = kr_schema_element(
				d->frames[d->depth - 1].schema);
		r = hear_element(d, e);
	}
	if (r < 0)
		return r;
	if (overridden)
		schema = NULL;
	r = check_type(d, schema, minors, field, e);
	if (r < 0 || (e->type != KR_EVENT_MAP && e->type != KR_EVENT_LIST))
		return r;
	return push_frame(d, schema, minors, e);
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

static void note_invalid(struct kr_config *c)
{
	c->invalid_field = -1;
	for (size_t i = 0; i < c->n_uses && !c->dropin; i++) {
		const struct kr_config_use *use = &c->uses[i];

		if (use->state != KR_STATE_INVALID || use->overridden ||
		    use->field == c->invalid_field)
			continue;
		c->invalid_field =
			c->invalid_field < 0 ? use->field : KR_N_FIELDS;
	}
}

/* Booleans that are none are told each, since each can be changed. */
static void say_booleans(struct kr_decode *d, const struct kr_config *c,
                         struct kr_diag *diag)
{
	for (size_t i = 0; i < c->n_uses && !d->dropin; i++) {
		const struct kr_config_use *use = &c->uses[i];

		if (use->state != KR_STATE_INVALID || use->overridden ||
		    kr_field(use->field)->type != KR_TYPE_BOOL)
			continue;
		kr_diag_add(diag, KR_ERROR, "config-value", use->value,
		            "%s would have to be true or false, without quotes",
		            kr_field_name(use->field));
	}
}

static void take_uses(struct kr_decode *d, struct kr_config *c)
{
	struct kr_decode_uses *uses = c->internal ? &d->internal : &d->uses;

	if (!c->internal && d->internal.n > 0) {
		c->internal_name = d->internal.items[0].key;
		c->internal_field = d->internal.items[0].field;
	}
	c->uses = TAKE_PTR(uses->items);
	c->n_uses = uses->n;
	uses->n = 0;
	c->strays = d->strays;
	d->strays = (struct kr_strays){0};
	c->layout.root = d->root;
	if (c->internal)
		c->layout.reason =
			"apiVersion would have to be \"" GROUP "v1beta1\"";
	c->dropin = d->dropin;
	if (c->internal)
		return;
	c->refusals = TAKE_PTR(d->refusals);
	c->n_refusals = d->n_refusals;
	d->n_refusals = 0;
}

int kr_decode_twice(struct kr_decode *d, struct kr_span name)
{
	if (!d->dropin)
		return 0;
	return refuse(&d->fatal, "config-duplicate", name,
	              "the name is there twice, in a drop-in it would have to "
	              "be there once");
}

int kr_decode_finish(struct kr_decode *d, bool readable, struct kr_diag *diag,
                     struct kr_config *ret)
{
	struct kr_config config = {0};
	int r;

	if (readable && !d->fatal.text && !d->merged) {
		r = check_gvk(d, &config.internal);
		if (r < 0)
			return r;
		r = check_names(d);
		if (r < 0)
			return r;
	}
	take_uses(d, &config);
	note_invalid(&config);
	config.refused =
		!readable || d->fatal.text || (d->refused && !config.internal);
	if (readable && !d->fatal.text)
		say_booleans(d, &config, diag);
	if (readable && d->fatal.text)
		say(d, &d->fatal, diag);
	else if (readable && d->fault.text && !config.internal)
		say(d, &d->fault, diag);
	*ret = config;
	return 0;
}
