/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet-remedy: makes a node's kubelet manage its own iptables chains.
 */

#include <errno.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"

int main(int argc, char **argv)
{
	_cleanup_options_ struct kr_options options;
	int r = kr_options_parse(argc, argv, stderr, &options);

	if (r == -ENOMEM)
		return kr_cli_out_of_memory(stderr);
	if (r < 0)
		return KR_STATUS_USAGE;
	return kr_cli_run(&options, stdout, stderr);
}
