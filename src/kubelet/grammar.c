/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The small languages in kubelet's settings.
 *
 *	quantity  = [+-] [digits] ["." [digits]] suffix, not empty; without any
 *		    digit it is 0 ("Mi")
 *	suffix	  = "" n u m k M G T P E Ki Mi Gi Ti Pi Ei
 *		  | (e | E) [+-] digits
 *	cpus	  = element ("," element)*
 *	element	  = number | number "-" number
 *
 * Until 1.21 an element of a CPU list is split at every "-": one with more than
 * two parts is passed over, and so is a range whose start is behind its end.
 * 1.22 was not seen and counts as those.
 *
 * Where a rule of kubelet was not followed to its end, the doubtful text is
 * valid here.
 *
 * Source: apimachinery pkg/api/resource/{quantity,math}.go and
 * pkg/util/validation; kubernetes pkg/kubelet/eviction/helpers.go,
 * pkg/kubelet/cm/container_manager.go, node_container_manager_linux.go and
 * cpuset (k8s.io/utils/cpuset), pkg/kubelet/sysctl and images/pullmanager;
 * component-base cli/flag/ciphersuites_flag.go and tracing; of 1.20 to 1.36.
 */

#include <arpa/inet.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "base/vec.h"
#include "kubelet/go.h"
#include "kubelet/grammar.h"

