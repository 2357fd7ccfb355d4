/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet/config: the edit of every style, what is refused, and the laws: an
 * edited file says the value, the proof takes it, and takes no other change.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kubelet/config.h"
#include "testing.h"

#define GVK                                                                    \
	"\"kind\":\"KubeletConfiguration\",\"apiVersion\":"                    \
	"\"kubelet.config.k8s.io/v1beta1\""
#define KEY  "makeIPTablesUtilChains"
#define OURS "\"" KEY "\":"
#define YAML                                                                   \
	"apiVersion: kubelet.config.k8s.io/v1beta1\n"                          \
	"kind: KubeletConfiguration\n"

struct edit_row {
	const char *name;
	const char *in;
	const char *want; /* NULL: refused with KR_REFUSED */
	const char *why;  /* part of the message */
	unsigned line, column;
	bool dropin;
};

static const struct edit_row edit_rows[] = {
	/* in place */
	{.name = "false",
         .in = "{" GVK "," OURS "false}",
         .want = "{" GVK "," OURS "true}"},
	{.name = "odd blanks and numbers stay",
         .in = "{ " GVK ",\n\t\"x\":[ 9007199254740993 ,1e3],\t" OURS
               "\r\nfalse ,\"y\" : 1.50}",
         .want = "{ " GVK ",\n\t\"x\":[ 9007199254740993 ,1e3],\t" OURS
                 "\r\ntrue ,\"y\" : 1.50}"},
	{.name = "null",
         .in = "{" OURS "null," GVK "}",
         .want = "{" OURS "true," GVK "}"},
	{.name = "a quoted false loses its quotes",
         .in = "{" GVK "," OURS "\"false\"}",
         .want = "{" GVK "," OURS "true}"},
	{.name = "a quoted true loses its quotes",
         .in = "{" GVK "," OURS " \"true\" }",
         .want = "{" GVK "," OURS " true }"},
	{.name = "a number",
         .in = "{" GVK "," OURS "0}",
         .want = "{" GVK "," OURS "true}"},
	{.name = "an escaped name",
         .in = "{" GVK ",\"makeIPTablesUtilChain\\u0073\":false}",
         .want = "{" GVK ",\"makeIPTablesUtilChain\\u0073\":true}"},
	{.name = "each duplicate that says otherwise",
         .in = "{" GVK "," OURS "false," OURS "true," OURS "null}",
         .want = "{" GVK "," OURS "true," OURS "true," OURS "true}"},
	{.name = "the last one says it already",
         .in = "{" GVK "," OURS "false," OURS "true}",
         .want = "{" GVK "," OURS "true," OURS "true}"},
	{.name = "nothing to do",
         .in = "{" GVK "," OURS "true}",
         .want = "{" GVK "," OURS "true}"},
	{.name = "another level is not ours",
         .in = "{" GVK ",\"x\":{" OURS "false}," OURS "false}",
         .want = "{" GVK ",\"x\":{" OURS "false}," OURS "true}"},
	{.name = "the internal version",
         .in = "{\"kind\":\"KubeletConfiguration\",\"apiVersion\":"
               "\"kubelet.config.k8s.io/__internal\","
               "\"MakeIPTablesUtilChains\":false}",
         .want = "{\"kind\":\"KubeletConfiguration\",\"apiVersion\":"
                 "\"kubelet.config.k8s.io/__internal\","
                 "\"MakeIPTablesUtilChains\":true}"},
	{.name = "a drop-in's key in another case",
         .in = "{" GVK ",\"makeiptablesutilchains\":false}",
         .want = "{" GVK ",\"makeiptablesutilchains\":true}",
         .dropin = true},

	/* inserted */
	{.name = "compact",
         .in = "{" GVK "}",
         .want = "{" GVK "," OURS "true}"},
	{.name = "indented by two, final line end",
         .in = "{\n  " GVK ",\n  \"maxPods\": 110\n}\n",
         .want = "{\n  " GVK ",\n  \"maxPods\": 110,\n  \"" KEY
                 "\": true\n}\n"},
	{.name = "indented by a tab, CRLF, no final line end",
         .in = "{\r\n\t" GVK ",\r\n\t\"maxPods\" : 110\r\n}",
         .want = "{\r\n\t" GVK ",\r\n\t\"maxPods\" : 110,\r\n\t\"" KEY
                 "\" : true\r\n}"},
	{.name = "on one line with blanks",
         .in = "{ " GVK ", \"maxPods\": 110 }",
         .want = "{ " GVK ", \"maxPods\": 110, \"" KEY "\": true }"},
	{.name = "behind an object",
         .in = "{\n    " GVK ",\n    \"x\": {\n        \"y\": [\n"
               "            1\n        ]\n    }\n}\n",
         .want = "{\n    " GVK ",\n    \"x\": {\n        \"y\": [\n"
                 "            1\n        ]\n    },\n    \"" KEY
                 "\": true\n}\n"},
	{.name = "a key in another case does not count",
         .in = "{" GVK ",\"makeiptablesutilchains\":false}",
         .want = "{" GVK ",\"makeiptablesutilchains\":false," OURS "true}"},
	{.name = "other lines ends than LF",
         .in = "{\r\"a\":1,\r" GVK "\r}",
         .want = "{\r\"a\":1,\r" GVK "," OURS "true\r}"},

	/* YAML in place */
	{.name = "yaml: false",
         .in = YAML KEY ": false\n",
         .want = YAML KEY ": true\n"},
	{.name = "yaml: comments and blanks stay",
         .in = "# top\n" YAML KEY ":   no   # why\n# end\nmaxPods: 0x10\n",
         .want = "# top\n" YAML KEY ":   true   # why\n# end\nmaxPods: 0x10\n"},
	{.name = "yaml: quoted",
         .in = YAML KEY ": \"false\"\n",
         .want = YAML KEY ": true\n"},
	{.name = "yaml: single quotes and no final line end",
         .in = YAML KEY ": 'true'",
         .want = YAML KEY ": true"},
	{.name = "yaml: empty",
         .in = YAML KEY ":\nmaxPods: 1\n",
         .want = YAML KEY ": true\nmaxPods: 1\n"},
	{.name = "yaml: empty with a comment",
         .in = YAML KEY ": # c\n",
         .want = YAML KEY ": true # c\n"},
	{.name = "yaml: empty and no final line end",
         .in = YAML KEY ":",
         .want = YAML KEY ": true"},
	{.name = "yaml: tilde",
         .in = YAML KEY ": ~\n",
         .want = YAML KEY ": true\n"},
	{.name = "yaml: a tag",
         .in = YAML KEY ": !!bool \"no\" # c\n",
         .want = YAML KEY ": true # c\n"},
	{.name = "yaml: on the next line",
         .in = YAML KEY ":\n  off\n",
         .want = YAML KEY ":\n  true\n"},
	{.name = "yaml: a quoted name",
         .in = YAML "\"makeIPTablesUtilChain\\x73\" : N\n",
         .want = YAML "\"makeIPTablesUtilChain\\x73\" : true\n"},
	{.name = "yaml: a complex name",
         .in = YAML "? " KEY "\n: false\n",
         .want = YAML "? " KEY "\n: true\n"},
	{.name = "yaml: CRLF",
         .in = "apiVersion: kubelet.config.k8s.io/v1beta1\r\n"
               "kind: KubeletConfiguration\r\n" KEY ": false\r\n",
         .want = "apiVersion: kubelet.config.k8s.io/v1beta1\r\n"
                 "kind: KubeletConfiguration\r\n" KEY ": true\r\n"},
	{.name = "yaml: characters of several bytes before it",
         .in = "# \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n" YAML
               "x: \"\xf0\x9f\x98\x80\"\n" KEY ": false # \xc3\xa9\n",
         .want = "# \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n" YAML
                 "x: \"\xf0\x9f\x98\x80\"\n" KEY ": true # \xc3\xa9\n"},
	{.name = "yaml: a byte order mark",
         .in = "\xef\xbb\xbf" YAML KEY ": false\n",
         .want = "\xef\xbb\xbf" YAML KEY ": true\n"},
	{.name = "yaml: each duplicate",
         .in = YAML KEY ": false\n" KEY ": yes\n" KEY ":\n",
         .want = YAML KEY ": true\n" KEY ": yes\n" KEY ": true\n"},
	{.name = "yaml: a duplicate of a wrong type",
         .in = YAML KEY ": [1]\n" KEY ": true\n",
         .why = "holds others"},
	{.name = "yaml: only the first document",
         .in = YAML KEY ": false\n---\n" KEY ": false\n{{{\n",
         .want = YAML KEY ": true\n---\n" KEY ": false\n{{{\n"},
	{.name = "yaml: JSON behind a comment",
         .in = "# c\n{" GVK "," OURS "false,}\n",
         .want = "# c\n{" GVK "," OURS "true,}\n"},
	{.name = "yaml: the word yes is true",
         .in = YAML KEY ": yes\n",
         .want = YAML KEY ": yes\n"},
	{.name = "yaml: a drop-in",
         .in = YAML "makeiptablesutilchains: off\n",
         .want = YAML "makeiptablesutilchains: true\n",
         .dropin = true},

	/* YAML inserted */
	{.name = "yaml: at the end", .in = YAML, .want = YAML KEY ": true\n"},
	{.name = "yaml: no final line end",
         .in = YAML "maxPods: 1",
         .want = YAML "maxPods: 1\n" KEY ": true"},
	{.name = "yaml: CRLF at the end",
         .in = "apiVersion: kubelet.config.k8s.io/v1beta1\r\n"
               "kind: KubeletConfiguration\r\n",
         .want = "apiVersion: kubelet.config.k8s.io/v1beta1\r\n"
                 "kind: KubeletConfiguration\r\n" KEY ": true\r\n"},
	{.name = "yaml: behind a mapping and comments",
         .in = YAML "authentication:\n  x509:\n    clientCAFile: a\n# end\n\n",
         .want = YAML
         "authentication:\n  x509:\n    clientCAFile: a\n# end\n\n" KEY
         ": true\n"},
	{.name = "yaml: behind a list without indent",
         .in = YAML "clusterDNS:\n- 10.0.0.10\n",
         .want = YAML "clusterDNS:\n- 10.0.0.10\n" KEY ": true\n"},
	{.name = "yaml: all indented",
         .in = "  apiVersion: kubelet.config.k8s.io/v1beta1\n"
               "  kind: KubeletConfiguration\n",
         .want = "  apiVersion: kubelet.config.k8s.io/v1beta1\n"
                 "  kind: KubeletConfiguration\n  " KEY ": true\n"},
	{.name = "yaml: before a second document",
         .in = "---\n" YAML "---\nkind: X\n",
         .want = "---\n" YAML KEY ": true\n---\nkind: X\n"},
	{.name = "yaml: before the document's end",
         .in = YAML "...\n# x\n",
         .want = YAML KEY ": true\n...\n# x\n"},
	{.name = "yaml: behind a block scalar",
         .in = YAML "x: |+\n  a\n\n",
         .want = YAML "x: |+\n  a\n\n" KEY ": true\n"},
	{.name = "yaml: flow without quotes",
         .in = "---\n{kind: KubeletConfiguration, apiVersion: "
               "kubelet.config.k8s.io/v1beta1}\n",
         .want = "---\n{kind: KubeletConfiguration, apiVersion: "
                 "kubelet.config.k8s.io/v1beta1, " KEY ": true}\n"},
	{.name = "yaml: flow with quotes and a trailing comma",
         .in = "# c\n{\n\t" GVK ",\n}\n",
         .want = "# c\n{\n\t" GVK "," OURS "true,\n}\n"},
	{.name = "yaml: flow that ends with a lone name",
         .in = "---\n{kind: KubeletConfiguration, apiVersion: "
               "kubelet.config.k8s.io/v1beta1, x}\n",
         .want = "---\n{kind: KubeletConfiguration, apiVersion: "
                 "kubelet.config.k8s.io/v1beta1, x, " KEY ": true}\n"},
	{.name = "yaml: a merge key without our name",
         .in = YAML "<<: {maxPods: 1}\n",
         .want = YAML "<<: {maxPods: 1}\n" KEY ": true\n"},
	{.name = "yaml: a merge key that brings it",
         .in = YAML "<<: {" KEY ": false}\n",
         .want = YAML "<<: {" KEY ": false}\n" KEY ": true\n"},
	{.name = "yaml: a merge key with an alias",
         .in = "a: &a\n  " KEY ": false\n" YAML "<<: *a\n",
         .want = "a: &a\n  " KEY ": false\n" YAML "<<: *a\n" KEY ": true\n"},
	{.name = "yaml: a merge key with an alias, not the last one",
         .in = "a: &a\n  " KEY ": false\n<<: *a\n" YAML "# end\n---\nb: 1\n",
         .want = "a: &a\n  " KEY ": false\n<<: *a\n" YAML "# end\n" KEY
                 ": true\n---\nb: 1\n"},
	{.name = "yaml: a merge key in a merge key",
         .in = "a: &a {" KEY ": no}\nb: &b {<<: *a, x: 1}\n" YAML
               "<<: [*b, *a]\n",
         .want = "a: &a {" KEY ": no}\nb: &b {<<: *a, x: 1}\n" YAML
                 "<<: [*b, *a]\n" KEY ": true\n"},
	{.name = "yaml: a merge key in flow style",
         .in = "---\n{kind: KubeletConfiguration, apiVersion: "
               "kubelet.config.k8s.io/v1beta1, a: &a {" KEY
               ": false}, <<: *a}\n",
         .want = "---\n{kind: KubeletConfiguration, apiVersion: "
                 "kubelet.config.k8s.io/v1beta1, a: &a {" KEY
                 ": false}, <<: *a, " KEY ": true}\n"},
	{.name = "yaml: a merge key that brings a wrong type",
         .in = YAML "<<: {" KEY ": \"no\"}\n",
         .want = YAML "<<: {" KEY ": \"no\"}\n" KEY ": true\n"},
	{.name = "yaml: a merge key before the name",
         .in = YAML "<<: {" KEY ": false}\n" KEY ": false\n",
         .want = YAML "<<: {" KEY ": false}\n" KEY ": true\n"},
	{.name = "yaml: two of one alias before the name",
         .in = "a: &a {" KEY ": true}\n" YAML "<<: *a\n<<: *a\n" KEY
               ": false\n",
         .want = "a: &a {" KEY ": true}\n" YAML "<<: *a\n<<: *a\n" KEY
                 ": true\n"},

	/* YAML refused */
	{.name = "yaml: an alias",
         .in = YAML "x: &a false\n" KEY ": *a\n",
         .why = "alias",
         .line = 4,
         .column = 25},
	{.name = "yaml: an alias is the name",
         .in = YAML "x: &a " KEY "\n*a : false\n",
         .why = "alias",
         .line = 4,
         .column = 6},
	{.name = "yaml: a byte order mark inside",
         .in = YAML "# \xef\xbb\xbf\n" KEY ": false\n",
         .why = "byte order mark"},
	{.name = "yaml: an anchor",
         .in = YAML KEY ": &a false\n",
         .why = "anchor",
         .line = 3,
         .column = 25},
	{.name = "yaml: a merge key behind the name",
         .in = YAML KEY ": true\n<<: {" KEY ": false}\n",
         .why = "merge key"},
	{.name = "yaml: a merge key in a drop-in, where no name may come twice",
         .in = YAML "<<: {" KEY ": false}\n",
         .why = "merge key",
         .line = 3,
         .column = 30,
         .dropin = true},
	{.name = "yaml: merge keys before and behind the name",
         .in = YAML "<<: {" KEY ": false}\n" KEY ": true\n<<: {" KEY
                    ": false}\n",
         .why = "merge key"},
	{.name = "yaml: a block scalar",
         .in = YAML KEY ": |\n  false\n",
         .why = "block scalar"},
	{.name = "yaml: a list",
         .in = YAML KEY ": [false]\n",
         .why = "holds others"},
	{.name = "yaml: a mapping",
         .in = YAML KEY ":\n  a: false\n",
         .why = "holds others"},
	{.name = "yaml: a lone name in flow style",
         .in = "---\n{kind: KubeletConfiguration, apiVersion: "
               "kubelet.config.k8s.io/v1beta1, " KEY "}\n",
         .why = "colon"},
	{.name = "yaml: an open block scalar",
         .in = YAML "x: |\n  a",
         .why = "line end"},
	{.name = "yaml: a complex name is the last",
         .in = YAML "? x\n: y\n",
         .why = "start its line"},
	{.name = "yaml: no kind",
         .in = KEY ": false\n",
         .why = "another reason"},
	{.name = "yaml: no document",
         .in = "# nothing\n",
         .why = "another reason"},
	{.name = "yaml: an empty first document",
         .in = "---\n---\n" YAML KEY ": false\n",
         .why = "another reason"},
	{.name = "yaml: broken",
         .in = YAML KEY ": \"false\n",
         .why = "another reason"},
	{.name = "yaml: a tab",
         .in = YAML "x:\n\ty: 1\n" KEY ": false\n",
         .why = "another reason"},
	{.name = "yaml: another field of a wrong type",
         .in = YAML "maxPods: many\n" KEY ": false\n",
         .why = "another reason"},
	{.name = "yaml: version 1.2",
         .in = "%YAML 1.2\n---\n" YAML,
         .why = "another reason"},
	{.name = "yaml: not a number",
         .in = YAML "x: .nan\n",
         .why = "another reason"},
	{.name = "yaml: a list at the top",
         .in = "[{" GVK "," OURS "false}]",
         .why = "another reason"},
	{.name = "yaml: a drop-in with a name twice",
         .in = YAML KEY ": false\nx: {a: 1, a: 2}\n",
         .why = "another reason",
         .dropin = true},

	/* refused */
	{.name = "nothing in it", .in = "", .why = "another reason"},
	{.name = "no members", .in = "{}", .why = "another reason"},
	{.name = "not closed",
         .in = "{" GVK "," OURS "false",
         .why = "another reason"},
	{.name = "trailing comma",
         .in = "{" GVK "," OURS "false,}",
         .why = "another reason"},
	{.name = "a comment",
         .in = "{" GVK ", // c\n" OURS "false}",
         .why = "another reason"},
	{.name = "two documents",
         .in = "{" GVK "," OURS "false}{}",
         .why = "another reason"},
	{.name = "no kind",
         .in = "{\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\"," OURS
               "false}",
         .why = "another reason"},
	{.name = "another kind",
         .in = "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"," OURS "false}",
         .why = "another reason"},
	{.name = "another version",
         .in = "{\"kind\":\"KubeletConfiguration\",\"apiVersion\":"
               "\"kubelet.config.k8s.io/v1\"," OURS "false}",
         .why = "another reason"},
	{.name = "another field of a wrong type",
         .in = "{" GVK ",\"maxPods\":\"many\"," OURS "false}",
         .why = "another reason"},
	{.name = "the key of a wrong type and another field too",
         .in = "{" GVK "," OURS "\"false\",\"maxPods\":\"many\"}",
         .why = "another reason"},
	{.name = "an object",
         .in = "{" GVK "," OURS "{\"a\":1}}",
         .why = "holds others",
         .line = 1,
         .column = 102},
	{.name = "a list",
         .in = "{" GVK "," OURS "[false]}",
         .why = "holds others"},
	{.name = "a list and a word",
         .in = "{" GVK "," OURS "false," OURS "[]}",
         .why = "holds others"},
	{.name = "the internal version without the key",
         .in = "{\"kind\":\"KubeletConfiguration\",\"apiVersion\":"
               "\"kubelet.config.k8s.io/__internal\"}",
         .why = "v1beta1"},
	{.name = "a drop-in with two of them",
         .in = "{" GVK "," OURS "false," OURS "true}",
         .why = "another reason",
         .dropin = true},
};

