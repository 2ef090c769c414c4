export { LocalOrchestrator, type LocalOrchestratorArgs } from "../components/localOrchestrator";
export {
    Orchestrator,
    type DeclaredRun,
    type OrchestratorArgs,
    type Target,
    type TargetBasis,
} from "../components/orchestrator";
export {
    ArtifactStore,
    type ArtifactStoreArgs,
    type DeclaredStore,
    type StoreKind,
} from "../components/artifactStore";
export { StoredBundle, type StoredBundleArgs } from "../components/resources";
export type { Abilities } from "../components/settings";
export type { RcloneRemote } from "./stores/artifacts/rclone";
export { BadInputError, RunFailedError } from "../components/errors";
export type { ImageRegistry, ImageSource, ImageToBuild, MadeImage } from "../components/image";
export { definePipeline, loadPipelineFile, parsePipeline } from "./pipeline/load";
export { PipelineError, type Mistake } from "./pipeline/errors";
export type {
    DurationSpec,
    EnvSpec,
    ImageBuildSpec,
    ParamSpec,
    PipelineSpec,
    ResourcesSpec,
    RetriesSpec,
    StepSpec,
} from "./pipeline/spec";
export type { Param, ParamType, ParamValue, Pipeline, Step } from "./pipeline/types";
export type {
    CreateFollower,
    Follower,
    FollowerSpec,
    FollowItem,
    LogLine,
    Outcome,
    RunRef,
    RunSpec,
} from "./run/follower";
export type { EventHead, FinalState, RunnerEvent, RunnerEventBody, RunState, StepState } from "./run/events";
export { RUNNER_EXIT } from "./run/events";
export { recordedOutcome } from "./run/outcome";
export { RunnerStream, type StreamOptions } from "./run/stream";
export { launcherScript } from "./runner/launcher";
export { runnerScript } from "./runner/script";
export type { RunSnapshot, StepSnapshot } from "./run/snapshot";
export type { Artifact } from "./run/record";
