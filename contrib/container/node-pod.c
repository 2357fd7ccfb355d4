/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node-pod: what the DaemonSet's container runs: one audit or one fix of the
 * node at /host, then nothing until the pod goes.
 *
 *   MODE=audit|fix node-pod [OPTION]...   the options are those of the command
 *   node-pod ready                        the readiness probe: status 0 or 1
 *
 * A program, and no script: the image has no shell.
 *
 * A node that does not pass shows in `kubectl get pods`. In audit the container
 * ends once, with the audit's status, and the verdict is its termination
 * message. The container that follows shows the same audit and waits: RESTARTS
 * is 1 where the node fails or has no verdict, and 0 where it passes. Labels
 * and conditions of the pod would show it, too, but need a token of the API
 * server, which this pod has not. In fix the pod is not ready.
 *
 * When a pod is ready: in audit once the audit has run, whatever it found. A
 * DaemonSet replaces the pods that are not ready all at once when it is
 * updated, and a switch to fix must take one node after the other. In fix it is
 * ready after status 0, and after 1: the files are correct, and what is left is
 * said. After 3 to 6 the pod stays, not ready, and the roll-out stops at its
 * node.
 *
 * One pod fixes once. A container that is started again (killed for want of
 * memory, say) finds in $STATE, which outlives containers but not the pod, that
 * there was a run: one that has ended is shown again, and not repeated; one
 * that was killed is not repeated, either, since the host reverts it by itself.
 * After a reboot of the node it is another run. A new pod tries again; a change
 * that was put back (5) is refused then (4) unless --retry is among the
 * options.
 *
 * The first pods of a new DaemonSet only audit, in fix, too: all of them are
 * made at once, and a fix takes one node after the other. They judge what the
 * fix will be about: the options that only fix has are left out. $GENERATION is
 * the pod's label pod-template-generation, which is 1 until the DaemonSet is
 * updated. Where the label is missing, the pod audits as well. Without the
 * variable (by hand) it fixes.
 *
 * The last line of the log is the verdict, for `kubectl logs --tail=1`.
 * $MESSAGE is the file of the container's termination message.
 *
 * SIGTERM, SIGINT and SIGHUP are blocked but where this waits. Each goes to the
 * program as SIGTERM, which then puts everything back, and is waited for.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "kubelet-remedy"

static const char *state_dir;
static const char *root;
static sigset_t ends; /* the signals that end a pod */

/* --- words --------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list args;

	fputs("node-pod: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

__attribute__((noreturn)) static void fail_memory(void)
{
	say("out of memory");
	exit(1);
}

static const char *get(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

/* --- what outlives the container ----------------------------------------- */

static FILE *open_state(const char *name, const char *mode)
{
	char *path;
	FILE *file;

	if (asprintf(&path, "%s/%s", state_dir, name) < 0)
		fail_memory();
	file = fopen(path, mode);
	free(path);
	return file;
}

static void note(const char *name, const char *text)
{
	FILE *file = open_state(name, "we");

	if (!file || fprintf(file, "%s\n", text) < 0 || fclose(file) != 0) {
		say("%s/%s cannot be written", state_dir, name);
		exit(1);
	}
}

/* The first line of FILE, without its end, which the caller frees; NULL: none.
 */
