/* SPDX-License-Identifier: Apache-2.0 */

/*
 * iptables on a node.
 *
 *   managers    The CIS text warns of them: "If you are using any other
 *       iptables management solution, then there might be some conflicts." An
 *       active unit is one, or on an image a unit that is enabled: a link in a
 *       target's .wants folder, which is what 'systemctl enable' makes.
 *   iptables    kubelet runs the program of that name. Without it a kubelet is
 *       healthy, its configz says true, and no chain is ever made: measured.
 *       A node that is not all there (no /usr/bin) is not judged, nor one whose
 *       kubelet may run another: k3s, k0s and the snaps bring their own, and so
 *       does a container or another root.
 *   mark bits   With iptablesMasqueradeBit and iptablesDropBit the same, a
 *       kubelet before 1.28 runs as long as the setting is false and dies six
 *       seconds after its start when it is true: measured with 1.20.2. Since
 *       1.28 the bits have no meaning. Where they are equal and the setting
 *       is true, kubelet/validate warns of it.
 *
 * Source: kubernetes pkg/kubelet/kubelet.go (NewMainKubelet) of 1.20,
 * pkg/util/iptables; KEP-3178; systemd.unit(5).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kubelet/go.h"
#include "node/kubelet-version.h"
#include "policy/iptables.h"

#define KEY            "makeIPTablesUtilChains"
#define MASQUERADE_BIT 14
#define DROP_BIT       15
#define LAST_WITH_BITS 27

const char *const kr_iptables_units[] = {"firewalld.service",
                                         "ufw.service",
                                         "nftables.service",
                                         "iptables.service",
                                         "ip6tables.service",
                                         "iptables-restore.service",
                                         "ip6tables-restore.service",
                                         "netfilter-persistent.service",
                                         NULL};

/* --- other managers ------------------------------------------------------ */

struct names {
	char *text; /* "ufw.service, nftables.service" */
	size_t n;
};

static void names_done(struct names *names)
{
	free(names->text);
}

static int add_name(struct names *names, const char *name)
{
	char *longer;

	if (asprintf(&longer, "%s%s%s", names->text ? names->text : "",
	             names->text ? ", " : "", name) < 0)
		return -ENOMEM;
	free(names->text);
	names->text = longer;
	names->n++;
	return 0;
}

