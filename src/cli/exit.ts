/** The command's exit codes; documented in its help. */
export const EXIT = {
    succeeded: 0,
    /** The run failed, timed out, was lost; or the update failed. */
    failed: 1,
    badInput: 2,
    /** No engine, no access, no such stack. */
    notReady: 3,
    /** As a shell reports a program that Ctrl-C ended. */
    cancelled: 130,
} as const;

/** Ends the command with a message and without a stack. */
export class CommandError extends Error {
    constructor(
        message: string,
        readonly exitCode: number,
    ) {
        super(message);
    }
}
