import { randomInt } from "node:crypto";
import type { Instance } from "../instance";
import { now, selfLink } from "../links";
import { instanceOf, type InstanceTemplate } from "../templates";
import type { Action, Failure, GroupWorld } from "./types";

/** What an instance needs of its group. */
export interface Owner {
    readonly world: GroupWorld;
    /** `projects/<number>/zones/z/instanceGroupManagers/g`, as metadata and messages have it. */
    readonly numberedPath: string;
    readonly zones: readonly string[];
    readonly repairs: boolean;
    /** The template of a repair: by default the one that the instance was made from. */
    repairTemplate(own: InstanceTemplate): InstanceTemplate;
    /** Where to try next after a zone had no machine; the same one if there is no other. */
    nextZone(managed: Managed): string;
    /** It has run for as long as it may. */
    expired(managed: Managed): void;
    gone(managed: Managed): void;
}

/** An error of an action on an instance, as `listErrors` shows it. */
export interface ManagedError extends Failure {
    readonly action: Action;
    readonly at: string;
}

/** An instance of a group: what is meant to be, whether or not it is. */
export class Managed {
    action: Action = "CREATING";
    instance?: Instance;
    /** Those of the action that is going on. */
    errors: ManagedError[] = [];
    /** No longer, once it is to be deleted. */
    wanted = true;
    private last: Promise<unknown> = Promise.resolve();
    private readonly timers = new Map<NodeJS.Timeout, () => void>();

    constructor(
        private readonly owner: Owner,
        readonly name: string,
        public zone: string,
        public template: InstanceTemplate,
    ) {}

    get link(): string {
        const { project } = this.owner.world.instances.world;
        return selfLink(`projects/${project}/zones/${this.zone}/instances/${this.name}`);
    }

    /** The instance, if it is there. */
    get present(): Instance | undefined {
        return this.instance && this.owner.world.instances.has(this.instance) ? this.instance : undefined;
    }

    create(): Promise<void> {
        return this.exclusive("CREATING", () => this.make());
    }

    /** The same name, another machine with a new disk. */
    recreate(): Promise<void> {
        return this.exclusive("RECREATING", async () => {
            await this.unmake();
            this.template = this.owner.repairTemplate(this.template);
            await this.make();
        });
    }

    async remove(): Promise<void> {
        this.wanted = false;
        this.wake();
        await this.exclusive("DELETING", () => this.unmake());
        this.owner.gone(this);
    }

    /** Whatever was to be done later is not done. */
    close(): void {
        this.wanted = false;
        this.wake();
    }

    private exclusive(action: Action, work: () => Promise<void>): Promise<void> {
        const result = this.last.then(async () => {
            this.action = action;
            try {
                await work();
            } catch (error) {
                this.failed({ code: "INTERNAL_ERROR", message: (error as Error).message });
            }
            this.action = "NONE";
            this.lookSoon();
        });
        this.last = result;
        return result;
    }

    private async make(): Promise<void> {
        for (this.errors = []; this.wanted;) {
            const failure = await this.insert();
            if (!failure) {
                this.errors = [];
                return;
            }
            this.failed(failure);
            const zone = this.zone;
            this.zone = this.owner.nextZone(this);
            if (zone === this.zone || this.errors.length % this.owner.zones.length === 0) {
                await this.pause(this.owner.world.timing.retryMs);
            }
        }
    }

    private failed(failure: Failure): void {
        this.errors.push({ ...failure, action: this.action, at: now() });
    }

    private async insert(): Promise<Failure | undefined> {
        const { instances } = this.owner.world;
        const { name, zone, template } = this;
        const number = instances.world.projectNumber;
        const body = instanceOf(template.properties, zone, name, [
            {
                key: "instance-template",
                value: `projects/${number}/global/instanceTemplates/${template.name}`,
            },
            { key: "created-by", value: this.owner.numberedPath },
        ]);
        try {
            const operation = instances.insert(zone, body, null, agentOf(number));
            await instances.operations.done(operation);
            if (operation.error) {
                return operation.error.errors[0];
            }
            this.watch(instances.find(zone, name));
            return undefined;
        } catch (error) {
            const { reason = "INTERNAL_ERROR", message } = error as { reason?: string; message: string };
            return { code: reason.replace(/([A-Z])/g, "_$1").toUpperCase(), message };
        }
    }

    private async unmake(): Promise<void> {
        const { instances } = this.owner.world;
        const { present } = this;
        if (present) {
            const operation = instances.delete(present, null, agentOf(instances.world.projectNumber));
            await instances.operations.done(operation);
        }
    }

    private watch(instance: Instance): void {
        this.instance = instance;
        instance.events.on("status", () => this.lookSoon());
        instance.events.once("gone", () => this.lookSoon());
    }

    private lookSoon(): void {
        const { instance } = this;
        if (instance && this.wanted && this.off) {
            void this.pause(this.owner.world.timing.repairMs).then(() => this.look(instance));
        }
    }

    private get off(): boolean {
        return [undefined, "STOPPING", "TERMINATED"].includes(this.present?.status);
    }

    // Some time after an instance was seen to be off: it may be back, or somebody else may be at it already.
    private look(instance: Instance): void {
        if (this.instance !== instance || !this.wanted || this.action !== "NONE" || !this.off) {
            return;
        }
        const status = this.present?.status;
        if (instance.outOfTime) {
            this.owner.expired(this);
        } else if (this.owner.repairs) {
            this.repair(status === undefined ? "doesn't exist" : `is ${status}`);
        }
    }

    private repair(is: string): void {
        const { instances } = this.owner.world;
        const instance = this.instance as Instance;
        const numbered = instance.path.replace(
            /^projects\/[^/]+/,
            `projects/${instances.world.projectNumber}`,
        );
        const message = `Instance Group Manager '${this.owner.numberedPath}' initiated recreateInstance on instance '${numbered}'. Reason: Instance eligible for repair: instance should be RUNNING, but ${is}.`;
        const type = "compute.instances.repair.recreateInstance";
        instances.operation(instance, "repair", { user: "system", type, message }, () => undefined);
        void this.recreate();
    }

    private pause(ms: number): Promise<void> {
        return new Promise((resolve) => {
            const timer = setTimeout(() => {
                this.timers.delete(timer);
                resolve();
            }, ms);
            this.timers.set(timer, resolve);
        });
    }

    private wake(): void {
        this.timers.forEach((resolve, timer) => {
            clearTimeout(timer);
            resolve();
        });
        this.timers.clear();
    }
}

/** `base-x7q2`. */
export function nameFor(base: string): string {
    const letters = "0123456789bcdfghjklmnpqrstvwxz";
    return `${base}-${Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join("")}`;
}

/** Who does what groups do: Google's own agent in the project. */
function agentOf(projectNumber: string): string {
    return `${projectNumber}@cloudservices.gserviceaccount.com`;
}