static const struct kr_value yes = {.type = KR_TYPE_BOOL, .b = true};
static const struct kr_value no = {.type = KR_TYPE_BOOL};

static enum kr_state state_of(const struct kr_config *config)
{
	return kr_config_state(config, KR_FIELD_IPTABLES, NULL);
}

static const struct kr_file *edited(const struct edit_row *row,
                                    const struct kr_file *file,
                                    const struct kr_config_options *options)
{
	_cleanup_config_ struct kr_config config = {0};
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_diag_ struct kr_diag diag = {0}, ignored = {0};
	_cleanup_free_ char *out = NULL;
	size_t size;
	int r;

	ck_assert_int_eq(kr_config_parse(file, options, &ignored, &config), 0);
	r = kr_config_edit(KR_FIELD_IPTABLES, &config, file, &yes, &diag,
	                   &edits);
	if (row->want) {
		ck_assert_msg(r == 0 && diag.n_messages == 0, "%s: %d%s%s",
		              row->name, r, kr_test_messages(&ignored),
		              kr_test_messages(&diag));
		if (edits.n_files == 0)
			return file;
		ck_assert_int_eq(
			kr_file_edits_apply(&edits.files[0], &out, &size), 0);
		return kr_test_file(file->path, out, size);
	}
	ck_assert_msg(r == KR_REFUSED && edits.n_files == 0, "%s: %d",
	              row->name, r);
	ck_assert_msg(diag.n_messages == 1 &&
	                      strstr(diag.messages[0].text, row->why),
	              "%s:%s", row->name, kr_test_messages(&diag));
	if (row->line)
		ck_assert_msg(diag.messages[0].line == row->line &&
		                      diag.messages[0].column == row->column,
		              "%s:%s", row->name, kr_test_messages(&diag));
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* No byte of AFTER may be another one: each is, once; but for one blank instead
 * of another in a member that was inserted. */
static void try_all_bytes(const struct edit_row *row,
                          const struct kr_file *before,
                          const struct kr_file *after,
                          const struct kr_config_options *options)
{
	static const char changes[] = " x\"\n0,";
	_cleanup_free_ char *data = strdup(after->data);
	struct kr_file other = *after;
	size_t start = 0, end, grown = after->size - before->size;

	while (before->data[start] == after->data[start])
		start++;
	end = after->size > before->size + 10 ? start + grown : 0;
	other.data = data;
	for (size_t i = 0; i < after->size; i++) {
		char byte = data[i];

		for (size_t k = 0; k < strlen(changes); k++) {
			int r;

			if (changes[k] == byte ||
			    (i < end && is_blank(byte) && is_blank(changes[k])))
				continue;
			data[i] = changes[k];
			r = kr_config_prove(KR_FIELD_IPTABLES, before, &other,
			                    options, &yes, NULL);
			ck_assert_msg(r == KR_MALFORMED,
			              "%s: byte %zu may be '%c': %d", row->name,
			              i, changes[k], r);
		}
		data[i] = byte;
	}
}

START_TEST(test_edit)
{
	const struct edit_row *row = &edit_rows[_i];
	const struct kr_config_options options = {.dropin = row->dropin};
	const struct kr_file *before =
		kr_test_file("/config", row->in, strlen(row->in));
	const struct kr_file *after = edited(row, before, &options);
	_cleanup_config_ struct kr_config config = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	int r;

	if (!row->want)
		return;
	ck_assert_msg(strcmp(after->data, row->want) == 0, "%s: got '%s'",
	              row->name, after->data);
	ck_assert_int_eq(kr_config_parse(after, &options, &diag, &config), 0);
	ck_assert_msg(state_of(&config) == KR_STATE_TRUE &&
	                      !kr_diag_first(&diag, KR_ERROR),
	              "%s: state %d%s", row->name, state_of(&config),
	              kr_test_messages(&diag));
	r = kr_config_prove(KR_FIELD_IPTABLES, before, after, &options, &yes,
	                    &diag);
	ck_assert_msg(r == 0, "%s: %d%s", row->name, r,
	              kr_test_messages(&diag));
	r = kr_config_prove(KR_FIELD_IPTABLES, before, after, &options, &no,
	                    NULL);
	ck_assert_msg(r == KR_MALFORMED, "%s: proves the opposite", row->name);
	if (after != before)
		try_all_bytes(row, before, after, &options);
}
END_TEST

/* Fields of other types, and below others. */
static const struct field_row {
	const char *name;
	int field;
	const char *value; /* as its flag has it */
	const char *in, *want, *why;
	bool dropin;
} field_rows[] = {
	{"a boolean below", KR_FIELD_ANONYMOUS, "false",
         "{" GVK ",\"authentication\":{\"anonymous\":{\"enabled\":true}}}",
         "{" GVK ",\"authentication\":{\"anonymous\":{\"enabled\":false}}}"},
	{"... with its parents", KR_FIELD_ANONYMOUS, "false", "{" GVK "}",
         "{" GVK ",\"authentication\":{\"anonymous\":{\"enabled\":false}}}"},
	{"... in a null", KR_FIELD_ANONYMOUS, "false",
         YAML "authentication:\nmaxPods: 1\n",
         YAML "authentication: {anonymous: {enabled: false}}\nmaxPods: 1\n"},
	{"... of which each is changed", KR_FIELD_ANONYMOUS, "false",
         YAML "authentication:\n  anonymous:\n    enabled: \"x\"\n"
              "    enabled: no\n    enabled: true\n",
         YAML "authentication:\n  anonymous:\n    enabled: false\n"
              "    enabled: no\n    enabled: false\n"},
	{"a gate", KR_FIELD_GATE_ROTATE_SERVER, "true",
         YAML "featureGates:\n  A: true\nmaxPods: 1\n",
         YAML "featureGates:\n  A: true\n  RotateKubeletServerCertificate: "
              "true\nmaxPods: 1\n"},
	{"a gate in a null", KR_FIELD_GATE_ROTATE_SERVER, "true",
         "{" GVK ",\"featureGates\":null}",
         "{" GVK
         ",\"featureGates\":{\"RotateKubeletServerCertificate\":true}}"},
	{"a gate in {}", KR_FIELD_GATE_ROTATE_SERVER, "true",
         YAML "featureGates: {}\n",
         YAML "featureGates: {RotateKubeletServerCertificate: true}\n"},
	{"a null of a drop-in takes away what others have", KR_FIELD_ANONYMOUS,
         "false", "{" GVK ",\"authentication\":null}", NULL,
         "what another file has", true},
	{"gates and a null", KR_FIELD_GATE_ROTATE_SERVER, "true",
         "{" GVK ",\"featureGates\":{\"A\":true},\"featureGates\":null}", NULL,
         "there once"},
	{"a duration", KR_FIELD_STREAMING_TIMEOUT, "5m",
         YAML "streamingConnectionIdleTimeout: 0s\n",
         YAML "streamingConnectionIdleTimeout: 5m0s\n"},
	{"a duration that is there in other words", KR_FIELD_STREAMING_TIMEOUT,
         "5m", YAML "streamingConnectionIdleTimeout: 300s\n",
         YAML "streamingConnectionIdleTimeout: 300s\n"},
	{"an integer", KR_FIELD_EVENT_QPS, "5",
         "{" GVK ",\"eventRecordQPS\":0}", "{" GVK ",\"eventRecordQPS\":5}"},
	{"a path", KR_FIELD_CLIENT_CA, "/etc/ca.crt",
         YAML "authentication:\n  webhook:\n    enabled: true\n",
         YAML "authentication:\n  webhook:\n    enabled: true\n  x509:\n    "
              "clientCAFile: /etc/ca.crt\n"},
	{"a list", KR_FIELD_TLS_CIPHERS, "TLS_A,TLS_B",
         YAML "tlsCipherSuites:\n- TLS_C\n",
         YAML "tlsCipherSuites:\n- TLS_A\n- TLS_B\n"},
	{"a list that is not there", KR_FIELD_TLS_CIPHERS, "TLS_A,TLS_B",
         "{\n  " GVK "\n}",
         "{\n  " GVK ",\"tlsCipherSuites\":[\"TLS_A\",\"TLS_B\"]\n}"},
	{"a drop-in's parent in another case", KR_FIELD_ANONYMOUS, "false",
         "{" GVK ",\"Authentication\":{\"Anonymous\":{\"x\":1}}}",
         "{" GVK
         ",\"Authentication\":{\"Anonymous\":{\"x\":1,\"enabled\":false}}}",
         .dropin = true},
	{"another case is another name", KR_FIELD_ANONYMOUS, "false",
         YAML "Authentication:\n  anonymous:\n    enabled: true\n",
         YAML "Authentication:\n  anonymous:\n    enabled: true\n"
              "authentication:\n  anonymous:\n    enabled: false\n"},
	{"the internal version's names", KR_FIELD_ANONYMOUS, "false",
         "{\"kind\":\"KubeletConfiguration\",\"apiVersion\":"
         "\"kubelet.config.k8s.io/__internal\","
         "\"Authentication\":{\"Anonymous\":{\"Enabled\":true}}}",
         "{\"kind\":\"KubeletConfiguration\",\"apiVersion\":"
         "\"kubelet.config.k8s.io/__internal\","
         "\"Authentication\":{\"Anonymous\":{\"Enabled\":false}}}"},
	{"a parent comes through an alias", KR_FIELD_ANONYMOUS, "false",
         YAML "x: &a {anonymous: {enabled: true}}\nauthentication: *a\n", NULL,
         "alias"},
	{"a merge key brings the parent", KR_FIELD_ANONYMOUS, "false",
         YAML "<<: {authentication: {webhook: {enabled: true}}}\n", NULL,
         "merge key"},
	{"the parent is of a wrong type", KR_FIELD_ANONYMOUS, "false",
         "{" GVK ",\"authentication\":[]}", NULL, "another reason"},
	{"the parent of a drop-in is of a wrong type", KR_FIELD_ANONYMOUS,
         "false", "{" GVK ",\"authentication\":[]}", NULL, "must be a mapping",
         true},
};

START_TEST(test_fields)
{
	const struct field_row *row = &field_rows[_i];
	const struct kr_config_options options = {.dropin = row->dropin};
	const struct kr_file *after,
		*file = kr_test_file("/config", row->in, strlen(row->in));
	_cleanup_config_ struct kr_config config = {0}, edited = {0};
	_cleanup_edits_ struct kr_edits edits = {0}, again = {0};
	_cleanup_diag_ struct kr_diag diag = {0}, ignored = {0};
	_cleanup_value_ struct kr_value value = {0};
	_cleanup_free_ char *out = NULL;
	size_t size = 0;
	int r;

	ck_assert_int_eq(kr_value_parse(kr_field(row->field)->type, row->value,
	                                strlen(row->value), &value),
	                 0);
	ck_assert_int_eq(kr_config_parse(file, &options, &ignored, &config), 0);
	r = kr_config_edit(row->field, &config, file, &value, &diag, &edits);
	if (!row->want) {
		ck_assert_msg(r == KR_REFUSED && edits.n_files == 0 &&
		                      diag.n_messages == 1 &&
		                      strstr(diag.messages[0].text, row->why),
		              "%s: %d%s", row->name, r,
		              kr_test_messages(&diag));
		return;
	}
	ck_assert_msg(r == 0, "%s: %d%s", row->name, r,
	              kr_test_messages(&diag));
	after = file;
	if (edits.n_files > 0) {
		ck_assert_int_eq(
			kr_file_edits_apply(&edits.files[0], &out, &size), 0);
		after = kr_test_file(file->path, out, size);
	}
	ck_assert_msg(strcmp(after->data, row->want) == 0, "%s: got '%s'",
	              row->name, after->data);
	ck_assert_int_eq(kr_config_parse(after, &options, NULL, &edited), 0);
	ck_assert_int_eq(kr_config_edit(row->field, &edited, after, &value,
	                                NULL, &again),
	                 0);
	ck_assert_msg(again.n_files == 0, "%s: again", row->name);
	if (after == file)
		return;
	r = kr_config_prove(row->field, file, after, &options, &value, &diag);
	ck_assert_msg(r == 0, "%s: %d%s", row->name, r,
	              kr_test_messages(&diag));
	r = kr_config_prove(KR_FIELD_PROTECT_KERNEL, file, after, &options,
	                    &yes, NULL);
	ck_assert_msg(r == KR_MALFORMED, "%s: proven of another field",
	              row->name);
}
END_TEST

#define MADE "# Made by kubelet-remedy.\n" YAML

static const struct {
	const char *name;
	struct {
		int field;
		const char *value; /* as its flag has it */
	} fields[4];
	const char *want; /* behind MADE */
} made_rows[] = {
	{"nothing", {{0}}, ""},
	{"at the top",
         {{KR_FIELD_IPTABLES, "true"}},
         "makeIPTablesUtilChains: true\n"},
	{"below others",
         {{KR_FIELD_ANONYMOUS, "false"}},
         "authentication:\n  anonymous:\n    enabled: false\n"},
	{"several below one",
         {{KR_FIELD_ANONYMOUS, "false"},
          {KR_FIELD_READ_ONLY_PORT, "0"},
          {KR_FIELD_CLIENT_CA, "/etc/a b.crt"},
          {KR_FIELD_WEBHOOK, "true"}},
         "authentication:\n  anonymous:\n    enabled: false\n  x509:\n"
         "    clientCAFile: \"/etc/a b.crt\"\n  webhook:\n"
         "    enabled: true\nreadOnlyPort: 0\n"},
	{"a gate",
         {{KR_FIELD_GATE_ROTATE_SERVER, "true"}},
         "featureGates:\n  RotateKubeletServerCertificate: true\n"},
	{"a list and a duration",
         {{KR_FIELD_TLS_CIPHERS, "TLS_A,on"},
          {KR_FIELD_STREAMING_TIMEOUT, "240m"}},
         "tlsCipherSuites:\n  - TLS_A\n  - \"on\"\n"
         "streamingConnectionIdleTimeout: 4h0m0s\n"},
	{"an empty list",
         {{KR_FIELD_TLS_CIPHERS, ""}},
         "tlsCipherSuites: []\n"},
};

START_TEST(test_make)
{
	_cleanup_free_ char *text = NULL, *want = NULL;
	struct kr_value values[4];
	int fields[4], r;
	size_t n = 0;

	for (; n < 4 && made_rows[_i].fields[n].value; n++) {
		const char *value = made_rows[_i].fields[n].value;

		fields[n] = made_rows[_i].fields[n].field;
		ck_assert_int_eq(kr_value_parse(kr_field(fields[n])->type,
		                                value, strlen(value),
		                                &values[n]),
		                 0);
	}
	r = kr_config_make(fields, values, n, &text);
	ck_assert_msg(r == 0, "%s: %d", made_rows[_i].name, r);
	ck_assert(asprintf(&want, "%s%s", MADE, made_rows[_i].want) > 0);
	ck_assert_msg(strcmp(text, want) == 0, "%s: got '%s'",
	              made_rows[_i].name, text);
	while (n > 0)
		kr_value_done(&values[--n]);
}
END_TEST

/* A value of each type that no field has by default. */
static const char *const samples[_KR_TYPE_MAX] = {
	[KR_TYPE_BOOL] = "true",          [KR_TYPE_INT32] = "77",
	[KR_TYPE_INT64] = "4000000000",   [KR_TYPE_DURATION] = "1h2m3.5s",
	[KR_TYPE_STRING] = "it's: \"#\"", [KR_TYPE_FLOAT] = "0.25",
	[KR_TYPE_LIST] = "a,1,no",
};

/* Every field that a file can have, each proven against the file without it;
 * kubelet of every version finds them all. */
START_TEST(test_make_all)
{
	struct kr_value values[KR_N_FIELDS];
	_cleanup_free_ char *before = NULL;
	int fields[KR_N_FIELDS];
	size_t n = 0;

	for (int i = 0; i < KR_N_FIELDS; i++) {
		const char *sample = samples[kr_field(i)->type];
		const struct kr_config_options options = {.dropin = n % 2};
		_cleanup_diag_ struct kr_diag diag = {0};
		char *after;
		int r;

		/* a string of these is a quantity */
		if (i == KR_FIELD_JSON_BUFFER || i == KR_FIELD_TEXT_BUFFER)
			sample = "77Mi";
		/* until 1.27 that of logging is a number */
		if (!kr_field(i)->path || !sample ||
		    i == KR_FIELD_LOGGING_FLUSH)
			continue;
		fields[n] = i;
		ck_assert_int_eq(kr_value_parse(kr_field(i)->type, sample,
		                                strlen(sample), &values[n]),
		                 0);
		ck_assert_int_eq(kr_config_make(fields, values, ++n, &after),
		                 0);
		if (before) {
			r = kr_config_prove(
				i, kr_test_file("/b", before, strlen(before)),
				kr_test_file("/a", after, strlen(after)),
				&options, &values[n - 1], &diag);
			ck_assert_msg(r == 0, "%s: %d%s in '%s'",
			              kr_field(i)->path, r,
			              kr_test_messages(&diag), after);
		}
		free(before);
		before = after;
	}
	ck_assert_uint_gt(n, 19);
	for (unsigned minor = 20; minor < 37; minor++) {
		const struct kr_config_options options = {
			.dropin = minor % 2, .kubelet_minor = minor};
		const struct kr_file *file =
			kr_test_file("/f", before, strlen(before));
		_cleanup_config_ struct kr_config config = {0};

		ck_assert_int_eq(kr_config_parse(file, &options, NULL, &config),
		                 0);
		for (size_t i = 0; i < n; i++) {
			const struct kr_config_use *use;

			kr_config_state(&config, fields[i], &use);
			ck_assert_msg(
				use && kr_state_is_value(use->state) &&
					kr_value_equal(&use->v, &values[i]),
				"%s of 1.%u", kr_field(fields[i])->path, minor);
		}
	}
	while (n > 0)
		kr_value_done(&values[--n]);
}
END_TEST

static const struct {
	const char *name, *before, *after;
	bool proven;
} proof_rows[] = {
	{"nothing is changed", "{" GVK "," OURS "true}",
         "{" GVK "," OURS "true}", true},
	{"changed", "{" GVK "," OURS "false}", "{" GVK "," OURS "true}", true},
	{"inserted", "{" GVK "}", "{" GVK ", " OURS "\ttrue}", true},
	{"not changed", "{" GVK "," OURS "false}", "{" GVK "," OURS "false}",
         false},
	{"changed and a blank more", "{" GVK "," OURS "false}",
         "{" GVK "," OURS " true}", false},
	{"changed and a line end more", "{" GVK "," OURS "false}",
         "{" GVK "," OURS "true}\n", false},
	{"a number printed anew", "{" GVK ",\"x\":1e3," OURS "false}",
         "{" GVK ",\"x\":1000," OURS "true}", false},
	{"a big number rounded",
         "{" GVK ",\"x\":9007199254740993," OURS "false}",
         "{" GVK ",\"x\":9007199254740992," OURS "true}", false},
	{"members swapped", "{" GVK ",\"x\":1," OURS "false}",
         "{" GVK "," OURS "true,\"x\":1}", false},
	{"inserted at another place", "{" GVK ",\"x\":1}",
         "{" GVK "," OURS "true,\"x\":1}", false},
	{"inserted twice", "{" GVK "}", "{" GVK "," OURS "true," OURS "true}",
         false},
	{"inserted with company", "{" GVK "}", "{" GVK ",\"x\":1," OURS "true}",
         false},
	{"inserted in a deeper object", "{" GVK ",\"x\":{}}",
         "{" GVK ",\"x\":{" OURS "true}}", false},
	{"the key is gone", "{" GVK "," OURS "false}", "{" GVK "}", false},
	{"one of two changed", "{" GVK "," OURS "false," OURS "false}",
         "{" GVK "," OURS "false," OURS "true}", false},
	{"one of two is gone", "{" GVK "," OURS "false," OURS "false}",
         "{" GVK "," OURS "true}", false},
	{"broken", "{" GVK "," OURS "false}", "{" GVK "," OURS "true", false},
	{"quoted", "{" GVK "," OURS "false}", "{" GVK "," OURS "\"true\"}",
         false},
	{"null", "{" GVK "," OURS "false}", "{" GVK "," OURS "null}", false},
	{"behind a merge key", YAML "<<: {" KEY ": false}\n",
         YAML "<<: {" KEY ": false}\n" KEY ": true\n", true},
	{"before a merge key", YAML "<<: {" KEY ": false}\n",
         YAML KEY ": true\n<<: {" KEY ": false}\n", false},
	{"in what a merge key brings", YAML "<<: {" KEY ": false}\n",
         YAML "<<: {" KEY ": true}\n", false},
	{"behind a merge key, and in what it brings",
         YAML "<<: {" KEY ": false}\n",
         YAML "<<: {" KEY ": true}\n" KEY ": true\n", false},
	{"behind one merge key, before another",
         YAML "<<: {" KEY ": false}\n<<: {" KEY ": false}\n",
         YAML "<<: {" KEY ": false}\n" KEY ": true\n<<: {" KEY ": false}\n",
         false},
	{"what a merge key brings is gone, and it is added",
         YAML "<<: {" KEY ": false}\n", YAML "<<: {}\n" KEY ": true\n", false},
	{"YAML now", "{" GVK "," OURS "false}", "#\n{" GVK "," OURS "true}",
         false},
};

START_TEST(test_prove)
{
	const char *before = proof_rows[_i].before;
	const char *after = proof_rows[_i].after;
	_cleanup_diag_ struct kr_diag diag = {0};
	int r = kr_config_prove(
		KR_FIELD_IPTABLES, kr_test_file("/b", before, strlen(before)),
		kr_test_file("/a", after, strlen(after)), NULL, &yes, &diag);

	ck_assert_msg(r == (proof_rows[_i].proven ? 0 : KR_MALFORMED),
	              "%s: %d%s", proof_rows[_i].name, r,
	              kr_test_messages(&diag));
	ck_assert_msg(!kr_diag_first(&diag, KR_ERROR) == proof_rows[_i].proven,
	              "%s:%s", proof_rows[_i].name, kr_test_messages(&diag));
}
END_TEST

/* A merge key that brings what is wanted is enough. */
static const char *const settled[] = {
	YAML "<<: {" KEY ": true}\n",
	YAML "<<: {" KEY ": false}\n<<: {" KEY ": true}\n",
	YAML "<<: {" KEY ": false}\n" KEY ": true\n",
};

START_TEST(test_settled)
{
	const char *text = settled[_i];
	const struct kr_file *file = kr_test_file("/c", text, strlen(text));
	_cleanup_config_ struct kr_config config = {0};
	_cleanup_edits_ struct kr_edits edits = {0};

	ck_assert_int_eq(kr_config_parse(file, NULL, NULL, &config), 0);
	ck_assert_int_eq(kr_config_edit(KR_FIELD_IPTABLES, &config, file, &yes,
	                                NULL, &edits),
	                 0);
	ck_assert_msg(edits.n_files == 0, "%s", text);
}
END_TEST

START_TEST(test_others)
{
	static const char text[] =
		"{" GVK ",\"healthzPort\":0,\"healthzBindAddress\":\"::1\","
		"\"iptablesMasqueradeBit\":14,\"iptablesDropBit\":15}";
	static const char bare[] = "{" GVK "}";
	_cleanup_config_ struct kr_config config = {0}, none = {0};
	const struct kr_config_use *use;
	const struct kr_file *file;

	file = kr_test_file("/c", text, strlen(text));
	ck_assert_int_eq(kr_config_parse(file, NULL, NULL, &config), 0);
	ck_assert_int_eq(state_of(&config), KR_STATE_ABSENT);
	kr_config_state(&config, KR_FIELD_HEALTHZ_PORT, &use);
	ck_assert_int_eq(use->v.n, 0);
	kr_config_state(&config, KR_FIELD_HEALTHZ_ADDRESS, &use);
	ck_assert_str_eq(use->v.s, "::1");
	kr_config_state(&config, KR_FIELD_MASQUERADE_BIT, &use);
	ck_assert_int_eq(use->v.n, 14);
	kr_config_state(&config, KR_FIELD_DROP_BIT, &use);
	ck_assert_int_eq(use->v.n, 15);
	file = kr_test_file("/c", bare, strlen(bare));
	ck_assert_int_eq(kr_config_parse(file, NULL, NULL, &none), 0);
	ck_assert_uint_eq(none.n_uses, 0);
}
END_TEST

START_TEST(test_spans)
{
	static const char text[] =
		"{\n  " GVK ",\n  " OURS " false,\n  " OURS " null\n}";
	const struct kr_file *file = kr_test_file("/c", text, strlen(text));
	_cleanup_config_ struct kr_config config = {0};
	const struct kr_config_use *use;
	unsigned line, column;

	ck_assert_int_eq(kr_config_parse(file, NULL, NULL, &config), 0);
	ck_assert_int_eq(state_of(&config), KR_STATE_NULL);
	ck_assert_uint_eq(config.n_uses, 2);
	kr_config_state(&config, KR_FIELD_IPTABLES, &use);
	ck_assert_ptr_eq(use, &config.uses[1]);
	ck_assert_int_eq(config.uses[0].state, KR_STATE_FALSE);
	ck_assert_uint_eq(config.uses[0].value.length, 5);
	kr_span_position(config.uses[0].value, &line, &column);
	ck_assert_uint_eq(line, 3);
	ck_assert_uint_eq(column, 29);
	kr_span_position(config.uses[1].key, &line, &column);
	ck_assert_uint_eq(line, 4);
	ck_assert_uint_eq(column, 3);
}
END_TEST

static void read_with_remarks(const char *text, struct kr_diag *diag,
                              struct kr_config *ret)
{
	const struct kr_file *file = kr_test_file("/c", text, strlen(text));

	ck_assert_int_eq(kr_config_parse(file, NULL, diag, ret), 0);
	kr_config_remark(ret, file, KR_FIELD_IPTABLES, diag);
}

static const char *const cases[] = {
	"makeiptablesutilchains",
	"MakeIPTablesUtilChains",
	"makeIptablesUtilChains",
};

/* A name in another case is told, as it does nothing. */
START_TEST(test_case)
{
	_cleanup_config_ struct kr_config config = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_free_ char *text = NULL;
	const struct kr_message *m;

	ck_assert_int_gt(asprintf(&text, "{" GVK ",\n\"%s\":false}", cases[_i]),
	                 0);
	read_with_remarks(text, &diag, &config);
	ck_assert_int_eq(state_of(&config), KR_STATE_ABSENT);
	m = kr_diag_find(&diag, "config-case");
	ck_assert_msg(m && m->severity == KR_WARNING && m->line == 2 &&
	                      m->column == 1,
	              "%s:%s", cases[_i], kr_test_messages(&diag));
}
END_TEST

/* Names that only look like the key, in a file that kubelet reads. */
static const struct {
	const char *name, *text;
	const char *want; /* "code line:column" each */
} stray_rows[] = {
	{"the key alone", YAML KEY ": true\n", ""},
	{"the flag's name", YAML "make-iptables-util-chains: true\n",
         "config-name 3:1 "},
	{"the flag with its dashes", YAML "--make-iptables-util-chains: true\n",
         "config-name 3:1 "},
	{"underscores", YAML "make_iptables_util_chains: true\n",
         "config-name 3:1 "},
	{"capitals", YAML "MAKE_IPTABLES_UTIL_CHAINS: true\n",
         "config-name 3:1 "},
	{"the flag's name, in JSON",
         "{" GVK ",\"make-iptables-util-chains\":false}", "config-name 1:77 "},
	{"escapes", "{" GVK ",\"make\\u002diptables-util-chains\":false}",
         "config-name 1:77 "},
	{"a no-break space before it", YAML "\xc2\xa0" KEY ": false\n",
         "config-name 3:1 "},
	{"a zero-width space behind it", YAML KEY "\xe2\x80\x8b: false\n",
         "config-name 3:1 "},
	{"blanks in quotes", YAML "\" " KEY " \": false\n", "config-name 3:1 "},
	{"no blank behind the colon", "---\n{" GVK ",\n" KEY ":false}\n",
         "config-name 3:1 "},
	{"below a map", YAML "authentication:\n  " KEY ": false\n",
         "config-nested 4:3 "},
	{"below a map that kubelet does not know",
         YAML "kubelet:\n  " KEY ": false\n", "config-nested 4:3 "},
	{"the flag's name, below a map",
         YAML "kubelet: {make-iptables-util-chains: false}\n",
         "config-nested 3:11 "},
	{"below a list", YAML "x:\n- - " KEY ": false\n", "config-nested 4:5 "},
	{"below a map, in JSON", "{" GVK ",\"x\":[{" OURS "false}]}",
         "config-nested 1:83 "},
	{"beside the key", YAML KEY ": true\nx: {" KEY ": false}\n",
         "config-nested 4:5 "},
	{"that a merge key brings up",
         "x: &x\n  " KEY ": false\n" YAML "<<: *x\n", ""},
	{"that an alias repeats", YAML "x: &x {" KEY ": 1}\ny: *x\n",
         "config-nested 3:8 "},
	{"twice", YAML "x: {" KEY ": 1}\ny: {" KEY ": 1}\n",
         "config-nested 3:5 config-nested 4:5 "},
	{"in the second document", YAML "---\n" KEY ": false\n",
         "config-document 4:1 "},
	{"in quotes in the third",
         YAML "---\na: 1\n---\n  \"" KEY "\" : false\n",
         "config-document 6:4 "},
	{"a comment in the second", YAML "---\n# " KEY ": false\n", ""},
	{"a longer name", YAML KEY "Not: 1\nx" KEY ": 1\n", ""},
	{"the beginning of the name", YAML "makeIPTables: 1\n", ""},
	{"a value", YAML "clusterDomain: " KEY "\n", ""},
	{"a comment", YAML "# " KEY ": false\n", ""},
	{"in a text", YAML "x: |\n  " KEY ": false\n", ""},
	{"kubelet refuses the file",
         YAML "maxPods: x\nmake-iptables-util-chains: true\n",
         "config-type 3:10 "},
	{"the internal version, where it is the key",
         "{\"kind\":\"KubeletConfiguration\",\"apiVersion\":"
         "\"kubelet.config.k8s.io/__internal\",\"MakeIPTablesUtilChains\":"
         "true}",
         ""},
};

START_TEST(test_stray)
{
	const char *text = stray_rows[_i].text;
	_cleanup_config_ struct kr_config config = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	char got[512] = "";

	read_with_remarks(text, &diag, &config);
	for (size_t i = 0; i < diag.n_messages; i++) {
		const struct kr_message *m = &diag.messages[i];
		char place[64];

		snprintf(place, sizeof(place), "%s %u:%u ", m->code, m->line,
		         m->column);
		strlcat(got, place, sizeof(got));
	}
	ck_assert_msg(strcmp(got, stray_rows[_i].want) == 0, "%s: %s%s",
	              stray_rows[_i].name, got, kr_test_messages(&diag));
}
END_TEST

/* Of many there are some, and the number of the others. */
START_TEST(test_many_strays)
{
	static char text[1 << 16];
	_cleanup_config_ struct kr_config config = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	size_t n = 0, n_more = 0;

	strlcpy(text, YAML, sizeof(text));
	for (size_t i = 0; i < 1000; i++) {
		char line[64];

		snprintf(line, sizeof(line), "x%zu: {" KEY ": 1}\n", i);
		strlcat(text, line, sizeof(text));
	}
	read_with_remarks(text, &diag, &config);
	for (size_t i = 0; i < diag.n_messages; i++) {
		n += diag.messages[i].n_more == 0;
		n_more += diag.messages[i].n_more;
	}
	ck_assert_uint_eq(n, KR_DIAG_KEPT);
	ck_assert_uint_eq(n_more, 1000 - KR_DIAG_KEPT);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "config", NULL, NULL);

	tcase_add_loop_test(tc, test_edit, 0, ARRAY_SIZE(edit_rows));
	tcase_add_loop_test(tc, test_fields, 0, ARRAY_SIZE(field_rows));
	tcase_add_loop_test(tc, test_make, 0, ARRAY_SIZE(made_rows));
	tcase_add_test(tc, test_make_all);
	tcase_add_loop_test(tc, test_prove, 0, ARRAY_SIZE(proof_rows));
	tcase_add_loop_test(tc, test_settled, 0, ARRAY_SIZE(settled));
	tcase_add_test(tc, test_others);
	tcase_add_test(tc, test_spans);
	tcase_add_loop_test(tc, test_case, 0, ARRAY_SIZE(cases));
	tcase_add_loop_test(tc, test_stray, 0, ARRAY_SIZE(stray_rows));
	tcase_add_test(tc, test_many_strays);
}

KR_TEST_MAIN(add_tests);
