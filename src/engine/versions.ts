/** The engine that is installed or built when there is none. */
export const ENGINE_VERSION = "3.213.0";

/** The Node.js language host that is built with it: the last of its module that carries the host's source. */
export const LANGUAGE_HOST_VERSION = "3.68.0";

/**
 * The oldest engine taken from PATH. What the plugin needs (Handshake, `plugins` in Pulumi.yaml, view resources) is
 * older; but only an engine newer than 3.205 sends its events over `--event-log tcp://`. With an older one the SDK
 * polls a file instead, and no such engine is ever tested here.
 */
export const OLDEST_ENGINE = "3.206.0";

type Version = readonly [number, number, number];

/** The first version in a command's output ("v3.213.0", "3.214.0-alpha.1"), without what follows the patch number. */
export function findVersion(text: string): string | undefined {
    return /\bv?(\d+\.\d+\.\d+)/.exec(text)?.[1];
}

/** Whether `version` is of the same major version as `oldest`, and not older. */
export function isNewEnough(version: string, oldest: string): boolean {
    const [a, b] = [parse(version), parse(oldest)];
    return a[0] === b[0] && (a[1] !== b[1] ? a[1] > b[1] : a[2] >= b[2]);
}

function parse(version: string): Version {
    const [major = 0, minor = 0, patch = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
    return [major, minor, patch];
}
