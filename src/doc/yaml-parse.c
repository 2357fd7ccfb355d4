/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libyaml's events made a tree in which every node knows its bytes.
 *
 * kubelet's reader (yaml.v2) is a port of libyaml, so libyaml finds the same
 * tokens. Where the two differ:
 *
 * - libyaml takes "%YAML 1.2", yaml.v2 only 1.1;
 * - yaml.v2 reads 512 bytes at a time, and a byte that is no UTF-8 is an error
 *   even behind the end of the first document if it was read by then: the
 *   input is handed out in the same portions here;
 * - the tag "!" is dropped by libyaml, in yaml.v2 it makes a string;
 * - libyaml knows the escape "\/", yaml.v2 does not;
 * - in flow style a plain text may hold a "?" for libyaml; for yaml.v2 it
 * starts a name, which is an error there (but at the start of a name, as in
 * "{?a: 1}", refused here as well);
 * - libyaml skips a byte order mark at the start of any line, yaml.v2 only at
 *   that of the file: later ones are handed out as another character;
 * - "{a:}" and "[a:, b]" are errors for libyaml, for yaml.v2 the colon belongs
 * to the text: the file is read again with another character in its place;
 * - for yaml.v2 a number of "%YAML" has at most two digits, also in the
 *   directive that ends the first document;
 * - for yaml.v2 "," "[" and "]" belong to a tag, for libyaml 0.2.5 they end it
 *   ("{a: !!str, b: c}" is an error for yaml.v2, "a: !!str, b" one for
 *   libyaml): with such a tag, or one of "{}" at it, the file is in doubt;
 * - nothing else behind the first document matters.
 *
 * libyaml's marks count characters, and CR LF is two of them; the byte order
 * mark does not count. A cursor walks the file's bytes beside the marks, which
 * hardly ever go back. UTF-16 counts two bytes a character, four for one beyond
 * U+FFFF.
 *
 * libyaml notices a quote, a bracket or a name that nothing ends only lines
 * later. The place of the error is then where that begins; the words end with
 * libyaml's own, which are kubelet's.
 *
 * Source: gopkg.in/yaml.v2 2.4 readerc.go, yaml.go, decode.go.
 */

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/json.h"
#include "base/macro.h"
#include "base/vec.h"
#include "doc/yaml-parse.h"

#define PORTION    ((size_t)512)
#define COLONS_MAX 64
#define TAGS_MAX   ((size_t)1000) /* libyaml compares each with all others */

struct open {
	struct kr_yaml_node *node; /* NULL: it is streamed */
	size_t offset;
	enum kr_yaml_kind kind;
	bool flow;
};

struct parse {
	const struct kr_file *file;
	struct kr_tree *tree;
	struct kr_diag *diag;
	yaml_parser_t parser;

	size_t handed, room; /* input handed out; libyaml's buffer */
	/* colons that are handed out as part of a plain text */
	size_t colons[COLONS_MAX];
	size_t n_colons;
	/* the cursor: character INDEX starts at byte OFFSET */
	size_t index, offset, start;
	unsigned width; /* of a unit: 1 for UTF-8, 2 for UTF-16 */
	bool big_endian;

	struct kr_span doubt; /* the first tag of which that is so */
	struct open *open;    /* mappings and sequences not ended yet */
	size_t depth;
	struct kr_span text; /* the scalar of the last event, if it was that */
	kr_yaml_hear_fn *hear; /* NULL: the nodes become a tree */
	void *userdata;
	void *anchors; /* a tsearch(3) tree; a later one of a name wins */
};

static bool is_mark(const struct parse *p, size_t offset)
{
	return offset > p->start &&
	       strncmp(p->file->data + offset, "\xef\xbb\xbf", 3) == 0;
}

