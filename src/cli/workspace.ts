import * as fs from "node:fs";
import * as path from "node:path";
import { LocalWorkspace, type PulumiFn, type Stack } from "@pulumi/pulumi/automation";
import { backendEnv, findEngine } from "./backend";
import { engineCommand } from "./engineProcess";
import type { RunInput } from "./input";

/** A stack by its names, and the state folder that its project belongs to. */
export type StackName = Pick<RunInput, "stack" | "project" | "stateDir">;

export interface WorkspaceOptions {
    readonly input: StackName;
    readonly program: PulumiFn;
    /** Port of the provider in this process. */
    readonly providerPort: number;
    readonly log: (line: string) => void;
    readonly signal: AbortSignal;
    /** What if there is no such stack? */
    readonly missing?: "make" | "throw";
}

/**
 * The stack in which a run takes place: in the user's backend if there is one, else in `.stackrun`.
 * @throws StackNotFoundError if there is none, and none is to be made.
 */
export async function openStack(options: WorkspaceOptions): Promise<Stack> {
    const { input, program, providerPort, log, signal, missing = "make" } = options;
    const engine = await findEngine(log, signal);
    const workDir = projectFolder(input);
    await fs.promises.mkdir(workDir, { recursive: true, mode: 0o700 });
    const open = missing === "make" ? "createOrSelectStack" : "selectStack";
    const stack = await LocalWorkspace[open](
        { stackName: input.stack, projectName: input.project, program },
        {
            workDir,
            pulumiCommand: await engineCommand(engine),
            projectSettings: { name: input.project, runtime: "nodejs" },
            envVars: {
                ...(await backendEnv(input.stateDir)),
                PULUMI_DEBUG_PROVIDERS: `stackrun:${providerPort}`,
            },
        },
    );
    // After an update, the Automation API asks the engine three more times for what is known here already.
    return Object.assign(stack, {
        outputs: () => Promise.resolve({}),
        info: () => Promise.resolve(undefined),
    });
}

/**
 * The trigger of a run: the given one, else the last one, so that `run --again` followed by `run` is one new run and
 * not two.
 */
export async function readTrigger(input: RunInput): Promise<string | undefined> {
    return input.trigger ?? (await fs.promises.readFile(triggerFile(input), "utf8").catch(() => undefined));
}

/** Called when the stack has taken the trigger in: one that was refused is forgotten. */
export function keepTrigger(input: RunInput): void {
    if (input.trigger !== undefined) {
        fs.writeFileSync(triggerFile(input), input.trigger, { mode: 0o600 });
    }
}

/** Forgets what was kept of a stack that is gone. */
export async function forgetStack(input: StackName): Promise<void> {
    await fs.promises.rm(triggerFile(input), { force: true });
}

/** Where the settings of a project of `stackrun run` are. */
export function projectFolder({ stateDir, project }: Pick<StackName, "stateDir" | "project">): string {
    return path.join(stateDir, "projects", project);
}

function triggerFile(input: StackName): string {
    return path.join(projectFolder(input), `trigger.${encodeURIComponent(input.stack)}`);
}
