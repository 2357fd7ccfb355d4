/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A constraint: a condition on what kubelet has, with the minors in which it
 * refuses. For kubelet/validate*.c alone.
 *
 * A judge looks at one minor at a time, the oldest first; what it is asked for
 * is what kubelet of that minor has. It asks for the minor by
 * kr_validation_minor(), which notes that a later one may have another answer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/vec.h"
#include "kubelet/decide.h"
#include "kubelet/field.h"

/* kubelet's merges of drop-ins. */
enum kr_merges_of {
	KR_MERGES_NEW, /* 1.32 and later; and the only one where none differs */
	KR_MERGES_OLD, /* 1.29 to 1.31 */
	KR_MERGES_OLDEST, /* 1.28 */
	KR_N_MERGES,
};

enum kr_whence {
	KR_WHENCE_DEFAULT,
	KR_WHENCE_FILE,
	KR_WHENCE_FLAG,
	KR_WHENCE_UNKNOWN, /* what kubelet has is unknown */
};

/* What kubelet has for a field. */
struct kr_held {
	enum kr_whence whence;
	const struct kr_value *value; /* NULL: nothing, a default of nothing */
	const struct kr_config_use *use; /* NULL: in no file */
	const struct kr_flag_use *flag;
	int file;             /* of the inputs; -1: none */
	unsigned first_minor; /* before it there is nothing; 0: there always is
	                       */
};

struct kr_constraint;

struct kr_validation {
	const struct kr_inputs *in;
	unsigned minor;
	bool *by_minor; /* the rule has looked at what goes by the minor */
	const struct kr_constraint *rule; /* that is asked */
	const struct kr_merged *merges[KR_N_MERGES];
	struct kr_held (*held)[KR_N_FIELDS]; /* of each merge that there is */
	struct kr_value flags[KR_N_FIELDS], defaults[KR_N_FIELDS];
	const struct kr_flag_use *flag_uses[KR_N_FIELDS];
	bool dynamic; /* a ConfigMap may say more than the files */
	bool default_known[KR_N_FIELDS];
	/* the item, and in a map its value, that a rule refuses; NULL: the
	 * field's value as a whole */
	const char *item, *item_value;
	/* of how many items that it refuses a rule does not speak, and how many
	 * it came to; 0: it refuses the value as a whole */
	size_t n_skipped, n_refused;
	/* where the item is: the pair of PATH, its value or its name; or, where
	 * PATH is NULL, the ELEMENT of a list */
	const char *path;
	bool is_value;
	size_t element;
	bool main_file;     /* it is what the --config file alone says */
	const char *needer; /* the gate that needs ITEM */
	/* in place of the rule's, with the item; empty: they fit */
	char words[240];
	/* the flag that has it, where the field has no flag; NULL */
	const struct kr_flag_use *blamed;
	/* the pairs of all --feature-gates, and the last one */
	struct kr_value flag_gates;
	const struct kr_flag_use *flag_gates_use;
};

struct kr_constraint {
	short fields[3]; /* the first is judged; 0 behind it: no more */
	unsigned char from, to;
	bool warns; /* never more than a warning */
	/* a kubelet newer than all whose rules are known may take more; so it
	 * is, too, where there are NAMES or a GATE */
	bool grows;
	/* the gate that must be so; where it must be off, that stands behind
	 * the words; NULL: none */
	const char *gate;
	bool gate_on;
	const char *manager; /* the gate that must be on, too; NULL: none */
	/* whether kubelet 1.MINOR refuses */
	bool (*refuses)(struct kr_validation *j);
	int64_t min, max;
	const char *const *names; /* of an enumeration, with a NULL behind */
	/* each member of this name of a list's elements must be so */
	const char *member;
	bool (*valid)(const char *value);
	/* what must be, behind the field's name; NULL: MIN to MAX */
	const char *words;
	const char *code; /* of its error, where advice of its own fits; NULL */
};

/* --- what kubelet has ---------------------------------------------------- */

/* Reads all of J's inputs, IN, for all minors. 0 or -ENOMEM; J is done with by
 * kr_validation_done() in any case. */
int kr_validation_prepare(struct kr_validation *j);
void kr_validation_done(struct kr_validation *j);

unsigned kr_validation_minor(const struct kr_validation *j);
enum kr_merges_of kr_validation_merge_of(const struct kr_validation *j);
struct kr_held kr_validation_hold(const struct kr_validation *j, int field);
bool kr_validation_is_unknown(const struct kr_validation *j, int field);

/* A file or a flag sets it. */
bool kr_validation_is_set(const struct kr_validation *j, int field);

/* A number or a duration; false: nothing is there, or it is unknown. */
bool kr_validation_number(const struct kr_validation *j, int field,
                          int64_t *ret);

/* NULL: nothing is there, or it is unknown. */
const char *kr_validation_text(const struct kr_validation *j, int field);

/* A text that is known to be WANT, or to be not empty. */
bool kr_validation_is_text(const struct kr_validation *j, int field,
                           const char *want);
bool kr_validation_is_not_empty(const struct kr_validation *j, int field);

/* A boolean that is known to be WANT. */
bool kr_validation_is_bool(const struct kr_validation *j, int field, bool want);

/* A list, or the pairs of a map, never NULL: empty where it is unknown. */
const struct kr_strings *kr_validation_items(const struct kr_validation *j,
                                             int field);
bool kr_validation_has_item(const struct kr_validation *j, int field,
                            const char *item);

