/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet-remedy: makes a node's kubelet manage its own iptables chains.
 */

#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"

int main(int argc, char **argv)
{
	struct kr_options options;

	if (kr_options_parse(argc, argv, stderr, &options) < 0)
		return KR_STATUS_USAGE;
	return kr_cli_run(&options, stdout, stderr);
}
