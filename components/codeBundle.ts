import * as path from "node:path";
import * as pulumi from "./sdk";
import { BundleError, humanSize, scanCode, type CodeTree } from "../src/bundle";
import { BadInputError } from "./errors";

export interface CodeOptions {
    /** Absolute path. */
    readonly codeDir: string;
    /** Absolute path; keeps hashes of unchanged files. */
    readonly stateDir: string;
    /** The code is used where it is: nothing is uploaded, so its size has no limit. */
    readonly inPlace: boolean;
}

/** Finds out which files belong to a run, and says what was left out, in the component's row. */
export function codeHash(component: pulumi.Resource, options: CodeOptions): pulumi.Output<string> {
    return pulumi.output(
        scan(options).then((tree) => {
            // The SDK says things one after the other: one about a component that is never declared would hold up the rest.
            component.urn.apply(() => show(component, tree));
            return tree.hash;
        }),
    );
}

async function scan({ codeDir, stateDir, inPlace }: CodeOptions): Promise<CodeTree> {
    try {
        const cacheFile = path.join(stateDir, "bundle-cache.json");
        return await scanCode(codeDir, { cacheFile, ...(inPlace ? { maxBytes: Infinity } : {}) });
    } catch (error) {
        if (error instanceof BundleError) {
            throw new BadInputError([`code: ${error.message}`]);
        }
        throw error;
    }
}

async function show(component: pulumi.Resource, tree: CodeTree): Promise<void> {
    for (const warning of tree.warnings) {
        await pulumi.log.warn(warning, component);
    }
    await pulumi.log.info(describe(tree), component, undefined, true);
}

/** `code: 12 files, 48 KiB; left out: node_modules/, .env` */
function describe({ entries, totalSize, leftOut, leftOutCount }: CodeTree): string {
    const shown = leftOut.slice(0, 5).map((one) => one.path);
    const more = leftOutCount > shown.length ? ` and ${leftOutCount - shown.length} more` : "";
    const files = entries.length === 1 ? "1 file" : `${entries.length} files`;
    return `code: ${files}, ${humanSize(totalSize)}${shown.length > 0 ? `; left out: ${shown.join(", ")}${more}` : ""}`;
}
