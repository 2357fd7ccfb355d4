/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The record of a fix, as JSON. Each time the state moves on, it is written as
 * a whole (a new file, then a rename):
 *
 *   prepared ──> replacing ──> committed ──> kept ──> undone
 *       └────────────┴─────────────┴──> put-back or undone
 *
 * A record in one of the first three states was interrupted, if no fix runs.
 * What lies beside the targets goes only after the state that follows them is
 * on the disk.
 *
 * What is read need not be what was written: a disk, a human or the builder of
 * an image may have changed it. A record that lacks a member, a file or an edit
 * is no record, and neither is one whose names could be other files than ours.
 *
 * A record with a change of mode or owner has the schema 2: a program that
 * knows schema 1 alone would take it for one of a run that did less, or for no
 * record. So it says that a newer version wrote it, and leaves all as it is.
 * Such a program can revert every other record.
 *
 * The new file of a run has another name than that of a recovery: one that has
 * been passed by must not rename what its successor has written in part.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/json-build.h"
#include "base/vec.h"
#include "store/files.h"
#include "store/manifest.h"
#include "store/replace.h"

#define SCHEMA          1
#define SCHEMA_OF_PERMS 2 /* since mode and owner are changed, too */
#define TIME_MAX        ((double)(UINT64_C(1) << 53)) /* microseconds; exact there */

#define NUMBER_MAX 1e9 /* one a second for 30 years */

#define NEW_OF_RUN      "manifest.json.new"
#define NEW_OF_RECOVERY "manifest.json.back"

static const char *const state_names[] = {
	[KR_MANIFEST_PREPARED] = "prepared",
	[KR_MANIFEST_REPLACING] = "replacing",
	[KR_MANIFEST_COMMITTED] = "committed",
	[KR_MANIFEST_KEPT] = "kept",
	[KR_MANIFEST_PUT_BACK] = "put-back",
	[KR_MANIFEST_UNDONE] = "undone",
};

static_assert(ARRAY_SIZE(state_names) == _KR_MANIFEST_STATE_MAX,
              "a name for each state");

const char *kr_manifest_state_to_string(enum kr_manifest_state state)
{
	return state_names[state];
}

bool kr_manifest_is_ended_undo(const struct kr_manifest *manifest)
{
	return manifest->undoes && manifest->by_hand &&
	       manifest->state == KR_MANIFEST_UNDONE;
}

bool kr_manifest_is_pending(enum kr_manifest_state state)
{
	return state == KR_MANIFEST_PREPARED ||
	       state == KR_MANIFEST_REPLACING || state == KR_MANIFEST_COMMITTED;
}

/* --- writing ------------------------------------------------------------- */

/* "" is null, too. */
static void add_string(struct kr_build *b, cJSON *o, const char *name,
                       const char *s)
{
	kr_build_verbatim(b, o, name, s && *s ? s : NULL);
}

/* 0 is null. */
static void add_number(struct kr_build *b, cJSON *o, const char *name,
                       uint64_t number)
{
	if (number > 0)
		kr_build_number(b, o, name, (double)number);
	else
		add_string(b, o, name, NULL);
}

static void add_edit(struct kr_build *b, cJSON *edits, const struct kr_edit *e)
{
	cJSON *o = kr_build_element(b, edits);

	kr_build_number(b, o, "offset", (double)e->offset);
	kr_build_number(b, o, "length", (double)e->length);
	kr_build_verbatim(b, o, "text", e->text);
	add_string(b, o, "control", e->about);
}

static void add_ends(struct kr_build *b, cJSON *o, const char *name,
                     const char *from, const char *to)
{
	cJSON *ends = kr_build_object(b, o, name);

	add_string(b, ends, "from", from);
	add_string(b, ends, "to", to);
}

static void add_perms(struct kr_build *b, cJSON *o,
                      const struct kr_perms_change *change)
{
	char modes[2][KR_MODE_SIZE], owners[2][KR_OWNER_SIZE];

	if (!kr_perms_changes(change)) {
		add_string(b, o, "mode", NULL);
		add_string(b, o, "owner", NULL);
		return;
	}
	kr_mode_format(change->from.mode, modes[0]);
	kr_mode_format(change->to.mode, modes[1]);
	kr_owner_format(&change->from, owners[0]);
	kr_owner_format(&change->to, owners[1]);
	add_ends(b, o, "mode", modes[0], modes[1]);
	add_ends(b, o, "owner", owners[0], owners[1]);
}

