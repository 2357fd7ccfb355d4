/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * libcurl, loaded when it is first needed: an audit that asks no API server
 * does without its 25 libraries, and a machine without it loses --configz and
 * fleet only. Its functions are reached as sym_curl_easy_init() and so on,
 * which are NULL until kr_curl_load() gave 0.
 */

#include <curl/curl.h>

#include "base/dynlib.h"

#define KR_CURL_FUNCTIONS(X)                                                   \
	X(curl_easy_cleanup)                                                   \
	X(curl_easy_escape)                                                    \
	X(curl_easy_getinfo)                                                   \
	X(curl_easy_init)                                                      \
	X(curl_easy_perform)                                                   \
	X(curl_easy_setopt)                                                    \
	X(curl_easy_strerror)                                                  \
	X(curl_free)                                                           \
	X(curl_global_init)                                                    \
	X(curl_multi_add_handle)                                               \
	X(curl_multi_cleanup)                                                  \
	X(curl_multi_info_read)                                                \
	X(curl_multi_init)                                                     \
	X(curl_multi_perform)                                                  \
	X(curl_multi_poll)                                                     \
	X(curl_multi_remove_handle)                                            \
	X(curl_multi_setopt)                                                   \
	X(curl_multi_strerror)                                                 \
	X(curl_slist_append)                                                   \
	X(curl_slist_free_all)                                                 \
	X(curl_url)                                                            \
	X(curl_url_cleanup)                                                    \
	X(curl_url_get)                                                        \
	X(curl_url_set)

KR_CURL_FUNCTIONS(KR_DYNLIB_DECLARE)

/*
 * Loads it, once. 0; -ENOPKG: it is not there, too old (before 7.66) or of
 * another machine, and *RET_REASON says so in one sentence, which the caller
 * frees; -ENOMEM.
 */
int kr_curl_load(char **ret_reason);
