import type { FollowItem, LogLine } from "../follower";
import type { StepPosition } from "./stepLines";

/** How far a pod's log was read. */
export interface LogState {
    /** Those that were under way there. */
    readonly steps: Record<string, StepPosition>;
    readonly bytes: number;
    /** The number of the last event. */
    readonly event?: number;
    /** Nothing of the run was there before this pod. */
    readonly fresh: boolean;
}

/** What waits to be passed on. */
export interface Entry {
    readonly item: FollowItem;
    readonly since: number;
    readonly lines?: HeldLines;
    /** Where one can go on behind it. */
    mark?: Mark;
}

export interface Mark {
    readonly state: LogState;
    readonly bookmark: (state: LogState) => string;
}

/** Lines of one step that were not passed on yet; they are known to be all when `counted`. */
export interface HeldLines {
    readonly step: string;
    texts: string[];
    counted: boolean;
}

/** As it is passed on. */
export function itemOf({ item, lines, mark }: Entry): FollowItem {
    const whole: FollowItem =
        lines && item.type === "log"
            ? { ...item, lines: lines.texts.map((text) => ({ step: lines.step, text })) }
            : item;
    return mark ? { ...whole, bookmark: mark.bookmark(mark.state) } : whole;
}

/** Lines that belong before what was passed on already. */
export function lateLines(late: readonly string[]): string[] {
    const what = late.length === 1 ? "1 line comes" : `${late.length} lines come`;
    return late.length > 0 ? [`stackrun: ${what} late: the platform's log had lost them`, ...late] : [];
}

/** Lines that stand together and are of one step. */
export function groupsOf(lines: readonly LogLine[]): { step: string; texts: string[] }[] {
    const groups: { step: string; texts: string[] }[] = [];
    for (const { step, text } of lines) {
        const last = groups.at(-1);
        if (last?.step === step) {
            last.texts.push(text);
        } else {
            groups.push({ step, texts: [text] });
        }
    }
    return groups;
}

export function textsOf(held: readonly Entry[]): string[] {
    return held.flatMap(({ lines }) => lines?.texts ?? []);
}

/** What waits, in its order. */
export class HeldQueue {
    private readonly entries: Entry[] = [];

    get first(): Entry | undefined {
        return this.entries[0];
    }

    get last(): Entry | undefined {
        return this.entries.at(-1);
    }

    add(item: FollowItem, lines?: HeldLines): void {
        this.entries.push({ item, since: Date.now(), lines });
    }

    shift(): void {
        this.entries.shift();
    }

    /** A step's lines that nobody has counted. */
    heldOf(step: string): Entry[] {
        return this.entries.filter(({ lines }) => lines?.step === step && !lines.counted);
    }

    /**
     * `lines` for those that are held. All come with the last of these: who goes on at an earlier mark would get some of
     * them twice. `position` is where the step stands behind them.
     */
    putInPlace(step: string, held: readonly Entry[], lines: string[], position?: StepPosition): void {
        const last = held.at(-1);
        if (!last) {
            if (lines.length > 0) {
                this.add({ type: "log", lines: lines.map((text) => ({ step, text })) });
            }
            return;
        }
        for (const entry of held) {
            (entry.lines as HeldLines).texts = entry === last ? lines : [];
        }
        const at = this.entries.indexOf(last);
        for (const [index, entry] of this.entries.entries()) {
            if (index < at || !position) {
                entry.mark = undefined;
            } else if (entry.mark) {
                entry.mark.state.steps[step] = position;
            }
        }
    }
}
