import type { KubeObject } from "./api";
import type { ProviderConfig } from "./config";

/** Inputs whose change can't be made to the object that is there: by group and kind. */
const REPLACED_BY: Readonly<Record<string, readonly string[]>> = {
    ConfigMap: ["data", "binaryData"],
    Secret: ["type", "data", "stringData"],
    PersistentVolumeClaim: [
        "spec.accessModes",
        "spec.resources",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ],
    Job: ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
    RoleBinding: ["roleRef"],
    ClusterRoleBinding: ["roleRef"],
};
const IDENTITY = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];

export function replaces(object: KubeObject, path: string, config: ProviderConfig): boolean {
    return [...IDENTITY, ...replacedBy(object, config)].some(
        (prefix) => path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`),
    );
}

function replacedBy(object: KubeObject, config: ProviderConfig): readonly string[] {
    const kind = String(object.kind);
    const mutable =
        (kind === "ConfigMap" && config.enableConfigMapMutable) ||
        (kind === "Secret" && config.enableSecretMutable);
    // An object that says of itself that it is immutable is replaced all the same.
    return mutable && object.immutable !== true ? [] : (REPLACED_BY[kind] ?? []);
}
