/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From YAML as it is written to what kubelet's JSON decoder gets to see.
 *
 * yaml.v2 turns the nodes into Go values: it follows aliases (each time anew;
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
#include "doc/written.h"
#include "doc/yaml-read.h"
#include "doc/yaml-scalar.h"

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
				  "merge key, they would have to be "
				  "written here";
static int fail(struct build *b, struct kr_span span, const char *text)
{
	kr_diag_add(b->diag, KR_ERROR, "config-yaml", span, "%s", text);
	return -EBADMSG;
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
		            "the document would have to have fewer aliases");
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
		            "nesting would have to be at most 10000 deep");
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
		            "the anchor's value would have to be free of "
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
	if (r != -EBADMSG)
		return r;
	return fail(b, node->span,
	            "the text would have to be of the type that its tag names");
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
		return fail(b, span, "a name would have to be a plain text");
	r = resolve(b, node, &type, number);
	if (r < 0)
		return r;
	*ret = (struct kr_tree_name){node->text, node->length, span, 's'};
	switch (type) {
	case KR_YAML_STRING:
		return 0;
	case KR_YAML_NULL:
	case KR_YAML_UINT:
		return fail(b, span, "a name would have to be a plain text");
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
	event->text = node->text;
	event->length = node->length;
	switch (type) {
	case KR_YAML_STRING:
		event->type = KR_EVENT_STRING;
		return 0;
	case KR_YAML_NULL:
		event->type = KR_EVENT_NULL;
		return 0;
	case KR_YAML_TRUE:
		event->type = KR_EVENT_TRUE;
		return 0;
	case KR_YAML_FALSE:
		event->type = KR_EVENT_FALSE;
		return 0;
	case KR_YAML_NAN:
		/* refused when it is told: it may be overridden */
	case KR_YAML_INT:
	case KR_YAML_UINT:
	case KR_YAML_FLOAT:
		break;
	}
	event->type = KR_EVENT_NUMBER;
	if (type == KR_YAML_NAN) {
		event->text = NULL;
		event->length = 0;
		return 0;
	}
	event->text = kr_tree_text(&b->tree, number, strlen(number));
	event->length = strlen(number);
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
		            "a merge key would have to stand before a mapping "
		            "or a list of such");
	if (b->depth > KR_JSON_DEPTH_MAX)
		return fail(b, alias->span,
		            "merge keys would have to be at most 10000 deep");
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

	while (r == 0 && b->depth > 0) {
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
	}
	return r;
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
		            "the number would have to be a finite one");
	return t->listener->hear(t->listener->userdata, e);
}

int kr_yaml_read(const struct kr_file *file, const struct kr_listener *listener,
                 struct kr_diag *diag, struct kr_layout *layout,
                 struct kr_span *ret_twice)
{
	struct build b = {.file = file, .diag = diag};
	struct teller teller = {listener, &b};
	const struct kr_listener passing = {pass, &teller};
	struct kr_yaml_document doc;
	int r;

	r = kr_yaml_parse(file, &b.tree, diag, &doc);
	*layout = (struct kr_layout){.doubt = doc.doubt};
	if (r == 0 && !doc.root) {
		r = fail(&b, (struct kr_span){file, 0, 0},
		         "the document would have to hold a "
		         "KubeletConfiguration");
	} else if (r == 0) {
		b.fixed = doc.fixed;
		layout->root = doc.root->span;
		layout->end = doc.end;
		r = build(&b, doc.root);
		if (r == 0)
			r = kr_tree_tell(b.tree.root, &passing);
	}
	if (r == 0 && b.twice.file) {
		*ret_twice = b.twice;
		r = 1;
	}
	r = kr_tree_error(&b.tree, r, file->path, diag);
	free(b.frames);
	kr_tree_done(&b.tree);
	return r;
}
