import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { toRunPlan } from "../../pipeline/runPlan";
import { writePlanDir } from "../../runner/planDir";
import { runnerScript } from "../../runner/script";
import { here } from "../../place";
import type { RunSpec } from "../follower";
import { markAttempt, prepareRunDir, RECORD } from "../record";

const START_TIMEOUT_MS = 30_000;

/** Says where the runner's process id means something. */
export function placeFile(runDir: string): string {
    return path.join(runDir, "place.json");
}

/**
 * Starts the runner as a process of its own session: it outlives the plugin, the engine and the terminal, and keeps
 * its own record. Resolves once the runner has said that it runs.
 */
export async function startLocal(spec: RunSpec, hasStarted: () => Promise<boolean>): Promise<void> {
    const { runDir } = spec;
    await prepareRunDir(runDir);
    await fs.mkdir(path.join(runDir, RECORD.steps), { recursive: true });
    await fs.rm(path.join(runDir, "cancel"), { force: true });
    await writePlanDir(
        runDir,
        toRunPlan(
            { ...spec.pipeline, env: spec.env },
            {
                runId: spec.runId,
                attempt: spec.attempt,
                nonce: spec.nonce,
                stream: "files",
                params: spec.params,
                codeDir: spec.codeDir,
                parallelism: spec.parallelism,
                timeoutSeconds: spec.timeoutSeconds,
                graceSeconds: spec.graceSeconds,
            },
        ),
    );
    const script = path.join(runDir, "runner.sh");
    await fs.writeFile(script, runnerScript(), { mode: 0o700 });
    await markAttempt(spec, spec.graceSeconds);
    await fs.writeFile(placeFile(runDir), JSON.stringify(here()), { mode: 0o600 });
    const log = await fs.open(path.join(runDir, RECORD.log), "a", 0o600);
    const errors = await fs.open(path.join(runDir, "runner.err"), "w", 0o600);
    try {
        const child = spawn("/bin/sh", [script, runDir], {
            cwd: spec.codeDir,
            detached: true,
            env: { ...stepEnvironment(process.env), ...spec.secrets },
            stdio: ["ignore", log.fd, errors.fd],
        });
        child.unref();
        await waitForStart(child, hasStarted, path.join(runDir, "runner.err"));
    } finally {
        await log.close();
        await errors.close();
    }
}

// The user's own environment (PATH, HOME, credentials of tools), without what only Pulumi's parts are meant to see:
// its passphrase, its token, the configuration of the plugin.
function stepEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("PULUMI_")));
}

async function waitForStart(
    child: ReturnType<typeof spawn>,
    hasStarted: () => Promise<boolean>,
    errorFile: string,
): Promise<void> {
    let ended: string | undefined;
    child.once("error", (error) => (ended = error.message));
    child.once(
        "exit",
        (code, signalName) => (ended = signalName ? `signal ${signalName}` : `exit code ${code}`),
    );
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await hasStarted())) {
        if (ended !== undefined && !(await hasStarted())) {
            const said = (await fs.readFile(errorFile, "utf8").catch(() => "")).trim();
            throw new Error(`the runner did not start (${ended})${said ? `: ${said}` : ""}`);
        }
        if (Date.now() > deadline) {
            throw new Error(`the runner did not start within ${START_TIMEOUT_MS / 1000} s`);
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}
