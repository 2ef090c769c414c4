import * as fs from "node:fs";
import * as path from "node:path";

export const REPO = path.resolve(__dirname, "../../..");

/** A fenced block of a page; see scripts/docs/markdown.js. */
export interface Fence {
    readonly language: string;
    readonly code: string;
    readonly line: number;
    readonly notes: Readonly<Record<string, string>>;
}

interface Markdown {
    anchors(markdown: string): string[];
    fences(markdown: string): Fence[];
    links(markdown: string): string[];
}

// eslint-disable-next-line @typescript-eslint/no-require-imports
export const markdown = require("../../../scripts/docs/markdown.js") as Markdown;

/** Every page for readers, by its path from the root of the repository. */
export function pages(): string[] {
    const docs = fs.readdirSync(path.join(REPO, "docs")).filter((name) => name.endsWith(".md"));
    return ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...docs.map((name) => `docs/${name}`)];
}

export function read(file: string): string {
    return fs.readFileSync(path.join(REPO, file), "utf8");
}

/** All fenced blocks in one of these languages, with a name that says where they stand. */
export function fencesIn(...languages: string[]): (Fence & { file: string; place: string })[] {
    return pages().flatMap((file) =>
        markdown
            .fences(read(file))
            .filter(({ language }) => languages.includes(language))
            .map((fence) => ({ ...fence, file, place: `${file}:${fence.line}` })),
    );
}
