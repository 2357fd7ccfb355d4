/* SPDX-License-Identifier: Apache-2.0 */

/* What the readers of all platforms put together: words, and doubts. */

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "kubelet/field.h"
#include "node/foreign-read.h"

bool kr_foreign_names_file(const char *name)
{
	return strcmp(name, "config") == 0 || strcmp(name, "config-dir") == 0;
}

bool kr_foreign_counts(const char *name)
{
	int field = kr_field_of_flag(name);

	return kr_foreign_names_file(name) ||
	       (field >= 0 && field < KR_N_SETTINGS);
}

int kr_foreign_add(struct kr_foreign_reading *rd, struct kr_span span,
                   const char *text, size_t length)
{
	struct kr_foreign *f = rd->foreign;
	struct kr_foreign_word *word = KR_VEC_NEXT(f->words, f->n_words);

	if (!word)
		return -ENOMEM;
	word->text = strndup(text, length);
	if (!word->text)
		return -ENOMEM;
	word->span = span;
	f->n_words++;
	return 0;
}

int kr_foreign_doubt(struct kr_foreign_reading *rd, const char *format, ...)
{
	va_list args;
	int r;

	if (rd->doubt)
		return 0;
	va_start(args, format);
	r = kr_vformat(&rd->doubt, format, args);
	va_end(args);
	return r;
}
