/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The journal.
 *
 * Lines about a unit come from two sides, and both are wanted: what its
 * processes wrote has _SYSTEMD_UNIT= and _SYSTEMD_INVOCATION_ID=, what systemd
 * says of it (PID 1, "Main process exited, code=exited, status=1/FAILURE") has
 * UNIT= and INVOCATION_ID=. One match for each side, or-ed; of each side the
 * fields are and-ed. The order of lines is that of their arrival.
 *
 * Read backwards from the tail, as only the last lines are wanted and a journal
 * is large; which of them, systemd/log-pick says.
 *
 * Below a root: the *.journal files of that node's own machine-id, below both
 * places, found inside the root and opened through it; not
 * sd_journal_open_directory(), which knows one folder and follows links out of
 * the root.
 *
 * sd-journal does not tell "nothing logged" from "not allowed to look": the
 * system's own file, which is there on every node, is asked.
 *
 * Sources: systemd.journal-fields(7), sd-journal(3).
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/uio.h>

#include <systemd/sd-messages.h>

#include "base/fs.h"
#include "base/vec.h"
#include "systemd/journal.h"
#include "systemd/log-pick.h"
#include "systemd/sd.h"

#define ID_SIZE       33
#define ROTATIONS_MAX 3

static const char *const places[] = {"/run/log/journal", "/var/log/journal"};

/* The name of the folder of a root's own journal. */
static int read_machine_id(struct kr_fs *fs, char ret[static ID_SIZE])
{
	const struct kr_file *file;
	sd_id128_t id;
	char text[ID_SIZE];
	int r;

	r = kr_fs_read(fs, "/etc/machine-id", &file);
	if (r < 0)
		return r;
	strlcpy(text, file->data, sizeof(text));
	r = sym_sd_id128_from_string(text, &id);
	if (r < 0)
		return r;
	sym_sd_id128_to_string(id, ret);
	return 0;
}

static bool is_journal(const struct kr_dir_entry *entry)
{
	size_t n = strlen(entry->name);

	return entry->type == DT_REG && n > 8 &&
	       strcmp(entry->name + n - 8, ".journal") == 0;
}

/* Adds the journal files of one folder of the root. */
static int add_files(struct kr_fs *fs, const char *dir,
                     struct kr_strings *paths)
{
	_cleanup_dir_ struct kr_dir entries = {0};
	int r;

	r = kr_fs_list(fs, dir, &entries);
	if (r < 0)
		return r;
	for (size_t i = 0; i < entries.n_entries; i++) {
		if (!is_journal(&entries.entries[i]))
			continue;
		r = kr_strings_consume(
			paths, kr_path_join(dir, entries.entries[i].name));
		if (r < 0)
			return r;
	}
	return 0;
}

/* The names of the root's own journal files, as they are now. 0, or why they
 * cannot be listed, -ENOENT where there are none. */
static int list_files(struct kr_fs *fs, struct kr_strings *paths)
{
	char id[ID_SIZE];
	int r = read_machine_id(fs, id), seen = -ENOENT;

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *dir = kr_path_join(places[i], id);

		if (!dir)
			return -ENOMEM;
		r = add_files(fs, dir, paths);
		if (r == -ENOMEM)
			return r;
		if (r < 0 && r != -ENOENT)
			seen = r;
	}
	return paths->n_items > 0 ? 0 : seen;
}

