/** What every follower of virtual machines is told, whatever the cloud; nothing in it depends on the run. */
export interface VmFollowerOptions {
    /** The URL of the artifact store through which the machine speaks. */
    readonly store: string;
    /**
     * The follower makes the machine itself, from `boot/machine.json` of the attempt: in the first place that has one.
     * False: it is declared beside the run, and only started again.
     */
    readonly made: boolean;
    /** Interruptions after which the run is given up, or goes on with {@link fallback}. @default 10 */
    readonly maxRecoveries?: number;
    /** After `maxRecoveries` interruptions, one more time on a machine that the platform doesn't take. Needs `made`. */
    readonly fallback?: "standard";
    /** From the machine's start until it is heard of. @default 600 */
    readonly bootTimeoutSeconds?: number;
    /** A machine of which nothing is heard for so long hangs. @default 300 */
    readonly silenceSeconds?: number;
    /** How long to wait for a machine where there is none to be had. @default 3600 */
    readonly capacityTimeoutSeconds?: number;
}
