import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "./sdk";

/**
 * The folder of the program's `Pulumi.yaml`. Older language hosts don't tell it (the SDK then answers with a
 * placeholder): it is looked for from the working directory upwards.
 */
export function projectRoot(): string {
    const told = pulumi.runtime.getRootDirectory();
    if (path.isAbsolute(told)) {
        return told;
    }
    for (let folder = process.cwd(); ; folder = path.dirname(folder)) {
        if (
            ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"].some((name) =>
                fs.existsSync(path.join(folder, name)),
            )
        ) {
            return folder;
        }
        if (folder === path.dirname(folder)) {
            return process.cwd();
        }
    }
}
