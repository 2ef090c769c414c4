import { listOf, nearest } from "../../pipeline/words";
import type { ComputeApi } from "./api";
import { GcpError } from "./errors";

/** What a machine is declared with, as far as it can be looked up. */
export interface Wanted {
    readonly zones: readonly string[];
    readonly machineType: string;
    /** The boot image: `project/family`, `project/image`, or `projects/…/global/images/…`, as a URL too. */
    readonly image: string;
    readonly gpuType?: string;
}

interface Named {
    readonly name: string;
}

/** Where an image may be: its project, and its paths there, in this order. */
interface ImagePlace {
    readonly project: string;
    readonly paths: readonly string[];
}

/** Looks up all that a machine needs. @returns all mistakes, each a sentence what is wrong and one what to do */
export async function machineMistakes(api: ComputeApi, wanted: Wanted): Promise<string[]> {
    // Whoever can't look up the project can look up nothing.
    const [unusable, project] = await attempt(() => api.get<Named>(""));
    if (unusable?.fault === "credentials" || unusable?.fault === "disabled" || unusable?.passing) {
        return [unusable.message];
    }
    if (!unusable && !project) {
        return [
            `there is no project ${api.project}, or it is not yours to see. Name the id (not the name) of one in \`project\` or \`gcp:project\`.`,
        ];
    }
    const found = await Promise.all([
        ...[...new Set(wanted.zones)].map((zone) => zoneMistakes(api, zone, wanted)),
        imageMistakes(api, wanted.image),
    ]);
    return [...new Set([...(unusable ? [unusable.message] : []), ...found.flat()])];
}

async function zoneMistakes(api: ComputeApi, zone: string, wanted: Wanted): Promise<string[]> {
    const [refused, there] = await attempt(() => api.get<Named>(`zones/${zone}`));
    if (refused) {
        return [refused.message];
    }
    if (!there) {
        const near = await nearOf(api, "zones", zone);
        return [`there is no zone ${zone}${near} Correct \`zone\` (or \`zones\`).`];
    }
    const { machineType, gpuType } = wanted;
    const found = await Promise.all([
        partMistakes(api, zone, "machineTypes", machineType, "machine type", "machineType"),
        ...(gpuType ? [partMistakes(api, zone, "acceleratorTypes", gpuType, "GPU", "gpu.type")] : []),
    ]);
    return found.flat();
}

async function partMistakes(
    api: ComputeApi,
    zone: string,
    kind: string,
    name: string,
    what: string,
    argument: string,
): Promise<string[]> {
    // A machine type made of parts, such as `e2-custom-2-4096`, is known too, but is in no list.
    const [refused, there] = await attempt(() => api.get<Named>(`zones/${zone}/${kind}/${name}`));
    if (refused) {
        return [refused.message];
    }
    if (there) {
        return [];
    }
    const near = await nearOf(api, `zones/${zone}/${kind}`, name);
    return [`the zone ${zone} has no ${what} ${name}${near} Correct \`${argument}\`, or name another zone.`];
}

async function imageMistakes(api: ComputeApi, image: string): Promise<string[]> {
    const { project, paths } = placeOf(image, api.project);
    for (const path of paths) {
        const [refused, there] = await attempt(() => api.get<Named>(path, {}, project));
        if (refused) {
            return [refused.message];
        }
        if (there) {
            return [];
        }
    }
    return [
        `there is no boot image ${image}. Correct \`bootImage\`: project/family or project/image, such as cos-cloud/cos-stable.`,
    ];
}

function placeOf(image: string, own: string): ImagePlace {
    const whole = /(?:^|\/)projects\/([^/]+)\/(global\/images\/(?:family\/)?[^/]+)$/.exec(image);
    if (whole) {
        return { project: whole[1] as string, paths: [whole[2] as string] };
    }
    const parts = image.split("/");
    const name = parts.at(-1) as string;
    const project = parts.length > 1 ? (parts[0] as string) : own;
    return { project, paths: [`global/images/family/${name}`, `global/images/${name}`] };
}

/** What was probably meant, or what there is of the kind; nothing where that can't be listed. */
async function nearOf(api: ComputeApi, path: string, name: string): Promise<string> {
    const items = await api.list<Named>(path).catch(() => []);
    const names = items.map((item) => item.name);
    const meant = nearest(name, names);
    if (meant !== undefined) {
        return `; did you mean ${meant}?`;
    }
    const family = `${name.split("-")[0]}-`;
    const alike = names.filter((one) => one.startsWith(family));
    return names.length === 0 ? "." : `; there are ${listOf(alike.length > 0 ? alike : names, String)}.`;
}

async function attempt<T>(work: () => Promise<T>): Promise<[GcpError | undefined, T | undefined]> {
    try {
        return [undefined, await work()];
    } catch (error) {
        if (error instanceof GcpError) {
            return [error, undefined];
        }
        throw error;
    }
}
