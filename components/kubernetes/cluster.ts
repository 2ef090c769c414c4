import { Config } from "@pulumi/pulumi/config";
import { Provider } from "@pulumi/kubernetes/provider";
import * as pulumi from "../sdk";
import type { KubernetesOrchestratorArgs } from "./args";

/** How the cluster is reached: by the provider that declares, and by the plugin that uploads and follows. */
export interface Cluster {
    /** Undefined: whatever the component's resources have. */
    readonly provider?: Provider;
    readonly options: {
        readonly kubeconfig?: pulumi.Input<string>;
        readonly context?: pulumi.Input<string>;
        readonly namespace?: pulumi.Input<string>;
    };
}

export function clusterOf(
    parent: pulumi.Resource,
    name: string,
    { kubeconfig, context, namespace }: KubernetesOrchestratorArgs,
): Cluster {
    const config = new Config("kubernetes");
    const given =
        kubeconfig === undefined
            ? undefined
            : pulumi
                  .secret(kubeconfig)
                  .apply((value) => (typeof value === "string" ? value : JSON.stringify(value)));
    const provider =
        given === undefined && context === undefined
            ? undefined
            : new Provider(`${name}-cluster`, { kubeconfig: given, context }, { parent });
    return {
        provider,
        options: known({
            kubeconfig: given ?? config.getSecret("kubeconfig"),
            context: context ?? config.get("context"),
            namespace: namespace ?? config.get("namespace"),
        }),
    };
}

function known<T extends object>(object: T): T {
    return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
