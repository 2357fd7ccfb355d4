/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet's feature gates by minor version.
 *
 * What kubelet does with --feature-gates and featureGates (it makes one map of
 * them; component-base's featuregate reads it):
 *
 *   a name that it does not know   stops it, true or false alike;
 *   a locked gate                  takes its default alone;
 *   AllAlpha, AllBeta              are known to all, and set each gate of that
 *                                  stage that is not set by its name;
 *   from 1.35: a gate that is on   must find those on that it needs, also where
 *                                  both are so by default.
 *
 * From 1.31 on a gate has a list of states by version. kubelet has no
 * --emulated-version: the state of its own minor counts. A gate without a state
 * for that minor would be refused like an unknown one; no release had any.
 *
 * The gates are those of all packages that the kubelet command links and that
 * register theirs in the process's one set: pkg/features and apiserver's in all
 * minors, component-base's logging from 1.24, metrics from 1.26, zpages from
 * 1.32, controller-manager's from 1.27, apiextensions' from 1.28, client-go's
 * from 1.30. A letter a minor, from 1.20 on; upper case is on by default:
 *
 *   a A  alpha       b B  beta
 *   g G  GA          l L  GA and locked
 *   d D  deprecated  x X  deprecated and locked
 *   .    unknown     ?    not sure
 *
 * "?" stands where point releases of one minor differ (a gate that came with a
 * fix, a default that was reverted), and where controller-manager's gates are
 * unknown to the plain kubelet, but known to one that shares its process with
 * a controller manager.
 *
 * OpenShift's kubelet only warns of an unknown name and has gates of its own:
 * "." is no refusal there.
 *
 * Source: pkg/features/kube_features.go as upstream projects vendor it (two
 * to thirteen copies of each minor to 1.31; 1.32.5, 1.33.3, 1.34.1, 1.34.7,
 * 1.35.4, 1.36.2), compared with the copies of projects that patch it; the
 * features packages of apiserver, apiextensions-apiserver, client-go,
 * component-base and controller-manager at every tag of 0.20 to 0.36; the
 * change logs of the point releases of 1.31 to 1.36; which packages are linked:
 * the imports from cmd/kubelet/app; featuregate/feature_gate.go of 0.20, 0.24,
 * 0.30, 0.31, 0.33, 0.35 and 0.36.
 */

#include <string.h>

#include "base/macro.h"
#include "base/vec.h"
#include "kubelet/gates.h"

/* clang-format off */

/* Sorted by name: it is searched by halves. */
const struct kr_gate kr_gate_table[] = {
	/*20...25...30...35*/
	{"BBBBBBBBBLLLL....", "APIListChunking"},
	{"BBBBBBBBBLL......", "APIPriorityAndFairness"},
	{"BBBBBBBBBBBBBBBBB", "APIResponseCompression"},
	{"......aBLL.......", "APISelfSubjectReview"},
	{"aaaaaaBBBBBBBBBBB", "APIServerIdentity"},
	{"..aaaaaBBBBBBBLLL", "APIServerTracing"},
	{"..........?aaaaaa", "APIServingWithRoutine"},
	{".......aBBLLL....", "AdmissionWebhookMatchConditions"},
	{"GGGGGGGL.........", "AdvancedAuditing"},
	{"......aBBBLLL....", "AggregatedDiscoveryEndpoint"},
	{".............DDXX", "AggregatedDiscoveryRemoveBetaType"},
	{"aaaaaaaaaaaaaaaaa", "AllAlpha"},
	{"bbbbbbbbbbbbbbbbb", "AllBeta"},
	{"...........dddddd", "AllowDNSOnlyNodeCSR"},
	{"BLL..............", "AllowInsecureBackendProxy"},
	{"...........dddddd", "AllowInsecureKubeletCertificateSigningRequests"},
	{"............dddxx", "AllowOverwriteTerminationGracePeriodSeconds"},
	{".............BBBB", "AllowParsingUserUIDFromCertAuth"},
	{"................G", "AllowServiceExternalIPs"},
	{".........dddxxx..", "AllowServiceLBStatusOnNonLB"},
	{"............aaaaa", "AllowUnsafeMalformedObjectDeletion"},
	{"...........aBBLLL", "AnonymousAuthConfigurableEndpoints"},
	{"aaaaBBBBBBBBBLLLL", "AnyVolumeDataSource"},
	{"BBBBBBBBBBBLL....", "AppArmor"},
	{"..........BLL....", "AppArmorFields"},
	{"................B", "AtomicFIFO"},
	{"L................", "AttachVolumeLimit"},
	{"...........aBBLLL", "AuthorizeNodeWithSelectors"},
	{"...............BB", "AuthorizePodWebsocketUpgradeCreatePermission"},
	{"...........aBBLLL", "AuthorizeWithSelectors"},
	{"aa...............", "BalanceAttachedNodeVolumes"},
	{"L................", "BlockVolume"},
	{"aBL..............", "BoundServiceAccountTokenVolume"},
	{"............BLLLL", "BtreeWatchCache"},
	{"............aaaaa", "CBORServingAndStorage"},
	{"BBBBBBLLLLLLL....", "CPUManager"},
	{"...aaaaaaaaaaaaaa", "CPUManagerPolicyAlphaOptions"},
	{"...BBBBBBBBBBBBBB", "CPUManagerPolicyBetaOptions"},
	{"..aBBBBBBBBBBLLLL", "CPUManagerPolicyOptions"},
	{"...............bB", "CRDObservedGenerationTracking"},
	{"........aaBBBLLLL", "CRDValidationRatcheting"},
	{"BL...............", "CRIContainerLogRotation"},
	{"................a", "CRIListStreaming"},
	{"L................", "CSIBlockVolume"},
	{"L................", "CSIDriverRegistry"},
	{"BBBBBLL..........", "CSIInlineVolume"},
	{"BBBBBLL..........", "CSIMigration"},
	{"bbbBBLL..........", "CSIMigrationAWS"},
	{"a................", "CSIMigrationAWSComplete"},
	{"bbbBGLL..........", "CSIMigrationAzureDisk"},
	{"a................", "CSIMigrationAzureDiskComplete"},
	{"abbbBBGLLL.......", "CSIMigrationAzureFile"},
	{"a................", "CSIMigrationAzureFileComplete"},
	{"bbbBBLLL.........", "CSIMigrationGCE"},
	{"a................", "CSIMigrationGCEComplete"},
	{"bBBBLL...........", "CSIMigrationOpenStack"},
	{"a................", "CSIMigrationOpenStackComplete"},
	{"...aabbbbbbBBLLL.", "CSIMigrationPortworx"},
	{"....aaaaddd......", "CSIMigrationRBD"},
	{"bbbbbB?LL........", "CSIMigrationvSphere"},
	{"bb...............", "CSIMigrationvSphereComplete"},
	{".....aaBBLL......", "CSINodeExpandSecret"},
	{"L................", "CSINodeInfo"},
	{"aBLLL............", "CSIServiceAccountToken"},
	{"...............BL", "CSIServiceAccountTokenSecrets"},
	{"aBBBLLLL.........", "CSIStorageCapacity"},
	{"BBBLL............", "CSIVolumeFSGroupPolicy"},
	{".aaaaaaaaaaaaaaaa", "CSIVolumeHealth"},
	{"..BBLL...........", "CSRDuration"},
	{"...............dd", "ChangeContainerStatusOnKubeletRestart"},
	{"..............aBB", "ClearingNominatedNodeNameAfterBinding"},
	{"................B", "ClientsAllowCARotation"},
	{"............aaaaa", "ClientsAllowCBOR"},
	{"................B", "ClientsAllowTLSCacheGC"},
	{"............aaaaa", "ClientsPreferCBOR"},
	{"...............aa",
	 "CloudControllerManagerWatchBasedRoutesReconciliation"},
	{".......aaaaaaaaaa", "CloudControllerManagerWebhook"},
	{".......aaBLL.....", "CloudDualStackNodeIPs"},
	{".......aaaaaabbbb", "ClusterTrustBundle"},
	{".........aaaabbbb", "ClusterTrustBundleProjection"},
	{"............aaaaB", "ComponentFlagz"},
	{"......aBBBBBLLL..", "ComponentSLIs"},
	{"............aaaaB", "ComponentStatusz"},
	{"...........bbbbbb", "ConcurrentWatchObjectDecode"},
	{"BBBLL............", "ConfigurableFSGroupPolicy"},
	{"......GGGGL......", "ConsistentHTTPGetHandlers"},
	{"........aaaBBBLLL", "ConsistentListFromCache"},
	{"...............aB", "ConstrainedImpersonation"},
	{".....aaaaaBBBBBBB", "ContainerCheckpoint"},
	{"..............aBB", "ContainerRestartRules"},
	{".............aaaa", "ContainerStopSignals"},
	{"....aaaaaaBBBBBBB", "ContextualLogging"},
	{".?BBLLL..........", "ControllerManagerLeaderMigration"},
	{"................a",
	 "ControllerManagerReleaseLeaderElectionLockOnExit"},
	{"...........aabbbb", "CoordinatedLeaderElection"},
	{"aBL..............", "CronJobControllerV2"},
	{"....aBBLL........", "CronJobTimeZone"},
	{"........BBBBLLL..", "CronJobsScheduledAnnotation"},
	{"......aaaaaaaaaaa", "CrossNamespaceVolumeDataSource"},
	{"aaaaaaaaaaaaaaaaG", "CustomCPUCFSQuotaPeriod"},
	{"..........aBLLLLL", "CustomResourceFieldSelectors"},
	{"...aaBBBBLL......", "CustomResourceValidationExpressions"},
	{"............aaBBL", "DRAAdminAccess"},
	{"..............aaB", "DRAConsumableCapacity"},
	{"...........a.....", "DRAControlPlaneController"},
	{"..............aaB", "DRADeviceBindingConditions"},
	{"...............ab", "DRADeviceTaintRules"},
	{".............aaaB", "DRADeviceTaints"},
	{"..............aaB", "DRAExtendedResource"},
	{"................a", "DRAListTypeAttributes"},
	{"................a", "DRANodeAllocatableResources"},
	{".............aaaB", "DRAPartitionableDevices"},
	{".............aBBG", "DRAPrioritizedList"},
	{"............aBBBB", "DRAResourceClaimDeviceStatus"},
	{"................B", "DRAResourceClaimGranularStatusAuthorization"},
	{"................a", "DRAResourcePoolStatus"},
	{"..............BBB", "DRASchedulerFilterTimeout"},
	{"................a", "DRAWorkloadResourceClaims"},
	{".aBBBLL..........", "DaemonSetUpdateSurge"},
	{".............BBBL", "DeclarativeValidation"},
	{"................B", "DeclarativeValidationBeta"},
	{".............bbbd", "DeclarativeValidationTakeover"},
	{"........ddd......", "DefaultHostNetworkHostPortsInPodTemplates"},
	{"BBBBLL...........", "DefaultPodTopologySpread"},
	{"..aBBBLL.........", "DelegateFSGroupToCSIDriver"},
	{".............aaBB", "DeploymentReplicaSetTerminatingReplicas"},
	{"..............BBB", "DetectCacheInconsistency"},
	{"........aBBLLL...", "DevicePluginCDIDevices"},
	{"BBBBBBLL.........", "DevicePlugins"},
	{"BBBBBLLL.........", "DisableAcceleratorUsageMetrics"},
	{"...........aabGLL", "DisableAllocatorDualWrite"},
	{".............BBBD", "DisableCPUQuotaWithExclusiveCPUs"},
	{"..aaaaaaaBBLL....", "DisableCloudProviders"},
	{"...aaaaaaBBLL....", "DisableKubeletCloudCredentialProviders"},
	{".........aa?dDDDX", "DisableNodeKubeProxyVersion"},
	{"abbBBBBLL........", "DownwardAPIHugePages"},
	{"GGGGGGLL.........", "DryRun"},
	{"BBdddd...........", "DynamicKubeletConfig"},
	{"......aaaaaabbGLL", "DynamicResourceAllocation"},
	{"aBBBLLLLLLLLL....", "EfficientWatchResumption"},
	{".......BBBBLLL...", "ElasticIndexedJob"},
	{"BLLLL............", "EndpointSlice"},
	{"aLLLL............", "EndpointSliceNodeName"},
	{"BBLLL............", "EndpointSliceProxying"},
	{"aaBBBBLL.........", "EndpointSliceTerminatingCondition"},
	{"..............aBB", "EnvFiles"},
	{"aaaBBLL..........", "EphemeralContainers"},
	{"L................", "EvenPodsSpread"},
	{"......a???aaaaaaa", "EventedPLEG"},
	{"GGGGGGGGGGGGGGGLL", "ExecProbeTimeout"},
	{"BBBBGGG..........", "ExpandCSIVolumes"},
	{"BBBBGGG..........", "ExpandInUsePersistentVolumes"},
	{"BBBBGGG..........", "ExpandPersistentVolumes"},
	{"..aaaaBBLL.......", "ExpandedDNSConfig"},
	{"bbbbbbbbxx.......", "ExperimentalHostUserNamespaceDefaulting"},
	{"................B", "ExtendWebSocketsToKubelet"},
	{"LL...............", "ExternalPolicyForExternalIP"},
	{"............aaBBL", "ExternalServiceAccountTokenSigner"},
	{"...aBBBLL........", "GRPCContainerProbe"},
	{"...............aa", "GangScheduling"},
	{"aBBLL............", "GenericEphemeralVolume"},
	{"...............aa", "GenericWorkload"},
	{".............dddx", "GitRepoVolumeDriver"},
	{"aBBBBBBBBBBBBBBBB", "GracefulNodeShutdown"},
	{"...aBBBBBBBBBBBBB", "GracefulNodeShutdownBasedOnPodPriority"},
	{".............aaBB", "HPAConfigurableTolerance"},
	{"aaaaaaaBBBLL.....", "HPAContainerMetrics"},
	{"aaaaaaaaaaaaaaaaa", "HPAScaleToZero"},
	{"...aaaaaaaaBBLLL.", "HonorPVReclaimPolicy"},
	{"..............aBB", "HostnameOverride"},
	{"BBLL.............", "HugePageStorageMediumSize"},
	{"d................", "HyperVContainer"},
	{".....aaBLL.......", "IPTablesOwnershipCleanup"},
	{"aBBLL??..........", "IPv6DualStack"},
	{"...aBLL..........", "IdentifyPodOS"},
	{".........aBBBBBLL", "ImageMaximumGCAge"},
	{"...........aabbBL", "ImageVolume"},
	{"................a", "ImageVolumeWithDigest"},
	{"BLLL.............", "ImmutableEphemeralVolumes"},
	{".............BBBL", "InOrderInformers"},
	{"...............BB", "InOrderInformersBatchProcess"},
	{"...............aB", "InPlacePodLevelResourcesVerticalScaling"},
	{".......aaaaaaBBLL", "InPlacePodVerticalScaling"},
	{"............addd.", "InPlacePodVerticalScalingAllocatedStatus"},
	{"............aaaaa", "InPlacePodVerticalScalingExclusiveCPUs"},
	{"..............aaa", "InPlacePodVerticalScalingExclusiveMemory"},
	{"................B", "InPlacePodVerticalScalingInitContainers"},
	{".aaaaaaaaaa......", "InTreePluginAWSUnregister"},
	{".aaaaaaaaaa......", "InTreePluginAzureDiskUnregister"},
	{".aaaaaaaaaa......", "InTreePluginAzureFileUnregister"},
	{".aaaaaaaaaa......", "InTreePluginGCEUnregister"},
	{".aaaaaaaaaa......", "InTreePluginOpenStackUnregister"},
	{"...aaaaaaaaaaaaa.", "InTreePluginPortworxUnregister"},
	{"...aaaaaddd......", "InTreePluginRBDUnregister"},
	{".aaaaaaaaaa......", "InTreePluginvSphereUnregister"},
	{".aBBLL...........", "IndexedJob"},
	{"..........aaaaaGG", "InformerResourceVersion"},
	{".aBLL............", "IngressClassNamespacedParams"},
	{"........aBBBBLLLL", "JobBackoffLimitPerIndex"},
	{"..........aaBBBLL", "JobManagedBy"},
	{"...BBBBLL........", "JobMutableNodeSchedulingDirectives"},
	{".....aBBBBBLL....", "JobPodFailurePolicy"},
	{"........aBBBBBLLL", "JobPodReplacementPolicy"},
	{"...aBBBBBLL......", "JobReadyPods"},
	{"..........aBBLLLL", "JobSuccessPolicy"},
	{"..a?bBLLL........", "JobTrackingWithFinalizers"},
	{"........Ddddddddd", "KMSv1"},
	{".....aaBBLLL.....", "KMSv2"},
	{"........bLLL.....", "KMSv2KDF"},
	{"........aaBLL....", "KubeProxyDrainingTerminatingNodes"},
	{"........aaaBBBLLL", "KubeletCgroupDriverFromCRI"},
	{"............aaaBB", "KubeletCrashLoopBackOffMax"},
	{"aaaaBBLL.........", "KubeletCredentialProviders"},
	{".............aaBB", "KubeletEnsureSecretPulledImages"},
	{"............aBBBL", "KubeletFineGrainedAuthz"},
	{"..aaaaaaaaaaaaaaa", "KubeletInUserNamespace"},
	{".............aBBL", "KubeletPSI"},
	{"BBBBBBBBLL.......", "KubeletPodResources"},
	{".......aaaaaaaBBL", "KubeletPodResourcesDynamicResources"},
	{".......aaaaaaaBBL", "KubeletPodResourcesGet"},
	{".aaBBBBBLL.......", "KubeletPodResourcesGetAllocatable"},
	{"..............DDD", "KubeletPodResourcesListUseActivePods"},
	{"............ddddd", "KubeletRegistrationGetOnExistsOnly"},
	{".........aaBBBBBB", "KubeletSeparateDiskGC"},
	{".............aBBB",
	 "KubeletServiceAccountTokenForCredentialProviders"},
	{".....aaBBBBBBBLLL", "KubeletTracing"},
	{"Bl...............", "LegacyNodeRoleBehavior"},
	{"........aBLL.....", "LegacyServiceAccountTokenCleanUp"},
	{"....BBGLL........", "LegacyServiceAccountTokenNoAutoGeneration"},
	{"......aBLL.......", "LegacyServiceAccountTokenTracking"},
	{".............d...", "LegacySidecarContainers"},
	{".............aBBB", "ListFromCacheSnapshot"},
	{".........aBBLLL..", "LoadBalancerIPMode"},
	{"BBBBBLL..........", "LocalStorageCapacityIsolation"},
	{"aaaaa?aaaaabbbbbb", "LocalStorageCapacityIsolationFSQuotaMonitoring"},
	{".aBBBBBBBBBLLLLLL", "LogarithmicScaleDown"},
	{".....aaaaaaaaaaaa", "LoggingAlphaOptions"},
	{".....BBBBBBBBBBBB", "LoggingBetaOptions"},
	{"................a", "ManifestBasedAdmissionControlConfig"},
	{".........aaBBLLLL", "MatchLabelKeysInPodAffinity"},
	{".....aaBBBBBBBBBB", "MatchLabelKeysInPodTopologySpread"},
	{"..............BBB", "MatchLabelKeysInPodTopologySpreadSelectorMerge"},
	{"....aaaaaaaaaaa?b", "MaxUnavailableStatefulSet"},
	{".aBBBBBBBBBBLLLL.", "MemoryManager"},
	{"..aaaaaaaaaaaaaaa", "MemoryQoS"},
	{"....abbBBBLL.....", "MinDomainsInPodTopologySpread"},
	{"......aBLL.......", "MinimizeIPTablesRestore"},
	{"aaaaBBLL.........", "MixedProtocolLBService"},
	{".....aaaa........", "MultiCIDRRangeAllocator"},
	{".......aaaabbGLLL", "MultiCIDRServiceAllocator"},
	{".............abBL", "MutableCSINodeAllocatableCount"},
	{"...............aa", "MutablePVNodeAffinity"},
	{"...............aB", "MutablePodResourcesForSuspendedJobs"},
	{"...............aB", "MutableSchedulingDirectivesForSuspendedJobs"},
	{"..........aaaabbG", "MutatingAdmissionPolicy"},
	{".........aaBBLLLL", "NFTablesProxyMode"},
	{".BLL.............", "NamespaceDefaultLabelName"},
	{"................a", "NativeHistograms"},
	{".aBBBLL..........", "NetworkPolicyEndPort"},
	{"....aaaa.........", "NetworkPolicyStatus"},
	{".......?BBLL.....", "NewVolumeManagerReconstruction"},
	{"...............aB", "NodeDeclaredFeatures"},
	{"BL...............", "NodeDisruptionExclusion"},
	{".....aBBBBBBBLLLL", "NodeInclusionPolicyInPodTopologySpread"},
	{"LLL..............", "NodeLease"},
	{".......aaabbbbbbL", "NodeLogQuery"},
	{"....aaBBLLLL.....", "NodeOutOfServiceVolumeDetach"},
	{"..aaaaaabbBBBBLLL", "NodeSwap"},
	{"..............aBB", "NominatedNodeNameForExpectation"},
	{"BBBBLL...........", "NonPreemptingPriority"},
	{"...aBBBBBBBBBBBBB", "OpenAPIEnums"},
	{"...aBBBLL........", "OpenAPIV3"},
	{"...............BB", "OpportunisticBatching"},
	{"..........???BLLL", "OrderedNamespaceDeletion"},
	{"......aBBBBLL....", "PDBUnhealthyPodEvictionPolicy"},
	{"................B", "PLEGOnDemandRelist"},
	{"................a", "PersistentVolumeClaimUnusedSinceTime"},
	{"........aBBLL....", "PersistentVolumeLastPhaseTransitionTime"},
	{".aBBLL...........", "PodAffinityNamespaceSelector"},
	{"...aaaaaaaaaaaaaa", "PodAndContainerStatsFromCRI"},
	{"..............abb", "PodCertificateRequest"},
	{".aBBBBBBBBBBBBBBB", "PodDeletionCost"},
	{"BLLLL............", "PodDisruptionBudget"},
	{".....aBBBBBLLL...", "PodDisruptionConditions"},
	{".....aaa.........", "PodHasNetworkCondition"},
	{"........aBLL.....", "PodHostIPs"},
	{"........BBBBLLL..", "PodIndexLabel"},
	{"................a", "PodLevelResourceManagers"},
	{"............aaBBB", "PodLevelResources"},
	{".........aBBBBLLL", "PodLifecycleSleepAction"},
	{"............aBLLL", "PodLifecycleSleepActionAllowZero"},
	{"............aaaaa", "PodLogsQuerySplitStreams"},
	{".............aBLL", "PodObservedGenerationTracking"},
	{"BBBBLL...........", "PodOverhead"},
	{"........aBBBBBBBB", "PodReadyToStartContainersCondition"},
	{"......aBBBLLLLLLL", "PodSchedulingReadiness"},
	{"..aBBLLL.........", "PodSecurity"},
	{".............aaBB", "PodTopologyLabelsAdmission"},
	{"................a", "PodsAPI"},
	{"..........aBBBBBB", "PortForwardWebsockets"},
	{".aBBLL...........", "PreferNominatedNode"},
	{".............aBLL", "PreferSameTrafficDistribution"},
	{"..............BBB", "PreventStaticPodAPIReferences"},
	{"..............L..", "ProbeHostPodSecurityStandards"},
	{".abbbBBBL........", "ProbeTerminationGracePeriod"},
	{"aaaaaaaaaaabbBBBL", "ProcMountType"},
	{"..aaaaBBLL.......", "ProxyTerminatingEndpoints"},
	{"aaaaaaaaaaaaaaaaa", "QOSReserved"},
	{"..aaaaaBBLL......", "ReadWriteOncePod"},
	{"...aaaaaaaaaBBLLL", "RecoverVolumeExpansionFailure"},
	{"..........aBBLLLL", "RecursiveReadOnlyMounts"},
	{".............aaaa", "ReduceDefaultCrashLoopBackOffDecay"},
	{"............aBLLL", "RelaxedDNSSearchValidation"},
	{"..........aaBBLLL", "RelaxedEnvironmentVariableValidation"},
	{"..............aaB", "RelaxedServiceNameValidation"},
	{"................B", "ReloadKubeletClientCAFile"},
	{"...........BBBBBB", "ReloadKubeletServerCertificateFile"},
	{"BBBBBBBBBLLLL....", "RemainingItemCount"},
	{"............aBBBB", "RemoteRequestHeaderUID"},
	{"BBBBLLLLLL.......", "RemoveSelfLink"},
	{"...........BBBLLL", "ResilientWatchCacheInitialization"},
	{"...........aaaaaB", "ResourceHealthStatus"},
	{"................B", "ResourceHealthStatusMessage"},
	{"...............aB", "RestartAllContainersOnContainerExits"},
	{".....aBBL........", "RetroactiveDefaultStorageClass"},
	{"..........aBLLLLL", "RetryGenerateName"},
	{"BL...............", "RootCAConfigMap"},
	{"L................", "RotateKubeletClientCertificate"},
	{"BBBBBBBBBBBBBBBBB", "RotateKubeletServerCertificate"},
	{"BL...............", "RunAsGroup"},
	{"LLLL.............", "RuntimeClass"},
	{".........aaaaaaaa", "RuntimeClassInImageCriApi"},
	{"LL...............", "SCTPSupport"},
	{"............aBBBL", "SELinuxChangePolicy"},
	{"..........aaabbbb", "SELinuxMount"},
	{".....aa?BBBBBBBBL", "SELinuxMountReadWriteOncePod"},
	{"..............??b", "SchedulerAsyncAPICalls"},
	{"............aBBBB", "SchedulerAsyncPreemption"},
	{".............BBBB", "SchedulerPopFromBackoffQ"},
	{"........?bbbBBLLL", "SchedulerQueueingHints"},
	{"..aaaBBLL........", "SeccompDefault"},
	{".......aaa.......", "SecurityContextDeny"},
	{"LLLLL............", "SelectorIndex"},
	{"........??BBBdddx", "SeparateCacheWatchRPC"},
	{".........BBBBBLLL", "SeparateTaintEvictionController"},
	{"BBGGGGLLLLLL.....", "ServerSideApply"},
	{"...aaBBLLLLL.....", "ServerSideFieldValidation"},
	{"BLL..............", "ServiceAccountIssuerDiscovery"},
	{"............?BBBB", "ServiceAccountNodeAudienceRestriction"},
	{".........aBBLLLLL", "ServiceAccountTokenJTI"},
	{".........aaBBLLLL", "ServiceAccountTokenNodeBinding"},
	{".........aBBLLLLL", "ServiceAccountTokenNodeBindingValidation"},
	{".........aBBLLLLL", "ServiceAccountTokenPodNodeInfo"},
	{"LL...............", "ServiceAppProtocol"},
	{"................D", "ServiceCIDRStatusFieldWiping"},
	{"....aBLL.........", "ServiceIPStaticSubrange"},
	{".aBBBBLL.........", "ServiceInternalTrafficPolicy"},
	{"aaBBLL...........", "ServiceLBNodePortControl"},
	{".aBBLL...........", "ServiceLoadBalancerClass"},
	{"BL...............", "ServiceNodeExclusion"},
	{".......aBLL......", "ServiceNodePortStaticSubrange"},
	{"aa...............", "ServiceTopology"},
	{"..........aBBLLL.", "ServiceTrafficDistribution"},
	{"BBLL.............", "SetHostnameAsFQDN"},
	{"................a", "ShardedListAndWatch"},
	{"........aBBBBLLLL", "SidecarContainers"},
	{"..............BBB", "SizeBasedListCostEstimate"},
	{"aaBBBBBBBBBBLLL..", "SizeMemoryBackedVolumes"},
	{"........aDD......", "SkipReadOnlyValidationGCE"},
	{".......BBBLL.....", "StableLoadBalancerNodeSet"},
	{"................B", "StaleControllerConsistencyDaemonSet"},
	{"................B", "StaleControllerConsistencyJob"},
	{"................B", "StaleControllerConsistencyReplicaSet"},
	{"................B", "StaleControllerConsistencyStatefulSet"},
	{"LLL..............", "StartupProbe"},
	{"...aaaaBBBBBLLL..", "StatefulSetAutoDeletePVC"},
	{"..aBBLL..........", "StatefulSetMinReadySeconds"},
	{"..............?BB", "StatefulSetSemanticRevisionComparison"},
	{"......aBBBBLLL...", "StatefulSetStartOrdinal"},
	{".............aaaa", "StorageCapacityScoring"},
	{"..........BBBDDDD", "StorageNamespaceIndex"},
	{"GGGLL............", "StorageObjectInUseProtection"},
	{"aaaaaaaaaaaaaaaaa", "StorageVersionAPI"},
	{"BBBBBBBBBBBBBBBBB", "StorageVersionHash"},
	{"..........aaaaabb", "StorageVersionMigrator"},
	{".............BLLL", "StreamingCollectionEncodingToJSON"},
	{".............BLLL", "StreamingCollectionEncodingToProtobuf"},
	{"DDdd.............", "StreamingProxyRedirects"},
	{"..........?bLLL..", "StrictCostEnforcementForVAP"},
	{"..........?bLLL..", "StrictCostEnforcementForWebhooks"},
	{".............aaaB", "StrictIPCIDRValidation"},
	{".........aBBBBLLL", "StructuredAuthenticationConfiguration"},
	{"..............BBB",
	 "StructuredAuthenticationConfigurationEgressSelector"},
	{"...............BB",
	 "StructuredAuthenticationConfigurationJWKSMetrics"},
	{".........aBBLLLL.", "StructuredAuthorizationConfiguration"},
	{"...........aaBBLL", "SupplementalGroupsPolicy"},
	{"LLL..............", "SupportNodePidsLimit"},
	{"LLL..............", "SupportPodPidsLimit"},
	{".aBBLL...........", "SuspendJob"},
	{"BLL..............", "Sysctls"},
	{"............BBBLL", "SystemdWatchdog"},
	{"aBBLL............", "TTLAfterFinished"},
	{"...............aa", "TaintTolerationComparisonOperators"},
	{"L................", "TokenRequest"},
	{"L................", "TokenRequestProjection"},
	{"..............BBB", "TokenRequestServiceAccountUIDValidation"},
	{".aabBBBBBBBBBLLL.", "TopologyAwareHints"},
	{"................a", "TopologyAwareWorkloadScheduling"},
	{"BBBBBBBLL........", "TopologyManager"},
	{"......aaaaaaaaaaa", "TopologyManagerPolicyAlphaOptions"},
	{"......bbBBBBBBBBB", "TopologyManagerPolicyBetaOptions"},
	{"......aaBBBBGGGGL", "TopologyManagerPolicyOptions"},
	{".........aBBBBBBB", "TranslateStreamCloseWebsocketRequests"},
	{".....????BBBBBBBB", "UnauthenticatedHTTP2DOSMitigation"},
	{"........aaaaaaaaB", "UnknownVersionInteroperabilityProxy"},
	{"................B", "UnlockWhileProcessingFIFO"},
	{"...............aa", "UserNamespacesHostNetworkSupport"},
	{".........aaaaaa..", "UserNamespacesPodSecurityStandards"},
	{".....aaa.........", "UserNamespacesStatelessPodsSupport"},
	{"........aabbbBBBL", "UserNamespacesSupport"},
	{"BBDD.............", "ValidateProxyRedirects"},
	{"......aabbLL.....", "ValidatingAdmissionPolicy"},
	{".........aabbbGGL", "VolumeAttributesClass"},
	{".aaaaaaaaaaaa....", "VolumeCapacityPriority"},
	{"...............aa", "VolumeLimitScaling"},
	{"L................", "VolumePVCDataSource"},
	{"LL...............", "VolumeSnapshotDataSource"},
	{"GGGLL............", "VolumeSubpath"},
	{"BBLL.............", "WarningHeaders"},
	{"LLLLLLLLLLLLL....", "WatchBookmark"},
	{"...........bbbbbB", "WatchCacheInitializationPostStartHook"},
	{".......???bbbxxx.", "WatchFromStorageWithoutResourceVersion"},
	{".......aaaaaBbBBB", "WatchList"},
	{"..........bbbbbBB", "WatchListClient"},
	{"aaaaaaaaaaaaaBLLL", "WinDSR"},
	{"BBBBBBBBBBBBBBLLL", "WinOverlay"},
	{"............aaaaa", "WindowsCPUAndMemoryAffinity"},
	{"aBLLL............", "WindowsEndpointSliceProxying"},
	{"L................", "WindowsGMSA"},
	{"............aaBBB", "WindowsGracefulNodeShutdown"},
	{"......AAAAAAAdddd", "WindowsHostNetwork"},
	{"..aBBBLL.........", "WindowsHostProcessContainers"},
	{"L................", "WindowsRunAsUserName"},
	{"................a", "WorkloadAwarePreemption"},
	{"................a", "WorkloadWithJob"},
	{".........bLL.....", "ZeroLimitedNominalConcurrencyShares"},
	{"...a.............", "csiMigrationRBD"},
};

/* Sorted by both names. */
const struct kr_gate_need kr_gate_needs[] = {
	{"AuthorizeNodeWithSelectors", "AuthorizeWithSelectors", 35, 36},
	{"ClusterTrustBundleProjection", "ClusterTrustBundle", 35, 36},
	{"DRAAdminAccess", "DynamicResourceAllocation", 35, 36},
	{"DRAConsumableCapacity", "DynamicResourceAllocation", 35, 36},
	{"DRADeviceBindingConditions", "DRAResourceClaimDeviceStatus", 35, 36},
	{"DRADeviceBindingConditions", "DynamicResourceAllocation", 35, 36},
	{"DRADeviceTaintRules", "DRADeviceTaints", 35, 36},
	{"DRADeviceTaints", "DynamicResourceAllocation", 35, 36},
	{"DRAExtendedResource", "DynamicResourceAllocation", 35, 36},
	{"DRAListTypeAttributes", "DynamicResourceAllocation", 36, 36},
	{"DRANodeAllocatableResources", "DynamicResourceAllocation", 36, 36},
	{"DRAPartitionableDevices", "DynamicResourceAllocation", 35, 36},
	{"DRAPrioritizedList", "DynamicResourceAllocation", 35, 36},
	{"DRAResourceClaimGranularStatusAuthorization",
	 "DRAResourceClaimDeviceStatus", 36, 36},
	{"DRAResourceClaimGranularStatusAuthorization",
	 "DynamicResourceAllocation", 36, 36},
	{"DRAResourcePoolStatus", "DynamicResourceAllocation", 36, 36},
	{"DRASchedulerFilterTimeout", "DynamicResourceAllocation", 35, 36},
	{"DRAWorkloadResourceClaims", "DynamicResourceAllocation", 36, 36},
	{"DRAWorkloadResourceClaims", "GenericWorkload", 36, 36},
	{"DeclarativeValidationBeta", "DeclarativeValidation", 36, 36},
	{"DeclarativeValidationTakeover", "DeclarativeValidation", 35, 36},
	{"DisableAllocatorDualWrite", "MultiCIDRServiceAllocator", 35, 36},
	{"ExtendWebSocketsToKubelet", "NodeDeclaredFeatures", 36, 36},
	{"GangScheduling", "GenericWorkload", 35, 36},
	{"GracefulNodeShutdownBasedOnPodPriority",
	 "GracefulNodeShutdown", 35, 36},
	{"ImageVolumeWithDigest", "ImageVolume", 36, 36},
	{"InPlacePodLevelResourcesVerticalScaling",
	 "InPlacePodVerticalScaling", 35, 36},
	{"InPlacePodLevelResourcesVerticalScaling",
	 "NodeDeclaredFeatures", 35, 36},
	{"InPlacePodLevelResourcesVerticalScaling",
	 "PodLevelResources", 35, 36},
	{"InPlacePodVerticalScalingAllocatedStatus",
	 "InPlacePodVerticalScaling", 35, 35},
	{"InPlacePodVerticalScalingExclusiveCPUs",
	 "InPlacePodVerticalScaling", 35, 36},
	{"InPlacePodVerticalScalingExclusiveMemory",
	 "InPlacePodVerticalScaling", 35, 36},
	{"InPlacePodVerticalScalingExclusiveMemory", "MemoryManager", 35, 35},
	{"InPlacePodVerticalScalingInitContainers",
	 "InPlacePodVerticalScaling", 36, 36},
	{"InPlacePodVerticalScalingInitContainers",
	 "NodeDeclaredFeatures", 36, 36},
	{"MatchLabelKeysInPodTopologySpreadSelectorMerge",
	 "MatchLabelKeysInPodTopologySpread", 35, 36},
	{"PodCertificateRequest", "AuthorizeNodeWithSelectors", 35, 36},
	{"PodLevelResourceManagers", "PodLevelResources", 36, 36},
	{"PodLifecycleSleepActionAllowZero", "PodLifecycleSleepAction", 35, 36},
	{"ProcMountType", "UserNamespacesSupport", 35, 36},
	{"ResourceHealthStatus", "DynamicResourceAllocation", 35, 36},
	{"ResourceHealthStatusMessage", "ResourceHealthStatus", 36, 36},
	{"RestartAllContainersOnContainerExits",
	 "ContainerRestartRules", 35, 36},
	{"RestartAllContainersOnContainerExits",
	 "NodeDeclaredFeatures", 35, 36},
	{"ServiceAccountTokenNodeBinding",
	 "ServiceAccountTokenNodeBindingValidation", 35, 36},
	{"StaleControllerConsistencyDaemonSet", "AtomicFIFO", 36, 36},
	{"StaleControllerConsistencyJob", "AtomicFIFO", 36, 36},
	{"StaleControllerConsistencyReplicaSet", "AtomicFIFO", 36, 36},
	{"StaleControllerConsistencyStatefulSet", "AtomicFIFO", 36, 36},
	{"StorageVersionAPI", "APIServerIdentity", 35, 36},
	{"StructuredAuthenticationConfigurationEgressSelector",
	 "StructuredAuthenticationConfiguration", 35, 36},
	{"StructuredAuthenticationConfigurationJWKSMetrics",
	 "StructuredAuthenticationConfiguration", 35, 36},
	{"TopologyAwareWorkloadScheduling", "GenericWorkload", 36, 36},
	{"UnknownVersionInteroperabilityProxy", "APIServerIdentity", 35, 36},
	{"UserNamespacesHostNetworkSupport", "NodeDeclaredFeatures", 36, 36},
	{"UserNamespacesHostNetworkSupport", "UserNamespacesSupport", 35, 36},
	{"WindowsCPUAndMemoryAffinity", "MemoryManager", 35, 35},
	{"WindowsGracefulNodeShutdown", "GracefulNodeShutdown", 35, 36},
	{"WorkloadAwarePreemption", "GangScheduling", 36, 36},
	{"WorkloadWithJob", "GenericWorkload", 36, 36},
};

const size_t kr_n_gates = ARRAY_SIZE(kr_gate_table);
const size_t kr_n_gate_needs = ARRAY_SIZE(kr_gate_needs);

/* clang-format on */

/* By bytes: a name in a file can hold any, NUL too. */
static int compare(const char *name, const char *key, size_t length)
{
	size_t own = strlen(name), n = own < length ? own : length;
	int r = n ? memcmp(name, key, n) : 0;

	if (r != 0)
		return r;
	return (own > length) - (own < length);
}

static const struct kr_gate *find(const char *name, size_t length)
{
	size_t low = 0, high = kr_n_gates;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int r = compare(kr_gate_table[middle].name, name, length);

		if (r == 0)
			return &kr_gate_table[middle];
		if (r < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static enum kr_gate_stage stage_of(char small)
{
	switch (small) {
	case 'a':
		return KR_GATE_ALPHA;
	case 'b':
		return KR_GATE_BETA;
	case 'd':
	case 'x':
		return KR_GATE_DEPRECATED;
	default:
		return KR_GATE_GA;
	}
}

static struct kr_gate_state state_of(char letter)
{
	bool capital = letter >= 'A' && letter <= 'Z';
	char small = capital ? letter - 'A' + 'a' : letter;

	return (struct kr_gate_state){
		.stage = stage_of(small),
		.by_default = capital,
		.locked = small == 'l' || small == 'x',
	};
}

enum kr_gate_answer kr_gate_find(const char *name, size_t length,
                                 unsigned minor, struct kr_gate_state *ret)
{
	const struct kr_gate *gate = find(name, length);
	char letter;

	if (minor < KR_GATE_FIRST_MINOR || minor > KR_GATE_LAST_MINOR)
		return KR_GATE_NOT_SURE;
	letter = gate ? gate->minors[minor - KR_GATE_FIRST_MINOR] : '.';
	if (letter == '.')
		return KR_GATE_UNKNOWN;
	if (letter == '?')
		return KR_GATE_NOT_SURE;
	*ret = state_of(letter);
	return KR_GATE_KNOWN;
}

bool kr_gate_known_range(const char *name, size_t length, unsigned *ret_first,
                         unsigned *ret_last)
{
	const struct kr_gate *gate = find(name, length);
	size_t before, n;

	if (!gate)
		return false;
	before = strspn(gate->minors, ".");
	n = strcspn(gate->minors + before, ".");
	*ret_first = KR_GATE_FIRST_MINOR + before;
	*ret_last = *ret_first + n - 1;
	return true;
}

static const struct kr_gate_setting *setting_of(
	const struct kr_gate_setting *settings, size_t n, const char *name)
{
	return KR_FIRST(setting, settings, n,
	                compare(name, setting->name, setting->length) == 0);
}

/* Whether the gate NAME is on; IF_NOT_SURE where that is open. */
static bool is_on(const struct kr_gate_setting *settings, size_t n,
                  const char *name, unsigned minor, bool if_not_sure)
{
	const struct kr_gate_setting *set = setting_of(settings, n, name);
	struct kr_gate_state state;

	if (set)
		return set->on;
	if (kr_gate_find(name, strlen(name), minor, &state) != KR_GATE_KNOWN)
		return if_not_sure;
	if (state.stage == KR_GATE_ALPHA)
		set = setting_of(settings, n, "AllAlpha");
	else if (state.stage == KR_GATE_BETA)
		set = setting_of(settings, n, "AllBeta");
	return set ? set->on : state.by_default;
}

const struct kr_gate_need *kr_gate_unmet(const struct kr_gate_setting *settings,
                                         size_t n, unsigned minor)
{
	KR_EACH(const struct kr_gate_need, need, kr_gate_needs,
	        kr_n_gate_needs) {
		if (minor < need->first || minor > need->last)
			continue;
		if (is_on(settings, n, need->gate, minor, false) &&
		    !is_on(settings, n, need->needs, minor, true))
			return need;
	}
	return NULL;
}
