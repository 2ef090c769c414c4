/** Where things are in the pod. */
export const POD_PATHS = {
    boot: "/stackrun/boot",
    code: "/stackrun/code",
    work: "/stackrun/work",
} as const;