static bool has_perms(const struct kr_manifest *m)
{
	return KR_ANY(f, m->files, m->n_files, kr_perms_changes(&f->perms));
}

static void add_file(struct kr_build *b, cJSON *files,
                     const struct kr_manifest_file *f, bool perms)
{
	cJSON *o = kr_build_element(b, files), *edits;

	add_string(b, o, "path", f->path);
	add_string(b, o, "copy", f->copy);
	add_string(b, o, "folder", f->folder);
	kr_build_boolean(b, o, "removed", f->removed);
	add_string(b, o, "before", f->before);
	add_string(b, o, "after", f->after);
	add_string(b, o, "temp", f->temp);
	add_string(b, o, "back", f->back);
	edits = kr_build_array(b, o, "edits");
	for (size_t i = 0; i < f->n_edits; i++)
		add_edit(b, edits, &f->edits[i]);
	if (!perms)
		return;
	add_perms(b, o, &f->perms);
	add_number(b, o, "ctime_usec", f->ctime_usec);
}

static void add_words(struct kr_build *b, cJSON *o, const char *name,
                      const struct kr_strings *words)
{
	cJSON *list = kr_build_array(b, o, name);

	for (size_t i = 0; i < words->n_items; i++)
		kr_build_word(b, list, words->items[i]);
}

/* NULL: memory ran out, for whatever part of it. */
static char *format(const struct kr_manifest *m)
{
	cJSON *root = cJSON_CreateObject(), *files;
	struct kr_build b = {0};
	char time[KR_RFC3339_SIZE];
	bool perms = has_perms(m);

	kr_rfc3339(m->realtime_usec, time);
	kr_build_number(&b, root, "schema", perms ? SCHEMA_OF_PERMS : SCHEMA);
	add_string(&b, root, "id", m->id);
	add_string(&b, root, "time", time);
	kr_build_number(&b, root, "time_usec", (double)m->realtime_usec);
	add_string(&b, root, "machine_id", m->machine_id);
	add_string(&b, root, "invocation_id", m->invocation_id);
	add_string(&b, root, "unit", m->unit);
	add_string(&b, root, "config", m->config);
	add_string(&b, root, "state", state_names[m->state]);
	add_string(&b, root, "disk_before", m->disk_before);
	add_string(&b, root, "reason", m->reason);
	add_string(&b, root, "blamed", m->blamed);
	add_string(&b, root, "edition", m->edition);
	kr_build_boolean(&b, root, "by_hand", m->by_hand);
	add_number(&b, root, "undone_usec", m->undone_usec);
	kr_build_boolean(&b, root, "partly", m->partly);
	kr_build_boolean(&b, root, "broken", m->broken);
	add_number(&b, root, "number", m->number);
	add_number(&b, root, "undone_number", m->undone_number);
	add_string(&b, root, "undoes", m->undoes);
	add_words(&b, root, "controls", &m->controls);
	add_words(&b, root, "values", &m->values);
	files = kr_build_array(&b, root, "files");
	for (size_t i = 0; i < m->n_files; i++)
		add_file(&b, files, &m->files[i], perms);
	return kr_build_lines(&b, root);
}

int kr_manifest_write(int folder_fd, const struct kr_manifest *manifest,
                      const struct kr_owner *owner)
{
	const char *new =
		owner && owner->recovers ? NEW_OF_RECOVERY : NEW_OF_RUN;
	_cleanup_free_ char *text = format(manifest);
	int r;

	if (!text)
		return -ENOMEM;
	r = kr_write_file(folder_fd, new, text, strlen(text), -1);
	if (r < 0)
		return r;
	if (owner && !kr_owner_is_mine(owner, folder_fd)) {
		unlinkat(folder_fd, new, 0);
		return KR_CHANGE_TAKEN;
	}
	if (renameat(folder_fd, new, folder_fd, "manifest.json") < 0)
		return -errno;
	return fsync(folder_fd) < 0 ? -errno : KR_CHANGE_DONE;
}

