/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the commands print on. Colours are for terminals, unless --color=always
 * is given; NO_COLOR (no-color.org), and a TERM that is "dumb" or not set, turn
 * them off where --color is not given.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/usage.h"
#include "report/text-words.h"

/* Where there is no terminal that says its own. */
#define WIDTH 120

unsigned kr_cli_columns(FILE *out)
{
	struct winsize size;

	return isatty(fileno(out)) == 1 &&
	                       ioctl(fileno(out), TIOCGWINSZ, &size) == 0
	               ? size.ws_col
	               : 0;
}

struct kr_term kr_cli_terminal(const struct kr_options *o, FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *type = getenv("TERM");
	bool is_tty = isatty(fileno(out)) == 1;
	struct kr_term term = {.out = out, .is_terminal = is_tty};

	term.color = o->color == KR_WHEN_ALWAYS ||
	             (o->color == KR_WHEN_AUTO && is_tty &&
	              !(no_color && *no_color) && type && *type &&
	              strcmp(type, "dumb") != 0);
	term.width = o->width > 0 ? o->width : is_tty ? kr_cli_columns(out) : 0;
	term.wraps = term.width > 0;
	if (term.width == 0)
		term.width = WIDTH;
	return term;
}

const struct kr_finding_format *kr_cli_finding_format(
	const struct kr_options *o)
{
	switch (o->format) {
	case KR_FORMAT_SARIF:
		return &kr_sarif;
	case KR_FORMAT_JUNIT:
		return &kr_junit;
	case KR_FORMAT_PROMETHEUS:
		return &kr_prometheus;
	case KR_FORMAT_ASFF:
		return &kr_asff_format;
	default:
		return NULL;
	}
}