/* The byte at OFFSET, of U+FFFD if it belongs to a byte order mark. */
static unsigned char without_mark(const struct parse *p, size_t offset,
                                  unsigned char byte)
{
	if (byte == 0xbb && offset > 1 && is_mark(p, offset - 1))
		return 0xbf;
	if (byte == 0xbf && offset > 2 && is_mark(p, offset - 2))
		return 0xbd;
	return byte;
}

static int hand_out(void *data, unsigned char *buffer, size_t size,
                    size_t *ret_size)
{
	struct parse *p = data;
	size_t n = PORTION, left = p->file->size - p->handed;

	/* what libyaml could not decode yet still fills a part of it */
	if (p->room == 0)
		p->room = size;
	if (p->room - size < n)
		n -= p->room - size;
	if (n > size)
		n = size;
	if (n > left)
		n = left;
	memcpy(buffer, p->file->data + p->handed, n);
	for (size_t i = 0; i < n && p->width == 1; i++)
		buffer[i] = without_mark(p, p->handed + i, buffer[i]);
	for (size_t i = 0; i < p->n_colons; i++) {
		if (p->colons[i] >= p->handed && p->colons[i] < p->handed + n)
			buffer[p->colons[i] - p->handed] = ';';
	}
	p->handed += n;
	*ret_size = n;
	return 1;
}

/* Where libyaml by itself would read something else than yaml.v2, it could not
 * be the witness of an edit. */
static const char *fixed_by_encoding(const struct parse *p)
{
	const char *text = p->file->data + p->start;
	size_t size = p->file->size - p->start;

	if (p->width == 2)
		return "the file must be UTF-8";
	if (memmem(text, size, "\xef\xbb\xbf", 3))
		return "the file must have no byte order mark inside";
	if (p->n_colons > 0)
		return "a colon before one of \",?[]{}\" must be "
		       "quoted";
	return NULL;
}

static void find_encoding(struct parse *p)
{
	const char *data = p->file->data;
	size_t size = p->file->size;

	p->width = 1;
	if (size >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 ||
	                  memcmp(data, "\xfe\xff", 2) == 0)) {
		p->width = 2;
		p->big_endian = data[0] == '\xfe';
		p->start = 2;
	} else if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		p->start = 3;
	}
	p->offset = p->start;
}

static unsigned unit_at(const struct parse *p, size_t offset)
{
	const unsigned char *s = (const unsigned char *)p->file->data + offset;

	return p->big_endian ? (unsigned)(s[0] << 8 | s[1])
	                     : (unsigned)(s[1] << 8 | s[0]);
}

static unsigned char_at(const struct parse *p, size_t offset)
{
	return p->width == 2 ? unit_at(p, offset)
	                     : (unsigned char)p->file->data[offset];
}

/* Whether a character starts at OFFSET. */
static bool is_start(const struct parse *p, size_t offset)
{
	if (p->width == 1)
		return (p->file->data[offset] & 0xc0) != 0x80;
	return offset + 1 >= p->file->size ||
	       (unit_at(p, offset) & 0xfc00) != 0xdc00;
}

/* The byte at which character INDEX starts. */
static size_t offset_of(struct parse *p, size_t index)
{
	size_t size = p->file->size;

	while (p->index < index && p->offset < size) {
		do
			p->offset += p->width;
		while (p->offset < size && !is_start(p, p->offset));
		p->index++;
	}
	while (p->index > index && p->offset > p->start) {
		do
			p->offset -= p->width;
		while (p->offset > p->start && !is_start(p, p->offset));
		p->index--;
	}
	return p->offset < size ? p->offset : size;
}

static int fail_at(struct parse *p, size_t offset, const char *text)
{
	struct kr_span span = {p->file, offset, 0};

	if (span.offset > p->file->size)
		span.offset = p->file->size;
	if (span.offset < p->file->size)
		span.length = 1;
	kr_diag_add(p->diag, KR_ERROR, "config-syntax", span, "%s", text);
	return KR_MALFORMED;
}

static bool is_flow_mark(unsigned c)
{
	return c > 0 && c < 0x80 && strchr(",[]{}", (int)c);
}

