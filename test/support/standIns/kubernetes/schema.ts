import Ajv, { type ErrorObject, type ValidateFunction } from "ajv";
import { isUnknown, type Value } from "../../../../src/provider/values";
import type { KubernetesApi, KubeObject } from "./api";

type Schema = Record<string, unknown>;

/** Refuses what the API server's own schema does not know: unknown fields, missing ones, wrong types. */
export class SchemaChecker {
    private readonly groups = new Map<string, Promise<Group>>();

    constructor(private readonly api: KubernetesApi) {}

    /** One sentence for each mistake; values that a preview does not know yet pass. */
    async mistakes(object: KubeObject): Promise<{ property: string; reason: string }[]> {
        const { apiVersion, kind } = object as { apiVersion: string; kind: string };
        const group = await this.group(apiVersion);
        const validate = group.validatorOf(kind);
        if (!validate) {
            return [{ property: "kind", reason: `the API server has no ${kind} in ${apiVersion}` }];
        }
        if (validate(object)) {
            return [];
        }
        const found = (validate.errors ?? []).filter(
            (error) => !isUnknown(valueAt(object, error.instancePath)),
        );
        return found.map(describe);
    }

    private group(apiVersion: string): Promise<Group> {
        let group = this.groups.get(apiVersion);
        if (!group) {
            const path = apiVersion.includes("/") ? `apis/${apiVersion}` : `api/${apiVersion}`;
            group = this.api
                .request("GET", `/openapi/v3/${path}`)
                .then((document) => new Group(document, apiVersion));
            this.groups.set(apiVersion, group);
        }
        return group;
    }
}

/** The schemas of one API group and version. */
class Group {
    private readonly ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, verbose: true });
    private readonly names = new Map<string, string>();

    constructor(document: KubeObject, apiVersion: string) {
        const schemas = (document.components as { schemas: Record<string, Schema> }).schemas;
        for (const [name, schema] of Object.entries(schemas)) {
            if (schema.properties && !schema["x-kubernetes-preserve-unknown-fields"]) {
                schema.additionalProperties ??= false;
            }
            for (const { group, version, kind } of kindsOf(schema)) {
                if ([group, version].filter(Boolean).join("/") === apiVersion) {
                    this.names.set(kind, name);
                }
            }
        }
        this.ajv.addSchema({ $id: "cluster", components: { schemas } } as Schema);
    }

    validatorOf(kind: string): ValidateFunction | undefined {
        const name = this.names.get(kind);
        return name ? this.ajv.getSchema(`cluster#/components/schemas/${name}`) : undefined;
    }
}

function kindsOf(schema: Schema): { group: string; version: string; kind: string }[] {
    return (schema["x-kubernetes-group-version-kind"] ?? []) as {
        group: string;
        version: string;
        kind: string;
    }[];
}

function describe({ instancePath, keyword, params, message }: ErrorObject): {
    property: string;
    reason: string;
} {
    const at = instancePath
        .split("/")
        .slice(1)
        .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
        .reduce(
            (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path ? `${path}.${part}` : part),
            "",
        );
    const place = (name: string) => (at ? `${at}.${name}` : name);
    if (keyword === "additionalProperties") {
        const property = place(String((params as { additionalProperty: string }).additionalProperty));
        return { property, reason: `unknown field "${property}"` };
    }
    if (keyword === "required") {
        const property = place(String((params as { missingProperty: string }).missingProperty));
        return { property, reason: `missing required field "${property}"` };
    }
    return { property: at, reason: message ?? keyword };
}

function valueAt(object: Value, pointer: string): unknown {
    return pointer
        .split("/")
        .slice(1)
        .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
        .reduce<unknown>((value, part) => (value as Record<string, unknown> | null)?.[part], object);
}
