export { KubernetesOrchestrator } from "./kubernetesOrchestrator";
export type {
    ExposedMetadataStore,
    KubernetesOrchestratorArgs,
    KubernetesVolume,
    Quantity,
    Resource,
    Workspace,
} from "./kubernetes/args";
