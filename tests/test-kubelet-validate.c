/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet/validate: each rule with a value that it refuses and the nearest that
 * it takes, for each minor from 1.20 to 1.36; and the cases of kubelet's own
 * tests (cases/validation*.jsonl). The minors outside of a row's range must
 * take what the others refuse.
 */

#include <stdlib.h>
#include <string.h>

#include "kubelet/decide.h"
#include "kubelet/validate.h"
#include "testing-cases.h"
#include "testing.h"

#define HEAD                                                                   \
	"apiVersion: kubelet.config.k8s.io/v1beta1\n"                          \
	"kind: KubeletConfiguration\n"

struct row {
	const char *name;
	unsigned from, to;   /* the minors that refuse */
	const char *refused; /* what the file holds; NULL: no file */
	const char *taken;   /* by all of those minors; NULL: not asked */
	const char *args[4]; /* of REFUSED, behind "kubelet" */
	const char *args_taken[4];
	/* 0: all others take what these refuse; else only up to or from there
	 * they are asked */
	unsigned first_asked, last_asked;
};

#define ALL    20, 36
#define CFS    "cpuCFSQuotaPeriod: "
#define CFS_ON "\nfeatureGates: {CustomCPUCFSQuotaPeriod: true}"
#define ENA    "enforceNodeAllocatable: "
#define MEMORY "reservedMemory: [{numaNode: 0, limits: {memory: 1Gi}}]"
#define ALLOWLIST                                                              \
	"imagePullCredentialsVerificationPolicy: "                             \
	"NeverVerifyAllowlistedImages\n"                                       \
	"preloadedImagesVerificationAllowlist: "
#define ALONE                                                                  \
	"authorization: {mode: AlwaysAllow}\n"                                 \
	"authentication: {webhook: {enabled: false}}\n"
#define ENDPOINT   "--container-runtime-endpoint"
#define CREDENTIAL "--image-credential-provider-"
#define STATIC_CPU "cpuManagerPolicy: static\nkubeReserved: {cpu: 100m}\n"

