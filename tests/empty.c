/* SPDX-License-Identifier: Apache-2.0 */

/* empty: does nothing. What it costs is what no program can go below: the
 * kernel's and the loader's part. bench-audit.py gives ratios to it. */

int main(void)
{
	return 0;
}
