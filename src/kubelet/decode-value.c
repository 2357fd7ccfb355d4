/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The uses of the fields: every place that sets one, with its value.
 *
 * A value of a wrong type is a use, too, an INVALID one, so that it can be
 * edited. null leaves a field alone; of a pointer it undoes an earlier value. A
 * zero of a field that is no pointer is "not set" where kubelet has a default
 * for it. A map that is there again is put into the one before, as Go's decoder
 * does; a null one sets none of its keys.
 *
 * Source: encoding/json; the types of kubelet/config/v1beta1.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/json.h"
#include "base/vec.h"
#include "kubelet/decode-value.h"
#include "kubelet/decode.h"
#include "kubelet/go.h"

/* What all parts of the decoder say and read with. */

int kr_decode_refuse(struct kr_decode_fault *fault, const char *code,
                     struct kr_span span, const char *format, ...)
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

const char *kr_decode_plain(struct kr_decode *d, const struct kr_event *e,
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

/*
 * Types: a field of a wrong one is the end, wherever it is, every time it is
 * there. What is unknown depends on the version: where that is not known, and
 * only some refuse a type, those are kept (kr_config's refusals), and the value
 * is what the others make of it, nothing.
 *
 * Source: apimachinery pkg/runtime/serializer/json/json.go, encoding/json.
 */

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
		text = kr_decode_plain(d, e, &length);
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

#define WRONG_TYPE "%s must be %s"

/* What stands at this place: "the value of a.b", "each item of a.b"; NULL: no
 * memory. */
static char *name_place(const struct kr_decode *d)
{
	bool item = d->depth > 0 && !d->frames[d->depth - 1].object;
	char *name = strdup(item ? "each item" : "the value");
	const char *between = " of ";

	for (size_t i = 0; name && i < d->depth; i++) {
		struct kr_span key = d->frames[i].key;
		const char *text;

		if (!key.file || key.length == 0)
			continue;
		text = key.file->data + key.offset;
		if (key.length >= 2 && (*text == '"' || *text == '\'')) {
			text++;
			key.length -= 2;
		}
		if (kr_format(&name, "%s%s%.*s", name, between,
		              key.length > 80 ? 80 : (int)key.length,
		              text) < 0) {
			free(name);
			return NULL;
		}
		between = ".";
	}
	return name;
}

void kr_decode_say_type(struct kr_diag *diag, const char *name,
                        struct kr_span value, int field, const char *wants)
{
	if (field >= 0 && kr_field(field)->type == KR_TYPE_BOOL)
		kr_diag_add(diag, KR_ERROR, "config-value", value,
		            "%s must be true or false, without quotes",
		            kr_field_name(field));
	else
		kr_diag_add(diag, KR_ERROR, "config-type", value, WRONG_TYPE,
		            name, wants);
}

/* Only some versions refuse: another one of d->refusals. */
static int refuse_by_some(struct kr_decode *d, const struct kr_schema *schema,
                          uint64_t refusing, const struct kr_event *e)
{
	struct kr_config_refusal *next;
	_cleanup_free_ char *name = NULL;
	char *text = NULL;
	int r;

	if (d->n_refusals >= KR_DIAG_KEPT && !(refusing & ~d->refusing))
		return 0;
	next = KR_VEC_NEXT(d->refusals, d->n_refusals);
	if (!next)
		return -ENOMEM;
	name = name_place(d);
	if (!name)
		return -ENOMEM;
	r = kr_format(&text, WRONG_TYPE, name,
	              kr_schema_wants(schema, refusing));
	if (r < 0)
		return r;
	*next = (struct kr_config_refusal){
		.place = e->span,
		.minors = refusing,
		.text = text,
	};
	d->n_refusals++;
	d->refusing |= refusing;
	return 0;
}

int kr_decode_check_type(struct kr_decode *d, const struct kr_schema *schema,
                         uint64_t minors, int field, const struct kr_event *e)
{
	_cleanup_free_ char *name = NULL;
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
	if (field < 0)
		d->refused = true;
	if (!d->blamed)
		d->blamed = e->span.file;
	name = name_place(d);
	if (!name)
		return -ENOMEM;
	kr_decode_say_type(&d->faults, name, e->span, field,
	                   kr_schema_wants(schema, refusing));
	return 0;
}

/*
 * Maps, and lists of maps, as pairs: the path to a value ("0/path") and its
 * text, in the order of the document. A field that is such a tree has them as
 * its value.
 */

static struct kr_config_use *tree_of(struct kr_decode *d,
                                     const struct kr_decode_frame *frame)
{
	struct kr_decode_uses *uses =
		frame->tree_internal ? &d->internal : &d->uses;

	return &uses->items[frame->tree - 1];
}

void kr_decode_begin_tree(struct kr_decode *d, struct kr_decode_frame *next)
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
int kr_decode_set_path(struct kr_decode *d, const struct kr_decode_frame *frame,
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
int kr_decode_in_tree(struct kr_decode *d, const struct kr_decode_frame *frame,
                      const struct kr_event *e)
{
	struct kr_strings *list = &tree_of(d, frame)->v.list;
	const char *text = e->text;
	size_t length = e->length;
	int r;

	switch (e->type) {
	case KR_EVENT_STRING:
		text = kr_decode_plain(d, e, &length);
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
		                             : frame->object)
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
int kr_decode_tree_element(struct kr_decode *d, struct kr_decode_frame *frame,
                           const struct kr_event *e)
{
	char number[24];
	int n = snprintf(number, sizeof(number), "%zu", frame->n_elements++);
	int r = kr_decode_set_path(d, frame, number, (size_t)n);

	return r < 0 ? r : kr_decode_in_tree(d, frame, e);
}

/* Whether V is Go's zero, and kubelet takes that for "not set". */
static bool is_zero_unset(int field, const struct kr_value *v)
{
	static const char *const zeros[] = {"", "0", "false"};
	const struct kr_field *f = kr_field(field);

	return !f->pointer && f->combine != KR_COMBINE_GATE && f->by_default &&
	       kr_value_is_zero(v) &&
	       !kr_is_among(f->by_default, zeros, ARRAY_SIZE(zeros));
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
	text = kr_decode_plain(d, e, &length);
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
		use->reason = "the value holds others; it must be a "
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

int kr_decode_field(struct kr_decode *d, struct kr_decode_uses *uses, int field,
                    struct kr_field_place place, const struct kr_event *e)
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
int kr_decode_item(struct kr_decode *d, struct kr_config_use *use,
                   const struct kr_event *e)
{
	const char *text = "";
	size_t length = 0;

	if (use->state != KR_STATE_VALUE ||
	    (e->type != KR_EVENT_STRING && e->type != KR_EVENT_NULL))
		return 0;
	if (e->type == KR_EVENT_STRING)
		text = kr_decode_plain(d, e, &length);
	if (!text)
		return -ENOMEM;
	return kr_strings_add_part(&use->v.list, text, length);
}
