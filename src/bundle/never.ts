import * as path from "node:path";

/** What is never bundled, whatever an ignore file says: secrets, histories, and stackrun's own files. */
const NEVER: readonly (readonly [RegExp, string])[] = [
    [/^\.git$/, ".git: a repository's history"],
    [/^\.pulumi$/, ".pulumi: Pulumi's own files"],
    [/^\.stackrun$/, ".stackrun: stackrun's own files"],
    // They hold encrypted secrets; and each `pulumi config set` would make another bundle, and so another run.
    [/^Pulumi\..+\.ya?ml$/, "Pulumi.<stack>.yaml: a stack's configuration"],
    [/^\.env/, ".env*: often holds secrets"],
    [/^id_(rsa|dsa|ecdsa|ed25519|ecdsa_sk|ed25519_sk)$/, "id_*: a private key"],
    [/\.(p12|pfx|ppk)$/i, "*.p12, *.pfx, *.ppk: a private key"],
];

/** Left out unless `.stackrunignore` says otherwise, in the syntax of `.gitignore`. */
export const DEFAULTS = ["node_modules/", ".venv", "__pycache__/", ".hg/", ".svn/", ".DS_Store"];

/** The rule that keeps this name out of every bundle, if there is one. */
export function neverBundled(name: string): string | undefined {
    return NEVER.find(([pattern]) => pattern.test(name))?.[1];
}

/** How much of a file's beginning `isPrivateKey` needs to see. */
export const LOOK_AT = 64 * 1024;

const PEM = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/;
const PEM_AT_START = new RegExp(`^\\ufeff?\\s*${PEM.source}`);
const SERVICE_ACCOUNT = /"private_key"\s*:\s*"-----BEGIN/;
const KEY_FILE = /\.(pem|key|p8|der)$/i;

/**
 * Whether a file's beginning shows a private key. A file of any name that starts as one is one; further down it counts
 * only in files that are named like keys, because programs and their tests quote such lines.
 */
export function isPrivateKey(file: string, beginning: Buffer): boolean {
    const name = path.basename(file);
    const text = beginning.toString("latin1");
    if (PEM_AT_START.test(text.slice(0, 4096))) {
        return true;
    }
    if (name.endsWith(".json")) {
        return SERVICE_ACCOUNT.test(text);
    }
    if (!KEY_FILE.test(name)) {
        return false;
    }
    return PEM.test(text) || isBinaryKey(beginning);
}

/** A private key in DER is an ASN.1 sequence that starts with a small number, its version; a certificate is none. */
function isBinaryKey(bytes: Buffer): boolean {
    const lengthBytes = bytes[1] >= 0x80 ? bytes[1] - 0x80 : 0;
    const content = 2 + lengthBytes;
    return (
        bytes[0] === 0x30 && bytes[content] === 0x02 && bytes[content + 1] === 1 && bytes[content + 2] <= 1
    );
}
