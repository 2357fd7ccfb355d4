/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer on doc/edit and doc/prove: the first line says what is done, the
 * rest is the document.
 *
 *	j a.b=true      JSON; a word: a number or a boolean
 *	yf a.b='text    YAML; names in any case; a string
 *	yn a.b=[x,y     a null counts; a list
 *	j a.b           the member goes
 *
 * The laws: an edit is proven, of no other value, and is there: a second one
 * finds nothing to do. One byte more elsewhere is not proven.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "doc/edit.h"

#include "fuzz-readers.h"

/* a name may have six bytes for each, and 1,024 characters for YAML */
#define LINE_MAX_SIZE 160

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct task {
	bool yaml, removes;
	struct kr_doc_path path;
	struct kr_strings list;
	struct kr_doc_value value;
};

static bool is_word(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ||
	       (n > 0 && n < 16 && !text[n] && (n == 1 || *text != '0'));
}

/* LINE, which TASK refers to afterwards; false: it says nothing. */
static bool parse_task(char *line, struct task *task)
{
	char *value = strchr(line, '='), *at = line;

	if (value)
		*value++ = '\0';
	task->yaml = *at == 'y';
	for (; *at && *at != ' '; at++) {
		task->path.fold |= *at == 'f';
		task->path.exact_last |= *at == 'e';
		task->path.null_counts |= *at == 'n';
	}
	if (!*at)
		return false;
	require(kr_doc_path_parse(at + 1, &task->path) == 0);
	task->removes = !value;
	if (!value)
		return true;
	task->value.text = value;
	if (*value == '[') {
		task->value.type = KR_DOC_LIST;
		task->value.list = &task->list;
		while (*value++) {
			size_t n = strcspn(value, ",");

			if (n > 0)
				require(!kr_strings_add_part(&task->list, value,
				                             n));
			value += n;
		}
	} else if (!is_word(value)) {
		task->value.type = KR_DOC_STRING;
		task->value.text = value + (*value == '\'');
	}
	return true;
}

static bool proves(const struct task *t, const struct kr_file *before,
                   const struct kr_file *after,
                   const struct kr_doc_value *value)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	int r = kr_doc_prove(before, after, t->yaml, &t->path, value, &diag);

	require(r == KR_DOC_DONE || r == KR_DOC_REFUSED);
	require(r == KR_DOC_DONE || kr_diag_first(&diag, KR_ERROR));
	return r == KR_DOC_DONE;
}

/* One byte less, or another one, outside of what was edited. */
static void check_strangers(const struct task *t, const struct kr_file *before,
                            const struct kr_file *after,
                            const struct kr_doc_value *value)
{
	size_t start = 0, end = 0;

	while (start < before->size && start < after->size &&
	       before->data[start] == after->data[start])
		start++;
	while (end < before->size - start && end < after->size - start &&
	       before->data[before->size - 1 - end] ==
	               after->data[after->size - 1 - end])
		end++;
	for (size_t i = 0; i < 8; i++) {
		size_t at = i * (after->size / 8);
		char byte = after->data[at];

		if (at >= after->size ||
		    (at >= start && at < after->size - end))
			continue;
		after->data[at] = byte == 'q' ? 'p' : 'q';
		require(!proves(t, before, after, value));
		after->data[at] = byte;
	}
}

static void check_edit(const struct task *t, const struct kr_file *file)
{
	static const struct kr_doc_value other = {KR_DOC_STRING, "o t", NULL};
	const struct kr_doc_value *value = t->removes ? NULL : &t->value;
	_cleanup_edits_ struct kr_edits edits = {0}, again = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_free_ char *bytes = NULL;
	struct kr_file after = {.path = file->path, .real = file->real};
	int r = kr_doc_edit(file, t->yaml, &t->path, value, &diag, &edits);

	require(r == KR_DOC_DONE || r == KR_DOC_REFUSED);
	require(r == KR_DOC_DONE || kr_diag_first(&diag, KR_ERROR));
	if (r == KR_DOC_REFUSED || edits.n_files == 0) {
		require(edits.n_files == 0);
		return;
	}
	require(!kr_file_edits_apply(&edits.files[0], &bytes, &after.size));
	after.data = bytes;
	if (!proves(t, file, &after, value)) {
		require(!(t->yaml ? kr_fuzz_reads_yaml(file)
		                  : kr_fuzz_reads_json(file)));
		return;
	}
	require(!proves(t, file, &after, &other) ||
	        (value && value->type == KR_DOC_STRING &&
	         strcmp(value->text, other.text) == 0));
	require(!value || !proves(t, file, &after, NULL));
	check_strangers(t, file, &after, value);
	r = kr_doc_edit(&after, t->yaml, &t->path, value, NULL, &again);
	require(r == KR_DOC_DONE && again.n_files == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	_cleanup_free_ char *line = NULL, *bytes = NULL;
	char path[] = "/f";
	struct kr_file file = {.path = path, .real = path};
	struct task task = {0};

	if (!end || end - data > LINE_MAX_SIZE)
		return 0;
	line = kr_utf8_copy((const char *)data, (size_t)(end - data));
	require(line != NULL);
	/* for kubelet and us a broken name is U+FFFD, for cJSON what it is */
	if (!strstr(line, KR_UTF8_REPLACEMENT) && parse_task(line, &task)) {
		file.size = size - (size_t)(end + 1 - data);
		bytes = malloc(file.size + 1);
		require(bytes != NULL);
		memcpy(bytes, end + 1, file.size);
		bytes[file.size] = '\0';
		file.data = bytes;
		check_edit(&task, &file);
	}
	kr_doc_path_done(&task.path);
	kr_strings_done(&task.list);
	return 0;
}
