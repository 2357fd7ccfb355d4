/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The certificates of a PEM file.
 *
 *	-----BEGIN CERTIFICATE-----
 *	NAME: VALUE			headers: any number of lines with ":"
 *	base64, of any line length
 *	-----END CERTIFICATE-----
 *
 * The words begin a line; blanks may stand at its end. All that stands between
 * blocks is passed over. A block begins again where its end does not fit its
 * begin, or where its base64 is broken: the search goes on behind the line of
 * its begin, as if that had not been there.
 *
 * A certificate is judged without a crypto library: its bytes have to be one
 * DER sequence, with the length in its shortest form. So a file that is called
 * right here may still be refused by kubelet, for what is in the sequence.
 *
 * Source: encoding/pem of Go 1.19 (Decode), ParseCertsPEM in client-go's
 * util/cert/pem.go, crypto/tls of Go 1.19 (X509KeyPair).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/diag.h"
#include "base/vec.h"
#include "node/pem.h"

#define BEGIN       "-----BEGIN "
#define END         "\n-----END "
#define DASHES      "-----"
#define CERTIFICATE "CERTIFICATE"
#define LENGTH(s)   (sizeof(s) - 1)

struct part {
	const char *bytes;
	size_t length;
};

static bool starts_with(struct part p, const char *what, size_t length)
{
	return p.length >= length && memcmp(p.bytes, what, length) == 0;
}

static void skip(struct part *p, size_t length)
{
	p->bytes += length;
	p->length -= length;
}

/* Takes a line from REST: without its end, and without blanks there. */
static struct part take_line(struct part *rest)
{
	const char *lf = memchr(rest->bytes, '\n', rest->length);
	struct part line = {rest->bytes,
	                    lf ? (size_t)(lf - rest->bytes) : rest->length};

	skip(rest, line.length + (lf ? 1 : 0));
	if (lf && line.length > 0 && line.bytes[line.length - 1] == '\r')
		line.length--;
	while (line.length > 0 && (line.bytes[line.length - 1] == ' ' ||
	                           line.bytes[line.length - 1] == '\t'))
		line.length--;
	return line;
}

struct reader {
	struct part rest;
	const char *end; /* the END found last, which is not behind REST */
	bool no_end;     /* no END is in REST */
};

/* Goes behind the next BEGIN; false: there is none. */
static bool find_begin(struct reader *r)
{
	const char *found;

	if (!starts_with(r->rest, BEGIN, LENGTH(BEGIN))) {
		found = memmem(r->rest.bytes, r->rest.length, "\n" BEGIN,
		               LENGTH("\n" BEGIN));
		if (!found)
			return false;
		skip(&r->rest, (size_t)(found + 1 - r->rest.bytes));
	}
	skip(&r->rest, LENGTH(BEGIN));
	return true;
}

/* The next END, at its line end, from REST on; NULL. Each is searched for once,
 * however many begins there are before it. */
static const char *find_end(struct reader *r)
{
	if (r->no_end)
		return NULL;
	if (!r->end || r->end < r->rest.bytes)
		r->end =
			memmem(r->rest.bytes, r->rest.length, END, LENGTH(END));
	r->no_end = !r->end;
	return r->end;
}

/* Takes the headers; false: the text ends with them. */
static bool skip_headers(struct reader *r, bool *ret_any)
{
	*ret_any = false;
	while (r->rest.length > 0) {
		struct part next = r->rest, line = take_line(&next);

		if (!memchr(line.bytes, ':', line.length))
			return true;
		*ret_any = true;
		r->rest = next;
	}
	return false;
}

/* Whether a block TYPE ends at TEXT, behind the word END. RET_NEXT is then what
 * follows its line. */
static bool is_end_of(struct part text, struct part type, struct part *ret_next)
{
	if (!starts_with(text, type.bytes, type.length))
		return false;
	skip(&text, type.length);
	if (!starts_with(text, DASHES, LENGTH(DASHES)))
		return false;
	skip(&text, LENGTH(DASHES));
	if (take_line(&text).length > 0)
		return false;
	*ret_next = text;
	return true;
}

/* All of S is one sequence: its tag, its length in the shortest form, and no
 * byte behind it. */