/* The names of all entries of the targets' folders. */
static int list_wanted(struct kr_fs *fs, struct kr_strings *ret)
{
	static const char *const wants[] = {
		"/etc/systemd/system/multi-user.target.wants",
		"/etc/systemd/system/sysinit.target.wants",
		"/etc/systemd/system/basic.target.wants",
	};

	for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
		_cleanup_dir_ struct kr_dir dir = {0};

		if (kr_fs_list(fs, wants[i], &dir) == -ENOMEM)
			return -ENOMEM;
		for (size_t k = 0; k < dir.n_entries; k++) {
			if (kr_strings_add(ret, dir.entries[k].name) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static int find_enabled(struct kr_fs *fs, struct names *names)
{
	_cleanup_strings_ struct kr_strings wanted = {0};
	int r = list_wanted(fs, &wanted);

	if (r < 0)
		return r;
	for (const char *const *name = kr_iptables_units; *name; name++) {
		r = kr_strings_contain(&wanted, *name) ? add_name(names, *name)
		                                       : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int remark_managers(struct kr_node *node, const char *const *active,
                           struct kr_diag *diag)
{
	_cleanup_(names_done) struct names names = {0};
	int r = active ? 0 : find_enabled(node->fs, &names);

	if (r < 0)
		return r;
	for (const char *const *name = active; name && *name; name++) {
		r = add_name(&names, *name);
		if (r < 0)
			return r;
	}
	if (names.n > 0)
		kr_diag_add(diag, KR_NOTE, "iptables-manager", KR_SPAN_NONE,
		            "%s %s here: %s iptables rules, too, and may get "
		            "in the way of the chains that kubelet makes",
		            names.text,
		            active && names.n == 1 ? "is active"
		            : active               ? "are active"
		            : names.n == 1         ? "is enabled"
		                                   : "are enabled",
		            names.n == 1 ? "it manages" : "they manage");
	return 0;
}

/* --- the program --------------------------------------------------------- */

static int has(struct kr_fs *fs, const char *path)
{
	struct stat st;
	int r = kr_fs_look(fs, path, false, &st);

	/* what may not be looked at may be there */
	return r == -ENOMEM ? r : r != -ENOENT && r != -ENOTDIR;
}

static int has_iptables(struct kr_fs *fs)
{
	/* where systemd looks for programs, most likely first */
	static const char *const paths[] = {
		"/usr/sbin/iptables", "/usr/bin/iptables",
		"/usr/local/sbin/iptables", "/usr/local/bin/iptables"};
	static const char *const unmerged[] = {"/sbin/iptables",
	                                       "/bin/iptables"};
	char target[2];

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int r = has(fs, paths[i]);

		if (r != 0)
			return r;
	}
	/* /sbin and /bin are those of /usr, as they are nearly everywhere */
	if (kr_fs_is_link(fs, "sbin", target, sizeof(target)))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(unmerged); i++) {
		int r = has(fs, unmerged[i]);

		if (r != 0)
			return r;
	}
	return 0;
}

/* What kubelet runs is the node's own. */
static bool runs_ours(const struct kr_node *node)
{
	const struct kr_unit *unit = node->disk.unit;

	return !node->disk.foreign &&
	       !(unit && (unit->root_directory || unit->root_image)) &&
	       !node->process_fs;
}

static int remark_program(struct kr_node *node, struct kr_diag *diag)
{
	int r = runs_ours(node) ? has_iptables(node->fs) : 1;

	if (r != 0)
		return r < 0 ? r : 0;
	r = has(node->fs, "/usr/bin/env");
	if (r > 0)
		kr_diag_add(diag, KR_NOTE, "no-iptables", KR_SPAN_NONE,
		            "there is no iptables on this node: kubelet makes "
		            "no chains, whatever %s says",
		            KEY);
	return r < 0 ? r : 0;
}

/* --- the mark bits ------------------------------------------------------- */

/* -1: none that kubelet takes. */
static int bit_of(const struct kr_inputs *in, int field, int by_default)
{
	const char *text = kr_flags_text(&in->flags, field);
	const struct kr_value *v;
	int64_t n;

	if (!text) {
		v = in->merged_valid ? kr_merged_value(&in->merged, field)
		                     : NULL;
		return v ? (int)v->n : by_default;
	}
	if (!kr_go_int_text(text, strlen(text), 0, 32, &n) || n < 0 || n > 31)
		return -1;
	return (int)n;
}

/* Whether the mark bits are the same: flags, else files, else 14 and 15. */
static bool bits_equal(const struct kr_inputs *in, int *ret_bit)
{
	int masquerade = bit_of(in, KR_FIELD_MASQUERADE_BIT, MASQUERADE_BIT);
	int drop = bit_of(in, KR_FIELD_DROP_BIT, DROP_BIT);

	if (ret_bit)
		*ret_bit = masquerade;
	return masquerade >= 0 && masquerade == drop;
}

int kr_iptables_bits_fatal(struct kr_node *node, const struct kr_inputs *inputs,
                           int *ret_bit)
{
	_cleanup_decision_ struct kr_decision d = {0};
	unsigned minor;
	int r;

	if (!bits_equal(inputs, ret_bit))
		return 0;
	r = kr_kubelet_version_seek(node, true, &minor);
	if (r < 0 || minor > LAST_WITH_BITS)
		return r;
	if (!node->running_valid || !bits_equal(&node->running, NULL))
		return 1;
	r = kr_decide(&node->running, KR_FIELD_IPTABLES, &d);
	if (r < 0)
		return r;
	/* the kubelet that runs can live with it */
	return d.state != KR_STATE_TRUE;
}

int kr_iptables_remark(struct kr_node *node, const char *const *active,
                       struct kr_diag *diag)
{
	int r = remark_managers(node, active, diag);

	if (r < 0)
		return r;
	return remark_program(node, diag);
}
