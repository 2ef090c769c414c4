import * as fs from "node:fs";
import * as path from "node:path";
import type { DockerBed } from "../support/docker/bed";
import { dockerPlugin } from "../support/standIns";
import { Project, REPO } from "../support/project";

export const RUN = "stackrun:index:Run";
export const RUN_ID = "stackrun:index:RunId";
export const CONTAINER = "docker:index/container:Container";

/** A project with a `DockerOrchestrator` whose arguments are this text, beside `pipeline` and `image`. */
export async function dockerProject(
    bed: DockerBed,
    files: Record<string, string>,
    args = "",
    env: NodeJS.ProcessEnv = {},
): Promise<Project> {
    return Project.create(files, await program(bed, args), {
        plugins: dockerPlugin,
        env: { DOCKER_HOST: bed.host, ...env },
    });
}

export async function program(bed: DockerBed, args = ""): Promise<string> {
    return `
const { DockerOrchestrator, PipelineImage } = require(${JSON.stringify(`${REPO}/dist/components/docker`)});
const run = new DockerOrchestrator("job", { pipeline: "pipeline.yaml", image: "${await bed.image("busybox")}", ${args} });
for (const output of ["runId", "attempt", "status", "reason", "message", "steps", "exitCode", "logs", "metrics", "artifacts"]) {
    exports[output] = run[output];
}
`;
}

/** The events of a run's record. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export function eventsOf(project: Project, runId: string): any[] {
    return project
        .read(`.stackrun/runs/${runId}/events.jsonl`)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
}

export function logOf(project: Project, runId: string): string[] {
    return project.read(`.stackrun/runs/${runId}/log`).trimEnd().split("\n");
}

/** Containers and volumes of the project's runs; tests of other files run beside this one. */
export async function leftIn(bed: DockerBed, project: Project): Promise<string[]> {
    const runs = fs.readdirSync(path.join(project.dir, ".stackrun/runs"));
    const { containers, volumes } = await bed.contents();
    return [...containers, ...volumes].filter((name) =>
        runs.some((run) => name.startsWith(`stackrun-${run}`)),
    );
}

/** `pulumi up`, which has to succeed; fails with what it printed. */
export async function upOk(project: Project, args: readonly string[] = []): Promise<string> {
    const { code, stdout, stderr } = await project.up(args);
    if (code !== 0) {
        throw new Error(`pulumi up ended with ${code}:\n${stdout}${stderr}`);
    }
    return stdout;
}

export async function destroy(project: Project): Promise<void> {
    await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
}

/** After a test, also after one that failed before it had made its project: only `destroy` may fail then. */
export async function cleanUp(project: Project | undefined): Promise<void> {
    try {
        await (project && destroy(project));
    } finally {
        project?.dispose();
    }
}
