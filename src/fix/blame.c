/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The control to blame.
 *
 * A kubelet that refuses a setting says so in its last words, as the key of the
 * configuration ("invalid configuration: serverTLSBootstrap true requires
 * feature gate ..."), as the flag, or by what it could not do with it. Only the
 * line counts by which it ended: those before it tell of flags that are
 * deprecated, too. Two controls in it are no answer.
 *
 * Source of the words: cmd/kubelet/app/server.go and auth.go,
 * pkg/kubelet/apis/config/validation, pkg/kubelet/cm/container_manager_linux.go
 * and component-base/cli/flag/ciphersuites_flag.go of kubelet 1.20 to 1.34.
 */

#include <ctype.h>
#include <string.h>

#include "base/macro.h"
#include "base/vec.h"
#include "fix/blame.h"
#include "host/log-line.h"

/* What kubelet says of a setting without its name. */
static const struct {
	int rule;
	const char *words;
} said[] = {
	{KR_FIELD_PROTECT_KERNEL, "invalid kernel flag"},
	{KR_FIELD_AUTHORIZATION_MODE, "cannot use webhook authorization"},
	{KR_FIELD_AUTHORIZATION_MODE, "unknown authorization mode"},
	{KR_FIELD_CLIENT_CA, "unable to load client CA"},
	{KR_FIELD_TLS_CIPHERS, "Cipher suite"},
};

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

/* Whether LINE has NAME, in whatever case, as a word of its own. */
static bool has_word(const char *line, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = line; (at = strcasestr(at, name)); at++) {
		const char *end = at + length;

		/* "--flag", "Config.Key" */
		if (at > line &&
		    (isalnum((unsigned char)at[-1]) || at[-1] == '_'))
			continue;
		/* the full stop of a sentence ends a word, too */
		if (!is_name_byte(*end) ||
		    (*end == '.' && !is_name_byte(end[1])))
			return true;
	}
	return false;
}

static bool is_named(const char *line, const struct kr_rule *rule)
{
	if (has_word(line, rule->name))
		return true;
	for (size_t i = 0; i < rule->n_fields; i++) {
		const char *flag = kr_field(rule->fields[i])->flag;

		/* of a gate, and of others, it is the flag of many */
		if (flag && rule->subject == KR_SUBJECT_FIELDS &&
		    kr_rule_find(flag, strlen(flag)) == rule &&
		    has_word(line, flag))
			return true;
	}
	return KR_ANY(one, said, ARRAY_SIZE(said),
	              rule == &kr_rules_table[one->rule] &&
	                      strcasestr(line, one->words));
}

const struct kr_rule *kr_blame_find(const struct kr_log *log,
                                    const struct kr_rule *const *rules,
                                    size_t n_rules)
{
	const struct kr_rule *found = NULL;

	for (size_t i = 0; i < log->n_lines; i++) {
		const char *text = log->lines[i].text;
		enum kr_log_kind kind =
			kr_log_line_classify(text, strlen(text));

		if (kind != KR_LOG_REASON && kind != KR_LOG_TROUBLE)
			continue;
		for (size_t k = 0; k < n_rules; k++) {
			if (rules[k] == found || !is_named(text, rules[k]))
				continue;
			if (found)
				return NULL;
			found = rules[k];
		}
	}
	return found;
}
