/** Nobody has answered. */
export class UnreachableError extends Error {
    override readonly name = "UnreachableError";
}

/** Why a connection failed, for people. */
export function explain(error: Error & { code?: string; errors?: Error[] }): string {
    switch (error.code) {
        case "ECONNREFUSED":
            return "the connection was refused";
        case "ENOTFOUND":
        case "EAI_AGAIN":
            return `its name can't be resolved (${error.code})`;
        case "ETIMEDOUT":
            return "the connection timed out";
        default:
            return error.message || error.errors?.[0]?.message || error.code || "no reason was given";
    }
}
