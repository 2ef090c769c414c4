import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { CodeTree } from "../../../src/bundle";

/** A temporary folder with files in it. */
export class Tree {
    readonly top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-bundle-")));
    readonly dir = path.join(this.top, "code");

    constructor(files: Record<string, string> = {}) {
        fs.mkdirSync(this.dir);
        this.write(files);
    }

    /** Paths are relative to the code; one that ends in `/` is an empty folder. */
    write(files: Record<string, string | Uint8Array>): void {
        for (const [file, content] of Object.entries(files)) {
            const full = this.at(file);
            fs.mkdirSync(file.endsWith("/") ? full : path.dirname(full), { recursive: true });
            if (!file.endsWith("/")) {
                fs.writeFileSync(full, content);
            }
        }
    }

    link(file: string, target: string): void {
        fs.mkdirSync(path.dirname(this.at(file)), { recursive: true });
        fs.symlinkSync(target, this.at(file));
    }

    at(file: string): string {
        return path.join(this.dir, file);
    }

    remove(): void {
        fs.rmSync(this.top, { recursive: true, force: true });
    }
}

export function paths(tree: CodeTree): string[] {
    return tree.entries.map((entry) => entry.path);
}

/** What was left out, with the rules. */
export function leftOut(tree: CodeTree): Record<string, string> {
    return Object.fromEntries(tree.leftOut.map(({ path: file, rule }) => [file, rule]));
}

export async function failure(work: Promise<unknown>): Promise<Error> {
    return work.then(
        () => new Error("it did not fail"),
        (error: Error) => error,
    );
}
