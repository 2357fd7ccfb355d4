/* SPDX-License-Identifier: Apache-2.0 */

/* What the readers of all platforms put together: words, and doubts. */

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "node/foreign-read.h"

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