static void doubt(struct parse *p, size_t offset)
{
	if (!p->doubt.file)
		p->doubt = (struct kr_span){p->file, offset, p->width};
}

static bool is_blank(unsigned c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_line_end(unsigned c)
{
	return c == '\r' || c == '\n';
}

/* Where the text of the line of OFFSET starts, behind RET_INDENT units. */
static size_t line_text(const struct parse *p, size_t offset,
                        size_t *ret_indent)
{
	size_t start = offset;

	while (start > p->start && !is_line_end(char_at(p, start - p->width)))
		start -= p->width;
	for (*ret_indent = 0; start < offset && is_blank(char_at(p, start));
	     ++*ret_indent)
		start += p->width;
	return start;
}

static bool is_same_line(const struct parse *p, size_t a, size_t b)
{
	for (; a < b; a += p->width) {
		if (is_line_end(char_at(p, a)))
			return false;
	}
	return true;
}

/* libyaml's problem, whose cause is the word at OFFSET: it MUST be other. */
static int blame(struct parse *p, size_t offset, const char *must)
{
	size_t end = offset, last = p->file->size + 1 - p->width;

	while (end < last && !is_blank(char_at(p, end)))
		end += p->width;
	kr_diag_add(p->diag, KR_ERROR, "config-syntax",
	            (struct kr_span){p->file, offset, end - offset}, "%s (%s)",
	            must, p->parser.problem);
	return KR_MALFORMED;
}

#define NAME "a name must be followed by ':' and a blank"

/* A line begins at OFFSET with what is no name. */
static int blame_name(struct parse *p, size_t offset)
{
	const struct open *top = p->depth > 0 ? &p->open[p->depth - 1] : NULL;
	unsigned c = char_at(p, offset);

	if (c == '[' || c == '{')
		return blame(p, offset,
		             "what is in brackets must be indented below its "
		             "name");
	return blame(p, offset,
	             top && top->kind == KR_YAML_SEQUENCE
	                     ? "an item must be preceded by '-', " NAME
	                     : NAME);
}

/* The problem at OFFSET stands behind a text of several lines. 0: it is no
 * cause. */
static int blame_text(struct parse *p, size_t offset)
{
	size_t text = p->text.offset, end = kr_span_end(p->text), indent, start;
	unsigned c = p->text.length > 0 ? char_at(p, text) : 0;

	if (!c || end > offset || is_same_line(p, text, end) ||
	    !is_same_line(p, end, offset))
		return 0;
	if (c == '"' || c == '\'')
		return blame(p, text,
		             "this quote must be closed before the next one");
	if (strcmp(p->parser.problem,
	           "mapping values are not allowed in this context") != 0)
		return 0;
	if (line_text(p, text, &indent) == text)
		return blame_name(p, text);
	start = line_text(p, offset, &indent);
	return blame(p, start, "a name must be indented as the one above it");
}

/* The problem at OFFSET is met in brackets that are not closed. 0: they are no
 * cause. Only in the outermost ones does a line that is not indented prove it.
 */
static int blame_brackets(struct parse *p, size_t offset)
{
	const struct open *top = p->depth > 0 ? &p->open[p->depth - 1] : NULL;
	size_t indent, own;

	if (!top || !top->flow)
		return 0;
	line_text(p, top->offset, &own);
	line_text(p, offset, &indent);
	if (offset < p->file->size &&
	    (p->depth < 2 || p->open[p->depth - 2].flow || indent > own ||
	     is_same_line(p, top->offset, offset)))
		return 0;
	return blame(p, top->offset,
	             top->kind == KR_YAML_SEQUENCE ? "this list must be closed"
	                                           : "this map must be closed");
}

/* libyaml's problem at OFFSET, where its cause is known to be another place; 0:
 * it is not. */
static int fail_before(struct parse *p, size_t offset)
{
	const yaml_parser_t *y = &p->parser;
	const char *context = y->context ? y->context : "";
	int r;

	if (strcmp(context, "while scanning a simple key") == 0)
		return blame_name(p, offset_of(p, y->context_mark.index));
	if (strcmp(context, "while scanning a quoted scalar") == 0 &&
	    strncmp(y->problem, "found unexpected ", 17) == 0)
		return blame(p, offset_of(p, y->context_mark.index),
		             "this quote must be closed");
	r = blame_text(p, offset);
	return r != 0 || y->error != YAML_PARSER_ERROR
	               ? r
	               : blame_brackets(p, offset);
}

static int fail(struct parse *p)
{
	const yaml_parser_t *y = &p->parser;
	const char *problem = y->problem ? y->problem : "not readable as YAML";
	size_t offset;
	int r;

	if (y->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (y->error == YAML_READER_ERROR)
		return fail_at(p, y->problem_offset, problem);
	offset = offset_of(p, y->problem_mark.index);
	if (y->error == YAML_SCANNER_ERROR && y->context &&
	    strcmp(y->context, "while scanning a tag") == 0 &&
	    offset < p->file->size && is_flow_mark(char_at(p, offset)))
		doubt(p, offset);
	r = y->problem ? fail_before(p, offset) : 0;
	return r != 0 ? r : fail_at(p, offset, problem);
}

static int push_open(struct parse *p, struct kr_yaml_node *node)
{
	struct open *next = KR_VEC_NEXT(p->open, p->depth);

	if (!next)
		return -ENOMEM;
	*next = (struct open){p->hear ? NULL : node, node->span.offset,
	                      node->kind, node->flow};
	p->depth++;
	return 0;
}

/* TEXT for as long as its node lives. */
static const char *keep_text(struct parse *p, const char *text, size_t length)
{
	return p->hear ? text : kr_tree_text(p->tree, text, length);
}

static int compare_anchors(const void *a, const void *b)
{
	const struct kr_yaml_node *x = a, *y = b;

	return strcmp(x->anchor, y->anchor);
}

static int add_anchor(struct parse *p, struct kr_yaml_node *node)
{
	struct kr_yaml_node **found =
		tsearch(node, &p->anchors, compare_anchors);

	if (!found)
		return -ENOMEM;
	*found = node;
	return 0;
}

static struct kr_yaml_node *find_anchor(const struct parse *p,
                                        const struct kr_yaml_node *alias)
{
	struct kr_yaml_node **found =
		tfind(alias, &p->anchors, compare_anchors);

	return found ? *found : NULL;
}

static void keep(void *node)
{
}

/* Whether the node's bytes start with the tag "!", maybe behind an anchor. */
static bool has_bare_tag(const struct kr_yaml_node *node)
{
	const char *s = node->span.file->data + node->span.offset;
	const char *end = s + node->span.length;

	if (s < end && *s == '&') {
		while (s < end && !strchr(" \t\r\n", *s))
			s++;
		while (s < end && strchr(" \t\r\n", *s))
			s++;
	}
	return s < end && *s == '!';
}

/* Doubts a tag of the node, at its start or behind an anchor, that has a mark
 * of flow style at its end. */
static void check_tag(struct parse *p, const struct kr_yaml_node *node)
{
	size_t end = p->file->size + 1 - p->width, i = node->span.offset;

	if (i < end && char_at(p, i) == '&') {
		while (i < end && !is_blank(char_at(p, i)))
			i += p->width;
		while (i < end && is_blank(char_at(p, i)))
			i += p->width;
	}
	if (i >= end || char_at(p, i) != '!')
		return;
	i += p->width;
	if (i < end && char_at(p, i) == '<') {
		while (i < end && char_at(p, i) != '>')
			i += p->width;
		i += p->width;
	}
	while (i < end && !is_blank(char_at(p, i)) &&
	       !is_flow_mark(char_at(p, i)))
		i += p->width;
	if (i < end && is_flow_mark(char_at(p, i)))
		doubt(p, i);
}

static int set_texts(struct parse *p, struct kr_yaml_node *node,
                     const yaml_char_t *tag, const yaml_char_t *anchor)
{
	const char *t = (const char *)tag, *a = (const char *)anchor;

	if (t) {
		node->tag = keep_text(p, t, strlen(t));
		if (!node->tag)
			return -ENOMEM;
	}
	if (!a)
		return 0;
	node->anchor = keep_text(p, a, strlen(a));
	if (!node->anchor)
		return -ENOMEM;
	if (node->kind == KR_YAML_ALIAS || p->hear)
		return 0;
	return add_anchor(p, node);
}

/* Whether the escape "\/" is in a node in double quotes. */
static bool has_slash_escape(const struct parse *p,
                             const struct kr_yaml_node *node)
{
	size_t end = kr_span_end(node->span), i = node->span.offset;

	for (; i + 2 * p->width <= end; i += p->width) {
		if (char_at(p, i) != '\\')
			continue;
		i += p->width;
		if (char_at(p, i) == '/')
			return true;
	}
	return false;
}

static int set_scalar(struct parse *p, struct kr_yaml_node *node,
                      const yaml_event_t *e)
{
	yaml_scalar_style_t style = e->data.scalar.style;

	node->kind = KR_YAML_SCALAR;
	if (style == YAML_PLAIN_SCALAR_STYLE && p->depth > 0 &&
	    p->open[p->depth - 1].flow &&
	    memchr(e->data.scalar.value, '?', e->data.scalar.length))
		return fail_at(p, node->span.offset,
		               "a text with '?' must be quoted here");
	if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE &&
	    has_slash_escape(p, node))
		return fail_at(p, node->span.offset,
		               "the escape \\/ must be / alone");
	node->plain = style == YAML_PLAIN_SCALAR_STYLE;
	node->block = style == YAML_LITERAL_SCALAR_STYLE ||
	              style == YAML_FOLDED_SCALAR_STYLE;
	node->implicit = e->data.scalar.plain_implicit;
	node->length = e->data.scalar.length;
	node->text =
		keep_text(p, (const char *)e->data.scalar.value, node->length);
	if (!node->text)
		return -ENOMEM;
	if (!e->data.scalar.tag && node->implicit && p->width == 1 &&
	    has_bare_tag(node))
		node->tag = "!";
	return set_texts(p, node, e->data.scalar.tag, e->data.scalar.anchor);
}

static int set_node(struct parse *p, struct kr_yaml_node *node,
                    const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return set_scalar(p, node, e);
	case YAML_MAPPING_START_EVENT:
		node->kind = KR_YAML_MAPPING;
		node->flow =
			e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
		return set_texts(p, node, e->data.mapping_start.tag,
		                 e->data.mapping_start.anchor);
	case YAML_SEQUENCE_START_EVENT:
		node->kind = KR_YAML_SEQUENCE;
		node->flow = e->data.sequence_start.style ==
		             YAML_FLOW_SEQUENCE_STYLE;
		return set_texts(p, node, e->data.sequence_start.tag,
		                 e->data.sequence_start.anchor);
	default:
		node->kind = KR_YAML_ALIAS;
		return set_texts(p, node, NULL, e->data.alias.anchor);
	}
}