static char *read_line(FILE *file)
{
	char *line = NULL;
	size_t size = 0;

	if (!file || getline(&line, &size, file) < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\n")] = 0;
	return line;
}

static char *read_note(const char *name)
{
	FILE *file = open_state(name, "re");
	char *line = read_line(file);

	if (file)
		fclose(file);
	return line;
}

static int is_ready(void)
{
	char *line = read_note("ready");

	return line && strcmp(line, "yes") == 0 ? 0 : 1;
}

/* The kernel's id of this boot; the pod ends where the node has none. */
static char *read_boot(void)
{
	FILE *file;
	char *path, *line;

	if (asprintf(&path, "%s/proc/sys/kernel/random/boot_id", root) < 0)
		fail_memory();
	file = fopen(path, "re");
	line = read_line(file);
	if (!line) {
		say("%s is no live node: its /proc is not there", root);
		exit(1);
	}
	fclose(file);
	free(path);
	return line;
}

/* --- a program, and signals ---------------------------------------------- */

static bool stopping;

/* Waits until CHILD has ended (0: for ever), or until a signal ends the pod.
 * Every signal goes to CHILD. Its status as a shell has it; 0 of none. */
static int wait_for(pid_t child)
{
	sigset_t awaited = ends;
	int status;

	sigaddset(&awaited, SIGCHLD);
	for (;;) {
		int number;

		if (child > 0 && waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status)
			                         : 128 + WTERMSIG(status);
		if (child == 0 && stopping)
			return 0;
		number = sigwaitinfo(&awaited, NULL);
		if (number < 0 || number == SIGCHLD)
			continue;
		stopping = true;
		if (child > 0)
			kill(child, SIGTERM);
	}
}

/* Runs COMMAND with --root and the words of OPTIONS; its output goes into the
 * file of the state that is called as it is. Its status, and 127 where it
 * cannot be started. */
static int run(const char *command, char **options)
{
	size_t n = 0;
	char **words;
	pid_t child;

	while (options[n])
		n++;
	words = calloc(n + 4, sizeof(*words));
	if (!words || asprintf(&words[2], "--root=%s", root) < 0)
		fail_memory();
	words[0] = strdup(PROGRAM);
	words[1] = strdup(command);
	if (!words[0] || !words[1])
		fail_memory();
	memcpy(words + 3, options, n * sizeof(*words));
	fflush(NULL);
	child = fork();
	if (child < 0) {
		say("fork: %s", strerror(errno));
		return 127;
	}
	if (child == 0) {
		FILE *file = open_state(command, "we");
		sigset_t none;

		if (!file || dup2(fileno(file), STDOUT_FILENO) < 0) {
			say("%s/%s cannot be written", state_dir, command);
			_exit(126);
		}
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execvp(PROGRAM, words);
		say(PROGRAM ": %s", strerror(errno));
		_exit(127);
	}
	return wait_for(child);
}

/* --- the two modes ------------------------------------------------------- */

/* How a run of MODE in this boot ended, or "begun"; NULL: there was none. */
static char *find_run(const char *mode, const char *boot)
{
	char *line = read_note("run"), *start, *end = NULL;

	if (asprintf(&start, "%s %s ", mode, boot) < 0)
		fail_memory();
	if (line && strncmp(line, start, strlen(start)) == 0)
		end = strdup(line + strlen(start));
	free(start);
	free(line);
	return end;
}

static void note_run(const char *mode, const char *boot, const char *end)
{
	char *line;

	if (asprintf(&line, "%s %s %s", mode, boot, end) < 0)
		fail_memory();
	note("run", line);
	free(line);
}

static void note_status(const char *mode, const char *boot, int status)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", status);
	note_run(mode, boot, number);
}

/* The first line of an audit as text; of another format, what STATUS means. The
 * caller frees it. */
static char *make_verdict(int status)
{
	char *line = read_note("audit"), *text;

	if (asprintf(&text, "status %d: %s", status,
	             status != 0 && status != 1 && status != 3
	                     ? "no verdict; not ready"
	             : line && *line >= 'A' && *line <= 'Z' ? line
	             : status == 0                          ? "PASS"
	             : status == 1                          ? "FAIL"
	                                                    : "no verdict") < 0)
		fail_memory();
	free(line);
	return text;
}

/* What COMMAND printed. */
static void show(const char *command)
{
	FILE *file = open_state(command, "re");
	char buffer[4096];
	size_t n;

	while (file && (n = fread(buffer, 1, sizeof(buffer), file)) > 0)
		fwrite(buffer, 1, n, stdout);
	fflush(stdout);
	if (file)
		fclose(file);
}

/* The termination message, where there is a place for it. */
static void leave_message(const char *text)
{
	const char *path = get("MESSAGE", "/dev/termination-log");
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return;
	if (dprintf(fd, "%s\n", text) < 0)
		say("%s: %s", path, strerror(errno));
	close(fd);
}

static int audit(char **options, const char *boot)
{
	char *was = find_run("audit", boot), *text;
	int status;

	if (was) {
		status = atoi(was);
	} else {
		status = run("audit", options);
		if (!stopping)
			note_status("audit", boot, status);
	}
	show("audit");
	text = make_verdict(status);
	say("audit: %s", text);
	if (status != 0 && !was && !stopping) {
		leave_message(text);
		exit(status);
	}
	if (status == 0 || status == 1 || status == 3)
		note("ready", "yes");
	free(text);
	free(was);
	return status;
}

