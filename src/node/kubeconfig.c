/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet's kubeconfig.
 *
 *	current-context: CONTEXT
 *	contexts: [{name: CONTEXT, context: {cluster: CLUSTER, user: USER}}]
 *	clusters: [{name: CLUSTER, cluster: {certificate-authority-data: ...}}]
 *	users:    [{name: USER, user: {client-certificate: ...}}]
 *
 * A name that stands twice in a list makes client-go refuse the file. "-data"
 * is base64 of the file's bytes and goes before the file. Files are relative to
 * the kubeconfig's own folder.
 *
 * A user may have several credentials: a certificate in the handshake and a
 * token in each request, and exec or auth-provider besides. kubelet rotates
 * what the handshake has, and leaves out all else while it does: so exec, then
 * a token, and only then a certificate say what kind of user this is.
 *
 * Source: tools/clientcmd (client_config.go, loader.go, api/v1/conversion.go)
 * and rest/config.go (AnonymousClientConfig) of k8s.io/client-go;
 * cmd/kubelet/app/server.go (buildKubeletClientConfig).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base64.h"
#include "base/root.h"
#include "doc/tree.h"
#include "kubelet/config-read.h"
#include "node/kubeconfig.h"

void kr_kubeconfig_done(struct kr_kubeconfig *k)
{
	free(k->authority);
	free(k->authority_file);
	free(k->certificate_file);
	free(k->key_file);
	*k = (struct kr_kubeconfig){0};
}

/* --- the tree ------------------------------------------------------------ */

/* The text of a member that is a string and not empty; NULL. */
static const char *text(const struct kr_tree_node *map, const char *name)
{
	const struct kr_tree_node *n = kr_tree_find(map, name);

	return n && n->event.type == KR_EVENT_STRING && n->event.length > 0
	               ? n->event.text
	               : NULL;
}

/* A member that gives something: not null, and not empty. */
static const struct kr_tree_node *given(const struct kr_tree_node *map,
                                        const char *name)
{
	const struct kr_tree_node *n = kr_tree_find(map, name);

	if (!n || n->event.type == KR_EVENT_NULL ||
	    (n->event.type == KR_EVENT_STRING && n->event.length == 0))
		return NULL;
	return n;
}

/* What the item NAME of LIST says of itself, as its member WHAT; NULL: there is
 * none, or there are two. */
static const struct kr_tree_node *item(const struct kr_tree_node *list,
                                       const char *name, const char *what)
{
	const struct kr_tree_node *found = NULL;

	if (!list || list->event.type != KR_EVENT_LIST || !name)
		return NULL;
	for (const struct kr_tree_node *n = list->first; n; n = n->next) {
		const char *its = text(n, "name");

		if (!its || strcmp(its, name) != 0)
			continue;
		if (found)
			return NULL;
		found = n;
	}
	return kr_tree_find(found, what);
}

static const struct kr_tree_node *current_context(
	const struct kr_tree_node *root)
{
	return item(kr_tree_find(root, "contexts"),
	            text(root, "current-context"), "context");
}

static const struct kr_tree_node *find_current_user(
	const struct kr_tree_node *root)
{
	return item(kr_tree_find(root, "users"),
	            text(current_context(root), "user"), "user");
}

/* --- what it says -------------------------------------------------------- */

static void find_user(const struct kr_tree_node *user,
                      struct kr_kubeconfig *ret)
{
	static const struct {
		const char *name;
		enum kr_kubeconfig_user user;
	} keys[] = {
		{"exec", KR_USER_EXEC},
		{"auth-provider", KR_USER_OTHER},
		{"tokenFile", KR_USER_TOKEN},
		{"token", KR_USER_TOKEN},
		{"username", KR_USER_OTHER},
		{"client-certificate-data", KR_USER_CERTIFICATE},
		{"client-certificate", KR_USER_CERTIFICATE},
	};

	if (!user || user->event.type != KR_EVENT_MAP)
		return;
	ret->user = KR_USER_NOBODY;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct kr_tree_node *n = given(user, keys[i].name);

		if (!n)
			continue;
		ret->user = keys[i].user;
		ret->place = n->name.span;
		return;
	}
}

