/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What was read of a command line (flags-parse), as it is asked for.
 *
 * The last use of a flag wins among those that kubelet takes. Feature gates are
 * several fields in one flag: a use of it is a use of each of them. A refused
 * command line has no values, whatever flag it is refused for; where an unknown
 * flag may have taken a word, the fields that depend on it have none either.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "kubelet/flag-table.h"
#include "kubelet/flags.h"
#include "kubelet/minors.h"

/* --- remarks ------------------------------------------------------------- */

/* The last of KR_DIAG_KEPT remarks with this CODE; NULL: there is room. */
static struct kr_flags_remark *last_kept(const struct kr_flags *flags,
                                         const char *code)
{
	struct kr_flags_remark *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < flags->n_remarks; i++) {
		if (strcmp(flags->remarks[i].code, code) != 0)
			continue;
		last = &flags->remarks[i];
		n++;
	}
	return n >= KR_DIAG_KEPT ? last : NULL;
}

_printf_(5, 0) static int add_remark_v(struct kr_flags *flags, size_t arg,
                                       enum kr_severity severity,
                                       const char *code, const char *format,
                                       va_list args)
{
	struct kr_flags_remark *next, *last = last_kept(flags, code);
	char *text = NULL;
	int r;

	if (last) {
		last->n_more++;
		return 0;
	}
	next = KR_VEC_NEXT(flags->remarks, flags->n_remarks);
	if (!next)
		return -ENOMEM;
	r = kr_vformat(&text, format, args);
	if (r < 0)
		return r;
	*next = (struct kr_flags_remark){
		.arg = arg,
		.severity = severity,
		.code = code,
		.text = text,
	};
	flags->n_remarks++;
	return 0;
}

int kr_flags_add_remark(struct kr_flags *flags, size_t arg,
                        enum kr_severity severity, const char *code,
                        const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = add_remark_v(flags, arg, severity, code, format, args);
	va_end(args);
	return r;
}

/* --- versions ------------------------------------------------------------ */

static int refuse_flag(struct kr_flags *flags, const struct kr_flag *flag,
                       size_t arg, unsigned minor)
{
	bool early = minor < flag->first;

	flags->refused = true;
	return kr_flags_add_remark(flags, arg, KR_ERROR, "flag-version",
	                           "--%s: kubelet 1.%u has no such flag, 1.%u "
	                           "%s that has it",
	                           flag->name, minor,
	                           early ? flag->first : flag->last,
	                           early ? "is the first" : "is the last");
}

static bool is_unknown(const struct kr_flags_remark *r)
{
	return strcmp(r->code, "flag-unknown") == 0;
}

bool kr_flags_have_unknown(const struct kr_flags *flags)
{
	return KR_ANY(remark, flags->remarks, flags->n_remarks,
	              is_unknown(remark));
}

int kr_flags_refuse(struct kr_flags *flags, unsigned minor)
{
	for (size_t i = 0; flags->given && i < kr_n_flags; i++) {
		const struct kr_flag *flag = &kr_flag_table[i];
		int r;

		if (!flags->given[i] || kr_flag_in(flag, minor))
			continue;
		r = refuse_flag(flags, flag, flags->given[i] - 1, minor);
		if (r < 0)
			return r;
	}
	if (minor == 0 || minor > KR_LAST_MINOR)
		return 0;
	KR_EACH(struct kr_flags_remark, r, flags->remarks, flags->n_remarks) {
		if (is_unknown(r))
			r->severity = KR_ERROR;
		flags->refused |= r->severity == KR_ERROR;
	}
	return 0;
}

/* --- uses ---------------------------------------------------------------- */

static bool same_flag(int a, int b)
{
	return a == b || (kr_field(a)->combine == KR_COMBINE_GATE &&
	                  kr_field(b)->combine == KR_COMBINE_GATE);
}

const struct kr_flag_use *kr_flags_next(const struct kr_flags *flags, int field,
                                        size_t *at)
{
	while (*at < flags->n_uses) {
		const struct kr_flag_use *use = &flags->uses[(*at)++];

		if (same_flag(use->field, field))
			return use;
	}
	return NULL;
}

const struct kr_flag_use *kr_flags_last(const struct kr_flags *flags, int field)
{
	const struct kr_flag_use *use, *last = NULL;
	size_t at = 0;

	while ((use = kr_flags_next(flags, field, &at))) {
		if (use->state != KR_STATE_INVALID)
			last = use;
	}
	return last;
}

const char *kr_flags_text(const struct kr_flags *flags, int field)
{
	const struct kr_flag_use *last = kr_flags_last(flags, field);

	return last ? last->text : NULL;
}

int kr_flag_use_value(const struct kr_flag_use *use, int field,
                      struct kr_value *ret)
{
	const struct kr_field *f = kr_field(field);

	if (!use->text)
		return -ENOENT;
	if (f->combine == KR_COMBINE_GATE)
		return kr_value_parse(KR_TYPE_STRING, use->text,
		                      strlen(use->text), ret);
	return kr_value_parse(f->type, use->text, strlen(use->text), ret);
}

size_t kr_flags_count(const struct kr_flags *flags, int field)
{
	size_t at = 0, n = 0;

	while (kr_flags_next(flags, field, &at))
		n++;
	return n;
}

bool kr_flags_invalid(const struct kr_flags *flags, int field)
{
	const struct kr_flag_use *use;
	size_t at = 0;

	while ((use = kr_flags_next(flags, field, &at))) {
		if (use->state == KR_STATE_INVALID)
			return true;
	}
	return false;
}

enum kr_state kr_flags_state(const struct kr_flags *flags, int field)
{
	const struct kr_flag_use *last = kr_flags_last(flags, field);

	if (flags->refused)
		return KR_STATE_INVALID;
	if (flags->unknown || (flags->ambiguous && flags->ambiguous[field]))
		return KR_STATE_UNKNOWN;
	return last ? last->state : KR_STATE_ABSENT;
}

bool kr_flags_is_use(const struct kr_flags *flags, int field, size_t arg)
{
	const struct kr_flag_use *use;
	size_t at = 0;

	while ((use = kr_flags_next(flags, field, &at))) {
		if (arg >= use->arg && arg < use->arg + use->n_args)
			return true;
	}
	return false;
}

bool kr_flags_given(const struct kr_flags *flags, const char *name)
{
	const struct kr_flag *flag = kr_flag_find(name, strlen(name));

	return flag && flags->given && flags->given[flag - kr_flag_table];
}

void kr_flags_done(struct kr_flags *flags)
{
	free(flags->given);
	free(flags->ambiguous);
	for (size_t i = 0; i < flags->n_remarks; i++)
		free(flags->remarks[i].text);
	free(flags->remarks);
	free(flags->uses);
	*flags = (struct kr_flags){0};
}
