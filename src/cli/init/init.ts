import * as path from "node:path";
import { shQuote } from "../../runner/quote";
import { version } from "../../version";
import { CommandError, EXIT } from "../exit";
import { ownRangeOf, packageRoot } from "../packageRoot";
import type { Terminal } from "../terminal";
import { Folder } from "./folder";
import { extendProject, type ExtendedProject } from "./projectFile";
import {
    dependenciesOf,
    GITIGNORE,
    packageJson,
    pipelineYaml,
    PLUGIN,
    program,
    projectNameOf,
    pulumiYaml,
    snippet,
    stackrunIgnore,
    STEP_FILE,
    STEP_SCRIPT,
    tsconfigJson,
    type Language,
    type ProjectFacts,
} from "./templates";

/** The options of `stackrun init`, as they were typed. */
export interface InitOptions {
    readonly typescript?: boolean;
    readonly javascript?: boolean;
}

/** `stackrun init`: makes a Pulumi project with a pipeline, or adds one to a project. Overwrites nothing. */
export function init(where: string, options: InitOptions, terminal: Terminal): void {
    if (options.typescript && options.javascript) {
        throw new CommandError("--typescript and --javascript: allowed is one of them", EXIT.badInput);
    }
    const folder = new Folder(path.resolve(where));
    const projectFile = ["Pulumi.yaml", "Pulumi.yml"].find((name) => folder.has(name));
    if (projectFile === undefined && folder.has("Pulumi.json")) {
        throw new CommandError(
            `Pulumi.json is not extended; put this into it: "plugins": ${JSON.stringify({ providers: [PLUGIN] })}`,
            EXIT.badInput,
        );
    }
    const after =
        projectFile === undefined
            ? newProject(folder, options)
            : existingProject(folder, projectFile, options);
    report(folder, where, after, terminal);
}

/** What is left to do, for people. */
interface Next {
    readonly packages: readonly string[];
    readonly hints: readonly string[];
    /** What an existing program needs. */
    readonly snippet?: string;
}

function newProject(folder: Folder, options: InitOptions): Next {
    const facts = factsOf(folder, options);
    folder.create("Pulumi.yaml", pulumiYaml(facts));
    return withProgram(folder, facts);
}

function existingProject(folder: Folder, file: string, options: InitOptions): Next {
    const project = extendProject(folder.read(file), file);
    const found = findProgram(folder, project.main);
    const main = project.main ?? (project.typescript ? "index.ts" : "index.js");
    if (found === undefined && !/\.[tj]s$/.test(main)) {
        throw new CommandError(`${file} names the program ${main}, which is not there`, EXIT.badInput);
    }
    // Before anything is written: it may refuse.
    const facts = found === undefined ? factsOf(folder, options, main) : undefined;
    if (project.text === undefined) {
        folder.leave(file);
    } else {
        folder.rewrite(file, project.text, "stackrun's plugin");
    }
    const hints =
        project.pluginPath === undefined || project.pluginPath === PLUGIN.path
            ? []
            : [`${file} has stackrun's plugin in ${project.pluginPath}`];
    return { ...(facts ? withProgram(folder, facts) : besideProgram(folder, found ?? main, project)), hints };
}

