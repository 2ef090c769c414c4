import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { scanCode } from "../../src/bundle";
import { parsePipeline } from "../../src/pipeline/load";
import { createFollower } from "../../src/run/docker/follower";
import { containerName, IN_CONTAINER, LABEL, volumeName } from "../../src/run/docker/names";
import type { Follower, FollowItem, RunSpec } from "../../src/run/follower";
import { followRun } from "../../src/run/followRun";
import type { RunFile } from "../../src/run/record";
import { resolveParams } from "../../src/pipeline/params";
import type { DockerBed } from "../support/docker/bed";

export interface AttemptOptions {
    readonly image?: string;
    readonly user?: string;
    readonly attempt?: number;
    readonly secrets?: Record<string, string>;
    readonly hostConfig?: object;
    readonly entrypoint?: string[];
    readonly network?: string;
}

/** A run whose container is declared by the daemon's API, as the component does: to test the follower by itself. */
export class TestRun {
    readonly runId = `test-${randomBytes(4).toString("hex")}`;
    readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-docker-"));
    readonly codeDir = path.join(this.dir, "code");
    readonly follower: Follower;

    constructor(
        private readonly bed: DockerBed,
        readonly pipeline: string,
        files: Record<string, string> = {},
    ) {
        this.follower = createFollower({ host: bed.host });
        fs.mkdirSync(this.codeDir);
        for (const [name, text] of Object.entries({ "a.txt": "a", ...files })) {
            fs.writeFileSync(path.join(this.codeDir, name), text);
        }
    }

    async spec({ attempt = 1, secrets = {} }: AttemptOptions = {}): Promise<RunSpec> {
        const pipeline = parsePipeline(this.pipeline, "pipeline.yaml");
        return {
            runId: this.runId,
            attempt,
            runDir: path.join(this.dir, "runs", this.runId),
            nonce: "0123456789abcdef",
            pipeline,
            params: resolveParams(pipeline, {}, "test"),
            env: pipeline.env,
            secrets,
            codeDir: this.codeDir,
            codeHash: (await scanCode(this.codeDir)).hash,
            parallelism: 1,
            graceSeconds: 2,
            finishedSteps: [],
        };
    }

    /** Declares the attempt's container; nothing is in it yet. */
    async declare(options: AttemptOptions = {}): Promise<RunSpec> {
        const spec = await this.spec(options);
        fs.mkdirSync(spec.runDir, { recursive: true });
        await this.bed.docker.createContainer({
            name: containerName(spec),
            Image: options.image ?? (await this.bed.image("busybox")),
            User: options.user ?? "65532:65532",
            Entrypoint: options.entrypoint ?? ["/bin/sh"],
            Cmd: [IN_CONTAINER.launcher, IN_CONTAINER.run],
            Env: [
                `STACKRUN_BOOT=${IN_CONTAINER.boot}`,
                `STACKRUN_CODE=${IN_CONTAINER.bundle}`,
                `STACKRUN_CODE_HASH=${spec.codeHash}`,
                ...(options.secrets ? [`STACKRUN_SECRETS=${IN_CONTAINER.secrets}`] : []),
            ],
            StopTimeout: 5,
            Labels: {
                [LABEL.runId]: spec.runId,
                [LABEL.attempt]: String(spec.attempt),
                [LABEL.nonce]: spec.nonce,
                [LABEL.image]: options.image ?? "stackrun.test/busybox:1",
            },
            HostConfig: {
                NetworkMode: options.network ?? "none",
                Mounts: [{ Type: "volume", Source: volumeName(spec.runId), Target: IN_CONTAINER.volume }],
                LogConfig: { Type: "json-file", Config: { "max-size": "1000p", "max-file": "1" } },
                ...options.hostConfig,
            },
        });
        return spec;
    }

    get name(): string {
        return containerName({ runId: this.runId, attempt: 1 });
    }

    async started(options: AttemptOptions = {}): Promise<RunSpec> {
        const spec = await this.declare(options);
        await this.follower.start?.(spec, new AbortController().signal);
        return spec;
    }

    /** Follows to the end, as the plugin does. */
    async followed(
        spec: RunSpec,
        options: { signal?: AbortSignal; detach?: AbortSignal; seen?: (item: FollowItem) => void } = {},
    ): Promise<RunFile> {
        return followRun({
            follower: this.follower,
            run: spec,
            pipeline: spec.pipeline,
            params: spec.params,
            secrets: Object.values(spec.secrets),
            signal: options.signal ?? new AbortController().signal,
            detach: options.detach,
            sink: {
                log: (lines) => options.seen?.({ type: "log", lines }),
                changed: (_run, item) => options.seen?.(item),
            },
        });
    }

    read(name: string): string {
        return fs.readFileSync(path.join(this.dir, "runs", this.runId, name), "utf8");
    }

    /** The recorded log, as `step | text`. */
    get log(): string[] {
        const file = path.join(this.dir, "runs", this.runId, "log");
        return fs.existsSync(file) ? fs.readFileSync(file, "utf8").trimEnd().split("\n") : [];
    }

    async dispose(): Promise<void> {
        for (const attempt of [1, 2, 3]) {
            const name = containerName({ runId: this.runId, attempt });
            await this.bed.docker
                .getContainer(name)
                .remove({ force: true, v: true })
                .catch(() => undefined);
        }
        await this.bed.docker
            .getVolume(volumeName(this.runId))
            .remove()
            .catch(() => undefined);
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}
