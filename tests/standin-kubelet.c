/* SPDX-License-Identifier: Apache-2.0 */

/*
 * standin-kubelet: this is NOT kubelet. It stands in for it on test hosts.
 *
 * It decides the one setting of this project as kubelet 1.20 does, by code of
 * its own, so that it is a second reader of what the program under test wrote:
 * - flags by pflag's rules: "_" for "-", "--name=value", a flag that takes a
 *   value takes the next word whatever it is, a bool takes none, every
 *   occurrence must parse and the last one wins, no positional words;
 * - the config file as JSON: kind and apiVersion, the key by its exact case,
 *   the last duplicate, null as the default; then the flags over it.
 * What kubelet refuses it refuses with kubelet's words and status 255 after
 * 100 ms. Otherwise it listens on healthz once it is healthy (and, where the
 * config file has a readOnlyPort, on that, too, where it counts who asks for
 * /metrics), tells systemd
 * READY=1, logs in klog's format and ends with 0 on SIGTERM. Not modelled:
 * YAML, what is in --config-dir, and most of kubelet's flags (those not listed
 * are unknown).
 *
 * STANDIN_DIR (default /run) holds
 *   standin-kubelet.state   argv, then "true" or "false", each ended by NUL
 *   standin-kubelet.configz what it would say of itself through an API server
 *   standin-kubelet.starts  how often it was started
 *   standin-kubelet.conf    how to misbehave, a rule a line:
 *     die-after-ms=N  die with 255 and a fatal line; 0 is before all else
 *     exit=N          ... with that status instead
 *     dies=WORD       ... with other words: panic, error, usage (as newer ones
 *                     for a flag), failed, json, json-fatal (as 1.20), trouble
 *                     (an E line that does not say that it is the end)
 *     stack-lines=N   ... and N lines of goroutines' stacks behind them
 *     info-lines=N    ... and N lines that say nothing of it
 *     huge-bytes=N    ... and before all of them three lines of N bytes
 *     die-when-told=true   ... when standin-kubelet.die is there
 *     die-after-ok-ms=N    ... so long after the first good answer
 *     die-after-oks=N      ... right after that many good answers
 *     healthy-after-ms=N   be healthy that late (default 200)
 *     healthy-when-told=true   ... when standin-kubelet.well is there
 *     silent-ms=N     after the first good answer give none for that long
 *     never-healthy=500 | never-healthy=closed    answer 500, or never listen
 *     ignore-term=true     go on at SIGTERM
 *     serve=A,C[,MANNER]   serve 10250 over TLS: what standin-port.py, which
 *                          lies with its keys in /usr/lib/standin, is told
 *     readonly=PORT   listen there, too, whatever the file says
 *     says=WORDS      what it is told to die with; "_" is a blank
 *   each followed, on the same line, by the conditions that must all hold:
 *     when=true|false  the effective value      argv=WORD  a word of argv
 *     start=N          at the Nth start only    from-start=N   and later
 *     has=TEXT         the config file, without its blanks, has TEXT
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

#define OUR_FLAG "make-iptables-util-chains"
#define OUR_KEY  "makeIPTablesUtilChains"

enum arity {
	NO_VALUE,
	TAKES_VALUE
};

static const struct flag {
	const char *name;
	enum arity arity;
} flags[] = {
	{"address", TAKES_VALUE},
	{"anonymous-auth", NO_VALUE},
	{"authentication-token-webhook", NO_VALUE},
	{"bootstrap-kubeconfig", TAKES_VALUE},
	{"cgroup-driver", TAKES_VALUE},
	{"client-ca-file", TAKES_VALUE},
	{"cloud-provider", TAKES_VALUE},
	{"cluster-dns", TAKES_VALUE},
	{"cluster-domain", TAKES_VALUE},
	{"config", TAKES_VALUE},
	{"config-dir", TAKES_VALUE},
	{"container-runtime", TAKES_VALUE},
	{"container-runtime-endpoint", TAKES_VALUE},
	{"fail-swap-on", NO_VALUE},
	{"healthz-bind-address", TAKES_VALUE},
	{"healthz-port", TAKES_VALUE},
	{"hostname-override", TAKES_VALUE},
	{"image-credential-provider-bin-dir", TAKES_VALUE},
	{"image-credential-provider-config", TAKES_VALUE},
	{"kubeconfig", TAKES_VALUE},
	{"logtostderr", NO_VALUE},
	{OUR_FLAG, NO_VALUE},
	{"max-pods", TAKES_VALUE},
	{"network-plugin", TAKES_VALUE},
	{"node-ip", TAKES_VALUE},
	{"node-labels", TAKES_VALUE},
	{"pod-infra-container-image", TAKES_VALUE},
	{"read-only-port", TAKES_VALUE},
	{"register-node", NO_VALUE},
	{"register-with-taints", TAKES_VALUE},
	{"rotate-certificates", NO_VALUE},
	{"runtime-cgroups", TAKES_VALUE},
	{"v", TAKES_VALUE},
};

struct given {
	bool is_set;
	const char *value;
};

/* What was asked for, and what came of it. */
struct kubelet {
	struct given config, chains, port, bind;
	bool make_chains;
	int healthz_port, readonly_port;
	cJSON *shown; /* what of the file configz shows */
	char healthz_bind[INET_ADDRSTRLEN];
	bool help;
};