/* clang-format off */
static const struct row rows[] = {
	{"lease", ALL, "nodeLeaseDurationSeconds: -1", "nodeLeaseDurationSeconds: 1"},
	{"lease 0", 0, 0, "nodeLeaseDurationSeconds: 0"},
	{"event burst", ALL, "eventBurst: -1", "eventBurst: 1"},
	{"event QPS", ALL, "eventRecordQPS: -1", "eventRecordQPS: 0"},
	{"healthz port", ALL, "healthzPort: 65536", "healthzPort: 65535"},
	{"healthz port below", ALL, "healthzPort: -1", "healthzPort: 0"},
	{"quota, gate off", 20, 35, CFS "99ms", CFS "100ms"},
	{"quota, below", 20, 25, CFS "999ns" CFS_ON, CFS "1us" CFS_ON, .last_asked = 25},
	{"quota, 1us", 26, 36, CFS "999us" CFS_ON, CFS "1ms" CFS_ON},
	{"quota, above", ALL, CFS "1001ms" CFS_ON, CFS "1s" CFS_ON},
	{"quota 0", ALL, CFS "0s", CFS "null"},
	{"GC high", ALL, "imageGCHighThresholdPercent: 101", "imageGCHighThresholdPercent: 100"},
	{"GC low", ALL, "imageGCLowThresholdPercent: -1", "imageGCLowThresholdPercent: 0"},
	{"GC equal", ALL, "imageGCLowThresholdPercent: 85", "imageGCLowThresholdPercent: 84"},
	{"GC high to the default", ALL, "imageGCHighThresholdPercent: 80", "imageGCHighThresholdPercent: 81"},
	{"GC 0, 1", 0, 0, "imageGCLowThresholdPercent: 0\nimageGCHighThresholdPercent: 1"},
	{"image age, gate off", 29, 29, "imageMaximumGCAge: 1h", "imageMaximumGCAge: 0s"},
	{"image age below", 29, 36, "imageMaximumGCAge: -1ns", "imageMaximumGCAge: 0s"},
	{"image age order", 29, 36, "imageMaximumGCAge: 2m\nfeatureGates: {ImageMaximumGCAge: true}",
	 "imageMaximumGCAge: 2m1ns\nfeatureGates: {ImageMaximumGCAge: true}", .first_asked = 29},
	{"image minimum age", 36, 36, "imageMinimumGCAge: -1ns", "imageMinimumGCAge: 1ns"},
	{"drop bit", ALL, "iptablesDropBit: 32", "iptablesDropBit: 31"},
	{"masquerade bit", ALL, "iptablesMasqueradeBit: -1", "iptablesMasqueradeBit: 0"},
	{"equal bits are only a warning", 0, 0, "iptablesDropBit: 14"},
	{"API burst", ALL, "kubeAPIBurst: -1", "kubeAPIBurst: 0"},
	{"API QPS", ALL, "kubeAPIQPS: -1", "kubeAPIQPS: 0"},
	{"status images", ALL, "nodeStatusMaxImages: -2", "nodeStatusMaxImages: -1"},
	{"open files", ALL, "maxOpenFiles: -1", "maxOpenFiles: 0"},
	{"pods", ALL, "maxPods: -1", "maxPods: 0"},
	{"OOM score", ALL, "oomScoreAdj: 1001", "oomScoreAdj: 1000"},
	{"OOM score below", ALL, "oomScoreAdj: -1001", "oomScoreAdj: -1000"},
	{"pods per core", ALL, "podsPerCore: -1", "podsPerCore: 0"},
	{"port", ALL, "port: 65536", "port: 65535"},
	{"port 0 is the default", 0, 0, "port: 0"},
	{"read-only port", ALL, "readOnlyPort: 65536", "readOnlyPort: 65535"},
	{"registry burst", ALL, "registryBurst: -1", "registryBurst: 0"},
	{"registry QPS", ALL, "registryPullQPS: -1", "registryPullQPS: 0"},
	{"parallel pulls", 27, 36, "maxParallelImagePulls: 0", "maxParallelImagePulls: 1"},
	{"parallel and serial", 27, 36, "maxParallelImagePulls: 2\nserializeImagePulls: true",
	 "maxParallelImagePulls: 1\nserializeImagePulls: true"},
	{"parallel alone", 0, 0, "maxParallelImagePulls: 2"},
	{"parallel, serial by flag", 27, 36, "maxParallelImagePulls: 2", NULL, {"--serialize-image-pulls=true"}},
	{"TLS bootstrap", ALL, "serverTLSBootstrap: true\nfeatureGates: {RotateKubeletServerCertificate: false}",
	 "serverTLSBootstrap: false\nfeatureGates: {RotateKubeletServerCertificate: false}"},
	{"TLS bootstrap, AllBeta", ALL, "serverTLSBootstrap: true\nfeatureGates: {AllBeta: false}",
	 "serverTLSBootstrap: true\nfeatureGates: {AllBeta: false, RotateKubeletServerCertificate: true}",
	 .last_asked = 34},
	{"run once", 32, 36, "runOnce: true", "runOnce: false"},
	{"topology policy", ALL, "topologyManagerPolicy: None", "topologyManagerPolicy: restricted"},
	{"topology policy empty", 0, 0, "topologyManagerPolicy: ''"},
	{"topology policy, gate", 20, 26, "topologyManagerPolicy: restricted\nfeatureGates: {TopologyManager: false}",
	 "topologyManagerPolicy: none\nfeatureGates: {TopologyManager: false}", .last_asked = 26},
	{"topology scope", ALL, "topologyManagerScope: node", "topologyManagerScope: pod"},
	{"topology scope, gate", 20, 26, "topologyManagerScope: pod\nfeatureGates: {TopologyManager: false}",
	 "topologyManagerScope: container\nfeatureGates: {TopologyManager: false}", .last_asked = 26},
	{"hairpin", ALL, "hairpinMode: veth", "hairpinMode: none"},
	{"shutdown", ALL, "shutdownGracePeriod: 999ms", "shutdownGracePeriod: 0s"},
	{"shutdown, gate", 20, 20, "shutdownGracePeriod: 1s", "shutdownGracePeriod: 0s"},
	{"shutdown below", 21, 36, "shutdownGracePeriod: -1s", "shutdownGracePeriod: 1s"},
	{"shutdown critical", 20, 36, "shutdownGracePeriod: 30s\nshutdownGracePeriodCriticalPods: 31s", NULL},
	{"shutdown equal", 20, 20, "shutdownGracePeriod: 30s\nshutdownGracePeriodCriticalPods: 30s", NULL},
	{"shutdown critical alone", ALL, "shutdownGracePeriodCriticalPods: 1s", "shutdownGracePeriodCriticalPods: 0s"},
	{"shutdown by priority", 23, 23, "shutdownGracePeriodByPodPriority: [{priority: 0, shutdownGracePeriodSeconds: 1}]",
	 "shutdownGracePeriodByPodPriority: []"},
	{"shutdown by both", 23, 36, "shutdownGracePeriod: 1s\n"
	 "shutdownGracePeriodByPodPriority: [{priority: 0, shutdownGracePeriodSeconds: 1}]",
	 "shutdownGracePeriod: 1s", .first_asked = 23},
	{"swap", 23, 36, "memorySwap: {swapBehavior: Swap}", "memorySwap: {swapBehavior: ''}"},
	{"swap, unlimited", 23, 36, "memorySwap: {swapBehavior: UnlimitedSwap}", "memorySwap: {}"},
	{"swap, limited", 23, 29, "memorySwap: {swapBehavior: LimitedSwap}", NULL},
	{"swap, gate on", 30, 36, "memorySwap: {swapBehavior: UnlimitedSwap}\nfeatureGates: {NodeSwap: true}",
	 "memorySwap: {swapBehavior: NoSwap}\nfeatureGates: {NodeSwap: true}", .first_asked = 22},
	{"swap, no such", 22, 36, "memorySwap: {swapBehavior: AllSwap}\nfeatureGates: {NodeSwap: true}",
	 "memorySwap: {swapBehavior: LimitedSwap}\nfeatureGates: {NodeSwap: true}", .first_asked = 22},
	{"throttling 0", 22, 36, "memoryThrottlingFactor: 0", "memoryThrottlingFactor: 0.0001"},
	{"throttling", 22, 36, "memoryThrottlingFactor: 1.0001", "memoryThrottlingFactor: 1.0"},
	{"memory reservation", 36, 36, "memoryReservationPolicy: Tiered", "memoryReservationPolicy: None"},
	{"memory reservation, gate", 36, 36, "memoryReservationPolicy: TieredReservation",
	 "memoryReservationPolicy: TieredReservation\nfeatureGates: {MemoryQoS: true}"},
	{"restart period", 32, 36, "crashLoopBackOff: {maxContainerRestartPeriod: 999.9ms}", "crashLoopBackOff: {}"},
	{"restart period, gate", 32, 34, "crashLoopBackOff: {maxContainerRestartPeriod: 1s}", NULL},
	{"restart period above", 32, 36, "crashLoopBackOff: {maxContainerRestartPeriod: 300.9s}", NULL},
	{"restart period, a fraction", 32, 34, "crashLoopBackOff: {maxContainerRestartPeriod: 300.0009s}", NULL},
	{"enforce", ALL, ENA "[invalid]", ENA "[pods]"},
	{"enforce, compressible", 20, 31, ENA "[system-reserved-compressible]\nsystemReservedCgroup: /x",
	 ENA "[system-reserved]\nsystemReservedCgroup: /x"},
	{"enforce none", ALL, ENA "[none, pods]", ENA "[none]"},
	{"enforce none twice", ALL, ENA "[none, none]", ENA "[]"},
	{"enforce system", ALL, ENA "[system-reserved]", ENA "[system-reserved]\nsystemReservedCgroup: /x"},
	{"enforce kube", ALL, ENA "[kube-reserved]", ENA "[kube-reserved]\nkubeReservedCgroup: /x"},
	{"enforce without QoS", ALL, "cgroupsPerQOS: false", "cgroupsPerQOS: false\n" ENA "[]"},
	{"enforce none without QoS", 20, 30, "cgroupsPerQOS: false\n" ENA "[none]", "cgroupsPerQOS: true\n" ENA "[none]"},
	{"enforce twice", 31, 36, ENA "[pods, pods]", ENA "[pods]"},
	{"enforce both", 32, 36, ENA "[kube-reserved, kube-reserved-compressible]\nkubeReservedCgroup: /x",
	 ENA "[kube-reserved-compressible]\nkubeReservedCgroup: /x", .first_asked = 32},
	{"system cgroups", ALL, "systemCgroups: /x", "systemCgroups: /x\ncgroupRoot: /"},
	{"system cgroups /", ALL, "systemCgroups: /\ncgroupRoot: /", "systemCgroups: ''"},
	{"reserved CPUs and a cgroup", ALL, "reservedSystemCPUs: '0'\nkubeReservedCgroup: /x", "reservedSystemCPUs: '0'"},
	{"reserved CPUs", ALL, "reservedSystemCPUs: '0, 1'", "reservedSystemCPUs: 0-3,7"},
	{"reserved CPUs, backwards", 23, 36, "reservedSystemCPUs: 5-3", "reservedSystemCPUs: 3-3"},
	{"reserved CPUs, two dashes", 23, 36, "reservedSystemCPUs: 0,1-2-3", NULL},
	{"reserved memory name", 21, 36, "reservedMemory: [{limits: {cpu: 1}}]", "reservedMemory: [{limits: {hugepages-2Mi: 2Mi}}]"},
	{"reserved memory 0", 21, 36, "reservedMemory: [{limits: {memory: 0}}]", "reservedMemory: [{limits: {memory: -1}}]"},
	{"reserved memory twice", 21, 36, "reservedMemory: [{limits: {memory: 1Gi}}, {numaNode: 0, limits: {memory: 1Gi}}]",
	 "reservedMemory: [{limits: {memory: 1Gi}}, {numaNode: 1, limits: {memory: 1Gi}}]"},
	{"taint key", 23, 36, "registerWithTaints: [{key: a b, effect: NoSchedule}]",
	 "registerWithTaints: [{key: x.io/a_b, effect: NoSchedule}]"},
	{"taint without key", 23, 36, "registerWithTaints: [{}]", "registerWithTaints: []"},
	{"taint value", 23, 36, "registerWithTaints: [{key: a, value: '-'}]", "registerWithTaints: [{key: a, value: ''}]"},
	{"taint effect", 23, 36, "registerWithTaints: [{key: a, effect: Never}]", "registerWithTaints: [{key: a}]"},
	{"taint time", 23, 36, "registerWithTaints: [{key: a, timeAdded: '2026-01-31T08:00:00Z'}]",
	 "registerWithTaints: [{key: a, timeAdded: null}]"},
	{"log workers", 30, 36, "containerLogMaxWorkers: 0", "containerLogMaxWorkers: 1"},
	{"log interval", 30, 36, "containerLogMonitorInterval: 2999ms", "containerLogMonitorInterval: 3s"},
	{"log files", 24, 36, "containerLogMaxFiles: 1", "containerLogMaxFiles: 2"},
	{"log files, remote", 20, 36, "containerLogMaxFiles: 1", NULL, {"--container-runtime=remote"}, .last_asked = 26},
	{"log size", 24, 36, "containerLogMaxSize: 1.5Gi", "containerLogMaxSize: 1.5G"},
	{"log size, large", 24, 36, "containerLogMaxSize: 100Ti", "containerLogMaxSize: 99Ti"},
	{"log size, no digit", 24, 36, "containerLogMaxSize: 10MB", "containerLogMaxSize: 10Mi"},
	{"pod logs", 30, 36, "podLogsDir: /path/", "podLogsDir: /path"},
	{"pod logs, dots", 30, 36, "podLogsDir: /a/../b", "podLogsDir: a/../b"},
	{"endpoint empty", 24, 36, NULL, NULL, {ENDPOINT "="}, {ENDPOINT "=/run/x"}, .first_asked = 24},
	{"endpoint empty in the file", 0, 0, "containerRuntimeEndpoint: ''"},
	{"endpoint", 27, 36, "containerRuntimeEndpoint: tcp://1.2.3.4:5", "containerRuntimeEndpoint: unix:///run/x"},
	{"endpoint, a path", 0, 0, "containerRuntimeEndpoint: /run/x.sock"},
	{"log query", 27, 35, "enableSystemLogQuery: true", "enableSystemLogQuery: false"},
	{"log query without handler", 27, 36, "enableSystemLogQuery: true\nenableSystemLogHandler: false",
	 "enableSystemLogHandler: false"},
	{"pull policy, gate", 33, 34, "imagePullCredentialsVerificationPolicy: AlwaysVerify", NULL},
	{"pull policy", 33, 36, "imagePullCredentialsVerificationPolicy: Never", NULL},
	{"pull list", 33, 36, "preloadedImagesVerificationAllowlist: [a]", "preloadedImagesVerificationAllowlist: []"},
	{"pull pattern", 33, 36, ALLOWLIST "['nginx:1.2']", NULL},
	{"pull patterns that pass", 33, 34, ALLOWLIST "[nginx, 'a/*', 'x.io:5000/a_b/c']", NULL},
	{"logging format", ALL, "logging: {format: xml}", "logging: {format: json}"},
	{"logging format, gate", 25, 36, "logging: {format: json}\nfeatureGates: {LoggingBetaOptions: false}",
	 "logging: {format: text}\nfeatureGates: {LoggingBetaOptions: false}", .first_asked = 25},
	{"verbosity", 23, 36, "logging: {verbosity: 2147483648}", "logging: {verbosity: 2147483647}"},
	{"vmodule and JSON", 23, 36, "logging: {format: json, vmodule: [{filePattern: a, verbosity: 1}]}",
	 "logging: {vmodule: [{filePattern: a, verbosity: 1}]}"},
	{"vmodule pattern", 23, 36, "logging: {vmodule: [{filePattern: 'a=b', verbosity: 1}]}", NULL},
	{"vmodule verbosity", 23, 36, "logging: {vmodule: [{filePattern: a, verbosity: 2147483648}]}",
	 "logging: {vmodule: [{filePattern: a, verbosity: 2147483647}]}"},
	/* these kubelet logs, and starts */
	{"cluster DNS", 0, 0, "clusterDNS: [x]"},
	{"pod CIDR", 0, 0, "podCIDR: x"},
	{"JSON split", 25, 36, "logging: {options: {json: {splitStream: true}}}", "logging: {options: {json: {splitStream: false}}}"},
	{"JSON buffer", 25, 36, "logging: {options: {json: {infoBufferSize: 1}}}", "logging: {options: {json: {infoBufferSize: '0'}}}"},
	{"text split", 30, 36, "logging: {options: {text: {splitStream: true}}}", "logging: {options: {text: {}}}"},
	{"text buffer", 30, 36, "logging: {options: {text: {infoBufferSize: 1Ki}}}", "logging: {options: {text: {infoBufferSize: 0}}}"},
	{"flush", 35, 36, "logging: {flushFrequency: -1}", "logging: {flushFrequency: 0}"},
	{"tracing, gate", 25, 26, "tracing: {samplingRatePerMillion: 1}", "tracing: null"},
	{"tracing rate", 25, 36, "tracing: {samplingRatePerMillion: 1000001}", NULL},
	{"tracing endpoint", 25, 36, "tracing: {endpoint: 'http://localhost:4317'}", NULL},
	{"tracing endpoint that passes", 25, 26, "tracing: {endpoint: 'localhost:4317'}", NULL},
	{"hidden metrics", ALL, "showHiddenMetricsForVersion: '1.18'", "showHiddenMetricsForVersion: ''"},
	{"hidden metrics of 1.20", 21, 36, "showHiddenMetricsForVersion: '1.19'", NULL},
	{"ids per pod", 33, 36, "userNamespaces: {idsPerPod: 65537}", "userNamespaces: {idsPerPod: 131072}"},
	{"ids per pod, above", 33, 36, "userNamespaces: {idsPerPod: 4294967296}", "userNamespaces: {idsPerPod: 4294901760}"},
	{"authorization", ALL, "authorization: {mode: webhook}", "authorization: {mode: AlwaysAllow}"},
	{"authorization by flag", ALL, NULL, NULL, {"--authorization-mode="}, {"--authorization-mode=Webhook"}},
	{"webhook mode without client", ALL, "authentication: {webhook: {enabled: false}}", NULL, {"--kubeconfig="}},
	{"webhook without client", ALL, "authorization: {mode: AlwaysAllow}", NULL, {"--kubeconfig="}},
	{"webhook by flag", ALL, NULL, NULL, {"--kubeconfig=", "--authentication-token-webhook"}, {"--authentication-token-webhook"}},
	{"webhook mode by flag", ALL, NULL, NULL, {"--kubeconfig=", "--authorization-mode=Webhook"}, {"--kubeconfig="}},
	{"no webhook, no client", 0, 0, ALONE, NULL, {"--kubeconfig="}},
	{"flags alone need none", 0, 0, NULL, NULL, {"--kubeconfig="}},
	{"cipher", ALL, "tlsCipherSuites: [TLS_DHE_RSA_WITH_AES_128_CBC_SHA]",
	 "tlsCipherSuites: [TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305, TLS_RSA_WITH_RC4_128_SHA]"},
	{"cipher by flag", ALL, NULL, NULL, {"--tls-cipher-suites=x"}, {"--tls-cipher-suites=TLS_AES_128_GCM_SHA256"}},
	{"TLS version", ALL, "tlsMinVersion: TLS12", "tlsMinVersion: VersionTLS13"},
	{"curve", 36, 36, "tlsCurvePreferences: [23, 22]", "tlsCurvePreferences: [23, 24, 25, 29, 4588]"},
	{"curve 0", 36, 36, "tlsCurvePreferences: [0]", "tlsCurvePreferences: []"},
	{"curve, large", 36, 36, "tlsCurvePreferences: [65536]", "tlsCurvePreferences: [4587, 4589]"},
	{"curve twice", 36, 36, "tlsCurvePreferences: [29, 23, 29]", "tlsCurvePreferences: [29, 23]"},
	{"half a pair", 20, 35, "tlsCertFile: /x", "tlsCertFile: /x\ntlsPrivateKeyFile: /y"},
	{"half a pair, no server", 0, 0, "tlsCertFile: /x\nenableServer: false"},
	{"kube reserved", ALL, "kubeReserved: {cpu: 1x}", "kubeReserved: {cpu: 10m}"},
	{"kube reserved name", ALL, "kubeReserved: {hugepages-2Mi: 2Mi}", "kubeReserved: {pid: '100'}"},
	{"kube reserved CPU that is not looked at", 0, 0, "kubeReserved: {cpu: 1x}\nreservedSystemCPUs: '0'"},
	{"system reserved", ALL, "systemReserved: {memory: '-1'}", "systemReserved: {memory: '0'}"},
	{"system reserved by flag", ALL, "systemReserved: {memory: '0'}", NULL, {"--system-reserved=memory=1GB"}, {"--system-reserved=memory=1G"}},
	{"flag over file", 0, 0, "systemReserved: {memory: '-1'}", NULL, {"--system-reserved=memory=1G"}},
	{"eviction signal", ALL, "evictionHard: {memory.free: 100Mi}", "evictionHard: {allocatableMemory.available: 100Mi}"},
	{"eviction, containerfs", 20, 28, "evictionHard: {containerfs.available: 5%}", "evictionHard: {}"},
	{"eviction above", 21, 36, "evictionHard: {imagefs.available: 101%}", "evictionHard: {imagefs.available: 100%}"},
	{"eviction 0", ALL, "evictionHard: {memory.available: '0'}", "evictionHard: {memory.available: 0%}"},
	{"eviction blank", ALL, "evictionHard: {memory.available: 10 %}", "evictionHard: {memory.available: .5%}"},
	{"eviction by flag", ALL, NULL, NULL, {"--eviction-hard=memory.available<0"}, {"--eviction-hard=memory.available<1Mi,nodefs.available<5%"}},
	{"soft without grace", ALL, "evictionSoft: {memory.available: 200Mi}",
	 "evictionSoft: {memory.available: 200Mi}\nevictionSoftGracePeriod: {memory.available: 1m}"},
	{"soft off", 0, 0, "evictionSoft: {memory.available: 100%}"},
	{"grace", ALL, "evictionSoftGracePeriod: {memory.available: -1s}", "evictionSoftGracePeriod: {memory.available: 0s}"},
	{"grace without unit", ALL, "evictionSoftGracePeriod: {memory.available: '5'}", "evictionSoftGracePeriod: {memory.available: '0'}"},
	{"reclaim", ALL, "evictionMinimumReclaim: {memory.available: 0%}", "evictionMinimumReclaim: {memory.available: '0'}"},
	{"QoS", ALL, "qosReserved: {memory: 101%}", "qosReserved: {memory: 100%}"},
	{"QoS name", ALL, "qosReserved: {cpu: 10%}", "qosReserved: {}"},
	{"CPU policy", ALL, "cpuManagerPolicy: Static", "cpuManagerPolicy: none"},
	{"static without CPU", ALL, "cpuManagerPolicy: static", "cpuManagerPolicy: static\nkubeReserved: {cpu: 100m}"},
	{"static with CPU 0", ALL, "cpuManagerPolicy: static\nkubeReserved: {cpu: '0'}", "cpuManagerPolicy: static\nreservedSystemCPUs: '0'"},
	{"CPU options without static", 22, 36, "cpuManagerPolicyOptions: {full-pcpus-only: 'true'}", "cpuManagerPolicyOptions: {}"},
	{"CPU options, gate", 22, 22, STATIC_CPU "cpuManagerPolicyOptions: {full-pcpus-only: 'true'}", NULL},
	{"CPU options, no manager", 0, 0, "featureGates: {CPUManager: false}\n"
	 "cpuManagerPolicyOptions: {full-pcpus-only: 'true'}", .last_asked = 25},
	{"CPU option, no manager", 0, 0, "featureGates: {CPUManager: false}\n" STATIC_CPU
	 "cpuManagerPolicyOptions: {full: 'true'}", .last_asked = 25},
	{"CPU options, manager", 22, 25, "featureGates: {CPUManager: true}\n"
	 "cpuManagerPolicyOptions: {full-pcpus-only: 'true'}", NULL, .last_asked = 25},
	{"topology options, no manager", 0, 0, "featureGates: {TopologyManager: false}\n"
	 "topologyManagerPolicyOptions: {prefer-closest-numa-nodes: 'true'}", .last_asked = 26},
	{"topology options, manager", 26, 26, "featureGates: {TopologyManager: true}\n"
	 "topologyManagerPolicyOptions: {prefer-closest-numa-nodes: 'true'}", NULL, .last_asked = 26},
	{"CPU option", 22, 36, STATIC_CPU "cpuManagerPolicyOptions: {full: 'true'}", NULL},
	{"CPU option's value", 22, 36, STATIC_CPU "cpuManagerPolicyOptions: {full-pcpus-only: 'yes'}", NULL},
	{"CPU option, alpha", 22, 32, STATIC_CPU "cpuManagerPolicyOptions: {distribute-cpus-across-numa: 'true'}", NULL},
	{"memory policy", 22, 36, "memoryManagerPolicy: static", "memoryManagerPolicy: None"},
	{"static without memory", 22, 36, "memoryManagerPolicy: Static", NULL},
	{"static, another sum", 22, 36, "memoryManagerPolicy: Static\nkubeReserved: {memory: 1Gi}\n" MEMORY,
	 "memoryManagerPolicy: Static\nkubeReserved: {memory: 924Mi}\n" MEMORY},
	{"static, thresholds ignored", 0, 0, "memoryManagerPolicy: Static\nkubeReserved: {memory: 1Gi}\n" MEMORY,
	 NULL, {"--experimental-allocatable-ignore-eviction"}},
	{"static, thresholds heeded", 22, 36, "memoryManagerPolicy: Static\nkubeReserved: {memory: 1Gi}\n" MEMORY,
	 NULL, {"--experimental-allocatable-ignore-eviction=false"}},
	{"static, thresholds ignored, another sum", 22, 36, "memoryManagerPolicy: Static\nkubeReserved: {memory: 924Mi}\n" MEMORY,
	 NULL, {"--experimental-allocatable-ignore-eviction"}},
	{"topology options, gate", 26, 27, "topologyManagerPolicy: restricted\ntopologyManagerPolicyOptions: {prefer-closest-numa-nodes: 'true'}", NULL},
	{"topology option", 26, 36, "topologyManagerPolicy: restricted\ntopologyManagerPolicyOptions: {x: 'true'}", NULL},
	{"topology option while none", 26, 27, "topologyManagerPolicyOptions: {x: 'true'}", NULL},
	{"seccomp", 22, 24, "seccompDefault: true", "seccompDefault: false"},
	{"sync", ALL, "syncFrequency: -1s", "syncFrequency: 1ns"},
	{"sync by flag", ALL, NULL, NULL, {"--sync-frequency=0"}, {"--sync-frequency=1s"}},
	{"watch", ALL, "configMapAndSecretChangeDetectionStrategy: watch",
	 "configMapAndSecretChangeDetectionStrategy: Watch"},
	{"watch without client", 0, 0, ALONE "configMapAndSecretChangeDetectionStrategy: watch", NULL, {"--kubeconfig="}},
	{"sysctl", ALL, "allowedUnsafeSysctls: [vm.swappiness]", "allowedUnsafeSysctls: ['net.*']"},
	{"sysctl, 1.29", 29, 36, "allowedUnsafeSysctls: [kernel.shm_next_id]", "allowedUnsafeSysctls: [kernel.shmmax]"},
	{"sysctl, slashes", 20, 21, "allowedUnsafeSysctls: [net/ipv4/tcp_tw_reuse]", NULL},
	{"address", ALL, "address: localhost", "address: '::'"},
	{"address, leading zeros", 0, 0, "address: 010.0.0.1"},
	{"gate unknown", ALL, "featureGates: {NoSuchGate: false}", "featureGates: {AllAlpha: false}"},
	{"gate gone", 32, 36, "featureGates: {CloudDualStackNodeIPs: true}", NULL, .first_asked = 29},
	{"gate locked", 34, 36, "featureGates: {NodeSwap: false}", "featureGates: {NodeSwap: true}", .first_asked = 22},
	{"gate locked, right by flag", 32, 32, "featureGates: {CPUManager: false}",
	 "featureGates: {CPUManager: true}", {"--feature-gates=CPUManager=true"},
	 {"--feature-gates=CPUManager=true"}, .first_asked = 26, .last_asked = 32},
	{"gate unknown by flag", ALL, NULL, NULL, {"--feature-gates=NoSuchGate=true"}, {"--feature-gates=AllAlpha=false"}},
	{"gate that another needs", 35, 36, "featureGates: {GracefulNodeShutdown: false}",
	 "featureGates: {GracefulNodeShutdown: false, GracefulNodeShutdownBasedOnPodPriority: false, WindowsGracefulNodeShutdown: false}",
	 .first_asked = 21},
	{"a flag that is not there yet", 20, 27, NULL, NULL, {"--config-dir=/x"}},
	{"a flag that is gone", 24, 36, NULL, NULL, {"--network-plugin=cni"}},
	{"runtime", 24, 26, NULL, NULL, {"--container-runtime=docker"}, {"--container-runtime=remote"}, .last_asked = 26},
	{"lock", ALL, NULL, NULL, {"--exit-on-lock-contention"}, {"--exit-on-lock-contention", "--lock-file=/x"}},
	{"root", ALL, NULL, NULL, {"--root-dir="}, {"--root-dir=/x"}},
	{"container age", ALL, NULL, NULL, {"--minimum-container-ttl-duration=-1s"}, {"--minimum-container-ttl-duration=0s"}},
	{"credentials, no folder", 24, 36, NULL, NULL, {CREDENTIAL "config=/c"}, {CREDENTIAL "config=/c", CREDENTIAL "bin-dir=/b"}},
	{"credentials, no file", 24, 36, NULL, NULL, {CREDENTIAL "bin-dir=/b"}, {CREDENTIAL "bin-dir=", CREDENTIAL "config="}},
	{"credentials, an empty folder", 24, 36, NULL, NULL, {CREDENTIAL "config=/c", CREDENTIAL "bin-dir="}},
	{"credentials, gate on", 20, 28, NULL, NULL, {CREDENTIAL "config=/c", "--feature-gates=KubeletCredentialProviders=true"}, .last_asked = 28},
	{"credentials, gate off", 0, 0, NULL, NULL, {CREDENTIAL "config=/c", "--feature-gates=KubeletCredentialProviders=false"}, .last_asked = 25},
	{"cloud, gate", 29, 36, NULL, NULL, {"--cloud-provider=azure"}, {"--cloud-provider=external"}},
	{"cloud, empty", 0, 0, NULL, NULL, {"--cloud-provider="}},
	{"cloud, gate off", 0, 0, NULL, NULL, {"--cloud-provider=azure", "--feature-gates=DisableCloudProviders=false"},
	 .first_asked = 22, .last_asked = 30},
	{"cloud, 1.31", 31, 31, NULL, NULL, {"--cloud-provider=vsphere", "--feature-gates=DisableCloudProviders=true"},
	 .first_asked = 31, .last_asked = 31},
	{"cloud aws", 29, 36, NULL, NULL, {"--cloud-provider=aws"}, {"--cloud-provider=external"}},
	{"labels", ALL, NULL, NULL, {"--node-labels=node-role.kubernetes.io/worker="},
	 {"--node-labels=node.kubernetes.io/x=y,a=b"}},
};
/* clang-format on */

