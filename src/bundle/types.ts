/** A file of the bundle. */
export interface CodeFile {
    /** Relative to the folder, with `/`. */
    readonly path: string;
    readonly type: "file";
    /** Kept to the executable bit. */
    readonly mode: 0o644 | 0o755;
    readonly size: number;
    readonly sha256: string;
}

/** A symbolic link that stays inside the folder. */
export interface CodeLink {
    readonly path: string;
    readonly type: "link";
    readonly linkTarget: string;
}

/** Folders are no entries, as in git: an empty one would make the hash differ from that of a fresh clone. */
export type CodeEntry = CodeFile | CodeLink;

/** Something of the folder that is not in the bundle, and why. A folder's path ends in `/`, and stands for all in it. */
export interface LeftOut {
    readonly path: string;
    /** `.gitignore:3: *.log`, `.env*: …`, `a socket`, … */
    readonly rule: string;
}

/** What a folder's bundle consists of. */
export interface CodeTree {
    /** The folder's real path. */
    readonly dir: string;
    /** Sorted by the bytes of their paths. */
    readonly entries: readonly CodeEntry[];
    /** SHA-256 of the entries' paths, kinds, executable bits and contents: the same on every machine. */
    readonly hash: string;
    readonly totalSize: number;
    /** The first of what was left out (at most 200); `leftOutCount` counts all. */
    readonly leftOut: readonly LeftOut[];
    readonly leftOutCount: number;
    readonly warnings: readonly string[];
}

export interface ScanOptions {
    /** @default 256 MiB */
    readonly maxBytes?: number;
    /** Where hashes of unchanged files are kept between scans. Without it every file is read. */
    readonly cacheFile?: string;
    readonly signal?: AbortSignal;
}

export type BundleFormat = "tar.gz" | "zip";

/** A written archive. */
export interface BundleFile {
    readonly path: string;
    readonly size: number;
    readonly sha256: string;
}
