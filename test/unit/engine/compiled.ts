import * as fs from "node:fs";
import * as path from "node:path";
import { transformFileSync } from "@swc/core";

const ROOT = path.resolve(__dirname, "../../..");

/** Compiles folders of `src` into `target`, so that a child process can load them without Jest. */
export function compile(target: string, ...folders: string[]): void {
    for (const folder of folders) {
        const from = path.join(ROOT, "src", folder);
        for (const name of fs.readdirSync(from).filter((file) => file.endsWith(".ts"))) {
            const { code } = transformFileSync(path.join(from, name), {
                swcrc: false,
                jsc: { parser: { syntax: "typescript" }, target: "es2022" },
                module: { type: "commonjs", ignoreDynamic: true },
            });
            const to = path.join(target, "src", folder, name.replace(/\.ts$/, ".js"));
            fs.mkdirSync(path.dirname(to), { recursive: true });
            fs.writeFileSync(to, code);
        }
    }
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(target, "node_modules"));
}
