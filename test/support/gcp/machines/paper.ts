import type { Backend, Machine } from "./machine";

/** Machines that are only switched on and off: for tests of what the API says. They write one line to their console. */
export const paperBackend: Backend = {
    prepare: () => Promise.resolve(),
    createDisk: () => Promise.resolve(),
    powerOn({ name, console }) {
        console(Buffer.from(`${name}: no operating system\n`));
        return Promise.resolve(paperMachine());
    },
};

function paperMachine(): Machine {
    let end: () => void = () => undefined;
    const off = new Promise<void>((resolve) => (end = resolve));
    return {
        off,
        pressPowerButton: () => end(),
        cutPower: () => Promise.resolve(end()),
        freeze: () => undefined,
        thaw: () => undefined,
        expose: () => Promise.resolve(),
    };
}
