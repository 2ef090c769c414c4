import * as fs from "node:fs";
import type * as https from "node:https";
import * as os from "node:os";
import * as path from "node:path";
import type { KubeConfig } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { clusterBySdk } from "./kubeconfigSdk";
import { plainCluster } from "./kubeconfigPlain";

/** Which cluster, and where in it: as the component hands it to the follower. */
export interface ClusterOptions {
    /** A kubeconfig's text, or the path of one; without it what `KUBECONFIG` names, or `~/.kube/config`. */
    readonly kubeconfig?: string;
    readonly context?: string;
    readonly namespace?: string;
}

/** What a kubeconfig tells of one cluster. */
export interface Cluster {
    /** Where that is told, for people. */
    readonly source: string;
    readonly server: URL;
    /** The context's. */
    readonly namespace?: string;
    /** Adds to a request what proves who asks, and how the server is known. */
    authorize(request: https.RequestOptions & { headers: Record<string, string> }): Promise<void>;
    /** The same for the SDK. */
    sdk(): Promise<KubeConfig>;
}

/** Where a kubeconfig is: in a file, in the options, or wherever the SDK finds one. */
export interface Kubeconfig {
    readonly source: string;
    readonly file?: string;
    readonly text?: string;
    readonly context?: string;
}

/**
 * Reads which cluster is meant, and how one logs in to it.
 * @throws UnreachableError if the kubeconfig can't be read, or has no such context
 */
export async function readCluster({ kubeconfig, context }: ClusterOptions): Promise<Cluster> {
    const found = { ...(kubeconfig === undefined ? usual() : given(kubeconfig)), context };
    // The SDK knows all the ways to log in, and takes most of a second of processor time to be loaded.
    return plainCluster(found) ?? clusterBySdk(found);
}

function given(kubeconfig: string): Kubeconfig {
    if (kubeconfig.includes("\n") || kubeconfig.trimStart().startsWith("{")) {
        return { source: "the given kubeconfig", text: kubeconfig };
    }
    const file = kubeconfig.replace(/^~(?=\/)/, os.homedir());
    return { source: `kubeconfig ${file}`, file };
}

function usual(): Kubeconfig {
    const named = process.env.KUBECONFIG;
    if (named) {
        // Several are put together by the SDK.
        return { source: `kubeconfig ${named}`, file: named.includes(path.delimiter) ? undefined : named };
    }
    const file = path.join(os.homedir(), ".kube/config");
    return fs.existsSync(file)
        ? { source: `kubeconfig ${file}`, file }
        : { source: "kubeconfig of this machine (KUBECONFIG is not set, and there is no ~/.kube/config)" };
}
