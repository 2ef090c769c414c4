/** Without what was not given: APIs take a missing key and an empty one for two things. */
export function withoutUndefined<T extends object>(object: T): T {
    return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
