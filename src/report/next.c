/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The last line of a result. Whoever copies it into a shell must get the same
 * node and the same API server as before.
 */

#include <string.h>

#include "base/clock.h"
#include "report/advice.h"
#include "report/next.h"

#define PUT_RIGHT "put this right, then run it again"

/* An option of a command, its word quoted for a shell where it has to be. */
static void print_word(const struct kr_term *term, const char *option,
                       const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+@%:=,";
	bool quoted = strspn(word, plain) != strlen(word);

	fprintf(term->out, " %s=%s", option, quoted ? "'" : "");
	for (const char *c = word; *c; c += strcspn(c, "'")) {
		for (; *c == '\''; c++)
			fputs("'\\''", term->out);
		kr_term_bytes(term, c, strcspn(c, "'"));
	}
	fputs(quoted ? "'" : "", term->out);
}

static void print_scope(const struct kr_term *term, const struct kr_node *node)
{
	if (strcmp(node->root, "/") != 0)
		print_word(term, "--root", node->root);
	if (strcmp(node->unit_name, "kubelet.service") != 0)
		print_word(term, "--unit", node->unit_name);
	if (node->config_override)
		print_word(term, "--config", node->config_override);
}

static void print_api(const struct kr_term *term, const struct kr_node *node,
                      const struct kr_api_options *api)
{
	const struct {
		const char *option, *word;
	} words[] = {
		{"--node", node->name_override},
		{"--cacert", api ? api->cacert : NULL},
		{"--token-file", api ? api->token_file : NULL},
		{"--cert", api ? api->cert : NULL},
		{"--key", api ? api->key : NULL},
	};

	if (!api || !api->configz)
		return;
	if (api->url)
		print_word(term, "--configz", api->url);
	else
		fputs(" --configz", term->out);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i].word)
			print_word(term, words[i].option, words[i].word);
	}
	if (api->insecure_http)
		fputs(" --insecure-http", term->out);
}

void kr_next_options(const struct kr_term *term, const struct kr_node *node,
                     const struct kr_api_options *api)
{
	print_scope(term, node);
	if (node->version_override)
		print_word(term, "--kubelet-version", node->version_override);
	print_api(term, node, api);
}

/*
 * By the invocation, in the terms of both who write about it (systemd/journal).
 * A start that systemd said nothing of is told by its time.
 */
void kr_next_print_log(const struct kr_term *term, const struct kr_fix *fix)
{
	const struct kr_node *node = fix->host->node;
	const char *id = fix->failed.id;
	char when[KR_RFC3339_SIZE];

	kr_term_color(term, KR_COLOR_DIM, "next:");
	fputs(" journalctl", term->out);
	if (strcmp(node->root, "/") != 0)
		print_word(term, "--root", node->root);
	/* what a process writes that is gone before journald looks at it has no
	 * invocation there, only its unit */
	if (*id && fix->failed.pid > 0) {
		fprintf(term->out,
		        " _SYSTEMD_INVOCATION_ID=%s + INVOCATION_ID=%s", id,
		        id);
	} else {
		kr_journal_time(fix->failed_usec, when);
		print_word(term, "--unit", node->unit_name);
		print_word(term, "--since", when);
	}
	fputc('\n', term->out);
}

void kr_next_print(const struct kr_term *term, const struct kr_node *node,
                   const struct kr_api_options *api, const char *command)
{
	kr_term_color(term, KR_COLOR_DIM, "next:");
	fprintf(term->out, " kubelet-remedy %s", command);
	if (strcmp(command, "status") == 0)
		print_scope(term, node);
	else
		kr_next_options(term, node, api);
	fputc('\n', term->out);
}

void kr_next_print_version(const struct kr_term *term,
                           const struct kr_node *node,
                           const struct kr_api_options *api)
{
	kr_term_color(term, KR_COLOR_DIM, "next:");
	fputs(" kubelet-remedy audit", term->out);
	kr_next_options(term, node, api);
	fputs(" --kubelet-version=VERSION, as 'kubelet --version' says it\n",
	      term->out);
}

/* What a refusal wants written first are lines of their own. */
static void print_text(const struct kr_term *term, const struct kr_message *m)
{
	const char *lf =
		strcmp(m->code, "refused") == 0 ? strchr(m->text, '\n') : NULL;

	if (!lf) {
		kr_term_text(term, m->text);
		return;
	}
	kr_term_bytes(term, m->text, (size_t)(lf - m->text));
	while (lf) {
		const char *line = lf + 1;

		lf = strchr(line, '\n');
		fputs("\n    ", term->out);
		kr_term_bytes(term, line,
		              lf ? (size_t)(lf - line) : strlen(line));
	}
}

void kr_next_print_cause(const struct kr_term *term, const struct kr_diag *diag,
                         bool with_text)
{
	const struct kr_message *m = kr_diag_cause(diag);
	const char *advice = kr_advice(diag);

	kr_term_color(term, KR_COLOR_DIM, "next:");
	fputc(' ', term->out);
	if (m && m->file)
		kr_term_text(term, m->file);
	if (m && m->file && m->line > 0)
		fprintf(term->out, ":%u:%u", m->line, m->column);
	if (m && m->file)
		fputs(": ", term->out);
	if (m && with_text)
		print_text(term, m);
	if (m && with_text && advice)
		fputs("; ", term->out);
	if (advice || !m || !with_text)
		kr_term_text(term, advice ? advice : PUT_RIGHT);
	fputc('\n', term->out);
}
