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

static void check_value(const struct kr_flag_value *value,
                        const char *const *argv, size_t argc)
{
	if (!value->text)
		return;
	require(value->arg > 0 && value->arg < argc);
	require(value->text == argv[value->arg] + value->offset);
	require(value->offset <= strlen(argv[value->arg]));
}

static void check(const struct kr_flags *flags, const char *const *argv,
                  size_t argc)
{
	size_t end = 1;

	require(flags->state != KR_STATE_NULL && flags->state < _KR_STATE_MAX);
	require(flags->state != KR_STATE_ABSENT || !flags->n_uses);
	for (size_t i = 0; i < flags->n_uses; i++) {
		const struct kr_flag_use *use = &flags->uses[i];

		require(use->arg >= end && use->n_args >= 1);
		end = use->arg + use->n_args;
		require(end <= argc);
		require(use->value <= strlen(argv[use->arg]));
		require(use->state == KR_STATE_TRUE ||
		        use->state == KR_STATE_FALSE ||
		        use->state == KR_STATE_INVALID);
	}
	for (size_t i = 0; i < flags->n_remarks; i++) {
		require(flags->remarks[i].arg < argc);
		require(flags->remarks[i].text && flags->remarks[i].code);
		require(!flags->remarks[i].fatal ||
		        flags->state == KR_STATE_INVALID);
	}
	check_value(&flags->config, argv, argc);
	check_value(&flags->config_dir, argv, argc);
	check_value(&flags->dynamic_config_dir, argv, argc);
	check_value(&flags->hostname_override, argv, argc);
	check_value(&flags->healthz_port, argv, argc);
	check_value(&flags->healthz_bind_address, argv, argc);
	check_value(&flags->masquerade_bit, argv, argc);
	check_value(&flags->drop_bit, argv, argc);
}

static size_t cut(const struct kr_flags *flags, const char *const *argv,
                  size_t argc, const char **ret)
{
	size_t use = 0, n = 0;

	for (size_t i = 0; i < argc; i++) {
		if (use < flags->n_uses && i == flags->uses[use].arg) {
			i += flags->uses[use++].n_args - 1;
			continue;
		}
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

	require(!kr_flags_parse(&kr_setting_iptables, argv, argc, &flags));
	check(&flags, argv, argc);
	n = cut(&flags, argv, argc, rest);
	require(!kr_flags_parse(&kr_setting_iptables, rest, n, &after));
	check(&after, rest, n);
	require(after.n_uses == 0);
	return 0;
}
