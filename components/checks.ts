import * as pulumi from "./sdk";

/** Collects one mistake: which argument, what it is, and what is allowed. */
export type Wrong = (key: string, value: unknown, allowed: string) => void;

/** A whole number of at least `least`. */
export function whole(key: string, value: unknown, least: number, wrong: Wrong, required = false): void {
    if ((value !== undefined || required) && !(Number.isInteger(value) && (value as number) >= least)) {
        wrong(key, value, `a whole number from ${least}`);
    }
}

/** `true` or `false`. */
export function flag(key: string, value: unknown, wrong: Wrong): void {
    if (value !== undefined && typeof value !== "boolean") {
        wrong(key, value, "true, false");
    }
}

/** Keys that an object may not have. */
export function unknownKeys(
    key: string,
    value: object | undefined,
    known: readonly string[],
    wrong: Wrong,
): void {
    for (const name of Object.keys(value ?? {}).filter((one) => !known.includes(one))) {
        wrong(key, name, known.join(", "));
    }
}

/** Given, and known before anything is declared. */
export function isPlain(value: unknown): boolean {
    return value !== undefined && !pulumi.Output.isInstance(value) && !(value instanceof Promise);
}

/** A plain object, and no output. */
export function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !pulumi.Output.isInstance(value);
}

/** A value, for a message. */
export function show(value: unknown): string {
    return typeof value === "function" ? "a function" : (JSON.stringify(value) ?? "missing");
}

/** Variables that rclone gets. */
export function transferEnv(env: object | undefined, wrong: Wrong): void {
    for (const [name, value] of Object.entries(env ?? {})) {
        if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name.startsWith("STACKRUN_")) {
            wrong("transfer.env", name, "names with letters, digits and _, and not STACKRUN_…");
        } else if (value === undefined || (isPlain(value) && typeof value !== "string")) {
            // The value may be a credential: it is not shown.
            wrong(`transfer.env: the type of ${name}`, typeof value, '"string"');
        }
    }
}
