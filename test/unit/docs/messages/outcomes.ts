import * as fs from "node:fs";
import * as path from "node:path";
import { here } from "../../../../src/place";
import { createFollower } from "../../../../src/run/local/follower";
import type { RunPlan } from "../../../../src/runner/plan";
import { plan, step, TestRun, until } from "../../runner/harness";
import type { Producers } from "./said";

/** What is done to a run before it is started, and while it runs. */
interface Harm {
    readonly before?: (run: TestRun) => void;
    readonly signal?: NodeJS.Signals;
}

/** What the runner records of a run's end. */
const ended =
    (planned: RunPlan, { before, signal }: Harm = {}) =>
    async (): Promise<string> => {
        const run = new TestRun({ name: "sh", argv: ["sh"] });
        try {
            await run.write(planned);
            before?.(run);
            const { child, ended: end } = run.start();
            if (signal) {
                await until(() => run.exists("steps/a/pid"), "the step");
                child.kill(signal);
            }
            await end;
            return run.finish().message;
        } finally {
            await run.remove();
        }
    };

/** What is found of a run whose runner is gone. */
async function lost(folder: string): Promise<unknown> {
    const started = {
        n: 1,
        nonce: "x",
        time: "2026-01-01T00:00:00Z",
        attempt: 1,
        type: "run.started",
        pid: 1,
    };
    fs.writeFileSync(path.join(folder, "events.jsonl"), `${JSON.stringify(started)}\n`);
    fs.writeFileSync(path.join(folder, "place.json"), JSON.stringify(here()));
    const outcome = await createFollower().lastOutcome({ runId: "r1", attempt: 1, runDir: folder });
    return "message" in outcome ? outcome.message : outcome.kind;
}

/** The sentences with which a run ends, and not with success. */
export const OUTCOMES: Producers = {
    'step "…" failed on try …: …, exit code …': ended(plan([step("a", "exit 3")])),
    "the run took longer than its timeout of … s": ended(
        plan([step("a", "exec sleep 60")], { timeoutSeconds: 0.2 }),
    ),
    'step "…" has ended well, but what it left is not in the artifact store: …': ended(
        plan([step("a", "true")], { shipSilenceSeconds: 0.1 }),
    ),
    "the run directory could not be written": ended(plan([step("a", "true")]), {
        before: (run) => fs.writeFileSync(run.path("steps"), ""),
    }),
    "steps of the plan wait for each other": ended(
        plan([step("a", "true", { after: ["b"] }), step("b", "true", { after: ["a"] })]),
    ),
    "the runner was ended by signal …": ended(plan([step("a", "exec sleep 60")]), { signal: "SIGTERM" }),
    "the runner ended without a word: it was killed, or the machine went down": lost,
};
