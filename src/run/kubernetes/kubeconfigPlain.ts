import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import type { Cluster, Kubeconfig } from "./kubeconfig";
import { configBySdk } from "./kubeconfigSdk";

interface Named {
    readonly name?: string;
}

interface ClusterEntry {
    readonly server: string;
    readonly "certificate-authority"?: string;
    readonly "certificate-authority-data"?: string;
    readonly "insecure-skip-tls-verify"?: boolean;
    readonly "tls-server-name"?: string;
}

interface UserEntry {
    readonly "client-certificate"?: string;
    readonly "client-certificate-data"?: string;
    readonly "client-key"?: string;
    readonly "client-key-data"?: string;
    readonly token?: string;
}

interface Config {
    readonly clusters?: readonly (Named & { readonly cluster?: ClusterEntry })[];
    readonly users?: readonly (Named & { readonly user?: UserEntry | null })[];
    readonly contexts?: readonly (Named & {
        readonly context?: {
            readonly cluster?: string;
            readonly user?: string;
            readonly namespace?: string;
        };
    })[];
    readonly "current-context"?: string;
}

// Whatever else is said there may matter, and is read by the SDK. https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
const CLUSTER_KEYS: readonly (keyof ClusterEntry)[] = [
    "server",
    "certificate-authority",
    "certificate-authority-data",
    "insecure-skip-tls-verify",
    "tls-server-name",
];
const USER_KEYS: readonly (keyof UserEntry)[] = [
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
];

/**
 * A cluster that one logs in to with a certificate or a token, from one kubeconfig; undefined if there is more to it, or
 * something is wrong: the SDK reads it then, and says what.
 */
export function plainCluster(found: Kubeconfig): Cluster | undefined {
    const { source, file, text, context } = found;
    const config = read(file, text);
    const chosen = config && (context ?? config["current-context"]);
    const place = one(config?.contexts, chosen)?.context;
    const cluster = one(config?.clusters, place?.cluster)?.cluster;
    const user = one(config?.users, place?.user)?.user;
    if (!cluster || !user || !hasOnly(cluster, CLUSTER_KEYS) || !hasOnly(user, USER_KEYS)) {
        return undefined;
    }
    try {
        const server = new URL(cluster.server);
        const tls = tlsOf(cluster, user, file === undefined ? process.cwd() : path.dirname(file));
        const authorize: Cluster["authorize"] = (request) => {
            Object.assign(request, tls, { agent: false });
            if (user.token) {
                request.headers.Authorization = `Bearer ${user.token}`;
            }
            return Promise.resolve();
        };
        return { source, server, namespace: place?.namespace, authorize, sdk: () => configBySdk(found) };
    } catch {
        return undefined;
    }
}

function read(file: string | undefined, text: string | undefined): Config | undefined {
    try {
        const content = text ?? (file === undefined ? undefined : fs.readFileSync(file, "utf8"));
        const config: unknown = content === undefined ? undefined : parse(content);
        return typeof config === "object" && config !== null ? config : undefined;
    } catch {
        return undefined;
    }
}

// An entry that is there twice is not chosen from here.
function one<T extends Named>(list: readonly T[] | undefined, name: string | undefined): T | undefined {
    const found = Array.isArray(list) ? list.filter((entry: T) => entry?.name === name) : [];
    return name !== undefined && found.length === 1 ? (found[0] as T) : undefined;
}

function hasOnly(entry: object, keys: readonly string[]): boolean {
    return Object.entries(entry).every(
        ([key, value]) =>
            keys.includes(key) &&
            typeof value === (key === "insecure-skip-tls-verify" ? "boolean" : "string"),
    );
}

function tlsOf(cluster: ClusterEntry, user: UserEntry, folder: string) {
    const bytes = (data: string | undefined, file: string | undefined) =>
        data ? Buffer.from(data, "base64") : file ? fs.readFileSync(path.resolve(folder, file)) : undefined;
    const ca = bytes(cluster["certificate-authority-data"], cluster["certificate-authority"]);
    const cert = bytes(user["client-certificate-data"], user["client-certificate"]);
    const key = bytes(user["client-key-data"], user["client-key"]);
    const servername = cluster["tls-server-name"];
    return {
        ...(ca && { ca }),
        ...(cert && { cert }),
        ...(key && { key }),
        ...(servername && { servername }),
        ...(cluster["insecure-skip-tls-verify"] === true ? { rejectUnauthorized: false } : {}),
    };
}