int kr_manifest_take_new(int folder_fd)
{
	return unlinkat(folder_fd, NEW_OF_RUN, 0) < 0 && errno != ENOENT
	               ? -errno
	               : 0;
}

/* --- reading ------------------------------------------------------------- */

/* A string member, copied; NULL where it is null or not there. */
static int take_string(const cJSON *o, const char *name, char **ret)
{
	const char *s =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

struct string {
	const char *name;
	char **to;
};

static int take_strings(const cJSON *o, const struct string *strings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = take_string(o, strings[i].name, strings[i].to);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Null, or a whole hash. */
static int take_hash(const cJSON *o, const char *name,
                     char ret[static KR_SHA256_HEX_SIZE])
{
	const char *s =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

	strlcpy(ret, s ? s : "", KR_SHA256_HEX_SIZE);
	if (s && (strlen(s) != KR_SHA256_HEX_SIZE - 1 ||
	          strspn(s, "0123456789abcdef") != strlen(s)))
		return KR_MALFORMED;
	return 0;
}

static int take_size(const cJSON *o, const char *name, size_t *ret)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, name);

	if (!cJSON_IsNumber(n) || !(n->valuedouble >= 0) ||
	    n->valuedouble > (double)KR_FILE_SIZE_MAX)
		return KR_MALFORMED;
	*ret = (size_t)n->valuedouble;
	return (double)*ret < n->valuedouble ? KR_MALFORMED : 0;
}

static int parse_edit(const cJSON *o, struct kr_manifest_file *f)
{
	struct kr_edit *edit = &f->edits[f->n_edits];
	int r = take_string(o, "text", &edit->text);

	if (r < 0)
		return r;
	if (!edit->text)
		return KR_MALFORMED;
	f->n_edits++;
	r = take_string(o, "control", &edit->about);
	if (r < 0)
		return r;
	r = take_size(o, "offset", &edit->offset);
	return r < 0 ? r : take_size(o, "length", &edit->length);
}

/* Of a file that is changed in place there are none. What the edits say is
 * compared with the copy by who applies them (fix/undo-edits). */
