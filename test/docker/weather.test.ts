import * as fs from "node:fs";
import * as path from "node:path";
import { describeDocker } from "../support/docker/lane";
import { outcomeFacts } from "../support/outcomeFacts";
import { Project, REPO } from "../support/project";
import { destroy, dockerProject, leftIn, upOk } from "./project";

describeDocker("the weather example", (bed) => {
    test("has the same steps, metrics and artifacts in a container as on this machine", async () => {
        const example = path.join(REPO, "examples/weather");
        const here = await Project.create({});
        // Debian's Node.js is not in the image: this machine's is mounted.
        const node = path.dirname(fs.realpathSync(process.execPath));
        const args = `image: "${await bed.image("debian")}", env: { PATH: "/node:/usr/bin:/bin" },
            volumes: [{ hostPath: "${node}", containerPath: "/node", readOnly: true }]`;
        const there = await dockerProject(bed, {}, args);
        try {
            for (const project of [here, there]) {
                fs.cpSync(example, project.dir, { recursive: true });
                await upOk(project);
            }
            const [local, docker] = await Promise.all([here, there].map((project) => project.outputs()));
            expect(outcomeFacts(docker)).toEqual(outcomeFacts(local));
            expect(Object.keys(docker.artifacts)).toContain("chart/chart.svg");
            await destroy(there);
            expect(await leftIn(bed, there)).toEqual([]);
        } finally {
            here.dispose();
            there.dispose();
        }
    }, 240_000);
});
