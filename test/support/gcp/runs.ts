import { REPO, until, type Project } from "../project";
import type { TestImage } from "../images/ensureImages";
import type { GcpBed } from "./bed";
import type { Instance } from "./compute/instance";
import { gcpProject, withGcp } from "./project";

const OUTPUTS = [
    "runId",
    "attempt",
    "status",
    "reason",
    "message",
    "steps",
    "interruptions",
    "exitCode",
    "logs",
    "logUrl",
    "metrics",
    "artifacts",
];
const REPOSITORY = "images";

/** A project whose pipeline runs on machines of the bed. */
export class GcpRuns {
    private constructor(
        readonly bed: GcpBed,
        readonly project: Project,
        private readonly transfer: string,
        private readonly image: string,
    ) {}

    static async create(
        bed: GcpBed,
        files: Record<string, string>,
        args = "",
        image: TestImage = "busybox",
    ): Promise<GcpRuns> {
        const [run, rclone] = [await bed.image(image, REPOSITORY), await bed.image("rclone", REPOSITORY)];
        // The rule for Artifact Registry's own names does not fit the registry of the bed.
        bed.policies.set(repositoryOf(bed), {
            bindings: [{ role: "roles/artifactregistry.reader", members: ["allAuthenticatedUsers"] }],
        });
        const env = {
            RCLONE_CONFIG_STACKRUN_ENDPOINT: `${bed.fromInstance(bed.url)}/storage/v1/`,
            // By the machine's own identity.
            RCLONE_CONFIG_STACKRUN_ANONYMOUS: "false",
            RCLONE_CONFIG_STACKRUN_ENV_AUTH: "true",
        };
        const transfer = `transfer: { image: "${rclone}", env: ${JSON.stringify(env)} }`;
        const project = await gcpProject(bed, "", files, {
            ...bed.storage.env,
            STACKRUN_SECRETS_ENDPOINT: `${bed.fromInstance(bed.url)}/v1`,
        });
        const runs = new GcpRuns(bed, project, transfer, run);
        runs.program(args);
        return runs;
    }

    /** A program with one GcpOrchestrator; `args` is the inside of an object literal. */
    program(args = "", before = ""): void {
        const registry = JSON.stringify([new URL(this.bed.fromInstance(this.bed.url)).host]);
        this.project.program(
            withGcp(`
const { GcpOrchestrator } = require(${JSON.stringify(`${REPO}/dist/components/gcp`)});
${before}
const run = new GcpOrchestrator("job", {
    pipeline: "pipeline.yaml",
    image: "${this.image}",
    registries: ${registry},
    grace: "2s",
    ${this.transfer},
    ${args}
});
for (const output of ${JSON.stringify(OUTPUTS)}) { exports[output] = run[output]; }
`),
        );
    }

    /** The last machine of the last run. */
    get instance(): Instance {
        const name = this.bed.instances.list.at(-1)?.name;
        if (name === undefined) {
            throw new Error("there is no instance");
        }
        return this.bed.instance(name);
    }

    async off(): Promise<void> {
        await until(
            () => this.instance.status === "TERMINATED",
            60_000,
            () => `the machine to be off; its serial console:\n${this.instance.serial.text}`,
        );
    }

    async end(): Promise<Record<string, unknown>> {
        const { status, reason, message, attempt, interruptions } = await this.project.outputs();
        return { status, reason, message, attempt, interruptions };
    }

    async destroy(): Promise<void> {
        await this.project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
    }

    /** What the bed has, but for what {@link create} has put there. */
    get left(): string[] {
        return Object.values(this.bed.contents())
            .flat()
            .filter((name) => name !== repositoryOf(this.bed));
    }

    async dispose(): Promise<void> {
        await this.project.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        this.project.dispose();
    }
}

function repositoryOf({ project, region }: GcpBed): string {
    return `projects/${project}/locations/${region}/repositories/${REPOSITORY}`;
}
