import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../project";
import type { GcpBed } from "./bed";
import { ask, globalPath, groupPath, operate, spotTemplate } from "./client";
import { showErrors } from "./compute/groups/show";
import type { Instance } from "./compute/instance";

export const REGION = "regions/us-central1";

/** What tests of managed groups do again and again, with groups of the template `one`. */
export class GroupClient {
    constructor(
        private readonly bed: GcpBed,
        /** The zone's groups, or a region's. */
        private readonly where = `zones/${bed.zone}`,
    ) {}

    /** Makes a template of Spot machines. */
    async template(name: string, more: object = {}, metadata: Record<string, string> = {}): Promise<void> {
        const body = spotTemplate(this.bed, name, { key: name, ...metadata }, more);
        await operate(this.bed, "POST", globalPath(this.bed, "instanceTemplates"), body);
    }

    /** The body of `instanceGroupManagers.insert`. */
    body(name: string, more: object = {}): object {
        const instanceTemplate = `projects/${this.bed.project}/global/instanceTemplates/one`;
        return {
            name,
            baseInstanceName: "worker",
            targetSize: 1,
            versions: [{ instanceTemplate }],
            ...more,
        };
    }

    async insert(name: string, more: object = {}): Promise<void> {
        await operate(this.bed, "POST", this.path(), this.body(name, more));
    }

    path(name = "", verb = ""): string {
        return groupPath(this.bed, name, verb, this.where);
    }

    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    async get(name: string): Promise<any> {
        return (await ask(this.bed, "GET", this.path(name))).body;
    }

    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    async managed(name: string): Promise<any> {
        return (await ask(this.bed, "POST", this.path(name, "listManagedInstances"))).body.managedInstances;
    }

    async patch(name: string, news: object): Promise<void> {
        await operate(this.bed, "PATCH", this.path(name), news);
    }

    async resize(name: string, size: number): Promise<void> {
        await operate(this.bed, "POST", this.path(name, `resize?size=${size}`));
    }

    /** Resolves to the group as soon as it is stable. */
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    async stable(name: string): Promise<any> {
        const end = Date.now() + 30_000;
        for (;;) {
            const shown = await this.get(name);
            if (shown.status.isStable) {
                return shown;
            }
            if (Date.now() > end) {
                throw new Error(`${name} is never stable: ${JSON.stringify(await this.managed(name))}`);
            }
            await sleep(20);
        }
    }

    /** Resolves when somebody has resized the group so. */
    async sized(name: string, size: number): Promise<void> {
        const what = () => `the size ${size} of ${name}`;
        await until(async () => (await this.get(name)).targetSize === size, 60_000, what);
    }

    /** Resolves when the group could not make its first instance. */
    async failing(name: string): Promise<void> {
        await until(
            async () => (await this.managed(name))[0]?.lastAttempt.errors !== undefined,
            30_000,
            () => `an error of ${name}`,
        );
    }

    /** The one instance that there is. */
    get only(): Instance {
        const [one, ...more] = this.bed.instances.list;
        if (!one || more.length > 0) {
            throw new Error(`there is not one instance: ${this.bed.contents().instances.join(", ")}`);
        }
        return one;
    }

    /** Resolves when an instance runs that is not this one. */
    async another(id: string): Promise<void> {
        await until(
            () => this.bed.instances.list.some((one) => one.id !== id && one.status === "RUNNING"),
            30_000,
            () =>
                `another instance than ${id}: ${JSON.stringify(this.bed.groups.list.map((one) => [one.targetSize, ...showErrors(one)]))}`,
        );
    }

    /** Deletes all groups and templates. */
    async clean(): Promise<void> {
        const { bed } = this;
        await Promise.all(bed.groups.list.map(({ path }) => operate(bed, "DELETE", `/compute/v1/${path}`)));
        const paths = bed.templates.names.map((name) => globalPath(bed, `instanceTemplates/${name}`));
        await Promise.all(paths.map((path) => operate(bed, "DELETE", path)));
        await bed.operations.settled();
    }
}
