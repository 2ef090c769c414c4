import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { REPO } from "../../support/project";
import { describeWithTool } from "../../support/shells";

const FOLDER = path.join(REPO, "test/support/kubernetes");

describeWithTool("shellcheck", "the scripts of the test cluster", () => {
    test("have nothing that shellcheck would change", () => {
        const scripts = fs.readdirSync(FOLDER).filter((name) => name.endsWith(".sh"));
        expect(scripts).toContain("cluster.sh");

        const { stdout, status } = spawnSync("shellcheck", ["-x", ...scripts], {
            cwd: FOLDER,
            encoding: "utf8",
        });

        expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
    });
});
