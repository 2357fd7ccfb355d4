/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The proof that an edit changed one field and nothing else: of the bytes and
 * by a second reader (doc/edit), and by what kubelet makes of both states of
 * the file, of this field and of every other one.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kubelet/config-doc.h"

struct proof {
	int field;
	const struct kr_value *value;
	const struct kr_file *after;
	struct kr_config old, new;
	struct kr_diag *diag;
};

static int differ(const struct proof *p, size_t offset, const char *text)
{
	struct kr_span span = {p->after, offset, 0};

	kr_diag_add(p->diag, KR_ERROR, "config-proof", span, "%s", text);
	return -EBADMSG;
}

/* Whether FIELD is the map that OURS is a key of. */
static bool is_map_of(int field, int ours)
{
	const char *path = kr_field(field)->path;
	size_t length = path ? strlen(path) : 0;

	return path && strncmp(path, kr_field(ours)->path, length) == 0 &&
	       kr_field(ours)->path[length] == '.';
}

/* Where our field was at fault, nothing was told of others. */
static bool is_same(const struct proof *p, int field)
{
	const struct kr_config_use *x, *y;
	enum kr_state old = kr_config_state(&p->old, field, &x);
	enum kr_state new = kr_config_state(&p->new, field, &y);

	if (field == p->field || is_map_of(field, p->field) ||
	    kr_config_stops(&p->old, field))
		return true;
	/* a map that was null says as little as one without the key */
	if ((old == KR_STATE_NULL || old == KR_STATE_ABSENT) &&
	    (new == KR_STATE_NULL || new == KR_STATE_ABSENT))
		return true;
	return old == new && (!x || !y || !kr_state_is_value(old) ||
	                      kr_value_equal(&x->v, &y->v));
}

static int prove_fields(const struct proof *p)
{
	const struct kr_config_use *use;
	size_t at = 0;

	/* another field, which was at fault before, still is: nothing is told
	 * of any; who puts several right has the last of them proved */
	if (kr_config_stops(&p->old, -1) && p->new.invalid_field >= 0 &&
	    p->new.invalid_field != p->field && !p->new.refused &&
	    !p->new.doubtful)
		return 0;
	kr_config_state(&p->new, p->field, &use);
	if (!use || !kr_state_is_value(use->state) ||
	    !kr_value_equal(&use->v, p->value) ||
	    kr_config_stops(&p->new, p->field))
		return differ(p, 0, "the key would have to be decided here");
	while ((use = kr_config_next(&p->new, p->field, &at))) {
		if (!kr_config_use_is(use, p->value))
			return differ(p, use->value.offset,
			              "this value would have to be changed "
			              "too");
	}
	for (int i = 0; i < KR_N_FIELDS; i++) {
		if (!is_same(p, i))
			return differ(p, 0,
			              "every other field would have to be as "
			              "before");
	}
	return 0;
}

static int prove(const struct proof *p, const struct kr_file *before)
{
	_cleanup_doc_path_ struct kr_doc_path path = {0};
	_cleanup_free_ char *text = NULL;
	struct kr_doc_value written;
	int r;

	if (p->old.format != p->new.format)
		return differ(p, 0,
		              "the file would have to stay JSON or YAML "
		              "as it was");
	r = prove_fields(p);
	if (r < 0)
		return r;
	r = kr_config_path(&p->new, p->field, &path);
	if (r < 0)
		return r;
	r = kr_config_doc_value(p->value, &text, &written);
	if (r < 0)
		return r;
	r = kr_doc_prove(before, p->after, p->new.format == KR_CONFIG_YAML,
	                 &path, &written, p->diag);
	return r == KR_DOC_REFUSED ? -EBADMSG : r;
}

int kr_config_prove(int field, const struct kr_file *before,
                    const struct kr_file *after,
                    const struct kr_config_options *options,
                    const struct kr_value *value, struct kr_diag *diag)
{
	_cleanup_config_ struct kr_config old = {0}, new = {0};
	struct proof p = {
		.field = field,
		.value = value,
		.after = after,
		.diag = diag,
	};
	int r;

	r = kr_config_parse(before, options, NULL, &old);
	if (r < 0)
		return r;
	r = kr_config_parse(after, options, diag, &new);
	if (r < 0)
		return r;
	p.old = old;
	p.new = new;
	return prove(&p, before);
}
