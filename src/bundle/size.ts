import { BundleTooLargeError, printable } from "./errors";

export const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;

interface Sized {
    readonly path: string;
    readonly size: number;
}

/** The error for code over the limit. The remedy is to leave something out: so it names files and top folders alike. */
export function tooLarge(files: readonly Sized[], totalSize: number, maxBytes: number): BundleTooLargeError {
    const { largest, lines } = largestOf(files);
    const message =
        `The code has ${humanSize(totalSize)}, over the limit of ${humanSize(maxBytes)}. ` +
        `Leave out what the run does not need, with lines in .stackrunignore. The largest files and folders:${lines}`;
    return new BundleTooLargeError(message, totalSize, largest);
}

/** The ten largest files and top folders; and a line for each. */
export function largestOf(files: readonly Sized[]): { readonly largest: Sized[]; readonly lines: string } {
    const folders = new Map<string, number>();
    for (const { path, size } of files) {
        const slash = path.indexOf("/");
        if (slash > 0) {
            const folder = path.slice(0, slash + 1);
            folders.set(folder, (folders.get(folder) ?? 0) + size);
        }
    }
    const all = [...files, ...[...folders].map(([path, size]) => ({ path, size }))];
    const largest = all.sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1)).slice(0, 10);
    return {
        largest: largest.map(({ path, size }) => ({ path, size })),
        lines: largest
            .map(({ path, size }) => `\n  ${humanSize(size).padStart(9)}  ${printable(path)}`)
            .join(""),
    };
}

/** "512 B", "1.5 MiB". */
export function humanSize(bytes: number): string {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let value = bytes;
    let unit = 0;
    for (; value >= 1024 && unit < units.length - 1; unit++) {
        value /= 1024;
    }
    return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
