import { DURATION_ALLOWED, parseDuration } from "../../src/pipeline/duration";
import { flag, isObject, isPlain, show, transferEnv, unknownKeys, whole, type Wrong } from "../checks";
import { mebibytes, SIZE_ALLOWED } from "../docker/sizes";
import type { GcpOrchestratorArgs } from "./args";
import { IMAGE } from "./bootImage";
import { givenPlace, regionOf } from "./place";
import { RUN_DURATION } from "./times";

const PROJECT = /^([a-z0-9.-]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$/;
const ZONE = /^[a-z]+(-[a-z]+)*-[a-z]+\d+-[a-z0-9]+$/;
const NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_KEY = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const LABEL_VALUE = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;
/** Of the 64 that Google allows, some are stackrun's and the provider's. */
const MAX_LABELS = 60;
const MAX_SECRET_BYTES = 65_536;

/** What is wrong with the arguments that only this orchestrator has, as far as they are known: all of it. */
export function gcpMistakes(args: GcpOrchestratorArgs, where: string): string[] {
    const mistakes: string[] = [];
    const wrong: Wrong = (key, value, allowed) =>
        mistakes.push(`${where}: ${key} is ${show(value)}; allowed: ${allowed}`);
    place(args, wrong);
    machine(args, wrong);
    network(args, wrong);
    run(args, wrong);
    labels(args.labels, wrong);
    store(args, wrong);
    secrets(args.secrets ?? {}, wrong);
    if (args.transform !== undefined && typeof args.transform !== "function") {
        wrong("transform", args.transform, "a function that returns the machine's arguments");
    }
    return mistakes;
}

function place(args: GcpOrchestratorArgs, wrong: Wrong): void {
    const { project, zones } = givenPlace(args);
    if (project === undefined) {
        wrong("project", project, "the id of a project; or set gcp:project, or GOOGLE_PROJECT");
    }
    text("project", project, PROJECT, "the id of a project", wrong);
    if (args.zone !== undefined && args.zones !== undefined) {
        wrong("zone", args.zone, "nothing, beside zones");
    }
    if (!Array.isArray(zones)) {
        wrong("zones", zones, "a list of zones");
        return;
    }
    if (zones.length === 0) {
        wrong(
            args.zones === undefined ? "zone" : "zones",
            args.zones,
            "the name of a zone such as us-central1-a; or set gcp:zone, or GOOGLE_ZONE",
        );
    }
    if (args.subnetwork !== undefined && regions(zones) > 1) {
        wrong("zones", zones, "zones of one region, with a subnetwork");
    }
    zones.forEach((zone, index) => {
        const key = args.zones === undefined ? "zone" : `zones[${index}]`;
        text(key, zone, ZONE, "the name of a zone such as us-central1-a", wrong);
        if (isPlain(zone) && zones.indexOf(zone) !== index) {
            wrong(key, zone, "each zone once");
        }
    });
}

function regions(zones: readonly unknown[]): number {
    return new Set(zones.filter((zone) => typeof zone === "string").map((zone) => regionOf(zone as string)))
        .size;
}

function machine(args: GcpOrchestratorArgs, wrong: Wrong): void {
    text("machineType", args.machineType, /^[a-z][a-z0-9-]*$/, "a type such as e2-standard-2", wrong);
    flag("preemptible", args.preemptible, wrong);
    text(
        "bootImage",
        args.bootImage,
        IMAGE,
        "project/family, or projects/<project>/global/images/<image>",
        wrong,
    );
    whole("diskSizeGb", args.diskSizeGb, 10, wrong);
    text("diskType", args.diskType, /^[a-z][a-z0-9-]*$/, "a type such as pd-ssd", wrong);
    const { gpu } = args;
    if (gpu !== undefined && !isObject(gpu)) {
        wrong("gpu", gpu, '{ type: "nvidia-tesla-t4", count: 1 }');
    } else if (gpu !== undefined) {
        unknownKeys("gpu", gpu, ["type", "count"], wrong);
        if (typeof gpu.type !== "string" || !/^[a-z][a-z0-9-]*$/.test(gpu.type)) {
            wrong("gpu.type", gpu.type, "a type such as nvidia-tesla-t4");
        }
        whole("gpu.count", gpu.count, 1, wrong);
    }
}

function network(args: GcpOrchestratorArgs, wrong: Wrong): void {
    text("network", args.network, /^\S+$/, "a network's name or path", wrong);
    text("subnetwork", args.subnetwork, /^\S+$/, "a subnetwork's name or path", wrong);
    flag("publicIp", args.publicIp, wrong);
    list("tags", args.tags, NAME, "lower-case letters, digits and -, at most 63", wrong);
    list("registries", args.registries, /^[^\s/]+$/, "hosts such as registry.example.com", wrong);
    text(
        "serviceAccount",
        args.serviceAccount,
        /^[^@\s]+@[^@\s]+$/,
        "the e-mail address of a service account",
        wrong,
    );
}

function run(args: GcpOrchestratorArgs, wrong: Wrong): void {
    const { maxRunDuration, timeout, user, shmSize, whenExhausted, preemptible } = args;
    const seconds = maxRunDuration === undefined ? undefined : (parseDuration(maxRunDuration) ?? 0);
    const limit = timeout === undefined ? undefined : parseDuration(timeout);
    if (seconds !== undefined && !(seconds >= RUN_DURATION.least && seconds <= RUN_DURATION.most)) {
        wrong("maxRunDuration", maxRunDuration, `${DURATION_ALLOWED}, from 30s to 120d`);
    } else if (seconds !== undefined && limit !== undefined && seconds <= limit) {
        wrong("maxRunDuration", maxRunDuration, `more than timeout, which is ${limit} s`);
    }
    if (user !== undefined && !/^(image|\d+(:\d+)?)$/.test(String(user))) {
        wrong("user", user, '"image", "uid", "uid:gid"');
    }
    if (shmSize !== undefined && !((mebibytes(String(shmSize)) ?? 0) >= 1)) {
        wrong("shmSize", shmSize, `${SIZE_ALLOWED}, at least 1Mi`);
    }
    whole("maxRecoveries", args.maxRecoveries, 0, wrong);
    if (whenExhausted !== undefined && whenExhausted !== "fail" && whenExhausted !== "standard") {
        wrong("whenExhausted", whenExhausted, '"fail", "standard"');
    } else if (whenExhausted === "standard" && preemptible === false) {
        wrong("whenExhausted", whenExhausted, '"fail", with preemptible: false');
    }
}

function labels(map: Record<string, unknown> | undefined, wrong: Wrong): void {
    const entries = Object.entries(map ?? {});
    if (entries.length > MAX_LABELS) {
        wrong("labels", `${entries.length} of them`, `${MAX_LABELS} at most`);
    }
    for (const [name, value] of entries) {
        const key = `labels[${JSON.stringify(name)}]`;
        if (!LABEL_KEY.test(name) || name.startsWith("stackrun-")) {
            wrong(
                key,
                value,
                "keys of lower-case letters, digits, _ and -, and not stackrun-…, which stackrun sets",
            );
        } else {
            text(key, value, LABEL_VALUE, "at most 63 lower-case letters, digits, _ and -", wrong);
        }
    }
}

function store(args: GcpOrchestratorArgs, wrong: Wrong): void {
    const { artifactStore, keepDays, bucketLocation, transfer } = args;
    const own = "nothing, with an artifactStore: its bucket is yours";
    if (artifactStore !== undefined && keepDays !== undefined) {
        wrong("keepDays", keepDays, own);
    }
    if (artifactStore !== undefined && bucketLocation !== undefined) {
        wrong("bucketLocation", bucketLocation, own);
    }
    whole("keepDays", keepDays, 1, wrong);
    text("bucketLocation", bucketLocation, /^[A-Za-z0-9-]+$/, "a location such as us-central1 or EU", wrong);
    unknownKeys("transfer", transfer, ["image", "env"], wrong);
    text("transfer.image", transfer?.image, /^\S+$/, "the reference of an image", wrong);
    transferEnv(transfer?.env, wrong);
}

// Values are not shown.
function secrets(map: Record<string, unknown>, wrong: Wrong): void {
    for (const [name, value] of Object.entries(map)) {
        const size = typeof value === "string" ? Buffer.byteLength(value) : 1;
        if (size === 0 || size > MAX_SECRET_BYTES) {
            wrong(`secrets.${name}`, `${size} bytes long`, `1 to ${MAX_SECRET_BYTES}, in Secret Manager`);
        }
    }
}

function list(key: string, value: unknown, pattern: RegExp, allowed: string, wrong: Wrong): void {
    if (value !== undefined && !Array.isArray(value)) {
        wrong(key, value, `a list of ${allowed}`);
        return;
    }
    ((value ?? []) as unknown[]).forEach((one, index) =>
        text(`${key}[${index}]`, one, pattern, allowed, wrong),
    );
}

function text(key: string, value: unknown, pattern: RegExp, allowed: string, wrong: Wrong): void {
    if (isPlain(value) && !(typeof value === "string" && pattern.test(value))) {
        wrong(key, value, allowed);
    }
}
