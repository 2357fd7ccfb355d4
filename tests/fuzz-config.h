/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The laws of kubelet/config that hold for every file: all places are in it; an
 * edit comes out true, is proven and leaves nothing to edit. Only a file that
 * the second reader could not read before either stays without proof.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kubelet/config.h"
#include "kubelet/dropins.h"

#include "fuzz-readers.h"

/* What is edited: at the top, below others, in a map; a word, a string, a list.
 */
static char *ciphers[] = {(char[]){"TLS_AES_128_GCM_SHA256"}, (char[]){"on"},
                          NULL};
static const struct {
	int field;
	struct kr_value value;
} wanted[] = {
	{KR_FIELD_IPTABLES, {.type = KR_TYPE_BOOL, .b = true}},
	{KR_FIELD_ANONYMOUS, {.type = KR_TYPE_BOOL}},
	{KR_FIELD_GATE_ROTATE_SERVER, {.type = KR_TYPE_BOOL, .b = true}},
	{KR_FIELD_CLIENT_CA, {.type = KR_TYPE_STRING, .s = (char[]){"/ca"}}},
	{KR_FIELD_STREAMING_TIMEOUT,
         {.type = KR_TYPE_DURATION, .n = 300000000000}},
	{KR_FIELD_POD_PIDS, {.type = KR_TYPE_INT64, .n = 100}},
	{KR_FIELD_TLS_CIPHERS, {.type = KR_TYPE_LIST, .list = {ciphers, 2}}},
};

static void check_span(const struct kr_file *file, struct kr_span span)
{
	if (!span.file)
		return;
	require(span.file == file && span.offset <= file->size);
	require(span.length <= file->size - span.offset);
}

static void check_config(const struct kr_config *config,
                         const struct kr_file *file)
{
	for (int field = 0; field < KR_N_FIELDS; field++) {
		const struct kr_config_use *use;

		require(kr_config_state(config, field, &use) < _KR_STATE_MAX);
		require(!use || (use >= config->uses &&
		                 use < config->uses + config->n_uses &&
		                 use->field == field));
	}
	for (size_t i = 0; i < config->n_uses; i++) {
		check_span(file, config->uses[i].key);
		check_span(file, config->uses[i].value);
		require(config->uses[i].state < _KR_STATE_MAX);
	}
}

static bool says(const struct kr_config *config, size_t i)
{
	const struct kr_config_use *use;
	enum kr_state state = kr_config_state(config, wanted[i].field, &use);

	return kr_state_is_value(state) && use &&
	       kr_value_equal(&use->v, &wanted[i].value);
}

static void parse(const struct kr_file *file, bool dropin,
                  struct kr_config *ret)
{
	const struct kr_config_options options = {.dropin = dropin};
	_cleanup_diag_ struct kr_diag diag = {0};
	bool invalid;

	require(!kr_config_parse(file, &options, &diag, ret));
	check_config(ret, file);
	invalid = kr_config_state(ret, KR_FIELD_IPTABLES, NULL) ==
	          KR_STATE_INVALID;
	require(invalid || !kr_diag_first(&diag, KR_ERROR));
	require(!invalid || dropin || kr_diag_first(&diag, KR_ERROR));
	kr_config_remark(ret, file, KR_FIELD_IPTABLES, &diag);
}

static void edit_and_prove(const struct kr_file *file, bool dropin,
                           const struct kr_config *config, size_t i,
                           bool (*readable)(const struct kr_file *file))
{
	const struct kr_config_options options = {.dropin = dropin};
	_cleanup_edits_ struct kr_edits edits = {0}, none = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_config_ struct kr_config after = {0};
	_cleanup_free_ char *bytes = NULL;
	struct kr_file edited = {.path = file->path, .real = file->real};
	int r = kr_config_edit(wanted[i].field, config, file, &wanted[i].value,
	                       &diag, &edits);

	require(r == 0 || (r == KR_REFUSED && kr_diag_first(&diag, KR_ERROR)));
	if (r < 0)
		return;
	require(edits.n_files <= 1);
	if (!edits.n_files) {
		require(says(config, i));
		return;
	}
	require(!kr_file_edits_apply(&edits.files[0], &bytes, &edited.size));
	edited.data = bytes;
	r = kr_config_prove(wanted[i].field, file, &edited, &options,
	                    &wanted[i].value, &diag);
	require(r == 0 ||
	        (r == KR_MALFORMED && kr_diag_first(&diag, KR_ERROR)));
	require(r == 0 || !readable(file));
	if (r < 0)
		return;
	parse(&edited, dropin, &after);
	require(says(&after, i));
	require(!kr_config_edit(wanted[i].field, &after, &edited,
	                        &wanted[i].value, NULL, &none));
	require(!none.n_files);
}

/* The file as the base and as a drop-in over itself. */
static void merge_with_itself(const struct kr_file *file)
{
	const struct kr_file *files[] = {file, file};
	_cleanup_merged_ struct kr_merged merged = {0};

	require(!kr_merge_parse(files, 2, false, 0, NULL, &merged));
	for (int field = 0; field < KR_N_FIELDS; field++) {
		struct kr_merged_value found;

		kr_merged_find(&merged, field, &found);
		require(found.file < 2 && found.state < _KR_STATE_MAX);
		require(!found.use || found.file >= 0);
	}
}

static void check_laws(const char *data, size_t size,
                       bool (*readable)(const struct kr_file *file))
{
	char path[] = "/etc/kubernetes/kubelet/kubelet-config.json";
	_cleanup_free_ char *bytes = malloc(size + 1);
	struct kr_file file = {
		.path = path, .real = path, .data = bytes, .size = size};

	require(bytes != NULL);
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	for (int dropin = 0; dropin < 2; dropin++) {
		_cleanup_config_ struct kr_config config = {0};

		parse(&file, dropin, &config);
		for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
			edit_and_prove(&file, dropin, &config, i, readable);
	}
	merge_with_itself(&file);
}
