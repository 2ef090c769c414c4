/** A place in a pipeline document: keys and list indices from the root. */
export type DocPath = readonly (string | number)[];

/** `["steps", 2, "retries", "limit"]` -> `steps[2].retries.limit`; unusual keys are quoted: `env["MY VAR"]`. */
export function formatPath(path: DocPath): string {
    return path.reduce<string>((text, part) => {
        if (typeof part === "number") {
            return `${text}[${part}]`;
        }
        if (!/^[A-Za-z0-9_-]+$/.test(part)) {
            return `${text}[${JSON.stringify(part)}]`;
        }
        return text === "" ? part : `${text}.${part}`;
    }, "");
}
