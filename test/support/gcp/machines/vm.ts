import type { Backend } from "./machine";

export const vmBackend: Backend = {
    prepare: () => Promise.reject(new Error("not written yet")),
    createDisk: () => Promise.resolve(),
    powerOn: () => Promise.reject(new Error("not written yet")),
};
