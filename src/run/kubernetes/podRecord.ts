import type { RunnerEvent } from "../events";
import type { Api } from "./connection";
import { RUN_CONTAINER } from "./objects";

/** What the pod itself keeps of what it said, as long as its runner is there. */
export interface PodRecord {
    /** Bytes of a step's log file; without a number of them, all up to its end. */
    log(step: string, start: number, bytes?: number): Promise<Buffer>;
    /** All events, as the runner has written them. */
    events(): Promise<readonly RunnerEvent[]>;
    /** Keeps the runner there when the run has ended, for half a minute at most. */
    hold(): Promise<void>;
    release(): Promise<void>;
}

/** The runner's folder in a pod, read by programs of its image. */
export function podRecord(api: Api, pod: string, runDir: string): PodRecord {
    const shell = (script: string, ...args: string[]) =>
        api.exec(pod, RUN_CONTAINER, ["/bin/sh", "-c", `cd "$1" && ${script}`, "sh", runDir, ...args]);
    return {
        log: async (step, start, bytes) => {
            const rest = 'tail -c "+$3" "steps/$2/log"';
            if (bytes === undefined) {
                return shell(rest, step, String(start + 1));
            }
            const found = await shell(`${rest} | head -c "$4"`, step, String(start + 1), String(bytes));
            if (found.length !== bytes) {
                throw new Error(
                    `the log of step ${step} has ${found.length} bytes where ${bytes} were asked for`,
                );
            }
            return found;
        },
        events: async () =>
            (await shell("cat events.jsonl"))
                .toString("utf8")
                .trimEnd()
                .split("\n")
                .map((line) => JSON.parse(line) as RunnerEvent),
        hold: async () => void (await shell(": > reader")),
        release: async () => void (await shell("rm -f reader")),
    };
}
