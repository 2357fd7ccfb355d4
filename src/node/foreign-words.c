/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet's words in the command of another program, known by their names.
 *
 * A container that the unit makes, in ExecStart=, or in an ExecStartPre= where
 * ExecStart= only follows its log:
 *
 *	podman run --name kubelet -v /etc/kubernetes:/etc/kubernetes:ro IMAGE \
 *		--config=/etc/kubernetes/kubelet.json
 *
 * Which word is the image cannot be known without the table of all options of
 * each version of docker and podman; none of the flags that count here is an
 * option of "run". A file of the host is read where a volume shows it at the
 * same path. Another path, or none, is the image's file.
 *
 * A wrapper, whatever it does besides:
 *
 *	nsenter -t 1 -m /usr/bin/kubelet --v=2
 *	/bin/sh -c "exec kubelet --v=2"
 *	/usr/bin/env -S "kubelet --v=2"
 *	/opt/start.sh --v=2		a script that names kubelet
 *	/usr/lib/coreos/kubelet-wrapper --v=2	a program named after it
 *
 * What an entrypoint, a shell or a script makes of the words is theirs, so they
 * are named as what sets the value, and never taken for the value itself.
 *
 * Source: docker-run(1), podman-run(1), rkt's "run" command.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "kubelet/field.h"
#include "kubelet/flag-table.h"
#include "node/foreign-words.h"

/* What the readers of all platforms put together: words, and doubts. */

struct kr_foreign_row;

/* Whether a file of kubelet's is named by the flag NAME. */
static bool foreign_names_file(const char *name)
{
	return strcmp(name, "config") == 0 || strcmp(name, "config-dir") == 0;
}

bool kr_foreign_counts(const char *name)
{
	int field = kr_field_of_flag(name);

	return foreign_names_file(name) ||
	       (field >= 0 && field < KR_N_SETTINGS);
}

int kr_foreign_add(struct kr_foreign_reading *rd, struct kr_span span,
                   const char *text, size_t length)
{
	struct kr_foreign *f = rd->foreign;
	struct kr_foreign_word *word = KR_VEC_NEXT(f->words, f->n_words);

	if (!word)
		return -ENOMEM;
	word->text = strndup(text, length);
	if (!word->text)
		return -ENOMEM;
	word->span = span;
	f->n_words++;
	return 0;
}

int kr_foreign_doubt(struct kr_foreign_reading *rd, const char *format, ...)
{
	va_list args;
	int r;

	if (rd->doubt)
		return 0;
	va_start(args, format);
	r = kr_vformat(&rd->doubt, format, args);
	va_end(args);
	return r;
}

/* Of --config in one command; for each all its volumes are looked at. */
#define FILES_MAX 100

static const char *text_at(const struct kr_unit_command *c, size_t i)
{
	return i < c->n_words ? c->words[i].text : "";
}

