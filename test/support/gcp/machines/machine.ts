import type { MetadataServer } from "../metadata/server";

/** This machine's loopback as instances see it: for ports that the bed has exposed. */
export const HOST_FROM_INSTANCE = "169.254.0.2";
export const METADATA_ADDRESS = "169.254.169.254";

/** What instances run on. */
export interface Backend {
    /** Finds, or makes, what each machine needs: takes minutes the first time on a machine. */
    prepare(): Promise<void>;
    /** A new boot disk in an empty folder. */
    createDisk(folder: string): Promise<void>;
    /** Resolves as soon as the machine boots: long before its startup script runs. */
    powerOn(options: PowerOn): Promise<Machine>;
}

export interface PowerOn {
    readonly name: string;
    /** Of {@link Backend.createDisk}. */
    readonly disk: string;
    /** Of this boot alone: for sockets and the like. */
    readonly folder: string;
    readonly cpus: number;
    readonly memoryMb: number;
    readonly metadata: MetadataServer;
    /** What the machine writes to its first serial port. */
    console(chunk: Buffer): void;
    /** Ports of this machine's loopback that it reaches at {@link HOST_FROM_INSTANCE}. */
    readonly ports: readonly number[];
}

/** A machine that has been switched on. */
export interface Machine {
    /** Resolves when it is off: by itself, by the power button, or because its power was cut. */
    readonly off: Promise<void>;
    /** ACPI: asks its operating system to end everything and to switch off. */
    pressPowerButton(): void;
    /** Resolves when nothing of it runs any more. */
    cutPower(): Promise<void>;
    /** It does nothing at all, and does not know it, until {@link thaw}. */
    freeze(): void;
    thaw(): void;
    /** One more port, as in {@link PowerOn.ports}. */
    expose(port: number): Promise<void>;
}
