import * as fs from "node:fs";
import type { SecureContextOptions } from "node:tls";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import type { Properties } from "../../../../src/provider/values";
import type { ProviderConfig } from "./config";

/** How a cluster is reached, and as whom. */
export interface Cluster {
    readonly server: URL;
    readonly namespace?: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly tls: SecureContextOptions & { readonly rejectUnauthorized?: boolean };
}

type Entries<K extends string, T> = readonly ({ readonly name: string } & { readonly [key in K]: T })[];

interface KubeconfigFile {
    readonly "current-context"?: string;
    readonly contexts?: Entries<"context", { cluster: string; user: string; namespace?: string }>;
    readonly clusters?: Entries<"cluster", Record<string, string | boolean | undefined>>;
    readonly users?: Entries<"user", Record<string, string | undefined>>;
}

/** The cluster of a kubeconfig (its text, its path, or where kubectl looks). Users are known by certificate or token. */
export function loadCluster({ kubeconfig, context, cluster }: ProviderConfig): Cluster {
    const file = parse(textOf(kubeconfig ?? defaultPath())) as KubeconfigFile;
    const inUse = find(file.contexts, context ?? file["current-context"] ?? "", "context").context;
    const found = find(file.clusters, cluster ?? inUse.cluster, "cluster").cluster;
    const user = find(file.users, inUse.user, "user").user;
    if (!user.token && !user["client-key-data"] && !user["client-key"]) {
        throw new Error(`user "${inUse.user}" has neither a certificate nor a token`);
    }
    return {
        server: new URL(String(found.server)),
        namespace: inUse.namespace,
        headers: user.token ? { Authorization: `Bearer ${user.token}` } : {},
        tls: {
            ca: dataOf(found, "certificate-authority"),
            cert: dataOf(user, "client-certificate"),
            key: dataOf(user, "client-key"),
            rejectUnauthorized: found["insecure-skip-tls-verify"] !== true,
        },
    };
}

/** What is known of the cluster that a provider's arguments lead to; the same text for the same cluster. */
export function activeCluster({ kubeconfig, context, cluster }: Properties): string {
    if (typeof kubeconfig !== "string" || !kubeconfig) {
        return JSON.stringify([context ?? null, cluster ?? null]);
    }
    try {
        const file = parse(textOf(kubeconfig)) as KubeconfigFile;
        const inUse = find(file.contexts, String(context ?? file["current-context"]), "context").context;
        return JSON.stringify(find(file.clusters, String(cluster ?? inUse.cluster), "cluster"));
    } catch {
        return kubeconfig;
    }
}

function find<E extends { readonly name: string }>(
    entries: readonly E[] | undefined,
    name: string,
    what: string,
): E {
    const found = entries?.find((entry) => entry.name === name);
    if (!found) {
        throw new Error(`${what} "${name}" does not exist in the kubeconfig`);
    }
    return found;
}

function dataOf(entry: Record<string, string | boolean | undefined>, key: string): Buffer | undefined {
    const [data, file] = [entry[`${key}-data`], entry[key]];
    if (data) {
        return Buffer.from(String(data), "base64");
    }
    return file ? fs.readFileSync(String(file)) : undefined;
}

function textOf(pathOrContents: string): string {
    const isPath = !pathOrContents.includes("\n") && !pathOrContents.trimStart().startsWith("{");
    return isPath ? fs.readFileSync(pathOrContents, "utf8") : pathOrContents;
}

function defaultPath(): string {
    return process.env.KUBECONFIG || path.join(os.homedir(), ".kube/config");
}
