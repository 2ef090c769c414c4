export { ensureEngine } from "./ensure";
export { EngineError } from "./errors";
export type { Engine, EngineSource, EnsureEngineOptions } from "./types";
export { ENGINE_VERSION, OLDEST_ENGINE } from "./versions";
