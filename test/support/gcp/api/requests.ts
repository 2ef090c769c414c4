/** A request that has come in. */
export interface LoggedRequest {
    /** The method's name in Google's reference: `instances.insert`. */
    readonly kind: string;
    readonly method: string;
    /** With the query. */
    readonly path: string;
    readonly body: unknown;
    /** Whose token it carried; empty without one that is valid. */
    readonly principal: string;
    readonly at: number;
    /** 0 as long as it is not answered, and for one whose connection was cut. */
    status: number;
}

/** All requests since the start, or since they were forgotten. */
export class RequestLog {
    private entries: LoggedRequest[] = [];

    add(request: LoggedRequest): void {
        this.entries.push(request);
    }

    get all(): readonly LoggedRequest[] {
        return this.entries;
    }

    of(kind: string): readonly LoggedRequest[] {
        return this.entries.filter((entry) => entry.kind === kind);
    }

    count(kind: string): number {
        return this.of(kind).length;
    }

    /** How often each kind was asked for. */
    counts(): Record<string, number> {
        const counts: Record<string, number> = {};
        for (const { kind } of this.entries) {
            counts[kind] = (counts[kind] ?? 0) + 1;
        }
        return counts;
    }

    forget(): void {
        this.entries = [];
    }
}