static bool is_sequence(const char *s, size_t size)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t length = 0, n;

	if (size < 2 || u[0] != 0x30)
		return false;
	if (u[1] < 0x80)
		return u[1] == size - 2;
	n = u[1] & 0x7f;
	if (n < 1 || n > 4 || size - 2 < n || u[2] == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		length = length << 8 | u[2 + i];
	return length >= 0x80 && length == size - 2 - n;
}

/* Adds the certificate of BODY. 0; KR_MALFORMED: no base64; -ENOMEM. */
static int add_certificate(struct part body, bool has_headers,
                           struct kr_pem *pem)
{
	_cleanup_free_ char *bytes = NULL;
	struct kr_certificate c = {.has_headers = has_headers};
	ssize_t size;
	size_t n = 0;

	/* another begin, most often: found before all of this is copied */
	if (memchr(body.bytes, '-', body.length))
		return KR_MALFORMED;
	bytes = malloc(body.length + 1);
	if (!bytes)
		return -ENOMEM;
	for (size_t i = 0; i < body.length; i++) {
		if (body.bytes[i] != ' ' && body.bytes[i] != '\t')
			bytes[n++] = body.bytes[i];
	}
	size = kr_base64_decode(bytes, n, bytes);
	if (size < 0)
		return (int)size;
	c.size = (size_t)size;
	c.whole = is_sequence(bytes, c.size);
	c.der = bytes;
	if (KR_VEC_MOVE(pem->certificates, pem->n_certificates, &c) < 0)
		return -ENOMEM;
	TAKE_PTR(bytes);
	return 0;
}

enum step {
	STEP_BLOCK, /* one was read, REST is behind it */
	STEP_NONE,  /* what began is no block, REST is behind its begin */
	STEP_OVER,  /* no more is there */
};

/* Reads what begins at REST, behind the word BEGIN. */
static int read_block(struct reader *r, struct kr_pem *pem, enum step *ret)
{
	struct part type = take_line(&r->rest), body, tail;
	const char *end;
	bool has_headers;
	int error;

	*ret = STEP_NONE;
	if (type.length < LENGTH(DASHES) ||
	    memcmp(type.bytes + type.length - LENGTH(DASHES), DASHES,
	           LENGTH(DASHES)) != 0)
		return 0;
	type.length -= LENGTH(DASHES);
	if (!skip_headers(r, &has_headers)) {
		*ret = STEP_OVER;
		return 0;
	}
	/* an empty block without headers: its end is the next line */
	if (!has_headers && starts_with(r->rest, &END[1], LENGTH(END) - 1))
		end = r->rest.bytes - 1;
	else
		end = find_end(r);
	if (!end)
		return 0;
	body.bytes = r->rest.bytes;
	body.length = end < body.bytes ? 0 : (size_t)(end - body.bytes);
	tail = r->rest;
	skip(&tail, (size_t)(end + LENGTH(END) - body.bytes));
	if (!is_end_of(tail, type, &tail))
		return 0;
	if (type.length == LENGTH(CERTIFICATE) &&
	    memcmp(type.bytes, CERTIFICATE, type.length) == 0) {
		error = add_certificate(body, has_headers, pem);
		if (error == KR_MALFORMED)
			return 0;
		if (error < 0)
			return error;
	}
	r->rest = tail;
	*ret = STEP_BLOCK;
	return 0;
}

int kr_pem_read(const char *data, size_t size, struct kr_pem *ret)
{
	_cleanup_pem_ struct kr_pem pem = {0};
	struct reader r = {.rest = {data, size}};
	enum step step = STEP_NONE;

	while (step != STEP_OVER && find_begin(&r)) {
		int error = read_block(&r, &pem, &step);

		if (error < 0)
			return error;
	}
	*ret = TAKE(pem);
	return 0;
}

void kr_pem_done(struct kr_pem *pem)
{
	for (size_t i = 0; i < pem->n_certificates; i++)
		free(pem->certificates[i].der);
	free(pem->certificates);
	*pem = (struct kr_pem){0};
}

bool kr_pem_is_authorities(const struct kr_pem *pem)
{
	bool any = false;

	for (size_t i = 0; i < pem->n_certificates; i++) {
		if (pem->certificates[i].has_headers)
			continue;
		if (!pem->certificates[i].whole)
			return false;
		any = true;
	}
	return any;
}

bool kr_pem_is_chain(const struct kr_pem *pem)
{
	return pem->n_certificates > 0 && pem->certificates[0].whole;
}
