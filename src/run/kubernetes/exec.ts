import { Writable } from "node:stream";
import type { KubeConfig } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { loadSdk } from "./kubeconfigSdk";

const ANSWER_MS = 30_000;

/** Where a program is run. */
export interface ExecPlace {
    readonly namespace: string;
    readonly pod: string;
    readonly container: string;
}

/**
 * Runs a program in a container that runs.
 * @returns what it has printed
 * @throws Error if it can't be run, does not end with 0, or takes longer than 30 s
 */
export async function exec(
    config: KubeConfig,
    { namespace, pod, container }: ExecPlace,
    command: readonly string[],
): Promise<Buffer> {
    const { Exec } = await loadSdk();
    const parts: Buffer[] = [];
    const keep = () =>
        new Writable({
            write(chunk: Buffer, _encoding, done) {
                parts.push(Buffer.from(chunk));
                done();
            },
        });
    const said = new Writable({ write: (_chunk, _encoding, done) => done() });
    let timer: NodeJS.Timeout | undefined;
    let close: () => void = () => undefined;
    let over = false;
    try {
        await new Promise<void>((resolve, reject) => {
            timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS / 1000} s`)), ANSWER_MS);
            new Exec(config)
                .exec(namespace, pod, container, [...command], keep(), said, null, false, (status) => {
                    if (status.status === "Success") {
                        resolve();
                    } else {
                        reject(new Error(status.message ?? "the program failed in the container"));
                    }
                })
                .then((socket) => {
                    close = () => socket.close();
                    if (over) {
                        close();
                    }
                    socket.on("close", () => reject(new Error("the connection was dropped")));
                    socket.on("error", reject);
                }, reject);
        });
        return Buffer.concat(parts);
    } finally {
        over = true;
        clearTimeout(timer);
        close();
    }
}