/* NODE from its event, which lives in the file. */
static int fill_node(struct parse *p, const yaml_event_t *e,
                     struct kr_yaml_node *node)
{
	int r;

	node->span.file = p->file;
	node->span.offset = offset_of(p, e->start_mark.index);
	node->span.length = offset_of(p, e->end_mark.index) - node->span.offset;
	p->text =
		e->type == YAML_SCALAR_EVENT ? node->span : (struct kr_span){0};
	r = set_node(p, node, e);
	if (r < 0)
		return r;
	if (node->kind != KR_YAML_ALIAS)
		check_tag(p, node);
	return 0;
}

static int open_node(struct parse *p, struct kr_yaml_node *node)
{
	if (node->kind != KR_YAML_MAPPING && node->kind != KR_YAML_SEQUENCE)
		return 0;
	if (p->depth == KR_JSON_DEPTH_MAX)
		return fail_at(p, node->span.offset,
		               "nesting must be at most 10000 deep");
	return push_open(p, node);
}

static int tell_node(struct parse *p, const yaml_event_t *e)
{
	struct kr_yaml_node node = {0};
	int r = fill_node(p, e, &node);

	if (r < 0)
		return r;
	r = p->hear(p->userdata, &node, 0);
	return r < 0 ? r : open_node(p, &node);
}

