import { inputNameFault, outputPath } from "./names";
import { Edge, checkCycles, startOrder } from "./order";
import { DocPath } from "./path";
import { StepDraft, parentIn } from "./readSteps";
import { Report } from "./report";
import { asRecord, asTexts } from "./text";
import { Step, StepOutputRef } from "./types";
import { nearest, quote, quoteList } from "./words";

/** Ties the steps together by `after` and `inputs`, and puts them in an order in which they may start. */
export function connectSteps(drafts: readonly StepDraft[], report: Report): Step[] {
    const links = new Links(drafts, report);
    const inputs = drafts.map((_, i) => links.inputsOf(i));
    const edges = drafts.map((_, i) => unique([...links.afterOf(i), ...inputs[i].edges]));
    const graph = { names: drafts.map(({ own }) => own.name), edges };
    checkCycles(graph, report);
    const order = startOrder(graph);
    return order.map((i) => {
        const waitsFor = new Set(edges[i].map(({ to }) => to));
        const after = order.filter((j) => waitsFor.has(j)).map((j) => graph.names[j]);
        return { ...drafts[i].own, after, inputs: inputs[i].refs };
    });
}

/** One edge for each target; what is written counts more than what is the default. */
function unique(edges: readonly Edge[]): Edge[] {
    const byTarget = new Map<number, Edge>();
    for (const edge of edges) {
        const known = byTarget.get(edge.to);
        byTarget.set(edge.to, known?.path === undefined ? edge : known);
    }
    return [...byTarget.values()];
}

class Links {
    private readonly index = new Map<string, number>();

    constructor(
        private readonly drafts: readonly StepDraft[],
        private readonly report: Report,
    ) {
        drafts.forEach(({ own }, i) => this.index.set(own.name, this.index.get(own.name) ?? i));
    }

    /** What a step waits for by its `after`: by default for the step before it. */
    afterOf(i: number): Edge[] {
        const { after, path } = this.drafts[i];
        if (after === undefined) {
            return i === 0 ? [] : [{ to: i - 1 }];
        }
        return asTexts(after).flatMap(({ text, index }) => {
            const place = [...path, "after", index];
            const to = this.find(text, i, place, () => this.otherNames(i));
            return to === undefined ? [] : [{ to, path: place }];
        });
    }

    /** Where a step's inputs come from, and the steps that it therefore waits for. */
    inputsOf(i: number): { refs: Record<string, StepOutputRef>; edges: Edge[] } {
        const refs: Record<string, StepOutputRef> = {};
        const edges: Edge[] = [];
        for (const [name, value] of Object.entries(asRecord(this.drafts[i].inputs))) {
            const path = [...this.drafts[i].path, "inputs", name];
            const fault = inputNameFault(name);
            if (fault !== undefined) {
                const allowed = "the name of a file, without / and \\";
                this.report.mistake(path, fault, { allowed, part: "key" });
            }
            const found = typeof value === "string" ? this.source(value, i, path) : undefined;
            if (found !== undefined) {
                refs[name] = found.ref;
                edges.push({ to: found.to, path });
            }
        }
        return { refs, edges };
    }

    private source(text: string, i: number, path: DocPath): { to: number; ref: StepOutputRef } | undefined {
        const slash = text.indexOf("/");
        const step = slash < 0 ? text : text.slice(0, slash);
        const rest = slash < 0 ? "" : text.slice(slash + 1);
        if (step.trim() === "" || rest.trim() === "") {
            const message = text.trim() === "" ? "is empty" : `${quote(text)} names no output of a step`;
            this.report.mistake(path, message, {
                allowed: "step/output, such as load/raw.csv",
                suggestion: () => this.onlyOutput(step),
            });
            return undefined;
        }
        const to = this.find(step, i, path, () => this.otherOutputs(i), text);
        if (to === undefined) {
            return undefined;
        }
        const read = outputPath(rest);
        const output = "path" in read ? read.path : rest;
        this.checkDeclared(to, output, path, "path" in read);
        return { to, ref: { step, output } };
    }

    private checkDeclared(to: number, output: string, path: DocPath, valid: boolean): void {
        const { name, outputs } = this.drafts[to].own;
        if (outputs.includes(output)) {
            return;
        }
        const parent = valid ? parentIn(output, new Set(outputs)) : undefined;
        const near = (): string | undefined => parent ?? nearest(output, outputs);
        this.report.mistake(path, `step ${quote(name)} declares no output ${quote(output)}`, {
            allowed: outputs.length === 0 ? "what its outputs list (nothing)" : quoteList(outputs),
            suggestion: () => (near() === undefined ? undefined : `${name}/${near()}`),
        });
    }

    /** The index of a step that another one refers to. */
    private find(
        name: string,
        i: number,
        path: DocPath,
        among: () => readonly string[],
        written = name,
    ): number | undefined {
        const to = this.index.get(name);
        if (to === i || (to !== undefined && this.drafts[i].own.name === name)) {
            this.report.mistake(path, `step ${quote(name)} waits for itself`, { allowed: "other steps" });
            return undefined;
        }
        if (to === undefined) {
            const candidates = this.report.full ? [] : among();
            this.report.mistake(path, name.trim() === "" ? "is empty" : `there is no step ${quote(name)}`, {
                allowed: candidates.length === 0 ? "there are no others" : quoteList(candidates),
                suggestion: () => nearest(written, candidates),
            });
        }
        return to;
    }

    private otherNames(i: number): string[] {
        return [...this.index.keys()].filter((name) => name !== "" && name !== this.drafts[i].own.name);
    }

    private otherOutputs(i: number): string[] {
        const others = this.drafts.filter((_, j) => j !== i);
        return others.flatMap(({ own }) => own.outputs.map((output) => `${own.name}/${output}`));
    }

    private onlyOutput(step: string): string | undefined {
        const to = this.index.get(step);
        const outputs = to === undefined ? [] : this.drafts[to].own.outputs;
        return outputs.length === 1 ? `${step}/${outputs[0]}` : undefined;
    }
}