/* --- bounds --------------------------------------------------------------- */

#define NO_BOUND                                                               \
	INT64_MIN /* what lies beyond is no number of the field's type */

/* From MIN to MAX, of UNIT, is taken, and all else refused. */
static const struct bounds {
	const char *before, *unit; /* the number stands between them */
	unsigned from, to;
	int64_t min, max;
	bool zero; /* is taken, too: the default */
} bounds[] = {
	{"nodeLeaseDurationSeconds: ", "", 20, 36, 1, NO_BOUND, .zero = true},
	{"eventBurst: ", "", 20, 36, 0, NO_BOUND},
	{"eventRecordQPS: ", "", 20, 36, 0, NO_BOUND},
	{"healthzPort: ", "", 20, 36, 0, 65535},
	{"port: ", "", 20, 36, 1, 65535, .zero = true},
	{"readOnlyPort: ", "", 20, 36, 0, 65535},
	{"imageGCLowThresholdPercent: 0\nimageGCHighThresholdPercent: ", "", 20,
         36, 1, 100},
	{"imageGCHighThresholdPercent: 100\nimageGCLowThresholdPercent: ", "",
         20, 36, 0, 99},
	{"iptablesDropBit: ", "\nmakeIPTablesUtilChains: false", 20, 36, 0, 31},
	{"iptablesMasqueradeBit: ", "\nmakeIPTablesUtilChains: false", 20, 36,
         0, 31},
	{"kubeAPIBurst: ", "", 20, 36, 0, NO_BOUND},
	{"kubeAPIQPS: ", "", 20, 36, 0, NO_BOUND},
	{"nodeStatusMaxImages: ", "", 20, 36, -1, NO_BOUND},
	{"maxOpenFiles: ", "", 20, 36, 0, NO_BOUND},
	{"maxPods: ", "", 20, 36, 0, NO_BOUND},
	{"oomScoreAdj: ", "", 20, 36, -1000, 1000},
	{"podsPerCore: ", "", 20, 36, 0, NO_BOUND},
	{"registryBurst: ", "", 20, 36, 0, NO_BOUND},
	{"registryPullQPS: ", "", 20, 36, 0, NO_BOUND},
	{"serializeImagePulls: false\nmaxParallelImagePulls: ", "", 27, 36, 1,
         NO_BOUND},
	{"containerLogMaxWorkers: ", "", 30, 36, 1, NO_BOUND},
	{"containerLogMonitorInterval: ", "ns", 30, 36, 3000000000, NO_BOUND},
	{"containerLogMaxFiles: ", "", 24, 36, 2, NO_BOUND},
	{"logging: {verbosity: ", "}", 23, 36, NO_BOUND, 2147483647},
	{"tracing: {samplingRatePerMillion: ", "}", 27, 36, 0, 1000000},
	{"syncFrequency: ", "ns", 20, 36, 1, NO_BOUND, .zero = true},
	{"imageMaximumGCAge: ", "ns", 30, 36, 120000000001, NO_BOUND,
         .zero = true},
	{"imageMinimumGCAge: ", "ns", 36, 36, 0, NO_BOUND},
	{"shutdownGracePeriod: ", "ms", 21, 36, 1000, NO_BOUND, .zero = true},
	{"shutdownGracePeriod: 30s\nshutdownGracePeriodCriticalPods: ", "ms",
         21, 36, 1000, 30000, .zero = true},
	{"crashLoopBackOff: {maxContainerRestartPeriod: ", "ms}", 35, 36, 1000,
         300000},
	{"cpuCFSQuotaPeriod: ", "ns" CFS_ON, 20, 25, 1000, 1000000000},
	{"cpuCFSQuotaPeriod: ", "us" CFS_ON, 26, 36, 1000, 1000000},
	{"evictionSoftGracePeriod: {memory.available: ", "ns}", 20, 36, 0,
         NO_BOUND},
	{"evictionHard: {memory.available: '", "'}", 20, 36, 1, NO_BOUND},
	{"evictionHard: {nodefs.available: ", "%}", 21, 36, 0, 100},
	{"evictionMinimumReclaim: {nodefs.available: '", "'}", 20, 36, 0,
         NO_BOUND},
	{"evictionMinimumReclaim: {nodefs.available: ", "%}", 20, 36, 1,
         NO_BOUND},
	{"qosReserved: {memory: ", "%}", 20, 36, 0, 100},
	{"kubeReserved: {memory: '", "'}", 20, 36, 0, NO_BOUND},
	{"systemReserved: {pid: '", "'}", 20, 36, 0, NO_BOUND},
};