/* How to misbehave; times in milliseconds, -1 for never. */
struct orders {
	int die_after, exit_status, healthy_after, silent;
	int die_after_ok, die_after_oks;
	int stack_lines, info_lines, huge_bytes, readonly;
	const char *dies, *serve, *says;
	bool die_told, healthy_told;
	bool answer_500, closed, ignore_term;
};

static void vlog(char severity, const char *fmt, va_list args)
{
	struct timespec now;
	struct tm tm;
	char text[4096];

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	vsnprintf(text, sizeof(text), fmt, args);
	dprintf(STDERR_FILENO,
	        "%c%02d%02d %02d:%02d:%02d.%06ld %7d standin.go:1] %s\n",
	        severity, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	        tm.tm_sec, now.tv_nsec / 1000, getpid(), text);
}

__attribute__((format(printf, 2, 3))) static void klog(char severity,
                                                       const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vlog(severity, fmt, args);
	va_end(args);
}

/* kubelet takes about 100 ms to find out, and ends with 255. */
__attribute__((format(printf, 1, 2), noreturn)) static void fatal(
	const char *fmt, ...)
{
	struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
	va_list args;

	nanosleep(&pause, NULL);
	va_start(args, fmt);
	vlog('F', fmt, args);
	va_end(args);
	exit(255);
}

static int parse_int(const char *flag, const char *value)
{
	const char *fault;
	int number = (int)strtonum(value, 0, 65535, &fault);

	if (fault)
		fatal("invalid argument \"%s\" for \"--%s\" flag: "
		      "strconv.ParseInt: parsing \"%s\": invalid syntax",
		      value, flag, value);
	return number;
}

static bool parse_bool(const char *flag, const char *value)
{
	static const char *const yes[] = {"1",    "t",    "T",
	                                  "TRUE", "true", "True"};
	static const char *const no[] = {"0",     "f",     "F",
	                                 "FALSE", "false", "False"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(value, yes[i]) == 0)
			return true;
		if (strcmp(value, no[i]) == 0)
			return false;
	}
	fatal("invalid argument \"%s\" for \"--%s\" flag: "
	      "strconv.ParseBool: parsing \"%s\": invalid syntax",
	      value, flag, value);
}

static void set_flag(struct kubelet *k, const char *name, const char *value)
{
	struct given given = {.is_set = true, .value = value};

	if (strcmp(name, "config") == 0) {
		k->config = given;
	} else if (strcmp(name, OUR_FLAG) == 0) {
		k->chains = given;
		parse_bool(name, value);
	} else if (strcmp(name, "healthz-port") == 0) {
		k->port = given;
		parse_int(name, value);
	} else if (strcmp(name, "healthz-bind-address") == 0) {
		k->bind = given;
	} else if (strcmp(name, "v") == 0) {
		parse_int(name, value);
	}
}

