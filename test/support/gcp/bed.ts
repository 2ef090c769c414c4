import * as path from "node:path";
import { startGcs, type GcsServer } from "../gcs/server";
import type { TestImage } from "../images/ensureImages";
import type { Faults } from "./api/faults";
import type { RequestLog } from "./api/requests";
import { ApiServer } from "./api/server";
import { Disks } from "./compute/disks";
import { Groups } from "./compute/groups/groups";
import { groupRoutes } from "./compute/groups/routes";
import type { GroupTiming } from "./compute/groups/types";
import type { Instance, World } from "./compute/instance";
import { instanceRoutes } from "./compute/instanceRoutes";
import { Instances } from "./compute/instances";
import { lookupRoutes } from "./compute/lookups";
import { Operations } from "./compute/operations";
import { InstanceTemplates } from "./compute/templates";
import { Access } from "./iam/access";
import { projectRoutes, Repositories } from "./iam/routes";
import { ImageRegistry } from "./imageRegistry";
import { createBackend, type BackendName } from "./machines/backends";
import { HOST_FROM_INSTANCE } from "./machines/machine";
import { claimFolder, wipeBed } from "./machines/wipe";
import { SecretManager } from "./secretManager";
import { Buckets } from "./storage/buckets";
import { Objects } from "./storage/objects";

export interface GcpOptions {
    /**
     * What instances are: `paper` (they are only switched on and off), `container` (Debian with Google's guest agent and
     * Docker in namespaces, in seconds) or `vm` (the same in a virtual machine, with ACPI).
     * @default "paper"
     */
    readonly backend?: BackendName;
    /** From the power button to the power cut. @default 30 s for Spot, 120 s for others, as Google has it */
    readonly graceMs?: { readonly spot?: number; readonly standard?: number };
    /** How long managed groups take. @default 10 s until a repair begins, 30 s until the next try; `bed.groups.timing` */
    readonly groups?: Partial<GroupTiming>;
}

export const PROJECT = "stackrun-test";
export const PROJECT_NUMBER = "415104041262";

/** Google Cloud on this machine: Compute Engine with real machines, IAM, Secret Manager and Cloud Storage. */
export class GcpBed {
    readonly project = PROJECT;
    readonly projectNumber = PROJECT_NUMBER;
    readonly region = "us-central1";
    readonly zone = "us-central1-a";
    /** An access token of a user who may do everything. */
    readonly token = "ya29.user-of-the-tests";
    readonly access = new Access(PROJECT, PROJECT_NUMBER, this.token, () => this.api.router.permissions);
    readonly roles = this.access.roles;
    readonly policies = this.access.policies;
    readonly accounts = this.access.accounts;
    readonly secrets = new SecretManager(PROJECT, this.policies);
    readonly repositories = new Repositories(PROJECT, this.policies);
    readonly api: ApiServer;
    readonly operations: Operations;
    readonly instances: Instances;
    readonly templates: InstanceTemplates;
    readonly groups: Groups;
    readonly buckets: Buckets;
    readonly world: World;
    /** Root of all APIs: `http://127.0.0.1:<port>`. */
    url = "";
    private readonly disks: Disks;
    private readonly images: ImageRegistry;

    private constructor(
        private readonly dir: string,
        /** Objects without authentication, as `STORAGE_EMULATOR_HOST` wants it; {@link url} has them with it. */
        readonly storage: GcsServer,
        { backend = "paper", graceMs = {}, groups = {} }: GcpOptions,
    ) {
        const machines = createBackend(backend);
        this.images = new ImageRegistry(
            path.join(dir, "images"),
            PROJECT,
            (principal, permission, repository) => {
                const name = `projects/${PROJECT}/locations/${this.region}/repositories/${repository}`;
                return this.access.may(principal, permission, name);
            },
        );
        const objects = new Objects(storage.url, this.policies, () => this.url);
        this.api = new ApiServer({
            principalOf: (token) => this.access.principalOf(token),
            allows: (email, permission, resource) => this.access.allows(email, permission, resource),
            forward: (method, url) => objects.forward(method, url) ?? this.images.forward(url),
        });
        this.world = {
            project: PROJECT,
            projectNumber: PROJECT_NUMBER,
            backend: machines,
            accounts: this.accounts,
            folder: path.join(dir, "boots"),
            ports: new Set(),
            projectAttributes: new Map(),
            skewMs: 0,
        };
        this.operations = new Operations(PROJECT, this.api.faults);
        this.disks = new Disks(PROJECT, path.join(dir, "disks"), machines, this.operations);
        const grace = { spotMs: graceMs.spot ?? 30_000, standardMs: graceMs.standard ?? 120_000 };
        this.instances = new Instances(this.world, this.operations, this.disks, grace);
        this.templates = new InstanceTemplates(PROJECT, this.operations, (one) => this.groups.userOf(one));
        const { instances, templates } = this;
        this.groups = new Groups({
            instances,
            templates,
            timing: { repairMs: 10_000, retryMs: 30_000, ...groups },
        });
        this.buckets = new Buckets(PROJECT_NUMBER, storage.url, this.policies);
        this.api.router.add([
            ...lookupRoutes(PROJECT, PROJECT_NUMBER),
            ...this.operations.routes(),
            ...instanceRoutes(this.instances, this.templates),
            ...this.templates.routes(),
            ...groupRoutes(this.groups),
            ...this.disks.routes(),
            ...this.accounts.routes(),
            ...this.roles.routes(),
            ...this.secrets.routes(),
            ...this.repositories.routes(),
            ...projectRoutes(PROJECT, PROJECT_NUMBER, this.policies),
            ...this.buckets.routes(),
        ]);
    }

