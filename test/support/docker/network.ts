import { execFileSync } from "node:child_process";
import { findCommand } from "../aptPackages";

/** A bed's part of the address space: `10.<second>.0.0/16`, of which its bridge has the first /24. */
export interface BedNetwork {
    readonly bridge: string;
    readonly second: number;
}

/** The beds' part of 10.0.0.0/8: clusters of `test/support/kubernetes` have 10.244 (pods) and 10.245 (nodes). */
const FIRST = 200;
const LAST = 243;

/** The first number that nothing on this machine uses. */
export function freeSecond(used: ReadonlySet<number>): number {
    for (let second = FIRST; second <= LAST; second++) {
        if (!used.has(second)) {
            return second;
        }
    }
    throw new Error(`no free subnet in 10.${FIRST}.0.0 to 10.${LAST}.255.255`);
}

/** Makes a bridge with addresses that nothing on this machine uses, and lets its containers out. */
export function createNetwork(bridge: string): BedNetwork {
    const second = freeSecond(usedSeconds());
    const network = { bridge, second };
    ip("link", "add", bridge, "type", "bridge");
    ip("addr", "add", `10.${second}.0.1/24`, "dev", bridge);
    ip("link", "set", bridge, "up");
    removeRules(network);
    rules(network).forEach((rule) => iptables("-I", rule));
    return network;
}

/** Also the bridges that the daemon made for networks of its users. */
export function removeNetwork(network: BedNetwork): void {
    removeRules(network);
    for (const { ifname, addr_info: addresses } of ipJson<Link>("-4", "addr", "show")) {
        if (addresses.some(({ local }) => local?.startsWith(`10.${network.second}.`))) {
            succeeds(() => ip("link", "del", ifname));
        }
    }
}

interface Link {
    readonly ifname: string;
    readonly addr_info: readonly { local?: string }[];
}

// The daemon itself leaves iptables alone: two daemons would take each other's chains for their own.
function rules({ second }: BedNetwork): string[][] {
    const all = `10.${second}.0.0/16`;
    return [
        ["POSTROUTING", "-t", "nat", "-s", all, "!", "-d", all, "-j", "MASQUERADE"],
        ["FORWARD", "-s", all, "-j", "ACCEPT"],
        ["FORWARD", "-d", all, "-j", "ACCEPT"],
    ];
}

function usedSeconds(): Set<number> {
    const routes = ipJson<{ dst: string }>("-4", "route", "show").map(({ dst }) => dst);
    const addresses = ipJson<Link>("-4", "addr", "show").flatMap(({ addr_info: infos }) =>
        infos.map(({ local }) => local ?? ""),
    );
    return new Set(
        [...routes, ...addresses].flatMap((text) => /^10\.(\d+)\./.exec(text)?.[1] ?? []).map(Number),
    );
}

// Until they are gone: a change can fail because another program makes one at the same moment.
function removeRules(network: BedNetwork): void {
    for (const rule of rules(network)) {
        for (let tries = 0; tries < 10 && succeeds(() => iptables("-C", rule)); tries++) {
            succeeds(() => iptables("-D", rule));
        }
    }
}

function iptables(action: "-I" | "-D" | "-C", rule: readonly string[]): void {
    execFileSync(findCommand("iptables") as string, ["-w", action, ...rule], { stdio: "ignore" });
}

function ip(...args: string[]): void {
    execFileSync(findCommand("ip") as string, args, { stdio: ["ignore", "ignore", "inherit"] });
}

function ipJson<T>(...args: string[]): T[] {
    const text = execFileSync(findCommand("ip") as string, ["-j", ...args], { encoding: "utf8" });
    return (JSON.parse(text || "[]") as T[]).filter((entry) => Object.keys(entry as object).length > 0);
}

function succeeds(run: () => void): boolean {
    try {
        run();
        return true;
    } catch {
        return false;
    }
}
