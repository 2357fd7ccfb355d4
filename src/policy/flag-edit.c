/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Edits of kubelet's arguments.
 *
 * A flag of one value is cut whole, all words of every use, and set by one use
 * at the end: the last one wins. --feature-gates and --tls-cipher-suites hold
 * what others wrote as well, so they are edited inside their values:
 *
 *	A=true,B=false,C=true	B goes with the comma before it; the first
 *				entry with the one behind it; the last one
 *				that is left with its flag
 *	B=false			B is set: "false" alone is replaced
 *
 * pflag splits the map at every comma and trims blanks around names and values
 * (component-base cli/flag map_string_bool.go); entries of all uses merge, the
 * last one of a name decides. The list is one record of CSV (kubelet/value);
 * its uses append.
 *
 * An entry is edited where all its bytes, and the comma's, stand one behind the
 * other in one file: what comes from several places, or has quotes or a line
 * end inside, is refused. How a new argument is quoted is unit/append's.
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "policy/flag-edit.h"
#include "policy/sources.h"
#include "policy/vendor.h"

static int refuse(const struct kr_flag_edit *e, const char *code,
                  struct kr_span span, const char *text)
{
	kr_diag_add(e->diag, KR_ERROR, code, span, "%s", text);
	return -EOPNOTSUPP;
}

/* The flag stays in the file of a vendor's. */
static int refuse_vendor(const struct kr_flag_edit *e,
                         const struct kr_flag_use *use)
{
	for (size_t k = 0; k < use->n_args; k++) {
		struct kr_span span = kr_node_span(e->node, use->arg + k);

		if (span.file && kr_source_refusal(span.file))
			return kr_vendor_refuse(e->rule, e->diag, span,
			                        "the flag stands in");
	}
	return refuse(e, "flag-not-in-a-file", KR_SPAN_NONE,
	              "the flag is set where no file of the unit has it: it "
	              "must be taken away there");
}

/* --- whole words ---------------------------------------------------------- */

static int cut_span(const struct kr_flag_edit *e, struct kr_span cut,
                    struct kr_span place)
{
	int r = kr_edits_cut(e->edits, cut);

	return r == -EEXIST ? refuse(e, "edits-collide", place,
	                             "two edits would touch the same bytes")
	                    : r;
}

