import { newFingerprint, newId, now } from "../links";
import type { InstanceTemplate } from "../templates";
import { Managed, nameFor, type Owner } from "./managed";
import type { GroupInsert, GroupPlace, GroupWorld, Shape } from "./types";

/** A managed instance group: keeps as many instances as it is meant to have. */
export class Group implements Owner {
    readonly id = newId();
    readonly created = now();
    fingerprint = newFingerprint();
    targetSize: number;
    managed: readonly Managed[] = [];
    deleting = false;

    constructor(
        readonly world: GroupWorld,
        readonly place: GroupPlace,
        /** Where it may have instances. */
        readonly zones: readonly string[],
        public resource: GroupInsert,
        /** Of the present version. */
        public template: InstanceTemplate,
    ) {
        this.targetSize = resource.targetSize;
    }

    /** `projects/p/zones/z/instanceGroupManagers/g`. */
    get path(): string {
        return `projects/${this.world.instances.world.project}/${this.below}`;
    }

    get numberedPath(): string {
        return `projects/${this.world.instances.world.projectNumber}/${this.below}`;
    }

    get baseInstanceName(): string {
        return this.resource.baseInstanceName ?? this.resource.name;
    }

    get shape(): Shape {
        return this.resource.distributionPolicy?.targetShape ?? "EVEN";
    }

    /** Nothing goes on with any instance, and there are as many as there are to be. */
    get stable(): boolean {
        const idle = this.managed.every(({ action }) => action === "NONE");
        return idle && !this.deleting && this.managed.length === this.targetSize;
    }

    get repairs(): boolean {
        return this.resource.instanceLifecyclePolicy?.defaultActionOnFailure !== "DO_NOTHING";
    }

    repairTemplate(own: InstanceTemplate): InstanceTemplate {
        return this.resource.instanceLifecyclePolicy?.forceUpdateOnRepair === "YES" ? this.template : own;
    }

    /**
     * A group of the shape EVEN sticks to what is even, whether or not there are machines; and none takes the zone of an
     * instance that it had already, unless it is told to.
     */
    nextZone({ zone, action }: Managed): string {
        const { onRepair } = this.resource.instanceLifecyclePolicy ?? {};
        const may = action === "CREATING" ? this.shape !== "EVEN" : onRepair?.allowChangingZone === "YES";
        return (may && this.zones[(this.zones.indexOf(zone) + 1) % this.zones.length]) || zone;
    }

    /** Such an instance is deleted, and the group is smaller by one. */
    expired(managed: Managed): void {
        this.targetSize--;
        void managed.remove();
    }

    gone(managed: Managed): void {
        this.managed = this.managed.filter((one) => one !== managed);
    }

    resize(size: number): void {
        this.targetSize = size;
        this.scale();
    }

    /** What it would be, with some of it changed. */
    patched(news: Partial<GroupInsert>): GroupInsert {
        const { updatePolicy, instanceLifecyclePolicy } = this.resource;
        return {
            ...this.resource,
            ...news,
            updatePolicy: { ...updatePolicy, ...news.updatePolicy },
            instanceLifecyclePolicy: { ...instanceLifecyclePolicy, ...news.instanceLifecyclePolicy },
        };
    }

    /** What the group is meant to be has changed. */
    change(news: Partial<GroupInsert>, template: InstanceTemplate): void {
        this.resource = this.patched(news);
        this.template = template;
        this.fingerprint = newFingerprint();
        this.resize(news.targetSize ?? this.targetSize);
        if (this.resource.updatePolicy?.type === "PROACTIVE") {
            this.wantedOnes.filter((one) => one.template !== template).forEach((one) => this.replace(one));
        }
    }

    /** Makes what is too few, and deletes what is too many: first what does not run. */
    scale(): void {
        for (let count = this.wantedOnes.length; count < this.targetSize; count++) {
            void this.add();
        }
        const surplus = this.wantedOnes.length - this.targetSize;
        const runs = ({ present }: Managed) => Number(present?.status === "RUNNING");
        [...this.wantedOnes]
            .sort((a, b) => runs(a) - runs(b))
            .slice(0, Math.max(0, surplus))
            .forEach((one) => void one.remove());
    }

    /** Resolves when nothing is left of it. */
    async delete(): Promise<void> {
        this.deleting = true;
        this.targetSize = 0;
        await Promise.all(this.managed.map((one) => one.remove()));
    }

    close(): void {
        this.managed.forEach((one) => one.close());
    }

    private get below(): string {
        return `${this.place.kind}/${this.place.name}/instanceGroupManagers/${this.resource.name}`;
    }

    private get wantedOnes(): readonly Managed[] {
        return this.managed.filter(({ wanted }) => wanted);
    }

    private add(): Promise<void> {
        const count = (zone: string) => this.wantedOnes.filter((one) => one.zone === zone).length;
        const [zone] = [...this.zones].sort((a, b) => count(a) - count(b));
        const one = new Managed(this, nameFor(this.baseInstanceName), zone as string, this.template);
        this.managed = [...this.managed, one];
        return one.create();
    }

    // By default with another one that is made first: for a while, there is one more than there are to be.
    private replace(old: Managed): void {
        const { replacementMethod, maxSurge } = this.resource.updatePolicy ?? {};
        if (replacementMethod === "RECREATE") {
            old.template = this.template;
            void old.recreate();
        } else if ((maxSurge?.fixed ?? 1) > 0) {
            void this.add().then(() => old.remove());
        } else {
            void old.remove().then(() => this.scale());
        }
    }
}
