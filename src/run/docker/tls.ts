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
    if (ca || cert || key) {
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

/** What can go wrong with TLS, by the codes of Node.js: what it means, and what to do. */
const TROUBLES: readonly (readonly [RegExp, string])[] = [
    [
        /^(UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|CERT_SIGNATURE|CERT_UNTRUSTED)/,
        "its certificate was not signed by the CA that was given; put the right one into ca.pem of DOCKER_CERT_PATH, or of the provider's certPath",
    ],
    [
        /^ERR_TLS_CERT_ALTNAME_INVALID$/,
        "its certificate is for another name; use that one as host, or have the certificate made for this one",
    ],
    [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, "its certificate is out of its time; have it renewed"],
    [
        /^ERR_SSL_.*(ALERT|CERTIFICATE)/,
        "it does not take the certificate of this side; give one that its CA has signed, as cert.pem and key.pem",
    ],
    [
        /^(ERR_SSL_WRONG_VERSION_NUMBER|EPROTO)$/,
        "it speaks no TLS; correct the port, or leave out DOCKER_CERT_PATH",
    ],
];

/** What a failure of TLS means; undefined if it is another one. */
export function tlsTrouble(code: string | undefined): string | undefined {
    return code === undefined ? undefined : TROUBLES.find(([pattern]) => pattern.test(code))?.[1];
}

/** A daemon behind TLS was spoken to without. */
export function needsTls(said: string): boolean {
    return /HTTP request to an HTTPS server/i.test(said);
}