static int add_node(struct parse *p, const yaml_event_t *e,
                    struct kr_yaml_document *doc)
{
	struct kr_yaml_node *node = kr_tree_alloc(p->tree, sizeof(*node));
	struct kr_yaml_node *parent =
		p->depth > 0 ? p->open[p->depth - 1].node : NULL;
	int r;

	if (!node)
		return -ENOMEM;
	r = fill_node(p, e, node);
	if (r < 0)
		return r;
	if (node->kind == KR_YAML_ALIAS) {
		node->target = find_anchor(p, node);
		if (!node->target)
			return fail_at(p, node->span.offset,
			               "the alias must name an anchor "
			               "that stands before it");
	}
	if (!parent)
		doc->root = node;
	else if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	if (parent)
		parent->last = node;
	return open_node(p, node);
}

static int end_node(struct parse *p, const yaml_event_t *e)
{
	struct kr_yaml_node *node = p->open[--p->depth].node;
	size_t end = offset_of(p, e->end_mark.index);

	if (p->hear)
		return p->hear(p->userdata, NULL, end);
	node->span.length = end - node->span.offset;
	return 0;
}

/* The numbers of the directive at OFFSET, if it is "%YAML". 0 or KR_MALFORMED.
 */
static int check_version(struct parse *p, size_t offset)
{
	static const char name[] = "%YAML";
	size_t end = p->file->size + 1 - p->width, i = offset;
	unsigned n_digits = 0;

	for (const char *c = name; *c; c++, i += p->width) {
		if (i >= end || char_at(p, i) != (unsigned char)*c)
			return 0;
	}
	for (; i < end; i += p->width) {
		unsigned c = char_at(p, i);

		if (c == '\r' || c == '\n' || c == '#')
			break;
		n_digits = c >= '0' && c <= '9' ? n_digits + 1 : 0;
		if (n_digits > 2)
			return fail_at(p, i,
			               "a number of the version must "
			               "have at most two digits");
	}
	return 0;
}

