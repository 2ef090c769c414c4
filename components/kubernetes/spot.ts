import type { input as k8s } from "@pulumi/kubernetes/types";

/** How the clouds mark spot nodes. */
const SPOT: readonly { readonly key: string; readonly value: string }[] = [
    { key: "cloud.google.com/gke-spot", value: "true" },
    { key: "eks.amazonaws.com/capacityType", value: "SPOT" },
    { key: "karpenter.sh/capacity-type", value: "spot" },
    { key: "kubernetes.azure.com/scalesetpriority", value: "spot" },
];

/** One of the marks will do: the terms of a node affinity are alternatives. */
export const SPOT_TERMS: readonly k8s.core.v1.NodeSelectorTerm[] = SPOT.map(({ key, value }) => ({
    matchExpressions: [{ key, operator: "In", values: [value] }],
}));

/** AKS taints its spot nodes, GKE may; the others leave that to who makes them, mostly by the same keys. */
export const SPOT_TOLERATIONS: readonly k8s.core.v1.Toleration[] = SPOT.map(({ key, value }) => ({
    key,
    operator: "Equal",
    value,
    effect: "NoSchedule",
}));

/** Spot nodes beside what the user's own affinity asks for: each of its alternatives, on a spot node. */
export function withSpot(affinity: k8s.core.v1.Affinity = {}): k8s.core.v1.Affinity {
    const node = (affinity.nodeAffinity ?? {}) as k8s.core.v1.NodeAffinity;
    const required = (node.requiredDuringSchedulingIgnoredDuringExecution ?? {}) as k8s.core.v1.NodeSelector;
    const own = (required.nodeSelectorTerms ?? []) as k8s.core.v1.NodeSelectorTerm[];
    const nodeSelectorTerms =
        own.length === 0
            ? [...SPOT_TERMS]
            : own.flatMap((term) => SPOT_TERMS.map((spot) => both(term, spot)));
    return {
        ...affinity,
        nodeAffinity: {
            ...node,
            requiredDuringSchedulingIgnoredDuringExecution: { ...required, nodeSelectorTerms },
        },
    };
}

function both(
    term: k8s.core.v1.NodeSelectorTerm,
    spot: k8s.core.v1.NodeSelectorTerm,
): k8s.core.v1.NodeSelectorTerm {
    const expressions = (one: k8s.core.v1.NodeSelectorTerm) =>
        (one.matchExpressions ?? []) as k8s.core.v1.NodeSelectorRequirement[];
    return { ...term, matchExpressions: [...expressions(term), ...expressions(spot)] };
}
