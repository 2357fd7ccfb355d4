/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From YAML as it is written to what kubelet's JSON decoder gets to see.
 *
 * yaml.v2 turns the nodes into Go values: it follows aliases (each on its own;
 * too many of them are refused as an attack), puts the members of a merge key's
 * mapping into the one at hand where the "<<" stands, so that a later merge
 * overrides an earlier name, and lets a later member of one name override an
 * earlier one. Names may be any scalar but null; sigs.k8s.io/yaml makes strings
 * of them. Numbers that JSON has no word for (.nan, .inf) end it.
 *
 * A member that came through an alias or a merge, or a value that has an anchor
 * others may refer to, is fixed: its bytes say something at other places, too.
 * So is all of a file in UTF-16.
 *
 * The work is a stack of frames, one for each mapping or sequence being read,
 * never recursion.
 *
 * Source: gopkg.in/yaml.v2 2.4 decode.go, sigs.k8s.io/yaml 1.3 yaml.go.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/macro.h"
#include "base/vec.h"
#include "doc/name.h"
#include "doc/written.h"
#include "doc/yaml-read.h"

/*
 * A document of YAML told while it is parsed.
 *
 * A tree of nodes takes some 250 bytes a value, where a value may be two bytes.
 * Most documents need none: what is written is what the listener gets, in its
 * order. Two passes of the parser find that out and tell it:
 *
 *	1	the ends of mappings and lists, which their first events have;
 *		is the document well formed, and free of what needs a tree?
 *	2	the events
 *
 * A tree is needed for an alias, a merge key, a tag, a name that is no string,
 * and a name that is there twice, since the earlier member is reported as
 * overridden. Errors are the tree's business, too: it says them, in the order
 * in which kubelet's reader finds them. A small file goes there at once: its
 * tree is one block of memory, and parsing twice would cost more.
 *
 * The names of a mapping are kept until it ends, those of one in it behind
 * them.
 */

/* Up to here a file is small: its tree takes about as much as one block. */
#define SMALL ((size_t)2048)

/* As many values as a tree could hold: parsing more takes seconds. */
#define VALUES_MAX ((size_t)110000)

/* A mapping or list that has not ended. */
struct level {
	bool map;
	bool name;          /* a name comes next */
	uint32_t container; /* its number */
	uint32_t start;
	size_t first_name;
};

struct stream {
	const struct kr_file *file;
	const struct kr_listener *listener; /* NULL: the first pass */
	size_t n_values;
	uint32_t *ends; /* of all mappings and lists */
	size_t n_ends;
	uint32_t n_told; /* how many of them the second pass has told */
	struct level *levels;
	size_t depth;
	struct kr_names names;
	struct kr_span root;
};

static void stream_done(struct stream *s)
{
	free(s->ends);
	free(s->levels);
	kr_names_done(&s->names);
}

static bool opens(const struct kr_yaml_node *node)
{
	return node->kind == KR_YAML_MAPPING || node->kind == KR_YAML_SEQUENCE;
}

/* Whether the node that comes now is a name; the next one is a value then. */
static bool is_name(struct stream *s)
{
	struct level *level = s->depth > 0 ? &s->levels[s->depth - 1] : NULL;
	bool name = level && level->map && level->name;

	if (level)
		level->name = !name;
	return name;
}

static int push(struct stream *s, const struct kr_yaml_node *node,
                uint32_t container)
{
	struct level *level = KR_VEC_NEXT(s->levels, s->depth);

	if (!level)
		return -ENOMEM;
	*level = (struct level){
		.map = node->kind == KR_YAML_MAPPING,
		.name = true,
		.container = container,
		.start = node->span.offset,
		.first_name = s->names.n,
	};
	s->depth++;
	return 0;
}

/* --- the first pass ------------------------------------------------------ */

/* KR_MALFORMED: it is no string. */
static int scan_name(struct stream *s, const struct kr_yaml_node *node)
{
	char number[KR_YAML_NUMBER_SIZE];
	enum kr_yaml_type type = KR_YAML_STRING;
	int r = 0;

	if (node->kind != KR_YAML_SCALAR || kr_written_is_merge(node))
		return KR_MALFORMED;
	if (node->implicit)
		r = kr_yaml_resolve(NULL, node->text, node->length, &type,
		                    number);
	if (r < 0)
		return r;
	if (type != KR_YAML_STRING)
		return KR_MALFORMED;
	return kr_names_add(&s->names, node->text, node->length, node->span);
}

