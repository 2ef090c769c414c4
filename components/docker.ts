export { DockerOrchestrator } from "./dockerOrchestrator";
export type { DockerOrchestratorArgs, DockerRegistry, DockerVolume } from "./docker/args";
export { PipelineImage, type PipelineImageArgs } from "./pipelineImage";
export type { ImageRegistry, ImageToBuild, MadeImage } from "./image";
