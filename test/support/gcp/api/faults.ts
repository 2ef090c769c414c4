import { errorOf, type ApiError } from "./errors";

/** What goes wrong with a request. */
export interface Fault {
    /** The answer's status. */
    readonly status?: number;
    /** `errors[].reason` of the answer; by default what usually goes with the status. */
    readonly reason?: string;
    readonly message?: string;
    /** No answer, ever: the client's time-out has to end it. */
    readonly hang?: boolean;
    /** The connection is cut. */
    readonly drop?: boolean;
    /** Before the fault, the request is done nevertheless: the client can't know. */
    readonly done?: boolean;
    /** Waits, before whatever else. Alone: a slow answer. */
    readonly delayMs?: number;
}

/** An error of an operation that was accepted: `ZONE_RESOURCE_POOL_EXHAUSTED`, `QUOTA_EXCEEDED`. */
export interface OperationFault {
    readonly code: string;
    readonly message: string;
}

interface Rule {
    readonly kind: RegExp | string;
    readonly fault: Fault;
    readonly every: number;
    readonly until: number;
    left: number;
    seen: number;
}

interface OperationRule {
    readonly kind: string;
    readonly fault: OperationFault;
    left: number;
}

/** What tests let go wrong. A kind is a method's name, as in the log of requests, or a pattern of names. */
export class Faults {
    private rules: Rule[] = [];
    private operationRules: OperationRule[] = [];
    private readonly exhausted = new Set<string>();

    /** The next requests of a kind. */
    next(kind: RegExp | string, fault: Fault, times = 1): void {
        this.add(kind, fault, { left: times });
    }

    /** Each `every`th request of a kind, until {@link clear}. */
    each(kind: RegExp | string, every: number, fault: Fault): void {
        this.add(kind, fault, { every });
    }

    /** All requests of a kind for some time. */
    during(kind: RegExp | string, ms: number, fault: Fault): void {
        this.add(kind, fault, { until: Date.now() + ms });
    }

    /** The next operations of a kind (`instances.insert`) are accepted, and fail. */
    nextOperation(kind: string, fault: OperationFault, times = 1): void {
        this.operationRules.push({ kind, fault, left: times });
    }

    /** There are no machines in a zone: what makes or starts one there fails, until {@link restock}. */
    stockout(zone: string): void {
        this.exhausted.add(zone);
    }

    restock(zone: string): void {
        this.exhausted.delete(zone);
    }

    clear(): void {
        this.rules = [];
        this.operationRules = [];
        this.exhausted.clear();
    }

    /** What goes wrong with this request, if anything. */
    take(kind: string): Fault | undefined {
        const now = Date.now();
        this.rules = this.rules.filter(({ left, until }) => left > 0 && until > now);
        for (const rule of this.rules.filter((one) => matches(one.kind, kind))) {
            rule.seen++;
            if (rule.seen % rule.every === 0) {
                rule.left--;
                return rule.fault;
            }
        }
        return undefined;
    }

    takeOperation(kind: string, zone: string): OperationFault | undefined {
        const rule = this.operationRules.find((one) => one.kind === kind && one.left > 0);
        if (rule) {
            rule.left--;
            return rule.fault;
        }
        return this.exhausted.has(zone) && NEEDS_MACHINE.has(kind) ? stockoutOf(zone) : undefined;
    }

    private add(kind: RegExp | string, fault: Fault, more: Partial<Rule>): void {
        this.rules.push({ kind, fault, every: 1, until: Infinity, left: Infinity, seen: 0, ...more });
    }
}

const NEEDS_MACHINE = new Set(["instances.insert", "instances.start"]);

/** The answer to a request with this fault. */
export function faultError({ status = 503, reason, message }: Fault): ApiError {
    return errorOf(status, reason, message);
}

function stockoutOf(zone: string): OperationFault {
    return {
        code: "ZONE_RESOURCE_POOL_EXHAUSTED",
        message: `The zone 'projects/p/zones/${zone}' does not have enough resources available to fulfill the request. Try a different zone, or try again later.`,
    };
}

function matches(pattern: RegExp | string, kind: string): boolean {
    return typeof pattern === "string" ? pattern === kind : pattern.test(kind);
}
