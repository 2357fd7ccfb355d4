/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An audit ends with the next command, and nobody is helped by one that is
 * refused. So the plan of that fix is made here, in memory, by the same code,
 * and what fix looks at before it writes is looked at: was this very change put
 * back before, can the files be replaced, would the restart apply more than
 * this change, is there a systemd to be asked for it. What takes time, many
 * files or a running kubelet's answer (its proof, its health) is left to fix.
 */

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fix/pending.h"
#include "plan/plan.h"
#include "report/foresee.h"
#include "store/files.h"
#include "store/manifest.h"
#include "store/swap.h"

/* 1: the last record of this very change says that it was put back. */
static int was_put_back(struct kr_node *node, const struct kr_plan *plan,
                        struct kr_diag *why)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_diag_ struct kr_diag ignored = {0};
	const struct kr_manifest *same;
	int r;

	if (plan->edits.n_files == 0)
		return 0;
	r = kr_manifests_read(node->fs, &ignored, &list);
	if (r < 0) /* fix goes on without them, too */
		return r == -ENOMEM ? r : 0;
	same = kr_manifests_find_same(&list, &plan->edits);
	if (!same || same->state != KR_MANIFEST_PUT_BACK)
		return 0;
	kr_diag_add(why, KR_ERROR, "put-back-before", KR_SPAN_NONE,
	            "this change was made before and put back (%s): see why, "
	            "then 'kubelet-remedy fix --retry' tries it again",
	            same->reason ? same->reason : "for no reason that is kept");
	return 1;
}

/* The name of FILE in its folder FD: what it is that cannot be replaced; NULL:
 * nothing. */
static const char *find_block(const struct kr_file_edits *f, int fd)
{
	_cleanup_close_ int target = -1;
	struct statvfs vfs;
	int flags;

	if (fstatvfs(fd, &vfs) == 0 && (vfs.f_flag & ST_RDONLY))
		return "it is on a file system that is mounted read-only";
	if (kr_may_write_in(fd) < 0)
		return "its folder must not be written";
	if (!f->file)
		return NULL;
	if (f->file->st.st_nlink > 1)
		return "it has several names (hard links)";
	target = kr_known_open(fd, strrchr(f->path, '/') + 1);
	if (target >= 0 && ioctl(target, FS_IOC_GETFLAGS, &flags) == 0 &&
	    (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return "it is immutable (chattr +i or +a)";
	return NULL;
}

/* 1: a file cannot be replaced, as far as its folder and its inode tell. */
static int is_blocked(struct kr_node *node, const struct kr_plan *plan,
                      struct kr_diag *why)
{
	if (node->live && geteuid() != 0)
		return 0;
	for (size_t i = 0; i < plan->edits.n_files; i++) {
		const struct kr_file_edits *f = &plan->edits.files[i];
		_cleanup_free_ char *missing = NULL;
		_cleanup_close_ int fd =
			kr_open_nearest(node->fs, f->path, &missing);
		const char *block = fd >= 0 ? find_block(f, fd) : NULL;

		if (fd == -ENOMEM)
			return fd;
		if (!block)
			continue;
		kr_diag_add_path(why, KR_ERROR, "file-not-replaced", f->path,
		                 "the file cannot be replaced: %s", block);
		return 1;
	}
	return 0;
}

static int foresee_restart(struct kr_host *host, enum kr_foresight *ret)
{
	struct kr_node *node = host->node;
	_cleanup_diag_ struct kr_diag ignored = {0};
	int r;

	if (!node->live || !node->has_process)
		return 0;
	if (!host->manager) {
		*ret = KR_FORESIGHT_NO_RESTART;
		return 0;
	}
	/* without our flag they are the same before and after the edits */
	r = kr_pending_arguments(node, &node->disk.inputs, KR_ERROR, &ignored);
	if (r == KR_PENDING_ARGUMENTS)
		*ret = KR_FORESIGHT_ALWAYS;
	return r < 0 ? r : 0;
}

int kr_foresee(struct kr_host *host, const struct kr_audit *audit,
               struct kr_diag *why, enum kr_foresight *ret)
{
	const struct kr_plan_options options = {
		.method = KR_METHOD_AUTO,
		.explicit_wanted = audit->explicit_wanted,
		.draft = true,
	};
	_cleanup_plan_ struct kr_plan *plan = NULL;
	_cleanup_diag_ struct kr_diag found = {0};
	int r = kr_plan_make(host->node, audit, &options, &found, &plan),
	    refused;

	*ret = KR_FORESIGHT_GOES;
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT) /* only the durable place, or nothing yet */
		return 0;
	if (r < 0) {
		*ret = KR_FORESIGHT_REFUSED;
		kr_diag_merge(why, &found);
		return 0;
	}
	refused = was_put_back(host->node, plan, why);
	if (!refused)
		refused = is_blocked(host->node, plan, why);
	if (!refused)
		return foresee_restart(host, ret);
	*ret = KR_FORESIGHT_REFUSED;
	return refused < 0 ? refused : 0;
}
