import type { Properties } from "../../../../src/provider/values";

/** What the provider of the stand-in understands, with the environment variables that stand behind it. */
export interface ProviderConfig {
    readonly kubeconfig?: string;
    readonly context?: string;
    readonly cluster?: string;
    readonly namespace?: string;
    readonly deleteUnreachable: boolean;
    readonly skipUpdateUnreachable: boolean;
    readonly enableConfigMapMutable: boolean;
    readonly enableSecretMutable: boolean;
    readonly enablePatchForce: boolean;
    readonly upsertExistingObjects: boolean;
}

// All keys of the real provider, 4.34. Those that this one can't honour are refused with a reason.
const TEXTS = ["kubeconfig", "context", "cluster", "namespace", "clusterIdentifier", "renderYamlToDirectory"];
const FLAGS = [
    "deleteUnreachable",
    "skipUpdateUnreachable",
    "enableConfigMapMutable",
    "enableSecretMutable",
    "enablePatchForce",
    "enableServerSideApply",
    "upsertExistingObjects",
    "alwaysRender",
    "strictMode",
    "suppressDeprecationWarnings",
    "suppressHelmHookWarnings",
];
const SETTINGS = ["kubeClientSettings", "helmReleaseSettings"];
const OF_THE_ENGINE = ["version", "pluginDownloadURL", "__internal"];

/** What is wrong with a provider's arguments, all at once. */
export function configMistakes(config: Properties): { property: string; reason: string }[] {
    const known = [...TEXTS, ...FLAGS, ...SETTINGS];
    const mistakes: { property: string; reason: string }[] = [];
    for (const [property, value] of Object.entries(config)) {
        if (OF_THE_ENGINE.includes(property) || value === null) {
            continue;
        }
        if (!known.includes(property)) {
            mistakes.push({
                property,
                reason: `unknown provider argument; there are ${known.sort().join(", ")}`,
            });
        } else if (TEXTS.includes(property) && typeof value !== "string") {
            mistakes.push({ property, reason: "must be a string" });
        } else if (FLAGS.includes(property) && !["true", "false"].includes(String(value))) {
            mistakes.push({ property, reason: "must be true or false" });
        }
    }
    if (config.renderYamlToDirectory) {
        for (const property of ["cluster", "context", "kubeconfig"].filter((key) => config[key])) {
            mistakes.push({
                property,
                reason: `"${property}" arg is not compatible with "renderYamlToDirectory" arg`,
            });
        }
    }
    return mistakes;
}

export function readConfig(config: Properties): ProviderConfig {
    if (config.renderYamlToDirectory || String(config.enableServerSideApply) === "false") {
        throw new Error(
            "this stand-in for the Kubernetes provider neither renders YAML nor works without server-side apply",
        );
    }
    const text = (key: string) => (typeof config[key] === "string" && config[key] ? config[key] : undefined);
    const flag = (key: string, variable: string) => String(config[key] ?? process.env[variable]) === "true";
    return {
        kubeconfig: text("kubeconfig"),
        context: text("context"),
        cluster: text("cluster"),
        namespace: text("namespace"),
        deleteUnreachable: flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
        skipUpdateUnreachable: flag("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
        enableConfigMapMutable: flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
        enableSecretMutable: flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
        enablePatchForce: flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
        upsertExistingObjects: flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
    };
}