/* The text at PATH of a map; NULL. */
const char *kr_validation_entry(const struct kr_validation *j, int field,
                                const char *path);

/* The pair at I of PAIRS is not undone by a later one. */
bool kr_validation_counts(const struct kr_strings *pairs, size_t i);

/*
 * For a judge: what is at PATH (NULL: in a list), the item at I of LIST (or of
 * PAIRS: the pair, its name or its value alone) is refused. True: it is the one
 * to speak of, the judge returns true; false: it was spoken of, the judge looks
 * for the next.
 */
bool kr_validation_refuse_at(struct kr_validation *j, const char *path);
bool kr_validation_refuse(struct kr_validation *j,
                          const struct kr_strings *list, size_t i);
bool kr_validation_refuse_pair(struct kr_validation *j,
                               const struct kr_strings *pairs, size_t i);
bool kr_validation_refuse_name(struct kr_validation *j,
                               const struct kr_strings *pairs, size_t i);
bool kr_validation_refuse_value(struct kr_validation *j,
                                const struct kr_strings *pairs, size_t i);

/* An item of the rule's list, or a pair of its map that counts, that VALID does
 * not take. */
bool kr_validation_refuse_items(struct kr_validation *j,
                                bool (*valid)(struct kr_validation *j,
                                              const char *item));
bool kr_validation_refuse_pairs(struct kr_validation *j,
                                bool (*valid)(struct kr_validation *j,
                                              const char *name,
                                              const char *value));

enum kr_gate_is {
	KR_GATE_IS_OFF,
	KR_GATE_IS_ON,
	KR_GATE_IS_UNSURE,
	KR_GATE_IS_UNSET, /* not of kr_validation_gate() */
};

/* Whether the feature gate NAME is on. */
enum kr_gate_is kr_validation_gate(const struct kr_validation *j,
                                   const char *name);

/* --- where it stands ----------------------------------------------------- */

/*
 * The place of what J refuses in FIELD, which HELD by a file: of the item, or
 * of the value as a whole; without a file where there is none. 0 or -ENOMEM.
 */
int kr_validation_place(const struct kr_validation *j, int field,
                        const struct kr_held *held, struct kr_span *ret);

/*
 * The last of the flags of FIELD, read as TYPE, that has PATH, or, where PATH
 * is NULL, the element that J refuses. RET stays as it is where none has. 0 or
 * -ENOMEM.
 */
int kr_validation_flag_of(const struct kr_validation *j, int field,
                          enum kr_type type, const char *path,
                          const struct kr_flag_use **ret);

/* --- conditions of any field --------------------------------------------- */

bool kr_constraint_is_name(const char *s, const char *const *names);

/* A number or duration that is known, and not from MIN to MAX. */
bool kr_constraint_out_of_range(struct kr_validation *j);

/* A text that is known, and none of NAMES. */
bool kr_constraint_no_name(struct kr_validation *j);

/* It says anything at all: a number but 0, a text, an element. */
bool kr_constraint_says(struct kr_validation *j);

bool kr_constraint_is_true(struct kr_validation *j);

/* A text that is known, and one of NAMES. */
bool kr_constraint_is_named(struct kr_validation *j);

/* --- the tables ---------------------------------------------------------- */

/* An element without a function ends them. */
extern const struct kr_constraint kr_constraints_config[];
extern const struct kr_constraint kr_constraints_start[];
extern const struct kr_constraint kr_constraints_managers[];
extern const struct kr_constraint kr_constraints_gates[];

/* --- what was found ------------------------------------------------------ */

struct kr_finding {
	const struct kr_constraint *rule;
	uint64_t minors; /* that refuse */
	int field;       /* that is spoken of; -1: a wrong type */
	struct kr_held held;
	struct kr_span place;
	bool argument; /* it is one of the arguments, which may lack it */
	char *item;    /* of the field, that is spoken of; NULL: all of it */
	char *what;    /* "port must be ..." */
	uint64_t said; /* those of MINORS that were spoken of */
};

struct kr_findings {
	struct kr_inputs *in;
	struct kr_diag *diag;
	/* the minors that the rules are asked of, and those of them that may
	 * run: they have all the flags */
	uint64_t asked, may_run;
	struct kr_finding *items;
	size_t n;
	bool settled[200]; /* the rules that refuse no more */
};

/* What the rules refuse of J's minor, and what of a wrong type the files have,
 * among V's. 0 or -ENOMEM. */
int kr_findings_ask(struct kr_findings *v, struct kr_validation *j);
int kr_findings_add_types(struct kr_findings *v);
void kr_finding_done(struct kr_finding *f);

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)

#define F(name)    KR_FIELD_##name
#define ALL        20, 36
#define ON(g)      .gate = (g), .gate_on = true
#define OFF(g)     .gate = (g), .gate_on = false
#define GROWS      .grows = true
#define MANAGER(g) .manager = (g)
#define RANGE(a, b)                                                            \
	.refuses = kr_constraint_out_of_range, .min = (a), .max = (b)
#define NAMES(...)                                                             \
	.names = (const char *const[])                                         \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
#define ONE_OF(...)  .refuses = kr_constraint_no_name, NAMES(__VA_ARGS__)
#define NONE_OF(...) .refuses = kr_constraint_is_named, NAMES(__VA_ARGS__)
#define IF(f)        .refuses = (f)
#define WORDS(w)     .words = (w)
#define WOULD(w)     WORDS("must " w)
