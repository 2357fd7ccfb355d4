/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet in a container that the unit makes.
 *
 *	podman run --name kubelet -v /etc/kubernetes:/etc/kubernetes:ro IMAGE \
 *		--config=/etc/kubernetes/kubelet.json
 *
 * In ExecStart=, or in an ExecStartPre= where ExecStart= only follows the
 * container's log. Which word is the image cannot be told without the table of
 * all options of each version of docker and podman, so kubelet's words are
 * known by their names; none of those that count here is an option of "run".
 * What an entrypoint makes of them is the image's, so they are named as what
 * sets the value, and never taken for the value itself.
 *
 * A file of the host is read where a volume shows it at the same path. Another
 * path, or none, is the image's file.
 *
 * Source: docker-run(1), podman-run(1), rkt's "run" command.
 */

#include <string.h>

#include "kubelet/flag-table.h"
#include "node/foreign-read.h"

static const char *text_at(const struct kr_unit_command *c, size_t i)
{
	return i < c->n_words && c->words[i].text.bytes ? c->words[i].text.bytes
	                                                : "";
}

static bool is_runtime(const struct kr_unit_command *c)
{
	static const char *const names[] = {"docker", "podman", "nerdctl",
	                                    "rkt"};
	const char *program = c->path ? c->path : text_at(c, 0);
	const char *slash = strrchr(program, '/');

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(slash ? slash + 1 : program, names[i]) == 0)
			return true;
	}
	return false;
}

/* The first word behind "run"; 0: the command makes no container. */
static size_t first_word(const struct kr_unit_command *c)
{
	for (size_t i = 1; i < c->n_words; i++) {
		if (strcmp(text_at(c, i), "run") == 0 ||
		    strcmp(text_at(c, i), "create") == 0)
			return i + 1;
	}
	return 0;
}

/* --- volumes ------------------------------------------------------------- */

/* The value of the volume option at word I, in it or behind it; NULL: another
 * word. */
static const char *volume_at(const struct kr_unit_command *c, size_t i)
{
	static const char *const names[] = {"--volume", "-v"};
	const char *text = text_at(c, i);

	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		size_t n = strlen(names[k]);

		if (strncmp(text, names[k], n) != 0)
			continue;
		if (text[n] == '=')
			return text + n + 1;
		if (text[n] == '\0')
			return text_at(c, i + 1);
	}
	return NULL;
}

/* Whether VOLUME ("FROM:TO[:OPTIONS]") shows PATH where the host has it. */
static bool volume_shows(const char *volume, const char *path)
{
	size_t from = strcspn(volume, ":"), to, n;

	if (*volume != '/' || volume[from] != ':')
		return false;
	to = strcspn(volume + from + 1, ":");
	if (to != from || strncmp(volume, volume + from + 1, from) != 0)
		return false;
	n = from;
	while (n > 0 && volume[n - 1] == '/')
		n--;
	return strncmp(path, volume, n) == 0 &&
	       (path[n] == '/' || path[n] == '\0');
}

static bool is_shown(const struct kr_unit_command *c, const char *path)
{
	for (size_t i = 1; i < c->n_words; i++) {
		const char *volume = volume_at(c, i);

		if (volume && volume_shows(volume, path))
			return true;
	}
	return false;
}

/* --- kubelet's words ----------------------------------------------------- */

/* The flag that TEXT is, if it is one that counts here. */
static const struct kr_flag *flag_of(const struct kr_foreign_reading *rd,
                                     const char *text)
{
	const char *const names[] = {rd->setting->flag, "config", "config-dir"};
	const struct kr_flag *flag;

	if (strncmp(text, "--", 2) != 0)
		return NULL;
	flag = kr_flag_find(text + 2, strcspn(text + 2, "="));
	for (size_t i = 0; flag && i < ARRAY_SIZE(names); i++) {
		if (strcmp(flag->name, names[i]) == 0)
			return flag;
	}
	return NULL;
}

static int add_word(struct kr_foreign_reading *rd,
                    const struct kr_unit_command *c, size_t i)
{
	const char *text = text_at(c, i);

	return kr_foreign_add(rd,
	                      i < c->n_words ? c->words[i].span : KR_SPAN_NONE,
	                      text, strlen(text));
}

/* Adds the flag at word I, and moves I to its last word. */
static int add_flag(struct kr_foreign_reading *rd,
                    const struct kr_unit_command *c, const struct kr_flag *flag,
                    size_t *i)
{
	const char *equals = strchr(text_at(c, *i), '=');
	bool own_word = !equals && !kr_flag_is_bare(flag);
	const char *value = equals ? equals + 1 : text_at(c, *i + 1);
	size_t at = *i;
	int r;

	if (own_word)
		(*i)++;
	if (strcmp(flag->name, rd->setting->flag) != 0 && !is_shown(c, value))
		return 0;
	r = add_word(rd, c, at);
	if (r < 0 || !own_word)
		return r;
	return add_word(rd, c, at + 1);
}

static int read_command(struct kr_foreign_reading *rd,
                        const struct kr_unit_command *c)
{
	size_t first = is_runtime(c) ? first_word(c) : 0;

	if (first == 0)
		return 0;
	for (size_t i = first; i < c->n_words; i++) {
		const struct kr_flag *flag = flag_of(rd, text_at(c, i));
		int r = flag ? add_flag(rd, c, flag, &i) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

int kr_foreign_read_container(struct kr_foreign_reading *rd)
{
	const struct kr_unit *unit = rd->unit;
	int r;

	for (size_t i = 0; i < unit->n_before_commands; i++) {
		r = read_command(rd, &unit->before_commands[i]);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < unit->n_commands; i++) {
		r = read_command(rd, &unit->commands[i]);
		if (r < 0)
			return r;
	}
	return 0;
}
