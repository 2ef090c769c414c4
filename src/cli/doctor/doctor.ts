import * as path from "node:path";
import { version } from "../../version";
import { EXIT } from "../exit";
import { STATE_DIR } from "../folder";
import type { Terminal } from "../terminal";
import type { Check, CheckState, Place } from "./check";
import { checkBackend, checkPassphrase } from "./credentials";
import { checkEngine, checkPlugin } from "./engine";
import {
    checkDisk,
    checkDocker,
    checkGit,
    checkKubectl,
    checkNode,
    checkPlatform,
    checkShell,
} from "./machine";

const TIMEOUTS = { answerTimeoutMs: 3_000, startTimeoutMs: 10_000 };
const COLORS: Readonly<Record<CheckState, "green" | "red" | "gray">> = {
    ok: "green",
    missing: "red",
    wrong: "red",
    "not needed yet": "gray",
};

/** `stackrun doctor`: what there is, what is missing, and what helps. Makes nothing. */
export async function doctor(json: boolean, terminal: Terminal): Promise<number> {
    const folder = process.cwd();
    const stateDir = path.join(folder, STATE_DIR);
    const place = { env: process.env, folder, stateDir, ...TIMEOUTS };
    const checks = await examine(place);
    const ready = isReady(checks);
    if (json) {
        terminal.line(JSON.stringify({ version, ready, checks }, null, 2));
    } else {
        terminal.lines(reportOf(checks, terminal));
    }
    return ready ? EXIT.succeeded : EXIT.notReady;
}

/** All checks, side by side. */
export async function examine(place: Place): Promise<Check[]> {
    const checks = await Promise.all([
        checkEngine(place),
        checkPlugin(place),
        checkPlatform(),
        checkNode(),
        checkShell(place),
        checkBackend(place),
        checkPassphrase(place),
        checkDisk(place),
        checkGit(place),
        checkDocker(place),
        checkKubectl(place),
    ]);
    return checks.flat();
}

/** True if a local run would work. */
export function isReady(checks: readonly Check[]): boolean {
    return checks.every(({ needed, state }) => !needed || state === "ok");
}

function reportOf(checks: readonly Check[], terminal: Terminal): string[] {
    const state = Math.max(...checks.map((check) => check.state.length));
    const name = Math.max(...checks.map((check) => check.name.length));
    const indent = " ".repeat(state + name + 4);
    const lines = checks.flatMap((check) => [
        `${terminal.paint(COLORS[check.state], check.state.padEnd(state))}  ${check.name.padEnd(name)}  ${check.found}`,
        ...(check.remedy ? [`${indent}→ ${check.remedy}`] : []),
    ]);
    const lacking = checks.filter((check) => check.needed && check.state !== "ok").map((check) => check.name);
    const verdict =
        lacking.length === 0 ? "a local run works here" : `not ready for a local run: ${lacking.join(", ")}`;
    return [`stackrun ${version}`, ...lines, "", verdict];
}
