import { IDENTIFIER } from "./names";
import { DocPath } from "./path";
import { Report } from "./report";
import { asRecord, asTexts } from "./text";
import { quote } from "./words";

const RESERVED = "STACKRUN_";
const RESERVED_FAULT = { message: "names that start with STACKRUN_ are reserved", allowed: "another name" };

/** Environment variables, their values written out as texts. */
export function readEnv(value: unknown, path: DocPath, report: Report): Record<string, string> {
    const env: Record<string, string> = {};
    for (const [name, item] of Object.entries(asRecord(value))) {
        if (name.startsWith(RESERVED)) {
            report.mistake([...path, name], RESERVED_FAULT.message, {
                allowed: RESERVED_FAULT.allowed,
                part: "key",
            });
        }
        env[name] = String(item);
    }
    return env;
}

/** Names of secrets: each once, and none of them a variable of `env` too. */
export function readSecrets(value: unknown, path: DocPath, report: Report): string[] {
    const names = new Set<string>();
    for (const { text, index } of asTexts(value)) {
        if (text.startsWith(RESERVED)) {
            report.mistake([...path, index], RESERVED_FAULT.message, { allowed: RESERVED_FAULT.allowed });
        } else if (names.has(text)) {
            report.mistake([...path, index], `${quote(text)} is there twice`);
        }
        names.add(text);
    }
    return [...names];
}

/** A variable can't be both: its value would be public in one place and secret in another. */
export function checkNotSecret(
    env: unknown,
    path: DocPath,
    secrets: readonly string[],
    report: Report,
): void {
    const names = new Set(secrets.filter((name) => new RegExp(IDENTIFIER.pattern).test(name)));
    for (const name of Object.keys(asRecord(env)).filter((key) => names.has(key))) {
        report.mistake([...path, name], `${quote(name)} is also in secrets`, {
            allowed: "a variable is either in env or in secrets",
            part: "key",
        });
    }
}
