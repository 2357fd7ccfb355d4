/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A service may see another tree of files than the host: each of these
 * directives mounts something over a path, for the service alone.
 *
 *	BindPaths= BindReadOnlyPaths=	[-]SOURCE[:PATH[:OPTIONS]] ...
 *	TemporaryFileSystem=		PATH[:OPTIONS] ...
 *	InaccessiblePaths=		[-][+]PATH ...
 *	MountImages=			[-]SOURCE:PATH[:OPTIONS] ...
 *	ExtensionImages= ExtensionDirectories=	over /usr, /opt and /etc
 *	PrivateTmp= DynamicUser=	yes: over /tmp and /var/tmp
 *	PrivateDevices=			yes: over /dev
 *	ProtectHome=			yes, tmpfs: over /home, /root, /run/user
 *
 * What only makes a path read-only shows the same files, and is no matter here.
 * An empty value clears all that its directive added before; the two of
 * binds are one list.
 *
 * Source: systemd.exec(5); config_parse_bind_paths(),
 * config_parse_temporary_filesystems(), config_parse_namespace_path_strv() in
 * src/core/load-fragment.c, protect_home_yes_table in src/core/namespace.c of
 * systemd 252.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "unit/mounts.h"
#include "unit/word.h"

#define LINE_MAX_BYTES ((size_t)1024 * 1024)
/* A service has a dozen. Each directive looks at all of them. */
#define MOUNTS_MAX ((size_t)250)

/* How the words of a directive are written. */
enum form {
	FORM_BIND,
	FORM_PATH,  /* PATH[:OPTIONS], and marks before it */
	FORM_IMAGE, /* the second of the parts is the path */
	FORM_EXTENSION,
	FORM_TMP,
	FORM_DEVICES,
	FORM_HOME,
};

static const struct directive {
	const char *name;
	enum form form;
	/* what shares the list of it */
	const char *list;
} directives[] = {
	{"BindPaths", FORM_BIND, "BindPaths"},
	{"BindReadOnlyPaths", FORM_BIND, "BindPaths"},
	{"TemporaryFileSystem", FORM_PATH, "TemporaryFileSystem"},
	{"InaccessiblePaths", FORM_PATH, "InaccessiblePaths"},
	{"InaccessibleDirectories", FORM_PATH, "InaccessiblePaths"},
	{"MountImages", FORM_IMAGE, "MountImages"},
	{"ExtensionImages", FORM_EXTENSION, "ExtensionImages"},
	{"ExtensionDirectories", FORM_EXTENSION, "ExtensionDirectories"},
	{"PrivateTmp", FORM_TMP, "PrivateTmp"},
	{"DynamicUser", FORM_TMP, "DynamicUser"},
	{"PrivateDevices", FORM_DEVICES, "PrivateDevices"},
	{"ProtectHome", FORM_HOME, "ProtectHome"},
};

static const struct directive *find_directive(const char *name)
{
	return KR_FIND(directives, ARRAY_SIZE(directives), name, name);
}

/* The one whose own name, not only the same, a mount has. */
static const struct directive *directive_of(const struct kr_unit_mount *mount)
{
	size_t i = 0;

	while (directives[i].name != mount->directive)
		i++;
	return &directives[i];
}

static void mount_done(struct kr_unit_mount *mount)
{
	free(mount->path);
	free(mount->source);
}

void kr_mounts_done(struct kr_unit *unit)
{
	for (size_t i = 0; i < unit->n_mounts; i++)
		mount_done(&unit->mounts[i]);
	free(unit->mounts);
}

static void take_back(struct kr_unit *unit, const struct directive *directive)
{
	size_t n = 0;

	for (size_t i = 0; i < unit->n_mounts; i++) {
		const struct directive *d = directive_of(&unit->mounts[i]);

		if (strcmp(d->list, directive->list) == 0)
			mount_done(&unit->mounts[i]);
		else
			unit->mounts[n++] = unit->mounts[i];
	}
	unit->n_mounts = n;
}

/* PATH, and SOURCE unless it is NULL, are absolute or nothing is added. */
static int add(struct kr_unit *unit, const struct directive *directive,
               struct kr_span span, const char *path, const char *source)
{
	bool optional = source && *source == '-';
	_cleanup_(mount_done) struct kr_unit_mount mount = {
		.optional = optional,
		.overlay = directive->form == FORM_EXTENSION,
		.directive = directive->name,
		.span = span,
	};

