import { parse } from "yaml";

export type Language = "typescript" | "javascript";

/** What the templates say about a new project. */
export interface ProjectFacts {
    readonly name: string;
    readonly language: Language;
    /** The file of the Pulumi program. */
    readonly program: string;
    /** The program is an ES module: package.json says so. */
    readonly esModule: boolean;
    /** npm's specifier for this package: its version, or the folder of a checkout. */
    readonly stackrun: string;
    /** The range of @pulumi/pulumi that this package works with. */
    readonly pulumi: string;
}

/** What the engine needs in Pulumi.yaml in order to find the plugin. */
export const PLUGIN = { name: "stackrun", path: "node_modules/stackrun/bin" } as const;
const TYPESCRIPT = "^5.9.0";
const NODE_TYPES = "^20.19.0";

/** The packages that a project needs, by the kind of dependency. */
export function dependenciesOf({ language, stackrun, pulumi }: ProjectFacts) {
    return {
        dependencies: { "@pulumi/pulumi": pulumi, stackrun },
        devDependencies:
            language === "typescript" ? { "@types/node": NODE_TYPES, typescript: TYPESCRIPT } : undefined,
    };
}

export function packageJson(facts: ProjectFacts): string {
    const content = { name: npmName(facts.name), private: true, ...dependenciesOf(facts) };
    return `${JSON.stringify(content, undefined, 2)}\n`;
}

export function pulumiYaml({ name, language, program }: ProjectFacts): string {
    const runtime =
        language === "typescript"
            ? "runtime: nodejs"
            : "runtime:\n  name: nodejs\n  options:\n    typescript: false";
    return `name: ${yamlText(name)}
description: Runs pipeline.yaml as a stack update
${runtime}
main: ${program}
${PLUGIN_BLOCK}`;
}

/** Ends a Pulumi.yaml that has no plugins yet. */
export const PLUGIN_BLOCK = `plugins:
  providers:
    # Here the engine finds stackrun's plugin, once \`npm install\` has been run.
    - name: ${PLUGIN.name}
      path: ${PLUGIN.path}
`;

export function program({ language, esModule, name }: ProjectFacts): string {
    const body = [
        "const config = new pulumi.Config();",
        "",
        "// Another value makes a new run: pulumi config set count 20",
        `const run = new LocalOrchestrator(${JSON.stringify(name)}, {`,
        '    pipeline: "pipeline.yaml",',
        '    params: { count: config.getNumber("count") ?? 10 },',
        "});",
    ];
    const imports =
        language === "typescript" || esModule
            ? ['import * as pulumi from "@pulumi/pulumi";', 'import { LocalOrchestrator } from "stackrun";']
            : [
                  'const pulumi = require("@pulumi/pulumi");',
                  'const { LocalOrchestrator } = require("stackrun");',
              ];
    const outputs = "{ runId, status, metrics, artifacts, logs }";
    const exported =
        language === "typescript" || esModule
            ? `export const ${outputs} = run;`
            : `const ${outputs} = run;\nmodule.exports = ${outputs};`;
    return `${[...imports, "", ...body, "", exported].join("\n")}\n`;
}

export function tsconfigJson({ program: file }: ProjectFacts): string {
    const content = {
        compilerOptions: {
            target: "es2022",
            module: "node16",
            moduleResolution: "node16",
            strict: true,
            skipLibCheck: true,
            noEmit: true,
        },
        files: [file],
    };
    return `${JSON.stringify(content, undefined, 2)}\n`;
}

export function pipelineYaml({ name }: Pick<ProjectFacts, "name">): string {
    return `# yaml-language-server: $schema=node_modules/stackrun/schema/pipeline.schema.json
name: ${yamlText(name)}
params:
  count:
    type: integer
    default: 10
    minimum: 1
    maximum: 1000
    description: How many numbers to make
timeout: 10m
steps:
  - name: generate
    run: awk -v n="$STACKRUN_PARAM_COUNT" 'BEGIN { for (i = 1; i <= n; i++) print i * i }' > "$STACKRUN_OUTPUTS/numbers.txt"
    outputs: [numbers.txt]
  - name: summarize
    run: sh steps/summarize.sh
    inputs: {numbers: generate/numbers.txt}
`;
}

/** The code of the second step: a metric is a line `name=value` in the file $STACKRUN_METRICS. */
export const STEP_FILE = "steps/summarize.sh";
export const STEP_SCRIPT = `set -eu
echo "the mean of $STACKRUN_PARAM_COUNT squares:"
awk '{ sum += $1 } END { print "mean=" sum / NR }' "$STACKRUN_INPUTS/numbers" > "$STACKRUN_METRICS"
cat "$STACKRUN_METRICS"
`;

export const GITIGNORE = `node_modules/
.stackrun/
.pulumi/
`;

/** The Pulumi program is no code of the steps: a change of it is no reason to run them again. */
export function stackrunIgnore(programFile: string | undefined): string {
    return `# What is no part of the steps' code: a change of these files makes no new run.
# Take package.json and package-lock.json out if your steps use packages from npm.
Pulumi.yaml
${programFile === undefined ? "" : `${programFile}\n`}tsconfig.json
package.json
package-lock.json
.gitignore
.stackrunignore
pipeline.yaml
README.md
`;
}

/** How an existing program declares a run. */
export function snippet(language: Language, esModule: boolean): string {
    const load =
        language === "typescript" || esModule
            ? 'import { LocalOrchestrator } from "stackrun";'
            : 'const { LocalOrchestrator } = require("stackrun");';
    return `${load}

const run = new LocalOrchestrator("pipeline", { pipeline: "pipeline.yaml" });
// its outputs: run.status, run.metrics, run.artifacts, run.logs, …`;
}

/** A name that Pulumi takes for a project: letters, digits, `-`, `_` and `.`, at most 100. */
export function projectNameOf(folder: string): string {
    const plain = folder.normalize("NFKD").replaceAll(/\p{M}/gu, "");
    const name = plain.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[-._]+|[-._]+$/g, "");
    return name.slice(0, 100) || "pipeline";
}

function npmName(name: string): string {
    return name.toLowerCase();
}

// `1.0` and `true` are no text without quotes.
function yamlText(text: string): string {
    return parse(text) === text ? text : JSON.stringify(text);
}