/* One "--name", "--name=value" or "--name value"; returns the next index. */
static int parse_long(struct kubelet *k, char **argv, int argc, int i)
{
	const struct flag *flag = NULL;
	char name[256];
	const char *equal = strchr(argv[i], '=');
	size_t length =
		equal ? (size_t)(equal - argv[i] - 2) : strlen(argv[i] + 2);

	if (length == 0 || argv[i][2] == '-' || length >= sizeof(name))
		fatal("bad flag syntax: %s", argv[i]);
	memcpy(name, argv[i] + 2, length);
	name[length] = '\0';
	for (char *c = name; *c; c++)
		if (*c == '_')
			*c = '-';
	if (strcmp(name, "help") == 0 || strcmp(name, "version") == 0) {
		k->help = true;
		return i + 1;
	}
	for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++)
		if (strcmp(name, flags[f].name) == 0)
			flag = &flags[f];
	if (!flag)
		fatal("unknown flag: --%s", name);
	if (equal) {
		set_flag(k, name, equal + 1);
		return i + 1;
	}
	if (flag->arity == NO_VALUE) {
		set_flag(k, name, "true");
		return i + 1;
	}
	if (i + 1 == argc)
		fatal("flag needs an argument: %s", argv[i]);
	set_flag(k, name, argv[i + 1]);
	return i + 2;
}

static int parse_short(struct kubelet *k, char **argv, int argc, int i)
{
	const char *word = argv[i];

	if (word[1] == 'h') {
		k->help = true;
		return i + 1;
	}
	if (word[1] != 'v')
		fatal("unknown shorthand flag: '%c' in %s", word[1], word);
	if (word[2]) {
		set_flag(k, "v", word + (word[2] == '=' ? 3 : 2));
		return i + 1;
	}
	if (i + 1 == argc)
		fatal("flag needs an argument: 'v' in %s", word);
	set_flag(k, "v", argv[i + 1]);
	return i + 2;
}

static void parse_flags(struct kubelet *k, int argc, char **argv)
{
	const char *positional = NULL;

	for (int i = 1; i < argc;) {
		const char *word = argv[i];

		if (strcmp(word, "--") == 0) {
			if (i + 1 < argc && !positional)
				positional = argv[i + 1];
			break;
		}
		if (word[0] != '-' || word[1] == '\0') {
			if (!positional)
				positional = word;
			i++;
		} else if (word[1] == '-') {
			i = parse_long(k, argv, argc, i);
		} else {
			i = parse_short(k, argv, argc, i);
		}
	}
	if (positional)
		fatal("unknown command: %s", positional);
}

/* All of a file, NUL-terminated; NULL with errno. */
static char *slurp(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &size, EOF, file) < 0) {
		free(text);
		text = ferror(file) ? NULL : strdup("");
	}
	fclose(file);
	return text;
}

/* The last member of that name: encoding/json's rule for duplicates. */
static const cJSON *member(const cJSON *object, const char *name,
                           bool fold_case)
{
	const cJSON *found = NULL;

	for (const cJSON *item = object->child; item; item = item->next)
		if ((fold_case ? strcasecmp : strcmp)(item->string, name) == 0)
			found = item;
	return found;
}

static void check_kind(const char *path, const char *text, const cJSON *root)
{
	const cJSON *kind = member(root, "kind", true);
	const cJSON *version = member(root, "apiVersion", true);

	if (!cJSON_IsString(kind) || !*kind->valuestring)
		fatal("failed to load Kubelet config file %s, error failed to "
		      "decode: Object 'Kind' is missing in '%s'",
		      path, text);
	if (!cJSON_IsString(version) || !*version->valuestring)
		fatal("failed to load Kubelet config file %s, error failed to "
		      "decode: Object 'apiVersion' is missing in '%s'",
		      path, text);
	if (strcmp(kind->valuestring, "KubeletConfiguration") != 0 ||
	    strcmp(version->valuestring, "kubelet.config.k8s.io/v1beta1") != 0)
		fatal("failed to load Kubelet config file %s, error failed to "
		      "decode: no kind \"%s\" is registered for version \"%s\"",
		      path, kind->valuestring, version->valuestring);
}

