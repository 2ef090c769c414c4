import { CloudError, type Cloud, type Departure, type Machine, type Shortage } from "../vm/cloud";
import type { ComputeApi, Operation } from "./api";
import { departureOf, restartOf, type Instance } from "./departure";
import { GcpError } from "./errors";

const STATES: Readonly<Record<string, Machine["state"]>> = {
    PROVISIONING: "starting",
    STAGING: "starting",
    REPAIRING: "starting",
    RUNNING: "running",
    PENDING_STOP: "stopping",
    STOPPING: "stopping",
    SUSPENDING: "stopping",
    DEPROVISIONING: "stopping",
    SUSPENDED: "off",
    STOPPED: "off",
    TERMINATED: "off",
};
const CONSOLE_BYTES = 64 * 1024;

/** Machines of Compute Engine, in the zones of one project. */
export class ComputeCloud implements Cloud {
    /** Where it was found last. */
    private place?: string;
    private last?: Instance;

    constructor(
        private readonly api: ComputeApi,
        readonly places: readonly string[],
    ) {}

    async find(name: string): Promise<Machine | undefined> {
        const order = [...this.places].sort(
            (one, other) => Number(other === this.place) - Number(one === this.place),
        );
        for (const place of order) {
            const instance = await this.api.get<Instance>(`zones/${place}/instances/${name}`);
            if (instance) {
                this.place = place;
                this.last = instance;
                return machineOf(instance, place);
            }
        }
        this.last = undefined;
        return undefined;
    }

    async start(name: string, { place }: Machine): Promise<Shortage | undefined> {
        return this.unlessShort(() => this.api.operate("POST", place, `instances/${name}/start`));
    }

    async make(name: string, place: string, body: string): Promise<Shortage | undefined> {
        this.place = place;
        const text = JSON.stringify({ ...(JSON.parse(body.replaceAll("{zone}", place)) as object), name });
        return this.unlessShort(() => this.api.operate("POST", place, "instances", text));
    }

    async stop(name: string, { place }: Machine): Promise<void> {
        await this.mustEnd(() => this.api.operate("POST", place, `instances/${name}/stop`));
    }

    async remove(name: string, { place }: Machine): Promise<void> {
        await this.mustEnd(() => this.api.operate("DELETE", place, `instances/${name}`));
    }

    async console(name: string, { place }: Machine): Promise<string> {
        const query = { port: "1", start: String(-CONSOLE_BYTES) };
        const path = `zones/${place}/instances/${name}/serialPort`;
        return (await this.api.get<{ contents?: string }>(path, query))?.contents ?? "";
    }

    async departure(name: string, machine: Machine | undefined): Promise<Departure> {
        const places = machine ? [machine.place] : this.places;
        const filter = `targetLink eq ".*/instances/${name}"`;
        const lists = await Promise.all(
            places.map((place) => this.api.list<Operation>(`zones/${place}/operations`, { filter })),
        );
        const instance = machine && this.last;
        return machine?.state === "running" && instance
            ? restartOf(lists.flat(), instance)
            : departureOf(lists.flat(), instance);
    }

    asStandard(body: string): string {
        const machine = JSON.parse(body) as { scheduling?: Record<string, unknown>; guestAccelerators?: [] };
        const { instanceTerminationAction, maxRunDuration } = machine.scheduling ?? {};
        const scheduling = {
            provisioningModel: "STANDARD",
            automaticRestart: false,
            onHostMaintenance: machine.guestAccelerators?.length ? "TERMINATE" : "MIGRATE",
            // Without a limit, only what may be preempted has such an action.
            ...(maxRunDuration !== undefined && { maxRunDuration, instanceTerminationAction }),
        };
        return JSON.stringify({ ...machine, scheduling });
    }

    private async unlessShort(work: () => Promise<GcpError | undefined>): Promise<Shortage | undefined> {
        const failure = await work().catch((error: unknown) => {
            if (error instanceof GcpError && error.fault === "exists") {
                return undefined;
            }
            if (error instanceof GcpError && shortageOf(error)) {
                return error;
            }
            throw error;
        });
        const shortage = failure && shortageOf(failure);
        if (failure && !shortage) {
            throw failure;
        }
        return shortage;
    }

    // That it is gone is as good.
    private async mustEnd(work: () => Promise<GcpError | undefined>): Promise<void> {
        const failure = await work().catch((error: unknown) => {
            if (error instanceof GcpError && error.fault === "notFound") {
                return undefined;
            }
            throw error;
        });
        if (failure && failure.reason !== "RESOURCE_NOT_FOUND") {
            throw new CloudError(failure.message, true, { cause: failure });
        }
    }
}

export function machineOf(instance: Instance, place: string): Machine {
    const { scheduling } = instance;
    return {
        place,
        state: STATES[instance.status] ?? "starting",
        spot: scheduling?.provisioningModel === "SPOT" || scheduling?.preemptible === true,
        startedAt: instance.lastStartTimestamp ?? "",
    };
}

function shortageOf({ reason, message }: GcpError): Shortage | undefined {
    if (/RESOURCE_POOL_EXHAUSTED|STOCKOUT|insufficientCapacity/i.test(reason)) {
        return { reason: "CapacityExhausted", message };
    }
    return /QUOTA_EXCEEDED|quotaExceeded/i.test(reason) ? { reason: "QuotaExceeded", message } : undefined;
}
