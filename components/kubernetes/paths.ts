import { WORK_DIR } from "../../src/run/kubernetes/objects";

/** Where things are in the pod. */
export const POD_PATHS = {
    boot: "/stackrun/boot",
    code: "/stackrun/code",
    work: WORK_DIR,
} as const;
