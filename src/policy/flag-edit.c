/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Edits of kubelet's arguments.
 *
 * A flag of one value is cut whole, all words of every use, and set by one use
 * at the end: the last one wins. --feature-gates holds what others wrote as
 * well, so it is edited inside its value:
 *
 *	A=true,B=false,C=true	B goes with the comma before it; the first
 *				entry with the one behind it; the last one
 *				that is left with its flag
 *
 * pflag splits the map at every comma and trims blanks around names and values
 * (component-base cli/flag map_string_bool.go); entries of all uses merge, the
 * last one of a name decides.
 *
 * An entry is edited where all its bytes, and the comma's, stand one behind the
 * other in one file: what comes from several places, or has quotes or a line
 * end inside, is refused. How a new argument is quoted is unit/append's.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "policy/flag-edit.h"
#include "policy/sources.h"
#include "policy/vendor.h"

#define refuse(e, code, span, ...)                                             \
	kr_diag_refuse((e)->diag, code, span, __VA_ARGS__)

/* --- whole words ---------------------------------------------------------- */

static int cut_span(const struct kr_flag_edit *e, struct kr_span cut,
                    struct kr_span place)
{
	int r = kr_edits_cut(e->edits, cut);

	return r == KR_COLLIDES ? refuse(e, "edits-collide", place,
	                                 "two edits would touch the same bytes")
	                        : r;
}

/* The word of the unit that is ARG and stands in a file. */
static int find_word(const struct kr_flag_edit *e, size_t arg,
                     const struct kr_unit_word **ret)
{
	const struct kr_unit_word *word = kr_node_word(e->node, arg);

	if (word && word->from->manager && word->length == 0)
		return refuse(e, "flag-not-in-a-file", KR_SPAN_NONE,
		              "the flag is set in systemd's own environment, "
		              "which 'systemctl show-environment' shows: it "
		              "must be taken away there (DefaultEnvironment= "
		              "of system.conf, 'systemctl unset-environment')");
	if (!word || word->length == 0)
		return refuse(e, "flag-not-in-a-file", KR_SPAN_NONE,
		              "the flag is set where no file of the unit has "
		              "it: it must be taken away there");
	*ret = word;
	return 0;
}