static int scan_end(struct stream *s, size_t end)
{
	const struct level *level = &s->levels[--s->depth];
	struct kr_span twice;

	s->ends[level->container] = (uint32_t)end;
	if (s->depth == 0)
		s->root.length = (uint32_t)end - s->root.offset;
	return kr_names_end(&s->names, level->first_name, &twice) ? KR_MALFORMED
	                                                          : 0;
}

/* KR_MALFORMED: it takes a tree; -EFBIG. */
static int scan(void *userdata, const struct kr_yaml_node *node, size_t end)
{
	struct stream *s = userdata;

	if (!node)
		return scan_end(s, end);
	if (node->kind == KR_YAML_ALIAS || node->tag)
		return KR_MALFORMED;
	if (is_name(s))
		return scan_name(s, node);
	if (s->n_values++ == VALUES_MAX)
		return -EFBIG;
	if (s->depth == 0)
		s->root = node->span;
	if (!opens(node))
		return 0;
	if (!KR_VEC_NEXT(s->ends, s->n_ends))
		return -ENOMEM;
	return push(s, node, (uint32_t)s->n_ends++);
}

/* --- the second pass ----------------------------------------------------- */

static void yaml_scalar_event(const struct kr_yaml_node *node,
                              enum kr_yaml_type type, const char *number,
                              struct kr_event *event)
{
	event->text = node->text;
	event->length = node->length;
	switch (type) {
	case KR_YAML_STRING:
		event->type = KR_EVENT_STRING;
		return;
	case KR_YAML_NULL:
		event->type = KR_EVENT_NULL;
		return;
	case KR_YAML_TRUE:
		event->type = KR_EVENT_TRUE;
		return;
	case KR_YAML_FALSE:
		event->type = KR_EVENT_FALSE;
		return;
	case KR_YAML_NAN:
	case KR_YAML_INT:
	case KR_YAML_UINT:
	case KR_YAML_FLOAT:
		break;
	}
	event->type = KR_EVENT_NUMBER;
	event->text = type == KR_YAML_NAN ? NULL : number;
	event->length = type == KR_YAML_NAN ? 0 : strlen(number);
}

static int say(const struct stream *s, const struct kr_event *event)
{
	return s->listener->hear(s->listener->userdata, event);
}

static int tell_end(struct stream *s, size_t end)
{
	const struct level *level = &s->levels[--s->depth];
	const struct kr_event event = {
		.type = level->map ? KR_EVENT_MAP_END : KR_EVENT_LIST_END,
		.span = {s->file, level->start, (uint32_t)end - level->start},
	};

	return say(s, &event);
}

static int tell_scalar(const struct stream *s, const struct kr_yaml_node *node,
                       struct kr_event *event)
{
	char number[KR_YAML_NUMBER_SIZE];
	enum kr_yaml_type type = KR_YAML_STRING;
	int r = 0;

	if (node->implicit)
		r = kr_yaml_resolve(NULL, node->text, node->length, &type,
		                    number);
	if (r < 0)
		return r;
	yaml_scalar_event(node, type, number, event);
	return say(s, event);
}

static int tell(void *userdata, const struct kr_yaml_node *node, size_t end)
{
	struct stream *s = userdata;
	struct kr_event event = {0};
	struct kr_yaml_node whole;
	uint32_t container = s->n_told;
	int r;

	if (!node)
		return tell_end(s, end);
	whole = *node;
	if (opens(node)) {
		whole.span.length = s->ends[container] - node->span.offset;
		s->n_told++;
	}
	event.span = whole.span;
	if (is_name(s)) {
		event.type = KR_EVENT_STRING;
		event.key = true;
		event.text = node->text;
		event.length = node->length;
		return say(s, &event);
	}
	event.fixed = kr_written_fixed(&whole);
	if (!opens(node))
		return tell_scalar(s, node, &event);
	event.type =
		node->kind == KR_YAML_MAPPING ? KR_EVENT_MAP : KR_EVENT_LIST;
	r = say(s, &event);
	return r < 0 ? r : push(s, node, container);
}