static void apply_config(struct kubelet *k, const char *path, const cJSON *root)
{
	const cJSON *chains = member(root, OUR_KEY, false);
	const cJSON *port = member(root, "healthzPort", false);
	const cJSON *bind = member(root, "healthzBindAddress", false);
	const cJSON *readonly = member(root, "readOnlyPort", false);

	if (cJSON_IsNumber(readonly))
		k->readonly_port = readonly->valueint;
	if (chains && !cJSON_IsBool(chains) && !cJSON_IsNull(chains))
		fatal("failed to load Kubelet config file %s, error failed to "
		      "decode: v1beta1.KubeletConfiguration."
		      "MakeIPTablesUtilChains: ReadBool: expect t or f",
		      path);
	if (chains && !cJSON_IsNull(chains))
		k->make_chains = cJSON_IsTrue(chains);
	if (port && !cJSON_IsNumber(port))
		fatal("failed to load Kubelet config file %s, error failed to "
		      "decode: v1beta1.KubeletConfiguration.HealthzPort: "
		      "readInt32: unexpected character",
		      path);
	if (port)
		k->healthz_port = port->valueint;
	if (cJSON_IsString(bind))
		strlcpy(k->healthz_bind, bind->valuestring,
		        sizeof(k->healthz_bind));
}

static void load_config(struct kubelet *k, const char *path)
{
	char *text = slurp(path);
	const char *end = NULL;
	cJSON *root;

	if (!text)
		fatal("failed to load Kubelet config file %s, error failed to "
		      "read kubelet config file \"%s\", error: open %s: %s",
		      path, path, path, strerror(errno));
	if (!*text)
		fatal("failed to load Kubelet config file %s, error kubelet "
		      "config file \"%s\" was empty",
		      path, path);
	root = cJSON_ParseWithOpts(text, &end, true);
	if (!cJSON_IsObject(root))
		fatal("failed to load Kubelet config file %s, error failed to "
		      "decode: couldn't get version/kind; json parse error: "
		      "invalid character at byte %td",
		      path, end ? end - text : 0);
	check_kind(path, text, root);
	apply_config(k, path, root);
	cJSON_DeleteItemFromObjectCaseSensitive(root, "kind");
	cJSON_DeleteItemFromObjectCaseSensitive(root, "apiVersion");
	k->shown = root;
	free(text);
}

/* Defaults, then the file, then the flags. */
static void decide(struct kubelet *k)
{
	k->make_chains = true;
	k->healthz_port = 10248;
	strlcpy(k->healthz_bind, "127.0.0.1", sizeof(k->healthz_bind));
	if (k->config.is_set && *k->config.value)
		load_config(k, k->config.value);
	if (k->chains.is_set)
		k->make_chains = parse_bool(OUR_FLAG, k->chains.value);
	if (k->port.is_set)
		k->healthz_port = parse_int("healthz-port", k->port.value);
	if (k->bind.is_set)
		strlcpy(k->healthz_bind, k->bind.value,
		        sizeof(k->healthz_bind));
}

static const char *in_dir(const char *name, char *path, size_t size)
{
	const char *dir = getenv("STANDIN_DIR");

	snprintf(path, size, "%s/%s", dir ? dir : "/run", name);
	return path;
}

static int count_start(void)
{
	char path[512];
	char *text =
		slurp(in_dir("standin-kubelet.starts", path, sizeof(path)));
	int starts = 1 + (text ? atoi(text) : 0);
	FILE *file = fopen(path, "we");

	if (file) {
		fprintf(file, "%d\n", starts);
		fclose(file);
	}
	free(text);
	return starts;
}

/* Written beside and renamed, so that a reader sees all of it or the old one.
 */
static FILE *begin_file(const char *name, char path[static 512])
{
	char fresh[520];

	in_dir(name, path, 512);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	return fopen(fresh, "we");
}

static void end_file(FILE *file, const char *path)
{
	char fresh[520];

	fclose(file);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	if (rename(fresh, path) < 0)
		klog('I', "%s: %s", path, strerror(errno));
}

/* The file's members, and the one value that is decided here. */
static void print_configz(const struct kubelet *k, FILE *out)
{
	cJSON *shown = k->shown ? k->shown : cJSON_CreateObject();
	char *text;

	while (cJSON_HasObjectItem(shown, OUR_KEY))
		cJSON_DeleteItemFromObject(shown, OUR_KEY);
	cJSON_AddBoolToObject(shown, OUR_KEY, k->make_chains);
	text = cJSON_PrintUnformatted(shown);
	fprintf(out, "{\"kubeletconfig\":%s}", text);
	cJSON_free(text);
}