static int parse_edits(const cJSON *list, struct kr_manifest_file *f)
{
	int n = cJSON_GetArraySize(list), r;
	const cJSON *e;

	if (!cJSON_IsArray(list))
		return KR_MALFORMED;
	f->edits = calloc((size_t)n + 1, sizeof(*f->edits));
	if (!f->edits)
		return -ENOMEM;
	cJSON_ArrayForEach(e, list)
	{
		r = parse_edit(e, f);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_plain_name(const char *name)
{
	return !name || (*name && !strchr(name, '/') &&
	                 strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

/* What recovery removes must not be anything but ours. */
static bool is_beside(const char *name)
{
	return !name ||
	       (is_plain_name(name) &&
	        strncmp(name, KR_TEMP_PREFIX, strlen(KR_TEMP_PREFIX)) == 0);
}

/* FOLDER is on the way to PATH. */
static bool is_above(const char *folder, const char *path)
{
	size_t length = strlen(folder);

	return length > 1 && strncmp(path, folder, length) == 0 &&
	       path[length] == '/';
}

static int check_names(const struct kr_manifest_file *f)
{
	_cleanup_free_ char *normal = NULL;

	if (!f->path || *f->path != '/')
		return KR_MALFORMED;
	normal = kr_path_normalise(f->path);
	if (!normal)
		return -ENOMEM;
	if (strcmp(normal, f->path) != 0 || !f->path[1] ||
	    (f->folder && !is_above(f->folder, f->path)) ||
	    !is_plain_name(f->copy) || !is_beside(f->temp) ||
	    !is_beside(f->back))
		return KR_MALFORMED;
	return 0;
}

/* 1, or 0 where it is null. */
static int take_ends(const cJSON *o, const char *name, const char **ret_from,
                     const char **ret_to)
{
	const cJSON *ends = cJSON_GetObjectItemCaseSensitive(o, name);

	*ret_from = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(ends, "from"));
	*ret_to = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(ends, "to"));
	if (!ends || cJSON_IsNull(ends))
		return 0;
	return *ret_from && *ret_to ? 1 : KR_MALFORMED;
}

/* 0 where it is null, or not there. */
static int take_number(const cJSON *o, const char *name, double max,
                       uint64_t *ret)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(o, name);

	*ret = 0;
	if (!number || cJSON_IsNull(number))
		return 0;
	if (!cJSON_IsNumber(number) || !(number->valuedouble >= 0) ||
	    number->valuedouble > max)
		return KR_MALFORMED;
	*ret = (uint64_t)number->valuedouble;
	return 0;
}

static int take_usec(const cJSON *o, const char *name, uint64_t *ret)
{
	return take_number(o, name, TIME_MAX, ret);
}

/* Of the two rows in the history. */
static int take_numbers(const cJSON *root, struct kr_manifest *m)
{
	uint64_t number = 0, undone = 0;
	int r = take_number(root, "number", NUMBER_MAX, &number);

	if (r == 0)
		r = take_number(root, "undone_number", NUMBER_MAX, &undone);
	m->number = (unsigned)number;
	m->undone_number = (unsigned)undone;
	return r;
}

/* Mode and owner are there both or neither: what did not change is the same at
 * both ends. */
static int parse_perms(const cJSON *o, struct kr_manifest_file *f)
{
	struct kr_perms_change *c = &f->perms;
	const char *from_mode, *to_mode, *from_owner, *to_owner;
	int mode = take_ends(o, "mode", &from_mode, &to_mode);
	int owner = take_ends(o, "owner", &from_owner, &to_owner);

	if (mode < 0 || owner != mode)
		return KR_MALFORMED;
	if (mode > 0 &&
	    (kr_mode_parse(from_mode, &c->from.mode) < 0 ||
	     kr_mode_parse(to_mode, &c->to.mode) < 0 ||
	     kr_owner_parse(from_owner, &c->from) < 0 ||
	     kr_owner_parse(to_owner, &c->to) < 0 || !kr_perms_changes(c)))
		return KR_MALFORMED;
	return take_usec(o, "ctime_usec", &f->ctime_usec);
}

/* A file without edits has another mode or owner and the same bytes; one with
 * edits that has was not made and did not go. */
static bool fits_perms(const struct kr_manifest_file *f)
{
	if (kr_manifest_file_in_place(f))
		return kr_perms_changes(&f->perms) && !f->copy && !f->removed &&
		       !f->temp && !f->back && !f->folder &&
		       strcmp(f->before, f->after) == 0;
	return !kr_perms_changes(&f->perms) || (f->copy && !f->removed);
}

/* The file had bytes before unless it was made, and has some after unless it
 * was taken away. */
static bool has_hashes(const struct kr_manifest_file *f)
{
	if (kr_manifest_file_in_place(f))
		return *f->before && *f->after;
	return !f->copy == !*f->before && f->removed == !*f->after &&
	       (f->copy || !f->removed);
}

static int parse_file(const cJSON *o, struct kr_manifest_file *f)
{
	const struct string strings[] = {
		{"path", &f->path}, {"copy", &f->copy}, {"folder", &f->folder},
		{"temp", &f->temp}, {"back", &f->back},
	};
	int r = take_strings(o, strings, ARRAY_SIZE(strings));

	if (r < 0)
		return r;
	r = check_names(f);
	if (r < 0)
		return r;
	f->removed =
		cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "removed"));
	r = take_hash(o, "before", f->before);
	if (r < 0)
		return r;
	r = take_hash(o, "after", f->after);
	if (r < 0)
		return r;
	r = parse_edits(cJSON_GetObjectItemCaseSensitive(o, "edits"), f);
	if (r < 0)
		return r;
	r = parse_perms(o, f);
	if (r < 0)
		return r;
	return has_hashes(f) && fits_perms(f) ? 0 : KR_MALFORMED;
}

