import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { PlanStep, RunPlan } from "./plan";
import { shQuote } from "./quote";

/**
 * Writes `plan/` into a run directory, in the form that the runner reads: `plan.sh` (the run and the order of its steps),
 * `env.sh` (the environment of all steps) and `steps/<number>.sh` (one for each step, numbered from 1).
 * It takes the place of an earlier attempt's plan in one go.
 */
export async function writePlanDir(runDir: string, plan: RunPlan): Promise<void> {
    const files = planFiles(plan);
    await fs.mkdir(runDir, { recursive: true });
    const fresh = await fs.mkdtemp(path.join(runDir, ".plan-"));
    const target = path.join(runDir, "plan");
    try {
        await fs.mkdir(path.join(fresh, "steps"));
        for (const [name, text] of files) {
            await fs.writeFile(path.join(fresh, name), text, { mode: 0o600 });
        }
        await fs.rm(target, { recursive: true, force: true });
        await fs.rename(fresh, target);
    } catch (error) {
        await fs.rm(fresh, { recursive: true, force: true });
        throw error;
    }
}

/** The same as one text: sh that writes `plan/` into the working directory, for targets that get it as a file. */
export function planScript(plan: RunPlan): string {
    const files = [...planFiles(plan)];
    let end = "stackrun-ends";
    while (files.some(([, text]) => text.includes(end))) {
        end += "-";
    }
    const parts = files.map(([name, text]) => `cat > plan.new/${name} <<'${end}' &&\n${text}${end}\n`);
    return [
        "rm -rf plan.new && mkdir -p plan.new/steps &&\n",
        ...parts,
        "rm -rf plan && mv plan.new plan\n",
    ].join("");
}

/** The files below `plan/`: name and text. */
export function planFiles(plan: RunPlan): Map<string, string> {
    checkPlan(plan);
    const files = new Map([
        ["plan.sh", planFile(plan)],
        ["env.sh", exportLines(plan.env)],
    ]);
    plan.steps.forEach((step, index) => files.set(`steps/${index + 1}.sh`, stepFile(step, plan.env)));
    return files;
}

function planFile(plan: RunPlan): string {
    const settings: Record<string, string | number> = {
        run_id: plan.runId,
        attempt: plan.attempt,
        nonce: plan.nonce,
        stream: plan.stream,
        parallelism: Math.max(1, Math.floor(plan.parallelism)),
        timeout: plan.timeoutSeconds === undefined ? "" : milliseconds(plan.timeoutSeconds),
        grace: milliseconds(plan.graceSeconds),
        code_dir: plan.codeDir ?? "",
        ship: plan.shipSilenceSeconds === undefined ? "" : milliseconds(plan.shipSilenceSeconds),
        secrets: plan.secrets.join(" "),
        count: plan.steps.length,
    };
    const numbers = new Map(plan.steps.map((step, index) => [step.name, index + 1]));
    const waiting = new Map<string, number[]>(plan.steps.map((step) => [step.name, []]));
    plan.steps.forEach((step, index) =>
        new Set(step.after).forEach((before) => waiting.get(before)?.push(index + 1)),
    );
    const lines = Object.entries(settings).map(([name, value]) => `sr_${name}=${shQuote(String(value))}`);
    for (const step of plan.steps) {
        lines.push(orderOf(step, numbers.get(step.name) as number, waiting.get(step.name) ?? []));
    }
    // Shows that the file is whole.
    return [...lines, `sr_plan_ends=${plan.steps.length}`, ""].join("\n");
}

function orderOf(step: PlanStep, number: number, next: readonly number[]): string {
    const facts: Record<string, string | number> = {
        name: step.name,
        need: new Set(step.after).size,
        next: next.join(" "),
        // The factor in thousandths: sh counts in whole numbers.
        plan: [
            step.retries.limit,
            milliseconds(step.retries.delaySeconds),
            Math.round(step.retries.factor * 1000),
            step.timeoutSeconds === undefined ? "" : milliseconds(step.timeoutSeconds),
        ].join(" "),
    };
    return Object.entries(facts)
        .map(([name, value]) => `sr_${name}_${number}=${shQuote(String(value))}`)
        .join(" ");
}

