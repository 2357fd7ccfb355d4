/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Credentials: files that systemd makes for a service at its start, in a folder
 * of its own, /run/credentials/UNIT. "%d" and $CREDENTIALS_DIRECTORY are that
 * folder.
 *
 *	LoadCredential=ID:/PATH		the content of the file, links followed;
 *					of a folder all files, as ID_NAME
 *	LoadCredential=ID[:NAME]	what systemd itself was given
 *	LoadCredentialEncrypted=	the same, decrypted
 *	SetCredential=ID:TEXT		the text, unless the first has a file
 *	SetCredentialEncrypted=		the same, decrypted
 *	ImportCredential=GLOB		what systemd itself was given, by name
 *
 * The last is known since systemd 254. Only the file of an absolute path can
 * be known from the host; it is read at each command, so that what
 * ExecStartPre= makes of it counts. A line is not split into words and has no
 * quotes. A later line of the same ID takes the place of the earlier one; an
 * empty value clears all of the list, which the encrypted one shares. A
 * line with a bad ID or path is ignored. (Tried on systemd 252:
 * tests/test-systemd-start.py.)
 *
 * Source: config_parse_load_credential(), config_parse_set_credential() in
 * src/core/load-fragment.c, acquire_credentials() in src/core/execute.c of
 * systemd 252; systemd.exec(5), "CREDENTIALS".
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "unit/credentials.h"

#define FOLDER          "/run/credentials"
#define CREDENTIALS_MAX ((size_t)250) /* each line looks at all of them */

static const char *const directives[] = {
	[KR_CREDENTIAL_LOAD] = "LoadCredential",
	[KR_CREDENTIAL_LOAD_ENCRYPTED] = "LoadCredentialEncrypted",
	[KR_CREDENTIAL_SET] = "SetCredential",
	[KR_CREDENTIAL_SET_ENCRYPTED] = "SetCredentialEncrypted",
	[KR_CREDENTIAL_IMPORT] = "ImportCredential",
};

static_assert(ARRAY_SIZE(directives) == _KR_CREDENTIAL_MAX,
              "a directive for each kind");

static void credential_done(struct kr_unit_credential *credential)
{
	free(credential->name);
	free(credential->path);
	free(credential->source);
	*credential = (struct kr_unit_credential){0};
}

bool kr_credentials_have(const char *path)
{
	return strncmp(path, FOLDER "/", strlen(FOLDER "/")) == 0;
}

void kr_credentials_done(struct kr_unit *unit)
{
	for (size_t i = 0; i < unit->n_credentials; i++)
		credential_done(&unit->credentials[i]);
	free(unit->credentials);
}

/* The kind that KIND shares a list with. */
static enum kr_credential list_of(enum kr_credential kind)
{
	switch (kind) {
	case KR_CREDENTIAL_LOAD_ENCRYPTED:
		return KR_CREDENTIAL_LOAD;
	case KR_CREDENTIAL_SET_ENCRYPTED:
		return KR_CREDENTIAL_SET;
	default:
		return kind;
	}
}

/* Those of the list of KIND; with NAME only the one of this name. */
static void take_back(struct kr_unit *unit, enum kr_credential kind,
                      const char *name)
{
	size_t n = 0;

	KR_EACH(struct kr_unit_credential, c, unit->credentials,
	        unit->n_credentials) {
		if (list_of(c->kind) == list_of(kind) &&
		    (!name || strcmp(c->name, name) == 0))
			credential_done(c);
		else
			unit->credentials[n++] = *c;
	}
	unit->n_credentials = n;
}

/* Moves *C in. */
static int add(struct kr_unit *unit, const struct kr_specifiers *s,
               struct kr_unit_credential *c)
{

	take_back(unit, c->kind, c->name);
	if (unit->n_credentials == CREDENTIALS_MAX) {
		kr_diag_add(s->diag, KR_ERROR, "credentials-too-large", c->span,
		            "the service is too large: it would have more than "
		            "%zu credentials",
		            CREDENTIALS_MAX);
		return -EFBIG;
	}
	return KR_VEC_MOVE(unit->credentials, unit->n_credentials, c);
}

