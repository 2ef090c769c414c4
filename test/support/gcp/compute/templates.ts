import { alreadyExists, ApiError, invalid, notFound } from "../api/errors";
import { filterOf } from "../api/filter";
import { nameOf } from "../api/server";
import type { Call, Route } from "../api/router";
import { lastPart, newFingerprint, newId, now, selfLink } from "./links";
import type { Operation, Operations } from "./operations";
import { checkBody } from "./schema";
import type { InstanceInsert, MetadataItem } from "./types";
import { checkLabels, checkMetadata, checkName, checkScheduling, imageOf, isPreemptible } from "./validate";

/** An instance but for its name and its zone: what it names of a zone, it names without one. */
export type InstanceProperties = Omit<InstanceInsert, "name" | "deletionProtection" | "hostname">;

export interface InstanceTemplate {
    readonly id: string;
    readonly name: string;
    readonly description?: string;
    readonly created: string;
    readonly fingerprint: string;
    readonly properties: InstanceProperties;
}

/** The instance templates of the project: global, and never changed. */
export class InstanceTemplates {
    private readonly all = new Map<string, InstanceTemplate>();

    constructor(
        private readonly project: string,
        private readonly operations: Operations,
        /** The path of a group that uses a template. */
        private readonly userOf: (template: InstanceTemplate) => string | undefined,
    ) {}

    get names(): string[] {
        return [...this.all.keys()].sort();
    }

    /** By its name, its id, or a link with one of the two; `name?uniqueId=id` has to be right in both. */
    find(link: string): InstanceTemplate {
        const [path = "", unique] = link.split("?uniqueId=");
        const key = lastPart(path);
        const found = [...this.all.values()].find(({ id, name }) => key === name || key === id);
        if (!found || (unique !== undefined && unique !== found.id)) {
            throw notFound(`projects/${this.project}/global/instanceTemplates/${unique ?? key}`);
        }
        return found;
    }

    pathOf({ name }: InstanceTemplate): string {
        return `projects/${this.project}/global/instanceTemplates/${name}`;
    }

    routes(): Route[] {
        const base = "/compute/v1/projects/{project}/global/instanceTemplates";
        const one = `${base}/{template}`;
        const route = (
            kind: string,
            method: string,
            path: string,
            query: string[],
            run: Route["run"],
        ): Route => ({
            kind: `instanceTemplates.${kind}`,
            method,
            path,
            permission: `compute.instanceTemplates.${kind === "insert" ? "create" : kind}`,
            query,
            run,
        });
        const paging = ["filter", "maxResults", "orderBy", "pageToken", "returnPartialSuccess"];
        return [
            route("insert", "POST", base, ["requestId"], (call) => this.insert(call)),
            route("get", "GET", one, ["view"], ({ params }) => this.show(this.find(params.template ?? ""))),
            route("list", "GET", base, [...paging, "view"], ({ query }) => ({
                kind: "compute#instanceTemplateList",
                items: [...this.all.values()]
                    .map((template) => this.show(template))
                    .filter(filterOf(query.get("filter"))),
            })),
            route("delete", "DELETE", one, ["requestId"], (call) => this.delete(call)),
        ];
    }

    private insert({ body, query, principal }: Call): Operation {
        const requestId = query.get("requestId");
        const repeated = this.operations.repeated(requestId);
        if (repeated) {
            return repeated;
        }
        checkBody("InstanceTemplate", body);
        const { name, description, properties } = body as InstanceTemplate;
        checkName("resource.name", name);
        checkProperties(properties);
        const made = {
            id: newId(),
            name,
            description,
            created: now(),
            fingerprint: newFingerprint(),
            properties,
        };
        const target = this.pathOf(made);
        if (this.all.has(name)) {
            throw alreadyExists(target);
        }
        this.all.set(name, made);
        return this.operations.start(
            {
                kind: "instanceTemplates.insert",
                type: "compute.instanceTemplates.insert",
                target,
                targetId: made.id,
                place: "global",
                requestId,
                user: nameOf(principal),
                onError: () => void this.all.delete(name),
            },
            () => undefined,
        );
    }

