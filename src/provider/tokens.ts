/** Type tokens of the plugin's resources; shared by the plugin and the components that declare them. */
export const RUN_ID_TYPE = "stackrun:index:RunId";
export const RUN_TYPE = "stackrun:index:Run";
/** A step of a run: a row of its own under it. */
export const STEP_TYPE = "stackrun:index:Step";

/** The outputs of a run that only its end tells. */
export const RUN_OUTPUTS = [
    "status",
    "reason",
    "message",
    "steps",
    "startedAt",
    "finishedAt",
    "durationSeconds",
    "interruptions",
    "exitCode",
    "logs",
    "logUrl",
    "artifacts",
    "metrics",
] as const;
/** The code in a cluster's ConfigMaps. */
export const BUNDLE_CHUNKS_TYPE = "stackrun:index:BundleChunks";
/** What an attempt was declared with. */
export const ATTEMPT_SPEC_TYPE = "stackrun:index:AttemptSpec";
/** The code in an artifact store. */
export const STORED_BUNDLE_TYPE = "stackrun:index:StoredBundle";
/** A machine of Compute Engine that whoever follows the run makes. */
export const MADE_MACHINE_TYPE = "stackrun:index:MadeMachine";
/** What a machine of Compute Engine needs, looked up. */
export const GCP_CHECK_TYPE = "stackrun:index:GcpCheck";
/** Small files of an attempt in an artifact store. */
export const STORED_FILES_TYPE = "stackrun:index:StoredFiles";
