/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The limits of execve(2).
 *
 *	a string   32 pages (MAX_ARG_STRLEN): 128 KiB where a page has
 *	           4 KiB, 2 MiB where it has 64
 *	all        a quarter of the stack's soft limit, which is 8 MiB where
 *	           nothing sets it; at least 128 KiB (ARG_MAX), at most 6 MiB
 *
 * What is refused for certain is EXCEEDED, and nothing else, as a unit that is
 * called invalid and is not cannot be fixed. x86-64 has pages of 4 KiB only,
 * aarch64 of 4, 16 or 64. Which machine an image is for is known by the program
 * that is started, or by systemd or the shell beside it. Where a tree has none
 * of them, pages of 4 KiB are assumed, whatever machine reads it, and the
 * message says so.
 *
 * What is more than 2 MiB in all is not read, even where LimitSTACK= or, of
 * systemd itself, DefaultLimitSTACK= allows it.
 *
 * Source: bprm_stack_limits(), valid_arg_len() in fs/exec.c of Linux;
 * execve(2), "Limits on size of arguments and environment";
 * config_parse_limit() in src/core/load-fragment.c of systemd 252; elf(5).
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <elf.h>

#include "unit/exec-limits.h"
#include "unit/manager-conf.h"

#define KIB ((size_t)1024)

#define PAGES        32
#define STRING_LEAST (PAGES * 4 * KIB)
#define STRING_MOST  (PAGES * 64 * KIB)

#define ALL_LEAST (128 * KIB)
#define ALL_USUAL (2 * KIB * KIB) /* of a stack of 8 MiB; read at most */
#define ALL_MOST  (6 * KIB * KIB)

/* The ELF machine of the node's programs; EM_NONE: there is none to look at. */
static int find_machine(const struct kr_limits *l)
{
	const char *const programs[] = {
		l->program,
		"/usr/lib/systemd/systemd",
		"/lib/systemd/systemd",
		"/usr/bin/sh",
		"/bin/sh",
	};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		int r = programs[i] && *programs[i] == '/'
		                ? kr_fs_machine(l->fs, programs[i])
		                : EM_NONE;

		if (r > EM_NONE)
			return r;
	}
	return EM_NONE;
}

enum kr_limit kr_limits_string(const struct kr_limits *l, size_t length)
{
	if (length < STRING_LEAST)
		return KR_LIMIT_FITS;
	if (length >= STRING_MOST)
		return KR_LIMIT_EXCEEDED;
	if (l->page_size > 0)
		return length >= PAGES * l->page_size ? KR_LIMIT_EXCEEDED
		                                      : KR_LIMIT_FITS;
	switch (find_machine(l)) {
	case EM_X86_64:
		return KR_LIMIT_EXCEEDED;
	case EM_NONE:
		return KR_LIMIT_ASSUMED;
	default:
		return KR_LIMIT_UNKNOWN;
	}
}

/* --- all of them ---------------------------------------------------------- */

/* A number of bytes, up to "end"; false: it is not as simple as that. */
static bool parse_bytes(const char *text, const char *end, uint64_t *ret)
{
	static const char suffixes[] = "KMGTPE";
	size_t digits = strspn(text, "0123456789");
	const char *suffix;
	unsigned shift = 0;

	if (end - text == 8 && strncmp(text, "infinity", 8) == 0) {
		*ret = UINT64_MAX;
		return true;
	}
	if (digits == 0 || digits > 15)
		return false;
	*ret = strtoull(text, NULL, 10);
	text += digits;
	suffix = text < end ? strchr(suffixes, *text) : NULL;
	if (suffix && *suffix)
		shift = 10 * (unsigned)(suffix - suffixes + 1);
	text += shift > 0 || (text < end && *text == 'B');
	if (text != end)
		return false;
	*ret = *ret > UINT64_MAX >> shift ? UINT64_MAX : *ret << shift;
	return true;
}

/* LimitSTACK=SOFT:HARD, or both in one. */
static bool parse_stack(const char *text, uint64_t *ret_soft)
{
	const char *colon = strchr(text, ':');
	const char *end = text + strlen(text);
	uint64_t hard;

	if (!parse_bytes(text, colon ? colon : end, ret_soft))
		return false;
	return !colon ||
	       (parse_bytes(colon + 1, end, &hard) && *ret_soft <= hard);
}

/* DefaultLimitSTACK=, which a service without LimitSTACK= has. */
static void read_default(struct kr_limits *l)
{
	_cleanup_free_ char *value = NULL;
	int r = kr_manager_conf_value(l->fs, "DefaultLimitSTACK", &value);

	if (r < 0 || value)
		l->fallback = KR_STACK_UNKNOWN;
	if (value && parse_stack(value, &l->fallback_soft))
		l->fallback = KR_STACK_SET;
}

/* The soft limit of the stack. KR_STACK_USUAL: nothing sets it. */
static enum kr_stack find_stack(struct kr_limits *l, uint64_t *ret_soft)
{
	if (l->stack)
		return parse_stack(l->stack, ret_soft) ? KR_STACK_SET
		                                       : KR_STACK_UNKNOWN;
	if (l->fallback == KR_STACK_UNREAD) {
		l->fallback = KR_STACK_USUAL;
		read_default(l);
	}
	*ret_soft = l->fallback_soft;
	return l->fallback;
}

enum kr_limit kr_limits_all(struct kr_limits *l, size_t n_bytes)
{
	uint64_t soft = 0, most;

	if (n_bytes <= ALL_LEAST)
		return KR_LIMIT_FITS;
	if (n_bytes > ALL_MOST)
		return KR_LIMIT_EXCEEDED;
	switch (find_stack(l, &soft)) {
	case KR_STACK_USUAL:
		return n_bytes > ALL_USUAL ? KR_LIMIT_EXCEEDED : KR_LIMIT_FITS;
	case KR_STACK_SET:
		break;
	default:
		return KR_LIMIT_UNKNOWN;
	}
	most = soft / 4 < ALL_LEAST  ? ALL_LEAST
	       : soft / 4 > ALL_MOST ? ALL_MOST
	                             : soft / 4;
	if (n_bytes > most)
		return KR_LIMIT_EXCEEDED;
	return n_bytes > ALL_USUAL ? KR_LIMIT_UNKNOWN : KR_LIMIT_FITS;
}
