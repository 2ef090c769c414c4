import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { LocalWorkspace, PulumiCommand, type PulumiFn, type Stack } from "@pulumi/pulumi/automation";
import { EngineError, ensureEngine, type Engine } from "../engine";
import { CommandError, EXIT } from "./exit";

export const STATE_DIR = ".stackrun";

export interface WorkspaceOptions {
    /** Folder in which the command was started; `.stackrun` is made in it. */
    readonly folder: string;
    readonly project: string;
    readonly stack: string;
    readonly program: PulumiFn;
    /** Port of the provider in this process. */
    readonly providerPort: number;
    readonly log: (line: string) => void;
}

/** The stack in which a run takes place: in the user's backend if the environment names one, else in `.stackrun`. */
export async function openStack(options: WorkspaceOptions): Promise<Stack> {
    const engine = await findEngine(options.log);
    const stateDir = path.join(options.folder, STATE_DIR);
    const workDir = path.join(stateDir, "projects", options.project);
    await fs.mkdir(workDir, { recursive: true, mode: 0o700 });
    const pulumiCommand = await PulumiCommand.get({ root: engine.root, skipVersionCheck: true });
    return LocalWorkspace.createOrSelectStack(
        { stackName: options.stack, projectName: options.project, program: options.program },
        {
            workDir,
            pulumiCommand,
            projectSettings: { name: options.project, runtime: "nodejs" },
            envVars: { ...(await backendEnv(stateDir)), PULUMI_DEBUG_PROVIDERS: `stackrun:${options.providerPort}` },
        },
    );
}

/** What plain `pulumi` needs in order to see the same stacks. */
export async function backendEnv(stateDir: string, env = process.env): Promise<Record<string, string>> {
    const result: Record<string, string> = { PULUMI_SKIP_UPDATE_CHECK: "true" };
    if (!env.PULUMI_BACKEND_URL) {
        const backend = path.join(stateDir, "pulumi");
        await fs.mkdir(backend, { recursive: true, mode: 0o700 });
        result.PULUMI_BACKEND_URL = pathToFileURL(backend).href;
    }
    if (env.PULUMI_CONFIG_PASSPHRASE === undefined && env.PULUMI_CONFIG_PASSPHRASE_FILE === undefined) {
        result.PULUMI_CONFIG_PASSPHRASE_FILE = await passphraseFile(stateDir);
    }
    return result;
}

export async function findEngine(log: (line: string) => void): Promise<Engine> {
    try {
        return await ensureEngine({ log });
    } catch (error) {
        if (error instanceof EngineError) {
            throw new CommandError(error.message, EXIT.notReady);
        }
        throw error;
    }
}

// Generated on first use, and never empty: the state of a stack holds secrets.
async function passphraseFile(stateDir: string): Promise<string> {
    const file = path.join(stateDir, "passphrase");
    const temporary = `${file}.${process.pid}`;
    await fs.writeFile(temporary, randomBytes(32).toString("base64url"), { mode: 0o600 });
    // A link, because it fails if there is a passphrase already: two commands at once agree on the first one's.
    await fs.link(temporary, file).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") {
            throw error;
        }
    });
    await fs.rm(temporary);
    return file;
}