    static async start(options: GcpOptions): Promise<GcpBed> {
        const dir = claimFolder();
        let storage: GcsServer | undefined;
        try {
            storage = await startGcs();
            const bed = new GcpBed(dir, storage, options);
            await bed.world.backend.prepare();
            const port = await bed.api.listen();
            bed.url = `http://127.0.0.1:${port}`;
            bed.world.ports.add(port);
            bed.world.ports.add(Number(new URL(storage.url).port));
            return bed;
        } catch (error) {
            await storage?.stop();
            await wipeBed(dir);
            throw error;
        }
    }

    /** What goes wrong. */
    get faults(): Faults {
        return this.api.faults;
    }

    /** What has been asked for. */
    get requests(): RequestLog {
        return this.api.requests;
    }

    /** For the provider's configuration: `gcp.Provider` takes it, and `gcp:<name>` of a stack. */
    get providerConfig(): Record<string, string> {
        return {
            project: this.project,
            region: this.region,
            zone: this.zone,
            accessToken: this.token,
            computeCustomEndpoint: `${this.url}/compute/v1/`,
            iamCustomEndpoint: `${this.url}/v1/`,
            resourceManagerCustomEndpoint: `${this.url}/v1/`,
            secretManagerCustomEndpoint: `${this.url}/v1/`,
            artifactRegistryCustomEndpoint: `${this.url}/v1/`,
            storageCustomEndpoint: `${this.url}/storage/v1/`,
        };
    }

    /**
     * Keeps Google's clients in a process, and what it starts, on this machine: no metadata server, no key, and a token for
     * those who take one from the environment. `STORAGE_EMULATOR_HOST` is not in it: `bed.storage.env` has it.
     */
    get env(): Record<string, string> {
        return {
            GCE_METADATA_HOST: "127.0.0.1:1",
            NO_GCE_CHECK: "true",
            GOOGLE_OAUTH_ACCESS_TOKEN: this.token,
        };
    }

    /** An instance by its name. */
    instance(name: string): Instance {
        return this.instances.named(name);
    }

    /**
     * Google takes a Spot machine: `preempted` becomes TRUE, the power button, 30 s, the power cut. Resolves when it is off.
     * With `noticeMs`, the flag comes that much earlier.
     */
    preempt(name: string, noticeMs = 0): Promise<void> {
        return this.instances.preempt(this.instance(name), noticeMs);
    }

    /** Off at once, without notice and without an operation. */
    powerCut(name: string): Promise<void> {
        return this.instances.powerCut(this.instance(name));
    }

    hostError(name: string): Promise<void> {
        return this.instances.hostError(this.instance(name));
    }

    /** The machine hangs: RUNNING, and does nothing. */
    freeze(name: string): void {
        this.instance(name).freeze();
    }

    thaw(name: string): void {
        this.instance(name).thaw();
    }

    /**
     * Lets instances reach a server on a port of this machine's loopback.
     * @returns the server's address as they see it
     */
    async expose(url: string): Promise<string> {
        const port = Number(new URL(url).port);
        this.world.ports.add(port);
        await Promise.all(this.instances.list.map((instance) => instance.expose(port)));
        return this.fromInstance(url);
    }

    /** The address of an exposed server (and of {@link url} and {@link storage}, which always are) as instances see it. */
    fromInstance(url: string): string {
        return url.replace(/127\.0\.0\.1|localhost/, HOST_FROM_INSTANCE);
    }

    /**
     * Puts one of the tests' images into Artifact Registry.
     * @returns its name, by which instances pull it: as `oauth2accesstoken`, with a token that may
     */
    async image(name: TestImage, repository = "images"): Promise<string> {
        this.repositories.add(this.region, repository);
        return `${new URL(this.fromInstance(this.url)).host}/${await this.images.add(name, repository)}`;
    }

    /** What is there, as names: to see that something leaves nothing behind. */
    contents(): Contents {
        return {
            instances: this.instances.list.map(({ zone, name }) => `${zone}/${name}`).sort(),
            groups: this.groups.names,
            templates: this.templates.names,
            disks: this.disks.names,
            roles: this.roles.names,
            serviceAccounts: this.accounts.emails,
            secrets: this.secrets.names,
            buckets: this.buckets.names,
            policies: Object.keys(this.policies.all).sort(),
        };
    }

    /** Ends all machines at once, and removes everything. */
    async stop(): Promise<void> {
        this.groups.close();
        await this.instances.clear();
        await this.operations.settled();
        await this.api.close();
        await this.storage.stop();
        await wipeBed(this.dir);
    }
}

export interface Contents {
    readonly instances: readonly string[];
    readonly groups: readonly string[];
    readonly templates: readonly string[];
    readonly disks: readonly string[];
    readonly serviceAccounts: readonly string[];
    readonly secrets: readonly string[];
    readonly buckets: readonly string[];
    /** Of the project's own, those that are not deleted. */
    readonly roles: readonly string[];
    /** Resources that have a policy. */
    readonly policies: readonly string[];
}

/** Takes a second, when the machines' image is there. If this process ends without `stop`, a watchdog cleans up. */
export function startGcp(options: GcpOptions = {}): Promise<GcpBed> {
    return GcpBed.start(options);
}
