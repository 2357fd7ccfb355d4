/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The values that kubelet/decode meets. All give 0 or -ENOMEM, where nothing
 * else is said, and -EFBIG where there are more uses or pairs than are kept. */

#include "kubelet/decode.h"

/* The first fault that is found in FAULT's kind stays. */
int kr_decode_refuse(struct kr_decode_fault *fault, const char *code,
                     struct kr_span span, const char *format, ...)
	_printf_(4, 5);

/* An error: the VALUE, named NAME, must be what it WANTS. FIELD: the one
 * that it is of; -1: none. */
void kr_decode_say_type(struct kr_diag *diag, const char *name,
                        struct kr_span value, int field, const char *wants);

/* The event's text without escapes, until the next call; NULL when memory runs
 * out. */
const char *kr_decode_plain(struct kr_decode *d, const struct kr_event *e,
                            size_t *ret_length);

/* The value of FIELD (-1: of none) that comes NEXT in the
 * fields' paths; an element of the list that is USE. */
int kr_decode_field(struct kr_decode *d, struct kr_decode_uses *uses, int field,
                    struct kr_field_place next, const struct kr_event *e);
int kr_decode_item(struct kr_decode *d, struct kr_config_use *use,
                   const struct kr_event *e);

/*
 * NEXT is the value of a field that is a tree; NAME is the last
 * part of the path behind that of FRAME; a value, of which the path stands; an
 * element of a list.
 */
void kr_decode_begin_tree(struct kr_decode *d, struct kr_decode_frame *next);
int kr_decode_set_path(struct kr_decode *d, const struct kr_decode_frame *frame,
                       const char *name, size_t length);
int kr_decode_in_tree(struct kr_decode *d, const struct kr_decode_frame *frame,
                      const struct kr_event *e);
int kr_decode_tree_element(struct kr_decode *d, struct kr_decode_frame *frame,
                           const struct kr_event *e);

/* E's type by SCHEMA, at a place that MINORS know. FIELD: the use
 * of it is kept, so that it can be edited; -1: it is not. */
int kr_decode_check_type(struct kr_decode *d, const struct kr_schema *schema,
                         uint64_t minors, int field, const struct kr_event *e);
