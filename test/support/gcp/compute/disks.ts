import * as fs from "node:fs";
import * as path from "node:path";
import { ApiError, notFound } from "../api/errors";
import { filterOf } from "../api/filter";
import type { Route } from "../api/router";
import type { Backend } from "../machines/machine";
import { lastPart, newFingerprint, newId, now, pathOf, selfLink } from "./links";
import type { Operations } from "./operations";
import type { DiskInsert } from "./types";
import { imageOf } from "./validate";

interface Disk {
    readonly id: string;
    readonly name: string;
    readonly zone: string;
    readonly folder: string;
    readonly sizeGb: string;
    readonly type: string;
    readonly sourceImage: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly created: string;
    readonly fingerprint: string;
    /** The path of the instance that has it. */
    user?: string;
}

/** Persistent disks: each a folder in which the backend keeps what is on it. */
export class Disks {
    private readonly disks = new Map<string, Disk>();

    constructor(
        private readonly project: string,
        private readonly folder: string,
        private readonly backend: Backend,
        private readonly operations: Operations,
    ) {}

    /** The boot disk of a new instance: a new one, or one that is there already. */
    async attach(disk: DiskInsert, zone: string, instance: { name: string; path: string }): Promise<Disk> {
        if (disk.source !== undefined) {
            const found = this.find(zone, lastPart(disk.source));
            if (found.user !== undefined) {
                throw new ApiError(
                    400,
                    "resourceInUseByAnotherResource",
                    `The disk resource '${pathOf(disk.source)}' is already being used by '${found.user}'`,
                );
            }
            found.user = instance.path;
            return found;
        }
        const { diskName, diskSizeGb, diskType, sourceImage = "", labels } = disk.initializeParams ?? {};
        const image = imageOf(sourceImage);
        const id = newId();
        const made: Disk = {
            id,
            name: diskName ?? instance.name,
            zone,
            folder: path.join(this.folder, id),
            sizeGb: String(diskSizeGb ?? image.sizeGb),
            type: lastPart(diskType ?? "pd-standard"),
            sourceImage: selfLink(`projects/${image.project}/global/images/${image.name}`),
            labels,
            created: now(),
            fingerprint: newFingerprint(),
            user: instance.path,
        };
        const key = `${zone}/${made.name}`;
        if (this.disks.has(key)) {
            throw new ApiError(
                409,
                "alreadyExists",
                `The resource 'projects/${this.project}/zones/${zone}/disks/${made.name}' already exists`,
            );
        }
        this.disks.set(key, made);
        fs.mkdirSync(made.folder, { recursive: true });
        await this.backend.createDisk(made.folder);
        return made;
    }

    /** The instance is gone; its boot disk goes with it if that was asked for. */
    detach(instance: string, autoDelete: boolean): void {
        for (const disk of this.disks.values()) {
            if (disk.user === instance) {
                disk.user = undefined;
                if (autoDelete) {
                    this.remove(disk);
                }
            }
        }
    }

    /** `zone/name` of all. */
    get names(): string[] {
        return [...this.disks.keys()].sort();
    }

    routes(): Route[] {
        const base = "/compute/v1/projects/{project}/zones/{zone}/disks";
        const name = ({ zone = "", disk = "" }: Readonly<Record<string, string>>) => this.find(zone, disk);
        return [
            {
                kind: "disks.get",
                method: "GET",
                path: `${base}/{disk}`,
                permission: "compute.disks.get",
                run: ({ params }) => this.show(name(params)),
            },
            {
                kind: "disks.list",
                method: "GET",
                path: base,
                permission: "compute.disks.list",
                query: ["filter", "maxResults", "orderBy", "pageToken"],
                run: ({ params, query }) => ({
                    kind: "compute#diskList",
                    items: [...this.disks.values()]
                        .filter(({ zone }) => zone === params.zone)
                        .map((disk) => this.show(disk))
                        .filter(filterOf(query.get("filter"))),
                }),
            },
            {
                kind: "disks.delete",
                method: "DELETE",
                path: `${base}/{disk}`,
                permission: "compute.disks.delete",
                query: ["requestId"],
                run: ({ params, query }) => {
                    const disk = name(params);
                    if (disk.user !== undefined) {
                        throw new ApiError(
                            400,
                            "resourceInUseByAnotherResource",
                            `The disk resource '${this.pathOf(disk)}' is already being used by '${disk.user}'`,
                        );
                    }
                    const start = {
                        kind: "disks.delete",
                        type: "delete",
                        target: this.pathOf(disk),
                        place: disk.zone,
                        requestId: query.get("requestId"),
                    };
                    return this.operations.start(start, () => this.remove(disk));
                },
            },
        ];
    }

    private find(zone: string, name: string): Disk {
        const found = this.disks.get(`${zone}/${name}`);
        if (!found) {
            throw notFound(`projects/${this.project}/zones/${zone}/disks/${name}`);
        }
        return found;
    }

    private remove(disk: Disk): void {
        this.disks.delete(`${disk.zone}/${disk.name}`);
        fs.rmSync(disk.folder, { recursive: true, force: true, maxRetries: 5 });
    }

    private pathOf({ zone, name }: Disk): string {
        return `projects/${this.project}/zones/${zone}/disks/${name}`;
    }

    private show(disk: Disk): object {
        const { id, name, zone, sizeGb, type, sourceImage, labels, user, created, fingerprint } = disk;
        return {
            kind: "compute#disk",
            id,
            name,
            sizeGb,
            status: "READY",
            creationTimestamp: created,
            zone: selfLink(`projects/${this.project}/zones/${zone}`),
            type: selfLink(`projects/${this.project}/zones/${zone}/diskTypes/${type}`),
            sourceImage,
            ...(labels && { labels }),
            labelFingerprint: fingerprint,
            users: user === undefined ? [] : [selfLink(user)],
            selfLink: selfLink(this.pathOf(disk)),
        };
    }
}
