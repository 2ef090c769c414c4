import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { Project, REPO } from "../support/project";

// `npm start`, after its bootstrap, in a folder that looks like a checkout.
describe("npm start", () => {
    let project: Project;
    beforeAll(async () => {
        project = await Project.create({
            "examples/weather/pipeline.yaml": "name: weather\nsteps: [{name: one, run: echo started}]\n",
            "elsewhere/.keep": "",
        });
    }, 120_000);
    afterAll(() => project.dispose());

    it.each<[string, (elsewhere: string) => NodeJS.ProcessEnv]>([
        ["PULUMI_BACKEND_URL", (elsewhere) => ({ PULUMI_BACKEND_URL: elsewhere })],
        ["a service that can't be reached", () => ({ PULUMI_BACKEND_URL: "https://127.0.0.1:1" })],
        ["an access token", () => ({ PULUMI_BACKEND_URL: undefined, PULUMI_ACCESS_TOKEN: "pul-0" })],
        [
            "a login",
            (elsewhere) => {
                const login = { current: elsewhere, accounts: { [elsewhere]: {} } };
                project.write({ "login/credentials.json": JSON.stringify(login) });
                return { PULUMI_BACKEND_URL: undefined, PULUMI_HOME: path.join(project.dir, "login") };
            },
        ],
    ])(
        "runs on this machine and keeps its stack in the checkout, whatever is chosen by %s",
        async (_, chosen) => {
            const env = chosen(pathToFileURL(path.join(project.dir, "elsewhere")).href);
            const args = [path.join(REPO, "scripts/start.js"), "--again", "--json"];
            const { code, stdout, stderr } = await project.start(process.execPath, args, env).ended;
            expect(stderr).toContain("one  │ started");
            expect(code).toBe(0);
            const { runId } = JSON.parse(stdout) as { runId: string };
            // The record of a local run, in the stack of this folder.
            expect(project.exists(`.stackrun/runs/${runId}/steps/one/log`)).toBe(true);
            expect(project.read(".stackrun/pulumi/.pulumi/stacks/weather/dev.json")).toContain(runId);
            expect(project.exists("elsewhere/.pulumi")).toBe(false);
        },
        60_000,
    );
});
