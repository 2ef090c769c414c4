export { PipelineError, type Mistake } from "./errors";
export { canonicalJson, hashOf, pipelineHash, stepHashes } from "./fingerprint";
export { definePipeline, loadPipelineFile, parsePipeline } from "./load";
export { paramEnv, resolveParams } from "./params";
export { toRunPlan, type RunPlanOptions } from "./runPlan";
export * from "./spec";
export * from "./types";