static void write_state(int argc, char **argv, const struct kubelet *k)
{
	const char *word = k->make_chains ? "true" : "false";
	char path[512];
	FILE *file = begin_file("standin-kubelet.state", path);

	if (file) {
		for (int i = 0; i < argc; i++)
			fwrite(argv[i], 1, strlen(argv[i]) + 1, file);
		fwrite(word, 1, strlen(word) + 1, file);
		end_file(file, path);
	}
	file = begin_file("standin-kubelet.configz", path);
	if (file) {
		print_configz(k, file);
		end_file(file, path);
	}
}

/* A control file that is wrong would make a test pass by itself. */
static void order(struct orders *orders, const char *word)
{
	if (strncmp(word, "die-after-ms=", 13) == 0)
		orders->die_after = atoi(word + 13);
	else if (strncmp(word, "die-after-ok-ms=", 16) == 0)
		orders->die_after_ok = atoi(word + 16);
	else if (strncmp(word, "die-after-oks=", 14) == 0)
		orders->die_after_oks = atoi(word + 14);
	else if (strncmp(word, "exit=", 5) == 0)
		orders->exit_status = atoi(word + 5);
	else if (strncmp(word, "dies=", 5) == 0)
		orders->dies = strdup(word + 5);
	else if (strncmp(word, "serve=", 6) == 0)
		orders->serve = strdup(word + 6);
	else if (strncmp(word, "readonly=", 9) == 0)
		orders->readonly = atoi(word + 9);
	else if (strncmp(word, "says=", 5) == 0)
		orders->says = strdup(word + 5);
	else if (strncmp(word, "stack-lines=", 12) == 0)
		orders->stack_lines = atoi(word + 12);
	else if (strncmp(word, "info-lines=", 11) == 0)
		orders->info_lines = atoi(word + 11);
	else if (strncmp(word, "huge-bytes=", 11) == 0)
		orders->huge_bytes = atoi(word + 11);
	else if (strncmp(word, "healthy-after-ms=", 17) == 0)
		orders->healthy_after = atoi(word + 17);
	else if (strncmp(word, "silent-ms=", 10) == 0)
		orders->silent = atoi(word + 10);
	else if (strcmp(word, "die-when-told=true") == 0)
		orders->die_told = true;
	else if (strcmp(word, "healthy-when-told=true") == 0)
		orders->healthy_told = true;
	else if (strcmp(word, "never-healthy=500") == 0)
		orders->answer_500 = true;
	else if (strcmp(word, "never-healthy=closed") == 0)
		orders->closed = true;
	else if (strcmp(word, "ignore-term=true") == 0)
		orders->ignore_term = true;
	else
		fatal("standin-kubelet.conf: not understood: %s", word);
}

/* Whether the file after --config has TEXT, whatever blanks are in it. */
static bool config_has(char **argv, const char *text)
{
	char *bytes = NULL, *to;
	bool has;

	for (; *argv && !bytes; argv++) {
		if (strcmp(*argv, "--config") == 0 && argv[1])
			bytes = slurp(argv[1]);
	}
	if (!bytes)
		return false;
	to = bytes;
	for (const char *c = bytes; *c; c++) {
		if (!strchr(" \t\n", *c))
			*to++ = *c;
	}
	*to = '\0';
	has = strstr(bytes, text);
	free(bytes);
	return has;
}

/* 1: a condition that holds; 0: one that does not; -1: no condition. */
static int condition(const char *word, char **argv, bool value, int starts)
{
	if (strncmp(word, "has=", 4) == 0)
		return config_has(argv, word + 4);
	if (strncmp(word, "when=", 5) == 0)
		return strcmp(word + 5, value ? "true" : "false") == 0;
	if (strncmp(word, "start=", 6) == 0)
		return atoi(word + 6) == starts;
	if (strncmp(word, "from-start=", 11) == 0)
		return atoi(word + 11) <= starts;
	if (strncmp(word, "argv=", 5) != 0)
		return -1;
	for (; *argv; argv++)
		if (strcmp(*argv, word + 5) == 0)
			return 1;
	return 0;
}

