import type { ResourceHandler } from "../../../../src/provider/handler";
import { deepEqual, type Properties } from "../../../../src/provider/values";
import { text } from "../outputs";
import { GoogleError, ifFound, type GcpClient, type Json } from "./client";
import { simpleHandler } from "./simple";

interface Target {
    /** The resource whose policy it is: the first part of the member's id. */
    of(inputs: Properties): string;
    read(target: string): Promise<Json>;
    write(target: string, policy: Json): Promise<unknown>;
}

/** One member of one role of a bucket, by reading the policy, changing it and writing it back. */
export function bucketMember(client: GcpClient): ResourceHandler {
    return memberHandler({
        of: ({ bucket }) => (text(bucket) as string).replace(/^(b\/)?/, "b/"),
        read: (target) => client.get("storage", `${target}/iam?optionsRequestedPolicyVersion=3`),
        write: (target, policy) => client.request("PUT", "storage", `${target}/iam`, policy as object),
    });
}

export function projectMember(client: GcpClient): ResourceHandler {
    return memberHandler({
        of: (inputs) => client.project(inputs),
        read: (target) =>
            client.post("resourceManager", `projects/${target}:getIamPolicy`, {
                options: { requestedPolicyVersion: 3 },
            }),
        write: (target, policy) =>
            client.post("resourceManager", `projects/${target}:setIamPolicy`, { policy }),
    });
}

export function repositoryMember(client: GcpClient): ResourceHandler {
    return memberHandler({
        of(inputs) {
            const repository = text(inputs.repository) as string;
            return repository.includes("/")
                ? repository
                : `projects/${client.project(inputs)}/locations/${text(inputs.location) ?? client.region(inputs)}/repositories/${repository}`;
        },
        read: (target) =>
            client.get("artifactRegistry", `${target}:getIamPolicy?options.requestedPolicyVersion=3`),
        write: (target, policy) => client.post("artifactRegistry", `${target}:setIamPolicy`, { policy }),
    });
}

export function secretMember(client: GcpClient): ResourceHandler {
    return memberHandler({
        of(inputs) {
            const secret = text(inputs.secretId) as string;
            return secret.includes("/") ? secret : `projects/${client.project(inputs)}/secrets/${secret}`;
        },
        read: (target) =>
            client.get("secretManager", `${target}:getIamPolicy?options.requestedPolicyVersion=3`),
        write: (target, policy) => client.post("secretManager", `${target}:setIamPolicy`, { policy }),
    });
}

function memberHandler(target: Target): ResourceHandler {
    return simpleHandler({
        what: "a member of an IAM policy",
        computed: ["etag"],
        async create(inputs) {
            await change(target, inputs, (bindings) => [
                ...bindings.filter((one) => !isOf(one, inputs)),
                {
                    role: inputs.role,
                    members: [...membersOf(bindings, inputs), inputs.member],
                    ...conditionOf(inputs),
                },
            ]);
            return [target.of(inputs), inputs.role, inputs.member].join("/");
        },
        async read(_, inputs) {
            const policy = await ifFound(target.read(target.of(inputs)));
            const there =
                policy && membersOf(policy.bindings ?? [], inputs).includes(text(inputs.member) as string);
            return there ? { etag: policy.etag } : undefined;
        },
        async delete(_, inputs) {
            await ifFound(
                change(target, inputs, (bindings) =>
                    bindings.map((one) =>
                        isOf(one, inputs)
                            ? {
                                  ...one,
                                  members: one.members.filter((member: string) => member !== inputs.member),
                              }
                            : one,
                    ),
                ),
            );
        },
    });
}

// Two programs may do the same: the one whose etag is old reads again.
async function change(target: Target, inputs: Properties, edit: (bindings: Json[]) => Json[]): Promise<void> {
    for (let tries = 1; ; tries++) {
        const policy = await target.read(target.of(inputs));
        try {
            const bindings = edit((policy.bindings ?? []) as Json[]);
            await target.write(target.of(inputs), { etag: policy.etag, version: 3, bindings });
            return;
        } catch (error) {
            if (!(error instanceof GoogleError && error.code === 409) || tries === 20) {
                throw error;
            }
        }
    }
}

function membersOf(bindings: Json[], inputs: Properties): string[] {
    return (bindings.find((one) => isOf(one, inputs))?.members ?? []) as string[];
}

function isOf({ role, condition }: Json, inputs: Properties): boolean {
    return role === inputs.role && deepEqual(condition ?? null, inputs.condition ?? null);
}

function conditionOf({ condition }: Properties): object {
    return condition ? { condition } : {};
}
