/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer on kubelet/flags: the input is an argv, its words ended by NUL.
 * Whatever the words are, the answer must be one that a fix can work with:
 * places that are there, uses in order, and no word of ours left when they are
 * cut.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kubelet/flags.h"

#define ARGS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_use(const struct kr_flag_use *use, const char *const *argv)
{
	require(use->field >= 0 && use->field < KR_N_FIELDS);
	require(use->value_arg >= use->arg &&
	        use->value_arg < use->arg + use->n_args);
	require(use->value <= strlen(argv[use->value_arg]));
	require(use->state == KR_STATE_TRUE || use->state == KR_STATE_FALSE ||
	        use->state == KR_STATE_VALUE || use->state == KR_STATE_INVALID);
	require(!use->text == (use->state == KR_STATE_INVALID));
	if (use->text && (use->value || use->value_arg > use->arg))
		require(use->text == argv[use->value_arg] + use->value);
}

static void check(const struct kr_flags *flags, const char *const *argv,
                  size_t argc)
{
	size_t end = 1;

	for (int i = 0; i < KR_N_FIELDS; i++) {
		enum kr_state state = kr_flags_state(flags, i);

		require(state != KR_STATE_NULL && state < _KR_STATE_MAX);
		require((state == KR_STATE_INVALID) == flags->refused);
	}
	for (size_t i = 0; i < flags->n_uses; i++) {
		const struct kr_flag_use *use = &flags->uses[i];

		require(use->arg >= end && use->n_args >= 1);
		end = use->arg + use->n_args;
		require(end <= argc);
		check_use(use, argv);
	}
	for (size_t i = 0; i < flags->n_remarks; i++) {
		require(flags->remarks[i].arg < argc);
		require(flags->remarks[i].text && flags->remarks[i].code);
		require(flags->remarks[i].severity != KR_ERROR ||
		        flags->refused);
	}
}

/* Without the words of our flag. */
static size_t cut(const struct kr_flags *flags, const char *const *argv,
                  size_t argc, const char **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < argc; i++) {
		if (!kr_flags_is_use(flags, KR_FIELD_IPTABLES, i))
			ret[n++] = argv[i];
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *argv[ARGS_MAX] = {"kubelet"}, *rest[ARGS_MAX];
	_cleanup_flags_ struct kr_flags flags = {0}, after = {0};
	_cleanup_free_ char *words = malloc(size + 1);
	size_t argc = 1, n;

	require(words != NULL);
	memcpy(words, data, size);
	words[size] = '\0';
	for (size_t i = 0; i < size && argc < ARGS_MAX;) {
		argv[argc++] = words + i;
		i += strlen(words + i) + 1;
	}

	require(!kr_flags_parse(argv, argc, &flags));
	check(&flags, argv, argc);
	n = cut(&flags, argv, argc, rest);
	require(!kr_flags_parse(rest, n, &after));
	check(&after, rest, n);
	require(kr_flags_count(&after, KR_FIELD_IPTABLES) == 0);
	return 0;
}
