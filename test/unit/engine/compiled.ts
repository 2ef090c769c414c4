import * as fs from "node:fs";
import * as path from "node:path";
import { transformFileSync } from "@swc/core";

const ROOT = path.resolve(__dirname, "../../..");

/** Compiles folders of `src`, and what they share, into `target`, so that a child process can load them without Jest. */
export function compile(target: string, ...folders: string[]): void {
    const inFolders = folders.flatMap((folder) =>
        fs.readdirSync(path.join(ROOT, "src", folder)).map((name) => path.join(folder, name)),
    );
    const shared = fs.readdirSync(path.join(ROOT, "src"));
    for (const file of [...shared, ...inFolders].filter((name) => name.endsWith(".ts"))) {
        const { code } = transformFileSync(path.join(ROOT, "src", file), {
            swcrc: false,
            jsc: { parser: { syntax: "typescript" }, target: "es2022" },
            module: { type: "commonjs", ignoreDynamic: true },
        });
        const to = path.join(target, "src", file.replace(/\.ts$/, ".js"));
        fs.mkdirSync(path.dirname(to), { recursive: true });
        fs.writeFileSync(to, code);
    }
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(target, "node_modules"));
}
