import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { BundleError, scanCode, writeBundle, type BundleFile, type CodeTree } from "../../bundle";
import { ProviderError } from "../handler";

/** Which code is meant: a folder, and the hash that it had when the run was declared. */
export interface CodeInput {
    readonly codeDir: string;
    readonly codeHash: string;
    /** Hashes of unchanged files are kept there. */
    readonly stateDir: string;
}

/** Makes the archive of the code for as long as `use` needs it. */
export async function withBundle<T>(
    { codeDir, codeHash, stateDir }: CodeInput,
    use: (tree: CodeTree, bundle: BundleFile, file: string) => Promise<T>,
): Promise<T> {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), "stackrun-code-"));
    try {
        const tree = await scanCode(codeDir, { cacheFile: path.join(stateDir, "bundle-cache.json") });
        if (tree.hash !== codeHash) {
            throw new ProviderError(
                "the code has changed while it was being uploaded: type the command again",
            );
        }
        const file = path.join(folder, "code.tar.gz");
        return await use(tree, await writeBundle(tree, file), file);
    } catch (error) {
        throw error instanceof BundleError ? new ProviderError(`code: ${error.message}`) : error;
    } finally {
        await fs.rm(folder, { recursive: true, force: true });
    }
}
