/** A machine as its cloud describes it. */
export interface Machine {
    /** The zone it is in. */
    readonly place: string;
    readonly state: "starting" | "running" | "stopping" | "off";
    /** Whether the platform may take it. */
    readonly spot: boolean;
    /** When it was switched on last, in the cloud's words: another one, another start. */
    readonly startedAt: string;
}

/** Why a machine went. */
export type Departure =
    /** The platform's doing: the run goes on elsewhere. */
    | { readonly kind: "taken"; readonly message: string }
    | { readonly kind: "stopped" | "deleted"; readonly by: string }
    /** It has been on for as long as it may. */
    | { readonly kind: "tooLong" }
    /** The guest has switched it off. */
    | { readonly kind: "itself" }
    /** The cloud has no word on it. */
    | { readonly kind: "unknown" };

/** There is no machine to be had in a place, now. */
export interface Shortage {
    readonly reason: "CapacityExhausted" | "QuotaExceeded";
    readonly message: string;
}

/** What following needs of a cloud; AWS, Azure and Google differ only in this. */
export interface Cloud {
    /** Where machines are looked for, and made in this order. */
    readonly places: readonly string[];
    /** Looks in all places. */
    find(name: string): Promise<Machine | undefined>;
    /** Switches one on again that is off; resolves when it is on. */
    start(name: string, machine: Machine): Promise<Shortage | undefined>;
    /** Makes one as the text says; does nothing if it is there already. Resolves when it is on. */
    make(name: string, place: string, body: string): Promise<Shortage | undefined>;
    /** Resolves when it is off. */
    stop(name: string, machine: Machine): Promise<void>;
    /** Resolves when it is gone. */
    remove(name: string, machine: Machine): Promise<void>;
    /** The end of what it has written to its serial console. */
    console(name: string, machine: Machine): Promise<string>;
    /** Of a machine that is off, or gone (`undefined`), or that has started anew. */
    departure(name: string, machine: Machine | undefined): Promise<Departure>;
    /** The text of a machine that the platform does not take. */
    asStandard(body: string): string;
}

/** The cloud can't be asked, or has refused. */
export class CloudError extends Error {
    override readonly name: string = "CloudError";

    constructor(
        message: string,
        /** It may go well when it is tried again later. */
        readonly passing: boolean,
        options?: ErrorOptions,
    ) {
        super(message, options);
    }
}