static bool name_valid(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > NAME_MAX || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return false;
	for (; *name; name++) {
		if (*name < ' ' || *name > '~' || strchr("/:", *name))
			return false;
	}
	return true;
}

/* An absolute path without "//", "." and "..". */
static bool path_valid(const char *path)
{
	_cleanup_free_ char *normal = kr_path_normalise(path);

	return *path == '/' && normal && strcmp(path, normal) == 0;
}

/* The part [START, END) of VALUE, its specifiers resolved. 1: systemd ignores
 * the line. */
static int expand(const struct kr_specifiers *s, const struct kr_text *value,
                  size_t start, size_t end, char **ret, bool *ret_unknown)
{
	_cleanup_text_ struct kr_text part = {0}, text = {0};
	bool any = false;
	int r = kr_text_append_part(&part, value, start, end - start);

	if (r < 0)
		return r;
	r = kr_specifiers_expand(s, &part, PATH_MAX - 1, &text, &any,
	                         ret_unknown);
	if (r < 0)
		return r == -ENOMEM ? r : 1;
	*ret = strdup(text.bytes);
	return *ret ? 0 : -ENOMEM;
}

/* What LoadCredential= names behind the colon at END of VALUE. */
static int read_source(const struct kr_specifiers *s,
                       const struct kr_text *value, size_t end,
                       struct kr_unit_credential *c)
{
	_cleanup_free_ char *source = NULL;
	bool unknown = false;
	int r;

	if (list_of(c->kind) != KR_CREDENTIAL_LOAD || end + 1 >= value->length)
		return 0;
	r = expand(s, value, end + 1, value->length, &source, &unknown);
	if (r != 0 || unknown)
		return r;
	if (*source == '/' ? !path_valid(source) : !name_valid(source))
		return 1;
	if (*source == '/')
		c->source = TAKE_PTR(source);
	return 0;
}

static int take_line(struct kr_unit *unit, const struct kr_specifiers *s,
                     enum kr_credential kind, const struct kr_text *value)
{
	const char *colon = memchr(value->bytes, ':', value->length);
	size_t end = colon && kind != KR_CREDENTIAL_IMPORT
	                     ? (size_t)(colon - value->bytes)
	                     : value->length;
	_cleanup_(credential_done) struct kr_unit_credential c = {
		.kind = kind,
		.directive = directives[kind],
		.span = kr_text_span(value, 0, value->length),
	};
	bool unknown = false;
	int r = expand(s, value, 0, end, &c.name, &unknown);

	if (r != 0)
		return r < 0 ? r : 0;
	if (kind != KR_CREDENTIAL_IMPORT && !name_valid(c.name))
		return 0;
	r = read_source(s, value, end, &c);
	if (r != 0)
		return r < 0 ? r : 0;
	return add(unit, s, &c);
}

int kr_credentials_take(struct kr_unit *unit,
                        const struct kr_specifiers *specifiers,
                        const char *name, const struct kr_text *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(directives); i++) {
		if (strcmp(directives[i], name) != 0)
			continue;
		if (value->length > 0)
			return take_line(unit, specifiers, i, value);
		take_back(unit, i, NULL);
	}
	return 0;
}

int kr_credentials_complete(struct kr_unit *unit, const char *name,
                            char **ret_folder, bool *ret_maybe)
{
	_cleanup_free_ char *folder = kr_path_join(FOLDER, name);
	bool any = false;

	if (!folder)
		return -ENOMEM;
	KR_EACH(struct kr_unit_credential, c, unit->credentials,
	        unit->n_credentials) {
		c->path = kr_path_join(folder, c->name);
		if (!c->path)
			return -ENOMEM;
		any = any || c->kind != KR_CREDENTIAL_IMPORT;
	}
	*ret_maybe = !any && unit->n_credentials > 0;
	*ret_folder = any ? TAKE_PTR(folder) : NULL;
	return 0;
}
