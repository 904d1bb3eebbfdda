export type { UpstreamStatistics } from "../core/upstream.ts";
export type { ContractEndpoint, ContractTest } from "./contract/contract.ts";
export { type DiscoveryContractOptions, type DiscoveryFeature, type DiscoveryHarness, discoveryContract } from "./contract/discovery.ts";
export { type PickerContractOptions, pickerContract } from "./contract/picker.ts";
export type { CreatePicker } from "./contract/picker-cases.ts";
export {
  type ListedInstance,
  type RegistrarContractOptions,
  type RegistrarFeature,
  type RegistrarHarness,
  registrarContract,
} from "./contract/registrar.ts";
export { type MemoryRegistry, memoryRegistry } from "./memory-registry.ts";
export type { MockAnswer, MockAnswers, MockCall, MockFault } from "./mock-answers.ts";
export { type MockMesh, type MockMeshOptions, mockMesh } from "./mock-mesh.ts";
export { testRequest, testUpstream } from "./request.ts";
export { seededRandom } from "./seeded-random.ts";
export type { LatencySummary, ServerSummary, SimulationResult, TimelinePart } from "./simulator/result.ts";
export type {
  Arrivals,
  ExponentialLatency,
  Latency,
  RatePhase,
  Scenario,
  ServerAnswer,
  ServerErrors,
  ServerFault,
  ServerMoment,
  ServerPhase,
  SimulatedClient,
  SimulatedOptions,
  SimulatedRequest,
  SimulatedServer,
} from "./simulator/scenario.ts";
export { simulate } from "./simulator/simulate.ts";
export { type WarmingLatencyOptions, warmingLatency } from "./simulator/warming-latency.ts";
export { type VirtualClock, type VirtualClockOptions, type VirtualTimer, virtualClock } from "./virtual-clock.ts";
