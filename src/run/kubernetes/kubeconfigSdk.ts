import * as http from "node:http";
import type { KubeConfig } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { loadPeer } from "../peer";
import type { Cluster, Kubeconfig } from "./kubeconfig";
import { explain, UnreachableError } from "./unreachable";

/** Any kubeconfig, read by the SDK: with the plugins and programs by which one logs in. */
export async function clusterBySdk(found: Kubeconfig): Promise<Cluster> {
    const { source } = found;
    const config = await configBySdk(found);
    const cluster = config.getCurrentCluster();
    if (!cluster) {
        throw new UnreachableError(
            `${source} has no cluster for the context "${config.getCurrentContext() ?? ""}"; choose one of its contexts with \`context\``,
        );
    }
    return {
        source,
        server: new URL(cluster.server),
        namespace: config.getContextObject(config.getCurrentContext())?.namespace,
        sdk: () => Promise.resolve(config),
        authorize: async (request) => {
            await config.applyToHTTPSOptions(request);
            // Each request on a connection of its own: the SDK's agent differs between its versions, and is not for plain HTTP.
            if (!isProxied(request.agent)) {
                request.agent = false;
            }
        },
    };
}

/** @throws UnreachableError if it can't be read, or has no such context */
export async function configBySdk(found: Kubeconfig): Promise<KubeConfig> {
    const { source, file, text } = found;
    const sdk = await loadSdk();
    const config = new sdk.KubeConfig();
    try {
        if (text !== undefined) {
            config.loadFromString(text);
        } else if (file !== undefined) {
            config.loadFromFile(file);
        } else {
            config.loadFromDefault();
        }
    } catch (error) {
        const why = explain(error as Error);
        throw new UnreachableError(`${source} can't be read: ${why}`, { cause: error });
    }
    choose(config, found);
    return config;
}

function choose(config: KubeConfig, { source, context }: Kubeconfig): void {
    if (context === undefined) {
        return;
    }
    if (!config.getContextObject(context)) {
        const names = config.getContexts().map(({ name }) => name);
        throw new UnreachableError(
            `${source} has no context "${context}"; it has ${names.join(", ") || "none"}`,
        );
    }
    config.setCurrentContext(context);
}

/** The official client, if it is installed. */
export async function loadSdk() {
    const name = "@kubernetes/client-node";
    try {
        return await loadPeer(name, () => import("@kubernetes/client-node"), "a run in Kubernetes");
    } catch (error) {
        if (error instanceof TypeError && Number(process.versions.node.split(".")[0]) < 22) {
            throw new Error(
                `version 2 of ${name} needs Node.js 22, and this is ${process.versions.node}: npm install ${name}@1`,
                { cause: error },
            );
        }
        throw error;
    }
}

// What does the proxy's work in the SDK is an agent of another package.
function isProxied(agent: unknown): boolean {
    return agent instanceof http.Agent && /Proxy/.test(agent.constructor.name);
}
