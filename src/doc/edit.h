/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The edit of a document by path, in the document's own hand, and its proof.
 */

#include "base/diag.h"
#include "base/edit.h"
#include "doc/written.h"

enum kr_doc_outcome {
	KR_DOC_DONE,    /* also: there is nothing to do */
	KR_DOC_REFUSED, /* no safe edit, or no proof: DIAG has the error */
};

/*
 * Adds to EDITS what makes FILE say VALUE at PATH (NULL: makes the member go),
 * with the fewest bytes: every member that says otherwise is changed in place;
 * where there is none it is put behind the last member of the mapping it
 * belongs to, with the mappings on the way that are missing, or that are null.
 * Nothing where the file says so already. DIAG is nullable, as the
 * caller knows whether FILE is YAML or JSON. An outcome; -ENOMEM; KR_COLLIDES:
 * EDITS change these bytes already.
 */
int kr_doc_edit(const struct kr_file *file, bool yaml,
                const struct kr_doc_path *path,
                const struct kr_doc_value *value, struct kr_diag *diag,
                struct kr_edits *edits);

/*
 * Whether AFTER is BEFORE but for the member at PATH, and says VALUE there
 * (NULL: has no such member). The bytes outside of its value, or of the member
 * and the mappings made for it, are the same; a second reader (cJSON, libyaml)
 * finds VALUE, and everything else as before. An outcome; -ENOMEM.
 */
int kr_doc_prove(const struct kr_file *before, const struct kr_file *after,
                 bool yaml, const struct kr_doc_path *path,
                 const struct kr_doc_value *value, struct kr_diag *diag);