static void obey_line(struct orders *orders, char *line, char **argv,
                      bool value, int starts)
{
	char *words[16];
	size_t n_words = 0;
	char *word, *rest = line;

	while ((word = strsep(&rest, " \t")) && n_words < 16) {
		int holds = *word ? condition(word, argv, value, starts) : 1;

		if (holds == 0)
			return;
		if (holds < 0)
			words[n_words++] = word;
	}
	for (size_t i = 0; i < n_words; i++)
		order(orders, words[i]);
}

static struct orders read_orders(char **argv, bool value, int starts)
{
	struct orders orders = {
		.die_after = -1,
		.exit_status = 255,
		.healthy_after = 200,
		.die_after_ok = -1,
	};
	char path[512];
	char *text = slurp(in_dir("standin-kubelet.conf", path, sizeof(path)));
	char *line, *rest = text;

	while (rest && (line = strsep(&rest, "\n")))
		if (*line && *line != '#')
			obey_line(&orders, line, argv, value, starts);
	free(text);
	return orders;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A socket that listens; -1 where the address is taken, to be tried again:
 * FIRST says so, once, as a pipe that nobody reads is soon full. */
static int listen_at(const char *bind_address, int port, bool first)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
	};

	inet_pton(AF_INET, bind_address, &address.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(fd, 16) == 0)
		return fd;
	if (first)
		klog('I', "Failed to start healthz server: %s",
		     strerror(errno));
	close(fd);
	return -1;
}

#define PORT_DIR "/usr/lib/standin/"

/* The port that the API server uses: the socket is ours, who answers is a child
 * that ends with us, as its stdin does. */
static void serve_tls(const char *serve)
{
	char *words = strdup(serve), *rest = words, number[16];
	const char *anonymous = strsep(&rest, ",");
	const char *certificate = strsep(&rest, ",");
	int fd = listen_at("0.0.0.0", 10250, true), in[2];

	if (fd < 0 || !certificate || pipe(in) < 0)
		fatal("standin-kubelet.conf: not understood: serve=%s", serve);
	fcntl(in[1], F_SETFD, FD_CLOEXEC);
	if (fork() == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(in[0], STDIN_FILENO);
		fcntl(fd, F_SETFD, 0);
		fcntl(fd, F_SETFL, 0);
		snprintf(number, sizeof(number), "%d", fd);
		execlp("python3", "python3", PORT_DIR "standin-port.py",
		       PORT_DIR "server.crt", PORT_DIR "server.key",
		       PORT_DIR "client.crt", anonymous, certificate,
		       rest ? rest : "", number, NULL);
		_exit(127);
	}
	close(in[0]);
	free(words);
}

/* What the read-only port says of its own users. */
static const char *count_request(bool is_get)
{
	static unsigned gets;
	static char body[256];

	gets += is_get;
	snprintf(
		body, sizeof(body),
		"kubelet_http_requests_total{method=\"GET\",path=\"metrics\","
		"server_type=\"readonly\"} %u\n"
		"kubelet_http_requests_total{method=\"other\",path=\"metrics\","
		"server_type=\"readonly\"} 1\n",
		gets);
	return body;
}

static void answer(int listener, bool healthy)
{
	struct timeval patience = {.tv_sec = 10};
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	const char *body = healthy ? "ok" : "unhealthy";
	char request[1024] = "";
	size_t size = 0;
	ssize_t n;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	/* All of it: closing with bytes unread would reset the connection. */
	while (!strstr(request, "\r\n\r\n")) {
		n = recv(fd, request + size, sizeof(request) - 1 - size, 0);
		if (n <= 0)
			break;
		size += (size_t)n;
		request[size] = '\0';
	}
	if (strstr(request, " /metrics ")) {
		body = count_request(strncmp(request, "GET ", 4) == 0);
		healthy = true;
	}
	if (strncmp(request, "GET /healthz ", 13) != 0 &&
	    !strstr(request, " /metrics "))
		dprintf(fd, "HTTP/1.1 404 Not Found\r\n"
		            "Content-Length: 0\r\nConnection: close\r\n\r\n");
	else
		dprintf(fd,
		        "HTTP/1.1 %s\r\nContent-Type: text/plain\r\n"
		        "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		        healthy ? "200 OK" : "500 Internal Server Error",
		        strlen(body), body);
	close(fd);
}

