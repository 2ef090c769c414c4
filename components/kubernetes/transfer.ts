import type * as pulumi from "../sdk";
import type { input as k8s } from "@pulumi/kubernetes/types";
import { FETCH_CONTAINER, SHIP_CONTAINER } from "../../src/run/kubernetes/objects";
import type { RcloneRemote } from "../../src/stores/artifacts/rclone";
import { LAYOUT } from "../../src/stores/artifacts/types";
import { BadInputError } from "../errors";
import { TRANSFER_IMAGE } from "../transferImage";
import { POD_PATHS } from "./paths";
import { withoutUndefined } from "../plain";

/** What a pod has to know to carry code and steps. */
export interface TransferPlan {
    readonly rclone: RcloneRemote;
    readonly runId: string;
    /** Undefined: the image holds the code. */
    readonly codeHash?: string;
}

/** What the attempt's Secret holds of a user's own variables. @throws BadInputError for what is no text. */
export function transferData(env: Readonly<Record<string, unknown>>, where: string): Record<string, string> {
    const mistakes = Object.entries(env)
        .filter(([, value]) => typeof value !== "string")
        // The value may be a credential: it is not shown.
        .map(
            ([name, value]) =>
                `${where}: transfer.env: the type of ${name} is "${typeof value}"; allowed: "string"`,
        );
    if (mistakes.length > 0) {
        throw new BadInputError(mistakes);
    }
    return Object.fromEntries(
        Object.entries(env).map(([name, value]) => [transferKey(name), value as string]),
    );
}

function transferKey(name: string): string {
    return `transfer.${name}`;
}

interface Own {
    readonly image?: pulumi.Input<string>;
    /** The names of a user's own variables, and the Secret that holds their values: some are credentials. */
    readonly envNames: readonly string[];
    readonly secretName: pulumi.Input<string>;
    readonly envFrom?: k8s.core.v1.EnvFromSource[];
    readonly resources?: k8s.core.v1.ResourceRequirements;
    readonly shared: boolean;
}

/** `fetch` runs before the runner, and ends; `ship` runs beside it, and is told to end after it. */
export function transferContainer(
    what: "fetch" | "ship",
    { rclone: { remote, env }, runId, codeHash }: TransferPlan,
    own: Own,
): k8s.core.v1.Container {
    const script = `${POD_PATHS.boot}/ship.sh`;
    const folder = `${POD_PATHS.work}/${runId}`;
    const ofRun = `${remote}/${LAYOUT.run(runId)}`;
    const restore = ["/bin/sh", script, "restore", ofRun, folder];
    const both = 'sh "$0" code "$1" "$2" "$4/code" && exec sh "$0" restore "$3" "$4"';
    const fetch =
        codeHash === undefined ? restore : ["/bin/sh", "-c", both, script, remote, codeHash, ofRun, folder];
    const literal = Object.entries({
        HOME: "/tmp",
        ...env,
        ...(own.shared ? { STACKRUN_SHIP_SHARED: "1" } : {}),
    }).filter(([name]) => !own.envNames.includes(name));
    return withoutUndefined({
        name: what === "fetch" ? FETCH_CONTAINER : SHIP_CONTAINER,
        image: own.image ?? TRANSFER_IMAGE,
        restartPolicy: what === "fetch" ? undefined : "Always",
        command: what === "fetch" ? fetch : ["/bin/sh", script, "watch", ofRun, folder],
        env: [
            ...literal.map(([name, value]) => ({ name, value })),
            ...own.envNames.map((name) => ({
                name,
                valueFrom: { secretKeyRef: { name: own.secretName, key: transferKey(name) } },
            })),
        ],
        envFrom: own.envFrom,
        resources: own.resources,
        terminationMessagePolicy: "FallbackToLogsOnError",
        volumeMounts: [
            { name: "boot", mountPath: POD_PATHS.boot, readOnly: true },
            { name: "work", mountPath: POD_PATHS.work },
        ],
    });
}
