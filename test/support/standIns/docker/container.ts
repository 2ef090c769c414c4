import type Docker from "dockerode";
import { ProviderError, type ResourceHandler } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";
import { until } from "../../project";
import { autoName, changedProperties, outputsOf, previewOutputs, text } from "../outputs";
import { ifFound, type Connection } from "./connection";
import { containerInputs, createOptions, updateOptions, type ContainerInputs } from "./containerOptions";
import { containerFailures } from "./refusals";
import { uploadFiles } from "./uploads";

const COMPUTED = [
    "name",
    "bridge",
    "command",
    "containerLogs",
    "entrypoints",
    "exitCode",
    "hostname",
    "networkDatas",
];
/** Changes that replace nothing; all others make another container. */
const IN_PLACE = new Set([
    "attach",
    "containerReadRefreshTimeoutMilliseconds",
    "cpuSet",
    "cpuShares",
    "destroyGraceSeconds",
    "logs",
    "maxRetryCount",
    "memory",
    "memorySwap",
    "mustRun",
    "removeVolumes",
    "restart",
    "rm",
    "start",
    "wait",
    "waitTimeout",
]);
const SETTLE_MS = 200;

/**
 * `docker:index/container:Container`. Three things of the real plugin that are easily overlooked are done here too: its state
 * keeps the image's id, so that an `image` that is a name replaces the container at each update; with `mustRun`, which is the
 * default, a container that has ended is removed when it is read; and one that is gone can't be deleted.
 */
export function containerHandler(connection: Connection): ResourceHandler {
    return {
        check: ({ inputs }) => containerFailures(inputs.value),
        diff({ oldInputs, oldOutputs, inputs }) {
            const changes = changedProperties(oldInputs, inputs);
            if (!changes.includes("image") && text(inputs.image) !== text(oldOutputs.image)) {
                changes.push("image");
            }
            return Promise.resolve({ changes, replace: changes.some((name) => !IN_PLACE.has(name)) });
        },
        async create({ urn, inputs, preview }) {
            if (preview) {
                return { id: "", outputs: previewOutputs(inputs, COMPUTED) };
            }
            const wanted = containerInputs(inputs.value);
            const container = await create(connection, wanted, wanted.name ?? autoName(urn));
            try {
                const logs = await start(container, wanted);
                return {
                    id: container.id,
                    outputs: outputsOf(inputs, { ...(await state(container)), ...logs }),
                };
            } catch (error) {
                await ifFound(container.remove({ force: true, v: true }));
                throw error;
            }
        },
        async update({ id, inputs, oldOutputs, preview }) {
            const container = connection.docker.getContainer(id);
            if (!preview) {
                await container.update(updateOptions(containerInputs(inputs.value)));
            }
            return { outputs: outputsOf(inputs, preview ? computedOf(oldOutputs) : await state(container)) };
        },
        async read({ id, inputs, outputs }) {
            const container = connection.docker.getContainer(id);
            const found = await ifFound(container.inspect());
            if (found && !found.State.Running && inputs.value.mustRun !== false) {
                await container.remove({ force: true, v: true });
                return undefined;
            }
            return found && { outputs: outputsOf(inputs, { ...computedOf(outputs), ...computed(found) }) };
        },
        async delete({ id, oldInputs }) {
            const wanted = containerInputs(oldInputs.value);
            const container = connection.docker.getContainer(id);
            if (wanted.rm) {
                return;
            }
            if (!wanted.attach && wanted.destroyGraceSeconds) {
                await container.stop({ t: wanted.destroyGraceSeconds });
            }
            await container.remove({ force: true, v: wanted.removeVolumes ?? true });
        },
    };
}

async function create(
    connection: Connection,
    wanted: ContainerInputs,
    name: string,
): Promise<Docker.Container> {
    try {
        await connection.findOrPull(wanted.image, wanted.platform);
    } catch (error) {
        throw new ProviderError(
            `Unable to create container with image ${wanted.image}: unable to pull image: ${(error as Error).message}`,
        );
    }
    const container = await connection.docker
        .createContainer(createOptions(wanted, name))
        .catch((error: Error) => {
            throw new ProviderError(`Unable to create container: ${error.message}`);
        });
    await joinNetworks(connection, container, wanted);
    return container;
}