/* A path that MAP gives as NAME, from the folder of FILE on. */
static int find_path(const struct kr_tree_node *map, const char *name,
                     const struct kr_file *file, char **ret)
{
	const char *path = text(map, name);
	_cleanup_free_ char *folder = NULL, *joined = NULL;

	if (!path)
		return 0;
	folder = strndup(file->path, strrchr(file->path, '/') - file->path);
	if (!folder)
		return -ENOMEM;
	joined = *path == '/' ? strdup(path) : kr_path_join(folder, path);
	if (!joined)
		return -ENOMEM;
	*ret = kr_path_normalise(joined);
	return *ret ? 0 : -ENOMEM;
}

static int decode_authority(const struct kr_tree_node *data,
                            struct kr_kubeconfig *ret)
{
	_cleanup_free_ char *bytes = malloc(data->event.length + 4);
	ssize_t n;

	if (!bytes)
		return -ENOMEM;
	n = kr_base64_decode(data->event.text, data->event.length, bytes);
	if (n < 0)
		return 0; /* client-go refuses the file */
	bytes[n] = '\0';
	ret->authority = TAKE_PTR(bytes);
	ret->authority_size = (size_t)n;
	return 0;
}

static int find_authority(struct kr_fs *fs, const struct kr_tree_node *cluster,
                          const struct kr_file *file, struct kr_kubeconfig *ret)
{
	const struct kr_tree_node *data =
		given(cluster, "certificate-authority-data");
	const struct kr_file *pem;
	int r;

	if (data && data->event.type == KR_EVENT_STRING)
		return decode_authority(data, ret);
	r = find_path(cluster, "certificate-authority", file,
	              &ret->authority_file);
	if (r < 0 || !ret->authority_file)
		return r;
	r = kr_fs_read(fs, ret->authority_file, &pem);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	ret->authority = malloc(pem->size + 1);
	if (!ret->authority)
		return -ENOMEM;
	memcpy(ret->authority, pem->data, pem->size + 1);
	ret->authority_size = pem->size;
	return 0;
}

static int read_tree(struct kr_fs *fs, const struct kr_file *file,
                     const struct kr_tree_node *root, struct kr_kubeconfig *ret)
{
	const struct kr_tree_node *user = find_current_user(root);
	const struct kr_tree_node *cluster;
	int r;

	cluster = item(kr_tree_find(root, "clusters"),
	               text(current_context(root), "cluster"), "cluster");
	find_user(user, ret);
	r = find_path(user, "client-certificate", file, &ret->certificate_file);
	if (r < 0)
		return r;
	r = find_path(user, "client-key", file, &ret->key_file);
	if (r < 0)
		return r;
	return find_authority(fs, cluster, file, ret);
}

/* The tree of FILE; RET->root is NULL where it is not understood. 0 or -ENOMEM.
 */
static int make_tree(const struct kr_file *file, struct kr_tree *ret)
{
	struct kr_tree_builder builder = {.tree = ret};
	const struct kr_listener listener = {kr_tree_hear, &builder};
	struct kr_layout layout = {0};
	struct kr_span twice;
	int r;

	r = kr_config_read(file, kr_config_guess(file, 0), &listener, NULL,
	                   &layout, &twice);
	if (r == -ENOMEM && !ret->too_large)
		return r;
	if (r < 0)
		ret->root = NULL;
	return 0;
}

int kr_kubeconfig_read(struct kr_fs *fs, const char *path,
                       struct kr_kubeconfig *ret)
{
	_cleanup_tree_ struct kr_tree tree = {0};
	_cleanup_kubeconfig_ struct kr_kubeconfig k = {0};
	const struct kr_file *file;
	int r;

	*ret = (struct kr_kubeconfig){0};
	r = kr_fs_read(fs, path, &file);
	if (r < 0)
		return r;
	r = make_tree(file, &tree);
	if (r < 0 || !tree.root)
		return r;
	r = read_tree(fs, file, tree.root, &k);
	if (r < 0)
		return r;
	*ret = TAKE(k);
	return 0;
}

/* --- the client's certificate and key ------------------------------------ */

static void wipe_memory(int fd)
{
	static const char zeroes[4096];
	struct stat st;
	off_t at = 0;

	if (fstat(fd, &st) < 0)
		return;
	while (at < st.st_size) {
		size_t left = (size_t)(st.st_size - at);
		ssize_t n = pwrite(
			fd, zeroes,
			left < sizeof(zeroes) ? left : sizeof(zeroes), at);

		if (n <= 0)
			return;
		at += n;
	}
}

