import { ApiError, badRequest, invalid } from "../api/errors";
import { filterOf } from "../api/filter";
import { nameOf } from "../api/server";
import type { Call, Route } from "../api/router";
import { ZONES } from "./catalog";
import type { Instance } from "./instance";
import type { Instances } from "./instances";
import { newFingerprint, selfLink } from "./links";
import { checkBody } from "./schema";
import { showInstance } from "./show";
import { instanceOf, type InstanceTemplates } from "./templates";
import type { InstanceInsert, MetadataItem, Scheduling } from "./types";
import { checkLabels, checkMachineType, checkMetadata } from "./validate";

const LISTING = ["filter", "maxResults", "orderBy", "pageToken", "returnPartialSuccess", "includeAllScopes"];

/** The methods of `instances`. */
export function instanceRoutes(instances: Instances, templates: InstanceTemplates): Route[] {
    const base = "/compute/v1/projects/{project}/zones/{zone}/instances";
    const one = `${base}/{instance}`;
    const find = ({ params }: Call) => instances.find(params.zone ?? "", params.instance ?? "");
    const route = (
        kind: string,
        method: string,
        path: string,
        permission: string,
        query: string[],
        run: Route["run"],
    ): Route => ({
        kind: `instances.${kind}`,
        method,
        path,
        permission: `compute.instances.${permission}`,
        query,
        run,
    });
    const changes = changesOf(instances, find);
    return [
        route("insert", "POST", base, "create", ["requestId", "sourceInstanceTemplate"], (call) => {
            const { params, query, principal } = call;
            const body = bodyOf(call, templates);
            checkBody("Instance", body);
            return instances.insert(
                params.zone ?? "",
                body as InstanceInsert,
                requestIdOf(query),
                nameOf(principal),
            );
        }),
        route("list", "GET", base, "list", LISTING, ({ params, query }) => {
            instances.checkZone(params.zone ?? "");
            const here = instances.list.filter(({ zone }) => zone === params.zone).map(showInstance);
            return { kind: "compute#instanceList", items: here.filter(filterOf(query.get("filter"))) };
        }),
        route(
            "aggregatedList",
            "GET",
            "/compute/v1/projects/{project}/aggregated/instances",
            "list",
            LISTING,
            ({ query }) => aggregated(instances, filterOf(query.get("filter"))),
        ),
        route("get", "GET", one, "get", ["view"], (call) => showInstance(find(call))),
        route("delete", "DELETE", one, "delete", ["requestId"], (call) =>
            instances.delete(find(call), requestIdOf(call.query)),
        ),
        route("start", "POST", `${one}/start`, "start", ["requestId"], (call) =>
            instances.start(find(call), requestIdOf(call.query)),
        ),
        route("stop", "POST", `${one}/stop`, "stop", ["requestId", "discardLocalSsd"], (call) =>
            instances.stop(find(call), requestIdOf(call.query)),
        ),
        route("reset", "POST", `${one}/reset`, "reset", ["requestId"], (call) =>
            instances.reset(find(call), requestIdOf(call.query)),
        ),
        route(
            "getSerialPortOutput",
            "GET",
            `${one}/serialPort`,
            "getSerialPortOutput",
            ["port", "start"],
            (call) => serialOutput(find(call), call.query),
        ),
        route(
            "getGuestAttributes",
            "GET",
            `${one}/getGuestAttributes`,
            "getGuestAttributes",
            ["queryPath", "variableKey"],
            (call) => guestAttributes(find(call), call.query),
        ),
        ...changes.map(({ verb, run }) => route(verb, "POST", `${one}/${verb}`, verb, ["requestId"], run)),
        route(
            "setDeletionProtection",
            "POST",
            `${one}/setDeletionProtection`,
            "setDeletionProtection",
            ["deletionProtection", "requestId"],
            (call) => {
                const instance = find(call);
                const deletionProtection = call.query.get("deletionProtection") !== "false";
                return instances.operation(instance, "setDeletionProtection", {}, () =>
                    instance.change({ deletionProtection }),
                );
            },
        ),
    ];
}

// What the body says stands above what its template does.
function bodyOf({ body, params, query }: Call, templates: InstanceTemplates): unknown {
    const link = query.get("sourceInstanceTemplate");
    if (link === null) {
        return body;
    }
    checkBody("InstanceFromTemplate", body);
    const { properties } = templates.find(link);
    const own = body as { name: string };
    return { ...instanceOf(properties, params.zone ?? "", own.name), ...own };
}

interface ChangeMethod {
    readonly verb: string;
    run(call: Call): unknown;
}