    private delete({ params, query, principal }: Call): Operation {
        const template = this.find(params.template ?? "");
        const target = this.pathOf(template);
        const user = this.userOf(template);
        if (user !== undefined) {
            throw new ApiError(
                400,
                "resourceInUseByAnotherResource",
                `The instance_template resource '${target}' is already being used by '${user}'`,
            );
        }
        return this.operations.start(
            {
                kind: "instanceTemplates.delete",
                type: "compute.instanceTemplates.delete",
                target,
                targetId: template.id,
                place: "global",
                requestId: query.get("requestId"),
                user: nameOf(principal),
            },
            () => void this.all.delete(template.name),
        );
    }

    private show(template: InstanceTemplate): object {
        const { id, name, description = "", created, fingerprint, properties } = template;
        const { metadata, tags, scheduling = {}, disks } = properties;
        return {
            kind: "compute#instanceTemplate",
            id,
            name,
            description,
            creationTimestamp: created,
            selfLink: selfLink(this.pathOf(template)),
            properties: {
                ...properties,
                metadata: { kind: "compute#metadata", fingerprint, items: metadata?.items ?? [] },
                ...(tags && { tags: { ...tags, fingerprint } }),
                scheduling: {
                    ...scheduling,
                    automaticRestart: scheduling.automaticRestart ?? true,
                    preemptible: isPreemptible(scheduling),
                },
                disks: disks.map((disk, index) => ({
                    kind: "compute#attachedDisk",
                    type: "PERSISTENT",
                    mode: "READ_WRITE",
                    ...disk,
                    index,
                })),
            },
        };
    }
}

/** The body of `instances.insert` that makes an instance of a template in a zone. */
export function instanceOf(
    properties: InstanceProperties,
    zone: string,
    name: string,
    metadata: readonly MetadataItem[] = [],
): InstanceInsert {
    return {
        ...properties,
        name,
        machineType: `zones/${zone}/machineTypes/${properties.machineType}`,
        disks: properties.disks.map((disk) => ({
            ...disk,
            ...(disk.initializeParams && {
                initializeParams: {
                    ...disk.initializeParams,
                    ...(disk.initializeParams.diskType && {
                        diskType: `zones/${zone}/diskTypes/${disk.initializeParams.diskType}`,
                    }),
                },
            }),
        })),
        ...(properties.guestAccelerators && {
            guestAccelerators: properties.guestAccelerators.map((one) => ({
                ...one,
                acceleratorType: `zones/${zone}/acceleratorTypes/${one.acceleratorType}`,
            })),
        }),
        metadata: { items: [...(properties.metadata?.items ?? []), ...metadata] },
    };
}

// What is refused before there is a zone. The rest shows when an instance is made.
function checkProperties(properties: InstanceProperties): void {
    const { machineType, disks, guestAccelerators = [], labels, metadata } = properties;
    checkBare("machineType", "Machine type", machineType);
    guestAccelerators.forEach(({ acceleratorType }) =>
        checkBare("guestAccelerators[0].acceleratorType", "Accelerator type", acceleratorType),
    );
    if (!disks[0]?.boot) {
        throw invalid("resource.properties.disks", "''. Boot disk must be specified.");
    }
    for (const { initializeParams: params } of disks) {
        checkBare("disks[0].initializeParams.diskType", "Disk type", params?.diskType ?? "");
        if (params?.sourceImage !== undefined) {
            imageOf(params.sourceImage);
        }
    }
    checkLabels(labels);
    checkMetadata(metadata?.items ?? []);
    checkScheduling(properties);
}

function checkBare(field: string, what: string, name: string): void {
    if (name.includes("/")) {
        throw invalid(
            `resource.properties.${field}`,
            `'${name}'. ${what} '${name}' must be a valid resource name (not an url).`,
        );
    }
}
