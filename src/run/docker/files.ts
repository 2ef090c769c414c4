import * as fs from "node:fs/promises";

export async function isFolder(folder: string): Promise<boolean> {
    return (await fs.stat(folder).catch(() => undefined))?.isDirectory() ?? false;
}
