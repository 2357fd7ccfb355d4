/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whether systemd holds another unit than the disk.
 *
 * NeedDaemonReload alone does not tell: systemd 252 says no when the first
 * drop-in is put into a UNIT.d that did not exist at the last reload. So what
 * it holds is compared with what our reading of the files gives: the fragment,
 * the drop-ins, ExecStart=, Environment=, EnvironmentFile=. An environment
 * file's content is read at each start and does not count.
 *
 * Nor does a KubeletConfiguration among the drop-ins, of which systemd ignores
 * every line, though it wants a reload for it, too. Which of the unit's files
 * it wants that for it does not say. But it has read them since its manager's
 * last reload: where all others are older than that, it is for no other.
 */

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/vec.h"
#include "node/node.h"

/* Two names of one file: /lib/systemd may be a link to /usr/lib/systemd. */
static bool same_file(struct kr_fs *fs, const char *a, const char *b)
{
	_cleanup_free_ char *x = NULL, *y = NULL;

	if (strcmp(a, b) == 0)
		return true;
	return kr_fs_real(fs, a, &x) == 0 && kr_fs_real(fs, b, &y) == 0 &&
	       strcmp(x, y) == 0;
}

static bool same_fragment(const struct kr_node *node)
{
	const char *ours = node->disk.unit->fragment_path;
	const char *theirs = node->loaded->fragment_path;

	if (!ours || !theirs || !*theirs)
		return !ours == !(theirs && *theirs);
	return same_file(node->fs, ours, theirs);
}

/* systemd lists a masked or dangling drop-in, too; there is nothing in it. A
 * drop-in that is gone still has in systemd what it said. */
static bool is_empty_link(struct kr_fs *fs, const char *path)
{
	struct stat link, st;

	if (kr_fs_look(fs, path, false, &link) < 0)
		return false;
	return kr_fs_look(fs, path, true, &st) < 0 || !S_ISREG(st.st_mode);
}

static bool is_config(const struct kr_node *node, size_t dropin)
{
	return node->disk.configs && node->disk.configs[dropin];
}

/* Both have them in one order; a configuration may be new to systemd. */
static bool same_dropins(const struct kr_node *node)
{
	const struct kr_loaded_unit *loaded = node->loaded;
	const struct kr_unit *unit = node->disk.unit;
	size_t n = 0;

	for (size_t i = 0; i < loaded->n_dropin_paths; i++) {
		const char *path = loaded->dropin_paths[i];
		size_t k = n;

		while (k < unit->n_dropins && is_config(node, k) &&
		       !same_file(node->fs, unit->dropins[k]->path, path))
			k++;
		if (k < unit->n_dropins &&
		    same_file(node->fs, unit->dropins[k]->path, path))
			n = k + 1;
		else if (!is_empty_link(node->fs, path))
			return false;
	}
	while (n < unit->n_dropins && is_config(node, n))
		n++;
	return n == unit->n_dropins;
}

static bool is_older(const struct kr_file *file, uint64_t usec)
{
	const struct timespec *times[] = {&file->st.st_mtim, &file->st.st_ctim};

	return !KR_ANY(one, times, ARRAY_SIZE(times),
	               (uint64_t)(*one)->tv_sec * KR_USEC_PER_SEC +
	                               (uint64_t)(*one)->tv_nsec / 1000 >=
	                       usec);
}

/* Only a KubeletConfiguration among the drop-ins can be why systemd wants a
 * reload. */
static bool wants_it_for_configs(const struct kr_node *node)
{
	uint64_t usec = node->loaded->units_load_usec;
	const struct kr_unit *unit = node->disk.unit;

	if (!node->disk.configs || usec == 0 ||
	    (unit->fragment && !is_older(unit->fragment, usec)))
		return false;
	for (size_t i = 0; i < unit->n_dropins; i++) {
		if (!is_config(node, i) && !is_older(unit->dropins[i], usec))
			return false;
	}
	return true;
}

static bool same_commands(const struct kr_node *node)
{
	const struct kr_loaded_unit *loaded = node->loaded;
	const struct kr_unit *unit = node->disk.unit;

	if (loaded->n_commands != unit->n_commands)
		return false;
	for (size_t i = 0; i < unit->n_commands; i++) {
		char **ours = unit->commands[i].written;
		char **theirs = loaded->commands[i];

		while (*ours && *theirs && strcmp(*ours, *theirs) == 0) {
			ours++;
			theirs++;
		}
		if (*ours || *theirs)
			return false;
	}
	return true;
}

static bool same_strings(const struct kr_strings *ours, char **theirs,
                         size_t n_theirs)
{
	if (ours->n_items != n_theirs)
		return false;
	for (size_t i = 0; i < n_theirs; i++) {
		if (strcmp(ours->items[i], theirs[i]) != 0)
			return false;
	}
	return true;
}

bool kr_node_reload_needed(const struct kr_node *node, const char **ret_why)
{
	const struct kr_loaded_unit *loaded = node->loaded;
	const struct kr_unit *unit = node->disk.unit;
	const char *why = NULL;

	if (!loaded || !unit)
		return false;
	if (unit->load == KR_UNIT_NOT_FOUND &&
	    strcmp(loaded->load_state, "not-found") == 0)
		return false;
	if (loaded->need_daemon_reload && !wants_it_for_configs(node))
		why = "its files have changed";
	else if (unit->load != KR_UNIT_LOADED)
		return false;
	else if (!same_fragment(node))
		why = "it has another unit file";
	else if (!same_dropins(node))
		why = "it has other drop-ins";
	else if (!same_commands(node))
		why = "its ExecStart= differs";
	else if (!same_strings(&unit->written_environment, loaded->environment,
	                       loaded->n_environment))
		why = "its Environment= differs";
	else if (!same_strings(&unit->written_files, loaded->environment_files,
	                       loaded->n_environment_files))
		why = "its EnvironmentFile= differs";
	if (why && ret_why)
		*ret_why = why;
	return why;
}