async function joinNetworks(
    { docker }: Connection,
    container: Docker.Container,
    { networksAdvanced = [] }: ContainerInputs,
): Promise<void> {
    if (networksAdvanced.length > 0) {
        await docker.getNetwork("bridge").disconnect({ Container: container.id, Force: false });
    }
    for (const { name, aliases, ipv4Address, ipv6Address, linkLocalIps, driverOpts } of networksAdvanced) {
        const addresses = {
            ...(linkLocalIps && { LinkLocalIPs: linkLocalIps }),
            ...(ipv4Address && { IPv4Address: ipv4Address }),
            ...(ipv6Address && { IPv6Address: ipv6Address }),
        };
        await docker.getNetwork(name).connect({
            Container: container.id,
            EndpointConfig: {
                Aliases: aliases ?? [],
                IPAMConfig: addresses,
                ...(driverOpts && { DriverOpts: Object.fromEntries(driverOpts.map(assignment)) }),
            },
        });
    }
}

function assignment(text: string): [string, string] {
    const [name = "", ...value] = text.split("=");
    return [name, value.join("=")];
}

async function start(
    container: Docker.Container,
    wanted: ContainerInputs,
): Promise<{ containerLogs?: string }> {
    await uploadFiles(container, wanted.uploads ?? []);
    if (wanted.start !== false) {
        await container.start().catch((error: Error) => {
            throw new ProviderError(`Unable to start container: ${error.message}`);
        });
    }
    let logs = {};
    if (wanted.attach) {
        await container.wait();
        logs = wanted.logs ? { containerLogs: await output(container) } : {};
    }
    if (wanted.wait) {
        await healthy(container, wanted.waitTimeout ?? 60);
    }
    if (wanted.mustRun !== false) {
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
        if (!(await container.inspect()).State.Running) {
            const last = await output(container);
            throw new ProviderError(`container exited immediately${last && `: ${last.trimEnd()}`}`);
        }
    }
    return logs;
}

async function healthy(container: Docker.Container, seconds: number): Promise<void> {
    await until(
        async () => (await container.inspect()).State.Health?.Status === "healthy",
        seconds * 1000,
        () => "the container to be healthy",
    );
}

/** Without a terminal, each piece of a container's output stands behind a head of eight bytes. */
async function output(container: Docker.Container): Promise<string> {
    const stream = await container.logs({ stdout: true, stderr: true, follow: false });
    if ((await container.inspect()).Config.Tty) {
        return stream.toString("utf8");
    }
    const pieces: Buffer[] = [];
    for (let at = 0; at + 8 <= stream.length; at += 8 + stream.readUInt32BE(at + 4)) {
        pieces.push(stream.subarray(at + 8, at + 8 + stream.readUInt32BE(at + 4)));
    }
    return Buffer.concat(pieces).toString("utf8");
}

async function state(container: Docker.Container): Promise<Properties> {
    return computed(await container.inspect());
}

function computed(info: Docker.ContainerInspectInfo): Properties {
    const networks = Object.entries(info.NetworkSettings.Networks);
    return {
        image: info.Image,
        name: info.Name.replace(/^\//, ""),
        hostname: info.Config.Hostname,
        bridge: (info.NetworkSettings as { Bridge?: string }).Bridge ?? "",
        command: info.Config.Cmd ?? [],
        entrypoints: [info.Config.Entrypoint ?? []].flat(),
        networkDatas: networks.map(([networkName, network]) => ({
            networkName,
            gateway: network.Gateway,
            ipAddress: network.IPAddress,
            ipPrefixLength: network.IPPrefixLen,
            macAddress: network.MacAddress,
        })),
        ...(info.State.Running ? {} : { exitCode: info.State.ExitCode }),
    };
}

function computedOf(outputs: Properties): Properties {
    return Object.fromEntries(
        [...COMPUTED, "image"].flatMap((name) =>
            outputs[name] === undefined ? [] : [[name, outputs[name]]],
        ),
    );
}
