import { containerBackend } from "./container";
import type { Backend } from "./machine";
import { paperBackend } from "./paper";
import { vmBackend } from "./vm";

export type BackendName = "paper" | "container" | "vm";

export function createBackend(name: BackendName): Backend {
    switch (name) {
        case "paper":
            return paperBackend;
        case "container":
            return containerBackend;
        case "vm":
            return vmBackend;
    }
}
