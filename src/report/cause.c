/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The reason of a verdict is made of the first fault's words, and so is its
 * message, which has the place. JSON has both. For people the words stand in
 * the first line, the place and the bytes below it, and the message is left
 * out. The other faults are messages.
 *
 * "kubelet cannot read it: WHY" at FILE is "kubelet cannot read FILE: WHY"
 * where no place stands before it.
 */

#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "report/cause.h"

static bool holds(const char *text, const char *words, bool at_end)
{
	const char *at = *words ? strstr(text, words) : NULL;

	if (!at || !at_end)
		return at;
	return strcmp(text + strlen(text) - strlen(words), words) == 0;
}

/* Whether TEXT says what M says, in its last words if AT_END. */
static bool tells(const char *text, const struct kr_message *m, bool at_end)
{
	static const char it[] = " it: ";
	const char *at = m->file ? strstr(m->text, it) : NULL;
	_cleanup_free_ char *named = NULL;

	if (m->severity != KR_ERROR || m->n_more > 0)
		return false;
	if (holds(text, m->text, at_end))
		return true;
	return at &&
	       kr_format(&named, "%.*s %s: %s", (int)(at - m->text), m->text,
	                 m->file, at + strlen(it)) == 0 &&
	       holds(text, named, at_end);
}

const struct kr_message *kr_cause_find(const struct kr_diag *diag,
                                       const char *reason)
{
	for (size_t i = 0; reason && i < diag->n_messages; i++) {
		if (tells(reason, &diag->messages[i], true))
			return &diag->messages[i];
	}
	return NULL;
}

bool kr_cause_repeats(const struct kr_diag *diag, const struct kr_message *m)
{
	return KR_ANY(o, diag->messages, diag->n_messages,
	              o != m && o->file && strcmp(o->text, m->text) != 0 &&
	                      tells(m->text, o, false));
}

bool kr_cause_is_detail(const struct kr_message *m)
{
	return m->later ||
	       (m->severity == KR_NOTE && strcmp(m->code, "flag-version") == 0);
}

void kr_cause_count_later(const struct kr_term *term,
                          const struct kr_diag *diag)
{
	size_t n = 0;

	KR_EACH(const struct kr_message, m, diag->messages, diag->n_messages)
		n += m->later;
	if (n == 0)
		return;
	kr_term_color(term, KR_COLOR_DIM, "note: ");
	fprintf(term->out,
	        "%zu file%s that kubelet needs to start %s not there yet "
	        "(-v: which)\n",
	        n, n == 1 ? "" : "s", n == 1 ? "is" : "are");
}
