import { ApiError, alreadyExists, notFound } from "../api/errors";
import { ZONES, regionOf } from "./catalog";
import type { Disks } from "./disks";
import { Instance, type World } from "./instance";
import type { Operation, Operations } from "./operations";
import type { InstanceInsert } from "./types";
import { checkInstance, isPreemptible } from "./validate";

/** How long a machine has between the power button and the power cut. */
export interface Grace {
    readonly spotMs: number;
    readonly standardMs: number;
}

/** What happens to all the project's instances: by requests, by Google, and by tests. */
export class Instances {
    private readonly all = new Map<string, Instance>();
    private readonly limits = new Map<string, NodeJS.Timeout>();
    private addresses = 1;

    constructor(
        readonly world: World,
        readonly operations: Operations,
        private readonly disks: Disks,
        private readonly grace: Grace,
    ) {}

    get list(): readonly Instance[] {
        return [...this.all.values()];
    }

    /** By name, in whatever zone. */
    named(name: string): Instance {
        const found = this.list.find((instance) => instance.name === name);
        if (!found) {
            throw new Error(
                `there is no instance ${name}; there are: ${this.list.map((one) => one.name).join(", ") || "none"}`,
            );
        }
        return found;
    }

    find(zone: string, name: string): Instance {
        this.checkZone(zone);
        const found = this.all.get(`${zone}/${name}`);
        if (!found) {
            throw notFound(`projects/${this.world.project}/zones/${zone}/instances/${name}`);
        }
        return found;
    }

    /** Whether it is still there, and not another one of its name. */
    has(instance: Instance): boolean {
        return this.all.get(`${instance.zone}/${instance.name}`) === instance;
    }

    checkZone(zone: string): void {
        if (regionOf(zone) === undefined) {
            throw new ApiError(
                400,
                "invalid",
                `Invalid value for field 'zone': '${zone}'. Unknown zone. There are ${Object.values(ZONES).flat().join(", ")}.`,
            );
        }
    }

    insert(zone: string, resource: InstanceInsert, requestId: string | null, user?: string): Operation {
        const repeated = this.operations.repeated(requestId);
        if (repeated) {
            return repeated;
        }
        this.checkZone(zone);
        const { project, accounts } = this.world;
        checkInstance(resource, { project, zone, serviceAccountExists: (email) => accounts.exists(email) });
        const path = `projects/${project}/zones/${zone}/instances/${resource.name}`;
        const key = `${zone}/${resource.name}`;
        if (this.all.has(key)) {
            throw alreadyExists(path);
        }
        const instance = new Instance(this.world, {
            zone,
            resource,
            disk: "",
            ip: `10.128.0.${++this.addresses}`,
        });
        this.all.set(key, instance);
        instance.events.on("off", () => this.guestOff(instance));
        instance.events.on("status", (status) => status === "TERMINATED" && this.forgetLimit(instance));
        const start = {
            kind: "instances.insert",
            type: "insert",
            target: path,
            targetId: instance.id,
            place: zone,
            requestId,
            user,
            onError: () => this.forget(instance),
        };
        return this.operations.start(start, () =>
            instance.exclusive(async () => {
                const [boot] = resource.disks;
                const disk = await this.disks.attach(boot as (typeof resource.disks)[number], zone, instance);
                Object.assign(instance.options, { disk: disk.folder });
                await this.powerOn(instance);
            }),
        );
    }

    start(instance: Instance, requestId: string | null = null): Operation {
        if (instance.status === "RUNNING" && this.has(instance)) {
            return this.operation(instance, "start", { requestId }, () => undefined);
        }
        if (instance.status !== "TERMINATED") {
            throw new ApiError(400, "resourceNotReady", `The resource '${instance.path}' is not ready`);
        }
        return this.operation(instance, "start", { requestId }, () =>
            instance.exclusive(() => this.powerOn(instance)),
        );
    }

    stop(instance: Instance, requestId: string | null = null): Operation {
        return this.operation(instance, "stop", { requestId }, () =>
            instance.exclusive(async () => void (await instance.powerOff(this.graceOf(instance)))),
        );
    }

    reset(instance: Instance, requestId: string | null = null): Operation {
        return this.operation(instance, "reset", { requestId }, () =>
            instance.exclusive(async () => {
                await instance.cutPower();
                await this.powerOn(instance);
            }),
        );
    }

    delete(instance: Instance, requestId: string | null = null, user?: string): Operation {
        if (instance.resource.deletionProtection) {
            throw new ApiError(
                400,
                "invalid",
                `Invalid value for field 'resource': the resource '${instance.path}' is protected against deletion.`,
            );
        }
        const repeated = this.operations.repeated(requestId);
        return repeated ?? this.operation(instance, "delete", { requestId, user }, () => this.end(instance));
    }

