import { execFile } from "node:child_process";
import * as path from "node:path";
import { promisify } from "node:util";

const REPO = path.resolve(__dirname, "../../..");

/**
 * Runs a script that may `await` in a Node.js process of its own, for what loads the client library of Kubernetes: it is
 * an ES module, and Jest takes long over its hundreds of files. `src("x")` loads a module of src/.
 * @returns what the script returned, or the message of what it threw
 */
export async function inPlainNode(script: string): Promise<string> {
    const program = `
        const path = require("node:path");
        const src = (name) => require(path.join(${JSON.stringify(REPO)}, "src", name + ".ts"));
        (async () => { ${script} })().then(
            (value) => value ?? "nothing was refused",
            (error) => error.message,
        ).then((text) => process.stdout.write(text, () => process.exit()));`;
    const args = ["--require", path.join(REPO, "test/support/swcRegister.js"), "--eval", program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: REPO, timeout: 60_000 });
    return stdout;
}
