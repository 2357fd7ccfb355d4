/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How a step on files, or on their record, has ended. It goes up as it is, in
 * an int; what is negative there is the errno of a system call.
 */
enum kr_change {
	KR_CHANGE_DONE,
	KR_CHANGE_STALE,       /* others have written the file */
	KR_CHANGE_OPEN,        /* others have it open for writing */
	KR_CHANGE_EXISTS,      /* something is where nothing was to be */
	KR_CHANGE_NO_EXCHANGE, /* this file system, or a filter of system calls,
	                          knows none: nothing was done */
	KR_CHANGE_DISPLACED,   /* what others wrote lies beside the
	                          target and could not be brought back: it must
	                          not be removed */
	KR_CHANGE_NOT_AT_HAND, /* the old file is not: nothing was done, nor
	                          said */
	KR_CHANGE_STUCK,       /* not all files could be put back */
	KR_CHANGE_LINKED,      /* it has several names */
	KR_CHANGE_ACL,         /* its mode is the mask of its ACL */
	KR_CHANGE_IMMUTABLE,   /* chattr +i or +a */
	KR_CHANGE_SET_ID, /* it has bits that another owner would cost it */
	KR_CHANGE_TAKEN,  /* the record is not ours any more, which is not
	                     said: nothing more may be done */
};