#define DIES "failed to run Kubelet: the stand-in was told to die"

#define TLS                                                                    \
	"      --tls-min-version string    Minimum TLS version supported.\n"   \
	"                Possible values: VersionTLS10, VersionTLS11\n"
#define USAGE                                                                  \
	"Usage:\n  kubelet [flags]\n\nFlags:\n" TLS TLS TLS TLS TLS TLS TLS    \
	"  -v, --v Level               number for the log level\n"

/* What kubelets and Go say when they end. */
static void print_end(const struct orders *orders, FILE *out)
{
	char *says = orders->says ? strdup(orders->says) : NULL;

	for (char *c = says; c && *c; c++)
		*c = *c == '_' ? ' ' : *c;
	if (says)
		klog('F', "failed to run Kubelet: %s", says);
	else if (!orders->dies)
		klog('F', DIES);
	else if (strcmp(orders->dies, "failed") == 0)
		klog('E', "\"command failed\" err=\"" DIES "\"");
	else if (strcmp(orders->dies, "json") == 0)
		fprintf(out,
		        "{\"ts\":%lld.5,\"caller\":\"cli/run.go:74\","
		        "\"msg\":\"command failed\",\"err\":\"" DIES "\"}\n",
		        (long long)time(NULL) * 1000);
	else if (strcmp(orders->dies, "json-fatal") == 0)
		fprintf(out,
		        "{\"ts\":%lld.5,\"msg\":\"" DIES "\\n\",\"v\":0}\n",
		        (long long)time(NULL) * 1000);
	else if (strcmp(orders->dies, "error") == 0)
		fputs("Error: " DIES "\n", out);
	else if (strcmp(orders->dies, "panic") == 0)
		fputs("panic: " DIES "\n\n", out);
	else if (strcmp(orders->dies, "trouble") == 0)
		klog('E', DIES);
	else if (strcmp(orders->dies, "usage") == 0)
		fputs("Error: " DIES "\n" USAGE, out);
	else
		fatal("standin-kubelet.conf: not understood: dies=%s",
		      orders->dies);
}

/* As a kubelet 1.20.2 prints them (klog.Fatal). */
static void print_stacks(int n_lines, FILE *out)
{
	static const char lines[][160] = {
		"k8s.io/kubernetes/vendor/k8s.io/apimachinery/pkg/util/wait."
		"BackoffUntil(0x0?, {0x27b8980, 0xc0007fc000}, 0x1, "
		"0xc0000a40c0)",
		"\tk8s.io/kubernetes/vendor/k8s.io/apimachinery/pkg/util/wait/"
		"wait.go:167 +0x135",
		"k8s.io/kubernetes/vendor/k8s.io/klog/v2.(*loggingT)."
		"flushDaemon(...)",
		"\tk8s.io/kubernetes/vendor/k8s.io/klog/v2/klog.go:1169",
		"main.main()",
		"\tk8s.io/kubernetes/cmd/kubelet/kubelet.go:41 +0xc5",
		"created by k8s.io/kubernetes/vendor/k8s.io/klog/v2.init.0",
		"\tk8s.io/kubernetes/vendor/k8s.io/klog/v2/klog.go:417 +0xf6",
		"",
	};
	const int n = sizeof(lines) / sizeof(lines[0]);

	for (int i = 0; i < n_lines; i++) {
		if (i % (n + 1) == 0)
			fprintf(out, "goroutine %d [%s]:\n", i / (n + 1) + 1,
			        i == 0 ? "running" : "chan receive");
		else
			fprintf(out, "%s\n", lines[i % (n + 1) - 1]);
	}
}

/* A pipe's lines are cut by journald, these are not. */
static void send_huge_line(int size)
{
	char *text = malloc((size_t)size + 1);

	for (int i = 0; text && i < size; i++)
		text[i] = (char)('a' + random() % 26);
	if (text) {
		text[size] = '\0';
		sd_journal_send("MESSAGE=%s", text, NULL);
	}
	free(text);
}

