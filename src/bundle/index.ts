export { BundleChangedError, BundleError, BundleTooLargeError } from "./errors";
export { scanCode } from "./scan";
export { humanSize } from "./size";
export type * from "./types";
export { writeBundle, type WriteOptions } from "./writeBundle";
