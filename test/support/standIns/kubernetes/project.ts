import * as path from "node:path";
import { Project, REPO, type ProjectOptions } from "../../project";

/** The folder of the stand-in's executable, for `plugins.providers` of a Pulumi.yaml. */
export const PLUGIN_FOLDER = path.join(REPO, "test/support/standIns/kubernetes");

/**
 * A project whose program has `k8s` (@pulumi/kubernetes) beside `stackrun` and `pulumi`. Its resources are made by the
 * stand-in, in the cluster of `kubeconfig` if the program says nothing else.
 */
export async function kubernetesProject(
    kubeconfig: string,
    program: string,
    files: Record<string, string> = {},
    { plugins = {}, env }: ProjectOptions = {},
): Promise<Project> {
    const project = await Project.create(
        {
            "Pulumi.yaml": JSON.stringify({
                name: "test",
                runtime: { name: "nodejs", options: { typescript: false } },
                main: "index.js",
                plugins: {
                    providers: [
                        { name: "stackrun", path: path.join(REPO, "bin") },
                        { name: "kubernetes", path: PLUGIN_FOLDER },
                        ...Object.entries(plugins).map(([name, folder]) => ({ name, path: folder })),
                    ],
                },
            }),
            ...files,
        },
        withKubernetes(program),
        { env },
    );
    await project.expectOk(["config", "set", "--stack", "dev", "kubernetes:kubeconfig", kubeconfig]);
    return project;
}

/** For `project.program`. */
export function withKubernetes(program: string): string {
    return `const k8s = require("@pulumi/kubernetes");\n${program}`;
}
