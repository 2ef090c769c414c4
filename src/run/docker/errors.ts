import { needsTls, tlsReason, tlsTrouble } from "./tls";

/** An error of the daemon, in a sentence of what happened and one of what to do. */
export class DockerError extends Error {
    override readonly name = "DockerError";
}

interface ApiError {
    readonly statusCode?: number;
    readonly code?: string;
    /** `connect`, where it was no file that was not found. */
    readonly syscall?: string;
    readonly message?: string;
    readonly json?: { readonly message?: string } | string;
}

/** What the daemon was asked for, and where. */
export interface Asked {
    /** As in `the container stackrun-x-1 can't be started`. */
    readonly doing: string;
    readonly address: string;
}

export function isNotFound(error: unknown): boolean {
    return (error as ApiError).statusCode === 404;
}

/** The container is gone, or about to be. */
export function isGone(error: unknown): boolean {
    return isNotFound(error) || /dead or marked for removal|removal of container/.test(saidBy(error));
}

/** The daemon did not answer: it may come back. */
export function isUnreachable(error: unknown): boolean {
    const { code = "", statusCode, syscall, message = "" } = error as ApiError;
    if (statusCode !== undefined || tlsTrouble(error as ApiError)) {
        return false;
    }
    return (
        (syscall === "connect" && !isForbidden(error)) ||
        ["ECONNRESET", "EPIPE", "ENOTFOUND", "EAI_AGAIN", "ERR_STREAM_PREMATURE_CLOSE"].includes(code) ||
        /socket hang up|premature close|^aborted/i.test(message)
    );
}

function isForbidden(error: unknown): boolean {
    const { code = "", syscall } = error as ApiError;
    return syscall === "connect" && ["EACCES", "EPERM"].includes(code);
}

/** What the daemon itself says, without what its client puts around it. */
export function saidBy(error: unknown): string {
    const { json, message = "" } = error as ApiError;
    const said = typeof json === "object" ? json?.message : json;
    return (said || message.replace(/^\(HTTP code \d+\) [\w ]+ - /, "")).trim();
}

/** An error for people; what is known already passes through. */
export function explain(error: unknown, { doing, address }: Asked): Error {
    if (error instanceof DockerError || !isOfDocker(error)) {
        return error as Error;
    }
    const { code } = error as ApiError;
    const options = { cause: error };
    if (isForbidden(error)) {
        return new DockerError(
            `you may not use the Docker daemon at ${address} (${code}); join its group (sudo usermod -aG docker "$USER", then log in again), or name another daemon in DOCKER_HOST`,
            options,
        );
    }
    const trouble = tlsTrouble(error as ApiError);
    if (trouble) {
        return new DockerError(
            `the Docker daemon at ${address} can't be spoken to by TLS (${tlsReason(error as ApiError)}): ${trouble}`,
            options,
        );
    }
    if (needsTls(saidBy(error))) {
        return new DockerError(
            `the Docker daemon at ${address} speaks TLS only; set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to a folder with ca.pem, cert.pem and key.pem`,
            options,
        );
    }
    if (isUnreachable(error)) {
        const start = address.startsWith("ssh:")
            ? "see that `ssh` gets there without a question, and that docker is there"
            : "start it";
        return new DockerError(
            `the Docker daemon at ${address} can't be reached (${code ?? saidBy(error)}); ${start}, or name another one in DOCKER_HOST or dockerHost`,
            options,
        );
    }
    return new DockerError(`${doing}: ${withRemedy(saidBy(error))}`, options);
}

function isOfDocker(error: unknown): boolean {
    return (
        (error as ApiError).statusCode !== undefined ||
        tlsTrouble(error as ApiError) !== undefined ||
        isForbidden(error) ||
        isUnreachable(error)
    );
}

/** What can be said of a daemon's message beyond itself. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
    [
        /exec: \\?"(\/bin\/sh|sh)\\?"|\/bin\/sh: no such file/,
        "the image has no /bin/sh, which the runner needs; choose an image with a shell",
    ],
    [/no such image/i, "pull or build it, or set pullPolicy to IfNotPresent"],
    [/network (\S+) not found/, "create it (docker network create), or correct `network`"],
    [
        /bind source path does not exist|invalid mount config/,
        "make the folder on the daemon's machine, or correct `volumes`",
    ],
    [/port is already allocated|address already in use/, "end what holds the port, or choose another one"],
    [
        /could not select device driver|nvidia/i,
        "the daemon has no GPU runtime: install one, or leave out `gpus`",
    ],
    [/no space left/i, "make room on the daemon's disk (docker system df tells what takes it)"],
    [/Minimum memory limit|memory limit/i, "give the container more `memory`"],
    [/Range of CPUs/i, "ask for no more `cpus` than the daemon's machine has"],
];

/** `…; remedy` */
export function withRemedy(said: string): string {
    const remedy = REMEDIES.find(([pattern]) => pattern.test(said))?.[1];
    return remedy ? `${said}; ${remedy}` : said;
}
