import { randomBytes } from "node:crypto";
import { LAYOUT } from "../../src/stores/artifacts/types";
import type { RunnerEvent } from "../../src/run/events";
import { RunnerStream } from "../../src/run/stream";
import { launcherScript } from "../../src/runner/launcher";
import type { PlanStep } from "../../src/runner/plan";
import { planScript } from "../../src/runner/planDir";
import { runnerScript } from "../../src/runner/script";
import { shipScript } from "../../src/runner/ship";
import { vmBootScript, vmFiles, type VmSettings } from "../../src/runner/vm";
import type { GcpBed } from "../support/gcp/bed";
import { ask, operate, spotInstance, zonePath } from "../support/gcp/client";
import { until } from "../support/project";
import { plan } from "../unit/runner/harness";

const PREFIX = "some/prefix";

export interface Said {
    readonly events: readonly RunnerEvent[];
    /** `<step>: <text>` */
    readonly lines: readonly string[];
}

/** An attempt in a machine of the bed, with a bucket and a service account of its own: what a component would declare. */
export class Attempt {
    readonly name: string;
    readonly nonce = randomBytes(8).toString("hex");
    private readonly account: string;

    constructor(
        private readonly bed: GcpBed,
        readonly runId: string,
    ) {
        this.name = `stackrun-${runId}-1`;
        this.account = `${runId}-machine`;
    }

    get email(): string {
        return `${this.account}@${this.bed.project}.iam.gserviceaccount.com`;
    }

    get member(): string {
        return `serviceAccount:${this.email}`;
    }

    /** Bucket, account, its rights, and the boot files. */
    async prepare(steps: readonly PlanStep[], secrets: readonly string[] = []): Promise<void> {
        const { bed, runId, nonce } = this;
        await this.ok("POST", `/storage/v1/b?project=${bed.project}`, {
            name: runId,
            iamConfiguration: { uniformBucketLevelAccess: { enabled: true } },
        });
        await this.ok("POST", `/v1/projects/${bed.project}/serviceAccounts`, { accountId: this.account });
        bed.policies.set("project", {
            bindings: [{ role: "roles/artifactregistry.reader", members: [this.member] }],
        });
        this.allowStore();
        const text = planScript(
            plan(steps, {
                runId,
                nonce,
                stream: "stdout",
                secrets,
                graceSeconds: 5,
                shipSilenceSeconds: 120,
            }),
        );
        const files = {
            ...vmFiles("gce"),
            "ship.sh": shipScript(),
            "launcher.sh": launcherScript(),
            "runner.sh": runnerScript(),
            "plan.sh": text,
        };
        for (const [file, content] of Object.entries(files)) {
            await this.put(`boot/${file}`, content);
        }
    }

    /** The right to what is below the store's prefix, and to list that. */
    allowStore(): void {
        const below = `${PREFIX}/`;
        const name = `resource.name.startsWith("projects/_/buckets/${this.runId}/objects/${below}")`;
        const listing = `api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("${below}")`;
        this.bed.policies.set(`b/${this.runId}`, {
            version: 3,
            bindings: [
                {
                    role: "roles/storage.objectUser",
                    members: [this.member],
                    condition: { title: "stackrun", expression: `${name} || ${listing}` },
                },
            ],
        });
    }

    async start(more: Partial<VmSettings> = {}): Promise<void> {
        const { bed, runId, nonce } = this;
        const remote = "RCLONE_CONFIG_STACKRUN";
        const script = vmBootScript("gce", {
            remote: `stackrun:${runId}/${PREFIX}`,
            runId,
            attempt: 1,
            nonce,
            image: await bed.image("busybox"),
            transferImage: await bed.image("rclone"),
            rcloneEnv: {
                [`${remote}_TYPE`]: "google cloud storage",
                [`${remote}_BUCKET_POLICY_ONLY`]: "true",
                [`${remote}_NO_CHECK_BUCKET`]: "true",
                [`${remote}_ENDPOINT`]: `${bed.fromInstance(bed.url)}/storage/v1/`,
            },
            user: "65532:65532",
            graceSeconds: 5,
            spot: true,
            registries: [new URL(bed.fromInstance(bed.url)).host],
            secretsEndpoint: `${bed.fromInstance(bed.url)}/v1`,
            tries: 3,
            lingerSeconds: 3,
            ...more,
        });
        const body = spotInstance(
            bed,
            this.name,
            { "startup-script": script },
            {
                serviceAccounts: [
                    { email: this.email, scopes: ["https://www.googleapis.com/auth/cloud-platform"] },
                ],
            },
        );
        const operation = await operate(bed, "POST", zonePath(bed, "instances"), body);
        expect(operation.error).toBeUndefined();
    }