static bool are_equal(const struct kr_strings *a, const struct kr_strings *b)
{
	if (a->n_items != b->n_items)
		return false;
	for (size_t i = 0; i < a->n_items; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

static int open_files(struct kr_fs *fs, const struct kr_strings *paths,
                      sd_journal **ret)
{
	_cleanup_strings_ struct kr_strings outside = {0};
	char *path;
	int r;

	for (size_t i = 0; i < paths->n_items; i++) {
		_cleanup_stat_ struct kr_stat st = {0};

		r = kr_fs_stat(fs, paths->items[i], false, &st);
		if (r < 0) /* rotated away meanwhile */
			return r;
		if (asprintf(&path, "/proc/self/fd/%d%s", kr_fs_root_fd(fs),
		             st.real) < 0)
			return -ENOMEM;
		r = kr_strings_consume(&outside, path);
		if (r < 0)
			return r;
	}
	return sym_sd_journal_open_files(ret, (void *)outside.items, 0);
}

static int open_once(struct kr_fs *fs, bool own, const struct kr_strings *paths,
                     int listed, sd_journal **ret)
{
	if (own)
		return sym_sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY);
	return listed < 0 ? listed : open_files(fs, paths, ret);
}

/*
 * A rotation gives the file that is written a new name, and its old name to an
 * empty one. Where that falls between sd-journal's look at the folder and its
 * open, the newest lines are in no file that it has. So the files are listed
 * before and after.
 */
static int open_all(struct kr_fs *fs, bool own, sd_journal **ret)
{
	_cleanup_sd_journal_ sd_journal *journal = NULL;
	int r;

	for (unsigned i = 0;; i++) {
		_cleanup_strings_ struct kr_strings before = {0}, after = {0};

		r = list_files(fs, &before);
		if (r == -ENOMEM)
			return r;
		r = open_once(fs, own, &before, r, &journal);
		if (r < 0 && r != -ENOENT)
			return r;
		if (list_files(fs, &after) == -ENOMEM)
			return -ENOMEM;
		if (i == ROTATIONS_MAX || are_equal(&before, &after))
			break;
		sym_sd_journal_close(journal);
		journal = NULL;
	}
	if (r < 0)
		return r;
	*ret = TAKE(journal);
	return 0;
}

/* VALUE NULL or "": any. */
static int match(sd_journal *journal, const char *field, const char *value)
{
	_cleanup_free_ char *text = NULL;

	if (!value || !*value)
		return 0;
	if (asprintf(&text, "%s=%s", field, value) < 0)
		return -ENOMEM;
	return sym_sd_journal_add_match(journal, text, 0);
}

/* What the unit's own processes have said. */
static int match_unit(sd_journal *journal, const struct kr_journal_query *query)
{
	int r = match(journal, "_SYSTEMD_UNIT", query->unit);

	if (r < 0)
		return r;
	return match(journal, "_SYSTEMD_INVOCATION_ID", query->invocation_id);
}

static int add_matches(sd_journal *journal,
                       const struct kr_journal_query *query)
{
	int r;

	r = match_unit(journal, query);
	if (r < 0)
		return r;
	r = sym_sd_journal_add_disjunction(journal);
	if (r < 0)
		return r;
	r = match(journal, "_PID", "1");
	if (r < 0)
		return r;
	r = match(journal, "UNIT", query->unit);
	if (r < 0)
		return r;
	return match(journal, "INVOCATION_ID", query->invocation_id);
}

/* The value of FIELD in the current entry, cut to KR_LOG_LINE_BYTES, which the
 * caller frees; NULL where it has none. */
static char *field_value(sd_journal *journal, const char *field,
                         size_t *ret_size)
{
	const void *data;
	size_t size, skip = strlen(field) + 1;
	char *value;

	if (sym_sd_journal_get_data(journal, field, &data, &size) < 0 ||
	    size < skip)
		return NULL;
	size -= skip;
	if (size > KR_LOG_LINE_BYTES)
		size = KR_LOG_LINE_BYTES;
	value = malloc(size + 1);
	if (!value)
		return NULL;
	memcpy(value, (const char *)data + skip, size);
	value[size] = '\0';
	for (char *nul = value;
	     (nul = memchr(nul, '\0', size - (nul - value)));)
		*nul = '?';
	*ret_size = size;
	return value;
}

static int field_number(sd_journal *journal, const char *field)
{
	_cleanup_free_ char *text = NULL;
	size_t size;

	text = field_value(journal, field, &size);
	return text ? (int)strtonum(text, 1, INT_MAX, NULL) : 0;
}

/* The current entry, which PID wrote, is not asked for. */
static bool is_excluded(sd_journal *journal,
                        const struct kr_journal_query *query, int pid)
{
	_cleanup_free_ char *id = NULL;
	size_t size;

	id = field_value(journal, "INVOCATION_ID", &size);
	KR_EACH(const struct kr_invocation, other, query->except,
	        ARRAY_SIZE(query->except)) {
		if ((pid > 0 && pid == other->pid) ||
		    (id && *id && strcmp(id, other->id) == 0))
			return true;
	}
	return false;
}

/* What systemd says of the unit in the current entry. */
static enum kr_log_from manager_word(sd_journal *journal)
{
	static const struct {
		const char *message_id;
		enum kr_log_from from;
	} words[] = {
		{SD_MESSAGE_UNIT_STARTING_STR, KR_LOG_FROM_MANAGER_START},
		{SD_MESSAGE_UNIT_STARTED_STR, KR_LOG_FROM_MANAGER_START},
		{SD_MESSAGE_UNIT_PROCESS_EXIT_STR, KR_LOG_FROM_MANAGER_END},
	};
	_cleanup_free_ char *id = NULL;
	size_t size;

	id = field_value(journal, "MESSAGE_ID", &size);
	for (size_t i = 0; id && i < ARRAY_SIZE(words); i++) {
		if (strcmp(id, words[i].message_id) == 0)
			return words[i].from;
	}
	return KR_LOG_FROM_MANAGER;
}

/* Reads the current entry, its last line first. An enum kr_log_step, or an
 * errno. */
static int read_entry(sd_journal *journal, const struct kr_journal_query *query,
                      uint64_t realtime_usec, struct kr_log_pick *pick)
{
	_cleanup_free_ char *text = NULL, *identifier = NULL;
	struct kr_log_line entry = {.realtime_usec = realtime_usec};
	enum kr_log_from from = KR_LOG_FROM_SERVICE;
	size_t size, end, start;
	int r;

	entry.pid = field_number(journal, "_PID");
	if (is_excluded(journal, query, entry.pid))
		return KR_LOG_GO_ON;
	text = field_value(journal, "MESSAGE", &size);
	if (!text)
		return KR_LOG_GO_ON;
	identifier = field_value(journal, "SYSLOG_IDENTIFIER", &start);
	entry.identifier = identifier;
	if (entry.pid == 1)
		from = manager_word(journal);
	for (end = size; end > 0 && text[end - 1] == '\n'; end--)
		;
	for (;;) {
		for (start = end; start > 0 && text[start - 1] != '\n'; start--)
			;
		r = kr_log_pick_add(pick, &entry, from, text + start,
		                    end - start);
		if (r != KR_LOG_GO_ON || start == 0)
			return r;
		end = start - 1;
	}
}

static int read_lines(sd_journal *journal, const struct kr_journal_query *query,
                      struct kr_log_pick *pick)
{
	uint64_t usec;
	int r;

	r = sym_sd_journal_seek_tail(journal);
	if (r < 0)
		return r;
	for (;;) {
		r = sym_sd_journal_previous(journal);
		if (r <= 0)
			return r;
		if (sym_sd_journal_get_realtime_usec(journal, &usec) < 0)
			return -EBADMSG;
		if (usec < query->since_usec)
			return 0;
		r = read_entry(journal, query, usec, pick);
		if (r < 0)
			return r;
		if (r == KR_LOG_ENOUGH)
			return 0;
	}
}

/* May this process read what this machine's system logs? */
static bool is_denied(void)
{
	char id[ID_SIZE], path[80];
	sd_id128_t machine;

	if (sym_sd_id128_get_machine(&machine) < 0)
		return false;
	sym_sd_id128_to_string(machine, id);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "%s/%s/system.journal", places[i],
		         id);
		if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0 &&
		    errno == EACCES)
			return true;
	}
	return false;
}

