import { DURATION_ALLOWED, parseDuration } from "../../src/pipeline/duration";
import { isMade, isToBuild } from "../image";
import { flag, isObject, isPlain, show, transferEnv, unknownKeys, whole, type Wrong } from "../checks";
import type { EnvSource, KubernetesOrchestratorArgs, KubernetesVolume, Resource } from "./args";

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const QUANTITY = /^\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$/;
const KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const DEFAULT_GRACE_SECONDS = 10;

/** What is wrong with the arguments that only this orchestrator has, as far as they are known: all of it. */
export function kubernetesMistakes(args: KubernetesOrchestratorArgs, where: string): string[] {
    const mistakes: string[] = [];
    const wrong = (key: string, value: unknown, allowed: string) =>
        mistakes.push(`${where}: ${key} is ${show(value)}; allowed: ${allowed}`);
    const text = (key: string, value: unknown, pattern: RegExp, allowed: string) => {
        if (isPlain(value) && !(typeof value === "string" && pattern.test(value))) {
            wrong(key, value, allowed);
        }
    };
    text("namespace", args.namespace, LABEL, "a DNS label");
    text("context", args.context, /./, "the name of a context");
    text("serviceAccount", args.serviceAccount, /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "a name of Kubernetes");
    text("codeInImage", args.codeInImage, /^\/./, "an absolute path");
    if (typeof args.image !== "object" || !(isToBuild(args.image) || isMade(args.image))) {
        text(
            "image",
            args.image,
            /^\S+$/,
            "the reference of an image, or what to build and where to push it",
        );
    }
    text(
        "imagePullPolicy",
        args.imagePullPolicy,
        /^(Always|IfNotPresent|Never)$/,
        "Always, IfNotPresent, Never",
    );
    flag("spot", args.spot, wrong);
    flag("metadataStore.expose", args.metadataStore?.expose, wrong);
    resource("cpu", args.cpu, wrong);
    resource("memory", args.memory, wrong);
    gpu(args.gpu, wrong);
    whole("maxRecoveries", args.maxRecoveries, 0, wrong);
    whole("maxCodeBytes", args.maxCodeBytes, 1, wrong);
    times(args, wrong);
    keys("labels", args.labels, true, wrong);
    keys("annotations", args.annotations, false, wrong);
    keys("nodeSelector", args.nodeSelector, true, wrong);
    volumes(args.volumes ?? [], wrong);
    workspace(args.workspace, wrong);
    envFrom("envFrom", args.envFrom ?? [], wrong);
    transfer(args, wrong);
    store(args.metadataStore, wrong);
    if (args.transform !== undefined && typeof args.transform !== "function") {
        wrong("transform", args.transform, "a function that returns the pod's spec");
    }
    return mistakes;
}

function resource(key: string, value: Resource | undefined, wrong: Wrong): void {
    const parts = isObject(value) ? Object.entries(value) : [["", value] as const];
    for (const [part, amount] of parts) {
        const name = part ? `${key}.${part}` : key;
        if (part && part !== "request" && part !== "limit") {
            wrong(name, amount, "request, limit");
        } else if (isPlain(amount) && !QUANTITY.test(String(amount))) {
            wrong(name, amount, 'an amount such as 2, "500m" or "4Gi"');
        }
    }
}

function gpu(value: KubernetesOrchestratorArgs["gpu"], wrong: Wrong): void {
    if (isObject(value)) {
        whole("gpu.count", value.count, 1, wrong, true);
        if (typeof value.resource !== "string" || !KEY.test(value.resource)) {
            wrong("gpu.resource", value.resource, 'a resource of the cluster such as "amd.com/gpu"');
        }
    } else {
        whole("gpu", value, 0, wrong);
    }
}

function times(args: KubernetesOrchestratorArgs, wrong: Wrong): void {
    for (const key of ["pendingTimeout", "terminationGracePeriod"] as const) {
        const value = args[key];
        if (value !== undefined && !((parseDuration(value) ?? 0) > 0)) {
            wrong(key, value, DURATION_ALLOWED);
        }
    }
    const period =
        args.terminationGracePeriod === undefined ? undefined : parseDuration(args.terminationGracePeriod);
    const grace = args.grace === undefined ? DEFAULT_GRACE_SECONDS : parseDuration(args.grace);
    if (period !== undefined && grace !== undefined && period > 0 && period <= grace) {
        wrong(
            "terminationGracePeriod",
            args.terminationGracePeriod,
            `more than grace, which is ${grace} s: the runner ends its steps in that time`,
        );
    }
}

