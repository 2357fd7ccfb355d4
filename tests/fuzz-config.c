/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer on kubelet/config: the first byte says whether the rest is a
 * drop-in's or the main file's bytes. Whatever they are, every place is in the
 * file; and an edit of a file that kubelet takes comes out true, is proven or
 * refused by the proof, and leaves nothing to edit.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kubelet/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_span(const struct kr_file *file, struct kr_span span)
{
	if (!span.file)
		return;
	require(span.file == file && span.offset <= file->size);
	require(span.length <= file->size - span.offset);
}

static void check(const struct kr_config *config, const struct kr_file *file,
                  const struct kr_diag *diag)
{
	require(config->state < _KR_STATE_MAX);
	require(config->wins < (int)config->n_uses);
	/* a drop-in's wrong type is none before the merge */
	require(config->state != KR_STATE_INVALID || config->dropin ||
	        kr_diag_first(diag, KR_ERROR));
	for (size_t i = 0; i < config->n_uses; i++) {
		check_span(file, config->uses[i].key);
		check_span(file, config->uses[i].value);
		require(config->uses[i].editable || config->uses[i].reason);
	}
}

static void parse(const struct kr_file *file, bool dropin,
                  struct kr_config *ret)
{
	const struct kr_config_options options = {.dropin = dropin};
	_cleanup_diag_ struct kr_diag diag = {0};

	require(!kr_config_parse(&kr_setting_iptables, file, &options, &diag,
	                         ret));
	check(ret, file, &diag);
}

static void edit_and_prove(const struct kr_file *file, bool dropin,
                           const struct kr_config *config)
{
	const struct kr_config_options options = {.dropin = dropin};
	_cleanup_edits_ struct kr_edits edits = {0}, none = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_config_ struct kr_config after = {0};
	_cleanup_free_ char *bytes = NULL;
	struct kr_file edited = {.path = file->path, .real = file->real};
	int r = kr_config_edit(&kr_setting_iptables, config, file, true, &diag,
	                       &edits);

	require(r == 0 || (r == -EOPNOTSUPP && kr_diag_first(&diag, KR_ERROR)));
	if (r < 0 || config->state == KR_STATE_INVALID)
		return;
	require(edits.n_files <= 1);
	if (!edits.n_files) {
		require(config->state == KR_STATE_TRUE);
		return;
	}
	require(!kr_file_edits_apply(&edits.files[0], &bytes, &edited.size));
	edited.data = bytes;
	parse(&edited, dropin, &after);
	require(after.state == KR_STATE_TRUE);
	require(!kr_config_edit(&kr_setting_iptables, &after, &edited, true,
	                        NULL, &none));
	require(!none.n_files);
	/* a second reader that stumbles is a refusal, and says so */
	r = kr_config_prove_with(&kr_setting_iptables, file, &edited, &options,
	                         true, &diag);
	require(r == 0 || (r == -EBADMSG && kr_diag_first(&diag, KR_ERROR)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/etc/kubernetes/kubelet/kubelet-config.json";
	struct kr_file file = {.path = path, .real = path};
	_cleanup_config_ struct kr_config config = {0};
	_cleanup_free_ char *bytes = malloc(size + 1);
	bool dropin;

	require(bytes != NULL);
	if (!size)
		return 0;
	dropin = data[0] & 1;
	memcpy(bytes, data + 1, size - 1);
	bytes[size - 1] = '\0';
	file.data = bytes;
	file.size = size - 1;
	parse(&file, dropin, &config);
	edit_and_prove(&file, dropin, &config);
	return 0;
}