    /** What Google does with a Spot machine it wants back; done when the machine is off (or deleted, if that was asked for). */
    async preempt(instance: Instance, noticeMs = 0): Promise<void> {
        if (!isPreemptible(instance.resource.scheduling ?? {})) {
            throw new Error(`${instance.name} is no Spot machine: it is never preempted`);
        }
        await this.reclaim(instance, "compute.instances.preempted", "Instance was preempted.", async () => {
            instance.announcePreemption();
            await new Promise((resolve) => setTimeout(resolve, noticeMs));
            await instance.powerOff(this.grace.spotMs);
        });
    }

    /** The machine below the machine breaks. Started again if the instance asks for that, which Spot machines can't. */
    async hostError(instance: Instance): Promise<void> {
        const message = "Instance was terminated due to a host error.";
        const system = { user: "system", type: "compute.instances.hostError", message };
        await this.operations.done(
            this.operation(instance, "hostError", system, () =>
                instance.exclusive(() => instance.cutPower()),
            ),
        );
        if (instance.resource.scheduling?.automaticRestart !== false) {
            const restart = { user: "system", type: "compute.instances.automaticRestart" };
            await this.operations.done(
                this.operation(instance, "automaticRestart", restart, () =>
                    instance.exclusive(() => this.powerOn(instance)),
                ),
            );
        }
    }

    /** No notice, and nothing that tells why: what a guest's own crash looks like. */
    powerCut(instance: Instance): Promise<void> {
        return instance.exclusive(() => instance.cutPower());
    }

    /** Ends all machines at once and forgets them: the end of the bed. */
    async clear(): Promise<void> {
        this.limits.forEach((timer) => clearTimeout(timer));
        await Promise.all(
            this.list.map(async (instance) => {
                await instance.cutPower();
                this.forget(instance);
            }),
        );
    }

    /** An operation on one instance. */
    operation(
        instance: Instance,
        verb: string,
        options: { requestId?: string | null; user?: string; type?: string; message?: string },
        work: () => void | Promise<void>,
    ): Operation {
        const { path: target, id: targetId, zone: place } = instance;
        const start = { kind: `instances.${verb}`, type: verb, target, targetId, place, ...options };
        return this.operations.start(start, work);
    }

    private async powerOn(instance: Instance): Promise<void> {
        await instance.powerOn();
        const { maxRunDuration } = instance.resource.scheduling ?? {};
        if (maxRunDuration) {
            const timer = setTimeout(
                () => void this.ranTooLong(instance),
                Number(maxRunDuration.seconds) * 1000,
            );
            this.limits.set(instance.id, timer);
        }
    }

    private async ranTooLong(instance: Instance): Promise<void> {
        instance.outOfTime = true;
        await this.reclaim(
            instance,
            "compute.instances.stop",
            "Instance ran for its maximum duration.",
            async () => {
                await instance.powerOff(this.graceOf(instance));
            },
        );
    }

    // Ends as the instance's termination action says.
    private async reclaim(
        instance: Instance,
        type: string,
        message: string,
        work: () => Promise<void>,
    ): Promise<void> {
        const system = { user: "system", type, message };
        await this.operations.done(
            this.operation(instance, "reclaim", system, () =>
                instance.exclusive(async () => {
                    await work();
                    instance.statusMessage = message;
                }),
            ),
        );
        if (instance.resource.scheduling?.instanceTerminationAction === "DELETE") {
            await this.operations.done(this.delete(instance, null, "system"));
        }
    }

    private guestOff(instance: Instance): void {
        const message = "Instance terminated by guest OS shutdown.";
        const system = { user: "system", type: "compute.instances.guestTerminate", message };
        this.operation(instance, "guestTerminate", system, () => undefined);
    }

    private async end(instance: Instance): Promise<void> {
        await instance.exclusive(async () => {
            await instance.powerOff(this.graceOf(instance));
            this.forget(instance);
        });
    }

    private forgetLimit({ id }: Instance): void {
        clearTimeout(this.limits.get(id));
        this.limits.delete(id);
    }

    // Once: another one may have its name by now.
    private forget(instance: Instance): void {
        if (!this.has(instance)) {
            return;
        }
        instance.metadata.close();
        this.disks.detach(instance.path, instance.resource.disks[0]?.autoDelete ?? false);
        this.all.delete(`${instance.zone}/${instance.name}`);
        instance.events.emit("gone");
    }

    private graceOf({ resource }: Instance): number {
        return isPreemptible(resource.scheduling ?? {}) ? this.grace.spotMs : this.grace.standardMs;
    }
}
