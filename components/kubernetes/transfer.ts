import type * as pulumi from "../sdk";
import type { input as k8s } from "@pulumi/kubernetes/types";
import { FETCH_CONTAINER, SHIP_CONTAINER } from "../../src/run/kubernetes/objects";
import type { RcloneRemote } from "../../src/stores/artifacts/rclone";
import { LAYOUT } from "../../src/stores/artifacts/types";
import { POD_PATHS } from "./paths";
import { withoutUndefined } from "./plain";

/** rclone, and the shell and tools that ship.sh needs. */
export const TRANSFER_IMAGE = "rclone/rclone:1.69.1";

/** What a pod has to know to carry code and steps. */
export interface TransferPlan {
    readonly rclone: RcloneRemote;
    readonly runId: string;
    /** Undefined: the image holds the code. */
    readonly codeHash?: string;
}

interface Own {
    readonly image?: pulumi.Input<string>;
    readonly env?: Record<string, pulumi.Input<string>>;
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
    const values: Record<string, pulumi.Input<string>> = {
        HOME: "/tmp",
        ...env,
        ...(own.shared ? { STACKRUN_SHIP_SHARED: "1" } : {}),
        ...own.env,
    };
    return withoutUndefined({
        name: what === "fetch" ? FETCH_CONTAINER : SHIP_CONTAINER,
        image: own.image ?? TRANSFER_IMAGE,
        restartPolicy: what === "fetch" ? undefined : "Always",
        command: what === "fetch" ? fetch : ["/bin/sh", script, "watch", ofRun, folder],
        env: Object.entries(values).map(([name, value]) => ({ name, value })),
        envFrom: own.envFrom,
        resources: own.resources,
        terminationMessagePolicy: "FallbackToLogsOnError",
        volumeMounts: [
            { name: "boot", mountPath: POD_PATHS.boot, readOnly: true },
            { name: "work", mountPath: POD_PATHS.work },
        ],
    });
}