static bool is_own(const struct kr_journal_query *query)
{
	return !query->root || strcmp(query->root, "/") == 0;
}

/* FS must live longer than RET: the paths go through its root. */
static int open_journal(const struct kr_journal_query *query,
                        struct kr_fs **ret_fs, sd_journal **ret)
{
	int r = kr_fs_open(query->root ?: "/", ret_fs);

	if (r < 0)
		return r;
	r = open_all(*ret_fs, is_own(query), ret);
	return r < 0 ? r
	             : sym_sd_journal_set_data_threshold(*ret,
	                                                 KR_LOG_LINE_BYTES);
}

static int read_picked(const struct kr_journal_query *query, struct kr_log *log)
{
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_sd_journal_ sd_journal *journal = NULL;
	_cleanup_log_pick_ struct kr_log_pick pick = {
		.classify = query->classify,
		.trouble = query->trouble,
		.n_max = query->n_max,
	};
	int r;

	r = open_journal(query, &fs, &journal);
	if (r < 0)
		return r;
	r = add_matches(journal, query);
	if (r < 0)
		return r;
	r = read_lines(journal, query, &pick);
	if (r < 0)
		return r;
	r = kr_log_pick_finish(&pick, log);
	if (r < 0)
		return r;
	return log->n_lines == 0 && is_own(query) && is_denied() ? -EACCES : 0;
}

