/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet's decoder on a document, whatever language it was written in.
 *
 * kubelet looks at a document twice: first at kind and apiVersion alone.
 * Then the whole goes into the Go struct of that version,
 * names in their exact case: a field of a wrong type is the end (decode-value);
 * an unknown or repeated one is only a warning (the strict decoder fails and a
 * lenient one follows). In the version "__internal" Go's own field names are
 * the keys, and what is absent is Go's zero.
 *
 * A drop-in is not decoded into the struct by itself: only kind and apiVersion
 * must be right. It is read into a map of anything, in which a number is a
 * float64 at most, wherever it stands. Its types are judged after the merge, by
 * encoding/json, which ignores the case of names.
 *
 * The listener keeps one frame for each open bracket, so that depth costs
 * memory, but no stack. Here it walks; what it meets is a use of a field
 * (decode-value), or a name that only looks like one.
 *
 * Source: kubernetes pkg/kubelet/kubeletconfig/util/codec/codec.go,
 * cmd/kubelet/app/server.go (1.20, 1.29 and later), apimachinery
 * pkg/runtime/serializer/json/json.go.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "doc/name.h"
#include "kubelet/decode-value.h"
#include "kubelet/decode.h"
#include "kubelet/go.h"
#include "kubelet/merge.h"
#include "kubelet/minors.h"

/*
 * kind and apiVersion, and the verdict on the whole.
 *
 * kubelet looks at these two alone first, with encoding/json: names match in
 * any case, the last one wins, null says nothing, another type than a string is
 * the end. Of a drop-in only they must be right, by their exact names; kubelet
 * 1.29 to 1.31 want it to have a kind and do not look at what it is. The
 * version
 * "__internal" is known, too: there Go's own field names are the keys.
 *
 * Source: kubernetes pkg/kubelet/kubeletconfig/util/codec/codec.go,
 * apimachinery pkg/runtime/serializer/json/meta.go.
 */

#define KIND  "KubeletConfiguration"
#define GROUP "kubelet.config.k8s.io/"

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
		return kr_decode_refuse(&d->fatal, "config-kind", e->span,
		                        "%s must be a string", name);
	if (d->dropin && !d->exact)
		return 0;
	text = kr_decode_plain(d, e, &length);
	copy = text ? strndup(text, length) : NULL;
	if (!copy)
		return -ENOMEM;
	/* a NUL in the middle must not make a right one of it */
	if (strlen(copy) != length)
		copy[0] = '\0';
	free(*value);
	*value = copy;
	*span = e->span;
	return 0;
}

/* The value of kind or apiVersion. */
static int take_role(struct kr_decode *d, const struct kr_event *e)
{
	if (e->overridden || d->role == KR_ROLE_NONE)
		return 0;
	if (d->role == KR_ROLE_KIND)
		return hear_gvk(d, e, "kind", &d->kind, &d->kind_span);
	return hear_gvk(d, e, "apiVersion", &d->api_version,
	                &d->api_version_span);
}

static int check_gvk(struct kr_decode *d, bool *ret_internal)
{
	const char *version;

	if (!d->kind || !*d->kind)
		return kr_decode_refuse(&d->fatal, "config-kind", KR_SPAN_NONE,
		                        "kind must be \"" KIND "\"");
	if (d->any_kind)
		return 0;
	if (!d->api_version || !*d->api_version ||
	    strcmp(d->api_version, GROUP) == 0)
		return kr_decode_refuse(&d->fatal, "config-kind", KR_SPAN_NONE,
		                        "apiVersion must be \"" GROUP
		                        "v1beta1\"");
	if (strcmp(d->kind, KIND) != 0)
		return kr_decode_refuse(&d->fatal, "config-kind", d->kind_span,
		                        "kind must be \"" KIND "\"");
	version = d->api_version + strlen(GROUP);
	if (strncmp(d->api_version, GROUP, strlen(GROUP)) == 0) {
		*ret_internal =
			!d->dropin && strcmp(version, "__internal") == 0;
		if (*ret_internal || strcmp(version, "v1beta1") == 0)
			return 0;
	}
	return kr_decode_refuse(&d->fatal, "config-kind", d->api_version_span,
	                        "apiVersion must be \"" GROUP "v1beta1\"");
}