function stepFile(step: PlanStep, planEnv: RunPlan["env"]): string {
    const awkward = Object.entries({ ...planEnv, ...step.env }).filter(([name]) => !canExport(name));
    // `env` would take a program with a `=` in its name for one more variable.
    const bySh = step.argv[0].includes("=") ? ["sh", "-c", 'exec "$0" "$@"'] : [];
    const viaEnv = ["env", ...awkward.map(([name, value]) => `${name}=${value}`), ...bySh];
    const command = [...(awkward.length > 0 ? viaEnv : []), ...step.argv];
    return [
        shFunction(
            "sr_step_inputs",
            Object.entries(step.inputs).map(([name, from]) =>
                call("sr_input", [name, from.step, from.output]),
            ),
        ),
        shFunction(
            "sr_step_outputs",
            step.outputs.map((name) => call("sr_output", [name, JSON.stringify(name).slice(1, -1)])),
        ),
        shFunction("sr_step_exec", [exportLines(step.env).trimEnd(), call("sr_exec", command)]),
        "",
    ].join("\n");
}

function shFunction(name: string, lines: readonly string[]): string {
    const body = lines.filter((line) => line !== "");
    return [`${name}() {`, ...(body.length > 0 ? body : [":"]), "}"].join("\n");
}

function call(name: string, words: readonly string[]): string {
    return [name, ...words.map(shQuote)].join(" ");
}

function exportLines(env: RunPlan["env"]): string {
    return Object.entries(env)
        .filter(([name]) => canExport(name))
        .map(([name, value]) => `export ${name}=${shQuote(value)}\n`)
        .join("");
}

// Names that sh has no variable for, and variables that some sh refuses to set or gives a meaning to, go through `env`.
const SHELL_OWN =
    /^(BASH.*|COMP_.*|DIRSTACK|E?UID|EPOCH.*|FUNCNAME|GROUPS|HISTCMD|IFS|LINENO|MAIL.*|OLDPWD|OPT(ARG|ERR|IND)|PIPESTATUS|PPID|PS[0-4]|PWD|RANDOM|SECONDS|SHELLOPTS|SHLVL|SRANDOM|_|sr_.*)$/;

function canExport(name: string): boolean {
    return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !SHELL_OWN.test(name);
}

function milliseconds(seconds: number): number {
    return Math.max(0, Math.ceil(seconds * 1000));
}

function checkPlan(plan: RunPlan): void {
    const faults = [...runFaults(plan), ...plan.steps.flatMap((step) => stepFaults(step, plan))];
    if (faults.length > 0) {
        throw new Error(`the plan can't be written: ${faults.join("; ")}`);
    }
}

function runFaults(plan: RunPlan): string[] {
    const badSecret = plan.secrets.filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
    return [
        ...(/^[A-Za-z0-9._-]+$/.test(plan.nonce)
            ? []
            : ["the nonce has other characters than letters, digits, ., _ and -"]),
        ...(new Set(plan.steps.map((step) => step.name)).size < plan.steps.length
            ? ["two steps have the same name"]
            : []),
        ...badSecret.map((name) => `the secret's name ${JSON.stringify(name)} can't be a variable of sh`),
        ...envFaults("the run", plan.env),
    ];
}

function stepFaults(step: PlanStep, plan: RunPlan): string[] {
    const what = `step ${JSON.stringify(step.name)}`;
    const unknown = step.after.filter((name) => !plan.steps.some((other) => other.name === name));
    return [
        ...(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(step.name)
            ? []
            : [`the name of ${what} can't be a folder's name`]),
        ...(step.argv.length > 0 ? [] : [`${what} has no command`]),
        ...(step.argv.some((word) => word.includes("\0"))
            ? [`the command of ${what} contains a NUL character`]
            : []),
        ...unknown.map((name) => `${what} is after ${JSON.stringify(name)}, which is no step`),
        ...envFaults(what, step.env),
    ];
}

function envFaults(what: string, env: RunPlan["env"]): string[] {
    return Object.entries(env).flatMap(([name, value]) => [
        ...(/^[^=\0]+$/.test(name) ? [] : [`${what} has a variable with the name ${JSON.stringify(name)}`]),
        ...(value.includes("\0")
            ? [`the variable ${JSON.stringify(name)} of ${what} contains a NUL character`]
            : []),
    ]);
}