char *kr_cli_line(enum kr_verdict verdict, const char *text)
{
	char *line = NULL;
	size_t size;
	struct kr_term term = {.out = open_memstream(&line, &size)};

	if (!term.out)
		return NULL;
	kr_text_verdict(&term, verdict, text);
	if (fclose(term.out) != 0 || size == 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

int kr_cli_out_of_memory(FILE *err)
{
	fprintf(err, "%s: out of memory\n", KR_NAME);
	return KR_STATUS_NO_MEMORY;
}

/*
 * --output-file: a new file beside the old one, renamed over it.
 *
 *	begin   an inode in the folder, without a name (O_TMPFILE) where the
 *	        file system can do that: a kill leaves nothing behind
 *	write   the result, by stdio
 *	commit  fsync, a name beside the old file, rename
 *
 * So the reader of the file, a collector for example, has the old result or the
 * new one, at every instant. The new file has the owner, group and mode of the
 * old one; where there was none it is ours, and 0644 less the umask.
 *
 * What is there and no regular file is refused before the run: a rename would
 * put a file in the place of /dev/null or of a symbolic link, and to follow a
 * link would let the owner of a folder choose what root overwrites.
 *
 * Source: open(2), O_TMPFILE, whose example links by /proc/self/fd.
 */

#define KR_OUTPUT_FILE_NONE ((struct kr_output_file){.dir_fd = -1})

static int fail(FILE *err, const struct kr_output_file *file, int error)
{
	fprintf(err, "%s: --output-file: ", KR_NAME);
	kr_usage_word(err, file->path);
	fprintf(err, ": %s\n", strerror(error));
	return -error;
}

/* "Beside" is the folder, whatever links lead to it. */
static int open_folder(struct kr_output_file *file)
{
	const char *slash = strrchr(file->path, '/');
	_cleanup_free_ char *folder = NULL;

	file->name = slash ? slash + 1 : file->path;
	if (!*file->name || strcmp(file->name, ".") == 0 ||
	    strcmp(file->name, "..") == 0)
		return -EISDIR;
	/* "/x" is in "/" */
	folder = slash ? strndup(file->path, (size_t)(slash - file->path) + 1)
	               : strdup(".");
	if (!folder)
		return -ENOMEM;
	file->dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return file->dir_fd < 0 ? -errno : 0;
}

/* A name that no collector takes for its own, and that cannot be guessed. */
static void name_temp(struct kr_output_file *file)
{
	snprintf(file->temp, sizeof(file->temp), ".kubelet-remedy-%08x%08x",
	         arc4random(), arc4random());
}

/* The new file's descriptor, or an errno. */
static int open_new(struct kr_output_file *file)
{
	int fd =
		openat(file->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);

	/* an old kernel takes it for the folder itself */
	if (fd >= 0 ||
	    (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd < 0 ? -errno : fd;
	name_temp(file);
	fd = openat(file->dir_fd, file->temp,
	            O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
	if (fd >= 0)
		return fd;
	file->temp[0] = '\0';
	return -errno;
}

static int keep_metadata(int fd, const struct stat *was)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_uid != was->st_uid || st.st_gid != was->st_gid) &&
	    fchown(fd, was->st_uid, was->st_gid) < 0)
		return -errno;
	return fchmod(fd, was->st_mode & 07777) < 0 ? -errno : 0;
}

int kr_output_file_begin(struct kr_output_file *ret, const char *path,
                         FILE *err)
{
	_cleanup_close_ int fd = -1;
	struct stat was;
	bool exists;
	int r;

	*ret = KR_OUTPUT_FILE_NONE;
	ret->path = path;
	r = open_folder(ret);
	if (r < 0)
		return fail(err, ret, -r);
	exists =
		fstatat(ret->dir_fd, ret->name, &was, AT_SYMLINK_NOFOLLOW) == 0;
	if (!exists && errno != ENOENT)
		return fail(err, ret, errno);
	if (exists && !S_ISREG(was.st_mode)) {
		fprintf(err, "%s: --output-file: ", KR_NAME);
		kr_usage_word(err, path);
		fprintf(err, " must be a regular file, or not be there%s\n",
		        S_ISLNK(was.st_mode) ? "; it is a symbolic link" : "");
		return -EINVAL;
	}
	fd = open_new(ret);
	if (fd < 0)
		return fail(err, ret, -fd);
	r = exists ? keep_metadata(fd, &was) : 0;
	if (r < 0)
		return fail(err, ret, -r);
	ret->stream = fdopen(fd, "w");
	if (!ret->stream)
		return fail(err, ret, errno);
	TAKE_FD(fd);
	return 0;
}

/* The file without a name gets one. */
static int give_name(struct kr_output_file *file)
{
	char link[48];

	if (file->temp[0])
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fileno(file->stream));
	name_temp(file);
	if (linkat(AT_FDCWD, link, file->dir_fd, file->temp,
	           AT_SYMLINK_FOLLOW) == 0)
		return 0;
	file->temp[0] = '\0';
	return -errno;
}

/* stdio says of a write that failed only that it did: another one says why. The
 * file is thrown away. */
static int find_error(const struct kr_output_file *file)
{
	static const char block[4096];

	return write(fileno(file->stream), block, sizeof(block)) < 0 ? errno
	                                                             : EIO;
}

int kr_output_file_commit(struct kr_output_file *file, FILE *err)
{
	struct stat st;
	int r;

	if (ferror(file->stream))
		return fail(err, file, find_error(file));
	if (fflush(file->stream) != 0 || fstat(fileno(file->stream), &st) < 0)
		return fail(err, file, errno);
	if (st.st_size == 0)
		return 0;
	if (fsync(fileno(file->stream)) < 0)
		return fail(err, file, errno);
	r = give_name(file);
	if (r < 0)
		return fail(err, file, -r);
	if (renameat(file->dir_fd, file->temp, file->dir_fd, file->name) < 0)
		return fail(err, file, errno);
	file->temp[0] = '\0';
	return 0;
}

void kr_output_file_done(struct kr_output_file *file)
{
	if (file->temp[0])
		unlinkat(file->dir_fd, file->temp, 0);
	if (file->stream)
		fclose(file->stream);
	if (file->dir_fd >= 0)
		close(file->dir_fd);
	*file = KR_OUTPUT_FILE_NONE;
}
