import { badRequest } from "../api/errors";

/** What conditions can look at. */
export interface Conditioned {
    /** `projects/_/buckets/b/objects/o`; empty for a resource of a type that conditions do not know. */
    readonly name: string;
    /** `compute.googleapis.com/Instance`; empty like the name. */
    readonly type?: string;
    /** The prefix that a listing of objects asks for. */
    readonly listPrefix?: string;
}

const COMPUTE = /^(projects\/[^/]+\/(?:zones\/[^/]+|regions\/[^/]+|global)\/([^/]+)\/[^/]+)/;
const SECRET = /^projects\/[^/]+\/(secrets\/[^/]+(\/versions\/[^/]+)?)/;

/**
 * The types of Compute Engine that have a name and a type in conditions; those of the load balancers are left out here.
 * All others have none, among them groups of instances, their managers, and operations: a condition on the name of a group
 * never holds (docs.cloud.google.com/iam/docs/conditions-resource-attributes, as of April 2026).
 */
const COMPUTE_TYPES: Readonly<Record<string, string>> = {
    disks: "Disk",
    firewalls: "Firewall",
    images: "Image",
    instances: "Instance",
    instanceTemplates: "InstanceTemplate",
    snapshots: "Snapshot",
};

/** What conditions see of the resource that a path names: Secret Manager's go by the project's number. */
export function conditionedBy(path: string, projectNumber: string): Conditioned {
    const [, name = "", collection = ""] = COMPUTE.exec(path) ?? [];
    const type = COMPUTE_TYPES[collection];
    if (type !== undefined) {
        return { name, type: `compute.googleapis.com/${type}` };
    }
    const [, secret, version] = SECRET.exec(path) ?? [];
    return secret === undefined
        ? { name: "" }
        : {
              name: `projects/${projectNumber}/${secret}`,
              type: `secretmanager.googleapis.com/${version ? "SecretVersion" : "Secret"}`,
          };
}

type Test = (request: Conditioned) => boolean;

const ATTRIBUTE =
    /^(resource\.name|resource\.type|resource\.service|api\.getAttribute\(["']storage\.googleapis\.com\/objectListPrefix["'], ["']["']\))/;
const CALL = /^\.(startsWith|endsWith)\((?:"([^"]*)"|'([^']*)')\)$/;
const COMPARISON = /^\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)')$/;

/** Whether a condition holds. Of CEL, the comparisons of texts are known here, joined by `&&`, `||` and parentheses. */
export function holds(expression: string, request: Conditioned): boolean {
    return testOf(expression, expression)(request);
}

function testOf(part: string, whole: string): Test {
    const text = part.trim();
    const either = split(text, "||");
    if (either.length > 1) {
        const tests = either.map((one) => testOf(one, whole));
        return (request) => tests.some((test) => test(request));
    }
    const all = split(text, "&&");
    if (all.length > 1) {
        const tests = all.map((one) => testOf(one, whole));
        return (request) => tests.every((test) => test(request));
    }
    return text.startsWith("(") && text.endsWith(")")
        ? testOf(text.slice(1, -1), whole)
        : comparison(text, whole);
}

function comparison(text: string, whole: string): Test {
    const [attribute] = ATTRIBUTE.exec(text) ?? [];
    const rest = text.slice(attribute?.length ?? 0);
    const [, operator, ...texts] = CALL.exec(rest) ?? COMPARISON.exec(rest) ?? [];
    if (attribute === undefined || operator === undefined) {
        throw badRequest(`The emulator does not know the condition ${whole}`);
    }
    const wanted = texts.find((one) => one !== undefined) ?? "";
    const operators: Readonly<Record<string, (value: string) => boolean>> = {
        startsWith: (value) => value.startsWith(wanted),
        endsWith: (value) => value.endsWith(wanted),
        "==": (value) => value === wanted,
        "!=": (value) => value !== wanted,
    };
    const test = operators[operator] as (value: string) => boolean;
    return (request) => test(valueOf(attribute, request));
}

function valueOf(attribute: string, { name, type = "", listPrefix = "" }: Conditioned): string {
    switch (attribute) {
        case "resource.name":
            return name;
        case "resource.type":
            return type;
        case "resource.service":
            return type.split("/")[0] ?? "";
        default:
            return listPrefix;
    }
}

// At an operator that is in no parentheses and in no text.
function split(text: string, operator: "&&" | "||"): string[] {
    const parts: string[] = [];
    let [depth, from, quote] = [0, 0, ""];
    for (let at = 0; at < text.length; at++) {
        const character = text[at] as string;
        if (quote) {
            quote = character === quote ? "" : quote;
        } else if (character === '"' || character === "'") {
            quote = character;
        } else if (character === "(" || character === ")") {
            depth += character === "(" ? 1 : -1;
        } else if (depth === 0 && text.startsWith(operator, at)) {
            parts.push(text.slice(from, at));
            from = at + operator.length;
            at = from - 1;
        }
    }
    return [...parts, text.slice(from)];
}
