import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { DockerIgnore } from "./dockerIgnore";

/** What a build's result depends on. Paths are absolute. */
export interface BuildInputs {
    readonly context: string;
    readonly dockerfile: string;
    readonly args: Readonly<Record<string, string>>;
    readonly target?: string;
    readonly platform?: string;
}

/**
 * A hash of all that goes into a build: the context's files without what `.dockerignore` leaves out, the Dockerfile, and
 * the options. The same on every machine; times and owners don't count.
 */
export async function buildHash({
    context,
    dockerfile,
    args,
    target,
    platform,
}: BuildInputs): Promise<string> {
    const hash = createHash("sha256").update("stackrun image 1\n");
    const line = (...facts: unknown[]) => hash.update(`${JSON.stringify(facts)}\n`);
    line("dockerfile", await hashOfFile(dockerfile));
    line(
        "args",
        Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    line("target", target ?? "", platform ?? "");
    const ignore = await readIgnore(context, dockerfile);
    for await (const [kind, name, content] of entries(context, "", ignore)) {
        line(kind, name, content);
    }
    return hash.digest("hex");
}

// One beside the Dockerfile, named after it, stands above that of the context, as for BuildKit.
async function readIgnore(context: string, dockerfile: string): Promise<DockerIgnore> {
    for (const file of [`${dockerfile}.dockerignore`, path.join(context, ".dockerignore")]) {
        const text = await fs.readFile(file, "utf8").catch(() => undefined);
        if (text !== undefined) {
            return DockerIgnore.parse(text);
        }
    }
    return DockerIgnore.parse("");
}

type Entry = readonly [kind: "file" | "program" | "link", name: string, content: string];

async function* entries(context: string, folder: string, ignore: DockerIgnore): AsyncIterable<Entry> {
    const names = await fs.readdir(path.join(context, folder), { withFileTypes: true });
    for (const item of names.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))) {
        const name = folder ? `${folder}/${item.name}` : item.name;
        const file = path.join(context, name);
        if (item.isDirectory()) {
            if (!ignore.leavesOut(name) || ignore.keepsSome) {
                yield* entries(context, name, ignore);
            }
        } else if (ignore.leavesOut(name)) {
            continue;
        } else if (item.isSymbolicLink()) {
            yield ["link", name, await fs.readlink(file)];
        } else if (item.isFile()) {
            const program = ((await fs.stat(file)).mode & 0o100) !== 0;
            yield [program ? "program" : "file", name, await hashOfFile(file)];
        }
    }
}

async function hashOfFile(file: string): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
        hash.update(chunk as Buffer);
    }
    return hash.digest("hex");
}
