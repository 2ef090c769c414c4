import { stripVTControlCharacters } from "node:util";
import { Project, until, type RunningCommand } from "../support/project";
import { describeWithTool } from "../support/shells";

const PIPELINES = {
    "good.yaml": "name: good\nsteps: [{name: a, run: echo hi}]\n",
    // Where no code is looked for, the step tells that it has ended.
    "slow.yaml": "name: slow\nsteps: [{name: wait, run: sleep 3; echo waited; touch .home/ended}]\n",
};

// The command as a person sees it.
describeWithTool("script", "on a terminal", () => {
    let project: Project;
    beforeAll(async () => {
        project = await Project.create(PIPELINES);
    }, 120_000);
    afterAll(() => project.dispose());

    const shown = (command: RunningCommand) => stripVTControlCharacters(command.output());

    describe("`destroy` asks", () => {
        const stack = ".stackrun/pulumi/.pulumi/stacks/good/dev.json";
        const answer = async (keys: string) => {
            const destroy = project.startOnTerminal(["destroy", "good.yaml"]);
            await destroy.seen(/Destroy it\? \[y\/N\] /);
            const before = project.exists(stack);
            destroy.child.stdin?.write(keys);
            const { code } = await destroy.ended;
            return { code, before, shown: shown(destroy) };
        };
        beforeAll(async () => {
            await project.stackrun(["run", "good.yaml"]);
        }, 60_000);

        it.each([
            ["n", "n\r"],
            ["nothing", "\r"],
            ["neither yes nor no", "yo\r"],
            ["Ctrl-C", "\u0003"],
            ["the end of the input", "\u0004"],
        ])(
            "and destroys nothing after %s",
            async (_, keys) => {
                const { code, shown } = await answer(keys);
                expect(shown).toContain("what runs is cancelled, the stack is removed");
                expect(shown).toContain("nothing was destroyed");
                expect(code).toBe(130);
                expect(project.exists(stack)).toBe(true);
            },
            30_000,
        );

        it("and destroys after y", async () => {
            const { code, before, shown } = await answer("y\r");
            expect(before).toBe(true);
            expect(shown).toContain("stack dev of pipeline good is destroyed");
            expect(code).toBe(0);
            expect(project.exists(stack)).toBe(false);
        }, 60_000);
    });

    it("`run` shows what it does from the start, and a step that runs while it runs", async () => {
        const run = project.startOnTerminal(["run", "slow.yaml"]);
        await until(
            () => shown(run).trim() !== "",
            30_000,
            () => "the first sign",
        );
        // Long before the run itself has begun.
        expect(shown(run)).toContain("starting pipeline slow …");
        expect(shown(run)).not.toContain("▶");
        expect(project.exists(".stackrun/projects/slow")).toBe(false);
        await until(
            () => shown(run).includes("wait 1/1"),
            30_000,
            () => "a sign of the step",
        );
        expect(project.exists(".home/ended")).toBe(false);
        expect(shown(run)).not.toContain("waited");
        const { code } = await run.ended;
        expect(shown(run)).toMatch(/wait +│ waited/);
        expect(code).toBe(0);
    }, 60_000);

    it("`run` leaves no status line behind, whatever comes of it", async () => {
        for (const [args, last] of [
            [["good.yaml"], "good.yaml --again"],
            [["good.yaml"], "Nothing has changed"],
            [["good.yaml", "--preview"], "Nothing"],
            [["good.yaml", "--json"], "}"],
        ] as const) {
            const run = project.startOnTerminal(["run", ...args]);
            const { code } = await run.ended;
            expect(code).toBe(0);
            expect(run.output()).toContain(last);
            expect(leftOn(run.output())).not.toContain("starting");
        }
    }, 120_000);
});

/** What a person still sees: without the lines that were cleared. */
function leftOn(output: string): string {
    return output
        .split("\n")
        .map((line) => line.slice(line.lastIndexOf("\u001b[2K") + 1))
        .join("\n");
}