int kr_journal_read(const struct kr_journal_query *query, struct kr_diag *diag,
                    struct kr_log *ret)
{
	_cleanup_log_ struct kr_log log = {0};
	int r = kr_sd_load(diag);

	if (r < 0)
		return r;
	r = read_picked(query, &log);
	if (r == -EACCES)
		kr_diag_add(diag, KR_ERROR, "journal-denied", KR_SPAN_NONE,
		            "journal of %s: %s: the reader must be root or in "
		            "the group systemd-journal",
		            query->unit, strerror(EACCES));
	else if (r < 0)
		kr_diag_add(diag, KR_ERROR, "journal-unreadable", KR_SPAN_NONE,
		            "journal of %s: %s", query->unit, strerror(-r));
	if (r < 0)
		return r;
	*ret = TAKE(log);
	return 0;
}

int kr_journal_find(const struct kr_journal_query *query,
                    kr_journal_look_t look, void *closure)
{
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_sd_journal_ sd_journal *journal = NULL;
	int r;

	r = kr_sd_load(NULL);
	if (r < 0)
		return r;
	r = open_journal(query, &fs, &journal);
	if (r < 0)
		return r;
	r = match_unit(journal, query);
	if (r < 0)
		return r;
	r = query->since_usec > 0 ? sym_sd_journal_seek_realtime_usec(
					    journal, query->since_usec)
	                          : sym_sd_journal_seek_head(journal);
	if (r < 0)
		return r;
	for (size_t i = 0; i < query->n_max; i++) {
		_cleanup_free_ char *text = NULL;
		size_t size;

		r = sym_sd_journal_next(journal);
		if (r <= 0)
			return r;
		text = field_value(journal, "MESSAGE", &size);
		if (text && look(closure, text))
			break;
	}
	return 0;
}

void kr_log_done(struct kr_log *log)
{
	for (size_t i = 0; i < log->n_lines; i++) {
		free(log->lines[i].identifier);
		free(log->lines[i].text);
	}
	free(log->lines);
	*log = (struct kr_log){0};
}

int kr_journal_send(const struct kr_journal_field *fields, size_t n)
{
	struct iovec iov[KR_JOURNAL_FIELDS_MAX] = {0};
	size_t made = 0;
	char *text;
	int r = kr_sd_load(NULL);

	if (r < 0)
		return r;
	if (n > ARRAY_SIZE(iov))
		return -E2BIG;
	for (; made < n; made++) {
		if (asprintf(&text, "%s=%s", fields[made].name,
		             fields[made].value) < 0)
			break;
		iov[made] = (struct iovec){text, strlen(text)};
	}
	r = made < n ? -ENOMEM : sym_sd_journal_sendv(iov, (int)n);
	for (size_t i = 0; i < made; i++)
		free(iov[i].iov_base);
	return r < 0 ? r : 0;
}