/* The options that audit has not; whether a value goes with each. */
static const struct {
	const char *name;
	bool valued;
} fix_options[] = {
	{"dry-run", false}, {"allow", true},        {"set", true},
	{"expect", true},   {"method", true},       {"restart", true},
	{"wait", true},     {"no-rollback", false}, {"no-persist", false},
	{"for", true},      {"retry", false},
};

/* Whether WORD is one of them, which may be cut to what is clear. The next word
 * is its value if RET_VALUED. */
static bool is_of_fix(const char *word, bool *ret_valued)
{
	size_t length = strcspn(word, "=");

	*ret_valued = false;
	if (strcmp(word, "-n") == 0)
		return true;
	if (strncmp(word, "--", 2) != 0 || length <= 2)
		return false;
	for (size_t i = 0; i < sizeof(fix_options) / sizeof(*fix_options);
	     i++) {
		if (strncmp(word + 2, fix_options[i].name, length - 2) != 0)
			continue;
		*ret_valued = fix_options[i].valued && word[length] != '=';
		return true;
	}
	return false;
}

/* OPTIONS without those, in their place. */
static void keep_those_of_audit(char **options)
{
	char **kept = options;
	bool valued;

	for (; *options; options++) {
		if (!is_of_fix(*options, &valued))
			*kept++ = *options;
		else if (valued && options[1])
			options++;
	}
	*kept = NULL;
}

/* What STATUS of a fix means, and what follows from it. */
static void explain(int status)
{
	static const char *const texts[] = {
		[0] = "this node is done",
		[1] = "the files are correct, but not all is: the message "
		      "above "
		      "says what is left",
		[3] = "there is nothing to judge on this node yet",
		[4] = "refused, nothing is changed; a new pod tries again",
		[5] = "put back, kubelet is healthy as before; the same change "
		      "is refused from now on without --retry",
		[6] = "kubelet on this node needs manual repair; the message "
		      "above names the copies of its files",
	};
	const char *text = NULL;

	if (status >= 0 && (size_t)status < sizeof(texts) / sizeof(*texts))
		text = texts[status];
	say("fix: status %d: %s%s", status,
	    text ? text : "this is no outcome of a fix",
	    status <= 1 ? "" : "; not ready: a roll-out stops here");
}

static int fix(char **options, const char *boot)
{
	char *was = find_run("fix", boot);
	int status;

	if (was && strcmp(was, "begun") == 0) {
		say("this container was ended in the middle of a fix, which is "
		    "not repeated: the host reverts by itself what was "
		    "changed; a new pod tries again");
		free(was);
		return 0;
	}
	if (was) {
		say("the container was started again: its fix is not repeated");
		status = atoi(was);
	} else {
		note_run("fix", boot, "begun");
		status = run("fix", options);
		note_status("fix", boot, status);
	}
	show("fix");
	free(was);
	explain(status);
	if (status <= 1 && !stopping)
		note("ready", "yes");
	return status;
}

int main(int argc, char **argv)
{
	const char *mode = get("MODE", "audit");
	const char *generation = getenv("GENERATION");
	sigset_t blocked;
	char *boot;
	int status;

	state_dir = get("STATE", "/run/node-pod");
	root = get("ROOT", "/host");
	if (argc > 1 && strcmp(argv[1], "ready") == 0)
		return is_ready();
	if (strcmp(mode, "audit") != 0 && strcmp(mode, "fix") != 0) {
		say("MODE is \"%s\": audit or fix is possible", mode);
		return 2;
	}
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGHUP);
	blocked = ends;
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	note("ready", "no");
	boot = read_boot();
	if (strcmp(mode, "audit") == 0) {
		status = audit(argv + 1, boot);
	} else if (generation &&
	           (!*generation || strcmp(generation, "1") == 0)) {
		say("not fixed: the first pods of a DaemonSet only audit. To "
		    "fix node after node: kubectl rollout restart "
		    "daemonset/kubelet-remedy");
		keep_those_of_audit(argv + 1);
		status = audit(argv + 1, boot);
	} else {
		status = fix(argv + 1, boot);
	}
	free(boot);
	if (stopping)
		return status;
	wait_for(0);
	return 0;
}