static int check_names(struct kr_decode *d)
{
	return d->twice.file ? kr_decode_twice(d, d->twice) : 0;
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

/* The wrong types of the version "__internal". */
static void say_internal(const struct kr_decode *d, const struct kr_config *c,
                         struct kr_diag *diag)
{
	KR_EACH(const struct kr_config_use, use, c->uses, c->n_uses) {
		const struct kr_schema *schema =
			kr_schema_at(kr_field(use->field)->path);

		if (use->state == KR_STATE_INVALID && !use->overridden)
			kr_decode_say_type(diag, kr_field_name(use->field),
			                   use->value, use->field,
			                   kr_schema_wants(schema, d->minors));
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
	c->strays = TAKE(d->strays);
	c->layout.root = d->root;
	if (c->internal)
		c->layout.reason = "apiVersion must be \"" GROUP "v1beta1\"";
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
	return kr_decode_refuse(&d->fatal, "config-duplicate", name,
	                        "the name is there twice, in a drop-in it must "
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
	*ret = config;
	if (!readable)
		return 0;
	if (d->fatal.text)
		say(d, &d->fatal, diag);
	else if (config.internal)
		say_internal(d, ret, diag);
	else
		kr_diag_merge(diag, &d->faults);
	return 0;
}

/*
 * Names that only look like a field's: people and scanners take them for it,
 * kubelet passes over them with no word in its log. They are noted:
 * in another case, with a dash or a blank or what is not seen in between, with
 * the value still in the name, or inside of another value.
 */

#define STRAY_LENGTH_MAX ((size_t)256)

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
	name = kr_decode_plain(d, e, &length);
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
	kr_diag_done(&d->faults);
	for (size_t i = 0; i < d->n_refusals; i++)
		free(d->refusals[i].text);
	free(d->refusals);
	free(d->scratch);
	free(d->path);
	*d = (struct kr_decode){0};
}

static enum kr_decode_role role_of(const char *name, size_t length)
{
	if (kr_name_equal("kind", name, length, true))
		return KR_ROLE_KIND;
	if (kr_name_equal("apiVersion", name, length, true))
		return KR_ROLE_API_VERSION;
	return KR_ROLE_NONE;
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
	name = kr_decode_plain(d, e, &length);
	if (!name)
		return -ENOMEM;
	if (d->dropin && !d->unique &&
	    kr_names_add(&d->names, name, length, e->span) < 0)
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
		return kr_decode_set_path(d, frame, name, length);
	if (d->depth > 1)
		return 0;
	d->role = role_of(name, length);
	d->exact = kr_name_equal("kind", name, length, false) ||
	           kr_name_equal("apiVersion", name, length, false);
	if (d->role != KR_ROLE_NONE || frame->field >= 0)
		return 0;
	return check_stray(d, e);
}

/* below such a path no tree is kept */
#define TREE_PATH_MAX 64

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
		.object = e->type == KR_EVENT_MAP,
		.first_name = d->names.n,
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
	kr_decode_begin_tree(d, next);
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
	struct kr_span twice;

	if (d->merged)
		return;
	if (kr_names_end(&d->names, frame->first_name, &twice) &&
	    (!d->twice.file || twice.offset < d->twice.offset))
		d->twice = twice;
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
	return kr_decode_refuse(&d->fatal, "config-kind", e->span,
	                        "the document must be an object");
}

/* The value behind a name. */
static int hear_member(struct kr_decode *d, const struct kr_event *e)
{
	const struct kr_decode_frame *frame = &d->frames[d->depth - 1];
	int r;

	if (d->depth == 1) {
		r = take_role(d, e);
		if (r < 0)
			return r;
	}
	if (frame->tree) {
		r = kr_decode_in_tree(d, frame, e);
		if (r < 0)
			return r;
	}
	r = kr_decode_field(d, &d->uses, frame->field, frame->next, e);
	if (r < 0)
		return r;
	return kr_decode_field(d, &d->internal, frame->internal_field,
	                       frame->internal_next, e);
}

/* The value in a list. */
static int hear_element(struct kr_decode *d, const struct kr_event *e)
{
	struct kr_decode_frame *frame = &d->frames[d->depth - 1];
	int r = 0;

	if (frame->tree)
		return kr_decode_tree_element(d, frame, e);
	if (frame->use)
		r = kr_decode_item(d, &d->uses.items[frame->use - 1], e);
	if (r < 0 || !frame->internal_use)
		return r;
	return kr_decode_item(d, &d->internal.items[frame->internal_use - 1],
	                      e);
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
		r = kr_decode_refuse(&d->fatal, "config-type", e->span,
		                     "a number of a drop-in must fit into a "
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
	r = kr_decode_check_type(d, schema, minors, field, e);
	if (r < 0 || (e->type != KR_EVENT_MAP && e->type != KR_EVENT_LIST))
		return r;
	return push_frame(d, schema, minors, e);
}
