import { filterOf } from "../../api/filter";
import type { Call, Route } from "../../api/router";
import type { Group } from "./group";
import type { Groups } from "./groups";
import { showErrors, showGroup, showManaged } from "./show";
import type { GroupPlace } from "./types";

const LISTING = ["filter", "maxResults", "orderBy", "pageToken", "returnPartialSuccess"];
const ID = ["requestId"];

/** The methods of `instanceGroupManagers` and of `regionInstanceGroupManagers`. */
export function groupRoutes(groups: Groups): Route[] {
    return [...routesOf(groups, "zones"), ...routesOf(groups, "regions")];
}

function routesOf(groups: Groups, where: GroupPlace["kind"]): Route[] {
    const base = `/compute/v1/projects/{project}/${where}/{place}/instanceGroupManagers`;
    const one = `${base}/{group}`;
    const place = ({ params }: Call): GroupPlace => ({ kind: where, name: params.place ?? "" });
    const find = (call: Call) => groups.find(place(call), call.params.group ?? "");
    const route = (
        kind: string,
        method: string,
        path: string,
        permission: string | readonly string[],
        query: readonly string[],
        run: Route["run"],
    ): Route => ({
        kind: `${where === "regions" ? "regionInstanceGroupManagers" : "instanceGroupManagers"}.${kind}`,
        method,
        path,
        permission: [permission].flat().map((name) => `compute.${name}`),
        query,
        run,
    });
    const manager = (name: string) => `instanceGroupManagers.${name}`;
    return [
        route("insert", "POST", base, [manager("create"), "instanceGroups.create"], ID, (call) =>
            groups.insert(place(call), call),
        ),
        route("get", "GET", one, manager("get"), [], (call) => showGroup(find(call))),
        route("list", "GET", base, manager("list"), LISTING, (call) => ({
            kind: "compute#instanceGroupManagerList",
            items: groups.list
                .filter((group) => group.place.kind === where && group.place.name === call.params.place)
                .map(showGroup)
                .filter(filterOf(call.query.get("filter"))),
        })),
        route("delete", "DELETE", one, [manager("delete"), "instanceGroups.delete"], ID, (call) =>
            groups.delete(find(call), call),
        ),
        route("patch", "PATCH", one, manager("update"), ID, (call) => groups.patch(find(call), call)),
        route("resize", "POST", `${one}/resize`, manager("update"), [...ID, "size"], (call) =>
            groups.resize(find(call), call),
        ),
        route("recreateInstances", "POST", `${one}/recreateInstances`, manager("update"), ID, (call) =>
            groups.recreate(find(call), call),
        ),
        route(
            "listManagedInstances",
            "POST",
            `${one}/listManagedInstances`,
            manager("list"),
            LISTING,
            (call) => ({
                managedInstances: managedOf(find(call), call.query),
            }),
        ),
        route("listErrors", "GET", `${one}/listErrors`, manager("get"), LISTING, (call) => ({
            items: showErrors(find(call)),
        })),
    ];
}

function managedOf(group: Group, query: URLSearchParams): object[] {
    return group.managed.map((one) => showManaged(one, group)).filter(filterOf(query.get("filter")));
}
