import { emulatorUrl } from "./emulator";
import type { StorePlace } from "./url";

/** The remote's name in rclone's configuration. */
const NAME = "stackrun";

/** A store as rclone reaches it, on the machine that runs the pipeline. */
export interface RcloneRemote {
    /** `stackrun:bucket/prefix`; what stands below is reached by `<remote>/<key>`. */
    readonly remote: string;
    /** The configuration of the remote, as environment variables. There is no secret in it: the machine's own identity is used. */
    readonly env: Readonly<Record<string, string>>;
}

/** `emulator` is the address of a stand-in for Google's service, as Google's own clients read it from the environment. */
export function rcloneRemote(place: StorePlace, emulator = process.env.STORAGE_EMULATOR_HOST): RcloneRemote {
    const endpoint = emulatorUrl(emulator);
    switch (place.kind) {
        case "file":
            return { remote: `${NAME}:${place.prefix}`, env: variables({ type: "local" }) };
        case "gs":
            return {
                remote: `${NAME}:${[place.bucket, place.prefix].filter(Boolean).join("/")}`,
                env: variables({
                    type: "google cloud storage",
                    // Without it every upload names an access list, which a bucket with uniform access refuses.
                    bucket_policy_only: "true",
                    // It would ask for the right to make buckets.
                    no_check_bucket: "true",
                    ...(endpoint
                        ? { anonymous: "true", endpoint: `${endpoint}/storage/v1/` }
                        : { env_auth: "true" }),
                }),
            };
    }
}

function variables(settings: Record<string, string>): Record<string, string> {
    return Object.fromEntries(
        Object.entries(settings).map(([key, value]) => [
            `RCLONE_CONFIG_${NAME.toUpperCase()}_${key.toUpperCase()}`,
            value,
        ]),
    );
}
