/**
 * Declares a resource without the stack traces that the SDK notes for each of its properties, each mapped to a source
 * through files that it reads for that: 0.05 s for a run. They are shown only by the SDK's hunt for promises that never end.
 */
export function withoutTraces<T>(declare: () => T): T {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = process.env.PULUMI_DEBUG_PROMISE_LEAKS ? limit : 0;
    try {
        return declare();
    } finally {
        Error.stackTraceLimit = limit;
    }
}
