import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { Mistake, PipelineError } from "./errors";
import { nearest } from "./words";

/** A pipeline is written by hand; a larger file is something else. */
export const MAX_BYTES = 512 * 1024;

/** The text of a pipeline file; throws a PipelineError that says why it can't be had. */
export function readPipelineText(path: string): string {
    let bytes: Buffer;
    try {
        const found = statSync(path);
        if (!found.isFile()) {
            throw fileError(path, found.isDirectory() ? "is a folder" : "is not a file", {
                allowed: "a YAML file such as pipeline.yaml",
            });
        }
        if (found.size > MAX_BYTES) {
            throw tooLarge(path, found.size);
        }
        bytes = readFileSync(path);
    } catch (error) {
        throw error instanceof PipelineError ? error : unreadable(path, error as NodeJS.ErrnoException);
    }
    return decode(bytes, path);
}

/** Says that a file's text is too large to be a pipeline. */
export function tooLarge(file: string, bytes: number): PipelineError {
    return fileError(file, `is ${Math.ceil(bytes / 1024)} KiB large`, {
        line: 1,
        column: 1,
        allowed: `${MAX_BYTES / 1024} KiB at most`,
    });
}

function decode(bytes: Buffer, file: string): string {
    if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
        throw fileError(file, "is UTF-16", { line: 1, column: 1, allowed: "UTF-8" });
    }
    try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
        // Text before the first fault holds no replacement character, unless the author wrote one.
        const before = bytes.toString("utf8").split("\uFFFD")[0].split("\n");
        const position = { line: before.length, column: before[before.length - 1].length + 1 };
        throw fileError(file, "is not UTF-8: the bytes here are no character", {
            ...position,
            allowed: "UTF-8",
        });
    }
}

function unreadable(path: string, error: NodeJS.ErrnoException): PipelineError {
    if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "ERR_INVALID_ARG_VALUE") {
        const suggestion = similarFile(path);
        return fileError(path, "there is no such file", suggestion === undefined ? {} : { suggestion });
    }
    const reason = error.code === "EACCES" ? "permission denied" : (error.code ?? error.message);
    return fileError(path, `can't be read: ${reason}`, {});
}

function similarFile(path: string): string | undefined {
    try {
        const folder = dirname(path);
        const near = nearest(basename(path), readdirSync(folder));
        return near === undefined ? undefined : path.slice(0, path.length - basename(path).length) + near;
    } catch {
        return undefined;
    }
}

function fileError(file: string, message: string, details: Partial<Mistake>): PipelineError {
    // A name is shown on one line, whatever it is made of.
    const shown = file.replace(/\p{Cc}/gu, "?");
    return new PipelineError([{ file: shown, path: "", message, ...details }]);
}
