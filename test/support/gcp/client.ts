import { until } from "../project";
import type { GcpBed } from "./bed";

/** An answer of an API: its status and its body. */
export interface Answer {
    readonly status: number;
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    readonly body: any;
}

/** Asks the bed's APIs as the user, or with another token: for tests of the bed, and for preparing others. */
export async function ask(
    bed: GcpBed,
    method: string,
    path: string,
    body?: object,
    token = bed.token,
): Promise<Answer> {
    const response = await fetch(`${bed.url}${path}`, {
        method,
        headers: {
            ...(token && { authorization: `Bearer ${token}` }),
            ...(body && { "content-type": "application/json" }),
        },
        ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text ? (JSON.parse(text) as unknown) : undefined };
}

/** The path of the zone, or of what is below it. */
export function zonePath(bed: GcpBed, below: string, zone = bed.zone): string {
    return `/compute/v1/projects/${bed.project}/zones/${zone}/${below}`;
}

/** The path of what is global in the project. */
export function globalPath(bed: GcpBed, below: string): string {
    return `/compute/v1/projects/${bed.project}/global/${below}`;
}

/** The path of a managed group: of the zone, or of a region. */
export function groupPath(bed: GcpBed, name = "", verb = "", where = `zones/${bed.zone}`): string {
    const below = [name, verb].filter(Boolean).map((one) => `/${one}`);
    return `/compute/v1/projects/${bed.project}/${where}/instanceGroupManagers${below.join("")}`;
}

/** The body of `instances.insert` for a Spot machine; `metadata` as an object. */
export function spotInstance(
    bed: GcpBed,
    name: string,
    metadata: Readonly<Record<string, string>> = {},
    more: object = {},
): Record<string, unknown> {
    return {
        name,
        machineType: `zones/${bed.zone}/machineTypes/e2-small`,
        disks: [
            {
                boot: true,
                autoDelete: true,
                initializeParams: { sourceImage: "projects/debian-cloud/global/images/family/debian-12" },
            },
        ],
        networkInterfaces: [{ network: "global/networks/default" }],
        scheduling: {
            provisioningModel: "SPOT",
            automaticRestart: false,
            onHostMaintenance: "TERMINATE",
            instanceTerminationAction: "STOP",
        },
        serviceAccounts: [{ email: "default", scopes: ["https://www.googleapis.com/auth/cloud-platform"] }],
        metadata: { items: Object.entries(metadata).map(([key, value]) => ({ key, value })) },
        ...more,
    };
}

/** The body of `instanceTemplates.insert` for machines like those of {@link spotInstance}. */
export function spotTemplate(
    bed: GcpBed,
    name: string,
    metadata: Readonly<Record<string, string>> = {},
    more: object = {},
): Record<string, unknown> {
    const properties = { ...spotInstance(bed, name, metadata), machineType: "e2-small", ...more };
    delete (properties as { name?: string }).name;
    return { name, properties };
}

/** Does what starts an operation, and waits for its end; resolves to it. */
export async function operate(
    bed: GcpBed,
    method: string,
    path: string,
    body?: object,
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
): Promise<any> {
    const { status, body: operation } = await ask(bed, method, path, body);
    if (status !== 200) {
        throw new Error(`${method} ${path}: ${status} ${JSON.stringify(operation)}`);
    }
    const own = new URL(operation.selfLink as string).pathname;
    return (await ask(bed, "POST", `${own}/wait`)).body;
}

/** Waits for a text in the output of an instance's first serial port. */
export async function seenOnSerialPort(
    bed: GcpBed,
    name: string,
    text: RegExp | string,
    timeoutMs = 60_000,
): Promise<string> {
    const output = () => bed.instance(name).serial.text;
    await until(
        () => (typeof text === "string" ? output().includes(text) : text.test(output())),
        timeoutMs,
        () => `${text} on the serial port of ${name}:\n${output().slice(-4000)}`,
    );
    return output();
}