static int parse_state(const cJSON *root, struct kr_manifest *m)
{
	const char *state = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(root, "state"));
	const char *disk = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(root, "disk_before"));
	const cJSON *usec = cJSON_GetObjectItemCaseSensitive(root, "time_usec");
	int found = 0;

	for (size_t i = 0; state && i < ARRAY_SIZE(state_names); i++) {
		if (strcmp(state, state_names[i]) == 0) {
			m->state = (enum kr_manifest_state)i;
			found++;
		}
	}
	if (found != 1 || !disk || !cJSON_IsNumber(usec) ||
	    !(usec->valuedouble >= 0) || usec->valuedouble > TIME_MAX)
		return KR_MALFORMED;
	m->realtime_usec = (uint64_t)usec->valuedouble;
	m->disk_before = strdup(disk);
	return m->disk_before ? 0 : -ENOMEM;
}

/* A newer one may mean something else by the same names. */
static int check_schema(const cJSON *root)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(root, "schema");

	if (!cJSON_IsNumber(n))
		return KR_MALFORMED;
	if (n->valuedouble != SCHEMA && n->valuedouble != SCHEMA_OF_PERMS)
		return -EPROTONOSUPPORT;
	return 0;
}

/* --- a whole record ------------------------------------------------------ */

/* By the time since when they are written: what has one of the last has all. */
static const char *const members[] = {
	"id",    "time",   "time_usec",   "machine_id",
	"unit",  "state",  "disk_before", "reason",
	"files", "config", "by_hand",     "invocation_id",
};
#define N_FIRST_MEMBERS 9

static const char *const file_members[] = {
	"path",  "copy", "folder", "removed", "before",
	"after", "temp", "edits",  "back",
};
#define N_FIRST_FILE_MEMBERS 8

/* Schema 2 has these in each file. */
static const char *const perms_members[] = {"mode", "owner", "ctime_usec"};

static bool has_members(const cJSON *o, const char *const *names, size_t n)
{
	return !KR_ANY(name, names, n,
	               !cJSON_GetObjectItemCaseSensitive(o, *name));
}

static bool is_of_perms(const cJSON *root)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(root, "schema");

	return n->valuedouble == SCHEMA_OF_PERMS;
}

/* One that lost a part must not be taken for one of a run that did less: what
 * would be left of that run is not known. */
static bool is_whole(const cJSON *root)
{
	bool now = cJSON_GetObjectItemCaseSensitive(root, "invocation_id") ||
	           is_of_perms(root);
	const cJSON *files = cJSON_GetObjectItemCaseSensitive(root, "files");
	const cJSON *f;

	if (!has_members(root, members,
	                 now ? ARRAY_SIZE(members) : N_FIRST_MEMBERS) ||
	    !cJSON_IsArray(files) || cJSON_GetArraySize(files) == 0)
		return false;
	cJSON_ArrayForEach(f, files)
	{
		if (!has_members(f, file_members,
		                 now ? ARRAY_SIZE(file_members)
		                     : N_FIRST_FILE_MEMBERS) ||
		    (is_of_perms(root) &&
		     !has_members(f, perms_members, ARRAY_SIZE(perms_members))))
			return false;
	}
	return true;
}

/* Older records have none. */
static int take_words(const cJSON *root, const char *name,
                      struct kr_strings *ret)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, name);
	const cJSON *word;

	cJSON_ArrayForEach(word, list)
	{
		const char *text = cJSON_GetStringValue(word);
		int r = text ? kr_strings_add(ret, text) : KR_MALFORMED;

		if (r < 0)
			return r;
	}
	return 0;
}