void kr_kubeconfig_client_done(struct kr_kubeconfig_client *client)
{
	int fds[] = {client->certificate_fd, client->key_fd};

	for (int i = 0; i < 2; i++) {
		if (fds[i] < 0)
			continue;
		if (client->in_memory[i])
			wipe_memory(fds[i]);
		close(fds[i]);
	}
	*client = (struct kr_kubeconfig_client){.certificate_fd = -1,
	                                        .key_fd = -1};
}

/* SIZE bytes of DATA behind an fd. The fd; -ENOMEM; other errnos. */
static int put_in_memory(const char *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("client", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return TAKE_FD(fd);
}

/* The fd; -EBADMSG: no base64; -ENOMEM; other errnos. The tree is ours, and its
 * text is over with this. */
static int open_data(const struct kr_tree_node *data)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size = data->event.length;
	ssize_t n;
	int fd;

	if (data->event.type != KR_EVENT_STRING)
		return -EBADMSG;
	bytes = malloc(size + 4);
	if (!bytes)
		return -ENOMEM;
	n = kr_base64_decode(data->event.text, size, bytes);
	fd = n < 0 ? (int)n : put_in_memory(bytes, (size_t)n);
	explicit_bzero(bytes, size + 4);
	return fd;
}

static int open_file(struct kr_fs *fs, const char *path)
{
	struct kr_root root = {.fd = kr_fs_root_fd(fs)};
	_cleanup_free_ char *real = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = kr_root_resolve(&root, path, true, &real);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? kr_root_open_file(&root, real, &st)
	                           : -EINVAL;
}

/* What USER has as NAME-data, else the file NAME. 0; -ENOMEM. */
static int open_one(struct kr_fs *fs, const struct kr_file *file,
                    const struct kr_tree_node *user, const char *name,
                    const char *data_name, int *ret_fd, bool *ret_in_memory)
{
	const struct kr_tree_node *data = given(user, data_name);
	_cleanup_free_ char *path = NULL;
	int r;

	if (data) {
		r = open_data(data);
		*ret_in_memory = r >= 0;
	} else {
		r = find_path(user, name, file, &path);
		if (r < 0 || !path)
			return r;
		r = open_file(fs, path);
	}
	if (r >= 0)
		*ret_fd = r;
	return r == -ENOMEM ? r : 0;
}

static int open_client(struct kr_fs *fs, const struct kr_file *file,
                       const struct kr_tree_node *root,
                       struct kr_kubeconfig_client *ret)
{
	const struct kr_tree_node *user = find_current_user(root);
	int r;

	if (!given(user, "client-certificate-data") &&
	    !given(user, "client-certificate")) {
		ret->why_not = "kubelet's kubeconfig has no client certificate";
		return 0;
	}
	ret->why_not = "kubelet's client certificate or its key cannot be read";
	r = open_one(fs, file, user, "client-certificate",
	             "client-certificate-data", &ret->certificate_fd,
	             &ret->in_memory[0]);
	if (r < 0)
		return r;
	r = open_one(fs, file, user, "client-key", "client-key-data",
	             &ret->key_fd, &ret->in_memory[1]);
	if (r < 0)
		return r;
	if (ret->certificate_fd >= 0 && ret->key_fd >= 0)
		ret->why_not = NULL;
	return 0;
}

/* The texts of a tree, which may be a key. What libyaml copied on the way is
 * out of reach. */
static void wipe_texts(const struct kr_tree_node *node)
{
	for (; node; node = node->next) {
		if (node->event.type == KR_EVENT_STRING)
			explicit_bzero((void *)(uintptr_t)node->event.text,
			               node->event.length);
		wipe_texts(node->first);
	}
}

int kr_kubeconfig_open_client(struct kr_fs *fs, const char *path,
                              struct kr_kubeconfig_client *ret)
{
	_cleanup_tree_ struct kr_tree tree = {0};
	_cleanup_file_ struct kr_file *file = NULL;
	int r;

	*ret = (struct kr_kubeconfig_client){
		.certificate_fd = -1,
		.key_fd = -1,
		.why_not = "kubelet's kubeconfig cannot be read",
	};
	r = kr_fs_read_once(fs, path, &file);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = make_tree(file, &tree);
	if (r >= 0 && tree.root)
		r = open_client(fs, file, tree.root, ret);
	wipe_texts(tree.root);
	explicit_bzero(file->data, file->size);
	return r;
}
