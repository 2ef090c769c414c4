import { readFileSync, readlinkSync } from "node:fs";
import * as os from "node:os";

/** Process ids mean something only within one boot of one machine, and within one pid namespace. */
export interface Place {
    readonly host: string;
    /** Empty where the system does not tell. */
    readonly boot: string;
    readonly namespace: string;
}

export function here(): Place {
    return {
        host: os.hostname(),
        boot: read(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
        namespace: read(() => readlinkSync("/proc/self/ns/pid")),
    };
}

/** Where another place is, seen from here. A machine keeps its boot id when it changes its name. */
export function compare(other: Place, mine: Place = here()): "here" | "before a reboot" | "elsewhere" {
    const sameBoot = mine.boot ? other.boot === mine.boot : other.host === mine.host;
    if (sameBoot) {
        return other.namespace === mine.namespace ? "here" : "elsewhere";
    }
    return other.host === mine.host ? "before a reboot" : "elsewhere";
}

function read(look: () => string): string {
    try {
        return look();
    } catch {
        return "";
    }
}