static int parse(const cJSON *root, struct kr_manifest *m)
{
	const struct string strings[] = {
		{"machine_id", &m->machine_id},
		{"invocation_id", &m->invocation_id},
		{"unit", &m->unit},
		{"config", &m->config},
		{"reason", &m->reason},
		{"blamed", &m->blamed},
		{"edition", &m->edition},
		{"undoes", &m->undoes},
	};
	const cJSON *files = cJSON_GetObjectItemCaseSensitive(root, "files");
	const cJSON *f, *by_hand;
	int r = check_schema(root);

	if (r < 0)
		return r;
	r = is_whole(root) ? parse_state(root, m) : KR_MALFORMED;
	if (r < 0)
		return r;
	r = take_strings(root, strings, ARRAY_SIZE(strings));
	if (r < 0)
		return r;
	if (!m->unit)
		return KR_MALFORMED;
	r = take_words(root, "controls", &m->controls);
	if (r == 0)
		r = take_words(root, "values", &m->values);
	if (r < 0)
		return r;
	if (m->values.n_items > 0 && m->values.n_items != m->controls.n_items)
		return KR_MALFORMED;
	by_hand = cJSON_GetObjectItemCaseSensitive(root, "by_hand");
	/* older records do not tell, and most are */
	m->by_hand = !by_hand || cJSON_IsTrue(by_hand);
	m->partly =
		cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "partly"));
	m->broken =
		cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "broken"));
	r = take_usec(root, "undone_usec", &m->undone_usec);
	if (r == 0)
		r = take_numbers(root, m);
	if (r < 0)
		return r;
	m->files = calloc((size_t)cJSON_GetArraySize(files) + 1,
	                  sizeof(*m->files));
	if (!m->files)
		return -ENOMEM;
	cJSON_ArrayForEach(f, files)
	{
		r = parse_file(f, &m->files[m->n_files++]);
		if (r < 0)
			return r;
	}
	/* that is what the number is for */
	return is_of_perms(root) == has_perms(m) ? 0 : KR_MALFORMED;
}

static char *path_in(const char *id, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s/%s", KR_STATE_DIR, id, name) < 0 ? NULL
	                                                               : path;
}

int kr_manifest_read(struct kr_fs *fs, const char *id, struct kr_manifest *ret)
{
	_cleanup_free_ char *path = path_in(id, "manifest.json");
	_cleanup_manifest_ struct kr_manifest m = {0};
	const struct kr_file *file;
	cJSON *root;
	int r = path ? kr_fs_read(fs, path, &file) : -ENOMEM;

	if (r < 0)
		return r;
	root = cJSON_Parse(file->data);
	r = parse(root, &m);
	cJSON_Delete(root);
	if (r < 0)
		return r;
	strlcpy(m.id, id, sizeof(m.id));
	*ret = m;
	m = (struct kr_manifest){0};
	return 0;
}

void kr_manifest_done(struct kr_manifest *m)
{
	KR_EACH(struct kr_manifest_file, f, m->files, m->n_files) {
		for (size_t k = 0; k < f->n_edits; k++) {
			free(f->edits[k].text);
			free(f->edits[k].about);
		}
		free(f->edits);
		free(f->path);
		free(f->copy);
		free(f->folder);
		free(f->temp);
		free(f->back);
	}
	free(m->files);
	free(m->machine_id);
	free(m->invocation_id);
	free(m->unit);
	free(m->disk_before);
	kr_strings_done(&m->controls);
	kr_strings_done(&m->values);
	free(m->config);
	free(m->reason);
	free(m->blamed);
	free(m->edition);
	free(m->undoes);
	*m = (struct kr_manifest){0};
}

int kr_manifest_copy(struct kr_fs *fs, const char *id,
                     const struct kr_manifest_file *file, struct kr_file **ret)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_file_ struct kr_file *copy = NULL;
	char hex[KR_SHA256_HEX_SIZE];
	int r;

	if (!file->copy)
		return -ENOENT;
	path = path_in(id, file->copy);
	if (!path)
		return -ENOMEM;
	r = kr_fs_read_once(fs, path, &copy);
	if (r < 0)
		return r;
	kr_sha256_hex(copy->data, copy->size, hex);
	if (strcmp(hex, file->before) != 0)
		return KR_MALFORMED;
	*ret = TAKE_PTR(copy);
	return 0;
}

int kr_machine_id(struct kr_fs *fs, char **ret)
{
	const struct kr_file *file;
	int r = kr_fs_read(fs, "/etc/machine-id", &file);

	*ret = NULL;
	if (r == -ENOMEM)
		return r;
	if (r < 0 || strcspn(file->data, "\n") == 0)
		return 0;
	*ret = strndup(file->data, strcspn(file->data, "\n"));
	return *ret ? 0 : -ENOMEM;
}

bool kr_manifest_is_ours(struct kr_fs *fs, const struct kr_manifest *manifest)
{
	_cleanup_free_ char *id = NULL;

	return !manifest->machine_id || kr_machine_id(fs, &id) < 0 || !id ||
	       strcmp(id, manifest->machine_id) == 0;
}
