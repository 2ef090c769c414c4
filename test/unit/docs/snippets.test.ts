import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { Script } from "node:vm";
import * as ts from "typescript";
import { parsePipeline } from "../../../src/pipeline/load";
import { fencesIn, pages, read, REPO } from "./pages";
import { commandsOf, faultOf } from "./shellCommands";

const LANGUAGES = ["", "text", "sh", "ts", "js", "yaml", "json", "mermaid"];

it("every fenced block names a language for which there is a check, or none", () => {
    const others = pages().flatMap((page) =>
        [...read(page).matchAll(/^\s*```(\S+)/gm)].map(([, language]) => language),
    );
    expect(others.filter((language) => !LANGUAGES.includes(language))).toEqual([]);
});

describe("TypeScript", () => {
    const blocks = fencesIn("ts");
    const snippets = blocks.filter(({ notes }) => !("signature" in notes));

    it("compiles against the built package", () => {
        expect(snippets.length).toBeGreaterThan(4);
        expect(
            compile(snippets.map(({ place, notes, code }) => ({ place, text: complete(notes, code) }))),
        ).toEqual([]);
    });

    it("is syntax where it only shows a signature", () => {
        const bad = blocks.filter(({ code, notes }) => "signature" in notes && syntaxFaults(code) > 0);
        expect(bad.map(({ place }) => place)).toEqual([]);
    });

    it("that is wrong is found", () => {
        const text =
            'import { LocalOrchestrator } from "stackrun";\nnew LocalOrchestrator("a", { pipelin: "b" });';
        expect(compile([{ place: "here", text }]).join()).toMatch(/here.*pipelin/);
    });
});

it.each(fencesIn("js").map(({ place, code }) => [place, code]))("%s is JavaScript", (place, code) => {
    expect(() => new Script(code, { filename: place })).not.toThrow();
});

describe("YAML", () => {
    const blocks = fencesIn("yaml");
    const pipelines = blocks.filter(({ code, notes }) => /^steps:/m.test(complete(notes, code)));

    it.each(pipelines.map((block) => [block.place, block] as const))(
        "%s is a pipeline",
        (_, { notes, code }) => {
            expect(parsePipeline(complete(notes, code), "pipeline.yaml").steps).not.toHaveLength(0);
        },
    );

    it("is a pipeline, or a part of a Pulumi.yaml", () => {
        const others = blocks.filter((block) => !pipelines.includes(block) && !isProject(block));
        expect(others.map(({ place }) => place)).toEqual([]);
        expect(pipelines.length).toBeGreaterThan(1);
    });

    it.each(blocks.filter(isProject).map((block) => [block.place, block.code]))(
        "%s gives the place of the plugin",
        (_, code) => {
            expect(code).toMatch(
                /plugins:\n\s+providers:\n\s+- name: stackrun\n\s+path: (node_modules\/stackrun|\.)\/bin/,
            );
        },
    );
});

describe("commands", () => {
    const commands = fencesIn("sh").flatMap(({ place, code }) =>
        commandsOf(code).map((words) => ({ place, words })),
    );
    const help = new Map<string, string>();
    const helpOf = (subcommand: string): string => {
        const known = help.get(subcommand) ?? stackrun([subcommand, "--help"]);
        help.set(subcommand, known);
        return known;
    };

    it("exist, and so do their options", () => {
        expect(commands.length).toBeGreaterThan(10);
        const faults = commands.map(({ place, words }) => ({ place, fault: faultOf(words, helpOf) }));
        expect(faults.filter(({ fault }) => fault !== undefined)).toEqual([]);
    });

    it.each([
        ["stackrun nosuch", /nosuch/],
        ["npx stackrun run --nosuch", /--nosuch/],
        ["npm run nosuch", /nosuch/],
        ["pulumi nosuch", /nosuch/],
        ["pulumi up --nosuch", /--nosuch/],
        ["nosuch --flag", /nosuch/],
    ])("%s would be found", (line, fault) => {
        expect(faultOf(commandsOf(line)[0], helpOf)).toMatch(fault);
    });
});

/** A part of a `Pulumi.yaml`. */
function isProject({ code }: { code: string }): boolean {
    return /^plugins:/m.test(code);
}

function complete(notes: Readonly<Record<string, string>>, code: string): string {
    return [notes.before, code, notes.after].filter((part) => part !== undefined).join("\n");
}

function stackrun(args: readonly string[]): string {
    return spawnSync(process.execPath, [path.join(REPO, "bin/stackrun"), ...args], { encoding: "utf8" })
        .stdout;
}

function syntaxFaults(code: string): number {
    const text = code.replaceAll("…", "").replace(/^new (\w+)\((.*)\);$/m, "function make$1($2): void {}");
    const { diagnostics } = ts.transpileModule(text, {
        reportDiagnostics: true,
        compilerOptions: { noCheck: true },
    });
    return (diagnostics ?? []).length;
}

/** What the libraries declare, read once. */
const parsed = new Map<string, ts.SourceFile>();

/** Type-checks texts as if they were files of this package, which finds itself by its name and its `exports`. */
function compile(snippets: readonly { place: string; text: string }[]): string[] {
    const options: ts.CompilerOptions = {
        ...{ target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.Node16, noEmit: true, strict: true },
        ...{
            moduleResolution: ts.ModuleResolutionKind.Node16,
            moduleDetection: ts.ModuleDetectionKind.Force,
        },
        ...{ skipLibCheck: true, types: ["node", "jest"], esModuleInterop: true },
    };
    const files = new Map(snippets.map(({ text }, at) => [path.join(REPO, "docs", `snippet${at}.ts`), text]));
    const host = ts.createCompilerHost(options);
    const original = { fileExists: host.fileExists, readFile: host.readFile };
    host.fileExists = (name) => files.has(name) || original.fileExists(name);
    host.readFile = (name) => files.get(name) ?? original.readFile(name);
    const parse = host.getSourceFile;
    host.getSourceFile = (name, ...rest) => {
        const source = (!files.has(name) && parsed.get(name)) || parse(name, ...rest);
        return source && parsed.set(name, source).get(name);
    };
    const names = [...files.keys()];
    const program = ts.createProgram(names, options, host);
    return ts.getPreEmitDiagnostics(program).map((found) => {
        const at = names.indexOf(found.file?.fileName ?? "");
        return `${snippets[at]?.place ?? found.file?.fileName}: ${ts.flattenDiagnosticMessageText(found.messageText, "\n")}`;
    });
}