static bool is_runtime(const struct kr_unit_command *c)
{
	static const char *const names[] = {"docker", "podman", "nerdctl",
	                                    "rkt"};
	const char *program = c->path ? c->path : text_at(c, 0);
	const char *slash = strrchr(program, '/');

	return kr_is_among(slash ? slash + 1 : program, names,
	                   ARRAY_SIZE(names));
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
static const struct kr_flag *flag_of(const char *text)
{
	const struct kr_flag *flag;

	if (strncmp(text, "--", 2) != 0)
		return NULL;
	flag = kr_flag_find(text + 2, strcspn(text + 2, "="));
	return flag && kr_foreign_counts(flag->name) ? flag : NULL;
}

static int add_word(struct kr_foreign_reading *rd,
                    const struct kr_unit_command *c, size_t i)
{
	const char *text = text_at(c, i);
	int r = kr_foreign_add(
		rd, i < c->n_words ? kr_word_span(&c->words[i]) : KR_SPAN_NONE,
		text, strlen(text));

	if (r < 0)
		return r;
	if (i < c->n_words)
		rd->foreign->words[rd->foreign->n_words - 1].doubt =
			c->words[i].from->why;
	return 0;
}

/* Whether TEXT was meant to be the value of the bare flag before it: kubelet
 * takes it for a command, and exits. */
static bool is_stray(const char *text)
{
	return strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
}

/* Adds the flag at word I, and moves I to its last word. */
static int add_flag(struct kr_foreign_reading *rd,
                    const struct kr_unit_command *c, const struct kr_flag *flag,
                    bool in_container, size_t *i)
{
	const char *equals = strchr(text_at(c, *i), '=');
	bool own_word = !equals && !kr_flag_is_bare(flag);
	const char *value = equals ? equals + 1 : text_at(c, *i + 1);
	size_t at = *i;
	int r;

	if (own_word || (!equals && is_stray(value)))
		(*i)++;
	if (in_container && foreign_names_file(flag->name) &&
	    !is_shown(c, value))
		return 0;
	r = add_word(rd, c, at);
	if (r < 0 || *i == at)
		return r;
	return add_word(rd, c, at + 1);
}

static int read_words(struct kr_foreign_reading *rd,
                      const struct kr_unit_command *c, size_t first,
                      bool in_container)
{
	size_t n_files = 0;

	for (size_t i = first; i < c->n_words; i++) {
		const struct kr_flag *flag = flag_of(text_at(c, i));
		int r;

		if (!flag ||
		    (foreign_names_file(flag->name) && n_files++ >= FILES_MAX))
			continue;
		r = add_flag(rd, c, flag, in_container, &i);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_container(struct kr_foreign_reading *rd,
                          const struct kr_unit_command *c)
{
	size_t first = is_runtime(c) ? first_word(c) : 0;

	return first > 0 ? read_words(rd, c, first, true) : 0;
}

int kr_foreign_read_container(struct kr_foreign_reading *rd)
{
	const struct kr_unit *unit = rd->unit;
	int r;

	for (size_t i = 0; i < unit->n_before_commands; i++) {
		r = read_container(rd, &unit->before_commands[i]);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < unit->n_commands; i++) {
		r = read_container(rd, &unit->commands[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- wrappers ------------------------------------------------------------ */

#define BLANKS " \t\r\n"

static bool is_named(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, name) == 0;
}

/* The word that is the kubelet to run, by its path or name; 0: none. */
static size_t kubelet_word(const struct kr_unit_command *c)
{
	for (size_t i = 1; i < c->n_words; i++) {
		const char *text = text_at(c, i);

		if (*text != '/' && strchr(text, '/'))
			continue;
		if (is_named(text, "kubelet") || is_named(text, "hyperkube"))
			return i;
	}
	return 0;
}

static const char *program_of(const struct kr_unit_command *c)
{
	return c->path ? c->path : text_at(c, 0);
}

/* env that splits a word itself: -S, -vS, --split-string. */
static bool is_splitting(const struct kr_unit_command *c)
{
	if (!is_named(program_of(c), "env"))
		return false;
	for (size_t i = 1; i < c->n_words; i++) {
		const char *text = text_at(c, i);

		if (strncmp(text, "--", 2) == 0
		            ? strncmp(text, "--s", 3) == 0
		            : *text == '-' && strchr(text, 'S'))
			return true;
		if (strstr(text, "kubelet"))
			break;
	}
	return false;
}

/* The word with the commands of a shell; 0: it runs none that name kubelet. */
static size_t shell_word(const struct kr_unit_command *c)
{
	static const char *const shells[] = {"sh", "bash", "dash", "ash",
	                                     "env"};
	const char *program = program_of(c);

	if (is_named(program, "env") && !is_splitting(c))
		return 0;
	for (size_t k = 0; k < ARRAY_SIZE(shells); k++) {
		if (!is_named(program, shells[k]))
			continue;
		for (size_t i = 1; i < c->n_words; i++) {
			if (strstr(text_at(c, i), "kubelet"))
				return i;
		}
	}
	return 0;
}

/* The script that the command runs and that starts kubelet, as it names it or
 * is given it; or NULL. */
static const struct kr_file *script_of(struct kr_fs *fs,
                                       const struct kr_unit_command *c)
{
	const struct kr_file *file;

	if (!c->path || kr_fs_is_script(fs, c->path) != 1 ||
	    kr_fs_read(fs, c->path, &file) < 0)
		return NULL;
	if (kubelet_word(c) == 0 &&
	    !memmem(file->data, file->size, "kubelet", strlen("kubelet")))
		return NULL;
	return file;
}

/* "kubelet-wrapper", "start-kubelet.sh". */
static bool is_named_after(const struct kr_unit_command *c)
{
	const char *program = program_of(c), *slash = strrchr(program, '/');

	return strstr(slash ? slash : program, "kubelet");
}

bool kr_foreign_is_wrapper(struct kr_fs *fs, const struct kr_unit_command *c)
{
	return kubelet_word(c) > 0 || shell_word(c) > 0 || script_of(fs, c) ||
	       is_named_after(c);
}

/* The flags among the words of a shell's commands, in FILE or, where that is
 * NULL, in WORD. */
static int read_shell(struct kr_foreign_reading *rd, const char *text,
                      size_t size, const struct kr_text *word,
                      const struct kr_file *file)
{
	bool bare = false; /* the word before is a flag without a value */
	size_t at = 0;

	while (at < size) {
		size_t n, start = at + strspn(text + at, BLANKS "\"'");
		_cleanup_free_ char *copy = NULL;
		bool stray;
		int r;

		n = strcspn(text + start, BLANKS "\"'\\;|&<>()");
		if (n == 0) {
			at = start + (start < size);
			continue;
		}
		at = start + n;
		if (text[start] == '#') { /* to the end of the line */
			at = start + strcspn(text + start, "\n");
			continue;
		}
		copy = strndup(text + start, n);
		if (!copy)
			return -ENOMEM;
		stray = bare && is_stray(copy);
		bare = flag_of(copy) && !strchr(copy, '=');
		if (!stray && (!flag_of(copy) ||
		               (bare && !kr_flag_is_bare(flag_of(copy)))))
			continue;
		r = kr_foreign_add(rd,
		                   file ? (struct kr_span){file, start, n}
		                        : kr_text_span(word, start, n),
		                   copy, n);
		if (r < 0)
			return r;
	}
	return 0;
}

int kr_foreign_read_wrapper(struct kr_foreign_reading *rd)
{
	const struct kr_unit_command *c = rd->command;
	const struct kr_file *script = script_of(rd->fs, c);
	size_t word = kubelet_word(c), shell = shell_word(c);
	struct kr_text text;
	int r = kr_foreign_doubt(rd, "%s may change kubelet's arguments",
	                         program_of(c));

	if (r < 0)
		return r;
	/* without a kubelet among its words, all may be for the one it runs */
	if (word > 0 || shell == 0)
		r = read_words(rd, c, word + 1, false);
	if (r < 0)
		return r;
	if (word == 0 && shell > 0) {
		text = kr_word_text(&c->words[shell]);
		r = read_shell(rd, text.bytes, text.length, &text, NULL);
	}
	if (r < 0 || !script)
		return r;
	return read_shell(rd, script->data, script->size, NULL, script);
}
