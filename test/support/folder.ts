import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** A new folder for each test, removed after it. To be called in a `describe`. */
export function useFolder(): () => string {
    let dir = "";
    beforeEach(() => {
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-unit-"));
    });
    afterEach(() => fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
    return () => dir;
}

/** A folder and all that are in it, children first; nothing if it is not there. */
export function foldersBelow(folder: string): string[] {
    let entries: fs.Dirent[];
    try {
        entries = fs.readdirSync(folder, { withFileTypes: true });
    } catch {
        return [];
    }
    const children = entries.filter((entry) => entry.isDirectory());
    return [...children.flatMap((child) => foldersBelow(path.join(folder, child.name))), folder];
}
