import { notFound } from "../api/errors";
import { filterOf } from "../api/filter";
import type { Call, Route } from "../api/router";
import {
    ACCELERATORS,
    DISK_TYPES,
    IMAGES,
    MACHINE_TYPES,
    NETWORKS,
    regionOf,
    ZONES,
    type Image,
} from "./catalog";
import { selfLink } from "./links";

interface Collection {
    /** `machineTypes`. */
    readonly name: string;
    /** Below `projects/{project}/`. */
    readonly path: string;
    readonly resource: string;
    names(params: Call["params"]): readonly string[];
    describe(name: string, params: Call["params"]): object;
}

const PAGING = ["filter", "maxResults", "orderBy", "pageToken", "returnPartialSuccess"];

/** What can be looked up and never changes: zones, machine types, images, networks. */
export function lookupRoutes(project: string, projectNumber: string): Route[] {
    return [
        {
            kind: "projects.get",
            method: "GET",
            path: "/compute/v1/projects/{project}",
            permission: "compute.projects.get",
            run: ({ params }) => projectOf(project, projectNumber, params),
        },
        ...COLLECTIONS.flatMap((collection) => routesOf(collection, project)),
        ...imageRoutes(),
    ];
}

const COLLECTIONS: readonly Collection[] = [
    {
        name: "zones",
        path: "zones",
        resource: "zone",
        names: () => Object.values(ZONES).flat(),
        describe: (name, { project }) => ({
            status: "UP",
            region: selfLink(`projects/${project}/regions/${regionOf(name)}`),
        }),
    },
    {
        name: "regions",
        path: "regions",
        resource: "region",
        names: () => Object.keys(ZONES),
        describe: (name, { project }) => ({
            status: "UP",
            zones: ZONES[name]?.map((zone) => selfLink(`projects/${project}/zones/${zone}`)),
        }),
    },
    {
        name: "machineTypes",
        path: "zones/{zone}/machineTypes",
        resource: "machineType",
        names: ({ zone }) => (regionOf(zone ?? "") ? Object.keys(MACHINE_TYPES) : []),
        describe: (name, { zone }) => ({
            guestCpus: MACHINE_TYPES[name]?.cpus,
            memoryMb: MACHINE_TYPES[name]?.memoryMb,
            zone,
        }),
    },
    {
        name: "acceleratorTypes",
        path: "zones/{zone}/acceleratorTypes",
        resource: "acceleratorType",
        names: ({ zone = "" }) =>
            Object.keys(ACCELERATORS).filter((name) => ACCELERATORS[name]?.includes(zone)),
        describe: (_, { zone }) => ({ zone, maximumCardsPerInstance: 4 }),
    },
    {
        name: "diskTypes",
        path: "zones/{zone}/diskTypes",
        resource: "diskType",
        names: ({ zone }) => (regionOf(zone ?? "") ? DISK_TYPES : []),
        describe: (_, { zone }) => ({ zone }),
    },
    {
        name: "networks",
        path: "global/networks",
        resource: "network",
        names: () => NETWORKS,
        describe: (_, { project }) => ({
            autoCreateSubnetworks: true,
            subnetworks: Object.keys(ZONES).map((region) =>
                selfLink(`projects/${project}/regions/${region}/subnetworks/default`),
            ),
        }),
    },
    {
        name: "subnetworks",
        path: "regions/{region}/subnetworks",
        resource: "subnetwork",
        names: ({ region }) => (ZONES[region ?? ""] ? NETWORKS : []),
        describe: (_, { project, region }) => ({
            network: selfLink(`projects/${project}/global/networks/default`),
            region: selfLink(`projects/${project}/regions/${region}`),
            ipCidrRange: "10.128.0.0/20",
            privateIpGoogleAccess: true,
        }),
    },
];

function routesOf(collection: Collection, project: string): Route[] {
    const { name, path, resource } = collection;
    const whole = `/compute/v1/projects/{project}/${path}`;
    const here = (params: Call["params"]) =>
        path.replace(/\{(\w+)\}/g, (_, parameter: string) => params[parameter] ?? "");
    const show = (one: string, params: Call["params"]) => {
        const own = `projects/${params.project}/${here(params)}/${one}`;
        if (params.project !== project || !collection.names(params).includes(one)) {
            throw notFound(own);
        }
        return {
            kind: `compute#${resource}`,
            name: one,
            selfLink: selfLink(own),
            ...collection.describe(one, params),
        };
    };
    return [
        {
            kind: `${name}.get`,
            method: "GET",
            path: `${whole}/{name}`,
            permission: `compute.${name}.get`,
            run: ({ params }) => show(params.name ?? "", params),
        },
        {
            kind: `${name}.list`,
            method: "GET",
            path: whole,
            permission: `compute.${name}.list`,
            query: PAGING,
            run: ({ params, query }) => ({
                kind: `compute#${resource}List`,
                items: collection
                    .names(params)
                    .map((one) => show(one, params))
                    .filter(filterOf(query.get("filter"))),
            }),
        },
    ];
}

function projectOf(project: string, projectNumber: string, params: Call["params"]): object {
    if (params.project !== project && params.project !== projectNumber) {
        throw notFound(`projects/${params.project}`);
    }
    return {
        kind: "compute#project",
        id: projectNumber,
        name: project,
        selfLink: selfLink(`projects/${project}`),
        defaultServiceAccount: `${projectNumber}-compute@developer.gserviceaccount.com`,
        commonInstanceMetadata: { kind: "compute#metadata", fingerprint: "projectmetadata=", items: [] },
        quotas: [],
    };
}

// Images are in Google's own projects, which everyone may read.
function imageRoutes(): Route[] {
    const base = "/compute/v1/projects/{project}/global/images";
    const find = (what: keyof Image, { params }: Call): object => {
        const value = params.name ?? "";
        const image = IMAGES.find((one) => one.project === params.project && one[what] === value);
        if (!image) {
            const where = what === "family" ? "images/family" : "images";
            throw notFound(`projects/${params.project}/global/${where}/${value}`);
        }
        return showImage(image);
    };
    return [
        {
            kind: "images.getFromFamily",
            method: "GET",
            path: `${base}/family/{name}`,
            query: ["zone"],
            run: (call) => find("family", call),
        },
        { kind: "images.get", method: "GET", path: `${base}/{name}`, run: (call) => find("name", call) },
        {
            kind: "images.list",
            method: "GET",
            path: base,
            query: PAGING,
            run: ({ params, query }) => ({
                kind: "compute#imageList",
                items: IMAGES.filter(({ project }) => project === params.project)
                    .map(showImage)
                    .filter(filterOf(query.get("filter"))),
            }),
        },
    ];
}

function showImage({ project, name, family, sizeGb }: Image): object {
    return {
        kind: "compute#image",
        name,
        family,
        status: "READY",
        diskSizeGb: String(sizeGb),
        architecture: "X86_64",
        selfLink: selfLink(`projects/${project}/global/images/${name}`),
    };
}