#define LENGTH(s) (sizeof(s) - 1)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_alnum(char c)
{
	return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* --- quantities ---------------------------------------------------------- */

struct quantity {
	bool negative;
	const char *whole, *fraction; /* digits, without zeros in front of the
	                                 whole ones */
	size_t n_whole, n_fraction;
	bool binary;
	int exponent; /* of 2 or 10 */
};

static bool read_suffix(const char *s, const char *end, struct quantity *q)
{
	static const char decimal[] = "num kMGTPE", binary[] = "KMGTPE";
	size_t length = (size_t)(end - s);
	const char *at;
	bool minus;
	int n = 0;

	if (length == 0)
		return true;
	at = length == 1 ? memchr(decimal, *s, LENGTH(decimal)) : NULL;
	if (at && *at != ' ') {
		q->exponent = 3 * (int)(at - decimal) - 9;
		return true;
	}
	at = length == 2 && s[1] == 'i' ? memchr(binary, *s, LENGTH(binary))
	                                : NULL;
	if (at) {
		q->binary = true;
		q->exponent = 10 * (int)(at - binary + 1);
		return true;
	}
	if (*s != 'e' && *s != 'E')
		return false;
	s++;
	minus = s < end && *s == '-';
	if (s < end && (*s == '+' || *s == '-'))
		s++;
	if (s == end)
		return false;
	for (; s < end && is_digit(*s); s++)
		n = n > 9 ? 99 : 10 * n + (*s - '0');
	q->exponent = minus ? -n : n;
	return s == end;
}

static bool read_quantity(const char *s, size_t length, struct quantity *ret)
{
	const char *end = s + length;
	struct quantity q = {0};

	if (length == 0)
		return false;
	if (*s == '+' || *s == '-')
		q.negative = *s++ == '-';
	while (s < end && *s == '0')
		s++;
	q.whole = s;
	while (s < end && is_digit(*s))
		s++;
	q.n_whole = s - q.whole;
	if (s < end && *s == '.')
		s++;
	q.fraction = s;
	while (s < end && is_digit(*s))
		s++;
	q.n_fraction = s - q.fraction;
	if (!read_suffix(s, end, &q))
		return false;
	*ret = q;
	return true;
}

bool kr_quantity_valid(const char *s, size_t length, int *ret_sign)
{
	struct quantity q;
	size_t zeros = 0;

	if (!read_quantity(s, length, &q))
		return false;
	while (zeros < q.n_fraction && q.fraction[zeros] == '0')
		zeros++;
	*ret_sign = 0;
	if (q.n_whole > 0 || zeros < q.n_fraction)
		*ret_sign = q.negative ? -1 : 1;
	return true;
}

/* N digits at S behind those of *TOTAL. */
static bool add_digits(const char *s, size_t n, int64_t *total)
{
	for (size_t i = 0; i < n; i++) {
		if (__builtin_mul_overflow(*total, 10, total) ||
		    __builtin_add_overflow(*total, s[i] - '0', total))
			return false;
	}
	return true;
}

bool kr_quantity_int64(const char *s, int64_t *ret)
{
	struct quantity q;
	int64_t v = 0;
	int times, base, n_whole;

	if (!read_quantity(s, strlen(s), &q) || q.n_whole + q.n_fraction > 18)
		return false;
	n_whole = q.n_whole > 0 ? (int)q.n_whole : 1;
	if (q.binary) {
		times = q.exponent;
		base = 2;
		if (q.n_fraction > 0 ||
		    15 - n_whole - q.exponent * 3 / 10 - 1 < 0)
			return false;
	} else {
		times = q.exponent - (int)q.n_fraction;
		base = 10;
		if (times < 0 || times > 18 ||
		    18 - n_whole - (int)q.n_fraction < 0)
			return false;
	}
	if (!add_digits(q.whole, q.n_whole, &v) ||
	    !add_digits(q.fraction, q.n_fraction, &v))
		return false;
	for (; times > 0; times--) {
		if (__builtin_mul_overflow(v, base, &v))
			return false;
	}
	*ret = q.negative ? -v : v;
	return true;
}

/* A percentage of eviction, "10%", with all its "%" at the end: a part of 1,
 * which may be NaN or infinite. */
static bool read_percent(const char *s, float *ret)
{
	size_t length = strlen(s);
	char number[64];
	double v;

	if (length == 0 || s[length - 1] != '%')
		return false;
	while (length > 0 && s[length - 1] == '%')
		length--;
	/* strtod() takes blanks and "nan(x)", Go does not */
	if (length >= sizeof(number) || strcspn(s, " \t\n\v\f\r(") < length)
		return false;
	memcpy(number, s, length);
	number[length] = '\0';
	if (!kr_go_float_valid(number, length))
		return false;
	v = strtod(number, NULL);
	if (isfinite(v) && fabs(v) > FLT_MAX)
		return false;
	*ret = (float)v / 100;
	return true;
}

static bool is_percent(const char *s)
{
	return *s && s[strlen(s) - 1] == '%';
}

bool kr_threshold_valid(const char *s, unsigned minor, bool *ret_off)
{
	float part;
	int sign;

	*ret_off = strcmp(s, "0%") == 0 || strcmp(s, "100%") == 0;
	if (*ret_off)
		return true;
	if (!is_percent(s))
		return kr_quantity_valid(s, strlen(s), &sign) && sign > 0;
	/* NaN is neither below nor above; 1.20 compares the part with 100 */
	return read_percent(s, &part) && !(part < 0) &&
	       !(part > (minor == 20 ? 100 : 1));
}

bool kr_reclaim_valid(const char *s)
{
	float part;
	int sign;

	if (is_percent(s))
		return read_percent(s, &part) && !(part <= 0);
	return kr_quantity_valid(s, strlen(s), &sign) && sign >= 0;
}

bool kr_qos_percent_valid(const char *s)
{
	size_t length = strlen(s);
	int64_t n;

	if (!is_percent(s))
		return false;
	while (length > 0 && s[length - 1] == '%')
		length--;
	return kr_go_int_text(s, length, 10, 64, &n) && n >= 0 && n <= 100;
}

bool kr_eviction_signal_valid(const char *s, unsigned minor)
{
	static const char *const signals[] = {
		"memory.available",           "nodefs.available",
		"nodefs.inodesFree",          "imagefs.available",
		"imagefs.inodesFree",         "pid.available",
		"allocatableMemory.available"};
	static const char *const later[] = {"containerfs.available",
	                                    "containerfs.inodesFree"};

	return kr_is_among(s, signals, ARRAY_SIZE(signals)) ||
	       (minor >= 29 && kr_is_among(s, later, ARRAY_SIZE(later)));
}

/* --- CPU lists ----------------------------------------------------------- */

static bool is_int(const char *s, size_t length, int64_t *ret)
{
	return kr_go_int_text(s, length, 10, 64, ret);
}

static bool cpus_valid(const char *s, size_t length, bool old)
{
	const char *dash = memchr(s, '-', length);
	size_t first = dash ? (size_t)(dash - s) : length;
	int64_t from, to;

	if (!dash)
		return is_int(s, length, &from);
	if (old && memchr(dash + 1, '-', length - first - 1))
		return true;
	return is_int(s, first, &from) &&
	       is_int(dash + 1, length - first - 1, &to) && (old || from <= to);
}

bool kr_cpu_list_valid(const char *s, unsigned minor)
{
	for (;;) {
		size_t length = strcspn(s, ",");

		if (!cpus_valid(s, length, minor <= 22))
			return false;
		if (!s[length])
			return true;
		s += length + 1;
	}
}

/* --- names --------------------------------------------------------------- */

/* Letters, digits, and of OTHERS in between. */
static bool name_valid(const char *s, size_t length, const char *others,
                       bool lower)
{
	for (size_t i = 0; i < length; i++) {
		bool plain = lower ? is_lower(s[i]) || is_digit(s[i])
		                   : is_alnum(s[i]);

		if (plain)
			continue;
		if (i == 0 || i + 1 == length || !strchr(others, s[i]))
			return false;
	}
	return length > 0;
}

static bool subdomain_valid(const char *s, size_t length)
{
	if (length > 253)
		return false;
	for (;;) {
		const char *dot = memchr(s, '.', length);
		size_t n = dot ? (size_t)(dot - s) : length;

		if (!name_valid(s, n, "-", true))
			return false;
		if (!dot)
			return true;
		s += n + 1;
		length -= n + 1;
	}
}

bool kr_qualified_name_valid(const char *s)
{
	const char *slash = strchr(s, '/');

	if (slash && !subdomain_valid(s, slash - s))
		return false;
	if (slash)
		s = slash + 1;
	return strlen(s) <= 63 && name_valid(s, strlen(s), "-_.", false);
}

bool kr_label_value_valid(const char *s)
{
	return !*s ||
	       (strlen(s) <= 63 && name_valid(s, strlen(s), "-_.", false));
}

/* --- sysctls ------------------------------------------------------------- */

/* Segments of lower case letters, digits, "-" and "_", with SEPARATORS between;
 * the last one may end with "*", and with others than letters before that. */
static bool sysctl_form_valid(const char *s, const char *separators)
{
	if (strlen(s) > 253)
		return false;
	for (;;) {
		size_t n = strcspn(s, separators);
		bool star = !s[n] && n > 0 && s[n - 1] == '*';

		if (star && n == 1)
			return true;
		if (star)
			return (is_lower(*s) || is_digit(*s)) &&
			       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789"
			                 "-_") == n - 1;
		if (!name_valid(s, n, "-_", true))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

/* Until 1.28 whatever begins so has a namespace; since then only these have. */
static bool has_namespace(const char *s, unsigned minor)
{
	static const char *const names[] = {
		"kernel.shm",    "kernel.shmall", "kernel.shmmax",
		"kernel.shmmni", "kernel.msg",    "kernel.shm_rmid_forced",
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",
	};

	if (strcmp(s, "kernel.sem") == 0 || starts_with(s, "fs.mqueue.") ||
	    starts_with(s, "net."))
		return true;
	if (minor >= 29)
		return kr_is_among(s, names, ARRAY_SIZE(names));
	return starts_with(s, "kernel.shm") || starts_with(s, "kernel.msg");
}

bool kr_unsafe_sysctl_valid(const char *s, unsigned minor)
{
	char name[256];
	size_t length = strlen(s), first = strcspn(s, "./");

	/* 1.22 was not seen */
	if (minor == 22 && strchr(s, '/'))
		return true;
	if (length >= sizeof(name) ||
	    !sysctl_form_valid(s, minor >= 23 ? "./" : "."))
		return false;
	strcpy(name, s);
	for (size_t i = 0; s[first] == '/' && i < length; i++) {
		if (s[i] == '/')
			name[i] = '.';
		else if (s[i] == '.')
			name[i] = '/';
	}
	if (length > 0 && name[length - 1] == '*')
		name[length - 1] = '\0';
	return has_namespace(name, minor);
}

/* --- places -------------------------------------------------------------- */

bool kr_clean_path_valid(const char *s)
{
	if (*s != '/')
		return false;
	for (const char *p = s; *p; p++) {
		if ((unsigned char)*p > 127)
			return false;
	}
	if (strcmp(s, "/") == 0)
		return true;
	while (*s == '/') {
		size_t n = strcspn(++s, "/");

		if (n == 0 || (n == 1 && *s == '.') ||
		    (n == 2 && starts_with(s, "..")))
			return false;
		s += n;
	}
	return true;
}

/* One part of an image's name: words with ".", "_", "__" or dashes between. */
static bool component_valid(const char *s, size_t length)
{
	if (!name_valid(s, length, "._-", true))
		return false;
	for (size_t i = 0; i < length;) {
		size_t n = 0;

		while (i + n < length && strchr("._-", s[i + n]))
			n++;
		for (size_t k = 1; k < n; k++) {
			if (s[i + k] != s[i] || s[i] == '.' ||
			    (s[i] == '_' && n > 2))
				return false;
		}
		i += n ?: 1;
	}
	return true;
}

/* "host", "host:5000": in any case. */
static bool host_valid(const char *s, size_t length)
{
	const char *colon = memchr(s, ':', length);
	size_t n = colon ? (size_t)(colon - s) : length;

	if (colon && strspn(colon + 1, "0123456789") != length - n - 1)
		return false;
	if (colon && length - n == 1)
		return false;
	return name_valid(s, n, ".-", false);
}

bool kr_image_pattern_valid(const char *s)
{
	size_t length = strlen(s), first = strcspn(s, "/");
	const char *star = strchr(s, '*');

	if (length == 0 || strchr(" \t\n\v\f\r", *s) ||
	    strchr(" \t\n\v\f\r", s[length - 1]))
		return false;
	if (length >= 2 && strcmp(s + length - 2, "/*") == 0)
		return star == s + length - 1 && length > 2;
	if (star)
		return false;
	/* an address in brackets is left to kubelet */
	if (*s == '[')
		return true;
	if (s[first] && host_valid(s, first))
		s += first + 1;
	for (;;) {
		size_t n = strcspn(s, "/");

		if (!component_valid(s, n))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

bool kr_trace_endpoint_valid(const char *s)
{
	static const char *const schemes[] = {"dns", "unix", "unix-abstract"};
	const char *mark = strstr(s, "//");

	for (const char *p = s; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	}
	if (!mark)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (strncasecmp(s, schemes[i], n) == 0 && s[n] == ':')
			return true;
	}
	/* "host/a//b": url.Parse() finds no scheme, and that is refused, too,
	 * but only where it is plain */
	return mark > s && mark[-1] != ':';
}

bool kr_runtime_endpoint_valid(const char *s)
{
	size_t n = strcspn(s, ":/");

	if (s[n] != ':' || n == 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		if (!is_alnum(s[i]) && !strchr("+-.", s[i]))
			return true;
	}
	return (n == 4 && strncasecmp(s, "unix", 4) == 0) ||
	       !starts_with(s + n, "://");
}

bool kr_cipher_valid(const char *s)
{
	static const char *const names[] = {
		"TLS_RSA_WITH_3DES_EDE_CBC_SHA",
		"TLS_RSA_WITH_AES_128_CBC_SHA",
		"TLS_RSA_WITH_AES_256_CBC_SHA",
		"TLS_RSA_WITH_AES_128_GCM_SHA256",
		"TLS_RSA_WITH_AES_256_GCM_SHA384",
		"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
		"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
		"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
		"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
		"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
		"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
		"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
		"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
		/* the longer names by the Go it was built with: from 1.23 on,
	         * and by Debian's 1.20.2, which was asked */
		"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
		"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
		"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
		"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
		"TLS_AES_128_GCM_SHA256",
		"TLS_CHACHA20_POLY1305_SHA256",
		"TLS_AES_256_GCM_SHA384",
		/* insecure, and taken with a line in the log */
		"TLS_RSA_WITH_RC4_128_SHA",
		"TLS_RSA_WITH_AES_128_CBC_SHA256",
		"TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
		"TLS_ECDHE_RSA_WITH_RC4_128_SHA",
		"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
		"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
	};

	return kr_is_among(s, names, ARRAY_SIZE(names));
}

bool kr_ip_valid(const char *s)
{
	unsigned char address[16];
	int parts[4], end = 0;

	if (inet_pton(AF_INET6, s, address) == 1)
		return true;
	if (sscanf(s, "%9d.%9d.%9d.%9d%n", &parts[0], &parts[1], &parts[2],
	           &parts[3], &end) != 4 ||
	    s[end] || strspn(s, "0123456789.") != strlen(s))
		return strchr(s, '%') != NULL;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i] > 255)
			return false;
	}
	return true;
}
