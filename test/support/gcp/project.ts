import { Project } from "../project";
import { gcpPlugin } from "../standIns";
import type { GcpBed } from "./bed";

/**
 * A project whose program has `gcp` (@pulumi/gcp) beside `stackrun` and `pulumi`. Its resources are made by the stand-in, in
 * the bed.
 */
export async function gcpProject(
    bed: GcpBed,
    program: string,
    files: Record<string, string> = {},
    env: NodeJS.ProcessEnv = {},
): Promise<Project> {
    const project = await Project.create(files, withGcp(program), {
        plugins: gcpPlugin,
        env: { ...bed.env, ...env },
    });
    const settings = Object.entries(bed.providerConfig).flatMap(([name, value]) => [
        "--plaintext",
        `gcp:${name}=${value}`,
    ]);
    await project.expectOk(["config", "set-all", "--stack", "dev", ...settings]);
    return project;
}

/** For `project.program`. */
export function withGcp(program: string): string {
    return `const gcp = require("@pulumi/gcp");\n${program}`;
}