/* The same of all lines from FROM to TO. */
static int check_versions(struct parse *p, size_t from, size_t to)
{
	bool start = true;

	for (size_t i = from; i < to; i += p->width) {
		int r = start ? check_version(p, i) : 0;

		if (r < 0)
			return r;
		start = char_at(p, i) == '\n' || char_at(p, i) == '\r';
	}
	return 0;
}

/* >0: the document is over. */
static int take_event(struct parse *p, const yaml_event_t *e,
                      struct kr_yaml_document *doc)
{
	const yaml_version_directive_t *version;
	int r;

	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		version = e->data.document_start.version_directive;
		if (version && (version->major != 1 || version->minor != 1))
			return fail_at(p, offset_of(p, e->start_mark.index),
			               "the version must be 1.1");
		return check_versions(p, p->start,
		                      offset_of(p, e->end_mark.index));
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		return end_node(p, e);
	case YAML_DOCUMENT_END_EVENT:
	case YAML_STREAM_END_EVENT:
		doc->end = offset_of(p, e->start_mark.index);
		r = doc->end < p->file->size ? check_version(p, doc->end) : 0;
		return r < 0 ? r : 1;
	case YAML_STREAM_START_EVENT:
	case YAML_NO_EVENT:
		return 0;
	default:
		return p->hear ? tell_node(p, e) : add_node(p, e, doc);
	}
}