/* Tells LISTENER the document as it is parsed. 0 or what LISTENER gave; 1: it
 * needs a tree, and LISTENER heard nothing; -EFBIG: it has more values than a
 * tree could hold; -ENOMEM. */
static int stream(const struct kr_file *file,
                  const struct kr_listener *listener, struct kr_layout *layout)
{
	_cleanup_(stream_done) struct stream s = {.file = file};
	struct kr_yaml_document doc;
	int r;

	if (file->size <= SMALL)
		return 1;
	r = kr_yaml_tell(file, scan, &s, &doc);
	if (r == -ENOMEM || r == -EFBIG)
		return r;
	if (r < 0)
		return 1;
	if (!s.root.file || doc.fixed)
		return 1;
	*layout = (struct kr_layout){
		.root = s.root,
		.end = doc.end,
		.doubt = doc.doubt,
	};
	s.listener = listener;
	return kr_yaml_tell(file, tell, &s, &doc);
}

struct frame {
	struct kr_yaml_node *node;   /* a mapping or sequence */
	struct kr_yaml_node *cursor; /* its child that comes next */
	struct kr_yaml_node *alias;  /* that led here, NULL: none */
	struct kr_tree_node *out;    /* where its children go */
	bool merge;                  /* into the OUT of the frame below */
	const char *fixed;           /* why nothing in it can be changed */
};

struct build {
	const struct kr_file *file;
	struct kr_tree tree;
	struct kr_diag *diag;
	const char *fixed;
	struct frame *frames;
	size_t depth;
	size_t n_decoded, n_aliased, alias_depth, out_depth;
	struct kr_span twice;
};

static const char fixed_alias[] = "name or value come through an alias or a "
				  "merge key, they must be "
				  "written here";
static int fail(struct build *b, struct kr_span span, const char *text)
{
	kr_diag_add(b->diag, KR_ERROR, "config-yaml", span, "%s", text);
	return KR_MALFORMED;
}

/* The share of aliases that yaml.v2 puts up with. */
static double allowed_share(size_t n_decoded)
{
	const double low = 400000, high = 4000000;

	if (n_decoded <= low)
		return 0.99;
	if (n_decoded >= high)
		return 0.10;
	return 0.99 - 0.89 * (n_decoded - low) / (high - low);
}

static int count(struct build *b, const struct kr_yaml_node *node)
{
	b->n_decoded++;
	if (b->alias_depth > 0)
		b->n_aliased++;
	if (b->n_aliased > 100 && b->n_decoded > 1000 &&
	    (double)b->n_aliased / b->n_decoded > allowed_share(b->n_decoded))
		return fail(b, node->span,
		            "the document must have fewer aliases");
	return 0;
}

static int push_frame(struct build *b, struct frame frame)
{
	struct frame *next = KR_VEC_NEXT(b->frames, b->depth);

	if (!next)
		return -ENOMEM;
	frame.cursor = frame.node->first;
	if (frame.alias) {
		frame.alias->busy = true;
		b->alias_depth++;
	}
	if (!frame.merge)
		b->out_depth++;
	*next = frame;
	b->depth++;
	if (b->out_depth > KR_JSON_DEPTH_MAX)
		return fail(b, frame.node->span,
		            "nesting must be at most 10000 deep");
	return 0;
}

static int pop_frame(struct build *b)
{
	struct frame *frame = &b->frames[--b->depth];
	struct kr_span twice;
	int r;

	if (frame->alias) {
		frame->alias->busy = false;
		b->alias_depth--;
	}
	if (frame->merge)
		return 0;
	b->out_depth--;
	if (frame->out->event.type != KR_EVENT_MAP)
		return 0;
	r = kr_tree_override(frame->out, &twice);
	if (r > 0 && !b->twice.file)
		b->twice = twice;
	return r < 0 ? r : 0;
}

/* What an alias stands for; >0: it was one. */
static int follow(struct build *b, struct kr_yaml_node **node)
{
	struct kr_yaml_node *alias = *node;
	int r = count(b, alias);

	if (r < 0 || alias->kind != KR_YAML_ALIAS)
		return r;
	if (alias->busy)
		return fail(b, alias->span,
		            "the anchor's value must be free of "
		            "itself");
	b->alias_depth++;
	r = count(b, alias->target);
	b->alias_depth--;
	*node = alias->target;
	return r < 0 ? r : 1;
}

