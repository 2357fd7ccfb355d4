/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which EC2 instance a node is. */

#include "node/node.h"

#define KR_EC2_INSTANCE_SIZE 32

/*
 * The id of the instance that NODE, which was read, runs on: "i-0abc...". "":
 * it is no instance, an image, or does not say. No network is asked. 0 or
 * -ENOMEM.
 */
int kr_ec2_instance(struct kr_node *node,
                    char ret[static KR_EC2_INSTANCE_SIZE]);
