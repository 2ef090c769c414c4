/** The body of `instances.insert`, as far as the emulator knows it: `schema.ts` refuses the rest. */
export interface InstanceInsert {
    readonly name: string;
    readonly description?: string;
    readonly machineType: string;
    readonly canIpForward?: boolean;
    readonly deletionProtection?: boolean;
    readonly disks: readonly DiskInsert[];
    readonly guestAccelerators?: readonly {
        readonly acceleratorType: string;
        readonly acceleratorCount: number;
    }[];
    readonly hostname?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly metadata?: { readonly items?: readonly MetadataItem[] };
    readonly minCpuPlatform?: string;
    readonly networkInterfaces: readonly NetworkInterface[];
    readonly resourcePolicies?: readonly string[];
    readonly scheduling?: Scheduling;
    readonly serviceAccounts?: readonly { readonly email?: string; readonly scopes?: readonly string[] }[];
    readonly shieldedInstanceConfig?: object;
    readonly tags?: { readonly items?: readonly string[] };
}

export interface DiskInsert {
    readonly autoDelete?: boolean;
    readonly boot?: boolean;
    readonly deviceName?: string;
    readonly source?: string;
    readonly initializeParams?: {
        readonly diskName?: string;
        readonly diskSizeGb?: string | number;
        readonly diskType?: string;
        readonly labels?: Readonly<Record<string, string>>;
        readonly sourceImage?: string;
    };
}

export interface MetadataItem {
    readonly key: string;
    readonly value?: string;
}

export interface NetworkInterface {
    readonly network?: string;
    readonly subnetwork?: string;
    readonly networkIP?: string;
    readonly accessConfigs?: readonly object[];
}

export interface Scheduling {
    readonly automaticRestart?: boolean;
    readonly instanceTerminationAction?: "STOP" | "DELETE";
    readonly maxRunDuration?: { readonly seconds: string | number };
    readonly onHostMaintenance?: "MIGRATE" | "TERMINATE";
    readonly preemptible?: boolean;
    readonly provisioningModel?: "STANDARD" | "SPOT";
}

export type Status = "PROVISIONING" | "STAGING" | "RUNNING" | "STOPPING" | "TERMINATED";