static int resolve(struct build *b, const struct kr_yaml_node *node,
                   enum kr_yaml_type *ret_type,
                   char number[static KR_YAML_NUMBER_SIZE])
{
	int r;

	*ret_type = KR_YAML_STRING;
	if (!node->tag && !node->implicit)
		return 0;
	r = kr_yaml_resolve(node->tag, node->text, node->length, ret_type,
	                    number);
	if (r != KR_MALFORMED)
		return r;
	return fail(b, node->span,
	            "the text must be of the type that its tag names");
}

static int make_name(struct build *b, struct kr_yaml_node *node,
                     struct kr_tree_name *ret)
{
	struct kr_span span = node->span;
	char number[KR_YAML_NUMBER_SIZE];
	enum kr_yaml_type type;
	const char *text;
	int r;

	r = follow(b, &node);
	if (r < 0)
		return r;
	if (node->kind != KR_YAML_SCALAR)
		return fail(b, span, "a name must be a plain text");
	r = resolve(b, node, &type, number);
	if (r < 0)
		return r;
	*ret = (struct kr_tree_name){node->text, node->length, span, 's'};
	switch (type) {
	case KR_YAML_STRING:
		return 0;
	case KR_YAML_NULL:
	case KR_YAML_UINT:
		return fail(b, span, "a name must be a plain text");
	case KR_YAML_TRUE:
	case KR_YAML_FALSE:
		ret->type = 'b';
		ret->text = type == KR_YAML_TRUE ? "true" : "false";
		ret->length = strlen(ret->text);
		return 0;
	case KR_YAML_NAN:
		ret->type = 'f';
		return 0;
	case KR_YAML_INT:
	case KR_YAML_FLOAT:
		break;
	}
	ret->type = type == KR_YAML_INT ? 'i' : 'f';
	text = kr_tree_text(&b->tree, number, strlen(number));
	ret->text = text;
	ret->length = text ? strlen(text) : 0;
	return text ? 0 : -ENOMEM;
}

static int make_scalar(struct build *b, const struct kr_yaml_node *node,
                       struct kr_event *event)
{
	char number[KR_YAML_NUMBER_SIZE];
	enum kr_yaml_type type;
	int r = resolve(b, node, &type, number);

	if (r < 0)
		return r;
	yaml_scalar_event(node, type, number, event);
	/* what is no finite number is refused later: it may be
	 * overridden */
	if (event->type != KR_EVENT_NUMBER || !event->text)
		return 0;
	event->text = kr_tree_text(&b->tree, number, event->length);
	return event->text ? 0 : -ENOMEM;
}

/* A value into OUT, under NAME where that is a mapping, into which a merge key
 * may bring it. */
static int put(struct build *b, struct kr_tree_node *out,
               const struct kr_tree_name *name, struct kr_yaml_node *node,
               const char *fixed, bool merged)
{
	struct kr_yaml_node *alias = node;
	struct kr_tree_node *made;
	int r;

	r = follow(b, &node);
	if (r < 0)
		return r;
	made = kr_tree_add(&b->tree, out);
	if (!made)
		return -ENOMEM;
	if (name)
		made->name = *name;
	made->event.span = alias->span;
	made->event.merged = merged;
	if (alias != node)
		fixed = fixed_alias;
	made->event.fixed = fixed ?: kr_written_fixed(alias);
	if (node->kind == KR_YAML_SCALAR)
		return make_scalar(b, node, &made->event);
	made->event.type =
		node->kind == KR_YAML_MAPPING ? KR_EVENT_MAP : KR_EVENT_LIST;
	return push_frame(b,
	                  (struct frame){.node = node,
	                                 .alias = alias != node ? alias : NULL,
	                                 .out = made,
	                                 .fixed = fixed});
}

/* One mapping of a merge key. */
static int merge_one(struct build *b, struct kr_tree_node *out,
                     struct kr_yaml_node *node)
{
	struct kr_yaml_node *alias = node;
	int r;

