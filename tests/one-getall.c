/* SPDX-License-Identifier: Apache-2.0 */

/*
 * one-getall: loads libsystemd, asks systemd for all properties of kubelet's
 * unit, and reads none of them. What it costs is what no program that asks by
 * sd-bus can go below; bench-audit.py gives ratios to it.
 */

#include <dlfcn.h>
#include <systemd/sd-bus.h>

typedef __typeof__(sd_bus_open_system) open_system_t;
typedef __typeof__(sd_bus_call_method) call_method_t;

int main(void)
{
	void *library = dlopen("libsystemd.so.0", RTLD_LAZY | RTLD_NODELETE);
	open_system_t *open_system;
	call_method_t *call_method;
	sd_bus_message *reply;
	sd_bus *bus;

	if (!library)
		return 1;
	open_system = (open_system_t *)dlsym(library, "sd_bus_open_system");
	call_method = (call_method_t *)dlsym(library, "sd_bus_call_method");
	if (!open_system || !call_method || open_system(&bus) < 0)
		return 1;
	return call_method(bus, "org.freedesktop.systemd1",
	                   "/org/freedesktop/systemd1/unit/kubelet_2eservice",
	                   "org.freedesktop.DBus.Properties", "GetAll", NULL,
	                   &reply, "s", "") < 0;
}