struct answer {
	enum kr_state fault;
	bool warned;
	struct kr_diag diag;
	size_t arg;       /* of the first remark, */
	char *remark;     /* its text, */
	const char *code; /* and its code */
	char *reason;
};

static size_t count(const char *const *words)
{
	size_t n = 0;

	while (n < 4 && words[n])
		n++;
	return n;
}

/* What is made of CONFIG (NULL: no file) and ARGS, of a kubelet that has a
 * client where ARGS do not take it away. */
static void ask(const char *config, const char *const *args, unsigned minor,
                bool openshift, struct answer *ret)
{
	const char *argv[7] = {"kubelet", "--kubeconfig=/k"};
	size_t argc = 2 + count(args);
	_cleanup_free_ char *text = NULL;
	struct kr_inputs in = {.kubelet_minor = minor, .openshift = openshift};
	const struct kr_file *file;

	*ret = (struct answer){0};
	for (size_t i = 2; i < argc; i++)
		argv[i] = args[i - 2];
	/* 1.24 to 1.26 have no default for it */
	if ((minor == 0 || (minor >= 24 && minor <= 26)) &&
	    (!args[0] || strncmp(args[0], ENDPOINT, strlen(ENDPOINT)) != 0))
		argv[argc++] = ENDPOINT "=/run/x.sock";
	ck_assert_int_eq(kr_flags_parse(argv, argc, &in.flags), 0);
	ck_assert_msg(!in.flags.refused, "%s %s", argv[2], argv[3]);
	if (config) {
		ck_assert_int_ge(asprintf(&text, "%s%s\n", HEAD, config), 0);
		file = kr_test_file("/k", text, strlen(text));
		ck_assert_int_eq(kr_merge_parse(&file, 1, false, minor,
		                                &ret->diag, &in.merged),
		                 0);
		in.merged_valid = in.config_read = true;
		in.files = calloc(1, sizeof(*in.files));
		in.files[in.n_files++] = file;
	}
	ck_assert_int_eq(in.merged.fault, KR_STATE_ABSENT);
	ck_assert_int_eq(kr_flags_refuse(&in.flags, minor), 0);
	if (in.flags.refused)
		ck_assert_int_eq(kr_inputs_fault(&in, KR_STATE_INVALID, "%s",
		                                 in.flags.remarks[0].text),
		                 0);
	ck_assert_int_eq(kr_validate(&in, &ret->diag), 0);
	ret->fault = in.fault;
	ret->warned = kr_diag_first(&ret->diag, KR_WARNING) != NULL;
	for (size_t i = 0; i < in.flags.n_remarks; i++)
		ret->warned |= in.flags.remarks[i].severity == KR_WARNING;
	ret->arg = in.flags.n_remarks ? in.flags.remarks[0].arg : 0;
	ret->code = in.flags.n_remarks ? in.flags.remarks[0].code : NULL;
	if (in.flags.n_remarks)
		ret->remark = strdup(in.flags.remarks[0].text);
	ret->reason = in.fault_reason ? strdup(in.fault_reason) : NULL;
	kr_inputs_done(&in);
}