static int cut_use(const struct kr_flag_edit *e, const struct kr_flag_use *use)
{
	for (size_t k = 0; k < use->n_args; k++) {
		const struct kr_unit_word *word;
		int r = find_word(e, use->arg + k, &word);

		if (r < 0)
			return r;
		if (word->cut_length == 0)
			return refuse(e, "word-not-cut", kr_word_span(word),
			              "the flag cannot be cut safely here: it "
			              "must stand as one word in one place");
		r = cut_span(e, kr_word_cut(word), kr_word_span(word));
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- entries of a value --------------------------------------------------- */

/* An entry of a use's text: [START, END) without its commas. */
struct entry {
	size_t start, end;
	bool gone; /* it is the one that is to be cut */
};

struct entries {
	const struct kr_flag_use *use;
	struct entry *items;
	size_t n;
};

static void entries_done(struct entries *entries)
{
	free(entries->items);
}
#define _cleanup_entries_ _cleanup_(entries_done)

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void trim(const char *text, size_t *start, size_t *end)
{
	while (*start < *end && is_blank(text[*start]))
		++*start;
	while (*start < *end && is_blank(text[*end - 1]))
		--*end;
}

static bool is_called(const char *text, const struct entry *entry,
                      const char *name)
{
	const char *equals =
		memchr(text + entry->start, '=', entry->end - entry->start);
	size_t start = entry->start, end;

	if (!equals)
		return false;
	end = equals - text;
	trim(text, &start, &end);
	return strlen(name) == end - start &&
	       memcmp(text + start, name, end - start) == 0;
}

/* The entries of USE; those called NAME are gone, of which RET_ANY tells. */
static int read_entries(const struct kr_flag_use *use, const char *name,
                        struct entries *ret, bool *ret_any)
{
	const char *text = use->text, *s = text;

	ret->use = use;
	while (*text) {
		struct entry *next = KR_VEC_NEXT(ret->items, ret->n);

		if (!next)
			return -ENOMEM;
		ret->n++;
		next->start = s - text;
		s += strcspn(s, ",");
		next->end = s - text;
		next->gone = is_called(text, next, name);
		*ret_any = *ret_any || next->gone;
		if (!*s++)
			break;
	}
	return 0;
}

/* The name of the gate that FIELD is. */
static const char *gate_name(int field)
{
	return strchr(kr_field(field)->path, '.') + 1;
}

static bool is_gate(int field)
{
	return kr_field(field)->combine == KR_COMBINE_GATE;
}

/* The bytes of a file that [START, END) of WORD are, none between them. */
static struct kr_span solid_span(const struct kr_unit_word *word, size_t start,
                                 size_t end)
{
	const struct kr_text text = kr_word_text(word);

	for (size_t i = start + 1; i < end; i++) {
		struct kr_origin a = kr_text_origin(&text, i - 1);
		struct kr_origin b = kr_text_origin(&text, i);

		if (a.file != b.file || b.offset != a.offset + a.length)
			return KR_SPAN_NONE;
	}
	return end > start ? kr_text_span(&text, start, end - start)
	                   : KR_SPAN_NONE;
}

/* The file's bytes of [START, END) of the text of USE. */
static int part_span(const struct kr_flag_edit *e,
                     const struct kr_flag_use *use, size_t start, size_t end,
                     struct kr_span *ret)
{
	const struct kr_unit_word *word;
	int r = find_word(e, use->value_arg, &word);

	if (r < 0)
		return r;
	*ret = solid_span(word, use->value + start, use->value + end);
	return ret->file ? 0
	                 : refuse(e, "entry-not-cut", kr_word_span(word),
	                          "the flag's value cannot be edited safely "
	                          "here: it must stand in one piece in one "
	                          "place, without quotes or line ends inside");
}

/* Cuts the entries from FIRST on that go, up to the next that stays. */
static int cut_run(const struct kr_flag_edit *e, const struct entries *entries,
                   size_t *first)
{
	const struct entry *items = entries->items;
	size_t start = *first, end = start, from, to;
	struct kr_span span;
	int r;

	while (end < entries->n && items[end].gone)
		end++;
	*first = end;
	from = start > 0 ? items[start - 1].end : items[start].start;
	to = start > 0 ? items[end - 1].end : items[end].start;
	r = part_span(e, entries->use, from, to, &span);
	return r < 0 ? r : cut_span(e, span, span);
}

static int cut_entries(const struct kr_flag_edit *e,
                       const struct entries *entries)
{
	size_t n = 0;

	for (size_t i = 0; i < entries->n; i++)
		n += entries->items[i].gone;
	if (n > 0 && n == entries->n)
		return cut_use(e, entries->use);
	for (size_t i = 0; n > 0 && i < entries->n; i++) {
		int r = entries->items[i].gone ? cut_run(e, entries, &i) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* Whether the entries of USE are known; where kubelet stops at one of them,
 * cutting the whole would take away those of others. Behind a line end a list
 * has bytes that kubelet does not read. */
static int check_use(const struct kr_flag_edit *e,
                     const struct kr_flag_use *use)
{
	const struct kr_unit_word *word = kr_node_word(e->node, use->value_arg);
	const char *why = NULL;

	if (!use->text)
		why = "the flag's other entries are unknown: its value must "
		      "be one that kubelet takes";
	else if (word && word->from->unknown)
		why = "the flag's entries are unknown: its value must stand "
		      "in the node's files";
	else if (strpbrk(use->text, "\n\r"))
		why = "the flag's entries are unknown: its value must have "
		      "no line end";
	return why ? refuse(e, "flag-not-read", kr_node_span(e->node, use->arg),
	                    "%s", why)
	           : 0;
}

/* An argument that is not known may be another use. */
static int check_uses(const struct kr_flag_edit *e)
{
	const struct kr_inputs *in = &e->node->disk.inputs;

	if (!in->flags.unknown)
		return 0;
	return refuse(e, "flag-not-read",
	              in->unknown_arg > 0
	                      ? kr_node_span(e->node, in->unknown_arg)
	                      : KR_SPAN_NONE,
	              "the flag's entries are unknown: every argument must "
	              "be known");
}

/* Takes the gate NAME out of USE. */
static int cut_from_use(const struct kr_flag_edit *e,
                        const struct kr_flag_use *use, const char *name,
                        bool *vendor)
{
	_cleanup_entries_ struct entries entries = {0};
	bool any = false;
	int r = check_use(e, use);

	if (r < 0)
		return r;
	r = read_entries(use, name, &entries, &any);
	if (r < 0 || !any)
		return r;
	if (!kr_vendor_owns_use(e->node, use))
		return cut_entries(e, &entries);
	*vendor = true;
	return 0;
}

/* --- cut ------------------------------------------------------------------ */

/* Where a cut ends that takes the first words of V's value; 0: there is none.
 */
static size_t cut_head(const struct kr_edits *edits,
                       const struct kr_unit_variable *v)
{
	KR_EACH(const struct kr_file_edits, f, edits->files, edits->n_files) {
		for (size_t k = 0; f->file == v->file && k < f->n_edits; k++) {
			const struct kr_edit *c = &f->edits[k];

			if (!*c->text && c->length > 0 &&
			    c->offset == v->value_start)
				return c->offset + c->length;
		}
	}
	return 0;
}

/* Each of several words goes with the blank before it: where all words before
 * one that stays went, so does the blank before that. */
static int cut_blanks(const struct kr_flag_edit *e)
{
	const struct kr_unit *unit = e->node->disk.unit;

	for (size_t i = 0; unit && i < unit->n_variables; i++) {
		const struct kr_unit_variable *v = &unit->variables[i];
		size_t head = v->file ? cut_head(e->edits, v) : 0;
		size_t end = head;
		int r;

		if (head == 0)
			continue;
		while (end < kr_span_end(kr_variable_value_span(v)) &&
		       strchr(" \t", v->file->data[end]))
			end++;
		if (end == head ||
		    end == kr_span_end(kr_variable_value_span(v)))
			continue;
		r = kr_edits_cut(e->edits,
		                 (struct kr_span){v->file, head, end - head});
		if (r < 0 && r != KR_COLLIDES)
			return r;
	}
	return 0;
}

int kr_flag_edit_cut(const struct kr_flag_edit *e, int field, bool *ret_vendor)
{
	const struct kr_flags *flags = &e->node->disk.inputs.flags;
	const struct kr_flag_use *use;
	size_t at = 0;
	int r = is_gate(field) ? check_uses(e) : 0;

	*ret_vendor = false;
	if (r < 0)
		return r;
	while ((use = kr_flags_next(flags, field, &at))) {
		if (is_gate(field))
			r = cut_from_use(e, use, gate_name(field), ret_vendor);
		else if (kr_vendor_owns_use(e->node, use))
			*ret_vendor = true;
		else
			r = cut_use(e, use);
		if (r < 0)
			return r;
	}
	return cut_blanks(e);
}

/* --- append --------------------------------------------------------------- */

/* The variable for kubelet's arguments: the one the CIS text names, where the
 * command expands it, else the last one whose file may be edited. */
static const struct kr_unit_variable *arguments_variable(struct kr_node *node)
{
	const struct kr_unit_command *c = kr_node_command(node);
	const struct kr_unit_variable *best = NULL;

	for (size_t i = 0; i < c->expands.n_items; i++) {
		const struct kr_unit_variable *v =
			kr_unit_variable(node->disk.unit, c->expands.items[i]);

		if (!v || !v->file || kr_source_refusal(v->file))
			continue;
		best = v;
		if (strcmp(c->expands.items[i], "KUBELET_ARGS") == 0)
			break;
	}
	return best;
}

/* What kr_value_format() gives is one record of CSV. */
static bool is_plain_list(const struct kr_strings *list)
{
	return !KR_ANY(it, list->items, list->n_items,
	               !**it || strpbrk(*it, ",\"\n\r"));
}

int kr_flag_edit_append(const struct kr_flag_edit *e, int field,
                        const struct kr_value *value)
{
	const struct kr_unit_command *c = kr_node_command(e->node);
	const struct kr_unit_variable *v = arguments_variable(e->node);
	_cleanup_free_ char *text = NULL, *word = NULL;
	int r;

	if (value->type == KR_TYPE_LIST && !is_plain_list(&value->list))
		return refuse(e, "append-unsafe", c->span,
		              "entries of a list must have no commas, quotes "
		              "and line ends");
	r = kr_value_format(value, &text);
	if (r < 0)
		return r;
	r = kr_format(&word, "--%s=%s%s%s", kr_field(field)->flag,
	              is_gate(field) ? gate_name(field) : "",
	              is_gate(field) ? "=" : "", text);
	if (r < 0)
		return r;
	if (v)
		return kr_unit_append_word(v, word, e->edits, e->diag);
	if (kr_source_refusal(c->span.file))
		return kr_vendor_refuse(e->rule, e->diag, c->span,
		                        "no variable of the command can take "
		                        "the flag, and the command stands in");
	return kr_unit_append_argument(c, word, e->edits, e->diag);
}
