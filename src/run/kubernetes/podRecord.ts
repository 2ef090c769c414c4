import type { RunnerEvent } from "../events";
import type { CompleteLogOptions } from "./completeLog";
import type { Api } from "./connection";
import { RUN_CONTAINER } from "./objects";

/** The runner's folder in a pod, read by programs that run in it: they need no more than a POSIX shell. */
export function podRecord(api: Api, pod: string, runDir: string): CompleteLogOptions["record"] {
    const shell = (script: string, ...args: string[]) =>
        api.exec(pod, RUN_CONTAINER, ["/bin/sh", "-c", `cd "$1" && ${script}`, "sh", runDir, ...args]);
    return {
        log: async (step, start, bytes) => {
            const read = 'tail -c "+$3" "steps/$2/log" | head -c "$4"';
            const found = await shell(read, step, String(start + 1), String(bytes));
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