// What changes an instance that is there; a fingerprint that is not the present one is refused.
function changesOf(instances: Instances, find: (call: Call) => Instance): ChangeMethod[] {
    const change = (
        verb: string,
        check: (instance: Instance, body: never) => Partial<InstanceInsert>,
    ): ChangeMethod => ({
        verb,
        run(call) {
            const instance = find(call);
            const news = check(instance, (call.body ?? {}) as never);
            const requestId = requestIdOf(call.query);
            return instances.operation(instance, verb, { requestId }, () => instance.change(news));
        },
    });
    return [
        change("setMetadata", (instance, body: { fingerprint?: string; items?: MetadataItem[] }) => {
            checkBody("Metadata", body);
            instance.fingerprints.metadata = next(instance.fingerprints.metadata, body.fingerprint);
            checkMetadata(body.items ?? []);
            return { metadata: { items: body.items ?? [] } };
        }),
        change(
            "setLabels",
            (instance, body: { labelFingerprint?: string; labels?: Record<string, string> }) => {
                checkBody("LabelsRequest", body);
                checkLabels(body.labels);
                instance.fingerprints.labels = next(instance.fingerprints.labels, body.labelFingerprint);
                return { labels: body.labels };
            },
        ),
        change("setTags", (instance, body: { fingerprint?: string; items?: string[] }) => {
            checkBody("Tags", body);
            instance.fingerprints.tags = next(instance.fingerprints.tags, body.fingerprint);
            return { tags: { items: body.items ?? [] } };
        }),
        change("setMachineType", (instance, body: { machineType: string }) => {
            checkBody("MachineTypeRequest", body);
            stopped(instance);
            const { project, accounts } = instance.world;
            checkMachineType(body.machineType, {
                project,
                zone: instance.zone,
                serviceAccountExists: (email) => accounts.exists(email),
            });
            return { machineType: body.machineType };
        }),
        change("setServiceAccount", (instance, body: { email?: string; scopes?: string[] }) => {
            checkBody("ServiceAccount", body);
            stopped(instance);
            return { serviceAccounts: body.email === undefined ? [] : [body] };
        }),
        change("setScheduling", (instance, body: Scheduling) => {
            checkBody("Scheduling", body);
            stopped(instance);
            return { scheduling: { ...instance.resource.scheduling, ...body } };
        }),
    ];
}

function next(current: string, given: string | undefined): string {
    if (given !== current) {
        throw new ApiError(
            412,
            "conditionNotMet",
            "Supplied fingerprint does not match current metadata fingerprint.",
        );
    }
    return newFingerprint();
}

function stopped({ status, path }: Instance): void {
    if (status !== "TERMINATED") {
        throw badRequest(
            `The instance '${path}' must be stopped before this can be changed; it is ${status}.`,
        );
    }
}

function aggregated(instances: Instances, filter: (item: object) => boolean): object {
    const zones = Object.values(ZONES).flat();
    const items = zones.map((zone) => {
        const here = instances.list
            .filter((one) => one.zone === zone)
            .map(showInstance)
            .filter(filter);
        const warning = {
            code: "NO_RESULTS_ON_PAGE",
            message: `There are no results for scope 'zones/${zone}' on this page.`,
        };
        return [`zones/${zone}`, here.length > 0 ? { instances: here } : { warning }] as const;
    });
    return { kind: "compute#instanceAggregatedList", items: Object.fromEntries(items) };
}

function serialOutput(instance: Instance, query: URLSearchParams): object {
    const port = Number(query.get("port") ?? 1);
    const start = Number(query.get("start") ?? 0);
    if (!(port >= 1 && port <= 4) || !Number.isInteger(start)) {
        throw invalid(port >= 1 && port <= 4 ? "start" : "port", `'${query.get("start") ?? port}'.`);
    }
    if (!["RUNNING", "STOPPING"].includes(instance.status)) {
        throw new ApiError(400, "resourceNotReady", `The resource '${instance.path}' is not ready`);
    }
    const output = port === 1 ? instance.serial.read(start) : { contents: "", start: "0", next: "0" };
    return { kind: "compute#serialPortOutput", selfLink: selfLink(`${instance.path}/serialPort`), ...output };
}

function guestAttributes(instance: Instance, query: URLSearchParams): object {
    const wanted = query.get("queryPath") ?? query.get("variableKey") ?? "";
    const items = [...instance.metadata.guestAttributes]
        .filter(([path]) => path === wanted || wanted === "" || path.startsWith(wanted.replace(/\/?$/, "/")))
        .map(([path, value]) => ({
            namespace: path.split("/")[0],
            key: path.split("/").slice(1).join("/"),
            value,
        }));
    if (items.length === 0) {
        throw new ApiError(
            404,
            "notFound",
            `The resource '${wanted}' of type 'Guest Attribute' was not found`,
        );
    }
    const self = selfLink(`${instance.path}/getGuestAttributes`);
    return { kind: "compute#guestAttributes", queryPath: wanted, queryValue: { items }, selfLink: self };
}

function requestIdOf(query: URLSearchParams): string | null {
    const id = query.get("requestId");
    if (id !== null && !/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(id)) {
        throw invalid("requestId", `'${id}'. Must be a UUID.`);
    }
    return id;
}
