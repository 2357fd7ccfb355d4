/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The merges that kubelet has had, newest first. */
enum kr_merge {
	/* 1.32 and later: the base's members are spelt as in the file */
	KR_MERGE_FILE_NAMES,
	/* 1.29 to 1.31: they are spelt as in Go's struct
	 * ("MakeIPTablesUtilChains"), so that a drop-in's null finds none to
	 * take away, and a drop-in's member of that spelling takes the base's
	 * place. A drop-in's kind and apiVersion may be any */
	KR_MERGE_GO_NAMES,
	/* 1.28: structs are merged, each with its defaults, and a false
	 * overrides nothing */
	KR_MERGE_STRUCTS,
};

/* The merge of kubelet 1.MINOR; 0: not known, the newest. */
enum kr_merge kr_merge_of(unsigned minor);
