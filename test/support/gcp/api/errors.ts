/** What a Google API answers instead of a result: `{error: {code, message, errors, status}}`. */
export class ApiError extends Error {
    constructor(
        readonly code: number,
        /** As in `errors[].reason`: `notFound`, `forbidden`, `rateLimitExceeded`. */
        readonly reason: string,
        message: string,
        readonly details: readonly object[] = [],
    ) {
        super(message);
    }

    get body(): object {
        const { code, message, reason, details } = this;
        return {
            error: {
                code,
                message,
                errors: [{ message, domain: DOMAINS[reason] ?? "global", reason }],
                status: STATUSES[code] ?? "UNKNOWN",
                ...(details.length > 0 && { details }),
            },
        };
    }
}

const DOMAINS: Readonly<Record<string, string>> = {
    rateLimitExceeded: "usageLimits",
    accessNotConfigured: "usageLimits",
    quotaExceeded: "usageLimits",
};

const STATUSES: Readonly<Record<number, string>> = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
};

const REASONS: Readonly<Record<number, string>> = {
    400: "invalid",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    409: "alreadyExists",
    412: "conditionNotMet",
    429: "rateLimitExceeded",
    500: "internalError",
    503: "backendError",
};

/** An error of which only the code matters. */
export function errorOf(code: number, reason?: string, message?: string): ApiError {
    const why = reason ?? REASONS[code] ?? "unknown";
    return new ApiError(code, why, message ?? `injected by the test: ${code} ${why}`);
}

/** `resource` as `projects/p/zones/z/instances/i`. */
export function notFound(resource: string): ApiError {
    return new ApiError(404, "notFound", `The resource '${resource}' was not found`);
}

export function alreadyExists(resource: string): ApiError {
    return new ApiError(409, "alreadyExists", `The resource '${resource}' already exists`);
}

/** A field whose value can't be. */
export function invalid(field: string, why: string): ApiError {
    return new ApiError(400, "invalid", `Invalid value for field '${field}': ${why}`);
}

export function badRequest(message: string): ApiError {
    return new ApiError(400, "badRequest", message);
}

export function forbidden(permission: string, resource: string): ApiError {
    return new ApiError(403, "forbidden", `Required '${permission}' permission for '${resource}'`);
}