static void answer_done(struct answer *answer)
{
	kr_diag_done(&answer->diag);
	free(answer->remark);
	free(answer->reason);
}

static void check(const struct row *row, const char *config,
                  const char *const *args, unsigned minor, bool refused)
{
	struct answer answer;

	ask(config, args, minor, false, &answer);
	ck_assert_msg((answer.fault == KR_STATE_INVALID) == refused,
	              "%s: 1.%u must %s: %s", row->name, minor,
	              refused ? "refuse" : "take", answer.reason ?: "-");
	if (config && refused && !args[0])
		ck_assert_msg(
			kr_diag_first(&answer.diag, KR_ERROR) &&
				kr_diag_first(&answer.diag, KR_ERROR)->line > 2,
			"%s: 1.%u: an error with a place%s", row->name, minor,
			kr_test_messages(&answer.diag));
	answer_done(&answer);
}

START_TEST(test_row)
{
	const struct row *row = &rows[_i];
	unsigned first = row->first_asked ?: 20, last = row->last_asked ?: 36;

	for (unsigned m = 20; m <= 36; m++) {
		bool inside = m >= row->from && m <= row->to;

		if (m >= first && m <= last)
			check(row, row->refused, row->args, m, inside);
		if (inside && m >= first && m <= last &&
		    (row->taken || row->args_taken[0]))
			check(row, row->taken, row->args_taken, m, false);
	}
}
END_TEST

static void check_bound(const struct bounds *b, int64_t n, bool refused)
{
	static const char *const none[4];
	_cleanup_free_ char *config = NULL;
	const struct row row = {.name = b->before};

	ck_assert_int_ge(
		asprintf(&config, "%s%lld%s", b->before, (long long)n, b->unit),
		0);
	for (unsigned m = b->from; m <= b->to; m++) {
		struct answer answer;

		ask(config, none, m, false, &answer);
		ck_assert_msg((answer.fault == KR_STATE_INVALID) == refused,
		              "%s %s: 1.%u: %s", row.name, config, m,
		              answer.reason ?: "is taken");
		answer_done(&answer);
	}
}

/* The bound itself, one inside it, one outside. */
START_TEST(test_bounds)
{
	const struct bounds *b = &bounds[_i];

	if (b->min != NO_BOUND) {
		check_bound(b, b->min, false);
		check_bound(b, b->min + 1, false);
		check_bound(b, b->min == 1 && b->zero ? -1 : b->min - 1, true);
	}
	if (b->zero)
		check_bound(b, 0, false);
	if (b->max == NO_BOUND)
		return;
	check_bound(b, b->max - 1, false);
	check_bound(b, b->max, false);
	check_bound(b, b->max + 1, true);
}
END_TEST

/* What kubelet has where nothing is set it takes where that is written down:
 * each alone, and all together. */
START_TEST(test_defaults)
{
	static const char *const none[4];
	const unsigned minor = (unsigned)_i;
	_cleanup_free_ char *text = NULL, *all = strdup("");
	_cleanup_fclose_ FILE *f = NULL;
	const struct row row = {.name = "default"};
	const char *folder = getenv("CASES");
	size_t size = 0;
	unsigned n = 0;
	char path[512];

	snprintf(path, sizeof(path), "%s/kubelet-defaults.tsv", folder);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (getline(&text, &size, f) > 0) {
		_cleanup_free_ char *config = NULL, *more = NULL;
		char *name, *from, *to, *line = text;

		if (*line == '#')
			continue;
		line[strcspn(line, "\n")] = '\0';
		name = strsep(&line, "\t");
		from = strsep(&line, "\t");
		to = strsep(&line, "\t");
		ck_assert_msg(line && from && to, "%s", name);
		if (minor < (unsigned)atoi(from) || minor > (unsigned)atoi(to))
			continue;
		n++;
		ck_assert_int_ge(asprintf(&config, "%s: %s", name, line), 0);
		check(&row, config, none, minor, false);
		ck_assert_int_ge(asprintf(&more, "%s%s\n", all, config), 0);
		free(all);
		all = TAKE_PTR(more);
	}
	ck_assert_uint_gt(n, 80);
	check(&row, all, none, minor, false);
	check(&row, "", none, minor, false);
	check(&row, NULL, none, minor, false);
}
END_TEST