	r = follow(b, &node);
	if (r < 0)
		return r;
	if (node->kind != KR_YAML_MAPPING)
		return fail(b, alias->span,
		            "a merge key must stand before a mapping "
		            "or a list of such");
	if (b->depth > KR_JSON_DEPTH_MAX)
		return fail(b, alias->span,
		            "merge keys must be at most 10000 deep");
	return push_frame(b,
	                  (struct frame){.node = node,
	                                 .alias = alias != node ? alias : NULL,
	                                 .out = out,
	                                 .merge = true,
	                                 .fixed = fixed_alias});
}

/* The last of a list comes first, so that the first one wins: the frames lie
 * on each other, the last of them is read first. */
static int merge(struct build *b, struct kr_tree_node *out,
                 struct kr_yaml_node *node)
{
	int r;

	if (node->kind != KR_YAML_SEQUENCE)
		return merge_one(b, out, node);
	for (struct kr_yaml_node *c = node->first; c; c = c->next) {
		r = merge_one(b, out, c);
		if (r < 0)
			return r;
	}
	return 0;
}

static int step_mapping(struct build *b, struct frame *frame)
{
	struct kr_yaml_node *name = frame->cursor, *value = name->next;
	struct kr_tree_name made;
	int r;

	frame->cursor = value->next;
	if (kr_written_is_merge(name))
		return merge(b, frame->out, value);
	r = make_name(b, name, &made);
	if (r < 0)
		return r;
	return put(b, frame->out, &made, value,
	           name->kind == KR_YAML_ALIAS ? fixed_alias : frame->fixed,
	           frame->merge);
}

static int build(struct build *b, struct kr_yaml_node *root)
{
	int r = put(b, NULL, NULL, root, b->fixed, false);

	if (r < 0)
		return r;
	while (b->depth > 0) {
		struct frame *frame = &b->frames[b->depth - 1];
		struct kr_yaml_node *child = frame->cursor;

		if (!child) {
			r = pop_frame(b);
		} else if (frame->node->kind == KR_YAML_MAPPING) {
			r = step_mapping(b, frame);
		} else {
			frame->cursor = child->next;
			r = put(b, frame->out, NULL, child, frame->fixed,
			        false);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

struct teller {
	const struct kr_listener *listener;
	struct build *build;
};

/* Hands on what JSON can say. */
static int pass(void *userdata, const struct kr_event *e)
{
	struct teller *t = userdata;

	if (e->type == KR_EVENT_NUMBER && !e->text && !e->overridden)
		return fail(t->build, e->span,
		            "the number must be a finite one");
	return t->listener->hear(t->listener->userdata, e);
}

/* 1: a name is there twice, RET_TWICE. */
static int read_document(struct build *b, const struct kr_listener *listener,
                         struct kr_layout *layout, struct kr_span *ret_twice)
{
	struct teller teller = {listener, b};
	const struct kr_listener passing = {pass, &teller};
	struct kr_yaml_document doc;
	int r = stream(b->file, &passing, layout);

	if (r == -EFBIG) {
		b->tree.too_large = true;
		return -ENOMEM;
	}
	if (r <= 0)
		return r;
	r = kr_yaml_parse(b->file, &b->tree, b->diag, &doc);
	*layout = (struct kr_layout){.doubt = doc.doubt};
	if (r < 0)
		return r;
	if (!doc.root)
		return fail(b, (struct kr_span){b->file, 0, 0},
		            "the document must hold a "
		            "KubeletConfiguration");
	b->fixed = doc.fixed;
	layout->root = doc.root->span;
	layout->end = doc.end;
	r = build(b, doc.root);
	if (r < 0)
		return r;
	r = kr_tree_tell(b->tree.root, &passing);
	if (r < 0 || !b->twice.file)
		return r;
	*ret_twice = b->twice;
	return 1;
}

int kr_yaml_read(const struct kr_file *file, const struct kr_listener *listener,
                 struct kr_diag *diag, struct kr_layout *layout,
                 struct kr_span *ret_twice)
{
	struct build b = {.file = file, .diag = diag};
	int r = read_document(&b, listener, layout, ret_twice);

	r = kr_tree_error(&b.tree, r, file->path, diag);
	free(b.frames);
	kr_tree_done(&b.tree);
	return r;
}
