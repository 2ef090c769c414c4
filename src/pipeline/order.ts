import { DocPath } from "./path";
import { Report } from "./report";
import { listOf } from "./words";

/** That one step waits for another, and why. */
export interface Edge {
    readonly to: number;
    /** Where it is written; absent if it is the default (the step before it in the list). */
    readonly path?: DocPath;
}

export interface Graph {
    readonly names: readonly string[];
    /** For each step what it waits for. */
    readonly edges: readonly (readonly Edge[])[];
}

const MAX_CYCLES = 20;

/** The steps' indices in an order in which they may start: the list's, as far as they don't wait for later ones. */
export function startOrder({ edges }: Graph): number[] {
    const order: number[] = [];
    const placed = new Set<number>();
    let waiting = edges.map((_, i) => i);
    while (waiting.length > 0) {
        const next = waiting.find((i) => edges[i].every(({ to }) => placed.has(to)));
        if (next === undefined) {
            break; // a cycle, and reported as one
        }
        order.push(next);
        placed.add(next);
        waiting = waiting.filter((i) => i !== next);
    }
    return order;
}

/** Reports steps that wait for each other: without the edges that are named, none would. */
export function checkCycles(graph: Graph, report: Report): void {
    for (const cycle of findCycles(graph)) {
        const steps = cycle.map(({ from }) => graph.names[from]);
        const byDefault = cycle
            .filter(({ edge }) => edge.path === undefined)
            .map(({ from }) => graph.names[from]);
        const written = cycle.find(({ edge, from }) => edge.path !== undefined && edge.to > from);
        const path = (written ?? cycle.find(({ edge }) => edge.path !== undefined))?.edge.path ?? ["steps"];
        const message = `these steps wait for each other: ${[...steps, steps[0]].join(" -> ")}`;
        report.mistake(path, byDefault.length === 0 ? message : `${message}; ${explainDefault(byDefault)}`, {
            also: true,
        });
    }
}

function explainDefault(names: readonly string[]): string {
    const shown = listOf(names, (name) => name);
    const why =
        names.length === 1
            ? "waits only by default, for the step before it"
            : "wait only by default, for the step before them";
    return `${shown} ${why} in the list: "after: […]" there replaces that`;
}

interface Link {
    readonly from: number;
    readonly edge: Edge;
}

/** One cycle for each edge that leads back to a step on the way to it (depth first, in the list's order). */
function findCycles({ edges }: Graph): Link[][] {
    const cycles: Link[][] = [];
    const state = edges.map((): "new" | "open" | "done" => "new");
    for (let root = 0; root < edges.length; root++) {
        // A stack of its own: a chain of a thousand steps must not need as many calls.
        const way = state[root] === "new" ? [{ step: root, next: 0 }] : [];
        while (way.length > 0) {
            const here = way[way.length - 1];
            state[here.step] = "open";
            const edge = edges[here.step].at(here.next);
            here.next += 1;
            if (edge === undefined) {
                state[here.step] = "done";
                way.pop();
            } else if (state[edge.to] === "new") {
                way.push({ step: edge.to, next: 0 });
            } else if (state[edge.to] === "open" && cycles.length < MAX_CYCLES) {
                const from = way.findIndex(({ step }) => step === edge.to);
                const links = way
                    .slice(from)
                    .map(({ step, next }) => ({ from: step, edge: edges[step][next - 1] }));
                cycles.push(fromFirst(links));
            }
        }
    }
    return cycles;
}

/** The same cycle, told from the step that stands first in the list. */
function fromFirst(cycle: readonly Link[]): Link[] {
    const first = cycle.reduce((best, { from }, i) => (from < cycle[best].from ? i : best), 0);
    return [...cycle.slice(first), ...cycle.slice(0, first)];
}