static void die(const struct orders *orders)
{
	for (int i = 0; i < 3 && orders->huge_bytes > 0; i++)
		send_huge_line(orders->huge_bytes);
	print_end(orders, stderr);
	fflush(stderr);
	print_stacks(orders->stack_lines, stderr);
	fflush(stderr);
	for (int i = 0; i < orders->info_lines; i++)
		klog('I', "line %d of those behind the end", i);
	exit(orders->exit_status);
}

/* Whether somebody has made the file NAME. */
static bool told(const char *name)
{
	char path[512];

	return access(in_dir(name, path, sizeof(path)), F_OK) == 0;
}

/* OK_UP: when the first good answer was given, of OKS; both 0: none was. */
static bool is_time_to_die(const struct orders *orders, int64_t up,
                           int64_t ok_up, int oks)
{
	return (orders->die_after >= 0 && up >= orders->die_after) ||
	       (orders->die_after_ok >= 0 && oks > 0 &&
	        up >= ok_up + orders->die_after_ok) ||
	       (orders->die_after_oks > 0 && oks >= orders->die_after_oks) ||
	       (orders->die_told && told("standin-kubelet.die"));
}

static bool is_time_to_be_well(const struct orders *orders, int64_t up)
{
	return up >= orders->healthy_after &&
	       (!orders->healthy_told || told("standin-kubelet.well"));
}

/* Until SIGTERM, or until its orders say so. */
static int serve(const struct kubelet *k, const struct orders *orders,
                 int signals)
{
	int64_t start = now_ms(), silent_until = 0, ok_up = 0;
	int listener = -1, readonly = -1, oks = 0;
	int readonly_port =
		orders->readonly ? orders->readonly : k->readonly_port;
	bool started = false, tried = false;

	for (;;) {
		int64_t up = now_ms() - start;
		struct pollfd fds[] = {
			{.fd = signals, .events = POLLIN},
			{.fd = up < silent_until ? -1 : listener,
		         .events = POLLIN},
			{.fd = readonly, .events = POLLIN},
		};
		struct signalfd_siginfo got;

		if (is_time_to_die(orders, up, ok_up, oks))
			die(orders);
		if (!started && is_time_to_be_well(orders, up)) {
			if (!orders->closed && k->healthz_port > 0)
				listener = listen_at(k->healthz_bind,
				                     k->healthz_port, !tried);
			if (!tried && readonly_port > 0)
				readonly = listen_at("0.0.0.0", readonly_port,
				                     true);
			if (!tried && orders->serve)
				serve_tls(orders->serve);
			tried = true;
			started = listener >= 0 || orders->closed ||
			          k->healthz_port == 0;
			if (started && !orders->closed && !orders->answer_500) {
				sd_notify(0, "READY=1");
				klog('I', "Started kubelet");
			}
			if (started)
				continue;
		}
		if (poll(fds, 3, 20) <= 0)
			continue;
		if (fds[2].revents)
			answer(readonly, true);
		if (fds[1].revents) {
			answer(listener, !orders->answer_500);
			if (oks++ == 0) {
				ok_up = now_ms() - start;
				silent_until = ok_up + orders->silent;
			}
		}
		if (fds[0].revents &&
		    read(signals, &got, sizeof(got)) == sizeof(got)) {
			klog('I', "Got signal %u", got.ssi_signo);
			if (!orders->ignore_term)
				return 0;
		}
	}
}

int main(int argc, char **argv)
{
	struct kubelet k = {0};
	struct orders orders;
	sigset_t mask;
	int starts = count_start();

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stderr, NULL, _IOFBF, 1 << 16);

	parse_flags(&k, argc, argv);
	if (k.help) {
		printf("standin-kubelet: not kubelet, but its stand-in on test "
		       "hosts\n");
		return 0;
	}
	decide(&k);
	write_state(argc, argv, &k);
	orders = read_orders(argv, k.make_chains, starts);
	if (orders.die_after == 0)
		die(&orders);
	klog('I', "stand-in kubelet, start %d: " OUR_KEY "=%s", starts,
	     k.make_chains ? "true" : "false");
	return serve(&k, &orders, signalfd(-1, &mask, SFD_CLOEXEC));
}