function keys(key: string, map: Record<string, unknown> | undefined, isLabel: boolean, wrong: Wrong): void {
    for (const [name, value] of Object.entries(map ?? {})) {
        if (!KEY.test(name) || name.startsWith("stackrun.dev/")) {
            wrong(
                `${key}[${JSON.stringify(name)}]`,
                value,
                "a key of Kubernetes, and not stackrun.dev/…, which stackrun sets",
            );
        } else if (isPlain(value) && (typeof value !== "string" || (isLabel && !LABEL_VALUE.test(value)))) {
            wrong(
                `${key}[${JSON.stringify(name)}]`,
                value,
                isLabel ? "at most 63 letters, digits, -, _ and ." : "a text",
            );
        }
    }
}

function volumes(list: readonly KubernetesVolume[], wrong: Wrong): void {
    const names = new Set<string>(["boot", "code", "work"]);
    const paths = new Set<string>();
    list.forEach((volume, index) => {
        const at = `volumes[${index}]`;
        if (!LABEL.test(volume.name ?? "") || names.has(volume.name)) {
            wrong(`${at}.name`, volume.name, "a DNS label, once, and not boot, code or work");
        }
        names.add(volume.name);
        const { mountPath } = volume;
        const own = /^\/stackrun(\/|$)/.test(mountPath ?? "");
        if (!/^\/[^:]+$/.test(mountPath ?? "") || own || paths.has(mountPath)) {
            wrong(`${at}.mountPath`, mountPath, "an absolute path, once, and not below /stackrun");
        }
        paths.add(mountPath);
        const sources = (["claim", "secret", "configMap", "source"] as const).filter(
            (source) => volume[source] !== undefined,
        );
        if (sources.length !== 1) {
            wrong(at, sources, "one of claim, secret, configMap, source");
        }
    });
}

function workspace(value: unknown, wrong: Wrong): void {
    if (value === undefined) {
        return;
    }
    const { claim, size, accessMode } = (value ?? {}) as Record<string, unknown>;
    if ((claim === undefined) === (size === undefined)) {
        wrong("workspace", value, '{ claim: "name" } or { size: "10Gi" }');
    }
    if (isPlain(size) && !QUANTITY.test(String(size))) {
        wrong("workspace.size", size, 'an amount such as "10Gi"');
    }
    if (accessMode !== undefined && accessMode !== "ReadWriteOnce" && accessMode !== "ReadWriteMany") {
        wrong("workspace.accessMode", accessMode, "ReadWriteOnce, ReadWriteMany");
    }
}

function transfer(
    { artifactStore, transfer: own, maxCodeBytes }: KubernetesOrchestratorArgs,
    wrong: Wrong,
): void {
    if (artifactStore === undefined) {
        if (own !== undefined) {
            wrong("transfer", own, "nothing, without an artifactStore");
        }
        return;
    }
    if (maxCodeBytes !== undefined) {
        wrong("maxCodeBytes", maxCodeBytes, "nothing, with an artifactStore: the code has no limit there");
    }
    unknownKeys("transfer", own, ["image", "env", "envFrom", "resources"], wrong);
    unknownKeys("transfer.resources", own?.resources, ["cpu", "memory"], wrong);
    if (isPlain(own?.image) && !/^\S+$/.test(String(own?.image))) {
        wrong("transfer.image", own?.image, "the reference of an image");
    }
    resource("transfer.resources.cpu", own?.resources?.cpu, wrong);
    resource("transfer.resources.memory", own?.resources?.memory, wrong);
    envFrom("transfer.envFrom", own?.envFrom ?? [], wrong);
    transferEnv(own?.env, wrong);
}

function envFrom(key: string, list: readonly EnvSource[], wrong: Wrong): void {
    if (!Array.isArray(list)) {
        wrong(key, list, 'a list of { secret: "name" } and { configMap: "name" }');
        return;
    }
    list.forEach((entry: EnvSource, index) => {
        const { secret, configMap } = entry as Record<string, unknown>;
        if ((secret === undefined) === (configMap === undefined)) {
            wrong(`${key}[${index}]`, entry, '{ secret: "name" } or { configMap: "name" }');
        }
    });
}

function store(value: KubernetesOrchestratorArgs["metadataStore"], wrong: Wrong): void {
    if (!value) {
        return;
    }
    const { url } = value;
    if (url === undefined) {
        wrong("metadataStore.url", url, "postgres://… or mysql://…");
    } else if (value.expose && isPlain(url) && !/^(postgres(ql)?|mysql):\/\/[^/]/.test(String(url))) {
        // The value is a secret: only what it begins with is shown.
        wrong("metadataStore.url", `${String(url).split(":")[0]}:…`, "postgres://… or mysql://…");
    }
}