    startAgain(): Promise<unknown> {
        return operate(this.bed, "POST", zonePath(this.bed, `instances/${this.name}/start`));
    }

    get serial(): string {
        return this.bed.instance(this.name).serial.text;
    }

    get isOff(): boolean {
        return this.bed.instance(this.name).status === "TERMINATED";
    }

    off(): Promise<void> {
        return until(
            () => this.isOff,
            240_000,
            () => `${this.name} to be off:\n${this.serial.slice(-6000)}`,
        );
    }

    /** All that the runner has said and that has come to the store. */
    async said(): Promise<Said> {
        const stream = new RunnerStream({ nonce: this.nonce, attempt: 1 });
        const items = [];
        for (const name of await this.objects("stream/")) {
            items.push(...stream.push(Buffer.from((await this.read(name)) as string)));
        }
        items.push(...stream.end());
        return {
            events: items.flatMap((item) => (item.type === "event" ? [item.event] : [])),
            lines: items.flatMap((item) =>
                item.type === "log" ? item.lines.map((line) => `${line.step}: ${line.text}`) : [],
            ),
        };
    }

    /** Waits for a line of a step. */
    async hears(line: string): Promise<void> {
        const deadline = Date.now() + 240_000;
        while (!(await this.said()).lines.includes(line)) {
            if (Date.now() > deadline) {
                throw new Error(`"${line}" is not in the stream:\n${this.serial.slice(-6000)}`);
            }
            await new Promise((resolve) => setTimeout(resolve, 300));
        }
    }

    /** Names below the attempt's prefix, sorted. */
    async objects(below = ""): Promise<string[]> {
        const names = await this.allObjects(`${this.prefix}${below}`);
        return names.map((name) => name.slice(this.prefix.length));
    }

    async allObjects(prefix = ""): Promise<string[]> {
        const url = `${this.bed.storage.url}/storage/v1/b/${this.runId}/o?prefix=${encodeURIComponent(prefix)}`;
        const { items = [] } = (await (await fetch(url)).json()) as { items?: { name: string }[] };
        return items.map(({ name }) => name).sort();
    }

    read(name: string): Promise<string | undefined> {
        return this.readAny(`${this.prefix}${name}`);
    }

    async readAny(name: string): Promise<string | undefined> {
        const url = `${this.bed.storage.url}/storage/v1/b/${this.runId}/o/${encodeURIComponent(name)}?alt=media`;
        const response = await fetch(url);
        return response.ok ? response.text() : undefined;
    }

    async put(name: string, text: string): Promise<void> {
        const query = `uploadType=media&name=${encodeURIComponent(`${this.prefix}${name}`)}`;
        const url = `${this.bed.storage.url}/upload/storage/v1/b/${this.runId}/o?${query}`;
        const response = await fetch(url, { method: "POST", body: text });
        expect(response.status).toBe(200);
    }

    /** `key=value` lines of an object. */
    async facts(name: string): Promise<Record<string, string>> {
        const lines = ((await this.read(name)) ?? "").split("\n").filter(Boolean);
        return Object.fromEntries(
            lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
        );
    }

    private get prefix(): string {
        return `${PREFIX}/${LAYOUT.run(this.runId)}/attempts/1/`;
    }

    private async ok(method: string, path: string, body: object): Promise<void> {
        const answer = await ask(this.bed, method, path, body);
        expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
    }
}