function besideProgram(folder: Folder, file: string, { typescript }: ExtendedProject): Next {
    common(folder, projectNameOf(path.basename(folder.path)), file);
    const isTypescript = typescript && (folder.has("tsconfig.json") || file.endsWith(".ts"));
    const uses = folder.isFile(file) && /["']stackrun["']/.test(folder.read(file));
    return {
        packages: folder.dependencies().includes("stackrun") ? [] : [`stackrun@${stackrunSpec(folder)}`],
        hints: [],
        snippet: uses ? undefined : snippet(isTypescript ? "typescript" : "javascript", folder.isEsModule()),
    };
}

// The program of a project: what Pulumi.yaml names, or package.json, or the files that Pulumi looks for.
function findProgram(folder: Folder, main: string | undefined): string | undefined {
    return [main, folder.mainOfPackage(), "index.ts", "index.js"].find(
        (file): file is string => file !== undefined && folder.has(file),
    );
}

function withProgram(folder: Folder, facts: ProjectFacts): Next {
    folder.create(facts.program, program(facts));
    if (facts.language === "typescript") {
        folder.create("tsconfig.json", tsconfigJson(facts));
    }
    const hadPackage = !folder.create("package.json", packageJson(facts));
    common(folder, facts.name, facts.program);
    const { dependencies, devDependencies } = dependenciesOf(facts);
    const known = folder.dependencies();
    const packages = Object.entries({ ...dependencies, ...devDependencies })
        .filter(([name]) => hadPackage && !known.includes(name))
        .map(([name, spec]) => `${name}@${spec}`);
    return { packages, hints: [] };
}

function common(folder: Folder, name: string, programFile: string): void {
    if (folder.create("pipeline.yaml", pipelineYaml({ name }))) {
        folder.create(STEP_FILE, STEP_SCRIPT);
    }
    folder.create(".gitignore", GITIGNORE);
    folder.create(".stackrunignore", stackrunIgnore(programFile.includes("/") ? undefined : programFile));
}

function factsOf(folder: Folder, options: InitOptions, programFile?: string): ProjectFacts {
    const esModule = folder.isEsModule();
    const language = languageOf(folder, options, programFile);
    if (language === "typescript" && esModule) {
        throw new CommandError(
            'package.json says "type": "module", with which Pulumi runs no TypeScript by itself; use --javascript',
            EXIT.badInput,
        );
    }
    return {
        name: projectNameOf(path.basename(folder.path)),
        language,
        program: programFile ?? freeName(folder, language === "typescript" ? "ts" : "js"),
        esModule,
        stackrun: stackrunSpec(folder),
        pulumi: ownRangeOf("@pulumi/pulumi"),
    };
}

// TypeScript is what most Pulumi programs are written in; but an ES module, or somebody's own tsconfig.json, it may not suit.
function languageOf(folder: Folder, options: InitOptions, programFile: string | undefined): Language {
    if (programFile !== undefined) {
        return programFile.endsWith(".ts") ? "typescript" : "javascript";
    }
    if (options.typescript || options.javascript) {
        return options.typescript ? "typescript" : "javascript";
    }
    return folder.isEsModule() || folder.has("tsconfig.json") ? "javascript" : "typescript";
}

function freeName(folder: Folder, extension: string): string {
    const names = ["index", "stack", "infrastructure"].map((name) => `${name}.${extension}`);
    const free = names.find((name) => !folder.has(name));
    if (free === undefined) {
        throw new CommandError(
            `${names.join(", ")} are all there, and none of them is overwritten: use an empty folder`,
            EXIT.badInput,
        );
    }
    return free;
}

// A checkout is no package that npm could find by its version.
function stackrunSpec(folder: Folder): string {
    const root = packageRoot();
    return root.split(path.sep).includes("node_modules")
        ? `^${version}`
        : `file:${path.relative(folder.path, root) || "."}`;
}

function report(folder: Folder, where: string, after: Next, terminal: Terminal): void {
    const row = (label: string, names: readonly string[]) => {
        if (names.length > 0) {
            terminal.line(`${label.padEnd(10)} ${names.join(", ")}`);
        }
    };
    row("folder", [folder.path]);
    row("made", folder.made);
    row("extended", folder.extended);
    row("left as is", folder.left);
    if (folder.made.length + folder.extended.length === 0) {
        terminal.line("everything is there already: nothing was changed");
    }
    after.hints.forEach((hint) => terminal.line(`note       ${hint}`));
    if (folder.left.includes(".gitignore") && !/^\/?\.stackrun\/?\s*$/m.test(folder.read(".gitignore"))) {
        terminal.line("note       put .stackrun/ into .gitignore: runs are recorded there");
    }
    if (after.snippet !== undefined) {
        terminal.line();
        terminal.line("In your program:");
        after.snippet.split("\n").forEach((line) => terminal.line(line && `  ${line}`));
    }
    const install = `npm install${after.packages.map((name) => ` ${shellWord(name)}`).join("")}`;
    const relative = path.relative(process.cwd(), folder.path);
    const commands: [string, string][] = [
        ...(relative === "" ? [] : [[`cd ${shellWord(where)}`, ""] as [string, string]]),
        [install, ""],
        ['eval "$(npx stackrun env)"', "an engine, and a place for the state; or use your own: pulumi login"],
        ["pulumi stack select --create dev", ""],
        ["pulumi up", "runs pipeline.yaml; once more: there is nothing to do"],
    ];
    const width = Math.max(...commands.filter(([, what]) => what).map(([command]) => command.length));
    terminal.line();
    terminal.line("next:");
    commands.forEach(([command, what]) =>
        terminal.line(`  ${what ? `${command.padEnd(width)}   ${what}` : command}`),
    );
}

function shellWord(text: string): string {
    return /^[\w./@^:+=,-]+$/.test(text) ? text : shQuote(text);
}