	if (source)
		source += optional;
	if (*path != '/' || (source && *source != '/'))
		return 0;
	if (unit->n_mounts == MOUNTS_MAX)
		return -EFBIG;
	mount.path = kr_path_normalise(path);
	mount.source = source ? kr_path_normalise(source) : NULL;
	if (!mount.path || (source && !mount.source))
		return -ENOMEM;
	return KR_VEC_MOVE(unit->mounts, unit->n_mounts, &mount);
}

static int add_all(struct kr_unit *unit, const struct directive *directive,
                   struct kr_span span, const char *const *paths)
{
	for (; *paths; paths++) {
		int r = add(unit, directive, span, *paths, NULL);

		if (r < 0)
			return r;
	}
	return 0;
}

/* WORD is changed. */
static int add_word(struct kr_unit *unit, const struct directive *directive,
                    struct kr_span span, char *word)
{
	char *rest = word;
	const char *first = strsep(&rest, ":");
	const char *second = rest ? strsep(&rest, ":") : NULL;

	switch (directive->form) {
	case FORM_BIND:
		if (!second || !*second)
			second = first + (*first == '-');
		return add(unit, directive, span, second, first);
	case FORM_IMAGE:
		return second ? add(unit, directive, span, second, NULL) : 0;
	default:
		first += *first == '-';
		first += *first == '+';
		return add(unit, directive, span, first, NULL);
	}
}

static int add_words(struct kr_unit *unit, const struct kr_specifiers *s,
                     const struct directive *directive,
                     const struct kr_text *value)
{
	struct kr_span span = kr_text_span(value, 0, value->length);
	_cleanup_text_ struct kr_text text = {0};
	bool any = false, unknown = false;
	size_t at = 0;
	int r = kr_specifiers_expand(s, value, LINE_MAX_BYTES, &text, &any,
	                             &unknown);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (;;) {
		_cleanup_split_word_ struct kr_split_word word = {0};

		r = kr_split_next(&text, &at, 0, &word);
		if (r <= 0)
			return r == -ENOMEM ? r : 0;
		r = add_word(unit, directive, span, word.text.bytes);
		if (r < 0)
			return r;
	}
}

static bool is_one_of(const char *value, const char *const *words)
{
	for (; *words; words++) {
		if (strcasecmp(value, *words) == 0)
			return true;
	}
	return false;
}

/* A switch; what is no value of one is passed over. */
static int take_switch(struct kr_unit *unit, const struct directive *directive,
                       const struct kr_text *value)
{
	static const char *const on[] = {"1",  "yes",          "y", "true", "t",
	                                 "on", "disconnected", NULL};
	static const char *const off[] = {"0", "no",  "n", "false",
	                                  "f", "off", NULL};
	static const char *const tmp[] = {"/tmp", "/var/tmp", NULL};
	static const char *const home[] = {"/home", "/root", "/run/user", NULL};
	static const char *const devices[] = {"/dev", NULL};
	bool is_home = directive->form == FORM_HOME;
	const char *text = value->bytes;
	struct kr_span span = kr_text_span(value, 0, value->length);

	if (is_home && strcmp(text, "read-only") == 0) {
		take_back(unit, directive);
		return 0;
	}
	if (is_one_of(text, on) || (is_home && strcmp(text, "tmpfs") == 0)) {
		take_back(unit, directive);
		return add_all(unit, directive, span,
		               is_home                           ? home
		               : directive->form == FORM_DEVICES ? devices
		                                                 : tmp);
	}
	if (is_one_of(text, off))
		take_back(unit, directive);
	return 0;
}

static int take(struct kr_unit *unit, const struct kr_specifiers *specifiers,
                const struct directive *directive, const struct kr_text *value)
{
	static const char *const extended[] = {"/usr", "/opt", "/etc", NULL};

	if (value->length == 0) {
		take_back(unit, directive);
		return 0;
	}
	switch (directive->form) {
	case FORM_TMP:
	case FORM_DEVICES:
	case FORM_HOME:
		return take_switch(unit, directive, value);
	case FORM_EXTENSION:
		return add_all(unit, directive,
		               kr_text_span(value, 0, value->length), extended);
	default:
		return add_words(unit, specifiers, directive, value);
	}
}

int kr_mounts_take(struct kr_unit *unit, const struct kr_specifiers *specifiers,
                   const char *name, const struct kr_text *value)
{
	const struct directive *directive = find_directive(name);
	int r;

	if (!directive)
		return 0;
	r = take(unit, specifiers, directive, value);
	if (r == -EFBIG)
		kr_diag_add(specifiers->diag, KR_ERROR, "mounts-too-large",
		            kr_text_span(value, 0, value->length),
		            "the service is too large: it would have more than "
		            "%zu mounts of its own",
		            MOUNTS_MAX);
	return r;
}
