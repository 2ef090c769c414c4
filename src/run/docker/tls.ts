import * as fs from "node:fs";
import * as path from "node:path";
import type { DockerOptions } from "dockerode";
import type { DockerFollowerOptions } from "./options";

type Certificates = Pick<DockerOptions, "ca" | "cert" | "key">;

const FILES = { ca: "ca.pem", cert: "cert.pem", key: "key.pem" } as const;

/** As Pulumi's provider finds them, which has declared the container: undefined if there are none, and so no TLS. */
export function certificates(
    options: DockerFollowerOptions,
    env: NodeJS.ProcessEnv,
): Certificates | undefined {
    const ca = options.ca || env.DOCKER_CA_MATERIAL;
    const cert = options.cert || env.DOCKER_CERT_MATERIAL;
    const key = options.key || env.DOCKER_KEY_MATERIAL;
    // A CA alone is not looked at: the folder may have another one.
    if (cert || key) {
        return { ca, cert, key };
    }
    const folder = options.certPath || env.DOCKER_CERT_PATH;
    return folder
        ? { ca: read(folder, "ca"), cert: read(folder, "cert"), key: read(folder, "key") }
        : undefined;
}

function read(folder: string, what: keyof typeof FILES): string {
    const file = path.join(folder, FILES[what]);
    try {
        return fs.readFileSync(file, "utf8");
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        throw new Error(
            `the certificate ${file} can't be read (${code}); DOCKER_CERT_PATH, or the provider's certPath, has to name a folder with ${Object.values(FILES).join(", ")}`,
            { cause: error },
        );
    }
}

/** An error of Node.js's. */
interface Failure {
    readonly code?: string;
    readonly message?: string;
}

type Troubles = readonly (readonly [RegExp, string])[];

/** What Node.js itself finds wrong with the daemon's certificate, by its codes: what it means, and what to do. */
const OF_ITS_CERTIFICATE: Troubles = [
    [
        /^(UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|CERT_SIGNATURE|CERT_UNTRUSTED)/,
        "its certificate was not signed by the CA that was given; put the right one into ca.pem of DOCKER_CERT_PATH, or of the provider's certPath",
    ],
    [
        /^ERR_TLS_CERT_ALTNAME_INVALID$/,
        "its certificate is for another name; use that one as host, or have the certificate made for this one",
    ],
    [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, "its certificate is out of its time; have it renewed"],
];

/** How a handshake ends, in the words of OpenSSL: those of the message, where the code is no more than EPROTO. */
const OF_THE_HANDSHAKE: Troubles = [
    [
        /wrong version number|http request|packet length too long/,
        "it speaks no TLS; correct the port, or leave out DOCKER_CERT_PATH",
    ],
    [
        /alert protocol version|inappropriate fallback|unsupported protocol|version too low/,
        "it and this side have no version of TLS in common; update the older one of the two",
    ],
    [
        /alert handshake failure/,
        "it wants a certificate of this side and got none, or has no cipher in common with this side; give a certificate as cert.pem and key.pem, or see what the daemon's log says",
    ],
    [
        /certificate|alert unknown ca|alert access denied/,
        "it does not take the certificate of this side; give one that its CA has signed, as cert.pem and key.pem",
    ],
    [/./, "the handshake was broken off; see what the daemon's log says"],
];

/** What a failure of TLS means; undefined if it is another one. */
export function tlsTrouble({ code = "", message = "" }: Failure): string | undefined {
    if (code !== "EPROTO" && !code.startsWith("ERR_SSL_")) {
        return meaning(OF_ITS_CERTIFICATE, code);
    }
    return meaning(OF_THE_HANDSHAKE, `${code} ${message}`.replaceAll("_", " ").toLowerCase());
}

function meaning(troubles: Troubles, said: string): string | undefined {
    return troubles.find(([pattern]) => pattern.test(said))?.[1];
}

/** The code of a failure, with the reason that OpenSSL gives where the code tells none. */
export function tlsReason({ code, message = "" }: Failure): string {
    const [, reason] = /SSL routines:[^:]*:([^:\n]+)/.exec(message) ?? [];
    return code === "EPROTO" && reason ? `EPROTO, ${reason}` : String(code);
}

/** A daemon behind TLS was spoken to without. */
export function needsTls(said: string): boolean {
    return /HTTP request to an HTTPS server/i.test(said);
}