/* The version is not known: INVALID where all refuse, else a warning. */
START_TEST(test_unknown_version)
{
	static const struct {
		const char *config, *arg;
		enum kr_state fault;
		bool warned;
		const char *words; /* in the warning or the reason */
		const char *other; /* another argument */
	} cases[] = {
		{"maxPods: -1", NULL, KR_STATE_INVALID, false, "maxPods"},
		{"maxPods: 0", NULL, KR_STATE_ABSENT, false, NULL},
		{"runOnce: true", NULL, KR_STATE_ABSENT, true, "1.32 to 1.36"},
		{CFS "50ms", NULL, KR_STATE_ABSENT, true, "1.20 to 1.35"},
		{"maxPods: 0", "--cloud-provider=aws", KR_STATE_ABSENT, true,
	         "1.29 to 1.36"},
		{"iptablesDropBit: 14", NULL, KR_STATE_ABSENT, true,
	         "1.20 to 1.27"},
		{"shutdownGracePeriod: 30s", NULL, KR_STATE_ABSENT, true,
	         "kubelet 1.20 would"},
		{"seccompDefault: true", NULL, KR_STATE_ABSENT, true,
	         "1.22 to 1.24"},
		{"logging: {flushFrequency: 5s}", NULL, KR_STATE_ABSENT, true,
	         "flushFrequency"},
		{"featureGates: {SidecarContainers: true}", NULL,
	         KR_STATE_ABSENT, true, "1.20 to 1.27"},
		/* all refuse, not all the same */
		{"featureGates: {SeccompDefault: true, ImageMaximumGCAge: "
	         "true}",
	         NULL, KR_STATE_INVALID, false,
	         "configuration: kubelet 1.29 to 1.36 would refuse this: "
	         "featureGates must be without SeccompDefault, which "
	         "kubelet knows until 1.28; kubelet 1.20 to 1.28 would"},
		/* the flag shows which may run: a note, and a warning where
	         * that decides */
		{"maxPods: 0", "--network-plugin=cni", KR_STATE_ABSENT, false,
	         "--network-plugin: kubelet 1.24 to 1.36 would"},
		{"maxPods: -1", "--network-plugin=cni", KR_STATE_INVALID, false,
	         "maxPods"},
		{"runOnce: true", "--network-plugin=cni", KR_STATE_ABSENT, true,
	         "--network-plugin: kubelet 1.24 to 1.36 would"},
		{"seccompDefault: true", "--cpu-manager-policy-options=",
	         KR_STATE_ABSENT, true, "1.22 to 1.24"},
		{"seccompDefault: true", "--local-storage-capacity-isolation",
	         KR_STATE_ABSENT, true,
	         "isolation: kubelet 1.20 to 1.24 would"},
		{"featureGates: {SidecarContainers: true}",
	         "--network-plugin=cni", KR_STATE_INVALID, true,
	         "--network-plugin: kubelet 1.24 to 1.36 would"},
		/* an older one may run, or a newer one */
		{"maxPods: -1", "--allow-privileged", KR_STATE_ABSENT, true,
	         "1.20 to 1.36"},
		{"maxPods: 0", "--tls-curve-preferences=1", KR_STATE_ABSENT,
	         false, NULL},
		/* no version may */
		{"maxPods: 0", "--config-dir=/d", KR_STATE_INVALID, false,
	         "--config-dir and --network-plugin", "--network-plugin=cni"},
		{"maxPods: 0", "--config-dir=/d", KR_STATE_ABSENT, false,
	         "--config-dir: kubelet 1.20 to 1.27 would",
	         "--pod-infra-container-image=p"},
		{"maxPods: 0", "--future", KR_STATE_ABSENT, true, "--future"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *args[4] = {cases[i].arg, cases[i].other};
		_cleanup_free_ char *said = NULL;
		const struct kr_message *warning;
		struct answer answer;

		ask(cases[i].config, args, 0, false, &answer);
		warning = kr_diag_first(&answer.diag, KR_WARNING);
		ck_assert_int_ge(asprintf(&said, "%s; %s; %s",
		                          warning ? warning->text : "-",
		                          answer.reason ?: "-",
		                          answer.remark ?: "-"),
		                 0);
		ck_assert_msg(answer.fault == cases[i].fault &&
		                      answer.warned == cases[i].warned &&
		                      strstr(said, cases[i].words ?: ""),
		              "%s: %s", cases[i].config, said);
		answer_done(&answer);
	}
}
END_TEST

#define GRACEFUL   "GracefulNodeShutdown"
#define NEEDERS(b) GRACEFUL "BasedOnPodPriority: " b ", Windows" GRACEFUL ": " b
#define ANY        "featureGates: {AllAlpha: false}"

/* From 1.32 on kubelet takes the gates of the main file before the drop-ins. */
START_TEST(test_early_gates)
{
	static const struct {
		const char *base, *dropin;
		unsigned first, last; /* that refuse, of those asked; 0: none */
		unsigned from, to;    /* that are asked */
		unsigned column;      /* in the main file; 0: elsewhere */
	} cases[] = {
		{"featureGates: {NoSuch: true}", "featureGates: {NoSuch: null}",
	         32, 36, 32, 36, 16},
		{"featureGates: {NoSuch: false}", "featureGates: null", 32, 36,
	         32, 36, 16},
		{"featureGates: {CPUManager: false}",
	         "featureGates: {CPUManager: true}", 32, 32, 29, 32, 16},
		{"featureGates: {CPUManager: true}",
	         "featureGates: {CPUManager: false}", 29, 32, 29, 32, 0},
		{"featureGates: {NodeSwap: false}",
	         "featureGates: {NodeSwap: true}", 34, 36, 29, 36, 16},
		{"featureGates: {" GRACEFUL ": false}",
	         "featureGates: {" GRACEFUL ": true}", 35, 36, 32, 36, 16},
		{"featureGates: {" GRACEFUL ": false, " NEEDERS("false") "}",
	         "featureGates: {" GRACEFUL ": true}", 0, 0, 32, 36, 0},
		{"featureGates: {" GRACEFUL ": false, " NEEDERS("false") "}",
	         "featureGates: {" NEEDERS("true") "}", 35, 36, 32, 36, 16},
		{"featureGates: {AllAlpha: true}", ANY, 0, 0, 29, 36, 0},
		{"featureGates: {NodeSwap: true}", ANY, 0, 0, 29, 36, 0},
		{"maxPods: 5", "featureGates: {NoSuch: true}", 29, 36, 29, 36,
	         0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *base = NULL, *dropin = NULL;
		const struct kr_file *files[2];

		ck_assert_int_ge(asprintf(&base, "%s%s\n", HEAD, cases[i].base),
		                 0);
		ck_assert_int_ge(
			asprintf(&dropin, "%s%s\n", HEAD, cases[i].dropin), 0);
		files[0] = kr_test_file("/k", base, strlen(base));
		files[1] = kr_test_file("/d", dropin, strlen(dropin));
		for (unsigned m = cases[i].from; m <= cases[i].to; m++) {
			_cleanup_diag_ struct kr_diag diag = {0};
			struct kr_inputs in = {.kubelet_minor = m,
			                       .wrapped = true};
			bool refused =
				m >= cases[i].first && m <= cases[i].last;
			const struct kr_message *e;

			in.files = calloc(2, sizeof(*in.files));
			in.n_files = 2;
			in.merged_valid = in.config_read = true;
			ck_assert_int_eq(kr_merge_parse(files, 2, false, m,
			                                &diag, &in.merged),
			                 0);
			ck_assert_int_eq(kr_validate(&in, &diag), 0);
			ck_assert_msg((in.fault == KR_STATE_INVALID) == refused,
			              "1.%u: %s, %s: %s%s", m, cases[i].base,
			              cases[i].dropin, in.fault_reason ?: "-",
			              kr_test_messages(&diag));
			e = kr_diag_first(&diag, KR_ERROR);
			ck_assert_msg(!refused || !cases[i].column ||
			                      (strcmp(e->file, "/k") == 0 &&
			                       e->column == cases[i].column),
			              "1.%u: %s%s", m, cases[i].base,
			              kr_test_messages(&diag));
			ck_assert_uint_eq(diag.n_messages, refused);
			kr_inputs_done(&in);
		}
	}
}
END_TEST

/* What the config file holds is still there below a drop-in of another thing.
 */
START_TEST(test_dropins)
{
	static const struct {
		const char *base, *dropin;
		bool refused;
		const char *file; /* that is to blame; NULL: not asked */
	} cases[] = {
		{"featureGates: {CPUManager: false}",
	         "featureGates: {CPUManagerPolicyOptions: true}", true, "/k"},
		{"featureGates: {AllAlpha: true}\n# CPUManager",
	         "featureGates: {AllAlpha: false, CPUManager: false}", true,
	         "/d"},
		{"tlsCipherSuites: [x]", "tlsCipherSuites: [z]", true, "/d"},
		{"tlsCipherSuites: [x]\nmaxPods: 5", "maxPods: 5 # x", true,
	         "/k"},
		{"evictionHard: {memory.free: 1Mi}", "maxPods: 5", true},
		{"evictionHard: {memory.available: '0'}",
	         "evictionHard: {memory.available: 1Mi}", false},
		{"evictionHard: {memory.available: 1Mi}",
	         "evictionHard: {nodefs.free: 1Mi}", true},
		{"evictionHard: {nodefs.free: 1Mi}", "evictionHard: null",
	         false},
		{"registerWithTaints: [{key: a, effect: Never}]", "maxPods: 5",
	         true},
		{"registerWithTaints: [{key: a, effect: Never}]",
	         "registerWithTaints: []", false},
		{"memoryManagerPolicy: Static\nkubeReserved: {memory: "
	         "924Mi}\n" MEMORY,
	         "maxPods: 5", false},
		{"memoryManagerPolicy: Static", MEMORY, true},
		{"featureGates: {NoSuchGate: true}", "maxPods: 5", true},
		{"featureGates: {NoSuchGate: true, "
	         "RotateKubeletServerCertificate: true}",
	         "featureGates: {NoSuchGate: null}", true},
		{"memoryThrottlingFactor: 0.5", "maxPods: 5", false},
		{"memoryThrottlingFactor: 1.5", "maxPods: 5", true},
		{"maxPods: 5",
	         "serverTLSBootstrap: true\nfeatureGates: "
	         "{RotateKubeletServerCertificate: false}",
	         true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static const unsigned minors[] = {31, 34};
		_cleanup_free_ char *base = NULL, *dropin = NULL;
		const struct kr_file *files[2];

		ck_assert_int_ge(asprintf(&base, "%s%s\n", HEAD, cases[i].base),
		                 0);
		ck_assert_int_ge(
			asprintf(&dropin, "%s%s\n", HEAD, cases[i].dropin), 0);
		files[0] = kr_test_file("/k", base, strlen(base));
		files[1] = kr_test_file("/d", dropin, strlen(dropin));
		for (size_t k = 0; k < ARRAY_SIZE(minors); k++) {
			_cleanup_diag_ struct kr_diag diag = {0};
			struct kr_inputs in = {.kubelet_minor = minors[k],
			                       .wrapped = true};
			/* a null takes nothing away there */
			bool refused = cases[i].refused ||
			               (minors[k] == 31 &&
			                strstr(cases[i].dropin, "null"));

			in.files = calloc(2, sizeof(*in.files));
			in.n_files = 2;
			in.merged_valid = in.config_read = true;
			ck_assert_int_eq(kr_merge_parse(files, 2, false,
			                                minors[k], &diag,
			                                &in.merged),
			                 0);
			ck_assert_msg(in.merged.fault == KR_STATE_ABSENT,
			              "%s, %s%s", cases[i].base,
			              cases[i].dropin, kr_test_messages(&diag));
			ck_assert_int_eq(kr_validate(&in, &diag), 0);
			ck_assert_msg((in.fault == KR_STATE_INVALID) == refused,
			              "1.%u: %s, %s: %s%s", minors[k],
			              cases[i].base, cases[i].dropin,
			              in.fault_reason ?: "-",
			              kr_test_messages(&diag));
			if (refused && cases[i].file)
				ck_assert_str_eq(
					kr_diag_first(&diag, KR_ERROR)->file,
					cases[i].file);
			kr_inputs_done(&in);
		}
	}
}
END_TEST

/* OpenShift's kubelet knows other gates, and takes other labels. */
START_TEST(test_openshift)
{
	static const char *const none[4],
		*const labels[4] = {
			"--node-labels=node-role.kubernetes.io/worker="};
	struct answer answer;

	ask("featureGates: {NoSuchGate: true}", none, 34, true, &answer);
	ck_assert_int_eq(answer.fault, KR_STATE_ABSENT);
	answer_done(&answer);
	ask(NULL, labels, 34, true, &answer);
	ck_assert_int_eq(answer.fault, KR_STATE_ABSENT);
	answer_done(&answer);
	ask("enableSystemLogQuery: true", none, 34, true, &answer);
	ck_assert_int_eq(answer.fault, KR_STATE_ABSENT);
	answer_done(&answer);
	ask("enableSystemLogQuery: true\nfeatureGates: {NodeLogQuery: false}",
	    none, 34, true, &answer);
	ck_assert_int_eq(answer.fault, KR_STATE_INVALID);
	answer_done(&answer);
	ask("maxPods: -1", none, 34, true, &answer);
	ck_assert_int_eq(answer.fault, KR_STATE_INVALID);
	answer_done(&answer);
}
END_TEST

/* What a kubelet may have learnt that is newer than all whose rules are known
 * is a warning at most. */
START_TEST(test_newer)
{
	static const char *const none[4];
	static const struct {
		const char *config;
		enum kr_state fault;
		bool warned;
	} cases[] = {
		{"maxPods: -1", KR_STATE_INVALID, false},
		{"maxPods: 0", KR_STATE_ABSENT, false},
		{"featureGates: {NewIn137: true}", KR_STATE_ABSENT, true},
		{"featureGates: {AllAlpha: false}", KR_STATE_ABSENT, false},
		{"featureGates: {NodeSwap: false}", KR_STATE_INVALID, false},
		{"showHiddenMetricsForVersion: '1.36'", KR_STATE_ABSENT, false},
		{"showHiddenMetricsForVersion: '1.35'", KR_STATE_ABSENT, false},
		{"showHiddenMetricsForVersion: '1.30'", KR_STATE_ABSENT, true},
		{"memorySwap: {swapBehavior: AllSwap}", KR_STATE_ABSENT, true},
		{"evictionHard: {gpu.available: 1Gi}", KR_STATE_ABSENT, true},
		{"tlsCipherSuites: [TLS_NEW]", KR_STATE_ABSENT, true},
		{"cpuManagerPolicy: dynamic", KR_STATE_ABSENT, true},
		{STATIC_CPU "cpuManagerPolicyOptions: {new: 'true'}",
	         KR_STATE_ABSENT, true},
		{"logging: {options: {json: {splitStream: true}}}",
	         KR_STATE_ABSENT, true},
		{ENA "[new]", KR_STATE_ABSENT, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct answer answer;

		ask(cases[i].config, none, 37, false, &answer);
		ck_assert_msg(answer.fault == cases[i].fault &&
		                      answer.warned == cases[i].warned,
		              "%s: %s%s", cases[i].config, answer.reason ?: "-",
		              kr_test_messages(&answer.diag));
		answer_done(&answer);
	}
}
END_TEST

/* The message says where, what would be right, and what is there. */
START_TEST(test_message)
{
	static const struct {
		const char *config;
		unsigned line, column;
		const char *code, *text;
	} cases[] = {
		{"maxPods: -1", 3, 10, "config-range",
	         "maxPods must be from 0 to 2147483647"},
		{"a: 1\nhairpinMode: veth", 4, 14, "config-invalid",
	         "hairpinMode must be none, hairpin-veth or "
	         "promiscuous-bridge"},
		{"evictionHard:\n  memory.available: 100Mi\n  nodefs.free: 5%",
	         5, 3, "config-invalid",
	         "evictionHard must hold signals that this kubelet "
	         "knows, such as memory.available, not \"nodefs.free\""},
		{"evictionHard: {memory.available: '0'}", 3, 16,
	         "config-invalid",
	         "evictionHard must hold signals with amounts above "
	         "0 or parts up to 100%, not \"memory.available: 0\""},
		{"evictionSoft: {nodefs.available: 5%, memory.available: 5%}\n"
	         "evictionSoftGracePeriod: {nodefs.available: 1m}",
	         3, 38, "config-invalid",
	         "evictionSoft has memory.available, which needs its "
	         "evictionSoftGracePeriod"},
		{"evictionSoft: {memory.available: 101%}", 3, 16,
	         "config-invalid",
	         "evictionSoft must hold signals with amounts above "
	         "0 or parts up to 100%, not \"memory.available: 101%\""},
		{"systemReserved: {cpu: ''}", 3, 18, "config-invalid",
	         "systemReserved must hold cpu, memory, "
	         "ephemeral-storage or pid with amounts such as 100m or 1Gi, "
	         "not an empty \"cpu\""},
		{"reservedSystemCPUs: '0'\ncpuManagerPolicy: static\n"
	         "cpuManagerPolicyOptions: {full-pcpus-only: 'true', "
	         "align-by-socket: 'true'}",
	         5, 52, "config-invalid",
	         "cpuManagerPolicyOptions has align-by-socket, which needs the "
	         "feature gate CPUManagerPolicyAlphaOptions: it is off"},
		{"reservedSystemCPUs: '0'\ncpuManagerPolicy: static\n"
	         "cpuManagerPolicyOptions: {full-pcpus-only: x}",
	         5, 27, "config-invalid",
	         "cpuManagerPolicyOptions must hold options that this "
	         "kubelet knows, with true or false, not \"full-pcpus-only: "
	         "x\""},
		{"imageGCHighThresholdPercent: 70", 3, 30, "config-invalid",
	         "imageGCHighThresholdPercent must be above "
	         "imageGCLowThresholdPercent, which is 80"},
		{"imageGCLowThresholdPercent: 90", 3, 29, "config-invalid",
	         "imageGCLowThresholdPercent must be below "
	         "imageGCHighThresholdPercent, which is 85"},
		{"featureGates: {KubeletTracing: false}", 3, 16,
	         "config-invalid",
	         "featureGates must leave KubeletTracing true, to "
	         "which it is locked"},
		{"featureGates: {AppArmor: true}", 3, 16, "config-invalid",
	         "featureGates must be without AppArmor, which "
	         "kubelet knows until 1.32"},
		{"featureGates: {AtomicFIFO: true}", 3, 16, "config-invalid",
	         "featureGates must be without AtomicFIFO, which "
	         "kubelet knows from 1.36 on"},
		{"showHiddenMetricsForVersion: '1.30'", 3, 30, "config-invalid",
	         "showHiddenMetricsForVersion must be \"1.33\", the "
	         "minor version before kubelet's own"},
		{"cgroupsPerQOS: false", 3, 16, "config-invalid",
	         "cgroupsPerQOS must be true while "
	         "enforceNodeAllocatable ([pods] where it is not set) is not "
	         "empty"},
		{"memoryManagerPolicy: Static\nkubeReserved: {memory: "
	         "1Gi}\n" MEMORY,
	         5, 17, "config-invalid",
	         "reservedMemory must limit memory to 1178599424 "
	         "bytes, not 1073741824, while memoryManagerPolicy is Static: "
	         "the sum of kubeReserved, systemReserved and evictionHard"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static const char *const none[4];
		const struct kr_message *m;
		struct answer answer;

		ask(cases[i].config, none, 34, false, &answer);
		m = kr_diag_first(&answer.diag, KR_ERROR);
		ck_assert_ptr_nonnull(m);
		ck_assert_str_eq(m->text, cases[i].text);
		ck_assert_str_eq(m->code, cases[i].code);
		ck_assert_uint_eq(m->line, cases[i].line);
		ck_assert_uint_eq(m->column, cases[i].column);
		ck_assert_uint_eq(answer.diag.n_messages, 1);
		answer_done(&answer);
	}
}
END_TEST

#define SHA "TLS_AES_128_GCM_SHA"

/* Each thing is said once, with all versions that refuse it, and at its own
 * bytes. */
START_TEST(test_places)
{
	static const char *const none[4];
	static const struct {
		unsigned minor;
		const char *config;
		struct {
			unsigned line, column;
			size_t length;
			const char *words;
		} want[3];
	} cases[] = {
		{27,
	         "iptablesMasqueradeBit: 15",
	         {{3, 24, 2, "another bit than iptablesDropBit, which is 15"}}},
		{0, "imageMaximumGCAge: -1s", {{3, 20, 3, "1.29 to 1.36"}}},
		{0,
	         "featureGates: {AppArmor: true, KubeletTracing: false}",
	         {{3, 32, 14, "1.20 to 1.24"},
	          {3, 16, 8, "1.33 to 1.36"},
	          {3, 32, 14, "1.34 to 1.36"}}},
		{34,
	         "featureGates: {NoSuchA: true, AllAlpha: false, NoSuchB: "
	         "true}",
	         {{3, 16, 7, "NoSuchA"}, {3, 48, 7, "NoSuchB"}}},
		{34,
	         "tlsCipherSuites: [" SHA "256, " SHA "]",
	         {{3, 43, 19, "\"" SHA "\""}}},
		{34,
	         "tlsCipherSuites:\n# " SHA "\n- '" SHA "256'\n- '" SHA "'",
	         {{6, 3, 21, "\"" SHA "\""}}},
		{34,
	         ENA "[pods, pod, x]",
	         {{3, 32, 3, "\"pod\""}, {3, 37, 1, "\"x\""}}},
		{34,
	         "featureGates: # NoSuch\n  \"AllAlpha\": false\n  # NoSuch\n"
	         "  \"NoSuch\": true",
	         {{6, 3, 8, "NoSuch"}}},
		{34,
	         "featureGates: {\"No\\u0053uch\": true}",
	         {{3, 16, 13, "NoSuch"}}},
		{34,
	         "reservedMemory: [{numaNode: 0, limits: {memory: 1Gi}},\n"
	         " {numaNode: 1, limits: {memory: 0}}]",
	         {{4, 25, 6, "memory: 0"}}},
		{34,
	         "registerWithTaints:\n- {key: a, value: Never}\n"
	         "- {key: b, effect: Never}",
	         {{5, 20, 5, "\"Never\""}}},
		{34,
	         "registerWithTaints:\n- {key: a}\n- {value: b}",
	         {{5, 3, 10, "a key in element 2"}}},
		{34,
	         "evictionHard: {memory.available: '-1'}\n"
	         "evictionSoft: {memory.available: 0%, a: '1', b: '2'}",
	         {{3, 16, 16, "evictionHard"},
	          {4, 38, 1, "not \"a\""},
	          {4, 46, 1, "not \"b\""}}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct answer answer;
		size_t n = 0;

		ask(cases[i].config, none, cases[i].minor, false, &answer);
		for (; n < 3 && cases[i].want[n].line; n++) {
			const struct kr_message *m = &answer.diag.messages[n];

			ck_assert_msg(n < answer.diag.n_messages,
			              "%s: only %zu%s", cases[i].config, n,
			              kr_test_messages(&answer.diag));
			ck_assert_msg(
				m->line == cases[i].want[n].line &&
					m->column == cases[i].want[n].column &&
					m->length == cases[i].want[n].length &&
					strstr(m->text, cases[i].want[n].words),
				"%s: %u:%u+%zu: %s", cases[i].config, m->line,
				m->column, m->length, m->text);
		}
		ck_assert_msg(n == answer.diag.n_messages ||
		                      cases[i].minor == 0,
		              "%s:%s", cases[i].config,
		              kr_test_messages(&answer.diag));
		answer_done(&answer);
	}
}
END_TEST

/* Of a flag that stands there several times the one is meant that has it. */
START_TEST(test_repeated)
{
	static const struct {
		const char *args[4];
		size_t arg;
	} cases[] = {
		{{"--feature-gates=Bogus=true",
	          "--feature-gates=AllAlpha=false"},
	         2},
		{{"--feature-gates=AllAlpha=false",
	          "--feature-gates=Bogus=true"},
	         3},
		{{"--feature-gates=NodeSwap=true",
	          "--feature-gates=NodeSwap=false",
	          "--feature-gates=AllBeta=true"},
	         3},
		{{"--kube-reserved=cpu=1x", "--kube-reserved=memory=1Gi"}, 2},
		{{"--kube-reserved=cpu=1", "--kube-reserved=memory=1x"}, 3},
		{{"--tls-cipher-suites=" SHA "256", "--tls-cipher-suites=x,y",
	          "--tls-cipher-suites=" SHA "256"},
	         3},
		{{"--eviction-hard=memory.free<1Gi",
	          "--eviction-hard=nodefs.available<5%"},
	         2},
		{{"--node-labels=node-role.kubernetes.io/x=",
	          "--node-labels=a=b"},
	         2},
		{{"--root-dir=/x", "--root-dir="}, 3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct answer answer;

		ask(NULL, cases[i].args, 34, false, &answer);
		ck_assert_int_eq(answer.fault, KR_STATE_INVALID);
		ck_assert_msg(answer.arg == cases[i].arg, "%s: %zu",
		              cases[i].args[0], answer.arg);
		answer_done(&answer);
	}
}
END_TEST

/* What is wrong with an argument has a code of arguments. */
START_TEST(test_argument)
{
	static const struct {
		const char *arg, *code, *text;
	} cases[] = {
		{"--root-dir=", "flag-invalid",
	         "--root-dir must name a folder"},
		{"--container-log-max-files=1", "flag-range",
	         "--container-log-max-files must be from 2 to "
	         "2147483647"},
		{"--feature-gates=NoSuchGate=true", "flag-invalid",
	         "--feature-gates must hold gates that this kubelet "
	         "knows, not \"NoSuchGate\""},
		{"--kubeconfig=", "kubeconfig-not-given", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *args[4] = {cases[i].arg};
		const char *config = cases[i].text ? NULL : "maxPods: 5";
		const struct kr_message *m;
		struct answer answer;

		ask(config, args, 34, false, &answer);
		ck_assert_int_eq(answer.fault, KR_STATE_INVALID);
		m = kr_diag_first(&answer.diag, KR_ERROR);
		ck_assert_str_eq(m ? m->code : answer.code ?: "-",
		                 cases[i].code);
		if (cases[i].text)
			ck_assert_str_eq(answer.remark, cases[i].text);
		answer_done(&answer);
	}
}
END_TEST

/* kubelet's own cases, of 1.36; of tier "stretch" it takes some in truth. */
static void check_case(const struct kr_case *c)
{
	static const char *const none[4];
	const char *config = kr_case_text(c->object, "config");
	struct answer answer;

	if (strcmp(kr_case_text(c->object, "tier"), "exact") != 0)
		return;
	/* behind its head, which is ours */
	ask(config + strlen(HEAD), none, 36, false, &answer);
	ck_assert_msg((answer.fault == KR_STATE_INVALID) ==
	                      (kr_case_effective(c) == KR_STATE_INVALID),
	              "%s: %s", kr_case_text(c->object, "id"),
	              answer.reason ?: "-");
	answer_done(&answer);
}

/* kubelet's own cases, of 1.36; of tier "stretch" it takes some in truth. */
START_TEST(test_case)
{
	check_case(&kr_cases[_i]);
}
END_TEST

START_TEST(test_accepted)
{
	kr_cases_load("validation-accepted.jsonl");
	ck_assert_uint_gt(kr_n_cases, 0);
	for (size_t i = 0; i < kr_n_cases; i++)
		check_case(&kr_cases[i]);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "rules", NULL, NULL);

	tcase_add_loop_test(tc, test_row, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_bounds, 0, ARRAY_SIZE(bounds));
	tcase_add_loop_test(tc, test_defaults, 20, 37);
	tcase_add_test(tc, test_unknown_version);
	tcase_add_test(tc, test_dropins);
	tcase_add_test(tc, test_early_gates);
	tcase_add_test(tc, test_openshift);
	tcase_add_test(tc, test_newer);
	tcase_add_test(tc, test_places);
	tcase_add_test(tc, test_repeated);
	tcase_add_test(tc, test_argument);
	tcase_add_test(tc, test_message);
	tc = kr_test_case(suite, "cases", NULL, NULL);
	kr_cases_load("validation.jsonl");
	tcase_add_loop_test(tc, test_case, 0, (int)kr_n_cases);
	tcase_add_test(tc, test_accepted);
}

KR_TEST_MAIN(add_tests);
