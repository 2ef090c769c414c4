import { inspect } from "node:util";

/** The code can't be bundled; the message says why, for people. */
export class BundleError extends Error {
    override readonly name: string = "BundleError";

    /** The message is the whole story: no stack. */
    [inspect.custom](): string {
        return this.message;
    }
}

/** Files changed while they were read, or since they were scanned. */
export class BundleChangedError extends BundleError {
    override readonly name = "BundleChangedError";
}

/** The code is over the limit; `largest` has the paths to look at. */
export class BundleTooLargeError extends BundleError {
    override readonly name = "BundleTooLargeError";

    constructor(
        message: string,
        readonly totalSize: number,
        readonly largest: readonly { readonly path: string; readonly size: number }[],
    ) {
        super(message);
    }
}

const LISTED = 20;

/** "a", "b" and 3 more: one per line, for a message. */
export function listed(paths: readonly string[]): string {
    const shown = paths.slice(0, LISTED).map((path) => `\n  - ${printable(path)}`);
    const more = paths.length > LISTED ? `\n  … and ${paths.length - LISTED} more` : "";
    return shown.join("") + more;
}

/** A path on one line: names may hold line ends and other control characters. */
export function printable(path: string): string {
    // eslint-disable-next-line no-control-regex -- they are what it is about
    return /[\u0000-\u001f\u007f\ufffd]/.test(path) ? JSON.stringify(path) : path;
}