/* The word of the unit that is ARG and stands in a file. */
static int find_word(const struct kr_flag_edit *e, size_t arg,
                     const struct kr_unit_word **ret)
{
	const struct kr_unit_word *word = kr_node_word(e->node, arg);

	if (word && word->manager && !word->span.file)
		return refuse(e, "flag-not-in-a-file", KR_SPAN_NONE,
		              "the flag is set in systemd's own environment, "
		              "which 'systemctl show-environment' shows: it "
		              "must be taken away there (DefaultEnvironment= "
		              "of system.conf, 'systemctl unset-environment')");
	if (!word || !word->span.file)
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
		if (!word->cut.file)
			return refuse(e, "word-not-cut", word->span,
			              "the flag cannot be cut safely here: it "
			              "must stand as one word in one place");
		r = cut_span(e, word->cut, word->span);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- entries of a value --------------------------------------------------- */

/* An entry of a use's text: [START, END) without its commas. */
struct entry {
	size_t start, end;
	size_t value; /* of a gate: behind "=" and blanks; up to VALUE_END */
	size_t value_end;
	bool hit;  /* it is the one that is asked for */
	bool gone; /* it is to be cut */
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

/* The end of the entry at S: its comma, or the end of the text. */
static const char *entry_end(const char *s, bool csv)
{
	if (!csv || *s != '"')
		return s + strcspn(s, ",");
	for (s++; *s; s++) {
		if (*s == '"' && s[1] == '"')
			s++;
		else if (*s == '"')
			break;
	}
	return s + strcspn(s, ",");
}

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

static void read_gate(const char *text, const char *name, struct entry *entry)
{
	const char *equals =
		memchr(text + entry->start, '=', entry->end - entry->start);
	size_t start = entry->start, end;

	if (!equals)
		return;
	end = equals - text;
	entry->value = end + 1;
	entry->value_end = entry->end;
	trim(text, &entry->value, &entry->value_end);
	trim(text, &start, &end);
	entry->hit = strlen(name) == end - start &&
	             memcmp(text + start, name, end - start) == 0;
}

static int read_item(const char *text, const char *item, struct entry *entry)
{
	_cleanup_value_ struct kr_value value = {0};
	int r = kr_value_parse(KR_TYPE_LIST, text + entry->start,
	                       entry->end - entry->start, &value);

	if (r < 0)
		return r;
	entry->hit = value.list.n_items == 1 &&
	             strcmp(value.list.items[0], item) == 0;
	return 0;
}

/* The entries of USE; those called NAME are hits. */
static int read_entries(const struct kr_flag_use *use, bool gates,
                        const char *name, struct entries *ret)
{
	const char *text = use->text, *s = text;

	ret->use = use;
	while (*text) {
		struct entry *next = KR_VEC_NEXT(ret->items, ret->n);
		int r = 0;

		if (!next)
			return -ENOMEM;
		ret->n++;
		next->start = s - text;
		s = entry_end(s, !gates);
		next->end = s - text;
		if (gates)
			read_gate(text, name, next);
		else
			r = read_item(text, name, next);
		if (r < 0 || !*s++)
			return r;
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

static bool says(const struct entries *entries, const struct entry *entry,
                 const struct kr_value *value)
{
	struct kr_value b;

	return kr_value_parse(KR_TYPE_BOOL, entries->use->text + entry->value,
	                      entry->value_end - entry->value, &b) == 0 &&
	       b.b == value->b;
}

/* The bytes of a file that [START, END) of WORD are, none between them. */
static struct kr_span solid_span(const struct kr_unit_word *word, size_t start,
                                 size_t end)
{
	for (size_t i = start + 1; i < end; i++) {
		struct kr_origin a = kr_text_origin(&word->text, i - 1);
		struct kr_origin b = kr_text_origin(&word->text, i);

		if (a.file != b.file || b.offset != a.offset + a.length)
			return KR_SPAN_NONE;
	}
	return end > start ? kr_text_span(&word->text, start, end - start)
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
	                 : refuse(e, "entry-not-cut", word->span,
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

/* Whether the entries of USE can be told; where kubelet stops at one of them,
 * cutting the whole would take away those of others. Behind a line end a list
 * has bytes that kubelet does not read. */
static int check_use(const struct kr_flag_edit *e,
                     const struct kr_flag_use *use)
{
	const struct kr_unit_word *word = kr_node_word(e->node, use->value_arg);
	const char *why = NULL;

	if (!use->text)
		why = "the flag's other entries cannot be told: its value must "
		      "be one that kubelet takes";
	else if (word && word->unknown)
		why = "the flag's entries cannot be told: its value must stand "
		      "in the node's files";
	else if (strpbrk(use->text, "\n\r"))
		why = "the flag's entries cannot be told: its value must have "
		      "no line end";
	return why ? refuse(e, "flag-not-read", kr_node_span(e->node, use->arg),
	                    why)
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
	              "the flag's entries cannot be told: every argument must "
	              "be known");
}

/* Takes the entries NAME out of USE, but those that say KEEP. */
static int cut_from_use(const struct kr_flag_edit *e,
                        const struct kr_flag_use *use, int field,
                        const char *name, const struct kr_value *keep,
                        const struct kr_flag_use **vendor)
{
	_cleanup_entries_ struct entries entries = {0};
	bool any = false;
	int r = check_use(e, use);

	if (r < 0)
		return r;
	r = read_entries(use, is_gate(field), name, &entries);
	if (r < 0)
		return r;
	for (size_t i = 0; i < entries.n; i++) {
		struct entry *entry = &entries.items[i];

		entry->gone =
			entry->hit && !(keep && says(&entries, entry, keep));
		any = any || entry->gone;
	}
	if (!any)
		return 0;
	if (kr_vendor_owns_use(e->node, use)) {
		*vendor = use;
		return 0;
	}
	return cut_entries(e, &entries);
}

/* --- cut ------------------------------------------------------------------ */

static int use_is(const struct kr_flag_use *use, int field,
                  const struct kr_value *value)
{
	_cleanup_value_ struct kr_value found = {0};
	int r = kr_flag_use_value(use, field, &found);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : kr_value_equal(&found, value);
}

static int cut_whole(const struct kr_flag_edit *e,
                     const struct kr_flag_use *use, int field,
                     const struct kr_value *keep,
                     const struct kr_flag_use **vendor)
{
	int r = keep ? use_is(use, field, keep) : 0;

	if (r != 0)
		return r < 0 ? r : 0;
	if (kr_vendor_owns_use(e->node, use)) {
		*vendor = use;
		return 0;
	}
	return cut_use(e, use);
}

/* VENDOR: the last use that was to be cut and stays; NULL. */
static int cut_uses(const struct kr_flag_edit *e, int field,
                    const struct kr_value *keep,
                    const struct kr_flag_use **vendor)
{
	const struct kr_flags *flags = &e->node->disk.inputs.flags;
	const struct kr_flag_use *use;
	size_t at = 0;
	int r = is_gate(field) ? check_uses(e) : 0;

	*vendor = NULL;
	if (r < 0)
		return r;
	while ((use = kr_flags_next(flags, field, &at))) {
		r = is_gate(field)
		            ? cut_from_use(e, use, field, gate_name(field),
		                           keep, vendor)
		            : cut_whole(e, use, field, keep, vendor);
		if (r < 0)
			return r;
	}
	return 0;
}

int kr_flag_edit_cut(const struct kr_flag_edit *e, int field,
                     const struct kr_value *keep, bool *ret_vendor)
{
	const struct kr_flag_use *vendor;
	int r = cut_uses(e, field, keep, &vendor);

	if (r < 0)
		return r;
	if (ret_vendor)
		*ret_vendor = vendor != NULL;
	return 0;
}

int kr_flag_edit_drop(const struct kr_flag_edit *e, int field, const char *item)
{
	const struct kr_flags *flags = &e->node->disk.inputs.flags;
	const struct kr_flag_use *use, *vendor = NULL;
	size_t at = 0;
	int r = check_uses(e);

	assert(kr_field(field)->type == KR_TYPE_LIST);
	if (r < 0)
		return r;
	while ((use = kr_flags_next(flags, field, &at))) {
		r = cut_from_use(e, use, field, item, NULL, &vendor);
		if (r < 0)
			return r;
		if (vendor)
			return refuse_vendor(e, vendor);
	}
	return 0;
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

		if (!v || !v->value_span.file ||
		    kr_source_refusal(v->value_span.file))
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
	for (size_t i = 0; i < list->n_items; i++) {
		if (!*list->items[i] || strpbrk(list->items[i], ",\"\n\r"))
			return false;
	}
	return true;
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

/* --- set ------------------------------------------------------------------ */

static int add_text(const struct kr_flag_edit *e, struct kr_span span,
                    const char *text)
{
	int r = kr_edits_add(e->edits, span, text);

	return r == -EEXIST ? refuse(e, "edits-collide", span,
	                             "two edits would touch the same bytes")
	                    : r;
}

/* Puts "GATE=VALUE" behind the last entry of USE. */
static int add_entry(const struct kr_flag_edit *e,
                     const struct kr_flag_use *use, int field,
                     const struct kr_value *value)
{
	size_t length = strlen(use->text);
	_cleanup_free_ char *text = NULL;
	const struct kr_unit_word *word;
	struct kr_span span;
	int r = find_word(e, use->value_arg, &word);

	if (r < 0)
		return r;
	length += use->value;
	span = length > 0 ? solid_span(word, length - 1, length) : KR_SPAN_NONE;
	if (!span.file)
		return refuse(e, "entry-not-cut", word->span,
		              "an entry cannot be added safely here: the "
		              "flag's value must stand in a file");
	span = (struct kr_span){span.file, kr_span_end(span), 0};
	r = kr_format(&text, "%s%s=%s", *use->text ? "," : "", gate_name(field),
	              value->b ? "true" : "false");
	return r < 0 ? r : add_text(e, span, text);
}

/* Changes the entry of USE that decides. */
static int change_entry(const struct kr_flag_edit *e,
                        const struct entries *entries,
                        const struct entry *entry, const struct kr_value *value)
{
	struct kr_span span;
	int r = part_span(e, entries->use, entry->value, entry->value_end,
	                  &span);

	return r < 0 ? r : add_text(e, span, value->b ? "true" : "false");
}

static int set_gate(const struct kr_flag_edit *e, int field,
                    const struct kr_value *value)
{
	const struct kr_flags *flags = &e->node->disk.inputs.flags;
	const struct kr_flag_use *use, *last = NULL;
	_cleanup_entries_ struct entries deciding = {0};
	const struct entry *entry = NULL;
	size_t at = 0;
	int r = check_uses(e);

	if (r < 0)
		return r;
	while ((use = kr_flags_next(flags, field, &at))) {
		struct entries entries = {0};

		r = check_use(e, use);

		if (r < 0)
			return r;
		last = use;
		r = read_entries(use, true, gate_name(field), &entries);
		for (size_t i = entries.n; r == 0 && i-- > 0;) {
			if (!entries.items[i].hit)
				continue;
			entries_done(&deciding);
			deciding = entries;
			entry = &deciding.items[i];
			entries.items = NULL;
			break;
		}
		entries_done(&entries);
		if (r < 0)
			return r;
	}
	if (entry && says(&deciding, entry, value))
		return 0;
	use = entry ? deciding.use : last;
	/* entries of all uses merge: one behind a vendor's decides */
	if (!use || kr_vendor_owns_use(e->node, use))
		return kr_flag_edit_append(e, field, value);
	if (entry)
		return change_entry(e, &deciding, entry, value);
	return add_entry(e, last, field, value);
}

int kr_flag_edit_set(const struct kr_flag_edit *e, int field,
                     const struct kr_value *value)
{
	const struct kr_flags *flags = &e->node->disk.inputs.flags;
	const struct kr_flag_use *last = kr_flags_last(flags, field), *vendor;
	int r;

	assert(value->type == kr_field(field)->type);
	if (is_gate(field))
		return set_gate(e, field, value);
	r = last ? use_is(last, field, value) : 0;
	if (r < 0)
		return r;
	if (r > 0 && kr_flags_count(flags, field) == 1)
		return 0;
	r = cut_uses(e, field, NULL, &vendor);
	if (r < 0)
		return r;
	if (vendor && value->type == KR_TYPE_LIST)
		return refuse_vendor(e, vendor);
	return kr_flag_edit_append(e, field, value);
}
