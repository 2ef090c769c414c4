import type { ResourceHandler } from "../../../../src/provider/handler";
import { autoName, changedProperties, outputsOf, previewOutputs, text } from "../outputs";
import { ifFound, type Connection } from "./connection";
import { labelsOf } from "./containerOptions";

interface IpamConfig {
    readonly subnet?: string;
    readonly gateway?: string;
    readonly ipRange?: string;
    readonly auxAddress?: Record<string, string>;
}

/** `docker:index/network:Network`: a change of anything makes another network. */
export function networkHandler(connection: Connection): ResourceHandler {
    return {
        check: () => [],
        diff: ({ oldInputs, inputs }) =>
            Promise.resolve({ changes: changedProperties(oldInputs, inputs), replace: true }),
        async create({ urn, inputs, preview }) {
            if (preview) {
                return { id: "", outputs: previewOutputs(inputs, ["name", "driver", "scope"]) };
            }
            const { value } = inputs;
            const name = text(value.name) ?? autoName(urn);
            const ipam = (value.ipamConfigs ?? []) as IpamConfig[];
            const network = await connection.docker.createNetwork({
                Name: name,
                CheckDuplicate: true,
                Driver: text(value.driver) ?? "bridge",
                Internal: value.internal === true,
                Attachable: value.attachable === true,
                Ingress: value.ingress === true,
                EnableIPv6: value.ipv6 === true,
                Options: (value.options ?? {}) as Record<string, string>,
                Labels: labelsOf(value.labels),
                IPAM: {
                    Driver: text(value.ipamDriver) ?? "default",
                    Options: (value.ipamOptions ?? {}) as Record<string, string>,
                    Config: ipam.map(ipamConfig) as Record<string, string>[],
                },
            });
            const { Driver: driver, Scope: scope } = (await network.inspect()) as {
                Driver: string;
                Scope: string;
            };
            return { id: network.id, outputs: outputsOf(inputs, { name, driver, scope }) };
        },
        update: ({ inputs, oldOutputs }) => Promise.resolve({ outputs: outputsOf(inputs, oldOutputs) }),
        async read({ id, inputs, outputs }) {
            const found = (await ifFound(connection.docker.getNetwork(id).inspect())) as object | undefined;
            return found && { outputs: outputsOf(inputs, outputs) };
        },
        async delete({ id }) {
            await ifFound(connection.docker.getNetwork(id).remove());
        },
    };
}

function ipamConfig({ subnet, gateway, ipRange, auxAddress }: IpamConfig): object {
    return {
        ...(subnet && { Subnet: subnet }),
        ...(gateway && { Gateway: gateway }),
        ...(ipRange && { IPRange: ipRange }),
        ...(auxAddress && { AuxiliaryAddresses: auxAddress }),
    };
}
