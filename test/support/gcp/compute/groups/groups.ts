import { alreadyExists, ApiError, invalid, notFound } from "../../api/errors";
import { nameOf } from "../../api/server";
import type { Call } from "../../api/router";
import { ZONES } from "../catalog";
import { pathOf } from "../links";
import type { Operation } from "../operations";
import { checkBody } from "../schema";
import type { InstanceTemplate } from "../templates";
import { checkAccounts, checkGroup, checkSettings, checkUpdatePolicy, versionOf, zonesOf } from "./check";
import { Group } from "./group";
import type { GroupInsert, GroupPlace, GroupTiming, GroupWorld } from "./types";

/** All managed instance groups of the project, zonal and regional. */
export class Groups {
    private readonly all = new Map<string, Group>();

    constructor(private readonly world: GroupWorld) {}

    /** How long they take to see that an instance is off, and to try again: as tests want it. */
    get timing(): GroupTiming {
        return this.world.timing;
    }

    get list(): readonly Group[] {
        return [...this.all.values()];
    }

    /** `zone/name`, or `region/name`. */
    get names(): string[] {
        return this.list.map(({ place, resource }) => `${place.name}/${resource.name}`).sort();
    }

    /** By name, wherever it is. */
    named(name: string): Group {
        const found = this.list.find(({ resource }) => resource.name === name);
        if (!found) {
            throw new Error(`there is no group ${name}; there are: ${this.names.join(", ") || "none"}`);
        }
        return found;
    }

    /** The path of a group that is made of a template. */
    userOf(template: InstanceTemplate): string | undefined {
        return this.list.find((group) => group.template === template)?.path;
    }

    find(place: GroupPlace, name: string): Group {
        const path = `projects/${this.world.instances.world.project}/${place.kind}/${place.name}/instanceGroupManagers/${name}`;
        const found = this.all.get(path);
        if (!found) {
            throw notFound(path);
        }
        return found;
    }

    insert(place: GroupPlace, { body, query, principal }: Call): Operation {
        const repeated = this.world.instances.operations.repeated(query.get("requestId"));
        if (repeated) {
            return repeated;
        }
        this.checkPlace(place);
        checkBody("InstanceGroupManager", body);
        const resource = body as GroupInsert;
        checkGroup(resource, place);
        const template = this.world.templates.find(versionOf(resource));
        checkAccounts(template, (email) => this.world.instances.world.accounts.exists(email));
        const group = new Group(this.world, place, zonesOf(resource, place), resource, template);
        if (this.all.has(group.path)) {
            throw alreadyExists(group.path);
        }
        this.all.set(group.path, group);
        const onError = () => void this.all.delete(group.path);
        return this.operation(group, "insert", query, nameOf(principal), () => group.scale(), onError);
    }

    delete(group: Group, { query, principal }: Call): Operation {
        return this.operation(group, "delete", query, nameOf(principal), async () => {
            await group.delete();
            this.all.delete(group.path);
        });
    }

    patch(group: Group, { body, query, principal }: Call): Operation {
        checkBody("InstanceGroupManagerPatch", body);
        const { fingerprint, ...news } = body as Partial<GroupInsert> & { fingerprint?: string };
        if (fingerprint !== undefined && fingerprint !== group.fingerprint) {
            throw new ApiError(412, "conditionNotMet", "Invalid fingerprint.");
        }
        checkSettings(news);
        checkUpdatePolicy(group.patched(news), group.place, group.zones.length);
        const template = news.versions ? this.world.templates.find(versionOf(news)) : group.template;
        return this.operation(group, "patch", query, nameOf(principal), () => group.change(news, template));
    }

    resize(group: Group, { query, principal }: Call): Operation {
        const size = Number(query.get("size") ?? NaN);
        if (!Number.isInteger(size) || size < 0) {
            throw invalid("size", `'${query.get("size") ?? ""}'. Must be a whole number of at least 0.`);
        }
        return this.operation(group, "resize", query, nameOf(principal), () => group.resize(size));
    }

    recreate(group: Group, { body, query, principal }: Call): Operation {
        checkBody("RecreateInstancesRequest", body);
        const given = (body as { instances: readonly string[] }).instances.map((link) => pathOf(link));
        const found = given.map((path) => {
            const one = group.managed.find(({ link, wanted }) => wanted && pathOf(link).endsWith(path));
            if (!one) {
                throw invalid("instances", `'${path}'. Instance is not a member of '${group.path}'.`);
            }
            return one;
        });
        return this.operation(group, "recreateInstances", query, nameOf(principal), () =>
            found.forEach((one) => void one.recreate()),
        );
    }

    /** No group does anything any more. */
    close(): void {
        this.list.forEach((group) => group.close());
    }

    private operation(
        group: Group,
        verb: string,
        query: URLSearchParams,
        user: string,
        work: () => void | Promise<void>,
        onError?: () => void,
    ): Operation {
        const { place, path: target, id: targetId } = group;
        const prefix = place.kind === "regions" ? "regionInstanceGroupManagers" : "instanceGroupManagers";
        const requestId = query.get("requestId");
        return (
            this.world.instances.operations.repeated(requestId) ??
            this.world.instances.operations.start(
                {
                    kind: `${prefix}.${verb}`,
                    type: `compute.instanceGroupManagers.${verb}`,
                    target,
                    targetId,
                    place: place.kind === "regions" ? `regions/${place.name}` : place.name,
                    requestId,
                    user,
                    onError,
                },
                work,
            )
        );
    }

    private checkPlace({ kind, name }: GroupPlace): void {
        if (kind === "zones") {
            this.world.instances.checkZone(name);
        } else if (!ZONES[name]) {
            throw invalid("region", `'${name}'. Unknown region. There are ${Object.keys(ZONES).join(", ")}.`);
        }
    }
}
