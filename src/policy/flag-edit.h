/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Edits of kubelet's arguments, by field: a flag is cut or appended. Nothing is
 * proved here (policy/proof).
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
 * All functions: 0; KR_REFUSED: no edit is safe, DIAG has the place and what
 * must be true, and EDITS are not to be used; -ENOMEM.
 */

/*
 * Cuts every use of FIELD's flag, those that kubelet refuses, too. Of a gate
 * only its entries go; a use goes with its last entry. A use in a vendor's file
 * stays, which RET_VENDOR tells.
 */
int kr_flag_edit_cut(const struct kr_flag_edit *e, int field, bool *ret_vendor);

/*
 * Adds "--flag=VALUE" at the end of the variable for kubelet's arguments
 * (KUBELET_ARGS where the command expands it, else the last one whose file may
 * be edited), else at the end of the command. Of a gate: "--flag=Gate=VALUE".
 */
int kr_flag_edit_append(const struct kr_flag_edit *e, int field,
                        const struct kr_value *value);
