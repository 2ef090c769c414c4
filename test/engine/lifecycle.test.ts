import { Project } from "../support/project";

const PIPELINE = `
name: two steps
params: {greeting: hello}
steps:
  - name: first
    run: echo "$STACKRUN_PARAM_GREETING" > "$STACKRUN_OUTPUTS/word" && cat code.txt && echo first >> "$TRACE"
    outputs: [word]
  - name: second
    run: cat "$STACKRUN_INPUTS/word" && echo "score=0.5" >> "$STACKRUN_METRICS" && echo second >> "$TRACE"
    inputs: {word: first/word}
`;

describe("a run is a stack update", () => {
    let project: Project;
    beforeAll(async () => {
        project = await Project.create({ "pipeline.yaml": PIPELINE, "code.txt": "code 1\n" });
    }, 120_000);
    afterAll(() => project.dispose());

    it("previews without starting anything, and runs at the first `up`", async () => {
        const preview = await project.preview();
        expect(preview.stdout + preview.stderr).toMatch(/stackrun:index:Run\b/);
        expect(preview.code).toBe(0);
        const up = await project.up([], { TRACE: `${project.dir}/.home/trace` });
        expect(up.stdout + up.stderr).toContain("second | hello");
        expect(up.code).toBe(0);
    }, 60_000);
});
