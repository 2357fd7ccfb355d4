/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Edits of kubelet's arguments, by field: a flag is cut, set, or changed inside
 * its value. Nothing is proved here (policy/proof).
 */

#include <stdbool.h>

#include "base/diag.h"
#include "base/edit.h"
#include "node/node.h"
#include "policy/rules.h"

/* What all edits are made with; all is borrowed. NODE's disk has inputs. */
struct kr_flag_edit {
	struct kr_node *node;
	const struct kr_rule
		*rule;          /* in whose words a vendor's file is refused */
	struct kr_edits *edits; /* they are added to these */
	struct kr_diag *diag;   /* why an edit is refused */
};

/*
 * All functions: 0; -EOPNOTSUPP: no edit is safe, DIAG has the place and what
 * would have to be true, and EDITS are not to be used; -ENOMEM.
 */

/*
 * Cuts every use of FIELD's flag but those with the value KEEP (NULL: all of
 * them), the ones that kubelet refuses too. Of a gate only its entries go; a
 * use goes with its last entry. A use in a vendor's file stays and
 * RET_VENDOR (may be NULL) is set.
 */
int kr_flag_edit_cut(const struct kr_flag_edit *e, int field,
                     const struct kr_value *keep, bool *ret_vendor);

/*
 * Adds "--flag=VALUE" at the end of the variable for kubelet's arguments
 * (KUBELET_ARGS where the command expands it, else the last one whose file may
 * be edited), else at the end of the command. Of a gate: "--flag=Gate=VALUE".
 */
int kr_flag_edit_append(const struct kr_flag_edit *e, int field,
                        const struct kr_value *value);

/*
 * VALUE is what the flag says afterwards, once: cut and append. No edit where
 * the only use says it already. Uses in a vendor's file stay before it: the
 * last one wins, but the uses of a list append (those are refused).
 *
 * Of a gate: the entry that decides is changed where it stands; a gate without
 * an entry is added to the last use, else appended. Other entries stay. No edit
 * where the entry that decides says VALUE.
 */
int kr_flag_edit_set(const struct kr_flag_edit *e, int field,
                     const struct kr_value *value);

/*
 * Takes every entry ITEM out of the uses of the list FIELD; a use goes with its
 * last entry. Where no use is left, the config file decides. Entries in a
 * vendor's file are refused.
 */
int kr_flag_edit_drop(const struct kr_flag_edit *e, int field,
                      const char *item);
