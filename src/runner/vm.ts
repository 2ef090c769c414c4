import * as fs from "node:fs";
import * as path from "node:path";
import { shQuote } from "./quote";

/** The clouds whose machines run pipelines. */
export type VmCloud = "gce";

/** What a machine has to know of its attempt. None of it is secret. */
export interface VmSettings {
    /** rclone's name of the artifact store: `stackrun:bucket/prefix`. */
    readonly remote: string;
    readonly runId: string;
    readonly attempt: number;
    readonly nonce: string;
    /** Undefined: the image holds the code. */
    readonly codeHash?: string;
    readonly image: string;
    /** Has rclone, and a shell with the usual tools. */
    readonly transferImage: string;
    /** Variables of rclone: the remote's configuration. */
    readonly rcloneEnv: Readonly<Record<string, string>>;
    /**
     * `uid` or `uid:gid` that the steps run as.
     * @default - the image's own
     */
    readonly user?: string;
    /** Between TERM and KILL of a step. A Spot machine has no more than 15 s, whatever is said here. */
    readonly graceSeconds: number;
    /** The platform may take the machine, with 30 s of notice. */
    readonly spot: boolean;
    /** Registries that take the machine's identity, beside the cloud's own. */
    readonly registries?: readonly string[];
    /** Secrets by the name of their variable: `projects/p/secrets/s/versions/1`. */
    readonly secrets?: Readonly<Record<string, string>>;
    /** For `docker run --gpus`. */
    readonly gpus?: string;
    /** Size of /dev/shm: `2g`. */
    readonly shmSize?: string;
    /** @default - Google's Secret Manager */
    readonly secretsEndpoint?: string;
    /**
     * How often something is tried before it has failed.
     * @default 8 - a minute and a half
     */
    readonly tries?: number;
    /**
     * How long a machine stays whose failure is on its console only.
     * @default 60
     */
    readonly lingerSeconds?: number;
}

/** What user data may have on the clouds. */
const MAX_BYTES = 16 * 1024;

/**
 * The startup script of a machine, for every one of its boots.
 * @throws RangeError if it is larger than a cloud takes, or if a setting can't be handed to a machine
 */
export function vmBootScript(cloud: VmCloud, settings: VmSettings): string {
    check(settings);
    const values = assignments(settings);
    let end = "stackrun-ends";
    while (values.includes(end)) {
        end += "-";
    }
    const head = [
        "#!/bin/sh",
        "umask 077",
        'sr_run="${STACKRUN_MACHINE_DIR:-/run/stackrun}"',
        `mkdir -p "$sr_run" && cat > "$sr_run/settings.sh" <<'${end}'`,
        `${values}${end}`,
        "# shellcheck source=/dev/null",
        '. "$sr_run/settings.sh"',
        "",
    ].join("\n");
    const script = head + [cloudFile(cloud), "base.sh", "boot.sh"].map(part).join("\n");
    const size = Buffer.byteLength(script);
    if (size > MAX_BYTES) {
        throw new RangeError(
            `the machine's startup script has ${size} bytes, ${MAX_BYTES} at most are allowed: ` +
                `its settings have ${Buffer.byteLength(values)}`,
        );
    }
    return script;
}

/** The files that are the same for every run, below `boot/` in the store: the rest of the machine's side. */
export function vmFiles(cloud: VmCloud): Record<string, string> {
    const settings =
        '#!/bin/sh\n# shellcheck source=/dev/null\n. "${STACKRUN_MACHINE_DIR:-/run/stackrun}/settings.sh"\n';
    return {
        "vm.sh": settings + ["base.sh", "vm.sh", "main.sh"].map(part).join("\n"),
        "stream.sh": part("stream.sh"),
        "cloud.sh": part(cloudFile(cloud)),
    };
}

function assignments(settings: VmSettings): string {
    const lines = (entries: Readonly<Record<string, string>> = {}) =>
        Object.entries(entries)
            .map(([name, value]) => `${name}=${value}`)
            .join("\n");
    const values: Record<string, string> = {
        REMOTE: settings.remote,
        RUN_ID: settings.runId,
        ATTEMPT: String(settings.attempt),
        NONCE: settings.nonce,
        CODE_HASH: settings.codeHash ?? "",
        IMAGE: settings.image,
        TRANSFER_IMAGE: settings.transferImage,
        RCLONE_ENV: lines(settings.rcloneEnv),
        USER: settings.user ?? "",
        GRACE_SECONDS: String(Math.ceil(settings.graceSeconds)),
        SPOT: settings.spot ? "1" : "",
        REGISTRIES: (settings.registries ?? []).join(" "),
        SECRETS: lines(settings.secrets),
        GPUS: settings.gpus ?? "",
        SHM: settings.shmSize ?? "",
        SECRETS_ENDPOINT: settings.secretsEndpoint ?? "",
        TRIES: String(settings.tries ?? ""),
        LINGER_SECONDS: String(settings.lingerSeconds ?? ""),
    };
    return Object.entries(values)
        .map(([name, value]) => `STACKRUN_${name}=${shQuote(value)}\n`)
        .join("");
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LINE = /^[^\n\r]*$/;

/** What would be something else on the machine than it is here. */
function check(settings: VmSettings): void {
    const texts = { ...settings, ...settings.rcloneEnv, ...settings.secrets } as Record<string, unknown>;
    const names = [...Object.keys(settings.rcloneEnv), ...Object.keys(settings.secrets ?? {})];
    const mistakes = [
        ...names.filter((name) => !VARIABLE.test(name)).map((name) => `${name} is no variable's name`),
        ...Object.entries(texts)
            .filter(([, value]) => typeof value === "string" && !LINE.test(value))
            .map(([name]) => `${name} has more than one line`),
        ...(settings.user === undefined || /^\d+(:\d+)?$/.test(settings.user)
            ? []
            : [`the user ${JSON.stringify(settings.user)} is not uid or uid:gid`]),
    ];
    if (mistakes.length > 0) {
        throw new RangeError(`the machine's settings can't be written: ${mistakes.join("; ")}`);
    }
}

function cloudFile(cloud: VmCloud): string {
    return `${cloud}.sh`;
}

const parts = new Map<string, string>();

function part(name: string): string {
    const text = parts.get(name) ?? fs.readFileSync(path.join(__dirname, "vm", name), "utf8");
    parts.set(name, text);
    return text;
}
