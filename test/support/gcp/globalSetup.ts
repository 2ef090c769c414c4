import { MissingPackages } from "../aptPackages";
import { buildGcs } from "../gcs/server";
import { createBackend, type BackendName } from "./machines/backends";

/** Installs and builds what beds need, once for this machine: before the first test, whose time it would count against. */
export default async function setup(): Promise<void> {
    await buildGcs();
    for (const name of ["container", "vm"] satisfies BackendName[]) {
        try {
            await createBackend(name).prepare();
        } catch (error) {
            if (!(error instanceof MissingPackages) || process.env.CI) {
                throw error;
            }
            process.env[`STACKRUN_TEST_GCP_NO_${name.toUpperCase()}`] = error.message;
        }
    }
}
