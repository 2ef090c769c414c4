import * as fs from "node:fs";
import * as path from "node:path";
import { scanCode, writeBundle } from "../../../../src/bundle";
import type { Producers } from "./said";

/** A folder for code in a test's folder, with these files. */
function code(folder: string, files: Readonly<Record<string, string>>): string {
    const dir = path.join(folder, "code");
    fs.mkdirSync(dir);
    Object.entries(files).forEach(([name, text]) => fs.writeFileSync(path.join(dir, name), text));
    return dir;
}

/** Bundles code of which a file is changed after it was scanned. */
async function changed(folder: string): Promise<unknown> {
    const dir = code(folder, { a: "1" });
    const tree = await scanCode(dir);
    fs.writeFileSync(path.join(dir, "a"), "2");
    return writeBundle(tree, path.join(folder, "bundle"));
}

/** Scans code with a file to which something is added whenever somebody begins to read it. */
async function changing(folder: string): Promise<unknown> {
    const dir = code(folder, { "a.log": "" });
    const { open } = fs.promises;
    const opened = jest.spyOn(fs.promises, "open").mockImplementation((...args) => {
        fs.appendFileSync(path.join(dir, "a.log"), "x");
        return open(...args);
    });
    try {
        return await scanCode(dir);
    } finally {
        opened.mockRestore();
    }
}

/** Scans code with a file that can't be read: a test may be root, whom no permission stops. */
async function unreadable(folder: string): Promise<unknown> {
    const dir = code(folder, { a: "1" });
    const refuse = (): never => {
        throw Object.assign(new Error("permission denied"), { code: "EACCES" });
    };
    const open = jest.spyOn(fs.promises, "open").mockImplementation(refuse);
    try {
        return await scanCode(dir);
    } finally {
        open.mockRestore();
    }
}

/** Writes a bundle into a folder that is a file. */
async function unwritable(folder: string): Promise<unknown> {
    const dir = code(folder, { a: "1" });
    return writeBundle(await scanCode(dir), path.join(dir, "a", "bundle"));
}

/** What is wrong with the code of the steps. */
export const CODE: Producers = {
    "The code folder … is not a folder": (folder) => scanCode(path.join(code(folder, { a: "1" }), "a")),
    "The code folder … can't be read (…)": (folder) => scanCode(path.join(folder, "nowhere")),
    "The code can't be read:…": unreadable,
    "…; rename them, or leave them out in .stackrunignore:…": (folder) =>
        scanCode(code(folder, { "a\\b": "1" })),
    "These files change while they are read; …": changing,
    "… has changed since the code was scanned: try again": changed,
    "The code has …, over the limit of …": (folder) =>
        scanCode(code(folder, { large: "x".repeat(2000) }), { maxBytes: 1000 }),
    "The bundle can't be written to … (…)": unwritable,
};
