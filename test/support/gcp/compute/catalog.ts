/** What the emulated cloud has. */
export const ZONES: Readonly<Record<string, readonly string[]>> = {
    "us-central1": ["us-central1-a", "us-central1-b", "us-central1-c", "us-central1-f"],
    "europe-west1": ["europe-west1-b", "europe-west1-c", "europe-west1-d"],
};

export interface MachineType {
    readonly cpus: number;
    readonly memoryMb: number;
}

export const MACHINE_TYPES: Readonly<Record<string, MachineType>> = {
    "e2-micro": { cpus: 2, memoryMb: 1024 },
    "e2-small": { cpus: 2, memoryMb: 2048 },
    "e2-medium": { cpus: 2, memoryMb: 4096 },
    "e2-standard-2": { cpus: 2, memoryMb: 8192 },
    "e2-standard-4": { cpus: 4, memoryMb: 16384 },
    "n1-standard-1": { cpus: 1, memoryMb: 3840 },
    "n1-standard-4": { cpus: 4, memoryMb: 15360 },
    "n2-standard-2": { cpus: 2, memoryMb: 8192 },
    "n2-standard-4": { cpus: 4, memoryMb: 16384 },
};

/** GPUs, and the zones that have them. */
export const ACCELERATORS: Readonly<Record<string, readonly string[]>> = {
    "nvidia-tesla-t4": ["us-central1-a", "us-central1-b", "us-central1-c", "us-central1-f", "europe-west1-b"],
    "nvidia-l4": ["us-central1-a", "us-central1-b", "us-central1-c"],
};

export const DISK_TYPES = ["pd-standard", "pd-balanced", "pd-ssd"];

export interface Image {
    readonly project: string;
    readonly name: string;
    readonly family: string;
    readonly sizeGb: number;
}

/** All boot the same machine; what differs is what the API says about them. */
export const IMAGES: readonly Image[] = [
    { project: "cos-cloud", name: "cos-121-18867-199-88", family: "cos-121-lts", sizeGb: 10 },
    { project: "cos-cloud", name: "cos-stable-121-18867-199-88", family: "cos-stable", sizeGb: 10 },
    { project: "debian-cloud", name: "debian-12-bookworm-v20261110", family: "debian-12", sizeGb: 10 },
];

export const NETWORKS = ["default"];

/** `us-central1` of `us-central1-a`; `undefined` if there is no such zone. */
export function regionOf(zone: string): string | undefined {
    return Object.keys(ZONES).find((region) => ZONES[region]?.includes(zone));
}
