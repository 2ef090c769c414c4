/**
 * The address of a stand-in for Google Cloud Storage, `http://host:port`, where the environment names one; as all of
 * Google's clients do, without a scheme too.
 */
export function emulatorUrl(host = process.env.STORAGE_EMULATOR_HOST): string | undefined {
    if (!host) {
        return undefined;
    }
    return (host.includes("://") ? host : `http://${host}`).replace(/\/+$/, "");
}
