import type { FollowItem, LogLine } from "../follower";
import type { StepPosition } from "./stepLines";

/** What waits to be passed on. */
export interface Entry {
    readonly item: FollowItem;
    readonly since: number;
    readonly lines?: HeldLines;
    /** Where one can go on behind it. */
    mark?: Mark;
}

export interface Mark {
    readonly steps: Record<string, StepPosition>;
    readonly bookmark: (steps: Record<string, StepPosition>) => string;
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
    return mark ? { ...whole, bookmark: mark.bookmark(mark.steps) } : whole;
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