/* Whether libyaml failed at a colon that yaml.v2 takes for text: noted then. */
static bool note_colon(struct parse *p)
{
	const yaml_parser_t *y = &p->parser;

	if (y->error != YAML_SCANNER_ERROR || p->width != 1 ||
	    p->n_colons == COLONS_MAX || !y->problem ||
	    strcmp(y->problem, "found unexpected ':'") != 0)
		return false;
	p->colons[p->n_colons++] = offset_of(p, y->problem_mark.index);
	return true;
}

/* >0: again, a colon was noted. */
static int run(struct parse *p, struct kr_yaml_document *doc)
{
	yaml_event_t event;
	int r;

	for (;;) {
		if (!yaml_parser_parse(&p->parser, &event))
			return note_colon(p) ? 1 : fail(p);
		r = take_event(p, &event, doc);
		yaml_event_delete(&event);
		if (r != 0)
			return r < 0 ? r : 0;
	}
}

/* One pass over the file; >0 as run(). */
static int pass(struct parse *p, struct kr_yaml_document *doc)
{
	int r;

	p->handed = p->room = p->index = p->depth = 0;
	p->text = (struct kr_span){0};
	*doc = (struct kr_yaml_document){0};
	if (!yaml_parser_initialize(&p->parser))
		return -ENOMEM;
	find_encoding(p);
	yaml_parser_set_input(&p->parser, hand_out, p);
	r = run(p, doc);
	yaml_parser_delete(&p->parser);
	tdestroy(p->anchors, keep);
	p->anchors = NULL;
	return r;
}

static size_t count_words(const struct kr_file *file, const char *word,
                          size_t length)
{
	const char *s = file->data, *end = s + file->size;
	size_t n = 0;

	while ((s = memmem(s, (size_t)(end - s), word, length))) {
		s += length;
		n++;
	}
	return n;
}

/* %TAG directives, or what may be such, in UTF-8 or UTF-16. */
static int check_tags(const struct kr_file *file, struct kr_diag *diag)
{
	static const char narrow[] = "%TAG", wide[] = "%\0T\0A\0G";

	if (count_words(file, narrow, sizeof(narrow) - 1) <= TAGS_MAX &&
	    count_words(file, wide, sizeof(wide) - 1) <= TAGS_MAX)
		return 0;
	kr_diag_add_path(diag, KR_ERROR, "config-too-large", file->path,
	                 "the configuration is too large to be read: it has "
	                 "more than %zu times %%TAG",
	                 TAGS_MAX);
	return -EFBIG;
}

int kr_yaml_tell(const struct kr_file *file, kr_yaml_hear_fn *hear,
                 void *userdata, struct kr_yaml_document *ret)
{
	struct parse p = {.file = file, .hear = hear, .userdata = userdata};
	int r = check_tags(file, NULL);

	if (r < 0)
		return r;
	r = pass(&p, ret);
	free(p.open);
	ret->fixed = fixed_by_encoding(&p);
	ret->doubt = p.doubt;
	return r > 0 ? KR_MALFORMED : r;
}

int kr_yaml_parse(const struct kr_file *file, struct kr_tree *tree,
                  struct kr_diag *diag, struct kr_yaml_document *ret)
{
	struct parse p = {.file = file, .tree = tree, .diag = diag};
	struct kr_yaml_document doc;
	int r;

	*ret = (struct kr_yaml_document){0};
	r = check_tags(file, diag);
	if (r < 0)
		return r;
	do
		r = pass(&p, &doc);
	while (r > 0);
	free(p.open);
	doc.fixed = fixed_by_encoding(&p);
	if (r < 0)
		doc = (struct kr_yaml_document){0};
	doc.doubt = p.doubt;
	*ret = doc;
	return r;
}
