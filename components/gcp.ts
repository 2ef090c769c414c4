export { GcpOrchestrator } from "./gcpOrchestrator";
export type { GcpOrchestratorArgs, GcpTransfer } from "./gcp/args";
