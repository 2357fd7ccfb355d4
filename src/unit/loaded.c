/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What systemd has loaded: its only code is to give the memory back.
 */

#include "unit/loaded.h"

static void strings_free(char **strings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(strings[i]);
	free(strings);
}

static void command_free(char **argv)
{
	for (char **arg = argv; arg && *arg; arg++)
		free(*arg);
	free(argv);
}

struct kr_loaded_unit *kr_loaded_unit_free(struct kr_loaded_unit *unit)
{
	if (!unit)
		return NULL;
	free(unit->id);
	free(unit->load_state);
	free(unit->active_state);
	free(unit->sub_state);
	free(unit->result);
	free(unit->type);
	free(unit->load_error);
	free(unit->fragment_path);
	free(unit->file_state);
	free(unit->control_group);
	strings_free(unit->dropin_paths, unit->n_dropin_paths);
	for (size_t i = 0; i < unit->n_commands; i++)
		command_free(unit->commands[i]);
	free(unit->commands);
	strings_free(unit->environment, unit->n_environment);
	strings_free(unit->environment_files, unit->n_environment_files);
	free(unit);
	return NULL;
}
