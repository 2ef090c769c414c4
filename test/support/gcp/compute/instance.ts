import { EventEmitter } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceAccounts } from "../iam/serviceAccounts";
import type { Backend, Machine } from "../machines/machine";
import { MetadataServer } from "../metadata/server";
import { MACHINE_TYPES } from "./catalog";
import { lastPart, newFingerprint, newId, now, selfLink } from "./links";
import { metadataTree } from "./metadataTree";
import { SerialPort } from "./serialPort";
import type { InstanceInsert, MetadataItem, Status } from "./types";

/** What instances need of the bed. */
export interface World {
    readonly project: string;
    readonly projectNumber: string;
    readonly backend: Backend;
    readonly accounts: ServiceAccounts;
    /** For what machines need while they run. */
    readonly folder: string;
    /** Ports of this machine that instances reach. */
    readonly ports: Set<number>;
    /** Attributes that all instances of the project have. */
    readonly projectAttributes: Map<string, string>;
    skewMs: number;
}

export interface InstanceOptions {
    readonly zone: string;
    readonly resource: InstanceInsert;
    /** The boot disk's folder. */
    readonly disk: string;
    readonly ip: string;
}

/** An instance: what the API says of it, and its machine. */
export class Instance {
    readonly id = newId();
    readonly created = now();
    readonly serial = new SerialPort();
    readonly metadata: MetadataServer;
    /** `off` (by itself): the guest has switched the machine off. `gone`: it is deleted. */
    readonly events = new EventEmitter<{ status: [Status]; off: []; gone: [] }>();
    status: Status = "PROVISIONING";
    statusMessage = "";
    preempted = false;
    /** It ran for as long as it may: what a managed group does not repair. */
    outOfTime = false;
    resource: InstanceInsert;
    fingerprints = {
        metadata: newFingerprint(),
        labels: newFingerprint(),
        tags: newFingerprint(),
        own: newFingerprint(),
    };
    lastStart?: string;
    lastStop?: string;
    /** How often the machine was switched on. */
    boots = 0;
    private machine?: Machine;
    private last: Promise<unknown> = Promise.resolve();

    constructor(
        readonly world: World,
        readonly options: InstanceOptions,
    ) {
        this.resource = options.resource;
        this.metadata = new MetadataServer({
            tree: () => metadataTree(this),
            token: (account) => this.token(account),
            guestAttributesEnabled: () => /^true$/i.test(this.attribute("enable-guest-attributes") ?? ""),
            skewMs: () => world.skewMs,
        });
    }

    get name(): string {
        return this.resource.name;
    }

    get zone(): string {
        return this.options.zone;
    }

    /** `projects/p/zones/z/instances/i`. */
    get path(): string {
        return `projects/${this.world.project}/zones/${this.zone}/instances/${this.name}`;
    }

    get link(): string {
        return selfLink(this.path);
    }

    get items(): readonly MetadataItem[] {
        return this.resource.metadata?.items ?? [];
    }

    attribute(key: string): string | undefined {
        return this.items.find((item) => item.key === key)?.value ?? this.world.projectAttributes.get(key);
    }

    /** The address of its service account; `undefined` if it has none. */
    get account(): string | undefined {
        const [account] = this.resource.serviceAccounts ?? [];
        return (
            account &&
            (account.email === undefined || account.email === "default"
                ? this.world.accounts.builtIn
                : account.email)
        );
    }

    /** Changes are made one after the other. */
    exclusive<T>(work: () => Promise<T>): Promise<T> {
        const result = this.last.then(work);
        this.last = result.catch(() => undefined);
        return result;
    }

    setStatus(status: Status): void {
        this.status = status;
        this.events.emit("status", status);
    }

    /** Resolves when the machine boots. */
    async powerOn(): Promise<void> {
        this.setStatus("STAGING");
        this.preempted = false;
        this.statusMessage = "";
        const type = MACHINE_TYPES[lastPart(this.resource.machineType)];
        const folder = path.join(this.world.folder, `${this.id}-${++this.boots}`);
        fs.mkdirSync(folder, { recursive: true });
        const machine = await this.world.backend.powerOn({
            name: this.name,
            disk: this.options.disk,
            folder,
            cpus: type?.cpus ?? 1,
            memoryMb: type?.memoryMb ?? 1024,
            metadata: this.metadata,
            console: (chunk) => this.serial.write(chunk),
            ports: [...this.world.ports],
        });
        this.machine = machine;
        this.lastStart = now();
        this.setStatus("RUNNING");
        void machine.off.then(() => this.wentOff(machine));
    }

    /** The power button, and after the time of grace a power cut. Resolves to whether it went off by itself. */
    async powerOff(graceMs: number): Promise<boolean> {
        const { machine } = this;
        if (!machine) {
            return true;
        }
        this.machine = undefined;
        this.setStatus("STOPPING");
        machine.pressPowerButton();
        const grace = new AbortController();
        const clean = await Promise.race([
            machine.off.then(() => true),
            sleep(graceMs, false, { signal: grace.signal }).catch(() => true),
        ]);
        grace.abort();
        if (!clean) {
            await machine.cutPower();
        }
        this.ended();
        return clean;
    }

    /** Without any notice. */
    async cutPower(): Promise<void> {
        const { machine } = this;
        this.machine = undefined;
        await machine?.cutPower();
        this.ended();
    }

    freeze(): void {
        this.machine?.freeze();
    }

    thaw(): void {
        this.machine?.thaw();
    }

    async expose(port: number): Promise<void> {
        await this.machine?.expose(port);
    }

    /** A change that guests see. */
    change(news: Partial<InstanceInsert>): void {
        this.resource = { ...this.resource, ...news };
        this.metadata.changed();
    }

    announcePreemption(): void {
        this.preempted = true;
        this.metadata.changed();
    }

    private token(account: string): { access_token: string; expires_in: number } | undefined {
        const own = this.account;
        return own && (account === "default" || account === own) ? this.world.accounts.token(own) : undefined;
    }

    private wentOff(machine: Machine): void {
        if (this.machine === machine) {
            this.machine = undefined;
            this.ended();
            this.events.emit("off");
        }
    }

    private ended(): void {
        this.metadata.disconnect();
        this.lastStop = now();
        this.setStatus("TERMINATED");
    }
}
